/* near.c: edit distance (restricted Damerau-Levenshtein) over short names. The trap: the rows are on
 * the stack, so long names are turned away first. */
#include "util/near.h"

enum { MAX_NAME = 63 };

u32 edit_distance(const char *a, const char *b, u32 limit) {
  size_t la = strlen(a), lb = strlen(b);
  if (la > MAX_NAME || lb > MAX_NAME || (la > lb ? la - lb : lb - la) > limit)
    return limit + 1;
  u32 rows[3][MAX_NAME + 1];
  u32 *before = rows[0], *prev = rows[1], *cur = rows[2];
  for (u32 j = 0; j <= lb; j++)
    prev[j] = j;
  for (u32 i = 1; i <= la; i++) {
    cur[0] = i;
    for (u32 j = 1; j <= lb; j++) {
      u32 change = prev[j - 1] + (a[i - 1] != b[j - 1]);
      u32 d = MIN(change, MIN(prev[j], cur[j - 1]) + 1);
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d = MIN(d, before[j - 2] + 1);
      cur[j] = d;
    }
    u32 *t = before;
    before = prev;
    prev = cur;
    cur = t;
  }
  return MIN(prev[lb], limit + 1);
}

Near near_to(const char *wrong) {
  u64 len = strlen(wrong);
  return (Near){.wrong = wrong, .limit = len < 3 ? 0 : len < 6 ? 1 : len < 12 ? 2 : 3};
}

void near_try(Near *n, const char *name) {
  u32 d = !n->limit || n->best == name ? n->limit + 1 : edit_distance(n->wrong, name, n->limit);
  if (d && d <= n->limit) {
    n->best = name;
    n->limit = d - 1; /* only a better one replaces it */
  }
}
