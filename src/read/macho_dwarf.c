/* macho_dwarf.c: what a debugger's map says of an object: the name of its source and where it was compiled, from the first unit
 * of its debug information (DWARF 5, 7.5; versions 2 to 5).
 * The trap: this runs for each object with debug information, and means nothing for the output's code: what looks odd is no
 * error, the object just has no unit. Strings by index need a base that may stand behind them. */
#include "read/macho_internal.h"

enum {
  DW_UT_COMPILE = 1, DW_UT_PARTIAL = 3,
  DW_AT_NAME = 0x03, DW_AT_COMP_DIR = 0x1b, DW_AT_STR_OFFSETS_BASE = 0x72,
};
enum {
  FORM_ADDR = 0x01, FORM_BLOCK2 = 0x03, FORM_BLOCK4, FORM_DATA2, FORM_DATA4, FORM_DATA8, FORM_STRING, FORM_BLOCK, FORM_BLOCK1, FORM_DATA1,
  FORM_FLAG, FORM_SDATA, FORM_STRP, FORM_UDATA, FORM_REF_ADDR, FORM_REF1, FORM_REF2, FORM_REF4, FORM_REF8, FORM_REF_UDATA, FORM_INDIRECT,
  FORM_SEC_OFFSET, FORM_EXPRLOC, FORM_FLAG_PRESENT, FORM_STRX, FORM_ADDRX, FORM_REF_SUP4, FORM_STRP_SUP, FORM_DATA16, FORM_LINE_STRP, FORM_REF_SIG8,
  FORM_IMPLICIT_CONST, FORM_LOCLISTX, FORM_RNGLISTX, FORM_REF_SUP8, FORM_STRX1, FORM_STRX2, FORM_STRX3, FORM_STRX4, FORM_ADDRX1, FORM_ADDRX2,
  FORM_ADDRX3, FORM_ADDRX4,
};

/* Reads of a section; one behind its end gives 0 and leaves `ok` false. */
typedef struct {
  const u8 *at, *end;
  bool ok;
} Reader;

static u64 get(Reader *r, u32 bytes) {
  u64 v = 0;
  if ((u64)(r->end - r->at) < bytes) {
    r->ok = false;
    r->at = r->end;
    return 0;
  }
  memcpy(&v, r->at, bytes);
  r->at += bytes;
  return v;
}

static u64 get_leb(Reader *r) {
  u64 v = 0;
  for (u32 shift = 0;; shift += 7) {
    u64 b = get(r, 1);
    if (shift < 64)
      v |= (b & 0x7f) << shift;
    if (!(b & 0x80))
      return v;
  }
}

static void skip(Reader *r, u64 n) {
  if (n > (u64)(r->end - r->at))
    r->ok = false;
  r->at += MIN(n, (u64)(r->end - r->at));
}

static Reader reader_of(Bytes b) { return (Reader){b.p, b.p + b.len, b.p != NULL}; }

/* The unit in hand. */
typedef struct {
  Bytes info, abbrev, str, line_str, str_offsets;
  Reader r;
  u32 version, offset_size, address_size;
  u64 base; /* of str_offsets */
} Unit;

/* A string: at `p`, or number `index` of the unit's. */
typedef struct {
  const char *p;
  u64 index;
  bool indexed;
} Text;

static const char *resolve(const Unit *u, const Text *t) {
  Bytes b;
  u64 at;
  if (!t->indexed)
    return t->p;
  if (!bytes_array(u->str_offsets, 0, t->index, u->offset_size, &b) || !bytes_slice(u->str_offsets, u->base, u->str_offsets.len - MIN(u->base, u->str_offsets.len), &b) ||
      !bytes_slice(b, t->index * u->offset_size, u->offset_size, &b))
    return NULL;
  at = u->offset_size == 8 ? rd64(b.p) : rd32(b.p);
  return bytes_cstr(u->str, at);
}

/* Passes over a value; *t when it is a string, *number when it is an offset. False: an unknown form. */
static bool read_form(Unit *u, u64 form, Text *t, u64 *number) {
  Reader *r = &u->r;
  for (u32 depth = 0; form == FORM_INDIRECT && depth < 4; depth++)
    form = get_leb(r);
  switch (form) {
  case FORM_FLAG_PRESENT:
  case FORM_IMPLICIT_CONST: return true;
  case FORM_DATA1: case FORM_FLAG: case FORM_REF1: case FORM_ADDRX1: get(r, 1); return true;
  case FORM_DATA2: case FORM_REF2: case FORM_ADDRX2: get(r, 2); return true;
  case FORM_ADDRX3: get(r, 3); return true;
  case FORM_DATA4: case FORM_REF4: case FORM_REF_SUP4: case FORM_ADDRX4: *number = get(r, 4); return true;
  case FORM_DATA8: case FORM_REF8: case FORM_REF_SIG8: case FORM_REF_SUP8: *number = get(r, 8); return true;
  case FORM_DATA16: skip(r, 16); return true;
  case FORM_ADDR: skip(r, u->address_size); return true;
  case FORM_REF_ADDR: skip(r, u->version < 3 ? u->address_size : u->offset_size); return true;
  case FORM_STRP_SUP: skip(r, u->offset_size); return true;
  case FORM_SEC_OFFSET: *number = get(r, u->offset_size); return true;
  case FORM_SDATA: case FORM_UDATA: case FORM_REF_UDATA: case FORM_ADDRX: case FORM_LOCLISTX: case FORM_RNGLISTX: get_leb(r); return true;
  case FORM_BLOCK1: skip(r, get(r, 1)); return true;
  case FORM_BLOCK2: skip(r, get(r, 2)); return true;
  case FORM_BLOCK4: skip(r, get(r, 4)); return true;
  case FORM_BLOCK: case FORM_EXPRLOC: skip(r, get_leb(r)); return true;
  case FORM_STRING: {
    const u8 *nul = memchr(r->at, 0, (size_t)(r->end - r->at));
    if (!nul)
      return false;
    *t = (Text){.p = (const char *)r->at};
    r->at = nul + 1;
    return true;
  }
  case FORM_STRP: *t = (Text){.p = bytes_cstr(u->str, get(r, u->offset_size))}; return true;
  case FORM_LINE_STRP: *t = (Text){.p = bytes_cstr(u->line_str, get(r, u->offset_size))}; return true;
  case FORM_STRX: *t = (Text){.index = get_leb(r), .indexed = true}; return true;
  case FORM_STRX1: case FORM_STRX2: case FORM_STRX3: case FORM_STRX4: *t = (Text){.index = get(r, (u32)(form - FORM_STRX1 + 1)), .indexed = true}; return true;
  default: return false;
  }
}

/* Leaves u->r at the root entry, and `a` at its abbreviation's attributes. */
static bool begin_unit(Unit *u, Reader *a) {
  Reader *r = &u->r;
  *r = reader_of(u->info);
  u64 length = get(r, 4), abbrev;
  u->offset_size = length == UINT32_MAX ? 8 : 4;
  if (u->offset_size == 8)
    length = get(r, 8);
  if (!r->ok || length > (u64)(r->end - r->at))
    return false;
  r->end = r->at + length;
  u->version = (u32)get(r, 2);
  if (u->version < 2 || u->version > 5)
    return false;
  if (u->version == 5) {
    u64 type = get(r, 1);
    if (type != DW_UT_COMPILE && type != DW_UT_PARTIAL)
      return false;
    u->address_size = (u32)get(r, 1);
    abbrev = get(r, u->offset_size);
  } else {
    abbrev = get(r, u->offset_size);
    u->address_size = (u32)get(r, 1);
  }
  u64 code = get_leb(r);
  *a = reader_of(u->abbrev);
  skip(a, abbrev);
  if (!r->ok || !code || u->address_size > 8 || get_leb(a) != code) /* compilers number it 1, and it stands first */
    return false;
  get_leb(a); /* tag */
  get(a, 1);  /* children */
  return a->ok;
}

static Bytes find_section(const MachoObject *o, const char *name) {
  for (u32 i = 1; i < o->nsections; i++)
    if (streq(o->sections[i].segname, "__DWARF") && streq(o->sections[i].sectname, name))
      return o->sections[i].data;
  return (Bytes){0};
}

void macho_debug_unit(MachoObject *o) {
  Unit u = {.info = find_section(o, "__debug_info"), .abbrev = find_section(o, "__debug_abbrev"), .str = find_section(o, "__debug_str"),
            .line_str = find_section(o, "__debug_line_str"), .str_offsets = find_section(o, "__debug_str_offs"), .base = 8};
  Reader a;
  Text name = {0}, dir = {0};
  if (!u.info.len || !u.abbrev.len || !begin_unit(&u, &a))
    return;
  for (;;) {
    u64 attr = get_leb(&a), form = get_leb(&a), number = 0;
    Text t = {0};
    if (form == FORM_IMPLICIT_CONST)
      get_leb(&a);
    if (!a.ok || !u.r.ok || (!attr && !form))
      break;
    if (!read_form(&u, form, &t, &number))
      return;
    if (attr == DW_AT_NAME)
      name = t;
    else if (attr == DW_AT_COMP_DIR)
      dir = t;
    else if (attr == DW_AT_STR_OFFSETS_BASE)
      u.base = number;
  }
  if (a.ok && u.r.ok)
    o->debug_unit = (MachoDebugUnit){.known = true, .name = resolve(&u, &name), .comp_dir = resolve(&u, &dir)};
}
