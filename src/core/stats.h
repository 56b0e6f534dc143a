/* stats.h: the counts of --stats. */
#ifndef WELD_CORE_STATS_H
#define WELD_CORE_STATS_H

#include "core/link.h"
#include "util/trace.h"

/* Adds what the link holds to t (trace_count). After layout; t may be NULL. */
void stats_collect(const Link *l, Trace *t);

#endif
