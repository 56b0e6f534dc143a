/* test_macho_unwind.c: unwind_macho.c on links that consist of one object in memory: which entry describes which function, what
 * stays of __eh_frame, who gets a GOT slot; and records that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#include "core/bind.h"
#include "core/deadstrip.h"
#include "format/macho_object.h"
#include "unwind_lookup.h"
#include "unwind_macho.h"
#include "util/leb.h"

enum { MOST = 64, NGLOBAL = 8, PC64 = 1, GOT32, KINDS };
enum { TEXT = 1, FRAME, GOT, INFO };

static const u64 base = 0x100000000;
static const u8 kind_bytes[KINDS] = {0, 8, 4}, kind_class[KINDS] = {EC_NONE, EC_PCREL, EC_GOT};

typedef struct {
  Link l;
  Options o;
  Arch arch;
  Format format;
  MachHeader64 header;
  MachoObject object;
  MachoUnwind unwind[MOST];
  MachoSymbol symbols[MOST]; /* local ones, all of them in atoms */
  Edge edges[MOST][MOST];    /* by number of the atom */
  u32 nedges[MOST];
  ByteVec frame;             /* of atom `frame_atom` */
  u32 frame_atom;
  u32 cie;                   /* offset of the last one */
  u8 needs[2 * MOST];
  u32 aux[2 * MOST], flags[NGLOBAL], sym_atom[NGLOBAL];
  u64 key[NGLOBAL], hash[NGLOBAL], value[NGLOBAL];
  SymName name[NGLOBAL];
  BindOptions bind;
  u32 synth[INFO + 1];       /* by section */
  u8 *info, *eh;
  char messages[4096];
} World;

static World *world; /* for the hooks */

static File *object(void) { return &world->l.files.at[1]; }
static u32 id(u32 atom) { return object()->atom_base + atom; }

static u32 edges(const Link *l, EdgeCursor *c, Edge *buf) {
  u32 a = c->atom.i - id(0), n = 0;
  (void)l;
  if (c->atom.i < id(0) || a >= MOST)
    return 0;
  for (; c->next < world->nedges[a] && n < EDGE_BATCH; n++) {
    buf[n] = world->edges[a][c->next++];
    u32 target = buf[n].target - NGLOBAL;
    buf[n].S = buf[n].target < NGLOBAL || target >= object()->natoms ? 0 : l->addressed ? l->atoms.addr[id(target)] : id(target);
  }
  return n;
}

static AtomId edge_atom(const Link *l, FileId f, const Edge *e, i64 *off) {
  (void)l, (void)f;
  u32 target = e->target - NGLOBAL;
  *off = e->addend;
  if (e->target < NGLOBAL)
    return (AtomId){world->sym_atom[e->target]};
  return (AtomId){target < object()->natoms ? id(target) : 0};
}

static bool edge_ends(const Link *l, AtomId a, EdgeEnd *buf) {
  (void)l, (void)a, (void)buf;
  return false;
}

static const char *atom_name(const Link *l, AtomId a) {
  return a.i == id(world->frame_atom) ? "__TEXT,__eh_frame" : l->atoms.flags[a.i] & ATOM_SYNTH ? "made" : "__TEXT,__text";
}

static u32 atom_flags(u32 type, u64 attr) { return (void)type, attr & S_ATTR_PURE_INSTRUCTIONS ? ATOM_ALLOC | ATOM_EXEC : ATOM_ALLOC; }

static FixResult fix(u32 kind, u8 *place, u64 P, u64 S, i64 A, i64 *value) {
  *value = (i64)(S + (u64)A - P);
  memcpy(place, value, kind_bytes[kind]);
  return FIX_OK;
}

static const char *edge_name(u32 kind) { return kind == PC64 ? "PC64" : "GOT32"; }

static void sink(void *ctx, DiagLevel level, const char *code, const char *text) {
  World *w = ctx;
  (void)level, (void)code;
  size_t n = strlen(w->messages);
  snprintf(w->messages + n, sizeof w->messages - n, "%s\n", text);
}

static void begin(void) {
  World *w = world = calloc(1, sizeof *w);
  Link *l = &w->l;
  w->arch = (Arch){.name = "test", .nkinds = KINDS, .edge_bytes = kind_bytes, .edge_class = kind_class, .edge_name = edge_name, .fix = fix,
                   .apply_one = bind_apply_one};
  w->format = (Format){.word = 8, .atoms_are_symbols = true, .edges = edges, .edge_atom = edge_atom, .edge_ends = edge_ends, .atom_name = atom_name,
                       .atom_flags = atom_flags};
  w->bind = (BindOptions){.got = {.name = "__DATA_CONST,__got"}};
  w->header.cputype = CPU_TYPE_X86_64;
  w->object = (MachoObject){.header = &w->header, .unwind = w->unwind, .symbols = w->symbols, .natoms = 1};
  l->opt = &w->o;
  l->arch = &w->arch;
  l->format = &w->format;
  l->pool = pool_create(2);
  l->scratch = calloc(2, sizeof *l->scratch);
  l->diag = diag_create();
  diag_configure(l->diag, &(DiagOptions){.sink = sink, .sink_ctx = w, .program = "test"});
  l->atoms.n = 2; /* the object's atom 0 is atom 1 */
  l->atoms.cap = 2 * MOST;
  l->atoms.flags = calloc(2 * MOST, sizeof *l->atoms.flags);
  l->atoms.at = calloc(2 * MOST, sizeof *l->atoms.at);
  l->atoms.addr = calloc(2 * MOST, sizeof *l->atoms.addr);
  *vec_push(&l->files) = (File){0};
  *vec_push(&l->files) = (File){.kind = FILE_OBJECT, .live = true, .path = "x.o", .atom_base = 1, .natoms = 1, .local_base = NGLOBAL, .fmt = &w->object};
  l->syms = (Symbols){.nglobal = NGLOBAL, .needs = w->needs, .aux = w->aux, .flags = w->flags, .key = w->key, .hash = w->hash,
                      .value = w->value, .atom = w->sym_atom, .name = w->name};
  static const char *const names[NGLOBAL] = {"_p0", "_p1", "_p2", "_p3", "_p4", "_p5", "_p6", "_p7"};
  for (u32 i = 0; i < NGLOBAL; i++) {
    w->name[i] = (SymName){.p = names[i], .len = 3};
    w->key[i] = ~0ULL;
    w->flags[i] = SF_IMPORTED;
    w->hash[i] = i * 2;
  }
}

static void end(void) {
  World *w = world;
  Link *l = &w->l;
  if (l->binds)
    bind_free(l);
  for (unsigned t = 0; t < 2; t++)
    arena_free(&l->scratch[t]);
  pool_destroy(l->pool);
  free(l->atoms.flags);
  free(l->atoms.at);
  free(l->atoms.addr);
  vec_free(&l->files);
  vec_free(&l->synths);
  vec_free(&l->osecs);
  vec_free(&w->frame);
  arena_free(&l->arena);
  diag_destroy(l->diag);
  free(l->scratch);
  free(w->info);
  free(w->eh);
  free(w);
}

static u32 add_atom(u64 size, u32 flags) {
  Link *l = &world->l;
  u32 n = object()->natoms++;
  l->atoms.at[l->atoms.n] = (Atom){.size = size, .file = 1};
  l->atoms.flags[l->atoms.n++] = (u16)(ATOM_LIVE | ATOM_ALLOC | flags);
  return n;
}

static u32 code(u64 size) { return add_atom(size, ATOM_EXEC); }

static u32 sym_of_atom(u32 atom) { return NGLOBAL + atom; }

static void add_edge(u32 atom, u64 offset, u32 kind, u32 target, i64 addend) {
  world->edges[atom][world->nedges[atom]++] = (Edge){.offset = offset, .kind = (u16)kind, .target = target, .addend = addend};
}

/* A symbol of the file for a global personality routine: the reader's number of it. */
static u32 index_of(u32 global) { return MOST + global; }

static void add_compact(u32 atom, u64 offset, u32 length, u32 encoding, u32 personality, u32 lsda, u64 lsda_offset) {
  world->unwind[world->object.nunwind++] = (MachoUnwind){atom, length, offset, encoding, personality, lsda, lsda_offset};
}

static void frame32(u32 v) { bytes_put(&world->frame, &v, 4); }

static void end_record(u32 start) {
  while ((world->frame.n - start) % 8)
    *vec_push(&world->frame) = 0;
  wr32(world->frame.at + start, world->frame.n - start - 4);
}

/* "zPLR" or "zR". */
static void add_cie(bool lsda, u32 personality) {
  ByteVec *f = &world->frame;
  world->cie = f->n;
  frame32(0), frame32(0);
  if (!lsda) {
    static const u8 plain[] = {1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x10};
    bytes_put(f, plain, sizeof plain);
  } else {
    static const u8 handlers[] = {1, 'z', 'P', 'L', 'R', 0, 1, 0x78, 16, 7, 0x9b, 0, 0, 0, 0, 0x10, 0x10};
    add_edge(world->frame_atom, f->n + 11, GOT32, personality, 4);
    bytes_put(f, handlers, sizeof handlers);
  }
  end_record(world->cie);
}

static u32 add_fde(u32 atom, u64 offset, u64 length, u32 lsda, u64 lsda_offset) {
  ByteVec *f = &world->frame;
  u32 start = f->n;
  frame32(0), frame32(start + 4 - world->cie);
  add_edge(world->frame_atom, f->n, PC64, sym_of_atom(atom), (i64)offset);
  u64 zero = 0;
  bytes_put(f, &zero, 8);
  bytes_put(f, &length, 8);
  if (!lsda) {
    *vec_push(f) = 0;
  } else {
    *vec_push(f) = 8;
    add_edge(world->frame_atom, f->n, PC64, sym_of_atom(lsda), (i64)lsda_offset);
    bytes_put(f, &zero, 8);
  }
  end_record(start);
  return start;
}

/* Up to and with dead strip's view. */
static void parse(void) {
  Link *l = &world->l;
  File *f = object();
  /* nothing between atoms and globals but the named locals; "globals" of index MOST on are the personalities */
  f->first_global = MOST;
  f->nsyms = f->natoms + world->object.nsymbols;
  f->globals = arena_alloc(&l->arena, NGLOBAL * 4, 4);
  for (u32 i = 0; i < NGLOBAL; i++)
    f->globals[i] = i;
  world->object.natoms = f->natoms;
  l->syms.ntotal = 2 * MOST;
  if (world->frame_atom) {
    Atom *a = &l->atoms.at[id(world->frame_atom)];
    a->data = world->frame.at;
    a->size = world->frame.n;
    a->rel = world->nedges[world->frame_atom];
  }
  macho_unwind_init(l);
  macho_unwind_parse(l);
}

static Bytes compose(u32 section) {
  Link *l = &world->l;
  const Synth *s = &l->synths.at[world->synth[section]];
  u8 *out = calloc(1, s->size + 1);
  s->write(l, s, out, 0, s->size);
  return (Bytes){out, s->size};
}

static void place(u32 section, u64 addr) {
  Link *l = &world->l;
  l->osecs.at[section].addr = addr;
  l->osecs.at[section].placed = true;
  if (world->synth[section])
    l->atoms.at[l->synths.at[world->synth[section]].atom.i].osec = section;
}

/* Scans, builds, lays out: atoms one after the other, 16 bytes aligned; live ones only. */
static Bytes link_it(void) {
  World *w = world;
  Link *l = &w->l;
  bind_scan(l, &w->bind);
  MachoUnwindTable *t = macho_unwind_scan(l);
  bind_allocate(l);
  macho_unwind_build(l, t, base);
  vec_reserve(&l->osecs, INFO + 1);
  l->osecs.n = INFO + 1;
  memset(l->osecs.at, 0, sizeof *l->osecs.at * l->osecs.n);
  w->synth[FRAME] = SYN_EH_FRAME;
  w->synth[GOT] = l->binds->got.synth;
  w->synth[INFO] = 0;
  for (u32 i = SYN_COUNT; i < l->synths.n; i++)
    if (streq(l->synths.at[i].name, "__TEXT,__unwind_info"))
      w->synth[INFO] = i;
  place(TEXT, base + 0x1000);
  u64 at = 0;
  for (u32 a = id(1); a < id(0) + object()->natoms; a++) {
    if (l->atoms.flags[a] & ATOM_EHFRAME || !(l->atoms.flags[a] & ATOM_LIVE))
      continue;
    l->atoms.at[a].osec = TEXT;
    l->atoms.addr[a] = at;
    at = align_up(at + l->atoms.at[a].size, 16);
  }
  place(FRAME, base + 0x20000);
  place(GOT, base + 0x30000);
  place(INFO, base + 0x10000);
  if (w->synth[INFO]) {
    Synth *s = &l->synths.at[w->synth[INFO]];
    assert_true(s->resize(l, s));
    assert_false(s->resize(l, s));
  }
  for (u32 a = 1; a < l->atoms.n; a++)
    if (l->atoms.at[a].osec)
      l->atoms.addr[a] += l->osecs.at[l->atoms.at[a].osec].addr;
  l->addressed = true;
  Bytes eh = l->synths.at[SYN_EH_FRAME].size ? compose(FRAME) : (Bytes){0};
  w->eh = (u8 *)(uintptr_t)eh.p;
  Bytes info = w->synth[INFO] ? compose(INFO) : (Bytes){0};
  w->info = (u8 *)(uintptr_t)info.p;
  diag_flush(l->diag);
  return info;
}

static u32 at(u32 atom) { return (u32)(world->l.atoms.addr[id(atom)] - base); }

static void expect(Bytes info, u32 pc, u32 encoding, u32 start, u32 lsda) {
  UnwindAnswer a = unwind_look_up(info, pc);
  assert_true(a.found);
  assert_int_equal(a.encoding, encoding);
  assert_int_equal(a.start, start);
  assert_int_equal(a.lsda, lsda);
}

static void kinds_of_functions(void **state) {
  (void)state;
  begin();
  World *w = world;
  u32 framed = code(0x20), dwarf = code(0x30), unknown = code(0x10), handlers = code(0x40), dead = code(0x20), last = code(0x10);
  u32 table = add_atom(0x40, 0);
  w->frame_atom = add_atom(0, ATOM_EHFRAME);
  add_cie(false, 0);
  add_fde(framed, 0, 0x20, 0, 0); /* superfluous */
  add_cie(true, 5);
  u32 kept = add_fde(dwarf, 0, 0x2a, table, 0x10);
  add_fde(dead, 0, 0x20, 0, 0);
  add_compact(framed, 0, 0x20, 0x01000000, 0, 0, 0);
  add_compact(dwarf, 0, 0x2a, UNWIND_X86_64_MODE_DWARF, 0, 0, 0);
  add_compact(handlers, 0, 0x3c, 0x41000001, index_of(2), table, 0x20);
  add_compact(dead, 0, 0x20, 0x41000001, index_of(7), table, 0x30);
  add_compact(last, 0, 0x10, 0x01000000, 0, 0, 0);
  parse();
  u32 n;
  assert_null(ehframe_fdes(&w->l, (AtomId){id(framed)}, &n));
  assert_non_null(ehframe_fdes(&w->l, (AtomId){id(dwarf)}, &n));
  assert_int_equal(n, 1);
  Edge buf[EDGE_BATCH]; /* the function keeps its table alive, and its personality routine */
  KeepsCursor c = {.atom = {id(dwarf)}};
  assert_int_equal(keeps_next(&w->l, &c, buf), 1);
  assert_int_equal(buf[0].target, sym_of_atom(table));
  assert_int_equal(keeps_next(&w->l, &c, buf), 1);
  assert_int_equal(buf[0].target, 5);
  assert_int_equal(keeps_next(&w->l, &c, buf), 0);
  w->l.atoms.flags[id(dead)] &= (u16)~ATOM_LIVE;
  Bytes info = link_it();
  assert_string_equal(w->messages, "");
  assert_int_equal(w->l.binds->got.n, 2); /* not the dead function's */
  expect(info, at(framed) + 5, 0x01000000, at(framed), 0);
  /* one CIE of 32 bytes stands in front of it */
  expect(info, at(dwarf), UNWIND_X86_64_MODE_DWARF | 32, at(dwarf), at(table) + 0x10);
  expect(info, at(unknown), 0, at(unknown), 0);
  expect(info, at(handlers), 0x41000001 | 1 << 28, at(handlers), at(table) + 0x20);
  expect(info, at(last) + 0xf, 0x01000000, at(last), 0);
  assert_false(unwind_look_up(info, at(last) + 0x10).found);
  i32 slot = w->l.syms.auxes[w->l.syms.aux[2] - 1].got;
  assert_int_equal(rd32(info.p + rd32(info.p + 12)), 0x30000 + 8 * slot);
  /* the record that stays, where it stands now */
  u64 fde = base + 0x20000 + 32;
  assert_int_equal(w->l.synths.at[SYN_EH_FRAME].size, 32 + rd32(w->frame.at + kept) + 4 + 4);
  assert_true(rd64(w->eh + 32 + 8) == base + at(dwarf) - (fde + 8));
  assert_true(rd64(w->eh + 32 + 25) == base + at(table) + 0x10 - (fde + 25));
  end();
}

/* Without MH_SUBSECTIONS_VIA_SYMBOLS a section is one atom. */
static void one_atom_many_functions(void **state) {
  (void)state;
  begin();
  u32 a = code(0x100), before = code(8);
  (void)before;
  world->frame_atom = add_atom(0, ATOM_EHFRAME);
  add_cie(false, 0);
  add_fde(a, 0x80, 0x20, 0, 0);
  add_fde(a, 0x10, 0x20, 0, 0); /* superfluous */
  add_compact(a, 0x10, 0x20, 0x01000000, 0, 0, 0);
  add_compact(a, 0xa0, 0x10, 0x02000000, 0, 0, 0);
  world->object.natoms = object()->natoms;
  static const u32 symbols[] = {0x10, 0x18, 0x80, 0x60, 0xa0, 0xc0, 0xc0};
  for (u32 i = 0; i < COUNT_OF(symbols); i++)
    world->symbols[world->object.nsymbols++] = (MachoSymbol){.atom = a, .value = symbols[i]};
  parse();
  Bytes info = link_it();
  expect(info, at(a), 0, at(a), 0);
  expect(info, at(a) + 0x1f, 0x01000000, at(a) + 0x10, 0); /* a second entry point changes nothing */
  expect(info, at(a) + 0x40, 0x01000000, at(a) + 0x10, 0); /* padding */
  expect(info, at(a) + 0x60, 0, at(a) + 0x60, 0);
  expect(info, at(a) + 0x80, 0x04000000 | 24, at(a) + 0x80, 0);
  expect(info, at(a) + 0xa0, 0x02000000, at(a) + 0xa0, 0);
  expect(info, at(a) + 0xff, 0, at(a) + 0xc0, 0); /* and the next atom, likewise unknown, is one with it */
  assert_string_equal(world->messages, "");
  end();
}

static void arm64_encodings(void **state) {
  (void)state;
  begin();
  world->header.cputype = CPU_TYPE_ARM64;
  u32 a = code(0x10), b = code(0x10), c = code(0x10);
  world->frame_atom = add_atom(0, ATOM_EHFRAME);
  add_cie(false, 0);
  add_fde(a, 0, 0x10, 0, 0);
  add_compact(a, 0, 0x10, UNWIND_ARM64_MODE_DWARF, 0, 0, 0); /* looks into the code on x86-64 only */
  add_compact(b, 0, 0x10, UNWIND_ARM64_MODE_FRAME, 0, 0, 0);
  add_compact(c, 0, 0x10, UNWIND_ARM64_MODE_FRAME, 0, 0, 0);
  parse();
  Bytes info = link_it();
  expect(info, at(a), UNWIND_ARM64_MODE_DWARF | 24, at(a), 0);
  expect(info, at(c), UNWIND_ARM64_MODE_FRAME, at(b), 0);
  end();
}

static void stack_size_in_code(void **state) {
  (void)state;
  begin();
  u32 a = code(0x10), b = code(0x10);
  add_compact(a, 0, 0x10, 0x03000000, 0, 0, 0);
  add_compact(b, 0, 0x10, 0x03000000, 0, 0, 0);
  parse();
  Bytes info = link_it();
  expect(info, at(a), 0x03000000, at(a), 0);
  expect(info, at(b), 0x03000000, at(b), 0);
  end();
}

static void nothing_known(void **state) {
  (void)state;
  begin();
  u32 a = code(0x10), b = code(0x10);
  add_compact(a, 0, 0x10, 0, 0, 0, 0);
  add_compact(b, 0, 0x10, UNWIND_X86_64_MODE_DWARF, 0, 0, 0); /* there is no FDE */
  parse();
  assert_null(link_it().p);
  end();
}

static void personalities(void **state) {
  (void)state;
  begin();
  u32 own = code(0x10);
  for (u32 i = 0; i < 4; i++)
    add_compact(code(0x10), 0, 0x10, 0x01000000, index_of(i), 0, 0);
  world->sym_atom[1] = world->sym_atom[3] = id(own); /* two names for one place */
  add_compact(code(0x10), 0, 0x10, 0x01000000, own, 0, 0);
  parse();
  Bytes info = link_it();
  assert_string_equal(world->messages, "");
  assert_int_equal(world->l.binds->got.n, 3);
  assert_int_equal(rd32(info.p + 16), 3);
  end();

  begin();
  for (u32 i = 0; i < 6; i++)
    add_compact(code(0x10), 0, 0x10, 0x01000000, index_of(i), 0, 0);
  parse();
  link_it();
  assert_non_null(strstr(world->messages, "too many personality routines, compact unwind has room for 3: '_p0', '_p1', '_p2' and '_p3'"));
  end();
}

/* What is wrong is reported or left out, whatever it is; the rest of the link goes on. */
static void malformed(void **state) {
  (void)state;
  for (u32 k = 0; k < 400; k++) {
    begin();
    World *w = world;
    u32 a = code(0x20), b = code(0x30), table = add_atom(0x10, 0);
    w->frame_atom = add_atom(0, ATOM_EHFRAME);
    add_cie(true, 5);
    add_fde(a, 0, 0x20, table, 8);
    add_cie(false, 0);
    add_fde(b, 0x10, 0x20, 0, 0);
    u32 x = k * 2654435761U >> 3;
    switch (k % 8) {
    case 0: w->frame.at[x % w->frame.n] ^= (u8)(1 << x / 7 % 8); break;
    case 1: w->frame.at[x % w->frame.n] = 0xff; break;
    case 2: w->frame.n -= x % w->frame.n; break;
    case 3: w->edges[w->frame_atom][x % w->nedges[w->frame_atom]].addend = x % 3 ? INT64_MAX : INT64_MIN; break;
    case 4: w->edges[w->frame_atom][x % w->nedges[w->frame_atom]].offset = x % 300; break;
    case 5: memset(w->frame.at + x % 100, 0xff, 12); break;
    case 6: wr64(w->frame.at + x % (w->frame.n - 8), x % 2 ? ~0ULL : 0); break;
    case 7: w->edges[w->frame_atom][x % w->nedges[w->frame_atom]].target = sym_of_atom(x % 8); break;
    }
    add_compact(a, 0x1f, UINT32_MAX, x, x % 3 ? 0 : index_of(x % 8), x % 2 ? table : 0, ~0ULL);
    add_compact(b, 0x30, x, UNWIND_X86_64_MODE_DWARF, 0, 0, 0);
    parse();
    Bytes info = link_it();
    for (u32 pc = 0; pc < 0x200 && info.p; pc++)
      unwind_look_up(info, 0xff0 + pc);
    end();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(kinds_of_functions), cmocka_unit_test(one_atom_many_functions), cmocka_unit_test(arm64_encodings),
      cmocka_unit_test(stack_size_in_code), cmocka_unit_test(nothing_known),           cmocka_unit_test(personalities),
      cmocka_unit_test(malformed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
