/* goobj_head.c: how a file of Go begins: a header line, text for the compiler, a magic number, the packages that it imports. And
 * the numbers and strings that all of it is made of.
 * The trap: the oldest files have no version byte. The byte is 1, which as the length of a string would be negative, so no
 * list of imports begins with it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "arch/x86_64.def"
#include "read/goobj_reader.h"

bool goobj_bad(Link *l, FileId f, u64 off, const char *fmt, ...) {
  char text[512];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  diag_report(l->diag, DIAG_ERROR, "malformed-input", (u64)f.i << 32 | MIN(off, UINT32_MAX), "%s: offset 0x%llx: %s",
              file_name(l, f), (unsigned long long)off, text);
  return false;
}

/* ---- numbers, strings ---- */

u8 goobj_byte(GoReader *r) {
  if (!r->bad && r->at >= r->b.len)
    FAIL(r, r->b.len, "the file ends inside a symbol");
  return r->bad ? 0 : r->b.p[r->at++];
}

i64 goobj_int(GoReader *r) {
  u64 v = 0, at = r->at;
  for (unsigned shift = 0;; shift += 7) {
    u64 c = goobj_byte(r);
    if (r->bad)
      return 0;
    if (shift > 63 || (shift == 63 && (c & 0x7f) > 1)) {
      FAIL(r, at, "a number has more than 64 bits");
      return 0;
    }
    v |= (c & 0x7f) << shift;
    if (!(c & 0x80))
      break;
  }
  return (i64)(v >> 1) ^ -(i64)(v & 1);
}

u32 goobj_count(GoReader *r, u64 bytes, const char *what) {
  u64 at = r->at;
  i64 n = goobj_int(r);
  if (!r->bad && (n < 0 || (u64)n > (r->b.len - r->at) / bytes || n > UINT32_MAX))
    FAIL(r, at, "%lld %s in the %llu bytes that are left", (long long)n, what, (unsigned long long)(r->b.len - r->at));
  return r->bad ? 0 : (u32)n;
}

Bytes goobj_data(GoReader *r) {
  u64 at = r->at;
  i64 n = goobj_int(r);
  Bytes d = {0};
  if (!r->bad && (n < 0 || !bytes_slice(r->b, r->at, (u64)n, &d)))
    FAIL(r, at, "%lld bytes of data where %llu are left", (long long)n, (unsigned long long)(r->b.len - r->at));
  if (r->bad)
    return (Bytes){0};
  r->at += d.len;
  return d;
}

const char *goobj_string(GoReader *r) {
  u64 at = r->at;
  Bytes d = goobj_data(r);
  if (d.len && memchr(d.p, 0, d.len))
    FAIL(r, at, "a name with a zero byte in it");
  return r->bad ? "" : arena_strndup(r->arena, d.len ? (const char *)d.p : "", d.len);
}

/* ---- the head ---- */

bool goobj_is(Bytes b) { return b.len >= 10 && !memcmp(b.p, "go object ", 10); }

/* The next word of the header line. */
static const char *next_word(Arena *a, Bytes *line) {
  u64 n = 0;
  while (n < line->len && line->p[n] != ' ' && line->p[n])
    n++;
  const char *word = arena_strndup(a, (const char *)line->p, n);
  n += n < line->len;
  *line = (Bytes){line->p + n, line->len - n};
  return word;
}

/* How the compilers write a path as the prefix of names: what could be mistaken is %xx, and so is a dot behind the last slash. */
static const char *package_prefix(Arena *a, const char *path) {
  char *out = arena_alloc(a, 3 * strlen(path) + 1, 1), *p = out;
  const char *slash = strrchr(path, '/');
  for (const char *s = path; *s; s++) {
    u8 c = (u8)*s;
    if (c <= ' ' || c == '%' || c == '"' || c >= 0x7f || (c == '.' && s > (slash ? slash : path - 1)))
      p += sprintf(p, "%%%02x", c);
    else
      *p++ = (char)c;
  }
  return out;
}

static void read_imports(GoReader *r) {
  VEC(const char *) v = {0};
  for (;;) {
    const char *s = goobj_string(r);
    u64 n = strlen(s);
    if (r->bad || !n)
      break;
    if (n > 2 && streq(s + n - 2, ".a"))
      s = arena_strndup(r->arena, s, n - 2);
    *vec_push(&v) = s;
  }
  r->o->nimports = v.n;
  r->o->imports = ARENA_ARRAY(r->arena, const char *, v.n);
  if (v.n)
    memcpy(r->o->imports, v.at, v.n * sizeof *v.at);
  vec_free(&v);
}

void goobj_set_package(Link *l, FileId f, const char *path) {
  GoObject *o = file_at(l, f)->fmt;
  if (o)
    o->package = package_prefix(&l->arena, path);
}

bool goobj_head(Link *l, FileId f) {
  File *file = file_at(l, f);
  Bytes b = file->data;
  GoObject *o = ARENA_NEW(&l->arena, GoObject);
  const u8 *newline = goobj_is(b) ? memchr(b.p, '\n', b.len) : NULL;
  if (!newline)
    return goobj_bad(l, f, 0, "not an object of Go: the first line is not \"go object OS ARCH VERSION\"");
  Bytes line = {b.p + 10, (u64)(newline - b.p) - 10};
  o->os = next_word(&l->arena, &line);
  o->arch = next_word(&l->arena, &line);
  o->package = "";
  const u8 *end = memmem(newline, b.len - (u64)(newline - b.p), "\n!\n", 3);
  if (!end)
    return goobj_bad(l, f, (u64)(newline - b.p), "the text at the beginning does not end with a line \"!\"");
  GoReader r = {.l = l, .f = f, .arena = &l->arena, .o = o, .b = b, .at = (u64)(end - b.p) + 3};
  Bytes magic;
  if (!bytes_slice(b, r.at, 8, &magic))
    return goobj_bad(l, f, r.at, "the file ends where \"go13ld\" should stand");
  if (memcmp(magic.p, "\0\0go13ld", 8))
    return goobj_bad(l, f, r.at, "not in the object format of Go 1.3 and 1.4: \"go13ld\" does not follow%s",
                     !memcmp(magic.p, "\0\0go1", 5) ? ", a later revision does" : "");
  r.at += 8;
  o->first_revision = r.at < b.len && b.p[r.at] != 1;
  r.at += !o->first_revision;
  read_imports(&r);
  if (r.bad)
    return false;
  o->body = (Bytes){b.p + r.at, b.len - r.at};
  if (!o->body.len)
    return goobj_bad(l, f, r.at, "the file ends before its symbols");
  file->fmt = o;
  return true;
}

/* ---- -X ---- */

enum {
#define X(kind, bits, class, name) KIND_##kind,
  X86_64_EDGES(X)
#undef X
};

void goobj_add_string(Link *l, const char *name, const char *text, const char *os, const char *arch) {
  Arena *a = &l->arena;
  GoObject *o = ARENA_NEW(a, GoObject);
  u64 len = strlen(text);
  u8 *header = arena_alloc(a, 16, 8);
  wr64(header + 8, len);
  *o = (GoObject){.os = os, .arch = arch, .imports = NULL, .package = "", .ndefinitions = 2, .nsymbols = 4, .first_global = 3};
  o->definitions = ARENA_ARRAY(a, GoDefinition, 2);
  o->symbols = ARENA_ARRAY(a, GoSymbol, 4);
  const char *content = arena_printf(a, ".gostring.%s.str", name), *variable = arena_printf(a, ".data.%s", name);
  o->definitions[0] = (GoDefinition){
      .name = content + 10, .section = content, .kind = GO_SGOSTRING, .size = len, .data = {(const u8 *)text, len}};
  o->definitions[1] = (GoDefinition){.name = variable + 6,
                                     .section = variable,
                                     .kind = GO_SDATA,
                                     .global = true,
                                     .size = 16,
                                     .data = {header, 16},
                                     .nrelocs = 1};
  o->definitions[1].relocs = ARENA_NEW(a, GoReloc);
  *o->definitions[1].relocs = (GoReloc){.symbol = 1, .kind = KIND_ABS64};
  o->symbols[0].name = "";
  o->symbols[1] = (GoSymbol){content + 10, (u32)strlen(content + 10), 1};
  o->symbols[2] = o->symbols[3] = (GoSymbol){variable + 6, (u32)strlen(variable + 6), 2};
  const char *path = arena_printf(a, "-X %s", name);
  *vec_push(&l->files) = (File){.kind = FILE_OBJECT, .path = path, .arg = path, .fmt = o};
}
