/* yaml.c: the graph as text, from any link at any time after its symbols are resolved. Three sweeps over the live
 * atoms: which names there are, which targets need a name for the purpose (ref-name), then the text itself,
 * atom by atom. Branch islands, which are no atoms of the link, have numbers behind those of the atoms.
 * The trap: a name in the text must mean the same when it is read back. A global name means whatever won it; a
 * static atom is meant by its name only while nothing else bears it, else by a ref-name that nothing else bears. */
#include "write/yaml.h"

#include <stdlib.h>

#include "core/resolve.h"
#include "core/thunks.h"
#include "format/yaml_graph.h"
#include "util/hash.h"
#include "write/yaml_slots.h"
#include "write/yaml_text.h"

enum { UNSEEN = 255 };

typedef struct {
  const char *name; /* NULL: a free slot */
  u32 bearers;
  u32 groups;       /* that bear it, too: it means one only where nothing else does */
  bool global;      /* one of the bearers is not static: the name means that */
} NameSlot;

typedef struct {
  Link *l;
  Arena arena;       /* as long as the dump */
  Arena scratch;     /* as long as an atom */
  NameSlot *slots;
  u32 mask, nnames;
  const char **ref;  /* by AtomId: the ref-name that was made, NULL: none */
  const char **sym_ref; /* the same of static absolutes, by SymId from nglobal on */
  u8 *may_be_null;   /* by SymId: the least permissive that any mention says, UNSEEN: nobody mentions it */
  const char **fallback; /* by SymId: the first that any mention has, NULL: none */
  u8 *mentioned;     /* by SymId: a live atom refers to it */
  u8 *written;       /* by SymId */
  u32 *order;        /* the atoms that are written, as they stand in the text */
  const Thunk **islands; /* in order of addresses; the first is atom l->atoms.n */
  u32 *island_of;    /* by place in Thunks.all: its number as an atom */
  u32 nislands;
  u32 norder;
  AtomId *folded;    /* Link.folded, in order of who stands for them */
  VEC(const char *) lost; /* names that are referred to, and that nothing in the text bears */
  u32 next_ref;
} Dump;

/* ---- names ---- */

static NameSlot *find_slot(const Dump *d, const char *name) {
  u32 k = (u32)hash_bytes(name, strlen(name)) & d->mask;
  while (d->slots[k].name && !streq(d->slots[k].name, name))
    k = (k + 1) & d->mask;
  return &d->slots[k];
}

static void grow_names(Dump *d) {
  NameSlot *old = d->slots;
  u32 n = d->mask + 1;
  d->mask = d->mask * 2 + 1;
  d->slots = heap_alloc((d->mask + 1ull) * sizeof *d->slots);
  for (u32 i = 0; i < n; i++)
    if (old[i].name)
      *find_slot(d, old[i].name) = old[i];
  free(old);
}

/* The name must stay as long as the dump. */
static NameSlot *take_slot(Dump *d, const char *name) {
  NameSlot *s = find_slot(d, name);
  if (!s->name) {
    if (2 * d->nnames++ >= d->mask) {
      grow_names(d);
      s = find_slot(d, name);
    }
    s->name = name;
  }
  return s;
}

static void bear(Dump *d, const char *name, bool global) {
  if (!name || !*name)
    return;
  NameSlot *s = take_slot(d, name);
  s->bearers++;
  s->global |= global;
}

static u32 bearers(const Dump *d, const char *name) { return find_slot(d, name)->bearers; }

/* ---- what is written ---- */

static bool is_shown(const Link *l, u32 a) {
  if ((l->atoms.flags[a] & (ATOM_LIVE | ATOM_DISCARDED)) != ATOM_LIVE)
    return false;
  return l->atoms.at[a].file ? true : slots_are_shown(l, a);
}

static bool is_of_input(const Dump *d, u32 a) { return a < d->l->atoms.n && d->l->atoms.at[a].file; }

static void describe_in(const Dump *d, u32 a, Arena *arena, YamlAtom *y) {
  const Link *l = d->l;
  if (is_of_input(d, a))
    l->format->describe(l, (AtomId){a}, arena, y);
  else if (a < l->atoms.n)
    slots_describe(l, a, arena, y);
  else
    island_describe(l, d->islands[a - l->atoms.n], arena, y);
}
static void describe(Dump *d, u32 a, YamlAtom *y) { describe_in(d, a, &d->scratch, y); }

/* The number of the island that the edge leads to, as a branch; 0: none. */
static u32 island_for(const Dump *d, u32 a, const Edge *e) {
  const Thunk *t = d->nislands ? thunk_of(d->l, (AtomId){a}, e) : NULL;
  return t ? d->island_of[t - d->l->thunks->all.at] : 0;
}

/* What an edge's local target is called. */
static const char *name_of_atom(Dump *d, u32 a) {
  YamlAtom y;
  if (d->ref[a])
    return d->ref[a];
  describe(d, a, &y);
  if (!y.ref_name || !y.name)
    return y.ref_name ? y.ref_name : y.name;
  return !yaml_is_global(&y) && bearers(d, y.ref_name) == 1 ? y.ref_name : y.name;
}

static bool needs_ref(Dump *d, u32 a) {
  YamlAtom y;
  describe(d, a, &y);
  if (yaml_is_global(&y) || (y.ref_name && bearers(d, y.ref_name) == 1))
    return false;
  return !y.name || !*y.name || bearers(d, y.name) + (yaml_is_group(&y) ? find_slot(d, y.name)->groups : 0) > 1;
}

static char *make_ref(Dump *d) {
  char *name;
  do
    name = arena_printf(&d->arena, "L%03u", d->next_ref++);
  while (find_slot(d, name)->name);
  return name;
}

static void name_atom(Dump *d, u32 a) {
  if (!d->ref[a] && needs_ref(d, a))
    d->ref[a] = make_ref(d);
}

static u32 local_atom(const Link *l, const Edge *e, FileId f) {
  i64 off;
  return e->target == UINT32_MAX || e->flags & SF_DISCARDED ? 0 : l->format->edge_atom(l, f, e, &off).i;
}

/* Whether the target is an atom that is not in the text. */
static bool is_gone(const Link *l, const Edge *e) {
  if (e->target >= l->syms.nglobal)
    return e->target != UINT32_MAX && e->flags & SF_DISCARDED;
  u32 a = l->syms.atom[e->target];
  return a && a < l->atoms.n && !(l->atoms.flags[a] & ATOM_LIVE);
}

/* Order and group edges to what is gone say nothing; nor do debug sections and unwind
 * records, which keep nothing alive, say to what. */
static bool is_idle(const Link *l, const Edge *e) { return e->kind >= EDGE_LAYOUT_AFTER && is_gone(l, e); }
static bool has_no_target(const Link *l, u32 a, const Edge *e) {
  return e->target == UINT32_MAX || ((l->atoms.flags[a] & (ATOM_ALLOC | ATOM_EHFRAME)) != ATOM_ALLOC && is_gone(l, e));
}

/* What a follower follows is said as a reference, its first; whether its format has an edge for it does not matter. */
static u32 follows(const Link *l, u32 a) {
  u32 t = a < l->atoms.n && l->atoms.flags[a] & ATOM_LINKORDER ? l->atoms.at[a].link : 0;
  return t && is_shown(l, t) ? t : 0;
}
static bool is_left_out(const Link *l, const Edge *e) { return e->kind == EDGE_LINK_ORDER || is_idle(l, e); }

typedef void EachEdgeFn(Dump *d, u32 a, const Edge *e);

static void each_edge(Dump *d, EachEdgeFn *fn) {
  Link *l = d->l;
  for (u32 i = 0; i < d->norder; i++) {
    u32 a = d->order[i];
    EdgeCursor c = {.atom = {a}};
    Edge e[EDGE_BATCH];
    for (u32 n; is_of_input(d, a) && (n = l->format->edges(l, &c, e));)
      for (u32 k = 0; k < n; k++)
        if (!is_left_out(l, &e[k]) && !has_no_target(l, a, &e[k]))
          fn(d, a, &e[k]);
  }
}

static void mention(Dump *d, u32 a, const Edge *e) {
  (void)a;
  if (e->target < d->l->syms.nglobal)
    d->mentioned[e->target] = 1;
  else if (is_gone(d->l, e))
    *vec_push(&d->lost) = sym_name(d->l, e->target);
}

/* A static absolute whose name, or ref-name, others bear. */
static void name_absolute(Dump *d, u32 sym) {
  const Link *l = d->l;
  FileId f = local_owner(l, sym);
  const char **ref = &d->sym_ref[sym - l->syms.nglobal];
  YamlAtom y;
  if (*ref || !l->format->describe_symbol(l, f, sym - file_at(l, f)->local_base, &d->scratch, &y))
    return;
  if (y.ref_name && bearers(d, y.ref_name) == 1)
    *ref = y.ref_name;
  else if (!y.name || bearers(d, y.name) > 1)
    *ref = make_ref(d);
}

static void name_target(Dump *d, u32 a, const Edge *e) {
  Link *l = d->l;
  u32 t = e->target < l->syms.nglobal ? 0 : local_atom(l, e, (FileId){l->atoms.at[a].file});
  if (t)
    name_atom(d, t);
  else if (!t && e->target >= l->syms.nglobal && !is_gone(l, e))
    name_absolute(d, e->target);
  u32 island = island_for(d, a, e);
  if (island && !d->ref[island] && needs_ref(d, island))
    d->ref[island] = make_ref(d);
  arena_free(&d->scratch);
}

/* ---- symbols that no atom bears ---- */

typedef enum { AS_TENTATIVE, AS_UNDEFINED, AS_SHARED, AS_ABSOLUTE, AS_KINDS } SymbolKind;

/* Whether symbol (f, index) is written as one of that kind; y gets what is said. */
static bool is_written(Dump *d, u32 f, u32 index, SymbolKind kind, YamlAtom *y) {
  const Link *l = d->l;
  const File *file = &l->files.at[f];
  if (index < file->first_global)
    return kind == AS_ABSOLUTE && l->format->describe_symbol(l, (FileId){f}, index, &d->scratch, y);
  u32 sym = file->globals[index - file->first_global];
  if (sym == UINT32_MAX || (l->opt->gc_sections && !d->mentioned[sym]))
    return false;
  u32 flags = l->syms.flags[sym];
  u64 key = l->syms.key[sym];
  bool here = key_file(key) == f && key_index(key) == index && key_rank(key) != RANK_NONE;
  SymbolKind is = key_rank(key) == RANK_COMMON && !l->format->atoms_are_symbols ? AS_TENTATIVE : flags & SF_UNDEFINED ? AS_UNDEFINED : flags & SF_SHARED ? AS_SHARED : flags & SF_ABSOLUTE ? AS_ABSOLUTE : AS_KINDS;
  SymRec r;
  if (is != kind || (is != AS_UNDEFINED && !here))
    return false;
  if (is == AS_UNDEFINED && l->format->symbols(l, (FileId){f}, index, &r, 1) && r.rank != RANK_NONE) { /* stood in a group that fell */
    *y = (YamlAtom){.name = l->format->sym_name(l, (FileId){f}, index)};
    return d->mentioned[sym];
  }
  return l->format->describe_symbol(l, (FileId){f}, index, &d->scratch, y);
}

typedef void EachSymbolFn(Dump *d, u32 f, u32 index, const YamlAtom *y, void *ctx);

typedef struct {
  u64 place;
  u32 index;
} Spot;

static int by_place(const void *a, const void *b) {
  const Spot *x = a, *y = b;
  return x->place != y->place ? (x->place < y->place ? -1 : 1) : x->index < y->index ? -1 : x->index > y->index;
}

/* Of one file, in the order of its text: symbols have static ones first. */
static void each_symbol_of(Dump *d, u32 f, SymbolKind kind, EachSymbolFn *fn, void *ctx) {
  const File *file = &d->l->files.at[f];
  VEC(Spot) spots = {0};
  YamlAtom y;
  for (u32 i = 1; i < file->nsyms; i++) {
    u8 *written = i < file->first_global || file->globals[i - file->first_global] == UINT32_MAX ? NULL : &d->written[file->globals[i - file->first_global]];
    if ((written && *written) || !is_written(d, f, i, kind, &y))
      continue;
    *vec_push(&spots) = (Spot){(u64)y.line << 32 | y.col, i};
    if (written)
      *written = 1;
  }
  if (spots.n)
    qsort(spots.at, spots.n, sizeof *spots.at, by_place);
  for (u32 k = 0; k < spots.n; k++)
    if (is_written(d, f, spots.at[k].index, kind, &y))
      fn(d, f, spots.at[k].index, &y, ctx);
  vec_free(&spots);
}

static void each_symbol(Dump *d, SymbolKind kind, EachSymbolFn *fn, void *ctx) {
  const Link *l = d->l;
  memset(d->written, 0, l->syms.nglobal);
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    if (file->live && file->fmt)
      each_symbol_of(d, f, kind, fn, ctx);
  }
}

static void bear_symbol(Dump *d, u32 f, u32 index, const YamlAtom *y, void *ctx) {
  (void)ctx;
  bear(d, y->name, index >= d->l->files.at[f].first_global);
  bear(d, y->ref_name, false);
}

/* Of mentions of one name, the least permissive counts: never, at run time, at build time. */
static void merge_mentions(Dump *d) {
  const Link *l = d->l;
  memset(d->may_be_null, UNSEEN, l->syms.nglobal);
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    for (u32 i = file->first_global; file->live && file->fmt && i < file->nsyms; i++) {
      u32 sym = file->globals[i - file->first_global];
      YamlAtom y;
      if (sym == UINT32_MAX || !(l->syms.flags[sym] & (SF_UNDEFINED | SF_SHARED)) || !l->format->describe_symbol(l, (FileId){f}, i, &d->scratch, &y))
        continue;
      d->may_be_null[sym] = (u8)MIN(d->may_be_null[sym], (u32)y.can_be_null);
      if (y.fallback && !d->fallback[sym])
        d->fallback[sym] = y.fallback;
    }
  }
}

/* ---- writing ---- */

/* A place in an atom that no global name is for is said as the atom's name and an addend. */
static YamlRef make_ref_text(Dump *d, u32 a, const Edge *e) {
  const Link *l = d->l;
  FileId f = {l->atoms.at[a].file};
  YamlRef r = {.kind = edge_kind_name(l, e->kind), .offset = e->offset, .addend = e->addend};
  if (has_no_target(l, a, e)) {
    r.target = NULL;
  } else if (e->target < l->syms.nglobal) {
    r.target = l->syms.name[e->target].p;
  } else {
    i64 off = 0;
    u32 t = e->flags & SF_DISCARDED ? 0 : l->format->edge_atom(l, f, e, &off).i;
    const char *made = d->sym_ref[e->target - l->syms.nglobal], *own = t && !(e->flags & SF_SECTION) ? sym_name(l, e->target) : NULL;
    if (own && *own && bearers(d, own) == 1) { /* in merged strings the symbol and a place are two things */
      r.target = own;
    } else if (t) {
      r.target = name_of_atom(d, t);
      r.addend = off;
    } else {
      r.target = made ? made : sym_name(l, e->target);
    }
    if (!*r.target)
      r.target = NULL;
  }
  return r;
}

typedef VEC(YamlRef) Refs;

/* A branch to an island goes to its first byte. */
static YamlRef edge_text(Dump *d, u32 a, const Edge *e) {
  u32 island = island_for(d, a, e);
  YamlRef r = island ? (YamlRef){.kind = edge_kind_name(d->l, e->kind), .offset = e->offset, .target = name_of_atom(d, island), .addend = thunk_bias(d->l, e->kind)}
                     : make_ref_text(d, a, e);
  return r;
}

/* What an island refers to, as the first branch that wanted it does. */
static void island_refs(Dump *d, const Thunk *t, Refs *refs) {
  const ThunkShape *s = d->l->arch->thunk;
  for (u32 k = 0; k < s->nedges; k++) {
    Edge e = t->edge;
    e.addend += s->edges[k].addend - thunk_bias(d->l, e.kind);
    e.kind = s->edges[k].kind;
    e.offset = s->edges[k].offset;
    *vec_push(refs) = make_ref_text(d, t->from.i, &e);
  }
}

typedef VEC(YamlName) Names;

static void keep_name(Names *names, const YamlName *n) {
  if (n->name && *n->name && n->scope != YAML_SCOPE_STATIC)
    *vec_push(names) = *n;
}

/* Global names of atoms that were folded into a are further names of a. */
static void adopt_names(Dump *d, u32 a, YamlAtom *y) {
  const Link *l = d->l;
  Names names = {0};
  for (u32 f = FIRST_NOT(l->folded.n, i, l->atoms.at[d->folded[i].i].link < a); f < l->folded.n && l->atoms.at[d->folded[f].i].link == a; f++) {
    YamlAtom x;
    describe(d, d->folded[f].i, &x);
    keep_name(&names, &(YamlName){.name = x.name, .size = x.size, .scope = x.scope, .merge = x.merge == YAML_MERGE_AS_WEAK ? x.merge : YAML_MERGE_NO});
    for (u32 k = 0; k < x.nsymbols; k++)
      keep_name(&names, &x.symbols[k]);
  }
  if (names.n) {
    YamlName *all = ARENA_ARRAY(&d->scratch, YamlName, (u64)y->nsymbols + names.n);
    if (y->nsymbols)
      memcpy(all, y->symbols, y->nsymbols * sizeof *all);
    memcpy(all + y->nsymbols, names.at, names.n * sizeof *all);
    y->symbols = all;
    y->nsymbols += names.n;
  }
  vec_free(&names);
}

/* A ref-name that another file used too would tell nothing apart. */
static void set_ref(const Dump *d, YamlAtom *y, const char *made) {
  if (made || (y->ref_name && bearers(d, y->ref_name) > 1))
    y->ref_name = made;
}

static void set_address(const Dump *d, u32 a, YamlAtom *y) {
  const Link *l = d->l;
  const Thunk *t = a < l->atoms.n ? NULL : d->islands[a - l->atoms.n];
  u32 osec = t ? l->thunks->pools.at[t->pool].osec : l->atoms.at[a].osec;
  if (!osec)
    return;
  y->output_section = l->osecs.at[osec].name;
  y->has_address = t || l->atoms.flags[a] & ATOM_ALLOC;
  y->address = t ? thunk_addr(l, t) : l->atoms.addr[a];
}

static void write_atom(Dump *d, YamlOut *w, u32 a) {
  Link *l = d->l;
  YamlAtom y;
  Refs refs = {0};
  EdgeCursor c = {.atom = {a}};
  Edge e[EDGE_BATCH];
  bool island = a >= l->atoms.n;
  describe(d, a, &y);
  if (l->folded.n)
    adopt_names(d, a, &y);
  set_ref(d, &y, d->ref[a]);
  if (l->addressed)
    set_address(d, a, &y);
  if (island)
    island_refs(d, d->islands[a - l->atoms.n], &refs);
  else if (follows(l, a))
    *vec_push(&refs) = (YamlRef){.kind = edge_kind_name(l, EDGE_LINK_ORDER), .target = name_of_atom(d, follows(l, a))};
  for (u32 n, at = 0; is_of_input(d, a) && (n = l->format->edges(l, &c, e)); at += n)
    for (u32 k = 0; k < n; k++)
      if (!is_left_out(l, &e[k])) {
        *vec_push(&refs) = edge_text(d, a, &e[k]);
        if (at + k < y.nrefs)
          refs.at[refs.n - 1].tag = y.refs[at + k].tag;
      }
  if (island || is_of_input(d, a)) {
    y.refs = refs.at;
    y.nrefs = refs.n;
  }
  yaml_write_atom(w, &y);
  vec_free(&refs);
  arena_free(&d->scratch);
}

/* Where groups are no atoms: one is written for each that is in the link, so that its members stay together. */
typedef void EachGroupFn(Dump *d, const char *name, const u32 *members, u32 n, void *ctx);

static void each_group(Dump *d, EachGroupFn *fn, void *ctx) {
  const Link *l = d->l;
  VEC(u32) members = {0};
  for (u32 f = 1; l->format->group_members && f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    for (u32 k = 0; file->live && k < file->ngroups; k++) {
      const char *name;
      u32 n = group_won(l, f, &file->groups[k]) ? l->format->group_members(l, (FileId){f}, k, NULL, &name) : 0;
      if (!n)
        continue;
      vec_reserve(&members, n);
      l->format->group_members(l, (FileId){f}, k, members.at, &name);
      fn(d, name, members.at, n, ctx);
    }
  }
  vec_free(&members);
}

static void name_members(Dump *d, const char *name, const u32 *members, u32 n, void *ctx) {
  (void)name, (void)ctx;
  for (u32 i = 0; i < n; i++)
    name_atom(d, members[i]);
  arena_free(&d->scratch);
}

static void name_followed(Dump *d) {
  for (u32 i = 0; i < d->norder; i++)
    if (follows(d->l, d->order[i]))
      name_atom(d, follows(d->l, d->order[i]));
  arena_free(&d->scratch);
}

static void write_group(Dump *d, const char *name, const u32 *members, u32 n, void *ctx) {
  YamlRef *refs = ARENA_ARRAY(&d->scratch, YamlRef, n);
  for (u32 i = 0; i < n; i++)
    refs[i] = (YamlRef){.kind = edge_kind_name(d->l, EDGE_GROUP_CHILD), .target = name_of_atom(d, members[i])};
  yaml_write_atom(ctx, &(YamlAtom){.name = name, .type = YAML_TYPE_GROUP_COMDAT, .refs = refs, .nrefs = n});
  arena_free(&d->scratch);
}

static void write_symbol(Dump *d, u32 f, u32 index, const YamlAtom *y, void *ctx) {
  const File *file = &d->l->files.at[f];
  YamlAtom x = *y;
  if (index >= file->first_global) {
    u32 sym = file->globals[index - file->first_global];
    u8 null = d->may_be_null[sym];
    x.fallback = d->fallback[sym];
    if (null != UNSEEN)
      x.can_be_null = (YamlCanBeNull)null;
    if (x.merge == YAML_MERGE_AS_TENTATIVE) { /* in an atom that weld makes for all of them */
      u32 osec = d->l->atoms.at[d->l->syms.atom[sym]].osec;
      x.has_address = osec && d->l->addressed;
      x.address = d->l->syms.value[sym];
      x.output_section = osec ? d->l->osecs.at[osec].name : NULL;
    }
    if (d->l->syms.flags[sym] & SF_UNDEFINED)
      x.visibility = (YamlWantedVisibility)(d->l->syms.flags[sym] >> SF_VIS_SHIFT & 3);
    set_ref(d, &x, NULL);
  } else {
    set_ref(d, &x, d->sym_ref[file->local_base + index - d->l->syms.nglobal]);
  }
  yaml_write_atom(ctx, &x);
  arena_free(&d->scratch);
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

/* A name that something global still bears is no undefined one. All others that are referred to are: weld's own, too, which no
 * atom of the text is for. */
static void settle_lost(Dump *d) {
  u32 n = 0;
  for (u32 i = 0; i < d->l->syms.nglobal; i++)
    if (d->mentioned[i])
      *vec_push(&d->lost) = d->l->syms.name[i].p;
  if (d->lost.n)
    qsort(d->lost.at, d->lost.n, sizeof *d->lost.at, by_text);
  for (u32 i = 0; i < d->lost.n; i++)
    if (*d->lost.at[i] && !find_slot(d, d->lost.at[i])->global) {
      d->lost.at[n++] = d->lost.at[i];
      bear(d, d->lost.at[i], true);
    }
  d->lost.n = n;
}

static void write_lost(const Dump *d, YamlOut *w) {
  for (u32 i = 0; i < d->lost.n; i++)
    yaml_write_atom(w, &(YamlAtom){.name = d->lost.at[i]});
}

static void sweep_names(Dump *d) {
  Link *l = d->l;
  for (u32 a = 1; a < l->atoms.n + d->nislands; a++)
    if (a >= l->atoms.n || is_shown(l, a)) {
      YamlAtom y;
      describe_in(d, a, &d->arena, &y);
      if (yaml_is_group(&y) && y.name && *y.name)
        take_slot(d, y.name)->groups++;
      else
        bear(d, y.name, yaml_is_global(&y));
      bear(d, y.ref_name, false);
      for (u32 k = 0; k < y.nsymbols; k++)
        bear(d, y.symbols[k].name, y.symbols[k].scope != YAML_SCOPE_STATIC);
    }
  for (u32 k = 0; k < AS_KINDS; k++)
    each_symbol(d, (SymbolKind)k, bear_symbol, NULL);
  settle_lost(d);
}

typedef struct {
  u32 key, atom;
} Keyed;

static int by_key(const void *pa, const void *pb) {
  const Keyed *a = pa, *b = pb;
  if (a->key != b->key)
    return a->key < b->key ? -1 : 1;
  return a->atom < b->atom ? -1 : a->atom > b->atom;
}

static void sort_folded(Dump *d) {
  const Link *l = d->l;
  u32 n = l->folded.n;
  Keyed *pairs = heap_alloc((n + 1ull) * sizeof *pairs);
  for (u32 i = 0; i < n; i++)
    pairs[i] = (Keyed){l->atoms.at[l->folded.at[i].i].link, l->folded.at[i].i};
  qsort(pairs, n, sizeof *pairs, by_key);
  d->folded = ARENA_ARRAY(&d->arena, AtomId, n + 1ull);
  for (u32 i = 0; i < n; i++)
    d->folded[i].i = pairs[i].atom;
  free(pairs);
}

/* In the order of their files, unless there is another order. */
static void sort_atoms(Dump *d) {
  const Link *l = d->l;
  Keyed *v = heap_alloc(l->atoms.n * sizeof *v);
  for (u32 a = 1; a < l->atoms.n; a++)
    if (is_shown(l, a))
      v[d->norder++] = (Keyed){l->priority && l->priority[a] ? l->priority[a] : UINT32_MAX, a};
  if (l->priority)
    qsort(v, d->norder, sizeof *v, by_key);
  d->order = ARENA_ARRAY(&d->arena, u32, d->norder + 1ull);
  for (u32 i = 0; i < d->norder; i++)
    d->order[i] = v[i].atom;
  free(v);
}

static void number_islands(Dump *d) {
  const Link *l = d->l;
  const Thunks *t = l->thunks;
  u32 n = t ? t->all.n : 0;
  d->islands = ARENA_ARRAY(&d->arena, const Thunk *, n + 1ull);
  d->island_of = ARENA_ARRAY(&d->arena, u32, n + 1ull);
  for (u32 i = 0; n && i < t->order.n; i++) {
    const ThunkPool *p = &t->pools.at[t->order.at[i]];
    for (u32 k = 0; k < p->thunks.n; k++) {
      d->island_of[p->thunks.at[k]] = l->atoms.n + d->nislands;
      d->islands[d->nislands++] = &t->all.at[p->thunks.at[k]];
    }
  }
}

/* Beside their neighbours, so that what reads the text finds them in reach. */
static void sort_islands(Dump *d) {
  const Link *l = d->l;
  u32 n = d->norder;
  u32 *place = heap_alloc(l->atoms.n * sizeof *place);
  Keyed *v = heap_alloc(((u64)n + d->nislands) * sizeof *v);
  for (u32 i = 0; i < n; i++) {
    place[d->order[i]] = i;
    v[i] = (Keyed){2 * i + 1, d->order[i]};
  }
  for (u32 i = 0; i < d->nislands; i++) {
    const ThunkPool *p = &l->thunks->pools.at[d->islands[i]->pool];
    v[d->norder++] = (Keyed){2 * place[p->beside.i] + (p->in_front ? 0 : 2), l->atoms.n + i};
  }
  qsort(v, d->norder, sizeof *v, by_key);
  d->order = ARENA_ARRAY(&d->arena, u32, d->norder + 1ull);
  for (u32 i = 0; i < d->norder; i++)
    d->order[i] = v[i].atom;
  free(v);
  free(place);
}

bool yaml_put(void *ctx, const char *text, u64 len) { return fwrite(text, 1, len, ctx) == len; }

void yaml_dump_atoms(Link *l, YamlOut *w) {
  u64 n = l->syms.nglobal;
  Dump d = {.l = l, .mask = 1023};
  d.slots = heap_alloc((d.mask + 1ull) * sizeof *d.slots);
  number_islands(&d);
  d.ref = heap_alloc(((u64)l->atoms.n + d.nislands) * sizeof *d.ref);
  d.fallback = heap_alloc(n * sizeof *d.fallback);
  d.sym_ref = heap_alloc((l->syms.ntotal - n) * sizeof *d.sym_ref);
  d.may_be_null = heap_alloc(3 * n + 1);
  d.mentioned = d.may_be_null + n;
  d.written = d.mentioned + n;
  sort_folded(&d);
  sort_atoms(&d);
  if (d.nislands)
    sort_islands(&d);
  merge_mentions(&d);
  memset(d.mentioned, 0, n);
  each_edge(&d, mention);
  sweep_names(&d);
  each_edge(&d, name_target);
  name_followed(&d);
  each_group(&d, name_members, NULL);
  yaml_write_section(w, YAML_ATOM_DEFINED);
  for (u32 i = 0; i < d.norder; i++)
    write_atom(&d, w, d.order[i]);
  static const YamlAtomKind sections[AS_KINDS] = {YAML_ATOM_DEFINED, YAML_ATOM_UNDEFINED, YAML_ATOM_SHARED, YAML_ATOM_ABSOLUTE};
  for (u32 k = 0; k < AS_KINDS; k++) {
    if (k != AS_TENTATIVE) /* those are written behind the others */
      yaml_write_section(w, sections[k]);
    each_symbol(&d, (SymbolKind)k, write_symbol, w);
    if (k == AS_TENTATIVE)
      each_group(&d, write_group, w);
    if (k == AS_UNDEFINED)
      write_lost(&d, w);
  }
  free(d.slots);
  free((void *)(uintptr_t)d.ref);
  free((void *)(uintptr_t)d.fallback);
  free((void *)(uintptr_t)d.sym_ref);
  free(d.may_be_null);
  vec_free(&d.lost);
  arena_free(&d.arena);
  arena_free(&d.scratch);
}

bool yaml_dump(Link *l, FILE *out) {
  YamlOut w = {.sink = yaml_put, .ctx = out};
  const YamlFile head = {.triple = l->opt->target_triple};
  yaml_write_begin(&w);
  yaml_write_file_header(&w, &head);
  yaml_dump_atoms(l, &w);
  bool ok = yaml_write_end(&w);
  yaml_out_free(&w);
  return ok;
}
