# Refers to names that a script or an archive defines.
        .data
        .globl refs_data
refs_data:
        .quad etext, edge, x_one
        .weak maybe
        .quad maybe
        .section .note.GNU-stack,"",@progbits
