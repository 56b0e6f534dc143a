/* elf_callgraph.c: the profile of calls that a compiler left in an object (SHT_LLVM_CALL_GRAPH_PROFILE): an
 * array of 64-bit counts, and two relocations of type NONE for each of them, whose symbols are caller and
 * callee. The trap: these relocations are SHT_REL, which no other section of x86-64 has. */
#include "read/elf.h"
#include "read/elf_hooks.h"

/* Relocations of either kind: both begin alike. */
typedef struct {
  Bytes bytes;
  u64 entsize;
} Relocs;

static bool find_relocs(Link *l, FileId f, const File *file, const ElfObject *o, Relocs *out) {
  for (u32 i = 1; i < o->nshdr; i++) {
    const ElfShdr *s = &o->shdrs[i];
    if ((s->sh_type != SHT_REL && s->sh_type != SHT_RELA) || s->sh_info != o->call_graph)
      continue;
    out->entsize = s->sh_type == SHT_REL ? sizeof(ElfRel) : sizeof(ElfRela);
    if (s->sh_entsize != out->entsize || s->sh_link != o->symtab_shndx ||
        !bytes_slice(file->data, s->sh_offset, s->sh_size, &out->bytes))
      return elf_bad(l, f, s->sh_offset, "relocation section %s runs past the end of the file, or is not for this symbol table",
                     elf_section_name(o, i));
    return true;
  }
  return true;
}

static u32 sym_of(const Relocs *r, u64 i) { return (u32)ELF64_R_SYM(((const ElfRel *)(r->bytes.p + i * r->entsize))->r_info); }

/* NO_SYM when its name was malformed, and reported. */
static SymId symbol(const File *file, u32 i) {
  return (SymId){i < file->first_global ? file->local_base + i : file->globals[i - file->first_global]};
}

/* A profile that was checked: n counts, and two relocations for each. */
typedef struct {
  Bytes counts;
  Relocs relocs;
  u64 n;
} Profile;

/* False when the file has none, or one that is not used. */
static bool find_profile(Link *l, FileId f, Profile *p) {
  const File *file = file_at(l, f);
  const ElfObject *o = file->fmt;
  if (file->kind != FILE_OBJECT || !o || !o->call_graph)
    return false;
  const ElfShdr *s = &o->shdrs[o->call_graph];
  const char *name = elf_section_name(o, o->call_graph);
  *p = (Profile){.relocs.entsize = sizeof(ElfRel)};
  if (!bytes_slice(file->data, s->sh_offset, s->sh_size, &p->counts))
    return elf_bad(l, f, s->sh_offset, "section %s (%llu bytes) runs past the end of the file", name, (unsigned long long)s->sh_size);
  if (!find_relocs(l, f, file, o, &p->relocs))
    return false;
  if (!p->relocs.bytes.len && s->sh_entsize == 16) { /* the symbols stood in it as indexes */
    diag_report(l->diag, DIAG_WARNING, "call-graph", (u64)f.i << 32,
                "%s: section %s has the form of LLVM 12 and earlier, which is not supported: ignored", file_name(l, f), name);
    return false;
  }
  p->n = p->counts.len / 8;
  if (p->counts.len % 8 || p->relocs.bytes.len != p->n * 2 * p->relocs.entsize)
    return elf_bad(l, f, s->sh_offset, "section %s has %llu bytes and %llu relocations, expected two for each 8 bytes", name,
                   (unsigned long long)p->counts.len, (unsigned long long)(p->relocs.bytes.len / p->relocs.entsize));
  return true;
}

/* Symbol indexes of call i; false after a report. */
static bool call_at(Link *l, FileId f, const Profile *p, u64 i, u32 *from, u32 *to) {
  const File *file = file_at(l, f);
  const ElfObject *o = file->fmt;
  *from = sym_of(&p->relocs, 2 * i);
  *to = sym_of(&p->relocs, 2 * i + 1);
  return MAX(*from, *to) < file->nsyms ||
         elf_bad(l, f, o->shdrs[o->call_graph].sh_offset + i * 8, "%s: relocation names symbol %u, of %u symbols",
                 elf_section_name(o, o->call_graph), MAX(*from, *to), file->nsyms);
}

void elf_call_graph(Link *l, FileId f, void *ctx, CallFn *fn) {
  Profile p;
  u32 from, to;
  if (!find_profile(l, f, &p))
    return;
  for (u64 i = 0; i < p.n && call_at(l, f, &p, i, &from, &to); i++) {
    SymId x = symbol(file_at(l, f), from), y = symbol(file_at(l, f), to);
    if (x.i != NO_SYM.i && y.i != NO_SYM.i)
      fn(ctx, x, y, rd64(p.counts.p + i * 8));
  }
}

u32 elf_calls(Link *l, FileId f, u32 first, u32 cap, ElfCall *buf) {
  Profile p;
  u32 n = 0;
  if (!find_profile(l, f, &p))
    return 0;
  while (n < cap && first + (u64)n < p.n && call_at(l, f, &p, first + (u64)n, &buf[n].from, &buf[n].to))
    n++;
  return n;
}
