/* macho_object.h: the Mach-O view of a relocatable object (File.fmt): filled by read/macho*.c, read by write/ and
 * link_macho.c. Everything here was checked by the reader; nothing is checked again.
 *
 * Symbols of the file as the core numbers them (File.nsyms, first_global): 0 is nothing; i in [1, File.natoms) is atom i's
 * own local symbol, unnamed, so that a reference into an atom needs no name; then the file's local symbols; from
 * first_global on its global ones. MachoObject.symbols has those from natoms on: macho_symbol().
 * The trap: __LD,__compact_unwind, __TEXT,__eh_frame and debug information are not written as they are. The first becomes
 * MachoObject.unwind; __eh_frame is one atom with ATOM_EHFRAME for core/ehframe.h; sections of the segments __DWARF and
 * __LLVM make no atoms at all. */
#ifndef WELD_FORMAT_MACHO_OBJECT_H
#define WELD_FORMAT_MACHO_OBJECT_H

#include "format/macho.h"
#include "util/bytes.h"

/* Where a section's own contents go. */
typedef enum {
  MACHO_ATOMS,    /* into the output, as atoms */
  MACHO_EH_FRAME, /* one atom, taken apart by core/ehframe.h */
  MACHO_UNWIND,   /* MachoObject.unwind */
  MACHO_DROPPED,  /* debug information, compilers' notes: nowhere */
} MachoUse;

typedef struct {
  const char *name;    /* "__TEXT,__text": what patterns of the layout match; Format.atom_name */
  const char *segname, *sectname;
  u32 type, attr;      /* SECTION_TYPE and SECTION_ATTRIBUTES of `flags`; Atom.type and Atom.attr */
  u64 addr, size;      /* in the object's own address space */
  u64 reloff;          /* in the file */
  const RelocationInfo *relocs;
  u32 nrelocs;
  u32 reserved1;       /* of symbol pointers: index of the first one's symbol in MachoObject.indirect */
  u32 first_atom, natoms; /* its atoms, numbers in the file: consecutive, in order of addresses */
  u8 p2align;
  u8 use;              /* MachoUse */
  Bytes data;          /* p NULL for zero fill */
} MachoSection;

typedef struct {
  u32 section; /* index in MachoObject.sections, from 1 on; 0: a tentative definition */
  u32 symbol;  /* the file's symbol that names it (the first, global before local, at its start), 0: none */
  u64 offset;  /* in its section */
} MachoAtom;

/* A symbol of the file's table that takes part. */
typedef struct {
  u32 nlist; /* index in MachoObject.nlists */
  u32 atom;  /* number in the file that it is in, 0: undefined, absolute or indirect */
  u64 value; /* offset in the atom; absolute: the address */
} MachoSymbol;

/* A relocation, decoded; those of an atom are in order of offsets. A subtrahend stands directly before its minuend. */
typedef struct {
  i64 addend;
  u32 offset; /* in the atom */
  u32 target; /* symbol of the file << 6 | kind (Edge.kind) */
} MachoEdge;
enum { MACHO_EDGE_KIND_BITS = 6 };
static inline u32 macho_edge_kind(const MachoEdge *e) { return e->target & ((1u << MACHO_EDGE_KIND_BITS) - 1); }
static inline u32 macho_edge_symbol(const MachoEdge *e) { return e->target >> MACHO_EDGE_KIND_BITS; }

/* One entry of __compact_unwind: a range of code and how to unwind it. A function's entries (there may be none) keep alive
 * their personality and LSDA: the function's atom has an edge of the kind NONE to each of them. */
typedef struct {
  u32 atom;        /* of the code, a number in the file */
  u32 length;      /* of the range, bytes */
  u64 offset;      /* where it begins in the atom */
  u32 encoding;    /* as the object has it: without personality index and FDE offset */
  u32 personality; /* symbol of the file, 0: none; its value counts, through a GOT slot */
  u32 lsda;        /* atom, a number in the file, 0: none */
  u64 lsda_offset; /* in it */
} MachoUnwind;

/* An entry of LC_DATA_IN_CODE, with the place as an atom's. */
typedef struct {
  u32 atom;    /* number in the file */
  u32 offset;  /* in it */
  u16 length, kind;
} MachoDataInCode;

/* One LC_LINKER_OPTION: arguments for the linker. */
typedef struct {
  const char *const *args; /* in the mapped file */
  u32 n;
} MachoLinkerOption;

/* LC_BUILD_VERSION or LC_VERSION_MIN_*; versions are X.Y.Z in 16, 8, 8 bits. */
typedef struct {
  u32 platform; /* PLATFORM_* */
  u32 minos, sdk;
} MachoPlatform;

/* What a debugger's map of the output needs (stabs N_SO, N_OSO): from DWARF's first compile unit. */
typedef struct {
  bool known;            /* the object has debug information that could be read */
  const char *name;      /* DW_AT_name, in the mapped file; or NULL */
  const char *comp_dir;  /* DW_AT_comp_dir; or NULL */
} MachoDebugUnit;

typedef struct {
  const MachHeader64 *header; /* cputype, cpusubtype, flags */
  bool subsections;        /* MH_SUBSECTIONS_VIA_SYMBOLS: atoms are what lies between two symbols */
  MachoSection *sections;  /* [1, nsections], as n_sect counts them; 0 is none */
  u32 nsections;
  const Nlist64 *nlists;   /* the symbol table as it stands in the file, stabs included */
  u32 nnlists;
  Bytes strtab;
  MachoAtom *atoms;        /* [1, File.natoms) */
  MachoSymbol *symbols;    /* of the file's symbols from File.natoms on; see macho_symbol() */
  u32 nsymbols;
  const u32 *symbol_of;    /* by index in nlists: the file's symbol, 0: takes no part (stabs, symbols of dropped sections) */
  u32 natoms;              /* File.natoms */
  const u8 *names;         /* by atom: 0, 1 or 2: how many global names it has, or more; NULL: no atom has two */
  const MachoEdge *edges;
  const u32 *first_edge;   /* of atom i, in edges; i + 1 is the end. NULL until the file's atoms are made */
  const MachoUnwind *unwind; /* in the order of the object; when its atoms are made */
  u32 nunwind;
  const MachoDataInCode *data_in_code;
  u32 ndata_in_code;
  const MachoLinkerOption *options;
  u32 noptions;
  const MachoPlatform *platforms; /* two for a zippered object; none for one that does not say */
  u32 nplatforms;
  u32 eh_frame;            /* section, 0: none */
  u32 compact_unwind;      /* section, 0: none */
  const u8 *indirect;      /* the indirect symbol table: nindirect unaligned 32-bit indexes in nlists */
  u32 nindirect;
  u32 objc_imageinfo;      /* section __DATA,__objc_imageinfo, 0: none */
  u32 addrsig;             /* section __DATA,__llvm_addrsig: relocations for what is address-significant, 0: none */
  u32 call_graph;          /* section __LLVM,__cg_profile, 0: none */
  bool has_debug_info;     /* it has sections of the segment __DWARF */
  MachoDebugUnit debug_unit; /* macho_debug_unit() fills it */
  const u32 *atom_first, *atom_syms; /* symbols by atom, for text: read/macho_describe.c makes them when asked */
  u64 mtime;               /* of the file or archive member, seconds: who loads the file may set it in a zeroed MachoObject */
} MachoObject;

/* Symbol `index` of the file, from File.natoms on. */
static inline const MachoSymbol *macho_symbol(const MachoObject *o, u32 index) { return &o->symbols[index - o->natoms]; }
/* Its record in the symbol table (n_type, n_desc: N_WEAK_DEF, N_WEAK_REF, REFERENCED_DYNAMICALLY, N_ALT_ENTRY, ...), NULL for an
 * atom's own local symbol. */
static inline const Nlist64 *macho_nlist(const MachoObject *o, u32 index) {
  return index < o->natoms ? NULL : &o->nlists[macho_symbol(o, index)->nlist];
}
/* Weak and private to this output if every definition of the name says so (weak_def_can_be_hidden). */
static inline bool macho_auto_hide(const Nlist64 *n) {
  return (n->n_type & N_TYPE) == N_SECT && (n->n_desc & (N_WEAK_DEF | N_WEAK_REF)) == (N_WEAK_DEF | N_WEAK_REF);
}

#endif
