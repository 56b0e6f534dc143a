/* go_pclntab.c: the run-time line table of Go 1.2 to 1.15. A header, an index of functions in the order of their addresses,
 * what is known of each, and a table of file names:
 *   u32 fffffffb, 0, 0, pc quantum, pointer size; N; N x {entry, offset of its record}; end of the last; u32 offset of files
 *   record: entry, u32 name, args, frame, pcsp, pcfile, pcline, npcdata, nfuncdata, npcdata x pcdata, nfuncdata x pointer
 *   files: u32 1 + n, n x offset of the name
 * The trap: everything but addresses is made before layout, since its size decides it; addresses are noted as fixups and put in
 * when the table is written. A function's numbers of files are its object's, and become the table's. */
#include "write/go_pclntab.h"

#include <stdlib.h>

#include "format/elf.h"
#include "format/goobj_object.h"
#include "util/hash.h"

enum { POINTER = 8, PC_QUANTUM = 1 /* x86 */, MAGIC = 0xfffffffb };

/* An address that is known after layout. */
typedef struct {
  u32 at;
  u32 sym; /* SymId of a global, NO_SYM.i: atom */
  u32 atom;
  i64 add;
} Fixup;

typedef struct {
  const char *name;
  u32 number;
} FileName;

typedef struct {
  u8 *bytes;
  u32 size;
  Fixup *fixups;
  u32 nfixups;
} Pclntab;

typedef struct {
  Link *l;
  VEC(u8) b;
  VEC(Fixup) fixups;
  VEC(FileName) files; /* in order of their numbers, from 1 on */
  u32 *slots, mask;    /* of files, + 1 */
  bool too_large;
} Builder;

static u32 grow(Builder *t, u64 n) {
  u32 at = t->b.n;
  if (n > INT32_MAX || t->b.n > INT32_MAX - (u32)n) {
    t->too_large = true;
    return 0;
  }
  vec_reserve(&t->b, t->b.n + (u32)n);
  memset(t->b.at + at, 0, n);
  t->b.n += (u32)n;
  return at;
}

static void align(Builder *t) { grow(t, -t->b.n & (POINTER - 1)); }

static void put32(Builder *t, u32 at, u64 v) {
  if (!t->too_large)
    wr32(t->b.at + at, (u32)v);
}

static u32 put_bytes(Builder *t, const void *p, u64 n) {
  u32 at = grow(t, n);
  if (n && !t->too_large)
    memcpy(t->b.at + at, p, n);
  return at;
}

static u32 put_name(Builder *t, const char *s) { return put_bytes(t, s, strlen(s) + 1); }

/* ---- files ---- */

static u32 *find_file(const Builder *t, const char *name) {
  for (u32 k = (u32)hash_bytes(name, strlen(name)) & t->mask;; k = (k + 1) & t->mask)
    if (!t->slots[k] || streq(t->files.at[t->slots[k] - 1].name, name))
      return &t->slots[k];
}

static u32 file_number(Builder *t, const char *name) {
  if (!t->mask || t->files.n >= t->mask / 2) {
    free(t->slots);
    t->mask = t->mask ? 2 * t->mask + 1 : 63;
    t->slots = heap_alloc((t->mask + 1ull) * sizeof *t->slots);
    for (u32 i = 0; i < t->files.n; i++)
      *find_file(t, t->files.at[i].name) = i + 1;
  }
  u32 *slot = find_file(t, name);
  if (!*slot) {
    FileName *f = vec_push(&t->files);
    *f = (FileName){name, t->files.n};
    *slot = t->files.n;
  }
  return *slot;
}

/* ---- tables of pc values ---- */

static u32 put_table(Builder *t, Bytes table) { return table.len ? put_bytes(t, table.p, table.len) : 0; }

/* The reader has checked that it ends. */
static u32 take_number(const u8 **p) {
  u32 v = 0;
  for (unsigned shift = 0;; shift += 7) {
    u8 c = *(*p)++;
    v |= shift < 32 ? (u32)(c & 0x7f) << shift : 0;
    if (!(c & 0x80))
      return v;
  }
}

static void put_number(Builder *t, u32 v) {
  u8 buf[5];
  u32 n = 0;
  for (; v >= 0x80; v >>= 7)
    buf[n++] = (u8)(v | 0x80);
  buf[n++] = (u8)v;
  put_bytes(t, buf, n);
}

/* Values are numbers of files of the object. */
static u32 put_file_table(Builder *t, const GoFunc *fn, u32 *numbers) {
  const u8 *p = fn->pcfile.p, *end = p + fn->pcfile.len;
  if (p == end)
    return 0;
  for (u32 i = 0; i < fn->nfiles; i++)
    numbers[i] = file_number(t, fn->files[i]);
  u32 at = t->b.n, value = UINT32_MAX, shown = UINT32_MAX;
  for (bool first = true; p < end; first = false) {
    u32 delta = take_number(&p);
    if (!delta && !first)
      break;
    u32 pc = take_number(&p);
    value += delta >> 1 ^ -(delta & 1);
    u32 now = value == UINT32_MAX ? value : numbers[value], d = now - shown;
    shown = now;
    put_number(t, d << 1 ^ (d >> 31 ? UINT32_MAX : 0));
    put_number(t, pc);
  }
  put_number(t, 0);
  return t->too_large ? 0 : at;
}

/* ---- functions ---- */

static void put_address(Builder *t, u32 at, u32 sym, u32 atom, i64 add) { *vec_push(&t->fixups) = (Fixup){at, sym, atom, add}; }

static void put_funcdata(Builder *t, const File *file, const GoFuncdata *d, u32 at) {
  const GoObject *o = file->fmt;
  if (!d->symbol) {
    if (!t->too_large)
      wr64(t->b.at + at, (u64)d->offset);
  } else if (d->symbol >= o->first_global) {
    put_address(t, at, file->globals[d->symbol - o->first_global], 0, d->offset);
  } else {
    put_address(t, at, NO_SYM.i, file->atom_base + o->symbols[d->symbol].definition, d->offset);
  }
}

static void put_function(Builder *t, u32 atom, u32 index_at) {
  static const GoFunc nothing = {0};
  const Link *l = t->l;
  const File *file = atom_file(l, (AtomId){atom});
  const GoObject *o = file->fmt;
  const GoDefinition *d = &o->definitions[atom - file->atom_base - 1];
  const GoFunc *fn = d->func ? d->func : &nothing;
  align(t);
  u64 fixed = POINTER + 8 * 4 + (u64)fn->npcdata * 4;
  fixed = fn->nfuncdata ? align_up(fixed, POINTER) : fixed;
  u32 at = grow(t, fixed + (u64)fn->nfuncdata * POINTER);
  if (t->too_large)
    return;
  put_address(t, index_at, NO_SYM.i, atom, 0);
  wr64(t->b.at + index_at + POINTER, at);
  put_address(t, at, NO_SYM.i, atom, 0);
  put32(t, at + 8, put_name(t, d->name));
  put32(t, at + 12, (u64)fn->args);
  put32(t, at + 16, (u64)fn->locals + POINTER); /* with the return address */
  put32(t, at + 20, put_table(t, fn->pcsp));
  u32 *numbers = heap_alloc((fn->nfiles + 1ull) * sizeof *numbers);
  put32(t, at + 24, put_file_table(t, fn, numbers));
  free(numbers);
  put32(t, at + 28, put_table(t, fn->pcline));
  put32(t, at + 32, fn->npcdata);
  put32(t, at + 36, fn->nfuncdata);
  for (u32 i = 0; i < fn->npcdata; i++)
    put32(t, at + 40 + 4 * i, put_table(t, fn->pcdata[i]));
  for (u32 i = 0; i < fn->nfuncdata; i++)
    put_funcdata(t, file, &fn->funcdata[i], at + (u32)fixed + POINTER * i);
}

static int by_name(const void *a, const void *b) { return strcmp(((const FileName *)a)->name, ((const FileName *)b)->name); }

static void put_files(Builder *t, u32 offset_at) {
  align(t);
  u32 n = t->files.n, at = grow(t, 4 * (n + 1ull));
  put32(t, offset_at, at);
  put32(t, at, n + 1);
  if (n)
    qsort(t->files.at, n, sizeof *t->files.at, by_name);
  for (u32 i = 0; i < n; i++)
    put32(t, at + 4 * t->files.at[i].number, put_name(t, t->files.at[i].name));
}

static bool is_function(const Link *l, u32 a) {
  return (l->atoms.flags[a] & (ATOM_FOLDED | ATOM_SYNTH)) == ATOM_LIVE && l->atoms.at[a].type == GO_STEXT;
}

static void build(Builder *t) {
  const Link *l = t->l;
  u64 n = 0;
  u32 last = 0;
  for (u32 a = 1; a < l->atoms.n; a++)
    n += is_function(l, a);
  grow(t, 8 + POINTER + (2 * n + 1) * POINTER + 4);
  if (t->too_large)
    return;
  wr32(t->b.at, MAGIC);
  t->b.at[6] = PC_QUANTUM;
  t->b.at[7] = POINTER;
  wr64(t->b.at + 8, n);
  u32 index_at = 8 + POINTER;
  for (u32 a = 1; a < l->atoms.n && !t->too_large; a++)
    if (is_function(l, a)) {
      put_function(t, a, index_at);
      index_at += 2 * POINTER;
      last = a;
    }
  if (last)
    put_address(t, index_at, NO_SYM.i, last, (i64)l->atoms.at[last].size);
  if (!t->too_large)
    put_files(t, index_at + POINTER);
}

static void write(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  const Pclntab *t = s->ctx;
  for (u32 i = 0; i < t->nfixups; i++) {
    const Fixup *f = &t->fixups[i];
    u64 addr = f->sym == NO_SYM.i ? l->atoms.addr[f->atom] : l->syms.value[f->sym];
    wr64(t->bytes + f->at, addr + (u64)f->add);
  }
  memcpy(out, t->bytes + off, len);
}

u32 go_pclntab_add(Link *l) {
  Builder t = {.l = l};
  synth_add(l, &(Synth){.name = ".rodata", .type = SHT_PROGBITS, .attr = SHF_ALLOC, .keep_empty = true});
  build(&t);
  if (t.too_large)
    diag_error(l->diag, "too-large", "the table of functions has more than 2 GB");
  Pclntab *p = ARENA_NEW(&l->arena, Pclntab);
  *p = (Pclntab){.size = t.too_large ? 0 : t.b.n, .nfixups = t.fixups.n};
  p->bytes = arena_alloc(&l->arena, p->size, 8);
  p->fixups = ARENA_ARRAY(&l->arena, Fixup, p->nfixups);
  if (p->size)
    memcpy(p->bytes, t.b.at, p->size);
  if (p->nfixups)
    memcpy(p->fixups, t.fixups.at, p->nfixups * sizeof *p->fixups);
  vec_free(&t.b);
  vec_free(&t.fixups);
  vec_free(&t.files);
  free(t.slots);
  return synth_add(
      l,
      &(Synth){
          .name = ".functab", .type = SHT_PROGBITS, .attr = SHF_ALLOC, .size = p->size, .write = write, .fills = true, .ctx = p});
}
