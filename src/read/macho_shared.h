/* macho_shared.h: dynamic libraries as the core asks for them: what the Format row of Mach-O does for files of the kind
 * FILE_SHARED, whose File.fmt is a MachoShared (format/macho_shared.h) before they are opened. Contracts: core/target.h. */
#ifndef WELD_READ_MACHO_SHARED_H
#define WELD_READ_MACHO_SHARED_H

#include "core/link.h"
#include "format/macho_shared.h"

bool macho_shared_open(Link *l, FileId f);
u32 macho_shared_names(Link *l, FileId f, InternEnt *out);
u32 macho_shared_symbols(const Link *l, FileId f, u32 from, SymRec *buf, u32 cap);
u32 macho_shared_kinds(const Link *l, FileId f, u32 from, u64 *buf, u32 cap);
const char *macho_shared_sym_name(const Link *l, FileId f, u32 index);
/* Format.shared_name: the install name; there are no others that it needs, since re-exports were followed. */
const char *macho_shared_name(const Link *l, FileId f, const char *const **needed);
/* Format.describe_symbol for files of this kind. */
bool macho_shared_describe_symbol(const Link *l, FileId f, u32 index, Arena *arena, struct YamlAtom *out);

/* Export behind symbol `index` of file f. */
static inline const MachoExport *macho_export(const File *f, u32 index) { return &((const MachoShared *)f->fmt)->exports[index - 1]; }

#endif
