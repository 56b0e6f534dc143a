/* scripts.h: what linker scripts say, applied to the link: settings at once, their layout when all of them were read. GNU ld manual,
 * "Linker Scripts". */
#ifndef WELD_SCRIPTS_H
#define WELD_SCRIPTS_H

#include "core/link.h"
#include "input_file.h"

/* Scripts in the order in which they are read: those of -T first, wherever they stand, then those among the inputs. */
typedef struct Scripts {
  LayoutDesc layout;         /* all statements, regions, ... so far */
  VEC(ScriptInsert) inserts;
  bool has_sections;         /* of a -T script: the layout that stands otherwise does not count */
  const char *entry;         /* of the last ENTRY */
} Scripts;

/* Reads a script, `main` when -T names it, and applies its settings; NULL after reports. Its inputs are up to the caller. */
const Script *scripts_read(Link *l, Scripts *all, const Opened *o, bool main);
/* After the last one: Link.layout becomes what they say of it, and what stood there. */
void scripts_settle(Link *l, Scripts *all);

#endif
