/* unwind_macho.c: see unwind_macho.h. The trap: __unwind_info says of a function without unwind information that it has none, or
 * the function before it would seem to go on; so every symbol in code counts, not only those with entries. */
#include "unwind_macho.h"

#include <stdlib.h>

#include "core/bind.h"
#include "format/macho_object.h"
#include "write/macho_unwind_info.h"

enum { SERIAL_FILES = 16 };

/* What a CPU's compact encodings mean, as far as a linker has to know. */
typedef struct {
  u32 cputype;
  u32 dwarf;  /* mode: the low bits are an offset in __eh_frame */
  u32 unique; /* mode: looks into the function's code, 0: none does */
} CpuUnwind;

static const CpuUnwind cpus[] = {
    {CPU_TYPE_X86_64, UNWIND_X86_64_MODE_DWARF, UNWIND_X86_64_MODE_STACK_IND},
    {CPU_TYPE_ARM64, UNWIND_ARM64_MODE_DWARF, 0},
};

static const CpuUnwind *cpu_of(const MachoObject *o) {
  for (u32 i = 0; i < COUNT_OF(cpus); i++)
    if (cpus[i].cputype == o->header->cputype)
      return &cpus[i];
  return &cpus[0]; /* the reader refuses other objects */
}

/* A routine that handles exceptions. Two names for one place are one. */
typedef struct {
  u32 sym;
  u32 atom; /* 0: not defined here */
  i64 off;  /* in it */
} Personality;

/* A function, or what begins with a symbol and has no entry. */
typedef struct {
  u64 offset, lsda_off;
  u32 atom, length;
  u32 encoding;
  u32 lsda;       /* AtomId, 0: none */
  u8 personality; /* + 1 */
  u8 source;      /* Source */
  bool unique;
} Range;
typedef enum { FROM_FDE, FROM_COMPACT, FROM_SYMBOL } Source; /* of several for one place the first counts */

typedef VEC(Range) Ranges;

struct MachoUnwindTable {
  u64 base;
  Personality personalities[MACHO_UNWIND_PERSONALITIES];
  u32 npersonalities;
  Ranges *by_file;
  Range *ranges; /* of all files */
  u32 n;
};

static bool is_object(const File *f) { return f->live && f->kind == FILE_OBJECT && f->fmt; }
static bool stays(const Link *l, u32 atom) { return (l->atoms.flags[atom] & ATOM_FOLDED) == ATOM_LIVE; }
static u32 sym_of(const File *f, u32 index) {
  return index >= f->first_global ? f->globals[index - f->first_global] : f->local_base + index;
}

/* ---- __eh_frame ---- */

void macho_unwind_init(Link *l) {
  for (u32 i = l->synths.n ? l->synths.n : 1; i < SYN_COUNT; i++) {
    Synth s = {.p2align = 3};
    if (i == SYN_EH_FRAME) {
      s.name = "__TEXT,__eh_frame";
      s.type = S_COALESCED;
      s.attr = S_ATTR_NO_TOC | S_ATTR_STRIP_STATIC_SYMS | S_ATTR_LIVE_SUPPORT;
    }
    synth_add(l, &s);
  }
}

typedef struct {
  u32 atom;
  u64 offset;
} Place;

static int place_order(const void *a, const void *b) {
  const Place *x = a, *y = b;
  if (x->atom != y->atom)
    return x->atom < y->atom ? -1 : 1;
  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Does the entry say all there is to know? Then nobody needs the function's FDE. */
static bool is_complete(const CpuUnwind *cpu, u32 encoding) {
  return encoding && (encoding & UNWIND_MODE_MASK) != cpu->dwarf;
}

static void drop_fdes(Link *l, u32 file) {
  const File *f = &l->files.at[file];
  const MachoObject *o = f->fmt;
  const CpuUnwind *cpu = cpu_of(o);
  EhWindow w = {0};
  u32 n = 0;
  Place *complete = heap_alloc(o->nunwind * sizeof *complete);
  bool *drop = heap_alloc(f->eh.nfdes);
  for (u32 i = 0; i < o->nunwind; i++)
    if (is_complete(cpu, o->unwind[i].encoding))
      complete[n++] = (Place){f->atom_base + o->unwind[i].atom, o->unwind[i].offset};
  if (n)
    qsort(complete, n, sizeof *complete, place_order);
  for (u32 i = 0; i < f->eh.nfdes && n; i++) {
    EhRange r;
    if (ehframe_range(l, (FileId){file}, &f->eh.fdes[i], &w, &r)) {
      Place key = {r.atom.i, r.off};
      drop[i] = bsearch(&key, complete, n, sizeof key, place_order) != NULL;
    }
  }
  ehframe_drop(l, (FileId){file}, drop);
  free(drop);
  free(complete);
}

static void drop_in_files(void *ctx, u32 begin, u32 end, unsigned tid) {
  Link *l = ctx;
  (void)tid;
  for (u32 i = begin; i < end; i++)
    if (is_object(&l->files.at[i]) && l->files.at[i].eh.nfdes)
      drop_fdes(l, i);
}

void macho_unwind_parse(Link *l) {
  ehframe_parse(l);
  pool_run(l->pool, l->files.n, SERIAL_FILES, drop_in_files, l);
}

/* ---- personality routines ---- */

static Personality personality_of(const Link *l, u32 file, u32 index) {
  Personality p = {.sym = sym_of(&l->files.at[file], index)};
  Edge e = {.target = p.sym};
  p.atom = l->format->edge_atom(l, (FileId){file}, &e, &p.off).i;
  return p;
}

/* Its number from 1 on; 0: there is no room for another. */
static u32 find_personality(const MachoUnwindTable *t, const Personality *p) {
  for (u32 i = 0; i < t->npersonalities; i++) {
    const Personality *q = &t->personalities[i];
    if (p->sym == q->sym || (p->atom && p->atom == q->atom && p->off == q->off))
      return i + 1;
  }
  return 0;
}

/* The names in the message are those of the first files that need them. */
static void report_too_many(Link *l, const MachoUnwindTable *t, const Personality *p) {
  diag_error(l->diag, "unwind", "too many personality routines, compact unwind has room for 3: '%s', '%s', '%s' and '%s'",
             sym_name(l, t->personalities[0].sym), sym_name(l, t->personalities[1].sym), sym_name(l, t->personalities[2].sym),
             sym_name(l, p->sym));
}

static bool add_personality(Link *l, MachoUnwindTable *t, u32 file, u32 index) {
  Personality p = personality_of(l, file, index);
  if (find_personality(t, &p))
    return true;
  if (t->npersonalities == MACHO_UNWIND_PERSONALITIES) {
    report_too_many(l, t, &p);
    return false;
  }
  t->personalities[t->npersonalities++] = p;
  bind_need_got(l, p.sym);
  return true;
}

static bool scan_compact(Link *l, MachoUnwindTable *t, u32 file) {
  const File *f = &l->files.at[file];
  const MachoObject *o = f->fmt;
  const CpuUnwind *cpu = cpu_of(o);
  u32 last = 0; /* nearly always the one before */
  for (u32 i = 0; i < o->nunwind; i++) {
    const MachoUnwind *u = &o->unwind[i];
    if (!u->personality || u->personality == last || !is_complete(cpu, u->encoding) || !stays(l, f->atom_base + u->atom))
      continue;
    if (!add_personality(l, t, file, u->personality))
      return false;
    last = u->personality;
  }
  return true;
}

/* FDEs name theirs in the CIE, as the address of a slot. */
static void scan_fdes(Link *l, u32 file) {
  const FileEh *eh = &l->files.at[file].eh;
  u32 last = UINT32_MAX;
  for (u32 i = 0; i < eh->nfdes; i++) {
    if (eh->fdes[i].cie == last || !stays(l, eh->fdes[i].target))
      continue;
    last = eh->fdes[i].cie;
    EdgeCursor c = {0};
    Edge e[EDGE_BATCH];
    for (u32 n; (n = ehframe_edges(l, (FileId){file}, &eh->cies[last], &c, e));)
      for (u32 k = 0; k < n; k++)
        if (e[k].target != NO_SYM.i && edge_class(l->arch, e[k].kind) == EC_GOT)
          bind_need_got(l, e[k].target);
  }
}

MachoUnwindTable *macho_unwind_scan(Link *l) {
  MachoUnwindTable *t = ARENA_NEW(&l->arena, MachoUnwindTable);
  for (u32 i = 0; i < l->files.n; i++) {
    if (!is_object(&l->files.at[i]))
      continue;
    scan_fdes(l, i);
    if (!scan_compact(l, t, i))
      break;
  }
  return t;
}

/* ---- ranges ---- */

static int range_order(const void *a, const void *b) {
  const Range *x = a, *y = b;
  if (x->atom != y->atom)
    return x->atom < y->atom ? -1 : 1;
  if (x->offset != y->offset)
    return x->offset < y->offset ? -1 : 1;
  if (x->source != y->source)
    return x->source < y->source ? -1 : 1;
  return x->length < y->length ? -1 : x->length > y->length;
}

/* Tables may be folded, too. After layout the one that was has the address of the one that stands for it; rounds of layout want to know
 * before. */
static u32 in_output(const Link *l, u32 atom) { return (l->atoms.flags[atom] & ATOM_FOLDED) == ATOM_FOLDED ? l->atoms.at[atom].link : atom; }

static void add_compact(const Link *l, const MachoUnwindTable *t, u32 file, Ranges *v) {
  const File *f = &l->files.at[file];
  const MachoObject *o = f->fmt;
  const CpuUnwind *cpu = cpu_of(o);
  for (u32 i = 0; i < o->nunwind; i++) {
    const MachoUnwind *u = &o->unwind[i];
    u32 atom = f->atom_base + u->atom;
    if (!is_complete(cpu, u->encoding) || !stays(l, atom))
      continue;
    Range r = {.atom = atom, .offset = u->offset, .length = u->length, .encoding = u->encoding & ~UNWIND_PERSONALITY_MASK,
               .source = FROM_COMPACT, .unique = cpu->unique && (u->encoding & UNWIND_MODE_MASK) == cpu->unique};
    if (u->lsda) {
      r.lsda = in_output(l, f->atom_base + u->lsda);
      r.lsda_off = u->lsda_offset;
    }
    if (u->personality) {
      Personality p = personality_of(l, file, u->personality);
      r.personality = (u8)find_personality(t, &p);
    }
    *vec_push(v) = r;
  }
}

static void add_fdes(const Link *l, u32 file, Ranges *v) {
  const File *f = &l->files.at[file];
  u32 dwarf = cpu_of(f->fmt)->dwarf;
  EhWindow w = {0};
  for (u32 i = 0; i < f->eh.nfdes; i++) {
    const EhRecord *fde = &f->eh.fdes[i];
    EhRange r;
    if (fde->out == EH_DROPPED || !ehframe_range(l, (FileId){file}, fde, &w, &r) || !stays(l, r.atom.i))
      continue;
    /* A hint: unwinders search from there on, so the start of the section does for all. */
    u32 hint = fde->out <= UNWIND_DWARF_SECTION_OFFSET ? fde->out : 0;
    *vec_push(v) = (Range){.atom = r.atom.i, .offset = r.off, .length = (u32)MIN(r.length, (u64)UINT32_MAX), .encoding = dwarf | hint,
                           .lsda = in_output(l, r.lsda.i), .lsda_off = (u64)r.lsda_off, .source = FROM_FDE};
  }
}

static bool is_code(const Link *l, u32 atom) { return stays(l, atom) && l->atoms.flags[atom] & ATOM_EXEC; }

static void add_atoms(const Link *l, u32 file, Ranges *v) {
  const File *f = &l->files.at[file];
  for (u32 a = f->atom_base + 1; a < f->atom_base + f->natoms; a++)
    if (is_code(l, a))
      *vec_push(v) = (Range){.atom = a, .source = FROM_SYMBOL};
}

static void add_symbols(const Link *l, u32 file, Ranges *v) {
  const File *f = &l->files.at[file];
  const MachoObject *o = f->fmt;
  for (u32 i = f->natoms; i < f->nsyms; i++) {
    const MachoSymbol *s = macho_symbol(o, i);
    if (s->atom && s->value && is_code(l, f->atom_base + s->atom))
      *vec_push(v) = (Range){.atom = f->atom_base + s->atom, .offset = s->value, .source = FROM_SYMBOL};
  }
}

enum { SOURCES = 4 };

static void sort_ranges(Range *r, u32 n) {
  for (u32 i = 1; i < n; i++) /* nearly always sorted already */
    if (range_order(&r[i - 1], &r[i]) > 0) {
      qsort(r, n, sizeof *r, range_order);
      return;
    }
}

/* Joins the sorted lists, of which list i ends at end[i], to one. */
static Ranges merge_ranges(const Ranges *v, const u32 *end) {
  Ranges out = {0};
  u32 at[SOURCES] = {0, end[0], end[1], end[2]};
  vec_reserve(&out, v->n);
  while (out.n < v->n) {
    u32 best = SOURCES;
    for (u32 i = 0; i < SOURCES; i++)
      if (at[i] < end[i] && (best == SOURCES || range_order(&v->at[at[i]], &v->at[at[best]]) < 0))
        best = i;
    out.at[out.n++] = v->at[at[best]++];
  }
  return out;
}

/* Leaves out symbols in what an entry covers, and all but one of what begins at one place; says how long the rest is. */
static void settle(const Link *l, Ranges *v) {
  u32 kept = 0;
  u64 covered = 0; /* of the atom in hand */
  for (u32 i = 0; i < v->n; i++) {
    Range *r = &v->at[i];
    bool same_atom = kept && v->at[kept - 1].atom == r->atom;
    if (!same_atom)
      covered = 0;
    else if (v->at[kept - 1].offset == r->offset || (r->source == FROM_SYMBOL && r->offset < covered))
      continue;
    if (r->source == FROM_SYMBOL) {
      u64 next = i + 1 < v->n && v->at[i + 1].atom == r->atom ? v->at[i + 1].offset : l->atoms.at[r->atom].size;
      if (next <= r->offset) /* another name for the next one, a name for the end, an empty section's */
        continue;
      r->length = (u32)MIN(next - r->offset, (u64)UINT32_MAX);
    } else {
      covered = MAX(covered, r->offset + r->length);
    }
    v->at[kept++] = *r;
  }
  v->n = kept;
}

static Ranges collect_file(const Link *l, const MachoUnwindTable *t, u32 file) {
  Ranges all = {0};
  u32 end[SOURCES];
  add_fdes(l, file, &all);
  end[0] = all.n;
  add_compact(l, t, file, &all);
  end[1] = all.n;
  add_atoms(l, file, &all);
  end[2] = all.n;
  add_symbols(l, file, &all);
  end[3] = all.n;
  for (u32 i = 0; i < SOURCES; i++) {
    u32 begin = i ? end[i - 1] : 0;
    if (end[i] > begin)
      sort_ranges(all.at + begin, end[i] - begin);
  }
  Ranges v = merge_ranges(&all, end);
  vec_free(&all);
  settle(l, &v);
  return v;
}

typedef struct {
  Link *l;
  MachoUnwindTable *t;
} Job;

static void collect_files(void *ctx, u32 begin, u32 end, unsigned tid) {
  const Job *j = ctx;
  (void)tid;
  for (u32 i = begin; i < end; i++)
    if (is_object(&j->l->files.at[i]))
      j->t->by_file[i] = collect_file(j->l, j->t, i);
}

/* True when something is known of some function. */
static bool collect(Link *l, MachoUnwindTable *t) {
  t->by_file = heap_alloc(l->files.n * sizeof *t->by_file);
  Job j = {l, t};
  pool_run(l->pool, l->files.n, SERIAL_FILES, collect_files, &j);
  for (u32 i = 0; i < l->files.n; i++)
    t->n += t->by_file[i].n;
  t->ranges = ARENA_ARRAY(&l->arena, Range, t->n);
  bool known = false;
  u32 at = 0;
  for (u32 i = 0; i < l->files.n; i++) {
    for (u32 k = 0; k < t->by_file[i].n; k++, at++) {
      t->ranges[at] = t->by_file[i].at[k];
      known |= t->ranges[at].encoding != 0;
    }
    vec_free(&t->by_file[i]);
  }
  free(t->by_file);
  return known;
}

/* ---- the Synth ---- */

/* In a round of layout addresses are still relative to their section. */
static bool find_addr(const Link *l, u32 atom, bool final, u64 *addr) {
  u32 o = l->atoms.at[atom].osec;
  if (!o || !l->osecs.at[o].placed)
    return false;
  *addr = l->atoms.addr[atom] + (final ? 0 : l->osecs.at[o].addr);
  return true;
}

/* Code that weld makes has no entries either: what stands in front of other code must say so. */
static u32 add_made_code(const Link *l, bool final, u64 end, MachoUnwindEntry *e) {
  u32 n = 0;
  for (u32 i = 1; i < l->synths.n; i++) {
    u32 atom = l->synths.at[i].atom.i;
    u64 addr;
    if (l->atoms.flags[atom] & ATOM_EXEC && l->synths.at[i].size && find_addr(l, atom, final, &addr) && addr < end)
      e[n++] = (MachoUnwindEntry){.addr = addr, .length = (u32)MIN(l->synths.at[i].size, (u64)UINT32_MAX)};
  }
  return n;
}

static MachoUnwindEntry *make_entries(const Link *l, const MachoUnwindTable *t, bool final, u32 *n) {
  MachoUnwindEntry *e = heap_alloc(((u64)t->n + l->synths.n) * sizeof *e);
  u64 end = 0;
  *n = 0;
  for (u32 i = 0; i < t->n; i++) {
    const Range *r = &t->ranges[i];
    u64 addr, lsda = 0;
    if (!find_addr(l, r->atom, final, &addr))
      continue;
    if (r->lsda && find_addr(l, r->lsda, final, &lsda))
      lsda += r->lsda_off;
    addr += r->offset;
    e[(*n)++] = (MachoUnwindEntry){.addr = addr, .lsda = lsda, .length = r->length, .encoding = r->encoding,
                                   .personality = r->personality, .unique = r->unique};
    end = MAX(end, addr);
  }
  *n += add_made_code(l, final, end, e + *n);
  return e;
}

static bool resize(Link *l, Synth *s) {
  const MachoUnwindTable *t = s->ctx;
  Arena arena = {0};
  MachoUnwindInfo in = {.base = t->base, .npersonalities = t->npersonalities};
  in.entries = make_entries(l, t, false, &in.nentries);
  const MachoUnwindPlan *p = macho_unwind_plan(&arena, &in);
  u64 size = p ? macho_unwind_size(p) : 0;
  free(in.entries);
  arena_free(&arena);
  if (size <= s->size) /* or layout might never settle */
    return false;
  s->size = size;
  l->atoms.at[s->atom.i].size = size;
  return true;
}

static void write_info(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  const MachoUnwindTable *t = s->ctx;
  Arena arena = {0};
  u64 slots[MACHO_UNWIND_PERSONALITIES];
  MachoUnwindInfo in = {.base = t->base, .personalities = slots, .npersonalities = t->npersonalities};
  (void)off, (void)len; /* whole */
  for (u32 i = 0; i < t->npersonalities; i++)
    slots[i] = bind_got_addr(l, (u32)sym_aux(l, t->personalities[i].sym)->got);
  in.entries = make_entries(l, t, true, &in.nentries);
  const MachoUnwindPlan *p = macho_unwind_plan(&arena, &in);
  if (p && macho_unwind_size(p) <= s->size)
    macho_unwind_write(p, out);
  else
    diag_error(l->diag, "internal", "__unwind_info needs other %llu bytes than in layout, when it had %llu", p ? (unsigned long long)macho_unwind_size(p) : 0,
               (unsigned long long)s->size);
  free(in.entries);
  arena_free(&arena);
}

void macho_unwind_build(Link *l, MachoUnwindTable *t, u64 base) {
  t->base = base;
  ehframe_build(l);
  if (!collect(l, t))
    return;
  Synth s = {.name = "__TEXT,__unwind_info", .type = S_REGULAR, .p2align = 2, .size = 4, .resize = resize, .write = write_info, .ctx = t};
  synth_add(l, &s);
}
