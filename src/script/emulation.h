/* emulation.h: what -m chooses: the parameters of a kind of output, and the default linker script that follows from them and from the
 * options. GNU ld manual, "Options", -m. */
#ifndef WELD_SCRIPT_EMULATION_H
#define WELD_SCRIPT_EMULATION_H

#include "core/options.h"
#include "util/arena.h"
#include "util/bytes.h"

typedef struct Emulation {
  const char *name;    /* "elf_x86_64" */
  const char *cpu;     /* Arch.name */
  u16 machine;         /* ELF e_machine */
  u8 word;             /* bytes of a pointer in the output's tables: 8 or 4 (ELF class) */
  bool rel;            /* relocations without addends: .rel.X, not .rela.X */
  const char *format;  /* of OUTPUT_FORMAT: "elf64-x86-64" */
  const char *arch;    /* of OUTPUT_ARCH: "i386:x86-64" */
  u64 text_start;      /* of executables with fixed addresses */
  const char *interp;  /* where the system's loader is; for documentation: links name it with -dynamic-linker */
  bool large;          /* has sections of the large code model */
} Emulation;

/* NULL: there is none of that name. */
const Emulation *emulation_named(const char *name);
/* By what OUTPUT_FORMAT and --oformat call it. */
const Emulation *emulation_of_format(const char *format);
/* The one for this object or shared library; NULL: it is neither, or for another CPU. */
const Emulation *emulation_of_object(Bytes elf);
const Emulation *emulation_default(void);

/* The linker script that is used when none with SECTIONS is given, for these options; in the arena, without a NUL. */
Bytes emulation_script(Arena *a, const Emulation *e, const Options *o);

#endif
