/* macho_unwind_info.h: __TEXT,__unwind_info, how the unwinder finds a function by its address (libunwind's
 * <mach-o/compact_unwind_encoding.h>): two levels of index, and a number for each function that says where its frame keeps what.
 * The trap: an entry holds until the next one begins, so code without unwind information needs entries that say so. */
#ifndef WELD_WRITE_MACHO_UNWIND_INFO_H
#define WELD_WRITE_MACHO_UNWIND_INFO_H

#include "util/arena.h"
#include "util/bytes.h"

enum { MACHO_UNWIND_PERSONALITIES = 3 };

/* A function, or a run of code. */
typedef struct {
  u64 addr;
  u64 lsda;        /* address of its table of handlers, 0: none */
  u32 length;
  u32 encoding;    /* the CPU's compact encoding, the personality's bits zero; 0: nothing is known */
  u32 personality; /* index in MachoUnwindInfo.personalities + 1, 0: none */
  bool unique;     /* holds for its own address only: never one with a neighbour */
} MachoUnwindEntry;

typedef struct {
  u64 base;               /* address of the Mach-O header */
  MachoUnwindEntry *entries; /* sorted by address by macho_unwind_plan() */
  u32 nentries;
  const u64 *personalities;  /* addresses of their GOT slots; needed when written only */
  u32 npersonalities;     /* at most MACHO_UNWIND_PERSONALITIES */
} MachoUnwindInfo;

typedef struct MachoUnwindPlan MachoUnwindPlan;

/* Sorts the entries, makes equal neighbours one and cuts the rest into pages. In the arena; `in` and its arrays stay in use. NULL
 * without entries that say something. */
MachoUnwindPlan *macho_unwind_plan(Arena *arena, MachoUnwindInfo *in);
/* Bytes of the section, a multiple of 4. */
u64 macho_unwind_size(const MachoUnwindPlan *p);
/* The section. */
void macho_unwind_write(const MachoUnwindPlan *p, u8 *out);

#endif
