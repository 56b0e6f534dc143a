/* got.c: slots. Runs the CPU's scan over all atoms, then gives every symbol that needs something its
 * places in .got, .got.plt, .plt and .dynbss, and writes what is in them.
 * The trap: which thread found a symbol first is chance. Everything that ends in the output is ordered by
 * sym_order(), and the facts of a symbol do not depend on the edge that brought it. */
#include <stdlib.h>

#include "core/resolve.h"
#include "core/scan.h"
#include "core/slots.h"

/* ---- scan ---- */

/* Relaxed GOT loads and %rip-relative code reach 2 GB. When the loaded content comes near that, loads
 * keep a GOT slot to fall back on. */
static const u64 far_limit = 0x70000000;

static void scan_chunk(void *ctx, u32 begin, u32 end, unsigned tid) {
  Link *l = ctx;
  l->arch->scan(l, (AtomRange){{begin + 1}, {end + 1}}, tid);
}

static void scan_all(Link *l) {
  if (l->atoms.n > 1)
    pool_run(l->pool, l->atoms.n - 1, 2048, scan_chunk, l);
}

static u64 scanned_bytes(const Link *l) {
  u64 n = 0;
  for (unsigned t = 0; t < pool_threads(l->pool); t++)
    n += l->slots->threads[t].alloc_bytes;
  return n;
}

void slots_scan(Link *l) {
  const Options *o = l->opt;
  unsigned nthreads = pool_threads(l->pool);
  l->slots = ARENA_NEW(&l->arena, Slots);
  l->slots->threads = ARENA_ARRAY(&l->arena, ScanThread, nthreads);
  l->tlsld_got = -1;
  /* Sections put at addresses of the user's choice may be anywhere. */
  l->slots->far_image = o->section_starts.n || o->has_ttext || o->has_tdata || o->has_tbss;
  scan_all(l);
  if (l->slots->far_image || scanned_bytes(l) <= far_limit)
    return;
  l->slots->far_image = true; /* once more: `needs` only grows, the lists start over */
  for (unsigned t = 0; t < nthreads; t++) {
    ScanThread *s = &l->slots->threads[t];
    s->ifuncs.n = s->relr.n = 0;
    s->alloc_bytes = s->nrel = s->nsymrel = 0;
  }
  scan_all(l);
}

/* ---- SymAux ---- */

SymAux *sym_aux_add(Link *l, u32 sym) {
  Symbols *s = &l->syms;
  if (s->aux[sym])
    return &s->auxes[s->aux[sym] - 1];
  if (s->nauxes == s->cap_auxes)
    s->auxes = vec_grow(s->auxes, &s->cap_auxes, s->nauxes + 1, sizeof *s->auxes);
  SymAux *x = &s->auxes[s->nauxes++];
  *x = (SymAux){.sym = sym, .got = -1, .gottp = -1, .tlsgd = -1, .tlsdesc = -1, .gotplt = -1,
                .plt = -1, .pltgot = -1, .dynsym = -1, .copy = -1};
  s->aux[sym] = s->nauxes;
  if (sym >= s->nglobal) {
    x->file = local_owner(l, sym).i;
    x->index = sym - l->files.at[x->file].local_base;
  } else if (key_rank(s->key[sym]) < RANK_NONE) {
    x->file = key_file(s->key[sym]);
    x->index = key_index(s->key[sym]);
  }
  return x;
}

typedef struct {
  u64 order;
  u32 sym, flags;
} OrderedSym;

static int ordered_cmp(const void *pa, const void *pb) {
  const OrderedSym *a = pa, *b = pb;
  if (a->order != b->order)
    return a->order < b->order ? -1 : 1;
  return a->sym < b->sym ? -1 : a->sym > b->sym;
}

/* Joins the threads' lists: SymAux in order of the definitions. */
static void collect_needed(Link *l) {
  Slots *s = l->slots;
  VEC(OrderedSym) all = {0};
  for (unsigned t = 0; t < pool_threads(l->pool); t++) {
    ScanThread *th = &s->threads[t];
    for (u32 i = 0; i < th->needed.n; i++) {
      NeededSym n = th->needed.at[i];
      *vec_push(&all) = (OrderedSym){sym_order(l, n.sym), n.sym, n.flags};
    }
    vec_free(&th->needed);
    s->uses_got_base |= th->uses_got_base;
    s->uses_tlsld |= th->uses_tlsld;
    l->has_textrel |= th->has_textrel;
    l->has_static_tls |= th->has_static_tls;
    l->has_ifunc |= th->has_ifunc;
  }
  l->uses_tlsld = s->uses_tlsld;
  if (all.n)
    qsort(all.at, all.n, sizeof *all.at, ordered_cmp);
  for (u32 i = 0; i < all.n; i++)
    sym_aux_add(l, all.at[i].sym)->flags = (u16)all.at[i].flags;
  vec_free(&all);
}

static int ifunc_cmp(const void *pa, const void *pb) {
  const IfuncRef *a = pa, *b = pb;
  if (a->atom != b->atom)
    return a->atom < b->atom ? -1 : 1;
  return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static void collect_ifunc_refs(Link *l) {
  Slots *s = l->slots;
  for (unsigned t = 0; t < pool_threads(l->pool); t++) {
    ScanThread *th = &s->threads[t];
    for (u32 i = 0; i < th->ifuncs.n; i++)
      *vec_push(&s->ifuncs) = th->ifuncs.at[i];
    vec_free(&th->ifuncs);
  }
  if (s->ifuncs.n)
    qsort(s->ifuncs.at, s->ifuncs.n, sizeof *s->ifuncs.at, ifunc_cmp);
}

/* ---- copy relocations ---- */

typedef struct {
  u64 value, size, align;
  u32 file, sym;
  u32 next; /* order among the copies */
  bool relro;
  u64 offset;
} Copy;

static int copy_cmp(const void *pa, const void *pb) {
  const Copy *a = pa, *b = pb;
  if (a->file != b->file)
    return a->file < b->file ? -1 : 1;
  if (a->value != b->value)
    return a->value < b->value ? -1 : 1;
  return a->next < b->next ? -1 : a->next > b->next;
}

/* Sets the copy on every symbol of the library that has the address of one of c[0..n): if `environ` is
 * copied, `__environ` must move too, or library and program would see two variables. */
static void mark_aliases(Link *l, const Copy *c, u32 n) {
  const File *f = &l->files.at[c->file];
  for (u32 i = f->first_global; i < f->nsyms; i++) {
    u32 sym = f->globals[i - f->first_global];
    if (sym >= l->syms.nglobal)
      continue;
    u64 key = l->syms.key[sym];
    SharedSym d;
    if (key_rank(key) >= RANK_NONE || key_file(key) != c->file || key_index(key) != i ||
        !(l->syms.flags[sym] & SF_SHARED) ||
        !l->format->shared_symbol(l, (FileId){c->file}, i, &d))
      continue;
    u32 lo = FIRST_NOT(n, k, c[k].value < d.value);
    if (lo == n || c[lo].value != d.value)
      continue;
    SymAux *x = sym_aux_add(l, sym);
    x->copy = (i64)c[lo].offset;
    x->copy_relro = c[lo].relro;
    l->syms.flags[sym] |= SF_COPY | SF_EXPORTED;
    l->syms.needs[sym] |= NEED_DYNSYM;
  }
}

static void set_size(Link *l, u32 synth, u64 size, u64 align);

static void allocate_copies(Link *l) {
  Slots *s = l->slots;
  VEC(Copy) all = {0};
  for (u32 i = 0; i < l->syms.nauxes; i++) {
    const SymAux *x = &l->syms.auxes[i];
    if (!(l->syms.needs[x->sym] & NEED_COPY))
      continue;
    SharedSym d;
    if (!l->format->shared_symbol(l, (FileId){x->file}, x->index, &d) || !d.size) {
      diag_error(l->diag, "copy-relocation",
                 "%s: cannot create a copy relocation for %s, whose size or place in the library is "
                 "unknown; recompile with -fPIE or -fPIC",
                 file_name(l, (FileId){x->file}), diag_name(l->diag, sym_name(l, x->sym)));
      continue;
    }
    *vec_push(&all) = (Copy){.value = d.value, .size = d.size, .align = MAX(d.align, 1),
                             .file = x->file, .sym = x->sym, .next = i,
                             .relro = d.readonly && l->opt->z_relro};
  }
  if (all.n)
    qsort(all.at, all.n, sizeof *all.at, copy_cmp);

  u64 size[2] = {0}, align[2] = {1, 1};
  u32 n = 0; /* one for each address */
  for (u32 i = 0; i < all.n; i++) {
    Copy *c = &all.at[i];
    if (n && all.at[n - 1].file == c->file && all.at[n - 1].value == c->value) {
      all.at[n - 1].size = MAX(all.at[n - 1].size, c->size);
      all.at[n - 1].align = MAX(all.at[n - 1].align, c->align);
      continue;
    }
    all.at[n++] = *c;
  }
  for (u32 i = 0; i < n; i++) {
    Copy *c = &all.at[i];
    c->offset = align_up(size[c->relro], c->align);
    size[c->relro] = c->offset + c->size;
    align[c->relro] = MAX(align[c->relro], c->align);
    *vec_push(&s->copies) = (CopyReloc){c->sym, c->relro, c->offset};
  }
  for (u32 i = 0, end; i < n; i = end) {
    for (end = i + 1; end < n && all.at[end].file == all.at[i].file; end++) {
    }
    mark_aliases(l, &all.at[i], end - i);
  }
  vec_free(&all);
  set_size(l, SYN_DYNBSS, size[0], align[0]);
  set_size(l, SYN_DYNBSS_RELRO, size[1], align[1]);
}

/* ---- slots ---- */

static void allocate_got(Link *l) {
  i32 n = 0;
  if (l->slots->uses_tlsld) {
    l->tlsld_got = n;
    n += 2;
  }
  for (u32 i = 0; i < l->syms.nauxes; i++) {
    SymAux *x = &l->syms.auxes[i];
    u8 needs = l->syms.needs[x->sym];
    if (needs & NEED_GOT)
      x->got = n++;
    if (needs & NEED_GOTTP)
      x->gottp = n++;
    if (needs & NEED_TLSGD) {
      x->tlsgd = n;
      n += 2;
    }
    if (needs & NEED_TLSDESC) {
      x->tlsdesc = n;
      n += 2;
    }
  }
  l->ngot = (u32)n;
}

/* Entries that end in IRELATIVE come last, and so do their relocations: a resolver may call functions
 * through the other entries. A symbol that has a GOT slot anyway needs no second one for its PLT entry,
 * unless the entry is its address: then the slot would point to the entry that jumps through it. */
static void allocate_plt(Link *l) {
  for (int ifunc = 0; ifunc < 2; ifunc++) {
    for (u32 i = 0; i < l->syms.nauxes; i++) {
      SymAux *x = &l->syms.auxes[i];
      u8 needs = l->syms.needs[x->sym];
      if (!(needs & (NEED_PLT | NEED_CPLT)) || is_local_ifunc(slot_flags(l, x)) != (ifunc != 0))
        continue;
      if (x->got >= 0 && !(needs & NEED_CPLT)) {
        x->pltgot = (i32)l->npltgot++;
        continue;
      }
      x->plt = (i32)l->nplt++;
      x->gotplt = x->plt;
      l->slots->nplt_ifunc += ifunc != 0;
      if ((needs & NEED_CPLT) && !ifunc && x->sym < l->syms.nglobal)
        l->syms.flags[x->sym] |= SF_COPY;
    }
  }
  l->ngotplt = l->nplt;
}

/* ---- what is in .got ---- */

u64 slot_target(const Link *l, u32 sym) {
  if (sym < l->syms.nglobal)
    return l->syms.value[sym];
  FileId f = local_owner(l, sym);
  return l->format->local_value(l, f, sym - l->files.at[f.i].local_base);
}

/* `placed`: addresses are known. */
static GotEntry got_address(const Link *l, const SymAux *x, u32 flags, bool placed) {
  GotEntry e = {.slot = x->got, .kind = -1, .dynsym = NO_SYM.i};
  if (x->copy >= 0) {
    e.value = placed ? copy_addr(l, x) : 0;
  } else if (has_canonical_plt(l, x)) {
    e.value = placed ? plt_addr(l, x) : 0;
  } else if (flags & SF_IMPORTED) {
    e.kind = DYN_GLOB_DAT;
    e.dynsym = x->sym;
    return e;
  } else if (flags & SF_UNDEFINED) {
    return e;
  } else {
    e.value = placed ? slot_target(l, x->sym) : 0;
    if (flags & SF_IFUNC) {
      e.kind = DYN_IRELATIVE;
      e.addend = (i64)e.value;
      return e;
    }
    if (flags & SF_ABSOLUTE)
      return e;
  }
  if (l->is_pic) {
    e.kind = DYN_RELATIVE;
    e.addend = (i64)e.value;
  }
  return e;
}

static u32 entries_of(const Link *l, const SymAux *x, GotEntry out[GOT_ENTRIES_MAX], bool placed) {
  u32 n = 0, flags = slot_flags(l, x);
  bool shared = l->opt->kind == OUTPUT_SHARED;
  bool imported = flags & SF_IMPORTED, absent = !imported && (flags & SF_UNDEFINED);
  u32 dynsym = imported ? x->sym : NO_SYM.i;
  u64 offset = 0; /* in the TLS block */
  if (x->got >= 0)
    out[n++] = got_address(l, x, flags, placed);
  if (x->gottp < 0 && x->tlsgd < 0 && x->tlsdesc < 0)
    return n;
  if (placed && !imported && !absent)
    offset = slot_target(l, x->sym) - l->tls_begin;
  if (x->gottp >= 0) {
    GotEntry e = {x->gottp, -1, dynsym, 0, (i64)offset};
    if (imported || (shared && !absent))
      e.kind = DYN_TPOFF;
    else if (placed && !absent)
      e.value = (u64)l->arch->tp_offset(l, l->tls_begin + offset);
    out[n++] = e;
  }
  if (x->tlsgd >= 0) {
    GotEntry module = {x->tlsgd, -1, dynsym, 0, 0}, off = {x->tlsgd + 1, -1, dynsym, offset, 0};
    if (imported)
      off.kind = DYN_DTPOFF;
    if (imported || shared)
      module.kind = DYN_DTPMOD;
    else
      module.value = 1; /* the executable */
    out[n++] = module;
    out[n++] = off;
  }
  if (x->tlsdesc >= 0)
    out[n++] = (GotEntry){x->tlsdesc, DYN_TLSDESC, dynsym, 0, (i64)offset};
  return n;
}

u32 got_entries(const Link *l, const SymAux *x, GotEntry out[GOT_ENTRIES_MAX]) {
  return entries_of(l, x, out, true);
}

u32 got_kinds(const Link *l, const SymAux *x, GotEntry out[GOT_ENTRIES_MAX]) {
  return entries_of(l, x, out, false);
}

static void count_got_dynrels(Link *l) {
  Slots *s = l->slots;
  if (l->tlsld_got >= 0 && l->opt->kind == OUTPUT_SHARED)
    s->got_nsymrel++;
  for (u32 i = 0; i < l->syms.nauxes; i++) {
    GotEntry e[GOT_ENTRIES_MAX];
    u32 n = got_kinds(l, &l->syms.auxes[i], e);
    for (u32 k = 0; k < n; k++) {
      if (e[k].kind == DYN_RELATIVE)
        s->got_nrel++;
      else if (e[k].kind == DYN_IRELATIVE)
        s->got_nirelative++;
      else if (e[k].kind >= 0)
        s->got_nsymrel++;
    }
  }
}

static void put_slot(const Link *l, u8 *out, u32 slot, u64 v) {
  if (l->arch->got_slot_size == 8)
    wr64(out + 8ull * slot, v);
  else
    wr32(out + 4ull * slot, (u32)v);
}

/* What stands in a slot that has a dynamic relocation is its addend, when it has no room for one itself. A TLS descriptor has it in
 * the second of its two words (the TLSDESC specification). */
static void put_entry(const Link *l, u8 *out, const GotEntry *e) {
  if (e->kind < 0 || (e->kind == DYN_RELATIVE && l->opt->z_pack_relative_relocs))
    put_slot(l, out, (u32)e->slot, e->value);
  else if (l->format->rel)
    put_slot(l, out, (u32)e->slot + (e->kind == DYN_TLSDESC), (u64)e->addend);
}

static void got_write(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  (void)s, (void)off, (void)len; /* grain 0: whole */
  if (l->tlsld_got >= 0 && l->opt->kind != OUTPUT_SHARED)
    put_slot(l, out, (u32)l->tlsld_got, 1);
  for (u32 i = 0; i < l->syms.nauxes; i++) {
    GotEntry e[GOT_ENTRIES_MAX];
    u32 n = got_entries(l, &l->syms.auxes[i], e);
    for (u32 k = 0; k < n; k++)
      put_entry(l, out, &e[k]);
  }
}

/* The first slot is the address of .dynamic, the next two are the dynamic linker's. A lazy slot points
 * back into its PLT entry, behind the jump; that of a local IFUNC is its resolver's, as for any other addend. */
static void gotplt_write(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  (void)s, (void)off, (void)len;
  put_slot(l, out, 0, synth_addr(l, SYN_DYNAMIC));
  u64 entry = synth_addr(l, SYN_PLT) + l->arch->plt_header_size + (uses_plt_sec(l) ? 0 : 6);
  for (u32 i = 0; i < l->nplt - l->slots->nplt_ifunc; i++)
    put_slot(l, out, l->arch->gotplt_reserved + i, entry + (u64)i * l->arch->plt_entry_size);
  for (u32 i = 0; l->format->rel && l->slots->nplt_ifunc && i < l->syms.nauxes; i++) {
    const SymAux *x = &l->syms.auxes[i];
    if (x->gotplt >= 0 && is_local_ifunc(slot_flags(l, x)))
      put_slot(l, out, l->arch->gotplt_reserved + (u32)x->gotplt, slot_target(l, x->sym));
  }
}

static void plt_write(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  (void)s, (void)off, (void)len;
  l->arch->write_plt(l, out);
}
static void plt_sec_write(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  (void)s, (void)off, (void)len;
  l->arch->write_plt_sec(l, out);
}
static void plt_got_write(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  (void)s, (void)off, (void)len;
  l->arch->write_plt_got(l, out);
}

static u32 plt_got_entry(const Link *l) {
  return uses_plt_sec(l) ? l->arch->plt_sec_entry_size : l->arch->plt_got_entry_size;
}

u32 plt_place(const Link *l, const SymAux *x, u64 *off) {
  if (x->plt < 0) {
    *off = (u64)x->pltgot * plt_got_entry(l);
    return SYN_PLT_GOT;
  }
  *off = uses_plt_sec(l) ? (u64)x->plt * l->arch->plt_sec_entry_size : l->arch->plt_header_size + (u64)x->plt * l->arch->plt_entry_size;
  return uses_plt_sec(l) ? SYN_PLT_SEC : SYN_PLT;
}

u64 plt_addr(const Link *l, const SymAux *x) {
  u64 off;
  u32 synth = plt_place(l, x, &off);
  return synth_addr(l, synth) + off;
}

/* ---- sizes ---- */

static void set_size(Link *l, u32 synth, u64 size, u64 align) {
  Synth *s = &l->synths.at[synth];
  s->size = size;
  s->p2align = MAX(s->p2align, log2_u64(align));
  if (s->atom.i) {
    l->atoms.at[s->atom.i].size = size;
    l->atoms.at[s->atom.i].p2align = s->p2align;
  }
}

static void size_sections(Link *l) {
  const Arch *a = l->arch;
  u32 slot = a->got_slot_size, word = l->format->word;
  bool gotplt = l->is_dynamic || l->ngotplt || l->slots->uses_got_base || got_base_is_wanted(l);
  set_size(l, SYN_GOT, slot * (u64)l->ngot, slot);
  set_size(l, SYN_GOT_PLT, gotplt ? slot * ((u64)a->gotplt_reserved + l->ngotplt) : 0, slot);
  set_size(l, SYN_PLT, l->nplt ? a->plt_header_size + (u64)l->nplt * a->plt_entry_size : 0, 16);
  set_size(l, SYN_PLT_SEC, uses_plt_sec(l) ? (u64)l->nplt * a->plt_sec_entry_size : 0, 16);
  set_size(l, SYN_PLT_GOT, (u64)l->npltgot * plt_got_entry(l), plt_got_entry(l));
  l->synths.at[SYN_GOT].write = got_write;
  l->synths.at[SYN_GOT_PLT].write = gotplt_write;
  l->synths.at[SYN_PLT].write = plt_write;
  l->synths.at[SYN_PLT_SEC].write = plt_sec_write;
  l->synths.at[SYN_PLT_GOT].write = plt_got_write;

  /* Enough to know which of these exist; dynrel_assign has the last word. */
  const Slots *s = l->slots;
  u64 nrel = s->got_nrel, nsym = s->got_nsymrel + (u64)s->copies.n, nrelr = 0;
  for (unsigned t = 0; t < pool_threads(l->pool); t++) {
    nrel += s->threads[t].nrel;
    nsym += s->threads[t].nsymrel;
    nrelr += s->threads[t].relr.n;
  }
  if (l->opt->z_pack_relative_relocs) {
    nrelr += s->got_nrel;
    nrel -= s->got_nrel;
  }
  u64 n = nrel + nsym + s->ncanonical_ifuncs;
  u64 nplt = (u64)l->ngotplt + s->got_nirelative + s->ifuncs.n - s->ncanonical_ifuncs;
  set_size(l, SYN_RELA_DYN, n * l->format->dynrel_size, word);
  set_size(l, SYN_RELA_PLT, nplt * l->format->dynrel_size, word);
  set_size(l, SYN_RELR_DYN, nrelr ? word : 0, word);
}

void got_allocate(Link *l) {
  Slots *s = l->slots;
  collect_needed(l);
  collect_ifunc_refs(l);
  allocate_copies(l);
  allocate_got(l);
  allocate_plt(l);
  for (u32 i = 0; i < s->ifuncs.n; i++) {
    const SymAux *x = sym_aux(l, s->ifuncs.at[i].sym);
    s->ncanonical_ifuncs += x && has_canonical_plt(l, x);
  }
  count_got_dynrels(l);
  size_sections(l);
  if (l->has_textrel &&
      (l->opt->warn_textrel || (l->opt->warn_shared_textrel && l->opt->kind == OUTPUT_SHARED)))
    diag_warn(l->diag, "text-relocation", "creating a DT_TEXTREL in an output file");
}

void slots_symbol_values(Link *l) {
  for (u32 i = 0; i < l->syms.nauxes; i++) {
    const SymAux *x = &l->syms.auxes[i];
    if (x->sym >= l->syms.nglobal || !(l->syms.flags[x->sym] & SF_COPY))
      continue;
    l->syms.value[x->sym] = x->copy >= 0 ? copy_addr(l, x) : plt_addr(l, x);
  }
}

static void find_near(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  Link *l = ctx;
  const Symbols *s = &l->syms;
  for (u32 i = begin; i < end; i++) {
    const SymAux *x = s->flags[i] & l->arch->special ? sym_aux(l, i) : NULL;
    if (!(s->flags[i] & l->arch->special))
      s->near[i] = s->value[i];
    else if (x && x->copy >= 0)
      s->near[i] = copy_addr(l, x);
    else
      s->near[i] = x && (x->plt >= 0 || x->pltgot >= 0) ? plt_addr(l, x) : UINT64_MAX;
  }
}

void slots_near(Link *l) {
  pool_run(l->pool, l->syms.nglobal, 16384, find_near, l);
}


void slots_free(Link *l) {
  Slots *s = l->slots;
  free(l->syms.auxes);
  l->syms.auxes = NULL;
  l->syms.nauxes = l->syms.cap_auxes = 0;
  if (!s)
    return;
  for (unsigned t = 0; t < pool_threads(l->pool); t++) {
    vec_free(&s->threads[t].needed);
    vec_free(&s->threads[t].ifuncs);
    vec_free(&s->threads[t].relr);
  }
  vec_free(&s->copies);
  vec_free(&s->ifuncs);
  pages_free(s->relr, s->relr_bytes);
  pages_free(l->dynrel, l->ndynrel_kept * sizeof(DynRel));
  l->dynrel = NULL;
  l->slots = NULL;
}
