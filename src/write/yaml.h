/* yaml.h: the graph of a link as text. */
#ifndef WELD_WRITE_YAML_H
#define WELD_WRITE_YAML_H

#include <stdio.h>

#include "core/link.h"
#include "write/yaml_text.h"

/* Writes what is in the link now: its live atoms in the order of their files, then the names that no atom bears:
 * undefined, of shared libraries, absolute. False when writing failed (errno says why). Serial; memory is
 * bounded by the number of atoms and symbols, not by the text. */
bool yaml_dump(Link *l, FILE *out);
/* The same as the atoms of a document, or of a member, that the caller has begun. */
void yaml_dump_atoms(Link *l, YamlOut *w);
/* A YamlOut.sink whose ctx is a FILE *. */
bool yaml_put(void *file, const char *text, u64 len);

#endif
