/* go_macho.h: the Mach-O image of a Go program, as Go's own linker of 2014 made it: no dynamic linker, no symbols, a thread
 * that begins at the entry (LC_UNIXTHREAD). */
#ifndef WELD_WRITE_GO_MACHO_H
#define WELD_WRITE_GO_MACHO_H

#include "core/link.h"

typedef struct {
  const char *name; /* "__text" */
  u64 addr, size;
  u32 offset, p2align;
  u32 flags;
} GoMachSection;

typedef struct {
  const char *name; /* "__TEXT" */
  u64 addr, size, offset, filesize;
  u32 maxprot, initprot;
  const GoMachSection *sections;
  u32 nsections;
} GoMachSegment;

typedef struct {
  u64 page_zero; /* size of what is not mapped at address 0 */
  u64 entry;
  const GoMachSegment *segments;
  u32 nsegments;
} GoMachImage;

/* Bytes of the header and the load commands. */
u64 go_macho_header_size(const GoMachImage *m);
/* Writes them to `out`. */
void go_macho_header(const GoMachImage *m, u8 *out);

/* Of the Format row. */
void go_macho_output_section(const Link *l, Osec *o);
u64 go_macho_plan_segments(Link *l);
void go_macho_finish_segments(Link *l);
/* The first of these linkers took a segment's end for its size. */
void go_macho_finish_first(Link *l);

/* As elf_write(). */
bool go_macho_write(Link *l);

#endif
