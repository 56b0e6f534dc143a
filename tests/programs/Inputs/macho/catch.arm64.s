        .section __TEXT,__text,regular,pure_instructions
        .globl  _catch_all
        .p2align 2
_catch_all:
        .cfi_startproc
        .cfi_personality 155, _catch_personality
        .cfi_lsda 16, _catch_data
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        .cfi_def_cfa w29, 16
        .cfi_offset w30, -8
        .cfi_offset w29, -16
        mov     x8, x0
        mov     w0, w1
        blr     x8
        mov     w0, #0
Lhandler:
        ldp     x29, x30, [sp], #16
        ret
        .cfi_endproc

        .section __TEXT,__gcc_except_tab
        .p2align 2
_catch_data:
        .long   Lhandler-_catch_all
        .subsections_via_symbols
