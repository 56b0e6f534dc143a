/* elf_relocs.c: relocation sections made of the inputs' relocations: each keeps its type, gets the place of its section, and names
 * the output's symbol. The tables of all output sections are one sequence; any range of it can be written by itself, so threads do.
 * The trap: a section symbol of an input is none of the output: such a relocation names the output section's, and its addend grows
 * by the place of the input in it. */
#include "write/elf_relocs.h"

#include <stdlib.h>

#include "core/resolve.h"
#include "format/elf_object.h"
#include "write/elf_encode.h"
#include "write/elf_symtab.h"

enum { RELOCS_GRAIN = 4096, FILES_GRAIN = 16, NAMES_AHEAD = 12 };

/* ---- counting ---- */

static bool is_unwind(const Link *l, u32 a) { return a == l->synths.at[SYN_EH_FRAME].atom.i; }

static u32 osec_of(const Link *l, u32 a) {
  u32 osec = l->atoms.at[a].osec;
  return osec < l->osecs.n ? osec : 0;
}

/* Relocations of an unwind record that lie in it. */
static u32 record_relocs(const Link *l, const EhRecord *r) {
  const ElfRela *rel = (const ElfRela *)(atom_file(l, (AtomId){r->atom})->data.p + l->atoms.at[r->atom].rel_off);
  u32 n = 0;
  for (u32 i = r->rel; i < r->rel + r->nrel; i++)
    n += rel[i].r_offset - r->off < r->size;
  return n;
}

/* A CIE is written where the first of its equals stands, at the begin of what its file has. `at`: where the next one would. */
static bool is_written(const EhRecord *cie, u32 *at) {
  bool first = cie->out == *at;
  *at += first ? cie->size : 0;
  return first;
}

typedef struct {
  Link *l;
  ElfRelocs *r;
} Job;

static void count_records(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  const Job *j = ctx;
  for (u32 f = begin; f < end; f++) {
    const FileEh *eh = &j->l->files.at[f].eh;
    u64 n = 0;
    u32 out = ehframe_begin(j->l, (FileId){f});
    for (u32 k = 0; k < eh->ncies; k++)
      n += is_written(&eh->cies[k], &out) ? record_relocs(j->l, &eh->cies[k]) : 0;
    for (u32 k = 0; k < eh->nfdes; k++)
      n += eh->fdes[k].out != EH_DROPPED ? record_relocs(j->l, &eh->fdes[k]) : 0;
    j->r->record_start[f + 1] = n;
  }
}

static u64 place_records(Link *l, ElfRelocs *r) {
  Job j = {l, r};
  r->record_start = ARENA_ARRAY(&l->arena, u64, l->files.n + 1);
  if (!l->synths.at[SYN_EH_FRAME].size)
    return 0;
  pool_run(l->pool, l->files.n, FILES_GRAIN, count_records, &j);
  for (u32 f = 0; f < l->files.n; f++)
    r->record_start[f + 1] += r->record_start[f];
  return r->record_start[l->files.n];
}

static void count_tables(Link *l, ElfRelocs *r) {
  u64 places = 0, records = place_records(l, r);
  for (u32 o = 1; o < l->osecs.n; o++)
    places += l->osecs.at[o].natoms;
  r->starts = link_take(l, (places + 1) * sizeof *r->starts);
  r->tables = ARENA_ARRAY(&l->arena, RelocTable, l->osecs.n);
  r->table_of = ARENA_ARRAY(&l->arena, u32, l->osecs.n);
  u32 place = 0;
  for (u32 k = 0; k < l->norder; k++) {
    const Osec *o = &l->osecs.at[l->order[k]];
    u64 first = r->total;
    u32 begin = place;
    for (u32 i = 0; i < o->natoms; i++) {
      u32 a = o->atoms[i].i;
      r->starts[place++] = r->total;
      r->total += is_unwind(l, a) ? records : l->atoms.flags[a] & ATOM_SYNTH ? 0 : l->atoms.at[a].rel;
    }
    if (r->total == first)
      continue;
    r->tables[r->ntables++] = (RelocTable){.osec = l->order[k], .n = r->total - first, .first = first, .place = begin};
    r->table_of[l->order[k]] = r->ntables;
  }
  r->starts[place] = r->total;
}

/* ---- composing ---- */

/* The output section and the place in it that a byte of a section is at; 0: it is not in the output. */
static u32 place_in_output(const Link *l, u32 a, u64 off, u64 *at) {
  if (!(l->atoms.flags[a] & ATOM_LIVE))
    return 0;
  u64 addr;
  if (UNLIKELY(l->atoms.flags[a] & ATOM_MERGE)) {
    addr = merge_addr(l, (AtomId){a}, off);
    a = merge_where(l, (AtomId){a}, off, at).i;
  } else {
    addr = l->atoms.addr[a] + off;
  }
  u32 osec = osec_of(l, a);
  if (osec && !l->osecs.at[osec].placed) /* empty: where it would have been */
    osec = l->atoms.flags[a] & ATOM_ALLOC ? elf_section_at(l, addr) : 0;
  if (osec)
    *at = addr - l->osecs.at[osec].addr;
  return osec;
}

static void gone(ElfRela *r) {
  r->r_info = ELF64_R_INFO(0, R_X86_64_NONE);
  r->r_addend = 0;
}

/* Debug information of what was folded away, but for its lines, names nothing, as the reader has it (bury_folded). */
static bool buries_folded(const Link *l, u32 a) {
  if (LIKELY(!l->folded.n) || l->atoms.flags[a] & ATOM_ALLOC)
    return false;
  const char *name = l->format->atom_name(l, (AtomId){a});
  return starts_with(name, ".debug_") && !streq(name, ".debug_line");
}

static bool is_folded(const Link *l, const File *file, u32 sym) {
  if (sym >= file->first_global) {
    u32 id = file->globals[sym - file->first_global];
    u64 key = id == UINT32_MAX ? 0 : l->syms.key[id];
    if (!key_file(key) || l->files.at[key_file(key)].kind != FILE_OBJECT)
      return false;
    file = &l->files.at[key_file(key)];
    sym = key_index(key);
  }
  const ElfObject *o = file->fmt;
  u32 special, section = elf_sym_section(o, sym, &special);
  return section && section < o->nshdr && (l->atoms.flags[file->atom_base + section] & ATOM_FOLDED) == ATOM_FOLDED;
}

/* What r, a relocation of an input, is in the output, but for its place. */
static ElfRela translate(const Link *l, const ElfRelocs *x, const File *file, const ElfRela *r) {
  const ElfObject *o = file->fmt;
  ElfRela out = *r;
  u32 sym = (u32)ELF64_R_SYM(r->r_info), type = (u32)ELF64_R_TYPE(r->r_info), special;
  if (!sym)
    return out;
  if (sym >= file->first_global) {
    u32 id = file->globals[sym - file->first_global], at = id == UINT32_MAX ? 0 : x->symbol[id];
    if (at)
      out.r_info = ELF64_R_INFO((u64)at, type);
    else
      gone(&out);
    return out;
  }
  const ElfSym *s = &o->syms[sym];
  bool names_section = ELF64_ST_TYPE(s->st_info) == STT_SECTION;
  u32 at = names_section ? 0 : x->symbol[file->local_base + sym];
  if (at) {
    out.r_info = ELF64_R_INFO((u64)at, type);
    return out;
  }
  u32 section = elf_sym_section(o, sym, &special);
  u64 value = s->st_value + (names_section ? (u64)r->r_addend : 0);
  u32 osec = section && section < o->nshdr ? place_in_output(l, file->atom_base + section, value, &value) : 0;
  if (!osec || !x->section_symbol[osec]) {
    gone(&out);
    return out;
  }
  out.r_info = ELF64_R_INFO((u64)x->section_symbol[osec], type);
  out.r_addend = (i64)(value + (names_section ? 0 : (u64)r->r_addend));
  return out;
}

/* Where a range goes: relocations [at, end) of all. */
typedef struct {
  const Link *l;
  const ElfRelocs *x;
  u8 *out;
  u64 at, end;
} Range;

/* Loads of GOT slots; what else is rewritten keeps the names that it had, as with GNU ld: nobody could say in one relocation what a
 * call of __tls_get_addr() has become. */
static bool is_relaxable(const ElfRela *r) {
  u32 type = (u32)ELF64_R_TYPE(r->r_info);
  return type >= R_X86_64_GOTPCRELX && type <= R_386_GOT32X; /* some of each CPU's; the CPU knows */
}

/* Of a relaxed instruction: relocation `index` of atom a, as it describes what is there now. */
static ElfRela relaxed(const Link *l, u32 a, u64 index, const ElfRela *r) {
  EdgeCursor c = {.atom = {a}, .next = (u32)index, .most = 1};
  Edge e[EDGE_BATCH];
  if (!l->format->edges(l, &c, e) || e->offset != r->r_offset)
    return *r;
  u32 kind = e->kind;
  l->arch->relaxed(l, (AtomId){a}, e);
  if (e->kind == kind)
    return *r;
  return (ElfRela){e->offset, ELF64_R_INFO(ELF64_R_SYM(r->r_info), (u64)l->format->edge_number(l, e->kind)), e->addend};
}

static void put(Range *w, const File *file, const ElfRela *r, u64 where) {
  ElfRela v = translate(w->l, w->x, file, r);
  v.r_offset = where;
  if (LIKELY(w->x->entsize == sizeof v))
    memcpy(w->out, &v, sizeof v);
  else
    elf_put_rel(w->l, w->out, where, (u32)ELF64_R_SYM(v.r_info), (u32)ELF64_R_TYPE(v.r_info), !w->l->format->rel, v.r_addend);
  w->out += w->x->entsize;
  w->at++;
}

/* Those of a record; `at`: the number of its first. */
static u64 put_record(Range *w, const File *file, const EhRecord *r, u64 base, u64 at) {
  const ElfRela *rel = (const ElfRela *)(file->data.p + w->l->atoms.at[r->atom].rel_off);
  for (u32 i = r->rel; i < r->rel + r->nrel; i++) {
    if (rel[i].r_offset - r->off >= r->size)
      continue;
    if (at++ >= w->at && w->at < w->end)
      put(w, file, &rel[i], base + r->out + (rel[i].r_offset - r->off));
  }
  return at;
}

static void put_records(Range *w, u64 first, u64 base) {
  const Link *l = w->l;
  const u64 *starts = w->x->record_start;
  u64 stop = MIN(w->end, first + starts[l->files.n]);
  for (u32 f = FIRST_NOT(l->files.n, i, first + starts[i + 1] <= w->at); f < l->files.n && w->at < stop; f++) {
    const File *file = &l->files.at[f];
    u64 at = first + starts[f];
    u32 out = ehframe_begin(l, (FileId){f});
    for (u32 k = 0; k < file->eh.ncies; k++)
      if (is_written(&file->eh.cies[k], &out))
        at = put_record(w, file, &file->eh.cies[k], base, at);
    for (u32 k = 0; k < file->eh.nfdes && at < stop; k++)
      if (file->eh.fdes[k].out != EH_DROPPED)
        at = put_record(w, file, &file->eh.fdes[k], base, at);
  }
}

/* Those of one table. */
static void put_table(Range *w, const RelocTable *t) {
  const Link *l = w->l;
  const Osec *o = &l->osecs.at[t->osec];
  const u64 *starts = w->x->starts + t->place;
  u32 i = FIRST_NOT(o->natoms, k, starts[k + 1] <= w->at);
  for (; i < o->natoms && w->at < w->end; i++) {
    u32 a = o->atoms[i].i;
    u64 n = starts[i + 1] - starts[i];
    if (!n)
      continue;
    u64 base = l->atoms.addr[a];
    bool buries = buries_folded(l, a);
    bool relaxes = l->atoms.flags[a] & ATOM_ALLOC && !l->relocatable && l->arch->relaxed;
    if (is_unwind(l, a)) {
      put_records(w, starts[i], base);
      continue;
    }
    const File *file = atom_file(l, (AtomId){a});
    const ElfRela *rel = (const ElfRela *)(file->data.p + l->atoms.at[a].rel_off);
    for (u64 k = w->at - starts[i]; k < n && w->at < w->end; k++) {
      if (k + NAMES_AHEAD < n) {
        u32 sym = (u32)ELF64_R_SYM(rel[k + NAMES_AHEAD].r_info);
        PREFETCH(&((const ElfObject *)file->fmt)->syms[sym]);
        if (sym >= file->first_global)
          PREFETCH(&w->x->symbol[file->globals[sym - file->first_global]]);
      }
      if (UNLIKELY(buries) && is_folded(l, file, (u32)ELF64_R_SYM(rel[k].r_info))) {
        put(w, file, &(ElfRela){.r_info = ELF64_R_INFO(0, R_X86_64_NONE)}, base + rel[k].r_offset);
        continue;
      }
      if (relaxes && is_relaxable(&rel[k])) {
        ElfRela r = relaxed(l, a, k, &rel[k]);
        put(w, file, &r, base + r.r_offset);
        continue;
      }
      put(w, file, &rel[k], base + rel[k].r_offset);
    }
  }
}

static void write_relocs(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  const ElfRelocs *x = s->ctx;
  Range w = {.l = l, .x = x, .out = out, .at = off / x->entsize, .end = (off + len) / x->entsize};
  u32 t = FIRST_NOT(x->ntables, i, x->tables[i].first + x->tables[i].n <= w.at);
  for (; t < x->ntables && w.at < w.end; t++)
    put_table(&w, &x->tables[t]);
}

/* ---- symbols ---- */

static void find_section_symbols(Link *l, ElfRelocs *r) {
  r->section_symbol = ARENA_ARRAY(&l->arena, u32, l->osecs.n);
  u64 at;
  for (u32 a = 1; a < l->uses->natoms; a++) {
    if (!l->uses->atoms[a] || !(l->atoms.flags[a] & ATOM_LIVE))
      continue;
    u32 holder = l->atoms.flags[a] & ATOM_MERGE ? merge_where(l, (AtomId){a}, 0, &at).i : a;
    r->section_symbol[osec_of(l, holder)] = 1; /* until it has a number */
  }
  r->section_symbol[0] = 0;
}

bool elf_relocs_needs_symbol(const Link *l, u32 osec) { return l->relocs->section_symbol[osec]; }

u32 elf_relocs_symbol(const Link *l, u32 sym) {
  const ElfRelocs *r = l->relocs;
  if (sym < l->syms.nglobal || r->symbol[sym])
    return r->symbol[sym];
  const File *file = &l->files.at[local_owner(l, sym).i];
  ElfRela v = translate(l, r, file, &(ElfRela){.r_info = ELF64_R_INFO((u64)(sym - file->local_base), R_X86_64_NONE)});
  return (u32)ELF64_R_SYM(v.r_info);
}

/* ---- groups ---- */

/* Members of a group that are in the output: writes their section indexes, and those of their relocations, unless out is NULL. */
static u32 group_members(const Link *l, const ElfRelocs *r, const File *file, u32 shndx, u32 *out) {
  const ElfShdr *s = &((const ElfObject *)file->fmt)->shdrs[shndx];
  const u32_unaligned *member = (const u32_unaligned *)(file->data.p + s->sh_offset);
  u32 n = 0;
  for (u64 i = 1; i < s->sh_size / 4; i++) {
    u32 a = file->atom_base + member[i], osec = l->atoms.flags[a] & ATOM_LIVE && l->atoms.flags[a] & ATOM_GROUPED ? osec_of(l, a) : 0;
    if (!osec)
      continue;
    u32 table = r->table_of[osec];
    if (out) {
      out[n] = l->osecs.at[osec].index;
      if (table)
        out[n + 1] = r->tables[table - 1].index;
    }
    n += table ? 2 : 1;
  }
  return n;
}

static void find_groups(Link *l, ElfRelocs *r) {
  VEC(OutGroup) v = {0};
  u64 bytes = 0;
  for (u32 f = 1; f < l->files.n && l->relocatable && !l->opt->force_group_allocation; f++) {
    const File *file = &l->files.at[f];
    const ElfObject *o = file->fmt;
    for (u32 i = 1; file->live && o && i < o->nshdr; i++) {
      u32 n = o->shdrs[i].sh_type == SHT_GROUP ? group_members(l, r, file, i, NULL) : 0;
      if (!n)
        continue;
      *vec_push(&v) = (OutGroup){.file = f, .shndx = i, .off = bytes, .size = 4 + 4ull * n};
      bytes += 4 + 4ull * n;
    }
  }
  r->ngroups = v.n;
  r->groups = ARENA_ARRAY(&l->arena, OutGroup, v.n + 1);
  if (v.n)
    memcpy(r->groups, v.at, v.n * sizeof *v.at);
  r->group_bytes = link_take(l, bytes + 4);
  vec_free(&v);
}

static void fill_groups(Link *l, ElfRelocs *r) {
  u8 *at = r->group_bytes;
  for (u32 g = 0; g < r->ngroups; g++) {
    const File *file = &l->files.at[r->groups[g].file];
    const ElfShdr *s = &((const ElfObject *)file->fmt)->shdrs[r->groups[g].shndx];
    wr32(at, rd32(file->data.p + s->sh_offset));
    group_members(l, r, file, r->groups[g].shndx, (u32 *)(void *)(at + 4));
    at += r->groups[g].size;
  }
}

/* The symbol that names a group: a symbol, or for a section symbol its section's name. */
static u32 group_symbol(const Link *l, const ElfRelocs *r, const OutGroup *g) {
  const File *file = &l->files.at[g->file];
  const ElfObject *o = file->fmt;
  u32 sym = o->shdrs[g->shndx].sh_info, special;
  if (sym >= file->first_global) {
    u32 id = file->globals[sym - file->first_global];
    return id == UINT32_MAX ? 0 : r->symbol[id];
  }
  u32 section = elf_sym_section(o, sym, &special);
  if (ELF64_ST_TYPE(o->syms[sym].st_info) != STT_SECTION || !section || section >= o->nshdr)
    return r->symbol[file->local_base + sym];
  return r->section_symbol[osec_of(l, file->atom_base + section)];
}

u32 elf_relocs_group(const Link *l, u32 file, u32 shndx) {
  const ElfRelocs *r = l->relocs;
  u64 want = (u64)file << 32 | shndx;
  u32 i = FIRST_NOT(r->ngroups, k, ((u64)r->groups[k].file << 32 | r->groups[k].shndx) < want);
  return i < r->ngroups && r->groups[i].file == file && r->groups[i].shndx == shndx ? r->groups[i].index : 0;
}

/* ---- the file ---- */

void elf_relocs_prepare(Link *l) {
  ElfRelocs *r = ARENA_NEW(&l->arena, ElfRelocs);
  r->entsize = l->format->rel ? elf_sizes(l).rel : elf_sizes(l).rela;
  l->relocs = r;
  count_tables(l, r);
  find_groups(l, r);
  find_section_symbols(l, r);
  r->synth = l->synths.n;
  *vec_push(&l->synths) = (Synth){.size = r->total * r->entsize, .grain = r->entsize * RELOCS_GRAIN, .write = write_relocs, .fills = true, .ctx = r};
}

u32 elf_relocs_sections(const Link *l) { return l->relocs ? l->relocs->ntables + l->relocs->ngroups : 0; }

static void number_sections(Link *l, ElfRelocs *r) {
  u32 index = 1;
  for (u32 g = 0; g < r->ngroups; g++) /* in front of their members (gABI) */
    r->groups[g].index = index++;
  for (u32 i = 0; i < l->norder; i++) {
    Osec *o = &l->osecs.at[l->order[i]];
    if (!o->placed)
      continue;
    o->index = index++;
    if (r->table_of[l->order[i]])
      r->tables[r->table_of[l->order[i]] - 1].index = index++;
  }
  r->nshdr = index;
}

static void place_in_file(Link *l, ElfRelocs *r) {
  u64 off = l->header_size;
  for (u32 i = 0; i < l->norder; i++) {
    Osec *o = &l->osecs.at[l->order[i]];
    if (l->relocatable && o->placed) {
      off = align_up(off, 1ull << o->p2align);
      o->off = off;
      off += o->filesz;
    } else if (o->placed) {
      off = MAX(off, o->off + o->filesz);
    }
  }
  off = align_up(off, 4);
  for (u32 g = 0; g < r->ngroups; g++) {
    r->groups[g].off = off;
    off += r->groups[g].size;
  }
  off = align_up(off, 8);
  for (u32 t = 0; t < r->ntables; t++) {
    r->tables[t].off = off;
    off += r->tables[t].n * r->entsize;
  }
  r->end = off;
}

void elf_relocs_place(Link *l) {
  ElfRelocs *r = l->relocs;
  number_sections(l, r);
  place_in_file(l, r);
  r->symbol = link_own(l, pages_alloc((l->syms.ntotal + 1ull) * sizeof *r->symbol), (l->syms.ntotal + 1ull) * sizeof *r->symbol);
  elf_symtab_positions(l, r->symbol, r->section_symbol);
  fill_groups(l, r);
}

void elf_relocs_headers(const Link *l, Elf64_Shdr *out) {
  const ElfRelocs *r = l->relocs;
  u32 symtab = l->atoms.at[l->synths.at[SYN_SYMTAB].atom.i].osec, link = l->osecs.at[symtab].index;
  for (u32 g = 0; g < r->ngroups; g++)
    out[r->groups[g].index] = (Elf64_Shdr){.sh_name = elf_shstrtab_group(l), .sh_type = SHT_GROUP, .sh_offset = r->groups[g].off, .sh_size = r->groups[g].size,
                                           .sh_link = link, .sh_info = group_symbol(l, r, &r->groups[g]), .sh_addralign = 4, .sh_entsize = 4};
  for (u32 t = 0; t < r->ntables; t++) {
    const RelocTable *x = &r->tables[t];
    const Osec *o = &l->osecs.at[x->osec];
    out[x->index] = (Elf64_Shdr){.sh_name = elf_shstrtab_relocs(l, x->osec),
                                 .sh_type = l->format->rel ? SHT_REL : SHT_RELA,
                                 .sh_flags = SHF_INFO_LINK | (o->attr & SHF_GROUP),
                                 .sh_offset = x->off,
                                 .sh_size = x->n * r->entsize,
                                 .sh_link = link,
                                 .sh_info = o->index,
                                 .sh_addralign = l->format->word,
                                 .sh_entsize = r->entsize};
  }
}

void elf_relocs_plan(Link *l, Plan *plan) {
  const ElfRelocs *r = l->relocs;
  if (r->ngroups) {
    const OutGroup *last = &r->groups[r->ngroups - 1];
    plan_add_bytes(plan, 0, r->group_bytes, last->off + last->size - r->groups[0].off, r->groups[0].off);
  }
  if (r->ntables) /* one behind the other, in the file as in the sequence */
    plan_add_synth(plan, 0, r->synth, r->tables[0].off);
}
