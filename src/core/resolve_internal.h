/* resolve_internal.h: what the files resolve_*.c share. Nobody else includes it. */
#ifndef WELD_CORE_RESOLVE_INTERNAL_H
#define WELD_CORE_RESOLVE_INTERNAL_H

#include "core/link.h"
#include "core/resolve.h"

enum { REC_BATCH = 128 }; /* symbols that are decoded at a time */

#define FOR_FILES_GRAIN(l) ((l)->files.n > 256 ? 16u : 1u)

typedef VEC(u32) U32Vec;

static inline u64 make_key(u64 rank, u64 file, u64 index) { return rank << 56 | file << 32 | index; }

#endif
