/* tbd_events.h: the text of a stub as events: lists, mappings, texts. From libyaml, or from a scanner of weld's own for
 * the few forms that stubs are written in, which is ten times as fast and gives up at anything else.
 * As in read/yaml_node.h: who reads a node is called when `ev` is its first event, and leaves `ev` at its last. */
#ifndef WELD_READ_TBD_EVENTS_H
#define WELD_READ_TBD_EVENTS_H

#include "read/yaml_node.h"

typedef enum { TBD_STREAM_END, TBD_DOCUMENT, TBD_MAP, TBD_LIST, TBD_END /* of a map, list or document */, TBD_TEXT, TBD_OTHER /* reported */ } TbdEventKind;

typedef struct {
  TbdEventKind kind;
  const char *s; /* of TBD_TEXT, valid until the next event; not NUL-ended */
  u64 len;
  bool null;     /* a text that is not there */
} TbdEvent;

typedef struct {
  bool block_list;
  i32 column; /* of its keys or dashes */
} TbdFrame; /* a list or mapping of the text that is open */

typedef struct {
  TbdEvent ev;
  bool fast;        /* weld's own scanner */
  bool gave_up;     /* the text must be read again, by libyaml */
  YamlReader y;     /* with libyaml; also the arena */
  /* the scanner's */
  const char *p, *end;
  TbdFrame frames[8];
  u32 depth;
  u8 state;
  const char *tag;  /* of the document, in the arena; NULL: none */
} TbdEvents;

/* `fast`: with the scanner; false when it can't be: the text has characters that it does not know. */
bool tbd_open(TbdEvents *e, Arena *a, Diag *d, const char *path, Bytes text, bool fast);
void tbd_close(TbdEvents *e);
void tbd_next(TbdEvents *e);
/* The rest of the node. */
void tbd_skip(TbdEvents *e);
/* Tag of the document whose root is the event in hand. */
const char *tbd_tag(const TbdEvents *e);
YamlMark tbd_mark(const TbdEvents *e);
/* Reports; the scanner gives up instead, so that libyaml's pass says it with the place. */
void tbd_error(TbdEvents *e, YamlMark at, const char *fmt, ...) PRINTF_LIKE(3, 4);
static inline bool tbd_failed(const TbdEvents *e) { return e->fast ? e->gave_up : e->y.bad; }

/* `key` has to be a list: true when it is. tbd_item() then goes to each item. */
bool tbd_list(TbdEvents *e, const char *key);
bool tbd_item(TbdEvents *e);

#endif
