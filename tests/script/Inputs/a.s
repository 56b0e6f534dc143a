# The first object: code and data, with sizes and alignments that differ from the second one's.
        .text
        .balign 16
        .globl _start, a_text
_start:
a_text: .fill 0x14, 1, 0xa1
        .data
        .balign 4
        .globl a_data
a_data: .fill 0x0c, 1, 0xa2
        .section .note.GNU-stack,"",@progbits
