/* leb.h: numbers of 7 bits a byte (DWARF 5, 7.6), written to a growing array and read from input.
 * The trap: padded forms (0x80 0x00) are legal, so a number is not the only spelling of its value; what
 * cannot be a u64 or i64 is refused. */
#ifndef WELD_UTIL_LEB_H
#define WELD_UTIL_LEB_H

#include "util/arena.h"
#include "util/bytes.h"

/* Bytes that grow, in heap memory: vec_free(). */
typedef VEC(u8) ByteVec;

void bytes_put(ByteVec *v, const void *p, u64 n);
/* NULs until the length is a multiple of `align`. */
void bytes_pad(ByteVec *v, u32 align);
/* What v holds, in the arena; v is freed. */
Bytes bytes_take(ByteVec *v, Arena *arena);

void uleb_put(ByteVec *v, u64 value);
void sleb_put(ByteVec *v, i64 value);
/* How many bytes uleb_put() writes. */
static inline u32 uleb_size(u64 value) { return (u32)(64 - __builtin_clzll(value | 1) + 6) / 7; }
/* Writes to p; returns the byte behind it. */
u8 *uleb_write(u8 *p, u64 value);

/* Reads at *off and moves it on. False, *off unchanged: the number runs past the end, or does not fit. */
bool uleb_read(Bytes b, u64 *off, u64 *value);
bool sleb_read(Bytes b, u64 *off, i64 *value);

#endif
