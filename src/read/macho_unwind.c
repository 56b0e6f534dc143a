/* macho_unwind.c: how to unwind: __LD,__compact_unwind becomes records (mach-o/compact_unwind_encoding.h), __TEXT,__eh_frame
 * edges that core/ehframe.h understands (LSB 5.0 Core, 10.6).
 * The trap: in __eh_frame assemblers for x86-64 resolve what is relative and leave no relocation behind, and those for arm64
 * write differences of labels even where CIE and FDE stand in one section. Here the first become edges, and the second numbers. */
#include <stdlib.h>

#include "read/macho_internal.h"
#include "read/macho_kinds.h"

/* ---- compact unwind ---- */

/* The atom that a relocation leads to, when it is in this file, and where in it. */
static u32 target_atom(const MachoObject *o, const MachoReloc *r, u64 *off) {
  u32 atom = r->symbol;
  *off = (u64)r->addend;
  if (r->symbol >= o->natoms) {
    atom = macho_symbol(o, r->symbol)->atom;
    *off += macho_symbol(o, r->symbol)->value;
  }
  return atom && *off <= macho_atom_size(o, atom) ? atom : 0;
}

static bool is_word(const Link *l, const MachoReloc *r) { return edge_class(l->arch, r->kind) == EC_POINTER; }

static bool read_entry(Link *l, FileId f, const MachoObject *o, const CompactUnwindEntry *e, u64 at, const MachoReloc *r, u32 n, MachoUnwind *out) {
  u64 place = (u64)((const u8 *)e - file_at(l, f)->data.p);
  *out = (MachoUnwind){.length = e->length, .encoding = e->encoding};
  for (u32 i = 0; i < n; i++) {
    u64 field = r[i].offset - at;
    if (!is_word(l, &r[i]))
      return macho_bad(l, f, place, "an entry of __compact_unwind has a relocation %s", l->arch->edge_name(r[i].kind));
    switch (field) {
    case offsetof(CompactUnwindEntry, function): out->atom = target_atom(o, &r[i], &out->offset); break;
    case offsetof(CompactUnwindEntry, lsda):
      out->lsda = target_atom(o, &r[i], &out->lsda_offset);
      if (!out->lsda)
        return macho_bad(l, f, place, "the exception table (LSDA) of an entry of __compact_unwind is not in this file");
      break;
    case offsetof(CompactUnwindEntry, personality):
      out->personality = r[i].symbol;
      if (r[i].addend)
        return macho_bad(l, f, place, "the personality routine of an entry of __compact_unwind is no symbol's address");
      break;
    default: return macho_bad(l, f, place, "an entry of __compact_unwind has a relocation at 0x%x", (u32)field);
    }
  }
  if (!out->atom)
    return macho_bad(l, f, place, "the function of an entry of __compact_unwind is not in this file");
  const MachoSection *s = &o->sections[o->atoms[out->atom].section];
  if (!o->atoms[out->atom].section || out->length > s->size - o->atoms[out->atom].offset - out->offset)
    return macho_bad(l, f, place, "an entry of __compact_unwind is for 0x%x bytes, which is more than the section has", out->length);
  return true;
}

typedef VEC(MachoUnwind) Entries;

/* A function of assembly may have names in its middle, which begin atoms. Those unwind as it does, but handlers count from a function's
 * beginning, so theirs are not known. */
static void add_entry(const MachoObject *o, MachoUnwind u, Entries *out) {
  u64 size = macho_atom_size(o, u.atom) - u.offset, left = u.length - MIN(size, u.length);
  u.length -= (u32)left;
  *vec_push(out) = u;
  u.encoding &= ~(UNWIND_HAS_LSDA | UNWIND_PERSONALITY_MASK);
  u.personality = u.lsda = 0;
  u.offset = u.lsda_offset = 0;
  while (left) {
    size = macho_atom_size(o, ++u.atom);
    u.length = (u32)MIN(size, left);
    left -= u.length;
    if (u.length)
      *vec_push(out) = u;
  }
}

void macho_compact_unwind(Link *l, FileId f, MachoObject *o, unsigned tid) {
  const MachoSection *s = &o->sections[o->compact_unwind];
  enum { SIZE = sizeof(CompactUnwindEntry) };
  MachoRelocs r = {0};
  if (!o->compact_unwind || !s->data.len)
    return;
  if (s->data.len % SIZE) {
    macho_bad(l, f, (u64)(s->data.p - file_at(l, f)->data.p), "section %s has 0x%llx bytes, which is no multiple of %u", s->name, (unsigned long long)s->size, SIZE);
    return;
  }
  macho_relocs(l, f, o, o->compact_unwind, &r);
  Entries entries = {0};
  u32 n = (u32)(s->data.len / SIZE);
  for (u32 i = 0, k = 0; i < n; i++) {
    u32 first = k;
    u64 at = (u64)i * SIZE;
    MachoUnwind u;
    while (k < r.n && r.at[k].offset < at + SIZE)
      k++;
    if (read_entry(l, f, o, (const CompactUnwindEntry *)(s->data.p + at), at, k > first ? r.at + first : NULL, k - first, &u))
      add_entry(o, u, &entries);
    if (entries.n > n + o->natoms) { /* each atom once more than it has entries: they overlap */
      macho_bad(l, f, (u64)(s->data.p - file_at(l, f)->data.p), "entries of section %s overlap", s->name);
      break;
    }
  }
  MachoUnwind *out = ARENA_ARRAY(&l->scratch[tid], MachoUnwind, entries.n);
  if (entries.n)
    memcpy(out, entries.at, entries.n * sizeof *out);
  o->unwind = out;
  o->nunwind = entries.n;
  vec_free(&entries);
  vec_free(&r);
}

/* ---- __eh_frame ---- */

enum { PE_OMIT = 0xff, PE_PCREL = 0x10, PE_INDIRECT = 0x80, PE_FORMAT = 0x0f, FDE_BEGIN = 8 };

/* What a CIE says of its FDEs. */
typedef struct {
  u32 off;
  u8 fde, lsda; /* encodings */
  bool known;
} Cie;

typedef struct {
  Link *l;
  FileId f;
  const MachoObject *o;
  const MachoSection *s;
  VEC(Cie) cies;  /* in order: each is read once, however many FDEs name it */
  const u8 *data; /* patched where need be */
  MachoRelocs *r;
  u32 before;     /* relocations of the file itself: the first ones, in order */
  u32 next;       /* the first of them that is not before the record in hand */
  bool arm64;
} Frame;

/* Bytes of an encoded pointer (LSB 5.0 Core, 10.5.1); 0: of no fixed size. */
static u32 pointer_size(u8 encoding) {
  switch (encoding & PE_FORMAT) {
  case 0x00: case 0x04: case 0x0c: return 8;
  case 0x03: case 0x0b: return 4;
  case 0x02: case 0x0a: return 2;
  default: return 0;
  }
}

static bool has_reloc(const Frame *p, u64 off) {
  for (u32 i = p->next; i < p->before && p->r->at[i].offset <= off; i++)
    if (p->r->at[i].offset == off)
      return true;
  return false;
}

/* The edge that the assembler resolved: a pointer relative to its place, at `off`. */
static void imply(Frame *p, u64 off, u8 encoding, u64 end) {
  u32 size = pointer_size(encoding);
  const u8 *at = p->data + off;
  if ((size != 4 && size != 8) || off > end || end - off < size || (encoding & ~PE_FORMAT) != PE_PCREL || has_reloc(p, off))
    return;
  i64 held = size == 8 ? (i64)rd64(at) : (i32)rd32(at);
  u64 addr = p->s->addr + off + (u64)held, in = 0;
  u32 atom = 0;
  if (!held)
    return;
  for (u32 s = 1; s < p->o->nsections && !atom; s++)
    if (s != p->o->eh_frame && addr >= p->o->sections[s].addr && addr - p->o->sections[s].addr < p->o->sections[s].size)
      atom = macho_atom_at(p->o, s, addr, &in);
  if (!atom)
    return; /* nothing of this file: the record describes no code */
  u32 kind = size == 8 ? (p->arm64 ? (u32)A64_PREL64 : (u32)X64_PC64) : p->arm64 ? (u32)A64_PREL32 : (u32)X64_PC32;
  *vec_push(p->r) = (MachoReloc){.addend = (i64)in, .offset = (u32)off, .symbol = atom, .kind = kind};
}

/* Reads of a record; one behind its end gives 0 and leaves `ok` false. */
typedef struct {
  const u8 *at, *end;
  bool ok;
} Bounded;

static u8 get8(Bounded *b) {
  if (b->at < b->end)
    return *b->at++;
  b->ok = false;
  return 0;
}

static void skip_leb(Bounded *b) {
  while (get8(b) & 0x80)
    ;
}

/* Encodings of a CIE; false: unknown ones. */
static bool read_cie(const Frame *p, u64 off, u64 end, u8 *fde, u8 *lsda) {
  Bounded b = {p->data + off + 8, p->data + end, true};
  *fde = 0;
  *lsda = PE_OMIT;
  u8 version = get8(&b);
  const u8 *aug = b.at, *nul = b.at < b.end ? memchr(aug, 0, (size_t)(b.end - aug)) : NULL;
  if (!nul || *aug != 'z')
    return nul && !*aug;
  b.at = nul + 1;
  skip_leb(&b);
  skip_leb(&b);
  if (version == 1)
    get8(&b);
  else
    skip_leb(&b);
  skip_leb(&b);
  for (aug++; *aug && b.ok; aug++) {
    if (*aug == 'R') {
      *fde = get8(&b);
    } else if (*aug == 'L') {
      *lsda = get8(&b);
    } else if (*aug == 'P') {
      u32 size = pointer_size(get8(&b));
      for (u32 i = 0; i < size; i++)
        get8(&b);
      b.ok = b.ok && size;
    } else if (*aug != 'S' && *aug != 'B' && *aug != 'G') {
      return false;
    }
  }
  return b.ok;
}

static void add_cie(Frame *p, u64 off, u64 end) {
  Cie c = {.off = (u32)off};
  c.known = read_cie(p, off, end, &c.fde, &c.lsda);
  *vec_push(&p->cies) = c;
}

static const Cie *find_cie(const Frame *p, u64 off) {
  u32 lo = 0, hi = p->cies.n;
  while (lo < hi) {
    u32 mid = lo + (hi - lo) / 2;
    if (p->cies.at[mid].off < off)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo < p->cies.n && p->cies.at[lo].off == off && p->cies.at[lo].known ? &p->cies.at[lo] : NULL;
}

static void imply_fde(Frame *p, u64 off, u64 end) {
  u64 field = off + 4, id = rd32(p->data + field);
  const Cie *c = id <= field ? find_cie(p, field - id) : NULL;
  if (!c)
    return;
  u32 width = pointer_size(c->fde);
  imply(p, off + FDE_BEGIN, c->fde, end);
  if (c->lsda == PE_OMIT || !width || end - off < FDE_BEGIN + 2ull * width)
    return;
  Bounded b = {p->data + off + FDE_BEGIN + 2 * width, p->data + end, true};
  skip_leb(&b);
  if (b.ok)
    imply(p, (u64)(b.at - p->data), c->lsda, end);
}

/* Malformed records end the walk: who reads the atom reports them. */
static void imply_edges(Frame *p) {
  u64 off = 0;
  p->before = p->r->n;
  while (p->s->data.len - off >= 8) {
    u64 len = rd32(p->data + off);
    if (!len) {
      off += 4;
      continue;
    }
    if (len < 4 || len > p->s->data.len - off - 4)
      return;
    while (p->next < p->before && p->r->at[p->next].offset < off)
      p->next++;
    if (len >= 8 && rd32(p->data + off + 4))
      imply_fde(p, off, off + 4 + len);
    else if (len >= 8)
      add_cie(p, off, off + 4 + len);
    off += 4 + len;
  }
}

/* A difference of two places of this section, or of one atom, is a number; one from here to elsewhere is relative. */
static void settle_pairs(Frame *p, unsigned tid, u8 **patched) {
  MachoReloc *v = p->r->at;
  u32 n = 0, self = p->s->first_atom;
  for (u32 i = 0; i < p->r->n; i++) {
    bool wide = p->l->arch->edge_bytes[v[i].kind] == 8;
    if (edge_class(p->l->arch, v[i].kind) != EC_SUBTRACT || v[i].symbol >= p->o->natoms || (v[i + 1].symbol != v[i].symbol && v[i].symbol != self)) {
      v[n++] = v[i];
      continue;
    }
    MachoReloc e = v[++i];
    if (e.symbol != v[i - 1].symbol) {
      e.kind = wide ? (p->arm64 ? (u32)A64_PREL64 : (u32)X64_PC64) : p->arm64 ? (u32)A64_PREL32 : (u32)X64_PC32;
      e.addend = (i64)((u64)e.addend + e.offset);
      v[n++] = e;
      continue;
    }
    if (!*patched) {
      *patched = arena_alloc(&p->l->scratch[tid], p->s->data.len, 16);
      memcpy(*patched, p->s->data.p, p->s->data.len);
    }
    if (wide)
      wr64(*patched + e.offset, (u64)e.addend);
    else
      wr32(*patched + e.offset, (u32)e.addend);
  }
  p->r->n = n;
}

static int by_offset(const void *pa, const void *pb) {
  const MachoReloc *a = pa, *b = pb;
  return a->offset < b->offset ? -1 : a->offset > b->offset;
}

void macho_eh_frame(Link *l, FileId f, const MachoObject *o, MachoRelocs *r, unsigned tid, u8 **patched) {
  Frame p = {.l = l, .f = f, .o = o, .s = &o->sections[o->eh_frame], .r = r, .arm64 = macho_cpu_of(l->arch) == CPU_TYPE_ARM64};
  *patched = NULL;
  macho_relocs(l, f, o, o->eh_frame, r);
  settle_pairs(&p, tid, patched);
  p.data = *patched ? *patched : p.s->data.p;
  if (p.s->data.len > UINT32_MAX)
    return;
  imply_edges(&p);
  vec_free(&p.cies);
  bool pairs = false;
  for (u32 i = 0; i < r->n && !pairs; i++)
    pairs = edge_class(l->arch, r->at[i].kind) == EC_SUBTRACT;
  if (r->n > p.before && !pairs)
    qsort(r->at, r->n, sizeof *r->at, by_offset);
}
