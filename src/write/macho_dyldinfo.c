/* macho_dyldinfo.c: pointers are sorted by where they stand, and what can be said of several in one opcode is. The
 * trap: a distance is unsigned, so one that would lead back (pointers that overlap) is a new place instead. */
#include "write/macho_dyldinfo.h"

#include <stdlib.h>

#include "format/macho.h"
#include "util/leb.h"

enum { POINTER = 8, IMM_MAX = 15 };

/* Where dyld stands. */
typedef struct {
  ByteVec out;
  u64 at;      /* offset in the segment */
  u32 segment;
  bool placed;
} Place;

static void op(Place *p, u32 opcode, u32 imm) { *vec_push(&p->out) = (u8)(opcode | imm); }

static void op_uleb(Place *p, u32 opcode, u32 imm, u64 n) {
  op(p, opcode, imm);
  uleb_put(&p->out, n);
}

static bool scales(u64 bytes) { return bytes % POINTER == 0 && bytes / POINTER <= IMM_MAX; }

/* ---- rebase ---- */

static int rebase_order(const void *a, const void *b) {
  const MachoRebase *x = a, *y = b;
  if (x->segment != y->segment)
    return x->segment < y->segment ? -1 : 1;
  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void rebase_go(Place *p, const MachoRebase *r) {
  if (!p->placed || r->segment != p->segment || r->offset < p->at)
    op_uleb(p, REBASE_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB, r->segment, r->offset);
  else if (r->offset != p->at && scales(r->offset - p->at))
    op(p, REBASE_OPCODE_ADD_ADDR_IMM_SCALED, (u32)((r->offset - p->at) / POINTER));
  else if (r->offset != p->at)
    op_uleb(p, REBASE_OPCODE_ADD_ADDR_ULEB, 0, r->offset - p->at);
  p->placed = true;
  p->segment = r->segment;
  p->at = r->offset;
}

/* How many pointers from the first on stand at the same distance from each other, which is `step`. */
static u32 rebase_run(const MachoRebase *r, u32 n, u64 step) {
  u32 run = 1;
  while (run < n && r[run].segment == r->segment && r[run].offset - r[run - 1].offset == step)
    run++;
  return run;
}

static void rebase_times(Place *p, u32 n) {
  if (n <= IMM_MAX)
    op(p, REBASE_OPCODE_DO_REBASE_IMM_TIMES, n);
  else
    op_uleb(p, REBASE_OPCODE_DO_REBASE_ULEB_TIMES, 0, n);
  p->at += (u64)n * POINTER;
}

/* Does the first of n pointers, and those that go with it; returns how many that were. */
static u32 rebase_some(Place *p, const MachoRebase *r, u32 n) {
  rebase_go(p, r);
  u32 run = rebase_run(r, n, POINTER);
  if (run == 1 && n > 1 && r[1].segment == r->segment && r[1].offset - r->offset > POINTER) {
    u64 step = r[1].offset - r->offset;
    run = rebase_run(r, n, step) - 1; /* dyld skips behind each: the last would be left too far away */
    if (run == 1) {
      op_uleb(p, REBASE_OPCODE_DO_REBASE_ADD_ADDR_ULEB, 0, step - POINTER);
    } else {
      op_uleb(p, REBASE_OPCODE_DO_REBASE_ULEB_TIMES_SKIPPING_ULEB, 0, run);
      uleb_put(&p->out, step - POINTER);
    }
    p->at += run * step;
    return run;
  }
  rebase_times(p, run);
  return run;
}

Bytes macho_rebase_encode(Arena *arena, MachoRebase *r, u32 n) {
  Place p = {0};
  if (!n)
    return (Bytes){0};
  qsort(r, n, sizeof *r, rebase_order);
  u32 kept = 1;
  for (u32 i = 1; i < n; i++) /* twice would be moved twice */
    if (rebase_order(&r[kept - 1], &r[i]))
      r[kept++] = r[i];
  op(&p, REBASE_OPCODE_SET_TYPE_IMM, REBASE_TYPE_POINTER);
  for (u32 i = 0; i < kept;)
    i += rebase_some(&p, r + i, kept - i);
  op(&p, REBASE_OPCODE_DONE, 0);
  bytes_pad(&p.out, 8);
  return bytes_take(&p.out, arena);
}

/* ---- bind ---- */

static int place_order(const MachoBind *x, const MachoBind *y) {
  if (x->segment != y->segment)
    return x->segment < y->segment ? -1 : 1;
  if (x->offset != y->offset)
    return x->offset < y->offset ? -1 : 1;
  return x->addend < y->addend ? -1 : x->addend > y->addend;
}

static int weak_order(const void *a, const void *b) {
  const MachoBind *x = a, *y = b;
  int order = strcmp(x->name, y->name);
  if (order)
    return order;
  if (x->flags != y->flags)
    return x->flags < y->flags ? -1 : 1;
  return place_order(x, y);
}

static int bind_order(const void *a, const void *b) {
  const MachoBind *x = a, *y = b;
  if (x->ordinal != y->ordinal)
    return x->ordinal < y->ordinal ? -1 : 1;
  return weak_order(a, b);
}

/* What dyld binds to, unless told otherwise. */
typedef struct {
  Place p;
  const char *name;
  i64 addend;
  i32 ordinal;
  u32 flags;
  bool has_ordinal;
} Binder;

static void bind_ordinal(Binder *s, i32 ordinal) {
  if (s->has_ordinal && s->ordinal == ordinal)
    return;
  if (ordinal <= 0)
    op(&s->p, BIND_OPCODE_SET_DYLIB_SPECIAL_IMM, (u32)ordinal & IMM_MAX);
  else if (ordinal <= IMM_MAX)
    op(&s->p, BIND_OPCODE_SET_DYLIB_ORDINAL_IMM, (u32)ordinal);
  else
    op_uleb(&s->p, BIND_OPCODE_SET_DYLIB_ORDINAL_ULEB, 0, (u64)ordinal);
  s->has_ordinal = true;
  s->ordinal = ordinal;
}

static void bind_name(Binder *s, const char *name, u32 flags) {
  if (s->name && s->flags == flags && streq(s->name, name))
    return;
  op(&s->p, BIND_OPCODE_SET_SYMBOL_TRAILING_FLAGS_IMM, flags & IMM_MAX);
  bytes_put(&s->p.out, name, strlen(name) + 1);
  s->name = name;
  s->flags = flags;
}

static void bind_addend(Binder *s, i64 addend) {
  if (s->addend == addend)
    return;
  op(&s->p, BIND_OPCODE_SET_ADDEND_SLEB, 0);
  sleb_put(&s->p.out, addend);
  s->addend = addend;
}

static void bind_go(Place *p, const MachoBind *b) {
  if (!p->placed || b->segment != p->segment || b->offset < p->at)
    op_uleb(p, BIND_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB, b->segment, b->offset);
  else if (b->offset != p->at)
    op_uleb(p, BIND_OPCODE_ADD_ADDR_ULEB, 0, b->offset - p->at);
  p->placed = true;
  p->segment = b->segment;
  p->at = b->offset;
}

/* Can y be bound by one more opcode after x? */
static bool bind_follows(const MachoBind *x, const MachoBind *y, bool weak) {
  return x->segment == y->segment && y->offset >= x->offset + POINTER && x->addend == y->addend && x->flags == y->flags &&
         (weak || x->ordinal == y->ordinal) && streq(x->name, y->name);
}

/* Binds the first of n, for which all but the place is set, and those that go with it; returns how many that were. */
static u32 bind_some(Place *p, const MachoBind *b, u32 n, bool weak) {
  bind_go(p, b);
  if (n == 1 || !bind_follows(b, b + 1, weak)) {
    op(p, BIND_OPCODE_DO_BIND, 0);
    p->at += POINTER;
    return 1;
  }
  u64 step = b[1].offset - b->offset, skip = step - POINTER;
  u32 run = 1; /* of those that are followed by the next at this distance */
  while (run + 1 < n && bind_follows(b + run, b + run + 1, weak) && b[run + 1].offset - b[run].offset == step)
    run++;
  if (run > 1) {
    op_uleb(p, BIND_OPCODE_DO_BIND_ULEB_TIMES_SKIPPING_ULEB, 0, run);
    uleb_put(&p->out, skip);
  } else if (!skip) {
    op(p, BIND_OPCODE_DO_BIND, 0);
  } else if (scales(skip)) {
    op(p, BIND_OPCODE_DO_BIND_ADD_ADDR_IMM_SCALED, (u32)(skip / POINTER));
  } else {
    op_uleb(p, BIND_OPCODE_DO_BIND_ADD_ADDR_ULEB, 0, skip);
  }
  p->at += run * step;
  return run;
}

static Bytes bind_end(Binder *s, Arena *arena) {
  op(&s->p, BIND_OPCODE_DONE, 0);
  bytes_pad(&s->p.out, 8);
  return bytes_take(&s->p.out, arena);
}

Bytes macho_bind_encode(Arena *arena, MachoBind *b, u32 n) {
  Binder s = {0};
  if (!n)
    return (Bytes){0};
  qsort(b, n, sizeof *b, bind_order);
  op(&s.p, BIND_OPCODE_SET_TYPE_IMM, BIND_TYPE_POINTER);
  for (u32 i = 0; i < n;) {
    bind_ordinal(&s, b[i].ordinal);
    bind_name(&s, b[i].name, b[i].flags);
    bind_addend(&s, b[i].addend);
    i += bind_some(&s.p, b + i, n - i, false);
  }
  return bind_end(&s, arena);
}

static int by_name(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

Bytes macho_weak_bind_encode(Arena *arena, MachoBind *b, u32 n, const char **overrides, u32 noverrides) {
  Binder s = {0};
  if (!n && !noverrides)
    return (Bytes){0};
  if (n)
    qsort(b, n, sizeof *b, weak_order);
  if (noverrides)
    qsort(overrides, noverrides, sizeof *overrides, by_name);
  op(&s.p, BIND_OPCODE_SET_TYPE_IMM, BIND_TYPE_POINTER);
  for (u32 i = 0, o = 0; i < n || o < noverrides;) {
    if (o < noverrides && (i == n || strcmp(overrides[o], b[i].name) <= 0)) {
      bind_name(&s, overrides[o++], BIND_SYMBOL_FLAGS_NON_WEAK_DEFINITION);
      continue;
    }
    bind_name(&s, b[i].name, b[i].flags);
    bind_addend(&s, b[i].addend);
    i += bind_some(&s.p, b + i, n - i, true);
  }
  return bind_end(&s, arena);
}

Bytes macho_lazy_bind_encode(Arena *arena, const MachoBind *b, u32 n, u32 *offsets) {
  ByteVec out = {0};
  for (u32 i = 0; i < n; i++) {
    Binder s = {.p.out = out}; /* dyld begins afresh at each */
    offsets[i] = out.n;
    bind_go(&s.p, &b[i]);
    bind_ordinal(&s, b[i].ordinal);
    bind_name(&s, b[i].name, b[i].flags);
    bind_addend(&s, b[i].addend);
    op(&s.p, BIND_OPCODE_DO_BIND, 0);
    op(&s.p, BIND_OPCODE_DONE, 0);
    out = s.p.out;
  }
  bytes_pad(&out, 8);
  return bytes_take(&out, arena);
}
