/* yaml_object.h: a document as the linker sees it: its atoms and symbols by number. Made by read/yaml.c (File.fmt). */
#ifndef WELD_FORMAT_YAML_OBJECT_H
#define WELD_FORMAT_YAML_OBJECT_H

#include "format/yaml_graph.h"

/* A symbol of the document. Local ones: atom i has local symbol i, then static absolutes. Global ones: by name. */
typedef struct {
  const YamlAtom *atom; /* NULL: only a name, `fallback` of another */
  const char *name;
  const YamlName *at;   /* one of the atom's `symbols`, NULL: its own name */
  u32 section;          /* number of the defined atom, from 1 on; 0: none */
  u8 definition;        /* YamlAtomKind */
} YamlSymbol;

static inline bool yaml_is_global_symbol(const YamlSymbol *s) {
  return s->at ? s->at->scope != YAML_SCOPE_STATIC : s->atom && yaml_is_global(s->atom);
}

/* A reference with names looked up. */
typedef struct {
  u32 symbol; /* index in YamlObject.symbols, 0: no target */
  u16 kind;   /* Edge.kind */
} YamlEdge;

typedef struct {
  const YamlFile *file;
  const char *path; /* of the text, for messages */
  YamlSymbol *symbols;
  u32 nsymbols, first_global;
  u32 *first_edge;  /* of atom i, in edges; natoms + 1 entries from index 1 on */
  YamlEdge *edges;
  bool *addressed;  /* by atom: a weak definition that fell was addressed; NULL: none was */
  u32 *fallback;    /* by symbol < nfallbacks: of an undefined one, 0: none; NULL: the file has none */
  u32 nfallbacks;
  const u32 *stands_for; /* by SymId, of the whole link: what an undefined name has come to, UINT32_MAX: itself; NULL: no file has fallbacks */
  u32 *stand_in;    /* by atom: AtomId of its namesake in the group that won, 0: none; NULL: no group lost */
} YamlObject;

#endif
