/* format_macho.c: joins what read/ and write/ know of Mach-O, which may not know of each other. The trap: objects and dynamic
 * libraries are files of one link, and the core asks one row for both: here questions about symbols part by File.kind. */
#include "format_macho.h"

#include "core/resolve.h"
#include "read/macho.h"
#include "read/macho_shared.h"
#include "write/macho.h"

typedef struct {
  Format row;     /* Link.format */
  Format objects; /* read/macho.c's own */
} Rows;

static const Format *objects(const Link *l) { return &((const Rows *)l->format)->objects; }
static bool is_shared(const Link *l, FileId f) { return file_at(l, f)->kind == FILE_SHARED; }

static bool open_file(Link *l, FileId f, unsigned tid) { return is_shared(l, f) ? macho_shared_open(l, f) : objects(l)->open(l, f, tid); }
static u32 names(Link *l, FileId f, InternEnt *out) { return is_shared(l, f) ? macho_shared_names(l, f, out) : objects(l)->names(l, f, out); }

static u32 symbols(const Link *l, FileId f, u32 from, SymRec *buf, u32 cap) {
  return is_shared(l, f) ? macho_shared_symbols(l, f, from, buf, cap) : objects(l)->symbols(l, f, from, buf, cap);
}

static u32 kinds(const Link *l, FileId f, u32 from, u64 *buf, u32 cap) {
  return is_shared(l, f) ? macho_shared_kinds(l, f, from, buf, cap) : objects(l)->kinds(l, f, from, buf, cap);
}

static void definitions(const Link *l, const u64 *keys, u32 n, SymRec *buf) {
  for (u32 i = 0; i < n; i++)
    if (key_file(keys[i]) && key_rank(keys[i]) != RANK_NONE)
      symbols(l, (FileId){key_file(keys[i])}, key_index(keys[i]), &buf[i], 1);
}

static const char *sym_name_of(const Link *l, FileId f, u32 index) {
  return is_shared(l, f) ? macho_shared_sym_name(l, f, index) : objects(l)->sym_name(l, f, index);
}

static bool describe_symbol(const Link *l, FileId f, u32 index, Arena *arena, struct YamlAtom *out) {
  return is_shared(l, f) ? macho_shared_describe_symbol(l, f, index, arena, out) : objects(l)->describe_symbol(l, f, index, arena, out);
}

static u64 sym_size(const Link *l, FileId f, u32 index) { return is_shared(l, f) ? 0 : objects(l)->sym_size(l, f, index); }

static void each_local(const Link *l, FileId f, void *ctx, SymbolFn *fn) {
  if (!is_shared(l, f))
    objects(l)->each_local(l, f, ctx, fn);
}

const Format *format_macho(Link *l) {
  Rows *r = ARENA_NEW(&l->arena, Rows);
  macho_format_init(&r->objects);
  r->row = r->objects;
  r->row.open = open_file;
  r->row.names = names;
  r->row.symbols = symbols;
  r->row.kinds = kinds;
  r->row.definitions = definitions;
  r->row.sym_name = sym_name_of;
  r->row.describe_symbol = describe_symbol;
  r->row.sym_size = sym_size;
  r->row.each_local = each_local;
  r->row.shared_name = macho_shared_name;
  r->row.weak_must_be_met = true;
  r->row.output_section = macho_output_section;
  r->row.segment_of = macho_segment_of;
  r->row.plan_segments = macho_plan_segments;
  r->row.finish_segments = macho_finish_segments;
  return &r->row;
}
