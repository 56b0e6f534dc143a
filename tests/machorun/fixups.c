/* fixups.c: both forms of dyld's instructions, chains and the classic opcode streams, become one table of fixups.
 * The trap: a place may be written once; the exceptions are of the classic form, where a lazy pointer is also
 * rebased (to its stub helper), and a weak bind overwrites a rebase or a bind. */
#include <stdlib.h>

#include "machorun.h"

typedef struct {
  Image *im;
  u32 capacity;
} FixupList;

static const char *const kind_names[] = {"rebase", "bind", "lazy bind", "weak bind"};

static void ordinal_check(const Image *im, i32 ordinal, const char *name) {
  if (ordinal < ORDINAL_WEAK || ordinal > (i32)im->dylib_count)
    fail(im, "the bind of %s names library %d, there are %u", name, ordinal, im->dylib_count);
}

static void place_check(const Image *im, const Fixup *f) {
  const char *kind = kind_names[f->kind];
  const Segment *s = image_segment_at(im, f->vmaddr, 8);
  if (!s)
    fail(im, "a %s at 0x%lx is in no segment", kind, f->vmaddr);
  if (!(s->initprot & PROT_W))
    fail(im, "a %s at 0x%lx is in segment %s, which cannot be written", kind, f->vmaddr, s->name);
  if (f->vmaddr - s->vmaddr > s->filesize || s->filesize - (f->vmaddr - s->vmaddr) < 8)
    fail(im, "a %s at 0x%lx is past the content of segment %s", kind, f->vmaddr, s->name);
  const Section *sect = image_section_at(im, f->vmaddr);
  if (!sect || f->vmaddr + 8 > sect->addr + sect->size)
    fail(im, "a %s at 0x%lx is in no section", kind, f->vmaddr);
  if (f->vmaddr % 8 && !options.allow_unaligned)
    fail(im, "a %s at 0x%lx (%s,%s) is not aligned", kind, f->vmaddr, sect->segname, sect->name);
  /* The top byte may be a tag: C++ marks names of types there. */
  u64 target = f->value << 8 >> 8;
  if (f->kind == FIX_REBASE && (target < im->base || target > im->end))
    fail(im, "a rebase at 0x%lx points to 0x%lx, outside the image", f->vmaddr, f->value);
  if (f->kind == FIX_LAZY && s->flags & SEGMENT_READ_ONLY)
    fail(im, "a lazy bind at 0x%lx is in segment %s, which is read-only by then", f->vmaddr, s->name);
  if ((f->kind == FIX_WEAK || f->ordinal == ORDINAL_WEAK) && !(im->header.flags & FLAG_BINDS_TO_WEAK))
    fail(im, "%s is bound weakly, but MH_BINDS_TO_WEAK is not set", f->name);
  if (f->kind == FIX_LAZY && sect->type != SECT_LAZY_POINTERS)
    fail(im, "a lazy bind at 0x%lx is not in a section of lazy pointers", f->vmaddr);
}

static void fixup_add(FixupList *l, Fixup f) {
  Image *im = l->im;
  place_check(im, &f);
  if (im->fixup_count == l->capacity) {
    l->capacity = l->capacity ? l->capacity * 2 : 256;
    im->fixups = realloc(im->fixups, l->capacity * sizeof f);
    if (!im->fixups)
      fail(im, "out of memory");
  }
  im->fixups[im->fixup_count++] = f;
}

/* Chained fixups. */

typedef struct {
  const char *name;
  i32 ordinal;
  i64 addend;
  bool weak;
} Import;

static Import *imports_read(const Image *im, Bytes data, const ChainedHeader *h) {
  u64 size = h->imports_format == IMPORT_PLAIN ? 4 : h->imports_format == IMPORT_ADDEND ? 8 : 16;
  Bytes records, names;
  if (h->imports_format < IMPORT_PLAIN || h->imports_format > IMPORT_ADDEND64)
    fail(im, "the chained imports have the unknown format %u", h->imports_format);
  if (!bytes_array(data, h->imports_offset, h->imports_count, size, &records))
    fail(im, "the chained imports run past their end");
  if (h->symbols_format)
    fail(im, "the names of the chained imports are compressed");
  if (h->symbols_offset > data.len)
    fail(im, "the names of the chained imports are past their end");
  if (h->imports_count && h->imports_offset % 4)
    fail(im, "the chained imports are not aligned");
  names = (Bytes){data.p + h->symbols_offset, data.len - h->symbols_offset};
  Import *out = get_memory(h->imports_count, sizeof *out);
  for (u32 i = 0; i < h->imports_count; i++) {
    const u8 *p = records.p + i * size;
    u32 name;
    if (h->imports_format == IMPORT_ADDEND64) {
      u64 v = rd64(p);
      out[i].ordinal = (i16)(v & 0xffff);
      out[i].weak = v >> 16 & 1;
      name = (u32)(v >> 32);
      out[i].addend = (i64)rd64(p + 8);
      if (v >> 17 & 0x7fff)
        fail(im, "the reserved bits of chained import %u are not zero", i);
    } else {
      u32 v = rd32(p);
      out[i].ordinal = (i8)(v & 0xff) < 0 && (v & 0xff) > 0xf0 ? (i8)(v & 0xff) : (i32)(v & 0xff);
      out[i].weak = v >> 8 & 1;
      name = v >> 9;
      out[i].addend = h->imports_format == IMPORT_ADDEND ? (i32)rd32(p + 4) : 0;
    }
    out[i].name = bytes_cstr(names, name);
    if (!out[i].name || !*out[i].name)
      fail(im, "the name of chained import %u is not inside the names", i);
    ordinal_check(im, out[i].ordinal, out[i].name);
  }
  return out;
}

/* One chain. `content` is the segment's, `at` the offset of the first link; all stay in one page. */
static void chain_walk(FixupList *l, const Segment *seg, u64 at, u64 page_end, u16 format, const Import *imports,
                       u32 import_count) {
  const Image *im = l->im;
  for (;;) {
    if (at + 8 > page_end || at + 8 > seg->filesize)
      fail(im, "a chain leaves its page at 0x%lx", seg->vmaddr + at);
    u64 v = rd64(im->file.p + seg->fileoff + at), next = v >> 51 & 0xfff;
    Fixup f = {.vmaddr = seg->vmaddr + at};
    if (v >> 63) {
      u32 i = v & 0xffffff;
      if (i >= import_count)
        fail(im, "the chain at 0x%lx binds import %u, there are %u", f.vmaddr, i, import_count);
      if (v >> 32 & 0x7ffff)
        fail(im, "the reserved bits of the bind at 0x%lx are not zero", f.vmaddr);
      f.kind = FIX_BIND;
      f.ordinal = imports[i].ordinal;
      f.name = imports[i].name;
      f.weak_import = imports[i].weak;
      f.value = (u64)imports[i].addend + (v >> 24 & 0xff);
    } else {
      if (v >> 44 & 0x7f)
        fail(im, "the reserved bits of the rebase at 0x%lx are not zero", f.vmaddr);
      f.kind = FIX_REBASE;
      f.high8 = (u8)(v >> 36);
      f.value = (v & 0xfffffffff) + (format == CHAIN_PTR_64_OFFSET ? im->base : 0);
    }
    fixup_add(l, f);
    if (!next)
      return;
    if (next < 2)
      fail(im, "the links of a chain overlap at 0x%lx", f.vmaddr);
    at += 4 * next;
  }
}

static void chained_segment_read(FixupList *l, Bytes starts, const Segment *seg, const Import *imports, u32 count) {
  const Image *im = l->im;
  ChainedStarts s;
  Bytes pages;
  if (starts.len < sizeof s)
    fail(im, "the chain starts of segment %s run past their end", seg->name);
  memcpy(&s, starts.p, sizeof s);
  if (s.page_size != 0x1000 && s.page_size != 0x4000)
    fail(im, "the chains of segment %s have pages of 0x%x bytes", seg->name, s.page_size);
  if (s.page_size != page_size(im))
    fail(im, "the chains of segment %s have pages of 0x%x bytes, the CPU 0x%lx", seg->name, s.page_size, page_size(im));
  if (s.pointer_format != CHAIN_PTR_64 && s.pointer_format != CHAIN_PTR_64_OFFSET)
    fail(im, "the chains of segment %s have the unknown format %u", seg->name, s.pointer_format);
  if (s.segment_offset != seg->vmaddr - im->base)
    fail(im, "the chains of segment %s say that it is at 0x%lx", seg->name, im->base + s.segment_offset);
  if (s.max_valid_pointer)
    fail(im, "the chains of segment %s have max_valid_pointer", seg->name);
  if (!bytes_array(starts, sizeof s, s.page_count, 2, &pages) || s.size < sizeof s + 2ull * s.page_count ||
      s.size > starts.len)
    fail(im, "the chain starts of segment %s run past their end", seg->name);
  for (u32 i = 0; i < s.page_count; i++) {
    u16 start = rd16(pages.p + 2 * i);
    if (start == CHAIN_START_NONE)
      continue;
    if (start >= s.page_size)
      fail(im, "the chain of page %u of segment %s begins outside its page", i, seg->name);
    u64 page = (u64)i * s.page_size;
    chain_walk(l, seg, page + start, page + s.page_size, s.pointer_format, imports, count);
  }
}

static void chained_read(FixupList *l) {
  Image *im = l->im;
  Bytes data = image_linkedit(im, im->chained.dataoff, im->chained.datasize, "the chained fixups");
  ChainedHeader h;
  if (data.len < sizeof h)
    fail(im, "its chained fixups are too short");
  if (im->chained.dataoff % 8)
    fail(im, "its chained fixups are not aligned to 8");
  memcpy(&h, data.p, sizeof h);
  if (h.version)
    fail(im, "its chained fixups have version %u", h.version);
  Import *imports = imports_read(im, data, &h);
  Bytes count, table;
  if (h.starts_offset % 4 || !bytes_slice(data, h.starts_offset, 4, &count) ||
      !bytes_array(data, h.starts_offset + 4ull, rd32(count.p), 4, &table))
    fail(im, "the chain starts run past their end");
  if (rd32(count.p) != im->segment_count)
    fail(im, "there are chain starts for %u segments of %u", rd32(count.p), im->segment_count);
  for (u32 i = 0; i < im->segment_count; i++) {
    u32 off = rd32(table.p + 4 * i);
    Bytes starts;
    if (!off)
      continue;
    if (off < 4 + 4 * im->segment_count || (h.starts_offset + off) % 8 ||
        !bytes_slice(data, h.starts_offset + (u64)off, data.len - MIN(data.len, h.starts_offset + (u64)off), &starts))
      fail(im, "the chain starts of segment %s are out of place", im->segments[i].name);
    chained_segment_read(l, starts, &im->segments[i], imports, h.imports_count);
  }
}

/* Classic opcodes. */

static void rebases_read(FixupList *l) {
  Image *im = l->im;
  const char *what = "the rebase stream";
  Bytes b = image_linkedit(im, im->dyld_info.rebase_off, im->dyld_info.rebase_size, what);
  const u8 *at = b.p, *end = b.p + b.len;
  const Segment *seg = NULL;
  u64 addr = 0;
  bool typed = false;
  while (at < end) {
    u8 op = *at & 0xf0, imm = *at & 0xf;
    u64 times = 0, skip = 0;
    at++;
    switch (op) {
    case REBASE_DONE:
      for (; at < end; at++)
        if (*at)
          fail(im, "%s goes on after its end", what);
      return;
    case REBASE_SET_TYPE:
      if (imm != FIXUP_TYPE_POINTER)
        fail(im, "%s has the type %u", what, imm);
      typed = true;
      break;
    case REBASE_SET_SEGMENT:
      if (imm >= im->segment_count)
        fail(im, "%s names segment %u of %u", what, imm, im->segment_count);
      seg = &im->segments[imm];
      addr = seg->vmaddr + uleb(im, &at, end, what);
      break;
    case REBASE_ADD_ADDR: addr += uleb(im, &at, end, what); break;
    case REBASE_ADD_ADDR_SCALED: addr += imm * 8ull; break;
    case REBASE_DO_TIMES: times = imm; break;
    case REBASE_DO_ULEB_TIMES: times = uleb(im, &at, end, what); break;
    case REBASE_DO_ADD_ADDR:
      times = 1;
      skip = uleb(im, &at, end, what);
      break;
    case REBASE_DO_ULEB_TIMES_SKIPPING:
      times = uleb(im, &at, end, what);
      skip = uleb(im, &at, end, what);
      break;
    default: fail(im, "%s has the unknown opcode 0x%x", what, op);
    }
    for (; times; times--) {
      if (!seg || !typed)
        fail(im, "%s rebases before it says what", what);
      const Segment *s = image_segment_at(im, addr, 8);
      if (s != seg)
        fail(im, "%s leaves segment %s at 0x%lx", what, seg->name, addr);
      if (addr - s->vmaddr + 8 > s->filesize)
        fail(im, "a rebase at 0x%lx is past the content of segment %s", addr, s->name);
      fixup_add(l, (Fixup){.vmaddr = addr, .kind = FIX_REBASE,
                           .value = rd64(im->file.p + s->fileoff + (addr - s->vmaddr))});
      addr += 8 + skip;
    }
  }
}

/* The state of a bind stream, which a lazy stream resets at each DONE. */
typedef struct {
  const Image *im;
  FixupKind kind;
  const char *what;
  const Segment *segment;
  Fixup f;
  bool typed, has_ordinal;
} BindState;

static void bind_do(FixupList *l, BindState *st) {
  const Image *im = st->im;
  if (!st->segment || !st->typed || !st->f.name || (!st->has_ordinal && st->kind != FIX_WEAK))
    fail(im, "%s binds before it says what", st->what);
  if (image_segment_at(im, st->f.vmaddr, 8) != st->segment)
    fail(im, "%s leaves segment %s at 0x%lx", st->what, st->segment->name, st->f.vmaddr);
  if (l)
    fixup_add(l, st->f);
  else
    place_check(im, &st->f);
}

/* Interprets [*at, end) to the next DONE. `l` may be NULL; *last gets what was bound last. */
static void binds_interpret(BindState *st, FixupList *l, const u8 **at, const u8 *end, Fixup *last) {
  const Image *im = st->im;
  const char *what = st->what;
  while (*at < end) {
    u8 op = **at & 0xf0, imm = **at & 0xf;
    u64 times = 0, skip = 0;
    (*at)++;
    switch (op) {
    case BIND_DONE: return;
    case BIND_SET_ORDINAL: st->f.ordinal = imm; break;
    case BIND_SET_ORDINAL_ULEB: st->f.ordinal = (i32)MIN(uleb(im, at, end, what), 1u << 30); break;
    case BIND_SET_SPECIAL: st->f.ordinal = imm ? (i32)imm - 16 : 0; break;
    case BIND_SET_SYMBOL: {
      st->f.name = bytes_cstr((Bytes){*at, (u64)(end - *at)}, 0);
      if (!st->f.name || !*st->f.name)
        fail(im, "%s ends inside a name", what);
      if (imm & ~(u32)(BIND_SYMBOL_WEAK_IMPORT | BIND_SYMBOL_NON_WEAK_DEFINITION))
        fail(im, "%s: the flags 0x%x of %s are not known", what, imm, st->f.name);
      st->f.weak_import = imm & BIND_SYMBOL_WEAK_IMPORT;
      if (imm & BIND_SYMBOL_NON_WEAK_DEFINITION && st->kind != FIX_WEAK)
        fail(im, "%s: only weak binds say that %s has a strong definition", what, st->f.name);
      *at += strlen(st->f.name) + 1;
      break;
    }
    case BIND_SET_TYPE:
      if (imm != FIXUP_TYPE_POINTER)
        fail(im, "%s has the type %u", what, imm);
      st->typed = true;
      break;
    case BIND_SET_ADDEND: st->f.value = (u64)sleb(im, at, end, what); break;
    case BIND_SET_SEGMENT:
      if (imm >= im->segment_count)
        fail(im, "%s names segment %u of %u", what, imm, im->segment_count);
      st->segment = &im->segments[imm];
      st->f.vmaddr = st->segment->vmaddr + uleb(im, at, end, what);
      break;
    case BIND_ADD_ADDR: st->f.vmaddr += uleb(im, at, end, what); break;
    case BIND_DO: times = 1; break;
    case BIND_DO_ADD_ADDR:
      times = 1;
      skip = uleb(im, at, end, what);
      break;
    case BIND_DO_ADD_ADDR_SCALED:
      times = 1;
      skip = imm * 8ull;
      break;
    case BIND_DO_ULEB_TIMES_SKIPPING:
      times = uleb(im, at, end, what);
      skip = uleb(im, at, end, what);
      break;
    default: fail(im, "%s has the unknown opcode 0x%x", what, op);
    }
    if (op == BIND_SET_ORDINAL || op == BIND_SET_ORDINAL_ULEB || op == BIND_SET_SPECIAL) {
      st->has_ordinal = true;
      ordinal_check(im, st->f.ordinal, what);
    }
    for (; times; times--) {
      bind_do(l, st);
      if (last)
        *last = st->f;
      st->f.vmaddr += 8 + skip;
    }
  }
}

static BindState bind_state(const Image *im, FixupKind kind, const char *what) {
  i32 ordinal = kind == FIX_WEAK ? ORDINAL_WEAK : 0;
  /* A lazy stream need not say its type. */
  return (BindState){.im = im, .kind = kind, .what = what, .f = {.kind = kind, .ordinal = ordinal},
                     .typed = kind == FIX_LAZY};
}

static void binds_read(FixupList *l, u32 off, u32 size, FixupKind kind, const char *what) {
  Image *im = l->im;
  Bytes b = image_linkedit(im, off, size, what);
  const u8 *at = b.p, *end = b.p + b.len;
  BindState st = bind_state(im, kind, what);
  while (at < end) {
    binds_interpret(&st, l, &at, end, NULL);
    if (kind == FIX_LAZY)
      st = bind_state(im, kind, what);
    else
      for (; at < end; at++)
        if (*at)
          fail(im, "%s goes on after its end", what);
  }
}

Fixup fixups_lazy_at(const Image *im, u64 offset) {
  const char *what = "the lazy bind stream";
  Bytes b = image_linkedit(im, im->dyld_info.lazy_bind_off, im->dyld_info.lazy_bind_size, what);
  if (offset >= b.len)
    fail(im, "a stub helper asks for offset 0x%lx of the lazy bind stream, which has 0x%lx bytes", offset, b.len);
  BindState st = bind_state(im, FIX_LAZY, what);
  const u8 *at = b.p + offset;
  Fixup f = {0};
  binds_interpret(&st, NULL, &at, b.p + b.len, &f);
  if (!f.name)
    fail(im, "a stub helper asks for offset 0x%lx of the lazy bind stream, where nothing is bound", offset);
  return f;
}

static int fixup_compare(const void *a, const void *b) {
  const Fixup *x = a, *y = b;
  if (x->vmaddr != y->vmaddr)
    return x->vmaddr < y->vmaddr ? -1 : 1;
  return x->kind < y->kind ? -1 : x->kind > y->kind;
}

static void overlap_check(const Image *im) {
  for (u32 i = 1; i < im->fixup_count; i++) {
    const Fixup *a = &im->fixups[i - 1], *b = &im->fixups[i];
    if (b->vmaddr - a->vmaddr >= 8)
      continue;
    bool may = a->vmaddr == b->vmaddr && ((a->kind == FIX_REBASE && b->kind == FIX_LAZY) ||
                                          (a->kind != FIX_WEAK && b->kind == FIX_WEAK));
    if (!may)
      fail(im, "a %s at 0x%lx and a %s at 0x%lx overlap", kind_names[a->kind], a->vmaddr, kind_names[b->kind],
           b->vmaddr);
  }
  /* What is not moved needs no rebases. */
  bool moves = im->header.filetype != TYPE_EXECUTE || im->header.flags & FLAG_PIE;
  for (u32 i = 0; moves && i < im->fixup_count; i++)
    if (im->fixups[i].kind == FIX_LAZY &&
        (!i || im->fixups[i - 1].vmaddr != im->fixups[i].vmaddr || im->fixups[i - 1].kind != FIX_REBASE))
      fail(im, "the lazy pointer at 0x%lx is not rebased", im->fixups[i].vmaddr);
}

void fixups_read(Image *im) {
  FixupList l = {.im = im};
  if (im->has_chained) {
    chained_read(&l);
  } else {
    const DyldInfoCommand *d = &im->dyld_info;
    rebases_read(&l);
    binds_read(&l, d->bind_off, d->bind_size, FIX_BIND, "the bind stream");
    binds_read(&l, d->weak_bind_off, d->weak_bind_size, FIX_WEAK, "the weak bind stream");
    binds_read(&l, d->lazy_bind_off, d->lazy_bind_size, FIX_LAZY, "the lazy bind stream");
  }
  qsort(im->fixups, im->fixup_count, sizeof *im->fixups, fixup_compare);
  overlap_check(im);
}
