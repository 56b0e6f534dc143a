/* macho_hints.c: what compilers say beyond the code: whose address is compared (__DATA,__llvm_addrsig), who calls whom how often
 * (__LLVM,__cg_profile).
 * The trap: the first is a table of relocations, whose offsets mean nothing; the second names symbols by their index in the file's
 * symbol table. */
#include "read/macho_internal.h"

static u32 atom_of(const Link *l, const File *file, u32 symbol) {
  const MachoObject *o = file->fmt;
  u32 atom;
  if (symbol >= file->first_global) {
    u32 sym = file->globals[symbol - file->first_global];
    return sym < l->syms.nglobal ? l->syms.atom[sym] : 0;
  }
  atom = symbol < o->natoms ? symbol : macho_symbol(o, symbol)->atom;
  return atom ? file->atom_base + atom : 0;
}

static void mark_atom(const Link *l, u32 atom, u8 *marks, u8 mark, u16 except) {
  if (atom && !(l->atoms.flags[atom] & except) && !(__atomic_load_n(&marks[atom], __ATOMIC_RELAXED) & mark))
    __atomic_fetch_or(&marks[atom], mark, __ATOMIC_RELAXED);
}

/* A name of the kind that compilers give to what has none: nobody compares its address. */
static bool is_private(const char *name) { return name[0] == 'l' || name[0] == 'L'; }

bool macho_significant(Link *l, FileId f, u8 *marks, u8 mark, u16 except) {
  const File *file = file_at(l, f);
  const MachoObject *o = file->fmt;
  MachoRelocs r = {0};
  if (!o || file->kind != FILE_OBJECT)
    return true;
  if (o->addrsig) {
    macho_relocs(l, f, o, o->addrsig, &r);
    for (u32 i = 0; i < r.n; i++)
      mark_atom(l, atom_of(l, file, r.at[i].symbol), marks, mark, except);
    vec_free(&r);
    return true;
  }
  for (u32 i = o->natoms; i < file->nsyms; i++) {
    u32 atom = atom_of(l, file, i);
    if (atom && !(l->atoms.flags[atom] & ATOM_EXEC) && !(l->atoms.at[atom].fold & FOLD_LSDA) && !is_private(macho_name(o, macho_nlist(o, i))))
      mark_atom(l, atom, marks, mark, except);
  }
  return false;
}

static SymId symbol_at(const File *file, u32 nlist) {
  const MachoObject *o = file->fmt;
  u32 i = nlist < o->nnlists ? o->symbol_of[nlist] : 0;
  return i ? (SymId){i < file->first_global ? file->local_base + i : file->globals[i - file->first_global]} : NO_SYM;
}

void macho_call_graph(Link *l, FileId f, void *ctx, CallFn *fn) {
  enum { CALL = 16 }; /* caller, callee: 32 bits each; count: 64 */
  const File *file = file_at(l, f);
  const MachoObject *o = file->fmt;
  if (file->kind != FILE_OBJECT || !o || !o->call_graph)
    return;
  const MachoSection *s = &o->sections[o->call_graph];
  if (s->data.len % CALL) {
    macho_bad(l, f, (u64)(s->data.p - file->data.p), "section %s has 0x%llx bytes, which is no multiple of %u", s->name, (unsigned long long)s->size, CALL);
    return;
  }
  for (u64 at = 0; at < s->data.len; at += CALL) {
    const u8 *p = s->data.p + at;
    SymId from = symbol_at(file, rd32(p)), to = symbol_at(file, rd32(p + 4));
    if (from.i == UINT32_MAX || to.i == UINT32_MAX)
      macho_bad(l, f, (u64)(p - file->data.p), "an entry of section %s names symbols %u and %u, of %u symbols", s->name, rd32(p), rd32(p + 4), o->nnlists);
    else
      fn(ctx, from, to, rd64(p + 8));
  }
}
