/* elf_machine.c: see elf_machine.h. The trap: x86-64 with 32-bit pointers has the machine number of x86-64; only the class of the
 * file tells the two apart. */
#include "read/elf_machine.h"

#include "arch/i386.def"
#include "arch/x86_64.def"
#include "format/elf_i386.def"
#include "format/elf_x86_64.def"
#include "read/elf.h"

/* ---- i386 ---- */

enum {
#define X(kind, bits, class, name) I386_##kind,
  I386_EDGES(X)
#undef X
};
enum {
#define X(kind, bits, class, name) I386_BYTES_##kind = (bits) / 8,
  I386_EDGES(X)
#undef X
};

static const ElfRow i386_rows[256] = {
#define X(number, kind) [number] = {I386_##kind, I386_BYTES_##kind, 1},
    ELF_I386_EDGES(X)
#undef X
};
/* The call that R_386_TLS_DESC_CALL marks is no field. */
static const u8 i386_addends[256] = {
#define X(number, kind) [number] = I386_##kind == I386_TLS_DESC_CALL ? 0 : I386_BYTES_##kind,
    ELF_I386_EDGES(X)
#undef X
};
static const u8 i386_unwind[256] = {[R_386_32] = 4, [R_386_PC32] = 4};
static const u8 i386_debug[256] = {[R_386_32] = 4, [R_386_TLS_LDO_32] = 4};

const ElfMachine elf_i386 = {
    .format = "elf32-i386",
    .cpu = "i386",
    .machine = EM_386,
    .class = ELFCLASS32,
    .rel = true,
    .rows = i386_rows,
    .addends = i386_addends,
    .unwind = i386_unwind,
    .debug = i386_debug,
};

/* ---- x86-64 ---- */

static const u8 x86_64_unwind[256] = {[R_X86_64_PC32] = 4, [R_X86_64_PC64] = 8, [R_X86_64_32] = 4, [R_X86_64_64] = 8};
static const u8 x86_64_debug[256] = {
    [R_X86_64_64] = 8, [R_X86_64_32] = 4, [R_X86_64_32S] = 4, [R_X86_64_DTPOFF64] = 8, [R_X86_64_DTPOFF32] = 4};

const ElfMachine elf_x86_64 = {
    .format = "elf64-x86-64",
    .cpu = "x86_64",
    .machine = EM_X86_64,
    .class = ELFCLASS64,
    .unwind = x86_64_unwind,
    .debug = x86_64_debug,
};

/* ---- x86-64 with 32-bit pointers ---- */

enum {
#define X(kind, bits, class, name) X64_##kind,
  X86_64_EDGES(X)
#undef X
};
enum {
#define X(kind, bits, class, name) X64_BYTES_##kind = (bits) / 8,
  X86_64_EDGES(X)
#undef X
};

static const ElfRow x32_rows[256] = {
#define X(number, kind) [number] = {number == R_X86_64_32 ? X64_WORD32 : X64_##kind, X64_BYTES_##kind, 1},
    ELF_X86_64_EDGES(X)
#undef X
};
static const u8 x32_addends[256] = {
#define X(number, kind) [number] = X64_##kind == X64_TLSDESC_CALL ? 0 : X64_BYTES_##kind,
    ELF_X86_64_EDGES(X)
#undef X
};

const ElfMachine elf_x32 = {
    .format = "elf32-x86-64",
    .cpu = "x32 (x86_64 with 32-bit pointers)",
    .machine = EM_X86_64,
    .class = ELFCLASS32,
    .rows = x32_rows,
    .addends = x32_addends,
    .unwind = x86_64_unwind,
    .debug = x86_64_debug,
};

/* ---- whose file is it? ---- */

static const ElfMachine *const machines[] = {&elf_x86_64, &elf_i386, &elf_x32};

enum { HEADER_BEGIN = 20 }; /* ident, e_type, e_machine: alike in both classes */

const ElfMachine *elf_machine_of(Bytes file) {
  Bytes b;
  if (!bytes_slice(file, 0, HEADER_BEGIN, &b) || b.p[EI_DATA] != ELFDATA2LSB)
    return NULL;
  for (u32 i = 0; i < COUNT_OF(machines); i++)
    if (machines[i]->machine == rd16(b.p + 18) && machines[i]->class == b.p[EI_CLASS])
      return machines[i];
  return NULL;
}

const ElfMachine *elf_machine_named(const char *format) {
  for (u32 i = 0; i < COUNT_OF(machines); i++)
    if (streq(machines[i]->format, format))
      return machines[i];
  return NULL;
}

const char *elf_file_cpu(Bytes file, Arena *arena) {
  static const struct {
    u16 machine;
    u8 class;
    const char *name;
  } others[] = {
      {EM_386, ELFCLASS64, "i386 with 64-bit headers"},
      {EM_IAMCU, ELFCLASS32, "iamcu"},
      {EM_AARCH64, ELFCLASS64, "aarch64"},
      {EM_ARM, ELFCLASS32, "arm"},
      {EM_RISCV, ELFCLASS64, "riscv64"},
      {EM_RISCV, ELFCLASS32, "riscv32"},
      {EM_PPC, ELFCLASS32, "ppc"},
      {EM_PPC64, ELFCLASS64, "ppc64"},
      {EM_S390, ELFCLASS64, "s390x"},
      {EM_MIPS, ELFCLASS32, "mips"},
      {EM_MIPS, ELFCLASS64, "mips64"},
  };
  const ElfMachine *m = elf_machine_of(file);
  if (m)
    return m->cpu;
  if (file.len < HEADER_BEGIN)
    return "no machine";
  bool big = file.p[EI_DATA] == ELFDATA2MSB;
  u32 number = big ? (u32)file.p[18] << 8 | file.p[19] : rd16(file.p + 18);
  const char *end = big ? " (big endian)" : "";
  for (u32 i = 0; i < COUNT_OF(others); i++)
    if (others[i].machine == number && others[i].class == file.p[EI_CLASS])
      return arena_printf(arena, "%s%s", others[i].name, end);
  return arena_printf(arena, "machine %u of class %u%s", number, file.p[EI_CLASS], end);
}

bool elf_is_ours(Link *l, FileId f, unsigned tid) {
  Bytes data = file_at(l, f)->data;
  if (data.len < HEADER_BEGIN)
    return elf_bad(l, f, data.len, "file ends inside the ELF header");
  if (elf_machine_of(data) == elf_machine(l))
    return true;
  return elf_bad(l, f, offsetof(ElfEhdr, e_machine), "is for %s, this link is for %s", elf_file_cpu(data, &l->scratch[tid]),
                 elf_machine(l)->cpu);
}
