# Code for a shared library.
        .text
        .globl fun_one, fun_two, fun_three, old_fun
        .type fun_one,@function
        .type fun_two,@function
        .type fun_three,@function
        .type old_fun,@function
fun_one: .fill 4, 1, 0x01
fun_two: .fill 4, 1, 0x02
fun_three: .fill 4, 1, 0x03
old_fun: .fill 4, 1, 0x04
        .section .note.GNU-stack,"",@progbits
