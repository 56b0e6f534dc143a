/* link_go.c: `weld -flavor golink`, the link of a Go program: init, scan, dead, runtime, layout, load, debug, write, as Go's own
 * linker of 2014 put it. The same resolver, dead strip and layout as for other formats; what is Go's are two tables, of
 * functions and of where things are.
 * The trap: what an image looks like depends on the revision of the first object: see docs/golink.md. */
#include "link_go.h"

#include <stdlib.h>

#include "arch/x86_64.h"
#include "core/coalesce.h"
#include "core/deadstrip.h"
#include "core/report.h"
#include "core/resolve.h"
#include "core/scan.h"
#include "core/slots.h"
#include "inputs_go.h"
#include "read/goobj.h"
#include "script/go.h"
#include "session.h"
#include "util/trace.h"
#include "write/elf_synths.h"
#include "write/go_elf.h"
#include "write/go_macho.h"
#include "write/go_pclntab.h"

enum { SMALL_LINK = 8 << 20 };

/* What -H names, and what differs. */
typedef struct {
  const char *name, *os;
  bool thread_local;   /* the format has it */
  u64 base;            /* where the image begins, at least */
  const char *functab; /* the section of the table of functions */
  void (*output_section)(const Link *l, Osec *o);
  u64 (*plan_segments)(Link *l);
  void (*finish_segments)(Link *l), (*finish_first)(Link *l); /* of the first revision */
  void (*prepare)(Link *l);                                   /* Synths of its own, before layout; or NULL */
  bool (*write)(Link *l);
} Target;

static const Target targets[] = {
    {.name = "darwin", .os = "darwin", .base = 0x1000, .functab = ".functab",
     .output_section = go_macho_output_section, .plan_segments = go_macho_plan_segments,
     .finish_segments = go_macho_finish_segments, .finish_first = go_macho_finish_first, .write = go_macho_write},
    {.name = "linux", .os = "linux", .thread_local = true, .base = 0x400000, .functab = ".gopclntab",
     .output_section = go_elf_output_section, .plan_segments = go_elf_plan_segments,
     .finish_segments = go_elf_finish_segments, .finish_first = go_elf_finish_segments,
     .prepare = go_elf_prepare, .write = go_elf_write},
};

static const Target *target_named(const char *name) {
  for (u32 i = 0; i < COUNT_OF(targets); i++)
    if (streq(targets[i].name, name))
      return &targets[i];
  return NULL;
}

/* ---- what the objects are for ---- */

typedef struct {
  const char *os, *arch;
  bool first_revision;
  const Target *target;
  u32 pclntab; /* Synth */
} Go;

static bool choose_target(Link *l, Go *g) {
  const char *header = l->opt->go.header;
  if (!streq(g->arch, "amd64")) {
    diag_error(l->diag, "unsupported-target", "%s: objects for %.64s/%.64s are not supported; supported: amd64",
               file_name(l, (FileId){1}), g->os, g->arch);
    return false;
  }
  bool any = header && streq(header, "elf"); /* ELF, whatever the system */
  g->target = target_named(any ? "linux" : header ? header : g->os);
  if (!g->target)
    diag_error(l->diag, "unsupported-target", "%s %.64s is not supported yet; supported: darwin, linux, elf",
               header ? "-H" : "an output for", header ? header : g->os);
  else if (header && !any && !streq(g->target->os, g->os) && !l->opt->go.any_system)
    diag_error(l->diag, "mixed-inputs", "-H %s: %s is for %.64s/%.64s; -f links it all the same", header,
               file_name(l, (FileId){1}), g->os, g->arch);
  return checkpoint(l);
}

/* -T says where code begins; the headers stand before it, and have as much room as segments are rounded to. */
static bool choose_addresses(Link *l, const Target *t) {
  Options *o = l->opt;
  u64 page = o->z_max_page_size;
  o->image_base = align_up(t->base, page);
  if (o->has_ttext && (o->ttext < 2 * page || o->ttext % page))
    diag_error(l->diag, "bad-value", "-T 0x%llx: not a multiple of 0x%llx from 0x%llx on", (unsigned long long)o->ttext,
               (unsigned long long)page, (unsigned long long)(2 * page));
  if (o->has_tdata && o->tdata % page)
    diag_error(l->diag, "bad-value", "-D 0x%llx: not a multiple of 0x%llx", (unsigned long long)o->tdata,
               (unsigned long long)page);
  if (o->has_ttext)
    o->image_base = o->ttext - page;
  o->has_ttext = false; /* it is where it would stand anyway */
  o->has_image_base = true;
  return checkpoint(l);
}

/* What -D asks for may be in use. */
static void check_overlap(Link *l) {
  u64 end = 0;
  for (u32 i = 0; i < l->norder; i++) {
    const Osec *o = &l->osecs.at[l->order[i]];
    if (!o->placed || !(o->aflags & ATOM_ALLOC) || o->aflags & ATOM_TLS)
      continue;
    if (o->addr < end)
      diag_error(l->diag, "layout", "%s would be at 0x%llx, where what stands before it ends at 0x%llx", o->name,
                 (unsigned long long)o->addr, (unsigned long long)end);
    end = o->addr + o->size;
  }
}

static void set_up(Link *l, Go *g) {
  const Target *t = g->target;
  Format *f = ARENA_NEW(&l->arena, Format);
  Options *o = l->opt;
  goobj_format_init(f);
  f->output_section = t->output_section;
  f->plan_segments = t->plan_segments;
  f->finish_segments = g->first_revision ? t->finish_first : t->finish_segments;
  l->format = f;
  l->header_size = o->z_max_page_size;
  const GoLayout layout = {t->functab, g->first_revision, o->has_tdata, o->tdata};
  l->layout = go_layout(&l->arena, &layout);
  o->has_tdata = false; /* .data is not the first of them */
}

/* ---- names of the linker's own ---- */

static bool defines(const Link *l, const char *name) {
  for (u32 f = 1; f < l->files.n; f++) {
    const GoObject *o = l->files.at[f].fmt;
    for (u32 i = o ? o->first_global : 0; o && i < o->nsymbols; i++)
      if (o->symbols[i].definition && streq(o->symbols[i].name, name))
        return true;
  }
  return false;
}

/* The run time's entry; programs without it call theirs _rt0_go. */
static const char *entry_name(Link *l, const Go *g) {
  if (l->opt->entry)
    return l->opt->entry;
  const char *usual = arena_printf(&l->arena, "_rt0_%s_%s", g->arch, g->os);
  return !defines(l, usual) && defines(l, "_rt0_go") ? "_rt0_go" : usual;
}

/* What stands for the tables. The collector's masks are empty: where they would stand is the end of what is only read. */
typedef enum { MASKS, TABLE, TABLE_END } Place;
static const struct {
  const char *name;
  Place place;
} places[] = {
    {"pclntab", TABLE}, {"epclntab", TABLE_END}, {"gcdata", MASKS}, {"egcdata", MASKS}, {"gcbss", MASKS}, {"egcbss", MASKS},
};

static void name_own_symbols(Link *l, const Go *g) {
  l->entry_name = entry_name(l, g);
  weld_name(l, l->entry_name, WELD_REF, NULL, false);
  for (u32 i = 0; i < l->layout->nstmts; i++) {
    const LayoutStmt *st = &l->layout->stmts[i];
    if (st->kind != LAYOUT_ASSIGN || streq(st->name, "."))
      continue;
    u32 name = weld_name(l, st->name, WELD_PROVIDE, st->expr, false);
    l->weld_names.at[name].stmt = st;
  }
  for (u32 i = 0; !g->first_revision && i < COUNT_OF(places); i++) {
    weld_name(l, places[i].name, WELD_PROVIDE, NULL, false);
    weld_name(l, arena_printf(&l->arena, "runtime.%s", places[i].name), WELD_PROVIDE, NULL, false);
  }
}

static const char *without_package(const char *name) { return starts_with(name, "runtime.") ? name + 8 : name; }

static u64 address_of(const Link *l, const Go *g, Place p) {
  u64 table = synth_addr(l, g->pclntab);
  return p == MASKS ? synth_addr(l, g->pclntab - 1) : p == TABLE ? table : table + l->synths.at[g->pclntab].size;
}

static void own_values(Link *l, const Go *g) {
  for (u32 i = 0; !g->first_revision && i < l->weld_names.n; i++) {
    const WeldName *w = &l->weld_names.at[i];
    for (u32 k = 0; w->used && !w->stmt && k < COUNT_OF(places); k++)
      if (streq(without_package(w->name), places[k].name))
        l->syms.value[w->sym] = address_of(l, g, places[k].place);
  }
}

/* An entry that nothing mentions is an error like any other name. */
static void report_entry(Link *l) {
  u32 s = sym_find(l, l->entry_name, strlen(l->entry_name)).i;
  if (s == NO_SYM.i || l->syms.flags[s] & SF_UNDEFINED)
    diag_error(l->diag, "undefined-symbol", "undefined symbol: %s, the entry; -E names another",
               diag_name(l->diag, l->entry_name));
}

static void report_thread_local(Link *l, const Go *g) {
  for (u32 a = 1; a < l->atoms.n && !g->target->thread_local; a++)
    if ((l->atoms.flags[a] & (ATOM_LIVE | ATOM_TLS)) == (ATOM_LIVE | ATOM_TLS) && !(l->atoms.flags[a] & ATOM_SYNTH)) {
      const File *f = atom_file(l, (AtomId){a});
      diag_report(l->diag, DIAG_ERROR, "unsupported-target", (u64)l->atoms.at[a].file << 32 | a,
                  "%s: thread-local symbol %s: there are none in an output for %s", file_name(l, (FileId){l->atoms.at[a].file}),
                  ((const GoObject *)f->fmt)->definitions[a - f->atom_base - 1].name, g->target->name);
    }
}

/* ---- the story ---- */

#define PHASE(name, call)                                                                          \
  do {                                                                                             \
    trace_begin(l->perf, name);                                                                    \
    call;                                                                                          \
    trace_end(l->perf);                                                                            \
  } while (0)

/* Threads pay from some megabytes of input on. */
static void settle_threads(Link *l) {
  u64 bytes = 0;
  for (u32 f = 1; f < l->files.n; f++)
    bytes += l->files.at[f].data.len;
  if (bytes < SMALL_LINK)
    pool_stay_alone(l->pool);
}

static bool run(Link *l) {
  Go g = {0};
  bool ok;
  PHASE("load", ok = go_inputs_load(l, &g.os, &g.arch, &g.first_revision)); /* which system it is for, stands in the objects */
  if (!checkpoint(l) || !ok || !choose_target(l, &g) || !choose_addresses(l, g.target))
    return false;
  settle_threads(l);
  set_up(l, &g);
  for (u32 i = 0; i < l->opt->go.strings.n; i++)
    goobj_add_string(l, l->opt->go.strings.at[i].name, l->opt->go.strings.at[i].text, g.os, g.arch);
  PHASE("open", resolve_open(l));
  if (!checkpoint(l))
    return false;
  name_own_symbols(l, &g);                           /* the entry's name is in the objects */
  PHASE("names", resolve_names(l));
  PHASE("atoms", resolve_atoms(l));
  elf_synths_init(l);
  PHASE("symbols", resolve_symbols(l));              /* definitions with bytes, dupok ones, those without */
  report_duplicates(l);
  coalesce_names(l);                                 /* an atom that lost its name is gone */
  l->opt->gc_sections = true;
  PHASE("dead strip", deadstrip(l));                 /* from the entry */
  resolve_dead(l);
  goobj_settle_weak(l);                              /* go.weak.X is X when X lives */
  goobj_pad(l);
  PHASE("undefined", report_undefined(l));           /* only what a live symbol refers to is missing */
  report_entry(l);
  report_thread_local(l, &g);
  if (!checkpoint(l))
    return false;                                    /* ---- no new symbols below ---- */
  if (!g.first_revision)
    PHASE("runtime", g.pclntab = go_pclntab_add(l)); /* of live functions */
  PHASE("scan", slots_scan(l));
  got_allocate(l);
  if (g.target->prepare)
    g.target->prepare(l);
  PHASE("assign", layout_assign(l));                 /* ---- no new atoms below ---- */
  dynrel_assign(l);
  PHASE("layout", layout_addresses(l));
  check_overlap(l);
  if (!checkpoint(l))
    return false;
  l->addressed = true;                               /* ---- addresses are final ---- */
  PHASE("values", resolve_addresses(l));
  own_values(l, &g);
  goobj_weak_values(l);
  slots_near(l);
  PHASE("write", ok = g.target->write(l));
  return ok && checkpoint(l);
}

bool go_run(Options *opt, Diag *d, WeldOutput *mem) {
  Link *l = heap_alloc(sizeof *l);
  session_begin(l, opt, d);
  l->mem_output = mem ? &mem->data : NULL;
  bool ok = run(l);
  if (ok && mem)
    mem->size = l->file_size;
  session_end(l);
  free(l);
  return ok;
}
