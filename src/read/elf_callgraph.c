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

void elf_call_graph(Link *l, FileId f, void *ctx, CallFn *fn) {
  const File *file = file_at(l, f);
  const ElfObject *o = file->fmt;
  Relocs r = {.entsize = sizeof(ElfRel)};
  Bytes counts;
  if (file->kind != FILE_OBJECT || !o || !o->call_graph)
    return;
  const ElfShdr *s = &o->shdrs[o->call_graph];
  const char *name = elf_section_name(o, o->call_graph);
  if (!bytes_slice(file->data, s->sh_offset, s->sh_size, &counts)) {
    elf_bad(l, f, s->sh_offset, "section %s (%llu bytes) runs past the end of the file", name, (unsigned long long)s->sh_size);
    return;
  }
  if (!find_relocs(l, f, file, o, &r))
    return;
  if (!r.bytes.len && s->sh_entsize == 16) { /* the symbols stood in it as indexes */
    diag_report(l->diag, DIAG_WARNING, "call-graph", (u64)f.i << 32,
                "%s: section %s has the form of LLVM 12 and earlier, which is not supported: ignored", file_name(l, f), name);
    return;
  }
  u64 n = counts.len / 8;
  if (counts.len % 8 || r.bytes.len != n * 2 * r.entsize) {
    elf_bad(l, f, s->sh_offset, "section %s has %llu bytes and %llu relocations, expected two for each 8 bytes", name,
            (unsigned long long)counts.len, (unsigned long long)(r.bytes.len / r.entsize));
    return;
  }
  for (u64 i = 0; i < n; i++) {
    u32 from = sym_of(&r, 2 * i), to = sym_of(&r, 2 * i + 1);
    if (MAX(from, to) >= file->nsyms) {
      elf_bad(l, f, s->sh_offset + i * 8, "%s: relocation names symbol %u, of %u symbols", name, MAX(from, to), file->nsyms);
      return;
    }
    SymId x = symbol(file, from), y = symbol(file, to);
    if (x.i != NO_SYM.i && y.i != NO_SYM.i)
      fn(ctx, x, y, rd64(counts.p + i * 8));
  }
}
