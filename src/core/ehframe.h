/* ehframe.h: .eh_frame as records (LSB 5.0 Core, 10.6). Dead FDEs are dropped, equal CIEs shared, the
 * rest is written as one Synth (SYN_EH_FRAME) with .eh_frame_hdr (SYN_EH_FRAME_HDR) sorted by address.
 * The trap: dead strip must see an FDE's edges (its LSDA, its CIE's personality) as edges of the
 * function that the FDE describes. */
#ifndef WELD_CORE_EHFRAME_H
#define WELD_CORE_EHFRAME_H

#include "core/atom.h"

struct Link;

typedef struct {
  u32 atom;     /* the .eh_frame atom it came from */
  u32 off;      /* in that atom, of the length field */
  u32 size;     /* with the length field */
  u32 rel;      /* EdgeCursor.next of its first relocation */
  u32 nrel;     /* relocations from there on that may belong to it; those with an offset outside do not */
  u32 cie;      /* FDE: index in FileEh.cies; CIE: number of the equal CIE that is written, + 1 */
  u32 out;      /* offset in the output .eh_frame (CIE: of the equal one), or EH_DROPPED; after ehframe_build */
  u32 target;   /* FDE: AtomId that it describes; CIE: the encodings it gives (pass/ehframe_internal.h) */
  u32 index;    /* FDE: entry in .eh_frame_hdr, EH_DROPPED: none (it covers no bytes) */
} EhRecord;

#define EH_DROPPED UINT32_MAX

typedef struct {
  EhRecord *cies; u32 ncies;
  EhRecord *fdes; u32 nfdes; /* sorted by target atom; Atom.aux of the target is the first one + 1 */
} FileEh;

/* Parses the .eh_frame atoms of every live object (parallel by file). Before dead strip. Reports
 * malformed records and falls back to nothing: the section's records are dropped. */
void ehframe_parse(struct Link *l);
/* The FDEs of atom a: *n of them. */
const EhRecord *ehframe_fdes(const struct Link *l, AtomId a, u32 *n);
/* The edges of record r of file f, but for the one that leads from an FDE to its function, in batches: zero c
 * to begin, 0 is the end (buf: EDGE_BATCH of them). An FDE's CIE is file_at(l, f)->eh.cies[r->cie]. */
u32 ehframe_edges(const struct Link *l, FileId f, const EhRecord *r, EdgeCursor *c, Edge *buf);
/* What an FDE says of code. */
typedef struct {
  AtomId atom;   /* the function's; 0: none of this link */
  u64 off;       /* where it begins in the atom */
  u64 length;    /* of the code, bytes */
  AtomId lsda;   /* its table of handlers, 0: none */
  i64 lsda_off;  /* in that atom */
} EhRange;
/* Edges of records, decoded in batches that serve the records behind, too. Zero it to begin. */
typedef struct {
  u32 atom, first, n; /* `at` is [first, first + n) of the atom's */
  Edge at[EDGE_BATCH];
} EhWindow;
/* False: its CIE does not say how to read it. One window for many calls makes those in the order of records cheap. */
bool ehframe_range(const struct Link *l, FileId f, const EhRecord *fde, EhWindow *w, EhRange *out);
/* Leaves out those FDEs of file f for which drop[i] is set, as if they were not there. Between ehframe_parse and dead strip;
 * parallel by file. */
void ehframe_drop(struct Link *l, FileId f, const bool *drop);
/* Gives equal CIEs equal numbers in EhRecord.cie, until ehframe_scan. After dead strip; serial. */
void ehframe_number_cies(struct Link *l);
/* After dead strip, right after Arch.scan (which skips .eh_frame): hands the edges of the records that
 * stay to Arch.scan_edges, for what they need and what the output can't have. Parallel. */
void ehframe_scan(struct Link *l);
/* After dead strip: drops FDEs of dead atoms, shares CIEs, gives offsets, sizes the two Synths. */
void ehframe_build(struct Link *l);
/* After ehframe_build: offset in the output's .eh_frame where the records of file f begin, or would. */
u32 ehframe_begin(const struct Link *l, FileId f);

#endif
