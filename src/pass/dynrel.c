/* dynrel.c: .rela.dyn, .rela.plt (.rel.dyn, .rel.plt where addends are in the fields) and .relr.dyn. Each atom gets a run of entries in .rela.dyn, in order
 * of addresses, so that apply can write them from any thread and nothing needs sorting:
 *   relative (atoms, .got) | symbolic (atoms, .got, copies), by symbol | canonical IFUNC addresses
 * The relative ones of atoms, which are nearly all, go to the file together with their atoms and are
 * nowhere else in memory; the others wait in Link.dynrel.
 * .rela.plt holds one entry a .got.plt slot, in their order, then every other IRELATIVE.
 * The trap: IRELATIVE runs code of the program, so it comes after everything that this code may use, and
 * in static output __rela_iplt_start finds nothing but it. */
#include <stdlib.h>

#include "core/scan.h"
#include "core/slots.h"

enum { RUN_ATOMS = 1024 };

static void set_size(Link *l, u32 synth, u64 size) {
  Synth *s = &l->synths.at[synth];
  s->size = size;
  if (s->atom.i)
    l->atoms.at[s->atom.i].size = size;
}

/* Does the atom stand where the dynamic linker may write? Not when the layout discarded it, or put it into a section that is not
 * loaded (a script's INFO). */
static bool in_memory(const Link *l, u32 atom) {
  u32 osec = l->atoms.at[atom].osec;
  return osec && l->osecs.at[osec].aflags & ATOM_ALLOC;
}

/* ---- .relr.dyn (gABI, "Relative Relocation Table") ---- */

static int relr_cmp(const void *pa, const void *pb) {
  const RelrRef *a = pa, *b = pb;
  return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static void relr_push_got(Link *l, RelrRef *out, u64 *n) {
  u32 got = l->synths.at[SYN_GOT].atom.i;
  for (u32 i = 0; i < l->syms.nauxes; i++) {
    GotEntry e[GOT_ENTRIES_MAX];
    u32 k = got_kinds(l, &l->syms.auxes[i], e);
    for (u32 j = 0; j < k; j++)
      if (e[j].kind == DYN_RELATIVE)
        out[(*n)++] = (RelrRef){.atom = got, .offset = l->arch->got_slot_size * (u64)e[j].slot};
  }
}

/* Gathers the threads' lists in order of addresses: counts by atom, sums in layout order, scatters. */
static void relr_collect(Link *l) {
  Slots *s = l->slots;
  u64 n = s->got_nrel, k = 0;
  for (unsigned t = 0; t < pool_threads(l->pool); t++)
    n += s->threads[t].relr.n;
  if (!n)
    return;
  u64 bytes = n * sizeof(RelrRef), start_bytes = (l->atoms.n + 1) * sizeof(u32);
  RelrRef *in = pages_alloc(bytes);
  u32 *start = pages_alloc(start_bytes);
  for (unsigned t = 0; t < pool_threads(l->pool); t++) {
    ScanThread *th = &s->threads[t];
    if (th->relr.n)
      memcpy(in + k, th->relr.at, th->relr.n * sizeof(RelrRef));
    k += th->relr.n;
    vec_free(&th->relr);
  }
  relr_push_got(l, in, &k);
  n = k;
  for (u64 i = 0; i < n; i++)
    start[in[i].atom]++;
  u32 sum = 0;
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    for (u32 j = 0; o->aflags & ATOM_ALLOC && j < o->natoms; j++) {
      u32 a = o->atoms[j].i, count = start[a];
      start[a] = sum;
      sum += count;
    }
  }
  s->relr = pages_alloc(bytes);
  s->relr_bytes = bytes;
  for (u64 i = 0; i < n; i++) {
    u32 a = in[i].atom;
    if (in_memory(l, a))
      s->relr[start[a]++] = in[i];
  }
  s->nrelr = sum;
  for (u64 i = 0, end; i < s->nrelr; i = end) { /* edges mostly come in order of offsets */
    bool sorted = true;
    for (end = i + 1; end < s->nrelr && s->relr[end].atom == s->relr[i].atom; end++)
      sorted &= s->relr[end - 1].offset <= s->relr[end].offset;
    if (!sorted)
      qsort(s->relr + i, end - i, sizeof *s->relr, relr_cmp);
  }
  pages_free(in, bytes);
  pages_free(start, start_bytes);
}

/* A table being made; `out` NULL: only counted. */
typedef struct {
  u8 *out;
  u64 n, cap;
  u32 word;
} RelrOut;

static void relr_put(RelrOut *o, u64 v) {
  if (o->n < o->cap) {
    if (o->word == 8)
      wr64(o->out + 8 * o->n, v);
    else
      wr32(o->out + o->word * o->n, (u32)v);
  }
  o->n++;
}

/* An even word is an address; an odd one a map of as many words after what came before as it has other bits. Returns the number
 * of words; writes those that fit in `cap`. `placed`: atoms.addr are addresses already. */
static u64 relr_encode(const Link *l, u8 *out, u64 cap, bool placed) {
  const Slots *s = l->slots;
  const u32 word = l->format->word, span = (word * 8 - 1) * word;
  RelrOut o = {out, 0, cap, word};
  u64 base = 0, map = 0;
  bool open = false;
  for (u64 i = 0; i < s->nrelr; i++) {
    const RelrRef *r = &s->relr[i];
    u64 addr = l->atoms.addr[r->atom] + r->offset;
    if (!placed)
      addr += l->osecs.at[l->atoms.at[r->atom].osec].addr;
    while (open) {
      u64 delta = addr - base;
      if (delta < span && !(delta & (word - 1))) {
        map |= (u64)2 << (delta / word);
        break;
      }
      /* Close the map. It is worth going on with the next one only from a full stretch of words. */
      bool more = map && !(delta & (word - 1)) && delta < 2ull * span;
      if (map) {
        relr_put(&o, map | 1);
        map = 0;
        base += span;
      }
      if (!more)
        open = false;
    }
    if (!open) {
      relr_put(&o, addr);
      base = addr + word;
      map = 0;
      open = true;
    }
  }
  if (map)
    relr_put(&o, map | 1);
  return o.n;
}

/* The table only grows from round to round, or layout might never settle. */
static bool relr_resize(Link *l, Synth *s) {
  u64 size = l->format->word * relr_encode(l, NULL, 0, false);
  if (size <= s->size)
    return false;
  s->size = size;
  l->atoms.at[s->atom.i].size = size;
  return true;
}

static void relr_write(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  (void)off, (void)len; /* grain 0: whole */
  RelrOut o = {out, 0, s->size / l->format->word, l->format->word};
  o.n = relr_encode(l, out, o.cap, true);
  while (o.n < o.cap) /* empty maps fill what an earlier round needed */
    relr_put(&o, 1);
}

/* ---- .rela.dyn ---- */

/* Only for its parts. */
static void rela_dyn_write(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  (void)s;
  u32 size = l->format->dynrel_size;
  u64 i = off / size, n = len / size;
  if (i < l->ndynrel_relative)
    i -= l->atoms.reloff[l->synths.at[SYN_GOT].atom.i];
  else
    i -= l->ndynrel - l->ndynrel_kept;
  for (const DynRel *r = l->dynrel + i, *end = r + n; r < end; r++, out += size)
    l->format->encode_dynrel(l, r, out);
}

/* ---- .rela.plt ---- */

typedef struct {
  Link *l;
  u8 *out;
} PltOut;

static void put(PltOut *o, u64 addr, i64 addend, u32 sym, DynKind kind) {
  DynRel r = {addr, addend, sym, (u32)kind};
  o->l->format->encode_dynrel(o->l, &r, o->out);
  o->out += o->l->format->dynrel_size;
}

static void rela_plt_write(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  (void)s, (void)off, (void)len; /* grain 0: whole */
  PltOut o = {l, out};
  for (int ifunc = 0; ifunc < 2; ifunc++) { /* as allocate_plt numbered them */
    for (u32 i = 0; i < l->syms.nauxes; i++) {
      const SymAux *x = &l->syms.auxes[i];
      if (x->gotplt < 0 || is_local_ifunc(slot_flags(l, x)) != (ifunc != 0))
        continue;
      u64 slot = gotplt_slot_addr(l, x->gotplt);
      if (ifunc)
        put(&o, slot, (i64)slot_target(l, x->sym), NO_SYM.i, DYN_IRELATIVE);
      else
        put(&o, slot, 0, x->sym, DYN_JUMP_SLOT);
    }
  }
  for (u32 i = 0; i < l->syms.nauxes; i++) {
    GotEntry e[GOT_ENTRIES_MAX];
    u32 n = got_entries(l, &l->syms.auxes[i], e);
    for (u32 k = 0; k < n; k++)
      if (e[k].kind == DYN_IRELATIVE)
        put(&o, got_slot_addr(l, e[k].slot), e[k].addend, NO_SYM.i, DYN_IRELATIVE);
  }
  for (u32 i = 0; i < l->slots->ifuncs.n; i++) {
    const IfuncRef *r = &l->slots->ifuncs.at[i];
    const SymAux *x = sym_aux(l, r->sym);
    if (!x || !has_canonical_plt(l, x))
      put(&o, l->atoms.addr[r->atom] + r->offset, (i64)(slot_target(l, r->sym) + (u64)r->addend), NO_SYM.i,
          DYN_IRELATIVE);
  }
}

/* ---- counting ---- */

/* Entries that .got has among the relative ones. */
static u32 got_relatives(const Link *l) {
  u32 got = l->synths.at[SYN_GOT].atom.i;
  return got && in_memory(l, got) && !l->opt->z_pack_relative_relocs ? l->slots->got_nrel : 0;
}

/* Atoms made by weld count like any other. */
static void count_synths(Link *l) {
  const Slots *s = l->slots;
  u32 got = l->synths.at[SYN_GOT].atom.i, bss[2] = {l->synths.at[SYN_DYNBSS].atom.i,
                                                    l->synths.at[SYN_DYNBSS_RELRO].atom.i};
  if (got) {
    l->atoms.nrel[got] = got_relatives(l);
    l->atoms.nsymrel[got] = s->got_nsymrel;
  }
  for (u32 i = 0; i < s->copies.n; i++)
    l->atoms.nsymrel[bss[s->copies.at[i].relro]]++;
}

/* Some atoms that stand together. */
typedef struct {
  const AtomId *atoms;
  u32 n;
  u32 rel, sym; /* how many entries they have; then the first of each */
} Run;

typedef struct {
  const Link *l;
  Run *runs;
} RunJob;

static void count_runs(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  const RunJob *j = ctx;
  const Atoms *a = &j->l->atoms;
  for (u32 k = begin; k < end; k++) {
    Run *r = &j->runs[k];
    for (u32 i = 0; i < r->n; i++) {
      r->rel += a->nrel[r->atoms[i].i];
      r->sym += a->nsymrel[r->atoms[i].i];
    }
  }
}

static void number_runs(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  const RunJob *j = ctx;
  const Atoms *a = &j->l->atoms;
  for (u32 k = begin; k < end; k++) {
    const Run *r = &j->runs[k];
    u32 rel = r->rel, sym = r->sym;
    for (u32 i = 0; i < r->n; i++) {
      u32 id = r->atoms[i].i, nrel = a->nrel[id], nsym = a->nsymrel[id];
      a->reloff[id] = rel;
      if (nsym)
        a->symreloff[id] = sym;
      rel += nrel;
      sym += nsym;
    }
  }
}

static bool has_dynrels(const Osec *o) { return o->aflags & ATOM_ALLOC && o->dynrels; }

/* What is not loaded has none: its atoms must not take what is others'. */
static void drop_unloaded(Link *l, const Osec *o) {
  for (u32 i = 0; i < o->natoms; i++)
    if (l->atoms.nsymrel[o->atoms[i].i])
      l->atoms.symreloff[o->atoms[i].i] = UINT32_MAX;
}

/* Relative entries in order of addresses; symbolic ones likewise, as Link.dynrel has them: behind the relative
 * ones of .got. Sections of code mostly have none, and are the most. */
static void number_atoms(Link *l, u64 *nrel, u64 *nsym) {
  VEC(Run) runs = {0};
  for (u32 i = 0; i < l->norder; i++) {
    Osec *o = &l->osecs.at[l->order[i]];
    if (o->dynrels && !(o->aflags & ATOM_ALLOC))
      drop_unloaded(l, o);
    o->dynrels = has_dynrels(o);
    for (u32 at = 0; o->dynrels && at < o->natoms; at += RUN_ATOMS)
      *vec_push(&runs) = (Run){o->atoms + at, MIN(o->natoms - at, (u32)RUN_ATOMS), 0, 0};
  }
  RunJob j = {l, runs.at};
  pool_run(l->pool, runs.n, 4, count_runs, &j);
  u64 rel = 0, sym = got_relatives(l);
  u32 run = 0;
  for (u32 i = 0; i < l->norder; i++) {
    Osec *o = &l->osecs.at[l->order[i]];
    for (u32 at = 0; o->dynrels && at < o->natoms; at += RUN_ATOMS, run++) {
      u32 r = runs.at[run].rel, s = runs.at[run].sym;
      runs.at[run].rel = (u32)rel;
      runs.at[run].sym = (u32)sym;
      rel += r;
      sym += s;
    }
    o->reloff_end = (u32)rel;
  }
  pool_run(l->pool, runs.n, 4, number_runs, &j);
  vec_free(&runs);
  *nrel = rel;
  *nsym = sym - got_relatives(l);
}

static void make_rela_dyn(Link *l, u32 size) {
  Synth *dyn = &l->synths.at[SYN_RELA_DYN];
  u64 got = l->ndynrel_relative ? got_relatives(l) : 0;
  SynthPart *part = ARENA_ARRAY(&l->arena, SynthPart, 2);
  if (got)
    part[0] = (SynthPart){(u64)l->atoms.reloff[l->synths.at[SYN_GOT].atom.i] * size, got * size};
  part[got != 0] = (SynthPart){l->ndynrel_relative * size, (l->ndynrel - l->ndynrel_relative) * size};
  dyn->parts = part;
  dyn->nparts = got ? 2 : 1;
  dyn->write = rela_dyn_write;
  dyn->grain = (u64)size * 8192;
  dyn->late = true;
}

void dynrel_assign(Link *l) {
  Slots *s = l->slots;
  u64 nrel = 0, nsym = 0;
  count_synths(l);
  if (l->synths.at[SYN_RELA_DYN].size)
    number_atoms(l, &nrel, &nsym);
  u32 nifunc = 0;
  for (u32 i = 0; i < s->ifuncs.n; i++)
    if (in_memory(l, s->ifuncs.at[i].atom))
      s->ifuncs.at[nifunc++] = s->ifuncs.at[i];
  s->ifuncs.n = nifunc;
  s->ncanonical_ifuncs = 0;
  for (u32 i = 0; i < nifunc; i++) {
    const SymAux *x = sym_aux(l, s->ifuncs.at[i].sym);
    s->ncanonical_ifuncs += x && has_canonical_plt(l, x);
  }

  u32 size = l->format->dynrel_size;
  l->ndynrel_relative = nrel;
  l->ndynrel = nrel + nsym + s->ncanonical_ifuncs;
  l->ndynrel_kept = l->ndynrel - nrel + (nrel ? got_relatives(l) : 0);
  l->dynrel = l->ndynrel_kept ? pages_alloc(l->ndynrel_kept * sizeof(DynRel)) : NULL;
  set_size(l, SYN_RELA_DYN, l->ndynrel * size);
  make_rela_dyn(l, size);

  Synth *plt = &l->synths.at[SYN_RELA_PLT];
  set_size(l, SYN_RELA_PLT,
           ((u64)l->ngotplt + s->got_nirelative + s->ifuncs.n - s->ncanonical_ifuncs) * size);
  plt->write = rela_plt_write;

  if (l->opt->z_pack_relative_relocs && l->is_pic) {
    relr_collect(l);
    Synth *relr = &l->synths.at[SYN_RELR_DYN];
    relr->resize = relr_resize;
    relr->write = relr_write;
  }
}

/* ---- filling in ---- */

static void fill_got(Link *l) {
  u32 atom = l->synths.at[SYN_GOT].atom.i;
  u64 rel = 0, sym = l->atoms.symreloff[atom];
  bool packed = l->opt->z_pack_relative_relocs;
  if (!atom || !in_memory(l, atom))
    return;
  if (l->tlsld_got >= 0 && l->opt->kind == OUTPUT_SHARED)
    l->dynrel[sym++] = (DynRel){got_slot_addr(l, l->tlsld_got), 0, NO_SYM.i, DYN_DTPMOD};
  for (u32 i = 0; i < l->syms.nauxes; i++) {
    GotEntry e[GOT_ENTRIES_MAX];
    u32 n = got_entries(l, &l->syms.auxes[i], e);
    for (u32 k = 0; k < n; k++) {
      if (e[k].kind < 0 || e[k].kind == DYN_IRELATIVE || (e[k].kind == DYN_RELATIVE && packed))
        continue;
      u64 *at = e[k].kind == DYN_RELATIVE ? &rel : &sym;
      l->dynrel[(*at)++] =
          (DynRel){got_slot_addr(l, e[k].slot), e[k].addend, e[k].dynsym, (u32)e[k].kind};
    }
  }
}

static void fill_copies(Link *l) {
  const Slots *s = l->slots;
  u64 at[2], addr[2];
  bool loaded[2];
  for (int k = 0; k < 2; k++) {
    u32 synth = k ? SYN_DYNBSS_RELRO : SYN_DYNBSS;
    at[k] = l->atoms.symreloff[l->synths.at[synth].atom.i];
    loaded[k] = in_memory(l, l->synths.at[synth].atom.i);
    addr[k] = synth_addr(l, synth);
  }
  for (u32 i = 0; i < s->copies.n; i++) {
    const CopyReloc *c = &s->copies.at[i];
    if (loaded[c->relro])
      l->dynrel[at[c->relro]++] = (DynRel){addr[c->relro] + c->offset, 0, c->sym, DYN_COPY};
  }
}

static void fill_canonical_ifuncs(Link *l) {
  const Slots *s = l->slots;
  u64 at = l->ndynrel_kept - s->ncanonical_ifuncs;
  for (u32 i = 0; i < s->ifuncs.n; i++) {
    const IfuncRef *r = &s->ifuncs.at[i];
    const SymAux *x = sym_aux(l, r->sym);
    if (x && has_canonical_plt(l, x))
      l->dynrel[at++] = (DynRel){l->atoms.addr[r->atom] + r->offset,
                                 (i64)(plt_addr(l, x) + (u64)r->addend), NO_SYM.i, DYN_RELATIVE};
  }
}

static u32 dynsym_of(const Link *l, const DynRel *r) {
  const SymAux *x = r->sym == NO_SYM.i ? NULL : sym_aux(l, r->sym);
  return x && x->dynsym > 0 ? (u32)x->dynsym : 0;
}

/* The dynamic linker remembers the last symbol it looked up, so equal ones stand together; addresses keep
 * their order within a symbol (a counting sort is stable). */
static void group_by_symbol(Link *l) {
  u64 n = l->ndynrel - l->ndynrel_relative - l->slots->ncanonical_ifuncs;
  DynRel *r = l->dynrel + (l->ndynrel_kept - (l->ndynrel - l->ndynrel_relative));
  u32 max = 0;
  for (u64 i = 0; i < n; i++)
    max = MAX(max, dynsym_of(l, &r[i]));
  if (n < 2 || !max)
    return;
  u64 start_bytes = ((u64)max + 2) * sizeof(u32), bytes = n * sizeof(DynRel);
  u32 *start = pages_alloc(start_bytes);
  DynRel *sorted = pages_alloc(bytes);
  for (u64 i = 0; i < n; i++)
    start[dynsym_of(l, &r[i]) + 1]++;
  for (u32 i = 0; i < max; i++)
    start[i + 1] += start[i];
  for (u64 i = 0; i < n; i++)
    sorted[start[dynsym_of(l, &r[i])]++] = r[i];
  memcpy(r, sorted, bytes);
  pages_free(start, start_bytes);
  pages_free(sorted, bytes);
}

void dynrel_finish(Link *l) {
  if (!l->ndynrel_kept)
    return;
  fill_got(l);
  fill_copies(l);
  fill_canonical_ifuncs(l);
  group_by_symbol(l);
}
