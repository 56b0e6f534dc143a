/* hash.h: XXH3, inlined (the library's header-only form). */
#ifndef WELD_UTIL_HASH_H
#define WELD_UTIL_HASH_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "util/base.h"

static inline u64 hash_bytes(const void *p, u64 len) { return XXH3_64bits(p, len); }

typedef struct {
  u64 lo, hi;
} Hash128;

static inline Hash128 hash128_bytes(const void *p, u64 len) {
  XXH128_hash_t h = XXH3_128bits(p, len);
  return (Hash128){h.low64, h.high64};
}

#endif
