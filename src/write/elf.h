/* elf.h: the output file, from final addresses to bytes on disk (gABI ch. 4 and 5). */
#ifndef WELD_WRITE_ELF_H
#define WELD_WRITE_ELF_H

#include "core/link.h"

/* Writes the output to opt->output (or *mem_output) and makes it appear when it is whole. After
 * symbols have their addresses. False after a report; the old output is then as it was. Sets
 * l->file_size. */
bool elf_write(Link *l);

/* --compress-debug-sections: composes and compresses the .debug_* sections that are not allocated,
 * sets their Osec.bytes, raw_size, size, filesz, p2align and SHF_COMPRESSED (gABI ch. 4,
 * "Compressed Sections"), and moves all sections that are not allocated up in the file. A section
 * that would not shrink stays. elf_write() calls it: every address and symbol value must be final.
 */
void elf_compress_debug(Link *l);

#endif
