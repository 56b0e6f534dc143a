/* elf_format.c: the Format row of ELF: which function of read/ answers which question. The
 * hooks of layout and the writer's come from write/, which read/ may not include: link.c joins them. */
#include "read/elf_edges.h"
#include "read/elf_fold.h"
#include "read/elf_hooks.h"
#include "read/elf_locate.h"
#include "read/elf_machine.h"
#include "read/elf.h"

u32 elf_atom_flags(u32 type, u64 attr) {
  bool array = type == SHT_INIT_ARRAY || type == SHT_FINI_ARRAY || type == SHT_PREINIT_ARRAY; /* relocated, whatever the flags say */
  return (array ? (u32)ATOM_WRITE : 0) | (attr & SHF_ALLOC ? (u32)ATOM_ALLOC : 0) | (attr & SHF_WRITE ? (u32)ATOM_WRITE : 0) |
         (attr & SHF_EXECINSTR ? (u32)ATOM_EXEC : 0) | (attr & SHF_TLS ? (u32)ATOM_TLS : 0) |
         (attr & SHF_X86_64_LARGE ? (u32)ATOM_LARGE : 0) | (type == SHT_NOBITS ? (u32)ATOM_ZEROFILL : 0);
}

void elf_format_init(Format *f, const ElfMachine *m) {
  *f = (Format){
      .name = m->format,
      .word = m->class == ELFCLASS32 ? 4 : 8,
      .machine = m,
      .rel = m->rel,
      .edges = elf_edges,
      .edge_number = elf_edge_number,
      .addend_bytes = elf_addend_bytes,
      .edge_stream = elf_edge_stream,
      .atom_name = elf_atom_name,
      .reverse_pointers = elf_reverse_pointers,
      .sym_name = elf_sym_name,
      .dynrel_size = sizeof(Elf64_Rela),
      .encode_dynrel = elf_encode_dynrel,
      .local_value = elf_local_value,
      .sym_size = elf_sym_size,
      .shared_symbol = elf_shared_symbol,
      .edge_atom = elf_edge_atom,
      .edge_ends = elf_edge_ends,
      .edge_targets = elf_edge_targets,
      .significant = elf_significant,
      .root_reason = elf_root_reason,
      .call_graph = elf_call_graph,
      .properties = elf_properties,
      .open = elf_open,
      .names = elf_names,
      .symbols = elf_symbols,
      .kinds = elf_kinds,
      .definitions = elf_definitions,
      .groups = elf_groups,
      .atoms = elf_atoms,
      .wants_execstack = elf_wants_execstack,
      .has_stack_note = elf_has_stack_note,
      .atom_flags = elf_atom_flags,
      .versioned = elf_versioned,
      .describe = elf_describe,
      .describe_symbol = elf_describe_symbol,
      .group_members = elf_group_members,
      .each_local = elf_each_local,
      .locator_open = elf_locator_open,
      .locator_find = elf_locator_find,
      .locator_close = elf_locator_close,
      .shared_name = elf_shared_name,
      .shared_version = elf_shared_version,
      .library_names = elf_library_names,
  };
  if (!m->rows) /* constants, in the functions above */
    return;
  f->edges = elf_edges_of_machine;
  f->edge_stream = elf_edge_stream_of_machine;
  f->edge_targets = elf_edge_targets_of_machine;
}
