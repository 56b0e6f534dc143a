/* Unit tests of the text form of the graph: keys, words, text, the short form, random graphs there
 * and back. What is refused is in test_yaml_errors.c. */
#include "yaml_case.h"
#include "yaml_equal.h"

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

static void several_documents(void **state) {
  (void)state;
  same("");
  same("---\n...\n");
  same("---\n---\npath:            b\n---\n...\n");
  same("--- !archive\n...\n");
  static const char archive[] = "--- !archive\n"
                                "path:            libx.a\n"
                                "members:\n"
                                "  - name:            a.o\n"
                                "    content:         !native\n"
                                "      path:            dir/a.o\n"
                                "      target-triple:   x86_64\n"
                                "      defined-atoms:\n"
                                "        - name:            f\n"
                                "          references:\n"
                                "            - kind:            k\n"
                                "              target:          g\n"
                                "        - {}\n"
                                "      undefined-atoms:\n"
                                "        - name:            g\n"
                                "  - name:            b.o\n"
                                "    content:         !native\n"
                                "---\n"
                                "absolute-atoms:\n"
                                "  - name:            f\n"
                                "...\n";
  same(archive);
  Case *c = read_good(archive);
  assert_int_equal(c->s.n, 2);
  assert_true(c->s.files[0].archive);
  assert_int_equal(c->s.files[0].nmembers, 2);
  const YamlMember *m = c->s.files[0].members;
  assert_string_equal(m[0].name, "a.o");
  assert_string_equal(m[0].content.path, "dir/a.o");
  assert_int_equal(m[0].content.defined.n, 2);
  assert_string_equal(m[0].content.defined.at[0].refs[0].target, "g");
  assert_string_equal(m[0].content.undefined.at[0].name, "g");
  assert_string_equal(m[1].name, "b.o");
  assert_int_equal(m[1].content.defined.n, 0);
  assert_false(c->s.files[1].archive);
  case_free(c);
  /* Names are those of the file: the other document's do not count. */
  refused("--- !native\ndefined-atoms:\n  - name: a\n---\ndefined-atoms:\n  - references:\n"
          "      - { kind: k, target: a }\n",
          "7:28: no such atom name: a");
}

static void fallbacks(void **state) {
  (void)state;
  Case *c = read_good("undefined-atoms:\n"
                      "- name: a\n"
                      "  fallback: { can-be-null: at-runtime, name: b, fallback: c }\n"
                      "- { name: d, fallback: e }\n");
  char *text = written(&c->s);
  assert_string_equal(text, "---\n"
                            "undefined-atoms:\n"
                            "  - name:            a\n"
                            "    fallback:        b\n"
                            "  - name:            b\n"
                            "    can-be-null:     at-runtime\n"
                            "    fallback:        c\n"
                            "  - name:            d\n"
                            "    fallback:        e\n"
                            "...\n");
  same(text);
  free(text);
  case_free(c);
  refused("undefined-atoms:\n- name: a\n  fallback: { scope: global }\n"
          "- { name: a, fallback: { name: b, fallback: { name: c } } }\n"
          "- { name: a, fallback: [ b ] }\n",
          "3:13: missing key 'name' of an undefined atom\n"
          "3:15: an undefined atom can't have 'scope'\n"
          "4:45: 'fallback' must be a single value\n5:24: 'fallback' must be a single value");
}

/* Each row of a table: the word, its number, the word again. */
typedef u32 Get(const YamlAtom *a);
#define GETTER(field)                                                                              \
  static u32 get_##field(const YamlAtom *a) {                                                      \
    return (u32)a->field;                                                                          \
  }
GETTER(scope)
GETTER(type)
GETTER(interposable)
GETTER(merge)
GETTER(section_choice)
GETTER(dead_strip)
GETTER(dynamic_export)
GETTER(code_model)
GETTER(permissions)
GETTER(can_be_null)
GETTER(shared_type)

static void check_words(const char *section, const char *name, const char *key,
                        const YamlWord *rows, u32 n, Get *get) {
  for (u32 i = 0; i < n; i++) {
    assert_int_equal(rows[i].value, i);
    if (!*rows[i].word)
      continue;
    char text[400], canonical[400];
    snprintf(text, sizeof text, "---\n%s:\n  - name: a\n    %s: '%s'\n", section, key,
             rows[i].word);
    int len = snprintf(canonical, sizeof canonical, "---\n%s:\n  - name:            a\n", section);
    if (i) /* not the default */
      len += snprintf(canonical + len, sizeof canonical - (size_t)len, "    %s:%*s%s\n", key,
                      16 - (int)strlen(key), "", rows[i].word);
    snprintf(canonical + len, sizeof canonical - (size_t)len, "...\n");
    Case *c = read_good(text);
    const YamlFile *f = &c->s.files[0];
    const YamlAtoms *atoms = streq(name, "defined")     ? &f->defined
                             : streq(name, "undefined") ? &f->undefined
                                                        : &f->shared;
    assert_int_equal(atoms->n, 1);
    assert_int_equal(get(&atoms->at[0]), i);
    char *again = written(&c->s);
    assert_string_equal(again, canonical);
    free(again);
    case_free(c);
    same(canonical);
  }
}

static void every_word(void **state) {
  (void)state;
#define CHECK_WORDS(kind, section, key, words, field)                                              \
  do {                                                                                             \
    static const YamlWord rows[] = {words(YAML_WORD_ROW)};                                         \
    check_words(section, kind, key, rows, COUNT_OF(rows), get_##field);                            \
  } while (0)
  CHECK_WORDS("defined", "defined-atoms", "scope", YAML_SCOPES, scope);
  CHECK_WORDS("defined", "defined-atoms", "type", YAML_TYPES, type);
  CHECK_WORDS("defined", "defined-atoms", "interposable", YAML_INTERPOSABLES, interposable);
  CHECK_WORDS("defined", "defined-atoms", "merge", YAML_MERGES, merge);
  CHECK_WORDS("defined", "defined-atoms", "section-choice", YAML_SECTION_CHOICES, section_choice);
  CHECK_WORDS("defined", "defined-atoms", "dead-strip", YAML_DEAD_STRIPS, dead_strip);
  CHECK_WORDS("defined", "defined-atoms", "dynamic-export", YAML_DYNAMIC_EXPORTS, dynamic_export);
  CHECK_WORDS("defined", "defined-atoms", "code-model", YAML_CODE_MODELS, code_model);
  CHECK_WORDS("defined", "defined-atoms", "permissions", YAML_PERMISSIONS, permissions);
  CHECK_WORDS("undefined", "undefined-atoms", "can-be-null", YAML_CAN_BE_NULLS, can_be_null);
  CHECK_WORDS("shared", "shared-library-atoms", "type", YAML_SHARED_TYPES, shared_type);
}

/* ---- text ---- */

/* A name that the writer spells as `spelled`. */
static void spelled(const char *name, const char *as) {
  YamlAtom atom = {.name = name};
  YamlFile file = {.defined = {&atom, 1}};
  YamlStream stream = {&file, 1};
  char *text = written(&stream), expected[400];
  snprintf(expected, sizeof expected, "---\ndefined-atoms:\n  - name:            %s\n...\n", as);
  assert_string_equal(text, expected);
  Case *c = read_good(text);
  assert_string_equal(c->s.files[0].defined.at[0].name, name);
  case_free(c);
  free(text);
}

static void text_is_quoted(void **state) {
  (void)state;
  spelled("main", "main");
  spelled("_ZN3fooC1Ev", "_ZN3fooC1Ev");
  spelled("foo@@V1.0", "foo@@V1.0");
  spelled(".text.f", ".text.f");
  spelled("a#b", "a#b");
  spelled("a-b/c+d\\e=f<g>$", "a-b/c+d\\e=f<g>$");
  spelled("größe", "größe");
  spelled("", "''");
  spelled(" ", "' '");
  spelled("two words", "'two words'");
  spelled("it's here", "'it''s here'");
  spelled("''", "''''''");
  spelled("a::b", "'a::b'");
  spelled("a,b", "'a,b'");
  spelled("f[abi]", "'f[abi]'");
  spelled("{x}", "'{x}'");
  spelled("---", "'---'");
  spelled("...", "...");
  spelled("-x", "'-x'");
  spelled("?x", "'?x'");
  spelled("&x", "'&x'");
  spelled("*x", "'*x'");
  spelled("!x", "'!x'");
  spelled("|", "'|'");
  spelled(">", "'>'");
  spelled("%x", "'%x'");
  spelled("@x", "'@x'");
  spelled("`x", "'`x'");
  spelled("\"x\"", "'\"x\"'");
  spelled("#x", "'#x'");
  spelled("~", "'~'");
  spelled("null", "'null'");
  spelled("Yes", "'Yes'");
  spelled("n", "'n'");
  spelled("123", "'123'");
  spelled("0x10", "'0x10'");
  spelled(".5", "'.5'");
  spelled("+1", "'+1'");
  spelled(".NaN", "'.NaN'");
  spelled("a\tb\nc\"\\", "\"a\\tb\\nc\\\"\\\\\"");
  spelled("\r\x01\x7f", "\"\\x0D\\x01\\x7F\"");
  spelled("nbsp\xc2\xa0.", "\"nbsp\\xA0.\"");
  spelled("nel\xc2\x85", "\"nel\\x85\"");
  spelled("ls\xe2\x80\xa8", "\"ls\\u2028\"");
  spelled("bom\xef\xbb\xbf", "\"bom\\uFEFF\"");
  spelled("\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80");
  spelled("\xf0\x9f\xbf\xbe", "\"\\U0001FFFE\"");
  spelled("caf\xe9", "!bytes \"caf\\xE9\"");
  spelled("\xc3\xa9\xff\n", "!bytes \"\\xC3\\xA9\\xFF\\n\"");
  spelled("\xed\xa0\x80", "!bytes \"\\xED\\xA0\\x80\""); /* a surrogate is no UTF-8 */
  spelled("\xc0\x80", "!bytes \"\\xC0\\x80\"");
  spelled("\xe2\x82", "!bytes \"\\xE2\\x82\""); /* ends early */
  /* Other ways to say the same. */
  Case *c = read_good("defined-atoms:\n- name: >-\n    folded\n    text\n- name: |\n    line\n");
  assert_string_equal(c->s.files[0].defined.at[0].name, "folded text");
  assert_string_equal(c->s.files[0].defined.at[1].name, "line\n");
  case_free(c);
}

/* ---- the short form ---- */

static void short_form(void **state) {
  (void)state;
  Case *c = read_good(
      "target-triple: x86_64-apple-darwin11\n"
      "atoms:\n"
      "  - name: _main\n"
      "    scope: global\n"
      "    content: [ 55, e8 ]\n"
      "    fixups:\n"
      "    - { offset: 07, kind: pcrel32, target: 2 }\n"
      "    - { offset: 1E, kind: call32, target: _fprintf, addend: -0x4 }\n"
      "    - { offset: 0x10, kind: call32, target: '7' }\n"
      "    - { offset: 10, kind: call32, target: 1 }\n"
      "  - type: c-string\n"
      "  - { name: _fprintf, definition: shared-library, load-name: libc, type: data }\n"
      "  - { type: unknown, name: _s, size: 4, definition: shared-library }\n"
      "  - { can-be-null: at-buildtime, name: _u, definition: undefined }\n"
      "  - { value: 16, definition: absolute, name: '7' }\n"
      "  - { definition: defined, references: [ { kind: k, offset: 10, target: L000 } ] }\n"
      "  - { ref-name: L000 }\n");
  char *text = written(&c->s);
  assert_string_equal(text, "---\n"
                            "target-triple:   x86_64-apple-darwin11\n"
                            "defined-atoms:\n"
                            "  - name:            _main\n"
                            "    scope:           global\n"
                            "    content:         [ 55, E8 ]\n"
                            "    references:\n"
                            "      - kind:            pcrel32\n"
                            "        offset:          7\n"
                            "        target:          L001\n"
                            "      - kind:            call32\n"
                            "        offset:          30\n"
                            "        target:          _fprintf\n"
                            "        addend:          -4\n"
                            "      - kind:            call32\n"
                            "        offset:          16\n"
                            "        target:          '7'\n"
                            "      - kind:            call32\n"
                            "        offset:          16\n"
                            "        target:          _main\n"
                            "  - ref-name:        L001\n"
                            "    type:            c-string\n"
                            "  - references:\n"
                            "      - kind:            k\n"
                            "        offset:          10\n"
                            "        target:          L000\n"
                            "  - ref-name:        L000\n"
                            "undefined-atoms:\n"
                            "  - name:            _u\n"
                            "    can-be-null:     at-buildtime\n"
                            "shared-library-atoms:\n"
                            "  - name:            _fprintf\n"
                            "    load-name:       libc\n"
                            "    type:            data\n"
                            "  - name:            _s\n"
                            "    type:            unknown\n"
                            "    size:            4\n"
                            "absolute-atoms:\n"
                            "  - name:            '7'\n"
                            "    value:           0x10\n"
                            "...\n");
  same(text);
  free(text);
  case_free(c);
  refused(
      "atoms:\n- { name: a, scope: global, definition: undefined }\n"
      "- { definition: absolute, name: b, fixups: [] }\n- { definition: tentative }\n"
      "- { definition: shared-library, name: c, can-be-null: at-buildtime }\n"
      "- fixups: [ { kind: k, target: 6 }, { kind: k, target: 0 } , { kind: k, offset: 1G } ]\n",
      "2:14: an undefined atom can't have 'scope'\n"
      "3:36: an absolute atom can't have 'fixups'\n"
      "4:17: unknown enumerated scalar: 'tentative'\n"
      "5:55: unknown enumerated scalar: 'at-buildtime'\n"
      "6:32: no such atom name: 6\n"
      "6:56: no such atom name: 0\n"
      "6:81: 'offset' is not a number: '1G'");
  refused("defined-atoms:\n- { definition: defined, fixups: [] }\n",
          "2:5: unknown key 'definition'\n2:26: unknown key 'fixups'");
}

/* ---- random graphs ---- */

typedef struct {
  u64 seed;
  Arena *a;
  VEC(const char *) names; /* of the file */
} Random;

static u32 below(Random *r, u32 n) {
  r->seed = r->seed * 6364136223846793005u + 1442695040888963407u;
  return (u32)((r->seed >> 33) % n);
}

static u64 any_number(Random *r) {
  u64 n = (u64)below(r, 1u << 31) << 33 ^ (u64)below(r, 1u << 31) << 11 ^ below(r, 1u << 31);
  return n >> below(r, 64);
}

static const char *any_text(Random *r) {
  static const char *const some[] = {"main",  "two words",    "'",   "\"", "\xe9",
                                     "größe", "\xe2\x80\xa8", "yes", ""};
  if (!below(r, 4))
    return some[below(r, COUNT_OF(some))];
  u32 len = 1 + below(r, 12), mode = below(r, 4);
  char *s = arena_alloc(r->a, len + 1, 1);
  for (u32 i = 0; i < len; i++)
    s[i] = (char)(mode == 0   ? 1 + below(r, 255)
                  : mode == 1 ? 1 + below(r, 127)
                  : mode == 2 ? ' ' + (int)below(r, 95)
                              : 'a' + (int)below(r, 26));
  return s;
}

static const char *maybe_text(Random *r) {
  return below(r, 3) ? NULL : any_text(r);
}

static const char *name_it(Random *r, const char *name) {
  if (name)
    *vec_push(&r->names) = name;
  return name;
}

static const char *maybe_ref_name(Random *r) {
  return below(r, 3) ? NULL : name_it(r, arena_printf(r->a, "%s L%03u", any_text(r), r->names.n));
}

static YamlAtoms some_atoms(Random *r) {
  u32 n = below(r, 5);
  return (YamlAtoms){ARENA_ARRAY(r->a, YamlAtom, MAX(n, 1u)), n};
}

#define SOMETIMES(r, n) (below((r), 3) ? 0 : below((r), (n)))

static void fill_defined(Random *r, YamlAtom *a) {
  a->name = name_it(r, maybe_text(r));
  a->ref_name = maybe_ref_name(r);
  a->scope = (YamlScope)SOMETIMES(r, 3);
  a->type = (YamlType)SOMETIMES(r, 48);
  if (below(r, 2)) {
    u32 len = below(r, 50);
    u8 *p = arena_alloc(r->a, len + 1, 1);
    for (u32 i = 0; i < len; i++)
      p[i] = (u8)below(r, 256);
    a->content = (Bytes){p, len};
    a->size = len;
  } else {
    a->size = any_number(r);
  }
  a->interposable = (YamlInterposable)SOMETIMES(r, 3);
  a->merge = (YamlMerge)SOMETIMES(r, 7);
  a->p2align = (u8)SOMETIMES(r, 64);
  a->modulus = a->p2align ? any_number(r) & (((u64)1 << a->p2align) - 1) : 0;
  a->section_choice = (YamlSectionChoice)SOMETIMES(r, 3);
  a->section_name = maybe_text(r);
  a->section_size = below(r, 2) ? any_number(r) : 0;
  a->has_address = below(r, 2);
  a->address = a->has_address ? any_number(r) : 0;
  a->output_section = maybe_text(r);
  a->dead_strip = (YamlDeadStrip)SOMETIMES(r, 3);
  a->dynamic_export = (YamlDynamicExport)SOMETIMES(r, 2);
  a->code_model = (YamlCodeModel)SOMETIMES(r, 9);
  a->permissions = (YamlPermissions)SOMETIMES(r, 8);
  a->section_type = SOMETIMES(r, UINT32_MAX);
  a->section_flags = SOMETIMES(r, UINT32_MAX);
  a->entry_size = SOMETIMES(r, UINT32_MAX);
  a->nsymbols = SOMETIMES(r, 4);
  a->symbols = ARENA_ARRAY(r->a, YamlName, a->nsymbols + 1);
  for (u32 i = 0; i < a->nsymbols; i++)
    a->symbols[i] = (YamlName){.name = name_it(r, any_text(r)),
                               .offset = below(r, 2) ? any_number(r) : 0,
                               .size = below(r, 2) ? any_number(r) : 0,
                               .scope = (YamlScope)SOMETIMES(r, 3),
                               .merge = below(r, 3) ? YAML_MERGE_NO : YAML_MERGE_AS_WEAK,
                               .type = (YamlSymbolType)SOMETIMES(r, 5),
                               .visibility = (YamlVisibility)SOMETIMES(r, 3),
                               .binding = (YamlBinding)SOMETIMES(r, 2)};
}

static void fill_references(Random *r, YamlAtom *a) {
  a->nrefs = below(r, 4);
  a->refs = ARENA_ARRAY(r->a, YamlRef, a->nrefs + 1);
  for (u32 i = 0; i < a->nrefs; i++)
    a->refs[i] =
        (YamlRef){.kind = any_text(r),
                  .offset = below(r, 2) ? any_number(r) : 0,
                  .target = r->names.n && below(r, 4) ? r->names.at[below(r, r->names.n)] : NULL,
                  .addend = (i64)(below(r, 2) ? any_number(r) : 0 - any_number(r)),
                  .tag = SOMETIMES(r, UINT32_MAX)};
}

static void fill_file(Random *r, YamlFile *f) {
  r->names.n = 0;
  f->path = maybe_text(r);
  f->triple = maybe_text(r);
  f->defined = some_atoms(r);
  f->undefined = some_atoms(r);
  f->shared = some_atoms(r);
  f->absolute = some_atoms(r);
  for (u32 i = 0; i < f->defined.n; i++)
    fill_defined(r, &f->defined.at[i]);
  for (u32 i = 0; i < f->undefined.n; i++)
    f->undefined.at[i] = (YamlAtom){.name = name_it(r, any_text(r)),
                                    .can_be_null = (YamlCanBeNull)SOMETIMES(r, 3),
                                    .fallback = maybe_text(r)};
  for (u32 i = 0; i < f->shared.n; i++)
    f->shared.at[i] = (YamlAtom){.name = name_it(r, any_text(r)),
                                 .load_name = maybe_text(r),
                                 .can_be_null = (YamlCanBeNull)SOMETIMES(r, 2),
                                 .shared_type = (YamlSharedType)SOMETIMES(r, 3),
                                 .size = any_number(r)};
  for (u32 i = 0; i < f->absolute.n; i++)
    f->absolute.at[i] = (YamlAtom){.name = name_it(r, any_text(r)),
                                   .ref_name = maybe_ref_name(r),
                                   .scope = (YamlScope)SOMETIMES(r, 3),
                                   .value = any_number(r)};
  for (u32 i = 0; i < f->defined.n; i++)
    fill_references(r, &f->defined.at[i]);
}

static void random_graphs(void **state) {
  (void)state;
  for (u32 round = 0; round < 3000; round++) {
    Arena a = {0};
    Random r = {.seed = round, .a = &a};
    YamlStream s = {.n = below(&r, 4)};
    s.files = ARENA_ARRAY(&a, YamlFile, s.n + 1);
    for (u32 i = 0; i < s.n; i++) {
      YamlFile *f = &s.files[i];
      f->archive = !below(&r, 4);
      if (!f->archive) {
        fill_file(&r, f);
        continue;
      }
      f->path = maybe_text(&r);
      f->nmembers = below(&r, 4);
      f->members = ARENA_ARRAY(&a, YamlMember, f->nmembers + 1);
      for (u32 k = 0; k < f->nmembers; k++) {
        f->members[k].name = any_text(&r);
        fill_file(&r, &f->members[k].content);
      }
    }
    char *text = written(&s);
    Case *c = read_good(text);
    if (!yaml_equal(&s, &c->s))
      fail_msg("seed %u reads back as another graph:\n%s", round, text);
    char *again = written(&c->s);
    assert_string_equal(again, text);
    free(again);
    free(text);
    case_free(c);
    vec_free(&r.names);
    arena_free(&a);
  }
}

/* ---- streaming ---- */

typedef struct {
  u64 total, largest, fail_at;
} Stream;

static bool count(void *ctx, const char *text, u64 len) {
  Stream *s = ctx;
  (void)text;
  assert_true(len > 0);
  s->total += len;
  s->largest = MAX(s->largest, len);
  return s->total < s->fail_at;
}

static bool stream_atoms(Stream *s, u32 n) {
  static const u8 content[40000];
  YamlOut o = {.sink = count, .ctx = s};
  YamlFile f = {.path = "large.o"};
  YamlAtom a = {.name = "f"}, big = {.content = {content, sizeof content}};
  yaml_write_begin(&o);
  yaml_write_file_header(&o, &f);
  yaml_write_section(&o, YAML_ATOM_DEFINED);
  yaml_write_atom(&o, &big);
  for (u32 i = 0; i < n; i++)
    yaml_write_atom(&o, &a);
  yaml_write_section(&o, YAML_ATOM_UNDEFINED);
  yaml_write_section(&o, YAML_ATOM_ABSOLUTE);
  yaml_write_atom(&o, &a);
  bool good = yaml_write_end(&o);
  assert_true(o.cap <= 128 << 10);
  yaml_out_free(&o);
  return good;
}

static void streams(void **state) {
  (void)state;
  Stream s = {.fail_at = UINT64_MAX};
  assert_true(stream_atoms(&s, 100000));
  assert_true(s.largest <= 65536);
  assert_true(s.total > 100000 * strlen("  - name:            f\n"));
  s = (Stream){.fail_at = 200000};
  assert_false(stream_atoms(&s, 100000));
  assert_true(s.total < 300000); /* nothing comes after the failure */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_key),      cmocka_unit_test(several_documents),
      cmocka_unit_test(fallbacks),      cmocka_unit_test(every_word),
      cmocka_unit_test(text_is_quoted), cmocka_unit_test(short_form),
      cmocka_unit_test(random_graphs),  cmocka_unit_test(streams),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
