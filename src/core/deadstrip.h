/* deadstrip.h: removes atoms that nothing needs (--gc-sections). */
#ifndef WELD_CORE_DEADSTRIP_H
#define WELD_CORE_DEADSTRIP_H

#include "core/link.h"

/* Clears ATOM_LIVE of what is not reached from a root. Needs final definitions, exports
 * (SF_EXPORTED) and KEEPs (layout_match_file). Does nothing unless options ask for it. */
void deadstrip(Link *l);

#endif
