/* merge_split.c: cuts mergeable content into pieces and hashes them. This reads every byte of every
 * mergeable section, so the search for zero bytes looks at 64 of them at a time.
 * The trap: the caller has checked that a string segment ends with a zero element; nothing here looks
 * for the end again. */
#include "core/merge_internal.h"
#include "util/hash.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
  AHEAD = 1 << 10,   /* bytes; the hardware does not look over the end of a page */
};

#ifdef __SSE2__
static inline u64 zero_mask16(const u8 *p) {
  __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
  return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_setzero_si128()));
}
#else
static inline u64 zero_mask16(const u8 *p) {
  u64 mask = 0;
  for (unsigned i = 0; i < 16; i++)
    mask |= (u64)(p[i] == 0) << i;
  return mask;
}
#endif

/* Bit i is set when p[i] is zero, for 64 bytes. */
static inline u64 zero_mask(const u8 *p) {
  return zero_mask16(p) | zero_mask16(p + 16) << 16 | zero_mask16(p + 32) << 32 |
         zero_mask16(p + 48) << 48;
}

static inline void count(u8 *hll, u64 h) {
  u8 rank = (u8)(1 + __builtin_clzll(h << HLL_BITS | 1));
  u8 *r = &hll[h >> (64 - HLL_BITS)];
  if (*r < rank)
    *r = rank;
}

/* The table takes its index from the low bits and its tag from the high ones. */
static inline u32 fold(u64 h) { return (u32)(h ^ h >> 32); }

static inline void emit(Piece *out, const u8 *p, u32 begin, u32 end, u8 *hll) {
  u64 h = hash_bytes(p + begin, end - begin);
  if (hll)
    count(hll, h);
  *out = (Piece){begin, fold(h)};
}

/* Each takes the pieces that end in the next bytes of the segment, up to `limit`. */

static void split_bytes(Splitter *sp, u32 limit) {
  const u8 *p = sp->s->data;
  u32 begin = sp->out->at[sp->n].in, pos = sp->pos, n = sp->n;
  Piece *out = sp->out->at;
  for (; limit - pos >= 64; pos += 64) {
    __builtin_prefetch(p + pos + AHEAD);
    for (u64 mask = zero_mask(p + pos); mask; mask &= mask - 1) {
      u32 end = pos + (u32)__builtin_ctzll(mask) + 1;
      emit(&out[n++], p, begin, end, sp->hll);
      begin = end;
    }
  }
  for (; pos < limit; pos++)
    if (!p[pos]) {
      emit(&out[n++], p, begin, pos + 1, sp->hll);
      begin = pos + 1;
    }
  out[n].in = begin;
  sp->n = n;
}

static inline bool is_zero(const u8 *p, u32 entsize) {
  switch (entsize) {
  case 1: return !*p;
  case 2: return !rd16(p);
  case 4: return !rd32(p);
  }
  for (u32 i = 0; i < entsize; i++)
    if (p[i])
      return false;
  return true;
}

static void split_wide(Splitter *sp, u32 limit) {
  const u8 *p = sp->s->data;
  u32 begin = sp->out->at[sp->n].in;
  for (u32 pos = sp->pos; pos < limit; pos += sp->entsize)
    if (is_zero(p + pos, sp->entsize)) {
      emit(&sp->out->at[sp->n++], p, begin, pos + sp->entsize, sp->hll);
      begin = pos + sp->entsize;
    }
  sp->out->at[sp->n].in = begin;
}

static void split_constants(Splitter *sp, u32 limit) {
  for (u32 pos = sp->pos; pos < limit; pos += sp->entsize)
    emit(&sp->out->at[sp->n++], sp->s->data, pos, pos + sp->entsize, sp->hll);
  sp->out->at[sp->n].in = limit;
}

Splitter merge_split_begin(const MergeSeg *s, const MergeGroup *g, MergeTmp *tmp, u8 *hll) {
  vec_reserve(&tmp->pieces, 1);
  tmp->pieces.at[0] = (Piece){0};
  tmp->runs.n = 0;
  return (Splitter){.s = s,
                    .entsize = g->key.entsize,
                    .strings = merge_is_strings(g),
                    .hll = hll,
                    .out = &tmp->pieces,
                    .runs = &tmp->runs};
}

void merge_split_some(Splitter *sp, u32 bytes) {
  u32 limit = sp->pos + MIN(sp->s->size - sp->pos, bytes - bytes % sp->entsize);
  vec_reserve(sp->out, sp->n + (limit - sp->pos) / sp->entsize + 1);
  if (!sp->strings)
    split_constants(sp, limit);
  else if (sp->entsize == 1)
    split_bytes(sp, limit);
  else
    split_wide(sp, limit);
  sp->pos = limit;
}

void merge_split_end(const Splitter *sp, MergeSeg *s, Arena *a) {
  s->n = sp->n;
  if (!s->n)
    return;
  s->piece = ARENA_ARRAY(a, Piece, s->n + 1);
  memcpy(s->piece, sp->out->at, sizeof(Piece) * ((u64)s->n + 1));
  s->nrun = sp->runs->n;
  s->nfollow = sp->nfollow;
  if (s->nrun) {
    s->run = ARENA_ARRAY(a, MergeRun, s->nrun);
    memcpy(s->run, sp->runs->at, sizeof(MergeRun) * s->nrun);
  }
}

/* A run has no hash: what it leads to is joined where it stands. */
void merge_again(Merge *m, u32 seg) {
  MergeSeg *s = &m->seg[seg];
  s->nfirst = 0;
  for (u32 k = 0, i = 0; i < s->n; k++) {
    u32 end = k < s->nrun ? s->run[k].at : s->n;
    for (Piece *p = s->piece + i; p < s->piece + end; p++)
      p->slot = fold(hash_bytes(s->data + p->in, p[1].in - p->in));
    merge_insert(m, seg, s->piece + i, end - i);
    i = end + 1;
  }
}

/* HyperLogLog (Flajolet et al., 2007), about 2 % off; only the size of a table hangs on it. The
 * correction for small counts is left out: small groups do not ask. */
u64 merge_estimate(u8 *const *hll, u32 n) {
  const u32 m = 1u << HLL_BITS;
  double sum = 0;
  for (u32 i = 0; i < m; i++) {
    u8 rank = 0;
    for (u32 t = 0; t < n; t++)
      if (hll[t])
        rank = MAX(rank, hll[t][i]);
    sum += 1.0 / (double)(1ull << rank);
  }
  return (u64)(0.7213 / (1 + 1.079 / m) * m * m / sum);
}

u64 merge_string_end(const u8 *p, u64 size, u32 entsize) {
  if (entsize == 1) {
    const u8 *z = memrchr(p, 0, size);
    return z ? (u64)(z - p) + 1 : 0;
  }
  for (u64 end = size - size % entsize; end; end -= entsize)
    if (is_zero(p + end - entsize, entsize))
      return end;
  return 0;
}
