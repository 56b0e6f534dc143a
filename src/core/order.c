/* order.c: --symbol-ordering-file, and where all orders end: Link.priority, a number for each atom, smaller
 * first, 0 behind all others. Layout sorts by it and asks nothing else, so who orders need not know layout.
 * The trap: a name can stand for many atoms (static functions of one name), and an atom can have many names;
 * the earliest name counts. */
#include "core/order.h"

#include <stdlib.h>

#include "core/resolve.h"
#include "util/hash.h"

/* ---- numbers ---- */

/* Who must stand directly behind whom, whatever a list says: EDGE_LAYOUT_AFTER. */
typedef struct {
  u32 *next, *before; /* by atom, 0: nobody; NULL: there are no chains */
} Chains;

/* Of two that want to follow one atom the first does, and nobody follows two. */
static Chains find_chains(Link *l) {
  Chains c = {0};
  for (u32 a = 1; l->format->atoms_are_symbols && !l->format->no_neutral_edges && a < l->atoms.n; a++) {
    EdgeCursor at = {.atom = {a}};
    Edge e[EDGE_BATCH];
    if ((l->atoms.flags[a] & ATOM_FOLDED) != ATOM_LIVE)
      continue;
    for (u32 n; (n = l->format->edges(l, &at, e));)
      for (u32 k = 0; k < n; k++) {
        i64 off;
        u32 t = e[k].kind == EDGE_LAYOUT_AFTER ? l->format->edge_atom(l, (FileId){l->atoms.at[a].file}, &e[k], &off).i : 0;
        if (!t || t == a || (l->atoms.flags[t] & ATOM_FOLDED) != ATOM_LIVE)
          continue;
        if (!c.next) {
          c.next = heap_alloc(l->atoms.n * sizeof *c.next);
          c.before = heap_alloc(l->atoms.n * sizeof *c.before);
        }
        if (!c.next[a] && !c.before[t]) {
          c.next[a] = t;
          c.before[t] = a;
        }
      }
  }
  return c;
}

static void number_chain(Link *l, const Chains *c, u32 a, u32 *n) {
  for (; a && !l->priority[a]; a = c->next ? c->next[a] : 0)
    l->priority[a] = ++*n;
}

/* The first of the chain that a is in; a itself when the chain has no end. */
static u32 head_of(const Chains *c, u32 a) {
  u32 head = a;
  while (c->before && c->before[head])
    if ((head = c->before[head]) == a)
      return a;
  return head;
}

/* The one place where an order becomes final. */
static void number_atoms(Link *l, const AtomList *list) {
  Chains c = find_chains(l);
  u32 n = 0;
  if (list->n || c.next) {
    u64 size = l->atoms.n * sizeof *l->priority;
    l->priority = link_own(l, pages_alloc_sparse(size), size);
  }
  for (u32 i = 0; i < list->n; i++)
    number_chain(l, &c, head_of(&c, list->at[i]), &n);
  for (u32 a = 1; c.next && a < l->atoms.n; a++) /* the others as they stand, each chain at its first atom */
    number_chain(l, &c, head_of(&c, a), &n);
  free(c.next);
  free(c.before);
}

bool order_possible(const Link *l, u32 atom) {
  u16 f = l->atoms.flags[atom];
  return (f & (ATOM_LIVE | ATOM_DISCARDED | ATOM_MERGE | ATOM_EHFRAME | ATOM_SYNTH)) == ATOM_LIVE;
}

/* Undefined names that are no errors are no news either. */
static bool undefined_is_fine(const Link *l) {
  const Options *o = l->opt;
  return o->unresolved == UNRESOLVED_IGNORE_ALL || o->no_undefined == OPT_NO ||
         (o->kind == OUTPUT_SHARED && o->no_undefined != OPT_YES);
}

void order_warn(Link *l, const char *file, u32 at, u32 sym, u32 atom, const char *name) {
  u32 flags = sym < l->syms.nglobal ? l->syms.flags[sym] : 0;
  const char *what = NULL;
  if (!l->opt->warn_symbol_ordering || order_possible(l, atom))
    return;
  if (flags & SF_UNDEFINED)
    what = undefined_is_fine(l) ? NULL : "undefined symbol";
  else if (flags & SF_SHARED)
    what = "shared symbol";
  else if (flags & SF_COMMON)
    what = "common symbol";
  else if (!atom)
    what = flags & SF_SYNTHETIC ? "symbol that weld defines" : "absolute symbol";
  else if (!(l->atoms.flags[atom] & ATOM_LIVE))
    what = l->opt->gc_sections ? "symbol of a section that --gc-sections removed" : "discarded symbol";
  else
    what = l->atoms.flags[atom] & ATOM_SYNTH ? "symbol of a section that weld makes" : "symbol of a merged section";
  if (what)
    diag_report(l->diag, DIAG_WARNING, "symbol-ordering", at, "%s: unable to order %s: %s", file, what, diag_name(l->diag, name));
}

/* ---- --symbol-ordering-file ---- */

typedef struct {
  Link *l;
  u32 *best;    /* by atom: its earliest entry + 1 */
  u8 *present;  /* by entry */
  u32 *slots;   /* table of names: entry + 1 */
  u32 mask;
} Names;

typedef struct {
  const Names *n;
  const File *file;
} Locals;

static u32 *find_slot(const Names *n, const char *name) {
  const StrVec *v = &n->l->opt->symbol_ordering;
  u32 k = (u32)hash_bytes(name, strlen(name)) & n->mask;
  while (n->slots[k] && !streq(v->at[n->slots[k] - 1], name))
    k = (k + 1) & n->mask;
  return &n->slots[k];
}

static void want(const Names *n, u32 entry, u32 sym, u32 atom) {
  Link *l = n->l;
  __atomic_store_n(&n->present[entry], 1, __ATOMIC_RELAXED);
  if (order_possible(l, atom))
    n->best[atom] = n->best[atom] ? MIN(n->best[atom], entry + 1) : entry + 1;
  else
    order_warn(l, l->opt->symbol_ordering_file, entry, sym, atom, l->opt->symbol_ordering.at[entry]);
}

static void want_local(void *ctx, const char *name, const SymRec *r) {
  const Locals *x = ctx;
  u32 entry = *find_slot(x->n, name), atom = x->file->atom_base + r->section;
  if (entry && !(x->n->l->atoms.flags[atom] & ATOM_DISCARDED)) /* another file's group stands for this one */
    want(x->n, entry - 1, x->file->local_base + r->index, atom);
}

/* A file's local symbols are in its own atoms: threads do not meet. */
static void want_locals(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  const Names *n = ctx;
  for (u32 f = MAX(begin, 1u); f < end; f++) {
    Locals x = {n, &n->l->files.at[f]};
    if (x.file->live && x.file->kind == FILE_OBJECT && x.file->fmt)
      n->l->format->each_local(n->l, (FileId){f}, &x, want_local);
  }
}

static void want_globals(const Names *n) {
  Link *l = n->l;
  const StrVec *v = &l->opt->symbol_ordering;
  for (u32 i = 0; i < v->n; i++) {
    SymId s = sym_find(l, v->at[i], strlen(v->at[i]));
    if (*find_slot(n, v->at[i]) != i + 1 || s.i == NO_SYM.i)
      continue;
    bool defined = !(l->syms.flags[s.i] & SF_UNDEFINED);
    if (defined || l->syms.flags[s.i] & SF_REF) /* others are only in archive members that are not linked */
      want(n, i, s.i, l->syms.atom[s.i]);
  }
}

static void make_table(Names *n) {
  Link *l = n->l;
  const StrVec *v = &l->opt->symbol_ordering;
  u32 size = 16;
  while (size / 2 < v->n)
    size *= 2;
  n->mask = size - 1;
  n->slots = heap_alloc(size * sizeof *n->slots);
  for (u32 i = 0; i < v->n; i++) {
    u32 *slot = find_slot(n, v->at[i]);
    if (!*slot)
      *slot = i + 1;
    else if (l->opt->warn_symbol_ordering)
      diag_report(l->diag, DIAG_WARNING, "symbol-ordering", i, "%s: duplicate ordered symbol: %s", l->opt->symbol_ordering_file,
                  diag_name(l->diag, v->at[i]));
  }
}

typedef struct {
  u32 entry, atom;
} Placed;

static int by_entry(const void *a, const void *b) {
  const Placed *x = a, *y = b;
  return x->entry != y->entry ? (x->entry < y->entry ? -1 : 1) : x->atom < y->atom ? -1 : x->atom > y->atom;
}

static void order_symbols(Link *l, AtomList *out) {
  const StrVec *v = &l->opt->symbol_ordering;
  Names n = {.l = l, .best = pages_alloc_sparse(l->atoms.n * sizeof *n.best), .present = heap_alloc(v->n + 1)};
  VEC(Placed) placed = {0};
  make_table(&n);
  want_globals(&n);
  pool_run(l->pool, l->files.n, l->files.n > 256 ? 16 : 1, want_locals, &n);
  for (u32 i = 0; l->opt->warn_symbol_ordering && i < v->n; i++)
    if (!n.present[i] && *find_slot(&n, v->at[i]) == i + 1)
      diag_report(l->diag, DIAG_WARNING, "symbol-ordering", i, "%s: no such symbol: %s", l->opt->symbol_ordering_file,
                  diag_name(l->diag, v->at[i]));
  for (u32 a = 1; a < l->atoms.n; a++)
    if (n.best[a])
      *vec_push(&placed) = (Placed){n.best[a], a};
  if (placed.n)
    qsort(placed.at, placed.n, sizeof *placed.at, by_entry);
  for (u32 i = 0; i < placed.n; i++)
    *vec_push(out) = placed.at[i].atom;
  vec_free(&placed);
  pages_free(n.best, l->atoms.n * sizeof *n.best);
  free(n.present);
  free(n.slots);
}

void order(Link *l) {
  const Options *o = l->opt;
  AtomList list = {0};
  if (o->symbol_ordering_file)
    order_symbols(l, &list);
  else if (o->call_sort != CALL_SORT_NONE && (o->call_graph_file || l->has_call_graph || o->symbol_order))
    order_calls(l, &list);
  number_atoms(l, &list);
  vec_free(&list);
}
