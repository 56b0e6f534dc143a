/* i386.c: the table by which the rest of weld sees i386 (System V ABI, Intel386 Supplement 1.1). The trap: addresses wrap at
 * 32 bits, so every distance fits and what is computed in 64 bits is cut, not checked. */
#include "arch/i386_internal.h"

static const u8 edge_bytes[I386_COUNT] = {
#define X(kind, bits, class, name) [I386_##kind] = (bits) / 8,
    I386_EDGES(X)
#undef X
};

/* What the classes of i386.def are to passes that know no CPU. */
enum {
  EC_OF_NOTHING = EC_NONE, EC_OF_WORD = EC_POINTER, EC_OF_ABS = EC_ABS, EC_OF_PC = EC_PCREL, EC_OF_PLT = EC_BRANCH, EC_OF_GOT = EC_OTHER,
  EC_OF_GOTX = EC_OTHER, EC_OF_GOTOFF = EC_OTHER, EC_OF_GOTPC = EC_OTHER, EC_OF_SIZE = EC_OTHER, EC_OF_TLSGD = EC_OTHER,
  EC_OF_TLSLD = EC_OTHER, EC_OF_DTPOFF = EC_OTHER, EC_OF_GOTTP = EC_OTHER, EC_OF_TPOFF = EC_OTHER, EC_OF_DESC = EC_OTHER,
  EC_OF_DESCCALL = EC_OTHER,
};

static const u8 edge_classes[I386_COUNT] = {
#define X(kind, bits, class, name) [I386_##kind] = EC_OF_##class,
    I386_EDGES(X)
#undef X
};

static const char *const edge_names[I386_COUNT] = {
#define X(kind, bits, class, name) [I386_##kind] = name,
    I386_EDGES(X)
#undef X
};

const char *i386_edge_name(u32 kind) { return kind < I386_COUNT ? edge_names[kind] : "an unknown relocation"; }

/* TLS variant II: the block ends, aligned, at the thread pointer. */
static i64 tp_offset(const Link *l, u64 addr) { return (i64)(addr - align_up(l->tls_end, l->tls_align ? l->tls_align : 1)); }

_Static_assert(I386_COUNT <= 64, "Arch.kinds_by_symbol has 64 bits");

const Arch arch_i386 = {
    .name = "i386",
    .also = "i686",
    .max_page_size = 0x1000,
    .common_page_size = 0x1000,
    .image_base = 0x08048000,
    .plt_header_size = I386_PLT_HEADER,
    .plt_entry_size = I386_PLT_ENTRY,
    .plt_got_entry_size = I386_PLT_GOT_ENTRY,
    .plt_sec_entry_size = I386_PLT_SEC_ENTRY,
    .got_slot_size = 4,
    .gotplt_reserved = 3,
    .fill = 0xcc,
    .fill_through = 0x90,
    .scan = i386_scan,
    .apply = i386_apply,
    .scan_edges = i386_scan_edges,
    .apply_one = i386_apply_one,
    .only_branches = i386_only_branches,
    .knows_itself = i386_knows_itself,
    .kinds_by_symbol = 1ull << I386_SIZE32,
    .special = SF_IMPORTED | SF_IFUNC | SF_ABSOLUTE | SF_UNDEFINED | SF_DISCARDED | SF_COPY,
    .special_unloaded = SF_DISCARDED | SF_UNDEFINED,
    .relaxed = i386_relaxed,
    .edge_is_absolute = i386_edge_is_absolute,
    .write_plt = i386_write_plt,
    .write_plt_sec = i386_write_plt_sec,
    .write_plt_got = i386_write_plt_got,
    .tp_offset = tp_offset,
    .tls_helper = "___tls_get_addr",
    .nkinds = I386_COUNT,
    .edge_bytes = edge_bytes,
    .edge_name = i386_edge_name,
    .edge_class = edge_classes,
};
