// Instrumented C++ through text and back: guards and tables of patchable functions go with their functions (SHF_LINK_ORDER), in groups, too,
// some of which have the name of a static function.
// REQUIRES: weld
// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: for c in "%clangxx -fsanitize-coverage=trace-pc-guard" "%clangxx -fpatchable-function-entry=1" "%cxx -fpatchable-function-entry=2"; do $c -O1 -ffunction-sections -c %s -o a.o && %weld -core a.o -o a.yaml && %weld -core a.yaml | cmp - a.yaml && %weld -core -r a.yaml -o b.o && for o in a b; do $c $o.o -Wl,--gc-sections -o $o && ./$o > $o.txt && readelf -SW $o | grep -E 'sancov|patchable' | tr -s ' ' | cut -d ' ' -f 2,7 > $o.sections; done; cmp a.txt b.txt && cmp a.sections b.sections && FileCheck %s < b.txt || exit 1; done
// CHECK: 6 ab
#include <cstdio>
#include <string>
#include <vector>
template <class T> T sum(const std::vector<T> &v) {
  T s{};
  for (auto &x : v)
    s += x;
  return s;
}
inline int unused(int x) { return x * 2; }
int (*dead)(int) = unused;
extern "C" void __sanitizer_cov_trace_pc_guard_init(unsigned *begin, unsigned *end) {
  std::printf("%d guards\n", (int)(end - begin));
}
extern "C" void __sanitizer_cov_trace_pc_guard(unsigned *) {}
int main() {
  std::vector<int> v{1, 2, 3};
  std::vector<std::string> w{"a", "b"};
  std::printf("%d %s\n", sum(v), sum(w).c_str());
}
