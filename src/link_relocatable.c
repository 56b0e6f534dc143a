/* link_relocatable.c: relocatable output (-r): many objects become one, which links like them. Names are resolved and groups
 * settled as in every link; then sections of one name are joined, and symbols and relocations rewritten.
 * The trap: nothing may be decided that the final link decides: what is undefined, tentative or hidden stays so, groups stay
 * groups, and code is not touched. */
#include "link_relocatable.h"

#include "core/deadstrip.h"
#include "core/report.h"
#include "core/resolve.h"
#include "core/slots.h"
#include "dump.h"
#include "format/elf.h"
#include "inputs.h"
#include "pass/property.h"
#include "read/elf_uses.h"
#include "session.h"
#include "util/trace.h"
#include "write/elf.h"
#include "write/elf_relocs.h"
#include "write/elf_symtab.h"
#include "write/elf_synths.h"
#include "write/map.h"

/* ---- what the CPU and the format do not do here ---- */

/* What named code that is gone names nothing now; but in these two a pair of zeros would end a list. */
static bool buries(const Link *l, AtomId a) {
  if (l->atoms.flags[a.i] & ATOM_ALLOC)
    return false;
  const char *name = l->format->atom_name(l, a);
  return streq(name, ".debug_ranges") || streq(name, ".debug_loc");
}

/* Where relocations have no addend of their own, it goes to the field. The edge of a section symbol counts from the output section's
 * begin, as its relocation will. */
static void put_addend(Link *l, const Edge *e, u8 *field) {
  u64 v = (u64)e->addend + (e->flags & SF_SECTION ? e->S : 0);
  u32 bytes = l->format->addend_bytes(l, e->kind), bits = bytes * 8;
  if (e->flags & SF_DISCARDED)
    v = 0;
  if (bits && bits < 64 && (i64)v >> bits && (i64)v >> (bits - 1) != -1)
    diag_error(l->diag, "relocation", "the place of the target of a relocation %s, 0x%llx, does not fit into its field: -r can't keep it",
               edge_kind_name(l, e->kind), (unsigned long long)v);
  switch (bytes) {
  case 1: *field = (u8)v; break;
  case 2: wr16(field, (u16)v); break;
  case 4: wr32(field, (u32)v); break;
  case 8: wr64(field, v); break;
  default: break;
  }
}

static void put_fields(Link *l, AtomId a, u8 *bytes) {
  EdgeCursor c = {.atom = a};
  Edge e[EDGE_BATCH];
  bool bury = buries(l, a);
  for (u32 n; (n = l->format->edges(l, &c, e));)
    for (u32 i = 0; i < n; i++) {
      if (l->format->rel)
        put_addend(l, &e[i], bytes + e[i].offset);
      if (bury && e[i].flags & SF_DISCARDED) {
        memset(bytes + e[i].offset, 0, l->arch->edge_bytes[e[i].kind]);
        bytes[e[i].offset] = 1;
      }
    }
}

static void keep_fields(Link *l, const AtomId *atoms, u32 n, const ApplyOut *out, unsigned tid) {
  (void)tid;
  for (u32 i = 0; i < n; i++)
    if (!(l->atoms.flags[atoms[i].i] & ATOM_SYNTH) && l->atoms.at[atoms[i].i].rel && (l->format->rel || buries(l, atoms[i])))
      put_fields(l, atoms[i], out->bytes + (l->atoms.addr[atoms[i].i] - out->addr));
}

static bool keep_field(Link *l, const Edge *e, u8 *place, u64 place_addr) {
  (void)place_addr;
  if (l->format->rel)
    put_addend(l, e, place);
  return true;
}

static void scan_nothing(Link *l, AtomId a, const Edge *e, u32 n, unsigned tid) { (void)l, (void)a, (void)e, (void)n, (void)tid; }

static u64 plan_no_segments(Link *l) { return l->header_size; }

/* elf_relocs_place() says where they are in the file. */
static void finish_no_segments(Link *l) {
  for (u32 i = 0; i < l->norder; i++) {
    Osec *o = &l->osecs.at[l->order[i]];
    o->filesz = o->bytes ? o->filesz : o->aflags & ATOM_ZEROFILL ? 0 : o->size;
  }
}

static void keep_relocations(Link *l) {
  Arch *a = ARENA_NEW(&l->arena, Arch);
  Format *f = ARENA_NEW(&l->arena, Format);
  *a = *l->arch;
  a->apply = keep_fields;
  a->apply_one = keep_field;
  a->scan_edges = scan_nothing;
  l->arch = a;
  *f = *l->format;
  f->plan_segments = plan_no_segments;
  f->finish_segments = finish_no_segments;
  l->format = f;
}

/* ---- facts ---- */

/* Room for tentative definitions is the final link's business, unless -d gives it now. */
static void leave_commons(Link *l) {
  static const u32 synths[] = {SYN_COMMON, SYN_TCOMMON, SYN_LCOMMON};
  for (u32 i = 0; i < COUNT_OF(synths) && !l->opt->define_common; i++)
    l->synths.at[synths[i]].size = 0;
}

/* What inputs say of the stack, the output says: it needs to be executable when one asks for it. */
static void add_stack_note(Link *l) {
  bool any = false, exec = l->opt->z_execstack == OPT_YES;
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    if (!file->live || file->kind != FILE_OBJECT || !file->fmt)
      continue;
    any |= l->format->has_stack_note(l, (FileId){f});
    exec |= l->opt->z_execstack == OPT_AUTO && l->format->wants_execstack(l, (FileId){f});
  }
  if (any || exec)
    synth_add(l, &(Synth){.name = ".note.GNU-stack", .type = SHT_PROGBITS, .attr = exec ? SHF_EXECINSTR : 0, .keep_empty = true});
}

/* Addresses become offsets in output sections, which is what values and places in relocatable output are. */
static void become_offsets(Link *l) {
  for (u32 i = 1; i < l->osecs.n; i++) {
    Osec *o = &l->osecs.at[i];
    for (u32 k = 0; k < o->natoms && o->addr; k++)
      l->atoms.addr[o->atoms[k].i] -= o->addr;
  }
  for (u32 i = 0; i < l->weld_names.n; i++) {
    const WeldName *w = &l->weld_names.at[i];
    if (w->used && w->osec)
      l->syms.value[w->sym] -= l->osecs.at[w->osec].addr;
  }
  for (u32 i = 1; i < l->osecs.n; i++) {
    Osec *o = &l->osecs.at[i];
    o->lma = l->scripted && !l->default_script && o->stmt != UINT32_MAX ? o->addr : 0; /* what its header shows, as with GNU ld; nothing counts from it */
    o->addr = 0;
  }
  l->tls_begin = l->tls_end = 0;
}

/* Without one nearly all would go, which nobody means. GNU ld manual, --gc-sections. */
static void ask_for_root(const Link *l) {
  bool own_script = l->scripted && !l->default_script; /* which may KEEP */
  if (l->opt->gc_sections && !l->entry_name && !l->opt->undefined.n && !own_script)
    diag_error(l->diag, "gc-root", "--gc-sections with -r needs a symbol to begin at: -e or -u names one");
}

/* ---- the story ---- */

bool link_relocatable(Link *l) {
  keep_relocations(l);
  l->opt->is_static = true;                   /* a shared library can't become part of an object */
  PHASE("load", inputs_load(l));
  session_settle_threads(l);
  PHASE("open", resolve_open(l));
  if (!checkpoint(l))
    return false;
  dump_graph(l, "read");
  l->entry_name = l->opt->entry;              /* a root of dead strip, no more */
  ask_for_root(l);
  link_name_asked(l);
  PHASE("names", resolve_names(l));           /* loads archive members */
  report_extracts(l);
  PHASE("atoms", resolve_atoms(l));           /* groups settle by name here, too */
  elf_synths_init(l);
  PHASE("symbols", resolve_symbols(l));
  leave_commons(l);
  dump_graph(l, "resolve");
  report_trace(l);
  PHASE("unwind", ehframe_parse(l));          /* records of code that lost its group go */
  PHASE("dead strip", deadstrip(l));          /* from -e, -u and KEEP, if asked for */
  resolve_dead(l);
  if (l->opt->gc_sections)
    report_gc_sections(l);
  report_why_live(l);
  report_duplicates(l);
  report_required(l);
  if (!checkpoint(l))
    return false;                             /* ---- no new symbols below; what is undefined stays so ---- */
  PHASE("merge", merge_sections(l));
  property_merge(l);
  add_stack_note(l);
  ehframe_scan(l);                            /* which CIEs are written */
  PHASE("eh_frame", ehframe_build(l));
  PHASE("uses", l->uses = elf_uses(l));       /* relocations are sound; which symbols they name */
  if (!checkpoint(l))
    return false;
  PHASE("symtab", elf_symtab_prepare(l));
  elf_notes_add(l);
  PHASE("assign", layout_assign(l));          /* ---- no new atoms below ---- */
  PHASE("relocs", elf_relocs_prepare(l));    /* which sections have some */
  PHASE("layout", layout_addresses(l));
  if (!checkpoint(l))
    return false;
  become_offsets(l);
  l->addressed = true;                        /* ---- places are final ---- */
  PHASE("values", resolve_addresses(l));
  link_defsym_values(l);
  if (!checkpoint(l))
    return false;
  bool ok;
  PHASE("write", ok = elf_write(l));
  if (ok)
    PHASE("map", map_write(l));
  return ok && checkpoint(l);
}
