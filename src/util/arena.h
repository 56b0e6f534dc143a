/* arena.h: bump allocation. Three lifetimes (link, pass, scratch per thread), three arenas; nothing
 * is freed one by one. An Arena is not thread safe: each thread has its own scratch.
 * Memory comes back zeroed. Out of memory ends the process with a message (the only such place). */
#ifndef WELD_UTIL_ARENA_H
#define WELD_UTIL_ARENA_H

#include "util/base.h"

typedef struct ArenaBlock ArenaBlock;
typedef struct {
  ArenaBlock *block;
  u8 *at, *end;
} Arena;

void *arena_alloc(Arena *a, u64 size, u64 align);
/* Releases everything; the Arena can be used again. */
void arena_free(Arena *a);
char *arena_strdup(Arena *a, const char *s);
char *arena_strndup(Arena *a, const char *s, u64 len);
char *arena_printf(Arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define ARENA_NEW(a, T) ((T *)arena_alloc((a), sizeof(T), _Alignof(T)))
#define ARENA_ARRAY(a, T, n) ((T *)arena_alloc((a), sizeof(T) * (u64)(n), _Alignof(T)))

/* Big flat arrays: zeroed address space straight from the kernel, in huge pages where it has them: a page
 * fault costs more than zeroing the page. Returned by pages_free(p, size) with the same size. */
void *pages_alloc(u64 size);
/* The same in small pages: for arrays of which much is never touched. */
void *pages_alloc_sparse(u64 size);
/* Asks for huge pages after all: before the array is touched. */
void pages_make_dense(void *p, u64 size);
void pages_free(void *p, u64 size);
/* Arrays that live as long as each other share huge pages when they share an allocation: adds one of
 * `bytes` to what is going to be allocated; returns where it will be. */
static inline u64 pages_room(u64 *total, u64 bytes) {
  u64 at = *total;
  *total = align_up(at + bytes, 64);
  return at;
}

/* Zeroed heap memory, for free(). */
void *heap_alloc(u64 size);

/* A growable array of T in heap memory: VEC(T) v = {0}; *vec_push(&v) = x; vec_free(&v). */
#define VEC(T)                                                                                     \
  struct {                                                                                         \
    T *at;                                                                                         \
    u32 n, cap;                                                                                    \
  }
void *vec_grow(void *at, u32 *cap, u32 want, u64 elem_size);
#define vec_reserve(v, want)                                                                       \
  ((v)->cap >= (want)                                                                              \
       ? (void)0                                                                                   \
       : (void)((v)->at = vec_grow((v)->at, &(v)->cap, (want), sizeof *(v)->at)))
#define vec_push(v) (vec_reserve((v), (v)->n + 1), &(v)->at[(v)->n++])
#define vec_free(v) (free((v)->at), (v)->at = NULL, (v)->n = (v)->cap = 0)

#endif
