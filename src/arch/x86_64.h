/* x86_64.h: the x86-64 row of the CPU table, and its edge kinds (made from x86_64.def). */
#ifndef WELD_ARCH_X86_64_H
#define WELD_ARCH_X86_64_H

#include "arch/x86_64.def"
#include "core/target.h"

typedef enum {
#define X(kind, bits, class, name) X64_##kind,
  X86_64_EDGES(X)
#undef X
  X64_COUNT
} X64Edge;

extern const Arch arch_x86_64;

#endif
