/* Unit tests of core/intern.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#include "core/intern.h"

enum { NAME = 12, BATCH = 50000 };

static const char *name_of(char *text, u32 i) {
  snprintf(text + (u64)i * NAME, NAME, "n%u", i);
  return text + (u64)i * NAME;
}

/* `names` different names, each twice, with room for `reserved` of them from the start. */
static void check(u32 names, u64 reserved, unsigned threads) {
  Pool *pool = pool_create(threads);
  Interner *t = calloc(1, sizeof *t);
  char *text = calloc(names, NAME);
  u32 *ids = calloc(2 * (u64)names, sizeof *ids);
  InternEnt *ents = calloc(2 * BATCH, sizeof *ents);
  intern_reserve(t, reserved);
  for (u32 at = 0; at < 2 * names;) {
    InternChunk chunk = {.ents = ents + BATCH};
    u32 n = 0;
    for (; n < BATCH && at < 2 * names; n++, at++) {
      const char *p = name_of(text, at % names);
      u64 len = strlen(p);
      ents[n] = (InternEnt){hash128_bytes(p, len), p, 2 * (u64)names - at, &ids[at], (u32)len};
    }
    intern_sort(ents, n, &chunk);
    intern_batch(t, pool, &chunk, 1);
  }
  intern_seal(t);
  assert_int_equal(t->total, names);
  u8 *seen = calloc(names, 1);
  for (u32 i = 0; i < names; i++) {
    u32 id = intern_final(t, ids[i]);
    const char *p = text + (u64)i * NAME;
    assert_in_range(id, 0, names - 1);
    assert_int_equal(intern_final(t, ids[i + names]), id);
    assert_int_equal(intern_find(t, p, strlen(p)), id);
    assert_int_equal(seen[id]++, 0);
    const InternShard *s = &t->shards[ids[i] % INTERN_SHARDS];
    assert_int_equal(s->syms.at[ids[i] / INTERN_SHARDS].key, names - i); /* the smaller one */
  }
  assert_int_equal(intern_find(t, "other", 5), UINT32_MAX);
  intern_free(t);
  free(seen);
  free(ents);
  free(ids);
  free(text);
  free(t);
  pool_destroy(pool);
}

static void test_few(void **state) {
  (void)state;
  check(1, 0, 1);
  check(5000, 5000, 2);
}

/* As many as foreseen, and the tables that were made for a few have to grow. */
static void test_reserved(void **state) {
  (void)state;
  check(200000, 200000, 2);
  check(300000, 110000, 1);
  check(300000, 110000, 2);
  check(300000, 0, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_few),
      cmocka_unit_test(test_reserved),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
