/* coalesce.c: an atom that lost its name is gone, and takes along what shares its fate.
 * The trap: an associate edge names its target, and a name that was lost leads to the winner in another file, which
 * has nothing to do with it; so a file's losers are found before its edges are looked at. */
#include "core/coalesce.h"

#include <stdlib.h>

#include "core/resolve.h"

enum { REC_BATCH = 128 };

typedef VEC(u32) U32Vec;

static void drop(Link *l, u32 atom, U32Vec *fallen) {
  u16 *flags = &l->atoms.flags[atom];
  if (!(*flags & ATOM_LIVE))
    return;
  *flags = (u16)((*flags & ~ATOM_LIVE) | ATOM_DISCARDED);
  *vec_push(fallen) = atom;
}

enum { ATOM_WON = ATOM_ORDERED }; /* borrowed bit: one of the atom's names has won */

/* Atoms that have several names stay while one of them is theirs. */
static void mark_named(Link *l, u32 f, u16 mark) {
  const File *file = &l->files.at[f];
  SymRec rec[REC_BATCH];
  for (u32 i = file->first_global, n; (n = l->format->symbols(l, (FileId){f}, i, rec, REC_BATCH)); i += n)
    for (u32 k = 0; k < n; k++) {
      u32 sym = file->globals[rec[k].index - file->first_global];
      if (rec[k].keep != KEEP_NAMED || sym == UINT32_MAX || !rec[k].section)
        continue;
      u64 key = l->syms.key[sym];
      u16 *flags = &l->atoms.flags[file->atom_base + rec[k].section];
      if (!mark)
        *flags &= (u16)~ATOM_WON;
      else if (key_file(key) == f && key_index(key) == rec[k].index && key_rank(key) != RANK_NONE)
        *flags |= mark;
    }
}

static bool stays(const Link *l, u32 atom, u8 keep) { return keep == KEEP_ALWAYS || (keep == KEEP_NAMED && l->atoms.flags[atom] & ATOM_WON); }

static void fall(Link *l, u32 sym, u32 atom, U32Vec *fallen) {
  u32 winner = l->syms.atom[sym];
  if (winner && winner != atom && l->atoms.flags[atom] & ATOM_LIVE && l->format->absorb)
    l->format->absorb(l, (AtomId){winner}, (AtomId){atom});
  drop(l, atom, fallen);
}

/* What lost its group has fallen already. */
static void add_lost_children(Link *l, u32 f, U32Vec *fallen) {
  const File *file = &l->files.at[f];
  for (u32 a = file->atom_base + 1; file->ngroups && a < file->atom_base + file->natoms; a++)
    if (l->atoms.flags[a] & ATOM_DISCARDED)
      *vec_push(fallen) = a;
}

/* lost_in: by SymId, the last file whose definition lost. Whether this file has any. */
static bool drop_losers(Link *l, u32 f, u32 *lost_in, U32Vec *fallen) {
  const File *file = &l->files.at[f];
  SymRec rec[REC_BATCH];
  u32 before = fallen->n;
  bool named = false;
  add_lost_children(l, f, fallen);
  for (u32 i = file->first_global, n; (n = l->format->symbols(l, (FileId){f}, i, rec, REC_BATCH)); i += n)
    for (u32 k = 0; k < n; k++) {
      u32 sym = file->globals[rec[k].index - file->first_global];
      if (sym == UINT32_MAX || rec[k].rank == RANK_NONE || !rec[k].section)
        continue;
      u64 key = l->syms.key[sym];
      if (l->atoms.flags[file->atom_base + rec[k].section] & ATOM_DISCARDED) {
        lost_in[sym] = f;
      } else if (key_rank(key) != RANK_NONE && (key_file(key) != f || key_index(key) != rec[k].index)) {
        if (rec[k].keep == KEEP_NAMED && !named)
          mark_named(l, f, ATOM_WON);
        named |= rec[k].keep == KEEP_NAMED;
        if (stays(l, file->atom_base + rec[k].section, rec[k].keep))
          continue;
        fall(l, sym, file->atom_base + rec[k].section, fallen);
        lost_in[sym] = f;
      }
    }
  if (named)
    mark_named(l, f, 0);
  return fallen->n > before;
}

/* Who falls when `atom` does. */
typedef struct {
  u32 atom, follower;
} Bond;
typedef VEC(Bond) Bonds;

/* Both directions of an associate edge, one of link-order. Only inside a file: a name that another file won does not fall
 * with this one; who is tied to a name that this file lost was tied to the atom that is gone. */
static void find_bonds(Link *l, u32 f, const u32 *lost_in, Bonds *bonds, U32Vec *fallen) {
  u32 base = l->files.at[f].atom_base;
  for (u32 a = base + 1; a < base + l->files.at[f].natoms; a++) {
    EdgeCursor c = {.atom = {a}};
    Edge e[EDGE_BATCH];
    for (u32 n; (n = l->format->edges(l, &c, e));)
      for (u32 k = 0; k < n; k++) {
        if ((e[k].kind != EDGE_ASSOCIATE && e[k].kind != EDGE_LINK_ORDER) || e[k].target == UINT32_MAX)
          continue;
        bool by_name = e[k].target < l->syms.nglobal;
        u32 target = by_name ? l->syms.atom[e[k].target] : (u32)e[k].S;
        if (by_name ? lost_in[e[k].target] == f : target && l->atoms.at[target].file != f) {
          drop(l, a, fallen); /* a local target in another file: the namesake of one whose group lost */
        } else if (target && l->atoms.at[target].file == f) {
          *vec_push(bonds) = (Bond){target, a};
          if (e[k].kind == EDGE_ASSOCIATE)
            *vec_push(bonds) = (Bond){a, target};
        }
      }
  }
}

static int by_atom(const void *a, const void *b) {
  const Bond *x = a, *y = b;
  return x->atom != y->atom ? (x->atom < y->atom ? -1 : 1) : x->follower < y->follower ? -1 : x->follower > y->follower;
}

static u32 first_bond(const Bonds *b, u32 atom) { return FIRST_NOT(b->n, i, b->at[i].atom < atom); }

/* A name that was won by an atom that fell with another is nobody's. */
static void forget_names(Link *l) {
  for (u32 i = 0; i < l->syms.nglobal; i++)
    if (l->syms.atom[i] && l->atoms.flags[l->syms.atom[i]] & ATOM_DISCARDED) {
      l->syms.atom[i] = 0;
      l->syms.key[i] = (u64)RANK_NONE << 56;
      l->syms.flags[i] |= SF_UNDEFINED | SF_REF_STRONG;
    }
}

void coalesce_names(Link *l) {
  if (!l->format->atoms_are_symbols)
    return;
  U32Vec fallen = {0};
  Bonds bonds = {0};
  u32 *lost_in = heap_alloc(l->syms.nglobal * sizeof *lost_in);
  for (u32 f = 1; f < l->files.n; f++)
    if (l->files.at[f].live && l->files.at[f].kind == FILE_OBJECT && drop_losers(l, f, lost_in, &fallen) && !l->format->no_neutral_edges)
      find_bonds(l, f, lost_in, &bonds, &fallen);
  if (bonds.n)
    qsort(bonds.at, bonds.n, sizeof *bonds.at, by_atom);
  for (u32 i = 0; i < fallen.n; i++)
    for (u32 k = first_bond(&bonds, fallen.at[i]); k < bonds.n && bonds.at[k].atom == fallen.at[i]; k++)
      drop(l, bonds.at[k].follower, &fallen);
  if (fallen.n)
    forget_names(l);
  free(lost_in);
  vec_free(&bonds);
  vec_free(&fallen);
}
