/* sections.c: SECTIONS { }: output sections and what stands in them -> LayoutStmt arrays. GNU ld manual, "SECTIONS Command". The trap:
 * patterns and statements of a body are two arrays. A statement says before which pattern it stands, so the order between them
 * survives. */
#include <stdio.h>
#include <stdlib.h>

#include "core/weld_version.h"
#include "script/parser.h"

/* ---- assignments ---- */

static bool assign_op(const Tok *t, ExprOp *op, bool *compound) {
  *compound = true;
  if (t->kind == TOK_PUNCT)
    switch (t->punct) {
    case P1('='): *compound = false; return true;
    case P2('+', '='): *op = EX_ADD; return true;
    case P2('-', '='): *op = EX_SUB; return true;
    case P2('*', '='): *op = EX_MUL; return true;
    case P2('/', '='): *op = EX_DIV; return true;
    case P2('&', '='): *op = EX_AND; return true;
    case P2('|', '='): *op = EX_OR; return true;
    case P2('^', '='): *op = EX_XOR; return true;
    case P3('<', '<', '='): *op = EX_SHL; return true;
    case P3('>', '>', '='): *op = EX_SHR; return true;
    default: break;
    }
  return false;
}

static LayoutStmt stmt_at(const Tok *t, LayoutKind kind) {
  return (LayoutStmt){.kind = kind, .file = t->src->name, .line = t->line, .col = t->begin - t->line_start + 1};
}

/* Behind a statement; the last one of a { } may go without, as behind PROVIDE() and ASSERT(). */
static void expect_semicolon(Parser *p) {
  if (!accept(p, LEX_EXPR, P1(',')))
    expect(p, LEX_EXPR, P1(';'));
}

/* SYM op= expr, the name taken. */
static bool parse_value(Parser *p, const Tok *name, LexMode m, LayoutStmt *st) {
  ExprOp op = EX_NUM;
  bool compound;
  if (!assign_op(peek(p, m), &op, &compound))
    return false;
  Tok at = next(p, m);
  *st = stmt_at(name, LAYOUT_ASSIGN);
  st->name = tok_str(p, name);
  const Expr *value = parse_expr(p);
  if (compound && value) {
    bool dot = streq(st->name, ".");
    Expr *old = expr_make(p, name, dot ? EX_DOT : EX_SYM, NULL, NULL);
    old->name = st->name;
    value = expr_make(p, &at, op, old, value);
  }
  st->expr = value;
  return true;
}

bool parse_assignment(Parser *p, const Tok *t, LexMode m, LayoutStmt *st) {
  u32 flags = t->word == W_PROVIDE          ? LAYOUT_PROVIDE
              : t->word == W_HIDDEN         ? LAYOUT_HIDDEN
              : t->word == W_PROVIDE_HIDDEN ? LAYOUT_PROVIDE | LAYOUT_HIDDEN
                                            : 0;
  if (flags && accept(p, m, P1('('))) {
    Tok name = *peek(p, LEX_STMT);
    if (!expect_name(p, LEX_STMT, "a symbol"))
      return true;
    if (!parse_value(p, &name, LEX_STMT, st))
      expected(p, LEX_STMT, "'='");
    expect(p, LEX_EXPR, P1(')'));
    st->flags = flags;
    if (!p->failed && tok_is(&name, "."))
      report(p, &name, "'.' can't be provided or hidden");
    return true;
  }
  if (t->word == W_ASSERT && tok_punct(peek(p, m), P1('('))) {
    unread(p, t);
    *st = stmt_at(t, LAYOUT_ASSERT);
    st->expr = parse_assert(p);
    st->name = st->expr ? st->expr->name : NULL;
    return true;
  }
  if (!parse_value(p, t, m, st))
    return false;
  expect_semicolon(p);
  return true;
}

/* ---- bodies ---- */

static u32 data_size(const Tok *t) {
  switch (t->word) {
  case W_BYTE: return 1;
  case W_SHORT: return 2;
  case W_LONG: return 4;
  case W_QUAD:
  case W_SQUAD: return 8;
  default: return 0;
  }
}

/* \n \r \t, three octal digits; a backslash before anything else stands for that. */
static u32 unescape(const Tok *t, char *out) {
  u32 n = 0;
  for (u32 i = 0; i < t->len; i++) {
    u8 c = t->p[i];
    if (c != '\\' || i + 1 == t->len) {
      out[n++] = (char)c;
      continue;
    }
    c = t->p[++i];
    if (c >= '0' && c <= '7') {
      u32 v = c - '0';
      for (u32 k = 1; k < 3 && i + 1 < t->len && t->p[i + 1] >= '0' && t->p[i + 1] <= '7'; k++)
        v = v * 8 + (t->p[++i] - '0');
      out[n++] = (char)v;
    } else {
      out[n++] = c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : (char)c;
    }
  }
  return n;
}

/* ASCIZ "text"; ASCII (size) "text": of that size, its last byte zero. The word was taken. GNU ld manual, "Output Section Data". */
static void parse_string(Parser *p, const Tok *word, LayoutStmt *st) {
  ExprValue size = {0};
  Tok at = *peek(p, LEX_PATTERN);
  bool sized = word->word == W_ASCII && tok_punct(&at, P1('('));
  if (sized) {
    const Expr *e = parse_paren_expr(p);
    const ExprEnv none = {0};
    if (e && (!expr_eval(e, &none, &size) || size.v > MAX_STRING))
      report(p, &at, "the size of ASCII must be a plain number up to %d", MAX_STRING);
    if (size.v > MAX_STRING)
      size.v = 0;
  }
  Tok t = *peek(p, LEX_PATTERN);
  if (!expect_name(p, LEX_PATTERN, "a string"))
    return;
  *st = stmt_at(word, LAYOUT_STRING);
  char *s = arena_alloc(p->a, MAX((u64)t.len + 1, size.v), 1);
  u32 n = unescape(&t, s);
  if (sized && n >= size.v && size.v) {
    if (n > size.v - 1)
      warn(p, &t, "the string has %u bytes and is cut to %u and a zero byte", n, (u32)size.v - 1);
    memset(s + size.v - 1, 0, n - (u32)(size.v - 1));
  }
  st->name = s;
  st->data_size = sized ? (u32)size.v : n + (word->word == W_ASCIZ);
}

static void add_body(Parser *p, const LayoutStmt *st) {
  LayoutStmt *to = vec_push(&p->body);
  *to = *st;
  to->before = p->patterns.n;
}

static void parse_body_item(Parser *p) {
  const Tok *look = peek(p, LEX_PATTERN);
  if (look->kind != TOK_NAME && look->kind != TOK_QUOTED) {
    expected(p, LEX_PATTERN, "an input section, a statement or '}'");
    return;
  }
  Tok t = next(p, LEX_PATTERN);
  LayoutStmt st = {0};
  switch (t.word) {
  case W_BYTE:
  case W_SHORT:
  case W_LONG:
  case W_QUAD:
  case W_SQUAD:
    if (!tok_punct(peek(p, LEX_PATTERN), P1('(')))
      break;
    st = stmt_at(&t, LAYOUT_DATA);
    st.data_size = data_size(&t);
    st.expr = parse_paren_expr(p);
    add_body(p, &st);
    return;
  case W_FILL:
    if (!accept(p, LEX_PATTERN, P1('(')))
      break;
    st = stmt_at(&t, LAYOUT_FILL);
    st.fill = parse_fill(p);
    expect(p, LEX_EXPR, P1(')'));
    add_body(p, &st);
    return;
  case W_ASCII:
  case W_ASCIZ:
    look = peek(p, LEX_PATTERN);
    if (look->kind != TOK_QUOTED && look->kind != TOK_NAME && !(t.word == W_ASCII && tok_punct(look, P1('('))))
      break;
    parse_string(p, &t, &st);
    if (!p->failed)
      add_body(p, &st);
    return;
  case W_LINKER_VERSION:
    if (p->out->linker_version) {
      st = stmt_at(&t, LAYOUT_STRING);
      st.name = WELD_VERSION_LINE;
      st.data_size = sizeof WELD_VERSION_LINE;
      add_body(p, &st);
    }
    return;
  case W_INCLUDE: parse_include(p); return;
  case W_CONSTRUCTORS:
  case W_CREATE_OBJECT_SYMBOLS: return; /* for formats with set vectors (a.out): nothing to do in ELF */
  case W_KEEP:
    if (accept(p, LEX_PATTERN, P1('('))) {
      Tok first = next(p, LEX_PATTERN);
      parse_input(p, &first, true);
      expect(p, LEX_PATTERN, P1(')'));
      return;
    }
    break;
  case W_CLASS:
    if (tok_punct(peek(p, LEX_PATTERN), P1('('))) {
      syntax_error(p, &t, "CLASS is not supported");
      return;
    }
    break;
  default: break;
  }
  if (parse_assignment(p, &t, LEX_PATTERN, &st))
    add_body(p, &st);
  else
    parse_input(p, &t, false);
}

/* { ... } into the statement. */
static void parse_body(Parser *p, LayoutStmt *out) {
  p->patterns.n = p->body.n = 0;
  expect(p, LEX_PATTERN, P1('{'));
  while (!p->failed && !accept(p, LEX_PATTERN, P1('}'))) {
    if (!accept(p, LEX_PATTERN, P1(';')) && !accept(p, LEX_PATTERN, P1(',')))
      parse_body_item(p);
  }
  u32 n = p->patterns.n;
  LayoutPattern *patterns = ARENA_ARRAY(p->a, LayoutPattern, (u64)n + 1);
  if (n)
    memcpy(patterns, p->patterns.at, n * sizeof *patterns);
  out->patterns = patterns;
  out->npatterns = n;
  if (p->body.n) {
    LayoutStmt *body = ARENA_ARRAY(p->a, LayoutStmt, (u64)p->body.n + 1);
    memcpy(body, p->body.at, p->body.n * sizeof *body);
    body[p->body.n].kind = LAYOUT_ORPHANS;
    out->body = body;
  }
}

/* ---- output sections ---- */

/* TYPE = SHT_PROGBITS, or an expression; the word was taken. */
static void parse_type_number(Parser *p, LayoutStmt *st) {
  expect(p, LEX_EXPR, P1('='));
  Tok t = *peek(p, LEX_EXPR);
  const ElfName *known = elf_name("SHT", &t);
  if (known) {
    next(p, LEX_EXPR);
    Expr *e = expr_make(p, &t, EX_NUM, NULL, NULL);
    e->num = known->number;
    st->type = e;
    return;
  }
  if (t.kind == TOK_NAME && t.len > 4 && !memcmp(t.p, "SHT_", 4)) {
    report(p, &t, "unknown section type '%.*s'%s", (int)MIN(t.len, 40u), (const char *)t.p, elf_name_near(p, "SHT", &t));
    next(p, LEX_EXPR);
    return;
  }
  st->type = parse_expr(p);
}

/* NOLOAD, READONLY, TYPE = x, ... : false when the next token is none of these. */
static bool parse_type(Parser *p, LayoutStmt *st) {
  const Tok *look = peek(p, LEX_EXPR);
  switch (look->word) {
  case W_NOLOAD: st->flags |= LAYOUT_NOLOAD; break;
  case W_DSECT:
  case W_COPY:
  case W_INFO:
  case W_OVERLAY: st->flags |= LAYOUT_NOALLOC; break;
  case W_READONLY:
    next(p, LEX_EXPR);
    st->flags |= LAYOUT_READONLY;
    if (accept(p, LEX_EXPR, P1('('))) {
      if (accept_word(p, LEX_EXPR, W_TYPE))
        parse_type_number(p, st);
      else
        expected(p, LEX_EXPR, "TYPE");
      expect(p, LEX_EXPR, P1(')'));
    }
    return true;
  case W_TYPE:
    next(p, LEX_EXPR);
    parse_type_number(p, st);
    return true;
  default: return false;
  }
  next(p, LEX_EXPR);
  return true;
}

/* ( type ) or (): false, with nothing taken, when the parenthesis holds something else. */
static bool parse_paren_type(Parser *p, LayoutStmt *st) {
  if (!tok_punct(peek(p, LEX_EXPR), P1('(')))
    return false;
  Tok open = next(p, LEX_EXPR);
  if (accept(p, LEX_EXPR, P1(')')))
    return true;
  if (parse_type(p, st)) {
    expect(p, LEX_EXPR, P1(')'));
    return true;
  }
  unread(p, &open);
  return false;
}

/* [address] [(type)] : */
static void parse_address(Parser *p, LayoutStmt *st) {
  if (accept(p, LEX_STMT, P1(':')))
    return;
  if (!parse_paren_type(p, st) && !tok_punct(peek(p, LEX_STMT), P1('{'))) {
    if (peek(p, LEX_STMT)->word == W_BIND) {
      next(p, LEX_STMT);
      st->expr = parse_paren_expr(p);
      if (accept_word(p, LEX_STMT, W_BLOCK)) /* of the linker of System V: GNU ld reads over it */
        parse_paren_expr(p);
    } else {
      st->expr = parse_expr(p);
    }
    parse_paren_type(p, st);
  }
  expect(p, LEX_STMT, P1(':'));
}

/* AT ALIGN SUBALIGN ALIGN_WITH_INPUT ONLY_IF_RO ..., up to the '{'. */
static void parse_attributes(Parser *p, LayoutStmt *st) {
  while (!p->failed && peek(p, LEX_STMT)->kind == TOK_NAME) {
    Tok t = next(p, LEX_STMT);
    switch (t.word) {
    case W_AT: st->lma = parse_paren_expr(p); break;
    case W_ALIGN: st->align = parse_paren_expr(p); break;
    case W_SUBALIGN: st->subalign = parse_paren_expr(p); break;
    case W_ALIGN_WITH_INPUT: st->flags |= LAYOUT_ALIGN_WITH_INPUT; break;
    case W_ONLY_IF_RO: st->flags |= LAYOUT_ONLY_IF_RO; break;
    case W_ONLY_IF_RW: st->flags |= LAYOUT_ONLY_IF_RW; break;
    case W_SPECIAL: break; /* of emulations that weld does not have */
    default:
      unread(p, &t);
      expected(p, LEX_STMT, "'{' or an attribute of the output section");
    }
  }
  if (st->flags & LAYOUT_ALIGN_WITH_INPUT && st->align && !p->failed)
    report(p, peek(p, LEX_STMT), "ALIGN and ALIGN_WITH_INPUT exclude each other");
}

/* >region AT>region :phdr =fill , after the '}'. */
static void parse_tail(Parser *p, LayoutStmt *st) {
  u32 base = p->names.n;
  for (;;) {
    const Tok *look = peek(p, LEX_STMT);
    if (look->kind == TOK_PUNCT) {
      if (accept(p, LEX_STMT, P1('>'))) {
        st->region = expect_name(p, LEX_STMT, "a memory region");
      } else if (accept(p, LEX_STMT, P1(':'))) {
        const char *name = expect_name(p, LEX_STMT, "a program header");
        if (name)
          *vec_push(&p->names) = name;
      } else if (accept(p, LEX_STMT, P1('='))) {
        st->fill = parse_fill(p);
      } else if (!accept(p, LEX_STMT, P1(','))) {
        break;
      }
    } else if (look->word == W_AT) {
      Tok t = next(p, LEX_STMT);
      if (!accept(p, LEX_STMT, P1('>'))) {
        unread(p, &t); /* an output section of that name */
        break;
      }
      st->lma_region = expect_name(p, LEX_STMT, "a memory region");
    } else {
      break;
    }
  }
  if (p->names.n > base)
    st->phdrs = names_take(p, base);
  p->names.n = base;
}

void add_stmt(Parser *p, const LayoutStmt *st) {
  if (p->stmts.n == MAX_STMTS)
    syntax_error(p, peek(p, LEX_STMT), "the script has more than %d statements", MAX_STMTS);
  else
    *vec_push(&p->stmts) = *st;
}

static void parse_output(Parser *p, const Tok *name) {
  LayoutStmt st = stmt_at(name, LAYOUT_OUTPUT);
  st.name = tok_str(p, name);
  if (streq(st.name, "/DISCARD/"))
    st.flags |= LAYOUT_DISCARD;
  parse_address(p, &st);
  parse_attributes(p, &st);
  parse_body(p, &st);
  parse_tail(p, &st);
  add_stmt(p, &st);
}

/* ---- overlays ---- */

static Expr *of_section(Parser *p, const Tok *at, ExprOp op, const char *name) {
  Expr *e = expr_make(p, at, op, NULL, NULL);
  e->name = name;
  return e;
}

/* PROVIDE(__load_start_NAME = LOADADDR(name)) and its end; NAME is the name without what can't stand in a C identifier. */
static void provide_load(Parser *p, const Tok *at, const char *name) {
  char *c = arena_strdup(p->a, name);
  u32 n = 0;
  for (const char *s = name; *s; s++)
    if ((*s >= '0' && *s <= '9') || ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'z') || *s == '_')
      c[n++] = *s;
  c[n] = 0;
  LayoutStmt st = stmt_at(at, LAYOUT_ASSIGN);
  st.flags = LAYOUT_PROVIDE;
  st.name = arena_printf(p->a, "__load_start_%s", c);
  st.expr = of_section(p, at, EX_LOADADDR, name);
  add_stmt(p, &st);
  st.name = arena_printf(p->a, "__load_stop_%s", c);
  st.expr = expr_make(p, at, EX_ADD, st.expr, of_section(p, at, EX_SIZEOF, name));
  add_stmt(p, &st);
}

/* OVERLAY [start] : [NOCROSSREFS] [AT(lma)] [SUBALIGN(n)] { name { ... } [:phdr] [=fill] ... } [>region] [AT>region] [:phdr] [=fill]
 * GNU ld manual, "Overlay Description": it stands for output sections at one address, whose load addresses follow each other, and `.`
 * is behind the longest afterwards. */
static void parse_overlay(Parser *p, const Tok *word) {
  LayoutStmt all = stmt_at(word, LAYOUT_OUTPUT);
  all.overlay = ++p->overlays;
  if (!tok_punct(peek(p, LEX_STMT), P1(':')))
    all.expr = parse_expr(p);
  expect(p, LEX_STMT, P1(':'));
  bool nocross = accept_word(p, LEX_STMT, W_NOCROSSREFS);
  if (accept_word(p, LEX_STMT, W_AT))
    all.lma = parse_paren_expr(p);
  if (accept_word(p, LEX_STMT, W_SUBALIGN))
    all.subalign = parse_paren_expr(p);
  expect(p, LEX_STMT, P1('{'));

  u32 base = p->stmts.n, names = p->names.n;
  const Expr *longest = NULL;
  while (!p->failed && !accept(p, LEX_STMT, P1('}'))) {
    if (accept(p, LEX_STMT, P1(';')) || accept(p, LEX_STMT, P1(',')))
      continue;
    Tok t = *peek(p, LEX_STMT);
    const char *name = expect_name(p, LEX_STMT, "an output section or '}'");
    if (!name)
      break;
    LayoutStmt st = all;
    st.name = name;
    st.line = t.line;
    st.file = t.src->name;
    st.col = t.begin - t.line_start + 1;
    if (p->names.n > names) { /* the first one's address is that of all */
      st.expr = of_section(p, &t, EX_ADDR, p->names.at[names]);
      st.lma = NULL;
    }
    parse_body(p, &st);
    parse_tail(p, &st);
    add_stmt(p, &st);
    provide_load(p, &t, name);
    *vec_push(&p->names) = name;
    const Expr *size = of_section(p, &t, EX_SIZEOF, name);
    longest = longest ? expr_make(p, &t, EX_MAX, longest, size) : size;
    if (p->names.n - names > MAX_OVERLAY)
      syntax_error(p, &t, "an OVERLAY has more than %d sections", MAX_OVERLAY);
  }
  LayoutStmt tail = {0};
  parse_tail(p, &tail);
  if (p->failed)
    return;
  for (u32 i = base; i < p->stmts.n; i++) {
    LayoutStmt *st = &p->stmts.at[i];
    if (st->kind != LAYOUT_OUTPUT)
      continue;
    st->region = tail.region;
    st->lma_region = tail.lma_region;
    if (!st->phdrs)
      st->phdrs = tail.phdrs;
    if (!st->fill.bytes && !st->fill.expr)
      st->fill = tail.fill;
  }
  if (longest) {
    LayoutStmt end = stmt_at(word, LAYOUT_ASSIGN);
    end.name = ".";
    end.overlay = all.overlay;
    end.expr = expr_make(p, word, EX_ADD, of_section(p, word, EX_ADDR, p->names.at[names]), longest);
    add_stmt(p, &end);
  }
  if (nocross && p->names.n - names > 1)
    add_nocross(p, word, p->names.at + names, p->names.n - names, false);
  p->names.n = names;
}

/* GROUP [address] : { ... }: of System V; the address is `.`'s. */
static void parse_group(Parser *p, const Tok *word) {
  LayoutStmt st = stmt_at(word, LAYOUT_ASSIGN);
  parse_address(p, &st);
  st.name = ".";
  st.flags = 0;
  if (st.expr)
    add_stmt(p, &st);
  if (enter(p))
    parse_sections(p);
  leave(p);
}

void parse_sections(Parser *p) {
  expect(p, LEX_STMT, P1('{'));
  while (!p->failed && !accept(p, LEX_STMT, P1('}'))) {
    if (accept(p, LEX_STMT, P1(';')))
      continue;
    const Tok *look = peek(p, LEX_STMT);
    if (look->kind != TOK_NAME && look->kind != TOK_QUOTED) {
      expected(p, LEX_STMT, "an output section, an assignment or '}'");
      return;
    }
    Tok t = next(p, LEX_STMT);
    LayoutStmt st = {0};
    switch (t.word) {
    case W_ENTRY:
      if (tok_punct(peek(p, LEX_STMT), P1('('))) {
        parse_entry(p);
        continue;
      }
      break;
    case W_INCLUDE: parse_include(p); continue;
    case W_OVERLAY: parse_overlay(p, &t); continue;
    case W_GROUP: parse_group(p, &t); continue;
    default: break;
    }
    look = peek(p, LEX_STMT);
    if (tok_punct(look, P1(':')) || !parse_assignment(p, &t, LEX_STMT, &st))
      parse_output(p, &t);
    else
      add_stmt(p, &st);
  }
}
