/* macho_shared.c: see macho_shared.h. The trap: nothing is read here; inputs_macho.c made the MachoShared, since what a
 * file exports depends on other files and on the command line. */
#include "read/macho_shared.h"

#include "core/resolve.h"
#include "format/yaml_graph.h"

static const MachoShared *shared(const Link *l, FileId f) { return file_at(l, f)->fmt; }

bool macho_shared_open(Link *l, FileId f) {
  File *file = file_at(l, f);
  if (!file->fmt)
    return false; /* reported */
  file->nsyms = shared(l, f)->nexports + 1;
  file->first_global = 1;
  return true;
}

/* A weak definition yields to that of another library, and to a member of an archive. */
static bool yields(const MachoExport *x) { return x->flags & MACHO_EXPORT_WEAK; }

u32 macho_shared_names(Link *l, FileId f, InternEnt *out) {
  const File *file = file_at(l, f);
  const MachoShared *s = file->fmt;
  for (u32 i = 0; i < s->nexports; i++) {
    const MachoExport *x = &s->exports[i];
    file->globals[i] = UINT32_MAX;
    u64 rank = yields(x) ? RANK_OUTSIDE_WEAK : RANK_OUTSIDE;
    out[i] = (InternEnt){hash128_bytes(x->name, x->len), x->name, rank << 56 | (u64)f.i << 32 | (i + 1), &file->globals[i], x->len};
  }
  return s->nexports;
}

u32 macho_shared_symbols(const Link *l, FileId f, u32 from, SymRec *buf, u32 cap) {
  const File *file = file_at(l, f);
  u32 n = MIN(cap, file->nsyms - from);
  for (u32 k = 0; k < n; k++) {
    const MachoExport *x = macho_export(file, from + k);
    buf[k] = (SymRec){.index = from + k, .rank = yields(x) ? RANK_WEAK_FIRST : RANK_STRONG,
                      .flags = (yields(x) ? (u32)SF_WEAK : 0) | (x->flags & MACHO_EXPORT_TLV ? (u32)SF_TLS : 0)};
  }
  return n;
}

u32 macho_shared_kinds(const Link *l, FileId f, u32 from, u64 *buf, u32 cap) {
  u32 n = MIN(cap, file_at(l, f)->nsyms - from);
  for (u32 k = 0; k < n; k++)
    buf[k] = RANK_STRONG;
  return n;
}

const char *macho_shared_sym_name(const Link *l, FileId f, u32 index) {
  return index ? macho_export(file_at(l, f), index)->name : "";
}

const char *macho_shared_name(const Link *l, FileId f, const char *const **needed) {
  *needed = NULL;
  return file_at(l, f)->fmt ? shared(l, f)->install_name : NULL;
}

bool macho_shared_describe_symbol(const Link *l, FileId f, u32 index, Arena *arena, YamlAtom *out) {
  (void)arena;
  if (!index)
    return false;
  const MachoExport *x = macho_export(file_at(l, f), index);
  *out = (YamlAtom){.name = x->name, .load_name = shared(l, f)->install_name, .shared_type = YAML_SHARED_DATA};
  return true;
}
