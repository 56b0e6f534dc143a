/* tbd.c: see tbd.h. One reader for all versions, since they are the same lists under changing names: a document is a
 * mapping; its sections name targets, and in lists of names what is exported, re-exported or allowed for those.
 * Version 5 is JSON, which libyaml reads as well (flow style, quoted), so no other parser is needed.
 * The trap: which targets a section is for may be said behind its lists (keys of version 5 are sorted), and what the
 * library itself is for behind all sections. So items are kept with their section and chosen at the end. */
#include "read/tbd.h"

#include <stdlib.h>

#include "format/macho.h"
#include "read/tbd_events.h"

/* How well a section's targets fit the link's. */
enum {
  FIT_CPU = 1 << 0,   /* the CPU and the platform: arm64e for arm64 */
  FIT_EXACT = 1 << 1, /* the architecture and the platform */
  FIT_ANYWHERE = 1 << 2, /* the CPU, on whatever platform */
};

typedef enum {
  ITEM_SYMBOL, ITEM_WEAK, ITEM_TLV, ITEM_CLASS, ITEM_EH_TYPE, ITEM_IVAR, /* exports */
  ITEM_LIBRARY, ITEM_CLIENT, ITEM_RPATH,
  ITEM_INSTALL_NAME, ITEM_CURRENT, ITEM_COMPATIBILITY, ITEM_FLAG,
  ITEM_SKIP,
} ItemKind;

typedef struct {
  const char *name;
  u32 len;
  u32 section;
  ItemKind kind;
} Item;

typedef struct {
  u32 fit;
  bool says; /* it names targets; else it is for all of the library's */
} Section;

typedef struct {
  TbdEvents e;
  const MachoTarget *t;
  u32 version;
  VEC(Item) items;       /* of the document in hand */
  VEC(Section) sections; /* 0 is the document itself */
  bool has_platform;     /* versions 1 to 3: "platform" was there */
  bool platform_fits;
  VEC(MachoLibrary) libraries;
} Tbd;

bool tbd_is(Bytes t) {
  static const char *const begins[] = {"--- !tapi-tbd", "---\narchs:", "---\r\narchs:", "archs:"};
  u64 i = 0;
  while (i < t.len && (t.p[i] == ' ' || (t.p[i] >= '\t' && t.p[i] <= '\r')))
    i++;
  for (u32 k = 0; k < COUNT_OF(begins); k++) {
    u64 n = strlen(begins[k]);
    if (t.len - i >= n && !memcmp(t.p + i, begins[k], n))
      return true;
  }
  return t.len > i && t.p[i] == '{' && memmem(t.p + i, t.len - i, "\"tapi_tbd_version\"", 18);
}

/* ---- targets ---- */

static u32 fit_of_arch(const Tbd *f, const char *arch, u64 len) {
  static const struct { const char *name; u32 cputype; } archs[] = {
      {"x86_64", CPU_TYPE_X86_64}, {"x86_64h", CPU_TYPE_X86_64}, {"arm64", CPU_TYPE_ARM64}, {"arm64e", CPU_TYPE_ARM64}};
  for (u32 i = 0; i < COUNT_OF(archs); i++)
    if (strlen(archs[i].name) == len && !memcmp(archs[i].name, arch, len) && archs[i].cputype == f->t->cputype)
      return FIT_CPU | (streq(archs[i].name, f->t->arch) ? (u32)FIT_EXACT : 0);
  return 0;
}

/* Names of platforms in targets of versions 4 and 5, in the order of PLATFORM_*; then those of versions 1 to 3. */
static const char *const platforms[] = {"", "macos", "ios", "tvos", "watchos", "bridgeos", "maccatalyst", "ios-simulator",
                                        "tvos-simulator", "watchos-simulator", "driverkit", "xros", "xros-simulator"};

/* "x86_64-macos", "arm64-<6>". */
static u32 fit_of_target(const Tbd *f, const char *s) {
  const char *dash = strchr(s, '-');
  u32 fit = dash ? fit_of_arch(f, s, (u64)(dash - s)) : 0;
  if (!fit)
    return 0;
  const char *p = dash + 1;
  bool same = p[0] == '<' ? strtoul(p + 1, NULL, 10) == f->t->platform
                          : f->t->platform < COUNT_OF(platforms) && streq(p, platforms[f->t->platform]);
  return (same ? fit : 0) | FIT_ANYWHERE;
}

/* Versions 1 to 3 have one platform for all; the simulator's was that of the device, for other processors. */
static bool fits_platform(const Tbd *f, const char *s) {
  static const struct { const char *name; u32 device, simulator; } old[] = {
      {"macosx", PLATFORM_MACOS, PLATFORM_MACOS},       {"ios", PLATFORM_IOS, PLATFORM_IOSSIMULATOR},
      {"tvos", PLATFORM_TVOS, PLATFORM_TVOSSIMULATOR},  {"watchos", PLATFORM_WATCHOS, PLATFORM_WATCHOSSIMULATOR},
      {"bridgeos", PLATFORM_BRIDGEOS, PLATFORM_BRIDGEOS}, {"iosmac", PLATFORM_MACCATALYST, PLATFORM_MACCATALYST},
      {"zippered", PLATFORM_MACOS, PLATFORM_MACOS},     {"zippered", PLATFORM_MACCATALYST, PLATFORM_MACCATALYST}};
  for (u32 i = 0; i < COUNT_OF(old); i++)
    if (streq(s, old[i].name) && f->t->platform == (f->t->cputype == CPU_TYPE_X86_64 ? old[i].simulator : old[i].device))
      return true;
  return false;
}

/* ---- values ---- */

/* The text in hand; NULL after a report. In the arena. */
static const char *text(Tbd *f, const char *what) {
  TbdEvents *e = &f->e;
  if (e->ev.kind != TBD_TEXT) {
    if (e->ev.kind != TBD_OTHER && e->ev.kind != TBD_STREAM_END)
      tbd_error(e, tbd_mark(e), "%s must be a single value", what);
    tbd_skip(e);
    return NULL;
  }
  if (memchr(e->ev.s, 0, e->ev.len)) {
    tbd_error(e, tbd_mark(e), "NUL in %s", what);
    return NULL;
  }
  return arena_strndup(e->y.a, e->ev.s, e->ev.len);
}

static void add_item(Tbd *f, ItemKind kind, u32 section, const char *what) {
  u32 len = (u32)f->e.ev.len;
  const char *s = text(f, what);
  if (s)
    *vec_push(&f->items) = (Item){s, len, section, kind};
}

static void add_items(Tbd *f, ItemKind kind, u32 section, const char *key) {
  if (f->e.ev.null || !tbd_list(&f->e, key))
    return;
  while (tbd_item(&f->e))
    add_item(f, kind, section, key);
}

/* The next key of a mapping; ev begins its value then. False at the end. */
static bool next_key(Tbd *f, char *key, u64 size) {
  for (;;) {
    tbd_next(&f->e);
    if (f->e.ev.kind == TBD_STREAM_END || f->e.ev.kind == TBD_END)
      return false;
    if (f->e.ev.kind == TBD_TEXT) {
      u64 n = MIN(f->e.ev.len, size - 1);
      memcpy(key, f->e.ev.s, n);
      key[n] = 0;
      tbd_next(&f->e);
      return f->e.ev.kind != TBD_STREAM_END;
    }
    if (f->e.ev.kind != TBD_OTHER)
      tbd_error(&f->e, tbd_mark(&f->e), "a key must be a word");
    tbd_skip(&f->e);
    tbd_next(&f->e);
    tbd_skip(&f->e);
  }
}

/* ---- sections ---- */

enum { KEY_SIZE = 40 };

static void read_targets(Tbd *f, u32 section, const char *key) {
  TbdEvents *e = &f->e;
  bool archs = streq(key, "archs");
  if (!tbd_list(e, key))
    return;
  u32 fit = 0;
  while (tbd_item(e)) {
    const char *s = text(f, key);
    if (s && archs) {
      u32 x = fit_of_arch(f, s, strlen(s));
      fit |= x | (x ? (u32)FIT_ANYWHERE : 0);
    } else if (s) {
      fit |= fit_of_target(f, s);
    }
  }
  f->sections.at[section].says = true;
  f->sections.at[section].fit |= fit;
}

/* What a list in a section holds. `in` is the key of the sections' list. */
static ItemKind kind_of(const char *key, ItemKind in) {
  static const struct { const char *key; ItemKind kind; } lists[] = {
      {"symbols", ITEM_SYMBOL}, {"global", ITEM_SYMBOL}, {"weak-symbols", ITEM_WEAK}, {"weak-def-symbols", ITEM_WEAK}, {"weak", ITEM_WEAK},
      {"thread-local-symbols", ITEM_TLV}, {"thread_local", ITEM_TLV}, {"objc-classes", ITEM_CLASS}, {"objc_class", ITEM_CLASS},
      {"objc-eh-types", ITEM_EH_TYPE}, {"objc_eh_type", ITEM_EH_TYPE}, {"objc-ivars", ITEM_IVAR}, {"objc_ivar", ITEM_IVAR},
      {"re-exports", ITEM_LIBRARY}, {"allowed-clients", ITEM_CLIENT}, {"allowable-clients", ITEM_CLIENT}};
  static const struct { const char *key; ItemKind in; } others[] = {
      {"libraries", ITEM_LIBRARY}, {"names", ITEM_LIBRARY}, {"clients", ITEM_CLIENT}, {"paths", ITEM_RPATH}, {"attributes", ITEM_FLAG},
      {"name", ITEM_INSTALL_NAME}, {"version", ITEM_CURRENT}, {"version", ITEM_COMPATIBILITY}};
  for (u32 i = 0; in == ITEM_SYMBOL && i < COUNT_OF(lists); i++)
    if (streq(key, lists[i].key))
      return lists[i].kind;
  for (u32 i = 0; i < COUNT_OF(others); i++)
    if (in == others[i].in && streq(key, others[i].key))
      return in;
  return ITEM_SKIP;
}

/* A section, or "data" and "text" in one of version 5. */
static void read_section(Tbd *f, u32 section, ItemKind in, bool inner) {
  char key[KEY_SIZE];
  if (f->e.ev.kind != TBD_MAP) {
    tbd_error(&f->e, tbd_mark(&f->e), "a section must be a mapping");
    tbd_skip(&f->e);
    return;
  }
  while (next_key(f, key, sizeof key)) {
    ItemKind kind = kind_of(key, in);
    if (!inner && (streq(key, "targets") || streq(key, "archs"))) {
      read_targets(f, section, key);
    } else if (!inner && in == ITEM_SYMBOL && (streq(key, "data") || streq(key, "text"))) {
      read_section(f, section, in, true);
    } else if (kind == ITEM_SKIP) {
      tbd_skip(&f->e);
    } else if (f->sections.at[section].says && !f->sections.at[section].fit) {
      tbd_skip(&f->e); /* half of a file is for other processors */
    } else if (kind == ITEM_INSTALL_NAME || kind == ITEM_CURRENT || kind == ITEM_COMPATIBILITY) {
      add_item(f, kind, section, key);
    } else {
      add_items(f, kind, section, key);
    }
  }
}

static void read_sections(Tbd *f, ItemKind in, const char *key) {
  if (f->e.ev.null || !tbd_list(&f->e, key))
    return;
  while (tbd_item(&f->e)) {
    *vec_push(&f->sections) = (Section){0};
    read_section(f, f->sections.n - 1, in, false);
  }
}

/* ---- documents ---- */

/* Version 5: [{"target": "x86_64-macos", "min_deployment": "10.14"}, ...] */
static void read_target_info(Tbd *f) {
  char key[KEY_SIZE];
  if (!tbd_list(&f->e, "target_info"))
    return;
  f->sections.at[0].says = true;
  while (tbd_item(&f->e)) {
    if (f->e.ev.kind != TBD_MAP) {
      tbd_skip(&f->e);
      continue;
    }
    while (next_key(f, key, sizeof key)) {
      const char *s = streq(key, "target") ? text(f, key) : NULL;
      if (s)
        f->sections.at[0].fit |= fit_of_target(f, s);
      else
        tbd_skip(&f->e);
    }
  }
}

/* Keys of a document whose value is one text or a list of texts, and those whose value is a list of sections. */
static const struct { const char *key; ItemKind kind; bool sections; } doc_keys[] = {
    {"install-name", ITEM_INSTALL_NAME, false}, {"current-version", ITEM_CURRENT, false}, {"compatibility-version", ITEM_COMPATIBILITY, false},
    {"exports", ITEM_SYMBOL, true},             {"reexports", ITEM_SYMBOL, true},         {"reexported-libraries", ITEM_LIBRARY, true},
    {"allowable-clients", ITEM_CLIENT, true},   {"install_names", ITEM_INSTALL_NAME, true}, {"current_versions", ITEM_CURRENT, true},
    {"compatibility_versions", ITEM_COMPATIBILITY, true}, {"exported_symbols", ITEM_SYMBOL, true}, {"reexported_symbols", ITEM_SYMBOL, true},
    {"reexported_libraries", ITEM_LIBRARY, true}, {"allowable_clients", ITEM_CLIENT, true}, {"rpaths", ITEM_RPATH, true},
};

static void read_flags(Tbd *f) {
  bool sections = f->version == 5;
  if (sections)
    read_sections(f, ITEM_FLAG, "flags");
  else
    add_items(f, ITEM_FLAG, 0, "flags");
}

static void read_key(Tbd *f, const char *key) {
  for (u32 i = 0; i < COUNT_OF(doc_keys); i++)
    if (streq(key, doc_keys[i].key)) {
      if (doc_keys[i].sections)
        read_sections(f, doc_keys[i].kind, key);
      else
        add_item(f, doc_keys[i].kind, 0, key);
      return;
    }
  if (streq(key, "targets") || streq(key, "archs")) {
    read_targets(f, 0, key);
  } else if (streq(key, "target_info")) {
    read_target_info(f);
  } else if (streq(key, "flags")) {
    read_flags(f);
  } else if (streq(key, "platform")) {
    const char *s = text(f, key);
    f->has_platform = s;
    f->platform_fits = s && fits_platform(f, s);
  } else if (streq(key, "tbd-version")) {
    const char *s = text(f, key);
    if (s && !streq(s, "4"))
      tbd_error(&f->e, tbd_mark(&f->e), "text stubs of version %.20s are not supported; 1 to 5 are", s);
  } else {
    tbd_skip(&f->e);
  }
}

/* "1319.100.3"; what does not fit into 16, 8, 8 bits is cut, further parts are dropped, as ld64 does. */
static bool packed_version(const char *s, u32 *out) {
  static const u32 most[] = {0xffff, 0xff, 0xff};
  u32 part[3] = {0};
  for (u32 i = 0;; i++) {
    u64 v = 0;
    const char *start = s;
    for (; *s >= '0' && *s <= '9'; s++)
      v = MIN(v * 10 + (u64)(*s - '0'), 0xffffffffu);
    if (s == start || i == 5)
      return false;
    if (i < 3)
      part[i] = (u32)MIN(v, most[i]);
    if (!*s)
      break;
    if (*s++ != '.')
      return false;
  }
  *out = part[0] << 16 | part[1] << 8 | part[2];
  return true;
}

typedef VEC(const char *) Names;
typedef VEC(MachoExport) Exports;

static void add_export(Exports *v, const char *name, u32 flags) { *vec_push(v) = (MachoExport){name, (u32)strlen(name), flags}; }

/* Names of Objective-C things stand for symbols; versions 1 and 2 write them with C's underscore. */
static void add_objc(Tbd *f, Exports *v, ItemKind kind, const char *name) {
  Arena *a = f->e.y.a;
  if (f->version < 3 && name[0] == '_' && kind != ITEM_EH_TYPE)
    name++;
  if (kind == ITEM_CLASS) {
    add_export(v, arena_printf(a, "_OBJC_CLASS_$_%s", name), 0);
    add_export(v, arena_printf(a, "_OBJC_METACLASS_$_%s", name), 0);
  } else if (kind == ITEM_EH_TYPE) {
    add_export(v, arena_printf(a, "_OBJC_EHTYPE_$_%s", name), 0);
  } else {
    add_export(v, arena_printf(a, "_OBJC_IVAR_$_%s", name), 0);
  }
}

static const char *const *keep_names(Tbd *f, Names *v, u32 *n) {
  const char **p = ARENA_ARRAY(f->e.y.a, const char *, v->n + 1);
  if (v->n)
    memcpy(p, v->at, v->n * sizeof *p);
  *n = v->n;
  vec_free(v);
  return p;
}

/* Of the items those whose section is for the target. */
static void choose(Tbd *f, YamlMark start) {
  const Section *doc = &f->sections.at[0];
  u32 fit = doc->fit & (f->has_platform && !f->platform_fits ? FIT_ANYWHERE : UINT32_MAX);
  u32 want = fit & FIT_EXACT ? FIT_EXACT : fit & FIT_CPU || !doc->says ? FIT_CPU : FIT_ANYWHERE;
  MachoLibrary lib = {.install_name = "", .current_version = 0x10000, .compatibility_version = 0x10000, .for_target = want != FIT_ANYWHERE, .app_extension_safe = true};
  Names libraries = {0}, clients = {0}, rpaths = {0};
  Exports exports = {0};
  for (u32 i = 0; i < f->items.n; i++) {
    const Item *x = &f->items.at[i];
    const Section *s = &f->sections.at[x->section];
    if (x->section && s->says && !(s->fit & want))
      continue;
    u32 *version = x->kind == ITEM_CURRENT ? &lib.current_version : &lib.compatibility_version;
    switch (x->kind) {
    case ITEM_SYMBOL:
    case ITEM_WEAK:
    case ITEM_TLV:
      *vec_push(&exports) = (MachoExport){x->name, x->len, x->kind == ITEM_WEAK ? MACHO_EXPORT_WEAK : x->kind == ITEM_TLV ? MACHO_EXPORT_TLV : 0u};
      break;
    case ITEM_CLASS:
    case ITEM_EH_TYPE:
    case ITEM_IVAR: add_objc(f, &exports, x->kind, x->name); break;
    case ITEM_LIBRARY: *vec_push(&libraries) = x->name; break;
    case ITEM_CLIENT: *vec_push(&clients) = x->name; break;
    case ITEM_RPATH: *vec_push(&rpaths) = x->name; break;
    case ITEM_INSTALL_NAME: lib.install_name = x->name; break;
    case ITEM_CURRENT:
    case ITEM_COMPATIBILITY:
      if (!packed_version(x->name, version))
        tbd_error(&f->e, start, "'%.40s' is no version of a library", x->name);
      break;
    case ITEM_FLAG: lib.app_extension_safe &= !streq(x->name, "not_app_extension_safe"); break;
    case ITEM_SKIP: break;
    }
  }
  if (!*lib.install_name && !tbd_failed(&f->e))
    tbd_error(&f->e, start, "the library has no install name");
  MachoExport *p = ARENA_ARRAY(f->e.y.a, MachoExport, exports.n + 1);
  if (exports.n)
    memcpy(p, exports.at, exports.n * sizeof *p);
  lib.exports = p;
  lib.nexports = exports.n;
  vec_free(&exports);
  lib.reexports = keep_names(f, &libraries, &lib.nreexports);
  lib.clients = keep_names(f, &clients, &lib.nclients);
  lib.rpaths = keep_names(f, &rpaths, &lib.nrpaths);
  *vec_push(&f->libraries) = lib;
}

static void begin_library(Tbd *f) {
  f->items.n = f->sections.n = 0;
  f->has_platform = f->platform_fits = false;
  *vec_push(&f->sections) = (Section){0};
}

static void read_library(Tbd *f) {
  char key[KEY_SIZE];
  YamlMark start = tbd_mark(&f->e);
  if (f->e.ev.kind != TBD_MAP) {
    if (f->e.ev.kind != TBD_STREAM_END)
      tbd_error(&f->e, start, "a library must be a mapping");
    tbd_skip(&f->e);
    return;
  }
  begin_library(f);
  while (next_key(f, key, sizeof key))
    read_key(f, key);
  choose(f, start);
}

/* Version 5: {"tapi_tbd_version": 5, "main_library": {...}, "libraries": [...]}; the keys come in any order, and the main
 * library is the first of the result. */
static void read_json(Tbd *f) {
  char key[KEY_SIZE];
  u32 main_at = UINT32_MAX;
  f->version = 5;
  while (next_key(f, key, sizeof key)) {
    if (streq(key, "main_library")) {
      main_at = f->libraries.n;
      read_library(f);
    } else if (streq(key, "libraries")) {
      if (tbd_list(&f->e, key))
        while (tbd_item(&f->e))
          read_library(f);
    } else if (streq(key, "tapi_tbd_version")) {
      const char *s = text(f, key);
      if (s && !streq(s, "5"))
        tbd_error(&f->e, tbd_mark(&f->e), "text stubs of version %.20s are not supported; 1 to 5 are", s);
    } else {
      tbd_skip(&f->e);
    }
  }
  if (main_at < f->libraries.n) {
    MachoLibrary lib = f->libraries.at[main_at];
    memmove(f->libraries.at + 1, f->libraries.at, main_at * sizeof lib);
    f->libraries.at[0] = lib;
  } else if (!tbd_failed(&f->e)) {
    tbd_error(&f->e, (YamlMark){1, 1}, "there is no 'main_library'");
  }
}

/* Versions 1 to 4: the tag says which, and from 4 on a key. */
static void read_yaml(Tbd *f) {
  static const char *const tags[] = {"", "!tapi-tbd-v1", "!tapi-tbd-v2", "!tapi-tbd-v3", "!tapi-tbd"};
  const char *tag = tbd_tag(&f->e);
  f->version = tag ? 0 : 1;
  for (u32 i = 1; tag && i < COUNT_OF(tags); i++)
    if (streq(tag, tags[i]))
      f->version = i;
  if (!f->version) {
    tbd_error(&f->e, tbd_mark(&f->e), "tag '%.40s' is not supported here", tag);
    tbd_skip(&f->e);
    return;
  }
  read_library(f);
}

static bool read_all(Tbd *f, Arena *a, Diag *d, const char *path, Bytes bytes, bool fast) {
  u64 i = 0;
  while (i < bytes.len && bytes.p[i] <= ' ')
    i++;
  bool json = i < bytes.len && bytes.p[i] == '{';
  if ((json && fast) || !tbd_open(&f->e, a, d, path, bytes, fast))
    return false;
  for (tbd_next(&f->e); f->e.ev.kind == TBD_DOCUMENT && !tbd_failed(&f->e); tbd_next(&f->e)) {
    tbd_next(&f->e);
    if (json && f->e.ev.kind == TBD_MAP)
      read_json(f);
    else
      read_yaml(f);
    tbd_next(&f->e); /* the end of the document */
  }
  if (!f->libraries.n && !tbd_failed(&f->e))
    tbd_error(&f->e, (YamlMark){1, 1}, "the text stub has no library");
  bool good = !tbd_failed(&f->e);
  tbd_close(&f->e);
  return good;
}

bool tbd_read_with(Arena *a, Diag *d, const char *path, Bytes bytes, const MachoTarget *t, bool fast, MachoLibrary **out, u32 *n) {
  Tbd f = {.t = t};
  bool good = read_all(&f, a, d, path, bytes, fast);
  *n = f.libraries.n;
  *out = ARENA_ARRAY(a, MachoLibrary, f.libraries.n + 1);
  if (f.libraries.n)
    memcpy(*out, f.libraries.at, f.libraries.n * sizeof **out);
  vec_free(&f.libraries);
  vec_free(&f.items);
  vec_free(&f.sections);
  return good;
}

bool tbd_read(Arena *a, Diag *d, const char *path, Bytes bytes, const MachoTarget *t, MachoLibrary **out, u32 *n) {
  return tbd_read_with(a, d, path, bytes, t, true, out, n) || tbd_read_with(a, d, path, bytes, t, false, out, n);
}
