/* inputs.c: from names to mapped files. A name is an object, an archive (each member becomes a File,
 * loaded on demand), a shared library, or text: a linker script, whose INPUT and GROUP are followed.
 * The trap: FileIds are places on the command line, so files are added serially and in order; all that
 * is expensive (symbols, sections) happens later in parallel. */
#include "inputs.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/resolve.h"
#include "format/elf_object.h"
#include "input_file.h"
#include "read/archive.h"
#include "read/elf_machine.h"
#include "scripts.h"
#include "util/watch.h"

enum { MAX_SCRIPT_DEPTH = 16, MANY = 64 /* inputs: worth threads */ };

typedef enum { MEMBER_OBJECT, MEMBER_BITCODE, MEMBER_OTHER_ELF, MEMBER_OTHER } MemberKind;

/* What the command line named, in order: a file, or all members of an archive. */
typedef struct {
  u32 archive; /* index in Loader.archives + 1; 0: `file` */
  File file;
  dev_t device;
  ino_t inode;
} Pending;

/* A script of -T. */
typedef struct {
  const Script *script; /* NULL: it could not be read */
  const char *path;
} MainScript;

typedef struct {
  Link *l;
  Scripts scripts;
  MainScript *main; /* by option */
  bool *loaded;     /* likewise: it stands before its place, because a script named it */
  StrVec named;     /* what scripts named so */
  SeenVec seen; /* shared libraries and lazily loaded archives: a second time adds nothing */
  VEC(ArchiveJob) archives;
  VEC(Pending) pending;
  u32 depth;
  const char *skipped; /* of the libraries that were passed over for one -l the last, as messages say it; or "" */
  bool too_deep; /* scripts that name each other: said once, and no script is read any more */
} Loader;

/* ---- kinds ---- */

static bool is_elf(Bytes d) { return d.len >= 18 && !memcmp(d.p, ELFMAG, SELFMAG); }
static u32 elf_type(Bytes d) { return rd16(d.p + 16); }
static u32 member_kind(Bytes d) {
  return bytes_are_bitcode(d) ? MEMBER_BITCODE : !is_elf(d) ? MEMBER_OTHER : elf_type(d) == ET_REL ? MEMBER_OBJECT : MEMBER_OTHER_ELF;
}

static bool excluded(const Link *l, const char *archive) {
  for (u32 i = 0; i < l->opt->exclude_libs.n; i++) {
    const char *x = l->opt->exclude_libs.at[i], *b = base_name(archive);
    if (streq(x, "ALL") || streq(x, b))
      return true;
    u64 n = strlen(x); /* libfoo means libfoo.a */
    if (!strncmp(x, b, n) && streq(b + n, ".a"))
      return true;
  }
  return false;
}

static void load_data(Loader *ld, const Opened *o, const Input *in, const char *arg);

static void add_members(Loader *ld, ArchiveJob *j) {
  Link *l = ld->l;
  bool whole = j->in.whole_archive, said = false;
  *vec_push(&l->archives) = (Archive){.path = j->file.path, .data = j->file.data, .thin = j->reader.thin,
                                      .members_total = j->members.n};
  bool exclude = l->opt->exclude_libs.n && excluded(l, j->file.path);
  for (u32 i = 0; i < j->members.n; i++) {
    Member *m = &j->members.at[i];
    if (m->elsewhere && !archive_open_thin(l, j, m, member_kind))
      continue;
    switch ((MemberKind)m->kind) {
    case MEMBER_OBJECT:
      input_add(ld->l, (File){.kind = FILE_OBJECT, .lazy = !whole, .path = j->file.path, .member = m->m.name, .arg = j->arg,
                          .data = m->m.data, .archive = l->archives.n, .exclude_libs = exclude});
      break;
    case MEMBER_BITCODE:
      if (!said)
        input_bitcode(ld->l, j->file.path, m->m.name);
      said = true;
      break;
    case MEMBER_OTHER_ELF:
    case MEMBER_OTHER:
      if (whole || m->kind == MEMBER_OTHER_ELF)
        diag_report(l->diag, whole ? DIAG_ERROR : DIAG_WARNING, "malformed-input", 0, "%s(%s): not an object file",
                    j->file.path, m->m.name);
      break;
    }
  }
  archive_end(l, j);
}

static void load_archive(Loader *ld, const Opened *o, const Input *in, const char *arg) {
  if (!in->whole_archive && !in->mem && input_seen(&ld->seen, o, 0))
    return;
  *vec_push(&ld->archives) = (ArchiveJob){.file = *o, .in = *in, .arg = arg};
  *vec_push(&ld->pending) = (Pending){.archive = ld->archives.n};
}

/* ---- searching ---- */

/* What a script says of the output's format, for those that stand for a library: a quick look, the parser comes later. */
static const char *format_of_script(Bytes d, Arena *arena) {
  static const char command[] = "OUTPUT_FORMAT";
  const u8 *p = d.len < 4096 ? memmem(d.p, d.len, command, sizeof command - 1) : NULL;
  const u8 *end = d.p + d.len;
  if (!p)
    return NULL;
  for (p += sizeof command - 1; p < end && strchr(" \t(\"", *p); p++) {
  }
  const u8 *name = p;
  while (p < end && !strchr(" \t\n,)\"", *p))
    p++;
  return arena_strndup(arena, (const char *)name, (u64)(p - name));
}

/* The CPU that a library is for, when that is not the link's; NULL: it may be linked. */
static const char *other_cpu(Link *l, Bytes d) {
  if (archive_is(d)) {
    ArchiveReader r;
    ArchiveMember m = {0};
    const char *why;
    archive_open(&r, d);
    while (!r.thin && archive_next(&r, &l->arena, &m, &why) > 0 && !is_elf(m.data)) {
    }
    d = m.data;
  }
  if (is_elf(d))
    return elf_machine_of(d) == elf_machine(l) ? NULL : elf_file_cpu(d, &l->arena);
  const char *name = d.len && !archive_is(d) ? format_of_script(d, &l->arena) : NULL;
  return name && elf_machine_named(name) && elf_machine_named(name) != elf_machine(l) ? elf_machine_named(name)->cpu : NULL;
}

/* A library for another CPU is passed over: the next directory may have one of that name, too (GNU ld). */
static bool try_path(Loader *ld, const char *path, Opened *out, int *state) {
  *state = input_open(ld->l, path, out);
  const char *cpu = *state > 0 ? other_cpu(ld->l, out->data) : NULL;
  if (!cpu)
    return *state != 0;
  ld->l->opened.n--;
  ld->skipped = arena_printf(&ld->l->arena, "; %s is for %s, this link is for %s", path, cpu, elf_machine(ld->l)->cpu);
  return false;
}

/* -lNAME: in each directory libNAME.so before libNAME.a; -l:FILE: the file itself. */
static bool find_library(Loader *ld, const Input *in, Opened *out) {
  Link *l = ld->l;
  int state;
  ld->skipped = "";
  for (u32 i = 0; i < l->opt->lib_dirs.n; i++) {
    const char *dir = l->opt->lib_dirs.at[i];
    if (in->name[0] == ':') {
      if (try_path(ld, arena_printf(&l->arena, "%s/%s", dir, in->name + 1), out, &state))
        return state > 0;
      continue;
    }
    if (!in->bstatic && !l->opt->is_static && try_path(ld, arena_printf(&l->arena, "%s/lib%s.so", dir, in->name), out, &state))
      return state > 0;
    if (try_path(ld, arena_printf(&l->arena, "%s/lib%s.a", dir, in->name), out, &state))
      return state > 0;
  }
  diag_error(l->diag, "library-not-found", "unable to find library -l%s%s", in->name, ld->skipped);
  return false;
}

static void load_input(Loader *ld, const Input *in) {
  Link *l = ld->l;
  Opened o = {0};
  const char *arg = in->name;
  if (in->mem) {
    o = (Opened){.data = {in->mem, in->mem_len}, .path = in->name};
  } else if (in->is_lib) {
    if (!find_library(ld, in, &o))
      return;
    arg = base_name(o.path);
  } else {
    int state = input_open(ld->l, in->name, &o);
    if (state == 0)
      diag_error(l->diag, "cannot-open", "cannot open %s: %s", in->name, strerror(ENOENT));
    if (state <= 0)
      return;
  }
  load_data(ld, &o, in, arg);
}

/* ---- scripts ---- */

/* Whether the script lies inside the sysroot: then its absolute names do too (GNU ld manual, INPUT).
 * However the two are spelled: DIR/bin/../sysroot is DIR/sysroot. */
static bool in_sysroot(const Link *l, const char *path) {
  char *root = l->opt->sysroot && *l->opt->sysroot ? realpath(l->opt->sysroot, NULL) : NULL;
  char *real = root ? realpath(path, NULL) : NULL;
  u64 n = root ? strlen(root) : 0;
  bool in = real && n > 1 && !strncmp(real, root, n) && real[n] == '/';
  free(root);
  free(real);
  return in;
}

static void load_script_input(Loader *ld, const Input *in, const char *script, const ScriptInput *s) {
  Link *l = ld->l;
  Input x = *in;
  x.name = s->name;
  x.is_lib = s->is_lib;
  x.as_needed = in->as_needed || s->as_needed;
  x.mem = NULL;
  x.script = false; /* -T is about the script alone */
  if (s->is_lib) {
    load_input(ld, &x);
    return;
  }
  Opened o;
  int state = 0;
  const char *name = s->name;
  if (name[0] == '=' || starts_with(name, "$SYSROOT")) {
    name += name[0] == '=' ? 1 : 8;
    state = input_open(ld->l, arena_printf(&l->arena, "%s%s", l->opt->sysroot ? l->opt->sysroot : "", name), &o);
  } else if (name[0] == '/') {
    if (in_sysroot(l, script))
      state = input_open(ld->l, arena_printf(&l->arena, "%s%s", l->opt->sysroot, name), &o);
    if (!state)
      state = input_open(ld->l, name, &o);
  } else {
    state = input_open(ld->l, name, &o);
    if (!state && !s->named)
      state = input_open(ld->l, arena_printf(&l->arena, "%.*s%s", (int)(base_name(script) - script), script, name), &o);
    for (u32 i = 0; !state && !s->named && i < l->opt->lib_dirs.n; i++)
      state = input_open(ld->l, arena_printf(&l->arena, "%s/%s", l->opt->lib_dirs.at[i], name), &o);
  }
  if (state == 0)
    script_report(l, DIAG_ERROR, SCRIPT_PLACE(s), "cannot find %s%s", s->name,
                  s->named ? ", the file of an input section; a pattern with a wildcard need not match one" : "");
  if (state <= 0)
    return;
  x.name = o.path;
  load_data(ld, &o, &x, s->name);
}

/* A file that a pattern of a script names: an input from here on, even if the command line has it later. */
static void load_named(Loader *ld, const Input *in, const char *script, const ScriptInput *s) {
  const Options *o = ld->l->opt;
  for (u32 i = 0; i < ld->named.n; i++)
    if (streq(ld->named.at[i], s->name))
      return;
  *vec_push(&ld->named) = s->name;
  for (u32 i = 0; i < o->inputs.n; i++) {
    const Input *x = &o->inputs.at[i];
    if (x->script || x->is_lib || !streq(x->name, s->name))
      continue;
    if (!ld->loaded[i] && x > in) {
      ld->loaded[i] = true;
      load_input(ld, x);
    }
    return;
  }
  load_script_input(ld, in, script, s);
}

/* The inputs of a script, in place. STARTUP's go before all others. */
static void load_script_inputs(Loader *ld, const char *path, const Script *s, const Input *in) {
  if (!s || ld->too_deep)
    return;
  if (ld->depth >= MAX_SCRIPT_DEPTH) {
    ld->too_deep = true;
    diag_error(ld->l->diag, "script", "%s: scripts name each other more than %d deep", path, MAX_SCRIPT_DEPTH);
    return;
  }
  ld->depth++;
  for (u32 i = 0; i < s->inputs.n; i++) {
    u32 before = ld->pending.n;
    (s->inputs.at[i].named ? load_named : load_script_input)(ld, in, path, &s->inputs.at[i]);
    u32 n = ld->pending.n - before;
    if (s->inputs.at[i].startup && n && before) {
      Pending *first = heap_alloc(n * sizeof *first);
      memcpy(first, ld->pending.at + before, n * sizeof *first);
      memmove(ld->pending.at + n, ld->pending.at, before * sizeof *first);
      memcpy(ld->pending.at, first, n * sizeof *first);
      free(first);
    }
  }
  ld->depth--;
}

/* Those of -T, before anything else: what they say of places and formats counts for all inputs. Their own inputs stand where -T stands. */
static void read_main_scripts(Loader *ld) {
  Link *l = ld->l;
  ld->main = ARENA_ARRAY(&l->arena, MainScript, l->opt->inputs.n);
  ld->loaded = ARENA_ARRAY(&l->arena, bool, l->opt->inputs.n);
  for (u32 i = 0; i < l->opt->inputs.n; i++) {
    const Input *in = &l->opt->inputs.at[i];
    Opened o = {.data = {in->mem, in->mem_len}, .path = in->name};
    if (!in->script || (in->default_script && ld->scripts.has_sections))
      continue;
    int state = in->mem ? 1 : input_open(l, in->name, &o);
    if (state == 0)
      diag_error(l->diag, "cannot-open", "cannot open %s: %s", in->name, strerror(ENOENT));
    if (state > 0)
      ld->main[i] = (MainScript){scripts_read(l, &ld->scripts, &o, true), o.path};
  }
}

/* ---- one file, whatever it is ---- */

static bool looks_like_text(Bytes d) {
  for (u64 i = 0; i < MIN(d.len, 512u); i++)
    if (d.p[i] < 9 || (d.p[i] > 13 && d.p[i] < 32) || d.p[i] == 127)
      return false;
  return true;
}

static void load_data(Loader *ld, const Opened *o, const Input *in, const char *arg) {
  Link *l = ld->l;
  if (in->binary) {
    File f = {.kind = FILE_OBJECT, .path = o->path, .arg = arg, .data = input_binary(l, in->name, o->data), .lazy = in->start_lib};
    *vec_push(&ld->pending) = (Pending){.file = f, .device = o->dev, .inode = o->ino};
  } else if (!o->data.len && o->regular) { /* what a compiler that was interrupted leaves */
    diag_error(l->diag, "malformed-input", "%s: unknown file type: the file is empty", o->path);
  } else if (is_elf(o->data)) {
    File f = {.path = o->path, .arg = arg, .data = o->data};
    if (elf_type(o->data) == ET_DYN && !in->just_symbols) {
      if (l->opt->is_static) {
        diag_error(l->diag, "static-shared", "attempted static link of dynamic object %s", o->path);
        return;
      }
      if (!in->mem && input_seen(&ld->seen, o, 0)) { /* needed if any mention says so */
        for (u32 i = 0; i < ld->pending.n && !in->as_needed; i++)
          if (!ld->pending.at[i].archive && ld->pending.at[i].file.kind == FILE_SHARED && ld->pending.at[i].inode == o->ino &&
              ld->pending.at[i].device == o->dev)
            ld->pending.at[i].file.as_needed = false;
        return;
      }
      f.kind = FILE_SHARED;
      f.as_needed = in->as_needed;
    } else {
      f.kind = FILE_OBJECT;
      f.lazy = in->start_lib;
      f.just_symbols = in->just_symbols;
    }
    *vec_push(&ld->pending) = (Pending){.file = f, .device = o->dev, .inode = o->ino};
  } else if (archive_is(o->data)) {
    load_archive(ld, o, in, arg);
  } else if (bytes_are_bitcode(o->data)) {
    input_bitcode(ld->l, o->path, NULL);
  } else if (looks_like_text(o->data) && (o->data.len || in->mem == NULL)) {
    load_script_inputs(ld, o->path, ld->too_deep ? NULL : scripts_read(l, &ld->scripts, o, false), in);
  } else {
    diag_error(l->diag, "malformed-input", "%s: offset 0x0: unknown file type: not an object, an archive, a shared library or a linker script", o->path);
  }
}

void inputs_load(Link *l) {
  Loader ld = {.l = l};
  if (l->opt->inputs.n >= MANY)
    pool_start(l->pool);
  read_main_scripts(&ld);
  for (u32 i = 0; i < l->opt->inputs.n; i++) {
    const Input *in = &l->opt->inputs.at[i];
    if (in->script)
      load_script_inputs(&ld, ld.main[i].path, ld.main[i].script, in);
    else if (!ld.loaded[i])
      load_input(&ld, in);
  }
  vec_free(&ld.named);
  scripts_settle(l, &ld.scripts);
  archives_list(l, ld.archives.at, ld.archives.n, member_kind);
  for (u32 i = 0; i < ld.pending.n; i++) {
    if (ld.pending.at[i].archive)
      add_members(&ld, &ld.archives.at[ld.pending.at[i].archive - 1]);
    else
      input_add(l, ld.pending.at[i].file);
  }
  vec_free(&ld.archives);
  vec_free(&ld.pending);
  vec_free(&ld.seen);
}

void inputs_drop_duplicates(Link *l) {
  for (u32 f = 1; f < l->files.n; f++) {
    File *file = &l->files.at[f];
    if (file->kind != FILE_SHARED || !file->fmt)
      continue;
    const char *const *needed, *name = l->format->shared_name(l, (FileId){f}, &needed);
    for (u32 g = 1; g < f && file->fmt; g++)
      if (l->files.at[g].kind == FILE_SHARED && l->files.at[g].fmt &&
          streq(l->format->shared_name(l, (FileId){g}, &needed), name)) {
        l->files.at[g].as_needed &= file->as_needed;
        file->fmt = NULL;
      }
  }
}

void inputs_free(Link *l) {
  if (l->opt->watch)
    watch_end(l->opt->watch);
  for (u32 i = 0; i < l->maps.n; i++)
    munmap((void *)(uintptr_t)l->maps.at[i].p, l->maps.at[i].len);
  vec_free(&l->maps);
}
