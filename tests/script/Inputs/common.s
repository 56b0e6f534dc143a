# Common symbols.
        .comm com_small,4,4
        .comm com_big,64,32
        .bss
        .globl com_bss
com_bss: .zero 8
        .section .note.GNU-stack,"",@progbits
