/* fuzz_link.h: a whole link of the bytes, from memory to memory, without messages. */
#ifndef WELD_FUZZ_LINK_H
#define WELD_FUZZ_LINK_H

#include "fuzz.h"
#include "weld.h"

static void fuzz_quiet(void *ctx, weld_level level, const char *code, const char *text) {
  (void)ctx;
  (void)level;
  (void)code;
  (void)text;
}

static void fuzz_link(const char *name, const uint8_t *data, size_t size, const char *const *args, size_t nargs) {
  weld_input input = {name, data, size};
  weld_request request = {
      .args = args, .nargs = nargs, .inputs = &input, .ninputs = 1, .message = fuzz_quiet};
  weld_buffer out = {0};
  weld_link(&request, &out);
  weld_free(&out);
}

#endif
