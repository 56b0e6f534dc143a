/* watch.h: what a signal handler of the program must know about a link that runs: which memory is a
 * mapped file (touching it after the file became shorter is SIGBUS), and which temporary file to remove.
 * The library has no handlers: a caller who wants one hands a Watch to the link in Options.watch.
 * The trap: the handler runs at any moment, on any thread, so an entry is complete before it is in the
 * list, is never changed afterwards, and is in the list for as long as the memory is mapped. */
#ifndef WELD_UTIL_WATCH_H
#define WELD_UTIL_WATCH_H

#include "util/base.h"

typedef struct Watched {
  const u8 *p;
  u64 len;
  const char *path;
  struct Watched *next;
} Watched;

typedef struct Watch {
  Watched *maps;    /* newest first */
  const char *temp; /* name of an unfinished output; NULL: it has none, and goes by itself */
} Watch;

/* One thread adds. `e` must outlive the link. */
static inline void watch_add(Watch *w, Watched *e) {
  e->next = w->maps;
  __atomic_store_n(&w->maps, e, __ATOMIC_RELEASE);
}

static inline void watch_temp(Watch *w, const char *name) {
  __atomic_store_n(&w->temp, name, __ATOMIC_RELEASE);
}

static inline void watch_end(Watch *w) {
  __atomic_store_n(&w->maps, NULL, __ATOMIC_RELEASE);
  watch_temp(w, NULL);
}

/* The mapped file that holds an address, or NULL. Safe in a signal handler. */
static inline const char *watch_find(const Watch *w, const void *address) {
  for (const Watched *e = __atomic_load_n(&w->maps, __ATOMIC_ACQUIRE); e; e = e->next)
    if ((uintptr_t)address - (uintptr_t)e->p < e->len)
      return e->path;
  return NULL;
}

#endif
