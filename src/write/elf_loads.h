/* elf_loads.h: see elf_loads.c. Private to write/elf_segments.c and its like. */
#ifndef WELD_WRITE_ELF_LOADS_H
#define WELD_WRITE_ELF_LOADS_H

#include "core/link.h"

u64 elf_max_page(const Link *l);
/* Extends a segment by the section at place `at` of Link.order. */
void elf_cover(Segment *s, u32 at, const Osec *o);
/* From final addresses: PT_LOADs in order of load addresses, in the link's arena (their number), offsets of all sections, and
 * Link.file_end. *headers: the first of them maps the file's headers, too. Link.order and header_size must be known. */
u32 elf_make_loads(Link *l, Segment **out, bool *headers);

/* Offsets of what is in no PT_LOAD, from `off` on; Link.file_end. */
void elf_place_others(Link *l, u64 off);

#endif
