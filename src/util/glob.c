/* glob.c: matching of shell patterns, one by one (glob_match) and many at once (GlobSet). A set
 * keeps exact names in a hash table and every other pattern at the node of a trie that its literal
 * prefix leads to, so a name is compared only with patterns that agree with its beginning. The
 * trap: patterns are hostile. Matching never recurses, the trie's depth is bounded by TRIE_DEPTH,
 * and equal names share one slot, so no input makes a table probe long. */
#include "util/glob.h"

#include <stdlib.h>

#include "util/bytes.h"
#include "util/hash.h"

/* One pattern character that is not '*' against c. Sets *next past it. An unclosed '[' is itself.
 */
static bool match_one(const char *p, u8 c, const char **next) {
  if (*p == '?') {
    *next = p + 1;
    return true;
  }
  if (*p == '\\' && p[1]) {
    *next = p + 2;
    return (u8)p[1] == c;
  }
  *next = p + 1;
  if (*p != '[')
    return (u8)*p == c;

  const char *q = p + 1;
  bool negate = *q == '!' || *q == '^', hit = false;
  if (negate)
    q++;
  for (bool first = true; first || *q != ']'; first = false) {
    if (*q == '\\' && q[1])
      q++;
    if (!*q)
      return c == '[';
    u8 lo = (u8)*q++, hi = lo;
    if (q[0] == '-' && q[1] && q[1] != ']') {
      q++;
      if (*q == '\\' && q[1])
        q++;
      hi = (u8)*q++;
    }
    if (lo <= c && c <= hi)
      hit = true;
  }
  *next = q + 1;
  return hit != negate;
}

static bool is_plain(char c) {
  return c && c != '*' && c != '?' && c != '[' && c != '\\';
}

bool glob_match(const char *pattern, const char *s, u64 len) {
  const char *p = pattern, *end = s + len;
  const char *star = NULL, *resume = NULL; /* where to go on after the last '*' took one more */
  for (;;) {
    if (*p == '*') {
      while (*p == '*')
        p++;
      if (!*p)
        return true;
      star = p;
      resume = s;
    } else if (s == end) {
      return !*p;
    } else {
      const char *next;
      if (*p && match_one(p, (u8)*s, &next)) {
        p = next;
        s++;
        continue;
      }
      if (!star)
        return false;
      p = star;
      resume++;
    }
    /* Here p == star: jump to the next place where it can begin to match. */
    if (is_plain(*star)) {
      resume = resume < end ? memchr(resume, *star, (size_t)(end - resume)) : NULL;
      if (!resume)
        return false;
    }
    s = resume;
    if (s == end)
      return false; /* something must follow the star: `*star` is neither NUL nor '*' */
  }
}

bool glob_has_magic(const char *p) {
  for (; *p; p++) {
    if (*p == '\\' && p[1])
      p++;
    else if (*p == '*' || *p == '?' || *p == '[')
      return true;
  }
  return false;
}

bool glob_valid(const char *p) {
  while (*p) {
    if (*p == '\\') {
      if (!p[1])
        return false;
      p += 2;
      continue;
    }
    if (*p++ != '[')
      continue;
    if (*p == '!' || *p == '^')
      p++;
    for (bool first = true; first || *p != ']'; first = false) {
      if (*p == '\\' && p[1])
        p++;
      if (!*p++)
        return false;
    }
    p++;
  }
  return true;
}

char *glob_unescape(char *s) {
  char *to = s;
  for (const char *p = s; *p; p++) {
    if (*p == '\\' && p[1])
      p++;
    *to++ = *p;
  }
  *to = 0;
  return s;
}

/* ---- GlobSet ---- */

enum { TRIE_DEPTH = 64, LABEL = 8 };

typedef enum { CAND_PREFIX, CAND_SUFFIX, CAND_GLOB } CandKind;

/* A pattern at the trie node of its literal prefix. */
typedef struct {
  const char *prefix; /* used while building */
  const char *rest;   /* SUFFIX: the literal end; GLOB: the pattern after the prefix */
  u32 nprefix, nrest;
  u32 value;
  u8 kind;   /* CandKind */
  bool sure; /* ok() is not asked */
  char last; /* SUFFIX: last byte of `rest`, which settles most questions */
} Cand;

typedef struct {
  u64 label, mask; /* up to LABEL bytes that must follow, in the low bytes */
  u32 nlabel;
  u32 lo, span; /* children: kids[kid + c - lo], 0: none */
  u32 kid;
  u32 cand, ncand; /* in order of value */
  u32 least;       /* value of the first; UINT32_MAX: none */
} Node;

typedef struct {
  const char *s;
  u32 len;
  u32 value;
  bool sure;
} Exact;

typedef struct {
  u32 hash;     /* high half of the hash */
  u32 first, n; /* run of `exact` with this name, in order of value; n == 0: a free slot */
} Slot;

typedef struct Pending Pending;
struct Pending {
  Pending *next;
  const char *pattern;
  u32 value;
  bool exact, sure;
};

struct GlobSet {
  Arena *arena;
  Pending *pending;
  u32 nexact, ncand;
  Exact *exact;
  Slot *slots;
  u64 slot_mask;
  u64 lengths; /* bit min(len, 63): some exact name is that long */
  Cand *cands;
  Node *nodes;
  u32 nnodes;
  u32 *kids;
  u32 nkids;
};

GlobSet *globset_create(Arena *a) {
  GlobSet *g = ARENA_NEW(a, GlobSet);
  g->arena = a;
  return g;
}

bool globset_empty(const GlobSet *g) {
  return g->nexact + g->ncand == 0;
}

static Pending *add(GlobSet *g, const char *pattern, bool exact, u32 value) {
  Pending *p = ARENA_NEW(g->arena, Pending);
  bool literal = exact || !glob_has_magic(pattern);
  *p = (Pending){g->pending, pattern, value, literal, false};
  if (!exact && literal && strchr(pattern, '\\'))
    p->pattern = glob_unescape(arena_strdup(g->arena, pattern));
  g->pending = p;
  if (literal)
    g->nexact++;
  else
    g->ncand++;
  return p;
}

void globset_add(GlobSet *g, const char *pattern, bool exact, u32 value) {
  add(g, pattern, exact, value);
}

void globset_add_sure(GlobSet *g, const char *pattern, bool exact, u32 value) {
  add(g, pattern, exact, value)->sure = true;
}

static int compare_value(u32 a, u32 b) {
  return a < b ? -1 : a > b;
}

static int compare_exact(const void *pa, const void *pb) {
  const Exact *a = pa, *b = pb;
  if (a->len != b->len)
    return a->len < b->len ? -1 : 1;
  int c = memcmp(a->s, b->s, a->len);
  return c ? c : compare_value(a->value, b->value);
}

static int compare_cand(const void *pa, const void *pb) {
  const Cand *a = pa, *b = pb;
  int c = memcmp(a->prefix, b->prefix, MIN(a->nprefix, b->nprefix));
  if (c)
    return c;
  if (a->nprefix != b->nprefix)
    return a->nprefix < b->nprefix ? -1 : 1;
  return compare_value(a->value, b->value);
}

static Cand cand_make(Arena *a, const Pending *from) {
  char *prefix = arena_alloc(a, TRIE_DEPTH, 1);
  u32 n = 0;
  const char *p = from->pattern;
  while (n < TRIE_DEPTH && *p != '*' && *p != '?' && *p != '[') {
    if (*p == '\\' && p[1])
      p++;
    if (!*p)
      break;
    prefix[n++] = *p++;
  }
  Cand c = {.prefix = prefix,
            .nprefix = n,
            .value = from->value,
            .sure = from->sure,
            .rest = p,
            .kind = CAND_GLOB};
  if (*p != '*')
    return c;
  while (*p == '*')
    p++;
  if (!*p) {
    c.kind = CAND_PREFIX;
  } else if (!glob_has_magic(p)) {
    c.kind = CAND_SUFFIX;
    c.rest = glob_unescape(arena_strdup(a, p));
    c.nrest = (u32)strlen(c.rest);
    c.last = c.rest[c.nrest - 1];
  }
  return c;
}

static void seal_exact(GlobSet *g) {
  u64 nslots = 4;
  while (nslots < (u64)g->nexact * 2)
    nslots *= 2;
  g->slots = ARENA_ARRAY(g->arena, Slot, nslots);
  g->slot_mask = nslots - 1;
  qsort(g->exact, g->nexact, sizeof *g->exact, compare_exact);
  for (u32 i = 0, n; i < g->nexact; i += n) {
    const Exact *e = &g->exact[i];
    n = 1;
    while (i + n < g->nexact && e[n].len == e->len && !memcmp(e[n].s, e->s, e->len))
      n++;
    u64 h = hash_bytes(e->s, e->len), at = h & g->slot_mask;
    while (g->slots[at].n)
      at = (at + 1) & g->slot_mask;
    g->slots[at] = (Slot){(u32)(h >> 32), i, n};
    g->lengths |= 1ull << MIN(e->len, 63u);
  }
}

/* Builds the node of cands [first, end), which agree in their first `depth` bytes. Recursion is
 * bounded: each level takes at least one byte of TRIE_DEPTH. */
static u32 build_node(GlobSet *g, u32 first, u32 end, u32 depth) {
  const Cand *c = g->cands;
  u32 at = g->nnodes++;
  const char *a = c[first].prefix, *b = c[end - 1].prefix;
  u32 most = MIN(MIN(c[first].nprefix, c[end - 1].nprefix), depth + LABEL);
  u32 stop = depth;
  while (stop < most && a[stop] == b[stop])
    stop++;
  Node node = {.nlabel = stop - depth};
  for (u32 i = 0; i < node.nlabel; i++) {
    node.label |= (u64)(u8)a[depth + i] << (8 * i);
    node.mask |= (u64)0xff << (8 * i);
  }
  node.cand = first;
  while (first < end && c[first].nprefix == stop)
    first++;
  node.ncand = first - node.cand;
  node.least = node.ncand ? c[node.cand].value : UINT32_MAX;
  if (first < end) {
    node.lo = (u8)c[first].prefix[stop];
    node.span = (u32)(u8)c[end - 1].prefix[stop] - node.lo + 1;
    node.kid = g->nkids;
    g->nkids += node.span;
  }
  while (first < end) {
    u8 key = (u8)c[first].prefix[stop];
    u32 last = first + 1;
    while (last < end && (u8)c[last].prefix[stop] == key)
      last++;
    u32 child = build_node(g, first, last, stop + 1);
    g->kids[node.kid + key - node.lo] = child;
    first = last;
  }
  g->nodes[at] = node;
  return at;
}

static void seal_trie(GlobSet *g) {
  qsort(g->cands, g->ncand, sizeof *g->cands, compare_cand);
  /* A node branches, ends a pattern, or continues a full label: the last kind takes LABEL + 1
   * bytes. */
  u64 nodes = (u64)g->ncand * (2 + TRIE_DEPTH / (LABEL + 1)) + 2;
  g->nodes = ARENA_ARRAY(g->arena, Node, nodes);
  /* Every node but the root is a child, and the span of n children is at most n and 256 * (n - 1)
   * more; a single child has span 1. */
  u64 branches = (u64)g->ncand;
  g->kids = ARENA_ARRAY(g->arena, u32, nodes + branches * 256);
  build_node(g, 0, g->ncand, 0);
}

void globset_seal(GlobSet *g) {
  g->exact = ARENA_ARRAY(g->arena, Exact, g->nexact);
  g->cands = ARENA_ARRAY(g->arena, Cand, g->ncand);
  u32 ne = 0, nc = 0;
  for (const Pending *p = g->pending; p; p = p->next) {
    if (p->exact)
      g->exact[ne++] = (Exact){p->pattern, (u32)strlen(p->pattern), p->value, p->sure};
    else
      g->cands[nc++] = cand_make(g->arena, p);
  }
  g->pending = NULL;
  if (ne)
    seal_exact(g);
  if (nc)
    seal_trie(g);
}

static u32 find_exact(const GlobSet *g, const char *s, u64 len, GlobOk *ok, const void *ctx) {
  u64 h = hash_bytes(s, len);
  for (u64 at = h & g->slot_mask; g->slots[at].n; at = (at + 1) & g->slot_mask) {
    const Slot *slot = &g->slots[at];
    if (slot->hash != (u32)(h >> 32))
      continue;
    const Exact *e = &g->exact[slot->first];
    if (e->len != len || memcmp(e->s, s, len) != 0)
      continue;
    for (u32 i = 0; i < slot->n; i++)
      if (!ok || e[i].sure || ok(ctx, e[i].value))
        return e[i].value;
    break;
  }
  return UINT32_MAX;
}

static bool cand_match(const Cand *c, const char *s, u64 len) {
  u64 left = len - c->nprefix;
  switch ((CandKind)c->kind) {
  case CAND_PREFIX: return true;
  case CAND_SUFFIX:
    return left >= c->nrest && s[len - 1] == c->last &&
           !memcmp(s + len - c->nrest, c->rest, c->nrest);
  case CAND_GLOB: return glob_match(c->rest, s + c->nprefix, left);
  }
  return false;
}

/* The eight bytes at s + pos, low byte first; what lies past the end is zero. Never reads outside.
 */
static inline u64 window(const char *s, u64 len, u64 pos) {
  if (LIKELY(len - pos >= 8))
    return rd64(s + pos);
  if (pos == len)
    return 0;
  if (len >= 8)
    return rd64(s + len - 8) >> (8 * (8 - (len - pos)));
  u64 w = 0;
  for (u64 i = pos; i < len; i++)
    w |= (u64)(u8)s[i] << (8 * (i - pos));
  return w;
}

u32 globset_find_where(const GlobSet *g, const char *s, u64 len, GlobOk *ok, const void *ctx) {
  u32 best = UINT32_MAX;
  if (g->lengths >> MIN(len, 63u) & 1)
    best = find_exact(g, s, len, ok, ctx);
  if (!g->nnodes)
    return best;

  /* Nodes whose patterns' prefixes agree. The longest prefix is asked first: most often it has the
   * lowest value, and then those of catch-alls need not be compared at all. */
  const Node *path[TRIE_DEPTH + 1];
  u32 n = 0;
  const Node *node = g->nodes;
  for (u64 pos = 0;;) {
    if (node->nlabel) {
      if (len - pos < node->nlabel || ((window(s, len, pos) ^ node->label) & node->mask))
        break;
      pos += node->nlabel;
    }
    if (node->least < best)
      path[n++] = node;
    if (pos == len)
      break;
    u32 k = (u32)(u8)s[pos] - node->lo;
    if (k >= node->span || !g->kids[node->kid + k])
      break;
    node = &g->nodes[g->kids[node->kid + k]];
    pos++;
  }
  while (n) {
    node = path[--n];
    const Cand *c = g->cands + node->cand, *end = c + node->ncand;
    for (; c < end && c->value < best; c++)
      if (cand_match(c, s, len) && (!ok || c->sure || ok(ctx, c->value)))
        best = c->value;
  }
  return best;
}

u32 globset_find(const GlobSet *g, const char *s, u64 len) {
  return globset_find_where(g, s, len, NULL, NULL);
}
