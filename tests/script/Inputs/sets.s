# Refers to the ends of a section whose name is an identifier.
        .section set_of_things,"aw"
        .quad 0x46
        .data
        .quad __start_set_of_things, __stop_set_of_things
        .section .note.GNU-stack,"",@progbits
