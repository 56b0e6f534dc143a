/* elf_uses.h: which symbols the relocations of the live sections name. */
#ifndef WELD_READ_ELF_USES_H
#define WELD_READ_ELF_USES_H

#include "core/link.h"
#include "format/elf_relocs.h"

/* Checks every relocation of every live section, allocated or not, as write/elf_relocs.c will believe it: its symbol is one of
 * the file, its place is in the section. Reports those that are not. In relocatable output groups are checked, too. The arrays
 * are the link's. After resolve_dead(); runs on all threads. */
ElfUses *elf_uses(Link *l);

#endif
