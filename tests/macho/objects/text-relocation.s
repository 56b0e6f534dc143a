# REQUIRES: weld
# An address in a segment that cannot be written is an error, unless addresses are fixed.
# RUN: llvm-mc -triple x86_64-apple-macos11 -filetype obj %s -o %t.o
# RUN: not %weld -flavor darwin -arch x86_64 -platform_version macos 11.0 11.0 -dylib %t.o -o %t.dylib 2>&1 | FileCheck %s
# CHECK: error: {{.*}}text-relocation.s.tmp.o:(__TEXT,__text+0x2): R_X86_64_64 to '_main' needs a place that can be written at run time
# CHECK: error: {{.*}}text-relocation.s.tmp.o:(__TEXT,__const+0x0): R_X86_64_64 to '_word' needs
# CHECK-NOT: error
# RUN: not ls %t.dylib
# RUN: %weld -flavor darwin -arch x86_64 -platform_version macos 10.5 10.5 -no_pie %t.o -e _main -o %t.exe
# RUN: llvm-objdump -d %t.exe | FileCheck --check-prefix=FIXED %s
# FIXED: movabsq ${{[0-9]+}}, %rax
  .globl _main
_main:
  movabsq $_main, %rax
  ret
  .section __TEXT,__const
  .quad _word
  .data
_word:
  .quad _main
  .subsections_via_symbols
