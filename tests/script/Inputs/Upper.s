# An object whose name begins with a capital letter.
        .data
        .globl upper_data
upper_data: .fill 0x08, 1, 0xd2
        .section .note.GNU-stack,"",@progbits
