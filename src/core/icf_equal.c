/* icf_equal.c: which atoms are equal. First by what an atom says itself: content, edges but for the candidates that they
 * lead to, unwind records; a 128-bit hash of that makes classes. Then classes are split while two members of one refer
 * to candidates of different classes. What is left is checked byte by byte before it is believed.
 * The trap: to start with "all are equal" and to split is what lets functions fold that call each other; so nothing may
 * be folded before the last split, and when too much work makes it give up, every class that refers to candidates goes. */
#include <stdlib.h>

#include "core/icf_internal.h"
#include "util/hash.h"

enum {
  GRAIN = 256,          /* atoms */
  CLASSES_GRAIN = 256,
  SHARDS = 32,
  AHEAD = 6,
  FEW = 32,             /* members that are sorted by insertion */
  MAX_WORK = 64,        /* looks at a member, on average, before giving up */
  FREE_WORK = 1 << 20,
  FDE_FIELDS = 8,       /* length and CIE pointer say nothing about the function */
  /* what an edge leads to */
  TO_SYMBOL = 1, TO_ATOM, TO_PIECE, TO_CANDIDATE,
};
/* Targets that are more than a place in an atom. */
enum { BY_SYMBOL = SF_IMPORTED | SF_ABSOLUTE | SF_IFUNC | SF_TLS | SF_UNDEFINED | SF_DISCARDED | SF_SHARED | SF_SYNTHETIC };

typedef VEC(u32) U32Vec;
typedef VEC(u64) Words;

typedef struct {
  u32 begin, end; /* in Equal.member */
} Class;
typedef VEC(Class) Classes;

/* Candidates that a candidate refers to, in the order of its edges: in Equal.targets, of its chunk. */
typedef struct {
  u32 at, n;
} Span;

typedef struct {
  u32 member, class;
} Change;

/* What looking at some classes came to. */
typedef struct {
  Classes classes;
  VEC(Change) changes;
} Split;

typedef struct {
  u64 signature;
  u32 member;
} Signed;

/* One thread's memory. */
typedef struct {
  Words words, other;
  U32Vec targets, other_targets;
  VEC(Signed) order;
} Tmp;

typedef struct {
  Link *l;
  const u32 *atom;   /* the candidates that have a chance, n of them */
  u32 n;
  u32 *of_atom;      /* by atom: index in `atom` + 1; 0: none */
  u32 *shape;        /* by candidate: hash of what is cheap to know */
  Hash128 *digest;
  Span *span;
  U32Vec *targets;   /* by chunk of GRAIN */
  u32 *class;        /* by candidate: its class, which is called as its first member */
  u32 *member;       /* candidates, those of a class together and in order */
  u32 nmember;
  Classes active;    /* those that may be split yet */
  Classes settled;   /* those that can't: they refer to no candidate */
  Classes *checked;  /* = active or settled, while they are checked */
  Split *split;      /* by chunk of CLASSES_GRAIN */
  Tmp *tmp;          /* by thread */
  u64 work;
} Equal;

static inline u64 mix(u64 h, u64 v) {
  h = (h ^ v) * 0x9fb21c651e98df25ull;
  return h ^ h >> 29;
}

/* ---- what an atom says itself ---- */

/* Where it goes in the output: only atoms of one output section are equal. */
static u64 destination(const Link *l, u32 a) {
  u32 rule = l->rules ? l->rules[a] : UINT32_MAX;
  if (rule != UINT32_MAX)
    return rule >> 16;
  const char *name = l->format->atom_name(l, (AtomId){a});
  return 1ull << 63 | hash_bytes(name, strlen(name)) >> 1;
}

static u32 kind_flags(const Link *l, u32 a) { return l->atoms.flags[a] & (ATOM_WRITE | ATOM_EXEC | ATOM_LARGE); }

static u64 shape_of(const Link *l, u32 a) {
  const Atom *at = &l->atoms.at[a];
  u64 h = mix(mix(at->size, (u64)at->rel << 32 | at->type), destination(l, a));
  return mix(h, kind_flags(l, a));
}

static void describe_edge(const Equal *q, const EdgeTarget *t, u64 base, Words *w, U32Vec *targets) {
  const Link *l = q->l;
  u64 tag = TO_SYMBOL, id = t->target, off = (u64)t->addend;
  bool by_symbol = t->flags & BY_SYMBOL || l->arch->kinds_by_symbol >> t->kind & 1;
  if (!by_symbol && t->atom) {
    u16 f = l->atoms.flags[t->atom];
    u32 c = q->of_atom[t->atom];
    if (c) {
      tag = TO_CANDIDATE;
      id = q->shape[c - 1];
      off += t->value;
      *vec_push(targets) = c - 1;
    } else if (f & ATOM_MERGE) { /* a section symbol's addend is a place in the section, any other's is behind the piece */
      u64 place;
      bool section = t->target >= l->syms.nglobal && t->flags & SF_SECTION;
      tag = TO_PIECE;
      id = merge_where(l, (AtomId){t->atom}, section ? t->value + off : t->value, &place).i;
      off = section ? place : place + off;
    } else if (!(f & ATOM_EHFRAME)) {
      tag = TO_ATOM;
      id = t->atom;
      off += t->value;
    }
  }
  u64 *p = (vec_reserve(w, w->n + 3), w->at + w->n);
  w->n += 3;
  p[0] = (t->offset - base) << 16 | t->kind;
  p[1] = tag << 32 | id;
  p[2] = off;
}

/* Records end in any number of DW_CFA_nop, which is zero: assemblers pad the last one of a section to more than others. */
static void describe_record(const u8 *p, u64 len, Words *w) {
  while (len && !p[len - 1])
    len--;
  u32 n = (u32)((len + 7) / 8);
  vec_reserve(w, w->n + n + 1);
  w->at[w->n++] = len;
  if (n)
    w->at[w->n + n - 1] = 0;
  memcpy(w->at + w->n, p, len);
  w->n += n;
}

static void describe_unwind(const Equal *q, u32 a, Words *w, U32Vec *targets) {
  const Link *l = q->l;
  u32 nfde;
  const EhRecord *fde = ehframe_fdes(l, (AtomId){a}, &nfde);
  EdgeTarget buf[EDGE_BATCH];
  for (u32 k = 0; k < nfde; k++) {
    const EhRecord *r = &fde[k];
    describe_record(l->atoms.at[r->atom].data + r->off + FDE_FIELDS, r->size - FDE_FIELDS, w);
    *vec_push(w) = l->files.at[l->atoms.at[a].file].eh.cies[r->cie].cie;
    for (u32 next = r->rel, n; (n = l->format->edge_targets(l, (AtomId){r->atom}, &next, r->rel + r->nrel, buf));)
      for (u32 i = 0; i < n; i++) {
        if (buf[i].offset - r->off == FDE_FIELDS) /* the function itself, and where in it the record begins */
          *vec_push(w) = buf[i].value + (u64)buf[i].addend;
        else if (buf[i].offset - r->off < r->size)
          describe_edge(q, &buf[i], r->off, w, targets);
      }
  }
}

/* All but its content and the classes of the targets. */
static void describe(const Equal *q, u32 a, Words *w, U32Vec *targets) {
  const Link *l = q->l;
  EdgeTarget buf[EDGE_BATCH];
  w->n = 0;
  if (l->atoms.at[a].rel)
    for (u32 next = 0, n; (n = l->format->edge_targets(l, (AtomId){a}, &next, UINT32_MAX, buf));)
      for (u32 i = 0; i < n; i++)
        describe_edge(q, &buf[i], 0, w, targets);
  *vec_push(w) = UINT64_MAX; /* the end of the edges */
  describe_unwind(q, a, w, targets);
}

/* ---- who has a chance ---- */

typedef struct {
  const Link *l;
  const u32 *atom;
  u64 *shape;
  u8 *seen;   /* by shape: 1: one has it, 3: more than one */
  u64 mask;
} Sieve;

static void sieve_atoms(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  const Sieve *s = ctx;
  for (u32 i = begin; i < end; i++) {
    if (i + 2 * AHEAD < end)
      PREFETCH(&s->l->atoms.at[s->atom[i + 2 * AHEAD]]);
    u64 h = s->shape[i] = shape_of(s->l, s->atom[i]);
    u8 *p = &s->seen[h & s->mask];
    if (__atomic_load_n(p, __ATOMIC_RELAXED) != 3 && __atomic_fetch_or(p, 1, __ATOMIC_RELAXED) & 1)
      __atomic_fetch_or(p, 2, __ATOMIC_RELAXED);
  }
}

static u64 room_for(u64 n) {
  u64 cap = 64;
  while (cap < n)
    cap *= 2;
  return cap;
}

/* Drops atoms that differ from all others in size, number of edges, or destination: mostly the larger ones, so that
 * little of the content has to be read. */
static void sieve(Equal *q, const u32 *atom, u32 n, u32 *left) {
  u64 cap = room_for(4 * (u64)n);
  Sieve s = {q->l, atom, pages_alloc(n * sizeof(u64)), pages_alloc(cap), cap - 1};
  pool_run(q->l->pool, n, 4096, sieve_atoms, &s);
  q->shape = pages_alloc(n * sizeof *q->shape);
  for (u32 i = 0; i < n; i++)
    if (s.seen[s.shape[i] & s.mask] == 3) {
      q->shape[q->n] = (u32)(s.shape[i] >> 32);
      left[q->n++] = atom[i];
      q->of_atom[atom[i]] = q->n;
    }
  q->atom = left;
  pages_free(s.shape, n * sizeof(u64));
  pages_free(s.seen, cap);
}

/* ---- the first classes ---- */

static void digest_atoms(void *ctx, u32 begin, u32 end, unsigned tid) {
  Equal *q = ctx;
  const Link *l = q->l;
  Words *w = &q->tmp[tid].words;
  U32Vec *targets = &q->targets[begin / GRAIN];
  for (u32 i = begin; i < end; i++) {
    if (i + AHEAD < end) {
      const Atom *soon = &l->atoms.at[q->atom[i + AHEAD]];
      prefetch_edges(l, soon);
      PREFETCH(soon->data);
    }
    u32 a = q->atom[i], at = targets->n;
    const Atom *x = &l->atoms.at[a];
    describe(q, a, w, targets);
    Hash128 content = hash128_bytes(x->data, x->size);
    vec_reserve(w, w->n + 3);
    w->at[w->n++] = content.lo;
    w->at[w->n++] = content.hi;
    w->at[w->n++] = shape_of(l, a);
    q->digest[i] = hash128_bytes(w->at, w->n * sizeof *w->at);
    q->span[i] = (Span){at, targets->n - at};
  }
}

/* A shard of the digests: who is the first with each of them. */
static void class_shards(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  Equal *q = ctx;
  u64 cap = room_for(4 * (u64)q->n / SHARDS), used = 0;
  u32 *table = heap_alloc(cap * sizeof *table);
  for (u32 s = begin; s < end; s++) {
    memset(table, 0, cap * sizeof *table);
    used = 0;
    for (u32 i = 0; i < q->n; i++) {
      Hash128 d = q->digest[i];
      if (d.hi % SHARDS != s)
        continue;
      u64 k = d.lo & (cap - 1);
      while (table[k] && (q->digest[table[k] - 1].lo != d.lo || q->digest[table[k] - 1].hi != d.hi))
        k = (k + 1) & (cap - 1);
      q->class[i] = table[k] ? table[k] - 1 : i;
      if (table[k] || ++used > cap / 2) /* full only if somebody wants it to be: those are alone */
        continue;
      table[k] = i + 1;
    }
  }
  free(table);
}

static const u32 *targets_of(const Equal *q, u32 i) { return q->targets[i / GRAIN].at + q->span[i].at; }

static void add_class(Equal *q, Class c) { *vec_push(q->span[q->member[c.begin]].n ? &q->active : &q->settled) = c; }

/* Members of one class together. */
static void gather_members(Equal *q) {
  u32 *at = pages_alloc(q->n * sizeof *at);
  for (u32 i = 0; i < q->n; i++)
    at[q->class[i]]++;
  u32 sum = 0;
  for (u32 i = 0; i < q->n; i++) {
    u32 n = at[i] > 1 ? at[i] : 0;
    at[i] = n ? sum : UINT32_MAX;
    sum += n;
  }
  q->member = pages_alloc(MAX(sum, 1u) * sizeof *q->member);
  q->nmember = sum;
  for (u32 i = 0; i < q->n; i++)
    if (at[q->class[i]] != UINT32_MAX)
      q->member[at[q->class[i]]++] = i;
  for (u32 i = 0; i < sum;) {
    Class c = {i, i};
    while (c.end < sum && q->class[q->member[c.end]] == q->class[q->member[i]])
      c.end++;
    add_class(q, c);
    i = c.end;
  }
  pages_free(at, q->n * sizeof *at);
}

/* ---- splitting ---- */

static u64 signature(const Equal *q, u32 i) {
  const u32 *t = targets_of(q, i);
  u64 h = 0;
  for (u32 k = 0; k < q->span[i].n; k++)
    h = mix(h, q->class[t[k]]);
  return h;
}

static int by_signature(const void *pa, const void *pb) {
  const Signed *a = pa, *b = pb;
  if (a->signature != b->signature)
    return a->signature < b->signature ? -1 : 1;
  return a->member < b->member ? -1 : a->member > b->member;
}

static void sort_signed(Signed *v, u32 n) {
  if (n > FEW) {
    qsort(v, n, sizeof *v, by_signature);
    return;
  }
  for (u32 i = 1; i < n; i++) {
    Signed x = v[i];
    u32 k = i;
    for (; k && by_signature(&v[k - 1], &x) > 0; k--)
      v[k] = v[k - 1];
    v[k] = x;
  }
}

static void split_class(const Equal *q, Tmp *tmp, Class c, Split *out) {
  u32 *m = q->member + c.begin, n = c.end - c.begin;
  bool same = true;
  vec_reserve(&tmp->order, n);
  Signed *v = tmp->order.at;
  for (u32 i = 0; i < n; i++) {
    v[i] = (Signed){signature(q, m[i]), m[i]};
    same &= v[i].signature == v[0].signature;
  }
  if (same) {
    *vec_push(&out->classes) = c;
    return;
  }
  sort_signed(v, n);
  for (u32 i = 0, end; i < n; i = end) {
    for (end = i; end < n && v[end].signature == v[i].signature; end++) {
      m[end] = v[end].member;
      if (q->class[m[end]] != m[i])
        *vec_push(&out->changes) = (Change){m[end], m[i]};
    }
    if (end - i > 1)
      *vec_push(&out->classes) = (Class){c.begin + i, c.begin + end};
  }
}

static void split_classes(void *ctx, u32 begin, u32 end, unsigned tid) {
  const Equal *q = ctx;
  for (u32 i = begin; i < end; i++)
    split_class(q, &q->tmp[tid], q->active.at[i], &q->split[begin / CLASSES_GRAIN]);
}

/* One round, against the classes as they stood before it. True when something was split. */
static bool split_all(Equal *q) {
  u32 chunks = (q->active.n + CLASSES_GRAIN - 1) / CLASSES_GRAIN;
  bool changed = false;
  q->split = heap_alloc(MAX(chunks, 1u) * sizeof *q->split);
  for (u32 i = 0; i < q->active.n; i++)
    q->work += q->active.at[i].end - q->active.at[i].begin;
  pool_run(q->l->pool, q->active.n, CLASSES_GRAIN, split_classes, q);
  q->active.n = 0;
  for (u32 c = 0; c < chunks; c++) {
    Split *s = &q->split[c];
    changed |= s->changes.n != 0;
    for (u32 i = 0; i < s->changes.n; i++)
      q->class[s->changes.at[i].member] = s->changes.at[i].class;
    for (u32 i = 0; i < s->classes.n; i++)
      *vec_push(&q->active) = s->classes.at[i];
    vec_free(&s->classes);
    vec_free(&s->changes);
  }
  free(q->split);
  return changed;
}

static void give_up(Equal *q) {
  for (u32 i = 0; i < q->active.n; i++)
    for (u32 k = q->active.at[i].begin; k < q->active.at[i].end; k++)
      q->class[q->member[k]] = q->member[k];
  q->active.n = 0;
}

/* ---- checking ---- */

static bool same_self(const Equal *q, u32 i, u32 k) {
  const Link *l = q->l;
  u32 a = q->atom[i], b = q->atom[k];
  const Atom *x = &l->atoms.at[a], *y = &l->atoms.at[b];
  if (x->size != y->size || x->rel != y->rel || x->type != y->type || kind_flags(l, a) != kind_flags(l, b) ||
      destination(l, a) != destination(l, b))
    return false;
  return !memcmp(x->data, y->data, x->size);
}

static bool same_targets(const Equal *q, const U32Vec *a, const U32Vec *b) {
  for (u32 i = 0; i < MIN(a->n, b->n); i++)
    if (q->class[a->at[i]] != q->class[b->at[i]])
      return false;
  return a->n == b->n;
}

/* Leaves out those that are not what the first member is: two hashes were equal by chance, or by design. */
static void check_class(const Equal *q, Tmp *tmp, Class c, Split *out) {
  u32 *m = q->member, end = c.begin + 1;
  tmp->targets.n = 0;
  describe(q, q->atom[m[c.begin]], &tmp->words, &tmp->targets);
  for (u32 k = c.begin + 1; k < c.end; k++) {
    tmp->other_targets.n = 0;
    bool same = same_self(q, m[c.begin], m[k]);
    if (same) {
      describe(q, q->atom[m[k]], &tmp->other, &tmp->other_targets);
      same = tmp->words.n == tmp->other.n && !memcmp(tmp->words.at, tmp->other.at, tmp->words.n * sizeof *tmp->words.at) &&
             same_targets(q, &tmp->targets, &tmp->other_targets);
    }
    if (same)
      m[end++] = m[k];
    else
      *vec_push(&out->changes) = (Change){m[k], m[k]};
  }
  if (end - c.begin > 1)
    *vec_push(&out->classes) = (Class){c.begin, end};
}

static void check_classes(void *ctx, u32 begin, u32 end, unsigned tid) {
  const Equal *q = ctx;
  for (u32 i = begin; i < end; i++)
    check_class(q, &q->tmp[tid], q->checked->at[i], &q->split[begin / GRAIN]);
}

/* False when some class lost a member: who refers to that has to be looked at again. */
static bool check(Equal *q, Classes *v) {
  u32 chunks = (v->n + GRAIN - 1) / GRAIN;
  bool good = true;
  q->split = heap_alloc(MAX(chunks, 1u) * sizeof *q->split);
  q->checked = v;
  pool_run(q->l->pool, v->n, GRAIN, check_classes, q);
  v->n = 0;
  for (u32 c = 0; c < chunks; c++) {
    Split *s = &q->split[c];
    good &= !s->changes.n;
    for (u32 i = 0; i < s->changes.n; i++)
      q->class[s->changes.at[i].member] = s->changes.at[i].class;
    for (u32 i = 0; i < s->classes.n; i++)
      *vec_push(v) = s->classes.at[i];
    vec_free(&s->classes);
    vec_free(&s->changes);
  }
  free(q->split);
  return good;
}

/* ---- all of it ---- */

static void find_classes(Equal *q) {
  Link *l = q->l;
  u32 chunks = (q->n + GRAIN - 1) / GRAIN;
  u64 digests = (u64)q->n * sizeof *q->digest, spans = (u64)q->n * sizeof *q->span, words = (u64)q->n * sizeof *q->class;
  q->digest = pages_alloc(digests);
  q->span = pages_alloc(spans);
  q->class = pages_alloc(words);
  q->targets = heap_alloc(chunks * sizeof *q->targets);
  pool_run(l->pool, q->n, GRAIN, digest_atoms, q);
  pool_run(l->pool, SHARDS, q->n < GRAIN ? SHARDS : 1, class_shards, q);
  pages_free(q->digest, digests);
  gather_members(q);
  do {
    while (split_all(q))
      if (q->work > FREE_WORK + (u64)MAX_WORK * q->n)
        give_up(q);
  } while (!check(q, &q->settled) | !check(q, &q->active));
  for (u32 c = 0; c < chunks; c++)
    vec_free(&q->targets[c]);
  free(q->targets);
  pages_free(q->span, spans);
}

void icf_equal(Link *l, const u32 *atom, u32 n, u32 *leader) {
  if (n)
    memcpy(leader, atom, n * sizeof *leader);
  if (n < 2)
    return;
  u64 by_atom = (u64)l->atoms.n * sizeof(u32), list = (u64)n * sizeof(u32);
  unsigned threads = pool_threads(l->pool);
  Equal q = {.l = l, .of_atom = pages_alloc(by_atom), .tmp = heap_alloc(threads * sizeof(Tmp))};
  u32 *left = pages_alloc(list);
  ehframe_number_cies(l);
  sieve(&q, atom, n, left);
  if (q.n) {
    find_classes(&q);
    for (u32 i = 0; i < n; i++) {
      u32 c = q.of_atom[atom[i]];
      if (c)
        leader[i] = left[q.class[c - 1]];
    }
    pages_free(q.class, (u64)q.n * sizeof *q.class);
    pages_free(q.member, MAX(q.nmember, 1u) * sizeof *q.member);
  }
  vec_free(&q.active);
  vec_free(&q.settled);
  for (unsigned t = 0; t < threads; t++) {
    vec_free(&q.tmp[t].words);
    vec_free(&q.tmp[t].other);
    vec_free(&q.tmp[t].targets);
    vec_free(&q.tmp[t].other_targets);
    vec_free(&q.tmp[t].order);
  }
  free(q.tmp);
  pages_free(q.shape, list);
  pages_free(q.of_atom, by_atom);
  pages_free(left, list);
}
