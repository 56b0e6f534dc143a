/* excerpt.c: see excerpt.h. The trap: the text is anything, so a line may have a megabyte, and bytes that are no UTF-8: what is
 * shown is bounded, and the mark stands under a character, not a byte. */
#include "util/excerpt.h"

#include <stdio.h>

enum { BEFORE = 60, AFTER = 60 };

/* A byte inside a UTF-8 character. */
static bool continues(u8 c) { return (c & 0xc0) == 0x80; }

static bool is_utf8(const u8 *s, u32 n) {
  for (u32 i = 0; i < n;) {
    u32 more = s[i] < 0x80 ? 0 : s[i] < 0xc2 ? 9 : s[i] < 0xe0 ? 1 : s[i] < 0xf0 ? 2 : s[i] < 0xf5 ? 3 : 9;
    if (more >= n - i)
      return false;
    for (u32 k = 1; k <= more; k++)
      if (!continues(s[i + k]))
        return false;
    i += more + 1;
  }
  return true;
}

/* Characters in [from, to). */
static u32 width(const u8 *s, u32 from, u32 to) {
  u32 n = 0;
  for (u32 i = from; i < to; i++)
    n += !continues(s[i]);
  return n;
}

static bool in_word(u8 c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '.' || c == '$' || c >= 0x80;
}

bool excerpt_at(Excerpt *x, const char *path, Bytes text, u32 line, u32 column) {
  *x = (Excerpt){.path = path, .text = text, .line = line};
  u64 at = 0;
  for (u32 n = 1; n < line; n++) {
    const u8 *nl = at < text.len ? memchr(text.p + at, '\n', text.len - at) : NULL;
    if (!nl)
      return false;
    at = (u64)(nl - text.p) + 1;
  }
  if (!line || !column || text.len > UINT32_MAX || column - 1 > text.len - at)
    return false;
  x->line_start = (u32)at;
  x->begin = x->end = (u32)at + column - 1;
  while (x->end < text.len && in_word(text.p[x->end]))
    x->end++;
  return true;
}

/* The line, or what of it stands near the place, and the mark. */
static void draw(const Excerpt *x, char out[2 * (BEFORE + AFTER) + 16]) {
  const u8 *s = x->text.p;
  u32 from = x->line_start, end = x->begin, len = (u32)x->text.len;
  while (end < len && s[end] != '\n' && end - x->begin < AFTER)
    end++;
  if (x->begin - from > BEFORE)
    from = x->begin - BEFORE;
  while (from < x->begin && continues(s[from]))
    from++;
  while (end < len && end > x->begin && continues(s[end]))
    end--; /* not inside a character */
  bool utf8 = is_utf8(s + from, end - from);
  char line[BEFORE + AFTER + 1];
  u32 n = 0;
  for (u32 i = from; i < end; i++) {
    u8 c = s[i];
    if (c == '\r' && i + 1 == end)
      break;
    line[n++] = c == '\t' ? ' ' : c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8) ? '?' : (char)c;
  }
  line[n] = 0;
  u32 indent = utf8 ? width(s, from, x->begin) : x->begin - from, until = MIN(x->end, end);
  u32 chars = until <= x->begin ? 0 : utf8 ? width(s, x->begin, until) : until - x->begin, wide = chars ? chars - 1 : 0;
  char mark[AFTER + 1];
  memset(mark, '~', wide);
  mark[wide] = 0;
  snprintf(out, 2 * (BEFORE + AFTER) + 16, "  %s\n  %*s^%s", line, (int)indent, "", mark);
}

void excerpt_vreport(Diag *d, DiagLevel level, const char *code, const Excerpt *at, const char *fmt, va_list ap) {
  char fact[600], lines[2 * (BEFORE + AFTER) + 16];
  vsnprintf(fact, sizeof fact, fmt, ap);
  bool printable = is_utf8((const u8 *)fact, (u32)strlen(fact));
  for (char *c = fact; *c; c++) /* it may quote the text */
    if ((u8)*c < 0x20 || *c == 0x7f || ((u8)*c >= 0x80 && !printable))
      *c = '?';
  draw(at, lines);
  diag_report_at(d, level, code, at->line, at->path, at->line, width(at->text.p, at->line_start, at->begin) + 1, "%s\n%s", fact, lines);
}

void excerpt_report(Diag *d, DiagLevel level, const char *code, const Excerpt *at, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  excerpt_vreport(d, level, code, at, fmt, ap);
  va_end(ap);
}
