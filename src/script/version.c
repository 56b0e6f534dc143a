/* version.c: version scripts, dynamic lists, and the VERSION command of linker scripts. The trap:
 * the words global, local and extern are patterns too unless what follows says otherwise ("{ local;
 * };" names a symbol), and a quoted name is exact whatever it holds. */
#include <stdlib.h>

#include "script/parser.h"
#include "util/glob.h"
#include "util/hash.h"

/* ELF's version index has 15 bits; 0 and 1 are taken. */
enum { MAX_VERSIONS = 0x7fff - 2 };

/* Names of nodes, to find parents and repetitions: slots hold node + 1. */
typedef struct {
  u32 *slots;
  u32 mask, n;
} Names;

static u32 *names_slot(const Names *t, const VersionScript *v, const char *name) {
  u32 at = (u32)hash_bytes(name, strlen(name)) & t->mask;
  while (t->slots[at] && !streq(v->nodes.at[t->slots[at] - 1].name, name))
    at = (at + 1) & t->mask;
  return &t->slots[at];
}

static void names_add(Parser *p, Names *t, const VersionScript *v, u32 node) {
  if (t->n * 2 >= t->mask) {
    Names old = *t;
    t->mask = old.mask * 2 + 15;
    t->mask |= t->mask >> 1, t->mask |= t->mask >> 2, t->mask |= t->mask >> 4;
    t->mask |= t->mask >> 8, t->mask |= t->mask >> 16;
    t->slots = ARENA_ARRAY(p->a, u32, (u64)t->mask + 1);
    for (u32 i = 0; old.slots && i <= old.mask; i++)
      if (old.slots[i])
        *names_slot(t, v, v->nodes.at[old.slots[i] - 1].name) = old.slots[i];
  }
  *names_slot(t, v, v->nodes.at[node].name) = node + 1;
  t->n++;
}

static bool names_has(const Names *t, const VersionScript *v, const char *name) {
  return t->slots && *names_slot(t, v, name);
}

static void add_pattern(Parser *p, const Tok *t, bool cxx, VersionPatterns *to) {
  char *s = arena_strndup(p->a, (const char *)t->p, t->len);
  bool exact = t->kind == TOK_QUOTED || !glob_has_magic(s);
  if (t->kind != TOK_QUOTED) {
    if (!exact && !glob_valid(s)) {
      report(p, t, "invalid version pattern '%.100s'", s);
      return;
    }
    if (exact)
      glob_unescape(s);
  }
  *vec_push(to) = (VersionPattern){.pattern = s, .cxx = cxx, .exact = exact, .line = t->line};
}

/* Patterns up to the closing brace, which it takes. `local` is NULL where local: may not stand;
 * `to` is the list that counts first, and the only one inside extern. */
static void parse_patterns(Parser *p, bool cxx, bool in_extern, VersionPatterns *global,
                           VersionPatterns *local) {
  VersionPatterns *to = global;
  LexMode m = cxx ? LEX_CXX : LEX_VERSION;
  while (!p->failed && !accept(p, m, P1('}'))) {
    if (accept(p, m, P1(';')))
      continue;
    const Tok *look = peek(p, m);
    if (look->kind != TOK_NAME && look->kind != TOK_QUOTED) {
      expected(p, m, in_extern ? "a symbol or '}'" : "a symbol, 'global:', 'local:' or '}'");
      return;
    }
    Tok t = next(p, m);
    bool is_global = tok_is(&t, "global"), is_local = tok_is(&t, "local");
    if (!in_extern && (is_global || is_local) && accept(p, m, P1(':'))) {
      if (is_local && !local)
        syntax_error(p, &t, "a dynamic list has no 'local:'");
      to = is_local && local ? local : global;
      continue;
    }
    if (tok_is(&t, "extern") && peek(p, m)->kind == TOK_QUOTED) {
      Tok lang = next(p, m);
      bool is_cxx = lang.len == 3 && !memcmp(lang.p, "C++", 3);
      if (!is_cxx && !(lang.len == 1 && *lang.p == 'C'))
        report(p, &lang, "unknown language '%.*s'; expected \"C\" or \"C++\"",
               (int)MIN(lang.len, 40u), (const char *)lang.p);
      if (enter(p) && expect(p, m, P1('{')))
        parse_patterns(p, is_cxx, true, to, NULL);
      leave(p);
    } else {
      add_pattern(p, &t, cxx, to);
    }
    look = peek(p, m);
    if (!tok_punct(look, P1(';')) && !tok_punct(look, P1('}')))
      expected(p, m, "';'");
  }
}

/* After the '}' of a node. The last one may end with the text. */
static void expect_end(Parser *p) {
  if (peek(p, LEX_VERSION)->kind != TOK_EOF)
    expect(p, LEX_VERSION, P1(';'));
}

static void parse_node(Parser *p, VersionScript *out, Names *names) {
  VersionNode node = {0};
  const Tok *look = peek(p, LEX_VERSION);
  Tok at = *look;
  node.line = at.line;
  node.file = at.src->name;
  if (look->kind == TOK_NAME || look->kind == TOK_QUOTED) {
    next(p, LEX_VERSION);
    node.name = tok_str(p, &at);
  }
  if (!expect(p, LEX_VERSION, P1('{')))
    return;
  parse_patterns(p, false, false, &node.global, &node.local);

  while (!p->failed && (peek(p, LEX_VERSION)->kind == TOK_NAME || p->tok.kind == TOK_QUOTED)) {
    Tok t = next(p, LEX_VERSION);
    const char *parent = tok_str(p, &t);
    if (!names_has(names, out, parent))
      report(p, &t, "version '%.100s' is not defined before this", parent);
    *vec_push(&node.parents) = parent;
  }
  expect_end(p);

  if (node.name && names_has(names, out, node.name))
    report(p, &at, "duplicate version '%.100s'", node.name);
  if (out->nodes.n && (!node.name || !out->nodes.at[0].name))
    report(p, &at, "an anonymous version can't stand beside other versions");
  if (out->nodes.n >= MAX_VERSIONS)
    syntax_error(p, &at, "too many versions");
  *vec_push(&out->nodes) = node;
  if (node.name)
    names_add(p, names, out, out->nodes.n - 1);
}

void parse_version_nodes(Parser *p, VersionScript *out, bool in_braces) {
  Names names = {0};
  for (u32 i = 0; i < out->nodes.n; i++)
    if (out->nodes.at[i].name)
      names_add(p, &names, out, i);
  while (!p->failed) {
    if (accept(p, LEX_VERSION, P1(';')))
      continue;
    const Tok *look = peek(p, LEX_VERSION);
    if (in_braces ? tok_punct(look, P1('}')) : look->kind == TOK_EOF)
      break;
    parse_node(p, out, &names);
  }
}

bool script_parse_version(Arena *a, Diag *d, const char *name, Bytes text, VersionScript *out) {
  Parser p;
  parser_init(&p, a, d, "version-script");
  if (parser_push(&p, name, text))
    parse_version_nodes(&p, out, false);
  return !p.bad;
}

bool script_parse_dynamic_list(Arena *a, Diag *d, const char *name, Bytes text,
                               VersionPatterns *out) {
  Parser p;
  parser_init(&p, a, d, "dynamic-list");
  if (parser_push(&p, name, text)) {
    while (!p.failed && peek(&p, LEX_VERSION)->kind != TOK_EOF) {
      if (accept(&p, LEX_VERSION, P1(';')))
        continue;
      if (!expect(&p, LEX_VERSION, P1('{')))
        break;
      parse_patterns(&p, false, false, out, NULL);
      expect_end(&p);
    }
  }
  return !p.bad;
}

void script_free_version(VersionScript *v) {
  for (u32 i = 0; i < v->nodes.n; i++) {
    VersionNode *n = &v->nodes.at[i];
    vec_free(&n->parents);
    vec_free(&n->global);
    vec_free(&n->local);
  }
  vec_free(&v->nodes);
}
