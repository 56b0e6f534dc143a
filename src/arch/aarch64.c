/* aarch64.c: the table by which the rest of weld sees AArch64 (Arm ARM; AAELF64 for the names of edges). */
#include "arch/aarch64_internal.h"

static const u8 edge_bytes[A64_COUNT] = {
#define X(kind, bits, class, name) [A64_##kind] = (bits) / 8,
    AARCH64_EDGES(X)
#undef X
};

static const u8 edge_classes[A64_COUNT] = {
#define X(kind, bits, class, name) [A64_##kind] = EC_##class,
    AARCH64_EDGES(X)
#undef X
};

static const char *const edge_names[A64_COUNT] = {
#define X(kind, bits, class, name) [A64_##kind] = name,
    AARCH64_EDGES(X)
#undef X
};

static const char *edge_name(u32 kind) { return kind < A64_COUNT ? edge_names[kind] : "an unknown relocation"; }

/* A word with an edge of this kind only transfers control. */
static bool only_branches(const Atom *a, u32 kind, u64 off) {
  (void)a, (void)off;
  return kind == A64_CALL26;
}

/* ADR makes an address near itself without an edge. */
static bool knows_itself(const Atom *a) {
  for (u64 off = 0; off + 4 <= a->size; off += 4)
    if ((rd32(a->data + off) & 0x9f000000) == 0x10000000)
      return true;
  return false;
}

static bool edge_is_absolute(u32 kind) { return edge_class(&arch_aarch64, kind) == EC_POINTER || edge_class(&arch_aarch64, kind) == EC_ABS; }

/* 26 bits that count instructions. */
static const BranchReach branches[A64_COUNT] = {
    [A64_CALL26] = {-(1 << 27), (1 << 27) - 4, 0},
};

/* adrp x16, page; add x16, x16, offset in it; br x16 */
static const ThunkEdge thunk_edges[] = {{A64_ADR_PREL_PG_HI21, 0, 0}, {A64_ADD_ABS_LO12_NC, 4, 0}};
static const ThunkShape thunk = {
    .bytes = (const u8[A64_THUNK]){0x10, 0, 0, 0x90, 0x10, 0x02, 0, 0x91, 0, 0x02, 0x1f, 0xd6}, .p2align = 2,
    .edges = thunk_edges, .nedges = COUNT_OF(thunk_edges), .back = -(1ll << 32) + 0x1000, .ahead = (1ll << 32) - 0x1001};

_Static_assert(A64_COUNT <= 64, "Arch.kinds_by_symbol has 64 bits");

const Arch arch_aarch64 = {
    .name = "aarch64",
    .also = "arm64",
    .max_page_size = 0x4000,
    .common_page_size = 0x4000,
    .nkinds = A64_COUNT,
    .edge_bytes = edge_bytes,
    .edge_class = edge_classes,
    .edge_name = edge_name,
    .only_branches = only_branches,
    .knows_itself = knows_itself,
    .edge_is_absolute = edge_is_absolute,
    .fix = a64_fix,
    .fix_range = a64_fix_range,
    .can_relax = a64_can_relax,
    .relax = a64_relax,
    .branch_reach = (1 << 27) - 4,
    .thunk_size = A64_THUNK,
    .stub_size = A64_STUB,
    .stub_helper_size = A64_STUB_HELPER,
    .stub_helper_entry_size = A64_STUB_HELPER_ENTRY,
    .objc_stub_size = A64_OBJC_STUB,
    .write_thunk = a64_write_thunk,
    .write_stub = a64_write_stub,
    .write_stub_helper = a64_write_stub_helper,
    .write_stub_helper_entry = a64_write_stub_helper_entry,
    .write_objc_stub = a64_write_objc_stub,
    .branches = branches,
    .thunk = &thunk,
};
