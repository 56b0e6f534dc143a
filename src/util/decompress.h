/* decompress.h: compressed debug sections to bytes (gABI ch. 4, "Compression Headers"). Headers are
 * the format's; this is about the streams behind them. */
#ifndef WELD_UTIL_DECOMPRESS_H
#define WELD_UTIL_DECOMPRESS_H

#include "util/bytes.h"

typedef enum { DECOMPRESS_ZLIB, DECOMPRESS_ZSTD } DecompressKind;

/* No more bytes than this can come out of `in`: ask before memory is asked for, the claimed size may be
 * a lie. */
u64 decompress_limit(DecompressKind kind, Bytes in);

/* Exactly out_len bytes from `in` to `out`; bytes behind the end of a zlib stream are ignored. False when
 * the stream is damaged, or holds more or less: then `why` (why_size bytes) says which. Thread safe. */
bool decompress(DecompressKind kind, Bytes in, u8 *out, u64 out_len, char *why, size_t why_size);

#endif
