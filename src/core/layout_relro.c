/* layout_relro.c: DATA_SEGMENT_ALIGN, DATA_SEGMENT_RELRO_END and DATA_SEGMENT_END (GNU ld manual, "Builtin Functions"): where the data
 * segment begins so that what is read-only after relocation ends with a page, or so that a page is saved.
 * The trap: where it ends is known only when it was laid out, so each round walks twice, the second time from where the first says
 * that the segment should begin. */
#include "core/layout_internal.h"

u64 layout_data_segment_align(Layout *y, u64 max, u64 common) {
  DataSegment *s = &y->data;
  u64 dot = y->dot, v;
  max = is_pow2(max) ? max : 1;
  common = is_pow2(common) ? MIN(common, max) : 1;
  v = align_up(dot, max);
  if (s->adjust == DATA_RELRO)
    return s->base;
  if (s->adjust == DATA_NEXT_PAGE)
    return v;
  if (s->adjust == DATA_PAGE)
    return v + ((dot + common - 1) & (max - common));
  v += dot & (max - 1);
  if (!s->begun) {
    s->begun = true;
    s->base = v;
    s->max = max;
    s->common = common;
  }
  return v;
}

u64 layout_data_segment_relro_end(Layout *y, u64 offset, u64 at) {
  DataSegment *s = &y->data;
  if (!s->begun)
    return at;
  s->has_relro = true;
  s->relro_offset = offset;
  s->relro_end = at + offset;
  if (s->adjust != DATA_RELRO)
    return at;
  s->relro_end = align_up(s->relro_end, s->max);
  return s->relro_end - offset;
}

u64 layout_data_segment_end(Layout *y, u64 at) {
  y->data.ended = true;
  y->data.end = at;
  return at;
}

/* Is the section in the RELRO region of the walk that just ended? */
static bool in_relro(const DataSegment *s, const Osec *o) {
  return o->aflags & ATOM_ALLOC && o->addr >= s->base && o->addr < s->relro_end - s->relro_offset;
}

static bool is_tbss(const Osec *o) { return (o->aflags & (ATOM_TLS | ATOM_ZEROFILL)) == (ATOM_TLS | ATOM_ZEROFILL); }

/* Moves the sections of the region up, the last one first, as far as their alignment lets them, so that the last one ends where a
 * page does: where must the first begin? */
static u64 relro_base(const Link *l, const Layout *y) {
  const DataSegment *s = &y->data;
  u64 end = align_up(s->relro_end, s->max) - s->relro_offset, tls_align = 1;
  u32 first_tls = UINT32_MAX;
  for (u32 i = l->norder; i-- > 0;) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (in_relro(s, o) && o->aflags & ATOM_TLS) {
      first_tls = i;
      tls_align = MAX(tls_align, 1ull << o->p2align);
    }
  }
  for (u32 i = l->norder; i-- > 0;) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (!in_relro(s, o))
      continue;
    u64 align = i == first_tls ? tls_align : 1ull << o->p2align;
    u64 last = is_tbss(o) ? o->addr : o->addr + o->size;
    end = (o->addr + (end - last)) & ~(align - 1);
  }
  return end;
}

/* Without RELRO: can the data segment begin right behind the code in memory, at the price of no page more in the file? */
static bool saves_page(const DataSegment *s) {
  u64 page = s->common, first = -s->base & (page - 1), last = s->end & (page - 1);
  return first && last && (s->base & -page) != (s->end & -page) && first + last <= page;
}

bool layout_data_segment_again(Link *l, Layout *y) {
  DataSegment *s = &y->data;
  if (!s->begun)
    return false;
  if (s->adjust == DATA_RELRO && s->relro_end > s->wanted && s->base != s->first_base) {
    s->base = s->first_base; /* a script that moves the location counter itself: more was lost than won */
    return true;
  }
  if (s->adjust != DATA_NONE)
    return false;
  if (s->has_relro && l->opt->z_relro && s->relro_end - s->relro_offset > s->base) {
    s->first_base = s->base;
    s->wanted = align_up(s->relro_end, s->max);
    s->base = relro_base(l, y);
    s->adjust = DATA_RELRO;
    return true;
  }
  if (!s->has_relro && s->ended && l->opt->z_relro) { /* GNU ld: a script that could have said where the region ends, and did not */
    s->adjust = DATA_NEXT_PAGE;
    return true;
  }
  if (s->ended && !l->opt->z_relro && saves_page(s)) {
    s->adjust = DATA_PAGE;
    return true;
  }
  return false;
}

void layout_data_segment_settle(Link *l, const Layout *y) {
  const DataSegment *s = &y->data;
  l->relro_begin = l->relro_end = 0;
  for (u32 i = 0; i < l->norder; i++) {
    Osec *o = &l->osecs.at[l->order[i]];
    o->relro = s->adjust == DATA_RELRO && in_relro(s, o);
    if (o->relro && !is_tbss(o) && !l->relro_end) {
      l->relro_begin = o->addr;
      l->relro_end = s->relro_end;
    }
  }
}
