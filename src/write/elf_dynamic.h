/* elf_dynamic.h: what the dynamic linker reads: .dynsym, .dynstr, hash tables, versions, .dynamic,
 * .interp (gABI ch. 5), and .note.package. */
#ifndef WELD_WRITE_ELF_DYNAMIC_H
#define WELD_WRITE_ELF_DYNAMIC_H

struct Link;

/* After got_allocate(), before layout_assign(). Selects and orders the dynamic symbols, sets their
 * SymAux.dynsym and Symbols.version, and gives the Synths their sizes and functions. A dynamic symbol
 * that no relocation can name (exported, without `needs`) gets no SymAux. Does nothing but the note
 * when the output is not dynamic. */
void elf_dynamic_prepare(struct Link *l);

#endif
