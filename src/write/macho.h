/* macho.h: Mach-O images: programs, dynamic libraries and bundles. The story (link_macho.c) fills the first part of a MachoImage,
 * the writer does the rest: segments and load commands (macho_segments.c, macho_commands.c), what stands in __LINKEDIT
 * (macho_linkedit.c, macho_symtab.c), the file (macho.c).
 * The trap: nothing in __LINKEDIT has an address that anything refers to, and its size depends on all addresses. So its
 * parts are no sections of the layout: they are made when addresses are final, and are ready bytes for the writer. */
#ifndef WELD_WRITE_MACHO_H
#define WELD_WRITE_MACHO_H

#include "core/link.h"
#include "format/macho.h"
#include "write/macho_sign.h"
#include "core/bind.h"

/* A library that the output names, in the order of ordinals. */
typedef struct {
  const char *name;   /* its install name */
  u32 command;        /* LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB, LC_REEXPORT_DYLIB, LC_LOAD_UPWARD_DYLIB */
  u32 current_version, compatibility_version;
} MachoLoad;

typedef struct {
  char name[17];
  u32 maxprot, initprot, flags;
  u32 first, count;   /* output sections: Link.order[first, first + count) */
  u64 addr, size, off, filesz;
} MachoSegment;

/* Ready bytes of __LINKEDIT and where they stand in the file. */
typedef struct {
  Bytes bytes;
  u64 off;
} MachoPart;

enum { /* in the order of the file */
  PART_REBASE, PART_BIND, PART_WEAK_BIND, PART_LAZY_BIND, /* opcodes for dyld; or */
  PART_FIXUPS,                                            /* the table of chained fixups */
  PART_EXPORTS, PART_FUNCTIONS, PART_DATA_IN_CODE, PART_SYMBOLS, PART_INDIRECT, PART_STRINGS,
  PART_COUNT
};

typedef struct MachoImage {
  /* from the story */
  Link *l;
  u32 filetype;                  /* MH_EXECUTE, MH_DYLIB or MH_BUNDLE */
  u32 cputype, cpusubtype;
  const MachoLoad *libraries; /* ordinal i is libraries[i - 1] */
  u32 nlibraries;
  const i32 *ordinals;           /* by FileId: of a shared library; or BIND_SPECIAL_DYLIB_* */
  const u8 *weak_files;          /* by FileId: a library that may be missing */
  u64 base;                      /* address of the header */
  void *objc_stubs;              /* objc_macho.c's own */

  /* the writer's */
  VEC(MachoSegment) segments;    /* __PAGEZERO first, __LINKEDIT last */
  StrVec names;                  /* of segments, as macho_segment_of() numbers them from 1 on */
  MachoPart part[PART_COUNT];
  u32 nlocal, nexternal, nundefined; /* symbols */
  u32 *symbol_index;             /* by SymId, global ones: index in the symbol table + 1, 0: none */
  u64 sign_off, sign_size;       /* 0: not signed */
  u64 size;                      /* of the file */
  bool weak_defines, binds_to_weak;
  u64 entry;                     /* address */
  const struct MachoFixups *fixups; /* chained ones, or NULL */
} MachoImage;

static inline MachoImage *macho_image(const Link *l) { return l->dyn; }

/* Hooks of the Format row. */
void macho_output_section(const Link *l, Osec *o);
u32 macho_segment_of(const Link *l, const Osec *o);
u64 macho_plan_segments(Link *l);
void macho_finish_segments(Link *l);

/* Name of an output section's segment (not NUL-ended: *len) and of the section in it. */
const char *macho_section_name(const Osec *o, u32 *segment_len);
/* The segment that address `addr` is in; nsegments when it is in none. */
u32 macho_segment_at(const MachoImage *m, u64 addr);
/* Ordinal of the library that a bound symbol is looked up in; or BIND_SPECIAL_DYLIB_*. */
i32 macho_symbol_ordinal(const MachoImage *m, u32 sym);

/* May the symbol be missing when the program runs? */
bool macho_weak_import(const MachoImage *m, u32 sym);
/* Do all images use one definition of it, which dyld chooses? */
bool macho_is_coalesced(const Link *l, u32 sym);

/* The load commands; returns their size. `out` NULL: only that. *n: how many. */
u64 macho_commands(const MachoImage *m, u8 *out, u32 *n);
/* When addresses are final: all parts of __LINKEDIT, the size of the file. False after a report. */
bool macho_linkedit_build(MachoImage *m);
/* Of the file, once sign_off is known. */
MachoSignature macho_signature_of(const MachoImage *m);
/* Symbol table, string table, indirect symbols, function starts, data in code. */
void macho_symtab_build(MachoImage *m, Arena *arena);
/* Writes the file. False after a report. */
bool macho_write(MachoImage *m);

#endif
