/* asm_aarch64.S: see asm_x86_64.S. Apple passes all variadic arguments on the stack, so that the stack pointer at
 * the entry is the va_list. The trap: x18 belongs to the system on macOS; nothing here touches it. */

        .text

        .set    REGISTERS_SIZE, 336

        .macro  UNWIND name, target
        .globl  \name
\name:
        sub     sp, sp, #REGISTERS_SIZE
        stp     x0, x1, [sp, #0]
        stp     x2, x3, [sp, #16]
        stp     x4, x5, [sp, #32]
        stp     x6, x7, [sp, #48]
        stp     x8, x9, [sp, #64]
        stp     x10, x11, [sp, #80]
        stp     x12, x13, [sp, #96]
        stp     x14, x15, [sp, #112]
        stp     x16, x17, [sp, #128]
        stp     x18, x19, [sp, #144]
        stp     x20, x21, [sp, #160]
        stp     x22, x23, [sp, #176]
        stp     x24, x25, [sp, #192]
        stp     x26, x27, [sp, #208]
        stp     x28, x29, [sp, #224]
        add     x9, sp, #REGISTERS_SIZE
        stp     x30, x9, [sp, #240]
        str     x30, [sp, #256]
        str     d8, [sp, #264]
        stp     d9, d10, [sp, #272]
        stp     d11, d12, [sp, #288]
        stp     d13, d14, [sp, #304]
        str     d15, [sp, #320]
        mov     x3, sp
        bl      \target
        ldr     x30, [sp, #240]
        add     sp, sp, #REGISTERS_SIZE
        ret
        .endm

        UNWIND  shim_unwind_raise, unwind_raise
        UNWIND  shim_unwind_resume, unwind_resume
        UNWIND  shim_unwind_forced, unwind_forced
        UNWIND  shim_unwind_rethrow, unwind_rethrow
        UNWIND  shim_unwind_backtrace, unwind_backtrace

        .globl  registers_jump
registers_jump:
        ldp     x2, x3, [x0, #16]
        ldp     x4, x5, [x0, #32]
        ldp     x6, x7, [x0, #48]
        ldp     x8, x9, [x0, #64]
        ldp     x10, x11, [x0, #80]
        ldp     x12, x13, [x0, #96]
        ldp     x14, x15, [x0, #112]
        ldr     x19, [x0, #152]
        ldp     x20, x21, [x0, #160]
        ldp     x22, x23, [x0, #176]
        ldp     x24, x25, [x0, #192]
        ldp     x26, x27, [x0, #208]
        ldp     x28, x29, [x0, #224]
        ldp     x30, x17, [x0, #240]
        ldr     x16, [x0, #256]
        ldr     d8, [x0, #264]
        ldp     d9, d10, [x0, #272]
        ldp     d11, d12, [x0, #288]
        ldp     d13, d14, [x0, #304]
        ldr     d15, [x0, #320]
        mov     sp, x17
        ldp     x0, x1, [x0]
        br      x16

/* The getter of a thread variable: x0 is the descriptor; only x0, x16, x17 may change. */
        .globl  shim_tlv_get_address
shim_tlv_get_address:
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        stp     x1, x2, [sp, #-16]!
        stp     x3, x4, [sp, #-16]!
        stp     x5, x6, [sp, #-16]!
        stp     x7, x8, [sp, #-16]!
        stp     x9, x10, [sp, #-16]!
        stp     x11, x12, [sp, #-16]!
        stp     x13, x14, [sp, #-16]!
        stp     x15, x18, [sp, #-16]!
        sub     sp, sp, #512
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        str     q\n, [sp, #16*\n]
        .endr
        bl      thread_variable_address
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        ldr     q\n, [sp, #16*\n]
        .endr
        add     sp, sp, #512
        ldp     x15, x18, [sp], #16
        ldp     x13, x14, [sp], #16
        ldp     x11, x12, [sp], #16
        ldp     x9, x10, [sp], #16
        ldp     x7, x8, [sp], #16
        ldp     x5, x6, [sp], #16
        ldp     x3, x4, [sp], #16
        ldp     x1, x2, [sp], #16
        ldp     x29, x30, [sp], #16
        ret

/* dyld_stub_binder: the stub helper has pushed the offset in the lazy stream (x16) and the cache word (x17). */
        .globl  shim_stub_binder
shim_stub_binder:
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        stp     x0, x1, [sp, #-16]!
        stp     x2, x3, [sp, #-16]!
        stp     x4, x5, [sp, #-16]!
        stp     x6, x7, [sp, #-16]!
        stp     x8, x9, [sp, #-16]!
        sub     sp, sp, #128
        .irp    n, 0,1,2,3,4,5,6,7
        str     q\n, [sp, #16*\n]
        .endr
        ldr     x0, [x29, #24]
        ldr     x1, [x29, #16]
        bl      image_bind_lazily
        mov     x16, x0
        .irp    n, 0,1,2,3,4,5,6,7
        ldr     q\n, [sp, #16*\n]
        .endr
        add     sp, sp, #128
        ldp     x8, x9, [sp], #16
        ldp     x6, x7, [sp], #16
        ldp     x4, x5, [sp], #16
        ldp     x2, x3, [sp], #16
        ldp     x0, x1, [sp], #16
        ldp     x29, x30, [sp], #16
        add     sp, sp, #16
        br      x16

/* setjmp keeps its registers at 0..167 of the buffer and leaves the rest to jump_mask_save. */
        .macro  SETJMP name, flag
        .globl  \name
\name:
        .ifnb   \flag
        mov     w1, #\flag
        .endif
        stp     x19, x20, [x0, #0]
        stp     x21, x22, [x0, #16]
        stp     x23, x24, [x0, #32]
        stp     x25, x26, [x0, #48]
        stp     x27, x28, [x0, #64]
        stp     x29, x30, [x0, #80]
        mov     x9, sp
        str     x9, [x0, #96]
        stp     d8, d9, [x0, #104]
        stp     d10, d11, [x0, #120]
        stp     d12, d13, [x0, #136]
        stp     d14, d15, [x0, #152]
        b       jump_mask_save
        .endm
        SETJMP  shim_setjmp, 1
        SETJMP  shim__setjmp, 0
        SETJMP  shim_sigsetjmp,

        .globl  jump_registers
jump_registers:
        ldp     x19, x20, [x0, #0]
        ldp     x21, x22, [x0, #16]
        ldp     x23, x24, [x0, #32]
        ldp     x25, x26, [x0, #48]
        ldp     x27, x28, [x0, #64]
        ldp     x29, x30, [x0, #80]
        ldr     x9, [x0, #96]
        ldp     d8, d9, [x0, #104]
        ldp     d10, d11, [x0, #120]
        ldp     d12, d13, [x0, #136]
        ldp     d14, d15, [x0, #152]
        mov     sp, x9
        mov     w0, w1
        ret

        .macro  VARIADIC name, target, next
        .globl  \name
\name:
        mov     \next, sp
        b       \target
        .endm
#define VARIADIC_1(name, target) VARIADIC name, target, x1
#define VARIADIC_2(name, target) VARIADIC name, target, x2
#define VARIADIC_3(name, target) VARIADIC name, target, x3
#define VARIADIC_4(name, target) VARIADIC name, target, x4
#define VARIADIC_5(name, target) VARIADIC name, target, x5
#include "variadic.inc"

        .section .note.GNU-stack, "", @progbits
