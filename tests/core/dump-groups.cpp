// REQUIRES: weld
// RUN: rm -rf %t && mkdir %t
// RUN: %cxx -g -c %s -o %t/1.o
// RUN: %cxx -g -DOTHER -c %s -o %t/2.o
// RUN: %cxx %t/1.o %t/2.o -o %t/exe -Wl,--gc-sections -Wl,--dump-graph=resolve:%t/1,--dump-graph=dead-strip:%t/2,--dump-graph=layout:%t/3
// RUN: for i in 1 2 3; do %weld -core %t/$i > %t/again && cmp %t/$i %t/again || exit 1; done
// RUN: test $(grep -A1 'name: *_Z5twiceIiET_S0_$' %t/1 | grep -c 'scope: *global') = 1
// RUN: test $(grep -A1 'name: *_Z5twiceIiET_S0_$' %t/1 | grep -c 'type: *group-comdat') = 1
// RUN: test $(grep -A1 'name: *_ZGVZ5countvE1n$' %t/3 | grep -c 'scope: *global') = 1
// RUN: %t/exe
// Of a group that two files bring one is dumped, and references of both files and of both files' debug sections are
// to it, or to nothing.
template <class T> T twice(T x) { return x + x; }
int start();
inline int count() {
  static int n = start();
  return n++;
}
struct Base {
  virtual ~Base() {}
  virtual int get() { return twice(count()); }
};
#ifdef OTHER
int start() { return 3; }
int other() {
  Base b;
  return b.get() + twice(4);
}
#else
int other();
int main() {
  Base b;
  Base *p = &b;
  try {
    if (p->get() > 100)
      throw 1;
  } catch (int) {
    return 1;
  }
  return other() + twice(1) == 0;
}
#endif
