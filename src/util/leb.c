/* leb.c: see leb.h. */
#include "util/leb.h"

#include <stdlib.h>

void bytes_put(ByteVec *v, const void *p, u64 n) {
  if (!n)
    return;
  vec_reserve(v, v->n + (u32)n);
  memcpy(v->at + v->n, p, n);
  v->n += (u32)n;
}

void bytes_pad(ByteVec *v, u32 align) {
  while (v->n % align)
    *vec_push(v) = 0;
}

Bytes bytes_take(ByteVec *v, Arena *arena) {
  Bytes b = {NULL, v->n};
  if (v->n) {
    u8 *p = arena_alloc(arena, v->n, 8);
    memcpy(p, v->at, v->n);
    b.p = p;
  }
  vec_free(v);
  return b;
}

u8 *uleb_write(u8 *p, u64 value) {
  for (; value >= 0x80; value >>= 7)
    *p++ = (u8)(value | 0x80);
  *p++ = (u8)value;
  return p;
}

void uleb_put(ByteVec *v, u64 value) {
  u8 buf[10];
  bytes_put(v, buf, (u64)(uleb_write(buf, value) - buf));
}

void sleb_put(ByteVec *v, i64 value) {
  for (;;) {
    u8 low = (u8)(value & 0x7f);
    value >>= 7; /* arithmetic */
    bool last = value == (low & 0x40 ? -1 : 0);
    *vec_push(v) = (u8)(low | (last ? 0 : 0x80));
    if (last)
      return;
  }
}

bool uleb_read(Bytes b, u64 *off, u64 *value) {
  u64 v = 0;
  unsigned shift = 0;
  for (u64 at = *off; at < b.len;) {
    u8 byte = b.p[at++];
    u64 bits = byte & 0x7f;
    if (shift < 64 ? bits << shift >> shift != bits : bits != 0)
      return false;
    if (shift < 64)
      v |= bits << shift;
    if (!(byte & 0x80)) {
      *off = at;
      *value = v;
      return true;
    }
    shift = MIN(shift + 7, 70U);
  }
  return false;
}

bool sleb_read(Bytes b, u64 *off, i64 *value) {
  u64 v = 0;
  unsigned shift = 0;
  for (u64 at = *off; at < b.len;) {
    u8 byte = b.p[at++];
    u64 bits = byte & 0x7f;
    if (shift < 63) {
      v |= bits << shift;
    } else { /* from here on, nothing but copies of the sign */
      if (shift == 63)
        v |= bits << 63;
      if (bits != (v >> 63 ? 0x7f : 0))
        return false;
    }
    shift = MIN(shift + 7, 70U);
    if (!(byte & 0x80)) {
      if (shift < 64 && byte & 0x40)
        v |= ~0ULL << shift;
      *off = at;
      *value = (i64)v;
      return true;
    }
  }
  return false;
}
