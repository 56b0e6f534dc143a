/* dump.c: --dump-graph=PHASE[:FILE] in the middle of a link. */
#include "dump.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "write/dot.h"
#include "write/yaml.h"

static bool ends_in_dot(const char *path) {
  u64 n = strlen(path);
  return n > 4 && streq(path + n - 4, ".dot");
}

static void write_graph(Link *l, const char *path) {
  bool to_stdout = !path || streq(path, "-");
  FILE *f = to_stdout ? stdout : fopen(path, "wb");
  bool ok = f && (!to_stdout && ends_in_dot(path) ? dot_dump(l, f) : yaml_dump(l, f));
  if (f && !to_stdout)
    ok = !fclose(f) && ok;
  if (ok)
    return;
  diag_error(l->diag, "cannot-write", "--dump-graph: cannot write %s: %s", to_stdout ? "standard output" : path, strerror(errno));
  if (f && !to_stdout)
    unlink(path);
}

void dump_graph(Link *l, const char *phase) {
  for (u32 i = 0; i < l->opt->dump_graph.n; i++) {
    const char *what = l->opt->dump_graph.at[i], *colon = strchr(what, ':');
    u64 n = colon ? (u64)(colon - what) : strlen(what);
    if (n == strlen(phase) && !memcmp(what, phase, n))
      write_graph(l, colon ? colon + 1 : NULL);
  }
}
