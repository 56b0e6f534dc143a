/* elf_dynsym.h: shared by the files that make the dynamic sections; nobody else needs it. */
#ifndef WELD_WRITE_ELF_DYNSYM_H
#define WELD_WRITE_ELF_DYNSYM_H

#include "core/link.h"
#include "format/elf.h"

/* A string table that shares equal strings. Heap memory until strtab_finish(). */
typedef struct {
  VEC(char) text; /* begins with a NUL */
  u32 *slots;     /* offset of a string, 0: free */
  u32 mask, used;
} StrTab;

/* Offset of the string; 0 for an empty one. */
u32 strtab_add(StrTab *t, const char *s, u64 len);
/* Moves the text to the arena: no strtab_add() after it. */
void strtab_finish(StrTab *t, Arena *a);

/* Offsets in .dynstr; link lifetime. */
typedef struct {
  u32 *at, n;
} StrList;

/* One dynamic symbol. */
typedef struct {
  const char *name; /* `len` bytes: without its version */
  u32 len;
  u32 sym;  /* SymId */
  u32 hash; /* of .gnu.hash */
  u32 str;  /* in .dynstr */
  u16 version;
  bool shares; /* its string is another's */
} DynSym;

typedef struct {
  DynSym *syms; /* by index in .dynsym; 0 is null */
  u32 n;
  u32 hashed;   /* first one that can be found by name; those below are undefined */
  u32 nbuckets; /* of .gnu.hash */
  u32 *pos;     /* offset in .dynstr at which the names from hashed + k * DYNSTR_STEP on begin */
  StrTab str;   /* what comes first in .dynstr: everything but the names of hashed symbols */
  u32 nverdef, nverneed;
  SymId init, fini; /* DT_INIT, DT_FINI; NO_SYM */
  StrList needed;   /* DT_NEEDED: without repetitions */
  StrList filter, auxiliary;
  u32 soname, rpath, audit, depaudit;
} ElfDynamic;

enum { DYNSTR_STEP = 1024 };

/* Selects, orders and hashes the symbols; sets SymAux.dynsym. */
void elf_dynsym_select(Link *l, ElfDynamic *d);
/* Gives the names their places and sizes .dynsym, .dynstr. After every strtab_add(). */
void elf_dynsym_size(Link *l, ElfDynamic *d);
/* .gnu.hash, .hash. */
void elf_hash_size(Link *l, ElfDynamic *d);
/* .gnu.version, .gnu.version_d, .gnu.version_r: sets DynSym.version, Symbols.version of imports. */
void elf_versions_build(Link *l, ElfDynamic *d);

u32 elf_hash_sysv(const char *name, u64 len); /* gABI ch. 5, "Hash Table" */

/* Makes `len` bytes of `bytes` (link lifetime) the contents of a Synth. */
void synth_set_bytes(Link *l, u32 syn, const void *bytes, u64 len);

#endif
