/* link_relocatable.h: the story of a relocatable link (-r), beside link.c's, and what the two share. */
#ifndef WELD_LINK_RELOCATABLE_H
#define WELD_LINK_RELOCATABLE_H

#include "core/link.h"

/* Runs it, to the file. False after a report. */
bool link_relocatable(Link *l);

/* link.c: names that options, scripts and the layout bring; Link.entry_name among them. Before resolve_names(). */
void link_name_asked(Link *l);
/* link.c: values of --defsym that layout did not compute. */
void link_defsym_values(Link *l);

#endif
