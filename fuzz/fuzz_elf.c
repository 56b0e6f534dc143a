/* fuzz_elf.c: one ELF file, object or shared library, through a whole link. The last byte chooses the
 * kind of output, so that the file itself begins at the first. */
#include "fuzz_link.h"

static const char *const kinds[8][5] = {
    {"--threads=1", "-shared", "--gc-sections", "--eh-frame-hdr", "-O2"},
    {"--threads=1", "-pie", "-e0", "-z", "pack-relative-relocs"},
    {"--threads=1", "-static", "-e0", "--build-id=sha1", "-x"},
    {"--threads=1", "-shared", "-z", "notext", "--hash-style=both"},
    {"--threads=1", "-pie", "--unresolved-symbols=ignore-all", "--export-dynamic", "--icf=none"},
    {"--threads=1", "-static", "--unresolved-symbols=ignore-all", "--gc-sections", "-s"},
    {"--threads=1", "-shared", "--compress-debug-sections=zlib", "-Bsymbolic", "--sort-section=name"},
    {"--threads=2", "-shared", "-z", "now", "--no-merge-sections"},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  fuzz_link("a.o", data, size, kinds[data[size - 1] % 8], 5);
  return 0;
}
