/* elf_object.h: the ELF view of a file (File.fmt): filled by read/elf.c and read/elf_shared.c, read by
 * write/. Everything here was checked by the reader; nothing is checked again. */
#ifndef WELD_FORMAT_ELF_OBJECT_H
#define WELD_FORMAT_ELF_OBJECT_H

#include "format/elf.h"
#include "util/arena.h"
#include "util/bytes.h"

typedef struct {
  const ElfShdr *shdrs;    /* nshdr of them */
  u32 nshdr;
  u32 symtab_shndx;        /* section index of .symtab, 0: none */
  const ElfSym *syms;      /* File.nsyms of them */
  const u32_unaligned *xindex; /* SHT_SYMTAB_SHNDX contents, or NULL */
  Bytes strtab, shstrtab;
  u32 call_graph;          /* section index of its SHT_LLVM_CALL_GRAPH_PROFILE, 0: none */
  u32 groups_end;          /* all groups stand before this section, or are found when atoms are made */
  const u32 *section_first, *section_syms; /* symbols by section, for text: read/elf_describe.c makes them when asked */
  u32 addrsig_shndx;       /* section index of SHT_LLVM_ADDRSIG, 0: none */
  const char **renamed;    /* by section index: names that differ from the file's (.zdebug); or NULL */
  u32 features;            /* GNU_PROPERTY_X86_FEATURE_1_AND of the file; valid when has_features */
  u32 isa_needed, isa_used; /* GNU_PROPERTY_X86_ISA_1_NEEDED, _USED */
  bool has_features, has_isa_used;
  bool execstack;          /* .note.GNU-stack says so */
  bool has_stack_note;
  bool has_debug_info;
  bool copied;             /* File.data is a copy that may be written to, not the input */
  struct ElfWide *wide;    /* of an object of ELFCLASS32 that is in the link: read/elf_widen.c's own; else NULL */
} ElfObject;

/* Section index of a symbol, escapes (SHN_XINDEX) resolved; SHN_UNDEF, SHN_ABS, SHN_COMMON stay as they
 * are only when they are meant: *special says which. */
static inline u32 elf_sym_section(const ElfObject *o, u32 i, u32 *special) {
  u32 x = o->syms[i].st_shndx;
  *special = 0;
  if (x < SHN_LORESERVE)
    return x;
  if (x == SHN_XINDEX)
    return o->xindex ? o->xindex[i] : 0;
  *special = x;
  return 0;
}

typedef struct {
  const ElfSym *syms;          /* .dynsym; File.nsyms of them, File.first_global = 1 */
  Bytes dynstr;
  const u16_unaligned *versym; /* File.nsyms of them, or NULL */
  const char **verdef;         /* names of defined versions by version index, NULL where there is none */
  u32 nverdef;                 /* entries in verdef */
  const char *soname;          /* DT_SONAME, else the name as given on the command line */
  const char **needed;         /* DT_NEEDED names, NULL-ended */
  const char *rpath, *runpath; /* or NULL */
  const char *audit, *depaudit; /* DT_AUDIT, DT_DEPAUDIT, or NULL */
  const char **verneed;        /* names of needed versions by version index, NULL where there is none */
  u32 nverneed;                /* entries in verneed */
  const ElfShdr *shdrs;        /* for alignment and section flags of copied symbols; may be NULL */
  u32 nshdr;
  const Elf64_Phdr *phdrs;     /* program headers (unaligned copies in the link arena) */
  u32 nphdr;
} ElfShared;

#endif
