/* yaml_text.h: the structs of format/yaml_graph.h to their text form (docs/atoms-yaml.md), in one
 * layout only, so that two texts of one graph are equal: keys in the order of format/yaml.def, no
 * defaults, values in one column. read/yaml_text.c makes the same structs of the text again. */
#ifndef WELD_WRITE_YAML_TEXT_H
#define WELD_WRITE_YAML_TEXT_H

#include "format/yaml_graph.h"

/* Gets the text piece by piece. False: it could not be written; nothing more comes then. */
typedef bool YamlSink(void *ctx, const char *text, u64 len);

/* Where text goes. Zeroed: a buffer that grows, `text` of `len` bytes, for yaml_out_free(). With a
 * sink: through a buffer of some 64 KB, whatever is written. */
typedef struct {
  YamlSink *sink;
  void *ctx;
  char *text; /* NUL-terminated after yaml_write_end() */
  u64 len, cap;
  bool failed; /* the sink has said so */
  /* where the writer is */
  u32 indent; /* of the document's keys: 0, or deeper in a member of an archive */
  bool any;   /* a document was begun */
  bool in_members, in_section;
  YamlAtomKind section;
} YamlOut;

/* The whole stream. False when the sink failed. */
bool yaml_write(const YamlStream *s, YamlOut *o);

/* The same in pieces, for what is too large to be in memory twice:
 *   yaml_write_begin, then for each file yaml_write_file_header (of an archive:
 * yaml_write_member_header for each member) and for each kind of atoms, in the order of
 * YamlAtomKind, yaml_write_section and yaml_write_atom for each; then yaml_write_end. A section
 * without atoms leaves no trace. Of an atom the writer reads what its kind has; the size of one
 * with content is the content's length. */
void yaml_write_begin(YamlOut *o);
/* Begins a document: path and target triple of `f`; not its atoms and members. */
void yaml_write_file_header(YamlOut *o, const YamlFile *f);
void yaml_write_member_header(YamlOut *o, const YamlMember *m);
void yaml_write_section(YamlOut *o, YamlAtomKind kind);
void yaml_write_atom(YamlOut *o, const YamlAtom *a);
bool yaml_write_end(YamlOut *o);
void yaml_out_free(YamlOut *o);

#endif
