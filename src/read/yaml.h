/* yaml.h: the graph as text, as a Format like any other: each document is a file, each defined atom an atom,
 * each name a symbol. */
#ifndef WELD_READ_YAML_H
#define WELD_READ_YAML_H

#include "core/link.h"
#include "format/yaml_graph.h"

/* Fills the rows of f that reading text needs. */
void yaml_format_init(Format *f);
/* Adds the documents of `stream` to Link.files, in order: an archive as its members, loaded when they are needed.
 * `path` names documents that say none. `text`: what they were read from. The stream must outlive the link. Serial. */
void yaml_add_files(Link *l, const YamlStream *stream, const char *path, Bytes text);
/* After resolve_symbols, before edges are asked for: which name an undefined one with a fallback stands for. Serial. */
void yaml_settle_fallbacks(Link *l);

#endif
