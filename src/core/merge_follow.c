/* merge_follow.c: joins the pieces of a segment, following an earlier segment where it can. Inputs that
 * include the same headers have mostly the same strings in the same order, so once a string was found
 * again, the next ones are probably the ones that stood behind it there: then whole stretches are
 * compared, and nothing is hashed or looked up.
 * The trap: only a segment that is done (its slots are written and stay) and that stands before this
 * one can be followed; then no piece of this one can be the first occurrence. */
#include "core/merge_internal.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
  WINDOW_MIN = 512,       /* bytes to hash before the next try to follow */
  WINDOW_MAX = 16 << 10,  /* as much as stays in the cache between splitting and inserting */
  FOLLOW_GOOD = 8,        /* pieces */
  AHEAD = 1 << 10,        /* bytes; the hardware does not look over the end of a page */
};

/* Length of the common beginning of a and b. */
static u32 common(const u8 *a, const u8 *b, u32 max) {
  u32 i = 0;
#ifdef __SSE2__
  for (; max - i >= 32; i += 32) {
    if (i % 64 == 0)
      __builtin_prefetch(a + i + AHEAD);
    __m128i a0 = _mm_loadu_si128((const __m128i *)(const void *)(a + i));
    __m128i b0 = _mm_loadu_si128((const __m128i *)(const void *)(b + i));
    __m128i a1 = _mm_loadu_si128((const __m128i *)(const void *)(a + i + 16));
    __m128i b1 = _mm_loadu_si128((const __m128i *)(const void *)(b + i + 16));
    u32 same = (u32)_mm_movemask_epi8(_mm_cmpeq_epi8(a0, b0)) |
               (u32)_mm_movemask_epi8(_mm_cmpeq_epi8(a1, b1)) << 16;
    if (same != UINT32_MAX)
      return i + (u32)__builtin_ctz(~same);
  }
#endif
  while (i < max && a[i] == b[i])
    i++;
  return i;
}

/* A place in an earlier segment. */
typedef struct {
  const MergeSeg *s;
  const Piece *next;
} Leader;

/* Where the last inserted piece was found again: what stands behind it there may come next here. */
static Leader find_leader(const Merge *m, u32 seg, const MergeGroup *g, const Piece *last) {
  if (last->slot & PIECE_FIRST || __atomic_load_n(&g->full, __ATOMIC_RELAXED))
    return (Leader){0};
  u64 v = __atomic_load_n(&g->table[last->slot], __ATOMIC_RELAXED);
  u32 other = (u32)(v >> 32) & 0xffffff;
  const MergeSeg *s = &m->seg[other];
  if (other >= seg || !__atomic_load_n(&s->done, __ATOMIC_ACQUIRE))
    return (Leader){0};
  const Piece *p = &s->piece[merge_find(s, g->key.entsize, (u32)v)] + 1;
  return p < s->piece + s->n ? (Leader){s, p} : (Leader){0};
}

/* Takes the pieces that are the leader's too; returns how many. */
static u32 follow(Splitter *sp, Leader *lead) {
  const MergeSeg *s = sp->s, *o = lead->s;
  const Piece *p = lead->next, *end = o->piece + o->n;
  u32 begin = sp->out->at[sp->n].in, from = p->in, old = sp->n;
  u32 run = common(s->data + begin, o->data + from, MIN(s->size - begin, o->size - from));
  for (; p < end && p[1].in - from <= run; p++) {
    vec_reserve(sp->out, sp->n + 2);
    sp->out->at[sp->n++] = (Piece){begin + (p->in - from), p->slot & ~PIECE_FIRST};
    sp->out->at[sp->n].in = begin + (p[1].in - from);
  }
  sp->pos = MAX(sp->pos, sp->out->at[sp->n].in);
  return sp->n - old;
}

void merge_join(Merge *m, u32 seg, PieceVec *tmp, Arena *a) {
  MergeSeg *s = &m->seg[seg];
  const MergeGroup *g = &m->group[s->group];
  Splitter sp = merge_split_begin(s, g, tmp, NULL);
  for (u32 window = WINDOW_MIN; sp.pos < s->size;) {
    u32 done = sp.n;
    merge_split_some(&sp, window);
    if (sp.n == done)
      continue;
    merge_insert(m, seg, tmp->at + done, sp.n - done);
    Leader lead = find_leader(m, seg, g, &tmp->at[sp.n - 1]);
    bool good = lead.s && follow(&sp, &lead) >= FOLLOW_GOOD;
    window = good ? WINDOW_MIN : MIN(window * 2, (u32)WINDOW_MAX);
  }
  merge_split_end(&sp, s, a);
  __atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
}
