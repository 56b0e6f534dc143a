/* Unit tests of the text form of the graph: read/yaml_text.c, write/yaml_text.c. The texts are
 * docs/atoms-yaml.md in small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#include "read/yaml_text.h"
#include "write/yaml_text.h"

typedef struct {
  Arena a;
  Diag *d;
  YamlStream s;
  bool good;
  char text[65536]; /* messages */
} Case;

static void keep(void *ctx, DiagLevel level, const char *code, const char *text) {
  Case *c = ctx;
  size_t n = strlen(c->text);
  assert_int_equal(level, DIAG_ERROR);
  assert_string_equal(code, "yaml");
  snprintf(c->text + n, sizeof c->text - n, "%s\n", text);
}

static Case *read_bytes(Bytes text) {
  Case *c = calloc(1, sizeof *c);
  c->d = diag_create();
  DiagOptions o = *diag_options(c->d);
  o.sink = keep;
  o.sink_ctx = c;
  o.error_limit = 0;
  diag_configure(c->d, &o);
  c->good = yaml_read(&c->a, c->d, "t", text, &c->s);
  diag_flush(c->d);
  assert_int_equal(c->good, !*c->text); /* a report if and only if it fails */
  return c;
}

static void case_free(Case *c) {
  diag_destroy(c->d);
  arena_free(&c->a);
  free(c);
}

static Case *read_good(const char *text) {
  Case *c = read_bytes((Bytes){(const u8 *)text, strlen(text)});
  if (!c->good)
    fail_msg("%s", c->text);
  return c;
}

/* `messages`: each line is "line:column: text". */
static void refused(const char *text, const char *messages) {
  Case *c = read_bytes((Bytes){(const u8 *)text, strlen(text)});
  char all[8192] = "";
  for (const char *m = messages; *m;) {
    size_t len = strcspn(m, "\n"), n = strlen(all);
    snprintf(all + n, sizeof all - n, "t:%.*s\n", (int)len, m);
    m += len + (m[len] == '\n');
  }
  assert_string_equal(c->text, all);
  case_free(c);
}

/* The text of the structs, to free(). */
static char *written(const YamlStream *s) {
  YamlOut o = {0};
  assert_true(yaml_write(s, &o));
  return o.text;
}

/* `text` is canonical: reading and writing it changes nothing. */
static void same(const char *text) {
  Case *c = read_good(text);
  char *again = written(&c->s);
  assert_string_equal(again, text);
  free(again);
  case_free(c);
}

static void every_key(void **state) {
  (void)state;
  static const char text[] =
      "---\n"
      "path:            a.o\n"
      "target-triple:   x86_64-linux-gnu\n"
      "defined-atoms:\n"
      "  - name:            main\n"
      "    ref-name:        L000\n"
      "    scope:           global\n"
      "    type:            data\n"
      "    content:         [ 00, 01, 02, 03, 04, 05, 06, 07, 08, 09, 0A, 0B, 0C, 0D, 0E, 0F,\n"
      "                       FF ]\n"
      "    interposable:    yes-and-weak\n"
      "    merge:           as-weak\n"
      "    alignment:       7 mod 16\n"
      "    section-choice:  custom-required\n"
      "    section-name:    .data.rel.ro\n"
      "    section-size:    18446744073709551615\n"
      "    address:         0x401000\n"
      "    output-section:  .data\n"
      "    dead-strip:      never\n"
      "    dynamic-export:  always\n"
      "    code-model:      arm-thumb\n"
      "    permissions:     ---\n"
      "    references:\n"
      "      - kind:            R_X86_64_PC32\n"
      "        offset:          3\n"
      "        target:          puts\n"
      "        addend:          -9223372036854775808\n"
      "        tag:             4294967295\n"
      "      - kind:            layout-after\n"
      "        target:          L000\n"
      "  - {}\n"
      "  - type:            zero-fill\n"
      "    size:            64\n"
      "    alignment:       9223372036854775808\n"
      "undefined-atoms:\n"
      "  - name:            puts\n"
      "    can-be-null:     at-buildtime\n"
      "    fallback:        other\n"
      "shared-library-atoms:\n"
      "  - name:            environ\n"
      "    load-name:       libc.so.6\n"
      "    can-be-null:     at-runtime\n"
      "    type:            data\n"
      "    size:            8\n"
      "absolute-atoms:\n"
      "  - name:            top\n"
      "    ref-name:        L001\n"
      "    scope:           hidden\n"
      "    value:           0xFFFFFFFFFFFFFFFF\n"
      "...\n";
  same(text);
  Case *c = read_good(text);
  assert_int_equal(c->s.n, 1);
  const YamlFile *f = &c->s.files[0];
  assert_false(f->archive);
  assert_string_equal(f->path, "a.o");
  assert_string_equal(f->triple, "x86_64-linux-gnu");
  assert_int_equal(f->defined.n, 3);
  const YamlAtom *a = &f->defined.at[0];
  assert_string_equal(a->name, "main");
  assert_string_equal(a->ref_name, "L000");
  assert_int_equal(a->scope, YAML_SCOPE_GLOBAL);
  assert_int_equal(a->type, YAML_TYPE_DATA);
  assert_int_equal(a->content.len, 17);
  assert_int_equal(a->content.p[16], 0xff);
  assert_int_equal(a->size, 17);
  assert_false(a->has_size);
  assert_int_equal(a->interposable, YAML_INTERPOSABLE_YES_AND_WEAK);
  assert_int_equal(a->merge, YAML_MERGE_AS_WEAK);
  assert_int_equal(a->p2align, 4);
  assert_int_equal(a->modulus, 7);
  assert_int_equal(a->section_choice, YAML_SECTION_CUSTOM_REQUIRED);
  assert_string_equal(a->section_name, ".data.rel.ro");
  assert_true(a->section_size == UINT64_MAX);
  assert_true(a->has_address);
  assert_int_equal(a->address, 0x401000);
  assert_string_equal(a->output_section, ".data");
  assert_int_equal(a->dead_strip, YAML_DEAD_STRIP_NEVER);
  assert_int_equal(a->dynamic_export, YAML_DYNAMIC_EXPORT_ALWAYS);
  assert_int_equal(a->code_model, YAML_CODE_MODEL_ARM_THUMB);
  assert_int_equal(a->permissions, YAML_PERMISSIONS_NONE);
  assert_int_equal(a->line, 5);
  assert_int_equal(a->col, 5);
  assert_int_equal(a->nrefs, 2);
  assert_string_equal(a->refs[0].kind, "R_X86_64_PC32");
  assert_int_equal(a->refs[0].offset, 3);
  assert_string_equal(a->refs[0].target, "puts");
  assert_true(a->refs[0].addend == INT64_MIN);
  assert_true(a->refs[0].tag == UINT32_MAX);
  assert_int_equal(a->refs[0].line, 24);
  assert_int_equal(a->refs[0].col, 9);
  assert_true(f->defined.at[2].has_size);
  assert_int_equal(f->defined.at[2].size, 64);
  assert_null(f->defined.at[2].content.p);
  assert_int_equal(f->defined.at[2].p2align, 63);
  assert_int_equal(f->undefined.n, 1);
  assert_int_equal(f->undefined.at[0].can_be_null, YAML_CAN_BE_NULL_AT_BUILDTIME);
  assert_string_equal(f->undefined.at[0].fallback, "other");
  assert_int_equal(f->shared.n, 1);
  assert_string_equal(f->shared.at[0].load_name, "libc.so.6");
  assert_int_equal(f->shared.at[0].shared_type, YAML_SHARED_DATA);
  assert_int_equal(f->shared.at[0].size, 8);
  assert_int_equal(f->absolute.n, 1);
  assert_true(f->absolute.at[0].value == UINT64_MAX);
  case_free(c);
}

static void mistakes(void **state) {
  (void)state;
  refused(
      "---\nfoo: 1\nbar: [ [ a ] ]\ndefined-atoms:\n  - name: main\n    scope: bogus\n    color: "
      "red\n",
      "2:1: unknown key 'foo'\n3:1: unknown key 'bar'\n6:12: unknown enumerated scalar: 'bogus'\n"
      "7:5: unknown key 'color'\n");
  refused("defined-atoms:\n- content: [ 00, 100, 0x, G0, -1, 5 ]\n",
          "2:18: out of range two-digit-hex number: '100'\n2:23: out of range two-digit-hex "
          "number: '0x'\n"
          "2:27: out of range two-digit-hex number: 'G0'\n2:31: out of range two-digit-hex number: "
          "'-1'\n"
          "2:35: out of range two-digit-hex number: '5'\n");
  refused("defined-atoms:\n- name: a\n  references:\n  - kind: k\n    target: baz\n",
          "5:13: no such atom name: baz\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_key),
      cmocka_unit_test(mistakes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
