/* elf_fold.h: what ELF says about folding; contracts in core/target.h. */
#ifndef WELD_READ_ELF_FOLD_H
#define WELD_READ_ELF_FOLD_H

#include "core/link.h"
#include "format/elf.h"

/* Atom.fold of a section. */
u16 elf_fold_kind(const ElfShdr *s, const char *name);
/* The symbol at *at, which is inside the table, of an SHT_LLVM_ADDRSIG section; moves *at behind it. False: it is none of f's. */
bool elf_next_significant(const File *f, Bytes table, u64 *at, u32 *symbol);
bool elf_significant(Link *l, FileId f, u8 *marks, u8 mark, u16 except);

#endif
