# Two parts of a program, the first of which refers to the second.
        .section .text.core0,"ax"
        .globl core0
core0:  .quad core1
        .section .text.core1,"ax"
        .globl core1
core1:  .fill 8, 1, 0x91
        .section .text.both,"ax"
        .globl both
both:   .quad core1
        .section .note.GNU-stack,"",@progbits
