# Sections for the example of input sections.
        .section .input1,"aw"
        .globl i1_one
i1_one: .fill 8, 1, 0xe1
        .section .input2,"aw"
        .globl i1_two
i1_two: .fill 4, 1, 0xe2
        .section .note.GNU-stack,"",@progbits
