/* macho_fixups.c: the table of chained fixups, and the pointers themselves. The trap: `next` counts from a pointer to the
 * next one of the same page in steps of 4 bytes, so each pointer's content depends on where its neighbour is. */
#include "write/macho_fixups.h"

#include <stdlib.h>

#include "format/macho.h"

enum {
  POINTER = 8,
  STRIDE = 4,
  INLINE_ADDEND_MAX = 255,
  MAX_PAGES = 0xffff,
  MAX_IMPORTS = 1 << 24,
  MAX_SHORT_NAMES = 1 << 23, /* bytes of names that short imports can tell apart */
};

static const u32 import_size[] = {[DYLD_CHAINED_IMPORT] = 4, [DYLD_CHAINED_IMPORT_ADDEND] = 8, [DYLD_CHAINED_IMPORT_ADDEND64] = 16};

static bool is_bind(const MachoFixup *f) { return f->symbol != MACHO_FIXUP_REBASE; }

/* ---- imports ---- */

typedef struct {
  u32 symbol, fixup;
  i64 addend; /* that no pointer has room for */
} Use;

static int by_import(const void *a, const void *b) {
  const Use *x = a, *y = b;
  if (x->symbol != y->symbol)
    return x->symbol < y->symbol ? -1 : 1;
  if (x->addend != y->addend)
    return x->addend < y->addend ? -1 : 1;
  return x->fixup < y->fixup ? -1 : x->fixup > y->fixup;
}

static i64 import_addend(i64 addend) { return addend >= 0 && addend <= INLINE_ADDEND_MAX ? 0 : addend; }

MachoImport *macho_imports_assign(Arena *arena, MachoFixup *f, u32 n, u32 *nimports) {
  Use *use = heap_alloc(n * sizeof *use);
  u32 *first = heap_alloc(n * sizeof *first); /* by fixup: the first with the same import */
  u32 nuses = 0, nfound = 0;
  for (u32 i = 0; i < n; i++)
    if (is_bind(&f[i]))
      use[nuses++] = (Use){f[i].symbol, i, import_addend(f[i].addend)};
  if (nuses)
    qsort(use, nuses, sizeof *use, by_import);
  for (u32 i = 0, head = 0; i < nuses; i++) {
    if (use[i].symbol != use[head].symbol || use[i].addend != use[head].addend)
      head = i;
    first[use[i].fixup] = use[head].fixup;
    nfound += i == head;
  }
  MachoImport *out = ARENA_ARRAY(arena, MachoImport, nfound);
  u32 k = 0;
  for (u32 i = 0; i < n; i++) {
    if (!is_bind(&f[i]))
      continue;
    if (first[i] == i) {
      out[k] = (MachoImport){.symbol = f[i].symbol, .addend = import_addend(f[i].addend)};
      f[i].import = k++;
    } else {
      f[i].import = f[first[i]].import;
    }
  }
  free(use);
  free(first);
  *nimports = nfound;
  return out;
}

static u64 names_size(const MachoFixups *c) {
  u64 size = 0;
  for (u32 i = 0; i < c->nimports; i++)
    size += strlen(c->imports[i].name) + 1;
  return size;
}

/* The smallest that holds them all. */
static u32 imports_format(const MachoFixups *c, u64 names) {
  u32 format = DYLD_CHAINED_IMPORT;
  for (u32 i = 0; i < c->nimports; i++) {
    const MachoImport *m = &c->imports[i];
    if (m->addend != (i32)m->addend || m->ordinal > 0xf0 || m->ordinal < -15)
      return DYLD_CHAINED_IMPORT_ADDEND64;
    if (m->addend)
      format = DYLD_CHAINED_IMPORT_ADDEND;
  }
  return names > MAX_SHORT_NAMES ? DYLD_CHAINED_IMPORT_ADDEND64 : format;
}

static void write_imports(const MachoFixups *c, u32 format, u8 *p, u8 *names) {
  u64 at = 0;
  for (u32 i = 0; i < c->nimports; i++, p += import_size[format]) {
    const MachoImport *m = &c->imports[i];
    if (format == DYLD_CHAINED_IMPORT_ADDEND64) {
      wr64(p, (u16)m->ordinal | (u64)m->weak << 16 | at << 32);
      wr64(p + 8, (u64)m->addend);
    } else {
      wr32(p, (u8)m->ordinal | (u32)m->weak << 8 | (u32)at << 9);
      if (format == DYLD_CHAINED_IMPORT_ADDEND)
        wr32(p + 4, (u32)m->addend);
    }
    u64 n = strlen(m->name) + 1;
    memcpy(names + at, m->name, n);
    at += n;
  }
}

/* ---- pages ---- */

/* First fixup at or behind an address. */
static u32 fixup_from(const MachoFixups *c, u64 addr) {
  u32 lo = 0, hi = c->nfixups;
  while (lo < hi) {
    u32 mid = lo + (hi - lo) / 2;
    if (c->fixups[mid].addr < addr)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo;
}

/* Its fixups are [*first, end). */
static u32 segment_fixups(const MachoFixups *c, const MachoFixupSegment *s, u32 *first) {
  *first = fixup_from(c, s->addr);
  return fixup_from(c, s->addr + s->size);
}

/* Pages up to the last one with a fixup; 0: none has. */
static u64 page_count(const MachoFixups *c, const MachoFixupSegment *s) {
  u32 first, end = segment_fixups(c, s, &first);
  return first == end ? 0 : MIN((c->fixups[end - 1].addr - s->addr) / c->page_size + 1, (u64)MAX_PAGES);
}

static u64 starts_size(u64 pages) { return pages ? align_up(sizeof(DyldChainedStartsInSegment) + 2 * pages, 8) : 0; }

static u64 write_starts(const MachoFixups *c, const MachoFixupSegment *s, u8 *out) {
  u64 pages = page_count(c, s), size = starts_size(pages);
  if (!pages)
    return 0;
  DyldChainedStartsInSegment head = {
      .size = (u32)size,
      .page_size = (u16)c->page_size,
      .pointer_format = c->offsets ? DYLD_CHAINED_PTR_64_OFFSET : DYLD_CHAINED_PTR_64,
      .segment_offset = s->addr - c->base,
      .page_count = (u16)pages,
  };
  u32 place = sizeof head;
  memcpy(out, &head, sizeof head);
  memset(out + place, 0xff, 2 * pages); /* DYLD_CHAINED_PTR_START_NONE */
  u32 first, end = segment_fixups(c, s, &first);
  u64 last = UINT64_MAX;
  for (u32 i = first; i < end; i++) {
    u64 off = c->fixups[i].addr - s->addr, page = off / c->page_size;
    if (page != last && page < pages)
      wr16(out + place + 2 * page, (u16)(off % c->page_size));
    last = page;
  }
  return size;
}

/* ---- the table ---- */

typedef struct {
  u64 starts, segments, imports, names, end; /* where they begin */
  u32 format;
} Plan;

static Plan plan(const MachoFixups *c) {
  Plan p = {.starts = align_up(sizeof(DyldChainedFixupsHeader), 8)};
  p.segments = p.starts + align_up(4 + 4 * (u64)c->nsegments, 8);
  p.imports = p.segments;
  for (u32 i = 0; i < c->nsegments; i++)
    p.imports += starts_size(page_count(c, &c->segments[i]));
  u64 names = names_size(c);
  p.format = imports_format(c, names);
  p.names = p.imports + (u64)c->nimports * import_size[p.format];
  p.end = p.names + names;
  return p;
}

u64 macho_fixups_size(const MachoFixups *c) { return align_up(plan(c).end, 8); }

void macho_fixups_write(const MachoFixups *c, u8 *out) {
  Plan p = plan(c);
  memset(out, 0, align_up(p.end, 8));
  DyldChainedFixupsHeader head = {
      .starts_offset = (u32)p.starts,
      .imports_offset = (u32)p.imports,
      .symbols_offset = (u32)p.names,
      .imports_count = c->nimports,
      .imports_format = p.format,
  };
  memcpy(out, &head, sizeof head);
  wr32(out + p.starts, c->nsegments);
  u64 at = p.segments;
  for (u32 i = 0; i < c->nsegments; i++) {
    u64 size = write_starts(c, &c->segments[i], out + at);
    if (size)
      wr32(out + p.starts + 4 + 4 * (u64)i, (u32)(at - p.starts));
    at += size;
  }
  write_imports(c, p.format, out + p.imports, out + p.names);
}

/* ---- pointers ---- */

static u64 rebase_target(const MachoFixups *c, const MachoFixup *f) {
  u64 low = f->target & ((1ULL << 56) - 1);
  return c->offsets ? low - c->base : low;
}

MachoFixupFault macho_fixup_fault(const MachoFixups *c, u32 i) {
  const MachoFixup *f = &c->fixups[i];
  if (f->addr % STRIDE)
    return MACHO_FIXUP_UNALIGNED;
  if ((i && f->addr - f[-1].addr < POINTER) || f->addr % c->page_size > c->page_size - POINTER)
    return MACHO_FIXUP_OVERLAP;
  if (is_bind(f) && f->import >= MAX_IMPORTS)
    return MACHO_FIXUP_IMPORT;
  if (!is_bind(f) && rebase_target(c, f) >> 36)
    return MACHO_FIXUP_TARGET;
  for (u32 s = 0; s < c->nsegments; s++)
    if (f->addr - c->segments[s].addr < c->segments[s].size)
      return (f->addr - c->segments[s].addr) / c->page_size < MAX_PAGES ? MACHO_FIXUP_GOOD : MACHO_FIXUP_OUTSIDE;
  return MACHO_FIXUP_OUTSIDE;
}

/* What the pointer holds until dyld comes: DYLD_CHAINED_PTR_64's two forms. */
static u64 pointer_word(const MachoFixups *c, u32 i) {
  const MachoFixup *f = &c->fixups[i];
  u64 next = 0;
  if (i + 1 < c->nfixups && f[1].addr / c->page_size == f->addr / c->page_size)
    next = (f[1].addr - f->addr) / STRIDE;
  if (is_bind(f))
    return 1ULL << 63 | next << 51 | (u64)(f->addend - import_addend(f->addend)) << 24 | f->import;
  return next << 51 | (f->target >> 56) << 36 | rebase_target(c, f);
}

void macho_fixups_apply(const MachoFixups *c, u8 *bytes, u64 addr, u64 len) {
  u64 end = addr + len;
  for (u32 i = fixup_from(c, addr < POINTER ? 0 : addr - POINTER + 1); i < c->nfixups && c->fixups[i].addr < end; i++) {
    u64 at = c->fixups[i].addr;
    u8 word[POINTER];
    wr64(word, pointer_word(c, i));
    u64 from = at < addr ? addr - at : 0, to = MIN((u64)POINTER, end - at);
    memcpy(bytes + (at + from - addr), word + from, to - from);
  }
}
