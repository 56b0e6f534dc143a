/* test_diag.c: order, limits, escapes and rendering of messages; demangling; the trace file. The trap:
 * text goes to standard error, so a test points it at a file of its own for a while. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/demangle.h"
#include "util/diag.h"
#include "util/threads.h"
#include "util/trace.h"

static char text[1 << 16];

typedef struct {
  FILE *file;
  int saved;
} Capture;

static Capture capture(void) {
  Capture c = {tmpfile(), dup(2)};
  assert_non_null(c.file);
  fflush(stderr);
  dup2(fileno(c.file), 2);
  return c;
}

static const char *captured(Capture c) {
  fflush(stderr);
  dup2(c.saved, 2);
  close(c.saved);
  rewind(c.file);
  size_t n = fread(text, 1, sizeof text - 1, c.file);
  text[n] = 0;
  fclose(c.file);
  return text;
}

static const char *flushed(Diag *d) {
  Capture c = capture();
  diag_flush(d);
  return captured(c);
}

static void sorts_by_place_then_text(void **state) {
  (void)state;
  Diag *d = diag_create();
  diag_report(d, DIAG_ERROR, "x", 2, "third");
  diag_report(d, DIAG_ERROR, "x", 1, "second");
  diag_report(d, DIAG_WARNING, "x", 1, "first");
  diag_error(d, "x", "%s", "at no place");
  assert_int_equal(diag_errors(d), 3);
  assert_string_equal(flushed(d), "weld: error: at no place\nweld: warning: first\nweld: error: second\n"
                                  "weld: error: third\n");
  assert_string_equal(flushed(d), "");
  diag_destroy(d);
}

static void shows_a_message_once(void **state) {
  (void)state;
  Diag *d = diag_create();
  diag_report(d, DIAG_WARNING, "x", 1, "same");
  diag_report(d, DIAG_WARNING, "x", 2, "same");
  diag_report(d, DIAG_WARNING, "x", 2, "other");
  assert_string_equal(flushed(d), "weld: warning: same\nweld: warning: other\n");
  diag_report(d, DIAG_WARNING, "x", 9, "same");
  diag_report(d, DIAG_ERROR, "x", 9, "same"); /* another level is another message */
  assert_string_equal(flushed(d), "weld: error: same\n");
  diag_destroy(d);
}

static void stops_at_the_limit(void **state) {
  (void)state;
  Diag *d = diag_create();
  DiagOptions o = *diag_options(d);
  o.error_limit = 2;
  diag_configure(d, &o);
  for (int i = 5; i > 0; i--)
    diag_report(d, DIAG_ERROR, "x", (u64)i, "e%d", i);
  diag_report(d, DIAG_WARNING, "x", 9, "still shown");
  assert_string_equal(flushed(d), "weld: error: e1\nweld: error: e2\nweld: warning: still shown\n"
                                  "weld: note: too many errors: only the first 2 are shown "
                                  "(--error-limit=0 shows all)\n");
  assert_int_equal(diag_errors(d), 5);
  diag_error(d, "x", "late");
  assert_string_equal(flushed(d), "");
  diag_destroy(d);
}

static void flood(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  for (u32 i = begin; i < end; i++)
    diag_report(ctx, DIAG_ERROR, "x", 1 + i, "error %u", i);
}

/* Many threads, many more messages than are kept: the same ones come out. */
static void a_flood_is_deterministic(void **state) {
  (void)state;
  char *first = NULL;
  for (unsigned threads = 1; threads <= 4; threads++) {
    Diag *d = diag_create();
    Pool *p = pool_create(threads);
    pool_run(p, 50000, 100, flood, d);
    const char *got = flushed(d);
    if (!first)
      first = strdup(got);
    assert_string_equal(got, first);
    assert_int_equal(diag_errors(d), 50000);
    pool_destroy(p);
    diag_destroy(d);
  }
  assert_non_null(strstr(first, "weld: error: error 0\nweld: error: error 1\n"));
  assert_non_null(strstr(first, "error 19\n"));
  assert_null(strstr(first, "error 20\n"));
  free(first);
}

static void warnings_can_be_fatal_or_silent(void **state) {
  (void)state;
  Diag *d = diag_create();
  DiagOptions o = *diag_options(d);
  diag_warn(d, "x", "careful");
  assert_int_equal(diag_errors(d), 0);
  o.fatal_warnings = true; /* known later: counts for what is pending */
  diag_configure(d, &o);
  assert_int_equal(diag_errors(d), 1);
  assert_string_equal(flushed(d), "weld: error: careful\n");
  o.fatal_warnings = false;
  o.no_warnings = true;
  diag_configure(d, &o);
  diag_warn(d, "x", "silent");
  assert_string_equal(flushed(d), "");
  diag_destroy(d);
}

static const DiagPlace places[] = {
    {.role = "referenced by", .source = "main.c", .line = 12, .function = "main", .object = "main.o",
     .section = ".text", .offset = 3},
    {.role = "referenced by", .object = "libx.a(b.o)", .section = ".text", .offset = 0x1f},
};
static const char *const notes[] = {"did you mean: bar?"};

static const DiagItem item = {.level = DIAG_ERROR, .code = "undefined-symbol", .order = 1,
                              .message = "undefined symbol: foo(int)", .symbol = "_Z3fooi",
                              .places = places, .nplaces = 2, .notes = notes, .nnotes = 1};

static void an_item_has_lines(void **state) {
  (void)state;
  Diag *d = diag_create();
  diag_report_item(d, &item);
  assert_string_equal(flushed(d), "weld: error: undefined symbol: foo(int)\n"
                                  ">>> referenced by main.c:12 (main) in main.o\n"
                                  ">>> referenced by libx.a(b.o):(.text+0x1f)\n"
                                  ">>> did you mean: bar?\n");
  DiagOptions o = *diag_options(d);
  o.color = true;
  diag_configure(d, &o);
  diag_error(d, "x", "red\n>>> dim");
  assert_string_equal(flushed(d), "\033[1mweld: \033[1;31merror:\033[0m \033[1mred\033[0m\n"
                                  "\033[2m>>>\033[0m dim\n");
  diag_destroy(d);
}

static void json_is_one_object_a_line(void **state) {
  (void)state;
  Diag *d = diag_create();
  DiagOptions o = *diag_options(d);
  o.json = true;
  diag_configure(d, &o);
  diag_report_item(d, &item);
  assert_string_equal(
      flushed(d),
      "{\"level\":\"error\",\"code\":\"undefined-symbol\",\"message\":\"undefined symbol: foo(int)\","
      "\"symbol\":\"_Z3fooi\",\"places\":[{\"role\":\"referenced by\",\"file\":\"main.c\",\"line\":12,"
      "\"function\":\"main\",\"object\":\"main.o\",\"section\":\".text\",\"offset\":3},"
      "{\"role\":\"referenced by\",\"object\":\"libx.a(b.o)\",\"section\":\".text\",\"offset\":31}],"
      "\"notes\":[\"did you mean: bar?\"]}\n");
  diag_error(d, "q\"", "a\"b\\c\td\x01\xc3\xa9\xff\xed\xa0\x80\n>>> more\nlast");
  assert_string_equal(flushed(d),
                      "{\"level\":\"error\",\"code\":\"q\\\"\",\"message\":\"a\\\"b\\\\c\\td\\u0001"
                      "\xc3\xa9\\ufffd\\ufffd\\ufffd\\ufffd\",\"notes\":[\"more\",\"last\"]}\n");
  diag_destroy(d);
}

static void control_characters_stay_off_the_terminal(void **state) {
  (void)state;
  Diag *d = diag_create();
  diag_error(d, "x", "%s", "name\033[31m\x7f");
  assert_string_equal(flushed(d), "weld: error: name\\x1b[31m\\x7f\n");
  DiagItem bad = {.level = DIAG_ERROR, .message = "two\nlines", .code = "x"};
  diag_report_item(d, &bad);
  assert_string_equal(flushed(d), "weld: error: two\\x0alines\n");
  diag_destroy(d);
}

static void long_messages_are_whole(void **state) {
  (void)state;
  char long_name[5000];
  memset(long_name, 'n', sizeof long_name - 1);
  long_name[sizeof long_name - 1] = 0;
  Diag *d = diag_create();
  diag_error(d, "x", "%s!", long_name);
  const char *got = flushed(d);
  assert_int_equal(strlen(got), strlen("weld: error: !\n") + sizeof long_name - 1);
  diag_destroy(d);
}

static void sink(void *ctx, DiagLevel level, const char *code, const char *message) {
  assert_int_equal(level, DIAG_ERROR);
  assert_string_equal(code, "undefined-symbol");
  strcpy(ctx, message);
}

static void a_sink_gets_the_text(void **state) {
  (void)state;
  char got[1000] = "";
  Diag *d = diag_create();
  DiagOptions o = *diag_options(d);
  o.sink = sink;
  o.sink_ctx = got;
  diag_configure(d, &o);
  diag_report_item(d, &item);
  assert_string_equal(flushed(d), "");
  assert_non_null(strstr(got, "undefined symbol: foo(int)\n>>> referenced by main.c:12 (main)"));
  diag_destroy(d);
}

static void a_place_leads_the_message(void **state) {
  (void)state;
  Diag *d = diag_create();
  diag_report_at(d, DIAG_ERROR, "yaml", 3 << 16, "a\nb.yaml", 3, 5, "unknown key '%s'", "foo");
  diag_report_at(d, DIAG_WARNING, "yaml", 2 << 16, "b.yaml", 2, 1, "odd");
  assert_string_equal(flushed(d), "weld: b.yaml:2:1: warning: odd\n"
                                  "weld: a\\x0ab.yaml:3:5: error: unknown key 'foo'\n");
  DiagOptions o = {.json = true};
  diag_configure(d, &o);
  diag_report_at(d, DIAG_ERROR, "yaml", 0, "a.yaml", 3, 6, "it");
  assert_string_equal(flushed(d), "{\"level\":\"error\",\"code\":\"yaml\","
                                  "\"message\":\"a.yaml:3:6: it\",\"notes\":[]}\n");
  diag_destroy(d);
}

static void demangles(void **state) {
  (void)state;
  static const struct { const char *name, *plain; } names[] = {
      {"_Z3fooii", "foo(int, int)"},
      {"_ZN2ns7versionEv", "ns::version()"},
      {"_ZTV4Base", "vtable for Base"},
      {"_Z3foov@VERS_1", "foo()@VERS_1"},
      {"_Z3foov@@VERS_1", "foo()@@VERS_1"},
      {"_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad"},
      {"_RNvC6_123foo3bar", "123foo::bar"},
      {"_D3std5stdio7writelnFZv", "std.stdio.writeln()"},
      {"__Z3fooii", "foo(int, int)"}, /* of Mach-O */
      {"__RNvC6_123foo3bar", "123foo::bar"},
      {"__Z1f", "f"},
      {"main", "main"},
      {"_Z", "_Z"},
      {"_Z3foo", "foo"},
      {"", ""},
      {"@", "@"},
  };
  Diag *d = diag_create();
  for (u32 i = 0; i < COUNT_OF(names); i++)
    assert_string_equal(diag_name(d, names[i].name), names[i].plain);
  DiagOptions o = *diag_options(d);
  o.demangle = false;
  diag_configure(d, &o);
  assert_string_equal(diag_name(d, "_Z3fooii"), "_Z3fooii");
  diag_destroy(d);
}

static void takes_paths_out_of_names(void **state) {
  (void)state;
  static const struct { const char *name, *path; bool cxx; } names[] = {
      {"_Z3fooi", "foo", true},
      {"_ZL3fooi", "foo", true},
      {"_ZNK2ns3barEi", "ns::bar", true},
      {"_ZN1AC2Ev", "A::(constructor)", true},
      {"_ZN4core3fmt3pad17h0123456789abcdefE", "core::fmt::pad", true},
      {"foo", "foo", false},
      {"foo@V1", "foo", false},
      {"foo@@V1", "foo", false},
      {"_ZStlsI3fooE", "", true}, /* an operator: no plain path */
      {"_Z99x", "", true},
      {"_ZN", "", true},
      {"_Z99999999999999999999999x", "", true},
  };
  for (u32 i = 0; i < COUNT_OF(names); i++) {
    char path[64];
    bool cxx;
    u32 len = demangle_path(names[i].name, strlen(names[i].name), path, sizeof path, &cxx);
    assert_int_equal(len, strlen(names[i].path));
    assert_int_equal(cxx, names[i].cxx);
    if (len)
      assert_string_equal(path, names[i].path);
  }
  char small[4];
  bool cxx;
  assert_int_equal(demangle_path("_Z3fooi", 7, small, sizeof small, &cxx), 3);
  assert_int_equal(demangle_path("_Z4foooi", 8, small, sizeof small, &cxx), 0);
}

static void traces(void **state) {
  (void)state;
  trace_begin(NULL, "nothing");
  trace_end(NULL);
  char path[] = "/tmp/test_diag_XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  close(fd);
  Diag *d = diag_create();
  Trace *t = trace_create(2);
  trace_begin(t, "link");
  trace_begin(t, "resolve");
  trace_span(t, 1, "file", "a \"quoted\" name", trace_now(t));
  trace_end(t);
  trace_end(t);
  trace_end(t); /* one too many: ignored */
  trace_count(t, "symbols", 3);
  assert_true(trace_write(t, d, path));
  FILE *f = fopen(path, "r");
  assert_non_null(f);
  text[fread(text, 1, sizeof text - 1, f)] = 0;
  fclose(f);
  unlink(path);
  assert_non_null(strstr(text, "{\"traceEvents\":[\n{\"ph\":\"X\""));
  assert_non_null(strstr(text, "\"name\":\"resolve\""));
  assert_non_null(strstr(text, "\"detail\":\"a \\\"quoted\\\" name\""));
  assert_non_null(strstr(text, "\"otherData\":{\"symbols\":3}}\n"));
  Capture c = capture();
  trace_print_perf(t);
  trace_print_stats(t);
  const char *got = captured(c);
  assert_non_null(strstr(got, "  link\n"));
  assert_non_null(strstr(got, "    resolve\n"));
  assert_non_null(strstr(got, "3  symbols\n"));
  assert_false(trace_write(t, d, "/nonexistent/trace.json"));
  assert_non_null(strstr(flushed(d), "/nonexistent/trace.json: cannot write the time trace: "));
  trace_destroy(t);
  diag_destroy(d);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sorts_by_place_then_text),
      cmocka_unit_test(shows_a_message_once),
      cmocka_unit_test(stops_at_the_limit),
      cmocka_unit_test(a_flood_is_deterministic),
      cmocka_unit_test(warnings_can_be_fatal_or_silent),
      cmocka_unit_test(an_item_has_lines),
      cmocka_unit_test(json_is_one_object_a_line),
      cmocka_unit_test(control_characters_stay_off_the_terminal),
      cmocka_unit_test(long_messages_are_whole),
      cmocka_unit_test(a_sink_gets_the_text),
      cmocka_unit_test(a_place_leads_the_message),
      cmocka_unit_test(demangles),
      cmocka_unit_test(takes_paths_out_of_names),
      cmocka_unit_test(traces),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
