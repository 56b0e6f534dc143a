/* elf_loads.c: PT_LOADs and file offsets of a link by script: both follow from the addresses that the script gave and from what sections
 * may do, as GNU ld has it (gABI ch. 5, "Program Header": an address and its offset are the same modulo the page size).
 * The trap: sections of one page share a segment whatever they may do, since a loader maps whole pages. */
#include "write/elf_loads.h"

#include <stdlib.h>

#include "format/elf.h"

static bool is_tbss(const Osec *o) { return (o->aflags & (ATOM_TLS | ATOM_ZEROFILL)) == (ATOM_TLS | ATOM_ZEROFILL); }

static bool is_packed(const Link *l) { return l->opt->omagic || l->opt->nmagic; }

u64 elf_max_page(const Link *l) { return l->opt->z_max_page_size ? l->opt->z_max_page_size : l->arch->max_page_size; }

/* A segment that is more aligned than this is so in memory only: the file would have to be as large. */
enum { MOST_FIT = 1 << 16 };

/* What offsets fit addresses by. -n and -N: not a byte to fill pages, but what the kernel needs to map it. */
static u64 modulus(const Link *l) { return is_packed(l) ? MIN(elf_max_page(l), l->arch->common_page_size) : elf_max_page(l); }

/* ---- sections, in order of their load addresses ---- */

static int compare_lma(const void *pa, const void *pb, void *ctx) {
  const Link *l = ctx;
  u32 i = *(const u32 *)pa, k = *(const u32 *)pb;
  const Osec *a = &l->osecs.at[l->order[i]], *b = &l->osecs.at[l->order[k]];
  if (a->lma != b->lma)
    return a->lma < b->lma ? -1 : 1;
  if (a->addr != b->addr)
    return a->addr < b->addr ? -1 : 1;
  if (!a->size != !b->size) /* what is empty does not end a segment */
    return !a->size ? -1 : 1;
  return i < k ? -1 : i > k;
}

/* Indexes into Link.order of what takes memory in the image; their number. */
static u32 sort_sections(Link *l, u32 *out) {
  u32 n = 0;
  bool sorted = true;
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (!(o->aflags & ATOM_ALLOC) || is_tbss(o))
      continue;
    out[n++] = i;
    sorted &= n < 2 || compare_lma(&out[n - 2], &out[n - 1], l) < 0;
  }
  if (!sorted)
    qsort_r(out, n, sizeof *out, compare_lma, l);
  return n;
}

/* ---- where a segment begins ---- */

/* What the sections of the open segment may do together, and its last one. */
typedef struct {
  const Osec *last;
  bool writable, executable;
} Open;

static bool begins_load(const Link *l, const Open *s, const Osec *o) {
  const Osec *last = s->last;
  u64 page = modulus(l), end = last->lma + last->size, up = align_up(end, page);
  bool writable = o->aflags & ATOM_WRITE, executable = o->aflags & ATOM_EXEC;
  if (last->lma - last->addr != o->lma - o->addr || o->lma < end || end < last->lma)
    return true; /* it is loaded elsewhere */
  if (last->size && ((end - 1) & -page) == (o->lma & -page))
    return false;
  if (!is_packed(l) && up + page > last->lma && up + page <= o->lma)
    return true; /* a page or more would be mapped for nothing */
  if (!last->filesz && last->size && o->filesz)
    return true; /* zero fill would take room in the file */
  if (l->opt->omagic)
    return false;
  if (l->opt->nmagic && s->writable && !writable)
    return true;
  return (executable != s->executable && l->opt->rosegment) || (writable && !s->writable);
}

/* ---- the segments ---- */

static u32 flags_of(const Link *l, const Osec *o) {
  u32 f = PF_R | (o->aflags & ATOM_WRITE ? PF_W : 0) | (o->aflags & ATOM_EXEC ? PF_X : 0);
  if (l->opt->execute_only && o->aflags & ATOM_EXEC && !(f & PF_W))
    f &= ~(u32)PF_R;
  return l->opt->omagic ? PF_R | PF_W | PF_X : f;
}

void elf_cover(Segment *s, u32 at, const Osec *o) {
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

/* ---- headers ---- */

/* Are the headers mapped with the first section? -n and -N leave them out, but a dynamic linker looks at them. */
static bool shares_with_headers(const Link *l, const Osec *first) {
  return first->off >= l->header_size && first->addr >= first->off && first->lma >= first->off && first->off < elf_max_page(l);
}

/* Else they have a segment of their own below it, when the script left room for them. */
static bool place_headers(const Link *l, const Osec *first, Segment *out) {
  u64 page = elf_max_page(l), size = l->header_size;
  if (!(l->wants_headers || l->is_dynamic) || first->addr < size || first->lma < size)
    return false;
  *out = (Segment){.type = PT_LOAD, .flags = PF_R, .first = UINT32_MAX, .align = page, .filesz = size, .memsz = size,
                   .addr = (first->addr - size) & -page, .lma = (first->lma - size) & -page};
  return true;
}

/* What takes no memory stands behind all else, .tbss where the sections before it end, but as its address is aligned. */
void elf_place_others(Link *l, u64 off) {
  u64 tls = l->header_size, align = MAX(l->tls_align, (u64)1);
  for (u32 i = 0; i < l->norder; i++) {
    Osec *o = &l->osecs.at[l->order[i]];
    if (!(o->aflags & ATOM_ALLOC)) {
      o->filesz = o->bytes ? o->filesz : o->aflags & ATOM_ZEROFILL ? 0 : o->size;
      o->off = off = align_up(off, 1ull << o->p2align);
      off += o->filesz;
    } else if (is_tbss(o)) {
      o->off = tls + ((o->addr - tls) & (align - 1));
    } else {
      tls = o->off + o->filesz;
    }
  }
  l->file_end = off;
}

/* A PT_LOAD of sections [first, end) of the sorted ones. */
typedef struct {
  u32 first, end;
  u64 align;
} Run;

static u32 cut(const Link *l, const u32 *at, u32 n, Run *runs) {
  u32 count = 0;
  Open open = {0};
  for (u32 i = 0; i < n; i++) {
    const Osec *o = &l->osecs.at[l->order[at[i]]];
    if (!i || begins_load(l, &open, o)) {
      runs[count++] = (Run){i, i, is_packed(l) ? 4 : elf_max_page(l)};
      open = (Open){0};
    }
    Run *r = &runs[count - 1];
    r->end = i + 1;
    r->align = MAX(r->align, 1ull << o->p2align);
    open = (Open){o, open.writable || o->aflags & ATOM_WRITE, open.executable || o->aflags & ATOM_EXEC};
  }
  return count;
}

/* Offsets of the run's sections, the first of which stands at `off` or behind it; what the segment covers. */
static Segment place_run(Link *l, const u32 *at, const Run *r, u64 *off) {
  const Osec *first = &l->osecs.at[l->order[at[r->first]]];
  u64 fit = MAX(modulus(l), is_packed(l) ? 1 : MIN(r->align, (u64)MOST_FIT));
  u64 begin = *off + ((first->addr - *off) & (fit - 1));
  Segment s = {.type = PT_LOAD, .first = UINT32_MAX, .align = r->align};
  for (u32 i = r->first; i < r->end; i++) {
    Osec *o = &l->osecs.at[l->order[at[i]]];
    o->off = begin + (o->addr - first->addr);
    if (o->filesz)
      *off = o->off + o->filesz;
    s.flags |= flags_of(l, o);
    elf_cover(&s, at[i], o);
  }
  return s;
}

u32 elf_make_loads(Link *l, Segment **out, bool *headers) {
  u32 *at = ARENA_ARRAY(&l->arena, u32, l->norder), n = sort_sections(l, at);
  Run *runs = ARENA_ARRAY(&l->arena, Run, n);
  u32 count = cut(l, at, n, runs);
  Segment *s = ARENA_ARRAY(&l->arena, Segment, count + 1);
  u64 off = l->header_size;
  *headers = false;
  for (u32 i = 0; i < count; i++)
    s[i + 1] = place_run(l, at, &runs[i], &off);
  const Osec *first = n ? &l->osecs.at[l->order[at[0]]] : NULL;
  if (!first || (is_packed(l) && !l->is_dynamic)) {
    *headers = false;
  } else if (shares_with_headers(l, first)) {
    Segment *load = s + 1;
    *headers = true;
    load->filesz = load->filesz ? load->filesz + first->off : l->header_size;
    load->memsz += first->off;
    load->addr -= first->off;
    load->lma -= first->off;
    load->off = 0;
  } else {
    *headers = place_headers(l, first, s);
  }
  bool apart = *headers && s->memsz;
  elf_place_others(l, off);
  *out = apart ? s : s + 1;
  return count + apart;
}
