# Read-only data, in an object of its own: no script but those that name .rodata shall have an orphan.
        .section .rodata,"a"
        .balign 4
        .globl r_const
r_const: .fill 0x0f, 1, 0xa3
        .section .note.GNU-stack,"",@progbits
