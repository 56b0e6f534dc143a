# REQUIRES: weld
# Islands among the subsections of a Mach-O object for arm64. The text is a graph for that CPU: read again it is the same, and needs no more.
# RUN: llvm-mc -triple arm64-apple-macos11 -filetype obj %s -o %t.o
# RUN: %weld -core %t.o --add-pass=thunks --branch-range=512 > %t.1
# RUN: FileCheck %s < %t.1
# RUN: %weld -core %t.1 | cmp %t.1 -
# RUN: %weld -core --target arm64-apple-macos --add-pass=thunks --branch-range=512 %t.1 | cmp %t.1 -
# RUN: not %weld -core --target x86_64 %t.1 2>&1 | FileCheck %s --check-prefix=OTHER
# OTHER: error: {{.*}}: is made for arm64-apple-macos; this link is for x86_64
# RUN: not %weld -core --target x86_64 %t.o 2>&1 | FileCheck %s --check-prefix=OBJECT
# OBJECT: an object for arm64; this link is for x86_64
# CHECK: target-triple: arm64-apple-macos
# CHECK:      - name: _caller
# CHECK:      - kind: R_AARCH64_CALL26
# CHECK-NEXT: target: _far.thunk.0
# CHECK-NEXT: kind: R_AARCH64_CALL26
# CHECK-NEXT: offset: 4
# CHECK-NEXT: target: _there
# CHECK-NEXT: name: _far.thunk.0
# CHECK-NEXT: type: branch-island
# CHECK-NEXT: content: [ 10, 00, 00, 90, 10, 02, 00, 91, 00, 02, 1F, D6 ]
# CHECK-NEXT: alignment: 4
# CHECK-NEXT: references:
# CHECK-NEXT: kind: R_AARCH64_ADR_PREL_PG_HI21
# CHECK-NEXT: target: _far
# CHECK-NEXT: kind: R_AARCH64_ADD_ABS_LO12_NC
# CHECK-NEXT: offset: 4
# CHECK-NEXT: target: _far
# CHECK-NEXT: name: _between
# CHECK:      - name: _near
# CHECK:      - kind: R_AARCH64_CALL26
# CHECK-NEXT: target: _far
# CHECK-NOT: branch-island
  .globl _caller, _between, _far, _near
  .p2align 2
_caller:
  bl _far
  bl _there
  ret
_between:
  .zero 600
_far:
  ret
_near:
  b _far
  .subsections_via_symbols
