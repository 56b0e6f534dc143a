        .section __TEXT,__text,regular,pure_instructions
        .globl  _catch_all
        .p2align 4
_catch_all:
        .cfi_startproc
        .cfi_personality 155, _catch_personality
        .cfi_lsda 16, _catch_data
        pushq   %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        movq    %rsp, %rbp
        .cfi_def_cfa_register %rbp
        movq    %rdi, %rax
        movl    %esi, %edi
        callq   *%rax
        xorl    %eax, %eax
Lhandler:
        popq    %rbp
        retq
        .cfi_endproc

        .section __TEXT,__gcc_except_tab
        .p2align 2
_catch_data:
        .long   Lhandler-_catch_all
        .subsections_via_symbols
