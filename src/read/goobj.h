/* goobj.h: objects of Go 1.3 and 1.4 ("go13ld", both revisions) to atoms. Everything that comes out of a file is checked
 * here; nothing after the reader checks it again. */
#ifndef WELD_READ_GOOBJ_H
#define WELD_READ_GOOBJ_H

#include "core/link.h"
#include "format/goobj_object.h"

/* Whether the bytes begin as an object of Go does, of whatever age. */
bool goobj_is(Bytes b);
/* The header line and the imports of a file, to File.fmt. False after a report. Serial. */
bool goobj_head(Link *l, FileId f);
/* What package the file belongs to, as others import it. Before it is opened. */
void goobj_set_package(Link *l, FileId f, const char *path);
/* A file that is not read: symbol `name` is a string variable with that text (-X). */
void goobj_add_string(Link *l, const char *name, const char *text, const char *os, const char *arch);

/* Fills the reader's hooks of the Format row. */
void goobj_format_init(Format *f);
/* After dead strip: gives the zeros to live symbols whose bytes end before they do. Reports when those and symbols without
 * bytes in sections that have them would fill the output with more than 256 MB of zeros. */
void goobj_pad(Link *l);
/* After dead strip: what go.weak.X stands for when X is in the link. Its value follows in goobj_weak_values(), when
 * addresses are known. */
void goobj_settle_weak(Link *l);
void goobj_weak_values(Link *l);

/* ---- inside the reader ---- */

/* Format.open: symbols, relocations and functions. */
bool goobj_open(Link *l, FileId f, unsigned tid);
/* Reports "FILE: offset 0x..: text". Always false. */
bool goobj_bad(Link *l, FileId f, u64 off, const char *fmt, ...) PRINTF_LIKE(4, 5);

#endif
