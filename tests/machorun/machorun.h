/* machorun.h: what the files of the loader share: images, their parts, and the services between the files.
 * Everything here lives as long as the process; nothing is freed. The trap: an address is either "unslid" (as the
 * file says) or real; a field or parameter that is unslid is called vmaddr or says so. */
#ifndef MACHORUN_H
#define MACHORUN_H

#include "format.h"
#include "util/bytes.h"

typedef struct Image Image;

typedef struct {
  char name[17];
  u64 vmaddr, vmsize, fileoff, filesize;
  u32 maxprot, initprot, flags, nsects;
} Segment;

typedef struct {
  char name[17], segname[17];
  u64 addr, size; /* addr is unslid */
  u32 offset, align, type, attributes, reserved1, reserved2, segment;
} Section;

typedef enum { DYLIB_REGULAR, DYLIB_WEAK, DYLIB_REEXPORT, DYLIB_UPWARD } DylibKind;

typedef struct {
  const char *name;
  u32 compatibility;
  DylibKind kind;
  Image *image; /* NULL: weak, and missing; set by images_load */
} Dylib;

typedef enum { FIX_REBASE, FIX_BIND, FIX_LAZY, FIX_WEAK } FixupKind;

/* One place that the dynamic loader writes. */
typedef struct {
  u64 vmaddr;
  FixupKind kind;
  i32 ordinal;      /* of a bind */
  const char *name; /* of a bind */
  u64 value;        /* the unslid target of a rebase, the addend of a bind */
  u8 high8;         /* top byte of a rebase in a chain */
  bool weak_import;
} Fixup;

typedef struct {
  const char *name;
  u64 flags, vmaddr, resolver; /* of a re-export, vmaddr is the ordinal */
  const char *reexport_name;
} Export;

struct Image {
  const char *path;
  Bytes file;
  MachHeader header;
  u32 index; /* in the order in which dyld loads: the executable is 0 */
  bool system; /* libSystem: nothing is mapped, its names are the table of shims */

  Segment *segments;
  u32 segment_count;
  Section *sections;
  u32 section_count;
  Dylib *dylibs;
  u32 dylib_count;
  const char **rpaths;
  u32 rpath_count;
  const char *install_name;
  u32 current_version;

  SymtabCommand symtab;
  DysymtabCommand dysymtab;
  DyldInfoCommand dyld_info;
  LinkeditCommand chained, trie, function_starts, data_in_code, signature;
  MainCommand main;
  BuildVersionCommand build;
  bool has_symtab, has_dysymtab, has_dyld_info, has_chained, has_trie, has_main, has_uuid, has_signature,
      has_dylinker;

  Fixup *fixups;
  u32 fixup_count;
  Export *exports; /* sorted by name */
  u32 export_count;

  u64 base, end; /* unslid addresses of the header and of the end of the last segment */
  u8 *memory;    /* where `base` is mapped */
  i64 slide;
  bool initialised;
  u32 tlv_index;
};

/* Options of the command line. */
typedef struct {
  bool check_only, lazy, verbose, allow_unaligned, allow_unwind_twice;
} Options;

extern Options options;
extern Image **images;
extern u32 image_count;

/* "machorun: FILE: fact", exit status 126. `im` may be NULL. */
_Noreturn void fail(const Image *im, const char *format, ...) PRINTF_LIKE(2, 3);
void *get_memory(u64 count, u64 size);

/* file.c: reads a file, its header and load commands; every structural check that needs nothing of __LINKEDIT. */
Image *image_read(const char *path);
Bytes image_linkedit(const Image *im, u64 off, u64 size, const char *what);
const Segment *image_segment_at(const Image *im, u64 vmaddr, u64 size);
const Section *image_section_at(const Image *im, u64 vmaddr);
const Section *image_section(const Image *im, const char *segment, const char *section);
u64 page_size(const Image *im);

/* linkedit.c: symbol table, indirect symbols, function starts, order of the parts. After fixups and exports. */
void linkedit_check(Image *im);
/* sign.c */
void signature_check(const Image *im);
void sha256(Bytes data, u8 out[32]);
/* leb.c. The value at *at, which moves on; fails with `what` when it ends too early or is too long. */
u64 uleb(const Image *im, const u8 **at, const u8 *end, const char *what);
i64 sleb(const Image *im, const u8 **at, const u8 *end, const char *what);
/* trie.c */
void exports_read(Image *im);
const Export *export_find(const Image *im, const char *name);
/* fixups.c: fills in Image.fixups from either form, checking each place. */
void fixups_read(Image *im);
/* The bind that a stub helper asks for: `offset` in the lazy stream. */
Fixup fixups_lazy_at(const Image *im, u64 offset);
/* unwind_table.c */
void unwind_check(Image *im);

/* image.c */
Image *images_load(const char *program);
void image_map(Image *im);
void image_bind(Image *im);
void image_protect(Image *im);
Image *image_containing(u64 address);
void *image_bind_lazily(void *cache, u64 offset);
u64 resolve(Image *im, const Fixup *f);
/* The address of a definition that `im` exports itself or passes on; 0 when there is none. */
u64 exported_address(Image *im, const char *name, bool *is_weak);

/* run.c */
void thread_variables_check(const Image *im);
void thread_variables_set_up(Image *im);
void *thread_variable_address(void *descriptor);
/* Maps, binds and initialises images[first...]. */
void images_start(u32 first);
int program_run(Image *im, int argc, char **argv, char **envp);
extern const char *program_path;
extern char **program_argv;
extern int program_argc;

/* shims.c: what libSystem exports. NULL: not in the table. */
void *system_symbol(const char *name);

#endif
