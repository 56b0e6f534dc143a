/* darwin.c: walks the arguments, finds the row of each, and takes the words that are its value. See darwin.h for
 * the trap. */
#include "driver/darwin.h"

#include <stdlib.h>

#include "driver/darwin_rows.h"
#include "driver/help.h"
#include "driver/response.h"
#include "driver/suggest.h"
#include "driver/values.h"

typedef struct {
  const OptionRow *row;
  const char *name;  /* the one of row->names that fits */
  const char *value; /* what is joined to it, NULL: nothing */
} Match;

/* How well `text` (without dashes) fits a name: 0 not at all, more for a better fit. A whole word beats any beginning. */
static size_t match(const OptionRow *row, const char *name, const char *text, const char **value) {
  size_t len = strlen(name);
  *value = NULL;
  if (strncmp(name, text, len) != 0)
    return 0;
  const char *rest = text + len;
  if (!*rest)
    return row->arg == ARG_JOINED ? 0 : SIZE_MAX;
  switch (row->arg) {
  case ARG_FLAG:
  case ARG_VALUE: return 0;
  case ARG_OPTIONAL:
  case ARG_EQUALS:
    *value = rest + 1;
    return *rest == '=' ? SIZE_MAX : 0;
  case ARG_JOINED:
  case ARG_EITHER:
    *value = rest;
    return len;
  }
  return 0;
}

static bool find_option(const char *text, Match *m) {
  size_t best = 0;
  for (u32 i = 0; i < darwin_nrows; i++)
    for (const char *const *name = darwin_rows[i].names; *name; name++) {
      const char *value;
      size_t fit = match(&darwin_rows[i], *name, text, &value);
      if (fit > best) {
        best = fit;
        *m = (Match){&darwin_rows[i], *name, value};
      }
    }
  return best > 0;
}

static void unknown_option(Darwin *g, const char *arg) {
  const char *near = option_nearest(darwin_rows, darwin_nrows, arg + 1 + (arg[1] == '-'), &g->o->arena);
  Match m;
  if (near && find_option(near, &m))
    diag_error(g->d, "unknown-option", "unknown command line option: %s; did you mean %s%s?", arg, m.row->dashes, near);
  else
    diag_error(g->d, "unknown-option", "unknown command line option: %s", arg);
}

/* Takes argv[*i], which starts with a dash, and its values; moves *i to the last one taken. */
static void take_option(Darwin *g, char **argv, u32 argc, u32 *i) {
  const char *arg = argv[*i];
  Match m;
  if (!find_option(arg + 1 + (arg[1] == '-'), &m)) {
    unknown_option(g, arg);
    return;
  }
  const char *name = arena_printf(&g->o->arena, "%s%s", m.row->dashes, m.name);
  bool takes = m.row->arg != ARG_FLAG && m.row->arg != ARG_OPTIONAL && !m.value;
  u32 n = takes ? MAX(m.row->values, 1u) : 0;
  if (n > argc - 1 - *i) {
    diag_error(g->d, "missing-argument", n == 1 ? "%s needs a value: %s" : "%s needs values: %s", name, m.row->metavar);
    *i = argc - 1;
    return;
  }
  g->values = argv + *i + 1;
  if (n)
    m.value = g->values[0];
  *i += n;
  option_take(&g->driver, g, m.row, name, m.value);
}

static void parse(Darwin *g, const ArgList *args) {
  for (u32 i = 0; i < args->argc && !g->done; i++) {
    const char *arg = args->argv[i];
    if (arg[0] != '-' || !arg[1])
      darwin_add_input(g, arg);
    else
      take_option(g, args->argv, args->argc, &i);
  }
}

/* What install names and -rpath begin with. */
static const char *const no_files[] = {"@rpath/", "@loader_path", "@executable_path", NULL};

DriverResult driver_darwin(int argc, char **argv, const DriverHooks *hooks, Options *o, Diag *d) {
  Darwin g = {.no_files = no_files, .o = o, .d = d, .h = hooks, .program = argc > 0 ? argv[0] : "ld64.weld"};
  const char *slash = strrchr(g.program, '/');
  if (slash)
    g.program = slash + 1;
  o->argv = argv;
  o->argc = argc;
  o->demangle = false; /* -demangle */
  o->eh_frame_hdr = false; /* ELF's: __unwind_info has its place */

  u32 errors_before = diag_errors(d);
  ArgList args;
  if (response_expand(&g.driver, argc, argv, &args))
    parse(&g, &args);
  if (!g.done)
    darwin_finish(&g);
  driver_settle(&g.driver);

  vec_free(&g.lib_dirs);
  vec_free(&g.framework_dirs);
  vec_free(&g.platforms);
  if (diag_errors(d) != errors_before)
    return DRIVER_ERROR;
  return g.done || !o->inputs.n ? DRIVER_DONE : DRIVER_LINK;
}

bool driver_darwin_name(const char *name) {
  static const char *const names[] = {"darwin", "ld64", "ld64.lld", "ld64.weld"};
  const char *slash = strrchr(name, '/');
  if (slash)
    name = slash + 1;
  for (u32 i = 0; i < COUNT_OF(names); i++)
    if (streq(name, names[i]))
      return true;
  /* A cross tool chain's: x86_64-apple-darwin20-ld64.weld */
  size_t len = strlen(name);
  return len > 10 && streq(name + len - 10, "-ld64.weld");
}

static const HelpPart parts[] = {
    {"Inputs and libraries", darwin_rows, &darwin_nrows, SUPPORT_FULL, GROUP_INPUTS},
    {"Output", darwin_rows, &darwin_nrows, SUPPORT_FULL, GROUP_OUTPUT},
    {"Dynamic libraries", darwin_rows, &darwin_nrows, SUPPORT_FULL, GROUP_DYNAMIC},
    {"Symbols", darwin_rows, &darwin_nrows, SUPPORT_FULL, GROUP_SYMBOLS},
    {"Sections", darwin_rows, &darwin_nrows, SUPPORT_FULL, GROUP_SECTIONS},
    {"Stripping", darwin_rows, &darwin_nrows, SUPPORT_FULL, GROUP_STRIP},
    {"Messages and reports", darwin_rows, &darwin_nrows, SUPPORT_FULL, GROUP_MESSAGES},
    {"Running", darwin_rows, &darwin_nrows, SUPPORT_FULL, GROUP_RUNNING},
    {"Accepted, without effect", darwin_rows, &darwin_nrows, SUPPORT_NO_EFFECT, GROUP_RUNNING},
    {"Not supported yet: a warning", darwin_rows, &darwin_nrows, SUPPORT_LATER_WARNING, GROUP_RUNNING},
    {"Not supported yet: an error", darwin_rows, &darwin_nrows, SUPPORT_LATER_ERROR, GROUP_RUNNING},
};

const char *darwin_help(Arena *a, const char *program) {
  Text t = {0};
  text_add(&t, "Usage: ");
  text_add(&t, program);
  text_add(&t, " [options] file...\n\nLinks Mach-O objects, with the command line of Apple's linker. @FILE stands for the options in FILE.\n");
  help_add_parts(&t, parts, COUNT_OF(parts));
  return text_finish(&t, a);
}
