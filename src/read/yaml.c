/* yaml.c: the Format row of the graph as text. A document is a File; its defined atom i is atom_base + i; every
 * defined atom has a local symbol of its own, so that a reference to it needs no name, and those with a scope
 * have a global one too.
 * The trap: a reference names its target, and what the name means depends on scope. A static atom is meant
 * itself; anything else goes by name, to whichever definition won it. */
#include "read/yaml.h"

#include "core/resolve.h"
#include "format/yaml_object.h"
#include "read/yaml_open.h"
#include "util/hash.h"

static const YamlObject *object(const Link *l, FileId f) { return file_at(l, f)->fmt; }

/* ---- symbols ---- */

static u8 rank_of(const YamlSymbol *s) {
  switch ((YamlAtomKind)s->definition) {
  case YAML_ATOM_UNDEFINED: return RANK_NONE;
  case YAML_ATOM_SHARED: return RANK_OUTSIDE;
  case YAML_ATOM_ABSOLUTE: return RANK_STRONG;
  case YAML_ATOM_DEFINED: break;
  }
  switch (s->at ? s->at->merge : s->atom->merge) {
  case YAML_MERGE_AS_TENTATIVE: return RANK_COMMON;
  case YAML_MERGE_AS_WEAK:
  case YAML_MERGE_AS_ADDRESSED_WEAK: return RANK_WEAK_FIRST;
  default: return RANK_STRONG;
  }
}

/* An undefined atom that may be missing does not load archive members. */
static bool is_weak(const YamlSymbol *s) {
  if (s->definition == YAML_ATOM_UNDEFINED)
    return !s->atom || s->atom->can_be_null == YAML_CAN_BE_NULL_AT_BUILDTIME;
  return rank_of(s) == RANK_WEAK_FIRST;
}

static u32 yaml_names(Link *l, FileId f, InternEnt *out) {
  const File *file = file_at(l, f);
  const YamlObject *o = file->fmt;
  u32 n = 0;
  for (u32 i = o->first_global; i < o->nsymbols; i++) {
    const YamlSymbol *s = &o->symbols[i];
    u32 *id = &file->globals[i - o->first_global], len = (u32)strlen(s->name);
    u64 rank = rank_of(s);
    if (file->lazy)
      rank = rank < RANK_OUTSIDE ? RANK_OUTSIDE : RANK_NONE;
    *id = UINT32_MAX;
    out[n++] = (InternEnt){hash128_bytes(s->name, len), s->name, rank << 56 | (u64)f.i << 32 | i, id, len};
  }
  return n;
}

static u32 type_flags(YamlType t) {
  switch (t) {
  case YAML_TYPE_CODE:
  case YAML_TYPE_STUB:
  case YAML_TYPE_RESOLVER:
    return SF_FUNC;
  case YAML_TYPE_THREAD_DATA:
  case YAML_TYPE_THREAD_ZERO_FILL:
    return SF_TLS;
  default:
    return 0;
  }
}

static void record(const YamlSymbol *s, u32 index, SymRec *r) {
  const YamlAtom *a = s->atom;
  *r = (SymRec){.index = index, .section = s->section, .rank = rank_of(s)};
  if (is_weak(s))
    r->flags |= SF_WEAK;
  if (!a)
    return;
  YamlScope scope = s->at ? s->at->scope : a->scope;
  r->vis = s->definition != YAML_ATOM_UNDEFINED && s->definition != YAML_ATOM_SHARED && scope == YAML_SCOPE_HIDDEN ? 2 : 0;
  r->size = s->at ? s->at->size : a->size;
  switch ((YamlAtomKind)s->definition) {
  case YAML_ATOM_ABSOLUTE:
    r->flags |= SF_ABSOLUTE;
    r->value = a->value;
    break;
  case YAML_ATOM_SHARED:
    r->flags |= SF_SHARED;
    break;
  case YAML_ATOM_UNDEFINED:
    r->vis = (u8)a->visibility;
    break;
  case YAML_ATOM_DEFINED:
    r->flags |= type_flags(a->type) | (a->dead_strip == YAML_DEAD_STRIP_ALWAYS ? (u32)SF_VERSION_LOCAL : 0);
    r->value = s->at ? s->at->offset : r->rank == RANK_COMMON ? 1ull << a->p2align : 0;
    if (s->at)
      break;
    if (a->merge == YAML_MERGE_SAME_NAME_AND_SIZE)
      r->join = JOIN_SAME_SIZE;
    if (a->merge == YAML_MERGE_LARGEST) {
      r->join = JOIN_LARGEST;
      r->size = a->section_size;
    }
    break;
  }
}

static u32 yaml_symbols(const Link *l, FileId f, u32 from, SymRec *buf, u32 cap) {
  const YamlObject *o = object(l, f);
  u32 n = from < o->nsymbols ? MIN(cap, o->nsymbols - from) : 0;
  for (u32 k = 0; k < n; k++)
    record(&o->symbols[from + k], from + k, &buf[k]);
  return n;
}

static u32 yaml_kinds(const Link *l, FileId f, u32 from, u64 *buf, u32 cap) {
  const YamlObject *o = object(l, f);
  u32 n = from < o->nsymbols ? MIN(cap, o->nsymbols - from) : 0;
  for (u32 k = 0; k < n; k++) {
    SymRec r;
    record(&o->symbols[from + k], from + k, &r);
    buf[k] = (u64)r.section << SK_SECTION_SHIFT | (u64)r.vis << SK_VIS_SHIFT | (r.flags & SF_WEAK ? SK_WEAK : 0) | r.rank;
  }
  return n;
}

static void yaml_definitions(const Link *l, const u64 *keys, u32 n, SymRec *buf) {
  for (u32 k = 0; k < n; k++)
    if (key_file(keys[k]) && key_rank(keys[k]) != RANK_NONE)
      yaml_symbols(l, (FileId){key_file(keys[k])}, key_index(keys[k]), &buf[k], 1);
}

static const char *yaml_sym_name(const Link *l, FileId f, u32 index) {
  if (f.i == 0)
    return index < l->weld_names.n ? l->weld_names.at[index].name : "";
  const YamlObject *o = object(l, f);
  return o && index && index < o->nsymbols ? o->symbols[index].name : "";
}

static u64 yaml_sym_size(const Link *l, FileId f, u32 index) {
  const YamlObject *o = object(l, f);
  const YamlAtom *a = o && index && index < o->nsymbols ? o->symbols[index].atom : NULL;
  return a ? a->size : 0;
}

/* Text does not say where in its library a variable stands; two at one place would be one. */
static bool yaml_shared_symbol(const Link *l, FileId f, u32 index, SharedSym *out) {
  const YamlSymbol *s = &object(l, f)->symbols[index];
  if (s->definition != YAML_ATOM_SHARED)
    return false;
  u64 size = s->atom->size, align = 1;
  while (align < size && align < 32)
    align *= 2;
  *out = (SharedSym){.value = (u64)index << 32, .size = size, .align = align};
  return true;
}

/* ---- groups and atoms ---- */

static void yaml_groups(Link *l, FileId f, unsigned tid) {
  File *file = file_at(l, f);
  const YamlAtoms *d = &object(l, f)->file->defined;
  u32 n = 0;
  for (u32 i = 0; i < d->n; i++)
    n += yaml_is_group(&d->at[i]) && d->at[i].name;
  file->ngroups = 0;
  file->group_names = NULL;
  if (!n)
    return;
  file->groups = ARENA_ARRAY(&l->scratch[tid], GroupRef, n);
  file->group_names = ARENA_ARRAY(&l->scratch[tid], const char *, n);
  for (u32 i = 0; i < d->n; i++)
    if (yaml_is_group(&d->at[i]) && d->at[i].name) {
      u32 k = file->ngroups++;
      file->groups[k] = (GroupRef){.id = k, .index = (i + 1) & 0x3fffffff, .local = true};
      file->group_names[k] = d->at[i].name;
    }
}

/* The file and number of the group that won over g. */
static u64 winner_of(const Link *l, const GroupRef *g) {
  return l->groups.shards[g->id & (INTERN_SHARDS - 1)].syms.at[g->id >> 6].key;
}

/* The child of that name in group `atom` of o; its number, 0: none. */
static u32 child_named(const YamlObject *o, u32 atom, const char *name) {
  for (u32 e = o->first_edge[atom]; e < o->first_edge[atom + 1]; e++) {
    const YamlSymbol *s = &o->symbols[o->edges[e].symbol];
    if (o->edges[e].kind == EDGE_GROUP_CHILD && s->section && streq(s->name, name))
      return s->section;
  }
  return 0;
}

/* A group that lost falls with its children; a static child is replaced by its namesake in the winner. */
static void drop_group(Link *l, File *file, YamlObject *o, const GroupRef *g, Arena *arena) {
  u16 *flags = l->atoms.flags + file->atom_base;
  u64 won = winner_of(l, g);
  const File *other = &l->files.at[won >> 32];
  flags[g->index] = ATOM_DISCARDED;
  if (!o->stand_in)
    o->stand_in = ARENA_ARRAY(arena, u32, o->file->defined.n + 1);
  for (u32 e = o->first_edge[g->index]; e < o->first_edge[g->index + 1]; e++) {
    const YamlSymbol *s = &o->symbols[o->edges[e].symbol];
    if (o->edges[e].kind != EDGE_GROUP_CHILD || !s->section)
      continue;
    flags[s->section] = ATOM_DISCARDED;
    u32 child = *s->name ? child_named(other->fmt, (u32)won, s->name) : 0;
    if (child)
      o->stand_in[s->section] = other->atom_base + child;
  }
}

static u32 atom_flags_of(const YamlAtom *a) {
  u32 f = ATOM_LIVE | ATOM_ALLOC;
  switch (a->type) {
  case YAML_TYPE_CODE:
  case YAML_TYPE_STUB:
  case YAML_TYPE_STUB_HELPER:
  case YAML_TYPE_RESOLVER:
  case YAML_TYPE_BRANCH_ISLAND:
  case YAML_TYPE_BRANCH_SHIM:
    f |= ATOM_EXEC;
    break;
  case YAML_TYPE_DATA:
  case YAML_TYPE_QUICK_DATA:
  case YAML_TYPE_GOT:
  case YAML_TYPE_LAZY_POINTER:
  case YAML_TYPE_LAZY_DYLIB_POINTER:
  case YAML_TYPE_INITIALIZER_POINTER:
  case YAML_TYPE_TERMINATOR_POINTER:
    f |= ATOM_WRITE;
    break;
  case YAML_TYPE_ZERO_FILL:
  case YAML_TYPE_ZERO_FILL_QUICK:
    f |= ATOM_WRITE | ATOM_ZEROFILL;
    break;
  case YAML_TYPE_THREAD_DATA:
  case YAML_TYPE_TLV_DATA:
    f |= ATOM_WRITE | ATOM_TLS;
    break;
  case YAML_TYPE_THREAD_ZERO_FILL:
  case YAML_TYPE_TLV_ZERO_FILL:
    f |= ATOM_WRITE | ATOM_TLS | ATOM_ZEROFILL;
    break;
  case YAML_TYPE_NO_ALLOC:
  case YAML_TYPE_GROUP_COMDAT:
  case YAML_TYPE_GNU_LINKONCE:
    f &= ~(u32)ATOM_ALLOC;
    break;
  default:
    break;
  }
  if (a->dead_strip == YAML_DEAD_STRIP_NEVER)
    f |= ATOM_ROOT;
  return f;
}

/* The atom that atom i follows, from 1 on; 0: none. */
static u32 followed(const YamlObject *o, u32 i) {
  for (u32 e = o->first_edge[i]; e < o->first_edge[i + 1]; e++)
    if (o->edges[e].kind == EDGE_LINK_ORDER)
      return o->symbols[o->edges[e].symbol].section;
  return 0;
}

static void yaml_atoms(Link *l, FileId f, unsigned tid) {
  File *file = file_at(l, f);
  YamlObject *o = file->fmt;
  u16 *flags = l->atoms.flags + file->atom_base;
  for (u32 k = 0; k < file->ngroups; k++)
    if (!group_won(l, f.i, &file->groups[k]))
      drop_group(l, file, o, &file->groups[k], &l->scratch[tid]);
  for (u32 i = 1; i < file->natoms; i++) {
    const YamlAtom *y = &o->file->defined.at[i - 1];
    l->atoms.at[file->atom_base + i] = (Atom){.data = y->content.p, .size = y->size, .file = f.i, .rel = y->nrefs, .type = y->type, .p2align = y->p2align, .fold = yaml_is_group(y) ? 0 : y->type == YAML_TYPE_BRANCH_ISLAND ? FOLD_KIND | FOLD_ISLAND : FOLD_KIND};
    if (!(flags[i] & ATOM_DISCARDED))
      flags[i] = (u16)atom_flags_of(y);
    u32 follows = followed(o, i);
    if (follows) {
      l->atoms.at[file->atom_base + i].link = file->atom_base + follows;
      flags[i] |= ATOM_LINKORDER;
    }
  }
}

static const YamlWord type_words[] = {YAML_TYPES(YAML_WORD_ROW)};

/* A section for each type, unless the text says which. */
static const char *yaml_atom_name(const Link *l, AtomId a) {
  if (l->atoms.flags[a.i] & ATOM_SYNTH)
    return l->synths.at[l->atoms.at[a.i].aux].name;
  const File *file = atom_file(l, a);
  const YamlObject *o = file->fmt;
  const YamlAtom *y = &o->file->defined.at[a.i - file->atom_base - 1];
  if (y->section_name)
    return y->section_name;
  return type_words[y->type == YAML_TYPE_BRANCH_ISLAND ? YAML_TYPE_CODE : y->type].word; /* islands stand among the code */
}

/* ---- edges ---- */

static void lead_to(const Link *l, u32 sym, Edge *e) {
  e->target = sym;
  e->flags = sym < l->syms.nglobal ? (u16)l->syms.flags[sym] : 0;
  e->S = l->addressed && sym < l->syms.nglobal ? l->syms.value[sym] : 0;
}

/* A static atom that fell, and that nothing stands in for, is a name like an undefined one. */
static bool goes_by_name(const Link *l, const char *name, Edge *e) {
  SymId s = *name ? sym_find(l, name, strlen(name)) : NO_SYM;
  if (s.i >= l->syms.nglobal || l->syms.flags[s.i] & SF_UNDEFINED)
    return false;
  lead_to(l, s.i, e);
  return true;
}

static void decode(const Link *l, const File *file, const YamlRef *r, const YamlEdge *y, Edge *e) {
  const YamlObject *o = file->fmt;
  *e = (Edge){.offset = r->offset, .addend = r->addend, .kind = y->kind, .target = UINT32_MAX};
  if (!y->symbol)
    return;
  const YamlSymbol *s = &o->symbols[y->symbol];
  if (y->symbol >= o->first_global) {
    u32 sym = file->globals[y->symbol - o->first_global];
    if (o->stands_for && sym < l->syms.nglobal && o->stands_for[sym] != UINT32_MAX)
      sym = o->stands_for[sym];
    lead_to(l, sym, e);
    return;
  }
  u32 atom = s->section ? file->atom_base + s->section : 0;
  if (o->stand_in && s->section && !s->at && o->stand_in[s->section])
    atom = o->stand_in[s->section];
  if (atom && (l->atoms.flags[atom] & ATOM_FOLDED) == ATOM_DISCARDED && y->kind < EDGE_LAYOUT_AFTER && goes_by_name(l, s->name, e))
    return;
  const File *owner = atom ? &l->files.at[l->atoms.at[atom].file] : file;
  e->target = owner->local_base + (atom && !s->at ? atom - owner->atom_base : y->symbol);
  e->flags = (u16)(SF_LOCAL | (s->at ? 0 : SF_SECTION) | (atom ? 0 : SF_ABSOLUTE) | (atom && !(l->atoms.flags[atom] & ATOM_LIVE) ? SF_DISCARDED : 0) |
                   type_flags(s->atom->type));
  e->S = !l->addressed ? atom : atom ? l->atoms.addr[atom] + (s->at ? s->at->offset : 0) : s->atom->value;
}

static u32 yaml_edges(const Link *l, EdgeCursor *c, Edge *buf) {
  const File *file = atom_file(l, c->atom);
  const YamlObject *o = file->fmt;
  if (l->atoms.flags[c->atom.i] & ATOM_SYNTH || !o)
    return 0;
  u32 i = c->atom.i - file->atom_base, n = 0;
  const YamlAtom *a = &o->file->defined.at[i - 1];
  for (; c->next < a->nrefs && n < EDGE_BATCH; c->next++)
    decode(l, file, &a->refs[c->next], &o->edges[o->first_edge[i] + c->next], &buf[n++]);
  return n;
}

static AtomId yaml_edge_atom(const Link *l, FileId f, const Edge *e, i64 *off) {
  AtomId a = {0};
  *off = e->addend;
  if (e->target < l->syms.nglobal) {
    a.i = l->syms.atom[e->target];
    *off += !a.i ? 0 : (i64)(l->syms.value[e->target] - (l->addressed ? l->atoms.addr[a.i] : 0));
  } else if (e->target != UINT32_MAX) {
    FileId owner = local_owner(l, e->target);
    u32 index = e->target - file_at(l, owner)->local_base;
    const YamlObject *o = object(l, owner);
    const YamlSymbol *s = o && index && index < o->first_global ? &o->symbols[index] : NULL;
    a.i = s && s->section ? file_at(l, owner)->atom_base + s->section : 0;
    *off += s && s->at ? (i64)s->at->offset : 0;
  }
  if (a.i && (l->atoms.flags[a.i] & ATOM_FOLDED) == ATOM_FOLDED)
    a.i = l->atoms.at[a.i].link;
  (void)f;
  return a;
}

static u32 yaml_edge_targets(const Link *l, AtomId a, u32 *next, u32 end, EdgeTarget *buf) {
  EdgeCursor c = {.atom = a, .next = *next};
  Edge e[EDGE_BATCH];
  FileId f = {l->atoms.at[a.i].file};
  u32 n = yaml_edges(l, &c, e);
  n = *next >= end ? 0 : MIN(n, end - *next);
  for (u32 i = 0; i < n; i++) {
    bool global = e[i].target < l->syms.nglobal;
    i64 off = 0;
    u32 atom = e[i].target == UINT32_MAX || e[i].flags & SF_DISCARDED ? 0 : yaml_edge_atom(l, f, &e[i], &off).i;
    buf[i] = (EdgeTarget){.offset = e[i].offset, .addend = e[i].addend, .value = (u64)off - (u64)e[i].addend, .atom = atom, .target = e[i].target,
                          .flags = global ? l->syms.flags[e[i].target] : e[i].flags, .kind = e[i].kind};
  }
  *next += n;
  return n;
}

static const YamlAtom *yaml_atom(const Link *l, AtomId a) {
  const File *file = atom_file(l, a);
  return &((const YamlObject *)file->fmt)->file->defined.at[a.i - file->atom_base - 1];
}

static bool yaml_by_content(const Link *l, AtomId a) { return yaml_atom(l, a)->merge == YAML_MERGE_BY_CONTENT; }

static void mark_significant(const Link *l, u32 a, u8 *marks, u8 mark, u16 except) {
  if (a && !(l->atoms.flags[a] & except))
    __atomic_fetch_or(&marks[a], mark, __ATOMIC_RELAXED);
}

/* What may be interposed, and what a table (of an object that became text) says. */
static bool yaml_significant(Link *l, FileId f, u8 *marks, u8 mark, u16 except) {
  const File *file = file_at(l, f);
  const YamlObject *o = file->fmt;
  for (u32 i = 1; i < file->natoms; i++) {
    if (o->file->defined.at[i - 1].interposable != YAML_INTERPOSABLE_NO)
      mark_significant(l, file->atom_base + i, marks, mark, except);
    EdgeCursor c = {.atom = {file->atom_base + i}};
    Edge e[EDGE_BATCH];
    i64 off;
    for (u32 n; (n = yaml_edges(l, &c, e));)
      for (u32 k = 0; k < n; k++)
        if (e[k].kind == EDGE_SIGNIFICANT)
          mark_significant(l, yaml_edge_atom(l, f, &e[k], &off).i, marks, mark, except);
  }
  return true;
}

static bool yaml_edge_ends(const Link *l, AtomId a, EdgeEnd *buf) {
  (void)l, (void)a, (void)buf;
  return false; /* nothing is plain enough */
}

/* ---- for text ---- */

static void yaml_describe(const Link *l, AtomId a, Arena *arena, YamlAtom *out) {
  const File *file = atom_file(l, a);
  const YamlObject *o = file->fmt;
  u32 i = a.i - file->atom_base;
  (void)arena;
  *out = o->file->defined.at[i - 1];
  out->p2align = l->atoms.at[a.i].p2align;
  if (o->addressed && o->addressed[i])
    out->merge = YAML_MERGE_AS_ADDRESSED_WEAK;
}

static bool yaml_describe_symbol(const Link *l, FileId f, u32 index, Arena *arena, YamlAtom *out) {
  const YamlObject *o = object(l, f);
  const YamlSymbol *s = &o->symbols[index];
  (void)arena;
  if (s->definition == YAML_ATOM_DEFINED)
    return false;
  *out = s->atom ? *s->atom : (YamlAtom){.name = s->name, .can_be_null = YAML_CAN_BE_NULL_AT_BUILDTIME};
  return s->atom;
}

/* What of a definition that fell counts for the survivor: that a weak one was addressed, how a tentative one was aligned. */
static void yaml_absorb(Link *l, AtomId winner, AtomId loser) {
  const File *wf = atom_file(l, winner), *lf = atom_file(l, loser);
  YamlObject *w = wf->fmt;
  const YamlObject *o = lf->fmt;
  const YamlAtom *kept = &w->file->defined.at[winner.i - wf->atom_base - 1], *gone = &o->file->defined.at[loser.i - lf->atom_base - 1];
  Atom *to = &l->atoms.at[winner.i];
  if (kept->merge == YAML_MERGE_AS_TENTATIVE && gone->merge == YAML_MERGE_AS_TENTATIVE && !kept->modulus && !gone->modulus)
    to->p2align = MAX(to->p2align, gone->p2align);
  if (kept->merge != YAML_MERGE_AS_WEAK || gone->merge != YAML_MERGE_AS_ADDRESSED_WEAK)
    return;
  if (!w->addressed)
    w->addressed = ARENA_ARRAY(&l->arena, bool, wf->natoms);
  w->addressed[winner.i - wf->atom_base] = true;
}

/* ---- for messages ---- */

static void yaml_each_local(const Link *l, FileId f, void *ctx, SymbolFn *fn) {
  const YamlObject *o = object(l, f);
  for (u32 i = 1; o && i < o->first_global; i++) {
    SymRec r;
    record(&o->symbols[i], i, &r);
    r.rank = RANK_STRONG;
    if (*o->symbols[i].name && !yaml_is_global_symbol(&o->symbols[i]))
      fn(ctx, o->symbols[i].name, &r);
  }
}

static void *yaml_locator_open(const Link *l, FileId f) {
  (void)l, (void)f;
  return NULL;
}

static void yaml_library_names(Bytes library, void *ctx, NameFn *fn) { (void)library, (void)ctx, (void)fn; }

/* ---- the row ---- */

/* The CPU has to be that of the link; what else a triple says is for people. */
static void check_triple(Link *l, const char *name, const char *triple) {
  if (!triple)
    return;
  if (!arch_is_meant(l->arch, triple))
    diag_error(l->diag, "wrong-target", "%s: is made for %s; this link is for %s", name, diag_name(l->diag, triple), l->arch->name);
  else if (!l->opt->target_triple)
    l->opt->target_triple = triple;
}

static void add_file(Link *l, const YamlFile *y, const char *path, File file) {
  YamlObject *o = ARENA_NEW(&l->arena, YamlObject);
  o->file = y;
  o->path = path;
  file.kind = FILE_OBJECT;
  file.fmt = o;
  check_triple(l, file.member ? arena_printf(&l->arena, "%s(%s)", file.path, file.member) : file.path, y->triple);
  *vec_push(&l->files) = file;
}

void yaml_add_files(Link *l, const YamlStream *stream, const char *path, Bytes text) {
  for (u32 i = 0; i < stream->n; i++) {
    const YamlFile *y = &stream->files[i];
    const char *name = y->path && *y->path ? y->path : stream->n > 1 ? arena_printf(&l->arena, "%s#%u", path, i + 1) : path;
    if (!y->archive) {
      add_file(l, y, path, (File){.path = name, .arg = name, .data = text});
      continue;
    }
    *vec_push(&l->archives) = (Archive){.path = name, .data = text, .members_total = y->nmembers};
    for (u32 k = 0; k < y->nmembers; k++)
      add_file(l, &y->members[k].content, path, (File){.path = name, .arg = name, .member = y->members[k].name, .data = text, .lazy = true, .archive = l->archives.n});
  }
}

void yaml_format_init(Format *f) {
  *f = (Format){
      .name = "yaml",
      .word = 8,
      .atoms_are_symbols = true,
      .edges = yaml_edges,
      .edge_stream = edges_as_stream,
      .atom_name = yaml_atom_name,
      .sym_name = yaml_sym_name,
      .sym_size = yaml_sym_size,
      .shared_symbol = yaml_shared_symbol,
      .edge_atom = yaml_edge_atom,
      .edge_ends = yaml_edge_ends,
      .edge_targets = yaml_edge_targets,
      .by_content = yaml_by_content,
      .significant = yaml_significant,
      .open = yaml_open,
      .names = yaml_names,
      .symbols = yaml_symbols,
      .kinds = yaml_kinds,
      .definitions = yaml_definitions,
      .groups = yaml_groups,
      .atoms = yaml_atoms,
      .describe = yaml_describe,
      .describe_symbol = yaml_describe_symbol,
      .absorb = yaml_absorb,
      .each_local = yaml_each_local,
      .locator_open = yaml_locator_open,
      .library_names = yaml_library_names,
  };
}
