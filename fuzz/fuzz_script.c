/* fuzz_script.c: the parser of linker scripts, INCLUDE too (every name opens the same text again),
 * and the matcher over what came out. */
#include "core/layout_match.h"
#include "fuzz.h"
#include "script/script.h"

#include <stdlib.h>

static void quiet(void *ctx, DiagLevel level, const char *code, const char *text) {
  (void)ctx;
  (void)level;
  (void)code;
  (void)text;
}

static bool open_again(void *ctx, const char *name, const char *from, Bytes *text,
                       const char **path) {
  (void)from;
  (void)path;
  *text = *(const Bytes *)ctx;
  return *name != '!' && text->len < 300; /* 1000 INCLUDEs of more would only be slow */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Arena a = {0};
  Diag *d = diag_create();
  DiagOptions o = {.sink = quiet, .program = "weld"};
  diag_configure(d, &o);
  Bytes text = {data, size};
  Script s = {.open = open_again, .open_ctx = &text};
  if (script_parse(&a, d, "fuzz.ld", text, &s)) {
    LayoutMatcher *m = layout_matcher(&a, &s.layout);
    static const char *const names[] = {".text", ".text.f", ".data.rel.ro.x", "", "COMMON"};
    LayoutHit hit;
    for (u32 i = 0; i < COUNT_OF(names); i++)
      if (layout_match(m, names[i], strlen(names[i]), "dir/a.o", i & 1 ? "m.o" : NULL, 3, 7, &hit) &&
          (hit.stmt >= s.layout.nstmts || hit.pattern >= s.layout.stmts[hit.stmt].npatterns))
        abort();
  }
  diag_flush(d);
  script_free(&s);
  diag_destroy(d);
  arena_free(&a);
  return 0;
}
