/* elf.c: relocatable ELF objects. Headers and symbol tables are checked when a file is opened; section
 * headers only for files that are in the link, and only those sections that are not in a group that
 * lost: with debug builds of C++ most sections never get looked at.
 * The trap: archive members stand at odd addresses; all structs are read through the unaligned types. */
#include "read/elf.h"
#include "read/elf_fold.h"
#include "read/elf_machine.h"
#include "read/elf_widen.h"

#include <stdarg.h>
#include <stdio.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "core/resolve.h"
#include "util/decompress.h"
#include "util/hash.h"

bool elf_bad(Link *l, FileId f, u64 off, const char *fmt, ...) {
  char text[512];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  const File *file = file_at(l, f);
  if (file->kind == FILE_OBJECT)
    off = elf_widen_original(file->fmt, off);
  diag_report(l->diag, DIAG_ERROR, "malformed-input", (u64)f.i << 32 | (off & 0xffffffff),
              "%s: offset 0x%llx: %s", file_name(l, f), (unsigned long long)off, text);
  return false;
}

/* ---- open ---- */

/* Every name in a string table that ends with NUL ends inside it. */
static bool string_table(Link *l, FileId f, Bytes data, const ElfShdr *sh, Bytes *out, const char *what) {
  if (sh->sh_type != SHT_STRTAB)
    return elf_bad(l, f, sh->sh_offset, "%s is not of type SHT_STRTAB", what);
  if (!bytes_slice(data, sh->sh_offset, sh->sh_size, out))
    return elf_bad(l, f, sh->sh_offset, "%s runs past the end of the file", what);
  if (!out->len || out->p[out->len - 1])
    return elf_bad(l, f, sh->sh_offset, "%s does not end with a NUL byte", what);
  return true;
}

/* Only for files that need it: the table of a symbol table's large section numbers. */
static bool find_xindex(Link *l, FileId f, const File *file, ElfObject *o) {
  u32 i = 1;
  while (i < o->nshdr && (o->shdrs[i].sh_type != SHT_SYMTAB_SHNDX || o->shdrs[i].sh_link != o->symtab_shndx))
    i++;
  Bytes b;
  if (i == o->nshdr)
    return true;
  if (!bytes_array(file->data, o->shdrs[i].sh_offset, file->nsyms, 4, &b) || o->shdrs[i].sh_size < (u64)file->nsyms * 4)
    return elf_bad(l, f, o->shdrs[i].sh_offset, "extended section index table is too short");
  o->xindex = (const u32_unaligned *)b.p;
  return true;
}

static bool find_symtab(Link *l, FileId f, File *file, ElfObject *o, Arena *arena) {
  bool narrow = elf_machine(l)->class == ELFCLASS32;
  u32 x = 0, entsize = narrow ? sizeof(Elf32_Sym) : sizeof(ElfSym);
  for (u32 i = o->nshdr; i-- > 1 && !x;) /* compilers put it last */
    if (o->shdrs[i].sh_type == SHT_SYMTAB)
      x = i;
  if (!x)
    return true;
  const ElfShdr *s = &o->shdrs[x];
  u64 n = s->sh_size / entsize;
  Bytes b;
  if (s->sh_entsize != entsize)
    return elf_bad(l, f, s->sh_offset, "symbol table has entries of %llu bytes, expected %u",
                   (unsigned long long)s->sh_entsize, entsize);
  if (n > UINT32_MAX || !bytes_slice(file->data, s->sh_offset, s->sh_size, &b))
    return elf_bad(l, f, s->sh_offset, "symbol table runs past the end of the file");
  if (s->sh_info > n)
    return elf_bad(l, f, s->sh_offset, "symbol table has %llu entries, but %u locals",
                   (unsigned long long)n, s->sh_info);
  if (s->sh_link >= o->nshdr)
    return elf_bad(l, f, s->sh_offset, "symbol table names section %u as its strings, of %u sections",
                   s->sh_link, o->nshdr);
  if (n && !string_table(l, f, file->data, &o->shdrs[s->sh_link], &o->strtab, "symbol string table"))
    return false;
  o->symtab_shndx = x;
  o->syms = (const ElfSym *)(narrow ? elf_widen_symbols(arena, b).p : b.p);
  file->nsyms = (u32)n;
  file->first_global = n ? MAX(s->sh_info, 1u) : 0;
  return o->nshdr < SHN_LORESERVE || find_xindex(l, f, file, o); /* else elf_names, elf_atoms ask when there is one */
}

#define FIELD(name) (elf_machine(l)->class == ELFCLASS32 ? offsetof(Elf32_Ehdr, name) : offsetof(Elf64_Ehdr, name))

bool elf_open(Link *l, FileId f, unsigned tid) {
  File *file = file_at(l, f);
  if (file->kind == FILE_SHARED)
    return elf_shared_open(l, f, tid);
  ElfObject *o = ARENA_NEW(&l->scratch[tid], ElfObject);
  Arena *arena = &l->scratch[tid];
  u32 entsize;
  ElfEhdr header, *h = &header;
  Bytes b;
  if (!elf_is_ours(l, f, tid))
    return false;
  if (!elf_read_header(file->data, h))
    return elf_bad(l, f, file->data.len, "file ends inside the ELF header");
  entsize = elf_section_entry(h);
  if (h->e_type != ET_REL)
    return elf_bad(l, f, offsetof(ElfEhdr, e_type), "file type is %u, expected a relocatable or a shared library", h->e_type);
  if (!h->e_shoff) { /* an object without sections has nothing to say */
    file->fmt = o;
    return true;
  }
  if (h->e_shentsize != entsize)
    return elf_bad(l, f, FIELD(e_shentsize), "section headers are %u bytes, expected %u", h->e_shentsize, entsize);
  if (!elf_read_sections(file->data, h, 1, arena, &b))
    return elf_bad(l, f, h->e_shoff, "section header table is outside the file");
  const ElfShdr *first = (const ElfShdr *)b.p;
  u64 n = h->e_shnum ? h->e_shnum : first->sh_size;
  u32 str = h->e_shstrndx == SHN_XINDEX ? first->sh_link : h->e_shstrndx;
  if (n > UINT32_MAX / 4 || !elf_read_sections(file->data, h, n, arena, &b))
    return elf_bad(l, f, h->e_shoff, "section header table of %llu entries runs past the end of the file", (unsigned long long)n);
  o->shdrs = (const ElfShdr *)b.p;
  o->nshdr = (u32)n;
  file->natoms = (u32)n;
  if (!n) {
    file->fmt = o;
    return true;
  }
  if (str >= n)
    return elf_bad(l, f, FIELD(e_shstrndx), "section name table is section %u, of %u sections", str, o->nshdr);
  if (str && !string_table(l, f, file->data, &o->shdrs[str], &o->shstrtab, "section name table"))
    return false;
  if (!find_symtab(l, f, file, o, arena))
    return false;
  file->fmt = o;
  return true;
}

const char *elf_section_name(const ElfObject *o, u32 i) {
  u32 off = o->shdrs[i].sh_name;
  return off < o->shstrtab.len ? (const char *)o->shstrtab.p + off : "";
}

/* ---- names ---- */

/* Names are mostly long, and in no order: they are asked for early. The tables are read from end to end, but the CPU
 * itself starts anew on each page of each of some thousand files. */
enum { NAMES_AHEAD = 12, SECTIONS_AHEAD = 8, SYMS_AHEAD = 32, HEADERS_AHEAD = 20, RELS_AHEAD = 32, TARGETS_AHEAD = 12, GROUPS_AHEAD = 8 };

/* Length of a NUL-terminated name; *at is where the first '@' stands, or the length. One walk for both.
 * Reads whole aligned 16-byte blocks, which never cross into a page that the name does not touch. */
__attribute__((no_sanitize("address"))) static inline u32 name_length(const char *s, u32 *at) {
#ifdef __SSE2__
  const __m128i zero = _mm_setzero_si128(), sign = _mm_set1_epi8('@');
  u64 skip = (uintptr_t)s & 15;
  const __m128i *p = (const __m128i *)(const void *)(s - skip);
  u32 seen = UINT32_MAX;
  for (u32 base = 0;; base += 16, p++) {
    __m128i v = _mm_load_si128(p);
    u32 nul = (u32)_mm_movemask_epi8(_mm_cmpeq_epi8(v, zero));
    u32 sgn = (u32)_mm_movemask_epi8(_mm_cmpeq_epi8(v, sign));
    if (!base) {
      nul &= ~0u << skip;
      sgn &= ~0u << skip;
    }
    if (UNLIKELY(sgn) && seen == UINT32_MAX)
      seen = base + (u32)__builtin_ctz(sgn) - (u32)skip;
    if (nul) {
      u32 len = base + (u32)__builtin_ctz(nul) - (u32)skip;
      *at = MIN(seen, len);
      return len;
    }
  }
#else
  u32 len = (u32)strlen(s);
  const char *p = memchr(s, '@', len);
  *at = p ? (u32)(p - s) : len;
  return len;
#endif
}

static u8 sym_rank(const ElfSym *s) {
  if (s->st_shndx == SHN_UNDEF)
    return RANK_NONE;
  if (s->st_shndx == SHN_COMMON || s->st_shndx == SHN_X86_64_LCOMMON || ELF64_ST_TYPE(s->st_info) == STT_COMMON)
    return RANK_COMMON;
  return ELF64_ST_BIND(s->st_info) == STB_WEAK ? RANK_WEAK : RANK_STRONG;
}

/* Of a symbol whose st_shndx is no section's index: does it mean something else? */
static bool is_special_section(Link *l, FileId f, u32 i) {
  File *file = file_at(l, f);
  ElfObject *o = file->fmt;
  u32 x = o->syms[i].st_shndx;
  if (x == SHN_XINDEX)
    return (o->xindex || find_xindex(l, f, file, o)) && o->xindex && o->xindex[i] < o->nshdr;
  return x == SHN_ABS || x == SHN_COMMON || (x == SHN_X86_64_LCOMMON && elf_machine(l)->machine == EM_X86_64);
}

/* In the file, whatever of it was widened. */
static u64 place_of_symbol(const Link *l, const File *file, const ElfObject *o, u32 i) {
  if (elf_machine(l)->class == ELFCLASS32)
    return o->shdrs[o->symtab_shndx].sh_offset + (u64)i * sizeof(Elf32_Sym);
  return (u64)((const u8 *)&o->syms[i] - file->data.p);
}

u32 elf_names(Link *l, FileId f, InternEnt *out) {
  File *file = file_at(l, f);
  bool shared = file->kind == FILE_SHARED;
  const ElfObject *o = file->fmt;
  const ElfShared *so = file->fmt;
  const ElfSym *syms = shared ? so->syms : o->syms;
  Bytes str = shared ? so->dynstr : o->strtab;
  u32 n = 0;
  for (u32 i = file->first_global; i < file->nsyms; i++) {
    const ElfSym *s = &syms[i];
    u32 *id = &file->globals[i - file->first_global];
    PREFETCH(s + SYMS_AHEAD);
    if (i + NAMES_AHEAD < file->nsyms) {
      PREFETCH_AT(str.p, syms[i + NAMES_AHEAD].st_name);
      PREFETCH_AT(str.p, (u64)syms[i + NAMES_AHEAD].st_name + 64);
    }
    *id = UINT32_MAX;
    if (s->st_name >= str.len) {
      elf_bad(l, f, s->st_name, "symbol %u has a name outside the string table", i);
      continue;
    }
    if (!shared && UNLIKELY(s->st_shndx >= o->nshdr) && !is_special_section(l, f, i)) {
      elf_bad(l, f, place_of_symbol(l, file, o, i), "symbol %u is in section %u, of %u sections", i,
              s->st_shndx == SHN_XINDEX && o->xindex ? o->xindex[i] : s->st_shndx, o->nshdr);
      continue;
    }
    u8 rank = sym_rank(s);
    /* A version that is not the default (hidden bit) answers only to NAME@VERSION, see versioned refs. */
    if (shared && rank != RANK_NONE && so->versym && (so->versym[i] & 0x8000 || so->versym[i] == 0))
      continue;
    if (shared && ELF64_ST_BIND(s->st_info) == STB_LOCAL)
      continue;
    const char *p = (const char *)str.p + s->st_name;
    u32 at, len = name_length(p, &at);
    if (UNLIKELY(at < len) && !shared) {
      if (rank != RANK_NONE && p[at + 1] == '@')
        len = at; /* foo@@V defines foo */
      __atomic_store_n(&l->has_versioned_refs, true, __ATOMIC_RELAXED);
      file->has_versions = true;
    }
    if (rank != RANK_NONE)
      rank = shared || file->lazy ? RANK_OUTSIDE : rank;
    out[n++] = (InternEnt){hash128_bytes(p, len), p, (u64)rank << 56 | (u64)f.i << 32 | i, id, len};
  }
  return n;
}

/* ---- symbols ---- */

static const u32 type_flags[16] = {
    [STT_FUNC] = SF_FUNC, [STT_TLS] = SF_TLS, [STT_GNU_IFUNC] = SF_FUNC | SF_IFUNC, [STT_SECTION] = SF_SECTION};

static inline void decode(const ElfObject *o, const ElfSym *s, u32 i, SymRec *r) {
  *r = (SymRec){.value = s->st_value, .size = s->st_size, .index = i, .flags = type_flags[ELF64_ST_TYPE(s->st_info)],
                .rank = sym_rank(s), .vis = ELF64_ST_VISIBILITY(s->st_other)};
  u32 bind = ELF64_ST_BIND(s->st_info);
  if (bind == STB_WEAK)
    r->flags |= SF_WEAK;
  else if (bind == STB_GNU_UNIQUE)
    r->flags |= SF_UNIQUE;
  r->large = s->st_shndx == SHN_X86_64_LCOMMON;
  if (r->rank == RANK_NONE || r->rank == RANK_COMMON)
    return;
  if (s->st_shndx == SHN_ABS) {
    r->flags |= SF_ABSOLUTE;
  } else if (o) {
    u32 special;
    r->section = elf_sym_section(o, i, &special);
    if (UNLIKELY(r->section >= o->nshdr || special || !r->section)) { /* reported by elf_names */
      r->section = 0;
      r->flags |= SF_ABSOLUTE;
    }
  }
}

u32 elf_symbols(const Link *l, FileId f, u32 from, SymRec *buf, u32 cap) {
  const File *file = file_at(l, f);
  u32 n = MIN(cap, file->nsyms - from);
  if (file->kind == FILE_SHARED) {
    const ElfShared *so = file->fmt;
    for (u32 k = 0; k < n; k++) {
      decode(NULL, &so->syms[from + k], from + k, &buf[k]);
      if (buf[k].rank == RANK_COMMON)
        buf[k].rank = RANK_STRONG;
      if (buf[k].vis == STV_PROTECTED)
        buf[k].flags |= SF_PROTECTED;
    }
    return n;
  }
  const ElfObject *o = file->fmt;
  for (u32 k = 0; k < n; k++)
    decode(o, &o->syms[from + k], from + k, &buf[k]);
  return n;
}

void elf_definitions(const Link *l, const u64 *keys, u32 n, SymRec *buf) {
  for (u32 k = 0; k < n; k++) { /* they stand anywhere */
    const File *file = &l->files.at[key_file(keys[k])];
    if (!file->fmt)
      continue;
    const ElfSym *syms = file->kind == FILE_SHARED ? ((const ElfShared *)file->fmt)->syms
                                                   : ((const ElfObject *)file->fmt)->syms;
    PREFETCH(syms + key_index(keys[k]));
  }
  for (u32 k = 0; k < n; k++)
    if (key_file(keys[k]) && key_rank(keys[k]) != RANK_NONE)
      elf_symbols(l, (FileId){key_file(keys[k])}, key_index(keys[k]), &buf[k], 1);
}

/* decode(), for those who only want to know what kind of symbol each is. */
u32 elf_kinds(const Link *l, FileId f, u32 from, u64 *buf, u32 cap) {
  const File *file = file_at(l, f);
  bool shared = file->kind == FILE_SHARED;
  const ElfObject *o = shared ? NULL : file->fmt;
  const ElfSym *syms = shared ? ((const ElfShared *)file->fmt)->syms : o->syms;
  u32 n = MIN(cap, file->nsyms - from);
  for (u32 k = 0; k < n; k++) {
    const ElfSym *s = &syms[from + k];
    PREFETCH(s + SYMS_AHEAD);
    u32 rank = sym_rank(s), special;
    u64 section = 0;
    if (shared) {
      rank = rank == RANK_COMMON ? (u32)RANK_STRONG : rank;
    } else if (rank != RANK_NONE && rank != RANK_COMMON) {
      section = elf_sym_section(o, from + k, &special);
      if (UNLIKELY(section >= o->nshdr)) /* reported by elf_names */
        section = 0;
    }
    buf[k] = section << SK_SECTION_SHIFT | (u64)ELF64_ST_VISIBILITY(s->st_other) << SK_VIS_SHIFT |
             (ELF64_ST_BIND(s->st_info) == STB_WEAK ? SK_WEAK : 0) | rank;
  }
  return n;
}

const char *elf_sym_name(const Link *l, FileId f, u32 index) {
  const File *file = file_at(l, f);
  if (f.i == 0)
    return index < l->weld_names.n ? l->weld_names.at[index].name : "";
  if (!file->fmt || index >= file->nsyms)
    return "";
  const ElfObject *o = file->fmt;
  const ElfShared *so = file->fmt;
  bool shared = file->kind == FILE_SHARED;
  u32 off = shared ? so->syms[index].st_name : o->syms[index].st_name;
  Bytes str = shared ? so->dynstr : o->strtab;
  if (!shared && ELF64_ST_TYPE(o->syms[index].st_info) == STT_SECTION) {
    u32 special, x = elf_sym_section(o, index, &special);
    return x && x < o->nshdr ? elf_section_name(o, x) : "";
  }
  return off < str.len ? (const char *)str.p + off : "";
}

/* Most are of FDEs that lead nowhere any more: no reason to make Edges of them. */
bool elf_edge_ends(const Link *l, AtomId a, EdgeEnd *buf) {
  const u8 *bytes = elf_machine(l)->unwind;
  const Atom *at = &l->atoms.at[a.i];
  const File *file = &l->files.at[at->file];
  const ElfObject *o = file->fmt;
  const ElfRela *rel = (const ElfRela *)(file->data.p + at->rel_off);
  if (at->size > UINT32_MAX)
    return false;
  for (u32 i = 0; i < at->rel; i++) {
    PREFETCH(rel + i + RELS_AHEAD);
    if (i + TARGETS_AHEAD < at->rel)
      PREFETCH((const void *)((uintptr_t)o->syms + ELF64_R_SYM(rel[i + TARGETS_AHEAD].r_info) * sizeof(ElfSym)));
    u64 info = rel[i].r_info, off = rel[i].r_offset;
    u32 type = (u32)ELF64_R_TYPE(info), sym = (u32)ELF64_R_SYM(info), atom, special;
    u32 width = bytes[type & 255];
    if (UNLIKELY(type > 255 || !width || sym >= file->nsyms || off > at->size || width > at->size - off))
      return false;
    if (sym < file->first_global) {
      u32 section = elf_sym_section(o, sym, &special);
      atom = section && section < o->nshdr ? file->atom_base + section : 0;
    } else {
      u32 id = file->globals[sym - file->first_global];
      if (UNLIKELY(id == UINT32_MAX))
        return false;
      atom = l->syms.atom[id];
    }
    buf[i] = (EdgeEnd){(u32)off, atom};
  }
  return true;
}

/* ---- groups ---- */

enum { MAX_SECTION = (1 << 30) - 1 }; /* elf_open() lets no file have more */

/* .gnu.linkonce.KIND.NAME, from before there were groups: a group of one, named by the section. */
static bool is_linkonce(const ElfObject *o, u32 i) {
  const ElfShdr *s = &o->shdrs[i];
  if (s->sh_flags & SHF_GROUP || !(s->sh_flags & SHF_ALLOC) || (s->sh_type != SHT_PROGBITS && s->sh_type != SHT_NOBITS))
    return false;
  const char *name = elf_section_name(o, i);
  return name[0] == '.' && name[1] == 'g' && starts_with(name, ".gnu.linkonce.");
}

/* Assemblers put all groups before the first other section. Believing it spares the headers of all that
 * lost, most of a debug build's; elf_atoms() looks at every header that is left, and has the link start
 * over (Link.scattered_groups) when it meets a group that was missed here. */
static u32 find_groups_end(const Link *l, const ElfObject *o) {
  u32 i = 1;
  for (; i < o->nshdr && o->shdrs[i].sh_type == SHT_GROUP; i++)
    PREFETCH(&o->shdrs[i + HEADERS_AHEAD]);
  return i > 1 && !l->scattered_groups ? i : o->nshdr;
}

/* A group whose name no symbol of the link may bear. `n`: groups of the file, at most. */
static void name_group(Link *l, File *file, unsigned tid, GroupRef *g, u32 n, const char *name) {
  g->id = sym_find(l, name, strlen(name)).i;
  if (g->id != UINT32_MAX)
    return;
  if (!file->group_names)
    file->group_names = ARENA_ARRAY(&l->scratch[tid], const char *, n);
  g->id = (u32)(g - file->groups);
  g->local = true;
  file->group_names[g->id] = name;
}

void elf_groups(Link *l, FileId f, unsigned tid) {
  elf_widen_contents(l, f, tid);
  File *file = file_at(l, f);
  ElfObject *o = file->fmt;
  u32 n = 0, end = o->groups_end = find_groups_end(l, o);
  if (end < o->nshdr)
    n = end - 1;
  for (u32 i = 1; end == o->nshdr && i < end; i++)
    n += o->shdrs[i].sh_type == SHT_GROUP || is_linkonce(o, i);
  file->ngroups = 0;
  file->group_names = NULL;
  if (!n)
    return;
  file->groups = ARENA_ARRAY(&l->scratch[tid], GroupRef, n);
  u16 *aflags = l->atoms.flags + file->atom_base;
  for (u32 i = 1; i < end; i++) {
    const ElfShdr *s = &o->shdrs[i];
    if (s->sh_type != SHT_GROUP) {
      if (is_linkonce(o, i)) {
        const char *name = strchr(elf_section_name(o, i) + strlen(".gnu.linkonce."), '.');
        name = name ? name + 1 : "";
        GroupRef *g = &file->groups[file->ngroups++];
        *g = (GroupRef){.index = i & MAX_SECTION, .linkonce = true};
        name_group(l, file, tid, g, n, name);
      }
      continue;
    }
    if (i + GROUPS_AHEAD < end)
      PREFETCH((const void *)((uintptr_t)file->data.p + s[GROUPS_AHEAD].sh_offset));
    aflags[i] = ATOM_DISCARDED; /* the group section itself is never output */
    Bytes b;
    if (s->sh_size < 4 || s->sh_size % 4 || !bytes_slice(file->data, s->sh_offset, s->sh_size, &b)) {
      elf_bad(l, f, s->sh_offset, "section group %u has a size of %llu that does not fit", i, (unsigned long long)s->sh_size);
      continue;
    }
    if (!(rd32(b.p) & GRP_COMDAT))
      continue;
    if (s->sh_link != o->symtab_shndx || s->sh_info >= file->nsyms) {
      elf_bad(l, f, s->sh_offset, "section group %u is named by symbol %u, of %u symbols", i, s->sh_info, file->nsyms);
      continue;
    }
    GroupRef *g = &file->groups[file->ngroups];
    *g = (GroupRef){.index = i & MAX_SECTION};
    u32 sym = s->sh_info;
    if (sym >= file->first_global && file->globals[sym - file->first_global] != UINT32_MAX)
      g->id = file->globals[sym - file->first_global];
    else
      name_group(l, file, tid, g, n, elf_sym_name(l, f, sym));
    file->ngroups++;
  }
}

static void drop_lost_groups(Link *l, FileId f, File *file, const ElfObject *o) {
  u16 *aflags = l->atoms.flags + file->atom_base;
  for (u32 k = 0; k < file->ngroups; k++) {
    const GroupRef *g = &file->groups[k];
    if (k + 2 * GROUPS_AHEAD < file->ngroups)
      PREFETCH(&o->shdrs[g[2 * GROUPS_AHEAD].index]);
    if (k + GROUPS_AHEAD < file->ngroups) {
      PREFETCH((const void *)((uintptr_t)file->data.p + o->shdrs[g[GROUPS_AHEAD].index].sh_offset));
      if (!g[GROUPS_AHEAD].local)
        PREFETCH(&l->syms.comdat[g[GROUPS_AHEAD].id]);
    }
    if (group_won(l, f.i, g))
      continue;
    const ElfShdr *s = &o->shdrs[g->index];
    if (g->linkonce) {
      aflags[g->index] = ATOM_DISCARDED;
      continue;
    }
    const u32_unaligned *m = (const u32_unaligned *)(file->data.p + s->sh_offset);
    for (u32 x = 1; x < s->sh_size / 4; x++) {
      if (m[x] < o->nshdr)
        aflags[m[x]] = ATOM_DISCARDED;
      else
        elf_bad(l, f, s->sh_offset + x * 4, "section group %u has section %u as a member, of %u sections", g->index, m[x], o->nshdr);
    }
  }
}

/* ---- atoms ---- */

static bool name_is(const char *name, const char *prefix) { /* PREFIX or PREFIX.anything */
  u64 n = strlen(prefix);
  return !strncmp(name, prefix, n) && (!name[n] || name[n] == '.');
}

/* Why dead strip never drops the section; NULL: it may. */
static const char *root_reason(const char *name, u32 type, u64 flags) {
  if (flags & SHF_GNU_RETAIN)
    return "retained (SHF_GNU_RETAIN)";
  switch (type) {
  case SHT_INIT_ARRAY:
  case SHT_FINI_ARRAY:
  case SHT_PREINIT_ARRAY:
    return "array of functions that run when the output is loaded or unloaded";
  case SHT_NOTE:
    return flags & SHF_GROUP ? NULL : "note";
  default:
    break;
  }
  if (name[0] != '.' || !name[1]) /* two letters tell nearly all others */
    return NULL;
  switch ((u8)name[1] << 8 | (u8)name[2]) {
  case 'i' << 8 | 'n':
  case 'f' << 8 | 'i':
  case 'c' << 8 | 't':
  case 'd' << 8 | 't':
  case 'j' << 8 | 'c':
  case 'p' << 8 | 'r':
    break;
  default:
    return NULL;
  }
  return streq(name, ".init") || streq(name, ".fini") || name_is(name, ".ctors") || name_is(name, ".dtors") ||
                 name_is(name, ".init_array") || name_is(name, ".fini_array") || name_is(name, ".preinit_array") || streq(name, ".jcr")
             ? "runs when the output is loaded or unloaded"
             : NULL;
}

const char *elf_root_reason(const Link *l, AtomId a) {
  return root_reason(elf_atom_name(l, a), l->atoms.at[a.i].type, l->atoms.at[a.i].attr);
}

/* .note.gnu.property: n descriptors, each with properties aligned to a word (x86-64 psABI, "Program Property"). */
static void read_properties(Link *l, FileId f, ElfObject *o, Bytes b, u64 at) {
  const u64 word = l->format->word;
  u64 off = 0;
  while (off + sizeof(ElfNhdr) <= b.len) {
    const ElfNhdr *h = (const ElfNhdr *)(b.p + off);
    Bytes name, desc;
    u64 desc_off = off + sizeof *h + align_up(h->n_namesz, 4);
    if (!bytes_slice(b, off + sizeof *h, h->n_namesz, &name) || !bytes_slice(b, desc_off, h->n_descsz, &desc)) {
      elf_bad(l, f, at + off, "property note runs past the end of its section");
      return;
    }
    off = align_up(desc_off + h->n_descsz, word);
    if (h->n_type != NT_GNU_PROPERTY_TYPE_0 || name.len != 4 || memcmp(name.p, "GNU", 4))
      continue;
    for (u64 p = 0; p + 8 <= desc.len;) {
      u32 type = rd32(desc.p + p), size = rd32(desc.p + p + 4);
      Bytes data;
      if (!bytes_slice(desc, p + 8, size, &data)) {
        elf_bad(l, f, at + off, "program property 0x%x runs past the end of its note", type);
        return;
      }
      if (type == GNU_PROPERTY_X86_FEATURE_1_AND && size == 4) {
        o->features |= rd32(data.p);
        o->has_features = true;
      } else if (type == GNU_PROPERTY_X86_ISA_1_NEEDED && size == 4) {
        o->isa_needed |= rd32(data.p);
      } else if (type == GNU_PROPERTY_X86_ISA_1_USED && size == 4) {
        o->isa_used |= rd32(data.p);
        o->has_isa_used = true;
      }
      p = align_up(p + 8 + size, word);
    }
  }
}

/* Old and new forms of compressed sections; sets data and size to the decompressed bytes. */
static bool inflate(Link *l, FileId f, unsigned tid, const ElfShdr *s, const char *name, Atom *a, u64 *align) {
  Bytes in = {a->data, a->size};
  DecompressKind kind = DECOMPRESS_ZLIB;
  u64 size;
  if (!in.p)
    return elf_bad(l, f, s->sh_offset, "compressed section %s has no bytes in the file", name);
  if (s->sh_flags & SHF_COMPRESSED) {
    ElfChdr h;
    u64 header = elf_compression_header(l, in, &h);
    if (!header)
      return elf_bad(l, f, s->sh_offset, "compressed section %s is shorter than its header", name);
    if (h.ch_type != ELFCOMPRESS_ZLIB && h.ch_type != ELFCOMPRESS_ZSTD)
      return elf_bad(l, f, s->sh_offset, "compressed section %s is of type %u, expected zlib or zstd", name, h.ch_type);
    kind = h.ch_type == ELFCOMPRESS_ZSTD ? DECOMPRESS_ZSTD : DECOMPRESS_ZLIB;
    size = h.ch_size;
    *align = h.ch_addralign;
    in = (Bytes){in.p + header, in.len - header};
  } else {
    if (in.len < 12 || memcmp(in.p, "ZLIB", 4))
      return elf_bad(l, f, s->sh_offset, "section %s does not begin with a ZLIB header", name);
    size = __builtin_bswap64(rd64(in.p + 4));
    in = (Bytes){in.p + 12, in.len - 12};
  }
  if (size > decompress_limit(kind, in)) /* a liar is caught before memory is asked for */
    return elf_bad(l, f, s->sh_offset, "compressed section %s claims to hold %llu bytes", name, (unsigned long long)size);
  u8 *out = arena_alloc(&l->scratch[tid], size, 16);
  char why[128];
  if (!decompress(kind, in, out, size, why, sizeof why))
    return elf_bad(l, f, s->sh_offset, "compressed section %s: %s", name, why);
  const ElfObject *o = file_at(l, f)->fmt;
  elf_widen_inflated(l, f, (u32)(s - o->shdrs), out, size);
  a->data = out;
  a->size = size;
  return true;
}

static bool is_eh_frame(const char *name) { return name[0] == '.' && name[1] == 'e' && streq(name, ".eh_frame"); }

static void make_atom(Link *l, FileId f, unsigned tid, File *file, ElfObject *o, u32 i) {
  const ElfShdr *s = &o->shdrs[i];
  u16 *aflags = l->atoms.flags + file->atom_base + i;
  Atom *a = &l->atoms.at[file->atom_base + i];
  const char *name = elf_section_name(o, i);
  u64 align = s->sh_addralign ? s->sh_addralign : 1;
  Bytes b = {NULL, s->sh_size};
  u32 flags = ATOM_LIVE;

  if (s->sh_type != SHT_NOBITS && !bytes_slice(file->data, s->sh_offset, s->sh_size, &b)) {
    elf_bad(l, f, s->sh_offset, "section %s (%llu bytes) runs past the end of the file", name, (unsigned long long)s->sh_size);
    return;
  }
  if (!is_pow2(align)) {
    elf_bad(l, f, s->sh_offset, "section %s has an alignment of %llu, which is no power of two", name, (unsigned long long)align);
    return;
  }
  if (s->sh_flags & SHF_ALLOC) {
    flags |= ATOM_ALLOC | (s->sh_flags & SHF_WRITE ? ATOM_WRITE : 0) | (s->sh_flags & SHF_EXECINSTR ? ATOM_EXEC : 0) |
             (s->sh_flags & SHF_TLS ? ATOM_TLS : 0) | (s->sh_flags & SHF_X86_64_LARGE ? ATOM_LARGE : 0);
  } else {
    if (streq(name, ".note.GNU-stack")) {
      o->has_stack_note = true;
      o->execstack |= (s->sh_flags & SHF_EXECINSTR) != 0;
      if (!l->opt->whole_objects)
        return;
    }
    if (!l->opt->whole_objects && (!strncmp(name, ".gnu.lto_", 9) ||
                                   (!l->relocatable && (streq(name, ".llvmbc") || streq(name, ".llvmcmd") || starts_with(name, ".gnu.warning.")))))
      return;
    bool debug = starts_with(name, ".debug") || starts_with(name, ".zdebug") || starts_with(name, ".stab") || streq(name, ".gdb_index");
    if (debug)
      o->has_debug_info = true;
    if (l->opt->strip != STRIP_NONE && (debug || starts_with(name, ".gnu.debuglto_")))
      return;
    if (streq(name, ".gdb_index"))
      return;
  }
  if (s->sh_type == SHT_NOBITS)
    flags |= ATOM_ZEROFILL;
  if (s->sh_type == SHT_NOTE && streq(name, ".note.gnu.property")) {
    read_properties(l, f, o, b, s->sh_offset);
    if (!l->opt->whole_objects)
      return;
  }
  /* Everything else is zero, or was set by a SHT_RELA before. Nothing is read: a page that is read first costs a second
   * fault, with an interrupt for every other thread. */
  a->data = b.p;
  a->size = b.len;
  a->file = f.i;
  a->type = s->sh_type;
  a->attr = (u32)s->sh_flags;
  if (s->sh_flags & SHF_COMPRESSED || (!(s->sh_flags & SHF_ALLOC) && starts_with(name, ".zdebug"))) {
    if (!inflate(l, f, tid, s, name, a, &align))
      return;
    if (!is_pow2(align))
      align = 1;
    a->attr &= ~(u32)SHF_COMPRESSED;
    if (starts_with(name, ".zdebug")) { /* .zdebug_info holds what .debug_info would */
      if (!o->renamed)
        o->renamed = ARENA_ARRAY(&l->scratch[tid], const char *, o->nshdr);
      o->renamed[i] = arena_printf(&l->scratch[tid], ".%s", name + 2);
    }
    flags |= ATOM_OWNED;
  }
  a->p2align = log2_u64(align);
  bool grouped = s->sh_flags & SHF_GROUP;
  if (UNLIKELY(l->relocatable)) {
    a->entsize = s->sh_entsize < 256 ? (u8)s->sh_entsize : 0;
    grouped &= !l->opt->force_group_allocation;
    if (!grouped)
      a->attr &= ~(u32)SHF_GROUP;
  }
  if (grouped)
    flags |= ATOM_GROUPED;
  if (s->sh_flags & SHF_LINK_ORDER && s->sh_link && s->sh_link < o->nshdr) {
    flags |= ATOM_LINKORDER;
    a->link = file->atom_base + s->sh_link;
  }
  if (UNLIKELY(l->opt->icf != ICF_NONE) && flags & ATOM_ALLOC)
    a->fold = elf_fold_kind(s, name);
  if (root_reason(name, s->sh_type, s->sh_flags))
    flags |= ATOM_ROOT;
  if (s->sh_type == SHT_X86_64_UNWIND || (s->sh_type == SHT_PROGBITS && s->sh_flags & SHF_ALLOC && is_eh_frame(name)))
    flags |= ATOM_EHFRAME;
  else if (s->sh_flags & SHF_MERGE && s->sh_entsize && s->sh_entsize < 256 && a->size && l->opt->merge_sections &&
           !(s->sh_flags & SHF_WRITE) && s->sh_type != SHT_NOBITS && !(l->relocatable && grouped)) {
    a->entsize = (u8)s->sh_entsize;
    flags |= ATOM_MERGE;
  }
  *aflags = (u16)flags;
}

/* GCC marks an object that has no machine code beside its bitcode with a symbol. */
static bool is_slim_lto(const File *file, const ElfObject *o) {
  for (u32 i = 1; i < file->nsyms; i++)
    if (o->syms[i].st_name < o->strtab.len && streq((const char *)o->strtab.p + o->syms[i].st_name, "__gnu_lto_slim"))
      return true;
  return false;
}

void elf_atoms(Link *l, FileId f, unsigned tid) {
  File *file = file_at(l, f);
  ElfObject *o = file->fmt;
  u16 *aflags = l->atoms.flags + file->atom_base;
  Atom *atoms = l->atoms.at + file->atom_base;
  bool lto = false, missed = false;
  u32 end = o->groups_end;
  drop_lost_groups(l, f, file, o);
  for (u32 i = 1; i < o->nshdr; i++) {
    if (aflags[i] & ATOM_DISCARDED)
      continue;
    const ElfShdr *s = &o->shdrs[i];
    u32 soon = i + SECTIONS_AHEAD;
    if (soon + HEADERS_AHEAD < o->nshdr && !(aflags[soon + HEADERS_AHEAD] & ATOM_DISCARDED))
      PREFETCH(&o->shdrs[soon + HEADERS_AHEAD]);
    if (soon < o->nshdr && !(aflags[soon] & ATOM_DISCARDED) && o->shdrs[soon].sh_type != SHT_RELA)
      PREFETCH_AT(o->shstrtab.p, o->shdrs[soon].sh_name);
    switch (s->sh_type) {
    case SHT_GROUP:
      missed |= i >= end;
      continue;
    case SHT_NULL:
    case SHT_SYMTAB:
      continue;
    case SHT_LLVM_ADDRSIG:
      o->addrsig_shndx = i;
      if (!l->opt->whole_objects || !s->sh_link) /* 0: nobody believes it, see elf_fold.c */
        continue;
      break;
    case SHT_LLVM_CALL_GRAPH_PROFILE:
      o->call_graph = i;
      __atomic_store_n(&l->has_call_graph, true, __ATOMIC_RELAXED);
      if (!l->opt->whole_objects || s->sh_entsize == 16)
        continue;
      break;
    case SHT_SYMTAB_SHNDX: /* of locals, when no global asked for it */
      if (!o->xindex)
        find_xindex(l, f, file, o);
      continue;
    case SHT_STRTAB:
      if (s->sh_flags & SHF_ALLOC)
        break;
      continue;
    case SHT_REL:
      if (s->sh_info < o->nshdr && o->shdrs[s->sh_info].sh_type == SHT_LLVM_CALL_GRAPH_PROFILE)
        continue; /* elf_call_graph() reads them */
      elf_bad(l, f, s->sh_offset, "section %s holds relocations of type SHT_REL, expected SHT_RELA", elf_section_name(o, i));
      continue;
    case SHT_RELA: {
      Bytes b;
      if (s->sh_info >= o->nshdr || !s->sh_info || s->sh_flags & SHF_ALLOC) {
        elf_bad(l, f, s->sh_offset, "relocation section %s is for section %u, of %u sections", elf_section_name(o, i), s->sh_info, o->nshdr);
      } else if (s->sh_entsize != sizeof(ElfRela) || !bytes_slice(file->data, s->sh_offset, s->sh_size, &b) ||
                 s->sh_size / sizeof(ElfRela) >= UINT32_MAX) {
        elf_bad(l, f, s->sh_offset, "relocation section %s runs past the end of the file, or has entries of a wrong size", elf_section_name(o, i));
      } else if (s->sh_link != o->symtab_shndx) {
        elf_bad(l, f, s->sh_offset, "relocation section %s uses section %u as its symbol table, expected %u", elf_section_name(o, i), s->sh_link, o->symtab_shndx);
      } else if (s->sh_size) {
        atoms[s->sh_info].rel = (u32)(s->sh_size / sizeof(ElfRela));
        atoms[s->sh_info].rel_off = s->sh_offset;
      }
      continue;
    }
    default:
      break;
    }
    if (s->sh_flags & SHF_EXCLUDE && !(s->sh_flags & SHF_ALLOC)) {
      lto |= !strncmp(elf_section_name(o, i), ".gnu.lto_", 9);
      if (!l->opt->whole_objects && !l->relocatable)
        continue;
    }
    missed |= end < o->nshdr && is_linkonce(o, i);
    make_atom(l, f, tid, file, o, i);
  }
  if (UNLIKELY(missed))
    __atomic_store_n(&l->scattered_groups, true, __ATOMIC_RELAXED);
  if (UNLIKELY(lto) && is_slim_lto(file, o))
    diag_report(l->diag, DIAG_ERROR, "bitcode", (u64)f.i << 32,
                "%s: holds only compiler bitcode (GCC, -flto); weld does not compile: build it without -flto, or with -ffat-lto-objects", file_name(l, f));
}

const char *elf_atom_name(const Link *l, AtomId a) {
  if (l->atoms.flags[a.i] & ATOM_SYNTH)
    return l->synths.at[l->atoms.at[a.i].aux].name;
  const File *file = atom_file(l, a);
  const ElfObject *o = file->fmt;
  if (!o) /* a section that made no atom */
    return "";
  const char *name = elf_section_name(o, a.i - file->atom_base);
  return UNLIKELY(o->renamed && o->renamed[a.i - file->atom_base]) ? o->renamed[a.i - file->atom_base] : name;
}
