/* glob.h: shell patterns (* ? [a-z] [!x] \x) as linker and version scripts use them. */
#ifndef WELD_UTIL_GLOB_H
#define WELD_UTIL_GLOB_H

#include "util/arena.h"
#include "util/base.h"

/* Escaped characters are not magic. */
bool glob_has_magic(const char *pattern);
/* False for a '[' that nothing closes, or a trailing backslash; glob_match takes both literally. */
bool glob_valid(const char *pattern);
/* Removes the backslashes of an exact name: "a\*b" is "a*b". In place; returns s. */
char *glob_unescape(char *s);
/* `*` matches any run, also of '/'. Linear time in practice, never exponential. */
bool glob_match(const char *pattern, const char *s, u64 len);

/* Many patterns, asked often: exact names by hash, "prefix*" by prefix, the rest one by one. */
typedef struct GlobSet GlobSet;
GlobSet *globset_create(Arena *a);
/* `value` is what a hit returns; when several patterns match, the lowest `value` wins. */
void globset_add(GlobSet *g, const char *pattern, bool exact, u32 value);
/* Call once after the last add; then finds are thread safe. */
void globset_seal(GlobSet *g);
/* UINT32_MAX when nothing matches. */
u32 globset_find(const GlobSet *g, const char *s, u64 len);
bool globset_empty(const GlobSet *g);
/* As globset_find, but a pattern counts only when ok(ctx, value) agrees. It is asked in no
 * particular order, only about patterns that match and are lower than what is already found. */
typedef bool GlobOk(const void *ctx, u32 value);
/* Adds a pattern about which ok() need not be asked. */
void globset_add_sure(GlobSet *g, const char *pattern, bool exact, u32 value);
u32 globset_find_where(const GlobSet *g, const char *s, u64 len, GlobOk *ok, const void *ctx);

#endif
