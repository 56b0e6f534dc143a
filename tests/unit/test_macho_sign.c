/* test_macho_sign.c: signatures are taken apart again. Given names of files, it makes the signature of each of these signed
 * images anew, and says whether it has the same bytes: tests/macho/sign.test asks that of ld64.lld's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* after the above, as cmocka asks */
#include <cmocka.h>

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "format/macho.h"
#include "write/macho_sign.h"

/* Hashes in pieces, the last one first: the order means nothing. */
static u8 *sign(const MachoSignature *s, const u8 *file, u64 piece) {
  u8 *out = malloc(macho_signature_size(s));
  memset(out, 0xee, macho_signature_size(s));
  macho_signature_begin(s, out);
  for (u64 n = (s->code_limit + piece - 1) / piece; n--;)
    macho_signature_hash(s, out, file + n * piece, n * piece, MIN(piece, s->code_limit - n * piece));
  return out;
}

static void hashes(void **state) {
  (void)state;
  static const u64 limits[] = {1, 4095, 4096, 4097, 100000, 0};
  u8 *file = malloc(100000);
  for (u32 i = 0; i < 100000; i++)
    file[i] = (u8)(i * 2654435761U >> 13);
  for (u32 k = 0; k < COUNT_OF(limits); k++) {
    MachoSignature s = {"a.out", limits[k], 0, 0x4000, true};
    u8 *out = sign(&s, file, k % 2 ? 4096 : 3 * 4096);
    const u8 *directory = out + be32(out + 16);
    assert_int_equal(be32(out), CSMAGIC_EMBEDDED_SIGNATURE);
    assert_int_equal(be32(out + 4), macho_signature_size(&s));
    assert_int_equal(be32(directory), CSMAGIC_CODEDIRECTORY);
    assert_int_equal(be32(directory + 4) + be32(out + 16), macho_signature_size(&s));
    assert_int_equal(be32(directory + 8), 0x20400);
    assert_int_equal(be32(directory + 12), 0x20002);
    assert_string_equal((const char *)directory + be32(directory + 20), "a.out");
    u32 n = be32(directory + 28);
    assert_int_equal(n, (limits[k] + 4095) / 4096);
    assert_int_equal(be32(directory + 32), limits[k]);
    assert_true(be32(directory + 16) + n * 32 <= be32(directory + 4));
    for (u32 i = 0; i < n; i++) {
      u8 want[32];
      SHA256(file + i * 4096, MIN(4096UL, limits[k] - i * 4096UL), want);
      assert_memory_equal(directory + be32(directory + 16) + 32 * i, want, 32);
    }
    free(out);
  }
  free(file);
}

static void large(void **state) {
  (void)state;
  MachoSignature s = {"big", (1ULL << 32) + 5, 0x4000, 0x8000, false};
  assert_true(macho_signature_size(&s) >= 32 * ((1ULL << 20) + 1));
  u8 *out = malloc(macho_signature_size(&s));
  macho_signature_begin(&s, out);
  const u8 *directory = out + be32(out + 16);
  assert_int_equal(be32(directory + 32), UINT32_MAX);
  assert_true(be64(directory + 56) == s.code_limit);
  assert_true(be64(directory + 64) == 0x4000 && be64(directory + 72) == 0x8000 && be64(directory + 80) == 0);
  free(out);
}

static void uuid(void **state) {
  (void)state;
  u8 id[16];
  memset(id, 0xff, 16);
  macho_uuid(id);
  assert_true(id[6] == 0x8f && id[8] == 0xbf && id[5] == 0xff && id[7] == 0xff);
  memset(id, 0, 16);
  macho_uuid(id);
  assert_true(id[6] == 0x80 && id[8] == 0x80);
}

/* The signature that an image has, from its own load commands and ours. */
static int same_as(const char *path) {
  FILE *f = fopen(path, "rb");
  static u8 file[1 << 22];
  u64 n = f ? fread(file, 1, sizeof file, f) : 0;
  if (!f || n < sizeof(MachHeader64) || n == sizeof file || rd32(file) != MH_MAGIC_64) {
    printf("%s: is no image\n", path);
    return 1;
  }
  fclose(f);
  const MachHeader64 *h = (const void *)file;
  MachoSignature s = {.main_binary = h->filetype == MH_EXECUTE};
  u64 at = sizeof *h, have = 0;
  for (u32 i = 0; i < h->ncmds; i++) {
    const LoadCommand *c = (const void *)(file + at);
    if (c->cmd == LC_SEGMENT_64) {
      const SegmentCommand64 *seg = (const void *)c;
      if (!strncmp(seg->segname, "__TEXT", 16))
        s.text_off = seg->fileoff, s.text_size = seg->filesize;
    } else if (c->cmd == LC_CODE_SIGNATURE) {
      const LinkeditDataCommand *l = (const void *)c;
      s.code_limit = l->dataoff, have = l->datasize;
    }
    at += c->cmdsize;
  }
  const u8 *directory = file + s.code_limit + be32(file + s.code_limit + 16);
  s.identifier = (const char *)directory + be32(directory + 20);
  u8 *out = sign(&s, file, 4096);
  bool same = have == macho_signature_size(&s) && !memcmp(out, file + s.code_limit, have);
  printf("%s: %s\n", s.identifier, same ? "same signature" : "another signature");
  free(out);
  return !same;
}

int main(int argc, char **argv) {
  if (argc > 1) {
    int bad = 0;
    for (int i = 1; i < argc; i++)
      bad |= same_as(argv[i]);
    return bad;
  }
  const struct CMUnitTest tests[] = {cmocka_unit_test(hashes), cmocka_unit_test(large), cmocka_unit_test(uuid)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
