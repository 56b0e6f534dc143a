/* threads.c: a parallel for. Workers sleep on a condition between runs and are made at the first run
 * that has more than one chunk. The trap: a run is over only when every worker has left it, else a
 * late one could take a chunk of the next run with the old function. */
#include "util/threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef struct {
  struct Pool *pool;
  unsigned tid;
} Worker;

struct Pool {
  unsigned threads, started;
  pthread_t *handles;
  Worker *workers;
  pthread_mutex_t lock;
  pthread_cond_t wake, idle;
  _Atomic u64 generation;   /* of runs; written under lock */
  _Atomic unsigned active;  /* workers inside the current run; written under lock */
  bool quit;
  bool alone;
  /* the current run */
  PoolFn *fn;
  void *ctx;
  u32 n, grain;
  _Atomic u64 next;
};

/* One run often follows another at once, and waking a thread takes as long as some of them: look for a
 * moment before going to sleep. */
enum { LOOKS = 500 };
static inline void pause_cpu(void) {
#ifdef __x86_64__
  __builtin_ia32_pause();
#endif
}
static void await_run(const Pool *p, u64 seen) {
  for (u32 i = 0; i < LOOKS && atomic_load_explicit(&p->generation, memory_order_acquire) == seen; i++)
    pause_cpu();
}
static void await_workers(const Pool *p) {
  for (u32 i = 0; i < LOOKS && atomic_load_explicit(&p->active, memory_order_acquire); i++)
    pause_cpu();
}

static void work(Pool *p, unsigned tid) {
  for (;;) {
    u64 begin = atomic_fetch_add_explicit(&p->next, p->grain, memory_order_relaxed);
    if (begin >= p->n)
      return;
    u64 end = MIN(begin + p->grain, (u64)p->n);
    p->fn(p->ctx, (u32)begin, (u32)end, tid);
  }
}

static void *worker_main(void *arg) {
  Worker *w = arg;
  Pool *p = w->pool;
  u64 seen = 0;
  pthread_mutex_lock(&p->lock);
  for (;;) {
    while (p->generation == seen && !p->quit)
      pthread_cond_wait(&p->wake, &p->lock);
    if (p->quit)
      break;
    seen = p->generation;
    pthread_mutex_unlock(&p->lock);
    work(p, w->tid);
    pthread_mutex_lock(&p->lock);
    if (--p->active == 0)
      pthread_cond_signal(&p->idle);
    pthread_mutex_unlock(&p->lock);
    await_run(p, seen);
    pthread_mutex_lock(&p->lock);
  }
  pthread_mutex_unlock(&p->lock);
  return NULL;
}

Pool *pool_create(unsigned threads) {
  Pool *p = calloc(1, sizeof *p);
  if (!p)
    return NULL;
  p->threads = threads ? threads : 1;
  pthread_mutex_init(&p->lock, NULL);
  pthread_cond_init(&p->wake, NULL);
  pthread_cond_init(&p->idle, NULL);
  return p;
}

unsigned pool_threads(const Pool *p) { return p->threads; }

void pool_stay_alone(Pool *p) { p->alone = true; }

/* A thread that cannot be made is done without: the others take its chunks. */
void pool_start(Pool *p) {
  if (p->threads == 1 || p->alone || p->workers)
    return;
  p->handles = calloc(p->threads, sizeof *p->handles);
  p->workers = calloc(p->threads, sizeof *p->workers);
  if (!p->handles || !p->workers)
    return;
  for (unsigned i = 1; i < p->threads; i++) {
    p->workers[i] = (Worker){p, i};
    if (pthread_create(&p->handles[i], NULL, worker_main, &p->workers[i]))
      break;
    p->started++;
  }
}

void pool_run(Pool *p, u32 n, u32 grain, PoolFn *fn, void *ctx) {
  if (!n)
    return;
  if (!grain)
    grain = 1;
  if (p->threads == 1 || p->alone || n <= grain) {
    for (u64 b = 0; b < n; b += grain)
      fn(ctx, (u32)b, (u32)MIN(b + grain, (u64)n), 0);
    return;
  }
  pool_start(p);
  pthread_mutex_lock(&p->lock);
  p->fn = fn;
  p->ctx = ctx;
  p->n = n;
  p->grain = grain;
  atomic_store(&p->next, 0);
  p->active = p->started;
  p->generation++;
  pthread_cond_broadcast(&p->wake);
  pthread_mutex_unlock(&p->lock);
  work(p, 0);
  await_workers(p);
  pthread_mutex_lock(&p->lock);
  while (p->active)
    pthread_cond_wait(&p->idle, &p->lock);
  pthread_mutex_unlock(&p->lock);
}

void pool_destroy(Pool *p) {
  if (!p)
    return;
  pthread_mutex_lock(&p->lock);
  p->quit = true;
  pthread_cond_broadcast(&p->wake);
  pthread_mutex_unlock(&p->lock);
  for (unsigned i = 1; i <= p->started; i++)
    pthread_join(p->handles[i], NULL);
  pthread_mutex_destroy(&p->lock);
  pthread_cond_destroy(&p->wake);
  pthread_cond_destroy(&p->idle);
  free(p->handles);
  free(p->workers);
  free(p);
}
