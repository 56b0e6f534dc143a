/* aarch64.h: the AArch64 row of the CPU table, and its edge kinds (made from aarch64.def). */
#ifndef WELD_ARCH_AARCH64_H
#define WELD_ARCH_AARCH64_H

#include "arch/aarch64.def"
#include "core/target.h"

typedef enum {
#define X(kind, bits, class, name) A64_##kind,
  AARCH64_EDGES(X)
#undef X
  A64_COUNT
} A64Edge;

extern const Arch arch_aarch64;

#endif
