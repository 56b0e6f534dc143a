/* macho_functions.h: two small tables of __LINKEDIT: where functions begin (LC_FUNCTION_STARTS), and what in code is data
 * (LC_DATA_IN_CODE). The trap: both count from the Mach-O header, and both must be sorted. */
#ifndef WELD_WRITE_MACHO_FUNCTIONS_H
#define WELD_WRITE_MACHO_FUNCTIONS_H

#include "format/macho.h"
#include "util/arena.h"
#include "util/bytes.h"

/* Differences of addresses as ULEB128, the first one from `base`, ended by 0 and padded to a multiple of 8; none for n = 0.
 * Sorts the array; equal addresses count once, and one at `base` itself is left out: it would end the list. In the arena. */
Bytes macho_function_starts(Arena *arena, u64 *addrs, u32 n, u64 base);

/* Sorts the entries by offset: then they are what the file holds. */
void macho_data_in_code_sort(DataInCodeEntry *d, u32 n);

#endif
