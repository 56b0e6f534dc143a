/* merge_tail.c: "bar" is put into the last bytes of "foobar" (-O2 and above, as other linkers do). The
 * strings of a group are sorted from their last character backward, longer ones first, so that a
 * string stands right behind one that it ends. The trap: the order must be total and must not depend
 * on how the work was divided; it is, because a group's strings differ from one another. */
#include <stdlib.h>

#include "core/merge_internal.h"

enum { BUCKETS = 257 };

typedef struct {
  const u8 *end; /* behind the last character; the terminator is left out */
  u32 len;       /* bytes, without the terminator */
  u32 slot;
  Piece *piece;
} Tail;

typedef struct {
  Tail *at;
  TailShare *share;
  u32 entsize;
  u64 align;
  u64 bucket[BUCKETS + 1]; /* begins */
  u64 cursor[BUCKETS];
} Tails;

/* The character at `depth` from the end; -1 behind the first one. */
static inline i64 unit(const Tail *t, u32 entsize, u64 depth) {
  u64 back = (depth + 1) * entsize;
  if (back > t->len)
    return -1;
  const u8 *p = t->end - back;
  switch (entsize) {
  case 1: return *p;
  case 2: return rd16(p);
  case 4: return rd32(p);
  }
  i64 v = 0; /* other sizes are sorted by 7 bytes of each element: some shares are missed, none is wrong */
  for (u32 i = 0; i < entsize && i < 7; i++)
    v = v << 8 | p[i];
  return v;
}

static inline void swap(Tail *a, Tail *b) {
  Tail t = *a;
  *a = *b;
  *b = t;
}

static i64 median(i64 a, i64 b, i64 c) { return MAX(MIN(a, b), MIN(MAX(a, b), c)); }

/* Multikey quicksort, descending (Bentley and Sedgewick, 1997). The largest part is done in the loop,
 * so the recursion is log2(n) deep at most. */
static void sort_tails(Tail *t, u64 n, u32 entsize, u64 depth) {
  while (n > 1) {
    i64 pivot = median(unit(&t[0], entsize, depth), unit(&t[n / 2], entsize, depth),
                       unit(&t[n - 1], entsize, depth));
    u64 lo = 0, i = 0, hi = n;
    while (i < hi) {
      i64 c = unit(&t[i], entsize, depth);
      if (c > pivot)
        swap(&t[lo++], &t[i++]);
      else if (c < pivot)
        swap(&t[i], &t[--hi]);
      else
        i++;
    }
    struct {
      Tail *t;
      u64 n, depth;
    } part[3] = {{t, lo, depth}, {t + lo, pivot < 0 ? 0 : hi - lo, depth + 1}, {t + hi, n - hi, depth}};
    u32 big = 0;
    for (u32 k = 1; k < 3; k++)
      if (part[k].n > part[big].n)
        big = k;
    for (u32 k = 0; k < 3; k++)
      if (k != big)
        sort_tails(part[k].t, part[k].n, entsize, part[k].depth);
    t = part[big].t;
    n = part[big].n;
    depth = part[big].depth;
  }
}

static void share_buckets(void *ctx, u32 begin, u32 end, unsigned tid) {
  Tails *ts = ctx;
  (void)tid;
  for (u32 b = begin; b < end; b++) {
    u64 from = ts->bucket[b], n = ts->bucket[b + 1] - from;
    Tail *t = ts->at + from;
    sort_tails(t, n, ts->entsize, 0);
    const Tail *host = NULL;
    for (u64 i = 0; i < n; i++) {
      u32 delta = host && host->len >= t[i].len ? host->len - t[i].len : 1;
      ts->share[from + i] = (TailShare){t[i].slot, t[i].slot, 0};
      if (host && host->len >= t[i].len && delta % ts->align == 0 && delta % ts->entsize == 0 &&
          !memcmp(host->end - t[i].len, t[i].end - t[i].len, t[i].len)) {
        ts->share[from + i] = (TailShare){t[i].slot, host->slot, delta};
        t[i].piece->slot &= ~PIECE_FIRST;
      } else {
        host = &t[i];
      }
    }
  }
}

/* Strings of one last byte go to one bucket, so that buckets can be sorted apart. */
static u32 bucket_of(const u8 *end, u32 len, u32 entsize) { return len ? end[-(i64)entsize] : 256; }

typedef void EachFn(Tails *ts, Piece *p, const u8 *end, u32 len, u32 bucket);

static void each_first(Tails *ts, const Merge *m, const MergeGroup *g, EachFn *fn) {
  for (u32 s = g->first; s < g->first + g->n; s++) {
    const MergeSeg *seg = &m->seg[s];
    for (Piece *p = seg->piece, *e = p + seg->n; p < e; p++)
      if (p->slot & PIECE_FIRST) {
        const u8 *end = seg->data + p[1].in - ts->entsize;
        u32 len = p[1].in - p->in - ts->entsize;
        fn(ts, p, end, len, bucket_of(end, len, ts->entsize));
      }
  }
}

static void count_tail(Tails *ts, Piece *p, const u8 *end, u32 len, u32 bucket) {
  (void)p, (void)end, (void)len;
  ts->bucket[bucket + 1]++;
}

static void put_tail(Tails *ts, Piece *p, const u8 *end, u32 len, u32 bucket) {
  ts->at[ts->cursor[bucket]++] = (Tail){end, len, p->slot & ~PIECE_FIRST, p};
}

TailShares merge_tails(Link *l, Merge *m, MergeGroup *g) {
  Tails *ts = heap_alloc(sizeof *ts);
  ts->entsize = g->key.entsize;
  ts->align = 1ull << g->key.p2align;
  each_first(ts, m, g, count_tail);
  for (u32 b = 0; b < BUCKETS; b++)
    ts->bucket[b + 1] += ts->bucket[b];
  memcpy(ts->cursor, ts->bucket, sizeof ts->cursor);
  u64 n = ts->bucket[BUCKETS];
  ts->at = pages_alloc(sizeof(Tail) * n);
  ts->share = pages_alloc(sizeof(TailShare) * n);
  each_first(ts, m, g, put_tail);
  pool_run(l->pool, BUCKETS, n < 4096 ? BUCKETS : 1, share_buckets, ts);
  TailShares r = {ts->share, n, sizeof(TailShare) * n};
  pages_free(ts->at, sizeof(Tail) * n);
  free(ts);
  return r;
}

void merge_place_tails(MergeGroup *g, TailShares *t) {
  for (u64 i = 0; i < t->n; i++)
    if (t->at[i].host != t->at[i].slot)
      g->table[t->at[i].slot] = g->table[t->at[i].host] + t->at[i].delta;
  pages_free(t->at, t->bytes);
}
