/* fuzz_version.c: version scripts, dynamic lists and expressions; the last byte says which. */
#include "fuzz.h"
#include "script/script.h"

#include <stdlib.h>

static void quiet(void *ctx, DiagLevel level, const char *code, const char *text) {
  (void)ctx;
  (void)level;
  (void)code;
  (void)text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  Arena a = {0};
  Diag *d = diag_create();
  DiagOptions o = {.sink = quiet, .program = "weld"};
  diag_configure(d, &o);
  Bytes text = {data, size};
  switch (data[size - 1] % 3) {
  case 0: {
    VersionScript v = {0};
    script_parse_version(&a, d, "fuzz.map", text, &v);
    script_free_version(&v);
    break;
  }
  case 1: {
    VersionPatterns p = {0};
    script_parse_dynamic_list(&a, d, "fuzz.list", text, &p);
    vec_free(&p);
    break;
  }
  case 2: {
    char *s = arena_strndup(&a, (const char *)data, size);
    script_parse_expr(&a, d, "--defsym", s);
    break;
  }
  }
  diag_flush(d);
  diag_destroy(d);
  arena_free(&a);
  return 0;
}
