# Member of libx.a.
        .text
        .globl x_one
x_one:  .fill 8, 1, 0x81
        .data
        .globl x_one_data
x_one_data: .quad x_two
        .section .note.GNU-stack,"",@progbits
