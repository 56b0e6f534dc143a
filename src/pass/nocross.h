/* nocross.h: NOCROSSREFS of linker scripts. */
#ifndef WELD_PASS_NOCROSS_H
#define WELD_PASS_NOCROSS_H

struct Link;

/* Reports references between output sections that must not refer to each other: GNU ld manual, NOCROSSREFS, NOCROSSREFS_TO. Once it is known what is in
 * which section. */
void nocross_check(struct Link *l);

#endif
