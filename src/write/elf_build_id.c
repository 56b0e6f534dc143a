/* elf_build_id.c: the build id note and its hashes. MD5 and SHA come from libcrypto's plain
 * functions: its newer interface looks algorithms up at run time and pulls in the whole library,
 * which costs more than all of a small link. The trap: a hash must not cover the id itself, so the
 * note holds zeros while it is hashed. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "write/elf_build_id.h"

#include <openssl/md5.h>
#include <openssl/sha.h>
#include <sys/random.h>

#include "format/elf.h"
#include "util/hash_avx2.h"

enum { NOTE_HEADER = sizeof(ElfNhdr) + 4 /* "GNU" */, UUID_SIZE = 16, FAST_SIZE = 16 };

struct BuildIdHash {
  XXH3_state_t xxh; /* first: it wants 64-byte alignment */
  BuildIdKind kind;
  bool avx2;
  union {
    MD5_CTX md5;
    SHA_CTX sha1;
    SHA256_CTX sha256;
  };
};

u32 build_id_digest_size(const Link *l) {
  switch (l->opt->build_id) {
  case BUILD_ID_FAST: return FAST_SIZE;
  case BUILD_ID_MD5: return MD5_DIGEST_LENGTH;
  case BUILD_ID_SHA1: return SHA_DIGEST_LENGTH;
  case BUILD_ID_SHA256: return SHA256_DIGEST_LENGTH;
  case BUILD_ID_NONE:
  case BUILD_ID_UUID:
  case BUILD_ID_HEX: break;
  }
  return 0;
}

static void write_note(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  (void)l;
  memcpy(out, (const u8 *)s->ctx + off, len);
}

/* A version 4 UUID (RFC 9562, 5.4). */
static void make_uuid(Link *l, u8 *out) {
  if (getrandom(out, UUID_SIZE, 0) != UUID_SIZE)
    diag_error(l->diag, "build-id", "--build-id=uuid: no random numbers from the system");
  out[6] = (u8)((out[6] & 0x0f) | 0x40);
  out[8] = (u8)((out[8] & 0x3f) | 0x80);
}

void build_id_prepare(Link *l) {
  u32 len = build_id_digest_size(l);
  if (l->opt->build_id == BUILD_ID_UUID)
    len = UUID_SIZE;
  else if (l->opt->build_id == BUILD_ID_HEX)
    len = MIN(l->opt->build_id_len, (u32)sizeof l->opt->build_id_bytes);
  if (!len)
    return;
  u64 size = align_up(NOTE_HEADER + len, 4);
  u8 *note = arena_alloc(&l->arena, size, 8);
  ElfNhdr head = {.n_namesz = 4, .n_descsz = len, .n_type = NT_GNU_BUILD_ID};
  memcpy(note, &head, sizeof head);
  memcpy(note + sizeof head, "GNU", 4);
  if (l->opt->build_id == BUILD_ID_UUID)
    make_uuid(l, note + NOTE_HEADER);
  else if (l->opt->build_id == BUILD_ID_HEX)
    memcpy(note + NOTE_HEADER, l->opt->build_id_bytes, len);
  Synth *s = &l->synths.at[SYN_BUILD_ID];
  s->size = size;
  s->ctx = note;
  s->write = write_note;
}

bool build_id_find(const Link *l, u32 *osec, u64 *offset) {
  const Synth *s = &l->synths.at[SYN_BUILD_ID];
  *osec = s->atom.i && s->size ? l->atoms.at[s->atom.i].osec : 0;
  if (!*osec || !l->osecs.at[*osec].placed)
    return false;
  *offset = l->atoms.addr[s->atom.i] - l->osecs.at[*osec].addr + NOTE_HEADER;
  return true;
}

BuildIdHash *build_id_hash_create(Link *l) {
  BuildIdHash *h = arena_alloc(&l->arena, sizeof *h, 64);
  h->kind = l->opt->build_id;
  h->avx2 = hash_avx2_usable();
  return h;
}

void build_id_begin(BuildIdHash *h) {
  switch (h->kind) {
  case BUILD_ID_FAST: XXH3_128bits_reset(&h->xxh); break;
  case BUILD_ID_MD5: MD5_Init(&h->md5); break;
  case BUILD_ID_SHA1: SHA1_Init(&h->sha1); break;
  case BUILD_ID_SHA256: SHA256_Init(&h->sha256); break;
  case BUILD_ID_NONE:
  case BUILD_ID_UUID:
  case BUILD_ID_HEX: break;
  }
}

void build_id_update(BuildIdHash *h, const void *p, u64 len) {
  switch (h->kind) {
  case BUILD_ID_FAST:
    if (h->avx2)
      hash_avx2_update(&h->xxh, p, len);
    else
      XXH3_128bits_update(&h->xxh, p, len);
    break;
  case BUILD_ID_MD5: MD5_Update(&h->md5, p, len); break;
  case BUILD_ID_SHA1: SHA1_Update(&h->sha1, p, len); break;
  case BUILD_ID_SHA256: SHA256_Update(&h->sha256, p, len); break;
  case BUILD_ID_NONE:
  case BUILD_ID_UUID:
  case BUILD_ID_HEX: break;
  }
}

/* The canonical form is big endian, whatever the host. */
static void put_xxh128(u8 *out, XXH128_hash_t v) {
  XXH128_canonical_t c;
  XXH128_canonicalFromHash(&c, v);
  memcpy(out, c.digest, FAST_SIZE);
}

void build_id_end(BuildIdHash *h, u8 *out) {
  switch (h->kind) {
  case BUILD_ID_FAST: put_xxh128(out, XXH3_128bits_digest(&h->xxh)); break;
  case BUILD_ID_MD5: MD5_Final(out, &h->md5); break;
  case BUILD_ID_SHA1: SHA1_Final(out, &h->sha1); break;
  case BUILD_ID_SHA256: SHA256_Final(out, &h->sha256); break;
  case BUILD_ID_NONE:
  case BUILD_ID_UUID:
  case BUILD_ID_HEX: break;
  }
}

void build_id_once(BuildIdHash *h, const void *p, u64 len, u8 *out) {
  if (h->kind == BUILD_ID_FAST) { /* the one-shot form keeps its state in registers */
    put_xxh128(out, h->avx2 ? hash_avx2_once(p, len) : XXH3_128bits(p, len));
    return;
  }
  build_id_begin(h);
  build_id_update(h, p, len);
  build_id_end(h, out);
}
