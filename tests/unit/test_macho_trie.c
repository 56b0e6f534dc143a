/* test_macho_trie.c: export tries are walked as dyld does, down every edge, and must hold what went in and nothing
 * else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#include "util/leb.h"
#include "write/macho_trie.h"

enum { REEXPORT = 0x08, RESOLVER = 0x10 };

typedef struct {
  Arena arena;
  MachoTrie *trie;
  u8 *bytes;
  u64 size;
} Built;

static Built build(const MachoExport *e, u32 n) {
  Built b = {0};
  b.trie = macho_trie_create(&b.arena, e, n);
  b.size = macho_trie_size(b.trie);
  assert_true(b.size % 8 == 0);
  b.bytes = malloc(b.size + 1);
  memset(b.bytes, 0xee, b.size + 1);
  macho_trie_write(b.trie, b.bytes);
  assert_int_equal(b.bytes[b.size], 0xee);
  return b;
}

static void drop(Built *b) {
  free(b->bytes);
  arena_free(&b->arena);
}

static u64 number(const Built *b, u64 *at) {
  u64 v = 0;
  assert_true(uleb_read((Bytes){b->bytes, b->size}, at, &v));
  return v;
}

/* The node that holds `name`, found from the root; where its information begins, or 0. */
static u64 find(const Built *b, const char *name, u32 len) {
  u64 node = 0;
  u32 depth = 0;
  for (;;) {
    u64 at = node, info = number(b, &at);
    if (depth == len)
      return info ? at : 0;
    at += info;
    assert_true(at < b->size);
    u32 children = b->bytes[at++];
    u64 next = 0;
    for (u32 c = 0; c < children; c++) {
      const char *label = bytes_cstr((Bytes){b->bytes, b->size}, at);
      assert_non_null(label);
      u64 n = strlen(label);
      assert_true(n > 0);
      at += n + 1;
      u64 child = number(b, &at);
      if (n <= len - depth && !memcmp(label, name + depth, n)) {
        assert_true(next == 0); /* only one way leads on */
        next = child;
        depth += (u32)n;
        break;
      }
    }
    if (!next)
      return 0;
    assert_true(next > node && next < b->size);
    node = next;
  }
}

/* How many names it holds: every node is visited. */
static u32 names(const Built *b) {
  VEC(u64) todo = {0};
  u32 n = 0, visited = 0;
  if (b->size)
    *vec_push(&todo) = 0;
  while (todo.n) {
    u64 at = todo.at[--todo.n], info = number(b, &at);
    assert_true(visited++ < b->size);
    n += info != 0;
    at += info;
    u32 children = b->bytes[at++];
    while (children--) {
      const char *label = bytes_cstr((Bytes){b->bytes, b->size}, at);
      assert_non_null(label);
      at += strlen(label) + 1;
      *vec_push(&todo) = number(b, &at);
    }
  }
  vec_free(&todo);
  return n;
}

static void check(const MachoExport *e, u32 n) {
  Built b = build(e, n);
  assert_int_equal(names(&b), n);
  for (u32 i = 0; i < n; i++) {
    u64 at = find(&b, e[i].name, e[i].len);
    assert_true(at != 0);
    assert_true(number(&b, &at) == e[i].flags);
    if (e[i].flags & REEXPORT) {
      assert_true(number(&b, &at) == e[i].other);
      assert_string_equal((const char *)b.bytes + at, e[i].import ? e[i].import : "");
      continue;
    }
    assert_true(number(&b, &at) == e[i].addr);
    if (e[i].flags & RESOLVER)
      assert_true(number(&b, &at) == e[i].other);
  }
  drop(&b);
}

static MachoExport named(const char *name, u64 addr) {
  return (MachoExport){.name = name, .len = (u32)strlen(name), .addr = addr};
}

static void nothing(void **state) {
  (void)state;
  Built b = build(NULL, 0);
  assert_true(b.size == 0);
  drop(&b);
}

static void kinds(void **state) {
  (void)state;
  MachoExport e[] = {
      named("_main", 0x3f50),
      named("_malloc", 0x123456789a),
      named("_mal", 1),
      named("", 5),
      named("__mh_execute_header", 0),
      named("_absolute", ~0ULL),
  };
  e[1].flags = REEXPORT, e[1].other = 300, e[1].import = "_my_malloc";
  e[2].flags = REEXPORT, e[2].other = 1;
  e[3].flags = RESOLVER, e[3].other = 0x80;
  e[5].flags = 2;
  check(e, COUNT_OF(e));
}

/* As Apple's linker and lld have it for one name: node, one edge, the leaf. */
static void known_bytes(void **state) {
  (void)state;
  MachoExport e = named("_f", 0x1000);
  Built b = build(&e, 1);
  static const u8 want[16] = {0, 1, '_', 'f', 0, 6, 3, 0, 0x80, 0x20, 0};
  assert_int_equal(b.size, sizeof want);
  assert_memory_equal(b.bytes, want, sizeof want);
  drop(&b);
}

static void equal_names(void **state) {
  (void)state;
  MachoExport e[] = {named("_b", 1), named("_a", 2), named("_b", 3), named("_a", 4)};
  Built b = build(e, COUNT_OF(e));
  assert_int_equal(names(&b), 2);
  u64 at = find(&b, "_b", 2);
  assert_true(number(&b, &at) == 0 && number(&b, &at) == 1);
  at = find(&b, "_a", 2);
  assert_true(number(&b, &at) == 0 && number(&b, &at) == 2);
  assert_true(find(&b, "_", 1) == 0 && find(&b, "_ab", 3) == 0);
  drop(&b);
}

/* Every prefix of a long name, and 255 ways to go on. */
static void deep_and_wide(void **state) {
  (void)state;
  enum { DEEP = 20000, WIDE = 255 };
  char *a = malloc(DEEP);
  memset(a, 'a', DEEP);
  char wide[WIDE][2];
  MachoExport *e = calloc(DEEP + WIDE, sizeof *e);
  u32 n = 0;
  for (u32 i = 0; i < DEEP; i += 7)
    e[n++] = (MachoExport){.name = a, .len = DEEP - i, .addr = i};
  for (u32 i = 0; i < WIDE; i++) {
    wide[i][0] = (char)(i + 1);
    wide[i][1] = 'x';
    e[n++] = (MachoExport){.name = wide[i], .len = 2, .addr = i};
  }
  check(e, n);
  free(e);
  free(a);
}

/* As many as a big library has, in three orders: the same bytes. */
static void many(void **state) {
  (void)state;
  enum { N = 100000 };
  MachoExport *e = calloc(N, sizeof *e), *other = calloc(N, sizeof *other);
  Arena arena = {0};
  for (u32 i = 0; i < N; i++) {
    u32 x = i * 2654435761U;
    e[i] = named(arena_printf(&arena, "__ZN%u4llvm%u%xEv", x % 7, x % 1000, i), (u64)i * 16);
  }
  check(e, N);
  Built a = build(e, N);
  for (u32 i = 0; i < N; i++)
    other[i] = e[N - 1 - i];
  Built b = build(other, N);
  assert_true(a.size == b.size);
  assert_memory_equal(a.bytes, b.bytes, a.size);
  drop(&a);
  drop(&b);
  free(e);
  free(other);
  arena_free(&arena);
}

/* Layout asks for the size again when addresses have moved. */
static void moved(void **state) {
  (void)state;
  MachoExport e[] = {named("_one", 1), named("_two", 2), named("_three", 3)};
  Arena arena = {0};
  MachoTrie *t = macho_trie_create(&arena, e, COUNT_OF(e));
  u64 small = macho_trie_size(t);
  for (u32 i = 0; i < COUNT_OF(e); i++)
    e[i].addr = 1ULL << 60;
  u64 large = macho_trie_size(t);
  assert_true(large > small);
  for (u32 i = 0; i < COUNT_OF(e); i++)
    e[i].addr = 7 + i;
  assert_true(macho_trie_size(t) == small);
  Built fresh = build(e, COUNT_OF(e));
  u8 *again = malloc(small);
  macho_trie_write(t, again);
  assert_memory_equal(again, fresh.bytes, small);
  free(again);
  drop(&fresh);
  arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing),       cmocka_unit_test(kinds), cmocka_unit_test(known_bytes), cmocka_unit_test(equal_names),
      cmocka_unit_test(deep_and_wide), cmocka_unit_test(many),  cmocka_unit_test(moved),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
