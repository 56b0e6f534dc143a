/* near.h: which known name was meant. */
#ifndef WELD_UTIL_NEAR_H
#define WELD_UTIL_NEAR_H

#include "util/base.h"

/* How many letters must be changed, added, dropped or swapped with their neighbour to turn a into b;
 * `limit` + 1 when it is more than `limit`. Names beyond 63 letters are never near. */
u32 edit_distance(const char *a, const char *b, u32 limit);

/* Near n = near_to("SECTION"); near_try(&n, "SECTIONS"); ... n.best: the first of the nearest, or NULL. */
typedef struct {
  const char *wrong, *best;
  u32 limit;
} Near;
Near near_to(const char *wrong);
void near_try(Near *n, const char *name);

#endif
