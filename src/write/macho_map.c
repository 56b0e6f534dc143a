/* macho_map.c: see macho_map.h. Lines are ld64's: files have numbers, and a symbol's line says which it came from.
 * The trap: names of literals come out of files, so what is no printable letter is escaped. */
#include "write/macho_map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "format/macho_object.h"

typedef struct {
  u64 addr, size;
  u32 file, order; /* place among those of its file */
  u32 sym;         /* of a slot; or NO_SYM.i */
  const char *what; /* before the name; or NULL */
  const char *name; /* NULL: the literal of `atom` */
  u32 atom;
} Line;

typedef struct {
  const MachoImage *m;
  const Link *l;
  FILE *f;
  u32 *number; /* by FileId: in the list of files */
  VEC(Line) lines, dead;
} Map;

static void put_files(Map *x) {
  u32 n = 0;
  fprintf(x->f, "# Path: %s\n# Arch: %s\n# Object files:\n[%3u] linker synthesized\n", x->l->opt->output, x->l->opt->darwin.arch, n++);
  for (u32 i = 1; i < x->l->files.n; i++) {
    const File *file = &x->l->files.at[i];
    if (!file->fmt || (file->kind == FILE_OBJECT && !file->live))
      continue;
    x->number[i] = n;
    fprintf(x->f, "[%3u] %s\n", n++, file_name(x->l, (FileId){i}));
  }
}

static void put_sections(const Map *x) {
  fprintf(x->f, "# Sections:\n# Address\tSize    \tSegment\tSection\n");
  for (u32 i = 0; i < x->l->norder; i++) {
    const Osec *o = &x->l->osecs.at[x->l->order[i]];
    u32 len;
    const char *name = macho_section_name(o, &len);
    fprintf(x->f, "0x%08llX\t0x%08llX\t%.*s\t%s\n", (unsigned long long)o->addr, (unsigned long long)o->size, (int)len, o->name, name);
  }
}

/* ---- symbols ---- */

static bool is_placed(const Link *l, u32 atom) {
  return (l->atoms.flags[atom] & ATOM_FOLDED) == ATOM_LIVE && !(l->atoms.flags[atom] & ATOM_EHFRAME) && l->atoms.at[atom].osec;
}

/* Lost its name to another file's definition: that is no dead code. */
static bool is_dead(const Link *l, u32 atom) { return !(l->atoms.flags[atom] & (ATOM_LIVE | ATOM_DISCARDED)) && l->atoms.at[atom].size; }

static void add_line(Map *x, Line n) {
  if (is_placed(x->l, n.atom))
    *vec_push(&x->lines) = n;
  else if (is_dead(x->l, n.atom))
    *vec_push(&x->dead) = n;
}

static void add_file(Map *x, u32 f) {
  const Link *l = x->l;
  const File *file = &l->files.at[f];
  const MachoObject *o = file->fmt;
  bool *named = heap_alloc(file->natoms);
  for (u32 i = file->natoms; i < file->nsyms; i++) {
    const MachoSymbol *s = macho_symbol(o, i);
    const char *name = l->format->sym_name(l, (FileId){f}, i);
    if (!s->atom || *name == 'L' || *name == 'l')
      continue;
    named[s->atom] = true;
    u32 a = file->atom_base + s->atom;
    add_line(x, (Line){l->atoms.addr[a] + s->value, l->format->sym_size(l, (FileId){f}, i), f, i, NO_SYM.i, NULL, name, a});
  }
  for (u32 i = 1; i < file->natoms; i++) {
    u32 a = file->atom_base + i;
    bool string = l->atoms.at[a].type == S_CSTRING_LITERALS;
    if (!named[i] && string)
      add_line(x, (Line){l->atoms.addr[a], l->atoms.at[a].size, f, i, NO_SYM.i, "literal string: ", NULL, a});
  }
  free(named);
}

static void add_slots(Map *x, const BindSlots *v, u32 synth, u64 size, const char *what) {
  u64 addr = synth ? synth_addr(x->l, synth) : 0;
  for (u32 i = 0; addr && i < v->n; i++) {
    u64 key = v->sym[i] < x->l->syms.nglobal ? x->l->syms.key[v->sym[i]] : 0;
    u32 file = key_rank(key) == 255 ? 0 : key_file(key);
    *vec_push(&x->lines) = (Line){addr + i * size, size, file, i, v->sym[i], what, sym_name(x->l, v->sym[i]), 0};
  }
}

static void add_made(Map *x) {
  const Link *l = x->l;
  const Binds *b = l->binds;
  add_slots(x, &b->stubs, b->stubs.synth, l->arch->stub_size, "");
  add_slots(x, &b->got, b->got.synth, 8, "non-lazy-pointer-to: ");
  add_slots(x, &b->stubs, b->lazy, 8, "");
  add_slots(x, &b->tlv, b->tlv.synth, 8, "thread-local-pointer-to: ");
  for (u32 i = 1; i < l->synths.n; i++) {
    const Synth *s = &l->synths.at[i];
    if (s->atom.i && is_placed(l, s->atom.i) && s->size && i != b->stubs.synth && i != b->got.synth && i != b->lazy && i != b->tlv.synth)
      *vec_push(&x->lines) = (Line){l->atoms.addr[s->atom.i], s->size, 0, i, NO_SYM.i, NULL, s->name, 0};
  }
}

static int by_place(const void *pa, const void *pb) {
  const Line *a = pa, *b = pb;
  if (a->addr != b->addr)
    return a->addr < b->addr ? -1 : 1;
  if (a->file != b->file)
    return a->file < b->file ? -1 : 1;
  return a->order < b->order ? -1 : a->order > b->order;
}

static int by_file(const void *pa, const void *pb) {
  const Line *a = pa, *b = pb;
  if (a->file != b->file)
    return a->file < b->file ? -1 : 1;
  return a->order < b->order ? -1 : a->order > b->order;
}

static void put_literal(const Map *x, u32 atom) {
  const Atom *a = &x->l->atoms.at[atom];
  for (u64 i = 0; i + 1 < a->size; i++) {
    u8 c = a->data[i];
    if (c == '\n')
      fputs("\\n", x->f);
    else if (c == '\t')
      fputs("\\t", x->f);
    else if (c < ' ' || c > '~')
      fprintf(x->f, "\\x%02x", c);
    else
      fputc(c, x->f);
  }
}

static void put_line(const Map *x, const Line *n, bool dead) {
  if (dead)
    fprintf(x->f, "<<dead>>");
  else
    fprintf(x->f, "0x%08llX", (unsigned long long)n->addr);
  fprintf(x->f, "\t0x%08llX\t[%3u] %s", (unsigned long long)n->size, x->number[n->file], n->what ? n->what : "");
  if (n->name)
    fputs(n->name, x->f);
  else
    put_literal(x, n->atom);
  fputc('\n', x->f);
}

static void put_symbols(Map *x) {
  for (u32 f = 1; f < x->l->files.n; f++)
    if (x->l->files.at[f].live && x->l->files.at[f].kind == FILE_OBJECT && x->l->files.at[f].fmt)
      add_file(x, f);
  add_made(x);
  if (x->lines.n)
    qsort(x->lines.at, x->lines.n, sizeof(Line), by_place);
  if (x->dead.n)
    qsort(x->dead.at, x->dead.n, sizeof(Line), by_file);
  fprintf(x->f, "# Symbols:\n# Address\tSize    \tFile  Name\n");
  for (u32 i = 0; i < x->lines.n; i++)
    put_line(x, &x->lines.at[i], false);
  if (x->l->opt->gc_sections)
    fprintf(x->f, "# Dead Stripped Symbols:\n#        \tSize    \tFile  Name\n");
  for (u32 i = 0; x->l->opt->gc_sections && i < x->dead.n; i++)
    put_line(x, &x->dead.at[i], true);
}

void macho_map_write(MachoImage *m) {
  Link *l = m->l;
  const char *path = l->opt->map_file;
  if (!path)
    return;
  Map x = {.m = m, .l = l, .f = streq(path, "-") ? stdout : fopen(path, "w"), .number = ARENA_ARRAY(&l->arena, u32, l->files.n)};
  if (!x.f) {
    diag_error(l->diag, "cannot-write", "cannot open %s for -map: %s", path, strerror(errno));
    return;
  }
  put_files(&x);
  put_sections(&x);
  put_symbols(&x);
  bool ok = !ferror(x.f);
  if (x.f != stdout)
    ok &= !fclose(x.f);
  if (!ok)
    diag_error(l->diag, "cannot-write", "cannot write %s: %s", path, strerror(errno));
  vec_free(&x.lines);
  vec_free(&x.dead);
}
