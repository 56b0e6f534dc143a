/* go_elf.c: see go_elf.h. Types and flags of sections come from what is in them; .symtab has what lives.
 * The trap: sections of weld's own (.symtab, .strtab) have ELF's types, those of objects have none. */
#include "write/go_elf.h"

#include "format/elf.h"
#include "format/goobj_object.h"
#include "write/elf.h"
#include "write/elf_segments.h"
#include "write/elf_symtab.h"

void go_elf_output_section(const Link *l, Osec *o) {
  const Synth *s = o->natoms && o->aflags & ATOM_SYNTH && !o->kinds.n ? &l->synths.at[l->atoms.at[o->atoms[0].i].aux] : NULL;
  o->type = s ? s->type : o->aflags & ATOM_ZEROFILL ? SHT_NOBITS : SHT_PROGBITS;
  o->attr = s ? s->attr : SHF_ALLOC;
  o->attr |= (o->aflags & ATOM_WRITE ? SHF_WRITE : 0) | (o->aflags & ATOM_EXEC ? SHF_EXECINSTR : 0) |
             (o->aflags & ATOM_TLS ? SHF_TLS : 0);
  o->entsize = s ? s->entsize : 0;
}

u64 go_elf_plan_segments(Link *l) { return elf_plan_segments(l); }
void go_elf_finish_segments(Link *l) { elf_finish_segments(l); }

/* ---- .symtab ---- */

typedef struct {
  u32 atom, name;
} Entry;

typedef struct {
  Entry *entries; /* file-local ones first */
  u8 *names;
} Table;

static const GoDefinition *definition(const Link *l, u32 a) {
  const File *f = atom_file(l, (AtomId){a});
  return &((const GoObject *)f->fmt)->definitions[a - f->atom_base - 1];
}

static void write_symtab(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  const Table *t = l->synths.at[SYN_STRTAB].ctx;
  (void)s;
  for (u64 i = off / sizeof(ElfSym); i < (off + len) / sizeof(ElfSym); i++) {
    const Entry *e = &t->entries[i];
    ElfSym *x = (ElfSym *)(out + i * sizeof *x - off);
    if (!i)
      continue;
    const GoDefinition *d = definition(l, e->atom);
    u8 type = d->kind == GO_STEXT ? STT_FUNC : d->kind == GO_STLSBSS ? STT_TLS : STT_OBJECT;
    x->st_name = e->name;
    x->st_info = (u8)ELF64_ST_INFO(d->global ? STB_GLOBAL : STB_LOCAL, type);
    x->st_shndx = (u16)l->osecs.at[l->atoms.at[e->atom].osec].index; /* there are few */
    x->st_value = l->atoms.addr[e->atom] - (type == STT_TLS ? l->tls_begin : 0);
    x->st_size = l->atoms.at[e->atom].size;
  }
}

static void write_strtab(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  const Table *t = s->ctx;
  (void)l;
  memcpy(out, t->names + off, len);
}

static bool has_symbol(const Link *l, u32 a) { return (l->atoms.flags[a] & (ATOM_FOLDED | ATOM_SYNTH)) == ATOM_LIVE; }

static void make_symtab(Link *l) {
  u64 names = 1, n = 1;
  u32 first_global = 1;
  for (u32 a = 1; a < l->atoms.n; a++)
    if (has_symbol(l, a)) {
      names += strlen(definition(l, a)->name) + 1;
      n++;
    }
  if (names > UINT32_MAX) {
    diag_error(l->diag, "symtab", "%llu bytes of names do not fit into .symtab; use -s", (unsigned long long)names);
    return;
  }
  Table *t = ARENA_NEW(&l->arena, Table);
  t->entries = ARENA_ARRAY(&l->arena, Entry, n);
  t->names = arena_alloc(&l->arena, names, 1);
  names = n = 1;
  for (int global = 0; global < 2; global++) {
    for (u32 a = 1; a < l->atoms.n; a++) {
      const GoDefinition *d = has_symbol(l, a) ? definition(l, a) : NULL;
      if (!d || d->global != (global == 1))
        continue;
      t->entries[n++] = (Entry){a, (u32)names};
      names += (u64)(stpcpy((char *)t->names + names, d->name) - ((char *)t->names + names)) + 1;
    }
    if (!global)
      first_global = (u32)n;
  }
  Synth *symtab = &l->synths.at[SYN_SYMTAB], *strtab = &l->synths.at[SYN_STRTAB];
  symtab->size = n * sizeof(ElfSym);
  symtab->info_value = first_global;
  symtab->write = write_symtab;
  strtab->size = names;
  strtab->ctx = t;
  strtab->write = write_strtab;
  l->atoms.at[symtab->atom.i].size = symtab->size;
  l->atoms.at[strtab->atom.i].size = strtab->size;
}

void go_elf_prepare(Link *l) {
  StripKind asked = l->opt->strip;
  l->opt->strip = STRIP_ALL; /* elf_symtab_prepare() knows symbols of ELF's objects only */
  elf_symtab_prepare(l);
  l->opt->strip = asked;
  if (asked != STRIP_ALL)
    make_symtab(l);
}

bool go_elf_write(Link *l) { return elf_write(l); }
