/* unwind.h: between the unwinder's files. */
#ifndef MACHORUN_UNWIND_H
#define MACHORUN_UNWIND_H

#include "machorun.h"

/* Registers by their DWARF numbers. The layout is also known to asm_*.S. */
#ifdef __aarch64__
enum { REG_FP = 29, REG_LR = 30, REG_SP = 31, REG_PC = 32, REG_D8 = 33, REG_COUNT = 41, REG_ARG0 = 0, REG_ARG1 = 1 };
#else
enum { REG_ARG0 = 0, REG_ARG1 = 1, REG_RBX = 3, REG_FP = 6, REG_SP = 7, REG_R12 = 12, REG_PC = 16, REG_COUNT = 17 };
#endif
typedef struct {
  u64 r[REG_COUNT];
} Registers;

/* What the tables say of the function at an address. Addresses are unslid; 0: there is none. */
typedef struct {
  u64 start, end, lsda, personality_slot, fde;
  u32 encoding;
} UnwindEntry;

/* A frame description of __eh_frame, with what it needs of its common entry. */
typedef struct {
  u64 at, start, end, lsda, personality_slot;
  Bytes common_code, code;
  u64 code_align, return_register;
  i64 data_align;
  bool signal_frame;
} FrameDescription;

bool unwind_find(const Image *im, u64 vmaddr, UnwindEntry *out);
/* cfi.c. `at` is the unslid address of the description's first byte. */
FrameDescription frame_description(const Image *im, const Section *eh_frame, u64 at);
/* The description that covers `vmaddr`, found by going through all; false: none. With `check`, all are checked. */
bool frame_description_find(const Image *im, u64 vmaddr, FrameDescription *out);
void frame_descriptions_check(const Image *im);
/* The caller's registers at `vmaddr` of the function that `fd` describes. */
void cfi_step(const Image *im, const FrameDescription *fd, u64 vmaddr, Registers *regs);

/* asm_*.S */
_Noreturn void registers_jump(const Registers *regs);

#endif
