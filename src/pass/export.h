/* export.h: what the dynamic linker gets to see of a link, and what it may bind elsewhere. */
#ifndef WELD_PASS_EXPORT_H
#define WELD_PASS_EXPORT_H

struct Link;

/* After resolve_symbols(), before dead strip. Sets SF_EXPORTED, SF_IMPORTED, SF_VERSION_LOCAL,
 * SF_DYNLIST, SF_IS_UNDEF_OK and Symbols.version from the version script, --exclude-libs,
 * --dynamic-list, --export-dynamic*, -Bsymbolic*, visibility and the kind of output (GNU ld manual,
 * "VERSION Command"; gABI ch. 5, "Symbol Table"). Reports symbols with a version that no script names,
 * and names that a script lists and nothing defines. */
void export_symbols(struct Link *l);

/* After scan, before got_allocate(): an undefined weak symbol of an executable stays dynamic only when
 * something asks whether it is there (through the GOT, or by a dynamic relocation); one that is only
 * called is zero. Clears SF_IMPORTED and `needs` of the latter. */
void export_settle_weak(struct Link *l);

#endif
