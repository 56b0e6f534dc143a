/* yaml_slots.c: slots as text. weld has no atom for each slot: .got is one atom, and who owns which slot stands in SymAux.
 * Text shows that as references: from the slot's place, to the symbol that it is for, of the kind of the dynamic
 * relocation that fills it, or `slot` where the linker does.
 * The trap: before layout no value is known, so kinds come from got_kinds(), not from got_entries(). */
#include "write/yaml_slots.h"

#include <stdlib.h>

#include "core/scan.h"
#include "core/slots.h"

typedef VEC(YamlRef) Refs;

static const struct {
  u32 synth;
  YamlType type;
} shown[] = {
    {SYN_GOT, YAML_TYPE_GOT},     {SYN_GOT_PLT, YAML_TYPE_LAZY_POINTER}, {SYN_PLT, YAML_TYPE_STUB},
    {SYN_PLT_SEC, YAML_TYPE_STUB}, {SYN_PLT_GOT, YAML_TYPE_STUB},         {SYN_DYNBSS, YAML_TYPE_ZERO_FILL},
    {SYN_DYNBSS_RELRO, YAML_TYPE_ZERO_FILL},
};

static int row_of(const Link *l, u32 a) {
  u32 synth = l->atoms.at[a].aux;
  for (u32 i = 0; l->atoms.flags[a] & ATOM_SYNTH && i < COUNT_OF(shown); i++)
    if (shown[i].synth == synth)
      return (int)i;
  return -1;
}

bool slots_are_shown(const Link *l, u32 a) { return l->slots && row_of(l, a) >= 0 && l->synths.at[l->atoms.at[a].aux].size; }

static void add(const Link *l, Refs *refs, u64 offset, i32 kind, u32 sym) {
  *vec_push(refs) = (YamlRef){.kind = edge_kind_name(l, kind < 0 ? EDGE_SLOT : EDGE_DYNAMIC + (u32)kind),
                              .offset = offset,
                              .target = sym == NO_SYM.i ? NULL : sym_name(l, sym)};
}

static void add_got(const Link *l, Refs *refs) {
  if (l->tlsld_got >= 0)
    add(l, refs, l->arch->got_slot_size * (u64)l->tlsld_got, l->opt->kind == OUTPUT_SHARED ? DYN_DTPMOD : -1, NO_SYM.i);
  for (u32 i = 0; i < l->syms.nauxes; i++) {
    const SymAux *x = &l->syms.auxes[i];
    GotEntry e[GOT_ENTRIES_MAX];
    u32 n = got_kinds(l, x, e);
    for (u32 k = 0; k < n; k++)
      add(l, refs, l->arch->got_slot_size * (u64)e[k].slot, e[k].kind, x->sym);
  }
}

static void add_symbols(const Link *l, u32 synth, Refs *refs) {
  const Arch *a = l->arch;
  for (u32 i = 0; i < l->syms.nauxes; i++) {
    const SymAux *x = &l->syms.auxes[i];
    bool ifunc = is_local_ifunc(slot_flags(l, x));
    if (synth == SYN_GOT_PLT && x->gotplt >= 0)
      add(l, refs, a->got_slot_size * (u64)(a->gotplt_reserved + (u32)x->gotplt), ifunc ? DYN_IRELATIVE : DYN_JUMP_SLOT, x->sym);
    else if (synth == SYN_PLT && x->plt >= 0)
      add(l, refs, a->plt_header_size + (u64)x->plt * a->plt_entry_size, -1, x->sym);
    else if (synth == SYN_PLT_SEC && x->plt >= 0)
      add(l, refs, (u64)x->plt * a->plt_sec_entry_size, -1, x->sym);
    else if (synth == SYN_PLT_GOT && x->pltgot >= 0)
      add(l, refs, (u64)x->pltgot * (uses_plt_sec(l) ? a->plt_sec_entry_size : a->plt_got_entry_size), -1, x->sym);
  }
  for (u32 i = 0; i < l->slots->copies.n && (synth == SYN_DYNBSS || synth == SYN_DYNBSS_RELRO); i++) {
    const CopyReloc *c = &l->slots->copies.at[i];
    if (c->relro == (synth == SYN_DYNBSS_RELRO))
      add(l, refs, c->offset, DYN_COPY, c->sym);
  }
}

static int by_offset(const void *a, const void *b) {
  const YamlRef *x = a, *y = b;
  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

void slots_describe(const Link *l, u32 a, Arena *arena, YamlAtom *out) {
  const Synth *s = &l->synths.at[l->atoms.at[a].aux];
  Refs refs = {0};
  *out = (YamlAtom){.type = shown[row_of(l, a)].type, .size = s->size, .has_size = true, .p2align = s->p2align,
                    .section_choice = YAML_SECTION_CUSTOM_REQUIRED, .section_name = s->name};
  if (l->atoms.at[a].aux == SYN_GOT)
    add_got(l, &refs);
  else
    add_symbols(l, l->atoms.at[a].aux, &refs);
  if (refs.n) {
    qsort(refs.at, refs.n, sizeof *refs.at, by_offset);
    out->refs = ARENA_ARRAY(arena, YamlRef, refs.n);
    memcpy(out->refs, refs.at, refs.n * sizeof *refs.at);
    out->nrefs = refs.n;
  }
  vec_free(&refs);
}

/* An island has the name of what it stands in for; it says which section it is in as its neighbour does. */
void island_describe(const Link *l, const Thunk *t, Arena *arena, YamlAtom *out) {
  const ThunkShape *s = l->arch->thunk;
  AtomId beside = l->thunks->pools.at[t->pool].beside;
  const char *name = sym_name(l, t->edge.target), *section = l->format->atom_name(l, beside);
  i64 off = t->edge.addend - thunk_bias(l, t->edge.kind);
  YamlAtom y;
  l->format->describe(l, beside, arena, &y);
  *out = (YamlAtom){.type = YAML_TYPE_BRANCH_ISLAND, .content = {s->bytes, l->arch->thunk_size}, .size = l->arch->thunk_size, .p2align = s->p2align,
                    .section_choice = y.section_choice, .section_name = y.section_name, .section_type = y.section_type,
                    .section_flags = y.section_flags, .permissions = y.permissions};
  if (*name)
    out->name = off ? arena_printf(arena, "%s%+lld.thunk.%u", name, (long long)off, t->number) : arena_printf(arena, "%s.thunk.%u", name, t->number);
  if (!y.section_name && y.type != YAML_TYPE_CODE && y.type != YAML_TYPE_BRANCH_ISLAND) { /* the one that its type implies */
    out->section_choice = YAML_SECTION_CUSTOM_REQUIRED;
    out->section_name = section;
  }
}
