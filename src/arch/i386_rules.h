/* i386_rules.h: the decisions that scan and apply must take alike: which instructions are rewritten, which TLS model an access
 * ends in.
 * The trap: apply takes each decision again from the edge and the instruction bytes, so nothing here may look at what a scan left
 * behind (needs, slots), nor at SF_COPY, which appears between the two. */
#ifndef WELD_ARCH_I386_RULES_H
#define WELD_ARCH_I386_RULES_H

#include "arch/elf_word.h"
#include "arch/i386.h"
#include "core/scan.h"

/* Facts of the link, read once a range. */
typedef struct {
  bool pic, shared;
  bool relax;    /* GOT loads may be rewritten */
  bool tls_exec; /* TLS models may be relaxed to initial exec or local exec: an executable */
  bool tls_ie;   /* ... to initial exec: also a library that is never loaded by dlopen */
  bool relr;     /* .relr.dyn is wanted */
} I386Rules;

static inline I386Rules i386_rules(const Link *l) {
  const Options *o = l->opt;
  bool exec = o->kind != OUTPUT_SHARED;
  bool is_static = !l->is_dynamic || o->is_static;
  bool relax_tls = o->relax || is_static; /* a static libc may lack ___tls_get_addr */
  return (I386Rules){
      .pic = l->is_pic,
      .shared = !exec,
      /* a static PIE relocates itself with code that must not need relocating */
      .relax = o->relax || (is_static && l->is_pic),
      .tls_exec = exec && relax_tls,
      .tls_ie = (exec || o->z_nodlopen) && relax_tls,
      .relr = l->is_pic && o->z_pack_relative_relocs,
  };
}

/* ModRM bytes of the operands that a relocation may be: disp32 alone; disp32(%reg), whose register is no SIB byte. */
static inline bool i386_no_base(u8 modrm) { return (modrm & 0xc7) == 0x05; }
static inline bool i386_base(u8 modrm) { return (modrm & 0xc0) == 0x80 && (modrm & 7) != 4; }

/* Is the field of a GOT32 or GOT32X the slot's address itself, with no register to add the GOT's to? (psABI 4.7, GOT32) */
static inline bool i386_got_is_absolute(const u8 *data, u64 off) { return off >= 1 && i386_no_base(data[off - 1]); }

/* How a load from the GOT is rewritten (psABI A.2, "Optimize R_386_GOT32X Relocations"). */
typedef enum {
  GOTX_KEEP,
  GOTX_LEA,  /* mov foo@GOT(%reg1), %reg2 -> lea foo@GOTOFF(%reg1), %reg2 */
  GOTX_CALL, /* call *foo@GOT(%reg) -> addr32 call foo */
  GOTX_JMP,  /* jmp *foo@GOT(%reg) -> jmp foo; nop */
  GOTX_MOV,  /* mov foo@GOT(%reg1), %reg2 -> mov $foo, %reg2 */
  GOTX_TEST, /* test %reg1, foo@GOT(%reg2) -> test $foo, %reg1 */
  GOTX_BINOP /* add foo@GOT(%reg1), %reg2 -> add $foo, %reg2, and its kin */
} I386Gotx;

static inline I386Gotx i386_gotx(const I386Rules *r, const Edge *e, const u8 *data) {
  if (e->kind != I386_GOT32X || !r->relax || e->flags & (SF_IMPORTED | SF_IFUNC | SF_DISCARDED) || e->addend || e->offset < 2)
    return GOTX_KEEP;
  if (e->flags & (SF_ABSOLUTE | SF_UNDEFINED) && r->pic)
    return GOTX_KEEP; /* its distance depends on the load address */
  u8 op = data[e->offset - 2], modrm = data[e->offset - 1];
  bool base = i386_base(modrm);
  if (!base && !i386_no_base(modrm))
    return GOTX_KEEP;
  if (op == 0xff)
    return (modrm & 0x38) == 0x10 ? GOTX_CALL : (modrm & 0x38) == 0x20 ? GOTX_JMP : GOTX_KEEP;
  if (op == 0x8b)
    return !r->pic ? GOTX_MOV : base ? GOTX_LEA : GOTX_KEEP;
  if (r->pic)
    return GOTX_KEEP;
  return op == 0x85 ? GOTX_TEST : (op & 0xc7) == 0x03 ? GOTX_BINOP : GOTX_KEEP;
}

/* Is the distance from the thread pointer known only at run time? A weak variable that nobody defines has none. */
static inline bool i386_tpoff_dynamic(const I386Rules *r, u32 flags) {
  return r->shared || (flags & (SF_IMPORTED | SF_SHARED)) == (SF_IMPORTED | SF_SHARED);
}

/* Loads of a slot that hold the distance, which may become immediates of it. TLS_IE names the slot by its address, the others
 * relative to the GOT; the sign of TLS_IE_32 is the other one. */
typedef enum {
  IE_KEEP,
  IE_MOV_EAX, /* movl foo@indntpoff, %eax, the form without ModRM -> movl $foo, %eax */
  IE_MOV,     /* movl slot, %reg -> movl $foo, %reg */
  IE_ADD,     /* addl slot, %reg -> addl $foo, %reg */
  IE_SUB,     /* subl slot, %reg -> subl $foo, %reg */
} I386Ie;

static inline I386Ie i386_ie_insn(u32 kind, const u8 *data, u64 off) {
  u8 op = off >= 2 ? data[off - 2] : 0, modrm = off >= 1 ? data[off - 1] : 0;
  if (kind == I386_TLS_IE ? i386_no_base(modrm) : i386_base(modrm)) {
    if (op == 0x8b)
      return IE_MOV;
    if (op == 0x03)
      return IE_ADD;
    if (op == 0x2b && kind == I386_TLS_IE_32)
      return IE_SUB;
  }
  return kind == I386_TLS_IE && modrm == 0xa1 ? IE_MOV_EAX : IE_KEEP;
}

/* leal foo@tlsdesc(%base), %reg. */
static inline bool i386_desc_insn(const u8 *data, u64 off) { return off >= 2 && data[off - 2] == 0x8d && i386_base(data[off - 1]); }

/* call *foo@tlscall(%eax). */
static inline bool i386_desc_call_insn(const u8 *data, u64 off) { return data[off] == 0xff && data[off + 1] == 0x10; }

/* The code that surrounds TLS_GD and TLS_LDM (ELF Handling For TLS, 4.1.2): `begin` bytes before the field, and `size` bytes in all. */
typedef struct {
  u8 begin, size; /* 0: not a known sequence, it stays as it is */
  u8 base;        /* number of the register that holds the GOT's address */
} I386TlsCall;

/* `e` is the TLS_GD or TLS_LDM edge, `next` the one after it in the same atom. leal foo@tlsgd(,%reg,1), %eax is one byte longer than
 * leal foo@tlsgd(%reg), %eax, so that has a nop behind its call, or a call of another form. */
static inline I386TlsCall i386_tls_call(const Edge *e, const Edge *next, const u8 *data, u64 size) {
  const I386TlsCall none = {0, 0, 0};
  u64 off = e->offset;
  const u8 *p = data + off;
  bool gd = e->kind == I386_TLS_GD, direct = next->kind == I386_PLT32 || next->kind == I386_PC32;
  bool indirect = next->kind == I386_GOT32X || next->kind == I386_GOT32;
  if ((!direct && !indirect) || off < 3 || size - off < 9)
    return none;
  bool call5 = direct && p[4] == 0xe8 && next->offset == off + 5;
  bool call6 = size - off >= 10 && next->offset == off + 6 &&
               (direct ? p[4] == 0x67 && p[5] == 0xe8 : p[4] == 0xff && (p[5] & 0xf8) == 0x90 && (p[5] & 7) != 4);
  if (gd && p[-3] == 0x8d && p[-2] == 0x04 && (p[-1] & 0xc7) == 0x05 && (p[-1] & 0x38) != 0x20 && call5)
    return (I386TlsCall){3, 12, p[-1] >> 3 & 7};
  if (p[-2] != 0x8d || (p[-1] & 0xf8) != 0x80 || (p[-1] & 7) == 4)
    return none;
  u8 base = p[-1] & 7;
  if (call6)
    return (I386TlsCall){2, 12, base};
  if (!call5)
    return none;
  if (!gd)
    return (I386TlsCall){2, 11, base};
  return size - off >= 10 && p[9] == 0x90 ? (I386TlsCall){2, 12, base} : none;
}

/* Is this the first of a pair that is rewritten together? TLS_GD, and TLS_LDM which then needs no slot. */
static inline bool i386_opens_tls_call(const I386Rules *r, const Edge *e) {
  if (LIKELY(e->kind != I386_TLS_GD && e->kind != I386_TLS_LDM) || e->flags & SF_DISCARDED)
    return false;
  return e->kind == I386_TLS_GD ? r->tls_ie : r->tls_exec;
}

#endif
