# Strings and constants to merge.
        .section .rodata.str1.1,"aMS",@progbits,1
        .asciz "equal"
        .asciz "other"
        .section .rodata.cst8,"aM",@progbits,8
        .quad 7, 8
        .section .text.readonly,"ax"
        .globl s_text
s_text: .fill 4, 1, 0x61
        .section .note.GNU-stack,"",@progbits
