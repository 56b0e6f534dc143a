# The third object: code without alignment, data with 32 bytes.
        .text
        .globl c_text
c_text: .fill 0x07, 1, 0xc1
        .data
        .balign 32
        .globl c_data
c_data: .fill 0x09, 1, 0xc2
        .section .note.GNU-stack,"",@progbits
