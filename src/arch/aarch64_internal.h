/* aarch64_internal.h: entry points of the AArch64 files that only aarch64.c's table names. */
#ifndef WELD_ARCH_AARCH64_INTERNAL_H
#define WELD_ARCH_AARCH64_INTERNAL_H

#include "arch/aarch64.h"

FixResult a64_fix(u32 kind, u8 *place, u64 P, u64 S, i64 A, i64 *value);
void a64_fix_range(u32 kind, i64 *min, i64 *max);
bool a64_can_relax(u32 kind, const u8 *bytes, u64 size, u64 off, u16 *as);
void a64_relax(u32 kind, u8 *place);
bool a64_write_thunk(u8 *out, u64 at, u64 target);
bool a64_write_stub(u8 *out, u64 at, u64 pointer);
bool a64_write_stub_helper(u8 *out, u64 at, u64 loader_data, u64 binder);
bool a64_write_stub_helper_entry(u8 *out, u64 at, u64 helper, u32 number);
bool a64_write_objc_stub(u8 *out, u64 at, u64 selector, u64 send);

enum { A64_THUNK = 12, A64_STUB = 12, A64_STUB_HELPER = 24, A64_STUB_HELPER_ENTRY = 12, A64_OBJC_STUB = 32 };

#endif
