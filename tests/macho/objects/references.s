# REQUIRES: weld
# Undefined symbols, weak ones, and what loads a member of an archive.
# RUN: llvm-mc -triple x86_64-apple-macos11 -filetype obj %s -o %t.o
# RUN: %weld -core %t.o | FileCheck %s
# RUN: not %weld -core --undefines-are-errors %t.o 2>&1 | FileCheck --check-prefix=ERROR %s

# CHECK:      undefined-atoms:
# CHECK-NEXT: - name:            _strong
# CHECK-NEXT: - name:            _weak
# CHECK-NEXT:   can-be-null:     at-runtime
# ERROR: undefined symbol: _strong

_main:
  call _strong
  call _weak
  .weak_reference _weak
  .subsections_via_symbols
