/* elf_segments.c: output sections to program headers (gABI ch. 5), and the type and flags of an output
 * section from its atoms. The trap: the number of headers decides where the first section may begin, so
 * plan_segments() must come to the same list as finish_segments() from flags alone. */
#include "write/elf_segments.h"

#include "write/elf_encode.h"

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
  o->entsize = h.entsize;
}

/* ---- segments ---- */

typedef struct {
  Link *l;
  u32 perm; /* of the PT_LOAD that is open */
  bool open;
} Plan;

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

/* The key that a PT_LOAD ends on, as core/layout.c begins a page on it. */
static u32 permissions(const Link *l, const Osec *o) {
  u32 p = o->aflags & (ATOM_WRITE | ATOM_EXEC | ATOM_LARGE);
  if (l->opt->omagic)
    return 0;
  if (!l->opt->rosegment && !(p & ATOM_WRITE))
    p &= ~(u32)ATOM_EXEC;
  return p | (o->relro ? 1u << 31 : 0);
}

static Osec *synth_osec(const Link *l, u32 syn) {
  const Synth *s = &l->synths.at[syn];
  u32 o = s->atom.i ? l->atoms.at[s->atom.i].osec : 0;
  return o && l->osecs.at[o].placed ? &l->osecs.at[o] : NULL;
}

static void cover(Segment *s, u32 at, const Osec *o) {
  if (!s->memsz) {
    s->off = o->off;
    s->addr = o->addr;
    s->lma = o->lma;
  }
  s->first = MIN(s->first, at);
  s->last = at;
  u64 end = o->addr + o->size;
  if (end > s->addr + s->memsz)
    s->memsz = end - s->addr;
  if (o->filesz && o->off + o->filesz > s->off + s->filesz)
    s->filesz = o->off + o->filesz - s->off;
  s->align = MAX(s->align, 1ull << o->p2align);
}

static Segment *one(Link *l, u32 type, u32 flags, const Osec *o) {
  Segment *s = add(l, type, flags, 1);
  s->first = UINT32_MAX;
  if (o)
    for (u32 i = 0; i < l->norder; i++)
      if (&l->osecs.at[l->order[i]] == o)
        cover(s, i, o);
  return s;
}

/* -n and -N leave them out; but a dynamic linker looks at them. */
static bool headers_loaded(const Link *l) {
  if (!l->norder || ((l->opt->omagic || l->opt->nmagic) && !l->is_dynamic))
    return false;
  const Osec *o = &l->osecs.at[l->order[0]];
  if (!(o->aflags & ATOM_ALLOC))
    return false;
  return !l->scripted || (o->off >= l->header_size && o->addr >= o->off && o->off < l->arch->max_page_size);
}

/* Where the file's first byte is in memory. */
static u64 image_start(const Link *l) {
  const Osec *o = &l->osecs.at[l->order[0]];
  if (l->scripted)
    return o->addr - o->off;
  return l->opt->has_image_base ? l->opt->image_base : l->is_pic ? 0 : l->arch->image_base;
}

/* A script may put sections of different permissions next to each other. */
static bool shares_page(const Segment *load, const Osec *o, u64 page) {
  u64 end = load->addr + load->memsz;
  return o->size && load->memsz && o->addr >= end && (o->addr & -page) == ((end - 1) & -page);
}

/* Loaders want PT_LOADs in order of their addresses, wherever --section-start put the sections. They
 * stand together at the end of the list. */
static void sort_loads(Link *l) {
  Segment *s = l->segments.at;
  for (u32 i = 1; i < l->segments.n; i++) {
    Segment x = s[i];
    u32 k = i;
    for (; x.type == PT_LOAD && k && s[k - 1].type == PT_LOAD && s[k - 1].addr > x.addr; k--)
      s[k] = s[k - 1];
    s[k] = x;
  }
}

static void build(Link *l) {
  u64 page = l->opt->z_max_page_size ? l->opt->z_max_page_size : l->arch->max_page_size;
  const Options *p = l->opt;
  u64 load_align = p->omagic || p->nmagic ? 4 : page;
  bool headers = headers_loaded(l);
  l->segments.n = 0;
  if (!l->norder)
    return;
  Osec *interp = synth_osec(l, SYN_INTERP);
  if (headers && (interp || l->is_dynamic)) {
    Segment *s = add(l, PT_PHDR, PF_R, l->format->word);
    s->off = elf_sizes(l).ehdr;
    s->addr = s->lma = image_start(l) + s->off;
    s->filesz = s->memsz = l->header_size - s->off;
  }
  if (interp)
    one(l, PT_INTERP, PF_R, interp);
  Segment *load = NULL;
  u32 perm = 0;
  bool zero = false;
  if (headers) { /* the headers begin a segment; read-only sections may share it */
    load = add(l, PT_LOAD, PF_R, load_align);
    load->first = UINT32_MAX;
    load->addr = load->lma = image_start(l);
    load->filesz = load->memsz = l->header_size;
    if (l->scripted)
      perm = permissions(l, &l->osecs.at[l->order[0]]);
  }
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (!(o->aflags & ATOM_ALLOC) || is_tbss(o))
      continue;
    u32 k = permissions(l, o);
    bool fresh = !load || k != perm;
    if (fresh && load && l->scripted && l->planned && shares_page(load, o, page)) {
      fresh = false; /* the kernel maps whole pages: the one would take the other's away */
      k |= perm;
    }
    if (load && !fresh) {
      if (zero && o->filesz) /* bytes behind zero fill need a segment of their own */
        fresh = true;
      else if (l->planned && (o->addr < load->addr + load->memsz || (o->filesz && o->off - load->off != o->addr - load->addr) ||
                              o->lma - load->lma != o->addr - load->addr))
        fresh = true; /* a script or -Ttext moved it away */
    }
    if (fresh) {
      load = add(l, PT_LOAD, PF_R, load_align);
      load->first = UINT32_MAX;
      zero = false;
      load->flags = 0;
    }
    perm = k;
    load->flags |= flags_of(l, o);
    if (p->omagic)
      load->flags |= PF_R | PF_W | PF_X;
    cover(load, i, o);
    zero = o->aflags & ATOM_ZEROFILL && o->size;
  }
  if (l->planned)
    sort_loads(l);
  Osec *dynamic = synth_osec(l, SYN_DYNAMIC);
  if (dynamic)
    one(l, PT_DYNAMIC, PF_R | PF_W, dynamic);
  /* notes of one alignment that stand together share a PT_NOTE (readers walk it with that alignment) */
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (o->type != SHT_NOTE || !(o->aflags & ATOM_ALLOC))
      continue;
    Segment *s = add(l, PT_NOTE, flags_of(l, o), 1);
    s->first = UINT32_MAX;
    cover(s, i, o);
    while (i + 1 < l->norder && l->osecs.at[l->order[i + 1]].type == SHT_NOTE && l->osecs.at[l->order[i + 1]].aflags & ATOM_ALLOC &&
           l->osecs.at[l->order[i + 1]].p2align == o->p2align && flags_of(l, &l->osecs.at[l->order[i + 1]]) == flags_of(l, o))
      i++, cover(s, i, &l->osecs.at[l->order[i]]);
  }
  Osec *prop = synth_osec(l, SYN_NOTE_PROPERTY);
  if (prop)
    one(l, PT_GNU_PROPERTY, PF_R, prop);
  Segment *tls = NULL;
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (!(o->aflags & ATOM_TLS) || !(o->aflags & ATOM_ALLOC))
      continue;
    if (!tls) {
      tls = add(l, PT_TLS, PF_R, 1);
      tls->first = UINT32_MAX;
    }
    cover(tls, i, o);
  }
  Osec *hdr = synth_osec(l, SYN_EH_FRAME_HDR);
  if (hdr)
    one(l, PT_GNU_EH_FRAME, PF_R, hdr);
  if (!p->z_nognustack) {
    Segment *s = add(l, PT_GNU_STACK, PF_R | PF_W | (l->execstack ? PF_X : 0), 16);
    s->memsz = p->has_stack_size ? p->z_stack_size : 0;
  }
  Segment *relro = NULL;
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (!o->relro || is_tbss(o))
      continue;
    if (!relro) {
      relro = add(l, PT_GNU_RELRO, PF_R, 1);
      relro->first = UINT32_MAX;
    }
    cover(relro, i, o);
  }
  if (relro) {
    if (l->relro_end > relro->addr)
      relro->memsz = l->relro_end - relro->addr;
    relro->align = 1;
    /* the rest of the last page belongs to the region, so the PT_LOAD must reach as far */
    for (u32 i = 0; i < l->segments.n; i++) {
      Segment *s = &l->segments.at[i];
      if (s->type == PT_LOAD && s->addr <= relro->addr && relro->addr < s->addr + s->memsz)
        s->memsz = MAX(s->memsz, relro->addr + relro->memsz - s->addr);
    }
  }
  for (u32 i = 0; i < p->spare_program_headers; i++)
    add(l, PT_NULL, 0, 0);
}

u64 elf_plan_segments(Link *l) {
  build(l);
  l->planned = true;
  u64 size = elf_sizes(l).ehdr + (u64)l->segments.n * elf_sizes(l).phdr;
  return MAX(size, l->header_size);
}

void elf_finish_segments(Link *l) { build(l); }
