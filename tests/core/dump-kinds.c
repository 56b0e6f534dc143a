// REQUIRES: weld
// RUN: rm -rf %t && mkdir %t
// RUN: for f in "-O0" "-O2 -g" "-O1 -g -ffunction-sections -fdata-sections -fcommon" "-O2 -fno-pic -no-pie" "-O2 -static"; do %cc $f %s -o %t/exe -Wl,--gc-sections -Wl,--dump-graph=resolve:%t/1,--dump-graph=dead-strip:%t/2,--dump-graph=coalesce:%t/3,--dump-graph=scan:%t/4,--dump-graph=layout:%t/5 || exit 1; for i in 1 2 3 4 5; do %weld -core %t/$i > %t/again && cmp %t/$i %t/again || exit 1; done; done
// RUN: FileCheck %s < %t/5
// Whatever ELF has is said so that it can be read back: thread-local storage, indirect functions, aliases, names that
// only the linker defines, constructors, debug sections that refer to dead code; with all ways to compile it.

// CHECK-DAG: - name: tls_one
// CHECK-DAG: type: thread-data
// CHECK-DAG: - name: tls_zero
// CHECK-DAG: type: thread-zero-fill
// CHECK-DAG: type: resolver
// CHECK-DAG: type: initializer-pointer
// CHECK-DAG: - name: nope
#include <stdio.h>
extern char _end[], __bss_start[];
extern int __start_foo[], __stop_foo[];
__attribute__((section("foo"), used)) static int foo1 = 3;
__thread int tls_one = 4, tls_zero;
static __thread int tls_static;
static int implementation(void) { return 3; }
static void *resolver(void) { return implementation; }
int chosen(void) __attribute__((ifunc("resolver")));
extern int nope(void) __attribute__((weak));
int target(int x) { return x + 1; }
int alias(int x) __attribute__((alias("target")));
__attribute__((constructor)) static void construct(void) { tls_static = 1; }
const char *strings[] = {"a", "bb", "ccc", "ccc"};
static int dead_static(void) { return 4; }
int (*dead_pointer)(void) = dead_static;
int tentative[100];
int main(void) {
  printf("%p %p %ld\n", (void *)_end, (void *)__bss_start, (long)(__stop_foo - __start_foo));
  printf("%d %d %s\n", chosen(), tls_one + tls_zero + tls_static, strings[1]);
  if (nope)
    nope();
  return alias(tentative[3]);
}
