/* Unit tests of the header of a Go program's Mach-O image: three images that Go's own writer was tested with, built from plain
 * structs. Their hexdumps are not part of weld; without them the fields are checked that a loader reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#include "format/macho.h"
#include "write/go_macho.h"

enum { ROOM = 0x3000, P2ALIGN = 6, CODE_FLAGS = S_ATTR_SOME_INSTRUCTIONS };

typedef struct {
  u8 bytes[ROOM];
  u64 size;
} Image;

static void make(Image *i, const GoMachImage *m) {
  assert_true(go_macho_header_size(m) <= 0x1000);
  memset(i, 0, sizeof *i);
  go_macho_header(m, i->bytes);
}

static void put(Image *i, u64 at, const void *p, u64 n) {
  memcpy(i->bytes + at, p, n);
  i->size = at + n;
}

/* A hexdump of the shared data, "" where there is none. */
static FILE *open_dump(const char *name) {
  const char *shared = getenv("WELD_SHARED");
  char path[512];
  snprintf(path, sizeof path, "%s/data/go13ld/go1.4/%s", shared ? shared : "../shared", name);
  FILE *f = fopen(path, "r");
  if (!f)
    print_message("%s is not there: not compared\n", path);
  return f;
}

/* Every line of a hexdump is in the image, at its place; the last one is its size. */
static void compare(const Image *i, const char *name) {
  FILE *f = open_dump(name);
  char line[128];
  u64 at = 0;
  while (f && fgets(line, sizeof line, f)) {
    char *p = line;
    if (*line == '*')
      continue;
    at = strtoull(p, &p, 16);
    for (u32 k = 0; k < 16 && *p != '|' && *p != '\n'; k++) {
      char *end;
      unsigned long byte = strtoul(p, &end, 16);
      if (end == p)
        break;
      assert_true(at + k < i->size);
      assert_int_equal(i->bytes[at + k], byte);
      p = end;
      while (*p == ' ')
        p++;
    }
  }
  if (f) {
    assert_int_equal(at, i->size);
    fclose(f);
  }
}

static const u8 write_hello[] = {0xb8, 4, 0, 0, 2, 0xbf, 1, 0, 0, 0, 0xbe, 0, 0x30, 0, 0, 0xba, 12, 0, 0, 0, 0x0f, 5};
static const u8 quit[] = {0xb8, 1, 0, 0, 2, 0xbf, 9, 0, 0, 0, 0x0f, 5, 0xf4};
static const char hello[] = "hello world\n";
enum { TEXT_SIZE = sizeof write_hello + sizeof quit, HELLO_SIZE = sizeof hello - 1 };

static void one_call(void **state) {
  (void)state;
  Image i;
  const GoMachSection text = {"__text", 0x2000, sizeof quit, 0x1000, P2ALIGN, CODE_FLAGS};
  const GoMachSegment segment = {"__TEXT", 0x1000, 0x1000 + sizeof quit, 0, 0x1000 + sizeof quit, 7, 5, &text, 1};
  make(&i, &(GoMachImage){.page_zero = 0x1000, .entry = 0x2000, .segments = &segment, .nsegments = 1});
  put(&i, 0x1000, quit, sizeof quit);
  compare(&i, "macho.amd64.exit9");
  const MachHeader64 *h = (const MachHeader64 *)i.bytes;
  assert_int_equal(h->magic, MH_MAGIC_64);
  assert_int_equal(h->cputype, CPU_TYPE_X86_64);
  assert_int_equal(h->filetype, MH_EXECUTE);
  assert_int_equal(h->ncmds, 3);
  assert_int_equal(h->sizeofcmds, 0x198);
  assert_int_equal(rd32(i.bytes + 32 + 0x48 + 0x98), LC_UNIXTHREAD);
  assert_int_equal(rd32(i.bytes + 32 + 0x48 + 0x98 + 4), 0xb8);
  assert_int_equal(rd64(i.bytes + 0x190), 0x2000);
}

static void with_data(void **state) {
  (void)state;
  Image i;
  const GoMachSection text = {"__text", 0x2000, TEXT_SIZE, 0x1000, P2ALIGN, CODE_FLAGS},
                      data = {"__data", 0x3000, HELLO_SIZE, 0x2000, P2ALIGN, 0};
  const GoMachSegment segments[] = {{"__TEXT", 0x1000, 0x1000 + TEXT_SIZE, 0, 0x1000 + TEXT_SIZE, 7, 5, &text, 1},
                                    {"__DATA", 0x3000, HELLO_SIZE, 0x2000, HELLO_SIZE, 3, 3, &data, 1}};
  make(&i, &(GoMachImage){.page_zero = 0x1000, .entry = 0x2000, .segments = segments, .nsegments = 2});
  put(&i, 0x1000, write_hello, sizeof write_hello);
  put(&i, 0x1000 + sizeof write_hello, quit, sizeof quit);
  put(&i, 0x2000, hello, HELLO_SIZE);
  compare(&i, "macho.amd64.hello");
  const SegmentCommand64 *s = (const SegmentCommand64 *)(i.bytes + 32 + 0x48 + 0x98);
  assert_int_equal(s->cmdsize, 0x98);
  assert_memory_equal(s->segname, "__DATA\0\0\0\0\0\0\0\0\0\0", 16);
  assert_int_equal(s->vmaddr, 0x3000);
  assert_int_equal(s->fileoff, 0x2000);
  assert_int_equal(s->initprot, VM_PROT_READ | VM_PROT_WRITE);
}

static void with_read_only_data(void **state) {
  (void)state;
  Image i;
  const GoMachSection sections[] = {{"__text", 0x2000, TEXT_SIZE, 0x1000, P2ALIGN, CODE_FLAGS},
                                    {"__rodata", 0x3000, HELLO_SIZE, 0x2000, P2ALIGN, 0}};
  const GoMachSegment segment = {"__TEXT", 0x1000, 0x2000 + HELLO_SIZE, 0, 0x2000 + HELLO_SIZE, 7, 5, sections, 2};
  make(&i, &(GoMachImage){.page_zero = 0x1000, .entry = 0x2000, .segments = &segment, .nsegments = 1});
  u8 quit_0[sizeof quit];
  memcpy(quit_0, quit, sizeof quit);
  quit_0[6] = 0;
  put(&i, 0x1000, write_hello, sizeof write_hello);
  put(&i, 0x1000 + sizeof write_hello, quit_0, sizeof quit_0);
  put(&i, 0x2000, hello, HELLO_SIZE);
  compare(&i, "macho.amd64.helloro");
  const MachSection64 *s = (const MachSection64 *)(i.bytes + 32 + 0x48 + sizeof(SegmentCommand64) + sizeof(MachSection64));
  assert_memory_equal(s->sectname, "__rodata\0\0\0\0\0\0\0\0", 16);
  assert_memory_equal(s->segname, "__TEXT\0\0\0\0\0\0\0\0\0\0", 16);
  assert_int_equal(s->offset, 0x2000);
}

/* A name of 16 letters or more has no NUL. */
static void long_name(void **state) {
  (void)state;
  Image i;
  const GoMachSection section = {"__a_very_long_section_name", 0x2000, 1, 0x1000, 0, 0};
  const GoMachSegment segment = {"__TEXT", 0x1000, 0x1001, 0, 0x1001, 7, 5, &section, 1};
  make(&i, &(GoMachImage){.page_zero = 0x1000, .entry = 0x2000, .segments = &segment, .nsegments = 1});
  assert_memory_equal(i.bytes + 32 + 0x48 + sizeof(SegmentCommand64), "__a_very_long_se__TEXT\0", 23);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(one_call), cmocka_unit_test(with_data),
                                     cmocka_unit_test(with_read_only_data), cmocka_unit_test(long_name)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
