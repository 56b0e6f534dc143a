/* yaml_enums.h: the C enums of the rows of format/yaml.def. The trap: 0 must be the default of every value, since a
 * zeroed struct is an atom whose attributes all have their defaults. */
#ifndef WELD_FORMAT_YAML_ENUMS_H
#define WELD_FORMAT_YAML_ENUMS_H

#include "format/yaml.def"
#include "util/base.h"

#define YAML_ENUMERATOR(name, value, word) name = value,
typedef enum { YAML_SCOPES(YAML_ENUMERATOR) } YamlScope;
typedef enum { YAML_TYPES(YAML_ENUMERATOR) } YamlType;
typedef enum { YAML_INTERPOSABLES(YAML_ENUMERATOR) } YamlInterposable;
typedef enum { YAML_MERGES(YAML_ENUMERATOR) } YamlMerge;
typedef enum { YAML_SECTION_CHOICES(YAML_ENUMERATOR) } YamlSectionChoice;
typedef enum { YAML_DEAD_STRIPS(YAML_ENUMERATOR) } YamlDeadStrip;
typedef enum { YAML_DYNAMIC_EXPORTS(YAML_ENUMERATOR) } YamlDynamicExport;
typedef enum { YAML_CODE_MODELS(YAML_ENUMERATOR) } YamlCodeModel;
typedef enum { YAML_PERMISSIONS(YAML_ENUMERATOR) } YamlPermissions;
typedef enum { YAML_CAN_BE_NULLS(YAML_ENUMERATOR) } YamlCanBeNull;
typedef enum { YAML_SHARED_TYPES(YAML_ENUMERATOR) } YamlSharedType;
typedef enum { YAML_SYMBOL_TYPES(YAML_ENUMERATOR) } YamlSymbolType;
typedef enum { YAML_VISIBILITIES(YAML_ENUMERATOR) } YamlVisibility;
typedef enum { YAML_WANTED_VISIBILITIES(YAML_ENUMERATOR) } YamlWantedVisibility;
typedef enum { YAML_BINDINGS(YAML_ENUMERATOR) } YamlBinding;
typedef enum { YAML_ATOM_KINDS(YAML_ENUMERATOR) } YamlAtomKind;
#undef YAML_ENUMERATOR

/* Where a key may stand: a set of these. The first four are in the order of YamlAtomKind. */
enum {
  YAML_IN_DEFINED = 1,
  YAML_IN_UNDEFINED = 2,
  YAML_IN_SHARED = 4,
  YAML_IN_ABSOLUTE = 8,
  YAML_IN_SHORT = 16, /* an item of `atoms`, of any kind */
  YAML_IN_REFERENCE = 32,
  YAML_IN_MEMBER = 64,
  YAML_IN_NATIVE = 128,
  YAML_IN_ARCHIVE = 256,
  YAML_IN_SYMBOL = 512, /* an item of `symbols` */
};

#define YAML_ENUMERATOR(name, where, word) name,
typedef enum { YAML_KEYS(YAML_ENUMERATOR) YAML_NKEYS } YamlKey;
#undef YAML_ENUMERATOR

/* A row of a table of values, or of keys: the text is "" or a word. */
typedef struct {
  u32 value;
  const char *word;
} YamlWord;
#define YAML_WORD_ROW(name, value, word) {value, word},
typedef struct {
  u32 where;
  const char *word;
} YamlKeyRow;
#define YAML_KEY_ROW(name, where, word) {where, word},

#endif
