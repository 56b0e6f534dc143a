/* macho_trie.c: names are sorted, so that the trie grows at its right edge only: the path to the name before is all
 * that has to be kept, and a name costs its length. The trap: depth is as deep as somebody's names make it, so
 * nothing here recurs. */
#include "write/macho_trie.h"

#include <stdlib.h>

#include "format/macho.h"
#include "util/leb.h"

enum { NO_NODE = UINT32_MAX };

typedef struct {
  const char *label;         /* of the edge that leads here */
  const MachoExport *export; /* NULL: no name ends here */
  u32 label_len;
  u32 depth;                 /* bytes of the names up to here */
  u32 parent;
  u32 first, last, next;     /* children, in order; next of its parent's */
  u32 place;                 /* in `order` */
} Node;

struct MachoTrie {
  Node *at;
  u32 n;
  u32 *order;  /* nodes, each before its children */
  u64 *offset; /* by place */
  u64 size;    /* without padding */
};

static int by_name(const void *a, const void *b) {
  const MachoExport *x = *(const MachoExport *const *)a, *y = *(const MachoExport *const *)b;
  int order = memcmp(x->name, y->name, MIN(x->len, y->len));
  if (order)
    return order;
  if (x->len != y->len)
    return x->len < y->len ? -1 : 1;
  return x < y ? -1 : x > y;
}

static u32 common_prefix(const MachoExport *x, const MachoExport *y) {
  u32 n = MIN(x->len, y->len), i = 0;
  while (i < n && x->name[i] == y->name[i])
    i++;
  return i;
}

static u32 add_node(MachoTrie *t, u32 parent, const MachoExport *e, u32 from, u32 to) {
  u32 x = t->n++;
  t->at[x] = (Node){.label = e->name + from, .label_len = to - from, .depth = to, .parent = parent,
                    .first = NO_NODE, .last = NO_NODE, .next = NO_NODE};
  if (parent != NO_NODE) {
    Node *p = &t->at[parent];
    if (p->last == NO_NODE)
      p->first = x;
    else
      t->at[p->last].next = x;
    p->last = x;
  }
  return x;
}

/* A node `depth` deep on the edge to x, the last child of its parent, which becomes its only child. */
static u32 split_edge(MachoTrie *t, u32 x, u32 depth) {
  Node *below = &t->at[x];
  u32 mid = t->n++, up = below->parent;
  u32 above = t->at[up].depth;
  t->at[mid] = (Node){.label = below->label, .label_len = depth - above, .depth = depth, .parent = up,
                      .first = x, .last = x, .next = NO_NODE};
  below->label += depth - above;
  below->label_len -= depth - above;
  below->parent = mid;
  if (t->at[up].first == x) {
    t->at[up].first = mid;
  } else {
    u32 before = t->at[up].first; /* 255 children at most */
    while (t->at[before].next != x)
      before = t->at[before].next;
    t->at[before].next = mid;
  }
  t->at[up].last = mid;
  return mid;
}

static void grow(MachoTrie *t, const MachoExport *const *sorted, u32 n) {
  u32 tip = add_node(t, NO_NODE, sorted[0], 0, 0);
  for (u32 i = 0; i < n; i++) {
    const MachoExport *e = sorted[i];
    u32 shared = i ? common_prefix(sorted[i - 1], e) : 0;
    if (i && shared == e->len && sorted[i - 1]->len == e->len)
      continue;
    u32 below = NO_NODE;
    while (t->at[tip].depth > shared) {
      below = tip;
      tip = t->at[tip].parent;
    }
    if (t->at[tip].depth < shared)
      tip = split_edge(t, below, shared);
    if (e->len > shared)
      tip = add_node(t, tip, e, shared, e->len);
    t->at[tip].export = e;
  }
}

/* Parents first, children in order: a walk for a name goes forward in the file. */
static void number(MachoTrie *t) {
  u32 x = 0, n = 0;
  for (;;) {
    t->at[x].place = n;
    t->order[n++] = x;
    if (t->at[x].first != NO_NODE) {
      x = t->at[x].first;
      continue;
    }
    while (x != NO_NODE && t->at[x].next == NO_NODE)
      x = t->at[x].parent;
    if (x == NO_NODE)
      return;
    x = t->at[x].next;
  }
}

MachoTrie *macho_trie_create(Arena *arena, const MachoExport *exports, u32 n) {
  MachoTrie *t = ARENA_NEW(arena, MachoTrie);
  if (!n)
    return t;
  const MachoExport **sorted = heap_alloc(n * sizeof *sorted);
  for (u32 i = 0; i < n; i++)
    sorted[i] = &exports[i];
  qsort(sorted, n, sizeof *sorted, by_name);
  t->at = ARENA_ARRAY(arena, Node, 2 * (u64)n + 1); /* each name adds a leaf and splits an edge */
  grow(t, sorted, n);
  free(sorted);
  t->order = ARENA_ARRAY(arena, u32, t->n);
  t->offset = ARENA_ARRAY(arena, u64, t->n);
  number(t);
  return t;
}

/* What a name says of itself, without the length in front. */
static u64 info_size(const MachoExport *e) {
  u64 size = uleb_size(e->flags);
  if (e->flags & EXPORT_SYMBOL_FLAGS_REEXPORT)
    return size + uleb_size(e->other) + (e->import ? strlen(e->import) : 0) + 1;
  size += uleb_size(e->addr);
  if (e->flags & EXPORT_SYMBOL_FLAGS_STUB_AND_RESOLVER)
    size += uleb_size(e->other);
  return size;
}

static u64 node_size(const MachoTrie *t, const Node *x) {
  u64 size = 1; /* how many children */
  if (x->export) {
    u64 info = info_size(x->export);
    size += uleb_size(info) + info;
  } else {
    size += 1;
  }
  for (u32 c = x->first; c != NO_NODE; c = t->at[c].next)
    size += t->at[c].label_len + 1 + uleb_size(t->offset[t->at[c].place]);
  return size;
}

u64 macho_trie_size(MachoTrie *t) {
  if (!t->n)
    return 0;
  memset(t->offset, 0, t->n * sizeof *t->offset);
  bool moved = true;
  while (moved) { /* offsets only grow, so this ends */
    moved = false;
    u64 at = 0;
    for (u32 i = 0; i < t->n; i++) {
      moved |= t->offset[i] != at;
      t->offset[i] = at;
      at += node_size(t, &t->at[t->order[i]]);
    }
    t->size = at;
  }
  return align_up(t->size, 8);
}

static u8 *write_text(u8 *p, const char *s, u64 n) {
  memcpy(p, s, n);
  p[n] = 0;
  return p + n + 1;
}

static u8 *write_info(u8 *p, const MachoExport *e) {
  p = uleb_write(p, info_size(e));
  p = uleb_write(p, e->flags);
  if (e->flags & EXPORT_SYMBOL_FLAGS_REEXPORT) {
    p = uleb_write(p, e->other);
    return e->import ? write_text(p, e->import, strlen(e->import)) : write_text(p, "", 0);
  }
  p = uleb_write(p, e->addr);
  if (e->flags & EXPORT_SYMBOL_FLAGS_STUB_AND_RESOLVER)
    p = uleb_write(p, e->other);
  return p;
}

void macho_trie_write(const MachoTrie *t, u8 *out) {
  for (u32 i = 0; i < t->n; i++) {
    const Node *x = &t->at[t->order[i]];
    u8 *p = out + t->offset[i];
    if (x->export)
      p = write_info(p, x->export);
    else
      *p++ = 0;
    u8 *count = p++;
    *count = 0;
    for (u32 c = x->first; c != NO_NODE; c = t->at[c].next) {
      p = write_text(p, t->at[c].label, t->at[c].label_len);
      p = uleb_write(p, t->offset[t->at[c].place]);
      ++*count;
    }
  }
  memset(out + t->size, 0, align_up(t->size, 8) - t->size);
}
