/* trace.c: phases, spans and counts. The trap: CPU time is that of the whole process (all threads), so
 * two links in one process see each other's; wall time is exact. */
#include "util/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "util/arena.h"

typedef struct {
  const char *name;
  char *detail;   /* malloc'ed, or NULL */
  u64 begin, end; /* ns since trace_create */
  u64 cpu;        /* phases: ns of CPU time used in it */
  u32 depth;      /* phases: 0 is outermost */
} Span;

typedef struct {
  const char *name;
  u64 value;
} Count;

typedef VEC(Span) Spans;

struct Trace {
  unsigned threads;
  u64 t0;
  Spans phases;   /* in order of their begin */
  VEC(u32) open;  /* indexes of phases that have not ended */
  Spans *spans;   /* one list a thread */
  VEC(Count) counts;
};

static u64 wall_ns(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

static u64 cpu_ns(void) {
  struct timespec ts;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

Trace *trace_create(unsigned threads) {
  Trace *t = calloc(1, sizeof *t);
  if (!t)
    return NULL;
  t->threads = threads ? threads : 1;
  t->spans = calloc(t->threads, sizeof *t->spans);
  if (!t->spans) {
    free(t);
    return NULL;
  }
  t->t0 = wall_ns();
  return t;
}

void trace_destroy(Trace *t) {
  if (!t)
    return;
  for (unsigned i = 0; i < t->threads; i++) {
    for (u32 j = 0; j < t->spans[i].n; j++)
      free(t->spans[i].at[j].detail);
    vec_free(&t->spans[i]);
  }
  free(t->spans);
  vec_free(&t->phases);
  vec_free(&t->open);
  vec_free(&t->counts);
  free(t);
}

u64 trace_now(const Trace *t) { return t ? wall_ns() - t->t0 : 0; }

void trace_begin(Trace *t, const char *name) {
  if (!t)
    return;
  *vec_push(&t->open) = t->phases.n;
  Span s = {.name = name, .depth = t->open.n - 1, .cpu = cpu_ns(), .begin = trace_now(t)};
  *vec_push(&t->phases) = s;
}

void trace_end(Trace *t) {
  if (!t || !t->open.n)
    return;
  Span *s = &t->phases.at[t->open.at[--t->open.n]];
  s->end = trace_now(t);
  s->cpu = cpu_ns() - s->cpu;
}

void trace_span(Trace *t, unsigned tid, const char *name, const char *detail, u64 begin) {
  if (!t || tid >= t->threads)
    return;
  Span s = {.name = name, .detail = detail ? strdup(detail) : NULL, .begin = begin, .end = trace_now(t)};
  *vec_push(&t->spans[tid]) = s;
}

void trace_count(Trace *t, const char *name, u64 value) {
  if (t)
    *vec_push(&t->counts) = (Count){name, value};
}

/* ---- the file: Trace Event Format, "complete events" (ph X), microseconds ---- */

static void write_string(FILE *f, const char *s) {
  putc('"', f);
  for (; *s; s++) {
    if (*s == '"' || *s == '\\')
      fprintf(f, "\\%c", *s);
    else if ((u8)*s < 0x20 || (u8)*s >= 0x7f)
      fprintf(f, "\\u%04x", (u8)*s);
    else
      putc(*s, f);
  }
  putc('"', f);
}

static void write_span(FILE *f, const Span *s, unsigned tid, bool *first) {
  fputs(*first ? "\n" : ",\n", f);
  *first = false;
  u64 dur = s->end > s->begin ? s->end - s->begin : 0;
  fprintf(f, "{\"ph\":\"X\",\"pid\":1,\"tid\":%u,\"ts\":%llu.%03u,\"dur\":%llu.%03u,\"name\":", tid,
          (unsigned long long)(s->begin / 1000), (unsigned)(s->begin % 1000),
          (unsigned long long)(dur / 1000), (unsigned)(dur % 1000));
  write_string(f, s->name);
  if (s->detail) {
    fputs(",\"args\":{\"detail\":", f);
    write_string(f, s->detail);
    putc('}', f);
  } else if (s->cpu) {
    fprintf(f, ",\"args\":{\"cpu_us\":%llu}", (unsigned long long)(s->cpu / 1000));
  }
  putc('}', f);
}

bool trace_write(const Trace *t, Diag *d, const char *path) {
  if (!t)
    return true;
  FILE *f = fopen(path, "w");
  if (!f) {
    diag_error(d, "time-trace", "%s: cannot write the time trace: %s", path, strerror(errno));
    return false;
  }
  bool first = true;
  fputs("{\"traceEvents\":[", f);
  for (u32 i = 0; i < t->phases.n; i++)
    if (t->phases.at[i].end)
      write_span(f, &t->phases.at[i], 0, &first);
  for (unsigned tid = 0; tid < t->threads; tid++)
    for (u32 i = 0; i < t->spans[tid].n; i++)
      write_span(f, &t->spans[tid].at[i], tid, &first);
  for (unsigned tid = 0; tid < t->threads; tid++) {
    fprintf(f, "%s\n{\"ph\":\"M\",\"pid\":1,\"tid\":%u,\"name\":\"thread_name\",\"args\":{\"name\":\"%s %u\"}}",
            first ? "" : ",", tid, tid ? "worker" : "main", tid);
    first = false;
  }
  fputs("\n]", f);
  if (t->counts.n) {
    fputs(",\n\"otherData\":{", f);
    for (u32 i = 0; i < t->counts.n; i++) {
      fputs(i ? "," : "", f);
      write_string(f, t->counts.at[i].name);
      fprintf(f, ":%llu", (unsigned long long)t->counts.at[i].value);
    }
    putc('}', f);
  }
  fputs("}\n", f);
  bool ok = !ferror(f);
  if (fclose(f) || !ok) {
    diag_error(d, "time-trace", "%s: cannot write the time trace: %s", path, strerror(errno));
    return false;
  }
  return true;
}

/* ---- the tables ---- */

void trace_print_perf(const Trace *t) {
  if (!t)
    return;
  u64 total = trace_now(t);
  fprintf(stderr, "%10s %10s %6s  %s\n", "wall ms", "CPU ms", "%", "phase");
  for (u32 i = 0; i < t->phases.n; i++) {
    const Span *s = &t->phases.at[i];
    if (!s->end)
      continue;
    u64 wall = s->end - s->begin;
    fprintf(stderr, "%10.3f %10.3f %6.1f  %*s%s\n", (double)wall / 1e6, (double)s->cpu / 1e6,
            total ? 100.0 * (double)wall / (double)total : 0.0, (int)(2 * MIN(s->depth, 20u)), "",
            s->name);
  }
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  double user = (double)r.ru_utime.tv_sec * 1e3 + (double)r.ru_utime.tv_usec / 1e3;
  double sys = (double)r.ru_stime.tv_sec * 1e3 + (double)r.ru_stime.tv_usec / 1e3;
  fprintf(stderr, "%10.3f %10.3f %6.1f  total (user %.3f, system %.3f, peak memory %.1f MB, %u threads)\n",
          (double)total / 1e6, user + sys, 100.0, user, sys, (double)r.ru_maxrss / 1024, t->threads);
}

void trace_print_stats(const Trace *t) {
  if (!t)
    return;
  for (u32 i = 0; i < t->counts.n; i++)
    fprintf(stderr, "%14llu  %s\n", (unsigned long long)t->counts.at[i].value, t->counts.at[i].name);
}
