/* bytes.h: views of memory, and the one place through which bytes leave a hostile file.
 * The trap: a length is compared with what remains, never added to an offset. */
#ifndef WELD_UTIL_BYTES_H
#define WELD_UTIL_BYTES_H

#include "util/base.h"

typedef struct {
  const u8 *p;
  u64 len;
} Bytes;

static inline bool bytes_slice(Bytes b, u64 off, u64 len, Bytes *out) {
  if (off > b.len || len > b.len - off)
    return false;
  *out = (Bytes){b.p + off, len};
  return true;
}

/* `count` records of `size` bytes at `off`; false when they do not fit (or count * size overflows). */
static inline bool bytes_array(Bytes b, u64 off, u64 count, u64 size, Bytes *out) {
  u64 len;
  return !__builtin_mul_overflow(count, size, &len) && bytes_slice(b, off, len, out);
}

/* A NUL-terminated string at `off`; NULL when `off` is outside or no NUL follows. */
static inline const char *bytes_cstr(Bytes b, u64 off) {
  if (off >= b.len || !memchr(b.p + off, 0, b.len - off))
    return NULL;
  return (const char *)b.p + off;
}

static inline u16 rd16(const void *p) { u16 v; memcpy(&v, p, 2); return v; }
static inline u32 rd32(const void *p) { u32 v; memcpy(&v, p, 4); return v; }
static inline u64 rd64(const void *p) { u64 v; memcpy(&v, p, 8); return v; }
static inline void wr16(void *p, u16 v) { memcpy(p, &v, 2); }
static inline void wr32(void *p, u32 v) { memcpy(p, &v, 4); }
static inline void wr64(void *p, u64 v) { memcpy(p, &v, 8); }

#endif
