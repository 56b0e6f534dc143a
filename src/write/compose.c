/* compose.c: copies and relocates ranges of atoms in buffers that stay in the cache. A task covers
 * about COMPOSE_CHUNK bytes of consecutive file content; its pieces are put together in the
 * thread's buffer, each run of atoms is relocated there by one call, and the sink gets the result.
 * The trap: an atom may be larger than the buffer. Without relocations it goes to the sink straight
 * from the input; with them the buffer grows. */
#include "write/compose.h"

#include <stdlib.h>

/* Bytes of one task, unless a single atom or Synth is larger. What fits in a core's own cache
 * beside the input that streams through it. */
enum {
  COMPOSE_CHUNK = 256 << 10,
  COMPOSE_BUFFER = COMPOSE_CHUNK + (64 << 10), /* room for the last atom of a range */
  DATA_CHUNK = COMPOSE_CHUNK / 4, /* of a section with dynamic relocations, which are up to three times as large */
  MAX_GAP = 8 << 10,        /* wider holes in the file are left alone, not written */
  WAITING = 4,              /* buffers that a thread fills before it waits for its turn to write */
  BUFFERS = WAITING + 2,    /* those, and two being filled: in one huge page */
  INLINE_BYTES = 512 << 10, /* less than this is not worth a thread */
  MANY_TASKS = 64,
};

/* ---- the plan ---- */

typedef struct {
  u32 osec, pos, synth; /* atom number `pos` of the section is this Synth */
} Special;

static int special_order(const void *pa, const void *pb) {
  const Special *a = pa, *b = pb;
  if (a->osec != b->osec)
    return a->osec < b->osec ? -1 : 1;
  return a->pos < b->pos ? -1 : a->pos > b->pos;
}

/* First atom of o from `from` on whose address is at least addr. */
static u32 lower_bound(const Link *l, const Osec *o, u32 from, u64 addr) {
  return from + FIRST_NOT(o->natoms - from, i, l->atoms.addr[o->atoms[from + i].i] < addr);
}

/* Place of a Synth's atom among the atoms of its section; natoms when it is not there. */
static u32 synth_position(const Link *l, const Osec *o, u32 atom) {
  u64 addr = l->atoms.addr[atom];
  for (u32 i = lower_bound(l, o, 0, addr); i < o->natoms; i++) {
    if (o->atoms[i].i == atom)
      return i;
    if (l->atoms.addr[o->atoms[i].i] != addr)
      break;
  }
  return o->natoms;
}

void plan_init(Plan *p, Link *l, u64 shard) {
  *p = (Plan){.l = l, .shard = shard, .rela_dyn = UINT64_MAX};
  Special *special = ARENA_ARRAY(&l->arena, Special, l->synths.n);
  for (u32 i = 1; i < l->synths.n; i++) {
    const Synth *s = &l->synths.at[i];
    if (!s->size || (!s->late && s->size <= COMPOSE_CHUNK / 2) || !s->atom.i)
      continue;
    u32 osec = l->atoms.at[s->atom.i].osec;
    if (!osec || osec >= l->osecs.n || !l->osecs.at[osec].placed)
      continue;
    u32 pos = synth_position(l, &l->osecs.at[osec], s->atom.i);
    if (pos < l->osecs.at[osec].natoms)
      special[p->nspecial++] = (Special){osec, pos, i};
  }
  qsort(special, p->nspecial, sizeof *special, special_order);
  p->special = special;
}

void plan_free(Plan *p) {
  vec_free(&p->pieces);
  vec_free(&p->tasks);
}

void plan_add_bytes(Plan *p, u32 osec, const u8 *bytes, u64 len, u64 off) {
  for (u64 done = 0; done < len;) {
    u64 n = MIN(len - done, (u64)COMPOSE_CHUNK);
    *vec_push(&p->pieces) =
        (Piece){.begin = off + done, .end = off + done + n, .bytes = bytes + done, .osec = osec};
    done += n;
  }
}

/* Atoms [first, last) of a section, which cover the addresses [begin, end), in chunks. A hole of
 * zeros needs no piece in a file. */
static void add_run(Plan *p, u32 osec, u32 first, u32 last, u64 begin, u64 end, u64 off) {
  const Link *l = p->l;
  const Osec *o = &l->osecs.at[osec];
  u64 chunk = o->dynrels ? DATA_CHUNK : COMPOSE_CHUNK;
  while (begin < end) {
    u64 upto = chunk < UINT64_MAX - begin ? begin + chunk : UINT64_MAX; /* a kernel may stand at the very end of memory */
    u32 next = MIN(lower_bound(l, o, first, upto), last);
    u64 stop = next < last ? MIN(l->atoms.addr[o->atoms[next].i], end) : end;
    if (next > first || o->aflags & ATOM_EXEC || o->nmarks || p->shard)
      *vec_push(&p->pieces) = (Piece){.begin = off + (begin - o->addr),
                                      .end = off + (stop - o->addr),
                                      .osec = osec,
                                      .first = first,
                                      .last = next,
                                      .addr = begin};
    first = next;
    begin = stop;
  }
}

void plan_add_synth(Plan *p, u32 osec, u32 synth, u64 off) {
  const Synth *s = &p->l->synths.at[synth];
  const SynthPart whole = {0, s->size}, *part = s->parts ? s->parts : &whole, *last = part + (s->parts ? s->nparts : 1);
  if (synth == SYN_RELA_DYN)
    p->rela_dyn = off;
  for (; part < last; part++) {
    u64 step = part->len, end = part->off + part->len;
    if (s->grain)
      step = s->grain >= COMPOSE_CHUNK ? s->grain : COMPOSE_CHUNK / s->grain * s->grain;
    for (u64 at = part->off; at < end; at += step)
      *vec_push(&p->pieces) = (Piece){.begin = off + at,
                                      .end = off + MIN(at + step, end),
                                      .osec = osec,
                                      .synth = synth,
                                      .synth_off = at,
                                      .late = s->late};
  }
}

void plan_add_osec(Plan *p, u32 osec, u64 off) {
  const Link *l = p->l;
  const Osec *o = &l->osecs.at[osec];
  if (o->bytes) {
    plan_add_bytes(p, osec, o->bytes, o->filesz, off);
    return;
  }
  const Special *sp = p->special, *sp_end = sp + p->nspecial;
  while (sp < sp_end && sp->osec != osec)
    sp++;
  u32 at = 0;
  u64 addr = o->addr, end = o->addr + o->filesz;
  for (; sp < sp_end && sp->osec == osec; sp++) {
    u64 begin = l->atoms.addr[o->atoms[sp->pos].i];
    add_run(p, osec, at, sp->pos, addr, begin, off);
    plan_add_synth(p, osec, sp->synth, off + (begin - o->addr));
    at = sp->pos + 1;
    addr = begin + l->synths.at[sp->synth].size;
  }
  add_run(p, osec, at, o->natoms, addr, end, off);
}

static int piece_order(const void *pa, const void *pb) {
  const Piece *a = pa, *b = pb;
  if (a->begin != b->begin)
    return a->begin < b->begin ? -1 : 1;
  return a->end < b->end ? -1 : a->end > b->end;
}

/* May one task write what is between two pieces? Not where .rela.dyn's relative entries stand: other tasks write those. */
static bool spans(const Plan *p, u64 from, u64 to) {
  return to - from <= MAX_GAP && !(p->rela_dyn >= from && p->rela_dyn < to);
}

void plan_seal(Plan *p) {
  bool sorted = true;
  for (u32 i = 1; i < p->pieces.n && sorted; i++)
    sorted = p->pieces.at[i - 1].begin <= p->pieces.at[i].begin;
  if (!sorted)
    qsort(p->pieces.at, p->pieces.n, sizeof(Piece), piece_order);
  for (u32 i = 1; i < p->pieces.n; i++) {
    const Piece *a = &p->pieces.at[i - 1], *b = &p->pieces.at[i];
    if (a->end > b->begin && a->end > a->begin && b->end > b->begin)
      diag_error(p->l->diag, "layout", "output sections %s and %s overlap in the file at 0x%llx",
                 a->osec ? p->l->osecs.at[a->osec].name : "(headers)",
                 b->osec ? p->l->osecs.at[b->osec].name : "(headers)",
                 (unsigned long long)b->begin);
  }
  ComposeTask *open = NULL;
  for (u32 i = 0; i < p->pieces.n; i++) {
    const Piece *x = &p->pieces.at[i];
    if (x->late) {
      open = NULL;
      continue;
    }
    if (open && x->begin >= open->end && spans(p, open->end, x->begin) &&
        x->end - open->begin <= (p->shard ? p->shard : COMPOSE_CHUNK) &&
        !(p->shard && x->osec != p->pieces.at[i - 1].osec)) {
      open->end = x->end;
      open->count++;
      continue;
    }
    open = vec_push(&p->tasks);
    *open = (ComposeTask){x->begin, x->end, i, 1};
  }
  p->ntasks_early = p->tasks.n;
  for (u32 i = 0; i < p->pieces.n; i++)
    if (p->pieces.at[i].late)
      *vec_push(&p->tasks) = (ComposeTask){p->pieces.at[i].begin, p->pieces.at[i].end, i, 1};
}

/* ---- composing ---- */

/* Bytes that were put and wait to be written. */
typedef struct {
  const u8 *p;
  u64 len, off;
  u64 cap; /* of the buffer that they are; 0: they are an input's */
} Done;

/* One thread's buffer and what stands in it. */
typedef struct {
  Link *l;
  const Plan *plan;
  const Sink *sink;
  unsigned tid;
  u32 task;
  u64 task_begin, task_end;
  u8 *buf; /* NULL: none yet */
  u64 cap, used;
  u64 off; /* file offset of buf[0] */
  Done done[WAITING];
  u32 ndone;
  bool large; /* the output is: all buffers will be used */
  u64 usual; /* size of most buffers, and of all spare ones */
  u8 *block; /* these are in it */
  u8 *spare[BUFFERS];
  u32 nspare;
  u8 *big; /* a larger one that is free, or NULL */
  u64 big_cap;
  /* atoms in the buffer that wait for relocation: a stretch of their section's list */
  const Osec *osec;
  const AtomId *run;
  u32 nrun;
  u64 run_off, run_addr;
  bool aside; /* the task has something in .rela.dyn */
} Stage;

typedef struct {
  const Plan *plan;
  const Sink *sink;
  Stage *stages;    /* one for each thread */
  const u32 *order; /* tasks in the order in which they start */
  u32 ntasks;
} Run;

static void free_buffer(Stage *s, u8 *buf, u64 cap) {
  if (cap == s->usual) {
    s->spare[s->nspare++] = buf;
    return;
  }
  if (cap > s->big_cap) { /* large atoms mostly stand together, and fresh memory is dear */
    u8 *p = s->big;
    u64 n = s->big_cap;
    s->big = buf;
    s->big_cap = cap;
    buf = p;
    cap = n;
  }
  pages_free(buf, cap);
}

/* A buffer of at least `size` bytes; *cap: of how many. */
static u8 *new_buffer(Stage *s, u64 size, u64 *cap) {
  *cap = s->usual;
  if (size <= s->usual) {
    if (!s->block) {
      s->block = pages_alloc_sparse(BUFFERS * s->usual);
      if (s->large)
        pages_make_dense(s->block, BUFFERS * s->usual);
      while (s->nspare < BUFFERS)
        free_buffer(s, s->block + s->nspare * s->usual, s->usual);
    }
    if (s->nspare)
      return s->spare[--s->nspare];
  }
  if (size <= s->big_cap) {
    u8 *p = s->big;
    *cap = s->big_cap;
    s->big = NULL;
    s->big_cap = 0;
    return p;
  }
  *cap = align_up(MAX(size, s->usual + 1), 64 << 10);
  return pages_alloc(*cap);
}

/* Writes what waits, if it is this thread's turn. */
static void write_done(Stage *s, bool wait) {
  const Sink *k = s->sink;
  if (!s->ndone || !k->take_turn(k->ctx, wait))
    return;
  for (u32 i = 0; i < s->ndone; i++)
    k->write(k->ctx, s->done[i].p, s->done[i].len, s->done[i].off);
  k->end_turn(k->ctx);
  for (u32 i = 0; i < s->ndone; i++)
    if (s->done[i].cap)
      free_buffer(s, (u8 *)(uintptr_t)s->done[i].p, s->done[i].cap);
  s->ndone = 0;
}

/* `cap`: see Done. */
static void done(Stage *s, const u8 *p, u64 len, u64 off, u64 cap) {
  s->done[s->ndone++] = (Done){p, len, off, cap};
  write_done(s, s->ndone == WAITING);
}

static void put(Stage *s, const u8 *p, u64 len, u64 cap) {
  bool whole = s->off == s->task_begin && len == s->task_end - s->task_begin && !s->aside;
  s->sink->put(s->sink->ctx, s->tid, s->task, p, len, whole);
  if (s->sink->write)
    done(s, p, len, s->off, cap);
  s->off += len;
}

/* The run's relative dynamic relocations, which nobody else makes, go to their place in the file. */
static void put_relatives(Stage *s, const ApplyOut *out, u64 cap) {
  u32 size = s->l->format->dynrel_size;
  u64 len = (out->end_rel - out->first_rel) * size;
  if (s->plan->rela_dyn == UINT64_MAX) { /* the layout discarded it */
    free_buffer(s, out->rel, cap);
    return;
  }
  s->aside = true;
  s->sink->put_aside(s->sink->ctx, s->tid, s->task, out->rel, len);
  done(s, out->rel, len, s->plan->rela_dyn + out->first_rel * size, cap);
}

static void relocate(Stage *s) {
  Link *l = s->l;
  const Osec *o = s->osec;
  ApplyOut out = {.addr = s->run_addr};
  u64 cap = 0;
  if (s->nrun && s->buf) { /* no buffer: only sections of no bytes */
    out.bytes = s->buf + (s->run_off - s->off);
    if (o->dynrels && l->ndynrel_relative) {
      u32 next = (u32)(s->run - o->atoms) + s->nrun;
      out.first_rel = l->atoms.reloff[s->run[0].i];
      out.end_rel = next < o->natoms ? l->atoms.reloff[o->atoms[next].i] : o->reloff_end;
    }
    if (out.end_rel > out.first_rel) {
      u64 len = (out.end_rel - out.first_rel) * l->format->dynrel_size;
      out.rel = new_buffer(s, len, &cap);
      memset(out.rel, 0, len); /* an atom may need fewer than were counted, when the layout discards things */
    }
    l->arch->apply(l, s->run, s->nrun, &out, s->tid);
    if (out.rel)
      put_relatives(s, &out, cap);
  }
  s->nrun = 0;
}

static void flush(Stage *s) {
  relocate(s);
  if (s->used) {
    put(s, s->buf, s->used, s->cap);
    if (s->sink->write) { /* it has the buffer now */
      s->buf = NULL;
      s->cap = 0;
    }
  }
  s->used = 0;
}

/* Room for `size` bytes in one stretch at buf + used. */
static u8 *reserve(Stage *s, u64 size) {
  if (size > s->cap - s->used) {
    flush(s);
    if (size > s->cap) {
      if (s->buf)
        free_buffer(s, s->buf, s->cap);
      s->buf = new_buffer(s, size, &s->cap);
    }
  }
  return s->buf + s->used;
}

/* `byte` from where the buffer ends to file offset `upto`. */
static void fill(Stage *s, u64 upto, u8 byte) {
  u64 at = s->off + s->used;
  while (at < upto) {
    if (s->used == s->cap) {
      flush(s);
      if (!s->buf)
        s->buf = new_buffer(s, s->usual, &s->cap);
    }
    u64 n = MIN(upto - at, s->cap - s->used);
    memset(s->buf + s->used, byte, n);
    s->used += n;
    at += n;
  }
}

/* The same with n bytes again and again, from where the buffer ends. */
static void fill_pattern(Stage *s, u64 upto, const u8 *bytes, u32 n) {
  u64 at = s->off + s->used;
  for (u32 k = 0; at < upto; k = k + 1 < n ? k + 1 : 0, at++) {
    if (s->used == s->cap) {
      flush(s);
      if (!s->buf)
        s->buf = new_buffer(s, s->usual, &s->cap);
    }
    s->buf[s->used++] = bytes[k];
  }
}

/* Where the section has no atom, up to file offset `upto`; `begin` is the offset of its first byte. */
static void fill_gap(Stage *s, const Osec *o, u64 begin, u64 upto, u8 pad) {
  u64 at = s->off + s->used;
  u32 i = FIRST_NOT(o->nmarks, k, o->marks[k].off < at - begin);
  const LayoutMark *now = i ? &o->marks[i - 1] : NULL;
  while (at < upto) {
    bool here = i < o->nmarks && o->marks[i].off == at - begin;
    if (here)
      now = &o->marks[i++];
    u64 end = here ? at + now->len : i < o->nmarks ? MIN(begin + o->marks[i].off, upto) : upto;
    if (here && now->bytes)
      fill_pattern(s, end, now->bytes, (u32)now->len);
    else if (now && now->nfill > 1)
      fill_pattern(s, end, now->fill, now->nfill);
    else
      fill(s, end, now && now->nfill ? now->fill[0] : pad);
    at = end;
  }
}

/* Bytes that need no work, in slices that stay hot between hashing and writing. */
static void pass_through(Stage *s, const u8 *p, u64 len) {
  flush(s);
  for (u64 done = 0; done < len;) {
    u64 n = MIN(len - done, (u64)COMPOSE_CHUNK);
    put(s, p + done, n, 0);
    done += n;
  }
}

static void compose_synth(Stage *s, const Synth *y, u64 off, u64 len) {
  u8 *out = reserve(s, len);
  if (!y->fills || !y->write)
    memset(out, 0, len);
  s->used += len;
  if (y->write)
    y->write(s->l, y, out, off, len);
}

/* The input is read once, so its first lines are always misses: ask for them early. */
static void prefetch_ahead(const Link *l, const AtomId *ids, u32 left) {
  enum { FAR = 12, NEAR = 3 };
  if (left > FAR) {
    PREFETCH(&l->atoms.at[ids[FAR].i]);
    PREFETCH(&l->atoms.addr[ids[FAR].i]);
  }
  if (left > NEAR) {
    const Atom *a = &l->atoms.at[ids[NEAR].i];
    uintptr_t data = (uintptr_t)a->data; /* 0: zero fill */
    u64 size = MIN(a->size, 384);
    for (u64 i = 0; i < size; i += 64)
      PREFETCH((const void *)(data + i));
  }
}

/* Gaps in code trap, but .init and .fini are one function each, put together from pieces that run
 * on into the next (gABI ch. 5, "Initialization and Termination Functions"). */
static u8 padding(const Link *l, const Osec *o) {
  if (!(o->aflags & ATOM_EXEC))
    return 0;
  bool runs_through = streq(o->name, ".init") || streq(o->name, ".fini");
  return (u8)(runs_through && l->arch->fill_through ? l->arch->fill_through : l->arch->fill);
}

static void compose_atoms(Stage *s, const Piece *x) {
  Link *l = s->l;
  const Osec *o = &l->osecs.at[x->osec];
  const AtomId *ids = o->atoms;
  u8 pad = padding(l, o);
  u64 begin = x->begin - (x->addr - o->addr);
  s->osec = o;
  for (u32 i = x->first; i < x->last; i++) {
    prefetch_ahead(l, ids + i, x->last - i);
    u32 id = ids[i].i;
    const Atom *a = &l->atoms.at[id];
    const Synth *y = l->atoms.flags[id] & ATOM_SYNTH ? &l->synths.at[a->aux] : NULL;
    u64 size = y ? y->size : a->size;
    if (!size)
      continue;
    u64 addr = l->atoms.addr[id], at = x->begin + (addr - x->addr);
    if (addr < x->addr || at < s->off + s->used || at > x->end || size > x->end - at) {
      diag_report(l->diag, DIAG_ERROR, "layout", (u64)a->file << 32,
                  "%s: section %s does not fit into its place in %s",
                  file_name(l, (FileId){a->file}),
                  y ? y->name : l->format->atom_name(l, (AtomId){id}), o->name);
      relocate(s); /* the run must not reach over it */
      continue;
    }
    if (LIKELY(!o->nmarks))
      fill(s, at, pad);
    else
      fill_gap(s, o, begin, at, pad);
    if (y) {
      relocate(s); /* its dynamic relocations are made elsewhere */
      compose_synth(s, y, 0, size);
    } else if (!a->data) {
      fill(s, at + size, 0);
    } else if (!a->rel && size > s->usual) {
      pass_through(s, a->data, size);
    } else {
      memcpy(reserve(s, size), a->data, size);
      s->used += size;
      if (a->rel) {
        if (!s->nrun) {
          s->run = ids + i;
          s->run_off = at;
          s->run_addr = addr;
        }
        s->nrun = (u32)(ids + i + 1 - s->run);
      }
    }
  }
  if (LIKELY(!o->nmarks))
    fill(s, x->end, pad);
  else
    fill_gap(s, o, begin, x->end, pad);
  relocate(s);
}

static void compose_task(const Run *r, u32 task, unsigned tid) {
  const ComposeTask *t = &r->plan->tasks.at[task];
  Stage *s = &r->stages[tid];
  s->task = task;
  s->task_begin = s->off = t->begin;
  s->task_end = t->end;
  s->used = 0;
  s->aside = false;
  r->sink->begin(r->sink->ctx, tid, task);
  for (u32 i = 0; i < t->count; i++) {
    const Piece *x = &r->plan->pieces.at[t->first + i];
    fill(s, x->begin, 0);
    if (x->bytes && t->count == 1) {
      pass_through(s, x->bytes, x->end - x->begin);
    } else if (x->bytes) {
      memcpy(reserve(s, x->end - x->begin), x->bytes, x->end - x->begin);
      s->used += x->end - x->begin;
    } else if (x->synth) {
      compose_synth(s, &s->l->synths.at[x->synth], x->synth_off, x->end - x->begin);
    } else {
      compose_atoms(s, x);
    }
  }
  flush(s);
  r->sink->end(r->sink->ctx, tid, task);
}

static void run_tasks(void *ctx, u32 begin, u32 end, unsigned tid) {
  const Run *r = ctx;
  for (u32 i = begin; i < end; i++)
    compose_task(r, r->order[i], tid);
  if (end + pool_threads(r->plan->l->pool) > r->ntasks) /* there is no more to do */
    write_done(&r->stages[tid], true);
}

/* Tasks that can't be split and are much larger than the others go first, lest the last thread be
 * left alone with one; all else in order of the file, which is also order of the input. */
static u32 *start_order(const Plan *p, u32 first, u32 last) {
  u32 *order = ARENA_ARRAY(&p->l->arena, u32, last - first + 1), n = 0;
  for (int small = 0; small < 2; small++)
    for (u32 i = first; i < last; i++) {
      const ComposeTask *t = &p->tasks.at[i];
      if ((t->end - t->begin <= 2 * COMPOSE_CHUNK) == (small == 1))
        order[n++] = i;
    }
  return order;
}

static void run_range(Run *r, u32 first, u32 last) {
  if (first == last)
    return;
  u64 bytes = 0;
  for (u32 i = first; i < last; i++)
    bytes += r->plan->tasks.at[i].end - r->plan->tasks.at[i].begin;
  r->order = start_order(r->plan, first, last);
  u32 n = r->ntasks = last - first;
  pool_run(r->plan->l->pool, n, bytes <= INLINE_BYTES ? n : 1, run_tasks, r);
  for (unsigned i = 0; i < pool_threads(r->plan->l->pool); i++) /* a thread that got no other task */
    write_done(&r->stages[i], true);
}

void plan_run(const Plan *p, const Sink *sink) {
  Link *l = p->l;
  unsigned threads = pool_threads(l->pool);
  Run r = {.plan = p, .sink = sink, .stages = ARENA_ARRAY(&l->arena, Stage, threads)};
  u64 usual = COMPOSE_BUFFER;
  if (p->tasks.n == 1) /* a small output needs a small buffer */
    usual = MIN(usual, align_up(p->tasks.at->end - p->tasks.at->begin, 4 << 10));
  bool large = p->tasks.n > MANY_TASKS;
  for (unsigned i = 0; i < threads; i++)
    r.stages[i] = (Stage){.l = l, .plan = p, .sink = sink, .tid = i, .usual = usual, .large = large};
  run_range(&r, 0, p->ntasks_early);
  if (sink->before_late)
    sink->before_late(sink->ctx);
  run_range(&r, p->ntasks_early, p->tasks.n);
  for (unsigned i = 0; i < threads; i++) {
    Stage *s = &r.stages[i];
    if (s->buf)
      free_buffer(s, s->buf, s->cap);
    pages_free(s->big, s->big_cap);
    if (s->block)
      pages_free(s->block, BUFFERS * usual);
  }
}
