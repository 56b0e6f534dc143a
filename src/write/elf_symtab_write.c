/* elf_symtab_write.c: the bytes of .symtab, .symtab_shndx and .strtab, any range of them by itself.
 * The trap: names come from the input's string table, as they stand there (a version "@@V1"
 * included, as GNU ld does it); only undefined symbols and weld's own take theirs from the symbol
 * table, since
 * --wrap may have given them another name. */
#include "core/resolve.h"
#include "write/elf_encode.h"
#include "write/elf_relocs.h"
#include "write/elf_symtab.h"
#include "write/elf_symtab_internal.h"

/* A symbol of the output, its section index not yet escaped. */
typedef struct {
  u64 value, size;
  u32 shndx;     /* the section's real index */
  bool reserved; /* shndx is SHN_UNDEF or SHN_ABS, not a section */
  u8 info, other;
} OutSym;

static u8 st_info(u32 bind, u32 type) {
  return (u8)(bind << 4 | (type & 0xf));
}

/* What of a file is ordered like the files. */
static u64 key_local(const FileSyms *f) {
  return f->local_at;
}
static u64 key_global(const FileSyms *f) {
  return f->global_at;
}
static u64 key_name(const FileSyms *f) {
  return f->name_at;
}

/* The last of the files that begin at or before `at`; 0 when none does. */
static u32 find_file(const Symtab *t, u64 (*key)(const FileSyms *), u64 at) {
  u32 lo = FIRST_NOT(t->nfiles, i, key(&t->files[i]) <= at);
  return lo ? lo - 1 : 0;
}

/* ---- sections of symbols ---- */

static void set_special(OutSym *out, u32 shndx) {
  out->shndx = shndx;
  out->reserved = true;
}

static void set_section(const Link *l, OutSym *out, u32 osec) {
  u32 index = osec && osec < l->osecs.n && l->osecs.at[osec].placed ? l->osecs.at[osec].index : 0;
  if (index)
    out->shndx = index;
  else
    set_special(out, SHN_ABS);
}

u32 elf_section_at(const Link *l, u64 addr) {
  u32 ending = 0, before = 0;
  for (u32 i = 0; i < l->norder; i++) {
    u32 id = l->order[i];
    const Osec *o = &l->osecs.at[id];
    bool takes_room = !(o->aflags & ATOM_TLS && o->aflags & ATOM_ZEROFILL);
    if (!o->placed || !(o->attr & SHF_ALLOC) || !takes_room || addr < o->addr)
      continue;
    if (addr - o->addr < o->size)
      return id;
    if (addr - o->addr == o->size)
      ending = id;
    before = id;
  }
  return ending ? ending : before;
}

/* Where addresses are offsets they do not tell the section of a string: its atom does. */
static u32 holder_of(const Link *l, u32 atom, u64 value) {
  u64 at;
  return UNLIKELY(l->relocatable) && l->atoms.flags[atom] & ATOM_MERGE ? merge_where(l, (AtomId){atom}, value, &at).i : atom;
}

/* An empty section may have been left out: its symbols stand where it would have been. */
static void set_section_of_atom(const Link *l, OutSym *out, u32 atom) {
  u32 osec = l->atoms.at[atom].osec;
  if ((!osec || !l->osecs.at[osec].placed) && l->atoms.flags[atom] & ATOM_ALLOC)
    osec = elf_section_at(l, out->value);
  set_section(l, out, osec);
}

/* ---- symbols ---- */

static void describe_section(const Link *l, u32 osec, OutSym *out) {
  const Osec *o = &l->osecs.at[osec];
  *out = (OutSym){.value = o->attr & SHF_ALLOC ? o->addr : 0,
                  .shndx = o->index,
                  .info = st_info(STB_LOCAL, STT_SECTION)};
}

static u8 symbol_type(u32 flags) {
  return flags & SF_TLS ? STT_TLS : flags & SF_FUNC ? STT_FUNC : STT_NOTYPE;
}

static bool name_is(SymName n, const char *s) {
  return n.len == strlen(s) && !memcmp(n.p, s, n.len);
}

/* _TLS_MODULE_BASE_ is the start of the TLS block (the TLSDESC specification, "x86-64"). */
static void describe_tls_base(const Link *l, OutSym *out) {
  out->info = st_info(out->info >> 4, STT_TLS);
  out->value = 0;
  for (u32 i = 0; i < l->norder; i++)
    if (l->osecs.at[l->order[i]].aflags & ATOM_TLS) {
      set_section(l, out, l->order[i]);
      return;
    }
  set_special(out, SHN_ABS);
}

/* A symbol that weld defines. */
static void describe_made(const Link *l, u32 sym, OutSym *out) {
  u32 flags = l->syms.flags[sym], atom = l->syms.atom[sym];
  const WeldName *w = &l->weld_names.at[key_index(l->syms.key[sym])];
  SymName name = l->syms.name[sym];
  u8 type = symbol_type(flags);
  bool local = flags & (SF_HIDDEN | SF_VERSION_LOCAL) && !l->relocatable;
  if (name_is(name, "_DYNAMIC") || name_is(name, "_GLOBAL_OFFSET_TABLE_"))
    type = STT_OBJECT;
  *out = (OutSym){.value = l->syms.value[sym],
                  .other = flags >> SF_VIS_SHIFT & 3,
                  .info = st_info(local ? STB_LOCAL : STB_GLOBAL, type)};
  if (name_is(name, "_TLS_MODULE_BASE_")) {
    describe_tls_base(l, out);
    return;
  }
  if (flags & SF_ABSOLUTE && !w->stmt)
    set_special(out, SHN_ABS);
  else if (atom)
    set_section_of_atom(l, out, atom);
  else
    set_section(l, out, w->osec);
  if (type == STT_TLS)
    out->value -= l->tls_begin;
}

static void describe_local(const Link *l, const File *f, const ElfObject *o, u32 i, OutSym *out) {
  const ElfSym *s = &o->syms[i];
  u32 special, section = elf_sym_section(o, i, &special);
  *out =
      (OutSym){.value = s->st_value, .size = s->st_size, .info = s->st_info, .other = s->st_other};
  if (!section) {
    set_special(out, SHN_ABS);
    return;
  }
  if (UNLIKELY(l->relocatable) && o->shdrs[section].sh_type == SHT_GROUP) {
    out->shndx = elf_relocs_group(l, (u32)(f - l->files.at), section);
    out->reserved = !out->shndx;
    return;
  }
  u32 atom = f->atom_base + section, flags = l->atoms.flags[atom];
  if (UNLIKELY(flags & ATOM_MERGE))
    out->value = merge_addr(l, (AtomId){atom}, s->st_value);
  else if (UNLIKELY(flags & ATOM_EHFRAME))
    out->value = l->format->local_value(l, (FileId){l->atoms.at[atom].file}, i);
  else
    out->value += l->atoms.addr[atom];
  set_section_of_atom(l, out, holder_of(l, atom, s->st_value));
  if (UNLIKELY(ELF64_ST_TYPE(s->st_info) == STT_TLS))
    out->value -= l->tls_begin;
}

/* A tentative definition that stays one: as large and as aligned as the largest of its name. */
static void describe_common(const Link *l, const ElfSym *s, u32 sym, OutSym *out) {
  bool large = l->syms.atom[sym] == l->synths.at[SYN_LCOMMON].atom.i;
  out->value = (u64)1 << common_p2align(l, sym);
  out->size = s->st_size;
  set_special(out, large ? SHN_X86_64_LCOMMON : SHN_COMMON);
}

/* A global that this file defines. */
static void describe_global(const Link *l, const ElfObject *o, u32 sym, u32 i, OutSym *out) {
  const ElfSym *s = &o->syms[i];
  u32 flags = l->syms.flags[sym], atom = l->syms.atom[sym];
  u8 bind = ELF64_ST_BIND(s->st_info), type = ELF64_ST_TYPE(s->st_info);
  if (flags & (SF_HIDDEN | SF_VERSION_LOCAL) && !l->relocatable)
    bind = STB_LOCAL;
  else if (bind == STB_GNU_UNIQUE && l->opt->no_gnu_unique)
    bind = STB_GLOBAL;
  if (type == STT_COMMON)
    type = STT_OBJECT;
  *out = (OutSym){.value = l->syms.value[sym],
                  .size = s->st_size,
                  .info = st_info(bind, type),
                  .other = (u8)((s->st_other & 0xfcu) | (flags >> SF_VIS_SHIFT & 3))};
  if (UNLIKELY(l->relocatable) && flags & SF_COMMON && !l->opt->define_common) {
    describe_common(l, s, sym, out);
    return;
  }
  if (UNLIKELY(type == STT_GNU_IFUNC && flags & SF_COPY)) { /* its PLT entry is its address */
    out->info = st_info(bind, STT_FUNC);
    out->size = 0;
    set_section(l, out, elf_section_at(l, out->value));
  } else if (atom && !(flags & SF_ABSOLUTE)) {
    set_section_of_atom(l, out, holder_of(l, atom, s->st_value));
  } else {
    set_special(out, SHN_ABS);
  }
  if (UNLIKELY(type == STT_TLS))
    out->value -= l->tls_begin;
}

/* A symbol that no object of the link defines. A copied variable has its place here; a PLT entry
 * that is a function's address everywhere is the value of the undefined symbol (psABI 4.4.3). */
static void describe_undefined(const Link *l, u32 sym, OutSym *out) {
  u32 flags = l->syms.flags[sym];
  const SymAux *x = sym_aux(l, sym);
  if ((flags & (SF_SYNTHETIC | SF_UNDEFINED)) == SF_SYNTHETIC) { /* layout came to define it */
    describe_made(l, sym, out);
    out->info = st_info(STB_GLOBAL, ELF64_ST_TYPE(out->info));
    return;
  }
  u8 type = symbol_type(flags);
  u64 size = 0;
  if (flags & SF_SHARED) {
    const ElfShared *so = l->files.at[key_file(l->syms.key[sym])].fmt;
    const ElfSym *s = &so->syms[key_index(l->syms.key[sym])];
    type = ELF64_ST_TYPE(s->st_info) == STT_GNU_IFUNC ? STT_FUNC : ELF64_ST_TYPE(s->st_info);
    size = s->st_size;
  }
  *out = (OutSym){.info = st_info(flags & SF_REF_STRONG ? STB_GLOBAL : STB_WEAK, type),
                  .other = flags >> SF_VIS_SHIFT & 3};
  set_special(out, SHN_UNDEF);
  if (!x || !(flags & SF_COPY))
    return;
  out->value = l->syms.value[sym];
  if (x->copy >= 0) {
    out->size = size;
    out->reserved = false;
    set_section_of_atom(l, out, l->synths.at[x->copy_relro ? SYN_DYNBSS_RELRO : SYN_DYNBSS].atom.i);
  }
}

/* ---- ranges ---- */

/* Where a range of symbols goes: to .symtab, or their escaped section indexes to .symtab_shndx. */
typedef struct {
  ElfSym *syms;
  u32_unaligned *shndx;
} Out;

static void put(Out *out, const OutSym *s, u32 name) {
  bool escaped = !s->reserved && s->shndx >= SHN_LORESERVE;
  if (out->shndx)
    *out->shndx++ = escaped ? s->shndx : 0;
  if (out->syms)
    *out->syms++ = (Elf64_Sym){.st_name = name,
                               .st_info = s->info,
                               .st_other = s->other,
                               .st_shndx = (u16)(escaped ? SHN_XINDEX : s->shndx),
                               .st_value = s->value,
                               .st_size = s->size};
}

static bool defined_in(const Link *l, u32 sym, u32 file, u32 index) {
  u64 key = l->syms.key[sym];
  return key_file(key) == file && key_index(key) == index && key_rank(key) < RANK_OUTSIDE;
}

static void prefetch_symbol(const Link *l, const File *f, Kept x) {
  const ElfObject *o = f->fmt;
  PREFETCH(&o->syms[x.index]);
  if (x.index < f->first_global)
    return;
  u32 sym = f->globals[x.index - f->first_global];
  PREFETCH(&l->syms.key[sym]);
  PREFETCH(&l->syms.flags[sym]);
  PREFETCH(&l->syms.value[sym]);
  PREFETCH(&l->syms.atom[sym]);
}

/* The atom that a symbol stands in, once prefetch_symbol() has brought what says which. */
static void prefetch_atom(const Link *l, const File *f, Kept x) {
  u32 special, atom;
  if (x.index >= f->first_global)
    atom = l->syms.atom[f->globals[x.index - f->first_global]];
  else
    atom = f->atom_base + elf_sym_section(f->fmt, x.index, &special);
  PREFETCH(&l->atoms.at[atom].osec);
  PREFETCH(&l->atoms.addr[atom]);
}

/* Symbols [first, last) of a file's list. */
static void put_file(const Link *l, const FileSyms *fs, u32 first, u32 last, Out *out) {
  enum { NEAR = 8, FAR = 16 };
  const File *f = &l->files.at[fs->file];
  const ElfObject *o = f->fmt;
  for (u32 k = first; k < last; k++) {
    u32 i = fs->kept[k].index;
    OutSym s;
    if (k + FAR < last)
      prefetch_symbol(l, f, fs->kept[k + FAR]);
    if (k + NEAR < last)
      prefetch_atom(l, f, fs->kept[k + NEAR]);
    if (i < f->first_global) {
      describe_local(l, f, o, i, &s);
    } else {
      u32 sym = f->globals[i - f->first_global];
      if (defined_in(l, sym, fs->file, i))
        describe_global(l, o, sym, i, &s);
      else
        describe_undefined(l, sym, &s);
      if (UNLIKELY(l->relocatable) && s.reserved && s.shndx == SHN_UNDEF) /* TLS, say */
        s.info = st_info(s.info >> 4, ELF64_ST_TYPE(o->syms[i].st_info));
    }
    put(out, &s, (u32)(fs->name_at + fs->kept[k].name));
  }
}

/* One of the symbols that belong to no file. */
static void put_own(const Link *l, const Symtab *t, u32 at, Out *out) {
  OutSym s = {.reserved = true};
  u32 name = 0;
  if (at > t->nsections) {
    u32 k =
        at < t->first_global ? at - symtab_made_local_at(t) : at - t->first_global + t->nmade_local;
    if (l->syms.flags[t->made[k]] & SF_SYNTHETIC)
      describe_made(l, t->made[k], &s);
    else { /* -u asks for it, and not weakly */
      describe_undefined(l, t->made[k], &s);
      s.info = st_info(STB_GLOBAL, ELF64_ST_TYPE(s.info));
    }
    name = t->made_name[k];
  } else if (at) {
    describe_section(l, t->sections[at - 1], &s);
  }
  put(out, &s, name);
}

static void put_range(const Link *l, const Symtab *t, u32 at, u32 end, Out *out) {
  while (at < end) {
    bool local = at < t->first_global;
    u32 own_end = local ? symtab_made_local_at(t) + t->nmade_local
                        : t->first_global + (t->nmade - t->nmade_local);
    if (at < own_end) {
      put_own(l, t, at++, out);
      continue;
    }
    u32 stop = local ? MIN(end, t->first_global) : end;
    u32 k = local ? find_file(t, key_local, at) : find_file(t, key_global, at);
    for (; at < stop && k < t->nfiles; k++) {
      const FileSyms *fs = &t->files[k];
      u32 base = local ? fs->local_at : fs->global_at - fs->nlocal;
      u32 n = local ? fs->nlocal : fs->nlocal + fs->nglobal;
      u32 last = MIN(n, stop - base);
      put_file(l, fs, at - base, last, out);
      at = base + last;
    }
  }
}

void symtab_write(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  u32 size = elf_sizes(l).sym, at = (u32)(off / size), end = at + (u32)(len / size);
  if (!elf_is_32(l)) {
    put_range(l, s->ctx, at, end, &(Out){.syms = (ElfSym *)out});
    return;
  }
  for (u32 n; at < end; at += n, out += n * size) {
    ElfSym wide[ELF_SYMS_AT_ONCE];
    n = MIN(end - at, (u32)ELF_SYMS_AT_ONCE);
    put_range(l, s->ctx, at, at + n, &(Out){.syms = wide});
    elf_put_syms32(out, wide, n);
  }
}

void symtab_write_shndx(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  Out o = {.shndx = (u32_unaligned *)out};
  put_range(l, s->ctx, (u32)(off / 4), (u32)((off + len) / 4), &o);
}

/* ---- names ---- */

static const char *kept_name(const Link *l, const File *f, u32 file, u32 i) {
  const ElfObject *o = f->fmt;
  if (i >= f->first_global) {
    u32 sym = f->globals[i - f->first_global];
    if (!defined_in(l, sym, file, i))
      return l->syms.name[sym].p;
  }
  return (const char *)o->strtab.p + o->syms[i].st_name;
}

static void prefetch_name_facts(const Link *l, const File *f, u32 i) {
  const ElfObject *o = f->fmt;
  PREFETCH(&o->syms[i]);
  if (i >= f->first_global)
    PREFETCH(&l->syms.key[f->globals[i - f->first_global]]);
}

/* The range [off, off + len) of .strtab. */
typedef struct {
  u8 *out;
  u64 off, len;
} NameRange;

/* With the NUL behind it. */
static void copy_name(NameRange *r, const char *p, u64 len, u64 at) {
  u64 begin = MAX(at, r->off), end = MIN(at + len, r->off + r->len), nul = at + len;
  if (begin < end)
    memcpy(r->out + (begin - r->off), p + (begin - at), end - begin);
  if (nul - r->off < r->len)
    r->out[nul - r->off] = 0;
}

static void put_file_names(const Link *l, const FileSyms *fs, NameRange *r) {
  const File *f = &l->files.at[fs->file];
  u32 n = fs->nlocal + fs->nglobal, lo = FIRST_NOT(n, i, fs->name_at + fs->kept[i].name <= r->off); /* the one before begins at or before the range */
  enum { NEAR = 8, FAR = 24 };
  for (u32 k = lo ? lo - 1 : 0; k < n; k++) {
    if (k + FAR < n)
      prefetch_name_facts(l, f, fs->kept[k + FAR].index);
    if (k + NEAR < n) {
      const char *p = kept_name(l, f, fs->file, fs->kept[k + NEAR].index);
      PREFETCH(p);
      PREFETCH(p + 64);
    }
    u64 at = fs->name_at + fs->kept[k].name;
    u64 next = fs->name_at + (k + 1 < n ? fs->kept[k + 1].name : fs->names);
    if (at >= r->off + r->len)
      return;
    copy_name(r, kept_name(l, f, fs->file, fs->kept[k].index), next - at - 1, at);
  }
}

void symtab_write_names(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  const Symtab *t = s->ctx;
  NameRange r = {out, off, len};
  copy_name(&r, "", 0, 0);
  for (u32 i = 0; i < t->nmade && off < t->made_end; i++) {
    SymName n = l->syms.name[t->made[i]];
    copy_name(&r, n.p, n.len, t->made_name[i]);
  }
  for (u32 k = find_file(t, key_name, off); k < t->nfiles && t->files[k].name_at < off + len; k++)
    put_file_names(l, &t->files[k], &r);
}
