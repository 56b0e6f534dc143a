/* darwin_actions.c: what each option of darwin.def does to Options, and the table of rows itself.
 * The trap: an action runs at its place on the command line; what depends on later options (-syslibroot, -arch,
 * -platform_version, -dylib) is only noted here and settled by darwin_finish(). */
#include <stdlib.h>

#include "core/weld_version.h"
#include "driver/darwin_rows.h"
#include "driver/values.h"

#define ACTION(fn) ACTION_OF(Darwin, fn)

/* ---- inputs ---- */

static Input *add_input(Darwin *g, const char *name) {
  Input *in = vec_push(&g->o->inputs);
  *in = (Input){.name = name, .start_lib = g->in_lib};
  return in;
}

static Input *add_file(Darwin *g, const char *name) {
  Input *in = add_input(g, name);
  Bytes b;
  if (g->h->memory && g->h->memory(g->h->ctx, name, &b)) {
    in->mem = b.p ? b.p : (const u8 *)""; /* NULL means a file */
    in->mem_len = b.len;
  }
  return in;
}

void darwin_add_input(Darwin *g, const char *name) { add_file(g, name); }

static Input *add_library(Darwin *g, const char *name) {
  Input *in = add_input(g, name);
  in->is_lib = true;
  return in;
}

static Input *add_framework(Darwin *g, const char *name) {
  Input *in = add_input(g, name);
  in->is_framework = true;
  return in;
}

ACTION(library) { add_library(g, arg); }
ACTION(weak_library_l) { add_library(g, arg)->weak = true; }
ACTION(needed_library_l) { add_library(g, arg)->needed = true; }
ACTION(reexport_library_l) { add_library(g, arg)->reexport = true; }
ACTION(hidden_library_l) { add_library(g, arg)->hidden = true; }
ACTION(upward_library_l) { add_library(g, arg)->upward = true; }
ACTION(plain_library) { add_file(g, arg); }
ACTION(weak_library) { add_file(g, arg)->weak = true; }
ACTION(needed_library) { add_file(g, arg)->needed = true; }
ACTION(reexport_library) { add_file(g, arg)->reexport = true; }
ACTION(upward_library) { add_file(g, arg)->upward = true; }
ACTION(load_hidden) { add_file(g, arg)->hidden = true; }
ACTION(force_load) { add_file(g, arg)->whole_archive = true; }
ACTION(framework) { add_framework(g, arg); }
ACTION(weak_framework) { add_framework(g, arg)->weak = true; }
ACTION(needed_framework) { add_framework(g, arg)->needed = true; }
ACTION(reexport_framework) { add_framework(g, arg)->reexport = true; }
ACTION(upward_framework) { add_framework(g, arg)->upward = true; }
ACTION(lib_dir) { *vec_push(&g->lib_dirs) = arg; }
ACTION(framework_dir) { *vec_push(&g->framework_dirs) = arg; }

/* Every byte of a line may belong to a path; only the end of the line does not. */
ACTION(filelist) {
  const char *comma = strrchr(arg, ','), *dir = comma ? comma + 1 : NULL;
  Bytes text;
  if (!value_file(&g->driver, name, comma ? arena_strndup(&g->o->arena, arg, (u64)(comma - arg)) : arg, &text))
    return;
  for (u64 i = 0; i < text.len;) {
    const u8 *end = memchr(text.p + i, '\n', text.len - i);
    u64 len = end ? (u64)(end - text.p) - i : text.len - i;
    u64 bare = len && text.p[i + len - 1] == '\r' ? len - 1 : len;
    const char *path = arena_strndup(&g->o->arena, (const char *)text.p + i, bare);
    if (*path)
      add_file(g, dir && path[0] != '/' ? arena_printf(&g->o->arena, "%s/%s", dir, path) : path);
    i += len + 1;
  }
}

/* ---- output ---- */

static void output_kind(Darwin *g, OutputKind kind, bool bundle) {
  g->o->kind = kind;
  g->o->darwin.bundle = bundle;
}

ACTION(execute) { output_kind(g, OUTPUT_PIE, false); }
ACTION(dylib) { output_kind(g, OUTPUT_SHARED, false); }
ACTION(bundle) { output_kind(g, OUTPUT_SHARED, true); }
ACTION(pie) { g->pie = OPT_YES; }
ACTION(no_pie) { g->pie = OPT_NO; }
ACTION(adhoc_codesign) { g->adhoc = OPT_YES; }
ACTION(no_adhoc_codesign) { g->adhoc = OPT_NO; }
ACTION(fixup_chains) { g->chained = OPT_YES; }
ACTION(no_fixup_chains) { g->chained = OPT_NO; }
ACTION(data_const) { g->data_const = OPT_YES; }
ACTION(no_data_const) { g->data_const = OPT_NO; }

bool darwin_version(const char *s, u32 *out) {
  static const u32 most[] = {0xffff, 0xff, 0xff};
  u32 part[3] = {0};
  for (u32 i = 0; i < COUNT_OF(part); i++) {
    u32 digits = 0;
    for (; *s >= '0' && *s <= '9'; s++, digits++) {
      part[i] = part[i] * 10 + (u32)(*s - '0');
      if (part[i] > most[i])
        return false;
    }
    if (!digits)
      return false;
    if (!*s) {
      *out = part[0] << 16 | part[1] << 8 | part[2];
      return true;
    }
    if (*s++ != '.')
      return false;
  }
  return false;
}

static bool version(Darwin *g, const char *name, const char *arg, u32 *out) {
  if (darwin_version(arg, out))
    return true;
  value_bad(&g->driver, name, arg, "a version X.Y.Z (X up to 65535, Y and Z up to 255)");
  return false;
}

/* The last that is said of a platform counts. */
static void add_platform(Darwin *g, u32 platform, u32 min, u32 sdk) {
  for (u32 i = 0; i < g->platforms.n; i++)
    if (g->platforms.at[i].platform == platform) {
      g->platforms.at[i] = (PlatformVersion){platform, min, sdk};
      return;
    }
  *vec_push(&g->platforms) = (PlatformVersion){platform, min, sdk};
}

/* Names and numbers of <mach-o/loader.h>'s PLATFORM_*. */
static u32 platform_number(const char *s) {
  static const char *const names[] = {"", "macos", "ios", "tvos", "watchos", "bridgeos", "mac-catalyst", "ios-simulator",
                                      "tvos-simulator", "watchos-simulator", "driverkit", "xros", "xros-simulator"};
  char lower[32] = "";
  u64 n;
  for (u32 i = 0; s[i] && i + 1 < sizeof lower; i++)
    lower[i] = (char)(s[i] == ' ' ? '-' : s[i] >= 'A' && s[i] <= 'Z' ? s[i] | 0x20 : s[i]);
  for (u32 i = 1; i < COUNT_OF(names); i++)
    if (streq(lower, names[i]))
      return i;
  return parse_u64(s, 0, &n) && n < COUNT_OF(names) ? (u32)n : 0;
}

ACTION(platform_version) {
  u32 platform = platform_number(arg), min, sdk;
  if (!platform) {
    value_bad(&g->driver, name, arg, "a platform (macos, ios, ios-simulator, mac-catalyst, ... or its number)");
    return;
  }
  if (version(g, name, g->values[1], &min) && version(g, name, g->values[2], &sdk))
    add_platform(g, platform, min, sdk);
}

static void version_min(Darwin *g, const char *name, const char *arg, u32 platform) {
  u32 min;
  if (version(g, name, arg, &min))
    add_platform(g, platform, min, 0);
}

ACTION(macos_version_min) { version_min(g, name, arg, 1); }
ACTION(ios_version_min) { version_min(g, name, arg, 2); }
ACTION(tvos_version_min) { version_min(g, name, arg, 3); }
ACTION(watchos_version_min) { version_min(g, name, arg, 4); }
ACTION(bridgeos_version_min) { version_min(g, name, arg, 5); }
ACTION(maccatalyst_version_min) { version_min(g, name, arg, 6); }
ACTION(ios_simulator_version_min) { version_min(g, name, arg, 7); }
ACTION(driverkit_version_min) { version_min(g, name, arg, 10); }
ACTION(sdk_version) { version(g, name, arg, &g->sdk_version); }

ACTION(current_version) {
  g->version_option = name;
  version(g, name, arg, &g->o->darwin.current_version);
}

ACTION(compatibility_version) {
  g->version_option = name;
  version(g, name, arg, &g->o->darwin.compatibility_version);
}

ACTION(branch_range) { value_number(&g->driver, name, arg, 1, INT64_MAX, &g->o->branch_range); }
ACTION(stack_size) { g->o->has_stack_size |= value_address(&g->driver, name, arg, &g->o->z_stack_size); }
ACTION(pagezero_size) { g->o->darwin.has_pagezero_size |= value_address(&g->driver, name, arg, &g->o->darwin.pagezero_size); }
ACTION(image_base) { g->o->has_image_base |= value_address(&g->driver, name, arg, &g->o->image_base); }

ACTION(headerpad) {
  u64 n;
  if (!value_address(&g->driver, name, arg, &n))
    return;
  if (n > 1 << 24)
    diag_error(g->d, "bad-value", "%s: %s: at most 1000000 bytes may be kept free", name, arg);
  else
    g->o->darwin.headerpad = n;
}

ACTION(rpath) {
  for (u32 i = 0; i < g->o->rpath.n; i++)
    if (streq(g->o->rpath.at[i], arg))
      return;
  *vec_push(&g->o->rpath) = arg;
}

ACTION(dyld_env) {
  const char *value;
  if (value_split(&g->driver, name, arg, "NAME=VALUE", &value))
    *vec_push(&g->o->darwin.dyld_env) = arg;
}

/* ---- symbols ---- */

ACTION(undefined) {
  static const char *const words[] = {"error", "warning", "suppress", "dynamic_lookup", NULL}; /* as UndefinedTreatment */
  int i = value_word(&g->driver, name, arg, words);
  if (i >= 0)
    g->o->darwin.undefined = (UndefinedTreatment)i;
}

/* The next entry of a list of Apple's: comments may stand behind it. False at the end. */
static bool next_entry(Line *x) {
  while (next_line(x)) {
    const char *comment = memchr(x->p, '#', x->len);
    x->len = comment ? (u64)(comment - x->p) : x->len;
    while (x->len && (u8)x->p[x->len - 1] <= ' ')
      x->len--;
    if (x->len)
      return true;
  }
  return false;
}

static void read_patterns(Darwin *g, const char *name, const char *arg, StrVec *out) {
  Line x = {0};
  if (!value_file(&g->driver, name, arg, &x.rest))
    return;
  while (next_entry(&x))
    *vec_push(out) = arena_strndup(&g->o->arena, x.p, x.len);
}

ACTION(exported_symbol) {
  g->o->darwin.explicit_exports = true;
  g->export_option = name;
  *vec_push(&g->o->darwin.exported) = arg;
}

ACTION(exported_symbols_list) {
  g->o->darwin.explicit_exports = true;
  g->export_option = name;
  read_patterns(g, name, arg, &g->o->darwin.exported);
}

ACTION(no_exported_symbols) { g->o->darwin.explicit_exports = true; }

ACTION(unexported_symbol) {
  g->unexport_option = name;
  *vec_push(&g->o->darwin.unexported) = arg;
}

ACTION(unexported_symbols_list) {
  g->unexport_option = name;
  read_patterns(g, name, arg, &g->o->darwin.unexported);
}

ACTION(alias) { *vec_push(&g->o->darwin.aliases) = (Defsym){.name = g->values[1], .text = arg}; }

/* "ARCH:" before a symbol; false: the line is for another processor. */
static bool order_arch(const Darwin *g, Line *x) {
  static const char *const archs[] = {"i386:", "x86_64:", "x86_64h:", "arm:", "arm64:", "arm64e:", "ppc:", "ppc64:"};
  for (u32 i = 0; i < COUNT_OF(archs); i++) {
    u64 n = strlen(archs[i]);
    if (x->len > n && !memcmp(x->p, archs[i], n)) {
      bool mine = g->o->darwin.arch && strlen(g->o->darwin.arch) == n - 1 && !memcmp(g->o->darwin.arch, archs[i], n - 1);
      for (x->p += n, x->len -= n; x->len && (u8)*x->p <= ' '; x->p++)
        x->len--;
      return mine;
    }
  }
  return true;
}

/* [ARCH:][OBJECT.o:]SYMBOL, as ld64 has it. */
ACTION(order_file) {
  Line x = {0};
  bool said = false;
  if (!value_file(&g->driver, name, arg, &x.rest))
    return;
  g->o->symbol_ordering_file = arg;
  g->o->symbol_ordering.n = 0;
  while (next_entry(&x)) {
    if (!order_arch(g, &x))
      continue;
    const char *object = memmem(x.p, x.len, ".o:", 3), *member = memmem(x.p, x.len, ".o):", 4);
    const char *symbol = member ? member + 4 : object ? object + 3 : x.p;
    if (symbol != x.p && !said)
      diag_warn(g->d, "unsupported-option", "%s: %s:%u: the object of a symbol is not looked at: every symbol of that name is meant", name, arg, x.number);
    said |= symbol != x.p;
    u64 len = (u64)(x.p + x.len - symbol);
    while (len && (u8)*symbol <= ' ')
      symbol++, len--;
    if (len)
      *vec_push(&g->o->symbol_ordering) = arena_strndup(&g->o->arena, symbol, len);
  }
}

/* ---- sections ---- */

/* Names of segments and sections have 16 bytes. */
static bool section_names(Darwin *g, const char *name, u32 n) {
  for (u32 i = 0; i < n; i++)
    if (!*g->values[i] || strlen(g->values[i]) > 16) {
      value_bad(&g->driver, name, g->values[i], "a name of 1 to 16 bytes");
      return false;
    }
  return true;
}

ACTION(sectcreate) {
  Bytes b;
  if (section_names(g, name, 2) && value_file(&g->driver, name, g->values[2], &b))
    *vec_push(&g->o->darwin.file_sections) = (FileSection){arg, g->values[1], b.p, b.len};
}

ACTION(add_empty_section) {
  if (section_names(g, name, 2))
    *vec_push(&g->o->darwin.file_sections) = (FileSection){arg, g->values[1], (const u8 *)"", 0};
}

ACTION(rename_section) {
  if (section_names(g, name, 4))
    *vec_push(&g->o->darwin.renames) = (SectionRename){arg, g->values[1], g->values[2], g->values[3]};
}

ACTION(rename_segment) {
  if (section_names(g, name, 2))
    *vec_push(&g->o->darwin.renames) = (SectionRename){arg, NULL, g->values[1], NULL};
}

ACTION(sectalign) {
  u64 n;
  if (!section_names(g, name, 2) || !value_address(&g->driver, name, g->values[2], &n))
    return;
  if (!is_pow2(n) || n > 1 << 15)
    diag_error(g->d, "bad-value", "%s: %s: value must be a power of 2, at most 8000", name, g->values[2]);
  else
    *vec_push(&g->o->darwin.section_aligns) = (SectionAlign){arg, g->values[1], n};
}

static bool protection(Darwin *g, const char *name, const char *arg, u32 *out) {
  *out = 0;
  for (const char *s = arg; *s; s++) {
    const char *letters = "rwx", *at = strchr(letters, *s);
    if (at)
      *out |= 1u << (at - letters);
    else if (*s != '-') {
      value_bad(&g->driver, name, arg, "letters of rwx, or -");
      return false;
    }
  }
  return true;
}

ACTION(segprot) {
  SegmentProt p = {.segment = arg};
  if (!section_names(g, name, 1) || !protection(g, name, g->values[1], &p.max) || !protection(g, name, g->values[2], &p.init))
    return;
  if (p.init & ~p.max)
    diag_error(g->d, "bad-value", "%s %s: initial protection %s allows more than the maximum %s", name, arg, g->values[2], g->values[1]);
  else if (streq(arg, "__LINKEDIT"))
    diag_error(g->d, "bad-value", "%s cannot change the protection of __LINKEDIT", name);
  else
    *vec_push(&g->o->darwin.protections) = p;
}

/* ---- stripping ---- */

static void local_list(Darwin *g, const char *name, const char *arg, bool keep) {
  DarwinOptions *x = &g->o->darwin;
  if (keep ? x->drop_listed_locals : x->keep_only_listed_locals) {
    diag_error(g->d, "bad-option", "-non_global_symbols_strip_list and -non_global_symbols_no_strip_list may not be used together");
    return;
  }
  *(keep ? &x->keep_only_listed_locals : &x->drop_listed_locals) = true;
  g->o->discard = DISCARD_DEFAULT; /* of these and -x the last counts */
  read_patterns(g, name, arg, &x->local_patterns);
}

ACTION(strip_list) { local_list(g, name, arg, false); }
ACTION(no_strip_list) { local_list(g, name, arg, true); }
ACTION(no_locals) { g->o->discard = DISCARD_ALL; }

/* ---- messages ---- */

static void print(Darwin *g, const char *text) {
  if (g->h->print)
    g->h->print(g->h->ctx, text);
}

ACTION(help) {
  print(g, darwin_help(&g->o->arena, g->program));
  g->done = true;
}

ACTION(verbose) {
  if (!g->o->verbose)
    print(g, WELD_VERSION_LINE "\n");
  g->o->verbose = g->version_shown = true;
}

ACTION(version) {
  print(g, WELD_VERSION_LINE "\n");
  g->done = true;
}

ACTION(version_details) {
  print(g, "{\n  \"version\": \"" WELD_VERSION "\",\n  \"architectures\": [\"x86_64\", \"arm64\"]\n}\n");
  g->done = true;
}

/* Unlike GNU's, --color-diagnostics alone means always. */
ACTION(color_diagnostics) { do_color(g, name, arg ? arg : "always"); }

/* ---- the table ---- */

#define OPT(names, arg, values, meta, group, act, help)                                            \
  {names, ARG_##arg, meta, GROUP_##group, SUPPORT_FULL, act, help, values, "-"},
#define LLD(names, arg, meta, group, act, help)                                                    \
  {names, ARG_##arg, meta, GROUP_##group, SUPPORT_FULL, act, help, 1, "--"},
#define NOP(names, arg, values, meta, help)                                                        \
  {names, ARG_##arg, meta, GROUP_RUNNING, SUPPORT_NO_EFFECT, NOTHING, help, values, "-"},
#define LATER(names, arg, values, meta, level, help)                                               \
  {names, ARG_##arg, meta, GROUP_RUNNING, SUPPORT_LATER_##level, NOTHING, help, values, "-"},
const OptionRow darwin_rows[] = {
#include "driver/darwin.def"
};
const u32 darwin_nrows = COUNT_OF(darwin_rows);
