/* bind_unwind.c: fields of unwind tables where a loader binds by name. The trap: there is no bytes around the field to look at, so a
 * load of a slot can't become anything else here; unwind tables have none. */
#include "core/bind.h"

bool bind_apply_one(Link *l, const Edge *e, u8 *place, u64 place_addr) {
  u64 S = e->S;
  i64 value;
  if (e->target == NO_SYM.i)
    return true;
  switch (edge_class(l->arch, e->kind)) {
  case EC_NONE:
    return true;
  case EC_PCREL:
  case EC_ABS:
    break;
  case EC_GOT: {
    const SymAux *aux = sym_aux(l, e->target);
    if (!aux || aux->got < 0)
      return false;
    S = bind_got_addr(l, (u32)aux->got);
    break;
  }
  case EC_POINTER: /* unwind tables are read-only */
  case EC_BRANCH:
  case EC_PAGE:
  case EC_PAGEOFF:
  case EC_SUBTRACT:
  case EC_GOT_LOAD:
  case EC_TLV_LOAD:
  case EC_OTHER:
    return false;
  }
  return l->arch->fix(e->kind, place, place_addr, S, e->addend, &value) == FIX_OK;
}
