/* layout_assign.c: puts every atom into the output section that layout_take.c found for it, in order, and makes the steps of the walk.
 * The trap: atoms are counted and put into their places on all threads, but what a section learns from
 * them must not depend on that: places come from sums in input order, everything else commutes. */
#include <stdlib.h>

#include "core/layout_internal.h"
#include "util/hash.h"

enum { CHUNK_ATOMS = 8192, MAX_CHUNKS = 64, SOME = 512, AHEAD = 16 };

/* ---- output sections ---- */

static u32 new_osec(Link *l, const char *name, u32 stmt) {
  if (!l->osecs.n)
    *vec_push(&l->osecs) = (Osec){0};
  *vec_push(&l->osecs) = (Osec){.name = name, .stmt = stmt};
  return l->osecs.n - 1;
}

u32 layout_find_osec(const Link *l, const char *name) {
  for (u32 i = 1; i < l->osecs.n; i++)
    if (streq(l->osecs.at[i].name, name))
      return i;
  return 0;
}

static void make_slots(Link *l, Layout *y) {
  const LayoutDesc *d = l->layout;
  u32 rules = 0;
  y->first_slot = ARENA_ARRAY(&l->arena, u32, d->nstmts + 1);
  y->first_rule = ARENA_ARRAY(&l->arena, u32, d->nstmts);
  for (u32 s = 0; s < d->nstmts; s++) {
    y->first_rule[s] = rules;
    rules += d->stmts[s].npatterns;
  }
  y->rule_slot = ARENA_ARRAY(&l->arena, u32, rules);
  y->stmt_osec = ARENA_ARRAY(&l->arena, u32, d->nstmts);
  u32 mask = 63;
  while (mask < d->nstmts * 2)
    mask = mask * 2 + 1;
  u32 *names = ARENA_ARRAY(&l->arena, u32, mask + 1);
  for (u32 s = 0; s < d->nstmts; s++) {
    const LayoutStmt *st = &d->stmts[s];
    y->first_slot[s] = y->slots.n;
    if (st->kind != LAYOUT_OUTPUT || st->flags & LAYOUT_DISCARD || !layout_applies(l, s))
      continue;
    u32 k = (u32)hash_bytes(st->name, strlen(st->name)) & mask;
    while (names[k] && !streq(l->osecs.at[names[k]].name, st->name))
      k = (k + 1) & mask;
    u32 osec = names[k];
    if (!osec || l->scripted) /* two descriptions are two sections, as with GNU ld; orphans are the first's */
      osec = new_osec(l, st->name, s);
    names[k] = names[k] ? names[k] : osec;
    y->stmt_osec[s] = osec;
    for (u32 p = 0; p < st->npatterns; p++) {
      if (!p || !st->patterns[p].joined)
        *vec_push(&y->slots) = (Slot){.stmt = s, .pattern = p, .osec = osec};
      y->rule_slot[y->first_rule[s] + p] = y->slots.n - 1;
    }
  }
  y->first_slot[d->nstmts] = y->slots.n;
  y->described = l->osecs.n;
}

static u32 slot_of(const Layout *y, u32 rule) { return y->rule_slot[y->first_rule[rule >> 16] + (rule & 0xffff)]; }

static bool synth_placeable(const Link *l, u32 a) {
  const Synth *s = &l->synths.at[l->atoms.at[a].aux];
  return s->size || s->keep_empty || s->resize;
}

static inline bool placeable(const Link *l, u32 a) {
  u16 f = l->atoms.flags[a];
  bool place = (f & (ATOM_FOLDED | ATOM_MERGE | ATOM_EHFRAME)) == ATOM_LIVE;
  return UNLIKELY(f & ATOM_SYNTH) ? place && synth_placeable(l, a) : place;
}

/* Orphans keep their input section's name; a small table, since there are few of those names. */
typedef struct {
  const char *name;
  u64 kind; /* what sections of one name must share, too */
  u32 osec;
} OrphanName;

static u32 orphan_osec(Link *l, OrphanName **tab, u32 *n, u32 *mask, const char *name, u64 kind) {
  if (*n * 2 >= *mask) {
    u32 m = *mask ? (*mask + 1) * 2 : 64;
    OrphanName *t = ARENA_ARRAY(&l->arena, OrphanName, m);
    for (u32 i = 0; *mask && i <= *mask; i++)
      if ((*tab)[i].name) {
        u32 k = (u32)(hash_bytes((*tab)[i].name, strlen((*tab)[i].name)) + (*tab)[i].kind) & (m - 1);
        while (t[k].name)
          k = (k + 1) & (m - 1);
        t[k] = (*tab)[i];
      }
    *tab = t;
    *mask = m - 1;
  }
  u32 k = (u32)(hash_bytes(name, strlen(name)) + kind) & *mask;
  for (; (*tab)[k].name; k = (k + 1) & *mask)
    if ((*tab)[k].kind == kind && streq((*tab)[k].name, name))
      return (*tab)[k].osec;
  u32 o = 1;
  while (o < l->lay->described && !streq(l->osecs.at[o].name, name))
    o++;
  if (o >= l->lay->described)
    o = new_osec(l, name, UINT32_MAX);
  (*tab)[k] = (OrphanName){name, kind, o};
  ++*n;
  return o;
}

/* ---- counting and filling ---- */

/* What a chunk of the atoms adds to a slot, or all of them to an output section. */
typedef struct {
  u32 n, at;       /* atoms; place of the next */
  u32 any, lacks;  /* flags that one has, flags that one has not */
  u8 p2align;
  bool dynrels;
  AtomKinds kinds;
} Tally;

typedef struct { u32 atom, osec; } OrphanAtom;
typedef VEC(OrphanAtom) OrphanAtoms;

typedef struct {
  Link *l;
  Layout *y;
  u32 grain;            /* atoms a chunk */
  Tally *tallies;       /* by chunk and slot */
  OrphanAtoms *orphans; /* by chunk */
} AssignJob;

/* The next few atoms of [*a, end) that get a place. In a debug build of C++ most are dead, a group at a time. */
static u32 some_atoms(const Link *l, u32 *a, u32 end, u32 *out) {
  const u16 *flags = l->atoms.flags;
  u32 n = 0, i = *a;
  while (i < end && n <= SOME - 4) {
    u64 four;
    if (end - i >= 4 && (memcpy(&four, flags + i, sizeof four), !(four & ATOM_LIVE * 0x0001000100010001ull))) {
      i += 4;
      continue;
    }
    for (u32 last = MIN(i + 4, end); i < last; i++) {
      out[n] = i;
      n += placeable(l, i); /* no branch: which of them do is chance */
    }
  }
  *a = i;
  return n;
}

static void count_atoms(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  AssignJob *j = ctx;
  const Link *l = j->l;
  const Layout *y = j->y;
  u32 chunk = begin / j->grain, some[SOME];
  Tally *t = j->tallies + (u64)chunk * y->slots.n;
  for (u32 a = MAX(begin, 1u), n; (n = some_atoms(l, &a, end, some)) || a < end;)
    for (u32 i = 0; i < n; i++) {
      u32 rule = l->rules[some[i]];
      if (rule != NO_RULE)
        t[slot_of(y, rule)].n++;
      else
        *vec_push(&j->orphans[chunk]) = (OrphanAtom){some[i], 0};
    }
}

static void tally_kind(AtomKinds *k, u32 n, u32 type, u32 entsize) {
  if (!k->n) {
    k->type = type;
    k->entsize = entsize;
    k->one_type = k->one_entsize = true;
  }
  k->n += n;
  k->one_type &= type == k->type;
  k->one_entsize &= entsize == k->entsize;
}

/* The only time that layout reads the cold part of an atom. */
static inline void put_atom(Link *l, const Layout *y, u32 osec, u32 place, u32 a, Tally *t) {
  Atom *at = &l->atoms.at[a];
  u32 i = l->osecs.at[osec].first + place;
  u16 f = l->atoms.flags[a];
  y->ids[i].i = a;
  y->sizes[i] = at->size;
  y->p2aligns[i] = at->p2align;
  l->atoms.addr[a] = place; /* until it has an offset */
  at->osec = osec;
  t->any |= f;
  t->lacks |= ~(u32)f;
  t->p2align = MAX(t->p2align, at->p2align);
  t->dynrels |= (f & ATOM_SYNTH) | (f & ATOM_ALLOC && l->atoms.nrel[a] | l->atoms.nsymrel[a]);
  if (f & ATOM_SYNTH)
    return;
  tally_kind(&t->kinds, 1, at->type, at->entsize);
  t->kinds.attr_any |= at->attr;
  t->kinds.attr_lacks |= ~at->attr;
}

static void fill_atoms(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  AssignJob *j = ctx;
  Link *l = j->l;
  const Layout *y = j->y;
  u32 some[SOME];
  Tally *t = j->tallies + (u64)(begin / j->grain) * y->slots.n;
  for (u32 a = MAX(begin, 1u), n; (n = some_atoms(l, &a, end, some)) || a < end;)
    for (u32 i = 0; i < n; i++) {
      u32 rule = l->rules[some[i]];
      if (i + AHEAD < n)
        __builtin_prefetch(&l->atoms.at[some[i + AHEAD]], 1);
      if (rule == NO_RULE)
        continue;
      u32 s = slot_of(y, rule);
      put_atom(l, y, y->slots.at[s].osec, t[s].at++, some[i], &t[s]);
    }
}

void layout_tell_places(Link *l, const Osec *o, u32 at, u32 n) {
  const Layout *y = l->lay;
  for (u32 i = at; i < at + n; i++) {
    u32 a = o->atoms[i].i;
    y->sizes[o->first + i] = l->atoms.at[a].size;
    y->p2aligns[o->first + i] = l->atoms.at[a].p2align;
    l->atoms.addr[a] = i;
  }
}

/* In relocatable output only sections of one kind join. 0: any. */
static u64 orphan_kind(const Link *l, u32 a) {
  if (LIKELY(!l->relocatable))
    return 0;
  const Atom *at = &l->atoms.at[a];
  bool synth = l->atoms.flags[a] & ATOM_SYNTH, follows = l->atoms.flags[a] & ATOM_LINKORDER;
  const Synth *s = &l->synths.at[synth ? at->aux : 0];
  u32 rule = follows ? l->rules[at->link] : NO_RULE;
  u64 leader = !follows ? 0 : rule != NO_RULE ? l->lay->slots.at[slot_of(l->lay, rule)].osec : l->atoms.at[at->link].osec;
  u64 facts[] = {synth ? s->type : at->type, synth ? s->attr : at->attr, synth ? s->entsize : at->entsize, leader};
  return hash_bytes(facts, sizeof facts) | 1;
}

/* Common symbols are zero fill like any other (GNU ld); a pattern knows them by another name. */
static const char *orphan_name(const Link *l, u32 a) {
  u32 syn = l->atoms.flags[a] & ATOM_SYNTH && !l->relocatable ? l->atoms.at[a].aux : SYN_NONE;
  return syn == SYN_COMMON ? ".bss" : syn == SYN_TCOMMON ? ".tbss" : syn == SYN_LCOMMON ? ".lbss" : l->format->atom_name(l, (AtomId){a});
}

/* --relocatable-merge-sections: the usual name of what would join in other outputs; strings stay apart, to be joined with their like. */
static const char *usual_name(const Link *l, u32 a, const char *name) {
  static const char *const usual[] = {".text", ".data.rel.ro", ".data", ".rodata", ".bss", ".tdata", ".tbss", ".init_array", ".fini_array", ".gcc_except_table"};
  if (l->atoms.flags[a] & (ATOM_SYNTH | ATOM_MERGE | ATOM_GROUPED))
    return name;
  for (u32 i = 0; i < COUNT_OF(usual); i++)
    if (starts_with(name, usual[i]) && name[strlen(usual[i])] == '.')
      return usual[i];
  return name;
}

/* Output sections of orphans, in the order of their first atom. Those that follow another section come when it has its place. */
static void name_orphans(Link *l, AssignJob *j, u32 chunks) {
  OrphanName *tab = NULL;
  u32 ntab = 0, mask = 0;
  for (u32 pass = 0; pass < 2; pass++)
    for (u32 c = 0; c < chunks; c++)
      for (u32 i = 0; i < j->orphans[c].n; i++) {
        OrphanAtom *x = &j->orphans[c].at[i];
        const char *name = orphan_name(l, x->atom);
        if (UNLIKELY(l->opt->join_by_prefix) && l->relocatable)
          name = usual_name(l, x->atom, name);
        u32 flags = l->atoms.flags[x->atom];
        if ((l->relocatable && flags & ATOM_LINKORDER) != (pass == 1))
          continue;
        bool own = l->opt->unique_orphans || layout_is_unique(l, x->atom) || (l->relocatable && flags & ATOM_GROUPED);
        x->osec = own ? new_osec(l, name, UINT32_MAX) : orphan_osec(l, &tab, &ntab, &mask, name, orphan_kind(l, x->atom));
        l->osecs.at[x->osec].natoms++;
        l->atoms.at[x->atom].osec = x->osec;
      }
}

/* From counts to places: in a section its slots in order, in a slot its chunks, behind them orphans.
 * fill[osec] gets the place of the first orphan. */
static void make_room(Link *l, AssignJob *j, u32 chunks, u32 *fill) {
  Layout *y = j->y;
  u32 n = y->slots.n;
  for (u32 s = 0; s < n; s++) {
    Slot *sl = &y->slots.at[s];
    sl->at = fill[sl->osec];
    for (u32 c = 0; c < chunks; c++) {
      Tally *t = &j->tallies[(u64)c * n + s];
      t->at = sl->at + sl->n;
      sl->n += t->n;
    }
    fill[sl->osec] += sl->n;
    l->osecs.at[sl->osec].natoms += sl->n;
  }
  for (u32 o = 1; o < l->osecs.n; o++) {
    l->osecs.at[o].first = y->nplaces;
    y->nplaces += l->osecs.at[o].natoms;
  }
  y->ids = pages_alloc(y->nplaces * sizeof *y->ids);
  y->sizes = pages_alloc(y->nplaces * sizeof *y->sizes);
  y->p2aligns = pages_alloc(y->nplaces);
  for (u32 o = 1; o < l->osecs.n; o++)
    l->osecs.at[o].atoms = y->ids + l->osecs.at[o].first;
}

static void learn(Osec *o, const Tally *t) {
  o->aflags |= t->any & (ATOM_ALLOC | ATOM_WRITE | ATOM_EXEC | ATOM_TLS | ATOM_LARGE | ATOM_LINKORDER | ATOM_SYNTH);
  o->p2align = MAX(o->p2align, t->p2align);
  o->dynrels |= t->dynrels;
  if (t->lacks & ATOM_ZEROFILL)
    o->filled = true;
  if (!t->kinds.n)
    return;
  bool one_type = t->kinds.one_type, one_entsize = t->kinds.one_entsize;
  tally_kind(&o->kinds, t->kinds.n, t->kinds.type, t->kinds.entsize);
  o->kinds.one_type &= one_type;
  o->kinds.one_entsize &= one_entsize;
  o->kinds.attr_any |= t->kinds.attr_any;
  o->kinds.attr_lacks |= t->kinds.attr_lacks;
}

/* Atoms to their places, in input order: counted, then put there. */
static void distribute(Link *l, Layout *y) {
  AssignJob j = {.l = l, .y = y, .grain = MAX(l->atoms.n / MAX_CHUNKS + 1, (u32)CHUNK_ATOMS)};
  u32 chunks = (l->atoms.n + j.grain - 1) / j.grain, n = y->slots.n;
  u64 bytes = (u64)chunks * n * sizeof *j.tallies;
  j.tallies = pages_alloc_sparse(bytes);
  j.orphans = heap_alloc(chunks * sizeof *j.orphans);
  pool_run(l->pool, l->atoms.n, j.grain, count_atoms, &j);
  name_orphans(l, &j, chunks);
  u32 *fill = heap_alloc(l->osecs.n * sizeof *fill);
  make_room(l, &j, chunks, fill);
  pool_run(l->pool, l->atoms.n, j.grain, fill_atoms, &j);
  for (u32 c = 0; c < chunks; c++) {
    for (u32 s = 0; s < n; s++)
      if (j.tallies[(u64)c * n + s].n)
        learn(&l->osecs.at[y->slots.at[s].osec], &j.tallies[(u64)c * n + s]);
    for (u32 i = 0; i < j.orphans[c].n; i++) {
      const OrphanAtom *x = &j.orphans[c].at[i];
      Tally t = {0};
      put_atom(l, y, x->osec, fill[x->osec]++, x->atom, &t);
      learn(&l->osecs.at[x->osec], &t);
    }
    vec_free(&j.orphans[c]);
  }
  for (u32 o = 1; o < l->osecs.n; o++)
    if (l->osecs.at[o].natoms && !l->osecs.at[o].filled)
      l->osecs.at[o].aflags |= ATOM_ZEROFILL;
  free(fill);
  free(j.orphans);
  pages_free(j.tallies, bytes);
}

/* The walk: statements in order. */
static void make_items(Link *l, Layout *y) {
  for (u32 s = 0; s < l->layout->nstmts; s++) {
    const LayoutStmt *st = &l->layout->stmts[s];
    Item it = {.stmt = s, .weld = UINT32_MAX};
    if (st->kind == LAYOUT_OUTPUT && !(st->flags & LAYOUT_DISCARD)) {
      it.osec = y->stmt_osec[s];
      if (!it.osec || l->osecs.at[it.osec].stmt != s)
        continue;
    }
    *vec_push(&y->items) = it;
  }
}

/* Of relocatable output: no address depends on where they go, and there may be a million. */
static void append_orphans(const Link *l, Layout *y) {
  for (u32 o = 1; o < l->osecs.n; o++)
    if (l->osecs.at[o].stmt == UINT32_MAX)
      *vec_push(&y->items) = (Item){.stmt = UINT32_MAX, .osec = o, .weld = UINT32_MAX};
}

void layout_assign(Link *l) {
  Layout *y = l->lay;
  if (!l->osecs.n)
    *vec_push(&l->osecs) = (Osec){0};
  layout_match_synths(l);
  make_slots(l, y);
  distribute(l, y);
  layout_shuffle(l);
  layout_sort_slots(l);
  layout_sort_priority(l);
  layout_sort_link_order(l);
  layout_reverse_ctors(l);

  make_items(l, y);
  layout_stmt_flags(l);
  if (l->relocatable)
    append_orphans(l, y);
  else if (l->scripted)
    layout_place_orphans(l);
  else
    layout_place_described(l);
  l->order = ARENA_ARRAY(&l->arena, u32, l->osecs.n);
  for (u32 i = 0; i < y->items.n; i++) /* the walk leaves out those that stay empty */
    if (y->items.at[i].osec)
      l->order[l->norder++] = y->items.at[i].osec;
}
