/* i386_scan.c: looks at every edge before anything has an address, and finds out which symbols need GOT, PLT, TLS or copy slots, how
 * many dynamic relocations each atom needs, and which edges can't be had in this kind of output.
 * The trap: scan and apply must come to the same decisions, which are therefore in i386_rules.h. */
#include "arch/elf_reports.h"
#include "arch/i386_internal.h"
#include "arch/i386_rules.h"

typedef enum {
  CLASS_NOTHING, CLASS_WORD, CLASS_ABS, CLASS_PC, CLASS_PLT, CLASS_GOT, CLASS_GOTX, CLASS_GOTOFF, CLASS_GOTPC, CLASS_SIZE,
  CLASS_TLSGD, CLASS_TLSLD, CLASS_DTPOFF, CLASS_GOTTP, CLASS_TPOFF, CLASS_DESC, CLASS_DESCCALL,
} I386Class;

static const u8 class_of[I386_COUNT] = {
#define X(kind, bits, class, name) [I386_##kind] = CLASS_##class,
    I386_EDGES(X)
#undef X
};

typedef struct {
  Link *l;
  ScanThread *t;
  unsigned tid;
  I386Rules r;
  AtomId a; /* being scanned */
  const Atom *at;
  u32 aflags;
  u32 nrel, nsymrel;
} Scan;

static void need(Scan *s, const Edge *e, u8 bits) {
  u8 *p = &s->l->syms.needs[e->target];
  u8 old = __atomic_load_n(p, __ATOMIC_RELAXED);
  if ((old & bits) == bits)
    return;
  old = __atomic_fetch_or(p, bits, __ATOMIC_RELAXED);
  if (!old)
    *vec_push(&s->t->needed) = (NeededSym){e->target, e->flags};
}

static void need_address(Scan *s, const Edge *e) {
  u8 bits = needs_of_address(s->l, s->tid, s->a, e);
  if (bits)
    need(s, e, bits);
}

static void need_ifunc(Scan *s, const Edge *e, u8 bits) {
  s->t->has_ifunc = true;
  need(s, e, bits);
}

/* A dynamic relocation of the atom, in its own list of two. */
static void dynamic(Scan *s, const Edge *e, u32 *count) {
  ++*count;
  if (UNLIKELY(!(s->aflags & ATOM_WRITE)))
    report_textrel(s->l, s->tid, s->a, e, s->t);
}

/* ---- addresses ---- */

static void scan_word(Scan *s, const Edge *e) {
  switch (elf_word(s->r.pic, e->flags, s->aflags & ATOM_WRITE)) {
  case WORD_STATIC:
    return;
  case WORD_RELATIVE:
    if (elf_relr(s->r.relr, s->aflags, s->at->p2align, e->offset))
      *vec_push(&s->t->relr) = (RelrRef){.atom = s->a.i, .offset = e->offset};
    else
      dynamic(s, e, &s->nrel);
    return;
  case WORD_SYMBOLIC:
    need(s, e, NEED_DYNSYM);
    dynamic(s, e, &s->nsymrel);
    return;
  case WORD_IFUNC: {
    u32 none = 0;
    s->t->has_ifunc = true;
    *vec_push(&s->t->ifuncs) = (IfuncRef){s->a.i, e->target, e->offset, e->addend};
    dynamic(s, e, &none);
    return;
  }
  case WORD_CPLT:
  case WORD_COPY:
    if (is_local_ifunc(e->flags))
      need_ifunc(s, e, NEED_CPLT | NEED_PLT);
    else
      need_address(s, e);
    return;
  }
}

/* S + A in fewer bits than a pointer has: no dynamic relocation can help. */
static void scan_abs(Scan *s, const Edge *e) {
  if (!(e->flags & SF_IMPORTED) && e->flags & (SF_ABSOLUTE | SF_UNDEFINED))
    return;
  if (s->r.pic)
    report_recompile(s->l, s->tid, s->a, e);
  else if (e->flags & SF_IMPORTED)
    need_address(s, e);
  else if (e->flags & SF_IFUNC)
    need_ifunc(s, e, NEED_CPLT | NEED_PLT);
}

/* Is the place the operand of call, jmp or jcc? */
static bool is_branch(const Scan *s, const Edge *e) {
  return s->aflags & ATOM_EXEC && i386_only_branches(s->at, e->kind, e->offset);
}

/* What weld defines itself may be "absolute" for want of a section to stand in. */
static bool is_fixed(const Scan *s, const Edge *e) {
  return (e->flags & (SF_ABSOLUTE | SF_UNDEFINED)) == SF_ABSOLUTE &&
         (e->target >= s->l->syms.nglobal || !(s->l->syms.flags[e->target] & SF_SYNTHETIC));
}

/* S + A - P to what is not simply defined here. In PIC output the PLT wants the GOT's address in a register, which code that does not
 * ask for the PLT has not loaded: there the dynamic linker fills in the distance (R_386_PC32), as it can with 32 bits. */
static void scan_pc(Scan *s, const Edge *e) {
  if (e->flags & SF_IMPORTED && s->r.pic) {
    if (e->kind != I386_PC32) {
      report_recompile(s->l, s->tid, s->a, e);
      return;
    }
    need(s, e, NEED_DYNSYM);
    dynamic(s, e, &s->nsymrel);
  } else if (e->flags & SF_IMPORTED) {
    if (is_branch(s, e))
      need(s, e, NEED_PLT);
    else
      need_address(s, e);
  } else if (e->flags & SF_IFUNC) {
    if (s->r.pic)
      report_recompile(s->l, s->tid, s->a, e);
    else
      need_ifunc(s, e, is_branch(s, e) ? NEED_PLT : NEED_CPLT | NEED_PLT);
  } else if (s->r.pic && is_fixed(s, e)) {
    report_recompile(s->l, s->tid, s->a, e);
  }
}

static void scan_plt(Scan *s, const Edge *e) {
  if (is_local_ifunc(e->flags))
    need_ifunc(s, e, NEED_PLT);
  else if (e->flags & SF_IMPORTED)
    need(s, e, NEED_PLT);
}

/* S + A - GOT. */
static void scan_gotoff(Scan *s, const Edge *e) {
  s->t->uses_got_base = true;
  if (e->flags & SF_IMPORTED) {
    if (s->r.pic)
      report_recompile(s->l, s->tid, s->a, e);
    else
      need_address(s, e);
  } else if (e->flags & SF_IFUNC) {
    need_ifunc(s, e, NEED_CPLT | NEED_PLT);
  } else if (s->r.pic && is_fixed(s, e)) {
    report_recompile(s->l, s->tid, s->a, e);
  }
}

static void scan_got(Scan *s, const Edge *e) {
  if (i386_gotx(&s->r, e, s->at->data) != GOTX_KEEP) {
    s->t->uses_got_base |= s->r.pic;
    return;
  }
  s->t->uses_got_base = true;
  if (s->r.pic && i386_got_is_absolute(s->at->data, e->offset))
    report_recompile(s->l, s->tid, s->a, e);
  else if (is_local_ifunc(e->flags))
    need_ifunc(s, e, NEED_GOT);
  else
    need(s, e, NEED_GOT);
}

/* ---- thread-local storage ---- */

/* An access whose code can be rewritten: the slot it is left with. */
static void scan_tls_relaxed(Scan *s, const Edge *e) {
  if (!s->r.shared && !(e->flags & SF_IMPORTED))
    return; /* local exec */
  s->t->uses_got_base = true;
  s->t->has_static_tls |= s->r.shared;
  need(s, e, NEED_GOTTP);
}

/* `e` is TLS_GD or TLS_LDM, `next` what follows it; false: `next` is to be scanned like any other edge. */
static bool scan_tls_call(Scan *s, const Edge *e, const Edge *next) {
  bool known = next && i386_tls_call(e, next, s->at->data, s->at->size).size;
  s->t->uses_got_base |= !known;
  if (!known && next && next->flags & SF_UNDEFINED && !(next->flags & SF_IMPORTED)) {
    report_sequence(s->l, s->tid, s->a, e); /* nobody defines the function that it would call */
    return true;
  }
  if (e->kind == I386_TLS_LDM) {
    s->t->uses_tlsld |= !known;
    return known;
  }
  if (known)
    scan_tls_relaxed(s, e);
  else
    need(s, e, NEED_TLSGD);
  return known;
}

static void scan_gottp(Scan *s, const Edge *e) {
  bool load = i386_ie_insn(e->kind, s->at->data, e->offset) != IE_KEEP;
  if (s->r.tls_exec && !(e->flags & SF_IMPORTED) && load)
    return; /* local exec */
  if (e->kind == I386_TLS_IE_32) { /* its slot would hold the other sign */
    report_tls_le(s->l, s->tid, s->a, e);
    return;
  }
  s->t->uses_got_base |= e->kind != I386_TLS_IE;
  s->t->has_static_tls |= s->r.shared;
  need(s, e, NEED_GOTTP);
  if (e->kind == I386_TLS_IE && s->r.pic) /* the slot's own address moves */
    dynamic(s, e, &s->nrel);
}

static void scan_tpoff(Scan *s, const Edge *e) {
  if (!i386_tpoff_dynamic(&s->r, e->flags))
    return;
  if (e->kind != I386_TLS_LE || !s->r.shared) {
    report_tls_le(s->l, s->tid, s->a, e);
    return;
  }
  s->t->has_static_tls = true;
  if (e->flags & SF_IMPORTED)
    need(s, e, NEED_DYNSYM);
  dynamic(s, e, &s->nsymrel);
}

static void scan_desc(Scan *s, const Edge *e) {
  s->t->uses_got_base |= !s->r.tls_ie;
  if (!s->r.tls_ie)
    need(s, e, NEED_TLSDESC);
  else if (!i386_desc_insn(s->at->data, e->offset))
    report_sequence(s->l, s->tid, s->a, e); /* the call that belongs to it can't be told apart from others */
  else
    scan_tls_relaxed(s, e);
}

/* ---- the walk ---- */

static void scan_edge(Scan *s, const Edge *e) {
  bool special = e->flags & ELF_SPECIAL;
  if (UNLIKELY(e->flags & SF_DISCARDED)) {
    report_discarded(s->l, s->tid, s->a, e);
    return;
  }
  switch ((I386Class)class_of[e->kind]) {
  case CLASS_NOTHING:
  case CLASS_SIZE:
    break;
  case CLASS_WORD:
    scan_word(s, e);
    break;
  case CLASS_ABS:
    if (special || s->r.pic)
      scan_abs(s, e);
    break;
  case CLASS_PC:
    if (UNLIKELY(special))
      scan_pc(s, e);
    break;
  case CLASS_PLT:
    if (special)
      scan_plt(s, e);
    break;
  case CLASS_GOT:
  case CLASS_GOTX:
    scan_got(s, e);
    break;
  case CLASS_GOTOFF:
    scan_gotoff(s, e);
    break;
  case CLASS_GOTPC:
    s->t->uses_got_base = true;
    break;
  case CLASS_TLSGD:
    s->t->uses_got_base = true;
    need(s, e, NEED_TLSGD);
    break;
  case CLASS_TLSLD:
    s->t->uses_got_base = s->t->uses_tlsld = true;
    break;
  case CLASS_DTPOFF:
    if (e->flags & SF_IMPORTED)
      report_recompile(s->l, s->tid, s->a, e);
    break;
  case CLASS_GOTTP:
    scan_gottp(s, e);
    break;
  case CLASS_TPOFF:
    scan_tpoff(s, e);
    break;
  case CLASS_DESC:
    scan_desc(s, e);
    break;
  case CLASS_DESCCALL:
    if (s->r.tls_ie && !i386_desc_call_insn(s->at->data, e->offset))
      report_sequence(s->l, s->tid, s->a, e);
    break;
  }
}

/* The first edge of a TLS call waits here for the second. */
typedef struct {
  Edge edge;
  bool have;
} Pending;

static void scan_run(Scan *s, const Edge *e, const Edge *end, Pending *p) {
  for (; e < end; e++) {
    if (UNLIKELY(p->have)) {
      p->have = false;
      if (scan_tls_call(s, &p->edge, e))
        continue;
    }
    u8 class = class_of[e->kind];
    if (LIKELY(!(e->flags & ELF_SPECIAL) && (class == CLASS_PC || class == CLASS_PLT)))
      continue; /* most edges: nothing to decide */
    if (UNLIKELY(i386_opens_tls_call(&s->r, e)))
      *p = (Pending){*e, true};
    else
      scan_edge(s, e);
  }
}

static void scan_stream(Scan *s, EdgeStream *st) {
  Link *l = s->l;
  Pending pending = {.have = false};
  while (l->format->edge_stream(l, st))
    for (u32 k = 0; k < st->nruns; k++) {
      const EdgeRun *r = &st->run[k];
      if (r->first) {
        s->a = r->atom;
        s->at = &l->atoms.at[s->a.i];
        s->aflags = l->atoms.flags[s->a.i];
        s->nrel = s->nsymrel = 0;
      }
      scan_run(s, &st->edge[r->begin], &st->edge[r->end], &pending);
      if (!r->last)
        continue;
      if (pending.have)
        (void)scan_tls_call(s, &pending.edge, NULL);
      pending.have = false;
      l->atoms.nrel[s->a.i] = s->nrel;
      if (s->nsymrel) /* rare: most pages of it are never touched */
        l->atoms.nsymrel[s->a.i] = s->nsymrel;
      s->t->nrel += s->nrel;
      s->t->nsymrel += s->nsymrel;
    }
}

static Scan scan_begin(Link *l, unsigned tid) { return (Scan){.l = l, .t = &l->slots->threads[tid], .tid = tid, .r = i386_rules(l)}; }

bool i386_edge_is_absolute(u32 kind) { return kind < I386_COUNT && (class_of[kind] == CLASS_WORD || class_of[kind] == CLASS_ABS); }

/* Unwind tables are shared by all processes, so even a pointer in one is never relocated at run time. */
void i386_scan_edges(Link *l, AtomId a, const Edge *e, u32 n, unsigned tid) {
  Scan s = scan_begin(l, tid);
  s.a = a;
  s.at = &l->atoms.at[a.i];
  s.aflags = l->atoms.flags[a.i];
  for (u32 i = 0; i < n; i++) {
    if (e[i].flags & SF_DISCARDED)
      continue;
    if (class_of[e[i].kind] == CLASS_WORD)
      scan_abs(&s, &e[i]);
    else if (e[i].flags & SF_IMPORTED && s.r.pic) /* nor is a distance */
      report_recompile(l, tid, a, &e[i]);
    else
      scan_edge(&s, &e[i]);
  }
}

void i386_scan(Link *l, AtomRange range, unsigned tid) {
  enum { BATCH = 256 };
  Scan s = scan_begin(l, tid);
  AtomId batch[BATCH];
  EdgeStream st = {.atoms = batch}; /* no edge of this CPU is plain */
  const u32 mask = ATOM_FOLDED | ATOM_ALLOC | ATOM_SYNTH;
  for (u32 i = range.begin.i; i < range.end.i;) {
    u32 n = 0;
    for (; i < range.end.i && n < BATCH; i++) {
      u32 flags = l->atoms.flags[i];
      if ((flags & mask) != (ATOM_LIVE | ATOM_ALLOC))
        continue;
      const Atom *a = &l->atoms.at[i];
      s.t->alloc_bytes += a->size;
      if (a->rel && a->data && !(flags & (ATOM_MERGE | ATOM_EHFRAME | ATOM_ZEROFILL)))
        batch[n++] = (AtomId){i};
    }
    st.n = n;
    st.at = st.next = 0;
    st.pair = st.begun = false;
    scan_stream(&s, &st);
  }
}
