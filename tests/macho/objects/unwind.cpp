// REQUIRES: weld
// A function keeps its exception table and its personality routine alive, and nothing else does; unwind records of what is dead
// keep nothing.
// RUN: clang-14 -x c++ -std=c++17 -target arm64-apple-macos11 -fexceptions -fcxx-exceptions -O1 -S %s -o %t.arm64.s
// RUN: clang-14 -x c++ -std=c++17 -target x86_64-apple-macos11 -fexceptions -fcxx-exceptions -O1 -S %s -o %t.x86_64.s
// RUN: llvm-mc -triple arm64-apple-macos11 -filetype obj %t.arm64.s -o %t.arm64.o
// RUN: llvm-mc -triple x86_64-apple-macos11 -filetype obj %t.x86_64.s -o %t.x86_64.o
// RUN: %weld -core -e __Z4livev --dead-strip %t.arm64.o | FileCheck --check-prefixes=CHECK,ARM64 %s
// RUN: %weld -core -e __Z4livev --dead-strip %t.x86_64.o | FileCheck --check-prefixes=CHECK,X86 %s

// CHECK-NOT:  __Z4deadv
// CHECK:      - name:            __Z4livev
// ARM64:        - kind:            R_AARCH64_NONE
// X86:          - kind:            R_X86_64_NONE
// CHECK-NEXT:     target:          ___gxx_personality_v0
// CHECK:          target:          GCC_except_table[[N:[0-9]+]]
// CHECK-NOT:  name: {{.*}}GCC_except_table
// CHECK:      - name:            GCC_except_table[[N]]
// CHECK-NEXT:   type:            unwind-lsda
// ARM64:        - kind:            R_AARCH64_GOTPCREL32
// X86:          - kind:            R_X86_64_GOTPCREL
// CHECK-NOT:  name: {{.*}}GCC_except_table
// X86:        - type:            unwind-cfi
// X86:        references:
// X86:          kind:            R_X86_64_GOTPCREL
// X86:          target:          ___gxx_personality_v0
// X86:          kind:            R_X86_64_PC64
// X86:          target:          __Z4livev
// X86:          kind:            R_X86_64_PC64
// X86:          target:          GCC_except_table[[N]]

int call();
int dead() {
  try {
    return call();
  } catch (char x) {
    return x;
  }
}
int live() {
  try {
    return call();
  } catch (int x) {
    return x;
  }
}
