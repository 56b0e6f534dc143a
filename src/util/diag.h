/* diag.h: every message of a link. A report says file, member, offset and fact in one line, and
 * returns; the caller skips the item and goes on, so that one run shows all errors.
 * Reports from parallel passes are ordered by their place (file index, offset), not by the schedule:
 * they are kept until diag_flush(), which checkpoint() calls. Thread safe. */
#ifndef WELD_UTIL_DIAG_H
#define WELD_UTIL_DIAG_H

#include <stdarg.h>

#include "util/base.h"

typedef enum { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE } DiagLevel;

typedef struct Diag Diag;

/* Gets each message when it is flushed. `code` is a short stable word ("undefined-symbol"). `text`
 * may hold several lines. Must not report anything itself. */
typedef void DiagSink(void *ctx, DiagLevel level, const char *code, const char *text);

typedef struct {
  DiagSink *sink; /* NULL: standard error, formatted as below */
  void *sink_ctx;
  const char *program;  /* "weld": leads each line */
  bool color;           /* ANSI colours around the level word */
  bool json;            /* one JSON object a line instead of text */
  bool fatal_warnings;  /* warnings count as errors */
  bool no_warnings;     /* -w: warnings are dropped */
  bool demangle;        /* names in messages are demangled (sym names are passed through diag_name) */
  u32 error_limit;      /* 0: none; further errors are counted, not shown; ends with a note */
} DiagOptions;

Diag *diag_create(void);
void diag_destroy(Diag *d);
/* May be called again as options become known; what is pending uses the newest. */
void diag_configure(Diag *d, const DiagOptions *o);
const DiagOptions *diag_options(const Diag *d);

/* `order` places the message among those of one flush: (file index << 32 | offset-ish), 0 for
 * messages that belong to no place. Equal order: sorted by text. Identical messages are shown once. */
void diag_report(Diag *d, DiagLevel level, const char *code, u64 order, const char *fmt, ...)
    PRINTF_LIKE(5, 6);
void diag_vreport(Diag *d, DiagLevel level, const char *code, u64 order, const char *fmt, va_list ap)
    PRINTF_LIKE(5, 0);

/* The same about a place in a text, which leads the message, as compilers have it:
 * "weld: a.yaml:3:5: error: ..."; a sink and JSON get "a.yaml:3:5: ...". */
void diag_report_at(Diag *d, DiagLevel level, const char *code, u64 order, const char *path, u32 line,
                    u32 column, const char *fmt, ...) PRINTF_LIKE(8, 9);

/* A place that a message points at. All strings are optional (NULL), and copied. */
typedef struct {
  const char *role;     /* "referenced by", "defined at" */
  const char *source;   /* source file, from debug information */
  u32 line;
  const char *function; /* or variable: what the place is in */
  const char *object;   /* "main.o", "libx.a(main.o)" */
  const char *section;  /* ".text", with `offset`: shown when there is no source */
  u64 offset;
} DiagPlace;

/* A message of several lines: a headline, then the places, then notes ("did you mean ..."). As text each
 * is a line of its own after ">>> "; as JSON they are the arrays "places" and "notes". */
typedef struct {
  DiagLevel level;
  const char *code;
  u64 order;
  const char *message;
  const char *symbol;   /* JSON only: the name as it stands in the symbol table; or NULL */
  const DiagPlace *places;
  u32 nplaces;
  const char *const *notes;
  u32 nnotes;
} DiagItem;
void diag_report_item(Diag *d, const DiagItem *item);

#define diag_error(d, code, ...) diag_report((d), DIAG_ERROR, (code), 0, __VA_ARGS__)
#define diag_warn(d, code, ...) diag_report((d), DIAG_WARNING, (code), 0, __VA_ARGS__)

/* Shows what is pending, in order. */
void diag_flush(Diag *d);
/* Errors reported so far (with fatal_warnings, warnings too). */
u32 diag_errors(const Diag *d);

/* Demangled form of a symbol name (Itanium C++, Rust, D) when options ask for it, else the name itself;
 * version suffixes are kept. The result is owned by the Diag. Thread safe. */
const char *diag_name(Diag *d, const char *name);

#endif
