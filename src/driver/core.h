/* core.h: the command line of the core linker, `weld -core`. */
#ifndef WELD_DRIVER_CORE_H
#define WELD_DRIVER_CORE_H

#include "driver/gnu.h"

/* Whether argv asks for the core linker: -core or --core is its first argument, whatever the program is called. */
bool driver_core_asked(int argc, char **argv);
/* Parses argv[2..argc) as driver_gnu() does. */
DriverResult driver_core(int argc, char **argv, const DriverHooks *hooks, Options *o, Diag *d);

#endif
