# A library's weak definition yields to that of another library, whichever comes first, and to a member of an archive.
# REQUIRES: clang-14
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: for f in main member; do clang-14 -target x86_64-apple-macos11 -c $f.s -o $f.o || exit 1; done
# RUN: llvm-ar rcs libmember.a member.o
# RUN: %ld64 @args main.o weak.tbd strong.tbd -o a && llvm-objdump --macho --bind --lazy-bind --weak-bind a | FileCheck %s --check-prefix=STRONG
# RUN: %ld64 @args main.o strong.tbd weak.tbd -o a && llvm-objdump --macho --bind --lazy-bind --weak-bind a | FileCheck %s --check-prefix=STRONG
# STRONG: strong _f
# RUN: %ld64 @args main.o weak.tbd weak2.tbd -o b && llvm-objdump --macho --bind --lazy-bind --weak-bind b | FileCheck %s --check-prefix=WEAK
# WEAK: Bind table:
# WEAK: weak _f
# WEAK: Weak bind table:
# WEAK: _f
# RUN: %ld64 @args main.o weak.tbd -lmember -o c && llvm-nm c | FileCheck %s --check-prefix=MEMBER
# RUN: %ld64 @args main.o -lmember strong.tbd -o c && llvm-nm c | FileCheck %s --check-prefix=MEMBER
# MEMBER: T _f
# RUN: %ld64 @args main.o strong.tbd -lmember -o d && llvm-nm d | FileCheck %s --check-prefix=LIBRARY
# LIBRARY: U _f
#--- args
-arch x86_64 -platform_version macos 11.0 11.0 libSystem.tbd -L.
#--- main.s
.globl _main
_main:
  jmp _f
#--- member.s
.globl _f
_f:
  ret
#--- libSystem.tbd
--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos ]
install-name: '/usr/lib/libSystem.B.dylib'
exports:
  - targets: [ x86_64-macos ]
    symbols: [ dyld_stub_binder ]
...
#--- weak.tbd
--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos ]
install-name: /weak.dylib
exports:
  - targets: [ x86_64-macos ]
    weak-symbols: [ _f ]
...
#--- weak2.tbd
--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos ]
install-name: /weak2.dylib
exports:
  - targets: [ x86_64-macos ]
    weak-symbols: [ _f ]
...
#--- strong.tbd
--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos ]
install-name: /strong.dylib
exports:
  - targets: [ x86_64-macos ]
    symbols: [ _f ]
...
