/* elf_widen.h: files of ELFCLASS32 as the rest of the reader wants them, with the tables of ELFCLASS64.
 * Specification: gABI 4.3, "Data Representation": the tables of the two classes say the same in other widths and orders. */
#ifndef WELD_READ_ELF_WIDEN_H
#define WELD_READ_ELF_WIDEN_H

#include "core/link.h"
#include "format/elf_object.h"
#include "util/arena.h"

/* Tables of ELFCLASS32 as those of ELFCLASS64, in `arena`; what does not fill an entry is left out. */
Bytes elf_widen_sections(Arena *arena, Bytes table);
Bytes elf_widen_symbols(Arena *arena, Bytes table);
Bytes elf_widen_dynamic(Arena *arena, Bytes table);
Bytes elf_widen_segments(Arena *arena, Bytes table);

/* The header, of the class that it says; false: the file ends in it. */
bool elf_read_header(Bytes file, ElfEhdr *out);
/* In such a file, bytes of a section header, of a symbol; and n section headers at h->e_shoff. False: the file ends before. */
u32 elf_section_entry(const ElfEhdr *h);
u32 elf_symbol_entry(const ElfEhdr *h);
bool elf_read_sections(Bytes file, const ElfEhdr *h, u64 n, Arena *arena, Bytes *out);

/* The header of a compressed section, whose bytes are `in`. Returns how long it is there; 0: longer than the section. */
u64 elf_compression_header(const Link *l, Bytes in, ElfChdr *out);

/* Objects. Only their headers and symbols are widened when they are opened: nobody asks a member of an archive for more before
 * it is needed. Then this makes File.data a copy of the file with widened relocations behind it. Addends that stood in sections
 * are in the relocations from then on, and zero where they stood, as if the machine had SHT_RELA. Does nothing for files of
 * ELFCLASS64, and the second time. Errors are reported. */
void elf_widen_contents(Link *l, FileId f, unsigned tid);
/* Does that for section i, which was compressed: `bytes` is what came out. */
void elf_widen_inflated(const Link *l, FileId f, u32 i, u8 *bytes, u64 len);
/* Where the byte at offset `off` of File.data stood in the file. */
u64 elf_widen_original(const ElfObject *o, u64 off);

#endif
