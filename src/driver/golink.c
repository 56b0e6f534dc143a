/* golink.c: Go's linker's command line. An option has one dash or two, its value is behind = or in the next word; that of a
 * one-letter option may follow at once (-Ldir).
 * The trap: options that Go's linker had and this one has not are rows too: what they ask for must not be ignored. */
#include "driver/golink.h"

#include <stdlib.h>

#include "core/weld_version.h"

typedef enum {
  GOLINK_OUTPUT, GOLINK_HEADER, GOLINK_ENTRY, GOLINK_DIRECTORY, GOLINK_STRING, GOLINK_TEXT, GOLINK_DATA, GOLINK_ROUND,
  GOLINK_STRIP, GOLINK_FORCE, GOLINK_LINKMODE, GOLINK_NOTHING, GOLINK_THREADS, GOLINK_VERBOSE, GOLINK_VERSION, GOLINK_HELP,
  GOLINK_UNSUPPORTED,
} Action;

typedef struct {
  const char *name;
  int args;
  Action action;
  const char *value, *help;
} Row;
static const Row rows[] = {
#define X(name, args, action, value, help) {name, args, GOLINK_##action, value, help},
#include "driver/golink.def"
#undef X
};

enum { MIN_ROUND = 4096 };

bool driver_golink_name(const char *name) { return streq(name, "golink") || streq(name, "weld-golink"); }

/* The row of an option without its dashes; *value: what stands behind it in the same word, NULL: nothing. */
static const Row *find_row(const char *text, const char **value) {
  const char *eq = strchr(text, '=');
  u64 len = eq ? (u64)(eq - text) : strlen(text);
  *value = eq ? eq + 1 : NULL;
  for (u32 i = 0; i < COUNT_OF(rows); i++)
    if (strlen(rows[i].name) == len && !memcmp(rows[i].name, text, len))
      return &rows[i];
  for (u32 i = 0; i < COUNT_OF(rows); i++)
    if (rows[i].args == 1 && !rows[i].name[1] && rows[i].name[0] == text[0]) {
      *value = text + 1;
      return &rows[i];
    }
  return NULL;
}

static const char *help(Arena *a) {
  const char *s =
      "Usage: weld -flavor golink [options] main.6 ...\nLinks objects and packages of Go 1.3 and 1.4 (docs/golink.md).\n\n";
  for (u32 i = 0; i < COUNT_OF(rows); i++)
    if (rows[i].action != GOLINK_UNSUPPORTED)
      s = arena_printf(a, "%s  %-16s %s\n", s, arena_printf(a, "-%s %s", rows[i].name, rows[i].value), rows[i].help);
  return s;
}

static bool number(const char *option, const char *text, u64 *out, Diag *d) {
  char *end;
  *out = strtoull(text, &end, 0);
  if (*text >= '0' && *text <= '9' && !*end)
    return true;
  diag_error(d, "bad-value", "-%s %s: not a number", option, text);
  return false;
}

static bool set_threads(const Row *row, const char *value, Options *o, Diag *d) {
  u64 n = 0;
  bool ok = number(row->name, value, &n, d);
  o->threads = (u32)MIN(n, 1024u);
  return ok;
}

static bool set_linkmode(const char *value, Diag *d) {
  bool ok = streq(value, "internal") || streq(value, "auto");
  if (!ok)
    diag_error(d, "unsupported-option", "-linkmode %s is not supported; internal is", value);
  return ok;
}

static bool set_round(const Row *row, const char *value, Options *o, Diag *d) {
  u64 n;
  if (!number(row->name, value, &n, d))
    return false;
  if (is_pow2(n) && n >= MIN_ROUND && n <= 1 << 30) {
    o->z_max_page_size = n;
    return true;
  }
  diag_error(d, "bad-value", "-R %s: not a power of two from %d to 2^30", value, MIN_ROUND);
  return false;
}

static DriverResult act(const Row *row, const char *value, const char *second, const DriverHooks *hooks, Options *o, Diag *d) {
  bool ok = true;
  switch (row->action) {
  case GOLINK_OUTPUT: o->output = value; break;
  case GOLINK_HEADER: o->go.header = value; break;
  case GOLINK_ENTRY: o->entry = value; break;
  case GOLINK_DIRECTORY: *vec_push(&o->lib_dirs) = value; break;
  case GOLINK_STRING: *vec_push(&o->go.strings) = (Defsym){.name = value, .text = second}; break;
  case GOLINK_TEXT: ok = o->has_ttext = number(row->name, value, &o->ttext, d); break;
  case GOLINK_DATA: ok = o->has_tdata = number(row->name, value, &o->tdata, d); break;
  case GOLINK_ROUND: ok = set_round(row, value, o, d); break;
  case GOLINK_THREADS: ok = set_threads(row, value, o, d); break;
  case GOLINK_STRIP: o->strip = STRIP_ALL; break;
  case GOLINK_FORCE: o->go.any_system = true; break;
  case GOLINK_LINKMODE: ok = set_linkmode(value, d); break;
  case GOLINK_NOTHING: break;
  case GOLINK_VERBOSE:
  case GOLINK_VERSION:
    hooks->print(hooks->ctx, arena_printf(&o->arena, "weld %s\n", WELD_VERSION));
    return row->action == GOLINK_VERSION ? DRIVER_DONE : DRIVER_LINK;
  case GOLINK_HELP: hooks->print(hooks->ctx, help(&o->arena)); return DRIVER_DONE;
  case GOLINK_UNSUPPORTED: diag_error(d, "unsupported-option", "option -%s is not supported", row->name); return DRIVER_ERROR;
  }
  return ok ? DRIVER_LINK : DRIVER_ERROR;
}

static void defaults(Options *o) {
  o->commons_stay = true;
  o->demangle = false; /* Go's names are what they are */
  o->rosegment = false;
  o->z_separate_code = OPT_YES;
  o->z_separate_loadable_segments = true;
  o->z_relro = false;
  o->is_static = true;
  o->z_max_page_size = MIN_ROUND;
}

DriverResult driver_golink(int argc, char **argv, const DriverHooks *hooks, Options *o, Diag *d) {
  bool ok = true;
  defaults(o);
  for (int i = 1; i < argc; i++) {
    const char *arg = argv[i], *value, *second = NULL;
    if (arg[0] != '-' || !arg[1]) {
      *vec_push(&o->inputs) = (Input){.name = arg};
      continue;
    }
    const Row *row = find_row(arg + 1 + (arg[1] == '-'), &value);
    if (!row) {
      diag_error(d, "unknown-option", "unknown option '%s'; weld -flavor golink -help lists them", arg);
      ok = false;
      continue;
    }
    if (row->args && !value)
      value = i + 1 < argc ? argv[++i] : NULL;
    if (row->args > 1 && value)
      second = i + 1 < argc ? argv[++i] : NULL;
    if (row->args ? !value || (row->args > 1 && !second) : value != NULL) {
      diag_error(d, "missing-argument", row->args ? "-%s needs %s" : "-%s takes no value", row->name, row->value);
      ok = false;
      continue;
    }
    DriverResult r = act(row, value, second, hooks, o, d);
    if (r == DRIVER_DONE)
      return r;
    ok &= r != DRIVER_ERROR;
  }
  if (ok && !o->inputs.n) {
    diag_error(d, "no-input", "no input files");
    ok = false;
  }
  return ok ? DRIVER_LINK : DRIVER_ERROR;
}
