/* macho.c: opens relocatable Mach-O objects (Apple, "Mach-O File Format Reference"): header, load commands, sections, symbol
 * table. Everything that the rest of the reader believes is checked here, but for relocations and the contents of sections, which
 * are looked at only for files that are in the link.
 * The trap: sections and segments have names of up to 16 letters without a NUL; archive members stand at any address. */
#include <stdarg.h>
#include <stdio.h>

#include "read/macho_internal.h"
#include "read/macho_shared.h"

bool macho_bad(Link *l, FileId f, u64 off, const char *fmt, ...) {
  char text[512];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  diag_report(l->diag, DIAG_ERROR, "malformed-input", (u64)f.i << 32 | (off & 0xffffffff), "%s: offset 0x%llx: %s", file_name(l, f),
              (unsigned long long)off, text);
  return false;
}

bool macho_is_zerofill(u32 type) { return type == S_ZEROFILL || type == S_GB_ZEROFILL || type == S_THREAD_LOCAL_ZEROFILL; }

static MachoUse use_of(const MachoSection *s) {
  if (streq(s->segname, "__LD") && streq(s->sectname, "__compact_unwind"))
    return MACHO_UNWIND;
  if (streq(s->segname, "__TEXT") && streq(s->sectname, "__eh_frame"))
    return MACHO_EH_FRAME;
  if (streq(s->name, "__DATA,__llvm_addrsig"))
    return MACHO_DROPPED;
  return s->attr & S_ATTR_DEBUG || streq(s->segname, "__DWARF") || streq(s->segname, "__LLVM") ? MACHO_DROPPED : MACHO_ATOMS;
}

/* ---- load commands ---- */

/* What is collected while the load commands are walked over. */
typedef struct {
  Link *l;
  FileId f;
  Arena *arena;
  Bytes data;
  MachoObject *o;
  VEC(MachoLinkerOption) options;
  VEC(MachoPlatform) platforms;
  bool symtab;
  const LinkeditDataCommand *data_in_code;
} Opener;

static bool bad_at(const Opener *p, const void *at, const char *fact) {
  return macho_bad(p->l, p->f, (u64)((const u8 *)at - p->data.p), "%s", fact);
}

/* A field of 16 letters; those that compilers write most are not copied. */
static const char *fixed_name(Arena *a, const char field[16]) {
  static const char *const usual[] = {"__TEXT", "__DATA", "__DWARF", "__LD", "__text", "__cstring", "__const", "__data", "__bss", "__compact_unwind", "__eh_frame"};
  u64 n = strnlen(field, 16);
  for (u32 i = 0; i < COUNT_OF(usual); i++)
    if (strlen(usual[i]) == n && !memcmp(usual[i], field, n))
      return usual[i];
  return arena_strndup(a, field, n);
}

/* The names of sections of the usual kinds, without an allocation each. */
static const char *full_name(Arena *a, const char *segname, const char *sectname) {
  static const char *const usual[] = {"__TEXT,__text", "__TEXT,__cstring", "__TEXT,__const", "__DATA,__data", "__DATA,__const", "__DATA,__bss",
                                      "__LD,__compact_unwind", "__TEXT,__eh_frame"};
  u64 n = strlen(segname);
  for (u32 i = 0; i < COUNT_OF(usual); i++)
    if (!strncmp(usual[i], segname, n) && usual[i][n] == ',' && streq(usual[i] + n + 1, sectname))
      return usual[i];
  return arena_printf(a, "%s,%s", segname, sectname);
}

static bool add_section(Opener *p, const MachSection64 *h) {
  MachoObject *o = p->o;
  MachoSection *s = &o->sections[o->nsections];
  Bytes b;
  *s = (MachoSection){.segname = fixed_name(p->arena, h->segname), .sectname = fixed_name(p->arena, h->sectname), .type = h->flags & SECTION_TYPE,
                      .attr = h->flags & SECTION_ATTRIBUTES, .addr = h->addr, .size = h->size, .reloff = h->reloff, .nrelocs = h->nreloc, .reserved1 = h->reserved1};
  s->name = full_name(p->arena, s->segname, s->sectname);
  if (h->align > 31)
    return macho_bad(p->l, p->f, (u64)((const u8 *)h - p->data.p), "section %s has an alignment of 2^%u", s->name, h->align);
  /* Compilers declare descriptors of thread-local variables without an alignment, but they hold pointers. */
  s->p2align = (u8)(s->type == S_THREAD_LOCAL_VARIABLES ? MAX(h->align, 3) : h->align);
  if (h->size > UINT64_MAX - h->addr)
    return macho_bad(p->l, p->f, (u64)((const u8 *)h - p->data.p), "section %s runs past the end of the address space", s->name);
  if (!macho_is_zerofill(s->type) && !bytes_slice(p->data, h->offset, h->size, &s->data))
    return macho_bad(p->l, p->f, h->offset, "section %s (%llu bytes) runs past the end of the file", s->name, (unsigned long long)h->size);
  if (!bytes_array(p->data, h->nreloc ? h->reloff : 0, h->nreloc, sizeof(RelocationInfo), &b))
    return macho_bad(p->l, p->f, h->reloff, "relocations of section %s run past the end of the file", s->name);
  s->relocs = (const RelocationInfo *)b.p;
  MachoUse use = use_of(s);
  s->use = (u8)use;
  if (use == MACHO_UNWIND)
    o->compact_unwind = o->nsections;
  else if (use == MACHO_EH_FRAME)
    o->eh_frame = o->nsections;
  else if (use == MACHO_DROPPED && streq(s->segname, "__DWARF"))
    o->has_debug_info = true;
  else if (streq(s->name, "__DATA,__objc_imageinfo"))
    o->objc_imageinfo = o->nsections;
  else if (streq(s->name, "__DATA,__llvm_addrsig"))
    o->addrsig = o->nsections;
  else if (streq(s->name, "__LLVM,__cg_profile"))
    o->call_graph = o->nsections;
  o->nsections++;
  return true;
}

static bool add_segment(Opener *p, const u8 *cmd, u32 size) {
  const SegmentCommand64 *seg = (const SegmentCommand64 *)cmd;
  Bytes table;
  if (size < sizeof *seg || !bytes_array((Bytes){cmd, size}, sizeof *seg, seg->nsects, sizeof(MachSection64), &table))
    return bad_at(p, cmd, "LC_SEGMENT_64 is too small for its sections");
  if (seg->nsects > MAX_SECT - (p->o->nsections - 1))
    return bad_at(p, cmd, "more than 255 sections: symbols could not name them");
  const MachoSection *old = p->o->sections; /* of another segment: an object has one */
  p->o->sections = ARENA_ARRAY(p->arena, MachoSection, p->o->nsections + seg->nsects);
  if (p->o->nsections > 1)
    memcpy(p->o->sections, old, p->o->nsections * sizeof *old);
  for (u32 i = 0; i < seg->nsects; i++)
    if (!add_section(p, (const MachSection64 *)table.p + i))
      return false;
  return true;
}

static bool add_symtab(Opener *p, const u8 *cmd, u32 size) {
  const SymtabCommand *s = (const SymtabCommand *)cmd;
  MachoObject *o = p->o;
  Bytes b;
  if (size < sizeof *s)
    return bad_at(p, cmd, "LC_SYMTAB is too small");
  if (p->symtab)
    return bad_at(p, cmd, "a second LC_SYMTAB");
  if (!bytes_array(p->data, s->nsyms ? s->symoff : 0, s->nsyms, sizeof(Nlist64), &b))
    return macho_bad(p->l, p->f, s->symoff, "symbol table (%u entries) runs past the end of the file", s->nsyms);
  if (!bytes_slice(p->data, s->strsize ? s->stroff : 0, s->strsize, &o->strtab))
    return macho_bad(p->l, p->f, s->stroff, "string table (%u bytes) runs past the end of the file", s->strsize);
  while (o->strtab.len && o->strtab.p[o->strtab.len - 1]) /* every name that begins in it ends in it */
    o->strtab.len--;
  o->nlists = (const Nlist64 *)b.p;
  o->nnlists = s->nsyms;
  p->symtab = true;
  return true;
}

static bool add_indirect(Opener *p, const u8 *cmd, u32 size) {
  const DysymtabCommand *d = (const DysymtabCommand *)cmd;
  Bytes b;
  if (size < sizeof *d)
    return bad_at(p, cmd, "LC_DYSYMTAB is too small");
  if (!bytes_array(p->data, d->nindirectsyms ? d->indirectsymoff : 0, d->nindirectsyms, 4, &b))
    return macho_bad(p->l, p->f, d->indirectsymoff, "indirect symbol table runs past the end of the file");
  p->o->indirect = b.p;
  p->o->nindirect = d->nindirectsyms;
  return true;
}

static bool add_option(Opener *p, const u8 *cmd, u32 size) {
  Bytes text;
  if (!bytes_slice((Bytes){cmd, size}, sizeof(LinkerOptionCommand), size - MIN(size, (u32)sizeof(LinkerOptionCommand)), &text))
    return bad_at(p, cmd, "LC_LINKER_OPTION is too small");
  u32 count = ((const LinkerOptionCommand *)cmd)->count;
  if (count > text.len)
    return bad_at(p, cmd, "LC_LINKER_OPTION has more strings than bytes");
  const char **args = ARENA_ARRAY(p->arena, const char *, count + 1ull);
  u64 at = 0;
  for (u32 i = 0; i < count; i++) {
    if (!(args[i] = bytes_cstr(text, at)))
      return bad_at(p, cmd, "a string of LC_LINKER_OPTION does not end with a NUL byte");
    at += strlen(args[i]) + 1;
  }
  *vec_push(&p->options) = (MachoLinkerOption){args, count};
  return true;
}

static bool add_platform(Opener *p, const u8 *cmd, u32 size, u32 platform) {
  const BuildVersionCommand *b = (const BuildVersionCommand *)cmd;
  const VersionMinCommand *v = (const VersionMinCommand *)cmd;
  if (size < (platform ? sizeof *v : sizeof *b))
    return bad_at(p, cmd, platform ? "LC_VERSION_MIN_* is too small" : "LC_BUILD_VERSION is too small");
  if (platform)
    *vec_push(&p->platforms) = (MachoPlatform){platform, v->version, v->sdk};
  else
    *vec_push(&p->platforms) = (MachoPlatform){b->platform, b->minos, b->sdk};
  return true;
}

static bool add_command(Opener *p, const u8 *cmd, u32 size) {
  bool x86 = macho_cpu_of(p->l->arch) == CPU_TYPE_X86_64; /* simulators of old had the platform of the device */
  switch (((const LoadCommand *)cmd)->cmd) {
  case LC_SEGMENT_64: return add_segment(p, cmd, size);
  case LC_SEGMENT: return bad_at(p, cmd, "a 32-bit LC_SEGMENT in a 64-bit object");
  case LC_SYMTAB: return add_symtab(p, cmd, size);
  case LC_DYSYMTAB: return add_indirect(p, cmd, size);
  case LC_LINKER_OPTION: return add_option(p, cmd, size);
  case LC_BUILD_VERSION: return add_platform(p, cmd, size, 0);
  case LC_VERSION_MIN_MACOSX: return add_platform(p, cmd, size, PLATFORM_MACOS);
  case LC_VERSION_MIN_IPHONEOS: return add_platform(p, cmd, size, x86 ? PLATFORM_IOSSIMULATOR : PLATFORM_IOS);
  case LC_VERSION_MIN_TVOS: return add_platform(p, cmd, size, x86 ? PLATFORM_TVOSSIMULATOR : PLATFORM_TVOS);
  case LC_VERSION_MIN_WATCHOS: return add_platform(p, cmd, size, x86 ? PLATFORM_WATCHOSSIMULATOR : PLATFORM_WATCHOS);
  case LC_DATA_IN_CODE:
    if (size < sizeof(LinkeditDataCommand))
      return bad_at(p, cmd, "LC_DATA_IN_CODE is too small");
    p->data_in_code = (const LinkeditDataCommand *)cmd;
    return true;
  default: return true; /* hints, notes, versions of tools: nothing that a link must know */
  }
}

static bool walk_commands(Opener *p, const MachHeader64 *h) {
  Bytes cmds, cmd;
  if (!bytes_slice(p->data, sizeof *h, h->sizeofcmds, &cmds))
    return macho_bad(p->l, p->f, offsetof(MachHeader64, sizeofcmds), "load commands (%u bytes) run past the end of the file", h->sizeofcmds);
  u64 at = 0;
  for (u32 i = 0; i < h->ncmds; i++) {
    u32 size = 0;
    if (bytes_slice(cmds, at, sizeof(LoadCommand), &cmd))
      size = ((const LoadCommand *)cmd.p)->cmdsize;
    if (size < sizeof(LoadCommand) || size % 4 || !bytes_slice(cmds, at, size, &cmd))
      return macho_bad(p->l, p->f, sizeof *h + at, "load command %u of %u does not fit into the load commands", i + 1, h->ncmds);
    if (!add_command(p, cmd.p, size))
      return false;
    at += size;
  }
  return true;
}

/* ---- what load commands point at ---- */

static bool read_data_in_code(Opener *p) {
  const LinkeditDataCommand *c = p->data_in_code;
  MachoObject *o = p->o;
  Bytes b;
  if (!c)
    return true;
  if (c->datasize % sizeof(DataInCodeEntry) || !bytes_slice(p->data, c->dataoff, c->datasize, &b))
    return macho_bad(p->l, p->f, c->dataoff, "table of data in code (%u bytes) has no whole number of entries, or runs past the end of the file", c->datasize);
  u64 n = b.len / sizeof(DataInCodeEntry);
  MachoDataInCode *out = ARENA_ARRAY(p->arena, MachoDataInCode, n);
  for (u64 i = 0; i < n; i++) {
    const DataInCodeEntry *e = (const DataInCodeEntry *)b.p + i;
    u64 off = 0;
    u32 atom = 0;
    for (u32 s = 1; s < o->nsections && !atom; s++)
      if (e->offset >= o->sections[s].addr && e->offset - o->sections[s].addr < o->sections[s].size)
        atom = macho_atom_at(o, s, e->offset, &off);
    if (!atom || off > UINT32_MAX || e->length > macho_atom_size(o, atom) - off)
      return macho_bad(p->l, p->f, c->dataoff + i * sizeof *e, "an entry of data in code at address 0x%x of 0x%x bytes lies in no atom", e->offset, e->length);
    out[i] = (MachoDataInCode){atom, (u32)off, e->length, e->kind};
  }
  o->data_in_code = out;
  o->ndata_in_code = (u32)n;
  return true;
}

static bool check_header(Link *l, FileId f, const MachHeader64 *h) {
  u32 cpu = macho_cpu_of(l->arch), sub = h->cpusubtype & ~CPU_SUBTYPE_MASK;
  const char *name = macho_cpu_name(h->cputype, h->cpusubtype);
  if (h->magic == MH_MAGIC)
    return macho_bad(l, f, 0, "a 32-bit Mach-O object; this link is for %s", macho_cpu_name(cpu, 0));
  if (h->magic == MH_CIGAM || h->magic == MH_CIGAM_64)
    return macho_bad(l, f, 0, "a big-endian Mach-O object; this link is for %s", macho_cpu_name(cpu, 0));
  if (h->magic != MH_MAGIC_64)
    return macho_bad(l, f, 0, "not a Mach-O object");
  if (h->cputype != cpu && !name)
    return macho_bad(l, f, offsetof(MachHeader64, cputype), "an object for CPU type 0x%x; this link is for %s", h->cputype, macho_cpu_name(cpu, 0));
  if (h->cputype != cpu)
    return macho_bad(l, f, offsetof(MachHeader64, cputype), "an object for %s; this link is for %s", name, macho_cpu_name(cpu, 0));
  if (cpu == CPU_TYPE_ARM64 && sub == CPU_SUBTYPE_ARM64E)
    return macho_bad(l, f, offsetof(MachHeader64, cpusubtype), "an object for arm64e: signed pointers are not supported");
  if (h->filetype != MH_OBJECT)
    return macho_bad(l, f, offsetof(MachHeader64, filetype), "%s, expected a relocatable object (MH_OBJECT)", macho_filetype_name(h->filetype));
  return true;
}

/* Takes the lists over into the arena. */
static void keep_lists(Opener *p) {
  MachoObject *o = p->o;
  MachoLinkerOption *options = ARENA_ARRAY(p->arena, MachoLinkerOption, p->options.n);
  MachoPlatform *platforms = ARENA_ARRAY(p->arena, MachoPlatform, p->platforms.n);
  if (p->options.n)
    memcpy(options, p->options.at, p->options.n * sizeof *options);
  if (p->platforms.n)
    memcpy(platforms, p->platforms.at, p->platforms.n * sizeof *platforms);
  o->options = options;
  o->noptions = p->options.n;
  o->platforms = platforms;
  o->nplatforms = p->platforms.n;
  vec_free(&p->options);
  vec_free(&p->platforms);
}

bool macho_open(Link *l, FileId f, unsigned tid) {
  File *file = file_at(l, f);
  if (file->kind == FILE_SHARED)
    return macho_shared_open(l, f);
  Arena *arena = &l->scratch[tid];
  Bytes b;
  if (!bytes_slice(file->data, 0, sizeof(MachHeader64), &b))
    return macho_bad(l, f, file->data.len, "file ends inside the Mach-O header");
  const MachHeader64 *h = (const MachHeader64 *)b.p;
  if (!check_header(l, f, h))
    return false;
  MachoObject *o = file->fmt ? file->fmt : ARENA_NEW(arena, MachoObject); /* who loads the file may know its time */
  o->header = h;
  o->subsections = h->flags & MH_SUBSECTIONS_VIA_SYMBOLS;
  o->sections = ARENA_NEW(arena, MachoSection);
  o->nsections = 1;
  Opener p = {.l = l, .f = f, .arena = arena, .data = file->data, .o = o};
  bool ok = walk_commands(&p, h);
  keep_lists(&p);
  if (!ok || !macho_split(l, f, o, tid) || !read_data_in_code(&p)) {
    file->fmt = NULL;
    return false;
  }
  file->fmt = o;
  return true;
}

/* ---- the row ---- */

static void no_groups(Link *l, FileId f, unsigned tid) { (void)l, (void)f, (void)tid; }

static bool no_properties(const Link *l, FileId f, Properties *out) {
  (void)l, (void)f, (void)out;
  return false;
}

static bool wants_execstack(const Link *l, FileId f) {
  const MachoObject *o = file_at(l, f)->kind == FILE_OBJECT ? macho_object(l, f) : NULL;
  return o && o->header->flags & MH_ALLOW_STACK_EXECUTION;
}

void macho_format_init(Format *f) {
  *f = (Format){
      .name = "mach-o",
      .word = 8,
      .atoms_are_symbols = true,
      .visible_wins = true,
      .weak_references_load = true,
      .no_neutral_edges = true,
      .edges = macho_edges,
      .edge_stream = edges_as_stream,
      .atom_name = macho_atom_name,
      .sym_name = macho_sym_name,
      .local_value = macho_local_value,
      .sym_size = macho_sym_size,
      .edge_atom = macho_edge_atom,
      .edge_ends = macho_edge_ends,
      .edge_targets = macho_edge_targets,
      .by_content = macho_by_content,
      .significant = macho_significant,
      .call_graph = macho_call_graph,
      .root_reason = macho_root_reason,
      .properties = no_properties,
      .open = macho_open,
      .names = macho_names,
      .symbols = macho_symbols,
      .kinds = macho_kinds,
      .definitions = macho_definitions,
      .groups = no_groups,
      .atoms = macho_atoms,
      .wants_execstack = wants_execstack,
      .atom_flags = macho_atom_flags,
      .describe = macho_describe,
      .describe_symbol = macho_describe_symbol,
      .absorb = macho_absorb,
      .each_local = macho_each_local,
      .locator_open = macho_locator_open,
      .locator_find = macho_locator_find,
      .locator_close = macho_locator_close,
      .shared_name = macho_shared_name,
      .library_names = macho_library_names,
  };
}
