/* trie.c: LEB128 numbers, and the export trie as a sorted table. The trap: a node may be reached once only;
 * otherwise a trie of a few bytes has cycles, or more names than memory. */
#include <stdlib.h>

#include "machorun.h"

u64 uleb(const Image *im, const u8 **at, const u8 *end, const char *what) {
  u64 v = 0;
  for (u32 shift = 0;; shift += 7) {
    if (*at >= end)
      fail(im, "%s ends inside a number", what);
    u8 b = *(*at)++;
    if (shift > 63 || (shift == 63 && b > 1))
      fail(im, "%s has a number of more than 64 bits", what);
    v |= (u64)(b & 0x7f) << shift;
    if (!(b & 0x80))
      return v;
  }
}

i64 sleb(const Image *im, const u8 **at, const u8 *end, const char *what) {
  u64 v = 0;
  for (u32 shift = 0;; shift += 7) {
    if (*at >= end)
      fail(im, "%s ends inside a number", what);
    if (shift > 63)
      fail(im, "%s has a number of more than 64 bits", what);
    u8 b = *(*at)++;
    v |= (u64)(b & 0x7f) << shift;
    if (b & 0x80)
      continue;
    if (b & 0x40 && shift + 7 < 64)
      v |= ~0ull << (shift + 7);
    return (i64)v;
  }
}

typedef struct {
  Image *im;
  Bytes trie;
  bool *visited; /* of each offset: a node begins there */
  u32 capacity;
  char name[4096];
} TrieWalk;

static void terminal_read(TrieWalk *w, u64 off, u64 size) {
  Image *im = w->im;
  const u8 *at = w->trie.p + off, *end = at + size;
  Export e = {.name = strdup(w->name)};
  e.flags = uleb(im, &at, end, "an export");
  if (e.flags & ~(u64)(EXPORT_KIND | EXPORT_WEAK | EXPORT_REEXPORT | EXPORT_RESOLVER) || (e.flags & EXPORT_KIND) == 3)
    fail(im, "the export %s has the unknown flags 0x%lx", e.name, e.flags);
  if (e.flags & EXPORT_REEXPORT) {
    e.vmaddr = uleb(im, &at, end, "an export");
    Bytes rest = {at, (u64)(end - at)};
    const char *other = bytes_cstr(rest, 0);
    if (!other || at + strlen(other) + 1 != end)
      fail(im, "the export %s: the name that it re-exports is not inside it", e.name);
    if (!e.vmaddr || e.vmaddr > im->dylib_count)
      fail(im, "the export %s is of library %lu, there are %u", e.name, e.vmaddr, im->dylib_count);
    e.reexport_name = *other ? other : e.name;
    at = end;
  } else {
    u64 v = uleb(im, &at, end, "an export");
    bool absolute = (e.flags & EXPORT_KIND) == EXPORT_ABSOLUTE;
    e.vmaddr = absolute ? v : im->base + v;
    if (!absolute && v > im->end - im->base)
      fail(im, "the export %s is outside the image", e.name);
    if (e.flags & EXPORT_RESOLVER)
      e.resolver = im->base + uleb(im, &at, end, "an export");
  }
  if (at != end)
    fail(im, "the export %s: its size in the trie is wrong", e.name);
  if (im->export_count == w->capacity) {
    w->capacity = w->capacity ? w->capacity * 2 : 64;
    im->exports = realloc(im->exports, w->capacity * sizeof *im->exports);
    if (!im->exports)
      fail(im, "out of memory");
  }
  im->exports[im->export_count++] = e;
}

static void node_walk(TrieWalk *w, u64 off, u64 length) {
  Image *im = w->im;
  if (off >= w->trie.len)
    fail(im, "a node of the export trie is at 0x%lx, past its end", off);
  if (w->visited[off])
    fail(im, "the node at 0x%lx of the export trie is reached twice", off);
  w->visited[off] = true;
  const u8 *at = w->trie.p + off, *end = w->trie.p + w->trie.len;
  u64 size = uleb(im, &at, end, "the export trie");
  if (size > (u64)(end - at))
    fail(im, "a terminal runs past the end of the export trie");
  if (size) {
    w->name[length] = 0;
    terminal_read(w, (u64)(at - w->trie.p), size);
  }
  at += size;
  if (at >= end)
    fail(im, "the export trie ends inside a node");
  u32 children = *at++;
  if (!size && !children && off)
    fail(im, "the node at 0x%lx of the export trie says nothing", off);
  for (u32 i = 0; i < children; i++) {
    u64 n = length;
    while (at < end && *at) {
      if (n >= sizeof w->name - 1)
        fail(im, "the export trie has a name of more than %zu bytes", sizeof w->name);
      w->name[n++] = (char)*at++;
    }
    if (at >= end)
      fail(im, "the export trie ends inside a name");
    at++;
    if (n == length)
      fail(im, "an edge of the export trie is empty");
    node_walk(w, uleb(im, &at, end, "the export trie"), n);
  }
}

static int export_compare(const void *a, const void *b) {
  return strcmp(((const Export *)a)->name, ((const Export *)b)->name);
}

void exports_read(Image *im) {
  Bytes trie = im->has_trie ? image_linkedit(im, im->trie.dataoff, im->trie.datasize, "the export trie")
                            : image_linkedit(im, im->dyld_info.export_off, im->dyld_info.export_size, "the export trie");
  if (!trie.len)
    return;
  TrieWalk w = {.im = im, .trie = trie, .visited = get_memory(trie.len, 1)};
  node_walk(&w, 0, 0);
  qsort(im->exports, im->export_count, sizeof *im->exports, export_compare);
  for (u32 i = 0; i < im->export_count; i++)
    if (im->exports[i].flags & EXPORT_WEAK && !(im->header.flags & FLAG_WEAK_DEFINES))
      fail(im, "%s is a weak definition, but MH_WEAK_DEFINES is not set", im->exports[i].name);
  for (u32 i = 1; i < im->export_count; i++)
    if (streq(im->exports[i - 1].name, im->exports[i].name))
      fail(im, "the export trie has %s twice", im->exports[i].name);
}

const Export *export_find(const Image *im, const char *name) {
  Export key = {.name = name};
  if (!im->export_count)
    return NULL;
  return bsearch(&key, im->exports, im->export_count, sizeof key, export_compare);
}
