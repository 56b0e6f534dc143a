# More constructors.
        .section .ctors,"aw"
        .quad ctor_d
        .section .ctors.65100,"aw"
        .quad ctor_e
        .section .init_array.20,"aw",@init_array
        .quad ctor_d
        .section .init_array.1000,"aw",@init_array
        .quad ctor_e
        .globl ctor_d, ctor_e
        ctor_d = 0x1d
        ctor_e = 0x1e
        .section .note.GNU-stack,"",@progbits
