# Constructors and destructors, with and without priorities.
        .section .ctors,"aw"
        .quad ctor_a
        .section .ctors.65000,"aw"
        .quad ctor_b
        .section .ctors.00100,"aw"
        .quad ctor_c
        .section .dtors,"aw"
        .quad ctor_a
        .section .init_array,"aw",@init_array
        .quad ctor_a
        .section .init_array.00100,"aw",@init_array
        .quad ctor_b
        .section .init_array.5,"aw",@init_array
        .quad ctor_c
        .section .fini_array.7,"aw",@fini_array
        .quad ctor_a
        .globl ctor_a, ctor_b, ctor_c
        ctor_a = 0x1a
        ctor_b = 0x1b
        ctor_c = 0x1c
        .section .note.GNU-stack,"",@progbits
