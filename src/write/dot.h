/* dot.h: the graph of a small link as a picture, for Graphviz. */
#ifndef WELD_WRITE_DOT_H
#define WELD_WRITE_DOT_H

#include <stdio.h>

#include "core/link.h"

/* Live atoms as nodes, in a box for each file, and an arrow for each pair of atoms with an edge between them; names that no atom
 * bears as nodes of another shape. False when writing failed. Serial. */
bool dot_dump(Link *l, FILE *out);

#endif
