/* layout_constraint.c: ONLY_IF_RO and ONLY_IF_RW (GNU ld manual, "Output Section Constraint"): a statement applies only when all
 * inputs that it would take are read-only, or not all of them. What one that does not apply would have taken goes on to the statements
 * behind it, and symbols in its body are not defined.
 * The trap: it must be known before symbols compete for their names, and after groups have lost: matching notes what it sees. */
#include "core/layout_internal.h"
#include "core/layout_match.h"
#include "core/resolve.h"

bool layout_fails(const Link *l, u32 stmt) { return l->lay->constraints && l->lay->constraints[stmt] & CONSTRAINT_FAILS; }

static void settle_one(const LayoutStmt *st, u8 *seen) {
  bool all_readonly = !(*seen & CONSTRAINT_RW);
  if (all_readonly != ((st->flags & LAYOUT_ONLY_IF_RO) != 0))
    *seen |= CONSTRAINT_FAILS;
}

/* A name that only a failing statement defines is one that is mentioned. */
static void forget_names(Link *l) {
  for (u32 i = 0; i < l->weld_names.n; i++) {
    WeldName *w = &l->weld_names.at[i];
    if (!w->stmt || !layout_fails(l, w->outer))
      continue;
    w->kind = WELD_MENTION;
    w->stmt = NULL;
    w->expr = NULL;
    l->syms.key[w->sym] = (u64)RANK_NONE << 56;
  }
  for (u32 i = 0; i < l->weld_names.n; i++) { /* another may define it */
    const WeldName *w = &l->weld_names.at[i];
    if (w->kind == WELD_DEFINE && key_rank(l->syms.key[w->sym]) != RANK_WELD)
      l->syms.key[w->sym] = (u64)RANK_WELD << 56 | i;
  }
}

/* In order: what one does not take may tell whether a later one applies. */
void layout_constraints(Link *l) {
  u8 *c = l->lay->constraints;
  bool fails = false;
  for (u32 s = 0; c && s < l->layout->nstmts; s++) {
    const LayoutStmt *st = &l->layout->stmts[s];
    bool taken = c[s] != 0;
    if (!(st->flags & (LAYOUT_ONLY_IF_RO | LAYOUT_ONLY_IF_RW)))
      continue;
    settle_one(st, &c[s]);
    if (!(c[s] & CONSTRAINT_FAILS))
      continue;
    fails = true;
    for (u32 a = 1; taken && a < l->atoms.n; a++)
      if (l->rules[a] != NO_RULE && l->rules[a] >> 16 == s && l->atoms.flags[a] & ATOM_LIVE)
        layout_match_again(l, a);
  }
  if (fails)
    forget_names(l);
}
