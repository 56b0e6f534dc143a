/* fuzz_macho_link.c: a Mach-O object (or an archive, a fat file, a library) through a whole link, to memory. The last byte chooses
 * the command line, so that the file itself begins at the first. */
#include <stdlib.h>

#include "driver/darwin.h"
#include "format/macho.h"
#include "fuzz.h"
#include "link_macho.h"
#include "read/macho.h"

static void quiet(void *ctx, DiagLevel level, const char *code, const char *text) { (void)ctx, (void)level, (void)code, (void)text; }

static bool memory(void *ctx, const char *name, Bytes *out) {
  *out = *(const Bytes *)ctx;
  return streq(name, "a.o");
}

enum { MOST_ARGS = 6 };
static const char *const lines[8][MOST_ARGS] = {
    {"-dylib", "-dead_strip", "-undefined", "dynamic_lookup"},
    {"-dylib", "-no_fixup_chains", "-undefined", "dynamic_lookup", "--icf=all"},
    {"-e", "_main", "-undefined", "dynamic_lookup", "-dead_strip"},
    {"-bundle", "-undefined", "dynamic_lookup", "-all_load", "-ObjC"},
    {"-dylib", "-x", "-S", "-undefined", "dynamic_lookup", "-adhoc_codesign"},
    {"-e", "_main", "-no_fixup_chains", "-undefined", "dynamic_lookup", "-export_dynamic"},
    {"-dylib", "-undefined", "dynamic_lookup", "-no_compact_unwind", "-flat_namespace"},
    {"-e", "_main", "-no_pie", "-U", "_far"},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size)
    return 0;
  uint8_t choice = data[size - 1];
  Bytes b = {data, size - 1};
  u32 cpu = choice & 8 ? CPU_TYPE_ARM64 : CPU_TYPE_X86_64;
  macho_is(b, NULL, &cpu);
  Diag *d = diag_create();
  diag_configure(d, &(DiagOptions){.sink = quiet, .program = "weld"});
  Options o;
  options_init(&o);
  const char *argv[16] = {"ld64", "-arch", cpu == CPU_TYPE_ARM64 ? "arm64" : "x86_64", "-platform_version", "macos", "11.0", "11.0", "a.o"};
  int argc = 8;
  for (u32 i = 0; i < MOST_ARGS && lines[choice % 8][i]; i++)
    argv[argc++] = lines[choice % 8][i];
  DriverHooks hooks = {.ctx = &b, .memory = memory};
  WeldOutput out = {0};
  if (driver_darwin(argc, (char **)(uintptr_t)argv, &hooks, &o, d) == DRIVER_LINK) {
    for (u32 i = 0; i < o.inputs.n; i++)
      if (streq(o.inputs.at[i].name, "a.o")) {
        o.inputs.at[i].mem = b.p;
        o.inputs.at[i].mem_len = b.len;
      }
    o.threads = 1;
    macho_run(&o, d, &out);
  }
  diag_flush(d);
  diag_destroy(d);
  options_free(&o);
  free(out.data);
  return 0;
}
