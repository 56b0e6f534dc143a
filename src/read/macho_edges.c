/* macho_edges.c: edges of Mach-O atoms, and where they lead.
 * The trap: a reference inside a file may lead to a definition that another file won; then it means the winner. */
#include "core/resolve.h"
#include "read/macho_internal.h"

/* The atom that stands for one of the file's: another file's, when its name was lost. */
static u32 stands_for(const Link *l, u32 atom) {
  return (l->atoms.flags[atom] & ATOM_FOLDED) == ATOM_DISCARDED && l->atoms.at[atom].link ? l->atoms.at[atom].link : atom;
}

static u16 local_flags(const MachoObject *o, u32 atom) {
  u32 section = o->atoms[atom].section;
  if (!section)
    return 0;
  const MachoSection *s = &o->sections[section];
  return s->type == S_THREAD_LOCAL_VARIABLES ? SF_TLS : s->attr & (S_ATTR_PURE_INSTRUCTIONS | S_ATTR_SOME_INSTRUCTIONS) ? SF_FUNC : 0;
}

static void decode(const Link *l, const File *file, const MachoEdge *m, Edge *e) {
  const MachoObject *o = file->fmt;
  u32 symbol = macho_edge_symbol(m);
  *e = (Edge){.offset = m->offset, .addend = m->addend, .kind = (u16)macho_edge_kind(m)};
  if (symbol >= file->first_global) {
    e->target = file->globals[symbol - file->first_global];
    if (e->target < l->syms.nglobal) {
      e->flags = (u16)l->syms.flags[e->target];
      e->S = l->addressed ? l->syms.value[e->target] : 0;
    }
    return;
  }
  const MachoSymbol *s = symbol < o->natoms ? NULL : macho_symbol(o, symbol);
  u32 own = s ? s->atom : symbol;
  if (!own) { /* absolute */
    *e = (Edge){.offset = m->offset, .addend = m->addend, .kind = (u16)macho_edge_kind(m), .target = file->local_base + symbol, .flags = SF_LOCAL | SF_ABSOLUTE, .S = l->addressed ? s->value : 0};
    return;
  }
  u32 atom = stands_for(l, file->atom_base + own);
  bool moved = atom != file->atom_base + own;
  const File *owner = moved ? &l->files.at[l->atoms.at[atom].file] : file;
  const MachoObject *there = owner->fmt;
  u64 value = s ? s->value : 0;
  e->target = moved ? owner->local_base + (atom - owner->atom_base) : file->local_base + symbol;
  if (moved) /* a name inside the one that was lost is no name of the winner */
    e->addend = (i64)((u64)e->addend + value);
  e->flags = (u16)(SF_LOCAL | (s && !moved ? 0 : SF_SECTION) | (l->atoms.flags[atom] & ATOM_LIVE ? 0 : SF_DISCARDED) | local_flags(there, atom - owner->atom_base));
  e->S = l->addressed ? l->atoms.addr[atom] + (moved ? 0 : value) : atom;
}

u32 macho_edges(const Link *l, EdgeCursor *c, Edge *buf) {
  const File *file = atom_file(l, c->atom);
  const MachoObject *o = file->fmt;
  if (l->atoms.flags[c->atom.i] & ATOM_SYNTH || !o || !o->first_edge)
    return 0;
  u32 i = c->atom.i - file->atom_base, total = o->first_edge[i + 1] - o->first_edge[i], n = 0;
  u32 most = c->most > 1 ? MIN(c->most, (u32)EDGE_BATCH) : c->most ? 2 : EDGE_BATCH; /* two: a difference */
  for (; c->next < total && n < most; c->next++, n++) {
    bool parts = n + 1 == most && edge_class(l->arch, macho_edge_kind(&o->edges[o->first_edge[i] + c->next])) == EC_SUBTRACT;
    if (parts) /* the two edges of a difference come in one batch */
      break;
    decode(l, file, &o->edges[o->first_edge[i] + c->next], &buf[n]);
  }
  return n;
}

AtomId macho_edge_atom(const Link *l, FileId f, const Edge *e, i64 *off) {
  AtomId a = {0};
  u64 value = 0;
  if (e->target < l->syms.nglobal) {
    u32 sym = e->target;
    u64 key = l->syms.key[sym];
    a.i = l->syms.atom[sym];
    if (a.i && !l->addressed) {
      value = l->syms.value[sym];
    } else if (a.i && key_file(key)) { /* the value has become an address */
      SymRec r = {0};
      l->format->definitions(l, &key, 1, &r);
      value = key_rank(key) == RANK_COMMON ? 0 : r.value; /* which is the alignment, there */
    }
  } else if (e->target != UINT32_MAX) {
    FileId owner = e->target - file_at(l, f)->local_base < file_at(l, f)->first_global ? f : local_owner(l, e->target);
    const File *file = file_at(l, owner);
    const MachoObject *o = file->fmt;
    u32 index = e->target - file->local_base;
    if (o && index && index < file->first_global) {
      u32 atom = index < o->natoms ? index : macho_symbol(o, index)->atom;
      a.i = atom ? file->atom_base + atom : 0;
      value = index >= o->natoms && atom ? macho_symbol(o, index)->value : 0;
    }
  }
  if (a.i && (l->atoms.flags[a.i] & ATOM_FOLDED) == ATOM_FOLDED)
    a.i = l->atoms.at[a.i].link;
  *off = (i64)((u64)e->addend + value);
  return a;
}

bool macho_edge_ends(const Link *l, AtomId a, EdgeEnd *buf) {
  (void)l, (void)a, (void)buf;
  return false; /* edges() is as fast: nothing is decoded twice */
}

u32 macho_edge_targets(const Link *l, AtomId a, u32 *next, u32 end, EdgeTarget *buf) {
  EdgeCursor c = {.atom = a, .next = *next};
  Edge e[EDGE_BATCH];
  FileId f = {l->atoms.at[a.i].file};
  u32 n = *next < end ? macho_edges(l, &c, e) : 0;
  n = MIN(n, end - *next);
  for (u32 i = 0; i < n; i++) {
    bool global = e[i].target < l->syms.nglobal;
    i64 off = e[i].addend;
    u32 atom = e[i].target == UINT32_MAX || e[i].flags & SF_DISCARDED ? 0 : macho_edge_atom(l, f, &e[i], &off).i;
    buf[i] = (EdgeTarget){.offset = e[i].offset, .addend = e[i].addend, .value = (u64)off - (u64)e[i].addend, .atom = atom, .target = e[i].target,
                          .flags = global ? l->syms.flags[e[i].target] : e[i].flags, .kind = e[i].kind};
  }
  *next += n;
  return n;
}

u64 macho_local_value(const Link *l, FileId f, u32 index) {
  const File *file = file_at(l, f);
  const MachoObject *o = file->fmt;
  if (!o || !index || index >= file->nsyms)
    return 0;
  const MachoSymbol *s = index < o->natoms ? NULL : macho_symbol(o, index);
  u32 own = s ? s->atom : index;
  u64 value = s ? s->value : 0;
  return own ? l->atoms.addr[stands_for(l, file->atom_base + own)] + value : value;
}
