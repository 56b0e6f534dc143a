/* elf_locate.h: what messages and maps ask of ELF files. The hooks of core/target.h, which see. */
#ifndef WELD_READ_ELF_LOCATE_H
#define WELD_READ_ELF_LOCATE_H

#include "core/link.h"

void elf_each_local(const Link *l, FileId f, void *ctx, SymbolFn *fn);
void *elf_locator_open(const Link *l, FileId f);
bool elf_locator_find(void *locator, AtomId a, u64 off, Arena *arena, SourcePlace *out);
void elf_locator_close(void *locator);
const char *elf_shared_name(const Link *l, FileId f, const char *const **needed);
const char *elf_shared_version(const Link *l, FileId f, u32 index);
void elf_library_names(Bytes library, void *ctx, NameFn *fn);

#endif
