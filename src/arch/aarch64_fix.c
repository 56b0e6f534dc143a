/* aarch64_fix.c: fields of AArch64 code and data, one at a time, and the few instructions that linkers write themselves (Arm
 * Architecture Reference Manual, C6.2; dyld's stubs as Apple's tools lay them out).
 * The trap: ADRP counts in pages of 4 KiB whatever the system's page is, and the page of a place is not that of its target's
 * addend alone: S + A is one address. */
#include "arch/aarch64_internal.h"

#include "util/bytes.h"

enum {
  ADRP = 0x90000000,
  ADD_IMM = 0x91000000,  /* 64 bits */
  LDR_IMM = 0xf9400000,  /* 64 bits, unsigned offset in eights */
  LDR_LITERAL_W = 0x18000000,
  STP_PUSH = 0xa9bf0000, /* STP Xt, Xt2, [Xn, #-16]! */
  B = 0x14000000,
  BR = 0xd61f0000,
  BRK_1 = 0xd4200020,
  SP = 31,
};

static u64 page(u64 v) { return v & ~0xfffull; }

static u32 put_adrp(u32 insn, i64 pages) {
  u32 imm = (u32)pages;
  return (insn & 0x9f00001f) | (imm & 3) << 29 | (imm >> 2 & 0x7ffff) << 5;
}
static u32 put_imm12(u32 insn, u64 v) { return (insn & 0xffc003ff) | (u32)(v & 0xfff) << 10; }
static u32 put_imm26(u32 insn, i64 v) { return (insn & 0xfc000000) | ((u32)(v >> 2) & 0x3ffffff); }

static bool fits(i64 v, u32 bits) { return v >= -(1ll << (bits - 1)) && v < 1ll << (bits - 1); }

void a64_fix_range(u32 kind, i64 *min, i64 *max) {
  u32 bits = 64;
  switch ((A64Edge)kind) {
  case A64_ABS32: /* signed or not */
    *min = INT32_MIN;
    *max = UINT32_MAX;
    return;
  case A64_PREL32:
  case A64_GOTPCREL32: bits = 32; break;
  case A64_CALL26: bits = 28; break;
  case A64_ADR_PREL_PG_HI21:
  case A64_ADR_GOT_PAGE:
  case A64_TLV_PAGE21: bits = 33; break;
  case A64_NONE:
  case A64_ABS64:
  case A64_PREL64:
  case A64_SUB64:
  case A64_SUB32:
  case A64_ADD_ABS_LO12_NC:
  case A64_LDST8_ABS_LO12_NC:
  case A64_LDST16_ABS_LO12_NC:
  case A64_LDST32_ABS_LO12_NC:
  case A64_LDST64_ABS_LO12_NC:
  case A64_LDST128_ABS_LO12_NC:
  case A64_LD64_GOT_LO12_NC:
  case A64_TLV_PAGEOFF12:
  case A64_COUNT: break;
  }
  *min = bits == 64 ? INT64_MIN : -((i64)1 << (bits - 1));
  *max = bits == 64 ? INT64_MAX : ((i64)1 << (bits - 1)) - 1;
}

/* The low 12 bits of v, counted in units of 1 << shift. */
static FixResult put_low(u8 *place, u64 v, u32 shift) {
  if (v & ((1u << shift) - 1))
    return FIX_ALIGN;
  wr32(place, put_imm12(rd32(place), (v & 0xfff) >> shift));
  return FIX_OK;
}

FixResult a64_fix(u32 kind, u8 *place, u64 P, u64 S, i64 A, i64 *value) {
  u64 v = S + (u64)A;
  i64 rel = (i64)(v - P), min, max;
  *value = (i64)v;
  switch ((A64Edge)kind) {
  case A64_NONE: return FIX_OK;
  case A64_ABS64: wr64(place, v); return FIX_OK;
  case A64_PREL64: wr64(place, (u64)rel); return FIX_OK;
  case A64_ADD_ABS_LO12_NC:
  case A64_LDST8_ABS_LO12_NC: return put_low(place, v, 0);
  case A64_LDST16_ABS_LO12_NC: return put_low(place, v, 1);
  case A64_LDST32_ABS_LO12_NC: return put_low(place, v, 2);
  case A64_LDST64_ABS_LO12_NC:
  case A64_LD64_GOT_LO12_NC:
  case A64_TLV_PAGEOFF12: return put_low(place, v, 3);
  case A64_LDST128_ABS_LO12_NC: return put_low(place, v, 4);
  case A64_ABS32: break;
  case A64_PREL32:
  case A64_GOTPCREL32: *value = rel; break;
  case A64_CALL26:
    *value = rel;
    if (rel & 3)
      return FIX_ALIGN;
    break;
  case A64_ADR_PREL_PG_HI21:
  case A64_ADR_GOT_PAGE:
  case A64_TLV_PAGE21: *value = (i64)(page(v) - page(P)); break;
  case A64_SUB64: /* the minuend writes the field */
  case A64_SUB32:
  case A64_COUNT: return FIX_KIND;
  }
  a64_fix_range(kind, &min, &max);
  if (*value < min || *value > max)
    return FIX_RANGE;
  if (kind == A64_CALL26)
    wr32(place, put_imm26(rd32(place), rel));
  else if (kind == A64_ABS32 || kind == A64_PREL32 || kind == A64_GOTPCREL32)
    wr32(place, (u32)*value);
  else
    wr32(place, put_adrp(rd32(place), *value >> 12));
  return FIX_OK;
}

/* ---- loads of slots ---- */

bool a64_can_relax(u32 kind, const u8 *bytes, u64 size, u64 off, u16 *as) {
  if (size < 4 || off > size - 4)
    return false;
  switch (kind) {
  case A64_ADR_GOT_PAGE:
  case A64_TLV_PAGE21: *as = A64_ADR_PREL_PG_HI21; return true;
  case A64_LD64_GOT_LO12_NC:
  case A64_TLV_PAGEOFF12: *as = A64_ADD_ABS_LO12_NC; return (rd32(bytes + off) & 0xffc00000) == LDR_IMM;
  default: return false;
  }
}

void a64_relax(u32 kind, u8 *place) {
  if (kind == A64_LD64_GOT_LO12_NC || kind == A64_TLV_PAGEOFF12)
    wr32(place, ADD_IMM | (rd32(place) & 0x3ff)); /* the same registers */
}

/* ---- code of the linker's own ---- */

/* ADRP Xreg, the page of `target`, at address `at`. */
static bool write_adrp(u8 *out, u64 at, u32 reg, u64 target) {
  i64 v = (i64)(page(target) - page(at));
  wr32(out, put_adrp(ADRP | reg, v >> 12));
  return fits(v, 33);
}

static void write_add(u8 *out, u32 reg, u64 target) { wr32(out, put_imm12(ADD_IMM | reg << 5 | reg, target)); }

/* Loads what stands at `slot`; a slot that is not aligned is out of reach. */
static bool write_load(u8 *out, u64 at, u32 reg, u64 slot) {
  bool ok = write_adrp(out, at, reg, slot) && !(slot & 7);
  wr32(out + 4, put_imm12(LDR_IMM | reg << 5 | reg, (slot & 0xfff) >> 3));
  return ok;
}

static void write_br(u8 *out, u32 reg) { wr32(out, BR | reg << 5); }

static bool write_b(u8 *out, u64 at, u64 target) {
  i64 v = (i64)(target - at);
  wr32(out, put_imm26(B, v));
  return fits(v, 28) && !(v & 3);
}

bool a64_write_thunk(u8 *out, u64 at, u64 target) {
  bool ok = write_adrp(out, at, 16, target);
  write_add(out + 4, 16, target);
  write_br(out + 8, 16);
  return ok;
}

bool a64_write_stub(u8 *out, u64 at, u64 pointer) {
  bool ok = write_load(out, at, 16, pointer);
  write_br(out + 8, 16);
  return ok;
}

bool a64_write_stub_helper(u8 *out, u64 at, u64 loader_data, u64 binder) {
  bool ok = write_adrp(out, at, 17, loader_data);
  write_add(out + 4, 17, loader_data);
  wr32(out + 8, STP_PUSH | 17 << 10 | SP << 5 | 16);
  ok = write_load(out + 12, at + 12, 16, binder) && ok;
  write_br(out + 20, 16);
  return ok;
}

bool a64_write_stub_helper_entry(u8 *out, u64 at, u64 helper, u32 number) {
  wr32(out, LDR_LITERAL_W | 2 << 5 | 16); /* the word behind the branch */
  wr32(out + 8, number);
  return write_b(out + 4, at + 4, helper);
}

bool a64_write_objc_stub(u8 *out, u64 at, u64 selector, u64 send) {
  bool ok = write_load(out, at, 1, selector);
  ok = write_load(out + 8, at + 8, 16, send) && ok;
  write_br(out + 16, 16);
  for (u32 i = 20; i < A64_OBJC_STUB; i += 4)
    wr32(out + i, BRK_1);
  return ok;
}
