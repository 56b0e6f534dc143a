/* elf_object.h: a link's atoms as an ELF relocatable. */
#ifndef WELD_WRITE_ELF_OBJECT_H
#define WELD_WRITE_ELF_OBJECT_H

#include "core/link.h"

/* Writes the live atoms, one section each, with their symbols, relocations and COMDAT groups, to opt->output. After resolve,
 * before layout. What text can't say is not there: which section a SHF_LINK_ORDER one goes with, notes of properties, whether
 * the stack is executable (it is not). False after a report. Serial. */
bool elf_object_write(Link *l);

#endif
