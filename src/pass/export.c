/* export.c: decides which definitions are exported, which targets are bound at run time, and the
 * version of each. One pass in parallel over the global symbols; most links have no version script, and
 * then it looks at nothing but the flags.
 * The trap: an exact name of a script is looked up once, from the pattern's side, and leaves a mark in
 * Symbols.version that the pass over the symbols takes away; only true patterns are asked per symbol. */
#include "pass/export.h"

#include <stdlib.h>

#include "core/link.h"
#include "core/resolve.h"
#include "util/demangle.h"
#include "util/glob.h"

enum { EXACT = 0x4000 /* in Symbols.version: set by an exact pattern */, NO_RULE = UINT32_MAX };

/* Undefined weak symbols that stay dynamic for now; in the thread's scratch arena. */
typedef struct Weak {
  struct Weak *next;
  u32 sym;
} Weak;

/* What a pattern of the version script says. VERSION_LOCAL: keep it in. */
typedef struct {
  u16 version;
} Rule;

typedef struct {
  Link *l;
  bool dynamic, shared;
  bool keep_weak; /* undefined weak symbols stay dynamic */
  bool export_all;
  bool bind_local; /* --dynamic-list: what it does not name can't be preempted */
  bool slow;       /* versions or --exclude-libs: the version of a definition needs a look */
  bool versioned_names; /* any file may have names with versions */
  u16 base;        /* version of what nothing names */

  /* the version script */
  bool script;
  VEC(Rule) rules;      /* by value in the sets: the lowest that matches wins */
  GlobSet *globs, *cxx; /* NULL when there is no such pattern */
  u32 star;             /* rule of "*", which yields to everything else; NO_RULE */

  /* --dynamic-list, --export-dynamic-symbol */
  bool lists, list_data;
  GlobSet *list_globs, *list_cxx;

  Weak **weak; /* one list for each thread */
} Export;

/* ---- patterns ---- */

static GlobSet *set_of(Export *e, GlobSet **g) {
  if (!*g)
    *g = globset_create(&e->l->arena);
  return *g;
}

/* Patterns on C++ names match what the name demangles to, or the name when it does not. */
static u32 find_cxx(const GlobSet *g, const char *name, u32 len) {
  char *d = len > 2 && name[0] == '_' && name[1] == 'Z' ? demangle(name, len) : NULL;
  if (!d)
    return globset_find(g, name, len);
  u32 v = globset_find(g, d, strlen(d));
  free(d);
  return v;
}

static u32 find_in(const GlobSet *plain, const GlobSet *cxx, const SymName *name) {
  u32 v = plain ? globset_find(plain, name->p, name->len) : NO_RULE;
  if (cxx) {
    u32 x = find_cxx(cxx, name->p, name->len);
    v = MIN(v, x);
  }
  return v;
}

static bool is_star(const VersionPattern *p) { return !p->exact && streq(p->pattern, "*"); }
static bool is_exact(const VersionPattern *p) { return p->exact; }
static bool is_glob(const VersionPattern *p) { return !p->exact && !is_star(p); }

static void report_missing(Export *e, const VersionNode *node, const VersionPattern *p) {
  Link *l = e->l;
  const char *version = node->name ? node->name : "global";
  if (l->opt->undefined_version_ok == OPT_NO)
    diag_report(l->diag, DIAG_ERROR, "undefined-version", p->line,
                "%s:%u: version script assignment of '%s' to symbol '%s' failed: symbol not defined",
                node->file ? node->file : "version script", p->line, version, p->pattern);
  else if (l->opt->undefined_version_ok == OPT_AUTO)
    diag_report(l->diag, DIAG_WARNING, "undefined-version", p->line,
                "%s: cannot assign version `%s` to symbol `%s`: symbol not found",
                node->file ? node->file : "version script", version, p->pattern);
}

/* Asks the key, which no thread changes here, unlike the flags. */
static bool is_defined(const Link *l, SymId s) {
  return s.i < l->syms.nglobal && key_rank(l->syms.key[s.i]) < RANK_OUTSIDE;
}

/* The symbol that has this very name gets its mark; the first pattern that names it wins. */
static void mark_exact(Export *e, const VersionNode *node, const VersionPattern *p, u16 version) {
  Link *l = e->l;
  SymId s = sym_find(l, p->pattern, strlen(p->pattern));
  if (s.i < l->syms.nglobal && !(l->syms.version[s.i] & EXACT))
    l->syms.version[s.i] = version | EXACT;
  if (version != VERSION_LOCAL && !is_defined(l, s))
    report_missing(e, node, p);
}

static void add_rules(Export *e, const VersionNode *node, const VersionPatterns *v, u16 version,
                      bool (*which)(const VersionPattern *)) {
  for (u32 i = 0; i < v->n; i++) {
    const VersionPattern *p = &v->at[i];
    if (!which(p))
      continue;
    if (p->exact && !p->cxx) {
      mark_exact(e, node, p, version);
      continue;
    }
    u32 value = e->rules.n;
    *vec_push(&e->rules) = (Rule){version};
    if (!is_star(p))
      globset_add(set_of(e, p->cxx ? &e->cxx : &e->globs), p->pattern, p->exact, value);
    else if (e->star == NO_RULE)
      e->star = value;
  }
}

/* GNU ld's order of precedence: exact names in order of the nodes; patterns that export, the last node
 * first; patterns that hide; "*" that exports; "*" that hides. */
static void read_script(Export *e) {
  const Options *o = e->l->opt;
  const VersionScript *s = &o->version_script;
  u32 n = s->nodes.n;
  e->star = NO_RULE;
  e->script = o->has_version_script && n;
  if (version_index_end(s, o->default_symver) > EXACT) {
    diag_error(e->l->diag, "version-script", "the version script has more than %d versions",
               EXACT - VERSION_FIRST);
    e->script = false;
  }
  if (!e->script)
    return;
#define VERSION_OF(i) ((u16)version_node_index(s, (i), o->default_symver))
  for (u32 i = 0; i < n; i++) {
    add_rules(e, &s->nodes.at[i], &s->nodes.at[i].global, VERSION_OF(i), is_exact);
    add_rules(e, &s->nodes.at[i], &s->nodes.at[i].local, VERSION_LOCAL, is_exact);
  }
  for (u32 i = n; i-- > 0;)
    add_rules(e, &s->nodes.at[i], &s->nodes.at[i].global, VERSION_OF(i), is_glob);
  for (u32 i = n; i-- > 0;)
    add_rules(e, &s->nodes.at[i], &s->nodes.at[i].local, VERSION_LOCAL, is_glob);
  for (u32 i = n; i-- > 0;)
    add_rules(e, &s->nodes.at[i], &s->nodes.at[i].global, VERSION_OF(i), is_star);
  for (u32 i = n; i-- > 0;)
    add_rules(e, &s->nodes.at[i], &s->nodes.at[i].local, VERSION_LOCAL, is_star);
#undef VERSION_OF
  if (e->globs)
    globset_seal(e->globs);
  if (e->cxx)
    globset_seal(e->cxx);
}

static void add_list(Export *e, const VersionPatterns *v) {
  Link *l = e->l;
  for (u32 i = 0; i < v->n; i++) {
    const VersionPattern *p = &v->at[i];
    e->lists = true;
    if (!p->exact || p->cxx) {
      globset_add(set_of(e, p->cxx ? &e->list_cxx : &e->list_globs), p->pattern, p->exact, 0);
      continue;
    }
    SymId s = sym_find(l, p->pattern, strlen(p->pattern));
    if (s.i < l->syms.nglobal)
      l->syms.flags[s.i] |= SF_DYNLIST;
  }
}

static void read_lists(Export *e) {
  const Options *o = e->l->opt;
  e->list_data = o->dynamic_list_data;
  e->lists = e->list_data;
  add_list(e, &o->dynamic_list);
  add_list(e, &o->export_dynamic_symbols);
  if (e->list_globs)
    globset_seal(e->list_globs);
  if (e->list_cxx)
    globset_seal(e->list_cxx);
}

static bool is_listed(const Export *e, u32 s, u32 f) {
  if (f & SF_DYNLIST || (e->list_data && !(f & (SF_FUNC | SF_TLS | SF_SYNTHETIC))))
    return true;
  return (e->list_globs || e->list_cxx) &&
         find_in(e->list_globs, e->list_cxx, &e->l->syms.name[s]) != NO_RULE;
}

/* ---- versions ---- */

/* The version after the '@' of a definition's own name, "foo@V1" or "foo@@V2". An empty one is the base
 * version. */
static u16 named_version(const Export *e, u64 key, const char *name, const char *at) {
  Link *l = e->l;
  bool is_default = at[1] == '@';
  const char *version = at + 1 + is_default;
  const VersionScript *s = &l->opt->version_script;
  if (!*version)
    return VERSION_GLOBAL;
  for (u32 i = 0; e->script && i < s->nodes.n; i++)
    if (s->nodes.at[i].name && streq(s->nodes.at[i].name, version))
      return (u16)(version_node_index(s, i, l->opt->default_symver) |
                   (is_default ? 0 : (u32)VERSION_HIDDEN));
  /* In an executable the name overrides a shared library's, and may go without the version. */
  if (e->shared)
    diag_report(l->diag, DIAG_ERROR, "undefined-version", key & ~(~0ull << 56),
                "%s: symbol %s has undefined version %s", file_name(l, (FileId){key_file(key)}), name,
                version);
  return VERSION_GLOBAL;
}

/* What the version script says about a definition without a version of its own. */
static u16 scripted_version(const Export *e, u32 s) {
  const Symbols *syms = &e->l->syms;
  if (syms->version[s] & EXACT)
    return syms->version[s] & (u16)~EXACT;
  u32 rule = e->globs || e->cxx ? find_in(e->globs, e->cxx, &syms->name[s]) : NO_RULE;
  if (rule == NO_RULE)
    rule = e->star;
  return rule == NO_RULE ? e->base : e->rules.at[rule].version;
}

static const char *version_name(const Export *e, u16 version) {
  const Options *o = e->l->opt;
  for (u32 i = 0; i < o->version_script.nodes.n; i++)
    if (o->version_script.nodes.at[i].name &&
        version_node_index(&o->version_script, i, o->default_symver) == version)
      return o->version_script.nodes.at[i].name;
  return NULL;
}

/* The symbol whose whole name is NAME@VERSION, when this output defines it; else NO_SYM. */
static SymId find_named(const Link *l, const char *name, u64 len, const char *version) {
  enum { STACK = 512 };
  char buf[STACK], *p = buf;
  u64 vlen = strlen(version), n = len + 1 + vlen;
  if (n > STACK && !(p = malloc(n)))
    return NO_SYM;
  memcpy(p, name, len);
  p[len] = '@';
  memcpy(p + len + 1, version, vlen);
  SymId s = sym_find(l, p, n);
  if (p != buf)
    free(p);
  return is_defined(l, s) ? s : NO_SYM;
}

/* foo@V1 and foo@@V1 are one name to the dynamic linker. `at`: the '@' in the definition's name. */
static void check_default(const Export *e, u64 key, const char *name, const char *at) {
  Link *l = e->l;
  SymId s = sym_find(l, name, (u64)(at - name));
  if (at[1] == '@' || !is_defined(l, s) || !key_file(l->syms.key[s.i]))
    return;
  u64 other = l->syms.key[s.i];
  const char *full = l->format->sym_name(l, (FileId){key_file(other)}, key_index(other));
  const char *sign = strchr(full, '@');
  if (sign && sign[1] == '@' && streq(sign + 2, at + 1))
    diag_report(l->diag, DIAG_ERROR, "duplicate-symbol", key & ~(~0ull << 56),
                "duplicate symbol: %s: %s is defined as %s, too, in %s", file_name(l, (FileId){key_file(key)}),
                name, full, file_name(l, (FileId){key_file(other)}));
}

/* The version of a definition that visibility does not hide; VERSION_LOCAL keeps it in. */
static u16 version_of(const Export *e, u32 s) {
  const Link *l = e->l;
  u64 key = l->syms.key[s];
  const File *file = &l->files.at[key_file(key)];
  if (file->exclude_libs)
    return VERSION_LOCAL;
  if (file->has_versions || (e->versioned_names && file->kind == FILE_OBJECT)) {
    const char *name = l->format->sym_name(l, (FileId){key_file(key)}, key_index(key));
    const char *at = strchr(name, '@');
    /* foo@V1 that refers to this output's own foo@@V1: a second name, bound here, that nobody else sees */
    if (at && at[1] == '@' && l->syms.name[s].len > (u64)(at - name))
      return VERSION_LOCAL;
    if (at) {
      check_default(e, key, name, at);
      return named_version(e, key, name, at);
    }
  }
  if (!e->script)
    return e->base;
  u16 version = scripted_version(e, s);
  /* GNU ld: what has a definition for its version already, foo@V1, gives foo no second one. */
  const char *name = l->has_versioned_refs ? version_name(e, version) : NULL;
  if (name && find_named(l, l->syms.name[s].p, l->syms.name[s].len, name).i != NO_SYM.i)
    return VERSION_LOCAL;
  return version;
}

/* ---- the decisions ---- */

static bool is_preemptible(const Export *e, u32 f, bool listed) {
  if (!e->shared || f & SF_PROTECTED || (f >> SF_VIS_SHIFT & 3))
    return false;
  if (listed || f & SF_UNIQUE)
    return true;
  if (e->bind_local)
    return false;
  switch (e->l->opt->bsymbolic) {
  case BSYMBOLIC_NONE: return true;
  case BSYMBOLIC_ALL: return false;
  case BSYMBOLIC_FUNCTIONS: return !(f & SF_FUNC);
  case BSYMBOLIC_NON_WEAK: return f & SF_WEAK;
  case BSYMBOLIC_NON_WEAK_FUNCTIONS: return f & SF_WEAK || !(f & SF_FUNC);
  }
  return true;
}

/* Flags to add to a definition. */
static u32 definition(const Export *e, u32 s, u32 f) {
  if (f & SF_HIDDEN)
    return 0;
  u16 version = e->slow ? version_of(e, s) : e->base;
  if (version == VERSION_LOCAL)
    return SF_VERSION_LOCAL;
  if (!e->dynamic)
    return 0;
  bool listed = e->lists && is_listed(e, s, f);
  u32 set = listed ? SF_DYNLIST : 0;
  if (!e->export_all && !listed && !(f & SF_DSO_REF))
    return set;
  e->l->syms.version[s] = version;
  return set | SF_EXPORTED | (is_preemptible(e, f, listed) ? (u32)SF_IMPORTED : 0);
}

static u32 undefined(const Export *e, u32 s, u32 f, unsigned tid) {
  if (!e->dynamic || !(f & SF_REF) || f >> SF_VIS_SHIFT & 3)
    return 0;
  if (f & SF_WEAK) {
    if (!e->keep_weak)
      return 0;
    if (!e->shared) {
      Weak *w = ARENA_NEW(&e->l->scratch[tid], Weak);
      *w = (Weak){e->weak[tid], s};
      e->weak[tid] = w;
    }
  } else if (!e->shared) {
    return 0;
  }
  return SF_IMPORTED | SF_IS_UNDEF_OK;
}

static void export_range(void *ctx, u32 begin, u32 end, unsigned tid) {
  const Export *e = ctx;
  Symbols *syms = &e->l->syms;
  for (u32 s = begin; s < end; s++) {
    u32 f = syms->flags[s], set;
    u16 mark = e->script ? syms->version[s] : 0;
    if (f & SF_SHARED)
      set = e->dynamic ? SF_IMPORTED : 0;
    else if (f & SF_UNDEFINED)
      set = undefined(e, s, f, tid);
    else
      set = definition(e, s, f);
    if (mark & EXACT && !(set & SF_EXPORTED))
      syms->version[s] = VERSION_LOCAL;
    if (set & ~f)
      syms->flags[s] = f | set;
  }
}

/* Undefined weak symbols: always dynamic in a shared library. In an executable, GNU ld keeps those that
 * the program asks about through the GOT, which only position-independent code does everywhere. */
static bool keeps_weak(const Options *o) {
  if (o->dynamic_undefined_weak == OPT_NO)
    return false;
  if (o->kind == OUTPUT_SHARED || o->dynamic_undefined_weak == OPT_YES || o->z_dynamic_undefined_weak)
    return true;
  return o->kind == OUTPUT_PIE && o->dynamic_linker && !o->no_dynamic_linker;
}

void export_symbols(Link *l) {
  const Options *o = l->opt;
  u32 n = l->syms.nglobal;
  Export *e = ARENA_NEW(&l->arena, Export);
  l->script = e;
  e->l = l;
  e->dynamic = l->is_dynamic;
  e->shared = o->kind == OUTPUT_SHARED;
  e->keep_weak = keeps_weak(o);
  e->export_all = e->shared || o->export_dynamic;
  e->bind_local = e->shared && o->has_dynamic_list;
  e->base = o->default_symver ? VERSION_FIRST : VERSION_GLOBAL;
  e->weak = ARENA_ARRAY(&l->arena, Weak *, pool_threads(l->pool));
  read_script(e);
  e->slow = e->script || l->has_versioned_refs;
  bool known = false; /* which files have versioned names */
  for (u32 i = 1; i < l->files.n; i++) {
    const File *file = &l->files.at[i];
    e->slow |= file->live && file->exclude_libs;
    known |= file->has_versions;
  }
  e->versioned_names = l->has_versioned_refs && !known;
  if (e->dynamic)
    read_lists(e);
  if (e->dynamic || e->slow)
    pool_run(l->pool, n, n > 32768 ? 16384 : 32768, export_range, e);
  vec_free(&e->rules);
}

void export_settle_weak(Link *l) {
  const Export *e = l->script;
  if (!e || l->opt->dynamic_undefined_weak == OPT_YES || l->opt->z_dynamic_undefined_weak)
    return;
  for (unsigned t = 0; t < pool_threads(l->pool); t++)
    for (const Weak *w = e->weak[t]; w; w = w->next) {
      if (l->syms.needs[w->sym] & (u8)~NEED_PLT)
        continue;
      l->syms.needs[w->sym] = 0;
      l->syms.flags[w->sym] &= ~(u32)(SF_IMPORTED | SF_IS_UNDEF_OK);
    }
}
