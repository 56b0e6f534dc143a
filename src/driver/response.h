/* response.h: @FILE arguments. */
#ifndef WELD_DRIVER_RESPONSE_H
#define WELD_DRIVER_RESPONSE_H

#include "driver/rows.h"

typedef struct {
  char **argv;
  u32 argc;
} ArgList;

/* argv[1..argc) with every @FILE replaced by the arguments in it, nested ones too. An @FILE that can't
 * be read stays an argument, as with GNU tools. False after a report: too many, too deep. What it
 * makes is in the options' arena; other arguments point to the caller's strings. */
bool response_expand(Driver *g, int argc, char **argv, ArgList *out);

#endif
