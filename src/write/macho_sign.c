/* macho_sign.c: see macho_sign.h. One blob, a code directory, in a blob of blobs: what the linkers of Apple and LLVM make.
 * SHA-256 comes from libcrypto's plain functions, as in elf_build_id.c: its one-shot SHA256() would bring 3.5 MB of the library into a
 * static weld. The trap: numbers are big endian. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "write/macho_sign.h"

#include <openssl/sha.h>

#include "format/macho.h"

enum {
  DIRECTORY = 24, /* offset of the code directory: the super blob and its index, made a multiple of 8 */
  PAGE_SHIFT = 12,
};

static u64 hashes_at(const MachoSignature *s) {
  return align_up(DIRECTORY + sizeof(CsCodeDirectory) + strlen(s->identifier) + 1, 16);
}

static u64 pages(const MachoSignature *s) { return align_up(s->code_limit, MACHO_SIGNATURE_PAGE) >> PAGE_SHIFT; }

u64 macho_signature_size(const MachoSignature *s) { return align_up(hashes_at(s) + pages(s) * CS_SHA256_LEN, 8); }

static u32 swap32(u64 v) { return __builtin_bswap32((u32)v); }
static u64 swap64(u64 v) { return __builtin_bswap64(v); }

void macho_signature_begin(const MachoSignature *s, u8 *out) {
  u64 size = macho_signature_size(s), hashes = hashes_at(s);
  bool large = s->code_limit > UINT32_MAX;
  memset(out, 0, hashes);
  memset(out + hashes + pages(s) * CS_SHA256_LEN, 0, size - hashes - pages(s) * CS_SHA256_LEN);
  CsSuperBlob super = {swap32(CSMAGIC_EMBEDDED_SIGNATURE), swap32(size), swap32(1)};
  CsBlobIndex index = {swap32(CSSLOT_CODEDIRECTORY), swap32(DIRECTORY)};
  CsCodeDirectory directory = {
      .magic = swap32(CSMAGIC_CODEDIRECTORY),
      .length = swap32(size - DIRECTORY),
      .version = swap32(CS_SUPPORTSEXECSEG),
      .flags = swap32(CS_ADHOC | CS_LINKER_SIGNED),
      .hashOffset = swap32(hashes - DIRECTORY),
      .identOffset = swap32(sizeof directory),
      .nCodeSlots = swap32(pages(s)),
      .codeLimit = swap32(large ? UINT32_MAX : s->code_limit),
      .hashSize = CS_SHA256_LEN,
      .hashType = CS_HASHTYPE_SHA256,
      .pageSize = PAGE_SHIFT,
      .codeLimit64 = large ? swap64(s->code_limit) : 0,
      .execSegBase = swap64(s->text_off),
      .execSegLimit = swap64(s->text_size),
      .execSegFlags = s->main_binary ? swap64(CS_EXECSEG_MAIN_BINARY) : 0,
  };
  memcpy(out, &super, sizeof super);
  memcpy(out + sizeof super, &index, sizeof index);
  memcpy(out + DIRECTORY, &directory, sizeof directory);
  memcpy(out + DIRECTORY + sizeof directory, s->identifier, strlen(s->identifier));
}

static void hash_page(const u8 *bytes, u64 len, u8 *out) {
  SHA256_CTX c;
  SHA256_Init(&c);
  SHA256_Update(&c, bytes, len);
  SHA256_Final(out, &c);
}

void macho_signature_hash(const MachoSignature *s, u8 *out, const u8 *bytes, u64 off, u64 len) {
  u8 *hash = out + hashes_at(s) + (off >> PAGE_SHIFT) * CS_SHA256_LEN;
  for (u64 at = 0; at < len; at += MACHO_SIGNATURE_PAGE, hash += CS_SHA256_LEN)
    hash_page(bytes + at, MIN((u64)MACHO_SIGNATURE_PAGE, len - at), hash);
}

void macho_uuid(u8 id[MACHO_UUID_SIZE]) {
  id[6] = (u8)((id[6] & 0x0f) | 0x80);
  id[8] = (u8)((id[8] & 0x3f) | 0x80);
}
