/* icf_internal.h: what the files icf*.c share. Nobody else includes it. Who may be folded is the business of the
 * caller (icf.c), who equals whom that of icf_equal.c. */
#ifndef WELD_CORE_ICF_INTERNAL_H
#define WELD_CORE_ICF_INTERNAL_H

#include "core/link.h"

/* Looks for equals among n atoms, in ascending order, which may stand for each other: leader[i] becomes the first of
 * those that equal atom[i], itself if there is none before. Parallel; the answer depends on the input alone. */
void icf_equal(Link *l, const u32 *atom, u32 n, u32 *leader);

#endif
