/* go_macho.c: see go_macho.h. Two segments: __TEXT with the headers, code and what is only read, __DATA with the rest.
 * The trap: sizes are not rounded to pages, and an empty section that nothing with bytes follows is zero fill; images are
 * compared byte for byte with those that Go's linker made. Nothing here was run on macOS. */
#include "write/go_macho.h"

#include <stdlib.h>

#include "core/resolve.h"
#include "format/macho.h"
#include "util/outfile.h"
#include "util/watch.h"
#include "write/compose.h"

enum {
  X86_THREAD_STATE64 = 4, /* mach/i386/thread_status.h */
  X86_THREAD_STATE64_COUNT = 42,
  RIP = 16, /* which of its 64-bit registers is the program counter */
  THREAD_SIZE = 16 + X86_THREAD_STATE64_COUNT * 4,
};
static const u64 MAX_OUTPUT = UINT32_MAX; /* offsets of sections have 32 bits */

/* ---- headers ---- */

u64 go_macho_header_size(const GoMachImage *m) {
  u64 n = sizeof(MachHeader64) + sizeof(SegmentCommand64) + THREAD_SIZE;
  for (u32 i = 0; i < m->nsegments; i++)
    n += sizeof(SegmentCommand64) + m->segments[i].nsections * sizeof(MachSection64);
  return n;
}

static void put_name(char out[16], const char *name) { memcpy(out, name, strnlen(name, 16)); }

static u8 *put_segment(u8 *out, const GoMachSegment *s) {
  SegmentCommand64 c = {.cmd = LC_SEGMENT_64,
                        .vmaddr = s->addr,
                        .vmsize = s->size,
                        .fileoff = s->offset,
                        .filesize = s->filesize,
                        .maxprot = s->maxprot,
                        .initprot = s->initprot,
                        .nsects = s->nsections};
  c.cmdsize = (u32)(sizeof c + s->nsections * sizeof(MachSection64));
  put_name(c.segname, s->name);
  memcpy(out, &c, sizeof c);
  out += sizeof c;
  for (u32 i = 0; i < s->nsections; i++) {
    const GoMachSection *x = &s->sections[i];
    MachSection64 h = {.addr = x->addr, .size = x->size, .offset = x->offset, .align = x->p2align, .flags = x->flags};
    put_name(h.sectname, x->name);
    put_name(h.segname, s->name);
    memcpy(out, &h, sizeof h);
    out += sizeof h;
  }
  return out;
}

void go_macho_header(const GoMachImage *m, u8 *out) {
  const GoMachSegment zero = {.name = "__PAGEZERO", .size = m->page_zero};
  const MachHeader64 h = {.magic = MH_MAGIC_64,
                          .cputype = CPU_TYPE_X86_64,
                          .cpusubtype = CPU_SUBTYPE_X86_64_ALL,
                          .filetype = MH_EXECUTE,
                          .ncmds = m->nsegments + 2,
                          .sizeofcmds = (u32)(go_macho_header_size(m) - sizeof h),
                          .flags = MH_NOUNDEFS};
  memcpy(out, &h, sizeof h);
  out = put_segment(out + sizeof h, &zero);
  for (u32 i = 0; i < m->nsegments; i++)
    out = put_segment(out, &m->segments[i]);
  memset(out, 0, THREAD_SIZE);
  wr32(out, LC_UNIXTHREAD);
  wr32(out + 4, THREAD_SIZE);
  wr32(out + 8, X86_THREAD_STATE64);
  wr32(out + 12, X86_THREAD_STATE64_COUNT);
  wr64(out + 16 + 8 * RIP, m->entry);
}

/* ---- segments ---- */

enum { TEXT, DATA }; /* Segment.type */

void go_macho_output_section(const Link *l, Osec *o) { (void)l, (void)o; }

/* The first linker's one section can be written and executed, and is in __TEXT all the same. */
static u32 segment_of(const Osec *o) { return o->aflags & ATOM_WRITE && !(o->aflags & ATOM_EXEC) ? DATA : TEXT; }

static void cover(Segment *s, u32 at, const Osec *o) {
  s->first = MIN(s->first, at);
  s->last = at;
  s->memsz = MAX(s->memsz, o->addr + o->size - s->addr);
  if (o->filesz)
    s->filesz = o->off + o->filesz - s->off;
}

static void build(Link *l) {
  l->segments.n = 0;
  Segment *s = vec_push(&l->segments);
  *s =
      (Segment){.type = TEXT, .first = UINT32_MAX, .addr = l->opt->image_base, .filesz = l->header_size, .memsz = l->header_size};
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (!o->placed || !(o->aflags & ATOM_ALLOC))
      continue;
    if (segment_of(o) != s->type) {
      s = vec_push(&l->segments);
      *s = (Segment){.type = segment_of(o), .first = UINT32_MAX, .addr = o->addr, .off = o->off};
    }
    cover(s, i, o);
  }
}

u64 go_macho_plan_segments(Link *l) {
  build(l);
  return l->header_size; /* a page at least, and there are ten sections at most */
}

void go_macho_finish_segments(Link *l) { build(l); }

void go_macho_finish_first(Link *l) {
  build(l);
  for (u32 i = 0; i < l->segments.n; i++)
    l->segments.at[i].memsz += l->segments.at[i].addr + (i ? 0 : l->header_size);
}

/* ---- the file ---- */

static GoMachSegment make_segment(Link *l, const Segment *s) {
  GoMachSegment out = {.name = s->type == TEXT ? "__TEXT" : "__DATA", .addr = s->addr, .size = s->memsz, .filesize = s->filesz};
  out.offset = s->filesz ? s->off : 0; /* where the file may have ended already */
  out.maxprot = VM_PROT_READ | VM_PROT_WRITE | (s->type == TEXT ? VM_PROT_EXECUTE : 0);
  out.initprot = VM_PROT_READ | (s->type == TEXT ? VM_PROT_EXECUTE : VM_PROT_WRITE);
  GoMachSection *x = ARENA_ARRAY(&l->arena, GoMachSection, l->norder);
  out.sections = x;
  for (u32 i = s->first; i <= s->last && i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (!o->placed || !(o->aflags & ATOM_ALLOC))
      continue;
    bool in_file = o->addr - s->addr < s->filesz;
    x[out.nsections++] =
        (GoMachSection){.name = arena_printf(&l->arena, "__%s", o->name + 1),
                        .addr = o->addr,
                        .size = o->size,
                        .offset = in_file ? (u32)o->off : 0,
                        .p2align = o->p2align,
                        .flags = (in_file ? 0 : S_ZEROFILL) | (streq(o->name, ".text") ? S_ATTR_SOME_INSTRUCTIONS : 0)};
  }
  return out;
}

static bool make_header(Link *l, Plan *plan) {
  GoMachSegment *segments = ARENA_ARRAY(&l->arena, GoMachSegment, l->segments.n);
  for (u32 i = 0; i < l->segments.n; i++)
    segments[i] = make_segment(l, &l->segments.at[i]);
  GoMachImage m = {.page_zero = l->opt->image_base, .segments = segments, .nsegments = l->segments.n};
  m.entry = l->syms.value[sym_find(l, l->entry_name, strlen(l->entry_name)).i];
  u64 size = go_macho_header_size(&m);
  if (size > l->header_size) {
    diag_error(l->diag, "internal", "%llu bytes of load commands do not fit into %llu", (unsigned long long)size,
               (unsigned long long)l->header_size);
    return false;
  }
  u8 *header = arena_alloc(&l->arena, size, 8);
  go_macho_header(&m, header);
  plan_add_bytes(plan, 0, header, size, 0);
  return true;
}

static void begin_task(void *ctx, unsigned tid, u32 task) { (void)ctx, (void)tid, (void)task; }
static void end_task(void *ctx, unsigned tid, u32 task) { (void)ctx, (void)tid, (void)task; }
static void put(void *ctx, unsigned tid, u32 task, const u8 *p, u64 len, bool whole) {
  (void)ctx, (void)tid, (void)task, (void)p, (void)len, (void)whole;
}
static void put_aside(void *ctx, unsigned tid, u32 task, const u8 *p, u64 len) {
  (void)ctx, (void)tid, (void)task, (void)p, (void)len;
}
static bool take_turn(void *ctx, bool wait) { return outfile_take_turn(ctx, wait); }
static void end_turn(void *ctx) { outfile_end_turn(ctx); }
static void write_bytes(void *ctx, const u8 *p, u64 len, u64 off) { outfile_write(ctx, p, len, off); }

static bool compose(Link *l, const Plan *plan, u64 size) {
  OutFile *f = outfile_create(l->diag, l->opt->output, size, true, l->mem_output);
  if (!f)
    return false;
  if (l->opt->watch)
    watch_temp(l->opt->watch, outfile_temp(f));
  const Sink sink = {.ctx = f,
                     .begin = begin_task,
                     .put = put,
                     .put_aside = put_aside,
                     .end = end_task,
                     .take_turn = take_turn,
                     .write = write_bytes,
                     .end_turn = end_turn};
  plan_run(plan, &sink);
  if (l->opt->watch)
    watch_temp(l->opt->watch, NULL);
  if (!diag_errors(l->diag))
    return outfile_commit(f);
  outfile_abort(f);
  return false;
}

bool go_macho_write(Link *l) {
  Plan plan;
  u64 size = 0;
  plan_init(&plan, l, 0);
  bool ok = make_header(l, &plan);
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (!o->placed || !o->filesz)
      continue;
    plan_add_osec(&plan, l->order[i], o->off);
    size = MAX(size, o->off + o->filesz);
  }
  if (ok && size > MAX_OUTPUT) {
    diag_error(l->diag, "layout", "the output file would have %llu bytes, more than a Mach-O file can", (unsigned long long)size);
    ok = false;
  }
  plan_seal(&plan);
  ok = ok && !diag_errors(l->diag) && compose(l, &plan, MAX(size, l->header_size));
  plan_free(&plan);
  l->file_size = ok ? MAX(size, l->header_size) : 0;
  return ok;
}
