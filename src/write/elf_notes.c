/* elf_notes.c: what compilers noted for linkers, in relocatable output: profiles of calls (SHT_LLVM_CALL_GRAPH_PROFILE, a count and two
 * relocations for each call) and address-significant symbols (SHT_LLVM_ADDRSIG, ULEB128 indexes of the symbol table).
 * The trap: sizes are needed before symbols have numbers, so each ULEB128 takes as many bytes as the largest. */
#include "format/elf_relocs.h"
#include "write/elf_encode.h"
#include "write/elf_relocs.h"

enum { ULEB_BYTES = 5, COUNT_SIZE = 8 };

static void write_counts(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  for (u64 i = off / COUNT_SIZE; i < (off + len) / COUNT_SIZE; i++, out += COUNT_SIZE)
    wr64(out, l->uses->calls.at[i].weight);
  (void)s;
}

static void write_call_relocs(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  (void)s, (void)off, (void)len; /* whole */
  for (u32 i = 0; i < l->uses->calls.n; i++) {
    const ElfUsedCall *c = &l->uses->calls.at[i];
    for (u32 k = 0; k < 2; k++, out += elf_sizes(l).rel)
      elf_put_rel(l, out, i * (u64)COUNT_SIZE, elf_relocs_symbol(l, k ? c->to : c->from), R_X86_64_NONE, false, 0);
  }
}

static void write_significant(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  (void)s, (void)off, (void)len; /* whole */
  for (u32 i = 0; i < l->uses->significant.n; i++)
    for (u32 k = 0, x = elf_relocs_symbol(l, l->uses->significant.at[i]); k < ULEB_BYTES; k++, x >>= 7)
      *out++ = (u8)((x & 0x7f) | (k + 1 < ULEB_BYTES ? 0x80 : 0));
}

void elf_notes_add(Link *l) {
  const ElfUses *u = l->uses;
  Synth s = {.attr = SHF_EXCLUDE, .link = SYN_SYMTAB + 1};
  if (u->calls.n) {
    s.name = ".llvm.call-graph-profile";
    s.type = SHT_LLVM_CALL_GRAPH_PROFILE;
    s.entsize = COUNT_SIZE;
    s.size = u->calls.n * (u64)COUNT_SIZE;
    s.grain = COUNT_SIZE;
    s.write = write_counts;
    u32 counts = synth_add(l, &s);
    Synth relocs = {.name = ".rel.llvm.call-graph-profile", .type = SHT_REL, .attr = SHF_INFO_LINK, .entsize = elf_sizes(l).rel,
                    .size = 2ull * u->calls.n * elf_sizes(l).rel, .p2align = 3, .link = SYN_SYMTAB + 1, .info = counts + 1, .write = write_call_relocs};
    synth_add(l, &relocs);
  }
  if (u->all_significant)
    return;
  synth_add(l, &(Synth){.name = ".llvm_addrsig",
                        .type = SHT_LLVM_ADDRSIG,
                        .attr = SHF_EXCLUDE,
                        .size = u->significant.n * (u64)ULEB_BYTES,
                        .link = SYN_SYMTAB + 1,
                        .keep_empty = true,
                        .write = write_significant});
}
