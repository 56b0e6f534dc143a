/* elf_machine.h: what the ELF reader has to know of the CPU that a link is for: how wide its tables are, and what its
 * relocations are called and look at. Format.machine points to one of these.
 * The trap: elf_edges.c has x86-64's rows once more, as constants, for the loops that decode nearly all there is. */
#ifndef WELD_READ_ELF_MACHINE_H
#define WELD_READ_ELF_MACHINE_H

#include "core/link.h"
#include "format/elf.h"

/* A type of relocation in a relocatable object. */
typedef struct {
  u8 kind;  /* of edge, as Arch counts them */
  u8 bytes; /* that it looks at or writes */
  u8 known;
} ElfRow;

typedef struct ElfMachine {
  const char *format; /* "elf32-i386" */
  const char *cpu;    /* "i386": for messages */
  u16 machine;        /* e_machine */
  u8 class;           /* EI_CLASS; files of ELFCLASS32 are widened (read/elf_widen.h) */
  bool rel;           /* Format.rel */
  const ElfRow *rows; /* by type, 256 */
  const u8 *addends;  /* by type: bytes of the addend that a SHT_REL finds in the section, 0: it has none */
  const u8 *unwind;   /* by type: bytes of S + A or S + A - P, as tables of unwind information have them; 0: another kind */
  const u8 *debug;    /* by type: bytes of S + A, as debug information has it; 0: another kind */
} ElfMachine;

extern const ElfMachine elf_x86_64, elf_i386, elf_x32;

static inline const ElfMachine *elf_machine(const Link *l) { return l->format->machine; }

/* The machine that an ELF file is for; NULL: none that weld links for, or the file is too short to say. */
const ElfMachine *elf_machine_of(Bytes file);
/* By its name in OUTPUT_FORMAT; NULL: none of these. */
const ElfMachine *elf_machine_named(const char *format);
/* What the header says it is for, as messages have it: "i386", "machine 40", "big-endian machine 8". */
const char *elf_file_cpu(Bytes file, Arena *arena);
/* Reports when file f is for another machine than the link. */
bool elf_is_ours(Link *l, FileId f, unsigned tid);

#endif
