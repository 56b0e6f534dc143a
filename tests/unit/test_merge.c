/* test_merge.c: core/merge*.c on links that consist of sections in memory. Whatever was merged, every
 * byte of every input must be found in the output where merge_addr() says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#include "core/link.h"

enum { MAX_ATOMS = 4096, ALLOC = 0x2, MERGE = 0x10, STRINGS = 0x20 };

typedef struct {
  Link l;
  Options o;
  Format f;
  const char *names[MAX_ATOMS];
  char messages[4096];
} World;

static World *world; /* for the hooks */

static const char *atom_name(const Link *l, AtomId a) {
  (void)l;
  return world->names[a.i];
}

static u32 atom_flags(u32 type, u64 attr) {
  (void)type;
  return attr & ALLOC ? ATOM_ALLOC : 0;
}

static void sink(void *ctx, DiagLevel level, const char *code, const char *text) {
  (void)level, (void)text;
  World *w = ctx;
  size_t n = strlen(w->messages);
  snprintf(w->messages + n, sizeof w->messages - n, "%s\n", code);
}

static World *begin(unsigned threads) {
  World *w = world = calloc(1, sizeof *w);
  Link *l = &w->l;
  w->f = (Format){.atom_name = atom_name, .atom_flags = atom_flags};
  w->o.merge_sections = true;
  w->o.strip = STRIP_ALL; /* no identification */
  l->opt = &w->o;
  l->format = &w->f;
  l->pool = pool_create(threads);
  l->scratch = calloc(threads, sizeof *l->scratch);
  l->diag = diag_create();
  diag_configure(l->diag, &(DiagOptions){.sink = sink, .sink_ctx = w, .program = "test"});
  l->atoms.n = 1;
  l->atoms.cap = MAX_ATOMS;
  l->atoms.flags = calloc(MAX_ATOMS, sizeof *l->atoms.flags);
  l->atoms.at = calloc(MAX_ATOMS, sizeof *l->atoms.at);
  l->atoms.addr = calloc(MAX_ATOMS, sizeof *l->atoms.addr);
  *vec_push(&l->files) = (File){0};
  return w;
}

static void end(World *w) {
  Link *l = &w->l;
  merge_free(l);
  for (unsigned t = 0; t < pool_threads(l->pool); t++)
    arena_free(&l->scratch[t]);
  pool_destroy(l->pool);
  for (u32 i = 1; i < l->atoms.n; i++)
    free((void *)(uintptr_t)l->atoms.addr[i]);
  free(l->atoms.flags);
  free(l->atoms.at);
  free(l->atoms.addr);
  vec_free(&l->files);
  vec_free(&l->synths);
  arena_free(&l->arena);
  diag_destroy(l->diag);
  free(l->scratch);
  free(w);
}

/* A file with one section. */
static u32 section(World *w, const char *name, u32 attr, u32 entsize, u32 p2align, const void *data, u64 size) {
  Link *l = &w->l;
  u32 a = l->atoms.n++;
  assert_true(a < MAX_ATOMS);
  *vec_push(&l->files) = (File){.kind = FILE_OBJECT, .live = true, .path = "x.o", .atom_base = a, .natoms = 1};
  l->atoms.flags[a] = ATOM_LIVE | ATOM_MERGE;
  l->atoms.at[a] = (Atom){.data = data, .size = size, .file = l->files.n - 1, .type = 1, .attr = attr | MERGE,
                          .entsize = (u8)entsize, .p2align = (u8)p2align};
  w->names[a] = name;
  return a;
}

static u32 strings(World *w, const char *data, u64 size) {
  return section(w, ".debug_str", STRINGS, 1, 0, data, size);
}
#define STRINGS_OF(w, literal) strings((w), (literal), sizeof(literal) - 1)

/* Merges, and composes every Synth in ranges of `step` bytes; its address is where it was composed. */
static void merge(World *w, u64 step) {
  Link *l = &w->l;
  merge_sections(l);
  for (u32 i = 1; i < l->synths.n; i++) {
    const Synth *s = &l->synths.at[i];
    u8 *out = aligned_alloc(64, align_up(s->size + 1, 64));
    memset(out, 0, s->size);
    for (u64 off = 0; off < s->size; off += step)
      s->write(l, s, out + off, off, MIN(step, s->size - off));
    l->atoms.addr[s->atom.i] = (u64)(uintptr_t)out;
  }
  l->addressed = true;
  diag_flush(l->diag);
}

static const char *at(const World *w, u32 atom, u64 off) {
  return (const char *)(uintptr_t)merge_addr(&w->l, (AtomId){atom}, off);
}

static void check_all(const World *w) {
  const Link *l = &w->l;
  for (u32 a = 1; a < l->atoms.n; a++) {
    const Atom *x = &l->atoms.at[a];
    if (!(l->atoms.flags[a] & ATOM_MERGE))
      continue;
    for (u64 off = 0; off < x->size; off += x->size < 65536 ? 1 : 13)
      if (*at(w, a, off) != (char)x->data[off])
        fail_msg("atom %u, offset %llu", a, (unsigned long long)off);
    if (x->attr & STRINGS && x->entsize == 1)
      for (u64 off = 0; off < x->size; off += strlen((const char *)x->data + off) + 1)
        assert_string_equal(at(w, a, off), x->data + off);
  }
}

static const Synth *synth_of(const World *w, u32 i) {
  assert_true(i < w->l.synths.n);
  return &w->l.synths.at[i];
}

static const char *bytes_of(const World *w, u32 i) {
  return (const char *)(uintptr_t)w->l.atoms.addr[synth_of(w, i)->atom.i];
}

static void test_strings(void **state) {
  (void)state;
  World *w = begin(1);
  u32 a = STRINGS_OF(w, "foo\0bar\0foo\0");
  u32 b = STRINGS_OF(w, "baz\0bar\0\0foo\0");
  merge(w, 3);
  check_all(w);
  assert_int_equal(w->l.synths.n, 2);
  assert_int_equal(synth_of(w, 1)->size, 13); /* in input order, each once */
  assert_memory_equal(bytes_of(w, 1), "foo\0bar\0baz\0\0", 13);
  assert_ptr_equal(at(w, a, 0), at(w, b, 9));
  assert_ptr_equal(at(w, a, 0), at(w, a, 8));
  assert_ptr_equal(at(w, a, 5), at(w, b, 5)); /* inside a string */
  assert_ptr_equal(at(w, b, 13), at(w, b, 9) + 4); /* the end of the section */
  assert_ptr_equal(at(w, b, 99), at(w, b, 13));
  MergeStats st = merge_stats(&w->l);
  assert_int_equal(st.pieces, 7);
  assert_int_equal(st.unique, 4);
  end(w);
}

static void test_wide(void **state) {
  (void)state;
  static const u16 a16[] = {'a', 'b', 0, 0x100, 0}, b16[] = {0x100, 0, 'a', 'b', 0};
  static const u32 a32[] = {'a', 0x10000, 0, 0}, b32[] = {0x10000, 0, 'a', 0x10000, 0};
  World *w = begin(1);
  u32 a = section(w, ".rodata.str2.2", ALLOC | STRINGS, 2, 1, a16, sizeof a16);
  u32 b = section(w, ".rodata.str2.2", ALLOC | STRINGS, 2, 1, b16, sizeof b16);
  u32 c = section(w, ".rodata.str4.4", ALLOC | STRINGS, 4, 2, a32, sizeof a32);
  u32 d = section(w, ".rodata.str4.4", ALLOC | STRINGS, 4, 2, b32, sizeof b32);
  merge(w, 5);
  check_all(w);
  assert_int_equal(w->l.synths.n, 3);
  assert_int_equal(synth_of(w, 1)->size, 10);
  assert_int_equal(synth_of(w, 2)->size, 24);
  assert_ptr_equal(at(w, a, 0), at(w, b, 4));
  assert_ptr_equal(at(w, a, 6), at(w, b, 0));
  assert_ptr_equal(at(w, c, 0), at(w, d, 8));
  end(w);
}

static void test_constants(void **state) {
  (void)state;
  static const u64 a8[] = {1, 2, 1, 3}, b8[] = {3, 4, 1};
  World *w = begin(1);
  u32 a = section(w, ".rodata.cst8", ALLOC, 8, 3, a8, sizeof a8);
  u32 b = section(w, ".rodata.cst8", ALLOC, 8, 3, b8, sizeof b8);
  u32 c = section(w, ".rodata.foo.cst8", ALLOC, 8, 3, b8, sizeof b8); /* same destination */
  merge(w, 7);
  check_all(w);
  assert_int_equal(w->l.synths.n, 2);
  assert_int_equal(synth_of(w, 1)->size, 32);
  assert_int_equal(synth_of(w, 1)->p2align, 3);
  assert_ptr_equal(at(w, a, 0), at(w, b, 16));
  assert_ptr_equal(at(w, b, 4), at(w, c, 4));
  end(w);
}

static void test_alignment(void **state) {
  (void)state;
  static const char text[] = "0123456789\0abc\0";
  World *w = begin(1);
  u32 a = section(w, ".rodata.str1.8", ALLOC | STRINGS, 1, 3, text, sizeof text - 1);
  section(w, ".rodata.str1.1", ALLOC | STRINGS, 1, 0, text, sizeof text - 1);
  merge(w, 4);
  check_all(w);
  assert_int_equal(w->l.synths.n, 3); /* no sharing across alignments */
  assert_int_equal((uintptr_t)at(w, a, 0) % 8, 0);
  assert_int_equal((uintptr_t)at(w, a, 11) % 8, 0);
  assert_int_equal(synth_of(w, 1)->size, 24);
  assert_int_equal(synth_of(w, 2)->size, 15);
  end(w);
}

static void test_refused(void **state) {
  (void)state;
  World *w = begin(1);
  u32 a = strings(w, "foo\0bar", 7);
  u32 b = section(w, ".rodata.cst8", ALLOC, 8, 3, "0123456789ab", 12);
  u32 c = STRINGS_OF(w, "x\0"), d = STRINGS_OF(w, "x\0"), e = STRINGS_OF(w, "x\0"), f = strings(w, "", 0);
  w->l.atoms.at[c].attr |= 1; /* writable */
  w->l.atoms.at[d].rel = 7;
  w->l.atoms.at[e].entsize = 0;
  merge(w, 64);
  u32 refused[] = {a, b, c, d, e, f};
  for (u32 i = 0; i < COUNT_OF(refused); i++)
    assert_false(w->l.atoms.flags[refused[i]] & ATOM_MERGE);
  assert_string_equal(w->messages, "merge-unterminated\nmerge-size\n");
  end(w);

  w = begin(1);
  w->o.merge_sections = false;
  a = STRINGS_OF(w, "foo\0foo\0");
  merge(w, 64);
  assert_false(w->l.atoms.flags[a] & ATOM_MERGE);
  end(w);
}

static void test_dead(void **state) {
  (void)state;
  World *w = begin(1);
  u32 a = STRINGS_OF(w, "gone\0");
  STRINGS_OF(w, "here\0");
  w->l.atoms.flags[a] = ATOM_MERGE;
  merge(w, 64);
  assert_int_equal(synth_of(w, 1)->size, 5);
  assert_int_equal(merge_addr(&w->l, (AtomId){a}, 0), 0);
  w->l.atoms.flags[a] = 0;
  end(w);
}

static void test_ident(void **state) {
  (void)state;
  World *w = begin(1);
  w->o.strip = STRIP_NONE;
  section(w, ".comment", STRINGS, 1, 0, "GCC\0", 4);
  merge(w, 64);
  assert_int_equal(w->l.synths.n, 2);
  assert_string_equal(synth_of(w, 1)->name, ".comment");
  assert_int_equal(synth_of(w, 1)->attr, MERGE | STRINGS);
  assert_string_equal(bytes_of(w, 1), "GCC");
  assert_memory_equal(bytes_of(w, 1) + 4, "weld ", 5);
  end(w);

  w = begin(1); /* also when nobody else has one */
  w->o.strip = STRIP_NONE;
  merge(w, 64);
  assert_memory_equal(bytes_of(w, 1), "weld ", 5);
  end(w);
}

static void test_tails(void **state) {
  (void)state;
  World *w = begin(1);
  w->o.optimize = 2;
  u32 a = STRINGS_OF(w, "bar\0foobar\0");
  u32 b = STRINGS_OF(w, "obar\0xbar\0r\0\0");
  static const char text[] = "b\0ab\0abcdefab\0";
  u32 c = section(w, ".rodata.str1.2", ALLOC | STRINGS, 1, 1, text, sizeof text - 1);
  merge(w, 64);
  check_all(w);
  assert_int_equal(synth_of(w, 1)->size, 13); /* foobar, xbar, the empty one */
  assert_ptr_equal(at(w, a, 0), at(w, a, 4) + 3);
  assert_ptr_equal(at(w, b, 0), at(w, a, 4) + 2);
  assert_ptr_equal(at(w, b, 10), at(w, a, 9));
  assert_int_equal(synth_of(w, 2)->size, 12); /* "b" would stand at an odd place */
  assert_ptr_equal(at(w, c, 2), at(w, c, 5) + 6);
  end(w);
}

/* ---- many ---- */

static u64 random_next(u64 *seed) {
  *seed ^= *seed << 13;
  *seed ^= *seed >> 7;
  *seed ^= *seed << 17;
  return *seed;
}

/* Strings "s<n>" with n below `range`, from `first` on when in order, padded to varied lengths. */
static char *many_strings(u64 size, u64 range, bool in_order, u64 first, u64 *seed) {
  char *p = malloc(size);
  u64 n = 0;
  for (u64 k = first; size - n >= 256; k++) {
    u64 v = in_order && random_next(seed) % 50 ? k % range : random_next(seed) % range;
    n += (u64)sprintf(p + n, "s%llu%.*s", (unsigned long long)v, (int)(v % 83),
                      "_____________________________________________________________________________________") + 1;
  }
  memset(p + n, 'z', size - n);
  p[size - 1] = 0;
  return p;
}

static void many(unsigned threads, int optimize, bool fooled, u8 **out, u64 *out_size) {
  enum { N = 46 }; /* the last one is cut in three: number 45 to 47, none of which is in the sample */
  static const u64 sizes[] = {700000, 120000, 800000, 64, 500000};
  World *w = begin(threads);
  char *data[N];
  u64 seed = 42;
  w->o.optimize = optimize;
  for (u32 i = 0; i < N; i++) {
    u64 size = i == N - 1 ? 9 << 20 : sizes[i % COUNT_OF(sizes)] + (i == 1 ? 300 : 0);
    bool same = fooled && i % 16 == 0; /* the sample sees the same few strings again and again */
    data[i] = many_strings(MAX(size, 512u), same ? 50 : fooled ? 1u << 30 : 20000, i % 3 != 0, fooled ? 0 : i * 100, &seed);
    strings(w, data[i], MAX(size, 512u));
  }
  u64 pieces = 0;
  for (u32 i = 1; i <= N; i++)
    for (u64 k = 0; k < w->l.atoms.at[i].size; k++)
      pieces += !w->l.atoms.at[i].data[k];
  merge(w, 100003);
  check_all(w);
  assert_int_equal(w->l.synths.n, 2);
  assert_int_equal(merge_stats(&w->l).pieces, pieces);
  *out_size = synth_of(w, 1)->size;
  *out = malloc(*out_size);
  memcpy(*out, bytes_of(w, 1), *out_size);
  for (u32 i = 0; i < N; i++)
    free(data[i]);
  end(w);
}

static void compare_threads(int optimize, bool fooled) {
  u8 *one;
  u64 size;
  many(1, optimize, fooled, &one, &size);
  for (unsigned threads = 2; threads <= 4; threads++) {
    u8 *other;
    u64 other_size;
    many(threads, optimize, fooled, &other, &other_size);
    assert_int_equal(size, other_size);
    assert_memory_equal(one, other, size);
    free(other);
  }
  free(one);
}

static void test_many(void **state) {
  (void)state;
  compare_threads(0, false);
}

static void test_many_tails(void **state) {
  (void)state;
  compare_threads(2, false);
}

static void test_wrong_estimate(void **state) {
  (void)state;
  compare_threads(0, true);
}

/* As many constants as make it worth while to follow an earlier input; each has some of its own. */
static void test_many_constants(void **state) {
  (void)state;
  enum { N = 40, EACH = 64 << 10 };
  World *w = begin(2);
  u64 *data[N];
  for (u32 i = 0; i < N; i++) {
    data[i] = malloc(sizeof(u64) * EACH);
    for (u64 k = 0; k < EACH; k++)
      data[i][k] = (k + i * 100) % 5000 == 0 ? (u64)i << 32 | k : k % (EACH - i * 7);
    section(w, ".rodata.cst8", 0, 8, 3, data[i], sizeof(u64) * EACH);
  }
  merge(w, 1 << 20);
  check_all(w);
  assert_int_equal(merge_stats(&w->l).pieces, N * EACH);
  for (u32 i = 0; i < N; i++)
    free(data[i]);
  end(w);
}

/* One string longer than the unit of parallel work. */
static void test_long(void **state) {
  (void)state;
  u64 size = 13 << 20;
  char *p = malloc(size);
  memset(p, 'x', size);
  p[3] = p[size - 4] = p[size - 1] = 0;
  World *w = begin(2);
  u32 a = strings(w, p, size), b = STRINGS_OF(w, "xx\0");
  merge(w, 1 << 20);
  assert_int_equal(synth_of(w, 1)->size, size);
  assert_ptr_equal(at(w, b, 0), at(w, a, size - 3));
  for (u64 off = 0; off < size; off += 1001)
    assert_int_equal(*at(w, a, off), p[off]);
  end(w);
  free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_strings),   cmocka_unit_test(test_wide),
      cmocka_unit_test(test_constants), cmocka_unit_test(test_alignment),
      cmocka_unit_test(test_refused),   cmocka_unit_test(test_dead),
      cmocka_unit_test(test_ident),     cmocka_unit_test(test_tails),
      cmocka_unit_test(test_many),      cmocka_unit_test(test_many_tails),
      cmocka_unit_test(test_wrong_estimate), cmocka_unit_test(test_many_constants),
      cmocka_unit_test(test_long),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
