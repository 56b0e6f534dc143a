/* format_macho.h: the Format row of a Mach-O link. */
#ifndef WELD_FORMAT_MACHO_H_ROW
#define WELD_FORMAT_MACHO_H_ROW

#include "core/link.h"

/* Objects, libraries and the writer's hooks in one row; in the link's arena. */
const Format *format_macho(Link *l);

#endif
