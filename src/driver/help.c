/* help.c: the rows of gnu.def as the text of --help and as the source of the man page.
 * The trap: configure scripts read --help (libtool wants a line ": supported targets:... elf"), so its
 * last lines are an interface. */
#include <stdio.h>
#include <stdlib.h>

#include "core/weld_version.h"
#include "driver/gnu_rows.h"

enum { HELP_COLUMN = 30, HELP_WIDTH = 80 };

typedef VEC(char) Text;

static void add_n(Text *t, const char *s, size_t n) {
  vec_reserve(t, t->n + (u32)n + 1);
  memcpy(t->at + t->n, s, n);
  t->n += (u32)n;
}

static void add(Text *t, const char *s) { add_n(t, s, strlen(s)); }

static const char *finish(Text *t, Arena *a) {
  const char *s = arena_strndup(a, t->at, t->n);
  vec_free(t);
  return s;
}

/* One way to write the option: "-o FILE", "--build-id[=KIND]", "-z stack-size=N". */
static void add_usage(Text *t, const OptionRow *row, const char *name) {
  add(t, row->group == GROUP_Z ? "-z " : option_dashes(name));
  add(t, name);
  if (!row->metavar)
    return;
  switch (row->arg) {
  case ARG_FLAG: return;
  case ARG_VALUE:
    add(t, row->group == GROUP_Z ? "=" : " ");
    break;
  case ARG_OPTIONAL: add(t, "[="); break;
  case ARG_JOINED: break;
  }
  add(t, row->metavar);
  if (row->arg == ARG_OPTIONAL)
    add(t, "]");
}

static void add_spellings(Text *t, const OptionRow *row) {
  for (u32 i = 0; row->names[i]; i++) {
    if (i)
      add(t, ", ");
    add_usage(t, row, row->names[i]);
  }
}

/* The parts of --help, in order: which rows of which table. */
typedef struct {
  const char *title;
  bool z;
  Support support;
  Group group; /* of SUPPORT_FULL */
} Part;

static const Part parts[] = {
    {"Inputs and libraries", false, SUPPORT_FULL, GROUP_INPUTS},
    {"Output", false, SUPPORT_FULL, GROUP_OUTPUT},
    {"Dynamic linking", false, SUPPORT_FULL, GROUP_DYNAMIC},
    {"Symbols", false, SUPPORT_FULL, GROUP_SYMBOLS},
    {"Sections", false, SUPPORT_FULL, GROUP_SECTIONS},
    {"Stripping", false, SUPPORT_FULL, GROUP_STRIP},
    {"Keywords of -z", true, SUPPORT_FULL, GROUP_Z},
    {"Messages and reports", false, SUPPORT_FULL, GROUP_MESSAGES},
    {"Running", false, SUPPORT_FULL, GROUP_RUNNING},
    {"Accepted, without effect", false, SUPPORT_NO_EFFECT, GROUP_RUNNING},
    {NULL, true, SUPPORT_NO_EFFECT, GROUP_Z},
    {"Not supported yet: a warning", false, SUPPORT_LATER_WARNING, GROUP_RUNNING},
    {NULL, true, SUPPORT_LATER_WARNING, GROUP_Z},
    {"Not supported yet: an error", false, SUPPORT_LATER_ERROR, GROUP_RUNNING},
    {NULL, true, SUPPORT_LATER_ERROR, GROUP_Z},
};

typedef void RowFn(Text *t, const OptionRow *row);

static void add_rows(Text *t, const Part *part, RowFn *fn) {
  const OptionRow *rows = part->z ? gnu_z_rows : gnu_rows;
  u32 n = part->z ? gnu_nz_rows : gnu_nrows;
  for (u32 i = 0; i < n; i++)
    if (rows[i].support == part->support && rows[i].group == part->group)
      fn(t, &rows[i]);
}

static void add_indent(Text *t, u32 column, u32 to) {
  for (; column < to; column++)
    add(t, " ");
}

/* Words from `column` on, broken at HELP_WIDTH. */
static void add_wrapped(Text *t, const char *s) {
  u32 column = HELP_COLUMN;
  while (*s) {
    size_t len = strcspn(s, " ");
    if (column > HELP_COLUMN && column + 1 + len > HELP_WIDTH) {
      add(t, "\n");
      add_indent(t, 0, HELP_COLUMN);
      column = HELP_COLUMN;
    } else if (column > HELP_COLUMN) {
      add(t, " ");
      column++;
    }
    add_n(t, s, len);
    column += (u32)len;
    s += len + (s[len] == ' ');
  }
  add(t, "\n");
}

static void add_help_row(Text *t, const OptionRow *row) {
  u32 start = t->n;
  add(t, "  ");
  add_spellings(t, row);
  u32 column = t->n - start;
  if (column + 2 > HELP_COLUMN) {
    add(t, "\n");
    column = 0;
  }
  add_indent(t, column, HELP_COLUMN);
  add_wrapped(t, row->help);
}

const char *gnu_help(Arena *a, const char *program) {
  Text t = {0};
  add(&t, "Usage: ");
  add(&t, program);
  add(&t, " [options] file...\n\n"
          "Long options take one or two dashes, and their value after a blank or a =.\n"
          "@FILE stands for the options in FILE.\n");
  for (u32 i = 0; i < COUNT_OF(parts); i++) {
    if (parts[i].title) {
      add(&t, "\n");
      add(&t, parts[i].title);
      add(&t, ":\n");
    }
    add_rows(&t, &parts[i], add_help_row);
  }
  add(&t, "\n");
  add(&t, program);
  add(&t, ": supported targets: elf64-x86-64\n");
  add(&t, program);
  add(&t, ": supported emulations: elf_x86_64\n");
  return finish(&t, a);
}

/* Text as man(7) wants it: dashes that can be copied, no accidental requests. */
static void add_roff(Text *t, const char *s, size_t n) {
  if (n && (*s == '.' || *s == '\''))
    add(t, "\\&");
  for (size_t i = 0; i < n; i++) {
    if (s[i] == '-')
      add(t, "\\-");
    else if (s[i] == '\\')
      add(t, "\\e");
    else
      add_n(t, s + i, 1);
  }
}

static void add_man_row(Text *t, const OptionRow *row) {
  Text usage = {0};
  add_spellings(&usage, row);
  add(t, ".TP\n.B ");
  add_roff(t, usage.at, usage.n);
  vec_free(&usage);
  add(t, "\n");
  add_roff(t, row->help, strlen(row->help));
  add(t, ".\n");
}

const char *gnu_man_page(Arena *a) {
  Text t = {0};
  add(&t, ".TH WELD 1 \"\" \"weld " WELD_VERSION "\"\n"
          ".SH NAME\nweld, ld.weld \\- link objects to programs and shared libraries\n"
          ".SH SYNOPSIS\n.B weld\n.RI [ options ]\n.IR file ...\n"
          ".SH DESCRIPTION\n"
          "weld reads relocatable objects, archives and shared libraries and writes a program or a\n"
          "shared library. It understands the command line of GNU ld. Compilers call it:\n"
          ".B cc \\-B\n.I directory\nfinds it under the name\n.BR ld ,\n"
          ".B clang \\-\\-ld\\-path=\n.I path\ntakes any name.\n"
          ".PP\n"
          "Long options take one or two dashes, and their value after a blank or a\n.BR = .\n"
          ".BI @ FILE\nstands for the options in\n.IR FILE ,\n"
          "separated by blanks; quotes and backslashes protect them.\n"
          ".SH OPTIONS\n");
  for (u32 i = 0; i < COUNT_OF(parts); i++) {
    if (parts[i].title) {
      add(&t, ".SS ");
      add_roff(&t, parts[i].title, strlen(parts[i].title));
      add(&t, "\n");
    }
    add_rows(&t, &parts[i], add_man_row);
  }
  add(&t, ".SH ENVIRONMENT\n.TP\n.B MAKEFLAGS\n"
          "Where GNU make offers a jobserver, weld takes a thread for each token that it gets, and\n"
          "gives the tokens back at the end. An explicit\n.B \\-\\-threads\ncomes first.\n"
          ".TP\n.B TERM\nWhether a terminal has colours.\n"
          ".SH EXIT STATUS\n0 when the output was written; 1 after an error: an output of the same\n"
          "name is then what it was before.\n"
          ".SH SEE ALSO\n.BR ld (1),\n.BR ar (1),\n.BR readelf (1),\n.BR elf (5)\n");
  return finish(&t, a);
}
