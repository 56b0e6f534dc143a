/* diag.c: collects messages, and shows them in an order that does not depend on the schedule. Each
 * message is rendered twice when it is reported, as text and as the inside of a JSON object, because
 * which one is wanted may become known later. The trap: names come out of hostile files, so control
 * characters never reach the terminal as they are, and a flood of messages must not eat the memory:
 * what can't be shown any more is dropped, always the same ones (those that sort last). */
#include "util/diag.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/arena.h"
#include "util/demangle.h"
#include "util/hash.h"

enum { COMPACT_AT = 8192 }; /* pending messages before the ones past the limit are dropped */

typedef VEC(char) Text;

typedef struct {
  DiagLevel level;
  const char *code; /* static storage, or inside the block of `text` */
  u64 order;
  char *text; /* malloc'ed; the headline, lines after it start with ">>> " */
  char *json; /* malloc'ed; "message":...,... without the braces */
  u32 place;  /* length of the place that leads `text`, before ": "; 0: none */
} Message;

struct Diag {
  DiagOptions opt;
  pthread_mutex_t lock;
  VEC(Message) pending;
  u32 nerrors, nwarnings; /* reported, shown or not; atomic */
  u32 shown_errors;
  bool limit_noted, dropped;
  u64 *seen; /* hashes of what was shown: open addressing, 0 is free */
  u32 nseen, cap_seen;
  Arena names; /* results of diag_name */
};

/* ---- text ---- */

static void put(Text *t, const char *s, u64 len) {
  vec_reserve(t, (u32)(t->n + len + 1));
  memcpy(t->at + t->n, s, len);
  t->n += (u32)len;
  t->at[t->n] = 0;
}
static void puts_to(Text *t, const char *s) { put(t, s, strlen(s)); }

static void putf(Text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void putf(Text *t, const char *fmt, ...) {
  char buf[64]; /* numbers only */
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(buf, sizeof buf, fmt, ap);
  va_end(ap);
  if (n > 0)
    put(t, buf, MIN((u64)n, sizeof buf - 1));
}

/* Control characters as \xNN; a newline stays only where the message itself has lines. */
static void put_clean(Text *t, const char *s, bool lines) {
  for (const char *from = s;; s++) {
    u8 c = (u8)*s;
    if (c >= 0x20 && c != 0x7f)
      continue;
    if (c == '\t' || (c == '\n' && lines))
      continue;
    put(t, from, (u64)(s - from));
    if (!c)
      return;
    putf(t, "\\x%02x", c);
    from = s + 1;
  }
}

/* Length of the UTF-8 sequence at s (RFC 3629), 0 when it is none. */
static unsigned utf8_len(const u8 *s) {
  if (s[0] < 0x80)
    return 1;
  unsigned n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
  if (s[0] < 0xc2 || s[0] > 0xf4)
    return 0;
  for (unsigned i = 1; i < n; i++)
    if ((s[i] & 0xc0) != 0x80)
      return 0;
  if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
      (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
    return 0;
  return n;
}

/* A JSON string (RFC 8259, 7); bytes that are no UTF-8 become U+FFFD. */
static void put_json_n(Text *t, const char *str, u64 len) {
  const u8 *s = (const u8 *)str, *end = s + len;
  puts_to(t, "\"");
  while (s < end) {
    unsigned n = utf8_len(s);
    if (!n) {
      puts_to(t, "\\ufffd");
      s++;
      continue;
    }
    if (*s == '"' || *s == '\\') {
      putf(t, "\\%c", *s);
    } else if (*s == '\n') {
      puts_to(t, "\\n");
    } else if (*s == '\t') {
      puts_to(t, "\\t");
    } else if (*s < 0x20 || *s == 0x7f) {
      putf(t, "\\u%04x", *s);
    } else {
      put(t, (const char *)s, n);
    }
    s += n;
  }
  puts_to(t, "\"");
}
static void put_json(Text *t, const char *s) { put_json_n(t, s, strlen(s)); }

/* ---- rendering ---- */

static void render_place(Text *t, const DiagPlace *p) {
  puts_to(t, "\n>>> ");
  put_clean(t, p->role ? p->role : "at", false);
  puts_to(t, " ");
  if (p->source) {
    put_clean(t, p->source, false);
    if (p->line)
      putf(t, ":%u", p->line);
  } else {
    put_clean(t, p->object ? p->object : "?", false);
    if (p->section) {
      puts_to(t, ":(");
      put_clean(t, p->section, false);
      putf(t, "+0x%llx)", (unsigned long long)p->offset);
    }
  }
  if (p->function) {
    puts_to(t, " (");
    put_clean(t, p->function, false);
    puts_to(t, ")");
  }
  if (p->source && p->object) {
    puts_to(t, " in ");
    put_clean(t, p->object, false);
  }
}

static void member(Text *j, const char *name, const char *value, bool *first) {
  if (!value)
    return;
  puts_to(j, *first ? "\"" : ",\"");
  *first = false;
  puts_to(j, name);
  puts_to(j, "\":");
  put_json(j, value);
}

static void render_place_json(Text *j, const DiagPlace *p) {
  bool first = true;
  puts_to(j, "{");
  member(j, "role", p->role, &first);
  member(j, "file", p->source, &first);
  if (p->source && p->line)
    putf(j, ",\"line\":%u", p->line);
  member(j, "function", p->function, &first);
  member(j, "object", p->object, &first);
  member(j, "section", p->section, &first);
  if (p->section)
    putf(j, ",\"offset\":%llu", (unsigned long long)p->offset);
  puts_to(j, "}");
}

static void render_item(const DiagItem *item, Text *t, Text *j) {
  put_clean(t, item->message, false);
  puts_to(j, "\"message\":");
  put_json(j, item->message);
  if (item->symbol) {
    puts_to(j, ",\"symbol\":");
    put_json(j, item->symbol);
  }
  puts_to(j, ",\"places\":[");
  for (u32 i = 0; i < item->nplaces; i++) {
    render_place(t, &item->places[i]);
    if (i)
      puts_to(j, ",");
    render_place_json(j, &item->places[i]);
  }
  puts_to(j, "],\"notes\":[");
  for (u32 i = 0; i < item->nnotes; i++) {
    puts_to(t, "\n>>> ");
    put_clean(t, item->notes[i], false);
    if (i)
      puts_to(j, ",");
    put_json(j, item->notes[i]);
  }
  puts_to(j, "]");
}

/* Text of several lines: the first is the message, the others are its notes. */
static void render_text(const char *text, Text *t, Text *j) {
  put_clean(t, text, true);
  u64 len = strcspn(text, "\n");
  puts_to(j, "\"message\":");
  put_json_n(j, text, len);
  puts_to(j, ",\"notes\":[");
  bool first = true;
  for (const char *s = text + len; *s;) {
    s++;
    if (starts_with(s, ">>> "))
      s += 4;
    len = strcspn(s, "\n");
    if (!first)
      puts_to(j, ",");
    first = false;
    put_json_n(j, s, len);
    s += len;
  }
  puts_to(j, "]");
}

/* ---- the collector ---- */

Diag *diag_create(void) {
  Diag *d = calloc(1, sizeof *d);
  if (!d)
    return NULL;
  pthread_mutex_init(&d->lock, NULL);
  d->opt.program = "weld";
  d->opt.demangle = true;
  d->opt.error_limit = 20;
  return d;
}

static void message_free(Message *m) {
  free(m->text);
  free(m->json);
}

void diag_destroy(Diag *d) {
  if (!d)
    return;
  for (u32 i = 0; i < d->pending.n; i++)
    message_free(&d->pending.at[i]);
  vec_free(&d->pending);
  free(d->seen);
  arena_free(&d->names);
  pthread_mutex_destroy(&d->lock);
  free(d);
}

void diag_configure(Diag *d, const DiagOptions *o) {
  pthread_mutex_lock(&d->lock);
  d->opt = *o;
  if (!d->opt.program)
    d->opt.program = "weld";
  pthread_mutex_unlock(&d->lock);
}

const DiagOptions *diag_options(const Diag *d) { return &d->opt; }

u32 diag_errors(const Diag *d) {
  u32 n = __atomic_load_n(&d->nerrors, __ATOMIC_RELAXED);
  if (d->opt.fatal_warnings && !d->opt.no_warnings)
    n += __atomic_load_n(&d->nwarnings, __ATOMIC_RELAXED);
  return n;
}

static int message_compare(const void *a, const void *b) {
  const Message *x = a, *y = b;
  if (x->order != y->order)
    return x->order < y->order ? -1 : 1;
  int c = strcmp(x->text, y->text);
  return c ? c : (int)x->level - (int)y->level;
}

static bool same_message(const Message *a, const Message *b) {
  return a->level == b->level && streq(a->text, b->text);
}

static bool is_error(const Diag *d, const Message *m) {
  return m->level == DIAG_ERROR || (m->level == DIAG_WARNING && d->opt.fatal_warnings);
}

/* Drops repetitions that stand side by side, and errors that sort behind the limit. What is left does
 * not depend on the order of arrival, so neither does the output. */
static void compact(Diag *d) {
  if (d->pending.n > 1)
    qsort(d->pending.at, d->pending.n, sizeof *d->pending.at, message_compare);
  u32 n = 0, errors = 0, limit = d->opt.error_limit;
  for (u32 i = 0; i < d->pending.n; i++) {
    Message *m = &d->pending.at[i];
    bool error = m->level == DIAG_ERROR;
    if (n && same_message(&d->pending.at[n - 1], m)) {
      message_free(m);
    } else if (error && limit && errors > limit) {
      d->dropped = true;
      message_free(m);
    } else {
      errors += error;
      d->pending.at[n++] = *m;
    }
  }
  d->pending.n = n;
}

static void keep(Diag *d, DiagLevel level, const char *code, u64 order, u32 place, Text *t,
                 Text *j) {
  if (level == DIAG_ERROR)
    __atomic_fetch_add(&d->nerrors, 1, __ATOMIC_RELAXED);
  else if (level == DIAG_WARNING)
    __atomic_fetch_add(&d->nwarnings, 1, __ATOMIC_RELAXED);
  pthread_mutex_lock(&d->lock);
  *vec_push(&d->pending) = (Message){level, code ? code : "", order, t->at, j->at, place};
  if (d->pending.n >= COMPACT_AT && is_pow2(d->pending.n))
    compact(d);
  pthread_mutex_unlock(&d->lock);
}

void diag_report_item(Diag *d, const DiagItem *item) {
  Text t = {0}, j = {0};
  render_item(item, &t, &j);
  keep(d, item->level, item->code, item->order, 0, &t, &j);
}

/* `place`: "" or what leads the text, before ": ". Takes it. */
static void vreport(Diag *d, DiagLevel level, const char *code, u64 order, Text *place,
                    const char *fmt, va_list ap) PRINTF_LIKE(6, 0);
static void vreport(Diag *d, DiagLevel level, const char *code, u64 order, Text *place,
                    const char *fmt, va_list ap) {
  char small[512], *text = small;
  va_list again;
  va_copy(again, ap);
  int n = vsnprintf(small, sizeof small, fmt, ap);
  if (n >= (int)sizeof small && (text = malloc((size_t)n + 1)))
    vsnprintf(text, (size_t)n + 1, fmt, again);
  va_end(again);
  Text t = {0}, j = {0};
  u32 place_len = place->n;
  if (place_len)
    puts_to(place, ": ");
  puts_to(place, n < 0 ? "(unprintable message)" : text ? text : small);
  render_text(place->at, &t, &j);
  vec_free(place);
  if (text != small)
    free(text);
  keep(d, level, code, order, place_len, &t, &j);
}

void diag_vreport(Diag *d, DiagLevel level, const char *code, u64 order, const char *fmt,
                  va_list ap) {
  Text place = {0};
  vreport(d, level, code, order, &place, fmt, ap);
}

void diag_report_at(Diag *d, DiagLevel level, const char *code, u64 order, const char *path, u32 line,
                    u32 column, const char *fmt, ...) {
  Text place = {0};
  put_clean(&place, path, false);
  putf(&place, ":%u:%u", line, column);
  va_list ap;
  va_start(ap, fmt);
  vreport(d, level, code, order, &place, fmt, ap);
  va_end(ap);
}

void diag_report(Diag *d, DiagLevel level, const char *code, u64 order, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  diag_vreport(d, level, code, order, fmt, ap);
  va_end(ap);
}

/* ---- showing ---- */

/* True the first time that this message comes. */
static bool first_time(Diag *d, const Message *m) {
  u64 h = (hash_bytes(m->text, strlen(m->text)) ^ (u64)m->level << 62) | 1;
  if (d->nseen * 2 >= d->cap_seen) {
    u32 cap = d->cap_seen ? d->cap_seen * 2 : 64;
    u64 *seen = calloc(cap, sizeof *seen);
    if (!seen)
      return true;
    for (u32 i = 0; i < d->cap_seen; i++) {
      if (!d->seen[i])
        continue;
      u32 at = (u32)(d->seen[i] >> 1) & (cap - 1);
      while (seen[at])
        at = (at + 1) & (cap - 1);
      seen[at] = d->seen[i];
    }
    free(d->seen);
    d->seen = seen;
    d->cap_seen = cap;
  }
  u32 at = (u32)(h >> 1) & (d->cap_seen - 1);
  for (; d->seen[at]; at = (at + 1) & (d->cap_seen - 1))
    if (d->seen[at] == h)
      return false;
  d->seen[at] = h;
  d->nseen++;
  return true;
}

static const char *const level_word[] = {"error", "warning", "note"};
static const char *const level_color[] = {"\033[1;31m", "\033[1;35m", "\033[1;36m"};

static void put_message(Text *out, const DiagOptions *o, DiagLevel level, const char *text,
                        u32 place) {
  bool color = o->color;
  puts_to(out, color ? "\033[1m" : "");
  puts_to(out, o->program);
  puts_to(out, ": ");
  if (place) {
    put(out, text, place + 2);
    text += place + 2;
  }
  puts_to(out, color ? level_color[level] : "");
  puts_to(out, level_word[level]);
  puts_to(out, color ? ":\033[0m " : ": ");
  if (!color) {
    puts_to(out, text);
  } else { /* the headline stands out, the marks in front of the other lines step back */
    u64 len = strcspn(text, "\n");
    puts_to(out, "\033[1m");
    put(out, text, len);
    puts_to(out, "\033[0m");
    for (const char *s = text + len; *s; s += len) {
      s++;
      puts_to(out, "\n");
      if (starts_with(s, ">>> ")) {
        puts_to(out, "\033[2m>>>\033[0m ");
        s += 4;
      }
      len = strcspn(s, "\n");
      put(out, s, len);
    }
  }
  puts_to(out, "\n");
}

static void put_message_json(Text *out, DiagLevel level, const char *code, const char *json) {
  puts_to(out, "{\"level\":\"");
  puts_to(out, level_word[level]);
  puts_to(out, "\",\"code\":");
  put_json(out, code);
  puts_to(out, ",");
  puts_to(out, json);
  puts_to(out, "}\n");
}

static void show(Diag *d, Text *out, DiagLevel level, const char *code, const char *text, u32 place,
                 const char *json) {
  if (d->opt.sink)
    d->opt.sink(d->opt.sink_ctx, level, code, text);
  else if (d->opt.json)
    put_message_json(out, level, code, json);
  else
    put_message(out, &d->opt, level, text, place);
}

static void note_limit(Diag *d, Text *out) {
  Text t = {0}, j = {0};
  putf(&t, "too many errors: only the first %u are shown", d->opt.error_limit);
  puts_to(&t, " (--error-limit=0 shows all)");
  Text text = {0};
  render_text(t.at, &text, &j);
  show(d, out, DIAG_NOTE, "error-limit", text.at, 0, j.at);
  vec_free(&t);
  vec_free(&text);
  vec_free(&j);
}

void diag_flush(Diag *d) {
  pthread_mutex_lock(&d->lock);
  u32 limit = d->opt.error_limit;
  bool over = d->dropped;
  Text out = {0};
  if (d->pending.n > 1)
    qsort(d->pending.at, d->pending.n, sizeof *d->pending.at, message_compare);
  for (u32 i = 0; i < d->pending.n; i++) {
    Message *m = &d->pending.at[i];
    bool error = is_error(d, m);
    bool wanted = m->level == DIAG_WARNING && d->opt.no_warnings ? false : first_time(d, m);
    if (wanted && error && limit && d->shown_errors >= limit) {
      over = true;
      wanted = false;
    }
    if (wanted) {
      d->shown_errors += error;
      show(d, &out, error ? DIAG_ERROR : m->level, m->code, m->text, m->place, m->json);
    }
    message_free(m);
  }
  d->pending.n = 0;
  if (over && !d->limit_noted) {
    d->limit_noted = true;
    note_limit(d, &out);
  }
  if (out.n) /* at once, so that two linkers of one build don't mix their lines */
    fwrite(out.at, 1, out.n, stderr);
  vec_free(&out);
  pthread_mutex_unlock(&d->lock);
}

const char *diag_name(Diag *d, const char *name) {
  if (!d->opt.demangle)
    return name;
  char *plain = demangle(name, strlen(name));
  if (!plain)
    return name;
  pthread_mutex_lock(&d->lock);
  const char *kept = arena_strdup(&d->names, plain);
  pthread_mutex_unlock(&d->lock);
  free(plain);
  return kept;
}
