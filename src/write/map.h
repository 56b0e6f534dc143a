/* map.h: what went where, for people: -Map, --print-map, --cref. */
#ifndef WELD_WRITE_MAP_H
#define WELD_WRITE_MAP_H

#include "core/link.h"

/* Writes what the options ask for: the map to its file or standard output, the cross reference table
 * behind it (without a map: to standard output). After addresses are final. Reports a file that can't be
 * written. Costs nothing when nothing was asked for. */
void map_write(Link *l);

#endif
