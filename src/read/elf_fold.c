/* elf_fold.c: what ELF says about folding (core/icf.h): which sections are of a kind that may be
 * folded, and which symbols are address-significant (SHT_LLVM_ADDRSIG: ULEB128 indexes of the
 * file's symbol table).
 * The trap: tools that reorder the symbol table leave that section behind, with numbers that mean
 * other symbols now. The assembler links it to the symbol table; those tools don't (sh_link is 0). */
#include "read/elf_fold.h"

#include "core/resolve.h"
#include "read/elf.h"

enum { SYMS_AHEAD = 32 };

/* Relocated once, then read-only. */
static bool is_relro(const char *name) {
  return starts_with(name, ".data.rel.ro") && (!name[12] || name[12] == '.');
}

u16 elf_fold_kind(const ElfShdr *s, const char *name) {
  if (s->sh_type != SHT_PROGBITS)
    return 0;
  if (s->sh_flags & SHF_WRITE)
    return is_relro(name) ? FOLD_KIND : 0;
  if (name[0] != '.')
    return is_c_identifier(name) ? 0 : FOLD_KIND;
  switch (name[1]) {
  case 'i': return streq(name, ".init") ? 0 : FOLD_KIND;
  case 'f': return streq(name, ".fini") ? 0 : FOLD_KIND;
  case 'g': /* language specific data */
    return starts_with(name, ".gcc_except_table") ? FOLD_KIND | FOLD_LSDA : FOLD_KIND;
  default: return FOLD_KIND;
  }
}

/* The atom that a symbol of f is in, wherever its name is defined; 0: none. */
static u32 atom_of(const Link *l, const File *f, u32 i) {
  const ElfObject *o = f->fmt;
  if (i >= f->first_global) {
    u32 sym = f->globals[i - f->first_global];
    return sym == UINT32_MAX ? 0 : l->syms.atom[sym];
  }
  u32 special, section = elf_sym_section(o, i, &special);
  return section && section < o->nshdr ? f->atom_base + section : 0;
}

typedef struct {
  u8 *at, mark;
  u16 except;
} Marks;

static void mark_atom(const Link *l, const Marks *m, u32 atom) {
  if (!(l->atoms.flags[atom] & m->except) &&
      !(__atomic_load_n(&m->at[atom], __ATOMIC_RELAXED) & m->mark))
    __atomic_fetch_or(&m->at[atom], m->mark, __ATOMIC_RELAXED);
}

bool elf_next_significant(const File *f, Bytes table, u64 *at, u32 *symbol) {
  u64 index = 0;
  u32 shift = 0;
  u8 byte;
  do {
    byte = table.p[(*at)++];
    if (shift < 35)
      index |= (u64)(byte & 0x7f) << shift;
    shift += 7;
  } while (byte & 0x80 && *at < table.len && shift < 70);
  *symbol = (u32)index;
  return !(byte & 0x80) && shift <= 35 && index < f->nsyms;
}

static void mark_table(Link *l, FileId id, Bytes b, u64 at, const Marks *m) {
  const File *f = file_at(l, id);
  u32 symbol;
  for (u64 i = 0, begin; i < b.len;) {
    begin = i;
    if (!elf_next_significant(f, b, &i, &symbol)) {
      elf_bad(l, id, at + begin, ".llvm_addrsig: not the number of one of the %u symbols", f->nsyms);
      return;
    }
    mark_atom(l, m, atom_of(l, f, symbol));
  }
}

bool elf_significant(Link *l, FileId id, u8 *marks, u8 mark, u16 except) {
  const Marks m = {marks, mark, except};
  const File *f = file_at(l, id);
  const ElfObject *o = f->fmt;
  const ElfShdr *s = o && o->addrsig_shndx ? &o->shdrs[o->addrsig_shndx] : NULL;
  Bytes b;
  if (!o || f->kind != FILE_OBJECT)
    return true;
  if (s && !bytes_slice(f->data, s->sh_offset, s->sh_size, &b)) {
    elf_bad(l, id, s->sh_offset, ".llvm_addrsig runs past the end of the file");
    return true;
  }
  if (s && s->sh_link) {
    mark_table(l, id, b, s->sh_offset, &m);
    return true;
  }
  for (u32 i = 1; i < f->nsyms; i++) {
    u32 atom = atom_of(l, f, i);
    PREFETCH(&o->syms[i + SYMS_AHEAD]);
    if (atom && !(l->atoms.flags[atom] & ATOM_EXEC) &&
        !(l->atoms.at[atom].fold & FOLD_LSDA)) /* assemblers give that a symbol, too */
      mark_atom(l, &m, atom);
  }
  return false;
}
