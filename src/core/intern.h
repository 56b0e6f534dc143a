/* intern.h: names to numbers, in parallel and deterministically. Names are partitioned by hash into
 * shards; a thread owns a shard while it inserts, so there are no locks, a shard's table stays in
 * cache, and the numbers depend on the order of the inputs only.
 * Two names are one when their 128-bit hashes are: comparing the bytes again would cost two cache misses
 * a name, and a collision of XXH3-128 by chance is less likely than a bit flip.
 * The trap: ids are (local << 6 | shard) until intern_seal(); intern_final() maps them afterwards. */
#ifndef WELD_CORE_INTERN_H
#define WELD_CORE_INTERN_H

#include "util/arena.h"
#include "util/base.h"
#include "util/bytes.h"
#include "util/hash.h"
#include "util/threads.h"

enum { INTERN_SHARDS = 64, INTERN_SHARD_SHIFT = 58 };

typedef struct {
  Hash128 hash;
  const char *p;  /* `len` bytes; must outlive the table */
  u64 key;        /* of the occurrence; the table keeps the smallest (core/resolve.h) */
  u32 *out;       /* gets the id */
  u32 len;
} InternEnt;

/* Some names in input order, already sorted (stably) by shard: shard s is [from[s], from[s + 1]). */
typedef struct {
  InternEnt *ents;
  u32 from[INTERN_SHARDS + 1];
} InternChunk;

typedef struct {
  Hash128 hash;
  const char *p;
  u64 key;
  u32 len;
} InternSym;

typedef struct {
  VEC(InternSym) syms;
  u64 *slots; /* tag << 32 | local + 1 */
  u32 mask;
  u32 base;   /* id of local 0, after intern_seal() */
  bool lent;  /* syms and slots are in Interner.block */
} InternShard;

typedef struct {
  InternShard shards[INTERN_SHARDS];
  u32 total;
  Bytes block; /* from pages_alloc */
} Interner;

/* Makes room for about `names` different names, for which the tables then need not grow. Before all else. */
void intern_reserve(Interner *t, u64 names);
/* Sorts ents[0..n) by shard into out->ents (room for n) and fills out->from. */
void intern_sort(const InternEnt *ents, u32 n, InternChunk *out);
/* Inserts the chunks in order. */
void intern_batch(Interner *t, Pool *pool, const InternChunk *chunks, u32 n);
/* Gives final numbers, shard after shard. */
void intern_seal(Interner *t);
static inline u32 intern_final(const Interner *t, u32 id) {
  return t->shards[id & (INTERN_SHARDS - 1)].base + (id >> 6);
}
/* Final id of a name; UINT32_MAX when it is not there. After intern_seal(). */
u32 intern_find(const Interner *t, const char *p, u64 len);
void intern_free(Interner *t);

#endif
