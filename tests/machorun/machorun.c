/* machorun.c: runs a Mach-O program on Linux for tests, after checking its file more strictly than dyld does.
 * See README.md for what is checked and what is not. The trap: main does not return to here when the program
 * calls exit; everything that must happen at the end is registered before. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "machorun.h"

Options options;

_Noreturn void fail(const Image *im, const char *format, ...) {
  va_list ap;
  fflush(stdout);
  fprintf(stderr, "machorun: %s%s", im ? im->path : "", im ? ": " : "");
  va_start(ap, format);
  vfprintf(stderr, format, ap);
  va_end(ap);
  fputc('\n', stderr);
  _exit(126);
}

static const char usage[] =
    "usage: machorun [options] PROGRAM [ARGUMENTS]\n"
    "  --check               only check PROGRAM (any type, any CPU), do not run it\n"
    "  --lazy                bind lazy pointers when they are called, through dyld_stub_binder\n"
    "  --allow-unaligned     pointers that the loader writes may be at any address\n"
    "  --allow-unwind-twice  __unwind_info may have two entries of one function\n"
    "  --verbose             say what is loaded and bound\n";

int main(int argc, char **argv, char **envp) {
  int i = 1;
  for (; i < argc && argv[i][0] == '-'; i++) {
    if (streq(argv[i], "--check"))
      options.check_only = true;
    else if (streq(argv[i], "--lazy"))
      options.lazy = true;
    else if (streq(argv[i], "--allow-unaligned"))
      options.allow_unaligned = true;
    else if (streq(argv[i], "--allow-unwind-twice"))
      options.allow_unwind_twice = true;
    else if (streq(argv[i], "--verbose"))
      options.verbose = true;
    else
      break;
  }
  if (i >= argc || argv[i][0] == '-') {
    fputs(usage, stderr);
    return 126;
  }
  Image *im = images_load(argv[i]);
  if (options.check_only)
    return 0;
  if (im->header.filetype != TYPE_EXECUTE)
    fail(im, "is no executable");
#ifdef __aarch64__
  if (im->header.cputype != CPU_ARM64)
#else
  if (im->header.cputype != CPU_X86_64)
#endif
    fail(im, "is for another CPU than this machorun");
  exit(program_run(im, argc - i, argv + i, envp));
}
