/* aarch64.c: the table by which the rest of weld sees AArch64 (Arm ARM; AAELF64 for the names of edges). */
#include "arch/aarch64.h"

#include "arch/aarch64_thunk.h"

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

_Static_assert(A64_COUNT <= 64, "Arch.kinds_by_symbol has 64 bits");

const Arch arch_aarch64 = {
    .name = "aarch64",
    .max_page_size = 0x4000,
    .common_page_size = 0x4000,
    .nkinds = A64_COUNT,
    .edge_bytes = edge_bytes,
    .edge_class = edge_classes,
    .edge_name = edge_name,
    .thunk_size = A64_THUNK_SIZE,
    .write_thunk = a64_write_thunk,
    .branches = a64_branches,
    .thunk = &a64_thunk,
};
