/* macho_shared.h: the view of a dynamic library that the core and the writer get (File.fmt of a FILE_SHARED file),
 * whether it came from an MH_DYLIB image or from a text stub (.tbd). Made by inputs_macho.c, which follows re-exports.
 *
 * Symbol i of such a file is exports[i - 1]; symbol 0 is nothing; all are global and defined.
 * The trap: one file of the link is what symbols are bound to, not what stood in one file. What a library re-exports
 * from private parts of itself (/usr/lib/system/libsystem_c.dylib) is among its own exports; a public library that it
 * re-exports (of /usr/lib, /System/Library/Frameworks) is a FILE_SHARED of its own; and one text stub may name an old
 * library for some of its symbols ($ld$previous$), which is then a FILE_SHARED, too. Two may have the same install
 * name: they share a load command. */
#ifndef WELD_FORMAT_MACHO_SHARED_H
#define WELD_FORMAT_MACHO_SHARED_H

#include "util/bytes.h"

enum {
  MACHO_EXPORT_WEAK = 1 << 0,     /* a weak definition: who uses it must be coalesced by dyld */
  MACHO_EXPORT_TLV = 1 << 1,
  MACHO_EXPORT_ABSOLUTE = 1 << 2,
};

typedef struct {
  const char *name; /* as in symbol tables; in the link's arena or in the mapped file */
  u32 len;
  u32 flags;        /* MACHO_EXPORT_* */
} MachoExport;

typedef struct {
  const char *install_name;
  u32 current_version, compatibility_version; /* X.Y.Z as 16, 8 and 8 bits */
  const MachoExport *exports;
  u32 nexports;
  bool linked;          /* the command line asks for it; else it came through a re-export or an object's LC_LINKER_OPTION, and
                           counts only when it is used (File.as_needed) */
  bool dead_strippable; /* MH_DEAD_STRIPPABLE_DYLIB: counts only when it is used, too */
  bool weak;            /* -weak-l and kin: may be missing, all that is imported from it is weak */
  bool keep;            /* -needed-l and kin */
  bool reexport;        /* -reexport-l and kin, -sub_library: LC_REEXPORT_DYLIB */
  bool upward;          /* LC_LOAD_UPWARD_DYLIB */
  bool bundle_loader;   /* no library but the program of -bundle_loader: BIND_SPECIAL_DYLIB_MAIN_EXECUTABLE, no load command */
  bool app_extension_safe;
  u32 ordinal;          /* the writer's: number of its load command, from 1 on; 0: it has none */
} MachoShared;

#endif
