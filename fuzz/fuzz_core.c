/* fuzz_core.c: `weld -core` on a text, or on an ELF object. The last byte chooses the options. */
#include <stdlib.h>

#include "fuzz.h"
#include "graph.h"

static void quiet(void *ctx, DiagLevel level, const char *code, const char *text) {
  (void)ctx;
  (void)level;
  (void)code;
  (void)text;
}

static void add_passes(Options *o, uint8_t choice) {
  static const char *const passes[] = {"icf", "merge", "dead-strip", "order", "got", "stubs", "tls"};
  for (unsigned i = 0; i < sizeof passes / sizeof *passes; i++)
    if (choice >> i & 1)
      *vec_push(&o->passes) = passes[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size)
    return 0;
  uint8_t choice = data[size - 1];
  Diag *d = diag_create();
  DiagOptions quietly = {.sink = quiet, .program = "weld"};
  diag_configure(d, &quietly);
  Options o;
  options_init(&o);
  o.threads = 1;
  o.output = "/dev/null";
  o.kind = choice & 2 ? OUTPUT_SHARED : choice & 4 ? OUTPUT_PIE : OUTPUT_EXEC;
  o.gc_sections = choice & 8;
  o.keep_globals = choice & 16;
  o.undefines_are_errors = choice & 32;
  o.commons_stay = choice & 64;
  o.relocatable = choice & 128;
  o.whole_objects = !(choice & 1);
  add_passes(&o, (uint8_t)(choice * 37));
  *vec_push(&o.inputs) = (Input){.name = "fuzz.yaml", .mem = data, .mem_len = size};
  graph_run(&o, d);
  diag_flush(d);
  diag_destroy(d);
  options_free(&o);
  return 0;
}
