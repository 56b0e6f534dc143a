# Addends that fill 64 bits wrap around: of a pointer into the template of thread-local variables, and of a difference.
# REQUIRES: weld
# RUN: for a in x86_64 arm64; do llvm-mc -triple $a-apple-macos11 -filetype obj %s -o %t.$a.o && %bindir/ld64.weld -arch $a -platform_version macos 11.0 11.0 -no_fixup_chains -dylib %t.$a.o %top/tests/macho/Inputs/libSystem.tbd -o %t.$a.dylib 2>&1 || exit 1; done | count 0
# RUN: for a in x86_64 arm64; do llvm-objdump-14 -s --section __data --section __thread_vars %t.$a.dylib; done | FileCheck %s
# CHECK: 1000 03000000 00000080 02000000 00000080
# CHECK: 1010 00000000 00000000 00000000 00000000
# CHECK: 1020 00000000 00000080
# CHECK: 4000 0c000000 00000080 0b000000 00000080
# CHECK: 4010 00000000 00000000 00000000 00000000
# CHECK: 4020 00000000 00000080
  .text
_f: nop
  nop
  nop
_g: nop
  .section __DATA,__thread_data,thread_local_regular
_x$tlv$init: .quad 1
  .section __DATA,__thread_vars,thread_local_variables
_x: .quad __tlv_bootstrap, 0, _x$tlv$init+0x8000000000000000
  .data
  .quad _g-_f+0x8000000000000000, _g-_f+0x7fffffffffffffff
  .subsections_via_symbols
