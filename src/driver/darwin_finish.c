/* darwin_finish.c: what can only be said after the last argument: for whom the output is, the defaults that follow
 * from that, directories below -syslibroot. The trap: a root replaces / for absolute directories only where the
 * directory is there, so what exists decides the search path, as with ld64. */
#include <stdlib.h>
#include <sys/stat.h>

#include "driver/darwin_rows.h"
#include "driver/values.h"

enum { MACOS = 1, IOS, TVOS, WATCHOS, BRIDGEOS, MACCATALYST, IOS_SIM, TVOS_SIM, WATCHOS_SIM, DRIVERKIT, XROS, XROS_SIM };

/* ---- directories ---- */

static bool is_directory(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void settle_roots(Darwin *g) {
  StrVec *roots = &g->o->darwin.roots;
  if (roots->n && streq(roots->at[roots->n - 1], "/"))
    roots->n = 0;
  if (!roots->n)
    *vec_push(roots) = "";
  for (u32 i = 0; i < roots->n; i++) { /* DIR/ and DIR are one */
    size_t len = strlen(roots->at[i]);
    while (len > 1 && roots->at[i][len - 1] == '/')
      len--;
    roots->at[i] = arena_strndup(&g->o->arena, roots->at[i], len);
  }
}

/* Adds `path` below each root that has it. */
static bool add_below_roots(Darwin *g, const char *path, StrVec *out) {
  bool found = false;
  for (u32 i = 0; i < g->o->darwin.roots.n; i++) {
    const char *dir = arena_printf(&g->o->arena, "%s%s", g->o->darwin.roots.at[i], path);
    if (is_directory(dir)) {
      *vec_push(out) = dir;
      found = true;
    }
  }
  return found;
}

static void settle_dirs(Darwin *g, const char *option, const StrVec *given, const char *const *standard, StrVec *out) {
  for (u32 i = 0; i < given->n; i++) {
    const char *dir = given->at[i];
    struct stat st;
    if (dir[0] == '/' && add_below_roots(g, dir, out))
      continue;
    if (is_directory(dir))
      *vec_push(out) = dir;
    else if (stat(dir, &st) == 0)
      diag_warn(g->d, "search-path", "%s%s: is no directory: ignored", option, dir);
    else
      diag_warn(g->d, "search-path", "%s%s: there is no such directory", option, dir);
  }
  for (; *standard && !g->o->darwin.no_standard_dirs; standard++)
    add_below_roots(g, *standard, out);
}

static void show_dirs(Darwin *g, const char *title, const StrVec *dirs) {
  const char *s = arena_printf(&g->o->arena, "%s\n", title);
  for (u32 i = 0; i < dirs->n; i++)
    s = arena_printf(&g->o->arena, "%s\t%s\n", s, dirs->at[i]);
  if (g->h->print)
    g->h->print(g->h->ctx, s);
}

static void settle_search(Darwin *g) {
  static const char *const libs[] = {"/usr/lib", "/usr/local/lib", NULL};
  static const char *const frameworks[] = {"/Library/Frameworks", "/System/Library/Frameworks", NULL};
  settle_roots(g);
  settle_dirs(g, "-L", &g->lib_dirs, libs, &g->o->lib_dirs);
  settle_dirs(g, "-F", &g->framework_dirs, frameworks, &g->o->darwin.framework_dirs);
  if (g->o->verbose) {
    show_dirs(g, "Library search paths:", &g->o->lib_dirs);
    show_dirs(g, "Framework search paths:", &g->o->darwin.framework_dirs);
  }
}

/* ---- target ---- */

static bool is_arm(const Darwin *g) { return streq(g->o->darwin.arch, "arm64"); }

static void settle_arch(Darwin *g) {
  static const char *const later[] = {"x86_64h", "arm64e", "arm64_32", "i386", "armv6", "armv7", "armv7k", "armv7s", "ppc", "ppc64"};
  const char *arch = g->o->darwin.arch;
  if (!arch) {
    diag_error(g->d, "missing-argument", "-arch must say what to link for: x86_64 or arm64");
    return;
  }
  if (streq(arch, "x86_64") || streq(arch, "arm64"))
    return;
  for (u32 i = 0; i < COUNT_OF(later); i++)
    if (streq(arch, later[i])) {
      diag_error(g->d, "unsupported-arch", "-arch %s is not supported yet: weld links for x86_64 and arm64", arch);
      return;
    }
  value_bad(&g->driver, "-arch", arch, "x86_64 or arm64");
}

/* "MacOSX12.3.sdk" says 12.3: without -platform_version the SDK is known by its name alone. */
static u32 sdk_by_name(Darwin *g) {
  for (u32 i = 0; i < g->o->darwin.roots.n; i++) {
    const char *root = g->o->darwin.roots.at[i], *slash = strrchr(root, '/'), *name = slash ? slash + 1 : root;
    size_t from = strcspn(name, "0123456789"), len = strspn(name + from, "0123456789.");
    u32 version;
    if (len > 1 && streq(name + from + len, "sdk") && darwin_version(arena_strndup(&g->o->arena, name + from, len - 1), &version))
      return version;
  }
  return 0;
}

static void settle_platform(Darwin *g) {
  DarwinOptions *x = &g->o->darwin;
  if (!g->platforms.n) {
    diag_error(g->d, "missing-argument", "-platform_version must say what system to link for: PLATFORM MIN SDK");
    return;
  }
  if (g->platforms.n > 1) {
    diag_error(g->d, "unsupported-option", "an output for two platforms is not supported yet: more than one -platform_version");
    return;
  }
  const PlatformVersion *p = &g->platforms.at[0];
  x->platform = p->platform;
  x->min_version = p->min;
  u32 sdk = p->sdk ? p->sdk : g->sdk_version ? g->sdk_version : sdk_by_name(g);
  x->sdk_version = sdk ? sdk : p->min;
}

/* A feature that came with certain versions; 0: never. */
typedef struct { u8 platform, major, minor; } Since;

static bool target_has(const Darwin *g, const Since *since, u32 n) {
  const DarwinOptions *x = &g->o->darwin;
  for (u32 i = 0; i < n; i++)
    if (since[i].platform == x->platform)
      return x->min_version >= (u32)(since[i].major << 16 | since[i].minor << 8);
  return false;
}

static bool chains_by_default(const Darwin *g) {
  static const Since since[] = {{MACOS, 13, 0}, {IOS, 13, 4}, {IOS_SIM, 16, 0}, {TVOS, 14, 0}, {TVOS_SIM, 15, 0},
                                {WATCHOS, 7, 0}, {WATCHOS_SIM, 8, 0}, {XROS, 1, 0}, {XROS_SIM, 1, 0}};
  return target_has(g, since, COUNT_OF(since));
}

static bool data_const_by_default(const Darwin *g) {
  static const Since since[] = {{MACOS, 10, 15}, {IOS, 13, 0}, {IOS_SIM, 13, 0}, {TVOS, 13, 0}, {TVOS_SIM, 13, 0},
                                {WATCHOS, 6, 0}, {WATCHOS_SIM, 6, 0}, {XROS, 1, 0}, {XROS_SIM, 1, 0}, {BRIDGEOS, 4, 0}};
  return g->o->kind != OUTPUT_EXEC && target_has(g, since, COUNT_OF(since));
}

static bool signs_by_default(const Darwin *g) {
  u32 p = g->o->darwin.platform;
  return is_arm(g) && (p == MACOS || p == IOS_SIM || p == TVOS_SIM || p == WATCHOS_SIM || p == XROS_SIM);
}

static void settle_output(Darwin *g) {
  Options *o = g->o;
  if (o->kind != OUTPUT_SHARED) {
    if (g->pie == OPT_NO && is_arm(g))
      diag_warn(g->d, "bad-option", "-no_pie: programs for arm64 are always position-independent");
    o->kind = g->pie == OPT_NO && !is_arm(g) ? OUTPUT_EXEC : OUTPUT_PIE;
  }
  if (g->chained == OPT_YES && o->kind == OUTPUT_EXEC)
    diag_error(g->d, "bad-option", "-fixup_chains may not be used with -no_pie");
  o->darwin.chained_fixups = o->kind != OUTPUT_EXEC && (g->chained == OPT_AUTO ? chains_by_default(g) : g->chained == OPT_YES);
  o->darwin.adhoc_sign = g->adhoc == OPT_AUTO ? signs_by_default(g) : g->adhoc == OPT_YES;
  o->darwin.data_const = g->data_const == OPT_AUTO ? data_const_by_default(g) : g->data_const == OPT_YES;
  o->darwin.init_offsets |= o->darwin.chained_fixups;
}

/* ---- what options say together ---- */

/* libfoo.1_debug.dylib links as foo. */
static const char *client_name(Darwin *g, const char *path) {
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  name += starts_with(name, "lib") ? 3 : 0;
  return arena_strndup(&g->o->arena, name, strcspn(name, "._"));
}

static void check_together(Darwin *g) {
  Options *o = g->o;
  DarwinOptions *x = &o->darwin;
  bool dylib = o->kind == OUTPUT_SHARED && !x->bundle;
  if (g->version_option && !dylib)
    diag_error(g->d, "bad-option", "%s may not be used without -dylib", g->version_option);
  if (x->bundle_loader && !x->bundle)
    diag_error(g->d, "bad-option", "-bundle_loader may not be used without -bundle");
  if (x->dyld_env.n && o->kind == OUTPUT_SHARED)
    diag_error(g->d, "bad-option", "-dyld_env may not be used with %s: only programs have it", x->bundle ? "-bundle" : "-dylib");
  if (x->umbrella && !dylib)
    diag_warn(g->d, "bad-option", "-umbrella has no effect without -dylib");
  if (x->mark_dead_strippable && !dylib)
    diag_warn(g->d, "bad-option", "-mark_dead_strippable_dylib has no effect without -dylib");
  if (x->explicit_exports && g->unexport_option)
    diag_error(g->d, "bad-option", "%s and %s may not be used together", g->export_option ? g->export_option : "-no_exported_symbols", g->unexport_option);
  if (!x->flat_namespace && (x->undefined == UNDEFINED_WARNING || x->undefined == UNDEFINED_SUPPRESS))
    diag_error(g->d, "bad-option", "-undefined %s may not be used without -flat_namespace", x->undefined == UNDEFINED_WARNING ? "warning" : "suppress");
  if (o->why_live.n && !o->gc_sections)
    diag_warn(g->d, "bad-option", "-why_live has no effect without -dead_strip");
}

static void settle_names(Darwin *g) {
  Options *o = g->o;
  if (!o->darwin.final_output)
    o->darwin.final_output = o->output;
  if (!o->soname && o->kind == OUTPUT_SHARED && !o->darwin.bundle)
    o->soname = o->darwin.final_output;
  if (o->darwin.why_load)
    o->why_extract = "-";
  if (!o->darwin.client_name)
    o->darwin.client_name = client_name(g, o->darwin.final_output);
  if (!o->entry && o->kind != OUTPUT_SHARED)
    o->entry = "_main";
}

void darwin_finish(Darwin *g) {
  Options *o = g->o;
  for (const char *name; g->h->next_unnamed && (name = g->h->next_unnamed(g->h->ctx));)
    darwin_add_input(g, name);
  settle_search(g);
  if (!o->inputs.n) {
    if (!g->version_shown)
      diag_error(g->d, "no-inputs", "no input files");
    return;
  }
  if (!*o->output)
    diag_error(g->d, "bad-value", "-o: expected the name of a file, got ''");
  u32 errors = diag_errors(g->d);
  settle_arch(g);
  settle_platform(g);
  if (diag_errors(g->d) == errors)
    settle_output(g);
  check_together(g);
  settle_names(g);
}
