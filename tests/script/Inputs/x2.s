# Member of libx.a.
        .text
        .globl x_two
x_two:  .fill 8, 1, 0x82
        .data
        .globl x_two_data
x_two_data: .fill 8, 1, 0x82
        .section .note.GNU-stack,"",@progbits
