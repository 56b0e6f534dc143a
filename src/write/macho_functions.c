/* macho_functions.c: see macho_functions.h. */
#include "write/macho_functions.h"

#include <stdlib.h>

#include "util/leb.h"

static int by_addr(const void *a, const void *b) {
  u64 x = *(const u64 *)a, y = *(const u64 *)b;
  return x < y ? -1 : x > y;
}

Bytes macho_function_starts(Arena *arena, u64 *addrs, u32 n, u64 base) {
  ByteVec out = {0};
  if (!n)
    return (Bytes){0};
  qsort(addrs, n, sizeof *addrs, by_addr);
  u64 last = base;
  for (u32 i = 0; i < n; i++) {
    if (addrs[i] <= last)
      continue;
    uleb_put(&out, addrs[i] - last);
    last = addrs[i];
  }
  *vec_push(&out) = 0;
  bytes_pad(&out, 8);
  return bytes_take(&out, arena);
}

static int by_place(const void *a, const void *b) {
  const DataInCodeEntry *x = a, *y = b;
  if (x->offset != y->offset)
    return x->offset < y->offset ? -1 : 1;
  if (x->length != y->length)
    return x->length < y->length ? -1 : 1;
  return x->kind < y->kind ? -1 : x->kind > y->kind;
}

void macho_data_in_code_sort(DataInCodeEntry *d, u32 n) {
  if (n)
    qsort(d, n, sizeof *d, by_place);
}
