/* ehframe_internal.h: what ehframe.c and ehframe_write.c share. */
#ifndef WELD_PASS_EHFRAME_INTERNAL_H
#define WELD_PASS_EHFRAME_INTERNAL_H

#include "core/link.h"

/* Pointer encodings (LSB 5.0 Core, 10.5). */
enum {
  DW_EH_PE_absptr = 0x00,
  DW_EH_PE_udata2 = 0x02,
  DW_EH_PE_udata4 = 0x03,
  DW_EH_PE_udata8 = 0x04,
  DW_EH_PE_sdata2 = 0x0a,
  DW_EH_PE_sdata4 = 0x0b,
  DW_EH_PE_sdata8 = 0x0c,
  DW_EH_PE_pcrel = 0x10,
  DW_EH_PE_datarel = 0x30,
  DW_EH_PE_format = 0x0f,
  DW_EH_PE_application = 0x70,
  DW_EH_PE_omit = 0xff,
};

enum {
  EH_PC_BEGIN = 8, /* offset of pc_begin in an FDE: behind length and CIE pointer */
  EH_TERMINATOR = 4,
  EH_HDR_SIZE = 8,  /* .eh_frame_hdr (LSB 5.0 Core, 10.6.2): version, encodings, where .eh_frame is */
  EH_COUNT_SIZE = 4,
  EH_ENTRY_SIZE = 8,
};

/* What EhRecord.target holds in a CIE. */
static inline u32 cie_pack(u8 fde, u8 lsda) { return fde | (u32)lsda << 8; }
static inline u8 cie_fde_encoding(const EhRecord *c) { return (u8)c->target; }
static inline u8 cie_lsda_encoding(const EhRecord *c) { return (u8)(c->target >> 8); }

/* Bytes of a pointer so encoded, where one is `word` bytes; 0: of no fixed size, or unknown. */
static inline u32 eh_pointer_size(u32 word, u8 encoding) {
  switch (encoding & DW_EH_PE_format) {
  case DW_EH_PE_udata2:
  case DW_EH_PE_sdata2: return 2;
  case DW_EH_PE_udata4:
  case DW_EH_PE_sdata4: return 4;
  case DW_EH_PE_absptr: return word;
  case DW_EH_PE_udata8:
  case DW_EH_PE_sdata8: return 8;
  }
  return 0;
}

/* Can the address be read off the finished bytes? Then the FDE gets an entry in .eh_frame_hdr. */
static inline bool eh_readable(u8 encoding) {
  u8 app = encoding & DW_EH_PE_application;
  return encoding != DW_EH_PE_omit && !(encoding & 0x80) && (app == 0 || app == DW_EH_PE_pcrel) &&
         eh_pointer_size(8, encoding);
}

/* The two Synths' ctx. */
typedef struct {
  u32 *base;   /* by file: where its records begin in the output; nfiles + 1 of them */
  u32 nfiles;
  u64 *entry;  /* of .eh_frame_hdr, unsorted: (address + 2^31) << 32 | FDE, both relative to it; 0: not made */
  u32 nentries;
  bool has_table;
} EhOutput;

/* ehframe_write.c */
void ehframe_write(Link *l, const Synth *s, u8 *out, u64 off, u64 len);
void ehframe_write_hdr(Link *l, const Synth *s, u8 *out, u64 off, u64 len);

#endif
