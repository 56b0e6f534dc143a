/* icf.c: identical code folding: who may be folded, and what it means. Who equals whom is
 * icf_equal.c's business. A folded atom stays alive for all who refer to it and is not put into the
 * output; after layout it gets the address of the atom that stands for it, so nobody who resolves a
 * reference has to know.
 * The trap: two functions at one address compare equal. --icf=safe folds only what is never
 * compared; --icf=all folds code all the same, but data only when nobody can compare it. */
#include "core/icf.h"

#include <stdlib.h>

#include "core/icf_internal.h"
#include "core/resolve.h"

enum {
  MARK_SIGNIFICANT = 1, /* its address may be compared */
  MARK_KEEP = 2,        /* not folded, whatever happens */
  CHUNK_ATOMS = 8192,
  FILES_GRAIN = 16,
  AHEAD = 8,
};

typedef struct {
  Link *l;
  u8 *marks;       /* by atom */
  VEC(u32) *found; /* by chunk of atoms */
} Finder;

/* ---- who may be folded ---- */

/* Of what nobody asks whether its address is compared. */
static u16 indifferent(const Link *l) {
  return l->opt->icf == ICF_ALL ? ATOM_EXEC : 0;
}

static bool is_candidate(const Link *l, u32 a, u8 marks) {
  const u32 without = ATOM_DISCARDED | ATOM_TLS | ATOM_ZEROFILL | ATOM_MERGE | ATOM_EHFRAME |
                      ATOM_ROOT | ATOM_SYNTH | ATOM_LINKORDER;
  u16 f = l->atoms.flags[a];
  if ((f & (ATOM_LIVE | ATOM_ALLOC | without)) != (ATOM_LIVE | ATOM_ALLOC) || marks & MARK_KEEP)
    return false;
  if (marks & MARK_SIGNIFICANT && !(f & indifferent(l)))
    return false;
  const Atom *at = &l->atoms.at[a];
  if (!(at->fold & FOLD_KIND) || !at->size || !at->data)
    return false;
  if (l->rules[a] == UINT32_MAX &&
      (l->opt->unique.n || l->opt->unique_orphans)) /* an output section of its own, maybe */
    return false;
  return true;
}

static void mark(u8 *marks, u32 a) {
  if (!(__atomic_load_n(&marks[a], __ATOMIC_RELAXED) & MARK_SIGNIFICANT))
    __atomic_fetch_or(&marks[a], MARK_SIGNIFICANT, __ATOMIC_RELAXED);
}

/* Without a table: code is significant when something other than a branch refers to it, and when it
 * can know its own address. Every use of an address in a file is an edge of that file, or inside
 * one atom. */
static void infer_significant(const Link *l, const File *f, u8 *marks) {
  EdgeTarget buf[EDGE_BATCH];
  for (u32 a = f->atom_base; a < f->atom_base + f->natoms; a++) {
    u16 flags = l->atoms.flags[a];
    const Atom *at = &l->atoms.at[a];
    if ((flags & (ATOM_LIVE | ATOM_ALLOC | ATOM_EHFRAME)) != (ATOM_LIVE | ATOM_ALLOC))
      continue;
    if (a + AHEAD < f->atom_base + f->natoms)
      prefetch_edges(l, &l->atoms.at[a + AHEAD]);
    if (at->rel && !(flags & ATOM_MERGE))
      for (u32 next = 0, n; (n = l->format->edge_targets(l, (AtomId){a}, &next, UINT32_MAX, buf));)
        for (u32 i = 0; i < n; i++)
          if (buf[i].atom && l->atoms.flags[buf[i].atom] & ATOM_EXEC &&
              !(flags & ATOM_EXEC && l->arch->only_branches(at, buf[i].kind, buf[i].offset)))
            mark(marks, buf[i].atom);
    if (flags & ATOM_EXEC && l->arch->knows_itself(at))
      mark(marks, a);
  }
}

static void mark_files(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  Finder *j = ctx;
  Link *l = j->l;
  for (u32 f = MAX(begin, 1u); f < end; f++)
    if (l->files.at[f].live && l->files.at[f].kind == FILE_OBJECT &&
        !l->format->significant(l, (FileId){f}, j->marks, MARK_SIGNIFICANT, indifferent(l)) &&
        l->opt->icf == ICF_SAFE)
      infer_significant(l, &l->files.at[f], j->marks);
}

static void keep_named(Link *l, u8 *marks) {
  for (u32 i = 0; i < l->opt->keep_unique.n; i++) {
    const char *name = l->opt->keep_unique.at[i];
    SymId s = sym_find(l, name, strlen(name));
    if (s.i != UINT32_MAX && l->syms.atom[s.i])
      marks[l->syms.atom[s.i]] |= MARK_KEEP;
    else
      diag_warn(l->diag, "keep-unique", "could not find symbol %s to keep unique",
                diag_name(l->diag, name));
  }
}

/* Sections that describe it can't describe two. */
static void mark_followed(const Link *l, u8 *marks) {
  for (u32 a = 1; a < l->atoms.n; a++)
    if ((l->atoms.flags[a] & (ATOM_LINKORDER | ATOM_LIVE)) == (ATOM_LINKORDER | ATOM_LIVE))
      marks[l->atoms.at[a].link] |= MARK_KEEP;
}

static void mark_atoms(Finder *j) {
  Link *l = j->l;
  keep_named(l, j->marks);
  mark_followed(l, j->marks);
  if (l->opt->icf == ICF_ALL && l->opt->ignore_data_address_equality)
    return;
  pool_run(l->pool, l->files.n, FILES_GRAIN, mark_files, j);
  for (u32 i = 0; i < l->syms.nglobal; i++) /* what other files may do is not known */
    if (l->syms.flags[i] & SF_EXPORTED && l->syms.atom[i])
      j->marks[l->syms.atom[i]] |= MARK_SIGNIFICANT;
}

static void find_chunk(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  Finder *j = ctx;
  const u16 *flags = j->l->atoms.flags;
  for (u32 a = MAX(begin, 1u); a < end; a++) {
    if (a + AHEAD < end && flags[a + AHEAD] & ATOM_ALLOC)
      PREFETCH(&j->l->atoms.at[a + AHEAD]);
    if (is_candidate(j->l, a, j->marks[a]))
      *vec_push(&j->found[begin / CHUNK_ATOMS]) = a;
  }
}

/* The candidates in ascending order, from pages_alloc. */
static u32 *find_candidates(Link *l, u32 *n) {
  Finder j = {.l = l, .marks = pages_alloc(l->atoms.n)};
  u32 chunks = (l->atoms.n + CHUNK_ATOMS - 1) / CHUNK_ATOMS, *all;
  mark_atoms(&j);
  j.found = heap_alloc(chunks * sizeof *j.found);
  pool_run(l->pool, l->atoms.n, CHUNK_ATOMS, find_chunk, &j);
  *n = 0;
  for (u32 c = 0; c < chunks; c++)
    *n += j.found[c].n;
  all = pages_alloc(*n * sizeof *all);
  for (u32 c = 0, at = 0; c < chunks; c++) {
    if (j.found[c].n)
      memcpy(all + at, j.found[c].at, j.found[c].n * sizeof *all);
    at += j.found[c].n;
    vec_free(&j.found[c]);
  }
  free(j.found);
  pages_free(j.marks, l->atoms.n);
  return all;
}

/* ---- folding ---- */

typedef struct {
  u32 leader, atom;
} Pair;

static int by_leader(const void *pa, const void *pb) {
  const Pair *a = pa, *b = pb;
  if (a->leader != b->leader)
    return a->leader < b->leader ? -1 : 1;
  return a->atom < b->atom ? -1 : a->atom > b->atom;
}

static void print_line(Link *l, u64 order, const char *what, u32 a) {
  diag_report(l->diag, DIAG_NOTE, "icf-section", order, "%s section %s:(%s)", what,
              file_name(l, (FileId){l->atoms.at[a].file}), l->format->atom_name(l, (AtomId){a}));
}

static void print_folded(Link *l) {
  VEC(Pair) pairs = {0};
  for (u32 i = 0; i < l->folded.n; i++)
    *vec_push(&pairs) = (Pair){l->atoms.at[l->folded.at[i].i].link, l->folded.at[i].i};
  if (pairs.n)
    qsort(pairs.at, pairs.n, sizeof *pairs.at, by_leader);
  u64 order = 1ull << 63; /* behind what belongs to a place */
  for (u32 i = 0; i < pairs.n; i++) {
    if (!i || pairs.at[i].leader != pairs.at[i - 1].leader)
      print_line(l, order++, "selected", pairs.at[i].leader);
    print_line(l, order++, "  removing identical", pairs.at[i].atom);
  }
  vec_free(&pairs);
}

static void redirect_symbols(void *ctx, u32 begin, u32 end, unsigned tid) {
  (void)tid;
  Link *l = ctx;
  for (u32 i = begin; i < end; i++) {
    u32 a = l->syms.atom[i];
    if (a && (l->atoms.flags[a] & ATOM_FOLDED) == ATOM_FOLDED)
      l->syms.atom[i] = l->atoms.at[a].link;
  }
}

static void fold(Link *l, const u32 *atom, const u32 *leader, u32 n) {
  for (u32 i = 0; i < n; i++) {
    if (leader[i] == atom[i])
      continue;
    Atom *a = &l->atoms.at[atom[i]], *to = &l->atoms.at[leader[i]];
    l->atoms.flags[atom[i]] |= ATOM_FOLDED;
    a->link = leader[i];
    to->p2align = MAX(to->p2align, a->p2align);
    *vec_push(&l->folded) = (AtomId){atom[i]};
  }
}

static void fold_equal(Link *l, const u32 *atom, u32 n) {
  u64 bytes = (u64)n * sizeof *atom;
  u32 *leader = pages_alloc(bytes);
  icf_equal(l, atom, n, leader);
  fold(l, atom, leader, n);
  pages_free(leader, bytes);
  if (l->folded.n)
    pool_run(l->pool, l->syms.nglobal, 16384, redirect_symbols, l);
}

void coalesce_content(Link *l) {
  if (!l->format->by_content)
    return;
  VEC(u32) atoms = {0};
  u8 *marks = pages_alloc(l->atoms.n);
  mark_followed(l, marks);
  for (u32 a = 1; a < l->atoms.n; a++)
    if ((l->atoms.flags[a] & ATOM_FOLDED) == ATOM_LIVE && !(l->atoms.flags[a] & (ATOM_SYNTH | ATOM_LINKORDER)) && !marks[a] &&
        l->format->by_content(l, (AtomId){a}))
      *vec_push(&atoms) = a;
  pages_free(marks, l->atoms.n);
  if (atoms.n)
    fold_equal(l, atoms.at, atoms.n);
  vec_free(&atoms);
}

void icf(Link *l) {
  if (l->opt->icf == ICF_NONE)
    return;
  u32 n, *atom = find_candidates(l, &n);
  fold_equal(l, atom, n);
  pages_free(atom, (u64)n * sizeof *atom);
  if (l->folded.n && l->opt->print_icf_sections)
    print_folded(l);
}

void icf_addresses(Link *l) {
  for (u32 i = 0; i < l->folded.n; i++) {
    u32 a = l->folded.at[i].i, leader = l->atoms.at[a].link;
    l->atoms.addr[a] = l->atoms.addr[leader];
    l->atoms.at[a].osec = l->atoms.at[leader].osec;
  }
}
