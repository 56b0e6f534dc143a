/* slots.h: addresses of the GOT, PLT and copy slots that pass/got.c handed out. Valid after layout. */
#ifndef WELD_CORE_SLOTS_H
#define WELD_CORE_SLOTS_H

#include "core/link.h"

static inline u64 got_slot_addr(const Link *l, i32 slot) {
  return synth_addr(l, SYN_GOT) + l->arch->got_slot_size * (u64)slot;
}
static inline u64 gotplt_slot_addr(const Link *l, i32 slot) {
  return synth_addr(l, SYN_GOT_PLT) + l->arch->got_slot_size * (u64)(l->arch->gotplt_reserved + (u32)slot);
}
/* The PLT entry of a symbol that has one (SymAux.plt or .pltgot): the Synth that it is in, and where in it. From
 * got_allocate() on. */
u32 plt_place(const Link *l, const SymAux *x, u64 *off);
/* Its address. */
u64 plt_addr(const Link *l, const SymAux *x);

/* Address of the copy of a variable (SymAux.copy >= 0). */
static inline u64 copy_addr(const Link *l, const SymAux *x) {
  return synth_addr(l, x->copy_relro ? SYN_DYNBSS_RELRO : SYN_DYNBSS) + (u64)x->copy;
}
/* Does the symbol's address, here and in .dynsym, mean its PLT entry? After got_allocate. */
static inline bool has_canonical_plt(const Link *l, const SymAux *x) {
  return (l->syms.needs[x->sym] & NEED_CPLT) && x->plt >= 0;
}
/* With IBT, calls go to .plt.sec (entries of plt_sec_entry_size; .plt.got has that size too). */
static inline bool uses_plt_sec(const Link *l) { return l->ibt || l->opt->z_ibtplt; }

/* pass/got.c: runs Arch.scan over all atoms, on all threads. Makes Link.slots. Before got_allocate. */
void slots_scan(Link *l);
/* The SymAux of a symbol, made (all slots absent) when it has none. Serial phases; invalidates
 * pointers to other SymAux. */
SymAux *sym_aux_add(Link *l, u32 sym);
/* pass/got.c: after layout_addresses: gives symbols with SF_COPY (copied variables, imported functions
 * with a canonical PLT entry) their address in Symbols.value. */
void slots_symbol_values(Link *l);
/* pass/got.c: when all values are final: Symbols.near. */
void slots_near(Link *l);
/* pass/got.c: frees what Link.slots, SymAux and l->dynrel hold. */
void slots_free(Link *l);

/* pass/got.c: after scan. Collects the symbols whose `needs` are set (deterministic order), gives them
 * SymAux and slots, decides copy relocations, sets SF_COPY, sizes the GOT/PLT/copy Synths. */
void got_allocate(Link *l);
/* pass/dynrel.c: after got_allocate and layout_assign: counts .rela.dyn/.rela.plt/.relr.dyn and gives
 * every atom its first slots (atoms.reloff, symreloff), in order of addresses. */
void dynrel_assign(Link *l);
/* pass/dynrel.c: when every atom was relocated, before late Synths are written: adds the dynamic
 * relocations of .got and copies to l->dynrel and groups the symbolic ones by symbol. What is late in
 * .rela.dyn is these. */
void dynrel_finish(Link *l);

#endif
