/* suggest.h: the known name nearest to a misspelt one. */
#ifndef WELD_DRIVER_SUGGEST_H
#define WELD_DRIVER_SUGGEST_H

#include "util/base.h"

/* How many letters must be changed, added, dropped or swapped with their neighbour to turn a into b;
 * `limit` + 1 when it is more than `limit`. Names beyond 63 letters are never near. */
u32 edit_distance(const char *a, const char *b, u32 limit);

#endif
