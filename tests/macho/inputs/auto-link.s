# Objects may ask for libraries (LC_LINKER_OPTION): they are searched for like others, recorded when they are used, and what
# can't be found matters only to links with undefined symbols.
# REQUIRES: clang-14
# RUN: rm -rf %t && split-file %s %t && cd %t && mkdir -p F.framework && mv F.tbd F.framework
# RUN: for f in main other member; do clang-14 -target x86_64-apple-macos11 -c $f.s -o $f.o || exit 1; done
# RUN: llvm-ar rcs libar.a member.o
# RUN: %ld64 @args main.o other.o -o main && llvm-objdump --macho --dylibs-used main | FileCheck %s --implicit-check-not=libunused
# CHECK: main:
# CHECK-NEXT: /usr/lib/libSystem.B.dylib
# CHECK-DAG: F.framework/F
# CHECK-DAG: libused.dylib
# RUN: llvm-nm main | FileCheck %s --check-prefix=NAMES
# NAMES: T _member
# RUN: not %ld64 @args main.o other.o -o main2 -ignore_auto_link 2>&1 | FileCheck %s --check-prefix=IGNORED
# IGNORED-DAG: undefined symbol: _used
# IGNORED-DAG: undefined symbol: _member
# RUN: not %ld64 @args main.o other.o -o main2 --ignore-auto-link-option=used 2>&1 | FileCheck %s --check-prefix=ONE
# ONE-NOT: undefined symbol: _member
# ONE: undefined symbol: _used
# RUN: %ld64 @args main.o other.o -o main2 --strict-auto-link 2>&1 | FileCheck %s --check-prefix=STRICT
# STRICT: warning: {{.*}}-lnothere
# RUN: echo '.linker_option "-rpath", "x"' > bad.s && clang-14 -target x86_64-apple-macos11 -c bad.s -o bad.o
# RUN: not %ld64 @args main.o other.o bad.o -o main2 2>&1 | FileCheck %s --check-prefix=BAD
# BAD: error: {{.*}}-rpath is not allowed in LC_LINKER_OPTION
#
# Members of archives ask when they are loaded; what others ask for does not count.
# RUN: for f in asks never first; do clang-14 -target x86_64-apple-macos11 -c $f.s -o $f.o || exit 1; done
# RUN: llvm-ar rcs libasks.a asks.o never.o
# RUN: %ld64 @args first.o -lasks -o main3 && llvm-objdump --macho --bind --lazy-bind main3 | FileCheck %s --check-prefix=MEMBER
# MEMBER: libused _used
# RUN: not %ld64 @args -u _unused first.o -lasks -o main4 2>&1 | FileCheck %s --check-prefix=NEVER
# NEVER: undefined symbol: _unused
#--- args
-arch x86_64 -platform_version macos 11.0 11.0 libSystem.tbd -L. -F.
#--- main.s
.linker_option "-lused"
.linker_option "-lunused"
.linker_option "-lnothere"
.linker_option "-framework", "F"
.globl _main
_main:
  callq _used
  callq _in_framework
  jmp _other
.subsections_via_symbols
#--- other.s
.linker_option "-lar"
.linker_option "-lused"
.globl _other
_other:
  jmp _member
#--- member.s
.globl _member
_member:
  ret
#--- first.s
.globl _main
_main:
  jmp _asks
#--- asks.s
.linker_option "-lused"
.linker_option "-lar"
.globl _asks
_asks:
  callq _member
  jmp _used
#--- never.s
.linker_option "-lunused"
.globl _never
_never:
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
#--- libused.tbd
--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos ]
install-name: libused.dylib
exports:
  - targets: [ x86_64-macos ]
    symbols: [ _used ]
...
#--- libunused.tbd
--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos ]
install-name: libunused.dylib
exports:
  - targets: [ x86_64-macos ]
    symbols: [ _unused ]
...
#--- F.tbd
--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos ]
install-name: F.framework/F
exports:
  - targets: [ x86_64-macos ]
    symbols: [ _in_framework ]
...
