# REQUIRES: weld
# Equal functions become one, whatever their fields held in the object, and so do equal constants that compilers gave no name of their
# own; what has one may be compared.
# RUN: llvm-mc -triple x86_64-apple-macos11 -filetype obj %s -o %t.o
# RUN: %weld -core --add-pass icf %t.o | FileCheck %s
# RUN: sed '/X86/d;s/^ *#ARM//' %s > %t.s && llvm-mc -triple arm64-apple-macos11 -filetype obj %t.s -o %t.arm64.o
# RUN: %weld -core --add-pass icf %t.arm64.o | FileCheck --check-prefix=ARM64 %s

# CHECK:      - name:            _one
# CHECK:        symbols:
# CHECK:          - name:            _two
# CHECK-NOT:  - name:            _two
# CHECK:      - name:            _differs
# CHECK:      - name:            l_string_one
# CHECK:      - name:            l_string_three
# CHECK-NOT:  l_string_two
# CHECK:      - name:            _named_one
# CHECK:      - name:            _named_two

# ARM64:      - name:            _one
# ARM64:        symbols:
# ARM64:          - name:            _two
# ARM64:      - name:            _differs
# ARM64:      - name:            l_string_one
# ARM64:      - name:            l_string_three
# ARM64-NOT:  l_string_two
# ARM64:      - name:            _named_one
# ARM64:      - name:            _named_two

  .globl _one, _two, _differs
_one:
  lea L_number(%rip), %rax # X86
  call _far # X86
  #ARM adrp x0, l_number@PAGE
  #ARM bl _far
_two:
  lea L_number(%rip), %rax # X86
  call _far # X86
  #ARM adrp x0, l_number@PAGE
  #ARM bl _far
_differs:
  lea L_other(%rip), %rax # X86
  call _far # X86
  #ARM adrp x0, l_other@PAGE
  #ARM bl _far
  .section __TEXT,__literal8,8byte_literals
L_number: # X86
#ARMl_number:
  .quad 1
L_other: # X86
#ARMl_other:
  .quad 2
  .section __TEXT,__cstring,cstring_literals
l_a:
  .asciz "a"
l_b:
  .asciz "b"
  .section __DATA,__const
l_string_one:
  .quad l_a
l_string_two:
  .quad l_a
l_string_three:
  .quad l_b
_named_one:
  .quad l_b, 0
_named_two:
  .quad l_b, 0
  .subsections_via_symbols
