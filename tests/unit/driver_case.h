/* driver_case.h: one command line parsed, with what it said: for the tests of the drivers. Before it is included DRIVER
 * names the function and PROGRAM argv[0]; `hooks_of` says what the driver borrows. */
#ifndef DRIVER_CASE_H
#define DRIVER_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "driver/gnu.h"

typedef struct {
  Options o;
  Diag *d;
  DriverResult result;
  char messages[8192]; /* "error[code]: text\n" each */
  char *printed;
} Parse;

static void sink(void *ctx, DiagLevel level, const char *code, const char *text) {
  Parse *p = ctx;
  size_t n = strlen(p->messages);
  snprintf(p->messages + n, sizeof p->messages - n, "%s[%s]: %s\n",
           level == DIAG_ERROR ? "error" : level == DIAG_WARNING ? "warning" : "note", code, text);
}

static void print(void *ctx, const char *text) {
  Parse *p = ctx;
  size_t old = p->printed ? strlen(p->printed) : 0;
  p->printed = realloc(p->printed, old + strlen(text) + 1);
  strcpy(p->printed + old, text);
}

/* The files that are in memory. */
typedef struct {
  const char *name, *text;
} MemoryFile;

static bool find_in_memory(const MemoryFile *files, size_t n, const char *name, Bytes *out) {
  for (size_t i = 0; i < n; i++)
    if (streq(files[i].name, name)) {
      *out = (Bytes){(const u8 *)files[i].text, strlen(files[i].text)};
      return true;
    }
  return false;
}

static DriverHooks hooks_of(Parse *p);

static Parse *parse_args(const char *first, ...) {
  Parse *p = calloc(1, sizeof *p);
  char *argv[64] = {(char *)(uintptr_t)PROGRAM};
  int argc = 1;
  va_list ap;
  va_start(ap, first);
  for (const char *s = first; s; s = va_arg(ap, const char *))
    argv[argc++] = (char *)(uintptr_t)s;
  va_end(ap);
  p->d = diag_create();
  DiagOptions opts = *diag_options(p->d);
  opts.sink = sink;
  opts.sink_ctx = p;
  diag_configure(p->d, &opts);
  options_init(&p->o);
  DriverHooks hooks = hooks_of(p);
  p->result = DRIVER(argc, argv, &hooks, &p->o, p->d);
  p->o.argv = NULL;
  diag_flush(p->d);
  return p;
}

#define PARSE(...) parse_args(__VA_ARGS__, NULL)
/* A line with one input that must parse without a message. */
#define GOOD(...) good(PARSE(__VA_ARGS__, "a.o"))
/* A line that must fail with a message that holds `text`. */
#define BAD(text, ...) bad(text, PARSE(__VA_ARGS__, "a.o"))

static void finish(Parse *p) {
  options_free(&p->o);
  diag_destroy(p->d);
  free(p->printed);
  free(p);
}

static Parse *good(Parse *p) {
  assert_string_equal(p->messages, "");
  assert_int_equal(p->result, DRIVER_LINK);
  return p;
}

static void bad(const char *text, Parse *p) {
  assert_int_equal(p->result, DRIVER_ERROR);
  if (!strstr(p->messages, text))
    fail_msg("no '%s' in:\n%s", text, p->messages);
  finish(p);
}

#endif
