/* scripts.c: see scripts.h. The trap: INSERT moves statements, but not when they are asked for input sections: those of a script that
 * INSERTs come before those of the layout into which they are put (LAYOUT_FIRST). */
#include "scripts.h"

#include <stdlib.h>

#include "script/emulation.h"
#include "script/script.h"
#include "util/glob.h"
#include "util/near.h"

enum { MAX_STATEMENTS = 0xffff }; /* Link.rules has 16 bits */

/* ---- settings ---- */

static bool include(void *ctx, const char *name, const char *from, Bytes *text, const char **path) {
  Link *l = ctx;
  Opened o;
  int state = input_open(l, name, &o);
  (void)from;
  for (u32 i = 0; !state && name[0] != '/' && i < l->opt->lib_dirs.n; i++)
    state = input_open(l, arena_printf(&l->arena, "%s/%s", l->opt->lib_dirs.at[i], name), &o);
  if (state <= 0)
    return false;
  *text = o.data;
  *path = o.path;
  return true;
}

/* Systems call their own formats what they are, with their name behind: elf64-x86-64-freebsd. */
static const Emulation *emulation_of_target(Link *l, const char *name) {
  const Emulation *e = emulation_of_format(name);
  static const char *const systems[] = {"-freebsd", "-sol2", "-haiku", "-nacl", "-linux"};
  u64 n = strlen(name);
  for (u32 i = 0; !e && i < COUNT_OF(systems); i++) {
    u64 m = strlen(systems[i]);
    if (n > m && streq(name + n - m, systems[i]))
      e = emulation_of_format(arena_strndup(&l->arena, name, n - m));
  }
  return e;
}

/* OUTPUT_FORMAT: what the link is for was settled by -m or the first object; a script can only agree, or ask for a plain image. */
static void apply_format(Link *l, const Script *s) {
  u32 which = l->opt->endian == 'B' && s->output_format[1] ? 1 : l->opt->endian == 'L' && s->output_format[2] ? 2 : 0;
  const char *name = s->output_format[which];
  if (!name || l->opt->oformat_given || streq(name, "default"))
    return;
  if (streq(name, "binary")) {
    l->opt->oformat_binary = true;
    l->opt->strip = STRIP_ALL;
    return;
  }
  const Emulation *e = emulation_of_target(l, name);
  if (!e)
    script_report(l, DIAG_ERROR, s->output_format_at, "output format '%s' is not supported", name);
  else if (l->format->name && !streq(e->format, l->format->name))
    script_report(l, DIAG_ERROR, s->output_format_at, "output format '%s' does not fit this link, which is for %s; -m %s chooses it", name,
                  l->format->name, e->name);
}

static void apply_arch(Link *l, const Script *s) {
  static const char *const known[] = {"i386", "i386:x86-64", "i386:x64-32", "i386:intel", "i386:x86-64:intel", "i386:x64-32:intel", "i8086"};
  Near n = near_to(s->output_arch);
  for (u32 i = 0; i < COUNT_OF(known); i++) {
    if (streq(s->output_arch, known[i]))
      return;
    near_try(&n, known[i]);
  }
  script_report(l, DIAG_ERROR, s->output_arch_at, "unknown architecture '%s'%s%s%s", s->output_arch, n.best ? "; did you mean '" : "",
                n.best ? n.best : "", n.best ? "'?" : "");
}

static void apply_target(Link *l, const Script *s) {
  if (!streq(s->target, "binary") && !streq(s->target, "default") && !emulation_of_target(l, s->target))
    script_report(l, DIAG_ERROR, s->target_at, "input format '%s' is not supported", s->target);
}

static void apply_settings(Link *l, Scripts *all, Script *s) {
  Options *o = l->opt;
  for (u32 i = 0; i < s->search_dirs.n; i++) {
    const char *d = s->search_dirs.at[i];
    u32 skip = d[0] == '=' ? 1 : starts_with(d, "$SYSROOT") ? 8 : 0;
    *vec_push(&o->lib_dirs) = skip && o->sysroot ? arena_printf(&l->arena, "%s%s", o->sysroot, d + skip) : d + skip;
  }
  for (u32 i = 0; i < s->externs.n; i++)
    *vec_push(&o->undefined) = s->externs.at[i];
  if (s->entry)
    all->entry = s->entry;
  if (s->output && streq(o->output, "a.out"))
    o->output = s->output;
  if (s->map_file && !o->map_file)
    o->map_file = s->map_file;
  if (s->output_arch)
    apply_arch(l, s);
  if (s->target)
    apply_target(l, s);
  apply_format(l, s);
  if (s->force_common)
    o->define_common = true;
  if (s->force_group)
    o->force_group_allocation = true;
  if (s->inhibit_common && !o->relocatable)
    diag_warn(l->diag, "script", "%s: INHIBIT_COMMON_ALLOCATION is not supported: common symbols get space", s->layout.name);
  if (s->has_version) {
    for (u32 i = 0; i < s->version.nodes.n; i++)
      *vec_push(&o->version_script.nodes) = s->version.nodes.at[i];
    s->version.nodes.n = 0; /* the options own what is in them now */
    o->has_version_script = true;
  }
}

/* A file that a pattern names without wildcards is an input. GNU ld manual, "Input Section Basics". */
static void add_named_files(Link *l, Script *s, u32 first) {
  for (u32 i = first; i < s->layout.nstmts; i++) {
    const LayoutStmt *st = &s->layout.stmts[i];
    for (u32 k = 0; st->kind == LAYOUT_OUTPUT && k < st->npatterns; k++) {
      const char *file = st->patterns[k].file;
      if (!file || glob_has_magic(file) || strchr(file, ':') || (k && st->patterns[k - 1].file && streq(st->patterns[k - 1].file, file)))
        continue;
      *vec_push(&s->inputs) = (ScriptInput){.name = glob_unescape(arena_strdup(&l->arena, file)), .named = true, .file = st->file,
                                            .line = st->line, .col = st->col};
    }
  }
}

const Script *scripts_read(Link *l, Scripts *all, const Opened *o, bool main) {
  Script *s = ARENA_NEW(&l->arena, Script);
  s->open = include;
  s->open_ctx = l;
  s->linker_version = l->opt->linker_version;
  s->layout = all->layout;
  bool ok = script_parse(&l->arena, l->diag, o->path, o->data, s);
  for (u32 i = 0; i < s->texts.n; i++)
    *vec_push(&l->script_texts) = s->texts.at[i];
  if (!ok) {
    script_free(s);
    return NULL;
  }
  if (s->has_sections && !main)
    diag_warn(l->diag, "script", "%s has SECTIONS, which are added to the layout of the link; -T %s would replace it", o->path, o->path);
  apply_settings(l, all, s);
  if (main)
    add_named_files(l, s, all->layout.nstmts);
  for (u32 i = 0; i < s->inserts.n; i++)
    *vec_push(&all->inserts) = s->inserts.at[i];
  all->layout = s->layout;
  all->has_sections |= main && s->has_sections;
  ScriptInput *inputs = ARENA_ARRAY(&l->arena, ScriptInput, s->inputs.n);
  if (s->inputs.n)
    memcpy(inputs, s->inputs.at, s->inputs.n * sizeof *inputs);
  u32 n = s->inputs.n;
  script_free(s);
  s->inputs.at = inputs; /* in the arena from here on */
  s->inputs.n = s->inputs.cap = n;
  return s;
}

/* ---- the layout of all ---- */

/* A statement and what INSERT has to do with it. */
typedef struct {
  LayoutStmt st;
  bool inserted;
} Placed;
typedef VEC(Placed) Order;

/* Where statements go that stand behind the one at `after`, -1: before the first: behind the assignments that follow it, but before one to `.`, which is
 * the next section's business. At the beginning the first of those is the image's base. This is how GNU ld looks for a place. */
static u32 place_behind(const Order *y, i64 after) {
  i64 dot = -1;
  bool base = after < 0;
  for (u32 i = (u32)(after + 1); i < y->n; i++) {
    const LayoutStmt *st = &y->at[i].st;
    if (st->kind == LAYOUT_OUTPUT)
      return dot >= 0 ? (u32)dot : i;
    if (st->kind == LAYOUT_ASSIGN && dot < 0 && streq(st->name, ".")) {
      if (!base)
        dot = i;
      base = false;
    }
  }
  return y->n;
}

static void insert(Link *l, const Scripts *all, Order *y, const ScriptInsert *in) {
  i64 at = -1;
  for (u32 i = 0; i < y->n && at < 0; i++)
    if (!y->at[i].inserted && y->at[i].st.kind == LAYOUT_OUTPUT && streq(y->at[i].st.name, in->name))
      at = i;
  if (at < 0) {
    Near near = near_to(in->name);
    for (u32 i = 0; i < y->n; i++)
      if (!y->at[i].inserted && y->at[i].st.kind == LAYOUT_OUTPUT)
        near_try(&near, y->at[i].st.name);
    script_report(l, DIAG_ERROR, SCRIPT_PLACE(in), "there is no output section '%s' to INSERT %s%s%s%s", in->name,
                  in->before ? "BEFORE" : "AFTER", near.best ? "; did you mean '" : "", near.best ? near.best : "", near.best ? "'?" : "");
    return;
  }
  if (in->before)
    do
      at--;
    while (at >= 0 && y->at[at].st.kind != LAYOUT_OUTPUT);
  u32 to = place_behind(y, at), n = in->end - in->first, behind = y->n - to;
  vec_reserve(y, y->n + n);
  memmove(y->at + to + n, y->at + to, behind * sizeof *y->at);
  for (u32 i = 0; i < n; i++) {
    y->at[to + i] = (Placed){all->layout.stmts[in->first + i], true};
    y->at[to + i].st.flags |= LAYOUT_FIRST;
  }
  y->n += n;
}

static bool moves(const Scripts *all, u32 stmt) {
  for (u32 i = 0; i < all->inserts.n; i++)
    if (stmt >= all->inserts.at[i].first && stmt < all->inserts.at[i].end)
      return true;
  return false;
}

/* ---- names ---- */

static void check_region(Link *l, const LayoutDesc *y, const LayoutStmt *st, const char *name) {
  if (!name)
    return;
  for (u32 i = 0; i < y->nregions; i++)
    if (streq(y->regions[i].name, name))
      return;
  Near n = near_to(name);
  for (u32 i = 0; i < y->nregions; i++)
    near_try(&n, y->regions[i].name);
  script_report(l, DIAG_ERROR, SCRIPT_PLACE(st), "output section %s goes to memory region '%s', which is not declared%s%s%s", st->name, name,
                n.best ? "; did you mean '" : "", n.best ? n.best : "", n.best ? "'?" : "");
}

static void check_phdr(Link *l, const LayoutDesc *y, const LayoutStmt *st, const char *name) {
  if (streq(name, "NONE"))
    return;
  for (u32 i = 0; i < y->nphdrs; i++)
    if (streq(y->phdrs[i].name, name))
      return;
  Near n = near_to(name);
  for (u32 i = 0; i < y->nphdrs; i++)
    near_try(&n, y->phdrs[i].name);
  script_report(l, DIAG_ERROR, SCRIPT_PLACE(st), "output section %s goes to program header '%s', which is not declared%s%s%s", st->name, name,
                n.best ? "; did you mean '" : "", n.best ? n.best : "", n.best ? "'?" : "");
}

static void check_names(Link *l, const LayoutDesc *y) {
  for (u32 i = 0; i < y->nstmts; i++) {
    const LayoutStmt *st = &y->stmts[i];
    if (st->kind != LAYOUT_OUTPUT)
      continue;
    check_region(l, y, st, st->region);
    check_region(l, y, st, st->lma_region);
    for (u32 k = 0; st->phdrs && st->phdrs[k]; k++)
      check_phdr(l, y, st, st->phdrs[k]);
  }
}

/* A link without SECTIONS of its own has those of the emulation's script, read like any other. */
static void use_default(Link *l, Scripts *all) {
  Script *s = ARENA_NEW(&l->arena, Script);
  script_parse(&l->arena, l->diag, "default linker script", emulation_script(&l->arena, l->emulation, l->opt), s);
  l->layout = &s->layout;
  l->scripted = l->default_script = true;
  if (!all->entry)
    all->entry = s->entry;
  for (u32 i = 0; i < s->texts.n; i++)
    *vec_push(&l->script_texts) = s->texts.at[i];
  script_free(s);
}

void scripts_settle(Link *l, Scripts *all) {
  if (!all->has_sections && !l->layout)
    use_default(l, all);
  if (all->entry && !l->opt->entry)
    l->opt->entry = all->entry;
  const LayoutDesc *base = l->layout, *own = &all->layout;
  if (!all->has_sections && !own->nstmts && !own->nregions && !own->nphdrs && !own->nnocross) {
    vec_free(&all->inserts);
    return;
  }
  Order y = {0};
  l->scripted |= all->has_sections;
  /* Options come before scripts, which may use what they define. */
  l->defsyms_placed = true;
  for (u32 i = 0; i < l->opt->defsyms.n; i++) {
    const Defsym *d = &l->opt->defsyms.at[i];
    u32 flags = (d->provide ? LAYOUT_PROVIDE : 0) | (d->hidden ? LAYOUT_HIDDEN : 0);
    *vec_push(&y) = (Placed){.st = {.kind = LAYOUT_ASSIGN, .flags = flags, .name = d->name, .expr = d->value}};
  }
  for (u32 i = 0; !all->has_sections && i < base->nstmts; i++)
    *vec_push(&y) = (Placed){base->stmts[i], false};
  for (u32 i = 0; i < own->nstmts; i++)
    if (!moves(all, i)) {
      Placed *p = vec_push(&y);
      *p = (Placed){own->stmts[i], false};
      if (!all->has_sections && p->st.kind == LAYOUT_ASSIGN)
        p->st.flags |= LAYOUT_FIRST;
    }
  for (u32 i = 0; i < all->inserts.n; i++)
    insert(l, all, &y, &all->inserts.at[i]);
  if (y.n > MAX_STATEMENTS)
    diag_error(l->diag, "script", "the scripts have more than %d statements", MAX_STATEMENTS);

  LayoutDesc *d = ARENA_NEW(&l->arena, LayoutDesc);
  LayoutStmt *stmts = ARENA_ARRAY(&l->arena, LayoutStmt, y.n);
  for (u32 i = 0; i < y.n; i++)
    stmts[i] = y.at[i].st;
  *d = *own;
  d->name = all->has_sections ? own->name : base->name;
  d->stmts = stmts;
  d->nstmts = MIN(y.n, (u32)MAX_STATEMENTS);
  l->layout = d;
  check_names(l, d);
  vec_free(&y);
  vec_free(&all->inserts);
}
