/* coalesce.h: atoms that fall because another has their name. */
#ifndef WELD_CORE_COALESCE_H
#define WELD_CORE_COALESCE_H

#include "core/link.h"

/* After resolve_symbols, where an atom is what one symbol names (Format.atoms_are_symbols): an atom whose
 * name another definition won is out of the link (ATOM_DISCARDED), and so are its associates; references by name go to the winner.
 * Elsewhere, as in ELF, a section stays when one of its symbols loses: does nothing. Serial. */
void coalesce_names(Link *l);

#endif
