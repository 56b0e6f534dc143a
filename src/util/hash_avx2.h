/* hash_avx2.h: XXH3 over long input with vectors of 256 bits: the same results as util/hash.h in about half the
 * time. The trap: only hash_avx2_usable() may be called on every CPU. */
#ifndef WELD_UTIL_HASH_AVX2_H
#define WELD_UTIL_HASH_AVX2_H

#include "util/hash.h"

bool hash_avx2_usable(void);
XXH128_hash_t hash_avx2_once(const void *p, u64 len);
void hash_avx2_update(XXH3_state_t *s, const void *p, u64 len);

#endif
