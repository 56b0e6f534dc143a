/* fuzz_script_link.c: a script is parsed, and a small object is linked with it, from memory to memory: what evaluates, lays out and writes
 * sees what the parser lets through. Scripts that name files (INPUT, INCLUDE, MAP, b.o(.text)) are only parsed: nothing is opened.
 * The number of bytes says which kind of output it is, so that seeds are plain scripts. */
#include "fuzz.h"
#include "fuzz_script_object.h"
#include "script/script.h"
#include "util/glob.h"
#include "weld.h"

static void quiet(void *ctx, DiagLevel level, const char *code, const char *text) {
  (void)ctx;
  (void)level;
  (void)code;
  (void)text;
}

static void silent(void *ctx, weld_level level, const char *code, const char *text) {
  (void)ctx;
  (void)level;
  (void)code;
  (void)text;
}

static bool names_files(const Script *s) {
  if (s->inputs.n || s->map_file || s->output)
    return true;
  for (u32 i = 0; i < s->layout.nstmts; i++) {
    const LayoutStmt *st = &s->layout.stmts[i];
    for (u32 k = 0; k < st->npatterns; k++)
      if (st->patterns[k].file && !glob_has_magic(st->patterns[k].file))
        return true;
  }
  return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const kinds[][3] = {{"-e", "f", "-z"},         {"-shared", "-Bsymbolic", "-z"}, {"--gc-sections", "--emit-relocs", "-z"},
                                         {"-pie", "-E", "-z"},      {"--oformat=binary", "-s", "-z"}, {"-N", "--orphan-handling=place", "-z"},
                                         {"-r", "-d", "-z"},        {"-static", "--icf=all", "-z"}};
  Arena a = {0};
  Diag *d = diag_create();
  DiagOptions o = {.sink = quiet, .program = "weld"};
  diag_configure(d, &o);
  Script s = {0};
  bool link = script_parse(&a, d, "fuzz.ld", (Bytes){data, size}, &s) && !names_files(&s);
  script_free(&s);
  diag_destroy(d);
  arena_free(&a);
  if (!link)
    return 0;
  const char *const *kind = kinds[size % (sizeof kinds / sizeof kinds[0])];
  const char *args[] = {"-T", "fuzz.ld", "fuzz.o", "--threads=1", kind[0], kind[1], kind[2], "now"};
  weld_input inputs[] = {{"fuzz.ld", data, size}, {"fuzz.o", fuzz_script_object, sizeof fuzz_script_object}};
  weld_request request = {.args = args, .nargs = sizeof args / sizeof args[0], .inputs = inputs, .ninputs = 2, .message = silent};
  weld_buffer out = {0};
  weld_link(&request, &out);
  weld_free(&out);
  return 0;
}
