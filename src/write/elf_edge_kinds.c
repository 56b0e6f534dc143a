/* elf_edge_kinds.c: see elf_edge_kinds.h. The trap: rows of the .def files are in order of ELF's numbers, kinds in that of the CPU. */
#include "write/elf_edge_kinds.h"

#include "arch/i386.def"
#include "arch/x86_64.def"
#include "format/elf.h"
#include "format/elf_i386.def"
#include "format/elf_x86_64.def"

enum {
#define X(kind, bits, class, name) KIND_##kind,
  X86_64_EDGES(X)
#undef X
};
static const u16 numbers_x86_64[] = {
#define X(number, kind) [KIND_##kind] = (number) + 1,
    ELF_X86_64_EDGES(X)
#undef X
};
static const bool is_tls_x86_64[COUNT_OF(numbers_x86_64)] = {
    [KIND_TLSGD] = true,           [KIND_TLSLD] = true,           [KIND_DTPOFF32] = true,      [KIND_DTPOFF64] = true,
    [KIND_GOTTPOFF] = true,        [KIND_TPOFF32] = true,         [KIND_TPOFF64] = true,       [KIND_GOTPC32_TLSDESC] = true,
    [KIND_TLSDESC_CALL] = true,    [KIND_CODE_4_GOTTPOFF] = true, [KIND_CODE_5_GOTTPOFF] = true, [KIND_CODE_6_GOTTPOFF] = true,
    [KIND_CODE_4_GOTPC32_TLSDESC] = true, [KIND_CODE_5_GOTPC32_TLSDESC] = true, [KIND_CODE_6_GOTPC32_TLSDESC] = true,
};

enum {
#define X(kind, bits, class, name) I386_##kind,
  I386_EDGES(X)
#undef X
};
static const u16 numbers_i386[] = {
#define X(number, kind) [I386_##kind] = (number) + 1,
    ELF_I386_EDGES(X)
#undef X
};
static const bool is_tls_i386[COUNT_OF(numbers_i386)] = {
    [I386_TLS_GD] = true,    [I386_TLS_LDM] = true, [I386_TLS_LDO_32] = true, [I386_TLS_IE] = true,      [I386_TLS_GOTIE] = true,
    [I386_TLS_IE_32] = true, [I386_TLS_LE] = true,  [I386_TLS_LE_32] = true,  [I386_TLS_GOTDESC] = true, [I386_TLS_DESC_CALL] = true,
};
static const u8 fields_i386[COUNT_OF(numbers_i386)] = {
#define X(kind, bits, class, name) [I386_##kind] = I386_##kind == I386_TLS_DESC_CALL ? 0 : (bits) / 8, /* it marks an instruction */
    I386_EDGES(X)
#undef X
};

static const ElfEdgeKinds all[] = {
    {"x86_64", EM_X86_64, COUNT_OF(numbers_x86_64), numbers_x86_64, is_tls_x86_64, NULL},
    {"i386", EM_386, COUNT_OF(numbers_i386), numbers_i386, is_tls_i386, fields_i386},
};

const ElfEdgeKinds *elf_edge_kinds(const Link *l) {
  for (u32 i = 0; i < COUNT_OF(all); i++)
    if (streq(all[i].arch, l->arch->name))
      return &all[i];
  return NULL;
}
