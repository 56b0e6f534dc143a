/* i386_relaxed.c: what a relocation has become once apply() is done, for outputs that keep theirs (--emit-relocs). The trap: this
 * must say what apply_got() does. */
#include "arch/i386_internal.h"
#include "arch/i386_rules.h"

void i386_relaxed(const Link *l, AtomId a, Edge *e) {
  I386Rules r = i386_rules(l);
  switch (i386_gotx(&r, e, l->atoms.at[a.i].data)) {
  case GOTX_KEEP:
    return;
  case GOTX_LEA:
    e->kind = I386_GOTOFF;
    return;
  case GOTX_CALL:
    e->kind = I386_PC32;
    return;
  case GOTX_JMP: /* one byte shorter */
    e->kind = I386_PC32;
    e->offset--;
    return;
  case GOTX_MOV:
  case GOTX_TEST:
  case GOTX_BINOP:
    e->kind = I386_ABS32;
    return;
  }
}
