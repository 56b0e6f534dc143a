/* merge_split.c: cuts mergeable content into pieces and hashes them. This reads every byte of every
 * mergeable section, so the search for zero bytes looks at 64 of them at a time.
 * The trap: the caller has checked that a string segment ends with a zero element; nothing here looks
 * for the end again. */
#include "core/merge_internal.h"
#include "util/hash.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

static u32 split_bytes(const u8 *p, u32 size, PieceVec *v, u8 *hll) {
  u32 begin = 0, pos = 0, n = 0;
  for (; size - pos >= 64; pos += 64) {
    vec_reserve(v, n + 64);
    for (u64 mask = zero_mask(p + pos); mask; mask &= mask - 1) {
      u32 end = pos + (u32)__builtin_ctzll(mask) + 1;
      emit(&v->at[n++], p, begin, end, hll);
      begin = end;
    }
  }
  vec_reserve(v, n + 65);
  for (; pos < size; pos++)
    if (!p[pos]) {
      emit(&v->at[n++], p, begin, pos + 1, hll);
      begin = pos + 1;
    }
  return n;
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

static u32 split_wide(const u8 *p, u32 size, u32 entsize, PieceVec *v, u8 *hll) {
  u32 begin = 0, n = 0;
  for (u32 pos = 0; pos < size; pos += entsize)
    if (is_zero(p + pos, entsize)) {
      vec_reserve(v, n + 2);
      emit(&v->at[n++], p, begin, pos + entsize, hll);
      begin = pos + entsize;
    }
  vec_reserve(v, n + 1);
  return n;
}

static u32 split_constants(const u8 *p, u32 size, u32 entsize, PieceVec *v, u8 *hll) {
  u32 n = 0;
  vec_reserve(v, size / entsize + 1);
  for (u32 pos = 0; pos < size; pos += entsize)
    emit(&v->at[n++], p, pos, pos + entsize, hll);
  return n;
}

/* coarse[b]: the last piece that begins at or before byte b << COARSE_SHIFT. */
static void index_pieces(MergeSeg *s, Arena *a) {
  u32 blocks = (s->size >> COARSE_SHIFT) + 1, b = 0;
  s->coarse = ARENA_ARRAY(a, u32, blocks);
  for (u32 i = 1; i < s->n; i++)
    for (u32 end = s->piece[i].in; b < blocks && b << COARSE_SHIFT < end; b++)
      s->coarse[b] = i - 1;
  for (; b < blocks; b++)
    s->coarse[b] = s->n - 1;
}

void merge_split(MergeSeg *s, const MergeGroup *g, PieceVec *tmp, Arena *a, u8 *hll) {
  if (!s->size)
    return;
  u32 entsize = g->key.entsize;
  if (!merge_is_strings(g))
    s->n = split_constants(s->data, s->size, entsize, tmp, hll);
  else if (entsize == 1)
    s->n = split_bytes(s->data, s->size, tmp, hll);
  else
    s->n = split_wide(s->data, s->size, entsize, tmp, hll);
  tmp->at[s->n] = (Piece){s->size, 0};
  s->piece = ARENA_ARRAY(a, Piece, s->n + 1);
  memcpy(s->piece, tmp->at, sizeof(Piece) * ((u64)s->n + 1));
  if (merge_is_strings(g))
    index_pieces(s, a);
}

void merge_rehash(MergeSeg *s) {
  for (Piece *p = s->piece, *end = p + s->n; p < end; p++)
    p->slot = fold(hash_bytes(s->data + p->in, p[1].in - p->in));
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
