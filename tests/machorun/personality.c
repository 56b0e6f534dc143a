/* personality.c: the personality of C (__gcc_personality_v0, part of libSystem): runs __attribute__((cleanup)).
 * It reads the call sites of a function's language specific data (Itanium C++ ABI, exception tables); it has no
 * handlers, so it acts in the cleanup phase only. */
#include "unwind.h"

typedef struct Context Context;
u64 unwind_get_ip(Context *c);
void unwind_set_ip(Context *c, u64 v);
void unwind_set_gr(Context *c, int i, u64 v);
u64 unwind_lsda(Context *c);
u64 unwind_region_start(Context *c);
int c_personality(int version, int actions, u64 class, void *exception, Context *c);

enum { RESULT_INSTALL_CONTEXT = 7, RESULT_CONTINUE = 8, PHASE_CLEANUP = 2 };
enum { ENCODING_NONE = 0xff, ENCODING_ULEB = 0x01, ENCODING_U32 = 0x03 };

static u64 site_value(const u8 **at, u8 encoding) {
  if (encoding == ENCODING_ULEB)
    return uleb(NULL, at, *at + 10, "the language specific data");
  if (encoding != ENCODING_U32)
    fail(NULL, "call sites have the unknown encoding 0x%x", encoding);
  *at += 4;
  return rd32(*at - 4);
}

int c_personality(int version, int actions, u64 class, void *exception, Context *c) {
  const u8 *at = (const u8 *)(uintptr_t)unwind_lsda(c);
  (void)class;
  if (version != 1 || !(actions & PHASE_CLEANUP) || !at)
    return RESULT_CONTINUE;
  u64 function = unwind_region_start(c), pc = unwind_get_ip(c) - 1 - function;
  if (*at++ != ENCODING_NONE)
    fail(NULL, "language specific data of C have a base for landing pads");
  if (*at++ != ENCODING_NONE)
    uleb(NULL, &at, at + 10, "the language specific data");
  u8 encoding = *at++;
  u64 size = uleb(NULL, &at, at + 10, "the language specific data");
  for (const u8 *end = at + size; at < end;) {
    u64 start = site_value(&at, encoding), length = site_value(&at, encoding), pad = site_value(&at, encoding);
    uleb(NULL, &at, at + 10, "the language specific data");
    if (pc < start)
      break;
    if (pc - start >= length || !pad)
      continue;
    unwind_set_gr(c, REG_ARG0, (u64)(uintptr_t)exception);
    unwind_set_gr(c, REG_ARG1, 0);
    unwind_set_ip(c, function + pad);
    return RESULT_INSTALL_CONTEXT;
  }
  return RESULT_CONTINUE;
}
