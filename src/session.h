/* session.h: what every kind of link begins and ends with: link.c's, link_macho.c's and graph.c's. */
#ifndef WELD_SESSION_H
#define WELD_SESSION_H

#include "core/link.h"
#include "util/trace.h"

/* Sets a zeroed Link up for these options: threads, file 0. What reads and writes (Link.format) is the caller's. */
void session_begin(Link *l, Options *o, Diag *d);
/* When inputs are loaded: a small link gets by with one thread. */
void session_settle_threads(Link *l);
/* Gives everything back that a Link holds, whatever it came to. */
void session_end(Link *l);
/* The end of a link that was asked for by a command line: --stats and its like; then gives back the Link, itself too, unless the
 * process ends anyway. Returns `ok`, or false when a report could not be written. */
bool session_finish(Link *l, bool ok);

/* A step of the story, for --time-trace. */
#define PHASE(name, call)                                                                          \
  do {                                                                                             \
    trace_begin(l->perf, name);                                                                    \
    call;                                                                                          \
    trace_end(l->perf);                                                                            \
  } while (0)

#endif
