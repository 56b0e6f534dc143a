/* macho_relocs.c: relocations of Mach-O objects as edges of the CPU's kinds (mach-o/x86_64/reloc.h, mach-o/arm64/reloc.h).
 * Values come out as S + A - P with the field's own address as P, whatever Mach-O counts from, and what the field held is in A.
 * The trap: without r_extern the field holds the target's address in the object; which atom that is in is found here, so
 * that nobody needs the object's addresses behind this file. And two records may be one edge: ADDEND, or two edges of one field:
 * SUBTRACTOR. */
#include <stdlib.h>

#include "format/macho_aarch64.def"
#include "format/macho_x86_64.def"
#include "read/macho_internal.h"
#include "read/macho_kinds.h"

/* What a relocation means, by type, length and whether it is relative to its place. */
typedef struct {
  u8 kind, known;
  u8 behind; /* x86-64: bytes from the field to where a section-relative value counts from */
} Row;
#define AT(type, length, pcrel) ((type) << 3 | (length) << 1 | (pcrel))
static const Row x64_rows[128] = {
#define X(type, length, pcrel, kind, behind) [AT(type, length, pcrel)] = {X64_##kind, 1, behind},
    MACHO_X86_64_EDGES(X)
#undef X
};
static const Row a64_rows[128] = {
#define X(type, length, pcrel, kind) [AT(type, length, pcrel)] = {A64_##kind, 1, 0},
    MACHO_AARCH64_EDGES(X)
#undef X
};

/* A section in hand. */
typedef struct {
  Link *l;
  FileId f;
  const MachoObject *o;
  const MachoSection *s;
  const File *file;
  bool arm64;
  MachoRelocs *out;
} Reader;

static bool bad(const Reader *r, u32 i, const char *fact) {
  const RelocationInfo *x = &r->s->relocs[i];
  return macho_bad(r->l, r->f, (u64)((const u8 *)x - r->file->data.p), "relocation of type %u (length %u, %s) at 0x%x in section %s: %s", R_TYPE(x->r_info),
                   R_LENGTH(x->r_info), R_PCREL(x->r_info) ? "relative" : "absolute", x->r_address, r->s->name, fact);
}

static i64 field_value(const u8 *p, u32 length) {
  switch (length) {
  case 0: return (i8)*p;
  case 1: return (i16)rd16(p);
  case 2: return (i32)rd32(p);
  default: return (i64)rd64(p);
  }
}

/* ---- targets ---- */

/* An edge into an atom of the file leads to the atom's own symbol; through a slot, to the symbol that was meant. */
static void settle(const Reader *r, MachoReloc *e) {
  if (e->symbol < r->o->natoms || e->symbol >= r->file->first_global)
    return;
  const MachoSymbol *s = macho_symbol(r->o, e->symbol);
  EdgeClass c = edge_class(r->l->arch, e->kind);
  if (!s->atom || (s->value && (c == EC_GOT || c == EC_GOT_LOAD || c == EC_TLV_LOAD)))
    return;
  e->symbol = s->atom;
  e->addend = (i64)((u64)e->addend + s->value);
}

static bool by_symbol(const Reader *r, u32 i, u32 number, MachoReloc *e) {
  if (number >= r->o->nnlists)
    return bad(r, i, "its symbol is outside the symbol table");
  e->symbol = r->o->symbol_of[number];
  if (!e->symbol)
    return bad(r, i, "its symbol is one that nothing can refer to");
  settle(r, e);
  return true;
}

/* `addr`: of the target in the object. */
static bool by_section(const Reader *r, u32 i, u32 number, u64 addr, MachoReloc *e) {
  if (number == NO_SECT || number >= r->o->nsections)
    return bad(r, i, "its section is none of the object's");
  u64 off = 0;
  e->symbol = macho_atom_at(r->o, number, addr, &off);
  if (!e->symbol)
    return bad(r, i, "its target lies outside the section that it names");
  e->addend = (i64)((u64)e->addend + off);
  return true;
}

/* ---- instructions of AArch64 ---- */

static bool is_ldr64(u32 insn) { return (insn & 0xffc00000) == 0xf9400000; }

/* Which of the kinds for the low 12 bits the instruction takes: ADD (immediate), or a load or store with an unsigned offset. */
static bool lo12_kind(u32 insn, u32 *kind) {
  if ((insn & 0x7fc00000) == 0x11000000) {
    *kind = A64_ADD_ABS_LO12_NC;
    return true;
  }
  if ((insn & 0x3b000000) != 0x39000000)
    return false;
  static const u8 by_size[] = {A64_LDST8_ABS_LO12_NC, A64_LDST16_ABS_LO12_NC, A64_LDST32_ABS_LO12_NC, A64_LDST64_ABS_LO12_NC};
  bool wide = (insn & 0xc4800000) == 0x04800000; /* a vector of 128 bits: V, size 0, opc 1x */
  *kind = wide ? (u32)A64_LDST128_ABS_LO12_NC : by_size[insn >> 30];
  return true;
}

static const char *wrong_instruction(u32 kind, u32 insn) {
  switch (kind) {
  case A64_CALL26: return (insn & 0x7c000000) == 0x14000000 ? NULL : "it is not at a B or BL instruction";
  case A64_ADR_PREL_PG_HI21:
  case A64_ADR_GOT_PAGE:
  case A64_TLV_PAGE21: return (insn & 0x9f000000) == 0x90000000 ? NULL : "it is not at an ADRP instruction";
  case A64_LD64_GOT_LO12_NC:
  case A64_TLV_PAGEOFF12: return is_ldr64(insn) ? NULL : "it is not at an LDR instruction of 64 bits";
  default: return NULL;
  }
}

/* ---- one relocation ---- */

/* Its field, checked to lie in the section; NULL after a report. */
static const u8 *field_of(const Reader *r, u32 i) {
  const RelocationInfo *x = &r->s->relocs[i];
  Bytes b;
  if (x->r_address & R_SCATTERED) {
    bad(r, i, "scattered relocations do not exist on this CPU");
    return NULL;
  }
  if (!bytes_slice(r->s->data, x->r_address, 1ull << R_LENGTH(x->r_info), &b)) {
    bad(r, i, r->s->data.p ? "it lies outside its section" : "its section is zero fill");
    return NULL;
  }
  return b.p;
}

static bool read_x64(const Reader *r, u32 i, MachoReloc *e) {
  const RelocationInfo *x = &r->s->relocs[i];
  u32 info = x->r_info, length = R_LENGTH(info);
  const u8 *p = field_of(r, i);
  if (!p)
    return false;
  const Row *row = &x64_rows[AT(R_TYPE(info), length, R_PCREL(info))];
  if (!row->known)
    return bad(r, i, "there is no such relocation");
  *e = (MachoReloc){.offset = x->r_address, .kind = row->kind, .addend = row->behind ? -(1 << length) : 0};
  i64 held = field_value(p, length);
  if (R_EXTERN(info)) {
    e->addend += row->kind == X64_SUB64 || row->kind == X64_SUB32 ? 0 : held;
    return by_symbol(r, i, R_SYMBOLNUM(info), e);
  }
  EdgeClass c = edge_class(r->l->arch, row->kind);
  if (c == EC_GOT || c == EC_GOT_LOAD || c == EC_TLV_LOAD || c == EC_SUBTRACT)
    return bad(r, i, "it needs a symbol");
  u64 addr = (u64)held;
  if (row->behind) {
    addr += r->s->addr + x->r_address + row->behind;
    e->addend = -(i64)row->behind;
  }
  return by_section(r, i, R_SYMBOLNUM(info), addr, e);
}

static bool read_a64(const Reader *r, u32 i, i64 addend, MachoReloc *e) {
  const RelocationInfo *x = &r->s->relocs[i];
  u32 info = x->r_info, type = R_TYPE(info), length = R_LENGTH(info);
  const u8 *p = field_of(r, i);
  if (!p)
    return false;
  if (type == ARM64_RELOC_AUTHENTICATED_POINTER)
    return bad(r, i, "signed pointers (arm64e) are not supported");
  const Row *row = &a64_rows[AT(type, length, R_PCREL(info))];
  *e = (MachoReloc){.offset = x->r_address, .kind = row->kind, .addend = addend};
  if (type == ARM64_RELOC_PAGEOFF12 && length == 2 && !R_PCREL(info)) {
    if (!lo12_kind(rd32(p), &e->kind))
      return bad(r, i, "its instruction is no ADD, load or store with an offset");
  } else if (!row->known) {
    return bad(r, i, "there is no such relocation");
  }
  const char *why = wrong_instruction(e->kind, length == 2 ? rd32(p) : 0);
  if (why)
    return bad(r, i, why);
  if (R_EXTERN(info)) { /* only UNSIGNED has an addend in its field; POINTER_TO_GOT holds what an assembler left there */
    e->addend += type == ARM64_RELOC_UNSIGNED ? field_value(p, length) : 0;
    return by_symbol(r, i, R_SYMBOLNUM(info), e);
  }
  if (type != ARM64_RELOC_UNSIGNED)
    return bad(r, i, "it needs a symbol");
  return by_section(r, i, R_SYMBOLNUM(info), (u64)field_value(p, length), e);
}

static bool takes_addend(u32 type) { return type == ARM64_RELOC_BRANCH26 || type == ARM64_RELOC_PAGE21 || type == ARM64_RELOC_PAGEOFF12; }

/* ---- groups: one relocation, or two that belong together ---- */

static bool is_subtractor(const Reader *r, u32 i) { return R_TYPE(r->s->relocs[i].r_info) == (r->arm64 ? (u32)ARM64_RELOC_SUBTRACTOR : (u32)X86_64_RELOC_SUBTRACTOR); }
static bool is_addend(const Reader *r, u32 i) { return r->arm64 && R_TYPE(r->s->relocs[i].r_info) == ARM64_RELOC_ADDEND; }
static bool opens_group(const Reader *r, u32 i) { return is_subtractor(r, i) || is_addend(r, i); }

static bool read_one(const Reader *r, u32 i, i64 addend, MachoReloc *e) { return r->arm64 ? read_a64(r, i, addend, e) : read_x64(r, i, e); }

/* The two parts of a difference: one place, one width, the second a plain address. */
static bool read_pair(const Reader *r, u32 i, u32 n) {
  const RelocationInfo *a = &r->s->relocs[i], *b = a + 1;
  MachoReloc e[2];
  if (i + 1 >= n || R_TYPE(b->r_info) != 0 /* UNSIGNED of both CPUs */ || a->r_address != b->r_address || R_LENGTH(a->r_info) != R_LENGTH(b->r_info))
    return bad(r, i, "no UNSIGNED relocation of the same place and length follows");
  if (!R_EXTERN(a->r_info))
    return bad(r, i, "it needs a symbol");
  if (!read_one(r, i, 0, &e[0]) || !read_one(r, i + 1, 0, &e[1]))
    return false;
  e[1].addend = (i64)((u64)e[1].addend - (u64)e[0].addend); /* a local symbol has become a place in its atom */
  e[0].addend = 0;
  *vec_push(r->out) = e[0];
  *vec_push(r->out) = e[1];
  return true;
}

static bool read_group(const Reader *r, u32 i, u32 n) {
  MachoReloc e;
  if (is_subtractor(r, i))
    return read_pair(r, i, n);
  if (!is_addend(r, i)) {
    if (!read_one(r, i, 0, &e))
      return false;
    *vec_push(r->out) = e;
    return true;
  }
  const RelocationInfo *a = &r->s->relocs[i];
  if (i + 1 >= n || a[1].r_address != a->r_address || !takes_addend(R_TYPE(a[1].r_info)))
    return bad(r, i, "no relocation of a branch or a page follows at the same place");
  i64 addend = (i32)(R_SYMBOLNUM(a->r_info) << 8) >> 8;
  if (!read_one(r, i + 1, addend, &e))
    return false;
  *vec_push(r->out) = e;
  return true;
}

/* ---- order ---- */

typedef struct {
  MachoReloc reloc;
  u32 at;
} Ranked;

static int by_offset(const void *pa, const void *pb) {
  const Ranked *a = pa, *b = pb;
  if (a->reloc.offset != b->reloc.offset)
    return a->reloc.offset < b->reloc.offset ? -1 : 1;
  return a->at < b->at ? -1 : a->at > b->at;
}

static void sort_relocs(MachoReloc *v, u32 n) {
  bool sorted = true;
  for (u32 i = 1; i < n && sorted; i++)
    sorted = v[i - 1].offset <= v[i].offset;
  if (sorted)
    return;
  Ranked *x = heap_alloc(n * sizeof *x);
  for (u32 i = 0; i < n; i++)
    x[i] = (Ranked){v[i], i};
  qsort(x, n, sizeof *x, by_offset);
  for (u32 i = 0; i < n; i++)
    v[i] = x[i].reloc;
  free(x);
}

void macho_relocs(Link *l, FileId f, const MachoObject *o, u32 s, MachoRelocs *out) {
  const File *file = file_at(l, f);
  Reader r = {.l = l, .f = f, .o = o, .s = &o->sections[s], .file = file, .arm64 = macho_cpu_of(l->arch) == CPU_TYPE_ARM64, .out = out};
  u32 n = r.s->nrelocs, begin = out->n;
  if (n && r.s->relocs[0].r_address > r.s->relocs[n - 1].r_address) { /* as assemblers write them: from the end of the section on */
    for (u32 i = n; i-- > 0;) {
      if (i && opens_group(&r, i - 1))
        i--;
      read_group(&r, i, n);
    }
  } else {
    for (u32 i = 0; i < n; i++) {
      bool pair = opens_group(&r, i);
      read_group(&r, i, n);
      i += pair && i + 1 < n;
    }
  }
  if (out->n > begin)
    sort_relocs(out->at + begin, out->n - begin);
}
