/* link_macho.c: a Mach-O link, in order; each line says why it stands where it stands. link.c is ELF's.
 * The trap: a Mach-O atom is what a symbol names, so names settle before anything looks at atoms: what lost its name is
 * gone (core/coalesce.c) before dead strip, and no group decides it. */
#include "link_macho.h"

#include <stdlib.h>

#include "arch/aarch64.h"
#include "arch/x86_64.h"
#include "core/bind.h"
#include "core/coalesce.h"
#include "core/deadstrip.h"
#include "core/icf.h"
#include "core/order.h"
#include "core/report.h"
#include "core/resolve.h"
#include "core/thunks.h"
#include "dump.h"
#include "format/macho_shared.h"
#include "initializers_macho.h"
#include "inputs_macho.h"
#include "objc_macho.h"
#include "read/macho.h"
#include "scope_macho.h"
#include "script/macho.h"
#include "session.h"
#include "unwind_macho.h"
#include "write/macho.h"
#include "write/macho_map.h"

/* ---- before the inputs ---- */

static const struct {
  const char *name;
  const Arch *arch;
  u32 cputype, cpusubtype;
} cpus[] = {
    {"x86_64", &arch_x86_64, CPU_TYPE_X86_64, CPU_SUBTYPE_X86_64_ALL},
    {"arm64", &arch_aarch64, CPU_TYPE_ARM64, CPU_SUBTYPE_ARM64_ALL},
};

/* The CPU's row, with what relocates for a loader that binds by name. */
static bool choose_cpu(Link *l, MachoImage *m) {
  for (u32 i = 0; i < COUNT_OF(cpus); i++) {
    if (!streq(cpus[i].name, l->opt->darwin.arch))
      continue;
    Arch *a = ARENA_NEW(&l->arena, Arch);
    *a = *cpus[i].arch;
    a->apply = bind_apply;
    a->apply_one = bind_apply_one;
    l->arch = a;
    m->cputype = cpus[i].cputype;
    m->cpusubtype = cpus[i].cpusubtype;
    if (m->cputype == CPU_TYPE_X86_64 && m->filetype == MH_EXECUTE)
      m->cpusubtype |= CPU_SUBTYPE_LIB64;
    return true;
  }
  diag_error(l->diag, "unsupported-arch", "-arch %s is not supported; supported: x86_64, arm64", l->opt->darwin.arch);
  return false;
}

/* The reader's row, with the writer's hooks: read/ and write/ don't know of each other. */
static const Format *make_format(Link *l) {
  Format *f = ARENA_NEW(&l->arena, Format);
  macho_format_init(f);
  f->weak_must_be_met = true;
  f->output_section = macho_output_section;
  f->segment_of = macho_segment_of;
  f->plan_segments = macho_plan_segments;
  f->finish_segments = macho_finish_segments;
  return f;
}

/* What layout calls an image base, pages and sections is Mach-O's. */
static void settle_layout(Link *l, MachoImage *m) {
  Options *o = l->opt;
  const DarwinOptions *d = &o->darwin;
  if (m->filetype == MH_EXECUTE)
    m->base = d->has_pagezero_size ? d->pagezero_size : 1ull << 32;
  if (o->has_image_base)
    m->base = o->image_base;
  o->has_image_base = true;
  o->image_base = m->base;
  o->z_max_page_size = l->arch->max_page_size;
  o->commons_stay = true;
  o->no_undefined = OPT_YES;
  o->warn_unresolved |= d->undefined == UNDEFINED_WARNING;
  for (u32 i = 0; i < d->section_aligns.n; i++) {
    const SectionAlign *a = &d->section_aligns.at[i];
    *vec_push(&o->section_aligns) = (SectionStart){arena_printf(&l->arena, "%s,%s", a->segment, a->section), a->align};
  }
  l->layout = macho_layout(&l->arena, o);
  l->header_size = sizeof(MachHeader64);
}

static bool begin(Link *l, Options *o, Diag *d, WeldOutput *mem) {
  session_begin(l, o, d);
  MachoImage *m = ARENA_NEW(&l->arena, MachoImage);
  m->l = l;
  l->dyn = m;
  m->filetype = o->kind != OUTPUT_SHARED ? MH_EXECUTE : o->darwin.bundle ? MH_BUNDLE : MH_DYLIB;
  l->mem_output = mem ? &mem->data : NULL;
  l->is_pic = o->kind != OUTPUT_EXEC;
  l->is_dynamic = true;
  if (!choose_cpu(l, m))
    return false;
  l->format = make_format(l);
  settle_layout(l, m);
  return true;
}

/* ---- slots ---- */

static const BindOptions *bind_options(Link *l) {
  const DarwinOptions *d = &l->opt->darwin;
  BindOptions *o = ARENA_NEW(&l->arena, BindOptions);
  const u32 code = S_ATTR_PURE_INSTRUCTIONS | S_ATTR_SOME_INSTRUCTIONS;
  *o = (BindOptions){
      .got = {"__DATA_CONST,__got", S_NON_LAZY_SYMBOL_POINTERS, 0},
      .stubs = {"__TEXT,__stubs", S_SYMBOL_STUBS, code},
      .helper = {"__TEXT,__stub_helper", S_REGULAR, code},
      .lazy = {"__DATA,__la_symbol_ptr", S_LAZY_SYMBOL_POINTERS, 0},
      .tlv = {"__DATA,__thread_ptrs", S_THREAD_LOCAL_VARIABLE_POINTERS, 0},
      .private_word = {"__DATA,__data", S_REGULAR, 0},
      .lazy_pointers = !d->chained_fixups,
      .binder = "dyld_stub_binder",
  };
  return o;
}

static u32 stub_place(const Link *l, const SymAux *x, u64 *off) {
  *off = (u64)x->plt * l->arch->stub_size;
  return l->binds->stubs.synth;
}

/* ---- libraries ---- */

/* Whether the output names the library: it was asked for, or something is bound to it. */
static bool is_recorded(const Link *l, const MachoShared *s, u8 used) {
  if (s->bundle_loader)
    return false;
  if (used || s->keep || s->reexport)
    return true;
  return s->linked && !s->dead_strippable && !l->opt->darwin.dead_strip_dylibs;
}

static u32 load_command(const MachoShared *s, u8 used) {
  if (s->reexport)
    return LC_REEXPORT_DYLIB;
  if (s->upward)
    return LC_LOAD_UPWARD_DYLIB;
  return s->weak || used == BIND_USED ? LC_LOAD_WEAK_DYLIB : LC_LOAD_DYLIB;
}

/* Libraries of one install name share a load command. */
static u32 find_load(const MachoLoad *v, u32 n, const char *name) {
  for (u32 i = 0; i < n; i++)
    if (streq(v[i].name, name))
      return i;
  return n;
}

static void list_libraries(MachoImage *m) {
  Link *l = m->l;
  MachoLoad *v = ARENA_ARRAY(&l->arena, MachoLoad, l->files.n);
  i32 *ordinals = ARENA_ARRAY(&l->arena, i32, l->files.n);
  u8 *used = ARENA_ARRAY(&l->arena, u8, l->files.n), *weak = ARENA_ARRAY(&l->arena, u8, l->files.n);
  bind_used_files(l, used);
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    if (file->kind != FILE_SHARED || !file->fmt)
      continue;
    const MachoShared *s = file->fmt;
    weak[f] = s->weak;
    if (s->bundle_loader)
      ordinals[f] = BIND_SPECIAL_DYLIB_MAIN_EXECUTABLE;
    if (!is_recorded(l, s, used[f]))
      continue;
    u32 at = find_load(v, m->nlibraries, s->install_name), command = load_command(s, used[f]);
    if (at == m->nlibraries)
      v[m->nlibraries++] = (MachoLoad){s->install_name, command, s->current_version, s->compatibility_version};
    else if (v[at].command == LC_LOAD_WEAK_DYLIB)
      v[at].command = command;
    ordinals[f] = (i32)at + 1;
  }
  m->libraries = v;
  m->ordinals = ordinals;
  m->weak_files = weak;
}

/* ---- -sectcreate ---- */

static void write_file_section(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  const FileSection *f = s->ctx;
  (void)l;
  memcpy(out, f->bytes + off, len);
}

static void make_file_sections(Link *l) {
  for (u32 i = 0; i < l->opt->darwin.file_sections.n; i++) {
    FileSection *f = &l->opt->darwin.file_sections.at[i];
    Synth s = {.name = arena_printf(&l->arena, "%s,%s", f->segment, f->section), .type = S_REGULAR, .size = f->len, .keep_empty = true,
               .write = write_file_section, .fills = true, .grain = 1, .ctx = f};
    synth_add(l, &s);
  }
}

/* ---- the entry ---- */

static u32 entry_symbol(const Link *l) { return l->entry_name ? sym_find(l, l->entry_name, strlen(l->entry_name)).i : NO_SYM.i; }

static void set_entry(MachoImage *m) {
  const Link *l = m->l;
  u32 sym = entry_symbol(l);
  if (sym == NO_SYM.i)
    return;
  const SymAux *aux = sym_aux(l, sym);
  m->entry = l->syms.flags[sym] & SF_IMPORTED && aux && aux->plt >= 0 ? bind_stub_addr(l, (u32)aux->plt) : bind_symbol_addr(l, sym);
}

/* ---- the story ---- */

static bool resolve(Link *l, MachoImage *m, MachoInputs *in) {
  session_settle_threads(l);
  PHASE("open", resolve_open(l));             /* headers and symbol tables are where they should be */
  if (!checkpoint(l))
    return false;
  inputs_macho_auto_link(in);                 /* libraries that objects ask for: before names count */
  if (!checkpoint(l))
    return false;
  dump_graph(l, "read");
  scope_name(m);                              /* all names weld brings are known */
  PHASE("names", resolve_names(l));           /* one number for each name; loads archive members */
  while (inputs_macho_auto_link(in))          /* members that were loaded ask for libraries, too: rare */
    resolve_names_again(l);
  report_extracts(l);
  PHASE("atoms", resolve_atoms(l));           /* subsections and literals; the layout says which are roots */
  macho_unwind_init(l);                       /* the first Synths, since one has a fixed number */
  PHASE("symbols", resolve_symbols(l));       /* definitions compete; facts of each symbol */
  scope_define(m);                            /* ends of sections that something refers to */
  objc_define_stubs(m);                       /* stubs of message sends likewise */
  dump_graph(l, "resolve");
  report_trace(l);
  report_duplicates(l);                       /* while those that lost are still there */
  PHASE("coalesce names", coalesce_names(l)); /* atoms whose name another has won are gone */
  scope_symbols(m);                           /* exports are roots of dead strip */
  return true;
}

static bool strip(Link *l, MachoImage *m, MachoInputs *in) {
  PHASE("unwind", macho_unwind_parse(l));     /* an FDE's edges are its function's */
  PHASE("dead strip", deadstrip(l));          /* needs final definitions */
  dump_graph(l, "dead-strip");
  resolve_dead(l);                            /* symbols of dead atoms */
  if (l->opt->gc_sections)
    report_gc_sections(l);
  report_why_live(l);
  PHASE("undefined", report_undefined(l));    /* only what a live atom refers to is missing */
  scope_finish(m);                            /* what is left is exported, what is open is looked up */
  if (diag_errors(l->diag))
    inputs_macho_report_missing(in);
  return checkpoint(l);                       /* ---- no new symbols below ---- */
}

static void make_slots(Link *l, MachoImage *m) {
  PHASE("initializers", initializers_make(m)); /* tables of pointers become offsets: fewer pointers to scan */
  PHASE("scan", bind_scan(l, bind_options(l))); /* imports are known: decides slots, stubs, fixups */
  MachoUnwindTable *unwind = macho_unwind_scan(l); /* unwind tables refer to things too */
  if (entry_symbol(l) != NO_SYM.i)
    bind_need_stub(l, entry_symbol(l));
  objc_make_stubs(m);
  list_libraries(m);                          /* who has slots is used */
  bind_allocate(l);
  make_file_sections(l);
  dump_graph(l, "scan");
  PHASE("unwind info", macho_unwind_build(l, unwind, m->base));
}

/* Sections that no row of the layout names keep their segment. */
static void refuse_renames(const Link *l) {
  const DarwinOptions *d = &l->opt->darwin;
  for (u32 i = 0; i < d->renames.n; i++)
    for (u32 o = 1; !d->renames.at[i].section && o < l->osecs.n; o++) {
      const char *name = l->osecs.at[o].name, *segment = d->renames.at[i].segment;
      if (l->osecs.at[o].stmt == UINT32_MAX && starts_with(name, segment) && name[strlen(segment)] == ',')
        diag_error(l->diag, "unsupported-option", "-rename_segment %s is not supported for section %s; -rename_section is", segment, name);
    }
}

static bool place(Link *l, MachoImage *m) {
  PHASE("order", order(l));                   /* live atoms only; decides who stands first */
  thunks_begin(l, stub_place);                /* branches may be out of reach */
  PHASE("assign", layout_assign(l));          /* ---- no new atoms below, but for branch islands ---- */
  refuse_renames(l);
  PHASE("layout", layout_addresses(l));       /* loops until Synths keep their size */
  if (!checkpoint(l))
    return false;
  l->addressed = true;                        /* ---- addresses are final ---- */
  icf_addresses(l);                           /* what was folded is where its equal is */
  PHASE("values", resolve_addresses(l));
  scope_values(m);
  set_entry(m);
  dump_graph(l, "layout");
  return checkpoint(l);
}

static bool run(Link *l, MachoImage *m, MachoInputs *in) {
  bool ok;
  if (!resolve(l, m, in) || !strip(l, m, in))
    return false;
  PHASE("literals", coalesce_content(l));     /* equal strings and constants become one; live ones only */
  PHASE("icf", icf(l));
  dump_graph(l, "coalesce");
  make_slots(l, m);
  if (!checkpoint(l) || !place(l, m))
    return false;
  PHASE("fixups", bind_collect(l));           /* pointers have addresses, and so have what they point at */
  PHASE("linkedit", ok = macho_linkedit_build(m)); /* tables of addresses: nothing refers to them */
  if (!ok || !checkpoint(l))
    return false;
  PHASE("write", ok = macho_write(m));
  if (ok)
    PHASE("map", macho_map_write(m));
  return ok && checkpoint(l);
}

bool macho_run(Options *opt, Diag *d, WeldOutput *mem) {
  Link *l = heap_alloc(sizeof *l);
  bool ok = begin(l, opt, d, mem);
  if (ok) {
    MachoImage *m = macho_image(l);
    MachoInputs *in;
    PHASE("load", in = inputs_macho_load(l)); /* names to mapped files, in command-line order; re-exports were followed */
    ok = checkpoint(l) && run(l, m, in);
    if (ok)
      inputs_macho_write_dependencies(in);
    inputs_macho_end(in);
    vec_free(&m->segments);
    vec_free(&m->names);
  }
  if (ok && mem)
    mem->size = l->file_size;
  return session_finish(l, ok);
}
