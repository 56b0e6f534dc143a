# REQUIRES: weld
# For arm64 assemblers write __eh_frame with differences of labels; those inside it are numbers again, the others relative edges.
# RUN: llvm-mc -triple arm64-apple-macos11 -filetype obj %s -o %t.o
# RUN: llvm-objdump --macho -r %t.o | FileCheck --check-prefix=INPUT %s
# RUN: %weld -core %t.o | FileCheck %s
# INPUT: __TEXT,__eh_frame
# INPUT: SUB

# CHECK:        type:            unwind-cfi
# CHECK:      references:
# CHECK-NEXT:   - kind:            R_AARCH64_PREL64
# CHECK-NEXT:     offset:          28
# CHECK-NEXT:     target:          _b
# CHECK-NEXT:   - kind:            R_AARCH64_GOTPCREL32
# CHECK-NEXT:     offset:          67
# CHECK-NEXT:     target:          ___gxx_personality_v0
# CHECK-NEXT:   - kind:            R_AARCH64_PREL64
# CHECK-NEXT:     offset:          84
# CHECK-NEXT:     target:          _a
# CHECK-NEXT:   - kind:            R_AARCH64_PREL64
# CHECK-NEXT:     offset:          101
# CHECK-NEXT:     target:          l_lsda
# CHECK-NEXT: undefined-atoms:

  .globl _a, _b
_a:
  .cfi_startproc
  .cfi_personality 155, ___gxx_personality_v0
  .cfi_lsda 16, l_lsda
  sub sp, sp, #32
  .cfi_def_cfa x7, 8
  ret
  .cfi_endproc
_b:
  .cfi_startproc
  .cfi_def_cfa x8, 8
  ret
  .cfi_endproc
  .section __TEXT,__gcc_except_tab
l_lsda:
  .long 0
  .subsections_via_symbols
