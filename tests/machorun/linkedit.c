/* linkedit.c: the tables that dyld does not need to run a program, but debuggers, strip and codesign do: symbol
 * table, indirect symbols, function starts, data in code; and the order of all parts of __LINKEDIT.
 * The trap: what a stub calls is said twice, by its code and by the indirect symbol table; both are compared. */
#include <stdlib.h>

#include "machorun.h"

static Bytes symbols, strings, indirect;

static Nlist symbol_at(u32 i) {
  Nlist n;
  memcpy(&n, symbols.p + sizeof n * i, sizeof n);
  return n;
}

static const char *symbol_name(const Image *im, u32 i) {
  const char *s = bytes_cstr(strings, symbol_at(i).strx);
  if (!s)
    fail(im, "the name of symbol %u is not inside the string table", i);
  return s;
}

static void defined_check(const Image *im, u32 i, Nlist n) {
  const char *name = symbol_name(im, i);
  u8 type = n.type & N_TYPE_MASK;
  if (type == N_ABSOLUTE || type == N_INDIRECT)
    return;
  if (type != N_SECTION)
    fail(im, "symbol %u (%s) is not defined but stands among those that are", i, name);
  if (!n.sect || n.sect > im->section_count)
    fail(im, "symbol %u (%s) is in section %u of %u", i, name, n.sect, im->section_count);
  const Section *s = &im->sections[n.sect - 1];
  bool header = n.value == im->base; /* __mh_execute_header and kin: in no section, said to be in one */
  if (!header && (n.value < s->addr || n.value > s->addr + s->size))
    fail(im, "symbol %u (%s) is outside its section %s,%s", i, name, s->segname, s->name);
}


static void undefined_check(const Image *im, u32 i, Nlist n) {
  const char *name = symbol_name(im, i);
  u32 ordinal = n.desc >> 8;
  if ((n.type & N_TYPE_MASK) != N_UNDEFINED || !(n.type & N_TYPE_EXT) || n.sect)
    fail(im, "symbol %u (%s) stands among the undefined", i, name);
  if (im->header.flags & FLAG_TWOLEVEL && ordinal > im->dylib_count && ordinal < 0xfd)
    fail(im, "symbol %u (%s) is of library %u, there are %u", i, name, ordinal, im->dylib_count);
  for (u32 k = 0; k < im->fixup_count; k++) {
    const Fixup *f = &im->fixups[k];
    if (!f->name || f->kind == FIX_WEAK || f->ordinal == ORDINAL_WEAK || !streq(f->name, name))
      continue;
    if ((i32)(i8)ordinal != f->ordinal && (i32)ordinal != f->ordinal)
      fail(im, "%s is of library %u in the symbol table, of %d where it is bound", name, ordinal, f->ordinal);
    if (f->weak_import != !!(n.desc & DESC_WEAK_REF))
      fail(im, "the symbol table and the bind of %s do not agree whether it is weak", name);
    break;
  }
}

static void export_check(const Image *im, u32 i, Nlist n) {
  const char *name = symbol_name(im, i);
  const Export *e = export_find(im, name);
  if (n.type & N_TYPE_PEXT)
    fail(im, "symbol %u (%s) is private but stands among the external", i, name);
  if (!e)
    fail(im, "symbol %u (%s) is external but not in the export trie", i, name);
  if (!(e->flags & EXPORT_REEXPORT) && e->vmaddr != n.value)
    fail(im, "%s is at 0x%lx in the symbol table, at 0x%lx in the export trie", name, n.value, e->vmaddr);
  if (!(e->flags & EXPORT_REEXPORT) && !!(e->flags & EXPORT_WEAK) != !!(n.desc & DESC_WEAK_DEF))
    fail(im, "the symbol table and the export trie do not agree whether %s is weak", name);
}

static void symbols_check(const Image *im) {
  const DysymtabCommand *d = &im->dysymtab;
  u32 n = im->symtab.nsyms;
  if (d->nlocalsym > n || d->nextdefsym > n || d->nundefsym > n || d->ilocalsym ||
      (u64)d->nlocalsym + d->nextdefsym + d->nundefsym != n ||
      (d->nextdefsym && d->iextdefsym != d->nlocalsym) || (d->nundefsym && d->iundefsym != d->nlocalsym + d->nextdefsym))
    fail(im, "local, external and undefined symbols do not make up the symbol table one after another");
  if (d->ntoc || d->nmodtab || d->nextrefsyms || d->nextrel || d->nlocrel)
    fail(im, "LC_DYSYMTAB names tables of old times");
  for (u32 i = 0; i < n; i++) {
    Nlist s = symbol_at(i);
    symbol_name(im, i);
    if (i < d->nlocalsym) {
      if (s.type & N_TYPE_STAB)
        continue;
      if (s.type & N_TYPE_EXT)
        fail(im, "symbol %u (%s) is external but stands among the local", i, symbol_name(im, i));
      defined_check(im, i, s);
    } else if (i < d->nlocalsym + d->nextdefsym) {
      if (s.type & N_TYPE_STAB || !(s.type & N_TYPE_EXT))
        fail(im, "symbol %u (%s) is local but stands among the external", i, symbol_name(im, i));
      defined_check(im, i, s);
      export_check(im, i, s);
    } else {
      undefined_check(im, i, s);
    }
  }
}

/* The bind of the pointer at `vmaddr`, NULL when it has none. */
static const Fixup *bind_at(const Image *im, u64 vmaddr) {
  u32 lo = 0, hi = im->fixup_count;
  while (lo < hi) {
    u32 mid = (lo + hi) / 2;
    if (im->fixups[mid].vmaddr < vmaddr)
      lo = mid + 1;
    else
      hi = mid;
  }
  const Fixup *found = NULL;
  for (; lo < im->fixup_count && im->fixups[lo].vmaddr == vmaddr; lo++)
    if (im->fixups[lo].kind != FIX_REBASE)
      found = &im->fixups[lo];
  return found;
}

/* The address of the pointer through which a stub jumps; 0 when it is no stub of a known form. */
static u64 stub_pointer(const Image *im, const u8 *p, u64 vmaddr) {
  if (im->header.cputype == CPU_X86_64)
    return p[0] == 0xff && p[1] == 0x25 ? vmaddr + 6 + (u64)(i64)(i32)rd32(p + 2) : 0;
  u32 adrp = rd32(p), ldr = rd32(p + 4);
  if ((adrp & 0x9f00001f) != 0x90000010 || (ldr & 0xffc003ff) != 0xf9400210 || rd32(p + 8) != 0xd61f0200)
    return 0;
  i64 pages = (i64)((u64)(adrp >> 5 & 0x7ffff) << 45 | (u64)(adrp >> 29 & 3) << 43) >> 31;
  return align_down(vmaddr, 0x1000) + (u64)pages + (ldr >> 10 & 0xfff) * 8ull;
}

static void indirect_entry_check(const Image *im, const Section *s, u64 i, u64 stride) {
  u32 symbol = rd32(indirect.p + 4 * (s->reserved1 + i));
  u64 vmaddr = s->addr + i * stride;
  u64 pointer = vmaddr;
  if (s->type == SECT_STUBS) {
    pointer = stub_pointer(im, im->file.p + s->offset + i * stride, vmaddr);
    const Section *t = image_section_at(im, pointer);
    if (!t || (t->type != SECT_LAZY_POINTERS && t->type != SECT_NON_LAZY_POINTERS))
      fail(im, "the stub at 0x%lx does not jump through a pointer section", vmaddr);
  }
  const Fixup *f = bind_at(im, pointer);
  if (symbol & (INDIRECT_LOCAL | INDIRECT_ABSOLUTE)) {
    if (f && f->kind != FIX_WEAK && f->ordinal != ORDINAL_WEAK)
      fail(im, "%s,%s at 0x%lx is bound to %s, the indirect symbol table says: local", s->segname, s->name, vmaddr, f->name);
    return;
  }
  if (symbol >= im->symtab.nsyms)
    fail(im, "an indirect symbol of %s,%s is %u of %u", s->segname, s->name, symbol, im->symtab.nsyms);
  if (f && !streq(f->name, symbol_name(im, symbol)))
    fail(im, "%s,%s at 0x%lx is bound to %s, the indirect symbol table says %s", s->segname, s->name, vmaddr, f->name,
         symbol_name(im, symbol));
  if (!f && (symbol_at(symbol).type & N_TYPE_MASK) == N_UNDEFINED)
    fail(im, "%s,%s at 0x%lx is of %s, but not bound", s->segname, s->name, vmaddr, symbol_name(im, symbol));
}

static void indirect_check(const Image *im) {
  u64 used = 0;
  for (u32 i = 0; i < im->section_count; i++) {
    const Section *s = &im->sections[i];
    u64 stride = 8;
    if (s->type == SECT_STUBS)
      stride = s->reserved2;
    else if (s->type != SECT_NON_LAZY_POINTERS && s->type != SECT_LAZY_POINTERS && s->type != SECT_TLV_POINTERS)
      continue;
    if (!stride || s->size % stride || (s->type == SECT_STUBS && stride < 6))
      fail(im, "section %s,%s has no whole number of entries", s->segname, s->name);
    u64 count = s->size / stride;
    if (s->reserved1 > im->dysymtab.nindirectsyms || count > im->dysymtab.nindirectsyms - s->reserved1)
      fail(im, "section %s,%s needs more indirect symbols than there are", s->segname, s->name);
    used += count;
    for (u64 k = 0; k < count; k++)
      indirect_entry_check(im, s, k, stride);
  }
  if (used != im->dysymtab.nindirectsyms)
    fail(im, "there are %u indirect symbols, the sections use %lu", im->dysymtab.nindirectsyms, used);
}

static void code_address_check(const Image *im, u64 vmaddr, const char *what) {
  const Section *s = image_section_at(im, vmaddr);
  if (!s || !(s->attributes & (SECT_ATTR_PURE_CODE | SECT_ATTR_SOME_CODE)))
    fail(im, "%s names 0x%lx, which is not in a section of code", what, vmaddr);
  if (im->header.cputype == CPU_ARM64 && vmaddr % 4)
    fail(im, "%s names 0x%lx, which is not aligned", what, vmaddr);
}

static void function_starts_check(const Image *im) {
  const char *what = "LC_FUNCTION_STARTS";
  Bytes b = image_linkedit(im, im->function_starts.dataoff, im->function_starts.datasize, what);
  const u8 *at = b.p, *end = b.p + b.len;
  u64 vmaddr = im->base;
  while (at < end && *at) {
    u64 step = uleb(im, &at, end, what);
    if (step > im->end - vmaddr)
      fail(im, "%s goes past the end of the image", what);
    vmaddr += step;
    code_address_check(im, vmaddr, what);
  }
  for (; at < end; at++)
    if (*at)
      fail(im, "%s goes on after its end", what);
}

static void data_in_code_check(const Image *im) {
  Bytes b = image_linkedit(im, im->data_in_code.dataoff, im->data_in_code.datasize, "LC_DATA_IN_CODE");
  u64 before = 0;
  if (b.len % 8)
    fail(im, "LC_DATA_IN_CODE has no whole number of entries");
  for (u64 i = 0; i < b.len; i += 8) {
    u64 off = rd32(b.p + i), length = rd16(b.p + i + 4);
    u16 kind = rd16(b.p + i + 6);
    if (off < before || !length || !kind || kind > 5)
      fail(im, "entry %lu of LC_DATA_IN_CODE is out of order or not known", i / 8);
    code_address_check(im, align_down(im->base + off, 4), "LC_DATA_IN_CODE");
    before = off + length;
  }
}

typedef struct {
  const char *name;
  u64 off, size;
  u32 align;
} Part;

/* In the order in which strip and codesign_allocate expect (and rewrite) them. */
static void order_check(const Image *im) {
  const DyldInfoCommand *d = &im->dyld_info;
  const Part parts[] = {
      {"rebase stream", d->rebase_off, d->rebase_size, 8},
      {"bind stream", d->bind_off, d->bind_size, 8},
      {"weak bind stream", d->weak_bind_off, d->weak_bind_size, 8},
      {"lazy bind stream", d->lazy_bind_off, d->lazy_bind_size, 8},
      {"export trie", d->export_off, d->export_size, 8},
      {"chained fixups", im->chained.dataoff, im->chained.datasize, 8},
      {"export trie", im->trie.dataoff, im->trie.datasize, 8},
      {"function starts", im->function_starts.dataoff, im->function_starts.datasize, 8},
      {"data in code", im->data_in_code.dataoff, im->data_in_code.datasize, 8},
      {"symbol table", im->symtab.symoff, (u64)im->symtab.nsyms * sizeof(Nlist), 8},
      {"indirect symbol table", im->dysymtab.indirectsymoff, (u64)im->dysymtab.nindirectsyms * 4, 4},
      {"string table", im->symtab.stroff, im->symtab.strsize, 4},
      {"code signature", im->signature.dataoff, im->signature.datasize, 16},
  };
  const Segment *le = &im->segments[im->segment_count - 1];
  u64 end = le->fileoff;
  const char *before = "beginning";
  for (u32 i = 0; i < COUNT_OF(parts); i++) {
    const Part *p = &parts[i];
    if (!p->size)
      continue;
    image_linkedit(im, p->off, p->size, p->name);
    if (p->off % p->align)
      fail(im, "its %s is not aligned to %u", p->name, p->align);
    if (p->off < end)
      fail(im, "in __LINKEDIT, %s and %s overlap or are not in order", before, p->name);
    if (p->off - end > 16)
      fail(im, "in __LINKEDIT, %lu bytes between %s and %s belong to nothing", p->off - end, before, p->name);
    end = p->off + p->size;
    before = p->name;
  }
  if (le->fileoff + le->filesize - end > 16)
    fail(im, "in __LINKEDIT, %lu bytes after %s belong to nothing", le->fileoff + le->filesize - end, before);
}

void linkedit_check(Image *im) {
  order_check(im);
  symbols = image_linkedit(im, im->symtab.symoff, (u64)im->symtab.nsyms * sizeof(Nlist), "the symbol table");
  strings = image_linkedit(im, im->symtab.stroff, im->symtab.strsize, "the string table");
  indirect = image_linkedit(im, im->dysymtab.indirectsymoff, (u64)im->dysymtab.nindirectsyms * 4,
                            "the indirect symbol table");
  if (strings.len && strings.p[strings.len - 1])
    fail(im, "its string table does not end with a zero");
  symbols_check(im);
  indirect_check(im);
  function_starts_check(im);
  data_in_code_check(im);
  for (u32 i = 0; i < im->export_count; i++) {
    const Export *e = &im->exports[i];
    if (!(e->flags & (EXPORT_REEXPORT | EXPORT_KIND)) && e->vmaddr != im->base && !image_segment_at(im, e->vmaddr, 0))
      fail(im, "the export %s is in no segment", e->name);
  }
}
