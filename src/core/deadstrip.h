/* deadstrip.h: removes atoms that nothing needs (--gc-sections); and the two questions that this rests
 * on, for others who walk the same graph: what is a root, and what does an atom keep alive? */
#ifndef WELD_CORE_DEADSTRIP_H
#define WELD_CORE_DEADSTRIP_H

#include "core/link.h"

/* Clears ATOM_LIVE of what is not reached from a root. Needs final definitions, exports
 * (SF_EXPORTED) and KEEPs (layout_match_file). Does nothing unless options ask for it. */
void deadstrip(Link *l);

/* ---- roots ---- */

typedef enum {
  ROOT_ATOM,     /* id: an atom with ATOM_ROOT */
  ROOT_UNLOADED, /* id: an atom that is not loaded: it lives, and keeps nothing alive */
  ROOT_MADE,     /* id: an atom of unwind records, or of weld: likewise */
  ROOT_SYMBOL,   /* id: SymId of an export, or of a name that must be found */
  ROOT_NAME,     /* id: index in Link.weld_names: the command line or an expression names it */
} RootKind;
/* One call for each root. Of a root that is a symbol the atom that it is in is meant, if it is in one. */
typedef void RootFn(void *ctx, RootKind kind, u32 id);

/* What must live when `key` lives. */
typedef struct {
  u32 key, atom;
} Follow;
typedef struct {
  Follow *links;  /* by atom: atoms that follow it (ATOM_LINKORDER); sorted */
  u32 nlinks;
  Follow *starts; /* by SymId of __start_NAME or __stop_NAME: the atoms called NAME; sorted */
  u32 nstarts;
} Followers;

/* Visits the roots among live atoms (in order), then those among symbols, then the names. Fills *f, which
 * the caller frees. */
void deadstrip_roots(Link *l, Followers *f, RootFn *fn, void *ctx);
void followers_free(Followers *f);
/* Index of the first entry for `key`; n when there is none, or the next key's. */
u32 followers_find(const Follow *v, u32 n, u32 key);

/* ---- what an atom keeps alive ---- */

typedef enum {
  KEEPS_BY_EDGE,     /* it refers to it */
  KEEPS_BY_FDE,      /* its unwind records do (exception tables) */
  KEEPS_BY_CIE,      /* what its unwind records share does (personality routines) */
  KEEPS_NOTHING_MORE /* but for followers */
} KeepsKind;

/* Where the walk over an atom stands. Zero it and set atom (and once) to begin. */
typedef struct {
  AtomId atom;
  bool once;       /* leave out records (CIEs) that somebody has seen: each of them is shared by many atoms */
  KeepsKind kind;  /* of the batch that keeps_next() returned */
  u32 fde;         /* the FDE in hand, of ehframe_fdes() */
  EdgeCursor at;
} KeepsCursor;

/* The next batch of edges (EDGE_BATCH at most) by which an atom keeps others alive, all of one kind; 0 at the
 * end. Edge.target and, of local targets, Edge.S say whom. Thread safe. */
u32 keeps_next(const Link *l, KeepsCursor *c, Edge *buf);

#endif
