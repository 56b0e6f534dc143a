/* release.c: see release.h. The trap: MADV_DONTNEED on anything but a private mapping of a file that
 * nobody wrote to loses data, so only what stands in Link.maps is given back before the end of the link. */
#include "core/release.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "core/link.h"

enum {
  PAGE = 4096,
  WORTH = 128 << 10, /* a system call, and a flush on every core that runs the process */
  PIECE = 8 << 20,
  MUCH = 64 << 20, /* less goes as fast with the process */
  MANY_ATOMS = 1 << 17,
};

static int by_address(const void *pa, const void *pb) {
  const Bytes *a = pa, *b = pb;
  return a->p < b->p ? -1 : a->p > b->p;
}

Mapped mapped_inputs(const Link *l) {
  Mapped m = {heap_alloc(sizeof(Bytes) * l->maps.n), l->maps.n};
  if (m.n)
    memcpy(m.at, l->maps.at, sizeof(Bytes) * m.n);
  qsort(m.at, m.n, sizeof *m.at, by_address);
  return m;
}

void mapped_release(const Mapped *m, Bytes b) {
  if (b.len < WORTH)
    return;
  u32 lo = FIRST_NOT(m->n, i, m->at[i].p <= b.p); /* the one before begins at or before b */
  if (!lo || (u64)(b.p - m->at[lo - 1].p) > m->at[lo - 1].len ||
      b.len > m->at[lo - 1].len - (u64)(b.p - m->at[lo - 1].p))
    return;
  uintptr_t begin = ((uintptr_t)b.p + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
  uintptr_t end = ((uintptr_t)b.p + b.len) & ~(uintptr_t)(PAGE - 1);
  if (begin < end)
    madvise((void *)begin, end - begin, MADV_DONTNEED);
}

typedef struct {
  u8 *p;
  u64 len;
} Piece;

typedef VEC(Piece) Pieces;

/* The kernel puts one mapping beside the other: a piece goes over many small ones, since each call
 * interrupts the other cores. */
static void add_pieces(Pieces *v, const void *at, u64 bytes) {
  u8 *p = (u8 *)(uintptr_t)at;
  for (u64 len = align_up(bytes, PAGE); len;) {
    Piece *last = v->n ? &v->at[v->n - 1] : NULL;
    bool joins = last && last->p + last->len == p && last->len < PIECE;
    u64 n = MIN(len, joins ? PIECE - last->len : (u64)PIECE);
    if (joins)
      last->len += n;
    else
      *vec_push(v) = (Piece){p, n};
    p += n;
    len -= n;
  }
}

static void drop_pieces(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  const Piece *p = ctx;
  for (u32 i = begin; i < end; i++)
    madvise(p[i].p, p[i].len, MADV_DONTNEED);
}

void release_at_end(const Link *l) {
  Mapped m = mapped_inputs(l);
  Pieces v = {0};
  u64 bytes = 0;
  for (u32 i = 0; i < m.n; i++)
    bytes += m.at[i].len;
  for (u32 i = 0; bytes >= MUCH && i < m.n; i++)
    add_pieces(&v, m.at[i].p, m.at[i].len);
  if (l->atoms.n > MANY_ATOMS) /* the largest arrays */
    add_pieces(&v, l->atoms.block.p, l->atoms.block.len);
  pool_run(l->pool, v.n, 1, drop_pieces, v.at);
  vec_free(&v);
  free(m.at);
}
