/* resolve_names.c: one number for each name (intern), --wrap, and the archive members that something needs.
 * The trap: everything here runs in parallel over files, and numbers must not depend on the schedule: names go
 * into the table in input order, members are looked for breadth first. */
#include "core/resolve_internal.h"

#include <stdlib.h>

#include "util/glob.h"
#include "util/hash.h"

enum { CHUNK_NAMES = 1 << 12, BATCH_CHUNKS = 32, RESERVED_NAMES = 200000 };

/* ---- weld's own names ---- */

u32 weld_name(Link *l, const char *name, WeldNameKind kind, const Expr *expr, bool hidden) {
  *vec_push(&l->weld_names) =
      (WeldName){.name = name, .expr = expr, .kind = (u8)kind, .hidden = hidden, .sym = UINT32_MAX};
  return l->weld_names.n - 1;
}

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
    const u64 loads = l->format->weak_references_load ? SK_RANK : SK_RANK | SK_WEAK; /* what of a kind must be RANK_NONE */
    u64 kinds[REC_BATCH];
    for (u32 i = file->first_global, n; (n = l->format->kinds(l, (FileId){f}, i, kinds, REC_BATCH)); i += n) {
      const u32 *syms = file->globals + (i - file->first_global);
      for (u32 k = 0; k < n; k++)
        if ((kinds[k] & loads) == RANK_NONE)
          PREFETCH(&l->syms.key[syms[k]]);
      for (u32 k = 0; k < n; k++) {
        u32 sym = syms[k], vis = kinds[k] >> SK_VIS_SHIFT & SK_VIS;
        if (sym == UINT32_MAX)
          continue;
        if ((kinds[k] & loads) == RANK_NONE)
          load_symbol(j, sym, vis == 1 || vis == 2, tid);
        else if (UNLIKELY((kinds[k] & SK_RANK) == RANK_COMMON) && file->kind == FILE_OBJECT && !l->opt->commons_stay &&
                 key_rank(l->syms.key[sym]) >= RANK_COMMON)
          *vec_push(&j->wanted[tid]) = sym;
      }
    }
  }
}

/* What a member that is loaded already defines needs no other one. */
static void forget_met(const Link *l, u8 *want) {
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    SymRec rec[REC_BATCH];
    if (!file->fmt || !file->lazy || !file->live)
      continue;
    for (u32 i = file->first_global, n; (n = l->format->symbols(l, (FileId){f}, i, rec, REC_BATCH)); i += n)
      for (u32 k = 0; k < n; k++) {
        u32 sym = file->globals[rec[k].index - file->first_global];
        if (sym != UINT32_MAX && rec[k].rank < RANK_COMMON)
          want[sym] = 0;
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
  forget_met(l, want);
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

void resolve_names_again(Link *l) {
  intern_free(&l->names);
  pages_free((void *)(uintptr_t)l->syms.block.p, l->syms.block.len);
  pages_free(l->global_ids, l->nglobal_ids * sizeof *l->global_ids);
  l->names = (Interner){0};
  l->syms = (Symbols){0};
  for (u32 f = 1; f < l->files.n; f++)
    l->files.at[f].live = false; /* who loads a member may be new */
  resolve_names(l);
}
