#include "thrower.h"
#include <algorithm>
#include <functional>
#include <iomanip>
#include <iostream>
#include <memory>
#include <mutex>
#include <new>
#include <sstream>
#include <thread>
#include <typeinfo>
#include <vector>

namespace {
struct Registers {
  Registers() { registry()["program"] = 2; }
} registers;
} // namespace
static thread_local Loud per_thread("thread's");
static thread_local std::string text = "initial";

static int report(const std::function<int()> &f) {
  try {
    int r = f();
    std::cout << "returned " << r << "\n";
    return 0;
  } catch (const Problem &p) {
    std::cout << "Problem: " << p.what() << " " << p.code << "\n";
  } catch (const std::exception &e) {
    std::cout << "exception: " << e.what() << "\n";
  } catch (int i) {
    std::cout << "int: " << i << "\n";
  } catch (...) {
    std::cout << "something else\n";
  }
  return 1;
}

struct Base { virtual ~Base() {} virtual int f() { return 1; } };
struct Left : virtual Base { int f() override { return 2; } };
struct Right : virtual Base {};
struct Both : Left, Right { int f() override { return 4; } };

static int thrower(int v) { throw Problem("of the program", v); }
static void nested() {
  try {
    throw_at(0, 0);
  } catch (...) {
    std::throw_with_nested(std::logic_error("outer"));
  }
}
/* Many values live over a throwing call, integers and doubles. */
__attribute__((noinline)) static double live(int a, double x) {
  volatile int va = a;
  volatile double vx = x;
  int b = va + 1, c = va + 2, d = va + 3, e = va + 4, f = va + 5;
  double y = vx * 2, z = vx * 3, w = vx * 4;
  try {
    throw_at(1, 1);
  } catch (int i) {
    return b * c * d * e * f + y * z * w + i;
  }
  return 0;
}
static int in_destructor() {
  struct Catches {
    ~Catches() {
      try { throw_at(0, 2); } catch (const std::string &s) { std::cout << "in a destructor: " << s << "\n"; }
    }
  } c;
  return throw_at(0, 1);
}
static void aligned() {
  alignas(64) char buffer[64];
  if (reinterpret_cast<unsigned long>(buffer) % 64) std::cout << "not aligned\n";
  throw buffer[0] == 1 ? 1L : 2L;
}

int main() {
  for (auto &p : registry()) std::cout << p.first << "=" << p.second << "\n";
  for (int what = 0; what < 6; what++) report([=] { return throw_at(3, what); });
  report([] { return call_back(thrower, 5); });
  report([] { nested(); return 0; });
  report(in_destructor);
  report([] { aligned(); return 0; });
  report([] { return (int)std::vector<int>(3).at(5); });
  std::cout << std::fixed << std::setprecision(3) << live(1, 1.5) << "\n";
  try {
    nested();
  } catch (const std::exception &e) {
    try { std::rethrow_if_nested(e); } catch (const Problem &p) { std::cout << "nested " << p.code << "\n"; }
  }
  Both both;
  Base *base = &both;
  std::cout << base->f() << " " << (dynamic_cast<Right *>(base) == &both) << " " << (dynamic_cast<Loud *>((Loud *)nullptr) == nullptr)
            << " " << (typeid(*base) == typeid(Both)) << "\n";
  try { (void)dynamic_cast<Left &>(*std::make_unique<Base>()); } catch (const std::bad_cast &) { std::cout << "bad cast\n"; }
  Counted<int> one;
  std::cout << "one definition: " << Counted<int>::count << " " << shared_static() << "\n";
  std::mutex m;
  std::vector<std::thread> threads;
  int total = 0;
  for (int i = 0; i < 4; i++)
    threads.emplace_back([&, i] {
      text += std::to_string(i);
      try { throw i; } catch (int v) { std::lock_guard<std::mutex> g(m); total += v + (int)text.size(); }
    });
  for (auto &t : threads) t.join();
  std::cout << "threads: " << total << " " << text << "\n";
  std::thread([] { per_thread.name = "joined thread's"; }).join();
  std::stringstream s("3 4.5 word");
  int i; double d; std::string w;
  s >> i >> d >> w;
  std::cout << i << " " << d << " " << w << " " << std::hex << std::showbase << 255 << "\n";
  std::vector<std::string> words{"of", "the", "order", "in"};
  std::sort(words.begin(), words.end());
  for (auto &v : words) std::cout << v << " ";
  std::cout << std::endl;
  return report([]() noexcept { return 3; });
}
