/* shims_files.c: files, directories, memory: calls whose flags and structures differ.
 * The trap: on x86-64 the structures with 64-bit inode numbers have names of their own ($INODE64); the plain names,
 * which are of structures with 32 bits, are not here. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include "shims.h"

typedef struct {
  u32 mac;
  int host;
} FlagPair;

/* Fails when a flag is not in the table: an unknown one must not be dropped. */
static int flags_translate(u32 mac, const FlagPair *pairs, u32 count, const char *what) {
  int out = 0;
  for (u32 i = 0; i < count; i++)
    if (mac & pairs[i].mac) {
      out |= pairs[i].host;
      mac &= ~pairs[i].mac;
    }
  if (mac)
    fail(NULL, "%s: the flags 0x%x have no translation", what, mac);
  return out;
}

static const FlagPair open_flags[] = {
    {0x4, O_NONBLOCK}, {0x8, O_APPEND}, {0x80, O_SYNC}, {0x100, O_NOFOLLOW}, {0x200, O_CREAT}, {0x400, O_TRUNC},
    {0x800, O_EXCL}, {0x20000, O_NOCTTY}, {0x100000, O_DIRECTORY}, {0x400000, O_DSYNC}, {0x1000000, O_CLOEXEC},
};

int mac_open(const char *path, int flags, MacList list);
int mac_openat(int dir, const char *path, int flags, MacList list);
int mac_fcntl(int fd, int command, MacList list);
int mac_ioctl(int fd, unsigned long request, MacList list);

enum { MAC_AT_FDCWD = -2 };

int mac_openat(int dir, const char *path, int flags, MacList list) {
  int host = (flags & 3) | flags_translate((u32)flags & ~3u, open_flags, COUNT_OF(open_flags), "open");
  mode_t mode = 0;
  if (host & O_CREAT) {
    LIST_OPEN(ap, list);
    mode = (mode_t)va_arg(ap, int);
  }
  return openat(dir == MAC_AT_FDCWD ? AT_FDCWD : dir, path, host, mode);
}
int mac_open(const char *path, int flags, MacList list) { return mac_openat(MAC_AT_FDCWD, path, flags, list); }
static int mac_creat(const char *path, int mode) { return creat(path, (mode_t)mode); }

typedef struct {
  i64 start, len;
  i32 pid;
  i16 type, whence;
} MacFlock;

static int lock_control(int fd, int command, MacFlock *m) {
  static const short to_host[] = {0, F_RDLCK, F_UNLCK, F_WRLCK};
  if (m->type < 1 || m->type > 3) {
    errno = EINVAL;
    return -1;
  }
  struct flock l = {.l_type = to_host[m->type], .l_whence = m->whence, .l_start = m->start, .l_len = m->len};
  int r = fcntl(fd, command, &l);
  if (!r && command == F_GETLK) {
    m->type = l.l_type == F_RDLCK ? 1 : l.l_type == F_UNLCK ? 2 : 3;
    m->whence = l.l_whence;
    m->start = l.l_start;
    m->len = l.l_len;
    m->pid = l.l_pid;
  }
  return r;
}

int mac_fcntl(int fd, int command, MacList list) {
  LIST_OPEN(ap, list);
  char link[64];
  switch (command) {
  case 0: return fcntl(fd, F_DUPFD, va_arg(ap, int));
  case 1: return fcntl(fd, F_GETFD);
  case 2: return fcntl(fd, F_SETFD, va_arg(ap, int));
  case 3: {
    int host = fcntl(fd, F_GETFL), mac = host & 3;
    for (u32 i = 0; host >= 0 && i < COUNT_OF(open_flags); i++)
      if ((host & open_flags[i].host) == open_flags[i].host)
        mac |= (int)open_flags[i].mac;
    return host < 0 ? host : mac;
  }
  case 4: {
    u32 mac = va_arg(ap, u32);
    return fcntl(fd, F_SETFL, (int)(mac & 3) | flags_translate(mac & ~3u, open_flags, COUNT_OF(open_flags), "fcntl"));
  }
  case 7: return lock_control(fd, F_GETLK, va_arg(ap, MacFlock *));
  case 8: return lock_control(fd, F_SETLK, va_arg(ap, MacFlock *));
  case 9: return lock_control(fd, F_SETLKW, va_arg(ap, MacFlock *));
  case 45: /* F_RDAHEAD, F_NOCACHE: advice */
  case 48: return 0;
  case 50: { /* F_GETPATH: a buffer of 1024 bytes */
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    char *out = va_arg(ap, char *);
    ssize_t n = readlink(link, out, 1023);
    if (n < 0)
      return -1;
    out[n] = 0;
    return 0;
  }
  case 51: /* F_FULLFSYNC, F_BARRIERFSYNC */
  case 85: return fsync(fd);
  case 67: return fcntl(fd, F_DUPFD_CLOEXEC, va_arg(ap, int));
  default: errno = EINVAL; return -1;
  }
}

int mac_ioctl(int fd, unsigned long request, MacList list) {
  LIST_OPEN(ap, list);
  if (request == 0x40087468) /* TIOCGWINSZ; struct winsize is the same */
    return ioctl(fd, TIOCGWINSZ, va_arg(ap, void *));
  errno = ENOTTY;
  return -1;
}

static int mac_flock(int fd, int operation) { return flock(fd, operation); }

typedef struct {
  i32 dev;
  u16 mode, nlink;
  u64 ino;
  u32 uid, gid;
  i32 rdev, pad;
  struct timespec atime, mtime, ctime, birthtime;
  i64 size, blocks;
  i32 blksize;
  u32 flags, gen;
  i32 spare;
  i64 more[2];
} MacStat;
_Static_assert(sizeof(MacStat) == 144, "struct stat with 64-bit inode numbers");

static int stat_result(int r, const struct stat *s, MacStat *m) {
  if (!r)
    *m = (MacStat){.dev = (i32)s->st_dev, .mode = (u16)s->st_mode, .nlink = (u16)s->st_nlink, .ino = s->st_ino,
                   .uid = s->st_uid, .gid = s->st_gid, .rdev = (i32)s->st_rdev, .atime = s->st_atim,
                   .mtime = s->st_mtim, .ctime = s->st_ctim, .birthtime = s->st_ctim, .size = s->st_size,
                   .blocks = s->st_blocks, .blksize = (i32)s->st_blksize};
  return r;
}
static int mac_stat(const char *path, MacStat *m) {
  struct stat s;
  return stat_result(stat(path, &s), &s, m);
}
static int mac_lstat(const char *path, MacStat *m) {
  struct stat s;
  return stat_result(lstat(path, &s), &s, m);
}
static int mac_fstat(int fd, MacStat *m) {
  struct stat s;
  return stat_result(fstat(fd, &s), &s, m);
}

typedef struct {
  u32 bsize;
  i32 iosize;
  u64 blocks, bfree, bavail, files, ffree;
  i32 fsid[2];
  u32 owner, type, flags, subtype;
  char typename[16], mounted_on[1024], mounted_from[1024];
  u32 reserved[8];
} MacStatfs;
_Static_assert(sizeof(MacStatfs) == 2168, "struct statfs with 64-bit inode numbers");

static int statfs_result(int r, const struct statvfs *s, MacStatfs *m) {
  if (!r)
    *m = (MacStatfs){.bsize = (u32)s->f_bsize, .iosize = (i32)s->f_bsize, .blocks = s->f_blocks, .bfree = s->f_bfree,
                     .bavail = s->f_bavail, .files = s->f_files, .ffree = s->f_ffree, .typename = "apfs",
                     .mounted_on = "/"};
  return r;
}
static int mac_statfs(const char *path, MacStatfs *m) {
  struct statvfs s;
  return statfs_result(statvfs(path, &s), &s, m);
}
static int mac_fstatfs(int fd, MacStatfs *m) {
  struct statvfs s;
  return statfs_result(fstatvfs(fd, &s), &s, m);
}

typedef struct {
  u64 ino, seekoff;
  u16 reclen, namlen;
  u8 type;
  char name[1024];
} MacDirent;

typedef struct {
  DIR *host;
  MacDirent entry;
} MacDir;

static MacDir *mac_opendir(const char *path) {
  DIR *host = opendir(path);
  if (!host)
    return NULL;
  MacDir *d = get_memory(1, sizeof *d);
  d->host = host;
  return d;
}
static MacDirent *mac_readdir(MacDir *d) {
  struct dirent *e = readdir(d->host);
  if (!e)
    return NULL;
  d->entry = (MacDirent){.ino = e->d_ino, .reclen = sizeof(MacDirent), .namlen = (u16)strlen(e->d_name),
                         .type = e->d_type};
  snprintf(d->entry.name, sizeof d->entry.name, "%s", e->d_name);
  return &d->entry;
}
static int mac_closedir(MacDir *d) {
  int r = closedir(d->host);
  free(d);
  return r;
}
static void mac_rewinddir(MacDir *d) { rewinddir(d->host); }

static int mac_mkdir(const char *path, u16 mode) { return mkdir(path, mode); }
static int mac_chmod(const char *path, u16 mode) { return chmod(path, mode); }
static int mac_fchmod(int fd, u16 mode) { return fchmod(fd, mode); }
static int mac_umask(int mode) { return (int)umask((mode_t)mode); }

/* Microseconds are an int on macOS; the rest of the word may be anything. */
typedef struct {
  i64 sec;
  i32 usec, pad;
} MacTimeval;

static const struct timeval *times_of(const MacTimeval *m, struct timeval out[2]) {
  if (!m)
    return NULL;
  for (u32 i = 0; i < 2; i++)
    out[i] = (struct timeval){m[i].sec, m[i].usec};
  return out;
}
static int mac_utimes(const char *path, const MacTimeval *m) {
  struct timeval t[2];
  return utimes(path, times_of(m, t));
}
static int mac_futimes(int fd, const MacTimeval *m) {
  struct timeval t[2];
  return futimes(fd, times_of(m, t));
}

static const FlagPair map_flags[] = {
    {0x1, MAP_SHARED}, {0x2, MAP_PRIVATE}, {0x10, MAP_FIXED}, {0x40, MAP_NORESERVE}, {0x1000, MAP_ANONYMOUS}, {0x800, 0},
};
static void *mac_mmap(void *p, size_t size, int prot, int flags, int fd, i64 off) {
  return mmap(p, size, prot, flags_translate((u32)flags, map_flags, COUNT_OF(map_flags), "mmap"), fd, off);
}
static int mac_msync(void *p, size_t size, int flags) {
  return msync(p, size, (flags & 1 ? MS_ASYNC : 0) | (flags & 2 ? MS_INVALIDATE : 0) | (flags & 0x10 ? MS_SYNC : 0));
}
static int mac_fsctl(int fd, unsigned long request, void *data, unsigned options_) {
  (void)fd, (void)request, (void)data, (void)options_;
  errno = ENOTSUP;
  return -1;
}

#ifdef __aarch64__
#define INODE64(name) "_" name
#else
#define INODE64(name) "_" name "$INODE64"
#endif
void shim_open(void), shim_openat(void), shim_fcntl(void), shim_ioctl(void);

const Shim shims_files[] = {
    {"_open", (void *)shim_open}, {"_openat", (void *)shim_openat}, {"_creat", (void *)mac_creat},
    {"_fcntl", (void *)shim_fcntl}, {"_ioctl", (void *)shim_ioctl}, {"_flock", (void *)mac_flock},
    {INODE64("stat"), (void *)mac_stat}, {INODE64("lstat"), (void *)mac_lstat}, {INODE64("fstat"), (void *)mac_fstat},
    {INODE64("statfs"), (void *)mac_statfs}, {INODE64("fstatfs"), (void *)mac_fstatfs},
    {INODE64("opendir"), (void *)mac_opendir}, {INODE64("readdir"), (void *)mac_readdir},
    {INODE64("rewinddir"), (void *)mac_rewinddir}, {"_closedir", (void *)mac_closedir},
    {"_mkdir", (void *)mac_mkdir}, {"_chmod", (void *)mac_chmod}, {"_fchmod", (void *)mac_fchmod},
    {"_umask", (void *)mac_umask}, {"_utimes", (void *)mac_utimes}, {"_futimes", (void *)mac_futimes},
    {"_mmap", (void *)mac_mmap}, {"_msync", (void *)mac_msync}, {"_fsctl", (void *)mac_fsctl},
    SAME(munmap), SAME(mprotect), SAME(utime),
    {0},
};
