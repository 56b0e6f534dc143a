/* values.c: see values.h. The trap: a shared action gets the state of any driver, of which only the members of
 * Driver are its business. */
#include "driver/values.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- values ---- */

void value_bad(Driver *g, const char *name, const char *arg, const char *expected) {
  diag_error(g->d, "bad-value", "%s: expected %s, got '%s'", name, expected, arg ? arg : "nothing");
}

int digit_of(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  c = (char)(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool parse_u64(const char *s, u32 base, u64 *out) {
  if (s[0] == '0' && (s[1] | 0x20) == 'x') {
    base = 16;
    s += 2;
  } else if (base == 0) {
    base = 10;
  }
  u64 v = 0;
  const char *start = s;
  for (; *s; s++) {
    int digit = digit_of(*s);
    if (digit < 0 || (u32)digit >= base || __builtin_mul_overflow(v, (u64)base, &v) ||
        __builtin_add_overflow(v, (u64)digit, &v))
      return false;
  }
  *out = v;
  return s != start;
}

bool value_number(Driver *g, const char *name, const char *arg, u64 min, u64 max, u64 *out) {
  u64 v;
  if (parse_u64(arg, 0, &v) && v >= min && v <= max) {
    *out = v;
    return true;
  }
  if (max == UINT64_MAX)
    value_bad(g, name, arg, "a number");
  else
    diag_error(g->d, "bad-value", "%s: expected a number from %llu to %llu, got '%s'", name,
               (unsigned long long)min, (unsigned long long)max, arg);
  return false;
}

bool value_address(Driver *g, const char *name, const char *arg, u64 *out) {
  if (parse_u64(arg, 16, out))
    return true;
  value_bad(g, name, arg, "a hexadecimal address");
  return false;
}

bool value_power_of_two(Driver *g, const char *name, const char *arg, u64 *out) {
  u64 v;
  if (!value_number(g, name, arg, 0, UINT64_MAX, &v))
    return false;
  if (!is_pow2(v)) {
    diag_error(g->d, "bad-value", "%s: %s: value must be a power of 2", name, arg);
    return false;
  }
  *out = v;
  return true;
}

int value_word(Driver *g, const char *name, const char *arg, const char *const *words) {
  for (int i = 0; words[i]; i++)
    if (streq(arg, words[i]))
      return i;
  char expected[128];
  size_t n = 0;
  for (int i = 0; words[i] && n + strlen(words[i]) + 8 < sizeof expected; i++) {
    const char *sep = !i ? "" : words[i + 1] ? ", " : " or ";
    memcpy(expected + n, sep, strlen(sep));
    n += strlen(sep);
    memcpy(expected + n, words[i], strlen(words[i]));
    n += strlen(words[i]);
  }
  expected[n] = 0;
  value_bad(g, name, arg, expected);
  return -1;
}

const char *value_split(Driver *g, const char *name, const char *arg, const char *expected,
                         const char **rest) {
  const char *eq = strchr(arg, '=');
  if (!eq || eq == arg || !eq[1]) {
    value_bad(g, name, arg, expected);
    return NULL;
  }
  *rest = eq + 1;
  return arena_strndup(&g->o->arena, arg, (u64)(eq - arg));
}

/* ---- files ---- */

/* Reads to the end, whatever `fd` is: a pipe has no size, and a file may have changed. */
static bool read_all(int fd, u64 size_hint, Arena *a, Bytes *out) {
  u64 cap = size_hint + 1, n = 0;
  u8 *p = arena_alloc(a, cap, 1);
  for (;;) {
    if (n == cap) {
      u8 *more = arena_alloc(a, cap * 2, 1);
      memcpy(more, p, n);
      p = more;
      cap *= 2;
    }
    ssize_t r = read(fd, p + n, cap - n);
    if (r < 0 && errno == EINTR)
      continue;
    if (r <= 0) {
      *out = (Bytes){p, n};
      return r == 0;
    }
    n += (u64)r;
  }
}

bool driver_read_file(Driver *g, const char *path, Bytes *out, int *err) {
  if (g->h->memory && g->h->memory(g->h->ctx, path, out))
    return true;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    *err = errno;
    return false;
  }
  struct stat st;
  bool ok = fstat(fd, &st) == 0;
  if (ok && S_ISDIR(st.st_mode)) {
    errno = EISDIR;
    ok = false;
  }
  u64 hint = ok && S_ISREG(st.st_mode) ? (u64)st.st_size : 4095;
  ok = ok && read_all(fd, hint, &g->o->arena, out);
  *err = errno;
  close(fd);
  return ok;
}

bool value_file(Driver *g, const char *name, const char *arg, Bytes *out) {
  int err;
  if (driver_read_file(g, arg, out, &err))
    return true;
  diag_error(g->d, "cannot-open", "%s: cannot open %s: %s", name, arg, strerror(err));
  return false;
}

bool next_line(Line *x) {
  while (x->rest.len) {
    const u8 *end = memchr(x->rest.p, '\n', x->rest.len);
    u64 len = end ? (u64)(end - x->rest.p) : x->rest.len, skip = len + (end != NULL);
    x->p = (const char *)x->rest.p;
    x->rest = (Bytes){x->rest.p + skip, x->rest.len - skip};
    x->number++;
    while (len && (u8)x->p[0] <= ' ')
      x->p++, len--;
    while (len && (u8)x->p[len - 1] <= ' ')
      len--;
    x->len = len;
    if (len && x->p[0] != '#')
      return true;
  }
  return false;
}

/* ---- rows ---- */

void option_unsupported(Driver *g, DiagLevel level, const char *what) {
  diag_report(g->d, level, "unsupported-option", 0, "%s is not supported yet%s", what,
              level == DIAG_WARNING ? ": ignored" : "");
}

void option_take(Driver *g, void *state, const OptionRow *row, const char *name, const char *arg) {
  switch (row->support) {
  case SUPPORT_FULL: break;
  case SUPPORT_NO_EFFECT: return;
  case SUPPORT_LATER_WARNING: option_unsupported(g, DIAG_WARNING, name); return;
  case SUPPORT_LATER_ERROR: option_unsupported(g, DIAG_ERROR, name); return;
  }
  void *field = (char *)g->o + row->action.offset;
  switch (row->action.kind) {
  case ACT_NOTHING: break;
  case ACT_BOOL: *(bool *)field = row->action.value != 0; break;
  case ACT_CHOOSE: memcpy(field, &row->action.value, sizeof(u32)); break;
  case ACT_STRING: *(const char **)field = arg; break;
  case ACT_APPEND: *vec_push((StrVec *)field) = arg; break;
  case ACT_CALL: row->action.fn(state, name, arg); break;
  }
}

/* ---- actions that several drivers have ---- */

void do_start_lib(void *state, const char *name, const char *arg) {
  Driver *g = state;
  (void)arg;
  if (g->in_lib)
    diag_error(g->d, "nested-group", "%s after %s", name, name);
  g->in_lib = true;
}

void do_end_lib(void *state, const char *name, const char *arg) {
  Driver *g = state;
  (void)arg;
  if (!g->in_lib)
    diag_error(g->d, "nested-group", "%s without --start-lib", name);
  g->in_lib = false;
}

void do_color(void *state, const char *name, const char *arg) {
  Driver *g = state;
  static const char *const words[] = {"auto", "never", "always", NULL}; /* in the order of Tri */
  int i = arg ? value_word(g, name, arg, words) : 0;
  if (i >= 0)
    g->o->color = (Tri)i;
}

void do_error_limit(void *state, const char *name, const char *arg) {
  Driver *g = state;
  u64 n;
  if (value_number(g, name, arg, 0, UINT32_MAX, &n))
    g->o->error_limit = (u32)n;
}

void do_error_format(void *state, const char *name, const char *arg) {
  Driver *g = state;
  static const char *const words[] = {"text", "json", NULL};
  int i = value_word(g, name, arg, words);
  if (i >= 0)
    g->o->error_json = i == 1;
}

void do_threads(void *state, const char *name, const char *arg) {
  Driver *g = state;
  u64 n = 0;
  if (!arg || streq(arg, "all") || value_number(g, name, arg, 1, 1024, &n))
    g->o->threads = (u32)n;
}

void do_no_threads(void *state, const char *name, const char *arg) {
  Driver *g = state;
  (void)name, (void)arg;
  g->o->threads = 1;
}

void do_icf(void *state, const char *name, const char *arg) {
  Driver *g = state;
  static const char *const words[] = {"none", "safe", "all", NULL};
  int i = value_word(g, name, arg, words);
  if (i >= 0)
    g->o->icf = (IcfKind)i;
}

void do_dump_graph(void *state, const char *name, const char *arg) {
  Driver *g = state;
  static const char *const phases[] = {"read", "resolve", "coalesce", "dead-strip", "scan", "layout"};
  const char *colon = strchr(arg, ':');
  u64 n = colon ? (u64)(colon - arg) : strlen(arg);
  for (u32 i = 0; i < COUNT_OF(phases); i++)
    if (n == strlen(phases[i]) && !memcmp(arg, phases[i], n) && (!colon || colon[1])) {
      u64 len = strlen(arg);
      if (!i && len > 4 && streq(arg + len - 4, ".dot")) {
        diag_error(g->d, "bad-value", "%s: %s: files that have not met yet make no picture; ask for text", name, arg);
        return;
      }
      *vec_push(&g->o->dump_graph) = arg;
      return;
    }
  diag_error(g->d, "bad-value", "%s: '%s' is not a phase and a file; phases: read, resolve, coalesce, dead-strip, scan, layout", name, arg);
}

void do_time_trace(void *state, const char *name, const char *arg) {
  Driver *g = state;
  (void)name;
  g->bare_time_trace = !arg;
  if (arg)
    g->o->time_trace = arg;
}

static bool terminal_has_colors(void) {
  const char *term = getenv("TERM");
  return isatty(STDERR_FILENO) && term && !streq(term, "dumb");
}

void driver_settle(Driver *g) {
  const Options *o = g->o;
  DiagOptions opts = *diag_options(g->d);
  opts.color = o->color == OPT_YES || (o->color == OPT_AUTO && !opts.sink && terminal_has_colors());
  opts.json = o->error_json;
  opts.fatal_warnings = o->fatal_warnings;
  opts.no_warnings = o->no_warnings;
  opts.demangle = o->demangle;
  opts.error_limit = o->error_limit;
  diag_configure(g->d, &opts);
  if (g->bare_time_trace && !o->time_trace)
    g->o->time_trace = arena_printf(&g->o->arena, "%s.time-trace", o->output);
  if (g->in_lib && !g->done)
    diag_error(g->d, "nested-group", "--start-lib without --end-lib");
}
