# Defines names of scripts weakly.
        .data
        .weak edge
edge:   .fill 4, 1, 0x73
        .section .note.GNU-stack,"",@progbits
