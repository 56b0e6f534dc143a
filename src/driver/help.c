/* help.c: rows as the text of --help. The trap: what stands before and after the rows is the driver's, and for GNU's
 * an interface (gnu_help.c). */
#include "driver/help.h"

#include <stdlib.h>

enum { HELP_COLUMN = 30, HELP_WIDTH = 80 };

void text_add_n(Text *t, const char *s, size_t n) {
  vec_reserve(t, t->n + (u32)n + 1);
  memcpy(t->at + t->n, s, n);
  t->n += (u32)n;
}

void text_add(Text *t, const char *s) { text_add_n(t, s, strlen(s)); }

const char *text_finish(Text *t, Arena *a) {
  const char *s = arena_strndup(a, t->at, t->n);
  vec_free(t);
  return s;
}

/* One way to write the option: "-o FILE", "--build-id[=KIND]", "-z stack-size=N". */
static void add_usage(Text *t, const OptionRow *row, const char *name) {
  text_add(t, row->group == GROUP_Z ? "-z " : row->dashes ? row->dashes : option_dashes(name));
  text_add(t, name);
  if (!row->metavar)
    return;
  switch (row->arg) {
  case ARG_FLAG: return;
  case ARG_VALUE:
    text_add(t, row->group == GROUP_Z ? "=" : " ");
    break;
  case ARG_OPTIONAL: text_add(t, "[="); break;
  case ARG_EQUALS: text_add(t, "="); break;
  case ARG_EITHER:
  case ARG_JOINED: break;
  }
  text_add(t, row->metavar);
  if (row->arg == ARG_OPTIONAL)
    text_add(t, "]");
}

void text_add_spellings(Text *t, const OptionRow *row) {
  for (u32 i = 0; row->names[i]; i++) {
    if (i)
      text_add(t, ", ");
    add_usage(t, row, row->names[i]);
  }
}

static void add_indent(Text *t, u32 column, u32 to) {
  for (; column < to; column++)
    text_add(t, " ");
}

/* Words from `column` on, broken at HELP_WIDTH. */
static void add_wrapped(Text *t, const char *s) {
  u32 column = HELP_COLUMN;
  while (*s) {
    size_t len = strcspn(s, " ");
    if (column > HELP_COLUMN && column + 1 + len > HELP_WIDTH) {
      text_add(t, "\n");
      add_indent(t, 0, HELP_COLUMN);
      column = HELP_COLUMN;
    } else if (column > HELP_COLUMN) {
      text_add(t, " ");
      column++;
    }
    text_add_n(t, s, len);
    column += (u32)len;
    s += len + (s[len] == ' ');
  }
  text_add(t, "\n");
}

static void add_help_row(Text *t, const OptionRow *row) {
  u32 start = t->n;
  text_add(t, "  ");
  text_add_spellings(t, row);
  u32 column = t->n - start;
  if (column + 2 > HELP_COLUMN) {
    text_add(t, "\n");
    column = 0;
  }
  add_indent(t, column, HELP_COLUMN);
  add_wrapped(t, row->help);
}

void help_add_rows(Text *t, const HelpPart *part, HelpRowFn *fn) {
  for (u32 i = 0; i < *part->nrows; i++)
    if (part->rows[i].support == part->support && part->rows[i].group == part->group)
      fn(t, &part->rows[i]);
}

void help_add_parts(Text *t, const HelpPart *parts, u32 n) {
  for (u32 i = 0; i < n; i++) {
    if (parts[i].title) {
      text_add(t, "\n");
      text_add(t, parts[i].title);
      text_add(t, ":\n");
    }
    help_add_rows(t, &parts[i], add_help_row);
  }
}
