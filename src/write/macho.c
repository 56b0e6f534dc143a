/* macho.c: the header and the file as a whole. Composing hands over stretches of the file in any order, on all threads, and each
 * page's hash is made while its bytes are in the cache: SHA-256 for a signature, XXH3 without one. The UUID is a hash of these.
 * The trap: a page may belong to two stretches, or be in none; such pages are put together aside and hashed at the
 * end, and so is the one that the UUID is put into, which is hashed twice. */
#include "write/macho.h"

#include <stdlib.h>

#include "util/hash.h"
#include "util/outfile.h"
#include "util/watch.h"
#include "write/compose.h"
#include "write/macho_sign.h"

enum { PAGE = MACHO_SIGNATURE_PAGE };

typedef struct {
  MachoImage *m;
  OutFile *file;
  const Plan *plan;
  u64 *at;        /* by thread: where the next stretch stands in the file */
  u64 limit;      /* what is hashed ends here */
  bool hashing;   /* anybody wants to know */
  u64 uuid;       /* where it stands in the file, 0: nowhere */
  u8 **partial;   /* by page: its bytes so far, or NULL */
  u8 *done;       /* by page: it has its hash */
  u32 npages;
  Hash128 *hash;  /* by page, when not signed */
  u8 *signature;  /* or */
  MachoSignature sign;
} Writer;

/* ---- header ---- */

static u32 header_flags(const MachoImage *m) {
  const Link *l = m->l;
  const DarwinOptions *d = &l->opt->darwin;
  u32 f = MH_DYLDLINK | (d->flat_namespace ? MH_FORCE_FLAT : MH_NOUNDEFS | MH_TWOLEVEL);
  bool reexports = false;
  for (u32 i = 0; i < m->nlibraries; i++)
    reexports |= m->libraries[i].command == LC_REEXPORT_DYLIB;
  if (m->filetype == MH_DYLIB && !reexports)
    f |= MH_NO_REEXPORTED_DYLIBS;
  if (m->filetype == MH_EXECUTE && l->opt->kind == OUTPUT_PIE)
    f |= MH_PIE;
  if (d->mark_dead_strippable)
    f |= MH_DEAD_STRIPPABLE_DYLIB;
  if (d->application_extension)
    f |= MH_APP_EXTENSION_SAFE;
  if (d->bind_at_load)
    f |= MH_BINDATLOAD;
  if (m->weak_defines)
    f |= MH_WEAK_DEFINES;
  if (m->binds_to_weak)
    f |= MH_BINDS_TO_WEAK;
  for (u32 i = 0; i < l->norder; i++)
    if (l->osecs.at[l->order[i]].type == S_THREAD_LOCAL_VARIABLES)
      f |= MH_HAS_TLV_DESCRIPTORS;
  return f;
}

static u8 *make_header(const MachoImage *m, u64 *size) {
  u32 n;
  u64 commands = macho_commands(m, NULL, &n);
  u8 *p = arena_alloc(&m->l->arena, sizeof(MachHeader64) + commands, 8);
  MachHeader64 *h = (MachHeader64 *)p;
  macho_commands(m, p + sizeof *h, &n);
  *h = (MachHeader64){.magic = MH_MAGIC_64, .cputype = m->cputype, .cpusubtype = m->cpusubtype, .filetype = m->filetype, .ncmds = n,
                      .sizeofcmds = (u32)commands, .flags = header_flags(m)};
  *size = sizeof *h + commands;
  return p;
}

static u64 find_uuid(const u8 *header, u64 size) {
  for (u64 at = sizeof(MachHeader64); at + sizeof(LoadCommand) <= size; at += rd32(header + at + 4))
    if (rd32(header + at) == LC_UUID)
      return at + sizeof(LoadCommand);
  return 0;
}

/* ---- hashes ---- */

static void hash_page(Writer *w, u64 page, const u8 *p) {
  u64 len = MIN((u64)PAGE, w->limit - page * PAGE);
  if (w->signature)
    macho_signature_hash(&w->sign, w->signature, p, page * PAGE, len);
  else
    w->hash[page] = hash128_bytes(p, len);
  w->done[page] = 1;
}

static bool holds_uuid(const Writer *w, u64 page) {
  return w->uuid && page >= w->uuid / PAGE && page <= (w->uuid + MACHO_UUID_SIZE - 1) / PAGE;
}

/* Room for the bytes of a page, zeroed; several threads may have some. */
static u8 *page_room(Writer *w, u64 page) {
  u8 *p = __atomic_load_n(&w->partial[page], __ATOMIC_ACQUIRE), *fresh;
  if (p)
    return p;
  fresh = heap_alloc(PAGE);
  if (__atomic_compare_exchange_n(&w->partial[page], &p, fresh, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return fresh;
  free(fresh);
  return p;
}

static void hash_stretch(Writer *w, const u8 *p, u64 len, u64 off) {
  while (len && off < w->limit) {
    u64 page = off / PAGE, in = off % PAGE, n = MIN(len, PAGE - in);
    if (in == 0 && (n == PAGE || off + n == w->limit) && !holds_uuid(w, page))
      hash_page(w, page, p);
    else
      memcpy(page_room(w, page) + in, p, n);
    p += n;
    off += n;
    len -= n;
  }
}

static void hash_rest(void *ctx, u32 begin, u32 end, unsigned tid) {
  static const u8 zeros[PAGE];
  Writer *w = ctx;
  (void)tid;
  for (u32 i = begin; i < end; i++)
    if (!w->done[i])
      hash_page(w, i, w->partial[i] ? w->partial[i] : zeros);
}

/* ---- composing ---- */

static void begin_task(void *ctx, unsigned tid, u32 task) {
  Writer *w = ctx;
  w->at[tid] = w->plan->tasks.at[task].begin;
}

static void put(void *ctx, unsigned tid, u32 task, const u8 *p, u64 len, bool whole) {
  Writer *w = ctx;
  (void)task, (void)whole;
  if (w->hashing)
    hash_stretch(w, p, len, w->at[tid]);
  w->at[tid] += len;
}

static void put_aside(void *ctx, unsigned tid, u32 task, const u8 *p, u64 len) { (void)ctx, (void)tid, (void)task, (void)p, (void)len; }
static void end_task(void *ctx, unsigned tid, u32 task) { (void)ctx, (void)tid, (void)task; }
static bool take_turn(void *ctx, bool wait) { return outfile_take_turn(((Writer *)ctx)->file, wait); }
static void end_turn(void *ctx) { outfile_end_turn(((Writer *)ctx)->file); }
static void write_bytes(void *ctx, const u8 *p, u64 len, u64 off) { outfile_write(((Writer *)ctx)->file, p, len, off); }

static void make_plan(const MachoImage *m, const u8 *header, u64 size, Plan *plan) {
  Link *l = m->l;
  plan_init(plan, l, 0);
  plan_add_bytes(plan, 0, header, size, 0);
  for (u32 i = 0; i < l->norder; i++)
    if (l->osecs.at[l->order[i]].filesz)
      plan_add_osec(plan, l->order[i], l->osecs.at[l->order[i]].off);
  for (u32 i = 0; i < PART_COUNT; i++)
    if (m->part[i].bytes.len)
      plan_add_bytes(plan, 0, m->part[i].bytes.p, m->part[i].bytes.len, m->part[i].off);
  plan_seal(plan);
}

static void init_writer(Writer *w) {
  Link *l = w->m->l;
  bool sign = l->opt->darwin.adhoc_sign;
  w->at = ARENA_ARRAY(&l->arena, u64, pool_threads(l->pool));
  w->limit = sign ? w->m->sign_off : w->m->size;
  w->hashing = sign || w->uuid;
  if (!w->hashing)
    return;
  w->npages = (u32)(align_up(w->limit, PAGE) / PAGE);
  w->partial = ARENA_ARRAY(&l->arena, u8 *, w->npages);
  w->done = ARENA_ARRAY(&l->arena, u8, w->npages);
  w->hash = ARENA_ARRAY(&l->arena, Hash128, w->npages);
  if (!sign)
    return;
  w->sign = macho_signature_of(w->m);
  w->signature = arena_alloc(&l->arena, w->m->sign_size, 16);
  macho_signature_begin(&w->sign, w->signature);
}

/* The UUID of what was hashed so far, put into its place. */
static void write_uuid(Writer *w) {
  u8 id[MACHO_UUID_SIZE];
  Hash128 h = w->signature ? hash128_bytes(w->signature, w->m->sign_size) : hash128_bytes(w->hash, w->npages * sizeof *w->hash);
  memcpy(id, &h, sizeof id);
  macho_uuid(id);
  outfile_write(w->file, id, sizeof id, w->uuid);
  for (u64 i = 0; i < sizeof id; i++)
    w->partial[(w->uuid + i) / PAGE][(w->uuid + i) % PAGE] = id[i];
  for (u64 page = w->uuid / PAGE; w->signature && page <= (w->uuid + sizeof id - 1) / PAGE; page++)
    hash_page(w, page, w->partial[page]);
}

static void finish(Writer *w) {
  const Link *l = w->m->l;
  if (!w->hashing)
    return;
  pool_run(l->pool, w->npages, 64, hash_rest, w);
  if (w->uuid)
    write_uuid(w);
  if (w->signature)
    outfile_write(w->file, w->signature, w->m->sign_size, w->m->sign_off);
  for (u32 i = 0; i < w->npages; i++)
    free(w->partial[i]);
}

static bool write_file(Writer *w) {
  Link *l = w->m->l;
  const Sink sink = {.ctx = w, .begin = begin_task, .put = put, .put_aside = put_aside, .end = end_task, .take_turn = take_turn, .write = write_bytes, .end_turn = end_turn};
  if (l->opt->watch)
    watch_temp(l->opt->watch, outfile_temp(w->file));
  init_writer(w);
  plan_run(w->plan, &sink);
  finish(w);
  bool ok = !diag_errors(l->diag);
  if (l->opt->watch)
    watch_temp(l->opt->watch, NULL);
  if (ok)
    return outfile_commit(w->file);
  outfile_abort(w->file);
  return false;
}

bool macho_write(MachoImage *m) {
  Link *l = m->l;
  u64 size;
  const u8 *header = make_header(m, &size);
  Plan plan;
  make_plan(m, header, size, &plan);
  Writer w = {.m = m, .plan = &plan, .uuid = find_uuid(header, size)};
  if (!diag_errors(l->diag))
    w.file = outfile_create(l->diag, l->opt->output, m->size, true, l->mem_output);
  bool ok = w.file && write_file(&w);
  plan_free(&plan);
  l->file_size = ok ? m->size : 0;
  return ok;
}
