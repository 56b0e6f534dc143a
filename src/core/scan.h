/* scan.h: what Arch.scan leaves for pass/got.c and pass/dynrel.c, and what these two share. Hangs off
 * Link.slots. The trap: each thread writes only its own ScanThread; which thread saw an edge first
 * depends on the schedule, so whoever joins the lists sorts them. */
#ifndef WELD_CORE_SCAN_H
#define WELD_CORE_SCAN_H

#include "core/link.h"

/* A symbol whose `needs` went from nothing to something. */
typedef struct {
  u32 sym;
  u32 flags; /* Edge.flags: the only place where the facts of a local symbol are kept */
} NeededSym;

/* A pointer to a local IFUNC in the data of position-independent output. Whether it becomes IRELATIVE
 * or a relative relocation to the canonical PLT entry is known only when all edges were seen. */
typedef struct {
  u32 atom, sym;
  u64 offset;
  i64 addend;
} IfuncRef;

/* A relative relocation that goes to .relr.dyn. */
typedef struct {
  u32 atom;
  u32 unused;
  u64 offset;
} RelrRef;

typedef struct {
  VEC(NeededSym) needed;
  VEC(IfuncRef) ifuncs;
  VEC(RelrRef) relr;
  u64 alloc_bytes;    /* content of the live allocated atoms that were scanned */
  u64 nrel, nsymrel;  /* sums of atoms.nrel and atoms.nsymrel */
  bool uses_got_base; /* something is relative to _GLOBAL_OFFSET_TABLE_ */
  bool uses_tlsld;
  bool has_textrel, has_static_tls, has_ifunc;
  u8 pad[64]; /* threads stay off each other's cache lines */
} ScanThread;

/* A variable that is copied at startup (one for each address in its library). */
typedef struct {
  u32 sym;
  bool relro;
  u64 offset;
} CopyReloc;

typedef struct Slots {
  ScanThread *threads; /* pool_threads() of them */
  bool far_image; /* targets may be more than 2 GB away: relax only where a GOT slot stands by */
  bool uses_got_base, uses_tlsld;

  VEC(CopyReloc) copies;
  VEC(IfuncRef) ifuncs;      /* sorted by atom and offset */
  u32 ncanonical_ifuncs;     /* of ifuncs: relative relocations at the end of .rela.dyn */
  u32 got_nrel, got_nsymrel; /* dynamic relocations of .got */
  u32 got_nirelative;
  u32 nplt_ifunc;            /* the last of the nplt entries of .plt */

  RelrRef *relr; /* in order of addresses after dynrel_assign */
  u64 nrelr;
  u64 relr_bytes;
} Slots;

/* One slot of .got that a symbol owns, and the dynamic relocation that fills it. */
typedef struct {
  i32 slot;
  i32 kind;   /* DynKind, -1: none, the value is final */
  u32 dynsym; /* SymId of the relocation, NO_SYM.i: none */
  u64 value;  /* what the linker writes to the slot; valid after layout */
  i64 addend; /* of the relocation; valid after layout */
} GotEntry;

enum { GOT_ENTRIES_MAX = 6 };
/* The slots of x in .got (pass/got.c), after layout. Returns how many. */
u32 got_entries(const Link *l, const SymAux *x, GotEntry out[GOT_ENTRIES_MAX]);
/* The same before layout: slots and kinds only. */
u32 got_kinds(const Link *l, const SymAux *x, GotEntry out[GOT_ENTRIES_MAX]);
/* Address of a symbol as it was defined, PLT and copy relocations aside; locals too. After layout. */
u64 slot_target(const Link *l, u32 sym);

/* Does a relocation of a live, loaded atom refer to _GLOBAL_OFFSET_TABLE_? Kinds that mean it without naming it were seen by scan
 * (Slots.uses_got_base). Looks only at objects that name it. */
bool got_base_is_wanted(Link *l);

static inline bool is_local_ifunc(u32 flags) {
  return (flags & (SF_IFUNC | SF_IMPORTED)) == SF_IFUNC;
}
/* Facts of a symbol that owns slots: SF_* (locals: the low 16 bits). */
static inline u32 slot_flags(const Link *l, const SymAux *x) {
  return x->sym < l->syms.nglobal ? l->syms.flags[x->sym] : x->flags;
}

#endif
