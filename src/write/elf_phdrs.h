/* elf_phdrs.h: see elf_phdrs.c. Private to write/elf_segments.c. */
#ifndef WELD_WRITE_ELF_PHDRS_H
#define WELD_WRITE_ELF_PHDRS_H

#include "core/link.h"

/* As elf_make_loads(), for a layout with PHDRS: all of Link.segments, in its order. False: no output section is in any of them. */
bool elf_script_phdrs(Link *l);

#endif
