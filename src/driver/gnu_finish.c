/* gnu_finish.c: files that the command line itself names (scripts, lists), and what can only be said
 * after the last argument. The trap: --version-script, -T and the like are looked for in -L
 * directories too, including those that come later on the line. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "driver/gnu_rows.h"
#include "driver/values.h"

static bool has_memory(Gnu *g, const char *name) {
  Bytes b;
  return g->h->memory && g->h->memory(g->h->ctx, name, &b);
}

/* Where a script is: under its own name, else in the first -L directory that has it; its own name when
 * nothing has it, for the message of who opens it. */
static const char *find_script(Gnu *g, const char *name) {
  if (has_memory(g, name) || access(name, F_OK) == 0 || name[0] == '/')
    return name;
  for (u32 i = 0; i < g->o->lib_dirs.n; i++) {
    const char *path = arena_printf(&g->o->arena, "%s/%s", g->o->lib_dirs.at[i], name);
    if (access(path, F_OK) == 0)
      return path;
  }
  return name;
}

/* Reads the script for `option`; false after a report. */
static bool read_script(Gnu *g, const char *option, const char *name, bool can_parse,
                        const char **path, Bytes *text) {
  if (!can_parse) {
    diag_error(g->d, "unsupported-option", "%s is not supported here", option);
    return false;
  }
  int err;
  *path = find_script(g, name);
  if (driver_read_file(&g->driver, *path, text, &err))
    return true;
  diag_error(g->d, "cannot-open", "%s: cannot open %s: %s", option, name, strerror(err));
  return false;
}

static void read_scripts(Gnu *g) {
  Options *o = g->o;
  const char *path;
  Bytes text;
  for (u32 i = 0; i < g->version_scripts.n; i++)
    if (read_script(g, "--version-script", g->version_scripts.at[i], g->h->parse_version, &path,
                    &text))
      o->has_version_script |=
          g->h->parse_version(&o->arena, g->d, path, text, &o->version_script);
  for (u32 i = 0; i < g->dynamic_lists.n; i++)
    if (read_script(g, "--dynamic-list", g->dynamic_lists.at[i], g->h->parse_dynamic_list, &path,
                    &text))
      o->has_dynamic_list |=
          g->h->parse_dynamic_list(&o->arena, g->d, path, text, &o->dynamic_list);
  for (u32 i = 0; i < g->export_lists.n; i++)
    if (read_script(g, "--export-dynamic-symbol-list", g->export_lists.at[i],
                    g->h->parse_dynamic_list, &path, &text))
      (void)g->h->parse_dynamic_list(&o->arena, g->d, path, text, &o->export_dynamic_symbols);
  for (u32 i = 0; i < o->inputs.n; i++) {
    Input *in = &o->inputs.at[i];
    if (!in->script)
      continue;
    in->name = find_script(g, in->name);
    if (g->h->memory && g->h->memory(g->h->ctx, in->name, &text)) {
      in->mem = text.p ? text.p : (const u8 *)"";
      in->mem_len = text.len;
    }
  }
}

/* "=DIR" and "$SYSROOTDIR" are below the sysroot; without one they are plain. */
static void place_lib_dirs(Gnu *g) {
  for (u32 i = 0; i < g->o->lib_dirs.n; i++) {
    const char *dir = g->o->lib_dirs.at[i];
    size_t skip = dir[0] == '=' ? 1 : starts_with(dir, "$SYSROOT") ? 8 : 0;
    if (!skip)
      continue;
    const char *root = g->o->sysroot ? g->o->sysroot : "";
    size_t len = strlen(root);
    /* --sysroot=/x and -L=y mean /x/y. */
    const char *sep = len && root[len - 1] != '/' && dir[skip] != '/' ? "/" : "";
    g->o->lib_dirs.at[i] = arena_printf(&g->o->arena, "%s%s%s", root, sep, dir + skip);
  }
}

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static void place_reports(Gnu *g) {
  Options *o = g->o;
  struct stat st;
  if (o->map_file && !streq(o->map_file, "-") && stat(o->map_file, &st) == 0 &&
      S_ISDIR(st.st_mode))
    o->map_file = arena_printf(&o->arena, "%s/%s.map", o->map_file, base_name(o->output));
}

/* GNU ld's form; scripts of the world cut the text out between the lines of ====. */
static void print_script(Gnu *g) {
  static const char line[] = "==================================================\n";
  Options *o = g->o;
  if (!o->verbose || !g->h->print)
    return;
  bool internal = true;
  const char *text = g->h->script ? g->h->script(&o->arena, o, &internal) : NULL;
  g->h->print(g->h->ctx, gnu_version_text(&o->arena));
  if (text)
    g->h->print(g->h->ctx, arena_printf(&o->arena, "using %s linker script:\n%s%s\n%s", internal ? "internal" : "external", line, text, line));
  bool only_scripts = true;
  for (u32 i = 0; i < o->inputs.n; i++)
    only_scripts &= o->inputs.at[i].script;
  g->done = only_scripts; /* there is nothing to link */
}

/* -dT stands for the default script when no -T did. */
static void use_default_script(Gnu *g) {
  if (g->default_script)
    gnu_add_script(g, g->default_script)->default_script = true;
}

static const char *output_format(const Options *o) {
  for (u32 i = 0; o->emulation && i < gnu_nemulations; i++)
    if (streq(o->emulation, gnu_emulations[i]))
      return gnu_formats[i];
  return gnu_formats[0];
}

/* What is asked for instead of a link. */
static bool print_facts(Gnu *g) {
  const Options *o = g->o;
  if (g->wants_format && g->h->print)
    g->h->print(g->h->ctx, arena_printf(&g->o->arena, "%s\n", output_format(o)));
  if (g->wants_sysroot && g->h->print)
    g->h->print(g->h->ctx, arena_printf(&g->o->arena, "%s\n", o->sysroot ? o->sysroot : ""));
  return g->wants_format || g->wants_sysroot;
}

void gnu_finish(Gnu *g) {
  Options *o = g->o;
  if (print_facts(g)) {
    g->done = true;
    return;
  }
  use_default_script(g);
  place_lib_dirs(g);
  place_reports(g);
  read_scripts(g);
  for (const char *name; g->h->next_unnamed && (name = g->h->next_unnamed(g->h->ctx));)
    gnu_add_input(g, name);

  if (g->group)
    diag_warn(g->d, "nested-group", "--start-group without --end-group");
  if (!o->inputs.n && !g->version_shown && !o->verbose)
    diag_error(g->d, "no-inputs", "no input files");
  if (o->kind != OUTPUT_SHARED && o->filter.n)
    diag_error(g->d, "bad-option", "--filter or -F may not be used without -shared");
  if (o->kind != OUTPUT_SHARED && o->auxiliary.n)
    diag_error(g->d, "bad-option", "--auxiliary or -f may not be used without -shared");
  if (o->emit_relocs && o->strip == STRIP_ALL && !o->has_retain_symbols)
    diag_error(g->d, "bad-option", "--emit-relocs and --strip-all may not be used together");
  if (o->relocatable && (o->kind != OUTPUT_EXEC || o->oformat_binary))
    diag_error(g->d, "bad-option", "-r may not be used with %s", o->kind == OUTPUT_SHARED ? "-shared" : o->kind == OUTPUT_PIE ? "-pie" : "--oformat=binary");
  if (o->symbol_ordering_file && o->call_graph_file)
    diag_error(g->d, "bad-option", "--symbol-ordering-file and --call-graph-ordering-file may not be used together");
  if (!*o->output)
    diag_error(g->d, "bad-value", "--output: expected the name of a file, got ''");

  if (streq(o->output, "-"))
    o->output = "/dev/stdout";

  o->is_static = g->state.bstatic;
  if (o->nmagic || o->omagic)
    o->z_relro = false; /* needs pages */
  if (o->oformat_binary)
    o->strip = STRIP_ALL; /* nothing could find a symbol table */
  if (o->has_retain_symbols) {
    /* GNU ld manual: --retain-symbols-file overrides -s. */
    if (o->strip == STRIP_ALL && !o->oformat_binary)
      o->strip = STRIP_NONE;
    if (o->discard == DISCARD_ALL)
      o->discard = DISCARD_DEFAULT;
  }
  print_script(g);
}
