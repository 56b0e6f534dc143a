/* deadstrip.c: --gc-sections. Breadth first over edges from the roots: what the entry, exports and -u
 * name, and what the layout KEEPs. A front of atoms is marked in parallel.
 * The trap: unwind records are not reached by edges. A function keeps alive what its FDEs refer to (its
 * LSDA, its personality routine), never the other way round. */
#include "core/deadstrip.h"

#include <stdlib.h>

#include "core/resolve.h"

typedef VEC(u32) U32Vec;

typedef struct {
  Link *l;
  const u32 *front;
  U32Vec *found; /* one for each thread */
  Followers follow;
} Job;

enum { CIE_MARKED = 1 }; /* EhRecord.index means nothing else for a CIE */
enum { ATOM_MARKED = ATOM_ORDERED }; /* borrowed bit, see atom.h: cleared again below */

static void mark(Job *j, u32 a, unsigned tid) {
  u16 *p = &j->l->atoms.flags[a];
  u16 old = __atomic_load_n(p, __ATOMIC_RELAXED);
  if (!a || old & ATOM_MARKED || !(old & ATOM_LIVE))
    return;
  old = __atomic_fetch_or(p, ATOM_MARKED, __ATOMIC_RELAXED);
  if (!(old & ATOM_MARKED))
    *vec_push(&j->found[tid]) = a;
}

u32 followers_find(const Follow *v, u32 n, u32 key) { return FIRST_NOT(n, i, v[i].key < key); }

static void mark_followers(Job *j, const Follow *v, u32 n, u32 key, unsigned tid) {
  for (u32 i = followers_find(v, n, key); i < n && v[i].key == key; i++)
    mark(j, v[i].atom, tid);
}

/* --as-needed: what only dead code refers to needs no library. */
static void need_library(File *f) {
  if (!__atomic_load_n(&f->needed, __ATOMIC_RELAXED))
    __atomic_store_n(&f->needed, true, __ATOMIC_RELAXED);
}

static void mark_symbol(Job *j, u32 sym, unsigned tid) {
  if (j->l->syms.atom[sym])
    mark(j, j->l->syms.atom[sym], tid);
  else if ((j->l->syms.flags[sym] & (SF_SHARED | SF_REF_STRONG)) == (SF_SHARED | SF_REF_STRONG))
    need_library(&j->l->files.at[key_file(j->l->syms.key[sym])]);
  if (UNLIKELY(j->follow.nstarts))
    mark_followers(j, j->follow.starts, j->follow.nstarts, sym, tid);
}

static void mark_edges(Job *j, const Edge *e, u32 n, unsigned tid) {
  for (u32 i = 0; i < n; i++) {
    if (UNLIKELY(e[i].kind >= EDGE_LAYOUT_AFTER && e[i].kind < EDGE_ASSOCIATE))
      continue; /* order, and who is in which group: keeps nothing alive */
    if (e[i].target < j->l->syms.nglobal)
      mark_symbol(j, e[i].target, tid);
    else
      mark(j, (u32)e[i].S, tid);
  }
}

/* The edges of its own, then those of its unwind records: an FDE, its CIE, the next FDE. */
u32 keeps_next(const Link *l, KeepsCursor *c, Edge *buf) {
  FileId f = {l->atoms.at[c->atom.i].file};
  u32 n, nfde;
  if (c->kind == KEEPS_BY_EDGE) {
    c->at.atom = c->atom;
    if ((n = l->format->edges(l, &c->at, buf)))
      return n;
    c->kind = KEEPS_BY_FDE;
    c->at = (EdgeCursor){0};
  }
  const EhRecord *fde = ehframe_fdes(l, c->atom, &nfde);
  while (c->fde < nfde) {
    EhRecord *cie = &l->files.at[f.i].eh.cies[fde[c->fde].cie];
    if ((n = ehframe_edges(l, f, c->kind == KEEPS_BY_FDE ? &fde[c->fde] : cie, &c->at, buf)))
      return n;
    c->at = (EdgeCursor){0};
    if (c->kind == KEEPS_BY_FDE) {
      c->kind = KEEPS_BY_CIE;
      if (!c->once || __atomic_exchange_n(&cie->index, CIE_MARKED, __ATOMIC_RELAXED) != CIE_MARKED)
        continue; /* else its personality routine lives already */
    }
    c->kind = KEEPS_BY_FDE;
    c->fde++;
  }
  c->kind = KEEPS_NOTHING_MORE;
  return 0;
}

static void mark_front(void *ctx, u32 begin, u32 end, unsigned tid) {
  Job *j = ctx;
  Edge buf[EDGE_BATCH];
  for (u32 x = begin; x < end; x++) {
    u32 a = j->front[x];
    KeepsCursor c = {.atom = {a}, .once = true};
    for (u32 n; (n = keeps_next(j->l, &c, buf));)
      mark_edges(j, buf, n, tid);
    if (UNLIKELY(j->follow.nlinks))
      mark_followers(j, j->follow.links, j->follow.nlinks, a, tid);
  }
}

static int by_key(const void *a, const void *b) {
  const Follow *x = a, *y = b;
  return x->key != y->key ? (x->key < y->key ? -1 : 1) : x->atom < y->atom ? -1 : x->atom > y->atom;
}

typedef VEC(Follow) Follows;

/* Associates live with each other: the edge itself is one direction, here is the other. */
static void find_associates(const Link *l, u32 a, Follows *links) {
  EdgeCursor c = {.atom = {a}};
  Edge e[EDGE_BATCH];
  for (u32 n; (n = l->format->edges(l, &c, e));)
    for (u32 k = 0; k < n; k++) {
      i64 off;
      u32 t = e[k].kind == EDGE_ASSOCIATE ? l->format->edge_atom(l, (FileId){l->atoms.at[a].file}, &e[k], &off).i : 0;
      if (t)
        *vec_push(links) = (Follow){t, a};
    }
}

static void sort_follows(Follow *v, u32 n) {
  if (n)
    qsort(v, n, sizeof *v, by_key);
}

void followers_free(Followers *f) {
  free(f->links);
  free(f->starts);
}

/* Groups that stay groups are whole or not there: a part of one could win the name yet. */
static void find_groups(const Link *l, Follows *links) {
  U32Vec members = {0};
  const char *name;
  for (u32 f = 1; f < l->files.n; f++)
    for (u32 g = 0; l->files.at[f].live && g < l->files.at[f].ngroups; g++) {
      u32 n = l->format->group_members(l, (FileId){f}, g, NULL, &name);
      vec_reserve(&members, n + 1);
      n = l->format->group_members(l, (FileId){f}, g, members.at, &name);
      for (u32 i = 0; n > 1 && i < n; i++)
        *vec_push(links) = (Follow){members.at[i], members.at[(i + 1) % n]};
    }
  vec_free(&members);
}

/* One sweep over the atoms: roots, and who follows whom. */
void deadstrip_roots(Link *l, Followers *follow, RootFn *fn, void *ctx) {
  Follows links = {0}, starts = {0};
  for (u32 a = 1; a < l->atoms.n; a++) {
    u16 f = l->atoms.flags[a];
    if (!(f & ATOM_LIVE))
      continue;
    if (l->format->atoms_are_symbols && !l->format->no_neutral_edges)
      find_associates(l, a, &links);
    if (f & ATOM_LINKORDER && l->atoms.at[a].link) {
      *vec_push(&links) = (Follow){l->atoms.at[a].link, a};
      if (!(f & ATOM_ROOT))
        continue;
    }
    if (!(f & ATOM_ALLOC) || f & (ATOM_EHFRAME | ATOM_SYNTH)) {
      fn(ctx, f & (ATOM_EHFRAME | ATOM_SYNTH) ? ROOT_MADE : ROOT_UNLOADED, a);
      continue;
    }
    if (f & ATOM_ROOT)
      fn(ctx, ROOT_ATOM, a);
    for (u32 s = 0; s < l->start_stops.n; s++)
      if (streq(l->start_stops.at[s].section, l->format->atom_name(l, (AtomId){a}))) {
        *vec_push(&starts) = (Follow){l->start_stops.at[s].sym, a};
      }
  }
  if (UNLIKELY(l->relocatable) && !l->opt->force_group_allocation)
    find_groups(l, &links);
  sort_follows(links.at, links.n);
  sort_follows(starts.at, starts.n);
  *follow = (Followers){links.at, links.n, starts.at, l->opt->start_stop_gc == OPT_YES ? 0 : starts.n};
  for (u32 i = 0; i < l->syms.nglobal; i++)
    if (l->syms.flags[i] & (SF_GC_ROOT | SF_EXPORTED))
      fn(ctx, ROOT_SYMBOL, i);
  for (u32 i = 0; i < l->weld_names.n; i++) /* a name that an expression mentions is needed by it */
    if (l->weld_names.at[i].kind == WELD_MENTION || l->weld_names.at[i].kind == WELD_REF)
      fn(ctx, ROOT_NAME, i);
}

/* Atoms before symbols: what follows a symbol is known when its root is marked. */
static void mark_root(void *ctx, RootKind kind, u32 id) {
  Job *j = ctx;
  switch (kind) {
  case ROOT_ATOM:
    mark(j, id, 0);
    break;
  case ROOT_UNLOADED:
  case ROOT_MADE:
    j->l->atoms.flags[id] |= ATOM_MARKED;
    break;
  case ROOT_SYMBOL:
    mark_symbol(j, id, 0);
    break;
  case ROOT_NAME:
    mark_symbol(j, j->l->weld_names.at[id].sym, 0);
    break;
  }
}

void deadstrip(Link *l) {
  if (!l->opt->gc_sections)
    return;
  unsigned threads = pool_threads(l->pool);
  Job j = {.l = l, .found = heap_alloc(threads * sizeof(U32Vec))};
  U32Vec front = {0};
  deadstrip_roots(l, &j.follow, mark_root, &j);
  for (;;) {
    for (unsigned t = 0; t < threads; t++) {
      for (u32 i = 0; i < j.found[t].n; i++)
        *vec_push(&front) = j.found[t].at[i];
      j.found[t].n = 0;
    }
    if (!front.n)
      break;
    j.front = front.at;
    pool_run(l->pool, front.n, front.n > 512 ? 64 : 512, mark_front, &j);
    front.n = 0;
  }
  for (u32 a = 1; a < l->atoms.n; a++) {
    u16 f = l->atoms.flags[a];
    if (!(f & ATOM_LIVE))
      continue;
    if (f & ATOM_MARKED) {
      l->atoms.flags[a] = (u16)(f & ~ATOM_MARKED);
      continue;
    }
    l->atoms.flags[a] = (u16)(f & ~ATOM_LIVE);
    if (l->opt->print_gc_sections)
      diag_report(l->diag, DIAG_NOTE, "gc-section", (u64)l->atoms.at[a].file << 32 | a, "removing unused section %s:(%s)",
                  file_name(l, (FileId){l->atoms.at[a].file}), l->format->atom_name(l, (AtomId){a}));
  }
  for (unsigned t = 0; t < threads; t++)
    vec_free(&j.found[t]);
  free(j.found);
  vec_free(&front);
  followers_free(&j.follow);
}
