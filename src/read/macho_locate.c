/* macho_locate.c: from a place in a Mach-O object to a line of its source, for messages. Debug information of an object holds the
 * object's own addresses, so nothing needs to be relocated.
 * The trap: names of sections end after 16 letters: .debug_str_offsets is __debug_str_offs. */
#include <stdlib.h>

#include "read/macho_internal.h"
#include "util/debuginfo.h"

typedef struct {
  const Link *l;
  const File *file;
  const MachoObject *o;
  DebugInfo *debug; /* NULL: none */
} Locator;

void *macho_locator_open(const Link *l, FileId f) {
  const File *file = file_at(l, f);
  Bytes sections[DEBUG_COUNT] = {0};
  if (file->kind != FILE_OBJECT || !file->fmt)
    return NULL;
  Locator *x = heap_alloc(sizeof *x);
  *x = (Locator){.l = l, .file = file, .o = file->fmt};
  for (u32 i = 1; i < x->o->nsections; i++) {
    const MachoSection *s = &x->o->sections[i];
    for (u32 k = 0; k < DEBUG_COUNT && streq(s->segname, "__DWARF"); k++) /* ".debug_x" and "__debug_x" */
      if (!strncmp(s->sectname, "__", 2) && !strncmp(s->sectname + 2, debug_section_names[k] + 1, 14) && strlen(s->sectname) == MIN(strlen(debug_section_names[k]) + 1, 16u))
        sections[k] = s->data;
  }
  x->debug = debug_create(sections);
  return x;
}

/* The name that stands last at or before the place, in its atom; ones that only assemblers know tell nothing. */
static const char *enclosing_name(const Locator *x, u32 atom, u64 off) {
  const MachoObject *o = x->o;
  u32 best = o->atoms[atom].symbol;
  for (u32 i = o->natoms; i < x->file->nsyms; i++) {
    const MachoSymbol *s = macho_symbol(o, i);
    if (s->atom == atom && s->value <= off && s->value && (!best || s->value > macho_symbol(o, best)->value))
      best = i;
  }
  const char *name = best ? macho_name(o, macho_nlist(o, best)) : "";
  return *name && !starts_with(name, "ltmp") ? name : NULL;
}

bool macho_locator_find(void *locator, AtomId a, u64 off, Arena *arena, SourcePlace *out) {
  Locator *x = locator;
  u32 atom = a.i - x->file->atom_base, line;
  const char *file;
  *out = (SourcePlace){0};
  if (a.i <= x->file->atom_base || atom >= x->o->natoms || !x->o->atoms[atom].section)
    return false;
  const MachoSection *s = &x->o->sections[x->o->atoms[atom].section];
  const char *name = enclosing_name(x, atom, off);
  bool code = x->l->atoms.flags[a.i] & ATOM_EXEC;
  u64 addr = s->addr + x->o->atoms[atom].offset + (code ? off : 0); /* a variable is known by where it begins */
  if (name)
    out->function = arena_strdup(arena, name);
  if (x->debug && (code ? debug_line(x->debug, addr, &file, &line) : debug_variable(x->debug, addr, &file, &line))) {
    out->file = arena_strdup(arena, file);
    out->line = line;
  }
  return out->file || out->function;
}

void macho_locator_close(void *locator) {
  Locator *x = locator;
  if (x)
    debug_free(x->debug);
  free(x);
}
