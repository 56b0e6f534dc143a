/* memory.c: MEMORY, REGION_ALIAS, PHDRS, NOCROSSREFS: what stands beside SECTIONS. GNU ld manual, "MEMORY Command", "PHDRS
 * Command". The trap: several scripts make one layout, so regions of earlier ones are known here, while a section may name
 * a region that only comes later: who refers is checked when all scripts were read (script_check). */
#include <stdlib.h>

#include "script/parser.h"

/* ---- memory regions ---- */

static u32 find_region(const Parser *p, const char *name) {
  u32 i = 0;
  while (i < p->regions.n && !streq(p->regions.at[i].name, name))
    i++;
  return i;
}

/* rwx, !w, (r x): one word of them. `invert` holds from a '!' on, over words too in GNU ld. */
static void region_attributes(Parser *p, const Tok *t, bool invert, LayoutRegion *r) {
  for (u32 i = 0; i < t->len; i++) {
    u32 attr = 0;
    switch (t->p[i] | 0x20) {
    case 'r': attr = REGION_READONLY; break;
    case 'w': attr = REGION_WRITABLE; break;
    case 'x': attr = REGION_EXECUTABLE; break;
    case 'a': attr = REGION_ALLOCATED; break;
    case 'i':
    case 'l': attr = REGION_INITIALIZED; break;
    case '!' | 0x20: invert = !invert; break;
    default: report(p, t, "unknown attribute '%c' of a memory region; there are r w x a i l and !", t->p[i]); return;
    }
    *(invert ? &r->not_attrs : &r->attrs) |= attr;
  }
}

/* ( rwx !w ), the '(' taken. */
static void parse_attributes(Parser *p, LayoutRegion *r) {
  while (!p->failed && !accept(p, LEX_STMT, P1(')'))) {
    bool invert = accept(p, LEX_STMT, P1('!'));
    const Tok *look = peek(p, LEX_STMT);
    if (look->kind != TOK_NAME) {
      expected(p, LEX_STMT, "attributes (r w x a i l, !) or ')'");
      return;
    }
    Tok t = next(p, LEX_STMT);
    region_attributes(p, &t, invert, r);
  }
}

/* ORIGIN = a, LENGTH = b */
static void parse_extent(Parser *p, const char *const words[3], const Expr **value) {
  Tok t = *peek(p, LEX_EXPR);
  if (!tok_is(&t, words[0]) && !tok_is(&t, words[1]) && !tok_is(&t, words[2])) {
    expected(p, LEX_EXPR, words[0]);
    return;
  }
  next(p, LEX_EXPR);
  expect(p, LEX_EXPR, P1('='));
  *value = parse_expr(p);
}

/* NAME [(attributes)] : ORIGIN = a, LENGTH = b */
static void parse_region(Parser *p) {
  Tok at = *peek(p, LEX_STMT);
  LayoutRegion r = {.alias = UINT32_MAX, .file = at.src->name, .line = at.line, .col = at.begin - at.line_start + 1};
  r.name = expect_name(p, LEX_STMT, "a memory region or '}'");
  if (accept(p, LEX_STMT, P1('(')))
    parse_attributes(p, &r);
  expect(p, LEX_STMT, P1(':'));
  parse_extent(p, (const char *const[]){"ORIGIN", "org", "o"}, &r.origin);
  accept(p, LEX_EXPR, P1(','));
  parse_extent(p, (const char *const[]){"LENGTH", "len", "l"}, &r.length);
  if (p->failed)
    return;
  u32 i = find_region(p, r.name);
  if (i == MAX_NAMED) {
    syntax_error(p, &at, "more than %d memory regions", MAX_NAMED);
  } else if (i == p->regions.n) {
    *vec_push(&p->regions) = r;
  } else {
    warn(p, &at, "memory region '%.100s' is declared again; this one counts", r.name);
    p->regions.at[i] = r;
  }
}

void parse_memory(Parser *p) {
  expect(p, LEX_STMT, P1('{'));
  while (!p->failed && !accept(p, LEX_STMT, P1('}'))) {
    if (accept(p, LEX_STMT, P1(';')) || accept(p, LEX_STMT, P1(',')))
      continue;
    if (accept_word(p, LEX_STMT, W_INCLUDE))
      parse_include(p);
    else
      parse_region(p);
  }
}

void parse_region_alias(Parser *p) {
  expect(p, LEX_STMT, P1('('));
  Tok at = *peek(p, LEX_STMT);
  LayoutRegion r = {.file = at.src->name, .line = at.line, .col = at.begin - at.line_start + 1};
  r.name = expect_name(p, LEX_STMT, "a name for a memory region");
  expect(p, LEX_STMT, P1(','));
  Tok to = *peek(p, LEX_STMT);
  const char *name = expect_name(p, LEX_STMT, "a memory region");
  expect(p, LEX_STMT, P1(')'));
  if (p->failed)
    return;
  u32 i = find_region(p, name);
  if (i == p->regions.n) {
    Near n = near_to(name);
    for (u32 k = 0; k < p->regions.n; k++)
      near_try(&n, p->regions.at[k].name);
    report(p, &to, "there is no memory region '%.100s' before this%s", name, near_hint(p, &n));
  } else if (find_region(p, r.name) != p->regions.n) {
    report(p, &at, "there is a memory region '%.100s' already", r.name);
  } else if (p->regions.n == MAX_NAMED) {
    syntax_error(p, &at, "more than %d memory regions", MAX_NAMED);
  } else {
    r.alias = p->regions.at[i].alias == UINT32_MAX ? i : p->regions.at[i].alias;
    *vec_push(&p->regions) = r;
  }
}

/* ---- program headers ---- */

static const ElfName elf_names[] = {
#define ELF(kind, name, number) {#kind, #name, number},
#include "format/elf_names.def"
#undef ELF
};

const char *near_hint(Parser *p, const Near *n) {
  return n->best ? arena_printf(p->a, "; did you mean '%.100s'?", n->best) : "";
}

const char *elf_name_near(Parser *p, const char *prefix, const Tok *t) {
  Near n = near_to(tok_str(p, t));
  for (u32 i = 0; i < COUNT_OF(elf_names); i++)
    if (streq(elf_names[i].kind, prefix))
      near_try(&n, arena_printf(p->a, "%s_%s", prefix, elf_names[i].name));
  return near_hint(p, &n);
}

const ElfName *elf_name(const char *prefix, const Tok *t) {
  u32 n = (u32)strlen(prefix);
  if (t->kind == TOK_NAME && t->len > n + 1 && !memcmp(t->p, prefix, n) && t->p[n] == '_')
    for (u32 i = 0; i < COUNT_OF(elf_names); i++)
      if (streq(elf_names[i].kind, prefix) && strlen(elf_names[i].name) == t->len - n - 1 &&
          !memcmp(elf_names[i].name, t->p + n + 1, t->len - n - 1))
        return &elf_names[i];
  return NULL;
}

/* PT_LOAD, or an expression. */
static const Expr *parse_phdr_type(Parser *p) {
  Tok t = *peek(p, LEX_EXPR);
  const ElfName *known = elf_name("PT", &t);
  if (known) {
    next(p, LEX_EXPR);
    Expr *e = expr_make(p, &t, EX_NUM, NULL, NULL);
    e->num = known->number;
    return e;
  }
  if (t.kind == TOK_NAME) /* no symbol has a value when program headers are planned */
    syntax_error(p, &t, "unknown type '%.*s' of a program header%s", (int)MIN(t.len, 60u), (const char *)t.p,
                 elf_name_near(p, "PT", &t));
  return parse_expr(p);
}

/* NAME TYPE [FILEHDR] [PHDRS] [AT(a)] [FLAGS(f)] ; */
static void parse_phdr(Parser *p) {
  Tok at = *peek(p, LEX_STMT);
  LayoutPhdr h = {.file = at.src->name, .line = at.line, .col = at.begin - at.line_start + 1};
  h.name = expect_name(p, LEX_STMT, "a program header or '}'");
  h.type = parse_phdr_type(p);
  while (!p->failed && !accept(p, LEX_EXPR, P1(';'))) {
    if (accept_word(p, LEX_EXPR, W_FILEHDR))
      h.filehdr = true;
    else if (accept_word(p, LEX_EXPR, W_PHDRS))
      h.phdrs = true;
    else if (accept_word(p, LEX_EXPR, W_AT))
      h.at = parse_paren_expr(p);
    else if (accept_word(p, LEX_EXPR, W_FLAGS))
      h.flags = parse_paren_expr(p);
    else
      expected(p, LEX_EXPR, "FILEHDR, PHDRS, AT, FLAGS or ';'");
  }
  for (u32 i = 0; i < p->phdrs.n && !p->failed; i++)
    if (streq(p->phdrs.at[i].name, h.name)) {
      report(p, &at, "there is a program header '%.100s' already", h.name);
      return;
    }
  if (p->phdrs.n == MAX_NAMED)
    syntax_error(p, &at, "more than %d program headers", MAX_NAMED);
  else if (!p->failed)
    *vec_push(&p->phdrs) = h;
}

void parse_phdrs(Parser *p) {
  expect(p, LEX_STMT, P1('{'));
  while (!p->failed && !accept(p, LEX_STMT, P1('}')))
    if (!accept(p, LEX_STMT, P1(';')))
      parse_phdr(p);
}

/* ---- cross references ---- */

void add_nocross(Parser *p, const Tok *at, const char *const *names, u32 n, bool to_first) {
  p->ncrossnames += MIN(n, (u32)MAX_NAMED);
  if (p->ncrossnames > MAX_NAMED) {
    syntax_error(p, at, "more than %d names in NOCROSSREFS", MAX_NAMED);
    return;
  }
  const char **list = ARENA_ARRAY(p->a, const char *, (u64)n + 1);
  memcpy(list, names, n * sizeof *list);
  *vec_push(&p->nocross) =
      (LayoutNoCross){.names = list, .to_first = to_first, .file = at->src->name, .line = at->line, .col = at->begin - at->line_start + 1};
}

/* ( a b c ) */
void parse_nocross(Parser *p, const Tok *word, bool to_first) {
  VEC(const char *) names = {0};
  expect(p, LEX_STMT, P1('('));
  while (!p->failed && !accept(p, LEX_STMT, P1(')'))) {
    if (accept(p, LEX_STMT, P1(',')))
      continue;
    const char *s = expect_name(p, LEX_STMT, "an output section or ')'");
    if (s)
      *vec_push(&names) = s;
  }
  if (names.n > 1 && !p->failed) /* one alone: nobody else is forbidden anything */
    add_nocross(p, word, names.at, names.n, to_first);
  vec_free(&names);
}
