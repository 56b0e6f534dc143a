/* values.h: values of options, checked, and the files that options name; the actions that several drivers have.
 * `name` is the option as the user wrote it, for messages. What is made lives in the options' arena. */
#ifndef WELD_DRIVER_VALUES_H
#define WELD_DRIVER_VALUES_H

#include "driver/rows.h"

/* "NAME: expected EXPECTED, got 'ARG'". */
void value_bad(Driver *g, const char *name, const char *arg, const char *expected);
/* Value of a hexadecimal digit, -1: it is none. */
int digit_of(char c);
/* All of `s` as a number that fits into 64 bits. Base 0: 0x is hexadecimal, the rest decimal (a leading
 * zero does not mean octal); base 16: with or without 0x. */
bool parse_u64(const char *s, u32 base, u64 *out);
/* Each is false (or -1, NULL) after a report. */
bool value_number(Driver *g, const char *name, const char *arg, u64 min, u64 max, u64 *out);
bool value_address(Driver *g, const char *name, const char *arg, u64 *out); /* hexadecimal */
bool value_power_of_two(Driver *g, const char *name, const char *arg, u64 *out);
/* Index of arg among the words, which are ended by NULL. */
int value_word(Driver *g, const char *name, const char *arg, const char *const *words);
/* "NAME=REST": the name, and what follows. */
const char *value_split(Driver *g, const char *name, const char *arg, const char *expected, const char **rest);

/* "WHAT is not supported yet". */
void option_unsupported(Driver *g, DiagLevel level, const char *what);

/* The bytes of a file or of an in-memory input; false without a report when there is none: *err is the errno. */
bool driver_read_file(Driver *g, const char *path, Bytes *out, int *err);
/* The same for the file that an option names; false after a report. */
bool value_file(Driver *g, const char *name, const char *arg, Bytes *out);

/* The lines of a file that lists things: without blanks around them, empty ones and # comments. */
typedef struct {
  Bytes rest;
  u32 number;
  const char *p;
  u64 len;
} Line;
bool next_line(Line *x);

/* Named by rows of several .def files. */
OptionFn do_color, do_error_limit, do_error_format, do_threads, do_no_threads, do_icf, do_dump_graph, do_time_trace, do_start_lib, do_end_lib;
/* After the last argument: what Diag must know, and where --time-trace without a file writes. */
void driver_settle(Driver *g);

#endif
