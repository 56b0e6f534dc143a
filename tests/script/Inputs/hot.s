# Code in sections of functions.
        .section .text.hot.one,"ax"
        .globl hot_one
hot_one: .fill 8, 1, 0x31
        .section .text.unlikely.two,"ax"
        .globl cold_two
cold_two: .fill 8, 1, 0x32
        .section .text.plain,"ax"
        .globl plain
plain:  .fill 8, 1, 0x33
        .section .text.startup,"ax"
        .globl startup
startup: .fill 8, 1, 0x34
        .section .text.exit[1],"ax"
        .globl brackets
brackets: .fill 8, 1, 0x35
        .section .note.GNU-stack,"",@progbits
