/* arena.c: bump allocation and big arrays. The trap: blocks come zeroed from calloc or the kernel and
 * are never reused before arena_free(), which is what makes every allocation zeroed for free. */
#include "util/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
  BLOCK_MIN = 64 << 10,
  BLOCK_MAX = 4 << 20,
  PAGES_MIN = 256 << 10,
  HUGE_PAGE = 2 << 20,
  HUGE_MIN = 1 << 20, /* half a huge page is cheaper than its small ones */
};

struct ArenaBlock {
  ArenaBlock *next;
  u64 size;  /* the next one is twice that */
  u64 bytes; /* of the allocation */
};

/* The only place where weld gives up without unwinding: there is no memory to unwind with. */
_Noreturn static void out_of_memory(u64 size) {
  char text[80];
  int n = snprintf(text, sizeof text, "weld: error: out of memory (%llu bytes)\n",
                   (unsigned long long)size);
  if (n > 0)
    (void)!write(2, text, (size_t)n);
  _exit(1);
}

void *arena_alloc(Arena *a, u64 size, u64 align) {
  u64 pad = (u64)(-(uintptr_t)a->at) & (align - 1);
  if (UNLIKELY(!a->block || size > (u64)(a->end - a->at) || pad > (u64)(a->end - a->at) - size)) {
    u64 last = a->block ? a->block->size : 0;
    u64 want = MIN(MAX(last * 2, (u64)BLOCK_MIN), (u64)BLOCK_MAX);
    if (size > UINT64_MAX / 2)
      out_of_memory(size);
    bool single = size + align > want / 2 && a->block; /* a big one gets a block of its own */
    u64 bytes = sizeof(ArenaBlock) + align + (single || size + align > want ? size : want);
    ArenaBlock *b = pages_alloc(bytes);
    b->size = want;
    b->bytes = bytes;
    u8 *p = (u8 *)(b + 1);
    p += (u64)(-(uintptr_t)p) & (align - 1);
    if (single) { /* keep filling the current block */
      b->next = a->block->next;
      a->block->next = b;
      return p;
    }
    b->next = a->block;
    a->block = b;
    a->at = p + size;
    a->end = (u8 *)b + bytes;
    return p;
  }
  u8 *p = a->at + pad;
  a->at = p + size;
  return p;
}

void arena_free(Arena *a) {
  for (ArenaBlock *b = a->block, *next; b; b = next) {
    next = b->next;
    pages_free(b, b->bytes);
  }
  *a = (Arena){0};
}

char *arena_strndup(Arena *a, const char *s, u64 len) {
  char *p = arena_alloc(a, len + 1, 1);
  memcpy(p, s, len);
  return p;
}

char *arena_strdup(Arena *a, const char *s) { return arena_strndup(a, s, strlen(s)); }

char *arena_printf(Arena *a, const char *fmt, ...) {
  va_list ap, again;
  va_start(ap, fmt);
  va_copy(again, ap);
  int n = vsnprintf(NULL, 0, fmt, ap);
  va_end(ap);
  char *p = arena_alloc(a, (u64)(n < 0 ? 0 : n) + 1, 1);
  if (n >= 0)
    vsnprintf(p, (size_t)n + 1, fmt, again);
  va_end(again);
  return p;
}

/* Whole huge pages, which the kernel then aligns, so that the end of an array is in one too. */
static u64 span(u64 size) { return size >= HUGE_MIN ? align_up(size, HUGE_PAGE) : size; }

void *pages_alloc_sparse(u64 size) {
  if (size < PAGES_MIN) /* a mapping of its own would cost a system call and a page fault more */
    return heap_alloc(size);
  void *p = size > UINT64_MAX / 2 ? MAP_FAILED : mmap(NULL, span(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED)
    out_of_memory(size);
  return p;
}

void pages_make_dense(void *p, u64 size) {
  if (size >= HUGE_MIN)
    madvise(p, span(size), MADV_HUGEPAGE);
}

void *pages_alloc(u64 size) {
  void *p = pages_alloc_sparse(size);
  pages_make_dense(p, size);
  return p;
}

void pages_free(void *p, u64 size) {
  if (size < PAGES_MIN)
    free(p);
  else if (p)
    munmap(p, span(size));
}

void *heap_alloc(u64 size) {
  void *p = calloc(1, size ? size : 1);
  if (!p)
    out_of_memory(size);
  return p;
}

void *vec_grow(void *at, u32 *cap, u32 want, u64 elem_size) {
  u64 n = MAX(MAX((u64)*cap * 2, (u64)want), 8u);
  if (n > UINT32_MAX)
    n = want;
  void *p = realloc(at, n * elem_size);
  if (!p)
    out_of_memory(n * elem_size);
  *cap = (u32)n;
  return p;
}
