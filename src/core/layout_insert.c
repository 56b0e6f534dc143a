/* layout_insert.c: atoms that come when all others have their places: branch islands.
 * The trap: places are indexes of several arrays, and what a script says between patterns stands at one of them, too; all
 * of them move. */
#include "core/layout_internal.h"

void layout_free_places(Layout *y) {
  pages_free(y->ids, y->nplaces * sizeof *y->ids);
  pages_free(y->sizes, y->nplaces * sizeof *y->sizes);
  pages_free(y->p2aligns, y->nplaces);
}

/* How many of the inserts, which are in order, stand in the first sections, and in section osec before `place` or right there. */
static u32 upto(const LayoutInsert *in, u32 n, u32 osec, u32 place) {
  u32 lo = 0, hi = n;
  while (lo < hi) {
    u32 mid = lo + (hi - lo) / 2;
    if (in[mid].osec < osec || (in[mid].osec == osec && in[mid].place <= place))
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo;
}

/* What moves an atom of section osec that is at `place`. */
static u32 inserted(const LayoutInsert *in, u32 n, u32 osec, u32 place) {
  return upto(in, n, osec, place) - upto(in, n, osec - 1, UINT32_MAX);
}

static void insert_atom(Link *l, u32 osec, u32 atom, const Osec *before, u32 place) {
  Osec *o = &l->osecs.at[osec];
  Atom *at = &l->atoms.at[atom];
  at->osec = osec;
  o->aflags |= l->atoms.flags[atom] & ATOM_SYNTH;
  o->p2align = MAX(o->p2align, at->p2align);
  o->placed_once = false;
  l->lay->synth_place[at->aux] = o->natoms;
  if (o->dynrels) /* it has none itself */
    l->atoms.reloff[atom] = place < before->natoms ? l->atoms.reloff[before->atoms[place].i] : o->reloff_end;
}

void layout_insert(Link *l, const LayoutInsert *in, u32 n) {
  Layout *y = l->lay;
  u32 total = y->nplaces + n, at = 0, most = 0, nsynths = l->synths.n;
  AtomId *ids = pages_alloc(total * sizeof *ids);
  u64 *sizes = pages_alloc(total * sizeof *sizes);
  u8 *p2aligns = pages_alloc(total);
  u32 *synth_place = ARENA_ARRAY(&l->arena, u32, nsynths);
  for (u32 i = 1; i < nsynths; i++) {
    u32 a = l->synths.at[i].atom.i, osec = l->atoms.at[a].osec, place = i < y->nsynths ? y->synth_place[i] : 0;
    synth_place[i] = osec ? place + inserted(in, n, osec, place) : 0;
  }
  y->synth_place = synth_place;
  y->nsynths = nsynths;
  for (u32 s = 0; s < y->slots.n; s++)
    y->slots.at[s].at += inserted(in, n, y->slots.at[s].osec, y->slots.at[s].at);
  for (u32 i = 1, k = 0; i < l->osecs.n; i++) {
    Osec *o = &l->osecs.at[i], old = *o;
    o->natoms = 0;
    for (u32 place = 0; place <= old.natoms; place++) {
      for (; k < n && in[k].osec == i && in[k].place == place; k++) {
        insert_atom(l, i, in[k].atom, &old, place);
        ids[at + o->natoms].i = in[k].atom;
        sizes[at + o->natoms] = l->atoms.at[in[k].atom].size;
        p2aligns[at + o->natoms++] = l->atoms.at[in[k].atom].p2align;
      }
      if (place == old.natoms)
        break;
      ids[at + o->natoms] = old.atoms[place];
      sizes[at + o->natoms] = y->sizes[old.first + place];
      p2aligns[at + o->natoms++] = y->p2aligns[old.first + place];
    }
    o->first = at;
    o->atoms = ids + at;
    at += o->natoms;
    most = MAX(most, o->natoms);
  }
  layout_free_places(y);
  y->ids = ids;
  y->sizes = sizes;
  y->p2aligns = p2aligns;
  y->nplaces = total;
  y->starts = ARENA_ARRAY(&l->arena, u64, most / BLOCK + 1);
}
