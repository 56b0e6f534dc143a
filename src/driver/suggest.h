/* suggest.h: the known option nearest to a misspelt one. */
#ifndef WELD_DRIVER_SUGGEST_H
#define WELD_DRIVER_SUGGEST_H

#include "driver/rows.h"
#include "util/near.h"

/* The known name nearest to `text` up to its '=', or NULL when none is near enough to be meant. */
const char *option_nearest(const OptionRow *rows, u32 n, const char *text, Arena *a);

#endif
