/* macho_symtab.h: what the files that make a symbol table share. */
#ifndef WELD_WRITE_MACHO_SYMTAB_H
#define WELD_WRITE_MACHO_SYMTAB_H

#include "write/macho.h"

typedef struct {
  MachoImage *m;
  Link *l;
  Arena *arena; /* for what stays */
  VEC(Nlist64) symbols;
  VEC(char) strings;
  VEC(u64) functions; /* where they begin */
} MachoSymbols;

enum { MACHO_NO_NAME = 1 }; /* where the empty string is: tools show what is at 0, a blank */
/* Adds a name to the string table; returns where it is. */
u32 macho_add_string(MachoSymbols *s, const char *name, u64 len);
/* n_sect of an atom. */
u8 macho_section_of(const Link *l, u32 atom);
/* The debug map: which object each function and variable came from, for debuggers and dsymutil (stab.h). */
void macho_add_stabs(MachoSymbols *s);

#endif
