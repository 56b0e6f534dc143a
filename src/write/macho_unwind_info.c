/* macho_unwind_info.c: entries are sorted, equal neighbours become one, the rest goes to pages: compressed ones of up to
 * 1021 functions, whose encodings are numbers in a table of the image or of the page, or regular ones of 511.
 * The trap: a table of handlers counts from where the unwinder believes the function begins, so entries with one stay
 * apart. */
#include "write/macho_unwind_info.h"

#include <stdlib.h>

#include "format/macho.h"

enum {
  PAGE_SIZE = 4096,
  COMMON_MAX = 127,
  ENCODINGS_MAX = 256, /* common ones and the page's own */
  REGULAR_MAX = (PAGE_SIZE - sizeof(UnwindInfoRegularPage)) / sizeof(UnwindInfoRegularEntry),
  COMPRESSED_WORDS = (PAGE_SIZE - sizeof(UnwindInfoCompressedPage)) / 4,
  COMPRESSED_REACH = 0xffffff,
  PERSONALITY_SHIFT = 28,
};

typedef struct {
  u32 first, n;          /* entries */
  u32 first_own, nown;   /* encodings of its own, in MachoUnwindPlan.own */
  bool compressed;
} Page;

typedef struct {
  u32 encoding, count;
} Common;

struct MachoUnwindPlan {
  const MachoUnwindInfo *in;
  const MachoUnwindEntry *e; /* in order of addresses, those that are written */
  u32 n;
  u32 nlsda;
  u64 end;                   /* behind the last function */
  Common common[COMMON_MAX]; /* in the order of the section */
  u32 ncommon;
  u32 sorted[COMMON_MAX];    /* indexes of `common`, by encoding */
  Page *pages;
  u32 npages;
  u32 *own;
  u64 size;
};

static int by_addr(const void *a, const void *b) {
  const MachoUnwindEntry *x = a, *y = b;
  if (x->addr != y->addr)
    return x->addr < y->addr ? -1 : 1;
  if (x->length != y->length)
    return x->length < y->length ? -1 : 1;
  if (x->encoding != y->encoding)
    return x->encoding < y->encoding ? -1 : 1;
  if (x->personality != y->personality)
    return x->personality < y->personality ? -1 : 1;
  return x->lsda < y->lsda ? -1 : x->lsda > y->lsda;
}

static void sort_entries(MachoUnwindEntry *e, u32 n) {
  for (u32 i = 1; i < n; i++) /* sorted already, unless somebody ordered functions */
    if (by_addr(&e[i - 1], &e[i]) > 0) {
      qsort(e, n, sizeof *e, by_addr);
      return;
    }
}

static u32 full_encoding(const MachoUnwindEntry *e) { return e->encoding | e->personality << PERSONALITY_SHIFT; }

static bool can_join(const MachoUnwindEntry *x, const MachoUnwindEntry *y) {
  return full_encoding(x) == full_encoding(y) && !x->lsda && !y->lsda && !x->unique && !y->unique;
}

/* In place: one entry for an address (the longest), one for equal neighbours; returns how many. */
static u32 join_entries(MachoUnwindEntry *e, u32 n) {
  u32 kept = 0;
  for (u32 i = 0; i < n; i++)
    if (i + 1 == n || e[i + 1].addr != e[i].addr)
      e[kept++] = e[i];
  n = kept;
  kept = 0;
  for (u32 i = 0; i < n; i++)
    if (!i || !can_join(&e[kept - 1], &e[i]))
      e[kept++] = e[i];
  return kept;
}

/* ---- encodings ---- */

static int by_number(const void *a, const void *b) {
  u32 x = *(const u32 *)a, y = *(const u32 *)b;
  return x < y ? -1 : x > y;
}

/* The commonest first, of equally common ones the larger number. */
static int by_count(const void *a, const void *b) {
  const Common *x = a, *y = b;
  if (x->count != y->count)
    return x->count > y->count ? -1 : 1;
  return x->encoding > y->encoding ? -1 : x->encoding < y->encoding;
}

static void find_common(MachoUnwindPlan *p) {
  u32 *all = heap_alloc(p->n * sizeof *all);
  Common *found = heap_alloc(p->n * sizeof *found);
  u32 nfound = 0;
  for (u32 i = 0; i < p->n; i++)
    all[i] = full_encoding(&p->e[i]);
  qsort(all, p->n, sizeof *all, by_number);
  for (u32 i = 0; i < p->n; i++) {
    if (!i || all[i] != all[i - 1])
      found[nfound++].encoding = all[i];
    found[nfound - 1].count++;
  }
  qsort(found, nfound, sizeof *found, by_count);
  p->ncommon = MIN(nfound, (u32)COMMON_MAX);
  memcpy(p->common, found, p->ncommon * sizeof *found);
  for (u32 i = 0; i < p->ncommon; i++) { /* insertion: there are few */
    u32 k = i;
    for (; k && p->common[p->sorted[k - 1]].encoding > p->common[i].encoding; k--)
      p->sorted[k] = p->sorted[k - 1];
    p->sorted[k] = i;
  }
  free(all);
  free(found);
}

/* The number of an encoding in a page; ENCODINGS_MAX: it has none. */
static u32 encoding_index(const MachoUnwindPlan *p, const Page *page, u32 encoding) {
  u32 lo = 0, hi = p->ncommon;
  while (lo < hi) {
    u32 mid = lo + (hi - lo) / 2;
    if (p->common[p->sorted[mid]].encoding < encoding)
      lo = mid + 1;
    else
      hi = mid;
  }
  if (lo < p->ncommon && p->common[p->sorted[lo]].encoding == encoding)
    return p->sorted[lo];
  for (u32 i = 0; i < page->nown; i++)
    if (p->own[page->first_own + i] == encoding)
      return p->ncommon + i;
  return ENCODINGS_MAX;
}

/* ---- pages ---- */

/* Fills a compressed page from entry page->first on, until a limit stops it. */
static void fill_compressed(MachoUnwindPlan *p, Page *page) {
  u32 words = COMPRESSED_WORDS, i = page->first;
  u64 base = p->e[i].addr;
  for (; i < p->n && words && p->e[i].addr - base < COMPRESSED_REACH; i++, words--) {
    u32 encoding = full_encoding(&p->e[i]);
    if (encoding_index(p, page, encoding) < ENCODINGS_MAX)
      continue;
    if (words < 2 || p->ncommon + page->nown == ENCODINGS_MAX)
      break;
    p->own[page->first_own + page->nown++] = encoding;
    words--;
  }
  page->n = i - page->first;
  page->compressed = true;
}

static void cut_pages(MachoUnwindPlan *p, Arena *arena) {
  /* Every page but the last has REGULAR_MAX entries or more. */
  p->pages = ARENA_ARRAY(arena, Page, p->n / REGULAR_MAX + 1);
  p->own = ARENA_ARRAY(arena, u32, p->n);
  for (u32 i = 0, nown = 0; i < p->n;) {
    Page *page = &p->pages[p->npages++];
    *page = (Page){.first = i, .first_own = nown};
    fill_compressed(p, page);
    if (i + page->n < p->n && page->n < REGULAR_MAX)
      *page = (Page){.first = i, .n = MIN((u32)REGULAR_MAX, p->n - i), .first_own = nown};
    i += page->n;
    nown += page->nown;
  }
}

static u64 page_size(const Page *page) {
  if (page->compressed)
    return sizeof(UnwindInfoCompressedPage) + 4 * (u64)(page->n + page->nown);
  return sizeof(UnwindInfoRegularPage) + sizeof(UnwindInfoRegularEntry) * (u64)page->n;
}

/* ---- the section ---- */

static u64 index_at(const MachoUnwindPlan *p) {
  return sizeof(UnwindInfoSectionHeader) + 4 * (u64)(p->ncommon + p->in->npersonalities);
}
static u64 lsdas_at(const MachoUnwindPlan *p) { return index_at(p) + sizeof(UnwindInfoIndexEntry) * ((u64)p->npages + 1); }
static u64 pages_at(const MachoUnwindPlan *p) { return lsdas_at(p) + sizeof(UnwindInfoLsdaEntry) * (u64)p->nlsda; }

MachoUnwindPlan *macho_unwind_plan(Arena *arena, MachoUnwindInfo *in) {
  bool known = false;
  for (u32 i = 0; i < in->nentries && !known; i++)
    known = in->entries[i].encoding != 0;
  if (!known)
    return NULL;
  sort_entries(in->entries, in->nentries);
  const MachoUnwindEntry *last = &in->entries[in->nentries - 1];
  MachoUnwindPlan *p = ARENA_NEW(arena, MachoUnwindPlan);
  *p = (MachoUnwindPlan){.in = in, .e = in->entries, .end = last->addr + last->length};
  in->nentries = p->n = join_entries(in->entries, in->nentries);
  for (u32 i = 0; i < p->n; i++)
    p->nlsda += p->e[i].lsda != 0;
  find_common(p);
  cut_pages(p, arena);
  p->size = pages_at(p);
  for (u32 i = 0; i < p->npages; i++)
    p->size += page_size(&p->pages[i]);
  return p;
}

u64 macho_unwind_size(const MachoUnwindPlan *p) { return p->size; }

static u32 from_base(const MachoUnwindPlan *p, u64 addr) { return (u32)(addr - p->in->base); }

static void write_page(const MachoUnwindPlan *p, const Page *page, u8 *out) {
  const MachoUnwindEntry *e = p->e + page->first;
  if (!page->compressed) {
    UnwindInfoRegularPage head = {UNWIND_SECOND_LEVEL_REGULAR, sizeof head, (u16)page->n};
    memcpy(out, &head, sizeof head);
    out += sizeof head;
    for (u32 i = 0; i < page->n; i++, out += sizeof(UnwindInfoRegularEntry)) {
      wr32(out, from_base(p, e[i].addr));
      wr32(out + 4, full_encoding(&e[i]));
    }
    return;
  }
  UnwindInfoCompressedPage head = {UNWIND_SECOND_LEVEL_COMPRESSED, sizeof head, (u16)page->n, (u16)(sizeof head + 4 * page->n),
                                   (u16)page->nown};
  memcpy(out, &head, sizeof head);
  out += sizeof head;
  for (u32 i = 0; i < page->n; i++, out += 4)
    wr32(out, encoding_index(p, page, full_encoding(&e[i])) << 24 | (u32)(e[i].addr - e->addr));
  if (page->nown)
    memcpy(out, p->own + page->first_own, 4 * (u64)page->nown);
}

void macho_unwind_write(const MachoUnwindPlan *p, u8 *out) {
  const MachoUnwindInfo *in = p->in;
  UnwindInfoSectionHeader head = {
      .version = UNWIND_SECTION_VERSION,
      .commonEncodingsArraySectionOffset = sizeof head,
      .commonEncodingsArrayCount = p->ncommon,
      .personalityArraySectionOffset = (u32)(sizeof head + 4 * (u64)p->ncommon),
      .personalityArrayCount = in->npersonalities,
      .indexSectionOffset = (u32)index_at(p),
      .indexCount = p->npages + 1,
  };
  memcpy(out, &head, sizeof head);
  u8 *w = out + sizeof head, *lsda = out + lsdas_at(p), *page = out + pages_at(p);
  for (u32 i = 0; i < p->ncommon; i++, w += 4)
    wr32(w, p->common[i].encoding);
  for (u32 i = 0; i < in->npersonalities; i++, w += 4)
    wr32(w, from_base(p, in->personalities[i]));
  for (u32 k = 0; k < p->npages; k++, w += sizeof(UnwindInfoIndexEntry)) {
    const Page *x = &p->pages[k];
    UnwindInfoIndexEntry index = {from_base(p, p->e[x->first].addr), (u32)(page - out), (u32)(lsda - out)};
    memcpy(w, &index, sizeof index);
    for (u32 i = x->first; i < x->first + x->n; i++) {
      if (!p->e[i].lsda)
        continue;
      UnwindInfoLsdaEntry entry = {from_base(p, p->e[i].addr), from_base(p, p->e[i].lsda)};
      memcpy(lsda, &entry, sizeof entry);
      lsda += sizeof entry;
    }
    write_page(p, x, page);
    page += page_size(x);
  }
  UnwindInfoIndexEntry end = {from_base(p, p->end), 0, (u32)(lsda - out)};
  memcpy(w, &end, sizeof end);
}
