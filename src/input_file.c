/* input_file.c: see input_file.h. The trap: archives are listed on all threads, but what ends in Link.files is added
 * serially and in order. */
#include "input_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/watch.h"

enum { MAX_FILES = (1 << 24) - 1 };

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

int input_open(Link *l, const char *path, Opened *out) {
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

bool input_seen(SeenVec *seen, const Opened *o, u64 off) {
  for (u32 i = 0; i < seen->n; i++)
    if (seen->at[i].dev == o->dev && seen->at[i].ino == o->ino && seen->at[i].off == off)
      return true;
  *vec_push(seen) = (Seen){o->dev, o->ino, off};
  return false;
}

const char *base_name(const char *path) {
  const char *s = strrchr(path, '/');
  return s ? s + 1 : path;
}

void input_add(Link *l, File f) {
  if (l->files.n >= MAX_FILES) {
    diag_error(l->diag, "too-large", "more than %d input files", MAX_FILES);
    return;
  }
  *vec_push(&l->files) = f;
}

/* ---- bitcode ---- */

bool bytes_are_bitcode(Bytes d) {
  return d.len >= 4 && (!memcmp(d.p, "BC\xc0\xde", 4) || !memcmp(d.p, "\xde\xc0\x17\x0b", 4));
}

void input_bitcode(Link *l, const char *path, const char *member) {
  if (member)
    diag_warn(l->diag, "bitcode", "%s(%s): holds only compiler bitcode and is left out; weld does not compile: build it without -flto", path, member);
  else
    diag_error(l->diag, "bitcode", "%s: holds only compiler bitcode; weld does not compile: build it without -flto", path);
}

/* ---- archives ---- */

typedef struct {
  Link *l;
  ArchiveJob *jobs;
  MemberKindFn *kind;
} ListJob;

/* Walks the member headers of some archives; each stands in a page of its own, so this is mostly waiting
 * for memory, and done on all threads. */
static void walk(void *ctx, u32 begin, u32 end, unsigned tid) {
  ListJob *x = ctx;
  for (u32 i = begin; i < end; i++) {
    ArchiveJob *j = &x->jobs[i];
    ArchiveMember m;
    int more;
    archive_open(&j->reader, j->file.data);
    while ((more = archive_next(&j->reader, &x->l->scratch[tid], &m, &j->why)) > 0)
      *vec_push(&j->members) = (Member){m, j->reader.thin ? 0 : x->kind(m.data), j->reader.thin};
    if (more == 0)
      j->why = NULL;
  }
}

void archives_list(Link *l, ArchiveJob *jobs, u32 n, MemberKindFn *kind) {
  ListJob x = {l, jobs, kind};
  pool_run(l->pool, n, n > 8 ? 2 : 8, walk, &x);
}

bool archive_open_thin(Link *l, const ArchiveJob *j, Member *m, MemberKindFn *kind) {
  const char *path = m->m.name, *archive = j->file.path;
  if (path[0] != '/')
    path = arena_printf(&l->arena, "%.*s%s", (int)(base_name(archive) - archive), archive, path);
  Opened o;
  int ok = input_open(l, path, &o);
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
  m->kind = kind(m->m.data);
  return true;
}

void archive_end(Link *l, ArchiveJob *j) {
  if (j->why)
    diag_error(l->diag, "malformed-input", "%s: offset 0x%llx: %s", j->file.path, (unsigned long long)j->reader.at, j->why);
  vec_free(&j->members);
}
