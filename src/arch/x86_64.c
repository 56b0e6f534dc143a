/* x86_64.c: the table by which the rest of weld sees x86-64 (System V ABI, AMD64 Supplement 1.0). */
#include "arch/x86_64_internal.h"
#include "arch/x86_64_rules.h"

static const u8 edge_bytes[X64_COUNT] = {
#define X(kind, bits, class, name) [X64_##kind] = (bits) / 8,
    X86_64_EDGES(X)
#undef X
};

static const char *const edge_names[X64_COUNT] = {
#define X(kind, bits, class, name) [X64_##kind] = name,
    X86_64_EDGES(X)
#undef X
};

const char *x64_edge_name(u32 kind) {
  return kind < X64_COUNT ? edge_names[kind] : "an unknown relocation";
}

/* TLS variant II: the block ends, aligned, at the thread pointer. */
i64 x64_tp_offset(const Link *l, u64 addr) {
  return (i64)(addr - align_up(l->tls_end, l->tls_align ? l->tls_align : 1));
}

/* A call may have either kind; R_X86_64_PC32 is for data, too. */
static const BranchReach branches[X64_COUNT] = {
    [X64_PLT32] = {INT32_MIN, INT32_MAX, -4, true},
    [X64_PC32] = {INT32_MIN, INT32_MAX, -4, false},
};

/* jmp rel32: it reaches no farther than what it stands in for, but from where it is. */
static const ThunkEdge thunk_edges[] = {{X64_PLT32, 1, -4}};
static const ThunkShape thunk = {
    .bytes = (const u8[]){0xe9, 0, 0, 0, 0}, .size = 5, .p2align = 3, .edges = thunk_edges, .nedges = COUNT_OF(thunk_edges),
    .back = INT32_MIN + 5ll, .ahead = INT32_MAX + 5ll};

_Static_assert(X64_COUNT <= 64, "Arch.kinds_by_symbol has 64 bits");

const Arch arch_x86_64 = {
    .name = "x86_64",
    .max_page_size = 0x1000,
    .common_page_size = 0x1000,
    .image_base = 0x400000,
    .plt_header_size = X64_PLT_HEADER,
    .plt_entry_size = X64_PLT_ENTRY,
    .plt_got_entry_size = X64_PLT_GOT_ENTRY,
    .plt_sec_entry_size = X64_PLT_SEC_ENTRY,
    .gotplt_reserved = 3,
    .fill = 0xcc,
    .fill_through = 0x90,
    .scan = x64_scan,
    .apply = x64_apply,
    .scan_edges = x64_scan_edges,
    .apply_one = x64_apply_one,
    .only_branches = x64_only_branches,
    .knows_itself = x64_knows_itself,
    .kinds_by_symbol = 1ull << X64_SIZE32 | 1ull << X64_SIZE64,
    .special = X64_SPECIAL | SF_COPY,
    .special_unloaded = SF_DISCARDED | SF_UNDEFINED,
    .edge_is_absolute = x64_edge_is_absolute,
    .write_plt = x64_write_plt,
    .write_plt_sec = x64_write_plt_sec,
    .write_plt_got = x64_write_plt_got,
    .tp_offset = x64_tp_offset,
    .tls_helper = "__tls_get_addr",
    .nkinds = X64_COUNT,
    .edge_bytes = edge_bytes,
    .edge_name = x64_edge_name,
    .branches = branches,
    .thunk = &thunk,
};
