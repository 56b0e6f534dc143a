/* elf.h: ELF's on-disk structs and constants: the system's <elf.h>, its structs again without alignment
 * (archive members stand at odd addresses), and the numbers that an older <elf.h> lacks. */
#ifndef WELD_FORMAT_ELF_H
#define WELD_FORMAT_ELF_H

#include <elf.h>

#include "util/base.h"

typedef Elf64_Ehdr ElfEhdr __attribute__((aligned(1)));
typedef Elf64_Shdr ElfShdr __attribute__((aligned(1)));
typedef Elf64_Sym ElfSym __attribute__((aligned(1)));
typedef Elf64_Rela ElfRela __attribute__((aligned(1)));
typedef Elf64_Rel ElfRel __attribute__((aligned(1)));
typedef Elf64_Dyn ElfDyn __attribute__((aligned(1)));
typedef Elf64_Chdr ElfChdr __attribute__((aligned(1)));
typedef Elf64_Nhdr ElfNhdr __attribute__((aligned(1)));
typedef Elf64_Verdef ElfVerdef __attribute__((aligned(1)));
typedef Elf64_Verdaux ElfVerdaux __attribute__((aligned(1)));
typedef Elf64_Verneed ElfVerneed __attribute__((aligned(1)));
typedef Elf64_Vernaux ElfVernaux __attribute__((aligned(1)));
typedef u32 u32_unaligned __attribute__((aligned(1)));
typedef u16 u16_unaligned __attribute__((aligned(1)));

#ifndef SHT_X86_64_UNWIND
#define SHT_X86_64_UNWIND 0x70000001
#endif
#ifndef SHF_X86_64_LARGE
#define SHF_X86_64_LARGE 0x10000000
#endif
#ifndef SHN_X86_64_LCOMMON
#define SHN_X86_64_LCOMMON 0xff02
#endif
#ifndef SHF_GNU_RETAIN
#define SHF_GNU_RETAIN (1 << 21)
#endif
#ifndef SHT_RELR
#define SHT_RELR 19
#define DT_RELRSZ 35
#define DT_RELR 36
#define DT_RELRENT 37
#endif
#ifndef ELFCOMPRESS_ZSTD
#define ELFCOMPRESS_ZSTD 2
#endif
#ifndef SHT_LLVM_ADDRSIG
#define SHT_LLVM_ADDRSIG 0x6fff4c03
#endif
#ifndef SHT_LLVM_CALL_GRAPH_PROFILE
#define SHT_LLVM_CALL_GRAPH_PROFILE 0x6fff4c09
#endif
#ifndef SHT_LLVM_BITCODE
#define SHT_LLVM_BITCODE 0x6fff4c0c
#endif

#endif
