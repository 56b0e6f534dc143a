/* macho_symbols.c: symbols of Mach-O objects as the resolver sees them.
 * The trap: an atom may have several global names, and some may be lost to other files while others are kept. Such an atom
 * stays (SymRec.keep), and so does one that is a whole section. */
#include "core/resolve.h"
#include "format/macho_object.h"
#include "read/macho_internal.h"
#include "read/macho_shared.h"
#include "util/hash.h"

enum { COMMON_MOST_ALIGN = 15 };

static u8 rank_of(const Nlist64 *n) {
  switch (n->n_type & N_TYPE) {
  case N_UNDF: return n->n_value ? RANK_COMMON : RANK_NONE;
  case N_SECT: return n->n_desc & N_WEAK_DEF ? RANK_WEAK_FIRST : RANK_STRONG;
  default: return RANK_STRONG;
  }
}

/* Weak references load archive members like others: Format.weak_references_load. */
static bool is_weak(const Nlist64 *n) {
  u8 rank = rank_of(n);
  return rank == RANK_WEAK_FIRST || (rank == RANK_NONE && n->n_desc & N_WEAK_REF);
}

u8 macho_common_align(const Nlist64 *n) {
  u32 align = MACHO_COMMON_ALIGN(n->n_desc);
  while (!align && n->n_value > 1)
    for (align = 1; align < COMMON_MOST_ALIGN && 1ull << align < n->n_value; align++) /* none is said: as large as it is */
      ;
  return (u8)align;
}

u32 macho_names(Link *l, FileId f, InternEnt *out) {
  const File *file = file_at(l, f);
  if (file->kind == FILE_SHARED)
    return macho_shared_names(l, f, out);
  const MachoObject *o = file->fmt;
  u32 n = 0;
  for (u32 i = file->first_global; i < file->nsyms; i++) {
    const Nlist64 *s = macho_nlist(o, i);
    const char *name = macho_name(o, s);
    u32 *id = &file->globals[i - file->first_global], len = (u32)strlen(name);
    u64 rank = rank_of(s);
    if (file->lazy)
      rank = rank < RANK_OUTSIDE ? RANK_OUTSIDE : RANK_NONE;
    *id = UINT32_MAX;
    out[n++] = (InternEnt){hash128_bytes(name, len), name, rank << 56 | (u64)f.i << 32 | i, id, len};
  }
  return n;
}

/* ---- records ---- */

static SymKeep keep_of(const MachoObject *o, const MachoSymbol *s) {
  if (!o->subsections)
    return KEEP_ALWAYS;
  return o->names && o->names[s->atom] > 1 ? KEEP_NAMED : KEEP_NO;
}

static u32 section_flags(const MachoSection *s) {
  if (s->type == S_THREAD_LOCAL_VARIABLES)
    return SF_TLS;
  return s->attr & (S_ATTR_PURE_INSTRUCTIONS | S_ATTR_SOME_INSTRUCTIONS) ? SF_FUNC : 0;
}

static void record(const File *file, u32 index, SymRec *r) {
  const MachoObject *o = file->fmt;
  if (index < o->natoms) { /* an atom's own symbol, or none */
    *r = (SymRec){.index = index, .section = index, .rank = index ? RANK_STRONG : RANK_NONE, .flags = index ? SF_SECTION : 0};
    return;
  }
  const MachoSymbol *s = macho_symbol(o, index);
  const Nlist64 *n = &o->nlists[s->nlist];
  *r = (SymRec){.index = index, .section = s->atom, .value = s->value, .rank = rank_of(n), .flags = is_weak(n) ? SF_WEAK : 0};
  switch (r->rank) {
  case RANK_NONE:
    r->value = 0;
    return;
  case RANK_COMMON:
    r->value = 1ull << macho_common_align(n);
    r->size = n->n_value;
    break;
  default:
    if (!s->atom) {
      r->flags |= SF_ABSOLUTE;
      break;
    }
    r->flags |= section_flags(&o->sections[o->atoms[s->atom].section]);
    r->size = macho_atom_size(o, s->atom) - s->value;
    r->keep = (u8)keep_of(o, s);
  }
  if (n->n_type & N_PEXT || file->exclude_libs) /* -hidden-l */
    r->vis = 2;
}

u32 macho_symbols(const Link *l, FileId f, u32 from, SymRec *buf, u32 cap) {
  const File *file = file_at(l, f);
  if (file->kind == FILE_SHARED)
    return macho_shared_symbols(l, f, from, buf, cap);
  u32 n = from < file->nsyms ? MIN(cap, file->nsyms - from) : 0;
  for (u32 k = 0; k < n; k++)
    record(file, from + k, &buf[k]);
  return n;
}

u32 macho_kinds(const Link *l, FileId f, u32 from, u64 *buf, u32 cap) {
  const File *file = file_at(l, f);
  if (file->kind == FILE_SHARED)
    return macho_shared_kinds(l, f, from, buf, cap);
  const MachoObject *o = file->fmt;
  u32 n = from < file->nsyms ? MIN(cap, file->nsyms - from) : 0;
  for (u32 k = 0; k < n; k++) {
    const MachoSymbol *s = macho_symbol(o, from + k);
    const Nlist64 *x = &o->nlists[s->nlist];
    u8 rank = rank_of(x);
    bool hidden = (x->n_type & N_PEXT || file->exclude_libs) && rank != RANK_NONE;
    u64 vis = hidden ? 2 : is_weak(x) && rank != RANK_NONE ? 3 : 0; /* Format.visible_wins */
    buf[k] = (u64)s->atom << SK_SECTION_SHIFT | vis << SK_VIS_SHIFT | (is_weak(x) ? SK_WEAK : 0) | rank;
  }
  return n;
}

void macho_definitions(const Link *l, const u64 *keys, u32 n, SymRec *buf) {
  for (u32 k = 0; k < n; k++)
    if (key_file(keys[k]) && key_rank(keys[k]) != RANK_NONE)
      macho_symbols(l, (FileId){key_file(keys[k])}, key_index(keys[k]), &buf[k], 1);
}

/* ---- names ---- */

const char *macho_sym_name(const Link *l, FileId f, u32 index) {
  if (f.i == 0)
    return index < l->weld_names.n ? l->weld_names.at[index].name : "";
  const File *file = file_at(l, f);
  if (!file->fmt || index >= file->nsyms)
    return "";
  if (file->kind == FILE_SHARED)
    return macho_shared_sym_name(l, f, index);
  const MachoObject *o = file->fmt;
  if (index < o->natoms) /* an atom's own symbol is called what the atom is */
    index = index ? o->atoms[index].symbol : 0;
  return index ? macho_name(o, macho_nlist(o, index)) : "";
}

u64 macho_sym_size(const Link *l, FileId f, u32 index) {
  const File *file = file_at(l, f);
  const MachoObject *o = file->fmt;
  if (!o || !index || index >= file->nsyms || file->kind == FILE_SHARED)
    return 0;
  if (index < o->natoms)
    return macho_atom_size(o, index);
  const MachoSymbol *s = macho_symbol(o, index);
  return s->atom ? macho_atom_size(o, s->atom) - s->value : 0;
}

void macho_each_local(const Link *l, FileId f, void *ctx, SymbolFn *fn) {
  const File *file = file_at(l, f);
  const MachoObject *o = file->kind == FILE_SHARED ? NULL : file->fmt; /* of a library only exports are known */
  for (u32 i = o ? o->natoms : 0; o && i < file->first_global; i++) {
    const char *name = macho_name(o, macho_nlist(o, i));
    SymRec r;
    if (!*name || name[0] == 'L' || starts_with(name, "ltmp"))
      continue;
    record(file, i, &r);
    r.rank = RANK_STRONG;
    r.flags |= SF_LOCAL;
    fn(ctx, name, &r);
  }
}

/* ---- libraries that are not in the link ---- */

/* BSD archive index, __.SYMDEF: a length in bytes, pairs of name and member offsets, a length, the names. */
static void archive_names(Bytes lib, void *ctx, NameFn *fn) {
  enum { HEADER = 60 };
  Bytes body = {lib.p + 8 + HEADER, lib.len - 8 - HEADER}, pairs, text;
  u64 skip = 0;
  if (!memcmp(lib.p + 8, "#1/", 3))
    for (const u8 *p = lib.p + 11; p < body.p && *p >= '0' && *p <= '9' && skip < 1000; p++)
      skip = skip * 10 + (u64)(*p - '0');
  if (body.len < 16 || skip > body.len - 4 || memcmp(skip ? (const char *)body.p : (const char *)lib.p + 8, "__.SYMDEF", 9))
    return;
  u64 n = rd32(body.p + skip), at = skip + 4;
  if (!bytes_slice(body, at, n, &pairs) || !bytes_slice(body, at + n, 4, &text) || !bytes_slice(body, at + n + 4, rd32(text.p), &text))
    return;
  for (u64 i = 0; i + 8 <= pairs.len; i += 8) {
    const char *name = bytes_cstr(text, rd32(pairs.p + i));
    if (name)
      fn(ctx, name, strlen(name));
  }
}

void macho_library_names(Bytes library, void *ctx, NameFn *fn) {
  if (library.len > 68 && !memcmp(library.p, "!<arch>\n", 8))
    archive_names(library, ctx, fn);
}
