/* x86_64_fold.c: what x86-64 code does with addresses, for folding (core/icf.h): objects without a
 * table of address-significant symbols tell by their code.
 * The trap: inside one section the assembler resolves a %rip-relative reference itself, and no edge
 * shows that the section knows its own address. */
#include "arch/x86_64_internal.h"
#include "arch/x86_64_rules.h"

/* call, jmp or jcc: directly, or through the GOT. */
bool x64_only_branches(const Atom *a, u32 kind, u64 off) {
  const u8 *d = a->data;
  if (!d || off < 2)
    return (kind == X64_PLT32 || kind == X64_PC32) && d && off == 1 && (d[0] == 0xe8 || d[0] == 0xe9);
  u8 before = d[off - 2], op = d[off - 1];
  switch (kind) {
  case X64_PC32:
  case X64_PLT32: return op == 0xe8 || op == 0xe9 || (before == 0x0f && (op & 0xf0) == 0x80);
  case X64_GOTPCREL:
  case X64_GOTPCRELX: return before == 0xff && (op == 0x15 || op == 0x25);
  default: return false;
  }
}

/* lea d(%rip), %reg with a place of the atom itself. Where a relocation is to come, d is 0: the
 * next instruction. */
bool x64_knows_itself(const Atom *a) {
  const u8 *d = a->data, *end = d + a->size;
  if (!d || a->size < 6)
    return false;
  for (const u8 *p = d; (p = memchr(p, 0x8d, (size_t)(end - 5 - p))); p++) {
    if ((p[1] & 0xc7) != 0x05)
      continue;
    i64 disp = (i32)rd32(p + 2), at = p + 6 - d + disp;
    if (disp && at >= 0 && (u64)at < a->size)
      return true;
  }
  return false;
}
