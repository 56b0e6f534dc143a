# Versions that the object itself names.
        .text
        .globl fun_v1, fun_v2
        .type fun_v1,@function
        .type fun_v2,@function
fun_v1: .fill 4, 1, 0x05
fun_v2: .fill 4, 1, 0x06
        .symver fun_v1,fun@V1
        .symver fun_v2,fun@@V2
        .section .note.GNU-stack,"",@progbits
