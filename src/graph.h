/* graph.h: the core linker, `weld -core`: text in, text out. */
#ifndef WELD_GRAPH_H
#define WELD_GRAPH_H

#include "core/link.h"
#include "core/options.h"
#include "util/diag.h"
#include "write/yaml_text.h"

/* Reads the documents of opt->inputs ("-" is standard input; in memory, where Input.mem says so), joins them and runs the passes that the options name, and writes
 * the graph that comes out, to opt->output ("-": standard output). True when it was written whole; else errors were reported. */
bool graph_run(Options *opt, Diag *d);
/* Writes the atoms of an ELF file that a link has opened, joined with nothing, into the document or member that the
 * caller has begun. A file that can't be read leaves it empty; messages are the link's own business. */
void graph_write_file(const File *file, YamlOut *w);

#endif
