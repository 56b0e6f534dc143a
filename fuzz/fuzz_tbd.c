/* fuzz_tbd.c: text stubs of dynamic libraries, of all versions. What weld's own scanner reads libyaml must read as well, and as the
 * same. */
#include "fuzz_library.h"

typedef struct {
  Arena a;
  MachoLibrary *libs;
  u32 n;
  bool good;
} Read;

static Read read_text(Bytes text, const MachoTarget *t, bool fast) {
  Read r = {0};
  Diag *d = quiet_diag();
  r.good = tbd_read_with(&r.a, d, "fuzz.tbd", text, t, fast, &r.libs, &r.n);
  if (r.good ? !r.n : !fast && !diag_errors(d))
    abort();
  for (u32 i = 0; r.good && i < r.n; i++)
    check_library(&r.libs[i]);
  diag_flush(d);
  diag_destroy(d);
  return r;
}

static void same_names(const char *const *a, u32 na, const char *const *b, u32 nb) {
  if (na != nb)
    abort();
  for (u32 i = 0; i < na; i++)
    if (!streq(a[i], b[i]))
      abort();
}

static void same_library(const MachoLibrary *a, const MachoLibrary *b) {
  same_names(&a->install_name, 1, &b->install_name, 1);
  same_names(a->reexports, a->nreexports, b->reexports, b->nreexports);
  same_names(a->clients, a->nclients, b->clients, b->nclients);
  same_names(a->rpaths, a->nrpaths, b->rpaths, b->nrpaths);
  if (a->nexports != b->nexports || a->current_version != b->current_version || a->compatibility_version != b->compatibility_version ||
      a->for_target != b->for_target || a->app_extension_safe != b->app_extension_safe)
    abort();
  for (u32 i = 0; i < a->nexports; i++)
    if (!streq(a->exports[i].name, b->exports[i].name) || a->exports[i].flags != b->exports[i].flags)
      abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Bytes text = {data, size};
  tbd_is(text);
  for (u32 t = 0; t < COUNT_OF(fuzz_targets); t++) {
    Read fast = read_text(text, &fuzz_targets[t], true), slow = read_text(text, &fuzz_targets[t], false);
    if (fast.good && (!slow.good || fast.n != slow.n))
      abort();
    for (u32 i = 0; fast.good && i < fast.n; i++)
      same_library(&fast.libs[i], &slow.libs[i]);
    arena_free(&fast.a);
    arena_free(&slow.a);
  }
  return 0;
}
