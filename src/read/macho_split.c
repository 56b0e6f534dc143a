/* macho_split.c: what is one atom: the run between two symbols of a section, when the object allows it
 * (MH_SUBSECTIONS_VIA_SYMBOLS), one literal, or the section. And which symbols take part.
 * The trap: symbols at one address are names of one atom; one with N_ALT_ENTRY is a place in the atom before it; one at the
 * end of its section begins an atom without bytes. */
#include <stdlib.h>

#include "read/macho_internal.h"

const char *macho_name(const MachoObject *o, const Nlist64 *n) { return n->n_strx < o->strtab.len ? (const char *)o->strtab.p + n->n_strx : ""; }

MachoSplit macho_split_of(const MachoObject *o, const MachoSection *s, u32 *size) {
  *size = 0;
  if (s->use != MACHO_ATOMS)
    return MACHO_WHOLE;
  switch (s->type) {
  case S_CSTRING_LITERALS: return MACHO_STRINGS;
  case S_4BYTE_LITERALS: *size = 4; return MACHO_RECORDS;
  case S_8BYTE_LITERALS:
  case S_LITERAL_POINTERS:
  case S_NON_LAZY_SYMBOL_POINTERS: *size = 8; return MACHO_RECORDS;
  case S_16BYTE_LITERALS: *size = 16; return MACHO_RECORDS;
  default: break;
  }
  bool data = starts_with(s->segname, "__DATA");
  if (data && streq(s->sectname, "__cfstring"))
    *size = 32;
  else if (data && (streq(s->sectname, "__objc_classrefs") || streq(s->sectname, "__objc_superrefs")))
    *size = 8;
  if (*size && s->size % *size == 0)
    return MACHO_RECORDS;
  return o->subsections ? MACHO_BY_NAMES : MACHO_WHOLE;
}

/* ---- symbols of sections, by place ---- */

typedef struct {
  u64 place; /* section << 56 | offset in it, at most MOST_OFFSET */
  u32 nlist;
} Label;
enum { SECTION_SHIFT = 56 };
#define MOST_OFFSET ((1ull << SECTION_SHIFT) - 1)

static u32 section_of(const Label *x) { return (u32)(x->place >> SECTION_SHIFT); }

/* By place, else in the order of the symbol table: byte by byte from the lowest, but for bytes that all have alike. */
static Label *sort_labels(Label *v, Label *other, u32 n) {
  u64 all = ~0ull, any = 0;
  for (u32 i = 0; i < n; i++) {
    all &= v[i].place;
    any |= v[i].place;
  }
  for (u32 shift = 0; shift < 64; shift += 8) {
    u32 at[256] = {0}, sum = 0;
    if (!((all ^ any) >> shift & 0xff))
      continue;
    for (u32 i = 0; i < n; i++)
      at[v[i].place >> shift & 0xff]++;
    for (u32 d = 0; d < 256; d++) {
      u32 count = at[d];
      at[d] = sum;
      sum += count;
    }
    for (u32 i = 0; i < n; i++)
      other[at[v[i].place >> shift & 0xff]++] = v[i];
    Label *t = v;
    v = other;
    other = t;
  }
  return v;
}

static bool is_stab(const Nlist64 *n) { return n->n_type & N_STAB; }
static bool in_section(const Nlist64 *n) { return !is_stab(n) && (n->n_type & N_TYPE) == N_SECT; }
static bool is_tentative(const Nlist64 *n) { return !is_stab(n) && (n->n_type & N_TYPE) == N_UNDF && n->n_value; }
/* Undefined symbols are global, whatever their N_EXT says. */
static bool is_global(const Nlist64 *n) { return n->n_type & N_EXT || (n->n_type & N_TYPE) == N_UNDF; }

static bool check_symbol(Link *l, FileId f, const MachoObject *o, const Nlist64 *n) {
  u64 at = (u64)((const u8 *)n - file_at(l, f)->data.p);
  if (is_stab(n))
    return true;
  if (n->n_strx && n->n_strx >= o->strtab.len)
    return macho_bad(l, f, at, "the name of a symbol is at 0x%x, outside the string table", n->n_strx);
  switch (n->n_type & N_TYPE) {
  case N_UNDF:
  case N_ABS:
    return true;
  case N_SECT: {
    const MachoSection *s = o->sections + (n->n_sect < o->nsections ? n->n_sect : NO_SECT);
    if (n->n_sect == NO_SECT || n->n_sect >= o->nsections)
      return macho_bad(l, f, at, "symbol %s is in section %u, of %u sections", macho_name(o, n), n->n_sect, o->nsections - 1);
    if (n->n_value < s->addr || n->n_value - s->addr > s->size)
      return macho_bad(l, f, at, "symbol %s at 0x%llx is outside its section %s", macho_name(o, n), (unsigned long long)n->n_value, s->name);
    if (n->n_desc & N_SYMBOL_RESOLVER)
      return macho_bad(l, f, at, "symbol %s is a resolver (N_SYMBOL_RESOLVER), which is not supported", macho_name(o, n));
    if (n->n_type & N_EXT && s->use != MACHO_ATOMS && s->use != MACHO_EH_FRAME)
      return macho_bad(l, f, at, "global symbol %s is in section %s, which is not in the output", macho_name(o, n), s->name);
    return true;
  }
  case N_INDR:
    return macho_bad(l, f, at, "symbol %s stands for another symbol (N_INDR), which is not supported in objects", macho_name(o, n));
  default:
    return macho_bad(l, f, at, "symbol %s has an unknown type 0x%x", macho_name(o, n), n->n_type);
  }
}

static bool makes_atoms(const MachoSection *s) { return s->use == MACHO_ATOMS || s->use == MACHO_EH_FRAME; }

/* Those of sections that make atoms. */
static u32 collect_labels(const MachoObject *o, Label *out) {
  u32 n = 0;
  for (u32 i = 0; i < o->nnlists; i++) {
    const Nlist64 *s = &o->nlists[i];
    if (in_section(s) && makes_atoms(&o->sections[s->n_sect]))
      out[n++] = (Label){(u64)s->n_sect << SECTION_SHIFT | MIN(s->n_value - o->sections[s->n_sect].addr, MOST_OFFSET), i};
  }
  return n;
}

/* ---- atoms ---- */

typedef struct {
  Link *l;
  FileId f;
  MachoObject *o;
  const Label *labels;
  u32 nlabels;
  u32 at;       /* in labels: the first of the section in hand */
  VEC(MachoAtom) atoms;
  u32 *atom_of; /* by nlist */
} Splitter;

static void add_atom(Splitter *p, u32 section, u64 offset) { *vec_push(&p->atoms) = (MachoAtom){.section = section, .offset = offset}; }

/* Where the section's bytes are in the file. */
static u64 place_of_section(const Splitter *p, const MachoSection *s) { return s->data.p ? (u64)(s->data.p - file_at(p->l, p->f)->data.p) : 0; }

static bool too_many(Splitter *p, u32 section) {
  if (p->atoms.n <= MACHO_MOST_ATOMS)
    return false;
  macho_bad(p->l, p->f, 0, "section %s has more than %u atoms", p->o->sections[section].name, MACHO_MOST_ATOMS);
  return true;
}

static void split_names(Splitter *p, u32 s, u32 end) {
  u64 last = 0;
  add_atom(p, s, 0); /* what stands before the first name has none */
  for (u32 i = p->at; i < end; i++) {
    u64 off = p->labels[i].place & MOST_OFFSET;
    if (off == last || p->o->nlists[p->labels[i].nlist].n_desc & N_ALT_ENTRY)
      continue;
    add_atom(p, s, off);
    last = off;
  }
}

static bool split_strings(Splitter *p, u32 s) {
  const MachoSection *sec = &p->o->sections[s];
  const u8 *at = sec->data.p, *end = at + sec->data.len;
  while (at < end) {
    const u8 *nul = memchr(at, 0, (size_t)(end - at));
    if (!nul)
      return macho_bad(p->l, p->f, (u64)(at - file_at(p->l, p->f)->data.p), "the last string of section %s does not end with a NUL byte", sec->name);
    add_atom(p, s, (u64)(at - sec->data.p));
    if (too_many(p, s))
      return false;
    at = nul + 1;
  }
  return true;
}

static bool split_records(Splitter *p, u32 s, u32 size) {
  const MachoSection *sec = &p->o->sections[s];
  if (sec->size % size)
    return macho_bad(p->l, p->f, place_of_section(p, sec), "section %s has 0x%llx bytes, which is no multiple of %u", sec->name, (unsigned long long)sec->size, size);
  for (u64 off = 0; off < sec->size; off += size) {
    add_atom(p, s, off);
    if (too_many(p, s))
      return false;
  }
  return true;
}

/* Which atom each name of the section is in: the last that begins at or before it. */
static void place_labels(Splitter *p, u32 first, u32 end) {
  for (u32 i = p->at, a = first; i < end && first < p->atoms.n; i++) {
    u64 off = p->labels[i].place & MOST_OFFSET;
    while (a + 1 < p->atoms.n && p->atoms.at[a + 1].offset <= off)
      a++;
    p->atom_of[p->labels[i].nlist] = a;
  }
}

static bool split_section(Splitter *p, u32 s) {
  MachoSection *sec = &p->o->sections[s];
  u32 size, first = p->atoms.n, end = p->at;
  if (!makes_atoms(sec))
    return true;
  while (end < p->nlabels && section_of(&p->labels[end]) == s)
    end++;
  if (sec->type == S_SYMBOL_STUBS || sec->type == S_LAZY_SYMBOL_POINTERS || sec->type == S_LAZY_DYLIB_SYMBOL_POINTERS)
    return macho_bad(p->l, p->f, place_of_section(p, sec), "section %s holds stubs or lazy pointers, which are not supported in objects", sec->name);
  bool ok = true;
  if (macho_is_zerofill(sec->type) || sec->data.len) {
    switch (macho_split_of(p->o, sec, &size)) {
    case MACHO_WHOLE: add_atom(p, s, 0); break;
    case MACHO_BY_NAMES: split_names(p, s, end); break;
    case MACHO_STRINGS: ok = split_strings(p, s); break;
    case MACHO_RECORDS: ok = split_records(p, s, size); break;
    }
  } else if (end > p->at) { /* a name for a place without bytes */
    add_atom(p, s, 0);
  }
  place_labels(p, first, end);
  sec->first_atom = first;
  sec->natoms = p->atoms.n - first;
  p->at = end;
  return ok && !too_many(p, s);
}

static bool split_sections(Splitter *p) {
  add_atom(p, 0, 0);
  for (u32 s = 1; s < p->o->nsections; s++)
    if (!split_section(p, s))
      return false;
  for (u32 i = 0; i < p->o->nnlists; i++)
    if (is_tentative(&p->o->nlists[i])) {
      p->atom_of[i] = p->atoms.n;
      add_atom(p, 0, 0);
    }
  return !too_many(p, 0);
}

u32 macho_atom_at(const MachoObject *o, u32 section, u64 addr, u64 *off) {
  const MachoSection *s = &o->sections[section];
  if (!s->natoms || addr < s->addr || addr - s->addr > s->size)
    return 0;
  u64 at = addr - s->addr;
  u32 lo = s->first_atom, hi = lo + s->natoms; /* the last atom that begins at or before `at` */
  while (hi - lo > 1) {
    u32 mid = lo + (hi - lo) / 2;
    if (o->atoms[mid].offset <= at)
      lo = mid;
    else
      hi = mid;
  }
  *off = at - o->atoms[lo].offset;
  return lo;
}

u64 macho_atom_size(const MachoObject *o, u32 i) {
  const MachoAtom *a = &o->atoms[i];
  if (!a->section)
    return o->nlists[macho_symbol(o, a->symbol)->nlist].n_value;
  const MachoSection *s = &o->sections[a->section];
  return (i + 1 < s->first_atom + s->natoms ? o->atoms[i + 1].offset : s->size) - a->offset;
}

/* ---- symbols ---- */

/* Global names before local ones, names that users know before the assembler's own. */
static u32 worth(const MachoObject *o, const Nlist64 *n) {
  const char *name = macho_name(o, n);
  return is_global(n) ? 3 : name[0] != 'l' && name[0] != 'L' ? 2 : starts_with(name, "ltmp") ? 0 : 1;
}

static void name_atom(MachoObject *o, u32 atom, u32 symbol) {
  MachoAtom *a = &o->atoms[atom];
  if (!a->symbol || worth(o, macho_nlist(o, symbol)) > worth(o, macho_nlist(o, a->symbol)))
    a->symbol = symbol;
}

static void add_symbols(MachoObject *o, File *file, const u32 *atom_of, u32 *symbol_of, bool global) {
  for (u32 i = 0; i < o->nnlists; i++) {
    const Nlist64 *n = &o->nlists[i];
    if (is_stab(n) || is_global(n) != global || (in_section(n) && !makes_atoms(&o->sections[n->n_sect])))
      continue;
    MachoSymbol s = {.nlist = i, .atom = atom_of[i], .value = n->n_value};
    if (s.atom)
      s.value = o->atoms[s.atom].section ? n->n_value - o->sections[n->n_sect].addr - o->atoms[s.atom].offset : 0;
    u32 index = file->nsyms++;
    symbol_of[i] = index;
    o->symbols[o->nsymbols++] = s;
    if (s.atom && !s.value)
      name_atom(o, s.atom, index);
  }
}

static void count_names(MachoObject *o, const File *file, Arena *arena) {
  bool any = false;
  for (u32 i = file->first_global; o->subsections && i < file->nsyms && !any; i++) {
    u32 a = macho_symbol(o, i)->atom;
    any = a && o->atoms[a].symbol != i; /* one does not name its atom */
  }
  if (!any)
    return;
  u8 *names = ARENA_ARRAY(arena, u8, o->natoms);
  for (u32 i = file->first_global; i < file->nsyms; i++) {
    u8 *n = &names[macho_symbol(o, i)->atom];
    *n = MIN(*n, 1) + 1;
  }
  o->names = names;
}

/* What atoms and symbols are is known when all sections are split. */
static void keep_atoms(Splitter *p, Arena *arena) {
  MachoObject *o = p->o;
  File *file = file_at(p->l, p->f);
  u32 *symbol_of = ARENA_ARRAY(arena, u32, o->nnlists);
  o->natoms = p->atoms.n;
  o->atoms = ARENA_ARRAY(arena, MachoAtom, o->natoms);
  memcpy(o->atoms, p->atoms.at, o->natoms * sizeof *o->atoms);
  o->symbols = ARENA_ARRAY(arena, MachoSymbol, o->nnlists);
  o->symbol_of = symbol_of;
  file->natoms = file->nsyms = o->natoms;
  add_symbols(o, file, p->atom_of, symbol_of, false);
  file->first_global = file->nsyms;
  add_symbols(o, file, p->atom_of, symbol_of, true);
  count_names(o, file, arena);
}

bool macho_split(Link *l, FileId f, MachoObject *o, unsigned tid) {
  if (o->nnlists > MACHO_MOST_SYMBOLS)
    return macho_bad(l, f, 0, "more than %u symbols", MACHO_MOST_SYMBOLS);
  for (u32 i = 0; i < o->nnlists; i++)
    if (!check_symbol(l, f, o, &o->nlists[i]))
      return false;
  Label *labels = heap_alloc((o->nnlists + 1ull) * 2 * sizeof *labels);
  Splitter p = {.l = l, .f = f, .o = o, .nlabels = collect_labels(o, labels), .atom_of = heap_alloc((o->nnlists + 1ull) * sizeof *p.atom_of)};
  p.labels = sort_labels(labels, labels + p.nlabels, p.nlabels);
  bool ok = split_sections(&p);
  if (ok)
    keep_atoms(&p, &l->scratch[tid]);
  free(labels);
  free(p.atom_of);
  vec_free(&p.atoms);
  return ok;
}
