/* yaml_graph.h: the text form of the graph as structs, one field for each key of
 * docs/atoms-yaml.md. read/yaml_text.c makes them from text, write/yaml_text.c makes text from
 * them; neither knows a Link. Everything lives in the Arena that was passed. Enumerators stand in
 * the order of format/yaml.def; 0 is the default of every field, and a default is not written. */
#ifndef WELD_FORMAT_YAML_GRAPH_H
#define WELD_FORMAT_YAML_GRAPH_H

#include "util/arena.h"
#include "util/base.h"
#include "util/bytes.h"

/* YAML_TYPE_CODE, YAML_SCOPE_STATIC, ...: made from the rows of format/yaml.def. */
#include "format/yaml_enums.h"

/* A reference (an edge) of a defined atom. */
typedef struct {
  const char *kind; /* the edge kind's name, of the CPU (R_X86_64_PC32, ...) or of none
                       (layout-after, ...) */
  u64 offset;
  const char *target; /* name or ref-name of the target; NULL: none */
  i64 addend;
  u32 tag;
  u32 line, col; /* of the reference in the text; 0 when it came from elsewhere */
} YamlRef;

/* A further name of a defined atom, for a place in it: sections of ELF have many. */
typedef struct {
  const char *name;
  u64 offset, size;
  YamlScope scope;
  YamlMerge merge; /* no or as-weak */
  YamlSymbolType type;
  YamlVisibility visibility;
  YamlBinding binding;
  u32 index;       /* of the symbol in its file, in a link; not in the text */
} YamlName;

/* An atom of any kind; the fields that its kind does not have are 0. */
typedef struct YamlAtom {
  const char *name;     /* NULL: unnamed */
  const char *ref_name; /* NULL: none */
  YamlScope scope;
  YamlType type;
  Bytes content; /* content.p NULL: none */
  u64 size;      /* content.len unless the text says otherwise */
  bool has_size;
  YamlInterposable interposable;
  YamlMerge merge;
  u8 p2align;
  u64 modulus; /* `7 mod 16`: 7 */
  YamlSectionChoice section_choice;
  const char *section_name; /* NULL: none */
  u64 section_size;
  u32 section_type, section_flags, entry_size; /* of a format with sections, as its numbers; 0: what the type implies */
  YamlDeadStrip dead_strip;
  YamlDynamicExport dynamic_export;
  YamlCodeModel code_model;
  YamlPermissions permissions; /* 0: what the type implies */
  /* what layout found out (dumps after layout) */
  u64 address;
  bool has_address;
  const char *output_section; /* NULL: none */
  YamlName *symbols;
  u32 nsymbols;
  YamlRef *refs;
  u32 nrefs;
  /* undefined, shared-library */
  YamlCanBeNull can_be_null;
  YamlWantedVisibility visibility; /* undefined */
  const char *fallback;       /* undefined: name of another undefined; NULL */
  const char *load_name;      /* shared-library; NULL */
  YamlSharedType shared_type; /* shared-library: type */
  u64 value;                  /* absolute */
  u32 line, col;              /* where it stands; 0 when it came from elsewhere */
} YamlAtom;

static inline bool yaml_is_group(const YamlAtom *a) { return a->type == YAML_TYPE_GROUP_COMDAT || a->type == YAML_TYPE_GNU_LINKONCE; }
/* Whether its name is one for all files. That of a group is not: groups meet among themselves. */
static inline bool yaml_is_global(const YamlAtom *a) { return a->name && *a->name && a->scope != YAML_SCOPE_STATIC && !yaml_is_group(a); }

typedef struct {
  YamlAtom *at;
  u32 n;
} YamlAtoms;

typedef struct YamlFile YamlFile;
struct YamlFile {
  const char *path;   /* NULL: none */
  const char *triple; /* target-triple, NULL: none */
  bool archive;       /* !archive: members; else !native: atoms */
  YamlAtoms defined, undefined, shared, absolute;
  struct YamlMember *members;
  u32 nmembers;
};
typedef struct YamlMember {
  const char *name;
  YamlFile content; /* never an archive */
} YamlMember;

/* All documents of one stream. */
typedef struct {
  YamlFile *files;
  u32 n;
} YamlStream;

#endif
