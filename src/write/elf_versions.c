/* elf_versions.c: .gnu.version, .gnu.version_d and .gnu.version_r (LSB 5.0 Core, 10.7 "Symbol
 * Versioning"). Versions that this output defines have the indexes 1 (itself) and up, in the order of
 * the script; those that it needs follow, by library, then by index in the library.
 * The trap: a need names a library of DT_NEEDED; the dynamic linker stops at any other name. A library
 * that is only wanted weakly may have lost its DT_NEEDED, and then its symbols go without a version. */
#include <stdlib.h>

#include "format/elf_object.h"
#include "util/bytes.h"
#include "write/elf_dynsym.h"

/* Bytes that grow. */
typedef VEC(u8) Buf;

static u8 *buf_take(Buf *b, u32 len) {
  vec_reserve(b, b->n + len);
  u8 *p = b->at + b->n;
  memset(p, 0, len);
  b->n += len;
  return p;
}

/* Hands the bytes to a Synth and frees the buffer. */
static void buf_give(Link *l, u32 syn, Buf *b) {
  if (b->n) {
    u8 *p = arena_alloc(&l->arena, b->n, 8);
    memcpy(p, b->at, b->n);
    synth_set_bytes(l, syn, p, b->n);
  }
  vec_free(b);
}

/* ---- definitions ---- */

static void add_verdef(ElfDynamic *d, Buf *b, const char *name, u32 index, u32 flags, const char *const *parents,
                       u32 nparents) {
  u32 size = (u32)(sizeof(ElfVerdef) + (1 + nparents) * sizeof(ElfVerdaux));
  u8 *p = buf_take(b, size);
  ElfVerdef *def = (ElfVerdef *)p;
  ElfVerdaux *aux = (ElfVerdaux *)(p + sizeof *def);
  u64 len = strlen(name);
  def->vd_version = VER_DEF_CURRENT;
  def->vd_flags = (u16)flags;
  def->vd_ndx = (u16)index;
  def->vd_cnt = (u16)(1 + nparents);
  def->vd_hash = elf_hash_sysv(name, len);
  def->vd_aux = sizeof *def;
  def->vd_next = size; /* the last one's is cleared at the end */
  aux[0].vda_name = strtab_add(&d->str, name, len);
  for (u32 i = 0; i < nparents; i++) {
    aux[i].vda_next = sizeof *aux;
    aux[i + 1].vda_name = strtab_add(&d->str, parents[i], strlen(parents[i]));
  }
  d->nverdef++;
}

static bool has_node(const VersionScript *s, const char *name) {
  for (u32 i = 0; i < s->nodes.n; i++)
    if (s->nodes.at[i].name && streq(s->nodes.at[i].name, name))
      return true;
  return false;
}

static void check_parents(Link *l, const VersionNode *node) {
  for (u32 i = 0; i < node->parents.n; i++)
    if (!has_node(&l->opt->version_script, node->parents.at[i]))
      diag_report(l->diag, DIAG_ERROR, "version-script", node->line,
                  "%s:%u: version '%s' depends on version '%s', which is not defined",
                  node->file ? node->file : "version script", node->line, node->name, node->parents.at[i]);
}

static void build_verdef(Link *l, ElfDynamic *d) {
  const Options *o = l->opt;
  const VersionScript *s = &o->version_script;
  u32 end = version_index_end(s, o->default_symver);
  if (end == VERSION_FIRST)
    return;
  bool *used = ARENA_ARRAY(&l->arena, bool, end);
  for (u32 i = d->hashed; i < d->n; i++) {
    u32 v = d->syms[i].version & (u32)~VERSION_HIDDEN;
    if (v < end)
      used[v] = true;
  }
  const char *slash = strrchr(o->output, '/'), *base = slash ? slash + 1 : o->output;
  if (o->soname)
    base = o->soname;
  Buf b = {0};
  add_verdef(d, &b, base, VERSION_GLOBAL, VER_FLG_BASE, NULL, 0);
  u32 last = 0;
  if (o->default_symver) {
    last = b.n;
    add_verdef(d, &b, base, VERSION_FIRST, 0, NULL, 0);
  }
  for (u32 i = 0; i < s->nodes.n; i++) {
    const VersionNode *node = &s->nodes.at[i];
    if (!node->name)
      continue;
    check_parents(l, node);
    u32 index = version_node_index(s, i, o->default_symver);
    bool empty = !node->global.n && !node->local.n && !used[index];
    last = b.n;
    add_verdef(d, &b, node->name, index, empty ? VER_FLG_WEAK : 0, node->parents.at, node->parents.n);
  }
  ((ElfVerdef *)(b.at + last))->vd_next = 0;
  buf_give(l, SYN_VERDEF, &b);
  l->synths.at[SYN_VERDEF].info_value = d->nverdef;
}

/* ---- needs ---- */

typedef struct {
  u16 **index; /* by file: output index by the library's version index; NULL: needs none */
  u32 relr;    /* file that gets GLIBC_ABI_DT_RELR, 0: none */
} Needs;

/* Version that an imported symbol has in its library; 0: none. */
static u32 imported_version(const Link *l, u32 s, u32 *file) {
  if (!(l->syms.flags[s] & SF_SHARED))
    return 0;
  u64 key = l->syms.key[s];
  *file = key_file(key);
  const File *f = &l->files.at[*file];
  const ElfShared *so = f->fmt;
  if (!f->needed || !so->versym)
    return 0;
  u32 v = so->versym[key_index(key)] & 0x7fff;
  return v >= VERSION_FIRST && v < so->nverdef && so->verdef[v] ? v : 0;
}

static void collect_needs(Link *l, const ElfDynamic *d, Needs *n) {
  n->index = ARENA_ARRAY(&l->arena, u16 *, l->files.n);
  for (u32 i = 1; i < d->n; i++) {
    u32 file, v = imported_version(l, d->syms[i].sym, &file);
    if (!v)
      continue;
    const ElfShared *so = l->files.at[file].fmt;
    if (!n->index[file])
      n->index[file] = ARENA_ARRAY(&l->arena, u16, so->nverdef);
    n->index[file][v] = 1; /* numbered by build_verneed */
    /* A glibc without RELR must refuse the output instead of running it unrelocated. */
    if (l->opt->z_pack_relative_relocs && starts_with(so->soname, "libc.so.") &&
        starts_with(so->verdef[v], "GLIBC_2."))
      n->relr = file;
  }
}

static void add_vernaux(ElfDynamic *d, Buf *b, const char *name, u32 index) {
  ElfVernaux *a = (ElfVernaux *)buf_take(b, sizeof *a);
  u64 len = strlen(name);
  a->vna_hash = elf_hash_sysv(name, len);
  a->vna_other = (u16)index;
  a->vna_name = strtab_add(&d->str, name, len);
  a->vna_next = sizeof *a;
}

static void build_verneed(Link *l, ElfDynamic *d, Needs *n) {
  u32 next = MAX(version_index_end(&l->opt->version_script, l->opt->default_symver), (u32)VERSION_FIRST);
  u32 last = 0;
  Buf b = {0};
  for (u32 f = 1; f < l->files.n; f++) {
    if (!n->index[f])
      continue;
    const ElfShared *so = l->files.at[f].fmt;
    u32 at = b.n, count = 0;
    last = at;
    buf_take(&b, sizeof(ElfVerneed));
    for (u32 v = VERSION_FIRST; v < so->nverdef; v++) {
      if (!n->index[f][v])
        continue;
      n->index[f][v] = (u16)next;
      add_vernaux(d, &b, so->verdef[v], next++);
      count++;
    }
    if (f == n->relr) {
      add_vernaux(d, &b, "GLIBC_ABI_DT_RELR", next++);
      count++;
    }
    ((ElfVernaux *)(b.at + b.n - sizeof(ElfVernaux)))->vna_next = 0;
    u32 file = strtab_add(&d->str, so->soname, strlen(so->soname));
    *(ElfVerneed *)(b.at + at) = (ElfVerneed){.vn_version = VER_NEED_CURRENT, .vn_cnt = (u16)count,
                                              .vn_file = file, .vn_aux = sizeof(ElfVerneed),
                                              .vn_next = b.n - at};
    d->nverneed++;
  }
  if (next > VERSION_HIDDEN)
    diag_error(l->diag, "too-large", "more than %d symbol versions are defined and needed", VERSION_HIDDEN - 1);
  if (b.n)
    ((ElfVerneed *)(b.at + last))->vn_next = 0;
  buf_give(l, SYN_VERNEED, &b);
  l->synths.at[SYN_VERNEED].info_value = d->nverneed;
}

/* ---- .gnu.version ---- */

static void write_versym(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  (void)l;
  const ElfDynamic *d = s->ctx;
  for (u64 i = 0; i < len / 2; i++)
    wr16(out + i * 2, d->syms[off / 2 + i].version);
}

static void set_imported(Link *l, ElfDynamic *d, const Needs *n) {
  for (u32 i = 1; i < d->n; i++) {
    u32 s = d->syms[i].sym, f = l->syms.flags[s];
    if (!(f & (SF_SHARED | SF_UNDEFINED)))
      continue;
    u32 file, v = imported_version(l, s, &file);
    d->syms[i].version = v ? n->index[file][v] : VERSION_GLOBAL;
    l->syms.version[s] = d->syms[i].version;
  }
}

void elf_versions_build(Link *l, ElfDynamic *d) {
  Needs n = {0};
  build_verdef(l, d);
  collect_needs(l, d, &n);
  build_verneed(l, d, &n);
  if (!d->nverdef && !d->nverneed)
    return;
  set_imported(l, d, &n);
  Synth *s = &l->synths.at[SYN_VERSYM];
  s->size = (u64)d->n * 2;
  s->write = write_versym;
  s->grain = 1 << 16;
  s->ctx = d;
}
