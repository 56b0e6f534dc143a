/* standalone.c: runs a fuzz target over files: fuzz_elf FILE... A directory stands for what is in it. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

static int run_file(const char *path) {
  FILE *f = fopen(path, "rb");
  struct stat st;
  if (!f || fstat(fileno(f), &st) != 0) {
    perror(path);
    return 1;
  }
  size_t size = (size_t)st.st_size;
  /* Exactly as large as the input, so that ASan sees a read of one byte more. */
  uint8_t *data = malloc(size ? size : 1);
  if (!data || fread(data, 1, size, f) != size) {
    perror(path);
    fclose(f);
    free(data);
    return 1;
  }
  fclose(f);
  fprintf(stderr, "running %s\n", path);
  LLVMFuzzerTestOneInput(data, size);
  free(data);
  return 0;
}

int main(int argc, char **argv) {
  int bad = 0;
  for (int i = 1; i < argc; i++) {
    DIR *dir = opendir(argv[i]);
    if (!dir) {
      bad |= run_file(argv[i]);
      continue;
    }
    for (struct dirent *e; (e = readdir(dir));) {
      if (e->d_name[0] == '.')
        continue;
      char path[4096];
      snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name);
      bad |= run_file(path);
    }
    closedir(dir);
  }
  return bad;
}
