/* i386_apply.c: relocates atoms in the output buffer. S, A, P, G, L and GOT are the psABI's letters (System V ABI, Intel386 Supplement
 * 1.1, 4.4). The traps: what scan counted must be emitted one for one (each atom owns exactly atoms.nrel + nsymrel dynamic
 * relocations), so every decision comes from i386_rules.h. Dynamic relocations have no addend: it goes to the place itself. */
#include "arch/elf_reports.h"
#include "arch/i386_internal.h"
#include "arch/i386_rules.h"
#include "core/slots.h"

typedef struct {
  Link *l;
  unsigned tid;
  I386Rules r;
  u64 got_base; /* _GLOBAL_OFFSET_TABLE_ */
  u64 tp;       /* what %gs:0 stands for, in the TLS image's addresses */
  u64 tls_begin;
  AtomId a;     /* being relocated */
  u64 addr, size;
  u8 *bytes;    /* of it */
  const ApplyOut *out;
  u64 rel, symrel; /* its next dynamic relocations */
  u64 tombstone;   /* what stands in it for code that is gone */
} Apply;

/* ---- values ---- */

/* S or L. */
static u64 target(const Apply *c, const Edge *e) {
  if (LIKELY(!(e->flags & (ELF_SPECIAL | SF_COPY))))
    return e->S;
  const SymAux *x = sym_aux(c->l, e->target);
  if (x && x->copy >= 0)
    return copy_addr(c->l, x);
  if (x && (x->plt >= 0 || x->pltgot >= 0))
    return plt_addr(c->l, x);
  return e->flags & (SF_UNDEFINED | SF_DISCARDED) ? 0 : e->S;
}

/* Address of one of the target's slots in .got. */
static u64 slot_addr(Apply *c, const Edge *e, i32 slot) {
  if (LIKELY(slot >= 0))
    return got_slot_addr(c->l, slot);
  report_no_slot(c->l, c->tid, c->a, e);
  return 0;
}

static u64 got_slot(Apply *c, const Edge *e) {
  const SymAux *x = sym_aux(c->l, e->target);
  return slot_addr(c, e, x ? x->got : -1);
}
static u64 gottp_slot(Apply *c, const Edge *e) {
  const SymAux *x = sym_aux(c->l, e->target);
  return slot_addr(c, e, x ? x->gottp : -1);
}

/* Offset of a thread-local variable from the thread pointer; of a weak undefined one, nothing. */
static u64 tp_offset(const Apply *c, const Edge *e, i64 addend) { return e->flags & SF_UNDEFINED ? 0 : e->S + (u64)addend - c->tp; }
/* The same, as TLS_IE_32 and TLS_LE_32 have it. */
static u64 tp_distance(const Apply *c, const Edge *e) { return e->flags & SF_UNDEFINED ? 0 : c->tp - e->S + (u64)e->addend; }

/* 8 and 16 bits. Addresses wrap at 32 bits, and so do distances. */
static void put_narrow(Apply *c, const Edge *e, u8 *loc, u64 v, i64 lo, i64 hi) {
  i64 d = (i32)(u32)v;
  if (UNLIKELY(d < lo || d > hi))
    report_range(c->l, c->tid, c->a, e, (u32)v, lo, (u64)hi);
  if (c->l->arch->edge_bytes[e->kind] == 1)
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

/* ---- dynamic relocations ---- */

static void put_relative(Apply *c, u64 P) {
  const Format *f = c->l->format;
  const DynRel r = {P, 0, NO_SYM.i, DYN_RELATIVE};
  if (LIKELY(c->rel < c->out->end_rel))
    f->encode_dynrel(c->l, &r, c->out->rel + (c->rel++ - c->out->first_rel) * f->dynrel_size);
}

/* Where it stands among the others was counted by scan; what is not loaded was not counted. */
static void put_symbolic(Apply *c, u64 P, u32 sym, DynKind kind) {
  if (LIKELY(c->symrel < c->l->ndynrel_kept))
    c->l->dynrel[c->symrel++] = (DynRel){P, 0, sym, (u32)kind};
}

static void apply_word(Apply *c, const Edge *e, u8 *loc, u64 P) {
  Link *l = c->l;
  u16 aflags = l->atoms.flags[c->a.i];
  u64 A = (u64)e->addend;
  switch (elf_word(c->r.pic, e->flags, aflags & ATOM_WRITE)) {
  case WORD_RELATIVE:
    wr32(loc, (u32)(e->S + A));
    if (!elf_relr(c->r.relr, aflags, l->atoms.at[c->a.i].p2align, e->offset))
      put_relative(c, P);
    return;
  case WORD_SYMBOLIC:
    wr32(loc, (u32)A);
    put_symbolic(c, P, e->target, DYN_ABS);
    return;
  case WORD_IFUNC: { /* dynrel_finish or .rel.plt has it */
    const SymAux *x = sym_aux(l, e->target);
    wr32(loc, (u32)((x && has_canonical_plt(l, x) ? plt_addr(l, x) : e->S) + A));
    return;
  }
  case WORD_STATIC:
  case WORD_CPLT:
  case WORD_COPY:
    wr32(loc, (u32)(target(c, e) + A));
    return;
  }
}

/* S + A - P, or what the dynamic linker adds the rest to. */
static void apply_pc32(Apply *c, const Edge *e, u8 *loc, u64 P) {
  if (UNLIKELY(c->r.pic && e->flags & SF_IMPORTED && e->kind == I386_PC32)) {
    wr32(loc, (u32)e->addend);
    put_symbolic(c, P, e->target, DYN_PC32);
  } else {
    wr32(loc, (u32)(target(c, e) + (u64)e->addend - P));
  }
}

/* ---- rewritten instructions ---- */

static u8 rm_of_reg(u8 modrm) { return modrm >> 3 & 7; }

static void apply_got(Apply *c, const Edge *e, u8 *loc, u64 P) {
  u64 S = e->flags & SF_UNDEFINED ? 0 : e->S;
  switch (i386_gotx(&c->r, e, c->bytes)) {
  case GOTX_KEEP:
    wr32(loc, (u32)(got_slot(c, e) + (u64)e->addend - (i386_got_is_absolute(c->bytes, e->offset) ? 0 : c->got_base)));
    return;
  case GOTX_LEA:
    loc[-2] = 0x8d;
    wr32(loc, (u32)(S - c->got_base));
    return;
  case GOTX_CALL:
    loc[-2] = 0x67;
    loc[-1] = 0xe8;
    wr32(loc, (u32)(S - (P + 4)));
    return;
  case GOTX_JMP: /* one byte shorter */
    loc[-2] = 0xe9;
    wr32(loc - 1, (u32)(S - (P + 3)));
    loc[3] = 0x90;
    return;
  case GOTX_MOV:
    loc[-2] = 0xc7;
    loc[-1] = 0xc0 | rm_of_reg(loc[-1]);
    break;
  case GOTX_TEST:
    loc[-2] = 0xf7;
    loc[-1] = 0xc0 | rm_of_reg(loc[-1]);
    break;
  case GOTX_BINOP: {
    u8 op = loc[-2];
    loc[-2] = 0x81;
    loc[-1] = (u8)(0xc0 | (op & 0x38) | rm_of_reg(loc[-1]));
    break;
  }
  }
  wr32(loc, (u32)S);
}

static void apply_gottp(Apply *c, const Edge *e, u8 *loc, u64 P) {
  I386Ie form = c->r.tls_exec && !(e->flags & SF_IMPORTED) ? i386_ie_insn(e->kind, c->bytes, e->offset) : IE_KEEP;
  if (form == IE_KEEP) {
    wr32(loc, (u32)(gottp_slot(c, e) + (u64)e->addend - (e->kind == I386_TLS_IE ? 0 : c->got_base)));
    if (e->kind == I386_TLS_IE && c->r.pic)
      put_relative(c, P);
    return;
  }
  u8 reg = rm_of_reg(loc[-1]);
  switch (form) {
  case IE_MOV_EAX:
    loc[-1] = 0xb8;
    break;
  case IE_MOV:
    loc[-2] = 0xc7;
    loc[-1] = 0xc0 | reg;
    break;
  case IE_ADD:
    loc[-2] = 0x81;
    loc[-1] = 0xc0 | reg;
    break;
  case IE_SUB:
    loc[-2] = 0x81;
    loc[-1] = 0xe8 | reg;
    break;
  case IE_KEEP:
    break;
  }
  wr32(loc, (u32)(e->kind == I386_TLS_IE_32 ? tp_distance(c, e) : tp_offset(c, e, e->addend)));
}

/* leal foo@tlsdesc(%base), %reg -> movl foo@gotntpoff(%base), %reg or leal foo@ntpoff, %reg. */
static void apply_desc(Apply *c, const Edge *e, u8 *loc) {
  if (!c->r.tls_ie) {
    const SymAux *x = sym_aux(c->l, e->target);
    wr32(loc, (u32)(slot_addr(c, e, x ? x->tlsdesc : -1) + (u64)e->addend - c->got_base));
  } else if (!i386_desc_insn(c->bytes, e->offset)) {
    return; /* reported by scan */
  } else if (c->r.shared || e->flags & SF_IMPORTED) {
    loc[-2] = 0x8b;
    wr32(loc, (u32)(gottp_slot(c, e) + (u64)e->addend - c->got_base));
  } else {
    loc[-1] = (u8)(0x05 | (loc[-1] & 0x38));
    wr32(loc, (u32)tp_offset(c, e, e->addend));
  }
}

/* General dynamic -> local exec or initial exec: movl %gs:0, %eax; then leal foo@ntpoff(%eax), %eax or addl foo@gotntpoff(%base), %eax. */
static void relax_gd(Apply *c, const Edge *e, I386TlsCall form) {
  u8 *p = c->bytes + e->offset - form.begin;
  memcpy(p, "\x65\xa1\x00\x00\x00\x00", 6);
  if (c->r.shared || e->flags & SF_IMPORTED) {
    p[6] = 0x03;
    p[7] = 0x80 | form.base;
    wr32(p + 8, (u32)(gottp_slot(c, e) - c->got_base));
  } else {
    p[6] = 0x8d;
    p[7] = 0x80;
    wr32(p + 8, (u32)tp_offset(c, e, e->addend));
  }
}

/* Local dynamic -> local exec: %eax gets the start of this module's TLS block, so that LDO_32 stays what it was, in code and in
 * data: movl %gs:0, %eax; subl $size, %eax in its form of 5 or of 6 bytes. */
static void relax_ld(const Apply *c, const Edge *e, I386TlsCall form) {
  u8 *p = c->bytes + e->offset - form.begin;
  memcpy(p, "\x65\xa1\x00\x00\x00\x00\x81\xe8", 8);
  if (form.size == 11)
    p[6] = 0x2d;
  wr32(p + form.size - 4, (u32)(c->tp - c->tls_begin));
}

static void apply_tls_slot(Apply *c, const Edge *e) {
  const SymAux *x = sym_aux(c->l, e->target);
  i32 slot = e->kind == I386_TLS_LDM ? c->l->tlsld_got : x ? x->tlsgd : -1;
  wr32(c->bytes + e->offset, (u32)(slot_addr(c, e, slot) + (u64)e->addend - c->got_base));
}

/* True: `next` was rewritten together with `e`. */
static bool apply_tls_call(Apply *c, const Edge *e, const Edge *next) {
  I386TlsCall form = next ? i386_tls_call(e, next, c->bytes, c->size) : (I386TlsCall){0, 0, 0};
  if (!form.size)
    apply_tls_slot(c, e);
  else if (e->kind == I386_TLS_GD)
    relax_gd(c, e, form);
  else
    relax_ld(c, e, form);
  return form.size;
}

/* ---- one edge ---- */

static void apply_edge(Apply *c, const Edge *e, u8 *loc, u64 P) {
  u64 A = (u64)e->addend;
  switch ((I386Edge)e->kind) {
  case I386_PC32:
  case I386_PLT32:
    apply_pc32(c, e, loc, P);
    break;
  case I386_ABS32:
    apply_word(c, e, loc, P);
    break;
  case I386_ABS16:
    put_narrow(c, e, loc, target(c, e) + A, INT16_MIN, UINT16_MAX);
    break;
  case I386_ABS8:
    put_narrow(c, e, loc, target(c, e) + A, INT8_MIN, UINT8_MAX);
    break;
  case I386_PC16: /* of 16-bit code, where every distance wraps: only a target beyond 64 KiB can be told from one within */
    put_narrow(c, e, loc, target(c, e) + A - P, -UINT16_MAX - 1, UINT16_MAX);
    break;
  case I386_PC8:
    put_narrow(c, e, loc, target(c, e) + A - P, INT8_MIN, INT8_MAX);
    break;
  case I386_GOT32:
  case I386_GOT32X:
    apply_got(c, e, loc, P);
    break;
  case I386_GOTOFF:
    wr32(loc, (u32)(target(c, e) + A - c->got_base));
    break;
  case I386_GOTPC:
    wr32(loc, (u32)(c->got_base + A - P));
    break;
  case I386_SIZE32:
    wr32(loc, (u32)(size_of_target(c, e) + A));
    break;
  case I386_TLS_GD:
  case I386_TLS_LDM:
    apply_tls_slot(c, e);
    break;
  case I386_TLS_LDO_32:
    wr32(loc, (u32)(e->flags & SF_UNDEFINED ? 0 : e->S + A - c->tls_begin));
    break;
  case I386_TLS_IE:
  case I386_TLS_GOTIE:
  case I386_TLS_IE_32:
    apply_gottp(c, e, loc, P);
    break;
  case I386_TLS_LE:
    if (!i386_tpoff_dynamic(&c->r, e->flags)) {
      wr32(loc, (u32)tp_offset(c, e, e->addend));
    } else if (e->flags & SF_IMPORTED) {
      wr32(loc, (u32)A);
      put_symbolic(c, P, e->target, DYN_TPOFF);
    } else {
      wr32(loc, (u32)(e->S + A - c->tls_begin));
      put_symbolic(c, P, NO_SYM.i, DYN_TPOFF);
    }
    break;
  case I386_TLS_LE_32:
    wr32(loc, (u32)tp_distance(c, e));
    break;
  case I386_TLS_GOTDESC:
    apply_desc(c, e, loc);
    break;
  case I386_TLS_DESC_CALL:
    if (c->r.tls_ie && i386_desc_call_insn(c->bytes, e->offset))
      memcpy(loc, "\x66\x90", 2);
    break;
  case I386_NONE:
  case I386_VTINHERIT:
  case I386_VTENTRY:
  case I386_COUNT:
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
    if (UNLIKELY(i386_opens_tls_call(&c->r, e)))
      *p = (Pending){*e, true};
    else
      apply_edge(c, e, c->bytes + e->offset, c->addr + e->offset);
  }
}

/* ---- debug information and the like ---- */

/* What stands for code that is gone. In .debug_ranges and .debug_loc a pair of zeros would end the list. */
static u64 tombstone_of(const Link *l, AtomId a) {
  const char *name = l->format->atom_name(l, a);
  return streq(name, ".debug_ranges") || streq(name, ".debug_loc");
}

static void apply_nonalloc(Apply *c, const Edge *e, const Edge *end) {
  for (; e < end; e++) {
    u8 *loc = c->bytes + e->offset;
    u64 S = e->flags & (SF_DISCARDED | SF_UNDEFINED) ? 0 : e->S;
    switch ((I386Edge)e->kind) {
    case I386_ABS32:
      wr32(loc, e->flags & SF_DISCARDED ? (u32)c->tombstone : (u32)(S + (u64)e->addend));
      break;
    case I386_PC32:
      wr32(loc, e->flags & SF_DISCARDED ? (u32)c->tombstone : (u32)(target(c, e) + (u64)e->addend - (c->addr + e->offset)));
      break;
    case I386_GOTOFF:
    case I386_TLS_LDO_32:
      if (e->flags & SF_DISCARDED)
        wr32(loc, (u32)c->tombstone);
      else
        apply_edge(c, e, loc, c->addr + e->offset);
      break;
    case I386_ABS16:
    case I386_ABS8:
    case I386_PC16:
    case I386_PC8:
    case I386_SIZE32:
    case I386_TLS_LE_32:
    case I386_NONE:
    case I386_VTINHERIT:
    case I386_VTENTRY:
      apply_edge(c, e, loc, c->addr + e->offset);
      break;
    case I386_TLS_LE: /* the loader does not come here */
      wr32(loc, (u32)tp_offset(c, e, e->addend));
      break;
    case I386_GOTPC: /* old compilers describe _GLOBAL_OFFSET_TABLE_ itself so */
      wr32(loc, (u32)(c->got_base + (u64)e->addend));
      break;
    default:
      report_unloaded(c->l, c->tid, c->a, e);
      break;
    }
  }
}

/* ---- entry points ---- */

static Apply apply_begin(Link *l, const ApplyOut *out, unsigned tid) {
  return (Apply){
      .l = l,
      .tid = tid,
      .out = out,
      .r = i386_rules(l),
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
        c->rel = l->is_pic ? l->atoms.reloff[c->a.i] : 0;
        c->symrel = l->atoms.symreloff[c->a.i];
        alloc = l->atoms.flags[c->a.i] & ATOM_ALLOC;
        c->tombstone = alloc ? 0 : tombstone_of(l, c->a);
      }
      if (alloc)
        apply_alloc(c, &st->edge[r->begin], &st->edge[r->end], &pending);
      else
        apply_nonalloc(c, &st->edge[r->begin], &st->edge[r->end]);
      if (r->last && pending.have)
        (void)apply_tls_call(c, &pending.edge, NULL);
      if (r->last)
        pending.have = false;
    }
}

void i386_apply(Link *l, const AtomId *atoms, u32 n, const ApplyOut *out, unsigned tid) {
  enum { BATCH = 256 };
  Apply c = apply_begin(l, out, tid);
  AtomId batch[BATCH];
  EdgeStream st = {.atoms = batch, .out = out}; /* no edge of this CPU is plain */
  for (u32 i = 0; i < n;) {
    u32 m = 0;
    for (; i < n && m < BATCH; i++) {
      const Atom *at = &l->atoms.at[atoms[i].i];
      if (at->rel && at->data && !(l->atoms.flags[atoms[i].i] & (ATOM_SYNTH | ATOM_EHFRAME | ATOM_MERGE | ATOM_ZEROFILL)))
        batch[m++] = atoms[i];
    }
    st.n = m;
    st.at = st.next = 0;
    st.pair = st.begun = false;
    apply_stream(&c, &st);
  }
}

bool i386_apply_one(Link *l, const Edge *e, u8 *place, u64 P) {
  Apply c = {.l = l};
  u64 v = target(&c, e) + (u64)e->addend;
  switch ((I386Edge)e->kind) {
  case I386_ABS32: break;
  case I386_PC32:
  case I386_PLT32: v -= P; break;
  case I386_NONE: return true;
  default: return false;
  }
  wr32(place, (u32)v);
  return true;
}
