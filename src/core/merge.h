/* merge.h: content that is joined by content: strings and constants of mergeable sections.
 *
 * Input sections with one destination (input section name after the layout rule, entry size, strings
 * or not, section flags, alignment) share a MergeGroup, which becomes one Synth (one atom) in the
 * output. Each live mergeable atom has a MergeInput, found through Atom.aux.
 * Where an input offset went is found in O(1): a coarse index of spans, then a short walk.
 * The trap: the order of the pieces in the output must not depend on the schedule. */
#ifndef WELD_CORE_MERGE_H
#define WELD_CORE_MERGE_H

#include "core/atom.h"

/* The bits of Atom.attr that joining looks at; a reader of any format gives them these values (ELF's). */
enum {
  ATTR_WRITE = 0x1,
  ATTR_STRINGS = 0x20, /* pieces end with a zero element; else every piece is entsize bytes */
  ATTR_JOIN = 0x10000437, /* write, alloc, exec, merge, strings, TLS, large: must agree, and are kept */
};

struct Link;
typedef struct Merge Merge; /* all groups and inputs of a link; Link.merge */

/* Splits every live mergeable atom, joins equal pieces, makes one Synth per group. Runs before layout
 * (so that sizes are known), after dead strip. Reports an unterminated string, or a size that is no
 * multiple of the entry size. */
void merge_sections(struct Link *l);

/* Where input offset `off` of mergeable atom `a` is in the output: an address after layout (before:
 * undefined). Offsets past the end clamp to the end of the last piece. Thread safe. */
u64 merge_addr(const struct Link *l, AtomId a, u64 off);

/* After merge_sections: the Synth that holds byte `off` of mergeable atom `a`, and where in it. */
AtomId merge_where(const struct Link *l, AtomId a, u64 off, u64 *at);

/* Gives the tables back; merge_addr() must not be called afterwards. */
void merge_free(struct Link *l);

/* What was joined, for --stats. */
typedef struct {
  u64 groups, inputs, pieces, unique;
  u64 bytes_in, bytes_out;
} MergeStats;
MergeStats merge_stats(const struct Link *l);

#endif
