/* go_pclntab.h: the table by which a Go program knows its functions: names, source lines, what is on the stack. */
#ifndef WELD_WRITE_GO_PCLNTAB_H
#define WELD_WRITE_GO_PCLNTAB_H

#include "core/link.h"

/* Makes the Synth ".functab" of all live functions, in their order in memory, and the empty Synth ".rodata" where the masks of
 * the collector would stand, at the index before the table's, which is returned. After dead strip, before layout_assign(). */
u32 go_pclntab_add(Link *l);

#endif
