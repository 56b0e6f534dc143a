/* elf_hash.c: .gnu.hash and .hash: from a name to its dynamic symbol (gABI ch. 5, "Hash Table"; the GNU
 * table: buckets of adjacent symbols behind a Bloom filter).
 * The trap: the dynamic linker asks most libraries for names that they do not have, so the filter is
 * what it reads: 12 bits a name, two of them set, keep more than nine of ten such questions out of
 * the buckets. */
#include "util/bytes.h"
#include "write/elf_dynsym.h"

enum { BLOOM_SHIFT = 26, BLOOM_BITS_PER_NAME = 12, GNU_HEADER = 16 };

/* A word of the filter is as wide as an address. */
static u32 bloom_words(const Link *l, const ElfDynamic *d) {
  u64 words = (u64)(d->n - d->hashed) * BLOOM_BITS_PER_NAME / (l->format->word * 8u);
  return words ? 2u << log2_u64(words) : 1; /* the next larger power of two */
}

static void write_gnu_hash(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  (void)off, (void)len;
  const ElfDynamic *d = s->ctx;
  u32 words = bloom_words(l, d), word = l->format->word, bits = word * 8;
  wr32(out, d->nbuckets);
  wr32(out + 4, d->hashed);
  wr32(out + 8, words);
  wr32(out + 12, BLOOM_SHIFT);
  u8 *bloom = out + GNU_HEADER, *buckets = bloom + (u64)words * word, *chain = buckets + (u64)d->nbuckets * 4;
  u32 last = UINT32_MAX;
  for (u32 i = d->hashed; i < d->n; i++) {
    u32 h = d->syms[i].hash, b = h % d->nbuckets;
    u8 *w = bloom + (u64)(h / bits & (words - 1)) * word;
    u32 one = h % bits, two = (h >> BLOOM_SHIFT) % bits;
    w[one / 8] |= (u8)(1u << one % 8); /* little endian: bit n is in byte n / 8 */
    w[two / 8] |= (u8)(1u << two % 8);
    if (b != last)
      wr32(buckets + (u64)b * 4, i);
    last = b;
    bool end = i + 1 == d->n || d->syms[i + 1].hash % d->nbuckets != b;
    wr32(chain + (u64)(i - d->hashed) * 4, (h & ~1u) | end);
  }
}

u32 elf_hash_sysv(const char *name, u64 len) {
  u32 h = 0;
  for (u64 i = 0; i < len; i++) {
    h = (h << 4) + (u8)name[i];
    h ^= h >> 24 & 0xf0;
    h &= 0x0fffffff;
  }
  return h;
}

static u32 sysv_buckets(const ElfDynamic *d) { return MAX(d->n / 2, 1u); }

static void write_hash(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  (void)l, (void)off, (void)len;
  const ElfDynamic *d = s->ctx;
  u32 n = sysv_buckets(d);
  wr32(out, n);
  wr32(out + 4, d->n);
  u8 *buckets = out + 8, *chain = buckets + (u64)n * 4;
  for (u32 i = d->n; i-- > 1;) { /* backwards: a chain runs in the order of the symbols */
    u8 *b = buckets + (u64)(elf_hash_sysv(d->syms[i].name, d->syms[i].len) % n) * 4;
    wr32(chain + (u64)i * 4, rd32(b));
    wr32(b, i);
  }
}

void elf_hash_size(Link *l, ElfDynamic *d) {
  Synth *g = &l->synths.at[SYN_GNU_HASH], *h = &l->synths.at[SYN_HASH];
  if (l->opt->hash_gnu) {
    g->size = GNU_HEADER + (u64)bloom_words(l, d) * l->format->word + (u64)d->nbuckets * 4 + (u64)(d->n - d->hashed) * 4;
    g->write = write_gnu_hash;
    g->ctx = d;
  }
  if (l->opt->hash_sysv) {
    h->size = 8 + ((u64)sysv_buckets(d) + d->n) * 4;
    h->write = write_hash;
    h->ctx = d;
  }
}
