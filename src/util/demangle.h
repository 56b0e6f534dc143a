/* demangle.h: symbol names as their authors wrote them: Itanium C++ (also behind a leading dot or an
 * `@VERSION`), Rust (legacy and v0) and D. */
#ifndef WELD_UTIL_DEMANGLE_H
#define WELD_UTIL_DEMANGLE_H

#include "util/base.h"

/* The readable form of the first `len` bytes of `name`, malloc'ed (the caller frees it); NULL when the
 * name is not mangled, or too long to be worth it. A suffix "@VER" or "@@VER" is kept. Thread safe. */
char *demangle(const char *name, u64 len);

/* The qualified name inside a mangled name, without parameters, template arguments and qualifiers:
 * "_ZNK3foo3barEi" gives "foo::bar". Rust's hash is left out; a name that is not mangled gives itself;
 * what a version suffix says is left out. Cheap (no demangling): for comparing many names. At most `cap` - 1 bytes and a
 * NUL go to `out`; returns the length, 0 when the name has a shape that this does not know.
 * *cxx: the name was a mangled one. */
u32 demangle_path(const char *name, u64 len, char *out, u32 cap, bool *cxx);

#endif
