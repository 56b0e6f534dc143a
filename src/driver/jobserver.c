/* jobserver.c: tokens are bytes in a pipe, or in a named one. The trap: the pipe is shared with make and
 * every other job, so its file description must not be made non-blocking; it is opened anew through
 * /proc, where that is possible, and left alone where it is not. */
#include "driver/jobserver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The value of the last --jobserver-auth= (or the older --jobserver-fds=), up to a blank. */
static bool find_auth(const char *flags, char *out, size_t cap) {
  static const char *const options[] = {"--jobserver-auth=", "--jobserver-fds="};
  const char *best = NULL;
  for (u32 i = 0; i < COUNT_OF(options); i++)
    for (const char *s = flags; (s = strstr(s, options[i]));) {
      s += strlen(options[i]);
      if (!best || s > best)
        best = s;
    }
  size_t len = best ? strcspn(best, " \t") : 0;
  if (!len || len >= cap)
    return false;
  memcpy(out, best, len);
  out[len] = 0;
  return true;
}

static bool is_pipe(int fd) {
  struct stat st;
  return fd >= 0 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

bool jobserver_open(Jobserver *j, const char *makeflags) {
  *j = (Jobserver){.read_fd = -1, .write_fd = -1};
  char auth[4096];
  if (!makeflags || !find_auth(makeflags, auth, sizeof auth))
    return false;
  if (starts_with(auth, "fifo:")) {
    j->read_fd = open(auth + 5, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    j->write_fd = j->read_fd;
  } else {
    char *end;
    long r = strtol(auth, &end, 10);
    long w = *end == ',' ? strtol(end + 1, &end, 10) : -1;
    /* make closes them for jobs that it takes for no makes: the numbers may be anything by now. */
    if (*end || r < 0 || w < 0 || r > INT32_MAX || w > INT32_MAX || !is_pipe((int)r) ||
        !is_pipe((int)w))
      return false;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", (int)r);
    j->read_fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    j->write_fd = j->read_fd < 0 ? -1 : dup((int)w);
  }
  if (is_pipe(j->read_fd) && is_pipe(j->write_fd))
    return true;
  jobserver_close(j);
  return false;
}

u32 jobserver_take(Jobserver *j, u32 want) {
  u32 got = 0;
  while (got < want && j->held < sizeof j->tokens) {
    ssize_t n = read(j->read_fd, &j->tokens[j->held], 1);
    if (n < 0 && errno == EINTR)
      continue;
    if (n != 1)
      break;
    j->held++;
    got++;
  }
  return got;
}

void jobserver_close(Jobserver *j) {
  while (j->held) {
    ssize_t n = write(j->write_fd, &j->tokens[j->held - 1], 1);
    if (n < 0 && errno == EINTR)
      continue;
    if (n != 1)
      break;
    j->held--;
  }
  if (j->read_fd >= 0)
    close(j->read_fd);
  if (j->write_fd >= 0 && j->write_fd != j->read_fd)
    close(j->write_fd);
  j->read_fd = j->write_fd = -1;
}
