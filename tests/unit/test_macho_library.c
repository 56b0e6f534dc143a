/* test_macho_library.c: dynamic libraries as they stand in files: text stubs of all versions, and images. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format/macho.h"
#include "read/tbd.h"

/* ---- one read ---- */

typedef struct {
  Arena a;
  Diag *d;
  char messages[2048];
  MachoLibrary *libs;
  u32 n;
  bool good;
  u8 *copy; /* of an image, exactly: a sanitizer sees what is read behind it */
  MachoLibrary image;
} Case;

static void sink(void *ctx, DiagLevel level, const char *code, const char *text) {
  Case *c = ctx;
  size_t n = strlen(c->messages);
  (void)level, (void)code;
  snprintf(c->messages + n, sizeof c->messages - n, "%s\n", text);
}

static const MachoTarget x86 = {"x86_64", CPU_TYPE_X86_64, PLATFORM_MACOS, 0xb0000};
static const MachoTarget arm = {"arm64", CPU_TYPE_ARM64, PLATFORM_MACOS, 0xb0000};
static const MachoTarget sim = {"x86_64", CPU_TYPE_X86_64, PLATFORM_IOSSIMULATOR, 0xd0000};
static const MachoTarget phone = {"arm64", CPU_TYPE_ARM64, PLATFORM_IOS, 0xd0000};

static Case *begin(void) {
  Case *c = calloc(1, sizeof *c);
  c->d = diag_create();
  DiagOptions opts = *diag_options(c->d);
  opts.sink = sink;
  opts.sink_ctx = c;
  diag_configure(c->d, &opts);
  return c;
}

static Case *read_tbd(const MachoTarget *t, const char *text) {
  Case *c = begin();
  Bytes b = {(const u8 *)text, strlen(text)};
  c->good = tbd_read(&c->a, c->d, "x.tbd", b, t, &c->libs, &c->n);
  diag_flush(c->d);
  return c;
}

static Case *read_image(const MachoTarget *t, const void *p, u64 len) {
  Case *c = begin();
  c->copy = malloc(len ? len : 1);
  memcpy(c->copy, p, len);
  c->libs = &c->image;
  c->n = 1;
  c->good = macho_library_read(&c->a, c->d, "x.dylib", (Bytes){c->copy, len}, t, c->libs);
  diag_flush(c->d);
  return c;
}

static void finish(Case *c) {
  arena_free(&c->a);
  diag_destroy(c->d);
  free(c->copy);
  free(c);
}

static Case *good(Case *c) {
  assert_string_equal(c->messages, "");
  assert_true(c->good);
  return c;
}

static void bad(const char *message, Case *c) {
  assert_false(c->good);
  if (!strstr(c->messages, message))
    fail_msg("no '%s' in:\n%s", message, c->messages);
  finish(c);
}

/* "_a _b:w" with :w for weak, :t for thread-local, :a for absolute. */
static void check_exports(const MachoLibrary *lib, const char *expected) {
  char s[1024] = "";
  for (u32 i = 0; i < lib->nexports; i++) {
    const MachoExport *e = &lib->exports[i];
    assert_int_equal(strlen(e->name), e->len);
    size_t n = strlen(s);
    snprintf(s + n, sizeof s - n, "%s%s%s%s%s", n ? " " : "", e->name, e->flags & MACHO_EXPORT_WEAK ? ":w" : "", e->flags & MACHO_EXPORT_TLV ? ":t" : "",
             e->flags & MACHO_EXPORT_ABSOLUTE ? ":a" : "");
  }
  assert_string_equal(s, expected);
}

static void check_names(const char *const *v, u32 n, const char *expected) {
  char s[512] = "";
  for (u32 i = 0; i < n; i++) {
    size_t at = strlen(s);
    snprintf(s + at, sizeof s - at, "%s%s", at ? " " : "", v[i]);
  }
  assert_string_equal(s, expected);
}

/* ---- YAML ---- */

static const char v1[] = "---\n"
                         "archs: [ i386, x86_64 ]\n"
                         "platform: macosx\n"
                         "install-name: /usr/lib/libfoo.dylib\n"
                         "current-version: 1.2.3\n"
                         "compatibility-version: 1.1\n"
                         "swift-version: 1\n"
                         "objc-constraint: none\n"
                         "exports:\n"
                         "  - archs: [ i386, x86_64 ]\n"
                         "    allowed-clients: [ clientA ]\n"
                         "    re-exports: [ /usr/lib/libbar.dylib ]\n"
                         "    symbols: [ _a, '$ld$hide$os10.4$_b' ]\n"
                         "    objc-classes: [ _Class ]\n"
                         "    objc-ivars: [ _Class._ivar ]\n"
                         "    weak-def-symbols: [ _weak ]\n"
                         "    thread-local-symbols: [ _tlv ]\n"
                         "  - archs: [ i386 ]\n"
                         "    symbols: [ _old ]\n"
                         "undefineds:\n"
                         "  - archs: [ x86_64 ]\n"
                         "    symbols: [ _undefined ]\n"
                         "...\n";

static void test_version_1(void **state) {
  (void)state;
  Case *c = good(read_tbd(&x86, v1));
  assert_int_equal(c->n, 1);
  const MachoLibrary *l = c->libs;
  assert_string_equal(l->install_name, "/usr/lib/libfoo.dylib");
  assert_int_equal(l->current_version, 0x10203);
  assert_int_equal(l->compatibility_version, 0x10100);
  assert_true(l->for_target);
  check_exports(l, "_a $ld$hide$os10.4$_b _OBJC_CLASS_$_Class _OBJC_METACLASS_$_Class _OBJC_IVAR_$_Class._ivar _weak:w _tlv:t");
  check_names(l->reexports, l->nreexports, "/usr/lib/libbar.dylib");
  check_names(l->clients, l->nclients, "clientA");
  finish(c);
  c = good(read_tbd(&arm, v1));
  assert_false(c->libs->for_target);
  finish(c);
  c = good(read_tbd(&sim, v1));
  assert_false(c->libs->for_target);
  finish(c);
  assert_true(tbd_is((Bytes){(const u8 *)v1, sizeof v1 - 1}));
}

static const char v3[] = "--- !tapi-tbd-v3\n"
                         "archs: [ armv7, arm64, x86_64 ]\n"
                         "uuids: [ 'arm64: 00000000-0000-0000-0000-000000000000' ]\n"
                         "platform: ios\n"
                         "flags: [ not_app_extension_safe ]\n"
                         "install-name: /x\n"
                         "exports:\n"
                         "  - archs: [ arm64, x86_64 ]\n"
                         "    symbols: [ _a ]\n"
                         "    objc-classes: [ Class ]\n"
                         "    objc-eh-types: [ Eh ]\n"
                         "--- !tapi-tbd-v3\n"
                         "archs: [ arm64 ]\n"
                         "platform: zippered\n"
                         "install-name: /y\n";

static void test_version_3(void **state) {
  (void)state;
  Case *c = good(read_tbd(&phone, v3));
  assert_int_equal(c->n, 2);
  assert_true(c->libs[0].for_target && !c->libs[0].app_extension_safe);
  assert_int_equal(c->libs[0].current_version, 0x10000);
  check_exports(&c->libs[0], "_a _OBJC_CLASS_$_Class _OBJC_METACLASS_$_Class _OBJC_EHTYPE_$_Eh");
  assert_false(c->libs[1].for_target);
  finish(c);
  c = good(read_tbd(&sim, v3));
  assert_true(c->libs[0].for_target); /* an Intel iPhone is a simulator */
  finish(c);
  c = good(read_tbd(&arm, v3));
  assert_true(!c->libs[0].for_target && c->libs[1].for_target);
  check_exports(&c->libs[0], "_a _OBJC_CLASS_$_Class _OBJC_METACLASS_$_Class _OBJC_EHTYPE_$_Eh");
  finish(c);
}

static const char v4[] = "--- !tapi-tbd\n"
                         "tbd-version:     4\n"
                         "targets:         [ x86_64-macos, arm64e-macos, arm64-ios, 'x86_64-<7>' ]\n"
                         "install-name:    '/usr/lib/libS.dylib'\n"
                         "current-version: 65535.100.300.7\n"
                         "parent-umbrella:\n"
                         "  - targets: [ x86_64-macos ]\n"
                         "    umbrella: System\n"
                         "allowable-clients:\n"
                         "  - targets: [ x86_64-macos ]\n"
                         "    clients: [ A, B ]\n"
                         "reexported-libraries:\n"
                         "  - targets: [ x86_64-macos ]\n"
                         "    libraries: [ /one, /two ]\n"
                         "  - targets: [ arm64-ios ]\n"
                         "    libraries: [ /three ]\n"
                         "exports:\n"
                         "  - targets: [ x86_64-macos, 'x86_64-<7>' ]\n"
                         "    symbols: [ _intel,\n"
                         "               \"_quoted\", '_it''s' ]\n"
                         "    weak-symbols: [ _w ]\n"
                         "    thread-local-symbols: [ _t ]\n"
                         "    objc-classes: [ C ]\n"
                         "    objc-ivars: [ C._i ]\n"
                         "  - targets: [ arm64e-macos ]\n"
                         "    symbols: [ _arm ]\n"
                         "  - targets: [ arm64-ios ]\n"
                         "    symbols: [ _ios ]\n"
                         "reexports:\n"
                         "  - targets: [ x86_64-macos ]\n"
                         "    symbols: [ _r ]\n"
                         "undefineds:\n"
                         "  - targets: [ x86_64-macos ]\n"
                         "    symbols: [ _u ]\n"
                         "...\n";

static void test_version_4(void **state) {
  (void)state;
  Case *c = good(read_tbd(&x86, v4));
  const MachoLibrary *l = c->libs;
  assert_int_equal(l->current_version, 0xffff64ff);
  check_exports(l, "_intel _quoted _it's _w:w _t:t _OBJC_CLASS_$_C _OBJC_METACLASS_$_C _OBJC_IVAR_$_C._i _r");
  check_names(l->reexports, l->nreexports, "/one /two");
  check_names(l->clients, l->nclients, "A B");
  finish(c);
  c = good(read_tbd(&arm, v4)); /* arm64e's is as good, when there is nothing for arm64 */
  assert_true(c->libs->for_target);
  check_exports(c->libs, "_arm");
  finish(c);
  c = good(read_tbd(&phone, v4));
  check_exports(c->libs, "_ios");
  finish(c);
  c = good(read_tbd(&sim, v4));
  assert_true(c->libs->for_target);
  check_exports(c->libs, "_intel _quoted _it's _w:w _t:t _OBJC_CLASS_$_C _OBJC_METACLASS_$_C _OBJC_IVAR_$_C._i");
  finish(c);
}

/* ---- JSON ---- */

static const char v5[] = "{\"libraries\":[{\"install_names\":[{\"name\":\"/sub\"}],\"target_info\":[{\"target\":\"arm64-macos\"}]}],"
                         "\"main_library\":{\n\t\"allowable_clients\":[{\"clients\":[\"A\"]}],\n"
                         "\"compatibility_versions\":[{\"version\":\"1.1\"}],\"current_versions\":[{\"version\":\"1.2\"}],"
                         "\"exported_symbols\":[{\"data\":{\"global\":[\"_d\"],\"objc_class\":[\"C\"],\"objc_eh_type\":[\"E\"],\"objc_ivar\":[\"C.i\"],\"weak\":[\"_w\"],"
                         "\"thread_local\":[\"_t\"]},\"text\":{\"global\":[\"_f\"]}},"
                         "{\"targets\":[\"x86_64-macos\"],\"text\":{\"global\":[\"_intel\"]}},{\"text\":{\"global\":[\"_arm\"]},\"targets\":[\"arm64-macos\"]}],"
                         "\"flags\":[{\"attributes\":[\"not_app_extension_safe\"]}],\"install_names\":[{\"name\":\"@rpath/libx.dylib\"}],"
                         "\"reexported_libraries\":[{\"names\":[\"/a\\u002fb\"]}],\"reexported_symbols\":[{\"text\":{\"global\":[\"_r\"]}}],"
                         "\"rpaths\":[{\"paths\":[\"@loader_path/x\"]}],\"swift_abi\":[{\"abi\":5}],"
                         "\"target_info\":[{\"min_deployment\":\"11.0\",\"target\":\"arm64-macos\"},{\"target\":\"x86_64-macos\"}],"
                         "\"undefined_symbols\":[{\"text\":{\"global\":[\"_u\"]}}]},\"tapi_tbd_version\":5}";

static void test_version_5(void **state) {
  (void)state;
  assert_true(tbd_is((Bytes){(const u8 *)v5, sizeof v5 - 1}));
  Case *c = good(read_tbd(&arm, v5));
  assert_int_equal(c->n, 2);
  const MachoLibrary *l = c->libs;
  assert_string_equal(l->install_name, "@rpath/libx.dylib");
  assert_string_equal(c->libs[1].install_name, "/sub");
  assert_int_equal(l->current_version, 0x10200);
  assert_int_equal(l->compatibility_version, 0x10100);
  assert_true(l->for_target && !l->app_extension_safe);
  check_exports(l, "_d _OBJC_CLASS_$_C _OBJC_METACLASS_$_C _OBJC_EHTYPE_$_E _OBJC_IVAR_$_C.i _w:w _t:t _f _arm _r");
  check_names(l->reexports, l->nreexports, "/a/b");
  check_names(l->rpaths, l->nrpaths, "@loader_path/x");
  check_names(l->clients, l->nclients, "A");
  finish(c);
  c = good(read_tbd(&phone, v5));
  assert_false(c->libs->for_target);
  finish(c);
}

static void test_bad_text(void **state) {
  (void)state;
  bad("x.tbd:1:5: tag '!tapi-tbd-v9' is not supported here", read_tbd(&x86, "--- !tapi-tbd-v9\na: b\n"));
  bad("text stubs of version 7 are not supported; 1 to 5 are", read_tbd(&x86, "--- !tapi-tbd\ntbd-version: 7\ninstall-name: /x\n"));
  bad("text stubs of version 6 are not supported", read_tbd(&x86, "{\"main_library\":{\"install_names\":[{\"name\":\"/x\"}]},\"tapi_tbd_version\":6}"));
  bad("there is no 'main_library'", read_tbd(&x86, "{\"tapi_tbd_version\":5}"));
  bad("the library has no install name", read_tbd(&x86, "--- !tapi-tbd\ntbd-version: 4\n"));
  bad("'one' is no version of a library", read_tbd(&x86, "--- !tapi-tbd\ntbd-version: 4\ninstall-name: /x\ncurrent-version: one\n"));
  bad("the text stub has no library", read_tbd(&x86, ""));
  bad("a library must be a mapping", read_tbd(&x86, "--- !tapi-tbd\n- a\n"));
  bad("a section must be a mapping", read_tbd(&x86, "--- !tapi-tbd\ninstall-name: /x\nexports:\n  - a\n"));
  bad("exports must be a list", read_tbd(&x86, "--- !tapi-tbd\ninstall-name: /x\nexports: a\n"));
  bad("install-name must be a single value", read_tbd(&x86, "--- !tapi-tbd\ninstall-name: [ a ]\n"));
  bad("a key must be a word", read_tbd(&x86, "--- !tapi-tbd\n[ a ]: b\ninstall-name: /x\n"));
  bad("NUL in install-name", read_tbd(&x86, "--- !tapi-tbd\ninstall-name: \"/x\\0y\"\n"));
  bad("aliases are not supported", read_tbd(&x86, "--- !tapi-tbd\ninstall-name: &a /x\nexports: *a\n"));
  bad("nested too deeply", read_tbd(&x86, "--- !tapi-tbd\nx: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n"));
  bad("x.tbd:4:1: did not find expected node content", read_tbd(&x86, "--- !tapi-tbd\ninstall-name: /x\nexports: [ \n"));
  assert_false(tbd_is((Bytes){(const u8 *)"{\"a\": 1}", 8}));
  assert_false(tbd_is((Bytes){(const u8 *)"--- !other\n", 11}));
  assert_false(tbd_is((Bytes){(const u8 *)"  ", 2}));
}

/* ---- weld's own scanner ---- */

static bool scans(const char *text) {
  Case *c = begin();
  Bytes b = {(const u8 *)text, strlen(text)};
  bool ok = tbd_read_with(&c->a, c->d, "x.tbd", b, &x86, true, &c->libs, &c->n);
  diag_flush(c->d);
  assert_string_equal(c->messages, ""); /* libyaml's pass says what is wrong */
  finish(c);
  return ok;
}

/* It reads what tools write, and leaves to libyaml what could mean something else; fuzz/fuzz_tbd.c compares what they see. */
static void test_scanner(void **state) {
  (void)state;
  assert_true(scans(v3) && scans(v1));
  assert_false(scans(v5));
  assert_true(scans("--- !tapi-tbd\ninstall-name: /x\n"));
  assert_true(scans("--- !tapi-tbd\ninstall-name:   '/x'   \nexports:\n- targets: [ x86_64-macos ]\n  symbols: [ a, 'b', \"c\",\n d e ]\n\n...\n"));
  assert_true(scans("--- !tapi-tbd\ninstall-name: /x\nexports:\nflags: [ ]\n--- !tapi-tbd\ninstall-name: /y"));
  static const char *const refused[] = {
      "--- !tapi-tbd\ninstall-name: /x # comment\n",   "--- !tapi-tbd\ninstall-name: \"/x\\n\"\n",      "--- !tapi-tbd\ninstall-name: 'it''s'\n",
      "--- !tapi-tbd\ninstall-name: &a /x\n",          "--- !tapi-tbd\ninstall-name: |\n  /x\n",         "--- !tapi-tbd\ninstall-name: /x\n  /y\n",
      "--- !tapi-tbd\ninstall-name: /x\nx: { a: b }\n", "--- !tapi-tbd\ninstall-name: /x\nx: [ [ a ] ]\n", "--- !tapi-tbd\ninstall-name: /x\nx: [ a: b ]\n",
      "--- !tapi-tbd\ninstall-name: /x\nx: [ a\nb ]\n", "--- !tapi-tbd\ninstall-name: /x\nx: [ a, # b\n c ]\n", "--- !tapi-tbd\ninstall-name: /x\nx:\n  y: z\n",
      "--- !tapi-tbd\ninstall-name: /x\nx: [ a ] b\n", "--- !tapi-tbd\ninstall-name: /x\nx: [ a,\n--- ]\n",   "--- !tapi-tbd\ninstall-name: /\xc3\xa4\n",
      "--- !tapi-tbd\ninstall-name: /x\r\n",           "--- !tapi-tbd\ninstall-name:\t/x\n",             "install-name: /x\n",
      "%YAML 1.1\n--- !tapi-tbd\ninstall-name: /x\n", "--- !tapi-tbd\n- install-name: /x\n",            "--- !tapi-tbd\n\"install-name\": /x\n",
      "--- !tapi-tbd\ninstall-name: /x\nx:\n- a\n",    "--- !tapi-tbd\ninstall-name: /x\nx: [ a\n",       "",
  };
  for (u32 i = 0; i < COUNT_OF(refused); i++)
    if (scans(refused[i]))
      fail_msg("%s", refused[i]);
}

/* ---- images ---- */

typedef struct {
  u8 p[1024];
  u32 len, ncmds;
} Image;

static void put(Image *m, const void *p, u32 len) {
  assert_true(m->len + len <= sizeof m->p);
  memcpy(m->p + m->len, p, len);
  m->len += len;
}

/* A command of n words after cmd and cmdsize, and a text padded to 8 bytes. */
static void command(Image *m, u32 cmd, const u32 *words, u32 n, const char *text) {
  u32 size = 8 + n * 4 + (text ? (u32)align_up(strlen(text) + 1, 8) : 0), head[] = {cmd, (u32)align_up(size, 8)};
  u8 zero[64] = {0};
  u32 start = m->len;
  put(m, head, 8);
  put(m, words, n * 4);
  if (text)
    put(m, text, (u32)strlen(text) + 1);
  put(m, zero, start + head[1] - m->len);
  m->ncmds++;
}

/* Header, LC_ID_DYLIB and what `more` adds; then the bytes of the trie, which LC_DYLD_EXPORTS_TRIE names. */
static void make_image(Image *m, u32 filetype, u32 flags, void (*more)(Image *), const void *trie, u32 trie_len) {
  *m = (Image){.len = sizeof(MachHeader64)};
  u32 id[] = {24, 0, 0x10203, 0x10000}, linkedit[] = {0, trie_len};
  if (filetype == MH_DYLIB)
    command(m, LC_ID_DYLIB, id, 4, "/usr/lib/libx.dylib");
  if (more)
    more(m);
  u32 at = m->len + 8;
  if (trie)
    command(m, LC_DYLD_EXPORTS_TRIE, linkedit, 2, NULL);
  MachHeader64 h = {MH_MAGIC_64, CPU_TYPE_X86_64, CPU_SUBTYPE_X86_64_ALL, filetype, m->ncmds, m->len - (u32)sizeof h, flags, 0};
  memcpy(m->p, &h, sizeof h);
  if (trie) {
    wr32(m->p + at, m->len);
    put(m, trie, trie_len);
  }
}

static void reexport(Image *m) {
  u32 dylib[] = {24, 0, 0, 0}, path[] = {12}, version[] = {PLATFORM_MACOS, 0xa0000, 0xa0000, 0};
  command(m, LC_REEXPORT_DYLIB, dylib, 4, "@rpath/liby.dylib");
  command(m, LC_LOAD_DYLIB, dylib, 4, "/usr/lib/libz.dylib");
  command(m, LC_RPATH, path, 1, "@loader_path");
  command(m, LC_SUB_CLIENT, path, 1, "me");
  command(m, LC_BUILD_VERSION, version, 4, NULL);
}

/* The root has a child "_", which has "a" (flags 0), "b" (weak), "c" (thread-local) and "d" (absolute, re-exported). */
static const u8 trie[] = {0, 1, '_', 0, 5, 0, 4, 'a', 0, 19, 'b', 0, 23, 'c', 0, 27, 'd', 0, 31, 2, 0, 0x10, 0, 2, 4, 0x20, 0, 2, 1, 0x30, 0, 3, 10, 1, 0, 0};

static void test_image(void **state) {
  (void)state;
  Image m;
  make_image(&m, MH_DYLIB, MH_DEAD_STRIPPABLE_DYLIB, reexport, trie, sizeof trie);
  Case *c = good(read_image(&x86, m.p, m.len));
  const MachoLibrary *l = c->libs;
  assert_string_equal(l->install_name, "/usr/lib/libx.dylib");
  assert_int_equal(l->current_version, 0x10203);
  assert_true(l->for_target && l->dead_strippable && !l->app_extension_safe);
  check_exports(l, "_a _b:w _c:t _d:a");
  check_names(l->reexports, l->nreexports, "@rpath/liby.dylib");
  check_names(l->loads, l->nloads, "/usr/lib/libz.dylib");
  check_names(l->rpaths, l->nrpaths, "@loader_path");
  check_names(l->clients, l->nclients, "me");
  finish(c);
  make_image(&m, MH_DYLIB, MH_NO_REEXPORTED_DYLIBS, reexport, trie, sizeof trie);
  c = good(read_image(&sim, m.p, m.len));
  assert_int_equal(c->libs->nreexports, 0);
  assert_false(c->libs->for_target);
  finish(c);
  make_image(&m, MH_EXECUTE, 0, NULL, trie, sizeof trie);
  c = good(read_image(&x86, m.p, m.len));
  assert_string_equal(c->libs->install_name, "");
  assert_true(c->libs->for_target);
  finish(c);
}

static void symtab(Image *m) {
  /* Behind all commands: 3 symbols, then strings. */
  u32 at = m->len + 24, words[] = {at, 3, at + 48, 14};
  Nlist64 s[] = {{1, N_SECT | N_EXT, 1, N_WEAK_DEF, 0}, {4, N_SECT | N_EXT | N_PEXT, 1, 0, 0}, {8, N_UNDF | N_EXT, 0, 0, 0}};
  command(m, LC_SYMTAB, words, 4, NULL);
  put(m, s, sizeof s);
  put(m, "\0_w\0_p_\0_u\0\0\0\0", 14);
}

static void test_symbol_table(void **state) {
  (void)state;
  Image m;
  make_image(&m, MH_DYLIB, 0, symtab, NULL, 0);
  MachHeader64 *h = (MachHeader64 *)m.p;
  h->sizeofcmds -= 62;
  Case *c = good(read_image(&x86, m.p, m.len));
  check_exports(c->libs, "_w:w");
  finish(c);
}

static void bad_trie(const char *message, const u8 *p, u32 len) {
  Image m;
  make_image(&m, MH_DYLIB, 0, NULL, p, len);
  bad(message, read_image(&x86, m.p, m.len));
}
#define BAD_TRIE(message, ...) bad_trie(message, (const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__}))

static void test_bad_image(void **state) {
  (void)state;
  BAD_TRIE("x.dylib: offset 0x60: the table of exports leads to a node twice", 0, 1, 'a', 0, 0);
  BAD_TRIE("a child in the table of exports is outside of it", 0, 1, 'a', 0, 9);
  BAD_TRIE("a child in the table of exports is outside of it", 0, 1, 'a', 'b', 'c');
  BAD_TRIE("a child in the table of exports is outside of it", 0, 1);
  BAD_TRIE("a node of the table of exports runs past its end", 9, 0);
  BAD_TRIE("a node of the table of exports runs past its end", 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0);
  BAD_TRIE("an export has flags that are not known", 2, 0x40, 0, 0);
  BAD_TRIE("an export has no flags", 1, 0x80, 0);
  Image m;
  make_image(&m, MH_DYLIB, 0, reexport, trie, sizeof trie);
  MachHeader64 *h = (MachHeader64 *)m.p;
  u32 cases[][3] = {/* where, what */
                    {offsetof(MachHeader64, cputype), CPU_TYPE_ARM64, 0}, {offsetof(MachHeader64, sizeofcmds), 0x1000, 1}, {offsetof(MachHeader64, ncmds), 9, 2},
                    {36, 4, 3}, {36, 0x1000, 3}, {40, 200, 4}, {40, 4, 4}, {offsetof(MachHeader64, magic), MH_MAGIC, 5}};
  static const char *const messages[] = {"is for arm64; this link is for x86_64", "the load commands run past the end of the file", "a load command runs past the others",
                                         "a load command runs past the others", "the name in a load command is outside of it", "not a 64-bit Mach-O image"};
  for (u32 i = 0; i < COUNT_OF(cases); i++) {
    u32 old = rd32(m.p + cases[i][0]);
    wr32(m.p + cases[i][0], cases[i][1]);
    bad(messages[cases[i][2]], read_image(&x86, m.p, m.len));
    wr32(m.p + cases[i][0], old);
  }
  h->sizeofcmds -= 16; /* without LC_DYLD_EXPORTS_TRIE nothing is exported */
  h->ncmds--;
  Case *c = good(read_image(&x86, m.p, m.len));
  assert_int_equal(c->libs->nexports, 0);
  finish(c);
  for (u32 len = 0; len < m.len; len++) { /* whatever is cut off: an error or less, no more */
    finish(read_image(&x86, m.p, len));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_version_1), cmocka_unit_test(test_version_3), cmocka_unit_test(test_version_4), cmocka_unit_test(test_version_5),
      cmocka_unit_test(test_bad_text),  cmocka_unit_test(test_scanner), cmocka_unit_test(test_image),     cmocka_unit_test(test_symbol_table), cmocka_unit_test(test_bad_image),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
