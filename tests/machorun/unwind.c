/* unwind.c: the level 1 unwinder (Itanium C++ ABI, 1.3 to 1.6) over the tables of the images.
 * The trap: a return address may be the first byte of the next function; a caller is looked up at its return
 * address minus one. Frames of the loader itself have no table: they end the stack. */
#include <stdlib.h>

#include "unwind.h"

typedef enum {
  CODE_NO_REASON = 0,
  CODE_FATAL_PHASE2 = 2,
  CODE_FATAL_PHASE1 = 3,
  CODE_END_OF_STACK = 5,
  CODE_HANDLER_FOUND = 6,
  CODE_INSTALL_CONTEXT = 7,
  CODE_CONTINUE = 8,
} ReasonCode;

enum { ACTION_SEARCH = 1, ACTION_CLEANUP = 2, ACTION_HANDLER_FRAME = 4, ACTION_FORCE = 8, ACTION_END = 16 };

/* The header of every exception object; private_1 is the stop function of a forced unwind, private_2 the stack
 * pointer of the frame that will handle it, or the stop function's argument. */
typedef struct {
  u64 class;
  void (*cleanup)(ReasonCode, void *);
  u64 private_1, private_2;
} Exception;

typedef struct {
  Registers regs;
  Image *image;
  UnwindEntry entry;
} Context;

typedef ReasonCode Personality(int version, int actions, u64 class, Exception *, Context *);
typedef ReasonCode StopFunction(int version, int actions, u64 class, Exception *, Context *, void *);
typedef ReasonCode TraceFunction(Context *, void *);

/* Finds the function of the frame whose registers are in `c`. */
static bool context_find(Context *c) {
  u64 pc = c->regs.r[REG_PC] - 1;
  c->image = image_containing(pc);
  c->entry = (UnwindEntry){0};
  return c->image && unwind_find(c->image, pc - (u64)c->image->slide, &c->entry);
}

static u64 stack_word(u64 address) { return rd64((const void *)(uintptr_t)address); }

#ifdef __aarch64__

static void pairs_restore(Registers *regs, u32 encoding, u64 at) {
  for (u32 i = 0; i < 9; i++) {
    u32 bit = i < 5 ? 1u << i : 0x100u << (i - 5);
    u32 first = i < 5 ? 19 + 2 * i : REG_D8 + 2 * (i - 5);
    if (!(encoding & bit))
      continue;
    regs->r[first] = stack_word(at);
    regs->r[first + 1] = stack_word(at - 8);
    at -= 16;
  }
}

static void compact_step(const Context *c, Registers *regs) {
  u32 encoding = c->entry.encoding;
  Registers out = *regs;
  if ((encoding & UNWIND_MODE) == UNWIND_ARM64_FRAME) {
    u64 fp = regs->r[REG_FP];
    pairs_restore(&out, encoding, fp - 8);
    out.r[REG_SP] = fp + 16;
    out.r[REG_PC] = stack_word(fp + 8);
    out.r[REG_FP] = stack_word(fp);
  } else {
    if (encoding & 0xfff)
      fail(c->image, "the function 0x%lx saves registers without a frame: not supported", c->entry.start);
    out.r[REG_SP] += (encoding >> 12 & 0xfff) * 16ull;
    out.r[REG_PC] = regs->r[REG_LR];
  }
  *regs = out;
}

enum { DWARF_MODE = UNWIND_ARM64_DWARF };

#else

/* The compact encoding's register numbers. */
static const u8 compact_registers[8] = {0, REG_RBX, REG_R12, REG_R12 + 1, REG_R12 + 2, REG_R12 + 3, REG_FP, 0};

static void frame_step(const Context *c, Registers *regs) {
  u32 encoding = c->entry.encoding;
  u64 rbp = regs->r[REG_FP], at = rbp - 8ull * (encoding >> 16 & 0xff);
  Registers out = *regs;
  for (u32 i = 0; i < 5; i++, at += 8) {
    u32 reg = encoding >> (3 * i) & 7;
    if (reg > 5)
      fail(c->image, "the function 0x%lx has a bad compact encoding 0x%x", c->entry.start, encoding);
    if (reg)
      out.r[compact_registers[reg]] = stack_word(at);
  }
  out.r[REG_SP] = rbp + 16;
  out.r[REG_PC] = stack_word(rbp + 8);
  out.r[REG_FP] = stack_word(rbp);
  *regs = out;
}

/* Which registers were pushed, in order, is the number of a permutation (of 6 things, `count` taken). */
static void permutation_decode(const Context *c, u32 number, u32 count, u8 order[6]) {
  bool used[7] = {false};
  for (u32 k = 0; k < count; k++) {
    /* Digit k has a value below 6 - k; its weight is the product of the later digits' ranges. */
    u32 w = 1;
    for (u32 j = k + 1; j < count; j++)
      w *= 6 - j;
    u32 digit = number / w;
    number %= w;
    u32 reg = 1;
    for (;; reg++) {
      if (reg > 6)
        fail(c->image, "the function 0x%lx has a bad compact encoding 0x%x", c->entry.start, c->entry.encoding);
      if (used[reg])
        continue;
      if (!digit)
        break;
      digit--;
    }
    used[reg] = true;
    order[k] = (u8)reg;
  }
}

static void frameless_step(const Context *c, Registers *regs) {
  u32 encoding = c->entry.encoding, count = encoding >> 10 & 7;
  u64 size = 8ull * (encoding >> 16 & 0xff);
  if ((encoding & UNWIND_MODE) == UNWIND_X86_64_INDIRECT) {
    u64 at = c->entry.start + (encoding >> 16 & 0xff);
    size = rd32(c->image->memory + (at - c->image->base)) + 8ull * (encoding >> 13 & 7);
  }
  u8 order[6];
  if (count > 6)
    fail(c->image, "the function 0x%lx has a bad compact encoding 0x%x", c->entry.start, encoding);
  permutation_decode(c, encoding & 0x3ff, count, order);
  u64 at = regs->r[REG_SP] + size - 8 - 8ull * count;
  for (u32 i = 0; i < count; i++, at += 8)
    regs->r[compact_registers[order[i]]] = stack_word(at);
  regs->r[REG_PC] = stack_word(at);
  regs->r[REG_SP] = at + 8;
}

static void compact_step(const Context *c, Registers *regs) {
  if ((c->entry.encoding & UNWIND_MODE) == UNWIND_X86_64_FRAME)
    frame_step(c, regs);
  else
    frameless_step(c, regs);
}

enum { DWARF_MODE = UNWIND_X86_64_DWARF };

#endif

static void context_step(Context *c) {
  if ((c->entry.encoding & UNWIND_MODE) != DWARF_MODE) {
    compact_step(c, &c->regs);
    return;
  }
  FrameDescription fd = frame_description(c->image, image_section_at(c->image, c->entry.fde), c->entry.fde);
  cfi_step(c->image, &fd, c->regs.r[REG_PC] - 1 - (u64)c->image->slide, &c->regs);
}

/* NULL: the frame has nothing to say. In DWARF mode the description names it, else the compact entry. */
static Personality *context_personality(Context *c) {
  u64 slot = c->entry.personality_slot;
  if ((c->entry.encoding & UNWIND_MODE) == DWARF_MODE) {
    FrameDescription fd = frame_description(c->image, image_section_at(c->image, c->entry.fde), c->entry.fde);
    slot = fd.personality_slot;
    c->entry.lsda = fd.lsda;
  }
  if (!slot)
    return NULL;
  return (Personality *)(uintptr_t)rd64(c->image->memory + (slot - c->image->base));
}

/* Runs the cleanups up to the handler that phase 1 found; returns only when there is an error. */
static ReasonCode phase2(Exception *e, const Registers *regs) {
  Context c = {.regs = *regs};
  StopFunction *stop = (StopFunction *)(uintptr_t)e->private_1;
  int forced = stop ? ACTION_FORCE : 0;
  for (;;) {
    bool found = context_find(&c);
    if (stop && stop(1, ACTION_CLEANUP | forced | (found ? 0 : ACTION_END), e->class, e, &c,
                     (void *)(uintptr_t)e->private_2) != CODE_NO_REASON)
      return CODE_FATAL_PHASE2;
    if (!found)
      return CODE_END_OF_STACK;
    Personality *p = context_personality(&c);
    u64 sp = c.regs.r[REG_SP];
    bool handler = !stop && sp == e->private_2;
    if (p) {
      Context before = c;
      switch (p(1, ACTION_CLEANUP | forced | (handler ? ACTION_HANDLER_FRAME : 0), e->class, e, &c)) {
      case CODE_INSTALL_CONTEXT: registers_jump(&c.regs);
      case CODE_CONTINUE: break;
      default: return CODE_FATAL_PHASE2;
      }
      c = before;
    }
    if (handler)
      return CODE_FATAL_PHASE2;
    context_step(&c);
  }
}

/* The functions below are called from asm_*.S, which adds the caller's registers as the fourth argument. */
ReasonCode unwind_raise(Exception *e, void *b, void *c, const Registers *regs);
ReasonCode unwind_resume(Exception *e, void *b, void *c, const Registers *regs);
ReasonCode unwind_forced(Exception *e, void *stop, void *argument, const Registers *regs);
ReasonCode unwind_rethrow(Exception *e, void *b, void *c, const Registers *regs);
ReasonCode unwind_backtrace(TraceFunction *trace, void *argument, void *c, const Registers *regs);

ReasonCode unwind_raise(Exception *e, void *b, void *c, const Registers *regs) {
  (void)b, (void)c;
  Context cursor = {.regs = *regs};
  e->private_1 = e->private_2 = 0;
  for (;; context_step(&cursor)) {
    if (!context_find(&cursor))
      return CODE_END_OF_STACK;
    Personality *p = context_personality(&cursor);
    if (!p)
      continue;
    Context before = cursor;
    switch (p(1, ACTION_SEARCH, e->class, e, &cursor)) {
    case CODE_HANDLER_FOUND:
      e->private_2 = before.regs.r[REG_SP];
      return phase2(e, regs);
    case CODE_CONTINUE: break;
    default: return CODE_FATAL_PHASE1;
    }
    cursor = before;
  }
}

ReasonCode unwind_resume(Exception *e, void *b, void *c, const Registers *regs) {
  (void)b, (void)c;
  phase2(e, regs);
  fail(NULL, "_Unwind_Resume came to the end of the stack");
}

ReasonCode unwind_forced(Exception *e, void *stop, void *argument, const Registers *regs) {
  e->private_1 = (u64)(uintptr_t)stop;
  e->private_2 = (u64)(uintptr_t)argument;
  return phase2(e, regs);
}

ReasonCode unwind_rethrow(Exception *e, void *b, void *c, const Registers *regs) {
  if (!e->private_1)
    return unwind_raise(e, b, c, regs);
  phase2(e, regs);
  abort();
}

ReasonCode unwind_backtrace(TraceFunction *trace, void *argument, void *unused, const Registers *regs) {
  (void)unused;
  Context c = {.regs = *regs};
  for (;; context_step(&c)) {
    if (!context_find(&c))
      return CODE_END_OF_STACK;
    if (trace(&c, argument) != CODE_NO_REASON)
      return CODE_FATAL_PHASE1;
  }
}

/* What personalities ask and say. */
u64 unwind_get_gr(Context *c, int i);
void unwind_set_gr(Context *c, int i, u64 v);
u64 unwind_get_ip(Context *c);
u64 unwind_get_ip_info(Context *c, int *before);
void unwind_set_ip(Context *c, u64 v);
u64 unwind_get_cfa(Context *c);
u64 unwind_lsda(Context *c);
u64 unwind_region_start(Context *c);
u64 unwind_zero(Context *c);
void unwind_delete(Exception *e);

u64 unwind_get_gr(Context *c, int i) {
  if (i < 0 || i >= REG_COUNT)
    fail(c->image, "a personality asks for register %d", i);
  return c->regs.r[i];
}
void unwind_set_gr(Context *c, int i, u64 v) {
  if (i < 0 || i >= REG_COUNT)
    fail(c->image, "a personality sets register %d", i);
  c->regs.r[i] = v;
}
u64 unwind_get_ip(Context *c) { return c->regs.r[REG_PC]; }
u64 unwind_get_ip_info(Context *c, int *before) {
  *before = 0;
  return c->regs.r[REG_PC];
}
void unwind_set_ip(Context *c, u64 v) { c->regs.r[REG_PC] = v; }
u64 unwind_get_cfa(Context *c) { return c->regs.r[REG_SP]; }
/* At the end of the stack there is no function. */
u64 unwind_lsda(Context *c) { return c->image && c->entry.lsda ? c->entry.lsda + (u64)c->image->slide : 0; }
u64 unwind_region_start(Context *c) { return c->image ? c->entry.start + (u64)c->image->slide : 0; }
u64 unwind_zero(Context *c) {
  (void)c;
  return 0;
}
void unwind_delete(Exception *e) {
  if (e->cleanup)
    e->cleanup(1, e);
}
