/* shims_locale.c: character classes and locales. There is one locale, "C"; the functions that take one (_l) ignore
 * it. The trap: programs index __DefaultRuneLocale inline, so that its layout and its class bits are macOS's. */
#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <time.h>
#include <wchar.h>
#include <wctype.h>

#include "shims.h"

enum {
  CLASS_A = 0x100,
  CLASS_C = 0x200,
  CLASS_D = 0x400,
  CLASS_G = 0x800,
  CLASS_L = 0x1000,
  CLASS_P = 0x2000,
  CLASS_S = 0x4000,
  CLASS_U = 0x8000,
  CLASS_X = 0x10000,
  CLASS_B = 0x20000,
  CLASS_R = 0x40000,
};

typedef struct {
  char magic[8], encoding[32];
  void *get, *put;
  i32 invalid;
  u32 type[256];
  i32 lower[256], upper[256];
  u64 rest[64];
} RuneLocale;
_Static_assert(offsetof(RuneLocale, type) == 60, "isalpha and kin index this inline");
static RuneLocale rune_locale;

__attribute__((constructor)) static void rune_locale_fill(void) {
  memcpy(rune_locale.magic, "RuneMagA", 8);
  memcpy(rune_locale.encoding, "NONE", 5);
  for (int c = 0; c < 256; c++) {
    u32 t = 0;
    if (c < 128)
      t = (isalpha(c) ? CLASS_A : 0u) | (iscntrl(c) ? CLASS_C : 0u) | (isdigit(c) ? CLASS_D | (u32)(c - '0') : 0u) |
          (isgraph(c) ? CLASS_G : 0u) | (islower(c) ? CLASS_L : 0u) | (ispunct(c) ? CLASS_P : 0u) |
          (isspace(c) ? CLASS_S : 0u) | (isupper(c) ? CLASS_U : 0u) | (isxdigit(c) ? CLASS_X : 0u) |
          (isblank(c) ? CLASS_B : 0u) | (isprint(c) ? CLASS_R : 0u);
    rune_locale.type[c] = t;
    rune_locale.lower[c] = c < 128 ? tolower(c) : c;
    rune_locale.upper[c] = c < 128 ? toupper(c) : c;
  }
}

static u32 mac_runetype(int c) { return c >= 0 && c < 256 ? rune_locale.type[c] : 0; }
static int mac_maskrune(int c, unsigned long mask) { return (int)(mac_runetype(c) & mask); }
static int mac_tolower(int c) { return c >= 0 && c < 128 ? tolower(c) : c; }
static int mac_toupper(int c) { return c >= 0 && c < 128 ? toupper(c) : c; }
static int mac_mb_cur_max(void) { return 1; }
static int mac_mb_cur_max_l(void *l) {
  (void)l;
  return 1;
}

/* LC_ALL, LC_COLLATE, LC_CTYPE, LC_MONETARY, LC_NUMERIC, LC_TIME, LC_MESSAGES */
static char *mac_setlocale(int category, const char *name) {
  static const int hosts[] = {LC_ALL, LC_COLLATE, LC_CTYPE, LC_MONETARY, LC_NUMERIC, LC_TIME, LC_MESSAGES};
  if (category < 0 || category > 6 || (name && *name && !streq(name, "C") && !streq(name, "POSIX")))
    return NULL;
  return setlocale(hosts[category], name ? "C" : NULL);
}
static locale_t c_locale(void) {
  static locale_t l;
  if (!l)
    l = newlocale(LC_ALL_MASK, "C", NULL);
  return l;
}
static void *mac_newlocale(int mask, const char *name, void *base) {
  (void)mask, (void)base;
  if (*name && !streq(name, "C") && !streq(name, "POSIX")) {
    errno = ENOENT;
    return NULL;
  }
  return c_locale();
}
static void *mac_uselocale(void *l) {
  (void)l;
  return c_locale();
}
static int mac_freelocale(void *l) {
  (void)l;
  return 0;
}
static struct lconv *mac_localeconv_l(void *l) {
  (void)l;
  return localeconv();
}

/* There are no message catalogues. */
static void *mac_catopen(const char *name, int flag) {
  (void)name, (void)flag;
  errno = ENOENT;
  return (void *)(intptr_t)-1;
}
static const char *mac_catgets(void *catalogue, int set, int number, const char *otherwise) {
  (void)catalogue, (void)set, (void)number;
  return otherwise;
}
static int mac_catclose(void *catalogue) {
  (void)catalogue;
  errno = EBADF;
  return -1;
}

/* Functions with a locale as their last parameter, which they ignore: a call with one argument more is the same
 * for a function that has registers for all. */
#define IGNORES_LOCALE(f) {"_" #f "_l", (void *)f}
#ifdef __aarch64__
/* long double is double there. */
#define LONG_DOUBLE(f, as) {"_" #f, (void *)as}, {"_" #f "_l", (void *)as}
#else
#define LONG_DOUBLE(f, as) {"_" #f, (void *)f}, {"_" #f "_l", (void *)f}
#endif

/* The host's mbstate_t is 8 bytes, macOS's 128. */
const Shim shims_locale[] = {
    {"__DefaultRuneLocale", (void *)&rune_locale}, {"___maskrune", (void *)mac_maskrune},
    {"___maskrune_l", (void *)mac_maskrune}, {"____runetype", (void *)mac_runetype},
    {"____runetype_l", (void *)mac_runetype}, {"___tolower", (void *)mac_tolower},
    {"___toupper", (void *)mac_toupper}, {"____tolower", (void *)mac_tolower}, {"____toupper", (void *)mac_toupper},
    {"____tolower_l", (void *)mac_tolower}, {"____toupper_l", (void *)mac_toupper},
    {"____mb_cur_max", (void *)mac_mb_cur_max}, {"____mb_cur_max_l", (void *)mac_mb_cur_max_l},
    {"_setlocale", (void *)mac_setlocale}, {"_newlocale", (void *)mac_newlocale},
    {"_uselocale", (void *)mac_uselocale}, {"_freelocale", (void *)mac_freelocale},
    {"_localeconv_l", (void *)mac_localeconv_l}, SAME(localeconv),
    IGNORES_LOCALE(strtod), IGNORES_LOCALE(strtof), IGNORES_LOCALE(strtoll), IGNORES_LOCALE(strtoull),
    IGNORES_LOCALE(strtol), IGNORES_LOCALE(strtoul), IGNORES_LOCALE(strcoll), IGNORES_LOCALE(strxfrm),
    IGNORES_LOCALE(wcscoll), IGNORES_LOCALE(wcsxfrm), IGNORES_LOCALE(strftime), IGNORES_LOCALE(btowc),
    IGNORES_LOCALE(wctob), IGNORES_LOCALE(mbrlen), IGNORES_LOCALE(mbrtowc), IGNORES_LOCALE(mbtowc),
    IGNORES_LOCALE(mbsrtowcs), IGNORES_LOCALE(mbsnrtowcs), IGNORES_LOCALE(wcrtomb), IGNORES_LOCALE(wcsnrtombs),
    IGNORES_LOCALE(towlower), IGNORES_LOCALE(towupper),
    SAME(mbrlen), SAME(mbrtowc), SAME(mbtowc), SAME(mbsrtowcs), SAME(wcrtomb), SAME(wcsrtombs),
    {"_catopen", (void *)mac_catopen}, {"_catgets", (void *)mac_catgets}, {"_catclose", (void *)mac_catclose},
    LONG_DOUBLE(strtold, strtod), LONG_DOUBLE(wcstold, wcstod),
    {0},
};
