/* yaml_node.c: events, keys and values of a YAML text. libyaml cuts the text; its event interface
 * keeps no nodes, so memory is what the caller keeps. The trap: nothing here may recurse, since the
 * text decides how deep lists are nested. */
#include "read/yaml_node.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_DEPTH = 32, SHOWN = 60 };

/* ---- messages ---- */

void yr_error(YamlReader *r, YamlMark at, const char *fmt, ...) {
  char fact[400];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(fact, sizeof fact, fmt, ap);
  va_end(ap);
  for (char *c = fact; *c; c++) /* it may quote the text; a message is one line */
    if ((u8)*c < 0x20 || *c == 0x7f)
      *c = '?';
  r->bad = true;
  u64 order = (u64)at.line << 16 | MIN(at.col, 0xffffu);
  diag_report_at(r->d, DIAG_ERROR, "yaml", order, r->path, at.line, at.col, "%s", fact);
}

static YamlMark mark(const yaml_mark_t *m) {
  return (YamlMark){(u32)m->line + 1, (u32)m->column + 1};
}

YamlMark yr_mark(const YamlReader *r) {
  return mark(&r->ev.start_mark);
}

/* Of a byte in the text. */
static YamlMark mark_of(Bytes text, u64 off) {
  YamlMark m = {1, 1};
  for (u64 i = 0; i < MIN(off, text.len); i++)
    if (text.p[i] == '\n') {
      m.line++;
      m.col = 1;
    } else {
      m.col += (text.p[i] & 0xc0) != 0x80;
    }
  return m;
}

/* libyaml's own complaint: after it there is nothing to go on with. */
static void syntax_error(YamlReader *r) {
  const yaml_parser_t *y = &r->parser;
  const char *problem = y->problem ? y->problem : "not a YAML text";
  switch (y->error) {
  case YAML_MEMORY_ERROR: yr_error(r, mark(&y->mark), "out of memory"); return;
  case YAML_READER_ERROR:
    if (y->problem_value != -1)
      yr_error(r, mark_of(r->text, y->problem_offset), "%s (0x%02x)", problem,
               (unsigned)y->problem_value);
    else
      yr_error(r, mark_of(r->text, y->problem_offset), "%s", problem);
    return;
  default:
    yr_error(r, mark(&y->problem_mark), y->context ? "%s %s" : "%s%s", problem,
             y->context ? y->context : "");
  }
}

/* ---- events ---- */

/* libyaml compares each %TAG with all before it, so a text of nothing else would take for ever. */
static bool check_directives(YamlReader *r) {
  if (!r->text.len)
    return true;
  const u8 *p = r->text.p, *end = p + r->text.len;
  for (const u8 *line = p; line < end; line++) {
    if (*line == '%' && (end - line < 6 || memcmp(line, "%YAML ", 6) != 0)) {
      yr_error(r, mark_of(r->text, (u64)(line - p)), "directives are not supported");
      return false;
    }
    line = memchr(line, '\n', (u64)(end - line));
    if (!line)
      break;
  }
  return true;
}

void yr_stop(YamlReader *r) {
  if (r->ended)
    return;
  yaml_event_delete(&r->ev);
  r->ended = true;
  r->ev = (yaml_event_t){.type = YAML_STREAM_END_EVENT, .start_mark = r->parser.mark};
}

void yr_open(YamlReader *r, Arena *a, Diag *d, const char *path, Bytes text) {
  *r = (YamlReader){.a = a, .d = d, .path = path, .text = text};
  if (!yaml_parser_initialize(&r->parser)) {
    yr_error(r, (YamlMark){1, 1}, "out of memory");
    yr_stop(r);
    return;
  }
  if (text.len >= UINT32_MAX) { /* so that counts of anything in it fit 32 bits */
    yr_error(r, (YamlMark){1, 1}, "the text is too large (%llu bytes)",
             (unsigned long long)text.len);
    yr_stop(r);
    return;
  }
  yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&r->parser, text.len ? text.p : (const u8 *)"", text.len);
  if (check_directives(r))
    yr_next(r);
  else
    yr_stop(r);
}

void yr_close(YamlReader *r) {
  if (!r->ended)
    yaml_event_delete(&r->ev);
  yaml_parser_delete(&r->parser);
  vec_free(&r->bytes);
}

void yr_next(YamlReader *r) {
  if (r->ended)
    return;
  yaml_event_delete(&r->ev);
  if (!yaml_parser_parse(&r->parser, &r->ev)) {
    syntax_error(r);
    yr_stop(r);
    return;
  }
  const yaml_char_t *anchor = NULL;
  switch (r->ev.type) {
  case YAML_STREAM_END_EVENT: r->ended = true; return;
  case YAML_ALIAS_EVENT: yr_error(r, yr_mark(r), "aliases are not supported"); return;
  case YAML_SCALAR_EVENT: anchor = r->ev.data.scalar.anchor; break;
  case YAML_SEQUENCE_START_EVENT:
    anchor = r->ev.data.sequence_start.anchor;
    r->depth++;
    break;
  case YAML_MAPPING_START_EVENT:
    anchor = r->ev.data.mapping_start.anchor;
    r->depth++;
    break;
  case YAML_SEQUENCE_END_EVENT:
  case YAML_MAPPING_END_EVENT: r->depth--; return;
  default: return;
  }
  if (anchor)
    yr_error(r, yr_mark(r), "anchors are not supported");
  if (r->depth > MAX_DEPTH) {
    yr_error(r, yr_mark(r), "nested too deeply");
    yr_stop(r);
  }
}

void yr_skip(YamlReader *r) {
  bool opens = r->ev.type == YAML_SEQUENCE_START_EVENT || r->ev.type == YAML_MAPPING_START_EVENT;
  for (u32 outer = r->depth; opens && !r->ended && r->depth >= outer;)
    yr_next(r);
}

const char *yr_tag(const YamlReader *r) {
  switch (r->ev.type) {
  case YAML_SCALAR_EVENT: return (const char *)r->ev.data.scalar.tag;
  case YAML_SEQUENCE_START_EVENT: return (const char *)r->ev.data.sequence_start.tag;
  case YAML_MAPPING_START_EVENT: return (const char *)r->ev.data.mapping_start.tag;
  default: return NULL;
  }
}

bool yr_check_tag(YamlReader *r, const char *expected) {
  const char *tag = yr_tag(r);
  if (!tag || (expected && streq(tag, expected)))
    return true;
  yr_error(r, yr_mark(r), "tag '%.*s' is not supported here", SHOWN, tag);
  return false;
}

bool yr_is_null(const YamlReader *r) {
  return r->ev.type == YAML_SCALAR_EVENT && !r->ev.data.scalar.length &&
         r->ev.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* ---- lists and mappings ---- */

/* An alias was reported when it came. */
static void wrong_kind(YamlReader *r, const char *what, const char *must) {
  if (!r->ended && r->ev.type != YAML_ALIAS_EVENT)
    yr_error(r, yr_mark(r), "%s must be %s", what, must);
  yr_skip(r);
}

bool yr_list(YamlReader *r, const char *what) {
  if (r->ev.type != YAML_SEQUENCE_START_EVENT) {
    wrong_kind(r, what, "a list");
    return false;
  }
  yr_check_tag(r, NULL);
  return true;
}

bool yr_item(YamlReader *r) {
  yr_next(r);
  return !r->ended && r->ev.type != YAML_SEQUENCE_END_EVENT;
}

bool yr_map(YamlReader *r, YamlMap *m, const char *what, u32 where, u32 family) {
  *m = (YamlMap){.where = where, .family = family, .what = what, .start = yr_mark(r)};
  if (r->ev.type == YAML_MAPPING_START_EVENT)
    return true;
  wrong_kind(r, what, "a mapping");
  return false;
}

static const YamlKeyRow keys[] = {YAML_KEYS(YAML_KEY_ROW)};
_Static_assert(YAML_NKEYS == COUNT_OF(keys) && YAML_NKEYS <= 64, "YamlMap.seen has a bit for each");

const char *yr_key_word(YamlKey key) {
  return keys[key].word;
}

u32 yr_key_places(YamlKey key) {
  return keys[key].where;
}

/* The key that ev spells; YAML_NKEYS after a report. */
static YamlKey find_key(YamlReader *r, YamlMap *m) {
  YamlMark at = yr_mark(r);
  const char *s = (const char *)r->ev.data.scalar.value;
  u64 len = r->ev.data.scalar.length;
  for (u32 i = 0; i < YAML_NKEYS; i++) {
    if (!(keys[i].where & (m->where | m->family)) || strlen(keys[i].word) != len ||
        memcmp(keys[i].word, s, len) != 0)
      continue;
    if (!(keys[i].where & m->where))
      yr_error(r, at, "%s can't have '%s'", m->what, keys[i].word);
    else if (m->seen >> i & 1)
      yr_error(r, at, "duplicate key '%s'", keys[i].word);
    else {
      m->seen |= (u64)1 << i;
      m->at[i] = at;
      return (YamlKey)i;
    }
    return YAML_NKEYS;
  }
  yr_error(r, at, "unknown key '%.*s'", SHOWN, s);
  return YAML_NKEYS;
}

bool yr_key(YamlReader *r, YamlMap *m, YamlKey *key) {
  for (;;) {
    yr_next(r);
    if (r->ended || r->ev.type == YAML_MAPPING_END_EVENT)
      return false;
    YamlKey found = YAML_NKEYS;
    if (r->ev.type == YAML_SCALAR_EVENT) {
      yr_check_tag(r, NULL);
      found = find_key(r, m);
    } else {
      wrong_kind(r, "a key", "a word");
    }
    yr_next(r);
    if (found != YAML_NKEYS) {
      *key = found;
      return !r->ended;
    }
    yr_skip(r);
  }
}

bool yr_require(YamlReader *r, const YamlMap *m, YamlKey key) {
  if (yr_seen(m, key))
    return true;
  if (!r->ended)
    yr_error(r, m->start, "missing key '%s' of %s", keys[key].word, m->what);
  return false;
}

/* ---- values ---- */

/* ev has to be a scalar with text and without a tag other than `tag`. */
static bool scalar(YamlReader *r, YamlKey key, const char *tag, const char **s, u64 *len) {
  char what[40];
  snprintf(what, sizeof what, "'%s'", keys[key].word);
  if (r->ev.type != YAML_SCALAR_EVENT) {
    wrong_kind(r, what, "a single value");
    return false;
  }
  if (!yr_check_tag(r, tag))
    return false;
  if (yr_is_null(r)) {
    yr_error(r, yr_mark(r), "%s has no value", what);
    return false;
  }
  *s = (const char *)r->ev.data.scalar.value;
  *len = r->ev.data.scalar.length;
  return true;
}

/* Of a text whose characters are bytes: writes them over it; false when one is no byte. */
static bool characters_to_bytes(char *s, u64 *len) {
  u64 n = 0;
  for (u64 i = 0; i < *len; i++) { /* libyaml has checked that it is UTF-8 */
    u8 c = (u8)s[i];
    if (c >= 0x80) {
      if (c > 0xc3 || ++i == *len)
        return false;
      c = (u8)((c & 3) << 6 | ((u8)s[i] & 0x3f));
    }
    s[n++] = (char)c;
  }
  *len = n;
  return true;
}

bool yr_text(YamlReader *r, YamlKey key, const char **out) {
  const char *s;
  u64 len;
  if (!scalar(r, key, "!bytes", &s, &len))
    return false;
  char *copy = arena_strndup(r->a, s, len);
  if (yr_tag(r) && !characters_to_bytes(copy, &len)) {
    yr_error(r, yr_mark(r), "a character past \\xFF in !bytes");
    return false;
  }
  if (memchr(copy, 0, len)) {
    yr_error(r, yr_mark(r), "NUL in the text of '%s'", keys[key].word);
    return false;
  }
  copy[len] = 0;
  *out = copy;
  return true;
}

static u32 digit(u8 c) {
  return c >= '0' && c <= '9'                     ? (u32)(c - '0')
         : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (u32)((c | 0x20) - 'a' + 10)
                                                  : 16;
}

typedef enum { NUMBER_FITS, NUMBER_TOO_LARGE, NUMBER_NONE } Number;

/* 10, 0x1f, and 1f when `hex`. */
static Number number(const char *s, u64 len, bool hex, u64 *out) {
  u32 base = hex ? 16 : 10;
  if (len > 2 && s[0] == '0' && (s[1] | 0x20) == 'x') {
    base = 16;
    s += 2;
    len -= 2;
  }
  u64 v = 0;
  bool fits = true;
  for (u64 i = 0; i < len; i++) {
    u32 c = digit((u8)s[i]);
    if (c >= base)
      return NUMBER_NONE;
    fits =
        fits && !__builtin_mul_overflow(v, (u64)base, &v) && !__builtin_add_overflow(v, (u64)c, &v);
  }
  *out = v;
  return !len ? NUMBER_NONE : fits ? NUMBER_FITS : NUMBER_TOO_LARGE;
}

bool yr_number(YamlReader *r, YamlKey key, u64 max, bool hex, bool is_signed, u64 *out) {
  const char *s;
  u64 len, v = 0;
  if (!scalar(r, key, NULL, &s, &len))
    return false;
  bool minus = is_signed && len && *s == '-';
  Number n = number(s + minus, len - minus, hex, &v);
  if (n == NUMBER_FITS && v > max + minus) /* one more below zero */
    n = NUMBER_TOO_LARGE;
  if (n != NUMBER_FITS) {
    yr_error(r, yr_mark(r),
             n == NUMBER_NONE ? "'%s' is not a number: '%.*s'" : "'%s' is out of range: '%.*s'",
             keys[key].word, SHOWN, s);
    return false;
  }
  *out = minus ? 0 - v : v;
  return true;
}

bool yr_alignment(YamlReader *r, u8 *p2align, u64 *modulus) {
  const char *s;
  u64 len, rest = 0, align = 0;
  if (!scalar(r, YAML_KEY_ALIGNMENT, NULL, &s, &len))
    return false;
  const char *mod = strstr(s, " mod ");
  const char *tail = mod ? mod + 5 : s;
  Number n = number(tail, len - (u64)(tail - s), false, &align);
  Number m = mod ? number(s, (u64)(mod - s), false, &rest) : NUMBER_FITS;
  if (n == NUMBER_NONE || m == NUMBER_NONE)
    yr_error(r, yr_mark(r), "'alignment' is neither a number nor like '7 mod 16': '%.*s'", SHOWN,
             s);
  else if (n == NUMBER_TOO_LARGE || !is_pow2(align))
    yr_error(r, yr_mark(r), "'alignment' is not a power of two: '%.*s'", SHOWN, s);
  else if (m == NUMBER_TOO_LARGE || rest >= align)
    yr_error(r, yr_mark(r), "'alignment' is out of range: '%.*s'", SHOWN, s);
  else {
    *p2align = log2_u64(align);
    *modulus = rest;
    return true;
  }
  return false;
}

bool yr_bytes(YamlReader *r, YamlKey key, Bytes *out) {
  char what[40];
  snprintf(what, sizeof what, "'%s'", keys[key].word);
  if (!yr_list(r, what))
    return false;
  bool good = true;
  r->bytes.n = 0;
  while (yr_item(r)) {
    const char *s;
    u64 len;
    if (!scalar(r, key, NULL, &s, &len)) {
      good = false;
      continue;
    }
    u32 high = len == 2 ? digit((u8)s[0]) : 16, low = len == 2 ? digit((u8)s[1]) : 16;
    if (high > 15 || low > 15) {
      yr_error(r, yr_mark(r), "out of range two-digit-hex number: '%.*s'", SHOWN, s);
      good = false;
      continue;
    }
    *vec_push(&r->bytes) = (u8)(high << 4 | low);
  }
  if (!good || r->ended)
    return false;
  u8 *p = arena_alloc(r->a, MAX(r->bytes.n, 1u), 1);
  if (r->bytes.n)
    memcpy(p, r->bytes.at, r->bytes.n);
  *out = (Bytes){p, r->bytes.n};
  return true;
}

bool yr_word(YamlReader *r, YamlKey key, YamlSpelled *out) {
  const char *s;
  u64 len;
  if (!scalar(r, key, NULL, &s, &len))
    return false;
  out->at = yr_mark(r);
  snprintf(out->text, sizeof out->text, "%s", memchr(s, 0, len) ? "?" : s);
  return true;
}

u32 yr_word_value(YamlReader *r, const YamlSpelled *s, const YamlWord *rows, u32 n) {
  for (u32 i = 0; i < n; i++)
    if (*rows[i].word && streq(rows[i].word, s->text))
      return rows[i].value;
  yr_error(r, s->at, "unknown enumerated scalar: '%s'", s->text);
  return 0;
}
