/* symbol.h: names, and what they resolve to.
 *
 * One name is interned once (core/resolve_names.c): a file's symbol index maps to a SymId in an array.
 * Global symbols are [0, nglobal); every live file's local symbols follow in a range of their own, so
 * that a local can own a GOT entry like anyone else. Only `needs` and `aux` reach over the locals.
 * The trap: SymIds are deterministic but their order means nothing to a user; anything that ends in
 * the output is ordered by (file, index), see sym_order(). */
#ifndef WELD_CORE_SYMBOL_H
#define WELD_CORE_SYMBOL_H

#include "core/atom.h"
#include "util/bytes.h"

/* Facts of a target, final after resolve_finish() (before scan). Edge.flags holds the low 16 bits. */
enum {
  SF_IMPORTED = 1 << 0,   /* its address is known only at run time: undefined here and provided by a
                             shared library, or defined here and preemptible */
  SF_EXPORTED = 1 << 1,   /* defined here and in the dynamic symbol table */
  SF_ABSOLUTE = 1 << 2,   /* a number: does not move with the load address */
  SF_IFUNC = 1 << 3,      /* STT_GNU_IFUNC, defined here (never set for a shared library's) */
  SF_TLS = 1 << 4,
  SF_FUNC = 1 << 5,       /* type function (imported ones too, and IFUNC of a shared library) */
  SF_UNDEFINED = 1 << 6,  /* not defined anywhere: weak (resolves to 0), or an error was reported, or allowed */
  SF_DISCARDED = 1 << 7,  /* the target's atom is dead or was discarded: tombstone in debug info */
  SF_SHARED = 1 << 8,     /* the definition is in a shared library */
  SF_LOCAL = 1 << 9,      /* a file-local symbol */
  SF_WEAK = 1 << 10,      /* the definition (or, undefined: every reference) is weak */
  SF_SECTION = 1 << 11,   /* a section symbol */
  SF_PROTECTED = 1 << 12, /* visibility of the winning definition is protected (here or in its library) */
  SF_COPY = 1 << 13,      /* has a copy relocation or canonical PLT: S is an address in this output */
  SF_DSO_REF = 1 << 14,   /* a shared library refers to it, or defines it too */
  SF_HIDDEN = 1 << 15,    /* merged visibility is hidden or internal */
  /* not in Edge.flags */
  SF_REF = 1 << 16,       /* some live regular object refers to it or defines it */
  SF_REF_STRONG = 1 << 17,/* ... with a reference that is not weak */
  SF_COMMON = 1 << 18,    /* tentative; allocated by core/common */
  SF_GC_ROOT = 1 << 19,
  SF_VERSION_LOCAL = 1 << 20, /* a version script (or --exclude-libs) made it local */
  SF_UNIQUE = 1 << 21,    /* STB_GNU_UNIQUE */
  SF_SYNTHETIC = 1 << 22, /* defined by weld (_end, __start_x, --defsym ...): value is set by layout */
  SF_TRACED = 1 << 23,    /* --trace-symbol */
  SF_WRAPPED = 1 << 24,
  SF_VIS_SHIFT = 25,      /* two bits: merged ELF visibility (0 default, 1 internal, 2 hidden, 3 protected) */
  SF_DYNLIST = 1 << 27,   /* named by --dynamic-list / --export-dynamic-symbol */
  SF_REF_ARCHIVE = 1 << 28,
  SF_IS_UNDEF_OK = 1 << 29,   /* weak-undefined or allowed undefined that stays dynamic */
};

/* What a scan found out a symbol needs: `needs`, one byte a symbol, or-ed atomically. */
enum {
  NEED_GOT = 1 << 0,
  NEED_PLT = 1 << 1,
  NEED_CPLT = 1 << 2,    /* the PLT entry is the function's address everywhere (non-PIC code takes it) */
  NEED_COPY = 1 << 3,
  NEED_GOTTP = 1 << 4,   /* initial-exec TLS slot */
  NEED_TLSGD = 1 << 5,   /* general-dynamic pair */
  NEED_TLSDESC = 1 << 6,
  NEED_DYNSYM = 1 << 7,  /* must be in .dynsym though nothing above asks for it */
};

/* A tentative definition that weld makes room for. */
typedef struct {
  u32 sym;      /* SymId */
  u8 p2align;   /* the largest of all definitions of that name */
} CommonFact;

/* Slots of the few symbols that need something; found through Symbols.aux. Indexes are -1 when absent. */
typedef struct {
  u32 sym;      /* SymId */
  u32 file;     /* FileId and symbol index in it, for locals (and the definition of globals) */
  u32 index;
  i32 got;      /* slots in .got */
  i32 gottp;
  i32 tlsgd;    /* two slots */
  i32 tlsdesc;  /* two slots */
  i32 gotplt;   /* slot in .got.plt (counted after the reserved ones) */
  i32 plt;      /* entry in .plt (lazy or now) */
  i32 pltgot;   /* entry in .plt.got: PLT entries that jump through .got */
  i32 dynsym;   /* index in .dynsym */
  i64 copy;     /* offset in .dynbss or .dynbss.rel.ro (see copy_relro), -1 */
  bool copy_relro;
  u16 flags;    /* SF_* of a local symbol; of globals see Symbols.flags */
} SymAux;

typedef struct {
  const char *p; /* in a mapped file or the link arena; NUL-terminated unless `len` stops at an '@' */
  u32 len;
  u32 unused;
} SymName;

typedef struct {
  u32 nglobal; /* global symbols */
  u32 ntotal;  /* with the locals of live files */
  /* one for each global symbol */
  u64 *key;      /* best definition: rank << 56 | file << 32 | index in the file; see core/resolve.h */
  SymName *name;
  u64 *hash;     /* XXH3 of the name */
  u32 *flags;    /* SF_* */
  u64 *value;    /* address (TLS: address too, minus nothing); valid after layout */
  u64 *near;     /* where a branch or another relative reference ends: its address, PLT entry or copy;
                    UINT64_MAX: somebody has to look at it. When Link.addressed, by slots_near() */
  u32 *atom;     /* AtomId of the definition, 0: absolute, undefined or elsewhere */
  u64 *comdat;   /* ~ of the smallest file << 32 | group of the groups that bear this name; 0: none */
  u16 *version;  /* output version index (VER_NDX_*), set by version scripts; for SHARED: index of its need */
  Bytes block;   /* what the arrays above are in, from pages_alloc */
  /* one for each symbol, globals and locals */
  u8 *needs;
  u32 *aux; /* index + 1 into auxes, 0: none */
  /* allocated by pass/got.c after scan; by dynsym selection */
  SymAux *auxes;
  u32 nauxes, cap_auxes;
} Symbols;

#endif
