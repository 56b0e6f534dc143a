/* map.c: the link map: output sections, the input sections in them, the symbols in those, by address;
 * then what was left out; then, with --cref, who mentions what. The trap: a map of a large program has
 * millions of lines, so symbols are gathered by file, in parallel, and numbers are formatted by hand. */
#include "write/map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/resolve.h"

enum { REC_BATCH = 64, FLUSH_AT = 1 << 20 };

/* ---- text ---- */

typedef struct {
  FILE *f;
  bool failed;
  VEC(char) buf;
} Out;

static void out_flush(Out *o) {
  if (o->buf.n && fwrite(o->buf.at, 1, o->buf.n, o->f) != o->buf.n)
    o->failed = true;
  o->buf.n = 0;
}

static void out_bytes(Out *o, const char *s, u64 len) {
  if (o->buf.n > FLUSH_AT)
    out_flush(o);
  vec_reserve(&o->buf, (u32)(o->buf.n + len));
  memcpy(o->buf.at + o->buf.n, s, len);
  o->buf.n += (u32)len;
}
static void out_text(Out *o, const char *s) { out_bytes(o, s, strlen(s)); }

static void out_pad(Out *o, u64 n) {
  static const char spaces[] = "                                                                ";
  for (u64 part; n; n -= part) {
    part = MIN(n, sizeof spaces - 1);
    out_bytes(o, spaces, part);
  }
}

/* v in base 16 or 10, right-aligned in `width` columns, and a space. */
static void out_number(Out *o, u64 v, unsigned base, u64 width) {
  char digits[24], *p = digits + sizeof digits;
  *--p = ' ';
  do
    *--p = "0123456789abcdef"[v % base];
  while ((v /= base));
  u64 len = (u64)(digits + sizeof digits - p);
  out_pad(o, len - 1 < width ? width - (len - 1) : 0);
  out_bytes(o, p, len);
}

static void out_row(Out *o, u64 addr, u64 lma, u64 size, u64 align, u32 indent, const char *text) {
  out_number(o, addr, 16, 16);
  out_number(o, lma, 16, 16);
  out_number(o, size, 16, 8);
  out_number(o, align, 10, 5);
  out_pad(o, indent);
  out_text(o, text);
}

/* ---- symbols, gathered by file ---- */

typedef struct {
  u64 value, size; /* offset in the atom */
  const char *name;
  u32 atom;
} MapSym;
typedef VEC(MapSym) MapSyms;

typedef struct {
  const Link *l;
  MapSyms *of_file;
} Gather;

typedef struct {
  const Link *l;
  MapSyms *out;
  u32 atom_base;
} LocalVisit;

static bool is_shown(const Link *l, u32 atom) {
  return atom && l->atoms.flags[atom] & ATOM_LIVE && !(l->atoms.flags[atom] & (ATOM_MERGE | ATOM_EHFRAME));
}

static void visit_local(void *ctx, const char *name, const SymRec *r) {
  LocalVisit *v = ctx;
  u32 atom = v->atom_base + r->section;
  if (r->section && is_shown(v->l, atom) && !starts_with(name, ".L"))
    *vec_push(v->out) = (MapSym){r->value, r->size, name, atom};
}

/* By atom and offset; symbols of one place by size, then name: the order must not depend on qsort. */
static int by_place(const void *a, const void *b) {
  const MapSym *x = a, *y = b;
  if (x->atom != y->atom)
    return x->atom < y->atom ? -1 : 1;
  if (x->value != y->value)
    return x->value < y->value ? -1 : 1;
  if (x->size != y->size)
    return x->size < y->size ? -1 : 1;
  return strcmp(x->name, y->name);
}

static void gather_files(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  Gather *g = ctx;
  const Link *l = g->l;
  SymRec rec[REC_BATCH];
  for (u32 f = MAX(begin, 1u); f < end; f++) {
    const File *file = &l->files.at[f];
    MapSyms *out = &g->of_file[f];
    if (!file->live || file->kind != FILE_OBJECT || !file->fmt)
      continue;
    LocalVisit v = {l, out, file->atom_base};
    if (l->format->each_local)
      l->format->each_local(l, (FileId){f}, &v, visit_local);
    for (u32 i = file->first_global, n;
         (n = l->format->symbols(l, (FileId){f}, i, rec, REC_BATCH)); i += n)
      for (u32 k = 0; k < n; k++) {
        u32 sym = file->globals[rec[k].index - file->first_global];
        u32 atom = file->atom_base + rec[k].section;
        if (sym == UINT32_MAX || rec[k].rank == RANK_COMMON || !rec[k].section || !is_shown(l, atom))
          continue;
        u64 key = l->syms.key[sym];
        if (key_file(key) == f && key_index(key) == rec[k].index && key_rank(key) != RANK_NONE)
          *vec_push(out) = (MapSym){rec[k].value, rec[k].size,
                                    l->format->sym_name(l, (FileId){f}, rec[k].index), atom};
      }
    if (out->n > 1)
      qsort(out->at, out->n, sizeof *out->at, by_place);
  }
}

/* Symbols in atoms of weld's own: commons, copied variables. */
static void gather_own(Link *l, MapSyms *out) {
  for (u32 i = 0; i < l->syms.nglobal; i++) {
    u32 atom = l->syms.atom[i];
    if (!atom || !(l->atoms.flags[atom] & ATOM_SYNTH) || l->syms.flags[i] & SF_SYNTHETIC)
      continue;
    const SymName *n = &l->syms.name[i];
    *vec_push(out) = (MapSym){l->syms.value[i] - l->atoms.addr[atom], 0,
                              arena_strndup(&l->arena, n->p, n->len), atom};
  }
  if (out->n > 1)
    qsort(out->at, out->n, sizeof *out->at, by_place);
}

/* ---- the map ---- */

static void write_symbols(Out *o, Link *l, const MapSyms *syms, u32 atom, u64 addr, u64 lma) {
  for (u32 k = FIRST_NOT(syms->n, i, syms->at[i].atom < atom); k < syms->n && syms->at[k].atom == atom; k++) {
    const MapSym *s = &syms->at[k];
    out_row(o, addr + s->value, lma + s->value, s->size, 1, 16, diag_name(l->diag, s->name));
    out_text(o, "\n");
  }
}

static void write_osec(Out *o, Link *l, const Gather *g, const Osec *os) {
  out_row(o, os->addr, os->lma, os->size, (u64)1 << os->p2align, 0, os->name);
  out_text(o, "\n");
  for (u32 i = 0; i < os->natoms; i++) {
    u32 a = os->atoms[i].i;
    const Atom *atom = &l->atoms.at[a];
    bool own = l->atoms.flags[a] & ATOM_SYNTH;
    u64 addr = l->atoms.addr[a], lma = addr - os->addr + os->lma;
    u64 size = own ? l->synths.at[atom->aux].size : atom->size;
    out_row(o, addr, lma, size, (u64)1 << atom->p2align, 8, own ? "<weld>" : file_name(l, (FileId){atom->file}));
    out_text(o, ":(");
    out_text(o, own ? l->synths.at[atom->aux].name : l->format->atom_name(l, os->atoms[i]));
    out_text(o, ")\n");
    write_symbols(o, l, &g->of_file[own ? 0 : atom->file], a, addr, lma);
  }
}

static void write_own_symbols(Out *o, Link *l) {
  bool any = false;
  for (u32 i = 0; i < l->weld_names.n; i++) {
    const WeldName *w = &l->weld_names.at[i];
    if (!w->used)
      continue;
    if (!any)
      out_text(o, "\nSymbols defined by the linker\n\n");
    any = true;
    out_number(o, l->syms.value[w->sym], 16, 16);
    out_text(o, diag_name(l->diag, w->name));
    out_text(o, "\n");
  }
}

static void write_discarded(Out *o, Link *l) {
  bool any = false;
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    if (!file->live || file->kind != FILE_OBJECT || !file->fmt)
      continue;
    for (u32 a = file->atom_base; a < file->atom_base + file->natoms; a++) {
      const Atom *atom = &l->atoms.at[a];
      if (atom->file != f || l->atoms.flags[a] & ATOM_LIVE)
        continue;
      if (!any)
        out_text(o, "\nDiscarded input sections\n\n");
      any = true;
      out_number(o, atom->size, 16, 16);
      out_text(o, file_name(l, (FileId){f}));
      out_text(o, ":(");
      out_text(o, l->format->atom_name(l, (AtomId){a}));
      out_text(o, ")\n");
    }
  }
}

static void write_folded(Out *o, Link *l) {
  if (l->folded.n)
    out_text(o, "\nFolded input sections, by the address of their equals\n\n");
  for (u32 i = 0; i < l->folded.n; i++) {
    AtomId a = l->folded.at[i];
    out_number(o, l->atoms.addr[a.i], 16, 16);
    out_number(o, l->atoms.at[a.i].size, 16, 8);
    out_text(o, file_name(l, (FileId){l->atoms.at[a.i].file}));
    out_text(o, ":(");
    out_text(o, l->format->atom_name(l, a));
    out_text(o, ")\n");
  }
}

static void write_map(Out *o, Link *l) {
  Gather g = {.l = l, .of_file = calloc(l->files.n, sizeof *g.of_file)};
  if (!g.of_file)
    return;
  pool_run(l->pool, l->files.n, 16, gather_files, &g);
  gather_own(l, &g.of_file[0]);
  out_text(o, "             VMA              LMA     Size Align Out     In      Symbol\n");
  for (u32 i = 0; i < l->norder; i++)
    write_osec(o, l, &g, &l->osecs.at[l->order[i]]);
  write_own_symbols(o, l);
  write_folded(o, l);
  write_discarded(o, l);
  for (u32 f = 0; f < l->files.n; f++)
    vec_free(&g.of_file[f]);
  free(g.of_file);
}

/* ---- the cross reference table ---- */

typedef struct {
  const char *name; /* as shown */
  u32 sym, file;
  bool defines;
} Mention;
typedef VEC(Mention) Mentions;

static int by_mention(const void *a, const void *b) {
  const Mention *x = a, *y = b;
  int c = strcmp(x->name, y->name);
  if (c)
    return c;
  if (x->sym != y->sym)
    return x->sym < y->sym ? -1 : 1;
  if (x->defines != y->defines)
    return x->defines ? -1 : 1;
  return x->file < y->file ? -1 : x->file > y->file;
}

static void write_cref(Out *o, Link *l) {
  Mentions all = {0};
  const char **names = calloc(l->syms.nglobal ? l->syms.nglobal : 1, sizeof *names);
  if (!names)
    return;
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    if (!file->fmt || !file->live || (file->kind == FILE_SHARED && !file->needed))
      continue;
    for (u32 i = 0; i < file->nsyms - file->first_global; i++) {
      u32 sym = file->globals[i];
      if (sym == UINT32_MAX || !(l->syms.flags[sym] & SF_REF))
        continue; /* only what an object mentions: a library's other names are its own affair */
      u64 key = l->syms.key[sym];
      if (!names[sym]) {
        const SymName *n = &l->syms.name[sym];
        names[sym] = diag_name(l->diag, arena_strndup(&l->arena, n->p, n->len));
      }
      *vec_push(&all) = (Mention){names[sym], sym, f, key_rank(key) != RANK_NONE && key_file(key) == f};
    }
  }
  if (all.n > 1)
    qsort(all.at, all.n, sizeof *all.at, by_mention);
  out_text(o, "\nCross Reference Table\n\nSymbol                                            File\n");
  for (u32 i = 0; i < all.n; i++) {
    const Mention *m = &all.at[i];
    bool again = i && all.at[i - 1].sym == m->sym;
    if (again && all.at[i - 1].file == m->file)
      continue;
    u64 len = again ? 0 : strlen(m->name);
    out_text(o, again ? "" : m->name);
    out_pad(o, len < 50 ? 50 - len : 1);
    out_text(o, file_name(l, (FileId){m->file}));
    out_text(o, "\n");
  }
  vec_free(&all);
  free(names);
}

/* ---- where it goes ---- */

void map_write(Link *l) {
  const char *path = l->opt->map_file;
  bool map = path || l->opt->print_map;
  if (!map && !l->opt->cref)
    return;
  bool to_stdout = !path || streq(path, "-");
  Out o = {.f = to_stdout ? stdout : fopen(path, "w")};
  if (!o.f) {
    diag_error(l->diag, "map", "%s: cannot write the map: %s", path, strerror(errno));
    return;
  }
  if (map)
    write_map(&o, l);
  if (l->opt->cref)
    write_cref(&o, l);
  out_flush(&o);
  bool ok = !o.failed && (to_stdout ? fflush(o.f) : fclose(o.f)) == 0;
  if (!ok)
    diag_error(l->diag, "map", "%s: cannot write the map: %s", to_stdout ? "standard output" : path,
               strerror(errno));
  vec_free(&o.buf);
}
