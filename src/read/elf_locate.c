/* elf_locate.c: from a place in an ELF object to a line of its source, for messages. Relocatable debug
 * information means nothing before its relocations are applied, so every allocated section gets an
 * address of its own, made up here, and copies of the debug sections are relocated against them.
 * The trap: this runs when something is already wrong, maybe the file itself; each offset is checked
 * again, and what looks odd is left out in silence. */
#include "read/elf_locate.h"

#include <stdlib.h>

#include "core/resolve.h"
#include "read/elf.h"
#include "read/elf_machine.h"
#include "util/debuginfo.h"

typedef struct {
  const Link *l;
  const File *file;
  const ElfObject *o;
  DebugInfo *debug; /* NULL: none */
  u64 *base;        /* made-up address of each section; 0: not allocated */
} Locator;

/* Contents of a section: as the reader has it (decompressed), else as it stands in the file (when
 * debug sections are stripped, the reader passes over them). */
static Bytes section_bytes(const Locator *x, u32 i) {
  const Atom *a = &x->l->atoms.at[x->file->atom_base + i];
  const ElfShdr *s = &x->o->shdrs[i];
  Bytes b = {0};
  if (a->data && a->file)
    return (Bytes){a->data, a->size};
  if (s->sh_type != SHT_NOBITS && !(s->sh_flags & SHF_COMPRESSED))
    bytes_slice(x->file->data, s->sh_offset, s->sh_size, &b);
  return b;
}

static void relocate(const Locator *x, const ElfShdr *rela, u8 *p, u64 len) {
  Bytes b;
  if (rela->sh_type != SHT_RELA || !bytes_slice(x->file->data, rela->sh_offset, rela->sh_size, &b))
    return;
  for (u64 off = 0; b.len - off >= sizeof(ElfRela); off += sizeof(ElfRela)) {
    const ElfRela *r = (const ElfRela *)(b.p + off);
    u32 type = (u32)ELF64_R_TYPE(r->r_info), width = type < 256 ? elf_machine(x->l)->debug[type] : 0, sym = (u32)ELF64_R_SYM(r->r_info), special;
    if (!width || sym >= x->file->nsyms || r->r_offset > len || len - r->r_offset < width)
      continue;
    u32 section = elf_sym_section(x->o, sym, &special);
    u64 value = x->o->syms[sym].st_value + (u64)r->r_addend;
    if (section && section < x->o->nshdr)
      value += x->base[section];
    if (width == 8)
      wr64(p + r->r_offset, value);
    else
      wr32(p + r->r_offset, (u32)value);
  }
}

static void load_debug(Locator *x) {
  const ElfObject *o = x->o;
  Bytes sections[DEBUG_COUNT] = {0};
  u32 index[DEBUG_COUNT] = {0};
  for (u32 i = 1; i < o->nshdr; i++) {
    /* A group's .debug_info is a unit of types, of no use here. */
    if (o->shdrs[i].sh_flags & (SHF_ALLOC | SHF_GROUP))
      continue;
    const char *name = elf_section_name(o, i);
    for (u32 k = 0; k < DEBUG_COUNT; k++)
      if (!index[k] && streq(name, debug_section_names[k])) {
        index[k] = i;
        sections[k] = section_bytes(x, i);
      }
  }
  x->debug = debug_create(sections);
  if (!x->debug)
    return;
  for (u32 i = 1; i < o->nshdr; i++) {
    const ElfShdr *s = &o->shdrs[i];
    for (u32 k = 0; k < DEBUG_COUNT && s->sh_type == SHT_RELA; k++)
      if (index[k] && index[k] == s->sh_info) {
        u64 len;
        u8 *p = debug_bytes(x->debug, (DebugSection)k, &len);
        relocate(x, s, p, len);
      }
  }
}

void *elf_locator_open(const Link *l, FileId f) {
  const File *file = file_at(l, f);
  if (file->kind != FILE_OBJECT || !file->fmt || (elf_machine(l)->class == ELFCLASS32 && !((const ElfObject *)file->fmt)->wide))
    return NULL;
  Locator *x = calloc(1, sizeof *x);
  const ElfObject *o = file->fmt;
  if (!x || !(x->base = calloc((u64)o->nshdr + 1, sizeof *x->base))) {
    free(x);
    return NULL;
  }
  x->l = l;
  x->file = file;
  x->o = o;
  u64 at = 0x10000; /* gaps between sections, so that no line table runs into the next section */
  for (u32 i = 1; i < o->nshdr; i++)
    if (o->shdrs[i].sh_flags & SHF_ALLOC) {
      x->base[i] = at;
      at = align_up(at + MIN(o->shdrs[i].sh_size, (u64)1 << 40) + 64, 64);
    }
  load_debug(x);
  return x;
}

/* The function or variable that contains an offset; without sizes (assembly), the nearest before it. */
static const char *enclosing_symbol(const Locator *x, u32 section, u64 off, bool code) {
  u32 best = 0, special;
  bool best_sized = false;
  for (u32 i = 1; i < x->file->nsyms; i++) {
    const ElfSym *s = &x->o->syms[i];
    u32 type = ELF64_ST_TYPE(s->st_info);
    bool fits = code ? type == STT_FUNC || type == STT_GNU_IFUNC || (type == STT_NOTYPE && !s->st_size)
                     : type == STT_OBJECT || type == STT_TLS;
    if (!fits || s->st_value > off || elf_sym_section(x->o, i, &special) != section || special)
      continue;
    bool sized = s->st_size != 0;
    if (sized && off - s->st_value >= s->st_size)
      continue;
    if (!bytes_cstr(x->o->strtab, s->st_name) || !x->o->strtab.p[s->st_name])
      continue;
    if (!best || (sized && !best_sized) ||
        (sized == best_sized && s->st_value > x->o->syms[best].st_value)) {
      best = i;
      best_sized = sized;
    }
  }
  return best ? bytes_cstr(x->o->strtab, x->o->syms[best].st_name) : NULL;
}

bool elf_locator_find(void *locator, AtomId a, u64 off, Arena *arena, SourcePlace *out) {
  Locator *x = locator;
  *out = (SourcePlace){0};
  u32 section = a.i - x->file->atom_base;
  if (a.i < x->file->atom_base || section == 0 || section >= x->o->nshdr)
    return false;
  bool code = x->o->shdrs[section].sh_flags & SHF_EXECINSTR;
  const char *name = enclosing_symbol(x, section, off, code), *file;
  u32 line;
  if (name)
    out->function = arena_strdup(arena, name);
  if (x->debug && x->base[section]) {
    u64 addr = x->base[section] + off;
    if (!code && name) /* debug information knows where the variable begins, not what is inside */
      for (u32 i = 1, special; i < x->file->nsyms; i++) {
        const ElfSym *s = &x->o->syms[i];
        if (elf_sym_section(x->o, i, &special) == section && s->st_value <= off &&
            off - s->st_value < s->st_size)
          addr = x->base[section] + s->st_value;
      }
    if (code ? debug_line(x->debug, addr, &file, &line) : debug_variable(x->debug, addr, &file, &line)) {
      out->file = arena_strdup(arena, file);
      out->line = line;
    }
  }
  return out->file || out->function;
}

void elf_locator_close(void *locator) {
  Locator *x = locator;
  if (!x)
    return;
  debug_free(x->debug);
  free(x->base);
  free(x);
}
