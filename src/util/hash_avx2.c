/* hash_avx2.c: the one file that is compiled for AVX2 (CMakeLists.txt), since XXH3 chooses its vectors when it
 * is compiled. The trap: on a CPU without AVX2 nothing but hash_avx2_usable() may be called. Where the compiler
 * has no such flag, the rest is never called. */
#include "util/hash_avx2.h"

bool hash_avx2_usable(void) {
#ifdef __AVX2__
  return __builtin_cpu_supports("avx2");
#else
  return false;
#endif
}

XXH128_hash_t hash_avx2_once(const void *p, u64 len) { return XXH3_128bits(p, len); }

void hash_avx2_update(XXH3_state_t *s, const void *p, u64 len) { XXH3_128bits_update(s, p, len); }
