/* macho_internal.h: what the files of the Mach-O reader share. */
#ifndef WELD_READ_MACHO_INTERNAL_H
#define WELD_READ_MACHO_INTERNAL_H

#include "core/link.h"
#include "format/macho_object.h"
#include "read/macho.h"

/* Symbols and atoms of one file share MachoEdge.target, and a hostile section of empty strings must not ask for all memory. */
enum { MACHO_MOST_ATOMS = 1 << 22, MACHO_MOST_SYMBOLS = 1 << 24 };
#define MACHO_NO_SYMBOL UINT32_MAX

static inline MachoObject *macho_object(const Link *l, FileId f) { return file_at(l, f)->fmt; }

/* Reports "FILE: offset 0x..: fact"; false. Thread safe. */
bool macho_bad(Link *l, FileId f, u64 off, const char *fmt, ...) PRINTF_LIKE(4, 5);

bool macho_is_zerofill(u32 type);

/* What is one atom in a section. */
typedef enum {
  MACHO_WHOLE,    /* the section */
  MACHO_BY_NAMES, /* what lies between two symbols */
  MACHO_STRINGS,  /* a NUL-terminated string */
  MACHO_RECORDS,  /* *size bytes each */
} MachoSplit;
MachoSplit macho_split_of(const MachoObject *o, const MachoSection *s, u32 *size);

/* Atoms and symbols of a file whose sections and symbol table are known: MachoObject.atoms, symbols, symbol_of; File.natoms,
 * nsyms, first_global. */
bool macho_split(Link *l, FileId f, MachoObject *o, unsigned tid);
/* The atom that holds address addr of section s (its end belongs to the last), and where in it; 0: outside. */
u32 macho_atom_at(const MachoObject *o, u32 section, u64 addr, u64 *off);
/* Size in bytes of atom i. */
u64 macho_atom_size(const MachoObject *o, u32 i);
/* log2 of the alignment of a tentative definition. */
u8 macho_common_align(const Nlist64 *n);
const char *macho_name(const MachoObject *o, const Nlist64 *n);

/* Relocations of a section in order of addresses, section-relative ones resolved to atoms. */
typedef struct {
  i64 addend;
  u32 offset; /* in the section */
  u32 symbol; /* of the file */
  u32 kind;
} MachoReloc;
typedef VEC(MachoReloc) MachoRelocs;
/* Appends those of section s. What is malformed is reported and left out. */
void macho_relocs(Link *l, FileId f, const MachoObject *o, u32 s, MachoRelocs *out);
/* The relocations of __eh_frame, with those that the assembler resolved; `patched` is a copy of its bytes in which CIE pointers are
 * numbers again, NULL: as in the file. */
void macho_eh_frame(Link *l, FileId f, const MachoObject *o, MachoRelocs *r, unsigned tid, u8 **patched);
/* Reads __compact_unwind to o->unwind. */
void macho_compact_unwind(Link *l, FileId f, MachoObject *o, unsigned tid);

/* Fills o->debug_unit. */
void macho_debug_unit(MachoObject *o);

/* Hooks of Format. */
bool macho_open(Link *l, FileId f, unsigned tid);
u32 macho_names(Link *l, FileId f, InternEnt *out);
u32 macho_symbols(const Link *l, FileId f, u32 from, SymRec *buf, u32 cap);
u32 macho_kinds(const Link *l, FileId f, u32 from, u64 *buf, u32 cap);
void macho_definitions(const Link *l, const u64 *keys, u32 n, SymRec *buf);
const char *macho_sym_name(const Link *l, FileId f, u32 index);
u64 macho_sym_size(const Link *l, FileId f, u32 index);
void macho_each_local(const Link *l, FileId f, void *ctx, SymbolFn *fn);
void macho_library_names(Bytes library, void *ctx, NameFn *fn);
void macho_atoms(Link *l, FileId f, unsigned tid);
const char *macho_atom_name(const Link *l, AtomId a);
const char *macho_root_reason(const Link *l, AtomId a);
u32 macho_atom_flags(u32 type, u64 attr);
void macho_absorb(Link *l, AtomId winner, AtomId loser);
u32 macho_edges(const Link *l, EdgeCursor *c, Edge *buf);
AtomId macho_edge_atom(const Link *l, FileId f, const Edge *e, i64 *off);
bool macho_edge_ends(const Link *l, AtomId a, EdgeEnd *buf);
u32 macho_edge_targets(const Link *l, AtomId a, u32 *next, u32 end, EdgeTarget *buf);
bool macho_by_content(const Link *l, AtomId a);
u64 macho_local_value(const Link *l, FileId f, u32 index);
bool macho_significant(Link *l, FileId f, u8 *marks, u8 mark, u16 except);
void macho_call_graph(Link *l, FileId f, void *ctx, CallFn *fn);
void *macho_locator_open(const Link *l, FileId f);
bool macho_locator_find(void *locator, AtomId a, u64 off, Arena *arena, SourcePlace *out);
void macho_locator_close(void *locator);
void macho_describe(const Link *l, AtomId a, Arena *arena, struct YamlAtom *out);
bool macho_describe_symbol(const Link *l, FileId f, u32 index, Arena *arena, struct YamlAtom *out);

#endif
