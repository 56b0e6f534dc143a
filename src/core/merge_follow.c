/* merge_follow.c: joins the pieces of a segment, following an earlier segment where it can. Inputs that
 * include the same headers have mostly the same strings in the same order, so once a string was found
 * again, the next ones are probably the ones that stood behind it there: then whole stretches are
 * compared and kept as one run, and nothing is hashed, looked up or written for each piece.
 * The trap: only a segment that is done (its slots are written and stay) and that stands before this
 * one can be followed; then no piece of this one can be the first occurrence. */
#include "core/merge_internal.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
  WINDOW_MIN = 512,       /* bytes to hash before the next try to follow */
  WINDOW_MAX = 16 << 10,  /* as much as stays in the cache between splitting and inserting */
  FOLLOW_GOOD = 512,      /* bytes */
  AHEAD = 1 << 10,        /* bytes; the hardware does not look over the end of a page */
};

/* Number of the piece that holds byte `off` < s->size. */
static u32 find(const MergeSeg *s, u32 off) {
  u32 lo = 0, hi = s->n;
  while (hi - lo > 1) {
    u32 mid = lo + (hi - lo) / 2;
    if (s->piece[mid].in <= off)
      lo = mid;
    else
      hi = mid;
  }
  return lo;
}

/* The first run that stands for piece i or one behind it. */
static const MergeRun *run_from(const MergeSeg *s, u32 i) {
  return s->run + FIRST_NOT(s->nrun, k, s->run[k].at < i);
}

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
  u32 seg;
  u32 next; /* piece */
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
  u32 next = find(s, (u32)v) + 1;
  return next < s->n ? (Leader){s, other, next} : (Leader){0};
}

/* Where the piece begins that holds byte `off` of a segment. */
static u32 piece_begin(const Merge *m, const MergeSeg *s, u32 off) {
  u32 i = find(s, off);
  const MergeRun *r = run_from(s, i);
  if (r == s->run + s->nrun || r->at != i)
    return s->piece[i].in;
  const MergeSeg *own = &m->seg[r->seg];
  return r->in + (own->piece[find(own, r->off + (off - r->in))].in - r->off);
}

/* The next `len` bytes are what stands at `off` of segment `seg`, whose own pieces they are. */
static void add_run(const Merge *m, Splitter *sp, u32 seg, u32 off, u32 len) {
  const MergeSeg *own = &m->seg[seg];
  u32 in = sp->out->at[sp->n].in;
  sp->nfollow += find(own, off + len - 1) - find(own, off) + 1;
  const MergeRun *last = sp->runs->n ? &sp->runs->at[sp->runs->n - 1] : NULL;
  if (last && last->at == sp->n - 1 && last->seg == seg && off - last->off == in - last->in) {
    sp->out->at[sp->n].in = in + len;
    return;
  }
  vec_reserve(sp->out, sp->n + 2);
  *vec_push(sp->runs) = (MergeRun){.in = in, .off = off, .seg = seg, .at = sp->n};
  sp->out->at[sp->n].slot = 0; /* not the first of anything */
  sp->out->at[++sp->n].in = in + len;
}

/* Takes the pieces that are the leader's too; returns how many bytes. */
static u32 follow(const Merge *m, Splitter *sp, Leader *lead) {
  const MergeSeg *s = sp->s, *o = lead->s;
  u32 begin = sp->out->at[sp->n].in, from = o->piece[lead->next].in;
  u32 stop = from + common(s->data + begin, o->data + from, MIN(s->size - begin, o->size - from));
  if (stop < o->size)
    stop = piece_begin(m, o, stop);
  const MergeRun *r = run_from(o, lead->next), *end = o->run + o->nrun;
  for (u32 at = from, next; at < stop; at = next) {
    if (r < end && r->in == at) {
      next = MIN(o->piece[r->at + 1].in, stop);
      add_run(m, sp, r->seg, r->off, next - at);
      r++;
    } else {
      next = MIN(r < end ? r->in : o->size, stop);
      add_run(m, sp, lead->seg, at, next - at);
    }
  }
  sp->pos = MAX(sp->pos, sp->out->at[sp->n].in);
  return stop - from;
}

void merge_join(Merge *m, u32 seg, MergeTmp *tmp, Arena *a) {
  MergeSeg *s = &m->seg[seg];
  const MergeGroup *g = &m->group[s->group];
  Splitter sp = merge_split_begin(s, g, tmp, NULL);
  for (u32 window = WINDOW_MIN; sp.pos < s->size;) {
    u32 done = sp.n;
    merge_split_some(&sp, window);
    if (sp.n == done)
      continue;
    merge_insert(m, seg, sp.out->at + done, sp.n - done);
    Leader lead = find_leader(m, seg, g, &sp.out->at[sp.n - 1]);
    bool good = lead.s && follow(m, &sp, &lead) >= FOLLOW_GOOD;
    window = good ? WINDOW_MIN : MIN(window * 2, (u32)WINDOW_MAX);
  }
  merge_split_end(&sp, s, a);
  __atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
}
