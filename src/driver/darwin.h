/* darwin.h: the command line of Apple's linker (ld64, ld64.lld) to Options. One row of darwin.def is one option.
 * The trap: one dash and the whole word is an option's name here (-dylib is no -d), values are in the next words, and only a
 * few options (-lNAME, -LDIR) have theirs joined. */
#ifndef WELD_DRIVER_DARWIN_H
#define WELD_DRIVER_DARWIN_H

#include "driver/gnu.h"

/* As driver_gnu(): parses argv[1..argc), configures `d`. Fills Options.darwin. */
DriverResult driver_darwin(int argc, char **argv, const DriverHooks *hooks, Options *o, Diag *d);

/* Whether this driver is meant by this name of the program or of a -flavor: "darwin", "ld64", "ld64.lld", "ld64.weld". */
bool driver_darwin_name(const char *name);

const char *darwin_help(Arena *a, const char *program);

#endif
