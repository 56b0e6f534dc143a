/* Unit tests of util/decompress.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* after the above, as cmocka asks */
#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "util/decompress.h"

enum { SIZE = 300000, ROOM = SIZE + 4096 };

typedef struct {
  u8 plain[SIZE], packed[ROOM], out[ROOM];
  u64 len;
  char why[128];
} Case;

static Case *make(DecompressKind kind) {
  Case *c = calloc(1, sizeof *c);
  for (u32 i = 0; i < SIZE; i++)
    c->plain[i] = (u8)(i % 251 * (i >> 10));
  if (kind == DECOMPRESS_ZLIB) {
    uLongf n = ROOM;
    assert_int_equal(compress(c->packed, &n, c->plain, SIZE), Z_OK);
    c->len = n;
  } else {
    c->len = ZSTD_compress(c->packed, ROOM, c->plain, SIZE, 3);
    assert_false(ZSTD_isError(c->len));
  }
  return c;
}

static bool run(Case *c, DecompressKind kind, u64 in, u64 out) {
  c->why[0] = 0;
  return decompress(kind, (Bytes){c->packed, in}, c->out, out, c->why, sizeof c->why);
}

static void check(DecompressKind kind) {
  Case *c = make(kind);
  assert_true(run(c, kind, c->len, SIZE));
  assert_memory_equal(c->out, c->plain, SIZE);
  assert_true(decompress_limit(kind, (Bytes){c->packed, c->len}) >= SIZE);

  /* the claimed size is wrong, in both directions */
  assert_false(run(c, kind, c->len, SIZE - 1));
  assert_true(c->why[0]);
  assert_false(run(c, kind, c->len, SIZE + 1));
  assert_true(c->why[0]);
  assert_false(run(c, kind, c->len, 0));

  /* cut off anywhere */
  for (u64 n = 0; n < c->len; n += n < 64 ? 1 : 997)
    assert_false(run(c, kind, n, SIZE));

  /* damaged: no crash; the beginning and the checksum of zlib are noticed for sure */
  c->packed[0] ^= 0xff;
  assert_false(run(c, kind, c->len, SIZE));
  c->packed[0] ^= 0xff;
  for (u64 i = 1; i < c->len; i += 501) {
    c->packed[i] ^= 0x55;
    (void)run(c, kind, c->len, SIZE);
    c->packed[i] ^= 0x55;
  }
  free(c);
}

static void test_zlib(void **state) {
  (void)state;
  check(DECOMPRESS_ZLIB);
}

static void test_zstd(void **state) {
  (void)state;
  check(DECOMPRESS_ZSTD);
}

static void test_limit(void **state) {
  (void)state;
  assert_int_equal(decompress_limit(DECOMPRESS_ZLIB, (Bytes){NULL, UINT64_MAX / 2}), UINT64_MAX);
  assert_true(decompress_limit(DECOMPRESS_ZLIB, (Bytes){NULL, 100}) < 200000);
}

static void test_empty(void **state) {
  (void)state;
  u8 buf[64];
  uLongf n = sizeof buf;
  char why[64];
  assert_int_equal(compress(buf, &n, (const Bytef *)"", 0), Z_OK);
  assert_true(decompress(DECOMPRESS_ZLIB, (Bytes){buf, n}, buf + 32, 0, why, sizeof why));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_zlib),
      cmocka_unit_test(test_zstd),
      cmocka_unit_test(test_limit),
      cmocka_unit_test(test_empty),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
