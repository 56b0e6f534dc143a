# Names of C++: ns::f(int), ns::g(), h(double).
        .text
        .globl _ZN2ns1fEi, _ZN2ns1gEv, _Z1hd
        .type _ZN2ns1fEi,@function
        .type _ZN2ns1gEv,@function
        .type _Z1hd,@function
_ZN2ns1fEi: .fill 4, 1, 0x07
_ZN2ns1gEv: .fill 4, 1, 0x08
_Z1hd:  .fill 4, 1, 0x09
        .section .note.GNU-stack,"",@progbits
