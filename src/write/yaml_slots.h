/* yaml_slots.h: what the passes made, as atoms of the text: the GOT, the PLT, copied variables, branch islands. */
#ifndef WELD_WRITE_YAML_SLOTS_H
#define WELD_WRITE_YAML_SLOTS_H

#include "core/link.h"
#include "core/thunks.h"
#include "format/yaml_graph.h"

/* Whether atom a is a section of slots that text shows. */
bool slots_are_shown(const Link *l, u32 a);
/* All that is said of it; the references, in order of offsets, live in the arena. After got_allocate. */
void slots_describe(const Link *l, u32 a, Arena *arena, YamlAtom *out);
/* All that is said of an island but its references and where it is. Strings live in the arena or as long as the link. */
void island_describe(const Link *l, const Thunk *t, Arena *arena, YamlAtom *out);

#endif
