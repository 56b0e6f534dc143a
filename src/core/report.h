/* report.h: the errors that need the whole link to be known: names with two definitions, names with
 * none. All are reported in one run; checkpoint() stops afterwards. */
#ifndef WELD_CORE_REPORT_H
#define WELD_CORE_REPORT_H

#include <stdio.h>

#include "core/link.h"

/* After resolve. Costs nothing unless l->has_duplicates (or --warn-common). */
void report_duplicates(Link *l);
/* After dead strip: only what a live atom refers to is missing. One pass over the flags when nothing is. */
void report_undefined(Link *l);
/* --require-defined: what is not defined here after all. */
void report_required(Link *l);
/* --trace and --trace-symbol; --print-dependencies: on standard output, once definitions are known. */
void report_trace(const Link *l);
void report_dependencies(const Link *l);
/* --print-gc-sections: what dead strip removed, on standard output, in input order. */
void report_gc_sections(Link *l);

/* --why-extract, --print-archive-stats: why archive members are in the link. Right after resolve_names(). */
void report_extracts(Link *l);
/* --why-live: what keeps symbols in the output, on standard output. After resolve_dead(). */
void report_why_live(Link *l);

/* ---- for whoever reports ---- */

/* A file that an option names, "-": standard output. NULL after a report. */
FILE *report_file_open(Link *l, const char *option, const char *path);
/* Closes it; an error is reported when not all could be written. */
void report_file_close(Link *l, const char *option, const char *path, FILE *f);

/* ---- for core/report.c and core/hints.c ---- */

/* A place to be shown, and where its description goes. */
typedef struct {
  u32 file;
  u32 atom; /* 0: none (absolute) */
  u64 off;
  DiagPlace *out;
} Spot;
/* Fills the places; each object's debug information is opened once. Strings live in `a`. With
 * `function` the enclosing function is named, else only its source place. */
void spots_locate(Link *l, Arena *a, Spot *spots, u32 n, const char *role, bool function);

typedef struct {
  u32 sym;
  const char *name; /* as in the symbol table, ends with NUL */
  VEC(const char *) notes; /* vec_free() by the caller; the strings live in the arena */
} Hint;
/* Looks for what explains each undefined symbol: another signature, a near name, a missing extern "C", a
 * definition that is static, hidden, discarded, or in a library that is not in the link. */
void hints_find(Link *l, Arena *a, Hint *hints, u32 n);

#endif
