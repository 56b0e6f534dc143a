/* test_macho_dyldinfo.c: a small dyld runs the opcodes; what it rebases and binds must be what was asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#include "util/leb.h"
#include "write/macho_dyldinfo.h"

typedef struct {
  u64 offset;
  i64 addend;
  const char *name;
  i32 ordinal;
  u32 segment, flags;
} Event; /* a pointer rebased (name NULL), bound; or a name without a place: segment UINT32_MAX */

typedef VEC(Event) Events;

static u64 number(Bytes b, u64 *at) {
  u64 v = 0;
  assert_true(uleb_read(b, at, &v));
  return v;
}

static void run_rebase(Bytes b, Events *out) {
  u64 at = 0, offset = 0, n, skip;
  u32 segment = 0, type = 0;
  while (at < b.len) {
    u8 op = b.p[at] & 0xf0, imm = b.p[at++] & 15;
    n = skip = 0;
    switch (op) {
    case 0x00: /* done: only padding may follow */
      for (; at < b.len; at++)
        assert_int_equal(b.p[at], 0);
      return;
    case 0x10: type = imm; break;
    case 0x20: segment = imm; offset = number(b, &at); break;
    case 0x30: offset += number(b, &at); break;
    case 0x40: offset += imm * 8U; break;
    case 0x50: n = imm; break;
    case 0x60: n = number(b, &at); break;
    case 0x70: n = 1; skip = number(b, &at); break;
    case 0x80: n = number(b, &at); skip = number(b, &at); break;
    default: fail();
    }
    for (; n; n--, offset += 8 + skip) {
      assert_int_equal(type, 1);
      *vec_push(out) = (Event){.segment = segment, .offset = offset};
    }
  }
  fail(); /* no end */
}

/* One program: until DONE, or (weak and normal) to the end. */
static void run_bind(Bytes b, u64 at, bool lazy, Events *out) {
  u64 n, skip;
  Event e = {0};
  bool placed = false;
  u32 type = lazy ? 1 : 0;
  while (at < b.len) {
    u8 op = b.p[at] & 0xf0, imm = b.p[at++] & 15;
    n = skip = 0;
    switch (op) {
    case 0x00:
      for (; !lazy && at < b.len; at++)
        assert_int_equal(b.p[at], 0);
      return;
    case 0x10: e.ordinal = imm; break;
    case 0x20: e.ordinal = (i32)number(b, &at); break;
    case 0x30: e.ordinal = imm ? (i8)(0xf0 | imm) : 0; break;
    case 0x40:
      e.flags = imm;
      e.name = bytes_cstr(b, at);
      assert_non_null(e.name);
      at += strlen(e.name) + 1;
      if (imm & 8)
        *vec_push(out) = (Event){.name = e.name, .segment = UINT32_MAX, .flags = imm};
      break;
    case 0x50: type = imm; break;
    case 0x60: assert_true(sleb_read(b, &at, &e.addend)); break;
    case 0x70: e.segment = imm; e.offset = number(b, &at); placed = true; break;
    case 0x80: e.offset += number(b, &at); break;
    case 0x90: n = 1; break;
    case 0xa0: n = 1; skip = number(b, &at); break;
    case 0xb0: n = 1; skip = imm * 8U; break;
    case 0xc0: n = number(b, &at); skip = number(b, &at); break;
    default: fail();
    }
    for (; n; n--, e.offset += 8 + skip) {
      assert_true(placed && e.name && type == 1);
      *vec_push(out) = e;
    }
  }
  fail();
}

/* ---- rebase ---- */

/* Encodes, runs, compares; returns the size. */
static u64 check_rebase(const MachoRebase *in, u32 n) {
  Arena arena = {0};
  MachoRebase *r = calloc(n + 1, sizeof *r);
  memcpy(r, in, n * sizeof *r);
  Bytes b = macho_rebase_encode(&arena, r, n);
  assert_true(b.len % 8 == 0);
  Events got = {0};
  run_rebase(b, &got);
  assert_int_equal(got.n, n);
  for (u32 i = 0; i < n; i++) { /* both are in order of places: the caller's array is sorted now */
    assert_int_equal(got.at[i].segment, r[i].segment);
    assert_true(got.at[i].offset == r[i].offset);
  }
  u64 size = b.len;
  vec_free(&got);
  free(r);
  arena_free(&arena);
  return size;
}

static void rebase_known_bytes(void **state) {
  (void)state;
  Arena arena = {0};
  MachoRebase r[] = {{0x10, 2}, {0x18, 2}, {0x0, 2}, {0x8, 2}, {0x18, 2}, {0x28, 2}};
  Bytes b = macho_rebase_encode(&arena, r, COUNT_OF(r));
  static const u8 want[] = {0x11, 0x22, 0x00, 0x54, 0x41, 0x51, 0x00, 0x00}; /* 0x18 is there twice: once is enough */
  assert_int_equal(b.len, sizeof want);
  assert_memory_equal(b.p, want, sizeof want);
  assert_true(macho_rebase_encode(&arena, NULL, 0).len == 0);
  arena_free(&arena);
}

static void rebase_shapes(void **state) {
  (void)state;
  enum { N = 10000 };
  MachoRebase *r = calloc(N, sizeof *r);
  for (u64 step = 8; step < 300; step += 4) { /* a table of structs costs a few bytes, however long */
    for (u32 i = 0; i < N; i++)
      r[i] = (MachoRebase){i * step, 3};
    assert_true(check_rebase(r, N) <= 16);
  }
  for (u32 i = 0; i < N; i++) /* runs, gaps, four segments */
    r[i] = (MachoRebase){i * 8ULL + i / 17 * 24 + i / 600 * 100000, i / 2500};
  check_rebase(r, N);
  u64 at = 0;
  for (u32 i = 0; i < N; i++) { /* anything, also pointers that overlap */
    r[i] = (MachoRebase){at, 15};
    at += 1 + i * 2654435761U % 97;
  }
  check_rebase(r, N);
  MachoRebase two[] = {{1ULL << 40, 1}, {(1ULL << 40) + 4, 1}};
  check_rebase(two, 2);
  free(r);
}

/* ---- bind ---- */

static int event_order(const void *a, const void *b) {
  const Event *x = a, *y = b;
  if (x->segment != y->segment)
    return x->segment < y->segment ? -1 : 1;
  if (x->offset != y->offset)
    return x->offset < y->offset ? -1 : 1;
  return x->addend < y->addend ? -1 : x->addend > y->addend;
}

static int bind_place_order(const void *a, const void *b) {
  const MachoBind *x = a, *y = b;
  Event e = {.segment = x->segment, .offset = x->offset, .addend = x->addend};
  Event f = {.segment = y->segment, .offset = y->offset, .addend = y->addend};
  return event_order(&e, &f);
}

static void same(Events *got, MachoBind *b, u32 n, bool weak) {
  assert_int_equal(got->n, n);
  if (!n)
    return;
  qsort(got->at, n, sizeof *got->at, event_order);
  qsort(b, n, sizeof *b, bind_place_order);
  for (u32 i = 0; i < n; i++) {
    const Event *e = &got->at[i];
    assert_true(e->segment == b[i].segment && e->offset == b[i].offset && e->addend == b[i].addend);
    assert_int_equal(e->flags, b[i].flags);
    assert_string_equal(e->name, b[i].name);
    assert_true(weak || e->ordinal == b[i].ordinal);
  }
}

/* Binds of 300 symbols of 30 libraries at places that make runs, gaps and overlaps. */
static MachoBind *make_binds(Arena *arena, u32 n) {
  MachoBind *b = ARENA_ARRAY(arena, MachoBind, n);
  u64 at = 0;
  for (u32 i = 0; i < n; i++) {
    u32 x = i * 2654435761U >> 8, sym = i % 3 ? i / 50 % 300 : x % 300;
    b[i] = (MachoBind){.offset = at,
                       .addend = x % 11 ? 0 : (i64)(x % 1000) - 500,
                       .name = arena_printf(arena, "_symbol%u", sym),
                       .ordinal = (i32)(sym % 30) - 3,
                       .segment = 1 + i / (n / 3 + 1),
                       .flags = sym % 5 == 0};
    at += x % 13 ? 8 : x % 5 ? 8 * (x % 40) + 8 : 4 + x % 100;
  }
  return b;
}

static void binds(void **state) {
  (void)state;
  enum { N = 20000 };
  Arena arena = {0};
  MachoBind *b = make_binds(&arena, N);
  Bytes bytes = macho_bind_encode(&arena, b, N);
  assert_true(bytes.len % 8 == 0);
  Events got = {0};
  run_bind(bytes, 0, false, &got);
  same(&got, b, N, false);
  vec_free(&got);
  assert_true(macho_bind_encode(&arena, NULL, 0).len == 0);
  arena_free(&arena);
}

static void bind_known_bytes(void **state) {
  (void)state;
  Arena arena = {0};
  MachoBind b[] = {
      {.offset = 8, .name = "_a", .ordinal = 1, .segment = 2},   {.offset = 0, .name = "_a", .ordinal = 1, .segment = 2},
      {.offset = 0x20, .name = "_b", .ordinal = -2, .segment = 2}, {.offset = 0x18, .name = "_a", .ordinal = 1, .segment = 2},
      {.offset = 0x30, .name = "_a", .ordinal = 1, .segment = 2, .addend = -1},
      {.offset = 0x38, .name = "_c", .ordinal = 16, .segment = 2, .flags = 1},
  };
  Bytes bytes = macho_bind_encode(&arena, b, COUNT_OF(b));
  static const u8 want[] = {
      0x51, 0x3e, 0x40, '_', 'b', 0, 0x72, 0x20, 0x90,            /* flat lookup */
      0x11, 0x40, '_', 'a', 0, 0x72, 0x00, 0x90, 0xb1, 0x90,      /* 0, 8, 0x18 */
      0x60, 0x7f, 0x80, 0x10, 0x90,                               /* 0x30, addend -1 */
      0x20, 0x10, 0x41, '_', 'c', 0, 0x60, 0x00, 0x90, 0,         /* at 0x38 already */
  };
  assert_int_equal(bytes.len, align_up(sizeof want, 8));
  assert_memory_equal(bytes.p, want, sizeof want);
  arena_free(&arena);
}

static void weak_binds(void **state) {
  (void)state;
  enum { N = 5000 };
  Arena arena = {0};
  MachoBind *b = make_binds(&arena, N);
  for (u32 i = 0; i < N; i++)
    b[i].flags = 0;
  const char *over[] = {"_zz", "_symbol7", "_aa"};
  Bytes bytes = macho_weak_bind_encode(&arena, b, N, over, COUNT_OF(over));
  Events got = {0}, bound = {0};
  run_bind(bytes, 0, false, &got);
  const char *last = "";
  u32 overridden = 0;
  for (u32 i = 0; i < got.n; i++) { /* dyld merges the images' lists: names in order */
    assert_true(strcmp(last, got.at[i].name) <= 0);
    last = got.at[i].name;
    if (got.at[i].segment == UINT32_MAX)
      assert_string_equal(got.at[i].name, over[overridden++]);
    else
      *vec_push(&bound) = got.at[i];
  }
  assert_int_equal(overridden, 3);
  same(&bound, b, N, true);
  vec_free(&got);
  vec_free(&bound);
  bytes = macho_weak_bind_encode(&arena, NULL, 0, over, 1);
  assert_int_equal(bytes.len, 8);
  assert_true(macho_weak_bind_encode(&arena, NULL, 0, NULL, 0).len == 0);
  arena_free(&arena);
}

static void lazy_binds(void **state) {
  (void)state;
  enum { N = 2000 };
  Arena arena = {0};
  MachoBind *b = make_binds(&arena, N);
  u32 *offsets = calloc(N, sizeof *offsets);
  Bytes bytes = macho_lazy_bind_encode(&arena, b, N, offsets);
  assert_true(bytes.len % 8 == 0);
  for (u32 i = 0; i < N; i++) {
    Events got = {0};
    run_bind(bytes, offsets[i], true, &got);
    same(&got, &b[i], 1, false);
    vec_free(&got);
  }
  free(offsets);
  arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rebase_known_bytes), cmocka_unit_test(rebase_shapes), cmocka_unit_test(binds),
      cmocka_unit_test(bind_known_bytes),   cmocka_unit_test(weak_binds),    cmocka_unit_test(lazy_binds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
