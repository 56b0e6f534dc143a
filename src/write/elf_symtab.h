/* elf_symtab.h: .symtab, .symtab_shndx, .strtab and .shstrtab of the output (gABI ch. 4, "Symbol
 * Table", "String Table"). */
#ifndef WELD_WRITE_ELF_SYMTAB_H
#define WELD_WRITE_ELF_SYMTAB_H

#include "core/link.h"

/* After dead strip, before layout_assign(): chooses the symbols that -s, -x, -X and
 * --retain-symbols-file leave, and gives SYN_SYMTAB, SYN_SYMTAB_SHNDX, SYN_STRTAB, SYN_SHSTRTAB and
 * SYN_BUILD_ID their sizes and functions. What depends on the output sections (section symbols,
 * names of sections, escaped section indexes) is settled by Synth.resize; only sizes of sections
 * that are not allocated change there. */
void elf_symtab_prepare(Link *l);
/* When section indexes are final, before the file is composed. */
void elf_symtab_finish(Link *l);
/* The index in .symtab of every symbol that is there: symbol[SymId], section_symbol[OsecId]. When those are final. */
void elf_symtab_positions(const Link *l, u32 *symbol, u32 *section_symbol);
/* The allocated section that an address belongs to: one that holds it, else one that ends there,
 * else the last one before; 0 for an address in the headers, which no section holds. */
u32 elf_section_at(const Link *l, u64 addr);
/* Whether .symtab has global definitions of kinds that are GNU's: indirect functions, unique ones. After
 * elf_symtab_prepare(). */
bool elf_symtab_has_gnu(const Link *l);
/* Offset of the name of an output section in .shstrtab. After layout. */
u32 elf_shstrtab_offset(const Link *l, u32 osec);
/* The same of the section of its relocations (Link.relocs), and of ".group". */
u32 elf_shstrtab_relocs(const Link *l, u32 osec);
u32 elf_shstrtab_group(const Link *l);

#endif
