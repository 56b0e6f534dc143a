/* jobserver.h: GNU make's jobserver, as a client. A job owns one token by being run; each further
 * thread needs one more. GNU make manual, "POSIX Jobserver Interaction". */
#ifndef WELD_DRIVER_JOBSERVER_H
#define WELD_DRIVER_JOBSERVER_H

#include "util/base.h"

typedef struct {
  int read_fd, write_fd; /* -1: no jobserver */
  u32 held;
  char tokens[256];      /* as they were read: they must go back as they are */
} Jobserver;

/* Looks for a jobserver in the value of MAKEFLAGS (NULL: none). False when none is offered, or when it
 * can't be reached; then nothing needs closing. */
bool jobserver_open(Jobserver *j, const char *makeflags);
/* Takes up to `want` tokens that are free now; never waits. Returns how many it got. */
u32 jobserver_take(Jobserver *j, u32 want);
/* Gives every token back. */
void jobserver_close(Jobserver *j);

#endif
