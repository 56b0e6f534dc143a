/* macho_library.c: dynamic libraries as images: load commands and what is exported.
 * The trap: the export trie is a graph of offsets that anybody can draw; each node is visited once, and the names that
 * come out of it are bounded, since a deep trie of n bytes spells n^2. */
#include "read/macho_library.h"

#include <stdlib.h>

#include "format/macho.h"
#include "read/macho.h"

typedef struct {
  Arena *a;
  Diag *d;
  const char *path;
  Bytes b;
  const MachoTarget *t;
  MachoLibrary *out;
  Bytes trie;
  bool has_trie;
  SymtabCommand symtab; /* cmd 0: there is none */
  VEC(MachoExport) exports;
  VEC(const char *) reexports, loads, clients, rpaths;
  bool says_platform, fits_platform;
} Reader;

static bool bad(const Reader *r, u64 off, const char *fact) {
  diag_report(r->d, DIAG_ERROR, "malformed-input", 0, "%s: offset 0x%llx: %s", r->path, (unsigned long long)off, fact);
  return false;
}

/* ---- load commands ---- */

static u64 offset_of(const Reader *r, const void *p) { return (u64)((const u8 *)p - r->b.p); }

/* The string of a command, `off` bytes from its start. NULL after a report. */
static const char *command_string(const Reader *r, Bytes cmd, u32 off) {
  const char *s = off >= sizeof(LoadCommand) ? bytes_cstr(cmd, off) : NULL;
  if (!s)
    bad(r, offset_of(r, cmd.p), "the name in a load command is outside of it");
  return s;
}

static bool set_trie(Reader *r, Bytes cmd, u32 off, u32 size) {
  if (!size)
    return r->has_trie = true;
  if (r->trie.len)
    return bad(r, offset_of(r, cmd.p), "a second table of exports");
  if (!bytes_slice(r->b, off, size, &r->trie))
    return bad(r, offset_of(r, cmd.p), "the table of exports runs past the end of the file");
  return r->has_trie = true;
}

static void add_platform(Reader *r, u32 platform) {
  r->says_platform = true;
  r->fits_platform |= platform == r->t->platform;
}

/* The command before LC_BUILD_VERSION: the simulator is known by its processor. */
static void add_old_platform(Reader *r, u32 device, u32 simulator) { add_platform(r, r->t->cputype == CPU_TYPE_X86_64 ? simulator : device); }

/* Commands whose string stands at the offset in their third word. */
static bool string_command(Reader *r, u32 cmd, Bytes c, const MachHeader64 *h) {
  const StringCommand *s = (const StringCommand *)c.p;
  const char *name = command_string(r, c, s->name);
  if (!name)
    return false;
  if (cmd == LC_RPATH)
    *vec_push(&r->rpaths) = name;
  else if (cmd == LC_SUB_CLIENT)
    *vec_push(&r->clients) = name;
  else if (cmd != LC_REEXPORT_DYLIB)
    *vec_push(&r->loads) = name;
  else if (!(h->flags & MH_NO_REEXPORTED_DYLIBS))
    *vec_push(&r->reexports) = name;
  return true;
}

/* The least that a command of the kind must have; 0: nobody looks at it. */
static u32 command_size(u32 cmd) {
  switch (cmd) {
  case LC_ID_DYLIB: return sizeof(DylibCommand);
  case LC_LOAD_DYLIB:
  case LC_LOAD_WEAK_DYLIB:
  case LC_REEXPORT_DYLIB: return sizeof(DylibCommand);
  case LC_RPATH:
  case LC_SUB_CLIENT: return sizeof(StringCommand);
  case LC_DYLD_INFO:
  case LC_DYLD_INFO_ONLY: return sizeof(DyldInfoCommand);
  case LC_DYLD_EXPORTS_TRIE: return sizeof(LinkeditDataCommand);
  case LC_SYMTAB: return sizeof(SymtabCommand);
  case LC_BUILD_VERSION: return sizeof(BuildVersionCommand);
  default: return 0;
  }
}

static bool read_command(Reader *r, const MachHeader64 *h, u32 cmd, Bytes c) {
  if (c.len < command_size(cmd))
    return bad(r, offset_of(r, c.p), "a load command is too short for what it is");
  switch (cmd) {
  case LC_ID_DYLIB: {
    const DylibCommand *x = (const DylibCommand *)c.p;
    r->out->install_name = command_string(r, c, x->name);
    r->out->current_version = x->current_version;
    r->out->compatibility_version = x->compatibility_version;
    return r->out->install_name;
  }
  case LC_LOAD_DYLIB:
  case LC_LOAD_WEAK_DYLIB:
  case LC_REEXPORT_DYLIB:
  case LC_RPATH:
  case LC_SUB_CLIENT: return string_command(r, cmd, c, h);
  case LC_DYLD_INFO:
  case LC_DYLD_INFO_ONLY: {
    const DyldInfoCommand *x = (const DyldInfoCommand *)c.p;
    return set_trie(r, c, x->export_off, x->export_size);
  }
  case LC_DYLD_EXPORTS_TRIE: {
    const LinkeditDataCommand *x = (const LinkeditDataCommand *)c.p;
    return set_trie(r, c, x->dataoff, x->datasize);
  }
  case LC_SYMTAB: memcpy(&r->symtab, c.p, sizeof r->symtab); return true;
  case LC_BUILD_VERSION: add_platform(r, ((const BuildVersionCommand *)c.p)->platform); return true;
  case LC_VERSION_MIN_MACOSX: add_platform(r, PLATFORM_MACOS); return true;
  case LC_VERSION_MIN_IPHONEOS: add_old_platform(r, PLATFORM_IOS, PLATFORM_IOSSIMULATOR); return true;
  case LC_VERSION_MIN_TVOS: add_old_platform(r, PLATFORM_TVOS, PLATFORM_TVOSSIMULATOR); return true;
  case LC_VERSION_MIN_WATCHOS: add_old_platform(r, PLATFORM_WATCHOS, PLATFORM_WATCHOSSIMULATOR); return true;
  default: return true;
  }
}

/* Calls of one function for each command: the walk is the same for libraries and objects. */
typedef struct {
  Bytes rest;
  u32 left;
} Commands;

/* False when the header says more than there is. */
static bool commands_open(Bytes b, Commands *out) {
  const MachHeader64 *h = (const MachHeader64 *)b.p;
  *out = (Commands){.left = h->ncmds};
  return bytes_slice(b, sizeof *h, h->sizeofcmds, &out->rest);
}

/* 1: a command; 0: the end; -1: malformed at rest.p. */
static int commands_next(Commands *c, u32 *cmd, Bytes *out) {
  if (!c->left--)
    return 0;
  if (c->rest.len < sizeof(LoadCommand))
    return -1;
  const LoadCommand *x = (const LoadCommand *)c->rest.p;
  if (x->cmdsize < sizeof *x || !bytes_slice(c->rest, 0, x->cmdsize, out))
    return -1;
  *cmd = x->cmd;
  c->rest = (Bytes){c->rest.p + x->cmdsize, c->rest.len - x->cmdsize};
  return 1;
}

/* ---- the export trie ---- */

/* mach-o/loader.h, export trie: a node is the size of its terminal part, that part (flags, address, ...), the number of children,
 * and for each child a piece of the name and the offset of its node. */
typedef struct {
  u32 node;
  u32 name_len; /* of the name so far, in Trie.name */
  u32 left;     /* children to come */
  u32 at;       /* where the next child stands; 0: the node was not looked at yet */
} TrieFrame;

typedef struct {
  Reader *r;
  VEC(TrieFrame) stack;
  VEC(char) name;
  u8 *seen;  /* a bit for each offset */
  u64 bytes; /* of names so far */
} Trie;

static bool uleb(Bytes b, u64 *at, u64 *out) {
  u64 v = 0;
  for (u32 shift = 0; *at < b.len; shift += 7) {
    u8 c = b.p[(*at)++];
    if (shift > 63 || (shift == 63 && c > 1))
      return false;
    v |= (u64)(c & 0x7f) << shift;
    if (!(c & 0x80)) {
      *out = v;
      return true;
    }
  }
  return false;
}

static bool trie_bad(const Trie *t, u64 at, const char *fact) { return bad(t->r, offset_of(t->r, t->r->trie.p) + at, fact); }

/* flags, then an address or (re-exports) an ordinal and a name, of which nothing matters here. */
static bool trie_terminal(Trie *t, u64 at, u64 size) {
  enum { NAMES_PER_BYTE = 64, NAMES_FREE = 16 << 20 };
  Bytes part;
  u64 pos = 0, flags;
  bytes_slice(t->r->trie, at, size, &part);
  if (!uleb(part, &pos, &flags))
    return trie_bad(t, at, "an export has no flags");
  if (flags & ~(u64)(EXPORT_SYMBOL_FLAGS_KIND_MASK | EXPORT_SYMBOL_FLAGS_WEAK_DEFINITION | EXPORT_SYMBOL_FLAGS_REEXPORT | EXPORT_SYMBOL_FLAGS_STUB_AND_RESOLVER))
    return trie_bad(t, at, "an export has flags that are not known");
  t->bytes += t->name.n + 1;
  if (t->bytes > t->r->trie.len * NAMES_PER_BYTE + NAMES_FREE)
    return trie_bad(t, at, "the names in the table of exports are too long for its size");
  u32 kind = flags & EXPORT_SYMBOL_FLAGS_KIND_MASK;
  *vec_push(&t->r->exports) = (MachoExport){
      arena_strndup(t->r->a, t->name.n ? t->name.at : "", t->name.n), t->name.n,
      (flags & EXPORT_SYMBOL_FLAGS_WEAK_DEFINITION ? (u32)MACHO_EXPORT_WEAK : 0) |
          (kind == EXPORT_SYMBOL_FLAGS_KIND_THREAD_LOCAL ? (u32)MACHO_EXPORT_TLV : 0) |
          (kind == EXPORT_SYMBOL_FLAGS_KIND_ABSOLUTE ? (u32)MACHO_EXPORT_ABSOLUTE : 0)};
  return true;
}

/* What stands before the children. */
static bool trie_enter(Trie *t, TrieFrame *f) {
  Bytes trie = t->r->trie;
  u64 at = f->node, size;
  if (t->seen[at >> 3] >> (at & 7) & 1)
    return trie_bad(t, at, "the table of exports leads to a node twice");
  t->seen[at >> 3] |= (u8)(1u << (at & 7));
  if (!uleb(trie, &at, &size) || size >= trie.len - at)
    return trie_bad(t, f->node, "a node of the table of exports runs past its end");
  if (size && !trie_terminal(t, at, size))
    return false;
  at += size;
  f->left = trie.p[at];
  f->at = (u32)at + 1;
  return true;
}

/* Puts the next child's name behind the node's, and the child on the stack. */
static bool trie_child(Trie *t, u32 top) {
  TrieFrame *f = &t->stack.at[top];
  Bytes trie = t->r->trie;
  const char *piece = bytes_cstr(trie, f->at);
  u64 len = piece ? strlen(piece) : 0, at = f->at + len + 1, node;
  if (!piece || !uleb(trie, &at, &node) || node >= trie.len)
    return trie_bad(t, f->at, "a child in the table of exports is outside of it");
  t->name.n = f->name_len;
  vec_reserve(&t->name, t->name.n + (u32)len);
  if (len)
    memcpy(t->name.at + t->name.n, piece, len);
  t->name.n += (u32)len;
  f->left--;
  f->at = (u32)at;
  *vec_push(&t->stack) = (TrieFrame){.node = (u32)node, .name_len = t->name.n};
  return true;
}

static bool read_trie(Reader *r) {
  Trie t = {.r = r};
  if (!r->trie.len)
    return true;
  t.seen = heap_alloc(r->trie.len / 8 + 1);
  *vec_push(&t.stack) = (TrieFrame){0};
  bool ok = true;
  while (ok && t.stack.n) {
    u32 top = t.stack.n - 1;
    TrieFrame *f = &t.stack.at[top];
    if (!f->at)
      ok = trie_enter(&t, f);
    else if (f->left)
      ok = trie_child(&t, top);
    else
      t.stack.n--;
  }
  free(t.seen);
  vec_free(&t.stack);
  vec_free(&t.name);
  return ok;
}

/* ---- the symbol table ---- */

/* A library without a trie is from before dyld read one. */
static bool read_symtab(Reader *r) {
  Bytes tab, str;
  if (!r->symtab.cmd)
    return true;
  if (!bytes_array(r->b, r->symtab.symoff, r->symtab.nsyms, sizeof(Nlist64), &tab))
    return bad(r, r->symtab.symoff, "the symbol table runs past the end of the file");
  if (!bytes_slice(r->b, r->symtab.stroff, r->symtab.strsize, &str))
    return bad(r, r->symtab.stroff, "the string table runs past the end of the file");
  const Nlist64 *s = (const Nlist64 *)tab.p;
  for (u32 i = 0; i < r->symtab.nsyms; i++) {
    if (s[i].n_type & (N_STAB | N_PEXT) || !(s[i].n_type & N_EXT) || (s[i].n_type & N_TYPE) == N_UNDF)
      continue;
    const char *name = bytes_cstr(str, s[i].n_strx);
    if (!name)
      return bad(r, r->symtab.symoff + i * sizeof *s, "a symbol has a name outside the string table");
    *vec_push(&r->exports) = (MachoExport){name, (u32)strlen(name),
                                           (s[i].n_desc & N_WEAK_DEF ? (u32)MACHO_EXPORT_WEAK : 0) |
                                               ((s[i].n_type & N_TYPE) == N_ABS ? (u32)MACHO_EXPORT_ABSOLUTE : 0)};
  }
  return true;
}

/* ---- one image ---- */

static bool read_image(Reader *r) {
  u32 filetype, cputype;
  if (!macho_is(r->b, &filetype, &cputype))
    return bad(r, 0, "not a 64-bit Mach-O image");
  const MachHeader64 *h = (const MachHeader64 *)r->b.p;
  if (cputype != r->t->cputype) {
    const char *cpu = macho_cpu_name(cputype, h->cpusubtype);
    diag_report(r->d, DIAG_ERROR, "wrong-architecture", 0, "%s: is for %s; this link is for %s", r->path, cpu ? cpu : "another processor", r->t->arch);
    return false;
  }
  Commands c;
  Bytes body;
  u32 cmd;
  int more;
  if (!commands_open(r->b, &c))
    return bad(r, sizeof *h, "the load commands run past the end of the file");
  while ((more = commands_next(&c, &cmd, &body)) > 0)
    if (!read_command(r, h, cmd, body))
      return false;
  if (more < 0)
    return bad(r, offset_of(r, c.rest.p), "a load command runs past the others");
  if (!*r->out->install_name && (filetype == MH_DYLIB || filetype == MH_DYLIB_STUB))
    return bad(r, 0, "the library has no install name (LC_ID_DYLIB)");
  r->out->for_target = r->fits_platform || !r->says_platform;
  r->out->dead_strippable = h->flags & MH_DEAD_STRIPPABLE_DYLIB;
  r->out->app_extension_safe = h->flags & MH_APP_EXTENSION_SAFE;
  return r->has_trie ? read_trie(r) : read_symtab(r);
}

/* What a VEC holds, in the arena. */
#define KEEP(arena, v, T, to, count)                                                               \
  do {                                                                                             \
    T *kept = ARENA_ARRAY((arena), T, (v)->n + 1);                                                 \
    if ((v)->n)                                                                                    \
      memcpy(kept, (v)->at, (v)->n * sizeof(T));                                                   \
    (to) = kept;                                                                                   \
    (count) = (v)->n;                                                                              \
    vec_free(v);                                                                                   \
  } while (0)

bool macho_library_read(Arena *a, Diag *d, const char *path, Bytes b, const MachoTarget *t, MachoLibrary *out) {
  Reader r = {.a = a, .d = d, .path = path, .b = b, .t = t, .out = out};
  *out = (MachoLibrary){.install_name = ""};
  bool ok = read_image(&r);
  KEEP(a, &r.exports, MachoExport, out->exports, out->nexports);
  KEEP(a, &r.reexports, const char *, out->reexports, out->nreexports);
  KEEP(a, &r.loads, const char *, out->loads, out->nloads);
  KEEP(a, &r.clients, const char *, out->clients, out->nclients);
  KEEP(a, &r.rpaths, const char *, out->rpaths, out->nrpaths);
  return ok;
}

/* ---- -ObjC ---- */

static bool is_objc_section(const MachSection64 *s) {
  return (!strncmp(s->segname, "__DATA", 6) && !strncmp(s->sectname, "__objc_catlist", 16)) ||
         (!strncmp(s->segname, "__TEXT", 16) && !strncmp(s->sectname, "__swift", 7));
}

static bool has_objc_section(Bytes c) {
  Bytes sections;
  if (c.len < sizeof(SegmentCommand64))
    return false;
  const SegmentCommand64 *seg = (const SegmentCommand64 *)c.p;
  if (!bytes_array(c, sizeof *seg, seg->nsects, sizeof(MachSection64), &sections))
    return false;
  const MachSection64 *s = (const MachSection64 *)sections.p;
  for (u32 i = 0; i < seg->nsects; i++)
    if (is_objc_section(&s[i]))
      return true;
  return false;
}

static bool defines_class(Bytes b, Bytes c) {
  Bytes tab, str;
  if (c.len < sizeof(SymtabCommand))
    return false;
  const SymtabCommand *t = (const SymtabCommand *)c.p;
  if (!bytes_array(b, t->symoff, t->nsyms, sizeof(Nlist64), &tab) || !bytes_slice(b, t->stroff, t->strsize, &str))
    return false;
  const Nlist64 *s = (const Nlist64 *)tab.p;
  for (u32 i = 0; i < t->nsyms; i++) {
    const char *name = s[i].n_type & N_EXT && !(s[i].n_type & N_STAB) && s[i].n_type & N_TYPE ? bytes_cstr(str, s[i].n_strx) : NULL;
    if (name && starts_with(name, "_OBJC_CLASS_$_"))
      return true;
  }
  return false;
}

bool macho_has_objc(Bytes b) {
  Commands c;
  Bytes body;
  u32 cmd;
  if (!macho_is(b, NULL, NULL) || !commands_open(b, &c))
    return false;
  while (commands_next(&c, &cmd, &body) > 0)
    if ((cmd == LC_SEGMENT_64 && has_objc_section(body)) || (cmd == LC_SYMTAB && defines_class(b, body)))
      return true;
  return false;
}
