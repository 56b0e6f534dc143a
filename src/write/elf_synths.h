/* elf_synths.h: the fixed sections that weld makes, with the types and flags of ELF. */
#ifndef WELD_WRITE_ELF_SYNTHS_H
#define WELD_WRITE_ELF_SYNTHS_H

struct Link;

/* Makes Link.synths.at[SYN_...], empty: whoever fills one sets its size and functions. After
 * resolve_atoms(), which has the atoms' arrays, before resolve_symbols(), which sizes the commons. */
void elf_synths_init(struct Link *l);

#endif
