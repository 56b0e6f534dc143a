/* demangle.c: readable names by libiberty, and a quick look into mangled ones. The trap: libiberty's
 * cplus_demangle() reads a global style variable, so the language's own entry points are called. */
#include "util/demangle.h"

#include <libiberty/demangle.h>
#include <stdlib.h>

enum { NAME_MAX_LEN = 64 << 10 }; /* longer ones are an attack or a machine's; shown as they are */

static char *demangle_plain(const char *s) {
  int opts = DMGL_PARAMS | DMGL_ANSI;
  char *r = NULL;
  if (starts_with(s, "__Z") || starts_with(s, "__R")) /* C's underscore before it, as Mach-O has it */
    s++;
  if (s[0] == '_' && (s[1] == 'R' || s[1] == 'Z')) {
    r = rust_demangle(s, opts);
    if (!r && s[1] == 'Z')
      r = cplus_demangle_v3(s, opts);
  } else if (s[0] == '_' && s[1] == 'D') {
    r = dlang_demangle(s, opts);
  } else if (starts_with(s, "_GLOBAL_") || starts_with(s, "___Z")) {
    r = cplus_demangle_v3(s, opts);
  }
  return r;
}

char *demangle(const char *name, u64 len) {
  u64 lead = len && name[0] == '.'; /* some compilers mark local entry points so */
  if (len - lead < 3 || name[lead] != '_' || len > NAME_MAX_LEN)
    return NULL;
  const char *at = memchr(name, '@', len);
  u64 core = at ? (u64)(at - name) : len;
  char *copy = malloc(core - lead + 1);
  if (!copy)
    return NULL;
  memcpy(copy, name + lead, core - lead);
  copy[core - lead] = 0;
  char *plain = demangle_plain(copy);
  free(copy);
  if (!plain || (!at && !lead))
    return plain;
  u64 n = strlen(plain);
  char *r = malloc(lead + n + (len - core) + 1);
  if (r) {
    memcpy(r, name, lead);
    memcpy(r + lead, plain, n);
    memcpy(r + lead + n, name + core, len - core);
    r[lead + n + (len - core)] = 0;
  }
  free(plain);
  return r;
}

/* ---- demangle_path: Itanium C++ ABI, 5.1.2 and 5.1.3 <encoding>, <name> ---- */

typedef struct {
  const char *p, *end;
  char *out;
  u32 n, cap;
} PathReader;

static bool path_add(PathReader *r, const char *s, u64 len) {
  if (r->n) {
    if (r->cap - r->n < 3)
      return false;
    memcpy(r->out + r->n, "::", 2);
    r->n += 2;
  }
  if (len >= r->cap - r->n)
    return false;
  memcpy(r->out + r->n, s, len);
  r->n += (u32)len;
  return true;
}

/* <source-name>: a decimal length, then that many bytes. */
static bool path_source_name(PathReader *r) {
  u64 len = 0;
  while (r->p < r->end && *r->p >= '0' && *r->p <= '9' && len < NAME_MAX_LEN)
    len = len * 10 + (u64)(*r->p++ - '0');
  if (!len || len > (u64)(r->end - r->p))
    return false;
  const char *s = r->p;
  r->p += len;
  bool last = r->p < r->end && *r->p == 'E';
  if (last && len == 17 && s[0] == 'h' && r->n) /* Rust, legacy: the hash of the crate */
    return true;
  return path_add(r, s, len);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

u32 demangle_path(const char *name, u64 len, char *out, u32 cap, bool *cxx) {
  const char *at = memchr(name, '@', len);
  u64 core = at && at != name ? (u64)(at - name) : len;
  *cxx = core > 2 && name[0] == '_' && name[1] == 'Z';
  PathReader r = {name, name + core, out, 0, cap};
  if (!*cxx) {
    if (!path_add(&r, name, core))
      return 0;
    out[r.n] = 0;
    return r.n;
  }
  r.p += 2;
  bool nested = r.p < r.end && *r.p == 'N';
  if (nested) {
    r.p++;
    while (r.p < r.end && memchr("rVKRO", *r.p, 5))
      r.p++;
  } else if (r.p < r.end && *r.p == 'L') {
    r.p++; /* a static function or variable */
  }
  if (r.end - r.p > 2 && r.p[0] == 'S' && r.p[1] == 't') {
    r.p += 2;
    if (!path_add(&r, "std", 3))
      return 0;
  }
  while (r.p < r.end) {
    if (is_digit(*r.p)) {
      if (!path_source_name(&r))
        return 0;
      if (!nested)
        break;
    } else if (nested && (*r.p == 'C' || *r.p == 'D') && r.end - r.p > 1 && is_digit(r.p[1])) {
      if (!path_add(&r, *r.p == 'C' ? "(constructor)" : "(destructor)", *r.p == 'C' ? 13 : 12))
        return 0;
      break;
    } else if (*r.p == 'L' && r.end - r.p > 1 && is_digit(r.p[1])) {
      r.p++;
    } else if (*r.p == 'E') {
      break;
    } else { /* template arguments, operators, substitutions: not a plain path */
      return 0;
    }
  }
  if (!r.n)
    return 0;
  out[r.n] = 0;
  return r.n;
}
