/* merge_internal.h: what the files merge*.c share. Nobody else includes it.
 *
 * The life of a piece: merge_split.c finds it and leaves its hash in Piece.slot; merge_table.c joins it
 * with its equals and replaces the hash by a slot of the group's table; merge.c gives the first
 * occurrence of each (PIECE_FIRST) a place, in the order of the input; merge_span.c says in few words where
 * the bytes of each segment went.
 * A stretch of pieces that stand in an earlier segment too, one behind the other, is one MergeRun and no
 * pieces: inputs that include the same headers have few pieces of their own.
 * The trap: while pieces are inserted, a table slot names a piece; when places are known, it is an
 * offset, until spans are made of them and the table goes. */
#ifndef WELD_CORE_MERGE_INTERNAL_H
#define WELD_CORE_MERGE_INTERNAL_H

#include "core/link.h"

enum {
  PIECE_FIRST = 1u << 31, /* in Piece.slot: this occurrence is the one that is written */
  HLL_BITS = 12,          /* registers of the estimate of distinct pieces (log2) */
};
/* An atom is cut into runs of about this size, so that one huge input is still work for many threads. */
#define MERGE_SEG_BYTES (4ull << 20)

typedef struct {
  u32 in;   /* offset in the segment */
  u32 slot; /* hash; then slot in the table, with PIECE_FIRST */
} Piece;

/* The bytes from `in` to the next piece are whole pieces, the same as at `off` of an earlier segment, where
 * they are pieces of its own: a run never leads to a run. */
typedef struct {
  u32 in, off;
  u32 seg;
  u32 at;   /* which of the pieces stands for it; that one has slot 0 */
} MergeRun;

/* Bytes from `in` to the next span are at offset `out` of the group. */
typedef struct {
  u32 in;
  u64 out;
} MergeSpan;

/* A run of whole pieces of one mergeable atom. */
typedef struct {
  u64 start;      /* of data, in the atom */
  MergeSpan *span; /* all bytes, once places are known */
  u32 *coarse;    /* the span that holds byte i << shift; NULL: there are few */
  u32 nspan;
  u32 size;
  u32 group;
  u8 shift;
  bool done;      /* its pieces have their slots (atomic while inserting) */
  const u8 *data;
  Piece *piece;   /* n and an end marker */
  MergeRun *run;
  MergeSpan *own; /* spans of all that is in no run */
  u32 n;          /* pieces, those that stand for runs included */
  u32 nrun, nown;
  u32 nfirst;     /* pieces that had PIECE_FIRST when they were inserted */
  u32 nfollow;    /* pieces in runs */
  u32 atom;       /* AtomId; 0: made by weld */
  u64 out;        /* offset in the group of the first piece that is written from here */
  u64 out_size;
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
  u64 *table;     /* tag << 56 | segment << 32 | offset; then offset in the group; NULL once there are spans */
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

static inline bool merge_is_strings(const MergeGroup *g) { return g->key.attr & ATTR_STRINGS; }
/* Bytes that a piece takes in the output. */
static inline u64 merge_piece_size(const MergeGroup *g, const Piece *p) {
  return align_up(p[1].in - p[0].in, 1ull << g->key.p2align);
}

/* merge_split.c: a segment is split from front to back, some at a time, into the thread's own `out`. */
typedef VEC(Piece) PieceVec;
typedef VEC(MergeRun) RunVec;
typedef VEC(MergeSpan) SpanVec;
typedef struct {
  PieceVec pieces;
  RunVec runs;
  SpanVec spans;
} MergeTmp; /* of a thread, for one segment after the other */
typedef struct {
  const MergeSeg *s;
  u32 entsize;
  bool strings;
  u8 *hll;       /* or NULL */
  PieceVec *out;
  RunVec *runs;
  u32 n;         /* pieces so far; out->at[n].in is where the next one begins */
  u32 nfollow;   /* pieces in runs */
  u32 pos;       /* bytes looked at */
} Splitter;
Splitter merge_split_begin(const MergeSeg *s, const MergeGroup *g, MergeTmp *tmp, u8 *hll);
/* Looks at about `bytes` more of the segment. */
void merge_split_some(Splitter *sp, u32 bytes);
/* Keeps the pieces and runs. */
void merge_split_end(const Splitter *sp, MergeSeg *s, Arena *a);
/* About how many distinct pieces a group has, from the registers of n threads. */
u64 merge_estimate(u8 *const *hll, u32 n);
/* End of the last string that ends at or before `size`; 0: none. */
u64 merge_string_end(const u8 *p, u64 size, u32 entsize);

/* merge_table.c: joins n pieces of a segment with those already in the table. p[n].in is valid. */
void merge_insert(Merge *m, u32 seg, Piece *p, u32 n);
/* Hashes and joins all of them again, after the table overflowed. */
void merge_again(Merge *m, u32 seg);
/* merge_follow.c: all of the above for a segment that was not split yet. */
void merge_join(Merge *m, u32 seg, MergeTmp *tmp, Arena *a);
/* Clears PIECE_FIRST where an earlier occurrence took over. */
void merge_settle(Merge *m, u32 seg);

/* merge_span.c: where the segment's own pieces are, when all first occurrences have their places; then, when
 * that was done for all segments, where all its bytes are. `tmp` is the thread's own. */
void merge_own_spans(Merge *m, u32 seg, SpanVec *tmp, Arena *a);
void merge_all_spans(Merge *m, u32 seg, SpanVec *tmp, Arena *a);
/* Offset in the group of the byte at `off` of the segment, which may be past its end. */
u64 merge_place(const MergeSeg *s, u32 off);

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
