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

static const struct {
  const char *word;
  ExprOp op;
  Args args;
} functions[] = {
    {"ABSOLUTE", EX_ABSOLUTE, ARGS_ONE},
    {"ADDR", EX_ADDR, ARGS_SECTION},
    {"ALIGN", EX_ALIGN, ARGS_ALIGN},
    {"ALIGNOF", EX_ALIGNOF, ARGS_SECTION},
    {"ASSERT", EX_ASSERT, ARGS_ASSERT},
    {"BLOCK", EX_ALIGN, ARGS_DOT_ALIGN},
    {"CONSTANT", EX_CONSTANT, ARGS_NAME},
    {"DATA_SEGMENT_ALIGN", EX_DATA_SEGMENT_ALIGN, ARGS_TWO},
    {"DATA_SEGMENT_END", EX_DATA_SEGMENT_END, ARGS_ONE},
    {"DATA_SEGMENT_RELRO_END", EX_DATA_SEGMENT_RELRO_END, ARGS_TWO},
    {"DEFINED", EX_DEFINED, ARGS_NAME},
    {"LENGTH", EX_LENGTH, ARGS_NAME},
    {"LOADADDR", EX_LOADADDR, ARGS_SECTION},
    {"LOG2CEIL", EX_LOG2CEIL, ARGS_ONE},
    {"MAX", EX_MAX, ARGS_TWO},
    {"MIN", EX_MIN, ARGS_TWO},
    {"NEXT", EX_NEXT, ARGS_ONE},
    {"ORIGIN", EX_ORIGIN, ARGS_NAME},
    {"SEGMENT_START", EX_SEGMENT_START, ARGS_SEGMENT},
    {"SIZEOF", EX_SIZEOF, ARGS_SECTION},
    {"org", EX_ORIGIN, ARGS_NAME},
    {"len", EX_LENGTH, ARGS_NAME},
};

static Tree parse_call(Parser *p, const Tok *at, ExprOp op, Args args) {
  Tree none = {0}, a = none, b = none;
  const char *name = NULL;
  switch (args) {
  case ARGS_SECTION: name = expect_name(p, LEX_STMT, "the name of an output section"); break;
  case ARGS_NAME:
    name = expect_name(p, op == EX_DEFINED ? LEX_EXPR : LEX_STMT, "a name");
    if (op == EX_CONSTANT && name && !streq(name, "MAXPAGESIZE") && !streq(name, "COMMONPAGESIZE"))
      syntax_error(p, at, "unknown CONSTANT(%.60s)", name);
    if (op == EX_ORIGIN || op == EX_LENGTH)
      unsupported(p, at, op == EX_ORIGIN ? "ORIGIN" : "LENGTH");
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

static Tree parse_name(Parser *p, const Tok *t) {
  if (t->kind == TOK_NAME) {
    if (tok_is(t, "."))
      return leaf(expr_make(p, t, EX_DOT, NULL, NULL));
    if (tok_is(t, "SIZEOF_HEADERS") || tok_is(t, "sizeof_headers"))
      return leaf(expr_make(p, t, EX_SIZEOF_HEADERS, NULL, NULL));
    if (tok_punct(peek(p, LEX_EXPR), P1('(')))
      for (u32 i = 0; i < COUNT_OF(functions); i++)
        if (tok_is(t, functions[i].word)) {
          next(p, LEX_EXPR);
          return parse_call(p, t, functions[i].op, functions[i].args);
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
    if (t.punct)
      syntax_error(p, &t, "the number does not fit in 64 bits");
    Expr *e = expr_make(p, &t, EX_NUM, NULL, NULL);
    e->num = t.num;
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
  static const struct {
    u32 punct, strength;
    ExprOp op;
  } rows[] = {
      {P2('|', '|'), 1, EX_LOR}, {P2('&', '&'), 2, EX_LAND}, {P1('|'), 3, EX_OR},
      {P1('^'), 4, EX_XOR},      {P1('&'), 5, EX_AND},       {P2('=', '='), 6, EX_EQ},
      {P2('!', '='), 6, EX_NE},  {P1('<'), 7, EX_LT},        {P1('>'), 7, EX_GT},
      {P2('<', '='), 7, EX_LE},  {P2('>', '='), 7, EX_GE},   {P2('<', '<'), 8, EX_SHL},
      {P2('>', '>'), 8, EX_SHR}, {P1('+'), 9, EX_ADD},       {P1('-'), 9, EX_SUB},
      {P1('*'), 10, EX_MUL},     {P1('/'), 10, EX_DIV},      {P1('%'), 10, EX_MOD},
  };
  if (t->kind == TOK_PUNCT)
    for (u32 i = 0; i < COUNT_OF(rows); i++)
      if (rows[i].punct == t->punct) {
        *op = rows[i].op;
        return rows[i].strength;
      }
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

/* GNU ld manual, "Output Section Fill": a plain hex number may have any length, and its leading
 * zeros count; anything else is an expression of four bytes. */
LayoutFill parse_fill(Parser *p) {
  const Tok *look = peek(p, LEX_EXPR);
  bool plain = look->kind == TOK_NUMBER && look->len > 2 && (look->p[1] | 0x20) == 'x';
  u8 last = plain ? look->p[look->len - 1] | 0x20 : 0;
  if (!plain || last == 'k' || last == 'm')
    return (LayoutFill){.expr = parse_expr(p)};

  Tok t = next(p, LEX_EXPR);
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
