/* yaml_words.h: the words of the text form by their values, for the one file that reads them and the one
 * that writes them. */
#ifndef WELD_FORMAT_YAML_WORDS_H
#define WELD_FORMAT_YAML_WORDS_H

#include "format/yaml_enums.h"

#define WORDS(name, rows) static const YamlWord name[] = {rows(YAML_WORD_ROW)}
WORDS(scopes, YAML_SCOPES);
WORDS(types, YAML_TYPES);
WORDS(interposables, YAML_INTERPOSABLES);
WORDS(merges, YAML_MERGES);
WORDS(section_choices, YAML_SECTION_CHOICES);
WORDS(dead_strips, YAML_DEAD_STRIPS);
WORDS(dynamic_exports, YAML_DYNAMIC_EXPORTS);
WORDS(code_models, YAML_CODE_MODELS);
WORDS(permissions, YAML_PERMISSIONS);
WORDS(can_be_nulls, YAML_CAN_BE_NULLS);
WORDS(shared_types, YAML_SHARED_TYPES);
WORDS(symbol_types, YAML_SYMBOL_TYPES);
WORDS(visibilities, YAML_VISIBILITIES);
WORDS(wanted_visibilities, YAML_WANTED_VISIBILITIES);
WORDS(bindings, YAML_BINDINGS);
#undef WORDS

#endif
