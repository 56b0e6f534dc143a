/* gnu_help.c: the rows of gnu.def as the text of --help and as the source of the man page.
 * The trap: configure scripts read --help (libtool wants a line ": supported targets:... elf"), so its
 * last lines are an interface. */
#include <stdlib.h>

#include "core/weld_version.h"
#include "driver/gnu_rows.h"
#include "driver/help.h"

static const HelpPart parts[] = {
    {"Inputs and libraries", gnu_rows, &gnu_nrows, SUPPORT_FULL, GROUP_INPUTS},
    {"Output", gnu_rows, &gnu_nrows, SUPPORT_FULL, GROUP_OUTPUT},
    {"Dynamic linking", gnu_rows, &gnu_nrows, SUPPORT_FULL, GROUP_DYNAMIC},
    {"Symbols", gnu_rows, &gnu_nrows, SUPPORT_FULL, GROUP_SYMBOLS},
    {"Sections", gnu_rows, &gnu_nrows, SUPPORT_FULL, GROUP_SECTIONS},
    {"Stripping", gnu_rows, &gnu_nrows, SUPPORT_FULL, GROUP_STRIP},
    {"Keywords of -z", gnu_z_rows, &gnu_nz_rows, SUPPORT_FULL, GROUP_Z},
    {"Messages and reports", gnu_rows, &gnu_nrows, SUPPORT_FULL, GROUP_MESSAGES},
    {"Running", gnu_rows, &gnu_nrows, SUPPORT_FULL, GROUP_RUNNING},
    {"Accepted, without effect", gnu_rows, &gnu_nrows, SUPPORT_NO_EFFECT, GROUP_RUNNING},
    {NULL, gnu_z_rows, &gnu_nz_rows, SUPPORT_NO_EFFECT, GROUP_Z},
    {"Not supported yet: a warning", gnu_rows, &gnu_nrows, SUPPORT_LATER_WARNING, GROUP_RUNNING},
    {NULL, gnu_z_rows, &gnu_nz_rows, SUPPORT_LATER_WARNING, GROUP_Z},
    {"Not supported yet: an error", gnu_rows, &gnu_nrows, SUPPORT_LATER_ERROR, GROUP_RUNNING},
    {NULL, gnu_z_rows, &gnu_nz_rows, SUPPORT_LATER_ERROR, GROUP_Z},
};

static void add_names(Text *t, const char *before, const char *const *names) {
  for (u32 i = 0; i < gnu_nemulations; i++) {
    text_add(t, before);
    text_add(t, names[i]);
  }
}

const char *gnu_version_text(Arena *a) {
  Text t = {0};
  text_add(&t, WELD_VERSION_LINE "\n  Supported emulations:");
  add_names(&t, "\n   ", gnu_emulations);
  text_add(&t, "\n");
  return text_finish(&t, a);
}

const char *gnu_help(Arena *a, const char *program) {
  Text t = {0};
  text_add(&t, "Usage: ");
  text_add(&t, program);
  text_add(&t, " [options] file...\n\n"
          "Long options take one or two dashes, and their value after a blank or a =.\n"
          "@FILE stands for the options in FILE.\n");
  help_add_parts(&t, parts, COUNT_OF(parts));
  text_add(&t, "\n");
  text_add(&t, program);
  text_add(&t, ": supported targets:");
  add_names(&t, " ", gnu_formats);
  text_add(&t, "\n");
  text_add(&t, program);
  text_add(&t, ": supported emulations:");
  add_names(&t, " ", gnu_emulations);
  text_add(&t, "\n");
  return text_finish(&t, a);
}

/* Text as man(7) wants it: dashes that can be copied, no accidental requests. */
static void add_roff(Text *t, const char *s, size_t n) {
  if (n && (*s == '.' || *s == '\''))
    text_add(t, "\\&");
  for (size_t i = 0; i < n; i++) {
    if (s[i] == '-')
      text_add(t, "\\-");
    else if (s[i] == '\\')
      text_add(t, "\\e");
    else
      text_add_n(t, s + i, 1);
  }
}

static void add_man_row(Text *t, const OptionRow *row) {
  Text usage = {0};
  text_add_spellings(&usage, row);
  text_add(t, ".TP\n.B ");
  add_roff(t, usage.at, usage.n);
  vec_free(&usage);
  text_add(t, "\n");
  add_roff(t, row->help, strlen(row->help));
  text_add(t, ".\n");
}

const char *gnu_man_page(Arena *a) {
  Text t = {0};
  text_add(&t, ".TH WELD 1 \"\" \"weld " WELD_VERSION "\"\n"
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
      text_add(&t, ".SS ");
      add_roff(&t, parts[i].title, strlen(parts[i].title));
      text_add(&t, "\n");
    }
    help_add_rows(&t, &parts[i], add_man_row);
  }
  text_add(&t, ".SH ENVIRONMENT\n.TP\n.B MAKEFLAGS\n"
          "Where GNU make offers a jobserver, weld takes a thread for each token that it gets, and\n"
          "gives the tokens back at the end. An explicit\n.B \\-\\-threads\ncomes first.\n"
          ".TP\n.B TERM\nWhether a terminal has colours.\n"
          ".SH EXIT STATUS\n0 when the output was written; 1 after an error: an output of the same\n"
          "name is then what it was before.\n"
          ".SH SEE ALSO\n.BR ld (1),\n.BR ar (1),\n.BR readelf (1),\n.BR elf (5)\n");
  return text_finish(&t, a);
}
