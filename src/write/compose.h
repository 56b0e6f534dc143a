/* compose.h: the bytes of output sections, made in cache-sized buffers on all threads. A Plan lists
 * what stands where in the file; composing hands every stretch of finished bytes to a sink once,
 * while it is hot: the sink writes, hashes or compresses it. The trap: how a Plan falls into tasks
 * depends on the layout alone, never on threads, since build ids and compressed streams are made
 * task by task. */
#ifndef WELD_WRITE_COMPOSE_H
#define WELD_WRITE_COMPOSE_H

#include "core/link.h"

/* Part of one output section, or ready bytes. */
typedef struct {
  u64 begin, end;  /* offsets in the file */
  const u8 *bytes; /* ready bytes, else NULL */
  u32 osec;        /* OsecId; 0: ready bytes that belong to none */
  u32 synth;       /* index of the Synth this is a part of, from synth_off on; else 0 */
  u32 first, last; /* else atoms [first, last) of the section ... */
  u64 addr;        /* ... where `begin` stands for this address */
  u64 synth_off;
  bool late;
} Piece;

typedef struct {
  u64 begin, end;
  u32 first, count; /* pieces */
} ComposeTask;

typedef struct {
  Link *l;
  u64 shard; /* not 0: pieces cover every byte, a task is about so many bytes of one output section
              */
  VEC(Piece) pieces;
  VEC(ComposeTask) tasks; /* ntasks_early that can be composed at once, then the late ones */
  u32 ntasks_early;
  void *special; /* Synths that have pieces of their own, in order of osec and place */
  u32 nspecial;
  u64 rela_dyn;  /* offset of .rela.dyn in the file, UINT64_MAX: it is not there */
} Plan;

/* Where composed bytes go. Calls of one task come from one thread: begin, put in order of offsets
 * and without holes from the task's begin to its end, end. `whole`: this put is all of the task. In between
 * `put_aside` gets what the task's atoms have in .rela.dyn.
 * Then, when there is a `write`, every stretch that was put is written, in any order, by a thread that
 * has its turn; one that would have to wait composes some more meanwhile. */
typedef struct {
  void *ctx;
  void (*begin)(void *ctx, unsigned tid, u32 task);
  void (*put)(void *ctx, unsigned tid, u32 task, const u8 *p, u64 len, bool whole);
  void (*put_aside)(void *ctx, unsigned tid, u32 task, const u8 *p, u64 len);
  void (*end)(void *ctx, unsigned tid, u32 task);
  bool (*take_turn)(void *ctx, bool wait);
  void (*write)(void *ctx, const u8 *p, u64 len, u64 off);
  void (*end_turn)(void *ctx);
  void (*before_late)(void *ctx); /* called once, when all is done but what is late; or NULL */
} Sink;

/* `shard`: 0, or for compression the size of a task; then holes of zeros are not left out, and
 * sections don't share tasks. */
void plan_init(Plan *p, Link *l, u64 shard);
/* Bytes that are ready; they must stay until the plan has run. */
void plan_add_bytes(Plan *p, u32 osec, const u8 *bytes, u64 len, u64 off);
/* All of a Synth, wherever the layout put it. */
void plan_add_synth(Plan *p, u32 osec, u32 synth, u64 off);
/* A whole output section (Osec.filesz bytes) at file offset `off`. Addresses must be final. */
void plan_add_osec(Plan *p, u32 osec, u64 off);
/* Orders the pieces and makes the tasks. Reports overlapping pieces. */
void plan_seal(Plan *p);
/* Composes everything: what is not late in parallel, then what is late. */
void plan_run(const Plan *p, const Sink *sink);
void plan_free(Plan *p);

#endif
