/* icf.h: identical code folding, --icf. Atoms that are equal (content, edges, unwind records), and
 * whose edges lead to the same or to equal atoms, become one: the first in input order stays, the
 * others are ATOM_FOLDED. */
#ifndef WELD_CORE_ICF_H
#define WELD_CORE_ICF_H

struct Link;

/* Folds what --icf allows. After merge_sections (references to equal strings are equal then) and
 * before scan (relocations of folded atoms need nothing). Redirects global symbols; local ones are
 * followed by icf_addresses. */
void icf(struct Link *l);
/* Atoms that join by content (Format.by_content) become one, whatever --icf says: the first of each stays in its place. After
 * coalesce_names. */
void coalesce_content(struct Link *l);
/* After layout: gives folded atoms the address and output section of the atom that stands for them. */
void icf_addresses(struct Link *l);

#endif
