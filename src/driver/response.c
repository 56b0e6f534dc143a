/* response.c: @FILE arguments, quoted as GNU tools do: blanks separate, '...' and "..." keep them, a
 * backslash takes the next character as it is, inside quotes too.
 * The trap: a file may name itself; nesting and the number of files are limited. */
#include "driver/response.h"

#include <stdlib.h>

#include "driver/values.h"

enum { MAX_DEPTH = 64, MAX_FILES = 2000 };

typedef VEC(char *) Args;

typedef struct {
  Driver *g;
  Args args;
  u32 files;
} Expansion;

static bool is_blank(u8 c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == 0; }

/* One argument from text[*at..]; NULL at the end. */
static char *next_arg(Arena *a, Bytes text, u64 *at) {
  u64 i = *at;
  while (i < text.len && is_blank(text.p[i]))
    i++;
  if (i == text.len)
    return NULL;
  /* An argument never gets longer by unquoting. Count first: a file may hold one long line. */
  u64 end = i;
  u8 quote = 0;
  for (; end < text.len && (quote || !is_blank(text.p[end])); end++) {
    u8 c = text.p[end];
    if (c == '\\' && end + 1 < text.len)
      end++;
    else if (quote ? c == quote : c == '\'' || c == '"')
      quote = quote ? 0 : c;
  }
  char *arg = arena_alloc(a, end - i + 1, 1);
  u64 n = 0;
  for (quote = 0; i < end; i++) {
    u8 c = text.p[i];
    if (c == '\\' && i + 1 < end)
      arg[n++] = (char)text.p[++i];
    else if (quote ? c == quote : c == '\'' || c == '"')
      quote = quote ? 0 : c;
    else
      arg[n++] = (char)c;
  }
  arg[n] = 0;
  *at = end;
  return arg;
}

static bool names_file(const Driver *g, const char *arg) {
  for (const char *const *p = g->no_files; p && *p; p++)
    if (starts_with(arg, *p))
      return false;
  return arg[0] == '@' && arg[1];
}

static bool expand(Expansion *e, char *arg, u32 depth) {
  Bytes text;
  int err;
  if (!names_file(e->g, arg) || !driver_read_file(e->g, arg + 1, &text, &err)) {
    *vec_push(&e->args) = arg;
    return true;
  }
  if (depth >= MAX_DEPTH || ++e->files > MAX_FILES) {
    diag_error(e->g->d, "response-file", "%s: too many response files inside each other", arg);
    return false;
  }
  u64 at = 0;
  for (char *s; (s = next_arg(&e->g->o->arena, text, &at));)
    if (!expand(e, s, depth + 1))
      return false;
  return true;
}

bool response_expand(Driver *g, int argc, char **argv, ArgList *out) {
  Expansion e = {.g = g};
  bool ok = true;
  for (int i = 1; ok && i < argc; i++)
    ok = expand(&e, argv[i], 0);
  out->argc = e.args.n;
  out->argv = ARENA_ARRAY(&g->o->arena, char *, e.args.n + 1);
  if (e.args.n)
    memcpy(out->argv, e.args.at, e.args.n * sizeof(char *));
  vec_free(&e.args);
  return ok;
}
