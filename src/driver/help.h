/* help.h: the text of --help, made from rows. Private to the drivers. */
#ifndef WELD_DRIVER_HELP_H
#define WELD_DRIVER_HELP_H

#include "driver/rows.h"

typedef VEC(char) Text;
void text_add(Text *t, const char *s);
void text_add_n(Text *t, const char *s, size_t n);
/* Ends it: the string is in the arena, the Text is free. */
const char *text_finish(Text *t, Arena *a);

/* A part of --help: which rows of which table. */
typedef struct {
  const char *title; /* NULL: goes on with the part before it */
  const OptionRow *rows;
  const u32 *nrows;
  Support support;
  Group group;       /* of SUPPORT_FULL */
} HelpPart;

typedef void HelpRowFn(Text *t, const OptionRow *row);
void help_add_rows(Text *t, const HelpPart *part, HelpRowFn *fn);
/* The rows of all parts, below their titles, in lines of 80 columns. */
void help_add_parts(Text *t, const HelpPart *parts, u32 n);
/* All ways to write an option: "-o FILE, --output FILE", "--build-id[=KIND]". */
void text_add_spellings(Text *t, const OptionRow *row);

#endif
