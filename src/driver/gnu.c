/* gnu.c: walks the arguments, finds the row of each, and separates option and value.
 * The trap: one dash starts both a long option (-soname) and a short one with its value (-o main): the
 * longest name that fits wins, but -o always means the output ("-omagic" writes to "magic"), as with
 * GNU ld, lld and mold. */
#include "driver/gnu.h"

#include <stdlib.h>

#include "driver/gnu_rows.h"
#include "driver/response.h"
#include "driver/suggest.h"
#include "driver/values.h"

typedef struct {
  const OptionRow *row;
  const char *name;  /* the one of row->names that fits */
  const char *value; /* what is joined to it, NULL: nothing */
} Match;

/* Whether `text` (an argument without its dashes) is the long option `name`, with or without value. */
static bool match_long(const OptionRow *row, const char *name, const char *text, Match *m) {
  size_t len = strlen(name);
  if (len < 2 || strncmp(name, text, len) != 0)
    return false;
  const char *rest = text + len;
  bool ok = false;
  switch (row->arg) {
  case ARG_FLAG: ok = !*rest; break;
  case ARG_VALUE:
  case ARG_EQUALS:
  case ARG_OPTIONAL: ok = !*rest || *rest == '='; break;
  case ARG_EITHER:
  case ARG_JOINED: ok = true; break;
  }
  if (ok)
    *m = (Match){row, name, row->arg == ARG_JOINED ? rest : *rest ? rest + 1 : NULL};
  return ok;
}

static bool match_short(const OptionRow *row, const char *name, const char *text, Match *m) {
  if (name[0] != text[0] || name[1])
    return false;
  if (text[1] && row->arg != ARG_VALUE)
    return false;
  *m = (Match){row, name, text[1] ? text + 1 : NULL};
  return true;
}

typedef bool MatchFn(const OptionRow *row, const char *name, const char *text, Match *m);

/* A joined option ("lto-O2") is found last: it could swallow an exact name. */
static bool find(const OptionRow *rows, u32 n, MatchFn *match, const char *text, Match *m) {
  bool found = false;
  for (u32 i = 0; i < n; i++)
    for (const char *const *name = rows[i].names; *name; name++)
      if (**name == *text && match(&rows[i], *name, text, m)) {
        if (rows[i].arg != ARG_JOINED)
          return true;
        found = true;
      }
  return found;
}

/* The row for an argument that starts with a dash. */
static bool find_option(const char *arg, Match *m) {
  bool two = arg[1] == '-';
  const char *text = arg + 1 + two;
  if ((two || text[0] != 'o') && find(gnu_rows, gnu_nrows, match_long, text, m))
    return true;
  return !two && find(gnu_rows, gnu_nrows, match_short, text, m);
}

static void unknown_option(Gnu *g, const char *arg) {
  bool two = arg[1] == '-';
  const char *near = option_nearest(gnu_rows, gnu_nrows, arg + 1 + two, &g->o->arena);
  if (near)
    diag_error(g->d, "unknown-option", "unknown command line option: %s; did you mean %s%s?", arg,
               option_dashes(near), near);
  else
    diag_error(g->d, "unknown-option", "unknown command line option: %s", arg);
}

/* One keyword of -z; `shown` is how the whole option was written. */
static void take_z(Gnu *g, const char *shown, const char *keyword) {
  Match m;
  if (!find(gnu_z_rows, gnu_nz_rows, match_long, keyword, &m)) {
    /* GNU ld ignores what it does not know: loaders' marks come and go. */
    const char *near = option_nearest(gnu_z_rows, gnu_nz_rows, keyword, &g->o->arena);
    diag_warn(g->d, "unknown-option", "unknown command line option: %s: ignored%s%s%s", shown,
              near ? "; did you mean -z " : "", near ? near : "", near ? "?" : "");
    return;
  }
  const char *name = arena_printf(&g->o->arena, "-z %s", m.name);
  if (m.row->arg == ARG_VALUE && !m.value)
    diag_error(g->d, "missing-argument", "%s needs a value: %s=%s", shown, name, m.row->metavar);
  else
    option_take(&g->driver, g, m.row, name, m.value);
}

/* Takes argv[*i], which starts with a dash, and its value; moves *i to the last one taken. */
static void take_option(Gnu *g, char **argv, u32 argc, u32 *i) {
  const char *arg = argv[*i];
  Match m;
  bool is_z = arg[1] == 'z' && arg[2] && !find(gnu_rows, gnu_nrows, match_long, arg + 1, &m);
  if (is_z || streq(arg, "-z")) {
    if (is_z)
      take_z(g, arg, arg + 2);
    else if (*i + 1 == argc)
      diag_error(g->d, "missing-argument", "-z needs a value");
    else {
      const char *keyword = argv[++*i];
      take_z(g, arena_printf(&g->o->arena, "-z %s", keyword), keyword);
    }
    return;
  }
  if (!find_option(arg, &m)) {
    unknown_option(g, arg);
    return;
  }
  const char *name = arena_printf(&g->o->arena, "%s%s", option_dashes(m.name), m.name);
  if (m.row->arg == ARG_VALUE && !m.value) {
    if (*i + 1 == argc) {
      diag_error(g->d, "missing-argument", "%s needs a value: %s", name, m.row->metavar);
      return;
    }
    m.value = argv[++*i];
  }
  option_take(&g->driver, g, m.row, name, m.value);
}

static void parse(Gnu *g, const ArgList *args) {
  bool only_inputs = false;
  for (u32 i = 0; i < args->argc && !g->done; i++) {
    const char *arg = args->argv[i];
    if (only_inputs || arg[0] != '-' || !arg[1])
      gnu_add_input(g, arg);
    else if (streq(arg, "--"))
      only_inputs = true;
    else
      take_option(g, args->argv, args->argc, &i);
  }
}

DriverResult driver_gnu(int argc, char **argv, const DriverHooks *hooks, Options *o, Diag *d) {
  Gnu g = {.o = o, .d = d, .h = hooks, .program = argc > 0 ? argv[0] : "weld"};
  const char *slash = strrchr(g.program, '/');
  if (slash)
    g.program = slash + 1;
  o->argv = argv;
  o->argc = argc;

  u32 errors_before = diag_errors(d);
  ArgList args;
  if (response_expand(&g.driver, argc, argv, &args))
    parse(&g, &args);
  if (!g.done)
    gnu_finish(&g);
  driver_settle(&g.driver);

  vec_free(&g.saved);
  vec_free(&g.version_scripts);
  vec_free(&g.dynamic_lists);
  vec_free(&g.export_lists);
  if (diag_errors(d) != errors_before)
    return DRIVER_ERROR;
  return g.done || !o->inputs.n ? DRIVER_DONE : DRIVER_LINK;
}

bool driver_gnu_name(const char *name) {
  const char *slash = strrchr(name, '/');
  if (slash)
    name = slash + 1;
  static const char *const names[] = {"weld", "ld", "ld.weld", "gnu", "ld.lld", "ld.bfd"};
  for (u32 i = 0; i < COUNT_OF(names); i++)
    if (streq(name, names[i]))
      return true;
  /* A cross tool chain's: x86_64-linux-gnu-ld, ...-ld.weld */
  size_t len = strlen(name);
  return (len > 3 && streq(name + len - 3, "-ld")) ||
         (len > 8 && streq(name + len - 8, "-ld.weld"));
}
