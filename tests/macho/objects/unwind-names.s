# REQUIRES: weld
# A name in the middle of a function begins an atom, which unwinds as the function does.
# RUN: llvm-mc -triple arm64-apple-macos11 -filetype obj %s -o %t.o
# RUN: %weld -flavor darwin -arch arm64 -platform_version macos 11.0 11.0 -dylib %t.o -o %t.dylib
# RUN: llvm-objdump --macho --unwind-info --syms %t.dylib | FileCheck %s
# CHECK:      [[#%x,F:]] g {{.*}} _function
# CHECK:      [[#%x,M:]] g {{.*}} _middle
# CHECK:      Second level indices:
# CHECK:      function offset={{0x0*}}[[#F]], encoding{{.*}}=0x04000000
# CHECK-NOT:  function offset={{0x0*}}[[#M]], encoding{{.*}}=0x00000000

  .globl _function, _middle
_function:
  .cfi_startproc
  stp x29, x30, [sp, #-16]!
  mov x29, sp
  .cfi_def_cfa w29, 16
  .cfi_offset w30, -8
  .cfi_offset w29, -16
_middle:
  nop
  nop
  ldp x29, x30, [sp], #16
  ret
  .cfi_endproc
  .subsections_via_symbols
