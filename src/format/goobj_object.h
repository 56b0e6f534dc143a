/* goobj_object.h: an object of Go 1.3 or 1.4 as it is read: symbols, relocations, what is known of functions. read/goobj.c
 * fills it (File.fmt), all others only look. Everything was checked: a table of pc values ends, a number of a symbol or a
 * file is one.
 * The trap: a name does not end with NUL in the file, and `""` in it stands for the package; names here are copies. */
#ifndef WELD_FORMAT_GOOBJ_OBJECT_H
#define WELD_FORMAT_GOOBJ_OBJECT_H

#include "format/goobj.def"
#include "util/arena.h"
#include "util/bytes.h"

enum {
#define X(number, name, section, where) GO_##name = (number),
  GO_SYMBOL_KINDS(X)
#undef X
  GO_KINDS
};

/* What a definition says. Definition i of an object is number i + 1, which is its atom and its local symbol. */
typedef struct {
  i64 add;
  u64 offset;
  u32 symbol; /* index of the target in GoObject.symbols, 0: none */
  u16 kind;   /* Edge.kind */
  i16 unused;
} GoReloc;

typedef struct {
  u32 symbol; /* 0: none, `offset` is the value */
  i64 offset;
} GoFuncdata;

/* What the run-time tables say of a function; Bytes are tables of pc values (design/go13ld). */
typedef struct {
  i64 args, locals;
  Bytes pcsp, pcfile, pcline;
  Bytes *pcdata;
  GoFuncdata *funcdata;
  const char **files;
  u32 npcdata, nfuncdata, nfiles;
} GoFunc;

typedef struct {
  const char *name;    /* ends with NUL */
  const char *section; /* its kind's input section, a dot and the name: ".text.main.main" */
  u8 kind;             /* GO_*; never GO_SBSS with bytes */
  bool dupok, global;
  u64 size;
  Bytes data; /* `size` bytes at most; zeros follow */
  GoReloc *relocs;
  u32 nrelocs;
  GoFunc *func; /* of GO_STEXT, else NULL */
} GoDefinition;

/* A symbol of the file: 0 none (and the number 0), definitions by number, local names that nothing defines, then globals. */
typedef struct {
  const char *name;
  u32 len;
  u32 definition; /* number, 0: undefined */
} GoSymbol;

typedef struct {
  const char *os, *arch; /* of the header line: "darwin", "amd64" */
  bool first_revision;   /* there is no version byte */
  const char **imports;  /* paths of packages, in order, without ".a" */
  u32 nimports;
  const char *package; /* that `""` stands for, set before the file is read */
  GoDefinition *definitions;
  GoSymbol *symbols;
  u32 ndefinitions, nsymbols, first_global;
  Bytes body; /* from the magic number on; empty: the definitions are made, not read */
} GoObject;

#endif
