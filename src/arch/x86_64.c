/* x86_64.c: the table by which the rest of weld sees x86-64 (System V ABI, AMD64 Supplement 1.0). */
#include "arch/x86_64_internal.h"
#include "arch/x86_64_rules.h"

static const u8 edge_bytes[X64_COUNT] = {
#define X(kind, bits, class, name) [X64_##kind] = (bits) / 8,
    X86_64_EDGES(X)
#undef X
};

/* What the classes of x86_64.def are to passes that know no CPU. */
enum {
  EC_OF_NOTHING = EC_NONE, EC_OF_WORD = EC_POINTER, EC_OF_ABS = EC_ABS, EC_OF_PC = EC_PCREL, EC_OF_PLT = EC_BRANCH, EC_OF_PLTOFF = EC_OTHER,
  EC_OF_GOT = EC_GOT, EC_OF_GOTX = EC_GOT_LOAD, EC_OF_GOTOFF = EC_OTHER, EC_OF_GOTPC = EC_OTHER, EC_OF_SIZE = EC_OTHER, EC_OF_TLSGD = EC_OTHER,
  EC_OF_TLSLD = EC_OTHER, EC_OF_DTPOFF = EC_OTHER, EC_OF_GOTTP = EC_OTHER, EC_OF_TPOFF = EC_OTHER, EC_OF_DESC = EC_OTHER,
  EC_OF_DESCCALL = EC_OTHER, EC_OF_SUB = EC_SUBTRACT, EC_OF_TLV = EC_TLV_LOAD,
};

static const u8 edge_classes[X64_COUNT] = {
#define X(kind, bits, class, name) [X64_##kind] = EC_OF_##class,
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
    [X64_PLT32] = {INT32_MIN, INT32_MAX, -4},
    [X64_PC32] = {INT32_MIN, INT32_MAX, -4},
};

/* jmp rel32: it reaches no farther than what it stands in for, but from where it is. */
enum { THUNK_SIZE = 5 };
static const ThunkEdge thunk_edges[] = {{X64_PLT32, 1, -4}};
static const ThunkShape thunk = {
    .bytes = (const u8[THUNK_SIZE]){0xe9}, .p2align = 3, .edges = thunk_edges, .nedges = COUNT_OF(thunk_edges),
    .back = (i64)INT32_MIN + THUNK_SIZE, .ahead = (i64)INT32_MAX + THUNK_SIZE};

static bool write_thunk(u8 *out, u64 at, u64 target) {
  i64 d = (i64)(target - at) - THUNK_SIZE;
  out[0] = 0xe9;
  wr32(out + 1, (u32)d);
  return d == (i32)d;
}

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
    .got_slot_size = 8,
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
    .relaxed = x64_relaxed,
    .edge_is_absolute = x64_edge_is_absolute,
    .write_plt = x64_write_plt,
    .write_plt_sec = x64_write_plt_sec,
    .write_plt_got = x64_write_plt_got,
    .tp_offset = x64_tp_offset,
    .tls_helper = "__tls_get_addr",
    .nkinds = X64_COUNT,
    .edge_bytes = edge_bytes,
    .edge_name = x64_edge_name,
    .edge_class = edge_classes,
    .fix = x64_fix,
    .fix_range = x64_fix_range,
    .can_relax = x64_can_relax,
    .relax = x64_relax,
    .stub_size = X64_STUB,
    .stub_helper_size = X64_STUB_HELPER,
    .stub_helper_entry_size = X64_STUB_HELPER_ENTRY,
    .objc_stub_size = X64_OBJC_STUB,
    .write_stub = x64_write_stub,
    .write_stub_helper = x64_write_stub_helper,
    .write_stub_helper_entry = x64_write_stub_helper_entry,
    .write_objc_stub = x64_write_objc_stub,
    .branches = branches,
    .thunk = &thunk,
    .thunk_size = THUNK_SIZE,
    .write_thunk = write_thunk,
};
