/* fuzz_macho.c: a relocatable Mach-O object through `weld -core`. The last byte chooses the options, so that the file itself
 * begins at the first. */
#include "fuzz.h"
#include "graph.h"
#include "read/macho.h"

static void quiet(void *ctx, DiagLevel level, const char *code, const char *text) {
  (void)ctx;
  (void)level;
  (void)code;
  (void)text;
}

static void add_passes(Options *o, uint8_t choice) {
  static const char *const passes[] = {"icf", "merge", "dead-strip", "order"};
  for (unsigned i = 0; i < sizeof passes / sizeof *passes; i++)
    if (choice >> i & 1)
      *vec_push(&o->passes) = passes[i];
}

/* A fat file's parts, as inputs.c of a link takes them. */
static Bytes choose_part(Bytes b) {
  Bytes part;
  const char *why;
  if (macho_is_fat(b) && (macho_slice(b, macho_cpu_of(&(Arch){.name = "aarch64"}), &part, &why) || macho_slice(b, macho_cpu_of(&(Arch){.name = "x86_64"}), &part, &why)))
    return part;
  return b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size)
    return 0;
  uint8_t choice = data[size - 1];
  Bytes b = choose_part((Bytes){data, size - 1});
  if (!macho_is(b, NULL, NULL))
    return 0;
  Diag *d = diag_create();
  DiagOptions quietly = {.sink = quiet, .program = "weld"};
  diag_configure(d, &quietly);
  Options o;
  options_init(&o);
  o.threads = 1;
  o.output = "/dev/null";
  o.gc_sections = choice & 16;
  o.keep_globals = choice & 32;
  o.icf = choice & 64 ? ICF_SAFE : ICF_NONE;
  add_passes(&o, choice);
  *vec_push(&o.inputs) = (Input){.name = "a.o", .mem = b.p, .mem_len = b.len};
  if (choice & 128) /* the same again: definitions compete */
    *vec_push(&o.inputs) = (Input){.name = "b.o", .mem = b.p, .mem_len = b.len};
  graph_run(&o, d);
  diag_flush(d);
  diag_destroy(d);
  options_free(&o);
  return 0;
}
