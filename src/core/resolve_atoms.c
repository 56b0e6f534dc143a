/* resolve_atoms.c: groups of one name become one, and what is left becomes atoms.
 * The trap: which group wins must be known before any section of a group is looked at, so that those that lost
 * cost nothing; a group of a scattered file may be found too late, and then all starts over. */
#include "core/resolve_internal.h"

#include <stdlib.h>

#include "util/hash.h"

enum { MANY_ATOMS = 1 << 14, GROUPS_AHEAD = 12, CHUNK_NAMES = 1 << 12 };

/* ---- groups and atoms ---- */

static void find_groups(void *ctx, u32 begin, u32 end, unsigned tid) {
  Link *l = ctx;
  for (u32 f = MAX(begin, 1u); f < end; f++)
    if (l->files.at[f].live && l->files.at[f].kind == FILE_OBJECT)
      l->format->groups(l, (FileId){f}, tid);
}

static void intern_some_groups(Link *l, InternEnt *ents, u32 n) {
  InternChunk c = {.ents = ents + CHUNK_NAMES};
  intern_sort(ents, n, &c);
  intern_batch(&l->groups, l->pool, &c, 1);
}

/* Signatures that are file-local names: a second table, since a global symbol of that name is another
 * thing. They come in file order, in one chunk after the other. */
static void intern_groups(Link *l) {
  InternEnt *ents = NULL;
  u32 n = 0;
  for (u32 f = 1; f < l->files.n; f++) {
    File *file = &l->files.at[f];
    for (u32 g = 0; file->group_names && g < file->ngroups; g++) {
      GroupRef *r = &file->groups[g];
      if (!r->local)
        continue;
      if (!ents)
        ents = pages_alloc(2 * CHUNK_NAMES * sizeof *ents);
      const char *name = file->group_names[r->id];
      u32 len = (u32)strlen(name);
      ents[n++] = (InternEnt){hash128_bytes(name, len), name, (u64)f << 32 | r->index, &r->id, len};
      if (n == CHUNK_NAMES) {
        intern_some_groups(l, ents, n);
        n = 0;
      }
    }
  }
  if (ents) {
    intern_some_groups(l, ents, n);
    pages_free(ents, 2 * CHUNK_NAMES * sizeof *ents);
  }
  intern_seal(&l->groups);
}

static void atomic_max(u64 *p, u64 v) {
  u64 old = __atomic_load_n(p, __ATOMIC_RELAXED);
  while (v > old &&
         !__atomic_compare_exchange_n(p, &old, v, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    ;
}

static inline void prefetch_group(const Link *l, const File *file, u32 g) {
  if (g < file->ngroups && !file->groups[g].local)
    PREFETCH(&l->syms.comdat[file->groups[g].id]);
}

static void claim_groups(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  Link *l = ctx;
  for (u32 f = MAX(begin, 1u); f < end; f++) {
    File *file = &l->files.at[f];
    for (u32 g = 0; g < file->ngroups; g++) {
      prefetch_group(l, file, g + GROUPS_AHEAD);
      if (!file->groups[g].local)
        atomic_max(&l->syms.comdat[file->groups[g].id], ~((u64)f << 32 | file->groups[g].index));
    }
  }
}

bool group_won(const Link *l, u32 file, const GroupRef *g) {
  u64 mine = (u64)file << 32 | g->index, owner;
  if (!g->local)
    owner = ~l->syms.comdat[g->id];
  else
    owner = l->groups.shards[g->id & (INTERN_SHARDS - 1)].syms.at[g->id >> 6].key;
  return owner == mine || (g->linkonce && owner >> 32 == file);
}

static void make_atoms(void *ctx, u32 begin, u32 end, unsigned tid) {
  Link *l = ctx;
  for (u32 f = MAX(begin, 1u); f < end; f++)
    if (l->files.at[f].live && l->files.at[f].kind == FILE_OBJECT) {
      l->format->atoms(l, (FileId){f}, tid);
      layout_match_file(l, (FileId){f});
    }
}

/* In a debug build of C++ most sections lose their group, and most of the atoms' arrays is never touched:
 * small pages. Elsewhere huge pages save the faults. A lost group is about three sections. */
static void choose_pages(Link *l) {
  if (l->atoms.n < MANY_ATOMS) /* a huge page or two would be most of a small link's memory */
    return;
  u64 groups = 0, won = l->groups.total;
  for (u32 f = 1; f < l->files.n; f++)
    groups += l->files.at[f].ngroups;
  for (u32 i = 0; i < l->syms.nglobal; i++)
    won += l->syms.comdat[i] != 0;
  if ((groups - MIN(won, groups)) * 3 > l->atoms.n / 2)
    return;
  pages_make_dense((void *)(uintptr_t)l->atoms.block.p, l->atoms.block.len);
}

static void alloc_atoms(Link *l) {
  Atoms *a = &l->atoms;
  u64 cap = a->cap, total = 0;
  u64 at = pages_room(&total, cap * sizeof *a->at), addr = pages_room(&total, cap * sizeof *a->addr);
  u64 nrel = pages_room(&total, cap * sizeof *a->nrel), rules = pages_room(&total, cap * sizeof *l->rules);
  u8 *p = pages_alloc_sparse(total);
  a->block = (Bytes){p, total};
  a->at = (Atom *)(p + at);
  a->addr = (u64 *)(p + addr);
  a->nrel = a->reloff = (u32 *)(p + nrel);
  l->rules = (u32 *)(p + rules);
  a->flags = pages_alloc(cap * sizeof *a->flags);
  a->nsymrel = a->symreloff = pages_alloc_sparse(cap * sizeof *a->nsymrel);
}

static void free_atoms(Link *l) {
  Atoms *a = &l->atoms;
  pages_free((void *)(uintptr_t)a->block.p, a->block.len);
  pages_free(a->flags, a->cap * sizeof *a->flags);
  pages_free(a->nsymrel, a->cap * sizeof *a->nsymrel);
}

static void settle_groups(Link *l) {
  u32 grain = FOR_FILES_GRAIN(l);
  pool_run(l->pool, l->files.n, grain, find_groups, l);
  intern_groups(l);
  pool_run(l->pool, l->files.n, grain, claim_groups, l);
  choose_pages(l);
  pool_run(l->pool, l->files.n, grain, make_atoms, l);
}

void resolve_atoms(Link *l) {
  u64 atoms = 1, locals = MAX(l->syms.nglobal, 1u); /* a base of 0 means: none */
  for (u32 f = 1; f < l->files.n; f++) {
    File *file = &l->files.at[f];
    if (!file->live || file->kind != FILE_OBJECT)
      continue;
    file->atom_base = (u32)atoms;
    file->local_base = (u32)locals;
    atoms += file->natoms;
    locals += file->first_global;
  }
  u64 cap = atoms + ATOMS_SPARE;
  if (cap > UINT32_MAX || locals > UINT32_MAX) {
    diag_error(l->diag, "too-large", "too many sections or symbols for one link");
    return;
  }
  l->files.at[0].atom_base = (u32)atoms; /* Synths come last, see synth_add() */
  l->atoms.n = (u32)atoms;
  l->atoms.cap = (u32)cap;
  l->syms.ntotal = (u32)locals;
  l->syms.needs = pages_alloc(locals);
  l->syms.aux = pages_alloc(locals * sizeof *l->syms.aux);
  alloc_atoms(l);
  layout_match_init(l);
  settle_groups(l);
  if (UNLIKELY(l->scattered_groups)) { /* rare, and only found out by having made the atoms */
    free_atoms(l);
    intern_free(&l->groups);
    l->groups = (Interner){0};
    alloc_atoms(l);
    settle_groups(l);
  }
}
