/* Unit tests of write/elf_encode.c: every struct in both classes, by the offsets that the gABI gives its fields (the system's
 * <elf.h> is what the code uses, so the test does not). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#include "write/elf_encode.h"

static Format elf64 = {.name = "elf64", .word = 8}, elf32 = {.name = "elf32", .word = 4}, i386 = {.name = "i386", .word = 4, .rel = true};

static Link link_of(const Format *f) { return (Link){.format = f}; }

static u8 out[128];

/* Fills `out`, so that what is not written shows. */
static u8 *fresh(void) {
  memset(out, 0xcc, sizeof out);
  return out;
}

static void untouched_from(u32 size) {
  for (u32 i = size; i < sizeof out; i++)
    assert_int_equal(out[i], 0xcc);
}

static void sizes(void **state) {
  (void)state;
  Link wide = link_of(&elf64), narrow = link_of(&elf32);
  const ElfSizes a = elf_sizes(&wide), b = elf_sizes(&narrow);
  const u8 want_a[] = {64, 56, 64, 24, 16, 16, 24, 24}, want_b[] = {52, 32, 40, 16, 8, 8, 12, 12};
  assert_memory_equal(&a, want_a, sizeof a);
  assert_memory_equal(&b, want_b, sizeof b);
  assert_false(elf_is_32(&wide));
  assert_true(elf_is_32(&narrow));
}

static void headers(void **state) {
  (void)state;
  Link wide = link_of(&elf64), narrow = link_of(&elf32);
  const Elf64_Ehdr h = {.e_ident = {[EI_OSABI] = 3},  .e_type = ET_EXEC, .e_machine = EM_386, .e_entry = 0x8048123, .e_phoff = 0x34, .e_shoff = 0x5678,
                        .e_phnum = 7, .e_shnum = 30, .e_shstrndx = 29};
  elf_put_ehdr(&narrow, fresh(), &h);
  untouched_from(52);
  assert_memory_equal(out, "\177ELF\1\1\1\3\0\0\0\0\0\0\0\0", 16);
  assert_int_equal(rd16(out + 16), 2);
  assert_int_equal(rd16(out + 18), 3);
  assert_int_equal(rd32(out + 20), 1);
  assert_int_equal(rd32(out + 24), 0x8048123);
  assert_int_equal(rd32(out + 28), 0x34);
  assert_int_equal(rd32(out + 32), 0x5678);
  assert_int_equal(rd32(out + 36), 0);
  const u16 want[] = {52, 32, 7, 40, 30, 29};
  assert_memory_equal(out + 40, want, sizeof want);

  elf_put_ehdr(&wide, fresh(), &h);
  untouched_from(64);
  assert_memory_equal(out, "\177ELF\2\1\1\3\0\0\0\0\0\0\0\0", 16);
  assert_int_equal(rd64(out + 24), 0x8048123);
  assert_int_equal(rd64(out + 40), 0x5678);
  const u16 want64[] = {64, 56, 7, 64, 30, 29};
  assert_memory_equal(out + 52, want64, sizeof want64);

  const Elf64_Ehdr object = {.e_type = ET_REL}; /* has no program headers, and no size of them */
  elf_put_ehdr(&narrow, fresh(), &object);
  assert_int_equal(rd16(out + 42), 0);
}

static void segments(void **state) {
  (void)state;
  Link wide = link_of(&elf64), narrow = link_of(&elf32);
  const Elf64_Phdr p = {.p_type = 1, .p_flags = 5, .p_offset = 0x1000, .p_vaddr = 0xc0101000, .p_paddr = 0x101000, .p_filesz = 0x22, .p_memsz = 0x33, .p_align = 0x1000};
  elf_put_phdr(&narrow, fresh(), &p);
  untouched_from(32);
  const u32 want[] = {1, 0x1000, 0xc0101000, 0x101000, 0x22, 0x33, 5, 0x1000}; /* flags stand behind the sizes */
  assert_memory_equal(out, want, sizeof want);
  elf_put_phdr(&wide, fresh(), &p);
  untouched_from(56);
  assert_int_equal(rd32(out + 4), 5);
  assert_int_equal(rd64(out + 24), 0x101000);
}

static void sections(void **state) {
  (void)state;
  Link wide = link_of(&elf64), narrow = link_of(&elf32);
  const Elf64_Shdr h = {1, 9, 0x42, 0xffffffff80000000, 0x1f0, 0x18, 3, 4, 8, 12};
  elf_put_shdr(&narrow, fresh(), &h);
  untouched_from(40);
  const u32 want[] = {1, 9, 0x42, 0x80000000, 0x1f0, 0x18, 3, 4, 8, 12};
  assert_memory_equal(out, want, sizeof want);
  elf_put_shdr(&wide, fresh(), &h);
  untouched_from(64);
  assert_int_equal(rd64(out + 16), 0xffffffff80000000);

  const Elf64_Chdr c = {.ch_type = 2, .ch_size = 0x1234, .ch_addralign = 1};
  elf_put_chdr(&narrow, fresh(), &c);
  untouched_from(12);
  const u32 want_c[] = {2, 0x1234, 1};
  assert_memory_equal(out, want_c, sizeof want_c);
  elf_put_chdr(&wide, fresh(), &c);
  untouched_from(24);
  assert_int_equal(rd64(out + 8), 0x1234);
}

static void symbols(void **state) {
  (void)state;
  const ElfSym in[] = {{0}, {.st_name = 1, .st_info = 0x12, .st_other = 2, .st_shndx = 7, .st_value = 0xffffffffffffffff, .st_size = 0x10}};
  elf_put_syms32(fresh(), in, 2);
  untouched_from(32);
  const u32 want[] = {0, 0, 0, 0, 1, 0xffffffff, 0x10, 0x12 | 2 << 8 | 7 << 16}; /* value and size stand before info */
  assert_memory_equal(out, want, sizeof want);
}

static void dynamic(void **state) {
  (void)state;
  Link wide = link_of(&elf64), narrow = link_of(&elf32);
  elf_put_dyn(&narrow, fresh(), 0x6ffffef5, 0x8048200);
  untouched_from(8);
  assert_int_equal(rd32(out), 0x6ffffef5);
  assert_int_equal(rd32(out + 4), 0x8048200);
  elf_put_dyn(&wide, fresh(), 0x6ffffef5, 0x8048200);
  untouched_from(16);
  assert_int_equal(rd64(out), 0x6ffffef5);
  assert_int_equal(rd64(out + 8), 0x8048200);
}

static void relocations(void **state) {
  (void)state;
  Link wide = link_of(&elf64), narrow = link_of(&elf32);
  elf_put_rel(&narrow, fresh(), 0x1010, 0x345, 7, false, 99);
  untouched_from(8);
  assert_int_equal(rd32(out), 0x1010);
  assert_int_equal(rd32(out + 4), 0x34507);
  elf_put_rel(&narrow, fresh(), 0x1010, 0x345, 7, true, -4);
  untouched_from(12);
  assert_int_equal(rd32(out + 8), 0xfffffffc);
  elf_put_rel(&wide, fresh(), 0x1010, 0x345, 7, true, -4);
  untouched_from(24);
  assert_int_equal(rd64(out + 8), 0x34500000007);
  assert_int_equal(rd64(out + 16), 0xfffffffffffffffc);
}

/* The CPUs' own numbers. */
static void dynamic_relocations(void **state) {
  (void)state;
  static const struct {
    DynKind kind;
    u32 i386, x32;
  } rows[] = {{DYN_RELATIVE, 8, 8}, {DYN_ABS, 1, 10}, {DYN_GLOB_DAT, 6, 6}, {DYN_JUMP_SLOT, 7, 7}, {DYN_COPY, 5, 5}, {DYN_DTPMOD, 35, 16},
              {DYN_DTPOFF, 36, 17}, {DYN_TPOFF, 14, 18}, {DYN_TLSDESC, 41, 36}, {DYN_IRELATIVE, 42, 37}};
  Format x32 = elf32, x86 = i386, x64 = elf64;
  elf_encode_init(&x32);
  elf_encode_init(&x86);
  elf_encode_init(&x64);
  assert_int_equal(x32.dynrel_size, 12);
  assert_int_equal(x86.dynrel_size, 8);
  assert_null(x64.encode_dynrel); /* the reader's */
  for (u32 i = 0; i < COUNT_OF(rows); i++) {
    Link l = link_of(&x86);
    const DynRel r = {0x2000, 0x77, NO_SYM.i, (u32)rows[i].kind};
    x86.encode_dynrel(&l, &r, fresh());
    untouched_from(8);
    assert_int_equal(rd32(out), 0x2000);
    assert_int_equal(rd32(out + 4), rows[i].i386);
    l = link_of(&x32);
    x32.encode_dynrel(&l, &r, fresh());
    untouched_from(12);
    assert_int_equal(rd32(out + 4), rows[i].x32);
    assert_int_equal(rd32(out + 8), 0x77);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sizes),   cmocka_unit_test(headers), cmocka_unit_test(segments),    cmocka_unit_test(sections),
      cmocka_unit_test(symbols), cmocka_unit_test(dynamic), cmocka_unit_test(relocations), cmocka_unit_test(dynamic_relocations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
