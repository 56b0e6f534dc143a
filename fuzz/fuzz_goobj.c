/* fuzz_goobj.c: one object or package of Go through a whole link. The last byte chooses the options, so that the file itself
 * begins at the first. */
#include <stdlib.h>

#include "fuzz.h"
#include "link_go.h"

static void quiet(void *ctx, DiagLevel level, const char *code, const char *text) {
  (void)ctx;
  (void)level;
  (void)code;
  (void)text;
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
  o.commons_stay = o.go.any_system = o.is_static = o.z_separate_loadable_segments = true;
  o.rosegment = o.z_relro = false;
  o.z_separate_code = OPT_YES;
  o.z_max_page_size = 4096;
  o.entry = choice & 1 ? "start" : NULL;
  o.go.header = choice & 2 ? "darwin" : "elf";
  o.strip = choice & 8 ? STRIP_ALL : STRIP_NONE;
  if (choice & 16)
    *vec_push(&o.go.strings) = (Defsym){.name = "main.version", .text = "text"};
  *vec_push(&o.inputs) = (Input){.name = "fuzz.6", .mem = data, .mem_len = size};
  WeldOutput out = {0};
  go_run(&o, d, &out);
  free(out.data);
  diag_flush(d);
  diag_destroy(d);
  options_free(&o);
  return 0;
}
