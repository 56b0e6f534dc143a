# Sections for the example of input sections.
        .section .input1,"aw"
        .globl i2_one
i2_one: .fill 12, 1, 0xe3
        .section .input2,"aw"
        .globl i2_two
i2_two: .fill 20, 1, 0xe4
        .section .note.GNU-stack,"",@progbits
