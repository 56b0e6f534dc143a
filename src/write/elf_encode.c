/* elf_encode.c: see elf_encode.h (gABI ch. 4 "ELF Header", "Section Header", "Symbol Table", "Relocation"; ch. 5 "Program Header",
 * "Dynamic Section"). The trap: a 64-bit value that is negative is the same value in 32 bits, so nothing is checked here. */
#include "write/elf_encode.h"

#include "format/elf_i386.def"
#include "format/elf_x86_64.def"

void elf_put_ehdr(const Link *l, u8 *out, const Elf64_Ehdr *h) {
  const ElfSizes z = elf_sizes(l);
  Elf64_Ehdr wide = *h;
  memcpy(wide.e_ident, ELFMAG, SELFMAG);
  wide.e_ident[EI_CLASS] = elf_is_32(l) ? ELFCLASS32 : ELFCLASS64;
  wide.e_ident[EI_DATA] = ELFDATA2LSB;
  wide.e_ident[EI_VERSION] = EV_CURRENT;
  wide.e_version = EV_CURRENT;
  wide.e_ehsize = z.ehdr;
  wide.e_phentsize = h->e_type == ET_REL ? 0 : z.phdr;
  wide.e_shentsize = z.shdr;
  if (!elf_is_32(l)) {
    memcpy(out, &wide, sizeof wide);
    return;
  }
  Elf32_Ehdr x = {.e_type = wide.e_type,
                  .e_machine = wide.e_machine,
                  .e_version = wide.e_version,
                  .e_entry = (u32)wide.e_entry,
                  .e_phoff = (u32)wide.e_phoff,
                  .e_shoff = (u32)wide.e_shoff,
                  .e_flags = wide.e_flags,
                  .e_ehsize = wide.e_ehsize,
                  .e_phentsize = wide.e_phentsize,
                  .e_phnum = wide.e_phnum,
                  .e_shentsize = wide.e_shentsize,
                  .e_shnum = wide.e_shnum,
                  .e_shstrndx = wide.e_shstrndx};
  memcpy(x.e_ident, wide.e_ident, sizeof x.e_ident);
  memcpy(out, &x, sizeof x);
}

void elf_put_phdr(const Link *l, u8 *out, const Elf64_Phdr *p) {
  if (!elf_is_32(l)) {
    memcpy(out, p, sizeof *p);
    return;
  }
  Elf32_Phdr x = {.p_type = p->p_type,
                  .p_offset = (u32)p->p_offset,
                  .p_vaddr = (u32)p->p_vaddr,
                  .p_paddr = (u32)p->p_paddr,
                  .p_filesz = (u32)p->p_filesz,
                  .p_memsz = (u32)p->p_memsz,
                  .p_flags = p->p_flags,
                  .p_align = (u32)p->p_align};
  memcpy(out, &x, sizeof x);
}

void elf_put_shdr(const Link *l, u8 *out, const Elf64_Shdr *h) {
  if (!elf_is_32(l)) {
    memcpy(out, h, sizeof *h);
    return;
  }
  Elf32_Shdr x = {.sh_name = h->sh_name,
                  .sh_type = h->sh_type,
                  .sh_flags = (u32)h->sh_flags,
                  .sh_addr = (u32)h->sh_addr,
                  .sh_offset = (u32)h->sh_offset,
                  .sh_size = (u32)h->sh_size,
                  .sh_link = h->sh_link,
                  .sh_info = h->sh_info,
                  .sh_addralign = (u32)h->sh_addralign,
                  .sh_entsize = (u32)h->sh_entsize};
  memcpy(out, &x, sizeof x);
}

void elf_put_dyn(const Link *l, u8 *out, i64 tag, u64 value) {
  if (elf_is_32(l)) {
    wr32(out, (u32)tag);
    wr32(out + 4, (u32)value);
  } else {
    wr64(out, (u64)tag);
    wr64(out + 8, value);
  }
}

void elf_put_chdr(const Link *l, u8 *out, const Elf64_Chdr *h) {
  if (!elf_is_32(l)) {
    memcpy(out, h, sizeof *h);
    return;
  }
  wr32(out, h->ch_type);
  wr32(out + 4, (u32)h->ch_size);
  wr32(out + 8, (u32)h->ch_addralign);
}

void elf_put_rel(const Link *l, u8 *out, u64 offset, u32 sym, u32 type, bool rela, i64 addend) {
  if (elf_is_32(l)) {
    wr32(out, (u32)offset);
    wr32(out + 4, ELF32_R_INFO(sym, type));
    if (rela)
      wr32(out + 8, (u32)addend);
  } else {
    wr64(out, offset);
    wr64(out + 8, ELF64_R_INFO((u64)sym, (u64)type));
    if (rela)
      wr64(out + 16, (u64)addend);
  }
}

void elf_put_syms32(u8 *out, const ElfSym *in, u32 n) {
  for (u32 i = 0; i < n; i++, out += sizeof(Elf32_Sym)) {
    Elf32_Sym x = {.st_name = in[i].st_name,
                   .st_value = (u32)in[i].st_value,
                   .st_size = (u32)in[i].st_size,
                   .st_info = in[i].st_info,
                   .st_other = in[i].st_other,
                   .st_shndx = in[i].st_shndx};
    memcpy(out, &x, sizeof x);
  }
}

/* ---- dynamic relocations ---- */

static const u8 numbers_i386[DYN_KINDS] = {
#define X(kind, number) [kind] = number,
    ELF_I386_DYNRELS(X)
#undef X
};

static const u8 numbers_x32[DYN_KINDS] = {
#define X(kind, number) [kind] = number,
    ELF_X86_64_DYNRELS(X)
#undef X
};

static u32 dynamic_symbol(const Link *l, const DynRel *r) {
  const SymAux *x = r->sym == NO_SYM.i ? NULL : sym_aux(l, r->sym);
  return x && x->dynsym > 0 ? (u32)x->dynsym : 0;
}

static void encode_dynrel_i386(const Link *l, const DynRel *r, u8 *out) {
  elf_put_rel(l, out, r->addr, dynamic_symbol(l, r), numbers_i386[r->kind], false, 0);
}

static void encode_dynrel_x32(const Link *l, const DynRel *r, u8 *out) {
  u32 number = r->kind == DYN_ABS ? R_X86_64_32 : numbers_x32[r->kind]; /* as wide as its pointers */
  elf_put_rel(l, out, r->addr, dynamic_symbol(l, r), number, true, r->addend);
}

void elf_encode_init(Format *f) {
  if (f->word == 8)
    return;
  f->dynrel_size = f->rel ? sizeof(Elf32_Rel) : sizeof(Elf32_Rela);
  f->encode_dynrel = f->rel ? encode_dynrel_i386 : encode_dynrel_x32;
}
