/* layout_eval.c: what expressions of a layout can ask: symbols, sections, regions, the location counter; and what an assignment
 * does. The trap: a round sees what the round before it found out wherever a script looks ahead. So what was read early is noted
 * (Layout.ahead), and rounds go on until nothing of that changes; only the last round reports. */
#include "core/layout_internal.h"
#include "core/merge.h"
#include "core/resolve.h"

/* ---- what a round knows ---- */

/* The section has its address and size of this round, unlike what the caller is about to read. */
static void note_read(Layout *y, bool fresh) { y->ahead |= !fresh; }
static void note_size_read(Layout *y, bool fresh) { y->sizes_ahead |= !fresh; }

void layout_note_moved(Layout *y, const LayoutStmt *st, const char *what) {
  if (y->moved && y->mover)
    return; /* the first says most */
  y->moved = true;
  y->mover = st;
  y->mover_name = what;
}

/* ---- symbols ---- */

/* A place in an atom: an offset in its output section. */
static ExprValue atom_value(LayoutEnv *e, u32 a, u64 off) {
  const Link *l = e->l;
  if (l->atoms.flags[a] & ATOM_MERGE) {
    u64 at;
    a = merge_where(l, (AtomId){a}, off, &at).i;
    off = at;
  } else if ((l->atoms.flags[a] & ATOM_FOLDED) == ATOM_FOLDED) {
    a = l->atoms.at[a].link;
  }
  u32 osec = l->atoms.at[a].osec;
  note_read(e->y, e->y->stamps[osec] == e->y->walk || osec == e->osec);
  return (ExprValue){l->atoms.addr[a] + off, osec, false};
}

static const Assigned *assigned(const LayoutEnv *e, u32 sym) {
  const Layout *y = e->y;
  u32 i = key_index(e->l->syms.key[sym]);
  return i < y->nassigned ? &y->assigned[i] : NULL;
}

static bool env_defined(void *ctx, const char *name) {
  const LayoutEnv *e = ctx;
  SymId s = sym_find(e->l, name, strlen(name));
  if (s.i == UINT32_MAX || e->l->syms.flags[s.i] & SF_UNDEFINED)
    return false;
  const Assigned *v = e->l->syms.flags[s.i] & SF_SYNTHETIC ? assigned(e, s.i) : NULL;
  /* GNU ld: a symbol of the script is defined from its assignment on */
  return !v || !e->l->weld_names.at[v - e->y->assigned].stmt || v->stamp == e->y->walk;
}

/* A symbol that weld itself brings. */
static bool made_symbol(LayoutEnv *e, const Expr *x, u32 sym, ExprValue *out) {
  Link *l = e->l;
  for (u32 i = 0; i < l->start_stops.n; i++) {
    const StartStop *s = &l->start_stops.at[i];
    u32 o = s->sym == sym && s->defined ? layout_find_osec(l, s->section) : 0;
    if (!o)
      continue;
    note_read(e->y, e->y->stamps[o] == e->y->walk);
    *out = (ExprValue){s->start ? 0 : l->osecs.at[o].size, o, false};
    return true;
  }
  if (e->y->final)
    script_report(l, DIAG_ERROR, SCRIPT_PLACE(x), "symbol '%s' in an expression has no value before the layout is done",
                  diag_name(l->diag, x->name));
  return !e->y->final;
}

static bool env_symbol(void *ctx, const Expr *x, ExprValue *out) {
  LayoutEnv *e = ctx;
  Link *l = e->l;
  SymId s = sym_find(l, x->name, strlen(x->name));
  u32 flags = s.i == UINT32_MAX ? SF_UNDEFINED : l->syms.flags[s.i];
  *out = (ExprValue){0};
  if (flags & (SF_UNDEFINED | SF_SHARED)) {
    if (e->y->final)
      script_report(e->l, DIAG_ERROR, SCRIPT_PLACE(x), "undefined symbol '%s' in an expression%s", diag_name(l->diag, x->name),
                    flags & SF_SHARED ? ": a shared library has it" : "");
    return !e->y->final;
  }
  u32 a = l->syms.atom[s.i];
  if (a && flags & SF_DISCARDED) {
    if (e->y->final)
      script_report(e->l, DIAG_ERROR, SCRIPT_PLACE(x), "symbol '%s' in an expression is in a section that was discarded",
                    diag_name(l->diag, x->name));
    return !e->y->final;
  }
  const Assigned *v = flags & SF_SYNTHETIC ? assigned(e, s.i) : NULL;
  if (v && e->own && v->stamp != e->y->walk && streq(e->own, x->name)) {
    if (e->y->final)
      script_report(l, DIAG_ERROR, SCRIPT_PLACE(x), "symbol '%s' has no value yet that its own could be made of", diag_name(l->diag, x->name));
    return false;
  }
  if (v && l->weld_names.at[v - e->y->assigned].expr) {
    note_read(e->y, v->stamp == e->y->walk);
    *out = (ExprValue){v->value.v, v->value.osec, false};
  } else if (a) {
    *out = atom_value(e, a, l->syms.value[s.i]);
  } else if (v) {
    return made_symbol(e, x, s.i, out);
  } else {
    out->v = l->syms.value[s.i];
  }
  if (out->osec == EXPR_ADDRESS && (e->osec || e->env.sane))
    out->osec = EXPR_NUMBER;
  return true;
}

/* ---- sections and regions ---- */

static bool env_dot(void *ctx, u64 *address) {
  const LayoutEnv *e = ctx;
  *address = e->y->dot;
  return true;
}

static u64 env_base(void *ctx, u32 osec) {
  const LayoutEnv *e = ctx;
  return e->l->osecs.at[osec].addr;
}

static bool env_section(void *ctx, const Expr *x, ExprValue *out) {
  LayoutEnv *e = ctx;
  Layout *y = e->y;
  *out = (ExprValue){0, EXPR_NUMBER, false};
  if (x->op == EX_ORIGIN || x->op == EX_LENGTH) {
    const Region *r = layout_region(e, x->name);
    if (!r) {
      if (y->final)
        script_report(e->l, DIAG_ERROR, SCRIPT_PLACE(x), "there is no memory region '%s'", diag_name(e->l->diag, x->name));
      return false;
    }
    *out = x->op == EX_ORIGIN ? expr_here(&e->env, r->origin) : (ExprValue){r->length, EXPR_NUMBER, false};
    return true;
  }
  u32 o = layout_find_osec(e->l, x->name);
  if (!o) {
    if (y->final && e->l->scripted)
      script_report(e->l, DIAG_ERROR, SCRIPT_PLACE(x), "there is no output section '%s'", diag_name(e->l->diag, x->name));
    return true;
  }
  const Osec *s = &e->l->osecs.at[o];
  switch (x->op) {
  case EX_ADDR: *out = (ExprValue){0, o, false}; break;
  case EX_LOADADDR: *out = (ExprValue){s->lma, EXPR_ADDRESS, false}; break;
  case EX_SIZEOF: out->v = s->size; break;
  default: out->v = 1ull << s->p2align; break;
  }
  if (x->op == EX_SIZEOF)
    note_size_read(y, y->stamps[o] == y->walk);
  else
    note_read(y, y->stamps[o] == y->walk || (x->op == EX_ADDR && o == e->osec));
  return true;
}

u64 layout_max_page(const Link *l) { return l->opt->z_max_page_size ? l->opt->z_max_page_size : l->arch->max_page_size; }

u64 layout_common_page(const Link *l) {
  u64 p = l->opt->z_common_page_size ? l->opt->z_common_page_size : l->arch->common_page_size;
  return MIN(p, layout_max_page(l));
}

static bool env_constant(void *ctx, const char *name, u64 *out) {
  const LayoutEnv *e = ctx;
  if (streq(name, "MAXPAGESIZE"))
    *out = layout_max_page(e->l);
  else if (streq(name, "COMMONPAGESIZE"))
    *out = layout_common_page(e->l);
  else
    return false;
  return true;
}

static void env_error(void *ctx, const Expr *at, const char *text) {
  const LayoutEnv *e = ctx;
  if (e->y->final)
    script_report(e->l, DIAG_ERROR, at ? SCRIPT_PLACE(at) : (ScriptPlace){0}, "%s", text);
}

/* -Ttext-segment and its like give another address than the script's. -Ttext is the address of .text, unless the script asks for the
 * segment of that name (GNU ld manual, "SEGMENT_START"). */
static bool segment_start(const LayoutEnv *e, const char *name, u64 *at) {
  const Options *o = e->l->opt;
  const struct {
    const char *name;
    bool given;
    u64 at;
    u32 used;
  } rows[] = {{"text-segment", o->has_image_base, o->image_base, 0},
              {"rodata-segment", o->has_rodata_segment, o->rodata_segment, 0},
              {"ldata-segment", o->has_ldata_segment, o->ldata_segment, 0},
              {"text", o->has_ttext, o->ttext, SEGMENT_TEXT},
              {"data", o->has_tdata, o->tdata, SEGMENT_DATA},
              {"bss", o->has_tbss, o->tbss, SEGMENT_BSS}};
  for (u32 i = 0; i < COUNT_OF(rows); i++)
    if (rows[i].given && streq(name, rows[i].name)) {
      e->y->segments_used |= rows[i].used;
      *at = rows[i].at;
      return true;
    }
  return false;
}

static bool env_segment(void *ctx, const Expr *x, ExprValue *out) {
  LayoutEnv *e = ctx;
  ExprValue a, b;
  *out = (ExprValue){0, EXPR_NUMBER, false};
  switch (x->op) {
  case EX_SIZEOF_HEADERS:
    e->l->wants_headers = true;
    out->v = e->l->header_size;
    return true;
  case EX_SEGMENT_START: {
    u64 at;
    if (!layout_eval(e, x->a, &a))
      return false;
    *out = expr_here(&e->env, segment_start(e, x->name, &at) ? at : layout_address(e, a));
    return true;
  }
  case EX_DATA_SEGMENT_ALIGN:
    if (!layout_eval(e, x->a, &a) || !layout_eval(e, x->b, &b))
      return false;
    *out = expr_here(&e->env, layout_data_segment_align(e->y, a.v, b.v));
    return true;
  case EX_DATA_SEGMENT_RELRO_END:
    if (!layout_eval(e, x->a, &a) || (x->b && !layout_eval(e, x->b, &b)))
      return false;
    *out = expr_here(&e->env, layout_data_segment_relro_end(e->y, x->b ? a.v : 0, layout_address(e, x->b ? b : a)));
    return true;
  case EX_DATA_SEGMENT_END:
    if (!layout_eval(e, x->a, &a))
      return false;
    *out = expr_here(&e->env, layout_data_segment_end(e->y, layout_address(e, a)));
    return true;
  default:
    return false;
  }
}

LayoutEnv layout_env(Link *l) {
  return (LayoutEnv){.l = l,
                     .y = l->lay,
                     .env = {.sane = l->layout->sane_expr,
                             .base = env_base,
                             .dot = env_dot,
                             .symbol = env_symbol,
                             .defined = env_defined,
                             .section = env_section,
                             .constant = env_constant,
                             .segment = env_segment,
                             .error = env_error}};
}

bool layout_eval(LayoutEnv *e, const Expr *x, ExprValue *out) {
  e->env.ctx = e;
  e->env.osec = e->osec;
  return expr_eval(x, &e->env, out);
}

u64 layout_address(const LayoutEnv *e, ExprValue v) {
  return v.osec == EXPR_NUMBER ? v.v + (e->osec ? e->l->osecs.at[e->osec].addr : 0)
         : v.osec              ? v.v + e->l->osecs.at[v.osec].addr
                               : v.v;
}

bool layout_eval_address(LayoutEnv *e, const Expr *x, u64 *out) {
  ExprValue v;
  u32 osec = e->osec;
  e->osec = 0;
  bool ok = x && layout_eval(e, x, &v);
  e->osec = osec;
  if (ok)
    *out = v.osec == EXPR_NUMBER ? v.v : layout_address(e, v);
  return ok;
}

/* ---- assignments ---- */

/* `end`, `_end`, ...: what a program takes for its end (GNU ld: symbols behind it belong to the section before them). */
static bool is_end(const char *name) {
  while (*name == '_')
    name++;
  return streq(name, "end");
}

static void assign_symbol(LayoutEnv *e, const LayoutStmt *st, const char *name, u32 weld, ExprValue v) {
  Link *l = e->l;
  Layout *y = e->y;
  const WeldName *w = &l->weld_names.at[weld];
  if (w->sym == UINT32_MAX || key_file(l->syms.key[w->sym]) || key_rank(l->syms.key[w->sym]) == RANK_NONE)
    return; /* an object has it, or nobody asks for what is only provided */
  u32 winner = key_index(l->syms.key[w->sym]);
  if (winner >= y->nassigned || (w->kind == WELD_PROVIDE && winner != weld))
    return;
  Assigned *a = &y->assigned[winner];
  if (v.osec == EXPR_NUMBER)
    v.osec = e->osec;
  bool again = a->stamp == y->walk; /* a second assignment to it in this round */
  if (!again && y->ahead && (v.v != a->value.v || v.osec != a->value.osec))
    layout_note_moved(y, st, name);
  *a = (Assigned){.value = v, .stamp = y->walk, .place = l->norder, .next = y->prefer_next, .ended = y->ended};
  if (!l->syms.atom[w->sym]) /* else it is another name of what is there */
    l->syms.value[w->sym] = layout_address(e, v);
}

void layout_run_assignment(LayoutEnv *e, const LayoutStmt *st, u32 weld) {
  Layout *y = e->y;
  ExprValue v;
  if (st->flags & LAYOUT_PROVIDE && (weld == UINT32_MAX || !e->l->weld_names.at[weld].used))
    return; /* nobody asks for it: its expression may name what is not there */
  bool dot = streq(st->name, ".");
  e->own = dot ? NULL : st->name;
  bool ok = layout_eval(e, st->expr, &v);
  e->own = NULL;
  if (!ok)
    return;
  if (!dot) {
    y->ended |= !e->osec && is_end(st->name);
    if (weld != UINT32_MAX)
      assign_symbol(e, st, st->name, weld, v);
    return;
  }
  u64 to = layout_address(e, v);
  if (e->osec && to < y->dot) {
    if (y->final)
      script_report(e->l, DIAG_ERROR, SCRIPT_PLACE(st), "cannot move the location counter backwards in section %s (from 0x%llx to 0x%llx)",
                    diag_name(e->l->diag, e->l->osecs.at[e->osec].name), (unsigned long long)y->dot, (unsigned long long)to);
    return;
  }
  y->dot = to;
  y->prefer_next |= !e->osec && !st->overlay;
}

/* Where everything is known. */
void layout_run_assert(LayoutEnv *e, const LayoutStmt *st) {
  ExprValue v;
  if (e->y->final)
    layout_eval(e, st->expr, &v);
}

void layout_run_options(LayoutEnv *e) {
  Link *l = e->l;
  bool final = e->y->final;
  e->y->final = false; /* whoever gives them their value reports */
  for (u32 i = 0; i < e->y->nassigned; i++) {
    const WeldName *w = &l->weld_names.at[i];
    ExprValue v;
    if (w->expr && !w->stmt && w->used && layout_eval(e, w->expr, &v))
      assign_symbol(e, NULL, w->name, i, v);
  }
  e->y->final = final;
}

/* ---- sections of symbols ---- */

static bool holds_symbols(const Osec *o) { return (o->aflags & (ATOM_ALLOC | ATOM_TLS)) == ATOM_ALLOC; }

/* Where a symbol with the location counter's value belongs that was assigned between sections, when `place` of them were placed: GNU
 * ld takes the section before; the next one when `.` was assigned since, unless that stands behind the program's end. */
static u32 section_near(const Link *l, const Assigned *a) {
  u32 before = 0, behind = 0;
  for (u32 i = 0; i < l->norder && (i < a->place || !behind); i++) {
    u32 o = l->order[i];
    if (holds_symbols(&l->osecs.at[o]))
      *(i < a->place ? &before : &behind) = o;
  }
  return behind && (!before || (a->next && !a->ended)) ? behind : before;
}

/* The same of a symbol in a section that is not in the output: of its neighbours the one that is more like it, or in front of it. */
static u32 section_instead(const Link *l, const Assigned *a) {
  u32 before = 0, behind = 0;
  for (u32 i = 0; i < l->norder && (i < a->place || !behind); i++)
    if (l->osecs.at[l->order[i]].aflags & ATOM_ALLOC)
      *(i < a->place ? &before : &behind) = l->order[i];
  if (!before || !behind)
    return before | behind;
  const Osec *gone = &l->osecs.at[a->value.osec], *p = &l->osecs.at[before], *n = &l->osecs.at[behind];
  u32 differ = p->aflags ^ n->aflags, odd = n->aflags ^ (gone->natoms ? gone->aflags : ATOM_WRITE);
  if (differ & (ATOM_ALLOC | ATOM_TLS | ATOM_ZEROFILL))
    return odd & (ATOM_ALLOC | ATOM_TLS) || (n->aflags & ATOM_ZEROFILL && !(p->aflags & ATOM_ZEROFILL)) ? before : behind;
  if (differ & ATOM_WRITE)
    return odd & ATOM_WRITE ? before : behind;
  if (differ & ATOM_EXEC)
    return odd & ATOM_EXEC ? before : behind;
  return gone->addr + a->value.v < n->addr ? before : behind;
}

void layout_settle_symbols(Link *l) {
  const Layout *y = l->lay;
  for (u32 i = 0; i < y->nassigned; i++) {
    const Assigned *a = &y->assigned[i];
    WeldName *w = &l->weld_names.at[i];
    if (a->stamp != y->walk || l->syms.atom[w->sym])
      continue;
    u32 osec = a->value.osec;
    w->osec = !osec ? a->value.of_dot ? section_near(l, a) : 0 : l->osecs.at[osec].placed ? osec : section_instead(l, a);
    l->syms.value[w->sym] = a->value.v + (a->value.osec ? l->osecs.at[a->value.osec].addr : 0);
  }
}

u64 layout_value(Link *l, const Expr *x) {
  LayoutEnv e = layout_env(l);
  u64 v;
  return layout_eval_address(&e, x, &v) ? v : 0;
}
