/* elf_names.c: names that resolving does not look at: local symbols, what a shared library keeps to
 * itself, and what a library that is not in the link would define. For hints and maps. */
#include "core/resolve.h"
#include "read/elf.h"
#include "read/elf_locate.h"
#include "read/elf_machine.h"
#include "read/elf_widen.h"

/* A shared library's own .symtab, when it was not stripped: hidden and static symbols stand there. */
static void each_kept(const Link *l, const File *file, const ElfShared *o, void *ctx, SymbolFn *fn) {
  Arena arena = {0};
  for (u32 i = 1; o->shdrs && i < o->nshdr; i++) {
    const ElfShdr *s = &o->shdrs[i];
    Bytes tab, str;
    if (s->sh_type != SHT_SYMTAB || s->sh_link >= o->nshdr ||
        !bytes_slice(file->data, s->sh_offset, s->sh_size, &tab) ||
        !bytes_slice(file->data, o->shdrs[s->sh_link].sh_offset, o->shdrs[s->sh_link].sh_size, &str))
      continue;
    if (elf_machine(l)->class == ELFCLASS32)
      tab = elf_widen_symbols(&arena, tab);
    for (u64 off = sizeof(ElfSym); off < tab.len && tab.len - off >= sizeof(ElfSym); off += sizeof(ElfSym)) {
      const ElfSym *y = (const ElfSym *)(tab.p + off);
      u32 type = ELF64_ST_TYPE(y->st_info);
      const char *name;
      if (ELF64_ST_BIND(y->st_info) == STB_LOCAL && y->st_shndx != SHN_UNDEF &&
          (type == STT_FUNC || type == STT_OBJECT || type == STT_TLS) && (name = bytes_cstr(str, y->st_name))) {
        SymRec r = {.value = y->st_value, .size = y->st_size, .rank = RANK_STRONG,
                    .flags = SF_LOCAL | (type == STT_FUNC ? SF_FUNC : 0)};
        fn(ctx, name, &r);
      }
    }
  }
  arena_free(&arena);
}

void elf_each_local(const Link *l, FileId f, void *ctx, SymbolFn *fn) {
  const File *file = file_at(l, f);
  if (!file->fmt)
    return;
  if (file->kind == FILE_SHARED) {
    each_kept(l, file, file->fmt, ctx, fn);
    return;
  }
  const ElfObject *o = file->fmt;
  for (u32 i = 1; i < file->first_global; i++) {
    const ElfSym *s = &o->syms[i];
    u32 type = ELF64_ST_TYPE(s->st_info), special, section = elf_sym_section(o, i, &special);
    if (type == STT_SECTION || type == STT_FILE || special || !section || section >= o->nshdr)
      continue;
    const char *name = elf_sym_name(l, f, i);
    if (!*name)
      continue;
    SymRec r = {.value = s->st_value, .size = s->st_size, .index = i, .section = section, .rank = RANK_STRONG,
                .flags = SF_LOCAL | (type == STT_FUNC ? SF_FUNC : 0) | (type == STT_TLS ? SF_TLS : 0)};
    fn(ctx, name, &r);
  }
}

const char *elf_shared_name(const Link *l, FileId f, const char *const **needed) {
  const File *file = file_at(l, f);
  *needed = NULL;
  if (file->kind != FILE_SHARED || !file->fmt)
    return NULL;
  const ElfShared *o = file->fmt;
  *needed = (const char *const *)o->needed;
  return o->soname;
}

const char *elf_shared_version(const Link *l, FileId f, u32 index) {
  const File *file = file_at(l, f);
  if (file->kind != FILE_SHARED || !file->fmt || index >= file->nsyms)
    return NULL;
  const ElfShared *o = file->fmt;
  if (!o->versym)
    return NULL;
  u32 v = o->versym[index] & 0x7fff;
  const ElfSym *s = &o->syms[index];
  if (s->st_shndx != SHN_UNDEF)
    return o->verdef && v < o->nverdef ? o->verdef[v] : NULL;
  return o->verneed && v < o->nverneed ? o->verneed[v] : NULL;
}

/* ---- libraries that are not in the link ---- */

/* GNU archive index: member "/" (32 bit) or "/SYM64/": big-endian count, offsets, then the names. */
static void archive_names(Bytes lib, void *ctx, NameFn *fn) {
  Bytes head, body;
  if (!bytes_slice(lib, 8, 60, &head))
    return;
  bool wide = memcmp(head.p, "/SYM64/ ", 8) == 0;
  if (!wide && memcmp(head.p, "/ ", 2) != 0)
    return;
  u64 size = 0;
  for (u32 i = 48; i < 58 && head.p[i] >= '0' && head.p[i] <= '9'; i++)
    size = size * 10 + (u64)(head.p[i] - '0');
  u64 word = wide ? 8 : 4;
  if (!bytes_slice(lib, 68, size, &body) || body.len < word)
    return;
  u64 count = wide ? __builtin_bswap64(rd64(body.p)) : __builtin_bswap32(rd32(body.p));
  if (count > body.len / word)
    return;
  u64 at = word + count * word;
  for (u64 i = 0; i < count && at < body.len; i++) {
    const u8 *nul = memchr(body.p + at, 0, body.len - at);
    if (!nul)
      return;
    u64 len = (u64)(nul - (body.p + at));
    fn(ctx, (const char *)body.p + at, len);
    at += len + 1;
  }
}

static void dynamic_names(Bytes lib, Arena *arena, void *ctx, NameFn *fn) {
  Bytes shdrs;
  ElfEhdr h;
  if (!elf_machine_of(lib) || !elf_read_header(lib, &h) || h.e_type != ET_DYN || h.e_shentsize != elf_section_entry(&h) ||
      !elf_read_sections(lib, &h, h.e_shnum, arena, &shdrs))
    return;
  const ElfShdr *sh = (const ElfShdr *)shdrs.p;
  for (u32 i = 0; i < h.e_shnum; i++) {
    Bytes tab, str;
    if (sh[i].sh_type != SHT_DYNSYM || sh[i].sh_link >= h.e_shnum ||
        !bytes_slice(lib, sh[i].sh_offset, sh[i].sh_size, &tab) ||
        !bytes_slice(lib, sh[sh[i].sh_link].sh_offset, sh[sh[i].sh_link].sh_size, &str))
      continue;
    if (elf_symbol_entry(&h) != sizeof(ElfSym))
      tab = elf_widen_symbols(arena, tab);
    for (u64 off = 0; tab.len - off >= sizeof(ElfSym); off += sizeof(ElfSym)) {
      const ElfSym *y = (const ElfSym *)(tab.p + off);
      const char *name;
      if (y->st_shndx != SHN_UNDEF && ELF64_ST_BIND(y->st_info) != STB_LOCAL &&
          (name = bytes_cstr(str, y->st_name)))
        fn(ctx, name, strlen(name));
    }
  }
}

void elf_library_names(Bytes lib, void *ctx, NameFn *fn) {
  if (lib.len >= 8 && (!memcmp(lib.p, "!<arch>\n", 8) || !memcmp(lib.p, "!<thin>\n", 8)))
    archive_names(lib, ctx, fn);
  else if (lib.len >= SELFMAG && !memcmp(lib.p, ELFMAG, SELFMAG)) {
    Arena arena = {0};
    dynamic_names(lib, &arena, ctx, fn);
    arena_free(&arena);
  }
}
