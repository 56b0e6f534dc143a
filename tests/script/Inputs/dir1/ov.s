# Overlay 1.
        .text
        .globl ov1
ov1:    .fill 0x30, 1, 0xf1
        .section .note.GNU-stack,"",@progbits
