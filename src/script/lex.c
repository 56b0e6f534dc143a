/* lex.c: cuts the text of scripts into tokens, and reports errors with the line and a caret. See
 * parser.h for the one trap: the mode decides what a name is. */
#include <stdlib.h>

#include "script/parser.h"
#include "util/excerpt.h"

enum { MAX_TEXT = 256 << 20 };

void parser_init(Parser *p, Arena *a, Diag *d, const char *code) {
  *p = (Parser){.a = a, .d = d, .code = code};
}

bool parser_push(Parser *p, const char *name, Bytes text) {
  if (text.len > MAX_TEXT) {
    diag_error(p->d, p->code, "%s: too large for a script (%llu bytes)", name,
               (unsigned long long)text.len);
    p->bad = p->failed = true;
    return false;
  }
  Source *s = ARENA_NEW(p->a, Source);
  *s = (Source){.name = arena_strdup(p->a, name),
                .p = text.p,
                .len = (u32)text.len,
                .line = 1,
                .up = p->src,
                .depth = p->src ? p->src->depth + 1 : 0};
  if (s->len >= 3 && !memcmp(s->p, "\xef\xbb\xbf", 3))
    s->pos = s->line_start = 3; /* a byte order mark */
  p->src = s;
  p->have = false;
  if (p->out)
    *vec_push(&p->out->texts) = (ScriptText){s->name, text};
  return true;
}

/* ---- messages ---- */

static void vreport(Parser *p, const Tok *at, const char *fmt, va_list ap) PRINTF_LIKE(3, 0);
static void vreport(Parser *p, const Tok *at, const char *fmt, va_list ap) {
  const Source *s = at->src;
  Excerpt x = {.path = s->name, .text = {s->p, s->len}, .begin = at->begin, .end = at->end, .line = at->line, .line_start = at->line_start};
  p->bad = true;
  excerpt_vreport(p->d, DIAG_ERROR, p->code, &x, fmt, ap);
}

void report(Parser *p, const Tok *at, const char *fmt, ...) {
  if (p->failed)
    return;
  va_list ap;
  va_start(ap, fmt);
  vreport(p, at, fmt, ap);
  va_end(ap);
}

void syntax_error(Parser *p, const Tok *at, const char *fmt, ...) {
  if (p->failed)
    return;
  va_list ap;
  va_start(ap, fmt);
  vreport(p, at, fmt, ap);
  va_end(ap);
  p->failed = true;
}

void expected(Parser *p, LexMode m, const char *what) {
  Tok t = *peek(p, m);
  if (t.kind == TOK_EOF)
    syntax_error(p, &t, "expected %s, found the end of the text", what);
  else
    syntax_error(p, &t, "expected %s, found '%.*s'", what, (int)MIN(t.end - t.begin, 60u),
                 (const char *)t.src->p + t.begin);
}

void unread(Parser *p, const Tok *t) {
  if (p->failed)
    return;
  if (p->src != t->src) {
    syntax_error(p, t, "an included file ends here");
    return;
  }
  t->src->pos = t->begin;
  t->src->line = t->line;
  t->src->line_start = t->line_start;
  p->have = false;
}

bool enter(Parser *p) {
  if (++p->depth <= MAX_NESTING)
    return true;
  Tok t = *peek(p, LEX_EXPR);
  syntax_error(p, &t, "nested too deeply");
  return false;
}

void leave(Parser *p) {
  p->depth--;
}

/* ---- tokens ---- */

static bool is_digit(u8 c) {
  return c >= '0' && c <= '9';
}
static bool is_alnum(u8 c) {
  return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* Value of a digit in any base up to 16, or 16. */
static u32 digit(u8 c) {
  return is_digit(c)                              ? (u32)(c - '0')
         : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (u32)((c | 0x20) - 'a' + 10)
                                                  : 16;
}

/* Is s[i] part of a name in mode m? */
static bool in_name(const Source *s, u32 i, LexMode m) {
  u8 c = s->p[i], after = i + 1 < s->len ? s->p[i + 1] : 0;
  if (is_alnum(c) || c == '_' || c == '.' || c == '$' || c == '\\' || c >= 0x80)
    return true;
  if (c <= ' ' || c == 0x7f || c == '"' || c == ';' || c == '{' || c == '}')
    return false;
  switch (m) {
  case LEX_EXPR: return false;
  case LEX_FILE: return c != '(' && c != ')' && c != ',';
  case LEX_STMT:
  case LEX_PATTERN:
    if (after == '=' && strchr("+-*/^", c))
      return false; /* an assignment operator */
    if (c == '/')
      return m == LEX_PATTERN || after != '*'; /* dir/[glob star].o is a pattern, not a comment */
    return strchr("+-*?[]^!~@%", c) || (m == LEX_PATTERN && c == ':');
  case LEX_VERSION:
  case LEX_CXX:
    if (c == '/')
      return after != '*';
    if (c == ':')
      return after == ':' || (i && s->p[i - 1] == ':');
    return strchr("*?[]-!^~+@=%", c) || (m == LEX_CXX && strchr("()<>,&|'", c));
  }
  return false;
}

/* Skips blanks and comments. False when a comment does not end (*at says where it began). */
static bool skip_blanks(Source *s, u32 *at) {
  while (s->pos < s->len) {
    u8 c = s->p[s->pos];
    if (c == '\n') {
      s->line++;
      s->line_start = ++s->pos;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
      s->pos++;
    } else if (c == '#') {
      while (s->pos < s->len && s->p[s->pos] != '\n')
        s->pos++;
    } else if (c == '/' && s->pos + 1 < s->len && s->p[s->pos + 1] == '*') {
      u32 line = s->line, line_start = s->line_start;
      *at = s->pos;
      for (s->pos += 2;; s->pos++) {
        if (s->pos + 1 >= s->len) {
          s->line = line;
          s->line_start = line_start;
          return false;
        }
        if (s->p[s->pos] == '\n') {
          s->line++;
          s->line_start = s->pos + 1;
        } else if (s->p[s->pos] == '*' && s->p[s->pos + 1] == '/') {
          break;
        }
      }
      s->pos += 2;
    } else {
      break;
    }
  }
  return true;
}

static void lex_string(Parser *p, Tok *t) {
  Source *s = t->src;
  t->kind = TOK_QUOTED;
  t->p = s->p + ++s->pos;
  while (s->pos < s->len && s->p[s->pos] != '"') {
    if (!s->p[s->pos]) {
      syntax_error(p, t, "NUL byte in a string");
      return;
    }
    if (s->p[s->pos] == '\n') {
      s->line++;
      s->line_start = s->pos + 1;
    }
    s->pos++;
  }
  if (s->pos == s->len) {
    syntax_error(p, t, "unclosed string");
    return;
  }
  t->len = (u32)(s->p + s->pos - t->p);
  s->pos++;
}

/* 10, 010, 0x10, $10, 10H, 4K, 0x1M. GNU ld manual, "Constants". */
static void lex_number(Parser *p, Tok *t) {
  const u8 *q = t->p;
  u32 n = t->len, base = 10;
  u64 scale = 1;
  if (n > 1 && q[0] == '0' && (q[1] | 0x20) == 'x') {
    base = 16;
    q += 2;
    n -= 2;
  } else if (q[0] == '$') {
    base = 16;
    q++;
    n--;
  } else {
    switch (n > 1 ? q[n - 1] | 0x20 : 0) {
    case 'h':
    case 'x':
      base = 16;
      n--;
      break;
    case 'o':
      base = 8;
      n--;
      break;
    case 'b':
      base = 2;
      n--;
      break;
    case 'd': n--; break;
    default: base = q[0] == '0' ? 8 : 10;
    }
  }
  if (n > 1 && ((q[n - 1] | 0x20) == 'k' || (q[n - 1] | 0x20) == 'm'))
    scale = (q[--n] | 0x20) == 'k' ? 1024 : 1024 * 1024;
  bool fits = true;
  u64 v = 0;
  for (u32 i = 0; i < n; i++) {
    u32 d = digit(q[i]);
    if (d >= base) {
      syntax_error(p, t, "'%.*s' is not a number", (int)MIN(t->len, 60u), (const char *)t->p);
      return;
    }
    fits =
        fits && !__builtin_mul_overflow(v, (u64)base, &v) && !__builtin_add_overflow(v, (u64)d, &v);
  }
  if (!n)
    syntax_error(p, t, "'%.*s' is not a number", (int)MIN(t->len, 60u), (const char *)t->p);
  fits = fits && !__builtin_mul_overflow(v, scale, &v);
  t->kind = TOK_NUMBER;
  t->num = fits ? v : 0;
  t->punct = !fits; /* only a fill may be that long: parse_expr asks */
}

static u32 punct_len(const Source *s) {
  static const char *const two[] = {
      "<<", ">>", "&&", "||", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "&=", "|=", "^="};
  u32 left = s->len - s->pos;
  const u8 *q = s->p + s->pos;
  if (left >= 3 && (!memcmp(q, "<<=", 3) || !memcmp(q, ">>=", 3)))
    return 3;
  for (u32 i = 0; left >= 2 && i < COUNT_OF(two); i++)
    if (!memcmp(q, two[i], 2))
      return 2;
  return *q && strchr("+-*/%&|^~!<>=?:(),;{}", *q) ? 1 : 0;
}

static void lex_token(Parser *p, Tok *t, LexMode m) {
  Source *s = t->src;
  u8 c = s->p[s->pos];
  if (c == '"') {
    lex_string(p, t);
    return;
  }
  t->p = s->p + s->pos;
  static const char discard[] =
      "/DISCARD/"; /* may follow the expression of a fill: not a division */
  u32 ndiscard = sizeof discard - 1;
  if (m == LEX_EXPR && c == '/' && s->len - s->pos >= ndiscard &&
      !memcmp(t->p, discard, ndiscard)) {
    t->kind = TOK_NAME;
    t->len = ndiscard;
    s->pos += ndiscard;
    return;
  }
  if (m == LEX_EXPR && (is_digit(c) || c == '$')) {
    u32 i = s->pos + 1;
    bool number = is_digit(c) || (i < s->len && digit(s->p[i]) < 16);
    for (; i < s->len && (is_digit(c) ? is_alnum(s->p[i]) : in_name(s, i, m)); i++)
      number = number && (is_digit(c) || digit(s->p[i]) < 16);
    s->pos = i;
    t->len = (u32)(s->p + i - t->p);
    if (number)
      lex_number(p, t);
    else
      t->kind = TOK_NAME;
    return;
  }
  if (in_name(s, s->pos, m)) {
    while (s->pos < s->len && in_name(s, s->pos, m))
      s->pos++;
    t->kind = TOK_NAME;
    t->len = (u32)(s->p + s->pos - t->p);
    return;
  }
  u32 n = punct_len(s);
  if (!n) {
    if (c >= ' ' && c < 0x7f)
      syntax_error(p, t, "unexpected '%c'", c);
    else
      syntax_error(p, t, "unexpected byte 0x%02x", c);
    return;
  }
  t->kind = TOK_PUNCT;
  t->len = n;
  for (u32 i = 0; i < n; i++)
    t->punct |= (u32)t->p[i] << (8 * i);
  s->pos += n;
}

const Tok *peek(Parser *p, LexMode m) {
  Tok *t = &p->tok;
  if (p->have) {
    if (m == p->mode || t->kind == TOK_EOF)
      return t;
    /* Cut it again. t->src is still the current source: an included one is left only at its EOF. */
    Source *s = t->src;
    s->pos = t->begin;
    s->line = t->line;
    s->line_start = t->line_start;
  }
  p->have = true;
  p->mode = m;
  for (;;) {
    Source *s = p->src;
    u32 comment = 0;
    bool closed = p->failed || skip_blanks(s, &comment);
    *t = (Tok){
        .kind = TOK_EOF, .src = s, .begin = s->pos, .line = s->line, .line_start = s->line_start};
    if (!closed) {
      t->begin = comment;
      syntax_error(p, t, "unclosed comment");
    } else if (!p->failed && s->pos < s->len) {
      lex_token(p, t, m);
    } else if (!p->failed && s->up) {
      p->src = s->up;
      continue;
    }
    if (p->failed)
      t->kind = TOK_EOF;
    t->end = MAX(s->pos, t->begin);
    return t;
  }
}

Tok next(Parser *p, LexMode m) {
  Tok t = *peek(p, m);
  p->have = false;
  return t;
}

bool tok_punct(const Tok *t, u32 punct) {
  return t->kind == TOK_PUNCT && t->punct == punct;
}

bool tok_is(const Tok *t, const char *word) {
  return t->kind == TOK_NAME && strlen(word) == t->len && !memcmp(word, t->p, t->len);
}

bool accept(Parser *p, LexMode m, u32 punct) {
  if (!tok_punct(peek(p, m), punct))
    return false;
  p->have = false;
  return true;
}

bool accept_word(Parser *p, LexMode m, const char *word) {
  if (!tok_is(peek(p, m), word))
    return false;
  p->have = false;
  return true;
}

bool expect(Parser *p, LexMode m, u32 punct) {
  if (accept(p, m, punct))
    return true;
  char what[8] = {'\'', (char)punct, (char)(punct >> 8), (char)(punct >> 16)};
  strcat(what, "'");
  expected(p, m, what);
  return false;
}

const char *tok_str(Parser *p, const Tok *t) {
  return arena_strndup(p->a, (const char *)t->p, t->len);
}

const char *expect_name(Parser *p, LexMode m, const char *what) {
  const Tok *t = peek(p, m);
  if (t->kind != TOK_NAME && t->kind != TOK_QUOTED) {
    expected(p, m, what);
    return NULL;
  }
  Tok name = next(p, m);
  return tok_str(p, &name);
}
