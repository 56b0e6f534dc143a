/* base.h: the fixed-width names and small macros that every room uses. */
#ifndef WELD_UTIL_BASE_H
#define WELD_UTIL_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t i8;
typedef int16_t i16;
typedef int32_t i32;
typedef int64_t i64;

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
/* Binary search: the first i below n for which `before`, an expression of i, does not hold, or n. Those for which it holds stand
 * in front of all others. */
#define FIRST_NOT(n, i, before)                                                                    \
  ({                                                                                               \
    u32 lo_ = 0, hi_ = (n);                                                                        \
    while (lo_ < hi_) {                                                                            \
      u32 i = lo_ + (hi_ - lo_) / 2;                                                               \
      if (before)                                                                                  \
        lo_ = i + 1;                                                                               \
      else                                                                                         \
        hi_ = i;                                                                                   \
    }                                                                                              \
    lo_;                                                                                           \
  })
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
/* Asks for a line of memory. Without the empty asm, gcc takes a function that does nothing else for one without
 * effect, and drops every call of it. */
#define PREFETCH(p)                                                                                \
  do {                                                                                             \
    __builtin_prefetch(p);                                                                         \
    __asm__ volatile("");                                                                          \
  } while (0)
/* Of an address that need not be one: the input says where. */
#define PREFETCH_AT(p, off) PREFETCH((const void *)((uintptr_t)(p) + (uintptr_t)(off)))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Rounds up to a power of two `a`; wraps only when v is within a of 2^64, which callers exclude. */
static inline u64 align_up(u64 v, u64 a) { return (v + a - 1) & ~(a - 1); }
static inline u64 align_down(u64 v, u64 a) { return v & ~(a - 1); }
static inline bool is_pow2(u64 v) { return v && !(v & (v - 1)); }
/* log2 of a power of two. */
static inline u8 log2_u64(u64 v) { return (u8)(63 - __builtin_clzll(v | 1)); }
static inline bool streq(const char *a, const char *b) { return strcmp(a, b) == 0; }
static inline bool starts_with(const char *s, const char *prefix) {
  return strncmp(s, prefix, strlen(prefix)) == 0;
}

#endif
