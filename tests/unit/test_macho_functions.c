/* test_macho_functions.c: the list of functions is read back; entries of data in code come out in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#include "util/leb.h"
#include "write/macho_functions.h"

static void starts(void **state) {
  (void)state;
  enum { N = 5000 };
  Arena arena = {0};
  u64 *addrs = calloc(N, sizeof *addrs), base = 0x100000000;
  for (u32 i = 0; i < N; i++)
    addrs[i] = base + i * 2654435761U % 1000003;
  addrs[7] = addrs[8];
  addrs[9] = base;
  Bytes b = macho_function_starts(&arena, addrs, N, base);
  assert_true(b.len % 8 == 0);
  u64 off = 0, at = base, delta;
  u32 next = 0;
  for (;;) {
    assert_true(uleb_read(b, &off, &delta));
    if (!delta)
      break;
    at += delta;
    while (addrs[next] < at) { /* sorted now; only what is there twice, or at the base, is passed over */
      assert_true(addrs[next] == base || addrs[next] == at - delta);
      next++;
    }
    assert_true(addrs[next] == at);
  }
  assert_true(at == addrs[N - 1]);
  for (; off < b.len; off++)
    assert_int_equal(b.p[off], 0);
  free(addrs);
  arena_free(&arena);
}

static void few_starts(void **state) {
  (void)state;
  Arena arena = {0};
  assert_true(macho_function_starts(&arena, NULL, 0, 0).len == 0);
  u64 base = 0x1000, two[] = {0x1f50, 0x1f00};
  Bytes b = macho_function_starts(&arena, two, 2, base);
  static const u8 want[8] = {0x80, 0x1e, 0x50};
  assert_int_equal(b.len, sizeof want);
  assert_memory_equal(b.p, want, sizeof want);
  u64 seven[] = {0x1001, 0x1002, 0x1003, 0x1004, 0x1005, 0x1006, 0x1007, 0x1008}; /* the end needs a byte of its own */
  assert_int_equal(macho_function_starts(&arena, seven, 7, base).len, 8);
  assert_int_equal(macho_function_starts(&arena, seven, 8, base).len, 16);
  arena_free(&arena);
}

static void data_in_code(void **state) {
  (void)state;
  DataInCodeEntry d[] = {{0x300, 4, 1}, {0x100, 8, 4}, {0x200, 2, 3}, {0x100, 4, 4}};
  macho_data_in_code_sort(d, COUNT_OF(d));
  static const u8 want[] = {0x00, 1, 0, 0, 4, 0, 4, 0, 0x00, 1, 0, 0, 8, 0, 4, 0, 0x00, 2, 0, 0, 2, 0, 3, 0, 0x00, 3, 0, 0, 4, 0, 1, 0};
  assert_int_equal(sizeof d, sizeof want);
  assert_memory_equal(d, want, sizeof want);
  macho_data_in_code_sort(NULL, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(starts),
      cmocka_unit_test(few_starts),
      cmocka_unit_test(data_in_code),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
