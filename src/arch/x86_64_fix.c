/* x86_64_fix.c: fields of x86-64 code and data, one at a time, and the instructions of Mach-O's stubs (Intel SDM, volume 2;
 * dyld's stubs as Apple's tools lay them out).
 * The trap: a displacement counts from the end of its instruction, which only the addend knows; everything here that writes a
 * whole instruction adds its length itself. */
#include "arch/x86_64_internal.h"

static i64 signed_max(u32 bits) { return bits == 64 ? INT64_MAX : ((i64)1 << (bits - 1)) - 1; }

void x64_fix_range(u32 kind, i64 *min, i64 *max) {
  u32 bits = kind < X64_COUNT ? arch_x86_64.edge_bytes[kind] * 8u : 0;
  bool any = kind == X64_ABS32 || kind == X64_ABS16 || kind == X64_ABS8; /* signed or not */
  bits = bits ? bits : 64;
  *min = -signed_max(bits) - 1;
  *max = any ? ((i64)1 << bits) - 1 : signed_max(bits);
}

FixResult x64_fix(u32 kind, u8 *place, u64 P, u64 S, i64 A, i64 *value) {
  i64 min, max;
  *value = (i64)(S + (u64)A);
  switch (edge_class(&arch_x86_64, kind)) {
  case EC_NONE: return FIX_OK;
  case EC_POINTER:
  case EC_ABS: break;
  case EC_BRANCH:
  case EC_PCREL:
  case EC_GOT_LOAD:
  case EC_TLV_LOAD: *value = (i64)(S + (u64)A - P); break;
  case EC_GOT:
    if (kind != X64_GOTPCREL && kind != X64_GOTPCREL64)
      return FIX_KIND; /* relative to the GOT, which only ELF has at one place */
    *value = (i64)(S + (u64)A - P);
    break;
  case EC_PAGE:
  case EC_PAGEOFF:
  case EC_SUBTRACT: /* the minuend writes the field */
  case EC_OTHER: return FIX_KIND;
  }
  x64_fix_range(kind, &min, &max);
  if (*value < min || *value > max)
    return FIX_RANGE;
  switch (arch_x86_64.edge_bytes[kind]) {
  case 8: wr64(place, (u64)*value); break;
  case 4: wr32(place, (u32)*value); break;
  case 2: wr16(place, (u16)*value); break;
  default: *place = (u8)*value; break;
  }
  return FIX_OK;
}

/* ---- loads of slots ---- */

enum { MOV_LOAD = 0x8b, LEA = 0x8d };

/* mov slot(%rip), %reg: opcode, ModRM (mod 0, rm 5), the field. */
bool x64_can_relax(u32 kind, const u8 *bytes, u64 size, u64 off, u16 *as) {
  *as = X64_PC32;
  if (kind != X64_REX_GOTPCRELX && kind != X64_GOTPCRELX && kind != X64_TLVPCREL)
    return false;
  return off >= 2 && off <= size && bytes[off - 2] == MOV_LOAD && (bytes[off - 1] & 0xc7) == 5;
}

void x64_relax(u32 kind, u8 *place) {
  (void)kind;
  place[-2] = LEA;
}

/* ---- code of the linker's own ---- */

/* n bytes of opcode, then the distance of `target` from behind them. */
static bool write_rel(u8 *out, u64 at, const char *opcode, u32 n, u64 target) {
  i64 v = (i64)(target - (at + n + 4));
  memcpy(out, opcode, n);
  wr32(out + n, (u32)v);
  return v == (i32)v;
}

bool x64_write_stub(u8 *out, u64 at, u64 pointer) { return write_rel(out, at, "\xff\x25", 2, pointer); /* jmp *pointer(%rip) */ }

bool x64_write_stub_helper(u8 *out, u64 at, u64 loader_data, u64 binder) {
  bool ok = write_rel(out, at, "\x4c\x8d\x1d", 3, loader_data); /* lea loader_data(%rip), %r11 */
  memcpy(out + 7, "\x41\x53", 2);                               /* push %r11 */
  ok = write_rel(out + 9, at + 9, "\xff\x25", 2, binder) && ok; /* jmp *binder(%rip) */
  out[15] = 0x90;
  return ok;
}

bool x64_write_stub_helper_entry(u8 *out, u64 at, u64 helper, u32 number) {
  out[0] = 0x68; /* push number */
  wr32(out + 1, number);
  return write_rel(out + 5, at + 5, "\xe9", 1, helper); /* jmp helper */
}

bool x64_write_objc_stub(u8 *out, u64 at, u64 selector, u64 send) {
  bool ok = write_rel(out, at, "\x48\x8b\x35", 3, selector);    /* mov selector(%rip), %rsi */
  return write_rel(out + 7, at + 7, "\xff\x25", 2, send) && ok; /* jmp *send(%rip) */
}
