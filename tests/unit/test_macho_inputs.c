/* test_macho_inputs.c: from the command line of Apple's linker to the files of a link: search, archives, libraries, what
 * these re-export, and $ld$ names. Each test makes files below a directory of its own, which is -syslibroot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "driver/darwin.h"
#include "format/macho.h"
#include "format/macho_shared.h"
#include "inputs_macho.h"
#include "session.h"

/* ---- files ---- */

static char root[64];

static int setup(void **state) {
  (void)state;
  strcpy(root, "/tmp/weld-inputs-XXXXXX");
  return mkdtemp(root) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
  (void)st, (void)flag, (void)ftw;
  return remove(path);
}

static int teardown(void **state) {
  (void)state;
  return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void put_bytes(const char *path, const void *p, size_t len) {
  char full[300];
  snprintf(full, sizeof full, "%s%s", root, path);
  for (char *s = full + strlen(root) + 1; (s = strchr(s, '/')); s++) {
    *s = 0;
    mkdir(full, 0700);
    *s = '/';
  }
  FILE *f = fopen(full, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(p, 1, len, f), len);
  fclose(f);
}

static void put(const char *path, const char *text) { put_bytes(path, text, strlen(text)); }

/* A text stub with one library for each line of `libs`: "INSTALL_NAME: symbols; reexports". */
static void put_tbd(const char *path, const char *libs) {
  char text[4096] = "";
  for (const char *s = libs; *s;) {
    char name[128], symbols[512] = "", reexports[512] = "";
    size_t len = strcspn(s, "\n"), n = strlen(text);
    char line[1024];
    snprintf(line, sizeof line, "%.*s", (int)len, s);
    sscanf(line, "%127[^:]:%511[^;];%511[^\n]", name, symbols, reexports);
    snprintf(text + n, sizeof text - n,
             "--- !tapi-tbd\ntbd-version: 4\ntargets: [ x86_64-macos, arm64-macos ]\ninstall-name: '%s'\ncurrent-version: 2\n"
             "reexported-libraries:\n  - targets: [ x86_64-macos ]\n    libraries: [ %s ]\n"
             "exports:\n  - targets: [ x86_64-macos, arm64-macos ]\n    symbols: [ %s ]\n",
             name, reexports, symbols);
    s += len + (s[len] != 0);
  }
  put(path, text);
}

static void put_object(const char *path, u32 cputype) {
  MachHeader64 h = {.magic = MH_MAGIC_64, .cputype = cputype, .filetype = MH_OBJECT};
  put_bytes(path, &h, sizeof h);
}

/* An archive of two empty objects, a.o and b.o. */
static void put_archive_for(const char *path, u32 cputype) {
  char text[300] = "!<arch>\n";
  size_t n = 8;
  for (u32 i = 0; i < 2; i++) {
    MachHeader64 h = {.magic = MH_MAGIC_64, .cputype = cputype, .filetype = MH_OBJECT};
    n += (size_t)snprintf(text + n, sizeof text - n, "%-16s%-12d%-6d%-6d%-8d%-10zu`\n", i ? "b.o" : "a.o", 0, 0, 0, 0, sizeof h);
    memcpy(text + n, &h, sizeof h);
    n += sizeof h;
  }
  put_bytes(path, text, n);
}

static void put_archive(const char *path) { put_archive_for(path, CPU_TYPE_X86_64); }

/* ---- one load ---- */

typedef struct {
  Options o;
  Diag *d;
  Link *l;
  MachoInputs *m;
  Arch arch;
  char messages[4096];
} Case;

static void sink(void *ctx, DiagLevel level, const char *code, const char *text) {
  Case *c = ctx;
  size_t n = strlen(c->messages);
  (void)code;
  snprintf(c->messages + n, sizeof c->messages - n, "%s: %s\n", level == DIAG_ERROR ? "error" : level == DIAG_WARNING ? "warning" : "note", text);
}

/* Arguments in one text, separated by blanks; % stands for the directory. */
static Case *load(const char *args) {
  Case *c = calloc(1, sizeof *c);
  static char text[4096];
  char *argv[64] = {(char *)(uintptr_t)"ld64"};
  int argc = 1;
  size_t n = (size_t)snprintf(text, sizeof text, "-arch x86_64 -platform_version macos 11.0 11.0 -syslibroot %s ", root);
  for (const char *s = args; *s; s++)
    if (*s == '%')
      n += (size_t)snprintf(text + n, sizeof text - n, "%s", root);
    else
      text[n++] = *s;
  text[n] = 0;
  for (char *s = strtok(text, " "); s; s = strtok(NULL, " "))
    argv[argc++] = s;
  c->d = diag_create();
  DiagOptions opts = *diag_options(c->d);
  opts.sink = sink;
  opts.sink_ctx = c;
  diag_configure(c->d, &opts);
  options_init(&c->o);
  c->o.threads = 1;
  DriverHooks hooks = {0};
  DriverResult r = driver_darwin(argc, argv, &hooks, &c->o, c->d);
  diag_flush(c->d);
  if (r != DRIVER_LINK)
    fail_msg("%s", c->messages);
  c->l = calloc(1, sizeof *c->l);
  session_begin(c->l, &c->o, c->d);
  c->arch.name = "x86_64";
  c->l->arch = &c->arch;
  c->m = inputs_macho_load(c->l);
  diag_flush(c->d);
  return c;
}

static void finish(Case *c) {
  inputs_macho_end(c->m);
  session_end(c->l);
  free(c->l);
  options_free(&c->o);
  diag_destroy(c->d);
  free(c);
}

/* One line for each file: an object's name, "lazy" and so on; a library's install name, flags and exports. */
static void check(Case *c, const char *expected) {
  char s[4096] = "";
  for (u32 i = 1; i < c->l->files.n; i++) {
    const File *f = &c->l->files.at[i];
    const char *path = strncmp(f->path, root, strlen(root)) ? f->path : f->path + strlen(root);
    size_t n = strlen(s);
    if (f->kind == FILE_OBJECT) {
      snprintf(s + n, sizeof s - n, "%s%s%s%s%s\n", path, f->member ? ":" : "", f->member ? f->member : "", f->lazy ? " lazy" : "", f->exclude_libs ? " hidden" : "");
      continue;
    }
    const MachoShared *x = f->fmt;
    n += (size_t)snprintf(s + n, sizeof s - n, "%s %s%s%s%s%s%s%s%s:", path, x->install_name, x->linked ? "" : " implicit", f->as_needed ? " as-needed" : "", x->weak ? " weak" : "",
                          x->keep ? " keep" : "", x->reexport ? " reexport" : "", x->upward ? " upward" : "", x->bundle_loader ? " loader" : "");
    for (u32 k = 0; k < x->nexports; k++)
      n += (size_t)snprintf(s + n, sizeof s - n, " %s", x->exports[k].name);
    snprintf(s + n, sizeof s - n, "\n");
  }
  assert_string_equal(s, expected);
}

static void good(const char *args, const char *expected) {
  Case *c = load(args);
  assert_string_equal(c->messages, "");
  check(c, expected);
  finish(c);
}

static void says(const char *args, const char *message, const char *expected) {
  Case *c = load(args);
  char full[300];
  const char *star = strchr(message, '%');
  snprintf(full, sizeof full, "%.*s%s%s", (int)(star ? star - message : (long)strlen(message)), message, star ? root : "", star ? star + 1 : "");
  if (!strstr(c->messages, full))
    fail_msg("no '%s' in:\n%s", full, c->messages);
  if (expected)
    check(c, expected);
  finish(c);
}

/* ---- searching ---- */

static void test_search(void **state) {
  (void)state;
  put_tbd("/usr/lib/liba.tbd", "/a: _tbd");
  put_archive("/usr/lib/liba.a");
  put_tbd("/one/libb.tbd", "/one/b: _one");
  put_archive("/one/libc.a");
  put_tbd("/two/libb.tbd", "/two/b: _two");
  put_tbd("/two/libc.tbd", "/two/c: _two");
  put_object("/two/crt1.o", CPU_TYPE_X86_64);
  good("-la", "/usr/lib/liba.tbd /a: _tbd\n");
  good("-L%/one -L%/two -lb", "/one/libb.tbd /one/b: _one\n");
  good("-L%/two -L%/one -lb", "/two/libb.tbd /two/b: _two\n");
  good("-L%/one -L%/two -lc", "/one/libc.a:a.o lazy\n/one/libc.a:b.o lazy\n");
  good("-search_dylibs_first -L%/one -L%/two -lc", "/two/libc.tbd /two/c: _two\n");
  good("-L/two -lcrt1.o", "/two/crt1.o\n");
  good("/two/libb.tbd", "/two/libb.tbd /two/b: _two\n");
  says("-L%/one -lnone", "error: unable to find library -lnone\n>>> searched %/one\n", "");
  says("-Z -la", "no directory was searched", "");
  says("/none/x.dylib", "error: cannot open /none/x.dylib: No such file", "");
}

static void test_frameworks(void **state) {
  (void)state;
  put_tbd("/System/Library/Frameworks/Foo.framework/Foo.tbd", "/System/Library/Frameworks/Foo.framework/Versions/A/Foo: _f");
  put_tbd("/mine/Bar.framework/Bar.tbd", "@rpath/Bar: _b");
  put_tbd("/mine/Bar.framework/Bar_debug", "@rpath/Bar_debug: _d");
  put("/mine/Bar.framework/Bar", "");
  good("-framework Foo -F%/mine -weak_framework Bar", "/System/Library/Frameworks/Foo.framework/Foo.tbd /System/Library/Frameworks/Foo.framework/Versions/A/Foo: _f\n"
                                                      "/mine/Bar.framework/Bar.tbd @rpath/Bar weak: _b\n");
  good("-F%/mine -framework Bar,_debug", "/mine/Bar.framework/Bar_debug @rpath/Bar_debug: _d\n");
  good("-F%/mine -framework Bar,_none", "/mine/Bar.framework/Bar.tbd @rpath/Bar: _b\n");
  says("-framework None", "error: unable to find framework None\n>>> searched %/System/Library/Frameworks\n", "");
}

/* ---- flags ---- */

static void test_flags(void **state) {
  (void)state;
  put_tbd("/usr/lib/liba.tbd", "/usr/lib/liba.dylib: _a");
  put_tbd("/usr/lib/libb.tbd", "/usr/lib/libb.dylib: _b");
  good("-lb -la -needed-la -lb", "/usr/lib/libb.tbd /usr/lib/libb.dylib: _b\n/usr/lib/liba.tbd /usr/lib/liba.dylib keep: _a\n");
  good("-dead_strip_dylibs -lb -needed-la", "/usr/lib/libb.tbd /usr/lib/libb.dylib as-needed: _b\n/usr/lib/liba.tbd /usr/lib/liba.dylib keep: _a\n");
  good("-reexport_library %/usr/lib/liba.tbd -upward-lb", "/usr/lib/liba.tbd /usr/lib/liba.dylib reexport: _a\n/usr/lib/libb.tbd /usr/lib/libb.dylib upward: _b\n");
  good("-la -sub_library liba", "/usr/lib/liba.tbd /usr/lib/liba.dylib reexport: _a\n");
  says("-la -sub_library libq", "error: -sub_library libq: no library of that name is linked", NULL);
}

/* ---- archives ---- */

static void test_archives(void **state) {
  (void)state;
  put_archive("/usr/lib/liba.a");
  put_object("/x.o", CPU_TYPE_X86_64);
  put_object("/arm.o", CPU_TYPE_ARM64);
  put("/bitcode.o", "BC\xc0\xde");
  put("/text.o", "hello");
  put("/empty.o", "");
  good("%/x.o -la -la", "/x.o\n/usr/lib/liba.a:a.o lazy\n/usr/lib/liba.a:b.o lazy\n");
  good("-la -force_load %/usr/lib/liba.a", "/usr/lib/liba.a:a.o\n/usr/lib/liba.a:b.o\n");
  good("-all_load -hidden-la", "/usr/lib/liba.a:a.o hidden\n/usr/lib/liba.a:b.o hidden\n");
  good("--start-lib %/x.o --end-lib %/x.o", "/x.o lazy\n/x.o\n");
  says("%/arm.o", "warning: %/arm.o: is for arm64; this link is for x86_64: ignored\n", "");
  put_archive_for("/arm.a", CPU_TYPE_ARM64);
  Case *c = load("%/arm.a");
  check(c, "");
  assert_non_null(strstr(c->messages, "(a.o): is for arm64; this link is for x86_64: ignored\n"));
  assert_null(strstr(c->messages, "b.o")); /* once for an archive */
  finish(c);
  says("-bundle -bundle_loader %/x.o %/x.o", "error: %/x.o: -bundle_loader needs a program", NULL);
  says("-bundle -bundle_loader %/none %/x.o", "error: cannot open %/none: No such file", NULL);
  says("%/bitcode.o", "error: %/bitcode.o: holds only compiler bitcode", "");
  says("%/text.o", "%/text.o: offset 0x0: unknown file type", "");
  says("%/empty.o", "the file is empty", "");
  MachHeader64 h = {.magic = MH_MAGIC_64, .cputype = CPU_TYPE_X86_64, .filetype = MH_DYLINKER};
  put_bytes("/dyld", &h, sizeof h);
  says("%/dyld", "%/dyld: cannot link with a dynamic linker (MH_DYLINKER)", "");
}

static void test_fat(void **state) {
  (void)state;
  u8 fat[128 + 32] = {0};
  MachHeader64 h = {.magic = MH_MAGIC_64, .cputype = CPU_TYPE_X86_64, .filetype = MH_OBJECT};
  wr_be32(fat, FAT_MAGIC);
  wr_be32(fat + 4, 1);
  wr_be32(fat + 8, CPU_TYPE_X86_64);
  wr_be32(fat + 16, 128);
  wr_be32(fat + 20, 32);
  memcpy(fat + 128, &h, sizeof h);
  put_bytes("/fat.o", fat, sizeof fat);
  good("%/fat.o", "/fat.o\n");
  wr_be32(fat + 8, CPU_TYPE_ARM64);
  put_bytes("/arm.o", fat, sizeof fat);
  says("%/arm.o", "warning: %/arm.o: has no part for x86_64: ignored", "");
  wr_be32(fat + 8, CPU_TYPE_X86_64);
  wr_be32(fat + 20, 33);
  put_bytes("/bad.o", fat, sizeof fat);
  says("%/bad.o", "error: %/bad.o: a part of a fat file runs past its end", "");
}

/* ---- re-exports ---- */

static void test_reexports(void **state) {
  (void)state;
  /* Parts of a file: private ones are its own, public ones stand for themselves. */
  put_tbd("/usr/lib/libU.tbd", "/usr/lib/libU.dylib: _u; /usr/lib/system/libp.dylib, /usr/lib/libq.dylib\n"
                               "/usr/lib/system/libp.dylib: _p; /usr/lib/system/libr.dylib\n"
                               "/usr/lib/libq.dylib: _q;\n"
                               "/usr/lib/system/libr.dylib: _r; /usr/lib/system/libp.dylib, /usr/lib/libU.dylib\n"
                               "/usr/lib/system/libunused.dylib: _x;\n");
  good("-lU", "/usr/lib/libU.tbd /usr/lib/libU.dylib: _u _p _r\n/usr/lib/libU.tbd /usr/lib/libq.dylib implicit as-needed: _q\n");
  good("-lU -no_implicit_dylibs", "/usr/lib/libU.tbd /usr/lib/libU.dylib: _u _p _r _q\n");
  /* Files, by the name in -L directories, below the root, beside the library. */
  put_tbd("/usr/lib/libV.tbd", "/usr/lib/libV.dylib: _v; /opt/libw.1.dylib, /elsewhere/libz.dylib, '@loader_path/libb.dylib'");
  put_tbd("/opt/libw.1.tbd", "/opt/libw.1.dylib: _w;");
  put_tbd("/two/libz.tbd", "/usr/lib/libz.dylib: _z;");
  put_tbd("/usr/lib/libb.tbd", "/opt/libb.dylib: _b;");
  good("-L%/two -lV", "/usr/lib/libV.tbd /usr/lib/libV.dylib: _v _w _b\n/two/libz.tbd /usr/lib/libz.dylib implicit as-needed: _z\n");
  /* Named as well: what came first stays. */
  good("-L%/two -lV -lz", "/usr/lib/libV.tbd /usr/lib/libV.dylib: _v _w _b\n/two/libz.tbd /usr/lib/libz.dylib: _z\n");
  good("-L%/two -lz -lV", "/two/libz.tbd /usr/lib/libz.dylib: _z\n/usr/lib/libV.tbd /usr/lib/libV.dylib: _v _w _b\n");
  good("-L%/two -lV -weak-lb -lb", "/usr/lib/libV.tbd /usr/lib/libV.dylib: _v _w _b\n/two/libz.tbd /usr/lib/libz.dylib implicit as-needed: _z\n"
                                   "/usr/lib/libb.tbd /opt/libb.dylib weak: _b\n");
  says("-lV", "error: %/usr/lib/libV.tbd: re-exports /elsewhere/libz.dylib, which can't be found", NULL);
  /* @rpath is what the library says. */
  put("/rp/libo.tbd", "{\"tapi_tbd_version\": 5, \"main_library\": {\"target_info\": [{\"target\": \"x86_64-macos\"}], \"install_names\": [{\"name\": \"/o\"}], "
                      "\"rpaths\": [{\"paths\": [\"/none\", \"@loader_path\"]}], \"reexported_libraries\": [{\"names\": [\"@rpath/sub/liby.dylib\"]}]}}");
  put_tbd("/rp/sub/liby.tbd", "/y: _y;");
  good("%/rp/libo.tbd", "/rp/libo.tbd /o: _y\n");
  /* In circles. */
  put_tbd("/usr/lib/libC.tbd", "/usr/lib/libC.dylib: _c; /usr/lib/libD.dylib");
  put_tbd("/usr/lib/libD.tbd", "/usr/lib/libD.dylib: _d; /usr/lib/libC.dylib");
  good("-lC", "/usr/lib/libC.tbd /usr/lib/libC.dylib: _c\n/usr/lib/libD.tbd /usr/lib/libD.dylib implicit as-needed: _d\n");
  put_tbd("/usr/lib/libF.tbd", "/F: _f; /System/Library/Frameworks/G.framework/Versions/A/G\n");
  put_tbd("/System/Library/Frameworks/G.framework/G.tbd", "/System/Library/Frameworks/G.framework/Versions/A/G: _g;");
  put_tbd("/System/Library/Frameworks/G.framework/Versions/A/G.tbd", "/System/Library/Frameworks/G.framework/Versions/A/G: _g;");
  good("-lF", "/usr/lib/libF.tbd /F: _f\n/System/Library/Frameworks/G.framework/Versions/A/G.tbd /System/Library/Frameworks/G.framework/Versions/A/G implicit as-needed: _g\n");
}

static void test_deep(void **state) {
  (void)state;
  for (u32 i = 0; i < 80; i++) {
    char path[40], lib[80];
    sprintf(path, "/d%u.tbd", i);
    sprintf(lib, "/d%u: _s%u; /d%u\n", i, i, i + 1);
    put_tbd(path, lib);
  }
  says("%/d0.tbd", "libraries re-export each other more than 64 deep", NULL);
}

/* ---- $ld$ ---- */

static void test_ld_symbols(void **state) {
  (void)state;
  put_tbd("/usr/lib/liba.tbd", "/usr/lib/liba.dylib: '$ld$hide$os11.0$_hidden', '$ld$hide$os10.4$_kept', '$ld$hide$_never', '$ld$add$os11.0$_added', _hidden, _kept, _never, "
                               "'$ld$weak$os10.4$_kept', '$ld$compatibility_version$os11.0$3.1'");
  Case *c = load("-la");
  assert_string_equal(c->messages, "");
  check(c, "/usr/lib/liba.tbd /usr/lib/liba.dylib: _added _kept\n");
  assert_int_equal(((const MachoShared *)c->l->files.at[1].fmt)->compatibility_version, 0x30100);
  assert_int_equal(((const MachoShared *)c->l->files.at[1].fmt)->current_version, 0x20000);
  finish(c);
  put_tbd("/usr/lib/libb.tbd", "/usr/lib/libb.dylib: '$ld$install_name$os11.0$/old/b', '$ld$install_name$os10.4$/older/b', _b");
  good("-lb", "/usr/lib/libb.tbd /old/b: _b\n");
  put_tbd("/usr/lib/libc.tbd", "/usr/lib/libc.dylib: '$ld$previous$/old/c$1.2$1$10.0$12.0$_moved$', '$ld$previous$/other/c$$1$10.0$11.0$_stays$', "
                               "'$ld$previous$/phone/c$1$2$10.0$12.0$_stays$', _moved, _stays");
  c = load("-lc");
  assert_string_equal(c->messages, "");
  check(c, "/usr/lib/libc.tbd /old/c implicit as-needed: _moved\n/usr/lib/libc.tbd /usr/lib/libc.dylib: _stays\n");
  assert_int_equal(((const MachoShared *)c->l->files.at[1].fmt)->compatibility_version, 0x10200);
  finish(c);
  put_tbd("/usr/lib/libd.tbd", "/usr/lib/libd.dylib: '$ld$previous$/old/d$5$1$10.0$12.0$$', _d");
  good("-ld", "/usr/lib/libd.tbd /old/d: _d\n");
  put_tbd("/usr/lib/libe.tbd", "/usr/lib/libe.dylib: '$ld$previous$/x$1$1', '$ld$hide$osx$_y', '$ld$install_name$what$/x', _e");
  says("-le", "warning: %/usr/lib/libe.tbd: $ld$previous$/x$1$1: is not understood: ignored", "/usr/lib/libe.tbd /usr/lib/libe.dylib: _e\n");
  says("-le", "$ld$hide$osx$_y: is not understood", NULL);
  says("-le", "$ld$install_name$what$/x: is not understood", NULL);
}

/* ---- whom a library is for ---- */

static void test_platform(void **state) {
  (void)state;
  put("/usr/lib/libi.tbd", "--- !tapi-tbd\ntbd-version: 4\ntargets: [ x86_64-ios-simulator ]\ninstall-name: /i\n");
  says("-li", "error: %/usr/lib/libi.tbd: /i is not for the platform of this link", NULL);
  put("/usr/lib/libk.tbd", "--- !tapi-tbd\ntbd-version: 4\ntargets: [ x86_64-maccatalyst ]\ninstall-name: /usr/lib/system/libsystem_kernel.dylib\n"
                           "exports:\n  - targets: [ x86_64-maccatalyst ]\n    symbols: [ _k ]\n");
  good("-lk", "/usr/lib/libk.tbd /usr/lib/system/libsystem_kernel.dylib: _k\n"); /* Apple has shipped such ones */
  put("/usr/lib/libc.tbd", "--- !tapi-tbd\ntbd-version: 4\ntargets: [ x86_64-macos ]\ninstall-name: /c\nallowable-clients:\n  - targets: [ x86_64-macos ]\n"
                           "    clients: [ foobar ]\n");
  says("-lc -client_name me", "error: %/usr/lib/libc.tbd: c may not be linked by me", NULL);
  good("-lc -client_name foo", "/usr/lib/libc.tbd /c:\n");
  good("-lc -o %/libfoobar.dylib", "/usr/lib/libc.tbd /c:\n");
}

static void test_dependencies(void **state) {
  (void)state;
  put_tbd("/usr/lib/liba.tbd", "/a: _a");
  put_object("/x.o", CPU_TYPE_X86_64);
  Case *c = load("%/x.o -L%/usr/lib -la -dependency_info %/deps -o %/out");
  assert_string_equal(c->messages, "");
  inputs_macho_write_dependencies(c->m);
  finish(c);
  char path[100], got[1000];
  snprintf(path, sizeof path, "%s/deps", root);
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  size_t n = fread(got, 1, sizeof got - 1, f), at = 0;
  fclose(f);
  got[n] = 0;
  static const struct { u8 kind; const char *name; } records[] = {{0x00, NULL}, {0x10, "/usr/lib/liba.tbd"}, {0x10, "/x.o"}, {0x40, "/out"}};
  for (u32 i = 0; i < COUNT_OF(records); i++) {
    assert_true(at < n);
    assert_int_equal((u8)got[at], records[i].kind);
    if (records[i].name) {
      snprintf(path, sizeof path, "%s%s", root, records[i].name);
      assert_string_equal(got + at + 1, path);
    }
    at += 2 + strlen(got + at + 1);
  }
  assert_int_equal(at, n);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_search),   TEST(test_frameworks), TEST(test_flags),      TEST(test_archives), TEST(test_fat),
      TEST(test_reexports), TEST(test_deep),      TEST(test_ld_symbols), TEST(test_platform), TEST(test_dependencies),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
