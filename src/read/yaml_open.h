/* yaml_open.h: Format.open of text. */
#ifndef WELD_READ_YAML_OPEN_H
#define WELD_READ_YAML_OPEN_H

#include "core/link.h"

/* File.fmt is a YamlObject with its document and path; gives it symbols and edges. Reports references that mean nothing. */
bool yaml_open(Link *l, FileId f, unsigned tid);

#endif
