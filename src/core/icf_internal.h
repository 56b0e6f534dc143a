/* icf_internal.h: what the files icf*.c share. Nobody else includes it. Who may be folded is the
 * business of the caller (icf.c), who says the same that of icf_equal.c, who refers to the same
 * that of icf_split.c. */
#ifndef WELD_CORE_ICF_INTERNAL_H
#define WELD_CORE_ICF_INTERNAL_H

#include "core/link.h"
#include "util/hash.h"

enum { ICF_GRAIN = 256 }; /* atoms, classes */

typedef VEC(u32) U32Vec;
typedef VEC(u64) Words;

typedef struct {
  u32 begin, end; /* in Equal.member */
  u32 dirty;      /* how many of them, at the end, may have another signature by now */
  u64 signature;  /* of all others */
} Class;

/* Some numbers in an array of all. */
typedef struct {
  u32 at, n;
} Span;

typedef struct {
  u64 signature;
  u32 member;
} Signed;

/* One thread's memory. */
typedef struct {
  Words words, other;
  U32Vec targets, other_targets;
} Tmp;

typedef struct {
  Link *l;
  const u32 *atom; /* the candidates that have a chance, n of them */
  u32 n;
  u32 *of_atom; /* by atom: index in `atom` + 1; 0: none */
  u32 *shape;   /* by candidate: hash of what is cheap to know */
  Hash128 *digest;
  Span *span; /* by candidate: the candidates it refers to, in `targets` of its chunk, in the order
                 of its edges */
  U32Vec *targets; /* by chunk of ICF_GRAIN */
  u32 *class_of;   /* by candidate: index in `classes`; of one that equals nobody, beyond them */
  u32 *member;     /* candidates, those of a class together */
  u32 *place;      /* by candidate: where it is in `member` */
  u32 nmember;
  VEC(Class) classes;
  U32Vec queue;             /* classes with something dirty */
  u32 *ref, *ref_end, nref; /* by candidate: who refers to it, in `refs`: from the end of the one
                               before to its own */
  VEC(Signed) order;
  U32Vec moved;
  U32Vec *bad; /* by chunk of classes: members that are not what their class is */
  Tmp *tmp;    /* by thread */
} Equal;

static inline u64 icf_mix(u64 h, u64 v) {
  h = (h ^ v) * 0x9fb21c651e98df25ull;
  return h ^ h >> 29;
}

static inline u32 class_size(const Class *c) {
  return c->end - c->begin;
}

/* icf_equal.c: looks for equals among n atoms, in ascending order, which may stand for each other:
 * leader[i] becomes the first of those that equal atom[i], itself if there is none before.
 * Parallel; the answer depends on the input alone. */
void icf_equal(Link *l, const u32 *atom, u32 n, u32 *leader);

/* icf_split.c, serial. Makes classes of candidates whose Equal.class_of, the first equal one, is
 * the same; all that refer to candidates are to be looked at. */
void icf_gather(Equal *q);
/* Splits until the members of each class refer to the same classes. */
void icf_split(Equal *q);
/* Candidate i is not what the other members of its class are: it becomes a class by itself. Only
 * after icf_split(), which has to be called again. */
void icf_expel(Equal *q, u32 i);
/* Frees what icf_gather() made, but for the classes and their members. */
void icf_gather_free(Equal *q);

#endif
