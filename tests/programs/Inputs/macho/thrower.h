#include <map>
#include <stdexcept>
#include <string>

/* The names of its class are in every image that uses it: inline, weak, one at run time. */
struct Problem : std::runtime_error {
  int code;
  Problem(const std::string &what, int c) : std::runtime_error(what), code(c) {}
};
struct Loud {
  const char *name;
  explicit Loud(const char *n);
  ~Loud();
};
template <typename T> struct Counted {
  static int count;
  Counted() { ++count; }
};
template <typename T> int Counted<T>::count = 0;
inline int &shared_static() {
  static int value = 0;
  return ++value;
}
int throw_at(int depth, int what);
int call_back(int (*f)(int), int v);
std::map<std::string, int> &registry();
