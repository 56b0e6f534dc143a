/* layout_thunks.c: who needs a branch island, and where it stands. When addresses have settled, all branches are looked at on all
 * threads. For those that reach neither their end nor an island for it, taken in order of addresses, one is made: in the pool
 * that is in use, when that is in reach, else in a new one as far ahead as the branch reaches, so that those
 * behind it share it. So pools are about two ranges apart.
 * The trap: an island moves all that is behind it, so what reached in this round may not in the next. Islands are only added and never
 * removed, so there is an end; distances keep some slack, so that it comes soon. */
#include "core/thunks.h"

#include <stdlib.h>

#include "core/layout_internal.h"
#include "util/hash.h"

enum { MOST_ROUNDS = 40, SCAN_ATOMS = 2048 };

/* A branch that reaches nothing yet. */
typedef struct {
  ThunkEnd end;
  u64 at, dest; /* addresses: its place, where it wants to go */
  AtomId from;
  Edge edge;
} Far;

typedef struct {
  u32 osec, begin, end;
  VEC(Far) far;
} Chunk;

/* An output section of code. */
typedef struct {
  u64 addr;
  u32 osec;
} Code;

typedef struct {
  Link *l;
  Thunks *t;
  VEC(Code) code; /* in order of addresses */
  VEC(Chunk) chunks;
  u32 *newest;    /* table by end: the island that was last made in this round + 1 */
  u32 mask;
  u32 npools;     /* before this round */
} Round;

/* ---- addresses ---- */

static u64 atom_addr(const Link *l, u32 a) {
  u64 addr = l->atoms.addr[a];
  return l->lay->final ? addr : l->osecs.at[l->atoms.at[a].osec].addr + addr;
}

static u64 end_addr(const Link *l, const ThunkEnd *e) {
  return (e->atom ? atom_addr(l, e->atom) : l->syms.value[e->sym]) + (u64)e->off;
}

static u64 pool_addr(const Link *l, const ThunkPool *p) { return p->synth ? atom_addr(l, l->synths.at[p->synth].atom.i) : p->addr; }

/* Where the next island of a pool would be. */
static u64 pool_end(const Link *l, const ThunkPool *p) { return align_up(p->addr + p->size, 1ull << l->arch->thunk->p2align); }

/* What a branch at `at` of that kind has to say to land on dest. */
static i64 span(const BranchReach *r, u64 at, u64 dest) { return (i64)(dest - at + (u64)(i64)r->bias); }
static bool reaches(const BranchReach *r, u64 at, u64 dest) {
  i64 d = span(r, at, dest);
  return d >= r->back && d <= r->ahead;
}

/* ---- where branches go ---- */

static bool is_branch(const Link *l, const Atom *a, const Edge *e) {
  if (e->kind >= l->arch->nkinds || a->fold & FOLD_ISLAND)
    return false;
  const BranchReach *r = &l->thunks->reach[e->kind];
  return r->ahead && (edge_class(l->arch, e->kind) == EC_BRANCH || (l->arch->only_branches && l->arch->only_branches(a, e->kind, e->offset)));
}

/* False: to no place that has an address. A static absolute symbol has one, but no CPU's compiler branches to those. */
static bool find_end(const Link *l, FileId f, const Edge *e, ThunkEnd *end) {
  u64 bias = (u64)(i64)l->thunks->reach[e->kind].bias; /* addends are a file's: sums of them wrap */
  if (e->target == UINT32_MAX)
    return false;
  u32 flags = e->target < l->syms.nglobal ? l->syms.flags[e->target] : e->flags;
  const SymAux *x = sym_aux(l, e->target);
  *end = (ThunkEnd){0, NO_SYM.i, 0};
  if (x && (x->plt >= 0 || x->pltgot >= 0)) {
    u64 off;
    u32 synth = l->thunks->stub_place(l, x, &off);
    end->atom = l->synths.at[synth].atom.i;
    end->off = (i64)(off + (u64)e->addend - bias);
    return end->atom && l->atoms.at[end->atom].osec;
  }
  if (flags & (SF_UNDEFINED | SF_DISCARDED))
    return false;
  if (e->target >= l->syms.nglobal) {
    end->atom = l->format->edge_atom(l, f, e, &end->off).i;
  } else if ((end->atom = l->syms.atom[e->target])) { /* the same, without a look at the file */
    u64 begin = l->addressed ? l->atoms.addr[end->atom] : 0;
    end->off = (i64)(l->syms.value[e->target] - begin + (u64)e->addend);
  }
  end->off = (i64)((u64)end->off - bias);
  if (end->atom) {
    if ((l->atoms.flags[end->atom] & ATOM_FOLDED) == ATOM_FOLDED)
      end->atom = l->atoms.at[end->atom].link;
    return l->atoms.at[end->atom].osec && !(l->atoms.flags[end->atom] & (ATOM_MERGE | ATOM_EHFRAME));
  }
  *end = (ThunkEnd){0, e->target, (i64)((u64)e->addend - bias)};
  return e->target < l->syms.nglobal && flags & (SF_ABSOLUTE | SF_SYNTHETIC);
}

static int compare_ends(const ThunkEnd *a, const ThunkEnd *b) {
  if (a->atom != b->atom)
    return a->atom < b->atom ? -1 : 1;
  if (a->sym != b->sym)
    return a->sym < b->sym ? -1 : 1;
  return a->off < b->off ? -1 : a->off > b->off;
}

/* An island for `end` in reach of a branch at `at`: the first of them; NULL: none. */
static const Thunk *find_thunk(const Link *l, const ThunkEnd *end, const BranchReach *r, u64 at) {
  const Thunks *t = l->thunks;
  u32 lo = 0, hi = t->sorted.n;
  while (lo < hi) {
    u32 mid = lo + (hi - lo) / 2;
    const Thunk *x = &t->all.at[t->sorted.at[mid]];
    int c = compare_ends(&x->end, end);
    if (c < 0 || (!c && span(r, at, thunk_addr(l, x)) < r->back))
      lo = mid + 1;
    else
      hi = mid;
  }
  const Thunk *x = lo < t->sorted.n ? &t->all.at[t->sorted.at[lo]] : NULL;
  return x && !compare_ends(&x->end, end) && reaches(r, at, thunk_addr(l, x)) ? x : NULL;
}

u64 thunk_addr(const Link *l, const Thunk *t) { return pool_addr(l, &l->thunks->pools.at[t->pool]) + t->off; }

i64 thunk_bias(const Link *l, u32 kind) { return l->thunks->reach[kind].bias; }

const Thunk *thunk_of(const Link *l, AtomId a, const Edge *e) {
  ThunkEnd end;
  const Atom *at = &l->atoms.at[a.i];
  if (!l->thunks || !l->thunks->all.n || !(l->atoms.flags[a.i] & ATOM_EXEC) || !is_branch(l, at, e) || !find_end(l, (FileId){at->file}, e, &end))
    return NULL;
  const BranchReach *r = &l->thunks->reach[e->kind];
  u64 addr = l->atoms.addr[a.i] + e->offset;
  return reaches(r, addr, end_addr(l, &end)) ? NULL : find_thunk(l, &end, r, addr);
}

/* ---- looking for far branches ---- */

static void scan_atom(const Link *l, AtomId a, Chunk *c) {
  const Atom *at = &l->atoms.at[a.i];
  EdgeCursor cursor = {.atom = a};
  Edge e[EDGE_BATCH];
  u64 addr = atom_addr(l, a.i);
  for (u32 n; (n = l->format->edges(l, &cursor, e));)
    for (u32 k = 0; k < n; k++) {
      ThunkEnd end;
      if (!is_branch(l, at, &e[k]) || !find_end(l, (FileId){at->file}, &e[k], &end))
        continue;
      const BranchReach *r = &l->thunks->reach[e[k].kind];
      u64 dest = end_addr(l, &end), place = addr + e[k].offset;
      if (!reaches(r, place, dest) && !find_thunk(l, &end, r, place))
        *vec_push(&c->far) = (Far){end, place, dest, a, e[k]};
    }
}

static void scan_chunks(void *ctx, u32 begin, u32 end, unsigned tid) {
  const Round *r = ctx;
  (void)tid;
  for (u32 i = begin; i < end; i++) {
    Chunk *c = &r->chunks.at[i];
    const Osec *o = &r->l->osecs.at[c->osec];
    for (u32 k = c->begin; k < c->end; k++) {
      u32 a = o->atoms[k].i;
      if (r->l->atoms.at[a].rel && (r->l->atoms.flags[a] & (ATOM_EXEC | ATOM_SYNTH)) == ATOM_EXEC)
        scan_atom(r->l, (AtomId){a}, c);
    }
  }
}

static int by_addr(const void *pa, const void *pb) {
  const Code *a = pa, *b = pb;
  if (a->addr != b->addr)
    return a->addr < b->addr ? -1 : 1;
  return a->osec < b->osec ? -1 : a->osec > b->osec;
}

/* False: everything is in reach of everything. */
static bool find_code(Round *r) {
  const Link *l = r->l;
  u64 first = UINT64_MAX, end = 0;
  for (u32 i = 1; i < l->osecs.n; i++) {
    const Osec *o = &l->osecs.at[i];
    if (!(o->aflags & ATOM_ALLOC) || !o->placed)
      continue;
    first = MIN(first, o->addr);
    end = MAX(end, o->addr + o->size);
    if (o->aflags & ATOM_EXEC)
      *vec_push(&r->code) = (Code){o->addr, i};
  }
  if (!r->code.n || end - first <= (u64)r->t->least)
    return false;
  qsort(r->code.at, r->code.n, sizeof *r->code.at, by_addr);
  return true;
}

static u32 find_far(Round *r) {
  u32 n = 0;
  for (u32 i = 0; i < r->code.n; i++) {
    u32 osec = r->code.at[i].osec, natoms = r->l->osecs.at[osec].natoms;
    for (u32 k = 0; k < natoms; k += SCAN_ATOMS)
      *vec_push(&r->chunks) = (Chunk){.osec = osec, .begin = k, .end = MIN(k + SCAN_ATOMS, natoms)};
  }
  pool_run(r->l->pool, r->chunks.n, 1, scan_chunks, r);
  for (u32 i = 0; i < r->chunks.n; i++)
    n += r->chunks.at[i].far.n;
  return n;
}

/* ---- where a pool may stand ---- */

static bool is_one_piece(const Link *l, u32 a) {
  u32 rule = l->rules[a];
  return rule != NO_RULE && !(l->atoms.flags[a] & ATOM_SYNTH) && l->layout->stmts[rule >> 16].patterns[rule & 0xffff].no_sort;
}

static bool directly_follows(const Link *l, u32 a, u32 next) {
  EdgeCursor c = {.atom = {a}};
  Edge e[EDGE_BATCH];
  i64 off;
  if (!l->format->atoms_are_symbols || l->atoms.flags[a] & ATOM_SYNTH)
    return false;
  for (u32 n; (n = l->format->edges(l, &c, e));)
    for (u32 k = 0; k < n; k++)
      if (e[k].kind == EDGE_LAYOUT_AFTER && l->format->edge_atom(l, (FileId){l->atoms.at[a].file}, &e[k], &off).i == next)
        return true;
  return false;
}

/* Not inside what is one function in pieces (.init), nor between two that must stand together. */
static bool may_stand(const Link *l, const Osec *o, u32 place) {
  if (!o->kinds.n) /* nothing but what weld makes: PLT entries */
    return false;
  if (!place || place == o->natoms)
    return true;
  u32 a = o->atoms[place - 1].i, next = o->atoms[place].i;
  return !(is_one_piece(l, a) && is_one_piece(l, next)) && !directly_follows(l, a, next);
}

static u64 boundary_addr(const Link *l, const Osec *o, u32 place) {
  u64 end = 0, align = 1ull << l->arch->thunk->p2align;
  if (place)
    end = l->atoms.addr[o->atoms[place - 1].i] + l->lay->sizes[o->first + place - 1];
  return align_up(o->addr + end, align);
}

/* The last place for a pool in [lo, hi]; `in_front`: also before a section's first atom. */
static bool find_boundary(const Round *r, u64 lo, u64 hi, bool in_front, ThunkPool *out) {
  const Link *l = r->l;
  for (u32 i = r->code.n; i-- > 0;) {
    const Osec *o = &l->osecs.at[r->code.at[i].osec];
    if (o->addr > hi)
      continue;
    u32 first = 0, end = o->natoms; /* atoms that begin at hi at most */
    while (first < end) {
      u32 mid = first + (end - first) / 2;
      if (o->addr + l->atoms.addr[o->atoms[mid].i] <= hi)
        first = mid + 1;
      else
        end = mid;
    }
    for (u32 place = first + 1; place-- > 0;) {
      u64 addr = boundary_addr(l, o, place);
      if (addr < lo)
        return false;
      if (addr > hi || (!place && !in_front) || !may_stand(l, o, place))
        continue;
      *out = (ThunkPool){.osec = r->code.at[i].osec, .place = place, .addr = addr};
      return true;
    }
  }
  return false;
}

/* ---- islands ---- */

/* Index in Thunks.order of the first pool behind addr. */
static u32 pools_upto(const Thunks *t, u64 addr) {
  u32 lo = 0, hi = t->order.n;
  while (lo < hi) {
    u32 mid = lo + (hi - lo) / 2;
    if (t->pools.at[t->order.at[mid]].addr <= addr)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo;
}

/* The last pool that has room in [lo, hi]; UINT32_MAX: none. */
static u32 find_pool(const Round *r, u64 lo, u64 hi) {
  const Thunks *t = r->t;
  for (u32 i = pools_upto(t, hi); i-- > 0;) {
    u32 p = t->order.at[i];
    u64 end = pool_end(r->l, &t->pools.at[p]);
    if (end < lo)
      break;
    if (end <= hi)
      return p;
  }
  return UINT32_MAX;
}

static u32 add_pool(Round *r, const ThunkPool *p) {
  Thunks *t = r->t;
  u32 at = pools_upto(t, p->addr), n = t->order.n;
  vec_push(&t->order);
  memmove(&t->order.at[at + 1], &t->order.at[at], (n - at) * sizeof *t->order.at);
  t->order.at[at] = t->pools.n;
  *vec_push(&t->pools) = *p;
  return t->pools.n - 1;
}

/* at + d, but not beyond what addresses can be. */
static u64 near(u64 at, i64 d) {
  u64 v = at + (u64)d;
  return d < 0 ? (v > at ? 0 : v) : v < at ? UINT64_MAX : v;
}

/* What is left for islands that are still to come between a branch and its own. Of 128 MB that is room for half a million of them; of a
 * few hundred bytes, as tests have them, most. */
static i64 first_slack(const BranchReach *b) { return b->ahead / 16 + MIN(b->ahead / 2, 1024); }

static u32 choose_pool(Round *r, const Far *f) {
  const BranchReach *b = &r->t->reach[f->edge.kind];
  const ThunkShape *s = r->l->arch->thunk;
  for (i64 slack = first_slack(b);; slack /= 2) {
    u64 lo = near(f->at, b->back - b->bias + slack), hi = near(f->at, b->ahead - b->bias - slack);
    lo = MAX(lo, near(f->dest, -s->ahead + slack)); /* the island has to get there */
    hi = MIN(hi, near(f->dest, -s->back - slack));
    u32 p = find_pool(r, lo, hi);
    ThunkPool fresh;
    if (p != UINT32_MAX)
      return p;
    if (find_boundary(r, lo, hi, false, &fresh) || find_boundary(r, lo, hi, true, &fresh))
      return add_pool(r, &fresh);
    if (!slack)
      return UINT32_MAX;
  }
}

static u32 *newest_slot(const Round *r, const ThunkEnd *end) {
  u32 k = (u32)hash_bytes(end, sizeof *end) & r->mask;
  while (r->newest[k] && compare_ends(&r->t->all.at[r->newest[k] - 1].end, end))
    k = (k + 1) & r->mask;
  return &r->newest[k];
}

static void report(Link *l, const Far *f, const char *why) {
  const BranchReach *b = &l->thunks->reach[f->edge.kind];
  const char *name = sym_name(l, f->edge.target);
  u64 size = l->atoms.at[f->from.i].size, away = f->dest > f->at ? f->dest - f->at : f->at - f->dest;
  diag_report(l->diag, DIAG_ERROR, "branch-range", (u64)l->atoms.at[f->from.i].file << 32 | (u32)f->edge.offset,
              "%s: %s to %s is 0x%llx bytes away and reaches 0x%llx; %s: the code that it is in has 0x%llx bytes",
              place_of(l, 0, f->from, f->edge.offset), l->arch->edge_name(f->edge.kind), *name ? diag_name(l->diag, name) : "a local symbol",
              (unsigned long long)away, (unsigned long long)b->ahead, why, (unsigned long long)size);
}

static void give_thunk(Round *r, const Far *f) {
  Link *l = r->l;
  Thunks *t = r->t;
  u32 *slot = newest_slot(r, &f->end);
  const Thunk *last = *slot ? &t->all.at[*slot - 1] : NULL;
  if (last && reaches(&t->reach[f->edge.kind], f->at, t->pools.at[last->pool].addr + last->off))
    return;
  u32 p = choose_pool(r, f);
  if (p == UINT32_MAX) {
    report(l, f, "there is no place for a branch island in between");
    t->failed = true;
    return;
  }
  ThunkPool *pool = &t->pools.at[p];
  u64 off = pool_end(l, pool) - pool->addr;
  *slot = t->all.n + 1;
  *vec_push(&pool->thunks) = t->all.n;
  *vec_push(&t->all) = (Thunk){.end = f->end, .pool = p, .off = off, .from = f->from, .edge = f->edge};
  pool->size = off + l->arch->thunk_size;
}

/* ---- bytes ---- */

static void write_pool(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  const ThunkPool *p = &l->thunks->pools.at[(u32)(uintptr_t)s->ctx];
  u64 addr = l->atoms.addr[s->atom.i];
  (void)off; /* grain 0: whole */
  memset(out, (int)l->arch->fill, len);
  for (u32 i = 0; i < p->thunks.n; i++) {
    const Thunk *t = &l->thunks->all.at[p->thunks.at[i]];
    u64 dest = end_addr(l, &t->end);
    if (!l->arch->write_thunk(out + t->off, addr + t->off, dest))
      diag_report(l->diag, DIAG_ERROR, "relocation-range", 0, "branch island at 0x%llx: 0x%llx is out of reach", (unsigned long long)(addr + t->off),
                  (unsigned long long)dest);
  }
}

/* ---- a round ---- */

static int by_place(const void *pa, const void *pb) {
  const LayoutInsert *a = pa, *b = pb;
  if (a->osec != b->osec)
    return a->osec < b->osec ? -1 : 1;
  if (a->place != b->place)
    return a->place < b->place ? -1 : 1;
  return a->atom < b->atom ? -1 : a->atom > b->atom;
}

/* Who, among the atoms of inputs, is its neighbour. */
static void find_neighbour(const Link *l, ThunkPool *p) {
  const Osec *o = &l->osecs.at[p->osec];
  u32 at = p->place;
  while (at && l->atoms.flags[o->atoms[at - 1].i] & ATOM_SYNTH)
    at--;
  p->in_front = !at;
  for (; p->in_front && at < o->natoms - 1 && l->atoms.flags[o->atoms[at].i] & ATOM_SYNTH; at++) {
  }
  p->beside = o->atoms[p->in_front ? at : at - 1];
}

/* New pools become Synths with a place among the atoms; layout learns all sizes. */
static void settle_pools(Round *r) {
  Link *l = r->l;
  Thunks *t = r->t;
  VEC(LayoutInsert) inserts = {0};
  for (u32 i = 0; i < t->pools.n && !t->failed; i++) {
    ThunkPool *p = &t->pools.at[i];
    if (!p->synth) {
      const Osec *o = &l->osecs.at[p->osec];
      p->synth = synth_add(l, &(Synth){.name = "branch-islands", .type = o->type, .attr = o->attr, .p2align = l->arch->thunk->p2align,
                                       .write = write_pool, .fills = true, .ctx = (void *)(uintptr_t)i});
      if (p->synth == SYN_NONE) { /* reported */
        t->failed = true;
        break;
      }
      u32 a = l->synths.at[p->synth].atom.i;
      find_neighbour(l, p);
      l->atoms.flags[a] = (u16)(ATOM_LIVE | ATOM_SYNTH | (o->aflags & (ATOM_ALLOC | ATOM_WRITE | ATOM_EXEC | ATOM_LARGE)));
      *vec_push(&inserts) = (LayoutInsert){p->osec, p->place, a};
    }
    l->synths.at[p->synth].size = l->atoms.at[l->synths.at[p->synth].atom.i].size = p->size;
  }
  if (inserts.n) {
    qsort(inserts.at, inserts.n, sizeof *inserts.at, by_place);
    layout_insert(l, inserts.at, inserts.n);
  }
  vec_free(&inserts);
}

static int compare_thunks(const void *pa, const void *pb, void *ctx) {
  const Link *l = ctx;
  const Thunk *a = &l->thunks->all.at[*(const u32 *)pa], *b = &l->thunks->all.at[*(const u32 *)pb];
  int c = compare_ends(&a->end, &b->end);
  if (c)
    return c;
  u64 x = l->thunks->pools.at[a->pool].addr + a->off, y = l->thunks->pools.at[b->pool].addr + b->off;
  return x < y ? -1 : x > y;
}

static int compare_pools(const void *pa, const void *pb, void *ctx) {
  const Thunks *t = ctx;
  u32 a = *(const u32 *)pa, b = *(const u32 *)pb;
  u64 x = t->pools.at[a].addr, y = t->pools.at[b].addr;
  return x != y ? (x < y ? -1 : 1) : a < b ? -1 : a > b;
}

/* Pools and islands in order of the addresses that they have now. */
static void sort_thunks(Link *l) {
  Thunks *t = l->thunks;
  for (u32 i = 0; i < t->pools.n; i++)
    t->pools.at[i].addr = pool_addr(l, &t->pools.at[i]);
  if (t->order.n)
    qsort_r(t->order.at, t->order.n, sizeof *t->order.at, compare_pools, t);
  for (u32 i = t->sorted.n; i < t->all.n; i++)
    *vec_push(&t->sorted) = i;
  if (t->sorted.n)
    qsort_r(t->sorted.at, t->sorted.n, sizeof *t->sorted.at, compare_thunks, l);
  for (u32 i = 1; i < t->sorted.n; i++) {
    Thunk *x = &t->all.at[t->sorted.at[i]], *before = &t->all.at[t->sorted.at[i - 1]];
    x->number = compare_ends(&x->end, &before->end) ? 0 : before->number + 1;
  }
}

static void serve_far(Round *r, u32 nfar) {
  for (r->mask = 15; r->mask / 2 < nfar; r->mask = 2 * r->mask + 1) {
  }
  r->newest = heap_alloc((r->mask + 1ull) * sizeof *r->newest);
  for (u32 i = 0; i < r->chunks.n; i++)
    for (u32 k = 0; k < r->chunks.at[i].far.n; k++)
      give_thunk(r, &r->chunks.at[i].far.at[k]);
  free(r->newest);
}

static void give_up(const Round *r) {
  for (u32 i = 0; i < r->chunks.n && !r->t->failed; i++)
    if (r->chunks.at[i].far.n) {
      report(r->l, &r->chunks.at[i].far.at[0], "branch islands do not settle");
      r->t->failed = true;
    }
}

bool thunks_round(Link *l) {
  Thunks *t = l->thunks;
  Round r = {.l = l, .t = t};
  u32 nfar = 0;
  if (!t || t->failed)
    return false;
  if (find_code(&r)) {
    sort_thunks(l);
    nfar = find_far(&r);
    if (t->rounds++ == MOST_ROUNDS)
      give_up(&r);
    else if (nfar)
      serve_far(&r, nfar);
    if (nfar)
      settle_pools(&r);
  }
  for (u32 i = 0; i < r.chunks.n; i++)
    vec_free(&r.chunks.at[i].far);
  vec_free(&r.chunks);
  vec_free(&r.code);
  return nfar && !t->failed;
}

void thunks_begin(Link *l, StubPlaceFn *stub_place) {
  const Arch *a = l->arch;
  i64 range = l->opt->branch_range && l->opt->branch_range <= INT64_MAX ? (i64)l->opt->branch_range : INT64_MAX;
  if (!a->thunk)
    return;
  Thunks *t = ARENA_NEW(&l->arena, Thunks);
  BranchReach *reach = ARENA_ARRAY(&l->arena, BranchReach, a->nkinds);
  t->stub_place = stub_place;
  t->least = INT64_MAX;
  for (u32 k = 0; k < a->nkinds; k++) {
    reach[k] = a->branches[k];
    if (!reach[k].ahead)
      continue;
    reach[k].back = MAX(reach[k].back, -range);
    reach[k].ahead = MIN(reach[k].ahead, MAX(range - 1, 1));
    t->least = MIN(t->least, MIN(-reach[k].back, reach[k].ahead) - (reach[k].bias < 0 ? -reach[k].bias : reach[k].bias));
  }
  t->least = MAX(t->least, 0);
  t->reach = reach;
  l->thunks = t;
}

void thunks_free(Link *l) {
  Thunks *t = l->thunks;
  if (!t)
    return;
  for (u32 i = 0; i < t->pools.n; i++)
    vec_free(&t->pools.at[i].thunks);
  vec_free(&t->all);
  vec_free(&t->sorted);
  vec_free(&t->pools);
  vec_free(&t->order);
}
