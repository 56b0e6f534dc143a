/* elf_hooks.h: single-question hooks of the ELF row; contracts in core/target.h. */
#ifndef WELD_READ_ELF_HOOKS_H
#define WELD_READ_ELF_HOOKS_H

#include "core/link.h"

u64 elf_local_value(const Link *l, FileId f, u32 index);
u64 elf_sym_size(const Link *l, FileId f, u32 index);
bool elf_shared_symbol(const Link *l, FileId f, u32 index, SharedSym *out);
bool elf_properties(const Link *l, FileId f, Properties *out);
/* Where offset `off` of .eh_frame atom a has moved. After layout. */
u64 elf_eh_frame_addr(const Link *l, AtomId a, u64 off);
bool elf_reverse_pointers(Link *l, AtomId a);
void elf_call_graph(Link *l, FileId f, void *ctx, CallFn *fn);
/* Symbols of the calls [first, ...) that object f's profile is of, up to cap; returns how many. Reports like elf_call_graph. */
typedef struct {
  u32 from, to;
} ElfCall;
u32 elf_calls(Link *l, FileId f, u32 first, u32 cap, ElfCall *buf);
bool elf_wants_execstack(const Link *l, FileId f);
bool elf_has_stack_note(const Link *l, FileId f);

#endif
