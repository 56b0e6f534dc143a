/* yaml_fallback.c: an undefined name with a fallback is that other name, if that is defined, or the other's fallback is.
 * Undefined atoms of a name join, so the fallback that the first of them has is that of all.
 * The trap: fallbacks may go in circles, and a chain may be as long as the file: each name is walked once. */
#include <stdlib.h>

#include "core/resolve.h"
#include "format/yaml_object.h"
#include "read/yaml.h"

enum { NEW, ON_PATH, DONE };

typedef VEC(u32) U32Vec;

/* next: by SymId, UINT32_MAX where there is none. Whether there is any. */
static bool find_fallbacks(const Link *l, u32 *next) {
  bool any = false;
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    const YamlObject *o = file->fmt;
    for (u32 i = file->first_global; file->live && i < o->nfallbacks; i++) {
      u32 id = file->globals[i - file->first_global];
      if (!o->fallback[i] || next[id] != UINT32_MAX || !(l->syms.flags[id] & SF_UNDEFINED))
        continue;
      next[id] = file->globals[o->fallback[i] - file->first_global];
      any = true;
    }
  }
  return any;
}

/* From `id` on to the first defined name; all on the way have come to the same. Where all are undefined, none stands for
 * another. */
static void settle(const Link *l, u32 id, u32 *next, u8 *state, U32Vec *path) {
  u32 at = id;
  path->n = 0;
  while (at != UINT32_MAX && state[at] == NEW && l->syms.flags[at] & SF_UNDEFINED) {
    state[at] = ON_PATH;
    *vec_push(path) = at;
    at = next[at];
  }
  if (at != UINT32_MAX && l->syms.flags[at] & SF_UNDEFINED)
    at = state[at] == DONE ? next[at] : UINT32_MAX;
  for (u32 i = 0; i < path->n; i++) {
    next[path->at[i]] = at;
    state[path->at[i]] = DONE;
  }
}

void yaml_settle_fallbacks(Link *l) {
  u32 n = l->syms.nglobal;
  u32 *next = ARENA_ARRAY(&l->arena, u32, n);
  memset(next, 0xff, n * sizeof *next);
  if (!find_fallbacks(l, next))
    return;
  U32Vec path = {0};
  u8 *state = heap_alloc(n);
  for (u32 i = 0; i < n; i++)
    settle(l, i, next, state, &path);
  for (u32 f = 1; f < l->files.n; f++)
    if (l->files.at[f].live)
      ((YamlObject *)l->files.at[f].fmt)->stands_for = next;
  free(state);
  vec_free(&path);
}
