/* fuzz_library.h: what fuzz_tbd.c and fuzz_dylib.c check of a library that was read: it is whole, or something was said. */
#ifndef WELD_FUZZ_LIBRARY_H
#define WELD_FUZZ_LIBRARY_H

#include <stdlib.h>

#include "format/macho.h"
#include "fuzz.h"
#include "read/tbd.h"

static void quiet(void *ctx, DiagLevel level, const char *code, const char *text) { (void)ctx, (void)level, (void)code, (void)text; }

static Diag *quiet_diag(void) {
  Diag *d = diag_create();
  diag_configure(d, &(DiagOptions){.sink = quiet, .program = "weld"});
  return d;
}

static void check_names(const char *const *v, u32 n) {
  for (u32 i = 0; i < n; i++)
    if (!v[i])
      abort();
}

static void check_library(const MachoLibrary *lib) {
  for (u32 i = 0; i < lib->nexports; i++)
    if (strlen(lib->exports[i].name) != lib->exports[i].len)
      abort();
  check_names(&lib->install_name, 1);
  check_names(lib->reexports, lib->nreexports);
  check_names(lib->clients, lib->nclients);
  check_names(lib->rpaths, lib->nrpaths);
}

static const MachoTarget fuzz_targets[] = {{"x86_64", CPU_TYPE_X86_64, PLATFORM_MACOS, 0xb0000}, {"arm64", CPU_TYPE_ARM64, PLATFORM_IOSSIMULATOR, 0xd0000}};

#endif
