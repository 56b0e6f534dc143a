/* gnu_actions.c: what each option of gnu.def does to Options, and the tables of rows themselves.
 * The trap: an action runs at its place on the command line. What depends on later options (-L,
 * --sysroot, -o) is only noted here and settled by gnu_finish(). */
#include <stdlib.h>
#include <sys/stat.h>

#include "core/weld_version.h"
#include "driver/gnu_rows.h"
#include "driver/help.h"
#include "driver/values.h"
#include "util/glob.h"

#define ACTION(fn) ACTION_OF(Gnu, fn)

/* ---- inputs and their state ---- */

static Input *add_input(Gnu *g, const char *name) {
  Input *in = vec_push(&g->o->inputs);
  *in = (Input){
      .name = name,
      .whole_archive = g->state.whole_archive,
      .as_needed = g->state.as_needed,
      .bstatic = g->state.bstatic,
      .start_lib = g->in_lib,
      .group = g->group,
  };
  return in;
}

void gnu_add_input(Gnu *g, const char *name) {
  Input *in = add_input(g, name);
  Bytes b;
  in->binary = g->state.binary;
  if (g->h->memory && g->h->memory(g->h->ctx, name, &b)) {
    in->mem = b.p ? b.p : (const u8 *)""; /* NULL means a file */
    in->mem_len = b.len;
  }
}

ACTION(library) {
  if (!*arg || streq(arg, ":"))
    value_bad(&g->driver, name, arg, "the name of a library");
  else
    add_input(g, arg)->is_lib = true;
}

Input *gnu_add_script(Gnu *g, const char *name) {
  Input *in = add_input(g, name);
  in->script = true;
  return in;
}
ACTION(script) { gnu_add_script(g, arg); }
ACTION(default_script) { g->default_script = arg; }
ACTION(just_symbols) { add_input(g, arg)->just_symbols = true; }

ACTION(start_group) {
  if (g->group)
    diag_error(g->d, "nested-group", "%s inside a group", name);
  g->group = ++g->groups;
}

ACTION(end_group) {
  if (!g->group)
    diag_error(g->d, "nested-group", "%s without --start-group", name);
  g->group = 0;
}

ACTION(whole_archive) { g->state.whole_archive = true; }
ACTION(no_whole_archive) { g->state.whole_archive = false; }
ACTION(as_needed) { g->state.as_needed = true; }
ACTION(no_as_needed) { g->state.as_needed = false; }
ACTION(bstatic) { g->state.bstatic = true; }
ACTION(bdynamic) { g->state.bstatic = false; }
ACTION(push_state) { *vec_push(&g->saved) = g->state; }

ACTION(pop_state) {
  if (!g->saved.n)
    diag_error(g->d, "nested-group", "%s without --push-state", name);
  else
    g->state = g->saved.at[--g->saved.n];
}

static bool is_format(const char *name) {
  for (u32 i = 0; i < gnu_nemulations; i++)
    if (streq(name, gnu_formats[i]))
      return true;
  return false;
}

ACTION(input_format) {
  g->state.binary = streq(arg, "binary");
  if (g->state.binary)
    return;
  if (!is_format(arg))
    value_word(&g->driver, name, arg, (const char *const[]){"default", "elf", "elf64-x86-64", "elf32-x86-64", "elf32-i386", NULL});
}

/* Systems whose linkers have names of their own for the same thing. */
static const struct { const char *also, *name; } other_emulations[] = {
    {"elf_x86_64_fbsd", "elf_x86_64"}, {"elf_x86_64_haiku", "elf_x86_64"}, {"elf_x86_64_sol2", "elf_x86_64"},
    {"elf_i386_fbsd", "elf_i386"},     {"elf_i386_haiku", "elf_i386"},     {"elf_i386_ldso", "elf_i386"},
    {"elf_i386_sol2", "elf_i386"}};

ACTION(emulation) {
  for (u32 i = 0; i < COUNT_OF(other_emulations); i++)
    if (streq(arg, other_emulations[i].also))
      arg = other_emulations[i].name;
  for (u32 i = 0; i < gnu_nemulations; i++)
    if (streq(arg, gnu_emulations[i])) {
      g->o->emulation = gnu_emulations[i];
      return;
    }
  Text t = {0};
  for (u32 i = 0; i < gnu_nemulations; i++) {
    text_add(&t, i ? " " : "");
    text_add(&t, gnu_emulations[i]);
  }
  diag_error(g->d, "unknown-emulation", "unrecognised emulation mode: %s; supported emulations: %s", arg, text_finish(&t, &g->o->arena));
}

/* ---- output ---- */

ACTION(shared) { g->o->kind = OUTPUT_SHARED; }
ACTION(pie) { g->o->kind = OUTPUT_PIE; }

ACTION(no_pie) {
  g->o->kind = OUTPUT_EXEC;
}

ACTION(image_base) {
  g->o->has_image_base |= value_number(&g->driver, name, arg, 0, UINT64_MAX, &g->o->image_base);
}

ACTION(ttext_segment) {
  if (value_address(&g->driver, name, arg, &g->o->image_base))
    g->o->has_image_base = true;
}

ACTION(trodata_segment) { g->o->has_rodata_segment |= value_address(&g->driver, name, arg, &g->o->rodata_segment); }
ACTION(tldata_segment) { g->o->has_ldata_segment |= value_address(&g->driver, name, arg, &g->o->ldata_segment); }
ACTION(ttext) { g->o->has_ttext |= value_address(&g->driver, name, arg, &g->o->ttext); }
ACTION(tdata) { g->o->has_tdata |= value_address(&g->driver, name, arg, &g->o->tdata); }
ACTION(tbss) { g->o->has_tbss |= value_address(&g->driver, name, arg, &g->o->tbss); }

ACTION(section_start) {
  const char *value;
  const char *section = value_split(&g->driver, name, arg, "SECTION=ADDRESS", &value);
  u64 addr;
  if (section && value_address(&g->driver, name, value, &addr))
    *vec_push(&g->o->section_starts) = (SectionStart){section, addr};
}

ACTION(section_align) {
  const char *value;
  const char *section = value_split(&g->driver, name, arg, "SECTION=N", &value);
  u64 n;
  if (section && value_power_of_two(&g->driver, name, value, &n))
    *vec_push(&g->o->section_aligns) = (SectionStart){section, n};
}

ACTION(unique) {
  if (arg)
    *vec_push(&g->o->unique) = arg;
  else
    g->o->unique_orphans = true;
}

ACTION(big_endian) { g->o->endian = 'B'; }
ACTION(little_endian) { g->o->endian = 'L'; }

ACTION(oformat) {
  g->o->oformat_given = true;
  static const char *const words[] = {"elf", "elf64-x86-64", "elf32-x86-64", "elf32-i386", "default", "binary", NULL};
  if (streq(arg, "binary"))
    g->o->oformat_binary = true;
  else if (is_format(arg) || value_word(&g->driver, name, arg, words) >= 0)
    g->o->oformat_binary = false;
}

static bool hex_bytes(const char *s, u8 *out, u32 cap, u32 *len) {
  u32 n = 0;
  while (*s) {
    if (n && (*s == '-' || *s == ':'))
      s++;
    int hi = digit_of(s[0]);
    int lo = hi < 0 ? -1 : digit_of(s[1]);
    if (lo < 0 || n == cap)
      return false;
    out[n++] = (u8)(hi << 4 | lo);
    s += 2;
  }
  *len = n;
  return n > 0;
}

ACTION(build_id) {
  static const struct { const char *word; BuildIdKind kind; u32 len; } kinds[] = {
      {"none", BUILD_ID_NONE, 0},  {"fast", BUILD_ID_FAST, 20},   {"tree", BUILD_ID_FAST, 20},
      {"md5", BUILD_ID_MD5, 16},   {"sha1", BUILD_ID_SHA1, 20},   {"sha256", BUILD_ID_SHA256, 32},
      {"uuid", BUILD_ID_UUID, 16},
  };
  Options *o = g->o;
  if (!arg)
    arg = "fast";
  if (arg[0] == '0' && (arg[1] | 0x20) == 'x') {
    if (hex_bytes(arg + 2, o->build_id_bytes, sizeof o->build_id_bytes, &o->build_id_len))
      o->build_id = BUILD_ID_HEX;
    else
      value_bad(&g->driver, name, arg, "0x and up to 64 bytes in hexadecimal");
    return;
  }
  for (u32 i = 0; i < COUNT_OF(kinds); i++)
    if (streq(arg, kinds[i].word)) {
      o->build_id = kinds[i].kind;
      o->build_id_len = kinds[i].len;
      return;
    }
  value_bad(&g->driver, name, arg, "fast, md5, sha1, sha256, uuid, 0xHEX or none");
}

ACTION(package_metadata) {
  if (!arg) {
    g->o->package_metadata = NULL;
    return;
  }
  char *text = arena_alloc(&g->o->arena, strlen(arg) + 1, 1);
  u32 n = 0;
  for (const char *s = arg; *s; s++) {
    text[n++] = *s;
    if (*s != '%')
      continue;
    int hi = digit_of(s[1]), lo = hi < 0 ? -1 : digit_of(s[2]);
    if (lo < 0 || hi + lo == 0) {
      diag_error(g->d, "bad-value", "%s: invalid string: %s", name, arg);
      return;
    }
    text[n - 1] = (char)(hi << 4 | lo);
    s += 2;
  }
  g->o->package_metadata = text;
}

ACTION(compress_debug) {
  static const struct { const char *word; CompressKind kind; int level, min, max; } kinds[] = {
      {"none", COMPRESS_NONE, 0, 0, -1},
      {"zlib", COMPRESS_ZLIB, 1, 0, 9},
      {"zlib-gabi", COMPRESS_ZLIB, 1, 0, 9},
      {"zstd", COMPRESS_ZSTD, 3, 1, 22},
  };
  const char *colon = strchr(arg, ':');
  size_t len = colon ? (size_t)(colon - arg) : strlen(arg);
  for (u32 i = 0; i < COUNT_OF(kinds); i++) {
    if (strlen(kinds[i].word) != len || memcmp(kinds[i].word, arg, len) != 0 ||
        (colon && kinds[i].max < 0))
      continue;
    u64 level = (u64)kinds[i].level;
    if (colon && (!parse_u64(colon + 1, 0, &level) || level < (u64)kinds[i].min ||
                  level > (u64)kinds[i].max)) {
      diag_error(g->d, "bad-value", "%s: %s: %s level must be between %d and %d", name, arg,
                 kinds[i].word, kinds[i].min, kinds[i].max);
      return;
    }
    g->o->compress_debug = kinds[i].kind;
    g->o->compress_level = (int)level;
    return;
  }
  value_bad(&g->driver, name, arg, "none, zlib, zstd, zlib:LEVEL or zstd:LEVEL");
}

ACTION(nmagic) { g->o->nmagic = g->state.bstatic = true; }
ACTION(omagic) { g->o->omagic = g->state.bstatic = true; }

ACTION(eh_frame_hdr) {
  g->o->eh_frame_hdr = true;
  g->o->no_eh_frame_hdr = false;
}

ACTION(no_eh_frame_hdr) {
  g->o->eh_frame_hdr = false;
  g->o->no_eh_frame_hdr = true;
}

ACTION(optimize) {
  u64 n;
  if (value_number(&g->driver, name, arg, 0, UINT32_MAX, &n))
    g->o->optimize = (int)MIN(n, 2);
}

ACTION(spare_program_headers) {
  u64 n;
  if (value_number(&g->driver, name, arg, 0, 1000, &n))
    g->o->spare_program_headers = (u32)n;
}

/* ---- dynamic linking ---- */

ACTION(rpath) {
  for (u32 i = 0; i < g->o->rpath.n; i++)
    if (streq(g->o->rpath.at[i], arg))
      return;
  *vec_push(&g->o->rpath) = arg;
}

/* GNU ld decides by what is there. */
ACTION(just_symbols_or_rpath) {
  struct stat st;
  if (stat(arg, &st) == 0 && !S_ISDIR(st.st_mode))
    do_just_symbols(g, name, arg);
  else
    do_rpath(g, name, arg);
}

ACTION(hash_style) {
  static const char *const words[] = {"none", "sysv", "gnu", "both", NULL};
  int i = value_word(&g->driver, name, arg, words);
  if (i >= 0) {
    g->o->hash_sysv = i & 1;
    g->o->hash_gnu = i & 2;
  }
}

ACTION(pack_dyn_relocs) {
  static const char *const words[] = {"none", "relr", "android", "android+relr", NULL};
  int i = value_word(&g->driver, name, arg, words);
  if (i < 0)
    return;
  g->o->z_pack_relative_relocs = i & 1;
  if (i & 2)
    diag_warn(g->d, "unsupported-option", "%s=%s: Android's packed form is not supported yet; relocations are not packed that way", name, arg);
}

ACTION(spare_dynamic_tags) {
  u64 n;
  if (value_number(&g->driver, name, arg, 0, 1000, &n))
    g->o->spare_dynamic_tags = (u32)n;
}

/* ---- symbols ---- */

ACTION(defsym) {
  const char *text;
  const char *symbol = value_split(&g->driver, name, arg, "SYMBOL=EXPRESSION", &text);
  if (!symbol)
    return;
  if (!g->h->parse_expr) {
    option_unsupported(&g->driver, DIAG_ERROR, name);
    return;
  }
  const char *origin = arena_printf(&g->o->arena, "%s=%s", name, arg);
  const Expr *value = g->h->parse_expr(&g->o->arena, g->d, origin, text);
  if (value)
    *vec_push(&g->o->defsyms) = (Defsym){.name = symbol, .value = value, .text = text};
}

ACTION(version_script) { *vec_push(&g->version_scripts) = arg; }
ACTION(dynamic_list) { *vec_push(&g->dynamic_lists) = arg; }
ACTION(export_dynamic_symbol_list) { *vec_push(&g->export_lists) = arg; }

ACTION(export_dynamic_symbol) {
  *vec_push(&g->o->export_dynamic_symbols) =
      (VersionPattern){.pattern = arg, .exact = !glob_has_magic(arg)};
}

static void add_cxx_pattern(Gnu *g, const char *pattern) {
  *vec_push(&g->o->dynamic_list) = (VersionPattern){.pattern = pattern, .cxx = true};
  g->o->has_dynamic_list = true;
}

ACTION(dynamic_list_cpp_new) {
  add_cxx_pattern(g, "operator new*");
  add_cxx_pattern(g, "operator delete*");
}

ACTION(dynamic_list_cpp_typeinfo) {
  add_cxx_pattern(g, "typeinfo name for*");
  add_cxx_pattern(g, "typeinfo for*");
}

ACTION(exclude_libs) {
  for (const char *s = arg; *s;) {
    size_t len = strcspn(s, ",:");
    if (len)
      *vec_push(&g->o->exclude_libs) = arena_strndup(&g->o->arena, s, len);
    s += len + (s[len] != 0);
  }
}

/* --no-undefined, -z defs and --unresolved-symbols speak about one thing: the last one counts. */
ACTION(no_undefined) {
  g->o->no_undefined = OPT_YES;
  g->o->unresolved = UNRESOLVED_DEFAULT;
}

ACTION(z_undefs) {
  g->o->no_undefined = OPT_NO;
  g->o->unresolved = UNRESOLVED_DEFAULT;
}

ACTION(unresolved_symbols) {
  static const char *const words[] = {"report-all", "ignore-all", "ignore-in-object-files",
                                      "ignore-in-shared-libs", NULL};
  int i = value_word(&g->driver, name, arg, words);
  if (i < 0)
    return;
  g->o->unresolved = (UnresolvedKind)(UNRESOLVED_REPORT_ALL + i);
  g->o->no_undefined = OPT_AUTO;
}

ACTION(warn_unresolved) {
  g->o->warn_unresolved = true;
}

ACTION(error_unresolved) {
  g->o->warn_unresolved = false;
}

/* ---- sections, stripping ---- */

ACTION(orphan_handling) {
  static const char *const words[] = {"place", "discard", "warn", "error", NULL}; /* in the order of OrphanHandling */
  int i = value_word(&g->driver, name, arg, words);
  if (i >= 0)
    g->o->orphan_handling = (OrphanHandling)i;
}

ACTION(sort_section) {
  static const char *const words[] = {"none", "name", "alignment", NULL};
  int i = value_word(&g->driver, name, arg, words);
  if (i >= 0)
    g->o->sort_section = (SortSectionKind)i;
}

ACTION(shuffle_sections) {
  /* Without a seed the order is still the same each time: the output is a function of the inputs. */
  u64 seed = 1;
  if (arg && !value_number(&g->driver, name, arg, 0, UINT64_MAX, &seed))
    return;
  g->o->shuffle = SHUFFLE_RANDOM;
  g->o->shuffle_seed = seed;
}

ACTION(symbol_ordering_file) {
  Line x = {0};
  if (!value_file(&g->driver, name, arg, &x.rest))
    return;
  g->o->symbol_ordering_file = arg;
  g->o->symbol_ordering.n = 0; /* the last file counts */
  while (next_line(&x))
    *vec_push(&g->o->symbol_ordering) = arena_strndup(&g->o->arena, x.p, x.len);
}

/* "FROM TO WEIGHT" */
static bool call_weight(Gnu *g, const Line *x, CallWeight *out) {
  char *from = arena_strndup(&g->o->arena, x->p, x->len), *to = strchr(from, ' '), *weight = to ? strchr(to + 1, ' ') : NULL;
  if (!weight)
    return false;
  *to++ = *weight++ = 0;
  *out = (CallWeight){from, to, 0};
  return *from && *to && parse_u64(weight, 0, &out->weight);
}

ACTION(call_graph_ordering_file) {
  Line x = {0};
  CallWeight w;
  if (!value_file(&g->driver, name, arg, &x.rest))
    return;
  g->o->call_graph_file = arg;
  g->o->call_graph.n = 0;
  while (next_line(&x)) {
    if (call_weight(g, &x, &w))
      *vec_push(&g->o->call_graph) = w;
    else
      diag_error(g->d, "call-graph", "%s:%u: expected CALLER CALLEE COUNT, got '%.*s'", arg, x.number, (int)MIN(x.len, 200u), x.p);
  }
}

ACTION(call_graph_profile_sort) {
  static const char *const words[] = {"none", "hfsort", "cdsort", NULL}; /* in the order of CallSortKind, from its second on */
  int i = arg ? value_word(&g->driver, name, arg, words) : -1;
  if (!arg || i >= 0)
    g->o->call_sort = (CallSortKind)(i + 1);
}

ACTION(strip_all) { g->o->strip = STRIP_ALL; }

ACTION(strip_debug) {
  g->o->strip = STRIP_DEBUG; /* the last of -s and -S counts */
}

ACTION(retain_symbols_file) {
  Bytes text;
  if (!value_file(&g->driver, name, arg, &text))
    return;
  g->o->has_retain_symbols = true;
  for (u64 i = 0; i < text.len;) {
    u64 start = i;
    while (i < text.len && text.p[i] > ' ')
      i++;
    if (i > start)
      *vec_push(&g->o->retain_symbols) =
          arena_strndup(&g->o->arena, (const char *)text.p + start, i - start);
    else
      i++;
  }
}

/* ---- messages and running ---- */

static void print(Gnu *g, const char *text) {
  if (g->h->print)
    g->h->print(g->h->ctx, text);
}

ACTION(help) {
  if (arg && !streq(arg, "man")) {
    value_bad(&g->driver, name, arg, "man, or nothing");
    return;
  }
  print(g, arg ? gnu_man_page(&g->o->arena) : gnu_help(&g->o->arena, g->program));
  g->done = true;
}

ACTION(version) {
  print(g, WELD_VERSION_LINE "\n");
  g->version_shown = true;
}

ACTION(version_only) {
  print(g, WELD_VERSION_LINE "\n");
  g->done = true;
}

ACTION(version_emulations) {
  print(g, gnu_version_text(&g->o->arena));
  g->version_shown = true;
}

ACTION(verbose) {
  g->o->verbose = true; /* says what the whole line comes to: gnu_finish() */
}

ACTION(print_output_format) {
  g->wants_format = true; /* -m may follow */
}

ACTION(print_sysroot) {
  g->wants_sysroot = true;
}

/* ---- -z ---- */

static void separate(Gnu *g, Tri code, bool segments) {
  g->o->z_separate_code = code;
  g->o->z_separate_loadable_segments = segments;
}

ACTION(z_separate_code) { separate(g, OPT_YES, false); }
ACTION(z_noseparate_code) { separate(g, OPT_NO, false); }
ACTION(z_separate_segments) { separate(g, OPT_YES, true); }
ACTION(z_max_page_size) { value_power_of_two(&g->driver, name, arg, &g->o->z_max_page_size); }
ACTION(z_common_page_size) { value_power_of_two(&g->driver, name, arg, &g->o->z_common_page_size); }

ACTION(z_stack_size) {
  g->o->has_stack_size |= value_number(&g->driver, name, arg, 0, UINT64_MAX, &g->o->z_stack_size);
}

ACTION(z_cet_report) {
  static const char *const words[] = {"none", "warning", "error", NULL};
  int i = value_word(&g->driver, name, arg, words);
  if (i >= 0)
    g->o->z_cet_report = i;
}

ACTION(z_dynamic_undefined_weak) {
  g->o->dynamic_undefined_weak = OPT_YES;
  g->o->z_dynamic_undefined_weak = true;
}

ACTION(z_nodynamic_undefined_weak) {
  g->o->dynamic_undefined_weak = OPT_NO;
  g->o->z_dynamic_undefined_weak = false;
}

ACTION(z_start_stop_visibility) {
  /* In the order of STV_*. */
  static const char *const words[] = {"default", "internal", "hidden", "protected", NULL};
  int i = value_word(&g->driver, name, arg, words);
  if (i >= 0)
    g->o->start_stop_visibility = i;
}

static void isa(Gnu *g, int level) { g->o->z_x86_isa_level = MAX(g->o->z_x86_isa_level, level); }
ACTION(z_isa_1) { isa(g, 1); }
ACTION(z_isa_2) { isa(g, 2); }
ACTION(z_isa_3) { isa(g, 3); }
ACTION(z_isa_4) { isa(g, 4); }

/* ---- the tables ---- */

#define EMULATION(name, ...) name,
const char *const gnu_emulations[] = {
#include "script/emulation.def"
};
#undef EMULATION
const u32 gnu_nemulations = COUNT_OF(gnu_emulations);

#define EMULATION(name, cpu, machine, word, rel, format, ...) format,
const char *const gnu_formats[] = {
#include "script/emulation.def"
};
#undef EMULATION

#define OPT(names, arg, meta, group, act, help)                                                    \
  {names, ARG_##arg, meta, GROUP_##group, SUPPORT_FULL, act, help, 0, NULL},
#define NOP(names, arg, meta, help)                                                                \
  {names, ARG_##arg, meta, GROUP_RUNNING, SUPPORT_NO_EFFECT, NOTHING, help, 0, NULL},
#define LATER(names, arg, meta, level, act, help)                                                  \
  {names, ARG_##arg, meta, GROUP_RUNNING, SUPPORT_LATER_##level, act, help, 0, NULL},
#define ZOPT(...)
#define ZNOP(...)
#define ZLATER(...)
const OptionRow gnu_rows[] = {
#include "driver/gnu.def"
};
const u32 gnu_nrows = COUNT_OF(gnu_rows);
#undef OPT
#undef NOP
#undef LATER
#undef ZOPT
#undef ZNOP
#undef ZLATER

#define OPT(...)
#define NOP(...)
#define LATER(...)
#define ZOPT(names, arg, meta, act, help)                                                          \
  {names, ARG_##arg, meta, GROUP_Z, SUPPORT_FULL, act, help, 0, NULL},
#define ZNOP(names, arg, meta, help)                                                               \
  {names, ARG_##arg, meta, GROUP_Z, SUPPORT_NO_EFFECT, NOTHING, help, 0, NULL},
#define ZLATER(names, arg, meta, level, act, help)                                                 \
  {names, ARG_##arg, meta, GROUP_Z, SUPPORT_LATER_##level, act, help, 0, NULL},
const OptionRow gnu_z_rows[] = {
#include "driver/gnu.def"
};
const u32 gnu_nz_rows = COUNT_OF(gnu_z_rows);
