/* elf_relocs.h: what an output that keeps its inputs' relocations (-r, --emit-relocs) must know of them before symbols are chosen.
 * read/elf_uses.c finds it out, write/elf_relocs.c believes it. */
#ifndef WELD_FORMAT_ELF_RELOCS_H
#define WELD_FORMAT_ELF_RELOCS_H

#include "util/base.h"

typedef struct ElfUses {
  u8 *atoms;   /* by AtomId: its section symbol is the target of a relocation */
  u8 *symbols; /* by SymId: the symbol is, or it names a group */
  u64 natoms, nsymbols; /* how many that are, for pages_free() */
} ElfUses;

#endif
