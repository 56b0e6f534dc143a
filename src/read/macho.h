/* macho.h: Mach-O relocatable objects as a Format row, and the slices of fat files. */
#ifndef WELD_READ_MACHO_H
#define WELD_READ_MACHO_H

#include "core/link.h"

/* Everything of the row that reads objects; hooks of layout and the writer's are the caller's to add. Link.arch says which CPU
 * the objects must be for. */
void macho_format_init(Format *f);

/* Is it a 64-bit Mach-O file, of any type? *filetype and *cputype (may be NULL): MH_* and CPU_TYPE_*. */
bool macho_is(Bytes b, u32 *filetype, u32 *cputype);
bool macho_is_fat(Bytes b);
/* The part of fat file b that is for that CPU: an image, an object or an archive. False: *why says what is wrong with the
 * file, or is NULL: it has no such part. */
bool macho_slice(Bytes b, u32 cputype, Bytes *out, const char **why);
/* "x86_64", "arm64", ...: what users call a CPU; NULL: none that is known. And back: the CPU that an Arch is. */
const char *macho_cpu_name(u32 cputype, u32 cpusubtype);
u32 macho_cpu_of(const Arch *a);
/* "a bundle (MH_BUNDLE)": for messages. */
const char *macho_filetype_name(u32 filetype);

#endif
