/* elf_object.c: atoms to an ELF relocatable (gABI ch. 4). An atom becomes a section, its names symbols, its edges SHT_RELA or
 * SHT_REL, as Format.rel says. Works on any Link whose atoms are described (Format.describe), so text becomes an object, and an
 * object that went through text one that links the same.
 * The trap: an edge to a local symbol and one to the section that it is in are two things where content is merged, so which of
 * them was meant (SF_SECTION) is kept. */
#include "write/elf_object.h"

#include <stdlib.h>

#include "core/resolve.h"
#include "format/yaml_graph.h"
#include "util/outfile.h"
#include "write/elf_encode.h"
#include "write/elf_edge_kinds.h"

typedef struct {
  Elf64_Shdr h;
  const u8 *bytes;  /* h.sh_size of them, NULL: none */
} Section;

typedef struct {
  ElfSym s;
  u32 section; /* its index, or SHN_ABS, SHN_COMMON: `reserved` */
  bool reserved;
} Symbol;

typedef VEC(char) Chars;

typedef struct {
  Link *l;
  const ElfEdgeKinds *target;
  Arena arena;
  VEC(Section) sections;
  VEC(Symbol) locals, globals;
  Chars names, section_names;
  u32 *section_of; /* by AtomId */
  u32 *symbol_of;  /* by SymId: index among locals or globals, + 1 */
  u32 addrsig;          /* section of address-significant symbols, 0: none */
  VEC(u8) significant;  /* its bytes */
  bool exact; /* atoms say which sections there are, so none is added */
  bool bad;
} Out;

static u32 add_chars(Chars *c, const char *s) {
  u32 at = c->n, n = (u32)strlen(s) + 1;
  if (n == 1)
    return 0;
  vec_reserve(c, c->n + n);
  memcpy(c->at + at, s, n);
  c->n += n;
  return at;
}

static u32 add_section(Out *o, const char *name, Elf64_Shdr h, const u8 *bytes) {
  h.sh_name = add_chars(&o->section_names, name);
  if (!h.sh_addralign)
    h.sh_addralign = 1;
  *vec_push(&o->sections) = (Section){h, bytes};
  return o->sections.n - 1;
}

/* ---- what types imply ---- */

typedef struct {
  const char *name;
  u32 type;
  u64 flags;
} Usual;

static Usual usual_section(YamlType t) {
  enum { A = SHF_ALLOC, W = SHF_WRITE, X = SHF_EXECINSTR, T = SHF_TLS };
  switch (t) {
  case YAML_TYPE_CODE:
  case YAML_TYPE_STUB:
  case YAML_TYPE_RESOLVER:
  case YAML_TYPE_BRANCH_ISLAND: return (Usual){".text", SHT_PROGBITS, A | X};
  case YAML_TYPE_DATA:
  case YAML_TYPE_QUICK_DATA: return (Usual){".data", SHT_PROGBITS, A | W};
  case YAML_TYPE_CONST_DATA: return (Usual){".data.rel.ro", SHT_PROGBITS, A | W};
  case YAML_TYPE_ZERO_FILL:
  case YAML_TYPE_ZERO_FILL_QUICK: return (Usual){".bss", SHT_NOBITS, A | W};
  case YAML_TYPE_THREAD_DATA: return (Usual){".tdata", SHT_PROGBITS, A | W | T};
  case YAML_TYPE_THREAD_ZERO_FILL: return (Usual){".tbss", SHT_NOBITS, A | W | T};
  case YAML_TYPE_INITIALIZER_POINTER: return (Usual){".init_array", SHT_INIT_ARRAY, A | W};
  case YAML_TYPE_TERMINATOR_POINTER: return (Usual){".fini_array", SHT_FINI_ARRAY, A | W};
  case YAML_TYPE_UNWIND_CFI: return (Usual){".eh_frame", SHT_PROGBITS, A};
  case YAML_TYPE_UNWIND_LSDA: return (Usual){".gcc_except_table", SHT_PROGBITS, A};
  case YAML_TYPE_RO_NOTE: return (Usual){".note", SHT_NOTE, A};
  case YAML_TYPE_RW_NOTE: return (Usual){".note", SHT_NOTE, A | W};
  case YAML_TYPE_NO_ALLOC: return (Usual){".comment", SHT_PROGBITS, 0};
  default: return (Usual){".rodata", SHT_PROGBITS, A};
  }
}

static u8 symbol_type(YamlSymbolType t) {
  static const u8 types[] = {STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_TLS, STT_GNU_IFUNC};
  return types[t];
}

static u8 implied_type(YamlType t) {
  Usual u = usual_section(t);
  return t == YAML_TYPE_RESOLVER ? STT_GNU_IFUNC : u.flags & SHF_EXECINSTR ? STT_FUNC : u.flags & SHF_TLS ? STT_TLS : STT_OBJECT;
}

/* ---- sections and symbols ---- */

static u32 add_symbol(Out *o, Symbol s, const char *name, bool global) {
  s.s.st_name = add_chars(&o->names, name);
  if (global) {
    *vec_push(&o->globals) = s;
    return o->globals.n;
  }
  *vec_push(&o->locals) = s;
  return o->locals.n;
}

static void remember(Out *o, u32 sym, u32 symbol) {
  if (sym < o->l->syms.ntotal)
    o->symbol_of[sym] = symbol;
}

static u8 visibility(YamlScope scope, YamlVisibility v) {
  return v == YAML_VISIBILITY_INTERNAL ? STV_INTERNAL : v == YAML_VISIBILITY_PROTECTED ? STV_PROTECTED : scope == YAML_SCOPE_HIDDEN ? STV_HIDDEN : STV_DEFAULT;
}

/* A name of an atom, in section `index`. `local`: SymId of a static one, UINT32_MAX: nobody refers to it. */
static void add_name(Out *o, const YamlName *n, u32 index, u8 type, u32 local) {
  bool global = n->scope != YAML_SCOPE_STATIC;
  u8 bind = !global ? STB_LOCAL : n->binding == YAML_BINDING_UNIQUE ? STB_GNU_UNIQUE : n->merge == YAML_MERGE_AS_WEAK || n->merge == YAML_MERGE_AS_ADDRESSED_WEAK ? STB_WEAK : STB_GLOBAL;
  Symbol s = {.s = {.st_value = n->offset, .st_size = n->size, .st_info = (u8)(bind << 4 | type), .st_other = visibility(n->scope, n->visibility)},
              .section = index};
  u32 at = add_symbol(o, s, n->name, global);
  remember(o, global ? sym_find(o->l, n->name, strlen(n->name)).i : local, at);
}

static void add_atom(Out *o, u32 a) {
  Link *l = o->l;
  const File *file = atom_file(l, (AtomId){a});
  YamlAtom y;
  l->format->describe(l, (AtomId){a}, &o->arena, &y);
  if (y.type == YAML_TYPE_GROUP_COMDAT || y.type == YAML_TYPE_GNU_LINKONCE)
    return;
  Usual u = usual_section(y.type);
  Elf64_Shdr h = {.sh_type = y.section_type ? y.section_type : u.type,
               .sh_flags = y.section_type ? y.section_flags : u.flags,
               .sh_size = y.content.p ? y.content.len : y.size,
               .sh_addralign = 1ull << (y.p2align & 63),
               .sh_entsize = y.entry_size};
  o->exact |= y.section_type != 0;
  if (h.sh_type == SHT_LLVM_ADDRSIG && o->addrsig) { /* readers know one */
    o->section_of[a] = o->addrsig;
    return;
  }
  u32 index = add_section(o, y.section_name ? y.section_name : u.name, h, y.content.p);
  o->section_of[a] = index;
  if (h.sh_type == SHT_LLVM_ADDRSIG)
    o->addrsig = index;
  add_symbol(o, (Symbol){.s = {.st_info = STT_SECTION}, .section = index}, "", false);
  if (y.name && *y.name) {
    YamlName own = {.name = y.name, .size = h.sh_size, .scope = y.scope, .merge = y.merge};
    add_name(o, &own, index, implied_type(y.type), UINT32_MAX);
  }
  for (u32 k = 0; k < y.nsymbols; k++)
    add_name(o, &y.symbols[k], index, symbol_type(y.symbols[k].type), file->local_base + y.symbols[k].index);
}

static u32 common_section(const YamlAtom *y) { return y->section_flags & SHF_X86_64_LARGE ? SHN_X86_64_LCOMMON : SHN_COMMON; }

/* Undefined, absolute and tentative names, each at its first mention. */
static void add_others(Out *o) {
  Link *l = o->l;
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    for (u32 i = 1; file->live && file->fmt && i < file->nsyms; i++) {
      bool global = i >= file->first_global;
      u32 sym = global ? file->globals[i - file->first_global] : file->local_base + i;
      YamlAtom y;
      if (sym == UINT32_MAX || o->symbol_of[sym] || !l->format->describe_symbol(l, (FileId){f}, i, &o->arena, &y))
        continue;
      u32 flags = global ? l->syms.flags[sym] : SF_ABSOLUTE;
      u64 key = global ? l->syms.key[sym] : 0;
      if (y.merge == YAML_MERGE_AS_TENTATIVE && (key_file(key) != f || key_index(key) != i))
        continue; /* the definition that won speaks for all */
      u8 bind = !global ? STB_LOCAL : flags & SF_UNDEFINED && !(flags & SF_REF_STRONG) ? STB_WEAK : STB_GLOBAL;
      Symbol s = {.s = {.st_info = (u8)(bind << 4), .st_other = visibility(y.scope, YAML_VISIBILITY_OF_SCOPE)}, .reserved = true};
      if (y.merge == YAML_MERGE_AS_TENTATIVE) {
        s.section = common_section(&y);
        s.s.st_value = 1ull << (y.p2align & 63);
        s.s.st_size = y.size;
        s.s.st_info |= y.type == YAML_TYPE_THREAD_ZERO_FILL ? STT_TLS : STT_OBJECT;
      } else if (flags & SF_ABSOLUTE) {
        s.section = SHN_ABS;
        s.s.st_value = y.value;
      } else {
        s.section = SHN_UNDEF;
        s.s.st_other = flags >> SF_VIS_SHIFT & 3;
      }
      o->symbol_of[sym] = add_symbol(o, s, y.name, global);
    }
  }
}

/* Tentative definitions that are atoms become common symbols. */
static bool is_tentative(Out *o, u32 a, YamlAtom *y) {
  o->l->format->describe(o->l, (AtomId){a}, &o->arena, y);
  return y->merge == YAML_MERGE_AS_TENTATIVE;
}

static void add_common(Out *o, const YamlAtom *y) {
  Symbol s = {.s = {.st_info = (u8)(STB_GLOBAL << 4 | implied_type(y->type)), .st_other = visibility(y->scope, YAML_VISIBILITY_OF_SCOPE),
                    .st_value = 1ull << (y->p2align & 63), .st_size = y->size},
              .section = common_section(y), .reserved = true};
  remember(o, sym_find(o->l, y->name, strlen(y->name)).i, add_symbol(o, s, y->name, true));
}

/* ---- groups ---- */

static void put_group(Out *o, u32 section, const char *signature, const u32 *members, u32 n) {
  u32 *words = ARENA_ARRAY(&o->arena, u32, n + 1ull), count = 1;
  words[0] = GRP_COMDAT;
  for (u32 i = 0; i < n; i++)
    if (o->section_of[members[i]]) {
      o->sections.at[o->section_of[members[i]]].h.sh_flags |= SHF_GROUP;
      words[count++] = o->section_of[members[i]];
    }
  u32 sym = sym_find(o->l, signature, strlen(signature)).i, at = sym < o->l->syms.nglobal ? o->symbol_of[sym] : 0;
  Section *s = &o->sections.at[section];
  s->bytes = (const u8 *)words;
  s->h.sh_size = count * 4ull;
  /* which symbol, is known when locals have been counted: globals are marked by the high bit */
  s->h.sh_info = at ? 1u << 31 | at : add_symbol(o, (Symbol){.section = section}, signature, false);
}

typedef struct {
  u32 section, atom, file, group; /* atom: a group atom; else a group of the file */
} GroupAt;

static void fill_group(Out *o, const GroupAt *g) {
  Link *l = o->l;
  VEC(u32) members = {0};
  const char *name;
  if (g->atom) {
    YamlAtom y;
    EdgeCursor c = {.atom = {g->atom}};
    Edge e[EDGE_BATCH];
    l->format->describe(l, (AtomId){g->atom}, &o->arena, &y);
    name = y.name ? y.name : "";
    for (u32 n; (n = l->format->edges(l, &c, e));)
      for (u32 k = 0; k < n; k++) {
        i64 off;
        u32 t = e[k].kind == EDGE_GROUP_CHILD ? l->format->edge_atom(l, (FileId){g->file}, &e[k], &off).i : 0;
        if (t)
          *vec_push(&members) = t;
      }
  } else {
    u32 n = l->format->group_members(l, (FileId){g->file}, g->group, NULL, &name);
    vec_reserve(&members, n + 1);
    members.n = l->format->group_members(l, (FileId){g->file}, g->group, members.at, &name);
  }
  put_group(o, g->section, name, members.at, members.n);
  vec_free(&members);
}

typedef VEC(GroupAt) Groups;

/* Groups come first: those who read objects believe that. */
static void find_groups(Out *o, Groups *groups) {
  Link *l = o->l;
  const Elf64_Shdr h = {.sh_type = SHT_GROUP, .sh_addralign = 4, .sh_entsize = 4};
  for (u32 a = 1; a < l->atoms.n; a++) {
    YamlAtom y;
    if ((l->atoms.flags[a] & ATOM_FOLDED) != ATOM_LIVE || !l->atoms.at[a].file || !l->format->atoms_are_symbols)
      continue;
    l->format->describe(l, (AtomId){a}, &o->arena, &y);
    if (y.type == YAML_TYPE_GROUP_COMDAT)
      *vec_push(groups) = (GroupAt){add_section(o, ".group", h, NULL), a, l->atoms.at[a].file, 0};
  }
  for (u32 f = 1; f < l->files.n && l->format->group_members; f++)
    for (u32 k = 0; l->files.at[f].live && k < l->files.at[f].ngroups; k++)
      if (group_won(l, f, &l->files.at[f].groups[k]) && !l->files.at[f].groups[k].linkonce)
        *vec_push(groups) = (GroupAt){add_section(o, ".group", h, NULL), 0, f, k};
}

/* ---- relocations ---- */

/* Index of the edge's symbol among all: locals start at 1, globals behind them. */
static u32 symbol_index(const Out *o, u32 sym, bool global) {
  u32 at = o->symbol_of[sym];
  return !at ? 0 : global ? o->locals.n + at : at;
}

static void mark_tls(Symbol *s) {
  if (s->reserved && s->section == SHN_UNDEF)
    s->s.st_info = (u8)((s->s.st_info & 0xf0) | STT_TLS);
}

static void add_significant(Out *o, u32 symbol) {
  for (; symbol > 0x7f; symbol >>= 7)
    *vec_push(&o->significant) = (u8)(symbol | 0x80);
  *vec_push(&o->significant) = (u8)symbol;
}

/* A relocation being made. */
typedef struct {
  u64 offset;
  i64 addend;
  u32 sym, number;
  u16 kind;
} Reloc;

/* Where relocations have no addend, the fields of the section hold them. */
static void put_addends(Out *o, u32 of, const Reloc *v, u32 n) {
  Section *s = &o->sections.at[of];
  u8 *bytes = arena_alloc(&o->arena, s->h.sh_size, 16);
  if (s->bytes)
    memcpy(bytes, s->bytes, s->h.sh_size);
  for (u32 i = 0; i < n; i++) {
    u32 width = o->target->fields[v[i].kind];
    i64 least = width == 4 ? (i64)INT32_MIN : -((i64)1 << (8 * width)) / 2, most = width == 4 ? (i64)UINT32_MAX : ((i64)1 << (8 * width)) - 1;
    if (width && (v[i].offset > s->h.sh_size || width > s->h.sh_size - v[i].offset))
      continue; /* reported where it was read */
    if (v[i].addend < least || v[i].addend > most || (!width && v[i].addend)) {
      diag_error(o->l->diag, "relocation", "addend %lld of %s in section %s does not fit into its field", (long long)v[i].addend,
                 edge_kind_name(o->l, v[i].kind), o->section_names.at + s->h.sh_name);
      o->bad = true;
    }
    for (u32 k = 0; k < width; k++)
      bytes[v[i].offset + k] = (u8)((u64)v[i].addend >> 8 * k);
  }
  s->bytes = bytes;
}

/* Those of a profile of calls are SHT_REL without addends, as assemblers write them. */
static void add_relocation_section(Out *o, u32 of, const Reloc *v, u32 n) {
  const ElfSizes z = elf_sizes(o->l);
  bool profile = o->sections.at[of].h.sh_type == SHT_LLVM_CALL_GRAPH_PROFILE, rel = profile || o->l->format->rel;
  u64 entsize = rel ? z.rel : z.rela, group = o->sections.at[of].h.sh_flags & SHF_GROUP;
  const char *name = arena_printf(&o->arena, "%s%s", rel ? ".rel" : ".rela", o->section_names.at + o->sections.at[of].h.sh_name);
  u8 *bytes = arena_alloc(&o->arena, n * entsize, 8);
  for (u32 i = 0; i < n; i++)
    elf_put_rel(o->l, bytes + i * entsize, v[i].offset, v[i].sym, v[i].number, !rel, v[i].addend);
  if (rel && !profile)
    put_addends(o, of, v, n);
  add_section(o, name, (Elf64_Shdr){.sh_type = rel ? SHT_REL : SHT_RELA, .sh_flags = SHF_INFO_LINK | group, .sh_size = n * entsize, .sh_info = of, .sh_addralign = o->l->format->word, .sh_entsize = entsize}, bytes);
}

static void add_relocations(Out *o, u32 a, const u32 *section_symbols) {
  Link *l = o->l;
  FileId f = {l->atoms.at[a].file};
  const ElfEdgeKinds *t = o->target;
  VEC(Reloc) v = {0};
  EdgeCursor c = {.atom = {a}};
  Edge e[EDGE_BATCH];
  for (u32 n; (n = l->format->edges(l, &c, e));)
    for (u32 k = 0; k < n; k++) {
      if (e[k].kind >= l->arch->nkinds && e[k].kind != EDGE_SIGNIFICANT)
        continue; /* order, groups: not for ELF */
      i64 addend = e[k].addend;
      u32 sym = 0;
      if (e[k].target < l->syms.nglobal) {
        sym = symbol_index(o, e[k].target, true);
        if (sym && e[k].kind < t->n && t->is_tls[e[k].kind])
          mark_tls(&o->globals.at[o->symbol_of[e[k].target] - 1]);
      } else if (e[k].target != UINT32_MAX && !(e[k].flags & SF_SECTION) && o->symbol_of[e[k].target]) {
        sym = symbol_index(o, e[k].target, false);
      } else if (e[k].target != UINT32_MAX) {
        i64 off;
        u32 to = l->format->edge_atom(l, f, &e[k], &off).i;
        sym = to ? section_symbols[o->section_of[to]] : 0;
        addend = to ? off : addend;
      }
      if (e[k].kind == EDGE_SIGNIFICANT) {
        if (sym)
          add_significant(o, sym);
        continue;
      }
      if (e[k].kind >= t->n || !t->numbers[e[k].kind]) {
        diag_error(l->diag, "relocation", "%s: %s has no number in ELF", file_name(l, f), edge_kind_name(l, e[k].kind));
        o->bad = true;
        continue;
      }
      *vec_push(&v) = (Reloc){e[k].offset, addend, sym, t->numbers[e[k].kind] - 1u, e[k].kind};
    }
  if (v.n)
    add_relocation_section(o, o->section_of[a], v.at, v.n);
  vec_free(&v);
}

/* What a section goes with: known when all have their numbers. */
static void add_link_order(Out *o, u32 a) {
  const Atom *at = &o->l->atoms.at[a];
  Elf64_Shdr *h = &o->sections.at[o->section_of[a]].h;
  if (!(o->l->atoms.flags[a] & ATOM_LINKORDER) || !o->section_of[at->link])
    return;
  h->sh_flags |= SHF_LINK_ORDER;
  h->sh_link = o->section_of[at->link];
}

/* Relocations of a group's members are members: behind them in the list. */
static void group_relocations(Out *o, const Groups *groups, u32 first_rela) {
  for (u32 g = 0; g < groups->n; g++) {
    Section *s = &o->sections.at[groups->at[g].section];
    VEC(u32) words = {0};
    u32 n = (u32)(s->h.sh_size / 4);
    for (u32 i = 0; i < n; i++)
      *vec_push(&words) = rd32(s->bytes + 4ull * i);
    for (u32 r = first_rela; r < o->sections.n; r++)
      for (u32 i = 1; i < n; i++)
        if (o->sections.at[r].h.sh_info == words.at[i])
          *vec_push(&words) = r;
    u8 *bytes = arena_alloc(&o->arena, words.n * 4ull, 4);
    memcpy(bytes, words.at, words.n * 4ull);
    s->bytes = bytes;
    s->h.sh_size = words.n * 4ull;
    vec_free(&words);
  }
}

/* ---- tables and the file ---- */

static void add_tables(Out *o, const Groups *groups) {
  u32 nsyms = 1 + o->locals.n + o->globals.n, symtab = o->sections.n, strtab = symtab + 1;
  const ElfSizes z = elf_sizes(o->l);
  ElfSym *syms = ARENA_ARRAY(&o->arena, ElfSym, nsyms);
  u8 *table = (u8 *)syms;
  u32 *escaped = ARENA_ARRAY(&o->arena, u32, nsyms), nescaped = 0;
  for (u32 i = 1; i < nsyms; i++) {
    const Symbol *s = i <= o->locals.n ? &o->locals.at[i - 1] : &o->globals.at[i - 1 - o->locals.n];
    bool escape = !s->reserved && s->section >= SHN_LORESERVE;
    syms[i] = s->s;
    syms[i].st_shndx = (u16)(escape ? SHN_XINDEX : s->section);
    escaped[i] = escape ? s->section : 0;
    nescaped += escape;
  }
  for (u32 g = 0; g < groups->n; g++) {
    Elf64_Shdr *h = &o->sections.at[groups->at[g].section].h;
    h->sh_link = symtab;
    if (h->sh_info >> 31)
      h->sh_info = (h->sh_info & 0x7fffffff) + o->locals.n;
  }
  for (u32 i = 1; i < o->sections.n; i++) {
    u32 type = o->sections.at[i].h.sh_type;
    if (type == SHT_RELA || type == SHT_REL || type == SHT_LLVM_ADDRSIG || type == SHT_LLVM_CALL_GRAPH_PROFILE)
      o->sections.at[i].h.sh_link = symtab;
  }
  if (elf_is_32(o->l)) {
    table = arena_alloc(&o->arena, (u64)nsyms * z.sym, 8);
    elf_put_syms32(table, syms, nsyms);
  }
  add_section(o, ".symtab", (Elf64_Shdr){.sh_type = SHT_SYMTAB, .sh_size = (u64)nsyms * z.sym, .sh_link = strtab, .sh_info = 1 + o->locals.n, .sh_addralign = o->l->format->word, .sh_entsize = z.sym}, table);
  add_section(o, ".strtab", (Elf64_Shdr){.sh_type = SHT_STRTAB, .sh_size = o->names.n}, (const u8 *)o->names.at);
  if (nescaped)
    add_section(o, ".symtab_shndx", (Elf64_Shdr){.sh_type = SHT_SYMTAB_SHNDX, .sh_size = nsyms * 4ull, .sh_link = symtab, .sh_addralign = 4, .sh_entsize = 4}, (const u8 *)escaped);
  u32 names = add_section(o, ".shstrtab", (Elf64_Shdr){.sh_type = SHT_STRTAB}, NULL);
  o->sections.at[names].h.sh_size = o->section_names.n;
  o->sections.at[names].bytes = (const u8 *)o->section_names.at;
}

static bool put_file(Out *o) {
  Link *l = o->l;
  const ElfSizes z = elf_sizes(l);
  u64 at = z.ehdr;
  u32 n = o->sections.n;
  for (u32 i = 1; i < n; i++) {
    Elf64_Shdr *h = &o->sections.at[i].h;
    at = align_up(at, h->sh_addralign);
    h->sh_offset = at;
    at += h->sh_type == SHT_NOBITS ? 0 : h->sh_size;
  }
  u64 shoff = align_up(at, l->format->word), size = shoff + (u64)n * z.shdr;
  if (elf_is_32(l) && size > UINT32_MAX) {
    diag_error(l->diag, "too-large", "the output is %llu bytes long: %s has 32-bit offsets", (unsigned long long)size, l->format->name);
    return false;
  }
  u8 *image = pages_alloc(size);
  const Elf64_Ehdr h = {.e_type = ET_REL,
                        .e_machine = o->target->machine,
                        .e_shoff = shoff,
                        .e_shnum = n < SHN_LORESERVE ? (u16)n : 0,
                        .e_shstrndx = n - 1 < SHN_LORESERVE ? (u16)(n - 1) : SHN_XINDEX};
  elf_put_ehdr(l, image, &h);
  if (n >= SHN_LORESERVE)
    o->sections.at[0].h.sh_size = n;
  if (n - 1 >= SHN_LORESERVE)
    o->sections.at[0].h.sh_link = n - 1;
  for (u32 i = 0; i < n; i++) {
    const Section *s = &o->sections.at[i];
    if (s->bytes && s->h.sh_type != SHT_NOBITS && s->h.sh_size)
      memcpy(image + s->h.sh_offset, s->bytes, s->h.sh_size);
    elf_put_shdr(l, image + shoff + (u64)i * z.shdr, &s->h);
  }
  OutFile *f = outfile_create(l->diag, l->opt->output, size, false, l->mem_output);
  bool ok = f && outfile_write(f, image, size, 0);
  if (ok)
    ok = outfile_commit(f);
  else
    outfile_abort(f);
  pages_free(image, size);
  return ok;
}

bool elf_object_write(Link *l) {
  Out o = {.l = l, .target = elf_edge_kinds(l)};
  Groups groups = {0};
  if (!o.target) {
    diag_error(l->diag, "unsupported-target", "-r: ELF objects are not written for %s", l->arch->name);
    return false;
  }
  o.section_of = heap_alloc(l->atoms.n * sizeof *o.section_of);
  o.symbol_of = heap_alloc((l->syms.ntotal + 1ull) * sizeof *o.symbol_of);
  *vec_push(&o.names) = 0;
  *vec_push(&o.section_names) = 0;
  *vec_push(&o.sections) = (Section){.bytes = NULL};
  find_groups(&o, &groups);
  for (u32 a = 1; a < l->atoms.n; a++) {
    YamlAtom y;
    if ((l->atoms.flags[a] & ATOM_FOLDED) != ATOM_LIVE || !l->atoms.at[a].file)
      continue;
    if (is_tentative(&o, a, &y))
      add_common(&o, &y);
    else
      add_atom(&o, a);
  }
  if (!o.exact)
    add_section(&o, ".note.GNU-stack", (Elf64_Shdr){.sh_type = SHT_PROGBITS}, NULL);
  add_others(&o);
  for (u32 g = 0; g < groups.n; g++)
    fill_group(&o, &groups.at[g]);
  u32 first_rela = o.sections.n, *section_symbols = heap_alloc((o.sections.n + 1ull) * sizeof *section_symbols);
  for (u32 i = 0; i < o.locals.n; i++)
    if ((o.locals.at[i].s.st_info & 15) == STT_SECTION)
      section_symbols[o.locals.at[i].section] = i + 1;
  for (u32 a = 1; a < l->atoms.n; a++)
    if (o.section_of[a]) {
      add_link_order(&o, a);
      add_relocations(&o, a, section_symbols);
    }
  if (o.addrsig) {
    o.sections.at[o.addrsig].bytes = o.significant.at;
    o.sections.at[o.addrsig].h.sh_size = o.significant.n;
  }
  group_relocations(&o, &groups, first_rela);
  add_tables(&o, &groups);
  bool ok = !o.bad && put_file(&o);
  free(section_symbols);
  free(o.section_of);
  free(o.symbol_of);
  vec_free(&o.sections);
  vec_free(&o.locals);
  vec_free(&o.globals);
  vec_free(&o.names);
  vec_free(&o.section_names);
  vec_free(&o.significant);
  vec_free(&groups);
  arena_free(&o.arena);
  return ok;
}
