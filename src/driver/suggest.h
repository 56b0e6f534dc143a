/* suggest.h: the known name nearest to a misspelt one. */
#ifndef WELD_DRIVER_SUGGEST_H
#define WELD_DRIVER_SUGGEST_H

#include "driver/rows.h"

/* How many letters must be changed, added, dropped or swapped with their neighbour to turn a into b;
 * `limit` + 1 when it is more than `limit`. Names beyond 63 letters are never near. */
u32 edit_distance(const char *a, const char *b, u32 limit);

/* The known name nearest to `text` up to its '=', or NULL when none is near enough to be meant. */
const char *option_nearest(const OptionRow *rows, u32 n, const char *text, Arena *a);

#endif
