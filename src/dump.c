/* dump.c: --dump-graph=PHASE[:FILE] in the middle of a link. */
#include "dump.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "graph.h"
#include "write/dot.h"
#include "write/yaml.h"

static bool ends_in_dot(const char *path) {
  u64 n = strlen(path);
  return n > 4 && streq(path + n - 4, ".dot");
}

/* A document for each file, members in that of their archive: nothing has met anything yet. */
static bool write_files(Link *l, FILE *out) {
  YamlOut w = {.sink = yaml_put, .ctx = out};
  u32 archive = 0;
  yaml_write_begin(&w);
  for (u32 f = 0; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    if (file->kind == FILE_WELD)
      continue;
    if (!file->archive)
      yaml_write_file_header(&w, &(YamlFile){.path = file->path, .triple = l->opt->target_triple});
    else if (file->archive != archive)
      yaml_write_file_header(&w, &(YamlFile){.path = l->archives.at[file->archive - 1].path, .archive = true});
    archive = file->archive;
    if (archive)
      yaml_write_member_header(&w, &(YamlMember){.name = file->member});
    graph_write_file(file, &w);
  }
  bool ok = yaml_write_end(&w);
  yaml_out_free(&w);
  return ok;
}

static void write_graph(Link *l, const char *path, bool read) {
  bool to_stdout = !path || streq(path, "-");
  FILE *f = to_stdout ? stdout : fopen(path, "wb");
  bool ok = f && (read ? write_files(l, f) : !to_stdout && ends_in_dot(path) ? dot_dump(l, f) : yaml_dump(l, f));
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
      write_graph(l, colon ? colon + 1 : NULL, streq(phase, "read"));
  }
}
