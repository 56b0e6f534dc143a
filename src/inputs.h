/* inputs.h: opens what the command line and its scripts name. */
#ifndef WELD_INPUTS_H
#define WELD_INPUTS_H

#include "core/link.h"
#include "core/script.h"

/* Fills Link.files (not yet opened by the format), in command-line order; scripts that stand among the
 * inputs add theirs, and their settings to the options. Reports what can't be found or read. */
void inputs_load(Link *l);
/* An object for the link's machine that holds `content`, with symbols named after `name` at its ends. Lives as long as the link. */
Bytes input_binary(Link *l, const char *name, Bytes content);
/* After Format.open: drops shared libraries that are in the link under another path already. */
void inputs_drop_duplicates(Link *l);
/* Unmaps everything. */
void inputs_free(Link *l);

#endif
