/* debuginfo.h: from an address to a source line, by libdw. The caller hands in the bytes of the debug
 * sections and applies relocations to the copies; nothing here knows object files. Slow path only. */
#ifndef WELD_UTIL_DEBUGINFO_H
#define WELD_UTIL_DEBUGINFO_H

#include "util/base.h"
#include "util/bytes.h"

#define DEBUG_SECTIONS(X)                                                                          \
  X(INFO, ".debug_info")                                                                           \
  X(ABBREV, ".debug_abbrev")                                                                       \
  X(LINE, ".debug_line")                                                                           \
  X(STR, ".debug_str")                                                                             \
  X(LINE_STR, ".debug_line_str")                                                                   \
  X(STR_OFFSETS, ".debug_str_offsets")                                                             \
  X(ADDR, ".debug_addr")                                                                           \
  X(RANGES, ".debug_ranges")                                                                       \
  X(RNGLISTS, ".debug_rnglists")

typedef enum {
#define X(id, name) DEBUG_##id,
  DEBUG_SECTIONS(X)
#undef X
  DEBUG_COUNT
} DebugSection;

extern const char *const debug_section_names[DEBUG_COUNT];

typedef struct DebugInfo DebugInfo;

/* Copies the sections (absent: len 0). NULL when there is nothing to ask: no .debug_info, too much of
 * it, no memory. */
DebugInfo *debug_create(const Bytes sections[DEBUG_COUNT]);
/* The copy of a section, to be relocated before the first question. */
u8 *debug_bytes(DebugInfo *d, DebugSection s, u64 *len);
/* Source line of code address addr. *file is valid until debug_free(). */
bool debug_line(DebugInfo *d, u64 addr, const char **file, u32 *line);
/* Where the variable that begins at addr is declared. */
bool debug_variable(DebugInfo *d, u64 addr, const char **file, u32 *line);
void debug_free(DebugInfo *d);

#endif
