/* link_macho.h: one call that links a Mach-O image. */
#ifndef WELD_LINK_MACHO_H
#define WELD_LINK_MACHO_H

#include "link.h"

/* As link_run(), for options that the driver of Apple's command line made. */
bool macho_run(Options *opt, Diag *d, WeldOutput *mem);

#endif
