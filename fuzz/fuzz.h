/* fuzz.h: what every fuzz target is: one function over bytes. libFuzzer calls it in build-fuzz; in the
 * sanitizer builds standalone.c calls it for each file named, so that seeds and old crashes are tests. */
#ifndef WELD_FUZZ_H
#define WELD_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
