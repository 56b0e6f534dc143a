/* merge_table.c: joins equal pieces in one open-addressed table a group, shared by all threads without
 * locks. A slot names the earliest occurrence seen so far (segment, offset), so an insertion is a
 * compare-and-swap on an empty slot, or a minimum on a full one; the order in which threads arrive does
 * not matter in the end. The trap: only PIECE_FIRST flags of pieces that were the minimum at some time
 * are set, and merge_settle() must run before they mean anything. */
#include "core/merge_internal.h"

enum { BATCH = 32, FLUSH = 1024 };

#define KEY_BITS 56
#define KEY_MASK ((1ull << KEY_BITS) - 1)

static inline u64 slot_load(const u64 *slot) { return __atomic_load_n(slot, __ATOMIC_RELAXED); }

static inline bool slot_swap(u64 *slot, u64 *seen, u64 want) {
  return __atomic_compare_exchange_n(slot, seen, want, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static inline const MergeSeg *slot_seg(const Merge *m, u64 v) {
  return &m->seg[(v >> 32) & 0xffffff];
}

static inline bool same(const Merge *m, u64 v, const u8 *p, u32 len) {
  const MergeSeg *s = slot_seg(m, v);
  u32 off = (u32)v;
  return len <= s->size - off && !memcmp(s->data + off, p, len);
}

/* True when the piece is new. */
static inline bool insert(const Merge *m, MergeGroup *g, u64 mine, Piece *p, const u8 *data) {
  u32 hash = p->slot, len = p[1].in - p->in;
  u64 mask = g->cap - 1, i = hash & mask;
  for (u64 tries = 0; tries <= mask; tries++, i = (i + 1) & mask) {
    u64 v = slot_load(&g->table[i]);
    if (!v && slot_swap(&g->table[i], &v, mine)) {
      p->slot = (u32)i | PIECE_FIRST;
      return true;
    }
    if (v >> KEY_BITS != mine >> KEY_BITS || !same(m, v, data, len))
      continue;
    while (mine < v)
      if (slot_swap(&g->table[i], &v, mine)) {
        p->slot = (u32)i | PIECE_FIRST;
        return false;
      }
    p->slot = (u32)i;
    return false;
  }
  __atomic_store_n(&g->full, true, __ATOMIC_RELAXED);
  return false;
}

/* Asks for the memory that insert() will look at: the slots first, then what they name. */
static void prefetch(const Merge *m, const MergeGroup *g, const Piece *p, u32 n) {
  u64 mask = g->cap - 1;
  for (u32 i = 0; i < n; i++)
    __builtin_prefetch(&g->table[p[i].slot & mask], 1);
  for (u32 i = 0; i < n; i++) {
    u64 v = slot_load(&g->table[p[i].slot & mask]);
    if (!v || v >> KEY_BITS != p[i].slot >> 24)
      continue;
    const u8 *at = slot_seg(m, v)->data + (u32)v;
    __builtin_prefetch(at);
    if (p[i + 1].in - p[i].in > 64)
      __builtin_prefetch(at + 64);
  }
}

static bool flush(MergeGroup *g, u32 fresh) {
  if (__atomic_add_fetch(&g->unique, fresh, __ATOMIC_RELAXED) > g->cap - g->cap / 8)
    __atomic_store_n(&g->full, true, __ATOMIC_RELAXED);
  return !__atomic_load_n(&g->full, __ATOMIC_RELAXED);
}

void merge_insert(Merge *m, u32 seg, Piece *piece, u32 count) {
  MergeSeg *s = &m->seg[seg];
  MergeGroup *g = &m->group[s->group];
  u32 fresh = 0;
  if (__atomic_load_n(&g->full, __ATOMIC_RELAXED))
    return;
  for (u32 i = 0; i < count; i += BATCH) {
    u32 n = MIN(count - i, (u32)BATCH);
    Piece *p = piece + i;
    prefetch(m, g, p, n);
    for (u32 j = 0; j < n; j++) {
      u64 mine = (u64)(p[j].slot >> 24) << KEY_BITS | (u64)seg << 32 | p[j].in;
      fresh += insert(m, g, mine, &p[j], s->data + p[j].in);
      s->nfirst += p[j].slot >> 31;
    }
    if (fresh >= FLUSH) {
      if (!flush(g, fresh))
        return;
      fresh = 0;
    }
  }
  if (fresh)
    flush(g, fresh);
}

void merge_settle(Merge *m, u32 seg) {
  const MergeSeg *s = &m->seg[seg];
  const u64 *table = m->group[s->group].table;
  if (!s->nfirst)
    return;
  for (Piece *p = s->piece, *end = p + s->n; p < end; p++)
    if (p->slot & PIECE_FIRST) {
      u64 v = table[p->slot & ~PIECE_FIRST] & KEY_MASK;
      if (v != ((u64)seg << 32 | p->in))
        p->slot &= ~PIECE_FIRST;
    }
}
