/* threads.h: a parallel for over an index range. Workers start at the first run that is worth it.
 * The trap: chunks run in any order on any thread, so a body writes only its own slots, or uses an
 * atomic that commutes. Errors go to Diag, which sorts them. */
#ifndef WELD_UTIL_THREADS_H
#define WELD_UTIL_THREADS_H

#include "util/base.h"

typedef struct Pool Pool;

/* threads >= 1; 1 never starts a thread. */
Pool *pool_create(unsigned threads);
void pool_destroy(Pool *p);
unsigned pool_threads(const Pool *p);
/* Starts the workers before the first run needs them: it takes some time until the kernel has found each
 * a core. */
void pool_start(Pool *p);

/* From now on everything runs inline: for a link that is over before a thread has woken up. */
void pool_stay_alone(Pool *p);

/* Calls fn(ctx, begin, end, tid) over [0, n) in chunks of at most `grain`, tid < pool_threads(). Runs
 * inline when n <= grain. Returns when all is done; memory written by the bodies is visible. */
typedef void PoolFn(void *ctx, u32 begin, u32 end, unsigned tid);
void pool_run(Pool *p, u32 n, u32 grain, PoolFn *fn, void *ctx);

#endif
