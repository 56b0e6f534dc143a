/* whylive.c: --why-live: what keeps a symbol in the output. A breadth-first walk from the roots over what
 * deadstrip.c walks, on one thread and only when somebody asks; each atom remembers who reached it first, so the
 * way back from any atom is a shortest one.
 * The trap: of several shortest ways the first in input order is shown, so roots are put in order before
 * the walk begins: names from the command line and scripts, sections, exports. */
#include <stdio.h>
#include <stdlib.h>

#include "core/deadstrip.h"
#include "core/report.h"
#include "core/resolve.h"
#include "util/glob.h"

enum { REC_BATCH = 128 };

/* How an atom was reached. */
typedef enum {
  BY_NOTHING,
  BY_EDGE,       /* an edge of `from` at `off` */
  BY_FDE,        /* the unwind records of `from` */
  BY_CIE,
  BY_LINK,       /* it follows `from` */
  BY_START_STOP, /* `from` refers to __start_NAME at `off` */
  BY_NAME,       /* a root: `from` is an index in Link.weld_names */
  BY_ROOT,       /* a root by itself */
  BY_EXPORT,     /* a root: `sym` is exported */
  BY_UNLOADED,
  BY_MADE,
} How;

typedef struct {
  u64 off;
  u32 from, sym; /* sym: SymId of the target that was meant, UINT32_MAX: none */
  u32 how;       /* How */
} Reach;

typedef VEC(u32) U32Vec;

/* A symbol that was asked for. */
typedef struct {
  u64 order;
  u32 sym; /* SymId, or UINT32_MAX of a name that nobody has */
  u32 file, atom;
  const char *name;
} Asked;

typedef struct {
  Link *l;
  Followers follow;
  Reach *reach; /* by atom: who keeps it; of a dead one that was asked for, a dead one that refers to it */
  U32Vec queue;
  U32Vec names, sections, exports; /* roots of each kind */
  VEC(Asked) asked;
  const char *pattern;
  bool exact, found;
  u32 file; /* whose locals are looked at */
} Why;

/* ---- the walk ---- */

static void reach_atom(Why *w, u32 a, Reach r) {
  if (!a || w->reach[a].how != BY_NOTHING || !(w->l->atoms.flags[a] & ATOM_LIVE))
    return;
  w->reach[a] = r;
  *vec_push(&w->queue) = a;
}

static void reach_symbol(Why *w, u32 sym, Reach r) {
  const Followers *f = &w->follow;
  r.sym = sym;
  reach_atom(w, w->l->syms.atom[sym], r);
  if (r.how == BY_EDGE)
    r.how = BY_START_STOP;
  for (u32 i = followers_find(f->starts, f->nstarts, sym); i < f->nstarts && f->starts[i].key == sym; i++)
    reach_atom(w, f->starts[i].atom, r);
}

static void note_root(void *ctx, RootKind kind, u32 id) {
  Why *w = ctx;
  switch (kind) {
  case ROOT_ATOM:
    *vec_push(&w->sections) = id;
    break;
  case ROOT_UNLOADED:
  case ROOT_MADE:
    w->reach[id] = (Reach){.how = kind == ROOT_MADE ? BY_MADE : BY_UNLOADED, .sym = UINT32_MAX};
    break;
  case ROOT_SYMBOL: /* others are among the names */
    if (w->l->syms.flags[id] & SF_EXPORTED)
      *vec_push(&w->exports) = id;
    break;
  case ROOT_NAME:
    *vec_push(&w->names) = id;
    break;
  }
}

static int by_place(const void *a, const void *b, void *ctx) {
  const Link *l = ctx;
  u64 x = sym_order(l, *(const u32 *)a), y = sym_order(l, *(const u32 *)b);
  return x < y ? -1 : x > y;
}

static void begin_at_roots(Why *w) {
  Link *l = w->l;
  deadstrip_roots(l, &w->follow, note_root, w);
  if (w->exports.n)
    qsort_r(w->exports.at, w->exports.n, sizeof *w->exports.at, by_place, l);
  for (u32 i = 0; i < w->names.n; i++)
    reach_symbol(w, l->weld_names.at[w->names.at[i]].sym, (Reach){.from = w->names.at[i], .how = BY_NAME});
  for (u32 i = 0; i < w->sections.n; i++)
    reach_atom(w, w->sections.at[i], (Reach){.how = BY_ROOT, .sym = UINT32_MAX});
  for (u32 i = 0; i < w->exports.n; i++)
    reach_symbol(w, w->exports.at[i], (Reach){.how = BY_EXPORT});
}

static How how_of(KeepsKind k) { return k == KEEPS_BY_EDGE ? BY_EDGE : k == KEEPS_BY_FDE ? BY_FDE : BY_CIE; }

static void walk(Why *w) {
  const Followers *f = &w->follow;
  Edge buf[EDGE_BATCH];
  for (u32 i = 0; i < w->queue.n; i++) {
    u32 a = w->queue.at[i];
    KeepsCursor c = {.atom = {a}};
    for (u32 n; (n = keeps_next(w->l, &c, buf));)
      for (u32 k = 0; k < n; k++) {
        Reach r = {buf[k].offset, a, buf[k].target, how_of(c.kind)};
        if (buf[k].target < w->l->syms.nglobal)
          reach_symbol(w, buf[k].target, r);
        else
          reach_atom(w, (u32)buf[k].S, r);
      }
    for (u32 k = followers_find(f->links, f->nlinks, a); k < f->nlinks && f->links[k].key == a; k++)
      reach_atom(w, f->links[k].atom, (Reach){.from = a, .sym = UINT32_MAX, .how = BY_LINK});
  }
}

/* For dead symbols: who would have kept them, had it lived. The first in input order. */
static void find_dead_users(Why *w) {
  Link *l = w->l;
  Edge buf[EDGE_BATCH];
  u8 *wanted = NULL;
  for (u32 i = 0; i < w->asked.n; i++) {
    u32 a = w->asked.at[i].atom;
    if (!a || l->atoms.flags[a] & (ATOM_LIVE | ATOM_DISCARDED))
      continue;
    if (!wanted)
      wanted = pages_alloc(l->atoms.n);
    wanted[a] = 1;
  }
  for (u32 a = 1; wanted && a < l->atoms.n; a++) {
    if (l->atoms.flags[a] & (ATOM_LIVE | ATOM_DISCARDED | ATOM_SYNTH) || !l->atoms.at[a].file)
      continue; /* what made no atom belongs to no file */
    KeepsCursor c = {.atom = {a}};
    for (u32 n; (n = keeps_next(l, &c, buf));)
      for (u32 k = 0; k < n; k++) {
        u32 t = buf[k].target < l->syms.nglobal ? l->syms.atom[buf[k].target] : (u32)buf[k].S;
        if (t && t != a && wanted[t] && w->reach[t].how == BY_NOTHING)
          w->reach[t] = (Reach){buf[k].offset, a, buf[k].target, how_of(c.kind)};
      }
  }
  if (wanted)
    pages_free(wanted, l->atoms.n);
}

/* ---- who was asked for ---- */

static bool matches(const Why *w, const char *name, u64 len) {
  return w->exact ? strlen(w->pattern) == len && !memcmp(w->pattern, name, len) : glob_match(w->pattern, name, len);
}

static void ask_local(void *ctx, const char *name, const SymRec *r) {
  Why *w = ctx;
  const File *file = &w->l->files.at[w->file];
  if (!matches(w, name, strlen(name)))
    return;
  w->found = true;
  *vec_push(&w->asked) =
      (Asked){(u64)w->file << 32 | r->index, file->local_base + r->index, w->file, file->atom_base + r->section, name};
}

static void ask(Why *w, const char *pattern) {
  Link *l = w->l;
  w->pattern = pattern;
  w->exact = !glob_has_magic(pattern);
  w->found = false;
  for (u32 i = 0; i < l->syms.nglobal; i++) {
    SymName n = l->syms.name[i];
    if (!matches(w, n.p, n.len))
      continue;
    u32 flags = l->syms.flags[i];
    bool defined = !(flags & SF_UNDEFINED);
    if (!w->exact && !(defined && !(flags & SF_SHARED)))
      continue; /* a pattern means what can be in the output */
    if (!defined && !(flags & SF_REF))
      continue;
    w->found = true;
    *vec_push(&w->asked) = (Asked){sym_order(l, i), i, defined ? key_file(l->syms.key[i]) : 0, l->syms.atom[i],
                                   arena_strndup(&l->arena, n.p, n.len)};
  }
  for (w->file = 1; w->file < l->files.n; w->file++) {
    const File *file = &l->files.at[w->file];
    if (file->live && file->kind == FILE_OBJECT && file->fmt)
      l->format->each_local(l, (FileId){w->file}, w, ask_local);
  }
  if (!w->found && w->exact)
    *vec_push(&w->asked) = (Asked){UINT64_MAX, UINT32_MAX, 0, 0, pattern};
}

static int by_asked_order(const void *a, const void *b) {
  const Asked *x = a, *y = b;
  if (x->order != y->order)
    return x->order < y->order ? -1 : 1;
  return strcmp(x->name, y->name);
}

/* ---- text ---- */

/* The symbol that a place is in. */
typedef struct {
  u64 off;
  u32 section;
  const char *name;
  u64 value;
} Around;

static void consider(void *ctx, const char *name, const SymRec *r) {
  Around *x = ctx;
  if (r->section != x->section || r->value > x->off || (r->size && x->off - r->value >= r->size))
    return;
  if (!x->name || r->value > x->value) {
    x->name = name;
    x->value = r->value;
  }
}

/* NULL: none. The result belongs to the input. */
static const char *symbol_around(const Link *l, u32 a, u64 off) {
  FileId f = {l->atoms.at[a].file};
  const File *file = file_at(l, f);
  Around x = {.off = off, .section = a - file->atom_base};
  SymRec rec[REC_BATCH];
  for (u32 i = file->first_global, n; (n = l->format->symbols(l, f, i, rec, REC_BATCH)); i += n)
    for (u32 k = 0; k < n; k++)
      if (rec[k].rank != RANK_NONE && rec[k].rank != RANK_COMMON)
        consider(&x, l->format->sym_name(l, f, rec[k].index), &rec[k]);
  l->format->each_local(l, f, &x, consider);
  return x.name && *x.name ? x.name : NULL;
}

static void print_section(const Link *l, u32 a) {
  printf("%s:(%s)", file_name(l, (FileId){l->atoms.at[a].file}), l->format->atom_name(l, (AtomId){a}));
}

/* Prints a place; returns the symbol that it is in. */
static const char *print_place(const Link *l, u32 a, u64 off) {
  const char *in = symbol_around(l, a, off);
  printf("%s:(%s+0x%llx)", file_name(l, (FileId){l->atoms.at[a].file}), l->format->atom_name(l, (AtomId){a}),
         (unsigned long long)off);
  if (in)
    printf(" %s", diag_name(l->diag, in));
  return in;
}

/* The name that an edge uses, when a section has several and the line before showed another one. */
static void print_alias(const Link *l, const char *shown, u32 sym) {
  const char *name;
  if (sym == UINT32_MAX)
    return;
  if (sym < l->syms.nglobal) {
    name = l->syms.name[sym].p;
  } else {
    FileId f = local_owner(l, sym);
    SymRec r;
    l->format->symbols(l, f, sym - file_at(l, f)->local_base, &r, 1);
    name = r.flags & SF_SECTION ? "" : sym_name(l, sym);
  }
  /* complete and base constructors differ in nothing that a reader sees */
  if (*name && !(shown && streq(diag_name(l->diag, shown), diag_name(l->diag, name))))
    printf(", as %s", diag_name(l->diag, name));
}

static bool lists(const StrVec *v, const char *name) {
  for (u32 i = 0; i < v->n; i++)
    if (streq(v->at[i], name))
      return true;
  return false;
}

static const char *why_named(const Link *l, const WeldName *n) {
  const Options *o = l->opt;
  if (n->kind == WELD_REF && l->entry_name && streq(n->name, l->entry_name))
    return "entry point";
  if (n->kind == WELD_REF && lists(&o->undefined, n->name))
    return "--undefined";
  if (n->kind == WELD_REF && lists(&o->require_defined, n->name))
    return "--require-defined";
  if (n->kind == WELD_REF && lists(&o->darwin.exported, n->name))
    return "-exported_symbol";
  if (n->kind == WELD_REF)
    for (u32 i = 0; i < o->undefined_glob.n; i++)
      if (glob_match(o->undefined_glob.at[i], n->name, strlen(n->name)))
        return "--undefined-glob";
  if (streq(n->name, o->init ? o->init : "_init"))
    return "called when the output is loaded";
  if (streq(n->name, o->fini ? o->fini : "_fini"))
    return "called when the output is unloaded";
  if (lists(&o->wrap, n->name) || starts_with(n->name, "__wrap_") || starts_with(n->name, "__real_"))
    return "--wrap";
  if (lists(&o->trace_symbols, n->name))
    return "--trace-symbol";
  return "named by --defsym or a linker script";
}

static const char *why_root(const Link *l, u32 a) {
  const char *reader = l->format->root_reason(l, (AtomId){a});
  if (reader)
    return reader;
  return l->scripted && !l->default_script ? "KEEP in the linker script" : "KEEP in the default layout";
}

/* One step back from atom a, of which `shown` was printed. Returns the atom that it leads to, 0 at a root. */
static u32 print_step(const Link *l, const Reach *r, u32 a, const char **shown) {
  switch ((How)r->how) {
  case BY_EDGE:
    printf(">>> referenced by: ");
    break;
  case BY_FDE:
    printf(">>> referenced by the unwind records of: ");
    break;
  case BY_CIE:
    printf(">>> referenced by what these unwind records share: ");
    break;
  case BY_LINK:
    printf(">>> stands and falls with: ");
    print_section(l, r->from);
    printf("\n");
    *shown = NULL;
    return r->from;
  case BY_START_STOP:
    printf(">>> its sections are named by %s, referenced by: ", sym_name(l, r->sym));
    *shown = print_place(l, r->from, r->off);
    printf("\n");
    return r->from;
  case BY_NAME:
    printf(">>> root: %s: %s\n", why_named(l, &l->weld_names.at[r->from]), diag_name(l->diag, l->weld_names.at[r->from].name));
    return 0;
  case BY_ROOT:
    printf(">>> root: %s\n", why_root(l, a));
    return 0;
  case BY_EXPORT:
    printf(">>> root: exported%s: %s\n",
           l->opt->kind != OUTPUT_SHARED && l->syms.flags[r->sym] & SF_DSO_REF ? ", since a shared library refers to it" : "",
           diag_name(l->diag, sym_name(l, r->sym)));
    return 0;
  case BY_UNLOADED:
    printf(">>> root: not loaded; --gc-sections leaves such sections alone\n");
    return 0;
  case BY_MADE:
    printf(">>> root: weld makes this section\n");
    return 0;
  case BY_NOTHING:
    return 0;
  }
  /* an edge: records stand elsewhere, what counts is the function that they describe */
  const char *before = *shown;
  if (r->how == BY_EDGE) {
    *shown = print_place(l, r->from, r->off);
  } else {
    print_section(l, r->from);
    *shown = symbol_around(l, r->from, 0);
    if (*shown)
      printf(" %s", diag_name(l->diag, *shown));
  }
  print_alias(l, before, r->sym);
  printf("\n");
  return r->from;
}

static void print_head(const Link *l, const char *what, const Asked *x) {
  printf("%s: ", what);
  if (x->atom && !(l->atoms.flags[x->atom] & ATOM_SYNTH)) {
    print_section(l, x->atom);
    printf(" ");
  } else if (x->file) {
    printf("%s: ", file_name(l, (FileId){x->file}));
  }
  printf("%s\n", diag_name(l->diag, x->name));
}

static void print_live(const Why *w, const Asked *x) {
  const Link *l = w->l;
  const char *shown = x->name;
  print_head(l, "live symbol", x);
  if (!x->atom)
    printf(">>> in no section: %s\n", l->syms.flags[x->sym] & SF_SYNTHETIC ? "weld defines it" : "it is absolute");
  else if (l->atoms.flags[x->atom] & ATOM_SYNTH)
    printf(">>> in %s, which weld makes: --gc-sections leaves it alone\n", l->format->atom_name(l, (AtomId){x->atom}));
  else if (!l->opt->gc_sections)
    printf(">>> every section stays without --gc-sections\n");
  else
    for (u32 a = x->atom; a;)
      a = print_step(l, &w->reach[a], a, &shown);
}

static void print_dead(const Why *w, const Asked *x) {
  const Link *l = w->l;
  const Reach *r = &w->reach[x->atom];
  const char *shown = x->name;
  if (l->atoms.flags[x->atom] & ATOM_DISCARDED) {
    print_head(l, "discarded symbol", x);
    printf(">>> another file's section group of that name is linked, or the linker script discards it\n");
    return;
  }
  print_head(l, "dead symbol", x);
  if (l->atoms.flags[x->atom] & ATOM_LINKORDER && l->atoms.at[x->atom].link) {
    printf(">>> stands and falls with: ");
    print_section(l, l->atoms.at[x->atom].link);
    printf("\n");
  } else if (r->how == BY_NOTHING) {
    printf(">>> nothing refers to it\n");
  } else {
    printf(">>> only dead sections refer to it; the first is\n");
    print_step(l, r, x->atom, &shown);
  }
}

/* The first archive member that defines it and is not linked; 0: none. */
static u32 find_unlinked(const Link *l, const char *name) {
  SymRec rec[REC_BATCH];
  SymId s = sym_find(l, name, strlen(name));
  for (u32 f = 1; s.i != UINT32_MAX && f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    if (!file->fmt || !file->lazy || file->live || file->kind != FILE_OBJECT)
      continue;
    for (u32 i = file->first_global, n; (n = l->format->symbols(l, (FileId){f}, i, rec, REC_BATCH)); i += n)
      for (u32 k = 0; k < n; k++)
        if (rec[k].rank != RANK_NONE && file->globals[rec[k].index - file->first_global] == s.i)
          return f;
  }
  return 0;
}

/* A name without a definition in the link. */
static void print_unknown(const Link *l, const Asked *x) {
  u32 f = find_unlinked(l, x->name);
  if (f)
    printf("unlinked symbol: %s\n>>> %s defines it, but nothing needs that member\n", diag_name(l->diag, x->name), file_name(l, (FileId){f}));
  else if (x->sym != UINT32_MAX)
    printf("undefined symbol: %s\n>>> nothing defines it\n", diag_name(l->diag, x->name));
  else
    printf("unknown symbol: %s\n>>> no input mentions it\n", diag_name(l->diag, x->name));
}

static void print_asked(const Why *w, const Asked *x) {
  const Link *l = w->l;
  u32 flags = x->sym < l->syms.nglobal ? l->syms.flags[x->sym] : 0;
  if (x->sym == UINT32_MAX || flags & SF_UNDEFINED) {
    print_unknown(l, x);
  } else if (flags & SF_SHARED) {
    print_head(l, "shared symbol", x);
    printf(">>> a shared library defines it\n");
  } else if (!x->atom || l->atoms.flags[x->atom] & ATOM_LIVE) {
    print_live(w, x);
  } else {
    print_dead(w, x);
  }
}

/* Two patterns may hit one symbol; a C++ constructor has two names that read alike. */
static bool reads_the_same(Link *l, const Asked *a, const Asked *b) {
  return a->atom == b->atom && a->file == b->file && streq(diag_name(l->diag, a->name), diag_name(l->diag, b->name));
}

void report_why_live(Link *l) {
  if (!l->opt->why_live.n)
    return;
  Why w = {.l = l, .reach = pages_alloc_sparse(l->atoms.n * sizeof(Reach))};
  for (u32 i = 0; i < l->opt->why_live.n; i++)
    ask(&w, l->opt->why_live.at[i]);
  if (w.asked.n)
    qsort(w.asked.at, w.asked.n, sizeof *w.asked.at, by_asked_order);
  if (l->opt->gc_sections) {
    begin_at_roots(&w);
    walk(&w);
    find_dead_users(&w);
  }
  for (u32 i = 0; i < w.asked.n; i++) {
    if (!i || !reads_the_same(l, &w.asked.at[i - 1], &w.asked.at[i]))
      print_asked(&w, &w.asked.at[i]);
  }
  fflush(stdout);
  pages_free(w.reach, l->atoms.n * sizeof(Reach));
  followers_free(&w.follow);
  vec_free(&w.queue);
  vec_free(&w.names);
  vec_free(&w.sections);
  vec_free(&w.exports);
  vec_free(&w.asked);
}
