# REQUIRES: weld
# ELF objects in the core linker: their sections are atoms with places in them, and an island says that it is in the section of its neighbour. A call of a section symbol with
# an addend and one of a local symbol for the same place share an island.
# RUN: %cc -c %s -o %t.o
# RUN: %weld -core %t.o --add-pass=thunks --branch-range=512 | FileCheck %s
# RUN: %weld -core %t.o --add-pass=thunks > %t.1 && %weld -core %t.o | cmp %t.1 -
# CHECK: section-name: .text{{$}}
# CHECK: name: caller
# CHECK: references:
# CHECK-NEXT: kind: R_X86_64_PLT32
# CHECK-NEXT: offset: 1
# CHECK-NEXT: target: far.thunk.0
# CHECK-NEXT: addend: -4
# CHECK-NEXT: kind: R_X86_64_PC32
# CHECK-NEXT: offset: 6
# CHECK-NEXT: target: [[PLACE:.*]]
# CHECK-NEXT: addend: -4
# CHECK-NEXT: kind: R_X86_64_PC32
# CHECK-NEXT: offset: 11
# CHECK-NEXT: target: [[PLACE]]
# CHECK-NEXT: addend: -4
# CHECK: name: far.thunk.0
# CHECK-NEXT: type: branch-island
# CHECK-NEXT: content: [ E9, 00, 00, 00, 00 ]
# CHECK-NEXT: alignment: 8
# CHECK-NEXT: section-choice: custom-required
# CHECK-NEXT: section-name: .text{{$}}
# CHECK-NEXT: section-type: 0x1
# CHECK-NEXT: section-flags: 0x6
# CHECK-NEXT: references:
# CHECK-NEXT: kind: R_X86_64_PLT32
# CHECK-NEXT: offset: 1
# CHECK-NEXT: target: far
# CHECK-NEXT: addend: -4
# CHECK: type: branch-island
# CHECK: references:
# CHECK-NEXT: kind: R_X86_64_PLT32
# CHECK-NEXT: offset: 1
# CHECK-NEXT: target: place
# CHECK-NEXT: addend: -4
# CHECK-NOT: branch-island
  .text
  .globl caller
caller:
  call far@PLT
  .byte 0xe8
  .reloc ., R_X86_64_PC32, place - 4
  .long 0
  .byte 0xe9
  .reloc ., R_X86_64_PC32, .text.far + 4 - 4
  .long 0
  ret
  .section .text.between, "ax", @progbits
  .zero 2000, 0x90
  .section .text.far, "ax", @progbits
  .globl far
far:
  nop
  nop
  nop
  nop
place:
  ret
