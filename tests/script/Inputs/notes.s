# Two notes.
        .section .note.first,"a",@note
        .balign 4
        .long 4, 4, 1
        .asciz "elk"
        .long 0x11111111
        .section .note.second,"a",@note
        .balign 4
        .long 4, 4, 2
        .asciz "elk"
        .long 0x22222222
        .section .note.GNU-stack,"",@progbits
