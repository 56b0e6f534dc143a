# The second object: as a.s, with other sizes and alignments.
        .text
        .balign 4
        .globl b_text
b_text: .fill 0x0b, 1, 0xb1
        .data
        .balign 8
        .globl b_data
b_data: .fill 0x06, 1, 0xb2
        .section .rodata,"a"
        .balign 1
        .globl b_rodata
b_rodata: .fill 0x05, 1, 0xb3
        .bss
        .balign 16
        .globl b_bss
b_bss:  .zero 0x10
        .section .note.GNU-stack,"",@progbits
