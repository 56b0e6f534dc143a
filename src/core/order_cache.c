/* order_cache.c: cache-directed sort, how lld orders functions by default: chains of functions are joined, the pair
 * that gains most first, as long as anything is gained. What counts is how near a call ends (1 / distance^(1/4)) and,
 * for a model of a small instruction cache, how likely the merged code is in it. Newell and Pupyrev, "Improved Basic Block
 * Reordering" (the idea), and the constants of LLVM 19.
 * The trap: gains are floating point, and ties are common (equal functions); they are decided by the first function
 * of a chain, so the same sums must be made in the same order on every run: all of this is serial. */
#include <stdlib.h>

#include "core/order.h"
#include "util/hash.h"

enum { CACHE_ENTRIES = 16 /* a power of two */, CACHE_SIZE = 2048, MAX_CHAIN = 128 /* functions in what is joined further */, NONE = -1 };
static const double epsilon = 1e-8, frequency_scale = 0.25;

typedef struct {
  u64 size, runs; /* bytes, at least 1; how often it is called, or calls, whichever is more */
  u64 place;      /* scratch: address in the pair that is looked at */
  i32 next;       /* in its chain */
} Function;

typedef struct {
  u32 from, to;
  u64 weight, offset; /* where in the caller */
  i32 next;           /* of the same pair of chains */
} Arc;

typedef struct {
  i32 first, last; /* functions; the number of the first is what decides ties. -1: joined to another chain */
  u32 n;
  u64 size, runs;
  VEC(u32) pairs;
} Chain;

/* Two chains with calls between them. */
typedef struct {
  u32 a, b;
  i32 first, last; /* arcs */
  double gain;     /* of joining them; -1: not known yet */
  bool b_first;    /* b stands before a then */
  u32 version;     /* entries of the queue with another one are out of date */
} Pair;

typedef struct {
  double gain;
  i32 a, b; /* first functions of the chains */
  u32 pair, version;
} Entry;

typedef struct {
  Function *functions;
  Arc *arcs;
  Chain *chains;
  VEC(Pair) pairs;
  VEC(Entry) queue; /* a heap, the largest gain on top */
  u32 *slots;       /* by two chains: pair + 1. Entries of chains that are no more stay, and nobody asks for them */
  u32 used, mask;
  u64 *keys;
  double total_runs;
  u64 total_size;
} Sorter;

/* ---- pairs ---- */

static u32 slot_of(const Sorter *s, u32 a, u32 b) {
  u64 key = (u64)MIN(a, b) << 32 | MAX(a, b);
  u32 k = (u32)hash_bytes(&key, sizeof key) & s->mask;
  while (s->slots[k] && s->keys[k] != key)
    k = (k + 1) & s->mask;
  return k;
}

static void set_pair(Sorter *s, u32 a, u32 b, u32 pair) {
  if (s->used * 2 >= s->mask) {
    Sorter old = *s;
    s->mask = s->mask * 2 + 1;
    s->slots = heap_alloc(((u64)s->mask + 1) * sizeof *s->slots);
    s->keys = heap_alloc(((u64)s->mask + 1) * sizeof *s->keys);
    for (u32 i = 0; i <= old.mask; i++)
      if (old.slots[i]) {
        u32 k = slot_of(s, (u32)(old.keys[i] >> 32), (u32)old.keys[i]);
        s->slots[k] = old.slots[i];
        s->keys[k] = old.keys[i];
      }
    free(old.slots);
    free(old.keys);
  }
  u32 k = slot_of(s, a, b);
  s->used += !s->slots[k];
  s->slots[k] = pair + 1;
  s->keys[k] = (u64)MIN(a, b) << 32 | MAX(a, b);
}

static Pair *find_pair(const Sorter *s, u32 a, u32 b) {
  u32 i = s->slots[slot_of(s, a, b)];
  return i ? &s->pairs.at[i - 1] : NULL;
}

static void append_arcs(Sorter *s, Pair *p, i32 first, i32 last) {
  if (p->first == NONE)
    p->first = first;
  else
    s->arcs[p->last].next = first;
  p->last = last;
}

static void add_arc(Sorter *s, u32 arc) {
  const Arc *x = &s->arcs[arc];
  Pair *p = find_pair(s, x->from, x->to);
  if (!p) {
    u32 i = s->pairs.n;
    *vec_push(&s->pairs) = (Pair){x->from, x->to, NONE, NONE, -1, false, 0};
    set_pair(s, x->from, x->to, i);
    *vec_push(&s->chains[x->from].pairs) = i;
    *vec_push(&s->chains[x->to].pairs) = i;
    p = &s->pairs.at[i];
  }
  append_arcs(s, p, (i32)arc, (i32)arc);
}

/* ---- gains ---- */

/* x^(1/4) for x > 0, to the last bit or two, by Newton's method: the C library's pow() would come with its library. */
static double fourth_root(double x) {
  u64 bits;
  double y;
  memcpy(&bits, &x, sizeof bits);
  bits = bits / 4 + 0x2ff0000000000000; /* a quarter of the exponent */
  memcpy(&y, &bits, sizeof y);
  for (int i = 0; i < 5; i++)
    y = 0.75 * y + 0.25 * x / (y * y * y);
  return y;
}

static double misses(const Sorter *s, double runs, double size) {
  double cached = runs / size * CACHE_SIZE, miss = 1 - cached / s->total_runs;
  if (cached >= s->total_runs)
    return 0;
  for (u32 i = CACHE_ENTRIES; i > 1; i /= 2) /* to the power of that */
    miss *= miss;
  return runs * miss;
}

/* What the cache gains when the chains stand together. */
static double cache_gain(const Sorter *s, const Chain *a, const Chain *b) {
  double before = misses(s, (double)a->runs, (double)a->size) + misses(s, (double)b->runs, (double)b->size);
  return before - misses(s, (double)(a->runs + b->runs), (double)(a->size + b->size));
}

static double nearness(u64 x, u64 y, u64 weight) {
  u64 d = x <= y ? y - x : x - y;
  return (double)weight / fourth_root(d ? (double)d : 0.1);
}

static u64 place_chain(const Sorter *s, const Chain *c, u64 at) {
  for (i32 f = c->first; f != NONE; f = s->functions[f].next) {
    s->functions[f].place = at;
    at += s->functions[f].size;
  }
  return at;
}

/* What calls gain when chain y follows chain x, against being anywhere. */
static double distance_gain(const Sorter *s, const Pair *p, const Chain *x, const Chain *y) {
  double near = 0, apart = 0;
  place_chain(s, y, place_chain(s, x, 0));
  for (i32 i = p->first; i != NONE; i = s->arcs[i].next) {
    const Arc *c = &s->arcs[i];
    near += nearness(s->functions[c->from].place + c->offset, s->functions[c->to].place, c->weight);
    apart += nearness(0, s->total_size, c->weight);
  }
  return near - apart;
}

static double scaled(double gain, const Chain *a, const Chain *b) {
  return gain >= 0 ? gain / (double)MIN(a->size, b->size) : gain;
}

static void evaluate(Sorter *s, Pair *p) {
  const Chain *a = &s->chains[p->a], *b = &s->chains[p->b];
  double cache = frequency_scale * cache_gain(s, a, b), best = -1;
  p->b_first = false;
  for (int turned = 0; turned < 2; turned++) {
    double gain = scaled(distance_gain(s, p, turned ? b : a, turned ? a : b) + cache, a, b);
    bool as_given = turned ? a->first > b->first : a->first < b->first;
    bool tie = best - gain < epsilon && gain - best < epsilon;
    if (tie ? as_given : gain > best + epsilon) {
      best = gain;
      p->b_first = turned;
    }
  }
  p->gain = best;
}

/* ---- the queue ---- */

static bool comes_before(const Entry *x, const Entry *y) {
  if (x->gain != y->gain)
    return x->gain > y->gain;
  return x->a != y->a ? x->a < y->a : x->b < y->b;
}

static void push(Sorter *s, u32 pair) {
  Pair *p = &s->pairs.at[pair];
  Entry e = {p->gain, s->chains[p->a].first, s->chains[p->b].first, pair, p->version};
  *vec_push(&s->queue) = e;
  u32 i = s->queue.n - 1;
  for (; i && comes_before(&e, &s->queue.at[(i - 1) / 2]); i = (i - 1) / 2)
    s->queue.at[i] = s->queue.at[(i - 1) / 2];
  s->queue.at[i] = e;
}

static Entry pop(Sorter *s) {
  Entry *v = s->queue.at, top = v[0], last = v[--s->queue.n];
  u32 n = s->queue.n, i = 0;
  for (u32 k; (k = 2 * i + 1) < n; i = k) {
    if (k + 1 < n && comes_before(&v[k + 1], &v[k]))
      k++;
    if (!comes_before(&v[k], &last))
      break;
    v[i] = v[k];
  }
  v[i] = last;
  return top;
}

/* ---- joining ---- */

/* Chain b is no more; its pairs become a's, or join those that a has already. */
static void take_pairs(Sorter *s, u32 a, u32 b) {
  for (u32 i = 0; i < s->chains[b].pairs.n; i++) {
    u32 index = s->chains[b].pairs.at[i];
    Pair *p = &s->pairs.at[index];
    p->version++;
    u32 other = p->a == b ? p->b : p->a;
    if (p->a == p->b || other == a || other == b)
      continue;
    Pair *q = find_pair(s, a, other);
    if (q) {
      append_arcs(s, q, p->first, p->last);
      p->a = p->b; /* dead */
    } else {
      if (p->a == b)
        p->a = a;
      else
        p->b = a;
      set_pair(s, a, other, index);
      *vec_push(&s->chains[a].pairs) = index;
    }
  }
  vec_free(&s->chains[b].pairs);
}

static void join(Sorter *s, const Pair *p) {
  u32 a = p->a, b = p->b;
  Chain *x = &s->chains[a], *y = &s->chains[b];
  if (p->b_first) {
    s->functions[y->last].next = x->first;
    x->first = y->first;
  } else {
    s->functions[x->last].next = y->first;
    x->last = y->last;
  }
  x->n += y->n;
  x->size += y->size;
  x->runs += y->runs;
  y->first = NONE;
  take_pairs(s, a, b);
  /* those that led to b, or are dead, go from the list */
  u32 kept = 0;
  for (u32 i = 0; i < x->pairs.n; i++) {
    Pair *q = &s->pairs.at[x->pairs.at[i]];
    q->version++;
    if (q->a == q->b || (q->a != a && q->b != a) || s->chains[q->a].first == NONE || s->chains[q->b].first == NONE)
      continue;
    x->pairs.at[kept++] = x->pairs.at[i];
  }
  x->pairs.n = kept;
}

static void join_all(Sorter *s) {
  for (u32 i = 0; i < s->pairs.n; i++) {
    evaluate(s, &s->pairs.at[i]);
    if (s->pairs.at[i].gain > epsilon)
      push(s, i);
  }
  while (s->queue.n) {
    Entry e = pop(s);
    const Pair *best = &s->pairs.at[e.pair];
    if (e.version != best->version)
      continue;
    u32 a = best->a;
    join(s, best);
    const Chain *c = &s->chains[a];
    for (u32 i = 0; i < c->pairs.n; i++) {
      Pair *p = &s->pairs.at[c->pairs.at[i]];
      if (s->chains[p->a].n + s->chains[p->b].n > MAX_CHAIN)
        continue;
      evaluate(s, p);
      if (p->gain > epsilon)
        push(s, c->pairs.at[i]);
    }
  }
}

/* ---- the order ---- */

static int by_density(const void *pa, const void *pb, void *ctx) {
  const Chain *chains = ctx, *a = &chains[*(const u32 *)pa], *b = &chains[*(const u32 *)pb];
  double x = (double)a->runs / (double)a->size, y = (double)b->runs / (double)b->size;
  return x != y ? (x > y ? -1 : 1) : a->first < b->first ? -1 : a->first > b->first;
}

static u32 put_chains(const Sorter *s, u32 n, u32 *out) {
  u32 *v = heap_alloc(((u64)n + 1) * sizeof *v), chains = 0, at = 0;
  for (u32 i = 0; i < n; i++)
    if (s->chains[i].first != NONE)
      v[chains++] = i;
  if (chains)
    qsort_r(v, chains, sizeof *v, by_density, s->chains);
  for (u32 i = 0; i < chains; i++)
    for (i32 f = s->chains[v[i]].first; f != NONE; f = s->functions[f].next)
      out[at++] = (u32)f;
  free(v);
  return at;
}

/* How often functions run: as often as they are called, or call. */
static void count_runs(Sorter *s, const u64 *sizes, u32 n, u32 arcs) {
  u64 *in = heap_alloc(((u64)n + 1) * sizeof *in), *out = heap_alloc(((u64)n + 1) * sizeof *out);
  for (u32 i = 0; i < arcs; i++) {
    in[s->arcs[i].to] += s->arcs[i].weight;
    out[s->arcs[i].from] += s->arcs[i].weight;
  }
  for (u32 i = 0; i < n; i++) {
    u64 size = MAX(sizes[i], 1u), runs = MAX(in[i], out[i]);
    s->total_runs += (double)in[i];
    if (in[i])
      s->total_size += size;
    s->functions[i] = (Function){.size = size, .runs = runs, .next = NONE};
    s->chains[i] = (Chain){.first = (i32)i, .last = (i32)i, .n = 1, .size = size, .runs = runs};
  }
  free(in);
  free(out);
}

void order_cache_directed(const u64 *sizes, u32 n, const OrderCall *calls, u32 ncalls, u32 *out) {
  Sorter s = {.mask = 1023};
  u32 arcs = 0;
  s.functions = heap_alloc(((u64)n + 1) * sizeof *s.functions);
  s.chains = heap_alloc(((u64)n + 1) * sizeof *s.chains);
  s.arcs = heap_alloc(((u64)ncalls + 1) * sizeof *s.arcs);
  s.slots = heap_alloc(((u64)s.mask + 1) * sizeof *s.slots);
  s.keys = heap_alloc(((u64)s.mask + 1) * sizeof *s.keys);
  for (u32 i = 0; i < ncalls; i++)
    if (calls[i].from != calls[i].to && calls[i].weight) /* nobody knows where in the caller: in the middle */
      s.arcs[arcs++] = (Arc){calls[i].from, calls[i].to, calls[i].weight, (sizes[calls[i].from] + 1) / 2, NONE};
  count_runs(&s, sizes, n, arcs);
  u32 *by_caller = heap_alloc(((u64)n + 2) * sizeof *by_caller), *sorted = heap_alloc(((u64)arcs + 1) * sizeof *sorted);
  for (u32 i = 0; i < arcs; i++)
    by_caller[s.arcs[i].from + 1]++;
  for (u32 i = 0; i < n; i++)
    by_caller[i + 1] += by_caller[i];
  for (u32 i = 0; i < arcs; i++)
    sorted[by_caller[s.arcs[i].from]++] = i;
  for (u32 i = 0; i < arcs; i++)
    add_arc(&s, sorted[i]);
  join_all(&s);
  put_chains(&s, n, out);
  for (u32 i = 0; i < n; i++)
    vec_free(&s.chains[i].pairs);
  vec_free(&s.pairs);
  vec_free(&s.queue);
  free(by_caller);
  free(sorted);
  free(s.functions);
  free(s.chains);
  free(s.arcs);
  free(s.slots);
  free(s.keys);
}
