/* fuzz_darwin.c: the command line of Apple's linker, as the text of a response file; files that it names hold the same text.
 * Nothing is linked. */
#include "driver/darwin.h"
#include "fuzz.h"

static void quiet(void *ctx, DiagLevel level, const char *code, const char *text) { (void)ctx, (void)level, (void)code, (void)text; }

static bool memory(void *ctx, const char *name, Bytes *out) {
  (void)name;
  *out = *(const Bytes *)ctx;
  return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Bytes text = {data, size};
  Diag *d = diag_create();
  diag_configure(d, &(DiagOptions){.sink = quiet, .program = "weld"});
  Options o;
  options_init(&o);
  char program[] = "ld64", args[] = "@args";
  char *argv[] = {program, args, NULL};
  DriverHooks hooks = {.ctx = &text, .memory = memory};
  driver_darwin(2, argv, &hooks, &o, d);
  diag_flush(d);
  options_free(&o);
  diag_destroy(d);
  return 0;
}
