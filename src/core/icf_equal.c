/* icf_equal.c: which atoms are equal. First by what an atom says itself: content, edges but for the
 * candidates that they lead to, unwind records; a 128-bit hash of that makes classes. icf_split.c
 * splits them until the members of a class refer to the same classes. What is left is checked byte
 * by byte before it is believed.
 * The trap: to start with "all are equal" and to split is what lets functions fold that call each
 * other; so nothing may be folded before the last split. */
#include <stdlib.h>

#include "core/icf_internal.h"

enum {
  SHARDS = 32,
  AHEAD = 6,
  CHECK_AHEAD = 3,
  FDE_FIELDS = 8, /* length and CIE pointer say nothing about the function */
  /* what an edge leads to */
  TO_SYMBOL = 1,
  TO_ATOM,
  TO_PIECE,
  TO_CANDIDATE,
};
/* Targets that are more than a place in an atom. */
enum {
  BY_SYMBOL = SF_IMPORTED | SF_ABSOLUTE | SF_IFUNC | SF_TLS | SF_UNDEFINED | SF_DISCARDED |
              SF_SHARED | SF_SYNTHETIC
};

/* ---- what an atom says itself ---- */

/* Where it goes in the output: only atoms of one output section are equal. */
static u64 destination(const Link *l, u32 a) {
  u32 rule = l->rules ? l->rules[a] : UINT32_MAX;
  if (rule != UINT32_MAX)
    return rule >> 16;
  const char *name = l->format->atom_name(l, (AtomId){a});
  return 1ull << 63 | hash_bytes(name, strlen(name)) >> 1;
}

static u32 kind_flags(const Link *l, u32 a) {
  return l->atoms.flags[a] & (ATOM_WRITE | ATOM_EXEC | ATOM_LARGE);
}

static u64 shape_of(const Link *l, u32 a) {
  const Atom *at = &l->atoms.at[a];
  u64 h = icf_mix(icf_mix(at->size, (u64)at->rel << 32 | at->type), destination(l, a));
  return icf_mix(h, kind_flags(l, a));
}

static void describe_edge(const Equal *q, const EdgeTarget *t, u64 base, Words *w,
                          U32Vec *targets) {
  const Link *l = q->l;
  u64 tag = TO_SYMBOL, id = t->target, off = (u64)t->addend;
  bool by_symbol = t->flags & BY_SYMBOL || (t->kind < l->arch->nkinds && l->arch->kinds_by_symbol >> t->kind & 1);
  if (!by_symbol && t->atom) {
    u16 f = l->atoms.flags[t->atom];
    u32 c = q->of_atom[t->atom];
    if (c) {
      tag = TO_CANDIDATE;
      id = q->shape[c - 1];
      off += t->value;
      *vec_push(targets) = c - 1;
    } else if (f & ATOM_MERGE) { /* a section symbol's addend is a place in the section, any other's
                                    is behind the piece */
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

/* Records end in any number of DW_CFA_nop, which is zero: assemblers pad the last one of a section
 * to more than others. */
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
    for (u32 next = r->rel, n;
         (n = l->format->edge_targets(l, (AtomId){r->atom}, &next, r->rel + r->nrel, buf));)
      for (u32 i = 0; i < n; i++) {
        if (buf[i].offset - r->off ==
            FDE_FIELDS) /* the function itself, and where in it the record begins */
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
  u8 *seen; /* by shape: 1: one has it, 3: more than one */
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

/* Drops atoms that differ from all others in size, number of edges, or destination: mostly the
 * larger ones, so that little of the content has to be read. */
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
  U32Vec *targets = &q->targets[begin / ICF_GRAIN];
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
      q->class_of[i] = table[k] ? table[k] - 1 : i;
      if (table[k] || ++used > cap / 2) /* full only if somebody wants it to be: those are alone */
        continue;
      table[k] = i + 1;
    }
  }
  free(table);
}

/* ---- checking ---- */

static bool same_self(const Equal *q, u32 i, u32 k) {
  const Link *l = q->l;
  u32 a = q->atom[i], b = q->atom[k];
  const Atom *x = &l->atoms.at[a], *y = &l->atoms.at[b];
  if (x->size != y->size || x->rel != y->rel || x->type != y->type ||
      kind_flags(l, a) != kind_flags(l, b) || destination(l, a) != destination(l, b))
    return false;
  return !memcmp(x->data, y->data, x->size);
}

static bool same_targets(const Equal *q, const U32Vec *a, const U32Vec *b) {
  for (u32 i = 0; i < MIN(a->n, b->n); i++)
    if (q->class_of[a->at[i]] != q->class_of[b->at[i]])
      return false;
  return a->n == b->n;
}

static void prefetch_member(const Equal *q, u32 i) {
  const Atom *a = &q->l->atoms.at[q->atom[i]];
  prefetch_edges(q->l, a);
  PREFETCH(a->data);
  PREFETCH(a->data + 64);
}

/* Finds those that are not what the first member is: two hashes were equal by chance, or by design.
 */
static void check_class(const Equal *q, Tmp *tmp, Class c, U32Vec *bad) {
  const u32 *m = q->member;
  tmp->targets.n = 0;
  describe(q, q->atom[m[c.begin]], &tmp->words, &tmp->targets);
  for (u32 k = c.begin + 1; k < c.end; k++) {
    if (k + CHECK_AHEAD < q->nmember) /* of the next class, often */
      prefetch_member(q, m[k + CHECK_AHEAD]);
    bool same = same_self(q, m[c.begin], m[k]);
    if (same) {
      tmp->other_targets.n = 0;
      describe(q, q->atom[m[k]], &tmp->other, &tmp->other_targets);
      same = tmp->words.n == tmp->other.n &&
             !memcmp(tmp->words.at, tmp->other.at, tmp->words.n * sizeof *tmp->words.at) &&
             same_targets(q, &tmp->targets, &tmp->other_targets);
    }
    if (!same)
      *vec_push(bad) = m[k];
  }
}

static void check_classes(void *ctx, u32 begin, u32 end, unsigned tid) {
  const Equal *q = ctx;
  for (u32 i = begin; i < end; i++)
    if (class_size(&q->classes.at[i]) > 1)
      check_class(q, &q->tmp[tid], q->classes.at[i], &q->bad[begin / ICF_GRAIN]);
}

/* False when some class lost a member: who refers to that has to be looked at again. */
static bool check(Equal *q) {
  u32 chunks = (q->classes.n + ICF_GRAIN - 1) / ICF_GRAIN;
  bool good = true;
  q->bad = heap_alloc(MAX(chunks, 1u) * sizeof *q->bad);
  pool_run(q->l->pool, q->classes.n, ICF_GRAIN, check_classes, q);
  for (u32 c = 0; c < chunks; c++) {
    for (u32 k = 0; k < q->bad[c].n; k++) {
      icf_expel(q, q->bad[c].at[k]);
      good = false;
    }
    vec_free(&q->bad[c]);
  }
  free(q->bad);
  return good;
}

/* ---- all of it ---- */

static void find_classes(Equal *q) {
  Link *l = q->l;
  u32 chunks = (q->n + ICF_GRAIN - 1) / ICF_GRAIN;
  u64 digests = (u64)q->n * sizeof *q->digest, spans = (u64)q->n * sizeof *q->span,
      numbers = (u64)q->n * sizeof(u32);
  q->digest = pages_alloc(digests);
  q->span = pages_alloc(spans);
  q->class_of = pages_alloc(numbers);
  q->targets = heap_alloc(chunks * sizeof *q->targets);
  pool_run(l->pool, q->n, ICF_GRAIN, digest_atoms, q);
  pool_run(l->pool, SHARDS, q->n < ICF_GRAIN ? SHARDS : 1, class_shards, q);
  pages_free(q->digest, digests);
  icf_gather(q);
  do
    icf_split(q);
  while (!check(q));
  for (u32 c = 0; c < chunks; c++)
    vec_free(&q->targets[c]);
  free(q->targets);
  pages_free(q->span, spans);
  pages_free(q->class_of, numbers);
  icf_gather_free(q);
}

/* The first member of each class stands for all. */
static void tell_leaders(const Equal *q, u32 *leader) {
  for (u32 c = 0; c < q->classes.n; c++) {
    Class x = q->classes.at[c];
    u32 first = UINT32_MAX;
    for (u32 k = x.begin; k < x.end; k++)
      first = MIN(first, q->member[k]);
    for (u32 k = x.begin; k < x.end; k++)
      leader[q->member[k]] = first;
  }
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
    u32 *first = pages_alloc(list); /* by candidate with a chance: the one that stands for it */
    find_classes(&q);
    for (u32 i = 0; i < q.n; i++)
      first[i] = i;
    tell_leaders(&q, first);
    for (u32 i = 0; i < n; i++) {
      u32 c = q.of_atom[atom[i]];
      if (c)
        leader[i] = left[first[c - 1]];
    }
    pages_free(first, list);
    pages_free(q.member, q.nmember * sizeof *q.member);
  }
  vec_free(&q.classes);
  for (unsigned t = 0; t < threads; t++) {
    vec_free(&q.tmp[t].words);
    vec_free(&q.tmp[t].other);
    vec_free(&q.tmp[t].targets);
    vec_free(&q.tmp[t].other_targets);
  }
  free(q.tmp);
  pages_free(q.shape, list);
  pages_free(q.of_atom, by_atom);
  pages_free(left, list);
}
