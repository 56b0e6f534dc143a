# Code that nobody refers to, and some that _start does.
        .section .text.start,"ax"
        .globl _start
_start: .quad live
        .section .text.live,"ax"
        .globl live
live:   .fill 8, 1, 0x92
        .section .text.dead,"ax"
        .globl dead
dead:   .fill 8, 1, 0x93
        .section .text.kept,"ax"
        .globl kept
kept:   .fill 8, 1, 0x94
        .section .note.GNU-stack,"",@progbits
