/* shims.h: how the tables of libSystem's functions are made. A row is a name as the linker sees it (with its
 * underscore) and an address: of the host's function where both have one ABI and one layout of what is passed, of
 * a function here where not. The trap: numbers (errno, flags, signals) differ almost everywhere. */
#ifndef MACHORUN_SHIMS_H
#define MACHORUN_SHIMS_H

#include <stdarg.h>

#include "machorun.h"

typedef struct {
  const char *name;
  void *address;
} Shim;

#define SAME(f) {"_" #f, (void *)f}

/* A va_list as the program has it: on x86-64 the psABI's, on arm64 a pointer to the arguments on the stack. */
typedef void *MacList;
void list_open(void *host_list, MacList list);
#define LIST_OPEN(ap, list)                                                                                            \
  va_list ap;                                                                                                          \
  list_open(&ap, list)

/* Long double is double on Apple's arm64: says %Lf another way. The result is `format`, or lives in `buffer`. */
const char *format_adapt(const char *format, char buffer[1024]);

/* shims_numbers.c */
int errno_to_mac(int host);
int errno_from_mac(int mac);
int signal_to_mac(int host);
int signal_from_mac(int mac);

extern const Shim shims_same[], shims_stdio[], shims_files[], shims_threads[], shims_process[], shims_locale[],
    shims_loader[];

#endif
