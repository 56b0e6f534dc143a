# REQUIRES: weld
# Each literal is an atom; equal ones of all files are one, whatever they are called.
# RUN: llvm-mc -triple x86_64-apple-macos11 -filetype obj %s -o %t.1.o
# RUN: sed 's/_mine/_other/g' %s > %t.s && llvm-mc -triple x86_64-apple-macos11 -filetype obj %t.s -o %t.2.o
# RUN: %weld -core %t.1.o | FileCheck --check-prefix=ONE %s
# RUN: %weld -core %t.1.o %t.2.o | FileCheck --check-prefix=TWO --implicit-check-not='type: {{.*}}c-string{{$}}' --implicit-check-not=const- %s

# ONE:      - name:            L_ab
# ONE-NEXT:   type:            c-string
# ONE-NEXT:   content:         [ 61, 62, 00 ]
# ONE-NEXT:   merge:           by-content
# ONE-NEXT: - type:            c-string
# ONE-NEXT:   content:         [ 63, 00 ]
# ONE-NEXT:   merge:           by-content
# ONE-NEXT: - name:            _mine_named
# ONE-NEXT:   type:            c-string
# ONE-NEXT:   content:         [ 61, 64, 00 ]
# ONE:      - type:            const-4-byte
# ONE:      - type:            const-8-byte
# ONE:      - ref-name:        [[B:L000]]
# ONE-NEXT:   type:            const-8-byte
# ONE-NEXT:   content:         [ 02, 00, 00, 00, 00, 00, 00, 00 ]
# ONE:      - type:            const-16-byte
# ONE-NEXT:   content:         [ 03, 00,
# ONE:      - name:            _mine_words
# ONE:          kind:            R_X86_64_64
# ONE-NEXT:     target:          L_ab
# A place inside a literal is its name and an addend: "b" of "ab".
# ONE:          offset:          8
# ONE-NEXT:     target:          L_ab
# ONE-NEXT:     addend:          1
# ONE:          target:          [[B]]
# ONE:      - type:            c-string-pointer
# ONE-NEXT:   content:         [ 00, 00, 00, 00, 00, 00, 00, 00 ]
# ONE-NEXT:   merge:           by-content

# TWO:      type:            c-string{{$}}
# TWO-NEXT: content:         [ 61, 62, 00 ]
# TWO:      type:            c-string{{$}}
# TWO-NEXT: content:         [ 63, 00 ]
# TWO:      type:            c-string{{$}}
# TWO-NEXT: content:         [ 61, 64, 00 ]
# TWO:      type:            const-4-byte
# TWO:      type:            const-8-byte
# TWO:      type:            const-8-byte
# TWO:      type:            const-16-byte
# Pointers to equal literals are equal.
# TWO:      type:            c-string-pointer
# TWO-NOT:  type:            c-string-pointer
# TWO:      name:            _other_words
# TWO-NOT:  type:            c-string-pointer

  .section __TEXT,__cstring,cstring_literals
L_ab:
  .asciz "ab"
  .asciz "c"
_mine_named:
  .asciz "ad"
  .section __TEXT,__literal4,4byte_literals
  .p2align 2
  .long 5
  .section __TEXT,__literal8,8byte_literals
  .p2align 3
  .quad 1
L_two:
  .quad 2
  .section __TEXT,__literal16,16byte_literals
  .p2align 4
  .quad 3, 4
  .data
_mine_words:
  .quad L_ab
  .quad L_ab + 1
  .quad L_two
  .section __DATA,__objc_selrefs,literal_pointers,no_dead_strip
  .p2align 3
  .quad L_ab
  .subsections_via_symbols
