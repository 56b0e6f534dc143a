/* layout_take.c: which statement of the description takes an atom, or none: an orphan. What a statement with ONLY_IF_RO or ONLY_IF_RW that
 * does not apply would have taken goes on to those behind it.
 * The trap: files are asked about on all threads, when their atoms were made; what weld makes is asked about at the end. So whether
 * such a statement applies is settled twice: before symbols compete for their names, and when all is there. */
#include "core/layout_internal.h"
#include "core/layout_match.h"
#include "core/resolve.h"
#include "util/glob.h"

typedef struct {
  Link *l;
  const LayoutMatcher *m;
  bool asks_attr;
} MatchJob;

static bool ask(const MatchJob *j, const File *file, u32 a, LayoutHit *hit) {
  const char *name = j->l->format->atom_name(j->l, (AtomId){a});
  return layout_match(j->m, name, strlen(name), file->path, file->member, j->l->atoms.flags[a],
                      UNLIKELY(j->asks_attr) ? j->l->atoms.at[a].attr : 0, hit);
}

bool layout_is_unique(const Link *l, u32 a) {
  if (LIKELY(!l->opt->unique.n))
    return false;
  const char *name = l->format->atom_name(l, (AtomId){a});
  for (u32 i = 0; i < l->opt->unique.n; i++)
    if (glob_match(l->opt->unique.at[i], name, strlen(name)))
      return true;
  return false;
}

/* The file's own tables are no input sections: "*(*)" does not mean them, only an output section of their name. */
static bool is_table(const Link *l, u32 a, const LayoutStmt *st) {
  u32 syn = l->atoms.at[a].aux;
  return syn >= SYN_SYMTAB && syn <= SYN_SHSTRTAB && !(st->name && streq(st->name, l->synths.at[syn].name));
}

/* An input section that nothing takes by name. False: it is left out. */
static bool orphan_stays(Link *l, u32 a) {
  OrphanHandling how = l->opt->orphan_handling;
  if (LIKELY(how == ORPHANS_PLACE) || !l->scripted || l->atoms.flags[a] & ATOM_SYNTH)
    return true;
  if (how == ORPHANS_DISCARD)
    return false;
  FileId f = {l->atoms.at[a].file};
  const char *name = l->format->atom_name(l, (AtomId){a});
  if (how == ORPHANS_ERROR)
    diag_report(l->diag, DIAG_ERROR, "orphan", (u64)f.i << 32, "unplaced orphan section '%s' from %s", name, file_name(l, f));
  else
    diag_report(l->diag, DIAG_WARNING, "orphan", (u64)f.i << 32, "orphan section '%s' from %s being placed in section '%s'", name,
                file_name(l, f), name);
  return true;
}

static void leave_out(Link *l, u32 a) { l->atoms.flags[a] = (u16)((l->atoms.flags[a] & ~ATOM_LIVE) | ATOM_DISCARDED); }

/* ONLY_IF_RO and ONLY_IF_RW: whether a statement applies is known when all input sections were asked for. */
static void note_writable(const Link *l, u32 stmt, u32 a) {
  bool *what = l->atoms.flags[a] & ATOM_WRITE ? l->lay->writable : l->lay->readonly;
  __atomic_store_n(&what[stmt], true, __ATOMIC_RELAXED);
}

static void match_atom(const MatchJob *j, const File *file, u32 a) {
  Link *l = j->l;
  u16 fl = l->atoms.flags[a];
  LayoutHit hit;
  l->rules[a] = NO_RULE;
  if (!ask(j, file, a, &hit) || hit.orphan) {
    if (!orphan_stays(l, a))
      leave_out(l, a);
    return;
  }
  const LayoutStmt *st = &l->layout->stmts[hit.stmt];
  if (fl & ATOM_SYNTH && is_table(l, a, st))
    return;
  if (!(fl & ATOM_SYNTH) && layout_is_unique(l, a))
    return;
  if (st->flags & LAYOUT_DISCARD) {
    leave_out(l, a);
    return;
  }
  if (UNLIKELY(st->flags & (LAYOUT_ONLY_IF_RO | LAYOUT_ONLY_IF_RW)))
    note_writable(l, hit.stmt, a);
  if (UNLIKELY(l->relocatable) && fl & ATOM_GROUPED)
    return; /* a member of a group that may yet lose: a section of its own */
  l->rules[a] = hit.stmt << 16 | hit.pattern;
  l->atoms.flags[a] = (u16)(fl | (st->patterns[hit.pattern].keep ? ATOM_ROOT : 0));
}

void layout_match_init(Link *l) {
  l->lay = ARENA_NEW(&l->arena, Layout);
  l->matcher = layout_matcher(&l->arena, l->layout);
  l->lay->writable = ARENA_ARRAY(&l->arena, bool, l->layout->nstmts);
  l->lay->readonly = ARENA_ARRAY(&l->arena, bool, l->layout->nstmts);
}

void layout_match_file(Link *l, FileId f) {
  const MatchJob j = {l, l->matcher, layout_match_asks_attr(l->matcher)};
  const File *file = file_at(l, f);
  for (u32 a = file->atom_base; a < file->atom_base + file->natoms; a++)
    if (l->atoms.flags[a] & ATOM_LIVE && !(l->atoms.flags[a] & ATOM_EHFRAME))
      match_atom(&j, file, a);
}

/* GNU ld: ONLY_IF_RO when no input section can be written, ONLY_IF_RW when one can. */
bool layout_applies(const Link *l, u32 s) {
  u32 f = l->layout->stmts[s].flags;
  return !(f & (LAYOUT_ONLY_IF_RO | LAYOUT_ONLY_IF_RW)) || l->lay->writable[s] == !(f & LAYOUT_ONLY_IF_RO);
}

/* What matched a statement that does not apply goes where it would go without it. */
static void match_again(const MatchJob *j, u32 s) {
  Link *l = j->l;
  for (u32 a = 1; a < l->atoms.n; a++) {
    LayoutHit hit;
    if (!(l->atoms.flags[a] & ATOM_LIVE) || l->rules[a] == NO_RULE || l->rules[a] >> 16 != s)
      continue;
    const File *file = atom_file(l, (AtomId){a});
    const char *name = l->format->atom_name(l, (AtomId){a});
    l->rules[a] = NO_RULE;
    if (!layout_match_after(j->m, s, name, strlen(name), file->path, file->member, l->atoms.flags[a], l->atoms.at[a].attr, &hit) ||
        hit.orphan) {
      if (!orphan_stays(l, a))
        leave_out(l, a);
    } else if (l->layout->stmts[hit.stmt].flags & LAYOUT_DISCARD) {
      leave_out(l, a);
    } else {
      note_writable(l, hit.stmt, a);
      l->rules[a] = hit.stmt << 16 | hit.pattern;
    }
  }
}

static void settle_constraints(const MatchJob *j) {
  const Link *l = j->l;
  for (u32 s = 0; s < l->layout->nstmts; s++)
    if ((l->lay->writable[s] || l->lay->readonly[s]) && !layout_applies(l, s))
      match_again(j, s);
}

/* A name that only a statement defines which does not apply is one that is mentioned. */
static void forget_names(Link *l) {
  for (u32 i = 0; i < l->weld_names.n; i++) {
    WeldName *w = &l->weld_names.at[i];
    if (!w->stmt || layout_applies(l, w->outer))
      continue;
    w->kind = WELD_MENTION;
    w->stmt = NULL;
    w->expr = NULL;
    l->syms.key[w->sym] = (u64)RANK_NONE << 56;
  }
  for (u32 i = 0; i < l->weld_names.n; i++) { /* another may define it */
    const WeldName *w = &l->weld_names.at[i];
    if (w->kind == WELD_DEFINE && key_rank(l->syms.key[w->sym]) != RANK_WELD)
      l->syms.key[w->sym] = (u64)RANK_WELD << 56 | i;
  }
}

void layout_constraints(Link *l) {
  const MatchJob j = {l, l->matcher, true};
  bool all = true;
  settle_constraints(&j);
  for (u32 s = 0; s < l->layout->nstmts; s++)
    all &= layout_applies(l, s);
  if (!all)
    forget_names(l);
}

void layout_match_synths(Link *l) {
  const MatchJob j = {l, l->matcher, layout_match_asks_attr(l->matcher)};
  for (u32 i = 1; i < l->synths.n; i++)
    if (l->synths.at[i].name) {
      u32 a = l->synths.at[i].atom.i;
      l->atoms.at[a].p2align = l->synths.at[i].p2align;
      match_atom(&j, &l->files.at[l->synths.at[i].file], a);
    }
  settle_constraints(&j);
}

bool layout_ask(Link *l, u32 a, LayoutHit *hit) {
  const MatchJob j = {l, l->matcher, layout_match_asks_attr(l->matcher)};
  return ask(&j, atom_file(l, (AtomId){a}), a, hit);
}
