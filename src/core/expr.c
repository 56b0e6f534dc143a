/* expr.c: evaluates expression trees. Arithmetic is GNU ld's: 64 bits, wrapping; division and
 * remainder are signed, comparisons and shifts are not. The trap: a value is an address *and* the
 * section it belongs to. The section survives only next to a plain number: symbol + 4 moves with
 * its section, symbol - symbol does not (ldexp.c calls the latter "a plain number"). */
#include "core/expr.h"

static bool fail(const ExprEnv *env, const Expr *at, const char *text) {
  if (env->error)
    env->error(env->ctx, at, text);
  return false;
}

static bool number(u64 v, ExprValue *out) {
  *out = (ExprValue){v, 0};
  return true;
}

static bool eval_binary(const Expr *e, const ExprEnv *env, ExprValue a, ExprValue b,
                        ExprValue *out) {
  u64 x = a.v, y = b.v, v = 0;
  /* What + - * / % << >> & ^ | do with sections. */
  u32 osec = a.osec && b.osec ? 0 : a.osec | b.osec;
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
  case EX_MAX: *out = x >= y ? a : b; return true;
  case EX_MIN: *out = x <= y ? a : b; return true;
  case EX_ALIGN:
    osec = a.osec;
    if (y <= 1) {
      v = x;
    } else if (is_pow2(y)) {
      v = align_up(x, y);
    } else {
      u64 rest = x % y;
      v = rest ? x + (y - rest) : x;
    }
    break;
  default: return fail(env, e, "unknown operator");
  }
  *out = (ExprValue){v, osec};
  return true;
}

static u64 log2_ceil(u64 v) {
  return v <= 1 ? 0 : 64 - (u64)__builtin_clzll(v - 1);
}

bool expr_eval(const Expr *e, const ExprEnv *env, ExprValue *out) {
  ExprValue a, b;
  u64 v = 0;
  switch (e->op) {
  case EX_NUM: return number(e->num, out);
  case EX_DOT:
    return env->dot ? env->dot(env->ctx, out)
                    : fail(env, e, "the location counter is not allowed here");
  case EX_SYM:
    return env->symbol ? env->symbol(env->ctx, e->name, out)
                       : fail(env, e, "a symbol is not allowed here");
  case EX_DEFINED:
    if (!env->defined)
      return fail(env, e, "DEFINED() is not allowed here");
    return number(env->defined(env->ctx, e->name), out);

  case EX_NEG: return expr_eval(e->a, env, &a) && number(0 - a.v, out);
  case EX_NOT: return expr_eval(e->a, env, &a) && number(~a.v, out);
  case EX_LNOT: return expr_eval(e->a, env, &a) && number(!a.v, out);
  case EX_ABSOLUTE: return expr_eval(e->a, env, &a) && number(a.v, out);
  case EX_LOG2CEIL: return expr_eval(e->a, env, &a) && number(log2_ceil(a.v), out);

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
  case EX_MIN:
  case EX_ALIGN:
    return expr_eval(e->a, env, &a) && expr_eval(e->b, env, &b) && eval_binary(e, env, a, b, out);

  case EX_ADDR:
  case EX_LOADADDR:
  case EX_SIZEOF:
  case EX_ALIGNOF:
  case EX_ORIGIN:
  case EX_LENGTH:
    if (!env->section)
      return fail(env, e, "a section is not allowed here");
    return env->section(env->ctx, e->op, e->name, &v) && number(v, out);
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
    return out->v ? true : fail(env, e, e->name);
  }
  return fail(env, e, "unknown operator");
}
