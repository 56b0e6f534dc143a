/* initializers_macho.h: __TEXT,__init_offsets: what runs before main as 32-bit offsets from the header, which need no fixups. */
#ifndef WELD_INITIALIZERS_MACHO_H
#define WELD_INITIALIZERS_MACHO_H

#include "write/macho.h"

/* After dead strip, before bind_scan: takes the place of live tables of pointers to initializers, if options ask for it. Serial. */
void initializers_make(MachoImage *m);

#endif
