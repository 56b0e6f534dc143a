/* link.c: small questions about files, symbols and places that every room asks, mostly for messages. */
#include "core/link.h"

#include <stdlib.h>

#include "core/resolve.h"

const char *file_name(const Link *l, FileId f) {
  File *file = &l->files.at[f.i];
  if (!file->member)
    return file->path ? file->path : "<weld>";
  char *name = __atomic_load_n(&file->full_name, __ATOMIC_ACQUIRE);
  if (name)
    return name;
  u64 n = strlen(file->path) + strlen(file->member) + 3;
  name = heap_alloc(n);
  char *p = stpcpy(name, file->path);
  *p++ = '(';
  p = stpcpy(p, file->member);
  *p++ = ')';
  char *old = NULL;
  if (!__atomic_compare_exchange_n(&file->full_name, &old, name, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    free(name);
    name = old;
  }
  return name;
}

FileId local_owner(const Link *l, u32 sym) {
  u32 best = 0;
  u32 lo = 1, hi = l->files.n;
  /* local_base grows over live objects; others have 0: walk around them */
  while (lo < hi) {
    u32 mid = lo + (hi - lo) / 2, m = mid;
    while (m < hi && !l->files.at[m].local_base)
      m++;
    if (m < hi && l->files.at[m].local_base <= sym) {
      best = m;
      lo = m + 1;
    } else {
      hi = mid;
    }
  }
  return (FileId){best};
}

const char *sym_name(const Link *l, u32 sym) {
  if (sym >= l->syms.nglobal) {
    FileId f = local_owner(l, sym);
    return l->format->sym_name(l, f, sym - file_at(l, f)->local_base);
  }
  return l->syms.name[sym].p;
}

/* In the order of their numbers, from EDGE_LAYOUT_AFTER on. */
static const char *const neutral_kinds[EDGE_NEUTRAL_END - EDGE_LAYOUT_AFTER] = {"layout-after", "group-child", "in-group", "link-order", "significant", "associate", "slot"};
/* In the order of DynKind. */
static const char *const dynamic_kinds[DYN_KINDS] = {
    "dyn-relative", "dyn-word", "dyn-word32", "dyn-pc32", "dyn-pc64", "dyn-size", "dyn-glob-dat",
    "dyn-jump-slot", "dyn-copy", "dyn-dtpmod", "dyn-dtpoff", "dyn-tpoff", "dyn-tlsdesc", "dyn-irelative"};

const char *edge_kind_name(const Link *l, u32 kind) {
  if (kind >= EDGE_LAYOUT_AFTER && kind < EDGE_NEUTRAL_END)
    return neutral_kinds[kind - EDGE_LAYOUT_AFTER];
  if (kind >= EDGE_DYNAMIC && kind < EDGE_DYNAMIC + DYN_KINDS)
    return dynamic_kinds[kind - EDGE_DYNAMIC];
  return l->arch->edge_name(kind);
}

bool edge_kind_find(const Link *l, const char *name, u16 *kind) {
  for (u32 i = 0; i < COUNT_OF(neutral_kinds); i++)
    if (streq(neutral_kinds[i], name)) {
      *kind = (u16)(EDGE_LAYOUT_AFTER + i);
      return true;
    }
  for (u32 i = 0; i < DYN_KINDS; i++)
    if (streq(dynamic_kinds[i], name)) {
      *kind = (u16)(EDGE_DYNAMIC + i);
      return true;
    }
  for (u32 k = 0; k < l->arch->nkinds; k++)
    if (streq(l->arch->edge_name(k), name)) {
      *kind = (u16)k;
      return true;
    }
  return false;
}

/* CPUs look at the bytes around an edge, and text may have none. */
static bool is_for_cpu(const Link *l, AtomId a, const Edge *e) {
  u64 size = l->atoms.at[a.i].size;
  return e->kind < l->arch->nkinds && e->offset <= size && l->arch->edge_bytes[e->kind] <= size - e->offset;
}

u32 edges_as_stream(const Link *l, EdgeStream *st) {
  u32 n = 0;
  st->nruns = 0;
  while (st->at < st->n && st->nruns < STREAM_RUNS && n + EDGE_BATCH <= STREAM_EDGES) {
    EdgeCursor c = {.atom = st->atoms[st->at], .next = st->next};
    u32 begin = n, got = l->format->edges(l, &c, st->edge + n);
    bool last = c.next >= l->atoms.at[st->atoms[st->at].i].rel; /* a batch may be short: what belongs together comes together */
    for (u32 k = begin; k < begin + got; k++)
      if (is_for_cpu(l, st->atoms[st->at], &st->edge[k]))
        st->edge[n++] = st->edge[k];
    st->next = c.next;
    if (n > begin || (last && st->begun)) {
      st->run[st->nruns++] = (EdgeRun){st->atoms[st->at], begin, n, 0, !st->begun, last};
      st->begun = true;
    }
    if (last) {
      st->at++;
      st->next = 0;
      st->begun = false;
    }
  }
  return st->nruns || st->at < st->n;
}

u64 sym_order(const Link *l, u32 sym) {
  if (sym >= l->syms.nglobal) {
    FileId f = local_owner(l, sym);
    return (u64)f.i << 32 | (sym - file_at(l, f)->local_base);
  }
  u64 key = l->syms.key[sym];
  if (key_rank(key) != RANK_NONE)
    return (u64)key_file(key) << 32 | key_index(key);
  return 1ull << 63 | l->syms.hash[sym] >> 1;
}

const char *place_of(Link *l, unsigned tid, AtomId a, u64 off) {
  return arena_printf(&l->scratch[tid], "%s:(%s+0x%llx)", file_name(l, (FileId){l->atoms.at[a.i].file}),
                      l->format->atom_name(l, a), (unsigned long long)off);
}

bool checkpoint(Link *l) {
  diag_flush(l->diag);
  return diag_errors(l->diag) == 0;
}

u32 synth_add(Link *l, const Synth *s) {
  Atoms *a = &l->atoms;
  if (a->n >= a->cap) {
    diag_error(l->diag, "too-large", "too many sections made by weld");
    return SYN_NONE;
  }
  if (!l->synths.n)
    *vec_push(&l->synths) = (Synth){0};
  u32 index = l->synths.n, id = a->n++;
  Synth *x = vec_push(&l->synths);
  *x = *s;
  x->atom.i = id;
  a->flags[id] = (u16)(ATOM_LIVE | ATOM_SYNTH | l->format->atom_flags(s->type, s->attr));
  a->at[id] = (Atom){.size = s->size, .aux = index, .type = s->type, .attr = (u32)s->attr, .p2align = s->p2align};
  return index;
}

u64 synth_addr(const Link *l, u32 index) {
  u32 a = l->synths.at[index].atom.i, o = a ? l->atoms.at[a].osec : 0;
  return o && l->osecs.at[o].placed ? l->atoms.addr[a] : 0;
}
