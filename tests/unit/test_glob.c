/* Unit tests of util/glob.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#include "util/glob.h"

static bool match(const char *pattern, const char *s) {
  return glob_match(pattern, s, strlen(s));
}

static void test_match(void **state) {
  (void)state;
  static const struct {
    const char *pattern, *s;
    bool want;
  } rows[] = {
      {"", "", true},
      {"", "a", false},
      {"*", "", true},
      {"**", "a/b", true},
      {"a*", "a", true},
      {"a*", "ba", false},
      {"*a", "bba", true},
      {"*ab", "aaab", true},
      {"*ab*", "xxaxabyy", true},
      {"a*b*c", "a-b-b-c", true},
      {"a*b*c", "a-c-b", false},
      {"?oo", "foo", true},
      {"?oo", "oo", false},
      {"*?", "", false},
      {"*?", "x", true},
      {"*[ab]", "cab", true},
      {"*[ab]x", "cabx", true},
      {"[a-c]x", "bx", true},
      {"[a-c]x", "dx", false},
      {"[!a-c]x", "dx", true},
      {"[^a-c]x", "bx", false},
      {"[]a]", "]", true},
      {"[!]a]", "b", true},
      {"[!]a]", "]", false},
      {"[a-]", "-", true},
      {"[^\\]a-zABC]", "Z", true},
      {"[^\\]a-zABC]", "]", false},
      {"[\\a-\\c]", "b", true},
      {"[", "[", true},
      {"foo[12", "foo[12", true},
      {"foo[12", "foo1", false},
      {"foo\\?", "foo?", true},
      {"foo\\?", "foox", false},
      {"*foo\\bar*", "xfoobarx", true},
      {"\\", "\\", true},
      {".text.*", ".text.", true},
      {".text.*_unlikely", ".text.foo_unlikely", true},
      {".text.*_unlikely", ".text.foo_unlikely_", false},
      {"*crtbegin?.o", "/usr/lib/crtbeginS.o", true},
      {"\xc3*", "\xc3\xa9", true},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++)
    if (match(rows[i].pattern, rows[i].s) != rows[i].want)
      fail_msg("'%s' against '%s'", rows[i].pattern, rows[i].s);
}

static void test_slow_patterns(void **state) {
  (void)state;
  char s[4001];
  memset(s, 'a', 4000);
  s[4000] = 0;
  assert_false(match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", s));
  assert_true(match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*", s));
}

static void test_magic(void **state) {
  (void)state;
  assert_true(glob_has_magic("a*"));
  assert_true(glob_has_magic("[a"));
  assert_false(glob_has_magic("a\\*"));
  assert_false(glob_has_magic(""));
  assert_true(glob_valid("[]]"));
  assert_true(glob_valid("a[!x]b"));
  assert_false(glob_valid("a[12"));
  assert_false(glob_valid("[]"));
  assert_false(glob_valid("[a\\]"));
  assert_false(glob_valid("a\\"));
  assert_true(glob_valid("a\\["));
  char s[] = "bar\\*x\\\\";
  assert_string_equal(glob_unescape(s), "bar*x\\");
}

static u32 find(const GlobSet *g, const char *s) {
  return globset_find(g, s, strlen(s));
}

static void test_set(void **state) {
  (void)state;
  Arena a = {0};
  GlobSet *g = globset_create(&a);
  assert_true(globset_empty(g));
  static const char *const patterns[] = {".text.*_unlikely", ".text.hot*", ".text",
                                         ".text.*",          "*foo*",      "*",
                                         "exact\\*",         ".data*x",    ".text"};
  for (u32 i = 0; i < COUNT_OF(patterns); i++)
    globset_add(g, patterns[i], false, i);
  globset_add(g, "lit*eral", true, 3);
  globset_seal(g);
  assert_false(globset_empty(g));
  assert_int_equal(find(g, ".text.a_unlikely"), 0);
  assert_int_equal(find(g, ".text._unlikely"), 0);
  assert_int_equal(find(g, ".text.hot"), 1);
  assert_int_equal(find(g, ".text.hot.x_unlikely"), 0);
  assert_int_equal(find(g, ".text"), 2);
  assert_int_equal(find(g, ".text.foo"), 3);
  assert_int_equal(find(g, ".texfoo"), 4);
  assert_int_equal(find(g, ""), 5);
  assert_int_equal(find(g, "exact*"), 5);
  assert_int_equal(find(g, ".datax"), 5);
  assert_int_equal(find(g, "lit*eral"), 3);
  assert_int_equal(find(g, "literal"), 5);
  arena_free(&a);
}

static bool odd(const void *ctx, u32 value) {
  (void)ctx;
  return value & 1;
}

static void test_set_where(void **state) {
  (void)state;
  Arena a = {0};
  GlobSet *g = globset_create(&a);
  for (u32 i = 0; i < 8; i++)
    globset_add(g, i < 6 ? "name" : "na*", false, i == 6 ? 4 : i == 7 ? 9 : i * 2 + (i == 5));
  globset_seal(g);
  assert_int_equal(globset_find_where(g, "name", 4, odd, NULL), 9);
  assert_int_equal(globset_find(g, "name", 4), 0);
  assert_int_equal(globset_find_where(g, "nam", 3, odd, NULL), 9);
  assert_int_equal(globset_find_where(g, "n", 1, odd, NULL), UINT32_MAX);
  arena_free(&a);
}

/* Random small patterns and names over a tiny alphabet, against one-by-one matching. */
static void test_set_random(void **state) {
  (void)state;
  u32 seed = 1;
  for (u32 round = 0; round < 300; round++) {
    Arena a = {0};
    GlobSet *g = globset_create(&a);
    char *patterns[40];
    u32 n = 1 + round % 40;
    for (u32 i = 0; i < n; i++) {
      char *p = patterns[i] = arena_alloc(&a, 100, 1);
      u32 len = (seed = seed * 1664525 + 1013904223) >> 24;
      len = round % 10 ? len % 8 : len % 90;
      for (u32 k = 0; k < len; k++) {
        u32 r = (seed = seed * 1664525 + 1013904223) >> 16;
        p[k] = round % 10 ? "aab*?\\["[r % 7] : "aaaaaaaaaaaaaaaaaaaaaab*"[r % 24];
      }
      globset_add(g, p, false, i);
    }
    globset_seal(g);
    for (u32 t = 0; t < 200; t++) {
      char s[100];
      u32 len = (seed = seed * 1664525 + 1013904223) >> 24;
      len = round % 10 ? len % 7 : len % 90;
      for (u32 k = 0; k < len; k++)
        s[k] = (seed = seed * 1664525 + 1013904223) >> 16 & (round % 10 ? 1 : 15) ? 'a' : 'b';
      u32 want = UINT32_MAX;
      for (u32 i = 0; i < n && want == UINT32_MAX; i++)
        if (glob_match(patterns[i], s, len))
          want = i;
      if (globset_find(g, s, len) != want)
        fail_msg("round %u: '%.*s': %u, not %u", round, (int)len, s, globset_find(g, s, len), want);
    }
    arena_free(&a);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_match),     cmocka_unit_test(test_slow_patterns),
      cmocka_unit_test(test_magic),     cmocka_unit_test(test_set),
      cmocka_unit_test(test_set_where), cmocka_unit_test(test_set_random),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
