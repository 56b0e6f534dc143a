/* layout_regions.c: where output sections stand: memory regions, addresses of statements and options, load addresses, overlays; and
 * the checks afterwards. GNU ld manual, "MEMORY", "Output Section LMA", "Overlay Description".
 * The trap: a region has one counter for addresses and load addresses; a section that runs from one region and is loaded to another
 * moves both. */
#include "core/layout_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- regions ---- */

static Region *region_at(const LayoutEnv *e, const char *name) {
  const LayoutDesc *d = e->l->layout;
  for (u32 i = 0; i < d->nregions; i++)
    if (streq(d->regions[i].name, name))
      return &e->y->regions[d->regions[i].alias == UINT32_MAX ? i : d->regions[i].alias];
  return NULL;
}

const Region *layout_region(LayoutEnv *e, const char *name) { return region_at(e, name); }

static Region *named_region(LayoutEnv *e, const LayoutStmt *st, const char *name) {
  if (!name || streq(name, "*default*"))
    return NULL;
  Region *r = region_at(e, name);
  if (!r)
    script_report(e->l, DIAG_ERROR, SCRIPT_PLACE(st), "output section %s is to go to memory region '%s', which does not exist",
                  diag_name(e->l->diag, st->name), diag_name(e->l->diag, name));
  return r;
}

/* GNU ld: an orphan is in the region of the section before it. AT>region alone says also where a section without an address is; and what stands in the same region as the section before
 * it is loaded to the same. */
void layout_prepare_regions(Link *l) {
  const LayoutDesc *d = l->layout;
  Layout *y = l->lay;
  LayoutEnv e = layout_env(l);
  y->regions = ARENA_ARRAY(&l->arena, Region, d->nregions);
  y->homes = ARENA_ARRAY(&l->arena, Home, l->osecs.n);
  for (u32 i = 0; i < d->nregions; i++)
    y->regions[i].r = &d->regions[i];
  const Home *before = NULL;
  for (u32 i = 0; d->nregions && i < y->items.n; i++) {
    const Item *it = &y->items.at[i];
    const LayoutStmt *st = it->stmt == UINT32_MAX ? NULL : &d->stmts[it->stmt];
    Home *h = &y->homes[it->osec];
    if (!it->osec || (!st && !(l->osecs.at[it->osec].aflags & ATOM_ALLOC)))
      continue;
    h->region = st ? named_region(&e, st, st->region) : before ? before->region : NULL;
    h->lma = st ? named_region(&e, st, st->lma_region) : NULL;
    if (st && h->lma && !st->region && !st->expr)
      h->region = h->lma;
    if (before && !(st && (st->lma_region || st->lma || st->expr)) && h->region == before->region)
      h->lma = before->lma;
    before = h;
  }
}

/* Origins and lengths may be of symbols and of each other. */
void layout_begin_regions(LayoutEnv *e) {
  Layout *y = e->y;
  for (u32 i = 0; i < e->l->layout->nregions; i++) {
    Region *r = &y->regions[i];
    u64 origin = r->origin, length = r->length;
    if (r->r->alias != UINT32_MAX)
      continue;
    layout_eval_address(e, r->r->origin, &r->origin);
    layout_eval_address(e, r->r->length, &r->length);
    if (y->walk > 1 && (r->origin != origin || r->length != length))
      layout_note_moved(y, NULL, r->r->name);
    r->current = r->origin;
    r->full = false;
    r->last = 0;
  }
  y->last = 0;
  y->overlay = 0;
  y->segments_used = 0;
}

/* What attributes of regions tell sections by. */
static u32 region_kind(const Osec *o) {
  u32 k = o->aflags & ATOM_ALLOC ? REGION_ALLOCATED : 0;
  if (!(o->aflags & ATOM_WRITE))
    k |= REGION_READONLY;
  else if (!(o->aflags & ATOM_EXEC))
    k |= REGION_WRITABLE;
  if (o->aflags & ATOM_EXEC)
    k |= REGION_EXECUTABLE;
  if (!(o->aflags & ATOM_ZEROFILL))
    k |= REGION_INITIALIZED;
  return k;
}

static bool is_loaded(const Osec *o) { return (o->aflags & (ATOM_ALLOC | ATOM_ZEROFILL)) == ATOM_ALLOC; }

/* The region that a section goes to; NULL: the memory that no MEMORY speaks of. */
static Region *region_of(LayoutEnv *e, const Osec *o, const LayoutStmt *st, bool has_address) {
  const LayoutDesc *d = e->l->layout;
  Region *r = e->y->homes[o - e->l->osecs.at].region;
  if (r)
    return r;
  if (has_address || !(o->aflags & ATOM_ALLOC))
    return NULL;
  u32 kind = region_kind(o);
  for (u32 i = 0; i < d->nregions && !r; i++)
    if (d->regions[i].alias == UINT32_MAX && d->regions[i].attrs & kind && !(d->regions[i].not_attrs & kind))
      r = &e->y->regions[i];
  if (!r && d->nregions && e->y->final && is_loaded(o) && o->size)
    script_report(e->l, e->l->opt->check_sections ? DIAG_ERROR : DIAG_WARNING, st ? SCRIPT_PLACE(st) : (ScriptPlace){0},
                  "no memory region is given for output section %s, which is loaded, and none takes sections of its kind",
                  diag_name(e->l->diag, o->name));
  return r;
}

static void check_region(LayoutEnv *e, const Osec *o, Region *r, u64 begin, u64 end) {
  if (!e->y->final || r->full || (begin >= r->origin && end - r->origin <= r->length && end >= r->origin))
    return;
  r->full = true;
  script_report(e->l, DIAG_ERROR, SCRIPT_PLACE(r->r), "section '%s' will not fit in region '%s': it is at 0x%llx to 0x%llx, the region at 0x%llx to 0x%llx",
                diag_name(e->l->diag, o->name), diag_name(e->l->diag, r->r->name), (unsigned long long)begin, (unsigned long long)end,
                (unsigned long long)r->origin, (unsigned long long)(r->origin + r->length));
}

/* ---- addresses ---- */

static const LayoutStmt *stmt_of(const Link *l, const Osec *o) {
  return o->stmt == UINT32_MAX ? NULL : &l->layout->stmts[o->stmt];
}

/* The command line's word. -Ttext is about .text unless the script asked where the text segment begins. */
static bool address_of_option(const Link *l, const Osec *o, u64 *addr) {
  const Options *p = l->opt;
  u32 used = l->lay->segments_used;
  for (u32 i = 0; i < p->section_starts.n; i++)
    if (streq(p->section_starts.at[i].section, o->name)) {
      *addr = p->section_starts.at[i].addr;
      return true;
    }
  if (p->has_ttext && !(used & SEGMENT_TEXT) && streq(o->name, ".text"))
    return *addr = p->ttext, true;
  if (p->has_tdata && !(used & SEGMENT_DATA) && streq(o->name, ".data"))
    return *addr = p->tdata, true;
  if (p->has_tbss && !(used & SEGMENT_BSS) && streq(o->name, ".bss"))
    return *addr = p->tbss, true;
  return false;
}

static bool given_address(LayoutEnv *e, const Osec *o, const LayoutStmt *st, u64 *at) {
  return address_of_option(e->l, o, at) || (st && layout_eval_address(e, st->expr, at));
}

u64 layout_alignment(LayoutEnv *e, const Expr *x, const char *what) {
  u64 v, align = 1;
  if (!layout_eval_address(e, x, &v) || !v)
    return 0;
  while (align < v && align < 1ull << 63)
    align <<= 1;
  if (e->y->final && align != v)
    script_report(e->l, DIAG_WARNING, SCRIPT_PLACE(x), "%s(%llu) is no power of two: %llu is taken", what, (unsigned long long)v,
                  (unsigned long long)align);
  return align;
}

u64 layout_stmt_align(LayoutEnv *e, const LayoutStmt *st) { return st && st->align ? MAX(layout_alignment(e, st->align, "ALIGN"), 1u) : 1; }

/* The memory in which a section without an address goes on. */
static u64 *counter(Layout *y, Region *r) { return r ? &r->current : &y->free; }

void layout_find_place(LayoutEnv *e, u32 osec, u64 align) {
  Link *l = e->l;
  Layout *y = e->y;
  Osec *o = &l->osecs.at[osec];
  const LayoutStmt *st = stmt_of(l, o);
  u64 old = o->addr, at;
  bool given = given_address(e, o, st, &at);
  Region *r = region_of(e, o, st, given);
  y->gap = 0;
  if (st && st->overlay && st->overlay == y->overlay) {
    at = l->osecs.at[y->overlay_first].addr;
  } else if (given) {
    at = layout_align(y, osec, at, layout_stmt_align(e, st));
  } else {
    u64 from = l->scripted ? *counter(y, r) : y->dot;
    at = layout_align(y, osec, from, align);
    y->gap = at - from;
  }
  o->addr = y->dot = at;
  if (y->ahead && at != old)
    layout_note_moved(y, st, o->name);
}

/* GNU ld, "Output Section LMA": AT(), AT>region, or as far from the address as the section before it. */
static void find_lma(LayoutEnv *e, u32 osec, const LayoutStmt *st, u64 align, const Region *r, const Region *lma_region, u32 before) {
  Link *l = e->l;
  Layout *y = e->y;
  Osec *o = &l->osecs.at[osec];
  const Osec *last = before ? &l->osecs.at[before] : NULL;
  bool given = st && st->expr;
  if (st && layout_eval_address(e, st->lma, &o->lma))
    return;
  o->lma = o->addr;
  if (lma_region) {
    u64 a = r == lma_region && !given ? align : layout_stmt_align(e, st);
    o->lma = st && st->flags & LAYOUT_ALIGN_WITH_INPUT ? lma_region->current + y->gap : layout_align(y, osec, lma_region->current, a);
  } else if (st && st->overlay && st->overlay == y->overlay && last) {
    o->lma = layout_align(y, osec, last->lma + last->size, layout_stmt_align(e, st));
  } else if (last && o->aflags & ATOM_ALLOC) {
    bool moved_back = o->addr < last->addr && o->size && o->addr + o->size <= last->addr;
    if (!moved_back)
      o->lma = layout_align(y, osec, o->addr + (last->lma - last->addr), given ? layout_stmt_align(e, st) : align);
    else if (y->final && last->lma != last->addr)
      script_report(l, DIAG_WARNING, st ? SCRIPT_PLACE(st) : (ScriptPlace){0},
                    "section %s is behind %s, and yet at a lower address: its load address is its address", diag_name(l->diag, o->name),
                    diag_name(l->diag, last->name));
  }
}

static void end_overlay(LayoutEnv *e, u32 osec, const LayoutStmt *st) {
  Layout *y = e->y;
  const Osec *o = &e->l->osecs.at[osec];
  if (st->overlay != y->overlay) {
    y->overlay = st->overlay;
    y->overlay_first = osec;
    y->overlay_end = o->addr;
  }
  y->overlay_end = MAX(y->overlay_end, o->addr + o->size);
  y->dot = y->overlay_end;
}

static void note_size(Layout *y, u32 osec, const Osec *o, const LayoutStmt *st) {
  if ((y->ahead || y->sizes_ahead) && y->old_sizes[osec] != o->size)
    layout_note_moved(y, st, o->name);
  y->old_sizes[osec] = o->size;
}

void layout_end_section(LayoutEnv *e, u32 osec, u64 align, u64 room) {
  Link *l = e->l;
  Layout *y = e->y;
  Osec *o = &l->osecs.at[osec];
  const LayoutStmt *st = stmt_of(l, o);
  u64 at, old = o->lma;
  bool given = given_address(e, o, st, &at);
  Region *r = region_of(e, o, st, given), *lma_region = y->homes[osec].lma;
  u32 *last = r ? &r->last : &y->last;
  layout_add(y, osec, o->addr, o->size);
  find_lma(e, osec, st, align, r, lma_region, *last);
  y->dot = o->addr + room;
  if (!lma_region && o->aflags & ATOM_ALLOC && (is_loaded(o) || !(o->aflags & ATOM_TLS)) &&
      (o->size || (*last ? o->addr >= l->osecs.at[*last].addr : o->addr != o->lma)))
    *last = osec;
  if (st && st->overlay)
    end_overlay(e, osec, st);
  if ((o->aflags & ATOM_ALLOC || o->natoms) && (st || !given)) /* GNU ld: an orphan that an option moves away takes none with it */
    *counter(y, r) = y->dot;
  if (r && o->aflags & ATOM_ALLOC)
    check_region(e, o, r, o->addr, y->dot);
  if (lma_region && lma_region != r && (is_loaded(o) || (o->aflags & ATOM_ALLOC && st && st->flags & LAYOUT_ALIGN_WITH_INPUT))) {
    lma_region->current = o->lma + room;
    check_region(e, o, lma_region, o->lma, o->lma + room);
  }
  if (y->ahead && old != o->lma)
    layout_note_moved(y, st, o->name);
  note_size(y, osec, o, st);
  y->stamps[osec] = y->walk;
  y->prefer_next = false;
}

void layout_skip_section(LayoutEnv *e, u32 osec, u64 align) {
  Layout *y = e->y;
  Osec *o = &e->l->osecs.at[osec];
  const LayoutStmt *st = stmt_of(e->l, o);
  u64 old = o->addr, at;
  if (given_address(e, o, st, &at))
    y->dot = at;
  o->addr = y->dot;
  if (st && y->bodies[o->stmt].symbols) {
    layout_find_place(e, osec, align);
    layout_place(e, o);
    y->dot = o->addr; /* GNU ld: `.` moves, but the section behind it goes on where the one before it ended */
  }
  o->lma = o->addr;
  o->size = 0;
  if (y->ahead && old != o->addr)
    layout_note_moved(y, st, o->name);
  note_size(y, osec, o, st);
  y->stamps[osec] = y->walk;
}

bool layout_says_nothing(const Link *l, const Item *it) {
  const Options *p = l->opt;
  const Layout *y = l->lay;
  if (!it->osec || it->stmt == UINT32_MAX || l->osecs.at[it->osec].natoms || l->osecs.at[it->osec].stmt != it->stmt)
    return false;
  const LayoutStmt *st = &l->layout->stmts[it->stmt];
  const Body *b = &y->bodies[it->stmt];
  return !st->expr && !st->align && !st->subalign && !st->region && !b->keeps && !b->maybe && !b->symbols && !p->section_starts.n &&
         !p->section_aligns.n && !p->has_ttext && !p->has_tdata && !p->has_tbss;
}

void layout_pass_section(Layout *y, u32 osec, Osec *o) {
  if (y->ahead && o->addr != y->dot)
    layout_note_moved(y, NULL, o->name);
  o->placed = false;
  o->addr = o->lma = y->dot;
  y->stamps[osec] = y->walk;
}

/* ---- types ---- */

void layout_stmt_flags(Link *l) {
  for (u32 i = 1; l->scripted && i < l->osecs.n; i++) {
    Osec *o = &l->osecs.at[i];
    u32 flags = o->stmt == UINT32_MAX ? 0 : l->layout->stmts[o->stmt].flags;
    o->aflags |= flags & LAYOUT_NOLOAD ? (u32)ATOM_ZEROFILL : 0;
    o->aflags &= ~((flags & LAYOUT_NOALLOC ? (u32)ATOM_ALLOC : 0) | (flags & LAYOUT_READONLY ? (u32)ATOM_WRITE : 0));
  }
}

static void set_type(LayoutEnv *e, Osec *o, const LayoutStmt *st) {
  const Format *f = e->l->format;
  const Body *b = &e->y->bodies[o->stmt];
  u64 type;
  bool moves = b->moves || b->maybe;
  if ((b->data || moves) && !(st->flags & LAYOUT_NOALLOC))
    o->aflags |= ATOM_ALLOC;
  if (b->data)
    o->aflags &= ~(u32)ATOM_ZEROFILL;
  else if (moves && !o->natoms)
    o->aflags |= ATOM_ZEROFILL | ATOM_WRITE;
  if (st->flags & LAYOUT_NOALLOC)
    o->aflags &= ~(u32)ATOM_ALLOC;
  if (st->flags & LAYOUT_NOLOAD)
    o->aflags |= ATOM_ZEROFILL;
  if (st->flags & LAYOUT_READONLY)
    o->aflags &= ~(u32)ATOM_WRITE;
  f->output_section(e->l, o);
  if (!st->type || (o->natoms && !b->data) || !layout_eval_address(e, st->type, &type))
    return;
  o->type = (u32)type;
  o->aflags |= f->atom_flags(o->type, o->attr) & ATOM_ZEROFILL;
}

void layout_section_types(Link *l) {
  LayoutEnv e = layout_env(l);
  for (u32 i = 1; i < l->osecs.n; i++) {
    Osec *o = &l->osecs.at[i];
    const LayoutStmt *st = stmt_of(l, o);
    if (st && l->scripted && (st->flags || st->type || l->lay->bodies[o->stmt].n))
      set_type(&e, o, st);
    else if (o->natoms)
      l->format->output_section(l, o);
  }
}

void layout_settle_types(Link *l) {
  for (u32 i = 1; i < l->osecs.n; i++) {
    Osec *o = &l->osecs.at[i];
    if (!o->placed || o->size || o->natoms || !stmt_of(l, o) || !l->lay->bodies[o->stmt].moves)
      continue;
    o->aflags &= ~(u32)(ATOM_ALLOC | ATOM_ZEROFILL);
    l->format->output_section(l, o);
  }
}

/* ---- checks ---- */

static void report_overflow(Link *l, const Region *r) {
  u64 over = r->current - r->origin - r->length;
  if (r->current > r->origin && r->current - r->origin > r->length)
    script_report(l, DIAG_ERROR, SCRIPT_PLACE(r->r), "region '%s' overflowed by %llu byte%s: 0x%llx of 0x%llx are used",
                  diag_name(l->diag, r->r->name), (unsigned long long)over, over == 1 ? "" : "s",
                  (unsigned long long)(r->current - r->origin), (unsigned long long)r->length);
}

typedef struct {
  u64 begin, size;
  u32 place; /* in Link.order */
} Range;

static int compare_ranges(const void *pa, const void *pb) {
  const Range *a = pa, *b = pb;
  if (a->begin != b->begin)
    return a->begin < b->begin ? -1 : 1;
  return a->place < b->place ? -1 : a->place > b->place;
}

/* Sections of one OVERLAY share their addresses. */
static bool may_overlap(const Link *l, const Osec *a, const Osec *b) {
  const LayoutStmt *x = stmt_of(l, a), *z = stmt_of(l, b);
  return x && z && x->overlay && x->overlay == z->overlay;
}

/* In order of addresses a section that stands on another stands on the one that reaches farthest of those before it. */
static void check_overlaps(Link *l, Range *v, bool lma) {
  u32 n = 0;
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (is_loaded(o) && o->size)
      v[n++] = (Range){lma ? o->lma : o->addr, o->size, i};
  }
  qsort(v, n, sizeof *v, compare_ranges);
  for (u32 i = 1, far = 0; i < n; i++) {
    const Range *a = &v[far], *b = &v[i];
    const Osec *x = &l->osecs.at[l->order[a->place]], *z = &l->osecs.at[l->order[b->place]];
    if (b->begin - a->begin < a->size && (lma || !may_overlap(l, x, z)))
      diag_error(l->diag, "overlap", "section %s %s [0x%llx, 0x%llx] overlaps section %s %s [0x%llx, 0x%llx]", diag_name(l->diag, z->name),
                 lma ? "LMA" : "VMA", (unsigned long long)b->begin, (unsigned long long)(b->begin + b->size - 1), diag_name(l->diag, x->name),
                 lma ? "LMA" : "VMA", (unsigned long long)a->begin, (unsigned long long)(a->begin + a->size - 1));
    if (b->begin + b->size > a->begin + a->size)
      far = i;
  }
}

static void print_size(char *out, u64 n, u64 v) {
  static const char *const units[] = {"GB", "MB", "KB"};
  for (u32 i = 0, shift = 30; i < COUNT_OF(units); i++, shift -= 10)
    if (!(v & ((1ull << shift) - 1))) {
      snprintf(out, n, "%10llu %s", (unsigned long long)(v >> shift), units[i]);
      return;
    }
  snprintf(out, n, "%11llu B", (unsigned long long)v);
}

/* --print-memory-usage: GNU ld's table. */
static void print_usage(const Link *l) {
  printf("Memory region         Used Size  Region Size  %%age Used\n");
  for (u32 i = 0; i < l->layout->nregions; i++) {
    const Region *r = &l->lay->regions[i];
    char used[32], size[32];
    if (r->r->alias != UINT32_MAX)
      continue;
    print_size(used, sizeof used, r->current - r->origin);
    print_size(size, sizeof size, r->length);
    printf("%16s: %s%s", r->r->name, used, size);
    if (r->length)
      printf("    %6.2f%%", (double)(r->current - r->origin) * 100.0 / (double)r->length);
    printf("\n");
  }
}

void layout_check_places(Link *l) {
  for (u32 i = 0; i < l->layout->nregions; i++)
    if (l->layout->regions[i].alias == UINT32_MAX)
      report_overflow(l, &l->lay->regions[i]);
  if (l->opt->print_memory_usage)
    print_usage(l);
  if (!l->opt->check_sections || l->relocatable || l->format->segment_of)
    return;
  Range *v = ARENA_ARRAY(&l->arena, Range, l->norder);
  check_overlaps(l, v, false);
  check_overlaps(l, v, true);
}
