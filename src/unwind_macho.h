/* unwind_macho.h: how a Mach-O image is unwound: compact unwind entries where a function has one, its FDE where it has not.
 * The part of the story between the reader's tables, core/ehframe.h's records and write/macho_unwind_info.h's encoding.
 * An entry keeps nothing alive, but its function keeps alive what the entry refers to: the reader gives edges for compact
 * unwind, core/ehframe.h for FDEs. */
#ifndef WELD_UNWIND_MACHO_H
#define WELD_UNWIND_MACHO_H

#include "core/link.h"

typedef struct MachoUnwindTable MachoUnwindTable;

/* First of all Synths: makes that of __eh_frame, whose number is fixed (SYN_EH_FRAME). */
void macho_unwind_init(Link *l);
/* After atoms are made, before dead strip: takes __eh_frame apart and leaves out what describes functions that have a compact
 * unwind entry. Parallel. */
void macho_unwind_parse(Link *l);
/* After bind_scan(), before bind_allocate(): personality routines of live functions get GOT slots; reports if there are too
 * many. Serial. */
MachoUnwindTable *macho_unwind_scan(Link *l);
/* After bind_allocate(), before layout_assign(): lays out __eh_frame, and makes the Synth __unwind_info if anything is known of
 * any function. base: address of the Mach-O header. */
void macho_unwind_build(Link *l, MachoUnwindTable *t, u64 base);

#endif
