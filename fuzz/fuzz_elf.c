/* fuzz_elf.c: one ELF file, object or shared library, through a whole link. The last byte chooses the
 * kind of output, so that the file itself begins at the first. */
#include "fuzz_link.h"

static const char *const kinds[12][5] = {
    {"--threads=1", "-shared", "--gc-sections", "--eh-frame-hdr", "-O2"},
    {"--threads=1", "-pie", "-e0", "-z", "pack-relative-relocs"},
    {"--threads=1", "-static", "-e0", "--build-id=sha1", "-x"},
    {"--threads=1", "-shared", "-z", "notext", "--hash-style=both"},
    {"--threads=1", "-pie", "--unresolved-symbols=ignore-all", "--export-dynamic", "--icf=none"},
    {"--threads=1", "-static", "--unresolved-symbols=ignore-all", "--gc-sections", "-s"},
    {"--threads=1", "-shared", "--compress-debug-sections=zlib", "-Bsymbolic", "--sort-section=name"},
    {"--threads=2", "-shared", "-z", "now", "--no-merge-sections"},
    {"--threads=1", "-r", "-e0", "-X", "--defsym=x=main"},
    {"--threads=1", "-r", "-d", "--force-group-allocation", "--compress-debug-sections=zstd"},
    {"--threads=1", "-r", "--gc-sections", "-u", "main"},
    {"--threads=1", "-shared", "--emit-relocs", "--icf=all", "--unresolved-symbols=ignore-all"},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  fuzz_link("a.o", data, size, kinds[data[size - 1] % 12], 5);
  return 0;
}
