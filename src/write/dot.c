/* dot.c: the graph for Graphviz. What is shown is who refers to whom, so several edges between two atoms are one arrow,
 * labelled with the kind of the first.
 * The trap: names come out of hostile files, and a DOT string ends at a quote. */
#include "write/dot.h"

#include <stdlib.h>

static void put_text(FILE *out, const char *s) {
  fputc('"', out);
  for (; *s; s++) {
    u8 c = (u8)*s;
    if (c == '"' || c == '\\')
      fputc('\\', out);
    if (c < 0x20)
      fprintf(out, "\\\\x%02x", c);
    else
      fputc(c, out);
  }
  fputc('"', out);
}

static bool is_shown(const Link *l, u32 a) {
  return (l->atoms.flags[a] & (ATOM_LIVE | ATOM_DISCARDED)) == ATOM_LIVE && l->atoms.at[a].file;
}

/* A name that the atom bears: a global symbol's, else its section's. */
static const char *label(const Link *l, const u32 *names, u32 a) {
  return names[a] ? l->syms.name[names[a] - 1].p : l->format->atom_name(l, (AtomId){a});
}

static void put_nodes(const Link *l, const u32 *names, FILE *out) {
  u32 file = 0;
  for (u32 a = 1; a < l->atoms.n; a++) {
    if (!is_shown(l, a))
      continue;
    if (l->atoms.at[a].file != file) {
      fprintf(out, "%s  subgraph cluster_%u {\n    label=", file ? "  }\n" : "", l->atoms.at[a].file);
      file = l->atoms.at[a].file;
      put_text(out, file_name(l, (FileId){file}));
      fputs(";\n", out);
    }
    fprintf(out, "    a%u [label=", a);
    put_text(out, label(l, names, a));
    fputs(l->atoms.flags[a] & ATOM_ROOT ? ", penwidth=2];\n" : "];\n", out);
  }
  if (file)
    fputs("  }\n", out);
}

typedef struct {
  u32 to, kind;
  bool named; /* `to` is a SymId */
} Arrow;

static int by_target(const void *a, const void *b) {
  const Arrow *x = a, *y = b;
  if (x->named != y->named)
    return x->named ? 1 : -1;
  return x->to < y->to ? -1 : x->to > y->to;
}

static void put_edges(Link *l, u32 a, u8 *named, FILE *out) {
  VEC(Arrow) arrows = {0};
  EdgeCursor c = {.atom = {a}};
  Edge e[EDGE_BATCH];
  FileId f = {l->atoms.at[a].file};
  for (u32 n; (n = l->format->edges(l, &c, e));)
    for (u32 k = 0; k < n; k++) {
      i64 off;
      u32 t = e[k].target == UINT32_MAX ? 0 : l->format->edge_atom(l, f, &e[k], &off).i;
      if (t && is_shown(l, t))
        *vec_push(&arrows) = (Arrow){t, e[k].kind, false};
      else if (!t && e[k].target < l->syms.nglobal)
        *vec_push(&arrows) = (Arrow){e[k].target, e[k].kind, true};
    }
  if (arrows.n)
    qsort(arrows.at, arrows.n, sizeof *arrows.at, by_target);
  for (u32 i = 0; i < arrows.n; i++) {
    const Arrow *x = &arrows.at[i];
    if (i && !by_target(x, x - 1))
      continue;
    if (x->named && !named[x->to]) {
      named[x->to] = 1;
      fprintf(out, "  s%u [shape=ellipse, style=dashed, label=", x->to);
      put_text(out, l->syms.name[x->to].p);
      fputs("];\n", out);
    }
    fprintf(out, "  a%u -> %c%u [label=", a, x->named ? 's' : 'a', x->to);
    put_text(out, edge_kind_name(l, x->kind));
    fputs("];\n", out);
  }
  vec_free(&arrows);
}

bool dot_dump(Link *l, FILE *out) {
  u32 *names = heap_alloc(l->atoms.n * sizeof *names);
  u8 *named = heap_alloc(l->syms.nglobal + 1ull);
  for (u32 i = 0; i < l->syms.nglobal; i++) /* the one at its start, or any */
    if (l->syms.atom[i] && l->syms.atom[i] < l->atoms.n && (!names[l->syms.atom[i]] || (!l->addressed && !l->syms.value[i])))
      names[l->syms.atom[i]] = i + 1;
  fputs("digraph weld {\n  node [shape=box, fontsize=10];\n  edge [fontsize=8];\n", out);
  put_nodes(l, names, out);
  for (u32 a = 1; a < l->atoms.n; a++)
    if (is_shown(l, a))
      put_edges(l, a, named, out);
  fputs("}\n", out);
  free(names);
  free(named);
  return !ferror(out);
}
