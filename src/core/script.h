/* script.h: a parsed linker script as plain data. script/parse.c fills it, inputs.c applies it. Every
 * string and tree lives in the arena that script_parse() was given; only `texts` points into the text.
 * Specification: GNU ld manual, chapter "Linker Scripts". */
#ifndef WELD_CORE_SCRIPT_H
#define WELD_CORE_SCRIPT_H

#include "core/layout.h"
#include "core/version.h"
#include "util/arena.h"
#include "util/bytes.h"
#include "util/diag.h"

struct Link;

/* A text that was read: the script, or one that it INCLUDEs. `name` is the pointer that stands in Expr.file, LayoutStmt.file, ... */
typedef struct {
  const char *name;
  Bytes text;
} ScriptText;

/* One file of INPUT(), GROUP() or STARTUP(). */
typedef struct {
  const char *name; /* a path; for is_lib the NAME of -lNAME (":file" for -l:file) */
  bool is_lib;
  bool as_needed;
  bool startup;     /* STARTUP(): goes before every other input */
  bool named;       /* a pattern's file: an input unless it is one already; made by scripts.c */
  u32 group;        /* 1, 2, ...: number of the GROUP() in this script; 0: none */
  const char *target; /* of the TARGET() before it, or NULL */
  const char *file; /* where it stands */
  u32 line, col;
} ScriptInput;

/* Where an input, an expression, a statement, a region, ... of a script stands. */
typedef struct {
  const char *file;
  u32 line, col;
} ScriptPlace;
#define SCRIPT_PLACE(x) ((ScriptPlace){(x)->file, (x)->line, (x)->col})

/* INSERT AFTER name / INSERT BEFORE name: the statements [first, end) of the layout go there in the layout that stands without this
 * script. */
typedef struct {
  u32 first, end;
  const char *name;
  bool before;
  const char *file;
  u32 line, col;
} ScriptInsert;

/* INCLUDE: finds `name`, which was named in file `from`. Sets the text (valid as long as the script's) and the path for messages. False when there is no such file: the parser reports it. */
typedef bool ScriptOpen(void *ctx, const char *name, const char *from, Bytes *text,
                        const char **path);

typedef struct {
  /* set by the caller; NULL: INCLUDE is an error */
  ScriptOpen *open;
  void *open_ctx;
  bool linker_version; /* LINKER_VERSION writes the program's name and version; else nothing */

  VEC(ScriptInput) inputs; /* in order */
  u32 ngroups;
  const char *output_format[3]; /* OUTPUT_FORMAT(default, big, little); 1 and 2 may be NULL */
  const char *output_arch;
  const char *entry, *output, *target /* the last one */, *map_file;
  ScriptPlace output_format_at, output_arch_at, target_at;
  VEC(const char *) search_dirs; /* a leading '=' or $SYSROOT is still there */
  VEC(const char *) externs;
  bool force_common, inhibit_common, force_group;
  bool sane_expr; /* LD_FEATURE("SANE_EXPR") */
  bool has_version;
  VersionScript version; /* VERSION { } */
  /* Assignments and ASSERTs of the top level and the contents of SECTIONS { }, in order. Without SECTIONS (but those that an
   * INSERT moves) they are additions to the layout that stands otherwise. */
  bool has_sections;
  LayoutDesc layout; /* with MEMORY, PHDRS and NOCROSSREFS */
  VEC(ScriptInsert) inserts;
  VEC(ScriptText) texts; /* for Link.script_texts: messages show lines of them until the link ends */
} Script;

/* A message about a place in a script that has been parsed: FILE:LINE:COLUMN, the fact, the line and a mark. Without the place
 * when there is none (static descriptions, expressions of options). */
void script_report(struct Link *l, DiagLevel level, ScriptPlace at, const char *fmt, ...) PRINTF_LIKE(4, 5);

#endif
