/* i386_fold.c: what i386 code does with addresses, for folding (core/icf.h): objects without a table of address-significant symbols
 * tell by their code.
 * The trap: inside one section the assembler resolves relative references itself, and no edge shows that code knows where it is. */
#include "arch/i386_internal.h"
#include "arch/i386_rules.h"

/* call, jmp or jcc: directly, or through the GOT. */
bool i386_only_branches(const Atom *a, u32 kind, u64 off) {
  const u8 *d = a->data;
  if (!d || !off)
    return false;
  u8 before = off >= 2 ? d[off - 2] : 0, op = d[off - 1];
  switch (kind) {
  case I386_PC32:
  case I386_PLT32: return op == 0xe8 || op == 0xe9 || (before == 0x0f && (op & 0xf0) == 0x80);
  case I386_GOT32:
  case I386_GOT32X: /* call or jmp *foo@GOT, with a base register or without */
    return before == 0xff && ((op & 0x38) == 0x10 || (op & 0x38) == 0x20) && (i386_base(op) || i386_no_base(op));
  default: return false;
  }
}

/* call 1f; 1: pop %reg. Where a relocation is to come, the distance is 0, too: such a call may be to somewhere else. */
bool i386_knows_itself(const Atom *a) {
  const u8 *d = a->data, *end = d + a->size;
  if (!d || a->size < 6)
    return false;
  for (const u8 *p = d; (p = memchr(p, 0xe8, (size_t)(end - 5 - p))); p++)
    if (!rd32(p + 1) && (p[5] & 0xf8) == 0x58)
      return true;
  return false;
}
