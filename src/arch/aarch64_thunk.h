/* aarch64_thunk.h: fields of the AArch64 row that branch islands need (core/thunks.h). */
#ifndef WELD_ARCH_AARCH64_THUNK_H
#define WELD_ARCH_AARCH64_THUNK_H

#include "arch/aarch64.h"

enum { A64_THUNK_SIZE = 12 };

extern const BranchReach a64_branches[A64_COUNT];
extern const ThunkShape a64_thunk;
bool a64_write_thunk(u8 *out, u64 at, u64 target); /* Arch.write_thunk */

#endif
