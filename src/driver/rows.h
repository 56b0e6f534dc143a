/* rows.h: what the drivers share: an option as a row of data, what its action may be, and the state that every
 * parse has. A driver's .def file becomes an array of rows; the parser and --help are made from it. */
#ifndef WELD_DRIVER_ROWS_H
#define WELD_DRIVER_ROWS_H

#include "driver/gnu.h"

typedef enum {
  ARG_FLAG,
  ARG_VALUE,    /* GNU: --name VALUE, --name=VALUE, -xVALUE; Apple: -name VALUE, or as many as `values` says */
  ARG_OPTIONAL, /* --name, --name=VALUE */
  ARG_JOINED,   /* -nameVALUE */
  ARG_EITHER,   /* -nameVALUE, -name VALUE */
  ARG_EQUALS,   /* --name=VALUE, --name VALUE */
} ArgKind;

typedef enum {
  GROUP_INPUTS, GROUP_OUTPUT, GROUP_DYNAMIC, GROUP_SYMBOLS, GROUP_SECTIONS, GROUP_STRIP,
  GROUP_MESSAGES, GROUP_RUNNING, GROUP_Z,
} Group;

typedef enum { SUPPORT_FULL, SUPPORT_NO_EFFECT, SUPPORT_LATER_WARNING, SUPPORT_LATER_ERROR } Support;

typedef enum { ACT_NOTHING, ACT_BOOL, ACT_CHOOSE, ACT_STRING, ACT_APPEND, ACT_CALL } ActionKind;

/* The members of Driver, for the beginning of a driver's own state. */
#define DRIVER_STATE                                                                               \
  Options *o;                                                                                      \
  Diag *d;                                                                                         \
  const DriverHooks *h;                                                                            \
  const char *program;                                                                             \
  bool bare_time_trace; /* --time-trace without a file */                                          \
  bool in_lib;          /* between --start-lib and --end-lib */                                    \
  const char *const *no_files; /* beginnings of arguments with an @ that name no response file; NULL: there are none */ \
  bool done             /* --help, --version: stop */
typedef struct {
  DRIVER_STATE;
} Driver;

/* `state` is the driver's own. `name` is the option as the user wrote it, without its value ("--build-id",
 * "-z stack-size"); `arg` is NULL when the option has none. Errors are reported. */
typedef void OptionFn(void *state, const char *name, const char *arg);

typedef struct {
  ActionKind kind;
  u32 value;  /* of ACT_BOOL and ACT_CHOOSE */
  u32 offset; /* of the field in Options */
  OptionFn *fn;
} Action;

typedef struct {
  const char *names[6]; /* without dashes, ended by NULL */
  ArgKind arg;
  const char *metavar;
  Group group;
  Support support;
  Action action;
  const char *help;
  u8 values;            /* how many words of the command line are its value; 0: one, when it has any */
  const char *dashes;   /* that users know it by; NULL: as GNU's */
} OptionRow;

/* Does what a row says: its action, or the message that it is not supported. */
void option_take(Driver *g, void *state, const OptionRow *row, const char *name, const char *arg);

/* The dashes that users know an option of GNU's by: -o, -dn, -Bstatic, -Ttext, --output. */
static inline const char *option_dashes(const char *name) {
  return strlen(name) <= 2 || (name[0] >= 'A' && name[0] <= 'Z') ? "-" : "--";
}

/* ---- what the tables are written with ---- */

/* Offset of a field whose type must be T; a wrong one does not compile. */
#define FIELD(f, T)                                                                                \
  (u32)(offsetof(Options, f) +                                                                     \
        0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((Options *)0)->f), T) ? 1 : -1]))
/* The same for any enum. */
#define ENUM_FIELD(f)                                                                              \
  (u32)(offsetof(Options, f) +                                                                     \
        0 * sizeof(char[sizeof(((Options *)0)->f) == sizeof(u32) ? 1 : -1]))

#define N(...)           {__VA_ARGS__}
#define NOTHING          {ACT_NOTHING, 0, 0, NULL}
#define SET(f)           {ACT_BOOL, 1, FIELD(f, bool), NULL}
#define CLEAR(f)         {ACT_BOOL, 0, FIELD(f, bool), NULL}
#define YES(f)           {ACT_CHOOSE, OPT_YES, FIELD(f, Tri), NULL}
#define NO(f)            {ACT_CHOOSE, OPT_NO, FIELD(f, Tri), NULL}
#define CHOOSE(f, value) {ACT_CHOOSE, (u32)(value), ENUM_FIELD(f), NULL}
#define STRING(f)        {ACT_STRING, 0, FIELD(f, const char *), NULL}
#define APPEND(f)        {ACT_APPEND, 0, FIELD(f, StrVec), NULL}
#define CALL(fn)         {ACT_CALL, 0, 0, do_##fn}

/* Defines the function that CALL(fn) names, for a driver whose state is a T. Most have no use for one of their
 * parameters. */
#define ACTION_OF(T, fn)                                                                           \
  static void act_##fn(T *g, const char *name, const char *arg);                                   \
  static void do_##fn(void *state, const char *name, const char *arg) { act_##fn(state, name, arg); } \
  static void act_##fn(T *g __attribute__((unused)), const char *name __attribute__((unused)),     \
                       const char *arg __attribute__((unused)))

#endif
