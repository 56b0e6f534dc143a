/* atom.h: atoms, edges and the arrays they live in.
 *
 * An atom is an indivisible run of code or data: an ELF input section, or a section that weld makes.
 * Atoms are views: content stays in the mapped file, relocations stay in the file's own encoding and
 * come out as a batch of Edge. A file owns a contiguous range of atoms; for ELF, atom = file.atom_base
 * + section index, so that a symbol's section is one addition away from its atom.
 * The trap: pieces of mergeable sections and CIE/FDE records are not in this array (they would be
 * millions); they live in tables of their own (core/merge.h, core/ehframe.h), and an atom of such a
 * section has ATOM_MERGE / ATOM_EHFRAME set and no address of its own. */
#ifndef WELD_CORE_ATOM_H
#define WELD_CORE_ATOM_H

#include "util/base.h"
#include "util/bytes.h"

typedef struct { u32 i; } AtomId; /* 0 is no atom */
typedef struct { u32 i; } FileId; /* also the file's place on the command line; 0 is weld itself */
typedef struct { u32 i; } OsecId; /* 0 is none */
typedef struct { u32 i; } SymId;  /* < symbols.nglobal: global; else a local of some file */

#define NO_SYM ((SymId){UINT32_MAX})

enum { /* hot, one u16 for each atom */
  ATOM_LIVE = 1 << 0,       /* in the output (unless a pass folds it away) */
  ATOM_ALLOC = 1 << 1,      /* takes memory at run time */
  ATOM_WRITE = 1 << 2,
  ATOM_EXEC = 1 << 3,
  ATOM_TLS = 1 << 4,
  ATOM_ZEROFILL = 1 << 5,   /* no bytes in the file */
  ATOM_MERGE = 1 << 6,      /* by content: its pieces are in core/merge.h */
  ATOM_EHFRAME = 1 << 7,    /* its records are in core/ehframe.h */
  ATOM_ROOT = 1 << 8,       /* never dead stripped (KEEP, retain, init arrays, notes, ...) */
  ATOM_DISCARDED = 1 << 9,  /* lost its group to another file, or /DISCARD/ */
  ATOM_SYNTH = 1 << 10,     /* made by weld: bytes come from a Synth */
  ATOM_GROUPED = 1 << 11,   /* member of a group (COMDAT or not) */
  ATOM_LARGE = 1 << 12,     /* SHF_X86_64_LARGE and its like */
  ATOM_OWNED = 1 << 13,     /* data was allocated (decompressed), not mapped */
  ATOM_LINKORDER = 1 << 14, /* ordered, and alive, with the atom that `link` names */
  ATOM_ORDERED = 1 << 15,   /* scratch bit of the pass that runs */
  /* Both bits: an equal atom, `link`, is in the output in its place. What refers to it is right all the same
   * (core/icf.h): alive for those who refer, not there for those who put atoms into the output. */
  ATOM_FOLDED = ATOM_LIVE | ATOM_DISCARDED,
};

enum { /* what the reader knows of an atom, for core/icf.h and core/thunks.h */
  FOLD_KIND = 1 << 0,   /* of a kind of which nothing but content and address can matter */
  FOLD_LSDA = 1 << 1,   /* reached through unwind records, which do not compare addresses */
  FOLD_ISLAND = 1 << 2, /* a branch island: what it branches to is in its reach */
};

typedef struct {
  const u8 *data; /* `size` bytes of the input, checked; NULL for zero fill */
  u64 size;
  u64 rel_off;    /* offset of the relocations in its file, checked */
  u32 file;       /* FileId */
  u32 rel;        /* how many relocations it has */
  u32 osec;       /* OsecId, after layout_assign */
  u32 aux;        /* ATOM_MERGE: index of its MergeInput; ATOM_SYNTH: index of its Synth;
                     else first FDE of it in its file's table + 1 (core/ehframe.h), 0: none */
  u32 type;       /* the format's section type, opaque to the core (ELF: sh_type) */
  u32 attr;       /* the format's section flags, opaque to the core (ELF: sh_flags, low 32) */
  u32 link;       /* ATOM_LINKORDER: AtomId that it follows; ATOM_FOLDED: AtomId that stands for it */
  u8 p2align;     /* log2 of the alignment in bytes */
  u8 entsize;     /* of mergeable content, 0 otherwise; > 255 is stored as 0 and not merged */
  u16 fold;       /* FOLD_*: but for FOLD_ISLAND only when the link folds at all */
} Atom;

typedef struct {
  u32 n;       /* atoms used; index 0 is none */
  u32 cap;     /* room for ATOMS_SPARE Synths after the files' atoms */
  u16 *flags;  /* hot */
  Atom *at;    /* cold */
  u64 *addr;   /* offset in the output section while layout runs, the address after it */
  u32 *nrel;   /* relative dynamic relocations this atom needs (written by Arch.scan) */
  u32 *nsymrel;/* symbolic dynamic relocations (including IRELATIVE kinds in data) */
  u32 *reloff; /* the same array: dynrel_assign replaces a count by the index of the first in .rela.dyn, in
                  all atoms of a section that has any */
  u32 *symreloff; /* nsymrel likewise, where it is not 0: index in Link.dynrel */
  Bytes block;    /* at, addr and nrel are in it, from pages_alloc */
} Atoms;

/* One relocation. Edges come in batches: Format.edges(). kind is the CPU's (arch/x86_64.def). */
typedef struct {
  u64 offset; /* in the atom; checked to be inside it for the width of the kind */
  i64 addend; /* A */
  u64 S;      /* address of the target, merged pieces resolved; before layout: AtomId of a local target, 0: none */
  u32 target; /* SymId: a global, or a local of the atom's file */
  u16 kind;
  u16 flags;  /* SF_*: facts of the target, core/symbol.h */
} Edge;

/* Kinds of edges that mean order, a shared fate or a slot, and need no fix-up: no CPU owns them. Edge.kind of a CPU is
 * less than Arch.nkinds. */
enum {
  EDGE_LAYOUT_AFTER = 0xff00, /* the target directly follows this atom */
  EDGE_GROUP_CHILD,           /* from a group to its members */
  EDGE_IN_GROUP,              /* and back */
  EDGE_LINK_ORDER,            /* says what ATOM_LINKORDER and Atom.link say */
  EDGE_SIGNIFICANT,           /* from a table: somebody may compare the target's address */
  EDGE_ASSOCIATE,             /* the two live and fall together */
  EDGE_SLOT,                  /* of what passes made: a slot or stub for the target */
  EDGE_NEUTRAL_END,
  EDGE_DYNAMIC = 0xff80,      /* + DynKind: a slot that a dynamic relocation fills */
};

/* An edge before layout, for those who compare where edges lead. S + A is `value` + addend in `atom`. */
typedef struct {
  u64 offset;
  i64 addend;
  u64 value;  /* of the symbol, in `atom` */
  u32 atom;   /* AtomId, 0: none that this link knows */
  u32 target; /* SymId, as in Edge */
  u32 flags;  /* SF_*: all of them where the target is global */
  u32 kind;
} EdgeTarget;

enum { EDGE_BATCH = 64, ATOMS_SPARE = 1 << 16 };

typedef struct { AtomId begin, end; } AtomRange;

/* Where a batch stands. Zero it (and set atom) to begin. */
typedef struct {
  AtomId atom;
  u32 next;
  u32 most; /* how many edges of a batch the caller wants at most, 0: all; a reader may give more */
} EdgeCursor;

/* Where relocated atoms go. */
typedef struct {
  u8 *bytes;     /* stand for addresses from addr on */
  u64 addr;
  u8 *rel;       /* entries [first_rel, end_rel) of .rela.dyn, as the format encodes them: their relative relocations */
  u64 first_rel, end_rel;
} ApplyOut;

/* The edges of many atoms, without the plain ones, which are most: those of the commonest kinds whose
 * targets have none of the flags in Arch.special. While scanning nobody asks for them, and while
 * relocating the reader has done them. To begin, set the first group of fields and zero the second (rel: nothing);
 * Format.edge_stream() fills the rest, again and again. Large: keep one on the stack. */
enum { STREAM_EDGES = 128, STREAM_RUNS = 64 };
typedef struct {
  AtomId atom;
  u32 begin, end;   /* its edges in EdgeStream.edge */
  u32 words;        /* plain pointers that were counted, not kept */
  bool first, last; /* no run of this atom came before; none will come. An atom without runs had no edge to show */
} EdgeRun;
typedef struct {
  const AtomId *atoms; /* with relocations */
  u32 n;
  const ApplyOut *out; /* NULL while scanning */
  u16 plain_words;     /* ATOM_*: in atoms with one of these, pointers to plain targets are plain edges */
  bool relative;       /* such a pointer is a relative dynamic relocation */

  u32 at, next;        /* the next atom, and the next relocation in it */
  bool pair;           /* the next edge belongs to the last */
  bool begun;          /* the atom in hand had a run */
  u64 rel;             /* of an atom whose last run is to come: index of its next relative relocation, from the caller */

  u32 nruns;
  EdgeRun run[STREAM_RUNS];
  Edge edge[STREAM_EDGES];
} EdgeStream;

#endif
