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

enum {
#define X(kind, bits, class, name) KIND_##kind,
  X86_64_EDGES(X)
#undef X
};
enum {
#define X(kind, bits, class, name) BYTES_##kind = (bits) / 8,
  X86_64_EDGES(X)
#undef X
};

typedef struct {
  u8 kind, bytes, known;
} Row;

static const Row rows[256] = {
#define X(number, kind) [number] = {KIND_##kind, BYTES_##kind, 1},
    ELF_X86_64_EDGES(X)
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
static void bad_edge(const Link *l, const Atom *a, const ElfRela *r, const File *file, const ElfObject *o) {
  Link *w = (Link *)(uintptr_t)l; /* only to report */
  FileId f = {a->file};
  u64 at = (u64)((const u8 *)r - file->data.p);
  u32 type = (u32)ELF64_R_TYPE(r->r_info), sym = (u32)ELF64_R_SYM(r->r_info);
  const char *name = "";
  for (u32 i = 1; i < o->nshdr; i++)
    if (o->shdrs[i].sh_type == SHT_RELA && o->shdrs[i].sh_offset == a->rel_off)
      name = elf_section_name(o, i);
  if (type > 255 || !rows[type].known)
    elf_bad(w, f, at, "%s: unknown relocation type %u", name, type);
  else if (sym >= file->nsyms)
    elf_bad(w, f, at, "%s: relocation names symbol %u, of %u symbols", name, sym, file->nsyms);
  else
    elf_bad(w, f, at, "%s: relocation at offset 0x%llx of a section of 0x%llx bytes", name,
            (unsigned long long)r->r_offset, (unsigned long long)a->size);
}

/* A local target: its facts and, after layout, its address. */
static inline void local_edge(const Link *l, const File *file, const ElfObject *o, u32 sym, Edge *e, bool addressed) {
  const ElfSym *s = &o->syms[sym];
  u32 special, flags = local_flags[ELF64_ST_TYPE(s->st_info)];
  u32 section = elf_sym_section(o, sym, &special);
  e->target = file->local_base + sym;
  if (UNLIKELY(!section || section >= o->nshdr)) {
    e->flags = (u16)(flags | SF_ABSOLUTE);
    e->S = addressed ? s->st_value : 0;
    return;
  }
  AtomId t = {file->atom_base + section};
  u16 af = l->atoms.flags[t.i];
  if (UNLIKELY(!(af & ATOM_LIVE)))
    flags |= SF_DISCARDED;
  e->flags = (u16)flags;
  if (!addressed) {
    e->S = t.i;
    return;
  }
  if (UNLIKELY(af & (ATOM_MERGE | ATOM_EHFRAME)) && af & ATOM_LIVE) {
    if (af & ATOM_EHFRAME) { /* crtbegin's __EH_FRAME_BEGIN__ */
      e->S = elf_eh_frame_addr(l, t, s->st_value);
    } else if (flags & SF_SECTION) {
      e->S = merge_addr(l, t, s->st_value + (u64)e->addend);
      e->addend = 0;
    } else {
      e->S = merge_addr(l, t, s->st_value);
    }
    return;
  }
  e->S = l->atoms.addr[t.i] + s->st_value;
}

static inline u32 edges(const Link *l, EdgeCursor *c, Edge *buf, bool addressed) {
  const Atom *a = &l->atoms.at[c->atom.i];
  if (!a->rel)
    return 0;
  const File *file = &l->files.at[a->file];
  const ElfObject *o = file->fmt;
  const ElfRela *r = (const ElfRela *)(file->data.p + a->rel_off);
  u32 total = a->rel, first_global = file->first_global, nsyms = file->nsyms;
  const u32 *globals = file->globals;
  u32 n = 0, i = c->next;
  for (; i < total && n < EDGE_BATCH; i++) {
    Edge *e = &buf[n];
    if (i + 8 < total) {
      __builtin_prefetch(&r[i + 40]);
      u32 soon = (u32)ELF64_R_SYM(r[i + 8].r_info);
      __builtin_prefetch(soon < first_global ? (const void *)&o->syms[soon] : (const void *)&globals[soon - first_global]);
    }
    u32 type = (u32)ELF64_R_TYPE(r[i].r_info), sym = (u32)ELF64_R_SYM(r[i].r_info);
    const Row *row = &rows[type & 255];
    u64 off = r[i].r_offset;
    if (UNLIKELY(type > 255 || !row->known || sym >= nsyms || off > a->size || row->bytes > a->size - off)) {
      bad_edge(l, a, &r[i], file, o);
      continue;
    }
    e->offset = off;
    e->addend = r[i].r_addend;
    e->kind = row->kind;
    if (sym < first_global) {
      local_edge(l, file, o, sym, e, addressed);
    } else {
      u32 id = globals[sym - first_global];
      if (UNLIKELY(id == UINT32_MAX))
        continue; /* its name was malformed, and reported */
      e->target = id;
      e->flags = (u16)l->syms.flags[id];
      if (addressed)
        e->S = l->syms.value[id];
    }
    n++;
  }
  c->next = i;
  return n;
}

u32 elf_edges(const Link *l, EdgeCursor *c, Edge *buf) {
  return l->addressed ? edges(l, c, buf, true) : edges(l, c, buf, false);
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
  *off = value + e->addend;
  return a;
}

/* ---- dynamic relocations ---- */

static const u32 dyn_numbers[] = {
#define X(kind, number) [kind] = number,
    ELF_X86_64_DYNRELS(X)
#undef X
};

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
