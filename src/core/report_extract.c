/* report_extract.c: --why-extract and --print-archive-stats: who loaded which archive members, and how many.
 * The members were loaded in parallel; this walk goes over them again, on one thread, breadth first in input
 * order: files before what options and scripts refer to. The trap: it must come right after
 * resolve_names(), while the keys still say which member a name was taken from. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/report.h"
#include "core/resolve.h"
#include "util/glob.h"

enum { REC_BATCH = 128 };

/* A name whose definition is looked for behind the best one (see load_wanted() in resolve.c). */
typedef struct {
  u32 sym, file;
} Wish;

typedef struct {
  Link *l;
  FILE *out;
  u8 *told;         /* by file */
  VEC(u32) queue;   /* members that are told, to be looked at */
  VEC(Wish) wishes;
} Extracts;

FILE *report_file_open(Link *l, const char *option, const char *path) {
  if (streq(path, "-"))
    return stdout;
  FILE *f = fopen(path, "w");
  if (!f)
    diag_error(l->diag, "cannot-write", "%s: cannot open %s: %s", option, path, strerror(errno));
  return f;
}

void report_file_close(Link *l, const char *option, const char *path, FILE *f) {
  bool bad = fflush(f) != 0;
  int err = errno;
  bad |= ferror(f) != 0;
  if (f != stdout && fclose(f) && !bad) {
    bad = true;
    err = errno;
  }
  if (bad)
    diag_error(l->diag, "cannot-write", "%s: cannot write %s: %s", option, path, strerror(err));
}

static void tell(Extracts *x, const char *reference, u32 file, u32 sym) {
  if (x->told[file])
    return;
  x->told[file] = 1;
  *vec_push(&x->queue) = file;
  SymName n = x->l->syms.name[sym];
  char *name = arena_strndup(&x->l->arena, n.p, n.len);
  if (x->l->opt->darwin.why_load) /* Apple's words, with the name as it is */
    fprintf(x->out, "%s forced load of %s\n", name, file_name(x->l, (FileId){file}));
  else
    fprintf(x->out, "%s\t%s\t%s\n", reference, file_name(x->l, (FileId){file}), diag_name(x->l->diag, name));
}

static bool is_member(const Link *l, u32 f) { return l->files.at[f].lazy && l->files.at[f].live; }

/* A reference to sym by `file`, 0: by weld, for which `reference` stands. */
static void refer(Extracts *x, const char *reference, u32 file, u32 sym, bool hidden) {
  Link *l = x->l;
  u64 key = l->syms.key[sym];
  if (key_rank(key) != RANK_OUTSIDE)
    return;
  if (is_member(l, key_file(key)))
    tell(x, reference ? reference : file_name(l, (FileId){file}), key_file(key), sym);
  else if (hidden && l->files.at[key_file(key)].kind == FILE_SHARED)
    *vec_push(&x->wishes) = (Wish){sym, file};
}

static void look_at(Extracts *x, u32 f) {
  Link *l = x->l;
  const File *file = &l->files.at[f];
  SymRec rec[REC_BATCH];
  for (u32 i = file->first_global, n; (n = l->format->symbols(l, (FileId){f}, i, rec, REC_BATCH)); i += n)
    for (u32 k = 0; k < n; k++) {
      u32 sym = file->globals[rec[k].index - file->first_global];
      if (sym == UINT32_MAX)
        continue;
      if (rec[k].rank == RANK_NONE && !(rec[k].flags & SF_WEAK))
        refer(x, NULL, f, sym, rec[k].vis == 1 || rec[k].vis == 2);
      else if (rec[k].rank == RANK_COMMON && file->kind == FILE_OBJECT)
        *vec_push(&x->wishes) = (Wish){sym, f};
    }
}

static void look_at_queue(Extracts *x) {
  for (u32 i = 0; i < x->queue.n; i++)
    look_at(x, x->queue.at[i]);
  x->queue.n = 0;
}

/* Members that are still not told were loaded for the sake of a wish: the first that defines it. */
static bool look_at_wishes(Extracts *x) {
  Link *l = x->l;
  SymRec rec[REC_BATCH];
  u32 *who = pages_alloc(l->syms.nglobal * sizeof *who); /* file + 1 */
  for (u32 i = x->wishes.n; i-- > 0;)
    who[x->wishes.at[i].sym] = x->wishes.at[i].file + 1;
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    if (!is_member(l, f) || x->told[f] || !file->fmt)
      continue;
    for (u32 i = file->first_global, n; (n = l->format->symbols(l, (FileId){f}, i, rec, REC_BATCH)); i += n)
      for (u32 k = 0; k < n; k++) {
        u32 sym = file->globals[rec[k].index - file->first_global];
        if (sym != UINT32_MAX && who[sym] && rec[k].rank != RANK_NONE && rec[k].rank != RANK_COMMON)
          tell(x, who[sym] > 1 ? file_name(l, (FileId){who[sym] - 1}) : "<internal>", f, sym);
      }
  }
  pages_free(who, l->syms.nglobal * sizeof *who);
  return x->queue.n != 0;
}

static bool lists(const StrVec *v, const char *name) {
  for (u32 i = 0; i < v->n; i++)
    if (streq(v->at[i], name))
      return true;
  return false;
}

/* lld's words for references that stand in no file. */
static const char *option_of(const Link *l, const WeldName *w) {
  if (l->entry_name && streq(w->name, l->entry_name))
    return "--entry";
  if (lists(&l->opt->undefined, w->name))
    return "--undefined";
  if (lists(&l->opt->require_defined, w->name))
    return "--require-defined";
  for (u32 i = 0; i < l->opt->undefined_glob.n; i++)
    if (glob_match(l->opt->undefined_glob.at[i], w->name, strlen(w->name)))
      return "--undefined-glob";
  return "<internal>"; /* an expression */
}

static void report_why_extract(Link *l) {
  Extracts x = {.l = l, .out = report_file_open(l, "--why-extract", l->opt->why_extract)};
  if (!x.out)
    return;
  x.told = heap_alloc(l->files.n);
  if (!l->opt->darwin.why_load)
    fprintf(x.out, "reference\textracted\tsymbol\n");
  for (u32 f = 1; f < l->files.n; f++)
    if (l->files.at[f].live && !l->files.at[f].lazy && l->files.at[f].fmt)
      look_at(&x, f);
  look_at_queue(&x);
  for (u32 i = 0; i < l->weld_names.n; i++)
    if (l->weld_names.at[i].kind == WELD_REF)
      refer(&x, option_of(l, &l->weld_names.at[i]), 0, l->weld_names.at[i].sym, false);
  do
    look_at_queue(&x);
  while (look_at_wishes(&x));
  report_file_close(l, "--why-extract", l->opt->why_extract, x.out);
  free(x.told);
  vec_free(&x.queue);
  vec_free(&x.wishes);
}

/* An archive that is named twice was read once, unless --whole-archive stands before it. */
static void report_archive_stats(Link *l) {
  FILE *out = report_file_open(l, "--print-archive-stats", l->opt->archive_stats);
  if (!out)
    return;
  u32 *extracted = heap_alloc((l->archives.n + 1) * sizeof *extracted);
  for (u32 f = 1; f < l->files.n; f++)
    extracted[l->files.at[f].archive] += l->files.at[f].live;
  fprintf(out, "members\textracted\tarchive\n");
  for (u32 i = 0; i < l->archives.n; i++)
    fprintf(out, "%u\t%u\t%s\n", l->archives.at[i].members_total, extracted[i + 1], l->archives.at[i].path);
  free(extracted);
  report_file_close(l, "--print-archive-stats", l->opt->archive_stats, out);
}

void report_extracts(Link *l) {
  if (l->opt->why_extract)
    report_why_extract(l);
  if (l->opt->archive_stats)
    report_archive_stats(l);
}
