/* macho_segments.c: output sections to segments. An output section is called "SEGMENT,SECTION", and a segment begins where the
 * first half changes.
 * The trap: the load commands say how large they are before anything has an address, so macho_plan_segments() must
 * come to the same sections and segments as macho_finish_segments(). */
#include "write/macho.h"

enum { MAX_SECTIONS = 255, MAX_SEGMENTS = 64, NAME_SIZE = 16 };

const char *macho_section_name(const Osec *o, u32 *segment_len) {
  const char *comma = strchr(o->name, ',');
  u32 len = comma ? (u32)(comma - o->name) : 0;
  if (segment_len)
    *segment_len = len;
  return comma ? comma + 1 : o->name;
}

/* From 1 on; segments of one name have one number. */
static u32 number_of(MachoImage *m, const char *name, u32 len) {
  for (u32 i = 0; i < m->names.n; i++)
    if (strlen(m->names.at[i]) == len && !memcmp(m->names.at[i], name, len))
      return i + 1;
  *vec_push(&m->names) = arena_strndup(&m->l->arena, name, len);
  return m->names.n;
}

u32 macho_segment_of(const Link *l, const Osec *o) {
  u32 len;
  macho_section_name(o, &len);
  if (len == 6 && !memcmp(o->name, "__TEXT", 6))
    return 0;
  return number_of(macho_image(l), o->name, len);
}

/* ---- sections ---- */

static bool is_zero_type(u32 type) { return type == S_ZEROFILL || type == S_GB_ZEROFILL || type == S_THREAD_LOCAL_ZEROFILL; }

void macho_output_section(const Link *l, Osec *o) {
  const u32 instructions = S_ATTR_PURE_INSTRUCTIONS | S_ATTR_SOME_INSTRUCTIONS;
  const u32 kept = instructions | S_ATTR_NO_TOC | S_ATTR_STRIP_STATIC_SYMS | S_ATTR_NO_DEAD_STRIP | S_ATTR_LIVE_SUPPORT | S_ATTR_SELF_MODIFYING_CODE;
  const AtomKinds *k = &o->kinds;
  bool known = k->n;
  u32 type = k->one_type ? k->type : S_REGULAR;
  u32 attr = k->attr_any & kept;
  if (k->attr_lacks & S_ATTR_PURE_INSTRUCTIONS)
    attr &= ~S_ATTR_PURE_INSTRUCTIONS;
  for (u32 i = 1; o->aflags & ATOM_SYNTH && i < l->synths.n; i++) {
    const Synth *s = &l->synths.at[i];
    if (!s->atom.i || &l->osecs.at[l->atoms.at[s->atom.i].osec] != o)
      continue;
    type = !known || type == s->type ? s->type : S_REGULAR;
    attr |= (u32)s->attr & kept;
    known = true;
  }
  if (is_zero_type(type) && !(o->aflags & ATOM_ZEROFILL)) /* joined with what has bytes */
    type = type == S_THREAD_LOCAL_ZEROFILL ? S_THREAD_LOCAL_REGULAR : S_REGULAR;
  if (!is_zero_type(type) && o->aflags & ATOM_ZEROFILL && o->natoms)
    type = S_ZEROFILL;
  o->type = type;
  o->attr = attr;
  if (type == S_THREAD_LOCAL_VARIABLES) /* three pointers each, and compilers ask for no alignment */
    o->p2align = MAX(o->p2align, 3);
}

/* ---- segments ---- */

static void set_protection(const MachoImage *m, MachoSegment *s) {
  const DarwinOptions *d = &m->l->opt->darwin;
  u32 prot = VM_PROT_READ | VM_PROT_WRITE;
  if (streq(s->name, "__PAGEZERO"))
    prot = 0;
  else if (streq(s->name, "__TEXT"))
    prot = VM_PROT_READ | VM_PROT_EXECUTE;
  else if (streq(s->name, "__LINKEDIT"))
    prot = VM_PROT_READ;
  s->initprot = s->maxprot = prot;
  s->flags = streq(s->name, "__DATA_CONST") ? SG_READ_ONLY : 0;
  for (u32 i = 0; i < d->protections.n; i++)
    if (streq(d->protections.at[i].segment, s->name)) {
      s->initprot = d->protections.at[i].init;
      s->maxprot = d->protections.at[i].max;
    }
}

static MachoSegment *add_segment(MachoImage *m, const char *name, u32 len) {
  MachoSegment *s = vec_push(&m->segments);
  *s = (MachoSegment){0};
  memcpy(s->name, name, MIN(len, (u32)NAME_SIZE));
  set_protection(m, s);
  return s;
}

/* Segments without addresses. __TEXT is there for the headers alone, too. */
static void list_segments(MachoImage *m) {
  const Link *l = m->l;
  u32 open = 0;
  m->segments.n = 0;
  if (m->filetype == MH_EXECUTE && m->base)
    add_segment(m, "__PAGEZERO", 10);
  add_segment(m, "__TEXT", 6);
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    u32 len, number = macho_segment_of(l, o);
    macho_section_name(o, &len);
    if (number != open)
      add_segment(m, o->name, len)->first = i;
    open = number;
    m->segments.at[m->segments.n - 1].count++;
  }
  add_segment(m, "__LINKEDIT", 10);
}

u64 macho_plan_segments(Link *l) {
  MachoImage *m = macho_image(l);
  const DarwinOptions *d = &l->opt->darwin;
  u32 n;
  list_segments(m);
  l->planned = true;
  u64 size = sizeof(MachHeader64) + macho_commands(m, NULL, &n), pad = d->headerpad;
  if (d->headerpad_max) /* room for the longest name that install_name_tool can put in */
    pad = MAX(pad, (u64)m->nlibraries * 1024);
  return MAX(size + pad, l->header_size);
}

static u64 page_size(const Link *l) { return l->opt->z_max_page_size ? l->opt->z_max_page_size : l->arch->max_page_size; }

/* Segments follow each other without gaps: addr and off are where the one before ends. */
static void place_segment(const MachoImage *m, MachoSegment *s, u64 page, u64 addr, u64 off) {
  const Link *l = m->l;
  bool headers = !off;
  if (streq(s->name, "__PAGEZERO")) {
    s->size = m->base;
    return;
  }
  s->addr = addr;
  s->off = off;
  u64 end = addr + (headers ? l->header_size : 0), file_end = off + (headers ? l->header_size : 0);
  for (u32 i = s->first; i < s->first + s->count; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    end = MAX(end, o->addr + o->size);
    if (o->filesz)
      file_end = MAX(file_end, o->off + o->filesz);
  }
  s->size = align_up(end - s->addr, page);
  s->filesz = align_up(file_end - s->off, page);
}

void macho_finish_segments(Link *l) {
  MachoImage *m = macho_image(l);
  u64 page = page_size(l), addr = m->base, off = 0;
  list_segments(m);
  for (u32 i = 0; i + 1 < m->segments.n; i++) {
    MachoSegment *s = &m->segments.at[i];
    place_segment(m, s, page, addr, off);
    addr = MAX(addr, s->addr + s->size);
    off = MAX(off, s->off + s->filesz);
  }
  MachoSegment *last = &m->segments.at[m->segments.n - 1]; /* __LINKEDIT's size comes with its contents */
  last->addr = addr;
  last->off = off;
  if (l->norder > MAX_SECTIONS)
    diag_error(l->diag, "too-large", "the output has %u sections: Mach-O has room for %d", l->norder, MAX_SECTIONS);
  if (m->segments.n > MAX_SEGMENTS)
    diag_error(l->diag, "too-large", "the output has %u segments: weld makes %d at most", m->segments.n, MAX_SEGMENTS);
}

u32 macho_segment_at(const MachoImage *m, u64 addr) {
  for (u32 i = 0; i < m->segments.n; i++)
    if (addr - m->segments.at[i].addr < m->segments.at[i].size)
      return i;
  return m->segments.n;
}
