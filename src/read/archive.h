/* archive.h: ar archives: GNU (long names in "//"), BSD ("#1/LEN"), thin ("!<thin>\n"). The symbol index is
 * not needed: members' own symbol tables are read in parallel. */
#ifndef WELD_READ_ARCHIVE_H
#define WELD_READ_ARCHIVE_H

#include "util/arena.h"
#include "util/bytes.h"

typedef struct {
  const char *name; /* in the arena */
  Bytes data;       /* of a regular archive's member; empty for thin ones, which are files beside it */
  u64 off;          /* of the member's header */
  u64 nested;       /* thin: offset of the member's header in the archive that `name` is; 0: a file */
} ArchiveMember;

typedef struct {
  Bytes data;
  bool thin;
  u64 at;
  Bytes names;      /* the "//" table */
} ArchiveReader;

bool archive_is(Bytes data);
/* Begins at the first member. */
void archive_open(ArchiveReader *r, Bytes data);
/* Next member that is not an index or a name table: 1; 0 at the end; -1: malformed, *why and r->at say
 * what and where. */
int archive_next(ArchiveReader *r, Arena *a, ArchiveMember *out, const char **why);

#endif
