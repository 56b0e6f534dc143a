# Which members of an archive are linked, and what is said of them.
# REQUIRES: clang-14
# RUN: rm -rf %t && split-file %s %t && cd %t
# RUN: for f in main used unused class category; do clang-14 -target x86_64-apple-macos11 -c $f.s -o $f.o || exit 1; done
# RUN: llvm-ar --format=darwin rcs libx.a used.o unused.o class.o category.o
# RUN: %ld64 @args main.o -lx -o main && llvm-nm main | FileCheck %s --check-prefix=NEEDED
# NEEDED-NOT: {{_unused|_OBJC|_category}}
# NEEDED: T _used
# NEEDED-NOT: {{_unused|_OBJC|_category}}
# RUN: %ld64 @args main.o -lx -o main -ObjC && llvm-nm main | FileCheck %s --check-prefix=OBJC
# OBJC: _OBJC_CLASS_$_C
# OBJC: _category
# OBJC-NOT: _unused
# RUN: %ld64 @args main.o -force_load libx.a -o main && llvm-nm main | FileCheck %s --check-prefix=ALL
# RUN: %ld64 @args main.o -lx -all_load -o main && llvm-nm main | FileCheck %s --check-prefix=ALL
# ALL: _OBJC_CLASS_$_C
# ALL: _category
# ALL: _unused
# RUN: %ld64 @args main.o -lx -why_load -o main | FileCheck %s --check-prefix=WHY
# WHY: _used forced load of {{.*}}libx.a(used.o)
# RUN: %ld64 @args main.o -lx -why_load -ObjC -o main | FileCheck %s --check-prefix=WHY-OBJC
# WHY-OBJC-DAG: forced load of {{.*}}libx.a(class.o)
# WHY-OBJC-DAG: -ObjC forced load of {{.*}}libx.a(category.o)
# RUN: %ld64 @args main.o -lx -t -o main | FileCheck %s --check-prefix=TRACE
# TRACE-DAG: main.o
# TRACE-DAG: libx.a(used.o)
# TRACE-DAG: libSystem.tbd
# RUN: %ld64 @args -dylib main.o -hidden-lx -o libmain.dylib && llvm-objdump --macho --exports-trie libmain.dylib | FileCheck %s --check-prefix=HIDDEN
# HIDDEN: _main
# HIDDEN-NOT: _used
# RUN: %ld64 @args main.o -lx -dependency_info deps -o main && tr '\0' '\n' < deps | FileCheck %s --check-prefix=DEPS
# DEPS: {{weld|LLD}}
# DEPS-DAG: libSystem.tbd
# DEPS-DAG: libx.a
# DEPS-DAG: main.o
# DEPS-DAG: libx.tbd
# DEPS: @main
#--- args
-arch x86_64 -platform_version macos 11.0 11.0 libSystem.tbd -L.
#--- main.s
.globl _main
_main:
  jmp _used
#--- used.s
.globl _used
_used:
  ret
#--- unused.s
.globl _unused
_unused:
  ret
#--- class.s
.section __DATA,__objc_data
.globl _OBJC_CLASS_$_C
_OBJC_CLASS_$_C:
  .quad 0
#--- category.s
.globl _category
_category:
  ret
.section __DATA,__objc_catlist
  .quad 0
#--- libSystem.tbd
--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos ]
install-name: '/usr/lib/libSystem.B.dylib'
exports:
  - targets: [ x86_64-macos ]
    symbols: [ dyld_stub_binder ]
...
