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

static void vreport(Parser *p, DiagLevel level, const Tok *at, const char *fmt, va_list ap) PRINTF_LIKE(4, 0);
static void vreport(Parser *p, DiagLevel level, const Tok *at, const char *fmt, va_list ap) {
  const Source *s = at->src;
  Excerpt x = {.path = s->name, .text = {s->p, s->len}, .begin = at->begin, .end = at->end, .line = at->line, .line_start = at->line_start};
  p->bad |= level == DIAG_ERROR;
  excerpt_vreport(p->d, level, p->code, &x, fmt, ap);
}

void report(Parser *p, const Tok *at, const char *fmt, ...) {
  if (p->failed)
    return;
  va_list ap;
  va_start(ap, fmt);
  vreport(p, DIAG_ERROR, at, fmt, ap);
  va_end(ap);
}

void warn(Parser *p, const Tok *at, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  if (!p->failed)
    vreport(p, DIAG_WARNING, at, fmt, ap);
  va_end(ap);
}

void syntax_error(Parser *p, const Tok *at, const char *fmt, ...) {
  if (p->failed)
    return;
  va_list ap;
  va_start(ap, fmt);
  vreport(p, DIAG_ERROR, at, fmt, ap);
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

/* What a byte can be: part of a name, whatever the mode and what stands around it; perhaps part of one; a blank in a line. */
enum { ALWAYS = 1, MAYBE = 2, BLANK = 4 };
static const u8 classes[256] = {
    ['\t'] = BLANK, ['\r'] = BLANK, ['\f'] = BLANK, ['\v'] = BLANK, [' '] = BLANK,
    ['0' ... '9'] = ALWAYS, ['A' ... 'Z'] = ALWAYS, ['a' ... 'z'] = ALWAYS, [0x80 ... 0xff] = ALWAYS,
    ['_'] = ALWAYS, ['.'] = ALWAYS, ['$'] = ALWAYS, ['\\'] = ALWAYS,
    /* not in expressions */
    ['*'] = MAYBE, ['?'] = MAYBE, ['['] = MAYBE, [']'] = MAYBE, ['-'] = MAYBE, ['+'] = MAYBE, ['^'] = MAYBE, ['/'] = MAYBE, ['!'] = MAYBE,
    ['~'] = MAYBE, ['@'] = MAYBE, ['%'] = MAYBE, [':'] = MAYBE, ['='] = MAYBE, ['('] = MAYBE, [')'] = MAYBE, ['<'] = MAYBE, ['>'] = MAYBE,
    [','] = MAYBE, ['&'] = MAYBE, ['|'] = MAYBE, ['\''] = MAYBE, ['#'] = MAYBE, ['`'] = MAYBE,
};

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

/* Is s[i], of class MAYBE, part of a name in mode m? */
static bool maybe_in_name(const Source *s, u32 i, LexMode m) {
  u8 c = s->p[i], after = i + 1 < s->len ? s->p[i + 1] : 0;
  switch (m) {
  case LEX_EXPR: return false;
  case LEX_FILE: return c != '(' && c != ')' && c != ',';
  case LEX_STMT:
  case LEX_PATTERN:
    if (after == '=' && (c == '+' || c == '-' || c == '*' || c == '/' || c == '^'))
      return false; /* an assignment operator */
    switch (c) {
    case '/': return m == LEX_PATTERN || after != '*'; /* dir/[glob star].o is a pattern, not a comment */
    case ':': return m == LEX_PATTERN;
    case '+': case '-': case '*': case '?': case '[': case ']': case '^': case '!': case '~': case '@': case '%': return true;
    default: return false;
    }
  case LEX_VERSION:
  case LEX_CXX:
    switch (c) {
    case '/': return after != '*';
    case ':': return after == ':' || (i && s->p[i - 1] == ':');
    case '(': case ')': case '<': case '>': case ',': case '&': case '|': case '\'': return m == LEX_CXX;
    case '#': case '`': return false;
    default: return true;
    }
  }
  return false;
}

static inline bool in_name(const Source *s, u32 i, LexMode m) {
  u8 k = classes[s->p[i]];
  return k & ALWAYS || (k & MAYBE && maybe_in_name(s, i, m));
}

/* Where the name ends that s[i] is part of. *same: it would be that name in every mode. */
static u32 name_end(const Source *s, u32 i, LexMode m, bool *same) {
  const u8 *p = s->p;
  u32 n = s->len, maybe = classes[p[i]];
  while (++i < n) {
    u8 k = classes[p[i]];
    if (k & ALWAYS)
      continue;
    maybe |= k;
    if (!(k & MAYBE && maybe_in_name(s, i, m)))
      break;
  }
  *same = !(maybe & MAYBE);
  return i;
}

static Word find_word(const u8 *p, u32 len) {
#define WORD(w)                                                                                    \
  if (!memcmp(p, #w, sizeof #w - 1))                                                               \
    return W_##w;
#define LENGTH(n)                                                                                  \
  break;                                                                                           \
  case n:
  if (*p < 'A' || (*p > 'Z' && *p != 's'))
    return W_NONE;
  switch (len) {
  default:
#include "script/words.def"
    break;
  }
#undef WORD
#undef LENGTH
  return W_NONE;
}

/* Skips a comment. False when it does not end, and stays before it. */
static bool skip_comment(Source *s) {
  const u8 *p = s->p, *end = p + s->len, *q = p + s->pos + 2;
  u32 line = s->line, line_start = s->line_start;
  for (; q + 1 < end; q++) {
    u8 c = *q;
    if (LIKELY(c != '\n' && c != '*'))
      continue;
    if (c == '\n') {
      line++;
      line_start = (u32)(q + 1 - p);
    } else if (q[1] == '/') {
      s->pos = (u32)(q + 2 - p);
      s->line = line;
      s->line_start = line_start;
      return true;
    }
  }
  return false;
}

/* Skips blanks and comments. False at a comment that does not end. */
static bool skip_blanks(Source *s) {
  const u8 *p = s->p;
  u32 pos = s->pos, len = s->len;
  for (;; pos++) {
    if (pos == len)
      break;
    u8 c = p[pos];
    if (classes[c] & BLANK)
      continue;
    if (c == '\n') {
      s->line++;
      s->line_start = pos + 1;
    } else if (c == '#') {
      const u8 *nl = memchr(p + pos, '\n', len - pos);
      pos = nl ? (u32)(nl - p) - 1 : len - 1;
    } else if (c == '/' && pos + 1 < len && p[pos + 1] == '*') {
      s->pos = pos;
      if (!skip_comment(s))
        return false;
      pos = s->pos - 1;
    } else {
      break;
    }
  }
  s->pos = pos;
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

/* Bytes of the punctuator at q, of which `left` follow; 0: none. */
static u32 punct_len(const u8 *q, u32 left) {
  u8 a = q[0], b = left > 1 ? q[1] : 0;
  switch (a) {
  case '<':
  case '>': return b == a ? (left > 2 && q[2] == '=' ? 3 : 2) : b == '=' ? 2 : 1;
  case '&':
  case '|': return b == a || b == '=' ? 2 : 1;
  case '=':
  case '!':
  case '+':
  case '-':
  case '*':
  case '/':
  case '^': return b == '=' ? 2 : 1;
  case '%':
  case '~':
  case '?':
  case ':':
  case '(':
  case ')':
  case ',':
  case ';':
  case '{':
  case '}': return 1;
  default: return 0;
  }
}

static void lex_token(Parser *p, Tok *t, LexMode m) {
  Source *s = t->src;
  u8 c = s->p[s->pos];
  if (c == '"') {
    lex_string(p, t);
    return;
  }
  t->p = s->p + s->pos;
  static const char discard[] = "/DISCARD/"; /* may follow the expression of a fill: not a division */
  u32 ndiscard = sizeof discard - 1;
  if (m == LEX_EXPR && c == '/' && s->len - s->pos >= ndiscard && !memcmp(t->p, discard, ndiscard)) {
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
    u32 i = name_end(s, s->pos, m, &t->same);
    t->same &= !is_digit(c) && c != '$';
    t->kind = TOK_NAME;
    t->len = i - s->pos;
    t->word = find_word(t->p, t->len);
    s->pos = i;
    return;
  }
  u32 n = punct_len(t->p, s->len - s->pos);
  if (!n) {
    if (c >= ' ' && c < 0x7f)
      syntax_error(p, t, "unexpected '%c'", c);
    else
      syntax_error(p, t, "unexpected byte 0x%02x", c);
    return;
  }
  t->kind = TOK_PUNCT;
  t->len = n;
  t->punct = c;
  for (u32 i = 1; i < n; i++)
    t->punct |= (u32)t->p[i] << (8 * i);
  t->same = c == '{' || c == '}' || c == ';';
  s->pos += n;
}

const Tok *peek_again(Parser *p, LexMode m) {
  Tok *t = &p->tok;
  if (p->have) {
    if (t->same || t->kind == TOK_EOF) {
      p->mode = m;
      return t;
    }
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
    bool closed = p->failed || skip_blanks(s);
    *t = (Tok){
        .kind = TOK_EOF, .src = s, .begin = s->pos, .line = s->line, .line_start = s->line_start};
    if (!closed) {
      t->end = t->begin + 2;
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

bool tok_is(const Tok *t, const char *word) {
  return t->kind == TOK_NAME && strlen(word) == t->len && !memcmp(word, t->p, t->len);
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
  char *s = arena_alloc(p->a, (u64)t->len + 1, 1);
  memcpy(s, t->p, t->len);
  return s;
}

const char *const *names_take(Parser *p, u32 base) {
  u32 n = p->names.n - base;
  const char **list = ARENA_ARRAY(p->a, const char *, (u64)n + 1);
  if (n)
    memcpy(list, p->names.at + base, n * sizeof *list);
  p->names.n = base;
  return list;
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
