/* yaml_open.c: a document as numbers: its symbols, and what the names in its references mean.
 * The trap: several atoms may bear a name, so the order in which names are added is what says who is meant. */
#include "read/yaml_open.h"

#include "format/yaml_object.h"
#include "util/hash.h"

/* Names of one file to symbols. */
typedef struct {
  const char *name;
  u32 symbol;
  bool shared; /* by static atoms that nothing tells apart */
} NameSlot;
typedef struct {
  NameSlot *slots;
  u32 mask;
} NameMap;

static NameSlot *find_name(const NameMap *m, const char *name) {
  u64 h = hash_bytes(name, strlen(name));
  for (u32 k = (u32)h & m->mask;; k = (k + 1) & m->mask)
    if (!m->slots[k].name || streq(m->slots[k].name, name))
      return &m->slots[k];
}

static void add_name(NameMap *m, const char *name, u32 symbol) {
  NameSlot *s = name ? find_name(m, name) : NULL;
  if (s && !s->name)
    *s = (NameSlot){name, symbol, false};
}

static NameMap make_names(Arena *a, u32 names) {
  u32 n = 8;
  while (n < 2 * names)
    n *= 2;
  return (NameMap){ARENA_ARRAY(a, NameSlot, n), n - 1};
}

static void add_symbol(YamlObject *o, const YamlAtom *a, const char *name, u32 section, YamlAtomKind d) {
  o->symbols[o->nsymbols++] = (YamlSymbol){.atom = a, .name = name ? name : "", .section = section, .definition = (u8)d};
}

/* Further names of defined atoms, inside them. */
static void add_inner(YamlObject *o, bool global) {
  for (u32 i = 0; i < o->file->defined.n; i++) {
    const YamlAtom *a = &o->file->defined.at[i];
    for (u32 k = 0; k < a->nsymbols; k++)
      if ((a->symbols[k].scope != YAML_SCOPE_STATIC) == global) {
        add_symbol(o, a, a->symbols[k].name, i + 1, YAML_ATOM_DEFINED);
        o->symbols[o->nsymbols - 1].at = &a->symbols[k];
        a->symbols[k].index = o->nsymbols - 1;
      }
  }
}

/* A fallback is a global name, even in a file that has a static atom of that name. */
static void make_fallbacks(YamlObject *o, Arena *arena, NameMap *names) {
  u32 n = o->nsymbols;
  for (u32 i = o->first_global; i < n; i++) {
    const YamlSymbol *s = &o->symbols[i];
    const char *name = s->definition == YAML_ATOM_UNDEFINED ? s->atom->fallback : NULL;
    const NameSlot *slot = name ? find_name(names, name) : NULL;
    u32 symbol = slot && slot->name && slot->symbol >= o->first_global ? slot->symbol : 0;
    if (!name)
      continue;
    if (!o->fallback)
      o->fallback = ARENA_ARRAY(arena, u32, n);
    if (!symbol) {
      symbol = o->nsymbols;
      add_symbol(o, NULL, name, 0, YAML_ATOM_UNDEFINED);
      add_name(names, name, symbol);
    }
    o->fallback[i] = symbol;
  }
  o->nfallbacks = o->fallback ? n : 0;
}

typedef enum { NAMES_GLOBAL, NAMES_STATIC, NAMES_TOLD_APART /* static, of what has a ref-name */, NAMES_OF_GROUPS } NameKind;

static NameKind kind_of_name(const YamlObject *o, u32 i) {
  const YamlSymbol *s = &o->symbols[i];
  if (i >= o->first_global)
    return NAMES_GLOBAL;
  return s->at ? NAMES_STATIC : yaml_is_group(s->atom) ? NAMES_OF_GROUPS : s->atom->ref_name ? NAMES_TOLD_APART : NAMES_STATIC;
}

static void add_names(const YamlObject *o, NameMap *m, NameKind kind) {
  for (u32 i = o->nsymbols; i-- > 1;) {
    const YamlSymbol *s = &o->symbols[i];
    if (!*s->name || kind_of_name(o, i) != kind || (kind != NAMES_GLOBAL && yaml_is_global_symbol(s)))
      continue;
    NameSlot *slot = find_name(m, s->name);
    if (!slot->name)
      *slot = (NameSlot){s->name, i, false};
    else if (kind == NAMES_STATIC && slot->symbol < o->first_global && streq(o->symbols[slot->symbol].name, s->name))
      slot->shared = true;
  }
}

/* Local symbols in front: of defined atoms by their number, of static absolutes. */
static void make_symbols(YamlObject *o, Arena *arena, NameMap *names) {
  const YamlFile *f = o->file;
  u64 most = 1 + 2ull * f->defined.n + 2ull * f->undefined.n + f->shared.n + f->absolute.n;
  for (u32 i = 0; i < f->defined.n; i++)
    most += f->defined.at[i].nsymbols;
  o->symbols = ARENA_ARRAY(arena, YamlSymbol, most);
  *names = make_names(arena, (u32)(2 * most));
  o->nsymbols = 1;
  for (u32 i = 0; i < f->defined.n; i++)
    add_symbol(o, &f->defined.at[i], f->defined.at[i].name, i + 1, YAML_ATOM_DEFINED);
  for (u32 i = 0; i < f->absolute.n; i++)
    if (!yaml_is_global(&f->absolute.at[i]))
      add_symbol(o, &f->absolute.at[i], f->absolute.at[i].name, 0, YAML_ATOM_ABSOLUTE);
  add_inner(o, false);
  o->first_global = o->nsymbols;
  add_inner(o, true);
  for (u32 i = 0; i < f->defined.n; i++)
    if (yaml_is_global(&f->defined.at[i]))
      add_symbol(o, &f->defined.at[i], f->defined.at[i].name, i + 1, YAML_ATOM_DEFINED);
  for (u32 i = 0; i < f->undefined.n; i++)
    add_symbol(o, &f->undefined.at[i], f->undefined.at[i].name, 0, YAML_ATOM_UNDEFINED);
  for (u32 i = 0; i < f->shared.n; i++)
    add_symbol(o, &f->shared.at[i], f->shared.at[i].name, 0, YAML_ATOM_SHARED);
  for (u32 i = 0; i < f->absolute.n; i++)
    if (yaml_is_global(&f->absolute.at[i]))
      add_symbol(o, &f->absolute.at[i], f->absolute.at[i].name, 0, YAML_ATOM_ABSOLUTE);
  for (u32 i = o->nsymbols; i-- > 1;) { /* ref-names first: they tell apart what has one name */
    if (!o->symbols[i].at)
      add_name(names, o->symbols[i].atom->ref_name, i);
  }
  add_names(o, names, NAMES_GLOBAL); /* before local ones: the name is what is meant */
  add_names(o, names, NAMES_STATIC);
  add_names(o, names, NAMES_TOLD_APART); /* only where nothing else bears it */
  add_names(o, names, NAMES_OF_GROUPS);
  make_fallbacks(o, arena, names);
}

static bool bad_reference(Link *l, FileId f, const YamlRef *r, const char *fact) {
  diag_report_at(l->diag, DIAG_ERROR, "yaml", (u64)f.i << 32 | r->line, ((const YamlObject *)file_at(l, f)->fmt)->path, r->line, r->col, "%s", fact);
  return false;
}

static bool make_edges(Link *l, FileId f, YamlObject *o, Arena *arena, const NameMap *names) {
  u64 total = 0;
  bool ok = true;
  o->first_edge = ARENA_ARRAY(arena, u32, o->file->defined.n + 2);
  for (u32 i = 0; i < o->file->defined.n; i++) {
    o->first_edge[i + 1] = (u32)total;
    total += o->file->defined.at[i].nrefs;
  }
  o->first_edge[o->file->defined.n + 1] = (u32)total;
  o->edges = ARENA_ARRAY(arena, YamlEdge, total + 1);
  for (u32 i = 0; i < o->file->defined.n; i++) {
    const YamlAtom *a = &o->file->defined.at[i];
    for (u32 k = 0; k < a->nrefs; k++) {
      const YamlRef *r = &a->refs[k];
      YamlEdge *e = &o->edges[o->first_edge[i + 1] + k];
      const NameSlot *target = r->target ? find_name(names, r->target) : NULL;
      if (!edge_kind_find(l, r->kind, &e->kind))
        ok = bad_reference(l, f, r, arena_printf(arena, "unknown reference kind '%s' for %s", r->kind, l->arch->name));
      else if (e->kind < l->arch->nkinds && r->offset > a->size)
        ok = bad_reference(l, f, r, arena_printf(arena, "reference at offset 0x%llx of an atom of 0x%llx bytes",
                                                 (unsigned long long)r->offset, (unsigned long long)a->size));
      else if (r->target && !target->name) /* yaml_read() says so too, of a whole stream */
        ok = bad_reference(l, f, r, arena_printf(arena, "no such atom name: %s", r->target));
      else if (r->target && target->shared)
        ok = bad_reference(l, f, r, arena_printf(arena, "two static atoms of the file are named %s: a ref-name has to tell them apart", r->target));
      e->symbol = target ? target->symbol : 0;
      if (e->kind == EDGE_LINK_ORDER && !o->symbols[e->symbol].section)
        ok = bad_reference(l, f, r, "link-order leads to no defined atom of the file");
    }
  }
  return ok;
}

bool yaml_open(Link *l, FileId f, unsigned tid) {
  File *file = file_at(l, f);
  YamlObject *o = file->fmt; /* yaml_add_files() made it */
  NameMap names;
  make_symbols(o, &l->scratch[tid], &names);
  file->nsyms = o->nsymbols;
  file->first_global = o->first_global;
  file->natoms = o->file->defined.n + 1;
  return make_edges(l, f, o, &l->scratch[tid], &names);
}
