/* excerpt.h: messages about a place in a text: FILE:LINE:COLUMN, the fact, the line, and a mark under what is meant. */
#ifndef WELD_UTIL_EXCERPT_H
#define WELD_UTIL_EXCERPT_H

#include "util/bytes.h"
#include "util/diag.h"

typedef struct {
  const char *path;
  Bytes text;
  u32 begin, end;       /* offsets of what is meant; marked as ^~~~ as far as it stands on one line */
  u32 line, line_start; /* of `begin`: 1, 2, ...; offset of the line's first byte */
} Excerpt;

/* The place at a line and a column, which counts bytes from 1, up to the end of the name or number there. False, with nothing but the path and the
 * numbers to show, when the text has no such place. */
bool excerpt_at(Excerpt *x, const char *path, Bytes text, u32 line, u32 column);
/* Columns of messages count characters. */
void excerpt_report(Diag *d, DiagLevel level, const char *code, const Excerpt *at, const char *fmt, ...) PRINTF_LIKE(5, 6);
void excerpt_vreport(Diag *d, DiagLevel level, const char *code, const Excerpt *at, const char *fmt, va_list ap) PRINTF_LIKE(5, 0);

#endif
