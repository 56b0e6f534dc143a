/* macho_symtab.c: the symbol table, which is also the list of what is bound (mach-o/nlist.h): debug map, local symbols, external
 * ones, undefined ones, each group in an order that comes from the inputs.
 * The trap: private external symbols (hidden) are local here, and what nothing is bound to has no undefined symbol. */
#include "write/macho_symtab.h"

#include <stdlib.h>

#include "format/macho_object.h"
#include "util/glob.h"
#include "write/macho_functions.h"

u32 macho_add_string(MachoSymbols *s, const char *name, u64 len) {
  u32 at = s->strings.n;
  vec_reserve(&s->strings, at + (u32)len + 1);
  memcpy(s->strings.at + at, name, len);
  s->strings.at[at + len] = 0;
  s->strings.n += (u32)len + 1;
  return at;
}

u8 macho_section_of(const Link *l, u32 atom) { return (u8)l->osecs.at[l->atoms.at[atom].osec].index; }

static void add(MachoSymbols *s, const char *name, u64 len, Nlist64 n) {
  n.n_strx = macho_add_string(s, name, len);
  *vec_push(&s->symbols) = n;
}

static void note_function(MachoSymbols *s, u32 atom, u64 addr) {
  const Link *l = s->l;
  if (atom && l->atoms.flags[atom] & ATOM_EXEC && addr < l->atoms.addr[atom] + l->atoms.at[atom].size) /* not one for the end */
    *vec_push(&s->functions) = addr;
}

/* ---- local symbols ---- */

/* Names that the assembler made, or the compiler for the linker only. */
static bool is_private(const char *name) { return *name == 'L' || *name == 'l' || !*name; }

/* -non_global_symbols_strip_list, -non_global_symbols_no_strip_list. */
static bool stays(const DarwinOptions *d, const char *name) {
  bool listed = false;
  if (!d->keep_only_listed_locals && !d->drop_listed_locals)
    return true;
  for (u32 i = 0; i < d->local_patterns.n && !listed; i++)
    listed = glob_match(d->local_patterns.at[i], name, strlen(name));
  return d->keep_only_listed_locals ? listed : !listed;
}

static bool locals_wanted(const Link *l) { return l->opt->strip != STRIP_ALL && l->opt->discard != DISCARD_ALL; }

static void add_locals_of(MachoSymbols *s, u32 f) {
  Link *l = s->l;
  const File *file = &l->files.at[f];
  const MachoObject *o = file->fmt;
  bool wanted = locals_wanted(l);
  for (u32 i = file->natoms; i < file->first_global; i++) {
    const MachoSymbol *x = macho_symbol(o, i);
    u32 atom = x->atom ? file->atom_base + x->atom : 0;
    if (atom && (!(l->atoms.flags[atom] & ATOM_LIVE) || l->atoms.flags[atom] & ATOM_EHFRAME || !l->atoms.at[atom].osec))
      continue;
    const char *name = l->format->sym_name(l, (FileId){f}, i);
    u64 value = atom ? l->atoms.addr[atom] + x->value : x->value;
    note_function(s, atom, value); /* one without a name for others, too */
    if (wanted && !is_private(name) && stays(&l->opt->darwin, name))
      add(s, name, strlen(name), (Nlist64){.n_type = atom ? N_SECT : N_ABS, .n_sect = atom ? macho_section_of(l, atom) : NO_SECT, .n_value = value});
  }
}

/* ---- global symbols ---- */

typedef VEC(u32) SymList;

/* Symbols that are defined in this output and that tools may see. */
static bool is_defined(const Link *l, u32 sym) {
  u32 f = l->syms.flags[sym], a = l->syms.atom[sym];
  if (f & (SF_UNDEFINED | SF_SHARED | SF_DISCARDED) || key_rank(l->syms.key[sym]) == 255)
    return false;
  if (a)
    return l->atoms.flags[a] & ATOM_LIVE && l->atoms.at[a].osec;
  return f & SF_SYNTHETIC ? !(f & SF_HIDDEN) : f & SF_ABSOLUTE;
}

/* n_desc of the object's own symbol, 0 when weld defines it. */
static u16 object_desc(const Link *l, u32 sym) {
  u64 key = l->syms.key[sym];
  const File *file = &l->files.at[key_file(key)];
  const Nlist64 *n = key_file(key) && file->kind == FILE_OBJECT ? macho_nlist(file->fmt, key_index(key)) : NULL;
  return n ? n->n_desc : 0;
}

static Nlist64 defined(const Link *l, u32 sym) {
  u32 f = l->syms.flags[sym], a = l->syms.atom[sym];
  Nlist64 n = {.n_value = l->syms.value[sym], .n_type = (u8)(f & SF_HIDDEN ? N_PEXT : N_EXT)};
  if (a || f & SF_SYNTHETIC) {
    n.n_type |= N_SECT;
    n.n_sect = a ? macho_section_of(l, a) : 1;
  } else {
    n.n_type |= N_ABS;
  }
  if (f & SF_WEAK && !(f & SF_HIDDEN))
    n.n_desc |= N_WEAK_DEF;
  n.n_desc |= object_desc(l, sym) & REFERENCED_DYNAMICALLY;
  if (f & SF_SYNTHETIC && streq(l->syms.name[sym].p, "__mh_execute_header"))
    n.n_desc |= REFERENCED_DYNAMICALLY;
  return n;
}

static Nlist64 undefined(const MachoImage *m, u32 sym) {
  const Link *l = m->l;
  u32 f = l->syms.flags[sym];
  i32 ordinal = macho_symbol_ordinal(m, sym);
  u32 o = ordinal == BIND_SPECIAL_DYLIB_FLAT_LOOKUP      ? (u32)DYNAMIC_LOOKUP_ORDINAL
          : ordinal == BIND_SPECIAL_DYLIB_MAIN_EXECUTABLE ? (u32)EXECUTABLE_ORDINAL
          : ordinal > MAX_LIBRARY_ORDINAL                 ? 0
                                                          : (u32)ordinal;
  Nlist64 n = {.n_type = N_EXT, .n_desc = (u16)(o << 8)};
  if (macho_weak_import(m, sym))
    n.n_desc |= N_WEAK_REF;
  if (f & SF_SHARED && f & SF_WEAK)
    n.n_desc |= N_REF_TO_WEAK;
  return n;
}

static void add_group(MachoSymbols *s, const SymList *v, bool is_undefined) {
  const Link *l = s->l;
  vec_reserve(&s->symbols, s->symbols.n + v->n);
  for (u32 i = 0; i < v->n; i++) {
    u32 sym = v->at[i];
    const SymName *name = &l->syms.name[sym];
    s->m->symbol_index[sym] = s->symbols.n + 1;
    add(s, name->p, name->len, is_undefined ? undefined(s->m, sym) : defined(l, sym));
  }
}

typedef enum { IN_NONE, IN_HIDDEN, IN_EXTERNAL, IN_UNDEFINED, IN_COUNT } Group;

/* Which table each global symbol belongs to. */
static u8 *choose_groups(MachoSymbols *s) {
  const Link *l = s->l;
  const Binds *b = l->binds;
  u8 *group = ARENA_ARRAY(s->arena, u8, l->syms.nglobal + 1);
  for (u32 i = 0; i < b->npointers; i++)
    if (b->pointers[i].sym != NO_SYM.i)
      group[b->pointers[i].sym] = IN_UNDEFINED;
  for (u32 i = 0; i < l->syms.nglobal; i++)
    if (is_defined(l, i)) {
      group[i] = l->syms.flags[i] & SF_HIDDEN ? IN_HIDDEN : IN_EXTERNAL;
      note_function(s, l->syms.atom[i], l->syms.value[i]);
    }
  return group;
}

static int by_order(const void *a, const void *b, void *ctx) {
  u64 x = sym_order(ctx, *(const u32 *)a), y = sym_order(ctx, *(const u32 *)b);
  return x < y ? -1 : x > y;
}

/* In the order of sym_order(): files as they stand, each symbol where it is defined; at the end what nobody defines. */
static void collect(MachoSymbols *s, SymList out[IN_COUNT]) {
  Link *l = s->l;
  u8 *group = choose_groups(s);
  for (u32 f = 0; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    u32 first = f ? file->first_global : 0, n = f ? (file->fmt && file->globals ? file->nsyms - first : 0) : l->weld_names.n;
    for (u32 i = 0; i < n; i++) {
      u32 sym = f ? file->globals[i] : l->weld_names.at[i].sym;
      if (sym >= l->syms.nglobal || !group[sym] || key_file(l->syms.key[sym]) != f || key_index(l->syms.key[sym]) != first + i || key_rank(l->syms.key[sym]) == 255)
        continue;
      *vec_push(&out[group[sym]]) = sym;
      group[sym] = IN_NONE;
    }
  }
  SymList *rest = &out[IN_UNDEFINED];
  u32 first = rest->n;
  for (u32 i = 0; i < l->syms.nglobal; i++)
    if (group[i])
      *vec_push(rest) = i;
  if (rest->n > first)
    qsort_r(rest->at + first, rest->n - first, sizeof *rest->at, by_order, l);
}

/* ---- the table of indirect symbols ---- */

static u32 indirect(const MachoImage *m, u32 sym) {
  const Link *l = m->l;
  if (sym < l->syms.nglobal && l->syms.flags[sym] & SF_IMPORTED && m->symbol_index[sym])
    return m->symbol_index[sym] - 1;
  bool number = sym < l->syms.nglobal ? l->syms.flags[sym] & SF_ABSOLUTE : sym_aux(l, sym)->flags & SF_ABSOLUTE;
  return INDIRECT_SYMBOL_LOCAL | (number ? INDIRECT_SYMBOL_ABS : 0);
}

/* In the order of first_indirect() in macho_commands.c. */
static Bytes make_indirect(const MachoImage *m, Arena *arena) {
  const Binds *b = m->l->binds;
  const BindSlots *v[] = {&b->stubs, &b->got, &b->stubs, &b->tlv};
  const u32 synths[] = {b->stubs.synth, b->got.synth, b->lazy, b->tlv.synth};
  u32 *out = ARENA_ARRAY(arena, u32, 2ull * b->stubs.n + b->got.n + b->tlv.n), n = 0;
  for (u32 i = 0; i < COUNT_OF(v); i++)
    for (u32 k = 0; synths[i] && k < v[i]->n; k++)
      out[n++] = indirect(m, v[i]->sym[k]);
  return (Bytes){(const u8 *)out, n * 4ull};
}

/* ---- what goes with it ---- */

static Bytes make_data_in_code(const MachoImage *m, Arena *arena) {
  const Link *l = m->l;
  VEC(DataInCodeEntry) v = {0};
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    if (!file->live || file->kind != FILE_OBJECT || !file->fmt)
      continue;
    const MachoObject *o = file->fmt;
    for (u32 i = 0; i < o->ndata_in_code; i++) {
      const MachoDataInCode *d = &o->data_in_code[i];
      u32 a = file->atom_base + d->atom;
      if ((l->atoms.flags[a] & ATOM_FOLDED) == ATOM_LIVE && l->atoms.at[a].osec)
        *vec_push(&v) = (DataInCodeEntry){(u32)(l->atoms.addr[a] + d->offset - m->base), d->length, d->kind};
    }
  }
  Bytes out = {0};
  if (v.n) {
    macho_data_in_code_sort(v.at, v.n);
    u8 *p = arena_alloc(arena, v.n * sizeof *v.at, 8);
    memcpy(p, v.at, v.n * sizeof *v.at);
    out = (Bytes){p, v.n * sizeof *v.at};
  }
  vec_free(&v);
  return out;
}

static Bytes keep(Arena *arena, const void *p, u64 n, u64 align) {
  u8 *out = arena_alloc(arena, align_up(n, align) + 1, 8);
  if (n)
    memcpy(out, p, n);
  return (Bytes){out, align_up(n, align)};
}

void macho_symtab_build(MachoImage *m, Arena *arena) {
  Link *l = m->l;
  MachoSymbols s = {.m = m, .l = l, .arena = arena};
  SymList group[IN_COUNT] = {0};
  m->symbol_index = ARENA_ARRAY(arena, u32, l->syms.nglobal + 1);
  macho_add_string(&s, " ", 1); /* a name at 0 would be no name */
  if (l->opt->strip == STRIP_NONE)
    macho_add_stabs(&s);
  for (u32 f = 1; f < l->files.n; f++)
    if (l->files.at[f].live && l->files.at[f].kind == FILE_OBJECT && l->files.at[f].fmt)
      add_locals_of(&s, f);
  collect(&s, group);
  if (locals_wanted(l))
    add_group(&s, &group[IN_HIDDEN], false);
  m->nlocal = s.symbols.n;
  add_group(&s, &group[IN_EXTERNAL], false);
  m->nexternal = s.symbols.n - m->nlocal;
  add_group(&s, &group[IN_UNDEFINED], true);
  m->nundefined = s.symbols.n - m->nlocal - m->nexternal;
  m->part[PART_SYMBOLS].bytes = keep(arena, s.symbols.at, s.symbols.n * sizeof(Nlist64), 8);
  m->part[PART_STRINGS].bytes = keep(arena, s.strings.at, s.strings.n, 8);
  m->part[PART_INDIRECT].bytes = make_indirect(m, arena);
  if (!l->opt->darwin.no_function_starts)
    m->part[PART_FUNCTIONS].bytes = macho_function_starts(arena, s.functions.at, s.functions.n, m->base);
  if (!l->opt->darwin.no_data_in_code)
    m->part[PART_DATA_IN_CODE].bytes = make_data_in_code(m, arena);
  vec_free(&s.symbols);
  vec_free(&s.strings);
  vec_free(&s.functions);
  for (u32 i = 0; i < IN_COUNT; i++)
    vec_free(&group[i]);
}
