/* fuzz_tbd.c: text stubs of dynamic libraries, of all versions. */
#include "fuzz_library.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  for (u32 t = 0; t < COUNT_OF(fuzz_targets); t++) {
    Arena a = {0};
    Diag *d = quiet_diag();
    MachoLibrary *libs;
    u32 n;
    tbd_is((Bytes){data, size});
    if (tbd_read(&a, d, "fuzz.tbd", (Bytes){data, size}, &fuzz_targets[t], &libs, &n)) {
      if (!n)
        abort();
      for (u32 i = 0; i < n; i++)
        check_library(&libs[i]);
    } else if (!diag_errors(d)) {
      abort();
    }
    diag_flush(d);
    diag_destroy(d);
    arena_free(&a);
  }
  return 0;
}
