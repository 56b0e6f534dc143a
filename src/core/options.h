/* options.h: what was asked for, as plain data. Drivers fill it (argv -> Options); everything else
 * only reads it. Strings live as long as the Link. The default of every field is zero unless noted;
 * options_init() sets the others.
 * The trap: OPT_AUTO (0) means "nobody said": link_run decides from the inputs and the output kind. */
#ifndef WELD_CORE_OPTIONS_H
#define WELD_CORE_OPTIONS_H

#include "core/expr.h"
#include "core/version.h"
#include "util/arena.h"
#include "util/base.h"

typedef enum { OPT_AUTO = 0, OPT_NO, OPT_YES } Tri;

typedef enum { OUTPUT_EXEC, OUTPUT_PIE, OUTPUT_SHARED } OutputKind;

typedef enum { STRIP_NONE, STRIP_DEBUG, STRIP_ALL } StripKind;
typedef enum { DISCARD_DEFAULT, DISCARD_NONE, DISCARD_LOCALS /* -X: .L names */, DISCARD_ALL /* -x */ } DiscardKind;
typedef enum { BUILD_ID_NONE, BUILD_ID_FAST, BUILD_ID_MD5, BUILD_ID_SHA1, BUILD_ID_SHA256, BUILD_ID_UUID, BUILD_ID_HEX } BuildIdKind;
typedef enum { COMPRESS_NONE, COMPRESS_ZLIB, COMPRESS_ZSTD } CompressKind;
typedef enum { BSYMBOLIC_NONE, BSYMBOLIC_ALL, BSYMBOLIC_FUNCTIONS, BSYMBOLIC_NON_WEAK, BSYMBOLIC_NON_WEAK_FUNCTIONS } BsymbolicKind;
/* GNU ld's --unresolved-symbols. */
typedef enum { UNRESOLVED_DEFAULT, UNRESOLVED_REPORT_ALL, UNRESOLVED_IGNORE_ALL, UNRESOLVED_IGNORE_IN_OBJECTS, UNRESOLVED_IGNORE_IN_SHARED } UnresolvedKind;
typedef enum { SORT_SECTION_NONE, SORT_SECTION_NAME, SORT_SECTION_ALIGNMENT } SortSectionKind;
typedef enum { ICF_NONE, ICF_SAFE /* only what the program can't compare the addresses of */, ICF_ALL } IcfKind;
typedef enum { SHUFFLE_NONE, SHUFFLE_RANDOM, SHUFFLE_REVERSE } ShuffleKind;

/* What becomes of input sections that a script does not name. */
typedef enum { ORPHANS_PLACE, ORPHANS_DISCARD, ORPHANS_WARN, ORPHANS_ERROR } OrphanHandling;

/* How a profile of calls orders code. */
typedef enum { CALL_SORT_DEFAULT, CALL_SORT_NONE, CALL_SORT_HFSORT, CALL_SORT_CDSORT } CallSortKind;

/* One input in command-line order, with the state that stood when it was named. */
typedef struct {
  const char *name;    /* a path, or for is_lib the NAME of -lNAME / -l:NAME (then with the colon) */
  bool is_lib;
  bool whole_archive;
  bool as_needed;
  bool bstatic;        /* -Bstatic: only archives for -l */
  bool start_lib;      /* between --start-lib and --end-lib: treat an object as an archive member */
  bool just_symbols;   /* -R FILE: symbol addresses only */
  bool binary;         /* -b binary: an object is made of its bytes, whatever they are */
  bool script;         /* -T FILE: a linker script (already looked for in -L directories) */
  bool default_script; /* -dT FILE: the same, for a link in which no other has SECTIONS; the last of them */
  bool is_framework;   /* `name` is that of a framework, with ",SUFFIX" behind it if one was asked for */
  bool weak;           /* Apple: what comes from this library may be missing at run time */
  bool needed;         /* Apple: the library is recorded even if -dead_strip_dylibs finds no use of it */
  bool reexport;       /* Apple: the output's clients see this library's symbols, too */
  bool hidden;         /* Apple: definitions of this archive are private */
  bool upward;         /* Apple: the library depends on the output */
  u32 group;           /* nonzero: number of the --start-group it stands in */
  const u8 *mem;       /* libweld: in-memory input of mem_len bytes under this name */
  u64 mem_len;
} Input;

typedef struct { const char *name; const Expr *value; bool provide, hidden; const char *text; } Defsym;
typedef struct { const char *section; u64 addr; } SectionStart;
typedef VEC(const char *) StrVec;
typedef struct { const char *from, *to; u64 weight; } CallWeight; /* symbols; how often one calls the other */

/* ---- what only Apple's linker is asked for ---- */

/* What happens to names that nobody defines. */
typedef enum { UNDEFINED_ERROR, UNDEFINED_WARNING, UNDEFINED_SUPPRESS, UNDEFINED_DYNAMIC_LOOKUP } UndefinedTreatment;

/* A section made of a file's bytes (-sectcreate). */
typedef struct { const char *segment, *section; const u8 *bytes; u64 len; } FileSection;
typedef struct { const char *segment, *section, *to_segment, *to_section; } SectionRename; /* sections NULL: all of the segment */
typedef struct { const char *segment, *section; u64 align; } SectionAlign;
typedef struct { const char *segment; u32 max, init; } SegmentProt; /* VM_PROT_*: 1 read, 2 write, 4 execute */

typedef struct {
  const char *arch;          /* "x86_64", "x86_64h", "arm64" or "arm64e"; never NULL when the driver was content */
  u32 platform;              /* PLATFORM_* of LC_BUILD_VERSION */
  u32 min_version, sdk_version; /* X.Y.Z as 16, 8 and 8 bits */
  bool bundle;               /* Options.kind is OUTPUT_SHARED then */

  /* places, in order; roots are applied, only what exists is there: Options.lib_dirs, and */
  StrVec framework_dirs;     /* -F */
  StrVec roots;              /* -syslibroot; one at least, perhaps "" */
  bool no_standard_dirs;     /* -Z */
  bool dylibs_first;         /* -search_dylibs_first */
  const char *bundle_loader; /* a program that answers for undefined names */

  /* archives, auto-linking */
  bool all_load, objc_load, force_load_swift;
  bool ignore_auto_link, strict_auto_link;
  StrVec ignored_auto_links; /* names of libraries and frameworks */

  /* the library that comes out; its name is Options.soname */
  u32 current_version, compatibility_version; /* as min_version */
  const char *umbrella, *client_name;
  StrVec allowable_clients, sub_libraries, sub_umbrellas;
  bool mark_dead_strippable, application_extension;
  const char *final_output;

  /* symbols; patterns have * ? [ ] */
  StrVec exported, unexported;
  bool explicit_exports;     /* nothing but `exported` is exported */
  UndefinedTreatment undefined;
  StrVec dynamic_lookup;     /* -U */
  bool flat_namespace;
  bool no_implicit_dylibs;   /* what a public library re-exports is bound to the library that was named */
  StrVec local_patterns;     /* with one of the two below */
  bool keep_only_listed_locals, drop_listed_locals;
  VEC(Defsym) aliases;       /* -alias: `text` is the name that exists, `name` the new one */

  /* output */
  bool chained_fixups;       /* else opcodes for dyld; decided by options, platform and its version */
  bool adhoc_sign;           /* likewise */
  bool data_const;           /* likewise: read-only data in __DATA_CONST */
  bool init_offsets;         /* __init_offsets instead of pointers to initializers */
  bool dead_strip_dylibs;
  bool no_uuid, no_function_starts, no_data_in_code;
  bool bind_at_load;
  bool has_pagezero_size; u64 pagezero_size;
  u64 headerpad;             /* 32 unless given */
  bool headerpad_max;
  VEC(FileSection) file_sections;
  VEC(SectionRename) renames;
  VEC(SectionAlign) section_aligns;
  VEC(SegmentProt) protections;
  StrVec dyld_env;
  const char *oso_prefix;

  /* reports */
  const char *dependency_info;
  bool why_load;
} DarwinOptions;

typedef struct {
  Arena arena; /* owns the strings and expressions that the driver made */

  /* inputs, places */
  VEC(Input) inputs;
  StrVec lib_dirs;           /* -L, sysroot already applied */
  StrVec rpath;
  const char *sysroot;
  const char *output;        /* "a.out" */
  const char *emulation;     /* -m, NULL when not given */
  const char *dynamic_linker;
  bool no_dynamic_linker;
  const char *map_file;      /* -Map=; "-" is standard output */
  bool print_map, cref, trace /* -t */, verbose;
  const char *dependency_file;

  /* kind of output */
  OutputKind kind;
  bool is_static;            /* -static / -Bstatic before any input matters only for -l; this one is "no dynamic linking asked" */
  bool relocatable;
  bool force_group_allocation; /* -r: members of groups are sections like any other */
  bool join_by_prefix;       /* -r: .text.foo joins .text, as in other outputs */
  bool define_common;        /* -r: tentative definitions get room */
  const char *entry;         /* -e; NULL: the format's default (_start) */
  const char *init, *fini;   /* "_init", "_fini" */
  const char *soname;
  StrVec filter, auxiliary, audit, depaudit;

  /* symbols */
  StrVec undefined;          /* -u, also pulls archive members */
  StrVec undefined_glob;
  bool keep_globals, undefines_are_errors; /* weld -core */
  const char *target_triple; /* weld -core: --target, else the first that a text says; NULL: none did */
  StrVec passes;             /* weld -core: --add-pass, in order */
  const char *cpu;           /* weld -core: --target's, as Arch.name; NULL: x86_64 */
  StrVec dump_graph;         /* PHASE[:FILE], as it was checked */
  bool whole_objects;        /* what only linkers read of an object (their notes and tables) is in the graph, too: for text */
  bool commons_stay;         /* a tentative definition does not look for a real one in archives */
  StrVec require_defined;
  VEC(Defsym) defsyms;
  StrVec wrap;
  StrVec trace_symbols;
  VersionScript version_script;     /* merged from every --version-script and VERSION */
  VersionPatterns dynamic_list;     /* --dynamic-list, -list-data is separate */
  VersionPatterns export_dynamic_symbols;
  bool has_version_script, has_dynamic_list, dynamic_list_data;
  bool export_dynamic;
  StrVec exclude_libs;       /* archive basenames, or "ALL" */
  BsymbolicKind bsymbolic;
  StrVec retain_symbols;     /* --retain-symbols-file contents */
  bool has_retain_symbols;
  bool default_symver;
  bool allow_multiple_definition;
  Tri no_undefined;          /* --no-undefined / -z defs / -z undefs */
  UnresolvedKind unresolved;
  bool warn_unresolved;
  Tri allow_shlib_undefined;
  bool noinhibit_exec;
  bool warn_common, warn_textrel, warn_shared_textrel;
  bool warn_execstack;       /* true */
  bool demangle;             /* true */
  Tri undefined_version_ok;  /* --undefined-version / --no-undefined-version */

  /* dead strip, folding */
  bool gc_sections, print_gc_sections;
  Tri start_stop_gc;         /* -z start-stop-gc */
  bool start_stop;           /* --start-stop: __start_/__stop_ for sections whose name begins with a dot too */
  int start_stop_visibility; /* ELF STV_*, 3 (protected) by default */
  IcfKind icf;
  bool print_icf_sections;
  bool ignore_data_address_equality; /* data may be folded though its address may be compared */
  StrVec keep_unique;        /* symbols whose atom is not folded */

  /* strip */
  StripKind strip;
  DiscardKind discard;
  bool emit_relocs;

  /* output details */
  BuildIdKind build_id;
  u8 build_id_bytes[64];
  u32 build_id_len;
  bool hash_sysv, hash_gnu;  /* both true by default */
  bool no_eh_frame_hdr;
  bool eh_frame_hdr;         /* true by default */
  CompressKind compress_debug;
  int compress_level;
  int optimize;              /* -O */
  SortSectionKind sort_section;
  bool has_image_base; u64 image_base;
  bool has_rodata_segment, has_ldata_segment; u64 rodata_segment, ldata_segment;
  bool has_ttext, has_tdata, has_tbss; u64 ttext, tdata, tbss;
  VEC(SectionStart) section_starts;
  bool check_sections;       /* true: sections on each other are an error */
  bool print_memory_usage;
  VEC(SectionStart) section_aligns; /* --section-align NAME=N: addr is the alignment, a power of two */
  OrphanHandling orphan_handling;
  StrVec unique; bool unique_orphans; /* --unique=PATTERN; --unique */
  ShuffleKind shuffle; u64 shuffle_seed; /* --shuffle-sections, --reverse-sections */
  StrVec symbol_ordering;    /* names of --symbol-ordering-file, in its order */
  const char *symbol_ordering_file; /* for messages */
  VEC(CallWeight) call_graph; /* lines of --call-graph-ordering-file */
  const char *call_graph_file; /* for messages */
  CallSortKind call_sort;
  bool warn_symbol_ordering; /* true */
  u32 spare_program_headers, spare_dynamic_tags; /* PT_NULL and DT_NULL entries to keep free */
  u64 branch_range;          /* branches reach so many bytes at most, either way; 0: what their field holds */
  bool omagic, nmagic;
  bool oformat_binary, oformat_given;
  char endian;               /* 'B' or 'L': -EB, -EL; 0: nobody said */
  bool linker_version;       /* --enable-linker-version: LINKER_VERSION in scripts */
  bool rosegment;            /* true */
  bool execute_only;
  bool new_dtags;            /* true */
  bool merge_sections;       /* true; --no-merge-sections */
  bool relax;                /* true; --no-relax */
  bool no_gnu_unique;
  bool symtab_shndx;
  const char *package_metadata;

  /* -z */
  bool z_now;
  bool z_relro;              /* true */
  Tri z_execstack;
  bool z_execstack_if_needed;
  Tri z_text;                /* text relocations: YES an error, NO allowed, AUTO a warning each */
  bool z_nodelete, z_origin, z_initfirst, z_interpose, z_nodlopen, z_nodefaultlib, z_nodump, z_global;
  Tri z_separate_code;
  bool z_separate_loadable_segments; /* with z_separate_code YES: every segment on pages of its own */
  u64 z_max_page_size, z_common_page_size; /* 0: the CPU's default */
  bool has_stack_size; u64 z_stack_size;
  bool z_pack_relative_relocs;
  bool use_android_relr_tags;
  bool z_ibt, z_ibtplt, z_shstk, z_force_ibt;
  int z_cet_report;          /* 0 none, 1 warning, 2 error */
  bool z_nocopyreloc;
  bool z_dynamic_undefined_weak; Tri dynamic_undefined_weak;
  bool z_rodynamic, z_nosectionheader, z_nognustack;
  int z_x86_isa_level;       /* 0: from inputs; 1..4 */

  /* weld -flavor golink */
  struct {
    const char *header;      /* -H, NULL: what the objects are for */
    VEC(Defsym) strings;     /* -X: `text` of variable `name` */
    bool any_system;         /* -f: objects for another system and CPU are linked */
  } go;

  /* running */
  bool exits;                /* the process ends with the link: memory is left to the kernel */
  u32 threads;               /* 0: as many as the machine (and the jobserver) gives */
  bool stats, perf;
  const char *time_trace;    /* file for --time-trace */
  bool fatal_warnings, no_warnings;
  Tri color;
  bool error_json;
  u32 error_limit;           /* 20 by default, 0 none */
  bool print_dependencies;
  StrVec why_live;           /* names, or globs */
  const char *why_extract, *archive_stats, *symbol_order; /* files that reports go to, "-": standard output; or NULL */

  DarwinOptions darwin;

  struct Watch *watch;       /* util/watch.h: for the signal handlers of the program; or NULL */
  char **argv;               /* as given, for messages */
  int argc;
} Options;

void options_init(Options *o);
void options_free(Options *o);

#endif
