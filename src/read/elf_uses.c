/* elf_uses.c: a look at all relocations before they are copied (-r, --emit-relocs): are they sound, and which symbols do they name?
 * The trap: many threads set the same bytes, so each is only ever set. */
#include "read/elf_uses.h"

#include "core/resolve.h"
#include "read/elf.h"
#include "read/elf_fold.h"

enum { FILES_GRAIN = 8, RELS_AHEAD = 16 };

typedef struct {
  Link *l;
  ElfUses *u;
} Job;

static inline void set(u8 *p) {
  if (!__atomic_load_n(p, __ATOMIC_RELAXED))
    __atomic_store_n(p, 1, __ATOMIC_RELAXED);
}

/* Tables that describe code may name what is gone. */
static bool may_name_gone(const Link *l, u32 a) {
  const char *name = elf_atom_name(l, (AtomId){a});
  return !(l->atoms.flags[a] & ATOM_ALLOC) || starts_with(name, ".gcc_except_table") || starts_with(name, ".eh_frame") || starts_with(name, ".stab");
}

/* References to a group that lost to another file, or to what a script dropped. */
__attribute__((cold, noinline)) static void names_gone(const Job *j, FileId f, u32 a, u64 off, u32 sym) {
  diag_report(j->l->diag, DIAG_ERROR, "discarded-section", (u64)f.i << 32 | (u32)off,
              "%s:(%s+0x%llx): relocation refers to a symbol in a discarded section: %s", file_name(j->l, f), elf_atom_name(j->l, (AtomId){a}), (unsigned long long)off, elf_sym_name(j->l, f, sym));
}

/* False: it is in a section that is not in the output. */
static bool use_local(const Job *j, const File *file, u32 sym) {
  const ElfObject *o = file->fmt;
  u32 special, section = elf_sym_section(o, sym, &special), a = file->atom_base + section;
  set(&j->u->symbols[file->local_base + sym]);
  if (!section || section >= o->nshdr)
    return true;
  if (!(j->l->atoms.flags[a] & ATOM_LIVE))
    return false;
  if (ELF64_ST_TYPE(o->syms[sym].st_info) == STT_SECTION)
    set(&j->u->atoms[a]);
  return true;
}

static void use_atom(const Job *j, FileId f, const File *file, u32 a) {
  const Atom *at = &j->l->atoms.at[a];
  const ElfRela *rel = (const ElfRela *)(file->data.p + at->rel_off);
  for (u32 i = 0; i < at->rel; i++) {
    u32 sym = (u32)ELF64_R_SYM(rel[i].r_info);
    PREFETCH(rel + i + RELS_AHEAD);
    if (UNLIKELY(sym >= file->nsyms || rel[i].r_offset > at->size)) {
      u64 off = (u64)((const u8 *)&rel[i] - file->data.p);
      if (sym >= file->nsyms)
        elf_bad(j->l, f, off, "%s: relocation names symbol %u, of %u symbols", elf_atom_name(j->l, (AtomId){a}), sym, file->nsyms);
      else
        elf_bad(j->l, f, off, "%s: relocation at offset 0x%llx of a section of 0x%llx bytes", elf_atom_name(j->l, (AtomId){a}),
                (unsigned long long)rel[i].r_offset, (unsigned long long)at->size);
      return;
    }
    if (sym < file->first_global) {
      if (!use_local(j, file, sym) && j->l->relocatable && !may_name_gone(j->l, a))
        names_gone(j, f, a, rel[i].r_offset, sym);
    } else if (file->globals[sym - file->first_global] != UINT32_MAX) {
      set(&j->u->symbols[file->globals[sym - file->first_global]]);
    }
  }
}

static void use_group(const Job *j, FileId f, const File *file, const ElfShdr *s) {
  const ElfObject *o = file->fmt;
  Bytes b;
  if (s->sh_size < 4 || s->sh_size % 4 || !bytes_slice(file->data, s->sh_offset, s->sh_size, &b)) {
    elf_bad(j->l, f, s->sh_offset, "section group has a size of %llu that does not fit", (unsigned long long)s->sh_size);
    return;
  }
  bool stays = false;
  for (u64 at = 4; at < b.len; at += 4) {
    u32 member = rd32(b.p + at);
    if (member >= o->nshdr) {
      elf_bad(j->l, f, s->sh_offset + at, "section group has section %u as a member, of %u sections", member, o->nshdr);
      return;
    }
    stays |= j->l->atoms.flags[file->atom_base + member] & ATOM_LIVE;
  }
  if (!stays)
    return;
  if (s->sh_link != o->symtab_shndx || s->sh_info >= file->nsyms)
    elf_bad(j->l, f, s->sh_offset, "section group is named by symbol %u, of %u symbols", s->sh_info, file->nsyms);
  else if (s->sh_info < file->first_global)
    use_local(j, file, s->sh_info);
  else if (file->globals[s->sh_info - file->first_global] != UINT32_MAX)
    set(&j->u->symbols[file->globals[s->sh_info - file->first_global]]);
}

static void use_files(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  const Job *j = ctx;
  const Link *l = j->l;
  for (u32 f = MAX(begin, 1u); f < end; f++) {
    const File *file = &l->files.at[f];
    const ElfObject *o = file->fmt;
    if (!file->live || file->kind != FILE_OBJECT || !o)
      continue;
    for (u32 i = 1; i < o->nshdr; i++) {
      u32 a = file->atom_base + i;
      if ((l->atoms.flags[a] & ATOM_FOLDED) == ATOM_LIVE && l->atoms.at[a].rel)
        use_atom(j, (FileId){f}, file, a);
      else if (l->relocatable && o->shdrs[i].sh_type == SHT_GROUP)
        use_group(j, (FileId){f}, file, &o->shdrs[i]);
    }
  }
}

static void note_call(void *ctx, SymId from, SymId to, u64 weight) {
  ElfUses *u = ctx;
  *vec_push(&u->calls) = (ElfUsedCall){from.i, to.i, weight};
  u->symbols[from.i] = u->symbols[to.i] = 1;
}

/* The file's table of address-significant symbols; tools that reorder symbols leave one behind that is linked to no symbol table. */
static void note_significant(Link *l, FileId f, const File *file, ElfUses *u) {
  const ElfObject *o = file->fmt;
  const ElfShdr *s = o->addrsig_shndx ? &o->shdrs[o->addrsig_shndx] : NULL;
  Bytes b;
  u32 symbol;
  if (!s || !s->sh_link) {
    u->all_significant |= file->nsyms > 1;
    return;
  }
  if (!bytes_slice(file->data, s->sh_offset, s->sh_size, &b)) {
    elf_bad(l, f, s->sh_offset, ".llvm_addrsig runs past the end of the file");
    return;
  }
  for (u64 at = 0; at < b.len;) {
    if (!elf_next_significant(file, b, &at, &symbol)) {
      elf_bad(l, f, s->sh_offset + at, ".llvm_addrsig: not the number of one of the %u symbols", file->nsyms);
      return;
    }
    u32 sym = symbol < file->first_global ? file->local_base + symbol : file->globals[symbol - file->first_global];
    if (!symbol || sym == UINT32_MAX)
      continue;
    *vec_push(&u->significant) = sym;
    if (symbol < file->first_global)
      use_local(&(Job){l, u}, file, symbol);
    u->symbols[sym] = 1;
  }
}

static void note_tables(Link *l, ElfUses *u) {
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    if (!file->live || file->kind != FILE_OBJECT || !file->fmt)
      continue;
    l->format->call_graph(l, (FileId){f}, u, note_call);
    if (!u->all_significant)
      note_significant(l, (FileId){f}, file, u);
  }
}

ElfUses *elf_uses(Link *l) {
  ElfUses *u = ARENA_NEW(&l->arena, ElfUses);
  u->natoms = l->atoms.n;
  u->nsymbols = l->syms.ntotal;
  u->atoms = link_own(l, pages_alloc(u->natoms), u->natoms);
  u->symbols = link_own(l, pages_alloc(u->nsymbols + 1), u->nsymbols + 1);
  Job j = {l, u};
  pool_run(l->pool, l->files.n, FILES_GRAIN, use_files, &j);
  if (l->relocatable)
    note_tables(l, u);
  return u;
}
