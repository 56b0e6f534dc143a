/* weld.h: weld as a library. A link reads objects from memory or from files, and writes to memory or to
 * a file; messages go to a function of the caller's. There is no global state: any number of links may
 * run at once in different threads. Link with libweld.a (pkg-config: weld).
 *
 * The library never ends the process, except when memory runs out. */
#ifndef WELD_H
#define WELD_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WELD_API __attribute__((visibility("default")))
#else
#define WELD_API
#endif

typedef enum {
  WELD_OK = 0,
  WELD_FAILED = 1,      /* the link was not possible; the messages say why */
  WELD_BAD_REQUEST = 2, /* the request itself makes no sense; a message says why */
} weld_status;

typedef enum { WELD_ERROR = 0, WELD_WARNING = 1, WELD_NOTE = 2 } weld_level;

/* Gets each message. `code` is a short word that stays the same between versions, like
 * "undefined-symbol"; `text` may have several lines. Both are valid during the call only. Called from
 * the thread that called weld_link. */
typedef void weld_message_fn(void *ctx, weld_level level, const char *code, const char *text);

/* Bytes that stand for a file of this name. They must stay as they are until weld_link returns. */
typedef struct {
  const char *name;
  const void *data;
  size_t size;
} weld_input;

/* What to link. Set what is not used to zero: `weld_request r = {0}`. */
typedef struct {
  /* The command line of GNU ld without the name of the program: {"-shared", "--gc-sections", ...}.
   * Files named here are read, and so is what -l finds. */
  const char *const *args;
  size_t nargs;

  /* In-memory files. Where `args` names one, in any option that takes a file of text or as an input, its
   * bytes are used. Those that `args` does not name are linked after all others, in this order. */
  const weld_input *inputs;
  size_t ninputs;

  weld_message_fn *message; /* NULL: messages go to standard error */
  void *message_ctx;
} weld_request;

/* The output, in memory. Release it with weld_free(). */
typedef struct {
  void *data;
  size_t size;
} weld_buffer;

/* Links. With `out` the output goes there and no file is written for it (-o is only a name then, for
 * messages and for DT_SONAME's like); without, to the file that -o names (default: a.out). *out is
 * empty after a failure. Options that ask for text (--help, --version) make a WELD_NOTE of it and no
 * output; reports like -M and --stats go to standard output. */
WELD_API weld_status weld_link(const weld_request *request, weld_buffer *out);

/* Releases and empties it. NULL, or an empty one, is fine. */
WELD_API void weld_free(weld_buffer *buffer);

/* "0.1.0" */
WELD_API const char *weld_version(void);

#ifdef __cplusplus
}
#endif

#endif
