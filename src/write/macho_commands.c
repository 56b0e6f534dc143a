/* macho_commands.c: the load commands, in the order of Apple's linker (mach-o/loader.h).
 * The trap: they are made twice, before layout for their size alone and at the end for good, so how large they are must
 * not depend on any address. */
#include "write/macho.h"

#include <stdlib.h>

typedef VEC(u8) Buffer;

typedef struct {
  const MachoImage *m;
  Buffer out;
  u32 n;
} Commands;

/* A command of `size` bytes in all, a multiple of 8, zeroed. Valid until the next one is added. */
static u8 *add(Commands *c, u32 cmd, u64 size) {
  size = align_up(size, 8);
  u32 at = c->out.n;
  vec_reserve(&c->out, at + (u32)size);
  c->out.n += (u32)size;
  u8 *p = c->out.at + at;
  memset(p, 0, size);
  wr32(p, cmd);
  wr32(p + 4, (u32)size);
  c->n++;
  return p;
}

#define ADD(c, T, cmd) ((T *)add((c), (cmd), sizeof(T)))

/* A command of `size` bytes and a string behind them. */
static u8 *add_string(Commands *c, u32 cmd, u64 size, const char *s) {
  u8 *p = add(c, cmd, size + strlen(s) + 1);
  memcpy(p + size, s, strlen(s));
  return p;
}

static void add_path(Commands *c, u32 cmd, const char *s) {
  StringCommand *p = (StringCommand *)add_string(c, cmd, sizeof *p, s);
  p->name = sizeof *p;
}

static void add_dylib(Commands *c, u32 cmd, const char *name, u32 timestamp, u32 current, u32 compatibility) {
  DylibCommand *p = (DylibCommand *)add_string(c, cmd, sizeof *p, name);
  p->name = sizeof *p;
  p->timestamp = timestamp;
  p->current_version = current;
  p->compatibility_version = compatibility;
}

/* ---- segments ---- */

/* First entry in the table of indirect symbols of a section of stubs or pointers. */
static u32 first_indirect(const MachoImage *m, const Osec *o) {
  const Link *l = m->l;
  const Binds *b = l->binds;
  const u32 synths[] = {b->stubs.synth, b->got.synth, b->lazy, b->tlv.synth};
  const u32 counts[] = {b->stubs.n, b->got.n, b->stubs.n, b->tlv.n};
  for (u32 i = 0, at = 0; i < COUNT_OF(synths); i++) {
    if (!synths[i])
      continue;
    if (&l->osecs.at[l->atoms.at[l->synths.at[synths[i]].atom.i].osec] == o)
      return at;
    at += counts[i];
  }
  return 0;
}

static void put_section(const MachoImage *m, const MachoSegment *s, const Osec *o, MachSection64 *p) {
  const char *name = macho_section_name(o, NULL);
  memcpy(p->segname, s->name, strnlen(s->name, sizeof p->segname));
  memcpy(p->sectname, name, strnlen(name, sizeof p->sectname));
  p->addr = o->addr;
  p->size = o->size;
  p->offset = o->aflags & ATOM_ZEROFILL ? 0 : (u32)o->off;
  p->align = o->p2align;
  p->flags = o->type | (u32)o->attr;
  switch (o->type) {
  case S_SYMBOL_STUBS:
    p->reserved2 = m->l->arch->stub_size;
    p->reserved1 = first_indirect(m, o);
    break;
  case S_NON_LAZY_SYMBOL_POINTERS:
  case S_LAZY_SYMBOL_POINTERS:
  case S_THREAD_LOCAL_VARIABLE_POINTERS:
    p->reserved1 = first_indirect(m, o);
    break;
  default:
    break;
  }
}

static void add_segments(Commands *c) {
  const MachoImage *m = c->m;
  for (u32 i = 0; i < m->segments.n; i++) {
    const MachoSegment *s = &m->segments.at[i];
    SegmentCommand64 *p = (SegmentCommand64 *)add(c, LC_SEGMENT_64, sizeof *p + s->count * sizeof(MachSection64));
    memcpy(p->segname, s->name, sizeof p->segname);
    p->vmaddr = s->addr;
    p->vmsize = s->size;
    p->fileoff = s->off;
    p->filesize = s->filesz;
    p->maxprot = s->maxprot;
    p->initprot = s->initprot;
    p->nsects = s->count;
    p->flags = s->flags;
    MachSection64 *section = (MachSection64 *)(p + 1);
    for (u32 k = 0; k < s->count; k++)
      put_section(m, s, &m->l->osecs.at[m->l->order[s->first + k]], &section[k]);
  }
}

/* ---- __LINKEDIT ---- */

static void add_part(Commands *c, u32 cmd, u32 part) {
  const MachoPart *x = &c->m->part[part];
  LinkeditDataCommand *p = ADD(c, LinkeditDataCommand, cmd);
  p->dataoff = (u32)x->off;
  p->datasize = (u32)x->bytes.len;
}

/* dyld takes an offset without bytes for a mistake. */
static void set_part(const MachoImage *m, u32 part, u32 *off, u32 *size) {
  *size = (u32)m->part[part].bytes.len;
  *off = *size ? (u32)m->part[part].off : 0;
}

static void add_dyld_info(Commands *c) {
  if (c->m->l->opt->darwin.chained_fixups) {
    add_part(c, LC_DYLD_CHAINED_FIXUPS, PART_FIXUPS);
    add_part(c, LC_DYLD_EXPORTS_TRIE, PART_EXPORTS);
    return;
  }
  DyldInfoCommand *p = ADD(c, DyldInfoCommand, LC_DYLD_INFO_ONLY);
  u32 v[10];
  static const u32 parts[] = {PART_REBASE, PART_BIND, PART_WEAK_BIND, PART_LAZY_BIND, PART_EXPORTS};
  for (u32 i = 0; i < COUNT_OF(parts); i++)
    set_part(c->m, parts[i], &v[2 * i], &v[2 * i + 1]);
  memcpy((u8 *)p + sizeof(LoadCommand), v, sizeof v);
}

static void add_symtab(Commands *c) {
  const MachoImage *m = c->m;
  SymtabCommand *s = ADD(c, SymtabCommand, LC_SYMTAB);
  s->symoff = (u32)m->part[PART_SYMBOLS].off;
  s->nsyms = m->nlocal + m->nexternal + m->nundefined;
  s->stroff = (u32)m->part[PART_STRINGS].off;
  s->strsize = (u32)m->part[PART_STRINGS].bytes.len;
  DysymtabCommand *d = ADD(c, DysymtabCommand, LC_DYSYMTAB);
  d->nlocalsym = m->nlocal;
  d->iextdefsym = m->nlocal;
  d->nextdefsym = m->nexternal;
  d->iundefsym = m->nlocal + m->nexternal;
  d->nundefsym = m->nundefined;
  d->nindirectsyms = (u32)(m->part[PART_INDIRECT].bytes.len / 4);
  d->indirectsymoff = d->nindirectsyms ? (u32)m->part[PART_INDIRECT].off : 0;
}

/* ---- for whom, and who ---- */

static void add_version(Commands *c) {
  const DarwinOptions *d = &c->m->l->opt->darwin;
  static const struct {
    u32 platform, command, since; /* X.Y as 16 and 8 bits: from there on LC_BUILD_VERSION */
  } old[] = {{PLATFORM_MACOS, LC_VERSION_MIN_MACOSX, 10 << 16 | 14 << 8},
             {PLATFORM_IOS, LC_VERSION_MIN_IPHONEOS, 12 << 16},
             {PLATFORM_IOSSIMULATOR, LC_VERSION_MIN_IPHONEOS, 13 << 16},
             {PLATFORM_TVOS, LC_VERSION_MIN_TVOS, 12 << 16},
             {PLATFORM_TVOSSIMULATOR, LC_VERSION_MIN_TVOS, 13 << 16},
             {PLATFORM_WATCHOS, LC_VERSION_MIN_WATCHOS, 5 << 16},
             {PLATFORM_WATCHOSSIMULATOR, LC_VERSION_MIN_WATCHOS, 6 << 16}};
  for (u32 i = 0; i < COUNT_OF(old); i++)
    if (d->platform == old[i].platform && d->min_version < old[i].since) {
      VersionMinCommand *v = ADD(c, VersionMinCommand, old[i].command);
      v->version = d->min_version;
      v->sdk = d->sdk_version;
      return;
    }
  BuildVersionCommand *b = (BuildVersionCommand *)add(c, LC_BUILD_VERSION, sizeof *b + sizeof(BuildToolVersion));
  b->platform = d->platform;
  b->minos = d->min_version;
  b->sdk = d->sdk_version;
  b->ntools = 1;
  BuildToolVersion *t = (BuildToolVersion *)(b + 1);
  t->tool = TOOL_LD;
  t->version = 0;
}

static void add_identity(Commands *c) {
  const MachoImage *m = c->m;
  const Options *o = m->l->opt;
  if (!o->darwin.no_uuid)
    add(c, LC_UUID, sizeof(UuidCommand)); /* the bytes come last */
  add_version(c);
  ADD(c, SourceVersionCommand, LC_SOURCE_VERSION);
  if (m->filetype != MH_EXECUTE)
    return;
  EntryPointCommand *p = ADD(c, EntryPointCommand, LC_MAIN);
  p->entryoff = m->entry ? m->entry - m->base : 0;
  p->stacksize = o->has_stack_size ? o->z_stack_size : 0;
}

static void add_own_name(Commands *c) {
  const MachoImage *m = c->m;
  const Options *o = m->l->opt;
  const DarwinOptions *d = &o->darwin;
  if (m->filetype == MH_EXECUTE) {
    add_path(c, LC_LOAD_DYLINKER, "/usr/lib/dyld");
    return;
  }
  if (m->filetype != MH_DYLIB)
    return;
  const char *name = o->soname ? o->soname : d->final_output ? d->final_output : o->output;
  add_dylib(c, LC_ID_DYLIB, name, 1, d->current_version, d->compatibility_version);
}

static void add_relations(Commands *c) {
  const Options *o = c->m->l->opt;
  const DarwinOptions *d = &o->darwin;
  if (d->umbrella)
    add_path(c, LC_SUB_FRAMEWORK, d->umbrella);
  for (u32 i = 0; i < d->sub_umbrellas.n; i++)
    add_path(c, LC_SUB_UMBRELLA, d->sub_umbrellas.at[i]);
  for (u32 i = 0; i < d->sub_libraries.n; i++)
    add_path(c, LC_SUB_LIBRARY, d->sub_libraries.at[i]);
  for (u32 i = 0; i < d->allowable_clients.n; i++)
    add_path(c, LC_SUB_CLIENT, d->allowable_clients.at[i]);
  for (u32 i = 0; i < d->dyld_env.n; i++)
    add_path(c, LC_DYLD_ENVIRONMENT, d->dyld_env.at[i]);
  for (u32 i = 0; i < o->rpath.n; i++)
    add_path(c, LC_RPATH, o->rpath.at[i]);
}

u64 macho_commands(const MachoImage *m, u8 *out, u32 *n) {
  Commands c = {.m = m};
  const DarwinOptions *d = &m->l->opt->darwin;
  add_segments(&c);
  add_dyld_info(&c);
  add_symtab(&c);
  add_own_name(&c);
  add_identity(&c);
  add_relations(&c);
  for (u32 i = 0; i < m->nlibraries; i++) {
    const MachoLoad *x = &m->libraries[i];
    add_dylib(&c, x->command, x->name, 2, x->current_version, x->compatibility_version);
  }
  if (!d->no_function_starts)
    add_part(&c, LC_FUNCTION_STARTS, PART_FUNCTIONS);
  if (!d->no_data_in_code)
    add_part(&c, LC_DATA_IN_CODE, PART_DATA_IN_CODE);
  if (d->adhoc_sign) {
    LinkeditDataCommand *p = ADD(&c, LinkeditDataCommand, LC_CODE_SIGNATURE);
    p->dataoff = (u32)m->sign_off;
    p->datasize = (u32)m->sign_size;
  }
  u64 size = c.out.n;
  if (out)
    memcpy(out, c.out.at, size);
  *n = c.n;
  vec_free(&c.out);
  return size;
}
