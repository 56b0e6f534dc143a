/* yaml_node.h: what read/yaml_text.c sees of a YAML text: libyaml's events one by one, mappings
 * with the keys of format/yaml.def, and values, with an error for each that is not what it should
 * be. The trap: who reads a node is called when `ev` is its first event, and leaves `ev` at its
 * last; also after an error. */
#ifndef WELD_READ_YAML_NODE_H
#define WELD_READ_YAML_NODE_H

#include <yaml.h>

#include "format/yaml_enums.h"
#include "util/arena.h"
#include "util/bytes.h"
#include "util/diag.h"

typedef struct {
  u32 line, col; /* from 1; columns are characters */
} YamlMark;

typedef struct {
  Arena *a; /* what stays */
  Diag *d;
  const char *path;
  Bytes text;
  yaml_parser_t parser;
  yaml_event_t ev;
  bool ended; /* no more events, or no sense in them: ev is YAML_STREAM_END_EVENT */
  bool bad;   /* something was reported */
  u32 depth;
  VEC(u8) bytes;
} YamlReader;

/* ev is YAML_STREAM_START_EVENT then, or the stream has ended after a report. */
void yr_open(YamlReader *r, Arena *a, Diag *d, const char *path, Bytes text);
void yr_close(YamlReader *r);
void yr_next(YamlReader *r);
YamlMark yr_mark(const YamlReader *r);
void yr_error(YamlReader *r, YamlMark at, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Reads no more: after a report. */
void yr_stop(YamlReader *r);
/* The rest of the node. */
void yr_skip(YamlReader *r);
/* Reports a tag that is not the one expected (NULL: none). False then. */
bool yr_check_tag(YamlReader *r, const char *expected);
const char *yr_tag(const YamlReader *r);
/* A plain scalar without text: what YAML has for a value that is not there. */
bool yr_is_null(const YamlReader *r);

/* `what` ("'members'") has to be a list: true when it is. yr_item() then goes to each item. */
bool yr_list(YamlReader *r, const char *what);
bool yr_item(YamlReader *r);

/* A mapping being read. */
typedef struct {
  u32 where;        /* YAML_IN_... of the keys that may stand here */
  u32 family;       /* of keys that stand in other things of this kind */
  const char *what; /* "a reference", in messages */
  YamlMark start;
  u64 seen; /* bit YamlKey */
  YamlMark at[YAML_NKEYS];
} YamlMap;

/* ev begins a node that has to be a mapping: true when it is. */
bool yr_map(YamlReader *r, YamlMap *m, const char *what, u32 where, u32 family);
/* The next key; ev begins its value. False at the end. Unknown, misplaced and repeated keys are
 * reported and skipped. */
bool yr_key(YamlReader *r, YamlMap *m, YamlKey *key);
static inline bool yr_seen(const YamlMap *m, YamlKey key) {
  return m->seen >> key & 1;
}
/* Reports the absence of a key. */
bool yr_require(YamlReader *r, const YamlMap *m, YamlKey key);
const char *yr_key_word(YamlKey key);
/* YAML_IN_... */
u32 yr_key_places(YamlKey key);

/* Values of `key`. False after a report; *out is then as it was. */
bool yr_text(YamlReader *r, YamlKey key, const char **out);
/* u64, or i64 as a u64 when `is_signed`; in base 16 without a prefix when `hex`. */
bool yr_number(YamlReader *r, YamlKey key, u64 max, bool hex, bool is_signed, u64 *out);
/* A power of two, or "7 mod 16". */
bool yr_alignment(YamlReader *r, u8 *p2align, u64 *modulus);
/* Two-digit hexadecimal bytes. */
bool yr_bytes(YamlReader *r, YamlKey key, Bytes *out);

/* A word whose table may not be known yet. */
typedef struct {
  char text[24];
  YamlMark at;
} YamlSpelled;
bool yr_word(YamlReader *r, YamlKey key, YamlSpelled *out);
/* The word's value among n rows; 0 after a report. */
u32 yr_word_value(YamlReader *r, const YamlSpelled *s, const YamlWord *rows, u32 n);

#endif
