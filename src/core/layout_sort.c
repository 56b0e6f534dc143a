/* layout_sort.c: the order of atoms inside an output section where a description, SHF_LINK_ORDER,
 * Link.priority or --shuffle-sections asks for another one than the input's.
 * The trap: places were told already when the order changes (Layout.sizes, atoms.addr), so whoever
 * changes it tells them again. */
#include <stdlib.h>

#include "core/layout_internal.h"
#include "util/hash.h"

/* ---- sorting inside a slot ---- */

typedef struct {
  u32 atom, pos;
  u64 num;
  const char *name, *file;
} SortItem;

typedef struct {
  SortKind kind, kind2;
  bool files, reverse_files, reverse;
} SortHow;

/* GNU ld: .init_array.N sorts by N, .ctors.N by 65535 - N; without a number they come last. */
static u64 init_priority(const char *name) {
  const char *dot = strrchr(name, '.');
  u64 v = 0;
  if (!dot || dot == name || !dot[1])
    return UINT64_MAX;
  for (const char *p = dot + 1; *p; p++) {
    if (*p < '0' || *p > '9')
      return UINT64_MAX;
    v = v * 10 + (u64)(*p - '0');
  }
  bool reversed = starts_with(name, ".ctors") || starts_with(name, ".dtors");
  return reversed ? 65535 - MIN(v, 65535u) : v;
}

static int compare_kind(const SortItem *a, const SortItem *b, SortKind k, const Link *l) {
  switch (k) {
  case SORT_NONE:
    return 0;
  case SORT_NAME:
    return strcmp(a->name, b->name);
  case SORT_ALIGN: {
    u8 x = l->atoms.at[a->atom].p2align, y = l->atoms.at[b->atom].p2align;
    return x > y ? -1 : x < y; /* largest first */
  }
  case SORT_PRIORITY: {
    u64 x = init_priority(a->name), y = init_priority(b->name);
    return x < y ? -1 : x > y ? 1 : 0;
  }
  }
  return 0;
}

typedef struct {
  const Link *l;
  SortHow how;
} SortCtx;

static int compare_items(const void *pa, const void *pb, void *ctx) {
  const SortItem *a = pa, *b = pb;
  const SortCtx *c = ctx;
  int r = c->how.files ? strcmp(a->file, b->file) : 0;
  if (r)
    return c->how.reverse_files ? -r : r;
  r = compare_kind(a, b, c->how.kind, c->l);
  if (!r)
    r = compare_kind(a, b, c->how.kind2, c->l);
  if (c->how.reverse)
    r = -r;
  return r ? r : a->pos < b->pos ? -1 : a->pos > b->pos;
}

static void sort_atoms(Link *l, AtomId *ids, u32 n, SortHow how) {
  SortItem *v = heap_alloc((u64)n * sizeof *v);
  for (u32 i = 0; i < n; i++)
    v[i] = (SortItem){.atom = ids[i].i, .pos = i, .name = l->format->atom_name(l, ids[i]),
                      .file = atom_file(l, ids[i])->path ? atom_file(l, ids[i])->path : ""};
  SortCtx c = {l, how};
  qsort_r(v, n, sizeof *v, compare_items, &c);
  for (u32 i = 0; i < n; i++)
    ids[i].i = v[i].atom;
  free(v);
}

/* --shuffle-sections and --reverse-sections: another order than the command line's, for those who look
 * for code that depends on it. What a layout orders, stays ordered: it is sorted afterwards. */
static void shuffle_atoms(const Link *l, AtomId *ids, u32 n) {
  u64 state = l->opt->shuffle_seed;
  for (u32 i = n; i > 1; i--) {
    u32 k = i - 1;
    if (l->opt->shuffle == SHUFFLE_RANDOM) {
      state = hash_bytes(&state, sizeof state);
      k = (u32)(state % i);
    } else if (k < n - i) {
      return;
    } else {
      k = n - i;
    }
    AtomId t = ids[k];
    ids[k] = ids[i - 1];
    ids[i - 1] = t;
  }
}

void layout_shuffle(Link *l) {
  const Layout *y = l->lay;
  if (l->opt->shuffle == SHUFFLE_NONE)
    return;
  for (u32 s = 0; s < y->slots.n; s++) {
    const Slot *sl = &y->slots.at[s];
    if (!l->layout->stmts[sl->stmt].patterns[sl->pattern].no_sort) /* .init is one function in pieces */
      shuffle_atoms(l, l->osecs.at[sl->osec].atoms + sl->at, sl->n);
  }
  for (u32 o = 1; o < l->osecs.n; o++)
    if (l->osecs.at[o].stmt == UINT32_MAX)
      shuffle_atoms(l, l->osecs.at[o].atoms, l->osecs.at[o].natoms);
  for (u32 o = 1; o < l->osecs.n; o++)
    layout_tell_places(l, &l->osecs.at[o], 0, l->osecs.at[o].natoms);
}

static SortHow slot_sort(const Link *l, const Slot *s) {
  const LayoutPattern *p = &l->layout->stmts[s->stmt].patterns[s->pattern];
  SortHow h = {p->sort, p->sort2, p->sort_files, p->reverse_files, p->reverse};
  if (l->opt->sort_section != SORT_SECTION_NONE && !p->no_sort && p->section && strpbrk(p->section, "*?[")) {
    SortKind k = l->opt->sort_section == SORT_SECTION_NAME ? SORT_NAME : SORT_ALIGN;
    if (h.kind == SORT_NONE)
      h.kind = k;
    else if (h.kind != k && h.kind2 == SORT_NONE)
      h.kind2 = k;
  }
  return h;
}

void layout_sort_slots(Link *l) {
  const Layout *y = l->lay;
  for (u32 s = 0; s < y->slots.n; s++) {
    const Slot *sl = &y->slots.at[s];
    const Osec *o = &l->osecs.at[sl->osec];
    SortHow how = slot_sort(l, sl);
    if (sl->n > 1 && (how.kind != SORT_NONE || how.files || how.reverse)) {
      sort_atoms(l, o->atoms + sl->at, sl->n, how);
      layout_tell_places(l, o, sl->at, sl->n);
    }
  }
}

/* ---- Link.priority ---- */

/* Static descriptions say nothing by the order of their patterns. */
static bool orders_outputs(const Link *l) { return !l->scripted || l->layout->orders_outputs; }

/* What is one piece, or is run in the order that the layout gives it, stays. The default layout KEEPs nothing else. */
static bool may_move(const Link *l, u32 a) {
  u32 rule = l->rules[a];
  if (!l->priority[a])
    return false;
  if (rule == NO_RULE)
    return true;
  const LayoutPattern *p = &l->layout->stmts[rule >> 16].patterns[rule & 0xffff];
  return !p->no_sort && p->sort != SORT_PRIORITY && (!orders_outputs(l) || !p->keep);
}

static int compare_priority(const void *pa, const void *pb, void *ctx) {
  const Link *l = ctx;
  u32 a = ((const AtomId *)pa)->i, b = ((const AtomId *)pb)->i, x = l->priority[a], y = l->priority[b];
  return x != y ? (x < y ? -1 : 1) : a < b ? -1 : a > b;
}

/* Among n atoms of a section, from place `at` on: those with a priority first, the others in the order that they had. */
static void sort_priority(Link *l, const Osec *o, u32 at, u32 n) {
  AtomId *ids = o->atoms + at;
  u32 first = 0;
  while (first < n && !may_move(l, ids[first].i))
    first++;
  if (first == n)
    return;
  AtomId *old = heap_alloc(n * sizeof *old);
  u32 ordered = 0, others = 0;
  memcpy(old, ids, n * sizeof *old);
  for (u32 i = 0; i < n; i++)
    if (may_move(l, old[i].i))
      ids[ordered++] = old[i];
  qsort_r(ids, ordered, sizeof *ids, compare_priority, l);
  for (u32 i = 0; i < n; i++)
    if (!may_move(l, old[i].i))
      ids[ordered + others++] = old[i];
  free(old);
  layout_tell_places(l, o, at, n);
}

/* A script's patterns, and symbols between patterns, say where things stand: inside those. Elsewhere the front of
 * the output section is meant, before .text.unlikely and its like, as lld has it. */
void layout_sort_priority(Link *l) {
  const Layout *y = l->lay;
  if (!l->priority)
    return;
  for (u32 o = 1; o < l->osecs.n; o++) {
    const Osec *os = &l->osecs.at[o];
    const LayoutStmt *st = os->stmt == UINT32_MAX ? NULL : &l->layout->stmts[os->stmt];
    if (!st || (orders_outputs(l) && (!st->body || st->body->kind == LAYOUT_ORPHANS)))
      sort_priority(l, os, 0, os->natoms);
  }
  for (u32 s = 0; s < y->slots.n; s++) {
    const Slot *sl = &y->slots.at[s];
    const LayoutStmt *body = l->layout->stmts[sl->stmt].body;
    if (!orders_outputs(l) || (body && body->kind != LAYOUT_ORPHANS))
      sort_priority(l, &l->osecs.at[sl->osec], sl->at, sl->n);
  }
}

/* SHF_LINK_ORDER: atoms stand in the order of the atoms they follow. */
static int compare_link_order(const void *pa, const void *pb, void *ctx) {
  const Link *l = ctx;
  const Atom *a = &l->atoms.at[((const AtomId *)pa)->i], *b = &l->atoms.at[((const AtomId *)pb)->i];
  u32 oa = l->atoms.at[a->link].osec, ob = l->atoms.at[b->link].osec;
  if (oa != ob)
    return oa < ob ? -1 : 1;
  u64 x = l->atoms.addr[a->link], y = l->atoms.addr[b->link];
  if (x != y)
    return x < y ? -1 : 1;
  return ((const AtomId *)pa)->i < ((const AtomId *)pb)->i ? -1 : 1;
}

/* They take the places that they had together, so that what else is in the section stays where it is. */
static void sort_link_order(Link *l, Osec *o) {
  VEC(AtomId) v = {0};
  for (u32 i = 0; i < o->natoms; i++)
    if (l->atoms.flags[o->atoms[i].i] & ATOM_LINKORDER)
      *vec_push(&v) = o->atoms[i];
  qsort_r(v.at, v.n, sizeof *v.at, compare_link_order, l);
  for (u32 i = 0, k = 0; i < o->natoms; i++)
    if (l->atoms.flags[o->atoms[i].i] & ATOM_LINKORDER)
      o->atoms[i] = v.at[k++];
  vec_free(&v);
}

void layout_sort_link_order(Link *l) {
  for (u32 o = 1; o < l->osecs.n; o++)
    if (l->osecs.at[o].aflags & ATOM_LINKORDER)
      sort_link_order(l, &l->osecs.at[o]);
  for (u32 o = 1; o < l->osecs.n; o++) /* all are sorted by the places that were */
    if (l->osecs.at[o].aflags & ATOM_LINKORDER)
      layout_tell_places(l, &l->osecs.at[o], 0, l->osecs.at[o].natoms);
}

/* ---- sorting inside an atom ---- */

/* Who runs .ctors begins with the last entry, who runs .init_array with the first; .fini_array is run from
 * its end, .dtors from its beginning. So what moves from one table to the other is turned round (GNU ld). */
static void reverse_in(Link *l, const Osec *o, const char *array, const char *old) {
  for (u32 i = 0; i < o->natoms; i++) {
    u32 a = o->atoms[i].i, rule = l->rules[a];
    if (rule == NO_RULE || l->atoms.flags[a] & ATOM_SYNTH)
      continue;
    const char *pattern = l->layout->stmts[rule >> 16].patterns[rule & 0xffff].section;
    if (pattern && starts_with(pattern, array))
      continue; /* most: their names need not be looked at */
    if (!starts_with(l->format->atom_name(l, (AtomId){a}), old) || l->atoms.at[a].size <= 8)
      continue;
    if (!l->format->reverse_pointers(l, (AtomId){a}))
      diag_report(l->diag, DIAG_ERROR, "constructors", (u64)l->atoms.at[a].file << 32,
                  "%s: section %s has %llu bytes, which is no multiple of 8: its entries can't be put into %s in reverse order",
                  file_name(l, (FileId){l->atoms.at[a].file}), l->format->atom_name(l, (AtomId){a}),
                  (unsigned long long)l->atoms.at[a].size, o->name);
  }
}

void layout_reverse_ctors(Link *l) {
  for (u32 o = 1; o < l->osecs.n; o++) {
    if (streq(l->osecs.at[o].name, ".init_array"))
      reverse_in(l, &l->osecs.at[o], ".init_array", ".ctors");
    else if (streq(l->osecs.at[o].name, ".fini_array"))
      reverse_in(l, &l->osecs.at[o], ".fini_array", ".dtors");
  }
}
