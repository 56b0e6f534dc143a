/* gnu.h: the GNU command line (ld, ld.lld, gold, mold) to Options. One row of gnu.def is one option;
 * --help and the man page are made from the rows. Nothing here opens an input, exits, or writes to
 * standard output: what needs the outside comes in through DriverHooks.
 * The trap: an option's order on the line matters for inputs (--as-needed, -Bstatic, ...) and not for
 * directories (-L, --sysroot), so the latter are settled after the last argument. */
#ifndef WELD_DRIVER_GNU_H
#define WELD_DRIVER_GNU_H

#include "core/options.h"
#include "util/bytes.h"
#include "util/diag.h"

/* What the driver borrows from its caller; any pointer but `ctx` may be NULL, and the options that
 * need it are then errors (memory: no in-memory inputs; print: nothing is printed). */
typedef struct {
  void *ctx;
  /* Text for standard output: --help, --version, ... Ends with a newline. */
  void (*print)(void *ctx, const char *text);
  /* True when the caller holds bytes under this name: they are used instead of a file. */
  bool (*memory)(void *ctx, const char *name, Bytes *out);
  /* The next in-memory input that nothing named so far: it is linked after the named ones. NULL: none
   * left. */
  const char *(*next_unnamed)(void *ctx);
  /* From script/: each reports what it can't read and returns false or NULL; what it makes lives in
   * the arena or is appended to *out. */
  bool (*parse_version)(Arena *a, Diag *d, const char *name, Bytes text, VersionScript *out);
  bool (*parse_dynamic_list)(Arena *a, Diag *d, const char *name, Bytes text, VersionPatterns *out);
  const Expr *(*parse_expr)(Arena *a, Diag *d, const char *origin, const char *text);
  /* The text of the linker script that these complete options link with, for --verbose; *internal: it is weld's own. In the arena. */
  const char *(*script)(Arena *a, const Options *o, bool *internal);
} DriverHooks;

typedef enum {
  DRIVER_LINK,  /* Options are complete: link */
  DRIVER_DONE,  /* --help, --version, ...: nothing to link, success */
  DRIVER_ERROR, /* reported through Diag; diag_flush() shows it */
} DriverResult;

/* Parses argv[1..argc). `o` comes from options_init(); `argv` must outlive it. Also configures `d`
 * (colours, JSON, limits, fatal warnings), keeping its sink and program name. */
DriverResult driver_gnu(int argc, char **argv, const DriverHooks *hooks, Options *o, Diag *d);

/* Whether the GNU driver is meant by this name of the program or of a -flavor: "ld", "ld.weld",
 * "weld", "x86_64-linux-gnu-ld", "gnu". */
bool driver_gnu_name(const char *name);

/* The text of --help, and the source of the man page weld.1 (mdoc). In the arena. */
const char *gnu_help(Arena *a, const char *program);
const char *gnu_man_page(Arena *a);

#endif
