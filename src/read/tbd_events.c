/* tbd_events.c: see tbd_events.h. What the scanner knows: documents that begin with "--- !TAG"; mappings of words in
 * lines; as values texts up to the end of the line, flow lists of texts over several lines, and lists of mappings. Plain, and in
 * quotes without escapes.
 * The trap: it must never see anything else than libyaml sees, so whatever could mean more in YAML (comments, anchors, folded
 * lines, a ':' in a list) makes it give up. fuzz/fuzz_tbd.c compares the two. */
#include "read/tbd_events.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { AT_DOCUMENT, AT_ROOT, AT_LINE, AT_KEY, AT_VALUE, AT_ITEM, AT_END_OF_DOCUMENT, AT_END };

/* ---- the scanner ---- */

static void give_up(TbdEvents *e) {
  e->gave_up = true;
  e->ev = (TbdEvent){.kind = TBD_STREAM_END};
  e->state = AT_END;
}

static void emit(TbdEvents *e, TbdEventKind kind) { e->ev = (TbdEvent){.kind = kind}; }

static void push(TbdEvents *e, TbdFrame f, TbdEventKind kind) {
  if (e->depth == COUNT_OF(e->frames)) {
    give_up(e);
    return;
  }
  e->frames[e->depth++] = f;
  emit(e, kind);
}

static bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; }

/* From the beginning of a line to the first line that is not blank: its column, -1 at the end of the document. p is at its text
 * then. */
static i32 next_line(TbdEvents *e) {
  for (;;) {
    const char *line = e->p;
    while (e->p < e->end && *e->p == ' ')
      e->p++;
    if (e->p == e->end)
      return -1;
    if (*e->p == '\n') {
      e->p++;
      continue;
    }
    if (e->p == line && e->end - line >= 3 && (!memcmp(line, "---", 3) || !memcmp(line, "...", 3)))
      return -1;
    return (i32)MIN(e->p - line, INT32_MAX);
  }
}

/* The end of the line must come, after blanks. */
static bool end_line(TbdEvents *e) {
  while (e->p < e->end && *e->p == ' ')
    e->p++;
  if (e->p == e->end)
    return true;
  if (*e->p != '\n')
    return false;
  e->p++;
  return true;
}

static void scan_document(TbdEvents *e) {
  if (next_line(e) >= 0) {
    give_up(e);
    return;
  }
  if (e->p == e->end) {
    emit(e, TBD_STREAM_END);
    e->state = AT_END;
    return;
  }
  if (memcmp(e->p, "---", 3)) { /* "..." once more */
    give_up(e);
    return;
  }
  e->p += 3;
  e->tag = NULL;
  if (e->end - e->p > 2 && e->p[0] == ' ' && e->p[1] == '!') {
    const char *tag = ++e->p;
    for (e->p++; e->p < e->end && is_word(*e->p); e->p++)
      ;
    e->tag = arena_strndup(e->y.a, tag, (u64)(e->p - tag));
  }
  emit(e, TBD_DOCUMENT);
  e->state = AT_ROOT;
  if (!end_line(e))
    give_up(e);
}

static void scan_root(TbdEvents *e) {
  if (next_line(e) != 0) {
    give_up(e);
    return;
  }
  e->state = AT_KEY;
  push(e, (TbdFrame){0}, TBD_MAP);
}

/* At the beginning of a line in a block. False: a key stands there, which is to be scanned. */
static bool scan_line(TbdEvents *e) {
  const char *line = e->p;
  i32 column = next_line(e);
  const TbdFrame *f = &e->frames[e->depth - 1];
  bool item = column >= 0 && e->end - e->p > 2 && e->p[0] == '-' && e->p[1] == ' ';
  if (column < f->column || (column == f->column && f->block_list && !item)) {
    e->p = line; /* looked at again, for the frame around this */
    e->depth--;
    emit(e, TBD_END);
    e->state = e->depth ? AT_LINE : AT_END_OF_DOCUMENT;
  } else if (column > f->column) {
    give_up(e);
  } else if (f->block_list) {
    for (e->p++, column++; e->p < e->end && *e->p == ' '; e->p++)
      column++;
    e->state = AT_KEY;
    push(e, (TbdFrame){.column = column}, TBD_MAP);
  } else {
    e->state = AT_KEY;
    return false;
  }
  return true;
}

static void scan_key(TbdEvents *e) {
  const char *s = e->p;
  while (e->p < e->end && is_word(*e->p))
    e->p++;
  if (e->p == s || *s == '-' || e->end - e->p < 2 || e->p[0] != ':' || (e->p[1] != ' ' && e->p[1] != '\n')) {
    give_up(e);
    return;
  }
  e->ev = (TbdEvent){.kind = TBD_TEXT, .s = s, .len = (u64)(e->p - s)};
  e->p++;
  e->state = AT_VALUE;
}

enum { CH_NO_BEGIN = 1 << 0 /* of a plain text */, CH_NO = 1 << 1 /* inside it: it could mean something */, CH_FLOW = 1 << 2 /* ends it in a list */, CH_LINE = 1 << 3 };
static const u8 characters[256] = {
    ['-'] = CH_NO_BEGIN, ['?'] = CH_NO_BEGIN, ['&'] = CH_NO_BEGIN, ['*'] = CH_NO_BEGIN, ['!'] = CH_NO_BEGIN, ['|'] = CH_NO_BEGIN,
    ['>'] = CH_NO_BEGIN, ['\''] = CH_NO_BEGIN, ['"'] = CH_NO_BEGIN, ['%'] = CH_NO_BEGIN, ['@'] = CH_NO_BEGIN, ['`'] = CH_NO_BEGIN,
    [','] = CH_NO_BEGIN | CH_FLOW, [']'] = CH_NO_BEGIN | CH_FLOW, ['\n'] = CH_NO_BEGIN | CH_FLOW | CH_LINE,
    [':'] = CH_NO, ['#'] = CH_NO, ['['] = CH_NO, ['{'] = CH_NO, ['}'] = CH_NO,
};

/* A text in quotes, without escapes and in one line. */
static bool scan_quoted(TbdEvents *e) {
  char quote = *e->p;
  const char *s = ++e->p;
  while (e->p < e->end && *e->p != quote && *e->p != '\n' && (quote == '\'' || *e->p != '\\'))
    e->p++;
  if (e->p == e->end || *e->p != quote || (e->end - e->p > 1 && e->p[1] == '\''))
    return false;
  e->ev = (TbdEvent){.kind = TBD_TEXT, .s = s, .len = (u64)(e->p - s)};
  e->p++;
  return true;
}

/* Up to a character that is `stop` (CH_*). */
static bool scan_plain(TbdEvents *e, u8 stop) {
  const char *s = e->p;
  if (characters[(u8)*s] & CH_NO_BEGIN)
    return false;
  while (e->p < e->end && !(characters[(u8)*e->p] & (stop | CH_NO)))
    e->p++;
  if (e->p < e->end && characters[(u8)*e->p] & CH_NO)
    return false;
  const char *end = e->p;
  while (end > s && end[-1] == ' ')
    end--;
  e->ev = (TbdEvent){.kind = TBD_TEXT, .s = s, .len = (u64)(end - s)};
  return true;
}

/* Nothing behind "key:": a list of mappings in the lines below, or nothing at all. */
static void scan_empty_value(TbdEvents *e) {
  const char *line = e->p;
  i32 column = next_line(e), at = e->frames[e->depth - 1].column;
  bool item = column >= at && e->end - e->p > 2 && e->p[0] == '-' && e->p[1] == ' ';
  e->p = line;
  if (item) {
    push(e, (TbdFrame){.block_list = true, .column = column}, TBD_LIST);
  } else {
    e->ev = (TbdEvent){.kind = TBD_TEXT, .s = "", .null = true};
    if (column > at)
      give_up(e);
  }
}

static void scan_value(TbdEvents *e) {
  while (e->p < e->end && *e->p == ' ')
    e->p++;
  e->state = AT_LINE;
  if (e->p == e->end || *e->p == '\n') {
    e->p += e->p < e->end;
    scan_empty_value(e);
  } else if (*e->p == '[') {
    e->p++;
    e->state = AT_ITEM;
    push(e, (TbdFrame){0}, TBD_LIST);
  } else if (!(*e->p == '\'' || *e->p == '"' ? scan_quoted(e) : scan_plain(e, CH_LINE)) || !end_line(e)) {
    give_up(e);
  }
}

/* Blanks and ends of lines in a flow list. False where a line begins with what could end the document. */
static bool skip_space(TbdEvents *e) {
  for (; e->p < e->end && (*e->p == ' ' || *e->p == '\n'); e->p++)
    if (*e->p == '\n' && e->end - e->p > 1 && (e->p[1] == '-' || e->p[1] == '.' || e->p[1] == '%'))
      return false;
  return e->p < e->end;
}

/* An item of a flow list, with the comma behind it, or the list's end. */
static void scan_item(TbdEvents *e) {
  if (!skip_space(e)) {
    give_up(e);
    return;
  }
  if (*e->p == ']') {
    e->p++;
    e->depth--;
    emit(e, TBD_END);
    e->state = AT_LINE;
    if (!end_line(e))
      give_up(e);
    return;
  }
  bool ok = *e->p == '\'' || *e->p == '"' ? scan_quoted(e) : scan_plain(e, CH_FLOW);
  if (!ok || !skip_space(e) || (*e->p != ',' && *e->p != ']'))
    give_up(e);
  else
    e->p += *e->p == ',';
}

/* "..." may stand there, or the next document's "---". */
static void scan_document_end(TbdEvents *e) {
  next_line(e);
  emit(e, TBD_END);
  e->state = AT_DOCUMENT;
  if (e->end - e->p >= 3 && !memcmp(e->p, "...", 3)) {
    e->p += 3;
    if (!end_line(e))
      give_up(e);
  }
}

static void scan(TbdEvents *e) {
  switch (e->state) {
  case AT_DOCUMENT: scan_document(e); break;
  case AT_ROOT: scan_root(e); break;
  case AT_LINE:
    if (!scan_line(e))
      scan_key(e);
    break;
  case AT_KEY: scan_key(e); break;
  case AT_VALUE: scan_value(e); break;
  case AT_ITEM: scan_item(e); break;
  case AT_END_OF_DOCUMENT: scan_document_end(e); break;
  default: emit(e, TBD_STREAM_END); break;
  }
}

/* libyaml's readable ASCII, without tabs and carriage returns: those are rare. */
static bool only_plain_characters(Bytes t) {
  u8 odd = 0;
  for (u64 i = 0; i < t.len; i++)
    odd |= (t.p[i] < 0x20 || t.p[i] > 0x7e) & (t.p[i] != '\n');
  return !odd;
}

/* ---- either ---- */

static void convert(TbdEvents *e) {
  const yaml_event_t *y = &e->y.ev;
  e->ev = (TbdEvent){.kind = TBD_OTHER};
  switch (y->type) {
  case YAML_STREAM_END_EVENT: e->ev.kind = TBD_STREAM_END; break;
  case YAML_DOCUMENT_START_EVENT: e->ev.kind = TBD_DOCUMENT; break;
  case YAML_MAPPING_START_EVENT: e->ev.kind = TBD_MAP; break;
  case YAML_SEQUENCE_START_EVENT: e->ev.kind = TBD_LIST; break;
  case YAML_DOCUMENT_END_EVENT:
  case YAML_MAPPING_END_EVENT:
  case YAML_SEQUENCE_END_EVENT: e->ev.kind = TBD_END; break;
  case YAML_SCALAR_EVENT:
    e->ev = (TbdEvent){TBD_TEXT, (const char *)y->data.scalar.value, y->data.scalar.length, yr_is_null(&e->y)};
    break;
  default: break;
  }
}

bool tbd_open(TbdEvents *e, Arena *a, Diag *d, const char *path, Bytes text, bool fast) {
  *e = (TbdEvents){.fast = fast};
  if (!fast) {
    yr_open(&e->y, a, d, path, text);
    convert(e);
    return true;
  }
  e->y.a = a;
  e->p = (const char *)text.p;
  e->end = e->p + text.len;
  e->state = AT_DOCUMENT;
  return only_plain_characters(text);
}

void tbd_close(TbdEvents *e) {
  if (!e->fast)
    yr_close(&e->y);
}

void tbd_next(TbdEvents *e) {
  if (e->fast) {
    scan(e);
    return;
  }
  yr_next(&e->y);
  convert(e);
}

void tbd_skip(TbdEvents *e) {
  if (e->fast) {
    bool opens = e->ev.kind == TBD_MAP || e->ev.kind == TBD_LIST;
    for (u32 outer = e->depth; opens && e->ev.kind != TBD_STREAM_END && e->depth >= outer;)
      scan(e);
    return;
  }
  yr_skip(&e->y);
  convert(e);
}

const char *tbd_tag(const TbdEvents *e) { return e->fast ? e->tag : yr_tag(&e->y); }

YamlMark tbd_mark(const TbdEvents *e) { return e->fast ? (YamlMark){0, 0} : yr_mark(&e->y); }

void tbd_error(TbdEvents *e, YamlMark at, const char *fmt, ...) {
  if (e->fast) {
    give_up(e);
    return;
  }
  char text[300];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  yr_error(&e->y, at, "%s", text);
}

bool tbd_list(TbdEvents *e, const char *key) {
  if (e->ev.kind == TBD_LIST) {
    if (!e->fast)
      yr_check_tag(&e->y, NULL);
    return true;
  }
  if (e->ev.kind != TBD_OTHER && e->ev.kind != TBD_STREAM_END)
    tbd_error(e, tbd_mark(e), "%s must be a list", key);
  tbd_skip(e);
  return false;
}

bool tbd_item(TbdEvents *e) {
  tbd_next(e);
  return e->ev.kind != TBD_STREAM_END && e->ev.kind != TBD_END;
}
