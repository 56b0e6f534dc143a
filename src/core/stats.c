/* stats.c: counts a link's parts, for --stats and the time trace. Runs only when asked for, so it may
 * walk every array once. The trap: a link that failed early has arrays missing; nothing is assumed. */
#include "core/stats.h"

void stats_collect(const Link *l, Trace *t) {
  if (!t)
    return;
  u64 objects = 0, lazy = 0, shared = 0, needed = 0, bytes = 0, local = 0, members = 0;
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    bool object = file->kind == FILE_OBJECT;
    objects += object && file->live;
    lazy += object && !file->live;
    members += object && file->live && file->archive;
    shared += file->kind == FILE_SHARED;
    needed += file->kind == FILE_SHARED && file->needed;
    bytes += file->live ? file->data.len : 0;
    local += object && file->live ? file->first_global : 0;
  }
  u64 live = 0, discarded = 0, loaded = 0;
  for (u32 a = 1; a < l->atoms.n; a++) {
    u16 fl = l->atoms.flags[a];
    bool stays = (fl & ATOM_FOLDED) == ATOM_LIVE;
    live += stays;
    discarded += (fl & ATOM_DISCARDED) != 0;
    loaded += stays && fl & ATOM_ALLOC && l->atoms.at[a].data ? l->atoms.at[a].size : 0;
  }
  u64 undefined = 0, imported = 0, exported = 0;
  for (u32 i = 0; i < l->syms.nglobal; i++) {
    u32 fl = l->syms.flags[i];
    undefined += (fl & SF_UNDEFINED) != 0;
    imported += (fl & SF_IMPORTED) != 0;
    exported += (fl & SF_EXPORTED) != 0;
  }
  const struct {
    const char *name;
    u64 value;
  } counts[] = {
      {"archives", l->archives.n},
      {"objects linked", objects},
      {"  of them from archives", members},
      {"objects read but not needed", lazy},
      {"shared libraries", shared},
      {"  of them needed", needed},
      {"bytes of linked inputs", bytes},
      {"global names", l->syms.nglobal},
      {"  undefined", undefined},
      {"  imported", imported},
      {"  exported", exported},
      {"local symbols", local},
      {"input sections", l->atoms.n ? l->atoms.n - 1 : 0},
      {"  live", live},
      {"  discarded with their group", discarded},
      {"bytes of loaded input sections", loaded},
      {"output sections", l->norder},
      {"segments", l->segments.n},
      {"GOT entries", l->ngot},
      {"PLT entries", (u64)l->nplt + l->npltgot},
      {"dynamic relocations", l->ndynrel},
  };
  for (u32 i = 0; i < COUNT_OF(counts); i++)
    trace_count(t, counts[i].name, counts[i].value);
}
