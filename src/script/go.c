/* go.c: the layout of a Go program, as Go's linker of 2014 had it: a few sections, each for some kinds of symbols, and
 * names for where they begin and end.
 * A section is there when a symbol is, of whatever size.
 * The trap: symbols stand next to each other as the objects have them, in the order of the table of kinds, without any
 * alignment: the format has none. */
#include "core/link.h"
#include "script/go.h"

enum { MAX_KINDS = 8, MAX_STMTS = 80 };

typedef struct {
  const char *name, *bound; /* of the section; of its bounds: runtime.BOUND, runtime.eBOUND */
  const char *kinds[MAX_KINDS];
} Row;

static const Row rows[] = {
    {".text", "text", {".text.*", ".rxsect.*", ".plt.*"}},
    {".rodata", "rodata", {".type.*", ".string.*", ".gostring.*", ".gofunc.*", ".rodata.*", ".rosect.*", ".rodata"}},
    {".functab", "functab", {".functab.*", ".pclntab.*", ".functab"}},
    {".typelink", "typelink", {".typelink.*"}},
    {".gosymtab", "symtab", {".symtab.*"}},
    {".noptrdata", "noptrdata", {".sect.*", ".macho.*", ".got.*", ".windows.*", ".noptrdata.*"}},
    {".data", "data", {".initarr.*", ".data.*"}},
    {".bss", "bss", {".bss.*"}},
    {".noptrbss", "noptrbss", {".noptrbss.*"}},
    {".tbss", NULL, {".tlsbss.*"}},
};
/* The first linker's image has one section. */
static const Row first_rows[] = {
    {".text", "text", {".text.*", ".rxsect.*", ".plt.*", ".type.*", ".string.*", ".gostring.*", ".gofunc.*", ".rodata.*"}},
    {".text", NULL, {".rosect.*", ".functab.*", ".pclntab.*", ".typelink.*", ".symtab.*", ".sect.*", ".macho.*", ".got.*"}},
    {".text", NULL, {".windows.*", ".noptrdata.*", ".initarr.*", ".data.*"}},
    {".bss", "bss", {".bss.*"}},
    {".noptrbss", "noptrbss", {".noptrbss.*"}},
};

typedef struct {
  Arena *arena;
  LayoutStmt *stmts;
  u32 n;
} Builder;

static void assign(Builder *b, const char *name, const Expr *e, u32 flags) {
  b->stmts[b->n++] = (LayoutStmt){.kind = LAYOUT_ASSIGN, .name = name, .expr = e, .flags = flags};
}

static const Expr *make(Builder *b, Expr e) {
  Expr *x = ARENA_NEW(b->arena, Expr);
  *x = e;
  return x;
}

static void output(Builder *b, const char *name, const char *const *kinds, u32 n) {
  LayoutPattern *p = ARENA_ARRAY(b->arena, LayoutPattern, n + 1);
  for (u32 i = 0; i < n; i++)
    p[i] = (LayoutPattern){.section = kinds[i]};
  b->stmts[b->n++] = (LayoutStmt){.kind = LAYOUT_OUTPUT, .name = name, .flags = LAYOUT_KEEP_EMPTY, .patterns = p, .npatterns = n};
}

static const char *name_of(const GoLayout *g, const Row *r) { return streq(r->name, ".functab") ? g->functab : r->name; }

/* NAME, eNAME, and both with "runtime." before them: who uses which is a question of the year. */
static void bounds(Builder *b, const char *section, const char *name) {
  const Expr *begin = make(b, (Expr){.op = EX_ADDR, .name = section});
  const Expr *size = make(b, (Expr){.op = EX_SIZEOF, .name = section});
  const Expr *end = make(b, (Expr){.op = EX_ADD, .a = begin, .b = size});
  assign(b, arena_printf(b->arena, "runtime.%s", name), begin, LAYOUT_PROVIDE);
  assign(b, arena_printf(b->arena, "runtime.e%s", name), end, LAYOUT_PROVIDE);
  assign(b, name, begin, LAYOUT_PROVIDE);
  assign(b, arena_printf(b->arena, "e%s", name), end, LAYOUT_PROVIDE);
}

static void sections(Builder *b, const GoLayout *g, const Row *r, u32 n) {
  for (u32 i = 0; i < n;) {
    const char *kinds[4 * MAX_KINDS], *name = r[i].name;
    u32 nkinds = 0;
    if (g->has_data && streq(name, g->first_image ? ".bss" : ".noptrdata"))
      assign(b, ".", make(b, (Expr){.op = EX_NUM, .num = g->data}), 0);
    const char *shown = name_of(g, &r[i]);
    for (; i < n && streq(r[i].name, name); i++)
      for (u32 k = 0; k < MAX_KINDS && r[i].kinds[k]; k++)
        kinds[nkinds++] = r[i].kinds[k];
    output(b, shown, kinds, nkinds);
  }
  const char *last = NULL;
  for (u32 i = 0; i < n; i++)
    if (r[i].bound)
      bounds(b, last = name_of(g, &r[i]), r[i].bound);
  const Expr *begin = make(b, (Expr){.op = EX_ADDR, .name = last}), *size = make(b, (Expr){.op = EX_SIZEOF, .name = last});
  const Expr *end = make(b, (Expr){.op = EX_ADD, .a = begin, .b = size});
  assign(b, "runtime.end", end, LAYOUT_PROVIDE);
  assign(b, "end", end, LAYOUT_PROVIDE);
}

const LayoutDesc *go_layout(Arena *a, const GoLayout *g) {
  Builder b = {.arena = a, .stmts = ARENA_ARRAY(a, LayoutStmt, MAX_STMTS)};
  if (g->first_image)
    sections(&b, g, first_rows, COUNT_OF(first_rows));
  else
    sections(&b, g, rows, COUNT_OF(rows));
  b.stmts[b.n++] = (LayoutStmt){.kind = LAYOUT_ORPHANS};
  LayoutDesc *d = ARENA_NEW(a, LayoutDesc);
  *d = (LayoutDesc){.name = "go", .stmts = b.stmts, .nstmts = b.n};
  return d;
}
