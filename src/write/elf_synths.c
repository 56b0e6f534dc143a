/* elf_synths.c: one table of the sections that weld makes (gABI ch. 4, "Special Sections"; psABI 4.2).
 * The trap: the rows are the SYN_ numbers of core/synth.h in order, and the order of creation is the
 * order inside an output section when a script puts several into one. Sizes in the table are those of
 * class 64. */
#include "write/elf_synths.h"

#include "write/elf_encode.h"

enum { A = SHF_ALLOC, W = SHF_WRITE, X = SHF_EXECINSTR, T = SHF_TLS };

enum { SHT_ANDROID_RELR = 0x6fffff00 };

#define LINK_TO(syn) ((syn) + 1)

static const Synth table[SYN_COUNT] = {
#define ROW(syn, name_, type_, attr_, entsize_, p2align_, ...)                                     \
  [syn] = {.name = (name_), .type = (type_), .attr = (attr_), .entsize = (entsize_),               \
           .p2align = (p2align_), __VA_ARGS__}
    ROW(SYN_INTERP, ".interp", SHT_PROGBITS, A, 0, 0, ),
    ROW(SYN_NOTE_PROPERTY, ".note.gnu.property", SHT_NOTE, A, 0, 3, ),
    ROW(SYN_BUILD_ID, ".note.gnu.build-id", SHT_NOTE, A, 0, 2, ),
    ROW(SYN_NOTE_PACKAGE, ".note.package", SHT_NOTE, A, 0, 2, ),
    ROW(SYN_HASH, ".hash", SHT_HASH, A, 4, 3, .link = LINK_TO(SYN_DYNSYM)),
    ROW(SYN_GNU_HASH, ".gnu.hash", SHT_GNU_HASH, A, 0, 3, .link = LINK_TO(SYN_DYNSYM)),
    /* sh_info: one past the last local symbol, which is symbol 0 */
    ROW(SYN_DYNSYM, ".dynsym", SHT_DYNSYM, A, sizeof(Elf64_Sym), 3, .link = LINK_TO(SYN_DYNSTR),
        .info_value = 1),
    ROW(SYN_DYNSTR, ".dynstr", SHT_STRTAB, A, 0, 0, ),
    ROW(SYN_VERSYM, ".gnu.version", SHT_GNU_versym, A, 2, 1, .link = LINK_TO(SYN_DYNSYM)),
    ROW(SYN_VERDEF, ".gnu.version_d", SHT_GNU_verdef, A, 0, 3, .link = LINK_TO(SYN_DYNSTR)),
    ROW(SYN_VERNEED, ".gnu.version_r", SHT_GNU_verneed, A, 0, 3, .link = LINK_TO(SYN_DYNSTR)),
    ROW(SYN_RELA_DYN, ".rela.dyn", SHT_RELA, A, sizeof(Elf64_Rela), 3,
        .link = LINK_TO(SYN_DYNSYM)),
    ROW(SYN_RELR_DYN, ".relr.dyn", SHT_RELR, A, 8, 3, ),
    ROW(SYN_RELA_PLT, ".rela.plt", SHT_RELA, A | SHF_INFO_LINK, sizeof(Elf64_Rela), 3,
        .link = LINK_TO(SYN_DYNSYM), .info = LINK_TO(SYN_GOT_PLT)),
    ROW(SYN_PLT, ".plt", SHT_PROGBITS, A | X, 16, 4, ),
    ROW(SYN_PLT_GOT, ".plt.got", SHT_PROGBITS, A | X, 8, 4, ),
    ROW(SYN_PLT_SEC, ".plt.sec", SHT_PROGBITS, A | X, 16, 4, ),
    ROW(SYN_EH_FRAME_HDR, ".eh_frame_hdr", SHT_PROGBITS, A, 0, 2, ),
    ROW(SYN_EH_FRAME, ".eh_frame", SHT_PROGBITS, A, 0, 3, ),
    ROW(SYN_DYNAMIC, ".dynamic", SHT_DYNAMIC, A | W, sizeof(Elf64_Dyn), 3,
        .link = LINK_TO(SYN_DYNSTR)),
    ROW(SYN_GOT, ".got", SHT_PROGBITS, A | W, 8, 3, ),
    ROW(SYN_GOT_PLT, ".got.plt", SHT_PROGBITS, A | W, 8, 3, ),
    ROW(SYN_DYNBSS, ".dynbss", SHT_NOBITS, A | W, 0, 0, ),
    ROW(SYN_DYNBSS_RELRO, ".dynbss.rel.ro", SHT_NOBITS, A | W, 0, 0, ),
    ROW(SYN_COMMON, "COMMON", SHT_NOBITS, A | W, 0, 0, ),
    ROW(SYN_TCOMMON, ".tcommon", SHT_NOBITS, A | W | T, 0, 0, ),
    ROW(SYN_LCOMMON, "LARGE_COMMON", SHT_NOBITS, A | W | SHF_X86_64_LARGE, 0, 0, ),
    /* sh_info of .symtab is set with its contents */
    ROW(SYN_SYMTAB, ".symtab", SHT_SYMTAB, 0, sizeof(Elf64_Sym), 3, .link = LINK_TO(SYN_STRTAB)),
    ROW(SYN_SYMTAB_SHNDX, ".symtab_shndx", SHT_SYMTAB_SHNDX, 0, 4, 2,
        .link = LINK_TO(SYN_SYMTAB)),
    ROW(SYN_STRTAB, ".strtab", SHT_STRTAB, 0, 0, 0, ),
    ROW(SYN_SHSTRTAB, ".shstrtab", SHT_STRTAB, 0, 0, 0, ),
#undef ROW
};

/* What differs in class 32, and where relocations have no addends. */
static void fit_format(const Link *l, u32 syn, Synth *s) {
  const ElfSizes z = elf_sizes(l);
  u8 word = log2_u64(l->format->word), slot = log2_u64(l->arch->got_slot_size);
  switch (syn) {
  case SYN_DYNSYM:
  case SYN_SYMTAB: s->entsize = z.sym; break;
  case SYN_DYNAMIC: s->entsize = z.dyn; break;
  case SYN_GNU_HASH: s->entsize = l->format->word == 4 ? 4 : 0; break; /* else entries are of two sizes */
  case SYN_RELR_DYN: s->entsize = l->format->word; break;
  case SYN_RELA_DYN:
  case SYN_RELA_PLT:
    s->entsize = l->format->rel ? z.rel : z.rela;
    if (l->format->rel) {
      s->type = SHT_REL;
      s->name = syn == SYN_RELA_DYN ? ".rel.dyn" : ".rel.plt";
    }
    if (syn == SYN_RELA_PLT && !l->is_dynamic) /* where scripts put the symbols by which a static program finds it */
      s->name = l->format->rel ? ".rel.iplt" : ".rela.iplt";
    break;
  case SYN_GOT:
  case SYN_GOT_PLT:
    s->entsize = l->arch->got_slot_size;
    s->p2align = slot;
    return;
  }
  if (s->p2align == 3) /* a word */
    s->p2align = word;
}

void elf_synths_init(Link *l) {
  vec_reserve(&l->synths, SYN_COUNT);
  if (!l->synths.n)
    *vec_push(&l->synths) = (Synth){0};
  for (u32 i = SYN_INTERP; i < SYN_COUNT; i++) {
    Synth s = table[i];
    if (i == SYN_DYNAMIC && l->opt->z_rodynamic)
      s.attr &= ~(u64)W;
    if (i == SYN_RELR_DYN && l->opt->use_android_relr_tags)
      s.type = SHT_ANDROID_RELR;
    fit_format(l, i, &s);
    u32 at = synth_add(l, &s);
    if (at != i) {
      diag_error(l->diag, "internal", "%s is synthetic section %u, expected %u", s.name, at, i);
      return;
    }
  }
}
