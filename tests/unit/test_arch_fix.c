/* Unit tests of Arch.fix and kin: arch/aarch64_fix.c and arch/x86_64_fix.c, against the bytes that an assembler makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#include "arch/aarch64.h"
#include "arch/x86_64.h"
#include "util/bytes.h"

static const Arch *const a64 = &arch_aarch64, *const x64 = &arch_x86_64;

/* ---- AArch64 ---- */

/* The instruction `insn` at P, fixed up. */
static u32 fixed(u32 kind, u32 insn, u64 P, u64 S, i64 A) {
  u8 b[4];
  i64 v;
  wr32(b, insn);
  assert_int_equal(a64->fix(kind, b, P, S, A, &v), FIX_OK);
  return rd32(b);
}

static FixResult fix_of(const Arch *a, u32 kind, u64 P, u64 S, i64 A, i64 *v) {
  u8 b[8] = {0};
  FixResult r = a->fix(kind, b, P, S, A, v);
  for (u32 i = 0; r != FIX_OK && i < 8; i++) /* what does not fit is not written */
    assert_int_equal(b[i], 0);
  return r;
}

static void a64_branches(void **state) {
  (void)state;
  i64 v;
  assert_int_equal(fixed(A64_CALL26, 0x94000000, 0x10000000, 0x17fffffc, 0), 0x95ffffff);
  assert_int_equal(fixed(A64_CALL26, 0x94000000, 0x10000000, 0x08000000, 0), 0x96000000);
  assert_int_equal(fixed(A64_CALL26, 0x14000000, 0x1000, 0x1010, 4), 0x14000005); /* b, with an addend */
  assert_int_equal(fix_of(a64, A64_CALL26, 0x10000000, 0x18000000, 0, &v), FIX_RANGE);
  assert_int_equal(v, 0x8000000);
  assert_int_equal(fix_of(a64, A64_CALL26, 0x10000000, 0x07fffffc, 0, &v), FIX_RANGE);
  assert_int_equal(fix_of(a64, A64_CALL26, 0x10000000, 0x10000002, 0, &v), FIX_ALIGN);
  assert_true(a64->branch_reach < 0x8000000 && a64->branch_reach > 0x7000000);
}

static void a64_pages(void **state) {
  (void)state;
  i64 v, min, max;
  assert_int_equal(fixed(A64_ADR_PREL_PG_HI21, 0x90000003, 0x100008ffc, 0x100003000, 0), 0xf0ffffc3);
  assert_int_equal(fixed(A64_ADR_PREL_PG_HI21, 0x90000009, 0x100000000, 0x1fffff000, 0xfff), 0xf07fffe9);
  assert_int_equal(fixed(A64_ADR_GOT_PAGE, 0x90000001, 0x100003f80, 0x10000cfff, 0), 0xb0000041);
  assert_int_equal(fixed(A64_TLV_PAGE21, 0xf0ffffe1, 0x100003f80, 0x10000c000, 0), 0xb0000041); /* old bits go */
  assert_int_equal(fix_of(a64, A64_ADR_PREL_PG_HI21, 0x100000fff, 0x200000000, 0, &v), FIX_RANGE);
  a64->fix_range(A64_ADR_PREL_PG_HI21, &min, &max);
  assert_true(v > max && min == -max - 1);
}

static void a64_low12(void **state) {
  (void)state;
  i64 v;
  assert_int_equal(fixed(A64_ADD_ABS_LO12_NC, 0x910000a4, 0, 0x123000, 0xabc), 0x912af0a4);
  assert_int_equal(fixed(A64_LDST8_ABS_LO12_NC, 0x39400041, 0, 0x123abc, 0), 0x396af041);
  assert_int_equal(fixed(A64_LDST16_ABS_LO12_NC, 0x79800041, 0, 0x123abe, 0), 0x79957c41);
  assert_int_equal(fixed(A64_LDST32_ABS_LO12_NC, 0xb9000041, 0, 0x123abc, 0), 0xb90abc41);
  assert_int_equal(fixed(A64_LDST64_ABS_LO12_NC, 0xf9400041, 0, 0x123ab8, 0), 0xf9455c41);
  assert_int_equal(fixed(A64_LDST64_ABS_LO12_NC, 0xfd400041, 0, 0x123ab8, 0), 0xfd455c41);
  assert_int_equal(fixed(A64_LDST128_ABS_LO12_NC, 0x3dc00047, 0, 0x123ab0, 0), 0x3dc2ac47);
  assert_int_equal(fixed(A64_LD64_GOT_LO12_NC, 0xf9400041, 0, 0x123ab8, 0), 0xf9455c41);
  assert_int_equal(fix_of(a64, A64_LDST64_ABS_LO12_NC, 0, 0x123abc, 0, &v), FIX_ALIGN);
  assert_int_equal(fix_of(a64, A64_LDST128_ABS_LO12_NC, 0, 0x123ab8, 0, &v), FIX_ALIGN);
}

static void a64_words(void **state) {
  (void)state;
  u8 b[8];
  i64 v;
  assert_int_equal(a64->fix(A64_ABS64, b, 0x10, 0x1234567800000000, -1, &v), FIX_OK);
  assert_int_equal(rd64(b), 0x12345677ffffffff);
  assert_int_equal(a64->fix(A64_PREL64, b, 0x10, 8, -1, &v), FIX_OK);
  assert_int_equal(rd64(b), (u64)-9);
  assert_int_equal(a64->fix(A64_GOTPCREL32, b, 0x1000, 0x3000, 4, &v), FIX_OK);
  assert_int_equal(rd32(b), 0x2004);
  assert_int_equal(a64->fix(A64_ABS32, b, 0, 0xfffffffe, 1, &v), FIX_OK);
  assert_int_equal(rd32(b), 0xffffffff);
  assert_int_equal(a64->fix(A64_ABS32, b, 0, 0x1000, -0x1004, &v), FIX_OK); /* a difference below 0 */
  assert_int_equal(rd32(b), (u32)-4);
  assert_int_equal(fix_of(a64, A64_ABS32, 0, 0xffffffff, 1, &v), FIX_RANGE);
  assert_int_equal(fix_of(a64, A64_PREL32, 0, 0x80000000, 0, &v), FIX_RANGE);
  assert_int_equal(fix_of(a64, A64_SUB64, 0, 0, 0, &v), FIX_KIND);
}

static void a64_loads(void **state) {
  (void)state;
  u8 b[8];
  u16 as;
  wr32(b, 0xf9400101); /* ldr x1, [x8] */
  wr32(b + 4, 0x91000101);
  assert_true(a64->can_relax(A64_LD64_GOT_LO12_NC, b, 8, 0, &as));
  assert_int_equal(as, A64_ADD_ABS_LO12_NC);
  a64->relax(A64_LD64_GOT_LO12_NC, b);
  assert_int_equal(rd32(b), 0x91000101); /* add x1, x8, #0 */
  assert_true(a64->can_relax(A64_TLV_PAGE21, b, 8, 4, &as));
  assert_int_equal(as, A64_ADR_PREL_PG_HI21);
  assert_false(a64->can_relax(A64_TLV_PAGEOFF12, b, 8, 4, &as)); /* is an ADD already */
  assert_false(a64->can_relax(A64_LD64_GOT_LO12_NC, b, 8, 6, &as));
  assert_false(a64->can_relax(A64_GOTPCREL32, b, 8, 0, &as));
}

/* Words of code that `write` is expected to have made. */
static void same_words(const u8 *b, const u32 *want, u32 n) {
  for (u32 i = 0; i < n; i++)
    assert_int_equal(rd32(b + 4 * i), want[i]);
}

static void a64_stubs(void **state) {
  (void)state;
  u8 b[64];
  assert_true(a64->write_stub(b, 0x100003f80, 0x100008010));
  same_words(b, (const u32[]){0xb0000030, 0xf9400a10, 0xd61f0200}, 3);
  assert_false(a64->write_stub(b, 0x100003f80, 0x100008014)); /* the load counts in eights */
  assert_false(a64->write_stub(b, 0, 0x100000000));
  assert_true(a64->write_stub_helper(b, 0x100003f8c, 0x1000081a8, 0x100004008));
  same_words(b, (const u32[]){0xb0000031, 0x9106a231, 0xa9bf47f0, 0xb0000010, 0xf9400610, 0xd61f0200}, 6);
  assert_true(a64->write_stub_helper_entry(b, 0x100003fa4, 0x100003f8c, 42));
  same_words(b, (const u32[]){0x18000050, 0x17fffff9, 42}, 3);
  assert_false(a64->write_stub_helper_entry(b, 0x100003fa4, 0x200003f8c, 42));
  assert_true(a64->write_thunk(b, 0x1000, 0x87654abc));
  same_words(b, (const u32[]){0xf043b290, 0x912af210, 0xd61f0200}, 3);
  assert_true(a64->write_objc_stub(b, 0x100003f80, 0x10000c0f8, 0x100004010));
  same_words(b, (const u32[]){0xb0000041, 0xf9407c21, 0xb0000010, 0xf9400a10, 0xd61f0200, 0xd4200020, 0xd4200020, 0xd4200020}, 8);
  assert_int_equal(a64->stub_size, 12);
  assert_int_equal(a64->stub_helper_size, 24);
  assert_int_equal(a64->stub_helper_entry_size, 12);
  assert_int_equal(a64->thunk_size, 12);
  assert_int_equal(a64->objc_stub_size, 32);
}

/* ---- x86-64 ---- */

static void x64_fields(void **state) {
  (void)state;
  u8 b[8];
  i64 v, min, max;
  assert_int_equal(x64->fix(X64_PC32, b, 0x1000, 0x2000, -4, &v), FIX_OK);
  assert_int_equal(rd32(b), 0xffc);
  assert_int_equal(x64->fix(X64_PLT32, b, 0x2000, 0x1000, -4, &v), FIX_OK);
  assert_int_equal(rd32(b), (u32)-0x1004);
  assert_int_equal(x64->fix(X64_GOTPCREL, b, 0x1000, 0x3000, 0, &v), FIX_OK);
  assert_int_equal(rd32(b), 0x2000);
  assert_int_equal(x64->fix(X64_ABS64, b, 0, 0x100000000, 8, &v), FIX_OK);
  assert_int_equal(rd64(b), 0x100000008);
  assert_int_equal(x64->fix(X64_ABS32, b, 0, 0, -8, &v), FIX_OK);
  assert_int_equal(rd32(b), (u32)-8);
  assert_int_equal(fix_of(x64, X64_ABS32, 0, 0x100000000, 0, &v), FIX_RANGE);
  assert_int_equal(fix_of(x64, X64_PC32, 0, 0x80000004, -4, &v), FIX_RANGE);
  assert_int_equal(v, 0x80000000);
  x64->fix_range(X64_PC32, &min, &max);
  assert_int_equal(max, INT32_MAX);
  assert_int_equal(min, INT32_MIN);
  assert_int_equal(fix_of(x64, X64_PC8, 0x100, 0x180, 0, &v), FIX_RANGE);
  assert_int_equal(fix_of(x64, X64_SUB32, 0, 0, 0, &v), FIX_KIND);
  assert_int_equal(fix_of(x64, X64_TLSGD, 0, 0, 0, &v), FIX_KIND);
  assert_int_equal(fix_of(x64, X64_GOT32, 0, 0, 0, &v), FIX_KIND);
}

static void x64_loads(void **state) {
  (void)state;
  u16 as;
  u8 mov[] = {0x4c, 0x8b, 0x2d, 0, 0, 0, 0}, cmp[] = {0x4c, 0x3b, 0x2d, 0, 0, 0, 0}, base[] = {0x48, 0x8b, 0x80, 0, 0, 0, 0};
  assert_true(x64->can_relax(X64_REX_GOTPCRELX, mov, sizeof mov, 3, &as));
  assert_int_equal(as, X64_PC32);
  assert_true(x64->can_relax(X64_TLVPCREL, mov, sizeof mov, 3, &as));
  x64->relax(X64_REX_GOTPCRELX, mov + 3);
  assert_memory_equal(mov, ((const u8[]){0x4c, 0x8d, 0x2d}), 3); /* lea */
  assert_false(x64->can_relax(X64_REX_GOTPCRELX, cmp, sizeof cmp, 3, &as));
  assert_false(x64->can_relax(X64_REX_GOTPCRELX, base, sizeof base, 3, &as));
  assert_false(x64->can_relax(X64_REX_GOTPCRELX, mov + 2, 5, 1, &as)); /* no room for an opcode before it */
  assert_false(x64->can_relax(X64_GOTPCREL, mov, sizeof mov, 3, &as));
}

static void x64_stubs(void **state) {
  (void)state;
  u8 b[32];
  assert_true(x64->write_stub(b, 0x100000000, 0x10000123a));
  assert_memory_equal(b, "\xff\x25\x34\x12\x00\x00", 6);
  assert_false(x64->write_stub(b, 0x100000000, 0x200000000));
  assert_true(x64->write_stub_helper(b, 0x1000, 0x223b, 0x2243));
  assert_memory_equal(b, "\x4c\x8d\x1d\x34\x12\x00\x00\x41\x53\xff\x25\x34\x12\x00\x00\x90", 16);
  assert_true(x64->write_stub_helper_entry(b, 0x1010, 0x1000, 0x12345));
  assert_memory_equal(b, "\x68\x45\x23\x01\x00\xe9\xe6\xff\xff\xff", 10);
  assert_true(x64->write_objc_stub(b, 0x1000, 0x223b, 0x2241));
  assert_memory_equal(b, "\x48\x8b\x35\x34\x12\x00\x00\xff\x25\x34\x12\x00\x00", 13);
  assert_int_equal(x64->stub_size, 6);
  assert_int_equal(x64->stub_helper_size, 16);
  assert_int_equal(x64->stub_helper_entry_size, 10);
  assert_int_equal(x64->objc_stub_size, 13);
  assert_int_equal(x64->branch_reach, 0);
}

static void classes(void **state) {
  (void)state;
  assert_int_equal(edge_class(x64, X64_PLT32), EC_BRANCH);
  assert_int_equal(edge_class(x64, X64_REX_GOTPCRELX), EC_GOT_LOAD);
  assert_int_equal(edge_class(x64, X64_GOTPCREL), EC_GOT);
  assert_int_equal(edge_class(x64, X64_ABS64), EC_POINTER);
  assert_int_equal(edge_class(x64, X64_SUB64), EC_SUBTRACT);
  assert_int_equal(edge_class(x64, X64_TLVPCREL), EC_TLV_LOAD);
  assert_int_equal(edge_class(a64, A64_LD64_GOT_LO12_NC), EC_GOT_LOAD);
  assert_int_equal(edge_class(a64, EDGE_LAYOUT_AFTER), EC_NONE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a64_branches), cmocka_unit_test(a64_pages), cmocka_unit_test(a64_low12),  cmocka_unit_test(a64_words), cmocka_unit_test(a64_loads),
      cmocka_unit_test(a64_stubs),    cmocka_unit_test(x64_fields), cmocka_unit_test(x64_loads), cmocka_unit_test(x64_stubs), cmocka_unit_test(classes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
