/* got_base.c: does anything refer to _GLOBAL_OFFSET_TABLE_ by its name? The trap: assemblers for i386 name the symbol wherever there is
 * a call, so that an object has it in its symbol table says nothing: relocations of what is loaded do, as for GNU ld. */
#include "core/resolve.h"
#include "core/scan.h"

typedef struct {
  Link *l;
  u32 sym; /* _GLOBAL_OFFSET_TABLE_ */
  bool found;
} GotBase;

static bool file_names(const File *f, u32 sym) {
  for (u32 i = f->first_global; f->globals && i < f->nsyms; i++)
    if (f->globals[i - f->first_global] == sym)
      return true;
  return false;
}

static bool atom_refers_to(const Link *l, u32 atom, u32 sym) {
  EdgeCursor c = {.atom = {atom}};
  Edge e[EDGE_BATCH];
  for (u32 n; (n = l->format->edges(l, &c, e));)
    for (u32 k = 0; k < n; k++)
      if (e[k].target == sym)
        return true;
  return false;
}

static void find_got_base(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  GotBase *g = ctx;
  const Link *l = g->l;
  const u32 loaded = ATOM_LIVE | ATOM_ALLOC;
  for (u32 i = begin; i < end && !__atomic_load_n(&g->found, __ATOMIC_RELAXED); i++) {
    const File *f = &l->files.at[i];
    if (!f->live || f->kind != FILE_OBJECT || !file_names(f, g->sym))
      continue;
    for (u32 a = f->atom_base; a < f->atom_base + f->natoms; a++)
      if ((l->atoms.flags[a] & (loaded | ATOM_MERGE)) == loaded && l->atoms.at[a].rel && atom_refers_to(l, a, g->sym)) {
        __atomic_store_n(&g->found, true, __ATOMIC_RELAXED);
        break;
      }
  }
}

bool got_base_is_wanted(Link *l) {
  static const char name[] = "_GLOBAL_OFFSET_TABLE_";
  GotBase g = {.l = l, .sym = sym_find(l, name, sizeof name - 1).i};
  if (g.sym == NO_SYM.i || !(l->syms.flags[g.sym] & SF_REF))
    return false;
  pool_run(l->pool, l->files.n, 16, find_got_base, &g);
  return g.found;
}
