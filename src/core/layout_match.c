/* layout_match.c: input section -> pattern. Section names go through one GlobSet, whose values are
 * the indexes of patterns in script order, so the lowest that agrees is the first in the script.
 * File patterns, exclusions and flags are looked at only when the name fits. The trap:
 * LAYOUT_ORPHANS patterns come after all others, wherever they stand, since a section is an orphan
 * only when nothing takes it by name. */
#include "core/layout_match.h"

#include "util/glob.h"

/* An input section, as patterns see it. */
typedef struct {
  const char *path, *member;
  u32 aflags, attr;
} Query;

typedef struct {
  const char *archive, *file; /* of "archive:file"; archive == NULL: no ':' in the pattern */
} FilePattern;

typedef struct {
  const char *name; /* glob of the section */
  u32 with, without;
  u32 attr_with, attr_without;
  bool any_file;
  FilePattern file;
  const FilePattern *exclude;
  u32 nexclude;
} Rule;

struct LayoutMatcher {
  GlobSet *names;
  LayoutHit *hits;
  Rule *rules;
  u32 n;
  bool asks_attr;
};

static FilePattern file_pattern(Arena *a, const char *s) {
  const char *colon = strchr(s, ':');
  if (!colon)
    return (FilePattern){NULL, s};
  return (FilePattern){arena_strndup(a, s, (u64)(colon - s)), colon + 1};
}

/* GNU ld manual, "Input Section Basics": "archive:file" is that member of that archive, "archive:"
 * the whole archive, ":file" a file that is in none. Without ':' the name of the file or member
 * counts. */
static bool file_matches(const FilePattern *f, const Query *q) {
  const char *archive = q->member ? q->path : NULL, *file = q->member ? q->member : q->path;
  if (!file)
    return false;
  if (!f->archive)
    return glob_match(f->file, file, strlen(file));
  if (!*f->archive)
    return !archive && glob_match(f->file, file, strlen(file));
  return archive && glob_match(f->archive, archive, strlen(archive)) &&
         (!*f->file || glob_match(f->file, file, strlen(file)));
}

static bool rule_allows(const Rule *r, const Query *q) {
  if ((q->aflags & r->with) != r->with || (q->aflags & r->without) || (q->attr & r->attr_with) != r->attr_with ||
      (q->attr & r->attr_without))
    return false;
  if (!r->any_file && !file_matches(&r->file, q))
    return false;
  for (u32 i = 0; i < r->nexclude; i++)
    if (file_matches(&r->exclude[i], q))
      return false;
  return true;
}

static Rule rule_make(Arena *a, const LayoutPattern *p) {
  Rule r = {.name = p->section,
            .with = p->flags_with,
            .without = p->flags_without,
            .attr_with = p->attr_with,
            .attr_without = p->attr_without,
            .any_file = !p->file || streq(p->file, "*")};
  if (!r.any_file)
    r.file = file_pattern(a, p->file);
  u32 n = 0;
  while (p->exclude_files && p->exclude_files[n])
    n++;
  FilePattern *list = ARENA_ARRAY(a, FilePattern, n);
  for (u32 i = 0; i < n; i++)
    list[i] = file_pattern(a, p->exclude_files[i]);
  r.exclude = list;
  r.nexclude = n;
  return r;
}

static void add_kind(LayoutMatcher *m, Arena *a, const LayoutDesc *desc, LayoutKind kind, u32 first) {
  for (u32 s = 0; s < desc->nstmts; s++) {
    const LayoutStmt *st = &desc->stmts[s];
    if (st->kind != kind || (st->flags & LAYOUT_FIRST) != first)
      continue;
    for (u32 i = 0; i < st->npatterns; i++) {
      u32 at = m->n++;
      u32 list = st->patterns[i].joined && i ? m->hits[at - 1].list : at;
      m->hits[at] = (LayoutHit){
          .stmt = s, .pattern = i, .index = at, .list = list, .orphan = kind == LAYOUT_ORPHANS};
      m->rules[at] = rule_make(a, &st->patterns[i]);
      const Rule *r = &m->rules[at];
      m->asks_attr |= (r->attr_with | r->attr_without) != 0;
      if (r->any_file && !r->nexclude && !(r->with | r->without | r->attr_with | r->attr_without))
        globset_add_sure(m->names, st->patterns[i].section, false, at);
      else
        globset_add(m->names, st->patterns[i].section, false, at);
    }
  }
}

LayoutMatcher *layout_matcher(Arena *a, const LayoutDesc *desc) {
  LayoutMatcher *m = ARENA_NEW(a, LayoutMatcher);
  u32 n = 0;
  for (u32 s = 0; s < desc->nstmts; s++)
    n += desc->stmts[s].npatterns;
  m->names = globset_create(a);
  m->hits = ARENA_ARRAY(a, LayoutHit, n);
  m->rules = ARENA_ARRAY(a, Rule, n);
  add_kind(m, a, desc, LAYOUT_OUTPUT, LAYOUT_FIRST);
  add_kind(m, a, desc, LAYOUT_OUTPUT, 0);
  add_kind(m, a, desc, LAYOUT_ORPHANS, 0);
  globset_seal(m->names);
  return m;
}

typedef struct {
  const LayoutMatcher *m;
  Query q;
} Question;

static bool allowed(const void *ctx, u32 value) {
  const Question *x = ctx;
  return rule_allows(&x->m->rules[value], &x->q);
}

bool layout_match(const LayoutMatcher *m, const char *name, u64 len, const char *path,
                  const char *member, u32 aflags, u32 attr, LayoutHit *hit) {
  Question x = {m, {path, member, aflags, attr}};
  u32 at = globset_find_where(m->names, name, len, allowed, &x);
  if (at == UINT32_MAX)
    return false;
  *hit = m->hits[at];
  return true;
}

/* Rare, so one by one. */
bool layout_match_after(const LayoutMatcher *m, u32 stmt, const char *name, u64 len,
                        const char *path, const char *member, u32 aflags, u32 attr, LayoutHit *hit) {
  Query q = {path, member, aflags, attr};
  for (u32 i = 0; i < m->n; i++)
    if (m->hits[i].stmt > stmt && glob_match(m->rules[i].name, name, len) &&
        rule_allows(&m->rules[i], &q)) {
      *hit = m->hits[i];
      return true;
    }
  return false;
}

bool layout_match_asks_file(const LayoutMatcher *m, const char *name) {
  for (u32 i = 0; i < m->n; i++)
    if ((!m->rules[i].any_file || m->rules[i].nexclude) && glob_match(m->rules[i].name, name, strlen(name)))
      return true;
  return false;
}

bool layout_match_asks_attr(const LayoutMatcher *m) {
  return m->asks_attr;
}

const LayoutHit *layout_hits(const LayoutMatcher *m, u32 *count) {
  *count = m->n;
  return m->hits;
}
