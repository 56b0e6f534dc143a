/* yaml_text.c: documents, archives, atoms and references of the text form of the graph. Keys and
 * values come from read/yaml_node.c. The trap: which kind of atom an item of the short form is may
 * be said after its other keys, so an atom is first read as if it could have any key, and what its
 * kind can't have is complained about at its end. */
#include "read/yaml_text.h"

#include <stdio.h>
#include <stdlib.h>

#include "format/yaml_words.h"
#include "read/yaml_node.h"
#include "util/hash.h"

enum {
  MAX_ATOMS = 1 << 24,
  NKINDS = 4,
  ANY_ATOM = YAML_IN_DEFINED | YAML_IN_UNDEFINED | YAML_IN_SHARED | YAML_IN_ABSOLUTE,
};

/* A reference of the file being read, whose target's name has to exist. */
typedef struct {
  YamlRef *ref;
  YamlMark at;
  bool by_number; /* it stands in fixups: 2 may be the second atom */
} Check;

/* An item of `atoms`. */
typedef struct {
  YamlAtomKind kind;
  u32 index;
} ShortItem;

typedef struct {
  const char *name;
  bool ref_name;
} NameSlot;

typedef struct {
  YamlReader r;
  /* of the file being read */
  VEC(YamlAtom) atoms[NKINDS];
  VEC(ShortItem) shorts;
  VEC(Check) checks;
  NameSlot *names;
  u64 name_mask;
  /* of the atom being read */
  VEC(YamlRef) refs;
  VEC(YamlName) symbols; /* of the atom in hand */
  VEC(Check) ref_checks;
  u32 natoms; /* of all files */
} Reader;

static const YamlWord atom_kinds[] = {YAML_ATOM_KINDS(YAML_WORD_ROW)};

/* The value of `key` as a word of one of the tables; 0 after a report. */
#define READ_WORD(reader, key, rows) read_word((reader), (key), (rows), COUNT_OF(rows))
static u32 read_word(YamlReader *r, YamlKey key, const YamlWord *rows, u32 n) {
  YamlSpelled s;
  return yr_word(r, key, &s) ? yr_word_value(r, &s, rows, n) : 0;
}

/* ---- references ---- */

static void read_reference(Reader *f, bool fixup) {
  YamlReader *r = &f->r;
  YamlMap m;
  YamlKey key;
  YamlRef ref = {0};
  Check check = {.by_number = false};
  if (!yr_map(r, &m, "a reference", YAML_IN_REFERENCE, 0))
    return;
  yr_check_tag(r, NULL);
  ref.line = m.start.line;
  ref.col = m.start.col;
  u64 n = 0;
  while (yr_key(r, &m, &key)) {
    switch (key) {
    case YAML_KEY_KIND: yr_text(r, key, &ref.kind); break;
    case YAML_KEY_OFFSET: yr_number(r, key, UINT64_MAX, fixup, false, &ref.offset); break;
    case YAML_KEY_TARGET:
      check.at = yr_mark(r);
      check.by_number = fixup && r->ev.type == YAML_SCALAR_EVENT &&
                        r->ev.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
      yr_text(r, key, &ref.target);
      break;
    case YAML_KEY_ADDEND:
      if (yr_number(r, key, INT64_MAX, false, true, &n))
        ref.addend = (i64)n;
      break;
    case YAML_KEY_TAG:
      if (yr_number(r, key, UINT32_MAX, false, false, &n))
        ref.tag = (u32)n;
      break;
    default: yr_skip(r); break;
    }
  }
  if (!yr_require(r, &m, YAML_KEY_KIND) || !ref.kind)
    return;
  *vec_push(&f->refs) = ref;
  *vec_push(&f->ref_checks) = check;
}

static void read_references(Reader *f, YamlKey key) {
  char what[24];
  snprintf(what, sizeof what, "'%s'", yr_key_word(key));
  if (yr_is_null(&f->r) || !yr_list(&f->r, what))
    return;
  while (yr_item(&f->r))
    read_reference(f, key == YAML_KEY_FIXUPS);
}

static void keep_references(Reader *f, YamlAtom *a) {
  a->nrefs = f->refs.n;
  if (!a->nrefs)
    return;
  a->refs = ARENA_ARRAY(f->r.a, YamlRef, a->nrefs);
  memcpy(a->refs, f->refs.at, a->nrefs * sizeof *a->refs);
  for (u32 i = 0; i < a->nrefs; i++)
    if (a->refs[i].target) {
      f->ref_checks.at[i].ref = &a->refs[i];
      *vec_push(&f->checks) = f->ref_checks.at[i];
    }
}

/* ---- further names ---- */

static void read_symbol(Reader *f) {
  YamlReader *r = &f->r;
  YamlMap m;
  YamlKey key;
  YamlName s = {0};
  if (!yr_map(r, &m, "a symbol", YAML_IN_SYMBOL, 0))
    return;
  yr_check_tag(r, NULL);
  while (yr_key(r, &m, &key)) {
    switch (key) {
    case YAML_KEY_NAME: yr_text(r, key, &s.name); break;
    case YAML_KEY_OFFSET: yr_number(r, key, UINT64_MAX, false, false, &s.offset); break;
    case YAML_KEY_SIZE: yr_number(r, key, UINT64_MAX, false, false, &s.size); break;
    case YAML_KEY_SCOPE: s.scope = (YamlScope)READ_WORD(r, key, scopes); break;
    case YAML_KEY_TYPE: s.type = (YamlSymbolType)READ_WORD(r, key, symbol_types); break;
    case YAML_KEY_VISIBILITY: s.visibility = (YamlVisibility)READ_WORD(r, key, visibilities); break;
    case YAML_KEY_BINDING: s.binding = (YamlBinding)READ_WORD(r, key, bindings); break;
    case YAML_KEY_MERGE: {
      YamlMark at = yr_mark(r);
      s.merge = (YamlMerge)READ_WORD(r, key, merges);
      if (s.merge != YAML_MERGE_NO && s.merge != YAML_MERGE_AS_WEAK)
        yr_error(r, at, "a symbol's merge is no or as-weak");
      break;
    }
    default: yr_skip(r); break;
    }
  }
  if (yr_require(r, &m, YAML_KEY_NAME) && s.name)
    *vec_push(&f->symbols) = s;
}

static void read_symbols(Reader *f) {
  if (yr_is_null(&f->r) || !yr_list(&f->r, "'symbols'"))
    return;
  while (yr_item(&f->r))
    read_symbol(f);
}

static void keep_symbols(Reader *f, YamlAtom *a) {
  a->nsymbols = f->symbols.n;
  if (!a->nsymbols)
    return;
  a->symbols = ARENA_ARRAY(f->r.a, YamlName, a->nsymbols);
  memcpy(a->symbols, f->symbols.at, a->nsymbols * sizeof *a->symbols);
}

/* ---- atoms ---- */

static const char *const kind_words[NKINDS] = {"a defined atom", "an undefined atom",
                                               "a shared-library atom", "an absolute atom"};

typedef struct {
  YamlAtomKind kind;
  YamlSpelled type, can_be_null; /* whose tables depend on the kind */
  YamlAtom fallback;             /* one that is said in place; name NULL: none */
} AtomWords;

/* The name of an undefined atom, or the atom itself, which then is one of the file's. */
static void read_fallback(Reader *f, YamlAtom *a, AtomWords *w) {
  YamlReader *r = &f->r;
  YamlMap m;
  YamlKey key;
  if (r->ev.type != YAML_MAPPING_START_EVENT) {
    yr_text(r, YAML_KEY_FALLBACK, &a->fallback);
    return;
  }
  yr_map(r, &m, "an undefined atom", YAML_IN_UNDEFINED, ANY_ATOM);
  yr_check_tag(r, NULL);
  YamlAtom b = {.line = m.start.line, .col = m.start.col};
  while (yr_key(r, &m, &key)) {
    if (key == YAML_KEY_CAN_BE_NULL)
      b.can_be_null = (YamlCanBeNull)READ_WORD(r, key, can_be_nulls);
    else if (key == YAML_KEY_VISIBILITY)
      b.visibility = (YamlWantedVisibility)READ_WORD(r, key, wanted_visibilities);
    else /* a fallback of a fallback is a name: nothing recurses */
      yr_text(r, key, key == YAML_KEY_NAME ? &b.name : &b.fallback);
  }
  yr_require(r, &m, YAML_KEY_NAME);
  a->fallback = b.name;
  w->fallback = b;
}

static void read_u32(Reader *f, YamlKey key, u32 *out) {
  u64 n;
  if (yr_number(&f->r, key, UINT32_MAX, false, false, &n))
    *out = (u32)n;
}

static void read_atom_key(Reader *f, YamlKey key, YamlAtom *a, AtomWords *w) {
  YamlReader *r = &f->r;
  switch (key) {
  case YAML_KEY_DEFINITION: w->kind = (YamlAtomKind)READ_WORD(r, key, atom_kinds); break;
  case YAML_KEY_NAME: yr_text(r, key, &a->name); break;
  case YAML_KEY_REF_NAME: yr_text(r, key, &a->ref_name); break;
  case YAML_KEY_LOAD_NAME: yr_text(r, key, &a->load_name); break;
  case YAML_KEY_CAN_BE_NULL: yr_word(r, key, &w->can_be_null); break;
  case YAML_KEY_FALLBACK: read_fallback(f, a, w); break;
  case YAML_KEY_VISIBILITY: a->visibility = (YamlWantedVisibility)READ_WORD(r, key, wanted_visibilities); break;
  case YAML_KEY_SCOPE: a->scope = (YamlScope)READ_WORD(r, key, scopes); break;
  case YAML_KEY_TYPE: yr_word(r, key, &w->type); break;
  case YAML_KEY_CONTENT: yr_bytes(r, key, &a->content); break;
  case YAML_KEY_SIZE: a->has_size = yr_number(r, key, UINT64_MAX, false, false, &a->size); break;
  case YAML_KEY_INTERPOSABLE:
    a->interposable = (YamlInterposable)READ_WORD(r, key, interposables);
    break;
  case YAML_KEY_MERGE: a->merge = (YamlMerge)READ_WORD(r, key, merges); break;
  case YAML_KEY_ALIGNMENT: yr_alignment(r, &a->p2align, &a->modulus); break;
  case YAML_KEY_SECTION_CHOICE:
    a->section_choice = (YamlSectionChoice)READ_WORD(r, key, section_choices);
    break;
  case YAML_KEY_SECTION_NAME: yr_text(r, key, &a->section_name); break;
  case YAML_KEY_SECTION_SIZE: yr_number(r, key, UINT64_MAX, false, false, &a->section_size); break;
  case YAML_KEY_SECTION_TYPE: read_u32(f, key, &a->section_type); break;
  case YAML_KEY_SECTION_FLAGS: read_u32(f, key, &a->section_flags); break;
  case YAML_KEY_ENTRY_SIZE: read_u32(f, key, &a->entry_size); break;
  case YAML_KEY_ADDRESS:
    a->has_address = yr_number(r, key, UINT64_MAX, false, false, &a->address);
    break;
  case YAML_KEY_OUTPUT_SECTION: yr_text(r, key, &a->output_section); break;
  case YAML_KEY_DEAD_STRIP: a->dead_strip = (YamlDeadStrip)READ_WORD(r, key, dead_strips); break;
  case YAML_KEY_DYNAMIC_EXPORT:
    a->dynamic_export = (YamlDynamicExport)READ_WORD(r, key, dynamic_exports);
    break;
  case YAML_KEY_CODE_MODEL: a->code_model = (YamlCodeModel)READ_WORD(r, key, code_models); break;
  case YAML_KEY_PERMISSIONS:
    a->permissions = (YamlPermissions)READ_WORD(r, key, permissions);
    break;
  case YAML_KEY_SYMBOLS: read_symbols(f); break;
  case YAML_KEY_REFERENCES:
  case YAML_KEY_FIXUPS: read_references(f, key); break;
  case YAML_KEY_VALUE: yr_number(r, key, UINT64_MAX, false, false, &a->value); break;
  default: yr_skip(r); break;
  }
}

/* What can only be said when the kind is known. */
static void finish_atom(Reader *f, YamlAtom *a, YamlMap *m, const AtomWords *w) {
  YamlReader *r = &f->r;
  u32 where = 1u << w->kind; /* YAML_IN_DEFINED ... */
  m->what = kind_words[w->kind];
  for (u32 key = 0; key < YAML_NKEYS; key++) {
    if (!yr_seen(m, (YamlKey)key) || key == YAML_KEY_DEFINITION)
      continue;
    u32 own = key == YAML_KEY_FIXUPS ? YAML_KEY_REFERENCES : key;
    if (!(yr_key_places((YamlKey)own) & where))
      yr_error(r, m->at[key], "%s can't have '%s'", m->what, yr_key_word((YamlKey)key));
  }
  bool shared = w->kind == YAML_ATOM_SHARED;
  if (*w->type.text && shared)
    a->shared_type =
        (YamlSharedType)yr_word_value(r, &w->type, shared_types, COUNT_OF(shared_types));
  else if (*w->type.text)
    a->type = (YamlType)yr_word_value(r, &w->type, types, COUNT_OF(types));
  if (*w->can_be_null.text) /* the last one is for undefined atoms only */
    a->can_be_null = (YamlCanBeNull)yr_word_value(r, &w->can_be_null, can_be_nulls,
                                                  COUNT_OF(can_be_nulls) - shared);
  if (w->kind != YAML_ATOM_DEFINED)
    yr_require(r, m, YAML_KEY_NAME);
  if (a->content.p) {
    if (a->has_size && a->size != a->content.len)
      yr_error(r, m->at[YAML_KEY_SIZE], "size %llu contradicts %llu bytes of content",
               (unsigned long long)a->size, (unsigned long long)a->content.len);
    a->size = a->content.len;
  }
}

static void read_atom(Reader *f, YamlAtomKind kind, bool short_form) {
  YamlReader *r = &f->r;
  YamlMap m;
  YamlKey key;
  if (!yr_map(r, &m, "an atom", short_form ? ANY_ATOM | YAML_IN_SHORT : ANY_ATOM, 0))
    return;
  yr_check_tag(r, NULL);
  if (f->natoms++ == MAX_ATOMS) {
    yr_error(r, m.start, "more than %u atoms", (unsigned)MAX_ATOMS);
    yr_stop(r);
    return;
  }
  YamlAtom a = {.line = m.start.line, .col = m.start.col};
  AtomWords w = {.kind = kind};
  f->refs.n = f->ref_checks.n = f->symbols.n = 0;
  while (yr_key(r, &m, &key))
    read_atom_key(f, key, &a, &w);
  finish_atom(f, &a, &m, &w);
  keep_references(f, &a);
  keep_symbols(f, &a);
  if (short_form)
    *vec_push(&f->shorts) = (ShortItem){w.kind, f->atoms[w.kind].n};
  *vec_push(&f->atoms[w.kind]) = a;
  if (w.fallback.name)
    *vec_push(&f->atoms[YAML_ATOM_UNDEFINED]) = w.fallback;
}

static void read_atoms(Reader *f, YamlKey key, YamlAtomKind kind) {
  char what[40];
  snprintf(what, sizeof what, "'%s'", yr_key_word(key));
  if (yr_is_null(&f->r) || !yr_list(&f->r, what))
    return;
  while (yr_item(&f->r))
    read_atom(f, kind, key == YAML_KEY_ATOMS);
}

/* ---- names ---- */

/* The name's slot, or the free one where it belongs. */
static NameSlot *find_name(const Reader *f, const char *name) {
  u64 i = hash_bytes(name, strlen(name));
  while (f->names[i & f->name_mask].name && !streq(f->names[i & f->name_mask].name, name))
    i++;
  return &f->names[i & f->name_mask];
}

static void add_names(Reader *f, const YamlAtom *a) {
  if (a->name)
    find_name(f, a->name)->name = a->name;
  for (u32 i = 0; i < a->nsymbols; i++)
    find_name(f, a->symbols[i].name)->name = a->symbols[i].name;
  if (!a->ref_name)
    return;
  NameSlot *s = find_name(f, a->ref_name);
  if (s->name && s->ref_name)
    yr_error(&f->r, (YamlMark){a->line, a->col}, "duplicate ref-name '%.60s'", a->ref_name);
  *s = (NameSlot){a->ref_name, true};
}

/* The short form may name a target by its place in the list, from 1. */
static YamlAtom *numbered(const Reader *f, const YamlAtoms *const lists[NKINDS],
                          const char *target) {
  u64 n = 0;
  for (const char *c = target; *c; c++) {
    if (*c < '0' || *c > '9' || n > UINT32_MAX)
      return NULL;
    n = n * 10 + (u64)(*c - '0');
  }
  if (!n || n > f->shorts.n)
    return NULL;
  ShortItem item = f->shorts.at[n - 1];
  return &lists[item.kind]->at[item.index];
}

/* Every target is a name that some atom bears. */
static void check_targets(Reader *f, YamlFile *file) {
  const YamlAtoms *const lists[NKINDS] = {&file->defined, &file->undefined, &file->shared,
                                          &file->absolute};
  u64 natoms = 0, cap = 8;
  for (u32 k = 0; k < NKINDS; k++)
    natoms += lists[k]->n;
  for (u32 i = 0; i < file->defined.n; i++)
    natoms += file->defined.at[i].nsymbols;
  while (cap < natoms * 4) /* a name and a ref-name each */
    cap *= 2;
  f->names = pages_alloc(cap * sizeof *f->names);
  f->name_mask = cap - 1;
  for (u32 k = 0; k < NKINDS; k++)
    for (u32 i = 0; i < lists[k]->n; i++)
      add_names(f, &lists[k]->at[i]);
  u32 made = 0;
  for (u32 i = 0; i < f->checks.n; i++) {
    const Check *c = &f->checks.at[i];
    if (find_name(f, c->ref->target)->name)
      continue;
    YamlAtom *a = c->by_number ? numbered(f, lists, c->ref->target) : NULL;
    if (!a) {
      yr_error(&f->r, c->at, "no such atom name: %.200s", c->ref->target);
      continue;
    }
    if (!a->name && !a->ref_name) {
      do
        a->ref_name = arena_printf(f->r.a, "L%03u", made++);
      while (find_name(f, a->ref_name)->name);
      *find_name(f, a->ref_name) = (NameSlot){a->ref_name, true};
    }
    c->ref->target = a->ref_name ? a->ref_name : a->name;
  }
  pages_free(f->names, cap * sizeof *f->names);
}

/* ---- documents ---- */

static void read_native(Reader *f, YamlFile *file) {
  YamlReader *r = &f->r;
  YamlMap m;
  YamlKey key;
  if (yr_is_null(r) ||
      !yr_map(r, &m, "an object file", YAML_IN_NATIVE, YAML_IN_NATIVE | YAML_IN_ARCHIVE))
    return;
  for (u32 k = 0; k < NKINDS; k++)
    f->atoms[k].n = 0;
  f->shorts.n = f->checks.n = 0;
  while (yr_key(r, &m, &key)) {
    switch (key) {
    case YAML_KEY_PATH: yr_text(r, key, &file->path); break;
    case YAML_KEY_TARGET_TRIPLE: yr_text(r, key, &file->triple); break;
    case YAML_KEY_DEFINED_ATOMS:
    case YAML_KEY_ATOMS: read_atoms(f, key, YAML_ATOM_DEFINED); break;
    case YAML_KEY_UNDEFINED_ATOMS: read_atoms(f, key, YAML_ATOM_UNDEFINED); break;
    case YAML_KEY_SHARED_LIBRARY_ATOMS: read_atoms(f, key, YAML_ATOM_SHARED); break;
    case YAML_KEY_ABSOLUTE_ATOMS: read_atoms(f, key, YAML_ATOM_ABSOLUTE); break;
    default: yr_skip(r); break;
    }
  }
  YamlAtoms *const lists[NKINDS] = {&file->defined, &file->undefined, &file->shared,
                                    &file->absolute};
  for (u32 k = 0; k < NKINDS; k++) {
    u32 n = lists[k]->n = f->atoms[k].n;
    if (!n)
      continue;
    lists[k]->at = ARENA_ARRAY(r->a, YamlAtom, n);
    memcpy(lists[k]->at, f->atoms[k].at, n * sizeof(YamlAtom));
  }
  if (!r->ended) /* else most would be missing */
    check_targets(f, file);
}

static void read_member(Reader *f, YamlMember *out) {
  YamlReader *r = &f->r;
  YamlMap m;
  YamlKey key;
  if (!yr_map(r, &m, "a member", YAML_IN_MEMBER, 0))
    return;
  yr_check_tag(r, NULL);
  while (yr_key(r, &m, &key)) {
    if (key == YAML_KEY_NAME) {
      yr_text(r, key, &out->name);
    } else if (yr_check_tag(r, "!native")) {
      read_native(f, &out->content);
    } else {
      yr_skip(r);
    }
  }
  yr_require(r, &m, YAML_KEY_NAME);
  yr_require(r, &m, YAML_KEY_CONTENT);
}

static void read_archive(Reader *f, YamlFile *file) {
  YamlReader *r = &f->r;
  YamlMap m;
  YamlKey key;
  file->archive = true;
  if (yr_is_null(r) ||
      !yr_map(r, &m, "an archive", YAML_IN_ARCHIVE, YAML_IN_NATIVE | YAML_IN_ARCHIVE))
    return;
  VEC(YamlMember) members = {0};
  while (yr_key(r, &m, &key)) {
    if (key == YAML_KEY_PATH) {
      yr_text(r, key, &file->path);
    } else if (!yr_is_null(r) && yr_list(r, "'members'")) {
      while (yr_item(r)) {
        YamlMember member = {0};
        read_member(f, &member);
        *vec_push(&members) = member;
      }
    }
  }
  file->nmembers = members.n;
  if (members.n) {
    file->members = ARENA_ARRAY(r->a, YamlMember, members.n);
    memcpy(file->members, members.at, members.n * sizeof *members.at);
  }
  vec_free(&members);
}

static void read_document(Reader *f, YamlFile *file) {
  const char *tag = yr_tag(&f->r);
  if (tag && streq(tag, "!archive"))
    read_archive(f, file);
  else if (yr_check_tag(&f->r, "!native"))
    read_native(f, file);
  else
    yr_skip(&f->r);
}

bool yaml_read(Arena *a, Diag *d, const char *path, Bytes text, YamlStream *out) {
  Reader f = {0};
  VEC(YamlFile) files = {0};
  yr_open(&f.r, a, d, path, text);
  for (yr_next(&f.r); f.r.ev.type == YAML_DOCUMENT_START_EVENT; yr_next(&f.r)) {
    YamlFile file = {0};
    yr_next(&f.r);
    read_document(&f, &file);
    *vec_push(&files) = file;
    yr_next(&f.r); /* YAML_DOCUMENT_END_EVENT */
  }
  *out = (YamlStream){.n = files.n};
  if (files.n) {
    out->files = ARENA_ARRAY(a, YamlFile, files.n);
    memcpy(out->files, files.at, files.n * sizeof *files.at);
  }
  vec_free(&files);
  for (u32 k = 0; k < NKINDS; k++)
    vec_free(&f.atoms[k]);
  vec_free(&f.shorts);
  vec_free(&f.checks);
  vec_free(&f.refs);
  vec_free(&f.symbols);
  vec_free(&f.ref_checks);
  bool good = !f.r.bad;
  yr_close(&f.r);
  return good;
}
