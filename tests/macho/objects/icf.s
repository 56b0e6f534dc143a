# REQUIRES: weld
# Equal functions and equal constants become one, whatever their fields held in the object.
# RUN: llvm-mc -triple x86_64-apple-macos11 -filetype obj %s -o %t.o
# RUN: %weld -core --add-pass icf %t.o | FileCheck %s
# RUN: sed '/X86/d;s/^ *#ARM//' %s > %t.s && llvm-mc -triple arm64-apple-macos11 -filetype obj %t.s -o %t.arm64.o
# RUN: %weld -core --add-pass icf %t.arm64.o | FileCheck --check-prefix=ARM64 %s

# CHECK:      - name:            _one
# CHECK:        symbols:
# CHECK:          - name:            _two
# CHECK-NOT:  - name:            _two
# CHECK:      - name:            _differs
# CHECK:      - name:            _string_one
# CHECK:        symbols:
# CHECK:          - name:            _string_two
# CHECK:      - name:            _string_three

# ARM64:      - name:            _one
# ARM64:        symbols:
# ARM64:          - name:            _two
# ARM64:      - name:            _differs
# ARM64:      - name:            _string_one
# ARM64:        symbols:
# ARM64:          - name:            _string_two
# ARM64:      - name:            _string_three

  .globl _one, _two, _differs, _string_one, _string_two, _string_three
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
_string_one:
  .quad l_a
_string_two:
  .quad l_a
_string_three:
  .quad l_b
  .subsections_via_symbols
