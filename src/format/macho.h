/* macho.h: Mach-O's on-disk structs and constants (Apple, "Mach-O File Format Reference"; mach-o/loader.h, nlist.h,
 * reloc.h, fat.h, compact_unwind_encoding.h, fixup-chains.h; codesign's blobs). Fields and constants have the names that
 * those give them.
 * The trap: everything is little endian but fat headers and the blobs of a code signature, which are big endian (be32,
 * be64); and structs may stand at any address of a file, so all of them are unaligned here. */
#ifndef WELD_FORMAT_MACHO_H
#define WELD_FORMAT_MACHO_H

#include "util/base.h"
#include "util/bytes.h"

#define MACHO_STRUCT __attribute__((packed))

static inline u32 be32(const void *p) { return __builtin_bswap32(rd32(p)); }
static inline u64 be64(const void *p) { return __builtin_bswap64(rd64(p)); }
static inline void wr_be32(void *p, u32 v) { wr32(p, __builtin_bswap32(v)); }
static inline void wr_be64(void *p, u64 v) { wr64(p, __builtin_bswap64(v)); }

/* ---- fat files: several images, one for each CPU (mach-o/fat.h); big endian ---- */

#define FAT_MAGIC 0xcafebabeu /* as be32() reads it; a Java class begins alike, and has a "number of slices" above 30 */
#define FAT_MAGIC_64 0xcafebabfu
/* struct fat_header: magic, nfat_arch. Then nfat_arch of these: */
enum {
  FAT_HEADER_SIZE = 8,
  FAT_ARCH_SIZE = 20,    /* cputype, cpusubtype, offset, size, align: 32 bits each */
  FAT_ARCH_64_SIZE = 32, /* cputype, cpusubtype: 32 bits; offset, size: 64; align, reserved: 32 */
};

/* ---- header ---- */

#define MH_MAGIC 0xfeedfaceu
#define MH_CIGAM 0xcefaedfeu
#define MH_MAGIC_64 0xfeedfacfu
#define MH_CIGAM_64 0xcffaedfeu

typedef struct MACHO_STRUCT {
  u32 magic, cputype, cpusubtype, filetype, ncmds, sizeofcmds, flags, reserved;
} MachHeader64;

#define CPU_ARCH_ABI64 0x01000000u
#define CPU_ARCH_ABI64_32 0x02000000u
#define CPU_TYPE_I386 7u
#define CPU_TYPE_ARM 12u
#define CPU_TYPE_POWERPC 18u
#define CPU_TYPE_X86_64 (CPU_TYPE_I386 | CPU_ARCH_ABI64)
#define CPU_TYPE_ARM64 (CPU_TYPE_ARM | CPU_ARCH_ABI64)
#define CPU_TYPE_ARM64_32 (CPU_TYPE_ARM | CPU_ARCH_ABI64_32)
#define CPU_SUBTYPE_MASK 0xff000000u /* capability bits above the subtype */
#define CPU_SUBTYPE_LIB64 0x80000000u
#define CPU_SUBTYPE_X86_64_ALL 3u
#define CPU_SUBTYPE_X86_64_H 8u
#define CPU_SUBTYPE_ARM64_ALL 0u
#define CPU_SUBTYPE_ARM64_V8 1u
#define CPU_SUBTYPE_ARM64E 2u

enum { /* filetype */
  MH_OBJECT = 1, MH_EXECUTE, MH_FVMLIB, MH_CORE, MH_PRELOAD, MH_DYLIB, MH_DYLINKER, MH_BUNDLE, MH_DYLIB_STUB, MH_DSYM,
  MH_KEXT_BUNDLE, MH_FILESET,
};

#define MH_NOUNDEFS 0x1u
#define MH_INCRLINK 0x2u
#define MH_DYLDLINK 0x4u
#define MH_BINDATLOAD 0x8u
#define MH_PREBOUND 0x10u
#define MH_SPLIT_SEGS 0x20u
#define MH_TWOLEVEL 0x80u
#define MH_FORCE_FLAT 0x100u
#define MH_NOMULTIDEFS 0x200u
#define MH_NOFIXPREBINDING 0x400u
#define MH_SUBSECTIONS_VIA_SYMBOLS 0x2000u
#define MH_WEAK_DEFINES 0x8000u
#define MH_BINDS_TO_WEAK 0x10000u
#define MH_ALLOW_STACK_EXECUTION 0x20000u
#define MH_ROOT_SAFE 0x40000u
#define MH_SETUID_SAFE 0x80000u
#define MH_NO_REEXPORTED_DYLIBS 0x100000u
#define MH_PIE 0x200000u
#define MH_DEAD_STRIPPABLE_DYLIB 0x400000u
#define MH_HAS_TLV_DESCRIPTORS 0x800000u
#define MH_NO_HEAP_EXECUTION 0x1000000u
#define MH_APP_EXTENSION_SAFE 0x2000000u
#define MH_NLIST_OUTOFSYNC_WITH_DYLDINFO 0x4000000u
#define MH_SIM_SUPPORT 0x8000000u
#define MH_DYLIB_IN_CACHE 0x80000000u

/* ---- load commands ---- */

typedef struct MACHO_STRUCT { u32 cmd, cmdsize; } LoadCommand;

#define LC_REQ_DYLD 0x80000000u /* a dynamic linker that does not know the command must refuse the file */
#define LC_SEGMENT 0x1u
#define LC_SYMTAB 0x2u
#define LC_THREAD 0x4u
#define LC_UNIXTHREAD 0x5u
#define LC_DYSYMTAB 0xbu
#define LC_LOAD_DYLIB 0xcu
#define LC_ID_DYLIB 0xdu
#define LC_LOAD_DYLINKER 0xeu
#define LC_ID_DYLINKER 0xfu
#define LC_ROUTINES 0x11u
#define LC_SUB_FRAMEWORK 0x12u
#define LC_SUB_UMBRELLA 0x13u
#define LC_SUB_CLIENT 0x14u
#define LC_SUB_LIBRARY 0x15u
#define LC_TWOLEVEL_HINTS 0x16u
#define LC_LOAD_WEAK_DYLIB (0x18u | LC_REQ_DYLD)
#define LC_SEGMENT_64 0x19u
#define LC_ROUTINES_64 0x1au
#define LC_UUID 0x1bu
#define LC_RPATH (0x1cu | LC_REQ_DYLD)
#define LC_CODE_SIGNATURE 0x1du
#define LC_SEGMENT_SPLIT_INFO 0x1eu
#define LC_REEXPORT_DYLIB (0x1fu | LC_REQ_DYLD)
#define LC_LAZY_LOAD_DYLIB 0x20u
#define LC_ENCRYPTION_INFO 0x21u
#define LC_DYLD_INFO 0x22u
#define LC_DYLD_INFO_ONLY (0x22u | LC_REQ_DYLD)
#define LC_LOAD_UPWARD_DYLIB (0x23u | LC_REQ_DYLD)
#define LC_VERSION_MIN_MACOSX 0x24u
#define LC_VERSION_MIN_IPHONEOS 0x25u
#define LC_FUNCTION_STARTS 0x26u
#define LC_DYLD_ENVIRONMENT 0x27u
#define LC_MAIN (0x28u | LC_REQ_DYLD)
#define LC_DATA_IN_CODE 0x29u
#define LC_SOURCE_VERSION 0x2au
#define LC_DYLIB_CODE_SIGN_DRS 0x2bu
#define LC_ENCRYPTION_INFO_64 0x2cu
#define LC_LINKER_OPTION 0x2du
#define LC_LINKER_OPTIMIZATION_HINT 0x2eu
#define LC_VERSION_MIN_TVOS 0x2fu
#define LC_VERSION_MIN_WATCHOS 0x30u
#define LC_NOTE 0x31u
#define LC_BUILD_VERSION 0x32u
#define LC_DYLD_EXPORTS_TRIE (0x33u | LC_REQ_DYLD)
#define LC_DYLD_CHAINED_FIXUPS (0x34u | LC_REQ_DYLD)
#define LC_FILESET_ENTRY (0x35u | LC_REQ_DYLD)

typedef struct MACHO_STRUCT {
  u32 cmd, cmdsize;
  char segname[16]; /* not NUL-ended when it has 16 letters */
  u64 vmaddr, vmsize, fileoff, filesize;
  u32 maxprot, initprot, nsects, flags;
} SegmentCommand64;

#define VM_PROT_READ 1u
#define VM_PROT_WRITE 2u
#define VM_PROT_EXECUTE 4u
#define SG_NORELOC 0x4u
#define SG_READ_ONLY 0x10u /* dyld makes it so after it has fixed it up (__DATA_CONST) */

typedef struct MACHO_STRUCT {
  char sectname[16], segname[16];
  u64 addr, size;
  u32 offset, align; /* align: log2 */
  u32 reloff, nreloc, flags, reserved1, reserved2, reserved3;
} MachSection64;

#define SECTION_TYPE 0x000000ffu
#define SECTION_ATTRIBUTES 0xffffff00u
enum { /* flags & SECTION_TYPE */
  S_REGULAR, S_ZEROFILL, S_CSTRING_LITERALS, S_4BYTE_LITERALS, S_8BYTE_LITERALS, S_LITERAL_POINTERS,
  S_NON_LAZY_SYMBOL_POINTERS, S_LAZY_SYMBOL_POINTERS, S_SYMBOL_STUBS, S_MOD_INIT_FUNC_POINTERS,
  S_MOD_TERM_FUNC_POINTERS, S_COALESCED, S_GB_ZEROFILL, S_INTERPOSING, S_16BYTE_LITERALS, S_DTRACE_DOF,
  S_LAZY_DYLIB_SYMBOL_POINTERS, S_THREAD_LOCAL_REGULAR, S_THREAD_LOCAL_ZEROFILL, S_THREAD_LOCAL_VARIABLES,
  S_THREAD_LOCAL_VARIABLE_POINTERS, S_THREAD_LOCAL_INIT_FUNCTION_POINTERS, S_INIT_FUNC_OFFSETS,
};
#define S_ATTR_PURE_INSTRUCTIONS 0x80000000u
#define S_ATTR_NO_TOC 0x40000000u
#define S_ATTR_STRIP_STATIC_SYMS 0x20000000u
#define S_ATTR_NO_DEAD_STRIP 0x10000000u
#define S_ATTR_LIVE_SUPPORT 0x08000000u
#define S_ATTR_SELF_MODIFYING_CODE 0x04000000u
#define S_ATTR_DEBUG 0x02000000u
#define S_ATTR_SOME_INSTRUCTIONS 0x00000400u
#define S_ATTR_EXT_RELOC 0x00000200u
#define S_ATTR_LOC_RELOC 0x00000100u
#define INDIRECT_SYMBOL_LOCAL 0x80000000u
#define INDIRECT_SYMBOL_ABS 0x40000000u

typedef struct MACHO_STRUCT { u32 cmd, cmdsize, symoff, nsyms, stroff, strsize; } SymtabCommand;

typedef struct MACHO_STRUCT {
  u32 cmd, cmdsize, ilocalsym, nlocalsym, iextdefsym, nextdefsym, iundefsym, nundefsym, tocoff, ntoc, modtaboff, nmodtab,
      extrefsymoff, nextrefsyms, indirectsymoff, nindirectsyms, extreloff, nextrel, locreloff, nlocrel;
} DysymtabCommand;

/* LC_CODE_SIGNATURE, LC_FUNCTION_STARTS, LC_DATA_IN_CODE, LC_LINKER_OPTIMIZATION_HINT, LC_DYLD_EXPORTS_TRIE, ... */
typedef struct MACHO_STRUCT { u32 cmd, cmdsize, dataoff, datasize; } LinkeditDataCommand;

typedef struct MACHO_STRUCT {
  u32 cmd, cmdsize, rebase_off, rebase_size, bind_off, bind_size, weak_bind_off, weak_bind_size, lazy_bind_off,
      lazy_bind_size, export_off, export_size;
} DyldInfoCommand;

/* LC_ID_DYLIB, LC_LOAD_DYLIB and kin; `name`: offset of the string from the start of the command. */
typedef struct MACHO_STRUCT { u32 cmd, cmdsize, name, timestamp, current_version, compatibility_version; } DylibCommand;

/* One string: LC_LOAD_DYLINKER, LC_RPATH, LC_SUB_*: an offset from the start of the command. */
typedef struct MACHO_STRUCT { u32 cmd, cmdsize, name; } StringCommand;

typedef struct MACHO_STRUCT { u32 cmd, cmdsize; u8 uuid[16]; } UuidCommand;
typedef struct MACHO_STRUCT { u32 cmd, cmdsize; u64 entryoff, stacksize; } EntryPointCommand;
typedef struct MACHO_STRUCT { u32 cmd, cmdsize; u64 version; } SourceVersionCommand; /* a.b.c.d.e: 24, 10, 10, 10, 10 bits */
typedef struct MACHO_STRUCT { u32 cmd, cmdsize, version, sdk; } VersionMinCommand;   /* X.Y.Z: 16, 8, 8 bits */
typedef struct MACHO_STRUCT { u32 cmd, cmdsize, platform, minos, sdk, ntools; } BuildVersionCommand;
typedef struct MACHO_STRUCT { u32 tool, version; } BuildToolVersion;
typedef struct MACHO_STRUCT { u32 cmd, cmdsize, count; } LinkerOptionCommand; /* then `count` NUL-ended strings */

enum { /* platform */
  PLATFORM_MACOS = 1, PLATFORM_IOS, PLATFORM_TVOS, PLATFORM_WATCHOS, PLATFORM_BRIDGEOS, PLATFORM_MACCATALYST,
  PLATFORM_IOSSIMULATOR, PLATFORM_TVOSSIMULATOR, PLATFORM_WATCHOSSIMULATOR, PLATFORM_DRIVERKIT, PLATFORM_XROS,
  PLATFORM_XROS_SIMULATOR,
};
enum { TOOL_CLANG = 1, TOOL_SWIFT, TOOL_LD, TOOL_LLD };

typedef struct MACHO_STRUCT { u32 offset; u16 length, kind; } DataInCodeEntry;
enum { DICE_KIND_DATA = 1, DICE_KIND_JUMP_TABLE8, DICE_KIND_JUMP_TABLE16, DICE_KIND_JUMP_TABLE32, DICE_KIND_ABS_JUMP_TABLE32 };

/* LC_LINKER_OPTIMIZATION_HINT: records of ULEB128 numbers: kind, count, `count` addresses. */
enum {
  LOH_ARM64_ADRP_ADRP = 1, LOH_ARM64_ADRP_LDR, LOH_ARM64_ADRP_ADD_LDR, LOH_ARM64_ADRP_LDR_GOT_LDR, LOH_ARM64_ADRP_ADD_STR,
  LOH_ARM64_ADRP_LDR_GOT_STR, LOH_ARM64_ADRP_ADD, LOH_ARM64_ADRP_LDR_GOT,
};

/* ---- symbols (mach-o/nlist.h, stab.h) ---- */

typedef struct MACHO_STRUCT {
  u32 n_strx;
  u8 n_type, n_sect; /* n_sect: from 1 on */
  u16 n_desc;
  u64 n_value;
} Nlist64;

#define N_STAB 0xe0u /* any of these bits: the type is one of the N_ below */
#define N_PEXT 0x10u
#define N_TYPE 0x0eu
#define N_EXT 0x01u
enum { N_UNDF = 0, N_ABS = 2, N_INDR = 10, N_PBUD = 12, N_SECT = 14 }; /* n_type & N_TYPE */
enum { NO_SECT = 0, MAX_SECT = 255 };
enum {
  N_GSYM = 0x20, N_FUN = 0x24, N_STSYM = 0x26, N_BNSYM = 0x2e, N_AST = 0x32, N_OPT = 0x3c, N_SO = 0x64, N_OSO = 0x66,
  N_SOL = 0x84, N_ENSYM = 0x4e,
};

#define N_NO_DEAD_STRIP 0x20u /* object */
#define N_DESC_DISCARDED 0x20u /* image */
#define N_WEAK_REF 0x40u
#define N_WEAK_DEF 0x80u /* of an undefined symbol of an image: N_REF_TO_WEAK */
#define N_REF_TO_WEAK 0x80u
#define N_ARM_THUMB_DEF 0x8u
#define N_SYMBOL_RESOLVER 0x100u
#define N_ALT_ENTRY 0x200u
#define N_COLD_FUNC 0x400u
#define REFERENCE_TYPE 0x7u
#define REFERENCED_DYNAMICALLY 0x10u
#define MACHO_COMMON_ALIGN(desc) ((desc) >> 8 & 0xf) /* GET_COMM_ALIGN: log2 of the alignment of a tentative definition */
#define MACHO_LIBRARY_ORDINAL(desc) ((desc) >> 8 & 0xff)
enum { SELF_LIBRARY_ORDINAL = 0, MAX_LIBRARY_ORDINAL = 0xfd, DYNAMIC_LOOKUP_ORDINAL = 0xfe, EXECUTABLE_ORDINAL = 0xff };

/* ---- relocations (mach-o/reloc.h, x86_64/reloc.h, arm64/reloc.h) ---- */

typedef struct MACHO_STRUCT {
  u32 r_address; /* in the section; R_SCATTERED: see r_info's meaning there */
  u32 r_info;    /* r_symbolnum : 24, r_pcrel : 1, r_length : 2, r_extern : 1, r_type : 4 */
} RelocationInfo;
#define R_SCATTERED 0x80000000u
#define R_SYMBOLNUM(info) ((info)&0xffffff)
#define R_PCREL(info) ((info) >> 24 & 1)
#define R_LENGTH(info) ((info) >> 25 & 3) /* log2 of the bytes */
#define R_EXTERN(info) ((info) >> 27 & 1)
#define R_TYPE(info) ((info) >> 28)

enum {
  X86_64_RELOC_UNSIGNED, X86_64_RELOC_SIGNED, X86_64_RELOC_BRANCH, X86_64_RELOC_GOT_LOAD, X86_64_RELOC_GOT,
  X86_64_RELOC_SUBTRACTOR, X86_64_RELOC_SIGNED_1, X86_64_RELOC_SIGNED_2, X86_64_RELOC_SIGNED_4, X86_64_RELOC_TLV,
};
enum {
  ARM64_RELOC_UNSIGNED, ARM64_RELOC_SUBTRACTOR, ARM64_RELOC_BRANCH26, ARM64_RELOC_PAGE21, ARM64_RELOC_PAGEOFF12,
  ARM64_RELOC_GOT_LOAD_PAGE21, ARM64_RELOC_GOT_LOAD_PAGEOFF12, ARM64_RELOC_POINTER_TO_GOT, ARM64_RELOC_TLVP_LOAD_PAGE21,
  ARM64_RELOC_TLVP_LOAD_PAGEOFF12, ARM64_RELOC_ADDEND, ARM64_RELOC_AUTHENTICATED_POINTER,
};

/* ---- unwinding (mach-o/compact_unwind_encoding.h) ---- */

/* One entry of an object's __LD,__compact_unwind. */
typedef struct MACHO_STRUCT {
  u64 function; /* relocated */
  u32 length, encoding;
  u64 personality, lsda; /* relocated, or 0 */
} CompactUnwindEntry;

#define UNWIND_IS_NOT_FUNCTION_START 0x80000000u
#define UNWIND_HAS_LSDA 0x40000000u
#define UNWIND_PERSONALITY_MASK 0x30000000u
#define UNWIND_MODE_MASK 0x0f000000u
#define UNWIND_X86_64_MODE_RBP_FRAME 0x01000000u
#define UNWIND_X86_64_MODE_STACK_IMMD 0x02000000u
#define UNWIND_X86_64_MODE_STACK_IND 0x03000000u
#define UNWIND_X86_64_MODE_DWARF 0x04000000u
#define UNWIND_ARM64_MODE_FRAMELESS 0x02000000u
#define UNWIND_ARM64_MODE_DWARF 0x03000000u
#define UNWIND_ARM64_MODE_FRAME 0x04000000u
#define UNWIND_DWARF_SECTION_OFFSET 0x00ffffffu /* in an image: of the FDE in __eh_frame */

enum { UNWIND_SECTION_VERSION = 1, UNWIND_SECOND_LEVEL_REGULAR = 2, UNWIND_SECOND_LEVEL_COMPRESSED = 3 };
typedef struct MACHO_STRUCT {
  u32 version, commonEncodingsArraySectionOffset, commonEncodingsArrayCount, personalityArraySectionOffset,
      personalityArrayCount, indexSectionOffset, indexCount;
} UnwindInfoSectionHeader;
typedef struct MACHO_STRUCT { u32 functionOffset, secondLevelPagesSectionOffset, lsdaIndexArraySectionOffset; } UnwindInfoIndexEntry;
typedef struct MACHO_STRUCT { u32 functionOffset, lsdaOffset; } UnwindInfoLsdaEntry;
typedef struct MACHO_STRUCT { u32 functionOffset, encoding; } UnwindInfoRegularEntry;
typedef struct MACHO_STRUCT { u32 kind; u16 entryPageOffset, entryCount; } UnwindInfoRegularPage;
typedef struct MACHO_STRUCT { u32 kind; u16 entryPageOffset, entryCount, encodingsPageOffset, encodingsCount; } UnwindInfoCompressedPage;

/* ---- LC_DYLD_INFO's byte codes (mach-o/loader.h) ---- */

enum { REBASE_TYPE_POINTER = 1, BIND_TYPE_POINTER = 1 };
enum { BIND_SPECIAL_DYLIB_SELF = 0, BIND_SPECIAL_DYLIB_MAIN_EXECUTABLE = -1, BIND_SPECIAL_DYLIB_FLAT_LOOKUP = -2, BIND_SPECIAL_DYLIB_WEAK_LOOKUP = -3 };
enum { BIND_SYMBOL_FLAGS_WEAK_IMPORT = 1, BIND_SYMBOL_FLAGS_NON_WEAK_DEFINITION = 8 };
enum { BIND_OPCODE_MASK = 0xf0, BIND_IMMEDIATE_MASK = 0x0f, REBASE_OPCODE_MASK = 0xf0, REBASE_IMMEDIATE_MASK = 0x0f };
enum {
  REBASE_OPCODE_DONE = 0x00, REBASE_OPCODE_SET_TYPE_IMM = 0x10, REBASE_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB = 0x20,
  REBASE_OPCODE_ADD_ADDR_ULEB = 0x30, REBASE_OPCODE_ADD_ADDR_IMM_SCALED = 0x40, REBASE_OPCODE_DO_REBASE_IMM_TIMES = 0x50,
  REBASE_OPCODE_DO_REBASE_ULEB_TIMES = 0x60, REBASE_OPCODE_DO_REBASE_ADD_ADDR_ULEB = 0x70,
  REBASE_OPCODE_DO_REBASE_ULEB_TIMES_SKIPPING_ULEB = 0x80,
};
enum {
  BIND_OPCODE_DONE = 0x00, BIND_OPCODE_SET_DYLIB_ORDINAL_IMM = 0x10, BIND_OPCODE_SET_DYLIB_ORDINAL_ULEB = 0x20,
  BIND_OPCODE_SET_DYLIB_SPECIAL_IMM = 0x30, BIND_OPCODE_SET_SYMBOL_TRAILING_FLAGS_IMM = 0x40, BIND_OPCODE_SET_TYPE_IMM = 0x50,
  BIND_OPCODE_SET_ADDEND_SLEB = 0x60, BIND_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB = 0x70, BIND_OPCODE_ADD_ADDR_ULEB = 0x80,
  BIND_OPCODE_DO_BIND = 0x90, BIND_OPCODE_DO_BIND_ADD_ADDR_ULEB = 0xa0, BIND_OPCODE_DO_BIND_ADD_ADDR_IMM_SCALED = 0xb0,
  BIND_OPCODE_DO_BIND_ULEB_TIMES_SKIPPING_ULEB = 0xc0, BIND_OPCODE_THREADED = 0xd0,
};
enum { EXPORT_SYMBOL_FLAGS_KIND_MASK = 3, EXPORT_SYMBOL_FLAGS_KIND_REGULAR = 0, EXPORT_SYMBOL_FLAGS_KIND_THREAD_LOCAL = 1, EXPORT_SYMBOL_FLAGS_KIND_ABSOLUTE = 2,
       EXPORT_SYMBOL_FLAGS_WEAK_DEFINITION = 4, EXPORT_SYMBOL_FLAGS_REEXPORT = 8, EXPORT_SYMBOL_FLAGS_STUB_AND_RESOLVER = 16 };

/* ---- chained fixups (mach-o/fixup-chains.h) ---- */

typedef struct MACHO_STRUCT { u32 fixups_version, starts_offset, imports_offset, symbols_offset, imports_count, imports_format, symbols_format; } DyldChainedFixupsHeader;
typedef struct MACHO_STRUCT { u32 seg_count; } DyldChainedStartsInImage; /* then seg_count u32: offsets from here, 0: none */
typedef struct MACHO_STRUCT {
  u32 size;
  u16 page_size, pointer_format;
  u64 segment_offset;
  u32 max_valid_pointer;
  u16 page_count; /* then page_count u16: offset of the first in the page */
} DyldChainedStartsInSegment;
#define DYLD_CHAINED_PTR_START_NONE 0xffffu
enum { DYLD_CHAINED_PTR_64 = 2, DYLD_CHAINED_PTR_64_OFFSET = 6 };
enum { DYLD_CHAINED_IMPORT = 1, DYLD_CHAINED_IMPORT_ADDEND = 2, DYLD_CHAINED_IMPORT_ADDEND64 = 3 };
/* dyld_chained_ptr_64_rebase: target : 36, high8 : 8, reserved : 7, next : 12 (of 4 bytes), bind : 1 = 0.
 * dyld_chained_ptr_64_bind: ordinal : 24, addend : 8, reserved : 19, next : 12, bind : 1 = 1.
 * dyld_chained_import: lib_ordinal : 8, weak_import : 1, name_offset : 23; _addend: and a 32-bit addend;
 * _addend64: lib_ordinal : 16, weak_import : 1, reserved : 15, name_offset : 32, addend : 64. */

/* ---- code signatures (big endian) ---- */

#define CSMAGIC_CODEDIRECTORY 0xfade0c02u
#define CSMAGIC_REQUIREMENTS 0xfade0c01u
#define CSMAGIC_EMBEDDED_SIGNATURE 0xfade0cc0u
#define CSMAGIC_BLOBWRAPPER 0xfade0b01u
enum { CSSLOT_CODEDIRECTORY = 0, CSSLOT_REQUIREMENTS = 2, CSSLOT_SIGNATURESLOT = 0x10000 };
#define CS_ADHOC 0x2u
#define CS_LINKER_SIGNED 0x20000u
enum { CS_SUPPORTSEXECSEG = 0x20400, CS_HASHTYPE_SHA256 = 2, CS_SHA256_LEN = 32, CS_EXECSEG_MAIN_BINARY = 1 };
typedef struct MACHO_STRUCT { u32 magic, length, count; } CsSuperBlob; /* then `count` CsBlobIndex */
typedef struct MACHO_STRUCT { u32 type, offset; } CsBlobIndex;
typedef struct MACHO_STRUCT {
  u32 magic, length, version, flags, hashOffset, identOffset, nSpecialSlots, nCodeSlots, codeLimit;
  u8 hashSize, hashType, platform, pageSize; /* pageSize: log2 */
  u32 spare2, scatterOffset, teamOffset, spare3;
  u64 codeLimit64, execSegBase, execSegLimit, execSegFlags;
} CsCodeDirectory;

_Static_assert(sizeof(MachHeader64) == 32 && sizeof(SegmentCommand64) == 72 && sizeof(MachSection64) == 80, "loader.h");
_Static_assert(sizeof(Nlist64) == 16 && sizeof(RelocationInfo) == 8 && sizeof(CompactUnwindEntry) == 32, "nlist.h, reloc.h");
_Static_assert(sizeof(DysymtabCommand) == 80 && sizeof(DyldInfoCommand) == 48 && sizeof(DyldChainedStartsInSegment) == 22, "loader.h");
_Static_assert(sizeof(CsCodeDirectory) == 88, "codesign");

#endif
