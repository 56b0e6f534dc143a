/* expr.c: evaluates expression trees. Arithmetic is GNU ld's: 64 bits, wrapping; division and
 * remainder are signed, comparisons and shifts are not. The trap: operators see the numbers that values are, which in the body
 * of an output section are offsets; only where two sections meet do both sides become addresses (GNU ld manual, "Expression
 * Section"; outside of bodies a number is an address). */
#include "core/expr.h"

static bool fail(const ExprEnv *env, const Expr *at, const char *text) {
  if (env->error)
    env->error(env->ctx, at, text);
  return false;
}

static bool number(u64 v, ExprValue *out) {
  *out = (ExprValue){v, EXPR_NUMBER, false};
  return true;
}

u64 expr_address(const ExprEnv *env, ExprValue v) {
  return v.osec == EXPR_ADDRESS || v.osec == EXPR_NUMBER || !env->base ? v.v : v.v + env->base(env->ctx, v.osec);
}

ExprValue expr_here(const ExprEnv *env, u64 address) {
  if (!env->osec)
    return (ExprValue){address, EXPR_ADDRESS, true};
  return (ExprValue){env->base ? address - env->base(env->ctx, env->osec) : address, env->osec, false};
}

static ExprValue absolute(const ExprEnv *env, ExprValue v) {
  return (ExprValue){expr_address(env, v), EXPR_ADDRESS, false};
}

static u64 align_to(u64 v, u64 align) {
  if (align <= 1)
    return v;
  u64 rest = v % align;
  return rest ? v + (align - rest) : v;
}

static bool eval_binary(const Expr *e, const ExprEnv *env, ExprValue a, ExprValue b,
                        ExprValue *out) {
  bool same = a.osec == b.osec;
  if (!same && a.osec != EXPR_NUMBER && b.osec != EXPR_NUMBER) {
    a = absolute(env, a);
    b = absolute(env, b);
    same = true;
  }
  u64 x = a.v, y = b.v, v = 0;
  u32 osec = b.osec == EXPR_NUMBER ? a.osec : b.osec;
  /* What belongs to one section on both sides is a distance. */
  u32 result = !same ? osec : env->osec || env->sane ? EXPR_NUMBER : EXPR_ADDRESS;
  switch (e->op) {
  case EX_ADD: v = x + y; break;
  case EX_SUB: v = x - y; break;
  case EX_MUL: v = x * y; break;
  case EX_SHL: v = y < 64 ? x << y : 0; break;
  case EX_SHR: v = y < 64 ? x >> y : 0; break;
  case EX_AND: v = x & y; break;
  case EX_OR: v = x | y; break;
  case EX_XOR: v = x ^ y; break;
  case EX_DIV:
    if (!y)
      return fail(env, e, "division by zero");
    v = y == UINT64_MAX ? 0 - x : (u64)((i64)x / (i64)y);
    break;
  case EX_MOD:
    if (!y)
      return fail(env, e, "remainder of a division by zero");
    v = y == UINT64_MAX ? 0 : (u64)((i64)x % (i64)y);
    break;
  case EX_EQ: return number(x == y, out);
  case EX_NE: return number(x != y, out);
  case EX_LT: return number(x < y, out);
  case EX_LE: return number(x <= y, out);
  case EX_GT: return number(x > y, out);
  case EX_GE: return number(x >= y, out);
  case EX_MAX:
    v = MAX(x, y);
    result = osec;
    break;
  case EX_MIN:
    v = MIN(x, y);
    result = osec;
    break;
  case EX_ALIGN:
    v = align_to(x, y);
    result = osec;
    break;
  default: return fail(env, e, "unknown operator");
  }
  *out = (ExprValue){v, result, result == EXPR_ADDRESS && (a.of_dot || b.of_dot)};
  return true;
}

static bool eval_two(const Expr *e, const ExprEnv *env, ExprValue *out) {
  ExprValue a, b;
  return expr_eval(e->a, env, &a) && expr_eval(e->b, env, &b) && eval_binary(e, env, a, b, out);
}

static u64 log2_ceil(u64 v) {
  return v <= 1 ? 0 : 64 - (u64)__builtin_clzll(v - 1);
}

/* ALIGN(b), BLOCK(b), NEXT(a): of where the location counter is. */
static bool eval_dot_align(const Expr *e, const ExprEnv *env, ExprValue *out) {
  ExprValue a;
  u64 dot;
  if (!env->dot)
    return fail(env, e, "the location counter is not allowed here");
  if (!expr_eval(e->op == EX_NEXT ? e->a : e->b, env, &a) || !env->dot(env->ctx, &dot))
    return false;
  u64 v = align_to(dot, a.v);
  *out = e->op == EX_NEXT ? (ExprValue){v, EXPR_ADDRESS, false} : expr_here(env, v);
  return true;
}

static bool eval_unary(const Expr *e, const ExprEnv *env, ExprValue *out) {
  if (!expr_eval(e->a, env, out))
    return false;
  switch (e->op) { /* they leave the section as it is */
  case EX_NEG: out->v = 0 - out->v; break;
  case EX_NOT: out->v = ~out->v; break;
  case EX_LNOT: out->v = !out->v; break;
  case EX_LOG2CEIL: return number(log2_ceil(out->v), out);
  default: *out = absolute(env, *out); break;
  }
  return true;
}

bool expr_eval(const Expr *e, const ExprEnv *env, ExprValue *out) {
  ExprValue a, b;
  u64 v = 0;
  switch (e->op) {
  case EX_NUM:
    *out = (ExprValue){e->num, env->osec || env->sane ? EXPR_NUMBER : EXPR_ADDRESS, false};
    return true;
  case EX_DOT:
    if (!env->dot)
      return fail(env, e, "the location counter is not allowed here");
    if (!env->dot(env->ctx, &v))
      return false;
    *out = expr_here(env, v);
    return true;
  case EX_SYM:
    return env->symbol ? env->symbol(env->ctx, e, out)
                       : fail(env, e, "a symbol is not allowed here");
  case EX_DEFINED:
    if (!env->defined)
      return fail(env, e, "DEFINED() is not allowed here");
    return number(env->defined(env->ctx, e->name), out);

  case EX_NEG:
  case EX_NOT:
  case EX_LNOT:
  case EX_ABSOLUTE:
  case EX_LOG2CEIL: return eval_unary(e, env, out);

  case EX_LAND:
    if (!expr_eval(e->a, env, &a))
      return false;
    return a.v ? expr_eval(e->b, env, &b) && number(b.v != 0, out) : number(0, out);
  case EX_LOR:
    if (!expr_eval(e->a, env, &a))
      return false;
    return a.v ? number(1, out) : expr_eval(e->b, env, &b) && number(b.v != 0, out);
  case EX_COND: /* only the branch that is taken, so the other may name what does not exist */
    return expr_eval(e->a, env, &a) && expr_eval(a.v ? e->b : e->c, env, out);

  case EX_NEXT: return eval_dot_align(e, env, out);
  case EX_ALIGN: return e->a ? eval_two(e, env, out) : eval_dot_align(e, env, out);
  case EX_ADD:
  case EX_SUB:
  case EX_MUL:
  case EX_DIV:
  case EX_MOD:
  case EX_SHL:
  case EX_SHR:
  case EX_AND:
  case EX_OR:
  case EX_XOR:
  case EX_EQ:
  case EX_NE:
  case EX_LT:
  case EX_LE:
  case EX_GT:
  case EX_GE:
  case EX_MAX:
  case EX_MIN: return eval_two(e, env, out);

  case EX_ADDR:
  case EX_LOADADDR:
  case EX_SIZEOF:
  case EX_ALIGNOF:
  case EX_ORIGIN:
  case EX_LENGTH:
    return env->section ? env->section(env->ctx, e, out)
                        : fail(env, e, "a section is not allowed here");
  case EX_CONSTANT:
    if (!env->constant)
      return fail(env, e, "CONSTANT() is not allowed here");
    return env->constant(env->ctx, e->name, &v) && number(v, out);
  case EX_SIZEOF_HEADERS:
  case EX_SEGMENT_START:
  case EX_DATA_SEGMENT_ALIGN:
  case EX_DATA_SEGMENT_RELRO_END:
  case EX_DATA_SEGMENT_END:
    return env->segment ? env->segment(env->ctx, e, out)
                        : fail(env, e, "segments are not known here");

  case EX_ASSERT:
    if (!expr_eval(e->a, env, out))
      return false;
    if (!out->v)
      fail(env, e, e->name);
    return true; /* it has a value all the same, which `.` may get */
  }
  return fail(env, e, "unknown operator");
}
