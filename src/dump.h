/* dump.h: --dump-graph. */
#ifndef WELD_DUMP_H
#define WELD_DUMP_H

#include "core/link.h"

/* Writes the graph as it is now to the files that --dump-graph=PHASE asks for. A failure is reported. Serial. */
void dump_graph(Link *l, const char *phase);

#endif
