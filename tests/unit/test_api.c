/* test_api.c: include/weld.h, with the object of the example: memory to memory, messages, two threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define main example_main
#include "../../examples/link_in_memory.c"
#undef main

typedef struct {
  int errors, notes;
  char codes[1024], text[4096];
} Messages;

static void collect(void *ctx, weld_level level, const char *code, const char *text) {
  Messages *m = ctx;
  m->errors += level == WELD_ERROR;
  m->notes += level == WELD_NOTE;
  size_t n = strlen(m->codes), t = strlen(m->text);
  snprintf(m->codes + n, sizeof m->codes - n, "%s ", code);
  snprintf(m->text + t, sizeof m->text - t, "%s\n", text);
}

static weld_status link_object(Object *object, const char *const *args, size_t nargs, Messages *m,
                               weld_buffer *out) {
  weld_input input = {"line.o", object, sizeof *object};
  weld_request r = {.args = args, .nargs = nargs, .inputs = &input, .ninputs = 1,
                    .message = collect, .message_ctx = m};
  return weld_link(&r, out);
}

static void test_memory_to_memory(void **state) {
  (void)state;
  Object object;
  make_object(&object);
  Messages m = {0};
  weld_buffer out;
  assert_int_equal(link_object(&object, NULL, 0, &m, &out), WELD_OK);
  assert_string_equal(m.text, "");
  assert_true(out.size > sizeof(Elf64_Ehdr));
  assert_memory_equal(out.data, ELFMAG, SELFMAG);

  char path[] = "/tmp/weld-test-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  close(fd);
  assert_true(write_program(path, &out));
  assert_int_equal(chmod(path, 0700), 0);
  FILE *f = popen(path, "r");
  assert_non_null(f);
  char line[64] = "";
  assert_non_null(fgets(line, sizeof line, f));
  assert_string_equal(line, LINE);
  assert_int_equal(pclose(f), 0);
  unlink(path);

  weld_free(&out);
  assert_null(out.data);
  weld_free(&out);
  weld_free(NULL);
}

/* Naming an input gives it its place, once. */
static void test_named_input(void **state) {
  (void)state;
  Object object;
  make_object(&object);
  Messages m = {0};
  weld_buffer out, same;
  static const char *const args[] = {"--whole-archive", "line.o"};
  assert_int_equal(link_object(&object, args, 2, &m, &out), WELD_OK);
  assert_int_equal(link_object(&object, NULL, 0, &m, &same), WELD_OK);
  assert_string_equal(m.text, "");
  assert_int_equal(out.size, same.size);
  assert_memory_equal(out.data, same.data, out.size);
  weld_free(&out);
  weld_free(&same);
}

static void test_failures(void **state) {
  (void)state;
  Object object;
  make_object(&object);
  weld_buffer out;
  Messages m = {0};
  object.symbols[2].st_shndx = SHN_UNDEF;
  assert_int_equal(link_object(&object, NULL, 0, &m, &out), WELD_FAILED);
  assert_null(out.data);
  assert_int_equal(m.errors, 1);
  assert_non_null(strstr(m.codes, "undefined"));
  assert_non_null(strstr(m.text, "line"));

  m = (Messages){0};
  static const char *const unknown[] = {"--no-such-option"};
  assert_int_equal(link_object(&object, unknown, 1, &m, &out), WELD_FAILED);
  assert_string_equal(m.codes, "unknown-option ");

  m = (Messages){0};
  static const char *const version[] = {"--version"};
  assert_int_equal(link_object(&object, version, 1, &m, &out), WELD_OK);
  assert_int_equal(m.notes, 1);
  assert_int_equal(out.size, 0);
  assert_non_null(strstr(m.text, weld_version()));

  m = (Messages){0};
  weld_input twins[] = {{"a", "x", 1}, {"a", "y", 1}};
  weld_request r = {.inputs = twins, .ninputs = 2, .message = collect, .message_ctx = &m};
  assert_int_equal(weld_link(&r, &out), WELD_BAD_REQUEST);
  assert_string_equal(m.codes, "bad-request ");
  assert_int_equal(weld_link(NULL, &out), WELD_BAD_REQUEST);
}

enum { ROUNDS = 30 };

static void *link_often(void *ctx) {
  weld_buffer *first = ctx;
  Object object;
  make_object(&object);
  for (int i = 0; i < ROUNDS; i++) {
    Messages m = {0};
    weld_buffer out;
    if (link_object(&object, NULL, 0, &m, &out) != WELD_OK || m.errors)
      return "a link failed";
    if (i == 0) {
      *first = out;
      continue;
    }
    int equal = out.size == first->size && memcmp(out.data, first->data, out.size) == 0;
    weld_free(&out);
    if (!equal)
      return "the output changed";
  }
  return NULL;
}

static void test_two_threads(void **state) {
  (void)state;
  pthread_t threads[2];
  weld_buffer out[2];
  for (int i = 0; i < 2; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, link_often, &out[i]), 0);
  for (int i = 0; i < 2; i++) {
    void *problem;
    pthread_join(threads[i], &problem);
    if (problem)
      fail_msg("%s", (const char *)problem);
  }
  assert_int_equal(out[0].size, out[1].size);
  assert_memory_equal(out[0].data, out[1].data, out[0].size);
  weld_free(&out[0]);
  weld_free(&out[1]);
}

static size_t count_maps(void) {
  FILE *f = fopen("/proc/self/maps", "r");
  size_t n = 0;
  assert_non_null(f);
  for (int c; (c = getc(f)) != EOF;)
    n += c == '\n';
  fclose(f);
  return n;
}

/* Links that succeed and links that fail give back what they took. */
static void test_memory_stays_flat(void **state) {
  (void)state;
  Object object, broken;
  make_object(&object);
  make_object(&broken);
  broken.symbols[2].st_shndx = SHN_UNDEF;
  size_t heap = 0, maps = 0;
  for (int i = 0; i < 110; i++) {
    Messages m = {0};
    weld_buffer out;
    assert_int_equal(link_object(&object, NULL, 0, &m, &out), WELD_OK);
    weld_free(&out);
    assert_int_equal(link_object(&broken, NULL, 0, &m, &out), WELD_FAILED);
    if (i == 10) { /* what is allocated once, is there by now */
      heap = mallinfo2().uordblks;
      maps = count_maps();
    }
  }
  if (!heap)
    return; /* AddressSanitizer's heap knows no numbers, but finds leaks by itself */
  /* Some of what is free counts as taken: the C library keeps it near at hand. */
  assert_true(mallinfo2().uordblks <= heap + (256 << 10));
  assert_true(count_maps() <= maps + 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_memory_to_memory),
      cmocka_unit_test(test_named_input),
      cmocka_unit_test(test_failures),
      cmocka_unit_test(test_two_threads),
      cmocka_unit_test(test_memory_stays_flat),
  };
  return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
