/* macho.c: which output section each section of a Mach-O object goes to, and the order of sections in an image: ld64's where
 * it means something (what dyld makes read-only again, thread-local templates in one piece, zero fill at the end of a segment),
 * input order among the rest.
 * The trap: a section that an option renames keeps its place in the table below only if it keeps its name, so a row's
 * patterns are collected by the name that comes out. */
#include "script/macho.h"

#include "core/atom.h"

typedef struct {
  const char *out;   /* output section; const data's has `moved` instead where there is a __DATA_CONST */
  const char *moved;
  const char *in[4]; /* further input sections */
  bool keep;
  bool orphans;      /* what no row names: sections of `out`, a segment or NULL */
  u32 with, without; /* of orphans: ATOM_* */
} Row;

/* clang-format off */
#define DATA(s) .out = "__DATA," s, .moved = "__DATA_CONST," s
static const Row rows[] = {
    {.out = "__TEXT,__text", .in = {"__TEXT,__StaticInit", "__TEXT,__textcoal_nt"}},
    {.out = "__TEXT,__stubs"},
    {.out = "__TEXT,__stub_helper"},
    {.out = "__TEXT,__thunks"},
    {.out = "__TEXT,__objc_stubs"},
    {.out = "__TEXT,__init_offsets", .keep = true},
    {.out = "__TEXT,__const", .in = {"__TEXT,__const_coal"}},
    {.out = "__TEXT,__cstring"},
    {.out = "__TEXT,__objc_methname"},
    {.out = "__TEXT,__objc_classname"},
    {.out = "__TEXT,__objc_methtype"},
    {.out = "__TEXT,__literal4"},
    {.out = "__TEXT,__literal8"},
    {.out = "__TEXT,__literal16"},
    {.out = "__TEXT,__gcc_except_tab"},
    {.out = "__TEXT", .orphans = true},
    {.out = "__TEXT,__unwind_info"},
    {.out = "__TEXT,__eh_frame"},

    {DATA("__got")},
    {DATA("__auth_got")},
    {DATA("__auth_ptr")},
    {DATA("__nl_symbol_ptr")},
    {DATA("__const")},
    {DATA("__mod_init_func"), .keep = true},
    {DATA("__mod_term_func"), .keep = true},
    {DATA("__cfstring")},
    {DATA("__objc_classlist"), .keep = true},
    {DATA("__objc_nlclslist"), .keep = true},
    {DATA("__objc_catlist"), .keep = true},
    {DATA("__objc_catlist2"), .keep = true},
    {DATA("__objc_nlcatlist"), .keep = true},
    {DATA("__objc_protolist"), .keep = true},
    {DATA("__objc_imageinfo"), .keep = true},
    {.out = "__DATA_CONST", .orphans = true},

    {.out = "__DATA,__la_symbol_ptr"},
    {.out = "__DATA,__data", .in = {"__DATA,__datacoal_nt"}},
    {.out = "__DATA", .orphans = true, .without = ATOM_ZEROFILL},
    {.out = "__DATA,__thread_vars"},
    {.out = "__DATA,__thread_ptrs"},
    /* dyld makes a thread's variables from one stretch of memory. */
    {.out = "__DATA,__thread_data"},
    {.out = "__DATA,__thread_bss"},
    {.out = "__DATA,__common"},
    {.out = "__DATA,__bss"},
    {.out = "__DATA", .orphans = true, .with = ATOM_ZEROFILL},

    {.orphans = true},
};
/* clang-format on */

enum { MOST_STMTS = COUNT_OF(rows) };

typedef struct {
  Arena *arena;
  const Options *o;
  LayoutStmt *stmts;
  u32 n;
} Builder;

static const char *joined_name(Arena *a, const char *segment, const char *section) { return arena_printf(a, "%s,%s", segment, section); }

/* The rename of an output section, NULL: none; a section's own comes before its segment's. */
static const SectionRename *rename_of(const Builder *b, const char *name) {
  const char *comma = strchr(name, ',');
  u64 len = comma ? (u64)(comma - name) : 0;
  const SectionRename *whole = NULL;
  for (u32 i = 0; comma && i < b->o->darwin.renames.n; i++) {
    const SectionRename *r = &b->o->darwin.renames.at[i];
    if (strlen(r->segment) != len || memcmp(r->segment, name, len))
      continue;
    if (!r->section)
      whole = whole ? whole : r;
    else if (streq(r->section, comma + 1))
      return r;
  }
  return whole;
}

/* What -rename_section and -rename_segment make of an output section. */
static const char *renamed(const Builder *b, const char *name) {
  const SectionRename *r = rename_of(b, name);
  return r ? joined_name(b->arena, r->to_segment, r->section ? r->to_section : strchr(name, ',') + 1) : name;
}

static LayoutStmt *find(Builder *b, const char *out) {
  for (u32 i = 0; i < b->n; i++)
    if (b->stmts[i].kind == LAYOUT_OUTPUT && streq(b->stmts[i].name, out))
      return &b->stmts[i];
  return NULL;
}

static void add_pattern(Builder *b, LayoutStmt *s, LayoutPattern p) {
  LayoutPattern *v = ARENA_ARRAY(b->arena, LayoutPattern, s->npatterns + 2);
  if (s->npatterns)
    memcpy(v, s->patterns, s->npatterns * sizeof *v);
  p.joined = s->npatterns && s->kind == LAYOUT_OUTPUT;
  v[s->npatterns++] = p;
  s->patterns = v;
}

/* An input section goes where its own rename says, or else with its row. */
static void add_input(Builder *b, LayoutStmt *row, const char *in, bool keep) {
  const char *out = renamed(b, in);
  LayoutStmt *s = streq(out, in) ? row : find(b, out);
  if (s)
    add_pattern(b, s, (LayoutPattern){.section = in, .keep = keep});
}

static const char *row_name(const Builder *b, const Row *r) { return r->moved && b->o->darwin.data_const ? r->moved : r->out; }
static const char *output_name(const Builder *b, const Row *r) { return renamed(b, row_name(b, r)); }

/* A section that alone goes to another segment does not keep its place: its old segment would be in two pieces. */
static bool changes_segment(const Builder *b, const Row *r) {
  const SectionRename *n = rename_of(b, row_name(b, r));
  return n && n->section && !streq(n->segment, n->to_segment);
}

/* Whether the section that `n` renames keeps the place of its row. */
static bool keeps_place(const Builder *b, const SectionRename *n) {
  for (u32 i = 0; i < COUNT_OF(rows); i++)
    if (!rows[i].orphans && rename_of(b, row_name(b, &rows[i])) == n)
      return !changes_segment(b, &rows[i]);
  return false;
}

/* Renames to names that no row has get a row of their own in front of what nobody named in their segment (NULL: in any). */
static void add_new_names(Builder *b, const char *segment) {
  for (u32 i = 0; i < b->o->darwin.renames.n; i++) {
    const SectionRename *r = &b->o->darwin.renames.at[i];
    const char *out = r->section ? joined_name(b->arena, r->to_segment, r->to_section) : NULL;
    if (out && !find(b, out) && !keeps_place(b, r) && (!segment || streq(r->to_segment, segment)))
      b->stmts[b->n++] = (LayoutStmt){.kind = LAYOUT_OUTPUT, .name = out};
  }
}

static void add_rows(Builder *b) {
  for (u32 i = 0; i < COUNT_OF(rows); i++) {
    const Row *r = &rows[i];
    if (!r->orphans) {
      const char *out = output_name(b, r);
      if (!find(b, out) && !changes_segment(b, r))
        b->stmts[b->n++] = (LayoutStmt){.kind = LAYOUT_OUTPUT, .name = out};
      continue;
    }
    add_new_names(b, r->out);
    LayoutStmt *s = &b->stmts[b->n++];
    *s = (LayoutStmt){.kind = LAYOUT_ORPHANS};
    add_pattern(b, s, (LayoutPattern){.section = r->out ? arena_printf(b->arena, "%s,*", r->out) : "*", .flags_with = r->with, .flags_without = r->without});
  }
}

static void add_inputs(Builder *b) {
  for (u32 i = 0; i < COUNT_OF(rows); i++) {
    const Row *r = &rows[i];
    LayoutStmt *s = r->orphans ? NULL : find(b, output_name(b, r));
    if (!s)
      continue;
    add_input(b, s, r->out, r->keep);
    if (r->moved)
      add_input(b, s, r->moved, r->keep);
    for (u32 k = 0; k < COUNT_OF(r->in) && r->in[k]; k++)
      add_input(b, s, r->in[k], r->keep);
  }
  for (u32 i = 0; i < b->o->darwin.renames.n; i++) { /* of sections that no row knows */
    const SectionRename *r = &b->o->darwin.renames.at[i];
    LayoutStmt *s = r->section ? find(b, joined_name(b->arena, r->to_segment, r->to_section)) : NULL;
    if (s)
      add_pattern(b, s, (LayoutPattern){.section = joined_name(b->arena, r->segment, r->section)});
  }
}

const LayoutDesc *macho_layout(Arena *a, const Options *o) {
  Builder b = {.arena = a, .o = o, .stmts = ARENA_ARRAY(a, LayoutStmt, MOST_STMTS + o->darwin.renames.n)};
  add_rows(&b);
  add_inputs(&b);
  LayoutDesc *d = ARENA_NEW(a, LayoutDesc);
  *d = (LayoutDesc){.name = "macho", .stmts = b.stmts, .nstmts = b.n};
  return d;
}
