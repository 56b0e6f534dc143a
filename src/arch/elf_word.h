/* elf_word.h: what S + A as wide as a pointer becomes where ELF's dynamic linker is the loader, by facts that no CPU changes.
 * The trap: scan and apply both ask, so nothing here may look at what scan leaves behind. */
#ifndef WELD_ARCH_ELF_WORD_H
#define WELD_ARCH_ELF_WORD_H

#include "core/symbol.h"

typedef enum {
  WORD_STATIC,   /* the value is known */
  WORD_RELATIVE, /* known but for the load address */
  WORD_SYMBOLIC, /* the dynamic linker looks the symbol up */
  WORD_IFUNC,    /* the dynamic linker calls the resolver; or the canonical PLT entry, if there is one */
  WORD_CPLT,     /* the canonical PLT entry */
  WORD_COPY,     /* the copy of an imported variable */
} ElfWord;

/* Edges with none of these have their target at a fixed distance in this output. */
enum { ELF_SPECIAL = SF_IMPORTED | SF_IFUNC | SF_ABSOLUTE | SF_UNDEFINED | SF_DISCARDED };

/* `pic`: the output's addresses move; `writable`: the place may be written to when the program runs. */
static inline ElfWord elf_word(bool pic, u32 flags, bool writable) {
  if (LIKELY(!(flags & ELF_SPECIAL)))
    return pic ? WORD_RELATIVE : WORD_STATIC;
  if (flags & SF_IMPORTED) {
    /* In a fixed-address executable a read-only place can't wait for the dynamic linker: give the
     * symbol an address here. Writable places wait, which keeps the symbol where it is. */
    if (pic || writable || !(flags & (SF_SHARED | SF_FUNC)))
      return WORD_SYMBOLIC;
    return flags & SF_FUNC ? WORD_CPLT : WORD_COPY;
  }
  if (flags & SF_IFUNC)
    return pic ? WORD_IFUNC : WORD_CPLT;
  return WORD_STATIC;
}

/* May a relative relocation go to .relr.dyn? Its address must be even whatever the layout. Text is left
 * out, since loaders make it writable only for .rela.dyn. */
static inline bool elf_relr(bool wanted, u32 aflags, u8 p2align, u64 offset) {
  return wanted && p2align && !(offset & 1) && (aflags & (ATOM_WRITE | ATOM_EXEC)) == ATOM_WRITE;
}

#endif
