/* elf_phdrs.c: program headers as a script's PHDRS gives them, and the file offsets that follow from them. GNU ld manual, "PHDRS".
 * The trap: a section without :phdr is in the headers of the section before it, so lists hold on over statements that make no
 * section. */
#include "write/elf_phdrs.h"

#include "write/elf_encode.h"
#include "write/elf_loads.h"

enum { NONE = UINT32_MAX };

typedef struct {
  Link *l;
  const LayoutDesc *d;
  Segment *segments; /* by header */
  const u32 **lists; /* by place in Link.order: numbers of its headers, ended by NONE; or NULL */
  u32 *load;         /* likewise: the PT_LOAD that gives it its place in the file, or NONE */
} Phdrs;

static bool is_tbss(const Osec *o) { return (o->aflags & (ATOM_TLS | ATOM_ZEROFILL)) == (ATOM_TLS | ATOM_ZEROFILL); }

static u32 number_of(const LayoutDesc *d, const char *name) {
  for (u32 i = 0; i < d->nphdrs; i++)
    if (streq(d->phdrs[i].name, name))
      return i;
  return NONE; /* :NONE; others were reported when the scripts were read */
}

static u32 *numbers_of(Phdrs *p, const char *const *names) {
  u32 n = 0, count = 0;
  while (names[n])
    n++;
  u32 *out = ARENA_ARRAY(&p->l->arena, u32, n + 1);
  for (u32 i = 0; i < n; i++) {
    u32 k = number_of(p->d, names[i]);
    if (k != NONE)
      out[count++] = k;
  }
  out[count] = NONE;
  return out;
}

/* ---- which section is in which header ---- */

static const LayoutStmt *stmt_of(const Phdrs *p, const Osec *o) { return o->stmt == UINT32_MAX ? NULL : &p->d->stmts[o->stmt]; }

/* The first list there is: what stands before it is in its headers. */
static const u32 *first_list(Phdrs *p) {
  for (u32 i = 0; i < p->d->nstmts; i++)
    if (p->d->stmts[i].phdrs)
      return numbers_of(p, p->d->stmts[i].phdrs);
  return NULL;
}

static bool assign(Phdrs *p) {
  const Link *l = p->l;
  const u32 *last = first_list(p);
  u32 seen = 0; /* statements below gave their lists */
  bool any = last != NULL;
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    const LayoutStmt *st = stmt_of(p, o);
    if (st && !(o->aflags & ATOM_ALLOC)) {
      p->lists[i] = st->phdrs ? numbers_of(p, st->phdrs) : NULL;
      continue;
    }
    for (; st && seen <= o->stmt; seen++)
      if (p->d->stmts[seen].phdrs)
        last = numbers_of(p, p->d->stmts[seen].phdrs);
    p->lists[i] = o->aflags & ATOM_ALLOC && !(st && !st->phdrs && st->flags & LAYOUT_NOLOAD) ? last : NULL;
  }
  return any;
}

/* ---- offsets ---- */

static bool has_headers(const LayoutPhdr *h) { return h->filehdr || h->phdrs; }

/* The sections of one PT_LOAD, [first, end) of `at`; *off is where the file ends so far. */
static void place_load(Phdrs *p, u32 k, const u32 *at, u32 n, u64 *off) {
  Link *l = p->l;
  u64 page = elf_max_page(l);
  Segment *s = &p->segments[k];
  const Osec *first = n ? &l->osecs.at[l->order[at[0]]] : NULL;
  u64 begin = first ? *off + ((first->addr - *off) & (page - 1)) : *off;
  for (u32 i = 0; i < n; i++) {
    Osec *o = &l->osecs.at[l->order[at[i]]];
    u64 ahead = o->lma - first->lma;
    bool follows = o->lma >= first->lma && begin + ahead >= *off;
    o->off = i && !follows ? *off + ((o->addr - *off) & (page - 1)) : begin + ahead;
    if (o->filesz)
      *off = o->off + o->filesz;
    elf_cover(s, at[i], o);
  }
  s->align = MAX(s->align, page);
  if (!has_headers(&p->d->phdrs[k]))
    return;
  u64 from = p->d->phdrs[k].filehdr ? 0 : elf_sizes(l).ehdr;
  if (!first) {
    s->off = from;
    s->filesz = s->memsz = l->header_size - from;
    return;
  }
  u64 back = first->off - from;
  if (first->addr < back || first->lma < back) {
    if (l->settled)
      diag_error(l->diag, "script", "there is no room for the program headers in front of %s at 0x%llx: SIZEOF_HEADERS leaves it", first->name,
                 (unsigned long long)first->addr);
    return;
  }
  if (!s->filesz)
    s->filesz = l->header_size - from;
  else
    s->filesz += back;
  s->memsz += back;
  s->off = from;
  s->addr -= back;
  s->lma -= back;
}

static void place_loads(Phdrs *p) {
  Link *l = p->l;
  u32 n = p->d->nphdrs;
  u32 *count = ARENA_ARRAY(&l->arena, u32, n + 2), *at = ARENA_ARRAY(&l->arena, u32, l->norder);
  u64 off = l->header_size;
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    p->load[i] = NONE;
    for (const u32 *k = p->lists[i]; k && *k != NONE && p->load[i] == NONE && o->aflags & ATOM_ALLOC && !is_tbss(o); k++)
      if (p->segments[*k].type == PT_LOAD)
        p->load[i] = *k;
    if (p->load[i] != NONE)
      count[p->load[i] + 1]++;
  }
  for (u32 k = 0; k < n; k++)
    count[k + 1] += count[k];
  for (u32 i = 0; i < l->norder; i++)
    if (p->load[i] != NONE)
      at[count[p->load[i]]++] = i;
  for (u32 k = 0; k < n; k++)
    if (p->segments[k].type == PT_LOAD)
      place_load(p, k, at + (k ? count[k - 1] : 0), count[k] - (k ? count[k - 1] : 0), &off);
  u64 page = elf_max_page(l);
  for (u32 i = 0; i < l->norder; i++) { /* :NONE */
    Osec *o = &l->osecs.at[l->order[i]];
    if (p->load[i] != NONE || !(o->aflags & ATOM_ALLOC) || is_tbss(o))
      continue;
    o->off = off + ((o->addr - off) & (page - 1));
    if (o->filesz)
      off = o->off + o->filesz;
  }
  elf_place_others(l, off);
}

/* ---- the headers ---- */

static u32 flags_of(const Osec *o) { return PF_R | (o->aflags & ATOM_WRITE ? PF_W : 0) | (o->aflags & ATOM_EXEC ? PF_X : 0); }

/* Where the program headers are in memory, of those that are loaded. */
static void find_headers(const Phdrs *p, Segment *s) {
  const Link *l = p->l;
  s->off = elf_sizes(l).ehdr;
  s->filesz = s->memsz = l->header_size - s->off;
  for (u32 k = 0; k < p->d->nphdrs; k++) {
    const Segment *load = &p->segments[k];
    if (load->type == PT_LOAD && p->d->phdrs[k].phdrs && load->off <= s->off) {
      s->addr = load->addr + (s->off - load->off);
      s->lma = load->lma + (s->off - load->off);
    }
  }
}

bool elf_script_phdrs(Link *l) {
  const LayoutDesc *d = l->layout;
  Phdrs p = {.l = l, .d = d, .segments = ARENA_ARRAY(&l->arena, Segment, d->nphdrs), .lists = ARENA_ARRAY(&l->arena, const u32 *, l->norder),
             .load = ARENA_ARRAY(&l->arena, u32, l->norder)};
  bool any = assign(&p);
  for (u32 k = 0; k < d->nphdrs; k++)
    p.segments[k] = (Segment){.type = (u32)layout_value(l, d->phdrs[k].type), .first = UINT32_MAX, .align = 1};
  place_loads(&p);
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    for (const u32 *k = p.lists[i]; k && *k != NONE; k++) {
      Segment *s = &p.segments[*k];
      bool inherited = !stmt_of(&p, o) || !stmt_of(&p, o)->phdrs;
      if (s->type == PT_INTERP && inherited)
        continue;
      s->flags |= flags_of(o);
      if (s->type != PT_LOAD || (p.load[i] != NONE && p.load[i] != *k))
        elf_cover(s, i, o);
    }
  }
  for (u32 k = 0; k < d->nphdrs; k++) {
    Segment *s = &p.segments[k];
    const LayoutPhdr *h = &d->phdrs[k];
    if (has_headers(h))
      s->flags |= PF_R;
    if (s->type == PT_PHDR) {
      find_headers(&p, s);
      s->align = l->format->word;
    }
    if (s->type == PT_GNU_STACK) {
      s->flags = PF_R | PF_W | (l->execstack ? PF_X : 0);
      s->align = 16;
      s->memsz = l->opt->has_stack_size ? l->opt->z_stack_size : 0;
    }
    if (h->flags)
      s->flags = (u32)layout_value(l, h->flags);
    if (h->at)
      s->lma = layout_value(l, h->at);
    *vec_push(&l->segments) = *s;
  }
  return any;
}
