# REQUIRES: weld
# Of weak definitions the first wins, a strong one wins over all; what lost is gone.
# RUN: llvm-mc -triple arm64-apple-macos11 -filetype obj --defsym=FILE=1 %s -o %t.1.o
# RUN: llvm-mc -triple arm64-apple-macos11 -filetype obj --defsym=FILE=2 %s -o %t.2.o
# RUN: %weld -core %t.1.o %t.2.o | FileCheck --implicit-check-not='name:            _{{.*}}' %s
# RUN: %weld -core %t.2.o %t.1.o | FileCheck --check-prefix=BACK %s
# An object without subsections keeps what lost: the section holds more.
# RUN: sed '/subsections_via/d' %s > %t.s && llvm-mc -triple arm64-apple-macos11 -filetype obj --defsym=FILE=2 %t.s -o %t.3.o
# RUN: %weld -core %t.1.o %t.3.o | FileCheck --check-prefix=WHOLE %s

# CHECK:      - name:            _weak
# CHECK-NEXT:   scope:           global
# CHECK-NEXT:   type:            data
# CHECK-NEXT:   content:         [ 01, 00, 00, 00 ]
# CHECK-NEXT:   merge:           as-weak
# Two names of one atom, both lost by the second file.
# CHECK:      - name:            _both_a
# CHECK-NEXT:   scope:           global
# CHECK-NEXT:   type:            data
# CHECK-NEXT:   content:         [ 03, 00, 00, 00 ]
# CHECK:          - name:            _both_b
# CHECK-NEXT:       scope:           global
# CHECK-NEXT:       type:            object
# CHECK-NEXT:       size:            4
# CHECK-NEXT:       merge:           as-weak
# One of the names is won by the first file, the other is the second file's own: both atoms stay.
# CHECK:      - name:            _shared_name
# CHECK-NEXT:   scope:           global
# CHECK-NEXT:   type:            data
# CHECK-NEXT:   content:         [ 05, 00, 00, 00 ]
# CHECK:      - name:            _use_1
# CHECK:      - name:            _own_name
# CHECK-NEXT:   scope:           global
# CHECK-NEXT:   type:            data
# CHECK-NEXT:   content:         [ 02, 00, 00, 00 ]
# CHECK:      - name:            _strong
# CHECK-NEXT:   scope:           global
# CHECK-NEXT:   type:            data
# CHECK-NEXT:   content:         [ 04, 00, 00, 00 ]
# A local name of what was lost means the winner.
# CHECK:      - name:            _use_2
# CHECK:          kind:            R_AARCH64_ABS64
# CHECK-NEXT:     target:          _weak
# CHECK:          offset:          8
# CHECK-NEXT:     target:          _weak
# CHECK:          offset:          16
# CHECK-NEXT:     target:          _strong

# BACK:      - name:            _weak
# BACK-NEXT:   scope:           global
# BACK-NEXT:   type:            data
# BACK-NEXT:   content:         [ 02, 00, 00, 00 ]
# BACK:      - name:            _strong
# BACK-NEXT:   scope:           global
# BACK-NEXT:   type:            data
# BACK-NEXT:   content:         [ 04, 00, 00, 00 ]
# BACK-NOT:    name:            _strong

# WHOLE:      - name:            _weak
# WHOLE-NEXT:   scope:           global
# WHOLE-NEXT:   type:            data
# WHOLE-NEXT:   content:         [ 01, 00, 00, 00 ]
# WHOLE:        content:         [ 02, 00, 00, 00, 06, 00, 00, 00, 02, 00, 00, 00, 04, 00, 00, 00 ]
# WHOLE:            - name:            _own_name
# WHOLE-NOT:        _both

  .macro weak name
  .globl \name
  .weak_definition \name
  .endm
  .data
  weak _weak
_weak:
l_local:
  .long FILE
  weak _both_a
  weak _both_b
_both_a:
_both_b:
  .long FILE * 3 & 7
  weak _shared_name
.if FILE == 1
_shared_name:
  .long 5
  weak _strong
_strong:
  .long 9
.else
  .globl _own_name
_shared_name:
_own_name:
  .long FILE
  .globl _strong
_strong:
  .long 4
.endif
  .section __DATA,__const
  .p2align 3
.if FILE == 1
_use_1:
  .quad _weak
.else
_use_2:
  .quad l_local
  .quad _weak
  .quad _strong
.endif
  .subsections_via_symbols
