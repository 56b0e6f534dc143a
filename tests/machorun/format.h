/* format.h: the records and numbers of Mach-O files that the loader needs. Written from the format, not from the
 * linker's own header: a number that is wrong there must not look right here. Everything is little-endian, except
 * the code signature and the header of a universal file, which are big-endian. */
#ifndef MACHORUN_FORMAT_H
#define MACHORUN_FORMAT_H

#include "util/base.h"

enum {
  MACHO_MAGIC_64 = 0xfeedfacf,
  CPU_X86_64 = 0x01000007,
  CPU_ARM64 = 0x0100000c,
  TYPE_EXECUTE = 2,
  TYPE_DYLIB = 6,
  TYPE_BUNDLE = 8,
};
#define FAT_MAGIC 0xcafebabeu

/* Bits of MachHeader.flags. */
enum {
  FLAG_NOUNDEFS = 0x1,
  FLAG_DYLDLINK = 0x4,
  FLAG_TWOLEVEL = 0x80,
  FLAG_FORCE_FLAT = 0x100,
  FLAG_WEAK_DEFINES = 0x8000,
  FLAG_BINDS_TO_WEAK = 0x10000,
  FLAG_NO_REEXPORTED_DYLIBS = 0x100000,
  FLAG_PIE = 0x200000,
  FLAG_HAS_TLV = 0x800000,
};

typedef struct {
  u32 magic, cputype, cpusubtype, filetype, ncmds, sizeofcmds, flags, reserved;
} MachHeader;

#define CMD_REQ_DYLD 0x80000000u
enum {
  CMD_SYMTAB = 0x2,
  CMD_UNIXTHREAD = 0x5,
  CMD_DYSYMTAB = 0xb,
  CMD_LOAD_DYLIB = 0xc,
  CMD_ID_DYLIB = 0xd,
  CMD_LOAD_DYLINKER = 0xe,
  CMD_SUB_FRAMEWORK = 0x12,
  CMD_SUB_UMBRELLA = 0x13,
  CMD_SUB_CLIENT = 0x14,
  CMD_SUB_LIBRARY = 0x15,
  CMD_SEGMENT_64 = 0x19,
  CMD_UUID = 0x1b,
  CMD_CODE_SIGNATURE = 0x1d,
  CMD_SPLIT_INFO = 0x1e,
  CMD_DYLD_INFO = 0x22,
  CMD_VERSION_MIN_MACOSX = 0x24,
  CMD_FUNCTION_STARTS = 0x26,
  CMD_DYLD_ENVIRONMENT = 0x27,
  CMD_DATA_IN_CODE = 0x29,
  CMD_SOURCE_VERSION = 0x2a,
  CMD_LINKER_OPTIMIZATION_HINT = 0x2e,
  CMD_BUILD_VERSION = 0x32,
};
/* Those a dynamic loader must understand. */
#define CMD_LOAD_WEAK_DYLIB (0x18 | CMD_REQ_DYLD)
#define CMD_RPATH (0x1c | CMD_REQ_DYLD)
#define CMD_REEXPORT_DYLIB (0x1f | CMD_REQ_DYLD)
#define CMD_DYLD_INFO_ONLY (0x22 | CMD_REQ_DYLD)
#define CMD_LOAD_UPWARD_DYLIB (0x23 | CMD_REQ_DYLD)
#define CMD_MAIN (0x28 | CMD_REQ_DYLD)
#define CMD_EXPORTS_TRIE (0x33 | CMD_REQ_DYLD)
#define CMD_CHAINED_FIXUPS (0x34 | CMD_REQ_DYLD)

typedef struct {
  u32 cmd, cmdsize;
  char segname[16];
  u64 vmaddr, vmsize, fileoff, filesize;
  u32 maxprot, initprot, nsects, flags;
} SegmentCommand;

enum { SEGMENT_READ_ONLY = 0x10 };
enum { PROT_R = 1, PROT_W = 2, PROT_X = 4 };

typedef struct {
  char sectname[16], segname[16];
  u64 addr, size;
  u32 offset, align, reloff, nreloc, flags, reserved1, reserved2, reserved3;
} SectionRecord;

/* The low byte of SectionRecord.flags. */
enum {
  SECT_REGULAR = 0x0,
  SECT_ZEROFILL = 0x1,
  SECT_CSTRINGS = 0x2,
  SECT_NON_LAZY_POINTERS = 0x6,
  SECT_LAZY_POINTERS = 0x7,
  SECT_STUBS = 0x8,
  SECT_INIT_POINTERS = 0x9,
  SECT_TERM_POINTERS = 0xa,
  SECT_GB_ZEROFILL = 0xc,
  SECT_INTERPOSING = 0xd,
  SECT_TLV_REGULAR = 0x11,
  SECT_TLV_ZEROFILL = 0x12,
  SECT_TLV_VARIABLES = 0x13,
  SECT_TLV_POINTERS = 0x14,
  SECT_TLV_INIT = 0x15,
  SECT_INIT_OFFSETS = 0x16,
};
#define SECT_ATTR_PURE_CODE 0x80000000u
#define SECT_ATTR_SOME_CODE 0x00000400u

typedef struct {
  u32 cmd, cmdsize, symoff, nsyms, stroff, strsize;
} SymtabCommand;

typedef struct {
  u32 cmd, cmdsize, ilocalsym, nlocalsym, iextdefsym, nextdefsym, iundefsym, nundefsym, tocoff, ntoc, modtaboff,
      nmodtab, extrefsymoff, nextrefsyms, indirectsymoff, nindirectsyms, extreloff, nextrel, locreloff, nlocrel;
} DysymtabCommand;

typedef struct {
  u32 strx;
  u8 type, sect;
  u16 desc;
  u64 value;
} Nlist;

/* Nlist.type, Nlist.desc; special indices of the indirect symbol table. */
enum {
  N_TYPE_STAB = 0xe0,
  N_TYPE_PEXT = 0x10,
  N_TYPE_MASK = 0x0e,
  N_TYPE_EXT = 0x01,
  N_UNDEFINED = 0x0,
  N_ABSOLUTE = 0x2,
  N_INDIRECT = 0xa,
  N_SECTION = 0xe,
  DESC_WEAK_REF = 0x40,
  DESC_WEAK_DEF = 0x80,
};
#define INDIRECT_LOCAL 0x80000000u
#define INDIRECT_ABSOLUTE 0x40000000u

/* Library ordinals that are no index, in binds (signed) and in the high byte of Nlist.desc (0xfe, 0xff). */
enum { ORDINAL_SELF = 0, ORDINAL_EXECUTABLE = -1, ORDINAL_FLAT = -2, ORDINAL_WEAK = -3 };

typedef struct {
  u32 cmd, cmdsize, dataoff, datasize;
} LinkeditCommand;

typedef struct {
  u32 cmd, cmdsize, name, timestamp, current_version, compatibility_version;
} DylibCommand;

typedef struct {
  u32 cmd, cmdsize, rebase_off, rebase_size, bind_off, bind_size, weak_bind_off, weak_bind_size, lazy_bind_off,
      lazy_bind_size, export_off, export_size;
} DyldInfoCommand;

typedef struct {
  u32 cmd, cmdsize;
  u64 entryoff, stacksize;
} MainCommand;

typedef struct {
  u32 cmd, cmdsize, platform, minos, sdk, ntools;
} BuildVersionCommand;

/* Export trie: flags of a terminal. */
enum {
  EXPORT_KIND = 0x3,
  EXPORT_REGULAR = 0,
  EXPORT_TLV = 1,
  EXPORT_ABSOLUTE = 2,
  EXPORT_WEAK = 0x4,
  EXPORT_REEXPORT = 0x8,
  EXPORT_RESOLVER = 0x10,
};

/* Opcodes of the classic rebase and bind streams: the high four bits, an immediate is in the low four. */
enum {
  REBASE_DONE = 0x00,
  REBASE_SET_TYPE = 0x10,
  REBASE_SET_SEGMENT = 0x20,
  REBASE_ADD_ADDR = 0x30,
  REBASE_ADD_ADDR_SCALED = 0x40,
  REBASE_DO_TIMES = 0x50,
  REBASE_DO_ULEB_TIMES = 0x60,
  REBASE_DO_ADD_ADDR = 0x70,
  REBASE_DO_ULEB_TIMES_SKIPPING = 0x80,
  BIND_DONE = 0x00,
  BIND_SET_ORDINAL = 0x10,
  BIND_SET_ORDINAL_ULEB = 0x20,
  BIND_SET_SPECIAL = 0x30,
  BIND_SET_SYMBOL = 0x40,
  BIND_SET_TYPE = 0x50,
  BIND_SET_ADDEND = 0x60,
  BIND_SET_SEGMENT = 0x70,
  BIND_ADD_ADDR = 0x80,
  BIND_DO = 0x90,
  BIND_DO_ADD_ADDR = 0xa0,
  BIND_DO_ADD_ADDR_SCALED = 0xb0,
  BIND_DO_ULEB_TIMES_SKIPPING = 0xc0,
  BIND_SYMBOL_WEAK_IMPORT = 0x1,
  BIND_SYMBOL_NON_WEAK_DEFINITION = 0x8,
  FIXUP_TYPE_POINTER = 1,
};

typedef struct {
  u32 version, starts_offset, imports_offset, symbols_offset, imports_count, imports_format, symbols_format;
} ChainedHeader;

/* Followed by u16 page_start[page_count]. */
typedef struct {
  u32 size;
  u16 page_size, pointer_format;
  u64 segment_offset;
  u32 max_valid_pointer;
  u16 page_count;
} __attribute__((packed)) ChainedStarts;

enum {
  CHAIN_PTR_64 = 2,
  CHAIN_PTR_64_OFFSET = 6,
  CHAIN_START_NONE = 0xffff,
  CHAIN_START_MULTI = 0x8000,
  IMPORT_PLAIN = 1,
  IMPORT_ADDEND = 2,
  IMPORT_ADDEND64 = 3,
};

/* Code signature; all big-endian. */
#define SIGN_SUPERBLOB 0xfade0cc0u
#define SIGN_CODE_DIRECTORY 0xfade0c02u
enum {
  SIGN_SLOT_CODE_DIRECTORY = 0,
  SIGN_ADHOC = 0x2,
  SIGN_LINKER_SIGNED = 0x20000,
  SIGN_SHA256 = 2,
  SIGN_MAIN_BINARY = 1,
};

/* __unwind_info. */
typedef struct {
  u32 version, common_offset, common_count, personality_offset, personality_count, index_offset, index_count;
} UnwindHeader;

typedef struct {
  u32 function, page_offset, lsda_offset;
} UnwindIndexEntry;

typedef struct {
  u32 kind;
  u16 entry_offset, entry_count, encoding_offset, encoding_count;
} UnwindPageHeader;

enum {
  UNWIND_PAGE_REGULAR = 2,
  UNWIND_PAGE_COMPRESSED = 3,
  UNWIND_HAS_LSDA = 0x40000000,
  UNWIND_PERSONALITY_SHIFT = 28,
  UNWIND_MODE = 0x0f000000,
  UNWIND_X86_64_FRAME = 0x01000000,
  UNWIND_X86_64_IMMEDIATE = 0x02000000,
  UNWIND_X86_64_INDIRECT = 0x03000000,
  UNWIND_X86_64_DWARF = 0x04000000,
  UNWIND_ARM64_FRAMELESS = 0x02000000,
  UNWIND_ARM64_DWARF = 0x03000000,
  UNWIND_ARM64_FRAME = 0x04000000,
  UNWIND_DWARF_OFFSET = 0x00ffffff,
};

#endif
