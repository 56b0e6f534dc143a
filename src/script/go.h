/* go.h: the layout of a Go program. */
#ifndef WELD_SCRIPT_GO_H
#define WELD_SCRIPT_GO_H

#include "core/layout.h"
#include "util/arena.h"

typedef struct {
  const char *functab; /* the output section of the run-time tables: ".functab", ".gopclntab" */
  bool first_image;    /* as the first of these linkers: one section, no tables */
  bool has_data;       /* writable data begins at `data` */
  u64 data;
} GoLayout;

/* In the arena. Bounds of sections are PROVIDEd symbols; where tables stand is up to Synths called ".rodata" and ".functab". */
const LayoutDesc *go_layout(Arena *a, const GoLayout *g);

#endif
