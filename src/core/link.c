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
