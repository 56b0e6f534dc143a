/* yaml_text.c: prints the text form of the graph. It prints YAML itself: the layout is fixed, and
 * the only thing that takes thought is text. The trap is there: a name can be any bytes, and what
 * is written plain must be read back as the same text by every YAML reader, so what looks like a
 * number, a truth value or nothing at all is quoted. */
#include "write/yaml_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "format/yaml_words.h"

enum { FLUSH_AT = 60 << 10, FIRST_CAP = 64 << 10, VALUE_COLUMN = 17, BYTES_A_LINE = 16 };

/* ---- output ---- */

static void flush(YamlOut *o) {
  if (!o->failed && o->len && !o->sink(o->ctx, o->text, o->len))
    o->failed = true;
  o->len = 0;
}

/* Room for `n` bytes more (few, when there is a sink). */
static char *room(YamlOut *o, u64 n) {
  if (o->sink && o->len >= FLUSH_AT)
    flush(o);
  if (o->len + n > o->cap) {
    u64 cap = MAX(MAX(o->cap * 2, o->len + n), (u64)FIRST_CAP);
    char *p = heap_alloc(cap);
    if (o->len)
      memcpy(p, o->text, o->len);
    free(o->text);
    o->text = p;
    o->cap = cap;
  }
  return o->text + o->len;
}

static void put(YamlOut *o, const char *s, u64 len) {
  for (u64 n; len; s += n, len -= n) {
    n = MIN(len, 4096u);
    memcpy(room(o, n), s, n);
    o->len += n;
  }
}

static void puts_to(YamlOut *o, const char *s) {
  put(o, s, strlen(s));
}

static void put_spaces(YamlOut *o, u32 n) {
  memset(room(o, n), ' ', n);
  o->len += n;
}

static void putf(YamlOut *o, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void putf(YamlOut *o, const char *fmt, ...) {
  char text[64]; /* numbers only */
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  if (n > 0)
    put(o, text, MIN((u64)n, sizeof text - 1));
}

/* ---- text ---- */

/* Length of the UTF-8 character at s, and what it is (RFC 3629); 0: it is none. */
static u32 utf8_char(const u8 *s, u32 *c) {
  if (s[0] < 0x80) {
    *c = s[0];
    return 1;
  }
  u32 n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
  if (s[0] < 0xc2 || s[0] > 0xf4)
    return 0;
  *c = s[0] & (0x7fu >> n);
  for (u32 i = 1; i < n; i++) {
    if ((s[i] & 0xc0) != 0x80)
      return 0;
    *c = *c << 6 | (s[i] & 0x3f);
  }
  static const u32 least[] = {0, 0, 0x80, 0x800, 0x10000};
  return *c < least[n] || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff) ? 0 : n;
}

/* May stand in a text as it is: no control character, line break, invisible or unassigned one. */
static bool is_printable(u32 c) {
  if (c < 0xa1)
    return c >= 0x20 && c < 0x7f;
  return !(c == 0xad || (c >= 0x2000 && c <= 0x200f) || (c >= 0x2028 && c <= 0x202f) ||
           (c >= 0x2060 && c <= 0x206f) || (c >= 0xe000 && c <= 0xf8ff) || c == 0xfeff ||
           (c >= 0xfff0 && c <= 0xfffb) || (c & 0xfffe) == 0xfffe);
}

typedef enum { TEXT_PLAIN, TEXT_SINGLE, TEXT_DOUBLE, TEXT_BYTES } TextStyle;

/* Would a YAML reader take this for something that is not a text? Rather too often than too seldom.
 */
static bool looks_like_value(const char *s) {
  static const char *const words[] = {"null", "true", "false", "yes", "no", "on",    "off",  "y",
                                      "n",    ".inf", ".nan",  "=",   "<<", "-.inf", "+.inf"};
  for (u32 i = 0; i < COUNT_OF(words); i++)
    if (!strcasecmp(s, words[i]))
      return true;
  const char *digits = *s == '.' ? s + 1 : s;
  return *s == '+' || (*digits >= '0' && *digits <= '9');
}

static TextStyle text_style(const char *text) {
  const u8 *s = (const u8 *)text;
  bool plain = *s && !strchr("-?:,[]{}#&*!|>'\"%@`~", *s) && !looks_like_value(text);
  bool printable = true;
  for (u32 c, n; *s; s += n) {
    n = utf8_char(s, &c);
    if (!n)
      return TEXT_BYTES;
    printable = printable && is_printable(c);
    plain = plain && c != ' ' && c != ':' && c != ',' && !(c < 0x80 && strchr("[]{}", (int)c));
  }
  return !printable ? TEXT_DOUBLE : plain ? TEXT_PLAIN : TEXT_SINGLE;
}

static void put_escaped(YamlOut *o, u32 c) {
  switch (c) {
  case '"': puts_to(o, "\\\""); return;
  case '\\': puts_to(o, "\\\\"); return;
  case '\n': puts_to(o, "\\n"); return;
  case '\t': puts_to(o, "\\t"); return;
  default: putf(o, c < 0x100 ? "\\x%02X" : c < 0x10000 ? "\\u%04X" : "\\U%08X", c);
  }
}

static bool is_escaped(u32 c) {
  return c == '"' || c == '\\' || !is_printable(c);
}

static void put_text(YamlOut *o, const char *text) {
  const u8 *s = (const u8 *)text;
  u32 c = 0;
  switch (text_style(text)) {
  case TEXT_PLAIN: puts_to(o, text); return;
  case TEXT_SINGLE:
    put(o, "'", 1);
    for (const char *quote; (quote = strchr(text, '\'')); text = quote + 1) {
      put(o, text, (u64)(quote - text));
      put(o, "''", 2);
    }
    puts_to(o, text);
    put(o, "'", 1);
    return;
  case TEXT_DOUBLE:
    put(o, "\"", 1);
    for (u32 n; *s; s += n) {
      n = utf8_char(s, &c);
      if (is_escaped(c))
        put_escaped(o, c);
      else
        put(o, (const char *)s, n);
    }
    put(o, "\"", 1);
    return;
  case TEXT_BYTES: /* not UTF-8: each character is one byte */
    puts_to(o, "!bytes \"");
    for (; *s; s++)
      if (*s >= 0x80 || is_escaped(*s))
        put_escaped(o, *s);
      else
        put(o, (const char *)s, 1);
    put(o, "\"", 1);
    return;
  }
}

/* ---- keys and values ---- */

static const YamlKeyRow keys[] = {YAML_KEYS(YAML_KEY_ROW)};

/* A mapping being written: the first key of a list's item stands after its dash. */
typedef struct {
  YamlOut *o;
  u32 indent;
  bool dash; /* the next key is the first, after a dash */
} Map;

/* A key alone, for what is written below it. */
static void put_key(Map *m, YamlKey key) {
  if (m->dash) {
    put_spaces(m->o, m->indent - 2);
    put(m->o, "- ", 2);
  } else {
    put_spaces(m->o, m->indent);
  }
  m->dash = false;
  puts_to(m->o, keys[key].word);
  put(m->o, ":", 1);
}

static void begin_value(Map *m, YamlKey key) {
  put_key(m, key);
  u32 used = (u32)strlen(keys[key].word) + 1;
  put_spaces(m->o, used < VALUE_COLUMN ? VALUE_COLUMN - used : 1);
}

static void end_value(Map *m) {
  put(m->o, "\n", 1);
}

static void write_text(Map *m, YamlKey key, const char *text) {
  if (!text)
    return;
  begin_value(m, key);
  put_text(m->o, text);
  end_value(m);
}

static void write_word(Map *m, YamlKey key, u32 value, const YamlWord *rows, u32 n) {
  for (u32 i = 1; i < n; i++) /* the first row is the default */
    if (rows[i].value == value) {
      begin_value(m, key);
      puts_to(m->o, rows[i].word);
      end_value(m);
    }
}
#define WRITE_WORD(m, key, value, rows) write_word((m), (key), (u32)(value), (rows), COUNT_OF(rows))

static void write_number(Map *m, YamlKey key, u64 n) {
  if (!n)
    return;
  begin_value(m, key);
  putf(m->o, "%llu", (unsigned long long)n);
  end_value(m);
}

static void write_address(Map *m, YamlKey key, u64 n, bool present) {
  if (!present)
    return;
  begin_value(m, key);
  putf(m->o, "0x%llX", (unsigned long long)n);
  end_value(m);
}

static void write_content(Map *m, Bytes b) {
  static const char hex[] = "0123456789ABCDEF";
  YamlOut *o = m->o;
  if (!b.p)
    return;
  begin_value(m, YAML_KEY_CONTENT);
  put(o, "[ ", 2);
  for (u64 i = 0; i < b.len; i++) {
    char two[4] = {hex[b.p[i] >> 4], hex[b.p[i] & 15], ',', ' '};
    bool last = i + 1 == b.len, wraps = !last && i % BYTES_A_LINE == BYTES_A_LINE - 1;
    put(o, two, last ? 2 : wraps ? 3 : 4);
    if (wraps) {
      put(o, "\n", 1);
      put_spaces(o, m->indent + VALUE_COLUMN + 2);
    }
  }
  put(o, b.len ? " ]" : "]", b.len ? 2 : 1);
  end_value(m);
}

static void write_alignment(Map *m, u8 p2align, u64 modulus) {
  if (!p2align)
    return;
  begin_value(m, YAML_KEY_ALIGNMENT);
  if (modulus)
    putf(m->o, "%llu mod ", (unsigned long long)modulus);
  putf(m->o, "%llu", 1ull << (p2align & 63));
  end_value(m);
}

static void write_references(Map *atom, const YamlAtom *a) {
  if (!a->nrefs)
    return;
  put_key(atom, YAML_KEY_REFERENCES);
  end_value(atom);
  for (u32 i = 0; i < a->nrefs; i++) {
    const YamlRef *r = &a->refs[i];
    Map m = {atom->o, atom->indent + 4, true};
    write_text(&m, YAML_KEY_KIND, r->kind);
    write_number(&m, YAML_KEY_OFFSET, r->offset);
    write_text(&m, YAML_KEY_TARGET, r->target);
    if (r->addend) {
      begin_value(&m, YAML_KEY_ADDEND);
      putf(m.o, "%lld", (long long)r->addend);
      end_value(&m);
    }
    write_number(&m, YAML_KEY_TAG, r->tag);
  }
}

static void write_symbols(Map *atom, const YamlAtom *a) {
  if (!a->nsymbols)
    return;
  put_key(atom, YAML_KEY_SYMBOLS);
  end_value(atom);
  for (u32 i = 0; i < a->nsymbols; i++) {
    const YamlName *s = &a->symbols[i];
    Map m = {atom->o, atom->indent + 4, true};
    write_text(&m, YAML_KEY_NAME, s->name);
    WRITE_WORD(&m, YAML_KEY_SCOPE, s->scope, scopes);
    WRITE_WORD(&m, YAML_KEY_TYPE, s->type, symbol_types);
    write_number(&m, YAML_KEY_SIZE, s->size);
    WRITE_WORD(&m, YAML_KEY_MERGE, s->merge, merges);
    WRITE_WORD(&m, YAML_KEY_VISIBILITY, s->visibility, visibilities);
    WRITE_WORD(&m, YAML_KEY_BINDING, s->binding, bindings);
    write_number(&m, YAML_KEY_OFFSET, s->offset);
  }
}

static void write_key(Map *m, YamlKey key, const YamlAtom *a, YamlAtomKind kind) {
  switch (key) {
  case YAML_KEY_NAME: write_text(m, key, a->name); break;
  case YAML_KEY_REF_NAME: write_text(m, key, a->ref_name); break;
  case YAML_KEY_LOAD_NAME: write_text(m, key, a->load_name); break;
  case YAML_KEY_CAN_BE_NULL: WRITE_WORD(m, key, a->can_be_null, can_be_nulls); break;
  case YAML_KEY_FALLBACK: write_text(m, key, a->fallback); break;
  case YAML_KEY_VISIBILITY: WRITE_WORD(m, key, a->visibility, wanted_visibilities); break;
  case YAML_KEY_SCOPE: WRITE_WORD(m, key, a->scope, scopes); break;
  case YAML_KEY_TYPE:
    if (kind == YAML_ATOM_SHARED)
      WRITE_WORD(m, key, a->shared_type, shared_types);
    else
      WRITE_WORD(m, key, a->type, types);
    break;
  case YAML_KEY_CONTENT: write_content(m, a->content); break;
  case YAML_KEY_SIZE:
    if (!a->content.p || kind != YAML_ATOM_DEFINED)
      write_number(m, key, a->size);
    break;
  case YAML_KEY_INTERPOSABLE: WRITE_WORD(m, key, a->interposable, interposables); break;
  case YAML_KEY_MERGE: WRITE_WORD(m, key, a->merge, merges); break;
  case YAML_KEY_ALIGNMENT: write_alignment(m, a->p2align, a->modulus); break;
  case YAML_KEY_SECTION_CHOICE: WRITE_WORD(m, key, a->section_choice, section_choices); break;
  case YAML_KEY_SECTION_NAME: write_text(m, key, a->section_name); break;
  case YAML_KEY_SECTION_SIZE: write_number(m, key, a->section_size); break;
  case YAML_KEY_SECTION_TYPE: write_address(m, key, a->section_type, a->section_type); break;
  case YAML_KEY_SECTION_FLAGS: write_address(m, key, a->section_flags, a->section_flags); break;
  case YAML_KEY_ENTRY_SIZE: write_number(m, key, a->entry_size); break;
  case YAML_KEY_ADDRESS: write_address(m, key, a->address, a->has_address); break;
  case YAML_KEY_OUTPUT_SECTION: write_text(m, key, a->output_section); break;
  case YAML_KEY_DEAD_STRIP: WRITE_WORD(m, key, a->dead_strip, dead_strips); break;
  case YAML_KEY_DYNAMIC_EXPORT: WRITE_WORD(m, key, a->dynamic_export, dynamic_exports); break;
  case YAML_KEY_CODE_MODEL: WRITE_WORD(m, key, a->code_model, code_models); break;
  case YAML_KEY_PERMISSIONS: WRITE_WORD(m, key, a->permissions, permissions); break;
  case YAML_KEY_SYMBOLS: write_symbols(m, a); break;
  case YAML_KEY_REFERENCES: write_references(m, a); break;
  case YAML_KEY_VALUE: write_address(m, key, a->value, a->value != 0); break;
  default: break;
  }
}

/* ---- documents ---- */

void yaml_write_begin(YamlOut *o) {
  *o = (YamlOut){.sink = o->sink, .ctx = o->ctx, .text = o->text, .cap = o->cap};
}

void yaml_write_file_header(YamlOut *o, const YamlFile *f) {
  puts_to(o, f->archive ? "--- !archive\n" : "---\n");
  o->any = true;
  o->indent = 0;
  o->in_members = o->in_section = false;
  Map m = {o, 0, false};
  write_text(&m, YAML_KEY_PATH, f->path);
  if (!f->archive)
    write_text(&m, YAML_KEY_TARGET_TRIPLE, f->triple);
}

void yaml_write_member_header(YamlOut *o, const YamlMember *member) {
  Map m = {o, 0, false};
  if (!o->in_members) {
    put_key(&m, YAML_KEY_MEMBERS);
    end_value(&m);
  }
  o->in_members = true;
  o->in_section = false;
  o->indent = 6;
  m = (Map){o, 4, true};
  write_text(&m, YAML_KEY_NAME, member->name);
  begin_value(&m, YAML_KEY_CONTENT);
  puts_to(o, "!native\n");
  m = (Map){o, o->indent, false};
  write_text(&m, YAML_KEY_PATH, member->content.path);
  write_text(&m, YAML_KEY_TARGET_TRIPLE, member->content.triple);
}

void yaml_write_section(YamlOut *o, YamlAtomKind kind) {
  o->section = kind;
  o->in_section = false;
}

void yaml_write_atom(YamlOut *o, const YamlAtom *a) {
  static const YamlKey sections[] = {YAML_KEY_DEFINED_ATOMS, YAML_KEY_UNDEFINED_ATOMS,
                                     YAML_KEY_SHARED_LIBRARY_ATOMS, YAML_KEY_ABSOLUTE_ATOMS};
  Map m = {o, o->indent, false};
  if (!o->in_section) { /* its first atom */
    put_key(&m, sections[o->section]);
    end_value(&m);
    o->in_section = true;
  }
  m = (Map){o, o->indent + 4, true};
  for (u32 key = 0; key < YAML_NKEYS; key++)
    if (keys[key].where >> o->section & 1) /* YAML_IN_DEFINED ... */
      write_key(&m, (YamlKey)key, a, o->section);
  if (m.dash) { /* all defaults */
    put_spaces(o, o->indent + 2);
    puts_to(o, "- {}\n");
  }
}

bool yaml_write_end(YamlOut *o) {
  if (o->any)
    puts_to(o, "...\n");
  *room(o, 1) = 0;
  if (o->sink)
    flush(o);
  return !o->failed;
}

void yaml_out_free(YamlOut *o) {
  free(o->text);
  *o = (YamlOut){0};
}

static void write_atoms(YamlOut *o, const YamlFile *f) {
  const YamlAtoms *const lists[] = {&f->defined, &f->undefined, &f->shared, &f->absolute};
  for (u32 k = 0; k < COUNT_OF(lists); k++) {
    yaml_write_section(o, (YamlAtomKind)k);
    for (u32 i = 0; i < lists[k]->n; i++)
      yaml_write_atom(o, &lists[k]->at[i]);
  }
}

bool yaml_write(const YamlStream *s, YamlOut *o) {
  yaml_write_begin(o);
  for (u32 i = 0; i < s->n; i++) {
    const YamlFile *f = &s->files[i];
    yaml_write_file_header(o, f);
    if (!f->archive)
      write_atoms(o, f);
    for (u32 k = 0; f->archive && k < f->nmembers; k++) {
      yaml_write_member_header(o, &f->members[k]);
      write_atoms(o, &f->members[k].content);
    }
  }
  return yaml_write_end(o);
}
