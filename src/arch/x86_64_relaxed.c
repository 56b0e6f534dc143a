/* x86_64_relaxed.c: what a relocation has become once apply() is done, for outputs that keep theirs (--emit-relocs). The trap: this
 * must say what apply_gotx() does. */
#include "arch/x86_64_internal.h"
#include "arch/x86_64_rules.h"

void x64_relaxed(const Link *l, AtomId a, Edge *e) {
  bool sure;
  if (e->kind != X64_GOTPCRELX && e->kind != X64_REX_GOTPCRELX && e->kind != X64_CODE_4_GOTPCRELX)
    return;
  X64Rules r = x64_rules(l);
  X64Gotx form = x64_gotx(&r, e, l->atoms.at[a.i].data, &sure);
  u64 S = e->flags & SF_UNDEFINED ? 0 : e->S, v = form >= GOTX_TEST ? S : S + (u64)e->addend - (l->atoms.addr[a.i] + e->offset);
  bool jump = form == GOTX_JMP;
  if (form == GOTX_KEEP || (i64)(v + jump) != (i32)(v + jump))
    return;
  e->kind = form >= GOTX_TEST ? X64_ABS32S : X64_PC32;
  e->offset -= jump; /* it is one byte shorter */
  e->addend = form >= GOTX_TEST ? 0 : e->addend;
}
