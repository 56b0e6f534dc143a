/* elf_fold.h: the ELF row's hooks for folding; contracts in core/target.h. */
#ifndef WELD_READ_ELF_FOLD_H
#define WELD_READ_ELF_FOLD_H

#include "core/link.h"

bool elf_foldable(const Link *l, AtomId a);
bool elf_significant(Link *l, FileId f, u8 *marks, u8 mark);

#endif
