/* intern.c: see intern.h. The trap: in intern_batch() a shard's work is done by whichever thread takes
 * it, but always over the chunks in order, which is what makes the numbers deterministic. */
#include "core/intern.h"

#include <stdlib.h>

#include "util/hash.h"

static inline u32 shard_of(u64 hash) { return (u32)(hash >> INTERN_SHARD_SHIFT); }
static inline u64 tag_of(u64 hash) { return (hash >> 20) & 0xffffffff; }

void intern_sort(const InternEnt *ents, u32 n, InternChunk *out) {
  u32 at[INTERN_SHARDS + 1] = {0};
  for (u32 i = 0; i < n; i++)
    at[shard_of(ents[i].hash.lo) + 1]++;
  for (u32 s = 0; s < INTERN_SHARDS; s++)
    at[s + 1] += at[s];
  memcpy(out->from, at, sizeof at);
  for (u32 i = 0; i < n; i++)
    out->ents[at[shard_of(ents[i].hash.lo)]++] = ents[i];
}

enum { SLOTS_MIN = 256, LENT_MIN = 4096 };

static u32 room_of(u32 slots) { return slots / 2; } /* names that go into a table */

void intern_reserve(Interner *t, u64 names) {
  u64 each = names / INTERN_SHARDS + names / INTERN_SHARDS / 4, slots = SLOTS_MIN; /* shards differ a little */
  while (room_of((u32)slots) < each && slots < 1 << 28)
    slots *= 2;
  if (slots < LENT_MIN)
    return;
  u64 total = 0, at_slots = pages_room(&total, INTERN_SHARDS * slots * sizeof(u64));
  u64 at_syms = pages_room(&total, INTERN_SHARDS * each * sizeof(InternSym));
  u8 *p = pages_alloc(total);
  t->block = (Bytes){p, total};
  for (u32 i = 0; i < INTERN_SHARDS; i++) {
    InternShard *s = &t->shards[i];
    s->slots = (u64 *)(p + at_slots) + i * slots;
    s->mask = (u32)slots - 1;
    s->syms.at = (InternSym *)(p + at_syms) + i * each;
    s->syms.cap = (u32)each;
    s->lent = true;
  }
}

/* The table is on the heap from now on. */
static void take_back(InternShard *s) {
  InternSym *at = heap_alloc((u64)s->syms.cap * 2 * sizeof *at);
  memcpy(at, s->syms.at, s->syms.n * sizeof *at);
  s->syms.at = at;
  s->syms.cap *= 2;
  s->lent = false;
}

static void grow(InternShard *s) {
  u32 n = s->mask ? (s->mask + 1) * 2 : SLOTS_MIN;
  u64 *slots = heap_alloc(n * sizeof *slots);
  bool lent = s->lent;
  if (lent)
    take_back(s);
  for (u32 i = 0; i < s->syms.n; i++) {
    u64 h = s->syms.at[i].hash.lo;
    u32 k = (u32)h & (n - 1);
    while (slots[k])
      k = (k + 1) & (n - 1);
    slots[k] = tag_of(h) << 32 | (i + 1);
  }
  if (!lent)
    free(s->slots);
  s->slots = slots;
  s->mask = n - 1;
}

static inline u32 insert(InternShard *s, const InternEnt *e) {
  if (UNLIKELY(s->syms.n >= room_of(s->mask) || (s->lent && s->syms.n == s->syms.cap)))
    grow(s);
  u64 tag = tag_of(e->hash.lo);
  for (u32 k = (u32)e->hash.lo & s->mask;; k = (k + 1) & s->mask) {
    u64 slot = s->slots[k];
    if (!slot) {
      vec_reserve(&s->syms, s->syms.n + 1);
      u32 i = s->syms.n++;
      s->syms.at[i] = (InternSym){e->hash, e->p, e->key, e->len};
      s->slots[k] = tag << 32 | (i + 1);
      return i;
    }
    if (slot >> 32 != tag)
      continue;
    u32 i = (u32)slot - 1;
    InternSym *x = &s->syms.at[i];
    if (x->hash.lo == e->hash.lo && x->hash.hi == e->hash.hi) {
      if (e->key < x->key)
        x->key = e->key;
      return i;
    }
  }
}

typedef struct {
  Interner *t;
  const InternChunk *chunks;
  u32 n;
} Batch;

static void insert_shards(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  enum { AHEAD = 12 };
  const Batch *b = ctx;
  for (u32 s = begin; s < end; s++) {
    InternShard *sh = &b->t->shards[s];
    for (u32 c = 0; c < b->n; c++) {
      const InternChunk *ch = &b->chunks[c];
      for (u32 i = ch->from[s], last = ch->from[s + 1]; i < last; i++) {
        const InternEnt *e = &ch->ents[i];
        if (i + AHEAD < last && sh->mask)
          __builtin_prefetch(&sh->slots[(u32)ch->ents[i + AHEAD].hash.lo & sh->mask]);
        *e->out = insert(sh, e) << 6 | s;
      }
    }
  }
}

void intern_batch(Interner *t, Pool *pool, const InternChunk *chunks, u32 n) {
  Batch b = {t, chunks, n};
  u32 total = 0;
  for (u32 i = 0; i < n; i++)
    total += chunks[i].from[INTERN_SHARDS];
  pool_run(pool, INTERN_SHARDS, total < 4096 ? INTERN_SHARDS : 2, insert_shards, &b);
}

void intern_seal(Interner *t) {
  t->total = 0;
  for (u32 s = 0; s < INTERN_SHARDS; s++) {
    t->shards[s].base = t->total;
    t->total += t->shards[s].syms.n;
  }
}

u32 intern_find(const Interner *t, const char *p, u64 len) {
  Hash128 hash = hash128_bytes(p, len);
  u64 h = hash.lo;
  const InternShard *s = &t->shards[shard_of(h)];
  if (!s->mask)
    return UINT32_MAX;
  for (u32 k = (u32)h & s->mask; s->slots[k]; k = (k + 1) & s->mask) {
    const InternSym *x = &s->syms.at[(u32)s->slots[k] - 1];
    if (x->hash.lo == h && x->hash.hi == hash.hi)
      return s->base + (u32)s->slots[k] - 1;
  }
  return UINT32_MAX;
}

void intern_free(Interner *t) {
  for (u32 s = 0; s < INTERN_SHARDS; s++)
    if (!t->shards[s].lent) {
      vec_free(&t->shards[s].syms);
      free(t->shards[s].slots);
    }
  pages_free((void *)(uintptr_t)t->block.p, t->block.len);
}
