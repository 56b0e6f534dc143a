/* parse.c: the commands of a linker script's top level. GNU ld manual, "Linker Scripts". The trap:
 * INCLUDE is textual, so an included file may stop in the middle of a command; the lexer joins the
 * texts, and this file only pushes them. */
#include <stdlib.h>

#include "script/parser.h"

void unsupported(Parser *p, const Tok *t, const char *what) {
  report(p, t, "%s is not supported yet", what);
}

/* ( name ) */
static const char *parse_one_name(Parser *p, const char *what) {
  if (!expect(p, LEX_FILE, P1('(')))
    return NULL;
  const char *s = expect_name(p, LEX_FILE, what);
  expect(p, LEX_FILE, P1(')'));
  return s;
}

void parse_entry(Parser *p) {
  p->out->entry = parse_one_name(p, "a symbol");
}

void parse_include(Parser *p) {
  Tok t = *peek(p, LEX_FILE);
  const char *name = expect_name(p, LEX_FILE, "a file name"), *path = name;
  Bytes text;
  if (!name)
    return;
  if (!p->out->open)
    syntax_error(p, &t, "INCLUDE is not allowed here");
  else if (p->src->depth + 1 >= MAX_INCLUDE_DEPTH)
    syntax_error(p, &t, "INCLUDE is nested too deeply");
  else if (p->includes++ >= MAX_INCLUDES)
    syntax_error(p, &t, "too many INCLUDEs");
  else if (!p->out->open(p->out->open_ctx, name, t.src->name, &text, &path))
    syntax_error(p, &t, "can't open '%.200s'", name);
  else
    parser_push(p, path, text);
}

/* ( file, -lname, AS_NEEDED( ... ) ... ) */
static void parse_inputs(Parser *p, u32 group, bool as_needed) {
  expect(p, LEX_FILE, P1('('));
  while (!p->failed && !accept(p, LEX_FILE, P1(')'))) {
    if (accept(p, LEX_FILE, P1(',')))
      continue;
    Tok t = *peek(p, LEX_FILE);
    const char *name = expect_name(p, LEX_FILE, "a file, AS_NEEDED or ')'");
    if (!name)
      return;
    if (tok_is(&t, "AS_NEEDED") && tok_punct(peek(p, LEX_FILE), P1('('))) {
      if (enter(p))
        parse_inputs(p, group, true);
      leave(p);
      continue;
    }
    ScriptInput in = {
        .name = name, .as_needed = as_needed, .group = group, .file = t.src->name, .line = t.line};
    if (starts_with(name, "-l")) {
      in.name = name + 2;
      in.is_lib = true;
    }
    if (!*in.name)
      report(p, &t, "an input without a name");
    else
      *vec_push(&p->out->inputs) = in;
  }
}

static void cmd_input(Parser *p, const Tok *t) {
  (void)t;
  parse_inputs(p, 0, false);
}

static void cmd_group(Parser *p, const Tok *t) {
  (void)t;
  parse_inputs(p, ++p->out->ngroups, false);
}

static void cmd_startup(Parser *p, const Tok *t) {
  const char *name = parse_one_name(p, "a file");
  if (name)
    *vec_push(&p->out->inputs) =
        (ScriptInput){.name = name, .startup = true, .file = t->src->name, .line = t->line};
}

static void cmd_output_format(Parser *p, const Tok *t) {
  (void)t;
  expect(p, LEX_FILE, P1('('));
  for (u32 i = 0; i < 3; i++) {
    p->out->output_format[i] = expect_name(p, LEX_FILE, "a format");
    if (!accept(p, LEX_FILE, P1(',')))
      break;
  }
  expect(p, LEX_FILE, P1(')'));
}

static void cmd_output_arch(Parser *p, const Tok *t) {
  (void)t;
  p->out->output_arch = parse_one_name(p, "an architecture");
}

static void cmd_entry(Parser *p, const Tok *t) {
  (void)t;
  parse_entry(p);
}

static void cmd_output(Parser *p, const Tok *t) {
  (void)t;
  p->out->output = parse_one_name(p, "a file");
}

static void cmd_target(Parser *p, const Tok *t) {
  (void)t;
  p->out->target = parse_one_name(p, "a format");
}

static void cmd_map(Parser *p, const Tok *t) {
  (void)t;
  p->out->map_file = parse_one_name(p, "a file");
}

static void cmd_search_dir(Parser *p, const Tok *t) {
  (void)t;
  const char *s = parse_one_name(p, "a directory");
  if (s)
    *vec_push(&p->out->search_dirs) = s;
}

static void cmd_extern(Parser *p, const Tok *t) {
  (void)t;
  expect(p, LEX_FILE, P1('('));
  while (!p->failed && !accept(p, LEX_FILE, P1(')'))) {
    if (accept(p, LEX_FILE, P1(',')))
      continue;
    const char *s = expect_name(p, LEX_FILE, "a symbol or ')'");
    if (s)
      *vec_push(&p->out->externs) = s;
  }
}

static void cmd_include(Parser *p, const Tok *t) {
  (void)t;
  parse_include(p);
}

static void cmd_sections(Parser *p, const Tok *t) {
  (void)t;
  p->out->has_sections = true;
  parse_sections(p);
}

static void cmd_version(Parser *p, const Tok *t) {
  (void)t;
  p->out->has_version = true;
  expect(p, LEX_VERSION, P1('{'));
  parse_version_nodes(p, &p->out->version, true);
  expect(p, LEX_VERSION, P1('}'));
}

/* NAME [(attributes)] : ORIGIN = a, LENGTH = b */
static void parse_region(Parser *p) {
  Tok at = *peek(p, LEX_STMT);
  LayoutRegion r = {.alias = UINT32_MAX, .file = at.src->name, .line = at.line};
  r.name = expect_name(p, LEX_STMT, "a memory region or '}'");
  if (accept(p, LEX_STMT, P1('('))) {
    expect_name(p, LEX_STMT, "attributes");
    expect(p, LEX_STMT, P1(')'));
  }
  expect(p, LEX_STMT, P1(':'));
  for (u32 i = 0; i < 2; i++) {
    static const char *const words[2][3] = {{"ORIGIN", "org", "o"}, {"LENGTH", "len", "l"}};
    Tok t = next(p, LEX_EXPR);
    if (!tok_is(&t, words[i][0]) && !tok_is(&t, words[i][1]) && !tok_is(&t, words[i][2]))
      syntax_error(p, &t, "expected '%s'", words[i][0]);
    expect(p, LEX_EXPR, P1('='));
    *(i ? &r.length : &r.origin) = parse_expr(p);
    if (!i)
      accept(p, LEX_EXPR, P1(','));
  }
  if (!p->failed)
    *vec_push(&p->regions) = r;
}

static void cmd_memory(Parser *p, const Tok *t) {
  unsupported(p, t, "MEMORY");
  expect(p, LEX_STMT, P1('{'));
  while (!p->failed && !accept(p, LEX_STMT, P1('}'))) {
    if (accept(p, LEX_STMT, P1(';')) || accept(p, LEX_STMT, P1(',')))
      continue;
    if (accept_word(p, LEX_STMT, "INCLUDE"))
      parse_include(p);
    else
      parse_region(p);
  }
}

static void cmd_region_alias(Parser *p, const Tok *t) {
  unsupported(p, t, "REGION_ALIAS");
  expect(p, LEX_STMT, P1('('));
  expect_name(p, LEX_STMT, "a name");
  expect(p, LEX_STMT, P1(','));
  expect_name(p, LEX_STMT, "a memory region");
  expect(p, LEX_STMT, P1(')'));
}

/* NAME TYPE [FILEHDR] [PHDRS] [AT(a)] [FLAGS(f)] ; */
static void parse_phdr(Parser *p) {
  Tok at = *peek(p, LEX_STMT);
  LayoutPhdr h = {.file = at.src->name, .line = at.line};
  h.name = expect_name(p, LEX_STMT, "a program header or '}'");
  if (peek(p, LEX_EXPR)->kind == TOK_NAME)
    expect_name(p, LEX_EXPR, "a type");
  else
    h.type = parse_expr(p);
  while (!p->failed && !accept(p, LEX_EXPR, P1(';'))) {
    if (accept_word(p, LEX_EXPR, "FILEHDR"))
      h.filehdr = true;
    else if (accept_word(p, LEX_EXPR, "PHDRS"))
      h.phdrs = true;
    else if (accept_word(p, LEX_EXPR, "AT"))
      h.at = parse_paren_expr(p);
    else if (accept_word(p, LEX_EXPR, "FLAGS"))
      h.flags = parse_paren_expr(p);
    else
      expected(p, LEX_EXPR, "FILEHDR, PHDRS, AT, FLAGS or ';'");
  }
  if (!p->failed)
    *vec_push(&p->phdrs) = h;
}

static void cmd_phdrs(Parser *p, const Tok *t) {
  unsupported(p, t, "PHDRS");
  expect(p, LEX_STMT, P1('{'));
  while (!p->failed && !accept(p, LEX_STMT, P1('}')))
    parse_phdr(p);
}

static void cmd_insert(Parser *p, const Tok *t) {
  unsupported(p, t, "INSERT");
  if (!accept_word(p, LEX_STMT, "AFTER") && !accept_word(p, LEX_STMT, "BEFORE"))
    expected(p, LEX_STMT, "AFTER or BEFORE");
  expect_name(p, LEX_STMT, "an output section");
}

/* Reads over ( ... ). */
static void skip_parens(Parser *p) {
  u32 depth = 0;
  do {
    Tok t = next(p, LEX_FILE);
    if (tok_punct(&t, P1('(')))
      depth++;
    else if (tok_punct(&t, P1(')')))
      depth--;
    else if (!depth || t.kind == TOK_EOF)
      syntax_error(p, &t, "expected '%c'", depth ? ')' : '(');
  } while (depth && !p->failed);
}

static void cmd_unsupported(Parser *p, const Tok *t) {
  unsupported(p, t, tok_str(p, t));
  skip_parens(p);
}

static void cmd_nothing(Parser *p, const Tok *t) {
  (void)p;
  (void)t;
}

/* "SANE_EXPR": expressions are sane here anyway. "ORDER_OUTPUT_SECTIONS" is weld's: LayoutDesc.orders_outputs. */
static void cmd_feature(Parser *p, const Tok *t) {
  (void)t;
  const char *name = parse_one_name(p, "a feature");
  if (name && streq(name, "ORDER_OUTPUT_SECTIONS"))
    p->orders_outputs = true;
}

static void cmd_common(Parser *p, const Tok *t) {
  if (tok_is(t, "FORCE_COMMON_ALLOCATION"))
    p->out->force_common = true;
  else if (tok_is(t, "INHIBIT_COMMON_ALLOCATION"))
    p->out->inhibit_common = true;
  else
    p->out->force_group = true;
}

static const struct {
  const char *word;
  void (*run)(Parser *p, const Tok *t);
} commands[] = {
    {"ENTRY", cmd_entry},
    {"EXTERN", cmd_extern},
    {"FLOAT", cmd_nothing}, /* MRI's: which library holds floating point */
    {"FORCE_COMMON_ALLOCATION", cmd_common},
    {"FORCE_GROUP_ALLOCATION", cmd_common},
    {"GROUP", cmd_group},
    {"HLL", cmd_unsupported},
    {"INCLUDE", cmd_include},
    {"INHIBIT_COMMON_ALLOCATION", cmd_common},
    {"INPUT", cmd_input},
    {"INSERT", cmd_insert},
    {"LD_FEATURE", cmd_feature},
    {"MAP", cmd_map},
    {"MEMORY", cmd_memory},
    {"NOCROSSREFS", cmd_unsupported},
    {"NOCROSSREFS_TO", cmd_unsupported},
    {"NOFLOAT", cmd_nothing},
    {"OUTPUT", cmd_output},
    {"OUTPUT_ARCH", cmd_output_arch},
    {"OUTPUT_FORMAT", cmd_output_format},
    {"PHDRS", cmd_phdrs},
    {"REGION_ALIAS", cmd_region_alias},
    {"SEARCH_DIR", cmd_search_dir},
    {"SECTIONS", cmd_sections},
    {"STARTUP", cmd_startup},
    {"SYSLIB", cmd_unsupported},
    {"TARGET", cmd_target},
    {"VERSION", cmd_version},
};

static void parse_command(Parser *p) {
  const Tok *look = peek(p, LEX_STMT);
  if (look->kind != TOK_NAME && look->kind != TOK_QUOTED) {
    expected(p, LEX_STMT, "a command or an assignment");
    return;
  }
  Tok t = next(p, LEX_STMT);
  LayoutStmt st = {0};
  if (parse_assignment(p, &t, LEX_STMT, &st)) {
    *vec_push(&p->stmts) = st;
    return;
  }
  for (u32 i = 0; i < COUNT_OF(commands); i++)
    if (tok_is(&t, commands[i].word)) {
      commands[i].run(p, &t);
      return;
    }
  syntax_error(p, &t, "unknown command '%.*s'", (int)MIN(t.len, 60u), (const char *)t.p);
}

bool script_parse(Arena *a, Diag *d, const char *name, Bytes text, Script *out) {
  Parser p;
  parser_init(&p, a, d, "linker-script");
  p.out = out;
  if (parser_push(&p, name, text))
    while (!p.failed && peek(&p, LEX_STMT)->kind != TOK_EOF)
      if (!accept(&p, LEX_STMT, P1(';')))
        parse_command(&p);

  LayoutStmt *stmts = ARENA_ARRAY(a, LayoutStmt, p.stmts.n);
  if (p.stmts.n)
    memcpy(stmts, p.stmts.at, p.stmts.n * sizeof *stmts);
  out->layout = (LayoutDesc){.name = arena_strdup(a, name), .stmts = stmts, .nstmts = p.stmts.n, .orders_outputs = p.orders_outputs};
  vec_free(&p.stmts);
  vec_free(&p.regions);
  vec_free(&p.phdrs);
  return !p.bad;
}

void script_free(Script *s) {
  vec_free(&s->inputs);
  vec_free(&s->search_dirs);
  vec_free(&s->externs);
  vec_free(&s->inserts);
  script_free_version(&s->version);
}
