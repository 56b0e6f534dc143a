# Member of liby.a, needs one of libz.a.
        .text
        .globl y_one
y_one:  .fill 4, 1, 0x83
        .data
        .quad z_one
        .section .note.GNU-stack,"",@progbits
