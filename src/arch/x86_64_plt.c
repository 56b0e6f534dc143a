/* x86_64_plt.c: the bytes of .plt, .plt.sec and .plt.got (psABI 5.2; with IBT: the CET supplement's
 * second PLT). The trap: an entry's number is also the index of its relocation in .rela.plt, which a lazy
 * entry pushes for the dynamic linker. */
#include "arch/x86_64_internal.h"
#include "core/slots.h"

/* Writes to - (from + 4) at p; a PLT lies within 2 GB of its GOT unless a script tears them apart. */
static void put_rel(Link *l, u8 *p, u64 to, u64 from) {
  u64 v = to - (from + 4);
  if ((i64)v != (i32)v)
    diag_error(l->diag, "relocation-range", "the PLT is too far away from the GOT");
  wr32(p, (u32)v);
}

static void write_header(Link *l, u8 *out, u64 addr, u64 got) {
  static const u8 insn[X64_PLT_HEADER] = {
      0xff, 0x35, 0, 0, 0, 0, /* push GOTPLT+8(%rip): the link map */
      0xff, 0x25, 0, 0, 0, 0, /* jmp *GOTPLT+16(%rip): the resolver */
      0x0f, 0x1f, 0x40, 0x00, /* nop */
  };
  memcpy(out, insn, sizeof insn);
  put_rel(l, out + 2, got + 8, addr + 2);
  put_rel(l, out + 8, got + 16, addr + 8);
}

static void write_lazy_entry(Link *l, u8 *p, u64 addr, u64 slot, u32 index, u64 header) {
  static const u8 insn[X64_PLT_ENTRY] = {
      0xff, 0x25, 0, 0, 0, 0, /* jmp *foo@GOTPLT(%rip) */
      0x68, 0, 0, 0, 0,       /* push $index */
      0xe9, 0, 0, 0, 0,       /* jmp PLT0 */
  };
  memcpy(p, insn, sizeof insn);
  put_rel(l, p + 2, slot, addr + 2);
  wr32(p + 7, index);
  put_rel(l, p + 12, header, addr + 12);
}

static void write_ibt_entry(Link *l, u8 *p, u64 addr, u32 index, u64 header) {
  static const u8 insn[X64_PLT_ENTRY] = {
      0xf3, 0x0f, 0x1e, 0xfa, /* endbr64 */
      0x68, 0, 0, 0, 0,       /* push $index */
      0xe9, 0, 0, 0, 0,       /* jmp PLT0 */
      0x66, 0x90,             /* nop */
  };
  memcpy(p, insn, sizeof insn);
  wr32(p + 5, index);
  put_rel(l, p + 10, header, addr + 10);
}

/* endbr64; jmp *slot(%rip); nop */
static void write_ibt_jump(Link *l, u8 *p, u64 addr, u64 slot) {
  static const u8 insn[X64_PLT_SEC_ENTRY] = {0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x25, 0,    0,
                                             0,    0,    0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00};
  memcpy(p, insn, sizeof insn);
  put_rel(l, p + 6, slot, addr + 6);
}

void x64_write_plt(Link *l, u8 *out) {
  u64 addr = synth_addr(l, SYN_PLT);
  bool ibt = uses_plt_sec(l);
  write_header(l, out, addr, synth_addr(l, SYN_GOT_PLT));
  for (u32 i = 0; i < l->nplt; i++) {
    u32 off = X64_PLT_HEADER + i * X64_PLT_ENTRY;
    if (ibt)
      write_ibt_entry(l, out + off, addr + off, i, addr);
    else
      write_lazy_entry(l, out + off, addr + off, gotplt_slot_addr(l, (i32)i), i, addr);
  }
}

void x64_write_plt_sec(Link *l, u8 *out) {
  u64 addr = synth_addr(l, SYN_PLT_SEC);
  for (u32 i = 0; i < l->nplt; i++) {
    u32 off = i * X64_PLT_SEC_ENTRY;
    write_ibt_jump(l, out + off, addr + off, gotplt_slot_addr(l, (i32)i));
  }
}

void x64_write_plt_got(Link *l, u8 *out) {
  u64 base = synth_addr(l, SYN_PLT_GOT);
  bool ibt = uses_plt_sec(l);
  for (u32 i = 0; i < l->syms.nauxes; i++) {
    const SymAux *x = &l->syms.auxes[i];
    if (x->pltgot < 0)
      continue;
    u64 addr = plt_addr(l, x), slot = got_slot_addr(l, x->got);
    u8 *p = out + (addr - base);
    if (ibt) {
      write_ibt_jump(l, p, addr, slot);
    } else {
      memcpy(p, "\xff\x25\0\0\0\0\x66\x90", X64_PLT_GOT_ENTRY); /* jmp *foo@GOT(%rip); nop */
      put_rel(l, p + 2, slot, addr + 2);
    }
  }
}
