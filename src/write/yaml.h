/* yaml.h: the graph of a link as text. */
#ifndef WELD_WRITE_YAML_H
#define WELD_WRITE_YAML_H

#include <stdio.h>

#include "core/link.h"

/* Writes what is in the link now: its live atoms in the order of their files, then the names that no atom bears:
 * undefined, of shared libraries, absolute. False when writing failed (errno says why). Serial; memory is
 * bounded by the number of atoms and symbols, not by the text. */
bool yaml_dump(Link *l, FILE *out);

#endif
