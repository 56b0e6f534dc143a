/* hash.h: XXH3, inlined (the library's header-only form). */
#ifndef WELD_UTIL_HASH_H
#define WELD_UTIL_HASH_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "util/base.h"

static inline u64 hash_bytes(const void *p, u64 len) { return XXH3_64bits(p, len); }

#endif
