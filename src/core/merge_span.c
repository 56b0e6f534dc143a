/* merge_span.c: where the bytes of a segment went, once all first occurrences have their places. Strings that
 * were written one behind the other, and those that are found again in the same order, need one span
 * together: there are far fewer spans than pieces, and what a relocation asks for is in the cache.
 * The trap: merge_all_spans() reads the own spans of other segments while those get all of theirs, so own
 * spans stay as they are. */
#include "core/merge_internal.h"

enum {
  FEW = 8,         /* spans that are walked through without an index */
  COARSE_MIN = 6,  /* bytes of an entry of MergeSeg.coarse (log2) */
  COARSE_EACH = 4, /* entries for each span */
};

/* `join`: it follows what was added last. */
static void add(SpanVec *v, u32 in, u64 out, bool join) {
  const MergeSpan *last = v->n ? &v->at[v->n - 1] : NULL;
  if (!join || !last || last->out - last->in != out - in)
    *vec_push(v) = (MergeSpan){in, out};
}

static MergeSpan *keep(const SpanVec *v, Arena *a) {
  MergeSpan *p = ARENA_ARRAY(a, MergeSpan, v->n);
  return memcpy(p, v->at, sizeof *p * v->n);
}

/* coarse[b]: the last span that begins at or before byte b << shift; one more than there are blocks. */
static void index_spans(MergeSeg *s, Arena *a) {
  if (s->nspan <= FEW)
    return;
  s->shift = COARSE_MIN;
  while (s->size >> s->shift > (u64)s->nspan * COARSE_EACH)
    s->shift++;
  u32 blocks = (s->size >> s->shift) + 2, b = 0;
  s->coarse = ARENA_ARRAY(a, u32, blocks);
  for (u32 i = 1; i < s->nspan; i++)
    for (u32 end = s->span[i].in; b < blocks && (u64)b << s->shift < end; b++)
      s->coarse[b] = i - 1;
  for (; b < blocks; b++)
    s->coarse[b] = s->nspan - 1;
}

void merge_own_spans(Merge *m, u32 seg, SpanVec *tmp, Arena *a) {
  MergeSeg *s = &m->seg[seg];
  const MergeGroup *g = &m->group[s->group];
  u64 out = s->out;
  tmp->n = 0;
  for (u32 k = 0, i = 0; i < s->n; k++) { /* from run to run */
    u32 end = k < s->nrun ? s->run[k].at : s->n;
    for (u32 from = i; i < end; i++) {
      const Piece *p = &s->piece[i];
      if (p->slot & PIECE_FIRST) { /* as they were placed: the table need not be asked */
        add(tmp, p->in, out, i > from);
        out += merge_piece_size(g, p);
      } else {
        add(tmp, p->in, g->table[p->slot], i > from);
      }
    }
    i++;
  }
  if (!tmp->n)
    return;
  s->own = keep(tmp, a);
  s->nown = tmp->n;
  if (!s->nrun) {
    s->span = s->own;
    s->nspan = s->nown;
    index_spans(s, a);
  }
}

/* What the segment that a run leads to has there. */
static void add_run(const MergeSeg *own, const MergeRun *r, u32 len, SpanVec *out) {
  u32 lo = 0, hi = own->nown;
  while (hi - lo > 1) {
    u32 mid = lo + (hi - lo) / 2;
    if (own->own[mid].in <= r->off)
      lo = mid;
    else
      hi = mid;
  }
  for (u32 at = r->off; at < r->off + len; at = own->own[lo].in) {
    const MergeSpan *x = &own->own[lo];
    add(out, r->in + (at - r->off), x->out + (at - x->in), true);
    if (++lo == own->nown)
      break;
  }
}

void merge_all_spans(Merge *m, u32 seg, SpanVec *tmp, Arena *a) {
  MergeSeg *s = &m->seg[seg];
  if (!s->nrun || !s->n)
    return;
  const MergeSpan *x = s->own, *end = x + s->nown;
  tmp->n = 0;
  for (u32 k = 0; k < s->nrun; k++) {
    const MergeRun *r = &s->run[k];
    for (; x < end && x->in < r->in; x++)
      add(tmp, x->in, x->out, true);
    add_run(&m->seg[r->seg], r, s->piece[r->at + 1].in - r->in, tmp);
  }
  for (; x < end; x++)
    add(tmp, x->in, x->out, true);
  s->span = keep(tmp, a);
  s->nspan = tmp->n;
  index_spans(s, a);
}

u64 merge_place(const MergeSeg *s, u32 off) {
  const MergeSpan *span = s->span;
  u32 lo = 0, hi, in = MIN(off, s->size - 1);
  if (UNLIKELY(!s->nspan))
    return 0;
  hi = s->nspan - 1; /* the answer is in [lo, hi] */
  if (s->coarse) {
    const u32 *c = &s->coarse[in >> s->shift];
    lo = c[0];
    hi = c[1];
  }
  while (UNLIKELY(hi - lo > FEW)) {
    u32 mid = lo + (hi - lo) / 2;
    if (span[mid].in <= in)
      lo = mid;
    else
      hi = mid;
  }
  while (lo < hi && span[lo + 1].in <= in)
    lo++;
  return span[lo].out + (off - span[lo].in);
}
