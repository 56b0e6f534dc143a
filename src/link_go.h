/* link_go.h: one call that links Go's objects: `weld -flavor golink`. */
#ifndef WELD_LINK_GO_H
#define WELD_LINK_GO_H

#include "link.h"

/* As link_run(). */
bool go_run(Options *opt, Diag *d, WeldOutput *mem);

#endif
