/* initializers_macho.c: see initializers_macho.h. The trap: initializers run in the order of the command line, and atoms are in
 * that order; nothing may sort them. */
#include "initializers_macho.h"

#include <stdlib.h>

typedef struct {
  u32 sym;    /* a global one; or NO_SYM.i, and it is */
  u32 atom;   /* at */
  i64 off;
} Initializer;

typedef struct {
  const MachoImage *m;
  Initializer *at;
  u32 n;
} Table;

static void add(const MachoImage *m, u32 atom, const Edge *e, Table *t, u32 *cap) {
  Link *l = m->l;
  Initializer x = {.sym = NO_SYM.i};
  if (edge_class(l->arch, e->kind) != EC_POINTER || e->target == NO_SYM.i)
    return;
  if (e->target < l->syms.nglobal) {
    x.sym = e->target;
    x.off = e->addend;
    if (!l->syms.atom[e->target]) {
      diag_report(l->diag, DIAG_ERROR, "initializer", (u64)l->atoms.at[atom].file << 32 | atom,
                  "%s: the initializer '%s' is not defined in this output: -no_fixup_chains allows it", place_of(l, 0, (AtomId){atom}, e->offset),
                  diag_name(l->diag, sym_name(l, e->target)));
      return;
    }
  } else {
    x.atom = l->format->edge_atom(l, (FileId){l->atoms.at[atom].file}, e, &x.off).i;
  }
  if (t->n == *cap)
    t->at = vec_grow(t->at, cap, t->n + 1, sizeof *t->at);
  t->at[t->n++] = x;
}

static void write_offsets(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  const Table *t = s->ctx;
  (void)off, (void)len; /* whole */
  for (u32 i = 0; i < t->n; i++) {
    const Initializer *x = &t->at[i];
    u64 addr = (x->sym != NO_SYM.i ? l->syms.value[x->sym] : l->atoms.addr[x->atom]) + (u64)x->off;
    wr32(out + 4ull * i, (u32)(addr - t->m->base));
  }
}

void initializers_make(MachoImage *m) {
  Link *l = m->l;
  Table *t = ARENA_NEW(&l->arena, Table), found = {.m = m};
  u32 cap = 0;
  for (u32 a = 1; l->opt->darwin.init_offsets && a < l->atoms.n; a++) {
    if (!(l->atoms.flags[a] & ATOM_LIVE) || l->atoms.flags[a] & ATOM_SYNTH || l->atoms.at[a].type != S_MOD_INIT_FUNC_POINTERS)
      continue;
    EdgeCursor c = {.atom = {a}};
    Edge e[EDGE_BATCH];
    for (u32 n; (n = l->format->edges(l, &c, e));)
      for (u32 k = 0; k < n; k++)
        add(m, a, &e[k], &found, &cap);
    l->atoms.flags[a] = (u16)((l->atoms.flags[a] & ~ATOM_LIVE) | ATOM_DISCARDED);
  }
  *t = (Table){m, ARENA_ARRAY(&l->arena, Initializer, found.n + 1), found.n};
  if (found.n)
    memcpy(t->at, found.at, found.n * sizeof *t->at);
  free(found.at);
  if (t->n)
    synth_add(l, &(Synth){.name = "__TEXT,__init_offsets", .type = S_INIT_FUNC_OFFSETS, .p2align = 2, .size = 4ull * t->n, .write = write_offsets, .ctx = t});
}
