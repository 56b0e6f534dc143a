/* graph.c: `weld -core`, the core linker on text. The same resolver, coalescing and passes as link.c, each on its
 * own: what a test says goes in, the graph as it is then comes out.
 * The trap: text has no command line that asks for a program, so nothing is added that the text does not name: no
 * symbols of weld's own, no sections, and no addresses but for passes that ask for them. */
#include "graph.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch/aarch64.h"
#include "arch/i386.h"
#include "arch/x86_64.h"
#include "core/coalesce.h"
#include "core/deadstrip.h"
#include "core/ehframe.h"
#include "core/icf.h"
#include "core/link.h"
#include "core/order.h"
#include "core/report.h"
#include "core/resolve.h"
#include "core/scan.h"
#include "core/slots.h"
#include "core/thunks.h"
#include "format/elf.h"
#include "format/yaml_graph.h"
#include "pass/export.h"
#include "read/elf.h"
#include "read/elf_machine.h"
#include "read/macho.h"
#include "read/yaml.h"
#include "read/yaml_text.h"
#include "session.h"
#include "util/outfile.h"
#include "write/elf_object.h"
#include "write/elf_synths.h"
#include "write/yaml.h"

static const LayoutDesc no_layout = {.name = "core"}; /* sections are what the text says */

/* ---- inputs ---- */

/* A pipe or a device, to its end. */
static bool read_stream(Link *l, FILE *f, Bytes *out) {
  enum { STEP = 64 << 10, MOST = 1 << 30 };
  VEC(u8) v = {0};
  size_t n;
  do {
    vec_reserve(&v, v.n + STEP);
    n = fread(v.at + v.n, 1, STEP, f);
    v.n += (u32)n;
  } while (n && v.n < MOST);
  bool ok = !ferror(f) && !n;
  if (n)
    errno = EFBIG;
  u8 *p = arena_alloc(&l->arena, v.n + 1ull, 16);
  memcpy(p, v.at, v.n);
  *out = (Bytes){p, v.n};
  vec_free(&v);
  return ok;
}

static bool read_all(Link *l, const char *path, Bytes *out) {
  FILE *f = streq(path, "-") ? stdin : fopen(path, "rb");
  struct stat st;
  bool ok = f && !fstat(fileno(f), &st);
  if (ok && S_ISREG(st.st_mode) && st.st_size && f != stdin) {
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fileno(f), 0);
    ok = p != MAP_FAILED;
    *out = (Bytes){p, (u64)st.st_size};
    if (ok)
      *vec_push(&l->maps) = *out;
  } else if (ok) {
    ok = read_stream(l, f, out);
  }
  if (!ok)
    diag_error(l->diag, f ? "cannot-read" : "cannot-open", "cannot %s %s: %s", f ? "read" : "open", path, strerror(errno));
  if (f && f != stdin)
    fclose(f);
  return ok;
}

typedef enum { IN_TEXT, IN_ELF, IN_MACHO } InputFormat;
static const char *const input_formats[] = {"text", "ELF", "Mach-O"};

static bool is_elf(Bytes b) { return b.len > SELFMAG && !memcmp(b.p, ELFMAG, SELFMAG); }

static InputFormat format_of(Bytes b) { return is_elf(b) ? IN_ELF : macho_is(b, NULL, NULL) ? IN_MACHO : IN_TEXT; }

static const Arch *const arches[] = {&arch_x86_64, &arch_i386, &arch_aarch64};

static const Arch *arch_named(const char *name) {
  for (u32 i = 0; i < COUNT_OF(arches); i++)
    if (streq(arches[i]->name, name))
      return arches[i];
  return &arch_x86_64;
}

/* What an ELF file is for; one that is for none of weld's CPUs says so when it is opened. */
static const ElfMachine *machine_of(Bytes b) {
  const ElfMachine *m = elf_machine_of(b);
  return m ? m : &elf_x86_64;
}

static void add_object(Link *l, const char *path, Bytes b) {
  if (is_elf(b) && machine_of(b) == &elf_x32) /* no triple says so, and its kinds bear the names of x86-64's */
    diag_error(l->diag, "unsupported-target", "%s: is an ELF object for %s, which has no text form", path, elf_x32.cpu);
  else if (is_elf(b) && l->arch != arch_named(machine_of(b)->cpu))
    diag_error(l->diag, "mixed-targets", "%s: is for %s, this link is for %s", path, machine_of(b)->cpu, l->arch->name);
  else if (is_elf(b) && (b.len < 18 || rd16(b.p + 16) != ET_REL))
    diag_error(l->diag, "not-an-object", "%s: is not a relocatable object", path);
  else
    *vec_push(&l->files) = (File){.kind = FILE_OBJECT, .path = path, .arg = path, .data = b};
}

/* Layout gives addresses as it does to a program, but there is no file to lay out. */
static void no_header(const Link *l, Osec *o) { (void)l, (void)o; }
static u64 no_headers(Link *l) { return (void)l, 0; }
static void no_segments(Link *l) { (void)l; }

/* The passes that make slots know those of ELF. */
static void refuse_slots(Link *l) {
  for (u32 i = 0; i < l->opt->passes.n; i++) {
    const char *p = l->opt->passes.at[i];
    if (streq(p, "got") || streq(p, "stubs") || streq(p, "tls"))
      diag_error(l->diag, "pass", "pass '%s' makes slots as ELF has them: not for Mach-O objects", p);
  }
}

/* Without --target the CPU is that of the first object. */
static void choose_arch_of_object(Link *l, Bytes b) {
  u32 cpu;
  if (l->opt->target_triple)
    return;
  if (is_elf(b)) {
    l->arch = arch_named(machine_of(b)->cpu);
    if (l->arch == &arch_i386) /* text without a triple is for x86-64 */
      l->opt->target_triple = "i386-linux-gnu";
  }
  if (!macho_is(b, NULL, &cpu))
    return;
  bool arm64 = cpu == macho_cpu_of(&arch_aarch64);
  l->opt->target_triple = arm64 ? "arm64-apple-macos" : "x86_64-apple-macos";
  if (arm64)
    l->arch = &arch_aarch64;
}

static const char *first_triple(const YamlStream *s) {
  for (u32 i = 0; i < s->n; i++) {
    const YamlFile *f = &s->files[i];
    if (f->triple)
      return f->triple;
    for (u32 k = 0; k < f->nmembers; k++)
      if (f->members[k].content.triple)
        return f->members[k].content.triple;
  }
  return NULL;
}

/* Of the first text: what its first triple says. */
static void choose_arch_of_text(Link *l, const YamlStream *s) {
  const char *triple = l->opt->cpu ? NULL : first_triple(s);
  for (u32 i = 0; triple && i < COUNT_OF(arches); i++)
    if (arch_is_meant(arches[i], triple))
      l->arch = arches[i];
}

/* All inputs are text, or all are relocatable objects of one format: a link has one. */
static void load(Link *l) {
  InputFormat in = IN_TEXT;
  const ElfMachine *machine = &elf_x86_64;
  for (u32 i = 0; i < l->opt->inputs.n; i++) {
    const char *path = l->opt->inputs.at[i].name, *shown = streq(path, "-") ? "<stdin>" : path;
    YamlStream *s = ARENA_NEW(&l->arena, YamlStream);
    Bytes b;
    if (l->opt->inputs.at[i].mem)
      b = (Bytes){l->opt->inputs.at[i].mem, l->opt->inputs.at[i].mem_len};
    else if (!read_all(l, path, &b))
      continue;
    if (i && in != format_of(b)) {
      diag_error(l->diag, "mixed-inputs", "%s: inputs of different formats don't mix: %s is %s", shown, l->opt->inputs.at[0].name, input_formats[in]);
      continue;
    }
    in = format_of(b);
    if (in != IN_TEXT) {
      if (!i)
        choose_arch_of_object(l, b);
      if (!i && is_elf(b))
        machine = machine_of(b);
      add_object(l, shown, b);
    } else if (yaml_read(&l->arena, l->diag, shown, b, s)) {
      if (!i)
        choose_arch_of_text(l, s);
      yaml_add_files(l, s, shown, b);
    }
    diag_flush(l->diag); /* places are in order within a text only */
  }
  Format *f = ARENA_NEW(&l->arena, Format);
  if (in == IN_ELF) {
    elf_format_init(f, machine);
  } else if (in == IN_MACHO) {
    macho_format_init(f);
    refuse_slots(l);
  } else {
    yaml_format_init(f);
    f->atom_flags = elf_atom_flags; /* sections that passes make have those of ELF */
    f->word = l->arch == &arch_i386 ? 4 : 8;
    f->rel = l->arch == &arch_i386;
  }
  f->output_section = no_header;
  f->plan_segments = no_headers;
  f->finish_segments = no_segments;
  l->format = f;
}

/* ---- the story ---- */

/* --keep-globals: what other files could see stays, unless the text gives it up. */
static void keep_globals(Link *l) {
  for (u32 i = 0; l->opt->keep_globals && i < l->syms.nglobal; i++) {
    SymRec r;
    u64 key = l->syms.key[i]; /* the survivor's own scope counts, not what others of its name said */
    if (l->syms.atom[i] && !(l->syms.flags[i] & SF_VERSION_LOCAL) && l->format->symbols(l, (FileId){key_file(key)}, key_index(key), &r, 1) && !r.vis)
      l->syms.flags[i] |= SF_EXPORTED;
  }
}

static void strip_dead(Link *l) {
  l->opt->gc_sections = true; /* the pass was asked for, if not the option */
  deadstrip(l);
  resolve_dead(l);
}

enum {
  NEEDS_GOT = NEED_GOT | NEED_COPY,
  NEEDS_STUBS = NEED_PLT | NEED_CPLT,
  NEEDS_TLS = NEED_GOTTP | NEED_TLSGD | NEED_TLSDESC,
};

/* One scan finds what all of them need; what nobody asked for is forgotten. */
static void make_slots(Link *l) {
  static const struct {
    const char *name;
    u8 needs;
  } rows[] = {{"got", NEEDS_GOT}, {"stubs", NEEDS_STUBS}, {"tls", NEEDS_TLS}};
  u8 wanted = 0;
  if (l->slots)
    return; /* by an earlier one of these */
  for (u32 i = 0; i < l->opt->passes.n; i++)
    for (u32 k = 0; k < COUNT_OF(rows); k++)
      wanted |= streq(rows[k].name, l->opt->passes.at[i]) ? rows[k].needs : 0;
  export_symbols(l); /* who is imported needs a slot */
  slots_scan(l);
  for (u32 i = 0; i < l->syms.ntotal; i++)
    l->syms.needs[i] &= wanted;
  if (!(wanted & NEEDS_TLS))
    l->slots->uses_tlsld = l->uses_tlsld = false;
  got_allocate(l);
}

static void fold_all(Link *l) {
  l->opt->icf = ICF_ALL;
  icf(l);
}

static bool asked_for(const Link *l, const char *pass) {
  for (u32 i = 0; i < l->opt->passes.n; i++)
    if (streq(pass, l->opt->passes.at[i]))
      return true;
  return false;
}

/* Each output section holds what the text has in one section, in the order of the text or of pass order. Islands need addresses, but show
 * none. */
static void lay_out(Link *l) {
  if (l->osecs.n)
    return; /* by an earlier one of these */
  if (asked_for(l, "thunks"))
    thunks_begin(l, plt_place);
  layout_assign(l);
  layout_addresses(l);
  if (!asked_for(l, "layout"))
    return;
  l->addressed = true;
  icf_addresses(l);
  resolve_addresses(l);
}

static const struct {
  const char *name;
  void (*run)(Link *l);
} passes[] = {{"icf", fold_all}, {"merge", coalesce_content}, {"order", order}, {"dead-strip", strip_dead}, {"got", make_slots}, {"stubs", make_slots}, {"tls", make_slots}, {"thunks", lay_out}, {"layout", lay_out}};

static void run_passes(Link *l) {
  for (u32 i = 0; i < l->opt->passes.n; i++)
    for (u32 k = 0; k < COUNT_OF(passes); k++)
      if (streq(passes[k].name, l->opt->passes.at[i]))
        passes[k].run(l);
}

static void report_lost_name(Link *l, u64 order, const char *name) {
  diag_report(l->diag, DIAG_ERROR, "undefined-symbol", order, "undefined symbol: %s", diag_name(l->diag, name));
}

enum { MENTIONED = 1, HAS_FALLBACK = 2, REFERRED_TO = 4 };

/* What a live atom refers to after fallbacks. A local target that is gone stood in a group that fell. */
static void find_missing(Link *l, u32 a, u8 *missing) {
  EdgeCursor c = {.atom = {a}};
  Edge e[EDGE_BATCH];
  for (u32 n; (n = l->format->edges(l, &c, e));)
    for (u32 k = 0; k < n; k++) {
      if (e[k].kind >= EDGE_LAYOUT_AFTER || e[k].target == UINT32_MAX)
        continue;
      if (e[k].target < l->syms.nglobal)
        missing[e[k].target] |= (l->syms.flags[e[k].target] & (SF_UNDEFINED | SF_REF_STRONG)) == (SF_UNDEFINED | SF_REF_STRONG) ? REFERRED_TO : 0;
      else if (e[k].flags & SF_DISCARDED)
        report_lost_name(l, sym_order(l, e[k].target), sym_name(l, e[k].target));
    }
}

/* Undefined atoms count even if nobody refers to them, unless dead strip took them. */
static void find_undefined_atoms(Link *l, u32 f, u8 *missing) {
  const File *file = &l->files.at[f];
  YamlAtom y;
  for (u32 i = file->first_global; i < file->nsyms; i++) {
    u32 sym = file->globals[i - file->first_global];
    if (sym != UINT32_MAX && l->syms.flags[sym] & SF_UNDEFINED && l->format->describe_symbol(l, (FileId){f}, i, &l->arena, &y))
      missing[sym] |= (y.can_be_null != YAML_CAN_BE_NULL_AT_BUILDTIME ? MENTIONED : 0) | (y.fallback ? HAS_FALLBACK : 0);
  }
}

static void report_missing(Link *l) {
  if (!l->opt->undefines_are_errors)
    return;
  u8 *missing = heap_alloc(l->syms.nglobal + 1ull);
  for (u32 f = 1; f < l->files.n && !l->opt->gc_sections; f++)
    if (l->files.at[f].live)
      find_undefined_atoms(l, f, missing);
  for (u32 a = 1; a < l->atoms.n; a++)
    if (l->atoms.flags[a] & ATOM_LIVE)
      find_missing(l, a, missing);
  for (u32 i = 0; i < l->syms.nglobal; i++)
    if (missing[i] & REFERRED_TO || (missing[i] & (MENTIONED | HAS_FALLBACK)) == MENTIONED)
      report_lost_name(l, sym_order(l, i), l->syms.name[i].p);
  free(missing);
}

static bool put_out(Link *l) {
  const char *path = l->opt->output;
  bool to_stdout = !path || streq(path, "-");
  FILE *f = to_stdout ? stdout : fopen(path, "wb");
  bool ok = f && yaml_dump(l, f);
  if (f && !to_stdout)
    ok = !fclose(f) && ok;
  if (!ok)
    diag_error(l->diag, "cannot-write", "cannot write %s: %s", to_stdout ? "standard output" : path, strerror(errno));
  if (!ok && f && !to_stdout)
    unlink(path);
  return ok;
}

/* ---- what an ELF object says of itself as a whole ---- */

typedef enum { ABOUT_STACK, ABOUT_FEATURES, ABOUT_ADDRESSES, ABOUT_CALLS, ABOUT_KINDS } About;
static const char *const about_names[ABOUT_KINDS] = {".note.GNU-stack", ".note.gnu.property", ".llvm_addrsig", ".llvm.call-graph-profile"};

typedef struct {
  VEC(u32) atoms; /* of that name, in order */
  u32 files;      /* that have one */
} AboutAtoms;

static bool asks_for_stack(Link *l, u32 a) {
  YamlAtom y;
  l->format->describe(l, (AtomId){a}, &l->arena, &y);
  return y.section_flags & SHF_EXECINSTR;
}

static bool same_bytes(const Link *l, const AboutAtoms *v) {
  const Atom *first = &l->atoms.at[v->atoms.at[0]];
  for (u32 i = 1; i < v->atoms.n; i++) {
    const Atom *a = &l->atoms.at[v->atoms.at[i]];
    if (a->size != first->size || (a->size && (!a->data || !first->data || memcmp(a->data, first->data, a->size))))
      return false;
  }
  return true;
}

/* Which of the atoms speaks for all files, or UINT32_MAX: each; v->atoms.n: none. */
static u32 speaker(Link *l, About about, const AboutAtoms *v, u32 files) {
  u32 n = v->atoms.n, k = 0;
  switch (about) {
  case ABOUT_STACK: /* what any asks for */
    while (k < n && !asks_for_stack(l, v->atoms.at[k]))
      k++;
    return k < n ? k : 0;
  case ABOUT_FEATURES: return v->files == files && same_bytes(l, v) ? 0 : n; /* what all promise */
  case ABOUT_ADDRESSES: return v->files == files ? UINT32_MAX : n; /* in a file without a table, anything is significant */
  case ABOUT_CALLS: return n == 1 ? 0 : n; /* a hint */
  case ABOUT_KINDS: break;
  }
  return n;
}

/* Of several files, one object: what one says of itself holds for the others only by the linker's rules. */
static void join_notes(Link *l) {
  AboutAtoms about[ABOUT_KINDS] = {0};
  u32 files = 0;
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    bool has[ABOUT_KINDS] = {0};
    if (!file->live || file->natoms < 2)
      continue;
    files++;
    for (u32 a = file->atom_base + 1; a < file->atom_base + file->natoms; a++)
      for (u32 k = 0; k < ABOUT_KINDS && l->atoms.flags[a] & ATOM_LIVE; k++)
        if (streq(l->format->atom_name(l, (AtomId){a}), about_names[k])) {
          *vec_push(&about[k].atoms) = a;
          about[k].files += !has[k];
          has[k] = true;
        }
  }
  for (u32 k = 0; k < ABOUT_KINDS; k++) {
    u32 keep = files > 1 && about[k].atoms.n ? speaker(l, (About)k, &about[k], files) : UINT32_MAX;
    for (u32 i = 0; keep != UINT32_MAX && i < about[k].atoms.n; i++)
      if (i != keep)
        l->atoms.flags[about[k].atoms.at[i]] = ATOM_DISCARDED;
    vec_free(&about[k].atoms);
  }
}

/* Files are one graph after this: names have met, and what lost is gone. */
static bool join(Link *l) {
  resolve_open(l);
  if (!checkpoint(l))
    return false;
  if (l->opt->entry)
    weld_name(l, l->opt->entry, WELD_REF, NULL, false); /* a root, and a reason to load a member */
  resolve_names(l);                                     /* one number for each name; loads archive members */
  resolve_atoms(l);                                     /* groups settle by name */
  elf_synths_init(l);                                   /* ELF's tentative definitions need theirs; the passes that make slots, too */
  resolve_symbols(l);                                   /* definitions compete by their merge rules */
  if (streq(l->format->name, "yaml"))
    yaml_settle_fallbacks(l);
  report_duplicates(l);                                 /* while those that lost are still there */
  coalesce_names(l);                                    /* an atom that lost its name is gone */
  coalesce_content(l);                                  /* after names: an edge by name leads to the winner */
  join_notes(l);                                        /* one object, one note of a kind */
  keep_globals(l);
  ehframe_parse(l);                                     /* an FDE's edges are its function's */
  return true;
}

/* What there is for some CPUs only. After the inputs are known. */
static void check_target(const Link *l) {
  static const char *const need_scan[] = {"got", "stubs", "tls"};
  for (u32 i = 0; !l->arch->scan && i < COUNT_OF(need_scan); i++)
    if (asked_for(l, need_scan[i]))
      diag_error(l->diag, "unsupported-target", "there is no pass '%s' for target %s", need_scan[i], l->arch->name);
  if (l->opt->relocatable && l->arch == &arch_aarch64)
    diag_error(l->diag, "unsupported-target", "-r: ELF objects are written for x86_64 and i386 only, not for %s", l->arch->name);
}

static bool run(Link *l) {
  load(l);
  check_target(l);
  if (asked_for(l, "icf")) /* readers say who may be folded only to those who fold */
    l->opt->icf = ICF_ALL;
  if (!checkpoint(l) || !join(l))
    return false;
  if (l->opt->gc_sections)
    strip_dead(l);
  run_passes(l);
  report_missing(l);
  if (!checkpoint(l))
    return false;
  return l->opt->relocatable ? elf_object_write(l) : put_out(l);
}

static void begin(Link *l, Options *opt, Diag *d) {
  session_begin(l, opt, d);
  if (opt->cpu)
    l->arch = arch_named(opt->cpu);
  l->layout = &no_layout;
  l->is_pic = opt->kind != OUTPUT_EXEC;
  l->is_dynamic = true;
}

bool graph_run(Options *opt, Diag *d) {
  Link *l = heap_alloc(sizeof *l);
  begin(l, opt, d);
  bool ok = run(l);
  session_end(l);
  free(l);
  return ok;
}

/* ---- a file of a link, as it was read ---- */

static void drop_message(void *ctx, DiagLevel level, const char *code, const char *text) { (void)ctx, (void)level, (void)code, (void)text; }

void graph_write_file(const File *file, YamlOut *w) {
  Options o;
  Diag *d = diag_create();
  Link *l = heap_alloc(sizeof *l);
  diag_configure(d, &(DiagOptions){.sink = drop_message}); /* the link itself reports what is wrong */
  options_init(&o);
  o.commons_stay = true;
  o.whole_objects = true;
  o.threads = 1;
  begin(l, &o, d);
  Format *f = ARENA_NEW(&l->arena, Format);
  if (macho_is(file->data, NULL, NULL))
    macho_format_init(f);
  else
    elf_format_init(f, machine_of(file->data));
  choose_arch_of_object(l, file->data);
  l->format = f;
  *vec_push(&l->files) = (File){.kind = file->kind, .path = file->path, .arg = file->arg, .data = file->data, .just_symbols = file->just_symbols};
  if (join(l))
    yaml_dump_atoms(l, w);
  session_end(l);
  free(l);
  diag_flush(d);
  diag_destroy(d);
  options_free(&o);
}
