/* gnu_rows.h: what the files of the GNU driver share: a row of gnu.def as data, and the state of one
 * parse. Private to src/driver/gnu*.c and help.c. */
#ifndef WELD_DRIVER_GNU_ROWS_H
#define WELD_DRIVER_GNU_ROWS_H

#include "driver/gnu.h"

typedef enum { ARG_FLAG, ARG_VALUE, ARG_OPTIONAL, ARG_JOINED } ArgKind;

typedef enum {
  GROUP_INPUTS, GROUP_OUTPUT, GROUP_DYNAMIC, GROUP_SYMBOLS, GROUP_SECTIONS, GROUP_STRIP,
  GROUP_MESSAGES, GROUP_RUNNING, GROUP_Z,
} Group;

typedef enum { SUPPORT_FULL, SUPPORT_NO_EFFECT, SUPPORT_LATER_WARNING, SUPPORT_LATER_ERROR } Support;

typedef enum { ACT_NOTHING, ACT_BOOL, ACT_CHOOSE, ACT_STRING, ACT_APPEND, ACT_CALL } ActionKind;

typedef struct Gnu Gnu;

/* `name` is the option as the user wrote it, without its value ("--build-id", "-z stack-size"); `arg`
 * is NULL when the option has none. Errors are reported. */
typedef void OptionFn(Gnu *g, const char *name, const char *arg);

typedef struct {
  ActionKind kind;
  u32 value;  /* of ACT_BOOL and ACT_CHOOSE */
  u32 offset; /* of the field in Options */
  OptionFn *fn;
} Action;

typedef struct {
  const char *names[5]; /* without dashes, ended by NULL */
  ArgKind arg;
  const char *metavar;
  Group group;
  Support support;
  Action action;
  const char *help;
} OptionRow;

/* The dashes that users know an option by: -o, -dn, -Bstatic, -Ttext, --output. */
static inline const char *option_dashes(const char *name) {
  return strlen(name) <= 2 || (name[0] >= 'A' && name[0] <= 'Z') ? "-" : "--";
}

extern const OptionRow gnu_rows[];   /* every option but the keywords of -z */
extern const OptionRow gnu_z_rows[]; /* the keywords of -z */
extern const u32 gnu_nrows, gnu_nz_rows;

/* What governs the inputs that follow; --push-state saves it. */
typedef struct {
  bool as_needed, whole_archive, bstatic;
} InputState;

struct Gnu {
  Options *o;
  Diag *d;
  const DriverHooks *h;
  const char *program;
  InputState state;
  VEC(InputState) saved;
  bool in_lib;
  u32 group, groups;  /* the open group, 0: none; how many there were */
  /* Settled after the last argument: they depend on -L, --sysroot or -o. */
  StrVec version_scripts, dynamic_lists, export_lists;
  bool bare_time_trace;
  bool version_shown; /* -v: success without inputs */
  bool done;          /* --help, --version: stop */
};

void gnu_take(Gnu *g, const OptionRow *row, const char *name, const char *arg);
/* Takes one non-option argument. */
void gnu_add_input(Gnu *g, const char *name);
/* After the last argument: directories, scripts, and what options say together. */
void gnu_finish(Gnu *g);
/* The bytes of a file or of an in-memory input; false without a report when there is none. In the
 * options' arena. *err is the errno. */
bool gnu_read_file(Gnu *g, const char *path, Bytes *out, int *err);

#endif
