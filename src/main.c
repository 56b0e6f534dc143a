/* main.c: the program. Its name, or -flavor, picks a driver; the driver makes Options; link_run() does
 * the work. The trap: nothing below main() prints to standard output by itself or ends the process, so
 * whatever a command line asks for beside a link (--help, ...) arrives here as text. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "driver/core.h"
#include "driver/darwin.h"
#include "driver/gnu.h"
#include "driver/golink.h"
#include "driver/jobserver.h"
#include "graph.h"
#include "emulate.h"
#include "link.h"
#include "link_go.h"
#include "link_macho.h"
#include "script/script.h"
#include "util/watch.h"

/* ---- signals ---- */

/* What the handlers need; a handler has no other way to get at it. Only the program has any. */
static Watch watch;

static void remove_unfinished(void) {
  const char *temp = __atomic_exchange_n(&watch.temp, NULL, __ATOMIC_ACQ_REL);
  if (temp)
    unlink(temp);
}

static void say(const char *text) { (void)!write(STDERR_FILENO, text, strlen(text)); }

/* An input that became shorter while it was mapped: its pages behind the new end are gone. */
static void on_bus_error(int sig, siginfo_t *info, void *context) {
  static bool said;
  const char *path = watch_find(&watch, info->si_addr);
  (void)context;
  if (!path) { /* not that: a bug, which ends the process when the access is tried again */
    signal(sig, SIG_DFL);
    return;
  }
  if (__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
    for (;;)
      pause(); /* another thread is at it */
  say("weld: error: ");
  say(path);
  say(": the file became shorter while it was read\n");
  remove_unfinished();
  _exit(1);
}

static void on_end(int sig) {
  remove_unfinished();
  signal(sig, SIG_DFL);
  raise(sig);
}

static void handle_signals(void) {
  static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction bus = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO}, end = {.sa_handler = on_end}, old;
  sigaction(SIGBUS, &bus, NULL);
  signal(SIGXFSZ, SIG_IGN); /* a file size limit is an error of write() */
  for (u32 i = 0; i < COUNT_OF(ends); i++)
    if (!sigaction(ends[i], NULL, &old) && old.sa_handler == SIG_DFL)
      sigaction(ends[i], &end, NULL);
}

/* ---- the command line ---- */

static void print(void *ctx, const char *text) {
  (void)ctx;
  fputs(text, stdout);
}

/* Sanitizers look for leaks when the program ends: then memory is given back as the library does it. */
#if defined(__SANITIZE_ADDRESS__)
#define LEAKS_ARE_ERRORS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAKS_ARE_ERRORS 1
#endif
#endif
#ifndef LEAKS_ARE_ERRORS
#define LEAKS_ARE_ERRORS 0
#endif

static const DriverHooks hooks = {
    .print = print,
    .parse_version = script_parse_version,
    .parse_dynamic_list = script_parse_dynamic_list,
    .parse_expr = script_parse_expr,
    .script = emulate_script,
};

typedef struct {
  const char *name;
  bool (*meant)(const char *name); /* by this name of the program or of a -flavor */
  DriverResult (*parse)(int argc, char **argv, const DriverHooks *hooks, Options *o, Diag *d);
  bool (*link)(Options *o, Diag *d, WeldOutput *mem);
} Flavor;

static const Flavor flavors[] = {
    {"gnu", driver_gnu_name, driver_gnu, link_run},
    {"darwin", driver_darwin_name, driver_darwin, macho_run},
    {"golink", driver_golink_name, driver_golink, go_run},
};

static bool is_not_supported(const char *name, Diag *d) {
  static const struct { const char *name, *what; } others[] = {
      {"link", "the PE/COFF linker's"}, {"lld-link", "the PE/COFF linker's"}, {"weld-link", "the PE/COFF linker's"},
      {"wasm", "the WebAssembly linker's"}, {"wasm-ld", "the WebAssembly linker's"},
  };
  for (u32 i = 0; i < COUNT_OF(others); i++)
    if (streq(name, others[i].name)) {
      diag_error(d, "unsupported-flavor", "flavor '%s' (%s command line) is not supported yet; -flavor gnu, darwin and golink are", name, others[i].what);
      return true;
    }
  return false;
}

/* "-flavor NAME" as the first argument, else the name of the program, says whose command line follows; a name
 * that says nothing stands for GNU's. Removes -flavor from argv. NULL after a report. */
static const Flavor *find_flavor(int *argc, char **argv, Diag *d) {
  const char *slash = *argc ? strrchr(argv[0], '/') : NULL;
  const char *name = slash ? slash + 1 : *argc ? argv[0] : "weld";
  bool asked = *argc > 1 && (streq(argv[1], "-flavor") || streq(argv[1], "--flavor"));
  if (asked) {
    if (*argc < 3) {
      diag_error(d, "missing-argument", "%s needs a value: gnu, darwin or golink", argv[1]);
      return NULL;
    }
    name = argv[2];
    for (int i = 3; i <= *argc; i++) /* the NULL at the end moves too */
      argv[i - 2] = argv[i];
    *argc -= 2;
  }
  for (u32 i = 0; i < COUNT_OF(flavors); i++)
    if (flavors[i].meant(name))
      return &flavors[i];
  if (is_not_supported(name, d))
    return NULL;
  if (asked) {
    diag_error(d, "unsupported-flavor", "unknown flavor '%s'; known: gnu, darwin, golink", name);
    return NULL;
  }
  return &flavors[0];
}

/* Without --threads, a job of make takes a thread for each token that is free now. */
static void ask_jobserver(Options *o, Jobserver *j) {
  if (o->threads || !jobserver_open(j, getenv("MAKEFLAGS")))
    return;
  long cpus = sysconf(_SC_NPROCESSORS_ONLN);
  o->threads = 1 + jobserver_take(j, cpus > 1 ? (u32)cpus - 1 : 0);
}

static bool run_core(int argc, char **argv, Options *o, Diag *d) {
  switch (driver_core(argc, argv, &hooks, o, d)) {
  case DRIVER_DONE: return true;
  case DRIVER_ERROR: return false;
  case DRIVER_LINK: break;
  }
  return graph_run(o, d);
}

static bool run(int argc, char **argv, Options *o, Diag *d) {
  if (driver_core_asked(argc, argv))
    return run_core(argc, argv, o, d);
  const Flavor *flavor = find_flavor(&argc, argv, d);
  if (!flavor)
    return false;
  switch (flavor->parse(argc, argv, &hooks, o, d)) {
  case DRIVER_DONE: return true;
  case DRIVER_ERROR: return false;
  case DRIVER_LINK: break;
  }
  Jobserver j = {.read_fd = -1, .write_fd = -1};
  ask_jobserver(o, &j);
  o->exits = !LEAKS_ARE_ERRORS;
  bool ok = flavor->link(o, d, NULL);
  jobserver_close(&j);
  return ok;
}

int main(int argc, char **argv) {
  Diag *d = diag_create();
  Options o;
  options_init(&o);
  o.watch = &watch;
  handle_signals();
  bool ok = run(argc, argv, &o, d);
  diag_flush(d);
  diag_destroy(d);
  options_free(&o);
  if (fflush(stdout) != 0 && ok) {
    fputs("weld: error: cannot write to standard output\n", stderr);
    ok = false;
  }
  return ok ? 0 : 1;
}
