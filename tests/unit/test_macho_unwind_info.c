/* test_macho_unwind_info.c: a small unwinder looks addresses up in the section, first level, second level; it must find what
 * was said of the function there, wherever equal neighbours were made one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#include "format/macho.h"
#include "unwind_lookup.h"
#include "write/macho_unwind_info.h"

static const u64 base = 0x100000000;

typedef struct {
  Arena arena;
  MachoUnwindPlan *plan;
  Bytes b;
} Built;

static Built build(MachoUnwindInfo *in) {
  Built s = {0};
  s.plan = macho_unwind_plan(&s.arena, in);
  if (!s.plan)
    return s;
  u64 size = macho_unwind_size(s.plan);
  assert_true(size % 4 == 0);
  u8 *p = malloc(size + 1);
  memset(p, 0xee, size + 1);
  macho_unwind_write(s.plan, p);
  assert_int_equal(p[size], 0xee);
  s.b = (Bytes){p, size};
  return s;
}

static void drop(Built *s) {
  free((void *)(uintptr_t)s->b.p);
  arena_free(&s->arena);
}

static const u64 slots[] = {base + 0x9000, base + 0x9008, base + 0x9010};

/* Every function is found by its first and last byte, and a byte between. */
static void check(const MachoUnwindEntry *e, u32 n) {
  MachoUnwindEntry *copy = calloc(n, sizeof *copy);
  for (u32 i = 0; i < n; i++) /* in another order */
    copy[i] = e[n - 1 - i];
  MachoUnwindInfo in = {base, copy, n, slots, COUNT_OF(slots)};
  Built s = build(&in);
  assert_non_null(s.plan);
  for (u32 i = 0; i < n; i++) {
    u32 from = (u32)(e[i].addr - base);
    for (u32 k = 0; k < 3; k++) {
      UnwindAnswer a = unwind_look_up(s.b, from + k * (e[i].length - 1) / 2);
      assert_true(a.found);
      assert_int_equal(a.encoding, e[i].encoding | e[i].personality << 28);
      assert_int_equal(a.lsda, e[i].lsda ? e[i].lsda - base : 0);
      if (e[i].lsda || e[i].unique)
        assert_int_equal(a.start, from);
    }
  }
  assert_false(unwind_look_up(s.b, (u32)(e[n - 1].addr - base) + e[n - 1].length).found);
  assert_false(unwind_look_up(s.b, (u32)(e[0].addr - base) - 1).found);
  const u8 *personalities = unwind_bytes(s.b, rd32(s.b.p + 12), 12);
  assert_int_equal(rd32(personalities), 0x9000);
  assert_int_equal(rd32(personalities + 8), 0x9010);
  drop(&s);
  free(copy);
}

/* n functions with `kinds` different encodings, in runs; `gap` bytes between some of them. */
static MachoUnwindEntry *make(u32 n, u32 kinds, u32 gap) {
  MachoUnwindEntry *e = calloc(n, sizeof *e);
  u64 addr = base + 0x1000;
  for (u32 i = 0; i < n; i++) {
    u32 x = (i / (kinds < 1000 ? 3 : 1)) * 2654435761U >> 4;
    e[i] = (MachoUnwindEntry){.addr = addr, .length = 4 + i * 7 % 500, .encoding = x % 11 ? 0x02000000 + x % kinds : 0};
    if (x % 13 == 0 && e[i].encoding) {
      e[i].personality = 1 + x % 3;
      e[i].lsda = base + 0x4000000 + 16ULL * i;
      e[i].encoding |= 0x40000000;
    }
    e[i].unique = x % 17 == 0;
    addr += e[i].length + (i % 50 == 0 ? gap : 0);
  }
  return e;
}

static void shapes(void **state) {
  (void)state;
  static const struct { u32 n, kinds, gap; } k[] = {
      {1, 1, 0}, {2, 2, 0}, {2000, 40, 0}, {3000, 200, 64}, {2500, 100000, 0}, {1200, 50, 5000000}, {1500, 100000, 3000000},
  };
  for (u32 i = 0; i < COUNT_OF(k); i++) {
    MachoUnwindEntry *e = make(k[i].n, k[i].kinds, k[i].gap);
    e[0].encoding |= 1; /* something is known */
    check(e, k[i].n);
    free(e);
  }
}

static void nothing_known(void **state) {
  (void)state;
  MachoUnwindEntry e[] = {{.addr = base + 0x1000, .length = 4}, {.addr = base + 0x1004, .length = 4}};
  MachoUnwindInfo in = {base, e, 2, NULL, 0}, none = {base, NULL, 0, NULL, 0};
  assert_null(build(&in).plan);
  assert_null(build(&none).plan);
}

/* One function, one without information behind it, two that are one. */
static void known_bytes(void **state) {
  (void)state;
  MachoUnwindEntry e[] = {
      {.addr = base + 0x3a0, .length = 0x10, .encoding = 0x01000000},
      {.addr = base + 0x3b0, .length = 0x10},
      {.addr = base + 0x3c0, .length = 0x10, .encoding = 0x01000000},
      {.addr = base + 0x3d0, .length = 0x20, .encoding = 0x01000000},
      {.addr = base + 0x3d0, .length = 0}, /* an empty function at the same address */
  };
  MachoUnwindInfo in = {base, e, COUNT_OF(e), NULL, 0};
  Built s = build(&in);
  static const u32 want[] = {
      1, 28, 2, 36, 0, 36, 2,               /* header */
      0x01000000, 0,                        /* encodings */
      0x3a0, 60, 60, 0x3f0, 0, 60,          /* first level */
      3, 0x0003000c, 24,                    /* page: three entries, no encodings of its own */
      0x00000000, 0x01000010, 0x00000020,
  };
  assert_int_equal(s.b.len, sizeof want);
  assert_memory_equal(s.b.p, want, sizeof want);
  drop(&s);
}

/* Equal neighbours stay apart where the unwinder asks where the function begins. */
static void kept_apart(void **state) {
  (void)state;
  MachoUnwindEntry e[] = {
      {.addr = base + 0x100, .length = 8, .encoding = 0x03000000, .unique = true},
      {.addr = base + 0x108, .length = 8, .encoding = 0x03000000, .unique = true},
      {.addr = base + 0x110, .length = 8, .encoding = 0x41000000, .personality = 1, .lsda = base + 0x1000},
      {.addr = base + 0x118, .length = 8, .encoding = 0x41000000, .personality = 1, .lsda = base + 0x1000},
      {.addr = base + 0x120, .length = 8, .encoding = 0x01000000, .personality = 1},
      {.addr = base + 0x128, .length = 8, .encoding = 0x01000000, .personality = 2},
  };
  check(e, COUNT_OF(e));
  MachoUnwindInfo in = {base, e, COUNT_OF(e), slots, 3};
  Built s = build(&in);
  assert_int_equal(in.nentries, COUNT_OF(e));
  drop(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shapes),
      cmocka_unit_test(nothing_known),
      cmocka_unit_test(known_bytes),
      cmocka_unit_test(kept_apart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
