/* golink.h: the command line of Go's linker (6l) of Go 1.3 and 1.4, `weld -flavor golink`. */
#ifndef WELD_DRIVER_GOLINK_H
#define WELD_DRIVER_GOLINK_H

#include "driver/gnu.h"

/* Whether the Go linker is meant by this name of the program or of a -flavor: "golink", "weld-golink". */
bool driver_golink_name(const char *name);
/* Parses argv[1..argc) as driver_gnu() does. */
DriverResult driver_golink(int argc, char **argv, const DriverHooks *hooks, Options *o, Diag *d);

#endif
