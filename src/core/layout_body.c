/* layout_body.c: the inside of one output section: offsets of its atoms, and what scripts say between patterns.
 * The trap: runs of atoms keep the offsets of the round before, unless what stands before them, the section's address modulo its
 * alignment or a Synth in it changed. */
#include <stdlib.h>

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

/* ---- runs of atoms ---- */

typedef struct {
  Link *l;
  const Osec *o;
  u32 first; /* of its atoms */
  u64 base;  /* the section's address, as far as alignment goes: addresses are aligned, offsets only where that is 0 */
} PlaceJob;

static void place_block(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  const PlaceJob *j = ctx;
  const Layout *y = j->l->lay;
  const u64 *sizes = y->sizes + j->o->first + j->first;
  const u8 *p2aligns = y->p2aligns + j->o->first + j->first;
  const AtomId *atoms = j->o->atoms + j->first;
  u64 *addr = j->l->atoms.addr, base = j->base;
  for (u32 b = begin; b < end; b += BLOCK) {
    u64 at = y->starts[b / BLOCK];
    for (u32 i = b; i < MIN(b + BLOCK, end); i++) {
      at = align_up(at, 1ull << p2aligns[i]);
      addr[atoms[i].i] = at - base;
      at += sizes[i];
    }
  }
}

/* Offsets of atoms [first, last) from `off` on, in order: one thread sums sizes, which is quick; all threads tell the
 * atoms. Returns the offset behind them. */
static u64 place_run(Link *l, Layout *y, const Osec *o, u64 base, u32 first, u32 last, u64 off) {
  const u64 *sizes = y->sizes + o->first + first;
  const u8 *p2aligns = y->p2aligns + o->first + first;
  u32 osec = (u32)(o - l->osecs.at);
  u64 at = base + off;
  for (u32 i = 0; i < last - first; i++) {
    if (i % BLOCK == 0)
      y->starts[i / BLOCK] = at;
    at = layout_align(y, osec, at, 1ull << p2aligns[i]);
    at = layout_add(y, osec, at, sizes[i]);
  }
  if (UNLIKELY(y->overflow == osec))
    y->too_large = osec; /* it will not be looked at in each walk */
  PlaceJob j = {l, o, first, base};
  if (last > first)
    pool_run(l->pool, last - first, BLOCK, place_block, &j);
  return at - base;
}

/* ---- bytes and gaps of scripts ---- */

static void add_mark(LayoutEnv *e, u64 off, u64 len, const u8 *bytes) {
  if (!e->y->final)
    return;
  *vec_push(&e->y->marks) = (LayoutMark){off, len, bytes, e->y->fill, e->y->nfill};
}

/* What gaps are filled with from here on. */
static void set_fill(LayoutEnv *e, const LayoutFill *f) {
  Layout *y = e->y;
  if (!y->final)
    return;
  y->fill = f->bytes;
  y->nfill = f->n;
  u64 v;
  if (f->bytes || !f->expr || !layout_eval_address(e, f->expr, &v))
    return;
  u8 *four = ARENA_ARRAY(&e->l->arena, u8, 4);
  for (u32 i = 0; i < 4; i++)
    four[i] = (u8)(v >> (24 - 8 * i));
  y->fill = four;
  y->nfill = 4;
}

/* BYTE(expr) and its like: in the target's byte order, which is little endian so far; what does not fit is cut off (GNU ld). */
static const u8 *data_bytes(LayoutEnv *e, const LayoutStmt *st) {
  u64 v;
  if (!e->y->final)
    return NULL;
  u8 *out = ARENA_ARRAY(&e->l->arena, u8, st->data_size);
  if (layout_eval_address(e, st->expr, &v))
    for (u32 i = 0; i < st->data_size; i++)
      out[i] = (u8)(v >> (8 * i));
  return out;
}

static u64 run_statement(LayoutEnv *e, const LayoutStmt *st, u32 weld, const Osec *o, u64 off) {
  Layout *y = e->y;
  u32 osec = e->osec;
  u64 len = st->data_size;
  y->dot = o->addr + off;
  switch (st->kind) {
  case LAYOUT_ASSIGN:
    layout_run_assignment(e, st, weld);
    if (y->dot != o->addr + off)
      add_mark(e, off, y->dot - o->addr - off, NULL);
    return y->dot - o->addr;
  case LAYOUT_ASSERT:
    layout_run_assert(e, st);
    break;
  case LAYOUT_DATA:
    add_mark(e, off, len, data_bytes(e, st));
    return layout_add(y, osec, off, len);
  case LAYOUT_STRING:
    add_mark(e, off, len, (const u8 *)st->name);
    return layout_add(y, osec, off, len);
  case LAYOUT_FILL:
    set_fill(e, &st->fill);
    add_mark(e, off, 0, NULL);
    break;
  case LAYOUT_OUTPUT:
  case LAYOUT_ORPHANS: break;
  }
  return off;
}

/* ---- one section ---- */

static const LayoutStmt *stmt_of(const Link *l, const Osec *o) {
  return o->stmt == UINT32_MAX ? NULL : &l->layout->stmts[o->stmt];
}

/* The first atom behind all patterns before pattern `before`. Orphans stand behind everything. */
static u32 run_end(const Layout *y, const Osec *o, u32 *slot, u32 before) {
  u32 first = y->first_slot[o->stmt], end = y->first_slot[o->stmt + 1];
  while (*slot < end && y->slots.at[*slot].pattern < before)
    ++*slot;
  if (*slot < end)
    return y->slots.at[*slot].at;
  return end > first ? y->slots.at[end - 1].at + y->slots.at[end - 1].n : 0;
}

/* Gaps that are like any other need no marks. */
static void keep_marks(Link *l, Layout *y, Osec *o) {
  bool any = false;
  for (u32 i = 0; i < y->marks.n; i++)
    any |= y->marks.at[i].bytes || y->marks.at[i].nfill;
  if (!any)
    return;
  LayoutMark *marks = ARENA_ARRAY(&l->arena, LayoutMark, y->marks.n);
  memcpy(marks, y->marks.at, y->marks.n * sizeof *marks);
  o->marks = marks;
  o->nmarks = y->marks.n;
}

static bool has_fill(const LayoutStmt *st) { return st->fill.n || st->fill.expr; }

static void place_body(LayoutEnv *e, Osec *o, u64 base, bool fresh) {
  Link *l = e->l;
  Layout *y = e->y;
  const LayoutStmt *st = stmt_of(l, o);
  Body *b = &y->bodies[o->stmt];
  u32 outer = e->osec, slot = y->first_slot[o->stmt], first = 0;
  u64 off = 0, dot = y->dot;
  e->osec = (u32)(o - l->osecs.at);
  y->fill = NULL;
  y->nfill = 0;
  y->marks.n = 0;
  if (has_fill(st)) {
    set_fill(e, &st->fill);
    add_mark(e, 0, 0, NULL);
  }
  for (u32 k = 0; k <= b->n; k++) {
    u32 last = k < b->n ? run_end(y, o, &slot, st->body[k].before) : o->natoms;
    if (first < last) {
      if (!fresh || off != b->begin[k]) {
        b->begin[k] = off;
        b->end[k] = place_run(l, y, o, base, first, last, off);
      }
      off = b->end[k];
      first = last;
    }
    if (k < b->n)
      off = run_statement(e, &st->body[k], b->weld[k], o, off);
  }
  o->size = off;
  y->dot = dot;
  e->osec = outer;
  if (y->final)
    keep_marks(l, y, o);
}

/* SUBALIGN: all inputs are aligned like that, whatever they say. */
static bool set_subalign(LayoutEnv *e, Osec *o, const LayoutStmt *st) {
  u64 v = layout_alignment(e, st ? st->subalign : NULL, "SUBALIGN");
  if (!v)
    return false;
  u8 p2 = log2_u64(v);
  bool changed = false;
  for (u32 i = 0; i < o->natoms; i++) {
    changed |= e->y->p2aligns[o->first + i] != p2;
    e->y->p2aligns[o->first + i] = p2;
  }
  if (changed)
    o->p2align = MAX(o->p2align, p2);
  return changed;
}

bool layout_is_there(LayoutEnv *e, Osec *o) {
  const Layout *y = e->y;
  const LayoutStmt *st = stmt_of(e->l, o);
  bool subaligned = set_subalign(e, o, st);
  if (subaligned || (o->aflags & ATOM_SYNTH && !y->again && synths_changed(e->l, y, o)))
    o->placed_once = false;
  u64 v;
  if (st && (y->bodies[o->stmt].keeps || (layout_eval_address(e, y->bodies[o->stmt].maybe, &v) && v)))
    return true;
  if (o->placed_once && o->size)
    return true;
  for (u32 i = 0; i < o->natoms; i++)
    if (y->sizes[o->first + i])
      return true;
  return false;
}

void layout_place(LayoutEnv *e, Osec *o) {
  Layout *y = e->y;
  u32 osec = (u32)(o - e->l->osecs.at);
  const LayoutStmt *st = stmt_of(e->l, o);
  u64 base = o->addr & ((1ull << o->p2align) - 1);
  bool fresh = o->placed_once && y->bases[osec] == base;
  if (st && (y->bodies[o->stmt].n || has_fill(st)))
    place_body(e, o, base, fresh);
  else if (!fresh)
    o->size = place_run(e->l, y, o, base, 0, o->natoms, 0);
  y->bases[osec] = base;
  o->placed_once = true;
}

/* ---- before the rounds ---- */

typedef struct {
  const LayoutStmt *stmt;
  u32 weld;
} StmtName;

static int compare_stmts(const void *pa, const void *pb) {
  uintptr_t a = (uintptr_t)((const StmtName *)pa)->stmt, b = (uintptr_t)((const StmtName *)pb)->stmt;
  return a < b ? -1 : a > b;
}

static u32 weld_of(const StmtName *names, u32 n, const LayoutStmt *st) {
  u32 i = FIRST_NOT(n, k, (uintptr_t)names[k].stmt < (uintptr_t)st);
  return i < n && names[i].stmt == st ? names[i].weld : UINT32_MAX;
}

static bool is_num(const Expr *x, u64 v) { return x && x->op == EX_NUM && x->num == v; }
static bool is_dot(const Expr *x) { return x && x->op == EX_DOT; }

/* GNU ld: `. = 0`, `. = . + 0` and `. = ALIGN(. != 0 ? n : 1)` move nothing in an empty section. */
static bool leaves_empty(const Expr *x, const Expr **maybe) {
  if (x->op == EX_ADD && is_dot(x->a) && x->b->op == EX_SYM && !*maybe) {
    *maybe = x->b; /* that may be 0 */
    return true;
  }
  if (x->op == EX_ADD)
    return is_dot(x->a) && is_num(x->b, 0);
  if (x->op == EX_ALIGN && !x->a && x->b->op == EX_COND)
    return x->b->a->op == EX_NE && is_dot(x->b->a->a) && is_num(x->b->a->b, 0) && is_num(x->b->c, 1);
  return is_num(x, 0);
}

static void look_at_body(Link *l, const LayoutStmt *st, const StmtName *names, u32 nnames, Body *b) {
  while (st->body && st->body[b->n].kind != LAYOUT_ORPHANS)
    b->n++;
  u32 *weld = ARENA_ARRAY(&l->arena, u32, b->n);
  b->begin = ARENA_ARRAY(&l->arena, u64, b->n + 1);
  b->end = ARENA_ARRAY(&l->arena, u64, b->n + 1);
  for (u32 k = 0; k < b->n; k++) {
    const LayoutStmt *x = &st->body[k];
    weld[k] = x->kind == LAYOUT_ASSIGN ? weld_of(names, nnames, x) : UINT32_MAX;
    b->data |= (x->kind == LAYOUT_DATA || x->kind == LAYOUT_STRING) && x->data_size;
    if (x->kind != LAYOUT_ASSIGN)
      continue;
    if (streq(x->name, "."))
      b->moves |= !leaves_empty(x->expr, &b->maybe);
    else
      b->symbols |= !(x->flags & LAYOUT_PROVIDE) || (weld[k] != UINT32_MAX && l->weld_names.at[weld[k]].used);
  }
  b->weld = weld;
  b->keeps = b->data || b->moves;
}

void layout_prepare_bodies(Link *l) {
  Layout *y = l->lay;
  const LayoutDesc *d = l->layout;
  StmtName *names = ARENA_ARRAY(&l->arena, StmtName, l->weld_names.n);
  u32 n = 0;
  for (u32 i = 0; i < l->weld_names.n; i++)
    if (l->weld_names.at[i].stmt)
      names[n++] = (StmtName){l->weld_names.at[i].stmt, i};
  qsort(names, n, sizeof *names, compare_stmts);
  y->bodies = ARENA_ARRAY(&l->arena, Body, d->nstmts);
  for (u32 s = 0; s < d->nstmts; s++)
    if (d->stmts[s].kind == LAYOUT_OUTPUT)
      look_at_body(l, &d->stmts[s], names, n, &y->bodies[s]);
  for (u32 i = 0; i < y->items.n; i++) {
    Item *it = &y->items.at[i];
    if (!it->osec && it->stmt != UINT32_MAX)
      it->weld = weld_of(names, n, &d->stmts[it->stmt]);
    it->nothing = layout_says_nothing(l, it);
  }
  y->nassigned = l->weld_names.n;
  y->assigned = ARENA_ARRAY(&l->arena, Assigned, y->nassigned);
  y->stamps = ARENA_ARRAY(&l->arena, u32, l->osecs.n);
  y->old_sizes = ARENA_ARRAY(&l->arena, u64, l->osecs.n);
  y->bases = ARENA_ARRAY(&l->arena, u64, l->osecs.n);
}
