/* link.h: one call that links. */
#ifndef WELD_LINK_H
#define WELD_LINK_H

#include "core/options.h"
#include "util/diag.h"

/* An output in memory: malloc'ed, the caller frees it. */
typedef struct {
  u8 *data;
  u64 size;
} WeldOutput;

/* Links what the options say to opt->output, or to *mem when it is not NULL. True when the output is
 * whole; else errors were reported and no output is left behind. May extend opt (what scripts add).
 * Uses no global state: calls in several threads at once are independent. */
bool link_run(Options *opt, Diag *d, WeldOutput *mem);

#endif
