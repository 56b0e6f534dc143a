/* emulate.c: which emulation a link is for. The trap: scripts and their layout depend on it, so it is settled before the inputs are
 * loaded, by a look at the first bytes of those that the command line names; libraries (-l) are not looked for. Nothing is reported
 * here: who loads a file says what is wrong with it. */
#include "emulate.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD = 20 }; /* e_ident, e_type, e_machine */

/* The first bytes of an input; a pipe is left alone, since what is read from it is gone. */
static Bytes head_of(const Input *in, u8 *buf) {
  if (in->mem)
    return (Bytes){in->mem, in->mem_len};
  struct stat st;
  int fd = open(in->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  ssize_t n = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? pread(fd, buf, HEAD, 0) : 0;
  if (fd >= 0)
    close(fd);
  return (Bytes){buf, n > 0 ? (u64)n : 0};
}

const Emulation *emulate_pick(const Options *o) {
  const Emulation *e = o->emulation ? emulation_named(o->emulation) : NULL;
  u8 buf[HEAD];
  for (u32 i = 0; !e && i < o->inputs.n; i++)
    if (!o->inputs.at[i].is_lib && !o->inputs.at[i].script)
      e = emulation_of_object(head_of(&o->inputs.at[i], buf));
  return e ? e : emulation_default();
}
