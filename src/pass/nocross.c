/* nocross.c: see nocross.h. The trap: several output sections may have one name, and symbols of scripts stand in sections without being in
 * an atom. */
#include "pass/nocross.h"

#include "core/link.h"

/* The place of a section in the rule's list, UINT32_MAX: not there. */
static u32 place_in(const LayoutNoCross *r, const char *name) {
  for (u32 i = 0; r->names[i]; i++)
    if (streq(r->names[i], name))
      return i;
  return UINT32_MAX;
}

static u32 target_section(const Link *l, const EdgeTarget *e) {
  if (e->atom)
    return l->atoms.at[e->atom].osec;
  if (e->target < l->syms.nglobal && e->flags & SF_SYNTHETIC)
    return l->weld_names.at[key_index(l->syms.key[e->target])].osec;
  return 0;
}

static void report(Link *l, const LayoutNoCross *r, AtomId a, const EdgeTarget *e, u32 to) {
  const char *note = arena_printf(&l->scratch[0], "%s in %s:%u forbids it", r->to_first ? "NOCROSSREFS_TO" : "NOCROSSREFS", r->file, r->line);
  const DiagItem item = {
      .level = DIAG_ERROR,
      .code = "cross-reference",
      .order = (u64)l->atoms.at[a.i].file << 32 | a.i,
      .message = arena_printf(&l->scratch[0], "%s: prohibited cross reference from %s to `%s' in %s", place_of(l, 0, a, e->offset),
                              l->osecs.at[l->atoms.at[a.i].osec].name, diag_name(l->diag, sym_name(l, e->target)), l->osecs.at[to].name),
      .notes = &note,
      .nnotes = 1};
  diag_report_item(l->diag, &item);
}

static void check_atom(Link *l, const LayoutNoCross *r, u32 from, AtomId a) {
  EdgeTarget buf[EDGE_BATCH];
  for (u32 next = 0, n; (n = l->format->edge_targets(l, a, &next, UINT32_MAX, buf));)
    for (u32 i = 0; i < n; i++) {
      u32 to = target_section(l, &buf[i]);
      u32 k = to ? place_in(r, l->osecs.at[to].name) : UINT32_MAX;
      if (k != UINT32_MAX && k != from && (!r->to_first || k == 0))
        report(l, r, a, &buf[i], to);
    }
}

void nocross_check(Link *l) {
  for (u32 i = 0; i < l->layout->nnocross; i++) {
    const LayoutNoCross *r = &l->layout->nocross[i];
    for (u32 o = 1; o < l->osecs.n; o++) {
      u32 from = place_in(r, l->osecs.at[o].name);
      for (u32 k = 0; from != UINT32_MAX && k < l->osecs.at[o].natoms; k++) {
        AtomId a = l->osecs.at[o].atoms[k];
        if (l->atoms.at[a.i].rel && !(l->atoms.flags[a.i] & ATOM_SYNTH))
          check_atom(l, r, from, a);
      }
    }
  }
}
