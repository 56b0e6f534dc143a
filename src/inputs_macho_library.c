/* inputs_macho_library.c: libraries of a Mach-O link: which symbols are bound to which of them.
 * A library's exports are its own and those of what it re-exports. A re-exported library that is public (of /usr/lib or a system
 * framework) is bound to itself, as if it had been named; others are parts of the one that re-exports them.
 * Names that begin with $ld$ are no symbols but say what is different for some versions of the system.
 * The trap: text decides how re-exports nest, also in circles; a library's file is read once, and depth is bounded. */
#include <stdlib.h>
#include <sys/stat.h>

#include "format/macho.h"
#include "inputs_macho_internal.h"
#include "read/macho.h"
#include "read/tbd.h"

enum { MAX_DEPTH = 64 };

static void add_library(MachoInputs *m, const MachoLibrary *lib, Unit *own, Unit *umbrella, const MachoLibrary *nested, u32 nnested);

/* ---- names ---- */

/* A library that programs may name themselves, so that symbols are bound to it and not to who re-exports it: directly in /usr/lib, or
 * /System/Library/Frameworks/NAME.framework/.../NAME. */
static bool is_public(const MachoInputs *m, const char *install_name) {
  static const char frameworks[] = "/System/Library/Frameworks/";
  if (m->l->opt->darwin.no_implicit_dylibs)
    return false;
  if (starts_with(install_name, "/usr/lib/"))
    return !strchr(install_name + 9, '/');
  if (!starts_with(install_name, frameworks))
    return false;
  const char *name = install_name + sizeof frameworks - 1, *base = base_name(install_name);
  u64 len = strcspn(name, ".");
  return strlen(base) == len && !strncmp(base, name, len);
}

/* Where the suffix of the last component begins, its end when it has none. */
static u64 suffix_at(const char *path) {
  const char *base = base_name(path), *dot = strrchr(base, '.');
  return (u64)((dot && dot != base ? dot : base + strlen(base)) - path);
}

bool macho_exists(MachoInputs *m, const char *path) {
  struct stat st;
  if (stat(path, &st) == 0)
    return true;
  if (m->l->opt->darwin.dependency_info)
    *vec_push(&m->not_found) = path;
  return false;
}

const char *macho_library_path(MachoInputs *m, const char *path) {
  const char *tbd = arena_printf(&m->l->arena, "%.*s.tbd", (int)suffix_at(path), path);
  return macho_exists(m, tbd) ? tbd : macho_exists(m, path) ? path : NULL;
}

/* ---- units ---- */

static Unit *new_unit(MachoInputs *m, const char *install_name, u32 current, u32 compatibility) {
  Arena *a = &m->l->arena;
  Unit *u = ARENA_NEW(a, Unit);
  u->shared = ARENA_NEW(a, MachoShared);
  *u->shared = (MachoShared){.install_name = install_name, .current_version = current, .compatibility_version = compatibility, .app_extension_safe = true};
  *vec_push(&m->units) = u;
  return u;
}

static void add_pending(MachoInputs *m, Unit *u) { *vec_push(&m->pending) = (Pending){.unit = u}; }

static Unit *find_unit(MachoInputs *m, const char *install_name, bool synthetic) {
  for (u32 i = 0; i < m->units.n; i++)
    if (m->units.at[i]->synthetic == synthetic && streq(m->units.at[i]->shared->install_name, install_name))
      return m->units.at[i];
  return NULL;
}

/* ---- $ld$ names ---- */

typedef struct {
  MachoInputs *m;
  const MachoLibrary *lib;
  Unit *own;  /* the unit that has the library's name; NULL: it is a part of another */
  Unit *unit; /* what its symbols are bound to */
  StrVec taken; /* its symbols that an older library has */
} Naming;

static bool version(const char *s, u64 len, u32 *out) {
  u32 part[3] = {0}, n = 0;
  bool digit = false;
  for (u64 i = 0; i < len; i++) {
    if (s[i] >= '0' && s[i] <= '9' && part[n] < 1 << 16) {
      part[n] = part[n] * 10 + (u32)(s[i] - '0');
      digit = true;
    } else if (s[i] == '.' && digit && n < 2) {
      n++;
      digit = false;
    } else {
      return false;
    }
  }
  *out = MIN(part[0], 0xffffu) << 16 | MIN(part[1], 0xffu) << 8 | MIN(part[2], 0xffu);
  return digit;
}

/* Cuts the piece before the next '$'; *s is behind it then. False when there is none. */
static bool piece(const char **s, const char **out, u64 *len) {
  const char *dollar = strchr(*s, '$');
  if (!dollar)
    return false;
  *out = *s;
  *len = (u64)(dollar - *s);
  *s = dollar + 1;
  return true;
}

static void ignored(const Naming *x, const char *name) {
  diag_warn(x->m->l->diag, "library-symbol", "%s: %s: is not understood: ignored", x->unit->path, name);
}

/* "os10.4$REST": 1 when the link is for that version, 0 when not, -1 when it is nothing of the kind. */
static int for_version(const Naming *x, const char **s) {
  const char *p;
  u64 len;
  u32 v;
  if (!starts_with(*s, "os") || !piece(s, &p, &len) || !version(p + 2, len - 2, &v))
    return -1;
  return v == x->m->target.min_version;
}

/* INSTALL_NAME$COMPATIBILITY_VERSION$PLATFORM$FROM$TO$[SYMBOL$]: for systems from FROM on and before TO the library, or one of its
 * symbols, is found under an older name. */
static void previous(Naming *x, const char *s, const char *whole) {
  Arena *a = &x->m->l->arena;
  const char *name, *compat, *platform, *from, *to, *symbol;
  u64 nname, ncompat, nplatform, nfrom, nto, nsymbol = 0;
  u32 vfrom, vto, vcompat = x->lib->compatibility_version, vcurrent = x->lib->current_version;
  if (!piece(&s, &name, &nname) || !piece(&s, &compat, &ncompat) || !piece(&s, &platform, &nplatform) || !piece(&s, &from, &nfrom) ||
      !piece(&s, &to, &nto) || !version(from, nfrom, &vfrom) || !version(to, nto, &vto) || (ncompat && !version(compat, ncompat, &vcompat))) {
    ignored(x, whole);
    return;
  }
  const char *end = strrchr(s, '$'); /* a symbol may have a $ itself */
  symbol = s;
  nsymbol = end ? (u64)(end - s) : 0;
  if (strtoul(platform, NULL, 10) != x->m->target.platform || x->m->target.min_version < vfrom || x->m->target.min_version >= vto)
    return;
  name = arena_strndup(a, name, nname);
  if (!nsymbol) {
    if (x->own) {
      x->own->shared->install_name = name;
      x->own->shared->compatibility_version = vcompat;
    }
    return;
  }
  Unit *u = find_unit(x->m, name, true);
  if (!u) {
    u = new_unit(x->m, name, ncompat ? vcompat : vcurrent, vcompat);
    u->synthetic = true;
    u->path = x->unit->path;
    u->arg = x->unit->arg;
    add_pending(x->m, u);
  }
  symbol = arena_strndup(a, symbol, nsymbol);
  *vec_push(&u->exports) = (MachoExport){symbol, (u32)nsymbol, 0};
  *vec_push(&x->taken) = symbol;
}

/* False: it is a symbol like any other. */
static bool special_name(Naming *x, const MachoExport *e) {
  const char *s = e->name;
  u32 v;
  if (!starts_with(s, "$ld$"))
    return false;
  s += 4;
  if (starts_with(s, "previous$")) {
    previous(x, s + 9, e->name);
  } else if (starts_with(s, "hide$")) {
    s += 5;
    int fits = starts_with(s, "os") ? for_version(x, &s) : 1;
    if (fits < 0)
      ignored(x, e->name);
    else if (fits)
      *vec_push(&x->unit->hidden) = s;
  } else if (starts_with(s, "add$")) {
    s += 4;
    if (for_version(x, &s) > 0)
      *vec_push(&x->unit->exports) = (MachoExport){s, (u32)strlen(s), 0};
  } else if (starts_with(s, "install_name$")) {
    s += 13;
    int fits = for_version(x, &s);
    if (fits < 0)
      ignored(x, e->name);
    else if (fits && x->own)
      x->own->shared->install_name = s;
  } else if (starts_with(s, "compatibility_version$")) {
    s += 22;
    int fits = for_version(x, &s);
    if (fits < 0 || !version(s, strlen(s), &v))
      ignored(x, e->name);
    else if (fits && x->own)
      x->own->shared->compatibility_version = v;
  }
  return true;
}

static int by_name(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void sort_names(StrVec *v) {
  if (v->n)
    qsort(v->at, v->n, sizeof *v->at, by_name);
}

static bool has_name(const StrVec *v, const char *name) { return v->n && bsearch(&name, v->at, v->n, sizeof *v->at, by_name); }

static void add_exports(Naming *x) {
  const MachoLibrary *lib = x->lib;
  bool any = false;
  for (u32 i = 0; i < lib->nexports; i++)
    any |= lib->exports[i].name[0] == '$' && special_name(x, &lib->exports[i]);
  sort_names(&x->unit->hidden);
  sort_names(&x->taken);
  vec_reserve(&x->unit->exports, x->unit->exports.n + lib->nexports);
  for (u32 i = 0; i < lib->nexports; i++) {
    const MachoExport *e = &lib->exports[i];
    if ((any && starts_with(e->name, "$ld$")) || has_name(&x->unit->hidden, e->name) || has_name(&x->taken, e->name))
      continue;
    *vec_push(&x->unit->exports) = *e;
  }
  vec_free(&x->taken);
}

/* ---- re-exports ---- */

/* A path with the first `skip` bytes replaced by the directory of `file`, symbolic links followed. */
static const char *beside(MachoInputs *m, const char *file, const char *path) {
  char *real = realpath(file, NULL);
  const char *from = real ? real : file;
  const char *s = arena_printf(&m->l->arena, "%.*s%s", (int)(base_name(from) - from), from, path);
  free(real);
  return s;
}

/* @loader_path is where the library stands, @executable_path where the program will. NULL: the path begins with neither. */
static const char *expand(MachoInputs *m, const char *path, const Unit *library) {
  const Options *o = m->l->opt;
  if (starts_with(path, "@loader_path/"))
    return beside(m, library->path, path + 13);
  if (starts_with(path, "@executable_path/") && o->kind != OUTPUT_SHARED)
    return arena_printf(&m->l->arena, "%.*s%s", (int)(base_name(o->output) - o->output), o->output, path + 17);
  return NULL;
}

/* lld's order: the -F and -L directories by the file's name, below the roots, then what @loader_path and its like stand for. */
static const char *search_reexport(MachoInputs *m, const char *path, const Unit *umbrella) {
  const Options *o = m->l->opt;
  Arena *a = &m->l->arena;
  const char *base = base_name(path), *found;
  int stem = (int)(suffix_at(base));
  const char *framework = arena_printf(a, "%.*s.framework/%.*s", stem, base, stem, base);
  u64 nframework = strlen(framework), n = strlen(path);
  bool is_framework = n >= nframework && streq(path + n - nframework, framework);
  const StrVec *dirs = is_framework ? &o->darwin.framework_dirs : &o->lib_dirs;
  for (u32 i = 0; i < dirs->n; i++)
    if ((found = macho_library_path(m, is_framework ? arena_printf(a, "%s/%s", dirs->at[i], framework)
                                                    : arena_printf(a, "%s/%.*s.dylib", dirs->at[i], stem, base))))
      return found;
  for (u32 i = 0; path[0] == '/' && i < o->darwin.roots.n; i++)
    if ((found = macho_library_path(m, arena_printf(a, "%s%s", o->darwin.roots.at[i], path))))
      return found;
  if (!starts_with(path, "@rpath/"))
    return (path = expand(m, path, umbrella)) ? macho_library_path(m, path) : NULL;
  for (u32 i = 0; i < umbrella->nrpaths; i++) {
    const char *full = arena_printf(a, "%s/%s", umbrella->rpaths[i], path + 7), *real = expand(m, full, umbrella);
    if ((found = macho_library_path(m, real ? real : full)))
      return found;
  }
  return NULL;
}

static const MachoLibrary *find_nested(const MachoLibrary *nested, u32 n, const char *install_name) {
  for (u32 i = 0; i < n; i++)
    if (streq(nested[i].install_name, install_name))
      return &nested[i];
  return NULL;
}

/* `must`: it is an error when it can't be found. */
static void follow(MachoInputs *m, const char *path, Unit *umbrella, const MachoLibrary *nested, u32 nnested, bool must) {
  Link *l = m->l;
  if (m->depth >= MAX_DEPTH) {
    diag_error(l->diag, "re-export", "%s: libraries re-export each other more than %d deep", umbrella->path, MAX_DEPTH);
    return;
  }
  const char *file = search_reexport(m, path, umbrella);
  const MachoLibrary *lib = file ? NULL : find_nested(nested, nnested, path);
  Opened o;
  m->depth++;
  if (lib) {
    add_library(m, lib, NULL, umbrella, nested, nnested);
  } else if (!file && path[0] != '@') {
    file = macho_library_path(m, path);
  }
  if (file && input_open(l, file, &o) > 0)
    macho_load_library(m, &o, base_name(file), NULL, umbrella);
  else if (!file && !lib && must)
    diag_error(l->diag, "library-not-found", "%s: re-exports %s, which can't be found", umbrella->path, path);
  m->depth--;
}

/* ---- libraries ---- */

static bool fits_platform(const MachoInputs *m, const MachoLibrary *lib, bool linked) {
  /* Xcode has shipped stubs of these that name the wrong platforms. */
  static const char *const unreliable[] = {"/usr/lib/system/libsystem_kernel.dylib", "/usr/lib/system/libsystem_platform.dylib",
                                           "/usr/lib/system/libsystem_pthread.dylib"};
  if (lib->for_target || (m->target.platform == PLATFORM_MACCATALYST && !linked))
    return true;
  for (u32 i = 0; i < COUNT_OF(unreliable); i++)
    if (streq(lib->install_name, unreliable[i]))
      return true;
  return false;
}

/* `own`: the unit that was made for it; NULL: whether it needs one is decided here. Parts of one file may re-export each other: a unit takes
 * each library once. */
static void add_library(MachoInputs *m, const MachoLibrary *lib, Unit *own, Unit *umbrella, const MachoLibrary *nested, u32 nnested) {
  if (!own && is_public(m, lib->install_name)) {
    if (find_unit(m, lib->install_name, false))
      return;
    own = new_unit(m, lib->install_name, lib->current_version, lib->compatibility_version);
    own->path = umbrella->path;
    own->arg = umbrella->arg;
  }
  Unit *unit = own ? own : umbrella;
  if (!fits_platform(m, lib, unit->shared->linked)) {
    diag_error(m->l->diag, "wrong-platform", "%s: %s is not for the platform of this link", unit->path, *lib->install_name ? lib->install_name : "the file");
    return;
  }
  for (u32 i = 0; !own && i < unit->parts.n; i++)
    if (unit->parts.at[i] == lib)
      return;
  *vec_push(&unit->parts) = lib;
  unit->shared->app_extension_safe &= lib->app_extension_safe;
  if (own) {
    own->rpaths = lib->rpaths;
    own->nrpaths = lib->nrpaths;
    own->shared->dead_strippable = lib->dead_strippable;
  }
  Naming x = {.m = m, .lib = lib, .own = own, .unit = unit};
  add_exports(&x);
  if (own)
    add_pending(m, own);
  for (u32 i = 0; i < lib->nreexports; i++)
    follow(m, lib->reexports[i], unit, nested, nnested, true);
  for (u32 i = 0; m->l->opt->darwin.flat_namespace && i < lib->nloads; i++) /* dyld will look into those, too */
    if (!find_unit(m, lib->loads[i], false))
      follow(m, lib->loads[i], unit, nested, nnested, false);
}

static void apply_input(Unit *u, const Input *in) {
  MachoShared *s = u->shared;
  if (!in)
    return;
  s->linked = true;
  s->weak |= in->weak;
  s->keep |= in->needed;
  s->reexport |= in->reexport;
  s->upward |= in->upward;
}

/* Libraries may name who links with them; a client is known by the beginning of its name. */
static void check_clients(MachoInputs *m, const MachoLibrary *lib, const char *path) {
  const char *me = m->l->opt->darwin.client_name;
  for (u32 i = 0; i < lib->nclients; i++)
    if (me && starts_with(lib->clients[i], me))
      return;
  if (lib->nclients)
    diag_error(m->l->diag, "not-a-client", "%s: %s may not be linked by %s: only certain clients are allowed", path, base_name(lib->install_name), me ? me : "this");
}

static bool read_library(MachoInputs *m, const char *path, Bytes data, MachoLibrary **libs, u32 *n) {
  Arena *a = &m->l->arena;
  if (tbd_is(data))
    return tbd_read(a, m->l->diag, path, data, &m->target, libs, n);
  *libs = ARENA_NEW(a, MachoLibrary);
  *n = 1;
  return macho_library_read(a, m->l->diag, path, data, &m->target, *libs);
}

static Unit *named_unit(MachoInputs *m, const LoadedLibrary *x) {
  Unit *u = new_unit(m, x->libs[0].install_name, x->libs[0].current_version, x->libs[0].compatibility_version);
  u->path = x->path;
  u->arg = x->arg;
  u->data = x->data;
  return u;
}

/* It came as a part of another library first, to which its symbols stay bound; yet the output names it. */
static Unit *link_part(MachoInputs *m, u32 at, const Input *in) {
  Unit *u = m->libraries.at[at].unit = named_unit(m, &m->libraries.at[at]);
  m->libraries.at[at].own = true;
  apply_input(u, in);
  const LoadedLibrary *x = &m->libraries.at[at];
  add_library(m, x->libs, u, NULL, x->libs + 1, x->n - 1);
  return u;
}

Unit *macho_load_library(MachoInputs *m, const Opened *o, const char *arg, const Input *in, Unit *umbrella) {
  for (u32 i = 0; !(in && in->mem) && i < m->libraries.n; i++) {
    const LoadedLibrary *x = &m->libraries.at[i];
    if (x->dev != o->dev || x->ino != o->ino)
      continue;
    if (x->own)
      apply_input(x->unit, in);
    else if (x->unit && in)
      return link_part(m, i, in);
    return x->unit;
  }
  u32 at = m->libraries.n;
  *vec_push(&m->libraries) = (LoadedLibrary){.dev = o->dev, .ino = o->ino};
  LoadedLibrary x = {.dev = o->dev, .ino = o->ino, .path = o->path, .arg = arg, .data = o->data};
  if (!macho_thin(m, o->path, &x.data) || !read_library(m, o->path, x.data, &x.libs, &x.n))
    return NULL;
  x.own = !umbrella || is_public(m, x.libs[0].install_name);
  x.unit = x.own ? named_unit(m, &x) : umbrella;
  m->libraries.at[at] = x;
  if (x.own)
    apply_input(x.unit, in);
  if (in)
    check_clients(m, &x.libs[0], o->path);
  add_library(m, x.libs, x.own ? x.unit : NULL, umbrella, x.libs + 1, x.n - 1);
  return x.unit;
}
