# Defines names that scripts like to provide.
        .text
        .globl etext, edge, maybe
etext:  .fill 4, 1, 0x71
        .data
edge:   .fill 4, 1, 0x72
        .comm com_edge,8,8
        maybe = 0x77
        .section .note.GNU-stack,"",@progbits
