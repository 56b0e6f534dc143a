/* elf_segments.c: output sections to program headers (gABI ch. 5), and the type and flags of an output
 * section from its atoms. The trap: the number of headers decides where the first section may begin, so
 * plan_segments() must come to the same list as finish_segments() from flags alone. */
#include "write/elf_segments.h"

#include "write/elf_encode.h"
#include "write/elf_loads.h"
#include "write/elf_phdrs.h"

typedef struct {
  u32 type, entsize;
  u64 attr, common; /* flags that one input has, that all have */
  bool mixed;
} Header;

/* Some inputs of one type and entry size. */
static void add_inputs(Header *h, u32 type, u64 any, u64 all, u32 entsize) {
  if (type == SHT_X86_64_UNWIND)
    type = SHT_PROGBITS;
  if (h->type == SHT_NULL)
    h->type = type;
  else if (h->type != type && type != SHT_NOBITS) {
    if (h->type != SHT_NOBITS)
      h->mixed = true;
    if (h->type == SHT_NOBITS || type == SHT_INIT_ARRAY || type == SHT_FINI_ARRAY || type == SHT_PREINIT_ARRAY)
      h->type = type;
    else if (h->type != SHT_INIT_ARRAY && h->type != SHT_FINI_ARRAY && h->type != SHT_PREINIT_ARRAY)
      h->type = SHT_PROGBITS;
  }
  h->attr |= any & (SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR | SHF_TLS | SHF_X86_64_LARGE | SHF_GNU_RETAIN | SHF_OS_NONCONFORMING);
  h->common &= all & (SHF_MERGE | SHF_STRINGS | SHF_LINK_ORDER | SHF_INFO_LINK | SHF_GROUP | SHF_EXCLUDE | SHF_MASKOS | SHF_MASKPROC);
  if (h->entsize == UINT32_MAX)
    h->entsize = entsize;
  else if (h->entsize != entsize)
    h->entsize = 0;
}

/* What layout knows of the inputs of most sections is enough: order matters only among types. */
static bool add_at_once(const Link *l, const Osec *o, Header *h) {
  const AtomKinds *k = &o->kinds;
  if (!k->n || !k->one_type || k->type == SHT_X86_64_UNWIND)
    return false;
  add_inputs(h, k->type, k->attr_any, ~(u64)k->attr_lacks, k->one_entsize ? k->entsize : 0);
  for (u32 i = 1; o->aflags & ATOM_SYNTH && i < l->synths.n; i++) {
    const Synth *s = &l->synths.at[i];
    if (&l->osecs.at[l->atoms.at[s->atom.i].osec] != o)
      continue;
    if (s->type != k->type)
      return false;
    add_inputs(h, s->type, s->attr, s->attr, s->entsize);
  }
  return true;
}

static void add_one_by_one(const Link *l, const Osec *o, Header *h) {
  for (u32 i = 0; i < o->natoms; i++) {
    const Atom *a = &l->atoms.at[o->atoms[i].i];
    if (l->atoms.flags[o->atoms[i].i] & ATOM_SYNTH) {
      const Synth *s = &l->synths.at[a->aux];
      add_inputs(h, s->type, s->attr, s->attr, s->entsize);
    } else {
      add_inputs(h, a->type, a->attr, a->attr, a->entsize);
    }
  }
}

void elf_output_section(const Link *l, Osec *o) {
  const Header none = {.type = SHT_NULL, .entsize = UINT32_MAX, .common = ~0ull};
  Header h = none;
  if (!add_at_once(l, o, &h)) {
    h = none;
    add_one_by_one(l, o, &h);
  }
  if (h.entsize == UINT32_MAX || !h.entsize) {
    h.entsize = 0;
    h.common &= ~(u64)(SHF_MERGE | SHF_STRINGS);
  }
  if (h.mixed)
    h.common = 0;
  o->type = h.type == SHT_NULL ? SHT_PROGBITS : h.type;
  if (o->aflags & ATOM_ZEROFILL) /* a gap, or NOLOAD */
    o->type = SHT_NOBITS;
  else if (o->type == SHT_NOBITS)
    o->type = SHT_PROGBITS; /* the layout has bytes for it */
  h.attr &= ~(u64)(SHF_ALLOC | SHF_WRITE); /* the layout may say something else than the inputs */
  h.attr |= (o->aflags & ATOM_WRITE ? SHF_WRITE : 0u) | (o->aflags & ATOM_ALLOC ? SHF_ALLOC : 0u);
  if (!l->relocatable)
    h.common &= SHF_MERGE | SHF_STRINGS | SHF_LINK_ORDER | SHF_INFO_LINK;
  o->attr = h.attr | (o->natoms ? h.common : 0);
  bool pointers = o->type == SHT_INIT_ARRAY || o->type == SHT_FINI_ARRAY || o->type == SHT_PREINIT_ARRAY;
  o->entsize = pointers ? l->format->word : h.entsize;
}

SectionClass elf_section_class(const Link *l, const Osec *o) {
  u32 type = o->kinds.n ? o->kinds.type : o->natoms ? l->synths.at[l->atoms.at[o->atoms[0].i].aux].type : SHT_NULL;
  if (!o->kinds.one_type && (streq(o->name, ".init_array") || streq(o->name, ".fini_array"))) /* .ctors joined it */
    return SECTION_ARRAY;
  switch (type) {
  case SHT_NOTE: return SECTION_NOTE;
  case SHT_RELA:
  case SHT_REL: return SECTION_RELOCS;
  case SHT_INIT_ARRAY:
  case SHT_FINI_ARRAY:
  case SHT_PREINIT_ARRAY: return SECTION_ARRAY;
  default: return SECTION_PLAIN;
  }
}

/* ---- segments ---- */

static Segment *add(Link *l, u32 type, u32 flags, u64 align) {
  *vec_push(&l->segments) = (Segment){.type = type, .flags = flags, .align = align};
  return &l->segments.at[l->segments.n - 1];
}

static bool is_tbss(const Osec *o) { return (o->aflags & (ATOM_TLS | ATOM_ZEROFILL)) == (ATOM_TLS | ATOM_ZEROFILL); }

static u32 flags_of(const Link *l, const Osec *o) {
  u32 f = PF_R | (o->aflags & ATOM_WRITE ? PF_W : 0) | (o->aflags & ATOM_EXEC ? PF_X : 0);
  if (l->opt->execute_only && o->aflags & ATOM_EXEC && !(f & PF_W))
    f &= ~(u32)PF_R;
  return f;
}

static Osec *synth_osec(const Link *l, u32 syn) {
  const Synth *s = &l->synths.at[syn];
  u32 o = s->atom.i ? l->atoms.at[s->atom.i].osec : 0;
  return o && l->osecs.at[o].placed ? &l->osecs.at[o] : NULL;
}

static Segment *one(Link *l, u32 type, u32 flags, const Osec *o) {
  Segment *s = add(l, type, flags, 1);
  s->first = UINT32_MAX;
  if (o)
    for (u32 i = 0; i < l->norder; i++)
      if (&l->osecs.at[l->order[i]] == o)
        elf_cover(s, i, o);
  return s;
}

/* PT_PHDR and PT_INTERP, which stand before PT_LOADs; `start`: where the file's first byte is in memory. */
static void add_first(Link *l, bool headers, u64 start, u64 load_start) {
  Osec *interp = synth_osec(l, SYN_INTERP);
  if (headers && (interp || l->is_dynamic)) {
    Segment *s = add(l, PT_PHDR, PF_R, l->format->word);
    s->off = elf_sizes(l).ehdr;
    s->addr = start + s->off;
    s->lma = load_start + s->off;
    s->filesz = s->memsz = l->header_size - s->off;
  }
  if (interp)
    one(l, PT_INTERP, PF_R, interp);
}

static void add_scripted_loads(Link *l) {
  Segment *loads;
  bool headers;
  u32 n = elf_make_loads(l, &loads, &headers);
  add_first(l, headers, n ? loads->addr : 0, n ? loads->lma : 0);
  for (u32 i = 0; i < n; i++)
    *vec_push(&l->segments) = loads[i];
}

/* The key that a PT_LOAD of a static description ends on, as core/layout.c begins a page on it. */
static u32 permissions(const Link *l, const Osec *o) {
  u32 p = o->aflags & (ATOM_WRITE | ATOM_EXEC | ATOM_LARGE);
  if (!l->opt->rosegment && !(p & ATOM_WRITE))
    p &= ~(u32)ATOM_EXEC;
  return p;
}

static void add_described_loads(Link *l) {
  u64 page = elf_max_page(l), base = l->opt->has_image_base ? l->opt->image_base : l->is_pic ? 0 : l->arch->image_base;
  if (!(l->osecs.at[l->order[0]].aflags & ATOM_ALLOC))
    return;
  add_first(l, true, base, base);
  Segment *load = add(l, PT_LOAD, PF_R, page); /* the headers begin a segment; read-only sections may share it */
  load->first = UINT32_MAX;
  load->addr = load->lma = base;
  load->filesz = load->memsz = l->header_size;
  u32 perm = 0;
  bool zero = false;
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (!(o->aflags & ATOM_ALLOC) || is_tbss(o))
      continue;
    bool fresh = permissions(l, o) != perm || (zero && o->filesz); /* bytes behind zero fill need a segment of their own */
    if (!fresh && l->planned)
      fresh = o->addr < load->addr + load->memsz || (o->filesz && o->off - load->off != o->addr - load->addr);
    if (fresh) {
      load = add(l, PT_LOAD, 0, page);
      load->first = UINT32_MAX;
      zero = false;
    }
    perm = permissions(l, o);
    load->flags |= flags_of(l, o);
    elf_cover(load, i, o);
    zero = o->aflags & ATOM_ZEROFILL && o->size;
  }
}

/* Notes of one alignment that stand together share a PT_NOTE (readers walk it with that alignment). */
static void add_notes(Link *l) {
  const Osec *last = NULL;
  Segment *s = NULL;
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (!(o->aflags & ATOM_ALLOC) || o->type != SHT_NOTE) {
      last = NULL;
      continue;
    }
    if (!last || last->p2align != o->p2align || flags_of(l, last) != flags_of(l, o) ||
        o->addr != align_up(last->addr + last->size, 1ull << o->p2align)) {
      s = add(l, PT_NOTE, flags_of(l, o), 1);
      s->first = UINT32_MAX;
    }
    elf_cover(s, i, o);
    last = o;
  }
}

static void add_tls(Link *l) {
  Segment *s = NULL;
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (!(o->aflags & ATOM_TLS) || !(o->aflags & ATOM_ALLOC))
      continue;
    if (!s) {
      s = add(l, PT_TLS, PF_R, 1);
      s->first = UINT32_MAX;
    }
    elf_cover(s, i, o);
  }
}

static void add_relro(Link *l) {
  if (l->relro_begin == l->relro_end)
    return;
  for (u32 i = 0; i < l->segments.n; i++) {
    Segment *s = &l->segments.at[i];
    if (s->type != PT_LOAD || l->relro_begin < s->addr || l->relro_begin >= s->addr + s->memsz)
      continue;
    u64 skip = l->relro_begin - s->addr, size = l->relro_end - l->relro_begin;
    s->memsz = MAX(s->memsz, skip + size); /* the rest of the last page belongs to the region, too */
    Segment r = {.type = PT_GNU_RELRO, .flags = PF_R, .align = 1, .off = s->off + skip, .addr = l->relro_begin, .lma = s->lma + skip,
                 .filesz = MIN(size, s->filesz > skip ? s->filesz - skip : 0), .memsz = size, .first = s->first, .last = s->last};
    *vec_push(&l->segments) = r;
    return;
  }
}

static void build(Link *l) {
  const Options *p = l->opt;
  l->segments.n = 0;
  if (!l->norder)
    return;
  if (l->layout->nphdrs && l->scripted && !l->relocatable) {
    if (!elf_script_phdrs(l) && l->settled)
      diag_error(l->diag, "script", "PHDRS: no output section is assigned to a program header");
    return;
  }
  if (l->scripted)
    add_scripted_loads(l);
  else
    add_described_loads(l);
  Osec *dynamic = synth_osec(l, SYN_DYNAMIC);
  if (dynamic)
    one(l, PT_DYNAMIC, PF_R | PF_W, dynamic);
  add_notes(l);
  Osec *prop = synth_osec(l, SYN_NOTE_PROPERTY);
  if (prop)
    one(l, PT_GNU_PROPERTY, PF_R, prop);
  add_tls(l);
  Osec *hdr = synth_osec(l, SYN_EH_FRAME_HDR);
  if (hdr)
    one(l, PT_GNU_EH_FRAME, PF_R, hdr);
  if (!p->z_nognustack) {
    Segment *s = add(l, PT_GNU_STACK, PF_R | PF_W | (l->execstack ? PF_X : 0), 16);
    s->memsz = p->has_stack_size ? p->z_stack_size : 0;
  }
  add_relro(l);
  for (u32 i = 0; i < p->spare_program_headers; i++)
    add(l, PT_NULL, 0, 0);
}

u64 elf_plan_segments(Link *l) {
  build(l);
  l->planned = true;
  u64 size = elf_sizes(l).ehdr + (u64)l->segments.n * elf_sizes(l).phdr;
  return MAX(size, l->header_size);
}

void elf_finish_segments(Link *l) {
  l->settled = true;
  build(l);
}
