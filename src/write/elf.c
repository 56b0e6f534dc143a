/* elf.c: headers and the file as a whole. Layout has said where everything is; here a plan of the
 * file is made, composed and written in parallel, and the build id put into its place at the end.
 * The trap: e_shnum, e_shstrndx and e_phnum have 16 bits; larger values go into section header 0
 * (gABI ch. 4, "ELF Header"). */
#include "write/elf.h"

#include <stdlib.h>

#include "core/resolve.h"
#include "core/slots.h"
#include "format/elf.h"
#include "util/outfile.h"
#include "util/watch.h"
#include "write/compose.h"
#include "write/elf_build_id.h"
#include "write/elf_encode.h"
#include "write/elf_relocs.h"
#include "write/elf_symtab.h"

/* More than this is a mistake in a script, not an output. */
static const u64 MAX_OUTPUT = (u64)1 << 46;

/* e_machine by CPU. */
static const struct {
  const char *arch;
  u16 machine;
} machines[] = {{"x86_64", EM_X86_64}, {"i386", EM_386}};

/* ---- geometry ---- */

typedef struct {
  Link *l;
  u64 size;
  u64 shoff;  /* 0: no section headers */
  u32 nshdr;  /* with the null one */
  u64 lowest; /* --oformat binary: load address of the file's first byte */
} Image;

static bool has_bytes(const Link *l, const Osec *o) {
  return o->placed && o->filesz && (!l->opt->oformat_binary || o->attr & SHF_ALLOC);
}

static u64 file_offset(const Image *m, const Osec *o) {
  return m->l->opt->oformat_binary ? o->lma - m->lowest : o->off;
}

/* Does a value fit class 32? A negative number does, too, as an address. */
static bool fits32(u64 v) { return v <= UINT32_MAX || v >= (u64)INT32_MIN; }

/* Class 32 has addresses and offsets below 4 GiB. Load addresses wrap: scripts say ADDR() + 0x40000000 for 3 GiB less. */
static bool check_class(const Image *m) {
  const Link *l = m->l;
  bool ok = true;
  if (!elf_is_32(l) || l->opt->oformat_binary)
    return true;
  for (u32 i = 0; i < l->norder && ok; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    u64 last = o->size ? o->size - 1 : 0;
    if (!o->placed)
      continue;
    bool loaded = o->attr & SHF_ALLOC;
    ok = last <= UINT32_MAX && (!loaded || (fits32(o->addr) && (u64)(u32)o->addr + last <= UINT32_MAX));
    if (!ok)
      diag_error(l->diag, "layout", "output section %s at 0x%llx, %llu bytes long, does not fit into the 32-bit addresses of %s", o->name,
                 (unsigned long long)o->addr, (unsigned long long)o->size, l->format->name);
  }
  if (ok && m->size > UINT32_MAX) {
    diag_error(l->diag, "layout", "the output is %llu bytes long: %s has 32-bit offsets", (unsigned long long)m->size, l->format->name);
    ok = false;
  }
  return ok;
}

static bool measure(Image *m) {
  Link *l = m->l;
  const Options *opt = l->opt;
  bool binary = opt->oformat_binary, any = false;
  m->lowest = UINT64_MAX;
  m->nshdr = 1;
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (o->placed)
      m->nshdr = MAX(m->nshdr, o->index + 1);
    if (has_bytes(l, o)) {
      m->lowest = MIN(m->lowest, o->lma);
      any = true;
    }
  }
  if (!any)
    m->lowest = 0;
  m->size = binary ? 0 : MAX(l->header_size, (u64)elf_sizes(l).ehdr);
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    u64 end;
    if (!has_bytes(l, o))
      continue;
    if (__builtin_add_overflow(file_offset(m, o), o->filesz, &end) || end > MAX_OUTPUT) {
      diag_error(l->diag, "layout",
                 "output section %s at 0x%llx, %llu bytes long, makes the output "
                 "file too large",
                 o->name, (unsigned long long)file_offset(m, o), (unsigned long long)o->filesz);
      return false;
    }
    m->size = MAX(m->size, end);
  }
  if (l->relocs) {
    m->nshdr = MAX(m->nshdr, l->relocs->nshdr);
    m->size = MAX(m->size, l->relocs->end);
  }
  if (!binary && !opt->z_nosectionheader) {
    m->shoff = align_up(m->size, l->format->word);
    m->size = m->shoff + (u64)m->nshdr * elf_sizes(l).shdr;
  }
  return check_class(m);
}

/* ---- headers ---- */

static u64 text_address(const Link *l) {
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (o->placed && streq(o->name, ".text"))
      return o->addr;
  }
  return 0;
}

/* GNU ld manual, "Setting the Entry Point": a symbol, else a number, else the start of .text. */
static u64 entry_address(Link *l) {
  const char *name = l->entry_name;
  if (!name || !*name)
    return 0;
  SymId s = sym_find(l, name, strlen(name));
  if (s.i != NO_SYM.i && !(l->syms.flags[s.i] & (SF_UNDEFINED | SF_SHARED | SF_DISCARDED)))
    return l->syms.value[s.i];
  char *end;
  u64 number = strtoull(name, &end, 0);
  if (!*end)
    return number;
  if (l->opt->kind == OUTPUT_SHARED && !l->opt->entry)
    return 0;
  u64 text = l->opt->kind == OUTPUT_SHARED ? 0 : text_address(l);
  diag_warn(l->diag, "entry", "cannot find entry symbol %s; defaulting to 0x%llx",
            diag_name(l->diag, name), (unsigned long long)text);
  return text;
}

/* Index of the section header of the section in which a Synth stands; 0 when it is not placed. */
static u32 synth_section(const Link *l, u32 synth) {
  if (synth >= l->synths.n || !l->synths.at[synth].atom.i)
    return 0;
  u32 osec = l->atoms.at[l->synths.at[synth].atom.i].osec;
  return osec && l->osecs.at[osec].placed ? l->osecs.at[osec].index : 0;
}

/* SHF_GNU_RETAIN is GNU's: others may use the bit. In other outputs it has had its effect. */
static bool keeps_retained(const Link *l) {
  bool any = false;
  for (u32 i = 0; l->relocatable && i < l->norder && !any; i++)
    any = l->osecs.at[l->order[i]].placed && l->osecs.at[l->order[i]].attr & SHF_GNU_RETAIN;
  return any;
}

static void put_ehdr(const Image *m, u8 *out) {
  Link *l = m->l;
  bool gnu = l->has_ifunc || l->has_gnu_symbols || elf_symtab_has_gnu(l) || keeps_retained(l);
  Elf64_Ehdr h = {.e_type = l->relocatable ? ET_REL : l->opt->kind == OUTPUT_EXEC ? ET_EXEC : ET_DYN,
                  .e_entry = l->relocatable ? 0 : entry_address(l),
                  .e_phoff = l->segments.n ? elf_sizes(l).ehdr : 0,
                  .e_shoff = m->shoff,
                  .e_phnum = (u16)MIN(l->segments.n, (u32)PN_XNUM)};
  h.e_ident[EI_OSABI] = gnu ? ELFOSABI_GNU : ELFOSABI_NONE;
  for (u32 i = 0; i < COUNT_OF(machines); i++)
    if (streq(machines[i].arch, l->arch->name))
      h.e_machine = machines[i].machine;
  if (m->shoff) {
    u32 names = synth_section(l, SYN_SHSTRTAB);
    h.e_shnum = m->nshdr < SHN_LORESERVE ? (u16)m->nshdr : 0;
    h.e_shstrndx = names < SHN_LORESERVE ? (u16)names : SHN_XINDEX;
  }
  elf_put_ehdr(l, out, &h);
}

static void put_phdrs(const Link *l, u8 *out) {
  for (u32 i = 0; i < l->segments.n; i++, out += elf_sizes(l).phdr) {
    const Segment *s = &l->segments.at[i];
    Elf64_Phdr p = {.p_type = s->type,
                    .p_flags = s->flags,
                    .p_offset = s->off,
                    .p_vaddr = s->addr,
                    .p_paddr = s->lma,
                    .p_filesz = s->filesz,
                    .p_memsz = s->memsz,
                    .p_align = s->align};
    elf_put_phdr(l, out, &p);
  }
}

static void link_sections(const Link *l, Elf64_Shdr *out) {
  for (u32 i = 1; i < l->synths.n; i++) {
    const Synth *s = &l->synths.at[i];
    u32 at = s->link || s->info || s->info_value ? synth_section(l, i) : 0;
    if (!at)
      continue;
    if (s->link)
      out[at].sh_link = synth_section(l, s->link - 1);
    if (!out[at].sh_link && (s->type == SHT_RELA || s->type == SHT_REL)) /* IRELATIVE ones of static output: no .dynsym */
      out[at].sh_link = synth_section(l, SYN_SYMTAB);
    out[at].sh_info = s->info ? synth_section(l, s->info - 1) : s->info_value;
  }
}

/* SHF_LINK_ORDER: the section that the first atom's companion went to. */
static u32 linked_section(const Link *l, const Osec *o) {
  for (u32 i = 0; i < o->natoms; i++) {
    u32 companion = l->atoms.at[o->atoms[i].i].link;
    u32 osec = companion && companion < l->atoms.n ? l->atoms.at[companion].osec : 0;
    if (osec && l->osecs.at[osec].placed)
      return l->osecs.at[osec].index;
  }
  return 0;
}

/* sh_addr is a multiple of sh_addralign (gABI), but a script may put a section anywhere: then the address says how far it is aligned. */
static u64 addralign(const Osec *o) {
  u64 align = (u64)1 << o->p2align;
  return o->attr & SHF_ALLOC && o->addr & (align - 1) ? o->addr & -o->addr : align;
}

/* All m->nshdr of them, zeroed before. */
static void make_shdrs(const Image *m, Elf64_Shdr *out) {
  const Link *l = m->l;
  u32 names = synth_section(l, SYN_SHSTRTAB);
  if (m->nshdr >= SHN_LORESERVE)
    out[0].sh_size = m->nshdr;
  if (names >= SHN_LORESERVE)
    out[0].sh_link = names;
  if (l->segments.n >= PN_XNUM)
    out[0].sh_info = l->segments.n;
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (!o->placed || !o->index)
      continue;
    Elf64_Shdr *h = &out[o->index];
    *h = (Elf64_Shdr){.sh_name = elf_shstrtab_offset(l, l->order[i]),
                      .sh_type = o->type,
                      .sh_flags = l->relocatable ? o->attr : o->attr & ~(u64)SHF_GROUP,
                      .sh_addr = l->relocatable ? o->lma : o->addr,
                      .sh_offset = o->off,
                      .sh_size = o->size,
                      .sh_addralign = addralign(o),
                      .sh_entsize = o->entsize};
    if (o->attr & SHF_LINK_ORDER)
      h->sh_link = linked_section(l, o);
  }
  link_sections(l, out);
  if (l->relocs)
    elf_relocs_headers(l, out);
}

/* The file's start and end; Plan keeps pointers to them. */
static void add_headers(const Image *m, Plan *plan) {
  Link *l = m->l;
  const ElfSizes z = elf_sizes(l);
  u64 size = z.ehdr + (u64)l->segments.n * z.phdr;
  u8 *head = arena_alloc(&l->arena, size, 8);
  put_ehdr(m, head);
  put_phdrs(l, head + z.ehdr);
  plan_add_bytes(plan, 0, head, size, 0);
  if (!m->shoff)
    return;
  Elf64_Shdr *shdrs = ARENA_ARRAY(&l->arena, Elf64_Shdr, m->nshdr);
  make_shdrs(m, shdrs);
  u64 len = (u64)m->nshdr * z.shdr;
  u8 *table = (u8 *)shdrs;
  if (elf_is_32(l)) {
    table = arena_alloc(&l->arena, len, 8);
    for (u32 i = 0; i < m->nshdr; i++)
      elf_put_shdr(l, table + (u64)i * z.shdr, &shdrs[i]);
  }
  plan_add_bytes(plan, 0, table, len, m->shoff);
}

/* ---- writing ---- */

typedef struct {
  Link *l;
  OutFile *file;
  u32 digest_size;    /* 0: no hash is asked for */
  BuildIdHash **hash; /* one for each thread */
  u8 *digests;        /* one for each task */
  bool *once;         /* by thread: the task's digest is already there */
} Writer;

static void begin_task(void *ctx, unsigned tid, u32 task) {
  (void)task;
  Writer *w = ctx;
  if (w->digest_size) {
    build_id_begin(w->hash[tid]);
    w->once[tid] = false;
  }
}

static void hash_task(void *ctx, unsigned tid, u32 task, const u8 *p, u64 len, bool whole) {
  Writer *w = ctx;
  if (w->digest_size && whole) {
    build_id_once(w->hash[tid], p, len, w->digests + (u64)task * w->digest_size);
    w->once[tid] = true;
  } else if (w->digest_size) {
    build_id_update(w->hash[tid], p, len);
  }
}

static void hash_aside(void *ctx, unsigned tid, u32 task, const u8 *p, u64 len) {
  hash_task(ctx, tid, task, p, len, false);
}

static bool take_turn(void *ctx, bool wait) {
  return outfile_take_turn(((Writer *)ctx)->file, wait);
}

static void end_turn(void *ctx) {
  outfile_end_turn(((Writer *)ctx)->file);
}

static void write_bytes(void *ctx, const u8 *p, u64 len, u64 off) {
  outfile_write(((Writer *)ctx)->file, p, len, off);
}

static void end_task(void *ctx, unsigned tid, u32 task) {
  Writer *w = ctx;
  if (w->digest_size && !w->once[tid])
    build_id_end(w->hash[tid], w->digests + (u64)task * w->digest_size);
}

/* Relocating atoms has put their symbolic dynamic relocations into l->dynrel; what .rela.dyn has of these is late. */
static void before_late(void *ctx) {
  const Writer *w = ctx;
  dynrel_finish(w->l);
}

/* The digest of the digests, in order of the tasks. */
static void write_build_id(const Image *m, Writer *w, u32 ntasks) {
  Link *l = m->l;
  u32 osec;
  u64 offset;
  if (!w->digest_size || !build_id_find(l, &osec, &offset))
    return;
  u8 id[64];
  build_id_once(w->hash[0], w->digests, (u64)ntasks * w->digest_size, id);
  outfile_write(w->file, id, w->digest_size, file_offset(m, &l->osecs.at[osec]) + offset);
}

static void init_writer(Link *l, Writer *w, u32 ntasks) {
  unsigned threads = pool_threads(l->pool);
  u32 osec;
  u64 offset;
  w->digest_size = build_id_find(l, &osec, &offset) ? build_id_digest_size(l) : 0;
  if (!w->digest_size)
    return;
  w->digests = arena_alloc(&l->arena, (u64)ntasks * w->digest_size, 8);
  w->once = ARENA_ARRAY(&l->arena, bool, threads);
  w->hash = ARENA_ARRAY(&l->arena, BuildIdHash *, threads);
  for (unsigned i = 0; i < threads; i++)
    w->hash[i] = build_id_hash_create(l);
}

static void make_plan(const Image *m, Plan *plan) {
  Link *l = m->l;
  plan_init(plan, l, 0);
  if (!l->opt->oformat_binary)
    add_headers(m, plan);
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (has_bytes(l, o))
      plan_add_osec(plan, l->order[i], file_offset(m, o));
  }
  if (l->relocs)
    elf_relocs_plan(l, plan);
  plan_seal(plan);
}

/* Errors of relocation come while composing: then there is no output, unless it was asked for. */
static bool may_commit(const Link *l) {
  return !diag_errors(l->diag) || l->opt->noinhibit_exec;
}

bool elf_write(Link *l) {
  elf_compress_debug(l);
  elf_symtab_finish(l);
  if (l->relocs)
    elf_relocs_place(l);
  Image m = {.l = l};
  if (!measure(&m))
    return false;
  Plan plan;
  make_plan(&m, &plan);
  Writer w = {.l = l};
  if (may_commit(l))
    w.file = outfile_create(l->diag, l->opt->output, m.size, !l->relocatable, l->mem_output);
  bool ok = w.file;
  if (ok) {
    if (l->opt->watch)
      watch_temp(l->opt->watch, outfile_temp(w.file));
    init_writer(l, &w, plan.tasks.n);
    Sink sink = {.ctx = &w,
                 .begin = begin_task,
                 .put = hash_task,
                 .put_aside = hash_aside,
                 .end = end_task,
                 .take_turn = take_turn,
                 .write = write_bytes,
                 .end_turn = end_turn,
                 .before_late = before_late};
    plan_run(&plan, &sink);
    write_build_id(&m, &w, plan.tasks.n);
    ok = may_commit(l);
    if (l->opt->watch)
      watch_temp(l->opt->watch, NULL);
    if (ok)
      ok = outfile_commit(w.file);
    else
      outfile_abort(w.file);
  }
  plan_free(&plan);
  l->file_size = ok ? m.size : 0;
  return ok;
}
