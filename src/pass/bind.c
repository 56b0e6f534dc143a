/* bind.c: which symbols need a slot, which pointers the loader changes; slots in an order that depends on the inputs alone.
 * The trap: threads find symbols and pointers in any order, so both are sorted when they are joined: symbols by
 * sym_order(), pointers by address. */
#include "core/bind.h"

#include <stdlib.h>

#include "core/resolve.h"
#include "core/scan.h"
#include "core/slots.h"

/* A pointer in an atom, as the scan saw it. */
typedef struct {
  u64 offset;
  i64 addend;  /* with `target`: where in it */
  u32 atom;
  u32 sym;     /* a global one; or NO_SYM.i, and it is `target` that is pointed at */
  u32 target;
  bool bound;
} PointerRef;

typedef struct BindThread {
  VEC(NeededSym) needed;
  VEC(PointerRef) refs;
  u8 pad[64]; /* threads stay off each other's cache lines */
} BindThread;

enum { SCAN_GRAIN = 2048, WORD = 8 };

/* ---- scan ---- */

typedef struct {
  Link *l;
  BindThread *t;
  unsigned tid;
  u32 atom;
} Scan;

static bool is_imported(const Edge *e) { return e->flags & SF_IMPORTED; }

/* Not in this output, whatever a loader may do. */
static bool is_elsewhere(const Link *l, const Edge *e) { return is_imported(e) && !l->syms.atom[e->target] && !(e->flags & SF_ABSOLUTE); }

static void need(Scan *s, u32 sym, u32 flags, u8 bit) {
  u8 *p = &s->l->syms.needs[sym];
  if (__atomic_load_n(p, __ATOMIC_RELAXED) & bit)
    return;
  if (!__atomic_fetch_or(p, bit, __ATOMIC_RELAXED))
    *vec_push(&s->t->needed) = (NeededSym){sym, flags};
}

static void report_import(Scan *s, const Edge *e) {
  Link *l = s->l;
  diag_report(l->diag, DIAG_ERROR, "relocation", (u64)l->atoms.at[s->atom].file << 32 | s->atom,
              "%s: %s can't refer to '%s', whose address is known at run time only%s", place_of(l, s->tid, (AtomId){s->atom}, e->offset),
              edge_kind_name(l, e->kind), diag_name(l->diag, sym_name(l, e->target)),
              e->flags & SF_SHARED ? ": a shared library defines it" : "");
}

/* The dynamic linker would have to write to what it has mapped as read-only. */
static void report_readonly(Scan *s, const Edge *e) {
  Link *l = s->l;
  diag_report(l->diag, DIAG_ERROR, "relocation", (u64)l->atoms.at[s->atom].file << 32 | s->atom,
              "%s: %s to '%s' needs a place that can be written at run time: put it into another segment, or use an address relative to the code",
              place_of(l, s->tid, (AtomId){s->atom}, e->offset), edge_kind_name(l, e->kind), diag_name(l->diag, sym_name(l, e->target)));
}

static void note_pointer(Scan *s, const Edge *e) {
  PointerRef r = {.offset = e->offset, .addend = e->addend, .atom = s->atom, .sym = NO_SYM.i};
  if (e->target < s->l->syms.nglobal) {
    r.sym = e->target;
    r.bound = is_imported(e);
    if (!r.bound && s->l->atoms.flags[s->l->syms.atom[e->target]] & ATOM_TLS)
      return;
  } else {
    i64 off;
    r.target = s->l->format->edge_atom(s->l, (FileId){s->l->atoms.at[s->atom].file}, e, &off).i;
    r.addend = off;
    if (!r.target || s->l->atoms.flags[r.target] & ATOM_TLS) /* an offset, see bind_apply.c */
      return;
  }
  if (!(s->l->atoms.flags[s->atom] & ATOM_WRITE) && (r.bound || s->l->is_pic))
    report_readonly(s, e);
  else
    *vec_push(&s->t->refs) = r;
}

static void scan_edge(Scan *s, const Edge *e, EdgeClass c) {
  Link *l = s->l;
  const Atom *a = &l->atoms.at[s->atom];
  u16 as;
  switch (c) {
  case EC_BRANCH:
    if (is_imported(e))
      need(s, e->target, e->flags, NEED_PLT);
    break;
  case EC_PCREL:
  case EC_PAGE:
  case EC_PAGEOFF:
  case EC_ABS:
  case EC_SUBTRACT:
    if (is_elsewhere(l, e))
      report_import(s, e);
    break;
  case EC_POINTER:
    if (is_imported(e) || !(e->flags & (SF_ABSOLUTE | SF_UNDEFINED | SF_DISCARDED)))
      note_pointer(s, e);
    break;
  case EC_GOT_LOAD:
    if (is_imported(e) || !l->arch->can_relax(e->kind, a->data, a->size, e->offset, &as))
      need(s, e->target, e->flags, NEED_GOT);
    break;
  case EC_GOT:
    need(s, e->target, e->flags, NEED_GOT);
    break;
  case EC_TLV_LOAD:
    if (is_imported(e) || !l->arch->can_relax(e->kind, a->data, a->size, e->offset, &as))
      need(s, e->target, e->flags, NEED_GOTTP);
    break;
  case EC_NONE:
  case EC_OTHER:
    break;
  }
}

static void scan_atom(Scan *s) {
  Link *l = s->l;
  EdgeCursor c = {.atom = {s->atom}};
  Edge e[EDGE_BATCH];
  for (u32 n; (n = l->format->edges(l, &c, e));) {
    bool pair = false; /* the edge before was a subtrahend: this one is no pointer */
    for (u32 i = 0; i < n; i++) {
      EdgeClass k = e[i].target == NO_SYM.i ? EC_NONE : edge_class(l->arch, e[i].kind);
      scan_edge(s, &e[i], pair ? EC_ABS : k);
      pair = k == EC_SUBTRACT;
    }
  }
}

static void scan_chunk(void *ctx, u32 begin, u32 end, unsigned tid) {
  Link *l = ctx;
  Scan s = {.l = l, .t = &l->binds->threads[tid], .tid = tid};
  const u16 want = ATOM_LIVE | ATOM_ALLOC;
  for (u32 a = MAX(begin, 1u); a < end; a++) {
    if ((l->atoms.flags[a] & (want | ATOM_DISCARDED | ATOM_EHFRAME | ATOM_SYNTH)) != want || !l->atoms.at[a].rel)
      continue;
    s.atom = a;
    scan_atom(&s);
  }
}

void bind_scan(Link *l, const BindOptions *opt) {
  Binds *b = l->binds = ARENA_NEW(&l->arena, Binds);
  b->opt = opt;
  b->binder = NO_SYM.i;
  b->threads = ARENA_ARRAY(&l->arena, BindThread, pool_threads(l->pool));
  pool_run(l->pool, l->atoms.n, SCAN_GRAIN, scan_chunk, l);
}

void bind_need_got(Link *l, u32 sym) {
  Scan s = {.l = l, .t = &l->binds->threads[0]};
  need(&s, sym, sym < l->syms.nglobal ? l->syms.flags[sym] : SF_LOCAL, NEED_GOT);
}

void bind_need_stub(Link *l, u32 sym) {
  Scan s = {.l = l, .t = &l->binds->threads[0]};
  if (sym < l->syms.nglobal && l->syms.flags[sym] & SF_IMPORTED)
    need(&s, sym, l->syms.flags[sym], NEED_PLT);
}

void bind_add_words(Link *l, u32 synth, u32 target, const u64 *offsets, u32 n) {
  *vec_push(&l->binds->words) = (BindWords){synth, target, offsets, n};
}

static void note_use(const Link *l, u32 sym, u8 *used) {
  u32 f = sym < l->syms.nglobal ? l->syms.flags[sym] : 0;
  if (f & SF_SHARED)
    used[key_file(l->syms.key[sym])] |= (u8)(f & SF_REF_STRONG ? BIND_USED | BIND_USED_STRONGLY : BIND_USED);
}

void bind_used_files(const Link *l, u8 *used) {
  for (unsigned t = 0; t < pool_threads(l->pool); t++) {
    const BindThread *th = &l->binds->threads[t];
    for (u32 i = 0; i < th->needed.n; i++)
      note_use(l, th->needed.at[i].sym, used);
    for (u32 i = 0; i < th->refs.n; i++)
      if (th->refs.at[i].bound)
        note_use(l, th->refs.at[i].sym, used);
  }
}

/* ---- slots ---- */

typedef struct {
  u64 order;
  u32 sym, flags;
} Ordered;
typedef VEC(Ordered) OrderedSyms;

static int by_order(const void *pa, const void *pb) {
  const Ordered *a = pa, *b = pb;
  if (a->order != b->order)
    return a->order < b->order ? -1 : 1;
  return a->sym < b->sym ? -1 : a->sym > b->sym;
}

static OrderedSyms join_needed(Link *l) {
  OrderedSyms all = {0};
  for (unsigned t = 0; t < pool_threads(l->pool); t++) {
    BindThread *th = &l->binds->threads[t];
    for (u32 i = 0; i < th->needed.n; i++)
      *vec_push(&all) = (Ordered){sym_order(l, th->needed.at[i].sym), th->needed.at[i].sym, th->needed.at[i].flags};
    vec_free(&th->needed);
  }
  if (all.n)
    qsort(all.at, all.n, sizeof *all.at, by_order);
  return all;
}

/* A weak definition's users all agree on one: nothing can wait until the first call. */
static bool is_lazy(const Link *l, u32 sym) {
  u32 f = l->syms.flags[sym];
  return l->binds->opt->lazy_pointers && !l->syms.atom[sym] && !(f & SF_SHARED && f & SF_WEAK);
}

static void add_slot(BindSlots *s, i32 *slot, u32 sym) {
  if (*slot >= 0)
    return;
  *slot = (i32)s->n;
  s->sym[s->n++] = sym;
}

static u32 add_synth(Link *l, const BindSection *x, u64 size, u8 p2align, void (*write)(Link *, const Synth *, u8 *, u64, u64)) {
  if (!size || !x->name)
    return 0;
  Synth s = {.name = x->name, .type = x->type, .attr = x->attr, .p2align = p2align, .size = size, .write = write};
  return synth_add(l, &s);
}

static void add_stubs(Link *l, const OrderedSyms *all) {
  Binds *b = l->binds;
  for (int lazy = 1; lazy >= 0; lazy--) {
    for (u32 i = 0; i < all->n; i++) {
      u32 sym = all->at[i].sym;
      if (l->syms.needs[sym] & NEED_PLT && is_lazy(l, sym) == lazy)
        add_slot(&b->stubs, &sym_aux(l, sym)->plt, sym);
    }
    if (lazy)
      b->nlazy = b->stubs.n;
  }
  for (u32 i = 0; !b->opt->lazy_pointers && i < b->stubs.n; i++)
    add_slot(&b->got, &sym_aux(l, b->stubs.sym[i])->got, b->stubs.sym[i]);
}

/* The helper reaches the loader's function through a GOT slot, which may be the only one. */
static void add_binder(Link *l) {
  Binds *b = l->binds;
  SymId s = sym_find(l, b->opt->binder, strlen(b->opt->binder));
  if (s.i == NO_SYM.i || !(l->syms.flags[s.i] & SF_IMPORTED)) {
    diag_error(l->diag, "undefined-symbol", "undefined symbol: %s, which functions that are bound lazily need", b->opt->binder);
    return;
  }
  b->binder = s.i;
  add_slot(&b->got, &sym_aux_add(l, s.i)->got, s.i);
}

static void make_synths(Link *l) {
  Binds *b = l->binds;
  const Arch *a = l->arch;
  const BindOptions *o = b->opt;
  u64 helper = b->nlazy ? a->stub_helper_size + (u64)b->nlazy * a->stub_helper_entry_size : 0;
  b->stubs.synth = add_synth(l, &o->stubs, (u64)b->stubs.n * a->stub_size, a->stub_size % 4 ? 1 : 2, bind_write_stubs);
  b->helper = add_synth(l, &o->helper, helper, 2, bind_write_helper);
  b->got.synth = add_synth(l, &o->got, (u64)b->got.n * WORD, 3, bind_write_got);
  b->lazy = add_synth(l, &o->lazy, o->lazy_pointers ? (u64)b->stubs.n * WORD : 0, 3, bind_write_lazy);
  b->private_word = add_synth(l, &o->private_word, b->nlazy ? WORD : 0, 3, NULL);
  b->tlv.synth = add_synth(l, &o->tlv, (u64)b->tlv.n * WORD, 3, bind_write_tlv);
}

void bind_allocate(Link *l) {
  Binds *b = l->binds;
  OrderedSyms all = join_needed(l);
  b->got.sym = ARENA_ARRAY(&l->arena, u32, all.n + 1);
  b->stubs.sym = ARENA_ARRAY(&l->arena, u32, all.n + 1);
  b->tlv.sym = ARENA_ARRAY(&l->arena, u32, all.n + 1);
  for (u32 i = 0; i < all.n; i++) {
    u32 sym = all.at[i].sym;
    SymAux *x = sym_aux_add(l, sym);
    x->flags = (u16)all.at[i].flags;
    if (l->syms.needs[sym] & NEED_GOT)
      add_slot(&b->got, &x->got, sym);
    if (l->syms.needs[sym] & NEED_GOTTP)
      add_slot(&b->tlv, &x->gottp, sym);
  }
  add_stubs(l, &all);
  if (b->nlazy)
    add_binder(l);
  make_synths(l);
  vec_free(&all);
}

/* ---- pointers ---- */

u64 bind_symbol_addr(const Link *l, u32 sym) {
  if (sym < l->syms.nglobal)
    return l->syms.flags[sym] & (SF_SHARED | SF_UNDEFINED) ? 0 : l->syms.value[sym];
  FileId f = local_owner(l, sym);
  return l->format->local_value(l, f, sym - file_at(l, f)->local_base);
}

u64 bind_got_addr(const Link *l, u32 slot) { return synth_addr(l, l->binds->got.synth) + (u64)slot * WORD; }
u64 bind_stub_addr(const Link *l, u32 slot) { return synth_addr(l, l->binds->stubs.synth) + (u64)slot * l->arch->stub_size; }
u64 bind_lazy_addr(const Link *l, u32 slot) { return synth_addr(l, l->binds->lazy) + (u64)slot * WORD; }
u64 bind_tlv_addr(const Link *l, u32 slot) { return synth_addr(l, l->binds->tlv.synth) + (u64)slot * WORD; }

static bool is_number(const Link *l, u32 sym) {
  return sym < l->syms.nglobal ? l->syms.flags[sym] & SF_ABSOLUTE : sym_aux(l, sym)->flags & SF_ABSOLUTE;
}

/* Of a slot that holds the symbol's address. */
static u32 slot_pointer(const Link *l, u32 sym, u64 addr, BindPointer *out) {
  bool bound = sym < l->syms.nglobal && l->syms.flags[sym] & SF_IMPORTED;
  if (!bound && is_number(l, sym))
    return 0;
  *out = (BindPointer){.addr = addr, .target = bind_symbol_addr(l, sym), .sym = bound ? sym : NO_SYM.i};
  return 1;
}

static u32 slot_pointers(const Link *l, BindPointer *out) {
  const Binds *b = l->binds;
  u32 n = 0;
  for (u32 i = 0; i < b->got.n; i++)
    n += slot_pointer(l, b->got.sym[i], bind_got_addr(l, i), &out[n]);
  for (u32 i = 0; i < b->tlv.n; i++)
    n += slot_pointer(l, b->tlv.sym[i], bind_tlv_addr(l, i), &out[n]);
  for (u32 i = 0; b->lazy && i < b->stubs.n; i++) {
    u32 k = slot_pointer(l, b->stubs.sym[i], bind_lazy_addr(l, i), &out[n]);
    if (k && i < b->nlazy) {
      out[n].lazy = true;
      out[n].target = synth_addr(l, b->helper) + l->arch->stub_helper_size + (u64)i * l->arch->stub_helper_entry_size;
    }
    n += k;
  }
  for (u32 w = 0; w < b->words.n; w++)
    for (u32 i = 0; i < b->words.at[w].n; i++)
      out[n++] = (BindPointer){.addr = synth_addr(l, b->words.at[w].synth) + (u64)i * WORD,
                               .target = synth_addr(l, b->words.at[w].target) + b->words.at[w].offsets[i], .sym = NO_SYM.i};
  return n;
}

static BindPointer atom_pointer(const Link *l, const PointerRef *r) {
  BindPointer p = {.addr = l->atoms.addr[r->atom] + r->offset, .sym = NO_SYM.i};
  if (r->sym == NO_SYM.i) {
    p.target = l->atoms.addr[r->target] + (u64)r->addend;
    return p;
  }
  p.target = bind_symbol_addr(l, r->sym);
  if (r->bound) {
    p.sym = r->sym;
    p.addend = r->addend;
  }
  if (p.target)
    p.target += (u64)r->addend;
  return p;
}

typedef struct {
  Link *l;
  u32 *first; /* by thread of the scan: where its pointers go */
} CollectJob;

static void collect_some(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  const CollectJob *j = ctx;
  for (u32 t = begin; t < end; t++) {
    const BindThread *th = &j->l->binds->threads[t];
    for (u32 i = 0; i < th->refs.n; i++)
      j->l->binds->pointers[j->first[t] + i] = atom_pointer(j->l, &th->refs.at[i]);
  }
}

static int by_address(const void *pa, const void *pb) {
  const BindPointer *a = pa, *b = pb;
  if (a->addr != b->addr)
    return a->addr < b->addr ? -1 : 1;
  return a->target < b->target ? -1 : a->target > b->target;
}

/* Data is laid out in input order, more or less, so runs that are in order already are long: they are merged. */
static void sort_pointers(Link *l, BindPointer *v, u32 n) {
  VEC(u32) ends = {0};
  for (u32 i = 1; i <= n; i++)
    if (i == n || by_address(&v[i - 1], &v[i]) > 0)
      *vec_push(&ends) = i;
  if (ends.n <= 1) {
    vec_free(&ends);
    return;
  }
  BindPointer *from = v, *to = ARENA_ARRAY(&l->arena, BindPointer, n);
  while (ends.n > 1) {
    u32 begin = 0, kept = 0;
    for (u32 r = 0; r < ends.n; r += 2) {
      u32 mid = ends.at[r], end = r + 1 < ends.n ? ends.at[r + 1] : mid;
      for (u32 a = begin, b = mid, at = begin; at < end; at++)
        to[at] = b == end || (a < mid && by_address(&from[a], &from[b]) <= 0) ? from[a++] : from[b++];
      ends.at[kept++] = begin = end;
    }
    ends.n = kept;
    BindPointer *t = from;
    from = to;
    to = t;
  }
  l->binds->pointers = from;
  vec_free(&ends);
}

void bind_collect(Link *l) {
  Binds *b = l->binds;
  unsigned threads = pool_threads(l->pool);
  CollectJob j = {l, ARENA_ARRAY(&l->arena, u32, threads)};
  u64 n = 0;
  for (unsigned t = 0; t < threads; t++) {
    j.first[t] = (u32)n;
    n += b->threads[t].refs.n;
  }
  u64 words = 0;
  for (u32 i = 0; i < b->words.n; i++)
    words += b->words.at[i].n;
  b->pointers = ARENA_ARRAY(&l->arena, BindPointer, n + words + b->got.n + b->tlv.n + b->stubs.n + 1);
  pool_run(l->pool, threads, 1, collect_some, &j);
  b->npointers = (u32)n + slot_pointers(l, b->pointers + n);
  sort_pointers(l, b->pointers, b->npointers);
}

void bind_free(Link *l) {
  for (unsigned t = 0; t < pool_threads(l->pool); t++) {
    vec_free(&l->binds->threads[t].needed);
    vec_free(&l->binds->threads[t].refs);
  }
  vec_free(&l->binds->words);
  if (!l->slots)
    free(l->syms.auxes);
}
