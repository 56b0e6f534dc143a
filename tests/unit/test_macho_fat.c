/* Unit tests of read/macho_fat.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#include "arch/aarch64.h"
#include "arch/x86_64.h"
#include "format/macho.h"
#include "read/macho.h"

enum { SIZE = 4096 };

/* A fat file with n parts of 16 bytes: part i is at 256 * (i + 1) and holds i. */
typedef struct {
  u8 bytes[SIZE];
  bool wide;
} Fat;

static void put_part(Fat *f, u32 i, u32 cputype, u32 cpusubtype) {
  u8 *p = f->bytes + FAT_HEADER_SIZE + i * (f->wide ? FAT_ARCH_64_SIZE : FAT_ARCH_SIZE);
  u32 off = 256 * (i + 1);
  wr_be32(f->bytes, f->wide ? FAT_MAGIC_64 : FAT_MAGIC);
  wr_be32(f->bytes + 4, i + 1);
  wr_be32(p, cputype);
  wr_be32(p + 4, cpusubtype);
  if (f->wide) {
    wr_be64(p + 8, off);
    wr_be64(p + 16, 16);
    wr_be32(p + 24, 8);
  } else {
    wr_be32(p + 8, off);
    wr_be32(p + 12, 16);
    wr_be32(p + 16, 8);
  }
  f->bytes[off] = (u8)i;
}

static i32 part_for(const Fat *f, u32 cputype, const char **why) {
  Bytes out;
  if (!macho_slice((Bytes){f->bytes, SIZE}, cputype, &out, why))
    return -1;
  assert_int_equal(out.len, 16);
  return out.p[0];
}

static void by_cpu(void **state) {
  (void)state;
  const char *why;
  for (u32 wide = 0; wide < 2; wide++) {
    Fat f = {.wide = wide};
    put_part(&f, 0, CPU_TYPE_I386, 3);
    put_part(&f, 1, CPU_TYPE_X86_64, CPU_SUBTYPE_X86_64_H);
    put_part(&f, 2, CPU_TYPE_X86_64, CPU_SUBTYPE_X86_64_ALL | CPU_SUBTYPE_LIB64);
    put_part(&f, 3, CPU_TYPE_ARM64, CPU_SUBTYPE_ARM64E);
    put_part(&f, 4, CPU_TYPE_ARM64, CPU_SUBTYPE_ARM64_ALL);
    assert_true(macho_is_fat((Bytes){f.bytes, SIZE}));
    assert_int_equal(part_for(&f, CPU_TYPE_X86_64, &why), 2);
    assert_int_equal(part_for(&f, CPU_TYPE_ARM64, &why), 4);
    assert_int_equal(part_for(&f, CPU_TYPE_I386, &why), 0);
    assert_int_equal(part_for(&f, CPU_TYPE_ARM64_32, &why), -1);
    assert_null(why);
    wr_be32(f.bytes + 4, 4); /* only the strange one is left */
    assert_int_equal(part_for(&f, CPU_TYPE_ARM64, &why), 3);
  }
}

static void malformed(void **state) {
  (void)state;
  const char *why;
  Fat f = {.wide = false};
  put_part(&f, 0, CPU_TYPE_X86_64, CPU_SUBTYPE_X86_64_ALL);
  u8 *p = f.bytes + FAT_HEADER_SIZE;
  wr_be32(p + 12, SIZE - 255);
  assert_int_equal(part_for(&f, CPU_TYPE_X86_64, &why), -1);
  assert_string_equal(why, "a part of a fat file runs past its end");
  wr_be32(p + 12, 16);
  wr_be32(p + 8, 257);
  assert_int_equal(part_for(&f, CPU_TYPE_X86_64, &why), -1);
  assert_string_equal(why, "a part of a fat file is not aligned as it says");
  wr_be32(p + 16, 64);
  assert_int_equal(part_for(&f, CPU_TYPE_X86_64, &why), -1);
  assert_string_equal(why, "a part of a fat file is not aligned as it says");
  Bytes out;
  assert_false(macho_slice((Bytes){f.bytes, 20}, CPU_TYPE_X86_64, &out, &why));
  assert_string_equal(why, "the table of a fat file runs past its end");
  wr_be32(f.bytes + 4, 52); /* a Java class of version 52 */
  assert_false(macho_is_fat((Bytes){f.bytes, SIZE}));
  assert_false(macho_is_fat((Bytes){f.bytes, 7}));
}

static void cpus(void **state) {
  (void)state;
  assert_int_equal(macho_cpu_of(&arch_aarch64), CPU_TYPE_ARM64);
  assert_int_equal(macho_cpu_of(&arch_x86_64), CPU_TYPE_X86_64);
  assert_string_equal(macho_cpu_name(CPU_TYPE_ARM64, CPU_SUBTYPE_ARM64E | 0x80000000), "arm64e");
  assert_null(macho_cpu_name(12345, 0));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(by_cpu), cmocka_unit_test(malformed), cmocka_unit_test(cpus)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
