/* unwind_table.c: __unwind_info as one sorted table of functions; all of it is checked while it is read.
 * The trap: an entry says where a function begins only; its end is the next entry's begin, also across pages. */
#include <stdlib.h>

#include "unwind.h"

typedef struct {
  const Image *im;
  UnwindEntry *entries;
  u32 count, capacity;
} UnwindTable;

static UnwindTable *tables;
static u32 table_count;

static Bytes section_bytes(const Image *im, const Section *s) {
  Bytes b;
  if (!s || !bytes_slice(im->file, s->offset, s->size, &b))
    return (Bytes){0};
  return b;
}

static void entry_add(UnwindTable *t, u64 function, u32 encoding, u64 end) {
  const Image *im = t->im;
  u64 vmaddr = im->base + function;
  if (t->count && vmaddr == t->entries[t->count - 1].start && options.allow_unwind_twice) {
    t->entries[t->count - 1].encoding = encoding; /* as a binary search for the last one finds */
    return;
  }
  if (t->count && vmaddr <= t->entries[t->count - 1].start)
    fail(im, "__unwind_info: the function 0x%lx is not in order", vmaddr);
  if (function >= end)
    fail(im, "__unwind_info: the function 0x%lx is past the range of its page", vmaddr);
  if (!image_segment_at(im, vmaddr, 1))
    fail(im, "__unwind_info: the function 0x%lx is outside the image", vmaddr);
  if (t->count == t->capacity) {
    t->capacity = t->capacity ? t->capacity * 2 : 256;
    t->entries = realloc(t->entries, t->capacity * sizeof *t->entries);
    if (!t->entries)
      fail(im, "out of memory");
  }
  if (t->count)
    t->entries[t->count - 1].end = vmaddr;
  t->entries[t->count++] = (UnwindEntry){.start = vmaddr, .encoding = encoding};
}

static void page_read(UnwindTable *t, Bytes info, const UnwindIndexEntry *first, u64 end, Bytes common) {
  const Image *im = t->im;
  Bytes head, entries, encodings = {0};
  UnwindPageHeader h;
  if (!bytes_slice(info, first->page_offset, 8, &head))
    fail(im, "__unwind_info: a page is at 0x%x, past the end", first->page_offset);
  memcpy(&h, head.p, 8);
  if (h.kind == UNWIND_PAGE_REGULAR) {
    if (!bytes_array(info, first->page_offset + (u64)h.entry_offset, h.entry_count, 8, &entries))
      fail(im, "__unwind_info: a page runs past the end");
    for (u32 i = 0; i < h.entry_count; i++)
      entry_add(t, rd32(entries.p + 8 * i), rd32(entries.p + 8 * i + 4), end);
  } else if (h.kind == UNWIND_PAGE_COMPRESSED) {
    if (!bytes_slice(info, first->page_offset, sizeof h, &head))
      fail(im, "__unwind_info: a page runs past the end");
    memcpy(&h, head.p, sizeof h);
    if (!bytes_array(info, first->page_offset + (u64)h.entry_offset, h.entry_count, 4, &entries) ||
        !bytes_array(info, first->page_offset + (u64)h.encoding_offset, h.encoding_count, 4, &encodings))
      fail(im, "__unwind_info: a page runs past the end");
    for (u32 i = 0; i < h.entry_count; i++) {
      u32 e = rd32(entries.p + 4 * i), k = e >> 24;
      u64 shared = common.len / 4;
      if (k >= shared + h.encoding_count)
        fail(im, "__unwind_info: an entry has the encoding %u of %lu", k, shared + h.encoding_count);
      entry_add(t, (u64)first->function + (e & 0xffffff),
                rd32(k < shared ? common.p + 4ull * k : encodings.p + 4 * (k - shared)), end);
    }
  } else {
    fail(im, "__unwind_info: a page is of the unknown kind %u", h.kind);
  }
  if (!h.entry_count)
    fail(im, "__unwind_info: a page has no entries");
}

static void encoding_check(const Image *im, UnwindEntry *e, Bytes personalities, const Section *eh_frame) {
  u32 mode = e->encoding & UNWIND_MODE, k = e->encoding >> UNWIND_PERSONALITY_SHIFT & 3;
  bool arm = im->header.cputype == CPU_ARM64;
  u32 dwarf = arm ? UNWIND_ARM64_DWARF : UNWIND_X86_64_DWARF;
  if (k) {
    if (k > personalities.len / 4)
      fail(im, "__unwind_info: the function 0x%lx has personality %u of %lu", e->start, k, personalities.len / 4);
    e->personality_slot = im->base + rd32(personalities.p + 4 * (k - 1));
    const Segment *s = image_segment_at(im, e->personality_slot, 8);
    if (!s || !(s->initprot & PROT_W) || e->personality_slot % 8)
      fail(im, "__unwind_info: the personality pointer at 0x%lx is not among data", e->personality_slot);
  }
  if (mode == dwarf) {
    if (!eh_frame)
      fail(im, "__unwind_info: the function 0x%lx needs __eh_frame", e->start);
    e->fde = eh_frame->addr + (e->encoding & UNWIND_DWARF_OFFSET);
    FrameDescription fd = frame_description(im, eh_frame, e->fde);
    if (fd.start != e->start)
      fail(im, "__unwind_info: the function 0x%lx has the description of 0x%lx", e->start, fd.start);
  } else if (arm ? mode && mode != UNWIND_ARM64_FRAMELESS && mode != UNWIND_ARM64_FRAME
                 : mode > UNWIND_X86_64_DWARF) {
    fail(im, "__unwind_info: the function 0x%lx has the unknown encoding 0x%x", e->start, e->encoding);
  }
}

static int entry_compare(const void *key, const void *element) {
  u64 vmaddr = *(const u64 *)key;
  const UnwindEntry *e = element;
  return vmaddr < e->start ? -1 : vmaddr >= e->end;
}

static UnwindEntry *entry_find(const UnwindTable *t, u64 vmaddr) {
  return t->count ? bsearch(&vmaddr, t->entries, t->count, sizeof *t->entries, entry_compare) : NULL;
}

/* The array that says for each function with language specific data where they are. */
static void lsdas_read(UnwindTable *t, Bytes info, u32 begin, u32 end) {
  const Image *im = t->im;
  Bytes b;
  u64 before = 0;
  if (begin > end || (end - begin) % 8 || !bytes_slice(info, begin, end - begin, &b))
    fail(im, "__unwind_info: the array of language specific data is out of place");
  for (u64 i = 0; i < b.len; i += 8) {
    u64 function = im->base + rd32(b.p + i), lsda = im->base + rd32(b.p + i + 4);
    UnwindEntry *e = entry_find(t, function);
    if (function <= before || !e || e->start != function)
      fail(im, "__unwind_info: language specific data of 0x%lx, which is no function, or out of order", function);
    /* In DWARF mode the description says it; then the bit need not. */
    if (!(e->encoding & UNWIND_HAS_LSDA) && !e->fde)
      fail(im, "__unwind_info: 0x%lx has language specific data, its encoding says not", function);
    if (!image_section_at(im, lsda))
      fail(im, "__unwind_info: the language specific data of 0x%lx are in no section", function);
    e->lsda = lsda;
    before = function;
  }
  for (u32 i = 0; i < t->count; i++)
    if (t->entries[i].encoding & UNWIND_HAS_LSDA && !t->entries[i].lsda)
      fail(im, "__unwind_info: the language specific data of 0x%lx are missing", t->entries[i].start);
}

static void table_read(UnwindTable *t, Bytes info) {
  const Image *im = t->im;
  UnwindHeader h;
  Bytes common, personalities, index;
  if (info.len < sizeof h)
    fail(im, "__unwind_info is too short");
  memcpy(&h, info.p, sizeof h);
  if (h.version != 1)
    fail(im, "__unwind_info has version %u", h.version);
  if (!bytes_array(info, h.common_offset, h.common_count, 4, &common) ||
      !bytes_array(info, h.personality_offset, h.personality_count, 4, &personalities) ||
      !bytes_array(info, h.index_offset, h.index_count, 12, &index))
    fail(im, "__unwind_info: its arrays run past its end");
  if (h.common_count > 127 || h.personality_count > 3 || !h.index_count)
    fail(im, "__unwind_info has %u common encodings, %u personalities, %u pages", h.common_count, h.personality_count,
         h.index_count);
  UnwindIndexEntry *pages = get_memory(h.index_count, sizeof *pages);
  memcpy(pages, index.p, index.len);
  const UnwindIndexEntry *last = &pages[h.index_count - 1];
  for (u32 i = 0; i + 1 < h.index_count; i++) {
    if (pages[i].function >= pages[i + 1].function || pages[i].lsda_offset > pages[i + 1].lsda_offset)
      fail(im, "__unwind_info: page %u is not in order", i);
    u32 first = t->count;
    page_read(t, info, &pages[i], pages[i + 1].function, common);
    if (t->entries[first].start != im->base + pages[i].function)
      fail(im, "__unwind_info: page %u does not begin with its first function", i);
  }
  if (last->page_offset)
    fail(im, "__unwind_info: its last index entry has a page");
  if (im->base + last->function > im->end)
    fail(im, "__unwind_info ends past the image");
  if (t->count)
    t->entries[t->count - 1].end = im->base + last->function;
  const Section *eh_frame = image_section(im, "__TEXT", "__eh_frame");
  for (u32 i = 0; i < t->count; i++)
    encoding_check(im, &t->entries[i], personalities, eh_frame);
  lsdas_read(t, info, pages[0].lsda_offset, last->lsda_offset);
}

void unwind_check(Image *im) {
  const Section *s = image_section(im, "__TEXT", "__unwind_info");
  tables = realloc(tables, (table_count + 1) * sizeof *tables);
  if (!tables)
    fail(im, "out of memory");
  UnwindTable *t = &tables[table_count++];
  *t = (UnwindTable){.im = im};
  frame_descriptions_check(im);
  if (s && s->size)
    table_read(t, section_bytes(im, s));
}

bool unwind_find(const Image *im, u64 vmaddr, UnwindEntry *out) {
  for (u32 i = 0; i < table_count; i++) {
    if (tables[i].im != im)
      continue;
    const UnwindEntry *e = entry_find(&tables[i], vmaddr);
    if (e && e->encoding) {
      *out = *e;
      return true;
    }
  }
  FrameDescription fd;
  if (!frame_description_find(im, vmaddr, &fd))
    return false;
  u32 mode = im->header.cputype == CPU_ARM64 ? UNWIND_ARM64_DWARF : UNWIND_X86_64_DWARF;
  *out = (UnwindEntry){fd.start, fd.end, fd.lsda, fd.personality_slot, fd.at, mode};
  return true;
}
