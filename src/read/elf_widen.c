/* elf_widen.c: see elf_widen.h. The trap: contents stay at the offsets that they have in the file, so that messages need no
 * translation; only the widened relocations have new ones, behind the end of the file (elf_widen_original()). */
#include "read/elf_widen.h"

#include "read/elf.h"
#include "read/elf_machine.h"

typedef Elf32_Ehdr Ehdr32 __attribute__((aligned(1)));
typedef Elf32_Shdr Shdr32 __attribute__((aligned(1)));
typedef Elf32_Sym Sym32 __attribute__((aligned(1)));
typedef Elf32_Dyn Dyn32 __attribute__((aligned(1)));
typedef Elf32_Phdr Phdr32 __attribute__((aligned(1)));
typedef Elf32_Rela Rela32 __attribute__((aligned(1))); /* begins like Elf32_Rel */

/* ---- tables ---- */

Bytes elf_widen_sections(Arena *arena, Bytes table) {
  u64 n = table.len / sizeof(Shdr32);
  const Shdr32 *from = (const Shdr32 *)table.p;
  Elf64_Shdr *to = ARENA_ARRAY(arena, Elf64_Shdr, n);
  for (u64 i = 0; i < n; i++)
    to[i] = (Elf64_Shdr){.sh_name = from[i].sh_name, .sh_type = from[i].sh_type, .sh_flags = from[i].sh_flags, .sh_addr = from[i].sh_addr,
                         .sh_offset = from[i].sh_offset, .sh_size = from[i].sh_size, .sh_link = from[i].sh_link, .sh_info = from[i].sh_info,
                         .sh_addralign = from[i].sh_addralign, .sh_entsize = from[i].sh_entsize};
  return (Bytes){(const u8 *)to, n * sizeof *to};
}

Bytes elf_widen_symbols(Arena *arena, Bytes table) {
  u64 n = table.len / sizeof(Sym32);
  const Sym32 *from = (const Sym32 *)table.p;
  Elf64_Sym *to = ARENA_ARRAY(arena, Elf64_Sym, n);
  for (u64 i = 0; i < n; i++)
    to[i] = (Elf64_Sym){.st_name = from[i].st_name, .st_info = from[i].st_info, .st_other = from[i].st_other, .st_shndx = from[i].st_shndx,
                        .st_value = from[i].st_value, .st_size = from[i].st_size};
  return (Bytes){(const u8 *)to, n * sizeof *to};
}

Bytes elf_widen_dynamic(Arena *arena, Bytes table) {
  u64 n = table.len / sizeof(Dyn32);
  const Dyn32 *from = (const Dyn32 *)table.p;
  Elf64_Dyn *to = ARENA_ARRAY(arena, Elf64_Dyn, n);
  for (u64 i = 0; i < n; i++)
    to[i] = (Elf64_Dyn){.d_tag = from[i].d_tag, .d_un.d_val = from[i].d_un.d_val};
  return (Bytes){(const u8 *)to, n * sizeof *to};
}

Bytes elf_widen_segments(Arena *arena, Bytes table) {
  u64 n = table.len / sizeof(Phdr32);
  const Phdr32 *from = (const Phdr32 *)table.p;
  Elf64_Phdr *to = ARENA_ARRAY(arena, Elf64_Phdr, n);
  for (u64 i = 0; i < n; i++)
    to[i] = (Elf64_Phdr){.p_type = from[i].p_type, .p_flags = from[i].p_flags, .p_offset = from[i].p_offset, .p_vaddr = from[i].p_vaddr,
                         .p_paddr = from[i].p_paddr, .p_filesz = from[i].p_filesz, .p_memsz = from[i].p_memsz, .p_align = from[i].p_align};
  return (Bytes){(const u8 *)to, n * sizeof *to};
}

bool elf_read_header(Bytes file, ElfEhdr *out) {
  Bytes b;
  bool narrow = file.len > EI_CLASS && file.p[EI_CLASS] == ELFCLASS32;
  if (!bytes_slice(file, 0, narrow ? sizeof(Ehdr32) : sizeof *out, &b))
    return false;
  if (!narrow) {
    *out = *(const ElfEhdr *)b.p;
    return true;
  }
  const Ehdr32 *h = (const Ehdr32 *)b.p;
  *out = (ElfEhdr){.e_type = h->e_type, .e_machine = h->e_machine, .e_phoff = h->e_phoff, .e_shoff = h->e_shoff, .e_flags = h->e_flags,
                   .e_phentsize = h->e_phentsize, .e_phnum = h->e_phnum, .e_shentsize = h->e_shentsize, .e_shnum = h->e_shnum,
                   .e_shstrndx = h->e_shstrndx};
  memcpy(out->e_ident, h->e_ident, EI_NIDENT);
  return true;
}

static bool is_narrow(const ElfEhdr *h) { return h->e_ident[EI_CLASS] == ELFCLASS32; }

u32 elf_section_entry(const ElfEhdr *h) { return is_narrow(h) ? sizeof(Shdr32) : sizeof(ElfShdr); }
u32 elf_symbol_entry(const ElfEhdr *h) { return is_narrow(h) ? sizeof(Sym32) : sizeof(ElfSym); }

bool elf_read_sections(Bytes file, const ElfEhdr *h, u64 n, Arena *arena, Bytes *out) {
  if (!bytes_array(file, h->e_shoff, n, elf_section_entry(h), out))
    return false;
  if (is_narrow(h))
    *out = elf_widen_sections(arena, *out);
  return true;
}

static bool is_wide(const Link *l) { return elf_machine(l)->class == ELFCLASS64; }

u64 elf_compression_header(const Link *l, Bytes in, ElfChdr *out) {
  u64 size = is_wide(l) ? sizeof *out : sizeof(Elf32_Chdr);
  if (in.len < size)
    return 0;
  if (is_wide(l))
    *out = *(const ElfChdr *)in.p;
  else
    *out = (ElfChdr){.ch_type = rd32(in.p), .ch_size = rd32(in.p + 4), .ch_addralign = rd32(in.p + 8)};
  return size;
}

/* ---- relocations and their addends ---- */

struct ElfWide {
  Bytes original;
  u32 *was;      /* by section: where relocations stood in the file, 0: no relocations */
  u8 *entsize;   /* by section: bytes of such an entry there, 0: it was reported */
  u32 *found_in; /* by section: the section of SHT_REL whose addends are in it, 0: none */
};

/* The addend that stands in a section, which is 0 from now on. */
static i64 take_addend(u8 *bytes, u64 len, u64 off, u32 width) {
  i64 v = 0;
  if (off > len || width > len - off) /* reported where it is decoded */
    return 0;
  u8 *p = bytes + off;
  switch (width) {
  case 1: v = (i8)*p; break;
  case 2: v = (i16)rd16(p); break;
  case 4: v = (i32)rd32(p); break;
  case 8: v = (i64)rd64(p); break;
  default: return 0;
  }
  memset(p, 0, width);
  return v;
}

typedef struct {
  const Link *l;
  ElfObject *o;
  u8 *image; /* File.data to be */
} Widening;

/* Decompressing shows the addends. */
static bool is_compressed(const ElfObject *o, u32 i) {
  const ElfShdr *s = &o->shdrs[i];
  return s->sh_flags & SHF_COMPRESSED || (!(s->sh_flags & SHF_ALLOC) && starts_with(elf_section_name(o, i), ".zdebug"));
}

/* `from`: relocations of ELFCLASS32; `to`: the image's. */
static void widen_relocations(const Widening *w, const ElfShdr *s, Bytes from, u64 entsize) {
  const ElfObject *o = w->o;
  const ElfShdr *t = s->sh_info < o->nshdr ? &o->shdrs[s->sh_info] : NULL;
  u8 *to = w->image + s->sh_offset, *bytes = NULL;
  Bytes content;
  if (entsize == sizeof(Elf32_Rel) && t && t->sh_type != SHT_NOBITS && !is_compressed(o, s->sh_info) &&
      bytes_slice(o->wide->original, t->sh_offset, t->sh_size, &content))
    bytes = w->image + t->sh_offset;
  for (u64 off = 0; from.len - off >= entsize; off += entsize, to += s->sh_entsize) {
    const Rela32 *r = (const Rela32 *)(from.p + off);
    u32 place = rd32(from.p + off), info = rd32(from.p + off + 4), type = ELF32_R_TYPE(info);
    i64 addend = entsize == sizeof *r ? (i64)r->r_addend : bytes ? take_addend(bytes, content.len, place, elf_machine(w->l)->addends[type]) : 0;
    wr64(to, place);
    wr64(to + 8, ELF64_R_INFO((u64)ELF32_R_SYM(info), type));
    if (s->sh_entsize == sizeof(ElfRela))
      wr64(to + 16, (u64)addend);
  }
}

static bool is_relocations(const ElfShdr *s) { return s->sh_type == SHT_REL || s->sh_type == SHT_RELA; }

/* Bytes of an entry in the file; 0 after a report. Sections of relocations don't overlap, so they are less than the file: only
 * then is it safe to ask for three times their memory. */
static u8 check_relocations(Link *l, FileId f, const ElfObject *o, u32 i, u64 *total) {
  const ElfShdr *s = &o->shdrs[i];
  Bytes b, all = o->wide->original;
  u8 entsize = s->sh_type == SHT_REL ? sizeof(Elf32_Rel) : sizeof(Elf32_Rela);
  bool fits = s->sh_entsize == entsize && bytes_slice(all, s->sh_offset, s->sh_size, &b);
  *total += fits ? s->sh_size : 0;
  if (fits && *total <= all.len)
    return entsize;
  elf_bad(l, f, s->sh_offset,
          fits ? "relocation section %s overlaps another one" : "relocation section %s runs past the end of the file, or has entries of a wrong size",
          elf_section_name(o, i));
  return 0;
}

void elf_widen_contents(Link *l, FileId f, unsigned tid) {
  File *file = file_at(l, f);
  ElfObject *o = file->fmt;
  struct ElfWide *wide = o->wide;
  if (is_wide(l) || wide)
    return;
  Arena *arena = &l->scratch[tid];
  o->wide = wide = ARENA_NEW(arena, struct ElfWide);
  *wide = (struct ElfWide){.original = file->data, .was = ARENA_ARRAY(arena, u32, o->nshdr), .entsize = ARENA_ARRAY(arena, u8, o->nshdr), .found_in = ARENA_ARRAY(arena, u32, o->nshdr)};
  ElfShdr *s = (ElfShdr *)(uintptr_t)o->shdrs; /* elf_widen_sections() made it */
  u8 *entsize = wide->entsize;
  u64 total = 0, room = align_up(file->data.len, 8);
  for (u32 i = 1; i < o->nshdr; i++)
    if (is_relocations(&s[i]) && (entsize[i] = check_relocations(l, f, o, i, &total)) && s[i].sh_type == SHT_REL && s[i].sh_info < o->nshdr)
      wide->found_in[s[i].sh_info] = i;
  for (u32 i = 1; i < o->nshdr; i++) {
    if (!is_relocations(&s[i]))
      continue;
    /* Of two for one section the last one counts, wherever the addends are. */
    bool counts = entsize[i] && (s[i].sh_type == SHT_RELA || s[i].sh_info >= o->nshdr || wide->found_in[s[i].sh_info] == i);
    bool profile = s[i].sh_type == SHT_REL && s[i].sh_info < o->nshdr && s[s[i].sh_info].sh_type == SHT_LLVM_CALL_GRAPH_PROFILE;
    wide->was[i] = (u32)s[i].sh_offset;
    s[i].sh_type = profile ? SHT_REL : SHT_RELA;
    s[i].sh_entsize = profile ? sizeof(ElfRel) : sizeof(ElfRela);
    s[i].sh_size = counts ? s[i].sh_size / entsize[i] * s[i].sh_entsize : 0;
    s[i].sh_offset = room;
    room += s[i].sh_size;
  }
  Widening w = {l, o, arena_alloc(arena, room, 16)};
  memcpy(w.image, file->data.p, file->data.len);
  file->data = (Bytes){w.image, room};
  o->copied = true;
  for (u32 i = 1; i < o->nshdr; i++)
    if (is_relocations(&s[i]) && s[i].sh_size)
      widen_relocations(&w, &s[i], (Bytes){wide->original.p + wide->was[i], s[i].sh_size / s[i].sh_entsize * entsize[i]}, entsize[i]);
}

void elf_widen_inflated(const Link *l, FileId f, u32 i, u8 *bytes, u64 len) {
  const File *file = file_at(l, f);
  const ElfObject *o = file->fmt;
  if (!o->wide || !o->wide->found_in[i])
    return;
  const ElfShdr *s = &o->shdrs[o->wide->found_in[i]];
  if (s->sh_entsize != sizeof(ElfRela))
    return;
  for (u64 off = 0; off < s->sh_size; off += sizeof(ElfRela)) {
    u8 *r = (u8 *)(uintptr_t)file->data.p + s->sh_offset + off; /* of the copy */
    wr64(r + 16, (u64)take_addend(bytes, len, rd64(r), elf_machine(l)->addends[rd32(r + 8) & 255]));
  }
}

u64 elf_widen_original(const ElfObject *o, u64 off) {
  if (!o || !o->wide || off < o->wide->original.len)
    return off;
  for (u32 i = 1; i < o->nshdr; i++) {
    const ElfShdr *s = &o->shdrs[i];
    if (o->wide->was[i] && off >= s->sh_offset && off - s->sh_offset < MAX(s->sh_size, 1u))
      return o->wide->was[i] + (off - s->sh_offset) / s->sh_entsize * o->wide->entsize[i];
  }
  return off;
}
