/* macho_dyldinfo.h: what dyld does at load time, as the opcodes of LC_DYLD_INFO_ONLY (cctools' <mach-o/loader.h>,
 * REBASE_OPCODE_* and BIND_OPCODE_*): programs of a small machine whose place, symbol and addend stay set from one
 * opcode to the next. The trap: DO_BIND moves the place on by a pointer. */
#ifndef WELD_WRITE_MACHO_DYLDINFO_H
#define WELD_WRITE_MACHO_DYLDINFO_H

#include "util/arena.h"
#include "util/bytes.h"

/* A segment's number is four bits of an opcode: the caller refuses images with more. */
enum { MACHO_DYLDINFO_SEGMENTS = 16 };

/* A pointer to something in the image: moves with it. */
typedef struct {
  u64 offset;   /* in the segment */
  u32 segment;  /* place among LC_SEGMENT_64 */
} MachoRebase;

/* A pointer that gets the address of a symbol. */
typedef struct {
  u64 offset;
  i64 addend;
  const char *name; /* with NUL */
  i32 ordinal;      /* of the library, from 1 on; or BIND_SPECIAL_DYLIB_*; weak binds have none */
  u32 segment;
  u32 flags;        /* BIND_SYMBOL_FLAGS_* */
} MachoBind;

/* Each returns bytes in the arena, padded with zeros to a multiple of 8 (none for n = 0), and may reorder the array. */
Bytes macho_rebase_encode(Arena *arena, MachoRebase *r, u32 n);
Bytes macho_bind_encode(Arena *arena, MachoBind *b, u32 n);
/* Weak binds: dyld picks one definition for all images. `overrides`: names that this image defines, not weak, and another
 * image may define weak (BIND_SYMBOL_FLAGS_NON_WEAK_DEFINITION, no place). Both in order of names. */
Bytes macho_weak_bind_encode(Arena *arena, MachoBind *b, u32 n, const char **overrides, u32 noverrides);
/* One program for each bind, in the array's order: the stub helper passes dyld the offset at which it begins, offsets[i]. */
Bytes macho_lazy_bind_encode(Arena *arena, const MachoBind *b, u32 n, u32 *offsets);

#endif
