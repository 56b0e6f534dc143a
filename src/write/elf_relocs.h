/* elf_relocs.h: relocation sections of the output, made of its inputs' relocations (-r, --emit-relocs), and the section groups of
 * relocatable output (gABI ch. 4, "Relocation", "Section Groups"). They are no output sections of the layout: there may be a million,
 * and nothing moves when their number changes. */
#ifndef WELD_WRITE_ELF_RELOCS_H
#define WELD_WRITE_ELF_RELOCS_H

#include "core/link.h"
#include "format/elf.h"
#include "format/elf_relocs.h"
#include "write/compose.h"

/* Relocations of one output section. */
typedef struct {
  u32 osec;
  u32 index; /* of its section header */
  u64 n;
  u64 first; /* how many those of the tables before have */
  u64 off;   /* in the file */
  u32 place; /* first of its atoms in ElfRelocs.starts */
} RelocTable;

typedef struct {
  u32 file, shndx; /* the input's SHT_GROUP */
  u32 index;       /* of its section header */
  u64 off, size;   /* in the file */
} OutGroup;

typedef struct ElfRelocs {
  RelocTable *tables;
  u32 ntables;
  u32 *table_of;     /* by OsecId: table + 1, 0: none */
  u64 *starts;       /* by place: relocations of the atoms before it, of all tables */
  u64 *record_start; /* by file, and one more: relocations of the unwind records of the files before it */
  u64 total;
  u32 entsize;
  u32 synth;         /* composes all tables, one behind the other */
  OutGroup *groups;
  u32 ngroups;
  u8 *group_bytes;
  u32 *symbol;       /* by SymId: its index in .symtab, 0: it is not there */
  u32 *section_symbol; /* by OsecId */
  u32 nshdr;         /* section headers, with the null one; after elf_relocs_place() */
  u64 end;           /* where the last of them ends in the file */
} ElfRelocs;

/* Right after layout_assign(): which output sections have relocations, how many, which groups there are. Makes Link.relocs from
 * Link.uses. */
void elf_relocs_prepare(Link *l);
/* Does a section symbol of the output section have to be in .symtab? */
bool elf_relocs_needs_symbol(const Link *l, u32 osec);
/* How many section headers that are not of the layout. */
u32 elf_relocs_sections(const Link *l);
/* When addresses are final: numbers all sections anew, and gives those that are not of the layout their places in the file: in
 * relocatable output everything has its place from here, in front and behind else. */
void elf_relocs_place(Link *l);
/* Index in .symtab of a SymId; of a section symbol, that of the output section. 0: it is not there. */
u32 elf_relocs_symbol(const Link *l, u32 sym);
/* Between elf_symtab_prepare() and layout_assign(), in relocatable output: sections that compilers made for linkers, joined. */
void elf_notes_add(Link *l);
/* Section header of the group that section `shndx` of a file is; 0: it is not there. */
u32 elf_relocs_group(const Link *l, u32 file, u32 shndx);
void elf_relocs_headers(const Link *l, Elf64_Shdr *out);
void elf_relocs_plan(Link *l, Plan *plan);

#endif
