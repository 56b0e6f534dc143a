/* layout_eval.c: what expressions of a layout can ask: symbols, sections, the location counter, segments; and what an assignment
 * does. The trap: rounds before the last may not know everything, so only the last one reports. */
#include "core/layout_internal.h"
#include "core/resolve.h"

static bool env_dot(void *ctx, ExprValue *out) {
  const LayoutEnv *e = ctx;
  *out = (ExprValue){e->y->dot, e->y->osec};
  return true;
}

static bool env_defined(void *ctx, const char *name) {
  const LayoutEnv *e = ctx;
  SymId s = sym_find(e->l, name, strlen(name));
  return s.i != UINT32_MAX && !(e->l->syms.flags[s.i] & SF_UNDEFINED);
}

static bool env_symbol(void *ctx, const char *name, ExprValue *out) {
  const LayoutEnv *e = ctx;
  const Link *l = e->l;
  SymId s = sym_find(l, name, strlen(name));
  *out = (ExprValue){0, 0};
  if (s.i == UINT32_MAX || l->syms.flags[s.i] & SF_UNDEFINED) {
    if (e->y->final)
      diag_error(l->diag, "undefined-symbol", "symbol '%s' in an expression is not defined", name);
    return !e->y->final;
  }
  u32 a = l->syms.atom[s.i];
  out->v = l->syms.value[s.i];
  if (a && !l->addressed) {
    out->osec = l->atoms.at[a].osec;
    out->v += l->atoms.addr[a] + l->osecs.at[out->osec].addr;
  } else if (!(l->syms.flags[s.i] & SF_ABSOLUTE)) {
    u32 osec = l->syms.flags[s.i] & SF_SYNTHETIC && !a ? l->weld_names.at[key_index(l->syms.key[s.i])].osec
                                                       : l->atoms.at[a].osec;
    out->osec = osec ? osec : e->y->osec;
  }
  return true;
}

static bool env_section(void *ctx, ExprOp what, const char *name, u64 *out) {
  const LayoutEnv *e = ctx;
  u32 o = layout_find_osec(e->l, name);
  *out = 0;
  if (!o)
    return true; /* GNU ld: SIZEOF of a section that does not exist is 0 */
  const Osec *s = &e->l->osecs.at[o];
  *out = what == EX_ADDR ? s->addr : what == EX_LOADADDR ? s->lma : what == EX_SIZEOF ? s->size : 1ull << s->p2align;
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

static bool env_segment(void *ctx, const Expr *x, ExprValue *out);
static void env_error(void *ctx, const Expr *at, const char *text) {
  const LayoutEnv *e = ctx;
  if (e->y->final)
    script_report(e->l, DIAG_ERROR, at ? SCRIPT_PLACE(at) : (ScriptPlace){0}, "%s", text);
}

bool layout_eval(LayoutEnv *e, const Expr *x, ExprValue *out) {
  const ExprEnv env = {.ctx = e, .dot = env_dot, .symbol = env_symbol, .defined = env_defined, .section = env_section,
                       .constant = env_constant, .segment = env_segment, .error = env_error};
  return expr_eval(x, &env, out);
}

/* SEGMENT_START: what -Ttext-segment and its like say. */
static u64 segment_start(const Options *o, const char *name, u64 otherwise) {
  if (streq(name, "text-segment") && o->has_image_base)
    return o->image_base;
  if (streq(name, "rodata-segment") && o->has_rodata_segment)
    return o->rodata_segment;
  if (streq(name, "ldata-segment") && o->has_ldata_segment)
    return o->ldata_segment;
  return otherwise;
}

static bool env_segment(void *ctx, const Expr *x, ExprValue *out) {
  LayoutEnv *e = ctx;
  const Options *o = e->l->opt;
  ExprValue a = {0}, b = {0};
  *out = (ExprValue){0};
  switch (x->op) {
  case EX_SIZEOF_HEADERS:
    e->l->wants_headers = true;
    out->v = e->l->header_size;
    return true;
  case EX_SEGMENT_START:
    if (!layout_eval(e, x->a, &a))
      return false;
    out->v = segment_start(o, x->name, a.v);
    return true;
  case EX_DATA_SEGMENT_ALIGN:
    if (!layout_eval(e, x->a, &a) || !layout_eval(e, x->b, &b))
      return false;
    out->v = layout_data_segment_align(e->y, a.v, b.v);
    return true;
  case EX_DATA_SEGMENT_RELRO_END:
    if (!layout_eval(e, x->a, &a) || (x->b && !layout_eval(e, x->b, &b)))
      return false;
    out->v = x->b ? layout_data_segment_relro_end(e->y, a.v, b.v) : layout_data_segment_relro_end(e->y, 0, a.v);
    return true;
  case EX_DATA_SEGMENT_END:
    if (!layout_eval(e, x->a, &a))
      return false;
    out->v = layout_data_segment_end(e->y, a.v);
    return true;
  default:
    return false;
  }
}

static void assign_symbol(Link *l, Layout *y, u32 weld, ExprValue v) {
  WeldName *w = &l->weld_names.at[weld];
  if (!w->used)
    return;
  l->syms.value[w->sym] = v.v;
  if (v.osec && y->final)
    w->osec = v.osec;
}

void layout_run_assignment(LayoutEnv *e, const LayoutStmt *st, u32 weld) {
  ExprValue v;
  if (!layout_eval(e, st->expr, &v))
    return;
  if (streq(st->name, "."))
    e->y->dot = v.v;
  else if (weld != UINT32_MAX)
    assign_symbol(e->l, e->y, weld, v);
}

u64 layout_value(Link *l, const Expr *x) {
  LayoutEnv e = {l, l->lay};
  ExprValue v;
  return layout_eval(&e, x, &v) ? v.v : 0;
}
