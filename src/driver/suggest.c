/* suggest.c: see suggest.h. */
#include "driver/suggest.h"

const char *option_nearest(const OptionRow *rows, u32 n, const char *text, Arena *a) {
  size_t len = strcspn(text, "=");
  if (len < 3)
    return NULL;
  const char *wrong = arena_strndup(a, text, len);
  u32 limit = len < 6 ? 1 : len < 12 ? 2 : 3;
  const char *best = NULL;
  for (u32 i = 0; i < n; i++)
    for (const char *const *name = rows[i].names; *name; name++) {
      if (strlen(*name) < 2)
        continue;
      u32 d = edit_distance(wrong, *name, limit);
      if (d <= limit) {
        best = *name;
        if (!d)
          return best;
        limit = d - 1; /* only a better one replaces it: the first in the table wins a tie */
      }
    }
  return best;
}
