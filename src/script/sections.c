/* sections.c: SECTIONS { }: output sections, input patterns, assignments -> LayoutStmt arrays. GNU
 * ld manual, "SECTIONS Command". The trap: patterns and statements of a body are two arrays. A
 * statement says before which pattern it stands, so the order between them survives. What weld's
 * layout can't do yet is parsed to its end and reported by name. */
#include <stdlib.h>

#include "script/parser.h"
#include "util/glob.h"

/* ---- assignments ---- */

static bool assign_op(const Tok *t, ExprOp *op, bool *compound) {
  static const struct {
    u32 punct;
    ExprOp op;
  } rows[] = {
      {P2('+', '='), EX_ADD}, {P2('-', '='), EX_SUB},      {P2('*', '='), EX_MUL},
      {P2('/', '='), EX_DIV}, {P2('&', '='), EX_AND},      {P2('|', '='), EX_OR},
      {P2('^', '='), EX_XOR}, {P3('<', '<', '='), EX_SHL}, {P3('>', '>', '='), EX_SHR},
  };
  *compound = false;
  if (t->kind != TOK_PUNCT)
    return false;
  if (t->punct == P1('='))
    return true;
  for (u32 i = 0; i < COUNT_OF(rows); i++)
    if (rows[i].punct == t->punct) {
      *op = rows[i].op;
      *compound = true;
      return true;
    }
  return false;
}

static LayoutStmt stmt_at(const Tok *t, LayoutKind kind) {
  return (LayoutStmt){
      .kind = kind, .file = t->src->name, .line = t->line, .col = t->begin - t->line_start + 1};
}

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
  u32 flags = tok_is(t, "PROVIDE")          ? LAYOUT_PROVIDE
              : tok_is(t, "HIDDEN")         ? LAYOUT_HIDDEN
              : tok_is(t, "PROVIDE_HIDDEN") ? LAYOUT_PROVIDE | LAYOUT_HIDDEN
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
  if (tok_is(t, "ASSERT") && tok_punct(peek(p, m), P1('('))) {
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

/* ---- input section patterns ---- */

typedef struct {
  VEC(LayoutPattern) patterns;
  VEC(LayoutStmt) stmts;
} Body;

/* What stands around a file or a section pattern. */
typedef struct {
  SortKind sort, sort2;
  bool no_sort, reverse;
  u32 nsort;
  const char *const *exclude;
  u32 nexclude;
} Around;

static bool sort_word(const Tok *t, SortKind *sort) {
  static const struct {
    const char *word;
    SortKind sort;
  } rows[] = {{"SORT", SORT_NAME},
              {"SORT_BY_NAME", SORT_NAME},
              {"SORT_BY_ALIGNMENT", SORT_ALIGN},
              {"SORT_BY_INIT_PRIORITY", SORT_PRIORITY},
              {"SORT_NONE", SORT_NONE}};
  for (u32 i = 0; i < COUNT_OF(rows); i++)
    if (tok_is(t, rows[i].word)) {
      *sort = rows[i].sort;
      return true;
    }
  return false;
}

static const char *pattern_name(Parser *p, const Tok *t) {
  const char *s = tok_str(p, t);
  if (!glob_valid(s))
    report(p, t, "invalid pattern '%.100s'", s);
  return s;
}

/* Appends the names of EXCLUDE_FILE( ... ), the word taken, to those of `a`. */
static void parse_exclude(Parser *p, Around *a) {
  VEC(const char *) names = {0};
  for (u32 i = 0; i < a->nexclude; i++)
    *vec_push(&names) = a->exclude[i];
  expect(p, LEX_PATTERN, P1('('));
  while (!p->failed && !accept(p, LEX_PATTERN, P1(')'))) {
    if (accept(p, LEX_PATTERN, P1(',')))
      continue;
    Tok t = *peek(p, LEX_PATTERN);
    if (expect_name(p, LEX_PATTERN, "a file or ')'"))
      *vec_push(&names) = pattern_name(p, &t);
  }
  const char **list = ARENA_ARRAY(p->a, const char *, (u64)names.n + 1);
  if (names.n)
    memcpy(list, names.at, names.n * sizeof *list);
  a->exclude = list;
  a->nexclude = names.n;
  vec_free(&names);
}

/* [SORT*(] [REVERSE(] [EXCLUDE_FILE(...)] name [)] -> the name's token, and what stood around it.
 * `first` is a token already taken, or NULL. */
static bool parse_wrapped(Parser *p, const Tok *first, Around *a, Tok *name) {
  Tok t = first ? *first : next(p, LEX_PATTERN);
  bool ok = true;
  if (t.kind != TOK_NAME && t.kind != TOK_QUOTED) {
    unread(p, &t);
    expected(p, LEX_PATTERN, "a name or a pattern");
    return false;
  }
  bool open = tok_punct(peek(p, LEX_PATTERN), P1('('));
  SortKind sort;
  if (!enter(p)) {
    ok = false;
  } else if (open && tok_is(&t, "EXCLUDE_FILE")) {
    parse_exclude(p, a);
    ok = parse_wrapped(p, NULL, a, name);
  } else if (open && sort_word(&t, &sort)) {
    next(p, LEX_PATTERN);
    if (a->nsort == 2)
      syntax_error(p, &t, "SORT stands in more than two SORTs");
    else if (sort == SORT_NONE)
      a->no_sort = true;
    else if (a->nsort++)
      a->sort2 = sort;
    else
      a->sort = sort;
    ok = parse_wrapped(p, NULL, a, name) && expect(p, LEX_PATTERN, P1(')'));
  } else if (open && tok_is(&t, "REVERSE")) {
    next(p, LEX_PATTERN);
    a->reverse = true;
    ok = parse_wrapped(p, NULL, a, name) && expect(p, LEX_PATTERN, P1(')'));
  } else {
    *name = t;
  }
  leave(p);
  return ok && !p->failed;
}

/* INPUT_SECTION_FLAGS( SHF_A & !SHF_B ), the word taken. */
static void parse_section_flags(Parser *p, u32 *with, u32 *without) {
  static const struct {
    const char *word;
    u32 flag;
  } rows[] = {{"SHF_ALLOC", ATOM_ALLOC},
              {"SHF_WRITE", ATOM_WRITE},
              {"SHF_EXECINSTR", ATOM_EXEC},
              {"SHF_TLS", ATOM_TLS}};
  expect(p, LEX_EXPR, P1('('));
  do {
    bool not = accept(p, LEX_EXPR, P1('!'));
    Tok t = *peek(p, LEX_EXPR);
    if (!expect_name(p, LEX_EXPR, "a section flag"))
      return;
    u32 i = 0;
    while (i < COUNT_OF(rows) && !tok_is(&t, rows[i].word))
      i++;
    if (i == COUNT_OF(rows))
      report(p, &t, "INPUT_SECTION_FLAGS(%.*s) is not supported yet", (int)MIN(t.len, 40u),
             (const char *)t.p);
    else
      *(not ? without : with) |= rows[i].flag;
  } while (accept(p, LEX_EXPR, P1('&')));
  expect(p, LEX_EXPR, P1(')'));
}

/* FILE ( SECTIONS ) or FILE alone; t is its first token, taken. */
static void parse_input(Parser *p, const Tok *t, bool keep, Body *b) {
  LayoutPattern row = {.keep = keep};
  Tok first = *t, name = {0};
  if (tok_is(&first, "INPUT_SECTION_FLAGS")) {
    parse_section_flags(p, &row.flags_with, &row.flags_without);
    first = next(p, LEX_PATTERN);
  }
  Around file = {0};
  if (!parse_wrapped(p, &first, &file, &name))
    return;
  if (tok_is(&name, "CONSTRUCTORS") && !tok_punct(peek(p, LEX_PATTERN), P1('(')))
    return; /* SORT(CONSTRUCTORS): ELF has none of those */
  row.file = tok_is(&name, "*") ? NULL : pattern_name(p, &name);
  row.sort_files = file.sort == SORT_NAME;
  if (file.nsort && (file.sort != SORT_NAME || file.nsort > 1))
    report(p, &first, "files can be sorted by name only");

  if (!accept(p, LEX_PATTERN, P1('('))) {
    row.section = "*";
    row.exclude_files = file.exclude;
    *vec_push(&b->patterns) = row;
    return;
  }
  bool any = false;
  while (!p->failed && !accept(p, LEX_PATTERN, P1(')'))) {
    if (accept(p, LEX_PATTERN, P1(',')))
      continue;
    Around section = {.exclude = file.exclude, .nexclude = file.nexclude};
    if (!parse_wrapped(p, NULL, &section, &name))
      return;
    row.section = pattern_name(p, &name);
    row.exclude_files = section.exclude;
    row.sort = section.sort;
    row.sort2 = section.sort2;
    row.no_sort = section.no_sort;
    row.reverse = section.reverse || file.reverse;
    row.joined = any;
    *vec_push(&b->patterns) = row;
    any = true;
  }
}

/* ---- bodies ---- */

static u32 data_size(const Tok *t) {
  return tok_is(t, "BYTE")                         ? 1
         : tok_is(t, "SHORT")                      ? 2
         : tok_is(t, "LONG")                       ? 4
         : tok_is(t, "QUAD") || tok_is(t, "SQUAD") ? 8
                                                   : 0;
}

static void parse_body_item(Parser *p, Body *b) {
  const Tok *look = peek(p, LEX_PATTERN);
  if (look->kind != TOK_NAME && look->kind != TOK_QUOTED) {
    expected(p, LEX_PATTERN, "an input section, a statement or '}'");
    return;
  }
  Tok t = next(p, LEX_PATTERN);
  LayoutStmt st = {0};
  u32 size = data_size(&t);
  if (size && tok_punct(peek(p, LEX_PATTERN), P1('('))) {
    st = stmt_at(&t, LAYOUT_DATA);
    st.data_size = size;
    st.expr = parse_paren_expr(p);
  } else if (tok_is(&t, "FILL") && accept(p, LEX_PATTERN, P1('('))) {
    st = stmt_at(&t, LAYOUT_FILL);
    st.fill = parse_fill(p);
    expect(p, LEX_EXPR, P1(')'));
  } else if (tok_is(&t, "ASCIZ") && peek(p, LEX_PATTERN)->kind == TOK_QUOTED) {
    st = stmt_at(&t, LAYOUT_STRING);
    st.name = expect_name(p, LEX_PATTERN, "a string");
  } else if (parse_assignment(p, &t, LEX_PATTERN, &st)) {
    /* taken */
  } else if (tok_is(&t, "INCLUDE")) {
    parse_include(p);
    return;
  } else if (tok_is(&t, "CONSTRUCTORS") || tok_is(&t, "CREATE_OBJECT_SYMBOLS")) {
    return; /* for formats with set vectors (a.out): nothing to do in ELF */
  } else if (tok_is(&t, "LINKER_VERSION")) {
    unsupported(p, &t, "LINKER_VERSION");
    return;
  } else if (tok_is(&t, "KEEP") && accept(p, LEX_PATTERN, P1('('))) {
    Tok first = next(p, LEX_PATTERN);
    parse_input(p, &first, true, b);
    expect(p, LEX_PATTERN, P1(')'));
    return;
  } else {
    parse_input(p, &t, false, b);
    return;
  }
  st.before = b->patterns.n;
  *vec_push(&b->stmts) = st;
}

/* { ... } into the statement. */
static void parse_body(Parser *p, LayoutStmt *out) {
  Body b = {0};
  expect(p, LEX_PATTERN, P1('{'));
  while (!p->failed && !accept(p, LEX_PATTERN, P1('}'))) {
    if (!accept(p, LEX_PATTERN, P1(';')))
      parse_body_item(p, &b);
  }
  LayoutPattern *patterns = ARENA_ARRAY(p->a, LayoutPattern, (u64)b.patterns.n + 1);
  if (b.patterns.n)
    memcpy(patterns, b.patterns.at, b.patterns.n * sizeof *patterns);
  out->patterns = patterns;
  out->npatterns = b.patterns.n;
  if (b.stmts.n) {
    LayoutStmt *body = ARENA_ARRAY(p->a, LayoutStmt, (u64)b.stmts.n + 1);
    memcpy(body, b.stmts.at, b.stmts.n * sizeof *body);
    body[b.stmts.n].kind = LAYOUT_ORPHANS;
    out->body = body;
  }
  vec_free(&b.patterns);
  vec_free(&b.stmts);
}

/* ---- output sections ---- */

/* NOLOAD, READONLY, (TYPE = x), ... : false when the next token is none of these. */
static bool parse_type(Parser *p, LayoutStmt *st) {
  static const struct {
    const char *word;
    u32 flag;
  } rows[] = {{"NOLOAD", LAYOUT_NOLOAD},   {"DSECT", LAYOUT_NOALLOC},
              {"COPY", LAYOUT_NOALLOC},    {"INFO", LAYOUT_NOALLOC},
              {"OVERLAY", LAYOUT_NOALLOC}, {"READONLY", LAYOUT_READONLY}};
  for (u32 i = 0; i < COUNT_OF(rows); i++)
    if (accept_word(p, LEX_EXPR, rows[i].word)) {
      st->flags |= rows[i].flag;
      if (rows[i].flag == LAYOUT_READONLY && accept(p, LEX_EXPR, P1('('))) {
        parse_type(p, st);
        expect(p, LEX_EXPR, P1(')'));
      }
      return true;
    }
  if (!accept_word(p, LEX_EXPR, "TYPE"))
    return false;
  expect(p, LEX_EXPR, P1('='));
  Tok t = *peek(p, LEX_EXPR);
  st->type = parse_expr(p);
  report(p, &t, "an output section's TYPE is not supported yet");
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
  const Tok *look;
  if (!parse_paren_type(p, st) && (look = peek(p, LEX_STMT), !tok_punct(look, P1(':'))) &&
      !tok_punct(look, P1('{'))) {
    if (accept_word(p, LEX_STMT, "BIND"))
      st->expr = parse_paren_expr(p);
    else
      st->expr = parse_expr(p);
    if (accept_word(p, LEX_STMT, "BLOCK"))
      st->align = parse_paren_expr(p);
    parse_paren_type(p, st);
  }
  expect(p, LEX_STMT, P1(':'));
}

/* AT ALIGN SUBALIGN ALIGN_WITH_INPUT ONLY_IF_RO ..., up to the '{'. */
static void parse_attributes(Parser *p, LayoutStmt *st) {
  while (!p->failed && peek(p, LEX_STMT)->kind == TOK_NAME) {
    Tok t = next(p, LEX_STMT);
    if (tok_is(&t, "AT"))
      st->lma = parse_paren_expr(p);
    else if (tok_is(&t, "ALIGN"))
      st->align = parse_paren_expr(p);
    else if (tok_is(&t, "SUBALIGN"))
      st->subalign = parse_paren_expr(p);
    else if (tok_is(&t, "ALIGN_WITH_INPUT"))
      st->flags |= LAYOUT_ALIGN_WITH_INPUT;
    else if (tok_is(&t, "ONLY_IF_RO"))
      st->flags |= LAYOUT_ONLY_IF_RO;
    else if (tok_is(&t, "ONLY_IF_RW"))
      st->flags |= LAYOUT_ONLY_IF_RW;
    else {
      unread(p, &t);
      expected(p, LEX_STMT, "'{' or an attribute of the output section");
    }
  }
}

/* >region AT>region :phdr =fill , after the '}'. */
static void parse_tail(Parser *p, LayoutStmt *st) {
  VEC(const char *) phdrs = {0};
  while (!p->failed) {
    Tok t = *peek(p, LEX_STMT);
    if (accept(p, LEX_STMT, P1('>'))) {
      st->region = expect_name(p, LEX_STMT, "a memory region");
      unsupported(p, &t, ">region");
    } else if (tok_is(&t, "AT")) {
      next(p, LEX_STMT);
      if (!accept(p, LEX_STMT, P1('>'))) {
        unread(p, &t); /* an output section of that name */
        break;
      }
      st->lma_region = expect_name(p, LEX_STMT, "a memory region");
      unsupported(p, &t, "AT>region");
    } else if (accept(p, LEX_STMT, P1(':'))) {
      const char *name = expect_name(p, LEX_STMT, "a program header");
      if (name)
        *vec_push(&phdrs) = name;
      unsupported(p, &t, ":phdr");
    } else if (accept(p, LEX_STMT, P1('='))) {
      st->fill = parse_fill(p);
    } else if (!accept(p, LEX_STMT, P1(','))) {
      break;
    }
  }
  if (phdrs.n) {
    const char **list = ARENA_ARRAY(p->a, const char *, (u64)phdrs.n + 1);
    memcpy(list, phdrs.at, phdrs.n * sizeof *list);
    st->phdrs = list;
  }
  vec_free(&phdrs);
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
  *vec_push(&p->stmts) = st;
}

/* OVERLAY [start] : [NOCROSSREFS] [AT(lma)] { name { ... } ... } [tail]: read, not kept. */
static void parse_overlay(Parser *p, const Tok *word) {
  unsupported(p, word, "OVERLAY");
  LayoutStmt st = {0};
  if (!tok_punct(peek(p, LEX_STMT), P1(':')))
    parse_expr(p);
  expect(p, LEX_STMT, P1(':'));
  accept_word(p, LEX_STMT, "NOCROSSREFS");
  if (accept_word(p, LEX_STMT, "AT"))
    parse_paren_expr(p);
  expect(p, LEX_STMT, P1('{'));
  while (!p->failed && !accept(p, LEX_STMT, P1('}'))) {
    if (accept(p, LEX_STMT, P1(';')) || !expect_name(p, LEX_STMT, "an output section or '}'"))
      continue;
    parse_body(p, &st);
    parse_tail(p, &st);
  }
  parse_tail(p, &st);
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
    if (parse_assignment(p, &t, LEX_STMT, &st))
      *vec_push(&p->stmts) = st;
    else if (tok_is(&t, "ENTRY") && tok_punct(peek(p, LEX_STMT), P1('(')))
      parse_entry(p);
    else if (tok_is(&t, "INCLUDE"))
      parse_include(p);
    else if (tok_is(&t, "OVERLAY"))
      parse_overlay(p, &t);
    else
      parse_output(p, &t);
  }
}
