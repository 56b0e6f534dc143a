/* elf_tables.c: tables of an object that name symbols by number, as edges, so that text can hold them: what clang says of
 * addresses (SHT_LLVM_ADDRSIG) and of calls (SHT_LLVM_CALL_GRAPH_PROFILE). Only where Options.whole_objects makes
 * atoms of them. The trap: the cursor of a ULEB128 table counts bytes, not entries. */
#include "arch/x86_64.def"
#include "read/elf.h"
#include "read/elf_edges.h"
#include "read/elf_fold.h"
#include "read/elf_hooks.h"

enum {
#define X(kind, bits, class, name) KIND_##kind,
  X86_64_EDGES(X)
#undef X
};

static bool edge_to(const Link *l, FileId f, u32 symbol, Edge *e) {
  const File *file = file_at(l, f);
  const ElfObject *o = file->fmt;
  if (symbol >= file->first_global) {
    e->target = file->globals[symbol - file->first_global];
    e->flags = e->target < l->syms.nglobal ? (u16)l->syms.flags[e->target] : 0;
    return e->target != UINT32_MAX; /* else its name was malformed, and reported */
  }
  u32 special, section = elf_sym_section(o, symbol, &special), atom = section && section < o->nshdr ? file->atom_base + section : 0;
  e->target = file->local_base + symbol;
  e->flags = SF_LOCAL | (ELF64_ST_TYPE(o->syms[symbol].st_info) == STT_SECTION ? SF_SECTION : 0) |
             (atom && !(l->atoms.flags[atom] & ATOM_LIVE) ? SF_DISCARDED : 0);
  e->S = atom;
  return true;
}

static u32 significant_edges(const Link *l, FileId f, Bytes table, u32 *at, Edge *buf) {
  u64 next = *at;
  u32 n = 0, symbol;
  while (n < EDGE_BATCH && next < table.len && elf_next_significant(file_at(l, f), table, &next, &symbol)) {
    buf[n] = (Edge){.kind = EDGE_SIGNIFICANT};
    n += edge_to(l, f, symbol, &buf[n]);
  }
  *at = (u32)next;
  return n;
}

static u32 call_edges(const Link *l, FileId f, u32 *at, Edge *buf) {
  ElfCall calls[EDGE_BATCH / 2];
  u32 n = 0, got = elf_calls((Link *)(uintptr_t)l, f, *at, EDGE_BATCH / 2, calls); /* writable only to report */
  for (u32 i = 0; i < got; i++, ++*at) {
    buf[n] = buf[n + 1] = (Edge){.kind = KIND_NONE, .offset = 8ull * *at};
    if (edge_to(l, f, calls[i].from, &buf[n]) && edge_to(l, f, calls[i].to, &buf[n + 1]))
      n += 2;
  }
  return n;
}

u32 elf_table_edges(const Link *l, EdgeCursor *c, Edge *buf) {
  const Atom *a = &l->atoms.at[c->atom.i];
  const File *file = &l->files.at[a->file];
  const ElfObject *o = file->fmt;
  u32 section = c->atom.i - file->atom_base;
  Bytes b = {a->data, a->size};
  if (!o || !b.p || b.len > UINT32_MAX)
    return 0;
  if (section == o->addrsig_shndx)
    return significant_edges(l, (FileId){a->file}, b, &c->next, buf);
  if (section == o->call_graph)
    return call_edges(l, (FileId){a->file}, &c->next, buf);
  return 0;
}
