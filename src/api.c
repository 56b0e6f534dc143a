/* api.c: include/weld.h on top of the GNU driver and link_run(). The trap: everything here may run in
 * several threads at once, so a link's state is on the stack of weld_link(). */
#include "weld.h"

#include <stdlib.h>

#include "core/weld_version.h"
#include "driver/gnu.h"
#include "emulate.h"
#include "link.h"
#include "script/script.h"

typedef struct {
  const char *name;
  size_t input; /* index in weld_request.inputs */
} Name;

typedef struct {
  const weld_request *request;
  Diag *diag;
  Name *names; /* of the inputs, sorted */
  bool *named; /* by input: an option asked for it */
  size_t next; /* inputs below were asked for, or given to the driver */
} Call;

static void send(void *ctx, DiagLevel level, const char *code, const char *text) {
  const weld_request *r = ctx;
  weld_level shown = WELD_NOTE;
  switch (level) {
  case DIAG_ERROR: shown = WELD_ERROR; break;
  case DIAG_WARNING: shown = WELD_WARNING; break;
  case DIAG_NOTE: break;
  }
  r->message(r->message_ctx, shown, code, text);
}

static void print(void *ctx, const char *text) {
  const Call *c = ctx;
  diag_report(c->diag, DIAG_NOTE, "text", 0, "%s", text);
}

static int compare_names(const void *a, const void *b) {
  return strcmp(((const Name *)a)->name, ((const Name *)b)->name);
}

static bool memory(void *ctx, const char *name, Bytes *out) {
  Call *c = ctx;
  Name key = {.name = name};
  const Name *found =
      bsearch(&key, c->names, c->request->ninputs, sizeof *c->names, compare_names);
  if (!found)
    return false;
  const weld_input *in = &c->request->inputs[found->input];
  c->named[found->input] = true;
  *out = (Bytes){in->data, in->size};
  return true;
}

static const char *next_unnamed(void *ctx) {
  Call *c = ctx;
  while (c->next < c->request->ninputs) {
    size_t i = c->next++;
    if (!c->named[i])
      return c->request->inputs[i].name;
  }
  return NULL;
}

static bool check(const weld_request *r, Diag *d) {
  if (r->nargs && !r->args) {
    diag_error(d, "bad-request", "weld_request: nargs without args");
    return false;
  }
  if (r->ninputs && !r->inputs) {
    diag_error(d, "bad-request", "weld_request: ninputs without inputs");
    return false;
  }
  for (size_t i = 0; i < r->nargs; i++)
    if (!r->args[i]) {
      diag_error(d, "bad-request", "weld_request: args[%zu] is NULL", i);
      return false;
    }
  for (size_t i = 0; i < r->ninputs; i++) {
    const weld_input *in = &r->inputs[i];
    if (!in->name || !*in->name || (!in->data && in->size)) {
      diag_error(d, "bad-request", "weld_request: inputs[%zu] has no %s", i,
                 in->name && *in->name ? "data" : "name");
      return false;
    }
  }
  return true;
}

static bool sort_names(const weld_request *r, Name *names, Diag *d) {
  for (size_t i = 0; i < r->ninputs; i++)
    names[i] = (Name){r->inputs[i].name, i};
  qsort(names, r->ninputs, sizeof *names, compare_names);
  for (size_t i = 1; i < r->ninputs; i++)
    if (streq(names[i - 1].name, names[i].name)) {
      diag_error(d, "bad-request", "weld_request: two inputs are called '%s'", names[i].name);
      return false;
    }
  return true;
}

static weld_status link_call(Call *call, char **argv, weld_buffer *out) {
  const weld_request *r = call->request;
  /* The driver never writes to the strings. */
  argv[0] = (char *)(uintptr_t)"weld";
  for (size_t i = 0; i < r->nargs; i++)
    argv[i + 1] = (char *)(uintptr_t)r->args[i];
  DriverHooks hooks = {
      .ctx = call,
      .print = print,
      .memory = memory,
      .next_unnamed = next_unnamed,
      .parse_version = script_parse_version,
      .parse_dynamic_list = script_parse_dynamic_list,
      .parse_expr = script_parse_expr,
      .script = emulate_script,
  };
  weld_status status = WELD_FAILED;
  WeldOutput mem = {0};
  Options o;
  options_init(&o);
  switch (driver_gnu((int)r->nargs + 1, argv, &hooks, &o, call->diag)) {
  case DRIVER_DONE: status = WELD_OK; break;
  case DRIVER_ERROR: break;
  case DRIVER_LINK:
    if (link_run(&o, call->diag, out ? &mem : NULL))
      status = WELD_OK;
    break;
  }
  if (out && status == WELD_OK)
    *out = (weld_buffer){mem.data, mem.size};
  else
    free(mem.data);
  options_free(&o);
  return status;
}

static weld_status run(const weld_request *r, weld_buffer *out, Diag *d) {
  if (!check(r, d))
    return WELD_BAD_REQUEST;
  char **argv = calloc(r->nargs + 2, sizeof *argv);
  Name *names = calloc(r->ninputs + 1, sizeof *names);
  bool *named = calloc(r->ninputs + 1, sizeof *named);
  weld_status status = WELD_BAD_REQUEST;
  if (!argv || !names || !named || r->nargs >= INT32_MAX)
    diag_error(d, "bad-request", "weld_request: too many options or inputs");
  else if (sort_names(r, names, d))
    status = link_call(&(Call){.request = r, .diag = d, .names = names, .named = named}, argv, out);
  free(argv);
  free(names);
  free(named);
  return status;
}

weld_status weld_link(const weld_request *request, weld_buffer *out) {
  if (out)
    *out = (weld_buffer){0};
  if (!request)
    return WELD_BAD_REQUEST;
  Diag *d = diag_create();
  if (request->message) {
    DiagOptions opts = *diag_options(d);
    opts.sink = send;
    /* The sink's context is not const, the request is: send() only reads it. */
    opts.sink_ctx = (void *)(uintptr_t)request;
    diag_configure(d, &opts);
  }
  weld_status status = run(request, out, d);
  diag_flush(d);
  diag_destroy(d);
  return status;
}

void weld_free(weld_buffer *buffer) {
  if (!buffer)
    return;
  free(buffer->data);
  *buffer = (weld_buffer){0};
}

const char *weld_version(void) { return WELD_VERSION; }
