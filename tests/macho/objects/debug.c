// REQUIRES: weld, clang-14
// Messages show source lines, and the debug map names the source, from debug information of the object: DWARF 4 and 5.
// RUN: rm -rf %t && mkdir %t && cp %s %t/where.c && cd %t
// RUN: for cpu in x86_64 arm64; do for v in 4 5; do clang-14 -target $cpu-apple-macos11 -gdwarf-$v -fno-stack-protector -c where.c -o bad.o && clang-14 -target $cpu-apple-macos11 -gdwarf-$v -DGOOD -c where.c -o good.o && (%weld -flavor darwin -arch $cpu -platform_version macos 11.0 11.0 bad.o -dylib -o bad.dylib 2>&1; %weld -flavor darwin -arch $cpu -platform_version macos 11.0 11.0 -dylib good.o -o $cpu.$v.dylib && llvm-nm -ap $cpu.$v.dylib) > $cpu.$v.txt; FileCheck %s < $cpu.$v.txt || exit 1; done; done

// CHECK: undefined symbol: _missing
// CHECK-NEXT: referenced by where.c:[[#@LINE+14]] (_bad) in bad.o
// CHECK: undefined symbol: _variable
// CHECK-NEXT: referenced by where.c:[[#@LINE+9]] (_pointer) in bad.o
// CHECK: SO {{.*}}/where.c
// CHECK: OSO {{.*}}/good.o
// CHECK: FUN _good

#ifdef GOOD
int good(void) { return 1; }
#else
extern int variable;
int *pointer = &variable;
int missing(void);
int bad(void) {
  return missing();
}
#endif
