/* order.h: which atoms stand first in their output section, and in which order, where something else than the
 * input order was asked for. */
#ifndef WELD_CORE_ORDER_H
#define WELD_CORE_ORDER_H

#include "core/link.h"

typedef VEC(u32) AtomList;

/* Fills Link.priority from --symbol-ordering-file, else from a profile of calls (--call-graph-ordering-file
 * and what the inputs bring); leaves it NULL when there is nothing to order. Needs live atoms and their rules
 * (layout_match_file); layout_assign() reads it. */
void order(Link *l);

/* ---- for core/order*.c ---- */

/* Whether the atom has a place of its own that can be changed. */
bool order_possible(const Link *l, u32 atom);
/* Says why a symbol can't be ordered, if so; `file` is where the name was asked for, `at` its place there.
 * Thread safe. */
void order_warn(Link *l, const char *file, u32 at, u32 sym, u32 atom, const char *name);
/* `from` calls `to` so often. */
typedef struct {
  u32 from, to;
  u64 weight;
} OrderCall;
/* Puts functions 0 to n - 1, of these sizes in bytes, into the order of cache-directed sort: out[0] stands first. */
void order_cache_directed(const u64 *sizes, u32 n, const OrderCall *calls, u32 ncalls, u32 *out);
/* Atoms in the order of a profile of calls, each once. The caller frees the list. */
void order_calls(Link *l, AtomList *out);

#endif
