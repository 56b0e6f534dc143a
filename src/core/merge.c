/* merge.c: joins strings and constants by content; the passes around merge_split.c and merge_table.c.
 *
 * collect (parallel by file) -> group -> split and hash (parallel) -> insert in shared tables (parallel)
 * -> settle which occurrence is first -> give places by prefix sums -> spans -> one Synth a group.
 * The output of a group is the first occurrences in input order, so it is a function of the input
 * alone, writing it reads the inputs forward, and neighbours are copied in one run.
 * The trap: a piece is aligned to its section's alignment wherever it stood there (sections of
 * different alignments are different groups), because a program may rely on it for every string that
 * the compiler aligned, and an input offset does not say which those are. */
#include <stdlib.h>

#include "core/merge_internal.h"
#include "core/release.h"
#include "core/weld_version.h"

enum {
  JOB_BYTES = 256 << 10,  /* a unit of parallel work */
  JOB_SEGS = 512,
  SERIAL_BYTES = 512 << 10, /* below this a second thread costs more than it brings */
  HLL_BYTES = 1 << 20,    /* groups below this size their table by the number of pieces */
  SAMPLE_BYTES = 16 << 20, /* groups above this by a sample of their segments */
  SAMPLE_STRIDE = 16,
  MAX_SEGS = (1 << 24) - 1, /* a table slot has 24 bits for the segment */
  MAX_PAD_P2 = 6,         /* pieces padded to more than this (log2) would blow up the output */
  TYPE_PROGBITS = 1,
};
#define MAX_CAP (1ull << 30)

/* ---- collect ---- */

typedef struct {
  u32 atom;
  u32 key; /* index in the thread's keys */
} Cand;

typedef struct {
  VEC(Cand) cands;
  VEC(MergeKey) keys;
  VEC(u32) groups; /* of keys, once grouped; UINT32_MAX: not yet */
  u32 last;        /* key that the last atom had: mostly the next one's too */
} Finder;

typedef struct {
  u32 tid, begin, n; /* the file's candidates in finder[tid] */
} FileCands;

typedef struct {
  Link *l;
  Finder *finder;
  FileCands *files;
} Collect;

static bool same_key(const MergeKey *a, const MergeKey *b) {
  return a->rule == b->rule && a->type == b->type && a->attr == b->attr &&
         a->entsize == b->entsize && a->p2align == b->p2align &&
         (a->rule != UINT32_MAX || streq(a->name, b->name));
}

/* Without a layout rule the name decides. Compilers put a function's name into it (-fdata-sections);
 * read-only data goes to one place all the same. */
static const char *destination(const char *name) {
  return starts_with(name, ".rodata.") ? ".rodata" : name;
}

/* False when the atom is no business of this pass: it stays an ordinary section. */
static bool mergeable(Link *l, u32 i, unsigned tid) {
  const Atom *at = &l->atoms.at[i];
  if (!l->opt->merge_sections || !at->entsize || !at->size || !at->data || at->rel ||
      (at->attr & ATTR_WRITE) || (l->atoms.flags[i] & (ATOM_ZEROFILL | ATOM_LINKORDER | ATOM_EHFRAME)) ||
      at->size > UINT32_MAX || at->p2align > MAX_PAD_P2)
    return false;
  u64 order = (u64)at->file << 32 | (i - l->files.at[at->file].atom_base);
  if (at->size % at->entsize) {
    diag_report(l->diag, DIAG_ERROR, "merge-size", order,
                "%s: size of mergeable section (%llu) is not a multiple of its entry size (%u)",
                place_of(l, tid, (AtomId){i}, 0), (unsigned long long)at->size, at->entsize);
    return false;
  }
  if ((at->attr & ATTR_STRINGS) &&
      merge_string_end(at->data + (at->size - at->entsize), at->entsize, at->entsize) == 0) {
    diag_report(l->diag, DIAG_ERROR, "merge-unterminated", order,
                "%s: string is not null terminated",
                place_of(l, tid, (AtomId){i}, at->size - at->entsize));
    return false;
  }
  return true;
}

static u32 find_key(Finder *f, const MergeKey *k) {
  if (f->last < f->keys.n && same_key(&f->keys.at[f->last], k))
    return f->last;
  u32 i = 0;
  while (i < f->keys.n && !same_key(&f->keys.at[i], k))
    i++;
  if (i == f->keys.n)
    *vec_push(&f->keys) = *k;
  return f->last = i;
}

static void collect_files(void *ctx, u32 begin, u32 end, unsigned tid) {
  Collect *c = ctx;
  Link *l = c->l;
  Finder *f = &c->finder[tid];
  for (u32 file = begin; file < end; file++) {
    const File *fl = &l->files.at[file];
    c->files[file] = (FileCands){tid, f->cands.n, 0};
    if (!file || fl->kind != FILE_OBJECT || !fl->live)
      continue;
    for (u32 i = fl->atom_base; i < fl->atom_base + fl->natoms; i++) {
      u16 *flags = &l->atoms.flags[i];
      if ((*flags & (ATOM_LIVE | ATOM_MERGE | ATOM_DISCARDED)) != (ATOM_LIVE | ATOM_MERGE))
        continue;
      if (!mergeable(l, i, tid)) {
        *flags = (u16)(*flags & ~ATOM_MERGE);
        continue;
      }
      const Atom *at = &l->atoms.at[i];
      MergeKey k = {.rule = l->rules ? l->rules[i] : UINT32_MAX,
                    .type = at->type,
                    .attr = at->attr & ATTR_JOIN,
                    .entsize = at->entsize,
                    .p2align = at->p2align};
      if (k.rule == UINT32_MAX)
        k.name = destination(l->format->atom_name(l, (AtomId){i}));
      *vec_push(&f->cands) = (Cand){i, find_key(f, &k)};
    }
    c->files[file].n = f->cands.n - c->files[file].begin;
  }
}

/* ---- group ---- */

typedef VEC(MergeGroup) GroupVec;

static u32 group_find(GroupVec *v, const MergeKey *k) {
  u32 i = 0;
  while (i < v->n && !same_key(&v->at[i].key, k))
    i++;
  if (i == v->n)
    *vec_push(v) = (MergeGroup){.key = *k};
  return i;
}

static u32 seg_count(u64 size) { return (u32)((size + MERGE_SEG_BYTES - 1) / MERGE_SEG_BYTES); }

/* Cuts an atom at ends of pieces; segment k begins at the last one that is not after k segment sizes. */
static void cut(const Atom *at, u32 atom, u32 group, bool strings, MergeSeg *out) {
  u32 n = seg_count(at->size);
  u64 begin = 0;
  for (u32 k = 0; k < n; k++) {
    u64 limit = (k + 1) * MERGE_SEG_BYTES, end = at->size;
    if (k + 1 < n) {
      end = limit - limit % at->entsize;
      if (strings) { /* no end in a whole segment size: the segment is empty */
        u64 low = limit - MERGE_SEG_BYTES;
        low = MAX(begin, low - low % at->entsize);
        u64 found = merge_string_end(at->data + low, end - low, at->entsize);
        end = found ? low + found : begin;
      }
    }
    out[k] = (MergeSeg){.data = at->data + begin, .start = begin, .size = (u32)(end - begin),
                        .atom = atom, .group = group};
    begin = end;
  }
}

/* weld names itself where compilers do. */
static void count_ident(Link *l, GroupVec *groups, u32 *ident) {
  *ident = UINT32_MAX;
  if (l->opt->strip == STRIP_ALL || l->opt->relocatable)
    return;
  /* Any group of .comment will do: with a rule of its own or not. */
  for (u32 i = 0; i < groups->n; i++)
    if (streq(groups->at[i].name, ".comment") && groups->at[i].key.entsize == 1 &&
        (groups->at[i].key.attr & ATTR_STRINGS))
      *ident = i;
  if (*ident == UINT32_MAX) {
    MergeKey k = {.rule = UINT32_MAX, .type = TYPE_PROGBITS, .attr = 0x10 | ATTR_STRINGS,
                  .entsize = 1, .name = ".comment"};
    *ident = groups->n;
    *vec_push(groups) = (MergeGroup){.key = k, .name = k.name};
  }
  groups->at[*ident].n++;
}

/* Orders the candidates of all files by group, then file, then place, and makes their segments. */
static void group_atoms(Link *l, Merge *m, Collect *c) {
  static const char ident_text[] = "weld " WELD_VERSION;
  GroupVec groups = {0};
  u32 nseg = 1, threads = pool_threads(l->pool);
  for (u32 t = 0; t < threads; t++)
    for (u32 k = 0; k < c->finder[t].keys.n; k++)
      *vec_push(&c->finder[t].groups) = UINT32_MAX;

  for (u32 file = 0; file < l->files.n; file++) {
    Finder *f = &c->finder[c->files[file].tid];
    for (u32 i = 0; i < c->files[file].n; i++) {
      Cand *cand = &f->cands.at[c->files[file].begin + i];
      const Atom *at = &l->atoms.at[cand->atom];
      u32 n = seg_count(at->size), *g = &f->groups.at[cand->key];
      if (n > (u32)MAX_SEGS - nseg) { /* 16 million of them: the rest is not merged */
        l->atoms.flags[cand->atom] = (u16)(l->atoms.flags[cand->atom] & ~ATOM_MERGE);
        cand->key = UINT32_MAX;
        continue;
      }
      if (*g == UINT32_MAX) {
        *g = group_find(&groups, &f->keys.at[cand->key]);
        if (!groups.at[*g].n) /* the first one gives its name */
          groups.at[*g].name = l->format->atom_name(l, (AtomId){cand->atom});
      }
      cand->key = *g;
      groups.at[*g].n += n;
      groups.at[*g].bytes += at->size;
      nseg += n;
    }
  }
  u32 ident;
  count_ident(l, &groups, &ident);
  nseg += ident != UINT32_MAX;

  m->nseg = nseg;
  m->seg_bytes = sizeof(MergeSeg) * (u64)nseg;
  m->seg = pages_alloc(m->seg_bytes);
  m->ngroup = groups.n;
  m->group = ARENA_ARRAY(&l->arena, MergeGroup, groups.n);
  u32 *cursor = heap_alloc(sizeof(u32) * ((u64)groups.n + 1));
  for (u32 g = 0, at = 1; g < groups.n; g++) {
    m->group[g] = groups.at[g];
    m->group[g].first = cursor[g] = at;
    at += groups.at[g].n;
  }
  for (u32 file = 0; file < l->files.n; file++) {
    Finder *f = &c->finder[c->files[file].tid];
    for (u32 i = 0; i < c->files[file].n; i++) {
      const Cand *cand = &f->cands.at[c->files[file].begin + i];
      if (cand->key == UINT32_MAX)
        continue;
      Atom *at = &l->atoms.at[cand->atom];
      at->aux = cursor[cand->key];
      cut(at, cand->atom, cand->key, at->attr & ATTR_STRINGS, &m->seg[at->aux]);
      cursor[cand->key] += seg_count(at->size);
    }
  }
  if (ident != UINT32_MAX) {
    m->seg[cursor[ident]] = (MergeSeg){
        .data = (const u8 *)ident_text, .size = (u32)sizeof ident_text, .group = ident};
    m->group[ident].bytes += sizeof ident_text;
  }
  free(cursor);
  vec_free(&groups);
}

/* ---- work ---- */

static void plan_jobs(Link *l, Merge *m) {
  m->job = ARENA_ARRAY(&l->arena, u32, m->nseg + 1);
  u64 bytes = 0, total = 0;
  u32 begin = 1;
  for (u32 i = 1; i < m->nseg; i++) {
    bytes += m->seg[i].size;
    total += m->seg[i].size;
    if (bytes >= JOB_BYTES || i + 1 - begin >= JOB_SEGS) {
      m->job[m->njob++] = begin;
      begin = i + 1;
      bytes = 0;
    }
  }
  if (begin < m->nseg)
    m->job[m->njob++] = begin;
  m->job[m->njob] = m->nseg;
  m->job_grain = total < SERIAL_BYTES ? m->njob : 1;
}

typedef struct {
  Link *l;
  Merge *m;
  MergeTmp *tmp; /* one a thread */
  Mapped mapped;
} Work;

static u8 *hll_of(Work *w, MergeGroup *g, unsigned tid) {
  if (g->hll && !g->hll[tid])
    g->hll[tid] = arena_alloc(&w->l->scratch[tid], 1u << HLL_BITS, 1);
  return g->hll ? g->hll[tid] : NULL;
}

/* A sample of large groups, small ones whole: what the size of the tables is guessed from. */
static void sample_jobs(void *ctx, u32 begin, u32 end, unsigned tid) {
  Work *w = ctx;
  for (u32 i = w->m->job[begin]; i < w->m->job[end]; i++) {
    MergeSeg *s = &w->m->seg[i];
    MergeGroup *g = &w->m->group[s->group];
    if ((i - g->first) % g->stride)
      continue;
    Splitter sp = merge_split_begin(s, g, &w->tmp[tid], hll_of(w, g, tid));
    merge_split_some(&sp, s->size);
    merge_split_end(&sp, s, &w->l->scratch[tid]);
  }
}

static void insert_jobs(void *ctx, u32 begin, u32 end, unsigned tid) {
  Work *w = ctx;
  for (u32 i = w->m->job[begin]; i < w->m->job[end]; i++) {
    MergeSeg *s = &w->m->seg[i];
    const MergeGroup *g = &w->m->group[s->group];
    if ((i - g->first) % g->stride) {
      merge_join(w->m, i, &w->tmp[tid], &w->l->scratch[tid]);
    } else {
      merge_insert(w->m, i, s->piece, s->n);
      __atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
    }
  }
}

static void settle_jobs(void *ctx, u32 begin, u32 end, unsigned tid) {
  Work *w = ctx;
  (void)tid;
  for (u32 i = w->m->job[begin]; i < w->m->job[end]; i++)
    merge_settle(w->m, i);
}

static void measure_jobs(void *ctx, u32 begin, u32 end, unsigned tid) {
  Work *w = ctx;
  (void)tid;
  for (u32 i = w->m->job[begin]; i < w->m->job[end]; i++) {
    MergeSeg *s = &w->m->seg[i];
    u64 size = 0;
    if (s->nfirst)
      for (const Piece *p = s->piece, *e = p + s->n; p < e; p++)
        if (p->slot & PIECE_FIRST)
          size += merge_piece_size(&w->m->group[s->group], p);
    s->out_size = size;
    if (!size) /* other segments have it all: nobody reads this one again */
      mapped_release(&w->mapped, (Bytes){s->data, s->size});
  }
}

static void settle_and_measure_jobs(void *ctx, u32 begin, u32 end, unsigned tid) {
  settle_jobs(ctx, begin, end, tid);
  measure_jobs(ctx, begin, end, tid);
}

static void place_jobs(void *ctx, u32 begin, u32 end, unsigned tid) {
  Work *w = ctx;
  (void)tid;
  for (u32 i = w->m->job[begin]; i < w->m->job[end]; i++) {
    const MergeSeg *s = &w->m->seg[i];
    MergeGroup *g = &w->m->group[s->group];
    u64 out = s->out;
    if (!s->out_size)
      continue;
    for (const Piece *p = s->piece, *e = p + s->n; p < e; p++)
      if (p->slot & PIECE_FIRST) {
        g->table[p->slot & ~PIECE_FIRST] = out;
        out += merge_piece_size(g, p);
      }
  }
}

static void own_span_jobs(void *ctx, u32 begin, u32 end, unsigned tid) {
  Work *w = ctx;
  for (u32 i = w->m->job[begin]; i < w->m->job[end]; i++)
    merge_own_spans(w->m, i, &w->tmp[tid].spans, &w->l->scratch[tid]);
}

static void all_span_jobs(void *ctx, u32 begin, u32 end, unsigned tid) {
  Work *w = ctx;
  for (u32 i = w->m->job[begin]; i < w->m->job[end]; i++)
    merge_all_spans(w->m, i, &w->tmp[tid].spans, &w->l->scratch[tid]);
}

static void run(Link *l, Work *w, PoolFn *fn) {
  pool_run(l->pool, w->m->njob, w->m->job_grain, fn, w);
}

/* ---- tables ---- */

static void table_alloc(MergeGroup *g, u64 want) {
  g->cap = 16;
  while (g->cap < want && g->cap < MAX_CAP)
    g->cap *= 2;
  g->table = pages_alloc(g->cap * sizeof(u64));
}

static void free_table(MergeGroup *g) {
  pages_free(g->table, g->cap * sizeof(u64));
  g->table = NULL;
}

/* Linear extrapolation from the sample: too high when most strings repeat, seldom too low. */
static void size_tables(Link *l, Merge *m) {
  for (u32 i = 0; i < m->ngroup; i++) {
    MergeGroup *g = &m->group[i];
    u64 distinct = 0;
    for (u32 s = 0; s < g->n; s += g->stride)
      distinct += m->seg[g->first + s].n;
    if (g->hll) {
      u64 guess = merge_estimate(g->hll, pool_threads(l->pool));
      distinct = MIN(distinct, guess + guess / 16 + 1024);
    }
    distinct *= g->stride;
    table_alloc(g, distinct + distinct / 2);
  }
}

/* When the estimate was wrong: a larger table, from the start. */
static void finish_table(Link *l, Merge *m, MergeGroup *g) {
  for (u32 s = g->first; s < g->first + g->n; s++)
    g->pieces += m->seg[s].n - m->seg[s].nrun + m->seg[s].nfollow;
  while (g->full) {
    u64 cap = g->cap;
    pages_free(g->table, cap * sizeof(u64));
    if (cap >= MAX_CAP) {
      diag_error(l->diag, "merge-limit", "%s: more than %llu distinct strings", g->name,
                 (unsigned long long)(MAX_CAP - MAX_CAP / 8));
      cap /= 2;
      for (u32 s = g->first; s < g->first + g->n; s++)
        m->seg[s].n = 0;
    }
    table_alloc(g, cap * 2);
    g->full = false;
    g->unique = 0;
    for (u32 s = g->first; s < g->first + g->n; s++)
      merge_again(m, s);
  }
}

/* ---- output ---- */

/* Copies the part of a run that [off, off + len) sees. */
static void copy_run(u8 *out, u64 off, u64 len, u64 at, const u8 *data, u64 size) {
  u64 begin = MAX(at, off), end = MIN(at + size, off + len);
  if (begin < end)
    memcpy(out + (begin - off), data + (begin - at), end - begin);
}

static void write_seg(const MergeGroup *g, const MergeSeg *s, u8 *out, u64 off, u64 len) {
  u64 at = s->out;
  const Piece *p = s->piece, *e = p + s->n;
  while (p < e && at < off + len) {
    if (!(p->slot & PIECE_FIRST)) {
      p++;
      continue;
    }
    const Piece *begin = p;
    u64 size;
    do { /* neighbours without padding are one run */
      size = p[1].in - begin->in;
      p++;
    } while (p < e && (p->slot & PIECE_FIRST) && !g->key.p2align);
    copy_run(out, off, len, at, s->data + begin->in, size);
    at += align_up(size, 1ull << g->key.p2align);
  }
}

/* Pieces are padded with the zeros that `out` came with. */
static void write_group(Link *l, const Synth *sy, u8 *out, u64 off, u64 len) {
  const MergeGroup *g = sy->ctx;
  const MergeSeg *seg = l->merge->seg + g->first;
  u32 lo = FIRST_NOT(g->n, i, seg[i].out + seg[i].out_size <= off);
  for (; lo < g->n && seg[lo].out < off + len; lo++)
    write_seg(g, &seg[lo], out, off, len);
}

static void add_synths(Link *l, Merge *m) {
  for (u32 i = 0; i < m->ngroup; i++) {
    MergeGroup *g = &m->group[i];
    Synth s = {.name = g->name,
               .type = g->key.type,
               .attr = g->key.attr,
               .entsize = g->key.entsize,
               .p2align = g->key.p2align,
               .size = g->out_size,
               .write = write_group,
               .grain = 1,
               .ctx = g};
    u32 synth = synth_add(l, &s); /* may move the array */
    g->atom = l->synths.at[synth].atom.i;
  }
}

/* ---- */

static void place_groups(Merge *m) {
  for (u32 i = 0; i < m->ngroup; i++) {
    MergeGroup *g = &m->group[i];
    for (u32 s = g->first; s < g->first + g->n; s++) {
      m->seg[s].out = g->out_size;
      g->out_size += m->seg[s].out_size;
    }
  }
}

static void join(Link *l, Merge *m) {
  u32 threads = pool_threads(l->pool);
  Work w = {l, m, heap_alloc(sizeof(MergeTmp) * threads), mapped_inputs(l)};
  for (u32 i = 0; i < m->ngroup; i++) {
    MergeGroup *g = &m->group[i];
    g->stride = g->bytes >= SAMPLE_BYTES && g->n >= 2 * SAMPLE_STRIDE ? SAMPLE_STRIDE : 1;
    if (g->bytes >= HLL_BYTES)
      g->hll = ARENA_ARRAY(&l->arena, u8 *, threads);
  }
  run(l, &w, sample_jobs);
  size_tables(l, m);
  run(l, &w, insert_jobs);
  for (u32 i = 0; i < m->ngroup; i++)
    finish_table(l, m, &m->group[i]);

  bool tails = l->opt->optimize >= 2;
  TailShares *shares = tails ? heap_alloc(sizeof(TailShares) * (m->ngroup + 1ull)) : NULL;
  if (tails)
    run(l, &w, settle_jobs);
  for (u32 i = 0; tails && i < m->ngroup; i++)
    if (merge_is_strings(&m->group[i]))
      shares[i] = merge_tails(l, m, &m->group[i]);
  run(l, &w, tails ? measure_jobs : settle_and_measure_jobs);
  place_groups(m);
  run(l, &w, place_jobs);
  for (u32 i = 0; tails && i < m->ngroup; i++)
    merge_place_tails(&m->group[i], &shares[i]);
  free(shares);
  run(l, &w, own_span_jobs);
  for (u32 i = 0; i < m->ngroup; i++)
    free_table(&m->group[i]);
  run(l, &w, all_span_jobs);
  for (u32 t = 0; t < threads; t++) {
    vec_free(&w.tmp[t].pieces);
    vec_free(&w.tmp[t].runs);
    vec_free(&w.tmp[t].spans);
  }
  free(w.tmp);
  free(w.mapped.at);
}

void merge_sections(Link *l) {
  u32 threads = pool_threads(l->pool);
  Collect c = {l, heap_alloc(sizeof(Finder) * threads),
               heap_alloc(sizeof(FileCands) * ((u64)l->files.n + 1))};
  pool_run(l->pool, l->files.n, 128, collect_files, &c);
  Merge *m = l->merge = ARENA_NEW(&l->arena, Merge);
  group_atoms(l, m, &c);
  for (u32 t = 0; t < threads; t++) {
    vec_free(&c.finder[t].cands);
    vec_free(&c.finder[t].keys);
    vec_free(&c.finder[t].groups);
  }
  free(c.finder);
  free(c.files);
  plan_jobs(l, m);
  join(l, m);
  add_synths(l, m);
}

/* Called for every relocation that leads to a string. */
static inline AtomId where(const Link *l, AtomId a, u64 off, u64 *place) {
  const Atom *at = &l->atoms.at[a.i];
  const Merge *m = l->merge;
  *place = 0;
  if (UNLIKELY(!m || !at->aux))
    return (AtomId){0}; /* a dead atom: nothing of it is in the output */
  const MergeSeg *s = &m->seg[at->aux];
  off = MIN(off, at->size);
  if (UNLIKELY(at->size > MERGE_SEG_BYTES)) {
    u32 last = seg_count(at->size) - 1, k = MIN((u32)(off / MERGE_SEG_BYTES), last);
    while (k < last && s[k + 1].start <= off)
      k++;
    s += k;
  }
  *place = merge_place(s, (u32)(off - s->start));
  return (AtomId){m->group[s->group].atom};
}

AtomId merge_where(const Link *l, AtomId a, u64 off, u64 *at) { return where(l, a, off, at); }

u64 merge_addr(const Link *l, AtomId a, u64 off) {
  u64 at;
  AtomId synth = where(l, a, off, &at);
  return synth.i ? l->atoms.addr[synth.i] + at : 0;
}

MergeStats merge_stats(const Link *l) {
  MergeStats st = {0};
  const Merge *m = l->merge;
  for (u32 i = 0; m && i < m->ngroup; i++) {
    const MergeGroup *g = &m->group[i];
    st.groups++;
    st.inputs += g->n;
    st.pieces += g->pieces;
    st.unique += g->unique;
    st.bytes_in += g->bytes;
    st.bytes_out += g->out_size;
  }
  return st;
}

void merge_free(Link *l) {
  Merge *m = l->merge;
  if (!m)
    return;
  pages_free(m->seg, m->seg_bytes);
  l->merge = NULL;
}
