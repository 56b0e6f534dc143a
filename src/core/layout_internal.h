/* layout_internal.h: what the files layout*.c share. Nobody else includes it. */
#ifndef WELD_CORE_LAYOUT_INTERNAL_H
#define WELD_CORE_LAYOUT_INTERNAL_H

#include "core/layout.h"
#include "core/link.h"

enum { NO_RULE = UINT32_MAX, BLOCK = 4096 /* atoms whose offsets one thread tells */ };

/* What is ordered together: one statement's run of joined patterns. */
typedef struct {
  u32 stmt, pattern;
  u32 osec;
  u32 n, at; /* places in its section */
} Slot;

/* A step of the walk. */
typedef struct {
  u32 stmt; /* UINT32_MAX: an orphan */
  u32 osec; /* 0: the statement makes none */
  u32 weld; /* of an assignment: index in Link.weld_names, UINT32_MAX: nobody asked for it */
  bool nothing; /* a section without inputs, about which nobody says anything: most of a default layout */
} Item;

/* What DATA_SEGMENT_* said (layout_relro.c). */
typedef struct {
  enum { DATA_NONE, DATA_RELRO /* begins at `base` */, DATA_PAGE /* a page is saved */, DATA_NEXT_PAGE } adjust;
  bool begun, has_relro, ended; /* which were evaluated */
  u64 base, max, common;        /* where the segment begins; page sizes */
  u64 relro_end, relro_offset;  /* end of the region; how many bytes of it stand behind the location counter */
  u64 end;
  u64 first_base, wanted;       /* before it was adjusted: base, and the end of the region that was aimed at */
} DataSegment;

/* What a symbol of the layout has got: by index in Link.weld_names, of the one that won the name. */
typedef struct {
  ExprValue value;  /* relative to a section, or an address */
  u32 stamp;        /* Layout.walk when it was assigned last, 0: never */
  u32 place;        /* Link.norder at that time */
  bool next, ended; /* Layout.prefer_next, .ended at that time */
} Assigned;

/* A line of MEMORY { }. */
typedef struct {
  const LayoutRegion *r;
  u64 origin, length;
  u64 current;      /* behind what was put there so far */
  u32 last;         /* the section whose distance of addresses the next one keeps, 0: none */
  bool full;        /* a section that does not fit was reported */
} Region;

/* Where an output section is to stand and to be loaded; NULL: nobody says. */
typedef struct {
  Region *region, *lma;
} Home;

/* The body of a statement. Atoms stand in runs: run k before body statement k, one more behind the last. */
typedef struct {
  u32 n;
  const u32 *weld;  /* by body statement: index in Link.weld_names, UINT32_MAX: none */
  u64 *begin, *end; /* by run: offsets as of the last round */
  const Expr *maybe; /* `. = . + symbol` moves the location counter when that is not 0 */
  bool moves;       /* the location counter */
  bool data;        /* it has bytes of its own: BYTE, ASCII, ... */
  bool keeps;       /* so the section is there though no input has a byte for it */
  bool symbols;     /* it gives symbols values */
} Body;

enum { SEGMENT_TEXT = 1, SEGMENT_DATA = 2, SEGMENT_BSS = 4 };

typedef struct Layout {
  bool *writable, *readonly; /* by statement, of those with ONLY_IF_*: an input section of it can be written, can't be */
  VEC(Slot) slots;
  u32 *first_slot; /* by statement */
  u32 *first_rule; /* by statement: where its patterns begin in rule_slot */
  u32 *rule_slot;  /* by statement and pattern */
  u32 *stmt_osec;  /* by statement: the output section that it describes, 0: none */
  u32 described;   /* osecs before this one are of statements, orphans come behind */
  VEC(Item) items;
  /* By place: atoms of a section stand together, from Osec.first on. What addresses need is copied here when
   * an atom gets its place, so that the cold part of atoms is read only once. */
  AtomId *ids;
  u64 *sizes;
  u8 *p2aligns;
  u32 nplaces;
  u32 *synth_place; /* by Synth: its place in its section */
  u32 nsynths;      /* that have one there */
  u64 *starts;      /* scratch: offsets of the blocks of a section */
  u64 dot;         /* location counter, an address */
  u64 free;        /* where a section without an address goes that is in no region */
  Body *bodies;    /* by statement */
  Assigned *assigned;
  u32 nassigned;
  Region *regions; /* by index in LayoutDesc.regions */
  Home *homes;     /* by output section */
  u32 *stamps;     /* by output section: Layout.walk when it was placed last */
  u64 *old_sizes;  /* by output section: as of the walk before */
  u64 *bases;      /* by output section: its address, as far as the offsets of its atoms depend on it */
  bool ahead;      /* this round read what it had not computed yet */
  bool sizes_ahead; /* ... that was a size, which does not depend on where sections stand */
  bool moved;      /* ... and something has another value than the round before: say who */
  const LayoutStmt *mover;
  const char *mover_name;
  VEC(LayoutMark) marks; /* of the section in hand, in the last round */
  const u8 *fill;  /* what gaps are filled with there */
  u32 nfill;
  bool prefer_next, ended; /* `.` was assigned since the last section; a symbol `end` was */
  u32 segments_used; /* SEGMENT_*: the script asked where they begin, so -Ttext is no address of .text */
  u32 last;        /* Region.last of the memory that is in no region */
  u32 overlay, overlay_first; /* the OVERLAY in hand and its first section */
  u64 overlay_end;
  u64 gap;         /* what aligning the section in hand cost */
  DataSegment data;
  bool data_begun; /* DATA_SEGMENT_ALIGN was evaluated in an earlier walk */
  bool again;      /* not the first walk of the round: sizes of Synths are known */
  bool final;      /* errors count */
  u32 overflow;    /* a section whose addresses (or offsets in the file) do not fit into 64 bits, as of this walk, 0: none */
  u32 too_large;   /* one whose inputs do not */
  u32 round;
  u32 walk;        /* how many there were: one a round at least */
} Layout;

/* What an expression or a statement is evaluated in. */
typedef struct {
  Link *l;
  Layout *y;
  u32 osec;    /* the section whose body it stands in, 0: none */
  const char *own; /* the symbol that gets the value, or NULL */
  ExprEnv env;
} LayoutEnv;

/* Who calls whom: layout.c's walk() runs the statements of the description. layout_find_place() says where a section begins,
 * layout_place() runs its inside, layout_end_section() says where it is loaded and what follows; all three evaluate through
 * layout_eval() and assign through layout_run_assignment(). */

/* layout_eval.c */
u64 layout_max_page(const Link *l);
u64 layout_common_page(const Link *l);
LayoutEnv layout_env(Link *l);
bool layout_eval(LayoutEnv *e, const Expr *x, ExprValue *out);
/* The address that a value is where it stands: in a body a number is an offset in its section. */
u64 layout_address(const LayoutEnv *e, ExprValue v);
/* An expression outside of bodies. False: there is none, or it has no value. */
bool layout_eval_address(LayoutEnv *e, const Expr *x, u64 *out);
/* Gives `.` or the symbol its value. weld: index in Link.weld_names, UINT32_MAX: nobody asked for it. */
void layout_run_assignment(LayoutEnv *e, const LayoutStmt *st, u32 weld);
void layout_run_assert(LayoutEnv *e, const LayoutStmt *st);
/* --defsym's symbols, for who asks. */
void layout_run_options(LayoutEnv *e);
/* This round came to another result than the last one. `what`: a symbol, a section, a region. */
void layout_note_moved(Layout *y, const LayoutStmt *st, const char *what);
/* After the last round: addresses and sections of symbols. */
void layout_settle_symbols(Link *l);

/* layout_regions.c */
void layout_prepare_regions(Link *l);
/* What NOLOAD, READONLY and types that are not allocated say of their sections; before orphans look for their like. */
void layout_stmt_flags(Link *l);
/* NOLOAD, READONLY, TYPE and their like, and what a section without inputs is; before the rounds. */
void layout_section_types(Link *l);
void layout_begin_regions(LayoutEnv *e);
/* NULL: there is none of that name. */
const Region *layout_region(LayoutEnv *e, const char *name);
/* The alignment that an expression asks for, a power of two; 0: none, or the expression is NULL. `what` is for messages. */
u64 layout_alignment(LayoutEnv *e, const Expr *x, const char *what);
/* The one that ALIGN() behind the colon asks for; 1: none. */
u64 layout_stmt_align(LayoutEnv *e, const LayoutStmt *st);
/* Gives the section its address. `align`: what its inputs and statements want. */
void layout_find_place(LayoutEnv *e, u32 osec, u64 align);
/* An empty section: where `.` goes, and symbols of its body. */
void layout_skip_section(LayoutEnv *e, u32 osec, u64 align);
/* Item.nothing; layout_pass_section() is what such an item comes to. */
bool layout_says_nothing(const Link *l, const Item *it);
void layout_pass_section(Layout *y, u32 osec, Osec *o);
/* The section was placed: its load address, and where `.` and its regions are now. `room`: bytes of memory that it takes. */
void layout_end_section(LayoutEnv *e, u32 osec, u64 align, u64 room);
/* Sections that a script makes for nothing but a location counter, which did not move. After the last round. */
void layout_settle_types(Link *l);
/* After the last round: sections that stand on each other, regions that are too small. */
void layout_check_places(Link *l);

/* layout_relro.c: the values of DATA_SEGMENT_*. */
u64 layout_data_segment_align(Layout *y, u64 max, u64 common);
u64 layout_data_segment_relro_end(Layout *y, u64 offset, u64 at);
u64 layout_data_segment_end(Layout *y, u64 at);
/* After a walk: must there be another one, from another base? */
bool layout_data_segment_again(Link *l, Layout *y);
/* After the last walk: Osec.relro, Link.relro_begin and relro_end. */
void layout_data_segment_settle(Link *l, const Layout *y);

/* layout_body.c. Sizes and alignments are the input's: together they may be more than there is (Layout.overflow). */
u64 layout_align(Layout *y, u32 osec, u64 v, u64 align);
u64 layout_add(Layout *y, u32 osec, u64 v, u64 size);
void layout_prepare_bodies(Link *l);
/* Has the section bytes, or a statement that wants it to be there? */
bool layout_is_there(LayoutEnv *e, Osec *o);
/* Offsets of all that is in the section, which is at o->addr, and its size. */
void layout_place(LayoutEnv *e, Osec *o);

/* layout_orphans.c: puts items for them among those of a script's statements. */
void layout_place_orphans(Link *l);

/* layout_described.c: the same for descriptions that are no scripts. */
void layout_place_described(Link *l);

/* layout_take.c: what weld makes is put into Link.rules as the atoms of files were. */
void layout_match_synths(Link *l);
/* What takes the atom, as layout_match() answers. */
struct LayoutHit;
bool layout_ask(Link *l, u32 a, struct LayoutHit *hit);
/* --unique=PATTERN: an output section of its own, as if the description did not know it. */
bool layout_is_unique(const Link *l, u32 a);
/* Does the statement apply (ONLY_IF_RO, ONLY_IF_RW)? */
bool layout_applies(const Link *l, u32 stmt);

/* layout_sort.c: the order of a section's atoms, where it is not the input's. */
void layout_shuffle(Link *l);
void layout_sort_slots(Link *l);
void layout_sort_priority(Link *l);
void layout_sort_link_order(Link *l);
void layout_reverse_ctors(Link *l);

/* An atom that stands before the one at `place` of a section, which has not got it yet. */
typedef struct {
  u32 osec, place, atom;
} LayoutInsert;
/* Puts them there, in the order of sections and places that they have. Between two walks. */
void layout_insert(Link *l, const LayoutInsert *in, u32 n);
void layout_free_places(Layout *y);

/* Tells n atoms of a section, from its place `at` on, the places that they have now. */
void layout_tell_places(Link *l, const Osec *o, u32 at, u32 n);
u32 layout_find_osec(const Link *l, const char *name);

#endif
