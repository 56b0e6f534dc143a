/* outfile.c: the output file, written by offset from any thread, visible only when whole.
 *
 * A regular output is built in an unnamed file (O_TMPFILE), so that a link that is killed leaves
 * nothing behind; where the file system has none, in a file with a temporary name. At commit the
 * file gets a name beside the output's and changes places with the old output (RENAME_EXCHANGE),
 * which is then removed. A plain rename over the old file would do as well, but it makes ext4
 * allocate and write back the new one at once, while we wait. The trap: at no moment may the
 * output's name be missing or lead to an unfinished file. */
#include "util/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/arena.h"

typedef enum {
  OUT_UNNAMED,  /* O_TMPFILE: has no name before commit */
  OUT_NAMED,    /* has the name `temp` */
  OUT_BUFFERED, /* a pipe, a device: kept in memory, written in order at commit */
  OUT_MEMORY,   /* for the caller: becomes *mem at commit */
} OutKind;

struct OutFile {
  Diag *diag;
  OutKind kind;
  int fd;
  u8 *buf; /* OUT_BUFFERED: from pages_alloc; OUT_MEMORY: from calloc */
  u64 size;
  u8 **mem;
  char *path, *temp; /* temp: room for a name in path's directory */
  u64 temp_size;
  pthread_mutex_t turn; /* of the thread that writes */
  atomic_bool failed; /* one report is enough when the disk is full */
};

enum { TEMP_TRIES = 1000 };

static void report(OutFile *f, int error) {
  if (!atomic_exchange(&f->failed, true)) /* EFAULT: the bytes come straight from a mapped input */
    diag_error(f->diag, "output", "cannot write output file %s: %s", f->path,
               error == EFAULT ? "an input file became shorter while it was read" : strerror(error));
}

static void destroy(OutFile *f) {
  if (f->fd >= 0)
    close(f->fd);
  if (f->buf && f->kind == OUT_BUFFERED)
    pages_free(f->buf, f->size);
  else
    free(f->buf);
  pthread_mutex_destroy(&f->turn);
  free(f->path);
  free(f->temp);
  free(f);
}

/* A name in the output's directory; hidden, and different for each process and try. */
static void temp_name(OutFile *f, int try) {
  const char *slash = strrchr(f->path, '/');
  int dir = slash ? (int)(slash - f->path) + 1 : 0;
  snprintf(f->temp, f->temp_size, "%.*s.weld-%ld-%d", dir, f->path, (long)getpid(), try);
}

static const char *dir_name(OutFile *f) {
  const char *slash = strrchr(f->path, '/');
  if (!slash)
    return ".";
  snprintf(f->temp, f->temp_size, "%.*s", (int)(slash - f->path) + 1, f->path);
  return f->temp;
}

/* True for what must be written in place: devices, pipes, sockets; and links like /dev/stdout,
 * which must not be replaced even when they lead to a regular file at the moment. */
static bool is_special(const char *path, const struct stat *st) {
  if (!S_ISREG(st->st_mode))
    return true;
  struct stat own;
  if (lstat(path, &own) != 0 || !S_ISLNK(own.st_mode))
    return false;
  return (starts_with(path, "/dev/") && !starts_with(path, "/dev/shm/")) ||
         starts_with(path, "/proc/");
}

static bool open_buffered(OutFile *f) {
  f->kind = OUT_BUFFERED;
  f->fd = open(f->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
  if (f->fd < 0)
    return false;
  f->buf = pages_alloc(f->size);
  return true;
}

static bool open_regular(OutFile *f, bool executable) {
  mode_t mode = executable ? 0777 : 0666;
  /* Without /proc an unnamed file can't be given a name. */
  if (access("/proc/self/fd", X_OK) == 0) {
    f->kind = OUT_UNNAMED;
    f->fd = open(dir_name(f), O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
  }
  if (f->fd < 0) {
    f->kind = OUT_NAMED;
    for (int try = 0; try < TEMP_TRIES && f->fd < 0; try++) {
      temp_name(f, try);
      f->fd = open(f->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
      if (f->fd < 0 && errno != EEXIST)
        break;
    }
  }
  /* The full size at once: whatever is never written reads as zeros. */
  return f->fd >= 0 && ftruncate(f->fd, (off_t)f->size) == 0;
}

OutFile *outfile_create(Diag *d, const char *path, u64 size, bool executable, u8 **mem) {
  OutFile *f = calloc(1, sizeof *f);
  u64 len = strlen(path);
  char *copy = malloc(len + 1), *temp = malloc(len + 64);
  if (!f || !copy || !temp || size > INT64_MAX) {
    diag_error(d, "output", "cannot write output file %s: %s", path,
               strerror(size > INT64_MAX ? EFBIG : ENOMEM));
    free(f);
    free(copy);
    free(temp);
    return NULL;
  }
  memcpy(copy, path, len + 1);
  *f = (OutFile){.diag = d,
                 .fd = -1,
                 .size = size,
                 .mem = mem,
                 .path = copy,
                 .temp = temp,
                 .temp_size = len + 64,
                 .turn = PTHREAD_MUTEX_INITIALIZER};
  if (mem) {
    f->kind = OUT_MEMORY;
    f->buf = calloc(1, size ? size : 1);
    if (f->buf)
      return f;
    errno = ENOMEM;
  } else {
    struct stat st;
    bool exists = stat(path, &st) == 0;
    if (exists && S_ISDIR(st.st_mode))
      errno = EISDIR;
    else if (exists && is_special(path, &st) ? open_buffered(f) : open_regular(f, executable))
      return f;
  }
  report(f, errno);
  outfile_abort(f);
  return NULL;
}

const char *outfile_temp(const OutFile *f) {
  return f->kind == OUT_NAMED ? f->temp : NULL;
}

static bool write_all(OutFile *f, const u8 *p, u64 len, u64 off, bool in_place) {
  while (len) {
    /* The kernel takes at most 2 GB at once. */
    size_t n = (size_t)MIN(len, (u64)1 << 30);
    ssize_t done = in_place ? write(f->fd, p, n) : pwrite(f->fd, p, n, (off_t)off);
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0) {
      report(f, done < 0 ? errno : ENOSPC);
      return false;
    }
    p += done;
    off += (u64)done;
    len -= (u64)done;
  }
  return true;
}

bool outfile_write(OutFile *f, const void *p, u64 len, u64 off) {
  if (atomic_load_explicit(&f->failed, memory_order_relaxed))
    return false;
  if (f->kind == OUT_UNNAMED || f->kind == OUT_NAMED)
    return write_all(f, p, len, off, false);
  if (off > f->size || len > f->size - off) {
    report(f, EFBIG);
    return false;
  }
  memcpy(f->buf + off, p, len);
  return true;
}

static bool is_file(const OutFile *f) { return f->kind == OUT_UNNAMED || f->kind == OUT_NAMED; }

bool outfile_take_turn(OutFile *f, bool wait) {
  if (!is_file(f)) /* memory is written by all at once */
    return true;
  return (wait ? pthread_mutex_lock(&f->turn) : pthread_mutex_trylock(&f->turn)) == 0;
}

void outfile_end_turn(OutFile *f) {
  if (is_file(f))
    pthread_mutex_unlock(&f->turn);
}

/* Gives an unnamed file a temporary name beside the output. */
static bool link_temp(OutFile *f, const char *self) {
  for (int try = 0; try < TEMP_TRIES; try++) {
    temp_name(f, try);
    if (linkat(AT_FDCWD, self, AT_FDCWD, f->temp, AT_SYMLINK_FOLLOW) == 0) {
      f->kind = OUT_NAMED;
      return true;
    }
    if (errno != EEXIST)
      return false;
  }
  return false;
}

static bool appear(OutFile *f) {
  if (f->kind == OUT_UNNAMED) {
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", f->fd);
    if (linkat(AT_FDCWD, self, AT_FDCWD, f->path, AT_SYMLINK_FOLLOW) == 0)
      return true;
    if (errno != EEXIST || !link_temp(f, self))
      return false;
  }
  if (renameat2(AT_FDCWD, f->temp, AT_FDCWD, f->path, RENAME_EXCHANGE) == 0) {
    unlink(f->temp); /* the old output */
    return true;
  }
  /* No old output, or a file system that can't exchange. */
  return rename(f->temp, f->path) == 0;
}

bool outfile_commit(OutFile *f) {
  bool ok = !atomic_load(&f->failed);
  if (ok && f->kind == OUT_MEMORY) {
    *f->mem = f->buf;
    f->buf = NULL;
  } else if (ok && f->kind == OUT_BUFFERED) {
    ok = write_all(f, f->buf, f->size, 0, true);
  } else if (ok) {
    ok = appear(f);
    if (!ok)
      report(f, errno);
  }
  if (!ok) {
    outfile_abort(f);
    return false;
  }
  destroy(f);
  return true;
}

void outfile_abort(OutFile *f) {
  if (!f)
    return;
  if (f->kind == OUT_NAMED && f->fd >= 0)
    unlink(f->temp);
  destroy(f);
}
