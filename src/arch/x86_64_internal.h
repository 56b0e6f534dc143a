/* x86_64_internal.h: entry points of the x86-64 files that only x86_64.c's table names. */
#ifndef WELD_ARCH_X86_64_INTERNAL_H
#define WELD_ARCH_X86_64_INTERNAL_H

#include "arch/x86_64.h"
#include "core/link.h"

void x64_scan(Link *l, AtomRange range, unsigned tid);
void x64_apply(Link *l, const AtomId *atoms, u32 n, const ApplyOut *out, unsigned tid);
void x64_scan_edges(Link *l, AtomId a, const Edge *e, u32 n, unsigned tid);
bool x64_apply_one(Link *l, const Edge *e, u8 *place, u64 place_addr);
bool x64_edge_is_absolute(u32 kind);
bool x64_only_branches(const Atom *a, u32 kind, u64 off);
bool x64_knows_itself(const Atom *a);
void x64_relaxed(const Link *l, AtomId a, Edge *e);
void x64_write_plt(Link *l, u8 *out);
void x64_write_plt_sec(Link *l, u8 *out);
void x64_write_plt_got(Link *l, u8 *out);
i64 x64_tp_offset(const Link *l, u64 addr);
const char *x64_edge_name(u32 kind);
FixResult x64_fix(u32 kind, u8 *place, u64 P, u64 S, i64 A, i64 *value);
void x64_fix_range(u32 kind, i64 *min, i64 *max);
bool x64_can_relax(u32 kind, const u8 *bytes, u64 size, u64 off, u16 *as);
void x64_relax(u32 kind, u8 *place);
bool x64_write_stub(u8 *out, u64 at, u64 pointer);
bool x64_write_stub_helper(u8 *out, u64 at, u64 loader_data, u64 binder);
bool x64_write_stub_helper_entry(u8 *out, u64 at, u64 helper, u32 number);
bool x64_write_objc_stub(u8 *out, u64 at, u64 selector, u64 send);

enum { X64_PLT_HEADER = 16, X64_PLT_ENTRY = 16, X64_PLT_SEC_ENTRY = 16, X64_PLT_GOT_ENTRY = 8 };
enum { X64_STUB = 6, X64_STUB_HELPER = 16, X64_STUB_HELPER_ENTRY = 10, X64_OBJC_STUB = 13 };

#endif
