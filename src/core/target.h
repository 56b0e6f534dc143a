/* target.h: what the core sees of CPUs and formats: two const tables. Entry points take a range of
 * atoms, so dispatch costs one indirect call a range (edges: one a batch). A new CPU or format is a
 * new row, never an `if`. */
#ifndef WELD_CORE_TARGET_H
#define WELD_CORE_TARGET_H

#include "core/atom.h"
#include "core/intern.h"
#include "core/layout.h"
#include "util/arena.h"
#include "util/bytes.h"

struct Link;
struct YamlAtom; /* format/yaml_graph.h */

/* Dynamic relocations, by meaning; the format gives numbers and bytes. */
typedef enum {
  DYN_RELATIVE,  /* base + addend */
  DYN_ABS,       /* symbol + addend, pointer sized */
  DYN_ABS32, DYN_PC32, DYN_PC64, DYN_SIZE, /* only with -z notext or in unusual code */
  DYN_GLOB_DAT, DYN_JUMP_SLOT, DYN_COPY,
  DYN_DTPMOD, DYN_DTPOFF, DYN_TPOFF, DYN_TLSDESC,
  DYN_IRELATIVE, /* resolver at base + addend */
  DYN_KINDS
} DynKind;

typedef struct {
  u64 addr;   /* where */
  i64 addend;
  u32 sym;    /* SymId; NO_SYM.i: none */
  u32 kind;   /* DynKind */
} DynRel;

/* Strong definitions that join instead of being duplicates. */
typedef enum { JOIN_NO, JOIN_SAME_SIZE /* the first; all are as large */, JOIN_LARGEST /* the largest SymRec.size */ } SymJoin;

/* Where atoms are symbols: does an atom stay when this name of it is won by another file? */
typedef enum { KEEP_NO, KEEP_NAMED /* while another global name of it is not lost */, KEEP_ALWAYS } SymKeep;

/* One symbol of a file, decoded. Batches of them serve the resolver. */
typedef struct {
  u64 value;   /* offset in its section; absolute: the address; common: the alignment */
  u64 size;
  u32 index;   /* in the file */
  u32 section; /* atom = file.atom_base + section; 0: absolute or none */
  u32 flags;   /* SF_FUNC SF_TLS SF_IFUNC SF_ABSOLUTE SF_PROTECTED SF_UNIQUE; SF_WEAK for weak references too */
  u8 rank;     /* RANK_STRONG, RANK_WEAK, RANK_COMMON or RANK_NONE (undefined), as if the file were live */
  u8 vis;      /* ELF st_other visibility */
  u8 skip;     /* takes no part (shared: a version that is not the default) */
  u8 join;     /* SymJoin: strong, and yet several may have the name */
  u8 large;    /* common: of the large code model's data */
  u8 keep;     /* SymKeep */
} SymRec;

/* An edge, for those who only want to know where it stands and which atom it leads to; 0: none. */
typedef struct {
  u32 offset, atom;
} EdgeEnd;

/* What most of the resolver wants of a symbol, in one number: SymRec.rank, whether it is weak, vis, section. */
enum { SK_RANK = 0xff, SK_WEAK = 1 << 8, SK_VIS_SHIFT = 9, SK_VIS = 3, SK_SECTION_SHIFT = 32 };

/* Program properties of one file (psABI, "Program Property"); a repeated property is or-ed. */
typedef struct {
  u32 feature_1_and; /* 0 when absent: absent and "no feature" mean the same */
  u32 isa_1_needed;
  u32 isa_1_used;
  bool has_isa_1_used; /* the merged value exists only when every file has one */
} Properties;

/* A definition in a shared library, for copy relocations. */
typedef struct {
  u64 value;     /* address in the library */
  u64 size;      /* 0: unknown */
  u64 align;     /* power of two: of its section, or as the address shows, whichever is less */
  bool readonly; /* in a segment that is read-only at run time, PT_GNU_RELRO included */
} SharedSym;

/* How far edges of a kind reach that may be branches: what is written, S + A - P, is `back` at least and `ahead` at most. All 0:
 * the kind is no branch. In code one of EC_BRANCH always is, of another class where Arch.only_branches() says so. */
typedef struct {
  i64 back, ahead;
  i8 bias; /* A that makes a branch land on the first byte of its target: -4 where it counts from its own end */
} BranchReach;

/* A field of a branch island, whose target is where the island goes. */
typedef struct {
  u16 kind;
  u8 offset;
  i8 addend;
} ThunkEdge;

/* A branch island (thunk): code that goes on to a place farther away than most branches reach (core/thunks.h). Arch.thunk_size
 * bytes. */
typedef struct {
  const u8 *bytes; /* as text shows them: with nothing in the fields */
  const ThunkEdge *edges;
  u8 nedges, p2align;
  i64 back, ahead; /* how far from its own first byte it can go */
} ThunkShape;
/* What an edge asks of its target, for passes that know no CPU's kinds. S is the target's address, G that of its slot. */
typedef enum {
  EC_NONE,     /* nothing is written: it keeps the target alive */
  EC_BRANCH,   /* S + A - P of a jump or call: a stub or a thunk may stand for the target */
  EC_PCREL,    /* S + A - P: the target must be at a fixed distance */
  EC_PAGE,     /* the page of S + A, relative to that of P: likewise */
  EC_PAGEOFF,  /* S + A within its page: likewise */
  EC_POINTER,  /* S + A, as wide as a pointer: may be relocated or bound at run time */
  EC_ABS,      /* S + A, narrower: the value must be known */
  EC_SUBTRACT, /* -S: the next edge, at the same place, is the minuend with the whole addend. The two are one field, S2 + A - S1 */
  EC_GOT,      /* the slot itself: G + A, relative to P */
  EC_GOT_LOAD, /* part of a load of the slot, which may become a computation of S */
  EC_TLV_LOAD, /* the same of a pointer to a thread-local variable's descriptor */
  EC_OTHER,    /* means something to one format only (ELF's models of TLS, ...) */
} EdgeClass;

/* How writing a field went. */
typedef enum {
  FIX_OK,
  FIX_RANGE, /* the value does not fit: Arch.fix_range() says what does */
  FIX_ALIGN, /* the value is no multiple of what the instruction counts in */
  FIX_KIND,  /* no field of this kind can be written so */
} FixResult;

typedef struct Arch {
  const char *name;      /* "x86_64" */
  const char *also;      /* another name that triples have for it ("arm64"), or NULL */
  u64 max_page_size, common_page_size, image_base; /* image_base: of non-PIC executables */
  u32 plt_header_size, plt_entry_size, plt_got_entry_size, plt_sec_entry_size;
  u32 got_slot_size;     /* bytes of a slot in .got and .got.plt */
  u32 gotplt_reserved;   /* slots at the start of .got.plt */
  u32 fill;              /* byte that pads code */
  u32 fill_through;      /* byte that pads code which runs on over the gap (.init, .fini); 0: as fill */
  /* Looks at every edge of the live, allocated atoms of the range: ors needs into symbols.needs,
   * counts atoms.nrel / nsymrel, reports relocations that the output kind can't have. Parallel. */
  void (*scan)(struct Link *l, AtomRange r, unsigned tid);
  /* Relocates n atoms whose bytes were copied to out->bytes (atom a is at addr[a] - out->addr there). Also
   * makes their dynamic relocations: relative ones in out->rel, which has room for those of these atoms and
   * those between them, the others in Link.dynrel. Parallel. */
  void (*apply)(struct Link *l, const AtomId *atoms, u32 n, const ApplyOut *out, unsigned tid);
  /* The bytes of .plt, .plt.sec and .plt.got, whole. */
  void (*write_plt)(struct Link *l, u8 *out);
  void (*write_plt_sec)(struct Link *l, u8 *out);
  void (*write_plt_got)(struct Link *l, u8 *out);
  /* One past the thread pointer's variant: value of TLS address `addr` relative to the thread pointer. */
  i64 (*tp_offset)(const struct Link *l, u64 addr);
  const char *tls_helper; /* function whose calls vanish where TLS models are relaxed (executables) */
  u32 nkinds;             /* kinds of edges are below */
  const u8 *edge_bytes;   /* by kind: how many bytes it looks at or writes, from its offset on */
  const char *(*edge_name)(u32 kind); /* "R_X86_64_PC32": the psABI's own name, for messages */
  /* scan() of n edges of atom a that the caller picked (records of .eh_frame, whose atoms scan() skips). */
  void (*scan_edges)(struct Link *l, AtomId a, const Edge *e, u32 n, unsigned tid);
  /* Relocates one field of an unwind table: kinds that are S + A or S + A - P, of 4 or 8 bytes, also through
   * the GOT. False when the kind is none of these or the value does not fit: the caller reports. Thread safe. */
  bool (*apply_one)(struct Link *l, const Edge *e, u8 *place, u64 place_addr);
  /* Folding: does the edge of that kind at `off` of atom a only transfer control to its target? */
  bool (*only_branches)(const Atom *a, u32 kind, u64 off);
  /* Does the code of atom a make an address in itself without an edge that shows it? May be too careful. */
  bool (*knows_itself)(const Atom *a);
  u64 kinds_by_symbol;   /* bit for each kind whose value depends on more of the target than where it is: its size */
  u32 special, special_unloaded; /* SF_*: targets that edges of allocated atoms, and of others, can't just add up */
  /* Edge e of atom a as it describes the field once apply() is done, for outputs that keep their relocations: where an instruction
   * becomes another, e's kind, place and addend change. After layout. NULL: never. Thread safe. */
  void (*relaxed)(const struct Link *l, AtomId a, Edge *e);
  /* True when the kind is a plain address (not relative to the place): needs a dynamic relocation in PIC output. */
  bool (*edge_is_absolute)(u32 kind);

  /* One field at a time, for passes that know no CPU. Addresses go in, bytes come out; nothing here knows a format or a Link.
   * Thread safe. */
  const u8 *edge_class;   /* by kind: EdgeClass */
  /* Writes a field: edge_bytes[kind] bytes at `place`, which stands at address P. For EC_GOT, EC_GOT_LOAD and EC_TLV_LOAD S is the
   * slot's address. A pair with an EC_SUBTRACT is written by its second edge, with the subtrahend taken off A. *value: what did not
   * fit, or was no multiple. */
  FixResult (*fix)(u32 kind, u8 *place, u64 P, u64 S, i64 A, i64 *value);
  /* The smallest and the largest value that the kind can hold. */
  void (*fix_range)(u32 kind, i64 *min, i64 *max);
  /* Is the field at bytes[off] (of `size`) part of a load of a slot (EC_GOT_LOAD, EC_TLV_LOAD) that may become a computation of the
   * target's own address? *as: the kind that the field then has. All fields of one load agree. */
  bool (*can_relax)(u32 kind, const u8 *bytes, u64 size, u64 off, u16 *as);
  /* Makes it so; `place` is the field, in bytes of which can_relax() said yes. */
  void (*relax)(u32 kind, u8 *place);
  /* Code that stands for a target that is far away or elsewhere. Each writes its size in bytes for address `at`; false: out of reach. */
  u64 branch_reach;       /* an EC_BRANCH reaches that far forward and backward; 0: as far as any image is large */
  u32 thunk_size, stub_size, stub_helper_size, stub_helper_entry_size, objc_stub_size;
  bool (*write_thunk)(u8 *out, u64 at, u64 target);
  const BranchReach *branches; /* by kind */
  const ThunkShape *thunk;     /* NULL: branches reach what they can be linked with, always */
  bool (*write_stub)(u8 *out, u64 at, u64 pointer); /* jumps to what `pointer` holds */
  /* Lazy binding by dyld's documented protocol. The helper pushes the address `loader_data` behind the number that an entry
   * passed it and jumps to what `binder` (a slot) holds; an entry passes `number` and jumps to the helper. */
  bool (*write_stub_helper)(u8 *out, u64 at, u64 loader_data, u64 binder);
  bool (*write_stub_helper_entry)(u8 *out, u64 at, u64 helper, u32 number);
  /* Loads what `selector` holds as the second argument and jumps to what `send` holds (objc_msgSend). */
  bool (*write_objc_stub)(u8 *out, u64 at, u64 selector, u64 send);
} Arch;

/* Whether a triple (arm64-apple-macos11) is for this CPU: its first word counts. */
static inline bool arch_is_meant(const Arch *a, const char *triple) {
  const char *const names[] = {a->name, a->also};
  for (u32 i = 0; i < COUNT_OF(names); i++) {
    u64 n = names[i] ? strlen(names[i]) : 0;
    if (n && !strncmp(triple, names[i], n) && (!triple[n] || triple[n] == '-'))
      return true;
  }
  return false;
}

static inline EdgeClass edge_class(const Arch *a, u32 kind) { return kind < a->nkinds ? (EdgeClass)a->edge_class[kind] : EC_NONE; }

/* Where a place of an input is in its source. Strings live in the arena that was passed. */
typedef struct {
  const char *file;     /* as the debug information says, relative to where the compiler ran; or NULL */
  u32 line;
  const char *function; /* symbol (mangled) that the place is in, or NULL */
} SourcePlace;

/* One call for each symbol that an EachSymbol hook visits; name ends with NUL. */
typedef void SymbolFn(void *ctx, const char *name, const SymRec *r);
/* One call for each name, `len` bytes without NUL. */
typedef void NameFn(void *ctx, const char *name, u64 len);

/* One call for each pair of functions in a profile: `from` called `to` so often. */
typedef void CallFn(void *ctx, SymId from, SymId to, u64 weight);

/* What an output section is for, where sections are placed that a script does not name. */
typedef enum { SECTION_PLAIN, SECTION_NOTE, SECTION_RELOCS /* for the dynamic linker */, SECTION_ARRAY /* of functions to run */ } SectionClass;

typedef struct Format {
  const char *name; /* "elf64-x86-64" */
  u8 word;          /* bytes of a pointer in this format's tables: ELF class */
  const void *machine; /* the format's own facts of the CPU */
  bool rel;         /* relocations of the output have no addend of their own: it is in the field (ELF: SHT_REL) */
  /* An atom is what one symbol names (not a section that may hold many): one that loses its name is gone, a
   * tentative definition is an atom like any other. */
  bool atoms_are_symbols;
  bool no_neutral_edges; /* all edges are the CPU's: none means order or a shared fate, so nobody need look for them */
  bool visible_wins;         /* hidden is what the winner says, and no weak definition that is not hidden (kind: 3) contradicts */
  bool weak_references_load; /* a weak reference loads archive members like any other */
  /* ... and must be met like any other: "weak" says that the library may be missing when the program runs. */
  bool weak_must_be_met;
  /* Fills buf (EDGE_BATCH of them) with the next edges of c->atom; 0 at the end. A relocation that is
   * malformed (unknown type, offset outside, bad symbol index) is reported once, at scan, and skipped. */
  u32 (*edges)(const struct Link *l, EdgeCursor *c, Edge *buf);
  /* The format's number of a CPU's kind, as its relocations have it. */
  u32 (*edge_number)(const struct Link *l, u32 kind);
  /* Where relocations have no addend of their own (rel): how many bytes of the field are the addend of one of that kind. */
  u32 (*addend_bytes)(const struct Link *l, u32 kind);
  /* The same for the atoms of a stream, without the plain edges: fills run and edge; 0 at the end, else 1. */
  u32 (*edge_stream)(const struct Link *l, EdgeStream *s);
  /* Name of the atom's input section; owned by the input. */
  const char *(*atom_name)(const struct Link *l, AtomId a);
  /* Turns round the order of the pointers that the atom holds, content and relocations; false when they
   * don't fill it. Serial, between scan and dynrel_assign. */
  bool (*reverse_pointers)(struct Link *l, AtomId a);
  /* Name of a symbol of file f by its index there (locals too); "" when it has none. */
  const char *(*sym_name)(const struct Link *l, FileId f, u32 index);
  /* One dynamic relocation to bytes of dynrel_size. */
  u32 dynrel_size;
  void (*encode_dynrel)(const struct Link *l, const DynRel *r, u8 *out);
  /* Address of local symbol `index` of object f, as Edge.S of an edge without addend. After layout. */
  u64 (*local_value)(const struct Link *l, FileId f, u32 index);
  /* Size of a symbol as its file (object or shared library) says; 0 when unknown. */
  u64 (*sym_size)(const struct Link *l, FileId f, u32 index);
  /* Where dynamic symbol `index` of shared library f stands in it; false when it is not defined there,
   * or is absolute or thread-local (those can't be copied). Serial. */
  bool (*shared_symbol)(const struct Link *l, FileId f, u32 index, SharedSym *out);
  /* The atom that holds what edge e of file f points at, and in *off where in it (S + A; may lie outside);
   * 0 when the target is not defined in an atom. Right at any time after resolve, also for dead atoms. */
  AtomId (*edge_atom)(const struct Link *l, FileId f, const Edge *e, i64 *off);
  /* Where each edge of atom a stands, and edge_atom()'s answer without the offset: as many as Atom.rel says. False, buf
   * undefined, when one is not plain, of 4 or 8 bytes, or malformed: edges() and edge_atom() say more. */
  bool (*edge_ends)(const struct Link *l, AtomId a, EdgeEnd *buf);
  /* Folding (core/icf.h). Relocations [*next, end) of atom a, EDGE_BATCH at most; returns how many, 0 at the end. */
  u32 (*edge_targets)(const struct Link *l, AtomId a, u32 *next, u32 end, EdgeTarget *buf);
  /* Does the atom join others of its kind that have the same content and edges? NULL: none does, as atoms. */
  bool (*by_content)(const struct Link *l, AtomId a);
  /* Sets marks[a] |= mark for each atom of which file f may compare the address: what its table of address-significant
   * symbols names, but for atoms with a flag of `except` (ATOM_*). False: it has no such table, or one that it is not safe
   * to believe; of the atoms that its symbols are in all that hold no code were marked. `marks` is shared by threads. */
  bool (*significant)(struct Link *l, FileId f, u8 *marks, u8 mark, u16 except);
  /* Why atom a is a root as its format has it ("init array"); NULL: the layout says KEEP. */
  const char *(*root_reason)(const struct Link *l, AtomId a);
  /* The profile of calls that object f holds, if any: one call for each pair. Reports what is malformed. */
  void (*call_graph)(struct Link *l, FileId f, void *ctx, CallFn *fn);
  /* What the file's .note.gnu.property says; false when it has no such note. */
  bool (*properties)(const struct Link *l, FileId f, Properties *out);

  /* Resolver. Checks the file's headers and finds its symbols (parallel by file); false after a report. */
  bool (*open)(struct Link *l, FileId f, unsigned tid);
  /* One entry for each global name that takes part; room for nsyms - first_global. Parallel. */
  u32 (*names)(struct Link *l, FileId f, InternEnt *out);
  /* Globals [from, ...) of a file, up to cap; returns how many (0 at the end). */
  u32 (*symbols)(const struct Link *l, FileId f, u32 from, SymRec *buf, u32 cap);
  /* The same, one number each (SK_*). */
  u32 (*kinds)(const struct Link *l, FileId f, u32 from, u64 *buf, u32 cap);
  /* The records of n definitions anywhere, by key (core/resolve.h). Leaves those of keys without a definition,
   * and of file 0, as they are. */
  void (*definitions)(const struct Link *l, const u64 *keys, u32 n, SymRec *buf);
  /* Finds the file's COMDAT groups (File.groups). May believe in the usual order of sections, unless
   * Link.scattered_groups is set; atoms() sets it when that was wrong, and both are called again. */
  void (*groups)(struct Link *l, FileId f, unsigned tid);
  /* Marks the members of groups that lost as ATOM_DISCARDED, and makes atoms of all else. */
  void (*atoms)(struct Link *l, FileId f, unsigned tid);

  /* Does object f ask for an executable stack? */
  bool (*wants_execstack)(const struct Link *l, FileId f);
  /* Does it say anything about the stack? */
  bool (*has_stack_note)(const struct Link *l, FileId f);
  /* ATOM_ALLOC ... ATOM_LARGE and ATOM_ZEROFILL of a section type and flags of the format. */
  u32 (*atom_flags)(u32 type, u64 attr);
  /* Finds definitions for names with an explicit version (foo@V1), when there are any. Serial, after claims. */
  void (*versioned)(struct Link *l);

  /* Layout. Gives an output section its type and flags, from its atoms. */
  void (*output_section)(const struct Link *l, Osec *o);
  /* By its atoms, before output_section(). NULL: all are plain. */
  SectionClass (*section_class)(const struct Link *l, const Osec *o);
  /* Sections that follow each other and have one number share a segment, which begins on a page of its own in memory and
   * in the file and is in the file as it is in memory, but for zero fill at its end. 0: the segment of the headers. Any round of
   * layout. NULL: permissions decide, a place in the file only fits its address modulo the page size, and TLS zero fill takes no room
   * in the image. */
  u32 (*segment_of)(const struct Link *l, const Osec *o);
  /* Bytes of headers at the start of the file, once sections and their order are known; makes
   * Link.segments without addresses. Asked again each round. */
  u64 (*plan_segments)(struct Link *l);
  /* Fills Link.segments from final addresses. */
  void (*finish_segments)(struct Link *l);

  /* The graph as text (write/yaml.c). All that text says of an atom but its references; strings live in the
   * arena or as long as the link. */
  void (*describe)(const struct Link *l, AtomId a, Arena *arena, struct YamlAtom *out);
  /* The same of symbol `index` of f, when it is undefined, a shared library's or absolute; false: when it is none of these,
   * or nobody but weld mentions it. */
  bool (*describe_symbol)(const struct Link *l, FileId f, u32 index, Arena *arena, struct YamlAtom *out);
  /* Group k of File.groups: writes the atoms of its members that are in the link to `out`, unless that is NULL; returns how many, and
   * its name. NULL: groups are atoms. */
  u32 (*group_members)(const struct Link *l, FileId f, u32 k, u32 *out, const char **name);
  /* Where atoms are symbols: what the atom that won a name takes over from one that lost it. Serial. */
  void (*absorb)(struct Link *l, AtomId winner, AtomId loser);

  /* Messages and maps (slow paths). */
  /* Named local symbols of an object, and the names that a shared library keeps to itself (r->section is
   * 0 then). r->rank is RANK_STRONG; section symbols and file names are left out. */
  void (*each_local)(const struct Link *l, FileId f, void *ctx, SymbolFn *fn);
  /* Debug information of a live object: open once, ask often, close. Serial. open may return NULL. */
  void *(*locator_open)(const struct Link *l, FileId f);
  bool (*locator_find)(void *locator, AtomId a, u64 off, Arena *arena, SourcePlace *out);
  void (*locator_close)(void *locator);
  /* Of a shared library: its name for the loader, and the NULL-ended names of those it needs (or NULL). */
  const char *(*shared_name)(const struct Link *l, FileId f, const char *const **needed);
  /* Version that symbol `index` of a shared library asks for or has; NULL when it has none. */
  const char *(*shared_version)(const struct Link *l, FileId f, u32 index);
  /* Global names that a library (archive with an index, or shared) which is not in the link defines. */
  void (*library_names)(Bytes library, void *ctx, NameFn *fn);
} Format;

#endif
