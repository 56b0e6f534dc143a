/* elf_encode.h: ELF's structs in the class of the output. Whoever makes one fills in the 64-bit struct, which holds everything; what
 * stands in the file is put here, in the class that Format.word says: one way to make a table, two ways to write it.
 * The trap: class 32 does not only have narrower fields. Elf32_Sym and Elf32_Phdr have another order, and r_info another split. */
#ifndef WELD_WRITE_ELF_ENCODE_H
#define WELD_WRITE_ELF_ENCODE_H

#include "core/link.h"
#include "format/elf.h"

/* Bytes of each struct. */
typedef struct {
  u8 ehdr, phdr, shdr, sym, dyn, rel, rela, chdr;
} ElfSizes;

static inline bool elf_is_32(const Link *l) { return l->format->word == 4; }

static inline ElfSizes elf_sizes(const Link *l) {
  if (elf_is_32(l))
    return (ElfSizes){sizeof(Elf32_Ehdr), sizeof(Elf32_Phdr), sizeof(Elf32_Shdr), sizeof(Elf32_Sym),
                      sizeof(Elf32_Dyn),  sizeof(Elf32_Rel),  sizeof(Elf32_Rela), sizeof(Elf32_Chdr)};
  return (ElfSizes){sizeof(Elf64_Ehdr), sizeof(Elf64_Phdr), sizeof(Elf64_Shdr), sizeof(Elf64_Sym),
                    sizeof(Elf64_Dyn),  sizeof(Elf64_Rel),  sizeof(Elf64_Rela), sizeof(Elf64_Chdr)};
}

/* Each writes one struct of elf_sizes() to `out`. Values that class 32 has no room for lose their upper half: that they fit is
 * checked where they come from. elf_put_ehdr sets e_ident's class, and the sizes of the structs that the header names. */
void elf_put_ehdr(const Link *l, u8 *out, const Elf64_Ehdr *h);
void elf_put_phdr(const Link *l, u8 *out, const Elf64_Phdr *p);
void elf_put_shdr(const Link *l, u8 *out, const Elf64_Shdr *h);
void elf_put_dyn(const Link *l, u8 *out, i64 tag, u64 value);
void elf_put_chdr(const Link *l, u8 *out, const Elf64_Chdr *h);
/* r_info is made of `sym` and `type`; `rela`: with the addend behind it. */
void elf_put_rel(const Link *l, u8 *out, u64 offset, u32 sym, u32 type, bool rela, i64 addend);
/* n symbols in class 32. Tables are made in pieces that fit a thread's stack and cross over here. */
void elf_put_syms32(u8 *out, const ElfSym *in, u32 n);
enum { ELF_SYMS_AT_ONCE = 256 };

/* Sets dynrel_size and encode_dynrel as Format.word and Format.rel want them. Those of ELF64 x86-64 are the reader's, which makes most
 * of them itself. */
void elf_encode_init(Format *f);

#endif
