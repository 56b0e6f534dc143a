/* expr.h: expressions of --defsym and of layout descriptions, as a plain tree (script/ parses text to
 * it; default layouts are static const trees). core/expr.c evaluates it against an ExprEnv. */
#ifndef WELD_CORE_EXPR_H
#define WELD_CORE_EXPR_H

#include "util/base.h"

typedef enum {
  EX_NUM,   /* num */
  EX_DOT,   /* . */
  EX_SYM,   /* name */
  EX_NEG, EX_NOT, EX_LNOT,                                  /* a */
  EX_ADD, EX_SUB, EX_MUL, EX_DIV, EX_MOD, EX_SHL, EX_SHR,   /* a, b */
  EX_AND, EX_OR, EX_XOR, EX_LAND, EX_LOR,
  EX_EQ, EX_NE, EX_LT, EX_LE, EX_GT, EX_GE,
  EX_COND,  /* a ? b : c */
  EX_ALIGN, /* a: value, b: alignment. a == NULL: ALIGN(b), of the location counter's address */
  EX_NEXT,  /* a: alignment of the location counter's address; absolute */
  EX_MAX, EX_MIN, EX_LOG2CEIL, EX_ABSOLUTE,
  EX_ADDR, EX_LOADADDR, EX_SIZEOF, EX_ALIGNOF,              /* name: an output section */
  EX_SIZEOF_HEADERS,
  EX_CONSTANT,      /* name: MAXPAGESIZE or COMMONPAGESIZE */
  EX_DEFINED,       /* name */
  EX_SEGMENT_START, /* name, a: the default */
  EX_DATA_SEGMENT_ALIGN,     /* a: maxpagesize, b: commonpagesize */
  EX_DATA_SEGMENT_RELRO_END, /* a: offset, b: address */
  EX_DATA_SEGMENT_END,       /* a */
  EX_ASSERT,        /* a, name: message */
  EX_ORIGIN, EX_LENGTH, /* name: a MEMORY region */
} ExprOp;

typedef struct Expr {
  ExprOp op;
  u32 line; /* in the script, 0: none */
  u64 num;
  const char *name;
  const struct Expr *a, *b, *c;
  const char *file; /* where it was written: file, line, col; NULL in static trees */
  u32 col;
} Expr;

/* A value is relative to `osec`: an offset in that output section, an address, or just a number, which takes whatever section stands
 * beside it (GNU ld manual, "Expression Section"). */
enum { EXPR_ADDRESS = 0, EXPR_NUMBER = UINT32_MAX };
typedef struct {
  u64 v;
  u32 osec;    /* OsecId, EXPR_ADDRESS or EXPR_NUMBER */
  bool of_dot; /* an address that came from the location counter: a symbol with it belongs to a section near by */
} ExprValue;

/* What an expression can ask of its surroundings. Each returns false when it can't say (after it
 * reported why); a NULL hook is an error "not allowed here". */
typedef struct ExprEnv {
  void *ctx;
  bool sane; /* LD_FEATURE("SANE_EXPR") */
  u32 osec; /* the output section whose body the expression stands in; 0: none, where numbers are addresses */
  u64 (*base)(void *ctx, u32 osec);      /* address of an output section; NULL: all of them are at 0 */
  bool (*dot)(void *ctx, u64 *address);
  bool (*symbol)(void *ctx, const Expr *e, ExprValue *out);
  bool (*defined)(void *ctx, const char *name);
  bool (*section)(void *ctx, const Expr *e, ExprValue *out); /* ADDR, LOADADDR, SIZEOF, ALIGNOF; ORIGIN, LENGTH of a region */
  bool (*constant)(void *ctx, const char *name, u64 *out);
  bool (*segment)(void *ctx, const Expr *e, ExprValue *out); /* SEGMENT_START, DATA_SEGMENT_*, SIZEOF_HEADERS */
  void (*error)(void *ctx, const Expr *at, const char *text);
} ExprEnv;

/* Signed 64-bit arithmetic as GNU ld does it; division by zero is an error. */
bool expr_eval(const Expr *e, const ExprEnv *env, ExprValue *out);
/* The address that a value is: of a number that address, of an offset the section's address more. */
u64 expr_address(const ExprEnv *env, ExprValue v);
/* The value of an address where the expression stands: in a body an offset in its section. */
ExprValue expr_here(const ExprEnv *env, u64 address);

#endif
