/* report.c: duplicate and undefined symbols, with every place and a source line where there is one.
 * These are the slow paths of a link that has failed; the fast path is one look at the flags.
 * The trap: an undefined name is an error only when a live atom refers to it, so the symbol tables
 * alone don't know; relocations are walked, but only those of files that mention a missing name. */
#include "core/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/resolve.h"

enum {
  REC_BATCH = 64,
  MAX_PLACES = 20,     /* shown for one symbol; --error-limit=0 shows all */
  LOCATE_PLACES = 80,  /* looked at, since several may be one line */
};

/* How many messages are worth the work: the first that Diag would not show brings its note. */
static u32 message_limit(const Link *l) {
  u32 n = l->opt->error_limit;
  return n ? n + 1 : UINT32_MAX;
}

/* ---- places ---- */

static int by_file(const void *a, const void *b) {
  const Spot *x = *(const Spot *const *)a, *y = *(const Spot *const *)b;
  if (x->file != y->file)
    return x->file < y->file ? -1 : 1;
  return x < y ? -1 : x > y;
}

void spots_locate(Link *l, Arena *a, Spot *spots, u32 n, const char *role, bool function) {
  Spot **sorted = ARENA_ARRAY(a, Spot *, n);
  for (u32 i = 0; i < n; i++)
    sorted[i] = &spots[i];
  if (n > 1)
    qsort(sorted, n, sizeof *sorted, by_file);
  void *locator = NULL;
  for (u32 i = 0; i < n; i++) {
    const Spot *s = sorted[i];
    *s->out = (DiagPlace){.role = role, .object = file_name(l, (FileId){s->file})};
    bool known = s->atom && l->atoms.at[s->atom].file == s->file; /* else a section that made no atom */
    if (known) {
      s->out->section = l->format->atom_name(l, (AtomId){s->atom});
      s->out->offset = s->off;
    }
    if (!l->format->locator_open)
      continue;
    if (!i || sorted[i - 1]->file != s->file) {
      if (locator)
        l->format->locator_close(locator);
      locator = l->format->locator_open(l, (FileId){s->file});
    }
    SourcePlace p;
    if (locator && known && l->format->locator_find(locator, (AtomId){s->atom}, s->off, a, &p)) {
      s->out->source = p.file;
      s->out->line = p.line;
      s->out->function = function && p.function ? diag_name(l->diag, p.function) : NULL;
    }
  }
  if (locator)
    l->format->locator_close(locator);
}

static const char *symbol_text(const Link *l, Arena *a, u32 sym) {
  const SymName *n = &l->syms.name[sym];
  return arena_strndup(a, n->p, n->len);
}

/* ---- duplicates ---- */

typedef struct {
  u32 sym, file, index, atom;
  u64 off;
} Definition;
typedef VEC(Definition) Definitions;

typedef struct {
  Link *l;
  Definitions *found; /* one list a thread */
  bool commons;       /* looks for tentative definitions instead (--warn-common) */
} DefinitionJob;

static bool same_absolute(const Link *l, u64 key, const SymRec *r) {
  SymRec w;
  return !r->section && l->format->symbols(l, (FileId){key_file(key)}, key_index(key), &w, 1) &&
         !w.section && w.rank == RANK_STRONG && w.value == r->value;
}

/* SymRec.join: both may have the name. */
static bool joins(const Link *l, u64 key, const SymRec *r) {
  SymRec w;
  return r->join && l->format->symbols(l, (FileId){key_file(key)}, key_index(key), &w, 1) && w.join == r->join &&
         (r->join == JOIN_LARGEST || w.size == r->size);
}

/* Definitions that lost to another of the same kind. */
static void find_losers(void *ctx, u32 begin, u32 end, unsigned tid) {
  DefinitionJob *j = ctx;
  Link *l = j->l;
  SymRec rec[REC_BATCH];
  for (u32 f = MAX(begin, 1u); f < end; f++) {
    const File *file = &l->files.at[f];
    if (!file->live || file->kind != FILE_OBJECT || !file->fmt)
      continue;
    for (u32 i = file->first_global, n;
         (n = l->format->symbols(l, (FileId){f}, i, rec, REC_BATCH)); i += n)
      for (u32 k = 0; k < n; k++) {
        const SymRec *r = &rec[k];
        u32 sym = file->globals[r->index - file->first_global];
        u32 atom = r->rank != RANK_COMMON && r->section ? file->atom_base + r->section : 0;
        if (sym == UINT32_MAX || r->skip || r->rank != (j->commons ? RANK_COMMON : RANK_STRONG) ||
            (atom && l->atoms.flags[atom] & ATOM_DISCARDED))
          continue;
        u64 key = l->syms.key[sym];
        if (key_file(key) == f && key_index(key) == r->index)
          continue;
        bool rival = j->commons ? key_rank(key) == RANK_STRONG || key_rank(key) == RANK_COMMON
                                : key_rank(key) == RANK_STRONG && !same_absolute(l, key, r) && !joins(l, key, r);
        if (rival)
          *vec_push(&j->found[tid]) = (Definition){sym, f, r->index, atom, r->value};
      }
  }
}

static int by_symbol(const void *a, const void *b) {
  const Definition *x = a, *y = b;
  if (x->sym != y->sym)
    return x->sym < y->sym ? -1 : 1;
  if (x->file != y->file)
    return x->file < y->file ? -1 : 1;
  return x->index < y->index ? -1 : x->index > y->index;
}

static Definitions collect_losers(Link *l, bool commons) {
  unsigned threads = pool_threads(l->pool);
  DefinitionJob j = {l, calloc(threads, sizeof *j.found), commons};
  Definitions all = {0};
  if (!j.found)
    return all;
  pool_run(l->pool, l->files.n, 16, find_losers, &j);
  for (unsigned t = 0; t < threads; t++) {
    for (u32 i = 0; i < j.found[t].n; i++)
      *vec_push(&all) = j.found[t].at[i];
    vec_free(&j.found[t]);
  }
  free(j.found);
  if (all.n > 1)
    qsort(all.at, all.n, sizeof *all.at, by_symbol);
  return all;
}

/* A run of equal symbols in a sorted list; `order` is the place of its first element. */
typedef struct {
  u64 order;
  u32 first, n;
} Run;
typedef VEC(Run) Runs;

static int by_order(const void *a, const void *b) {
  const Run *x = a, *y = b;
  if (x->order != y->order)
    return x->order < y->order ? -1 : 1;
  return x->first < y->first ? -1 : x->first > y->first;
}

static void report_duplicate(Link *l, Arena *a, const Definition *d, u32 n, u64 order) {
  u32 sym = d->sym, shown = l->opt->error_limit ? MIN(n, (u32)MAX_PLACES - 1) : n;
  u64 key = l->syms.key[sym];
  const File *winner = &l->files.at[key_file(key)];
  Spot *spots = ARENA_ARRAY(a, Spot, shown + 1);
  DiagPlace *places = ARENA_ARRAY(a, DiagPlace, shown + 1);
  SymRec r = {0};
  l->format->symbols(l, (FileId){key_file(key)}, key_index(key), &r, 1);
  spots[0] = (Spot){key_file(key), r.section ? winner->atom_base + r.section : 0, r.value, &places[0]};
  for (u32 i = 0; i < shown; i++)
    spots[i + 1] = (Spot){d[i].file, d[i].atom, d[i].off, &places[i + 1]};
  spots_locate(l, a, spots, shown + 1, "defined at", false);
  const char *name = symbol_text(l, a, sym), *notes[3];
  u32 nnotes = 0;
  if (shown < n)
    notes[nnotes++] = arena_printf(a, "and %u more definitions (--error-limit=0 shows all)", n - shown);
  if (r.join == JOIN_SAME_SIZE)
    notes[nnotes++] = "they may join only when they are of one size";
  if (streq(places[0].object, places[1].object))
    notes[nnotes++] = arena_printf(a, "%s is linked twice", places[0].object);
  DiagItem item = {DIAG_ERROR, "duplicate-symbol", order,
                   arena_printf(a, "duplicate symbol: %s", diag_name(l->diag, name)), name,
                   places, shown + 1, notes, nnotes};
  diag_report_item(l->diag, &item);
}

/* GNU ld's --warn-common, in its words' sense: a tentative definition met another, or a real one. */
static void warn_commons(Link *l) {
  Arena a = {0};
  Definitions all = collect_losers(l, true);
  for (u32 i = 0; i < all.n; i++) {
    const Definition *d = &all.at[i];
    u64 key = l->syms.key[d->sym];
    const char *name = diag_name(l->diag, symbol_text(l, &a, d->sym));
    const char *what = key_rank(key) == RANK_COMMON ? "multiple common symbols:"
                                                    : "common symbol overridden by a definition:";
    DiagPlace places[2] = {{.role = "kept", .object = file_name(l, (FileId){key_file(key)})},
                           {.role = "common in", .object = file_name(l, (FileId){d->file})}};
    DiagItem item = {DIAG_WARNING, "common", (u64)d->file << 32 | d->index,
                     arena_printf(&a, "%s %s", what, name), NULL, places, 2, NULL, 0};
    diag_report_item(l->diag, &item);
  }
  vec_free(&all);
  arena_free(&a);
}

void report_duplicates(Link *l) {
  if (l->opt->warn_common)
    warn_commons(l);
  if (!l->has_duplicates || l->opt->allow_multiple_definition)
    return;
  Arena a = {0};
  Definitions all = collect_losers(l, false);
  Runs runs = {0};
  for (u32 i = 0, n; i < all.n; i += n) {
    for (n = 1; i + n < all.n && all.at[i + n].sym == all.at[i].sym; n++)
      ;
    *vec_push(&runs) = (Run){(u64)all.at[i].file << 32 | all.at[i].index, i, n};
  }
  if (runs.n > 1)
    qsort(runs.at, runs.n, sizeof *runs.at, by_order);
  u32 limit = MIN(runs.n, message_limit(l));
  for (u32 i = 0; i < limit; i++)
    report_duplicate(l, &a, &all.at[runs.at[i].first], runs.at[i].n, runs.at[i].order);
  vec_free(&runs);
  vec_free(&all);
  arena_free(&a);
}

/* ---- undefined ---- */

static bool is_shared(const Link *l) { return l->opt->kind == OUTPUT_SHARED; }

static DiagLevel undefined_level(const Link *l) {
  return l->opt->warn_unresolved || l->opt->noinhibit_exec ? DIAG_WARNING : DIAG_ERROR;
}

/* Whether objects may leave every name open: GNU ld manual, --unresolved-symbols and -z undefs. */
static bool open_names_ignored(const Link *l) {
  return l->opt->unresolved == UNRESOLVED_IGNORE_ALL || l->opt->unresolved == UNRESOLVED_IGNORE_IN_OBJECTS ||
         (l->opt->unresolved == UNRESOLVED_DEFAULT && l->opt->no_undefined == OPT_NO);
}

/* Whether a name may be left to the loader; a hidden one never can, no shared library provides it. */
static bool open_names_allowed(const Link *l) {
  return l->opt->unresolved != UNRESOLVED_REPORT_ALL && is_shared(l) && l->opt->no_undefined != OPT_YES;
}

static bool is_candidate(const Link *l, u32 flags, bool open_allowed) {
  if (l->format->weak_must_be_met) /* what is imported all the same is looked up when the program runs */
    return (flags & (SF_UNDEFINED | SF_REF | SF_SHARED | SF_SYNTHETIC | SF_IMPORTED)) == (SF_UNDEFINED | SF_REF);
  if ((flags & (SF_UNDEFINED | SF_REF_STRONG | SF_SHARED | SF_SYNTHETIC)) != (SF_UNDEFINED | SF_REF_STRONG))
    return false;
  return !open_allowed || flags & SF_HIDDEN;
}

typedef struct {
  Link *l;
  bool open_allowed;
  u8 *wanted; /* by SymId: 1 is a candidate */
  u32 found, for_shared; /* atomic counts */
} FlagJob;

/* A name that a shared library mentions and no one can give it. */
static bool is_shared_candidate(u32 flags) {
  return flags & SF_DSO_REF && (flags & SF_UNDEFINED || (flags & SF_HIDDEN && !(flags & SF_SHARED)));
}

static void count_candidates(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  FlagJob *j = ctx;
  u32 n = 0, m = 0;
  for (u32 i = begin; i < end; i++) {
    n += is_candidate(j->l, j->l->syms.flags[i], j->open_allowed);
    m += is_shared_candidate(j->l->syms.flags[i]);
  }
  if (n)
    __atomic_fetch_add(&j->found, n, __ATOMIC_RELAXED);
  if (m)
    __atomic_fetch_add(&j->for_shared, m, __ATOMIC_RELAXED);
}

typedef struct {
  u32 sym, atom;
  u64 off;
  bool loaded; /* in memory at run time, not debug information */
} Reference;
typedef VEC(Reference) References;

typedef struct {
  Link *l;
  const u8 *wanted;
  References *found; /* one list a thread */
} WalkJob;

static bool mentions(const File *file, const u8 *wanted) {
  for (u32 i = 0; i < file->nsyms - file->first_global; i++)
    if (file->globals[i] != UINT32_MAX && wanted[file->globals[i]])
      return true;
  return false;
}

static void walk_files(void *ctx, u32 begin, u32 end, unsigned tid) {
  WalkJob *j = ctx;
  Link *l = j->l;
  Edge edges[EDGE_BATCH];
  for (u32 f = MAX(begin, 1u); f < end; f++) {
    const File *file = &l->files.at[f];
    if (!file->live || file->kind != FILE_OBJECT || !file->fmt || !mentions(file, j->wanted))
      continue;
    for (u32 a = file->atom_base; a < file->atom_base + file->natoms; a++) {
      if (!(l->atoms.flags[a] & ATOM_LIVE) || !l->atoms.at[a].rel)
        continue;
      EdgeCursor c = {.atom = {a}};
      for (u32 n; (n = l->format->edges(l, &c, edges));)
        for (u32 k = 0; k < n; k++)
          if (edges[k].target < l->syms.nglobal && j->wanted[edges[k].target])
            *vec_push(&j->found[tid]) = (Reference){edges[k].target, a, edges[k].offset,
                                                    l->atoms.flags[a] & ATOM_ALLOC};
    }
  }
}

/* By symbol; what is loaded at run time first. Atoms are in file order, so files are too. */
static int by_reference(const void *a, const void *b) {
  const Reference *x = a, *y = b;
  if (x->sym != y->sym)
    return x->sym < y->sym ? -1 : 1;
  if (x->loaded != y->loaded)
    return x->loaded ? -1 : 1;
  if (x->atom != y->atom)
    return x->atom < y->atom ? -1 : 1;
  return x->off < y->off ? -1 : x->off > y->off;
}

static References collect_references(Link *l, const u8 *wanted) {
  unsigned threads = pool_threads(l->pool);
  WalkJob j = {l, wanted, calloc(threads, sizeof *j.found)};
  References all = {0};
  if (!j.found)
    return all;
  pool_run(l->pool, l->files.n, 8, walk_files, &j);
  for (unsigned t = 0; t < threads; t++) {
    for (u32 i = 0; i < j.found[t].n; i++)
      *vec_push(&all) = j.found[t].at[i];
    vec_free(&j.found[t]);
  }
  free(j.found);
  if (all.n > 1)
    qsort(all.at, all.n, sizeof *all.at, by_reference);
  return all;
}

static bool text_equal(const char *a, const char *b) { return a == b || (a && b && streq(a, b)); }

/* Two references on one line of one function are one place to a reader. */
static bool same_place(const DiagPlace *a, const DiagPlace *b) {
  return a->source && b->source && a->line == b->line && streq(a->source, b->source) &&
         streq(a->object, b->object) && text_equal(a->function, b->function);
}

static void report_one_undefined(Link *l, Arena *a, const Reference *refs, u32 n, u64 order,
                                 const Hint *hint) {
  bool all = !l->opt->error_limit;
  u32 look = all ? n : MIN(n, (u32)LOCATE_PLACES), shown = 0, used = 0;
  Spot *spots = ARENA_ARRAY(a, Spot, look);
  DiagPlace *places = ARENA_ARRAY(a, DiagPlace, look);
  for (u32 i = 0; i < look; i++)
    spots[i] = (Spot){l->atoms.at[refs[i].atom].file, refs[i].atom, refs[i].off, &places[i]};
  spots_locate(l, a, spots, look, "referenced by", true);
  for (; used < look; used++) {
    if (shown && same_place(&places[shown - 1], &places[used]))
      continue;
    if (!all && shown == MAX_PLACES)
      break;
    places[shown++] = places[used];
  }
  const char **notes = ARENA_ARRAY(a, const char *, hint->notes.n + 1);
  u32 nnotes = 0;
  if (used < n)
    notes[nnotes++] = arena_printf(a, "and %u more references (--error-limit=0 shows all)", n - used);
  for (u32 i = 0; i < hint->notes.n; i++)
    notes[nnotes++] = hint->notes.at[i];
  DiagItem item = {undefined_level(l), "undefined-symbol", order,
                   arena_printf(a, "undefined symbol: %s", diag_name(l->diag, hint->name)), hint->name,
                   places, shown, notes, nnotes};
  diag_report_item(l->diag, &item);
}

static void report_references(Link *l, const u8 *wanted) {
  References all = collect_references(l, wanted);
  Runs runs = {0};
  for (u32 i = 0, n, m; i < all.n; i += n) {
    const Reference *r = &all.at[i];
    for (n = 1; i + n < all.n && all.at[i + n].sym == r->sym; n++)
      ;
    for (m = 1; m < n && all.at[i + m].loaded == r->loaded; m++) /* debug information repeats the code */
      ;
    const Atom *atom = &l->atoms.at[r->atom];
    u64 order = (u64)atom->file << 32 | (r->atom - l->files.at[atom->file].atom_base);
    *vec_push(&runs) = (Run){order, i, m};
  }
  if (runs.n > 1)
    qsort(runs.at, runs.n, sizeof *runs.at, by_order);
  u32 limit = undefined_level(l) == DIAG_ERROR ? MIN(runs.n, message_limit(l)) : runs.n;
  Arena a = {0};
  Hint *hints = ARENA_ARRAY(&a, Hint, limit);
  for (u32 i = 0; i < limit; i++) {
    hints[i].sym = all.at[runs.at[i].first].sym;
    hints[i].name = symbol_text(l, &a, hints[i].sym);
  }
  if (limit)
    hints_find(l, &a, hints, limit);
  for (u32 i = 0; i < limit; i++) {
    report_one_undefined(l, &a, &all.at[runs.at[i].first], runs.at[i].n, runs.at[i].order, &hints[i]);
    vec_free(&hints[i].notes);
  }
  arena_free(&a);
  vec_free(&runs);
  vec_free(&all);
}

/* ---- undefined in shared libraries ---- */

static bool library_in_link(const Link *l, const char *soname) {
  for (u32 f = 1; f < l->files.n; f++) {
    const char *const *needed;
    const File *file = &l->files.at[f];
    const char *name = file->kind == FILE_SHARED && file->fmt ? l->format->shared_name(l, (FileId){f}, &needed) : NULL;
    if (name && streq(name, soname))
      return true;
  }
  return false;
}

static bool is_loader(const Link *l, const char *soname) {
  const char *path = l->opt->dynamic_linker, *slash = path ? strrchr(path, '/') : NULL;
  return path && streq(slash ? slash + 1 : path, soname);
}

/* The loader brings what every library of the link needs: one that is not here may have the symbols of
 * any of them. Of the loader itself only those that name it want symbols. */
static bool can_judge(const Link *l, u32 f) {
  for (u32 g = 1; g < l->files.n; g++) {
    const File *file = &l->files.at[g];
    const char *const *needed = NULL;
    if (file->kind != FILE_SHARED || !file->fmt || !file->needed)
      continue;
    l->format->shared_name(l, (FileId){g}, &needed);
    for (; needed && *needed; needed++)
      if (!library_in_link(l, *needed) && (g == f || !is_loader(l, *needed)))
        return false;
  }
  return true;
}

static bool defined_by_library(const Link *l, u32 sym) {
  SymRec rec[REC_BATCH];
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    if (file->kind != FILE_SHARED || !file->fmt)
      continue;
    for (u32 i = file->first_global, n;
         (n = l->format->symbols(l, (FileId){f}, i, rec, REC_BATCH)); i += n)
      for (u32 k = 0; k < n; k++)
        if (rec[k].rank != RANK_NONE && file->globals[rec[k].index - file->first_global] == sym)
          return true;
  }
  return false;
}

/* "foo" asked for with version VER may be satisfied by a library's "foo@VER" that is not the default. */
static bool versioned_elsewhere(const Link *l, u32 f, u32 index, const char *name, Arena *a) {
  const char *version = l->format->shared_version ? l->format->shared_version(l, (FileId){f}, index) : NULL;
  if (!version)
    return false;
  const char *full = arena_printf(a, "%s@%s", name, version);
  SymId id = sym_find(l, full, strlen(full));
  if (id.i != UINT32_MAX && !(l->syms.flags[id.i] & SF_UNDEFINED))
    return true;
  SymRec rec[REC_BATCH];
  for (u32 g = 1; g < l->files.n; g++) {
    const File *file = &l->files.at[g];
    if (file->kind != FILE_SHARED || !file->fmt || g == f)
      continue;
    for (u32 i = file->first_global, n;
         (n = l->format->symbols(l, (FileId){g}, i, rec, REC_BATCH)); i += n)
      for (u32 k = 0; k < n; k++) {
        const char *v;
        if (rec[k].rank != RANK_NONE && streq(l->format->sym_name(l, (FileId){g}, rec[k].index), name) &&
            (v = l->format->shared_version(l, (FileId){g}, rec[k].index)) && streq(v, version))
          return true;
      }
  }
  return false;
}

static void report_library(Link *l, Arena *a, u32 f) {
  const File *file = &l->files.at[f];
  SymRec rec[REC_BATCH];
  int judged = -1;
  for (u32 i = file->first_global, n;
       (n = l->format->symbols(l, (FileId){f}, i, rec, REC_BATCH)); i += n)
    for (u32 k = 0; k < n; k++) {
      u32 sym = file->globals[rec[k].index - file->first_global];
      if (rec[k].rank != RANK_NONE || rec[k].flags & SF_WEAK || sym == UINT32_MAX ||
          !is_shared_candidate(l->syms.flags[sym]))
        continue;
      if (judged < 0)
        judged = can_judge(l, f);
      if (!judged)
        return;
      const char *name = l->format->sym_name(l, (FileId){f}, rec[k].index), *note = NULL;
      if (!*name || versioned_elsewhere(l, f, rec[k].index, name, a))
        continue;
      if (!(l->syms.flags[sym] & SF_UNDEFINED)) { /* hidden here; fine when some library has it */
        if (defined_by_library(l, sym))
          continue;
        note = arena_printf(a, "%s defines it, but hidden: no shared library can see it",
                            file_name(l, (FileId){key_file(l->syms.key[sym])}));
      } else if (defined_by_library(l, sym)) {
        continue;
      }
      DiagItem item = {undefined_level(l), "undefined-symbol", (u64)f << 32 | rec[k].index,
                       arena_printf(a, "%s: --no-allow-shlib-undefined: undefined symbol: %s",
                                    file_name(l, (FileId){f}), diag_name(l->diag, name)),
                       name, NULL, 0, &note, note != NULL};
      diag_report_item(l->diag, &item);
    }
}

static void report_libraries(Link *l) {
  Arena a = {0};
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    if (file->kind == FILE_SHARED && file->fmt && file->live && file->needed)
      report_library(l, &a, f);
  }
  arena_free(&a);
}

static bool libraries_may_be_open(const Link *l) {
  if (l->opt->unresolved == UNRESOLVED_IGNORE_ALL || l->opt->unresolved == UNRESOLVED_IGNORE_IN_SHARED ||
      l->opt->no_undefined == OPT_NO)
    return true;
  return l->opt->allow_shlib_undefined == OPT_AUTO ? is_shared(l) : l->opt->allow_shlib_undefined == OPT_YES;
}

void report_undefined(Link *l) {
  FlagJob j = {.l = l, .open_allowed = open_names_allowed(l)};
  pool_run(l->pool, l->syms.nglobal, 1 << 16, count_candidates, &j);
  if (j.for_shared && !libraries_may_be_open(l) && l->format->shared_name)
    report_libraries(l);
  if (!j.found || open_names_ignored(l))
    return;
  u8 *wanted = pages_alloc(l->syms.nglobal);
  for (u32 i = 0; i < l->syms.nglobal; i++)
    wanted[i] = is_candidate(l, l->syms.flags[i], j.open_allowed);
  report_references(l, wanted);
  pages_free(wanted, l->syms.nglobal);
}

void report_required(Link *l) {
  for (u32 i = 0; i < l->opt->require_defined.n; i++) {
    const char *name = l->opt->require_defined.at[i];
    SymId s = sym_find(l, name, strlen(name));
    if (l->syms.flags[s.i] & (SF_UNDEFINED | SF_SHARED))
      diag_report(l->diag, undefined_level(l), "undefined-symbol", i, "undefined symbol: %s (--require-defined)",
                  diag_name(l->diag, name));
  }
}

/* ---- --print-gc-sections ---- */

void report_gc_sections(Link *l) {
  for (u32 f = 1; l->opt->print_gc_sections && f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    if (!file->live || file->kind != FILE_OBJECT || !file->fmt)
      continue;
    for (u32 a = file->atom_base; a < file->atom_base + file->natoms; a++)
      if (l->atoms.at[a].file == f && !(l->atoms.flags[a] & (ATOM_LIVE | ATOM_DISCARDED)))
        printf("removing unused section %s:(%s)\n", file_name(l, (FileId){f}),
               l->format->atom_name(l, (AtomId){a}));
  }
}
