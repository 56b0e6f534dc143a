/* elf_relocs.h: what an output that keeps its inputs' relocations (-r, --emit-relocs) must know of them before symbols are chosen.
 * read/elf_uses.c finds it out, write/elf_relocs.c believes it. */
#ifndef WELD_FORMAT_ELF_RELOCS_H
#define WELD_FORMAT_ELF_RELOCS_H

#include "util/arena.h"

/* A line of a profile of calls, by SymId. */
typedef struct {
  u32 from, to;
  u64 weight;
} ElfUsedCall;

typedef struct ElfUses {
  u8 *atoms;   /* by AtomId: its section symbol is the target of a relocation */
  u8 *symbols; /* by SymId: the symbol is, or it names a group */
  u64 natoms, nsymbols; /* how many that are, for pages_free() */
  /* relocatable output: what compilers noted for linkers */
  VEC(ElfUsedCall) calls;
  VEC(u32) significant; /* SymIds whose addresses may be compared ... */
  bool all_significant; /* ... but it may be any, since an object does not say */
} ElfUses;

#endif
