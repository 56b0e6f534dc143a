/* macho_linkedit.c: what dyld reads of an image: pointers that it changes, names that it exports, symbols; and where all that
 * stands in __LINKEDIT.
 * The trap: a pointer to a weak definition is moved with the image (so it has a value when no other image defines the
 * name) and is bound, too; a lazy pointer is moved, since it leads to the stub helper until it is bound. */
#include <stdlib.h>

#include "write/macho.h"
#include "write/macho_dyldinfo.h"
#include "write/macho_fixups.h"
#include "write/macho_sign.h"
#include "write/macho_trie.h"

/* ---- libraries ---- */

bool macho_is_coalesced(const Link *l, u32 sym) {
  u32 f = l->syms.flags[sym];
  return f & SF_WEAK && !(f & (SF_UNDEFINED | SF_HIDDEN)) && (f & SF_SHARED || (l->syms.atom[sym] && f & SF_IMPORTED));
}

/* The library of the symbol tables: what is coalesced has one all the same. */
i32 macho_symbol_ordinal(const MachoImage *m, u32 sym) {
  const Link *l = m->l;
  if (!(l->syms.flags[sym] & SF_SHARED) || l->opt->darwin.flat_namespace)
    return BIND_SPECIAL_DYLIB_FLAT_LOOKUP;
  return m->ordinals[key_file(l->syms.key[sym])];
}

bool macho_weak_import(const MachoImage *m, u32 sym) {
  const Link *l = m->l;
  u32 f = l->syms.flags[sym];
  return (f & (SF_SHARED | SF_UNDEFINED) && !(f & SF_REF_STRONG) && f & SF_REF) || (f & SF_SHARED && m->weak_files[key_file(l->syms.key[sym])]);
}

/* ---- opcodes for dyld ---- */

typedef struct {
  VEC(MachoRebase) rebases;
  VEC(MachoBind) binds, weak, lazy;
} Opcodes;

static bool place(const MachoImage *m, u64 addr, u32 *segment, u64 *offset) {
  *segment = macho_segment_at(m, addr);
  if (*segment == m->segments.n)
    return false;
  *offset = addr - m->segments.at[*segment].addr;
  return true;
}

static void add_pointer(const MachoImage *m, Opcodes *o, const BindPointer *p) {
  const Link *l = m->l;
  u32 segment;
  u64 offset;
  if (!place(m, p->addr, &segment, &offset))
    return;
  if (p->target && l->opt->kind != OUTPUT_EXEC)
    *vec_push(&o->rebases) = (MachoRebase){offset, segment};
  if (p->sym == NO_SYM.i)
    return;
  MachoBind b = {.offset = offset, .segment = segment, .addend = p->addend, .name = l->syms.name[p->sym].p,
                 .ordinal = macho_symbol_ordinal(m, p->sym), .flags = macho_weak_import(m, p->sym) ? BIND_SYMBOL_FLAGS_WEAK_IMPORT : 0};
  bool coalesced = macho_is_coalesced(l, p->sym);
  if (p->lazy)
    *vec_push(&o->lazy) = b;
  else if (!coalesced || l->syms.flags[p->sym] & SF_SHARED)
    *vec_push(&o->binds) = b;
  b.flags = 0;
  if (coalesced)
    *vec_push(&o->weak) = b;
}

/* Names that this image defines for good, where another image defines them weak. */
static const char **find_overrides(const MachoImage *m, Arena *arena, u32 *n) {
  const Link *l = m->l;
  VEC(const char *) v = {0};
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    SymRec rec[64];
    if (file->kind != FILE_SHARED || !file->fmt)
      continue;
    for (u32 i = file->first_global, k; (k = l->format->symbols(l, (FileId){f}, i, rec, COUNT_OF(rec))); i += k)
      for (u32 r = 0; r < k; r++) {
        u32 sym = file->globals[rec[r].index - file->first_global];
        if (rec[r].flags & SF_WEAK && sym != UINT32_MAX && l->syms.atom[sym] && (l->syms.flags[sym] & (SF_WEAK | SF_EXPORTED | SF_DISCARDED)) == SF_EXPORTED)
          *vec_push(&v) = l->syms.name[sym].p;
      }
  }
  const char **out = ARENA_ARRAY(arena, const char *, v.n + 1);
  if (v.n)
    memcpy(out, v.at, v.n * sizeof *out);
  *n = v.n;
  vec_free(&v);
  return out;
}

static bool segments_fit(const MachoImage *m) {
  if (m->segments.n <= MACHO_DYLDINFO_SEGMENTS)
    return true;
  diag_error(m->l->diag, "too-large", "the output has %u segments: pointers in no more than %d can be relocated without -fixup_chains",
             m->segments.n, MACHO_DYLDINFO_SEGMENTS);
  return false;
}

static bool make_opcodes(MachoImage *m, Arena *arena) {
  Link *l = m->l;
  Binds *b = l->binds;
  Opcodes o = {0};
  u32 noverrides, *lazy_data = ARENA_ARRAY(arena, u32, b->nlazy + 1);
  if (!segments_fit(m))
    return false;
  for (u32 i = 0; i < b->npointers; i++)
    add_pointer(m, &o, &b->pointers[i]);
  const char **overrides = find_overrides(m, arena, &noverrides);
  m->part[PART_REBASE].bytes = macho_rebase_encode(arena, o.rebases.at, o.rebases.n);
  m->part[PART_BIND].bytes = macho_bind_encode(arena, o.binds.at, o.binds.n);
  m->part[PART_WEAK_BIND].bytes = macho_weak_bind_encode(arena, o.weak.at, o.weak.n, overrides, noverrides);
  m->part[PART_LAZY_BIND].bytes = macho_lazy_bind_encode(arena, o.lazy.at, o.lazy.n, lazy_data); /* lazy pointers are in the order of stubs */
  b->lazy_data = lazy_data;
  vec_free(&o.rebases);
  vec_free(&o.binds);
  vec_free(&o.weak);
  vec_free(&o.lazy);
  return true;
}

/* ---- chained fixups ---- */

static void encode_pointers(const Link *l, u8 *bytes, u64 addr, u64 len) { macho_fixups_apply(macho_image(l)->fixups, bytes, addr, len); }

static void report_fault(const MachoImage *m, const MachoFixup *f, MachoFixupFault fault) {
  static const char *const facts[] = {
      [MACHO_FIXUP_UNALIGNED] = "is not aligned to 4 bytes",
      [MACHO_FIXUP_TARGET] = "points too far for chained fixups",
      [MACHO_FIXUP_OVERLAP] = "overlaps another one, or the end of its page",
      [MACHO_FIXUP_OUTSIDE] = "is in no segment, or too far from the start of its own",
      [MACHO_FIXUP_IMPORT] = "is bound to one of too many imports",
  };
  Link *l = m->l;
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (f->addr - o->addr < o->size)
      diag_error(l->diag, "fixup", "pointer at %s+0x%llx %s%s", o->name, (unsigned long long)(f->addr - o->addr), facts[fault],
                 fault == MACHO_FIXUP_UNALIGNED || fault == MACHO_FIXUP_OVERLAP ? ": -no_fixup_chains allows it" : "");
  }
}

static bool make_fixups(MachoImage *m, Arena *arena) {
  Link *l = m->l;
  Binds *b = l->binds;
  MachoFixup *v = ARENA_ARRAY(arena, MachoFixup, b->npointers + 1);
  MachoFixupSegment *segments = ARENA_ARRAY(arena, MachoFixupSegment, m->segments.n);
  for (u32 i = 0; i < m->segments.n; i++)
    segments[i] = (MachoFixupSegment){m->segments.at[i].addr, m->segments.at[i].size};
  for (u32 i = 0; i < b->npointers; i++) {
    const BindPointer *p = &b->pointers[i];
    v[i] = (MachoFixup){.addr = p->addr, .target = p->target, .addend = p->addend, .symbol = p->sym == NO_SYM.i ? MACHO_FIXUP_REBASE : p->sym};
  }
  MachoFixups *c = ARENA_NEW(arena, MachoFixups);
  u32 nimports;
  MachoImport *imports = macho_imports_assign(arena, v, b->npointers, &nimports);
  for (u32 i = 0; i < nimports; i++) {
    u32 sym = imports[i].symbol;
    imports[i].name = l->syms.name[sym].p;
    imports[i].ordinal = macho_is_coalesced(l, sym) ? BIND_SPECIAL_DYLIB_WEAK_LOOKUP : macho_symbol_ordinal(m, sym);
    imports[i].weak = macho_weak_import(m, sym);
  }
  *c = (MachoFixups){.segments = segments, .nsegments = m->segments.n, .base = m->base, .page_size = (u32)l->opt->z_max_page_size,
                     .fixups = v, .nfixups = b->npointers, .imports = imports, .nimports = nimports};
  bool ok = true;
  for (u32 i = 0; i < c->nfixups; i++) {
    MachoFixupFault fault = macho_fixup_fault(c, i);
    if (fault != MACHO_FIXUP_GOOD)
      report_fault(m, &v[i], fault);
    ok &= fault == MACHO_FIXUP_GOOD;
  }
  if (!ok)
    return false;
  u64 size = macho_fixups_size(c);
  u8 *out = arena_alloc(arena, size, 8);
  macho_fixups_write(c, out);
  m->part[PART_FIXUPS].bytes = (Bytes){out, size};
  m->fixups = c;
  b->encode = encode_pointers;
  return true;
}

/* ---- exports ---- */

static u32 export_flags(const Link *l, u32 sym) {
  u32 f = l->syms.flags[sym], a = l->syms.atom[sym];
  u32 flags = f & SF_WEAK ? EXPORT_SYMBOL_FLAGS_WEAK_DEFINITION : 0;
  if (!a && f & SF_ABSOLUTE)
    flags |= EXPORT_SYMBOL_FLAGS_KIND_ABSOLUTE;
  else if (a && l->atoms.at[a].type == S_THREAD_LOCAL_VARIABLES)
    flags |= EXPORT_SYMBOL_FLAGS_KIND_THREAD_LOCAL;
  return flags;
}

static void make_exports(MachoImage *m, Arena *arena) {
  Link *l = m->l;
  u32 n = 0;
  for (u32 i = 0; i < l->syms.nglobal; i++)
    n += (l->syms.flags[i] & (SF_EXPORTED | SF_DISCARDED)) == SF_EXPORTED;
  MachoExport *v = ARENA_ARRAY(arena, MachoExport, n + 1);
  n = 0;
  for (u32 i = 0; i < l->syms.nglobal; i++) {
    if ((l->syms.flags[i] & (SF_EXPORTED | SF_DISCARDED)) != SF_EXPORTED)
      continue;
    u32 flags = export_flags(l, i);
    v[n++] = (MachoExport){.name = l->syms.name[i].p, .len = l->syms.name[i].len, .flags = flags,
                           .addr = l->syms.value[i] - (flags & EXPORT_SYMBOL_FLAGS_KIND_ABSOLUTE ? 0 : m->base)};
    m->weak_defines |= (flags & EXPORT_SYMBOL_FLAGS_WEAK_DEFINITION) != 0;
  }
  MachoTrie *t = macho_trie_create(arena, v, n);
  u64 size = macho_trie_size(t);
  u8 *out = arena_alloc(arena, size, 8);
  macho_trie_write(t, out);
  m->part[PART_EXPORTS].bytes = (Bytes){out, size};
}

/* ---- all of it ---- */

static void note_coalesced(MachoImage *m) {
  const Binds *b = m->l->binds;
  for (u32 i = 0; i < b->npointers && !m->binds_to_weak; i++)
    m->binds_to_weak = b->pointers[i].sym != NO_SYM.i && macho_is_coalesced(m->l, b->pointers[i].sym);
}

static const char *file_part(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

MachoSignature macho_signature_of(const MachoImage *m) {
  const MachoSegment *text = &m->segments.at[m->segments.at[0].filesz ? 0 : 1];
  return (MachoSignature){.identifier = file_part(m->l->opt->output), .code_limit = m->sign_off, .text_off = text->off, .text_size = text->filesz,
                        .main_binary = m->filetype == MH_EXECUTE};
}

static bool place_parts(MachoImage *m) {
  Link *l = m->l;
  MachoSegment *s = &m->segments.at[m->segments.n - 1];
  u64 at = s->off;
  for (u32 i = 0; i < PART_COUNT; i++) {
    at = align_up(at, 8);
    m->part[i].off = at;
    at += m->part[i].bytes.len;
  }
  if (l->opt->darwin.adhoc_sign) {
    at = m->sign_off = align_up(at, MACHO_SIGNATURE_ALIGN);
    MachoSignature sign = macho_signature_of(m);
    m->sign_size = macho_signature_size(&sign);
    at += m->sign_size;
  }
  s->filesz = at - s->off;
  s->size = align_up(s->filesz, l->opt->z_max_page_size);
  m->size = at;
  if (at <= UINT32_MAX)
    return true;
  diag_error(l->diag, "too-large", "the output has %llu bytes: a Mach-O file's tables must be in its first 4 GB", (unsigned long long)at);
  return false;
}

typedef struct {
  MachoImage *m;
  bool ok;
} BuildJob;

enum { BUILD_POINTERS, BUILD_EXPORTS, BUILD_SYMBOLS, BUILD_COUNT };

/* Parts that know nothing of each other. A thread's scratch lives as long as the link. */
static void build_some(void *ctx, u32 begin, u32 end, unsigned tid) {
  BuildJob *j = ctx;
  const Link *l = j->m->l;
  Arena *arena = &l->scratch[tid];
  for (u32 i = begin; i < end; i++) {
    if (i == BUILD_POINTERS)
      j->ok = l->opt->darwin.chained_fixups ? make_fixups(j->m, arena) : make_opcodes(j->m, arena);
    else if (i == BUILD_EXPORTS)
      make_exports(j->m, arena);
    else
      macho_symtab_build(j->m, arena);
  }
}

bool macho_linkedit_build(MachoImage *m) {
  BuildJob j = {.m = m};
  pool_run(m->l->pool, BUILD_COUNT, 1, build_some, &j);
  note_coalesced(m);
  return j.ok && place_parts(m);
}
