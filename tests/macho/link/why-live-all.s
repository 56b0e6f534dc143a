# REQUIRES: weld
# -why_live through a place without a name: an edge to the atom's own symbol, which is no symbol of the file, has no name to show.
# RUN: llvm-mc -triple x86_64-apple-macos11 -filetype obj %s -o %t.o
# RUN: %bindir/ld64.weld -arch x86_64 -platform_version macos 11.0 11.0 -dylib -dead_strip %t.o %top/tests/macho/Inputs/libSystem.tbd -why_live '*' -o %t.dylib | FileCheck %s
# RUN: %bindir/ld64.weld -arch x86_64 -platform_version macos 11.0 11.0 -dylib -dead_strip -exported_symbol _start %t.o %top/tests/macho/Inputs/libSystem.tbd -why_live _start -o %t.dylib | FileCheck %s --check-prefix=LIST
# LIST: >>> root: -exported_symbol: _start
# CHECK:      live symbol: {{.*}}(__TEXT,__text) _end
# CHECK-NEXT: >>> referenced by: {{.*}}(__DATA,__const{{.*}})
# CHECK-NEXT: >>> referenced by: {{.*}}(__TEXT,__text+{{.*}}) _start
# CHECK-NEXT: >>> root: exported: _start
  .globl _start
_start:
  leaq L_nameless(%rip), %rax
  ret
_end: ret
  .section __DATA,__const
L_nameless: .quad _end
  .subsections_via_symbols
