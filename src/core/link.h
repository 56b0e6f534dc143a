/* link.h: the one structure that everything hangs off. No global state: two Links may run in two
 * threads. A pass reads the arrays it needs and writes the ones it owns. */
#ifndef WELD_CORE_LINK_H
#define WELD_CORE_LINK_H

#include "core/atom.h"
#include "core/ehframe.h"
#include "core/layout.h"
#include "core/merge.h"
#include "core/options.h"
#include "core/script.h"
#include "core/symbol.h"
#include "core/synth.h"
#include "core/target.h"
#include "util/arena.h"
#include "util/bytes.h"
#include "util/diag.h"
#include "util/threads.h"

typedef enum { FILE_WELD, FILE_OBJECT, FILE_SHARED } FileKind;

/* A COMDAT group of a file. Groups of one name are one: the first file's wins. There can be a million: small. */
typedef struct {
  u32 id;            /* SymId of its name; when `local` index in File.group_names, and then in Link.groups */
  u32 index : 30;    /* the format's (ELF: section index of the SHT_GROUP) */
  u32 linkonce : 1;  /* old style: every section of that name in the winning file stays */
  u32 local : 1;     /* the name is no global symbol */
} GroupRef;

typedef struct {
  FileKind kind;
  bool live;          /* in the link; archive members become live when something needs them */
  bool lazy;          /* an archive member or --start-lib object: live only on demand */
  bool as_needed;     /* shared: recorded as needed only when used */
  bool needed;        /* shared: gets a DT_NEEDED (after resolve) */
  bool exclude_libs;  /* its definitions are made local (--exclude-libs) */
  bool just_symbols;
  bool has_versions;  /* object: some global name of it has a version, foo@V1 (set by Format.names) */
  const char *path;   /* as it was opened */
  const char *member; /* name in the archive, or NULL */
  const char *arg;    /* archive or file name as on the command line (for messages, --exclude-libs) */
  Bytes data;
  u32 archive;        /* index in Link.archives + 1, 0: none */
  u32 atom_base, natoms;
  u32 nsyms;          /* symbols in the file's table, index 0 included */
  u32 first_global;   /* globals are [first_global, nsyms) */
  u32 *globals;       /* SymId of each global, by index - first_global */
  u32 local_base;     /* SymId of local 0; live objects only */
  GroupRef *groups;   /* its COMDAT groups, by Format.groups */
  u32 ngroups;
  const char **group_names; /* of those that are `local`, NULL: there is none */
  char *full_name;    /* file_name()'s answer for archive members */
  FileEh eh;
  void *fmt;          /* the format's own view: format/elf_object.h */
} File;

typedef struct {
  const char *path;
  Bytes data;
  bool thin;
  u32 members_total;
} Archive;

/* A symbol of file 0 (core/resolve.h: weld_name). Its value comes from layout. */
typedef struct {
  const char *name;
  const Expr *expr;   /* value, or NULL: set by layout under the name */
  const LayoutStmt *stmt; /* the assignment that layout runs for it, or NULL: `expr` is evaluated last */
  u8 kind;            /* WeldNameKind */
  bool hidden;
  u32 osec;           /* output section it belongs to, after layout; 0: none */
  bool used;          /* it became the definition of its name */
  u32 outer;          /* index of the layout statement that `stmt` is or stands in */
  bool in_body;       /* `stmt` stands in the body of an output section */
  bool again, moves;  /* the layout assigns to it several times; something of that moves with the image */
  u32 sym;            /* SymId */
  u32 alias;          /* SymId of B in A=B, 0: none (symbol 0 does not take part) */
} WeldName;

/* __start_NAME or __stop_NAME that something refers to. */
typedef struct {
  u32 sym;
  const char *section; /* NAME; .NAME where --start-stop takes it */
  bool start;
  bool defined;        /* there is such an output section */
} StartStop;

/* A program header to be, with what it covers. */
typedef struct {
  u32 type, flags; /* the format's */
  u32 first, last; /* osecs, inclusive, in order of Link.order; 0,0: none */
  u64 off, addr, lma, filesz, memsz, align;
} Segment;

/* An undefined reference, for the report. */
typedef struct { u32 sym; u32 file; u32 atom; u64 offset; } UndefRef;

typedef struct Link {
  Options *opt;
  Diag *diag;
  const Arch *arch;
  const Format *format;
  const LayoutDesc *layout;
  bool relocatable; /* the output is an object: sections, symbols and relocations stay what they are */
  bool scripted;    /* the layout is a linker script's: addresses are the script's business, and GNU ld's rules hold */
  bool default_script; /* ... the one of the emulation */
  const struct Emulation *emulation; /* script/emulation.h; NULL: no script can be made */
  bool defsyms_placed; /* --defsym's are statements of `layout` */
  Arena arena;      /* lives as long as the link */
  Arena *scratch;   /* one for each thread */
  Pool *pool;

  VEC(File) files;  /* by FileId; 0 is weld itself; in command-line order */
  VEC(Archive) archives;
  VEC(CommonFact) commons; /* by SymId; after resolve_symbols */
  StrVec opened;    /* paths that were read, for --dependency-file */
  VEC(ScriptText) script_texts; /* for messages: core/script.h */
  VEC(Bytes) maps;  /* what to unmap at the end */
  VEC(Bytes) owned; /* from pages_alloc, by link_own(): freed at the end */
  Bytes spare;      /* likewise, in nobody's hands: see link_give() */
  Atoms atoms;
  Symbols syms;
  VEC(StartStop) start_stops;
  VEC(WeldName) weld_names; /* symbols of file 0, by index */
  u32 *global_ids;  /* what File.globals points into */
  u64 nglobal_ids;
  Interner names;   /* of the global symbols */
  Interner groups;  /* of COMDAT signatures that are no global symbol */
  u32 *rules;       /* by atom: layout statement << 16 | pattern, UINT32_MAX: orphan; after layout_match_file */
  bool has_duplicates; /* some name has two strong definitions */
  bool scattered_groups; /* a file has groups that Format.groups can't find without a look at every section */
  bool has_call_graph; /* a live object holds a profile of calls (Format.call_graph) */
  u32 *priority;    /* by atom: smaller stands first in its output section, 0: behind those, in input order; NULL: all are 0 */
  bool addressed;   /* layout is final: Edge.S may be computed */
  VEC(Synth) synths;
  VEC(Osec) osecs;  /* by OsecId; 0 is none */
  bool planned;       /* addresses of one round are known: Format.plan_segments may look at them */
  bool settled;       /* addresses are final: what is wrong with them can be said */
  u64 file_size;      /* of the output, after it was written */
  u64 file_end;       /* where the section headers may begin; after layout */
  const struct LayoutMatcher *matcher;
  struct Layout *lay; /* core/layout.c's own */
  struct Thunks *thunks; /* core/thunks.h; NULL: nobody asked for branch islands */
  u64 relro_begin, relro_end; /* addresses; equal: no RELRO region */
  u32 *order;       /* placed osecs in order of addresses / headers */
  u32 norder;
  VEC(Segment) segments;
  Merge *merge;
  VEC(AtomId) folded; /* by core/icf.c */

  bool is_dynamic;  /* has .dynamic: shared, PIE, or any shared library in the link */
  bool is_pic;      /* shared or PIE: addresses move */
  bool has_textrel, has_static_tls, uses_tlsld, has_ifunc, has_versioned_refs;
  bool has_gnu_symbols; /* .dynsym has kinds of symbols that are GNU's: indirect functions, unique ones */
  bool ibt, shstk;  /* features of the output */
  bool execstack;
  i32 tlsld_got;    /* slot of the local-dynamic pair, -1 */
  u64 tls_begin, tls_end, tls_align; /* of PT_TLS, after layout */
  u64 got_base;     /* _GLOBAL_OFFSET_TABLE_ */
  u32 nplt, ngotplt, npltgot, ngot; /* slots handed out by got_allocate */
  u64 ndynrel;          /* entries of .rela.dyn */
  u64 ndynrel_relative; /* the first of them: base + addend; where atoms are relocated, these are made */
  DynRel *dynrel;       /* those of .got among them, then the entries from ndynrel_relative on */
  u64 ndynrel_kept;     /* how many that are */
  struct Slots *slots; /* core/scan.h: from slots_scan on */
  struct Binds *binds; /* core/bind.h: likewise, where a loader binds by name */
  struct ElfUses *uses; /* format/elf_relocs.h: known when symbols are chosen, if relocations stay; or NULL */
  struct ElfRelocs *relocs; /* write/elf_relocs.h: what becomes of the inputs' relocations; NULL: they are used up */
  void *dyn;        /* the writer's own (write/elf_dynamic.c, or what another writer keeps) */
  void *script;     /* pass/export.c's own */
  bool wants_headers; /* a script asked for SIZEOF_HEADERS: it left room for them */
  u64 header_size;  /* ELF header + program headers, known before addresses */
  const char *entry_name;

  /* undefined references found by scan (not weak), one list a thread */
  VEC(UndefRef) *undefs;

  VEC(char) *trace; /* --time-trace events, one list a thread */
  struct Trace *perf; /* util/trace.h; NULL unless somebody wants to know */
  u8 **mem_output;    /* not NULL: the output goes to memory */
} Link;

/* Hands pages_alloc's memory to the link, which frees it at its end. Serial code only. */
static inline void *link_own(Link *l, void *p, u64 size) {
  *vec_push(&l->owned) = (Bytes){p, size};
  return p;
}

/* For serial code that is done with p, of pages_alloc: the next to need memory that need not be zero may have it. */
static inline void link_give(Link *l, void *p, u64 size) {
  pages_free((void *)(uintptr_t)l->spare.p, l->spare.len);
  l->spare = (Bytes){p, size};
}

/* `size` bytes of anything, the link's as by link_own(). Fresh memory would be zeroed by the kernel first. */
static inline void *link_take(Link *l, u64 size) {
  Bytes b = l->spare;
  if (size > b.len)
    return link_own(l, pages_alloc(size), size);
  l->spare = (Bytes){0};
  return link_own(l, (void *)(uintptr_t)b.p, b.len);
}

static inline File *file_at(const Link *l, FileId f) { return &l->files.at[f.i]; }
static inline File *atom_file(const Link *l, AtomId a) { return &l->files.at[l->atoms.at[a.i].file]; }

/* Asks the memory for the relocations of an atom that is going to be looked at soon. */
static inline void prefetch_edges(const Link *l, const Atom *a) {
  if (a->rel) {
    const u8 *p = l->files.at[a->file].data.p + a->rel_off;
    __builtin_prefetch(p);
    __builtin_prefetch(p + 64);
  }
}

/* Definition of a global symbol: file and symbol index there. Only when it has one (rank < RANK_NONE). */
static inline u32 key_file(u64 key) { return (u32)(key >> 32) & 0xffffff; }
static inline u32 key_index(u64 key) { return (u32)key; }
static inline u32 key_rank(u64 key) { return (u32)(key >> 56); }
static inline SymAux *sym_aux(const Link *l, u32 sym) {
  u32 x = l->syms.aux[sym];
  return x ? &l->syms.auxes[x - 1] : NULL;
}
/* Name of any symbol; for locals the file is searched (slow path). */
const char *sym_name(const Link *l, u32 sym);
/* "lib.a(member.o)" or the path; owned by the link arena or the file. Thread safe. */
const char *file_name(const Link *l, FileId f);
/* File that owns local symbol `sym` (binary search). */
FileId local_owner(const Link *l, u32 sym);
/* Name of an edge's kind, the CPU's or one that no CPU owns; the kind of a name: false when there is none. */
const char *edge_kind_name(const Link *l, u32 kind);
bool edge_kind_find(const Link *l, const char *name, u16 *kind);
/* Format.edge_stream of a format that finds no edge plain. */
u32 edges_as_stream(const Link *l, EdgeStream *st);
/* Stable order of symbols for the output: by file, then index, of the definition (or first reference). */
u64 sym_order(const Link *l, u32 sym);

/* Where an error about a place in an atom stands: "file.o:(.text+0x1f)". In the link arena: thread unsafe
 * variants use scratch[tid]. */
const char *place_of(Link *l, unsigned tid, AtomId a, u64 off);

/* Flushes messages; false when errors were reported: link_run returns. */
bool checkpoint(Link *l);

#endif
