/* thunks.h: branch islands (thunks): what a branch whose end is out of its reach goes to instead, a few instructions that go on
 * from there. How far branches reach and what an island is made of are rows of the CPU (Arch.branches, Arch.thunk).
 * Islands of one place are one Synth, a pool, among the atoms of an output section; layout makes them, since only
 * addresses show who needs one. A story that wants them calls thunks_begin() before layout; without that, layout
 * looks at no branch. */
#ifndef WELD_CORE_THUNKS_H
#define WELD_CORE_THUNKS_H

#include "core/link.h"

/* Where branches end: `off` in an atom, or, where that is 0, `off` from the value of a global symbol. */
typedef struct {
  u32 atom, sym;
  i64 off;
} ThunkEnd;

typedef struct {
  ThunkEnd end;
  u32 pool;
  u64 off;     /* in the pool */
  u32 number;  /* of those with this end, by address */
  AtomId from; /* the first branch that asked for it: its atom and edge, for names */
  Edge edge;
} Thunk;

typedef struct {
  u32 synth;        /* index in Link.synths */
  u32 osec, place;  /* where layout shall put it: before that atom of the section. Right until it is there */
  AtomId beside;    /* the atom of an input that it stands behind, */
  bool in_front;    /* or in front of, where there is none */
  u64 addr;         /* of this round */
  u64 size;
  VEC(u32) thunks;  /* in order of their offsets */
} ThunkPool;

/* Where the stub of a symbol is that has one (SymAux.plt or .pltgot): the Synth, and where in it. */
typedef u32 StubPlaceFn(const Link *l, const SymAux *x, u64 *off);

typedef struct Thunks {
  StubPlaceFn *stub_place;
  const BranchReach *reach; /* by kind of edge: Arch.branches within --branch-range */
  i64 least;                /* what every branch reaches, either way */
  VEC(Thunk) all;           /* in the order in which they were made */
  VEC(u32) sorted;          /* by end, then by address */
  VEC(ThunkPool) pools;
  VEC(u32) order;           /* pools by address */
  u32 rounds;
  bool failed;              /* there is a branch that no island can help: it was reported */
} Thunks;

/* Layout shall make islands. Calls of what has a stub go to that: stub_place knows where. Nothing happens for a CPU that has no
 * islands. */
void thunks_begin(Link *l, StubPlaceFn *stub_place);
/* For layout, when addresses have settled: adds what branches need. True: sizes have changed, and there may be more atoms. */
bool thunks_round(Link *l);
/* After layout: the island that edge e of atom a goes to; NULL: e is no branch, or reaches its end. Thread safe. */
const Thunk *thunk_of(const Link *l, AtomId a, const Edge *e);
u64 thunk_addr(const Link *l, const Thunk *t);
/* A that makes a branch of this kind land on the first byte of what it refers to. */
i64 thunk_bias(const Link *l, u32 kind);
void thunks_free(Link *l);

#endif
