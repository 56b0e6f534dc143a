/* sign.c: checks an ad-hoc code signature: the super blob, its code directory, and the hash of every page of the
 * file. The trap: all of it is big-endian, and the hashed range ends where the signature begins (codeLimit). */
#include "machorun.h"

static u32 rotate(u32 v, u32 by) { return v >> by | v << (32 - by); }

/* FIPS 180-4. The constants are computed: the first 32 bits of the fractional parts of the cube roots (and square
 * roots) of the first primes; so a typing error cannot hide in a table. */
static u32 root_fraction(u32 prime, int root) {
  u64 lo = 0, hi = 1ull << 36; /* fixed point, 32 bits after the point */
  while (lo + 1 < hi) {
    u64 mid = (lo + hi) / 2;
    bool below;
    if (root == 2)
      below = (unsigned __int128)mid * mid <= (unsigned __int128)prime << 64;
    else /* mid^3 <= prime * 2^96, with the lowest bits of mid^2 kept by comparing against a quotient */
      below = (unsigned __int128)mid * mid <= (((unsigned __int128)prime << 96) - 1) / mid;
    if (below)
      lo = mid;
    else
      hi = mid;
  }
  return (u32)lo;
}

static u32 sha_k[64], sha_h[8];

static void sha_constants(void) {
  u32 count = 0;
  for (u32 n = 2; count < 64; n++) {
    bool prime = true;
    for (u32 d = 2; d * d <= n; d++)
      prime &= n % d != 0;
    if (!prime)
      continue;
    if (count < 8)
      sha_h[count] = root_fraction(n, 2);
    sha_k[count++] = root_fraction(n, 3);
  }
}

static void sha_block(u32 state[8], const u8 *p) {
  u32 w[64], v[8];
  for (u32 i = 0; i < 16; i++)
    w[i] = __builtin_bswap32(rd32(p + 4 * i));
  for (u32 i = 16; i < 64; i++) {
    u32 a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[i - 7] + (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
  }
  memcpy(v, state, sizeof v);
  for (u32 i = 0; i < 64; i++) {
    u32 e = v[4], a = v[0];
    u32 t1 = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & v[5]) ^ (~e & v[6])) + sha_k[i] + w[i];
    u32 t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
    memmove(v + 1, v, 7 * sizeof *v);
    v[4] += t1;
    v[0] = t1 + t2;
  }
  for (u32 i = 0; i < 8; i++)
    state[i] += v[i];
}

void sha256(Bytes data, u8 out[32]) {
  if (!sha_h[0])
    sha_constants();
  u32 state[8];
  memcpy(state, sha_h, sizeof state);
  u64 whole = data.len / 64 * 64;
  for (u64 i = 0; i < whole; i += 64)
    sha_block(state, data.p + i);
  u8 tail[128] = {0};
  u64 rest = data.len - whole, end = rest < 56 ? 64 : 128;
  if (rest)
    memcpy(tail, data.p + whole, rest);
  tail[rest] = 0x80;
  wr64(tail + end - 8, __builtin_bswap64(data.len * 8));
  for (u64 i = 0; i < end; i += 64)
    sha_block(state, tail + i);
  for (u32 i = 0; i < 8; i++)
    wr32(out + 4 * i, __builtin_bswap32(state[i]));
}

static u32 big32(const u8 *p) { return __builtin_bswap32(rd32(p)); }
static u64 big64(const u8 *p) { return __builtin_bswap64(rd64(p)); }

/* Fields of the code directory, by offset: 8 version, 12 flags, 16 hashOffset, 20 identOffset, 24 nSpecialSlots,
 * 28 nCodeSlots, 32 codeLimit, 36 hashSize, 37 hashType, 38 platform, 39 pageSize (log2), 64 execSegBase,
 * 72 execSegLimit, 80 execSegFlags. */
static void directory_check(const Image *im, Bytes cd) {
  if (cd.len < 88)
    fail(im, "its code directory is too short");
  if (big32(cd.p + 8) < 0x20400)
    fail(im, "its code directory has version 0x%x, older than 0x20400", big32(cd.p + 8));
  if (!(big32(cd.p + 12) & SIGN_ADHOC))
    fail(im, "its code directory is not ad-hoc");
  if (cd.p[36] != 32 || cd.p[37] != SIGN_SHA256)
    fail(im, "its code directory does not use SHA-256");
  if (!bytes_cstr(cd, big32(cd.p + 20)) || !*bytes_cstr(cd, big32(cd.p + 20)))
    fail(im, "its code directory has no identifier");
  u32 limit = big32(cd.p + 32), slots = big32(cd.p + 28), log2_page = cd.p[39];
  if (limit != im->signature.dataoff)
    fail(im, "its code directory covers 0x%x bytes, the signature begins at 0x%x", limit, im->signature.dataoff);
  if (log2_page != 12 && log2_page != 14)
    fail(im, "its code directory has pages of 2^%u bytes", log2_page);
  u64 page = 1ull << log2_page;
  if (slots != (limit + page - 1) >> log2_page)
    fail(im, "its code directory has %u hashes for 0x%x bytes", slots, limit);
  Bytes hashes;
  if (!bytes_array(cd, big32(cd.p + 16), slots, 32, &hashes))
    fail(im, "the hashes of its code directory run past its end");
  const Segment *text = image_segment_at(im, im->base, 1);
  bool main = im->header.filetype == TYPE_EXECUTE;
  if (big64(cd.p + 64) != text->fileoff || big64(cd.p + 72) != text->filesize)
    fail(im, "its code directory does not name __TEXT as the executable segment");
  if (big64(cd.p + 80) != (main ? SIGN_MAIN_BINARY : 0))
    fail(im, "its code directory has the execSegFlags 0x%lx", big64(cd.p + 80));
  for (u32 i = 0; i < slots; i++) {
    u64 off = (u64)i << log2_page;
    u8 hash[32];
    sha256((Bytes){im->file.p + off, MIN(page, limit - off)}, hash);
    if (memcmp(hash, hashes.p + 32ull * i, 32))
      fail(im, "the hash of page %u (file offset 0x%lx) is not that of the code directory", i, off);
  }
}

void signature_check(const Image *im) {
  if (!im->has_signature)
    return;
  Bytes s = image_linkedit(im, im->signature.dataoff, im->signature.datasize, "the code signature");
  if (im->signature.dataoff % 16)
    fail(im, "its code signature is not aligned to 16");
  if ((u64)im->signature.dataoff + im->signature.datasize != im->file.len)
    fail(im, "its code signature is not at the end of the file");
  if (s.len < 12 || big32(s.p) != SIGN_SUPERBLOB)
    fail(im, "its code signature is no super blob");
  u32 length = big32(s.p + 4), count = big32(s.p + 8);
  Bytes index, blob;
  if (!bytes_slice(s, 0, length, &s) || !bytes_array(s, 12, count, 8, &index))
    fail(im, "the super blob of its code signature runs past its end");
  bool found = false;
  for (u32 i = 0; i < count; i++) {
    u32 type = big32(index.p + 8 * i), off = big32(index.p + 8 * i + 4);
    Bytes head;
    if (!bytes_slice(s, off, 8, &head) || !bytes_slice(s, off, big32(head.p + 4), &blob) || blob.len < 8)
      fail(im, "blob %u of its code signature runs past its end", i);
    if (type != SIGN_SLOT_CODE_DIRECTORY)
      continue;
    if (big32(blob.p) != SIGN_CODE_DIRECTORY || found)
      fail(im, "its code signature has no code directory, or two");
    found = true;
    directory_check(im, blob);
  }
  if (!found)
    fail(im, "its code signature has no code directory");
}
