/* compress.c: --compress-debug-sections for the output. Each task of a section becomes a shard that
 * its thread compresses while the bytes are hot. Zstandard frames may follow each other (RFC 8878,
 * 3.1); zlib wants one stream, so its shards are raw deflate blocks that end at a byte
 * (Z_SYNC_FLUSH), between the header and the combined checksum (RFC 1950, 2.2). The trap: shards
 * depend on the layout alone, never on threads, or the output would. */
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "write/compose.h"
#include "write/elf.h"
#include "write/elf_encode.h"

/* Each shard starts with nothing to refer back to, so it must not be too small; the larger, the
 * fewer threads have work. */
enum { ZLIB_LEVEL = 1, ZSTD_LEVEL = 3, SHARD = 1 << 20, OUT_STEP = 256 << 10 };

typedef struct {
  u8 *p; /* from malloc */
  u64 len, cap;
  u32 adler; /* zlib: checksum of the raw bytes */
  u64 raw;
} Shard;

typedef struct {
  Link *l;
  CompressKind kind;
  Shard *shards;  /* by task */
  bool *is_last;  /* by task: ends its section */
  z_stream *zlib; /* one for each thread */
  ZSTD_CCtx **zstd;
  bool failed;
} Compressor;

static bool is_candidate(const Osec *o) {
  return o->placed && o->filesz && !(o->attr & (SHF_ALLOC | SHF_COMPRESSED)) && !o->bytes &&
         starts_with(o->name, ".debug_");
}

static int level(const Link *l) {
  int asked = l->opt->compress_level;
  return asked ? asked : l->opt->compress_debug == COMPRESS_ZSTD ? ZSTD_LEVEL : ZLIB_LEVEL;
}

static void fail(Compressor *c, const char *why) {
  if (!__atomic_exchange_n(&c->failed, true, __ATOMIC_RELAXED))
    diag_error(c->l->diag, "compress", "cannot compress debug sections: %s", why);
}

static bool room(Compressor *c, Shard *s) {
  if (s->cap - s->len >= OUT_STEP / 2)
    return true;
  u8 *p = realloc(s->p, s->cap + OUT_STEP);
  if (!p) {
    fail(c, "out of memory");
    return false;
  }
  s->p = p;
  s->cap += OUT_STEP;
  return true;
}

static void deflate_some(Compressor *c, unsigned tid, Shard *s, const u8 *p, u64 len, int how) {
  z_stream *z = &c->zlib[tid];
  z->next_in = (Bytef *)(uintptr_t)p; /* zlib only reads it */
  z->avail_in = (uInt)len;
  do {
    if (!room(c, s))
      return;
    z->next_out = s->p + s->len;
    z->avail_out = (uInt)(s->cap - s->len);
    int r = deflate(z, how);
    s->len = s->cap - z->avail_out;
    if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR) {
      fail(c, z->msg ? z->msg : "zlib failed");
      return;
    }
  } while (z->avail_out == 0);
}

static void zstd_some(Compressor *c, unsigned tid, Shard *s, const u8 *p, u64 len,
                      ZSTD_EndDirective how) {
  ZSTD_inBuffer in = {p, len, 0};
  size_t left;
  do {
    if (!room(c, s))
      return;
    ZSTD_outBuffer out = {s->p, s->cap, s->len};
    left = ZSTD_compressStream2(c->zstd[tid], &out, &in, how);
    s->len = out.pos;
    if (ZSTD_isError(left)) {
      fail(c, ZSTD_getErrorName(left));
      return;
    }
  } while (how == ZSTD_e_end ? left != 0 : in.pos < in.size);
}

static void begin_shard(void *ctx, unsigned tid, u32 task) {
  Compressor *c = ctx;
  if (c->kind == COMPRESS_ZLIB) {
    deflateReset(&c->zlib[tid]);
    c->shards[task].adler = (u32)adler32(0, Z_NULL, 0);
  } else {
    ZSTD_CCtx_reset(c->zstd[tid], ZSTD_reset_session_only);
  }
}

static void put_shard(void *ctx, unsigned tid, u32 task, const u8 *p, u64 len, bool whole) {
  (void)whole;
  Compressor *c = ctx;
  Shard *s = &c->shards[task];
  s->raw += len;
  for (u64 done = 0, n; done < len; done += n) { /* zlib counts in 32 bits */
    n = MIN(len - done, (u64)1 << 30);
    if (c->kind == COMPRESS_ZLIB) {
      s->adler = (u32)adler32(s->adler, p + done, (uInt)n);
      deflate_some(c, tid, s, p + done, n, Z_NO_FLUSH);
    } else {
      zstd_some(c, tid, s, p + done, n, ZSTD_e_continue);
    }
  }
}

static void end_shard(void *ctx, unsigned tid, u32 task) {
  Compressor *c = ctx;
  if (c->kind == COMPRESS_ZLIB)
    deflate_some(c, tid, &c->shards[task], NULL, 0, c->is_last[task] ? Z_FINISH : Z_SYNC_FLUSH);
  else
    zstd_some(c, tid, &c->shards[task], NULL, 0, ZSTD_e_end);
}

static void create(Compressor *c) {
  unsigned threads = pool_threads(c->l->pool);
  c->zlib = ARENA_ARRAY(&c->l->arena, z_stream, threads);
  c->zstd = ARENA_ARRAY(&c->l->arena, ZSTD_CCtx *, threads);
  for (unsigned i = 0; i < threads; i++) {
    if (c->kind == COMPRESS_ZLIB) {
      if (deflateInit2(&c->zlib[i], MIN(level(c->l), 9), Z_DEFLATED, -MAX_WBITS, 8,
                       Z_DEFAULT_STRATEGY) != Z_OK)
        fail(c, "zlib has no memory");
    } else {
      c->zstd[i] = ZSTD_createCCtx();
      if (!c->zstd[i])
        fail(c, "zstd has no memory");
      else
        ZSTD_CCtx_setParameter(c->zstd[i], ZSTD_c_compressionLevel, level(c->l));
    }
  }
}

static void destroy(Compressor *c, u32 nshards) {
  for (unsigned i = 0; i < pool_threads(c->l->pool); i++) {
    if (c->kind == COMPRESS_ZLIB)
      deflateEnd(&c->zlib[i]);
    else
      ZSTD_freeCCtx(c->zstd[i]);
  }
  for (u32 i = 0; i < nshards; i++)
    free(c->shards[i].p);
}

/* Joins the shards [first, last) of a section. */
static void join(Compressor *c, Osec *o, u32 first, u32 last) {
  enum { ZLIB_HEADER = 2, ZLIB_TRAILER = 4 };
  bool zlib = c->kind == COMPRESS_ZLIB;
  u32 header = elf_sizes(c->l).chdr;
  u64 size = header + (zlib ? ZLIB_HEADER + ZLIB_TRAILER : 0);
  for (u32 i = first; i < last; i++)
    size += c->shards[i].len;
  if (size >= o->filesz)
    return;
  u8 *out = link_own(c->l, pages_alloc(size), size), *at = out;
  Elf64_Chdr head = {.ch_type = zlib ? ELFCOMPRESS_ZLIB : ELFCOMPRESS_ZSTD,
                  .ch_size = o->filesz,
                  .ch_addralign = (u64)1 << o->p2align};
  elf_put_chdr(c->l, at, &head);
  at += header;
  if (zlib) { /* deflate, 32 KB window, fastest; a multiple of 31 */
    *at++ = 0x78;
    *at++ = 0x01;
  }
  uLong adler = adler32(0, Z_NULL, 0);
  for (u32 i = first; i < last; i++) {
    Shard *s = &c->shards[i];
    memcpy(at, s->p, s->len);
    at += s->len;
    if (zlib)
      adler = adler32_combine(adler, s->adler, (z_off_t)s->raw);
    free(s->p);
    s->p = NULL;
  }
  if (zlib)
    wr32(at, __builtin_bswap32((u32)adler));
  o->bytes = out;
  o->raw_size = o->filesz;
  o->size = o->filesz = size;
  o->attr |= SHF_COMPRESSED;
  o->p2align = log2_u64(c->l->format->word); /* of the header */
}

/* What takes no memory stands behind what does, in order of section headers; sizes have changed. */
static void move_up(Link *l) {
  u64 off = UINT64_MAX;
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (o->placed && !(o->attr & SHF_ALLOC))
      off = MIN(off, o->off);
  }
  for (u32 i = 0; i < l->norder; i++) {
    Osec *o = &l->osecs.at[l->order[i]];
    if (!o->placed || o->attr & SHF_ALLOC)
      continue;
    off = align_up(off, (u64)1 << o->p2align);
    o->off = off;
    off += o->filesz;
  }
  l->file_end = off;
}

void elf_compress_debug(Link *l) {
  if (l->opt->compress_debug == COMPRESS_NONE || l->opt->oformat_binary)
    return;
  Plan plan;
  plan_init(&plan, l, SHARD);
  u64 at = 0; /* no file offset is known yet: the sections one after the other */
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (!is_candidate(o))
      continue;
    plan_add_osec(&plan, l->order[i], at);
    at += o->filesz;
  }
  plan_seal(&plan);
  u32 n = plan.tasks.n;
  if (n && plan.ntasks_early == n) {
    Compressor c = {.l = l,
                    .kind = l->opt->compress_debug,
                    .shards = ARENA_ARRAY(&l->arena, Shard, n),
                    .is_last = ARENA_ARRAY(&l->arena, bool, n)};
    u32 *osec = ARENA_ARRAY(&l->arena, u32, n + 1);
    for (u32 i = 0; i < n; i++)
      osec[i] = plan.pieces.at[plan.tasks.at[i].first].osec;
    for (u32 i = 0; i < n; i++)
      c.is_last[i] = osec[i] != osec[i + 1];
    create(&c);
    if (!c.failed) {
      Sink sink = {.ctx = &c, .begin = begin_shard, .put = put_shard, .end = end_shard};
      plan_run(&plan, &sink);
    }
    for (u32 i = 0, k; i < n && !c.failed; i = k) {
      for (k = i + 1; k < n && osec[k] == osec[i]; k++)
        ;
      join(&c, &l->osecs.at[osec[i]], i, k);
    }
    destroy(&c, n);
    move_up(l);
  }
  plan_free(&plan);
}
