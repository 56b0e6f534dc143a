# The second object.
        .text
        .balign 4
        .globl b_text
b_text: .fill 0x0b, 1, 0xb1
        .data
        .balign 8
        .globl b_data
b_data: .fill 0x06, 1, 0xb2
        .section .note.GNU-stack,"",@progbits
