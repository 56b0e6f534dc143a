/* goobj_reader.h: the bytes of a go13ld object, front to back. For read/goobj.c and read/goobj_head.c only.
 * The trap: after the first thing that is wrong nothing means anything; GoReader.bad stays set, and what is read is 0 or
 * empty. */
#ifndef WELD_READ_GOOBJ_READER_H
#define WELD_READ_GOOBJ_READER_H

#include "read/goobj.h"

typedef struct {
  const char *name;
  u64 len, hash;
  i64 version;
  u32 number; /* of the first definition; 0: none yet */
  u32 symbol; /* index in the end */
} GoName;

typedef struct {
  Link *l;
  FileId f;
  Arena *arena;
  GoObject *o;
  Bytes b; /* the whole file */
  u64 at;
  bool bad; /* was reported: nothing that follows means anything */
  VEC(GoDefinition) definitions;
  VEC(GoName) names;
  u32 *slots; /* of names, + 1 */
  u32 mask;
  VEC(char) text; /* the name in hand, `""` replaced */
  u64 grown;      /* bytes that took the place of `""` */
} GoReader;

#define FAIL(r, off, ...) ((r)->bad = (r)->bad || !goobj_bad((r)->l, (r)->f, (off), __VA_ARGS__))

u8 goobj_byte(GoReader *r);
/* A zigzag varint of 64 bits at most. */
i64 goobj_int(GoReader *r);
/* How many records of at least `bytes` bytes follow; `what` they are. */
u32 goobj_count(GoReader *r, u64 bytes, const char *what);
/* In the file. */
Bytes goobj_data(GoReader *r);
/* A copy, `""` in it as it is. */
const char *goobj_string(GoReader *r);

#endif
