/* resolve.c: names to definitions. Four steps over all symbols: intern (one number for each name),
 * load (archive members that something needs), claim (live definitions compete for the key of their
 * name by an atomic minimum), finish (facts of each symbol, by its winner).
 * The trap: everything here runs in parallel over files, so a body may only use commuting atomics
 * (min, or) on symbols; what it ends in must not depend on who came first. */
#include "core/resolve.h"

#include <stdlib.h>

#include "core/link.h"
#include "util/glob.h"
#include "util/hash.h"

enum { MANY_ATOMS = 1 << 14, REC_BATCH = 128, CLAIM_AHEAD = 12, GROUPS_AHEAD = 12, FACTS_BATCH = 64, CHUNK_NAMES = 1 << 12, BATCH_CHUNKS = 32, RESERVED_NAMES = 200000 };

#define FOR_FILES_GRAIN(l) ((l)->files.n > 256 ? 16u : 1u)

/* ---- weld's own names ---- */

u32 weld_name(Link *l, const char *name, WeldNameKind kind, const Expr *expr, bool hidden) {
  *vec_push(&l->weld_names) =
      (WeldName){.name = name, .expr = expr, .kind = (u8)kind, .hidden = hidden, .sym = UINT32_MAX};
  return l->weld_names.n - 1;
}

static u64 make_key(u64 rank, u64 file, u64 index) { return rank << 56 | file << 32 | index; }

/* The order of weld's names among themselves: a definition beats a mention of the same name. */
static u64 weld_key(const WeldName *w, u32 index) {
  return make_key(w->kind == WELD_DEFINE ? RANK_WELD : RANK_NONE, 0, index);
}

/* ---- intern ---- */

typedef struct {
  u32 first, last; /* files [first, last) */
  u32 names;       /* upper bound */
} NameRange;

typedef struct {
  Link *l;
  const NameRange *ranges;
  InternChunk *chunks;
  InternEnt **temp; /* one for each thread */
} NameJob;

static void hash_names(void *ctx, u32 begin, u32 end, unsigned tid) {
  NameJob *j = ctx;
  Link *l = j->l;
  for (u32 c = begin; c < end; c++) {
    InternEnt *out = j->temp[tid];
    u32 n = 0;
    for (u32 f = j->ranges[c].first; f < j->ranges[c].last; f++) {
      if (f == 0) {
        for (u32 i = 0; i < l->weld_names.n; i++) {
          WeldName *w = &l->weld_names.at[i];
          u32 len = (u32)strlen(w->name);
          out[n++] = (InternEnt){hash128_bytes(w->name, len), w->name, weld_key(w, i), &w->sym, len};
        }
      } else if (l->files.at[f].fmt) {
        n += l->format->names(l, (FileId){f}, out + n);
      }
    }
    intern_sort(out, n, &j->chunks[c]);
  }
}

static void copy_shards(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  Link *l = ctx;
  Symbols *s = &l->syms;
  for (u32 k = begin; k < end; k++) {
    const InternShard *sh = &l->names.shards[k];
    for (u32 i = 0; i < sh->syms.n; i++) {
      const InternSym *x = &sh->syms.at[i];
      s->name[sh->base + i] = (SymName){x->p, x->len, 0};
      s->key[sh->base + i] = x->key;
      s->hash[sh->base + i] = x->hash.lo;
    }
  }
}

static void final_ids(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  Link *l = ctx;
  for (u32 f = begin; f < end; f++) {
    File *file = &l->files.at[f];
    if (f == 0 || !file->fmt)
      continue;
    for (u32 i = 0; i < file->nsyms - file->first_global; i++)
      if (file->globals[i] != UINT32_MAX)
        file->globals[i] = intern_final(&l->names, file->globals[i]);
  }
}

static void alloc_symbols(Link *l, u32 n) {
  Symbols *s = &l->syms;
  u64 m = n, total = 0;
  u64 key = pages_room(&total, m * sizeof *s->key), flags = pages_room(&total, m * sizeof *s->flags);
  u64 name = pages_room(&total, m * sizeof *s->name), hash = pages_room(&total, m * sizeof *s->hash);
  u64 value = pages_room(&total, m * sizeof *s->value), atom = pages_room(&total, m * sizeof *s->atom);
  u64 near = pages_room(&total, m * sizeof *s->near), version = pages_room(&total, m * sizeof *s->version);
  u64 comdat = pages_room(&total, m * sizeof *s->comdat);
  u8 *p = pages_alloc(total);
  s->block = (Bytes){p, total};
  s->nglobal = n;
  s->key = (u64 *)(p + key);
  s->flags = (u32 *)(p + flags);
  s->name = (SymName *)(p + name);
  s->hash = (u64 *)(p + hash);
  s->value = (u64 *)(p + value);
  s->atom = (u32 *)(p + atom);
  s->near = (u64 *)(p + near);
  s->version = (u16 *)(p + version);
  s->comdat = (u64 *)(p + comdat);
}

static void intern_names(Link *l) {
  VEC(NameRange) ranges = {0};
  u64 total = 0;
  u32 most = 0;
  for (u32 f = 0; f < l->files.n; f++) {
    File *file = &l->files.at[f];
    total += f && file->fmt ? file->nsyms - file->first_global : 0;
  }
  /* In C++ most names are in many files. A table that is much too large falls out of the cache. */
  intern_reserve(&l->names, MIN(total / 3, (u64)RESERVED_NAMES));
  u32 *globals = l->global_ids = pages_alloc(total * sizeof *globals);
  l->nglobal_ids = total;
  NameRange r = {0};
  for (u32 f = 0; f < l->files.n; f++) {
    File *file = &l->files.at[f];
    u32 n = f ? (file->fmt ? file->nsyms - file->first_global : 0) : l->weld_names.n;
    if (f && n) {
      file->globals = globals;
      globals += n;
    }
    if (r.names && r.names + n > CHUNK_NAMES) {
      *vec_push(&ranges) = r;
      r = (NameRange){f, f, 0};
    }
    r.last = f + 1;
    r.names += n;
  }
  *vec_push(&ranges) = r;

  /* one buffer for all batches: the chunks' entries, then an unsorted one for each thread */
  u64 room = 0;
  for (u32 at = 0; at < ranges.n; at += BATCH_CHUNKS) {
    u64 sum = 0;
    for (u32 i = at; i < MIN(at + BATCH_CHUNKS, ranges.n); i++)
      sum += ranges.at[i].names;
    room = MAX(room, sum);
  }
  for (u32 i = 0; i < ranges.n; i++)
    most = MAX(most, ranges.at[i].names);
  unsigned threads = pool_threads(l->pool);
  u64 size = (room + (u64)most * threads) * sizeof(InternEnt);
  InternEnt *mem = pages_alloc(size), **temp = heap_alloc(threads * sizeof *temp);
  for (unsigned t = 0; t < threads; t++)
    temp[t] = mem + room + (u64)t * most;
  for (u32 at = 0; at < ranges.n; at += BATCH_CHUNKS) {
    InternChunk chunks[BATCH_CHUNKS];
    u32 n = MIN((u32)BATCH_CHUNKS, ranges.n - at);
    InternEnt *p = mem;
    for (u32 i = 0; i < n; i++) {
      chunks[i].ents = p;
      p += ranges.at[at + i].names;
    }
    NameJob job = {l, ranges.at + at, chunks, temp};
    pool_run(l->pool, n, 1, hash_names, &job);
    intern_batch(&l->names, l->pool, chunks, n);
  }
  free(temp);
  link_give(l, mem, size);
  vec_free(&ranges);

  intern_seal(&l->names);
  alloc_symbols(l, l->names.total);
  pool_run(l->pool, INTERN_SHARDS, l->names.total < 20000 ? INTERN_SHARDS : 4, copy_shards, l);
  pool_run(l->pool, l->files.n, FOR_FILES_GRAIN(l), final_ids, l);
  for (u32 i = 0; i < l->weld_names.n; i++)
    l->weld_names.at[i].sym = intern_final(&l->names, l->weld_names.at[i].sym);
}

SymId sym_find(const Link *l, const char *name, u64 len) {
  return (SymId){intern_find(&l->names, name, len)};
}

/* ---- --wrap ---- */

typedef struct { u32 from, to; } WrapPair;
typedef struct {
  Link *l;
  const WrapPair *pairs;
  u32 n;
} WrapJob;

/* References (not definitions) of SYM go to __wrap_SYM, those of __real_SYM to SYM. */
static void wrap_files(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  WrapJob *j = ctx;
  for (u32 f = MAX(begin, 1u); f < end; f++) {
    File *file = &j->l->files.at[f];
    SymRec rec[REC_BATCH];
    if (file->kind != FILE_OBJECT || !file->fmt)
      continue;
    for (u32 i = file->first_global, n; (n = j->l->format->symbols(j->l, (FileId){f}, i, rec, REC_BATCH)); i += n)
      for (u32 k = 0; k < n; k++) {
        u32 *id = &file->globals[rec[k].index - file->first_global];
        for (u32 w = 0; rec[k].rank == RANK_NONE && w < j->n; w++)
          if (*id == j->pairs[w].from) {
            *id = j->pairs[w].to;
            break;
          }
      }
  }
}

static void wrap(Link *l) {
  u32 n = l->opt->wrap.n;
  if (!n)
    return;
  WrapPair *pairs = ARENA_ARRAY(&l->arena, WrapPair, 2 * n);
  for (u32 i = 0; i < n; i++) {
    const char *name = l->opt->wrap.at[i];
    const char *w = arena_printf(&l->arena, "__wrap_%s", name);
    const char *r = arena_printf(&l->arena, "__real_%s", name);
    u32 plain = sym_find(l, name, strlen(name)).i;
    pairs[2 * i] = (WrapPair){plain, sym_find(l, w, strlen(w)).i};
    pairs[2 * i + 1] = (WrapPair){sym_find(l, r, strlen(r)).i, plain};
    l->syms.flags[plain] |= SF_WRAPPED;
  }
  WrapJob job = {l, pairs, 2 * n};
  pool_run(l->pool, l->files.n, FOR_FILES_GRAIN(l), wrap_files, &job);
  for (u32 i = 0; i < l->weld_names.n; i++) { /* -u and the entry are references too; expressions look names up */
    WeldName *w = &l->weld_names.at[i];
    for (u32 k = 0; w->kind == WELD_REF && k < 2 * n; k++)
      if (w->sym == pairs[k].from) {
        w->sym = pairs[k].to;
        break;
      }
  }
}

/* ---- archive members ---- */

typedef VEC(u32) U32Vec;
typedef struct {
  Link *l;
  const u32 *front;
  U32Vec *found;  /* one for each thread */
  U32Vec *wanted; /* names that only an archive member can settle, see load_wanted() */
} LoadJob;

static void load_symbol(LoadJob *j, u32 sym, bool hidden, unsigned tid) {
  u64 key = j->l->syms.key[sym];
  if (key_rank(key) != RANK_OUTSIDE)
    return;
  File *w = &j->l->files.at[key_file(key)];
  if (UNLIKELY(hidden && w->kind == FILE_SHARED))
    *vec_push(&j->wanted[tid]) = sym;
  if (w->lazy && !__atomic_load_n(&w->live, __ATOMIC_RELAXED) &&
      !__atomic_exchange_n(&w->live, true, __ATOMIC_RELAXED))
    *vec_push(&j->found[tid]) = key_file(key);
}

static void load_needed(void *ctx, u32 begin, u32 end, unsigned tid) {
  LoadJob *j = ctx;
  Link *l = j->l;
  for (u32 x = begin; x < end; x++) {
    u32 f = j->front[x];
    const File *file = &l->files.at[f];
    u64 kinds[REC_BATCH];
    for (u32 i = file->first_global, n; (n = l->format->kinds(l, (FileId){f}, i, kinds, REC_BATCH)); i += n) {
      const u32 *syms = file->globals + (i - file->first_global);
      for (u32 k = 0; k < n; k++)
        if ((kinds[k] & (SK_RANK | SK_WEAK)) == RANK_NONE)
          PREFETCH(&l->syms.key[syms[k]]);
      for (u32 k = 0; k < n; k++) {
        u32 sym = syms[k], vis = kinds[k] >> SK_VIS_SHIFT & SK_VIS;
        if (sym == UINT32_MAX)
          continue;
        if ((kinds[k] & (SK_RANK | SK_WEAK)) == RANK_NONE)
          load_symbol(j, sym, vis == 1 || vis == 2, tid);
        else if (UNLIKELY((kinds[k] & SK_RANK) == RANK_COMMON) && file->kind == FILE_OBJECT)
          *vec_push(&j->wanted[tid]) = sym;
      }
    }
  }
}

/* The few names whose best candidate so far hides the archive member that is meant: a hidden reference
 * can't be met by a shared library, and a tentative definition yields to a real one in an archive (as
 * in GNU ld). Loads the first member that defines each, in command-line order; true when it found one. */
static bool load_wanted(LoadJob *j) {
  Link *l = j->l;
  u8 *want = NULL;
  bool any = false;
  for (unsigned t = 0; t < pool_threads(l->pool); t++) {
    for (u32 i = 0; i < j->wanted[t].n; i++) {
      if (!want)
        want = pages_alloc(l->syms.nglobal);
      want[j->wanted[t].at[i]] = 1;
    }
    j->wanted[t].n = 0;
  }
  if (!want)
    return false;
  for (u32 f = 1; f < l->files.n; f++) {
    File *file = &l->files.at[f];
    SymRec rec[REC_BATCH];
    if (!file->fmt || !file->lazy || file->live)
      continue;
    for (u32 i = file->first_global, n; (n = l->format->symbols(l, (FileId){f}, i, rec, REC_BATCH)); i += n)
      for (u32 k = 0; k < n; k++) {
        u32 sym = file->globals[rec[k].index - file->first_global];
        if (sym == UINT32_MAX || !want[sym] || rec[k].rank == RANK_NONE || rec[k].rank == RANK_COMMON)
          continue;
        want[sym] = 0;
        if (!file->live) {
          file->live = any = true;
          *vec_push(&j->found[0]) = f;
        }
      }
  }
  pages_free(want, l->syms.nglobal);
  return any;
}

/* Breadth first from what the command line names: the set that comes out does not depend on order. */
static void load_members(Link *l) {
  unsigned threads = pool_threads(l->pool);
  U32Vec front = {0};
  LoadJob j = {l, NULL, heap_alloc(threads * sizeof(U32Vec)), heap_alloc(threads * sizeof(U32Vec))};
  for (u32 f = 1; f < l->files.n; f++)
    if (l->files.at[f].fmt && !l->files.at[f].lazy) {
      l->files.at[f].live = true;
      *vec_push(&front) = f;
    }
  for (u32 i = 0; i < l->weld_names.n; i++)
    if (l->weld_names.at[i].kind == WELD_REF)
      load_symbol(&j, l->weld_names.at[i].sym, false, 0);
  for (;;) {
    for (unsigned t = 0; t < threads; t++) {
      for (u32 i = 0; i < j.found[t].n; i++)
        *vec_push(&front) = j.found[t].at[i];
      j.found[t].n = 0;
    }
    if (!front.n) {
      if (!load_wanted(&j))
        break;
      continue;
    }
    j.front = front.at;
    pool_run(l->pool, front.n, front.n > 64 ? 8 : 64, load_needed, &j);
    front.n = 0;
  }
  for (unsigned t = 0; t < threads; t++) {
    vec_free(&j.found[t]);
    vec_free(&j.wanted[t]);
  }
  free(j.found);
  free(j.wanted);
  vec_free(&front);
}

static void open_files(void *ctx, u32 begin, u32 end, unsigned tid) {
  Link *l = ctx;
  for (u32 f = MAX(begin, 1u); f < end; f++)
    if (!l->format->open(l, (FileId){f}, tid))
      l->files.at[f].fmt = NULL;
}

void resolve_open(Link *l) { pool_run(l->pool, l->files.n, FOR_FILES_GRAIN(l), open_files, l); }

/* --undefined-glob: as if -u named each symbol that something defines and that matches. */
static void refer_to_globs(Link *l) {
  for (u32 i = 0; l->opt->undefined_glob.n && i < l->syms.nglobal; i++) {
    SymName n = l->syms.name[i];
    bool hit = false;
    for (u32 g = 0; g < l->opt->undefined_glob.n && !hit; g++)
      hit = key_rank(l->syms.key[i]) != RANK_NONE && glob_match(l->opt->undefined_glob.at[g], n.p, n.len);
    if (hit)
      l->weld_names.at[weld_name(l, arena_strndup(&l->arena, n.p, n.len), WELD_REF, NULL, false)].sym = i;
  }
}

void resolve_names(Link *l) {
  intern_names(l);
  refer_to_globs(l);
  wrap(l);
  load_members(l);
}

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
  u64 atoms = 1, locals = l->syms.nglobal;
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

/* ---- claims ---- */

static inline void set_flags(u32 *p, u32 bits) {
  if ((__atomic_load_n(p, __ATOMIC_RELAXED) & bits) != bits)
    __atomic_fetch_or(p, bits, __ATOMIC_RELAXED);
}

/* The most constraining visibility wins: internal, hidden, protected, default (gABI ch. 4). Kept as
 * bits of their own while files are merged in parallel: or is the only operation that is needed. */
enum { VIS_BIT_SHIFT = 29 };
static inline u32 vis_bit(u32 vis) { return vis ? 1u << (VIS_BIT_SHIFT + vis - 1) : 0; }

static inline void claim(Link *l, u32 sym, u64 key) {
  u64 *p = &l->syms.key[sym];
  u64 old = __atomic_load_n(p, __ATOMIC_RELAXED);
  for (;;) {
    if (UNLIKELY(key_rank(old) == RANK_STRONG && key_rank(key) == RANK_STRONG && old != key))
      __atomic_store_n(&l->has_duplicates, true, __ATOMIC_RELAXED);
    if (key >= old || __atomic_compare_exchange_n(p, &old, key, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
      return;
  }
}

static void claim_object(Link *l, u32 f) {
  const File *file = &l->files.at[f];
  const u16 *aflags = l->atoms.flags;
  u64 kinds[REC_BATCH];
  for (u32 i = file->first_global, n; (n = l->format->kinds(l, (FileId){f}, i, kinds, REC_BATCH)); i += n) {
    const u32 *syms = file->globals + (i - file->first_global);
    for (u32 k = 0; k < n; k++) {
      u32 sym = syms[k], section = (u32)(kinds[k] >> SK_SECTION_SHIFT), rank = kinds[k] & SK_RANK;
      if (k + CLAIM_AHEAD < n) {
        PREFETCH(&l->syms.flags[syms[k + CLAIM_AHEAD]]);
        PREFETCH(&l->syms.key[syms[k + CLAIM_AHEAD]]);
      }
      if (sym == UINT32_MAX)
        continue;
      u32 bits = SF_REF | vis_bit(kinds[k] >> SK_VIS_SHIFT & SK_VIS);
      if (rank == RANK_NONE) {
        set_flags(&l->syms.flags[sym], bits | (kinds[k] & SK_WEAK ? 0 : (u32)SF_REF_STRONG));
        continue;
      }
      /* What stood in a group that lost is a reference to the winner's. */
      if (section && aflags[file->atom_base + section] & ATOM_DISCARDED) {
        set_flags(&l->syms.flags[sym], bits | SF_REF_STRONG);
        continue;
      }
      set_flags(&l->syms.flags[sym], bits | (rank == RANK_COMMON ? (u32)SF_COMMON : 0));
      claim(l, sym, make_key(rank, f, i + k));
    }
  }
}

static void claim_shared(Link *l, u32 f) {
  const File *file = &l->files.at[f];
  SymRec rec[REC_BATCH];
  for (u32 i = file->first_global, n; (n = l->format->symbols(l, (FileId){f}, i, rec, REC_BATCH)); i += n)
    for (u32 k = 0; k < n; k++) {
      u32 sym = file->globals[rec[k].index - file->first_global];
      if (sym == UINT32_MAX || rec[k].skip)
        continue;
      set_flags(&l->syms.flags[sym], SF_DSO_REF);
      if (rec[k].rank != RANK_NONE)
        claim(l, sym, make_key(RANK_OUTSIDE, f, rec[k].index));
    }
}

static void claim_files(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  Link *l = ctx;
  for (u32 f = MAX(begin, 1u); f < end; f++) {
    if (!l->files.at[f].live)
      continue;
    if (l->files.at[f].kind == FILE_OBJECT)
      claim_object(l, f);
    else if (l->files.at[f].kind == FILE_SHARED)
      claim_shared(l, f);
  }
}

/* ---- finish: facts of each symbol ---- */

typedef struct {
  Link *l;
  U32Vec *commons;    /* one for each thread */
  U32Vec *start_stop; /* undefined __start_ / __stop_ names */
} FinishJob;

static void finish_some(FinishJob *j, u32 begin, u32 end, unsigned tid) {
  Link *l = j->l;
  Symbols *s = &l->syms;
  SymRec rec[FACTS_BATCH];
  l->format->definitions(l, s->key + begin, end - begin, rec);
  for (u32 i = begin; i < end; i++) {
    u32 fl = s->flags[i];
    u32 vis = fl >> VIS_BIT_SHIFT;
    fl &= ((1u << SF_VIS_SHIFT) - 1) | SF_DYNLIST;
    u32 v = vis & 1 ? 1 : vis & 2 ? 2 : vis & 4 ? 3 : 0;
    fl |= v << SF_VIS_SHIFT;
    if (v == 1 || v == 2)
      fl |= SF_HIDDEN;
    u64 key = s->key[i];
    /* A shared library can't define what an object wants hidden. */
    if (key_rank(key) == RANK_OUTSIDE && fl & SF_HIDDEN)
      key = s->key[i] = make_key(RANK_NONE, 0, 0);
    if (key_rank(key) == RANK_NONE) {
      fl |= SF_UNDEFINED | (fl & SF_REF_STRONG ? 0 : (u32)SF_WEAK);
      if ((fl & SF_REF || l->opt->start_stop) && s->name[i].len > 7 && s->name[i].p[0] == '_' &&
          (!memcmp(s->name[i].p, "__start_", 8) || !memcmp(s->name[i].p, "__stop_", 7)))
        *vec_push(&j->start_stop[tid]) = i;
    } else if (key_file(key) == 0) {
      fl |= SF_SYNTHETIC;
      if (l->weld_names.at[key_index(key)].hidden)
        fl |= SF_HIDDEN | (fl >> SF_VIS_SHIFT & 3 ? 0 : 2u << SF_VIS_SHIFT);
    } else {
      const File *file = &l->files.at[key_file(key)];
      const SymRec *r = &rec[i - begin];
      fl |= r->flags;
      if (file->kind == FILE_SHARED) {
        fl |= SF_SHARED;
        fl &= ~((u32)SF_IFUNC | SF_ABSOLUTE);
      } else {
        if (key_rank(key) == RANK_COMMON)
          *vec_push(&j->commons[tid]) = i;
        else {
          fl &= ~(u32)SF_COMMON;
          s->atom[i] = r->section ? file->atom_base + r->section : 0;
          s->value[i] = r->value;
        }
        if (file->just_symbols) {
          fl |= SF_ABSOLUTE;
          s->atom[i] = 0;
        }
        if (v == 3)
          fl |= SF_PROTECTED;
      }
    }
    s->flags[i] = fl;
  }
}

static void finish_symbols(void *ctx, u32 begin, u32 end, unsigned tid) {
  for (u32 i = begin; i < end; i += FACTS_BATCH)
    finish_some(ctx, i, MIN(i + FACTS_BATCH, end), tid);
}

/* ---- commons ---- */

typedef struct { u64 order, size, align; u32 sym; bool tls, small; } Common;

static int by_order(const void *a, const void *b) {
  u64 x = ((const Common *)a)->order, y = ((const Common *)b)->order;
  return x < y ? -1 : x > y;
}

/* A tentative definition is as large and as aligned as the largest of its name, and near when one of
 * them is: small code can't reach far. */
static void place_commons(Link *l, U32Vec *lists) {
  VEC(Common) v = {0};
  for (unsigned t = 0; t < pool_threads(l->pool); t++)
    for (u32 i = 0; i < lists[t].n; i++) {
      u32 sym = lists[t].at[i];
      *vec_push(&v) = (Common){l->syms.key[sym], 0, 1, sym, l->syms.flags[sym] & SF_TLS, false};
    }
  if (!v.n)
    return;
  qsort(v.at, v.n, sizeof *v.at, by_order);
  for (u32 i = 0; i < v.n; i++)
    l->syms.value[v.at[i].sym] = i;
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    SymRec rec[REC_BATCH];
    if (!file->live || file->kind != FILE_OBJECT)
      continue;
    for (u32 i = file->first_global, n; (n = l->format->symbols(l, (FileId){f}, i, rec, REC_BATCH)); i += n)
      for (u32 k = 0; k < n; k++) {
        u32 sym = file->globals[rec[k].index - file->first_global];
        if (rec[k].rank != RANK_COMMON || sym == UINT32_MAX ||
            key_rank(l->syms.key[sym]) != RANK_COMMON)
          continue;
        Common *c = &v.at[l->syms.value[sym]];
        if (rec[k].size > c->size) { /* who describes the symbol from here on */
          c->size = rec[k].size;
          l->syms.key[sym] = make_key(RANK_COMMON, f, rec[k].index);
        }
        c->align = MAX(c->align, rec[k].value);
        c->small |= !rec[k].large;
      }
  }
  for (u32 i = 0; i < v.n; i++) {
    Synth *s = &l->synths.at[v.at[i].tls ? SYN_TCOMMON : v.at[i].small ? SYN_COMMON : SYN_LCOMMON];
    u64 align = is_pow2(v.at[i].align) ? v.at[i].align : 1;
    u64 at = align_up(s->size, align);
    s->p2align = MAX(s->p2align, log2_u64(align));
    l->syms.atom[v.at[i].sym] = s->atom.i;
    l->syms.value[v.at[i].sym] = at;
    if (at < s->size || __builtin_add_overflow(at, v.at[i].size, &s->size)) {
      diag_error(l->diag, "too-large", "common symbols do not fit into the 64-bit address space");
      break;
    }
  }
  vec_free(&v);
}

/* ---- __start_NAME and __stop_NAME ---- */

static int by_u32(const void *a, const void *b) {
  u32 x = *(const u32 *)a, y = *(const u32 *)b;
  return x < y ? -1 : x > y;
}

bool is_c_identifier(const char *s) {
  if (!*s || (*s >= '0' && *s <= '9'))
    return false;
  for (; *s; s++)
    if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || *s == '_'))
      return false;
  return true;
}

/* Whether an allocated section of that name is in the link is known only after dead strip; the symbol
 * becomes weld's here, and resolve_dead() takes it back when there is none. */
static void define_start_stop(Link *l, U32Vec *lists) {
  U32Vec all = {0};
  for (unsigned t = 0; t < pool_threads(l->pool); t++)
    for (u32 i = 0; i < lists[t].n; i++)
      *vec_push(&all) = lists[t].at[i];
  if (all.n)
    qsort(all.at, all.n, sizeof *all.at, by_u32);
  for (u32 i = 0; i < all.n; i++) {
    u32 sym = all.at[i];
    const SymName *name = &l->syms.name[sym];
    const char *text = arena_strndup(&l->arena, name->p, name->len);
    bool start = starts_with(text, "__start_");
    const char *section = text + (start ? 8 : 7);
    if (!is_c_identifier(section))
      continue;
    *vec_push(&l->start_stops) = (StartStop){sym, section, start, false};
  }
  vec_free(&all);
}

/* ---- weld's own definitions ---- */

/* Whether the value is a number whatever the load address. */
static bool is_number(const Link *l, const Expr *e) {
  if (!e)
    return true;
  switch (e->op) {
  case EX_DOT:
  case EX_ADDR:
  case EX_SEGMENT_START:
  case EX_DATA_SEGMENT_ALIGN:
  case EX_DATA_SEGMENT_RELRO_END:
  case EX_DATA_SEGMENT_END:
    return false;
  case EX_SYM: {
    SymId s = sym_find(l, e->name, strlen(e->name));
    return s.i == UINT32_MAX || l->syms.flags[s.i] & SF_ABSOLUTE;
  }
  case EX_SUB: /* a distance */
    return is_number(l, e->a) == is_number(l, e->b);
  case EX_ALIGN:
    return e->b && is_number(l, e->a);
  case EX_ABSOLUTE:
    return true;
  default:
    return is_number(l, e->a) && is_number(l, e->b) && is_number(l, e->c);
  }
}

/* --defsym=A=B makes A another name for B: its kind, its atom. Other expressions get their value after
 * layout; only whether they move with the image is needed now. In order: A=B may follow B=C. */
static void finish_weld_names(Link *l) {
  Symbols *s = &l->syms;
  for (u32 i = 0; i < l->weld_names.n; i++) {
    WeldName *w = &l->weld_names.at[i];
    if (!w->used || !w->expr)
      continue;
    if (w->expr->op == EX_SYM) {
      u32 t = sym_find(l, w->expr->name, strlen(w->expr->name)).i;
      if (t != UINT32_MAX && !(s->flags[t] & (SF_UNDEFINED | SF_SHARED)) && t != w->sym) {
        s->atom[w->sym] = s->atom[t];
        s->value[w->sym] = s->value[t];
        s->flags[w->sym] |= s->flags[t] & (SF_FUNC | SF_TLS | SF_IFUNC | SF_ABSOLUTE);
        w->alias = t;
      }
    } else if (is_number(l, w->expr)) {
      s->flags[w->sym] |= SF_ABSOLUTE;
    }
  }
}

static void reset_keys(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  Link *l = ctx;
  for (u32 i = begin; i < end; i++) {
    u64 k = l->syms.key[i];
    if (key_rank(k) != RANK_WELD)
      l->syms.key[i] = make_key(RANK_NONE, 0, 0);
    l->syms.flags[i] &= SF_WRAPPED | SF_DYNLIST | SF_TRACED;
  }
}

void resolve_symbols(Link *l) {
  u32 n = l->syms.nglobal, grain = n > 20000 ? 8192 : 20000;
  unsigned threads = pool_threads(l->pool);
  pool_run(l->pool, n, grain * 4, reset_keys, l);
  for (u32 i = 0; i < l->weld_names.n; i++)
    if (l->weld_names.at[i].kind == WELD_REF)
      l->syms.flags[l->weld_names.at[i].sym] |= SF_REF | SF_GC_ROOT;
  pool_run(l->pool, l->files.n, FOR_FILES_GRAIN(l), claim_files, l);
  if (l->has_versioned_refs)
    l->format->versioned(l);
  for (u32 i = 0; i < l->weld_names.n; i++) {
    WeldName *w = &l->weld_names.at[i];
    if (w->kind == WELD_PROVIDE && l->syms.flags[w->sym] & (SF_REF | SF_DSO_REF) &&
        key_rank(l->syms.key[w->sym]) > RANK_PROVIDE)
      l->syms.key[w->sym] = make_key(RANK_PROVIDE, 0, i);
    w->used = key_file(l->syms.key[w->sym]) == 0 && key_index(l->syms.key[w->sym]) == i &&
              key_rank(l->syms.key[w->sym]) != RANK_NONE;
  }
  FinishJob j = {l, heap_alloc(threads * sizeof(U32Vec)), heap_alloc(threads * sizeof(U32Vec))};
  pool_run(l->pool, n, grain, finish_symbols, &j);
  place_commons(l, j.commons);
  finish_weld_names(l);
  define_start_stop(l, j.start_stop);
  for (unsigned t = 0; t < threads; t++) {
    vec_free(&j.commons[t]);
    vec_free(&j.start_stop[t]);
  }
  free(j.commons);
  free(j.start_stop);
}

/* ---- after dead strip ---- */

static void mark_dead(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  Link *l = ctx;
  Symbols *s = &l->syms;
  for (u32 i = begin; i < end; i++) {
    if (s->atom[i] && !(l->atoms.flags[s->atom[i]] & ATOM_LIVE))
      s->flags[i] |= SF_DISCARDED;
    else if (s->flags[i] & SF_SHARED && s->flags[i] & SF_REF_STRONG && !l->opt->gc_sections) {
      File *f = &l->files.at[key_file(s->key[i])];
      if (!__atomic_load_n(&f->needed, __ATOMIC_RELAXED))
        __atomic_store_n(&f->needed, true, __ATOMIC_RELAXED);
    }
  }
}

/* --start-stop: NAME also stands for the output section .NAME. */
static void settle_dotted(const Link *l, StartStop *s) {
  for (u32 a = 1; a < l->atoms.n && !s->defined; a++) {
    if ((l->atoms.flags[a] & (ATOM_LIVE | ATOM_ALLOC | ATOM_SYNTH)) != (ATOM_LIVE | ATOM_ALLOC))
      continue;
    u32 rule = l->rules[a];
    const char *name = rule == UINT32_MAX ? l->format->atom_name(l, (AtomId){a}) : l->layout->stmts[rule >> 16].name;
    if (name[0] == '.' && streq(name + 1, s->section)) {
      s->section = name;
      s->defined = true;
    }
  }
}

/* __start_NAME stays undefined unless a live allocated section of that name is in the link. */
static void settle_start_stop(Link *l) {
  if (!l->start_stops.n)
    return;
  for (u32 a = 1; a < l->atoms.n; a++) {
    if ((l->atoms.flags[a] & (ATOM_LIVE | ATOM_ALLOC | ATOM_SYNTH)) != (ATOM_LIVE | ATOM_ALLOC))
      continue;
    const char *name = l->format->atom_name(l, (AtomId){a});
    for (u32 i = 0; i < l->start_stops.n; i++)
      l->start_stops.at[i].defined |= streq(name, l->start_stops.at[i].section);
  }
  for (u32 i = 0; l->opt->start_stop && i < l->start_stops.n; i++)
    settle_dotted(l, &l->start_stops.at[i]);
  for (u32 i = 0; i < l->start_stops.n; i++) {
    const StartStop *s = &l->start_stops.at[i];
    if (!s->defined)
      continue;
    u32 at = weld_name(l, l->syms.name[s->sym].p, WELD_DEFINE, NULL, true);
    l->weld_names.at[at].sym = s->sym;
    l->weld_names.at[at].used = true;
    l->syms.key[s->sym] = make_key(RANK_WELD, 0, at);
    u32 vis = (u32)l->opt->start_stop_visibility & 3;
    u32 f = l->syms.flags[s->sym] & ~((u32)SF_UNDEFINED | SF_WEAK | SF_IMPORTED | SF_SHARED | SF_IS_UNDEF_OK);
    if (!(f >> SF_VIS_SHIFT & 3))
      f |= vis << SF_VIS_SHIFT | (vis == 1 || vis == 2 ? (u32)SF_HIDDEN : vis == 3 ? (u32)SF_PROTECTED : 0);
    l->syms.flags[s->sym] = f | SF_SYNTHETIC;
  }
}

void resolve_dead(Link *l) {
  settle_start_stop(l);
  pool_run(l->pool, l->syms.nglobal, 16384, mark_dead, l);
  for (u32 f = 1; f < l->files.n; f++)
    if (l->files.at[f].kind == FILE_SHARED && l->files.at[f].fmt && !l->files.at[f].as_needed)
      l->files.at[f].needed = true;
}

/* ---- after layout ---- */

static void add_addresses(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  Link *l = ctx;
  Symbols *s = &l->syms;
  for (u32 i = begin; i < end; i++) {
    u32 a = s->atom[i];
    if (!a || s->flags[i] & SF_DISCARDED)
      continue;
    if (UNLIKELY(l->atoms.flags[a] & ATOM_MERGE))
      s->value[i] = merge_addr(l, (AtomId){a}, s->value[i]);
    else if (UNLIKELY(l->atoms.flags[a] & ATOM_EHFRAME && key_file(s->key[i])))
      s->value[i] = l->format->local_value(l, (FileId){key_file(s->key[i])}, key_index(s->key[i]));
    else
      s->value[i] += l->atoms.addr[a];
  }
}

void resolve_addresses(Link *l) { pool_run(l->pool, l->syms.nglobal, 8192, add_addresses, l); }
