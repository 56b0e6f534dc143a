/* macho_library.h: a dynamic library as it stands in a file: an MH_DYLIB image (macho_library.c) or a document of a text
 * stub (tbd.c). What it says is taken as it is: `$ld$...` names are still among the exports, re-exports are names. */
#ifndef WELD_READ_MACHO_LIBRARY_H
#define WELD_READ_MACHO_LIBRARY_H

#include "format/macho_shared.h"
#include "util/arena.h"
#include "util/bytes.h"
#include "util/diag.h"

/* For whom the link is. */
typedef struct {
  const char *arch;  /* "x86_64", "arm64" */
  u32 cputype;       /* CPU_TYPE_* of it */
  u32 platform;      /* PLATFORM_* */
  u32 min_version;   /* X.Y.Z as 16, 8 and 8 bits */
} MachoTarget;

typedef struct {
  const char *install_name; /* "": none, which is fine for a program only */
  u32 current_version, compatibility_version;
  const MachoExport *exports;  /* in the order of the file */
  u32 nexports;
  const char *const *reexports; /* install names */
  u32 nreexports;
  const char *const *loads;    /* install names of the others that it needs; unknown for text stubs */
  u32 nloads;
  const char *const *clients;  /* who may link with it; none: everybody */
  u32 nclients;
  const char *const *rpaths;
  u32 nrpaths;
  bool for_target;         /* it says that it is for this platform, or nothing */
  bool app_extension_safe, dead_strippable;
} MachoLibrary;

/* An MH_DYLIB, MH_DYLIB_STUB, MH_EXECUTE or MH_BUNDLE image. Exports come from the export trie, or from the symbol table when there
 * is none. Names are in the arena, or in `b`. False after a report. Thread safe. */
bool macho_library_read(Arena *a, Diag *d, const char *path, Bytes b, const MachoTarget *t, MachoLibrary *out);

/* Has an object Objective-C classes or categories, or Swift's metadata? For -ObjC; false for malformed ones. */
bool macho_has_objc(Bytes object);

#endif
