/* elf_dynsym.c: .dynsym and .dynstr: which symbols, in which order, with which bytes (gABI ch. 4,
 * "Symbol Table"; psABI 4.3). Undefined symbols come first; the rest follows in the order of the buckets
 * of .gnu.hash, which needs a bucket's symbols side by side.
 * The trap: an imported variable that was copied, and an imported function whose PLT entry is its
 * address everywhere, are definitions to other modules, so they stand in the hashed part. */
#include "write/elf_dynsym.h"

#include <stdlib.h>

#include "core/slots.h"
#include "format/elf_object.h"
#include "util/hash.h"
#include "write/elf_encode.h"

/* ---- strings ---- */

static void strtab_grow(StrTab *t) {
  u32 n = t->mask ? (t->mask + 1) * 2 : 256, *old = t->slots, old_n = t->mask ? t->mask + 1 : 0;
  t->slots = NULL;
  u32 cap = 0;
  t->slots = vec_grow(NULL, &cap, n, sizeof *t->slots);
  memset(t->slots, 0, n * sizeof *t->slots);
  t->mask = n - 1;
  for (u32 i = 0; i < old_n; i++) {
    if (!old[i])
      continue;
    const char *s = t->text.at + old[i];
    u32 k = (u32)hash_bytes(s, strlen(s)) & t->mask;
    while (t->slots[k])
      k = (k + 1) & t->mask;
    t->slots[k] = old[i];
  }
  free(old);
}

u32 strtab_add(StrTab *t, const char *s, u64 len) {
  if (!t->text.n)
    *vec_push(&t->text) = 0;
  if (!len)
    return 0;
  if (t->used * 2 >= t->mask)
    strtab_grow(t);
  u32 k = (u32)hash_bytes(s, len) & t->mask;
  for (; t->slots[k]; k = (k + 1) & t->mask) {
    const char *old = t->text.at + t->slots[k];
    if (!strncmp(old, s, len) && !old[len])
      return t->slots[k];
  }
  u32 at = t->text.n;
  vec_reserve(&t->text, at + (u32)len + 1);
  memcpy(t->text.at + at, s, len);
  t->text.at[at + len] = 0;
  t->text.n = at + (u32)len + 1;
  t->slots[k] = at;
  t->used++;
  return at;
}

void strtab_finish(StrTab *t, Arena *a) {
  strtab_add(t, "", 0);
  char *text = arena_alloc(a, t->text.n, 1);
  memcpy(text, t->text.at, t->text.n);
  u32 n = t->text.n;
  vec_free(&t->text);
  free(t->slots);
  t->slots = NULL;
  t->text.at = text;
  t->text.n = n;
}

/* ---- selection ---- */

enum { CHUNK = 16384 };

/* Candidates of chunk k stand in ids[k * CHUNK]: definitions from its begin, undefined ones from its
 * end, backwards. */
typedef struct {
  Link *l;
  u32 *ids;
  u32 *ndefs, *nundefs; /* of each chunk */
  u32 *at;              /* where each chunk's definitions go */
  DynSym *undefs, *defs;
  u32 *undef_at;
  u32 *bucket_at;       /* first definition of each bucket */
} Select;

typedef enum { LEAVE, UNDEFINED, DEFINED } Class;

static inline Class classify(const Link *l, u32 s, u32 f) {
  if (f & SF_EXPORTED)
    return f & SF_DISCARDED ? LEAVE : DEFINED;
  if (!(f & (SF_SHARED | SF_UNDEFINED)) || !(f & (SF_IMPORTED | SF_COPY)))
    return LEAVE;
  u8 needs = l->syms.needs[s];
  const SymAux *x = sym_aux(l, s);
  if (x && (x->copy >= 0 || needs & NEED_CPLT))
    return DEFINED;
  /* With dead strip only what the live half refers to. */
  return needs || (!l->opt->gc_sections && f & SF_REF) ? UNDEFINED : LEAVE;
}

static void select_chunks(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  Select *j = ctx;
  const Link *l = j->l;
  for (u32 k = begin; k < end; k++) {
    u32 from = k * CHUNK, to = MIN(from + CHUNK, l->syms.nglobal), ndefs = 0, nundefs = 0, any = 0;
    for (u32 s = from; s < to; s++) {
      u32 f = l->syms.flags[s];
      if (!(f & (SF_EXPORTED | SF_IMPORTED | SF_COPY)))
        continue;
      Class c = classify(l, s, f);
      if (c == DEFINED) {
        j->ids[from + ndefs++] = s;
        any |= f;
      } else if (c == UNDEFINED) {
        j->ids[to - ++nundefs] = s;
      }
    }
    if (any & SF_IFUNC || (any & SF_UNIQUE && !l->opt->no_gnu_unique))
      __atomic_store_n(&j->l->has_gnu_symbols, true, __ATOMIC_RELAXED);
    j->ndefs[k] = ndefs;
    j->nundefs[k] = nundefs;
  }
}

static u32 hash_gnu(const char *p, u32 len) {
  u32 h = 5381;
  for (u32 i = 0; i < len; i++)
    h = h * 33 + (u8)p[i];
  return h;
}

static DynSym entry(const Link *l, u32 s) {
  const SymName *name = &l->syms.name[s];
  DynSym e = {.name = name->p, .len = name->len, .sym = s, .version = l->syms.version[s]};
  if (l->has_versioned_refs) {
    const char *at = memchr(name->p, '@', name->len);
    if (at)
      e.len = (u32)(at - name->p);
  }
  return e;
}

static void fill_chunks(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  enum { AHEAD = 8 };
  Select *j = ctx;
  const Link *l = j->l;
  for (u32 k = begin; k < end; k++) {
    u32 from = k * CHUNK, to = MIN(from + CHUNK, l->syms.nglobal);
    for (u32 i = 0; i < j->ndefs[k]; i++) {
      if (i + AHEAD < j->ndefs[k])
        __builtin_prefetch(l->syms.name[j->ids[from + i + AHEAD]].p);
      DynSym *e = &j->defs[j->at[k] + i];
      *e = entry(l, j->ids[from + i]);
      e->hash = hash_gnu(e->name, e->len);
    }
    for (u32 i = 0; i < j->nundefs[k]; i++)
      j->undefs[j->undef_at[k] + i] = entry(l, j->ids[to - 1 - i]);
  }
}

/* ---- order ---- */

typedef struct { u64 order; DynSym sym; } Ordered;

static int by_order(const void *a, const void *b) {
  u64 x = ((const Ordered *)a)->order, y = ((const Ordered *)b)->order;
  return x < y ? -1 : x > y;
}

static void sort_undefs(const Link *l, DynSym *v, u32 n) {
  Ordered *o = pages_alloc((n + 1) * sizeof *o);
  for (u32 i = 0; i < n; i++)
    o[i] = (Ordered){sym_order(l, v[i].sym), v[i]};
  qsort(o, n, sizeof *o, by_order);
  for (u32 i = 0; i < n; i++)
    v[i] = o[i].sym;
  pages_free(o, (n + 1) * sizeof *o);
}

static bool same_name(const DynSym *a, const DynSym *b) {
  return a->hash == b->hash && a->len == b->len && !memcmp(a->name, b->name, a->len);
}

/* Within a bucket: by place on the command line. Equal names (foo@V1, foo@@V2) meet here. */
static void sort_buckets(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  Select *j = ctx;
  const Link *l = j->l;
  for (u32 b = begin; b < end; b++) {
    u32 first = j->bucket_at[b], last = j->bucket_at[b + 1];
    for (u32 i = first + 1; i < last; i++) {
      DynSym e = j->defs[i];
      u64 order = sym_order(l, e.sym);
      u32 k = i;
      for (; k > first && sym_order(l, j->defs[k - 1].sym) > order; k--)
        j->defs[k] = j->defs[k - 1];
      j->defs[k] = e;
    }
    for (u32 i = first; l->has_versioned_refs && i < last; i++)
      for (u32 k = first; k < i && !j->defs[i].shares; k++)
        j->defs[i].shares = same_name(&j->defs[k], &j->defs[i]);
  }
}

static void set_indexes(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  const Select *j = ctx;
  const DynSym *syms = j->undefs - 1;
  for (u32 i = MAX(begin, 1u); i < end; i++) {
    SymAux *x = sym_aux(j->l, syms[i].sym);
    if (x)
      x->dynsym = (i32)i;
  }
}

void elf_dynsym_select(Link *l, ElfDynamic *d) {
  u32 nchunks = l->syms.nglobal / CHUNK + 1;
  Select j = {.l = l};
  j.ids = pages_alloc((u64)nchunks * CHUNK * sizeof *j.ids);
  j.ndefs = ARENA_ARRAY(&l->arena, u32, nchunks * 4);
  j.nundefs = j.ndefs + nchunks;
  j.at = j.nundefs + nchunks;
  j.undef_at = j.at + nchunks;
  pool_run(l->pool, nchunks, 1, select_chunks, &j);

  u32 ndefs = 0, nundefs = 0;
  for (u32 k = 0; k < nchunks; k++) {
    j.at[k] = ndefs;
    j.undef_at[k] = nundefs;
    ndefs += j.ndefs[k];
    nundefs += j.nundefs[k];
  }
  d->n = 1 + nundefs + ndefs;
  d->hashed = 1 + nundefs;
  d->nbuckets = MAX(ndefs / 4, 1u);
  d->syms = link_own(l, pages_alloc((u64)d->n * sizeof *d->syms), (u64)d->n * sizeof *d->syms);
  j.undefs = d->syms + 1;
  DynSym *final = d->syms + d->hashed;
  u64 unordered = (u64)(ndefs + 1) * sizeof *j.defs;
  j.defs = pages_alloc(unordered);
  pool_run(l->pool, nchunks, 1, fill_chunks, &j);
  pages_free(j.ids, (u64)nchunks * CHUNK * sizeof *j.ids);

  u64 buckets = (u64)(d->nbuckets + 2) * sizeof *j.bucket_at;
  j.bucket_at = pages_alloc(buckets);
  u32 *at = j.bucket_at + 1; /* one ahead: becomes the begins while the buckets fill */
  for (u32 i = 0; i < ndefs; i++)
    at[j.defs[i].hash % d->nbuckets + 1]++;
  for (u32 b = 0; b < d->nbuckets; b++)
    at[b + 1] += at[b];
  for (u32 i = 0; i < ndefs; i++)
    final[at[j.defs[i].hash % d->nbuckets]++] = j.defs[i];
  pages_free(j.defs, unordered);
  j.defs = final;
  pool_run(l->pool, d->nbuckets, 4096, sort_buckets, &j);
  pages_free(j.bucket_at, buckets);
  sort_undefs(l, j.undefs, nundefs);
  pool_run(l->pool, d->n, 32768, set_indexes, &j);
}

/* ---- .dynsym ---- */

static const ElfSym *defining_symbol(const Link *l, u32 s) {
  u64 key = l->syms.key[s];
  const File *f = &l->files.at[key_file(key)];
  if (f->kind == FILE_OBJECT)
    return &((const ElfObject *)f->fmt)->syms[key_index(key)];
  if (f->kind == FILE_SHARED)
    return &((const ElfShared *)f->fmt)->syms[key_index(key)];
  return NULL;
}

static u16 section_index(const Osec *o) {
  return (u16)MIN(o->index, (u32)SHN_LORESERVE - 1); /* any section will do: never "undefined" */
}

/* The last section at or below an address: what _end and its like belong to; for one in the headers
 * the first section: the loader adds no base to an absolute symbol. */
static u16 section_at(const Link *l, u64 addr) {
  const Osec *best = NULL, *first = NULL;
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (!(o->aflags & ATOM_ALLOC) || o->aflags & ATOM_TLS)
      continue;
    first = first ? first : o;
    if (o->addr <= addr && (!best || o->addr >= best->addr))
      best = o;
  }
  return best ? section_index(best) : first ? section_index(first) : SHN_ABS;
}

static u16 section_of_atom(const Link *l, u32 atom, u64 addr) {
  u32 o = l->atoms.at[atom].osec;
  return o ? section_index(&l->osecs.at[o]) : section_at(l, addr);
}

static void write_defined(const Link *l, u32 s, u32 f, const SymAux *x, const ElfSym *def, ElfSym *out) {
  u8 type = def ? ELF64_ST_TYPE(def->st_info) : STT_NOTYPE;
  if (type == STT_COMMON)
    type = STT_OBJECT;
  out->st_value = l->syms.value[s];
  out->st_size = def ? def->st_size : 0;
  if (x && x->copy >= 0 && f & SF_SHARED) {
    u32 syn = x->copy_relro ? SYN_DYNBSS_RELRO : SYN_DYNBSS;
    out->st_value = synth_addr(l, syn) + (u64)x->copy;
    out->st_shndx = section_of_atom(l, l->synths.at[syn].atom.i, out->st_value);
  } else if (x && l->syms.needs[s] & NEED_CPLT) {
    /* gABI ch. 5 and psABI 4.4.1, "Function Addresses": undefined, with a value */
    out->st_value = plt_addr(l, x);
    type = STT_FUNC;
    if (f & (SF_SHARED | SF_UNDEFINED))
      out->st_size = 0;
    else
      out->st_shndx = section_at(l, out->st_value);
  } else if (l->syms.atom[s]) {
    out->st_shndx = section_of_atom(l, l->syms.atom[s], out->st_value);
    if (f & SF_TLS)
      out->st_value -= l->tls_begin;
  } else if (f & SF_SYNTHETIC && !(f & SF_ABSOLUTE)) {
    out->st_shndx = section_at(l, out->st_value);
  } else {
    out->st_shndx = SHN_ABS;
  }
  u8 bind = f & SF_UNIQUE && !l->opt->no_gnu_unique ? STB_GNU_UNIQUE : f & SF_WEAK ? STB_WEAK : STB_GLOBAL;
  out->st_info = (u8)ELF64_ST_INFO(bind, type);
  /* An imported symbol's visibility is its library's own affair. */
  out->st_other = f & SF_SHARED ? STV_DEFAULT : (u8)(f >> SF_VIS_SHIFT & 3);
}

static void write_undefined(u32 f, const ElfSym *def, ElfSym *out) {
  u8 type = def ? ELF64_ST_TYPE(def->st_info) : f & SF_TLS ? STT_TLS : STT_NOTYPE;
  if (type == STT_GNU_IFUNC) /* the library's business; here it is a function like any other */
    type = STT_FUNC;
  else if (type == STT_COMMON)
    type = STT_OBJECT;
  out->st_info = (u8)ELF64_ST_INFO(f & SF_REF_STRONG ? STB_GLOBAL : STB_WEAK, type);
}

/* Symbols [begin, end) to zeroed `out`. */
static void make_dynsyms(const Link *l, const ElfDynamic *d, u32 begin, u32 end, ElfSym *out) {
  for (u32 i = MAX(begin, 1u); i < end; i++) {
    const DynSym *e = &d->syms[i];
    ElfSym *o = &out[i - begin];
    u32 f = l->syms.flags[e->sym];
    const ElfSym *def = f & SF_UNDEFINED ? NULL : defining_symbol(l, e->sym);
    o->st_name = e->str;
    if (i >= d->hashed)
      write_defined(l, e->sym, f, sym_aux(l, e->sym), def, o);
    else
      write_undefined(f, def, o);
  }
}

static void write_dynsym(Link *l, const Synth *synth, u8 *out, u64 off, u64 len) {
  u32 size = elf_sizes(l).sym, at = (u32)(off / size), end = at + (u32)(len / size);
  if (!elf_is_32(l)) {
    make_dynsyms(l, synth->ctx, at, end, (ElfSym *)out);
    return;
  }
  for (u32 n; at < end; at += n, out += n * size) {
    ElfSym wide[ELF_SYMS_AT_ONCE] = {0};
    n = MIN(end - at, (u32)ELF_SYMS_AT_ONCE);
    make_dynsyms(l, synth->ctx, at, at + n, wide);
    elf_put_syms32(out, wide, n);
  }
}

/* ---- .dynstr ---- */

static void put(u8 *out, u64 off, u64 len, u64 at, const char *s, u64 n) {
  if (at < off) {
    u64 skip = MIN(off - at, n);
    s += skip;
    n -= skip;
    at += skip;
  }
  if (n && at < off + len)
    memcpy(out + (at - off), s, MIN(n, off + len - at));
}

static void write_dynstr(Link *l, const Synth *synth, u8 *out, u64 off, u64 len) {
  (void)l;
  const ElfDynamic *d = synth->ctx;
  put(out, off, len, 0, d->str.text.at, d->str.text.n);
  u32 n = d->n - d->hashed, lo = 0, hi = n / DYNSTR_STEP;
  while (lo < hi) { /* the last step that begins at or before off */
    u32 mid = (lo + hi + 1) / 2;
    if (d->pos[mid] <= off)
      lo = mid;
    else
      hi = mid - 1;
  }
  for (u32 i = lo * DYNSTR_STEP; i < n; i++) {
    const DynSym *e = &d->syms[d->hashed + i];
    if (e->shares)
      continue;
    if (e->str >= off + len)
      break;
    put(out, off, len, e->str, e->name, e->len);
  }
}

/* Names of hashed symbols are unique but for versions, so they need no table to share strings. */
static bool place_names(Link *l, ElfDynamic *d) {
  u64 at = d->str.text.n;
  d->pos = ARENA_ARRAY(&l->arena, u32, (d->n - d->hashed) / DYNSTR_STEP + 1);
  for (u32 i = d->hashed; i < d->n; i++) {
    DynSym *e = &d->syms[i];
    if ((i - d->hashed) % DYNSTR_STEP == 0)
      d->pos[(i - d->hashed) / DYNSTR_STEP] = (u32)at;
    if (e->shares) {
      const DynSym *same = e - 1; /* in the same bucket, before it */
      while (same->shares || !same_name(same, e))
        same--;
      e->str = same->str;
      continue;
    }
    e->str = (u32)at;
    at += (u64)e->len + 1;
    if (at > UINT32_MAX)
      return false;
  }
  if ((d->n - d->hashed) % DYNSTR_STEP == 0)
    d->pos[(d->n - d->hashed) / DYNSTR_STEP] = (u32)at;
  l->synths.at[SYN_DYNSTR].size = at;
  return true;
}

void elf_dynsym_size(Link *l, ElfDynamic *d) {
  for (u32 i = 1; i < d->hashed; i++)
    d->syms[i].str = strtab_add(&d->str, d->syms[i].name, d->syms[i].len);
  strtab_finish(&d->str, &l->arena);
  if (!place_names(l, d)) {
    diag_error(l->diag, "too-large", ".dynstr is larger than 4 GiB");
    return;
  }
  Synth *str = &l->synths.at[SYN_DYNSTR], *sym = &l->synths.at[SYN_DYNSYM];
  str->write = write_dynstr;
  str->grain = 1 << 16;
  str->ctx = d;
  sym->size = (u64)d->n * elf_sizes(l).sym;
  sym->write = write_dynsym;
  sym->grain = 2048 * elf_sizes(l).sym;
  sym->ctx = d;
}

static void write_bytes(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  (void)l;
  memcpy(out, (const u8 *)s->ctx + off, len);
}

void synth_set_bytes(Link *l, u32 syn, const void *bytes, u64 len) {
  Synth *s = &l->synths.at[syn];
  s->size = len;
  s->write = write_bytes;
  union { const void *in; void *out; } u = {bytes}; /* ctx is only read */
  s->ctx = u.out;
}
