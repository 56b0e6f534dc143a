/* icf_split.c: splits classes of atoms while two members of one refer to atoms of different
 * classes. A class is looked at again only when something that its members refer to has moved to
 * another class, and only those members are; the largest part of a class keeps its number, so
 * nobody moves more than log(n) times.
 * The trap: the order of members and the numbers of classes say nothing; that two are in one class
 * does. */
#include <stdlib.h>

#include "core/icf_internal.h"

enum { FEW = 32 }; /* members that are sorted by insertion */

static const u32 *targets_of(const Equal *q, u32 i) {
  return q->span[i].n ? q->targets[i / ICF_GRAIN].at + q->span[i].at : NULL;
}

/* class_shards() left the first member of each class; from here on classes have numbers, those of
 * one alone too. */
static void gather_members(Equal *q) {
  u32 *size = pages_alloc(q->n * sizeof *size), *number = pages_alloc(q->n * sizeof *number),
      sum = 0;
  for (u32 i = 0; i < q->n; i++)
    size[q->class_of[i]]++;
  for (u32 i = 0; i < q->n; i++) {
    if (size[i] < 2)
      continue;
    number[i] = q->classes.n;
    *vec_push(&q->classes) = (Class){.begin = sum, .end = sum};
    q->nmember = sum += size[i];
  }
  q->member = pages_alloc(q->nmember * sizeof *q->member);
  q->place = pages_alloc(q->n * sizeof *q->place);
  for (u32 i = 0; i < q->n; i++) {
    u32 first = q->class_of[i];
    if (size[first] < 2) {
      q->class_of[i] = q->nmember + i; /* there can't be more than nmember classes */
      continue;
    }
    Class *c = &q->classes.at[number[first]];
    q->class_of[i] = number[first];
    q->place[i] = c->end;
    q->member[c->end++] = i;
  }
  pages_free(size, q->n * sizeof *size);
  pages_free(number, q->n * sizeof *number);
}

/* Turns round the references between members. */
static void gather_refs(Equal *q) {
  u64 sum = 0;
  q->ref_end = pages_alloc(q->n * sizeof *q->ref_end);
  for (int fill = 0; fill < 2; fill++) {
    for (u32 k = 0; k < q->nmember; k++) {
      u32 i = q->member[k];
      const u32 *t = targets_of(q, i);
      for (u32 x = 0; x < q->span[i].n; x++)
        if (q->class_of[t[x]] < q->nmember) {
          if (fill)
            q->ref[q->ref_end[t[x]]++] = i;
          else
            q->ref_end[t[x]]++;
        }
    }
    if (fill)
      break;
    for (u32 i = 0; i < q->n; i++) {
      u32 n = q->ref_end[i];
      q->ref_end[i] = (u32)sum;
      sum += n;
    }
    q->nref = (u32)sum;
    q->ref = pages_alloc(sum * sizeof *q->ref);
  }
}

/* ---- splitting ---- */

static u64 signature(const Equal *q, u32 i) {
  const u32 *t = targets_of(q, i);
  u64 h = 0;
  for (u32 k = 0; k < q->span[i].n; k++)
    h = icf_mix(h, q->class_of[t[k]]);
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

static void put_member(Equal *q, u32 at, u32 i) {
  q->member[at] = i;
  q->place[i] = at;
}

static void make_dirty(Equal *q, u32 i) {
  Class *c = &q->classes.at[q->class_of[i]];
  u32 clean_end = c->end - c->dirty;
  if (q->place[i] >= clean_end || class_size(c) < 2)
    return;
  if (!c->dirty++)
    *vec_push(&q->queue) = q->class_of[i];
  u32 other = q->member[clean_end - 1];
  put_member(q, q->place[i], other);
  put_member(q, clean_end - 1, i);
}

/* [begin, end) of a class leave it. */
static void leave_class(Equal *q, u32 begin, u32 end, u64 sign) {
  u32 class = q->classes.n;
  *vec_push(&q->classes) = (Class){begin, end, 0, sign};
  for (u32 k = begin; k < end; k++) {
    q->class_of[q->member[k]] = class;
    *vec_push(&q->moved) = q->member[k];
  }
}

static void follow_moved(Equal *q) {
  for (u32 k = 0; k < q->moved.n; k++) {
    u32 i = q->moved.at[k];
    for (u32 x = i ? q->ref_end[i - 1] : 0; x < q->ref_end[i]; x++)
      make_dirty(q, q->ref[x]);
  }
  q->moved.n = 0;
}

/* Groups by signature. The largest group keeps the number of the class, so that a member moves
 * log(n) times at most, and only those who refer to moved members are looked at again. */
static void split_class(Equal *q, u32 class) {
  Class c = q->classes.at[class];
  u32 n = c.dirty, at = c.end - n;
  q->order.n = 0;
  vec_reserve(&q->order, n);
  Signed *v = q->order.at;
  for (u32 i = 0; i < n; i++)
    v[i] = (Signed){signature(q, q->member[at + i]), q->member[at + i]};
  sort_signed(v, n);
  for (u32 i = 0; i < n; i++) /* those who are what the clean ones are */
    if (v[i].signature == c.signature)
      put_member(q, at++, v[i].member);
  u32 clean_end = at, stay = c.begin, stay_end = at, largest = at - c.begin, k = 0;
  for (u32 i = 0; i < n; i++)
    if (v[i].signature != c.signature)
      put_member(q, at++, v[i].member);
  for (u32 i = 0, end, begin = clean_end; i < n; i = end) {
    for (end = i; end < n && v[end].signature == v[i].signature; end++) {
    }
    if (v[i].signature == c.signature)
      continue;
    if (end - i > largest) {
      largest = end - i;
      stay = begin;
      stay_end = begin + largest;
      k = i;
    }
    begin += end - i;
  }
  u64 sign = stay == c.begin && clean_end > c.begin ? c.signature : v[k].signature;
  q->classes.at[class] = (Class){stay, stay_end, 0, sign};
  if (stay != c.begin && clean_end > c.begin)
    leave_class(q, c.begin, clean_end, c.signature);
  for (u32 i = 0, end, begin = clean_end; i < n; i = end) {
    for (end = i; end < n && v[end].signature == v[i].signature; end++) {
    }
    if (v[i].signature == c.signature)
      continue;
    if (begin != stay)
      leave_class(q, begin, begin + (end - i), v[i].signature);
    begin += end - i;
  }
  follow_moved(q);
}

void icf_split(Equal *q) {
  follow_moved(q);
  while (q->queue.n)
    split_class(q, q->queue.at[--q->queue.n]);
}

void icf_expel(Equal *q, u32 i) {
  Class *from = &q->classes.at[q->class_of[i]];
  u32 last = q->member[--from->end];
  put_member(q, q->place[i], last);
  put_member(q, from->end, i);
  leave_class(q, from->end, from->end + 1, 0);
}

void icf_gather(Equal *q) {
  gather_members(q);
  gather_refs(q);
  for (u32 c = 0; c < q->classes.n; c++) {
    Class *x = &q->classes.at[c];
    if (!q->span[q->member[x->begin]].n)
      continue; /* refers to no candidate: nothing can split it */
    x->dirty = class_size(x);
    *vec_push(&q->queue) = c;
  }
}

void icf_gather_free(Equal *q) {
  u64 numbers = (u64)q->n * sizeof(u32);
  pages_free(q->place, numbers);
  pages_free(q->ref_end, numbers);
  pages_free(q->ref, (u64)q->nref * sizeof *q->ref);
  vec_free(&q->queue);
  vec_free(&q->order);
  vec_free(&q->moved);
}
