/* elf_edges.c: ELF relocations to edges, a batch at a time, straight from the mapped file. This is the
 * hottest code of the reader: each relocation passes here twice (scan, apply).
 * The trap: before layout an Edge has no S, and a reference into a mergeable section keeps its addend;
 * after layout S points at the merged piece, for a section symbol with the addend used up. */
#include "arch/x86_64.def"
#include "core/slots.h"
#include "format/elf_x86_64.def"
#include "read/elf.h"
#include "read/elf_edges.h"
#include "read/elf_hooks.h"
#include "read/elf_machine.h"

enum {
#define X(kind, bits, class, name) KIND_##kind,
  X86_64_EDGES(X)
#undef X
};
/* What most edges come to, for the loops that do them without decoding them. */
enum {
  PLAIN_NO,
  PLAIN_PC32, /* S + A - P, 4 bytes */
  PLAIN_WORD, /* S + A, as wide as a pointer */
  PLAIN_PAIR, /* not plain, and neither is the next one: a TLS call is two */
};
enum {
#define X(kind, bits, class, name) BYTES_##kind = (bits) / 8,
  X86_64_EDGES(X)
#undef X
};

#define ALWAYS_INLINE __attribute__((always_inline)) static inline

static const ElfRow rows[256] = {
#define X(number, kind) [number] = {KIND_##kind, BYTES_##kind, 1},
    ELF_X86_64_EDGES(X)
#undef X
};

static const u8 plain[256] = {
    [R_X86_64_PC32] = PLAIN_PC32, [R_X86_64_PLT32] = PLAIN_PC32, [R_X86_64_64] = PLAIN_WORD,
    [R_X86_64_TLSGD] = PLAIN_PAIR, [R_X86_64_TLSLD] = PLAIN_PAIR};

static const u32 dyn_numbers[] = {
#define X(kind, number) [kind] = number,
    ELF_X86_64_DYNRELS(X)
#undef X
};

static const u16 local_flags[16] = {
    [STT_NOTYPE] = SF_LOCAL,
    [STT_OBJECT] = SF_LOCAL,
    [STT_FUNC] = SF_LOCAL | SF_FUNC,
    [STT_SECTION] = SF_LOCAL | SF_SECTION,
    [STT_FILE] = SF_LOCAL,
    [STT_COMMON] = SF_LOCAL,
    [STT_TLS] = SF_LOCAL | SF_TLS,
    [STT_GNU_IFUNC] = SF_LOCAL | SF_FUNC | SF_IFUNC,
};

/* A malformed relocation: an error the first time it is met (equal messages are shown once). */
__attribute__((cold, noinline)) static void bad_edge(const Link *l, const Atom *a, const ElfRela *r, bool known) {
  const File *file = &l->files.at[a->file];
  const ElfObject *o = file->fmt;
  Link *w = (Link *)(uintptr_t)l; /* only to report */
  FileId f = {a->file};
  u64 at = (u64)((const u8 *)r - file->data.p);
  u32 type = (u32)ELF64_R_TYPE(r->r_info), sym = (u32)ELF64_R_SYM(r->r_info);
  const char *name = "";
  for (u32 i = 1; i < o->nshdr; i++)
    if (o->shdrs[i].sh_type == SHT_RELA && o->shdrs[i].sh_offset == a->rel_off)
      name = elf_section_name(o, i);
  if (!known)
    elf_bad(w, f, at, "%s: unknown relocation type %u", name, type);
  else if (sym >= file->nsyms)
    elf_bad(w, f, at, "%s: relocation names symbol %u, of %u symbols", name, sym, file->nsyms);
  else
    elf_bad(w, f, at, "%s: relocation at offset 0x%llx of a section of 0x%llx bytes", name,
            (unsigned long long)r->r_offset, (unsigned long long)a->size);
}

/* What decoding needs of an atom and its file, in one place: registers, once all is inlined. */
typedef struct {
  const Link *l;
  u32 file;
  const u8 *data;    /* of the file */
  const Atom *a;
  const ElfRela *rel;
  u64 size;
  u32 total, nsyms, first_global, nshdr, atom_base, local_base;
  u32 plain_sections; /* sections 1 to this are just that */
  const u32 *globals;
  const ElfSym *syms;
  const ElfObject *o;
  const u16 *aflags; /* of the file's atoms */
  const u64 *addr;
  const u32 *flags;  /* of all symbols */
  const u64 *value, *near;
} Source;

ALWAYS_INLINE void source_file(Source *s, const Link *l, u32 f) {
  const File *file = &l->files.at[f];
  const ElfObject *o = file->fmt;
  *s = (Source){
      .l = l,
      .file = f,
      .data = file->data.p,
      .nsyms = file->nsyms,
      .first_global = file->first_global,
      .nshdr = o->nshdr,
      .plain_sections = MIN(o->nshdr, (u32)SHN_LORESERVE) - 1,
      .atom_base = file->atom_base,
      .local_base = file->local_base,
      .globals = file->globals,
      .syms = o->syms,
      .o = o,
      .aflags = l->atoms.flags + file->atom_base,
      .addr = l->atoms.addr + file->atom_base,
      .flags = l->syms.flags,
      .value = l->syms.value,
      .near = l->syms.near,
  };
}

ALWAYS_INLINE void source_atom(Source *s, const Atom *a) {
  s->a = a;
  s->rel = (const ElfRela *)(s->data + a->rel_off);
  s->size = a->size;
  s->total = a->rel;
}

/* A local target in an atom whose pieces have addresses of their own. */
__attribute__((noinline)) static u64 piece_address(const Link *l, AtomId t, u64 value, Edge *e) {
  u16 af = l->atoms.flags[t.i];
  if (!(af & ATOM_LIVE))
    return l->atoms.addr[t.i] + value;
  if (af & ATOM_EHFRAME) /* crtbegin's __EH_FRAME_BEGIN__ */
    return elf_eh_frame_addr(l, t, value);
  if (!(e->flags & SF_SECTION))
    return merge_addr(l, t, value);
  value += (u64)e->addend;
  e->addend = 0;
  return merge_addr(l, t, value);
}

/* A local target: its facts and, after layout, its address. */
ALWAYS_INLINE void local_edge(const Source *s, u32 sym, Edge *e, bool addressed) {
  const ElfSym *y = &s->syms[sym];
  u32 flags = local_flags[ELF64_ST_TYPE(y->st_info)], section = y->st_shndx;
  u64 value = y->st_value;
  e->target = s->local_base + sym;
  if (UNLIKELY(section >= SHN_LORESERVE)) {
    u32 special;
    section = elf_sym_section(s->o, sym, &special);
  }
  if (UNLIKELY(!section || section >= s->nshdr)) {
    e->flags = (u16)(flags | SF_ABSOLUTE);
    e->S = addressed ? value : 0;
    return;
  }
  u16 af = s->aflags[section];
  if (UNLIKELY(!(af & ATOM_LIVE)))
    flags |= SF_DISCARDED;
  e->flags = (u16)flags;
  if (!addressed)
    e->S = s->atom_base + section;
  else if (UNLIKELY(af & (ATOM_MERGE | ATOM_EHFRAME)))
    e->S = piece_address(s->l, (AtomId){s->atom_base + section}, value, e);
  else
    e->S = s->addr[section] + value;
}

/* Decodes relocation i; false when it is malformed (and reported). */
ALWAYS_INLINE bool decode(const Source *s, u32 i, Edge *e, bool addressed, const ElfRow *of) {
  const ElfRela *r = &s->rel[i];
  u64 info = r->r_info, off = r->r_offset;
  u32 type = (u32)ELF64_R_TYPE(info), sym = (u32)ELF64_R_SYM(info);
  ElfRow row = of[type & 255];
  if (UNLIKELY(type > 255 || !row.known || sym >= s->nsyms || off > s->size || row.bytes > s->size - off)) {
    bad_edge(s->l, s->a, r, type < 256 && row.known);
    return false;
  }
  e->offset = off;
  e->addend = r->r_addend;
  e->kind = row.kind;
  if (sym < s->first_global) {
    local_edge(s, sym, e, addressed);
    return true;
  }
  u32 id = s->globals[sym - s->first_global];
  if (UNLIKELY(id == UINT32_MAX))
    return false; /* its name was malformed, and reported */
  e->target = id;
  e->flags = (u16)s->flags[id];
  e->S = addressed ? s->value[id] : 0;
  return true;
}

ALWAYS_INLINE u32 edges_as(const Link *l, EdgeCursor *c, Edge *buf, const ElfRow *of) {
  if (!l->atoms.at[c->atom.i].rel)
    return UNLIKELY(l->opt->whole_objects) ? elf_table_edges(l, c, buf) : 0;
  Source s;
  source_file(&s, l, l->atoms.at[c->atom.i].file);
  source_atom(&s, &l->atoms.at[c->atom.i]);
  u32 n = 0;
  for (; c->next < s.total && n < EDGE_BATCH; c->next++)
    n += decode(&s, c->next, &buf[n], l->addressed, of);
  return n;
}

u32 elf_edge_number(const Link *l, u32 kind) {
  const ElfRow *row = elf_machine(l)->rows ? elf_machine(l)->rows : rows;
  u32 n = 0;
  while (n < COUNT_OF(rows) && (!row[n].known || row[n].kind != kind))
    n++;
  return n < COUNT_OF(rows) ? n : 0; /* NONE, of every machine */
}

u32 elf_edges(const Link *l, EdgeCursor *c, Edge *buf) { return edges_as(l, c, buf, rows); }
u32 elf_edges_of_machine(const Link *l, EdgeCursor *c, Edge *buf) { return edges_as(l, c, buf, elf_machine(l)->rows); }

/* The SymId of a global target; UINT32_MAX when there is none. */
ALWAYS_INLINE u32 plain_global(const Source *s, u32 sym) {
  u32 i = sym - s->first_global;
  return LIKELY(i < s->nsyms - s->first_global) ? s->globals[i] : UINT32_MAX;
}

ALWAYS_INLINE u32 targets_as(const Link *l, AtomId a, u32 *next, u32 end, EdgeTarget *buf, const ElfRow *of) {
  Source s;
  source_file(&s, l, l->atoms.at[a.i].file);
  source_atom(&s, &l->atoms.at[a.i]);
  u32 n = 0, i = *next;
  for (end = MIN(end, s.total); i < end && n < EDGE_BATCH; i++) {
    Edge e;
    if (i + 8 < end) {
      u32 soon = (u32)ELF64_R_SYM(s.rel[i + 8].r_info), id = soon < s.first_global ? UINT32_MAX : plain_global(&s, soon);
      if (id != UINT32_MAX) {
        PREFETCH(&s.flags[id]);
        PREFETCH(&l->syms.atom[id]);
        PREFETCH(&l->syms.value[id]);
      }
    }
    if (!decode(&s, i, &e, false, of))
      continue;
    bool global = e.target < l->syms.nglobal;
    buf[n++] = (EdgeTarget){.offset = e.offset,
                            .addend = e.addend,
                            .value = global ? l->syms.value[e.target] : s.syms[e.target - s.local_base].st_value,
                            .atom = global ? l->syms.atom[e.target] : (u32)e.S,
                            .target = e.target,
                            .flags = global ? l->syms.flags[e.target] : e.flags,
                            .kind = e.kind};
  }
  *next = i;
  return n;
}

u32 elf_edge_targets(const Link *l, AtomId a, u32 *next, u32 end, EdgeTarget *buf) { return targets_as(l, a, next, end, buf, rows); }
u32 elf_edge_targets_of_machine(const Link *l, AtomId a, u32 *next, u32 end, EdgeTarget *buf) {
  return targets_as(l, a, next, end, buf, elf_machine(l)->rows);
}

/* The section of a local target; 0 when somebody has to look at it. After layout a piece of a merged
 * section has no address of that kind. */
ALWAYS_INLINE u32 plain_local(const Source *s, u32 sym, u32 special, bool addressed) {
  const u32 odd = addressed ? ATOM_MERGE | ATOM_EHFRAME : 0;
  u32 info = rd32(&s->syms[sym].st_info), section = info >> 16; /* st_info, st_other, st_shndx */
  if (UNLIKELY(section - 1 >= s->plain_sections || local_flags[info & 15] & special))
    return 0;
  return (s->aflags[section] & (ATOM_LIVE | odd)) == ATOM_LIVE ? section : 0;
}

/* Before layout: passes over the edges that decide nothing, from i on. Words are counted, where the CPU
 * wants no more. Returns the first edge to look at. */
static u32 pass_plain(const Source *s, u32 i, u32 special, bool count, u32 *words) {
  u32 n = 0;
  for (u64 size = s->size; i < s->total; i++) {
    const ElfRela *r = &s->rel[i];
    u64 info = r->r_info;
    u32 sym = (u32)ELF64_R_SYM(info);
    u32 kind = plain[info & 255];
    if (info & 0xffffff00 || (kind != PLAIN_PC32 && !(count && kind == PLAIN_WORD)) ||
        UNLIKELY(r->r_offset > size - (kind == PLAIN_WORD ? 8 : 4)))
      break;
    if (sym < s->first_global) {
      if (!plain_local(s, sym, special, false))
        break;
    } else {
      u32 id = plain_global(s, sym);
      if (UNLIKELY(id == UINT32_MAX) || s->flags[id] & special)
        break;
    }
    n += kind == PLAIN_WORD;
  }
  *words += n;
  return i;
}

ALWAYS_INLINE void put_relative(u8 *out, u64 addr, u64 v) {
  wr64(out, addr);
  wr64(out + 8, ELF64_R_INFO(0, dyn_numbers[DYN_RELATIVE]));
  wr64(out + 16, v);
}

/* A word: it comes out of the file's addends, with a relative relocation when addresses move. `rel`: NULL, or
 * where that goes. */
ALWAYS_INLINE bool do_word(const Source *s, const ElfRela *r, u32 sym, u32 special, u64 addr, u8 *bytes, u8 *rel) {
  Edge e = {.addend = r->r_addend};
  u64 off = r->r_offset;
  if (UNLIKELY(off > s->size - 8))
    return false;
  if (sym < s->first_global) {
    local_edge(s, sym, &e, true);
    if (UNLIKELY(e.flags & special))
      return false;
  } else {
    u32 id = plain_global(s, sym);
    if (UNLIKELY(id == UINT32_MAX) || s->flags[id] & special)
      return false;
    e.S = s->value[id];
  }
  if (rel)
    put_relative(rel, addr + off, e.S + (u64)e.addend);
  else
    wr64(bytes + off, e.S + (u64)e.addend);
  return true;
}

/* After layout: does them. `rel`: where word 0 has its relative relocation, or NULL; then words below `room`
 * are done. */
static u32 do_plain(const Source *s, u32 i, u32 special, u64 addr, u8 *bytes, u32 room, u8 *rel, u32 *words) {
  u32 n = *words;
  for (u64 last = s->size - 4; i < s->total; i++) {
    const ElfRela *r = &s->rel[i];
    u64 info = r->r_info, off = r->r_offset, v;
    u32 sym = (u32)ELF64_R_SYM(info), kind = plain[info & 255];
    if (UNLIKELY(info & 0xffffff00))
      break;
    if (kind == PLAIN_WORD && n < room && do_word(s, r, sym, special, addr, bytes, rel ? rel + n * sizeof(Elf64_Rela) : NULL)) {
      n++;
      continue;
    }
    if (kind != PLAIN_PC32 || UNLIKELY(off > last))
      break;
    if (sym < s->first_global) {
      u32 section = plain_local(s, sym, special, true);
      if (!section)
        break;
      v = s->addr[section] + s->syms[sym].st_value;
    } else {
      u32 id = plain_global(s, sym);
      if (UNLIKELY(id == UINT32_MAX) || UNLIKELY((v = s->near[id]) == UINT64_MAX))
        break;
    }
    v += (u64)r->r_addend - (addr + off);
    if (UNLIKELY((i64)v != (i32)v))
      break;
    wr32(bytes + off, (u32)v);
  }
  *words = n;
  return i;
}

/* The same in sections that are not loaded: debug information. False: somebody has to look at it. */
ALWAYS_INLINE bool do_unloaded(const Edge *e, u32 special, u8 *bytes) {
  u64 v = e->S + (u64)e->addend;
  if (UNLIKELY(e->flags & special))
    return false;
  if (e->kind == KIND_ABS32 && v <= UINT32_MAX)
    wr32(bytes + e->offset, (u32)v);
  else if (e->kind == KIND_ABS64)
    wr64(bytes + e->offset, v);
  else
    return false;
  return true;
}

static AtomId symbol_atom(const Link *l, u32 f, u32 sym, i64 *off);

/* Debug information of what was folded away, but for its lines: gone, as of dead code, or two functions would claim
 * the same addresses. Symbols.atom has been redirected already. */
__attribute__((noinline)) static void bury_folded(const Source *s, Edge *e) {
  const Link *l = s->l;
  u32 f = s->file, sym = e->target - s->local_base;
  if (e->target < l->syms.nglobal) {
    f = key_file(l->syms.key[e->target]);
    sym = key_index(l->syms.key[e->target]);
  }
  i64 off;
  AtomId a = f ? symbol_atom(l, f, sym, &off) : (AtomId){0};
  if (a.i && (l->atoms.flags[a.i] & ATOM_FOLDED) == ATOM_FOLDED)
    e->flags |= SF_DISCARDED;
}

static bool buries_folded(const Link *l, AtomId a) {
  const char *name = elf_atom_name(l, a);
  return starts_with(name, ".debug_") && !streq(name, ".debug_line");
}

/* The atom in hand (`some_plain`: of a machine that has plain edges): as many of its relocations as there is room for. Returns how
 * many edges were kept. */
ALWAYS_INLINE u32 stream_atom(const Source *s, EdgeStream *st, Edge *buf, u32 room, u32 *words, bool addressed, bool some_plain,
                              const ElfRow *of) {
  const Link *l = s->l;
  AtomId a = st->atoms[st->at];
  u32 aflags = l->atoms.flags[a.i], n = 0, i = st->next;
  bool loaded = aflags & ATOM_ALLOC, count = some_plain && aflags & st->plain_words, fast = some_plain && loaded && s->size >= 8;
  u32 special = loaded ? l->arch->special : l->arch->special_unloaded;
  u64 addr = addressed ? l->atoms.addr[a.i] : 0;
  u8 *bytes = addressed ? st->out->bytes + (addr - st->out->addr) : NULL, *rel = NULL;
  u32 word_room = count ? UINT32_MAX : 0;
  bool bury = addressed && !loaded && UNLIKELY(l->folded.n) && buries_folded(l, a);
  if (addressed && count && st->relative) {
    u64 at = st->begun ? st->rel : l->atoms.reloff[a.i];
    rel = st->out->rel;
    word_room = rel && at < st->out->end_rel ? (u32)(st->out->end_rel - at) : 0;
    if (word_room)
      rel += (at - st->out->first_rel) * sizeof(Elf64_Rela);
  }
  while (n < room) {
    if (fast && !st->pair)
      i = addressed ? do_plain(s, i, special, addr, bytes, word_room, rel, words) : pass_plain(s, i, special, count, words);
    if (i == s->total)
      break;
    Edge *e = &buf[n];
    if (UNLIKELY(!decode(s, i++, e, addressed, of)))
      continue;
    if (UNLIKELY(bury))
      bury_folded(s, e);
    if (!(some_plain && addressed && !loaded && do_unloaded(e, special, bytes))) {
      st->pair = plain[ELF64_R_TYPE(s->rel[i - 1].r_info)] == PLAIN_PAIR;
      n++;
    }
  }
  st->next = i;
  return n;
}

/* `addressed` and `some_plain` are constants: each way through has one copy of the loops. */
ALWAYS_INLINE u32 stream(const Link *l, EdgeStream *st, bool addressed, bool some_plain, const ElfRow *of) {
  enum { AHEAD = 4 };
  u32 n = 0;
  Source s = {.file = 0};
  st->nruns = 0;
  while (st->at < st->n && st->nruns < STREAM_RUNS && n < STREAM_EDGES) {
    if (st->at + AHEAD < st->n)
      prefetch_edges(l, &l->atoms.at[st->atoms[st->at + AHEAD].i]);
    const Atom *a = &l->atoms.at[st->atoms[st->at].i];
    if (a->file != s.file)
      source_file(&s, l, a->file);
    source_atom(&s, a);
    u32 words = 0, kept = stream_atom(&s, st, &st->edge[n], STREAM_EDGES - n, &words, addressed, some_plain, of);
    bool last = st->next == s.total;
    if (kept || words || (last && st->begun)) {
      st->run[st->nruns++] = (EdgeRun){st->atoms[st->at], n, n + kept, words, !st->begun, last};
      st->begun = true;
    }
    n += kept;
    if (last) {
      st->at++;
      st->next = 0;
      st->pair = st->begun = false;
    }
  }
  return st->nruns || st->at < st->n;
}

u32 elf_addend_bytes(const Link *l, u32 kind) {
  const u8 *bytes = elf_machine(l)->addends;
  return bytes ? bytes[elf_edge_number(l, kind)] : 0;
}

static u32 stream_scan(const Link *l, EdgeStream *s) { return stream(l, s, false, true, rows); }
static u32 stream_apply(const Link *l, EdgeStream *s) { return stream(l, s, true, true, rows); }

u32 elf_edge_stream_of_machine(const Link *l, EdgeStream *s) { return stream(l, s, l->addressed, false, elf_machine(l)->rows); }

u32 elf_edge_stream(const Link *l, EdgeStream *s) {
  return l->addressed ? stream_apply(l, s) : stream_scan(l, s);
}

static AtomId symbol_atom(const Link *l, u32 f, u32 sym, i64 *off) {
  const File *file = &l->files.at[f];
  const ElfObject *o = file->fmt;
  u32 special, section;
  if (file->kind != FILE_OBJECT || sym >= file->nsyms)
    return (AtomId){0};
  section = elf_sym_section(o, sym, &special);
  *off = (i64)o->syms[sym].st_value;
  return (AtomId){section && section < o->nshdr ? file->atom_base + section : 0};
}

AtomId elf_edge_atom(const Link *l, FileId f, const Edge *e, i64 *off) {
  AtomId a = {0};
  i64 value = 0;
  if (e->target < l->syms.nglobal) {
    u32 sym = e->target;
    a.i = l->syms.atom[sym];
    if (a.i && key_file(l->syms.key[sym]))
      symbol_atom(l, key_file(l->syms.key[sym]), key_index(l->syms.key[sym]), &value);
  } else {
    a = symbol_atom(l, f.i, e->target - file_at(l, f)->local_base, &value);
  }
  *off = (i64)((u64)value + (u64)e->addend);
  return a;
}

/* ---- dynamic relocations ---- */

void elf_encode_dynrel(const Link *l, const DynRel *r, u8 *out) {
  u32 sym = 0;
  if (r->sym != UINT32_MAX) {
    const SymAux *x = sym_aux(l, r->sym);
    sym = x && x->dynsym > 0 ? (u32)x->dynsym : 0;
  }
  wr64(out, r->addr);
  wr64(out + 8, ELF64_R_INFO((u64)sym, dyn_numbers[r->kind]));
  wr64(out + 16, (u64)r->addend);
}
