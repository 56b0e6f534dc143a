/* elf_shared.c: shared libraries: dynamic symbols, their versions, what the library needs. Found through
 * the section headers, or through PT_DYNAMIC when those were stripped.
 * The trap: of a library only names, kinds and versions count; its st_shndx values are of no use. */
#include <stdlib.h>

#include "core/resolve.h"
#include "read/elf.h"
#include "read/elf_machine.h"
#include "read/elf_widen.h"

typedef struct {
  Link *l;
  FileId f;
  File *file;
  ElfShared *so;
  Arena *arena;
  Bytes dynamic, versym, verdef, verneed;
  u32 nverdef, nverneed;
  u64 nsyms, symoff;
  bool have_syms;
  bool narrow; /* of ELFCLASS32: tables are widened as they are found */
} Reader;

static bool bad(const Reader *r, u64 off, const char *text) { return elf_bad(r->l, r->f, off, "%s", text); }

static u64 symbol_size(const Reader *r) { return r->narrow ? sizeof(Elf32_Sym) : sizeof(ElfSym); }

static void take_symbols(Reader *r, Bytes b) {
  r->nsyms = b.len / symbol_size(r);
  r->so->syms = (const ElfSym *)(r->narrow ? elf_widen_symbols(r->arena, b).p : b.p);
}

static bool from_sections(Reader *r, const ElfEhdr *h) {
  Bytes b;
  if (!h->e_shoff || h->e_shentsize != elf_section_entry(h) || !elf_read_sections(r->file->data, h, 1, r->arena, &b))
    return true;
  u64 n = h->e_shnum ? h->e_shnum : ((const ElfShdr *)b.p)->sh_size;
  if (n > 1 << 24 || !elf_read_sections(r->file->data, h, n, r->arena, &b))
    return bad(r, h->e_shoff, "section header table runs past the end of the file");
  const ElfShdr *s = (const ElfShdr *)b.p;
  r->so->shdrs = s;
  r->so->nshdr = (u32)n;
  for (u64 i = 1; i < n; i++) {
    Bytes *to = s[i].sh_type == SHT_DYNSYM        ? &b
                : s[i].sh_type == SHT_DYNAMIC     ? &r->dynamic
                : s[i].sh_type == SHT_GNU_versym  ? &r->versym
                : s[i].sh_type == SHT_GNU_verdef  ? &r->verdef
                : s[i].sh_type == SHT_GNU_verneed ? &r->verneed
                                                  : NULL;
    if (!to)
      continue;
    if (!bytes_slice(r->file->data, s[i].sh_offset, s[i].sh_size, to))
      return bad(r, s[i].sh_offset, "dynamic section runs past the end of the file");
    if (s[i].sh_type == SHT_GNU_verdef)
      r->nverdef = s[i].sh_info;
    if (s[i].sh_type == SHT_GNU_verneed)
      r->nverneed = s[i].sh_info;
    if (s[i].sh_type == SHT_DYNAMIC && r->narrow)
      r->dynamic = elf_widen_dynamic(r->arena, r->dynamic);
    if (s[i].sh_type == SHT_DYNSYM) {
      if (s[i].sh_entsize != symbol_size(r) || s[i].sh_link >= n)
        return bad(r, s[i].sh_offset, "dynamic symbol table has a bad entry size or string table");
      const ElfShdr *str = &s[s[i].sh_link];
      take_symbols(r, b);
      r->have_syms = true;
      if (!bytes_slice(r->file->data, str->sh_offset, str->sh_size, &r->so->dynstr))
        return bad(r, str->sh_offset, "dynamic string table runs past the end of the file");
    }
  }
  return true;
}

static bool to_offset(const Reader *r, u64 addr, u64 *off) {
  for (u32 i = 0; i < r->so->nphdr; i++) {
    const Elf64_Phdr *p = &r->so->phdrs[i];
    if (p->p_type == PT_LOAD && addr >= p->p_vaddr && addr - p->p_vaddr < p->p_filesz) {
      *off = p->p_offset + (addr - p->p_vaddr);
      return true;
    }
  }
  return false;
}

/* The number of symbols is nowhere written: .hash has it as nchain, .gnu.hash as the end of its chains. */
static bool count_symbols(const Reader *r, u64 hash, u64 gnu, u64 *n) {
  Bytes d = r->file->data, b, rest;
  u64 off, word = r->narrow ? 4 : 8;
  if (hash && to_offset(r, hash, &off) && bytes_slice(d, off, 8, &b)) {
    *n = rd32(b.p + 4);
    return true;
  }
  if (!gnu || !to_offset(r, gnu, &off) || !bytes_slice(d, off, 16, &b))
    return false;
  u64 nbucket = rd32(b.p), symoff = rd32(b.p + 4), bloom = rd32(b.p + 8), most = 0;
  if (!bytes_array(d, off + 16 + bloom * word, nbucket, 4, &b))
    return false;
  for (u64 i = 0; i < nbucket; i++)
    most = MAX(most, (u64)rd32(b.p + i * 4));
  if (most < symoff) {
    *n = symoff;
    return true;
  }
  u64 chains = off + 16 + bloom * word + nbucket * 4;
  for (;; most++) {
    if (!bytes_slice(d, chains + (most - symoff) * 4, 4, &rest))
      return false;
    if (rd32(rest.p) & 1)
      break;
  }
  *n = most + 1;
  return true;
}

static bool read_dynamic(Reader *r) {
  ElfShared *so = r->so;
  bool from_segment = !r->dynamic.p;
  for (u32 i = 0; from_segment && i < so->nphdr; i++) {
    if (so->phdrs[i].p_type != PT_DYNAMIC)
      continue;
    if (!bytes_slice(r->file->data, so->phdrs[i].p_offset, so->phdrs[i].p_filesz, &r->dynamic))
      return bad(r, so->phdrs[i].p_offset, "PT_DYNAMIC runs past the end of the file");
    if (r->narrow)
      r->dynamic = elf_widen_dynamic(r->arena, r->dynamic);
  }
  const ElfDyn *d = (const ElfDyn *)r->dynamic.p;
  u64 n = r->dynamic.len / sizeof(ElfDyn), symtab = 0, strtab = 0, strsz = 0, hash = 0, gnu = 0, needed = 0;
  u64 versym = 0, verdef = 0, verneed = 0;
  for (u64 i = 0; i < n && d[i].d_tag != DT_NULL; i++)
    switch (d[i].d_tag) {
    case DT_SYMTAB: symtab = d[i].d_un.d_val; break;
    case DT_STRTAB: strtab = d[i].d_un.d_val; break;
    case DT_STRSZ: strsz = d[i].d_un.d_val; break;
    case DT_HASH: hash = d[i].d_un.d_val; break;
    case DT_GNU_HASH: gnu = d[i].d_un.d_val; break;
    case DT_VERSYM: versym = d[i].d_un.d_val; break;
    case DT_VERDEF: verdef = d[i].d_un.d_val; break;
    case DT_VERDEFNUM: r->nverdef = r->verdef.p ? r->nverdef : (u32)d[i].d_un.d_val; break;
    case DT_VERNEED: verneed = d[i].d_un.d_val; break;
    case DT_VERNEEDNUM: r->nverneed = r->verneed.p ? r->nverneed : (u32)d[i].d_un.d_val; break;
    case DT_NEEDED: needed++; break;
    default: break;
    }
  u64 off;
  if (!r->have_syms && symtab && strtab) {
    Bytes b, rest = {r->file->data.p, r->file->data.len};
    u64 count = 0;
    if (!count_symbols(r, hash, gnu, &count))
      return bad(r, 0, "shared library has no section headers and no usable hash table");
    if (!to_offset(r, strtab, &off) || !bytes_slice(r->file->data, off, strsz, &so->dynstr))
      return bad(r, 0, "DT_STRTAB is outside the file");
    if (!to_offset(r, symtab, &off) || !bytes_array(r->file->data, off, count, symbol_size(r), &b))
      return bad(r, 0, "DT_SYMTAB is outside the file");
    take_symbols(r, b);
    if (versym && to_offset(r, versym, &off))
      bytes_array(r->file->data, off, count, 2, &r->versym);
    if (verdef && to_offset(r, verdef, &off))
      bytes_slice(rest, off, rest.len - off, &r->verdef);
    if (verneed && to_offset(r, verneed, &off))
      bytes_slice(rest, off, rest.len - off, &r->verneed);
  }
  if (so->dynstr.len && so->dynstr.p[so->dynstr.len - 1])
    return bad(r, (u64)(so->dynstr.p - r->file->data.p), "dynamic string table does not end with a NUL byte");
  so->needed = ARENA_ARRAY(r->arena, const char *, needed + 1);
  needed = 0;
  for (u64 i = 0; i < n && d[i].d_tag != DT_NULL; i++) {
    const char *s = d[i].d_un.d_val < so->dynstr.len ? (const char *)so->dynstr.p + d[i].d_un.d_val : NULL;
    switch (d[i].d_tag) {
    case DT_NEEDED:
      if (s)
        so->needed[needed++] = s;
      break;
    case DT_SONAME: so->soname = s; break;
    case DT_RPATH: so->rpath = s; break;
    case DT_RUNPATH: so->runpath = s; break;
    case DT_AUDIT: so->audit = s; break;
    case DT_DEPAUDIT: so->depaudit = s; break;
    default: break;
    }
  }
  return true;
}

static const char *dyn_string(const Reader *r, u32 off) {
  return off < r->so->dynstr.len ? (const char *)r->so->dynstr.p + off : "";
}

static bool put_version(const char ***at, u32 *n, Arena *a, u32 index, const char *name) {
  if (index >= *n) {
    u32 want = MAX(index + 1, *n * 2);
    const char **p = ARENA_ARRAY(a, const char *, want);
    if (*n)
      memcpy(p, *at, *n * sizeof *p);
    *at = p;
    *n = want;
  }
  (*at)[index] = name;
  return true;
}

static bool read_versions(Reader *r) {
  ElfShared *so = r->so;
  enum { MAX_VERSIONS = 1 << 16 }; /* numbers have 15 bits */
  u64 off = 0;
  u32 nneed = 0, total = 0;
  Bytes b, x;
  if (r->versym.p) {
    if (r->versym.len / 2 < r->nsyms)
      return bad(r, (u64)(r->versym.p - r->file->data.p), "symbol version table is shorter than the symbol table");
    so->versym = (const u16_unaligned *)r->versym.p;
  }
  for (u32 i = 0; r->verdef.p && i < r->nverdef; i++) {
    if (!bytes_slice(r->verdef, off, sizeof(ElfVerdef), &b))
      return bad(r, off, "version definitions run past their section");
    const ElfVerdef *v = (const ElfVerdef *)b.p;
    if (v->vd_cnt && bytes_slice(r->verdef, off + v->vd_aux, sizeof(ElfVerdaux), &x))
      put_version(&so->verdef, &so->nverdef, r->arena, v->vd_ndx & 0x7fff, dyn_string(r, ((const ElfVerdaux *)x.p)->vda_name));
    if (!v->vd_next)
      break;
    off += v->vd_next;
  }
  off = 0;
  for (u32 i = 0; r->verneed.p && i < r->nverneed; i++) {
    if (!bytes_slice(r->verneed, off, sizeof(ElfVerneed), &b))
      return bad(r, off, "version needs run past their section");
    const ElfVerneed *v = (const ElfVerneed *)b.p;
    u64 aux = off + v->vn_aux;
    for (u32 k = 0; k < v->vn_cnt; k++) {
      if (!bytes_slice(r->verneed, aux, sizeof(ElfVernaux), &x))
        return bad(r, aux, "version needs run past their section");
      if (++total > MAX_VERSIONS) /* entries may overlap: their number is not bounded by the size */
        return bad(r, aux, "more needed versions than there are numbers for them");
      const ElfVernaux *y = (const ElfVernaux *)x.p;
      put_version(&so->verneed, &nneed, r->arena, y->vna_other & 0x7fff, dyn_string(r, y->vna_name));
      if (!y->vna_next)
        break;
      aux += y->vna_next;
    }
    if (!v->vn_next)
      break;
    off += v->vn_next;
  }
  so->nverneed = nneed;
  return true;
}

bool elf_shared_open(Link *l, FileId f, unsigned tid) {
  File *file = file_at(l, f);
  Reader r = {.l = l, .f = f, .file = file, .arena = &l->scratch[tid], .narrow = elf_machine(l)->class == ELFCLASS32};
  r.so = ARENA_NEW(r.arena, ElfShared);
  Bytes b;
  ElfEhdr header;
  const ElfEhdr *h = &header;
  if (!elf_is_ours(l, f, tid))
    return false;
  if (!elf_read_header(file->data, &header))
    return elf_bad(l, f, file->data.len, "file ends inside the ELF header");
  if (h->e_phnum) {
    u64 entsize = r.narrow ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr);
    if (h->e_phentsize != entsize || !bytes_array(file->data, h->e_phoff, h->e_phnum, entsize, &b))
      return elf_bad(l, f, h->e_phoff, "program headers run past the end of the file");
    Elf64_Phdr *p = ARENA_ARRAY(r.arena, Elf64_Phdr, h->e_phnum);
    if (r.narrow)
      memcpy(p, elf_widen_segments(r.arena, b).p, h->e_phnum * sizeof *p);
    else
      memcpy(p, b.p, b.len);
    r.so->phdrs = p;
    r.so->nphdr = h->e_phnum;
  }
  if (!from_sections(&r, h) || !read_dynamic(&r) || !read_versions(&r))
    return false;
  if (r.nsyms > UINT32_MAX / 2)
    return elf_bad(l, f, 0, "too many dynamic symbols");
  if (!r.so->soname)
    r.so->soname = file->arg;
  file->nsyms = (u32)r.nsyms;
  file->first_global = r.nsyms ? 1 : 0;
  file->fmt = r.so;
  return true;
}

/* ---- references with an explicit version ---- */

static bool version_is(const ElfShared *so, u32 i, const char *version, u64 len) {
  u32 v = so->versym ? so->versym[i] & 0x7fff : 0;
  const char *name = v < so->nverdef ? so->verdef[v] : NULL;
  return v > 1 && name && strlen(name) == len && !memcmp(name, version, len);
}

static bool find_versioned(const Link *l, const char *name, u64 len, const char *version, u64 vlen, u64 *key) {
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    if (file->kind != FILE_SHARED || !file->fmt || !file->live)
      continue;
    const ElfShared *so = file->fmt;
    for (u32 i = 1; i < file->nsyms; i++) {
      const ElfSym *s = &so->syms[i];
      if (s->st_shndx == SHN_UNDEF || s->st_name >= so->dynstr.len || !version_is(so, i, version, vlen))
        continue;
      const char *p = (const char *)so->dynstr.p + s->st_name;
      if (!strncmp(p, name, len) && !p[len]) {
        *key = (u64)RANK_OUTSIDE << 56 | (u64)f << 32 | i;
        return true;
      }
    }
  }
  return false;
}

void elf_versioned(Link *l) {
  Symbols *s = &l->syms;
  for (u32 i = 0; i < s->nglobal; i++) {
    const SymName *n = &s->name[i];
    const char *at = key_rank(s->key[i]) == RANK_NONE && s->flags[i] & SF_REF ? memchr(n->p, '@', n->len) : NULL;
    if (!at)
      continue;
    u64 len = (u64)(at - n->p);
    const char *version = at + 1 + (at[1] == '@');
    u64 vlen = (u64)(n->p + n->len - version), key;
    if (find_versioned(l, n->p, len, version, vlen, &key)) {
      s->key[i] = key;
      continue;
    }
    /* foo@V of this output's own foo@@V */
    SymId base = sym_find(l, n->p, len);
    if (base.i == UINT32_MAX || key_rank(s->key[base.i]) > RANK_WEAK || !key_file(s->key[base.i]))
      continue;
    const char *full = elf_sym_name(l, (FileId){key_file(s->key[base.i])}, key_index(s->key[base.i]));
    if (full[len] == '@' && full[len + 1] == '@' && strlen(full + len + 2) == vlen && !memcmp(full + len + 2, version, vlen))
      s->key[i] = s->key[base.i];
  }
}
