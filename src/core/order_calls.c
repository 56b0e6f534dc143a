/* order_calls.c: code in the order that a profile of calls suggests: callees right behind their callers, and
 * what runs most per byte first. Here are the profile and, for --call-graph-profile-sort=hfsort, call-chain clustering,
 * "C3": Ottoni and Maher, "Optimizing Function Placement for Large-Scale Data-Center Applications", CGO 2017, with the
 * constants that lld uses.
 * The trap: only atoms of one output section can stand together; calls between two are left out, or the sizes
 * and weights of clusters would be wrong. */
#include <stdio.h>
#include <stdlib.h>

#include "core/order.h"
#include "core/report.h"
#include "core/resolve.h"
#include "util/hash.h"

enum {
  MAX_CLUSTER = 1 << 20, /* bytes: nothing is won by more than some pages standing together */
  MAX_THINNER = 8,       /* a cluster may get so many times less dense by what joins it */
  LIKELY_CALLER = 10,    /* a callee joins only a caller that makes more than a tenth of its calls */
};

/* At first each atom is a cluster; one that joined another is empty. Its members are a ring through `next`. */
typedef struct {
  u32 atom;
  u32 caller;        /* the node that calls it most, UINT32_MAX: none but itself */
  u64 caller_weight;
  u64 calls;         /* of this atom alone */
  u64 size, weight;  /* of the cluster */
  u32 next, last;
  u32 leader;        /* towards the cluster that it is in now */
} Node;

typedef struct {
  Link *l;
  FileId file;  /* whose profile is read */
  VEC(Node) nodes;
  VEC(OrderCall) calls; /* in the order in which they came, each pair once */
  u32 *node_of; /* by atom: node + 1 */
  u32 *slots;   /* table of pairs: call + 1 */
  u32 mask;
} Graph;

/* ---- reading ---- */

static u64 add_weights(u64 a, u64 b) {
  u64 r;
  return __builtin_add_overflow(a, b, &r) ? UINT64_MAX : r;
}

static u32 node_of(Graph *g, u32 atom) {
  if (!g->node_of[atom]) {
    u32 i = g->nodes.n;
    *vec_push(&g->nodes) = (Node){.atom = atom, .caller = UINT32_MAX, .size = g->l->atoms.at[atom].size, .next = i, .last = i, .leader = i};
    g->node_of[atom] = i + 1;
  }
  return g->node_of[atom] - 1;
}

static u32 *find_call(const Graph *g, u32 from, u32 to) {
  u64 key = (u64)from << 32 | to;
  u32 k = (u32)hash_bytes(&key, sizeof key) & g->mask;
  for (; g->slots[k]; k = (k + 1) & g->mask) {
    const OrderCall *c = &g->calls.at[g->slots[k] - 1];
    if (c->from == from && c->to == to)
      break;
  }
  return &g->slots[k];
}

static void grow(Graph *g) {
  if (g->slots && g->calls.n < g->mask / 2)
    return;
  free(g->slots);
  g->mask = g->mask ? g->mask * 2 + 1 : 1023;
  g->slots = heap_alloc(((u64)g->mask + 1) * sizeof *g->slots);
  for (u32 i = 0; i < g->calls.n; i++)
    *find_call(g, g->calls.at[i].from, g->calls.at[i].to) = i + 1;
}

/* Its output section's name, before there is one. */
static const char *section_of(const Link *l, u32 atom) {
  u32 rule = l->rules[atom];
  return rule == UINT32_MAX ? l->format->atom_name(l, (AtomId){atom}) : l->layout->stmts[rule >> 16].name;
}

static void add_call(Graph *g, u32 from_atom, u32 to_atom, u64 weight) {
  const Link *l = g->l;
  if (!from_atom || !to_atom || !order_possible(l, from_atom) || !order_possible(l, to_atom) ||
      !streq(section_of(l, from_atom), section_of(l, to_atom)))
    return;
  u32 from = node_of(g, from_atom), to = node_of(g, to_atom);
  grow(g);
  u32 *slot = find_call(g, from, to);
  if (!*slot) {
    *vec_push(&g->calls) = (OrderCall){from, to, 0};
    *slot = g->calls.n;
  }
  OrderCall *c = &g->calls.at[*slot - 1];
  c->weight = add_weights(c->weight, weight);
}

static u32 atom_of(const Graph *g, SymId sym) {
  const Edge e = {.target = sym.i};
  i64 off;
  return sym.i < g->l->syms.nglobal ? g->l->syms.atom[sym.i] : g->l->format->edge_atom(g->l, g->file, &e, &off).i;
}

static void add_from_object(void *ctx, SymId from, SymId to, u64 weight) {
  Graph *g = ctx;
  add_call(g, atom_of(g, from), atom_of(g, to), weight);
}

/* ---- --call-graph-ordering-file ---- */

typedef struct {
  const char *name;
  u32 atom;
  u32 line;    /* that it stands in first, counted without comments */
  bool global; /* or unknown to all globals: then locals are looked at */
  u32 sym;
} Called;

typedef struct {
  Graph *g;
  Called *names; /* a table, by hash of the name */
  u32 mask, unknown;
  const File *file;
} Lines;

static Called *find_name(const Lines *x, const char *name) {
  u32 k = (u32)hash_bytes(name, strlen(name)) & x->mask;
  while (x->names[k].name && !streq(x->names[k].name, name))
    k = (k + 1) & x->mask;
  return &x->names[k];
}

static void learn_name(Lines *x, const char *name, u32 line) {
  const Link *l = x->g->l;
  Called *c = find_name(x, name);
  if (c->name)
    return;
  SymId s = sym_find(l, name, strlen(name));
  *c = (Called){.name = name, .line = line, .sym = s.i};
  if (s.i != NO_SYM.i && (!(l->syms.flags[s.i] & SF_UNDEFINED) || l->syms.flags[s.i] & SF_REF)) {
    c->atom = l->syms.atom[s.i];
    c->global = true;
  } else {
    x->unknown++;
  }
}

/* Of static functions of one name, the first. */
static void learn_local(void *ctx, const char *name, const SymRec *r) {
  Lines *x = ctx;
  Called *c = find_name(x, name);
  u32 atom = x->file->atom_base + r->section;
  if (c->name && !c->global && !c->atom && !(x->g->l->atoms.flags[atom] & ATOM_DISCARDED)) {
    c->atom = atom;
    x->unknown--;
  }
}

static void warn_names(const Lines *x) {
  Link *l = x->g->l;
  for (u32 k = 0; l->opt->warn_symbol_ordering && k <= x->mask; k++) {
    const Called *c = &x->names[k];
    if (c->name && !c->global && !c->atom)
      diag_report(l->diag, DIAG_WARNING, "symbol-ordering", c->line, "%s: no such symbol: %s", l->opt->call_graph_file,
                  diag_name(l->diag, c->name));
    else if (c->name)
      order_warn(l, l->opt->call_graph_file, c->line, c->global ? c->sym : UINT32_MAX, c->atom, c->name);
  }
}

static void read_file(Graph *g) {
  const Link *l = g->l;
  const Options *o = l->opt;
  Lines x = {.g = g, .mask = 1023};
  while (x.mask / 4 < o->call_graph.n)
    x.mask = x.mask * 2 + 1;
  x.names = heap_alloc(((u64)x.mask + 1) * sizeof *x.names);
  for (u32 i = 0; i < o->call_graph.n; i++) {
    learn_name(&x, o->call_graph.at[i].from, i);
    learn_name(&x, o->call_graph.at[i].to, i);
  }
  for (u32 f = 1; x.unknown && f < l->files.n; f++) {
    x.file = &l->files.at[f];
    if (x.file->live && x.file->kind == FILE_OBJECT && x.file->fmt)
      l->format->each_local(l, (FileId){f}, &x, learn_local);
  }
  warn_names(&x);
  for (u32 i = 0; i < o->call_graph.n; i++) {
    const CallWeight *c = &o->call_graph.at[i];
    add_call(g, find_name(&x, c->from)->atom, find_name(&x, c->to)->atom, c->weight);
  }
  free(x.names);
}

/* ---- clusters ---- */

static void weigh(Graph *g) {
  for (u32 i = 0; i < g->calls.n; i++) {
    const OrderCall *c = &g->calls.at[i];
    Node *to = &g->nodes.at[c->to];
    to->calls = add_weights(to->calls, c->weight);
    if (c->from != c->to && (to->caller == UINT32_MAX || to->caller_weight < c->weight)) {
      to->caller = c->from;
      to->caller_weight = c->weight;
    }
  }
  for (u32 i = 0; i < g->nodes.n; i++)
    g->nodes.at[i].weight = g->nodes.at[i].calls;
}

static double density(const Node *n) { return n->size ? (double)n->weight / (double)n->size : 0; }

static int by_density(const void *a, const void *b, void *ctx) {
  const Node *nodes = ctx;
  u32 i = *(const u32 *)a, k = *(const u32 *)b;
  double x = density(&nodes[i]), y = density(&nodes[k]);
  return x != y ? (x > y ? -1 : 1) : i < k ? -1 : i > k;
}

static void sort_by_density(const Graph *g, u32 *v, u32 n) {
  if (n)
    qsort_r(v, n, sizeof *v, by_density, g->nodes.at);
}

static u32 leader(Node *nodes, u32 i) {
  for (; nodes[i].leader != i; i = nodes[i].leader)
    nodes[i].leader = nodes[nodes[i].leader].leader;
  return i;
}

/* Appends cluster b to cluster a. */
static void join(Node *nodes, u32 a, u32 b) {
  Node *x = &nodes[a], *y = &nodes[b];
  nodes[x->last].next = b;
  nodes[y->last].next = a;
  x->last = y->last;
  x->size += y->size;
  x->weight = add_weights(x->weight, y->weight);
  y->size = y->weight = 0;
  y->leader = a;
}

static bool worth_joining(const Node *a, const Node *b) {
  if (b->caller_weight <= b->calls / LIKELY_CALLER)
    return false;
  if (a->size > MAX_CLUSTER || b->size > MAX_CLUSTER - a->size)
    return false;
  u64 size = a->size + b->size;
  double together = size ? ((double)a->weight + (double)b->weight) / (double)size : 0;
  return together >= density(a) / MAX_THINNER;
}

/* The densest first, each to the cluster of its most frequent caller. Then clusters by density. */
static void cluster(const Graph *g, AtomList *out) {
  Node *nodes = g->nodes.at;
  u32 n = g->nodes.n, left = 0;
  u32 *v = heap_alloc(((u64)n + 1) * sizeof *v);
  for (u32 i = 0; i < n; i++)
    v[i] = i;
  sort_by_density(g, v, n);
  for (u32 i = 0; i < n; i++) {
    u32 b = v[i], a = nodes[b].caller == UINT32_MAX ? b : leader(nodes, nodes[b].caller);
    if (a != b && worth_joining(&nodes[a], &nodes[b]))
      join(nodes, a, b);
  }
  for (u32 i = 0; i < n; i++)
    if (nodes[i].leader == i && nodes[i].size)
      v[left++] = i;
  sort_by_density(g, v, left);
  for (u32 k = 0; k < left; k++) {
    u32 i = v[k];
    do {
      *vec_push(out) = nodes[i].atom;
      i = nodes[i].next;
    } while (i != v[k]);
  }
  free(v);
}

/* The other way, for functions that a call of some weight mentions, numbered as they come. */
static void cache_directed(const Graph *g, AtomList *out) {
  u32 nodes = g->nodes.n, n = 0, ncalls = 0;
  u32 *number = heap_alloc(((u64)nodes + 1) * sizeof *number), *node = heap_alloc(((u64)nodes + 1) * sizeof *node);
  u32 *order = heap_alloc(((u64)nodes + 1) * sizeof *order);
  u64 *sizes = heap_alloc(((u64)nodes + 1) * sizeof *sizes);
  OrderCall *calls = heap_alloc(((u64)g->calls.n + 1) * sizeof *calls);
  for (u32 i = 0; i < g->calls.n; i++) {
    const OrderCall *c = &g->calls.at[i];
    const u32 ends[] = {c->from, c->to};
    for (u32 k = 0; c->weight && k < 2; k++)
      if (!number[ends[k]]) {
        sizes[n] = g->nodes.at[ends[k]].size;
        node[n++] = ends[k];
        number[ends[k]] = n;
      }
    if (c->weight)
      calls[ncalls++] = (OrderCall){number[c->from] - 1, number[c->to] - 1, c->weight};
  }
  order_cache_directed(sizes, n, calls, ncalls, order);
  for (u32 i = 0; i < n; i++)
    *vec_push(out) = g->nodes.at[node[order[i]]].atom;
  free(number);
  free(node);
  free(order);
  free(sizes);
  free(calls);
}

/* ---- --print-symbol-order ---- */

typedef struct {
  FILE *out;
  u32 section;
} Printer;

static void print_local(void *ctx, const char *name, const SymRec *r) {
  const Printer *p = ctx;
  if (r->section == p->section)
    fprintf(p->out, "%s\n", name);
}

static void print_order(Link *l, const AtomList *list) {
  const char *path = l->opt->symbol_order;
  SymRec rec[64];
  Printer p = {.out = report_file_open(l, "--print-symbol-order", path)};
  if (!p.out)
    return;
  for (u32 i = 0; i < list->n; i++) {
    FileId f = {l->atoms.at[list->at[i]].file};
    const File *file = file_at(l, f);
    p.section = list->at[i] - file->atom_base;
    l->format->each_local(l, f, &p, print_local);
    for (u32 s = file->first_global, n; (n = l->format->symbols(l, f, s, rec, COUNT_OF(rec))); s += n)
      for (u32 k = 0; k < n; k++) {
        u32 sym = file->globals[rec[k].index - file->first_global];
        if (rec[k].rank != RANK_NONE && rec[k].section == p.section && sym != UINT32_MAX && l->syms.atom[sym] == list->at[i])
          fprintf(p.out, "%s\n", l->format->sym_name(l, f, rec[k].index));
      }
  }
  report_file_close(l, "--print-symbol-order", path, p.out);
}

void order_calls(Link *l, AtomList *out) {
  Graph g = {.l = l, .node_of = pages_alloc_sparse(l->atoms.n * sizeof *g.node_of)};
  if (l->opt->call_graph_file)
    read_file(&g);
  for (u32 f = 1; l->has_call_graph && f < l->files.n; f++) {
    g.file.i = f;
    if (l->files.at[f].live)
      l->format->call_graph(l, g.file, &g, add_from_object);
  }
  if (l->opt->call_sort == CALL_SORT_HFSORT) {
    weigh(&g);
    cluster(&g, out);
  } else {
    cache_directed(&g, out);
  }
  if (l->opt->symbol_order)
    print_order(l, out);
  pages_free(g.node_of, l->atoms.n * sizeof *g.node_of);
  vec_free(&g.nodes);
  vec_free(&g.calls);
  free(g.slots);
}
