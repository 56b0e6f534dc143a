/* yaml_case.h: a text that is read, with what is said about it. Shared by the tests of the text
 * form of the graph. */
#ifndef WELD_TESTS_YAML_CASE_H
#define WELD_TESTS_YAML_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#include "read/yaml_text.h"
#include "write/yaml_text.h"

typedef struct {
  Arena a;
  Diag *d;
  YamlStream s;
  bool good;
  char text[65536]; /* messages */
} Case;

static inline void keep(void *ctx, DiagLevel level, const char *code, const char *text) {
  Case *c = ctx;
  size_t n = strlen(c->text);
  assert_int_equal(level, DIAG_ERROR);
  assert_string_equal(code, "yaml");
  snprintf(c->text + n, sizeof c->text - n, "%s\n", text);
}

static inline Case *read_bytes(Bytes text) {
  Case *c = calloc(1, sizeof *c);
  c->d = diag_create();
  DiagOptions o = *diag_options(c->d);
  o.sink = keep;
  o.sink_ctx = c;
  o.error_limit = 0;
  diag_configure(c->d, &o);
  c->good = yaml_read(&c->a, c->d, "t", text, &c->s);
  diag_flush(c->d);
  assert_int_equal(c->good, !*c->text); /* a report if and only if it fails */
  return c;
}

static inline void case_free(Case *c) {
  diag_destroy(c->d);
  arena_free(&c->a);
  free(c);
}

static inline Case *read_good(const char *text) {
  Case *c = read_bytes((Bytes){(const u8 *)text, strlen(text)});
  if (!c->good)
    fail_msg("%s", c->text);
  return c;
}

/* `messages`: each line is "line:column: text". */
static inline void refused(const char *text, const char *messages) {
  Case *c = read_bytes((Bytes){(const u8 *)text, strlen(text)});
  char all[8192] = "";
  for (const char *m = messages; *m;) {
    size_t len = strcspn(m, "\n"), n = strlen(all);
    snprintf(all + n, sizeof all - n, "t:%.*s\n", (int)len, m);
    m += len + (m[len] == '\n');
  }
  assert_string_equal(c->text, all);
  case_free(c);
}

/* The text of the structs, to free(). */
static inline char *written(const YamlStream *s) {
  YamlOut o = {0};
  assert_true(yaml_write(s, &o));
  return o.text;
}

#endif
