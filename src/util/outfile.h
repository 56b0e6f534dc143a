/* outfile.h: the output under a temporary name beside its own, renamed when it is whole. A failed
 * link leaves the old file as it was. What is not a regular file (/dev/null, a pipe, /dev/stdout) is
 * written in place, in order. */
#ifndef WELD_UTIL_OUTFILE_H
#define WELD_UTIL_OUTFILE_H

#include "util/base.h"
#include "util/diag.h"

typedef struct OutFile OutFile;

/* `size` bytes are going to be written (space may be reserved). NULL and a report when it can't be.
 * `mem`: when not NULL, an in-memory output: *mem gets a malloc'ed block of `size` at commit. */
OutFile *outfile_create(Diag *d, const char *path, u64 size, bool executable, u8 **mem);
/* Writes at an offset; thread safe for disjoint ranges. False after a report (disk full, ...). */
bool outfile_write(OutFile *f, const void *p, u64 len, u64 off);
/* The kernel lets one thread write to a file at a time, and the others wait with their processor busy. A thread
 * that has something else to do asks first: false when it is another one's turn and `wait` is not set. */
bool outfile_take_turn(OutFile *f, bool wait);
void outfile_end_turn(OutFile *f);
/* The name of the file that is being written, when it has a temporary one; NULL: nothing is left when the
 * process ends before commit. Valid until commit or abort. */
const char *outfile_temp(const OutFile *f);
/* Makes the output appear under its name. False after a report. Frees f. */
bool outfile_commit(OutFile *f);
/* Leaves nothing behind. Frees f. NULL is fine. */
void outfile_abort(OutFile *f);

#endif
