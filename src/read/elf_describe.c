/* elf_describe.c: what text says of an ELF section and of its symbols (write/yaml.c). An atom of ELF may bear many names:
 * a global one that covers it is the atom's own, the others stand in `symbols`.
 * The trap: a name that another file won is not this atom's any more, so it is left out here. */
#include "core/resolve.h"
#include "format/yaml_graph.h"
#include "read/elf.h"
#include "read/elf_hooks.h"

/* Symbols by section, made when the file is first asked: serial code only. */
static void index_symbols(const Link *l, const File *file) {
  ElfObject *o = file->fmt;
  Arena *a = (Arena *)(uintptr_t)&l->arena;
  if (o->section_first)
    return;
  u32 *first = ARENA_ARRAY(a, u32, o->nshdr + 2ull), *syms = ARENA_ARRAY(a, u32, file->nsyms + 1ull), special;
  for (u32 i = 1; i < file->nsyms; i++) {
    u32 s = elf_sym_section(o, i, &special);
    if (s && s < o->nshdr)
      first[s + 1]++;
  }
  for (u32 s = 0; s <= o->nshdr; s++)
    first[s + 1] += first[s];
  for (u32 i = 1; i < file->nsyms; i++) {
    u32 s = elf_sym_section(o, i, &special);
    if (s && s < o->nshdr)
      syms[first[s]++] = i;
  }
  for (u32 s = o->nshdr; s > 0; s--) /* each is where the next began */
    first[s] = first[s - 1];
  first[0] = 0;
  o->section_first = first;
  o->section_syms = syms;
}

static YamlType type_of(const Link *l, AtomId a) {
  const Atom *at = &l->atoms.at[a.i];
  u32 f = l->atoms.flags[a.i];
  const char *name = l->format->atom_name(l, a);
  if (!(f & ATOM_ALLOC))
    return YAML_TYPE_NO_ALLOC;
  if (f & ATOM_TLS)
    return f & ATOM_ZEROFILL ? YAML_TYPE_THREAD_ZERO_FILL : YAML_TYPE_THREAD_DATA;
  if (f & ATOM_EHFRAME)
    return YAML_TYPE_UNWIND_CFI;
  switch (at->type) {
  case SHT_NOTE: return f & ATOM_WRITE ? YAML_TYPE_RW_NOTE : YAML_TYPE_RO_NOTE;
  case SHT_PREINIT_ARRAY:
  case SHT_INIT_ARRAY: return YAML_TYPE_INITIALIZER_POINTER;
  case SHT_FINI_ARRAY: return YAML_TYPE_TERMINATOR_POINTER;
  default: break;
  }
  if (f & ATOM_ZEROFILL)
    return YAML_TYPE_ZERO_FILL;
  if (f & ATOM_EXEC)
    return YAML_TYPE_CODE;
  if (f & ATOM_WRITE)
    return starts_with(name, ".data.rel.ro") ? YAML_TYPE_CONST_DATA : YAML_TYPE_DATA;
  return starts_with(name, ".gcc_except_table") ? YAML_TYPE_UNWIND_LSDA : YAML_TYPE_CONSTANT;
}

static YamlType symbol_type(const ElfSym *s, YamlType of_atom) {
  return ELF64_ST_TYPE(s->st_info) == STT_GNU_IFUNC ? YAML_TYPE_RESOLVER : of_atom;
}

/* Whether symbol i of the file is in the text, and how it is seen. */
static bool is_said(const Link *l, FileId f, u32 i, YamlScope *scope) {
  const File *file = file_at(l, f);
  const ElfObject *o = file->fmt;
  u32 type = ELF64_ST_TYPE(o->syms[i].st_info);
  *scope = YAML_SCOPE_STATIC;
  if (type == STT_SECTION || type == STT_FILE || !*elf_sym_name(l, f, i))
    return false;
  if (i < file->first_global)
    return true;
  u32 sym = file->globals[i - file->first_global];
  if (sym == UINT32_MAX || key_file(l->syms.key[sym]) != f.i || key_index(l->syms.key[sym]) != i)
    return false;
  *scope = l->syms.flags[sym] & SF_HIDDEN ? YAML_SCOPE_HIDDEN : YAML_SCOPE_GLOBAL;
  return true;
}

static YamlMerge merge_of(const ElfSym *s) { return ELF64_ST_BIND(s->st_info) == STB_WEAK ? YAML_MERGE_AS_WEAK : YAML_MERGE_NO; }

static YamlSymbolType symbol_kind(const ElfSym *s) {
  switch (ELF64_ST_TYPE(s->st_info)) {
  case STT_OBJECT: return YAML_SYMBOL_OBJECT;
  case STT_FUNC: return YAML_SYMBOL_FUNCTION;
  case STT_TLS: return YAML_SYMBOL_THREAD_LOCAL;
  case STT_GNU_IFUNC: return YAML_SYMBOL_INDIRECT;
  default: return YAML_SYMBOL_NO_TYPE;
  }
}

/* What write/elf_object.c makes of an atom's own name. */
static YamlSymbolType implied_kind(YamlType t) {
  switch (t) {
  case YAML_TYPE_CODE: return YAML_SYMBOL_FUNCTION;
  case YAML_TYPE_RESOLVER: return YAML_SYMBOL_INDIRECT;
  case YAML_TYPE_THREAD_DATA:
  case YAML_TYPE_THREAD_ZERO_FILL: return YAML_SYMBOL_THREAD_LOCAL;
  default: return YAML_SYMBOL_OBJECT;
  }
}

/* Whether the atom's name says all there is to symbol i: it is global, and covers the atom. */
static bool is_own(const Link *l, AtomId a, u32 i, YamlScope scope, YamlType type) {
  const Atom *at = &l->atoms.at[a.i];
  const ElfSym *s = &((const ElfObject *)atom_file(l, a)->fmt)->syms[i];
  u32 vis = ELF64_ST_VISIBILITY(s->st_other);
  return scope != YAML_SCOPE_STATIC && !s->st_value && s->st_size == at->size && symbol_kind(s) == implied_kind(symbol_type(s, type)) &&
         (vis == STV_DEFAULT || vis == STV_HIDDEN) && ELF64_ST_BIND(s->st_info) != STB_GNU_UNIQUE;
}

/* What a section of that type has anyway is not said. */
static void describe_section(const Link *l, AtomId a, YamlAtom *out) {
  const Atom *at = &l->atoms.at[a.i];
  out->section_type = at->type;
  out->section_flags = at->attr & ~(u32)(SHF_GROUP | SHF_INFO_LINK | SHF_COMPRESSED);
  const ElfObject *o = atom_file(l, a)->fmt;
  out->entry_size = (u32)o->shdrs[a.i - atom_file(l, a)->atom_base].sh_entsize;
}

void elf_describe(const Link *l, AtomId a, Arena *arena, YamlAtom *out) {
  const Atom *at = &l->atoms.at[a.i];
  const File *file = atom_file(l, a);
  const ElfObject *o = file->fmt;
  FileId f = {at->file};
  u32 section = a.i - file->atom_base, n = 0, own = 0;
  YamlScope scope;
  *out = (YamlAtom){.type = type_of(l, a), .p2align = at->p2align, .size = at->size,
                    .section_choice = YAML_SECTION_CUSTOM_REQUIRED, .section_name = l->format->atom_name(l, a),
                    .dead_strip = l->atoms.flags[a.i] & ATOM_ROOT ? YAML_DEAD_STRIP_NEVER : YAML_DEAD_STRIP_NORMAL};
  out->has_size = !at->data && at->size;
  if (at->data && at->size)
    out->content = (Bytes){at->data, at->size};
  if (section == o->addrsig_shndx) { /* numbers of symbols that will have others: its edges say which they are */
    out->content = (Bytes){0};
    out->size = 0;
  }
  describe_section(l, a, out);
  index_symbols(l, file);
  u32 begin = o->section_first[section], end = o->section_first[section + 1];
  for (u32 k = begin; k < end && !own; k++)
    if (is_said(l, f, o->section_syms[k], &scope) && is_own(l, a, o->section_syms[k], scope, out->type))
      own = o->section_syms[k];
  if (own) {
    is_said(l, f, own, &out->scope);
    out->name = elf_sym_name(l, f, own);
    out->merge = merge_of(&o->syms[own]);
    out->type = symbol_type(&o->syms[own], out->type);
  }
  out->symbols = ARENA_ARRAY(arena, YamlName, end - begin + 1);
  for (u32 k = begin; k < end; k++) {
    u32 i = o->section_syms[k];
    const ElfSym *s = &o->syms[i];
    if (i == own || !is_said(l, f, i, &scope))
      continue;
    u32 vis = ELF64_ST_VISIBILITY(s->st_other);
    out->symbols[n++] = (YamlName){.name = elf_sym_name(l, f, i), .index = i, .offset = s->st_value, .size = s->st_size, .scope = scope,
                                   .merge = scope == YAML_SCOPE_STATIC ? YAML_MERGE_NO : merge_of(s),
                                   .type = symbol_kind(s),
                                   .visibility = vis == STV_INTERNAL ? YAML_VISIBILITY_INTERNAL : vis == STV_PROTECTED ? YAML_VISIBILITY_PROTECTED : YAML_VISIBILITY_OF_SCOPE,
                                   .binding = ELF64_ST_BIND(s->st_info) == STB_GNU_UNIQUE ? YAML_BINDING_UNIQUE : YAML_BINDING_OF_SCOPE};
  }
  out->nsymbols = n;
}

u32 elf_group_members(const Link *l, FileId f, u32 k, u32 *out, const char **name) {
  const File *file = file_at(l, f);
  const ElfObject *o = file->fmt;
  const GroupRef *g = &file->groups[k];
  const ElfShdr *s = &o->shdrs[g->index];
  u32 n = 0;
  Bytes b;
  *name = g->local ? file->group_names ? elf_sym_name(l, f, s->sh_info) : "" : l->syms.name[g->id].p;
  if (s->sh_type != SHT_GROUP || !bytes_slice(file->data, s->sh_offset, s->sh_size, &b))
    return 0;
  for (u64 at = 4; at + 4 <= b.len; at += 4) {
    u32 i = rd32(b.p + at), a = file->atom_base + i;
    if (!i || i >= o->nshdr || (l->atoms.flags[a] & ATOM_FOLDED) != ATOM_LIVE)
      continue;
    if (out)
      out[n] = a;
    n++;
  }
  return n;
}

bool elf_describe_symbol(const Link *l, FileId f, u32 index, Arena *arena, YamlAtom *out) {
  const File *file = file_at(l, f);
  bool shared = file->kind == FILE_SHARED;
  const ElfSym *s = shared ? &((const ElfShared *)file->fmt)->syms[index] : &((const ElfObject *)file->fmt)->syms[index];
  u32 type = ELF64_ST_TYPE(s->st_info);
  bool weak = ELF64_ST_BIND(s->st_info) == STB_WEAK;
  (void)arena;
  *out = (YamlAtom){.name = elf_sym_name(l, f, index)};
  if (!*out->name || type == STT_FILE || type == STT_SECTION)
    return false;
  if (shared && s->st_shndx != SHN_UNDEF) {
    out->load_name = ((const ElfShared *)file->fmt)->soname;
    out->shared_type = type == STT_FUNC || type == STT_GNU_IFUNC ? YAML_SHARED_CODE : YAML_SHARED_DATA;
    out->size = s->st_size;
    out->has_size = s->st_size;
    return true;
  }
  if (s->st_shndx == SHN_UNDEF) {
    out->can_be_null = weak ? YAML_CAN_BE_NULL_AT_BUILDTIME : YAML_CAN_BE_NULL_NEVER;
    return true;
  }
  if (s->st_shndx == SHN_COMMON || s->st_shndx == SHN_X86_64_LCOMMON) {
    out->type = type == STT_TLS ? YAML_TYPE_THREAD_ZERO_FILL : YAML_TYPE_ZERO_FILL;
    u32 sym = index < file->first_global ? UINT32_MAX : file->globals[index - file->first_global];
    bool wins = sym != UINT32_MAX && key_file(l->syms.key[sym]) == f.i && key_index(l->syms.key[sym]) == index;
    bool hidden = wins ? l->syms.flags[sym] & SF_HIDDEN : ELF64_ST_VISIBILITY(s->st_other) == STV_HIDDEN;
    u8 own = is_pow2(s->st_value) ? log2_u64(s->st_value) : 0;
    out->scope = hidden ? YAML_SCOPE_HIDDEN : YAML_SCOPE_GLOBAL;
    out->merge = YAML_MERGE_AS_TENTATIVE;
    out->section_flags = s->st_shndx == SHN_X86_64_LCOMMON ? SHF_X86_64_LARGE : 0;
    out->size = s->st_size;
    out->has_size = true;
    out->p2align = wins ? MAX(own, common_p2align(l, sym)) : own; /* what the link makes of all that met */
    return true;
  }
  if (s->st_shndx != SHN_ABS)
    return false;
  out->scope = index < file->first_global ? YAML_SCOPE_STATIC : YAML_SCOPE_GLOBAL;
  out->value = s->st_value;
  return true;
}
