/* layout_match.h: which statement of a layout takes an input section. Compiles the patterns of a
 * LayoutDesc once; a question then costs a walk over the beginning of the name, however many
 * patterns there are. GNU ld's rule: the first pattern of the script that matches wins. */
#ifndef WELD_CORE_LAYOUT_MATCH_H
#define WELD_CORE_LAYOUT_MATCH_H

#include "core/layout.h"
#include "util/arena.h"

typedef struct LayoutMatcher LayoutMatcher;

/* Where a section goes: desc->stmts[stmt].patterns[pattern]. */
typedef struct LayoutHit {
  u32 stmt, pattern;
  u32 index; /* of the pattern among all of the description, in script order: sections of one output
                section are ordered by it, then by input order (patterns that are joined or sorted:
                see `list`) */
  u32 list;  /* index of the first pattern of the list that this one is joined to */
  bool orphan; /* nothing took it by name; stmt is the LAYOUT_ORPHANS statement whose patterns fit:
                  the section makes an output section of its own name there */
} LayoutHit;

/* desc must outlive the matcher, which lives in the arena. Serial. */
LayoutMatcher *layout_matcher(Arena *a, const LayoutDesc *desc);
/* Asks for the input section `name` (len bytes, no NUL needed) with ATOM_* `aflags` and the format's flags `attr`, of the file
 * `path`, or of `member` (not NULL) in the archive `path`; path may be NULL for what weld makes.
 * False: an orphan that no LAYOUT_ORPHANS pattern takes either. Thread safe. */
bool layout_match(const LayoutMatcher *m, const char *name, u64 len, const char *path,
                  const char *member, u32 aflags, u32 attr, LayoutHit *hit);
/* The same among statements after `stmt` only: for one that does not apply after all (ONLY_IF_RO).
 */
bool layout_match_after(const LayoutMatcher *m, u32 stmt, const char *name, u64 len,
                        const char *path, const char *member, u32 aflags, u32 attr, LayoutHit *hit);
/* Whether what takes a section of that name depends on its file. */
bool layout_match_asks_file(const LayoutMatcher *m, const char *name);
/* Whether a pattern asks for `attr` at all. */
bool layout_match_asks_attr(const LayoutMatcher *m);
/* Every place there is, by LayoutHit.index. */
const LayoutHit *layout_hits(const LayoutMatcher *m, u32 *count);

#endif
