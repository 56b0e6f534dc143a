/* layout_body.c: the inside of one output section: offsets of its atoms, and what scripts say between patterns.
 * The trap: offsets of a section without statements are computed once, so a place that changes later has to clear
 * Osec.placed_once. */
#include "core/layout_internal.h"
#include "core/resolve.h"

/* Sizes and alignments are the input's: together they may be more than there is. */
u64 layout_align(Layout *y, u32 osec, u64 v, u64 align) {
  u64 r = align_up(v, align);
  if (UNLIKELY(r < v))
    y->overflow = osec;
  return r;
}

u64 layout_add(Layout *y, u32 osec, u64 v, u64 size) {
  u64 r;
  if (UNLIKELY(__builtin_add_overflow(v, size, &r)))
    y->overflow = osec;
  return r;
}

/* What a Synth's size is by now. True when one of this section has another than before. */
static bool synths_changed(const Link *l, const Layout *y, const Osec *o) {
  bool changed = false;
  u32 osec = (u32)(o - l->osecs.at);
  for (u32 i = 1; i < l->synths.n; i++) {
    const Synth *s = &l->synths.at[i];
    if (l->atoms.at[s->atom.i].osec != osec || y->sizes[o->first + y->synth_place[i]] == s->size)
      continue;
    y->sizes[o->first + y->synth_place[i]] = s->size;
    changed = true;
  }
  return changed;
}

typedef struct {
  Link *l;
  const Osec *o;
} PlaceJob;

static void place_block(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  const PlaceJob *j = ctx;
  const Layout *y = j->l->lay;
  const u64 *sizes = y->sizes + j->o->first;
  const u8 *p2aligns = y->p2aligns + j->o->first;
  u64 *addr = j->l->atoms.addr;
  for (u32 b = begin; b < end; b += BLOCK) {
    u64 off = y->starts[b / BLOCK];
    for (u32 i = b; i < MIN(b + BLOCK, end); i++) {
      off = align_up(off, 1ull << p2aligns[i]);
      addr[j->o->atoms[i].i] = off;
      off += sizes[i];
    }
  }
}

/* Offsets of the atoms of a section, in order: one thread sums sizes, which is quick; all threads tell the
 * atoms. */
static void place_atoms(Link *l, Layout *y, Osec *o) {
  bool changed = o->aflags & ATOM_SYNTH && !y->again && synths_changed(l, y, o);
  if (o->placed_once && !changed)
    return;
  const u64 *sizes = y->sizes + o->first;
  const u8 *p2aligns = y->p2aligns + o->first;
  u32 osec = (u32)(o - l->osecs.at);
  u64 off = 0;
  for (u32 i = 0; i < o->natoms; i++) {
    if (i % BLOCK == 0)
      y->starts[i / BLOCK] = off;
    off = layout_align(y, osec, off, 1ull << p2aligns[i]);
    off = layout_add(y, osec, off, sizes[i]);
  }
  PlaceJob j = {l, o};
  pool_run(l->pool, o->natoms, BLOCK, place_block, &j);
  o->size = off;
  o->placed_once = true;
}

/* The same with what scripts say between the patterns. */
static void place_body(LayoutEnv *e, Osec *o) {
  Link *l = e->l;
  Layout *y = e->y;
  u64 off = 0;
  u32 osec = (u32)(o - l->osecs.at);
  const LayoutStmt *body = l->layout->stmts[o->stmt].body;
  const Slot *slots = y->slots.at;
  u32 s = y->first_slot[o->stmt], send = y->first_slot[o->stmt + 1];
  if (!y->again)
    synths_changed(l, y, o);
  for (u32 i = 0;; i++) {
    /* `before` counts patterns: run what stands before the slot that atom i begins */
    while (body->kind != LAYOUT_ORPHANS) {
      u32 slot = s;
      while (slot < send && slots[slot].pattern < body->before)
        slot++;
      u32 first = slot < send ? slots[slot].at : o->natoms;
      if (first > i && i < o->natoms)
        break;
      if (body->kind == LAYOUT_ASSIGN) {
        y->dot = o->addr + off;
        y->osec = osec;
        layout_run_assignment(e, body, layout_weld_of_stmt(l, body));
        if (streq(body->name, "."))
          off = y->dot - o->addr;
      }
      body++;
    }
    if (i >= o->natoms)
      break;
    off = layout_align(y, osec, off, 1ull << y->p2aligns[o->first + i]);
    l->atoms.addr[o->atoms[i].i] = off;
    off = layout_add(y, osec, off, y->sizes[o->first + i]);
  }
  o->size = off;
}

/* Bodies (assignments between patterns) only in scripts. */
void layout_place(LayoutEnv *e, Osec *o) {
  const LayoutStmt *body = o->stmt == UINT32_MAX ? NULL : e->l->layout->stmts[o->stmt].body;
  if (body && body->kind != LAYOUT_ORPHANS)
    place_body(e, o);
  else
    place_atoms(e->l, e->y, o);
}
