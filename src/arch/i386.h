/* i386.h: the i386 row of the CPU table, and its edge kinds (made from i386.def). */
#ifndef WELD_ARCH_I386_H
#define WELD_ARCH_I386_H

#include "arch/i386.def"
#include "core/target.h"

typedef enum {
#define X(kind, bits, class, name) I386_##kind,
  I386_EDGES(X)
#undef X
  I386_COUNT
} I386Edge;

extern const Arch arch_i386;

#endif
