/* inputs_macho.c: from the command line of Apple's linker to Link.files: objects, archives, dynamic libraries and text
 * stubs, by path, by -l and -framework, and as objects ask for them.
 * The trap: FileIds are places on the command line, so what is found is kept in order (MachoInputs.pending) and becomes
 * files at the end, when archives have been listed on all threads. */
#include "inputs_macho.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/weld_version.h"
#include "format/macho.h"
#include "format/macho_object.h"
#include "inputs_macho_internal.h"
#include "read/macho.h"
#include "read/tbd.h"

/* ---- kinds ---- */

typedef enum { MEMBER_OBJECT, MEMBER_OBJC /* with Objective-C in it */, MEMBER_BITCODE, MEMBER_OTHER } MemberKind;

static u32 member_kind(Bytes d) {
  u32 filetype;
  if (bytes_are_bitcode(d))
    return MEMBER_BITCODE;
  return macho_is(d, &filetype, NULL) && filetype == MH_OBJECT ? MEMBER_OBJECT : MEMBER_OTHER;
}

static u32 member_kind_objc(Bytes d) {
  u32 kind = member_kind(d);
  return kind == MEMBER_OBJECT && macho_has_objc(d) ? (u32)MEMBER_OBJC : kind;
}

static const char *cpu_of(Bytes d) {
  const MachHeader64 *h = (const MachHeader64 *)d.p;
  const char *name = macho_cpu_name(h->cputype, h->cpusubtype);
  return name ? name : "another processor";
}

bool macho_thin(MachoInputs *m, const char *path, Bytes *data) {
  const char *why;
  if (!macho_is_fat(*data))
    return true;
  if (macho_slice(*data, m->target.cputype, data, &why))
    return true;
  if (why)
    diag_error(m->l->diag, "malformed-input", "%s: %s", path, why);
  else
    diag_warn(m->l->diag, "wrong-architecture", "%s: has no part for %s: ignored", path, m->target.arch);
  return false;
}

/* A file for another processor is left out with a warning, as ld64 has it. */
static bool is_for_target(MachoInputs *m, const char *path, const char *member, Bytes d, bool said) {
  u32 cputype;
  if (!macho_is(d, NULL, &cputype) || cputype == m->target.cputype)
    return true;
  if (!said)
    diag_warn(m->l->diag, "wrong-architecture", "%s%s%s%s: is for %s; this link is for %s: ignored", path, member ? "(" : "", member ? member : "", member ? ")" : "",
            cpu_of(d), m->target.arch);
  return false;
}

/* ---- archives ---- */

static void load_archive(MachoInputs *m, const Opened *o, const Input *in, const char *arg, bool auto_linked) {
  const DarwinOptions *x = &m->l->opt->darwin;
  bool whole = in->whole_archive || (x->all_load && !auto_linked) || (auto_linked && x->force_load_swift && starts_with(base_name(o->path), "libswift"));
  for (u32 i = 0; !in->mem && i < m->archives.n; i++) {
    ArchiveJob *j = &m->archives.at[i];
    if (j->file.dev == o->dev && j->file.ino == o->ino) {
      j->in.whole_archive |= whole;
      return;
    }
  }
  ArchiveJob j = {.file = *o, .in = *in, .arg = arg};
  j.in.whole_archive = whole;
  j.in.needed = !auto_linked; /* so that -ObjC is about it */
  *vec_push(&m->archives) = j;
  *vec_push(&m->pending) = (Pending){.archive = m->archives.n};
}

/* Of members that need not be loaded those with Objective-C are, with -ObjC. */
static const char *force_reason(const Link *l, const ArchiveJob *j, MemberKind kind) {
  if (j->in.whole_archive)
    return l->opt->darwin.all_load ? "-all_load" : "-force_load";
  return kind == MEMBER_OBJC && j->in.needed ? "-ObjC" : NULL;
}

/* `said`: an archive for another processor was complained about. */
static void add_member(MachoInputs *m, const ArchiveJob *j, const Member *x, bool *said) {
  Link *l = m->l;
  if (!is_for_target(m, j->file.path, x->m.name, x->m.data, *said)) {
    *said = true;
    return;
  }
  const char *reason = force_reason(l, j, (MemberKind)x->kind);
  if (reason && l->opt->darwin.why_load)
    printf("%s forced load of %s(%s)\n", reason, j->file.path, x->m.name);
  input_add(l, (File){.kind = FILE_OBJECT, .lazy = !reason, .path = j->file.path, .member = x->m.name, .arg = j->arg, .data = x->m.data,
                      .archive = l->archives.n, .exclude_libs = j->in.hidden});
}

static void add_members(MachoInputs *m, ArchiveJob *j) {
  Link *l = m->l;
  MemberKindFn *kind = l->opt->darwin.objc_load ? member_kind_objc : member_kind;
  bool said = false, said_arch = false;
  *vec_push(&l->archives) = (Archive){.path = j->file.path, .data = j->file.data, .thin = j->reader.thin, .members_total = j->members.n};
  for (u32 i = 0; i < j->members.n; i++) {
    Member *x = &j->members.at[i];
    if (x->elsewhere && !archive_open_thin(l, j, x, kind))
      continue;
    switch ((MemberKind)x->kind) {
    case MEMBER_OBJECT:
    case MEMBER_OBJC: add_member(m, j, x, &said_arch); break;
    case MEMBER_BITCODE:
      if (!said)
        input_bitcode(l, j->file.path, x->m.name);
      said = true;
      break;
    case MEMBER_OTHER:
      diag_report(l->diag, j->in.whole_archive ? DIAG_ERROR : DIAG_WARNING, "malformed-input", 0, "%s(%s): not an object file", j->file.path, x->m.name);
      break;
    }
  }
  archive_end(l, j);
}

/* ---- one file, whatever it is ---- */

static void load_object(MachoInputs *m, const Opened *o, Bytes data, const Input *in, const char *arg) {
  *vec_push(&m->pending) = (Pending){.file = {.kind = FILE_OBJECT, .lazy = in->start_lib, .path = o->path, .arg = arg, .data = data, .exclude_libs = in->hidden}};
}

/* `auto_linked`: an object asked for it. */
static void load_data(MachoInputs *m, Opened *o, const Input *in, const char *arg, bool auto_linked) {
  Link *l = m->l;
  u32 filetype;
  if (!o->data.len) {
    diag_error(l->diag, "malformed-input", "%s: unknown file type: the file is empty", o->path);
  } else if (tbd_is(o->data)) {
    macho_load_library(m, o, arg, auto_linked ? NULL : in, NULL);
  } else if (!macho_thin(m, o->path, &o->data)) {
    return;
  } else if (archive_is(o->data)) {
    load_archive(m, o, in, arg, auto_linked);
  } else if (macho_is(o->data, &filetype, NULL)) {
    if (!is_for_target(m, o->path, NULL, o->data, false))
      return;
    if (filetype == MH_OBJECT)
      load_object(m, o, o->data, in, arg);
    else if (filetype == MH_DYLIB || filetype == MH_DYLIB_STUB)
      macho_load_library(m, o, arg, auto_linked ? NULL : in, NULL);
    else
      diag_error(l->diag, "malformed-input", "%s: cannot link with %s", o->path, macho_filetype_name(filetype));
  } else if (bytes_are_bitcode(o->data)) {
    input_bitcode(l, o->path, NULL);
  } else {
    diag_error(l->diag, "malformed-input", "%s: offset 0x0: unknown file type: not a Mach-O object, an archive, a dynamic library or a text stub", o->path);
  }
}

static bool load_path(MachoInputs *m, const char *path, const Input *in, bool auto_linked) {
  Opened o;
  int state = input_open(m->l, path, &o);
  if (state > 0)
    load_data(m, &o, in, in->is_lib || in->is_framework ? base_name(path) : in->name, auto_linked);
  return state != 0;
}

/* ---- searching ---- */

static const char *in_dirs(MachoInputs *m, const StrVec *dirs, const char *name, const char *const *suffixes) {
  for (u32 i = 0; i < dirs->n; i++)
    for (const char *const *s = suffixes; *s; s++) {
      const char *path = arena_printf(&m->l->arena, "%s/%s%s", dirs->at[i], name, *s);
      if (macho_exists(m, path))
        return path;
    }
  return NULL;
}

/* -lNAME: a NAME that ends in .o is a file's (-lcrt1.o, of old). */
static const char *find_library(MachoInputs *m, const char *name) {
  static const char *const all[] = {".tbd", ".dylib", ".so", ".a", NULL}, *const dylibs[] = {".tbd", ".dylib", ".so", NULL}, *const archives[] = {".a", NULL},
                            *const itself[] = {"", NULL};
  const StrVec *dirs = &m->l->opt->lib_dirs;
  u64 n = strlen(name);
  if (n > 2 && streq(name + n - 2, ".o"))
    return in_dirs(m, dirs, name, itself);
  name = arena_printf(&m->l->arena, "lib%s", name);
  if (!m->l->opt->darwin.dylibs_first)
    return in_dirs(m, dirs, name, all);
  const char *path = in_dirs(m, dirs, name, dylibs);
  return path ? path : in_dirs(m, dirs, name, archives);
}

/* NAME[,SUFFIX]: the suffix (_debug) is looked for beside what the framework's symbolic link leads to. */
static const char *find_framework(MachoInputs *m, const char *arg) {
  Arena *a = &m->l->arena;
  const StrVec *dirs = &m->l->opt->darwin.framework_dirs;
  const char *comma = strchr(arg, ','), *name = comma ? arena_strndup(a, arg, (u64)(comma - arg)) : arg, *found;
  for (u32 i = 0; i < dirs->n; i++) {
    const char *path = arena_printf(a, "%s/%s.framework/%s", dirs->at[i], name, name);
    char *real = comma && comma[1] ? realpath(path, NULL) : NULL;
    const char *suffixed = real ? arena_printf(a, "%s%s", real, comma + 1) : NULL;
    free(real);
    if (suffixed && macho_exists(m, suffixed))
      return suffixed;
    if ((found = macho_library_path(m, path)))
      return found;
  }
  return NULL;
}

static void not_found(MachoInputs *m, const Input *in) {
  const StrVec *dirs = in->is_lib ? &m->l->opt->lib_dirs : &m->l->opt->darwin.framework_dirs;
  const char **notes = ARENA_ARRAY(&m->l->arena, const char *, dirs->n + 1);
  for (u32 i = 0; i < dirs->n; i++)
    notes[i] = arena_printf(&m->l->arena, "searched %s", dirs->at[i]);
  if (!dirs->n)
    notes[0] = in->is_lib ? "no directory was searched: -L and -syslibroot name none that exists" : "no directory was searched: -F and -syslibroot name none that exists";
  DiagItem item = {.level = DIAG_ERROR, .code = "library-not-found", .notes = notes, .nnotes = MAX(dirs->n, 1u),
                   .message = arena_printf(&m->l->arena, "unable to find %s%s", in->is_lib ? "library -l" : "framework ", in->name)};
  diag_report_item(m->l->diag, &item);
}

/* An absolute path is looked for below the roots first, unless it is an object's. */
static const char *reroot(MachoInputs *m, const char *path) {
  u64 n = strlen(path);
  for (u32 i = 0; path[0] == '/' && !(n > 2 && streq(path + n - 2, ".o")) && i < m->l->opt->darwin.roots.n; i++) {
    const char *root = m->l->opt->darwin.roots.at[i], *below = arena_printf(&m->l->arena, "%s%s", root, path);
    if (*root && macho_exists(m, below))
      return below;
  }
  return path;
}

static void load_input(MachoInputs *m, const Input *in) {
  if (in->mem) {
    Opened o = {.data = {in->mem, in->mem_len}, .path = in->name};
    load_data(m, &o, in, in->name, false);
    return;
  }
  if (in->is_lib || in->is_framework) {
    const char *path = in->is_lib ? find_library(m, in->name) : find_framework(m, in->name);
    if (!path || !load_path(m, path, in, false))
      not_found(m, in);
    return;
  }
  if (!load_path(m, reroot(m, in->name), in, false))
    diag_error(m->l->diag, "cannot-open", "cannot open %s: %s", in->name, strerror(ENOENT));
}

/* The program of -bundle_loader: what it exports is bound to it, but it is no library. */
static void load_bundle_loader(MachoInputs *m) {
  const char *path = m->l->opt->darwin.bundle_loader;
  u32 filetype;
  Opened o;
  if (!path)
    return;
  int state = input_open(m->l, path, &o);
  if (state == 0)
    diag_error(m->l->diag, "cannot-open", "cannot open %s: %s", path, strerror(ENOENT));
  if (state <= 0 || !macho_thin(m, path, &o.data) || !is_for_target(m, path, NULL, o.data, false))
    return;
  if (!macho_is(o.data, &filetype, NULL) || (filetype != MH_EXECUTE && filetype != MH_BUNDLE && filetype != MH_DYLIB)) {
    diag_error(m->l->diag, "malformed-input", "%s: -bundle_loader needs a program", path);
    return;
  }
  Unit *u = macho_load_library(m, &o, path, NULL, NULL);
  if (u)
    u->shared->bundle_loader = filetype != MH_DYLIB;
}

/* ---- -sub_library, -sub_umbrella ---- */

static bool reexport_by_name(MachoInputs *m, const char *name, bool dylib) {
  u64 n = strlen(name);
  for (u32 i = 0; i < m->units.n; i++) {
    const char *base = base_name(m->units.at[i]->path);
    if (!strncmp(base, name, n) && (!base[n] || streq(base + n, ".tbd") || (dylib && streq(base + n, ".dylib"))))
      return m->units.at[i]->shared->reexport = true;
  }
  return false;
}

static void reexport_listed(MachoInputs *m) {
  const DarwinOptions *x = &m->l->opt->darwin;
  for (u32 i = 0; i < x->sub_umbrellas.n; i++)
    if (!reexport_by_name(m, x->sub_umbrellas.at[i], false))
      diag_error(m->l->diag, "library-not-found", "-sub_umbrella %s: no framework of that name is linked", x->sub_umbrellas.at[i]);
  for (u32 i = 0; i < x->sub_libraries.n; i++)
    if (!reexport_by_name(m, x->sub_libraries.at[i], true))
      diag_error(m->l->diag, "library-not-found", "-sub_library %s: no library of that name is linked", x->sub_libraries.at[i]);
}

/* ---- from what is pending to files ---- */

static void add_unit(MachoInputs *m, Unit *u) {
  MachoShared *s = u->shared;
  MachoExport *p = ARENA_ARRAY(&m->l->arena, MachoExport, u->exports.n + 1);
  if (u->exports.n)
    memcpy(p, u->exports.at, u->exports.n * sizeof *p);
  s->exports = p;
  s->nexports = u->exports.n;
  vec_free(&u->exports);
  bool droppable = !s->linked || s->dead_strippable || m->l->opt->darwin.dead_strip_dylibs;
  if (m->l->opt->darwin.application_extension && !s->app_extension_safe && s->linked)
    diag_warn(m->l->diag, "application-extension", "%s: is not safe for application extensions", u->path);
  input_add(m->l, (File){.kind = FILE_SHARED, .path = u->path, .arg = u->arg, .data = u->data, .fmt = s,
                         .as_needed = droppable && !s->keep && !s->reexport});
}

static void flush(MachoInputs *m, u32 first_archive) {
  Link *l = m->l;
  if (m->archives.n > first_archive)
    archives_list(l, &m->archives.at[first_archive], m->archives.n - first_archive, l->opt->darwin.objc_load ? member_kind_objc : member_kind);
  for (u32 i = 0; i < m->pending.n; i++) {
    const Pending *p = &m->pending.at[i];
    if (p->archive)
      add_members(m, &m->archives.at[p->archive - 1]);
    else if (p->unit)
      add_unit(m, p->unit);
    else
      input_add(l, p->file);
  }
  m->pending.n = 0;
}

MachoInputs *inputs_macho_load(Link *l) {
  MachoInputs *m = heap_alloc(sizeof *m);
  const DarwinOptions *x = &l->opt->darwin;
  *m = (MachoInputs){.l = l, .target = {.arch = x->arch, .cputype = macho_cpu_of(l->arch), .platform = x->platform, .min_version = x->min_version}};
  load_bundle_loader(m);
  for (u32 i = 0; i < l->opt->inputs.n; i++)
    load_input(m, &l->opt->inputs.at[i]);
  reexport_listed(m);
  flush(m, 0);
  return m;
}

/* ---- what objects ask for ---- */

static bool lists(const StrVec *v, const char *s) {
  for (u32 i = 0; i < v->n; i++)
    if (streq(v->at[i], s))
      return true;
  return false;
}

static void collect_options(MachoInputs *m, FileId f, StrVec *libs, StrVec *frameworks) {
  const MachoObject *o = file_at(m->l, f)->fmt;
  const StrVec *unwanted = &m->l->opt->darwin.ignored_auto_links;
  for (u32 i = 0; i < o->noptions; i++) {
    const MachoLinkerOption *x = &o->options[i];
    if (x->n == 1 && starts_with(x->args[0], "-l") && x->args[0][2]) {
      if (!lists(unwanted, x->args[0] + 2))
        *vec_push(libs) = x->args[0] + 2;
    } else if (x->n == 2 && streq(x->args[0], "-framework")) {
      if (!lists(unwanted, x->args[1]))
        *vec_push(frameworks) = x->args[1];
    } else if (x->n) {
      diag_error(m->l->diag, "linker-option", "%s: %s is not allowed in LC_LINKER_OPTION", file_name(m->l, f), x->args[0]);
    }
  }
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void auto_link_some(MachoInputs *m, StrVec *names, bool framework) {
  if (names->n)
    qsort(names->at, names->n, sizeof *names->at, by_text);
  for (u32 i = 0; i < names->n; i++) {
    const char *name = names->at[i], *key = arena_printf(&m->l->arena, "%s%s", framework ? "-framework " : "-l", name);
    if ((i && streq(name, names->at[i - 1])) || lists(&m->auto_linked, key))
      continue;
    *vec_push(&m->auto_linked) = key;
    Input in = {.name = name, .is_lib = !framework, .is_framework = framework};
    const char *path = framework ? find_framework(m, name) : find_library(m, name);
    if (!path || !load_path(m, path, &in, true))
      *vec_push(&m->missing) = key;
  }
  vec_free(names);
}

/* Few files come this way: on one thread. */
static void open_files(Link *l, u32 from) {
  for (u32 f = from; f < l->files.n; f++)
    if (!l->format->open(l, (FileId){f}, 0))
      l->files.at[f].fmt = NULL;
}

/* An object that is in the link, and what it asks for is not known yet. */
static bool is_new(MachoInputs *m, u32 f) {
  const File *file = &m->l->files.at[f];
  if (file->kind != FILE_OBJECT || !file->fmt || (file->lazy && !file->live) || m->asked.at[f])
    return false;
  m->asked.at[f] = true;
  return true;
}

static void mark_files(MachoInputs *m) {
  while (m->asked.n < m->l->files.n)
    *vec_push(&m->asked) = false;
}

bool inputs_macho_auto_link(MachoInputs *m) {
  Link *l = m->l;
  u32 before = l->files.n;
  for (u32 from = 1; from < l->files.n && !l->opt->darwin.ignore_auto_link;) {
    StrVec libs = {0}, frameworks = {0};
    u32 end = l->files.n, archives = m->archives.n;
    mark_files(m);
    for (u32 f = from; f < end; f++)
      if (is_new(m, f))
        collect_options(m, (FileId){f}, &libs, &frameworks);
    auto_link_some(m, &frameworks, true);
    auto_link_some(m, &libs, false);
    flush(m, archives);
    open_files(l, end);
    from = end;
  }
  if (l->opt->darwin.strict_auto_link)
    inputs_macho_report_missing(m);
  return l->files.n > before;
}

void inputs_macho_report_missing(MachoInputs *m) {
  for (u32 i = 0; i < m->missing.n; i++)
    diag_warn(m->l->diag, "library-not-found", "an object asks for %s, which was not found", m->missing.at[i]);
  m->missing.n = 0;
}

/* ---- -dependency_info ---- */

/* ld64's file: records of a byte, a text and a NUL. */
enum { DEP_VERSION = 0x00, DEP_INPUT = 0x10, DEP_NOT_FOUND = 0x11, DEP_OUTPUT = 0x40 };

static void dependency(FILE *f, u8 kind, const char *text) {
  fputc(kind, f);
  fwrite(text, 1, strlen(text) + 1, f);
}

static void dependencies(FILE *f, u8 kind, StrVec *v) {
  if (v->n)
    qsort(v->at, v->n, sizeof *v->at, by_text);
  for (u32 i = 0; i < v->n; i++)
    if (!i || !streq(v->at[i], v->at[i - 1]))
      dependency(f, kind, v->at[i]);
}

void inputs_macho_write_dependencies(MachoInputs *m) {
  Link *l = m->l;
  const char *path = l->opt->darwin.dependency_info;
  FILE *f = path ? fopen(path, "wb") : NULL;
  if (f) {
    dependency(f, DEP_VERSION, "weld-" WELD_VERSION);
    dependencies(f, DEP_INPUT, &l->opened);
    dependencies(f, DEP_NOT_FOUND, &m->not_found);
    dependency(f, DEP_OUTPUT, l->opt->output);
  }
  if (path && (!f || ferror(f) | fclose(f)))
    diag_error(l->diag, "cannot-write", "-dependency_info: cannot write %s: %s", path, strerror(errno));
}

void inputs_macho_end(MachoInputs *m) {
  if (!m)
    return;
  for (u32 i = 0; i < m->units.n; i++) {
    vec_free(&m->units.at[i]->exports);
    vec_free(&m->units.at[i]->hidden);
    vec_free(&m->units.at[i]->parts);
  }
  vec_free(&m->units);
  vec_free(&m->libraries);
  vec_free(&m->archives);
  vec_free(&m->pending);
  vec_free(&m->not_found);
  vec_free(&m->asked);
  vec_free(&m->auto_linked);
  vec_free(&m->missing);
  free(m);
}
