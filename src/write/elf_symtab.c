/* elf_symtab.c: chooses the symbols of the output and their order: section symbols, weld's own
 * locals, locals of each file (with the globals that became local), weld's own globals, globals of
 * each file, each symbol at the file that defines it, or else that refers to it first. The trap: a
 * link has a million symbols. Files are looked at in parallel, each once; nothing is hashed and
 * nothing allocated per symbol, and all that ties the files together is sums. */
#include "write/elf_symtab.h"

#include <stdlib.h>

#include "core/resolve.h"
#include "format/elf_relocs.h"
#include "write/elf_build_id.h"
#include "write/elf_relocs.h"
#include "write/elf_symtab_internal.h"

enum {
  FILES_GRAIN = 16,
  SYMTAB_GRAIN = 4096, /* symbols */
  NAMES_GRAIN = 128 << 10,
  SYMS_AHEAD = 32,
  NAMES_AHEAD = 12,
  FACTS_AHEAD = 8,
  KEYS_AHEAD = 16, /* symbols of a file are anywhere in the table of all: ask for them early */
  /* in Kept.name while choosing */
  NAME_LATER = UINT32_MAX, /* undefined: stays where the first reference is */
};

typedef struct {
  Link *l;
  Symtab *t;
} Job;

/* The symbols of what was folded away stay, and mean what stands for it. */
static bool is_live(const Link *l, u32 atom) { return l->atoms.flags[atom] & ATOM_LIVE; }

/* Hidden symbols become local in what is loaded (gABI ch. 4, "Symbol Visibility"), as do those that a version script hides. */
static inline bool becomes_local(const Link *l, u32 sym) { return !l->relocatable && l->syms.flags[sym] & (SF_HIDDEN | SF_VERSION_LOCAL); }

/* By a relocation that stays. GNU ld manual, --retain-symbols-file. */
static inline bool is_needed(const Link *l, u32 sym) { return l->uses && l->uses->symbols[sym]; }

static bool is_retained(const Symtab *t, const char *name, u64 len) {
  return !t->retain || globset_find(t->retain, name, len) != UINT32_MAX;
}

/* ---- choosing ---- */

/* GNU ld's --discard-*: assemblers drop their .L labels but for those in mergeable sections, where
 * a label keeps two strings from being one; such labels served their purpose. */
static bool keep_local(const Link *l, const File *f, const ElfObject *o, u32 i, const char *name) {
  u32 special, section = elf_sym_section(o, i, &special);
  u32 atom = section ? f->atom_base + section : 0;
  if (!section && !special)
    return false;
  if (section && (section >= f->natoms || !is_live(l, atom))) /* a group may have a name that means nothing else */
    return l->relocatable && section < f->natoms && o->shdrs[section].sh_type == SHT_GROUP && l->uses->symbols[f->local_base + i];
  if (UNLIKELY(l->relocatable)) /* what relocations name stays; labels may yet keep strings apart */
    return l->uses->symbols[f->local_base + i] || (l->opt->strip != STRIP_ALL && l->opt->discard != DISCARD_ALL &&
                                                   (l->opt->discard != DISCARD_LOCALS || name[0] != '.' || name[1] != 'L'));
  if (l->opt->discard == DISCARD_ALL)
    return false;
  if (l->opt->discard == DISCARD_NONE || name[0] != '.' || name[1] != 'L')
    return true;
  return l->opt->discard != DISCARD_LOCALS && !(section && l->atoms.flags[atom] & ATOM_MERGE);
}

static void bad_local_name(const Link *l, const File *f, u32 i) {
  FileId id = {(u32)(f - l->files.at)};
  diag_report(l->diag, DIAG_ERROR, "malformed-input", (u64)id.i << 32 | i,
              "%s: symbol %u has a name outside the string table", file_name(l, id), i);
}

static u32 choose_locals(const Link *l, const Symtab *t, const File *f, Kept *out) {
  const ElfObject *o = f->fmt;
  const char *strtab = (const char *)o->strtab.p;
  u32 n = 0, end = MIN(f->first_global, f->nsyms);
  if (f->just_symbols)
    return 0;
  for (u32 i = 1; i < end; i++) {
    const ElfSym *s = &o->syms[i];
    PREFETCH(s + SYMS_AHEAD);
    if (i + NAMES_AHEAD < end)
      PREFETCH_AT(strtab, s[NAMES_AHEAD].st_name);
    if (ELF64_ST_TYPE(s->st_info) == STT_SECTION)
      continue;
    if (UNLIKELY(s->st_name >= o->strtab.len)) { /* the reader looks at names of globals only */
      bad_local_name(l, f, i);
      continue;
    }
    const char *name = strtab + s->st_name;
    if (!*name || !keep_local(l, f, o, i, name))
      continue;
    u64 len = strlen(name);
    if (is_retained(t, name, len) || is_needed(l, f->local_base + i))
      out[n++] = (Kept){i, (u32)len};
  }
  return n;
}

static void first_reference(u32 *slot, u32 file) {
  u32 old = __atomic_load_n(slot, __ATOMIC_RELAXED);
  while (old < ~file &&
         !__atomic_compare_exchange_n(slot, &old, ~file, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    ;
}

/* A definition in a section that was dropped is a reference, if anybody refers to it at all. */
static bool is_empty_claim(const Link *l, const ElfObject *o, u32 i, u32 sym) {
  return l->relocatable && o->syms[i].st_shndx != SHN_UNDEF && !l->uses->symbols[sym];
}

static bool keep_definition(const Link *l, const Symtab *t, u32 sym, const char *name, u64 len) {
  u32 atom = l->syms.atom[sym];
  if (l->syms.flags[sym] & SF_SYNTHETIC || (atom && !is_live(l, atom)))
    return false;
  return is_retained(t, name, len) || is_needed(l, sym);
}

static bool defined_in(u64 key, u32 file, u32 index) {
  return key_file(key) == file && key_index(key) == index && key_rank(key) < RANK_OUTSIDE;
}

/* Globals of a file, those that become local in front. out has room for all of them. */
static void choose_globals(const Link *l, Symtab *t, FileSyms *fs, const File *f, Kept *out,
                           u32 room) {
  const ElfObject *o = f->fmt;
  const char *strtab = (const char *)o->strtab.p;
  u32 nlocal = 0, nglobal = 0;
  bool plain = !f->has_versions; /* names are what they are in the table of all */
  bool unique = false, ifunc = false;
  for (u32 i = f->first_global; i < f->nsyms; i++) {
    u32 sym = f->globals[i - f->first_global];
    PREFETCH(&o->syms[i + SYMS_AHEAD]);
    if (i + KEYS_AHEAD < f->nsyms)
      PREFETCH(&l->syms.key[f->globals[i + KEYS_AHEAD - f->first_global]]);
    if (i + FACTS_AHEAD < f->nsyms) {
      u32 soon = f->globals[i + FACTS_AHEAD - f->first_global];
      if (soon != UINT32_MAX && defined_in(l->syms.key[soon], fs->file, i + FACTS_AHEAD)) {
        PREFETCH(&l->syms.name[soon]);
        PREFETCH(&l->syms.flags[soon]);
        PREFETCH(&l->syms.atom[soon]);
      }
    }
    if (sym == UINT32_MAX)
      continue;
    u64 key = l->syms.key[sym];
    if (!defined_in(key, fs->file, i)) {
      if (key_rank(key) >= RANK_OUTSIDE && !is_empty_claim(l, o, i, sym)) {
        first_reference(&t->first_ref[sym], fs->file);
        out[room - ++nglobal] = (Kept){i, NAME_LATER};
      }
      continue;
    }
    u32 at = o->syms[i].st_name; /* checked by the reader; that hashes are equal proves no length */
    const char *name = strtab + at;
    u64 len = l->syms.name[sym].len;
    if (!plain || len >= o->strtab.len - at)
      len = strlen(name);
    if (!keep_definition(l, t, sym, name, len))
      continue;
    ifunc |= ELF64_ST_TYPE(o->syms[i].st_info) == STT_GNU_IFUNC;
    if (becomes_local(l, sym)) {
      out[nlocal++] = (Kept){i, (u32)len};
    } else {
      out[room - ++nglobal] = (Kept){i, (u32)len};
      unique |= ELF64_ST_BIND(o->syms[i].st_info) == STB_GNU_UNIQUE;
    }
  }
  for (u32 a = room - nglobal, b = room; a + 1 < b; a++, b--) {
    Kept x = out[a];
    out[a] = out[b - 1];
    out[b - 1] = x;
  }
  memmove(out + nlocal, out + room - nglobal, nglobal * sizeof *out);
  fs->nlocal += nlocal;
  fs->nglobal = nglobal;
  if (unique)
    __atomic_store_n(&t->has_unique, true, __ATOMIC_RELAXED);
  if (ifunc)
    __atomic_store_n(&t->has_ifunc, true, __ATOMIC_RELAXED);
}

static void choose_files(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  const Job *j = ctx;
  for (u32 k = begin; k < end; k++) {
    FileSyms *fs = &j->t->files[k];
    const File *f = &j->l->files.at[fs->file];
    fs->nlocal = choose_locals(j->l, j->t, f, fs->kept);
    if (f->nsyms > f->first_global && f->globals)
      choose_globals(j->l, j->t, fs, f, fs->kept + fs->nlocal, f->nsyms - f->first_global);
  }
}

/* ---- names ---- */

/* All files have said what they refer to: drops the undefined symbols that an earlier file has, and
 * turns lengths of names into offsets. */
static void settle_files(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  const Job *j = ctx;
  for (u32 k = begin; k < end; k++) {
    FileSyms *fs = &j->t->files[k];
    const File *f = &j->l->files.at[fs->file];
    u32 all = fs->nlocal + fs->nglobal, n = 0;
    u64 names = 0;
    for (u32 i = 0; i < all; i++) {
      Kept x = fs->kept[i];
      u64 len = x.name;
      if (x.name == NAME_LATER) {
        u32 sym = f->globals[x.index - f->first_global];
        if (j->t->first_ref[sym] != ~fs->file)
          continue;
        len = j->l->syms.name[sym].len;
      }
      fs->kept[n++] = (Kept){x.index, (u32)names};
      names += len + 1;
    }
    fs->nglobal = n - fs->nlocal;
    fs->names = names;
  }
}

typedef struct {
  u32 sym;
  bool local;
  SymName name;
} Made;

static int made_order(const void *pa, const void *pb) {
  const Made *a = pa, *b = pb;
  if (a->local != b->local)
    return a->local ? -1 : 1;
  int c = memcmp(a->name.p, b->name.p, MIN(a->name.len, b->name.len));
  return c ? c : a->name.len < b->name.len ? -1 : a->name.len > b->name.len;
}

/* Nothing to be found at: the symbol was named, but nobody wants the table. */
static bool is_absent_got(const Link *l, SymName n) {
  static const char name[] = "_GLOBAL_OFFSET_TABLE_";
  return n.len == sizeof name - 1 && !memcmp(n.p, name, n.len) && !l->synths.at[SYN_GOT_PLT].size && !l->synths.at[SYN_GOT].size;
}

/* Symbols that weld defines itself, and those that only -u or the entry names; they belong to no file,
 * so names give their order. */
static void choose_made(Link *l, Symtab *t) {
  VEC(Made) v = {0};
  for (u32 i = 0; i < l->weld_names.n; i++) {
    const WeldName *w = &l->weld_names.at[i];
    if (w->kind != WELD_REF || key_rank(l->syms.key[w->sym]) < RANK_OUTSIDE || t->first_ref[w->sym] ||
        !is_retained(t, l->syms.name[w->sym].p, l->syms.name[w->sym].len))
      continue;
    t->first_ref[w->sym] = ~0u;
    *vec_push(&v) = (Made){w->sym, false, l->syms.name[w->sym]};
  }
  for (u32 i = 0; i < l->syms.nglobal; i++)
    if ((l->syms.flags[i] & (SF_SYNTHETIC | SF_UNDEFINED)) == SF_SYNTHETIC && !is_absent_got(l, l->syms.name[i]) &&
        is_retained(t, l->syms.name[i].p, l->syms.name[i].len))
      *vec_push(&v) = (Made){i, becomes_local(l, i), l->syms.name[i]};
  if (v.n)
    qsort(v.at, v.n, sizeof *v.at, made_order);
  t->made = ARENA_ARRAY(&l->arena, u32, v.n + 1);
  t->made_name = ARENA_ARRAY(&l->arena, u32, v.n + 1);
  t->made_end = 1;
  for (u32 i = 0; i < v.n; i++) {
    t->made[i] = v.at[i].sym;
    t->made_name[i] = (u32)t->made_end;
    t->made_end += v.at[i].name.len + 1;
    t->nmade_local += v.at[i].local;
    t->first_ref[v.at[i].sym] = ~0u; /* file 0: no other file writes it */
  }
  t->nmade = v.n;
  vec_free(&v);
}

/* ---- positions ---- */

/* Of symbols; again whenever the number of section symbols changes. */
static void number_symbols(Symtab *t) {
  u64 at = symtab_made_local_at(t) + t->nmade_local;
  for (u32 i = 0; i < t->nfiles; i++) {
    t->files[i].local_at = (u32)at;
    at += t->files[i].nlocal;
  }
  t->first_global = (u32)at;
  at += t->nmade - t->nmade_local;
  for (u32 i = 0; i < t->nfiles; i++) {
    t->files[i].global_at = (u32)at;
    at += t->files[i].nglobal;
  }
  t->total = (u32)at;
}

/* st_name has 32 bits. */
static bool place_names(Link *l, Symtab *t) {
  u64 at = t->made_end, symbols = t->nmade;
  for (u32 i = 0; i < t->nfiles; i++) {
    t->files[i].name_at = at;
    at += t->files[i].names;
    symbols += (u64)t->files[i].nlocal + t->files[i].nglobal;
  }
  t->names_total = at;
  if (at <= UINT32_MAX && symbols <= UINT32_MAX / 2)
    return true;
  diag_error(l->diag, "symtab",
             "%llu symbols with %llu bytes of names do not fit into .symtab; "
             "use --strip-all or --discard-all",
             (unsigned long long)symbols, (unsigned long long)at);
  return false;
}

/* Every section that a symbol could be in has a section symbol. */
static void find_sections(Link *l, Symtab *t) {
  if (!t->sections)
    t->sections = ARENA_ARRAY(&l->arena, u32, l->osecs.n + 1);
  t->nsections = 0;
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    bool is_table = !(o->attr & SHF_ALLOC) &&
                    (o->type == SHT_SYMTAB || o->type == SHT_STRTAB || o->type == SHT_SYMTAB_SHNDX);
    if (o->placed && !is_table && (!l->relocatable || elf_relocs_needs_symbol(l, l->order[i])))
      t->sections[t->nsections++] = l->order[i];
  }
}

static bool set_size(Synth *s, u64 size) {
  bool changed = s->size != size;
  s->size = size;
  return changed;
}

static bool resize_symtab(Link *l, Synth *s) {
  Symtab *t = s->ctx;
  find_sections(l, t);
  number_symbols(t);
  s->info_value = t->first_global;
  bool changed = set_size(s, (u64)t->total * s->entsize);
  bool escapes = l->opt->symtab_shndx || l->norder + elf_relocs_sections(l) + 1 >= SHN_LORESERVE;
  return set_size(&l->synths.at[SYN_SYMTAB_SHNDX], escapes ? (u64)t->total * 4 : 0) || changed;
}

/* Its size is set with that of .symtab. A Synth that may still grow is given a place. */
static bool resize_shndx(Link *l, Synth *s) {
  (void)l;
  (void)s;
  return false;
}

static void prepare_synths(Link *l, Symtab *t) {
  number_symbols(t);
  Synth *symtab = &l->synths.at[SYN_SYMTAB];
  symtab->size = (u64)t->total * symtab->entsize;
  symtab->info_value = t->first_global;
  symtab->grain = (u64)SYMTAB_GRAIN * symtab->entsize;
  symtab->fills = true;
  symtab->ctx = t;
  symtab->resize = resize_symtab;
  symtab->write = symtab_write;
  Synth *shndx = &l->synths.at[SYN_SYMTAB_SHNDX];
  shndx->grain = SYMTAB_GRAIN * 4;
  shndx->ctx = t;
  shndx->resize = resize_shndx;
  shndx->write = symtab_write_shndx;
  Synth *strtab = &l->synths.at[SYN_STRTAB];
  strtab->size = t->names_total;
  strtab->grain = NAMES_GRAIN;
  strtab->fills = true;
  strtab->ctx = t;
  strtab->write = symtab_write_names;
}

static GlobSet *retain_set(Link *l) {
  GlobSet *g = globset_create(&l->arena);
  for (u32 i = 0; i < l->opt->retain_symbols.n; i++)
    globset_add(g, l->opt->retain_symbols.at[i], true, i);
  globset_seal(g);
  return g;
}

static void collect_files(Link *l, Symtab *t) {
  u64 room = 0;
  t->files = ARENA_ARRAY(&l->arena, FileSyms, l->files.n);
  for (u32 i = 1; i < l->files.n; i++) {
    const File *f = &l->files.at[i];
    if (f->live && f->kind == FILE_OBJECT && f->fmt && f->nsyms) {
      t->files[t->nfiles++] = (FileSyms){.file = i};
      room += MAX(f->nsyms, f->first_global);
    }
  }
  t->kept = link_take(l, room * sizeof *t->kept);
  Kept *at = t->kept;
  for (u32 i = 0; i < t->nfiles; i++) {
    const File *f = &l->files.at[t->files[i].file];
    t->files[i].kept = at;
    at += MAX(f->nsyms, f->first_global);
  }
}

void elf_symtab_prepare(Link *l) {
  const Options *o = l->opt;
  build_id_prepare(l);
  if (o->oformat_binary || o->z_nosectionheader)
    return;
  shstrtab_prepare(l);
  if (o->strip == STRIP_ALL && !l->relocatable)
    return;
  Symtab *t = ARENA_NEW(&l->arena, Symtab);
  if (o->has_retain_symbols)
    t->retain = retain_set(l);
  u64 refs = (u64)l->syms.nglobal * sizeof(u32);
  t->first_ref = pages_alloc(refs);
  collect_files(l, t);
  choose_made(l, t);
  Job j = {l, t};
  pool_run(l->pool, t->nfiles, FILES_GRAIN, choose_files, &j);
  pool_run(l->pool, t->nfiles, FILES_GRAIN, settle_files, &j);
  pages_free(t->first_ref, refs);
  t->first_ref = NULL;
  if (place_names(l, t))
    prepare_synths(l, t);
}

void elf_symtab_finish(Link *l) {
  Symtab *t = l->synths.at[SYN_SYMTAB].ctx;
  if (!t)
    return;
  u32 before = t->nsections;
  find_sections(l, t);
  if (t->nsections != before)
    diag_error(l->diag, "internal", "output sections changed after .symtab was sized: %u, then %u",
               before, t->nsections);
}

typedef struct {
  const Symtab *t;
  const Link *l;
  u32 *symbol;
} PositionJob;

static void tell_positions(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  const PositionJob *j = ctx;
  for (u32 k = begin; k < end; k++) {
    const FileSyms *fs = &j->t->files[k];
    const File *f = &j->l->files.at[fs->file];
    for (u32 i = 0; i < fs->nlocal + fs->nglobal; i++) {
      u32 x = fs->kept[i].index, at = i < fs->nlocal ? fs->local_at + i : fs->global_at + (i - fs->nlocal);
      j->symbol[x < f->first_global ? f->local_base + x : f->globals[x - f->first_global]] = at;
    }
  }
}

void elf_symtab_positions(const Link *l, u32 *symbol, u32 *section_symbol) {
  const Symtab *t = l->synths.at[SYN_SYMTAB].ctx;
  if (!t)
    return;
  PositionJob j = {t, l, symbol};
  pool_run(l->pool, t->nfiles, FILES_GRAIN, tell_positions, &j);
  for (u32 k = 0; k < t->nmade; k++)
    symbol[t->made[k]] = k < t->nmade_local ? symtab_made_local_at(t) + k : t->first_global + (k - t->nmade_local);
  memset(section_symbol, 0, l->osecs.n * sizeof *section_symbol);
  for (u32 k = 0; k < t->nsections; k++)
    section_symbol[t->sections[k]] = 1 + k;
}

bool elf_symtab_has_gnu(const Link *l) {
  const Symtab *t = l->synths.at[SYN_SYMTAB].ctx;
  return t && (t->has_ifunc || (t->has_unique && !l->opt->no_gnu_unique));
}
