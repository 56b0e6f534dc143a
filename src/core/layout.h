/* layout.h: a plain description of the output (what a linker script says), and the output sections
 * that come out of applying it. The default layout of each emulation is such a description; scripts
 * parse to one. Nothing about the usual order of sections is written in code. */
#ifndef WELD_CORE_LAYOUT_H
#define WELD_CORE_LAYOUT_H

#include "core/atom.h"
#include "core/expr.h"

struct Link;

typedef enum { SORT_NONE, SORT_NAME, SORT_ALIGN, SORT_PRIORITY /* SORT_BY_INIT_PRIORITY */ } SortKind;

/* One input section pattern: *(.text .text.*) is two of them. */
typedef struct {
  const char *file;      /* glob on the file's path; NULL or "*": any */
  const char *section;   /* glob on the section's name */
  const char *const *exclude_files; /* NULL-ended globs, or NULL */
  bool keep;             /* KEEP(): a root of dead strip */
  SortKind sort, sort2;
  u32 flags_with, flags_without; /* ATOM_* that must / must not be set, 0: any */
  u32 attr_with, attr_without;   /* the same of the format's flags (Atom.attr): INPUT_SECTION_FLAGS */
  /* `file` and exclude_files may be "archive:member" (either side empty: no archive / any member). */
  bool joined;           /* stands in one list with the pattern before it, *(.a .b): what hits either is
                            ordered together (same sort: by it, else in input order) */
  bool sort_files;       /* SORT(file)(...): files by name first */
  bool reverse_files;    /* REVERSE(SORT(file))(...) */
  bool reverse;          /* REVERSE(...) */
  bool no_sort;          /* SORT_NONE(...): --sort-section does not apply */
} LayoutPattern;

typedef enum {
  LAYOUT_ASSIGN,  /* symbol = expr (name "."; moves the location counter) */
  LAYOUT_OUTPUT,  /* an output section */
  LAYOUT_ASSERT,  /* expr: an EX_ASSERT, which reports itself when evaluated; name: its message */
  LAYOUT_ORPHANS, /* non-allocated orphans go here; with patterns: allocated orphans that hit one of
                     them go here, each in an output section of its own name */
  LAYOUT_DATA,    /* in a body: BYTE(expr) ... QUAD(expr), data_size bytes */
  LAYOUT_STRING,  /* in a body: the data_size bytes at `name` (ASCII, ASCIZ, LINKER_VERSION) */
  LAYOUT_FILL,    /* in a body: FILL(fill), from here on */
} LayoutKind;

enum { LAYOUT_PROVIDE = 1, LAYOUT_HIDDEN = 2, LAYOUT_ONLY_IF_RO = 8, LAYOUT_ONLY_IF_RW = 16, LAYOUT_NOLOAD = 32, LAYOUT_KEEP_EMPTY = 64,
       LAYOUT_DISCARD = 512 /* OUTPUT: /DISCARD/ */,
       LAYOUT_ALIGN_WITH_INPUT = 1024, LAYOUT_READONLY = 2048,
       LAYOUT_NOALLOC = 4096 /* types DSECT, COPY, INFO, OVERLAY: takes no memory */,
       LAYOUT_FIRST = 1 << 15 /* of a script that adds to another layout: wherever it stands, its patterns are asked before the others', and what it PROVIDEs counts */ };

/* What fills gaps: `bytes` repeated; else the low four bytes of `expr`, big endian; else the default. */
typedef struct {
  const u8 *bytes;
  u32 n;
  const Expr *expr;
} LayoutFill;

typedef struct LayoutStmt {
  LayoutKind kind;
  u32 flags;
  const char *name;             /* symbol, "." or output section */
  const Expr *expr;             /* ASSIGN: value; OUTPUT: address or NULL */
  const Expr *align;            /* OUTPUT: ALIGN(), or NULL */
  const LayoutPattern *patterns;/* OUTPUT, ended by section == NULL */
  const struct LayoutStmt *body;/* OUTPUT: assignments between patterns, each standing before pattern `before`; ended by kind == LAYOUT_ORPHANS */
  u32 before;
  u32 npatterns;
  /* from here on only scripts say something */
  const Expr *lma;              /* OUTPUT: AT() */
  const Expr *subalign;         /* OUTPUT: SUBALIGN() */
  const Expr *type;             /* OUTPUT: (TYPE = expr) */
  LayoutFill fill;              /* OUTPUT: =fill; FILL */
  const char *region, *lma_region; /* OUTPUT: >region, AT>region */
  const char *const *phdrs;     /* OUTPUT: :phdr :phdr, NULL-ended */
  u32 data_size;                /* DATA: 1, 2, 4 or 8 bytes; STRING: any */
  u32 overlay;                  /* OUTPUT: number of the OVERLAY that it is of: those of one share their addresses; 0: none */
  const char *file;             /* where it stands; NULL in static descriptions */
  u32 line, col;
} LayoutStmt;

enum { /* what attributes of a memory region ask for or refuse; by section, not by ATOM_* */
  REGION_READONLY = 1, REGION_WRITABLE = 2, REGION_EXECUTABLE = 4, REGION_ALLOCATED = 8, REGION_INITIALIZED = 16 };

/* A line of MEMORY { }, or a name that REGION_ALIAS gives to one. */
typedef struct {
  const char *name;
  u32 attrs, not_attrs;         /* REGION_*: a section without a region of its own goes to the first that wants one of `attrs` of it
                                   and none of `not_attrs`; both 0: never */
  const Expr *origin, *length;
  u32 alias;                    /* index of the region meant, UINT32_MAX: it is one itself */
  const char *file;
  u32 line, col;
} LayoutRegion;

/* A line of PHDRS { }. */
typedef struct {
  const char *name;
  const Expr *type;             /* PT_* by name have become numbers */
  bool filehdr, phdrs;          /* covers the file's header, the program headers */
  const Expr *at, *flags;       /* or NULL */
  const char *file;
  u32 line, col;
} LayoutPhdr;

/* NOCROSSREFS(a b c): none refers to another of them. NOCROSSREFS_TO(a b c): b and c do not refer to a. */
typedef struct {
  const char *const *names;     /* output sections, NULL-ended */
  bool to_first;
  const char *file;
  u32 line, col;
} LayoutNoCross;

typedef struct {
  const char *name;             /* "elf_x86_64" */
  const LayoutStmt *stmts;
  u32 nstmts;
  bool sane_expr;               /* LD_FEATURE("SANE_EXPR"): a number is just a number outside of bodies, too */
  bool orders_outputs;          /* LD_FEATURE("ORDER_OUTPUT_SECTIONS"): what has a priority stands first in its output section, not just
                                   among what the same patterns take */
  /* only scripts have these */
  const LayoutRegion *regions;
  u32 nregions;
  const LayoutPhdr *phdrs;
  u32 nphdrs;                   /* 0: program headers follow from the sections */
  const LayoutNoCross *nocross;
  u32 nnocross;
} LayoutDesc;

/* What the atoms of an output section have in common, those that weld makes left out. */
typedef struct {
  u32 n;
  u32 type, entsize;          /* of the first */
  bool one_type, one_entsize; /* all have that */
  u32 attr_any, attr_lacks;   /* bits that one has, bits that one has not */
} AtomKinds;

/* What a script puts between the atoms of an output section: bytes, or a gap of its own. From there on gaps are filled with `fill`,
 * each from its beginning. */
typedef struct {
  u64 off, len;
  const u8 *bytes; /* NULL: a gap */
  const u8 *fill;
  u32 nfill;       /* 0: as the format and the CPU have it */
} LayoutMark;

/* An output section. */
typedef struct {
  const char *name;
  u32 type;       /* the format's (ELF: sh_type) */
  u64 attr;       /* the format's flags (ELF: sh_flags) */
  u32 aflags;     /* ATOM_* union of its atoms: ALLOC WRITE EXEC TLS; ZEROFILL only when all are */
  u32 entsize;
  u8 p2align;
  bool placed_once; /* its atoms have offsets */
  bool dynrels;   /* one of its atoms has dynamic relocations, or is a Synth and may get some */
  bool filled;    /* not all of its atoms are zero fill */
  bool relro;     /* inside the RELRO region */
  bool placed;    /* in the output */
  u32 index;      /* ELF section header index; 0: none */
  u64 addr, lma;  /* virtual and load address; 0 when not allocated */
  u64 off;        /* file offset */
  u64 size;       /* in memory */
  u64 filesz;     /* in the file: 0 for zero fill */
  AtomId *atoms;  /* in order of addresses */
  u32 natoms;
  u32 reloff_end; /* dynrels: one past the index in .rela.dyn of its atoms' last relative relocation */
  u32 first;      /* place of its first atom among those of all sections, in layout*.c */
  AtomKinds kinds;
  u32 stmt;       /* index of its LayoutStmt, UINT32_MAX for an orphan */
  const LayoutMark *marks; /* in order; after layout. The first, if there is one, says what fills gaps from the beginning on */
  u32 nmarks;
  /* compression (write/compress.c): when compressed, the bytes to write instead of composing */
  const u8 *bytes;
  u64 raw_size;
} Osec;

/* Compiles the description's patterns; before layout_match_file. */
void layout_match_init(struct Link *l);
/* Asks the description where every live atom of file f goes (Link.rules), marks what it KEEPs as roots,
 * drops what it discards. Right after the atoms were made: their names are in the cache. Thread safe for
 * different files. */
void layout_match_file(struct Link *l, FileId f);
/* ONLY_IF_RO, ONLY_IF_RW: which statements do not apply, and so where their sections go instead. When all atoms are there, before
 * symbols compete. */
void layout_constraints(struct Link *l);
/* Puts every live atom and every Synth into an output section (sub-linear matching), in order. */
void layout_assign(struct Link *l);
/* Gives addresses and file offsets; loops until Synth sizes settle. Sets atoms.addr, symbols of
 * assignments, Osec.addr/off/size, Link.segments. */
void layout_addresses(struct Link *l);
/* Value of an expression of the layout, where the walk stands; 0 after a report. */
u64 layout_value(struct Link *l, const Expr *x);
/* At the end of the link. */
void layout_free(struct Link *l);

#endif
