/* Unit tests of core/expr.c and script/expr.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#include "script/script.h"

static char last[4096];

static void keep(void *ctx, DiagLevel level, const char *code, const char *text) {
  (void)ctx, (void)level, (void)code;
  snprintf(last, sizeof last, "%s", text);
}

static Diag *new_diag(void) {
  Diag *d = diag_create();
  DiagOptions o = *diag_options(d);
  o.sink = keep;
  diag_configure(d, &o);
  last[0] = 0;
  return d;
}

/* Section 1 is at 0x1000, section 2 at 0x3000. `.` is 0x1004; a is 0x1000 behind the beginning of section 1, b stands at that of section
 * 2, n is 5. */
static u64 env_base(void *ctx, u32 osec) {
  (void)ctx;
  return osec == 1 ? 0x1000 : 0x3000;
}

static bool env_dot(void *ctx, u64 *address) {
  (void)ctx;
  *address = 0x1004;
  return true;
}

static bool env_symbol(void *ctx, const Expr *e, ExprValue *out) {
  (void)ctx;
  *out = streq(e->name, "a")   ? (ExprValue){0x1000, 1, false}
         : streq(e->name, "b") ? (ExprValue){0, 2, false}
                               : (ExprValue){5, EXPR_ADDRESS, false};
  return !streq(e->name, "undefined");
}

static bool env_defined(void *ctx, const char *name) {
  (void)ctx;
  return streq(name, "a");
}

static bool env_section(void *ctx, const Expr *e, ExprValue *out) {
  (void)ctx;
  *out = e->op == EX_ADDR ? (ExprValue){0, 1, false} : (ExprValue){strlen(e->name), EXPR_NUMBER, false};
  return true;
}

static bool env_constant(void *ctx, const char *name, u64 *out) {
  (void)ctx;
  *out = streq(name, "MAXPAGESIZE") ? 0x1000 : 0x100;
  return true;
}

static void env_error(void *ctx, const Expr *at, const char *text) {
  (void)ctx, (void)at;
  snprintf(last, sizeof last, "%s", text);
}

static const ExprEnv env = {.base = env_base,
                            .dot = env_dot,
                            .symbol = env_symbol,
                            .defined = env_defined,
                            .section = env_section,
                            .constant = env_constant,
                            .error = env_error};

enum { ABS = EXPR_ADDRESS, NUM = -1 };

typedef struct {
  const char *text;
  u64 v;
  int osec; /* of the result: a section, ABS or NUM */
} ValueRow;

static void check_values(const ExprEnv *e, const ValueRow *rows, size_t n) {
  Arena a = {0};
  Diag *d = new_diag();
  for (size_t i = 0; i < n; i++) {
    const Expr *x = script_parse_expr(&a, d, "--defsym", rows[i].text);
    ExprValue v = {0};
    diag_flush(d);
    if (!x || !expr_eval(x, e, &v) || v.v != rows[i].v || v.osec != (u32)rows[i].osec)
      fail_msg("%s: %#llx in %d, not %#llx in %d; %s", rows[i].text, (unsigned long long)v.v, (int)v.osec, (unsigned long long)rows[i].v,
               rows[i].osec, last);
  }
  diag_destroy(d);
  arena_free(&a);
}

/* Outside of bodies a number is an address. */
static void test_values(void **state) {
  (void)state;
  static const ValueRow rows[] = {
      {"1+2*3", 7, 0},
      {"(1+2)*3", 9, 0},
      {"10-4-3", 3, 0},
      {"-1", UINT64_MAX, 0},
      {"- - 1", 1, 0},
      {"~0 & 0xff", 255, 0},
      {"!0 + !7", 1, 0},
      {"1 << 4 | 1", 17, 0},
      {"1 << 64", 0, 0},
      {"-1 >> 60", 15, 0},
      {"-7 / 2", (u64)-3, 0},
      {"-7 % 4", (u64)-3, 0},
      {"0x8000000000000000 / -1", 0x8000000000000000, 0},
      {"0x8000000000000000 % -1", 0, 0},
      {"-1 > 1", 1, NUM}, /* unsigned, as GNU ld */
      {"1 < 2 == 1", 1, NUM},
      {"6 & 3 == 3", 0, ABS}, /* C's precedence: 6 & (3 == 3) */
      {"6 ^ 3 & 1", 7, 0},
      {"0 || 0 && 1", 0, NUM},
      {"1 ? 2 : 0 ? 3 : 4", 2, 0},
      {"0 ? 2 : 0 ? 3 : 4", 4, 0},
      {"0 && undefined", 0, NUM},
      {"1 || undefined", 1, NUM},
      {"1 ? 1 : undefined", 1, 0},
      {"4K", 4096, 0},
      {"0x10k", 16384, 0},
      {"1M", 1 << 20, 0},
      {"$ff", 255, 0},
      {"0ffh", 255, 0},
      {"010", 8, 0},
      {"101b", 5, 0},
      {"10d", 10, 0},
      {"0x1b", 0x1b, 0},
      {"0", 0, 0},
      {"0xffffffffffffffff", UINT64_MAX, 0},
      {".", 0x1004, ABS},
      {". + 4", 0x1008, ABS},
      {"4 + a", 0x2004, ABS},
      {"a - .", 0xffc, ABS},
      {"a - b", (u64)-0x1000, ABS},
      {"a - a", 0, ABS},
      {"b - 4", 0x2ffc, ABS},
      {"b + SIZEOF(.x)", 2, 2}, /* which is just a number */
      {"a", 0x1000, 1},
      {"-a", (u64)-0x1000, 1},
      {"a ? a : 0", 0x1000, 1},
      {"a < 0x1800", 0, NUM},
      {"a == 0x2000", 1, NUM},
      {"ABSOLUTE(a)", 0x2000, ABS},
      {"ALIGN(16)", 0x1010, ABS},
      {"ALIGN(a, 0x3000)", 0x3000, ABS},
      {"ALIGN(7, 5)", 10, ABS},
      {"ALIGN(7, 0)", 7, ABS},
      {"BLOCK(16)", 0x1010, ABS},
      {"NEXT(16)", 0x1010, ABS},
      {"MAX(a, b)", 0x3000, ABS},
      {"MIN(a, n)", 5, ABS},
      {"LOG2CEIL(0)", 0, NUM},
      {"LOG2CEIL(1)", 0, NUM},
      {"LOG2CEIL(5)", 3, NUM},
      {"LOG2CEIL(8)", 3, NUM},
      {"DEFINED(a) + DEFINED(x)", 1, ABS},
      {"SIZEOF(.note.gnu.build-id)", 18, NUM},
      {"ADDR(\"a b\") + LOADADDR(.x)", 2, 1},
      {"ALIGNOF(.text)", 5, NUM},
      {"CONSTANT(MAXPAGESIZE)", 0x1000, NUM},
      {"CONSTANT (COMMONPAGESIZE) - 1", 0xff, ABS},
      {". & (CONSTANT (MAXPAGESIZE) - 1)", 4, ABS},
      {"ASSERT(1, \"no\")", 1, ABS},
      {"MAX", 5, ABS}, /* a symbol when nothing is called */
      {"n/*comment*/+1#end", 6, ABS},
      {"\"n\" + 1", 6, ABS},
  };
  check_values(&env, rows, COUNT_OF(rows));
}

/* In a body numbers are offsets of its section. */
static void test_values_in_section(void **state) {
  (void)state;
  static const ValueRow rows[] = {
      {"4", 4, NUM},
      {".", 4, 1},
      {". + 4", 8, 1},
      {"a", 0x1000, 1},
      {"a - .", 0xffc, NUM},
      {"a - b", (u64)-0x1000, NUM},
      {"a + b", 0x5000, NUM},
      {"a < 0x1800", 1, NUM},
      {"ALIGN(16)", 0x10, 1},
      {"ALIGN(., 16)", 0x10, 1},
      {"NEXT(16)", 0x1010, ABS},
      {"ABSOLUTE(.)", 0x1004, ABS},
      {"ABSOLUTE(4)", 4, ABS},
      {"MAX(a, b)", 0x3000, ABS},
      {"MAX(a, 4)", 0x1000, 1},
      {"SIZEOF(.x)", 2, NUM},
      {". & ~3", 4, 1},
      {"1 == 1", 1, NUM},
  };
  ExprEnv in = env;
  in.osec = 1;
  check_values(&in, rows, COUNT_OF(rows));
}

static void test_eval_errors(void **state) {
  (void)state;
  static const struct {
    const char *text, *error;
  } rows[] = {
      {"1 / 0", "division by zero"},
      {"1 % (2 - 2)", "remainder"},
            {"SIZEOF_HEADERS", "not known here"},
      {"SEGMENT_START(\"text-segment\", 4)", "not known here"},
  };
  Arena a = {0};
  Diag *d = new_diag();
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    const Expr *e = script_parse_expr(&a, d, "--defsym", rows[i].text);
    ExprValue v;
    assert_non_null(e);
    assert_false(expr_eval(e, &env, &v));
    assert_non_null(strstr(last, rows[i].error));
  }
  ExprValue no; /* an assertion has a value all the same */
  assert_true(expr_eval(script_parse_expr(&a, d, "x", "ASSERT(0, \"too big\")"), &env, &no));
  assert_int_equal(no.v, 0);
  assert_non_null(strstr(last, "too big"));
  ExprEnv none = {.error = env_error};
  ExprValue v;
  assert_false(expr_eval(script_parse_expr(&a, d, "x", "foo"), &none, &v));
  assert_non_null(strstr(last, "not allowed here"));
  diag_destroy(d);
  arena_free(&a);
}

static void test_syntax_errors(void **state) {
  (void)state;
  static const struct {
    const char *text, *error;
  } rows[] = {
      {"", "x:1:1: expected an expression"},
      {"1 +", "x:1:4: expected an expression"},
      {"1 2", "x:1:3: expected an operator, found '2'"},
      {"(1", "expected ')'"},
      {"1)", "expected an operator"},
      {"0x", "not a number"},
      {"09", "not a number"},
      {"12z", "not a number"},
      {"0x1ffffffffffffffff", "does not fit"},
      {"0xfffffffffffffffk", "does not fit"},
      {"CONSTANT(PAGE)", "unknown CONSTANT(PAGE)"},
      {"ALIGN(1", "expected ')'"},
      {"1 ? 2", "expected ':'"},
      {"\"abc", "unclosed string"},
      {"/* abc", "unclosed comment"},
      {"1 @ 2", "unexpected '@'"},
      {"1\x01", "unexpected byte 0x01"},
      {"ORIGIN(ram", "expected ')'"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    Arena a = {0};
    Diag *d = new_diag();
    assert_null(script_parse_expr(&a, d, "x", rows[i].text));
    diag_flush(d);
    if (!strstr(last, rows[i].error))
      fail_msg("'%s': %s", rows[i].text, last);
    diag_destroy(d);
    arena_free(&a);
  }
}

/* Depth and height are bounded, in the parser and so in the evaluator. */
static void test_deep(void **state) {
  (void)state;
  static char text[2000001];
  static const char *const units[] = {"(", "-", "1+", "1?", "ABSOLUTE(", "1+(", "0?0:", "!"};
  for (size_t u = 0; u < COUNT_OF(units); u++) {
    size_t n = strlen(units[u]);
    for (size_t i = 0; i + n < sizeof text; i += n)
      memcpy(text + i, units[u], n);
    text[(sizeof text - 1) / n * n] = 0;
    Arena a = {0};
    Diag *d = new_diag();
    assert_null(script_parse_expr(&a, d, "x", text));
    diag_flush(d);
    assert_true(strstr(last, "too deeply") || strstr(last, "too long"));
    diag_destroy(d);
    arena_free(&a);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_values),
      cmocka_unit_test(test_values_in_section),
      cmocka_unit_test(test_eval_errors),
      cmocka_unit_test(test_syntax_errors),
      cmocka_unit_test(test_deep),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
