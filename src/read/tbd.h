/* tbd.h: text stubs of dynamic libraries, versions 1 to 4 (YAML) and 5 (JSON, which is YAML, too). */
#ifndef WELD_READ_TBD_H
#define WELD_READ_TBD_H

#include "read/macho_library.h"

/* Does it look like one? */
bool tbd_is(Bytes text);
/* Reads all documents (version 5: libraries): the first is the library itself, others are those that it re-exports, if they stand
 * in the same file. Only what is for the target's CPU and platform is there; where a document is for another platform
 * (!for_target), what is for the CPU. In the arena; *n >= 1. False after a report. Thread safe. */
bool tbd_read(Arena *a, Diag *d, const char *path, Bytes text, const MachoTarget *t, MachoLibrary **out, u32 *n);
/* The same, with weld's own scanner alone (fast: says nothing, and is false for most of what can be read), or with libyaml alone. */
bool tbd_read_with(Arena *a, Diag *d, const char *path, Bytes text, const MachoTarget *t, bool fast, MachoLibrary **out, u32 *n);

#endif
