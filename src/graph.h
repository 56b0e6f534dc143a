/* graph.h: the core linker, `weld -core`: text in, text out. */
#ifndef WELD_GRAPH_H
#define WELD_GRAPH_H

#include "core/options.h"
#include "util/diag.h"

/* Reads the documents of opt->inputs ("-" is standard input; in memory, where Input.mem says so), joins them and runs the passes that the options name, and writes
 * the graph that comes out, to opt->output ("-": standard output). True when it was written whole; else errors were reported. */
bool graph_run(Options *opt, Diag *d);

#endif
