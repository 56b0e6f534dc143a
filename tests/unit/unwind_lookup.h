/* unwind_lookup.h: a small unwinder that finds an address in __unwind_info, by both levels of its index, with every read
 * checked. Needs cmocka.h before it. */
#ifndef UNWIND_LOOKUP_H
#define UNWIND_LOOKUP_H

#include "format/macho.h"

typedef struct {
  u32 encoding, start, lsda; /* offsets from the base; lsda 0: none */
  bool found;
} UnwindAnswer;

static inline const u8 *unwind_bytes(Bytes b, u64 off, u64 len) {
  Bytes part;
  assert_true(bytes_slice(b, off, len, &part));
  return part.p;
}

/* The index of the last of n records of `size` bytes whose first word (masked) is not above `key`; n: none. */
static inline u32 unwind_last_not_above(const u8 *p, u32 n, u32 size, u32 mask, u32 key) {
  u32 found = n;
  for (u32 i = 0; i < n && (rd32(p + (u64)i * size) & mask) <= key; i++)
    found = i;
  return found;
}

static inline UnwindAnswer unwind_look_up(Bytes b, u32 pc) {
  UnwindInfoSectionHeader h;
  memcpy(&h, unwind_bytes(b, 0, sizeof h), sizeof h);
  assert_int_equal(h.version, 1);
  const u8 *index = unwind_bytes(b, h.indexSectionOffset, 12ULL * h.indexCount);
  u32 k = unwind_last_not_above(index, h.indexCount, 12, ~0U, pc);
  if (k >= h.indexCount - 1)
    return (UnwindAnswer){0};
  const u8 *first = index + 12 * k;
  u32 page = rd32(first + 4), end = k + 2 < h.indexCount ? rd32(first + 16) : (u32)b.len;
  assert_true(end - page <= 4096);
  const u8 *head = unwind_bytes(b, page, 12);
  u32 n = rd16(head + 6);
  UnwindAnswer a = {.found = true};
  if (rd32(head) == 2) {
    const u8 *e = unwind_bytes(b, page + rd16(head + 4), 8ULL * n);
    u32 i = unwind_last_not_above(e, n, 8, ~0U, pc);
    assert_true(i < n);
    a.start = rd32(e + 8 * i);
    a.encoding = rd32(e + 8 * i + 4);
  } else {
    assert_int_equal(rd32(head), 3);
    const u8 *e = unwind_bytes(b, page + rd16(head + 4), 4ULL * n);
    u32 i = unwind_last_not_above(e, n, 4, 0xffffff, pc - rd32(first));
    assert_true(i < n);
    a.start = rd32(first) + (rd32(e + 4 * i) & 0xffffff);
    u32 x = rd32(e + 4 * i) >> 24;
    if (x < h.commonEncodingsArrayCount)
      a.encoding = rd32(unwind_bytes(b, h.commonEncodingsArraySectionOffset + 4 * x, 4));
    else {
      assert_true(x - h.commonEncodingsArrayCount < rd16(head + 10));
      a.encoding = rd32(unwind_bytes(b, page + rd16(head + 8) + 4ULL * (x - h.commonEncodingsArrayCount), 4));
    }
  }
  for (u32 l = rd32(first + 8); l < rd32(first + 20); l += 8)
    if (rd32(unwind_bytes(b, l, 8)) == a.start)
      a.lsda = rd32(b.p + l + 4);
  return a;
}

#endif
