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
  u64 dot;         /* location counter; inside an output section: its address + offset */
  u32 osec;        /* the section that `.` stands in or last stood in */
  DataSegment data;
  bool data_begun; /* DATA_SEGMENT_ALIGN was evaluated in an earlier walk */
  bool again;      /* not the first walk of the round: sizes of Synths are known */
  bool final;      /* errors count */
  u32 overflow;    /* a section whose addresses (or offsets in the file) do not fit into 64 bits, 0: none */
  u32 round;
} Layout;

/* What an expression or a statement is evaluated in. */
typedef struct {
  Link *l;
  Layout *y;
} LayoutEnv;

/* Who calls whom: layout.c's walk() runs the statements of the description, layout_place() the inside of an output section;
 * both evaluate through layout_eval() and assign through layout_run_assignment(). */

/* layout_eval.c */
u64 layout_max_page(const Link *l);
u64 layout_common_page(const Link *l);
bool layout_eval(LayoutEnv *e, const Expr *x, ExprValue *out);
/* Gives `.` or the symbol its value. weld: index in Link.weld_names, UINT32_MAX: nobody asked for it. */
void layout_run_assignment(LayoutEnv *e, const LayoutStmt *st, u32 weld);

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
/* Offsets of all that is in the section, and its size; o->addr is known where its body asks for it. */
void layout_place(LayoutEnv *e, Osec *o);

/* layout_orphans.c: puts items for them among those of a script's statements. */
void layout_place_orphans(Link *l);

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
u32 layout_weld_of_stmt(const Link *l, const LayoutStmt *st);

#endif
