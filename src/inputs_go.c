/* inputs_go.c: the files of a Go program: those of the command line, then the packages that they import, depth first, as Go's
 * linker reads them. Every member of a package is in the link; what is not needed is dead.
 * The trap: an object does not say what package it is. The first file is main; another is what imports call it by, and main
 * when nobody does. Chains of imports may be as long as hostile files like: they are on a list, not on the stack. */
#include "inputs_go.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "read/archive.h"
#include "read/goobj.h"
#include "util/watch.h"

enum { MAX_FILES = (1 << 24) - 1, MAX_PATH = 4096 };

/* A file of the command line or a package that was found: Link.files [first, last). */
typedef struct {
  const char *path; /* of the package; NULL: not known yet */
  const char *file;
  u32 first, last;
} Package;

typedef struct {
  const char *path;
  u32 file; /* who imports it, 0: every program does */
} Import;

typedef struct {
  Link *l;
  VEC(Package) packages;
  VEC(Import) imports; /* to look at; the last first */
} Loader;

/* ---- opening ---- */

/* 1: mapped; 0: no such file; -1: reported. */
static int map_file(Link *l, const char *path, Bytes *out) {
  struct stat st;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG))
    return 0;
  *out = (Bytes){0};
  bool ok = fd >= 0 && !fstat(fd, &st);
  const char *why = ok && !S_ISREG(st.st_mode) ? "it is not a file" : strerror(errno);
  ok = ok && S_ISREG(st.st_mode);
  if (ok && st.st_size) {
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    ok = p != MAP_FAILED;
    why = strerror(errno);
    if (ok) {
      *out = (Bytes){p, (u64)st.st_size};
      *vec_push(&l->maps) = *out;
    }
    if (ok && l->opt->watch) {
      Watched *w = ARENA_NEW(&l->arena, Watched);
      *w = (Watched){p, (u64)st.st_size, path, NULL};
      watch_add(l->opt->watch, w);
    }
  }
  if (!ok)
    diag_error(l->diag, "cannot-open", "cannot open %s: %s", path, why);
  if (fd >= 0)
    close(fd);
  return ok ? 1 : -1;
}

static void add_file(Link *l, const char *path, const char *member, Bytes b) {
  if (l->files.n >= MAX_FILES) {
    diag_error(l->diag, "too-large", "more than %d files", MAX_FILES);
    return;
  }
  *vec_push(&l->files) = (File){.kind = FILE_OBJECT, .path = path, .arg = path, .member = member, .data = b};
  goobj_head(l, (FileId){l->files.n - 1});
}

/* Go's archives have a summary for the compiler in front, and objects. */
static void add_archive(Link *l, const char *path, Bytes b) {
  ArchiveReader r;
  ArchiveMember m;
  const char *why = "";
  int more = 1;
  archive_open(&r, b);
  if (r.thin) {
    diag_error(l->diag, "malformed-input", "%s: a thin archive is no package of Go", path);
    return;
  }
  while ((more = archive_next(&r, &l->arena, &m, &why)) > 0) {
    if (starts_with(m.name, "__.PKGDEF") || starts_with(m.name, "__.GOSYMDEF"))
      continue;
    if (!goobj_is(m.data))
      diag_error(l->diag, "malformed-input",
                 "%s(%s): offset 0x%llx: not an object of Go; objects of the host's compilers are not supported", path, m.name,
                 (unsigned long long)m.off);
    else
      add_file(l, path, m.name, m.data);
  }
  if (more < 0)
    diag_error(l->diag, "malformed-input", "%s: offset 0x%llx: %s", path, (unsigned long long)r.at, why);
}

static void add_package(Loader *ld, const char *path, const char *file, Bytes b) {
  Link *l = ld->l;
  u32 first = l->files.n;
  *vec_push(&l->opened) = file;
  if (archive_is(b))
    add_archive(l, file, b);
  else
    add_file(l, file, NULL, b);
  *vec_push(&ld->packages) = (Package){path, file, first, l->files.n};
}

/* ---- imports ---- */

static void push_imports(Loader *ld, u32 package) {
  const Package *p = &ld->packages.at[package];
  for (u32 f = p->last; f-- > p->first;) {
    const GoObject *o = ld->l->files.at[f].fmt;
    for (u32 i = o ? o->nimports : 0; i-- > 0;)
      *vec_push(&ld->imports) = (Import){o->imports[i], f};
  }
}

/* Is "lib/encoding/json.a" what "encoding/json" imports? */
static bool serves(const char *file, const char *import) {
  const char *slash = strrchr(file, '/'), *dot = strrchr(slash ? slash : file, '.');
  u64 n = dot ? (u64)(dot - file) : strlen(file), k = strlen(import);
  return n >= k && !memcmp(file + n - k, import, k) && (n == k || file[n - k - 1] == '/');
}

static bool is_loaded(Loader *ld, const char *path) {
  for (u32 i = 0; i < ld->packages.n; i++)
    if (ld->packages.at[i].path && streq(ld->packages.at[i].path, path))
      return true;
  for (u32 i = 0; i < ld->packages.n; i++)
    if (!ld->packages.at[i].path && serves(ld->packages.at[i].file, path)) {
      ld->packages.at[i].path = path;
      return true;
    }
  return false;
}

/* PATH.a, else PATH.6, in the directories of -L. */
static bool find_package(Loader *ld, const char *path) {
  static const char *const ends[] = {"a", "6"};
  Link *l = ld->l;
  for (u32 i = 0; i < l->opt->lib_dirs.n && strlen(path) < MAX_PATH; i++)
    for (u32 k = 0; k < COUNT_OF(ends); k++) {
      const char *file = arena_printf(&l->arena, "%s/%s.%s", l->opt->lib_dirs.at[i], path, ends[k]);
      Bytes b;
      int state = map_file(l, file, &b);
      if (state > 0)
        add_package(ld, path, file, b);
      if (state)
        return true;
    }
  return false;
}

static void follow_imports(Loader *ld) {
  while (ld->imports.n) {
    Import m = ld->imports.at[--ld->imports.n];
    u32 before = ld->packages.n;
    if (is_loaded(ld, m.path))
      continue;
    if (!find_package(ld, m.path) && m.file)
      diag_error(ld->l->diag, "cannot-find", "%s: imports package %.256s: there is no %.256s.a or .6 in the directories of -L",
                 file_name(ld->l, (FileId){m.file}), m.path, m.path);
    if (ld->packages.n > before)
      push_imports(ld, before);
  }
}

/* ---- all of them ---- */

static void name_packages(Loader *ld) {
  for (u32 i = 0; i < ld->packages.n; i++) {
    const Package *p = &ld->packages.at[i];
    for (u32 f = p->first; f < p->last; f++)
      goobj_set_package(ld->l, (FileId){f}, p->path ? p->path : "main");
  }
}

static void check_systems(Link *l, const char *os, const char *arch) {
  for (u32 f = 1; f < l->files.n && !l->opt->go.any_system; f++) {
    const GoObject *o = l->files.at[f].fmt;
    if (o && (!streq(o->os, os) || !streq(o->arch, arch)))
      diag_report(l->diag, DIAG_ERROR, "mixed-inputs", (u64)f << 32,
                  "%s: is for %.64s/%.64s, and %s for %.64s/%.64s; -f links them all the same", file_name(l, (FileId){f}), o->os,
                  o->arch, file_name(l, (FileId){1}), os, arch);
  }
}

bool go_inputs_load(Link *l, const char **os, const char **arch, bool *first_revision) {
  Loader ld = {.l = l};
  for (u32 i = 0; i < l->opt->inputs.n; i++) {
    const Input *in = &l->opt->inputs.at[i];
    Bytes b = {in->mem, in->mem_len};
    int state = in->mem ? 1 : map_file(l, in->name, &b);
    if (!state)
      diag_error(l->diag, "cannot-open", "cannot open %s: No such file or directory", in->name);
    if (state > 0)
      add_package(&ld, NULL, in->name, b);
  }
  if (ld.packages.n)
    ld.packages.at[0].path = "main";
  *vec_push(&ld.imports) = (Import){"runtime", 0};
  for (u32 i = ld.packages.n; i-- > 0;)
    push_imports(&ld, i);
  follow_imports(&ld);
  name_packages(&ld);
  vec_free(&ld.packages);
  vec_free(&ld.imports);
  const GoObject *first = l->files.n > 1 ? l->files.at[1].fmt : NULL;
  if (!first) {
    if (!diag_errors(l->diag))
      diag_error(l->diag, "no-input", "no object in what was given");
    return false;
  }
  *os = first->os;
  *arch = first->arch;
  *first_revision = first->first_revision;
  check_systems(l, *os, *arch);
  return true;
}
