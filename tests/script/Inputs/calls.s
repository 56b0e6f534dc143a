# Refers to the shared library.
        .text
        .globl _start
_start: jmp fun_one@PLT
        .data
        .globl pointer
pointer: .quad fun_two
        .section .note.GNU-stack,"",@progbits
