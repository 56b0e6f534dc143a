/* fuzz_dylib.c: dynamic libraries as images: load commands, the export trie, the symbol table. */
#include "fuzz_library.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  for (u32 t = 0; t < COUNT_OF(fuzz_targets); t++) {
    Arena a = {0};
    Diag *d = quiet_diag();
    MachoLibrary lib;
    macho_has_objc((Bytes){data, size});
    if (macho_library_read(&a, d, "fuzz.dylib", (Bytes){data, size}, &fuzz_targets[t], &lib))
      check_library(&lib);
    else if (!diag_errors(d))
      abort();
    diag_flush(d);
    diag_destroy(d);
    arena_free(&a);
  }
  return 0;
}
