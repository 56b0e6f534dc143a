/* elf_symtab_internal.h: what write/elf_symtab.c chose and write/elf_symtab_write.c writes: for
 * each file a list of symbols, its locals first. Positions in .symtab and .strtab are sums over
 * files, so that any range of either can be written by itself. */
#ifndef WELD_WRITE_ELF_SYMTAB_INTERNAL_H
#define WELD_WRITE_ELF_SYMTAB_INTERNAL_H

#include "core/link.h"
#include "format/elf_object.h"
#include "util/glob.h"

/* A symbol that stays. */
typedef struct {
  u32 index; /* in its file */
  u32 name; /* offset of its name among the names of its file; while choosing: length of its name */
} Kept;

typedef struct {
  u32 file;   /* FileId */
  Kept *kept; /* nlocal locals (and globals that became local), then nglobal globals */
  u32 nlocal, nglobal;
  u64 names; /* bytes of all names with their NULs */
  /* sums over the files before */
  u32 local_at, global_at; /* symbol index of the first local, of the first global */
  u64 name_at;             /* offset in .strtab */
} FileSyms;

typedef struct {
  FileSyms *files;
  u32 nfiles;
  Kept *kept;     /* all lists: from pages_alloc, link lifetime */
  u32 *first_ref; /* by SymId: ~FileId of the first file with a reference; 0: none, or not asked */
  /* weld's own symbols: SymIds in order of names, local ones first */
  u32 *made, *made_name; /* and the offsets of their names in .strtab */
  u32 nmade_local, nmade;
  u64 made_end;    /* .strtab begins with a NUL and these names */
  GlobSet *retain; /* --retain-symbols-file, or NULL */
  u32 *sections;   /* OsecIds that have a section symbol */
  u32 nsections;
  u32 first_global; /* index of the first symbol that is not local */
  u32 total;
  u64 names_total; /* size of .strtab */
  bool has_unique, has_ifunc;
} Symtab;

static inline u32 symtab_made_local_at(const Symtab *t) {
  return 1 + t->nsections;
}

/* Synth.write of .symtab, .symtab_shndx, .strtab; Synth.ctx is the Symtab. */
void symtab_write(Link *l, const Synth *s, u8 *out, u64 off, u64 len);
void symtab_write_shndx(Link *l, const Synth *s, u8 *out, u64 off, u64 len);
void symtab_write_names(Link *l, const Synth *s, u8 *out, u64 off, u64 len);

/* elf_shstrtab.c */
void shstrtab_prepare(Link *l);

#endif
