/* elf_hooks.c: answers of the ELF reader to single questions of passes and writers: what a symbol is,
 * where a library keeps it, what a file's notes say. Contracts: core/target.h. The trap: none of these
 * may be asked in a hot loop; batches (elf_symbols, elf_edges) are for that. */
#include "core/merge.h"
#include "core/slots.h"
#include "read/elf.h"
#include "read/elf_hooks.h"

/* The records have moved: a symbol in .eh_frame follows its record, __FRAME_END__ the terminator at the
 * end; one in an empty section (crtbegin's __EH_FRAME_BEGIN__) stands in front of what follows. */
u64 elf_eh_frame_addr(const Link *l, AtomId a, u64 off) {
  const File *f = atom_file(l, a);
  u64 base = synth_addr(l, SYN_EH_FRAME);
  for (u32 i = 0; i < f->eh.ncies; i++)
    if (f->eh.cies[i].atom == a.i && f->eh.cies[i].off == off && f->eh.cies[i].out != EH_DROPPED)
      return base + f->eh.cies[i].out;
  for (u32 i = 0; i < f->eh.nfdes; i++)
    if (f->eh.fdes[i].atom == a.i && f->eh.fdes[i].off == off && f->eh.fdes[i].out != EH_DROPPED)
      return base + f->eh.fdes[i].out;
  const Synth *s = &l->synths.at[SYN_EH_FRAME];
  if (!l->atoms.at[a.i].size)
    return base + ehframe_begin(l, (FileId){l->atoms.at[a.i].file});
  return l->atoms.at[a.i].size == 4 && s->size >= 4 ? base + s->size - 4 : base;
}

u64 elf_local_value(const Link *l, FileId f, u32 index) {
  const File *file = file_at(l, f);
  const ElfObject *o = file->fmt;
  const ElfSym *s = &o->syms[index];
  u32 special, section = elf_sym_section(o, index, &special);
  if (!section || section >= o->nshdr)
    return s->st_value;
  AtomId a = {file->atom_base + section};
  u16 af = l->atoms.flags[a.i];
  if (af & ATOM_LIVE && af & ATOM_MERGE)
    return merge_addr(l, a, s->st_value);
  if (af & ATOM_LIVE && af & ATOM_EHFRAME)
    return elf_eh_frame_addr(l, a, s->st_value);
  return l->atoms.addr[a.i] + s->st_value;
}

u64 elf_sym_size(const Link *l, FileId f, u32 index) {
  const File *file = file_at(l, f);
  if (!file->fmt || index >= file->nsyms)
    return 0;
  return file->kind == FILE_SHARED ? ((const ElfShared *)file->fmt)->syms[index].st_size
                                   : ((const ElfObject *)file->fmt)->syms[index].st_size;
}

bool elf_shared_symbol(const Link *l, FileId f, u32 index, SharedSym *out) {
  const File *file = file_at(l, f);
  const ElfShared *so = file->fmt;
  const ElfSym *s = &so->syms[index];
  if (s->st_shndx == SHN_UNDEF || s->st_shndx == SHN_ABS || ELF64_ST_TYPE(s->st_info) == STT_TLS)
    return false;
  /* No more aligned than its address, nor than its section says. */
  u64 align = s->st_value ? s->st_value & -s->st_value : 64;
  if (so->shdrs && s->st_shndx < so->nshdr && is_pow2(so->shdrs[s->st_shndx].sh_addralign))
    align = MIN(align, so->shdrs[s->st_shndx].sh_addralign);
  bool readonly = false;
  for (u32 i = 0; i < so->nphdr; i++) {
    const Elf64_Phdr *p = &so->phdrs[i];
    if (s->st_value < p->p_vaddr || s->st_value - p->p_vaddr >= p->p_memsz)
      continue;
    if ((p->p_type == PT_LOAD && !(p->p_flags & PF_W)) || p->p_type == PT_GNU_RELRO)
      readonly = true;
  }
  *out = (SharedSym){.value = s->st_value, .size = s->st_size, .align = MIN(align, 4096u), .readonly = readonly};
  return true;
}

bool elf_properties(const Link *l, FileId f, Properties *out) {
  const File *file = file_at(l, f);
  const ElfObject *o = file->fmt;
  if (file->kind != FILE_OBJECT || !o)
    return false;
  *out = (Properties){.feature_1_and = o->features, .isa_1_needed = o->isa_needed, .isa_1_used = o->isa_used, .has_isa_1_used = o->has_isa_used};
  return o->has_features || o->isa_needed || o->has_isa_used;
}

bool elf_wants_execstack(const Link *l, FileId f) {
  const File *file = file_at(l, f);
  return file->kind == FILE_OBJECT && file->fmt && ((const ElfObject *)file->fmt)->execstack;
}

bool elf_has_stack_note(const Link *l, FileId f) {
  const File *file = file_at(l, f);
  return file->kind == FILE_OBJECT && file->fmt && ((const ElfObject *)file->fmt)->has_stack_note;
}

/* Relocations are found by their offset in the file, so a file that needs another order is copied: few have
 * a .ctors with more than one entry in it. */
static u8 *writable(Link *l, File *file) {
  ElfObject *o = file->fmt;
  if (!o->copied) {
    u8 *copy = arena_alloc(&l->arena, file->data.len, 16);
    memcpy(copy, file->data.p, file->data.len);
    file->data.p = copy;
    o->copied = true;
  }
  return (u8 *)(uintptr_t)file->data.p;
}

bool elf_reverse_pointers(Link *l, AtomId a) {
  Atom *at = &l->atoms.at[a.i];
  u64 n = at->size / 8;
  if (at->size % 8)
    return false;
  if (at->data) {
    u8 *data = arena_alloc(&l->arena, at->size, 8);
    for (u64 i = 0; i < n; i++)
      memcpy(data + i * 8, at->data + (n - 1 - i) * 8, 8);
    at->data = data;
  }
  if (!at->rel)
    return true;
  ElfRela *r = (ElfRela *)(writable(l, atom_file(l, a)) + at->rel_off);
  for (u32 i = 0, k = at->rel - 1; i < k; i++, k--) { /* dynamic relocations come in order of addresses */
    ElfRela t = r[i];
    r[i] = r[k];
    r[k] = t;
  }
  for (u32 i = 0; i < at->rel; i++)
    if (r[i].r_offset <= at->size - 8) /* others were reported */
      r[i].r_offset = at->size - 8 - r[i].r_offset;
  return true;
}
