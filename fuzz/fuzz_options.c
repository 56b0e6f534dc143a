/* fuzz_options.c: the command line, as the text of a response file. No file is opened, nothing linked. */
#include "driver/gnu.h"
#include "fuzz.h"
#include "script/script.h"

static void quiet(void *ctx, DiagLevel level, const char *code, const char *text) {
  (void)ctx;
  (void)level;
  (void)code;
  (void)text;
}

static bool memory(void *ctx, const char *name, Bytes *out) {
  const Bytes *text = ctx;
  *out = streq(name, "args") ? *text : (Bytes){(const u8 *)"", 0};
  return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Bytes text = {data, size};
  Diag *d = diag_create();
  DiagOptions quiet_options = {.sink = quiet, .program = "weld"};
  diag_configure(d, &quiet_options);
  Options o;
  options_init(&o);
  char program[] = "ld", args[] = "@args";
  char *argv[] = {program, args, NULL};
  DriverHooks hooks = {.ctx = &text,
                       .memory = memory,
                       .parse_version = script_parse_version,
                       .parse_dynamic_list = script_parse_dynamic_list,
                       .parse_expr = script_parse_expr};
  driver_gnu(2, argv, &hooks, &o, d);
  diag_flush(d);
  options_free(&o);
  diag_destroy(d);
  return 0;
}
