# Sections that few scripts name: one of each kind.
        .section orphan_code,"ax"
        .globl o_code
o_code: .fill 8, 1, 0x41
        .section .orphan_ro,"a"
        .globl o_ro
o_ro:   .fill 8, 1, 0x42
        .section .orphan_rw,"aw"
        .globl o_rw
o_rw:   .fill 8, 1, 0x43
        .section .orphan_bss,"aw",@nobits
        .globl o_bss
o_bss:  .zero 8
        .section .orphan_info,"",@progbits
        .fill 8, 1, 0x44
        .section .note.orphan,"a",@note
        .balign 4
        .long 4, 0, 1
        .asciz "owl"
        .section set_of_things,"aw"
        .quad 0x45
        .section .note.GNU-stack,"",@progbits
