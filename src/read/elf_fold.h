/* elf_fold.h: what ELF says about folding; contracts in core/target.h. */
#ifndef WELD_READ_ELF_FOLD_H
#define WELD_READ_ELF_FOLD_H

#include "core/link.h"
#include "format/elf.h"

/* Atom.fold of a section. */
u16 elf_fold_kind(const ElfShdr *s, const char *name);
bool elf_significant(Link *l, FileId f, u8 *marks, u8 mark, u16 except);

#endif
