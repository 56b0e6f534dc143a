# Zero fill, in an object of its own as ro.s.
        .bss
        .balign 16
        .globl z_bss
z_bss:  .zero 0x28
        .section .note.GNU-stack,"",@progbits
