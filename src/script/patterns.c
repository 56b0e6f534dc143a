/* patterns.c: what stands for input sections: *(.text .text.*), KEEP(...), EXCLUDE_FILE, SORT_BY_*, INPUT_SECTION_FLAGS. GNU ld manual,
 * "Input Section Description". The trap: a wrapper may stand around the file, around the section, or around another wrapper, and
 * SORT(CONSTRUCTORS) looks like one; so a name is read to its end first, with what stood around it, and judged then. */
#include <stdlib.h>

#include "script/parser.h"
#include "util/glob.h"

/* What stands around a file or a section. */
typedef struct {
  SortKind sort, sort2;
  bool no_sort, reverse;
  u32 nsort;
  const char *const *exclude;
  u32 nexclude;
} Around;

static bool sort_word(const Tok *t, SortKind *sort) {
  switch (t->word) {
  case W_SORT:
  case W_SORT_BY_NAME: *sort = SORT_NAME; return true;
  case W_SORT_BY_ALIGNMENT: *sort = SORT_ALIGN; return true;
  case W_SORT_BY_INIT_PRIORITY: *sort = SORT_PRIORITY; return true;
  case W_SORT_NONE: *sort = SORT_NONE; return true;
  default: return false;
  }
}

/* A quoted name is a pattern, too: the manual quotes what has blanks or commas in it. */
static const char *pattern_name(Parser *p, const Tok *t) {
  const char *s = tok_str(p, t);
  if (!glob_valid(s))
    report(p, t, "invalid pattern '%.100s'", s);
  return s;
}

/* Appends the names of EXCLUDE_FILE( ... ), the word taken, to those of `a`. */
static void parse_exclude(Parser *p, Around *a) {
  u32 base = p->names.n;
  for (u32 i = 0; i < a->nexclude; i++)
    *vec_push(&p->names) = a->exclude[i];
  expect(p, LEX_PATTERN, P1('('));
  while (!p->failed && !accept(p, LEX_PATTERN, P1(')'))) {
    if (accept(p, LEX_PATTERN, P1(',')))
      continue;
    Tok t = *peek(p, LEX_PATTERN);
    if (expect_name(p, LEX_PATTERN, "a file or ')'"))
      *vec_push(&p->names) = pattern_name(p, &t);
  }
  a->nexclude = p->names.n - base;
  a->exclude = names_take(p, base);
}

/* [SORT*(] [REVERSE(] [EXCLUDE_FILE(...)] name [)] -> the name's token, and what stood around it.
 * `first` is a token already taken, or NULL. */
static bool parse_wrapped(Parser *p, const Tok *first, Around *a, Tok *name) {
  Tok t = first ? *first : next(p, LEX_PATTERN);
  if (t.kind != TOK_NAME && t.kind != TOK_QUOTED) {
    unread(p, &t);
    expected(p, LEX_PATTERN, "a name or a pattern");
    return false;
  }
  SortKind sort = SORT_NONE;
  bool sorts = sort_word(&t, &sort);
  if ((!sorts && t.word != W_EXCLUDE_FILE && t.word != W_REVERSE) || !tok_punct(peek(p, LEX_PATTERN), P1('('))) {
    *name = t;
    return true;
  }
  bool ok = false;
  if (!enter(p)) {
    /* reported */
  } else if (t.word == W_EXCLUDE_FILE) {
    parse_exclude(p, a);
    ok = parse_wrapped(p, NULL, a, name);
  } else {
    next(p, LEX_PATTERN);
    if (t.word == W_REVERSE)
      a->reverse = true;
    else if (t.word == W_SORT_NONE)
      a->no_sort = true;
    else if (a->nsort == 2)
      syntax_error(p, &t, "SORT stands in more than two SORTs");
    else if (a->nsort && (sort == SORT_PRIORITY || a->sort == SORT_PRIORITY))
      syntax_error(p, &t, "SORT_BY_INIT_PRIORITY stands with another SORT");
    else
      *(a->nsort++ ? &a->sort2 : &a->sort) = sort;
    ok = parse_wrapped(p, NULL, a, name) && expect(p, LEX_PATTERN, P1(')'));
  }
  leave(p);
  return ok && !p->failed;
}

/* What sorts does not, and REVERSE alone sorts by name: GNU ld manual, "Input Section Wildcards". */
static void settle_around(Around *a) {
  if (a->no_sort)
    a->sort = a->sort2 = SORT_NONE, a->nsort = 0;
  else if (a->reverse && !a->nsort)
    a->sort = SORT_NAME;
  if (a->sort2 == a->sort)
    a->sort2 = SORT_NONE;
}

/* INPUT_SECTION_FLAGS( SHF_A & !SHF_B ), the word taken. What each format has is a question about atoms, all else one about its flags. */
static void parse_section_flags(Parser *p, LayoutPattern *row) {
  expect(p, LEX_EXPR, P1('('));
  do {
    bool not = accept(p, LEX_EXPR, P1('!'));
    Tok t = *peek(p, LEX_EXPR);
    if (t.kind == TOK_NUMBER) {
      next(p, LEX_EXPR);
      *(not ? &row->attr_without : &row->attr_with) |= (u32)t.num;
      continue;
    }
    if (!expect_name(p, LEX_EXPR, "a section flag (SHF_...)"))
      return;
    const ElfName *flag = elf_name("SHF", &t);
    if (!flag)
      report(p, &t, "unknown section flag '%.*s'%s", (int)MIN(t.len, 40u), (const char *)t.p, elf_name_near(p, "SHF", &t));
    else
      *(not ? &row->attr_without : &row->attr_with) |= (u32)flag->number;
  } while (accept(p, LEX_EXPR, P1('&')) && !p->failed);
  expect(p, LEX_EXPR, P1(')'));
}

static void add_pattern(Parser *p, const LayoutPattern *row) {
  if (p->patterns.n == MAX_PATTERNS)
    syntax_error(p, peek(p, LEX_PATTERN), "an output section has more than %d patterns", MAX_PATTERNS);
  else
    *vec_push(&p->patterns) = *row;
}

/* [.text .data]: sections of any file, as opposed to [a-z]*.o(.text) */
static bool is_bracket_list(Parser *p, const Tok *t) {
  if (t->kind != TOK_NAME || *t->p != '[')
    return false;
  const u8 *end = memchr(t->p, ']', t->len);
  return !end || (end == t->p + t->len - 1 && !tok_punct(peek(p, LEX_PATTERN), P1('(')));
}

void parse_input(Parser *p, const Tok *t, bool keep) {
  LayoutPattern row = {.keep = keep};
  Tok first = *t, name = {0};
  if (first.word == W_INPUT_SECTION_FLAGS && tok_punct(peek(p, LEX_PATTERN), P1('('))) {
    parse_section_flags(p, &row);
    first = next(p, LEX_PATTERN);
  }
  Around file = {0};
  bool brackets = is_bracket_list(p, &first);
  if (brackets) {
    unread(p, &first);
    p->src->pos++;
  } else {
    if (!parse_wrapped(p, &first, &file, &name))
      return;
    if (name.word == W_CONSTRUCTORS && !tok_punct(peek(p, LEX_PATTERN), P1('(')))
      return; /* SORT(CONSTRUCTORS): ELF has none of those */
    row.file = name.len == 1 && *name.p == '*' ? NULL : pattern_name(p, &name);
    settle_around(&file);
    row.sort_files = file.sort == SORT_NAME;
    row.reverse_files = file.reverse && row.sort_files;
    if (file.nsort && (file.sort != SORT_NAME || file.nsort > 1))
      report(p, &first, "files can be sorted by name only");
    if (!accept(p, LEX_PATTERN, P1('('))) {
      row.section = "*";
      row.exclude_files = file.exclude;
      add_pattern(p, &row);
      return;
    }
  }
  bool any = false, last = false;
  while (!p->failed && !last && (brackets || !accept(p, LEX_PATTERN, P1(')')))) {
    if (accept(p, LEX_PATTERN, P1(',')))
      continue;
    Around section = {.exclude = file.exclude, .nexclude = file.nexclude};
    if (!parse_wrapped(p, NULL, &section, &name))
      return;
    last = brackets && name.kind == TOK_NAME && name.p[name.len - 1] == ']' && !memchr(name.p, '[', name.len);
    name.len -= last;
    if (!name.len)
      break;
    settle_around(&section);
    row.section = pattern_name(p, &name);
    row.exclude_files = section.exclude;
    /* One list is ordered together, by what its patterns ask for alike. */
    row.joined = any && row.sort == section.sort && row.sort2 == section.sort2 && row.reverse == section.reverse && row.no_sort == section.no_sort;
    row.sort = section.sort;
    row.sort2 = section.sort2;
    row.no_sort = section.no_sort;
    row.reverse = section.reverse;
    add_pattern(p, &row);
    any = true;
  }
}
