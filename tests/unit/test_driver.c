/* test_driver.c: the GNU command line. Each test parses one line and looks at the Options. */
#include <unistd.h>

#define DRIVER driver_gnu
#define PROGRAM "/usr/bin/ld"
#include "driver_case.h"

#include "driver/gnu_rows.h"
#include "driver/jobserver.h"
#include "driver/suggest.h"

/* ---- what the driver borrows ---- */

static bool memory(void *ctx, const char *name, Bytes *out) {
  (void)ctx;
  static const MemoryFile files[] = {
      {"in memory", "xyz"},
      {"v.map", "V1 { global: f; };"},
      {"list", "{ f; g; };"},
      {"syms", "foo bar\n\n  baz\r\n"},
      {"rsp1", "-o 'a b' \"c\\\"d\" e\\ f\n@rsp2 'x\\'y' @no-such-file"},
      {"rsp2", "--gc-sections\t-L/x \n"},
      {"loop", "@loop"},
  };
  return find_in_memory(files, COUNT_OF(files), name, out);
}

/* Stand-ins for src/script: the text becomes one name. */
static bool parse_version(Arena *a, Diag *d, const char *name, Bytes text, VersionScript *out) {
  (void)d;
  *vec_push(&out->nodes) = (VersionNode){
      .name = arena_strndup(a, (const char *)text.p, text.len), .file = name};
  return true;
}

static bool parse_list(Arena *a, Diag *d, const char *name, Bytes text, VersionPatterns *out) {
  (void)d, (void)name;
  *vec_push(out) =
      (VersionPattern){.pattern = arena_strndup(a, (const char *)text.p, text.len)};
  return true;
}

static const Expr *parse_expr(Arena *a, Diag *d, const char *origin, const char *text) {
  (void)origin;
  if (text[0] == '!') {
    diag_error(d, "syntax", "bad expression");
    return NULL;
  }
  Expr *e = ARENA_NEW(a, Expr);
  *e = (Expr){.op = EX_SYM, .name = text};
  return e;
}

static DriverHooks hooks_of(Parse *p) { return (DriverHooks){p, print, memory, NULL, parse_version, parse_list, parse_expr}; }

/* ---- the table ---- */

static void test_rows(void **state) {
  (void)state;
  const OptionRow *tables[] = {gnu_rows, gnu_z_rows};
  const u32 sizes[] = {gnu_nrows, gnu_nz_rows};
  for (u32 t = 0; t < 2; t++)
    for (u32 i = 0; i < sizes[t]; i++) {
      const OptionRow *row = &tables[t][i];
      assert_non_null(row->help);
      assert_true(row->help[0] && row->help[strlen(row->help) - 1] != '.');
      assert_true(row->arg == ARG_FLAG || row->metavar);
      assert_true(t == 0 || row->arg == ARG_FLAG || row->arg == ARG_VALUE);
      for (u32 n = 0; row->names[n]; n++) {
        assert_true(row->names[n][0] != '-');
        for (u32 k = 0; k < sizes[t]; k++)
          for (u32 m = 0; tables[t][k].names[m]; m++)
            if ((k != i || m != n) && streq(tables[t][k].names[m], row->names[n]))
              fail_msg("two rows for %s", row->names[n]);
      }
    }
}

static void test_defaults(void **state) {
  (void)state;
  Parse *p = GOOD("b.o");
  assert_string_equal(p->o.output, "a.out");
  assert_int_equal(p->o.kind, OUTPUT_EXEC);
  assert_true(p->o.hash_gnu && p->o.hash_sysv && p->o.relax && p->o.z_relro && p->o.demangle);
  assert_false(p->o.z_now || p->o.gc_sections || p->o.is_static || p->o.export_dynamic);
  assert_int_equal(p->o.error_limit, 20);
  assert_int_equal(p->o.threads, 0);
  assert_int_equal(p->o.inputs.n, 2);
  assert_string_equal(p->o.inputs.at[0].name, "b.o");
  finish(p);
}

/* ---- spelling ---- */

static void test_dashes_and_values(void **state) {
  (void)state;
  Parse *p = GOOD("-o", "x", "-soname", "s", "--entry=main", "-rpath", "/r", "-z", "now", "-lfoo",
                  "-l", "bar", "-l:libx.a", "--library=q", "-L/d", "-L", "/e", "-library-path=/f");
  assert_string_equal(p->o.output, "x");
  assert_string_equal(p->o.soname, "s");
  assert_string_equal(p->o.entry, "main");
  assert_string_equal(p->o.rpath.at[0], "/r");
  assert_true(p->o.z_now);
  assert_int_equal(p->o.inputs.n, 5);
  assert_string_equal(p->o.inputs.at[0].name, "foo");
  assert_true(p->o.inputs.at[0].is_lib);
  assert_string_equal(p->o.inputs.at[2].name, ":libx.a");
  assert_false(p->o.inputs.at[4].is_lib);
  assert_int_equal(p->o.lib_dirs.n, 3);
  assert_string_equal(p->o.lib_dirs.at[2], "/f");
  finish(p);
  /* One dash and an o is always the output. */
  p = GOOD("-omagic");
  assert_string_equal(p->o.output, "magic");
  finish(p);
  p = GOOD("--omagic");
  assert_true(p->o.omagic && p->o.is_static && !p->o.z_relro);
  finish(p);
  p = GOOD("-znow", "-zmax-page-size=0x4000", "-emain", "-ufoo", "-melf_x86_64", "-hs", "-I/ld.so");
  assert_int_equal(p->o.z_max_page_size, 0x4000);
  assert_string_equal(p->o.entry, "main");
  assert_string_equal(p->o.undefined.at[0], "foo");
  assert_string_equal(p->o.soname, "s");
  assert_string_equal(p->o.dynamic_linker, "/ld.so");
  assert_string_equal(p->o.emulation, "elf_x86_64");
  finish(p);
  /* After -- everything is an input; - alone is one. */
  p = GOOD("-", "--", "-s");
  assert_int_equal(p->o.inputs.n, 3);
  assert_string_equal(p->o.inputs.at[1].name, "-s");
  assert_int_equal(p->o.strip, STRIP_NONE);
  finish(p);
  BAD("--v", "--v");
}

static void test_unknown(void **state) {
  (void)state;
  BAD("unknown command line option: --gc-section; did you mean --gc-sections?", "--gc-section");
  BAD("did you mean --version-script?", "-verson-script=x");
  BAD("unknown command line option: --abcdefg\n", "--abcdefg");
  BAD("unknown command line option: -abcdefg\n", "-abcdefg");
  BAD("unknown command line option: --gc-sections=1", "--gc-sections=1");
  Parse *p = PARSE("-zfoo", "-z", "nwo", "a.o");
  assert_int_equal(p->result, DRIVER_LINK);
  assert_non_null(strstr(p->messages, "warning[unknown-option]: unknown command line option: "
                                      "-zfoo: ignored"));
  assert_non_null(strstr(p->messages, "-z nwo: ignored; did you mean -z now?"));
  finish(p);
  BAD("-z nwo", "-z", "nwo", "--fatal-warnings");
  BAD("-z max-page-size needs a value", "-z", "max-page-size");
  p = PARSE("a.o", "-o");
  assert_int_equal(p->result, DRIVER_ERROR);
  assert_non_null(strstr(p->messages, "-o needs a value: FILE"));
  finish(p);
  p = PARSE("-z");
  assert_non_null(strstr(p->messages, "-z needs a value"));
  finish(p);
  assert_int_equal(edit_distance("abcd", "acbd", 3), 1);
  assert_int_equal(edit_distance("abc", "xyz", 2), 3);
  assert_int_equal(edit_distance("", "ab", 2), 2);
}

static void test_unsupported(void **state) {
  (void)state;
  BAD("unrecognised emulation mode: elf_z80; supported emulations: elf_x86_64 elf32_x86_64 elf_i386", "-m", "elf_z80");
  Parse *p = PARSE("--optimize-bb-jumps", "--gdb-index", "a.o");
  assert_int_equal(p->result, DRIVER_LINK);
  assert_non_null(strstr(p->messages, "warning[unsupported-option]: --optimize-bb-jumps"));
  assert_non_null(strstr(p->messages, "--gdb-index is not supported yet: ignored"));
  finish(p);
  /* What compilers pass for others' sake. */
  finish(GOOD("-plugin", "/x/liblto_plugin.so", "-plugin-opt=/x/lto-wrapper",
              "-plugin-opt=-pass-through=-lgcc", "--no-fork", "--sort-common", "-EL",
              "--no-keep-memory", "--reduce-memory-overheads", "-Qy", "--no-add-needed",
              "--copy-dt-needed-entries", "--no-map-whole-files", "-O1", "--lto-O2", "-flto=auto",
              "-mllvm", "-x", "--sort-common=descending", "--icf=none", "-fuse-ld=weld"));
}

/* ---- inputs ---- */

static void test_input_state(void **state) {
  (void)state;
  Parse *p = GOOD("a", "--whole-archive", "b", "--push-state", "--as-needed", "-Bstatic",
                  "--no-whole-archive", "c", "--pop-state", "d", "--no-whole-archive",
                  "--start-group", "e", "-)", "-(", "f", "--end-group", "--start-lib", "g",
                  "--end-lib", "h");
  const Input *in = p->o.inputs.at;
  assert_false(in[0].whole_archive);
  assert_true(in[1].whole_archive && !in[1].as_needed);
  assert_true(in[2].as_needed && in[2].bstatic && !in[2].whole_archive);
  assert_true(in[3].whole_archive && !in[3].as_needed && !in[3].bstatic);
  assert_int_equal(in[3].group, 0);
  assert_int_equal(in[4].group, 1);
  assert_int_equal(in[5].group, 2);
  assert_true(in[6].start_lib && !in[7].start_lib);
  assert_int_equal(in[7].group, 0);
  assert_false(p->o.is_static);
  finish(p);
  p = GOOD("-static", "-pie", "--no-dynamic-linker");
  assert_true(p->o.is_static && p->o.no_dynamic_linker);
  assert_int_equal(p->o.kind, OUTPUT_PIE);
  finish(p);
  p = GOOD("-Bstatic", "-lx", "-Bdynamic");
  assert_true(!p->o.is_static && p->o.inputs.at[0].bstatic);
  finish(p);
  p = GOOD("in memory");
  assert_int_equal(p->o.inputs.at[0].mem_len, 3);
  assert_null(p->o.inputs.at[1].mem);
  finish(p);
  BAD("without --push-state", "--pop-state");
  BAD("inside a group", "-(", "--start-group");
  BAD("--end-group without --start-group", "--end-group");
  BAD("--start-lib without --end-lib", "--start-lib");
  BAD("the name of a library", "-l:");
  p = PARSE("-s");
  assert_int_equal(p->result, DRIVER_ERROR);
  assert_non_null(strstr(p->messages, "no input files"));
  finish(p);
}

static void test_kinds(void **state) {
  (void)state;
  static const struct { const char *a, *b; OutputKind kind; } cases[] = {
      {"-shared", "-s", OUTPUT_SHARED},     {"-Bshareable", "-no-pie", OUTPUT_EXEC},
      {"-pie", "-no-pie", OUTPUT_EXEC},     {"-pic-executable", "-s", OUTPUT_PIE},
      {"-shared", "-pie", OUTPUT_PIE},
  };
  for (u32 i = 0; i < COUNT_OF(cases); i++) {
    Parse *p = GOOD(cases[i].a, cases[i].b);
    assert_int_equal(p->o.kind, cases[i].kind);
    finish(p);
  }
  BAD("may not be used without -shared", "-F", "x");
}

static void test_sysroot(void **state) {
  (void)state;
  Parse *p = GOOD("-L=/foo", "-L=foo", "-L$SYSROOT/bar", "-Lplain", "--sysroot=/root", "-rpath=/a",
                  "-rpath", "/b", "-rpath", "/a", "-R/no/such/dir", "-R/", "-rpath-link=/c");
  assert_string_equal(p->o.lib_dirs.at[0], "/root/foo");
  assert_string_equal(p->o.lib_dirs.at[1], "/root/foo");
  assert_string_equal(p->o.lib_dirs.at[2], "/root/bar");
  assert_string_equal(p->o.lib_dirs.at[3], "plain");
  assert_int_equal(p->o.rpath.n, 4);
  assert_string_equal(p->o.rpath.at[2], "/no/such/dir");
  finish(p);
  p = GOOD("-L=/foo");
  assert_string_equal(p->o.lib_dirs.at[0], "/foo");
  finish(p);
  p = GOOD("-R", "/dev/null");
  assert_true(p->o.inputs.at[0].just_symbols && !p->o.rpath.n);
  finish(p);
}

static void test_response_files(void **state) {
  (void)state;
  Parse *p = GOOD("@rsp1");
  assert_string_equal(p->o.output, "a b");
  assert_true(p->o.gc_sections);
  assert_string_equal(p->o.lib_dirs.at[0], "/x");
  assert_int_equal(p->o.inputs.n, 5);
  assert_string_equal(p->o.inputs.at[0].name, "c\"d");
  assert_string_equal(p->o.inputs.at[1].name, "e f");
  assert_string_equal(p->o.inputs.at[2].name, "x'y");
  assert_string_equal(p->o.inputs.at[3].name, "@no-such-file");
  finish(p);
  BAD("too many response files", "@loop");
}

/* ---- values ---- */

static void test_numbers(void **state) {
  (void)state;
  Parse *p = GOOD("-Ttext", "1000", "-Tdata=0x2000", "--Tbss=3000", "--section-start=.foo=0x10000",
                  "--section-start", ".bar=ff", "--image-base=4096", "-z", "stack-size=010",
                  "--filler", "0xfe", "--section-align=.x=64", "--threads=3", "-O3");
  assert_true(p->o.has_ttext && p->o.has_tdata && p->o.has_tbss && p->o.has_stack_size);
  assert_int_equal(p->o.ttext, 0x1000);
  assert_int_equal(p->o.tdata, 0x2000);
  assert_int_equal(p->o.tbss, 0x3000);
  assert_int_equal(p->o.section_starts.n, 2);
  assert_string_equal(p->o.section_starts.at[1].section, ".bar");
  assert_int_equal(p->o.section_starts.at[1].addr, 0xff);
  assert_int_equal(p->o.image_base, 4096);
  assert_int_equal(p->o.z_stack_size, 10);
  assert_int_equal(p->o.section_aligns.at[0].addr, 64);
  assert_int_equal(p->o.threads, 3);
  assert_int_equal(p->o.optimize, 2);
  finish(p);
  p = GOOD("-Ttext-segment=0", "--threads", "--time-trace", "-ox");
  assert_true(p->o.has_image_base);
  assert_int_equal(p->o.threads, 0);
  assert_string_equal(p->o.time_trace, "x.time-trace");
  finish(p);
  BAD("expected a number, got '0x'", "--image-base=0x");
  BAD("expected a number", "--image-base=0x10000000000000000");
  BAD("expected a number", "--image-base=-1");
  BAD("a hexadecimal address", "-Ttext=0x1g");
  BAD("SECTION=ADDRESS", "--section-start=.foo");
  BAD("from 1 to 1024", "--threads=0");
  BAD("value must be a power of 2", "-z", "max-page-size=3000");
  BAD("must be a power of 2", "--section-align=.foo=3");
}

static void test_words(void **state) {
  (void)state;
  Parse *p = GOOD("--build-id", "--hash-style=gnu", "--compress-debug-sections=zstd:9",
                  "--color-diagnostics=never", "--error-format=json", "--sort-section=alignment",
                  "--pack-dyn-relocs=relr", "-z", "start-stop-visibility=hidden", "-z",
                  "cet-report=error", "-z", "x86-64-v3", "--unresolved-symbols=ignore-all");
  assert_int_equal(p->o.build_id, BUILD_ID_FAST);
  assert_int_equal(p->o.build_id_len, 20);
  assert_true(p->o.hash_gnu && !p->o.hash_sysv);
  assert_int_equal(p->o.compress_debug, COMPRESS_ZSTD);
  assert_int_equal(p->o.compress_level, 9);
  assert_int_equal(p->o.color, OPT_NO);
  assert_true(p->o.error_json && diag_options(p->d)->json && !diag_options(p->d)->color);
  assert_int_equal(p->o.sort_section, SORT_SECTION_ALIGNMENT);
  assert_true(p->o.z_pack_relative_relocs);
  assert_int_equal(p->o.start_stop_visibility, 2);
  assert_int_equal(p->o.z_cet_report, 2);
  assert_int_equal(p->o.z_x86_isa_level, 3);
  assert_int_equal(p->o.unresolved, UNRESOLVED_IGNORE_ALL);
  finish(p);
  p = GOOD("--build-id=0xde-AD:beef");
  assert_int_equal(p->o.build_id, BUILD_ID_HEX);
  assert_int_equal(p->o.build_id_len, 4);
  assert_memory_equal(p->o.build_id_bytes, "\xde\xad\xbe\xef", 4);
  finish(p);
  BAD("0x and up to 64 bytes", "--build-id=0xabc");
  BAD("fast, md5, sha1", "--build-id=crc");
  BAD("expected none, sysv, gnu or both, got 'foo'", "--hash-style=foo");
  BAD("zlib level must be between 0 and 9", "--compress-debug-sections=zlib:10");
  BAD("zlib level must be between 0 and 9", "--compress-debug-sections=zlib:-1");
  BAD("zstd level must be between 1 and 22", "--compress-debug-sections=zstd:0");
  BAD("expected none", "--compress-debug-sections=none:1");
}

static void test_last_wins(void **state) {
  (void)state;
  Parse *p = GOOD("-z", "defs", "--unresolved-symbols", "ignore-in-object-files");
  assert_int_equal(p->o.no_undefined, OPT_AUTO);
  assert_int_equal(p->o.unresolved, UNRESOLVED_IGNORE_IN_OBJECTS);
  finish(p);
  p = GOOD("--unresolved-symbols=ignore-all", "--no-undefined");
  assert_int_equal(p->o.no_undefined, OPT_YES);
  assert_int_equal(p->o.unresolved, UNRESOLVED_DEFAULT);
  finish(p);
  p = GOOD("-z", "execstack", "-z", "noexecstack", "-z", "separate-loadable-segments", "-z",
           "separate-code", "-z", "norelro", "-z", "relro", "--gc-sections", "--no-gc-sections");
  assert_int_equal(p->o.z_execstack, OPT_NO);
  assert_int_equal(p->o.z_separate_code, OPT_YES);
  assert_false(p->o.z_separate_loadable_segments);
  assert_true(p->o.z_relro && !p->o.gc_sections);
  finish(p);
  p = GOOD("-s", "-S");
  assert_int_equal(p->o.strip, STRIP_DEBUG);
  finish(p);
  p = GOOD("-Bsymbolic", "-Bsymbolic-functions", "-x", "--discard-none");
  assert_int_equal(p->o.bsymbolic, BSYMBOLIC_FUNCTIONS);
  assert_int_equal(p->o.discard, DISCARD_NONE);
  finish(p);
}

static void test_symbols(void **state) {
  (void)state;
  Parse *p = GOOD("--defsym=a=b+1", "--defsym", "c=0x10", "--wrap=malloc", "-y", "foo",
                  "--require-defined=r", "--exclude-libs", "a.a,b.a:c.a",
                  "--export-dynamic-symbol=f*", "--export-dynamic-symbol=g",
                  "--version-script=v.map", "--dynamic-list=list",
                  "--export-dynamic-symbol-list=list", "--dynamic-list-cpp-new",
                  "--retain-symbols-file=syms", "-s");
  assert_int_equal(p->o.defsyms.n, 2);
  assert_string_equal(p->o.defsyms.at[0].name, "a");
  assert_string_equal(p->o.defsyms.at[0].value->name, "b+1");
  assert_string_equal(p->o.defsyms.at[1].text, "0x10");
  assert_string_equal(p->o.wrap.at[0], "malloc");
  assert_int_equal(p->o.exclude_libs.n, 3);
  assert_string_equal(p->o.exclude_libs.at[2], "c.a");
  assert_int_equal(p->o.export_dynamic_symbols.n, 3);
  assert_false(p->o.export_dynamic_symbols.at[0].exact);
  assert_true(p->o.export_dynamic_symbols.at[1].exact);
  assert_true(p->o.has_version_script && p->o.has_dynamic_list);
  assert_string_equal(p->o.version_script.nodes.at[0].file, "v.map");
  assert_int_equal(p->o.dynamic_list.n, 3);
  assert_int_equal(p->o.retain_symbols.n, 3);
  assert_string_equal(p->o.retain_symbols.at[2], "baz");
  assert_int_equal(p->o.strip, STRIP_NONE); /* overridden */
  finish(p);
  BAD("SYMBOL=EXPRESSION", "--defsym=a");
  BAD("SYMBOL=EXPRESSION", "--defsym", "=1");
  BAD("bad expression", "--defsym=a=!");
  BAD("--version-script: cannot open nope: No such file", "--version-script=nope");
  BAD("--dynamic-list: cannot open /: Is a directory", "--dynamic-list=/");
}

static void test_package_metadata(void **state) {
  (void)state;
  Parse *p = GOOD("--package-metadata=%7B\"a\":1%7d");
  assert_string_equal(p->o.package_metadata, "{\"a\":1}");
  finish(p);
  BAD("invalid string: foo%x", "--package-metadata=foo%x");
  BAD("invalid string: %", "--package-metadata=%");
  BAD("invalid string: %00", "--package-metadata=%00");
}

/* ---- text ---- */

static void test_version(void **state) {
  (void)state;
  static const char *const flags[] = {"-v", "--version", "-V", "--help", "--help=man", "--verbose"};
  for (u32 i = 0; i < COUNT_OF(flags); i++) {
    Parse *p = PARSE(flags[i]);
    assert_int_equal(p->result, DRIVER_DONE);
    assert_string_equal(p->messages, "");
    assert_non_null(p->printed);
    finish(p);
  }
  Parse *p = PARSE("-v");
  assert_non_null(strstr(p->printed, "(compatible with GNU ld, LLD 19.1.0)\n"));
  assert_null(strstr(p->printed, " 0."));
  finish(p);
  p = GOOD("-v");
  assert_non_null(p->printed);
  finish(p);
  p = PARSE("--version", "--no-such-option", "a.o");
  assert_int_equal(p->result, DRIVER_DONE);
  finish(p);
}

static void test_help(void **state) {
  (void)state;
  Parse *p = PARSE("--help");
  assert_non_null(strstr(p->printed, "Usage: ld [options] file...\n"));
  assert_non_null(strstr(p->printed, "\nld: supported targets: elf64-x86-64 elf32-x86-64 elf32-i386\n"));
  assert_non_null(strstr(p->printed, "\n  -o FILE, --output FILE"));
  assert_non_null(strstr(p->printed, "\n  --build-id[=KIND]"));
  assert_non_null(strstr(p->printed, "\n  -z max-page-size=N"));
  assert_non_null(strstr(p->printed, "\nAccepted, without effect:\n  --plugin FILE"));
  /* Every row is there. */
  for (u32 i = 0; i < gnu_nrows; i++) {
    char name[64];
    snprintf(name, sizeof name, "%s%s", option_dashes(gnu_rows[i].names[0]),
             gnu_rows[i].names[0]);
    assert_non_null(strstr(p->printed, name));
  }
  for (const char *line = p->printed; *line;) {
    size_t len = strcspn(line, "\n");
    if (strncmp(line, "            ", 12) == 0)
      assert_true(len <= 80);
    line += len + 1;
  }
  finish(p);
}

static void test_flavor_names(void **state) {
  (void)state;
  assert_true(driver_gnu_name("ld"));
  assert_true(driver_gnu_name("/usr/bin/ld.weld"));
  assert_true(driver_gnu_name("x86_64-linux-gnu-ld"));
  assert_true(driver_gnu_name("gnu"));
  assert_false(driver_gnu_name("darwin"));
  assert_false(driver_gnu_name("ld64"));
}

/* ---- jobserver ---- */

static void test_jobserver(void **state) {
  (void)state;
  Jobserver j;
  assert_false(jobserver_open(&j, NULL));
  assert_false(jobserver_open(&j, "-j4"));
  assert_false(jobserver_open(&j, "--jobserver-auth=fifo:/no/such/fifo"));
  assert_false(jobserver_open(&j, "--jobserver-auth=998,999"));
  int fds[2];
  assert_int_equal(pipe(fds), 0);
  assert_int_equal(write(fds[1], "ab", 2), 2);
  char flags[128];
  snprintf(flags, sizeof flags, " -j3 --jobserver-fds=1,2 --jobserver-auth=%d,%d -- X=1", fds[0],
           fds[1]);
  assert_true(jobserver_open(&j, flags));
  assert_int_equal(jobserver_take(&j, 1), 1);
  assert_int_equal(jobserver_take(&j, 5), 1); /* no more are free: does not wait */
  assert_int_equal(j.held, 2);
  jobserver_close(&j);
  char back[4];
  assert_int_equal(read(fds[0], back, sizeof back), 2);
  assert_true((back[0] == 'a' && back[1] == 'b') || (back[0] == 'b' && back[1] == 'a'));
  close(fds[0]);
  close(fds[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rows),          cmocka_unit_test(test_defaults),
      cmocka_unit_test(test_dashes_and_values), cmocka_unit_test(test_unknown),
      cmocka_unit_test(test_unsupported),   cmocka_unit_test(test_input_state),
      cmocka_unit_test(test_kinds),         cmocka_unit_test(test_sysroot),
      cmocka_unit_test(test_response_files), cmocka_unit_test(test_numbers),
      cmocka_unit_test(test_words),         cmocka_unit_test(test_last_wins),
      cmocka_unit_test(test_symbols),       cmocka_unit_test(test_package_metadata),
      cmocka_unit_test(test_version),       cmocka_unit_test(test_help),
      cmocka_unit_test(test_flavor_names),  cmocka_unit_test(test_jobserver),
  };
  return cmocka_run_group_tests_name("driver", tests, NULL, NULL);
}
