/* core.c: the core linker's command line: few options, all in core.def, values joined by = or in the next word.
 * The trap: it has no order to keep but that of inputs and passes. */
#include "driver/core.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/weld_version.h"

enum { FLAG, VALUE };
#define X(names, arg, action, value, help) CORE_##action,
typedef enum {
#include "driver/core.def"
} Action;
#undef X

typedef struct {
  const char *names, *value, *help;
  int arg;
} Row;
static const Row rows[] = {
#define X(names, arg, action, value, help) {names, value, help, arg},
#include "driver/core.def"
#undef X
};

static const char *const passes[] = {"dead-strip", "icf", "merge", "order", "got", "stubs", "tls", "thunks", "layout"};
/* The first word of a triple, and what Arch.name says. */
static const struct {
  const char *word, *cpu;
} targets[] = {{"x86_64", "x86_64"}, {"i386", "i386"}, {"i686", "i386"}, {"aarch64", "aarch64"}, {"arm64", "aarch64"}};

bool driver_core_asked(int argc, char **argv) {
  return argc > 1 && (streq(argv[1], "-core") || streq(argv[1], "--core"));
}

/* The row of an option, without its dashes; *value: what stands behind '=', NULL: nothing. */
static int find_row(const char *text, const char **value) {
  const char *eq = strchr(text, '=');
  u64 len = eq ? (u64)(eq - text) : strlen(text);
  *value = eq ? eq + 1 : NULL;
  for (u32 i = 0; i < COUNT_OF(rows); i++)
    for (const char *p = rows[i].names; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
      if (!strncmp(p, text, len) && (!p[len] || p[len] == '|'))
        return (int)i;
  return -1;
}

static const char *help(Arena *a) {
  const char *s = "Usage: weld -core [options] FILE...\nLinks graphs in text form (YAML): docs/atoms-yaml.md. Without FILE, or with -, standard input.\n\n";
  for (u32 i = 0; i < COUNT_OF(rows); i++) {
    const char *bar = strchr(rows[i].names, '|');
    int len = bar ? (int)(bar - rows[i].names) : (int)strlen(rows[i].names);
    const char *name = arena_printf(a, "%s%.*s%s%s", len == 1 ? "-" : "--", len, rows[i].names, rows[i].arg == VALUE ? " " : "", rows[i].value);
    s = arena_printf(a, "%s  %-28s %s\n", s, name, rows[i].help);
  }
  s = arena_printf(a, "%s\nPasses:", s);
  for (u32 i = 0; i < COUNT_OF(passes); i++)
    s = arena_printf(a, "%s %s", s, passes[i]);
  return arena_printf(a, "%s\n", s);
}

static bool is_number(const char *s, u32 *out) {
  char *end;
  unsigned long v = strtoul(s, &end, 10);
  *out = (u32)v;
  return *s >= '0' && *s <= '9' && !*end && v <= UINT32_MAX;
}

/* Decimal, or hexadecimal with 0x. */
static bool is_range(const char *s, u64 *out) {
  char *end;
  errno = 0;
  *out = strtoull(s, &end, starts_with(s, "0x") ? 16 : 10);
  return *s >= '0' && *s <= '9' && !*end && !errno && *out;
}

static bool known(const char *const *list, u32 n, const char *s) {
  for (u32 i = 0; i < n; i++)
    if (streq(list[i], s))
      return true;
  return false;
}

/* A triple's CPU is what counts: x86_64-linux-gnu. NULL: there is none of that name. */
static const char *cpu_of(const char *triple) {
  u64 n = strcspn(triple, "-");
  for (u32 i = 0; i < COUNT_OF(targets); i++)
    if (strlen(targets[i].word) == n && !strncmp(targets[i].word, triple, n))
      return targets[i].cpu;
  return NULL;
}

/* Lines without blanks around them; empty ones and # comments say nothing. */
static bool read_order(const char *path, Options *o, Diag *d) {
  FILE *f = fopen(path, "r");
  char *line = NULL;
  size_t cap = 0;
  ssize_t n;
  if (!f) {
    diag_error(d, "cannot-open", "cannot open %s: %s", path, strerror(errno));
    return false;
  }
  o->symbol_ordering_file = path;
  o->symbol_ordering.n = 0;
  while ((n = getline(&line, &cap, f)) > 0) {
    char *p = line;
    while (n && (u8)p[n - 1] <= ' ')
      n--;
    while (n && (u8)*p <= ' ')
      p++, n--;
    if (n && *p != '#')
      *vec_push(&o->symbol_ordering) = arena_strndup(&o->arena, p, (u64)n);
  }
  free(line);
  fclose(f);
  return true;
}

static DriverResult act(Action action, const char *value, const DriverHooks *hooks, Options *o, Diag *d) {
  switch (action) {
  case CORE_OUTPUT: o->output = value; break;
  case CORE_ENTRY: o->entry = value; break;
  case CORE_DEAD_STRIP: o->gc_sections = true; break;
  case CORE_KEEP_GLOBALS: o->keep_globals = true; break;
  case CORE_UNDEFINES: o->undefines_are_errors = true; break;
  case CORE_COMMONS: o->commons_stay = false; break;
  case CORE_ADD_PASS:
    if (!known(passes, COUNT_OF(passes), value)) {
      diag_error(d, "unknown-pass", "there is no pass '%s'; --help lists them", value);
      return DRIVER_ERROR;
    }
    *vec_push(&o->passes) = value;
    break;
  case CORE_BRANCH_RANGE:
    if (!is_range(value, &o->branch_range)) {
      diag_error(d, "bad-value", "'%s' is not a number of bytes", value);
      return DRIVER_ERROR;
    }
    break;
  case CORE_RELOCATABLE: o->relocatable = true; break;
  case CORE_SYMBOL_ORDER:
    if (!read_order(value, o, d))
      return DRIVER_ERROR;
    break;
  case CORE_PIE: o->kind = OUTPUT_PIE; break;
  case CORE_SHARED: o->kind = OUTPUT_SHARED; break;
  case CORE_TARGET:
    o->cpu = cpu_of(value);
    if (!o->cpu) {
      diag_error(d, "unsupported-target", "target '%s' is not supported; supported: x86_64, i386, aarch64", value);
      return DRIVER_ERROR;
    }
    o->target_triple = value;
    break;
  case CORE_THREADS:
  case CORE_ERROR_LIMIT: {
    u32 n;
    if (!is_number(value, &n)) {
      diag_error(d, "bad-value", "'%s' is not a number", value);
      return DRIVER_ERROR;
    }
    if (action == CORE_THREADS)
      o->threads = n;
    else
      o->error_limit = n;
    break;
  }
  case CORE_HELP:
    hooks->print(hooks->ctx, help(&o->arena));
    return DRIVER_DONE;
  case CORE_VERSION:
    hooks->print(hooks->ctx, arena_printf(&o->arena, "weld %s\n", WELD_VERSION));
    return DRIVER_DONE;
  }
  return DRIVER_LINK;
}

/* Addresses belong to the graph as it was when they were given. */
static bool check_passes(const Options *o, Diag *d) {
  const char *last = NULL;
  for (u32 i = 0; i < o->passes.n; i++) {
    const char *pass = o->passes.at[i];
    if (streq(pass, "thunks") || streq(pass, "layout")) {
      last = pass;
    } else if (last) {
      diag_error(d, "pass-order", "pass '%s' can't come after '%s': it would change what has addresses", pass, last);
      return false;
    }
  }
  if (last && o->relocatable) {
    diag_error(d, "pass-order", "-r writes an object, which has no addresses: pass '%s' can't go with it", last);
    return false;
  }
  return true;
}

DriverResult driver_core(int argc, char **argv, const DriverHooks *hooks, Options *o, Diag *d) {
  bool ok = true;
  o->output = "-";
  o->commons_stay = true;
  o->whole_objects = true;
  for (int i = 2; i < argc; i++) {
    const char *arg = argv[i], *value;
    if (arg[0] != '-' || !arg[1]) {
      *vec_push(&o->inputs) = (Input){.name = arg};
      continue;
    }
    int row = find_row(arg + 1 + (arg[1] == '-'), &value);
    if (row < 0) {
      diag_error(d, "unknown-option", "unknown option '%s'; weld -core --help lists them", arg);
      ok = false;
      continue;
    }
    if (rows[row].arg == VALUE && !value)
      value = i + 1 < argc ? argv[++i] : NULL;
    if ((rows[row].arg == VALUE) != (value != NULL)) {
      diag_error(d, "missing-argument", value ? "%s takes no value" : "%s needs a value", arg);
      ok = false;
      continue;
    }
    DriverResult r = act((Action)row, value, hooks, o, d);
    if (r == DRIVER_DONE)
      return r;
    ok &= r != DRIVER_ERROR;
  }
  if (o->relocatable && streq(o->output, "-")) {
    diag_error(d, "missing-argument", "-r needs -o FILE");
    ok = false;
  }
  ok = ok && check_passes(o, d);
  if (!o->inputs.n)
    *vec_push(&o->inputs) = (Input){.name = "-"};
  return ok ? DRIVER_LINK : DRIVER_ERROR;
}
