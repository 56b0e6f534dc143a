# Sections to sort: names in no order, alignments that don't follow the names.
        .section .data.mid,"aw"
        .balign 4
        .globl s1_mid
s1_mid: .fill 4, 1, 0x11
        .section .data.zed,"aw"
        .balign 2
        .globl s1_zed
s1_zed: .fill 2, 1, 0x12
        .section .data.alpha,"aw"
        .balign 16
        .globl s1_alpha
s1_alpha: .fill 16, 1, 0x13
        .section .data.beta,"aw"
        .balign 16
        .globl s1_beta
s1_beta: .fill 16, 1, 0x14
        .section .note.GNU-stack,"",@progbits
