/* test_leb.c: util/leb.h both ways, and what it must refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#include "util/leb.h"

static void round_trips(void **state) {
  (void)state;
  ByteVec v = {0};
  u64 n = 0, want = 0;
  for (unsigned bit = 0; bit < 64; bit++)
    for (int d = -1; d <= 1; d++) {
      u64 x = (1ULL << bit) + (u64)(i64)d;
      uleb_put(&v, x);
      sleb_put(&v, (i64)x);
      want += uleb_size(x);
      n++;
    }
  u64 off = 0, unsigned_bytes = 0, u;
  i64 s;
  Bytes b = {v.at, v.n};
  for (unsigned bit = 0; bit < 64; bit++)
    for (int d = -1; d <= 1; d++) {
      u64 x = (1ULL << bit) + (u64)(i64)d, before = off;
      assert_true(uleb_read(b, &off, &u));
      unsigned_bytes += off - before;
      assert_true(u == x);
      assert_true(sleb_read(b, &off, &s));
      assert_true(s == (i64)x);
    }
  assert_true(off == v.n && unsigned_bytes == want && n == 192);
  vec_free(&v);
}

/* DWARF 5, figure C.1 and C.2 show these. */
static void known_bytes(void **state) {
  (void)state;
  ByteVec v = {0};
  uleb_put(&v, 12857);
  sleb_put(&v, -128);
  sleb_put(&v, 63);
  sleb_put(&v, 64);
  static const u8 want[] = {0xb9, 0x64, 0x80, 0x7f, 0x3f, 0xc0, 0x00};
  assert_int_equal(v.n, sizeof want);
  assert_memory_equal(v.at, want, sizeof want);
  vec_free(&v);
}

static bool reads(const char *bytes, u64 n, bool sign) {
  u64 off = 0, u;
  i64 s;
  bool ok = sign ? sleb_read((Bytes){(const u8 *)bytes, n}, &off, &s) : uleb_read((Bytes){(const u8 *)bytes, n}, &off, &u);
  assert_true(ok ? off == n : off == 0);
  return ok;
}

static void hostile_bytes(void **state) {
  (void)state;
  for (int sign = 0; sign < 2; sign++) {
    assert_false(reads("", 0, sign));
    assert_false(reads("\x80\x80", 2, sign));
    assert_true(reads("\x80\x00", 2, sign));
    assert_true(reads("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 13, sign));
    assert_false(reads("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x03", 10, sign)); /* 65 bits */
  }
  assert_true(reads("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, false));
  assert_true(reads("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10, true));
  assert_true(reads("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 11, true));
  assert_false(reads("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00", 11, true));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(round_trips),
      cmocka_unit_test(known_bytes),
      cmocka_unit_test(hostile_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
