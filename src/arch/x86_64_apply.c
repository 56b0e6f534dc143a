/* x86_64_apply.c: relocates atoms in the output buffer. S, A, P, G, L and GOT are the psABI's letters
 * (System V ABI, AMD64 Supplement 1.0, 4.4.1). The trap: what scan counted must be emitted one for one
 * (each atom owns exactly atoms.nrel + nsymrel dynamic relocations), so every decision comes from
 * x86_64_rules.h. Relative relocations keep their addend in .rela.dyn alone: the place in the file stays
 * as the input had it, but for .relr.dyn, which has no addends. */
#include "arch/elf_reports.h"
#include "arch/x86_64_internal.h"
#include "arch/x86_64_rules.h"
#include "core/slots.h"

typedef struct {
  Link *l;
  unsigned tid;
  X64Rules r;
  u64 got;       /* .got */
  u64 got_base;  /* _GLOBAL_OFFSET_TABLE_ */
  u64 tp;        /* what %fs:0 stands for, in the TLS image's addresses */
  u64 tls_begin;
  AtomId a;      /* being relocated */
  u64 addr, size;
  u8 *bytes;     /* of it */
  const ApplyOut *out;
  u64 rel, symrel; /* its next dynamic relocations */
  u64 tombstone;   /* what stands in it for code that is gone */
} Apply;

/* ---- messages ---- */

__attribute__((cold, noinline)) static void out_of_range(Apply *c, const Edge *e, u64 v, i64 lo, u64 hi) {
  report_range(c->l, c->tid, c->a, e, v, lo, hi);
}
__attribute__((cold, noinline)) static void bad_sequence(Apply *c, const Edge *e) { report_no_slot(c->l, c->tid, c->a, e); }

/* ---- values ---- */

/* S or L of a target that is not simply defined here. */
__attribute__((noinline)) static u64 special_target(const Apply *c, const Edge *e) {
  const SymAux *x = sym_aux(c->l, e->target);
  if (x && x->copy >= 0)
    return copy_addr(c->l, x);
  if (x && (x->plt >= 0 || x->pltgot >= 0))
    return plt_addr(c->l, x);
  return e->flags & (SF_UNDEFINED | SF_DISCARDED) ? 0 : e->S;
}

static inline u64 target(const Apply *c, const Edge *e) {
  return LIKELY(!(e->flags & (X64_SPECIAL | SF_COPY))) ? e->S : special_target(c, e);
}

/* Address of one of the target's slots in .got: `which` gets it out of the SymAux. */
static u64 slot_addr(Apply *c, const Edge *e, i32 slot) {
  if (UNLIKELY(slot < 0)) {
    bad_sequence(c, e);
    return 0;
  }
  return c->got + 8 * (u64)slot;
}

static i32 got_slot(const Apply *c, const Edge *e) {
  const SymAux *x = sym_aux(c->l, e->target);
  return x ? x->got : -1;
}
static i32 gottp_slot(const Apply *c, const Edge *e) {
  const SymAux *x = sym_aux(c->l, e->target);
  return x ? x->gottp : -1;
}

/* Offset of a thread-local variable from the thread pointer; of a weak undefined one, nothing. */
static u64 tp_offset(const Apply *c, const Edge *e, i64 addend) {
  return e->flags & SF_UNDEFINED ? 0 : e->S + (u64)addend - c->tp;
}

static inline void put32s(Apply *c, const Edge *e, u8 *loc, u64 v) {
  if (UNLIKELY((i64)v != (i32)v))
    out_of_range(c, e, v, INT32_MIN, INT32_MAX);
  wr32(loc, (u32)v);
}

static inline void put32(Apply *c, const Edge *e, u8 *loc, u64 v) {
  if (UNLIKELY(v > UINT32_MAX))
    out_of_range(c, e, v, 0, UINT32_MAX);
  wr32(loc, (u32)v);
}

/* 8 and 16 bits: either sign will do, as GNU ld has it. */
static void put_narrow(Apply *c, const Edge *e, u8 *loc, u64 v, unsigned bits, bool is_signed) {
  i64 lo = -((i64)1 << (bits - 1)), hi = is_signed ? ((i64)1 << (bits - 1)) - 1 : ((i64)1 << bits) - 1;
  if (UNLIKELY((i64)v < lo || (i64)v > hi))
    out_of_range(c, e, v, lo, (u64)hi);
  if (bits == 8)
    *loc = (u8)v;
  else
    wr16(loc, (u16)v);
}

static u64 size_of_target(const Apply *c, const Edge *e) {
  const Link *l = c->l;
  if (e->target >= l->syms.nglobal) {
    FileId f = local_owner(l, e->target);
    return l->format->sym_size(l, f, e->target - l->files.at[f.i].local_base);
  }
  if (e->flags & SF_UNDEFINED)
    return 0;
  u64 key = l->syms.key[e->target];
  return l->format->sym_size(l, (FileId){key_file(key)}, key_index(key));
}

/* ---- pointers ---- */

static void put_relative(Apply *c, u64 P, u64 v) {
  const Format *f = c->l->format;
  const DynRel r = {P, (i64)v, NO_SYM.i, DYN_RELATIVE};
  if (LIKELY(c->rel < c->out->end_rel))
    f->encode_dynrel(c->l, &r, c->out->rel + (c->rel++ - c->out->first_rel) * f->dynrel_size);
}

/* Where it stands among the others was counted by scan; what is not loaded was not counted. */
static void put_symbolic(Apply *c, DynRel r) {
  if (LIKELY(c->symrel < c->l->ndynrel_kept))
    c->l->dynrel[c->symrel++] = r;
}

static inline void put_word(Apply *c, const Edge *e, u8 *loc, u64 v) {
  if (LIKELY(e->kind == X64_ABS64))
    wr64(loc, v);
  else if ((i64)v < 0) /* a number that counts from the end of the address space */
    put32s(c, e, loc, v);
  else
    put32(c, e, loc, v);
}

static void apply_word(Apply *c, const Edge *e, u8 *loc, u64 P) {
  Link *l = c->l;
  u16 aflags = l->atoms.flags[c->a.i];
  u64 A = (u64)e->addend;
  switch (x64_word(&c->r, e->flags, aflags & ATOM_WRITE)) {
  case WORD_RELATIVE:
    if (x64_relr(&c->r, aflags, l->atoms.at[c->a.i].p2align, e->offset))
      put_word(c, e, loc, e->S + A);
    else
      put_relative(c, P, e->S + A);
    return;
  case WORD_SYMBOLIC:
    put_symbolic(c, (DynRel){P, e->addend, e->target, DYN_ABS});
    return;
  case WORD_IFUNC: /* dynrel_finish and .rela.plt have it */
    return;
  case WORD_STATIC:
  case WORD_CPLT:
  case WORD_COPY:
    put_word(c, e, loc, target(c, e) + A);
    return;
  }
}

/* ---- rewritten instructions ---- */

/* The register of ModRM.reg moves to ModRM.rm, and with it its high bits in a REX or REX2 prefix. */
static void rex_reg_to_rm(u8 *rex) { *rex = (u8)((*rex & ~0x05) | (*rex & 0x04) >> 2); }
static void rex2_reg_to_rm(u8 *p) {
  *p = (u8)((*p & ~0x55) | (*p & 0x44) >> 2);
}
static u8 rm_of_reg(u8 modrm) { return modrm >> 3 & 7; }

static void apply_gotx(Apply *c, const Edge *e, u8 *loc, u64 P) {
  bool sure;
  X64Gotx form = x64_gotx(&c->r, e, c->bytes, &sure);
  u64 S = e->flags & SF_UNDEFINED ? 0 : e->S;
  u64 v = form >= GOTX_TEST ? S : S + (u64)e->addend - P;
  bool jump = form == GOTX_JMP;
  if (form != GOTX_KEEP && (i64)(v + jump) != (i32)(v + jump)) {
    if (got_slot(c, e) < 0)
      out_of_range(c, e, v, INT32_MIN, INT32_MAX);
    form = GOTX_KEEP;
  }
  switch (form) {
  case GOTX_KEEP: {
    i32 slot = got_slot(c, e);
    if (slot >= 0 || diag_errors(c->l->diag) == 0) /* else it was reported */
      put32s(c, e, loc, slot_addr(c, e, slot) + (u64)e->addend - P);
    return;
  }
  case GOTX_LEA:
    loc[-2] = 0x8d;
    break;
  case GOTX_CALL:
    loc[-2] = 0x67;
    loc[-1] = 0xe8;
    break;
  case GOTX_JMP: /* one byte shorter */
    loc[-2] = 0xe9;
    wr32(loc - 1, (u32)v + 1);
    loc[3] = 0x90;
    return;
  case GOTX_TEST:
  case GOTX_BINOP: {
    u8 op = loc[-2], reg = rm_of_reg(loc[-1]);
    if (e->kind == X64_REX_GOTPCRELX)
      rex_reg_to_rm(loc - 3);
    else if (e->kind == X64_CODE_4_GOTPCRELX)
      rex2_reg_to_rm(loc - 3);
    loc[-2] = form == GOTX_TEST ? 0xf7 : 0x81;
    loc[-1] = (u8)(0xc0 | (form == GOTX_TEST ? 0 : op & 0x38) | reg);
    break;
  }
  }
  wr32(loc, (u32)v);
}

/* mov/add foo@GOTTPOFF(%rip), %reg -> mov/add $foo@TPOFF, %reg. */
static void apply_gottp(Apply *c, const Edge *e, u8 *loc, u64 P) {
  if (!c->r.tls_exec || (e->flags & SF_IMPORTED) || !x64_ie_insn(&c->r, e->kind, c->bytes, e->offset)) {
    put32s(c, e, loc, slot_addr(c, e, gottp_slot(c, e)) + (u64)e->addend - P);
    return;
  }
  if (e->kind == X64_GOTTPOFF)
    rex_reg_to_rm(loc - 3);
  else
    rex2_reg_to_rm(loc - 3);
  loc[-2] = loc[-2] == 0x8b ? 0xc7 : 0x81;
  loc[-1] = (u8)(0xc0 | rm_of_reg(loc[-1]));
  put32s(c, e, loc, tp_offset(c, e, e->addend + 4));
}

/* lea foo@TLSDESC(%rip), %reg -> mov foo@GOTTPOFF(%rip), %reg or mov $foo@TPOFF, %reg. */
static void apply_desc(Apply *c, const Edge *e, u8 *loc, u64 P) {
  if (!c->r.tls_ie) {
    const SymAux *x = sym_aux(c->l, e->target);
    put32s(c, e, loc, slot_addr(c, e, x ? x->tlsdesc : -1) + (u64)e->addend - P);
    return;
  }
  if (!x64_desc_insn(&c->r, e->kind, c->bytes, e->offset))
    return; /* reported by scan */
  if (c->r.shared || (e->flags & SF_IMPORTED)) {
    loc[-2] = 0x8b;
    put32s(c, e, loc, slot_addr(c, e, gottp_slot(c, e)) + (u64)e->addend - P);
    return;
  }
  if (e->kind == X64_GOTPC32_TLSDESC)
    rex_reg_to_rm(loc - 3);
  else
    rex2_reg_to_rm(loc - 3);
  loc[-2] = 0xc7;
  loc[-1] = (u8)(0xc0 | rm_of_reg(loc[-1]));
  put32s(c, e, loc, tp_offset(c, e, e->addend + 4));
}

/* call *(%rax), maybe with an address-size prefix -> nop. */
static void apply_desc_call(const Apply *c, const Edge *e, u8 *loc) {
  if (!c->r.tls_ie)
    return;
  if (loc[0] == 0xff)
    memcpy(loc, "\x66\x90", 2);
  else if (loc[0] == 0x67 && c->size - e->offset >= 3)
    memcpy(loc, "\x0f\x1f\x00", 3);
}

/* The same with %fs:0 of 32 bits; 15 bytes, since the first instruction has no padding. */
static void relax_gd_x32(Apply *c, const Edge *e) {
  u8 *p = c->bytes + e->offset - 3;
  memcpy(p, "\x64\x8b\x04\x25\0\0\0\0\x48", 9);
  if (c->r.shared || (e->flags & SF_IMPORTED)) { /* add foo@GOTTPOFF(%rip), %rax */
    p[9] = 0x03;
    p[10] = 0x05;
    put32s(c, e, p + 11, slot_addr(c, e, gottp_slot(c, e)) - (c->addr + e->offset + 12));
  } else { /* lea foo@TPOFF(%rax), %rax */
    p[9] = 0x8d;
    p[10] = 0x80;
    put32s(c, e, p + 11, tp_offset(c, e, e->addend + 4));
  }
}

/* General dynamic -> local exec or initial exec:
 *   mov %fs:0, %rax; add $foo@TPOFF, %rax     or     mov %fs:0, %rax; add foo@GOTTPOFF(%rip), %rax
 * 16 bytes, as long as the two instructions with their padding prefixes; the large model's six more
 * become a nop. */
static void relax_gd(Apply *c, const Edge *e, X64TlsCall form) {
  if (c->r.x32) {
    relax_gd_x32(c, e);
    return;
  }
  static const u8 local_exec[] = {0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0,
                                  0x48, 0x81, 0xc0, 0,    0,    0, 0};
  static const u8 initial_exec[] = {0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0,
                                    0x48, 0x03, 0x05, 0,    0,    0, 0};
  u64 begin = e->offset - (form == TLSCALL_LARGE ? 3 : 4);
  u8 *p = c->bytes + begin;
  if (form == TLSCALL_LARGE)
    memcpy(p + 16, "\x66\x0f\x1f\x44\x00\x00", 6);
  if (c->r.shared || (e->flags & SF_IMPORTED)) {
    memcpy(p, initial_exec, 16);
    put32s(c, e, p + 12, slot_addr(c, e, gottp_slot(c, e)) - (c->addr + begin + 16));
  } else {
    memcpy(p, local_exec, 16);
    put32s(c, e, p + 12, tp_offset(c, e, e->addend + 4));
  }
}

/* Local dynamic -> local exec: %rax gets the start of this module's TLS block, so that DTPOFF stays what
 * it was, in code and in data. 12, 13 or 22 bytes. */
static void relax_ld(Apply *c, const Edge *e, X64TlsCall form) {
  u8 *p = c->bytes + e->offset - 3;
  u64 size = c->tp - c->tls_begin;
  if (c->r.x32) { /* xor %eax, %eax; mov %fs:(%rax), %eax; sub $size, %eax; nop */
    memcpy(p, "\x31\xc0\x64\x8b\x00\x2d", 6);
    put32s(c, e, p + 6, size);
    memcpy(p + 10, form == TLSCALL_DIRECT ? "\x66\x90" : "\x0f\x1f\x00", form == TLSCALL_DIRECT ? 2 : 3);
    return;
  }
  switch (form) {
  case TLSCALL_DIRECT: /* xor %eax, %eax; mov %fs:(%rax), %rax; sub $size, %rax */
    memcpy(p, "\x31\xc0\x64\x48\x8b\x00\x48\x2d", 8);
    put32s(c, e, p + 8, size);
    return;
  case TLSCALL_INDIRECT: /* ... lea -size(%rax), %rax, one byte longer */
    memcpy(p, "\x31\xc0\x64\x48\x8b\x00\x48\x8d\x80", 9);
    put32s(c, e, p + 9, 0 - size);
    return;
  case TLSCALL_LARGE: /* mov %fs:0, %rax; sub $size, %rax; nop */
    memcpy(p, "\x64\x48\x8b\x04\x25\x00\x00\x00\x00\x48\x2d", 11);
    put32s(c, e, p + 11, size);
    memcpy(p + 15, "\x0f\x1f\x80\x00\x00\x00\x00", 7);
    return;
  case TLSCALL_NONE:
    return;
  }
}

static void apply_tlsgd(Apply *c, const Edge *e) {
  const SymAux *x = sym_aux(c->l, e->target);
  put32s(c, e, c->bytes + e->offset,
         slot_addr(c, e, x ? x->tlsgd : -1) + (u64)e->addend - (c->addr + e->offset));
}

static void apply_tlsld(Apply *c, const Edge *e) {
  put32s(c, e, c->bytes + e->offset,
         slot_addr(c, e, c->l->tlsld_got) + (u64)e->addend - (c->addr + e->offset));
}

/* True: `next` was rewritten together with `e`. */
static bool apply_tls_call(Apply *c, const Edge *e, const Edge *next) {
  X64TlsCall form = next ? x64_tls_call(&c->r, e, next, c->bytes, c->size) : TLSCALL_NONE;
  if (form == TLSCALL_NONE) {
    if (e->kind == X64_TLSGD)
      apply_tlsgd(c, e);
    else
      apply_tlsld(c, e);
    return false;
  }
  if (e->kind == X64_TLSGD)
    relax_gd(c, e, form);
  else
    relax_ld(c, e, form);
  return true;
}

/* ---- one edge ---- */

__attribute__((always_inline)) static inline void apply_edge(Apply *c, const Edge *e, u8 *loc, u64 P) {
  u64 A = (u64)e->addend;
  switch ((X64Edge)e->kind) {
  case X64_PC32:
  case X64_PLT32:
    put32s(c, e, loc, target(c, e) + A - P);
    break;
  case X64_ABS64:
    if (UNLIKELY(c->r.x32))
      wr64(loc, target(c, e) + A);
    else
      apply_word(c, e, loc, P);
    break;
  case X64_WORD32:
    apply_word(c, e, loc, P);
    break;
  case X64_ABS32:
    put32(c, e, loc, target(c, e) + A);
    break;
  case X64_ABS32S:
    put32s(c, e, loc, target(c, e) + A);
    break;
  case X64_ABS16:
    put_narrow(c, e, loc, target(c, e) + A, 16, false);
    break;
  case X64_ABS8:
    put_narrow(c, e, loc, target(c, e) + A, 8, false);
    break;
  case X64_PC64:
    wr64(loc, target(c, e) + A - P);
    break;
  case X64_PC16:
    put_narrow(c, e, loc, target(c, e) + A - P, 16, true);
    break;
  case X64_PC8:
    put_narrow(c, e, loc, target(c, e) + A - P, 8, true);
    break;
  case X64_GOTPCRELX:
  case X64_REX_GOTPCRELX:
  case X64_CODE_4_GOTPCRELX:
    apply_gotx(c, e, loc, P);
    break;
  case X64_GOTPCREL:
  case X64_CODE_5_GOTPCRELX:
  case X64_CODE_6_GOTPCRELX:
    put32s(c, e, loc, slot_addr(c, e, got_slot(c, e)) + A - P);
    break;
  case X64_GOTPCREL64:
    wr64(loc, slot_addr(c, e, got_slot(c, e)) + A - P);
    break;
  case X64_GOT32:
    put32s(c, e, loc, slot_addr(c, e, got_slot(c, e)) + A - c->got_base);
    break;
  case X64_GOT64:
  case X64_GOTPLT64:
    wr64(loc, slot_addr(c, e, got_slot(c, e)) + A - c->got_base);
    break;
  case X64_GOTOFF64:
  case X64_PLTOFF64:
    wr64(loc, target(c, e) + A - c->got_base);
    break;
  case X64_GOTPC32:
    put32s(c, e, loc, c->got_base + A - P);
    break;
  case X64_GOTPC64:
    wr64(loc, c->got_base + A - P);
    break;
  case X64_SIZE32:
    put32(c, e, loc, size_of_target(c, e) + A);
    break;
  case X64_SIZE64:
    wr64(loc, size_of_target(c, e) + A);
    break;
  case X64_TLSGD:
    apply_tlsgd(c, e);
    break;
  case X64_TLSLD:
    apply_tlsld(c, e);
    break;
  case X64_DTPOFF32:
    put32s(c, e, loc, e->flags & SF_UNDEFINED ? 0 : e->S + A - c->tls_begin);
    break;
  case X64_DTPOFF64:
    wr64(loc, e->flags & SF_UNDEFINED ? 0 : e->S + A - c->tls_begin);
    break;
  case X64_GOTTPOFF:
  case X64_CODE_4_GOTTPOFF:
  case X64_CODE_5_GOTTPOFF:
  case X64_CODE_6_GOTTPOFF:
    apply_gottp(c, e, loc, P);
    break;
  case X64_TPOFF32:
    put32s(c, e, loc, tp_offset(c, e, e->addend));
    break;
  case X64_TPOFF64:
    if (!x64_tpoff_dynamic(&c->r, e->flags))
      wr64(loc, tp_offset(c, e, e->addend));
    else if (e->flags & SF_IMPORTED)
      put_symbolic(c, (DynRel){P, e->addend, e->target, DYN_TPOFF});
    else
      put_symbolic(c, (DynRel){P, (i64)(e->S + A - c->tls_begin), NO_SYM.i, DYN_TPOFF});
    break;
  case X64_GOTPC32_TLSDESC:
  case X64_CODE_4_GOTPC32_TLSDESC:
  case X64_CODE_5_GOTPC32_TLSDESC:
  case X64_CODE_6_GOTPC32_TLSDESC:
    apply_desc(c, e, loc, P);
    break;
  case X64_TLSDESC_CALL:
    apply_desc_call(c, e, loc);
    break;
  case X64_NONE:
  case X64_VTINHERIT:
  case X64_VTENTRY:
  case X64_SUB64: /* other formats' */
  case X64_SUB32:
  case X64_TLVPCREL:
  case X64_COUNT:
    break;
  }
}

/* The first edge of a TLS call waits here for the second. */
typedef struct {
  Edge edge;
  bool have;
} Pending;

static void apply_alloc(Apply *c, const Edge *e, const Edge *end, Pending *p) {
  for (; e < end; e++) {
    if (UNLIKELY(p->have)) {
      p->have = false;
      if (apply_tls_call(c, &p->edge, e))
        continue;
    }
    if (UNLIKELY(x64_opens_tls_call(&c->r, e))) {
      *p = (Pending){*e, true};
      continue;
    }
    apply_edge(c, e, c->bytes + e->offset, c->addr + e->offset);
  }
}

/* ---- debug information and the like ---- */

/* What stands for code that is gone. In .debug_ranges and .debug_loc a pair of zeros would end the list. */
static u64 tombstone_of(const Link *l, AtomId a) {
  const char *name = l->format->atom_name(l, a);
  if (streq(name, ".debug_ranges") || streq(name, ".debug_loc"))
    return 1;
  return 0;
}

__attribute__((cold, noinline)) static void apply_nonalloc_edge(Apply *c, const Edge *e, u8 *loc) {
  u64 A = (u64)e->addend, S = e->flags & SF_UNDEFINED ? 0 : e->S;
  switch ((X64Edge)e->kind) {
  case X64_WORD32:
    put_word(c, e, loc, S + A);
    break;
  case X64_ABS32S:
    put32s(c, e, loc, S + A);
    break;
  case X64_ABS16:
    put_narrow(c, e, loc, S + A, 16, false);
    break;
  case X64_ABS8:
    put_narrow(c, e, loc, S + A, 8, false);
    break;
  case X64_GOTOFF64:
    wr64(loc, S + A - c->got_base);
    break;
  case X64_GOTPC64:
    wr64(loc, c->got_base + A); /* old compilers describe _GLOBAL_OFFSET_TABLE_ itself so */
    break;
  case X64_TPOFF64: /* the loader does not come here */
    wr64(loc, tp_offset(c, e, e->addend));
    break;
  case X64_TPOFF32:
  case X64_PC32:
  case X64_PC64:
  case X64_PC16:
  case X64_PC8:
  case X64_SIZE32:
  case X64_SIZE64:
  case X64_DTPOFF32:
  case X64_DTPOFF64:
  case X64_NONE:
  case X64_VTINHERIT:
  case X64_VTENTRY:
    apply_edge(c, e, loc, c->addr + e->offset);
    break;
  default:
    report_unloaded(c->l, c->tid, c->a, e);
    break;
  }
}

static void write_tombstone(const Edge *e, u8 *loc, u64 v) {
  switch ((X64Edge)e->kind) {
  case X64_ABS64:
  case X64_PC64:
  case X64_DTPOFF64:
  case X64_GOTOFF64:
    wr64(loc, v);
    break;
  case X64_ABS32:
  case X64_WORD32:
  case X64_ABS32S:
  case X64_PC32:
  case X64_DTPOFF32:
    wr32(loc, (u32)v);
    break;
  default:
    break;
  }
}

static void apply_nonalloc(Apply *c, const Edge *e, const Edge *end) {
  for (; e < end; e++) {
    u8 *loc = c->bytes + e->offset;
    if (UNLIKELY(e->flags & (SF_DISCARDED | SF_UNDEFINED))) {
      if (e->flags & SF_DISCARDED) {
        write_tombstone(e, loc, c->tombstone);
        continue;
      }
    } else if (e->kind == X64_ABS32) {
      put32(c, e, loc, e->S + (u64)e->addend);
      continue;
    } else if (e->kind == X64_ABS64) {
      wr64(loc, e->S + (u64)e->addend);
      continue;
    } else if (e->kind == X64_DTPOFF64) {
      wr64(loc, e->S + (u64)e->addend - c->tls_begin);
      continue;
    }
    if (e->kind == X64_ABS64)
      wr64(loc, (u64)e->addend);
    else if (e->kind == X64_ABS32)
      wr32(loc, (u32)e->addend);
    else
      apply_nonalloc_edge(c, e, loc);
  }
}

/* ---- entry points ---- */

static Apply apply_begin(Link *l, const ApplyOut *out, unsigned tid) {
  return (Apply){
      .l = l,
      .tid = tid,
      .out = out,
      .r = x64_rules(l),
      .got = synth_addr(l, SYN_GOT),
      .got_base = l->got_base,
      .tp = align_up(l->tls_end, l->tls_align ? l->tls_align : 1),
      .tls_begin = l->tls_begin,
  };
}

static void apply_stream(Apply *c, EdgeStream *st) {
  Link *l = c->l;
  Pending pending = {.have = false};
  bool alloc = false;
  while (l->format->edge_stream(l, st))
    for (u32 k = 0; k < st->nruns; k++) {
      const EdgeRun *r = &st->run[k];
      if (r->first) {
        c->a = r->atom;
        c->addr = l->atoms.addr[c->a.i];
        c->size = l->atoms.at[c->a.i].size;
        c->bytes = c->out->bytes + (c->addr - c->out->addr);
        c->rel = st->relative ? l->atoms.reloff[c->a.i] : 0;
        c->symrel = l->atoms.symreloff[c->a.i];
        alloc = l->atoms.flags[c->a.i] & ATOM_ALLOC;
        c->tombstone = alloc ? 0 : tombstone_of(l, c->a);
      }
      if (st->relative)
        c->rel += r->words;
      if (alloc)
        apply_alloc(c, &st->edge[r->begin], &st->edge[r->end], &pending);
      else
        apply_nonalloc(c, &st->edge[r->begin], &st->edge[r->end]);
      if (r->last && pending.have)
        (void)apply_tls_call(c, &pending.edge, NULL);
      if (r->last)
        pending.have = false;
      st->rel = c->rel;
    }
}

void x64_apply(Link *l, const AtomId *atoms, u32 n, const ApplyOut *out, unsigned tid) {
  enum { BATCH = 256 };
  Apply c = apply_begin(l, out, tid);
  AtomId batch[BATCH];
  EdgeStream st;
  for (u32 i = 0; i < n;) {
    u32 m = 0;
    for (; i < n && m < BATCH; i++) {
      const Atom *at = &l->atoms.at[atoms[i].i];
      if (at->rel && at->data && !(l->atoms.flags[atoms[i].i] & (ATOM_SYNTH | ATOM_EHFRAME | ATOM_MERGE | ATOM_ZEROFILL)))
        batch[m++] = atoms[i];
    }
    st.atoms = batch;
    st.n = m;
    st.out = out;
    x64_plain_words(&c.r, &st);
    st.at = st.next = 0;
    st.pair = st.begun = false;
    apply_stream(&c, &st);
  }
}

static bool fits32s(u64 v) { return (i64)v == (i32)v; }

bool x64_apply_one(Link *l, const Edge *e, u8 *place, u64 P) {
  Apply c = {.l = l};
  u64 v = (u64)e->addend;
  switch ((X64Edge)e->kind) {
  case X64_ABS64:
    wr64(place, target(&c, e) + v);
    return true;
  case X64_PC64:
    wr64(place, target(&c, e) + v - P);
    return true;
  case X64_GOTPCREL64:
    if (got_slot(&c, e) < 0)
      return false;
    wr64(place, got_slot_addr(l, got_slot(&c, e)) + v - P);
    return true;
  case X64_ABS32:
  case X64_WORD32:
    v += target(&c, e);
    wr32(place, (u32)v);
    return v <= UINT32_MAX;
  case X64_ABS32S:
    v += target(&c, e);
    break;
  case X64_PC32:
  case X64_PLT32:
    v += target(&c, e) - P;
    break;
  case X64_GOTPCREL:
    if (got_slot(&c, e) < 0)
      return false;
    v += got_slot_addr(l, got_slot(&c, e)) - P;
    break;
  case X64_NONE:
    return true;
  default:
    return false;
  }
  wr32(place, (u32)v);
  return fits32s(v);
}
