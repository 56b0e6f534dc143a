/* elf_edge_kinds.h: kinds of edges as relocations of ELF objects, by CPU. The reader has the same facts the other way round. */
#ifndef WELD_WRITE_ELF_EDGE_KINDS_H
#define WELD_WRITE_ELF_EDGE_KINDS_H

#include "core/link.h"

typedef struct {
  const char *arch;   /* Arch.name */
  u16 machine;        /* e_machine */
  u32 n;              /* kinds are below */
  const u16 *numbers; /* by kind: that of the relocation, + 1; 0: it has none */
  const bool *is_tls; /* kinds for thread-local symbols only, as assemblers know them: an undefined name that is used so is one */
  const u8 *fields;   /* bytes of the field that an addend stands in where relocations have none (SHT_REL); NULL: they have */
} ElfEdgeKinds;

/* NULL: ELF objects are not written for the link's CPU. */
const ElfEdgeKinds *elf_edge_kinds(const Link *l);

#endif
