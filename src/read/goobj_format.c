/* goobj_format.c: the Format row of Go's objects. A symbol that an object defines is an atom, and has a local symbol of its
 * own; those without a version have a global one too. What is file-local stays in its file.
 * The trap: go.weak.X must not keep X alive, and is X all the same when X lives. To the resolver it is a weak name that
 * nobody defines; after dead strip it becomes another name for X. */
#include "core/resolve.h"
#include "format/goobj_object.h"
#include "read/elf.h"
#include "read/goobj.h"
#include "util/hash.h"

enum { MAX_ZEROS = 256 << 20 };

static const u16 kind_flags[GO_KINDS] = {
#define FLAGS_TEXT ATOM_EXEC
#define FLAGS_RODATA 0
#define FLAGS_DATA ATOM_WRITE
#define FLAGS_ZERO (ATOM_WRITE | ATOM_ZEROFILL)
#define FLAGS_TLS (ATOM_WRITE | ATOM_ZEROFILL | ATOM_TLS)
#define X(number, name, section, where) [number] = ATOM_LIVE | ATOM_ALLOC | FLAGS_##where,
    GO_SYMBOL_KINDS(X)
#undef X
};

static const GoObject *object(const Link *l, FileId f) { return file_at(l, f)->fmt; }

static const GoDefinition *definition_of(const GoObject *o, const GoSymbol *s) {
  return s->definition ? &o->definitions[s->definition - 1] : NULL;
}

/* ---- symbols ---- */

/* Without bytes: the largest of its name, and none of them where one has bytes. */
static u8 rank_of(const GoDefinition *d) {
  if (!d)
    return RANK_NONE;
  return !d->data.len ? RANK_COMMON : d->dupok ? RANK_WEAK_FIRST : RANK_STRONG;
}

static bool is_weak(const GoSymbol *s, const GoDefinition *d) {
  return d ? rank_of(d) == RANK_WEAK_FIRST : starts_with(s->name, "go.weak.");
}

static void record(const GoObject *o, u32 index, SymRec *r) {
  const GoSymbol *s = &o->symbols[index];
  const GoDefinition *d = definition_of(o, s);
  *r = (SymRec){.index = index, .section = s->definition, .rank = rank_of(d), .flags = is_weak(s, d) ? SF_WEAK : 0};
  if (!d)
    return;
  r->flags |= d->kind == GO_STEXT ? SF_FUNC : d->kind == GO_STLSBSS ? SF_TLS : 0;
  r->size = d->size;
  r->value = r->rank == RANK_COMMON; /* its alignment */
}

static u32 go_names(Link *l, FileId f, InternEnt *out) {
  const File *file = file_at(l, f);
  const GoObject *o = file->fmt;
  u32 n = 0;
  for (u32 i = o->first_global; i < o->nsymbols; i++) {
    const GoSymbol *s = &o->symbols[i];
    u32 *id = &file->globals[i - o->first_global];
    u64 rank = rank_of(definition_of(o, s));
    *id = UINT32_MAX;
    out[n++] = (InternEnt){hash128_bytes(s->name, s->len), s->name, rank << 56 | (u64)f.i << 32 | i, id, s->len};
  }
  return n;
}

static u32 go_symbols(const Link *l, FileId f, u32 from, SymRec *buf, u32 cap) {
  const GoObject *o = object(l, f);
  u32 n = from < o->nsymbols ? MIN(cap, o->nsymbols - from) : 0;
  for (u32 k = 0; k < n; k++)
    record(o, from + k, &buf[k]);
  return n;
}

static u32 go_kinds(const Link *l, FileId f, u32 from, u64 *buf, u32 cap) {
  const GoObject *o = object(l, f);
  u32 n = from < o->nsymbols ? MIN(cap, o->nsymbols - from) : 0;
  for (u32 k = 0; k < n; k++) {
    const GoSymbol *s = &o->symbols[from + k];
    const GoDefinition *d = definition_of(o, s);
    buf[k] = (u64)s->definition << SK_SECTION_SHIFT | (is_weak(s, d) ? SK_WEAK : 0) | rank_of(d);
  }
  return n;
}

static void go_definitions(const Link *l, const u64 *keys, u32 n, SymRec *buf) {
  for (u32 k = 0; k < n; k++)
    if (key_file(keys[k]) && key_rank(keys[k]) != RANK_NONE)
      go_symbols(l, (FileId){key_file(keys[k])}, key_index(keys[k]), &buf[k], 1);
}

static const char *go_sym_name(const Link *l, FileId f, u32 index) {
  if (f.i == 0)
    return index < l->weld_names.n ? l->weld_names.at[index].name : "";
  const GoObject *o = object(l, f);
  return o && index < o->nsymbols ? o->symbols[index].name : "";
}

static u64 go_sym_size(const Link *l, FileId f, u32 index) {
  const GoObject *o = f.i ? object(l, f) : NULL;
  const GoDefinition *d = o && index < o->nsymbols ? definition_of(o, &o->symbols[index]) : NULL;
  return d ? d->size : 0;
}

/* ---- atoms ---- */

static void go_groups(Link *l, FileId f, unsigned tid) { (void)tid, file_at(l, f)->ngroups = 0; }

static void go_atoms(Link *l, FileId f, unsigned tid) {
  File *file = file_at(l, f);
  const GoObject *o = file->fmt;
  (void)tid;
  for (u32 i = 1; i < file->natoms; i++) {
    const GoDefinition *d = &o->definitions[i - 1];
    u32 a = file->atom_base + i;
    l->atoms.at[a] =
        (Atom){.data = d->data.len ? d->data.p : NULL, .size = d->size, .file = f.i, .rel = d->nrelocs, .type = d->kind};
    l->atoms.flags[a] = kind_flags[d->kind];
  }
}

static const GoDefinition *definition_at(const Link *l, AtomId a) {
  const File *file = atom_file(l, a);
  const GoObject *o = file->fmt;
  return o && a.i > file->atom_base && a.i - file->atom_base <= o->ndefinitions ? &o->definitions[a.i - file->atom_base - 1]
                                                                                : NULL;
}

static const char *go_atom_name(const Link *l, AtomId a) {
  if (l->atoms.flags[a.i] & ATOM_SYNTH)
    return l->synths.at[l->atoms.at[a.i].aux].name;
  const GoDefinition *d = definition_at(l, a);
  return d ? d->section : "";
}

static u8 *add_zeros(Link *l, const GoDefinition *d) {
  u8 *p = link_own(l, pages_alloc_sparse(d->size), d->size); /* of what is never touched there is one page in the machine */
  memcpy(p, d->data.p, d->data.len);
  return p;
}

void goobj_pad(Link *l) {
  u64 zeros = 0;
  for (u32 a = 1; a < l->atoms.n; a++) {
    const GoDefinition *d =
        (l->atoms.flags[a] & (ATOM_LIVE | ATOM_SYNTH | ATOM_ZEROFILL)) == ATOM_LIVE ? definition_at(l, (AtomId){a}) : NULL;
    u64 tail = d ? d->size - d->data.len : 0;
    if (tail > MAX_ZEROS - zeros) {
      diag_report(l->diag, DIAG_ERROR, "too-large", (u64)l->atoms.at[a].file << 32 | a,
                  "%s: symbol %s: %llu bytes, of which the file has %llu: too many zeros for an output",
                  file_name(l, (FileId){l->atoms.at[a].file}), d->name, (unsigned long long)d->size,
                  (unsigned long long)d->data.len);
      continue;
    }
    zeros += tail;
    if (tail && d->data.len)
      l->atoms.at[a].data = add_zeros(l, d);
  }
}

/* ---- edges ---- */

static void decode(const Link *l, const File *file, const GoReloc *r, Edge *e) {
  const GoObject *o = file->fmt;
  *e = (Edge){.offset = r->offset, .addend = r->add, .kind = r->kind};
  if (r->symbol >= o->first_global) {
    e->target = file->globals[r->symbol - o->first_global];
    e->flags = (u16)l->syms.flags[e->target];
    e->S = l->addressed ? l->syms.value[e->target] : 0;
    return;
  }
  e->target = file->local_base + r->symbol; /* symbol 0 is the number 0 */
  if (!r->symbol) {
    e->flags = SF_LOCAL | SF_ABSOLUTE;
    return;
  }
  u32 atom = file->atom_base + o->symbols[r->symbol].definition;
  bool live = l->atoms.flags[atom] & ATOM_LIVE;
  e->flags = (u16)(SF_LOCAL | (live ? 0 : SF_DISCARDED) | (l->atoms.flags[atom] & ATOM_EXEC ? SF_FUNC : 0));
  e->S = l->addressed ? l->atoms.addr[atom] : atom;
}

static u32 go_edges(const Link *l, EdgeCursor *c, Edge *buf) {
  const GoDefinition *d = l->atoms.flags[c->atom.i] & ATOM_SYNTH ? NULL : definition_at(l, c->atom);
  u32 n = 0;
  for (; d && c->next < d->nrelocs && n < EDGE_BATCH; c->next++)
    decode(l, atom_file(l, c->atom), &d->relocs[c->next], &buf[n++]);
  return n;
}

static AtomId go_edge_atom(const Link *l, FileId f, const Edge *e, i64 *off) {
  AtomId a = {0};
  *off = e->addend;
  if (e->target < l->syms.nglobal) {
    a.i = l->syms.atom[e->target];
  } else {
    FileId owner = local_owner(l, e->target);
    const GoObject *o = object(l, owner);
    u32 index = e->target - file_at(l, owner)->local_base;
    u32 number = o && index < o->first_global ? o->symbols[index].definition : 0;
    a.i = number ? file_at(l, owner)->atom_base + number : 0;
  }
  (void)f;
  return a;
}

static bool go_edge_ends(const Link *l, AtomId a, EdgeEnd *buf) {
  (void)l, (void)a, (void)buf;
  return false; /* nothing is plain enough */
}

static u64 go_local_value(const Link *l, FileId f, u32 index) {
  const GoObject *o = object(l, f);
  u32 number = index < o->first_global ? o->symbols[index].definition : 0;
  return number ? l->atoms.addr[file_at(l, f)->atom_base + number] : 0;
}

/* ---- go.weak ---- */

static const char weak_prefix[] = "go.weak.";
enum { PREFIX = sizeof weak_prefix - 1 };

/* What a name that nobody defines stands for; NO_SYM.i: nothing. */
static u32 weak_target(const Link *l, u32 sym) {
  SymName n = l->syms.name[sym];
  if (!(l->syms.flags[sym] & SF_UNDEFINED) || n.len < PREFIX || memcmp(n.p, weak_prefix, PREFIX))
    return NO_SYM.i;
  while (n.len >= PREFIX && !memcmp(n.p, weak_prefix, PREFIX))
    n = (SymName){n.p + PREFIX, n.len - PREFIX, 0};
  u32 t = sym_find(l, n.p, n.len).i;
  return t == NO_SYM.i || l->syms.flags[t] & (SF_UNDEFINED | SF_DISCARDED) ? NO_SYM.i : t;
}

/* Until addresses are known nobody asks for more than the flags. */
void goobj_settle_weak(Link *l) {
  for (u32 i = 0; i < l->syms.nglobal; i++) {
    u32 t = weak_target(l, i);
    if (t != NO_SYM.i)
      l->syms.flags[i] =
          (l->syms.flags[i] & ~((u32)SF_UNDEFINED | SF_WEAK)) | (l->syms.flags[t] & (SF_FUNC | SF_TLS | SF_ABSOLUTE));
  }
}

void goobj_weak_values(Link *l) {
  for (u32 i = 0; i < l->syms.nglobal; i++) {
    SymName n = l->syms.name[i];
    if (l->syms.flags[i] & SF_UNDEFINED || key_rank(l->syms.key[i]) != RANK_NONE || n.len < PREFIX ||
        memcmp(n.p, weak_prefix, PREFIX))
      continue;
    while (n.len >= PREFIX && !memcmp(n.p, weak_prefix, PREFIX))
      n = (SymName){n.p + PREFIX, n.len - PREFIX, 0};
    l->syms.value[i] = l->syms.value[sym_find(l, n.p, n.len).i];
  }
}

/* ---- for messages ---- */

static void go_each_local(const Link *l, FileId f, void *ctx, SymbolFn *fn) {
  const GoObject *o = object(l, f);
  for (u32 i = 1; o && i <= o->ndefinitions; i++) {
    SymRec r;
    record(o, i, &r);
    r.rank = RANK_STRONG;
    if (!o->definitions[i - 1].global)
      fn(ctx, o->symbols[i].name, &r);
  }
}

static void *go_locator_open(const Link *l, FileId f) {
  (void)l, (void)f;
  return NULL;
}

static void go_library_names(Bytes library, void *ctx, NameFn *fn) { (void)library, (void)ctx, (void)fn; }

void goobj_format_init(Format *f) {
  *f = (Format){
      .name = "go13ld",
      .word = 8,
      .atoms_are_symbols = true,
      .no_neutral_edges = true,
      .edges = go_edges,
      .edge_stream = edges_as_stream,
      .atom_name = go_atom_name,
      .sym_name = go_sym_name,
      .local_value = go_local_value,
      .sym_size = go_sym_size,
      .edge_atom = go_edge_atom,
      .edge_ends = go_edge_ends,
      .open = goobj_open,
      .names = go_names,
      .symbols = go_symbols,
      .kinds = go_kinds,
      .definitions = go_definitions,
      .groups = go_groups,
      .atoms = go_atoms,
      .atom_flags = elf_atom_flags, /* of sections that weld makes */
      .each_local = go_each_local,
      .locator_open = go_locator_open,
      .library_names = go_library_names,
  };
}
