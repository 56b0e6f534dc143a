/* fuzz_yaml.c: the text form of the graph. What can be read is written and read again, which must
 * give the same graph and the same text; what can't be read must have been reported. */
#include "../tests/unit/yaml_equal.h"
#include "fuzz.h"
#include "read/yaml_text.h"
#include "write/yaml_text.h"

#include <stdlib.h>

static void quiet(void *ctx, DiagLevel level, const char *code, const char *text) {
  (void)ctx;
  (void)level;
  (void)code;
  (void)text;
}

/* Compares what comes with a text. */
static bool compare(void *ctx, const char *text, u64 len) {
  Bytes *left = ctx;
  if (len > left->len || memcmp(left->p, text, len) != 0)
    abort();
  *left = (Bytes){left->p + len, left->len - len};
  return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Arena a = {0};
  Diag *d = diag_create();
  DiagOptions o = {.sink = quiet, .program = "weld"};
  diag_configure(d, &o);
  YamlStream first, second;
  if (yaml_read(&a, d, "fuzz.yaml", (Bytes){data, size}, &first)) {
    YamlOut out = {0};
    if (!yaml_write(&first, &out))
      abort();
    Bytes text = {(const u8 *)out.text, out.len};
    if (!yaml_read(&a, d, "written.yaml", text, &second) || !yaml_equal(&first, &second))
      abort();
    YamlOut again = {.sink = compare, .ctx = &text};
    if (!yaml_write(&second, &again) || text.len)
      abort();
    yaml_out_free(&again);
    yaml_out_free(&out);
  } else if (!diag_errors(d)) {
    abort();
  }
  diag_flush(d);
  diag_destroy(d);
  arena_free(&a);
  return 0;
}
