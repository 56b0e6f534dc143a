/* decompress.c: zlib through libdeflate (two to three times as fast as zlib on whole buffers), zstd
 * through its library. The trap: a stream that ends early is as wrong as one that does not fit; both
 * are told apart from a damaged one, since they mean a wrong size in the header. */
#include "util/decompress.h"

#include <libdeflate.h>
#include <stdio.h>
#include <zstd.h>

enum {
  DEFLATE_RATIO = 1032,      /* a match of 258 bytes in 2 bits (RFC 1951, 3.2.5) */
  ZSTD_RATIO = 131072 / 4,   /* a block of 128 KiB in a header and one byte (RFC 8878, 3.1.1.2) */
};

u64 decompress_limit(DecompressKind kind, Bytes in) {
  u64 ratio = kind == DECOMPRESS_ZSTD ? ZSTD_RATIO : DEFLATE_RATIO;
  return in.len > UINT64_MAX / ratio ? UINT64_MAX : in.len * ratio;
}

static bool fail(char *why, size_t why_size, const char *text) {
  snprintf(why, why_size, "%s", text);
  return false;
}

static bool inflate_zlib(Bytes in, u8 *out, u64 out_len, char *why, size_t why_size) {
  struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
  if (!d)
    return fail(why, why_size, "out of memory");
  /* Without a place for the actual size, less than out_len bytes is an error. */
  enum libdeflate_result r = libdeflate_zlib_decompress(d, in.p, in.len, out, out_len, NULL);
  libdeflate_free_decompressor(d);
  switch (r) {
  case LIBDEFLATE_SUCCESS: return true;
  case LIBDEFLATE_BAD_DATA: return fail(why, why_size, "the zlib stream is damaged");
  case LIBDEFLATE_SHORT_OUTPUT:
    snprintf(why, why_size, "the zlib stream holds less than the %llu bytes that its header says",
             (unsigned long long)out_len);
    return false;
  case LIBDEFLATE_INSUFFICIENT_SPACE:
    snprintf(why, why_size, "the zlib stream holds more than the %llu bytes that its header says",
             (unsigned long long)out_len);
    return false;
  }
  return fail(why, why_size, "the zlib stream is damaged");
}

static bool inflate_zstd(Bytes in, u8 *out, u64 out_len, char *why, size_t why_size) {
  size_t n = ZSTD_decompress(out, out_len, in.p, in.len);
  if (ZSTD_isError(n)) {
    snprintf(why, why_size, "the zstd stream can not be read: %s", ZSTD_getErrorName(n));
    return false;
  }
  if (n != out_len) {
    snprintf(why, why_size, "the zstd stream holds %zu bytes, its header says %llu", n,
             (unsigned long long)out_len);
    return false;
  }
  return true;
}

bool decompress(DecompressKind kind, Bytes in, u8 *out, u64 out_len, char *why, size_t why_size) {
  switch (kind) {
  case DECOMPRESS_ZLIB: return inflate_zlib(in, out, out_len, why, why_size);
  case DECOMPRESS_ZSTD: return inflate_zstd(in, out, out_len, why, why_size);
  }
  return fail(why, why_size, "unknown compression");
}
