/* ehframe.c: takes .eh_frame apart (LSB 5.0 Core, 10.6) and decides what of it stays. Records that
 * describe dead code go, equal CIEs become one (the first in file order), and each file's records
 * stay together: its CIEs that are written, then its FDEs.
 * The trap: relocations are found by EdgeCursor positions, which count the file's relocations in the
 * order in which they stand there; that is nearly always, but not by any rule, the order of offsets. */
#include "core/ehframe.h"

#include <stdio.h>
#include <stdlib.h>

#include "pass/ehframe_internal.h"
#include "util/hash.h"

enum {
  SERIAL_FILES = 16,
  DATA_AHEAD = 512,
  /* An .eh_frame whose relocations are out of order is searched record by record, up to this much. */
  MAX_SEARCH = 1 << 24,
};

/* ---- parse ---- */

typedef struct {
  u64 offset;
  u32 at; /* EdgeCursor position */
} EdgePlace;

/* One thread's state. */
typedef struct {
  VEC(EhRecord) cies, fdes;
  VEC(EdgeEnd) edges;    /* of the atom, as they stand in the file */
  VEC(EdgePlace) places; /* the same by offset; only when that is another order */
  /* the atom being read */
  Link *l;
  u32 file, atom;
  unsigned tid;
  u32 word;              /* Format.word */
  Bytes data;
  u32 first_cie;         /* in cies: the atom's own from here on */
  u32 next_place;        /* in places: first one not before the current record */
  u64 searched;
} Parser;

__attribute__((cold, format(printf, 3, 4))) static bool bad(Parser *p, u64 off, const char *fmt, ...) {
  char text[160];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  diag_report(p->l->diag, DIAG_ERROR, "eh-frame", (u64)p->file << 32 | (u32)off, "%s: %s",
              place_of(p->l, p->tid, (AtomId){p->atom}, off), text);
  return false;
}

static int place_order(const void *pa, const void *pb) {
  const EdgePlace *a = pa, *b = pb;
  if (a->offset != b->offset)
    return a->offset < b->offset ? -1 : 1;
  return a->at < b->at ? -1 : a->at > b->at;
}

/* Relocations that are none of the usual ones, or are malformed, which is reported here. */
static void load_unusual_edges(Parser *p) {
  const Format *format = p->l->format;
  EdgeCursor c = {.atom = {p->atom}};
  Edge buf[EDGE_BATCH];
  i64 off;
  for (u32 n; (n = format->edges(p->l, &c, buf));)
    for (u32 i = 0; i < n; i++)
      *vec_push(&p->edges) =
          (EdgeEnd){(u32)buf[i].offset, format->edge_atom(p->l, (FileId){p->file}, &buf[i], &off).i};
}

static void load_edges(Parser *p) {
  u32 n = p->l->atoms.at[p->atom].rel;
  bool sorted = true;
  p->edges.n = p->places.n = 0;
  vec_reserve(&p->edges, n);
  if (LIKELY(p->l->format->edge_ends(p->l, (AtomId){p->atom}, p->edges.at)))
    p->edges.n = n;
  else
    load_unusual_edges(p);
  for (u32 i = 1; i < p->edges.n && sorted; i++)
    sorted = p->edges.at[i - 1].offset <= p->edges.at[i].offset;
  if (sorted)
    return;
  vec_reserve(&p->places, p->edges.n);
  for (u32 i = 0; i < p->edges.n; i++)
    p->places.at[i] = (EdgePlace){p->edges.at[i].offset, i};
  p->places.n = p->edges.n;
  qsort(p->places.at, p->places.n, sizeof *p->places.at, place_order);
}

/* As take_edges, when the relocations are in another order than their offsets. */
static bool search_edges(Parser *p, EhRecord *r) {
  u32 i = p->next_place;
  while (i < p->places.n && p->places.at[i].offset < r->off)
    i++;
  u32 low = UINT32_MAX, high = 0;
  for (; i < p->places.n && p->places.at[i].offset - r->off < r->size; i++) {
    low = MIN(low, p->places.at[i].at);
    high = MAX(high, p->places.at[i].at);
  }
  p->next_place = i;
  if (low == UINT32_MAX)
    return true;
  r->rel = low;
  r->nrel = high - low + 1;
  p->searched += r->nrel;
  if (p->searched > MAX_SEARCH + p->places.n)
    return bad(p, r->off, "relocations are in no order");
  return true;
}

/* The edges inside a record: they come next. */
static bool take_edges(Parser *p, EhRecord *r) {
  if (p->places.n)
    return search_edges(p, r);
  const EdgeEnd *e = p->edges.at;
  u32 i = p->next_place, n = p->edges.n;
  while (i < n && e[i].offset < r->off)
    i++;
  r->rel = i;
  while (i < n && e[i].offset - r->off < r->size)
    i++;
  r->nrel = i - r->rel;
  p->next_place = i;
  return true;
}

/* The edge at exactly `off`, in record r. */
static const EdgeEnd *edge_at(const Parser *p, const EhRecord *r, u64 off) {
  for (u32 i = r->rel; i < r->rel + r->nrel; i++)
    if (p->edges.at[i].offset == off)
      return &p->edges.at[i];
  return NULL;
}

/* Reads of a CIE; a read behind its end gives 0 and leaves `ok` false. */
typedef struct {
  const u8 *at, *end;
  bool ok;
} Reader;

static u8 get8(Reader *r) {
  if (r->at < r->end)
    return *r->at++;
  r->ok = false;
  return 0;
}

static void skip_leb(Reader *r) {
  while (get8(r) & 0x80)
    ;
}

/* Fills in the encodings. What can't be understood leaves them as "omit": such FDEs are kept as they
 * are, without an entry in the table. */
static bool parse_cie(Parser *p, EhRecord *c) {
  const u8 *data = p->data.p + c->off;
  Reader r = {data + 8, data + c->size, true};
  c->target = cie_pack(DW_EH_PE_omit, DW_EH_PE_omit);
  u8 version = get8(&r);
  if (version != 1 && version != 3)
    return bad(p, c->off, "CIE has version %u, expected 1 or 3", version);
  const u8 *aug = r.at, *nul = memchr(aug, 0, (size_t)(r.end - aug));
  if (!nul)
    return bad(p, c->off, "augmentation string of a CIE runs past its end");
  r.at = nul + 1;
  if (aug[0] == 'e' && aug[1] == 'h') { /* of GCC 2: a pointer follows */
    if (r.end - r.at < p->word)
      return bad(p, c->off, "CIE is too short");
    r.at += p->word;
    aug += 2;
  }
  skip_leb(&r); /* code alignment */
  skip_leb(&r); /* data alignment */
  if (version == 1)
    get8(&r);
  else
    skip_leb(&r);
  u8 fde = DW_EH_PE_absptr, lsda = DW_EH_PE_omit;
  if (*aug == 'z') {
    skip_leb(&r);
    aug++;
  } else if (*aug) {
    return true; /* an augmentation of unknown length */
  }
  for (; *aug; aug++) {
    switch (*aug) {
    case 'R': fde = get8(&r); break;
    case 'L': lsda = get8(&r); break;
    case 'P': {
      u8 encoding = get8(&r);
      u32 size = eh_pointer_size(p->word, encoding);
      if (!size || (u64)(r.end - r.at) < size)
        return true;
      r.at += size;
      break;
    }
    case 'S': case 'B': case 'G': break;
    default: return true;
    }
  }
  if (!r.ok)
    return bad(p, c->off, "CIE is too short");
  c->target = cie_pack(fde, lsda);
  return true;
}

/* The CIE of this atom at `off`: CIEs are in order of offsets, and mostly the last one is meant. */
static u32 find_cie(const Parser *p, u64 off) {
  const EhRecord *c = p->cies.at;
  u32 first = p->first_cie, n = p->cies.n;
  if (n > first && c[n - 1].off == off)
    return n - 1;
  u32 at = first + FIRST_NOT(n - first, i, c[first + i].off < off);
  return at < n && c[at].off == off ? at : UINT32_MAX;
}

static bool is_zero(const u8 *p, u32 n) {
  u8 any = 0;
  while (n--)
    any |= *p++;
  return !any;
}

/* Keeps the FDE when it describes an atom of its own file, and at least a byte of it: FDEs of a function that another
 * file's copy has replaced are of no use, nor are those of no code (a function that ends in __builtin_unreachable()). */
static bool parse_fde(Parser *p, EhRecord *r, u32 id) {
  Link *l = p->l;
  u64 field = (u64)r->off + 4;
  u32 cie = id <= field ? find_cie(p, field - id) : UINT32_MAX;
  if (cie == UINT32_MAX)
    return bad(p, r->off, "FDE does not name a CIE before it");
  u8 encoding = cie_fde_encoding(&p->cies.at[cie]);
  u32 width = encoding == DW_EH_PE_omit ? 0 : eh_pointer_size(p->word, encoding);
  if (r->size < EH_PC_BEGIN + 2 * width)
    return bad(p, r->off, "FDE is too short");
  r->cie = cie;
  const EdgeEnd *e = r->nrel ? edge_at(p, r, (u64)r->off + EH_PC_BEGIN) : NULL;
  if (!e)
    return true; /* describes no address that could move: ld -r leaves such ones behind */
  AtomId t = {e->atom};
  const File *f = &l->files.at[p->file];
  if (t.i - f->atom_base >= f->natoms ||
      l->atoms.flags[t.i] & (ATOM_DISCARDED | ATOM_MERGE | ATOM_EHFRAME | ATOM_SYNTH))
    return true;
  r->target = t.i;
  u64 range = (u64)r->off + EH_PC_BEGIN + width;
  if (width && is_zero(p->data.p + range, width) && !edge_at(p, r, range))
    return true;
  r->index = eh_readable(encoding) ? 0 : EH_DROPPED;
  *vec_push(&p->fdes) = *r;
  return true;
}

static bool parse_records(Parser *p) {
  u64 off = 0;
  while (off < p->data.len) {
    if (p->data.len - off < 4)
      return bad(p, off, "a record is cut off");
    u32 len = rd32(p->data.p + off);
    PREFETCH(p->data.p + off + DATA_AHEAD);
    if (!len) { /* a terminator, also in the middle of what ld -r made */
      off += 4;
      continue;
    }
    if (len == UINT32_MAX)
      return bad(p, off, "64-bit records are not supported");
    if (len > p->data.len - off - 4)
      return bad(p, off, "a record of 0x%x bytes runs past the end of the section", len);
    if (len < 4)
      return bad(p, off, "a record has %u bytes, at least 4 are needed", len);
    EhRecord r = {.atom = p->atom, .off = (u32)off, .size = len + 4, .out = EH_DROPPED};
    if (!take_edges(p, &r))
      return false;
    u32 id = rd32(p->data.p + off + 4);
    if (id) {
      if (!parse_fde(p, &r, id))
        return false;
    } else {
      if (!parse_cie(p, &r))
        return false;
      *vec_push(&p->cies) = r;
    }
    off += r.size;
  }
  return true;
}

static void parse_atom(Parser *p, u32 atom) {
  const Atom *a = &p->l->atoms.at[atom];
  u32 nfdes = p->fdes.n;
  p->atom = atom;
  p->data = (Bytes){a->data, a->size};
  p->first_cie = p->cies.n;
  p->next_place = 0;
  p->searched = 0;
  if (a->size > UINT32_MAX) {
    bad(p, 0, "sections of 4 GiB and more are not supported");
    return;
  }
  load_edges(p);
  if (!parse_records(p)) { /* nothing of it is kept */
    p->cies.n = p->first_cie;
    p->fdes.n = nfdes;
  }
}

static int fde_order(const void *pa, const void *pb) {
  const EhRecord *a = pa, *b = pb;
  if (a->target != b->target)
    return a->target < b->target ? -1 : 1;
  if (a->atom != b->atom)
    return a->atom < b->atom ? -1 : 1;
  return a->off < b->off ? -1 : a->off > b->off;
}

static void finish_file(Parser *p, File *f) {
  Link *l = p->l;
  EhRecord *fdes = p->fdes.at;
  bool sorted = true;
  for (u32 i = 1; i < p->fdes.n && sorted; i++)
    sorted = fde_order(&fdes[i - 1], &fdes[i]) < 0;
  if (!sorted)
    qsort(fdes, p->fdes.n, sizeof *fdes, fde_order);
  for (u32 i = 0; i < p->fdes.n; i++)
    if (!i || fdes[i - 1].target != fdes[i].target)
      l->atoms.at[fdes[i].target].aux = i + 1;
  Arena *arena = &l->scratch[p->tid];
  f->eh = (FileEh){ARENA_ARRAY(arena, EhRecord, p->cies.n), p->cies.n,
                   ARENA_ARRAY(arena, EhRecord, p->fdes.n), p->fdes.n};
  if (p->cies.n)
    memcpy(f->eh.cies, p->cies.at, sizeof(EhRecord) * p->cies.n);
  if (p->fdes.n)
    memcpy(f->eh.fdes, fdes, sizeof(EhRecord) * p->fdes.n);
}

static void parse_files(void *ctx, u32 begin, u32 end, unsigned tid) {
  Parser *p = (Parser *)ctx + tid;
  Link *l = p->l;
  const u32 mask = ATOM_LIVE | ATOM_EHFRAME | ATOM_DISCARDED;
  for (u32 i = MAX(begin, 1u); i < end; i++) {
    File *f = &l->files.at[i];
    if (!f->live || f->kind != FILE_OBJECT)
      continue;
    p->file = i;
    p->cies.n = p->fdes.n = 0;
    const u16 *flags = l->atoms.flags;
    for (u32 a = f->atom_base, last = a + f->natoms; a < last; a++) {
      while (a + 4 <= last && !(rd64(&flags[a]) & 0x0001000100010001 * ATOM_EHFRAME)) /* hardly any is */
        a += 4;
      if (a < last && (flags[a] & mask) == (ATOM_LIVE | ATOM_EHFRAME) && l->atoms.at[a].data)
        parse_atom(p, a);
    }
    if (p->cies.n)
      finish_file(p, f);
  }
}

void ehframe_parse(Link *l) {
  u32 threads = pool_threads(l->pool);
  Parser *p = heap_alloc(sizeof(Parser) * threads);
  for (u32 t = 0; t < threads; t++) {
    p[t].l = l;
    p[t].tid = t;
    p[t].word = l->format->word;
  }
  pool_run(l->pool, l->files.n, SERIAL_FILES, parse_files, p);
  for (u32 t = 0; t < threads; t++) {
    vec_free(&p[t].cies);
    vec_free(&p[t].fdes);
    vec_free(&p[t].edges);
    vec_free(&p[t].places);
  }
  free(p);
}

/* ---- questions ---- */

const EhRecord *ehframe_fdes(const Link *l, AtomId a, u32 *n) {
  *n = 0;
  const Atom *at = &l->atoms.at[a.i];
  if (!at->aux || l->atoms.flags[a.i] & (ATOM_MERGE | ATOM_EHFRAME | ATOM_SYNTH))
    return NULL;
  const FileEh *eh = &l->files.at[at->file].eh;
  u32 i = at->aux - 1;
  while (i + *n < eh->nfdes && eh->fdes[i + *n].target == a.i)
    ++*n;
  return eh->fdes + i;
}

u32 ehframe_edges(const Link *l, FileId f, const EhRecord *r, EdgeCursor *c, Edge *buf) {
  (void)f;
  bool fde = rd32(l->atoms.at[r->atom].data + r->off + 4) != 0;
  if (!c->atom.i)
    *c = (EdgeCursor){.atom = {r->atom}, .next = r->rel};
  if (r->nrel <= fde)
    return 0; /* nothing but the function */
  while (c->next - r->rel < r->nrel) {
    c->most = r->nrel - (c->next - r->rel);
    u32 n = l->format->edges(l, c, buf), kept = 0;
    if (!n)
      return 0;
    for (u32 i = 0; i < n; i++) {
      u64 off = buf[i].offset - r->off;
      if (off < r->size && !(fde && off == EH_PC_BEGIN))
        buf[kept++] = buf[i];
    }
    if (kept)
      return kept;
  }
  return 0;
}

static bool stays(const Link *l, const EhRecord *fde) {
  return (l->atoms.flags[fde->target] & ATOM_FOLDED) == ATOM_LIVE &&
         !(l->atoms.flags[fde->atom] & ATOM_DISCARDED);
}

/* ---- scan ---- */

static bool is_absolute(u8 encoding) {
  return encoding != DW_EH_PE_omit && !(encoding & DW_EH_PE_application);
}

static void scan_record(Link *l, const EhRecord *r, unsigned tid) {
  EdgeCursor c = {.atom = {r->atom}, .next = r->rel};
  Edge buf[EDGE_BATCH];
  while (c.next - r->rel < r->nrel) {
    u32 left = r->nrel - (c.next - r->rel), n = l->format->edges(l, &c, buf);
    if (!n)
      break;
    for (u32 i = 0; i < MIN(n, left); i++)
      if (buf[i].offset - r->off < r->size)
        l->arch->scan_edges(l, (AtomId){r->atom}, &buf[i], 1, tid);
  }
}

/* Only few records can need anything: CIEs, for their personality, and FDEs that hold absolute
 * addresses. The others lead to code and tables of their own file, relative to themselves. */
static void scan_files(void *ctx, u32 begin, u32 end, unsigned tid) {
  Link *l = ctx;
  for (u32 i = begin; i < end; i++) {
    FileEh *eh = &l->files.at[i].eh;
    for (u32 k = 0; k < eh->ncies; k++)
      eh->cies[k].cie = 0;
    for (u32 k = 0; k < eh->nfdes; k++) {
      const EhRecord *r = &eh->fdes[k];
      EhRecord *c = &eh->cies[r->cie];
      if (!stays(l, r))
        continue;
      c->cie = 1;
      if (UNLIKELY(is_absolute(cie_fde_encoding(c)) || is_absolute(cie_lsda_encoding(c))))
        scan_record(l, r, tid);
    }
    for (u32 k = 0; k < eh->ncies; k++)
      if (eh->cies[k].cie && eh->cies[k].nrel)
        scan_record(l, &eh->cies[k], tid);
  }
}

void ehframe_scan(Link *l) {
  pool_run(l->pool, l->files.n, SERIAL_FILES, scan_files, l);
}

/* ---- build ---- */

/* A CIE that is written. */
typedef struct {
  u32 file, index;
  u32 hash;
} KeptCie;

typedef struct {
  Link *l;
  EhOutput *o;
  u32 *entries;   /* by file: FDEs with an entry in the table */
  bool *no_table; /* by file: an FDE's address can't be read */
  VEC(KeptCie) kept;
} Builder;

/* Which FDEs stay, and which CIEs they need (EhRecord.cie of a CIE is 1 then). */
static void mark_files(void *ctx, u32 begin, u32 end, unsigned tid) {
  Builder *b = ctx;
  Link *l = b->l;
  (void)tid;
  for (u32 i = begin; i < end; i++) {
    FileEh *eh = &l->files.at[i].eh;
    u32 size = 0;
    for (u32 k = 0; k < eh->ncies; k++)
      eh->cies[k].cie = 0;
    for (u32 k = 0; k < eh->nfdes; k++) {
      EhRecord *r = &eh->fdes[k], *c = &eh->cies[r->cie];
      r->out = EH_DROPPED;
      if (!stays(l, r))
        continue;
      c->cie = 1;
      r->out = 0;
      size += r->size;
      b->entries[i] += r->index != EH_DROPPED;
      b->no_table[i] |= !eh_readable(cie_fde_encoding(c));
    }
    b->o->base[i] = size;
  }
}

/* What makes two CIEs the same: their bytes, and where their relocations lead. */
static u32 cie_edges(const Link *l, u32 file, const EhRecord *c, Edge *buf) {
  EdgeCursor cursor = {0};
  return c->nrel ? ehframe_edges(l, (FileId){file}, c, &cursor, buf) : 0;
}

static bool same_cie(const Link *l, u32 fa, const EhRecord *a, u32 fb, const EhRecord *b) {
  Edge ea[EDGE_BATCH], eb[EDGE_BATCH];
  if (a->size != b->size || memcmp(l->atoms.at[a->atom].data + a->off,
                                   l->atoms.at[b->atom].data + b->off, a->size))
    return false;
  u32 na = cie_edges(l, fa, a, ea), nb = cie_edges(l, fb, b, eb);
  if (na != nb)
    return false;
  for (u32 i = 0; i < na; i++)
    if (ea[i].offset - a->off != eb[i].offset - b->off || ea[i].kind != eb[i].kind ||
        ea[i].addend != eb[i].addend || ea[i].target != eb[i].target)
      return false;
  return true;
}

/* Number of the equal CIE that is written. There are a handful of different ones in a link, or (CIEs
 * with hostile differences) many: then the hash decides. */
static u32 keep_cie(Builder *b, u32 file, u32 index, u32 **table, u32 *mask) {
  Link *l = b->l;
  const EhRecord *c = &l->files.at[file].eh.cies[index];
  u32 hash = (u32)hash_bytes(l->atoms.at[c->atom].data + c->off, c->size), i;
  if (b->kept.n * 2 >= *mask) {
    *mask = *mask ? *mask * 2 + 1 : 63;
    free(*table);
    *table = heap_alloc(sizeof(u32) * ((u64)*mask + 1));
    for (u32 k = 0; k < b->kept.n; k++) {
      for (i = b->kept.at[k].hash & *mask; (*table)[i]; i = (i + 1) & *mask)
        ;
      (*table)[i] = k + 1;
    }
  }
  for (i = hash & *mask; (*table)[i]; i = (i + 1) & *mask) {
    const KeptCie *k = &b->kept.at[(*table)[i] - 1];
    if (k->hash == hash &&
        same_cie(l, k->file, &l->files.at[k->file].eh.cies[k->index], file, c))
      return (*table)[i] - 1;
  }
  (*table)[i] = b->kept.n + 1;
  *vec_push(&b->kept) = (KeptCie){file, index, hash};
  return b->kept.n - 1;
}

void ehframe_number_cies(Link *l) {
  Builder b = {.l = l};
  u32 *table = NULL, mask = 0;
  for (u32 i = 0; i < l->files.n; i++)
    for (u32 k = 0; k < l->files.at[i].eh.ncies; k++)
      l->files.at[i].eh.cies[k].cie = keep_cie(&b, i, k, &table, &mask) + 1;
  free(table);
  vec_free(&b.kept);
}

/* Gives every file its range, and the CIEs that are written their places at the start of it. Returns
 * the size of all. */
static u64 place_files(Builder *b) {
  Link *l = b->l;
  EhOutput *o = b->o;
  u32 *table = NULL, mask = 0;
  u64 at = 0;
  for (u32 i = 0; i < l->files.n; i++) {
    FileEh *eh = &l->files.at[i].eh;
    u32 entries = b->entries[i];
    u64 fdes = o->base[i];
    o->base[i] = (u32)at;
    b->entries[i] = o->nentries; /* from now on: the file's first entry */
    o->nentries += entries;
    o->has_table &= !b->no_table[i];
    for (u32 k = 0; k < eh->ncies; k++) {
      EhRecord *c = &eh->cies[k];
      c->out = EH_DROPPED;
      if (!c->cie)
        continue;
      u32 number = keep_cie(b, i, k, &table, &mask);
      const KeptCie *kept = &b->kept.at[number];
      c->cie = number + 1;
      if (kept->file == i && kept->index == k) {
        c->out = (u32)at;
        at += c->size;
      } else {
        c->out = l->files.at[kept->file].eh.cies[kept->index].out;
      }
    }
    at += fdes;
    if (at > UINT32_MAX - EH_TERMINATOR) {
      diag_error(l->diag, "eh-frame", ".eh_frame is larger than 4 GiB");
      at = 0;
      break;
    }
  }
  o->base[l->files.n] = (u32)at;
  free(table);
  return at;
}

static void place_records(void *ctx, u32 begin, u32 end, unsigned tid) {
  Builder *b = ctx;
  (void)tid;
  for (u32 i = begin; i < end; i++) {
    FileEh *eh = &b->l->files.at[i].eh;
    u32 at = b->o->base[i], entry = b->entries[i];
    for (u32 k = 0; k < eh->ncies; k++) /* those that equal another, of this file or one before, stand where that does */
      at += eh->cies[k].out == at ? eh->cies[k].size : 0;
    for (u32 k = 0; k < eh->nfdes; k++) {
      EhRecord *r = &eh->fdes[k];
      if (r->out == EH_DROPPED)
        continue;
      r->out = at;
      at += r->size;
      if (r->index != EH_DROPPED)
        r->index = entry++;
    }
  }
}

u32 ehframe_begin(const Link *l, FileId f) {
  const EhOutput *o = l->synths.at[SYN_EH_FRAME].ctx;
  return o ? o->base[f.i] : 0;
}

void ehframe_build(Link *l) {
  EhOutput *o = ARENA_NEW(&l->arena, EhOutput);
  Synth *frame = &l->synths.at[SYN_EH_FRAME], *hdr = &l->synths.at[SYN_EH_FRAME_HDR];
  *o = (EhOutput){.base = ARENA_ARRAY(&l->arena, u32, l->files.n + 1), .nfiles = l->files.n, .has_table = true};
  Builder b = {.l = l, .o = o, .entries = heap_alloc(sizeof(u32) * l->files.n), .no_table = heap_alloc(l->files.n)};
  pool_run(l->pool, l->files.n, SERIAL_FILES, mark_files, &b);
  u64 size = place_files(&b);
  if (size)
    pool_run(l->pool, l->files.n, SERIAL_FILES, place_records, &b);
  /* Readers that walk the section (glibc's, LSB 10.6.1.2) stop at a zero word: also when no crtend.o
   * brought one. */
  frame->size = size && !l->relocatable ? size + EH_TERMINATOR : size;
  frame->write = ehframe_write;
  frame->grain = 1;
  frame->ctx = o;
  hdr->ctx = o;
  hdr->write = ehframe_write_hdr;
  hdr->late = true;
  if (size && !l->relocatable && l->opt->eh_frame_hdr && !l->opt->no_eh_frame_hdr) {
    hdr->size = EH_HDR_SIZE;
    if (o->has_table) {
      hdr->size += EH_COUNT_SIZE + EH_ENTRY_SIZE * (u64)o->nentries;
      o->entry = ARENA_ARRAY(&l->arena, u64, o->nentries);
    }
  }
  free(b.entries);
  free(b.no_table);
  vec_free(&b.kept);
}
