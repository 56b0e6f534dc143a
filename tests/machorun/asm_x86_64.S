/* asm_x86_64.S: what C cannot say: entries that keep all registers, build a va_list, or return twice.
 * The trap: the stack is 16-byte aligned before a call, so 8 off at an entry. */

        .text

/* Registers of unwind.h, by DWARF number. */
        .set    RAX, 0
        .set    RDX, 8
        .set    RCX, 16
        .set    RBX, 24
        .set    RSI, 32
        .set    RDI, 40
        .set    RBP, 48
        .set    RSP, 56
        .set    R8, 64
        .set    PC, 128
        .set    REGISTERS_SIZE, 136

/* name(a, b, c) calls target(a, b, c, the caller's registers). */
        .macro  UNWIND name, target
        .globl  \name
\name:
        sub     $REGISTERS_SIZE, %rsp
        mov     %rax, RAX(%rsp)
        mov     %rdx, RDX(%rsp)
        mov     %rcx, RCX(%rsp)
        mov     %rbx, RBX(%rsp)
        mov     %rsi, RSI(%rsp)
        mov     %rdi, RDI(%rsp)
        mov     %rbp, RBP(%rsp)
        lea     REGISTERS_SIZE+8(%rsp), %rax
        mov     %rax, RSP(%rsp)
        .irp    n, 8, 9, 10, 11, 12, 13, 14, 15
        mov     %r\n, \n*8(%rsp)
        .endr
        mov     REGISTERS_SIZE(%rsp), %rax
        mov     %rax, PC(%rsp)
        mov     %rsp, %rcx
        call    \target
        add     $REGISTERS_SIZE, %rsp
        ret
        .endm

        UNWIND  shim_unwind_raise, unwind_raise
        UNWIND  shim_unwind_resume, unwind_resume
        UNWIND  shim_unwind_forced, unwind_forced
        UNWIND  shim_unwind_rethrow, unwind_rethrow
        UNWIND  shim_unwind_backtrace, unwind_backtrace

/* registers_jump(regs): goes on there. The target address is left below its stack, where nothing is live. */
        .globl  registers_jump
registers_jump:
        mov     RSP(%rdi), %rax
        mov     PC(%rdi), %rcx
        mov     %rcx, -8(%rax)
        mov     RDI(%rdi), %rcx
        mov     %rcx, -16(%rax)
        lea     -16(%rax), %rax
        mov     %rax, RSP(%rdi)
        mov     RAX(%rdi), %rax
        mov     RDX(%rdi), %rdx
        mov     RCX(%rdi), %rcx
        mov     RBX(%rdi), %rbx
        mov     RSI(%rdi), %rsi
        mov     RBP(%rdi), %rbp
        .irp    n, 8, 9, 10, 11, 12, 13, 14, 15
        mov     \n*8(%rdi), %r\n
        .endr
        mov     RSP(%rdi), %rsp
        pop     %rdi
        ret

/* The getter of a thread variable: rdi is the descriptor, only rax and rdi may change. */
        .globl  shim_tlv_get_address
shim_tlv_get_address:
        push    %rbp
        mov     %rsp, %rbp
        .irp    r, rcx, rdx, rsi, r8, r9, r10, r11, rbx
        push    %\r
        .endr
        sub     $256, %rsp
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movups  %xmm\n, \n*16(%rsp)
        .endr
        call    thread_variable_address
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movups  \n*16(%rsp), %xmm\n
        .endr
        add     $256, %rsp
        .irp    r, rbx, r11, r10, r9, r8, rsi, rdx, rcx
        pop     %\r
        .endr
        pop     %rbp
        ret

/* dyld_stub_binder: on the stack are the image's cache word, the offset in the lazy stream, and the address to
 * which the called function returns. All that may hold arguments is kept. */
        .globl  shim_stub_binder
shim_stub_binder:
        push    %rbp
        mov     %rsp, %rbp
        .irp    r, rdi, rsi, rdx, rcx, r8, r9, rax, r10
        push    %\r
        .endr
        sub     $128, %rsp
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7
        movups  %xmm\n, \n*16(%rsp)
        .endr
        mov     8(%rbp), %rdi
        mov     16(%rbp), %rsi
        call    image_bind_lazily
        mov     %rax, %r11
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7
        movups  \n*16(%rsp), %xmm\n
        .endr
        add     $128, %rsp
        .irp    r, r10, rax, r9, r8, rcx, rdx, rsi, rdi
        pop     %\r
        .endr
        pop     %rbp
        add     $16, %rsp
        jmp     *%r11

/* setjmp keeps eight registers and the floating point control words at 0..71 of the buffer, and leaves the rest
 * to jump_mask_save(buffer, whether the signal mask is kept), which returns 0 for it. */
        .macro  SETJMP name, flag
        .globl  \name
\name:
        .ifnb   \flag
        mov     $\flag, %esi
        .endif
        mov     %rbx, (%rdi)
        mov     %rbp, 8(%rdi)
        mov     %r12, 16(%rdi)
        mov     %r13, 24(%rdi)
        mov     %r14, 32(%rdi)
        mov     %r15, 40(%rdi)
        lea     8(%rsp), %rax
        mov     %rax, 48(%rdi)
        mov     (%rsp), %rax
        mov     %rax, 56(%rdi)
        stmxcsr 64(%rdi)
        fnstcw  68(%rdi)
        jmp     jump_mask_save
        .endm
        SETJMP  shim_setjmp, 1
        SETJMP  shim__setjmp, 0
        SETJMP  shim_sigsetjmp,

/* jump_registers(buffer, value) */
        .globl  jump_registers
jump_registers:
        mov     (%rdi), %rbx
        mov     8(%rdi), %rbp
        mov     16(%rdi), %r12
        mov     24(%rdi), %r13
        mov     32(%rdi), %r14
        mov     40(%rdi), %r15
        mov     48(%rdi), %rsp
        ldmxcsr 64(%rdi)
        fldcw   68(%rdi)
        mov     %esi, %eax
        jmp     *56(%rdi)

/* A function with `fixed` named arguments and more: calls `target` with a va_list after the named ones. */
        .macro  VARIADIC name, target, fixed, next
        .globl  \name
\name:
        sub     $216, %rsp
        mov     %rdi, 32(%rsp)
        mov     %rsi, 40(%rsp)
        mov     %rdx, 48(%rsp)
        mov     %rcx, 56(%rsp)
        mov     %r8, 64(%rsp)
        mov     %r9, 72(%rsp)
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7
        movups  %xmm\n, 80+\n*16(%rsp)
        .endr
        movl    $8*\fixed, (%rsp)
        movl    $48, 4(%rsp)
        lea     224(%rsp), %rax
        mov     %rax, 8(%rsp)
        lea     32(%rsp), %rax
        mov     %rax, 16(%rsp)
        mov     %rsp, %\next
        call    \target
        add     $216, %rsp
        ret
        .endm
#define VARIADIC_1(name, target) VARIADIC name, target, 1, rsi
#define VARIADIC_2(name, target) VARIADIC name, target, 2, rdx
#define VARIADIC_3(name, target) VARIADIC name, target, 3, rcx
#define VARIADIC_4(name, target) VARIADIC name, target, 4, r8
#define VARIADIC_5(name, target) VARIADIC name, target, 5, r9
#include "variadic.inc"

        .section .note.GNU-stack, "", @progbits
