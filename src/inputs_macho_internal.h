/* inputs_macho_internal.h: what inputs_macho*.c share. */
#ifndef WELD_INPUTS_MACHO_INTERNAL_H
#define WELD_INPUTS_MACHO_INTERNAL_H

#include "input_file.h"
#include "inputs_macho.h"
#include "read/macho_library.h"

/* What symbols are bound to: one FILE_SHARED of the link to be. */
typedef struct {
  MachoShared *shared;
  const char *path, *arg;
  Bytes data;
  const char *const *rpaths; /* of the library that has its name */
  u32 nrpaths;
  VEC(MachoExport) exports;
  StrVec hidden;             /* names that $ld$hide$ takes away, sorted by who looks at it */
  VEC(const MachoLibrary *) parts; /* whose exports it has */
  bool synthetic;            /* $ld$previous$ */
} Unit;

/* What came from a library's file. */
typedef struct {
  dev_t dev;
  ino_t ino;
  Unit *unit; /* that its symbols are bound to; NULL: it could not be read */
  bool own;   /* the unit bears its name */
  MachoLibrary *libs; /* what it holds: itself, and n - 1 that stand in the same file */
  u32 n;
  const char *path, *arg;
  Bytes data;
} LoadedLibrary;

/* What becomes a file of the link, in order: one of these is set, or else `file` counts. */
typedef struct {
  u32 archive; /* index in MachoInputs.archives + 1 */
  Unit *unit;
  File file;
} Pending;

struct MachoInputs {
  Link *l;
  MachoTarget target;
  VEC(Unit *) units;
  VEC(LoadedLibrary) libraries;
  VEC(ArchiveJob) archives; /* those of before are empty, but still known by their files */
  VEC(Pending) pending;
  StrVec not_found;         /* paths that were looked for, for -dependency_info */
  VEC(u8) asked;            /* by FileId: what the object asks for was seen to */
  StrVec auto_linked;       /* "-lfoo", "-framework Foo": those that were looked for */
  StrVec missing;           /* ... in vain: messages */
  u32 depth;                /* of re-exports */
};

/* Does the file exist? Remembers those that do not. */
bool macho_exists(MachoInputs *m, const char *path);
/* PATH.tbd in place of PATH's suffix, else PATH; NULL: neither exists. */
const char *macho_library_path(MachoInputs *m, const char *path);
/* Reads the library that was opened, and what it re-exports. `umbrella`: the unit that re-exports it, NULL: it is linked itself, and
 * `in` says how (NULL: an object asked for it). NULL after a report. */
Unit *macho_load_library(MachoInputs *m, const Opened *o, const char *arg, const Input *in, Unit *umbrella);
/* What is for this CPU of a file that may be fat. False after a report, or a warning: it is to be ignored. */
bool macho_thin(MachoInputs *m, const char *path, Bytes *data);

#endif
