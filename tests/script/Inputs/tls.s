# Thread-local data.
        .section .tdata,"awT"
        .balign 8
        .globl t_data
        .type t_data,@tls_object
t_data: .fill 12, 1, 0x51
        .section .tbss,"awT",@nobits
        .balign 16
        .globl t_bss
        .type t_bss,@tls_object
t_bss:  .zero 20
        .section .note.GNU-stack,"",@progbits
