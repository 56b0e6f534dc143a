/* merge_internal.h: what the files merge*.c share. Nobody else includes it.
 *
 * The life of a piece: merge_split.c finds it and leaves its hash in Piece.slot; merge_table.c joins it
 * with its equals and replaces the hash by a slot of the group's table; merge.c gives the first
 * occurrence of each (PIECE_FIRST) a place, in the order of the input, and replaces the slot by it.
 * The trap: while pieces are inserted, a table slot names a piece; when places are known, it is an
 * offset, until every piece has it and the table goes. */
#ifndef WELD_CORE_MERGE_INTERNAL_H
#define WELD_CORE_MERGE_INTERNAL_H

#include "core/link.h"

enum {
  PIECE_FIRST = 1u << 31, /* in Piece.slot: this occurrence is the one that is written */
  COARSE_SHIFT = 7,       /* one entry of MergeSeg.coarse for this many bytes (log2) */
  HLL_BITS = 12,          /* registers of the estimate of distinct pieces (log2) */
};
/* An atom is cut into runs of about this size, so that one huge input is still work for many threads. */
#define MERGE_SEG_BYTES (4ull << 20)

typedef struct {
  u32 in;   /* offset in the segment */
  u32 slot; /* hash; then slot in the table, with PIECE_FIRST; then offset in the group, with PIECE_FIRST */
} Piece;

/* A run of whole pieces of one mergeable atom. */
typedef struct {
  const u8 *data;
  u64 start;      /* of data, in the atom */
  u32 size;
  u32 n;          /* pieces */
  u32 nfirst;     /* that had PIECE_FIRST when they were inserted */
  Piece *piece;   /* n and an end marker; with constants piece i stands at i * entsize */
  u32 *coarse;    /* strings: the piece that holds byte i << COARSE_SHIFT */
  u64 out;        /* offset in the group of the first piece that is written from here */
  u64 out_size;
  u32 atom;       /* AtomId; 0: made by weld */
  u32 group;
  bool done;      /* its pieces have their slots (atomic while inserting) */
} MergeSeg;

typedef struct {
  u32 rule;       /* layout statement and pattern, UINT32_MAX: matched by name */
  u32 type, attr; /* attr: only ATTR_JOIN */
  u8 entsize, p2align;
  const char *name; /* without a rule: where it goes */
} MergeKey;

typedef struct {
  MergeKey key;
  const char *name; /* of the first input section */
  u32 first, n;   /* segments */
  u32 atom;       /* of the Synth */
  u64 bytes;      /* of input */
  u64 pieces;
  u64 out_size;
  u64 *table;     /* tag << 56 | segment << 32 | offset; then offset in the group. NULL once every piece
                     has its own offset, which groups of 2 GiB and more can't have */
  u64 cap;        /* slots, a power of two */
  u8 **hll;       /* registers, by thread; NULL in small groups */
  u32 stride;     /* every stride-th segment is looked at before the table is made */
  u64 unique;     /* inserted so far; atomic while inserting */
  bool full;      /* the table was too small (atomic) */
} MergeGroup;

struct Merge {
  MergeSeg *seg;  /* ordered by group, file, offset; 0 is none */
  u32 nseg;
  u64 seg_bytes;  /* of the allocation */
  MergeGroup *group;
  u32 ngroup;
  u32 *job;       /* job i is the segments [job[i], job[i + 1]) */
  u32 njob;
  u32 job_grain;  /* all jobs when they are not worth a thread */
};

/* Number of the piece that holds offset `off` < s->size. */
static inline u32 merge_find(const MergeSeg *s, u32 entsize, u32 off) {
  if (!s->coarse)
    return off / entsize;
  u32 i = s->coarse[off >> COARSE_SHIFT];
  while (s->piece[i + 1].in <= off) /* the end marker stops it */
    i++;
  return i;
}

static inline bool merge_is_strings(const MergeGroup *g) { return g->key.attr & ATTR_STRINGS; }
/* Bytes that a piece takes in the output. */
static inline u64 merge_piece_size(const MergeGroup *g, const Piece *p) {
  return align_up(p[1].in - p[0].in, 1ull << g->key.p2align);
}

/* merge_split.c: a segment is split from front to back, some at a time, into the thread's own `out`. */
typedef VEC(Piece) PieceVec;
typedef struct {
  const MergeSeg *s;
  u32 entsize;
  bool strings;
  u8 *hll;       /* or NULL */
  PieceVec *out;
  u32 n;         /* pieces so far; out->at[n].in is where the next one begins */
  u32 pos;       /* bytes looked at */
} Splitter;
Splitter merge_split_begin(const MergeSeg *s, const MergeGroup *g, PieceVec *out, u8 *hll);
/* Looks at about `bytes` more of the segment. */
void merge_split_some(Splitter *sp, u32 bytes);
/* Keeps the pieces: fills piece, n and coarse. */
void merge_split_end(const Splitter *sp, MergeSeg *s, Arena *a);
/* Puts the hashes back after a table overflowed. */
void merge_rehash(MergeSeg *s);
/* About how many distinct pieces a group has, from the registers of n threads. */
u64 merge_estimate(u8 *const *hll, u32 n);
/* End of the last string that ends at or before `size`; 0: none. */
u64 merge_string_end(const u8 *p, u64 size, u32 entsize);

/* merge_table.c: joins n pieces of a segment with those already in the table. p[n].in is valid. */
void merge_insert(Merge *m, u32 seg, Piece *p, u32 n);
/* merge_follow.c: all of the above for a segment that was not split yet. */
void merge_join(Merge *m, u32 seg, PieceVec *tmp, Arena *a);
/* Clears PIECE_FIRST where an earlier occurrence took over. */
void merge_settle(Merge *m, u32 seg);

/* merge_tail.c: at -O2, strings that end another one share its bytes. Between settling and placing:
 * takes PIECE_FIRST from the shorter ones. After placing: gives them their places. */
typedef struct {
  u32 slot, host; /* table slots: the string, and the one that it ends */
  u32 delta;      /* its offset in the host */
} TailShare;
typedef struct {
  TailShare *at;
  u64 n, bytes;
} TailShares;
TailShares merge_tails(Link *l, Merge *m, MergeGroup *g);
void merge_place_tails(MergeGroup *g, TailShares *t);

#endif
