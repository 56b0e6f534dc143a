# The first object: each of the four plain sections, with sizes and alignments that differ.
        .text
        .balign 16
        .globl _start, a_text
_start:
a_text: .fill 0x14, 1, 0xa1
        .data
        .balign 4
        .globl a_data
a_data: .fill 0x0c, 1, 0xa2
        .section .rodata,"a"
        .balign 2
        .globl a_rodata
a_rodata: .fill 0x0a, 1, 0xa3
        .bss
        .balign 8
        .globl a_bss
a_bss:  .zero 0x18
        .section .note.GNU-stack,"",@progbits
