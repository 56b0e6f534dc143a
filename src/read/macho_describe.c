/* macho_describe.c: what text says of a Mach-O atom and of symbols without one (write/yaml.c).
 * The trap: a name that another file won is not this atom's any more, so it is left out here. */
#include "core/resolve.h"
#include "format/yaml_graph.h"
#include "read/macho_internal.h"
#include "read/macho_shared.h"

/* Symbols by atom, made when the file is first asked: serial code only. */
static void index_symbols(const Link *l, const File *file) {
  MachoObject *o = file->fmt;
  Arena *a = (Arena *)(uintptr_t)&l->arena;
  if (o->atom_first)
    return;
  u32 *first = ARENA_ARRAY(a, u32, o->natoms + 2ull), *syms = ARENA_ARRAY(a, u32, o->nsymbols + 1ull);
  for (u32 i = o->natoms; i < file->nsyms; i++)
    first[macho_symbol(o, i)->atom + 1]++;
  for (u32 i = 0; i <= o->natoms; i++)
    first[i + 1] += first[i];
  for (u32 i = o->natoms; i < file->nsyms; i++)
    syms[first[macho_symbol(o, i)->atom]++] = i;
  for (u32 i = o->natoms; i > 0; i--) /* each is where the next began */
    first[i] = first[i - 1];
  first[0] = 0;
  o->atom_first = first;
  o->atom_syms = syms;
}

/* The sections that compilers use for a type; text says of other ones which they are. */
static const struct {
  u8 type;
  const char *section;
} usual[] = {
    {YAML_TYPE_CODE, "__TEXT,__text"},          {YAML_TYPE_CONSTANT, "__TEXT,__const"},       {YAML_TYPE_DATA, "__DATA,__data"},
    {YAML_TYPE_ZERO_FILL, "__DATA,__bss"},      {YAML_TYPE_CONST_DATA, "__DATA,__const"},     {YAML_TYPE_C_STRING, "__TEXT,__cstring"},
    {YAML_TYPE_UTF16_STRING, "__TEXT,__ustring"}, {YAML_TYPE_UNWIND_CFI, "__TEXT,__eh_frame"}, {YAML_TYPE_UNWIND_LSDA, "__TEXT,__gcc_except_tab"},
    {YAML_TYPE_CONST_4_BYTE, "__TEXT,__literal4"}, {YAML_TYPE_CONST_8_BYTE, "__TEXT,__literal8"}, {YAML_TYPE_CONST_16_BYTE, "__TEXT,__literal16"},
    {YAML_TYPE_CFSTRING, "__DATA,__cfstring"},  {YAML_TYPE_INITIALIZER_POINTER, "__DATA,__mod_init_func"},
    {YAML_TYPE_TERMINATOR_POINTER, "__DATA,__mod_term_func"}, {YAML_TYPE_C_STRING_POINTER, "__DATA,__objc_selrefs"},
    {YAML_TYPE_OBJC_CLASS_POINTER, "__DATA,__objc_classrefs"}, {YAML_TYPE_OBJC_CATEGORY_LIST, "__DATA,__objc_catlist"},
    {YAML_TYPE_TLV_THUNK, "__DATA,__thread_vars"}, {YAML_TYPE_TLV_DATA, "__DATA,__thread_data"}, {YAML_TYPE_TLV_ZERO_FILL, "__DATA,__thread_bss"},
    {YAML_TYPE_TLV_INITIALIZER_PTR, "__DATA,__thread_init"}, {YAML_TYPE_INTERPOSING_TUPLES, "__DATA,__interpose"},
};

static YamlType type_of(const Link *l, AtomId a, const char *name) {
  u32 f = l->atoms.flags[a.i];
  switch (l->atoms.at[a.i].type) {
  case S_CSTRING_LITERALS: return YAML_TYPE_C_STRING;
  case S_4BYTE_LITERALS: return YAML_TYPE_CONST_4_BYTE;
  case S_8BYTE_LITERALS: return YAML_TYPE_CONST_8_BYTE;
  case S_16BYTE_LITERALS: return YAML_TYPE_CONST_16_BYTE;
  case S_LITERAL_POINTERS: return YAML_TYPE_C_STRING_POINTER;
  case S_NON_LAZY_SYMBOL_POINTERS: return YAML_TYPE_GOT;
  case S_MOD_INIT_FUNC_POINTERS: return YAML_TYPE_INITIALIZER_POINTER;
  case S_MOD_TERM_FUNC_POINTERS: return YAML_TYPE_TERMINATOR_POINTER;
  case S_INTERPOSING: return YAML_TYPE_INTERPOSING_TUPLES;
  case S_DTRACE_DOF: return YAML_TYPE_DTRACE_DOF;
  case S_THREAD_LOCAL_VARIABLES: return YAML_TYPE_TLV_THUNK;
  case S_THREAD_LOCAL_REGULAR: return YAML_TYPE_TLV_DATA;
  case S_THREAD_LOCAL_ZEROFILL: return YAML_TYPE_TLV_ZERO_FILL;
  case S_THREAD_LOCAL_INIT_FUNCTION_POINTERS: return YAML_TYPE_TLV_INITIALIZER_PTR;
  case S_ZEROFILL:
  case S_GB_ZEROFILL: return YAML_TYPE_ZERO_FILL;
  default: break;
  }
  for (u32 i = 0; i < COUNT_OF(usual); i++)
    if (streq(usual[i].section, name))
      return (YamlType)usual[i].type;
  return f & ATOM_EXEC ? YAML_TYPE_CODE : f & ATOM_WRITE ? YAML_TYPE_DATA : YAML_TYPE_CONSTANT;
}

static bool is_usual(YamlType t, const char *section) {
  for (u32 i = 0; i < COUNT_OF(usual); i++)
    if (usual[i].type == t)
      return streq(usual[i].section, section);
  return false;
}

/* Whether symbol i of the file is in the text, and how it is seen. */
static bool is_said(const Link *l, const File *file, u32 f, u32 i, YamlScope *scope) {
  const MachoObject *o = file->fmt;
  const char *name = macho_name(o, macho_nlist(o, i));
  *scope = YAML_SCOPE_STATIC;
  if (i < file->first_global)
    return *name && !starts_with(name, "ltmp");
  u32 sym = file->globals[i - file->first_global];
  if (!*name || sym == UINT32_MAX || key_file(l->syms.key[sym]) != f || key_index(l->syms.key[sym]) != i)
    return false;
  *scope = l->syms.flags[sym] & SF_HIDDEN ? YAML_SCOPE_HIDDEN : YAML_SCOPE_GLOBAL;
  return true;
}

static YamlMerge merge_of(const Nlist64 *n) { return (n->n_type & N_TYPE) == N_SECT && n->n_type & N_EXT && n->n_desc & N_WEAK_DEF ? YAML_MERGE_AS_WEAK : YAML_MERGE_NO; }

static YamlSymbolType symbol_kind(YamlType t) { return t == YAML_TYPE_CODE ? YAML_SYMBOL_FUNCTION : t == YAML_TYPE_TLV_THUNK ? YAML_SYMBOL_THREAD_LOCAL : YAML_SYMBOL_OBJECT; }

void macho_describe(const Link *l, AtomId a, Arena *arena, YamlAtom *out) {
  const Atom *at = &l->atoms.at[a.i];
  const File *file = atom_file(l, a);
  const MachoObject *o = file->fmt;
  u32 i = a.i - file->atom_base, own = o->atoms[i].symbol, n = 0;
  const char *section = macho_atom_name(l, a);
  YamlScope scope;
  *out = (YamlAtom){.type = type_of(l, a, section), .p2align = at->p2align, .size = at->size,
                    .dead_strip = l->atoms.flags[a.i] & ATOM_ROOT ? YAML_DEAD_STRIP_NEVER : YAML_DEAD_STRIP_NORMAL};
  out->has_size = !at->data && at->size;
  if (at->data && at->size)
    out->content = (Bytes){at->data, at->size};
  if (o->atoms[i].section && !is_usual(out->type, section)) {
    out->section_choice = YAML_SECTION_CUSTOM_REQUIRED;
    out->section_name = section;
  }
  if (macho_by_content(l, a))
    out->merge = YAML_MERGE_BY_CONTENT;
  if (own && is_said(l, file, at->file, own, &out->scope)) {
    const Nlist64 *x = macho_nlist(o, own);
    out->name = macho_name(o, x);
    out->merge = !o->atoms[i].section ? YAML_MERGE_AS_TENTATIVE : merge_of(x) ? merge_of(x) : out->merge;
  } else {
    own = 0;
  }
  index_symbols(l, file);
  u32 begin = o->atom_first[i], end = o->atom_first[i + 1];
  out->symbols = ARENA_ARRAY(arena, YamlName, end - begin + 1);
  for (u32 k = begin; k < end; k++) {
    u32 s = o->atom_syms[k];
    if (s == own || !is_said(l, file, at->file, s, &scope))
      continue;
    const MachoSymbol *x = macho_symbol(o, s);
    out->symbols[n++] = (YamlName){.name = macho_name(o, macho_nlist(o, s)), .index = s, .offset = x->value, .size = at->size - x->value, .scope = scope,
                                   .merge = scope == YAML_SCOPE_STATIC ? YAML_MERGE_NO : merge_of(macho_nlist(o, s)), .type = symbol_kind(out->type)};
  }
  out->nsymbols = n;
}

bool macho_describe_symbol(const Link *l, FileId f, u32 index, Arena *arena, YamlAtom *out) {
  const File *file = file_at(l, f);
  if (file->kind == FILE_SHARED)
    return macho_shared_describe_symbol(l, f, index, arena, out);
  const MachoObject *o = file->fmt;
  (void)arena;
  if (index < o->natoms)
    return false;
  const Nlist64 *n = macho_nlist(o, index);
  const MachoSymbol *s = macho_symbol(o, index);
  *out = (YamlAtom){.name = macho_name(o, n)};
  if (!*out->name || s->atom)
    return false;
  if ((n->n_type & N_TYPE) == N_UNDF) {
    out->can_be_null = n->n_desc & N_WEAK_REF ? YAML_CAN_BE_NULL_AT_RUNTIME : YAML_CAN_BE_NULL_NEVER;
    return true;
  }
  out->scope = index < file->first_global ? YAML_SCOPE_STATIC : n->n_type & N_PEXT ? YAML_SCOPE_HIDDEN : YAML_SCOPE_GLOBAL;
  out->value = n->n_value;
  return true;
}
