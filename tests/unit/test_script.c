/* Unit tests of script/: linker scripts, version scripts, dynamic lists, the default layout, and
 * the matcher (core/layout_match.c) over it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#include "core/layout_match.h"
#include "script/emulation.h"
#include "script/script.h"

typedef struct {
  Arena a;
  Diag *d;
  Script s;
  VersionScript v;
  VersionPatterns list;
  char text[16384]; /* messages */
} Case;

static void keep(void *ctx, DiagLevel level, const char *code, const char *text) {
  Case *c = ctx;
  (void)level, (void)code;
  size_t n = strlen(c->text);
  snprintf(c->text + n, sizeof c->text - n, "%s\n", text);
}

static Case *case_new(void) {
  Case *c = calloc(1, sizeof *c);
  c->d = diag_create();
  DiagOptions o = *diag_options(c->d);
  o.sink = keep;
  o.sink_ctx = c;
  diag_configure(c->d, &o);
  return c;
}

static void case_free(Case *c) {
  script_free(&c->s);
  script_free_version(&c->v);
  vec_free(&c->list);
  diag_destroy(c->d);
  arena_free(&c->a);
  free(c);
}

static Bytes bytes(const char *s) {
  return (Bytes){(const u8 *)s, strlen(s)};
}

static Case *script(const char *text) {
  Case *c = case_new();
  bool ok = script_parse(&c->a, c->d, "t.ld", bytes(text), &c->s);
  diag_flush(c->d);
  if (!ok)
    fail_msg("%s", c->text);
  return c;
}

static Case *version(const char *text) {
  Case *c = case_new();
  bool ok = script_parse_version(&c->a, c->d, "t.map", bytes(text), &c->v);
  diag_flush(c->d);
  if (!ok)
    fail_msg("%s", c->text);
  return c;
}

/* ---- version scripts ---- */

static void expect_pattern(const VersionPatterns *v, u32 i, const char *pattern, bool cxx,
                           bool exact) {
  assert_true(i < v->n);
  assert_string_equal(v->at[i].pattern, pattern);
  assert_int_equal(v->at[i].cxx, cxx);
  assert_int_equal(v->at[i].exact, exact);
}

static void test_version(void **state) {
  (void)state;
  Case *c =
      version("# comment\n"
              "VER_1.0 {\n"
              "  global: /* these */\n"
              "    foo; bar*; \"lit*eral\"; a\\?b;\n"
              "    extern \"C++\" { ns::f*; \"g(int, char)\"; operator<; std::pair<int,int>::x };\n"
              "    extern \"C\" { plain };\n"
              "  local: *; };\r\n"
              "VER_2.0 { local; global; extern; } VER_1.0;\n"
              "VER_3.0 { h[abc][^\\]x]i; *foo\\bar*; } VER_1.0 VER_2.0;\n");
  assert_int_equal(c->v.nodes.n, 3);
  const VersionNode *n = c->v.nodes.at;
  assert_string_equal(n[0].name, "VER_1.0");
  assert_int_equal(n[0].line, 2);
  assert_int_equal(n[0].global.n, 9);
  expect_pattern(&n[0].global, 0, "foo", false, true);
  expect_pattern(&n[0].global, 1, "bar*", false, false);
  expect_pattern(&n[0].global, 2, "lit*eral", false, true);
  expect_pattern(&n[0].global, 3, "a?b", false, true);
  expect_pattern(&n[0].global, 4, "ns::f*", true, false);
  expect_pattern(&n[0].global, 5, "g(int, char)", true, true);
  expect_pattern(&n[0].global, 6, "operator<", true, true);
  expect_pattern(&n[0].global, 7, "std::pair<int,int>::x", true, true);
  expect_pattern(&n[0].global, 8, "plain", false, true);
  assert_int_equal(n[0].local.n, 1);
  expect_pattern(&n[0].local, 0, "*", false, false);
  assert_int_equal(n[1].global.n, 3);
  expect_pattern(&n[1].global, 0, "local", false, true);
  expect_pattern(&n[1].global, 2, "extern", false, true);
  assert_int_equal(n[1].parents.n, 1);
  assert_string_equal(n[1].parents.at[0], "VER_1.0");
  assert_int_equal(n[2].parents.n, 2);
  expect_pattern(&n[2].global, 0, "h[abc][^\\]x]i", false, false);
  expect_pattern(&n[2].global, 1, "*foo\\bar*", false, false);
  case_free(c);

  c = version("{ global: foo; local: extern \"C++\" { a*; }; *; }");
  assert_int_equal(c->v.nodes.n, 1);
  assert_null(c->v.nodes.at[0].name);
  assert_int_equal(c->v.nodes.at[0].local.n, 2);
  case_free(c);

  static const char *const fine[] = {
      "VER {};",
      "VER1 { extern \"C++\" {}; foo; }; VER2 {};",
      "",
      "# only a comment",
      "VER0 { **; }; VER1 { foo\\?; };",
      "{ local: *; global: extern \"C++\" { *foo*; }; };",
      "VER1 { foo[12]; }; VER2 {};",
      "{local:*;};",
      "{global:*;local:b*;};",
      "\xc3\xa9t\xc3\xa9 { na\xc3\xafve; };",
      "A{a;};B{b;}A;C{c;}B;",
  };
  for (size_t i = 0; i < COUNT_OF(fine); i++)
    case_free(version(fine[i]));

  /* several scripts add up; parents may be in an earlier one */
  c = version("A { a; };");
  assert_true(script_parse_version(&c->a, c->d, "u.map", bytes("B { b; } A;"), &c->v));
  assert_int_equal(c->v.nodes.n, 2);
  assert_false(script_parse_version(&c->a, c->d, "u.map", bytes("B { b; };"), &c->v));
  case_free(c);
}

static void test_version_errors(void **state) {
  (void)state;
  static const struct {
    const char *text, *error;
  } rows[] = {
      {"VER1 { foo[12; };",
       "t.map:1:8: invalid version pattern 'foo[12'\n  VER1 { foo[12; };\n         ^"},
      {"VER1 { foo", "expected ';', found the end of the text"},
      {"VER1 { foo bar; };", "expected ';', found 'bar'"},
      {"VER1 foo;", "expected '{', found 'foo'"},
      {"A { a; } B;", "version 'B' is not defined before this"},
      {"A { a; }; A { b; };", "duplicate version 'A'"},
      {"A { a; }; { b; };", "an anonymous version"},
      {"{ a; }; { b; };", "an anonymous version"},
      {"A { extern \"Ada\" { x; }; };", "unknown language 'Ada'"},
      {"A { \"unclosed; };", "t.map:1:5: unclosed string"},
      {"A { x; } /* never", "t.map:1:10: unclosed comment"},
      {"A { x; }; B { y; } A } C", "expected ';', found '}'"},
      {"A { ( };", "expected a symbol"},
      {"A { \xff\xfe x; };", "expected ';'"},
      {"\n\n\tA { a; }; A\n{ } ;", "t.map:3:12: duplicate"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    Case *c = case_new();
    assert_false(script_parse_version(&c->a, c->d, "t.map", bytes(rows[i].text), &c->v));
    diag_flush(c->d);
    if (!strstr(c->text, rows[i].error))
      fail_msg("'%s': %s", rows[i].text, c->text);
    case_free(c);
  }
}

static void test_dynamic_list(void **state) {
  (void)state;
  Case *c = case_new();
  assert_true(script_parse_dynamic_list(
      &c->a, c->d, "t", bytes("{ foo; b*; extern \"C++\" { \"baz(int)\"; }; };"), &c->list));
  assert_int_equal(c->list.n, 3);
  expect_pattern(&c->list, 0, "foo", false, true);
  expect_pattern(&c->list, 1, "b*", false, false);
  expect_pattern(&c->list, 2, "baz(int)", true, true);
  assert_false(script_parse_dynamic_list(&c->a, c->d, "t", bytes("{ local: foo; };"), &c->list));
  assert_false(script_parse_dynamic_list(&c->a, c->d, "t", bytes("foo;"), &c->list));
  case_free(c);
}

/* ---- linker scripts ---- */

static void test_inputs(void **state) {
  (void)state;
  Case *c = script(
      "/* GNU ld script */\n"
      "OUTPUT_FORMAT(elf64-x86-64)\n"
      "GROUP ( /lib/x86_64-linux-gnu/libc.so.6 libc_nonshared.a  AS_NEEDED ( ld-linux.so.2 ) )\n"
      "INPUT(-lfoo, \"a b.o\" =/usr/lib/x.o -l:exact.a, AS_NEEDED(-lbar))\n"
      "GROUP(libstdc++.a)\n"
      "STARTUP(crt.o) SEARCH_DIR(\"=/usr/lib\"); SEARCH_DIR(/opt/lib)\n"
      "ENTRY(_start) OUTPUT(a.out) TARGET(elf64-x86-64) OUTPUT_ARCH(i386:x86-64)\n"
      "EXTERN(one two,three) FORCE_COMMON_ALLOCATION\n"
      "VERSION { v1 { a; }; v2 { b; } v1; }");
  const Script *s = &c->s;
  static const ScriptInput want[] = {
      {.name = "/lib/x86_64-linux-gnu/libc.so.6", .group = 1},
      {.name = "libc_nonshared.a", .group = 1},
      {.name = "ld-linux.so.2", .group = 1, .as_needed = true},
      {.name = "foo", .is_lib = true},
      {.name = "a b.o"},
      {.name = "=/usr/lib/x.o"},
      {.name = ":exact.a", .is_lib = true},
      {.name = "bar", .is_lib = true, .as_needed = true},
      {.name = "libstdc++.a", .group = 2},
      {.name = "crt.o", .startup = true},
  };
  assert_int_equal(s->inputs.n, COUNT_OF(want));
  for (u32 i = 0; i < s->inputs.n; i++) {
    const ScriptInput *in = &s->inputs.at[i];
    assert_string_equal(in->name, want[i].name);
    assert_int_equal(in->is_lib, want[i].is_lib);
    assert_int_equal(in->as_needed, want[i].as_needed);
    assert_int_equal(in->group, want[i].group);
    assert_int_equal(in->startup, want[i].startup);
  }
  assert_int_equal(s->ngroups, 2);
  assert_string_equal(s->output_format[0], "elf64-x86-64");
  assert_string_equal(s->output_arch, "i386:x86-64");
  assert_string_equal(s->entry, "_start");
  assert_string_equal(s->output, "a.out");
  assert_string_equal(s->target, "elf64-x86-64");
  assert_int_equal(s->search_dirs.n, 2);
  assert_string_equal(s->search_dirs.at[0], "=/usr/lib");
  assert_int_equal(s->externs.n, 3);
  assert_true(s->force_common && s->has_version && !s->has_sections);
  assert_int_equal(s->version.nodes.n, 2);
  case_free(c);
}

static void test_assignments(void **state) {
  (void)state;
  Case *c = script("a=1;b = 2 ;c+=a-1; PROVIDE(d = .); PROVIDE_HIDDEN (e = 3);HIDDEN(f=4)\n"
                   "g<<=2; ASSERT(a == 1, \"a is wrong\") ASSERT(1, \"x\");\n\"q q\" = 1;");
  const LayoutDesc *l = &c->s.layout;
  assert_int_equal(l->nstmts, 10);
  static const struct {
    const char *name;
    u32 flags;
    LayoutKind kind;
    ExprOp op;
  } want[] = {
      {"a", 0, LAYOUT_ASSIGN, EX_NUM},
      {"b", 0, LAYOUT_ASSIGN, EX_NUM},
      {"c", 0, LAYOUT_ASSIGN, EX_ADD},
      {"d", LAYOUT_PROVIDE, LAYOUT_ASSIGN, EX_DOT},
      {"e", LAYOUT_PROVIDE | LAYOUT_HIDDEN, LAYOUT_ASSIGN, EX_NUM},
      {"f", LAYOUT_HIDDEN, LAYOUT_ASSIGN, EX_NUM},
      {"g", 0, LAYOUT_ASSIGN, EX_SHL},
      {"a is wrong", 0, LAYOUT_ASSERT, EX_ASSERT},
      {"x", 0, LAYOUT_ASSERT, EX_ASSERT},
      {"q q", 0, LAYOUT_ASSIGN, EX_NUM},
  };
  for (u32 i = 0; i < COUNT_OF(want); i++) {
    assert_string_equal(l->stmts[i].name, want[i].name);
    assert_int_equal(l->stmts[i].flags, want[i].flags);
    assert_int_equal(l->stmts[i].kind, want[i].kind);
    assert_int_equal(l->stmts[i].expr->op, want[i].op);
  }
  const Expr *sum = l->stmts[2].expr;
  assert_string_equal(sum->a->name, "c");
  assert_int_equal(sum->b->op, EX_SUB);
  case_free(c);
}

static void test_sections(void **state) {
  (void)state;
  Case *c = script("SECTIONS {\n"
                   "  . = 0x400000 + SIZEOF_HEADERS;\n"
                   "  .text ALIGN(16) : AT(ADDR(.text) - 4) SUBALIGN(8) {\n"
                   "    start = .;\n"
                   "    KEEP (*(SORT_NONE(.init)))\n"
                   "    *crt?.o(.text .text.*) lib*.a:x.o(.a, .b)\n"
                   "    *(EXCLUDE_FILE(*a.o b.o) .data SORT_BY_NAME(SORT_BY_ALIGNMENT(.s*)))\n"
                   "    . += 4; mid=.;\n"
                   "    SORT(*.o)(REVERSE(SORT(.r.*)))\n"
                   "    EXCLUDE_FILE(*z.o) *(.z) whole.o\n"
                   "    INPUT_SECTION_FLAGS(SHF_ALLOC & !SHF_WRITE) *(.q)\n"
                   "    BYTE(1) SHORT(2) LONG(3) QUAD(.) ASCIZ \"hi\" FILL(0x90) CONSTRUCTORS "
                   "SORT(CONSTRUCTORS)\n"
                   "    ASSERT(. < 10, \"big\") PROVIDE_HIDDEN(end = .);\n"
                   "  } =0x0090cc\n"
                   "  .bss (NOLOAD) : { *(.bss COMMON) }\n"
                   "  .eh ONLY : ONLY_IF_RO { *(.eh) } = 1 + 2\n"
                   "  .o 0x1000 (INFO) : { } =0 /DISCARD/ : { *(.note.*) }\n"
                   "  _end = .; ENTRY(main)\n"
                   "}\n");
  const LayoutDesc *l = &c->s.layout;
  assert_true(c->s.has_sections);
  assert_string_equal(c->s.entry, "main");
  assert_int_equal(l->nstmts, 7);
  assert_string_equal(l->stmts[0].name, ".");
  const LayoutStmt *t = &l->stmts[1];
  assert_int_equal(t->kind, LAYOUT_OUTPUT);
  assert_int_equal(t->expr->op, EX_ALIGN);
  assert_int_equal(t->lma->op, EX_SUB);
  assert_int_equal(t->subalign->num, 8);
  assert_int_equal(t->fill.n, 3);
  assert_memory_equal(t->fill.bytes, "\0\x90\xcc", 3);

  static const struct {
    const char *file, *section;
    bool joined, keep;
    SortKind sort, sort2;
  } want[] = {
      {NULL, ".init", false, true, SORT_NONE, SORT_NONE},
      {"*crt?.o", ".text", false, false, SORT_NONE, SORT_NONE},
      {"*crt?.o", ".text.*", true, false, SORT_NONE, SORT_NONE},
      {"lib*.a:x.o", ".a", false, false, SORT_NONE, SORT_NONE},
      {"lib*.a:x.o", ".b", true, false, SORT_NONE, SORT_NONE},
      {NULL, ".data", false, false, SORT_NONE, SORT_NONE},
      {NULL, ".s*", false, false, SORT_NAME, SORT_ALIGN},
      {"*.o", ".r.*", false, false, SORT_NAME, SORT_NONE},
      {NULL, ".z", false, false, SORT_NONE, SORT_NONE},
      {"whole.o", "*", false, false, SORT_NONE, SORT_NONE},
      {NULL, ".q", false, false, SORT_NONE, SORT_NONE},
  };
  assert_int_equal(t->npatterns, COUNT_OF(want));
  for (u32 i = 0; i < COUNT_OF(want); i++) {
    const LayoutPattern *p = &t->patterns[i];
    assert_string_equal(p->section, want[i].section);
    assert_true(want[i].file ? p->file && streq(p->file, want[i].file) : !p->file);
    assert_int_equal(p->joined, want[i].joined);
    assert_int_equal(p->keep, want[i].keep);
    assert_int_equal(p->sort, want[i].sort);
    assert_int_equal(p->sort2, want[i].sort2);
  }
  assert_null(t->patterns[COUNT_OF(want)].section);
  assert_true(t->patterns[0].no_sort);
  assert_string_equal(t->patterns[5].exclude_files[0], "*a.o");
  assert_string_equal(t->patterns[5].exclude_files[1], "b.o");
  assert_null(t->patterns[5].exclude_files[2]);
  assert_null(t->patterns[6].exclude_files);
  assert_true(t->patterns[7].reverse && t->patterns[7].sort_files);
  assert_string_equal(t->patterns[8].exclude_files[0], "*z.o");
  assert_int_equal(t->patterns[10].attr_with, 2);
  assert_int_equal(t->patterns[10].attr_without, 1);

  static const struct {
    LayoutKind kind;
    u32 before;
  } body[] = {
      {LAYOUT_ASSIGN, 0}, {LAYOUT_ASSIGN, 7},  {LAYOUT_ASSIGN, 7},  {LAYOUT_DATA, 11},
      {LAYOUT_DATA, 11},  {LAYOUT_DATA, 11},   {LAYOUT_DATA, 11},   {LAYOUT_STRING, 11},
      {LAYOUT_FILL, 11},  {LAYOUT_ASSERT, 11}, {LAYOUT_ASSIGN, 11}, {LAYOUT_ORPHANS, 0},
  };
  for (u32 i = 0; i < COUNT_OF(body); i++) {
    assert_int_equal(t->body[i].kind, body[i].kind);
    assert_int_equal(t->body[i].before, body[i].before);
  }
  assert_int_equal(t->body[6].data_size, 8);
  assert_string_equal(t->body[7].name, "hi");

  assert_int_equal(l->stmts[2].flags, LAYOUT_NOLOAD);
  assert_true(l->stmts[2].patterns[1].joined);
  assert_int_equal(l->stmts[3].flags, LAYOUT_ONLY_IF_RO);
  assert_int_equal(l->stmts[3].expr->op, EX_SYM);
  assert_int_equal(l->stmts[3].fill.expr->op, EX_ADD);
  assert_int_equal(l->stmts[4].flags, LAYOUT_NOALLOC);
  assert_int_equal(l->stmts[5].flags, LAYOUT_DISCARD);
  case_free(c);
}

static bool open_file(void *ctx, const char *name, const char *from, Bytes *text,
                      const char **path) {
  (void)ctx, (void)path;
  if (streq(name, "self"))
    *text = bytes("INCLUDE self");
  else if (streq(name, "in.ld"))
    *text = bytes("x = 1; .t : { *(.t)\nINCLUDE \"rest.ld\"");
  else if (streq(name, "rest.ld") && streq(from, "in.ld"))
    *text = bytes("y = 2;");
  else if (streq(name, "bad.ld"))
    *text = bytes("ok = 1;\n  oops oops;");
  else
    return false;
  return true;
}

static void test_include(void **state) {
  (void)state;
  Case *c = case_new();
  c->s.open = open_file;
  assert_true(
      script_parse(&c->a, c->d, "t.ld", bytes("SECTIONS { INCLUDE in.ld z = 3; } }"), &c->s));
  assert_int_equal(c->s.layout.nstmts, 2);
  assert_string_equal(c->s.layout.stmts[0].file, "in.ld");
  assert_string_equal(c->s.layout.stmts[1].body[0].file, "rest.ld");
  assert_string_equal(c->s.layout.stmts[1].body[1].name, "z");
  assert_false(script_parse(&c->a, c->d, "t.ld", bytes("INCLUDE self"), &c->s));
  assert_false(script_parse(&c->a, c->d, "t.ld", bytes("INCLUDE none.ld"), &c->s));
  assert_false(script_parse(&c->a, c->d, "t.ld", bytes("a = 1;\nINCLUDE bad.ld"), &c->s));
  diag_flush(c->d);
  assert_non_null(strstr(c->text, "nested too deeply"));
  assert_non_null(strstr(c->text, "t.ld:1:9: can't open 'none.ld'"));
  assert_non_null(strstr(c->text, "bad.ld:2:3: unknown command 'oops'\n    oops oops;\n    ^"));
  case_free(c);
}

static void test_memory(void **state) {
  (void)state;
  Case *c = script("MEMORY { ram (rw!x) : ORIGIN = 0x100, LENGTH = 4M rom (R !WX) : org = 0 len = 1, c : o = 2, l = 3 }\n"
                   "REGION_ALIAS(\"data\", ram) REGION_ALIAS(more, data);\n"
                   "PHDRS { text PT_LOAD FILEHDR PHDRS AT(0) FLAGS(5); d 2 + 3; n PT_GNU_RELRO; }\n"
                   "NOCROSSREFS(.a, .b .c) NOCROSSREFS_TO(.a .b) NOCROSSREFS(.z)\n"
                   "SECTIONS { .a : { } >ram AT>rom :text :d =0 .b : { } :NONE, .c : { } AT> rom }\n");
  const LayoutDesc *l = &c->s.layout;
  static const struct {
    const char *name;
    u32 attrs, not_attrs, alias;
  } want[] = {
      {"ram", REGION_READONLY | REGION_WRITABLE, REGION_EXECUTABLE, UINT32_MAX},
      {"rom", REGION_READONLY, REGION_WRITABLE | REGION_EXECUTABLE, UINT32_MAX},
      {"c", 0, 0, UINT32_MAX},
      {"data", 0, 0, 0},
      {"more", 0, 0, 0},
  };
  assert_int_equal(l->nregions, COUNT_OF(want));
  for (u32 i = 0; i < COUNT_OF(want); i++) {
    assert_string_equal(l->regions[i].name, want[i].name);
    assert_int_equal(l->regions[i].attrs, want[i].attrs);
    assert_int_equal(l->regions[i].not_attrs, want[i].not_attrs);
    assert_int_equal(l->regions[i].alias, want[i].alias);
  }
  assert_int_equal(l->regions[0].length->num, 4 << 20);
  assert_int_equal(l->regions[2].origin->num, 2);
  assert_int_equal(l->regions[1].col, 51);
  assert_int_equal(l->nphdrs, 3);
  assert_int_equal(l->phdrs[0].type->num, 1);
  assert_true(l->phdrs[0].filehdr && l->phdrs[0].phdrs && l->phdrs[0].at && l->phdrs[0].flags);
  assert_int_equal(l->phdrs[1].type->op, EX_ADD);
  assert_int_equal(l->phdrs[2].type->num, 0x6474e552);
  assert_int_equal(l->nnocross, 2);
  assert_string_equal(l->nocross[0].names[2], ".c");
  assert_null(l->nocross[0].names[3]);
  assert_true(l->nocross[1].to_first && !l->nocross[0].to_first);
  const LayoutStmt *s = l->stmts;
  assert_string_equal(s[0].region, "ram");
  assert_string_equal(s[0].lma_region, "rom");
  assert_string_equal(s[0].phdrs[1], "d");
  assert_null(s[0].phdrs[2]);
  assert_string_equal(s[1].phdrs[0], "NONE");
  assert_true(!s[2].region && s[2].lma_region);

  /* what follows in another script knows them; a second one of a name counts */
  assert_true(script_parse(&c->a, c->d, "u.ld", bytes("MEMORY { c : o = 7, l = 8 } REGION_ALIAS(z, data) SECTIONS { .d : { } }"), &c->s));
  diag_flush(c->d);
  assert_int_equal(l->nregions, 6);
  assert_int_equal(l->regions[2].origin->num, 7);
  assert_int_equal(l->regions[5].alias, 0);
  assert_int_equal(l->nstmts, 4);
  assert_non_null(strstr(c->text, "u.ld:1:10: memory region 'c' is declared again"));
  case_free(c);
}

static void test_overlay(void **state) {
  (void)state;
  Case *c = script("SECTIONS { .t : { *(.t) }\n"
                   " OVERLAY 0x1000 : NOCROSSREFS AT(4) SUBALIGN(2) { .a { *(.a) } .b.1 { x = .; } :p =0 } >RAM :q =1 + 1, .e : { }\n"
                   " OVERLAY : { .c { *(.c) } } }");
  const LayoutStmt *s = c->s.layout.stmts;
  static const struct {
    LayoutKind kind;
    u32 flags, overlay;
    const char *name;
  } want[] = {
      {LAYOUT_OUTPUT, 0, 0, ".t"},
      {LAYOUT_OUTPUT, 0, 1, ".a"},
      {LAYOUT_ASSIGN, LAYOUT_PROVIDE, 0, "__load_start_a"},
      {LAYOUT_ASSIGN, LAYOUT_PROVIDE, 0, "__load_stop_a"},
      {LAYOUT_OUTPUT, 0, 1, ".b.1"},
      {LAYOUT_ASSIGN, LAYOUT_PROVIDE, 0, "__load_start_b1"},
      {LAYOUT_ASSIGN, LAYOUT_PROVIDE, 0, "__load_stop_b1"},
      {LAYOUT_ASSIGN, 0, 1, "."},
      {LAYOUT_OUTPUT, 0, 0, ".e"},
      {LAYOUT_OUTPUT, 0, 2, ".c"},
      {LAYOUT_ASSIGN, LAYOUT_PROVIDE, 0, "__load_start_c"},
      {LAYOUT_ASSIGN, LAYOUT_PROVIDE, 0, "__load_stop_c"},
      {LAYOUT_ASSIGN, 0, 2, "."},
  };
  assert_int_equal(c->s.layout.nstmts, COUNT_OF(want));
  for (u32 i = 0; i < COUNT_OF(want); i++) {
    assert_int_equal(s[i].kind, want[i].kind);
    assert_int_equal(s[i].flags, want[i].flags);
    assert_int_equal(s[i].overlay, want[i].overlay);
    assert_string_equal(s[i].name, want[i].name);
  }
  assert_int_equal(s[1].expr->num, 0x1000);
  assert_int_equal(s[1].lma->num, 4);
  assert_int_equal(s[1].subalign->num, 2);
  assert_int_equal(s[4].expr->op, EX_ADDR);
  assert_string_equal(s[4].expr->name, ".a");
  assert_null(s[4].lma);
  assert_string_equal(s[1].region, "RAM");
  assert_string_equal(s[4].region, "RAM");
  assert_string_equal(s[1].phdrs[0], "q");
  assert_string_equal(s[4].phdrs[0], "p");
  assert_int_equal(s[1].fill.expr->op, EX_ADD);
  assert_int_equal(s[4].fill.expr->num, 0);
  assert_int_equal(s[7].expr->b->op, EX_MAX);
  assert_null(s[9].expr);
  assert_int_equal(c->s.layout.nnocross, 1);
  assert_string_equal(c->s.layout.nocross[0].names[1], ".b.1");
  case_free(c);
}

static void test_insert(void **state) {
  (void)state;
  Case *c = script("x = 1; SECTIONS { .a : { *(.a) } y = 2; } INSERT AFTER .text; SECTIONS { .b : { } } INSERT BEFORE \".data\" z = 1;");
  assert_int_equal(c->s.inserts.n, 2);
  const ScriptInsert *in = c->s.inserts.at;
  assert_true(in[0].first == 0 && in[0].end == 3 && !in[0].before && streq(in[0].name, ".text"));
  assert_true(in[1].first == 3 && in[1].end == 4 && in[1].before && streq(in[1].name, ".data"));
  assert_false(c->s.has_sections);
  assert_int_equal(c->s.layout.nstmts, 5);
  case_free(c);
}

static void test_sections_rare(void **state) {
  (void)state;
  Case *c = script("SECTIONS {\n"
                   " .a (TYPE = SHT_NOTE) : { *(REVERSE(.a.*) .b.*) REVERSE(SORT_BY_NAME(*.o))(.c) [.d .e ] *(SORT(SORT(.f))) }\n"
                   " .b 0x10 (READONLY (TYPE = 0x70000001)) : { ASCIZ \"a\\tb\\101\" ASCII (4) \"hello\" ASCII (4) \"x\" LINKER_VERSION; }\n"
                   " .c ALIGN(8) (NOLOAD) : ALIGN_WITH_INPUT SPECIAL { *(SORT_BY_INIT_PRIORITY(.i.*) SORT_BY_INIT_PRIORITY(.j.*)) }\n"
                   " .d BIND(0x100) BLOCK(4) : { INPUT_SECTION_FLAGS(SHF_MERGE & SHF_STRINGS & !SHF_GNU_RETAIN) *(.s) }\n"
                   " GROUP 0x2000 : { .e : { *(.x , .y) \"*(odd)\"(.z) } , .f () : { CREATE_OBJECT_SYMBOLS } }\n"
                   " \"with blank\" : { *(\"a b\") } a ^= 3; . += 010 + $10 + 10H + 11b + 7d;\n"
                   "}");
  const LayoutStmt *s = c->s.layout.stmts;
  assert_int_equal(s[0].type->num, 7);
  const LayoutPattern *p = s[0].patterns;
  assert_true(p[0].reverse && p[0].sort == SORT_NAME && !p[1].joined && !p[1].reverse);
  assert_true(p[2].sort_files && p[2].reverse_files && !p[2].reverse && streq(p[2].file, "*.o"));
  assert_true(!p[3].file && streq(p[3].section, ".d") && p[4].joined && streq(p[4].section, ".e"));
  assert_true(p[5].sort == SORT_NAME && p[5].sort2 == SORT_NONE);
  assert_int_equal(s[1].type->num, 0x70000001);
  assert_true(s[1].flags & LAYOUT_READONLY);
  const LayoutStmt *b = s[1].body;
  assert_int_equal(b[0].data_size, 5);
  assert_memory_equal(b[0].name, "a\tbA", 5);
  assert_int_equal(b[1].data_size, 4);
  assert_memory_equal(b[1].name, "hel", 4);
  assert_memory_equal(b[2].name, "x\0\0", 4);
  assert_int_equal(b[3].kind, LAYOUT_ORPHANS);
  assert_non_null(strstr(c->text, ": the string has 5 bytes and is cut to 3 and a zero byte"));
  assert_true(s[2].expr->op == EX_ALIGN && s[2].flags == (LAYOUT_NOLOAD | LAYOUT_ALIGN_WITH_INPUT));
  assert_true(s[2].patterns[1].joined);
  assert_true(s[3].expr->num == 0x100 && s[3].patterns[0].attr_with == 0x30 && s[3].patterns[0].attr_without == 0x200000);
  assert_true(streq(s[4].name, ".") && s[4].expr->num == 0x2000);
  assert_true(streq(s[5].name, ".e") && streq(s[5].patterns[2].file, "*(odd)") && streq(s[6].name, ".f"));
  assert_string_equal(s[7].name, "with blank");
  assert_string_equal(s[7].patterns[0].section, "a b");
  assert_int_equal(s[8].expr->op, EX_XOR);
  ExprValue v;
  const ExprEnv none = {0};
  assert_true(expr_eval(s[9].expr->b, &none, &v) && v.v == 8 + 16 + 16 + 3 + 7);
  case_free(c);
}

static void test_script_errors(void **state) {
  (void)state;
  static const struct {
    const char *text, *error;
  } rows[] = {
      {"VERSION { ver_x /*", "t.ld:1:17: unclosed comment"},
      {"/* never\nSECTIONS { }", "t.ld:1:1: unclosed comment"},
      {"INPUT(a.o", "expected a file, AS_NEEDED or ')', found the end"},
      {"INPUT(\"a.o)", "unclosed string"},
      {"foo", "unknown command 'foo'"},
      {"foo = 1", "expected ';'"},
      {"foo = ;", "expected an expression, found ';'"},
      {"SECTIONS { .text { } }", "t.ld:1:18: expected ':', found '{'"},
      {"SECTIONS { .text : { *(.text } }", "expected a name or a pattern, found '}'"},
      {"SECTIONS { .text : { *(.text[) } }", "invalid pattern '.text['"},
      {"SECTION { }", "t.ld:1:1: unknown command 'SECTION'; did you mean 'SECTIONS'?\n  SECTION { }\n  ^~~~~~~"},
      {"x = SIZOF(.text);", "t.ld:1:5: unknown function 'SIZOF'; did you mean 'SIZEOF'?"},
      {"MEMORY { ram (rq) : ORIGIN = 1, LENGTH = 2 }", "t.ld:1:15: unknown attribute 'q'"},
      {"MEMORY { ram : ORIGIN = 1 }", "expected LENGTH, found '}'"},
      {"MEMORY { ram : o = 1, l = 2 } REGION_ALIAS(x, rom)", "there is no memory region 'rom' before this; did you mean 'ram'?"},
      {"MEMORY { ram : o = 1, l = 2 } REGION_ALIAS(ram, ram)", "t.ld:1:44: there is a memory region 'ram' already"},
      {"PHDRS { text PT_LAOD; }", "t.ld:1:14: unknown type 'PT_LAOD' of a program header; did you mean 'PT_LOAD'?"},
      {"PHDRS { text PT_LOAD FILEHDRS; }", "expected FILEHDR, PHDRS, AT, FLAGS or ';', found 'FILEHDRS'"},
      {"PHDRS { a 1; a 2; }", "t.ld:1:14: there is a program header 'a' already"},
      {"SECTIONS { .x (TYPE = SHT_NOTBITS) : { } }", "unknown section type 'SHT_NOTBITS'; did you mean 'SHT_NOBITS'?"},
      {"SECTIONS { .x : { INPUT_SECTION_FLAGS(SHF_ALOC) *(.x) } }", "unknown section flag 'SHF_ALOC'; did you mean 'SHF_ALLOC'?"},
      {"SECTIONS { .x : ALIGN(4) ALIGN_WITH_INPUT { } }", "exclude each other"},
      {"SECTIONS { .x : { } } INSERT BEHIND .text", "expected AFTER or BEFORE, found 'BEHIND'"},
      {"SECTIONS { .x : { *(SORT(SORT_BY_INIT_PRIORITY(.a))) } }", "SORT_BY_INIT_PRIORITY stands with another SORT"},
      {"SECTIONS { .x : { } =0x112233445566778899 + 1 }", "t.ld:1:22: the number does not fit in 64 bits"},
      {"SECTIONS { .x : { ASCII (y) \"a\" } }", "the size of ASCII must be a plain number"},
      {"INCLUDE x", "INCLUDE is not allowed here"},
      {"x = 99999999999999999999;", "does not fit in 64 bits"},
      {"PROVIDE(. = 1);", "can't be provided"},
      {"\xc3\xa9\xc3\xa9 = @;", "t.ld:1:6: unexpected '@'\n  \xc3\xa9\xc3\xa9 = @;\n       ^"},
      {"\t\xff = \x01;", "t.ld:1:6: unexpected byte 0x01\n   ? = ?;\n       ^"},
  };
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    Case *c = case_new();
    if (script_parse(&c->a, c->d, "t.ld", bytes(rows[i].text), &c->s))
      fail_msg("'%s' was taken", rows[i].text);
    diag_flush(c->d);
    if (!strstr(c->text, rows[i].error))
      fail_msg("'%s': %s", rows[i].text, c->text);
    case_free(c);
  }
  /* a NUL, and text that does not end with one */
  Case *c = case_new();
  assert_false(script_parse(&c->a, c->d, "t.ld", (Bytes){(const u8 *)"a = 1;\0b", 8}, &c->s));
  assert_true(script_parse(&c->a, c->d, "t.ld", (Bytes){(const u8 *)"a = 1;x", 6}, &c->s));
  assert_false(
      script_parse(&c->a, c->d, "t.ld", (Bytes){(const u8 *)"INPUT(\"a\0b\")", 12}, &c->s));
  assert_true(script_parse(&c->a, c->d, "t.ld", (Bytes){NULL, 0}, &c->s));
  case_free(c);
}

static void test_deep(void **state) {
  (void)state;
  static const char *const units[] = {"INPUT(",          "AS_NEEDED(", "SORT(",
                                      "EXCLUDE_FILE() ", "{",          "extern \"C\" {"};
  static const char *const before[] = {
      "", "INPUT(", "SECTIONS { .x : { *(", "SECTIONS { .x : { *(", "VERSION {", "VERSION { x {"};
  static char text[600000];
  for (size_t u = 0; u < COUNT_OF(units); u++) {
    size_t at = (size_t)sprintf(text, "%s", before[u]), n = strlen(units[u]);
    for (; at + n + 1 < sizeof text; at += n)
      memcpy(text + at, units[u], n + 1);
    Case *c = case_new();
    assert_false(script_parse(&c->a, c->d, "t.ld", bytes(text), &c->s));
    case_free(c);
  }
}

/* ---- the matcher ---- */

static const LayoutStmt *place(const LayoutMatcher *m, const LayoutDesc *d, const char *name,
                               const char *path, const char *member, u32 flags, LayoutHit *hit) {
  return layout_match(m, name, strlen(name), path, member, flags, 0, hit) ? &d->stmts[hit->stmt]
                                                                       : NULL;
}

static void test_default_layout(void **state) {
  (void)state;
  enum { RO = ATOM_ALLOC, RX = ATOM_ALLOC | ATOM_EXEC, RW = ATOM_ALLOC | ATOM_WRITE };
  static const struct {
    const char *name, *path, *osec;
    u32 flags;
  } rows[] = {
      {".text", "a.o", ".text", RX},
      {".text._ZN4llvm5ValueE", "a.o", ".text", RX},
      {".text.unlikely.f", "a.o", ".text", RX},
      {".rodata.str1.1", "a.o", ".rodata", RO},
      {".data.rel.ro.local.x", "a.o", ".data.rel.ro", RW},
      {".data.rel.ro", "a.o", ".data.rel.ro", RW},
      {".data.rel.rough", "a.o", ".data", RW},
      {".bss.x", "a.o", ".bss", RW | ATOM_ZEROFILL},
      {"COMMON", "a.o", ".bss", RW | ATOM_ZEROFILL},
      {".tdata.x", "a.o", ".tdata", RW | ATOM_TLS},
      {".tbss", "a.o", ".tbss", RW | ATOM_TLS | ATOM_ZEROFILL},
      {".init_array.00100", "a.o", ".init_array", RW},
      {".ctors.65435", "a.o", ".init_array", RW},
      {".ctors", "a.o", ".init_array", RW},
      {".ctors", "/usr/lib/crtbegin.o", ".ctors", RW},
      {".ctors", "/usr/lib/crtendS.o", ".ctors", RW},
      {".eh_frame", "a.o", ".eh_frame", RO},
      {".got.plt", NULL, ".got.plt", RW},
      {".note.gnu.build-id", NULL, ".note.gnu.build-id", RO},
      {".note.GNU-stack", "a.o", "/DISCARD/", 0},
      {".ldata.x", "a.o", ".ldata", RW | ATOM_LARGE},
      {".note.foo", "a.o", NULL, RO},
      {"my_ro", "a.o", NULL, RO},
      {".comment", "a.o", ".comment", 0},
      {".debug_info", "a.o", ".debug_info", 0},
      {"", "a.o", NULL, 0},
  };
  Case *c = case_new();
  Options o;
  options_init(&o);
  assert_true(script_parse(&c->a, c->d, "t.ld", emulation_script(&c->a, emulation_default(), &o), &c->s));
  options_free(&o);
  Arena a = {0};
  const LayoutDesc *d = &c->s.layout;
  LayoutMatcher *m = layout_matcher(&a, d);
  LayoutHit hit;
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    const LayoutStmt *st = place(m, d, rows[i].name, rows[i].path, NULL, rows[i].flags, &hit);
    const char *got = !st ? NULL : hit.orphan ? "" : st->name;
    if (!got != !rows[i].osec || (got && !streq(got, rows[i].osec)))
      fail_msg("%s of %s: in %s", rows[i].name, rows[i].path, got ? got : "none");
  }
  /* order inside .text: cold, then exit, startup, hot, sorted, the rest */
  static const char *const order[] = {".text.f_unlikely", ".text.exit",     ".text.startup.main",
                                      ".text.hot.x",      ".text.sorted.1", ".text.x"};
  u32 last = 0;
  for (size_t i = 0; i < COUNT_OF(order); i++) {
    assert_non_null(place(m, d, order[i], "a.o", NULL, RX, &hit));
    assert_true(!i || hit.index > last);
    last = hit.index;
  }
  u32 n;
  const LayoutHit *hits = layout_hits(m, &n);
  for (u32 i = 0; i < n; i++) {
    assert_int_equal(hits[i].index, i);
    assert_true(hits[i].list <= i);
  }
  arena_free(&a);
  case_free(c);
}

static void test_file_patterns(void **state) {
  (void)state;
  Case *c =
      script("SECTIONS {"
             " a : { *libx.a:m.o(.s) } b : { *liby.a:(.s) } c : { :n*.o(.s) } d : { n.o(.s) }"
             " e : { EXCLUDE_FILE(*libz.a:*) *(.s) } f : { *(.s) } g : { *(.t) } h : { *(.t) } }");
  static const struct {
    const char *path, *member, *osec;
  } rows[] = {
      {"/l/libx.a", "m.o", "a"}, {"/l/libx.a", "k.o", "e"}, {"liby.a", "q.o", "b"},
      {"n1.o", NULL, "c"},       {"libw.a", "n.o", "d"},    {"n.o", NULL, "c"},
      {"q.o", NULL, "e"},        {"libz.a", "q.o", "f"},    {NULL, NULL, "e"},
  };
  const LayoutDesc *d = &c->s.layout;
  LayoutMatcher *m = layout_matcher(&c->a, d);
  LayoutHit hit;
  for (size_t i = 0; i < COUNT_OF(rows); i++) {
    const LayoutStmt *st = place(m, d, ".s", rows[i].path, rows[i].member, 0, &hit);
    assert_non_null(st);
    assert_string_equal(st->name, rows[i].osec);
  }
  assert_string_equal(place(m, d, ".t", "a.o", NULL, 0, &hit)->name, "g");
  assert_true(layout_match_after(m, hit.stmt, ".t", 2, "a.o", NULL, 0, 0, &hit));
  assert_string_equal(d->stmts[hit.stmt].name, "h");
  assert_false(layout_match_after(m, hit.stmt, ".t", 2, "a.o", NULL, 0, 0, &hit));
  case_free(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_version),       cmocka_unit_test(test_version_errors),
      cmocka_unit_test(test_dynamic_list),  cmocka_unit_test(test_inputs),
      cmocka_unit_test(test_assignments),   cmocka_unit_test(test_sections),
      cmocka_unit_test(test_include),       cmocka_unit_test(test_script_errors),
      cmocka_unit_test(test_memory),        cmocka_unit_test(test_overlay),
      cmocka_unit_test(test_insert),        cmocka_unit_test(test_sections_rare),
      cmocka_unit_test(test_deep),          cmocka_unit_test(test_default_layout),
      cmocka_unit_test(test_file_patterns),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
