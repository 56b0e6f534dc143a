/* elf_dynamic.c: .dynamic, .interp and .note.package, and the order in which the other dynamic sections
 * are made.
 * The trap: the tags are listed by one function, which layout asks for their number while sizes still
 * move, and the writer for their values; so what is listed depends on sizes and options alone, never
 * on addresses. */
#include "write/elf_dynamic.h"

#include <stdlib.h>

#include "core/resolve.h"
#include "core/slots.h"
#include "format/elf_object.h"
#include "util/bytes.h"
#include "write/elf_dynsym.h"
#include "write/elf_encode.h"

enum {
  DT_ANDROID_RELR = 0x6fffe000,
  DT_ANDROID_RELRSZ = 0x6fffe001,
  DT_ANDROID_RELRENT = 0x6fffe003,
  NT_FDO_PACKAGING = 0xcafe1a7e,
};

/* ---- .dynamic ---- */

typedef struct {
  Link *l;
  u8 *out; /* NULL: only count */
  u32 n;
} Tags;

static void tag(Tags *t, i64 name, u64 value) {
  if (t->out)
    elf_put_dyn(t->l, t->out + (u64)t->n * elf_sizes(t->l).dyn, name, value);
  t->n++;
}

static u64 synth_size(const Link *l, u32 syn) { return l->synths.at[syn].size; }

static const Osec *find_osec(const Link *l, const char *name) {
  for (u32 i = 1; i < l->osecs.n; i++)
    if (l->osecs.at[i].placed && streq(l->osecs.at[i].name, name))
      return &l->osecs.at[i];
  return NULL;
}

static void tag_array(Tags *t, const char *section, i64 array, i64 size) {
  const Osec *o = find_osec(t->l, section);
  if (!o)
    return;
  tag(t, array, o->addr);
  tag(t, size, o->size);
}

/* DT_FLAGS has its own bits for what once were tags; without new dtags the tags come instead. */
static u64 dt_flags(const Link *l) {
  const Options *o = l->opt;
  bool shared = o->kind == OUTPUT_SHARED;
  u64 f = 0;
  if (o->z_origin)
    f |= DF_ORIGIN;
  if (l->has_static_tls && shared)
    f |= DF_STATIC_TLS;
  if (l->has_textrel)
    f |= DF_TEXTREL;
  if (o->new_dtags) {
    if (shared && o->bsymbolic == BSYMBOLIC_ALL)
      f |= DF_SYMBOLIC;
    if (o->z_now)
      f |= DF_BIND_NOW;
  }
  return f;
}

static u64 dt_flags_1(const Options *o) {
  const struct { bool on; u64 bit; } bits[] = {
      {o->z_now, DF_1_NOW},
      {o->z_global, DF_1_GLOBAL},
      {o->z_nodelete, DF_1_NODELETE},
      {o->z_initfirst, DF_1_INITFIRST},
      {o->z_nodlopen, DF_1_NOOPEN},
      {o->z_origin, DF_1_ORIGIN},
      {o->z_interpose, DF_1_INTERPOSE},
      {o->z_nodefaultlib, DF_1_NODEFLIB},
      {o->z_nodump, DF_1_NODUMP},
      {o->kind == OUTPUT_PIE, DF_1_PIE},
  };
  u64 f = 0;
  for (u32 i = 0; i < COUNT_OF(bits); i++)
    f |= bits[i].on ? bits[i].bit : 0;
  return f;
}

static void tag_names(Tags *t, const ElfDynamic *d) {
  const Options *o = t->l->opt;
  for (u32 i = 0; i < d->needed.n; i++)
    tag(t, DT_NEEDED, d->needed.at[i]);
  if (d->soname)
    tag(t, DT_SONAME, d->soname);
  if (d->rpath)
    tag(t, o->new_dtags ? DT_RUNPATH : DT_RPATH, d->rpath);
  for (u32 i = 0; i < d->auxiliary.n; i++)
    tag(t, DT_AUXILIARY, d->auxiliary.at[i]);
  for (u32 i = 0; i < d->filter.n; i++)
    tag(t, DT_FILTER, d->filter.at[i]);
  if (d->audit)
    tag(t, DT_AUDIT, d->audit);
  if (d->depaudit)
    tag(t, DT_DEPAUDIT, d->depaudit);
}

static void tag_code(Tags *t, const ElfDynamic *d) {
  const Link *l = t->l;
  if (d->init.i != NO_SYM.i)
    tag(t, DT_INIT, l->syms.value[d->init.i]);
  if (d->fini.i != NO_SYM.i)
    tag(t, DT_FINI, l->syms.value[d->fini.i]);
  if (l->opt->kind != OUTPUT_SHARED) /* gABI ch. 5: ignored in a shared library */
    tag_array(t, ".preinit_array", DT_PREINIT_ARRAY, DT_PREINIT_ARRAYSZ);
  tag_array(t, ".init_array", DT_INIT_ARRAY, DT_INIT_ARRAYSZ);
  tag_array(t, ".fini_array", DT_FINI_ARRAY, DT_FINI_ARRAYSZ);
}

static void tag_symbols(Tags *t, const ElfDynamic *d) {
  const Link *l = t->l;
  if (synth_size(l, SYN_HASH))
    tag(t, DT_HASH, synth_addr(l, SYN_HASH));
  if (synth_size(l, SYN_GNU_HASH))
    tag(t, DT_GNU_HASH, synth_addr(l, SYN_GNU_HASH));
  tag(t, DT_STRTAB, synth_addr(l, SYN_DYNSTR));
  tag(t, DT_SYMTAB, synth_addr(l, SYN_DYNSYM));
  tag(t, DT_STRSZ, synth_size(l, SYN_DYNSTR));
  tag(t, DT_SYMENT, elf_sizes(l).sym);
  if (synth_size(l, SYN_VERSYM))
    tag(t, DT_VERSYM, synth_addr(l, SYN_VERSYM));
  if (d->nverdef) {
    tag(t, DT_VERDEF, synth_addr(l, SYN_VERDEF));
    tag(t, DT_VERDEFNUM, d->nverdef);
  }
  if (d->nverneed) {
    tag(t, DT_VERNEED, synth_addr(l, SYN_VERNEED));
    tag(t, DT_VERNEEDNUM, d->nverneed);
  }
}

static void tag_relocations(Tags *t) {
  const Link *l = t->l;
  u64 plt = synth_size(l, SYN_RELA_PLT);
  bool rel = l->format->rel;
  if (synth_size(l, SYN_GOT_PLT))
    tag(t, DT_PLTGOT, synth_addr(l, SYN_GOT_PLT));
  if (plt) {
    tag(t, DT_PLTRELSZ, plt);
    tag(t, DT_PLTREL, rel ? DT_REL : DT_RELA);
    tag(t, DT_JMPREL, synth_addr(l, SYN_RELA_PLT));
  }
  if (synth_size(l, SYN_RELA_DYN)) {
    tag(t, rel ? DT_REL : DT_RELA, synth_addr(l, SYN_RELA_DYN));
    tag(t, rel ? DT_RELSZ : DT_RELASZ, synth_size(l, SYN_RELA_DYN));
    tag(t, rel ? DT_RELENT : DT_RELAENT, l->format->dynrel_size);
    if (l->ndynrel_relative)
      tag(t, rel ? DT_RELCOUNT : DT_RELACOUNT, l->ndynrel_relative);
  }
  if (synth_size(l, SYN_RELR_DYN)) {
    bool android = l->opt->use_android_relr_tags;
    tag(t, android ? (i64)DT_ANDROID_RELR : DT_RELR, synth_addr(l, SYN_RELR_DYN));
    tag(t, android ? (i64)DT_ANDROID_RELRSZ : DT_RELRSZ, synth_size(l, SYN_RELR_DYN));
    tag(t, android ? (i64)DT_ANDROID_RELRENT : DT_RELRENT, l->format->word);
  }
}

static void tag_flags(Tags *t) {
  const Link *l = t->l;
  const Options *o = l->opt;
  bool shared = o->kind == OUTPUT_SHARED;
  if (shared && o->bsymbolic == BSYMBOLIC_ALL)
    tag(t, DT_SYMBOLIC, 0);
  if (l->has_textrel)
    tag(t, DT_TEXTREL, 0);
  if (o->z_now && !o->new_dtags)
    tag(t, DT_BIND_NOW, 0);
  if (dt_flags(l))
    tag(t, DT_FLAGS, dt_flags(l));
  if (dt_flags_1(o))
    tag(t, DT_FLAGS_1, dt_flags_1(o));
  if (!shared && !o->z_rodynamic)
    tag(t, DT_DEBUG, 0); /* the dynamic linker's to fill, for debuggers */
}

static u32 list_tags(Link *l, u8 *out) {
  const ElfDynamic *d = l->dyn;
  Tags t = {l, out, 0};
  tag_names(&t, d);
  tag_code(&t, d);
  tag_symbols(&t, d);
  tag_relocations(&t);
  tag_flags(&t);
  for (u32 i = 0; i <= l->opt->spare_dynamic_tags; i++)
    tag(&t, DT_NULL, 0);
  return t.n;
}

static bool resize_dynamic(Link *l, Synth *s) {
  u64 size = (u64)list_tags(l, NULL) * elf_sizes(l).dyn;
  bool changed = size != s->size;
  s->size = size;
  return changed;
}

static void write_dynamic(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  (void)s, (void)off, (void)len;
  list_tags(l, out);
}

/* ---- names ---- */

/* Joined by ':', repetitions left out; 0 when there are none. */
static u32 join_paths(StrTab *t, const StrVec *v) {
  VEC(char) s = {0};
  for (u32 i = 0; i < v->n; i++) {
    bool seen = !*v->at[i];
    for (u32 k = 0; k < i && !seen; k++)
      seen = streq(v->at[k], v->at[i]);
    u32 len = (u32)strlen(v->at[i]);
    if (seen)
      continue;
    vec_reserve(&s, s.n + len + 1);
    if (s.n)
      s.at[s.n++] = ':';
    memcpy(s.at + s.n, v->at[i], len);
    s.n += len;
  }
  u32 off = s.n ? strtab_add(t, s.at, s.n) : 0;
  vec_free(&s);
  return off;
}

static void add_needed(Link *l, ElfDynamic *d) {
  u32 cap = 0;
  for (u32 f = 1; f < l->files.n; f++)
    cap += l->files.at[f].kind == FILE_SHARED;
  d->needed.at = ARENA_ARRAY(&l->arena, u32, cap);
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    if (file->kind != FILE_SHARED || !file->needed || !file->fmt)
      continue;
    const char *soname = ((const ElfShared *)file->fmt)->soname;
    u32 off = strtab_add(&d->str, soname, strlen(soname));
    bool seen = false;
    for (u32 i = 0; i < d->needed.n && !seen; i++)
      seen = d->needed.at[i] == off;
    if (!seen)
      d->needed.at[d->needed.n++] = off;
  }
}

static StrList add_list(Link *l, StrTab *t, const StrVec *v) {
  StrList s = {ARENA_ARRAY(&l->arena, u32, v->n), v->n};
  for (u32 i = 0; i < v->n; i++)
    s.at[i] = strtab_add(t, v->at[i], strlen(v->at[i]));
  return s;
}

/* What audits a library audits whoever needs it. */
static u32 add_depaudit(Link *l, StrTab *t) {
  VEC(char) s = {0}; /* each one followed by ':' */
  for (u32 f = 0; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    if (file->kind != FILE_SHARED || !file->needed || !file->fmt)
      continue;
    const ElfShared *so = file->fmt;
    const char *const from[] = {so->audit, so->depaudit};
    for (u32 i = 0; i < COUNT_OF(from); i++) {
      u32 len = from[i] ? (u32)strlen(from[i]) : 0;
      if (!len)
        continue;
      vec_reserve(&s, s.n + len + 1);
      memcpy(s.at + s.n, from[i], len);
      s.n += len;
      s.at[s.n++] = ':';
    }
  }
  StrVec all = {0};
  for (u32 i = 0; i < l->opt->depaudit.n; i++)
    *vec_push(&all) = l->opt->depaudit.at[i];
  for (u32 i = 0, begin = 0; i < s.n; i++)
    if (s.at[i] == ':') {
      *vec_push(&all) = arena_strndup(&l->arena, s.at + begin, i - begin);
      begin = i + 1;
    }
  u32 off = join_paths(t, &all);
  vec_free(&s);
  vec_free(&all);
  return off;
}

static void add_names(Link *l, ElfDynamic *d) {
  const Options *o = l->opt;
  StrTab *t = &d->str;
  add_needed(l, d);
  if (o->soname && o->kind == OUTPUT_SHARED)
    d->soname = strtab_add(t, o->soname, strlen(o->soname));
  d->rpath = join_paths(t, &o->rpath);
  d->audit = join_paths(t, &o->audit);
  d->depaudit = add_depaudit(l, t);
  d->auxiliary = add_list(l, t, &o->auxiliary);
  d->filter = add_list(l, t, &o->filter);
}

/* DT_INIT and DT_FINI name functions of this output only. */
static SymId find_defined(const Link *l, const char *name) {
  SymId s = name ? sym_find(l, name, strlen(name)) : NO_SYM;
  if (s.i >= l->syms.nglobal || l->syms.flags[s.i] & (SF_UNDEFINED | SF_SHARED | SF_DISCARDED))
    return NO_SYM;
  return s;
}

/* ---- .note.package ---- */

static int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "%7B" and the names in brackets that GNU ld knows stand for characters which shells and spec files
 * of compilers would take away. Returns the length, or UINT64_MAX when a '%' begins nothing. */
static u64 decode_percent(const char *s, char *out) {
  static const struct { const char *name; char c; } names[] = {
      {"%[comma]", ','}, {"%[lbrace]", '{'}, {"%[quot]", '"'}, {"%[rbrace]", '}'}, {"%[space]", ' '}};
  u64 n = 0;
  while (*s) {
    if (*s != '%') {
      out[n++] = *s++;
      continue;
    }
    u32 k = 0;
    while (k < COUNT_OF(names) && !starts_with(s, names[k].name))
      k++;
    if (k < COUNT_OF(names)) {
      out[n++] = names[k].c;
      s += strlen(names[k].name);
      continue;
    }
    int hi = hex_digit(s[1]), lo = hi < 0 ? -1 : hex_digit(s[2]);
    if (lo < 0)
      return UINT64_MAX;
    out[n++] = (char)(hi * 16 + lo);
    s += 3;
  }
  return n;
}

static void build_package_note(Link *l) {
  static const char owner[4] = "FDO";
  const char *text = l->opt->package_metadata;
  if (!text || !*text)
    return;
  u64 cap = align_up(strlen(text) + 1, 4);
  u8 *note = ARENA_ARRAY(&l->arena, u8, sizeof(ElfNhdr) + sizeof owner + cap);
  char *desc = (char *)note + sizeof(ElfNhdr) + sizeof owner;
  u64 len = decode_percent(text, desc);
  if (len == UINT64_MAX) {
    diag_error(l->diag, "package-metadata", "--package-metadata: invalid string: %s", text);
    return;
  }
  desc[len] = 0;
  u64 desc_size = align_up(len + 1, 4);
  *(ElfNhdr *)note = (ElfNhdr){sizeof owner, (u32)desc_size, NT_FDO_PACKAGING};
  memcpy(note + sizeof(ElfNhdr), owner, sizeof owner);
  synth_set_bytes(l, SYN_NOTE_PACKAGE, note, sizeof(ElfNhdr) + sizeof owner + desc_size);
}

void elf_dynamic_prepare(Link *l) {
  const Options *o = l->opt;
  build_package_note(l);
  if (!l->is_dynamic)
    return;
  ElfDynamic *d = ARENA_NEW(&l->arena, ElfDynamic);
  l->dyn = d;
  d->init = find_defined(l, o->init);
  d->fini = find_defined(l, o->fini);
  elf_dynsym_select(l, d);
  add_names(l, d);
  elf_versions_build(l, d);
  elf_dynsym_size(l, d);
  elf_hash_size(l, d);
  if (o->kind != OUTPUT_SHARED && o->dynamic_linker && !o->no_dynamic_linker)
    synth_set_bytes(l, SYN_INTERP, o->dynamic_linker, strlen(o->dynamic_linker) + 1);
  Synth *s = &l->synths.at[SYN_DYNAMIC];
  s->size = (u64)list_tags(l, NULL) * elf_sizes(l).dyn;
  s->resize = resize_dynamic;
  s->write = write_dynamic;
}
