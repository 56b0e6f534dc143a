# REQUIRES: weld
# Tentative definitions: the largest stays, with the strictest alignment; a definition replaces them. One that says no alignment is
# aligned as its size is.
# RUN: llvm-mc -triple x86_64-apple-macos11 -filetype obj --defsym=FILE=1 %s -o %t.1.o
# RUN: llvm-mc -triple x86_64-apple-macos11 -filetype obj --defsym=FILE=2 %s -o %t.2.o
# RUN: %weld -core %t.1.o %t.2.o | FileCheck --implicit-check-not='name:            _{{.*}}' %s

# CHECK:      - name:            _plain
# CHECK-NEXT:   scope:           global
# CHECK-NEXT:   type:            zero-fill
# CHECK-NEXT:   size:            24
# CHECK-NEXT:   merge:           as-tentative
# CHECK-NEXT:   alignment:       32
# CHECK:      - name:            _defined
# CHECK-NEXT:   scope:           global
# CHECK-NEXT:   type:            data
# CHECK-NEXT:   content:         [ 07 ]
# CHECK:      - name:            _small
# CHECK-NEXT:   scope:           global
# CHECK-NEXT:   type:            zero-fill
# CHECK-NEXT:   size:            8
# CHECK-NEXT:   merge:           as-tentative
# CHECK-NEXT:   alignment:       64

.if FILE == 1
  .comm _small, 4, 6
  .comm _defined, 4, 2
  .comm _plain, 24
.else
  .comm _small, 8, 3
  .globl _defined
  .data
_defined:
  .byte 7
.endif
  .subsections_via_symbols
