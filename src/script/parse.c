/* parse.c: the commands of a linker script's top level. GNU ld manual, "Linker Scripts". The trap:
 * INCLUDE is textual, so an included file may stop in the middle of a command; the lexer joins the
 * texts, and this file only pushes them. */
#include <stdlib.h>

#include "script/parser.h"

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
    if (t.word == W_AS_NEEDED && tok_punct(peek(p, LEX_FILE), P1('('))) {
      if (enter(p))
        parse_inputs(p, group, true);
      leave(p);
      continue;
    }
    ScriptInput in = {
        .name = name, .as_needed = as_needed, .group = group, .target = p->out->target, .file = t.src->name,
        .line = t.line, .col = t.begin - t.line_start + 1};
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

static void parse_startup(Parser *p, const Tok *t) {
  const char *name = parse_one_name(p, "a file");
  if (name)
    *vec_push(&p->out->inputs) = (ScriptInput){.name = name, .startup = true, .file = t->src->name, .line = t->line, .col = t->begin - t->line_start + 1};
}

static ScriptPlace place_of_tok(const Tok *t) {
  return (ScriptPlace){t->src->name, t->line, t->begin - t->line_start + 1};
}

/* OUTPUT_FORMAT(default) or OUTPUT_FORMAT(default, big, little) */
static void parse_output_format(Parser *p) {
  Script *out = p->out;
  out->output_format[1] = out->output_format[2] = NULL;
  expect(p, LEX_FILE, P1('('));
  out->output_format_at = place_of_tok(peek(p, LEX_FILE));
  for (u32 i = 0; i < 3; i++) {
    out->output_format[i] = expect_name(p, LEX_FILE, "a format");
    if (i < 2 && !accept(p, LEX_FILE, P1(',')))
      break;
  }
  if (out->output_format[1] && !out->output_format[2])
    expected(p, LEX_FILE, "','");
  expect(p, LEX_FILE, P1(')'));
}

/* ( name ), and where the name stands. */
static const char *parse_placed(Parser *p, ScriptPlace *at, const char *what) {
  expect(p, LEX_FILE, P1('('));
  *at = place_of_tok(peek(p, LEX_FILE));
  const char *s = expect_name(p, LEX_FILE, what);
  expect(p, LEX_FILE, P1(')'));
  return s;
}

static void parse_search_dir(Parser *p) {
  const char *s = parse_one_name(p, "a directory");
  if (s)
    *vec_push(&p->out->search_dirs) = s;
}

static void parse_extern(Parser *p) {
  expect(p, LEX_FILE, P1('('));
  while (!p->failed && !accept(p, LEX_FILE, P1(')'))) {
    if (accept(p, LEX_FILE, P1(',')))
      continue;
    const char *s = expect_name(p, LEX_FILE, "a symbol or ')'");
    if (s)
      *vec_push(&p->out->externs) = s;
  }
}

static void parse_version(Parser *p) {
  p->out->has_version = true;
  expect(p, LEX_VERSION, P1('{'));
  parse_version_nodes(p, &p->out->version, true);
  expect(p, LEX_VERSION, P1('}'));
}

/* LD_FEATURE("SANE_EXPR"): numbers are absolute in every expression. "ORDER_OUTPUT_SECTIONS" is weld's: LayoutDesc.orders_outputs. */
static void parse_feature(Parser *p) {
  ScriptPlace at;
  Tok t = *peek(p, LEX_FILE);
  const char *s = parse_placed(p, &at, "a feature");
  if (s && streq(s, "SANE_EXPR"))
    p->out->sane_expr = true;
  else if (s && streq(s, "ORDER_OUTPUT_SECTIONS"))
    p->orders_outputs = true;
  else if (s)
    warn(p, &t, "unknown feature '%.60s'", s);
}

/* INSERT AFTER name / INSERT BEFORE name */
static void parse_insert(Parser *p, const Tok *t) {
  ScriptInsert in = {.first = p->insert_from, .end = p->stmts.n, .file = t->src->name};
  in.before = accept_word(p, LEX_STMT, W_BEFORE);
  if (!in.before && !accept_word(p, LEX_STMT, W_AFTER))
    expected(p, LEX_STMT, "AFTER or BEFORE");
  Tok at = *peek(p, LEX_STMT);
  in.line = at.line;
  in.col = at.begin - at.line_start + 1;
  in.name = expect_name(p, LEX_STMT, "an output section");
  if (p->out->inserts.n == MAX_INSERTS)
    syntax_error(p, t, "more than %d INSERTs", MAX_INSERTS);
  *vec_push(&p->out->inserts) = in;
  p->insert_from = p->stmts.n;
  p->sections = false;
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

static void unknown_command(Parser *p, const Tok *t) {
  static const char *const words[] = {"ASSERT", "ENTRY", "EXTERN", "FORCE_COMMON_ALLOCATION", "FORCE_GROUP_ALLOCATION", "GROUP", "HIDDEN", "INCLUDE",
                                      "INHIBIT_COMMON_ALLOCATION", "INPUT", "INSERT", "LD_FEATURE", "MEMORY", "NOCROSSREFS", "NOCROSSREFS_TO", "OUTPUT",
                                      "OUTPUT_ARCH", "OUTPUT_FORMAT", "PHDRS", "PROVIDE", "PROVIDE_HIDDEN", "REGION_ALIAS", "SEARCH_DIR", "SECTIONS",
                                      "STARTUP", "TARGET", "VERSION"};
  Near n = near_to(tok_str(p, t));
  for (u32 i = 0; i < COUNT_OF(words); i++)
    near_try(&n, words[i]);
  syntax_error(p, t, "unknown command '%.*s'%s", (int)MIN(t->len, 60u), (const char *)t->p, near_hint(p, &n));
}

static void parse_command(Parser *p) {
  const Tok *look = peek(p, LEX_STMT);
  if (look->kind != TOK_NAME && look->kind != TOK_QUOTED) {
    expected(p, LEX_STMT, "a command or an assignment");
    return;
  }
  Tok t = next(p, LEX_STMT);
  LayoutStmt st = {0};
  if (parse_assignment(p, &t, LEX_STMT, &st)) {
    add_stmt(p, &st);
    return;
  }
  Script *out = p->out;
  switch (t.word) {
  case W_ENTRY: parse_entry(p); break;
  case W_EXTERN: parse_extern(p); break;
  case W_FORCE_COMMON_ALLOCATION: out->force_common = true; break;
  case W_FORCE_GROUP_ALLOCATION: out->force_group = true; break;
  case W_INHIBIT_COMMON_ALLOCATION: out->inhibit_common = true; break;
  case W_FLOAT: /* MRI's: which library holds floating point; which libraries there are */
  case W_NOFLOAT: break;
  case W_HLL:
  case W_SYSLIB: skip_parens(p); break;
  case W_GROUP: parse_inputs(p, ++out->ngroups, false); break;
  case W_INCLUDE: parse_include(p); break;
  case W_INPUT: parse_inputs(p, 0, false); break;
  case W_INSERT: parse_insert(p, &t); break;
  case W_LD_FEATURE: parse_feature(p); break;
  case W_MAP: out->map_file = parse_one_name(p, "a file"); break;
  case W_MEMORY: parse_memory(p); break;
  case W_NOCROSSREFS: parse_nocross(p, &t, false); break;
  case W_NOCROSSREFS_TO: parse_nocross(p, &t, true); break;
  case W_OUTPUT: out->output = parse_one_name(p, "a file"); break;
  case W_OUTPUT_ARCH: out->output_arch = parse_placed(p, &out->output_arch_at, "an architecture"); break;
  case W_OUTPUT_FORMAT: parse_output_format(p); break;
  case W_PHDRS: parse_phdrs(p); break;
  case W_REGION_ALIAS: parse_region_alias(p); break;
  case W_SEARCH_DIR: parse_search_dir(p); break;
  case W_SECTIONS:
    p->sections = true;
    parse_sections(p);
    break;
  case W_STARTUP: parse_startup(p, &t); break;
  case W_TARGET: out->target = parse_placed(p, &out->target_at, "a format"); break;
  case W_VERSION: parse_version(p); break;
  default: unknown_command(p, &t);
  }
}

/* A parser's vector with `n` rows that earlier scripts left. */
#define PRELOAD(v, rows, count)                                                                    \
  do {                                                                                             \
    vec_reserve((v), (count));                                                                     \
    if (count)                                                                                     \
      memcpy((v)->at, (rows), (count) * sizeof *(v)->at);                                          \
    (v)->n = (count);                                                                              \
  } while (0)
/* And as an array in the arena. */
#define KEEP(p, v) vec_keep((p)->a, (v)->at, (v)->n * sizeof *(v)->at)

static void *vec_keep(Arena *a, const void *at, u64 size) {
  void *p = arena_alloc(a, size, 8);
  if (size)
    memcpy(p, at, size);
  return p;
}

bool script_parse(Arena *a, Diag *d, const char *name, Bytes text, Script *out) {
  Parser p;
  parser_init(&p, a, d, "linker-script");
  p.out = out;
  LayoutDesc *y = &out->layout;
  PRELOAD(&p.stmts, y->stmts, y->nstmts);
  PRELOAD(&p.regions, y->regions, y->nregions);
  PRELOAD(&p.phdrs, y->phdrs, y->nphdrs);
  PRELOAD(&p.nocross, y->nocross, y->nnocross);
  p.insert_from = y->nstmts;
  for (u32 i = 0; i < y->nstmts; i++)
    p.overlays = MAX(p.overlays, y->stmts[i].overlay);
  if (parser_push(&p, name, text))
    while (!p.failed && peek(&p, LEX_STMT)->kind != TOK_EOF)
      if (!accept(&p, LEX_STMT, P1(';')))
        parse_command(&p);
  out->has_sections |= p.sections;
  *y = (LayoutDesc){.name = arena_strdup(a, name),
                    .stmts = KEEP(&p, &p.stmts),
                    .nstmts = p.stmts.n,
                    .regions = KEEP(&p, &p.regions),
                    .nregions = p.regions.n,
                    .phdrs = KEEP(&p, &p.phdrs),
                    .nphdrs = p.phdrs.n,
                    .nocross = KEEP(&p, &p.nocross),
                    .nnocross = p.nocross.n,
                    .sane_expr = out->sane_expr || y->sane_expr,
                    .orders_outputs = y->orders_outputs || p.orders_outputs};
  vec_free(&p.stmts);
  vec_free(&p.patterns);
  vec_free(&p.body);
  vec_free(&p.regions);
  vec_free(&p.phdrs);
  vec_free(&p.nocross);
  vec_free(&p.names);
  return !p.bad;
}

void script_free(Script *s) {
  vec_free(&s->inputs);
  vec_free(&s->search_dirs);
  vec_free(&s->externs);
  vec_free(&s->inserts);
  vec_free(&s->texts);
  script_free_version(&s->version);
}
