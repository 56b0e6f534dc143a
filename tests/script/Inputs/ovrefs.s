# Refers to load addresses of overlays.
        .data
        .quad __load_start_fast1, __load_stop_fast1, __load_start_fast2, __load_stop_fast2
        .section .note.GNU-stack,"",@progbits
