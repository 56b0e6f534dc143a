/* yaml_text.h: the text form of the graph (docs/atoms-yaml.md) to the structs of
 * format/yaml_graph.h. */
#ifndef WELD_READ_YAML_TEXT_H
#define WELD_READ_YAML_TEXT_H

#include "format/yaml_graph.h"
#include "util/diag.h"

/* Reads all documents of `text`; `path` is its name in messages. *out and all it points at live in
 * `a`; nothing of it points into `text`. False after reports, of which there is one for each
 * mistake, at its line and column; what has no YAML structure at all ends the reading. The text
 * comes from anywhere: memory and time are linear in its length. */
bool yaml_read(Arena *a, Diag *d, const char *path, Bytes text, YamlStream *out);

#endif
