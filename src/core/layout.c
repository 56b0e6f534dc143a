/* layout.c: addresses. layout_addresses() walks the description once a round, until no Synth changes its
 * size; what goes into which output section was settled in layout_take.c and layout_assign.c.
 * The trap: addresses of atoms are offsets in their output section until the last round is over, then
 * they become absolute in one sweep. */
#include "core/layout.h"

#include <stdlib.h>

#include "core/layout_internal.h"
#include "core/resolve.h"
#include "core/thunks.h"

enum { MAX_ROUNDS = 32, SAME_BASE = 4 };

/* --section-align; it shows in the section's header. */
static u64 asked_alignment(const Link *l, Osec *o) {
  u64 align = 1;
  for (u32 i = 0; i < l->opt->section_aligns.n; i++)
    if (streq(l->opt->section_aligns.at[i].section, o->name))
      align = l->opt->section_aligns.at[i].addr;
  o->p2align = MAX(o->p2align, log2_u64(align));
  return align;
}

static u32 permissions(const Link *l, const Osec *o) {
  u32 p = o->aflags & (ATOM_WRITE | ATOM_EXEC | ATOM_LARGE);
  if (!l->opt->rosegment && !(p & ATOM_WRITE))
    p &= ~(u32)ATOM_EXEC; /* read-only data in the code's segment */
  return p;
}

/* TLS zero fill that takes no room in the image: only in the block that follows .tdata. */
static bool is_tbss(const Link *l, const Osec *o) {
  return (o->aflags & (ATOM_TLS | ATOM_ZEROFILL)) == (ATOM_TLS | ATOM_ZEROFILL) && !l->format->segment_of;
}

/* File offsets are not the walk's business: they follow from segments, which follow from addresses. */
static bool by_segments(const Link *l) { return l->scripted && !l->relocatable; }

/* Some sections are there though they are empty. */
static bool must_stay(const Link *l, const Osec *o, const LayoutStmt *st) {
  if ((o->natoms && st && st->flags & LAYOUT_KEEP_EMPTY) || (l->relocatable && o->kinds.n)) /* a symbol may stand in it */
    return true;
  for (u32 k = 0; k < o->natoms; k++)
    if (l->atoms.flags[o->atoms[k].i] & ATOM_SYNTH && l->synths.at[l->atoms.at[o->atoms[k].i].aux].keep_empty)
      return true;
  return false;
}

/* Goes through the statements once: addresses, symbols of assignments; file offsets but those of scripts, which follow from segments
 * (Format.plan_segments). */
static void walk_once(Link *l, Layout *y) {
  LayoutEnv e = layout_env(l);
  bool segments = l->format->segment_of; /* the file holds them as they are in memory, but for zero fill at their end */
  bool packed = l->opt->nmagic || l->opt->omagic; /* what the loader needs, but not a byte to fill pages */
  u64 page = packed ? MIN(layout_max_page(l), l->arch->common_page_size) : layout_max_page(l), off = l->header_size, tls_end = 0;
  u32 perm = 0; /* the headers are read-only data */
  bool in_tls = false, tls_zero = false, was_exec = false;
  bool separate = l->opt->z_separate_code != OPT_NO && !packed;
  u64 base = l->opt->has_image_base ? l->opt->image_base : l->is_pic ? 0 : l->arch->image_base;
  u64 segment_addr = base, segment_off = 0;
  y->dot = l->scripted ? 0 : base + l->header_size;
  y->walk++;
  y->ahead = y->sizes_ahead = y->moved = y->prefer_next = y->ended = false;
  y->mover = NULL;
  y->overflow = y->too_large;
  l->tls_begin = l->tls_end = 0;
  l->tls_align = 1;
  l->norder = 0;
  layout_begin_regions(&e);
  layout_run_options(&e);
  y->free = y->dot;
  u64 tls_align = 1;
  for (u32 i = 1; i < l->osecs.n; i++)
    if (l->osecs.at[i].aflags & ATOM_TLS)
      tls_align = MAX(tls_align, 1ull << l->osecs.at[i].p2align);
  for (u32 i = 0; i < y->items.n; i++) {
    const Item *it = &y->items.at[i];
    const LayoutStmt *st = it->stmt == UINT32_MAX ? NULL : &l->layout->stmts[it->stmt];
    if (!it->osec) {
      if (st->kind == LAYOUT_ASSIGN)
        layout_run_assignment(&e, st, it->weld);
      else if (st->kind == LAYOUT_ASSERT)
        layout_run_assert(&e, st);
      y->free = y->dot;
      continue;
    }
    Osec *o = &l->osecs.at[it->osec];
    if (it->nothing) {
      layout_pass_section(y, it->osec, o);
      continue;
    }
    o->placed = layout_is_there(&e, o) || must_stay(l, o, st);
    u64 align = MAX(1ull << o->p2align, layout_stmt_align(&e, st));
    o->p2align = log2_u64(align);
    if (!o->placed) {
      layout_skip_section(&e, it->osec, align);
      continue;
    }
    l->order[l->norder++] = it->osec;
    if (!(o->aflags & ATOM_ALLOC) && !(st && st->flags & LAYOUT_NOALLOC)) {
      o->addr = 0;
      layout_place(&e, o);
      o->lma = 0;
      continue; /* file offsets of these come after all allocated ones */
    }
    align = MAX(align, asked_alignment(l, o));
    if (o->aflags & ATOM_TLS && !in_tls) { /* the block begins as aligned as its most aligned section, which shows in its header */
      align = MAX(align, tls_align);
      o->p2align = l->scripted ? log2_u64(align) : o->p2align;
    }
    bool tbss = is_tbss(l, o);
    u32 p = segments ? l->format->segment_of(l, o) : permissions(l, o);
    if (!l->scripted && p != perm && !tbss) { /* a segment of its own begins */
      bool exec = (p & ATOM_EXEC) != 0;
      if (segments || (separate && (exec || was_exec || l->opt->z_separate_loadable_segments))) {
        segment_off = off = align_up(off, page);
        segment_addr = y->dot = align_up(y->dot, page);
      } else if (!l->opt->omagic) {
        y->dot = align_up(y->dot, page) + (off & (page - 1));
      }
      was_exec = exec;
      perm = p;
    }
    if (tbss) {
      u64 dot = y->dot, rest = y->free;
      y->dot = in_tls ? tls_end : dot;
      y->free = in_tls ? tls_end : rest;
      layout_find_place(&e, it->osec, align);
      layout_place(&e, o);
      tls_end = o->addr + o->size;
      layout_end_section(&e, it->osec, align, 0);
      if (!l->scripted || tls_zero) { /* GNU ld: `.` is where the first zero fill of the block begins */
        y->dot = dot;
        y->free = rest;
      }
      tls_zero = true;
    } else {
      layout_find_place(&e, it->osec, align);
      layout_place(&e, o);
      layout_end_section(&e, it->osec, align, o->size);
    }
    if (o->aflags & ATOM_TLS) {
      if (!in_tls)
        l->tls_begin = o->addr;
      in_tls = true;
      l->tls_align = MAX(l->tls_align, align);
      if (!tbss)
        tls_end = o->addr + o->size;
      l->tls_end = tls_end;
    }
    o->filesz = o->aflags & ATOM_ZEROFILL ? 0 : o->size;
    if (by_segments(l))
      continue;
    /* congruent modulo the page size, so that the kernel can map it */
    if (o->filesz)
      off = segments ? segment_off + (o->addr - segment_addr) : off + ((o->addr - off) & (page - 1));
    o->off = off;
    off += o->filesz;
  }
  for (u32 k = 0; !by_segments(l) && k < l->norder; k++) { /* what takes no memory */
    Osec *o = &l->osecs.at[l->order[k]];
    if (o->aflags & ATOM_ALLOC)
      continue;
    o->filesz = o->bytes ? o->filesz : o->aflags & ATOM_ZEROFILL ? 0 : o->size;
    off = layout_align(y, l->order[k], off, 1ull << o->p2align);
    o->off = off;
    off = layout_add(y, l->order[k], off, o->filesz);
  }
  l->file_end = off;
}

/* A round: one walk, or as many as the data segment needs, and statements that look ahead. Errors and values count in the last one. */
static void walk(Link *l, Layout *y) {
  bool final = y->final;
  y->data = (DataSegment){0};
  y->final = final && !y->data_begun;
  y->again = false;
  walk_once(l, y);
  y->again = true;
  y->data_begun = y->data.begun;
  while (layout_data_segment_again(l, y))
    walk_once(l, y);
  for (u32 i = 0; i < SAME_BASE && y->moved && y->data.adjust; i++) /* values were compared with those of a walk from another base */
    walk_once(l, y);
  if (y->final != final) {
    y->final = true;
    walk_once(l, y);
  }
  layout_data_segment_settle(l, y);
}

/* The last round once more, from where its data segment began: nothing changes, but errors and values count. */
static void walk_again(Link *l, Layout *y) {
  y->again = true;
  walk_once(l, y);
  layout_data_segment_settle(l, y);
}

static bool resize_synths(Link *l) {
  bool changed = false;
  for (u32 i = 1; i < l->synths.n; i++) {
    Synth *s = &l->synths.at[i];
    if (s->resize && s->resize(l, s))
      changed = true;
  }
  return changed;
}

typedef struct {
  Link *l;
  const Osec *o;
} PlaceJob;

static void add_base(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  const PlaceJob *j = ctx;
  for (u32 i = begin; i < end; i++)
    j->l->atoms.addr[j->o->atoms[i].i] += j->o->addr;
}

static void prepare_places(Link *l, Layout *y) {
  u32 most = 0;
  for (u32 o = 1; o < l->osecs.n; o++)
    most = MAX(most, l->osecs.at[o].natoms);
  y->starts = ARENA_ARRAY(&l->arena, u64, most / BLOCK + 1);
  y->synth_place = ARENA_ARRAY(&l->arena, u32, l->synths.n);
  y->nsynths = l->synths.n;
  for (u32 i = 1; i < l->synths.n; i++) {
    u32 a = l->synths.at[i].atom.i;
    y->synth_place[i] = l->atoms.at[a].osec ? (u32)l->atoms.addr[a] : 0;
  }
}

/* In order of addresses: what is allocated, and what a script puts among it. */
static bool has_address(const Link *l, const Osec *o) {
  return o->aflags & ATOM_ALLOC || o->addr ||
         (l->scripted && o->stmt != UINT32_MAX && l->layout->stmts[o->stmt].flags & LAYOUT_NOALLOC);
}

static void number_sections(Link *l) {
  u32 index = 1;
  for (u32 i = 0; i < l->norder; i++) /* those first: tools expect headers in file order */
    if (has_address(l, &l->osecs.at[l->order[i]]))
      l->osecs.at[l->order[i]].index = index++;
  for (u32 i = 0; i < l->norder; i++)
    if (!has_address(l, &l->osecs.at[l->order[i]]))
      l->osecs.at[l->order[i]].index = index++;
  u32 *sorted = ARENA_ARRAY(&l->arena, u32, l->norder);
  for (u32 i = 0; i < l->norder; i++)
    sorted[l->osecs.at[l->order[i]].index - 1] = l->order[i];
  l->order = sorted;
}

static void report_unsettled(Link *l, const Layout *y) {
  if (y->moved)
    script_report(l, DIAG_ERROR, y->mover ? SCRIPT_PLACE(y->mover) : (ScriptPlace){0},
                  "the layout does not settle: after %u rounds '%s' still gets another value each time", y->round,
                  diag_name(l->diag, y->mover_name));
  else
    diag_error(l->diag, "layout", "layout does not settle after %u rounds", y->round);
}

void layout_addresses(Link *l) {
  Layout *y = l->lay;
  prepare_places(l, y);
  layout_prepare_bodies(l);
  layout_prepare_regions(l);
  layout_section_types(l);
  bool settled = false;
  u32 most = MAX_ROUNDS;
  for (y->round = 0; y->round < most && !settled; y->round++) {
    walk(l, y);
    u64 before = l->header_size;
    l->header_size = l->format->plan_segments(l);
    settled = !resize_synths(l) && l->header_size == before && !y->moved;
    if (settled && thunks_round(l)) { /* which counts its rounds itself */
      settled = false;
      most = y->round + MAX_ROUNDS;
    }
  }
  if (!settled)
    report_unsettled(l, y);
  y->final = true;
  if (settled)
    walk_again(l, y);
  else
    walk(l, y);
  if (y->overflow)
    diag_error(l->diag, "layout", "output section %s does not fit into the 64-bit address space",
               l->osecs.at[y->overflow].name);
  layout_settle_types(l);
  layout_settle_symbols(l);
  layout_check_places(l);
  number_sections(l);
  for (u32 i = 1; i < l->osecs.n; i++) { /* symbols of empty sections have an address too */
    PlaceJob j = {l, &l->osecs.at[i]};
    pool_run(l->pool, j.o->natoms, 16384, add_base, &j);
  }
  l->format->finish_segments(l);
}

void layout_free(Link *l) {
  if (!l->lay)
    return;
  vec_free(&l->lay->slots);
  vec_free(&l->lay->items);
  vec_free(&l->lay->marks);
  layout_free_places(l->lay);
}
