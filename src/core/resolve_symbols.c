/* resolve_symbols.c: definitions compete for the key of their name by an atomic minimum (claim), then the facts of
 * each symbol follow from its winner (finish); commons, __start_ names and weld's own are settled one by one.
 * The trap: claims run in parallel over files, so a body may only use commuting atomics (min, or) on symbols; what it
 * ends in must not depend on who came first. */
#include "core/resolve_internal.h"

#include <stdlib.h>

#include "core/layout_match.h"

enum { CLAIM_AHEAD = 12, FACTS_BATCH = 64 };

/* ---- claims ---- */

static inline void set_flags(u32 *p, u32 bits) {
  if ((__atomic_load_n(p, __ATOMIC_RELAXED) & bits) != bits)
    __atomic_fetch_or(p, bits, __ATOMIC_RELAXED);
}

/* The most constraining visibility wins: internal, hidden, protected, default (gABI ch. 4). Kept as
 * bits of their own while files are merged in parallel: or is the only operation that is needed. */
enum { VIS_BIT_SHIFT = 29 };
static inline u32 vis_bit(u32 vis) { return vis ? 1u << (VIS_BIT_SHIFT + vis - 1) : 0; }

static inline void claim(Link *l, u32 sym, u64 key) {
  u64 *p = &l->syms.key[sym];
  u64 old = __atomic_load_n(p, __ATOMIC_RELAXED);
  for (;;) {
    if (UNLIKELY(key_rank(old) == RANK_STRONG && key_rank(key) == RANK_STRONG && old != key))
      __atomic_store_n(&l->has_duplicates, true, __ATOMIC_RELAXED);
    if (key >= old || __atomic_compare_exchange_n(p, &old, key, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
      return;
  }
}

static void claim_object(Link *l, u32 f) {
  const File *file = &l->files.at[f];
  const u16 *aflags = l->atoms.flags;
  u64 kinds[REC_BATCH];
  for (u32 i = file->first_global, n; (n = l->format->kinds(l, (FileId){f}, i, kinds, REC_BATCH)); i += n) {
    const u32 *syms = file->globals + (i - file->first_global);
    for (u32 k = 0; k < n; k++) {
      u32 sym = syms[k], section = (u32)(kinds[k] >> SK_SECTION_SHIFT), rank = kinds[k] & SK_RANK;
      if (k + CLAIM_AHEAD < n) {
        PREFETCH(&l->syms.flags[syms[k + CLAIM_AHEAD]]);
        PREFETCH(&l->syms.key[syms[k + CLAIM_AHEAD]]);
      }
      if (sym == UINT32_MAX)
        continue;
      u32 bits = SF_REF | vis_bit(kinds[k] >> SK_VIS_SHIFT & SK_VIS);
      if (rank == RANK_NONE) {
        set_flags(&l->syms.flags[sym], bits | (kinds[k] & SK_WEAK ? 0 : (u32)SF_REF_STRONG));
        continue;
      }
      /* What stood in a group that lost is a reference to the winner's. */
      if (section && aflags[file->atom_base + section] & ATOM_DISCARDED) {
        set_flags(&l->syms.flags[sym], bits | SF_REF_STRONG);
        continue;
      }
      set_flags(&l->syms.flags[sym], bits | (rank == RANK_COMMON ? (u32)SF_COMMON : 0));
      claim(l, sym, make_key(rank, f, i + k));
    }
  }
}

static void claim_shared(Link *l, u32 f) {
  const File *file = &l->files.at[f];
  SymRec rec[REC_BATCH];
  for (u32 i = file->first_global, n; (n = l->format->symbols(l, (FileId){f}, i, rec, REC_BATCH)); i += n)
    for (u32 k = 0; k < n; k++) {
      u32 sym = file->globals[rec[k].index - file->first_global];
      if (sym == UINT32_MAX || rec[k].skip)
        continue;
      set_flags(&l->syms.flags[sym], SF_DSO_REF);
      if (rec[k].rank != RANK_NONE)
        claim(l, sym, make_key(rec[k].rank == RANK_WEAK_FIRST ? RANK_OUTSIDE_WEAK : RANK_OUTSIDE, f, rec[k].index));
    }
}

static void claim_files(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  Link *l = ctx;
  for (u32 f = MAX(begin, 1u); f < end; f++) {
    if (!l->files.at[f].live)
      continue;
    if (l->files.at[f].kind == FILE_OBJECT)
      claim_object(l, f);
    else if (l->files.at[f].kind == FILE_SHARED)
      claim_shared(l, f);
  }
}

/* Of strong definitions that join (SymRec.join), the largest has the name, not the first. Those that don't
 * join stay duplicates. */
static void settle_joins(Link *l) {
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    SymRec rec[REC_BATCH], w;
    if (!file->live || file->kind != FILE_OBJECT)
      continue;
    for (u32 i = file->first_global, n; (n = l->format->symbols(l, (FileId){f}, i, rec, REC_BATCH)); i += n)
      for (u32 k = 0; k < n; k++) {
        u32 sym = file->globals[rec[k].index - file->first_global];
        if (sym == UINT32_MAX || rec[k].join != JOIN_LARGEST || key_rank(l->syms.key[sym]) != RANK_STRONG)
          continue;
        if (rec[k].section && l->atoms.flags[file->atom_base + rec[k].section] & ATOM_DISCARDED)
          continue;
        u64 key = l->syms.key[sym];
        if (l->format->symbols(l, (FileId){key_file(key)}, key_index(key), &w, 1) && w.join == JOIN_LARGEST && rec[k].size > w.size)
          l->syms.key[sym] = make_key(RANK_STRONG, f, rec[k].index);
      }
  }
}

/* ---- finish: facts of each symbol ---- */

typedef struct {
  Link *l;
  U32Vec *commons;    /* one for each thread */
  U32Vec *start_stop; /* undefined __start_ / __stop_ names */
} FinishJob;

static void finish_some(FinishJob *j, u32 begin, u32 end, unsigned tid) {
  Link *l = j->l;
  Symbols *s = &l->syms;
  SymRec rec[FACTS_BATCH];
  l->format->definitions(l, s->key + begin, end - begin, rec);
  for (u32 i = begin; i < end; i++) {
    u32 fl = s->flags[i];
    u32 vis = fl >> VIS_BIT_SHIFT;
    fl &= ((1u << SF_VIS_SHIFT) - 1) | SF_DYNLIST;
    u32 v = vis & 1 ? 1 : vis & 2 ? 2 : vis & 4 ? 3 : 0;
    u64 key = s->key[i];
    if (l->format->visible_wins && v)
      v = vis & 4 && key_rank(key) != RANK_STRONG ? 0 : key_rank(key) < RANK_OUTSIDE && key_file(key) ? rec[i - begin].vis : v & 2;
    fl |= v << SF_VIS_SHIFT;
    if (v == 1 || v == 2)
      fl |= SF_HIDDEN;
    /* A shared library can't define what an object wants hidden. */
    if ((key_rank(key) == RANK_OUTSIDE || key_rank(key) == RANK_OUTSIDE_WEAK) && fl & SF_HIDDEN)
      key = s->key[i] = make_key(RANK_NONE, 0, 0);
    if (key_rank(key) == RANK_NONE) {
      fl |= SF_UNDEFINED | (fl & SF_REF_STRONG ? 0 : (u32)SF_WEAK);
      if ((fl & SF_REF || l->opt->start_stop) && s->name[i].len > 7 && s->name[i].p[0] == '_' &&
          (!memcmp(s->name[i].p, "__start_", 8) || !memcmp(s->name[i].p, "__stop_", 7)))
        *vec_push(&j->start_stop[tid]) = i;
    } else if (key_file(key) == 0) {
      fl |= SF_SYNTHETIC;
      if (l->weld_names.at[key_index(key)].hidden)
        fl |= SF_HIDDEN | (fl >> SF_VIS_SHIFT & 3 ? 0 : 2u << SF_VIS_SHIFT);
    } else {
      const File *file = &l->files.at[key_file(key)];
      const SymRec *r = &rec[i - begin];
      fl |= r->flags;
      if (file->kind == FILE_SHARED) {
        fl |= SF_SHARED;
        fl &= ~((u32)SF_IFUNC | SF_ABSOLUTE);
      } else {
        if (key_rank(key) == RANK_COMMON)
          *vec_push(&j->commons[tid]) = i;
        else {
          fl &= ~(u32)SF_COMMON;
          s->atom[i] = r->section ? file->atom_base + r->section : 0;
          s->value[i] = r->value;
        }
        if (file->just_symbols) {
          fl |= SF_ABSOLUTE;
          s->atom[i] = 0;
        }
        if (v == 3)
          fl |= SF_PROTECTED;
      }
    }
    s->flags[i] = fl;
  }
}

static void finish_symbols(void *ctx, u32 begin, u32 end, unsigned tid) {
  for (u32 i = begin; i < end; i += FACTS_BATCH)
    finish_some(ctx, i, MIN(i + FACTS_BATCH, end), tid);
}

/* ---- commons ---- */

typedef struct { u64 order, size, align; u32 sym; bool tls, small; } Common;

static int by_order(const void *a, const void *b) {
  u64 x = ((const Common *)a)->order, y = ((const Common *)b)->order;
  return x < y ? -1 : x > y;
}

/* Where tentative definitions are atoms, the largest stays where it is. */
static void keep_commons(Link *l, const Common *v, u32 n) {
  for (u32 i = 0; i < n; i++) {
    u64 key = l->syms.key[v[i].sym];
    SymRec r = {0};
    l->format->symbols(l, (FileId){key_file(key)}, key_index(key), &r, 1);
    l->syms.atom[v[i].sym] = l->files.at[key_file(key)].atom_base + r.section;
    l->syms.value[v[i].sym] = 0;
  }
}

static int by_symbol(const void *a, const void *b) {
  u32 x = ((const CommonFact *)a)->sym, y = ((const CommonFact *)b)->sym;
  return x < y ? -1 : x > y;
}

u8 common_p2align(const Link *l, u32 sym) {
  const CommonFact key = {.sym = sym}, *c = l->commons.n ? bsearch(&key, l->commons.at, l->commons.n, sizeof key, by_symbol) : NULL;
  return c ? c->p2align : 0;
}

/* Where a script tells commons by their files: one section of weld's for each pattern that takes any. */
typedef struct {
  u32 pattern, synth;
} CommonPlace;

typedef struct {
  bool asked;
  VEC(CommonPlace) at;
} CommonPlaces;

static u32 common_synth(Link *l, CommonPlaces *p, u32 file) {
  const File *f = &l->files.at[file];
  const Synth all = l->synths.at[SYN_COMMON];
  LayoutHit hit;
  if (!p->asked || !layout_match(l->matcher, all.name, strlen(all.name), f->path, f->member, l->atoms.flags[all.atom.i], (u32)all.attr, &hit))
    return SYN_COMMON;
  for (u32 i = 0; i < p->at.n; i++)
    if (p->at.at[i].pattern == hit.index)
      return p->at.at[i].synth;
  u32 synth = synth_add(l, &(Synth){.name = all.name, .type = all.type, .attr = all.attr, .file = file});
  if (synth == SYN_NONE) /* reported */
    return SYN_COMMON;
  *vec_push(&p->at) = (CommonPlace){hit.index, synth};
  return synth;
}

/* A tentative definition is as large and as aligned as the largest of its name, and near when one of
 * them is: small code can't reach far. */
static void place_commons(Link *l, U32Vec *lists) {
  VEC(Common) v = {0};
  for (unsigned t = 0; t < pool_threads(l->pool); t++)
    for (u32 i = 0; i < lists[t].n; i++) {
      u32 sym = lists[t].at[i];
      *vec_push(&v) = (Common){l->syms.key[sym], 0, 1, sym, l->syms.flags[sym] & SF_TLS, false};
    }
  if (!v.n)
    return;
  qsort(v.at, v.n, sizeof *v.at, by_order);
  for (u32 i = 0; i < v.n; i++)
    l->syms.value[v.at[i].sym] = i;
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    SymRec rec[REC_BATCH];
    if (!file->live || file->kind != FILE_OBJECT)
      continue;
    for (u32 i = file->first_global, n; (n = l->format->symbols(l, (FileId){f}, i, rec, REC_BATCH)); i += n)
      for (u32 k = 0; k < n; k++) {
        u32 sym = file->globals[rec[k].index - file->first_global];
        if (rec[k].rank != RANK_COMMON || sym == UINT32_MAX ||
            key_rank(l->syms.key[sym]) != RANK_COMMON)
          continue;
        Common *c = &v.at[l->syms.value[sym]];
        if (rec[k].size > c->size) { /* who describes the symbol from here on */
          c->size = rec[k].size;
          l->syms.key[sym] = make_key(RANK_COMMON, f, rec[k].index);
        }
        c->align = MAX(c->align, rec[k].value);
        c->small |= !rec[k].large;
      }
  }
  if (l->format->atoms_are_symbols)
    keep_commons(l, v.at, v.n);
  CommonPlaces places = {.asked = l->matcher && !l->format->atoms_are_symbols && (!l->relocatable || l->opt->define_common) &&
                                  layout_match_asks_file(l->matcher, l->synths.at[SYN_COMMON].name)};
  for (u32 i = 0; i < v.n && !l->format->atoms_are_symbols; i++) {
    u32 where = v.at[i].tls      ? (u32)SYN_TCOMMON
                : v.at[i].small ? common_synth(l, &places, key_file(l->syms.key[v.at[i].sym]))
                                : (u32)SYN_LCOMMON;
    Synth *s = &l->synths.at[where];
    u64 align = is_pow2(v.at[i].align) ? v.at[i].align : 1;
    u64 at = align_up(s->size, align);
    s->p2align = MAX(s->p2align, log2_u64(align));
    l->syms.atom[v.at[i].sym] = s->atom.i;
    l->syms.value[v.at[i].sym] = at;
    *vec_push(&l->commons) = (CommonFact){v.at[i].sym, (u8)log2_u64(align)};
    if (at < s->size || __builtin_add_overflow(at, v.at[i].size, &s->size)) {
      diag_error(l->diag, "too-large", "common symbols do not fit into the 64-bit address space");
      break;
    }
  }
  vec_free(&places.at);
  if (l->commons.n)
    qsort(l->commons.at, l->commons.n, sizeof *l->commons.at, by_symbol);
  vec_free(&v);
}

/* ---- __start_NAME and __stop_NAME ---- */

static int by_u32(const void *a, const void *b) {
  u32 x = *(const u32 *)a, y = *(const u32 *)b;
  return x < y ? -1 : x > y;
}

bool is_c_identifier(const char *s) {
  if (!*s || (*s >= '0' && *s <= '9'))
    return false;
  for (; *s; s++)
    if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || *s == '_'))
      return false;
  return true;
}

/* Whether an allocated section of that name is in the link is known only after dead strip; the symbol
 * becomes weld's here, and resolve_dead() takes it back when there is none. */
static void define_start_stop(Link *l, U32Vec *lists) {
  U32Vec all = {0};
  for (unsigned t = 0; t < pool_threads(l->pool); t++)
    for (u32 i = 0; i < lists[t].n; i++)
      *vec_push(&all) = lists[t].at[i];
  if (all.n)
    qsort(all.at, all.n, sizeof *all.at, by_u32);
  for (u32 i = 0; i < all.n; i++) {
    u32 sym = all.at[i];
    const SymName *name = &l->syms.name[sym];
    const char *text = arena_strndup(&l->arena, name->p, name->len);
    bool start = starts_with(text, "__start_");
    const char *section = text + (start ? 8 : 7);
    if (!is_c_identifier(section))
      continue;
    *vec_push(&l->start_stops) = (StartStop){sym, section, start, false};
  }
  vec_free(&all);
}

/* ---- weld's own definitions ---- */

/* Whether the value is a number whatever the load address. */
static bool is_number(const Link *l, const Expr *e) {
  if (!e)
    return true;
  switch (e->op) {
  case EX_DOT:
  case EX_ADDR:
  case EX_SEGMENT_START:
  case EX_DATA_SEGMENT_ALIGN:
  case EX_DATA_SEGMENT_RELRO_END:
  case EX_DATA_SEGMENT_END:
    return false;
  case EX_SYM: {
    SymId s = sym_find(l, e->name, strlen(e->name));
    return s.i == UINT32_MAX || l->syms.flags[s.i] & SF_ABSOLUTE;
  }
  case EX_SUB: /* a distance */
    return is_number(l, e->a) == is_number(l, e->b);
  case EX_ALIGN:
    return e->a && is_number(l, e->a) && is_number(l, e->b);
  case EX_ABSOLUTE:
  case EX_NEXT:
    return true;
  default:
    return is_number(l, e->a) && is_number(l, e->b) && is_number(l, e->c);
  }
}

/* The same of what is assigned to a symbol: in the body of an output section a number is an offset in it. */
static bool stays(const Link *l, const WeldName *w) {
  ExprOp op = w->expr->op;
  return is_number(l, w->expr) && (!w->in_body || op == EX_ABSOLUTE || op == EX_NEXT || op == EX_LOADADDR);
}

/* Scripts may give a symbol several values, one after the other; the first definition stands for all. */
static void note_again(Link *l) {
  for (u32 i = 0; i < l->weld_names.n; i++) {
    const WeldName *w = &l->weld_names.at[i];
    if (w->kind != WELD_DEFINE || w->used || !w->expr)
      continue;
    u64 key = l->syms.key[w->sym];
    WeldName *first = key_file(key) ? NULL : &l->weld_names.at[key_index(key)];
    if (!first || first == w || !first->used)
      continue;
    first->again = true;
    first->moves |= !stays(l, w);
  }
}

/* A=B makes A another name for B: its kind, its atom. Other expressions get their value by layout or after
 * it; only whether they move with the image is needed now. In order: A=B may follow B=C. */
static void finish_weld_names(Link *l) {
  Symbols *s = &l->syms;
  note_again(l);
  for (u32 i = 0; i < l->weld_names.n; i++) {
    WeldName *w = &l->weld_names.at[i];
    if (!w->used || !w->expr)
      continue;
    if (w->expr->op == EX_SYM && !w->again) {
      u32 t = sym_find(l, w->expr->name, strlen(w->expr->name)).i;
      if (t != UINT32_MAX && !(s->flags[t] & (SF_UNDEFINED | SF_SHARED)) && t != w->sym) {
        s->atom[w->sym] = s->atom[t];
        s->value[w->sym] = s->value[t];
        s->flags[w->sym] |= s->flags[t] & (SF_FUNC | SF_TLS | SF_IFUNC | (w->in_body ? 0u : (u32)SF_ABSOLUTE));
        w->alias = t;
      }
    } else if (stays(l, w) && !w->moves) {
      s->flags[w->sym] |= SF_ABSOLUTE;
    }
  }
}

/* A symbol that was provided asks for those in its value. */
static void refer_to(Link *l, const Expr *e, U32Vec *asked) {
  if (!e)
    return;
  if (e->op == EX_SYM) {
    u32 sym = sym_find(l, e->name, strlen(e->name)).i;
    if (sym != UINT32_MAX && !(l->syms.flags[sym] & SF_REF)) {
      l->syms.flags[sym] |= SF_REF;
      *vec_push(asked) = sym;
    }
  }
  refer_to(l, e->a, asked);
  refer_to(l, e->b, asked);
  refer_to(l, e->c, asked);
}

static bool claim_one(Link *l, u32 i, U32Vec *asked) {
  const WeldName *w = &l->weld_names.at[i];
  bool asks = l->syms.flags[w->sym] & (SF_REF | SF_DSO_REF);
  if (!(w->kind == WELD_PROVIDE && asks) && w->kind != WELD_FALLBACK)
    return false;
  if (key_rank(l->syms.key[w->sym]) <= RANK_PROVIDE)
    return false;
  l->syms.key[w->sym] = make_key(RANK_PROVIDE, 0, i);
  refer_to(l, w->expr, asked);
  return true;
}

static int compare_syms(const void *pa, const void *pb) {
  const u64 *a = pa, *b = pb;
  return *a < *b ? -1 : *a > *b;
}

/* What is only defined when asked for. One may ask for the next: `by_sym` finds them. */
static void claim_provided(Link *l) {
  U32Vec asked = {0};
  VEC(u64) by_sym = {0};
  for (u32 i = 0; i < l->weld_names.n; i++)
    if (l->weld_names.at[i].kind == WELD_PROVIDE)
      *vec_push(&by_sym) = (u64)l->weld_names.at[i].sym << 32 | i;
  if (by_sym.n)
    qsort(by_sym.at, by_sym.n, sizeof *by_sym.at, compare_syms);
  for (u32 i = 0; i < l->weld_names.n; i++)
    claim_one(l, i, &asked);
  for (u32 k = 0; k < asked.n; k++) {
    u64 first = (u64)asked.at[k] << 32;
    u32 at = FIRST_NOT(by_sym.n, i, by_sym.at[i] < first);
    if (at < by_sym.n && by_sym.at[at] >> 32 == asked.at[k])
      claim_one(l, (u32)by_sym.at[at], &asked);
  }
  vec_free(&asked);
  vec_free(&by_sym);
}

static void reset_keys(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  Link *l = ctx;
  for (u32 i = begin; i < end; i++) {
    u64 k = l->syms.key[i];
    if (key_rank(k) != RANK_WELD)
      l->syms.key[i] = make_key(RANK_NONE, 0, 0);
    l->syms.flags[i] &= SF_WRAPPED | SF_DYNLIST | SF_TRACED;
  }
}

void resolve_symbols(Link *l) {
  u32 n = l->syms.nglobal, grain = n > 20000 ? 8192 : 20000;
  unsigned threads = pool_threads(l->pool);
  pool_run(l->pool, n, grain * 4, reset_keys, l);
  for (u32 i = 0; i < l->weld_names.n; i++)
    if (l->weld_names.at[i].kind == WELD_REF)
      l->syms.flags[l->weld_names.at[i].sym] |= SF_REF | SF_GC_ROOT;
  pool_run(l->pool, l->files.n, FOR_FILES_GRAIN(l), claim_files, l);
  if (l->has_versioned_refs)
    l->format->versioned(l);
  claim_provided(l);
  for (u32 i = 0; i < l->weld_names.n; i++) {
    WeldName *w = &l->weld_names.at[i];
    w->used = key_file(l->syms.key[w->sym]) == 0 && key_index(l->syms.key[w->sym]) == i &&
              key_rank(l->syms.key[w->sym]) != RANK_NONE;
  }
  if (l->has_duplicates && l->format->atoms_are_symbols)
    settle_joins(l);
  FinishJob j = {l, heap_alloc(threads * sizeof(U32Vec)), heap_alloc(threads * sizeof(U32Vec))};
  pool_run(l->pool, n, grain, finish_symbols, &j);
  place_commons(l, j.commons);
  finish_weld_names(l);
  define_start_stop(l, j.start_stop);
  for (unsigned t = 0; t < threads; t++) {
    vec_free(&j.commons[t]);
    vec_free(&j.start_stop[t]);
  }
  free(j.commons);
  free(j.start_stop);
}

/* ---- after dead strip ---- */

static void mark_dead(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  Link *l = ctx;
  Symbols *s = &l->syms;
  for (u32 i = begin; i < end; i++) {
    if (s->atom[i] && !(l->atoms.flags[s->atom[i]] & ATOM_LIVE))
      s->flags[i] |= SF_DISCARDED;
    else if (s->flags[i] & SF_SHARED && s->flags[i] & SF_REF_STRONG && !l->opt->gc_sections) {
      File *f = &l->files.at[key_file(s->key[i])];
      if (!__atomic_load_n(&f->needed, __ATOMIC_RELAXED))
        __atomic_store_n(&f->needed, true, __ATOMIC_RELAXED);
    }
  }
}

/* --start-stop: NAME also stands for the output section .NAME. */
static void settle_dotted(const Link *l, StartStop *s) {
  for (u32 a = 1; a < l->atoms.n && !s->defined; a++) {
    if ((l->atoms.flags[a] & (ATOM_LIVE | ATOM_ALLOC | ATOM_SYNTH)) != (ATOM_LIVE | ATOM_ALLOC))
      continue;
    u32 rule = l->rules[a];
    const char *name = rule == UINT32_MAX ? l->format->atom_name(l, (AtomId){a}) : l->layout->stmts[rule >> 16].name;
    if (name[0] == '.' && streq(name + 1, s->section)) {
      s->section = name;
      s->defined = true;
    }
  }
}

/* __start_NAME stays undefined unless a live allocated section of that name is in the link. */
static void settle_start_stop(Link *l) {
  if (!l->start_stops.n)
    return;
  for (u32 a = 1; a < l->atoms.n; a++) {
    if ((l->atoms.flags[a] & (ATOM_LIVE | ATOM_ALLOC | ATOM_SYNTH)) != (ATOM_LIVE | ATOM_ALLOC))
      continue;
    const char *name = l->format->atom_name(l, (AtomId){a});
    for (u32 i = 0; i < l->start_stops.n; i++)
      l->start_stops.at[i].defined |= streq(name, l->start_stops.at[i].section);
  }
  for (u32 i = 0; l->opt->start_stop && i < l->start_stops.n; i++)
    settle_dotted(l, &l->start_stops.at[i]);
  for (u32 i = 0; i < l->start_stops.n && !l->relocatable; i++) { /* the final link will know all such sections */
    const StartStop *s = &l->start_stops.at[i];
    if (!s->defined)
      continue;
    u32 at = weld_name(l, l->syms.name[s->sym].p, WELD_DEFINE, NULL, true);
    l->weld_names.at[at].sym = s->sym;
    l->weld_names.at[at].used = true;
    l->syms.key[s->sym] = make_key(RANK_WELD, 0, at);
    u32 vis = (u32)l->opt->start_stop_visibility & 3;
    u32 f = l->syms.flags[s->sym] & ~((u32)SF_UNDEFINED | SF_WEAK | SF_IMPORTED | SF_SHARED | SF_IS_UNDEF_OK);
    if (!(f >> SF_VIS_SHIFT & 3))
      f |= vis << SF_VIS_SHIFT | (vis == 1 || vis == 2 ? (u32)SF_HIDDEN : vis == 3 ? (u32)SF_PROTECTED : 0);
    l->syms.flags[s->sym] = f | SF_SYNTHETIC;
  }
}

void resolve_dead(Link *l) {
  settle_start_stop(l);
  pool_run(l->pool, l->syms.nglobal, 16384, mark_dead, l);
  for (u32 f = 1; f < l->files.n; f++)
    if (l->files.at[f].kind == FILE_SHARED && l->files.at[f].fmt && !l->files.at[f].as_needed)
      l->files.at[f].needed = true;
}

/* ---- after layout ---- */

static void add_addresses(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  Link *l = ctx;
  Symbols *s = &l->syms;
  for (u32 i = begin; i < end; i++) {
    u32 a = s->atom[i];
    if (!a || s->flags[i] & SF_DISCARDED)
      continue;
    if (UNLIKELY(l->atoms.flags[a] & ATOM_MERGE))
      s->value[i] = merge_addr(l, (AtomId){a}, s->value[i]);
    else if (UNLIKELY(l->atoms.flags[a] & ATOM_EHFRAME && key_file(s->key[i])))
      s->value[i] = l->format->local_value(l, (FileId){key_file(s->key[i])}, key_index(s->key[i]));
    else
      s->value[i] += l->atoms.addr[a];
  }
}

void resolve_addresses(Link *l) { pool_run(l->pool, l->syms.nglobal, 8192, add_addresses, l); }
