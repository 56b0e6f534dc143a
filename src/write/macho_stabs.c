/* macho_stabs.c: the debug map (stab.h; what dsymutil and debuggers start from): for each object that has debug information N_SO
 * and N_OSO, then its functions (N_BNSYM, N_FUN, N_FUN, N_ENSYM) and variables (N_STSYM of local ones, N_GSYM of global ones).
 * The trap: debuggers open the object under the name that stands here, wherever they run, so it is an absolute path;
 * -oso_prefix makes it one that is the same on every machine. Time stamps are 0, which means "don't check". */
#include <stdlib.h>
#include <unistd.h>

#include "format/macho_object.h"
#include "write/macho_symtab.h"

static void add(MachoSymbols *s, u8 type, u8 section, u16 desc, u64 value, const char *name) {
  u32 at = name && *name ? macho_add_string(s, name, strlen(name)) : MACHO_NO_NAME;
  *vec_push(&s->symbols) = (Nlist64){.n_strx = at, .n_type = type, .n_sect = section, .n_desc = desc, .n_value = value};
}

/* dir/name, unless that is absolute. */
static const char *join(Arena *a, const char *dir, const char *name) {
  if (!dir || !*dir || name[0] == '/')
    return name;
  return arena_printf(a, "%s%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/", name);
}

static const char *object_path(MachoSymbols *s, u32 f, const char *cwd) {
  const Link *l = s->l;
  const char *path = join(s->arena, cwd, file_name(l, (FileId){f})), *prefix = l->opt->darwin.oso_prefix;
  if (!prefix)
    return path;
  if (streq(prefix, "."))
    prefix = cwd ? arena_printf(s->arena, "%s/", cwd) : "";
  return starts_with(path, prefix) ? path + strlen(prefix) : path;
}

/* Symbol `index` of file f, in atom `atom`. */
static void add_symbol(MachoSymbols *s, u32 f, u32 index, u32 atom, u64 value, const char *name, bool global) {
  const Link *l = s->l;
  if (!(l->atoms.flags[atom] & ATOM_LIVE) || !l->atoms.at[atom].osec || l->atoms.flags[atom] & ATOM_EHFRAME || !*name || *name == 'L' || *name == 'l')
    return;
  u8 section = macho_section_of(l, atom);
  if (!(l->atoms.flags[atom] & ATOM_EXEC)) {
    add(s, global ? N_GSYM : N_STSYM, section, 0, value, name);
    return;
  }
  u64 size = l->format->sym_size(l, (FileId){f}, index);
  add(s, N_BNSYM, section, 0, value, NULL);
  add(s, N_FUN, section, 0, value, name);
  add(s, N_FUN, NO_SECT, 0, size, NULL);
  add(s, N_ENSYM, section, 0, size, NULL);
}

static void add_symbols_of(MachoSymbols *s, u32 f) {
  const Link *l = s->l;
  const File *file = &l->files.at[f];
  const MachoObject *o = file->fmt;
  for (u32 i = file->natoms; i < file->nsyms; i++) {
    const MachoSymbol *x = macho_symbol(o, i);
    u32 atom = x->atom ? file->atom_base + x->atom : 0;
    const char *name = l->format->sym_name(l, (FileId){f}, i);
    if (!atom)
      continue;
    if (i < file->first_global) {
      add_symbol(s, f, i, atom, l->atoms.addr[atom] + x->value, name, false);
      continue;
    }
    u32 sym = file->globals[i - file->first_global];
    if (sym < l->syms.nglobal && key_file(l->syms.key[sym]) == f && key_index(l->syms.key[sym]) == i)
      add_symbol(s, f, i, atom, l->syms.value[sym], name, !(l->syms.flags[sym] & SF_HIDDEN));
  }
}

void macho_add_stabs(MachoSymbols *s) {
  Link *l = s->l;
  char *cwd = getcwd(NULL, 0);
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    const MachoObject *o = file->fmt;
    if (!file->live || file->kind != FILE_OBJECT || !o || !o->debug_unit.known)
      continue;
    const char *source = o->debug_unit.name ? o->debug_unit.name : "";
    add(s, N_SO, NO_SECT, 0, 0, join(s->arena, o->debug_unit.comp_dir, source));
    add(s, N_OSO, (u8)s->m->cpusubtype, 1, 0, object_path(s, f, cwd));
    add_symbols_of(s, f);
    add(s, N_SO, 1, 0, 0, "");
  }
  free(cwd);
}
