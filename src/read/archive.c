/* archive.c: see archive.h. The trap: sizes are decimal text of up to ten digits, a member is padded to
 * an even offset, and in a thin archive only the index and the names have bytes in the file. */
#include "read/archive.h"

enum { HEADER = 60 };

bool archive_is(Bytes d) {
  return d.len >= 8 && (!memcmp(d.p, "!<arch>\n", 8) || !memcmp(d.p, "!<thin>\n", 8));
}

void archive_open(ArchiveReader *r, Bytes data) {
  *r = (ArchiveReader){.data = data, .thin = data.p[2] == 't', .at = 8};
}

static bool decimal(const u8 *p, u32 n, u64 *out) {
  u64 v = 0;
  u32 i = 0;
  for (; i < n && p[i] >= '0' && p[i] <= '9'; i++)
    v = v * 10 + (u64)(p[i] - '0');
  if (!i)
    return false;
  for (; i < n; i++)
    if (p[i] != ' ')
      return false;
  *out = v;
  return true;
}

/* GNU: "/OFFSET" into the name table, names there end with "/\n" (thin archives keep slashes inside). What stands behind a
 * blank in the field means nothing: GNU ar leaves a "/" there when a thin archive's member has a path of 15 bytes and goes
 * into another thin archive. */
static const char *long_name(ArchiveReader *r, Arena *a, const u8 *field, u64 *nested) {
  u64 off;
  const u8 *blank = memchr(field, ' ', 16), *stop = blank ? blank : field + 16;
  const u8 *colon = memchr(field, ':', (size_t)(stop - field)); /* "/OFFSET:ORIGIN": a member of a nested archive */
  u32 len = (u32)((colon ? colon : stop) - field) - 1;
  if (!decimal(field + 1, len, &off) || off >= r->names.len)
    return NULL;
  if (colon && !decimal(colon + 1, (u32)(stop - colon - 1), nested))
    return NULL;
  const u8 *p = r->names.p + off;
  const u8 *end = memchr(p, '\n', r->names.len - off);
  u64 n = end ? (u64)(end - p) : r->names.len - off;
  while (n && (p[n - 1] == '/' || p[n - 1] == 0))
    n--;
  return arena_strndup(a, (const char *)p, n);
}

int archive_next(ArchiveReader *r, Arena *a, ArchiveMember *out, const char **why) {
  for (;;) {
    Bytes h, body;
    u64 size;
    r->at += r->at & 1;
    if (r->at >= r->data.len)
      return 0;
    if (!bytes_slice(r->data, r->at, HEADER, &h)) {
      *why = "archive ends inside a member header";
      return -1;
    }
    if (h.p[58] != '`' || h.p[59] != '\n') {
      *why = "archive member header does not end with \"`\\n\"";
      return -1;
    }
    if (!decimal(h.p + 48, 10, &size)) {
      *why = "archive member has a size that is no decimal number";
      return -1;
    }
    bool index = h.p[0] == '/' && (h.p[1] == ' ' || !memcmp(h.p, "/SYM64/ ", 8));
    bool names = h.p[0] == '/' && h.p[1] == '/';
    bool in_file = !r->thin || index || names;
    if (!bytes_slice(r->data, r->at + HEADER, in_file ? size : 0, &body)) {
      *why = "archive member runs past the end of the archive";
      return -1;
    }
    *out = (ArchiveMember){.off = r->at, .data = body};
    r->at += HEADER + body.len;
    if (names)
      r->names = body;
    if (index || names)
      continue;
    if (h.p[0] == '/') {
      out->name = long_name(r, a, h.p, &out->nested);
      if (!out->name) {
        *why = "archive member name is outside the name table";
        r->at = out->off;
        return -1;
      }
    } else if (!memcmp(h.p, "#1/", 3)) { /* BSD: the name is the first LEN bytes of the body */
      u64 len;
      Bytes name;
      if (!decimal(h.p + 3, 13, &len) || !bytes_slice(body, 0, len, &name)) {
        *why = "BSD archive member name runs past the member";
        r->at = out->off;
        return -1;
      }
      out->name = arena_strndup(a, (const char *)name.p, strnlen((const char *)name.p, len));
      out->data = (Bytes){body.p + len, body.len - len};
      if (starts_with(out->name, "__.SYMDEF"))
        continue;
    } else {
      u32 n = 16;
      while (n && h.p[n - 1] == ' ')
        n--;
      if (n && h.p[n - 1] == '/')
        n--;
      out->name = arena_strndup(a, (const char *)h.p, n);
      if (starts_with(out->name, "__.SYMDEF"))
        continue;
    }
    return 1;
  }
}
