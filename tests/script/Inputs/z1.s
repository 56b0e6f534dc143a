# Member of libz.a, needs one of liby.a.
        .text
        .globl z_one
z_one:  .fill 4, 1, 0x84
        .data
        .quad y_one
        .section .note.GNU-stack,"",@progbits
