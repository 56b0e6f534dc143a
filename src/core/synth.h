/* synth.h: atoms that weld makes: GOT, PLT, symbol tables, notes, merged strings. A Synth is an atom of
 * file 0 whose bytes come from a function. Layout places it by its name and attributes like any input
 * section. */
#ifndef WELD_CORE_SYNTH_H
#define WELD_CORE_SYNTH_H

#include "core/atom.h"

struct Link;
typedef struct Synth Synth;

/* Bytes of a Synth. */
typedef struct {
  u64 off, len;
} SynthPart;

struct Synth {
  const char *name; /* as an input section's name: the layout's patterns match it */
  u32 type;         /* format's section type and flags, opaque to the core */
  u64 attr;
  u32 entsize;
  u8 p2align;
  bool keep_empty;  /* placed even when size is 0 (default: an empty Synth is not placed) */
  u64 size;         /* bytes; final when layout has settled */
  AtomId atom;      /* set by synth_add */
  u32 file;         /* FileId by whose name patterns of files judge it; 0: weld's own */
  /* Asked in every round of layout; sets size, returns true when it changed. NULL: size is constant. */
  bool (*resize)(struct Link *l, Synth *s);
  /* Composes bytes [off, off + len) to `out` (len bytes, zeroed unless `fills`). Runs after addresses are final, maybe
   * on several threads for different ranges of one Synth if `grain` is not 0. */
  void (*write)(struct Link *l, const Synth *s, u8 *out, u64 off, u64 len);
  bool fills;       /* `write` sets every byte */
  u64 grain;        /* ranges handed to write are multiples of this many bytes (but for the last); 0: whole */
  bool late;        /* written after everything that is not late (e.g. .eh_frame_hdr) */
  const SynthPart *parts; /* late: all that `write` is asked for, in order; somebody else writes the rest. NULL: everything */
  u32 nparts;
  void *ctx;
  /* format's links: output section header's sh_link / sh_info, as Synth indexes + 1, or SYN_NONE */
  u32 link, info;
  u32 info_value;   /* sh_info when info is SYN_NONE */
};

/* Fixed ones; others (merged strings, ...) follow from SYN_COUNT on. Index 0 is none. */
enum {
  SYN_NONE,
  SYN_INTERP,        /* .interp */
  SYN_NOTE_PROPERTY, /* .note.gnu.property */
  SYN_BUILD_ID,      /* .note.gnu.build-id */
  SYN_NOTE_PACKAGE,  /* .note.package */
  SYN_HASH,          /* .hash */
  SYN_GNU_HASH,      /* .gnu.hash */
  SYN_DYNSYM,        /* .dynsym */
  SYN_DYNSTR,        /* .dynstr */
  SYN_VERSYM,        /* .gnu.version */
  SYN_VERDEF,        /* .gnu.version_d */
  SYN_VERNEED,       /* .gnu.version_r */
  SYN_RELA_DYN,      /* .rela.dyn */
  SYN_RELR_DYN,      /* .relr.dyn */
  SYN_RELA_PLT,      /* .rela.plt (static output: __rela_iplt_start .. end) */
  SYN_PLT,           /* .plt */
  SYN_PLT_GOT,       /* .plt.got */
  SYN_PLT_SEC,       /* .plt.sec (IBT) */
  SYN_EH_FRAME_HDR,  /* .eh_frame_hdr */
  SYN_EH_FRAME,      /* .eh_frame */
  SYN_DYNAMIC,       /* .dynamic */
  SYN_GOT,           /* .got */
  SYN_GOT_PLT,       /* .got.plt */
  SYN_DYNBSS,        /* .dynbss: copied variables */
  SYN_DYNBSS_RELRO,  /* .dynbss.rel.ro: copied from read-only data */
  SYN_COMMON,        /* COMMON */
  SYN_TCOMMON,       /* .tcommon: TLS commons */
  SYN_LCOMMON,       /* LARGE_COMMON */
  SYN_SYMTAB,        /* .symtab */
  SYN_SYMTAB_SHNDX,
  SYN_STRTAB,        /* .strtab */
  SYN_SHSTRTAB,      /* .shstrtab */
  SYN_COUNT
};

/* Makes an atom for s (copied); returns its index in Link.synths. Not after layout began. */
u32 synth_add(struct Link *l, const Synth *s);
/* Address of a synth; 0 when it was not placed. After layout. */
u64 synth_addr(const struct Link *l, u32 index);

#endif
