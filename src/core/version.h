/* version.h: version scripts and dynamic lists as plain data. script/version.c parses text to it;
 * pass/export.c applies it. Specification: GNU ld manual, "VERSION Command". */
#ifndef WELD_CORE_VERSION_H
#define WELD_CORE_VERSION_H

#include "util/arena.h"
#include "util/base.h"

typedef struct {
  const char *pattern; /* a glob or an exact name, escapes and quotes removed */
  bool cxx;            /* inside extern "C++": matches the demangled name */
  bool exact;          /* quoted, or has no glob characters */
  u32 line;
} VersionPattern;

typedef VEC(VersionPattern) VersionPatterns;

typedef struct {
  const char *name; /* NULL for the anonymous node */
  VEC(const char *) parents;
  VersionPatterns global, local;
  const char *file; /* where it stands, for messages */
  u32 line;
} VersionNode;

typedef struct {
  VEC(VersionNode) nodes; /* node i (named) has output version index i + 2, in this order */
} VersionScript;

/* Symbols.version and the output's version indexes (gABI-GNU: VER_NDX_*). */
enum {
  VERSION_LOCAL = 0,
  VERSION_GLOBAL = 1,      /* the base version */
  VERSION_FIRST = 2,       /* of the nodes (with --default-symver: the default version, then the nodes) */
  VERSION_HIDDEN = 0x8000, /* not the default version of its name: foo@V1 */
};

/* Output version index of node i; the anonymous node is the base version. */
static inline u32 version_node_index(const VersionScript *s, u32 i, bool default_symver) {
  u32 index = VERSION_FIRST + default_symver;
  if (!s->nodes.at[i].name)
    return default_symver ? VERSION_FIRST : VERSION_GLOBAL;
  for (u32 k = 0; k < i; k++)
    index += s->nodes.at[k].name != NULL;
  return index;
}
/* Indexes in use are [1, version_index_end()). */
static inline u32 version_index_end(const VersionScript *s, bool default_symver) {
  u32 index = VERSION_FIRST + default_symver;
  for (u32 k = 0; k < s->nodes.n; k++)
    index += s->nodes.at[k].name != NULL;
  return index;
}

#endif
