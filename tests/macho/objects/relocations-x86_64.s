# REQUIRES: weld
# Relocations of x86-64: S + A - P with the field as P, whatever Mach-O counts from; what has no symbol leads to the atom that its
# address is in.
# RUN: llvm-mc -triple x86_64-apple-macos11 -filetype obj %s -o %t.o
# RUN: %weld -core %t.o | FileCheck %s

# CHECK:      - name:            _code
# CHECK:        - kind:            R_X86_64_PLT32
# CHECK-NEXT:     offset:          1
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:     addend:          -4
# CHECK-NEXT:   - kind:            R_X86_64_PC32
# CHECK-NEXT:     offset:          8
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:     addend:          12
# An immediate of one byte, of two, of four behind the field.
# CHECK-NEXT:   - kind:            R_X86_64_PC32
# CHECK-NEXT:     offset:          14
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:     addend:          -5
# CHECK-NEXT:   - kind:            R_X86_64_PC32
# CHECK-NEXT:     offset:          22
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:     addend:          -6
# CHECK-NEXT:   - kind:            R_X86_64_PC32
# CHECK-NEXT:     offset:          31
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:     addend:          -8
# CHECK-NEXT:   - kind:            R_X86_64_REX_GOTPCRELX
# CHECK-NEXT:     offset:          43
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:     addend:          -4
# CHECK-NEXT:   - kind:            R_X86_64_GOTPCREL
# CHECK-NEXT:     offset:          49
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:     addend:          -4
# CHECK-NEXT:   - kind:            X86_64_RELOC_TLV
# CHECK-NEXT:     offset:          56
# CHECK-NEXT:     target:          _tlv
# CHECK-NEXT:     addend:          -4
# The second literal, with one byte of an immediate behind the field, and, without a symbol, with none.
# CHECK-NEXT:   - kind:            R_X86_64_PC32
# CHECK-NEXT:     offset:          62
# CHECK-NEXT:     target:          L_two
# CHECK-NEXT:     addend:          -5
# CHECK-NEXT:   - kind:            R_X86_64_PC32
# CHECK-NEXT:     offset:          72
# CHECK-NEXT:     target:          L_two
# CHECK-NEXT:     addend:          -4
# CHECK:      - name:            L_two
# CHECK-NEXT:   type:            const-8-byte
# CHECK-NEXT:   content:         [ 02, 00, 00, 00, 00, 00, 00, 00 ]
# CHECK:      - name:            _words
# CHECK:        - kind:            R_X86_64_64
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:     addend:          -2
# CHECK-NEXT:   - kind:            R_X86_64_32
# CHECK-NEXT:     offset:          8
# CHECK-NEXT:     target:          _far
# The subtrahend stands before the minuend, which has the addend of both.
# CHECK-NEXT:   - kind:            X86_64_RELOC_SUBTRACTOR64
# CHECK-NEXT:     offset:          12
# CHECK-NEXT:     target:          _words
# CHECK-NEXT:   - kind:            R_X86_64_64
# CHECK-NEXT:     offset:          12
# CHECK-NEXT:     target:          _code
# CHECK-NEXT:     addend:          7
# CHECK-NEXT:   - kind:            X86_64_RELOC_SUBTRACTOR32
# CHECK-NEXT:     offset:          20
# CHECK-NEXT:     target:          _words
# CHECK-NEXT:   - kind:            R_X86_64_32
# CHECK-NEXT:     offset:          20
# CHECK-NEXT:     target:          _code
# CHECK-NEXT:     addend:          -16

  .globl _words
_code:
  call _far
  lea _far+16(%rip), %rax
  movb $1, _far(%rip)
  movw $1, _far(%rip)
  nop
  movl $1, _far(%rip)
  nop
  movq _far@GOTPCREL(%rip), %rax
  push _far@GOTPCREL(%rip)
  mov _tlv@TLVP(%rip), %rdi
  cmpb $1, L_two(%rip)
  nop
  addsd L_two(%rip), %xmm0
  .section __TEXT,__literal8,8byte_literals
  .quad 1
L_two:
  .quad 2
  .data
_words:
  .quad _far - 2
  .long _far
  .quad _code - _words + 7
  .long _code - L_here
L_before:
  .subsections_via_symbols
L_here = _words + 16
