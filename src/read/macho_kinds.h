/* macho_kinds.h: the numbers of edge kinds of both CPUs, for the Mach-O reader: X64_* and A64_*. */
#ifndef WELD_READ_MACHO_KINDS_H
#define WELD_READ_MACHO_KINDS_H

#include "arch/aarch64.def"
#include "arch/x86_64.def"

enum {
#define X(kind, bits, class, name) X64_##kind,
  X86_64_EDGES(X)
#undef X
};
enum {
#define X(kind, bits, class, name) A64_##kind,
  AARCH64_EDGES(X)
#undef X
};

#endif
