/* emulate.c: which emulation a link is for. The trap: scripts and their layout depend on it, so it is settled before the inputs are
 * loaded, by a look at the first bytes of those that the command line names; libraries (-l) are not looked for. Nothing is reported
 * here: who loads a file says what is wrong with it. */
#include "emulate.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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

typedef VEC(char) Text;
enum { PIECE = 1 << 16, MOST = 1 << 28 };

static void add_file(Text *t, const char *path) {
  FILE *f = fopen(path, "r");
  for (u64 n = f != NULL; n && t->n < MOST;) {
    vec_reserve(t, t->n + PIECE);
    t->n += (u32)(n = fread(t->at + t->n, 1, PIECE, f));
  }
  if (f)
    fclose(f);
}

const char *emulate_script(Arena *a, const Options *o, bool *internal) {
  Text t = {0};
  *internal = true;
  for (u32 i = 0; i < o->inputs.n; i++) { /* what -T names; a file that can't be read is reported by who loads it */
    const Input *in = &o->inputs.at[i];
    if (!in->script)
      continue;
    *internal = false;
    if (!in->mem) {
      add_file(&t, in->name);
    } else if (in->mem_len && in->mem_len < MOST) {
      vec_reserve(&t, t.n + (u32)in->mem_len);
      memcpy(t.at + t.n, in->mem, in->mem_len);
      t.n += (u32)in->mem_len;
    }
  }
  Bytes text = *internal ? emulation_script(a, emulate_pick(o), o) : (Bytes){(const u8 *)(t.at ? t.at : ""), t.n};
  const char *s = arena_strndup(a, (const char *)text.p, text.len);
  vec_free(&t);
  return s;
}
