/* x86_64_rules.h: the decisions that scan and apply must take alike: what a pointer-sized relocation
 * becomes, which instructions are rewritten, which TLS model an access ends in.
 * The trap: apply takes each decision again from the edge and the instruction bytes, so nothing here
 * may look at what a scan left behind (needs, slots), nor at SF_COPY, which appears between the two. */
#ifndef WELD_ARCH_X86_64_RULES_H
#define WELD_ARCH_X86_64_RULES_H

#include "arch/elf_word.h"
#include "arch/x86_64.h"
#include "core/scan.h"

/* Facts of the link, read once a range. */
typedef struct {
  bool pic, shared;
  bool relax;     /* GOT loads may be rewritten */
  bool tls_exec;  /* TLS models may be relaxed to initial exec or local exec: an executable */
  bool tls_ie;    /* ... to initial exec: also a library that is never loaded by dlopen */
  bool far_image; /* a rewritten GOT load may turn out to be out of reach */
  bool imm_fits;  /* addresses fit a sign-extended 32-bit immediate for sure */
  bool relr;      /* .relr.dyn is wanted */
  bool x32;       /* pointers have 32 bits; TLS sequences are shorter, and load %fs:0 as such */
} X64Rules;

static inline X64Rules x64_rules(const Link *l) {
  const Options *o = l->opt;
  bool exec = o->kind != OUTPUT_SHARED;
  bool is_static = !l->is_dynamic || o->is_static;
  u64 base = o->has_image_base ? o->image_base : l->arch->image_base;
  bool relax_tls = o->relax || is_static; /* a static libc may lack __tls_get_addr */
  return (X64Rules){
      .pic = l->is_pic,
      .shared = !exec,
      /* a static PIE relocates itself with code that must not need relocating */
      .relax = o->relax || (is_static && l->is_pic),
      .tls_exec = exec && relax_tls,
      .tls_ie = (exec || o->z_nodlopen) && relax_tls,
      .far_image = l->slots->far_image,
      .imm_fits = !l->is_pic && !l->slots->far_image && base <= (1 << 27),
      .relr = l->is_pic && o->z_pack_relative_relocs,
      .x32 = l->format->word == 4,
  };
}

enum { X64_SPECIAL = ELF_SPECIAL };

static inline ElfWord x64_word(const X64Rules *r, u32 flags, bool writable) { return elf_word(r->pic, flags, writable); }

static inline bool x64_relr(const X64Rules *r, u32 aflags, u8 p2align, u64 offset) { return elf_relr(r->relr, aflags, p2align, offset); }

/* Which pointers are plain edges. In .relr.dyn their places matter; in read-only atoms somebody has to complain. */
static inline void x64_plain_words(const X64Rules *r, EdgeStream *st) {
  st->relative = r->pic;
  st->plain_words = r->relr ? 0 : r->pic ? ATOM_WRITE : ATOM_LIVE;
}

/* How a load from the GOT is rewritten (psABI B.2, "Optimize GOTPCRELX Relocations"). */
typedef enum {
  GOTX_KEEP,
  GOTX_LEA,  /* mov foo@GOTPCREL(%rip), %reg -> lea foo(%rip), %reg */
  GOTX_CALL, /* call *foo@GOTPCREL(%rip) -> addr32 call foo */
  GOTX_JMP,  /* jmp *foo@GOTPCREL(%rip) -> jmp foo; nop */
  GOTX_TEST, /* test %reg, foo@GOTPCREL(%rip) -> test $foo, %reg */
  GOTX_BINOP /* add foo@GOTPCREL(%rip), %reg -> add $foo, %reg, and its kin */
} X64Gotx;

/* ModRM of a %rip-relative operand: mod 00, rm 101. */
static inline bool x64_rip(u8 modrm) { return (modrm & 0xc7) == 0x05; }

static inline X64Gotx x64_gotx_insn(u32 kind, const u8 *data, u64 off) {
  u32 prefix = kind == X64_GOTPCRELX ? 0 : kind == X64_REX_GOTPCRELX ? 1 : 2;
  if (off < 2 + prefix)
    return GOTX_KEEP;
  const u8 *loc = data + off;
  u8 op = loc[-2], modrm = loc[-1];
  if (kind == X64_GOTPCRELX && op == 0xff)
    return modrm == 0x15 ? GOTX_CALL : modrm == 0x25 ? GOTX_JMP : GOTX_KEEP;
  if (!x64_rip(modrm))
    return GOTX_KEEP;
  if (prefix == 1 && (loc[-3] & 0xf0) != 0x40)
    return GOTX_KEEP;
  if (prefix == 2 && (loc[-4] != 0xd5 || (loc[-3] & 0x80))) /* REX2, legacy opcode map 0 */
    return GOTX_KEEP;
  if (op == 0x8b)
    return GOTX_LEA;
  if (op == 0x85)
    return GOTX_TEST;
  return (op & 0xc7) == 0x03 ? GOTX_BINOP : GOTX_KEEP;
}

/* *sure: the result is in reach whatever the layout, so no GOT slot is needed. */
static inline X64Gotx x64_gotx(const X64Rules *r, const Edge *e, const u8 *data, bool *sure) {
  *sure = false;
  if (!r->relax || (e->flags & (SF_IMPORTED | SF_IFUNC | SF_DISCARDED)) || e->addend != -4)
    return GOTX_KEEP;
  bool absolute = (e->flags & (SF_ABSOLUTE | SF_UNDEFINED)) != 0;
  if (absolute && r->pic)
    return GOTX_KEEP; /* its distance depends on the load address */
  X64Gotx x = x64_gotx_insn(e->kind, data, e->offset);
  if (x >= GOTX_TEST) {
    if (r->pic)
      return GOTX_KEEP;
    *sure = r->imm_fits && !absolute;
    return x;
  }
  *sure = x != GOTX_KEEP && !r->far_image && !absolute;
  return x;
}

/* Is the distance from the thread pointer known only at run time? A weak variable that nobody defines
 * has none. */
static inline bool x64_tpoff_dynamic(const X64Rules *r, u32 flags) {
  return r->shared || (flags & (SF_IMPORTED | SF_SHARED)) == (SF_IMPORTED | SF_SHARED);
}

/* The prefix of an access to TLS that can be rewritten: of 64 bits, or, where pointers have 32, of those. */
static inline bool x64_rex(const X64Rules *r, u8 prefix) { return (prefix & (r->x32 ? 0xf3 : 0xfb)) == (r->x32 ? 0x40 : 0x48); }

/* mov or add foo@GOTTPOFF(%rip), %reg, which become mov or add $foo@TPOFF, %reg. */
static inline bool x64_ie_insn(const X64Rules *r, u32 kind, const u8 *data, u64 off) {
  const u8 *loc = data + off;
  if (kind == X64_GOTTPOFF) {
    if (off < 3 || !x64_rex(r, loc[-3]))
      return false;
  } else if (kind == X64_CODE_4_GOTTPOFF) {
    if (off < 4 || loc[-4] != 0xd5 || (loc[-3] & 0x88) != 0x08)
      return false;
  } else {
    return false; /* forms with three operands keep their slot */
  }
  return (loc[-2] == 0x8b || loc[-2] == 0x03) && x64_rip(loc[-1]);
}

/* lea foo@TLSDESC(%rip), %reg. */
static inline bool x64_desc_insn(const X64Rules *r, u32 kind, const u8 *data, u64 off) {
  const u8 *loc = data + off;
  if (kind == X64_GOTPC32_TLSDESC)
    return off >= 3 && x64_rex(r, loc[-3]) && loc[-2] == 0x8d && x64_rip(loc[-1]);
  if (kind == X64_CODE_4_GOTPC32_TLSDESC)
    return off >= 4 && loc[-4] == 0xd5 && (loc[-3] & 0x88) == 0x08 && loc[-2] == 0x8d &&
           x64_rip(loc[-1]);
  return false;
}

/* The code that surrounds TLSGD and TLSLD (ELF Handling For TLS, 4.4.6; GNU ld for the large model). */
typedef enum {
  TLSCALL_NONE,     /* not a known sequence: it stays as it is */
  TLSCALL_DIRECT,   /* lea; call __tls_get_addr */
  TLSCALL_INDIRECT, /* lea; call *__tls_get_addr@GOTPCREL(%rip), or its relaxed form of equal size */
  TLSCALL_LARGE,    /* lea; movabs $__tls_get_addr@PLTOFF, %rax; add %rbx or %r15, %rax; call *%rax */
} X64TlsCall;

/* `e` is the TLSGD or TLSLD edge, `next` the one after it in the same atom. */
static inline X64TlsCall x64_tls_call(const X64Rules *r, const Edge *e, const Edge *next, const u8 *data, u64 size) {
  u64 off = e->offset;
  const u8 *p = data + off;
  bool gd = e->kind == X64_TLSGD;
  if (next->kind == X64_PLTOFF64) {
    if (r->x32 || off < 3 || size - off < 19 || next->offset != off + 6 || memcmp(p - 3, "\x48\x8d\x3d", 3) ||
        p[4] != 0x48 || p[5] != 0xb8 || (p[14] != 0x48 && p[14] != 0x4c) || p[15] != 0x01 ||
        (p[16] != 0xd8 && p[16] != 0xf8) || p[17] != 0xff || p[18] != 0xd0)
      return TLSCALL_NONE;
    return TLSCALL_LARGE;
  }
  bool direct = next->kind == X64_PLT32 || next->kind == X64_PC32;
  bool indirect = next->kind == X64_GOTPCREL || next->kind == X64_GOTPCRELX ||
                  next->kind == X64_REX_GOTPCRELX;
  if (!direct && !indirect)
    return TLSCALL_NONE;
  if (gd) {
    u32 padding = !r->x32; /* of the first instruction */
    if (off < 3 + padding || size - off < 12 || next->offset != off + 8 || memcmp(p - 3, "\x48\x8d\x3d", 3) || (padding && p[-4] != 0x66))
      return TLSCALL_NONE;
    bool ok = direct ? !memcmp(p + 4, "\x66\x66\x48\xe8", 4) || !memcmp(p + 4, "\x66\x48\x67\xe8", 4)
                     : !memcmp(p + 4, "\x66\x48\xff\x15", 4);
    return !ok ? TLSCALL_NONE : direct ? TLSCALL_DIRECT : TLSCALL_INDIRECT;
  }
  if (off < 3 || size - off < 9 || memcmp(p - 3, "\x48\x8d\x3d", 3))
    return TLSCALL_NONE;
  if (direct && p[4] == 0xe8 && next->offset == off + 5)
    return TLSCALL_DIRECT;
  if (size - off < 10 || next->offset != off + 6)
    return TLSCALL_NONE;
  return (direct ? p[4] == 0x67 && p[5] == 0xe8 : p[4] == 0xff && p[5] == 0x15) ? TLSCALL_INDIRECT
                                                                                : TLSCALL_NONE;
}

/* Is this the first of a pair that is rewritten together? TLSGD, and TLSLD which then needs no slot. */
static inline bool x64_opens_tls_call(const X64Rules *r, const Edge *e) {
  _Static_assert(X64_TLSLD == X64_TLSGD + 1, "one comparison finds both");
  return UNLIKELY((u32)(e->kind - X64_TLSGD) <= 1) && !(e->flags & SF_DISCARDED) &&
         (e->kind == X64_TLSGD ? r->tls_ie : r->tls_exec);
}

#endif
