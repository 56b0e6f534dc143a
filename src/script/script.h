/* script.h: text of linker scripts, version scripts, dynamic lists and expressions -> plain data.
 * All functions report errors as "file:line:col: fact" with the source line and a caret, return
 * false (NULL) when there were any, and put what they make into the arena. The text may be
 * anything: it is not trusted, needs no NUL at its end and may go away afterwards. */
#ifndef WELD_SCRIPT_SCRIPT_H
#define WELD_SCRIPT_SCRIPT_H

#include "core/expr.h"
#include "core/script.h"
#include "core/version.h"
#include "util/arena.h"
#include "util/bytes.h"
#include "util/diag.h"

/* A whole linker script. *out is zeroed but for `open`, and for `layout`: what scripts before this one came to, which this one's
 * follows (shallow copies). See core/script.h. GNU ld manual, "Linker Scripts". Parsing goes on after errors about facts, and stops at the
 * first syntax error. */
bool script_parse(Arena *a, Diag *d, const char *name, Bytes text, Script *out);

/* Free the growable arrays; strings and trees stay in the arena. */
void script_free(Script *s);
void script_free_version(VersionScript *v);

/* A version script; its nodes are added to *out. GNU ld manual, "VERSION Command". */
bool script_parse_version(Arena *a, Diag *d, const char *name, Bytes text, VersionScript *out);

/* A dynamic list, `{ a; b*; extern "C++" { ... }; };`; its patterns are added to *out. GNU ld
 * manual,
 * --dynamic-list. */
bool script_parse_dynamic_list(Arena *a, Diag *d, const char *name, Bytes text,
                               VersionPatterns *out);

/* One expression, the whole of `text`. `origin` names where it came from ("--defsym=x=1+2"). NULL
 * after a report. GNU ld manual, "Expressions in Linker Scripts". */
const Expr *script_parse_expr(Arena *a, Diag *d, const char *origin, const char *text);

#endif
