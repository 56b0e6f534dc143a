/* test_thunks.c: the bytes of branch islands, decoded again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arch/aarch64.h"
#include "arch/x86_64.h"
#include "util/bytes.h"

/* Where adrp x16, add x16, br x16 at address `at` go; 0: it is something else. */
static u64 follow_aarch64(const u8 *p, u64 at) {
  u32 adrp = rd32(p), add = rd32(p + 4);
  if ((adrp & 0x9f00001f) != 0x90000010 || (add & 0xffc003ff) != 0x91000210 || rd32(p + 8) != 0xd61f0200)
    return 0;
  i64 pages = (i64)((u64)(adrp >> 5 & 0x7ffff) << 2 | (adrp >> 29 & 3)) << 43 >> 43; /* 21 bits with a sign */
  return (at & ~0xfffull) + (u64)(pages * 4096) + (add >> 10 & 0xfff);
}

static u64 follow_x86_64(const u8 *p, u64 at) { return p[0] == 0xe9 ? at + 5 + (u64)(i64)(i32)rd32(p + 1) : 0; }

typedef u64 FollowFn(const u8 *p, u64 at);

static void check_cpu(const Arch *a, FollowFn *follow) {
  const i64 far[] = {a->thunk->back, a->thunk->back + 5, -0x1000, -1, 0, 4, 0xfff, 0x1000, 0x12345678, a->thunk->ahead - 3, a->thunk->ahead};
  const u64 from[] = {0x200000000, 0x200000ffc, 0x200000008, 0x7fffffff0000};
  for (u32 i = 0; i < COUNT_OF(from); i++)
    for (u32 k = 0; k < COUNT_OF(far); k++) {
      u8 bytes[16];
      u64 to = from[i] + (u64)far[k];
      assert_true(a->write_thunk(bytes, from[i], to));
      assert_int_equal(follow(bytes, from[i]), to);
    }
}

static void check_bytes(const Arch *a, u64 at, u64 to) {
  u8 bytes[16];
  assert_true(a->write_thunk(bytes, at, to));
  assert_memory_equal(bytes, a->thunk->bytes, a->thunk_size);
}

static void test_x86_64(void **state) {
  (void)state;
  u8 bytes[16];
  check_cpu(&arch_x86_64, follow_x86_64);
  check_bytes(&arch_x86_64, 0x1000, 0x1005);
  assert_false(arch_x86_64.write_thunk(bytes, 0x400000000, 0x400000000 + (u64)arch_x86_64.thunk->ahead + 1));
  assert_false(arch_x86_64.write_thunk(bytes, 0x400000000, 0x400000000 + (u64)arch_x86_64.thunk->back - 1));
}

static void test_aarch64(void **state) {
  (void)state;
  u8 bytes[16];
  check_cpu(&arch_aarch64, follow_aarch64);
  check_bytes(&arch_aarch64, 0x1000, 0x1000);
  assert_false(arch_aarch64.write_thunk(bytes, 0x400000000, 0x500000000));
  assert_false(arch_aarch64.write_thunk(bytes, 0x400000000, 0x2fffff000));
}

/* Whatever is a branch for sure has a reach, that of its field. */
static void test_facts(void **state) {
  (void)state;
  const Arch *const rows[] = {&arch_x86_64, &arch_aarch64};
  for (u32 i = 0; i < COUNT_OF(rows); i++)
    for (u32 k = 0; k < rows[i]->nkinds; k++) {
      const BranchReach *r = &rows[i]->branches[k];
      assert_true((r->back < 0) == (r->ahead > 0));
      i64 min, max;
      if (edge_class(rows[i], k) == EC_BRANCH)
        assert_true(r->ahead > 0);
      if (!r->ahead)
        continue;
      rows[i]->fix_range(k, &min, &max);
      assert_int_equal(r->back, min);
      assert_true(r->ahead <= max && r->ahead > max - 4); /* instructions are aligned */
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_x86_64),
      cmocka_unit_test(test_aarch64),
      cmocka_unit_test(test_facts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
