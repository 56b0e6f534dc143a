/* trace.h: where the time of a link goes: --perf (a table of phases), --time-trace=FILE (Chrome's trace
 * event format, opens in a trace viewer) and the counts of --stats. All calls take NULL, which costs
 * one comparison. */
#ifndef WELD_UTIL_TRACE_H
#define WELD_UTIL_TRACE_H

#include "util/base.h"
#include "util/diag.h"

typedef struct Trace Trace;

/* Time counts from here. NULL when there is no memory. */
Trace *trace_create(unsigned threads);
void trace_destroy(Trace *t);

/* A phase begins and ends; phases nest. Main thread only. `name` must outlive t (a literal). */
void trace_begin(Trace *t, const char *name);
void trace_end(Trace *t);

/* A piece of work on thread tid (< threads): call trace_now() before, trace_span() after. `detail` (may be
 * NULL) is copied. Thread safe for different tids. */
u64 trace_now(const Trace *t);
void trace_span(Trace *t, unsigned tid, const char *name, const char *detail, u64 begin);

/* A number for --stats. `name` must outlive t. Main thread only. */
void trace_count(Trace *t, const char *name, u64 value);

/* Writes the file of --time-trace; false after a report. */
bool trace_write(const Trace *t, Diag *d, const char *path);
/* The tables, on standard error: wall and CPU time (all threads) and peak memory; the counts. */
void trace_print_perf(const Trace *t);
void trace_print_stats(const Trace *t);

#endif
