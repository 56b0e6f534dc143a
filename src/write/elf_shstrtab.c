/* elf_shstrtab.c: .shstrtab, the names of the output sections, where a name that ends another one
 * is that one's end (".text" in ".rela.text"; gABI ch. 4, "String Table"). The trap: which sections
 * there are is settled only while layout runs, so the table is made again in every round. */
#include <stdlib.h>

#include "write/elf_relocs.h"
#include "write/elf_symtab.h"
#include "write/elf_symtab_internal.h"

typedef struct {
  u32 *offset; /* by OsecId: where its section of relocations has a name, of that one; behind them, of ".group" */
  u32 noffsets;
  u8 *text;
  const char **relocs; /* by OsecId: the name of its section of relocations, or NULL */
} Shstrtab;

enum { MANY = 20000 /* names: ends of each other are not looked for */ };

typedef struct {
  const char *p;
  u32 len, osec; /* osec: index in Shstrtab.offset */
} Name;

/* By the reversed text, a longer name before its own end. */
static int name_order(const void *pa, const void *pb) {
  const Name *a = pa, *b = pb;
  for (u32 i = 1; i <= a->len && i <= b->len; i++) {
    u8 x = (u8)a->p[a->len - i], y = (u8)b->p[b->len - i];
    if (x != y)
      return x < y ? -1 : 1;
  }
  if (a->len != b->len)
    return a->len > b->len ? -1 : 1;
  return a->osec < b->osec ? -1 : a->osec > b->osec;
}

static bool ends_with(const Name *a, const Name *tail) {
  return a->len >= tail->len && !memcmp(a->p + a->len - tail->len, tail->p, tail->len);
}

static const char *relocs_prefix(const Link *l) { return l->format->rel ? ".rel" : ".rela"; }

static void name_relocs(Link *l, Shstrtab *t) {
  const ElfRelocs *r = l->relocs;
  t->relocs = ARENA_ARRAY(&l->arena, const char *, l->osecs.n);
  for (u32 i = 0; i < r->ntables; i++)
    t->relocs[r->tables[i].osec] = arena_printf(&l->arena, "%s%s", relocs_prefix(l), l->osecs.at[r->tables[i].osec].name);
}

static bool resize(Link *l, Synth *s) {
  Shstrtab *t = s->ctx;
  Name *names = calloc(l->norder + 2ull, sizeof *names);
  if (l->relocs && !t->relocs)
    name_relocs(l, t);
  u32 n = 0;
  u64 size = 1, room = 1;
  if (!names) {
    diag_error(l->diag, "memory", "out of memory for %u section names", l->norder);
    return false;
  }
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (!o->placed || !o->name[0])
      continue;
    const char *name = t->relocs && t->relocs[l->order[i]] ? t->relocs[l->order[i]] : o->name;
    names[n] = (Name){name, (u32)strlen(name), l->order[i]};
    room += names[n++].len + 1;
  }
  if (l->relocs && l->relocs->ngroups) {
    names[n] = (Name){".group", 6, l->osecs.n};
    room += names[n++].len + 1;
  }
  if (n <= MANY)
    qsort(names, n, sizeof *names, name_order);
  t->noffsets = l->osecs.n;
  t->offset = ARENA_ARRAY(&l->arena, u32, l->osecs.n + 1);
  t->text = arena_alloc(&l->arena, room, 1);
  u32 at = 0; /* offset of the name before */
  for (u32 i = 0; i < n; i++) {
    if (i && ends_with(&names[i - 1], &names[i])) {
      at += names[i - 1].len - names[i].len;
    } else {
      at = (u32)size;
      memcpy(t->text + at, names[i].p, names[i].len);
      size += names[i].len + 1;
    }
    t->offset[names[i].osec] = at;
  }
  free(names);
  bool changed = s->size != size;
  s->size = size;
  return changed;
}

static void write(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  (void)l;
  memcpy(out, ((const Shstrtab *)s->ctx)->text + off, len);
}

void shstrtab_prepare(Link *l) {
  Synth *s = &l->synths.at[SYN_SHSTRTAB];
  s->ctx = ARENA_NEW(&l->arena, Shstrtab);
  s->size = 1; /* it is placed; its size follows */
  s->resize = resize;
  s->write = write;
}

static u32 offset_of(const Link *l, u32 i) {
  const Shstrtab *t = l->synths.at[SYN_SHSTRTAB].ctx;
  return t && t->offset && i <= t->noffsets ? t->offset[i] : 0;
}

u32 elf_shstrtab_offset(const Link *l, u32 osec) {
  const Shstrtab *t = l->synths.at[SYN_SHSTRTAB].ctx;
  bool prefixed = t && t->relocs && t->relocs[osec];
  return offset_of(l, osec) + (prefixed ? (u32)strlen(relocs_prefix(l)) : 0);
}

u32 elf_shstrtab_relocs(const Link *l, u32 osec) { return offset_of(l, osec); }
u32 elf_shstrtab_group(const Link *l) { return offset_of(l, l->osecs.n); }
