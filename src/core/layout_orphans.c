/* layout_orphans.c: where sections go that a script does not name, by GNU ld's rules (GNU ld manual, "Orphan Sections"): behind the
 * output section that usually holds their kind, else behind the last one that may do the same, and those of one kind stand together.
 * The trap: assignments behind an output section are of two kinds: symbols mark its end, so an orphan goes behind them, but what moves
 * the location counter is the next section's business. */
#include <stdlib.h>

#include "core/layout_internal.h"

enum { /* of a section; as GNU ld's SEC_* */
  CONTENTS = 1, ALLOC = 2, LOAD = 4, READONLY = 8, CODE = 16, TLS = 32, LARGE = 64, DEBUGGING = 128, NOTHING = 256 };

enum { END = UINT32_MAX };

/* Items as a list: orphans are put in anywhere. Node 0 is its head, nodes [1, ...) are items. */
typedef struct {
  u32 next;
  u32 flags; /* of an output section; 0 also while it has no content */
  SectionClass class;
} Node;

typedef enum { TEXT, RODATA, TDATA, TBSS, DATA, BSS, RELOCS, NOTE, COMMENT, LTEXT, LRODATA, LDATA, LBSS, KINDS } Kind;

/* A kind of orphan: the output section that usually holds it, and what that may do while it has no content. */
static const struct {
  const char *name;
  u32 flags;
} usual[KINDS] = {
    [TEXT] = {".text", CONTENTS | ALLOC | LOAD | READONLY | CODE},
    [RODATA] = {".rodata", CONTENTS | ALLOC | LOAD | READONLY},
    [TDATA] = {".tdata", CONTENTS | ALLOC | LOAD | TLS},
    [TBSS] = {".tbss", ALLOC | TLS},
    [DATA] = {".data", CONTENTS | ALLOC | LOAD},
    [BSS] = {".bss", ALLOC},
    [RELOCS] = {".rela.dyn", CONTENTS | ALLOC | LOAD | READONLY},
    [NOTE] = {".interp", CONTENTS | ALLOC | LOAD | READONLY},
    [COMMENT] = {".comment", CONTENTS},
    [LTEXT] = {".ltext", CONTENTS | ALLOC | LOAD | READONLY | CODE | LARGE},
    [LRODATA] = {".lrodata", CONTENTS | ALLOC | LOAD | READONLY | LARGE},
    [LDATA] = {".ldata", CONTENTS | ALLOC | LOAD | LARGE},
    [LBSS] = {".lbss", ALLOC | LARGE},
};

typedef struct {
  Link *l;
  Layout *y;
  Node *nodes;
  u32 n, last;    /* nodes; the last of the list */
  u32 after[KINDS]; /* the output section that orphans of the kind follow, 0: not known yet */
  u32 tail[KINDS];  /* the last orphan of the kind, 0: none */
} Orphans;

static bool is_debug(const char *name) {
  static const char *const begins[] = {".debug", ".gnu.debuglto_.debug_", ".gnu.linkonce.wi.", ".line", ".stab", ".zdebug", ".gdb_index"};
  for (u32 i = 0; i < COUNT_OF(begins); i++)
    if (starts_with(name, begins[i]))
      return true;
  return false;
}

static u32 flags_of(const Osec *o) {
  u32 a = o->aflags;
  bool filled = !(a & ATOM_ZEROFILL);
  if (!(a & ATOM_ALLOC))
    return (filled ? (u32)CONTENTS : 0) | (is_debug(o->name) ? (u32)DEBUGGING : 0) | NOTHING;
  return ALLOC | (filled ? (u32)(CONTENTS | LOAD) : 0) | (a & ATOM_WRITE ? 0u : (u32)READONLY) | (a & ATOM_EXEC ? (u32)CODE : 0) |
         (a & ATOM_TLS ? (u32)TLS : 0) | (a & ATOM_LARGE ? (u32)LARGE : 0);
}

static SectionClass class_of(const Link *l, const Osec *o) {
  return l->format->section_class ? l->format->section_class(l, o) : SECTION_PLAIN;
}

static Kind kind_of(SectionClass class, u32 f) {
  if (!(f & ALLOC))
    return COMMENT;
  if (class == SECTION_NOTE && f & LOAD && f & READONLY)
    return NOTE;
  if (f & LARGE)
    return f & CODE ? LTEXT : !(f & LOAD) ? LBSS : f & READONLY ? LRODATA : LDATA;
  if (!(f & (LOAD | CONTENTS | TLS)))
    return BSS;
  if (f & TLS)
    return f & LOAD ? TDATA : TBSS;
  if (!(f & READONLY))
    return DATA;
  if (class == SECTION_RELOCS && f & LOAD)
    return RELOCS;
  return f & CODE ? TEXT : RODATA;
}

/* ---- the place ---- */

static const Item *item_of(const Orphans *p, u32 node) { return &p->y->items.at[node - 1]; }
static bool is_output(const Orphans *p, u32 node) { return item_of(p, node)->osec != 0; }

/* What an orphan looks for: sections that may do what f says. */
typedef struct {
  u32 f;
  SectionClass class;
  bool same_kind; /* only among those of its class, with bytes or without as it; one without content is of any */
} Wanted;

static bool fits(const Orphans *p, u32 node, const Wanted *w) {
  const Node *x = &p->nodes[node];
  if (!is_output(p, node) || !x->flags)
    return false;
  return !w->same_kind || !p->l->osecs.at[item_of(p, node)->osec].natoms ||
         (x->class == w->class && !((x->flags ^ w->f) & CONTENTS));
}

/* The last of those of which only bits outside `mask` differ; 0: there is none. */
static u32 last_like(const Orphans *p, const Wanted *w, u32 mask) {
  u32 found = 0;
  for (u32 i = p->nodes[0].next; i != END; i = p->nodes[i].next)
    if (fits(p, i, w) && !((p->nodes[i].flags ^ w->f) & mask))
      found = i;
  return found;
}

/* Notes stand in order of alignment, since a reader walks those of one PT_NOTE by it. */
static u32 place_of_note(const Orphans *p, const Osec *o) {
  u32 found = 0;
  for (u32 i = p->nodes[0].next; i != END; i = p->nodes[i].next)
    if (is_output(p, i) && p->nodes[i].class == SECTION_NOTE && p->nodes[i].flags & ALLOC &&
        p->l->osecs.at[item_of(p, i)->osec].p2align >= o->p2align)
      found = i;
  return found;
}

/* Behind all but debugging information. */
static u32 place_of_comment(const Orphans *p) {
  u32 found = 0;
  for (u32 i = p->nodes[0].next; i != END; i = p->nodes[i].next)
    if (is_output(p, i) && !(p->nodes[i].flags & DEBUGGING))
      found = i;
  return found;
}

/* Thread-local data follows thread-local data, initialized before the rest of the block, else data. */
static u32 place_of_tls(const Orphans *p, u32 f) {
  u32 found = 0;
  bool seen = false;
  for (u32 i = p->nodes[0].next; i != END; i = p->nodes[i].next) {
    u32 x = p->nodes[i].flags;
    if (!is_output(p, i) || !x)
      continue;
    if (x & TLS && x & ALLOC) {
      if (f & LOAD && !(x & LOAD))
        break;
      found = i;
      seen = true;
    } else if (seen) {
      break;
    } else if (!((x ^ (f | LOAD | CONTENTS)) & (CONTENTS | ALLOC | LOAD))) {
      found = i;
    }
  }
  return found;
}

/* Where nothing is like it: code behind code, read-only data behind code, data behind read-only data, zero fill behind all that takes
 * memory. *exact: another orphan of these flags would find the same. */
static u32 place_by_flags(const Orphans *p, u32 f, SectionClass class, bool *exact) {
  static const u32 all = CONTENTS | ALLOC | LOAD | READONLY | CODE | TLS | LARGE;
  u32 found = 0;
  *exact = false;
  for (u32 any = 0; any < 2 && !found; any++) {
    const Wanted w = {f, class, !any};
    found = last_like(p, &w, all);
    *exact = found != 0;
    if (found)
      break;
    if (f & TLS)
      found = place_of_tls(p, f);
    else if (f & CODE)
      found = last_like(p, &w, CONTENTS | ALLOC | LOAD | CODE | LARGE);
    else if (f & READONLY)
      found = last_like(p, &w, CONTENTS | ALLOC | LOAD | READONLY | LARGE);
    else if (f & CONTENTS)
      found = last_like(p, &w, CONTENTS | ALLOC | LOAD | LARGE);
    else
      found = last_like(p, &w, ALLOC);
  }
  return found;
}

/* The node behind which an orphan stands that follows output section `after` (0: the beginning). */
static u32 behind(const Orphans *p, u32 after) {
  u32 at = after, before_dot = END;
  bool base = !after; /* at the beginning the first is the image's address */
  for (u32 i = p->nodes[after].next; i != END; at = i, i = p->nodes[i].next) {
    const Item *it = item_of(p, i);
    if (it->osec) {
      const Osec *o = &p->l->osecs.at[it->osec];
      return before_dot != END && (!o->natoms || o->aflags & ATOM_ALLOC) ? before_dot : at;
    }
    const LayoutStmt *st = &p->l->layout->stmts[it->stmt];
    if (st->kind != LAYOUT_ASSIGN || before_dot != END || !streq(st->name, "."))
      continue;
    if (!base)
      before_dot = at;
    base = false;
  }
  return at;
}

static void link_behind(Orphans *p, u32 at, u32 node) {
  p->nodes[node].next = p->nodes[at].next;
  p->nodes[at].next = node;
  if (p->last == at)
    p->last = node;
}

/* Tables of symbols and names stand behind all else, as files have it. */
static bool is_table(const Link *l, const Osec *o) {
  u32 a = o->natoms ? o->atoms[0].i : 0;
  return a && l->atoms.flags[a] & ATOM_SYNTH && l->atoms.at[a].aux >= SYN_SYMTAB && l->atoms.at[a].aux <= SYN_SHSTRTAB;
}

static void place(Orphans *p, u32 osec) {
  const Osec *o = &p->l->osecs.at[osec];
  u32 f = flags_of(o);
  *vec_push(&p->y->items) = (Item){.stmt = UINT32_MAX, .osec = osec, .weld = UINT32_MAX};
  u32 node = p->y->items.n;
  p->nodes[node] = (Node){END, f, class_of(p->l, o)};
  if (f & DEBUGGING || is_table(p->l, o)) {
    link_behind(p, p->last, node);
    return;
  }
  Kind k = kind_of(p->nodes[node].class, f);
  u32 note = k == NOTE ? place_of_note(p, o) : 0, after = p->after[k];
  if (note) {
    link_behind(p, note, node);
    return;
  }
  bool exact = true;
  if (!after)
    after = f & ALLOC ? place_by_flags(p, f, p->nodes[node].class, &exact) : place_of_comment(p);
  if (exact)
    p->after[k] = after;
  link_behind(p, p->tail[k] && k != NOTE ? p->tail[k] : behind(p, after), node);
  p->tail[k] = node;
}

void layout_place_orphans(Link *l) {
  Layout *y = l->lay;
  u32 most = y->items.n + l->osecs.n + 1;
  Orphans p = {.l = l, .y = y, .nodes = heap_alloc(most * sizeof *p.nodes)};
  for (u32 i = 0; i <= y->items.n; i++) {
    u32 osec = i ? y->items.at[i - 1].osec : 0;
    const Osec *o = &l->osecs.at[osec];
    bool never = osec && o->stmt != UINT32_MAX && l->layout->stmts[o->stmt].flags & LAYOUT_NOLOAD;
    p.nodes[i] = (Node){i < y->items.n ? i + 1 : END, osec && o->natoms ? flags_of(o) & ~(never ? CONTENTS | LOAD : 0u) : 0,
                        osec && o->natoms ? class_of(l, o) : SECTION_PLAIN};
    for (u32 k = 0; osec && k < KINDS; k++)
      if (!p.after[k] && streq(o->name, usual[k].name)) {
        p.after[k] = i;
        if (!p.nodes[i].flags)
          p.nodes[i].flags = usual[k].flags;
      }
  }
  p.last = y->items.n;
  for (u32 tables = 0; tables < 2; tables++)
    for (u32 o = 1; o < l->osecs.n; o++)
      if (l->osecs.at[o].stmt == UINT32_MAX && is_table(l, &l->osecs.at[o]) == (tables != 0))
        place(&p, o);
  Item *items = heap_alloc(y->items.n * sizeof *items);
  u32 n = 0;
  for (u32 i = p.nodes[0].next; i != END; i = p.nodes[i].next)
    items[n++] = y->items.at[i - 1];
  memcpy(y->items.at, items, n * sizeof *items);
  free(items);
  free(p.nodes);
}
