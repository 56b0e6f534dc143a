/* shims_process.c: errno, signals, clocks, users, limits, memory zones, and functions that only macOS has.
 * The trap: a program reads errno through ___error only; there the host's number becomes macOS's, once. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shims.h"

typedef struct {
  int host, mac;
} NumberPair;

/* Up to 34 (ERANGE) the numbers are the same, but for EAGAIN and EDEADLK. */
static const NumberPair errnos[] = {
    {EDEADLK, 11}, {EAGAIN, 35}, {EINPROGRESS, 36}, {EALREADY, 37}, {ENOTSOCK, 38}, {EDESTADDRREQ, 39},
    {EMSGSIZE, 40}, {EPROTOTYPE, 41}, {ENOPROTOOPT, 42}, {EPROTONOSUPPORT, 43}, {ESOCKTNOSUPPORT, 44},
    {EOPNOTSUPP, 45}, {EPFNOSUPPORT, 46}, {EAFNOSUPPORT, 47}, {EADDRINUSE, 48}, {EADDRNOTAVAIL, 49}, {ENETDOWN, 50},
    {ENETUNREACH, 51}, {ENETRESET, 52}, {ECONNABORTED, 53}, {ECONNRESET, 54}, {ENOBUFS, 55}, {EISCONN, 56},
    {ENOTCONN, 57}, {ESHUTDOWN, 58}, {ETIMEDOUT, 60}, {ECONNREFUSED, 61}, {ELOOP, 62}, {ENAMETOOLONG, 63},
    {EHOSTDOWN, 64}, {EHOSTUNREACH, 65}, {ENOTEMPTY, 66}, {EUSERS, 68}, {EDQUOT, 69}, {ESTALE, 70}, {ENOLCK, 77},
    {ENOSYS, 78}, {EOVERFLOW, 84}, {ECANCELED, 89}, {EIDRM, 90}, {ENOMSG, 91}, {EILSEQ, 92}, {EBADMSG, 94},
    {EPROTO, 100}, {ETIME, 101}, {EOWNERDEAD, 105}, {ENOTRECOVERABLE, 104},
};

int errno_to_mac(int host) {
  for (u32 i = 0; i < COUNT_OF(errnos); i++)
    if (errnos[i].host == host)
      return errnos[i].mac;
  return host;
}

int errno_from_mac(int mac) {
  for (u32 i = 0; i < COUNT_OF(errnos); i++)
    if (errnos[i].mac == mac)
      return errnos[i].host;
  return mac;
}

/* A host number that is not 0 is new since the last time. */
static int *mac_errno(void) {
  static __thread int current;
  if (errno)
    current = errno_to_mac(errno);
  errno = 0;
  return &current;
}

static char *mac_strerror(int e) { return strerror(errno_from_mac(e)); }
static int mac_strerror_r(int e, char *out, size_t size) {
  return snprintf(out, size, "%s", strerror(errno_from_mac(e))) < (int)size ? 0 : ERANGE;
}

static const NumberPair signals[] = {
    {SIGBUS, 10}, {SIGUSR1, 30}, {SIGUSR2, 31}, {SIGSYS, 12}, {SIGURG, 16}, {SIGSTOP, 17}, {SIGTSTP, 18},
    {SIGCONT, 19}, {SIGCHLD, 20}, {SIGTTIN, 21}, {SIGTTOU, 22}, {SIGIO, 23}, {SIGXCPU, 24}, {SIGXFSZ, 25},
    {SIGVTALRM, 26}, {SIGPROF, 27}, {SIGWINCH, 28},
};

int signal_to_mac(int host) {
  for (u32 i = 0; i < COUNT_OF(signals); i++)
    if (signals[i].host == host)
      return signals[i].mac;
  return host;
}

int signal_from_mac(int mac) {
  for (u32 i = 0; i < COUNT_OF(signals); i++)
    if (signals[i].mac == mac)
      return signals[i].host;
  return mac;
}

typedef void Handler(int, void *, void *);
static Handler *handlers[65];

static void handler_call(int host, siginfo_t *info, void *context) {
  (void)info, (void)context;
  if (handlers[host])
    handlers[host](signal_to_mac(host), NULL, NULL);
}

typedef struct {
  Handler *handler;
  u32 mask;
  int flags;
} MacSigaction;

static bool is_special(Handler *h) { return (uintptr_t)h <= 1; } /* SIG_DFL, SIG_IGN */

static int mac_sigaction(int mac, const MacSigaction *to, MacSigaction *old) {
  int host = signal_from_mac(mac);
  if (host < 1 || host > 64) {
    errno = EINVAL;
    return -1;
  }
  struct sigaction now;
  if (sigaction(host, NULL, &now))
    return -1;
  if (old)
    *old = (MacSigaction){.handler = now.sa_sigaction == handler_call ? handlers[host] : (Handler *)(void *)now.sa_handler};
  if (!to)
    return 0;
  handlers[host] = is_special(to->handler) ? NULL : to->handler;
  int restart = to->flags & 2 ? SA_RESTART : 0, reset = to->flags & 4 ? (int)SA_RESETHAND : 0;
  struct sigaction new = {.sa_flags = SA_SIGINFO | restart | reset};
  if (is_special(to->handler)) {
    new.sa_flags = 0;
    new.sa_handler = (void (*)(int))(void *)to->handler;
  } else {
    new.sa_sigaction = handler_call;
  }
  for (int i = 1; i < 32; i++)
    if (to->mask >> (i - 1) & 1)
      sigaddset(&new.sa_mask, signal_from_mac(i));
  return sigaction(host, &new, NULL);
}

static Handler *mac_signal(int mac, Handler *h) {
  MacSigaction new = {.handler = h, .flags = 2}, old = {0};
  return mac_sigaction(mac, &new, &old) ? (Handler *)(intptr_t)-1 : old.handler;
}
static int mac_raise(int mac) { return raise(signal_from_mac(mac)); }
static int mac_kill(int pid, int mac) { return kill(pid, signal_from_mac(mac)); }

/* The second half of a timeval is an int and padding on macOS, a long here: to be read it is the same. */
static int mac_gettimeofday(struct timeval *t, void *zone) {
  (void)zone;
  return gettimeofday(t, NULL);
}
static int mac_getrusage(int who, struct rusage *out) { return getrusage(who, out); }

static int clock_of(int mac) {
  switch (mac) {
  case 0: return CLOCK_REALTIME;
  case 4: return CLOCK_MONOTONIC_RAW;
  case 6:
  case 8: return CLOCK_MONOTONIC;
  case 12: return CLOCK_PROCESS_CPUTIME_ID;
  case 16: return CLOCK_THREAD_CPUTIME_ID;
  default: return -1;
  }
}
static int mac_clock_gettime(int mac, struct timespec *t) { return clock_gettime(clock_of(mac), t); }
static u64 mac_absolute_time(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}
static int mac_timebase_info(u32 out[2]) {
  out[0] = out[1] = 1;
  return 0;
}

static long mac_sysconf(int name) {
  switch (name) {
  case 1: return sysconf(_SC_ARG_MAX);
  case 3: return sysconf(_SC_CLK_TCK);
  case 5: return sysconf(_SC_OPEN_MAX);
  case 29: return sysconf(_SC_PAGESIZE);
  case 57: return sysconf(_SC_NPROCESSORS_CONF);
  case 58: return sysconf(_SC_NPROCESSORS_ONLN);
  case 70: return sysconf(_SC_GETGR_R_SIZE_MAX);
  case 71: return sysconf(_SC_GETPW_R_SIZE_MAX);
  case 200: return sysconf(_SC_PHYS_PAGES);
  default: errno = EINVAL; return -1;
  }
}
static size_t mac_confstr(int name, char *out, size_t size) {
  if (name != 65537 && name != 65538) { /* the user's directories for temporary files and caches */
    errno = EINVAL;
    return 0;
  }
  return (size_t)snprintf(out, size, "%s/", P_tmpdir) + 1;
}
/* No name is known. */
static int mac_sysctlbyname(const char *name, void *old, size_t *size, void *new, size_t new_size) {
  (void)name, (void)old, (void)size, (void)new, (void)new_size;
  errno = ENOENT;
  return -1;
}
static int mac_sysctl(int *name, u32 n, void *old, size_t *size, void *new, size_t new_size) {
  (void)name, (void)n;
  return mac_sysctlbyname("", old, size, new, new_size);
}

typedef struct {
  char *name, *password;
  u32 uid, gid;
  i64 change;
  char *class, *gecos, *dir, *shell;
  i64 expire;
} MacPasswd;

/* One user with any number: the host's list may need libraries that a static program has not. */
static MacPasswd *mac_getpwuid(u32 uid) {
  static MacPasswd m;
  static char empty[] = "";
  static char name[] = "user", shell[] = "/bin/sh";
  char *home = getenv("HOME");
  m = (MacPasswd){name, empty, uid, uid, 0, empty, empty, home ? home : empty, shell, 0};
  return &m;
}

static int mac_wait4(int pid, int *status, int flags, void *usage) {
  if (usage)
    fail(NULL, "wait4 with a struct rusage is not supported");
  int s, r = waitpid(pid, &s, flags);
  /* Low bits: the signal that ended it; the next byte: the exit status. */
  if (r > 0 && status)
    *status = WIFSIGNALED(s) ? (s & 0x80) | signal_to_mac(WTERMSIG(s)) : s;
  return r;
}
static int mac_waitpid(int pid, int *status, int flags) { return mac_wait4(pid, status, flags, NULL); }

/* One zone: the host's heap. Programs also call the functions in its record. */
typedef struct MacZone {
  void *reserved[2];
  size_t (*size)(struct MacZone *, const void *);
  void *(*malloc)(struct MacZone *, size_t);
  void *(*calloc)(struct MacZone *, size_t, size_t);
  void *(*valloc)(struct MacZone *, size_t);
  void (*free)(struct MacZone *, void *);
  void *(*realloc)(struct MacZone *, void *, size_t);
  void *rest[16];
} MacZone;

static size_t zone_size(MacZone *zone, const void *p) {
  (void)zone;
  return malloc_usable_size((void *)(uintptr_t)p);
}
static void *zone_malloc(MacZone *zone, size_t size) {
  (void)zone;
  return malloc(size);
}
static void *zone_calloc(MacZone *zone, size_t n, size_t size) {
  (void)zone;
  return calloc(n, size);
}
static void *zone_valloc(MacZone *zone, size_t size) {
  (void)zone;
  return valloc(size);
}
static void zone_free(MacZone *zone, void *p) {
  (void)zone;
  free(p);
}
static void *zone_realloc(MacZone *zone, void *p, size_t size) {
  (void)zone;
  return realloc(p, size);
}
static MacZone default_zone = {.size = zone_size, .malloc = zone_malloc, .calloc = zone_calloc,
                               .valloc = zone_valloc, .free = zone_free, .realloc = zone_realloc};
static MacZone *mac_default_zone(void) { return &default_zone; }
static MacZone *mac_create_zone(size_t size, unsigned flags) {
  (void)size, (void)flags;
  return &default_zone;
}
static void mac_set_zone_name(MacZone *zone, const char *name) { (void)zone, (void)name; }

/* Functions that glibc has not, or with other parameters. */
typedef struct {
  int (*compare)(void *, const void *, const void *);
  void *thunk;
} Comparison;
static int comparison_call(const void *a, const void *b, void *context) {
  const Comparison *c = context;
  return c->compare(c->thunk, a, b);
}
static void mac_qsort_r(void *base, size_t n, size_t size, void *thunk, int (*f)(void *, const void *, const void *)) {
  Comparison c = {f, thunk};
  qsort_r(base, n, size, comparison_call, &c);
}
static size_t mac_strlcpy(char *to, const char *from, size_t size) {
  size_t n = strlen(from);
  if (size) {
    memcpy(to, from, MIN(n, size - 1));
    to[MIN(n, size - 1)] = 0;
  }
  return n;
}
static size_t mac_strlcat(char *to, const char *from, size_t size) {
  size_t n = strnlen(to, size);
  return n + mac_strlcpy(to + n, from, size - n);
}
static char *mac_strnstr(const char *s, const char *what, size_t n) {
  size_t k = strlen(what);
  return memmem(s, strnlen(s, n), what, k);
}
static void memset_pattern(u8 *to, const u8 *pattern, size_t n, size_t width) {
  for (size_t i = 0; i < n; i++)
    to[i] = pattern[i % width];
}
static void mac_memset_pattern4(void *to, const void *pattern, size_t n) { memset_pattern(to, pattern, n, 4); }
static void mac_memset_pattern8(void *to, const void *pattern, size_t n) { memset_pattern(to, pattern, n, 8); }
static void mac_memset_pattern16(void *to, const void *pattern, size_t n) { memset_pattern(to, pattern, n, 16); }
static void mac_srandomdev(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  srandom((unsigned)t.tv_nsec);
}
static int mac_gethostuuid(u8 out[16], const void *timeout) {
  (void)timeout;
  memset(out, 0x5a, 16);
  return 0;
}
static _Noreturn void mac_assert(const char *function, const char *file, int line, const char *what) {
  fflush(NULL);
  fprintf(stderr, "Assertion failed: (%s), function %s, file %s, line %d.\n", what, function ? function : "?", file, line);
  abort();
}
static _Noreturn void mac_stack_check_fail(void) { fail(NULL, "a function overwrote its stack guard"); }
static u64 stack_guard = 0x57ac6a4d00000a0d;

/* __builtin___memcpy_chk and kin. */
static void in_bounds(size_t n, size_t size, const char *name) {
  if (n > size)
    fail(NULL, "%s writes past the end of its buffer", name);
}
static void *mac_memcpy_chk(void *to, const void *from, size_t n, size_t size) {
  in_bounds(n, size, "memcpy");
  return memcpy(to, from, n);
}
static void *mac_memmove_chk(void *to, const void *from, size_t n, size_t size) {
  in_bounds(n, size, "memmove");
  return memmove(to, from, n);
}
static void *mac_memset_chk(void *to, int c, size_t n, size_t size) {
  in_bounds(n, size, "memset");
  return memset(to, c, n);
}
static char *mac_strcpy_chk(char *to, const char *from, size_t size) {
  in_bounds(strlen(from) + 1, size, "strcpy");
  return strcpy(to, from);
}
static char *mac_strncpy_chk(char *to, const char *from, size_t n, size_t size) {
  in_bounds(n, size, "strncpy");
  memset(to, 0, n);
  return memcpy(to, from, strnlen(from, n));
}
static char *mac_strcat_chk(char *to, const char *from, size_t size) {
  in_bounds(strlen(to) + strlen(from) + 1, size, "strcat");
  return strcat(to, from);
}
static char *mac_strncat_chk(char *to, const char *from, size_t n, size_t size) {
  in_bounds(strlen(to) + strnlen(from, n) + 1, size, "strncat");
  return strncat(to, from, n);
}

const Shim shims_process[] = {
    {"___error", (void *)mac_errno}, {"_strerror", (void *)mac_strerror}, {"_strerror_r", (void *)mac_strerror_r},
    {"_sigaction", (void *)mac_sigaction}, {"_signal", (void *)mac_signal}, {"_raise", (void *)mac_raise},
    {"_kill", (void *)mac_kill}, {"_gettimeofday", (void *)mac_gettimeofday}, {"_getrusage", (void *)mac_getrusage},
    {"_clock_gettime", (void *)mac_clock_gettime}, {"_mach_absolute_time", (void *)mac_absolute_time},
    {"_mach_timebase_info", (void *)mac_timebase_info}, {"_sysconf", (void *)mac_sysconf},
    {"_confstr", (void *)mac_confstr}, {"_sysctlbyname", (void *)mac_sysctlbyname}, {"_sysctl", (void *)mac_sysctl},
    {"_getpwuid", (void *)mac_getpwuid}, {"_wait4", (void *)mac_wait4}, {"_waitpid", (void *)mac_waitpid},
    {"_malloc_size", (void *)malloc_usable_size}, {"_malloc_default_zone", (void *)mac_default_zone},
    {"_malloc_create_zone", (void *)mac_create_zone}, {"_malloc_set_zone_name", (void *)mac_set_zone_name},
    {"_malloc_zone_malloc", (void *)zone_malloc}, {"_malloc_zone_realloc", (void *)zone_realloc},
    {"_malloc_zone_free", (void *)zone_free}, {"_qsort_r", (void *)mac_qsort_r},
    {"_strlcpy", (void *)mac_strlcpy}, {"_strlcat", (void *)mac_strlcat}, {"_strnstr", (void *)mac_strnstr},
    {"_memset_pattern4", (void *)mac_memset_pattern4}, {"_memset_pattern8", (void *)mac_memset_pattern8},
    {"_memset_pattern16", (void *)mac_memset_pattern16}, {"_srandomdev", (void *)mac_srandomdev},
    {"_gethostuuid", (void *)mac_gethostuuid}, {"___assert_rtn", (void *)mac_assert},
    {"___stack_chk_fail", (void *)mac_stack_check_fail}, {"___stack_chk_guard", (void *)&stack_guard},
    {"___memcpy_chk", (void *)mac_memcpy_chk}, {"___memmove_chk", (void *)mac_memmove_chk},
    {"___memset_chk", (void *)mac_memset_chk}, {"___strcpy_chk", (void *)mac_strcpy_chk},
    {"___strncpy_chk", (void *)mac_strncpy_chk}, {"___strcat_chk", (void *)mac_strcat_chk},
    {"___strncat_chk", (void *)mac_strncat_chk}, {"_setpriority", (void *)setpriority}, {"___bzero", (void *)bzero},
    {0},
};
