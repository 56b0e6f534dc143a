/* elf.h: ELF files to atoms: relocatables (read/elf.c), their relocations (read/elf_edges.c), shared
 * libraries (read/elf_shared.c). Everything that comes out of a file is checked here; nothing after
 * the reader checks it again. Specification: gABI 4.3, psABI x86-64 1.0. */
#ifndef WELD_READ_ELF_H
#define WELD_READ_ELF_H

#include "core/link.h"
#include "format/elf_object.h"

struct ElfMachine;
/* Fills the reader's hooks of the Format row of ELF for a machine of read/elf_machine.h; those of layout, and encode_dynrel of
 * ELFCLASS32, come from write/. */
void elf_format_init(Format *f, const struct ElfMachine *m);
u32 elf_atom_flags(u32 type, u64 attr);

/* Functions behind the row; see core/target.h for their contracts. */
bool elf_open(Link *l, FileId f, unsigned tid);
void elf_versioned(Link *l);
bool elf_shared_open(Link *l, FileId f, unsigned tid);
u32 elf_names(Link *l, FileId f, InternEnt *out);
u32 elf_symbols(const Link *l, FileId f, u32 from, SymRec *buf, u32 cap);
u32 elf_kinds(const Link *l, FileId f, u32 from, u64 *buf, u32 cap);
void elf_definitions(const Link *l, const u64 *keys, u32 n, SymRec *buf);
bool elf_edge_ends(const Link *l, AtomId a, EdgeEnd *buf);
void elf_groups(Link *l, FileId f, unsigned tid);
void elf_atoms(Link *l, FileId f, unsigned tid);
const char *elf_atom_name(const Link *l, AtomId a);
struct YamlAtom;
void elf_describe(const Link *l, AtomId a, Arena *arena, struct YamlAtom *out);
u32 elf_group_members(const Link *l, FileId f, u32 k, u32 *out, const char **name);
bool elf_describe_symbol(const Link *l, FileId f, u32 index, Arena *arena, struct YamlAtom *out);
const char *elf_root_reason(const Link *l, AtomId a);
const char *elf_sym_name(const Link *l, FileId f, u32 index);

/* SHT_* name of section i of an object ("" when it has none). */
const char *elf_section_name(const ElfObject *o, u32 i);

/* Reports "FILE: offset 0x..: text" for an input that is not what it should be. Always false. */
bool elf_bad(Link *l, FileId f, u64 off, const char *fmt, ...) PRINTF_LIKE(4, 5);

#endif
