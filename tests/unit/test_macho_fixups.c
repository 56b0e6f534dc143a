/* test_macho_fixups.c: chains are followed as dyld does, from the table through the pointers; each fixup must be met
 * once, with what it was to become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#include "write/macho_fixups.h"

enum { BASE = 0, PAGE = 0x1000 };

static const u64 image_base = 0x100000000;

typedef struct {
  Arena arena;
  MachoFixupSegment segments[4];
  MachoFixup *f;
  MachoFixups c;
  u8 *table, *memory; /* from the base on */
  u64 size, span;
} Image;

/* Names imports, writes the table and the pointers, these in pieces of `piece` bytes. */
static void build(Image *m, u64 piece) {
  MachoImport *imports = macho_imports_assign(&m->arena, m->f, m->c.nfixups, &m->c.nimports);
  for (u32 i = 0; i < m->c.nimports; i++) {
    imports[i].name = arena_printf(&m->arena, "_s%u", imports[i].symbol);
    imports[i].ordinal = (i32)(imports[i].symbol % 5) - 2;
    imports[i].weak = imports[i].symbol % 2;
  }
  m->c.imports = imports;
  m->c.fixups = m->f;
  for (u32 i = 0; i < m->c.nfixups; i++)
    assert_int_equal(macho_fixup_fault(&m->c, i), MACHO_FIXUP_GOOD);
  m->size = macho_fixups_size(&m->c);
  assert_true(m->size % 8 == 0);
  m->table = malloc(m->size);
  memset(m->table, 0xee, m->size);
  macho_fixups_write(&m->c, m->table);
  m->memory = calloc(1, m->span);
  for (u64 at = 0; at < m->span; at += piece)
    macho_fixups_apply(&m->c, m->memory + at, image_base + at, MIN(piece, m->span - at));
}

static void drop(Image *m) {
  free(m->table);
  free(m->memory);
  free(m->f);
  arena_free(&m->arena);
}

static Bytes part(const Image *m, u64 off, u64 len) {
  Bytes b;
  assert_true(bytes_slice((Bytes){m->table, m->size}, off, len, &b));
  return b;
}

/* What import `index` says. */
static MachoImport import_at(const Image *m, u32 index) {
  u32 format = rd32(m->table + 20);
  assert_true(index < rd32(m->table + 16));
  u64 imports = rd32(m->table + 8);
  MachoImport out = {0};
  u64 name;
  if (format == 3) {
    Bytes b = part(m, imports + 16ULL * index, 16);
    u64 head = rd64(b.p);
    out = (MachoImport){.ordinal = (i16)head, .weak = head >> 16 & 1, .addend = (i64)rd64(b.p + 8)};
    name = head >> 32;
  } else {
    assert_true(format == 1 || format == 2);
    Bytes b = part(m, imports + 4ULL * format * index, 4ULL * format);
    u32 head = rd32(b.p);
    out = (MachoImport){.ordinal = (i8)head, .weak = head >> 8 & 1, .addend = format == 2 ? (i32)rd32(b.p + 4) : 0};
    name = head >> 9;
  }
  out.name = bytes_cstr((Bytes){m->table, m->size}, rd32(m->table + 12) + name);
  assert_non_null(out.name);
  return out;
}

static void check_pointer(const Image *m, const MachoFixup *f, u64 word) {
  if (f->symbol == MACHO_FIXUP_REBASE) {
    assert_int_equal(word >> 63, 0);
    u64 target = (word & 0xfffffffff) + (m->c.offsets ? image_base : 0);
    assert_true((target | (word >> 36 & 0xff) << 56) == f->target);
    return;
  }
  assert_int_equal(word >> 63, 1);
  MachoImport i = import_at(m, word & 0xffffff);
  char want[24];
  snprintf(want, sizeof want, "_s%u", f->symbol);
  assert_string_equal(i.name, want);
  assert_true(i.addend + (i64)(word >> 24 & 0xff) == f->addend);
  assert_int_equal(i.ordinal, (i32)(f->symbol % 5) - 2);
  assert_int_equal(i.weak, f->symbol % 2);
}

static void check(const Image *m, u32 format) {
  u32 met = 0;
  assert_int_equal(rd32(m->table), 0);
  assert_int_equal(rd32(m->table + 20), format);
  u64 starts = rd32(m->table + 4);
  assert_int_equal(rd32(m->table + starts), m->c.nsegments);
  for (u32 s = 0; s < m->c.nsegments; s++) {
    u32 off = rd32(part(m, starts + 4 + 4ULL * s, 4).p);
    if (!off)
      continue;
    assert_true((starts + off) % 8 == 0);
    const u8 *seg = part(m, starts + off, 24).p;
    assert_int_equal(rd16(seg + 4), m->c.page_size);
    assert_int_equal(rd16(seg + 6), m->c.offsets ? 6 : 2);
    u64 where = rd64(seg + 8);
    assert_true(where == m->segments[s].addr - image_base);
    u32 pages = rd16(seg + 20);
    part(m, starts + off, 22 + 2ULL * pages);
    assert_true(rd32(seg) >= 22 + 2 * pages);
    for (u32 p = 0; p < pages; p++) {
      u32 start = rd16(seg + 22 + 2 * p), next;
      for (u64 at = where + (u64)p * m->c.page_size + start; start != 0xffff; at += 4ULL * next) {
        assert_true(met < m->c.nfixups && m->c.fixups[met].addr == image_base + at);
        u64 word = rd64(m->memory + at);
        check_pointer(m, &m->c.fixups[met], word);
        met++;
        next = word >> 51 & 0xfff;
        if (!next)
          break;
      }
    }
  }
  assert_int_equal(met, m->c.nfixups);
}

/* `n` fixups over two of four segments. */
static Image make(u32 n, u32 page, bool offsets, i64 most) {
  Image m = {.f = calloc(n, sizeof *m.f), .span = (u64)n * 128 + 0x10000};
  u64 half = align_up(m.span / 2, 0x4000);
  m.span = 2 * half;
  m.segments[0] = (MachoFixupSegment){0, image_base};
  m.segments[1] = (MachoFixupSegment){image_base, half};
  m.segments[2] = (MachoFixupSegment){image_base + half, 0};
  m.segments[3] = (MachoFixupSegment){image_base + half, half};
  u64 at = 0x5000;
  for (u32 i = 0; i < n; i++) {
    u32 x = i * 2654435761U >> 7;
    if (at % page > page - 8)
      at = align_up(at, page);
    m.f[i] = (MachoFixup){.addr = image_base + at, .symbol = MACHO_FIXUP_REBASE};
    if (x % 3)
      m.f[i].target = (image_base + x % 100000) | (u64)(x % 7 == 0 ? 0xa5 : 0) << 56;
    else
      m.f[i].symbol = x % 211, m.f[i].addend = x % 5 ? 0 : (i64)x % most;
    if (x % 6 == 0 && most > 255)
      m.f[i].addend = -m.f[i].addend;
    at += 8 + (x % 17 ? 0 : x % 101 * 4) + (x % 499 ? 0 : 3 * page);
  }
  assert_true(at < m.span);
  m.c = (MachoFixups){.base = image_base, .segments = NULL, .nsegments = 4, .page_size = page, .offsets = offsets, .nfixups = n};
  return m;
}

static void chains(void **state) {
  (void)state;
  static const struct { u32 page; bool offsets; i64 most; u32 format; } k[] = {
      {0x1000, false, 200, 1}, {0x4000, false, 200, 1}, {0x4000, true, 100000, 2}, {0x1000, false, 1LL << 40, 3}};
  for (u32 i = 0; i < COUNT_OF(k); i++) {
    Image m = make(20000, k[i].page, k[i].offsets, k[i].most);
    m.c.segments = m.segments;
    if (k[i].format == 3) /* no u32 is so large */
      m.f[19999] = (MachoFixup){.addr = m.f[19999].addr, .symbol = 1, .addend = INT64_MIN};
    build(&m, i % 2 ? m.span : 4099); /* cuts pointers, too */
    check(&m, k[i].format);
    drop(&m);
  }
}

static void nothing(void **state) {
  (void)state;
  Image m = make(0, PAGE, false, 1);
  m.c.segments = m.segments;
  build(&m, m.span);
  check(&m, 1);
  assert_int_equal(m.size, 32 + 24);
  drop(&m);
}

/* The same symbol is imported once for all addends that pointers can hold, in order of first use. */
static void imports(void **state) {
  (void)state;
  Arena arena = {0};
  MachoFixup f[] = {{.symbol = 9}, {.symbol = MACHO_FIXUP_REBASE}, {.symbol = 4, .addend = 256}, {.symbol = 9, .addend = 255},
                    {.symbol = 4}, {.symbol = 4, .addend = 256}, {.symbol = 9, .addend = -1}};
  static const u32 want[] = {0, 0, 1, 0, 2, 1, 3};
  u32 n;
  MachoImport *m = macho_imports_assign(&arena, f, COUNT_OF(f), &n);
  assert_int_equal(n, 4);
  for (u32 i = 0; i < COUNT_OF(f); i++)
    if (i != 1)
      assert_int_equal(f[i].import, want[i]);
  assert_true(m[0].symbol == 9 && !m[0].addend && m[1].symbol == 4 && m[1].addend == 256 && !m[2].addend && m[3].addend == -1);
  arena_free(&arena);
}

/* Ordinals that do not fit into a byte, names of more than 8 MB. */
static void import_formats(void **state) {
  (void)state;
  char *name = malloc((1 << 23) + 2);
  memset(name, 'x', (1 << 23) + 1);
  name[(1 << 23) + 1] = 0;
  MachoImport m[] = {{.name = "_a", .ordinal = 240}, {.name = "_b", .ordinal = -3}};
  MachoFixups c = {.page_size = PAGE, .imports = m, .nimports = 2};
  u8 *out = calloc(1, (1 << 23) + 200);
  macho_fixups_write(&c, out);
  assert_int_equal(rd32(out + 20), 1);
  m[0].ordinal = 241;
  macho_fixups_write(&c, out);
  assert_int_equal(rd32(out + 20), 3);
  m[0].ordinal = 1;
  m[1].name = name;
  macho_fixups_write(&c, out);
  assert_int_equal(rd32(out + 20), 3);
  assert_true(macho_fixups_size(&c) < (1 << 23) + 200);
  free(out);
  free(name);
}

static void faults(void **state) {
  (void)state;
  MachoFixupSegment s = {image_base, 0x20000000};
  MachoFixup f[] = {
      {.addr = image_base + 2, .target = image_base, .symbol = MACHO_FIXUP_REBASE},
      {.addr = image_base + 8, .target = image_base, .symbol = MACHO_FIXUP_REBASE},
      {.addr = image_base + 12, .target = image_base, .symbol = MACHO_FIXUP_REBASE},
      {.addr = image_base + PAGE - 4, .target = image_base, .symbol = MACHO_FIXUP_REBASE},
      {.addr = image_base + 2 * PAGE, .target = 1ULL << 36, .symbol = MACHO_FIXUP_REBASE},
      {.addr = image_base + 3 * PAGE, .target = 0x80ULL << 56 | 0xfffffffff, .symbol = MACHO_FIXUP_REBASE},
      {.addr = image_base + 4 * PAGE, .import = 1 << 24},
      {.addr = image_base + 65534ULL * PAGE, .target = image_base, .symbol = MACHO_FIXUP_REBASE},
      {.addr = image_base + 65535ULL * PAGE, .target = image_base, .symbol = MACHO_FIXUP_REBASE},
      {.addr = image_base + 0x20000000, .target = image_base, .symbol = MACHO_FIXUP_REBASE},
  };
  static const MachoFixupFault want[] = {MACHO_FIXUP_UNALIGNED, MACHO_FIXUP_OVERLAP, MACHO_FIXUP_OVERLAP, MACHO_FIXUP_OVERLAP,
                                         MACHO_FIXUP_TARGET,    MACHO_FIXUP_GOOD,    MACHO_FIXUP_IMPORT,  MACHO_FIXUP_GOOD,
                                         MACHO_FIXUP_OUTSIDE,   MACHO_FIXUP_OUTSIDE};
  MachoFixups c = {.segments = &s, .nsegments = 1, .base = image_base, .page_size = PAGE, .fixups = f, .nfixups = COUNT_OF(f)};
  for (u32 i = 0; i < COUNT_OF(f); i++)
    assert_int_equal(macho_fixup_fault(&c, i), want[i]);
  c.offsets = true; /* counted from the base, 36 bits reach further */
  assert_int_equal(macho_fixup_fault(&c, 4), MACHO_FIXUP_GOOD);
}

/* What ld64.lld 19 wrote for a program of five imports and two segments with fixups. */
static void known_bytes(void **state) {
  (void)state;
  static const u32 want[] = {
      0, 32, 112, 152, 5, 2, 0, 0,                                          /* header */
      5, 0, 0, 24, 48, 0,                                                   /* segments */
      24, 0x21000, 0x2000, 0, 0, 1,                                         /* one page, from 0 on */
      32, 0x21000, 0x3000, 0, 0, 0x80004, 0xf10ffff, 0xea8,                 /* four pages, one of them empty */
      0x0001, 0, 0x0601, 0, 0x0c01, 0, 0x1601, 2000, 0x2001, (u32)-12,      /* _h _g _arr _arr+2000 _arr-12 */
      0x5f00685f, 0x615f0067, 0x5f007272, 0x00727261, 0x7272615f, 0,        /* their names */
  };
  MachoFixupSegment s[] = {{0, image_base}, {image_base, 0x2000}, {image_base + 0x2000, 0x1000}, {image_base + 0x3000, 0x4000}, {image_base + 0x7000, 0x1000}};
  MachoImport m[] = {{.name = "_h", .ordinal = 1}, {.name = "_g", .ordinal = 1}, {.name = "_arr", .ordinal = 1},
                     {.name = "_arr", .addend = 2000, .ordinal = 1}, {.name = "_arr", .addend = -12, .ordinal = 1}};
  MachoFixup f[] = {{.addr = image_base + 0x2000}, {.addr = image_base + 0x3008}, {.addr = image_base + 0x3010},
                    {.addr = image_base + 0x5f10}, {.addr = image_base + 0x6ea8}};
  MachoFixups c = {.segments = s, .nsegments = 5, .base = image_base, .page_size = PAGE, .fixups = f, .nfixups = 5, .imports = m, .nimports = 5};
  u8 out[sizeof want];
  assert_int_equal(macho_fixups_size(&c), sizeof want);
  macho_fixups_write(&c, out);
  assert_memory_equal(out, want, sizeof want);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(chains),         cmocka_unit_test(nothing), cmocka_unit_test(imports),
      cmocka_unit_test(import_formats), cmocka_unit_test(faults),  cmocka_unit_test(known_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
