/* i386_internal.h: entry points of the i386 files that only i386.c's table names. */
#ifndef WELD_ARCH_I386_INTERNAL_H
#define WELD_ARCH_I386_INTERNAL_H

#include "arch/i386.h"
#include "core/link.h"

void i386_scan(Link *l, AtomRange r, unsigned tid);
void i386_apply(Link *l, const AtomId *atoms, u32 n, const ApplyOut *out, unsigned tid);
void i386_scan_edges(Link *l, AtomId a, const Edge *e, u32 n, unsigned tid);
bool i386_apply_one(Link *l, const Edge *e, u8 *place, u64 place_addr);
bool i386_edge_is_absolute(u32 kind);
bool i386_only_branches(const Atom *a, u32 kind, u64 off);
bool i386_knows_itself(const Atom *a);
void i386_relaxed(const Link *l, AtomId a, Edge *e);
void i386_write_plt(Link *l, u8 *out);
void i386_write_plt_sec(Link *l, u8 *out);
void i386_write_plt_got(Link *l, u8 *out);
const char *i386_edge_name(u32 kind);

enum { I386_PLT_HEADER = 16, I386_PLT_ENTRY = 16, I386_PLT_SEC_ENTRY = 16, I386_PLT_GOT_ENTRY = 8 };

#endif
