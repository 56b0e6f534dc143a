/* elf_segments.h: hooks of the ELF Format row for layout; contracts in core/target.h. */
#ifndef WELD_WRITE_ELF_SEGMENTS_H
#define WELD_WRITE_ELF_SEGMENTS_H

#include "core/link.h"

SectionClass elf_section_class(const Link *l, const Osec *o);
void elf_output_section(const Link *l, Osec *o);
u64 elf_plan_segments(Link *l);
void elf_finish_segments(Link *l);

#endif
