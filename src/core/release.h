/* release.h: gives pages of the inputs back to the kernel when nothing is going to read them soon.
 * A large link's peak memory is mostly the mapped inputs, of which each part is read once or twice. */
#ifndef WELD_CORE_RELEASE_H
#define WELD_CORE_RELEASE_H

#include "util/bytes.h"

struct Link;

/* Inputs that the link has mapped, by address; from Link.maps, after all of them are loaded. The result is
 * for free(). */
typedef struct {
  Bytes *at;
  u32 n;
} Mapped;
Mapped mapped_inputs(const struct Link *l);

/* The pages that lie inside b are dropped from memory; reading them again brings them back from the
 * file. Does nothing when b is not in a mapped input (decompressed sections, inputs in memory). Thread
 * safe. */
void mapped_release(const Mapped *m, Bytes b);

/* When nothing of the link is needed any more and the process ends: drops most of its memory, on all
 * threads. The kernel would do it on one. */
void release_at_end(const struct Link *l);

#endif
