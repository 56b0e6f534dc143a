/* scope_macho.h: who sees which name of a Mach-O image: what it exports, what it takes from others, and the names that the
 * linker gives it. */
#ifndef WELD_SCOPE_MACHO_H
#define WELD_SCOPE_MACHO_H

#include "core/link.h"
#include "write/macho.h"

/* Before names are resolved: names that options and the format bring. */
void scope_name(MachoImage *m);
/* After resolve_symbols: defines the names of sections' and segments' ends that something refers to. */
void scope_define(MachoImage *m);
/* Makes an undefined name weld's own, after resolve_symbols; its value is to come. */
void define_weld_name(Link *l, u32 sym, bool hidden);
/* After coalesce_names, before dead strip: SF_HIDDEN, SF_EXPORTED, SF_IMPORTED. */
void scope_symbols(MachoImage *m);
/* After dead strip and the report of undefined names: a program exports what is left; what is open is looked up at run time,
 * if options allow it. Reports names of options that nothing defines. */
void scope_finish(MachoImage *m);
/* When addresses are final: the values of the names from scope_name() and scope_define(). */
void scope_values(MachoImage *m);

#endif
