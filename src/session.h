/* session.h: what every kind of link begins and ends with: link.c's and graph.c's. */
#ifndef WELD_SESSION_H
#define WELD_SESSION_H

#include "core/link.h"

/* Sets a zeroed Link up for these options: threads, file 0. What reads and writes (Link.format) is the caller's. */
void session_begin(Link *l, Options *o, Diag *d);
/* Gives everything back that a Link holds, whatever it came to. */
void session_end(Link *l);

#endif
