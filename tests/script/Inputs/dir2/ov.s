# Overlay 2.
        .text
        .globl ov2
ov2:    .fill 0x50, 1, 0xf2
        .section .note.GNU-stack,"",@progbits
