/* runimage FILE: runs a static Mach-O program of x86-64 (LC_SEGMENT_64, LC_UNIXTHREAD) here: maps its segments as they say, jumps to
 * its entry, and gives its BSD system calls to the kernel by their numbers here. exit, read, write and getpid are all there is.
 * This is not macOS: it shows that segments, code and data fit together, nothing of what the loader there asks for.
 * Exit status: the program's; 125: it can't be run here (the lowest addresses may be taken); 126: it is no such program or did
 * something else. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CANNOT = 125, BAD = 126, PAGE = 4096, SYSGOOD = SIGTRAP | 0x80, CARRY = 1, UNIX = 2 };

static void fail(int status, const char *what) {
  fprintf(stderr, "runimage: %s%s%s\n", what, status == CANNOT ? ": " : "", status == CANNOT ? strerror(errno) : "");
  _exit(status);
}

static uint32_t get32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return v; }
static uint64_t get64(const uint8_t *p) { uint64_t v; memcpy(&v, p, 8); return v; }

/* Protections have the same bits in both worlds, 1 read, 2 write, 4 execute, as mmap() has them. */
static void map_segment(const uint8_t *c, const uint8_t *file, uint64_t size) {
  uint64_t addr = get64(c + 24), vmsize = get64(c + 32), off = get64(c + 40), filesize = get64(c + 48);
  if (!get32(c + 60))
    return; /* __PAGEZERO: nothing is there */
  if (addr % PAGE || off % PAGE || off > size || filesize > size - off || filesize > vmsize)
    fail(BAD, "a segment that does not fit the file or its pages");
  if (mmap((void *)addr, vmsize, PROT_READ | PROT_WRITE, MAP_FIXED_NOREPLACE | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != (void *)addr)
    fail(CANNOT, "mmap");
  memcpy((void *)addr, file + off, filesize);
  if (mprotect((void *)addr, vmsize, (int)get32(c + 60)))
    fail(CANNOT, "mprotect");
}

static void run(const char *path) {
  static uint8_t file[1 << 24];
  int fd = open(path, O_RDONLY);
  ssize_t n = read(fd, file, sizeof file);
  uint64_t entry = 0, at = 32;
  if (n < 32 || get32(file) != 0xfeedfacf || get32(file + 4) != 0x01000007 || get32(file + 12) != 2)
    fail(BAD, "not a Mach-O program of x86-64");
  for (uint32_t i = 0; i < get32(file + 16); i++, at += get32(file + at + 4)) {
    if (at + 8 > (uint64_t)n || get32(file + at + 4) < 8 || at + get32(file + at + 4) > (uint64_t)n)
      fail(BAD, "load commands that are not in the file");
    if (get32(file + at) == 0x19)
      map_segment(file + at, file, (uint64_t)n);
    else if (get32(file + at) == 5)
      entry = get64(file + at + 16 + 8 * 16);
    else
      fail(BAD, "a load command that static programs don't have");
  }
  close(fd);
  ptrace(PTRACE_TRACEME, 0, NULL, NULL);
  raise(SIGSTOP); /* system calls are the program's from here on */
  __asm__ volatile("xor %%edi, %%edi\n xor %%esi, %%esi\n xor %%edx, %%edx\n jmp *%0" : : "r"(entry) : "memory");
}

static int trace(pid_t pid) {
  static const struct { unsigned bsd, here; } calls[] = {{1, 60}, {3, 0}, {4, 1}, {20, 39}};
  int status, entering = 1;
  if (waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status))
    return WIFEXITED(status) ? WEXITSTATUS(status) : CANNOT;
  ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  for (int first = 1;;) {
    struct user_regs_struct r;
    ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
    if (waitpid(pid, &status, 0) < 0 || WIFEXITED(status))
      return WIFEXITED(status) ? WEXITSTATUS(status) : CANNOT;
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SYSGOOD) {
      fprintf(stderr, "runimage: the program died of signal %d\n", WIFSTOPPED(status) ? WSTOPSIG(status) : WTERMSIG(status));
      return BAD;
    }
    ptrace(PTRACE_GETREGS, pid, NULL, &r);
    if (first && (r.orig_rax >> 24) != UNIX) { /* the end of raise() */
      entering = 1;
      continue;
    }
    first = 0;
    if (entering) {
      unsigned i = 0;
      while (i < sizeof calls / sizeof *calls && r.orig_rax != ((uint64_t)UNIX << 24 | calls[i].bsd))
        i++;
      if (i == sizeof calls / sizeof *calls) {
        fprintf(stderr, "runimage: system call 0x%llx\n", (unsigned long long)r.orig_rax);
        return BAD;
      }
      r.orig_rax = calls[i].here;
    } else { /* errors come with the carry flag */
      int error = (int64_t)r.rax < 0;
      r.rax = error ? -r.rax : r.rax;
      r.eflags = (r.eflags & ~(uint64_t)CARRY) | (uint64_t)error;
    }
    ptrace(PTRACE_SETREGS, pid, NULL, &r);
    entering = !entering;
  }
}

int main(int argc, char **argv) {
  pid_t pid = argc == 2 ? fork() : -1;
  if (pid < 0)
    fail(BAD, "usage: runimage FILE");
  if (!pid)
    run(argv[1]);
  int status = trace(pid);
  kill(pid, SIGKILL);
  return status;
}
