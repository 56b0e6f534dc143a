/* expr.c: parses expressions with GNU ld's operators and precedence, C's but for assignment. The
 * trap: trees are walked recursively later, so the height of a tree is bounded here, not only the
 * nesting of its parentheses: 1+1+1+... grows to the left without any. */
#include "script/parser.h"

/* A tree and its height. After a syntax error the tree is some number, so that callers need not
 * ask. */
typedef struct {
  Expr *e;
  u32 height;
} Tree;

Expr *expr_make(Parser *p, const Tok *at, ExprOp op, const Expr *a, const Expr *b) {
  Expr *e = ARENA_NEW(p->a, Expr);
  /* The column counts bytes here: counting characters would make a long line quadratic. */
  *e = (Expr){.op = op,
              .a = a,
              .b = b,
              .file = at->src->name,
              .line = at->line,
              .col = at->begin - at->line_start + 1};
  return e;
}

static Tree tree_make(Parser *p, const Tok *at, ExprOp op, Tree a, Tree b) {
  u32 height = MAX(a.height, b.height) + 1;
  if (height > MAX_EXPR_HEIGHT)
    syntax_error(p, at, "the expression is too long");
  return (Tree){expr_make(p, at, op, a.e, b.e), height};
}

static Tree leaf(Expr *e) {
  return (Tree){e, 1};
}
static Tree nothing(Parser *p) {
  return leaf(ARENA_NEW(p->a, Expr));
}

static Tree parse_ternary(Parser *p);
static Tree parse_unary(Parser *p);

typedef enum {
  ARGS_SECTION,   /* ( output section ) */
  ARGS_NAME,      /* ( name ) */
  ARGS_ONE,       /* ( a ) */
  ARGS_TWO,       /* ( a, b ) */
  ARGS_ALIGN,     /* ( alignment ) or ( a, alignment ) */
  ARGS_DOT_ALIGN, /* ( alignment ) of the location counter */
  ARGS_SEGMENT,   /* ( name, a ) */
  ARGS_ASSERT,    /* ( a, "message" ) */
} Args;

/* The function that a word is; false: none. */
static bool function(Word w, ExprOp *op, Args *args) {
#define IS(o, a)                                                                                   \
  *op = (o);                                                                                       \
  *args = (a);                                                                                     \
  return true
  switch (w) {
  case W_ABSOLUTE: IS(EX_ABSOLUTE, ARGS_ONE);
  case W_ADDR: IS(EX_ADDR, ARGS_SECTION);
  case W_ALIGN: IS(EX_ALIGN, ARGS_ALIGN);
  case W_ALIGNOF: IS(EX_ALIGNOF, ARGS_SECTION);
  case W_ASSERT: IS(EX_ASSERT, ARGS_ASSERT);
  case W_BLOCK: IS(EX_ALIGN, ARGS_DOT_ALIGN);
  case W_NEXT: IS(EX_NEXT, ARGS_ONE);
  case W_CONSTANT: IS(EX_CONSTANT, ARGS_NAME);
  case W_DATA_SEGMENT_ALIGN: IS(EX_DATA_SEGMENT_ALIGN, ARGS_TWO);
  case W_DATA_SEGMENT_END: IS(EX_DATA_SEGMENT_END, ARGS_ONE);
  case W_DATA_SEGMENT_RELRO_END: IS(EX_DATA_SEGMENT_RELRO_END, ARGS_TWO);
  case W_DEFINED: IS(EX_DEFINED, ARGS_NAME);
  case W_LENGTH: IS(EX_LENGTH, ARGS_NAME);
  case W_LOADADDR: IS(EX_LOADADDR, ARGS_SECTION);
  case W_LOG2CEIL: IS(EX_LOG2CEIL, ARGS_ONE);
  case W_MAX: IS(EX_MAX, ARGS_TWO);
  case W_MIN: IS(EX_MIN, ARGS_TWO);
  case W_ORIGIN: IS(EX_ORIGIN, ARGS_NAME);
  case W_SEGMENT_START: IS(EX_SEGMENT_START, ARGS_SEGMENT);
  case W_SIZEOF: IS(EX_SIZEOF, ARGS_SECTION);
  default: return false;
  }
#undef IS
}

static Tree parse_call(Parser *p, const Tok *at, ExprOp op, Args args) {
  Tree none = {0}, a = none, b = none;
  const char *name = NULL;
  switch (args) {
  case ARGS_SECTION: name = expect_name(p, LEX_STMT, "the name of an output section"); break;
  case ARGS_NAME:
    name = expect_name(p, op == EX_DEFINED ? LEX_EXPR : LEX_STMT, "a name");
    if (op == EX_CONSTANT && name && !streq(name, "MAXPAGESIZE") && !streq(name, "COMMONPAGESIZE"))
      syntax_error(p, at, "unknown CONSTANT(%.60s)", name);
    break;
  case ARGS_ONE: a = parse_ternary(p); break;
  case ARGS_TWO:
    a = parse_ternary(p);
    expect(p, LEX_EXPR, P1(','));
    b = parse_ternary(p);
    break;
  case ARGS_ALIGN:
    b = parse_ternary(p);
    if (accept(p, LEX_EXPR, P1(','))) {
      a = b;
      b = parse_ternary(p);
      break;
    }
    break;
  case ARGS_DOT_ALIGN: b = parse_ternary(p); break;
  case ARGS_SEGMENT:
    name = expect_name(p, LEX_STMT, "the name of a segment");
    expect(p, LEX_EXPR, P1(','));
    a = parse_ternary(p);
    break;
  case ARGS_ASSERT:
    a = parse_ternary(p);
    expect(p, LEX_EXPR, P1(','));
    name = expect_name(p, LEX_EXPR, "a message");
    break;
  }
  expect(p, LEX_EXPR, P1(')'));
  Tree t = tree_make(p, at, op, a, b);
  t.e->name = name;
  return t;
}

/* NAME( where no operator can stand before the '(', only the type of an output section that NAME is the address of. */
static void unknown_function(Parser *p, const Tok *t) {
  Tok open = next(p, LEX_EXPR);
  const Tok *look = peek(p, LEX_EXPR);
  bool type = tok_punct(look, P1(')')) || look->word == W_NOLOAD || look->word == W_DSECT || look->word == W_COPY || look->word == W_INFO ||
              look->word == W_OVERLAY || look->word == W_READONLY || look->word == W_TYPE;
  unread(p, &open);
  if (type)
    return;
  static const char *const words[] = {"ABSOLUTE", "ADDR", "ALIGN", "ALIGNOF", "ASSERT", "BLOCK", "CONSTANT", "DATA_SEGMENT_ALIGN", "DATA_SEGMENT_END",
                                      "DATA_SEGMENT_RELRO_END", "DEFINED", "LENGTH", "LOADADDR", "LOG2CEIL", "MAX", "MIN", "NEXT", "ORIGIN",
                                      "SEGMENT_START", "SIZEOF"};
  Near n = near_to(tok_str(p, t));
  for (u32 i = 0; i < COUNT_OF(words); i++)
    near_try(&n, words[i]);
  if (n.best)
    syntax_error(p, t, "unknown function '%.*s'%s", (int)MIN(t->len, 60u), (const char *)t->p, near_hint(p, &n));
}

static Tree parse_name(Parser *p, const Tok *t) {
  if (t->kind == TOK_NAME) {
    if (t->len == 1 && *t->p == '.')
      return leaf(expr_make(p, t, EX_DOT, NULL, NULL));
    ExprOp op = EX_NUM;
    Args args = ARGS_ONE;
    if (t->word == W_SIZEOF_HEADERS || t->word == W_sizeof_headers)
      return leaf(expr_make(p, t, EX_SIZEOF_HEADERS, NULL, NULL));
    if (function(t->word, &op, &args) && accept(p, LEX_EXPR, P1('(')))
      return parse_call(p, t, op, args);
    if (!t->word && tok_punct(peek(p, LEX_EXPR), P1('('))) {
      if (tok_is(t, "org") || tok_is(t, "len") || tok_is(t, "o") || tok_is(t, "l")) {
        next(p, LEX_EXPR);
        return parse_call(p, t, *t->p == 'o' ? EX_ORIGIN : EX_LENGTH, ARGS_NAME);
      }
      unknown_function(p, t);
    }
  }
  Expr *e = expr_make(p, t, EX_SYM, NULL, NULL);
  e->name = tok_str(p, t);
  return leaf(e);
}

static Tree parse_operand(Parser *p) {
  const Tok *look = peek(p, LEX_EXPR);
  if (look->kind == TOK_EOF) {
    expected(p, LEX_EXPR, "an expression");
    return nothing(p);
  }
  Tok t = next(p, LEX_EXPR);
  switch (t.kind) {
  case TOK_NUMBER: {
    Expr *e = expr_make(p, &t, EX_NUM, NULL, NULL);
    e->num = t.num;
    u8 last = t.p[t.len - 1] | 0x20;
    bool hex_digits = t.len > 2 && (t.p[1] | 0x20) == 'x' && last != 'k' && last != 'm';
    if (t.punct && p->long_numbers && hex_digits)
      p->too_long = t;
    else if (t.punct)
      syntax_error(p, &t, "the number does not fit in 64 bits");
    if (p->long_numbers && hex_digits) {
      p->hex = t;
      p->hex_expr = e;
    }
    return leaf(e);
  }
  case TOK_NAME:
  case TOK_QUOTED: return parse_name(p, &t);
  case TOK_PUNCT: {
    ExprOp op;
    switch (t.punct) {
    case P1('('): {
      Tree in = parse_ternary(p);
      expect(p, LEX_EXPR, P1(')'));
      return in;
    }
    case P1('+'): return parse_unary(p);
    case P1('-'): op = EX_NEG; break;
    case P1('~'): op = EX_NOT; break;
    case P1('!'): op = EX_LNOT; break;
    default:
      syntax_error(p, &t, "expected an expression, found '%.*s'", (int)t.len, (const char *)t.p);
      return nothing(p);
    }
    return tree_make(p, &t, op, parse_unary(p), (Tree){0});
  }
  case TOK_EOF: break;
  }
  return nothing(p);
}

static Tree parse_unary(Parser *p) {
  Tree t = nothing(p);
  if (enter(p))
    t = parse_operand(p);
  leave(p);
  return t;
}

/* Binding strength of binary operators; 0: not one. */
static u32 precedence(const Tok *t, ExprOp *op) {
#define IS(o, strength)                                                                            \
  *op = (o);                                                                                       \
  return (strength)
  if (t->kind == TOK_PUNCT)
    switch (t->punct) {
    case P2('|', '|'): IS(EX_LOR, 1);
    case P2('&', '&'): IS(EX_LAND, 2);
    case P1('|'): IS(EX_OR, 3);
    case P1('^'): IS(EX_XOR, 4);
    case P1('&'): IS(EX_AND, 5);
    case P2('=', '='): IS(EX_EQ, 6);
    case P2('!', '='): IS(EX_NE, 6);
    case P1('<'): IS(EX_LT, 7);
    case P1('>'): IS(EX_GT, 7);
    case P2('<', '='): IS(EX_LE, 7);
    case P2('>', '='): IS(EX_GE, 7);
    case P2('<', '<'): IS(EX_SHL, 8);
    case P2('>', '>'): IS(EX_SHR, 8);
    case P1('+'): IS(EX_ADD, 9);
    case P1('-'): IS(EX_SUB, 9);
    case P1('*'): IS(EX_MUL, 10);
    case P1('/'): IS(EX_DIV, 10);
    case P1('%'): IS(EX_MOD, 10);
    default: break;
    }
#undef IS
  return 0;
}

static Tree parse_binary(Parser *p, u32 least) {
  Tree a = parse_unary(p);
  for (;;) {
    ExprOp op = EX_NUM;
    u32 strength = precedence(peek(p, LEX_EXPR), &op);
    if (!strength || strength < least)
      return a;
    Tok t = next(p, LEX_EXPR);
    Tree b = parse_binary(p, strength + 1);
    a = tree_make(p, &t, op, a, b);
  }
}

static Tree parse_ternary(Parser *p) {
  Tree t = nothing(p);
  if (enter(p)) {
    t = parse_binary(p, 1);
    if (tok_punct(peek(p, LEX_EXPR), P1('?'))) {
      Tok at = next(p, LEX_EXPR);
      Tree yes = parse_ternary(p);
      expect(p, LEX_EXPR, P1(':'));
      Tree no = parse_ternary(p);
      yes.height = MAX(yes.height, no.height);
      t = tree_make(p, &at, EX_COND, t, yes);
      t.e->c = no.e;
    }
  }
  leave(p);
  return t;
}

const Expr *parse_expr(Parser *p) {
  Tree t = parse_ternary(p);
  return p->failed ? NULL : t.e;
}

const Expr *parse_assert(Parser *p) {
  Tree t = parse_unary(p);
  return p->failed ? NULL : t.e;
}

const Expr *parse_paren_expr(Parser *p) {
  if (!expect(p, LEX_EXPR, P1('(')))
    return NULL;
  const Expr *e = parse_expr(p);
  return expect(p, LEX_EXPR, P1(')')) ? e : NULL;
}

static u8 hex(u8 c) {
  return (u8)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* GNU ld manual, "Output Section Fill": a hex number alone may have any length, and its leading
 * zeros count; anything else is an expression of four bytes. */
LayoutFill parse_fill(Parser *p) {
  p->long_numbers = true;
  p->hex = p->too_long = (Tok){0};
  p->hex_expr = NULL;
  const Expr *e = parse_expr(p);
  p->long_numbers = false;
  Tok t = p->hex;
  if (!e || e != p->hex_expr) {
    if (p->too_long.kind == TOK_NUMBER)
      syntax_error(p, &p->too_long, "the number does not fit in 64 bits");
    return (LayoutFill){.expr = e};
  }
  u32 digits = t.len - 2;
  LayoutFill f = {.n = (digits + 1) / 2};
  u8 *bytes = ARENA_ARRAY(p->a, u8, f.n);
  for (u32 i = 0; i < digits; i++) {
    u32 at = i + (digits & 1);
    bytes[at / 2] = (u8)(bytes[at / 2] << 4 | hex(t.p[2 + i]));
  }
  f.bytes = bytes;
  return f;
}

const Expr *script_parse_expr(Arena *a, Diag *d, const char *origin, const char *text) {
  Parser p;
  parser_init(&p, a, d, "expression");
  if (!parser_push(&p, origin, (Bytes){(const u8 *)text, strlen(text)}))
    return NULL;
  const Expr *e = parse_expr(&p);
  if (peek(&p, LEX_EXPR)->kind != TOK_EOF)
    expected(&p, LEX_EXPR, "an operator");
  return p.bad ? NULL : e;
}
