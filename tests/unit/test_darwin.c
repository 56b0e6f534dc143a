/* test_darwin.c: the command line of Apple's linker. Each test parses one line and looks at the Options. */
#include <sys/stat.h>
#include <unistd.h>

#include "driver/darwin.h"

#define DRIVER driver_darwin
#define PROGRAM "/usr/bin/ld64.weld"
#include "driver_case.h"

#include "driver/darwin_rows.h"

/* ---- what the driver borrows ---- */

static bool memory(void *ctx, const char *name, Bytes *out) {
  (void)ctx;
  static const MemoryFile files[] = {
      {"exports", "_foo   # the entry\n\n# nothing\n_bar*\r\n"},
      {"order", "# order\nx86_64:_one\narm64:_two\n_three # last\nobj.o:_four\nx86_64: lib.a(m.o): _five\n"},
      {"list", "a.o\nwith blank.o\r\n/abs.o\n\n"},
      {"bytes", "xyz"},
      {"rsp", "-dead_strip '-L' /none"},
      {"rpath/x", "-dead_strip"},
  };
  return find_in_memory(files, COUNT_OF(files), name, out);
}

static DriverHooks hooks_of(Parse *p) { return (DriverHooks){.ctx = p, .print = print, .memory = memory}; }

#define MAC "-arch", "x86_64", "-platform_version", "macos", "11.0", "12.3"
#define ARM "-arch", "arm64", "-platform_version", "macos", "11.0", "12.3"

/* ---- the table ---- */

static void test_rows(void **state) {
  (void)state;
  for (u32 i = 0; i < darwin_nrows; i++) {
    const OptionRow *row = &darwin_rows[i];
    assert_true(row->help[0] && row->help[strlen(row->help) - 1] != '.');
    assert_true((row->arg == ARG_FLAG) == !row->metavar);
    assert_true(row->arg == ARG_FLAG || row->values);
    for (u32 n = 0; row->names[n]; n++)
      for (u32 k = 0; k < darwin_nrows; k++)
        for (u32 m = 0; darwin_rows[k].names[m]; m++)
          if ((k != i || m != n) && streq(darwin_rows[k].names[m], row->names[n]))
            fail_msg("two rows for %s", row->names[n]);
  }
}

/* Every name of every row is found as itself. */
static void test_every_row(void **state) {
  (void)state;
  for (u32 i = 0; i < darwin_nrows; i++)
    for (u32 n = 0; darwin_rows[i].names[n]; n++) {
      const OptionRow *row = &darwin_rows[i];
      char arg[64];
      snprintf(arg, sizeof arg, "%s%s%s", row->dashes, row->names[n], row->arg == ARG_JOINED ? "x" : "");
      u32 words = row->arg == ARG_FLAG || row->arg == ARG_OPTIONAL || row->arg == ARG_JOINED ? 0 : row->values;
      Parse *p = words == 0   ? PARSE(arg)
                 : words == 1 ? PARSE(arg, "1")
                 : words == 2 ? PARSE(arg, "1", "1")
                 : words == 3 ? PARSE(arg, "1", "1", "1")
                              : PARSE(arg, "1", "1", "1", "1");
      if (strstr(p->messages, "unknown command line option") || strstr(p->messages, "needs a value"))
        fail_msg("%s: %s", arg, p->messages);
      finish(p);
    }
}

static void test_defaults(void **state) {
  (void)state;
  Parse *p = GOOD(MAC);
  assert_string_equal(p->o.output, "a.out");
  assert_string_equal(p->o.entry, "_main");
  assert_int_equal(p->o.kind, OUTPUT_PIE);
  assert_int_equal(p->o.darwin.platform, 1);
  assert_int_equal(p->o.darwin.min_version, 0xb0000);
  assert_int_equal(p->o.darwin.sdk_version, 0xc0300);
  assert_int_equal(p->o.darwin.headerpad, 32);
  assert_int_equal(p->o.darwin.roots.n, 1);
  assert_true(p->o.darwin.data_const);
  assert_false(p->o.darwin.chained_fixups || p->o.darwin.adhoc_sign || p->o.gc_sections || p->o.demangle || p->o.darwin.init_offsets);
  assert_null(p->o.soname);
  finish(p);
}

/* What clang passes. */
static void test_clang(void **state) {
  (void)state;
  Parse *p = GOOD("-demangle", "-lto_library", "/x/libLTO.dylib", "-dynamic", "-dylib", "-arch", "arm64", "-platform_version", "macos", "11.0.0", "12.3", "-o",
                  "x.dylib", "-framework", "Foo", "-lbar", "-dead_strip", "-lSystem", "-no_deduplicate", "-mllvm", "-x=y", "-O2");
  assert_string_equal(p->o.darwin.arch, "arm64");
  assert_int_equal(p->o.kind, OUTPUT_SHARED);
  assert_string_equal(p->o.soname, "x.dylib");
  assert_null(p->o.entry);
  assert_true(p->o.gc_sections && p->o.demangle && p->o.darwin.adhoc_sign);
  assert_int_equal(p->o.inputs.n, 4);
  assert_true(p->o.inputs.at[0].is_framework);
  assert_string_equal(p->o.inputs.at[0].name, "Foo");
  assert_true(p->o.inputs.at[2].is_lib);
  assert_string_equal(p->o.inputs.at[2].name, "System");
  finish(p);
  /* Older ones. */
  p = GOOD("-dynamic", "-arch", "x86_64", "-macosx_version_min", "10.9", "-syslibroot", "/none/MacOSX12.1.sdk/", "-o", "x");
  assert_int_equal(p->o.darwin.min_version, 0xa0900);
  assert_int_equal(p->o.darwin.sdk_version, 0xc0100);
  assert_string_equal(p->o.darwin.roots.at[0], "/none/MacOSX12.1.sdk");
  assert_false(p->o.darwin.data_const);
  finish(p);
  p = GOOD("-arch", "x86_64", "-macos_version_min", "10.9", "-sdk_version", "10.15");
  assert_int_equal(p->o.darwin.sdk_version, 0xa0f00);
  finish(p);
}

/* ---- spelling ---- */

static void test_spelling(void **state) {
  (void)state;
  /* A whole word is a name before it is the beginning of another one's value. */
  Parse *p = GOOD(MAC, "-lazy-lfoo", "-lazy_library", "b.dylib", "-weak-lz", "-Z", "-u", "_u", "--threads=3", "--threads", "4", "-icf=all", "--error-limit=0",
                  "-L/none/x", "-w");
  assert_int_equal(p->o.inputs.n, 4);
  assert_string_equal(p->o.inputs.at[0].name, "foo");
  assert_string_equal(p->o.inputs.at[1].name, "b.dylib");
  assert_true(p->o.inputs.at[2].weak && p->o.inputs.at[2].is_lib);
  assert_true(p->o.darwin.no_standard_dirs);
  assert_int_equal(p->o.threads, 4);
  assert_int_equal(p->o.error_limit, 0);
  assert_int_equal(p->o.icf, ICF_ALL);
  assert_string_equal(p->o.undefined.at[0], "_u");
  finish(p);
  BAD("unknown command line option: -dead_stripp; did you mean -dead_strip?", MAC, "-dead_stripp");
  BAD("unknown command line option: -thread=4; did you mean --threads?", MAC, "-thread=4");
  BAD("unknown command line option: -qqqqqq\n", MAC, "-qqqqqq");
  BAD("unknown command line option: -l\n", MAC, "-l");
  BAD("unknown command line option: -dylibx", MAC, "-dylibx");
  p = PARSE("-sectcreate", "__DATA", "__x");
  assert_non_null(strstr(p->messages, "-sectcreate needs values: SEGMENT SECTION FILE"));
  finish(p);
  p = GOOD(MAC, "-dylib", "-install_name", "@rpath/x"); /* no response file, though there is one */
  assert_string_equal(p->o.soname, "@rpath/x");
  assert_false(p->o.gc_sections);
  finish(p);
  p = PARSE(MAC, "a.o", "@rsp", "-o");
  assert_true(p->o.gc_sections);
  assert_non_null(strstr(p->messages, "-o needs a value: FILE"));
  finish(p);
}

/* ---- target ---- */

static void test_target(void **state) {
  (void)state;
  static const struct { const char *platform, *min; u32 number; bool chained, data_const; } cases[] = {
      {"macos", "10.14", 1, false, false}, {"macos", "10.15", 1, false, true}, {"macos", "13.0", 1, true, true},
      {"ios", "13.3.9", 2, false, true},   {"2", "13.4", 2, true, true},       {"iOS Simulator", "15", 7, false, true},
      {"mac-catalyst", "14.0", 6, false, false}, {"watchos", "7.0", 4, true, true}, {"driverkit", "20.0", 10, false, false},
  };
  for (u32 i = 0; i < COUNT_OF(cases); i++) {
    Parse *p = GOOD("-arch", "arm64", "-platform_version", cases[i].platform, cases[i].min, "16");
    assert_int_equal(p->o.darwin.platform, cases[i].number);
    assert_int_equal(p->o.darwin.chained_fixups, cases[i].chained);
    assert_int_equal(p->o.darwin.data_const, cases[i].data_const);
    finish(p);
  }
  BAD("-arch must say what to link for: x86_64 or arm64", "-platform_version", "macos", "1", "1");
  BAD("-platform_version must say what system to link for", "-arch", "arm64");
  BAD("-arch i386 is not supported yet", "-arch", "i386", "-platform_version", "macos", "1", "1");
  BAD("-arch: expected x86_64 or arm64, got 'vax'", "-arch", "vax", "-platform_version", "macos", "1", "1");
  BAD("-platform_version: expected a platform", "-arch", "arm64", "-platform_version", "beos", "1", "1");
  BAD("-platform_version: expected a version X.Y.Z (X up to 65535, Y and Z up to 255), got '11.300'", "-arch", "arm64", "-platform_version", "macos", "11.300", "1");
  BAD("got '11.'", "-arch", "arm64", "-platform_version", "macos", "11.", "1");
  BAD("got '1.2.3.4'", "-arch", "arm64", "-platform_version", "macos", "11", "1.2.3.4");
  BAD("an output for two platforms is not supported yet", MAC, "-platform_version", "mac-catalyst", "14", "14");
  Parse *p = GOOD(MAC, "-platform_version", "macos", "13", "13");
  assert_int_equal(p->o.darwin.min_version, 0xd0000);
  finish(p);
}

static void test_output(void **state) {
  (void)state;
  Parse *p = GOOD(MAC, "-no_pie", "-fixup_chains", "-pie");
  assert_int_equal(p->o.kind, OUTPUT_PIE);
  assert_true(p->o.darwin.chained_fixups && p->o.darwin.init_offsets);
  finish(p);
  p = GOOD(MAC, "-no_pie");
  assert_int_equal(p->o.kind, OUTPUT_EXEC);
  assert_false(p->o.darwin.data_const);
  finish(p);
  p = PARSE(ARM, "-no_pie", "a.o");
  assert_int_equal(p->o.kind, OUTPUT_PIE);
  assert_non_null(strstr(p->messages, "warning[bad-option]: -no_pie: programs for arm64"));
  finish(p);
  p = GOOD(ARM, "-no_adhoc_codesign", "-no_data_const", "-bundle", "-pagezero_size", "0x4000", "-headerpad", "100", "-stack_size", "80000");
  assert_true(p->o.kind == OUTPUT_SHARED && p->o.darwin.bundle);
  assert_null(p->o.soname);
  assert_false(p->o.darwin.adhoc_sign || p->o.darwin.data_const);
  assert_int_equal(p->o.darwin.pagezero_size, 0x4000);
  assert_int_equal(p->o.darwin.headerpad, 0x100);
  assert_int_equal(p->o.z_stack_size, 0x80000);
  finish(p);
  p = GOOD(MAC, "-dylib", "-o", "out/libfoo_debug.1.dylib", "-final_output", "/usr/lib/libfoo.1.dylib", "-current_version", "1.2.3", "-compatibility_version", "1");
  assert_string_equal(p->o.soname, "/usr/lib/libfoo.1.dylib");
  assert_string_equal(p->o.darwin.client_name, "foo");
  assert_int_equal(p->o.darwin.current_version, 0x10203);
  assert_int_equal(p->o.darwin.compatibility_version, 0x10000);
  finish(p);
  BAD("-current_version may not be used without -dylib", MAC, "-current_version", "1");
  BAD("-fixup_chains may not be used with -no_pie", MAC, "-no_pie", "-fixup_chains");
  BAD("-headerpad: expected a hexadecimal address, got '1g'", MAC, "-headerpad", "1g");
  BAD("-headerpad: fffffff: at most 1000000", MAC, "-headerpad", "fffffff");
  BAD("-bundle_loader may not be used without -bundle", MAC, "-bundle_loader", "x");
  BAD("-dyld_env may not be used with -dylib", MAC, "-dylib", "-dyld_env", "A=B");
  BAD("-dyld_env: expected NAME=VALUE, got 'A'", MAC, "-dyld_env", "A");
  BAD("-r is not supported yet", MAC, "-r");
  BAD("-static is not supported yet", MAC, "-static");
}

/* ---- inputs ---- */

static void test_inputs(void **state) {
  (void)state;
  Parse *p = GOOD(MAC, "-filelist", "list,/dir", "-force_load", "f.a", "-weak_framework", "W,_debug", "-reexport_library", "r.dylib", "-hidden-lh", "-needed_library", "n",
                  "-upward-lu", "--start-lib", "s.o", "--end-lib", "bytes");
  static const char *const names[] = {"/dir/a.o", "/dir/with blank.o", "/abs.o", "f.a", "W,_debug", "r.dylib", "h", "n", "u", "s.o", "bytes", "a.o"};
  assert_int_equal(p->o.inputs.n, COUNT_OF(names));
  for (u32 i = 0; i < COUNT_OF(names); i++)
    assert_string_equal(p->o.inputs.at[i].name, names[i]);
  const Input *in = p->o.inputs.at;
  assert_true(in[3].whole_archive && in[4].weak && in[4].is_framework && in[5].reexport && in[6].hidden && in[6].is_lib && in[7].needed && in[8].upward && in[9].start_lib);
  assert_false(in[11].start_lib);
  assert_int_equal(in[10].mem_len, 3);
  finish(p);
  BAD("-filelist: cannot open nothing", MAC, "-filelist", "nothing");
  BAD("--end-lib without --start-lib", MAC, "--end-lib");
  BAD("--start-lib without --end-lib", MAC, "--start-lib");
  p = PARSE(MAC);
  assert_non_null(strstr(p->messages, "no input files"));
  finish(p);
}

static void test_search(void **state) {
  (void)state;
  char dir[] = "/tmp/weld-darwin-XXXXXX", path[200], root[100], lib[200];
  assert_non_null(mkdtemp(dir));
  static const char *const made[] = {"/r", "/r/usr", "/r/usr/lib", "/r/opt", "/r/System", "/r/System/Library", "/r/System/Library/Frameworks"};
  for (u32 i = 0; i < COUNT_OF(made); i++) {
    snprintf(path, sizeof path, "%s%s", dir, made[i]);
    assert_int_equal(mkdir(path, 0700), 0);
  }
  snprintf(root, sizeof root, "%s/r/", dir);
  snprintf(lib, sizeof lib, "-L%s", dir);
  Parse *p = PARSE(MAC, "-syslibroot", root, "-L/opt", lib, "-L/none", "-v", "a.o");
  assert_int_equal(p->o.lib_dirs.n, 3);
  snprintf(path, sizeof path, "%s/r/opt", dir);
  assert_string_equal(p->o.lib_dirs.at[0], path);
  assert_string_equal(p->o.lib_dirs.at[1], dir);
  snprintf(path, sizeof path, "%s/r/usr/lib", dir);
  assert_string_equal(p->o.lib_dirs.at[2], path);
  assert_non_null(strstr(p->printed, path));
  assert_int_equal(p->o.darwin.framework_dirs.n, 1);
  assert_string_equal(p->messages, "warning[search-path]: -L/none: there is no such directory\n");
  finish(p);
  p = GOOD(MAC, "-syslibroot", root, "-Z", "-syslibroot", "/");
  assert_int_equal(p->o.lib_dirs.n, 0);
  assert_string_equal(p->o.darwin.roots.at[0], "");
  finish(p);
  for (u32 i = COUNT_OF(made); i-- > 0;) {
    snprintf(path, sizeof path, "%s%s", dir, made[i]);
    rmdir(path);
  }
  rmdir(dir);
}

/* ---- symbols and sections ---- */

static void test_symbols(void **state) {
  (void)state;
  Parse *p = GOOD(MAC, "-exported_symbols_list", "exports", "-exported_symbol", "_x", "-U", "_d", "-undefined", "dynamic_lookup", "-alias", "_a", "_b", "-rpath", "/r",
                  "-rpath", "/r");
  static const char *const patterns[] = {"_foo", "_bar*", "_x"};
  assert_true(p->o.darwin.explicit_exports);
  assert_int_equal(p->o.darwin.exported.n, COUNT_OF(patterns));
  for (u32 i = 0; i < COUNT_OF(patterns); i++)
    assert_string_equal(p->o.darwin.exported.at[i], patterns[i]);
  assert_int_equal(p->o.darwin.undefined, UNDEFINED_DYNAMIC_LOOKUP);
  assert_string_equal(p->o.darwin.dynamic_lookup.at[0], "_d");
  assert_string_equal(p->o.darwin.aliases.at[0].name, "_b");
  assert_string_equal(p->o.darwin.aliases.at[0].text, "_a");
  assert_int_equal(p->o.rpath.n, 1);
  finish(p);
  p = PARSE(MAC, "-order_file", "order", "a.o");
  static const char *const order[] = {"_one", "_three", "_four", "_five"};
  assert_int_equal(p->o.symbol_ordering.n, COUNT_OF(order));
  for (u32 i = 0; i < COUNT_OF(order); i++)
    assert_string_equal(p->o.symbol_ordering.at[i], order[i]);
  assert_string_equal(p->messages, "warning[unsupported-option]: -order_file: order:5: the object of a symbol is not looked at: every symbol of that name is meant\n");
  finish(p);
  finish(GOOD(MAC, "-flat_namespace", "-undefined", "suppress"));
  BAD("-undefined suppress may not be used without -flat_namespace", MAC, "-undefined", "suppress");
  BAD("-undefined: expected error, warning, suppress or dynamic_lookup, got 'ignore'", MAC, "-undefined", "ignore");
  BAD("-exported_symbol and -unexported_symbol may not be used together", MAC, "-unexported_symbol", "_a", "-exported_symbol", "_b");
  BAD("-no_exported_symbols and -unexported_symbols_list may not", MAC, "-no_exported_symbols", "-unexported_symbols_list", "exports");
  BAD("-exported_symbols_list: cannot open nothing", MAC, "-exported_symbols_list", "nothing");
}

static void test_sections(void **state) {
  (void)state;
  Parse *p = GOOD(MAC, "-sectcreate", "__DATA", "__x", "bytes", "-rename_section", "__A", "__b", "__C", "__d", "-rename_segment", "__E", "__F", "-sectalign", "__A",
                  "__b", "100", "-segprot", "__A", "rwx", "r-x", "-S", "-x");
  assert_int_equal(p->o.darwin.file_sections.at[0].len, 3);
  assert_memory_equal(p->o.darwin.file_sections.at[0].bytes, "xyz", 3);
  assert_string_equal(p->o.darwin.renames.at[0].to_section, "__d");
  assert_null(p->o.darwin.renames.at[1].section);
  assert_int_equal(p->o.darwin.section_aligns.at[0].align, 0x100);
  assert_int_equal(p->o.darwin.protections.at[0].max, 7);
  assert_int_equal(p->o.darwin.protections.at[0].init, 5);
  assert_int_equal(p->o.strip, STRIP_DEBUG);
  assert_int_equal(p->o.discard, DISCARD_ALL);
  finish(p);
  BAD("-sectcreate: expected a name of 1 to 16 bytes, got '__12345678901234567'", MAC, "-sectcreate", "__12345678901234567", "__x", "bytes");
  BAD("-sectcreate: cannot open nothing", MAC, "-sectcreate", "__A", "__b", "nothing");
  BAD("value must be a power of 2", MAC, "-sectalign", "__A", "__b", "3");
  BAD("allows more than the maximum", MAC, "-segprot", "__A", "r", "rw");
  BAD("expected letters of rwx", MAC, "-segprot", "__A", "q", "r");
  BAD("__LINKEDIT", MAC, "-segprot", "__LINKEDIT", "rw", "r");
  BAD("may not be used together", MAC, "-non_global_symbols_strip_list", "exports", "-non_global_symbols_no_strip_list", "exports");
}

/* ---- messages ---- */

static void test_messages(void **state) {
  (void)state;
  Parse *p = PARSE("-help");
  assert_int_equal(p->result, DRIVER_DONE);
  for (u32 i = 0; i < darwin_nrows; i++)
    for (u32 n = 0; darwin_rows[i].names[n]; n++)
      if (!strstr(p->printed, darwin_rows[i].names[n]))
        fail_msg("no %s in --help", darwin_rows[i].names[n]);
  finish(p);
  p = PARSE("--version");
  assert_int_equal(p->result, DRIVER_DONE);
  assert_true(starts_with(p->printed, "weld"));
  finish(p);
  p = PARSE("-v");
  assert_int_equal(p->result, DRIVER_DONE);
  finish(p);
  p = GOOD(MAC, "--color-diagnostics", "-why_live", "_x", "-dead_strip", "-map", "m", "-t", "-why_load", "-dependency_info", "d", "--time-trace", "-o", "o");
  assert_int_equal(p->o.color, OPT_YES);
  assert_true(p->o.trace && p->o.darwin.why_load);
  assert_string_equal(p->o.why_live.at[0], "_x");
  assert_string_equal(p->o.time_trace, "o.time-trace");
  finish(p);
  p = PARSE(MAC, "-why_live", "_x", "a.o");
  assert_non_null(strstr(p->messages, "warning[bad-option]: -why_live has no effect without -dead_strip"));
  finish(p);
  BAD("error[bad-option]: -why_live has no effect", MAC, "-why_live", "_x", "-fatal_warnings");
  p = PARSE(MAC, "-dtrace", "x", "-root_safe", "-fatal_warnings", "-w", "a.o");
  assert_non_null(strstr(p->messages, "-dtrace is not supported yet"));
  assert_null(strstr(p->messages, "-root_safe"));
  finish(p);
}

static void test_names(void **state) {
  (void)state;
  assert_true(driver_darwin_name("darwin") && driver_darwin_name("/x/ld64.weld") && driver_darwin_name("ld64.lld") && driver_darwin_name("ld64"));
  assert_true(driver_darwin_name("x86_64-apple-darwin20-ld64.weld"));
  assert_false(driver_darwin_name("ld.weld") || driver_darwin_name("ld") || driver_darwin_name("ld64.gold") || driver_darwin_name("weld"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rows),    cmocka_unit_test(test_every_row), cmocka_unit_test(test_defaults), cmocka_unit_test(test_clang),
      cmocka_unit_test(test_spelling), cmocka_unit_test(test_target),   cmocka_unit_test(test_output),   cmocka_unit_test(test_inputs),
      cmocka_unit_test(test_search),  cmocka_unit_test(test_symbols),   cmocka_unit_test(test_sections), cmocka_unit_test(test_messages),
      cmocka_unit_test(test_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
