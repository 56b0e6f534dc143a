/* macho_fixups.h: chained fixups (dyld's <mach-o/fixup-chains.h>, LC_DYLD_CHAINED_FIXUPS): every pointer that dyld has
 * to change holds, until then, what it becomes and how far the next one is; __LINKEDIT holds where the chain of each page
 * begins, and the imported names. Pointers are of the format DYLD_CHAINED_PTR_64, or ..._OFFSET.
 * The trap: the size of the table depends on which pages have fixups, so it is asked again in every round of layout. */
#ifndef WELD_WRITE_MACHO_FIXUPS_H
#define WELD_WRITE_MACHO_FIXUPS_H

#include "util/arena.h"
#include "util/bytes.h"

enum { MACHO_FIXUP_REBASE = UINT32_MAX /* MachoFixup.symbol: none */ };

/* A pointer of 8 bytes. */
typedef struct {
  u64 addr;    /* of the pointer */
  u64 target;  /* rebase: address of what it points at (S + A), with the high byte of a tagged pointer */
  i64 addend;  /* bind */
  u32 symbol;  /* bind: the caller's number of the symbol; else MACHO_FIXUP_REBASE */
  u32 import;  /* bind: index among the imports; set by macho_imports_assign() */
} MachoFixup;

/* A symbol to look up, with an addend unless that fits into the pointers. */
typedef struct {
  const char *name; /* with NUL */
  i64 addend;
  u32 symbol;       /* the caller's number */
  i32 ordinal;      /* of the library, from 1 on; or BIND_SPECIAL_DYLIB_* */
  bool weak;        /* may be missing */
} MachoImport;

typedef struct {
  u64 addr, size; /* in memory */
} MachoFixupSegment;

typedef struct MachoFixups {
  const MachoFixupSegment *segments; /* all LC_SEGMENT_64 in their order, those without fixups too */
  u32 nsegments;
  u64 base;           /* address of the Mach-O header */
  u32 page_size;      /* 0x1000 or 0x4000 */
  bool offsets;       /* rebase targets count from `base` (DYLD_CHAINED_PTR_64_OFFSET) */
  const MachoFixup *fixups; /* by address */
  u32 nfixups;
  const MachoImport *imports;
  u32 nimports;
} MachoFixups;

typedef enum {
  MACHO_FIXUP_GOOD,
  MACHO_FIXUP_UNALIGNED, /* the place is no multiple of 4 */
  MACHO_FIXUP_TARGET,    /* the target does not fit into 36 bits and a high byte */
  MACHO_FIXUP_OVERLAP,   /* it begins before the fixup in front of it ends, or runs over the end of its page */
  MACHO_FIXUP_OUTSIDE,   /* of all segments, or more than 65535 pages behind the start of its own */
  MACHO_FIXUP_IMPORT,    /* there are more imports than a pointer can name */
} MachoFixupFault;

/* Gives each bind its import, the same for the same symbol where the addend allows it; returns the imports in order of first
 * use, in the arena, with `symbol` and `addend` set: the caller fills in the rest. */
MachoImport *macho_imports_assign(Arena *arena, MachoFixup *f, u32 n, u32 *nimports);
/* What is wrong with fixup i. The caller reports, and does not write the image then. */
MachoFixupFault macho_fixup_fault(const MachoFixups *c, u32 i);
/* Bytes of the table, a multiple of 8. Looks at which pages have fixups, not at targets. */
u64 macho_fixups_size(const MachoFixups *c);
/* The table, macho_fixups_size() bytes. */
void macho_fixups_write(const MachoFixups *c, u8 *out);
/* Writes those of the pointers that are in `len` bytes standing for addresses from `addr` on, also those that only partly are.
 * Thread safe. */
void macho_fixups_apply(const MachoFixups *c, u8 *bytes, u64 addr, u64 len);

#endif
