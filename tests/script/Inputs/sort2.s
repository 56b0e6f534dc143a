# More sections to sort, some with the names of sort1.s.
        .section .data.alpha,"aw"
        .balign 32
        .globl s2_alpha
s2_alpha: .fill 32, 1, 0x21
        .section .data.mid,"aw"
        .balign 8
        .globl s2_mid
s2_mid: .fill 8, 1, 0x22
        .section .data.aaa,"aw"
        .balign 1
        .globl s2_aaa
s2_aaa: .fill 1, 1, 0x23
        .section .note.GNU-stack,"",@progbits
