/* link.c: the whole link, in order; each line says why it stands where it stands. */
#include "link.h"
#include "link_relocatable.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "arch/i386.h"
#include "arch/x86_64.h"
#include "core/deadstrip.h"
#include "core/icf.h"
#include "core/link.h"
#include "core/order.h"
#include "core/release.h"
#include "core/report.h"
#include "core/resolve.h"
#include "core/scan.h"
#include "core/slots.h"
#include "core/stats.h"
#include "core/thunks.h"
#include "dump.h"
#include "emulate.h"
#include "inputs.h"
#include "core/bind.h"
#include "pass/export.h"
#include "pass/nocross.h"
#include "pass/property.h"
#include "read/elf.h"
#include "read/elf_uses.h"
#include "read/elf_machine.h"
#include "session.h"
#include "util/trace.h"
#include "format/elf_relocs.h"
#include "write/elf.h"
#include "write/elf_dynamic.h"
#include "write/elf_relocs.h"
#include "write/elf_encode.h"
#include "write/elf_segments.h"
#include "write/elf_symtab.h"
#include "write/elf_synths.h"
#include "write/map.h"

enum { MAX_THREADS = 64, SMALL_LINK = 8 << 20 };

/* ---- before the inputs ---- */

static unsigned thread_count(const Options *o) {
  if (o->threads)
    return MIN(o->threads, 1024u);
  cpu_set_t set;
  int n = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
  return MIN((unsigned)MAX(n, 1), (unsigned)MAX_THREADS);
}

static const Arch *const arches[] = {&arch_x86_64, &arch_i386};

static const Arch *arch_named(const char *cpu) {
  for (u32 i = 0; i < COUNT_OF(arches); i++)
    if (streq(arches[i]->name, cpu))
      return arches[i];
  return NULL;
}

static const Format *make_format(Link *l, const ElfMachine *m) {
  Format *f = ARENA_NEW(&l->arena, Format);
  elf_format_init(f, m);
  elf_encode_init(f);
  f->output_section = elf_output_section;
  f->section_class = elf_section_class;
  f->plan_segments = elf_plan_segments;
  f->finish_segments = elf_finish_segments;
  return f;
}

void session_begin(Link *l, Options *o, Diag *d) {
  unsigned threads = thread_count(o);
  l->opt = o;
  l->diag = d;
  l->arch = &arch_x86_64;
  l->pool = pool_create(threads);
  l->scratch = heap_alloc(threads * sizeof *l->scratch);
  l->tlsld_got = -1;
  if (o->perf || o->time_trace || o->stats)
    l->perf = trace_create(threads);
  *vec_push(&l->files) = (File){.kind = FILE_WELD, .path = "<weld>", .arg = "<weld>"};
}

static bool begin(Link *l, Options *o, Diag *d, WeldOutput *mem) {
  const Emulation *e = emulate_pick(o);
  const Arch *arch = arch_named(e->cpu);
  const ElfMachine *m = elf_machine_named(e->format);
  if (!arch || !m) {
    diag_error(d, "unsupported-emulation", "emulation %s: %s %s are not supported yet", e->name, arch ? "files of format" : "links for the CPU",
               arch ? e->format : e->cpu);
    return false;
  }
  session_begin(l, o, d);
  l->arch = arch;
  l->format = make_format(l, m);
  l->emulation = e;
  if (m == &elf_i386) /* in a dump; text without a triple is for x86-64 */
    o->target_triple = "i386-linux-gnu";
  l->mem_output = mem ? &mem->data : NULL;
  l->is_pic = o->kind != OUTPUT_EXEC;
  l->relocatable = o->relocatable;
  l->header_size = elf_sizes(l).ehdr;
  return true;
}

/* Threads pay from some megabytes of input on. */
void session_settle_threads(Link *l) {
  u64 bytes = 0;
  for (u32 f = 1; f < l->files.n; f++)
    bytes += l->files.at[f].data.len;
  if (bytes < SMALL_LINK)
    pool_stay_alone(l->pool);
}

void session_end(Link *l) {
  for (u32 f = 0; f < l->files.n; f++)
    free(l->files.at[f].full_name);
  if (l->slots)
    slots_free(l);
  if (l->binds)
    bind_free(l);
  if (l->merge)
    merge_free(l);
  layout_free(l);
  thunks_free(l);
  for (u32 i = 0; i < l->owned.n; i++)
    pages_free((void *)(uintptr_t)l->owned.at[i].p, l->owned.at[i].len);
  vec_free(&l->owned);
  pages_free((void *)(uintptr_t)l->spare.p, l->spare.len);
  if (l->uses) {
    vec_free(&l->uses->calls);
    vec_free(&l->uses->significant);
  }
  intern_free(&l->names);
  intern_free(&l->groups);
  inputs_free(l);
  Symbols *s = &l->syms;
  Atoms *a = &l->atoms;
  pages_free((void *)(uintptr_t)s->block.p, s->block.len);
  pages_free(s->needs, s->ntotal);
  pages_free(s->aux, s->ntotal * sizeof *s->aux);
  pages_free((void *)(uintptr_t)a->block.p, a->block.len);
  pages_free(a->flags, a->cap * sizeof *a->flags);
  pages_free(a->nsymrel, a->cap * sizeof *a->nsymrel);
  pages_free(l->global_ids, l->nglobal_ids * sizeof *l->global_ids);
  vec_free(&l->files);
  vec_free(&l->archives);
  vec_free(&l->opened);
  vec_free(&l->script_texts);
  vec_free(&l->start_stops);
  vec_free(&l->weld_names);
  vec_free(&l->commons);
  vec_free(&l->synths);
  vec_free(&l->osecs);
  vec_free(&l->segments);
  vec_free(&l->folded);
  for (unsigned i = 0; i < pool_threads(l->pool); i++)
    arena_free(&l->scratch[i]);
  free(l->scratch);
  pool_destroy(l->pool);
  trace_destroy(l->perf);
  arena_free(&l->arena);
}

/* ---- weld's own names ---- */

/* `own`: the symbol that gets the value, or NULL. It does not ask for itself. */
static void name_expression(Link *l, const Expr *e, const char *own) {
  if (!e)
    return;
  if ((e->op == EX_SYM && !(own && streq(e->name, own))) || e->op == EX_DEFINED)
    weld_name(l, e->name, e->op == EX_SYM ? WELD_REF : WELD_MENTION, NULL, false);
  name_expression(l, e->a, own);
  name_expression(l, e->b, own);
  name_expression(l, e->c, own);
}

/* --start-stop: the names that may get a value, referenced or not. */
static void name_start_stop(Link *l, const LayoutStmt *st) {
  if (st->kind != LAYOUT_OUTPUT || st->name[0] != '.')
    return;
  weld_name(l, arena_printf(&l->arena, "__start_%s", st->name + 1), WELD_MENTION, NULL, false);
  weld_name(l, arena_printf(&l->arena, "__stop_%s", st->name + 1), WELD_MENTION, NULL, false);
}

static bool asks_for(const Expr *e, ExprOp op, const char *name) {
  return e && ((e->op == op && streq(e->name, name)) || asks_for(e->a, op, name) || asks_for(e->b, op, name) || asks_for(e->c, op, name));
}

/* X = DEFINED(X) ? X : value; leaves an object's X as it is. */
static WeldNameKind kind_of_name(const LayoutStmt *st) {
  const Expr *e = st->expr;
  if (st->flags & LAYOUT_PROVIDE)
    return WELD_PROVIDE;
  bool own = e && e->op == EX_COND && e->b->op == EX_SYM && streq(e->b->name, st->name) && asks_for(e->a, EX_DEFINED, st->name);
  return own ? WELD_FALLBACK : WELD_DEFINE;
}

static void name_statement(Link *l, const LayoutStmt *st, u32 outer, bool in_body) {
  if (st->kind == LAYOUT_ASSIGN && !streq(st->name, ".")) {
    u32 i = weld_name(l, st->name, kind_of_name(st), st->expr, st->flags & LAYOUT_HIDDEN);
    l->weld_names.at[i].stmt = st;
    l->weld_names.at[i].in_body = in_body;
    l->weld_names.at[i].outer = outer;
  }
  /* what is only provided asks for nothing until somebody asks for it (resolve_symbols) */
  if (!(st->kind == LAYOUT_ASSIGN && st->flags & LAYOUT_PROVIDE)) {
    name_expression(l, st->expr, st->kind == LAYOUT_ASSIGN ? st->name : NULL);
    name_expression(l, st->lma, NULL);
    name_expression(l, st->fill.expr, NULL);
  }
  for (const LayoutStmt *b = st->body; b && b->kind != LAYOUT_ORPHANS; b++)
    name_statement(l, b, outer, true);
}

void link_name_asked(Link *l) {
  const Options *o = l->opt;
  if (l->entry_name && (l->entry_name[0] < '0' || l->entry_name[0] > '9'))
    weld_name(l, l->entry_name, WELD_REF, NULL, false);
  for (u32 i = 0; i < o->undefined.n; i++)
    weld_name(l, o->undefined.at[i], WELD_REF, NULL, false);
  for (u32 i = 0; i < o->require_defined.n; i++)
    weld_name(l, o->require_defined.at[i], WELD_REF, NULL, false);
  for (u32 i = 0; i < o->wrap.n; i++) {
    weld_name(l, o->wrap.at[i], WELD_MENTION, NULL, false);
    weld_name(l, arena_printf(&l->arena, "__wrap_%s", o->wrap.at[i]), WELD_MENTION, NULL, false);
    weld_name(l, arena_printf(&l->arena, "__real_%s", o->wrap.at[i]), WELD_MENTION, NULL, false);
  }
  for (u32 i = 0; i < o->trace_symbols.n; i++)
    weld_name(l, o->trace_symbols.at[i], WELD_MENTION, NULL, false);
  for (u32 i = 0; i < o->defsyms.n && !l->defsyms_placed; i++) {
    const Defsym *d = &o->defsyms.at[i];
    weld_name(l, d->name, d->provide ? WELD_PROVIDE : WELD_DEFINE, d->value, d->hidden);
    name_expression(l, d->value, NULL);
  }
  for (u32 i = 0; i < l->layout->nstmts; i++)
    if (l->layout->stmts[i].flags & LAYOUT_FIRST)
      name_statement(l, &l->layout->stmts[i], i, false);
  for (u32 i = 0; i < l->layout->nstmts; i++) {
    if (!(l->layout->stmts[i].flags & LAYOUT_FIRST))
      name_statement(l, &l->layout->stmts[i], i, false);
    if (o->start_stop)
      name_start_stop(l, &l->layout->stmts[i]);
  }
}

/* Everything that options, scripts and the layout bring as symbols, before names are interned. */
static void name_weld_symbols(Link *l) {
  const Options *o = l->opt;
  l->entry_name = o->entry ? o->entry : o->kind == OUTPUT_SHARED ? NULL : "_start";
  link_name_asked(l);
  weld_name(l, o->init ? o->init : "_init", WELD_MENTION, NULL, false);
  weld_name(l, o->fini ? o->fini : "_fini", WELD_MENTION, NULL, false);
  /* what the format promises programs */
  static const char *const tables[] = {"_GLOBAL_OFFSET_TABLE_", "_DYNAMIC", "__ehdr_start",
                                       "__GNU_EH_FRAME_HDR", "_PROCEDURE_LINKAGE_TABLE_", "_TLS_MODULE_BASE_"};
  for (u32 i = 0; i < COUNT_OF(tables); i++)
    weld_name(l, tables[i], WELD_PROVIDE, NULL, true);
}

/* ---- facts that need all files ---- */

static void settle_kind(Link *l) {
  bool shared = false;
  for (u32 f = 1; f < l->files.n; f++)
    shared |= l->files.at[f].kind == FILE_SHARED && l->files.at[f].fmt;
  l->is_dynamic = l->opt->kind != OUTPUT_EXEC || shared;
}

static void settle_stack(Link *l) {
  l->execstack = l->opt->z_execstack == OPT_YES;
  if (l->opt->z_execstack != OPT_AUTO)
    return;
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    if (!file->live || !l->format->wants_execstack(l, (FileId){f}))
      continue;
    if (l->opt->z_execstack_if_needed)
      l->execstack = true;
    else if (l->opt->warn_execstack)
      diag_report(l->diag, DIAG_WARNING, "execstack", (u64)f << 32,
                  "%s: requires executable stack and does not get it: -z execstack-if-needed allows it, -z noexecstack is silent",
                  file_name(l, (FileId){f}));
  }
}

/* A static libc may lack __tls_get_addr: its calls are relaxed away in executables. */
static void forgive_tls_helper(Link *l) {
  SymId s = sym_find(l, l->arch->tls_helper, strlen(l->arch->tls_helper));
  if (s.i != UINT32_MAX && l->opt->kind != OUTPUT_SHARED && l->syms.flags[s.i] & SF_UNDEFINED)
    l->syms.flags[s.i] = (l->syms.flags[s.i] & ~(u32)SF_REF_STRONG) | SF_WEAK;
}

/* ---- symbols that layout gives their value ---- */

static const Osec *osec_named(const Link *l, const char *name) {
  for (u32 i = 0; i < l->norder; i++)
    if (streq(l->osecs.at[l->order[i]].name, name))
      return &l->osecs.at[l->order[i]];
  return NULL;
}

static void set_weld(Link *l, const char *name, u64 value, u32 syn) {
  for (u32 i = 0; i < l->weld_names.n; i++)
    if (l->weld_names.at[i].used && !l->weld_names.at[i].expr && streq(l->weld_names.at[i].name, name)) {
      u32 a = l->synths.at[syn].atom.i;
      l->syms.value[l->weld_names.at[i].sym] = value;
      l->weld_names.at[i].osec = a ? l->atoms.at[a].osec : 0;
    }
}

typedef struct {
  Link *l;
  const WeldName *w;
} LateEnv;

static u64 late_base(void *ctx, u32 osec) {
  const LateEnv *e = ctx;
  return osec ? e->l->osecs.at[osec].addr : 0;
}

static bool late_symbol(void *ctx, const Expr *x, ExprValue *out) {
  const LateEnv *e = ctx;
  const char *name = x->name;
  SymId s = sym_find(e->l, name, strlen(name));
  if (s.i == UINT32_MAX || e->l->syms.flags[s.i] & (SF_UNDEFINED | SF_DISCARDED)) {
    diag_error(e->l->diag, "undefined-symbol", "--defsym %s: symbol '%s' is not defined", e->w->name, name);
    return false;
  }
  u32 a = e->l->syms.atom[s.i];
  u32 osec = a ? e->l->atoms.at[a].osec : 0;
  *out = (ExprValue){e->l->syms.value[s.i] - late_base(ctx, osec), osec, false};
  return true;
}

static bool late_defined(void *ctx, const char *name) {
  const LateEnv *e = ctx;
  SymId s = sym_find(e->l, name, strlen(name));
  return s.i != UINT32_MAX && !(e->l->syms.flags[s.i] & SF_UNDEFINED);
}

static bool late_section(void *ctx, const Expr *x, ExprValue *out) {
  const LateEnv *e = ctx;
  const Osec *o = osec_named(e->l, x->name);
  *out = (ExprValue){0, EXPR_NUMBER, false};
  if (o && x->op == EX_ADDR)
    out->osec = (u32)(o - e->l->osecs.at);
  else if (o)
    out->v = x->op == EX_LOADADDR ? o->lma : x->op == EX_SIZEOF ? o->size : 1ull << o->p2align;
  return true;
}

static void late_error(void *ctx, const Expr *at, const char *text) {
  const LateEnv *e = ctx;
  (void)at;
  diag_error(e->l->diag, "expression", "--defsym %s: %s", e->w->name, text);
}

void link_defsym_values(Link *l) {
  for (u32 i = 0; i < l->weld_names.n; i++) {
    WeldName *w = &l->weld_names.at[i];
    if (!w->used || w->stmt || !w->expr || l->syms.atom[w->sym])
      continue;
    LateEnv ctx = {l, w};
    const ExprEnv env = {.ctx = &ctx, .base = late_base, .symbol = late_symbol, .defined = late_defined, .section = late_section, .error = late_error};
    ExprValue v;
    if (expr_eval(w->expr, &env, &v)) {
      l->syms.value[w->sym] = expr_address(&env, v);
      w->osec = v.osec == EXPR_NUMBER ? 0 : v.osec;
    }
  }
}

static void weld_values(Link *l) {
  link_defsym_values(l);
  u64 got = synth_addr(l, SYN_GOT_PLT);
  l->got_base = got ? got : synth_addr(l, SYN_GOT);
  set_weld(l, "_GLOBAL_OFFSET_TABLE_", l->got_base, got ? SYN_GOT_PLT : SYN_GOT);
  set_weld(l, "_DYNAMIC", synth_addr(l, SYN_DYNAMIC), SYN_DYNAMIC);
  set_weld(l, "_PROCEDURE_LINKAGE_TABLE_", synth_addr(l, SYN_PLT), SYN_PLT);
  set_weld(l, "__GNU_EH_FRAME_HDR", synth_addr(l, SYN_EH_FRAME_HDR), SYN_EH_FRAME_HDR);
  set_weld(l, "_TLS_MODULE_BASE_", l->tls_begin, SYN_NONE);
  for (u32 i = 0; i < l->segments.n; i++) {
    const Segment *s = &l->segments.at[i]; /* one that begins behind the headers has them on its first page */
    if (s->type == 1 && (!s->off || (s->off < l->arch->common_page_size && s->addr % l->arch->common_page_size == s->off))) {
      set_weld(l, "__ehdr_start", s->addr - s->off, SYN_NONE);
      break;
    }
  }
  for (u32 i = 0; i < l->start_stops.n; i++) {
    const StartStop *s = &l->start_stops.at[i];
    const Osec *o = s->defined ? osec_named(l, s->section) : NULL;
    if (!o)
      continue;
    l->syms.value[s->sym] = s->start ? o->addr : o->addr + o->size;
    l->weld_names.at[key_index(l->syms.key[s->sym])].osec = (u32)(o - l->osecs.at);
  }
}

/* ---- the story ---- */

static bool run(Link *l) {
  PHASE("load", inputs_load(l));              /* names to mapped files, in command-line order */
  session_settle_threads(l);
  PHASE("open", resolve_open(l));             /* headers and symbol tables are where they should be */
  inputs_drop_duplicates(l);                  /* needs sonames */
  if (!checkpoint(l))
    return false;
  dump_graph(l, "read");
  name_weld_symbols(l);                       /* scripts have been read: all names weld brings are known */
  PHASE("names", resolve_names(l));           /* one number for each name; loads archive members */
  report_extracts(l);                         /* what was taken from archives, while names still tell */
  settle_kind(l);
  PHASE("atoms", resolve_atoms(l));           /* groups settle by name, so only winners become atoms; the
                                                 layout says which of them are roots (KEEP) or /DISCARD/ed */
  layout_constraints(l);                      /* ONLY_IF_RO: inputs are known, symbols not yet */
  elf_synths_init(l);                         /* commons need their Synth */
  PHASE("symbols", resolve_symbols(l));       /* definitions compete; facts of each symbol */
  forgive_tls_helper(l);
  dump_graph(l, "resolve");
  report_trace(l);
  report_dependencies(l);
  export_symbols(l);                          /* exports are roots of dead strip */
  PHASE("unwind", ehframe_parse(l));          /* an FDE's edges are its function's */
  PHASE("dead strip", deadstrip(l));          /* needs final definitions */
  dump_graph(l, "dead-strip");
  resolve_dead(l);                            /* symbols of dead atoms; needed libraries */
  if (l->opt->gc_sections)
    report_gc_sections(l);
  report_why_live(l);
  report_duplicates(l);
  PHASE("undefined", report_undefined(l));    /* only what a live atom refers to is missing */
  report_required(l);
  if (!checkpoint(l))
    return false;                             /* ---- no new symbols below ---- */
  PHASE("merge", merge_sections(l));          /* live strings and constants only */
  PHASE("icf", icf(l));                       /* what refers to equal strings is equal only now; scan and symtab
                                                 have to know what is left */
  dump_graph(l, "coalesce");
  property_merge(l);                          /* decides IBT, which shapes the PLT */
  settle_stack(l);
  PHASE("scan", slots_scan(l));               /* imports are known: decides GOT, PLT, TLS, copies */
  ehframe_scan(l);                            /* unwind tables refer to things too */
  export_settle_weak(l);
  got_allocate(l);
  dump_graph(l, "scan");
  PHASE("dynamic", elf_dynamic_prepare(l));   /* who has slots must be in .dynsym */
  PHASE("eh_frame", ehframe_build(l));
  if (l->opt->emit_relocs)
    PHASE("uses", l->uses = elf_uses(l));     /* relocations that stay are checked first */
  PHASE("symtab", elf_symtab_prepare(l));
  PHASE("order", order(l));                   /* live atoms only; decides who stands first */
  PHASE("assign", layout_assign(l));          /* ---- no new atoms below ---- */
  if (l->uses)
    PHASE("relocs", elf_relocs_prepare(l));
  PHASE("dynrel", dynrel_assign(l));          /* slots in order of addresses */
  PHASE("layout", layout_addresses(l));       /* loops until Synths keep their size */
  nocross_check(l);                           /* who is in which section, scripts' symbols too */
  if (!checkpoint(l))
    return false;
  l->addressed = true;                        /* ---- addresses are final ---- */
  icf_addresses(l);                           /* what was folded is where its equal is */
  PHASE("values", resolve_addresses(l));
  slots_symbol_values(l);
  weld_values(l);
  if (!checkpoint(l))
    return false;
  dump_graph(l, "layout");
  slots_near(l);                              /* what relocating looks up most, in one number */
  bool ok;
  PHASE("write", ok = elf_write(l));
  if (ok)
    PHASE("map", map_write(l));
  return ok && checkpoint(l);
}

/* A name as make reads it: blanks and # take a backslash, as do those before one; a $ is two. */
static void put_make_name(FILE *f, const char *name) {
  for (const char *p = name; *p; p++) {
    if (*p == ' ' || *p == '#') {
      for (const char *q = p; *p == ' ' && q > name && q[-1] == '\\'; q--)
        fputc('\\', f);
      fputc('\\', f);
    } else if (*p == '$') {
      fputc('$', f);
    }
    fputc(*p, f);
  }
}

static void dependency_file(Link *l) {
  FILE *f = l->opt->dependency_file ? fopen(l->opt->dependency_file, "w") : NULL;
  if (!l->opt->dependency_file)
    return;
  if (!f) {
    diag_error(l->diag, "cannot-write", "cannot write %s", l->opt->dependency_file);
    return;
  }
  put_make_name(f, l->opt->output);
  fprintf(f, ":");
  for (u32 i = 0; i < l->opened.n; i++) {
    fprintf(f, " ");
    put_make_name(f, l->opened.at[i]);
  }
  fprintf(f, "\n");
  for (u32 i = 0; i < l->opened.n; i++) {
    fprintf(f, "\n");
    put_make_name(f, l->opened.at[i]);
    fprintf(f, ":\n");
  }
  fclose(f);
}

bool session_finish(Link *l, bool ok) {
  const Options *o = l->opt;
  if (o->perf)
    trace_print_perf(l->perf);
  if (o->stats) {
    stats_collect(l, l->perf);
    trace_print_stats(l->perf);
  }
  if (o->time_trace && l->perf)
    ok &= trace_write(l->perf, l->diag, o->time_trace);
  if (o->exits) {
    release_at_end(l);
  } else {
    session_end(l);
    free(l);
  }
  return ok;
}

bool link_run(Options *opt, Diag *d, WeldOutput *mem) {
  Link *l = heap_alloc(sizeof *l);
  if (!begin(l, opt, d, mem)) {
    free(l);
    return false;
  }
  bool ok = l->relocatable ? link_relocatable(l) : run(l);
  if (ok)
    dependency_file(l);
  if (ok && mem)
    mem->size = l->file_size;
  return session_finish(l, ok);
}
