/* macho_atoms.c: atoms of Mach-O objects that are in the link, with their edges.
 * The trap: relocated fields hold addresses of the object, so two atoms that are equal can differ in their bytes; atoms that
 * may be joined get a copy in which those fields are zero. */
#include <stdlib.h>

#include "read/macho_internal.h"

/* ---- what an atom is ---- */

static u32 section_flags(const MachoSection *s) {
  u32 f = ATOM_ALLOC | (streq(s->segname, "__TEXT") ? 0 : (u32)ATOM_WRITE);
  f |= s->attr & (S_ATTR_PURE_INSTRUCTIONS | S_ATTR_SOME_INSTRUCTIONS) ? (u32)ATOM_EXEC : 0;
  f |= macho_is_zerofill(s->type) ? (u32)ATOM_ZEROFILL : 0;
  f |= s->type == S_THREAD_LOCAL_REGULAR || s->type == S_THREAD_LOCAL_ZEROFILL ? (u32)ATOM_TLS : 0;
  return f;
}

/* Of sections that passes make; what the segment says is not known here. */
u32 macho_atom_flags(u32 type, u64 attr) {
  MachoSection s = {.segname = "__TEXT", .type = type, .attr = (u32)attr};
  return section_flags(&s);
}

/* Why dead strip never drops the section's atoms; NULL: it may. */
static const char *section_root(const MachoSection *s) {
  switch (s->type) {
  case S_MOD_INIT_FUNC_POINTERS:
  case S_MOD_TERM_FUNC_POINTERS:
  case S_INIT_FUNC_OFFSETS:
  case S_THREAD_LOCAL_INIT_FUNCTION_POINTERS: return "functions that run when the output is loaded or unloaded";
  case S_INTERPOSING: return "table of interposed functions";
  case S_DTRACE_DOF: return "probes of DTrace";
  default: return s->attr & S_ATTR_NO_DEAD_STRIP ? "in a section that is not dead stripped (S_ATTR_NO_DEAD_STRIP)" : NULL;
  }
}

static bool keeps_atom(const Nlist64 *n) { return n->n_desc & (N_NO_DEAD_STRIP | REFERENCED_DYNAMICALLY); }

const char *macho_root_reason(const Link *l, AtomId a) {
  const File *file = atom_file(l, a);
  const MachoObject *o = file->fmt;
  const MachoAtom *m = &o->atoms[a.i - file->atom_base];
  const char *why = m->section ? section_root(&o->sections[m->section]) : NULL;
  return why ? why : "its symbol says so (N_NO_DEAD_STRIP)";
}

const char *macho_atom_name(const Link *l, AtomId a) {
  if (l->atoms.flags[a.i] & ATOM_SYNTH)
    return l->synths.at[l->atoms.at[a.i].aux].name;
  const File *file = atom_file(l, a);
  const MachoObject *o = file->fmt;
  if (!o || a.i == file->atom_base)
    return "";
  u32 section = o->atoms[a.i - file->atom_base].section;
  return section ? o->sections[section].name : "__DATA,__common";
}

/* ---- content that joins ---- */

static bool is_literal(u32 type) {
  switch (type) {
  case S_CSTRING_LITERALS:
  case S_4BYTE_LITERALS:
  case S_8BYTE_LITERALS:
  case S_16BYTE_LITERALS:
  case S_LITERAL_POINTERS: return true;
  default: return false;
  }
}

bool macho_by_content(const Link *l, AtomId a) {
  const Atom *at = &l->atoms.at[a.i];
  return is_literal(at->type) && at->file && at->size && at->data;
}

/* FOLD_* of a section: whether nothing but content and address of its atoms can matter. */
static u16 fold_of(const MachoSection *s) {
  if ((s->type != S_REGULAR && s->type != S_COALESCED) || s->attr & (S_ATTR_NO_DEAD_STRIP | S_ATTR_LIVE_SUPPORT))
    return 0;
  if (streq(s->name, "__TEXT,__gcc_except_tab"))
    return FOLD_KIND | FOLD_LSDA;
  bool constant = streq(s->name, "__TEXT,__const") || streq(s->name, "__DATA,__const") || streq(s->sectname, "__cfstring");
  return constant || section_flags(s) & ATOM_EXEC ? FOLD_KIND : 0;
}

/* Fields of a few bits inside an instruction, which assemblers leave zero. */
static bool in_instruction(const Arch *arch, u32 kind) {
  switch (edge_class(arch, kind)) {
  case EC_BRANCH:
  case EC_PAGE:
  case EC_PAGEOFF:
  case EC_GOT_LOAD:
  case EC_TLV_LOAD: return macho_cpu_of(arch) == CPU_TYPE_ARM64;
  default: return false;
  }
}

/* The section's bytes with zero in all fields that edges write; the bytes of the file when they are so. */
static const u8 *neutral(Arena *arena, const Arch *arch, const MachoSection *s, const MachoRelocs *r) {
  static const u8 zero[8];
  u8 *copy = NULL;
  for (u32 i = 0; i < r->n; i++) {
    u32 bytes = arch->edge_bytes[r->at[i].kind];
    if (in_instruction(arch, r->at[i].kind) || !bytes || !memcmp((copy ? copy : s->data.p) + r->at[i].offset, zero, bytes))
      continue;
    if (!copy) {
      copy = arena_alloc(arena, s->data.len, 16);
      memcpy(copy, s->data.p, s->data.len);
    }
    memset(copy + r->at[i].offset, 0, bytes);
  }
  return copy ? copy : s->data.p;
}

/* ---- edges ---- */

typedef struct {
  Link *l;
  FileId f;
  unsigned tid;
  MachoObject *o;
  File *file;
  VEC(MachoEdge) edges;
  u32 *first;           /* by atom */
  const u8 **data;      /* by section: its bytes, maybe copied */
  u32 unwind;           /* in o->unwind: the first that is not behind the atom in hand */
  const MachoUnwind **by_atom; /* o->unwind in order of atoms */
} Maker;

static void add_edge(Maker *m, u64 offset, u32 kind, u32 symbol, i64 addend) {
  *vec_push(&m->edges) = (MachoEdge){.addend = addend, .offset = (u32)offset, .target = symbol << MACHO_EDGE_KIND_BITS | kind};
}

/* A function keeps alive what is needed to unwind it. The addend tells functions apart that unwind in different ways; where
 * functions may be folded, one that needs nothing says it with an edge to itself. */
static void add_unwind(Maker *m, u32 atom) {
  bool folds = m->l->opt->icf != ICF_NONE;
  for (; m->unwind < m->o->nunwind && m->by_atom[m->unwind]->atom == atom; m->unwind++) {
    const MachoUnwind *u = m->by_atom[m->unwind];
    if (u->personality)
      add_edge(m, u->offset, 0, u->personality, u->encoding);
    else if (folds)
      add_edge(m, u->offset, 0, atom, u->encoding);
    if (u->lsda)
      add_edge(m, u->offset, 0, u->lsda, (i64)u->lsda_offset);
  }
}

/* Pointers of old: what they hold stands in a table of symbols. */
static bool add_indirect(Maker *m, const MachoSection *s, u32 atom) {
  u64 k = (u64)s->reserved1 + (atom - s->first_atom);
  u32 symbol = 0, index = k < m->o->nindirect ? rd32(m->o->indirect + k * 4) : UINT32_MAX;
  if (index < m->o->nnlists)
    symbol = m->o->symbol_of[index];
  if (!symbol)
    return macho_bad(m->l, m->f, (u64)(s->data.p - m->file->data.p), "pointer %u of section %s has no symbol in the indirect symbol table", atom - s->first_atom, s->name);
  for (u32 kind = 0; kind < m->l->arch->nkinds; kind++)
    if (edge_class(m->l->arch, kind) == EC_POINTER) {
      add_edge(m, 0, kind, symbol, 0);
      break;
    }
  return true;
}

/* Those of section s, atom by atom. */
static void split_edges(Maker *m, u32 s, const MachoRelocs *r) {
  const MachoObject *o = m->o;
  const MachoSection *sec = &o->sections[s];
  u32 k = 0;
  for (u32 a = sec->first_atom; a < sec->first_atom + sec->natoms; a++) {
    u64 begin = o->atoms[a].offset, size = macho_atom_size(o, a);
    m->first[a] = m->edges.n;
    for (; k < r->n && (r->at[k].offset < begin + size || a + 1 == sec->first_atom + sec->natoms); k++) {
      const MachoReloc *x = &r->at[k];
      u32 bytes = m->l->arch->edge_bytes[x->kind];
      if (x->offset - begin > size || bytes > size - (x->offset - begin))
        macho_bad(m->l, m->f, (u64)(sec->data.p - m->file->data.p) + x->offset, "a relocated field at 0x%x of section %s lies in two atoms", x->offset, sec->name);
      else
        add_edge(m, x->offset - begin, x->kind, x->symbol, x->addend);
    }
    if (sec->type == S_NON_LAZY_SYMBOL_POINTERS && m->first[a] == m->edges.n)
      add_indirect(m, sec, a);
    add_unwind(m, a);
  }
}

static void make_section_edges(Maker *m, u32 s) {
  MachoSection *sec = &m->o->sections[s];
  Arena *arena = &m->l->scratch[m->tid];
  MachoRelocs r = {0};
  m->data[s] = sec->data.p;
  if (!sec->natoms)
    return;
  if (s == m->o->eh_frame) {
    u8 *patched;
    macho_eh_frame(m->l, m->f, m->o, &r, m->tid, &patched);
    m->data[s] = patched ? patched : sec->data.p;
  } else {
    macho_relocs(m->l, m->f, m->o, s, &r);
    if (is_literal(sec->type) || (m->l->opt->icf != ICF_NONE && fold_of(sec)))
      m->data[s] = neutral(arena, m->l->arch, sec, &r);
  }
  split_edges(m, s, &r);
  vec_free(&r);
}

static int by_place(const void *pa, const void *pb) {
  const MachoUnwind *a = *(const MachoUnwind *const *)pa, *b = *(const MachoUnwind *const *)pb;
  if (a->atom != b->atom)
    return a->atom < b->atom ? -1 : 1;
  return a->offset != b->offset ? (a->offset < b->offset ? -1 : 1) : a < b ? -1 : a > b;
}

static void sort_unwind(Maker *m) {
  u32 n = m->o->nunwind;
  m->by_atom = heap_alloc((n + 1ull) * sizeof *m->by_atom);
  for (u32 i = 0; i < n; i++)
    m->by_atom[i] = &m->o->unwind[i];
  if (n)
    qsort((void *)(uintptr_t)m->by_atom, n, sizeof *m->by_atom, by_place);
}

/* ---- atoms ---- */

static void make_atom(Maker *m, u32 i) {
  const MachoObject *o = m->o;
  const MachoAtom *x = &o->atoms[i];
  const MachoSection *s = x->section ? &o->sections[x->section] : NULL;
  Atom *a = &m->l->atoms.at[m->file->atom_base + i];
  u32 flags = ATOM_LIVE | ATOM_ALLOC | ATOM_WRITE | ATOM_ZEROFILL, rel = m->first[i + 1] - m->first[i];
  *a = (Atom){.size = macho_atom_size(o, i), .file = m->f.i, .rel = rel, .type = S_ZEROFILL};
  if (s) {
    flags = ATOM_LIVE | section_flags(s) | (section_root(s) ? (u32)ATOM_ROOT : 0) | (x->section == o->eh_frame ? (u32)ATOM_EHFRAME : 0);
    a->data = s->data.p ? m->data[x->section] + x->offset : NULL;
    a->rel_off = s->nrelocs ? s->reloff : 0;
    a->type = s->type;
    a->attr = s->attr;
    a->p2align = x->offset ? (u8)MIN(s->p2align, __builtin_ctzll(x->offset)) : s->p2align;
    a->fold = fold_of(s);
    if (m->data[x->section] != s->data.p)
      flags |= ATOM_OWNED;
  } else {
    a->p2align = macho_common_align(macho_nlist(o, x->symbol));
  }
  m->l->atoms.flags[m->file->atom_base + i] = (u16)flags;
}

/* S_ATTR_LIVE_SUPPORT: alive with what it refers to, and no reason for that to live: the first atom of this file that it names. */
static void follow_target(Maker *m, u32 i) {
  const MachoObject *o = m->o;
  u32 id = m->file->atom_base + i;
  const MachoSection *s = &o->sections[o->atoms[i].section];
  if (!(s->attr & S_ATTR_LIVE_SUPPORT) || section_root(s) || o->atoms[i].section == o->eh_frame)
    return;
  for (u32 k = m->first[i]; k < m->first[i + 1]; k++) {
    u32 symbol = macho_edge_symbol(&m->edges.at[k]), atom = symbol < o->natoms ? symbol : macho_symbol(o, symbol)->atom;
    if (atom && atom != i) {
      m->l->atoms.flags[id] |= ATOM_LINKORDER;
      m->l->atoms.at[id].link = m->file->atom_base + atom;
      return;
    }
  }
}

static void mark_roots(Maker *m) {
  const MachoObject *o = m->o;
  for (u32 i = o->natoms; i < m->file->nsyms; i++)
    if (macho_symbol(o, i)->atom && keeps_atom(macho_nlist(o, i)))
      m->l->atoms.flags[m->file->atom_base + macho_symbol(o, i)->atom] |= ATOM_ROOT;
}

static void keep_edges(Maker *m) {
  MachoEdge *edges = ARENA_ARRAY(&m->l->scratch[m->tid], MachoEdge, m->edges.n);
  if (m->edges.n)
    memcpy(edges, m->edges.at, m->edges.n * sizeof *edges);
  m->o->edges = edges;
  m->o->first_edge = m->first;
}

void macho_atoms(Link *l, FileId f, unsigned tid) {
  File *file = file_at(l, f);
  MachoObject *o = file->fmt;
  Arena *arena = &l->scratch[tid];
  Maker m = {.l = l, .f = f, .tid = tid, .o = o, .file = file};
  m.first = ARENA_ARRAY(arena, u32, o->natoms + 1ull);
  m.data = ARENA_ARRAY(arena, const u8 *, o->nsections);
  macho_compact_unwind(l, f, o, tid);
  sort_unwind(&m);
  for (u32 s = 1; s < o->nsections; s++)
    make_section_edges(&m, s);
  for (u32 a = o->natoms; a > 0 && (a == o->natoms || !o->atoms[a].section); a--)
    m.first[a] = m.edges.n;
  m.first[0] = 0;
  for (u32 i = 1; i < o->natoms; i++)
    make_atom(&m, i);
  for (u32 i = 1; i < o->natoms; i++)
    if (o->atoms[i].section)
      follow_target(&m, i);
  mark_roots(&m);
  if (o->call_graph)
    __atomic_store_n(&l->has_call_graph, true, __ATOMIC_RELAXED);
  if (o->has_debug_info)
    macho_debug_unit(o);
  keep_edges(&m);
  vec_free(&m.edges);
  free((void *)(uintptr_t)m.by_atom);
}

/* What of a definition that fell counts for the survivor; and who stands for it where its own file refers to it without a name. */
void macho_absorb(Link *l, AtomId winner, AtomId loser) {
  const MachoObject *w = atom_file(l, winner)->fmt, *o = atom_file(l, loser)->fmt;
  u32 kept = winner.i - atom_file(l, winner)->atom_base, gone = loser.i - atom_file(l, loser)->atom_base;
  l->atoms.at[loser.i].link = winner.i;
  if (w && o && kept < w->natoms && !w->atoms[kept].section && !o->atoms[gone].section)
    l->atoms.at[winner.i].p2align = MAX(l->atoms.at[winner.i].p2align, l->atoms.at[loser.i].p2align);
}
