/* inputs.c: from names to mapped files. A name is an object, an archive (each member becomes a File,
 * loaded on demand), a shared library, or text: a linker script, whose INPUT and GROUP are followed.
 * The trap: FileIds are places on the command line, so files are added serially and in order; all that
 * is expensive (symbols, sections) happens later in parallel. */
#include "inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/resolve.h"
#include "format/elf_object.h"
#include "read/archive.h"
#include "script/script.h"
#include "util/watch.h"

enum { MAX_SCRIPT_DEPTH = 16, MAX_FILES = (1 << 24) - 1, MANY = 64 /* inputs: worth threads */ };

typedef struct {
  dev_t dev;
  ino_t ino;
  u64 off; /* of a member of a nested archive; 0: the file */
} Seen;


typedef struct {
  Bytes data;
  dev_t dev;
  ino_t ino;
  const char *path;
  bool regular; /* a file, not a pipe or a device */
} Opened;

typedef enum { MEMBER_OBJECT, MEMBER_BITCODE, MEMBER_OTHER_ELF, MEMBER_OTHER, MEMBER_ELSEWHERE /* thin */ } MemberKind;
typedef struct {
  ArchiveMember m;
  MemberKind kind;
} Member;

/* An archive whose members are listed once all names of the command line were followed. */
typedef struct {
  Opened file;
  Input in;
  const char *arg;
  ArchiveReader reader;
  VEC(Member) members;
  const char *why; /* it is malformed at reader.at; NULL: it is not */
} ArchiveJob;

/* What the command line named, in order: a file, or all members of an archive. */
typedef struct {
  u32 archive; /* index in Loader.archives + 1; 0: `file` */
  File file;
  dev_t device;
  ino_t inode;
} Pending;

typedef struct {
  Link *l;
  VEC(Seen) seen; /* shared libraries and lazily loaded archives: a second time adds nothing */
  VEC(ArchiveJob) archives;
  VEC(Pending) pending;
  u32 depth;
  bool too_deep; /* scripts that name each other: said once, and no script is read any more */
} Loader;

/* ---- opening ---- */

/* From where it stands to the end. False after a report. */
static bool read_all(Link *l, int fd, const char *path, Bytes *out) {
  enum { STEP = 64 << 10, MOST = 1 << 30 };
  VEC(u8) v = {0};
  ssize_t n = 1;
  while (n && v.n < MOST) {
    vec_reserve(&v, v.n + STEP);
    n = read(fd, v.at + v.n, STEP);
    if (n < 0 && errno != EINTR) {
      diag_error(l->diag, "cannot-open", "cannot read %s: %s", path, strerror(errno));
      break;
    }
    v.n += n > 0 ? (u32)n : 0;
  }
  if (n > 0)
    diag_error(l->diag, "cannot-open", "cannot read %s: it is larger than %d bytes", path, MOST);
  if (n == 0) {
    *out = (Bytes){arena_alloc(&l->arena, v.n + 1, 16), v.n};
    if (v.n)
      memcpy((void *)(uintptr_t)out->p, v.at, v.n);
  }
  vec_free(&v);
  return n == 0;
}

/* 1: opened; 0: no such file; -1: reported. */
static int open_path(Loader *ld, const char *path, Opened *out) {
  Link *l = ld->l;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      return 0;
    diag_error(l->diag, "cannot-open", "cannot open %s: %s", path, strerror(errno));
    return -1;
  }
  struct stat st;
  *out = (Opened){.path = path};
  if (fstat(fd, &st) || S_ISDIR(st.st_mode)) {
    diag_error(l->diag, "cannot-open", "cannot open %s: %s", path, S_ISDIR(st.st_mode) ? "is a directory" : strerror(errno));
    close(fd);
    return -1;
  }
  out->dev = st.st_dev;
  out->ino = st.st_ino;
  out->regular = S_ISREG(st.st_mode);
  if (!S_ISREG(st.st_mode)) { /* a pipe or a device: read it all */
    if (!read_all(l, fd, path, &out->data)) {
      close(fd);
      return -1;
    }
  } else if (st.st_size) {
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED) { /* a process may have 65530 maps: read what comes after them */
      if (!read_all(l, fd, path, &out->data)) {
        close(fd);
        return -1;
      }
    } else {
      out->data = (Bytes){p, (u64)st.st_size};
      *vec_push(&l->maps) = out->data;
      if (l->opt->watch) {
        Watched *w = ARENA_NEW(&l->arena, Watched);
        *w = (Watched){p, (u64)st.st_size, path, NULL};
        watch_add(l->opt->watch, w);
      }
    }
  }
  close(fd);
  *vec_push(&l->opened) = path;
  return 1;
}

static bool seen_before(Loader *ld, const Opened *o, u64 off) {
  for (u32 i = 0; i < ld->seen.n; i++)
    if (ld->seen.at[i].dev == o->dev && ld->seen.at[i].ino == o->ino && ld->seen.at[i].off == off)
      return true;
  *vec_push(&ld->seen) = (Seen){o->dev, o->ino, off};
  return false;
}

/* ---- kinds ---- */

static bool is_elf(Bytes d) { return d.len >= 18 && !memcmp(d.p, ELFMAG, SELFMAG); }
static u32 elf_type(Bytes d) { return rd16(d.p + 16); }
static bool is_bitcode(Bytes d) {
  return d.len >= 4 && (!memcmp(d.p, "BC\xc0\xde", 4) || !memcmp(d.p, "\xde\xc0\x17\x0b", 4));
}

static MemberKind member_kind(Bytes d) {
  return is_bitcode(d) ? MEMBER_BITCODE : !is_elf(d) ? MEMBER_OTHER : elf_type(d) == ET_REL ? MEMBER_OBJECT : MEMBER_OTHER_ELF;
}

static const char *base_name(const char *path) {
  const char *s = strrchr(path, '/');
  return s ? s + 1 : path;
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

static void add_file(Loader *ld, File f) {
  if (ld->l->files.n >= MAX_FILES) {
    diag_error(ld->l->diag, "too-large", "more than %d input files", MAX_FILES);
    return;
  }
  *vec_push(&ld->l->files) = f;
}

static void load_data(Loader *ld, const Opened *o, const Input *in, const char *arg);

static void bitcode(Loader *ld, const char *path, const char *member) {
  if (member)
    diag_warn(ld->l->diag, "bitcode", "%s(%s): holds only compiler bitcode and is left out; weld does not compile: build it without -flto", path, member);
  else
    diag_error(ld->l->diag, "bitcode", "%s: holds only compiler bitcode; weld does not compile: build it without -flto", path);
}

/* Walks the member headers of some archives; each stands in a page of its own, so this is mostly waiting
 * for memory, and done on all threads. */
static void walk_archives(void *ctx, u32 begin, u32 end, unsigned tid) {
  Loader *ld = ctx;
  for (u32 i = begin; i < end; i++) {
    ArchiveJob *j = &ld->archives.at[i];
    ArchiveMember m;
    int more;
    archive_open(&j->reader, j->file.data);
    while ((more = archive_next(&j->reader, &ld->l->scratch[tid], &m, &j->why)) > 0)
      *vec_push(&j->members) = (Member){m, j->reader.thin ? MEMBER_ELSEWHERE : member_kind(m.data)};
    if (more == 0)
      j->why = NULL;
  }
}

/* A thin archive's member is a file beside it, or a member of an archive that was put in whole. */
static bool open_thin(Loader *ld, const ArchiveJob *j, Member *m) {
  Link *l = ld->l;
  const char *path = m->m.name, *archive = j->file.path;
  if (path[0] != '/')
    path = arena_printf(&l->arena, "%.*s%s", (int)(base_name(archive) - archive), archive, path);
  Opened o;
  int ok = open_path(ld, path, &o);
  if (ok == 0)
    diag_error(l->diag, "cannot-open", "%s: offset 0x%llx: thin archive names member %s, which does not exist", archive,
               (unsigned long long)m->m.off, path);
  if (ok <= 0)
    return false;
  m->m.data = o.data;
  if (archive_is(o.data) && m->m.nested) {
    ArchiveReader inner;
    ArchiveMember im;
    const char *why;
    archive_open(&inner, o.data);
    int more;
    while ((more = archive_next(&inner, &l->arena, &im, &why)) > 0 && im.off != m->m.nested)
      ;
    if (more <= 0) {
      diag_error(l->diag, "malformed-input", "%s: offset 0x%llx: no member of %s stands at 0x%llx", archive,
                 (unsigned long long)m->m.off, path, (unsigned long long)m->m.nested);
      return false;
    }
    m->m.data = im.data;
    m->m.name = im.name;
  }
  m->kind = member_kind(m->m.data);
  return true;
}

static void add_members(Loader *ld, ArchiveJob *j) {
  Link *l = ld->l;
  bool whole = j->in.whole_archive, said = false;
  *vec_push(&l->archives) = (Archive){.path = j->file.path, .data = j->file.data, .thin = j->reader.thin,
                                      .members_total = j->members.n};
  bool exclude = l->opt->exclude_libs.n && excluded(l, j->file.path);
  for (u32 i = 0; i < j->members.n; i++) {
    Member *m = &j->members.at[i];
    if (m->kind == MEMBER_ELSEWHERE && !open_thin(ld, j, m))
      continue;
    switch (m->kind) {
    case MEMBER_OBJECT:
      add_file(ld, (File){.kind = FILE_OBJECT, .lazy = !whole, .path = j->file.path, .member = m->m.name, .arg = j->arg,
                          .data = m->m.data, .archive = l->archives.n, .exclude_libs = exclude});
      break;
    case MEMBER_BITCODE:
      if (!said)
        bitcode(ld, j->file.path, m->m.name);
      said = true;
      break;
    case MEMBER_OTHER_ELF:
    case MEMBER_OTHER:
      if (whole || m->kind == MEMBER_OTHER_ELF)
        diag_report(l->diag, whole ? DIAG_ERROR : DIAG_WARNING, "malformed-input", 0, "%s(%s): not an object file",
                    j->file.path, m->m.name);
      break;
    case MEMBER_ELSEWHERE:
      break;
    }
  }
  if (j->why)
    diag_error(l->diag, "malformed-input", "%s: offset 0x%llx: %s", j->file.path, (unsigned long long)j->reader.at, j->why);
  vec_free(&j->members);
}

static void load_archive(Loader *ld, const Opened *o, const Input *in, const char *arg) {
  if (!in->whole_archive && !in->mem && seen_before(ld, o, 0))
    return;
  *vec_push(&ld->archives) = (ArchiveJob){.file = *o, .in = *in, .arg = arg};
  *vec_push(&ld->pending) = (Pending){.archive = ld->archives.n};
}

/* ---- searching ---- */

static bool try_path(Loader *ld, const char *path, Opened *out, int *state) {
  *state = open_path(ld, path, out);
  return *state != 0;
}

/* -lNAME: in each directory libNAME.so before libNAME.a; -l:FILE: the file itself. */
static bool find_library(Loader *ld, const Input *in, Opened *out) {
  Link *l = ld->l;
  int state;
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
  diag_error(l->diag, "library-not-found", "unable to find library -l%s", in->name);
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
    int state = open_path(ld, in->name, &o);
    if (state == 0)
      diag_error(l->diag, "cannot-open", "cannot open %s: %s", in->name, strerror(ENOENT));
    if (state <= 0)
      return;
  }
  load_data(ld, &o, in, arg);
}

/* ---- scripts ---- */

typedef struct {
  Loader *ld;
  const char *dir;
} IncludeCtx;

static bool include(void *ctx, const char *name, const char *from, Bytes *text, const char **path) {
  IncludeCtx *c = ctx;
  Link *l = c->ld->l;
  Opened o;
  int state = open_path(c->ld, name, &o);
  (void)from;
  for (u32 i = 0; !state && name[0] != '/' && i < l->opt->lib_dirs.n; i++)
    state = open_path(c->ld, arena_printf(&l->arena, "%s/%s", l->opt->lib_dirs.at[i], name), &o);
  if (state <= 0)
    return false;
  *text = o.data;
  *path = o.path;
  return true;
}

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
    state = open_path(ld, arena_printf(&l->arena, "%s%s", l->opt->sysroot ? l->opt->sysroot : "", name), &o);
  } else if (name[0] == '/') {
    if (in_sysroot(l, script))
      state = open_path(ld, arena_printf(&l->arena, "%s%s", l->opt->sysroot, name), &o);
    if (!state)
      state = open_path(ld, name, &o);
  } else {
    state = open_path(ld, name, &o);
    if (!state)
      state = open_path(ld, arena_printf(&l->arena, "%.*s%s", (int)(base_name(script) - script), script, name), &o);
    for (u32 i = 0; !state && i < l->opt->lib_dirs.n; i++)
      state = open_path(ld, arena_printf(&l->arena, "%s/%s", l->opt->lib_dirs.at[i], name), &o);
  }
  if (state == 0)
    diag_error(l->diag, "cannot-open", "%s:%u: cannot find %s", s->file ? s->file : script, s->line, s->name);
  if (state <= 0)
    return;
  x.name = o.path;
  load_data(ld, &o, &x, s->name);
}

static void load_script(Loader *ld, const Opened *o, const Input *in) {
  Link *l = ld->l;
  if (ld->too_deep)
    return;
  if (ld->depth >= MAX_SCRIPT_DEPTH) {
    ld->too_deep = true;
    diag_error(l->diag, "script", "%s: scripts name each other more than %d deep", o->path, MAX_SCRIPT_DEPTH);
    return;
  }
  IncludeCtx ctx = {ld, NULL};
  Script *s = ARENA_NEW(&l->arena, Script);
  s->open = include;
  s->open_ctx = &ctx;
  if (!script_parse(&l->arena, l->diag, o->path, o->data, s)) {
    script_free(s);
    return;
  }
  ld->depth++;
  for (u32 i = 0; i < s->search_dirs.n; i++) {
    const char *d = s->search_dirs.at[i];
    u32 skip = d[0] == '=' ? 1 : starts_with(d, "$SYSROOT") ? 8 : 0;
    *vec_push(&l->opt->lib_dirs) = skip && l->opt->sysroot ? arena_printf(&l->arena, "%s%s", l->opt->sysroot, d + skip) : d + skip;
  }
  for (u32 i = 0; i < s->inputs.n; i++)
    load_script_input(ld, in, o->path, &s->inputs.at[i]);
  ld->depth--;
  if (s->entry && !l->opt->entry)
    l->opt->entry = s->entry;
  if (s->output && streq(l->opt->output, "a.out"))
    l->opt->output = s->output;
  for (u32 i = 0; i < s->externs.n; i++)
    *vec_push(&l->opt->undefined) = s->externs.at[i];
  if (s->has_version) {
    for (u32 i = 0; i < s->version.nodes.n; i++)
      *vec_push(&l->opt->version_script.nodes) = s->version.nodes.at[i];
    s->version.nodes.n = 0; /* the options own what is in them now */
    l->opt->has_version_script = true;
  }
  if (s->has_sections) {
    if (l->scripted)
      diag_error(l->diag, "script", "%s: a second SECTIONS command; weld takes one", o->path);
    l->layout = &s->layout;
    l->scripted = true;
  } else {
    for (u32 i = 0; i < s->layout.nstmts; i++)
      *vec_push(&l->extra_stmts) = &s->layout.stmts[i];
  }
  script_free(s);
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
  if (in->script) {
    load_script(ld, o, in);
  } else if (!o->data.len && o->regular) { /* what a compiler that was interrupted leaves */
    diag_error(l->diag, "malformed-input", "%s: unknown file type: the file is empty", o->path);
  } else if (is_elf(o->data)) {
    File f = {.path = o->path, .arg = arg, .data = o->data};
    if (elf_type(o->data) == ET_DYN && !in->just_symbols) {
      if (l->opt->is_static) {
        diag_error(l->diag, "static-shared", "attempted static link of dynamic object %s", o->path);
        return;
      }
      if (!in->mem && seen_before(ld, o, 0)) { /* needed if any mention says so */
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
  } else if (is_bitcode(o->data)) {
    bitcode(ld, o->path, NULL);
  } else if (looks_like_text(o->data) && (o->data.len || in->mem == NULL)) {
    load_script(ld, o, in);
  } else {
    diag_error(l->diag, "malformed-input", "%s: offset 0x0: unknown file type: not an object, an archive, a shared library or a linker script", o->path);
  }
}

void inputs_load(Link *l) {
  Loader ld = {.l = l};
  if (l->opt->inputs.n >= MANY)
    pool_start(l->pool);
  for (u32 i = 0; i < l->opt->inputs.n; i++)
    load_input(&ld, &l->opt->inputs.at[i]);
  pool_run(l->pool, ld.archives.n, ld.archives.n > 8 ? 2 : 8, walk_archives, &ld);
  for (u32 i = 0; i < ld.pending.n; i++) {
    if (ld.pending.at[i].archive)
      add_members(&ld, &ld.archives.at[ld.pending.at[i].archive - 1]);
    else
      add_file(&ld, ld.pending.at[i].file);
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
