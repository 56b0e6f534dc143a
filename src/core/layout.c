/* layout.c: from a description to output sections and addresses. layout_assign() sorts atoms into
 * output sections as the description says; layout_addresses() walks the description once a round,
 * until no Synth changes its size.
 * The trap: addresses of atoms are offsets in their output section until the last round is over, then
 * they become absolute in one sweep. */
#include "core/layout.h"

#include <stdlib.h>

#include "core/layout_match.h"
#include "core/link.h"
#include "core/resolve.h"
#include "util/glob.h"
#include "util/hash.h"

enum { MAX_ROUNDS = 32, NO_RULE = UINT32_MAX };

/* What is ordered together: one statement's run of joined patterns. */
typedef struct {
  u32 stmt, pattern;
  u32 osec;
  u32 n, at; /* of Layout.placed */
} Slot;

/* A step of the walk. */
typedef struct {
  u32 stmt; /* UINT32_MAX: an orphan */
  u32 osec; /* 0: the statement makes none */
  u32 weld; /* of an assignment: index in Link.weld_names, UINT32_MAX: nobody asked for it */
} Item;

typedef struct Layout {
  VEC(Slot) slots;
  u32 *first_slot; /* by statement */
  u32 described;   /* osecs before this one are of statements, orphans come behind */
  VEC(Item) items;
  u64 dot;         /* location counter; inside an output section: its address + offset */
  u32 osec;        /* the section that `.` stands in or last stood in */
  u64 data_align, relro_end;
  bool final;      /* errors count */
  u32 overflow;    /* a section whose addresses (or offsets in the file) do not fit into 64 bits, 0: none */
  u32 round;
} Layout;

/* ---- matching ---- */

typedef struct {
  Link *l;
  const LayoutMatcher *m;
} MatchJob;

static bool ask(const MatchJob *j, const File *file, u32 a, LayoutHit *hit) {
  const char *name = j->l->format->atom_name(j->l, (AtomId){a});
  return layout_match(j->m, name, strlen(name), file->path, file->member, j->l->atoms.flags[a], hit);
}

/* --unique=PATTERN: an output section of its own, as if the description did not know it. */
static bool is_unique(const Link *l, u32 a) {
  if (LIKELY(!l->opt->unique.n))
    return false;
  const char *name = l->format->atom_name(l, (AtomId){a});
  for (u32 i = 0; i < l->opt->unique.n; i++)
    if (glob_match(l->opt->unique.at[i], name, strlen(name)))
      return true;
  return false;
}

static void match_atom(const MatchJob *j, const File *file, u32 a) {
  Link *l = j->l;
  u16 fl = l->atoms.flags[a];
  LayoutHit hit;
  l->rules[a] = NO_RULE;
  if (!ask(j, file, a, &hit) || hit.orphan)
    return;
  const LayoutStmt *st = &l->layout->stmts[hit.stmt];
  if (!(fl & ATOM_SYNTH) && is_unique(l, a))
    return;
  if (st->flags & LAYOUT_DISCARD) {
    l->atoms.flags[a] = (u16)((fl & ~ATOM_LIVE) | ATOM_DISCARDED);
    return;
  }
  l->rules[a] = hit.stmt << 16 | hit.pattern;
  l->atoms.flags[a] = (u16)(fl | (st->patterns[hit.pattern].keep ? ATOM_ROOT : 0) |
                            (st->flags & LAYOUT_WRITABLE ? ATOM_WRITE : 0));
}

void layout_match_init(Link *l) {
  l->lay = ARENA_NEW(&l->arena, Layout);
  l->matcher = layout_matcher(&l->arena, l->layout);
}

void layout_match_file(Link *l, FileId f) {
  const MatchJob j = {l, l->matcher};
  const File *file = file_at(l, f);
  for (u32 a = file->atom_base; a < file->atom_base + file->natoms; a++)
    if (l->atoms.flags[a] & ATOM_LIVE && !(l->atoms.flags[a] & ATOM_EHFRAME))
      match_atom(&j, file, a);
}

/* ---- output sections ---- */

static u32 new_osec(Link *l, const char *name, u32 stmt) {
  if (!l->osecs.n)
    *vec_push(&l->osecs) = (Osec){0};
  *vec_push(&l->osecs) = (Osec){.name = name, .stmt = stmt};
  return l->osecs.n - 1;
}

static u32 find_osec(const Link *l, const char *name) {
  for (u32 i = 1; i < l->osecs.n; i++)
    if (streq(l->osecs.at[i].name, name))
      return i;
  return 0;
}

static void make_slots(Link *l, Layout *y) {
  const LayoutDesc *d = l->layout;
  y->first_slot = ARENA_ARRAY(&l->arena, u32, d->nstmts + 1);
  for (u32 s = 0; s < d->nstmts; s++) {
    const LayoutStmt *st = &d->stmts[s];
    y->first_slot[s] = y->slots.n;
    if (st->kind != LAYOUT_OUTPUT || st->flags & LAYOUT_DISCARD)
      continue;
    u32 osec = find_osec(l, st->name);
    if (!osec)
      osec = new_osec(l, st->name, s);
    for (u32 p = 0; p < st->npatterns; p++)
      if (!p || !st->patterns[p].joined)
        *vec_push(&y->slots) = (Slot){.stmt = s, .pattern = p, .osec = osec};
  }
  y->first_slot[d->nstmts] = y->slots.n;
  y->described = l->osecs.n;
}

static u32 slot_of(const Layout *y, u32 rule) {
  u32 s = y->first_slot[rule >> 16], end = y->first_slot[(rule >> 16) + 1];
  while (s + 1 < end && y->slots.at[s + 1].pattern <= (rule & 0xffff))
    s++;
  return s;
}

static bool placeable(const Link *l, u32 a) {
  u16 f = l->atoms.flags[a];
  if (!(f & ATOM_LIVE) || f & (ATOM_MERGE | ATOM_EHFRAME))
    return false;
  if (f & ATOM_SYNTH) {
    const Synth *s = &l->synths.at[l->atoms.at[a].aux];
    return s->size || s->keep_empty || s->resize;
  }
  return true;
}

/* Orphans keep their input section's name; a small table, since there are few of those names. */
typedef struct {
  const char *name;
  u32 osec;
} OrphanName;

static u32 orphan_osec(Link *l, OrphanName **tab, u32 *n, u32 *mask, const char *name) {
  if (*n * 2 >= *mask) {
    u32 m = *mask ? (*mask + 1) * 2 : 64;
    OrphanName *t = ARENA_ARRAY(&l->arena, OrphanName, m);
    for (u32 i = 0; *mask && i <= *mask; i++)
      if ((*tab)[i].name) {
        u32 k = (u32)hash_bytes((*tab)[i].name, strlen((*tab)[i].name)) & (m - 1);
        while (t[k].name)
          k = (k + 1) & (m - 1);
        t[k] = (*tab)[i];
      }
    *tab = t;
    *mask = m - 1;
  }
  u32 k = (u32)hash_bytes(name, strlen(name)) & *mask;
  for (; (*tab)[k].name; k = (k + 1) & *mask)
    if (streq((*tab)[k].name, name))
      return (*tab)[k].osec;
  u32 o = 1;
  while (o < l->lay->described && !streq(l->osecs.at[o].name, name))
    o++;
  if (o >= l->lay->described)
    o = new_osec(l, name, UINT32_MAX);
  (*tab)[k] = (OrphanName){name, o};
  ++*n;
  return o;
}

/* ---- sorting inside a slot ---- */

typedef struct {
  u32 atom, pos;
  u64 num;
  const char *name, *file;
} SortItem;

typedef struct {
  SortKind kind, kind2;
  bool files, reverse;
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
  if (!r)
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

static void shuffle_sections(Link *l, const Layout *y) {
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
}

static SortHow slot_sort(const Link *l, const Slot *s) {
  const LayoutPattern *p = &l->layout->stmts[s->stmt].patterns[s->pattern];
  SortHow h = {p->sort, p->sort2, p->sort_files, p->reverse};
  if (l->opt->sort_section != SORT_SECTION_NONE && !p->no_sort && p->section && strpbrk(p->section, "*?[")) {
    SortKind k = l->opt->sort_section == SORT_SECTION_NAME ? SORT_NAME : SORT_ALIGN;
    if (h.kind == SORT_NONE)
      h.kind = k;
    else if (h.kind != k && h.kind2 == SORT_NONE)
      h.kind2 = k;
  }
  return h;
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

/* ---- where orphans go ---- */

/* The usual order of kinds of sections; an orphan follows the last section of its kind. */
static u32 kind_of(const Osec *o) {
  if (!(o->aflags & ATOM_ALLOC))
    return 9;
  if (o->aflags & ATOM_LARGE)
    return 8;
  if (o->aflags & ATOM_TLS)
    return o->aflags & ATOM_ZEROFILL ? 4 : 3;
  if (o->aflags & ATOM_WRITE)
    return o->aflags & ATOM_ZEROFILL ? 7 : 6;
  return o->aflags & ATOM_EXEC ? 1 : 2;
}

/* What placing an orphan must know about the items before it: there may be very many orphans. All are
 * positions in Layout.items. */
enum { KINDS = 10, NOWHERE = UINT32_MAX };
typedef struct {
  u32 first[KINDS], last[KINDS]; /* sections of a kind */
  u32 *stmt;   /* by statement: its item */
  u32 *behind; /* by statement: at or before the end of the orphans that follow it */
} Places;

static void note_place(Places *p, const Osec *o, u32 at) {
  u32 k = kind_of(o);
  p->first[k] = p->first[k] == NOWHERE ? at : MIN(p->first[k], at);
  p->last[k] = p->last[k] == NOWHERE ? at : MAX(p->last[k], at);
}

static void make_places(Link *l, const Layout *y, Places *p) {
  u32 n = l->layout->nstmts;
  p->stmt = ARENA_ARRAY(&l->arena, u32, n);
  p->behind = ARENA_ARRAY(&l->arena, u32, n);
  memset(p->first, 0xff, sizeof p->first);
  memset(p->last, 0xff, sizeof p->last);
  if (n)
    memset(p->stmt, 0xff, n * sizeof *p->stmt);
  for (u32 i = 0; i < y->items.n; i++) {
    const Item *it = &y->items.at[i];
    p->stmt[it->stmt] = i;
    p->behind[it->stmt] = i + 1;
    if (it->osec && l->osecs.at[it->osec].natoms)
      note_place(p, &l->osecs.at[it->osec], i);
  }
}

/* The description may say where orphans of some kind go: behind that statement and its earlier orphans. */
static u32 described_place(const Link *l, const Layout *y, Places *p, const MatchJob *j, const Osec *o) {
  LayoutHit hit;
  if (!o->natoms || !ask(j, atom_file(l, o->atoms[0]), o->atoms[0].i, &hit) || !hit.orphan ||
      p->stmt[hit.stmt] == NOWHERE)
    return NOWHERE;
  u32 *at = &p->behind[hit.stmt];
  while (*at < y->items.n && y->items.at[*at].stmt == UINT32_MAX)
    ++*at;
  return *at;
}

/* Read-only sections stand on both sides of the code; an orphan goes behind those that follow it. */
static u32 orphan_place(const Places *p, const Osec *o) {
  u32 kind = kind_of(o), before = NOWHERE, after_any = 0;
  /* stay in front of assignments such as `edata = .` only when they belong to the next section */
  if (p->last[kind] != NOWHERE)
    return p->last[kind] + 1;
  for (u32 k = 0; k < KINDS; k++) {
    if (k > kind && kind != 2) /* none of its kind: before the first of a later kind */
      before = MIN(before, p->first[k]);
    if (p->last[k] != NOWHERE && (k != 9 || kind == 9))
      after_any = MAX(after_any, p->last[k] + 1);
  }
  return before != NOWHERE ? before : after_any;
}

static void insert_orphan(Link *l, Layout *y, Places *p, u32 at, u32 osec) {
  vec_reserve(&y->items, y->items.n + 1);
  memmove(&y->items.at[at + 1], &y->items.at[at], (y->items.n - at) * sizeof *y->items.at);
  y->items.at[at] = (Item){UINT32_MAX, osec, UINT32_MAX};
  y->items.n++;
  for (u32 k = 0; k < KINDS; k++) {
    p->first[k] += p->first[k] != NOWHERE && p->first[k] >= at;
    p->last[k] += p->last[k] != NOWHERE && p->last[k] >= at;
  }
  for (u32 s = 0; s < l->layout->nstmts; s++)
    if (p->stmt[s] != NOWHERE) {
      p->stmt[s] += p->stmt[s] >= at;
      p->behind[s] += p->behind[s] > at;
    }
  note_place(p, &l->osecs.at[osec], at);
}

static u32 weld_of_stmt(const Link *l, const LayoutStmt *st) {
  for (u32 i = 0; i < l->weld_names.n; i++)
    if (l->weld_names.at[i].stmt == st)
      return i;
  return UINT32_MAX;
}

static void fold_attributes(Link *l, Osec *o) {
  bool zero = true;
  o->aflags = 0;
  o->p2align = 0;
  for (u32 i = 0; i < o->natoms; i++) {
    u32 a = o->atoms[i].i;
    u16 f = l->atoms.flags[a];
    o->aflags |= f & (ATOM_ALLOC | ATOM_WRITE | ATOM_EXEC | ATOM_TLS | ATOM_LARGE | ATOM_LINKORDER | ATOM_SYNTH);
    l->atoms.addr[a] = i; /* its place, until it has an offset */
    zero &= (f & ATOM_ZEROFILL) != 0;
    o->p2align = MAX(o->p2align, l->atoms.at[a].p2align);
    l->atoms.at[a].osec = (u32)(o - l->osecs.at);
  }
  if (zero && o->natoms)
    o->aflags |= ATOM_ZEROFILL;
}

typedef struct {
  u32 atom;
  u32 where; /* slot, or output section of an orphan */
  bool orphan;
} Destination;

void layout_assign(Link *l) {
  Layout *y = l->lay;
  MatchJob j = {l, l->matcher};
  if (!l->osecs.n)
    *vec_push(&l->osecs) = (Osec){0};
  make_slots(l, y);
  for (u32 i = 1; i < l->synths.n; i++)
    if (l->synths.at[i].name) {
      l->atoms.at[l->synths.at[i].atom.i].p2align = l->synths.at[i].p2align;
      match_atom(&j, &l->files.at[0], l->synths.at[i].atom.i);
    }

  /* count, then fill: slots first, then orphans by section */
  OrphanName *tab = NULL;
  u32 ntab = 0, mask = 0;
  VEC(Destination) to = {0}; /* in input order */
  for (u32 a = 1; a < l->atoms.n; a++) {
    if (!placeable(l, a))
      continue;
    u32 rule = l->rules[a];
    if (rule != NO_RULE) {
      u32 s = slot_of(y, rule);
      *vec_push(&to) = (Destination){a, s, false};
      y->slots.at[s].n++;
      l->osecs.at[y->slots.at[s].osec].natoms++;
    } else {
      const char *name = l->format->atom_name(l, (AtomId){a});
      bool own = l->opt->unique_orphans || is_unique(l, a);
      u32 o = own ? new_osec(l, name, UINT32_MAX) : orphan_osec(l, &tab, &ntab, &mask, name);
      *vec_push(&to) = (Destination){a, o, true};
      l->osecs.at[o].natoms++;
    }
  }
  u32 *fill = heap_alloc(l->osecs.n * sizeof *fill);
  for (u32 o = 1; o < l->osecs.n; o++)
    l->osecs.at[o].atoms = ARENA_ARRAY(&l->arena, AtomId, l->osecs.at[o].natoms);
  for (u32 s = 0; s < y->slots.n; s++) {
    Slot *sl = &y->slots.at[s];
    sl->at = fill[sl->osec];
    fill[sl->osec] += sl->n;
    sl->n = 0;
  }
  for (u32 i = 0; i < to.n; i++) {
    if (to.at[i].orphan) {
      l->osecs.at[to.at[i].where].atoms[fill[to.at[i].where]++].i = to.at[i].atom;
    } else {
      Slot *sl = &y->slots.at[to.at[i].where];
      l->osecs.at[sl->osec].atoms[sl->at + sl->n++].i = to.at[i].atom;
    }
  }
  vec_free(&to);
  free(fill);
  shuffle_sections(l, y);
  for (u32 s = 0; s < y->slots.n; s++) {
    Slot *sl = &y->slots.at[s];
    SortHow how = slot_sort(l, sl);
    if (sl->n > 1 && (how.kind != SORT_NONE || how.files || how.reverse))
      sort_atoms(l, l->osecs.at[sl->osec].atoms + sl->at, sl->n, how);
  }
  for (u32 o = 1; o < l->osecs.n; o++)
    fold_attributes(l, &l->osecs.at[o]);
  for (u32 o = 1; o < l->osecs.n; o++)
    if (l->osecs.at[o].aflags & ATOM_LINKORDER)
      sort_link_order(l, &l->osecs.at[o]);

  /* the walk: statements in order, orphans behind their kind */
  u32 relro_stmt = UINT32_MAX;
  u32 want = l->opt->z_now ? LAYOUT_RELRO_END_NOW : LAYOUT_RELRO_END;
  for (u32 s = 0; s < l->layout->nstmts; s++)
    if (l->layout->stmts[s].flags & want)
      relro_stmt = s;
  if (relro_stmt == UINT32_MAX)
    for (u32 s = 0; s < l->layout->nstmts; s++)
      if (l->layout->stmts[s].flags & (LAYOUT_RELRO_END | LAYOUT_RELRO_END_NOW))
        relro_stmt = s;
  for (u32 s = 0; s < l->layout->nstmts; s++) {
    const LayoutStmt *st = &l->layout->stmts[s];
    Item it = {s, 0, UINT32_MAX};
    if (st->kind == LAYOUT_OUTPUT && !(st->flags & LAYOUT_DISCARD)) {
      u32 o = find_osec(l, st->name);
      if (!o || l->osecs.at[o].stmt != s)
        continue;
      it.osec = o;
      l->osecs.at[o].relro = l->opt->z_relro && relro_stmt != UINT32_MAX && s < relro_stmt &&
                             l->osecs.at[o].aflags & ATOM_WRITE;
    } else if (st->kind == LAYOUT_ASSIGN && !streq(st->name, ".")) {
      it.weld = weld_of_stmt(l, st);
    }
    *vec_push(&y->items) = it;
  }
  Places places;
  make_places(l, y, &places);
  for (u32 o = 1; o < l->osecs.n; o++)
    if (l->osecs.at[o].stmt == UINT32_MAX) {
      u32 at = described_place(l, y, &places, &j, &l->osecs.at[o]);
      insert_orphan(l, y, &places, at != NOWHERE ? at : orphan_place(&places, &l->osecs.at[o]), o);
    }
  /* A thread's first image is read-only like the sections that it stands among: PT_TLS is one piece. */
  for (u32 i = 0, s = 0; l->opt->z_relro && relro_stmt != UINT32_MAX && i < y->items.n; i++)
    if (y->items.at[i].stmt != UINT32_MAX)
      s = y->items.at[i].stmt;
    else if (l->osecs.at[y->items.at[i].osec].aflags & ATOM_TLS)
      l->osecs.at[y->items.at[i].osec].relro = s < relro_stmt;

  l->order = ARENA_ARRAY(&l->arena, u32, l->osecs.n);
  for (u32 i = 0; i < y->items.n; i++) /* the walk leaves out those that stay empty */
    if (y->items.at[i].osec)
      l->order[l->norder++] = y->items.at[i].osec;
}

/* ---- expressions ---- */

typedef struct {
  Link *l;
  Layout *y;
} Env;

static bool env_dot(void *ctx, ExprValue *out) {
  const Env *e = ctx;
  *out = (ExprValue){e->y->dot, e->y->osec};
  return true;
}

static bool env_defined(void *ctx, const char *name) {
  const Env *e = ctx;
  SymId s = sym_find(e->l, name, strlen(name));
  return s.i != UINT32_MAX && !(e->l->syms.flags[s.i] & SF_UNDEFINED);
}

static bool env_symbol(void *ctx, const char *name, ExprValue *out) {
  const Env *e = ctx;
  const Link *l = e->l;
  SymId s = sym_find(l, name, strlen(name));
  *out = (ExprValue){0, 0};
  if (s.i == UINT32_MAX || l->syms.flags[s.i] & SF_UNDEFINED) {
    if (e->y->final)
      diag_error(l->diag, "undefined-symbol", "symbol '%s' in an expression is not defined", name);
    return !e->y->final;
  }
  u32 a = l->syms.atom[s.i];
  out->v = l->syms.value[s.i];
  if (a && !l->addressed) {
    out->osec = l->atoms.at[a].osec;
    out->v += l->atoms.addr[a] + l->osecs.at[out->osec].addr;
  } else if (!(l->syms.flags[s.i] & SF_ABSOLUTE)) {
    u32 osec = l->syms.flags[s.i] & SF_SYNTHETIC && !a ? l->weld_names.at[key_index(l->syms.key[s.i])].osec
                                                       : l->atoms.at[a].osec;
    out->osec = osec ? osec : e->y->osec;
  }
  return true;
}

static bool env_section(void *ctx, ExprOp what, const char *name, u64 *out) {
  const Env *e = ctx;
  u32 o = find_osec(e->l, name);
  *out = 0;
  if (!o)
    return true; /* GNU ld: SIZEOF of a section that does not exist is 0 */
  const Osec *s = &e->l->osecs.at[o];
  *out = what == EX_ADDR ? s->addr : what == EX_LOADADDR ? s->lma : what == EX_SIZEOF ? s->size : 1ull << s->p2align;
  return true;
}

static u64 max_page(const Link *l) { return l->opt->z_max_page_size ? l->opt->z_max_page_size : l->arch->max_page_size; }
static u64 common_page(const Link *l) {
  u64 p = l->opt->z_common_page_size ? l->opt->z_common_page_size : l->arch->common_page_size;
  return MIN(p, max_page(l));
}

static bool env_constant(void *ctx, const char *name, u64 *out) {
  const Env *e = ctx;
  if (streq(name, "MAXPAGESIZE"))
    *out = max_page(e->l);
  else if (streq(name, "COMMONPAGESIZE"))
    *out = common_page(e->l);
  else
    return false;
  return true;
}

static bool env_segment(void *ctx, const Expr *x, ExprValue *out);
static void env_error(void *ctx, const Expr *at, const char *text) {
  const Env *e = ctx;
  if (e->y->final)
    diag_error(e->l->diag, "script", "line %u: %s", at ? at->line : 0, text);
}

static bool eval(Env *e, const Expr *x, ExprValue *out) {
  const ExprEnv env = {.ctx = e, .dot = env_dot, .symbol = env_symbol, .defined = env_defined, .section = env_section,
                       .constant = env_constant, .segment = env_segment, .error = env_error};
  return expr_eval(x, &env, out);
}

static bool env_segment(void *ctx, const Expr *x, ExprValue *out) {
  Env *e = ctx;
  const Options *o = e->l->opt;
  ExprValue a = {0}, b = {0};
  *out = (ExprValue){0};
  switch (x->op) {
  case EX_SIZEOF_HEADERS:
    out->v = e->l->header_size;
    return true;
  case EX_SEGMENT_START:
    if (!eval(e, x->a, &a))
      return false;
    out->v = streq(x->name, "text-segment") && o->has_image_base ? o->image_base : a.v;
    return true;
  case EX_DATA_SEGMENT_ALIGN:
    if (!eval(e, x->a, &a) || !eval(e, x->b, &b))
      return false;
    a.v = is_pow2(a.v) ? a.v : 1;
    out->v = align_up(e->y->dot, a.v) + (e->y->dot & (a.v - 1));
    return true;
  case EX_DATA_SEGMENT_RELRO_END:
    if (!eval(e, x->b ? x->b : x->a, &a))
      return false;
    out->v = align_up(a.v, common_page(e->l));
    e->y->relro_end = out->v;
    return true;
  case EX_DATA_SEGMENT_END:
    return eval(e, x->a, out);
  default:
    return false;
  }
}

/* ---- addresses ---- */

static void assign_symbol(Link *l, Layout *y, u32 weld, ExprValue v) {
  WeldName *w = &l->weld_names.at[weld];
  if (!w->used)
    return;
  l->syms.value[w->sym] = v.v;
  if (v.osec && y->final)
    w->osec = v.osec;
}

static void run_assignment(Env *e, const LayoutStmt *st, u32 weld) {
  ExprValue v;
  if (!eval(e, st->expr, &v))
    return;
  if (streq(st->name, "."))
    e->y->dot = v.v;
  else if (weld != UINT32_MAX)
    assign_symbol(e->l, e->y, weld, v);
}

/* Sizes and alignments are the input's: together they may be more than there is. */
static u64 align_checked(Layout *y, u32 osec, u64 v, u64 align) {
  u64 r = align_up(v, align);
  if (UNLIKELY(r < v))
    y->overflow = osec;
  return r;
}

static u64 add_checked(Layout *y, u32 osec, u64 v, u64 size) {
  u64 r;
  if (UNLIKELY(__builtin_add_overflow(v, size, &r)))
    y->overflow = osec;
  return r;
}

/* Offsets of the atoms of a section, in order. Bodies (assignments between patterns) only in scripts. */
static void place_atoms(Env *e, Osec *o) {
  Link *l = e->l;
  u64 off = 0;
  u32 osec = (u32)(o - l->osecs.at);
  const LayoutStmt *st = o->stmt == UINT32_MAX ? NULL : &l->layout->stmts[o->stmt];
  const LayoutStmt *body = st ? st->body : NULL;
  if (o->placed_once && (!body || body->kind == LAYOUT_ORPHANS)) /* nothing in it can have changed */
    return;
  const Slot *slots = e->y->slots.at;
  u32 s = st ? e->y->first_slot[o->stmt] : 0, send = st ? e->y->first_slot[o->stmt + 1] : 0;
  for (u32 i = 0;; i++) {
    /* `before` counts patterns: run what stands before the slot that atom i begins */
    while (body && body->kind != LAYOUT_ORPHANS) {
      u32 slot = s;
      while (slot < send && slots[slot].pattern < body->before)
        slot++;
      u32 first = slot < send ? slots[slot].at : o->natoms;
      if (first > i && i < o->natoms)
        break;
      if (body->kind == LAYOUT_ASSIGN && !(body->flags & LAYOUT_NOT_PIC && l->is_pic)) {
        e->y->dot = o->addr + off;
        e->y->osec = osec;
        run_assignment(e, body, weld_of_stmt(l, body));
        if (streq(body->name, "."))
          off = e->y->dot - o->addr;
      }
      body++;
    }
    if (i >= o->natoms)
      break;
    u32 a = o->atoms[i].i;
    const Atom *at = &l->atoms.at[a];
    u64 size = l->atoms.flags[a] & ATOM_SYNTH ? l->synths.at[at->aux].size : at->size;
    off = align_checked(e->y, osec, off, 1ull << at->p2align);
    l->atoms.addr[a] = off;
    off = add_checked(e->y, osec, off, size);
  }
  o->size = off;
  o->placed_once = !(o->aflags & ATOM_SYNTH);
}

static bool fixed_address(const Link *l, const Osec *o, u64 *addr) {
  const Options *p = l->opt;
  for (u32 i = 0; i < p->section_starts.n; i++)
    if (streq(p->section_starts.at[i].section, o->name)) {
      *addr = p->section_starts.at[i].addr;
      return true;
    }
  if (p->has_ttext && streq(o->name, ".text"))
    return *addr = p->ttext, true;
  if (p->has_tdata && streq(o->name, ".data"))
    return *addr = p->tdata, true;
  if (p->has_tbss && streq(o->name, ".bss"))
    return *addr = p->tbss, true;
  return false;
}

/* --section-align; it shows in the section's header. */
static u64 asked_alignment(const Link *l, Osec *o) {
  u64 align = 1;
  for (u32 i = 0; i < l->opt->section_aligns.n; i++)
    if (streq(l->opt->section_aligns.at[i].section, o->name))
      align = l->opt->section_aligns.at[i].addr;
  o->p2align = MAX(o->p2align, log2_u64(align));
  return align;
}

static u32 permissions(const Link *l, const Osec *o) {
  u32 p = o->aflags & (ATOM_WRITE | ATOM_EXEC | ATOM_LARGE);
  if (l->opt->omagic)
    return 0;
  if (!l->opt->rosegment && !(p & ATOM_WRITE))
    p &= ~(u32)ATOM_EXEC; /* --no-rosegment: read-only data in the code's segment */
  return p | (o->relro ? 1u << 31 : 0);
}

/* Runs the walk once: addresses, file offsets, symbols of assignments. */
static void walk(Link *l, Layout *y) {
  Env e = {l, y};
  u64 page = max_page(l), off = l->header_size, tls_end = 0;
  u32 perm = 0; /* the headers are read-only data */
  bool in_tls = false, was_exec = false;
  bool separate = l->opt->z_separate_code != OPT_NO && !l->opt->omagic && !l->opt->nmagic;
  u64 base = l->opt->has_image_base ? l->opt->image_base : l->is_pic ? 0 : l->arch->image_base;
  y->dot = l->scripted ? 0 : base + l->header_size;
  y->osec = 0;
  l->tls_begin = l->tls_end = 0;
  l->tls_align = 1;
  l->norder = 0;
  u64 tls_align = 1;
  for (u32 i = 1; i < l->osecs.n; i++)
    if (l->osecs.at[i].aflags & ATOM_TLS)
      tls_align = MAX(tls_align, 1ull << l->osecs.at[i].p2align);
  for (u32 i = 0; i < y->items.n; i++) {
    const Item *it = &y->items.at[i];
    const LayoutStmt *st = it->stmt == UINT32_MAX ? NULL : &l->layout->stmts[it->stmt];
    if (!it->osec) {
      if (st->flags & LAYOUT_NOT_PIC && l->is_pic)
        continue;
      if (st->kind == LAYOUT_ASSIGN)
        run_assignment(&e, st, it->weld);
      else if (st->kind == LAYOUT_ASSERT && y->final) {
        ExprValue v;
        eval(&e, st->expr, &v);
      }
      continue;
    }
    Osec *o = &l->osecs.at[it->osec];
    bool has_body = st && st->body && st->body->kind != LAYOUT_ORPHANS, has_dot = false;
    for (const LayoutStmt *b = has_body ? st->body : NULL; b && b->kind != LAYOUT_ORPHANS; b++)
      has_dot |= b->kind != LAYOUT_ASSIGN || streq(b->name, ".") || !(b->flags & LAYOUT_PROVIDE);
    if (!has_dot) { /* its size, before it is known whether it is there at all */
      u64 dot = o->addr = y->dot;
      place_atoms(&e, o);
      y->dot = dot;
    }
    o->placed = o->size || has_dot;
    if (!o->placed && !(o->natoms && o->stmt != UINT32_MAX && st->flags & LAYOUT_KEEP_EMPTY)) {
      bool keep = false;
      for (u32 k = 0; k < o->natoms && !keep; k++)
        keep = l->atoms.flags[o->atoms[k].i] & ATOM_SYNTH && l->synths.at[l->atoms.at[o->atoms[k].i].aux].keep_empty;
      if (!keep) {
        o->addr = y->dot; /* symbols of empty sections have a place all the same */
        continue;
      }
    }
    o->placed = true;
    l->order[l->norder++] = it->osec;
    if (!(o->aflags & ATOM_ALLOC) && !(has_dot && !o->natoms)) {
      o->addr = o->lma = 0;
      continue; /* file offsets of these come after all allocated ones */
    }
    o->aflags |= ATOM_ALLOC;
    u64 align = 1ull << o->p2align, fixed;
    ExprValue v;
    if (st && st->align && eval(&e, st->align, &v) && is_pow2(v.v)) {
      align = MAX(align, v.v);
      o->p2align = log2_u64(align);
    }
    align = MAX(align, asked_alignment(l, o));
    if (o->aflags & ATOM_TLS && !in_tls) /* the block begins as aligned as its most aligned section */
      align = MAX(align, tls_align);
    bool tbss = (o->aflags & (ATOM_TLS | ATOM_ZEROFILL)) == (ATOM_TLS | ATOM_ZEROFILL);
    u32 p = permissions(l, o);
    if (!l->scripted && p != perm && !tbss) { /* a segment of its own begins */
      bool exec = (p & ATOM_EXEC) != 0;
      if (!l->opt->nmagic && !l->opt->omagic) {
        if (separate && (exec || was_exec || l->opt->z_separate_loadable_segments)) {
          off = align_up(off, page);
          y->dot = align_up(y->dot, page);
        } else {
          y->dot = align_up(y->dot, page) + (off & (page - 1));
        }
      } else if (l->opt->nmagic) {
        y->dot = align_up(y->dot, page);
      }
      was_exec = exec;
      perm = p;
    }
    if (tbss) { /* takes no room in the image: only in the TLS block that follows .tdata */
      u64 at = align_checked(y, it->osec, in_tls ? tls_end : y->dot, align);
      o->addr = at;
      if (has_body)
        place_atoms(&e, o);
      tls_end = at + o->size;
    } else {
      if (fixed_address(l, o, &fixed))
        y->dot = fixed;
      else if (st && st->expr && eval(&e, st->expr, &v))
        y->dot = v.v;
      else
        y->dot = align_checked(y, it->osec, y->dot, align);
      o->addr = y->dot;
      if (has_body)
        place_atoms(&e, o);
    }
    add_checked(y, it->osec, o->addr, o->size);
    o->lma = o->addr;
    if (st && st->lma && eval(&e, st->lma, &v))
      o->lma = v.v;
    y->osec = it->osec;
    if (o->aflags & ATOM_TLS) {
      if (!in_tls)
        l->tls_begin = o->addr;
      in_tls = true;
      l->tls_align = MAX(l->tls_align, align);
      if (!tbss)
        tls_end = o->addr + o->size;
      l->tls_end = tls_end;
    }
    o->filesz = o->aflags & ATOM_ZEROFILL ? 0 : o->size;
    /* congruent modulo the page size, so that the kernel can map it */
    u64 cong = l->opt->nmagic ? MIN(align, page) : page;
    if (o->filesz || !tbss)
      if (o->filesz)
        off += (o->addr - off) & (cong - 1);
    o->off = off;
    off += o->filesz;
    if (!tbss)
      y->dot = o->addr + o->size;
  }
  for (u32 k = 0; k < l->norder; k++) { /* what takes no memory */
    Osec *o = &l->osecs.at[l->order[k]];
    if (o->aflags & ATOM_ALLOC)
      continue;
    o->filesz = o->bytes ? o->filesz : o->aflags & ATOM_ZEROFILL ? 0 : o->size;
    off = align_checked(y, l->order[k], off, 1ull << o->p2align);
    o->off = off;
    off = add_checked(y, l->order[k], off, o->filesz);
  }
  l->file_end = off;
}

static bool resize_synths(Link *l) {
  bool changed = false;
  for (u32 i = 1; i < l->synths.n; i++) {
    Synth *s = &l->synths.at[i];
    if (s->resize && s->resize(l, s))
      changed = true;
  }
  return changed;
}

typedef struct {
  Link *l;
  const Osec *o;
} AddJob;

static void add_base(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  const AddJob *j = ctx;
  for (u32 i = begin; i < end; i++)
    j->l->atoms.addr[j->o->atoms[i].i] += j->o->addr;
}

static void number_sections(Link *l) {
  u32 index = 1;
  for (u32 i = 0; i < l->norder; i++) /* allocated ones first: tools expect headers in file order */
    if (l->osecs.at[l->order[i]].aflags & ATOM_ALLOC)
      l->osecs.at[l->order[i]].index = index++;
  for (u32 i = 0; i < l->norder; i++)
    if (!(l->osecs.at[l->order[i]].aflags & ATOM_ALLOC))
      l->osecs.at[l->order[i]].index = index++;
  u32 *sorted = ARENA_ARRAY(&l->arena, u32, l->norder);
  for (u32 i = 0; i < l->norder; i++)
    sorted[l->osecs.at[l->order[i]].index - 1] = l->order[i];
  l->order = sorted;
}

void layout_addresses(Link *l) {
  Layout *y = l->lay;
  for (u32 o = 1; o < l->osecs.n; o++)
    if (l->osecs.at[o].natoms)
      l->format->output_section(l, &l->osecs.at[o]);
  bool settled = false;
  for (y->round = 0; y->round < MAX_ROUNDS && !settled; y->round++) {
    walk(l, y);
    u64 before = l->header_size;
    l->header_size = l->format->plan_segments(l);
    settled = !resize_synths(l) && l->header_size == before;
  }
  if (!settled)
    diag_error(l->diag, "layout", "layout does not settle after %d rounds", MAX_ROUNDS);
  y->final = true;
  walk(l, y);
  if (y->overflow)
    diag_error(l->diag, "layout", "output section %s does not fit into the 64-bit address space",
               l->osecs.at[y->overflow].name);
  number_sections(l);
  for (u32 i = 1; i < l->osecs.n; i++) { /* symbols of empty sections have an address too */
    AddJob j = {l, &l->osecs.at[i]};
    pool_run(l->pool, j.o->natoms, 16384, add_base, &j);
  }
  l->relro_begin = l->relro_end = 0;
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    bool tbss = (o->aflags & (ATOM_TLS | ATOM_ZEROFILL)) == (ATOM_TLS | ATOM_ZEROFILL);
    if (!o->relro || tbss)
      continue;
    if (!l->relro_end)
      l->relro_begin = o->addr;
    l->relro_end = o->addr + o->size;
  }
  if (l->relro_end)
    l->relro_end = align_up(l->relro_end, common_page(l));
  l->format->finish_segments(l);
}

void layout_free(Link *l) {
  if (!l->lay)
    return;
  vec_free(&l->lay->slots);
  vec_free(&l->lay->items);
}
