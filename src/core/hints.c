/* hints.c: why a name is missing, as far as the inputs tell. Every hint rests on something that was
 * found (a definition somewhere, a library that has the name); only the last resort is a small table
 * of names that belong to well-known libraries and compiler options.
 * The trap: there may be a million names to compare with, so a name is first sifted by length and by
 * the letters in it. Among equals the first in command-line order wins, never the first that was found. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/report.h"
#include "core/resolve.h"
#include "util/demangle.h"
#include "util/hash.h"

enum {
  PATH_CAP = 256,        /* longer names are not compared */
  REC_BATCH = 64,
  MAX_HINTED = 64,       /* symbols that get hints */
  MAX_LIBRARIES = 4096,  /* files looked into for a definition */
  FOREIGN = 1,           /* what a near name costs more when it is a shared library's */
};

/* A symbol's name, prepared for comparing. */
typedef struct {
  char path[PATH_CAP]; /* "ns::f" */
  u32 len, base_len;   /* base_len: of the mangled or plain name without a version */
  u64 letters;         /* a set: bit c % 64 for each byte */
  bool cxx;
  u32 limit;           /* greatest distance of a near name */
  u64 hash;            /* of the base name */
} Wanted;

static u64 letter_set(const char *s, u32 len) {
  u64 set = 0;
  for (u32 i = 0; i < len; i++)
    set |= (u64)1 << ((u8)s[i] & 63);
  return set;
}

static u32 base_length(const char *name, u64 len) {
  const char *at = len > 1 ? memchr(name + 1, '@', len - 1) : NULL;
  return (u32)(at ? (u64)(at - name) : len);
}

static void prepare(Wanted *w, const char *name) {
  u64 len = strlen(name);
  w->len = demangle_path(name, len, w->path, PATH_CAP, &w->cxx);
  w->letters = letter_set(w->path, w->len);
  w->base_len = base_length(name, len);
  w->hash = hash_bytes(name, w->base_len);
  w->limit = w->len < 4 ? 0 : w->len < 8 ? 1 : 2;
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

/* Edit distance with transpositions (restricted), a change of case costing nothing on its own; more than
 * `limit` comes back as limit + 1. */
static u32 distance(const char *a, u32 n, const char *b, u32 m, u32 limit) {
  u8 rows[3][PATH_CAP + 1];
  u8 *before = rows[0], *last = rows[1], *row = rows[2];
  for (u32 j = 0; j <= m; j++)
    last[j] = (u8)MIN(j, 255u);
  for (u32 i = 1; i <= n; i++) {
    u32 least = row[0] = (u8)MIN(i, 255u);
    for (u32 j = 1; j <= m; j++) {
      bool same = lower(a[i - 1]) == lower(b[j - 1]);
      u32 d = MIN(MIN((u32)last[j], (u32)row[j - 1]) + 1, (u32)last[j - 1] + !same);
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
        d = MIN(d, (u32)before[j - 2] + 1);
      row[j] = (u8)MIN(d, 255u);
      least = MIN(least, d);
    }
    if (least > limit)
      return limit + 1;
    u8 *t = before;
    before = last;
    last = row;
    row = t;
  }
  return last[m];
}

/* ---- one pass over every definition ---- */

typedef struct {
  u32 score; /* 0: the same path */
  u32 sym;
  u64 key;   /* decides among equals */
} Near;

typedef struct {
  Link *l;
  const Wanted *wanted;
  u32 n;
  Near *best; /* n for each thread */
} NearJob;

static void consider(Near *best, u32 score, u64 key, u32 sym) {
  if (score < best->score || (score == best->score && key < best->key))
    *best = (Near){score, sym, key};
}

static void compare(const NearJob *j, Near *best, u32 sym, u64 key, bool foreign) {
  const SymName *name = &j->l->syms.name[sym];
  char path[PATH_CAP];
  bool cxx;
  u32 len = demangle_path(name->p, name->len, path, PATH_CAP, &cxx);
  if (!len)
    return;
  u64 letters = letter_set(path, len);
  for (u32 k = 0; k < j->n; k++) {
    const Wanted *w = &j->wanted[k];
    u32 gap = len > w->len ? len - w->len : w->len - len;
    if (gap > w->limit || !w->len)
      continue;
    if (gap == 0 && memcmp(path, w->path, len) == 0) {
      consider(&best[k], 0, key, sym);
      continue;
    }
    /* one edit changes at most two letters of the set; a change of case may change more */
    if (!w->limit || __builtin_popcountll(letters ^ w->letters) > 2 * (int)w->limit + 4)
      continue;
    u32 d = distance(path, len, w->path, w->len, w->limit);
    if (d <= w->limit)
      consider(&best[k], 1 + d + (foreign ? FOREIGN : 0), key, sym);
  }
}

static void near_defined(void *ctx, u32 begin, u32 end, unsigned tid) {
  NearJob *j = ctx;
  const Symbols *s = &j->l->syms;
  for (u32 i = begin; i < end; i++) {
    u64 key = s->key[i];
    if (key_rank(key) != RANK_NONE && !(s->flags[i] & SF_UNDEFINED) && key_file(key))
      compare(j, j->best + (u64)tid * j->n, i, key, s->flags[i] & SF_SHARED);
  }
}

/* Archive members that nothing asked for: a name spelt right would have. */
static void near_lazy(void *ctx, u32 begin, u32 end, unsigned tid) {
  NearJob *j = ctx;
  const Link *l = j->l;
  SymRec rec[REC_BATCH];
  for (u32 f = MAX(begin, 1u); f < end; f++) {
    const File *file = &l->files.at[f];
    if (file->live || file->kind != FILE_OBJECT || !file->fmt)
      continue;
    for (u32 i = file->first_global, n;
         (n = l->format->symbols(l, (FileId){f}, i, rec, REC_BATCH)); i += n)
      for (u32 k = 0; k < n; k++) {
        u32 sym = file->globals[rec[k].index - file->first_global];
        if (sym != UINT32_MAX && rec[k].rank != RANK_NONE && key_rank(l->syms.key[sym]) == RANK_NONE)
          compare(j, j->best + (u64)tid * j->n, sym,
                  (u64)RANK_OUTSIDE << 56 | (u64)f << 32 | rec[k].index, false);
      }
  }
}

static void near_names(Link *l, const Wanted *wanted, u32 n, Near *best) {
  unsigned threads = pool_threads(l->pool);
  NearJob j = {l, wanted, n, calloc((u64)threads * n, sizeof *best)};
  if (!j.best)
    return;
  for (u64 i = 0; i < (u64)threads * n; i++)
    j.best[i].score = UINT32_MAX;
  pool_run(l->pool, l->syms.nglobal, 1 << 14, near_defined, &j);
  pool_run(l->pool, l->files.n, 16, near_lazy, &j);
  for (unsigned t = 0; t < threads; t++)
    for (u32 k = 0; k < n; k++) {
      const Near *x = &j.best[(u64)t * n + k];
      consider(&best[k], x->score, x->key, x->sym);
    }
  free(j.best);
}

/* ---- writing hints ---- */

static void say(Hint *h, const char *text) {
  for (u32 i = 0; i < h->notes.n; i++)
    if (streq(h->notes.at[i], text))
      return;
  *vec_push(&h->notes) = text;
}

static const char *where(const Link *l, u64 key) { return file_name(l, (FileId){key_file(key)}); }

static void say_near(Link *l, Arena *a, Hint *h, const Wanted *w, const Near *x) {
  const SymName *sn = &l->syms.name[x->sym];
  const char *name = arena_strndup(a, sn->p, sn->len), *plain = diag_name(l->diag, name);
  const char *file = where(l, x->key);
  bool cxx = sn->len > 2 && name[0] == '_' && name[1] == 'Z';
  u32 base = base_length(name, sn->len);
  const char *at = strchr(h->name + (h->name[0] != 0), '@');
  if (base == w->base_len && !memcmp(name, h->name, base)) {
    if (at) /* foo@V2 is missing, but there is a foo or a foo@V1 */
      say(h, arena_printf(a, "%s defines %s, but not version %s of it", file, plain, at + strspn(at, "@")));
    else
      say(h, arena_printf(a, "%s defines only %s, a version that is not the default", file, plain));
  } else if (x->score == 0 && cxx && !w->cxx) {
    say(h, arena_printf(a, "%s defines %s as a C++ name: is extern \"C\" missing there?", file, plain));
  } else if (x->score == 0 && !cxx && w->cxx) {
    say(h, arena_printf(a, "%s defines the C name %s: is extern \"C\" missing at the declaration?", file, name));
  } else if (x->score == 0 && streq(plain, diag_name(l->diag, h->name))) {
    say(h, arena_printf(a, "%s defines the same name in another build of its crate or ABI: %s", file, name));
  } else if (x->score == 0) {
    say(h, arena_printf(a, "did you mean: %s, another signature, defined in %s", plain, file));
  } else {
    say(h, arena_printf(a, "did you mean: %s, defined in %s", plain, file));
  }
}

/* ---- definitions that don't count ---- */

typedef struct {
  Link *l;
  Arena *a;
  Hint *hints;
  const Wanted *wanted;
  u32 n, file;
  u8 *of_sym; /* SymId -> hint + 1, 0: none */
  u32 *locals; /* by hint: how many local ones were named */
} Search;

static void visit_local(void *ctx, const char *name, const SymRec *r) {
  Search *s = ctx;
  u64 len = strlen(name), hash = 0;
  bool hashed = false;
  for (u32 k = 0; k < s->n; k++) {
    const char *want = s->hints[k].name;
    if (s->wanted[k].base_len != len || *want != *name)
      continue;
    if (!hashed) {
      hash = hash_bytes(name, len);
      hashed = true;
    }
    if (hash != s->wanted[k].hash || memcmp(name, want, len) || s->locals[k]++ >= 3)
      continue;
    const char *file = file_name(s->l, (FileId){s->file});
    if (s->l->files.at[s->file].kind == FILE_SHARED)
      say(&s->hints[k], arena_printf(s->a, "%s has it, but does not export it (hidden visibility, or a version script)", file));
    else
      say(&s->hints[k], arena_printf(s->a, "%s defines it, but %s", file,
                                     r->flags & SF_FUNC ? "as a static (local) function"
                                                        : "as a static (local) symbol"));
  }
}

static bool script_discards(const Link *l) {
  for (u32 i = 0; i < l->layout->nstmts; i++)
    if (l->layout->stmts[i].kind == LAYOUT_OUTPUT && l->layout->stmts[i].flags & LAYOUT_DISCARD)
      return true;
  return false;
}

/* Global definitions of the very name that lost before they could compete. */
static void visit_globals(Search *s) {
  Link *l = s->l;
  const File *file = &l->files.at[s->file];
  SymRec rec[REC_BATCH];
  for (u32 i = file->first_global, n;
       (n = l->format->symbols(l, (FileId){s->file}, i, rec, REC_BATCH)); i += n)
    for (u32 k = 0; k < n; k++) {
      u32 sym = file->globals[rec[k].index - file->first_global];
      if (sym == UINT32_MAX || !s->of_sym[sym] || rec[k].rank == RANK_NONE)
        continue;
      Hint *h = &s->hints[s->of_sym[sym] - 1];
      const char *name = file_name(l, (FileId){s->file});
      if (file->kind == FILE_SHARED) {
        say(h, arena_printf(s->a, "%s defines it, but a reference has hidden visibility, so only an object can", name));
      } else if (file->live && rec[k].section) {
        u32 atom = file->atom_base + rec[k].section;
        if (l->atoms.flags[atom] & ATOM_DISCARDED && l->atoms.at[atom].file == s->file && script_discards(l))
          say(h, arena_printf(s->a, "%s defines it in section %s, which the linker script discards", name,
                              l->format->atom_name(l, (AtomId){atom})));
        else if (l->atoms.flags[atom] & ATOM_DISCARDED)
          say(h, arena_printf(s->a, "%s defines it in a discarded section: the copy of the COMDAT group that was kept has no such symbol", name));
        else if (!(l->atoms.flags[atom] & ATOM_LIVE) && l->atoms.at[atom].file == s->file)
          say(h, arena_printf(s->a, "%s defines it in section %s, which was removed", name, l->format->atom_name(l, (AtomId){atom})));
      } else if (!file->live) {
        say(h, arena_printf(s->a, "%s defines it, but nothing that was linked asked for that member", name));
      }
    }
}

static void search_files(Search *s) {
  Link *l = s->l;
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    if (!file->fmt || file->kind == FILE_WELD)
      continue;
    s->file = f;
    visit_globals(s);
    if ((file->live || file->kind == FILE_SHARED) && l->format->each_local)
      l->format->each_local(l, (FileId){f}, s, visit_local);
  }
}

/* ---- libraries that nobody named ---- */

typedef struct {
  const Hint *hints;
  const Wanted *wanted;
  u32 n;
  bool hit[MAX_HINTED]; /* in the library at hand */
} LibrarySearch;

static void visit_library_name(void *ctx, const char *name, u64 len) {
  LibrarySearch *s = ctx;
  for (u32 k = 0; k < s->n; k++)
    if (!s->hit[k] && s->wanted[k].base_len == len && *s->hints[k].name == *name &&
        !memcmp(s->hints[k].name, name, len))
      s->hit[k] = true;
}

static Bytes map_whole(const char *path) {
  Bytes b = {0};
  struct stat st;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return b;
  if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size < (off_t)1 << 31) {
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p != MAP_FAILED)
      b = (Bytes){p, (u64)st.st_size};
  }
  close(fd);
  return b;
}

/* A library's names; a small text is a linker script, whose absolute paths are looked into. */
static void look_into(Link *l, LibrarySearch *s, const char *path, int depth) {
  Bytes b = map_whole(path);
  if (!b.p)
    return;
  l->format->library_names(b, s, visit_library_name);
  if (depth == 0 && b.len < 4096 && memchr("/GI\n ", b.p[0], 5)) {
    char text[4096], *end = text + b.len;
    memcpy(text, b.p, b.len);
    *end = 0;
    for (char *p = text; p < end; p++) {
      u64 len = strcspn(p, " \t\n(),");
      if (len > 3 && p[0] == '/' && p[1] != '*') {
        p[len] = 0;
        look_into(l, s, p, 1);
      }
      p += len;
    }
  }
  munmap((void *)(uintptr_t)b.p, b.len);
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "libNAME.so" or "libNAME.a": the length of NAME, else 0. */
static u64 library_stem(const char *file) {
  u64 len = strlen(file);
  if (!starts_with(file, "lib"))
    return 0;
  if (len > 6 && streq(file + len - 3, ".so"))
    return len - 6;
  return len > 5 && streq(file + len - 2, ".a") ? len - 5 : 0;
}

/* The shared library in the link that wants such a library, for its missing needs. */
static const char *wanted_by(const Link *l, const char *file) {
  u64 len = strlen(file);
  for (u32 f = 1; f < l->files.n && l->format->shared_name; f++) {
    const char *const *needed = NULL;
    if (l->files.at[f].kind != FILE_SHARED || !l->files.at[f].fmt)
      continue;
    l->format->shared_name(l, (FileId){f}, &needed);
    for (; needed && *needed; needed++)
      if (!strncmp(*needed, file, len) && ((*needed)[len] == 0 || (*needed)[len] == '.'))
        return file_name(l, (FileId){f});
  }
  return NULL;
}

static void say_library(Link *l, Arena *a, Hint *h, const char *file) {
  const char *by = wanted_by(l, file), *flag = arena_strndup(a, file + 3, library_stem(file));
  if (by)
    say(h, arena_printf(a, "%s defines it; %s needs that library, but it is not on the command line: add -l%s", file, by, flag));
  else
    say(h, arena_printf(a, "%s defines it, but is not on the command line: add -l%s", file, flag));
}

/* The sanitizers' libraries define names of the C library, to stand in front of it. */
static bool is_interposer(const char *file) {
  static const char *const names[] = {"libasan.", "libtsan.", "liblsan.", "libubsan.", "libhwasan.",
                                      "libclang_rt."};
  for (u32 i = 0; i < COUNT_OF(names); i++)
    if (starts_with(file, names[i]))
      return true;
  return false;
}

static void search_directory(Link *l, Arena *a, Hint **open, const Wanted *wanted, u32 n, const char *dir, u32 *budget) {
  DIR *d = opendir(dir);
  VEC(const char *) names = {0};
  if (!d)
    return;
  for (struct dirent *e; (e = readdir(d));)
    if (library_stem(e->d_name) && !is_interposer(e->d_name))
      *vec_push(&names) = arena_strdup(a, e->d_name);
  closedir(d);
  if (names.n > 1)
    qsort(names.at, names.n, sizeof *names.at, by_name);
  Hint hints[MAX_HINTED];
  for (u32 k = 0; k < n; k++)
    hints[k] = *open[k];
  /* Shared ones first: that is what -l takes when there are both. */
  for (int pass = 0; pass < 2; pass++)
    for (u32 i = 0; i < names.n && *budget; i++) {
      const char *name = names.at[i];
      if ((name[strlen(name) - 1] == 'o') != (pass == 0))
        continue;
      LibrarySearch s = {.hints = hints, .wanted = wanted, .n = n};
      --*budget;
      look_into(l, &s, arena_printf(a, "%s/%s", dir, name), 0);
      for (u32 k = 0; k < n; k++)
        if (s.hit[k] && !open[k]->notes.n)
          say_library(l, a, open[k], name);
    }
  vec_free(&names);
}

/* For names without any hint so far. */
static void search_libraries(Link *l, Arena *a, Hint *hints, const Wanted *wanted, u32 n) {
  Hint *open[MAX_HINTED];
  Wanted *w = ARENA_ARRAY(a, Wanted, MAX_HINTED);
  u32 m = 0, budget = MAX_LIBRARIES;
  for (u32 k = 0; k < n; k++)
    if (!hints[k].notes.n) {
      w[m] = wanted[k];
      open[m++] = &hints[k];
    }
  if (!m || !l->format->library_names)
    return;
  VEC(struct stat) seen = {0}; /* compilers name one directory in many ways */
  for (u32 i = 0; i < l->opt->lib_dirs.n; i++) {
    struct stat st;
    bool again = stat(l->opt->lib_dirs.at[i], &st) != 0;
    for (u32 k = 0; k < seen.n && !again; k++)
      again = seen.at[k].st_dev == st.st_dev && seen.at[k].st_ino == st.st_ino;
    if (again)
      continue;
    *vec_push(&seen) = st;
    search_directory(l, a, open, w, m, l->opt->lib_dirs.at[i], &budget);
  }
  vec_free(&seen);
}

/* ---- names that say themselves where they come from ---- */

typedef struct {
  const char *prefix, *text;
} KnownName;

/* Made together with a class; a library may define them too, which is looked up first. */
static const KnownName class_names[] = {
    {"_ZTV", "a vtable is made with the first virtual function that is neither inline nor pure: is its definition missing?"},
    {"_ZTI", "type information is made with the class's first virtual function that is neither inline nor pure: is its definition missing, or built with -fno-rtti?"},
    {"_ZTT", "a construction table is made with the class's first virtual function that is neither inline nor pure: is its definition missing?"},
};

static const KnownName known_names[] = {
    {"__asan_", "it comes with AddressSanitizer: link with -fsanitize=address too"},
    {"__tsan_", "it comes with ThreadSanitizer: link with -fsanitize=thread too"},
    {"__msan_", "it comes with MemorySanitizer: link with -fsanitize=memory too"},
    {"__ubsan_", "it comes with UndefinedBehaviorSanitizer: link with -fsanitize=undefined too"},
    {"__sanitizer_cov_", "it comes with coverage for fuzzing: link with -fsanitize=fuzzer too"},
    {"__gcov_", "it comes with coverage: link with --coverage too"},
    {"__llvm_profile_", "it comes with profiling: link with -fprofile-instr-generate too"},
    {"GOMP_", "it comes with OpenMP: link with -fopenmp"},
    {"omp_", "it comes with OpenMP: link with -fopenmp"},
    {"__kmpc_", "it comes with OpenMP: link with -fopenmp"},
    {"__atomic_", "it comes with libatomic: add -latomic"},
    {"_ZNSt", "it is part of the C++ library: link with g++ or clang++, or add -lstdc++"},
    {"_ZNKSt", "it is part of the C++ library: link with g++ or clang++, or add -lstdc++"},
    {"_ZSt", "it is part of the C++ library: link with g++ or clang++, or add -lstdc++"},
    {"__cxa_", "it is part of the C++ library: link with g++ or clang++, or add -lstdc++"},
    {"__gxx_personality", "it is part of the C++ library: link with g++ or clang++, or add -lstdc++"},
    {"_Znwm", "it is part of the C++ library: link with g++ or clang++, or add -lstdc++"},
    {"_Znam", "it is part of the C++ library: link with g++ or clang++, or add -lstdc++"},
    {"_ZdlPv", "it is part of the C++ library: link with g++ or clang++, or add -lstdc++"},
    {"_ZdaPv", "it is part of the C++ library: link with g++ or clang++, or add -lstdc++"},
    {"_Unwind_", "it is part of the compiler's own library: add -lgcc_s or -lgcc_eh"},
};

static void say_from(Hint *h, const KnownName *table, u32 n) {
  for (u32 i = 0; i < n && !h->notes.n; i++)
    if (starts_with(h->name, table[i].prefix))
      say(h, table[i].text);
}

static bool is_wrapped(const Link *l, const char *name) {
  for (u32 i = 0; i < l->opt->wrap.n; i++)
    if (streq(l->opt->wrap.at[i], name))
      return true;
  return false;
}

static void say_known(const Link *l, Arena *a, Hint *h) {
  const char *name = h->name;
  if (h->notes.n)
    return;
  if (streq(name, "main")) {
    say(h, "no input defines main: is a file missing, or was a shared library (-shared) or an object (-c) meant?");
    return;
  }
  if (starts_with(name, "__wrap_") && is_wrapped(l, name + 7)) {
    say(h, arena_printf(a, "--wrap=%s sends references to %s here, and nothing defines %s", name + 7, name + 7, name));
    return;
  }
  if (starts_with(name, "__real_") && !is_wrapped(l, name + 7)) {
    say(h, arena_printf(a, "means %s itself only with --wrap=%s", name + 7, name + 7));
    return;
  }
  say_from(h, known_names, COUNT_OF(known_names));
}

/* ---- all together ---- */

void hints_find(Link *l, Arena *a, Hint *hints, u32 n) {
  n = MIN(n, (u32)MAX_HINTED);
  Wanted *wanted = ARENA_ARRAY(a, Wanted, n);
  Near *best = ARENA_ARRAY(a, Near, n);
  Search s = {.l = l, .a = a, .hints = hints, .wanted = wanted, .n = n,
              .of_sym = pages_alloc(l->syms.nglobal), .locals = ARENA_ARRAY(a, u32, n)};
  for (u32 k = 0; k < n; k++) {
    prepare(&wanted[k], hints[k].name);
    best[k].score = UINT32_MAX;
    s.of_sym[hints[k].sym] = (u8)(k + 1);
  }
  search_files(&s);
  pages_free(s.of_sym, l->syms.nglobal);
  near_names(l, wanted, n, best);
  for (u32 k = 0; k < n; k++) /* the very name, or its path, is as good as certain */
    if (best[k].score == 0)
      say_near(l, a, &hints[k], &wanted[k], &best[k]);
  for (u32 k = 0; k < n; k++)
    say_known(l, a, &hints[k]);
  search_libraries(l, a, hints, wanted, n);
  for (u32 k = 0; k < n; k++) {
    say_from(&hints[k], class_names, COUNT_OF(class_names));
    if (l->syms.flags[hints[k].sym] & SF_HIDDEN && l->opt->kind == OUTPUT_SHARED && !hints[k].notes.n)
      say(&hints[k], "it is declared hidden, so an object of this link must define it");
    if (!hints[k].notes.n && best[k].score != UINT32_MAX)
      say_near(l, a, &hints[k], &wanted[k], &best[k]);
  }
}
