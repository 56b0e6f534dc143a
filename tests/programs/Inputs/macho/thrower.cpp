#include "thrower.h"
#include <cstdio>
#include <iostream>

Loud::Loud(const char *n) : name(n) {}
/* One call: threads may end at the same time. */
Loud::~Loud() { std::printf("~%s\n", name); }

__attribute__((noinline)) int throw_at(int depth, int what) {
  Loud loud(depth % 2 ? "odd" : "even");
  if (depth > 0) return throw_at(depth - 1, what) + 1;
  Counted<int> counted;
  shared_static();
  switch (what) {
  case 0: throw Problem("a problem of the library", 17);
  case 1: throw 42;
  case 2: throw std::string("text");
  case 3: return std::stoi("not a number");
  case 4: (void)std::string("short").at(100); return 0;
  default: return what;
  }
}

int call_back(int (*f)(int), int v) {
  Loud loud("call_back");
  try {
    return f(v);
  } catch (const Problem &p) {
    std::cout << "the library saw " << p.what() << "\n";
    throw;
  }
}

std::map<std::string, int> &registry() {
  static std::map<std::string, int> r;
  return r;
}
namespace {
struct Registers {
  Registers() { registry()["library"] = 1; }
} registers;
} // namespace
