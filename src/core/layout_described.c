/* layout_described.c: where orphans stand in a description that is no linker script (Mach-O's, Go's): where one of its LAYOUT_ORPHANS
 * statements says, else behind the last section of their kind.
 * The trap: there may be very many orphans, so all that is asked about the items is kept up to date as they are put in. */
#include "core/layout_internal.h"
#include "core/layout_match.h"

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

/* Where among the orphans that follow a statement, items [at, ...): behind all of them; but those of one segment stand
 * together, and its zero fill behind what has bytes. */
static u32 place_among(const Link *l, const Layout *y, u32 at, const Osec *o) {
  u32 best = NOWHERE;
  for (; at < y->items.n && y->items.at[at].stmt == UINT32_MAX; at++) {
    const Osec *other = &l->osecs.at[y->items.at[at].osec];
    if (l->format->segment_of(l, other) == l->format->segment_of(l, o) &&
        (o->aflags & ATOM_ZEROFILL || !(other->aflags & ATOM_ZEROFILL) || best == NOWHERE))
      best = o->aflags & ATOM_ZEROFILL || !(other->aflags & ATOM_ZEROFILL) ? at + 1 : at;
  }
  return best == NOWHERE ? at : best;
}

/* The description may say where orphans of some kind go: behind that statement and its earlier orphans. */
static u32 described_place(Link *l, const Layout *y, Places *p, const Osec *o) {
  LayoutHit hit;
  if (!o->natoms || !layout_ask(l, o->atoms[0].i, &hit) || !hit.orphan ||
      p->stmt[hit.stmt] == NOWHERE)
    return NOWHERE;
  if (l->format->segment_of)
    return place_among(l, y, p->behind[hit.stmt], o);
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
  y->items.at[at] = (Item){.stmt = UINT32_MAX, .osec = osec, .weld = UINT32_MAX};
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

void layout_place_described(Link *l) {
  Layout *y = l->lay;
  Places places;
  make_places(l, y, &places);
  for (u32 o = 1; o < l->osecs.n; o++)
    if (l->osecs.at[o].stmt == UINT32_MAX) {
      u32 at = described_place(l, y, &places, &l->osecs.at[o]);
      insert_orphan(l, y, &places, at != NOWHERE ? at : orphan_place(&places, &l->osecs.at[o]), o);
    }
}
