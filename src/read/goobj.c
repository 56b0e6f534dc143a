/* goobj.c: the bytes of a go13ld object. Its numbers are zigzag varints and nothing in it has a fixed place, so it is read
 * once, front to back, to arrays (format/goobj_object.h).
 * The trap: files without a version byte have fewer numbers for a function, and other ones for relocations. */
#include <stdlib.h>

#include "arch/x86_64.def"
#include "format/goobj_x86_64.def"
#include "read/goobj_reader.h"
#include "util/hash.h"

enum {
  MIN_RELOC = 9, /* bytes: five numbers and two empty names with versions */
  MIN_AUTOM = 6,
  MIN_SYMREF = 2,
  GROWTH = 64, /* how many times as long as the file its names may become when `""` is replaced */
};

/* ---- names ---- */

static void put_text(GoReader *r, const void *p, u64 n) {
  vec_reserve(&r->text, r->text.n + (u32)n + 1);
  memcpy(r->text.at + r->text.n, p, n);
  r->text.n += (u32)n;
  r->text.at[r->text.n] = 0;
}

/* A name into GoReader.text; `"".` is the package's prefix. */
static void read_name(GoReader *r) {
  u64 at = r->at;
  Bytes d = goobj_data(r);
  const char *prefix = r->o->package;
  u64 prefix_len = strlen(prefix);
  r->text.n = 0;
  put_text(r, "", 0);
  if (d.len > INT32_MAX / 2 || (d.len && memchr(d.p, 0, d.len))) {
    FAIL(r, at, "a name with a zero byte in it");
    return;
  }
  for (u64 i = 0; i < d.len && !r->bad;) {
    const u8 *p = memmem(d.p + i, d.len - i, "\"\".", 3);
    u64 n = (p ? (u64)(p - d.p) : d.len) - i;
    put_text(r, d.p + i, n);
    i += n;
    if (!p)
      continue;
    r->grown += prefix_len;
    if (r->grown / GROWTH > r->b.len || r->text.n > INT32_MAX / 2 - prefix_len) {
      FAIL(r, at, "names become too long when \"\" is replaced by %.64s", prefix);
      return;
    }
    put_text(r, prefix, prefix_len);
    i += 2; /* the dot stays */
  }
}

static u32 *find_slot(const GoReader *r, u64 hash, const char *name, u64 len, i64 version) {
  for (u32 k = (u32)hash & r->mask;; k = (k + 1) & r->mask) {
    const GoName *n = r->slots[k] ? &r->names.at[r->slots[k] - 1] : NULL;
    if (!n || (n->hash == hash && n->len == len && n->version == version && !memcmp(n->name, name, len)))
      return &r->slots[k];
  }
}

static void grow_slots(GoReader *r) {
  free(r->slots);
  r->mask = r->mask ? 2 * r->mask + 1 : 63;
  r->slots = heap_alloc((r->mask + 1ull) * sizeof *r->slots);
  for (u32 i = 0; i < r->names.n; i++) {
    const GoName *n = &r->names.at[i];
    *find_slot(r, n->hash, n->name, n->len, n->version) = i + 1;
  }
}

/* Index in GoReader.names of the name in hand; `copy` lives as long as the link, or is NULL. */
static u32 intern_name(GoReader *r, i64 version, const char *copy) {
  if (!r->mask || r->names.n >= r->mask / 2)
    grow_slots(r);
  u64 hash = hash_bytes(r->text.at, r->text.n) + (u64)version * 0x9e3779b97f4a7c15u;
  u32 *slot = find_slot(r, hash, r->text.at, r->text.n, version);
  if (!*slot) {
    *vec_push(&r->names) = (GoName){copy ? copy : arena_strndup(r->arena, r->text.at, r->text.n), r->text.n, hash, version, 0, 0};
    *slot = r->names.n;
  }
  return *slot - 1;
}

/* A reference: index in GoReader.names + 1, or 0 for nil. */
static u32 read_symref(GoReader *r) {
  read_name(r);
  i64 version = goobj_int(r);
  return r->bad || (!r->text.n && !version) ? 0 : intern_name(r, version, NULL) + 1;
}

static void skip_symref(GoReader *r) {
  goobj_data(r);
  goobj_int(r);
}

/* ---- relocations ---- */

enum { CLASS_NO, CLASS_ADDR, CLASS_SIZE, CLASS_CALL, CLASS_PCREL, CLASS_CONST, CLASS_TLS, CLASS_NOTE, CLASSES };
enum {
#define X(kind, bits, class, name) KIND_##kind,
  X86_64_EDGES(X)
#undef X
};

typedef struct {
  const char *name;
  u8 class;
} RelocType;

static const RelocType types[] = {
#define X(number, name, class) [number] = {name, CLASS_##class},
    GO_RELOCATIONS(X)
#undef X
};
static const RelocType old_types[] = {
#define X(number, name, class) [number] = {name, CLASS_##class},
    GO_OLD_RELOCATIONS(X)
#undef X
};
static const u8 kinds[CLASSES][9] = {
#define X(class, bytes, kind) [CLASS_##class][bytes] = KIND_##kind,
    GO_X86_64_EDGES(X)
#undef X
};

static i64 tls_offset(const char *os) {
  static const struct {
    const char *os;
    i64 offset;
  } rows[] = {
#define X(name, offset) {name, offset},
      GO_SYSTEMS(X)
#undef X
  };
  for (u32 i = 0; i < COUNT_OF(rows); i++)
    if (streq(rows[i].os, os))
      return rows[i].offset;
  return 0;
}

static const RelocType *reloc_type(const GoReader *r, i64 type) {
  const RelocType *rows = r->o->first_revision ? old_types : types;
  i64 n = r->o->first_revision ? (i64)COUNT_OF(old_types) : (i64)COUNT_OF(types);
  return type > 0 && type < n && rows[type].name ? &rows[type] : NULL;
}

/* GoReloc.symbol is an index in GoReader.names + 1 until symbols have numbers. True: there is one. */
static bool read_reloc(GoReader *r, const GoDefinition *d, GoReloc *out) {
  u64 at = r->at;
  i64 offset = goobj_int(r), size = goobj_int(r), type = goobj_int(r), add = goobj_int(r);
  goobj_int(r); /* xadd and xsym are for linkers of the host */
  u32 symbol = read_symref(r);
  skip_symref(r);
  const RelocType *t = r->bad ? NULL : reloc_type(r, type);
  if (r->bad)
    return false;
  if (!t || t->class == CLASS_NO) {
    FAIL(r, at, "symbol %s: relocation of type %lld (%s) is not supported for %s", d->name, (long long)type,
         t ? t->name : "unknown", r->o->arch);
    return false;
  }
  *out = (GoReloc){.symbol = symbol, .kind = KIND_NONE};
  if (!size || t->class == CLASS_NOTE)
    return symbol;
  u16 kind = size > 0 && size <= 8 ? kinds[t->class][size] : (u16)KIND_NONE;
  Bytes place;
  if (kind == KIND_NONE)
    FAIL(r, at, "symbol %s: relocation %s of %lld bytes", d->name, t->name, (long long)size);
  else if (offset < 0 || !bytes_slice(d->data, (u64)offset, (u64)size, &place))
    FAIL(r, at, "symbol %s: relocation %s at 0x%llx, outside its %llu bytes", d->name, t->name, (long long)offset,
         (unsigned long long)d->data.len);
  else if (!symbol && t->class != CLASS_CONST && t->class != CLASS_TLS)
    FAIL(r, at, "symbol %s: relocation %s without a symbol", d->name, t->name);
  if (r->bad)
    return false;
  i64 bias = t->class == CLASS_CALL || t->class == CLASS_PCREL ? -size : t->class == CLASS_TLS ? tls_offset(r->o->os) : 0;
  bool number = t->class == CLASS_CONST || t->class == CLASS_TLS; /* what `g` is called does not matter */
  *out = (GoReloc){.offset = (u64)offset, .add = (i64)((u64)add + (u64)bias), .symbol = number ? 0 : symbol, .kind = kind};
  return true;
}

/* ---- functions ---- */

/* Unsigned varint of a table of pc values, 32 bits as the run time has it. */
static bool pc_number(Bytes *b, u32 *out) {
  u32 v = 0;
  for (unsigned shift = 0; b->len && shift < 35; shift += 7) {
    u8 c = *b->p;
    *b = (Bytes){b->p + 1, b->len - 1};
    v |= shift < 32 ? (u32)(c & 0x7f) << shift : 0;
    if (!(c & 0x80)) {
      *out = v;
      return true;
    }
  }
  return false;
}

/* Pairs of deltas, the last value delta 0; `files`: values must be numbers of files, or -1. */
static void check_pc_table(GoReader *r, u64 at, Bytes b, const char *what, bool is_files, u32 nfiles) {
  u32 value = UINT32_MAX, delta, pc;
  for (bool first = true; b.len && !r->bad; first = false) {
    bool ok = pc_number(&b, &delta);
    if (ok && !delta && !first)
      return;
    if (!ok || !pc_number(&b, &pc)) {
      FAIL(r, at, "table %s of pc values ends inside a number", what);
      return;
    }
    value += delta >> 1 ^ -(delta & 1);
    if (is_files && value != UINT32_MAX && value >= nfiles)
      FAIL(r, at, "table %s of pc values names file %u of %u", what, value, nfiles);
  }
}

static Bytes read_pc_table(GoReader *r, const char *what) {
  u64 at = r->at;
  Bytes b = goobj_data(r);
  check_pc_table(r, at, b, what, false, 0);
  return b;
}

static void read_func(GoReader *r, GoDefinition *d) {
  GoFunc *fn = d->func = ARENA_NEW(r->arena, GoFunc);
  fn->args = goobj_int(r);
  fn->locals = goobj_int(r);
  if (!r->o->first_revision) { /* nosplit, leaf, from C: nobody here looks at stack depth */
    goobj_int(r);
    goobj_int(r);
  }
  for (u32 i = goobj_count(r, MIN_AUTOM, "variables"); i && !r->bad; i--) {
    skip_symref(r);
    goobj_int(r);
    goobj_int(r);
    skip_symref(r);
  }
  fn->pcsp = read_pc_table(r, "pcsp");
  u64 pcfile_at = r->at;
  fn->pcfile = goobj_data(r);
  fn->pcline = read_pc_table(r, "pcline");
  fn->npcdata = goobj_count(r, 1, "pcdata tables");
  fn->pcdata = ARENA_ARRAY(r->arena, Bytes, fn->npcdata);
  for (u32 i = 0; i < fn->npcdata && !r->bad; i++)
    fn->pcdata[i] = read_pc_table(r, "pcdata");
  fn->nfuncdata = goobj_count(r, MIN_SYMREF + 1, "funcdata symbols");
  fn->funcdata = ARENA_ARRAY(r->arena, GoFuncdata, fn->nfuncdata);
  for (u32 i = 0; i < fn->nfuncdata && !r->bad; i++)
    fn->funcdata[i].symbol = read_symref(r);
  for (u32 i = 0; i < fn->nfuncdata && !r->bad; i++)
    fn->funcdata[i].offset = goobj_int(r);
  fn->nfiles = goobj_count(r, MIN_SYMREF, "files");
  fn->files = ARENA_ARRAY(r->arena, const char *, fn->nfiles);
  for (u32 i = 0; i < fn->nfiles && !r->bad; i++) {
    fn->files[i] = goobj_string(r);
    goobj_int(r);
  }
  check_pc_table(r, pcfile_at, fn->pcfile, "pcfile", true, fn->nfiles);
}

/* What a function's tables name lives with it: edges without a place. */
static void add_funcdata_edges(GoReader *r, GoDefinition *d) {
  const GoFunc *fn = d->func;
  if (!fn || !fn->nfuncdata || r->bad)
    return;
  GoReloc *all = ARENA_ARRAY(r->arena, GoReloc, (u64)d->nrelocs + fn->nfuncdata);
  if (d->nrelocs)
    memcpy(all, d->relocs, d->nrelocs * sizeof *all);
  d->relocs = all;
  for (u32 i = 0; i < fn->nfuncdata; i++)
    if (fn->funcdata[i].symbol)
      all[d->nrelocs++] = (GoReloc){.symbol = fn->funcdata[i].symbol, .kind = KIND_NONE};
}

/* ---- symbols ---- */

static const struct {
  const char *section;
  bool is_zero;
} kind_rows[GO_KINDS] = {
#define IS_ZERO_TEXT false
#define IS_ZERO_RODATA false
#define IS_ZERO_DATA false
#define IS_ZERO_ZERO true
#define IS_ZERO_TLS true
#define X(number, name, section, where) [number] = {section, IS_ZERO_##where},
    GO_SYMBOL_KINDS(X)
#undef X
};

/* Where a name has a local definition already, one of them must not mind. */
static void define(GoReader *r, u64 at, const GoDefinition *d, u32 name) {
  GoName *n = &r->names.at[name];
  u32 first = n->number;
  *vec_push(&r->definitions) = *d;
  if (!first)
    n->number = r->definitions.n;
  else if (!d->global && !d->dupok && !r->definitions.at[first - 1].dupok && d->data.len)
    FAIL(r, at, "local symbol %s is defined twice", d->name);
}

static void read_symbol(GoReader *r) {
  u64 at = r->at;
  i64 kind = goobj_int(r);
  read_name(r);
  if (!r->bad && (kind <= 0 || kind >= GO_KINDS))
    FAIL(r, at, "symbol %.200s is of kind %lld, which there is not", r->text.at, (long long)kind);
  else if (!r->bad && !r->text.n)
    FAIL(r, at, "a symbol without a name");
  if (r->bad)
    return;
  GoDefinition d = {.kind = (u8)kind};
  d.section = arena_printf(r->arena, "%s.%s", kind_rows[kind].section, r->text.at);
  d.name = d.section + strlen(kind_rows[kind].section) + 1;
  i64 version = goobj_int(r);
  d.global = !version;
  u32 name = r->bad ? 0 : intern_name(r, version, d.name);
  i64 flags = goobj_int(r), size = goobj_int(r);
  d.dupok = flags & 1;
  skip_symref(r); /* the type, which the run time does not need */
  d.data = goobj_data(r);
  if (!r->bad && (size < 0 || d.data.len > (u64)size))
    FAIL(r, at, "symbol %s: %llu bytes of data in a symbol of %lld", d.name, (unsigned long long)d.data.len, (long long)size);
  if (r->bad)
    return;
  d.size = (u64)size;
  if (d.data.len && kind_rows[kind].is_zero) {
    if (kind == GO_STLSBSS)
      FAIL(r, at, "symbol %s: thread-local data with a value", d.name);
    d.kind = kind == GO_SNOPTRBSS ? GO_SNOPTRDATA : GO_SDATA;
    d.section = arena_printf(r->arena, "%s.%s", kind_rows[d.kind].section, d.name);
  }
  u32 n = goobj_count(r, MIN_RELOC, "relocations");
  d.relocs = ARENA_ARRAY(r->arena, GoReloc, n);
  for (u32 i = 0; i < n && !r->bad; i++)
    d.nrelocs += read_reloc(r, &d, &d.relocs[d.nrelocs]);
  if (kind == GO_STEXT && !r->bad)
    read_func(r, &d);
  add_funcdata_edges(r, &d);
  if (!r->bad)
    define(r, at, &d, name);
}

/* $f32.HEX and $f64.HEX are the bits of constants. One that nobody defines is read-only data of every file that uses it,
 * as if the compiler had put it there. */
static void make_constants(GoReader *r) {
  for (u32 i = 0; i < r->names.n && !r->bad; i++) {
    GoName *n = &r->names.at[i];
    bool single = !strncmp(n->name, "$f32.", 5);
    if (n->number || n->version || (!single && strncmp(n->name, "$f64.", 5)))
      continue;
    u64 digits = n->len - 5, bits = 0;
    bool ok = digits && digits <= (single ? 8 : 16);
    for (u64 k = 5; k < n->len && ok; k++) {
      const char *hex = "0123456789abcdef0123456789ABCDEF", *p = strchr(hex, n->name[k]);
      ok = p;
      bits = bits << 4 | (ok ? (u64)(p - hex) & 15 : 0);
    }
    if (!ok) {
      FAIL(r, 0, "%s is no floating-point constant", n->name);
      continue;
    }
    u8 *data = arena_alloc(r->arena, 8, 8);
    wr64(data, bits);
    *vec_push(&r->definitions) =
        (GoDefinition){.name = n->name,
                       .kind = GO_SRODATA,
                       .dupok = true,
                       .global = true,
                       .size = single ? 4 : 8,
                       .data = {data, single ? 4 : 8},
                       .section = arena_printf(r->arena, "%s.%s", kind_rows[GO_SRODATA].section, n->name)};
    n->number = r->definitions.n;
  }
}

/* ---- numbers of symbols ---- */

static void number_symbols(GoReader *r) {
  GoObject *o = r->o;
  u32 n = o->ndefinitions = r->definitions.n;
  o->definitions = ARENA_ARRAY(r->arena, GoDefinition, n);
  if (n)
    memcpy(o->definitions, r->definitions.at, n * sizeof *o->definitions);
  o->symbols = ARENA_ARRAY(r->arena, GoSymbol, 1 + 2ull * n + r->names.n);
  o->symbols[0].name = "";
  for (u32 i = 1; i <= n; i++)
    o->symbols[i] = (GoSymbol){o->definitions[i - 1].name, (u32)strlen(o->definitions[i - 1].name), i};
  o->nsymbols = o->first_global = n + 1;
  u32 *global = heap_alloc((n + 1ull) * sizeof *global); /* by number */
  for (u32 i = 1; i <= n; i++)
    if (o->definitions[i - 1].global) {
      global[i] = o->nsymbols;
      o->symbols[o->nsymbols++] = o->symbols[i];
    }
  for (u32 i = 0; i < r->names.n; i++) {
    GoName *x = &r->names.at[i];
    if (x->number) {
      x->symbol = x->version ? x->number : global[x->number];
    } else if (x->version) {
      FAIL(r, 0, "local symbol %.200s is referred to and not defined", x->name);
    } else {
      x->symbol = o->nsymbols;
      o->symbols[o->nsymbols++] = (GoSymbol){x->name, (u32)x->len, 0};
    }
  }
  free(global);
}

static void number_targets(GoReader *r) {
  for (u32 i = 0; i < r->o->ndefinitions && !r->bad; i++) {
    GoDefinition *d = &r->o->definitions[i];
    for (u32 k = 0; k < d->nrelocs; k++)
      if (d->relocs[k].symbol)
        d->relocs[k].symbol = r->names.at[d->relocs[k].symbol - 1].symbol;
    for (u32 k = 0; d->func && k < d->func->nfuncdata; k++)
      if (d->func->funcdata[k].symbol)
        d->func->funcdata[k].symbol = r->names.at[d->func->funcdata[k].symbol - 1].symbol;
  }
}

bool goobj_open(Link *l, FileId f, unsigned tid) {
  File *file = file_at(l, f);
  GoObject *o = file->fmt;
  if (!o)
    return false;
  GoReader r = {.l = l, .f = f, .arena = &l->scratch[tid], .o = o, .b = file->data};
  if (o->body.len) {
    r.at = (u64)(o->body.p - file->data.p);
    u8 mark = 0;
    while (!r.bad && (mark = goobj_byte(&r)) == 0xfe)
      read_symbol(&r);
    Bytes end;
    if (!r.bad && (mark != 0xff || !bytes_slice(r.b, r.at, 7, &end) || memcmp(end.p, "\xffgo13ld", 7)))
      FAIL(&r, r.at - 1, "neither a symbol nor the end of the list of symbols");
    make_constants(&r);
    number_symbols(&r);
    number_targets(&r);
  }
  vec_free(&r.definitions);
  vec_free(&r.names);
  vec_free(&r.text);
  free(r.slots);
  file->nsyms = o->nsymbols;
  file->first_global = o->first_global;
  file->natoms = o->ndefinitions + 1;
  return !r.bad;
}
