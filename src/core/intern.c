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

static void grow(InternShard *s) {
  u32 n = s->mask ? (s->mask + 1) * 2 : 256;
  u64 *slots = heap_alloc(n * sizeof *slots);
  for (u32 i = 0; i < s->syms.n; i++) {
    u64 h = s->syms.at[i].hash.lo;
    u32 k = (u32)h & (n - 1);
    while (slots[k])
      k = (k + 1) & (n - 1);
    slots[k] = tag_of(h) << 32 | (i + 1);
  }
  free(s->slots);
  s->slots = slots;
  s->mask = n - 1;
}

static inline u32 insert(InternShard *s, const InternEnt *e) {
  if (UNLIKELY(s->syms.n * 2 >= s->mask))
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
  for (u32 s = 0; s < INTERN_SHARDS; s++) {
    vec_free(&t->shards[s].syms);
    free(t->shards[s].slots);
  }
}
