/* macho_map.h: the link map of Apple's linker (-map). */
#ifndef WELD_WRITE_MACHO_MAP_H
#define WELD_WRITE_MACHO_MAP_H

#include "write/macho.h"

/* Files, sections, symbols by address, and what was dead stripped, if an option asks for it. After the output was written. */
void macho_map_write(MachoImage *m);

#endif
