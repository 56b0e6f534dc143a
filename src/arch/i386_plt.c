/* i386_plt.c: the bytes of .plt, .plt.sec and .plt.got (psABI 5.2; with IBT: a second PLT, as on x86-64). Output whose addresses move
 * finds its slots through %ebx, which the caller has set to the GOT; other output names them.
 * The trap: what a lazy entry pushes is the offset of its relocation in .rel.plt, not the number. */
#include "arch/i386_internal.h"
#include "core/slots.h"

/* What names a slot: its address, or its place in the GOT that %ebx points to. */
static u32 slot_operand(const Link *l, u64 slot) { return (u32)(l->is_pic ? slot - l->got_base : slot); }

/* jmp *slot. */
static void put_jump(const Link *l, u8 *p, u64 slot) {
  p[0] = 0xff;
  p[1] = l->is_pic ? 0xa3 : 0x25;
  wr32(p + 2, slot_operand(l, slot));
}

static void put_rel(u8 *p, u64 to, u64 from) { wr32(p, (u32)(to - (from + 4))); }

static void write_header(const Link *l, u8 *out, u64 gotplt) {
  out[0] = 0xff; /* push: the link map */
  out[1] = l->is_pic ? 0xb3 : 0x35;
  wr32(out + 2, slot_operand(l, gotplt + 4));
  put_jump(l, out + 6, gotplt + 8); /* the resolver */
  memcpy(out + 12, "\x0f\x1f\x40\x00", 4);
}

static u32 relocation(const Link *l, u32 index) { return index * l->format->dynrel_size; }

static void write_lazy_entry(const Link *l, u8 *p, u64 addr, u64 slot, u32 index, u64 header) {
  put_jump(l, p, slot);
  p[6] = 0x68; /* push */
  wr32(p + 7, relocation(l, index));
  p[11] = 0xe9; /* jmp PLT0 */
  put_rel(p + 12, header, addr + 12);
}

static void write_ibt_entry(const Link *l, u8 *p, u64 addr, u32 index, u64 header) {
  static const u8 insn[I386_PLT_ENTRY] = {
      0xf3, 0x0f, 0x1e, 0xfb, /* endbr32 */
      0x68, 0, 0, 0, 0,       /* push */
      0xe9, 0, 0, 0, 0,       /* jmp PLT0 */
      0x66, 0x90,             /* nop */
  };
  memcpy(p, insn, sizeof insn);
  wr32(p + 5, relocation(l, index));
  put_rel(p + 10, header, addr + 10);
}

/* endbr32; jmp *slot; nop */
static void write_ibt_jump(const Link *l, u8 *p, u64 slot) {
  static const u8 insn[I386_PLT_SEC_ENTRY] = {0xf3, 0x0f, 0x1e, 0xfb, 0, 0, 0, 0, 0, 0, 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00};
  memcpy(p, insn, sizeof insn);
  put_jump(l, p + 4, slot);
}

void i386_write_plt(Link *l, u8 *out) {
  u64 addr = synth_addr(l, SYN_PLT);
  bool ibt = uses_plt_sec(l);
  write_header(l, out, synth_addr(l, SYN_GOT_PLT));
  for (u32 i = 0; i < l->nplt; i++) {
    u32 off = I386_PLT_HEADER + i * I386_PLT_ENTRY;
    if (ibt)
      write_ibt_entry(l, out + off, addr + off, i, addr);
    else
      write_lazy_entry(l, out + off, addr + off, gotplt_slot_addr(l, (i32)i), i, addr);
  }
}

void i386_write_plt_sec(Link *l, u8 *out) {
  for (u32 i = 0; i < l->nplt; i++)
    write_ibt_jump(l, out + i * I386_PLT_SEC_ENTRY, gotplt_slot_addr(l, (i32)i));
}

void i386_write_plt_got(Link *l, u8 *out) {
  u64 base = synth_addr(l, SYN_PLT_GOT);
  for (u32 i = 0; i < l->syms.nauxes; i++) {
    const SymAux *x = &l->syms.auxes[i];
    if (x->pltgot < 0)
      continue;
    u64 slot = got_slot_addr(l, x->got);
    u8 *p = out + (plt_addr(l, x) - base);
    if (uses_plt_sec(l)) {
      write_ibt_jump(l, p, slot);
    } else {
      put_jump(l, p, slot);
      memcpy(p + 6, "\x66\x90", 2); /* nop */
    }
  }
}
