/* fuzz_archive.c: one archive, all of it linked. */
#include "fuzz_link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const args[] = {"--threads=1", "-shared", "--whole-archive", "lib.a"};
  fuzz_link("lib.a", data, size, args, 4);
  return 0;
}
