/* macho.h: the layout of Mach-O images. */
#ifndef WELD_SCRIPT_MACHO_H
#define WELD_SCRIPT_MACHO_H

#include "core/layout.h"
#include "core/options.h"
#include "util/arena.h"

/* The description that fits the options (data_const, renamed sections); in the arena, which must live as long as the link.
 * Output sections are called "SEGMENT,SECTION", as input sections are. */
const LayoutDesc *macho_layout(Arena *a, const Options *o);

#endif
