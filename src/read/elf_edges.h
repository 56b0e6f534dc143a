/* elf_edges.h: the ELF row's hooks for relocations; contracts in core/target.h. */
#ifndef WELD_READ_ELF_EDGES_H
#define WELD_READ_ELF_EDGES_H

#include "core/link.h"

u32 elf_edge_number(const Link *l, u32 kind);
u32 elf_addend_bytes(const Link *l, u32 kind);
u32 elf_edges(const Link *l, EdgeCursor *c, Edge *buf);
u32 elf_edge_stream(const Link *l, EdgeStream *s);
u32 elf_edge_targets(const Link *l, AtomId a, u32 *next, u32 end, EdgeTarget *buf);
/* The same for any machine, by Format.machine. */
u32 elf_edges_of_machine(const Link *l, EdgeCursor *c, Edge *buf);
u32 elf_edge_stream_of_machine(const Link *l, EdgeStream *s);
u32 elf_edge_targets_of_machine(const Link *l, AtomId a, u32 *next, u32 end, EdgeTarget *buf);
AtomId elf_edge_atom(const Link *l, FileId f, const Edge *e, i64 *off);
void elf_encode_dynrel(const Link *l, const DynRel *r, u8 *out);

/* elf_edges() of an atom without relocations. */
u32 elf_table_edges(const Link *l, EdgeCursor *c, Edge *buf);

#endif
